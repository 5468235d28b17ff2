#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include <lockstep/kernels_sha3.hpp>

#include "bytes.hpp"

// What all implementations of SHA-3 share: their descriptors and the constants of FIPS 202.
namespace lockstep::kernels {

namespace portable {
extern const Sha3 kSha3;
}
#if defined(__x86_64__)
namespace avx2 {
extern const Sha3 kSha3;
}
namespace avx512 {
extern const Sha3 kSha3;
}
#elif defined(__aarch64__)
namespace neon {
extern const Sha3 kSha3;
}
#endif

/// Words of 64 bits in a state: 1600 bits.
inline constexpr std::size_t kSha3Words = 25;
inline constexpr std::size_t kSha3Rounds = 24;

/// FIPS 202 3.2.5: the constants of the step iota, from the linear feedback shift register of algorithm 5.
inline constexpr auto kSha3Constants = [] {
  std::array<std::uint64_t, kSha3Rounds> constants{};
  unsigned shift_register = 1;
  for (std::uint64_t& constant : constants) {
    for (unsigned j = 0; j <= 6; ++j) {
      constant |= static_cast<std::uint64_t>(shift_register & 1U) << ((1U << j) - 1);
      shift_register <<= 1U;
      if ((shift_register & 0x100U) != 0) shift_register ^= 0x171U;
    }
  }
  return constants;
}();

/// FIPS 202 3.2.2 and 3.2.3: by how much the step rho turns each word, and from where the step pi takes it. Word x + 5
/// y is the lane (x, y).
struct Sha3Moves {
  std::array<int, kSha3Words> turn{};
  std::array<std::size_t, kSha3Words> from{};
};
inline constexpr Sha3Moves kSha3Moves = [] {
  Sha3Moves moves;
  std::size_t x = 1;
  std::size_t y = 0;
  for (int t = 0; t < 24; ++t) {
    moves.turn[x + 5 * y] = (t + 1) * (t + 2) / 2 % 64;
    const std::size_t next = (2 * x + 3 * y) % 5;
    x = y;
    y = next;
  }
  // Lane (x, y) is that of (x + 3 y, x) before.
  for (std::size_t i = 0; i < kSha3Words; ++i) moves.from[i] = (i % 5 + 3 * (i / 5)) % 5 + 5 * (i % 5);
  return moves;
}();

/// How many bytes a permutation takes in or gives out: 200 less twice the strength (FIPS 202 6.1, 6.2).
constexpr std::size_t sha3_rate(Sha3Algorithm algorithm) noexcept {
  switch (algorithm) {
    case Sha3Algorithm::sha3_256:
    case Sha3Algorithm::shake256: return 136;
    case Sha3Algorithm::sha3_512: return 72;
    case Sha3Algorithm::shake128: return 168;
  }
  return 0;
}

/// The bits behind a message that part hashes (01) from extendable outputs (1111), and the first bit of the padding.
constexpr std::uint8_t sha3_suffix(Sha3Algorithm algorithm) noexcept {
  return algorithm == Sha3Algorithm::sha3_256 || algorithm == Sha3Algorithm::sha3_512 ? 0x06 : 0x1f;
}

}  // namespace lockstep::kernels
