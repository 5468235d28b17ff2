#include <lockstep/bytes.hpp>

namespace lockstep {

bool constant_time_equal(Bytes a, Bytes b) noexcept {
  if (a.size() != b.size()) return false;
  std::uint8_t difference = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    difference = static_cast<std::uint8_t>(difference | (a[i] ^ b[i]));
    // The compiler must not learn that a difference once set stays, or it may leave the loop early.
    __asm__ volatile("" : "+r"(difference));
  }
  return difference == 0;
}

void wipe(MutableBytes secret) noexcept {
  if (secret.empty()) return;
  std::memset(secret.data(), 0, secret.size());
  // Says that somebody may read the zeros, so that they are written even when the object dies next.
  __asm__ volatile("" : : "r"(secret.data()) : "memory");
}

}  // namespace lockstep
