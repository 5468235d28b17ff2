#pragma once
// The machinery of states. A state is a struct; what it accepts and where that leads stands in the signatures of its
// handlers and nowhere else:
//
//     Next<WaitCertificate, WaitFinished> on(WaitEncryptedExtensions&&, const EncryptedExtensions&, Context&);
//
// A transition to a state that the signature does not name does not compile. The tables of what is accepted where, for
// the machine itself, for the tests and for the charts in docs/states.md, are derived from the same signatures.

#include <array>
#include <concepts>
#include <cstddef>
#include <expected>
#include <type_traits>
#include <utility>
#include <variant>

#include <lockstep/error.hpp>

#include "handshake/context.hpp"
#include "types/allocated.hpp"

namespace lockstep::handshake {

/// What a handler returns: the next state, one of those that its type names, or the error that ends the handshake.
template <class... Successors>
class [[nodiscard]] Next {
 public:
  template <class State>
    requires(std::same_as<std::remove_cvref_t<State>, Successors> || ...)
  Next(State&& state) noexcept : value_(std::forward<State>(state)) {}    // NOLINT(google-explicit-constructor)
  Next(std::unexpected<Error> error) noexcept : value_(error.error()) {}  // NOLINT(google-explicit-constructor)
  /// From a step that leads to some of our successors.
  template <class... Some>
  Next(Next<Some...>&& step) noexcept  // NOLINT(google-explicit-constructor)
      : value_(std::visit([](auto&& alternative) { return Value(std::move(alternative)); }, std::move(step).value())) {}

  using Value = std::variant<Error, Successors...>;
  [[nodiscard]] Value&& value() && noexcept { return std::move(value_); }

 private:
  Value value_;
};

// RFC 9846 4: "Protocol messages MUST be sent in the order defined in Section 4.1 and shown in the diagrams in Section
// 2": which that is, the handlers say.

/// Whether there is a handler for an input in a state. `Shared` is what the states of a machine share: the
/// handshake's Context, or after it LiveContext.
template <class State, class Input, class Shared = Context>
concept Accepts =
    requires(State&& state, const Input& input, Shared& context) { on(std::move(state), input, context); };

/// What a handler returns, as a type: `Next<...>`.
template <class State, class Input, class Shared = Context>
using NextOf = decltype(on(std::declval<State>(), std::declval<const Input&>(), std::declval<Shared&>()));

/// Makes what a step came to the current state, unless what it sent or asked has failed.
template <class Machine, class Shared, class... Successors>
[[nodiscard]] Status enter(Machine& machine, Next<Successors...>&& next, const Shared& context) noexcept {
  if constexpr (requires { context.failure; }) {
    if (context.failure) return std::unexpected(*context.failure);
  }
  return std::visit(
      [&]<class Successor>(Successor&& successor) -> Status {
        if constexpr (std::same_as<std::remove_cvref_t<Successor>, Error>) {
          return std::unexpected(successor);
        } else {
          machine = std::forward<Successor>(successor);
          return {};
        }
      },
      std::move(next).value());
}

/// Gives an input to the current state. Without a handler for it: message_unexpected. A handler may allocate; that
/// there was no memory for it is an error from here on.
template <class Machine, class Input, class Shared>
[[nodiscard]] Status dispatch(Machine& machine, const Input& input, Shared& context) noexcept {
  const auto done = allocated([&] {
    return std::visit(
        [&]<class State>(State& state) -> Status {
          if constexpr (Accepts<State, Input, Shared>) {
            return enter(machine, on(std::move(state), input, context), context);
          } else {
            return context.fail(Reason::message_unexpected);
          }
        },
        machine);
  });
  if (!done) return context.fail(Reason::memory);
  return *done;
}

/// Whether the current state has a handler for this kind of input; asked before a message is parsed.
template <class Input, class Shared = Context, class Machine>
[[nodiscard]] bool accepts(const Machine& machine) noexcept {
  return std::visit([]<class State>(const State&) { return Accepts<State, Input, Shared>; }, machine);
}

}  // namespace lockstep::handshake
