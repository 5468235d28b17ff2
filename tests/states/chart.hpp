#pragma once
// The chart of the handshake, derived from the signatures of its handlers (core/handshake/machine.hpp): for every state
// what it accepts and where that leads. Nothing here is written by hand but the names of the inputs.

#include <algorithm>
#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "handshake/handshake.hpp"

namespace lockstep::testing {

/// Everything that moves a handshake on, beside the messages of `handshake::Messages`: records and alerts, calls of the
/// application, its answers.
using Records = handshake::MessageList<handshake::ChangeCipherSpec, RenegotiationRefused>;
using Calls = handshake::MessageList<handshake::Renegotiate>;
using Answers =
    handshake::MessageList<handshake::TicketOpened, handshake::EarlyDataJudged, handshake::CredentialSelected,
                           handshake::ConfigChosen, handshake::HelloRefused, handshake::Signed, handshake::Decrypted,
                           handshake::SharesMade, handshake::SecretMade, handshake::SignatureChecked,
                           handshake::PskGiven, handshake::PskWithheld, handshake::PeerVerified, handshake::PeerRefused,
                           handshake::TicketSealed>;

/// The name of a type without what does not distinguish it: "client13::WaitFinished", "Finished".
template <class Type>
constexpr std::string_view type_name() {
  std::string_view text = __PRETTY_FUNCTION__;
  text.remove_prefix(text.find("Type = ") + 7);
  text = text.substr(0, text.find_first_of(";]"));
  for (const std::string_view prefix : {"lockstep::handshake::", "lockstep::codec::", "lockstep::"}) {
    if (text.starts_with(prefix)) text.remove_prefix(prefix.size());
  }
  return text;
}

enum class InputKind : std::uint8_t { message, record, call, answer };

struct Transition {
  std::string_view input;
  InputKind kind{};
  std::optional<HandshakeType> type;         ///< of a message
  std::vector<std::string_view> successors;  ///< none: it ends the handshake
};

struct ChartState {
  std::string_view type;   ///< "client13::WaitFinished"
  std::string_view title;  ///< the RFC's name, or what is waited for
  std::vector<Transition> transitions;

  [[nodiscard]] const Transition* on(std::string_view input) const {
    const auto found = std::ranges::find(transitions, input, &Transition::input);
    return found == transitions.end() ? nullptr : &*found;
  }
  /// Whether a message of this type is taken, of whichever version.
  [[nodiscard]] bool takes(HandshakeType sent) const {
    return std::ranges::find(transitions, sent, &Transition::type) != transitions.end();
  }
};

namespace detail {

template <class... Successors>
std::vector<std::string_view> names(std::type_identity<handshake::Next<Successors...>>) {
  return {type_name<Successors>()...};
}

/// What the handlers of a state share: something else once the handshake is over.
template <class State>
using SharedOf = std::conditional_t<std::constructible_from<handshake::LiveMachine, const State&>,
                                    handshake::LiveContext, handshake::Context>;

template <class State, class Input>
void add(ChartState& row, InputKind kind) {
  using Shared = SharedOf<State>;
  if constexpr (handshake::Accepts<State, Input, Shared>) {
    Transition transition{
        type_name<Input>(), kind, {}, names(std::type_identity<handshake::NextOf<State, Input, Shared>>{})};
    if constexpr (requires { Input::type; }) transition.type = Input::type;
    row.transitions.push_back(std::move(transition));
  }
}

template <class State, class... Inputs>
void add_all(ChartState& row, InputKind kind, handshake::MessageList<Inputs...>) {
  (add<State, Inputs>(row, kind), ...);
}

template <class State>
void add_row(std::vector<ChartState>& rows) {
  if constexpr (requires { State::name; }) {
    ChartState row{type_name<State>(), State::name, {}};
    add_all<State>(row, InputKind::message, handshake::Messages{});
    add_all<State>(row, InputKind::record, Records{});
    add_all<State>(row, InputKind::call, Calls{});
    add_all<State>(row, InputKind::answer, Answers{});
    rows.push_back(std::move(row));
  }
}

template <class... States>
std::vector<ChartState> rows(std::type_identity<std::variant<States...>>) {
  std::vector<ChartState> all;
  (add_row<States>(all), ...);
  return all;
}

}  // namespace detail

/// A row for every state of every machine, in the order of `handshake::Machine`.
inline const std::vector<ChartState>& chart() {
  static const std::vector<ChartState> all = detail::rows(std::type_identity<handshake::Machine>{});
  return all;
}

/// The same for what a server does beside a connection that stands: `handshake::TicketMachine`.
inline const std::vector<ChartState>& ticket_chart() {
  static const std::vector<ChartState> all = detail::rows(std::type_identity<handshake::TicketMachine>{});
  return all;
}

/// The same for a connection that stands: `handshake::LiveMachine`.
inline const std::vector<ChartState>& live_chart() {
  static const std::vector<ChartState> all = detail::rows(std::type_identity<handshake::LiveMachine>{});
  return all;
}

/// Whether only a renegotiation begins in this state.
inline bool renegotiates(std::string_view type) {
  return type == "client12::WaitServerHello" || type == "server12::WaitClientHello";
}

/// The machine that a state belongs to: "client13".
inline std::string_view machine_of(std::string_view type) { return type.substr(0, type.find(':')); }

/// Whether a state is where a handshake ends.
inline bool is_connected(std::string_view type) { return type.ends_with("::Connected"); }

inline const ChartState& chart_of(std::string_view type) {
  return *std::ranges::find(chart(), type, &ChartState::type);
}

/// The type of the state that a handshake is in.
inline std::string_view state_of(const handshake::Machine& machine) {
  return std::visit([]<class State>(const State&) { return type_name<State>(); }, machine);
}

}  // namespace lockstep::testing
