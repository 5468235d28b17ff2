#pragma once
// The chart of the handshake, derived from the signatures of its handlers (core/handshake/machine.hpp): for every state
// what it accepts and where that leads. Nothing here is written by hand but the names of the inputs.

#include <algorithm>
#include <concepts>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "handshake/handshake.hpp"

namespace lockstep::testing {

/// Everything that moves a handshake on: messages, then answers.
template <class... Types>
struct List {};
using Messages = List<codec::ClientHello, codec::ServerHello, codec::HelloRetryRequest, codec::EncryptedExtensions,
                      codec::CertificateRequest, codec::Certificate, codec::CertificateVerify, codec::EndOfEarlyData,
                      codec::Finished, codec::NewSessionTicket, codec::KeyUpdate>;
using Answers = List<handshake::TicketOpened, handshake::EarlyDataJudged, handshake::CredentialSelected,
                     handshake::Signed, handshake::PeerVerified, handshake::PeerRefused, handshake::TicketSealed>;

/// The name of a type without what does not distinguish it: "client13::WaitFinished", "Finished".
template <class Type>
constexpr std::string_view type_name() {
  std::string_view text = __PRETTY_FUNCTION__;
  text.remove_prefix(text.find("Type = ") + 7);
  text = text.substr(0, text.find_first_of(";]"));
  for (const std::string_view prefix : {"lockstep::handshake::", "lockstep::codec::"}) {
    if (text.starts_with(prefix)) text.remove_prefix(prefix.size());
  }
  return text;
}

struct Transition {
  std::string_view input;
  bool message = false;                      ///< else an answer
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
void add(ChartState& row, bool message) {
  using Shared = SharedOf<State>;
  if constexpr (handshake::Accepts<State, Input, Shared>)
    row.transitions.push_back(
        {type_name<Input>(), message, names(std::type_identity<handshake::NextOf<State, Input, Shared>>{})});
}

template <class State, class... Inputs>
void add_all(ChartState& row, bool message, List<Inputs...>) {
  (add<State, Inputs>(row, message), ...);
}

template <class State>
void add_row(std::vector<ChartState>& rows) {
  if constexpr (requires { State::name; }) {
    ChartState row{type_name<State>(), State::name, {}};
    add_all<State>(row, true, Messages{});
    add_all<State>(row, false, Answers{});
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
