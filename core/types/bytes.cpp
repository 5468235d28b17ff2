#include <lockstep/bytes.hpp>

namespace lockstep {

bool constant_time_equal(Bytes a, Bytes b) noexcept {
  if (a.size() != b.size()) return false;
  std::uint64_t difference = 0;
  const auto add = [&difference](std::uint64_t bits) {
    difference |= bits;
    // The compiler must not learn that a difference once set stays, or it may leave the loop early.
    __asm__ volatile("" : "+r"(difference));
  };
  std::size_t i = 0;
  for (; i + sizeof(std::uint64_t) <= a.size(); i += sizeof(std::uint64_t)) {
    std::uint64_t of_a = 0;
    std::uint64_t of_b = 0;
    std::memcpy(&of_a, a.data() + i, sizeof of_a);
    std::memcpy(&of_b, b.data() + i, sizeof of_b);
    add(of_a ^ of_b);
  }
  for (; i < a.size(); ++i) add(a[i] ^ b[i]);
  return difference == 0;
}

void wipe(MutableBytes secret) noexcept {
  if (secret.empty()) return;
  std::memset(secret.data(), 0, secret.size());
  // Says that somebody may read the zeros, so that they are written even when the object dies next.
  __asm__ volatile("" : : "r"(secret.data()) : "memory");
}

}  // namespace lockstep
