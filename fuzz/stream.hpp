#pragma once
// The fuzzer's bytes as all that one end ever receives: twice, in one piece and in others, with equal outcomes.

#include <lockstep/fuzzing.hpp>

namespace lockstep::fuzzing {

inline void stream(Role role, Bytes input) {
  Choices choices(input);
  const Cast cast(choices.byte());
  const std::uint8_t pieces = choices.byte();
  const Bytes bytes = choices.rest();
  const auto end = [&] { return role == Role::client ? cast.client() : cast.server(); };

  End whole = end();
  whole.send();
  whole.receive(bytes);
  whole.send();
  whole.receive_end();

  End cut = end();
  cut.send();
  cut.receive(bytes, [size = std::size_t{pieces}]() mutable { return size = size % 251U + 1U; });
  cut.send();
  cut.receive_end();
  // An error shows the first bytes as far as they had come.
  for (End* const each : {&whole, &cut}) each->forget_evidence();
  require(whole.outcome() == cut.outcome(), "the same bytes in other pieces come to the same");
}

}  // namespace lockstep::fuzzing
