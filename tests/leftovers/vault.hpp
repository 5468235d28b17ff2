#pragma once
// Secrets, kept so that a search of all memory does not find the vault, and that search. Nothing here allocates: what
// lies in freed memory is left as it is.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <lockstep/bytes.hpp>

namespace lockstep::testing::vault {

/// Forgets everything.
void clear() noexcept;
/// Keeps a secret to be searched for; what has no secret in it, because its bytes are alike, is not kept. `what` lives
/// as long as the program.
void keep(std::string_view what, Bytes secret) noexcept;
/// How many were kept.
[[nodiscard]] std::size_t size() noexcept;

/// Every place in writable memory of this process where a kept secret, or twelve bytes of it, can be read: as it was,
/// backwards as big numbers are held, or as the inner or outer key of HMAC. In words.
[[nodiscard]] std::vector<std::string> search();

/// Calls `function` in a frame of its own.
template <class Function>
[[gnu::noinline]] void call(Function& function) {
  function();
}

/// Calls it so deep in the stack that a search which follows does not overwrite what it left there.
template <class Function>
[[gnu::noinline]] void deep(Function function) {
  volatile std::uint8_t room[1U << 17U];
  room[0] = 0;
  call(function);
  room[sizeof room - 1] = 0;
}

}  // namespace lockstep::testing::vault
