#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include <lockstep/kernels_kem.hpp>

#include "bytes.hpp"

// What all implementations of ML-KEM share: their descriptors, and the constants of FIPS 203.
namespace lockstep::kernels {

#define LOCKSTEP_KEMS(instruction_set) \
  namespace instruction_set {          \
  extern const Kem kMlKem512;          \
  extern const Kem kMlKem768;          \
  extern const Kem kMlKem1024;         \
  }
LOCKSTEP_KEMS(portable)
#if defined(__x86_64__)
LOCKSTEP_KEMS(avx2)
LOCKSTEP_KEMS(avx512)
#elif defined(__aarch64__)
LOCKSTEP_KEMS(neon)
#endif
#undef LOCKSTEP_KEMS

// FIPS 203 2.4: n and q.
inline constexpr std::size_t kCoefficients = 256;
inline constexpr std::int16_t kModulus = 3329;

/// FIPS 203 8, table 2, with eta_2 = 2 in every one.
struct KemParameters {
  KemAlgorithm algorithm;
  const char* name;
  std::size_t k;
  std::size_t eta_1;
  int d_u;
  int d_v;
};
inline constexpr KemParameters kParameters512{KemAlgorithm::ml_kem_512, "ML-KEM-512", 2, 3, 10, 4};
inline constexpr KemParameters kParameters768{KemAlgorithm::ml_kem_768, "ML-KEM-768", 3, 2, 10, 4};
inline constexpr KemParameters kParameters1024{KemAlgorithm::ml_kem_1024, "ML-KEM-1024", 4, 2, 11, 5};

/// 1 / q modulo 2^16.
inline constexpr std::int16_t kInverseModulus = -3327;
static_assert(static_cast<std::int16_t>(kInverseModulus * kModulus) == 1);

/// floor(2^26 / q + 1/2), with which a quotient by q is a product.
inline constexpr std::int16_t kReciprocal = 20159;

/// The number modulo q that is nearest to zero: a factor of at most (q - 1) / 2, which keeps products small.
constexpr std::int16_t nearest(std::int64_t value) noexcept {
  value %= kModulus;
  if (value < 0) value += kModulus;
  return static_cast<std::int16_t>(value > kModulus / 2 ? value - kModulus : value);
}

/// 17^exponent, where 17 is the primitive 256th root of unity that FIPS 203 4.3 names.
constexpr std::int64_t power_of_root(unsigned exponent) noexcept {
  std::int64_t power = 1;
  for (; exponent != 0; --exponent) power = power * 17 % kModulus;
  return power;
}

/// FIPS 203 4.3: the seven bits of i in reverse.
constexpr unsigned reverse_7(unsigned i) noexcept {
  unsigned reversed = 0;
  for (int bit = 0; bit < 7; ++bit) reversed |= (i >> bit & 1U) << (6 - bit);
  return reversed;
}

/// Factors of Montgomery's product divide by R = 2^16.
inline constexpr std::int64_t kRadix = 65536;
/// By which a product of two that were not prepared is set right.
inline constexpr std::int16_t kRadixSquared = nearest(kRadix * kRadix);
/// Likewise, and divided by the 128 that NTT and its inverse multiply with. 3303 is 1 / 128 (FIPS 203, algorithm 10).
inline constexpr std::int16_t kInverseScale = nearest(kRadixSquared * std::int64_t{3303});

constexpr std::int16_t over_modulus(std::int16_t factor) noexcept {
  return static_cast<std::int16_t>(factor * kInverseModulus);
}

/// A turn of SampleNTT (FIPS 203, algorithm 7): three bytes are two candidates, of which those below q are taken. How
/// many that are; two are written.
[[gnu::always_inline]] inline std::size_t take_two(std::int16_t* to, const std::uint8_t* from) noexcept {
  const unsigned first = from[0] | (from[1] & 0xfU) << 8U;
  const unsigned second = static_cast<unsigned>(from[1]) >> 4U | static_cast<unsigned>(from[2]) << 4U;
  const std::size_t count = first < static_cast<unsigned>(kModulus);
  to[0] = static_cast<std::int16_t>(first);
  to[count] = static_cast<std::int16_t>(second);
  return count + (second < static_cast<unsigned>(kModulus));
}

struct alignas(kKemAlignment) Polynomial {
  std::int16_t coefficients[kCoefficients];
};

}  // namespace lockstep::kernels
