#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include <lockstep/kernels_hash.hpp>
#include <lockstep/kernels_mac.hpp>

#include "bytes.hpp"

// What all implementations of the hashes share: their descriptors and the constants of FIPS 180-4.
namespace lockstep::kernels {

namespace portable {
extern const Hash kSha256;
extern const Hash kSha384;
extern const Hash kSha512;
extern const Mac kHmacSha1;
extern const Mac kHmacSha256;
extern const Mac kHmacSha384;
}  // namespace portable

#if defined(__x86_64__)
namespace sha_ni {
extern const Hash kSha256;
extern const Mac kHmacSha1;
extern const Mac kHmacSha256;
}  // namespace sha_ni
namespace avx2 {
extern const Hash kSha384;
extern const Hash kSha512;
extern const Mac kHmacSha384;
}  // namespace avx2
#elif defined(__aarch64__)
namespace arm_sha2 {
extern const Hash kSha256;
extern const Mac kHmacSha256;
}  // namespace arm_sha2
#endif

// FIPS 180-4 4.2.3: the fractional parts of the cube roots of the first 80 primes.
inline constexpr std::array<std::uint64_t, 80> kRoundConstants64{
    0x428a2f98d728ae22, 0x7137449123ef65cd, 0xb5c0fbcfec4d3b2f, 0xe9b5dba58189dbbc, 0x3956c25bf348b538,
    0x59f111f1b605d019, 0x923f82a4af194f9b, 0xab1c5ed5da6d8118, 0xd807aa98a3030242, 0x12835b0145706fbe,
    0x243185be4ee4b28c, 0x550c7dc3d5ffb4e2, 0x72be5d74f27b896f, 0x80deb1fe3b1696b1, 0x9bdc06a725c71235,
    0xc19bf174cf692694, 0xe49b69c19ef14ad2, 0xefbe4786384f25e3, 0x0fc19dc68b8cd5b5, 0x240ca1cc77ac9c65,
    0x2de92c6f592b0275, 0x4a7484aa6ea6e483, 0x5cb0a9dcbd41fbd4, 0x76f988da831153b5, 0x983e5152ee66dfab,
    0xa831c66d2db43210, 0xb00327c898fb213f, 0xbf597fc7beef0ee4, 0xc6e00bf33da88fc2, 0xd5a79147930aa725,
    0x06ca6351e003826f, 0x142929670a0e6e70, 0x27b70a8546d22ffc, 0x2e1b21385c26c926, 0x4d2c6dfc5ac42aed,
    0x53380d139d95b3df, 0x650a73548baf63de, 0x766a0abb3c77b2a8, 0x81c2c92e47edaee6, 0x92722c851482353b,
    0xa2bfe8a14cf10364, 0xa81a664bbc423001, 0xc24b8b70d0f89791, 0xc76c51a30654be30, 0xd192e819d6ef5218,
    0xd69906245565a910, 0xf40e35855771202a, 0x106aa07032bbd1b8, 0x19a4c116b8d2d0c8, 0x1e376c085141ab53,
    0x2748774cdf8eeb99, 0x34b0bcb5e19b48a8, 0x391c0cb3c5c95a63, 0x4ed8aa4ae3418acb, 0x5b9cca4f7763e373,
    0x682e6ff3d6b2b8a3, 0x748f82ee5defb2fc, 0x78a5636f43172f60, 0x84c87814a1f0ab72, 0x8cc702081a6439ec,
    0x90befffa23631e28, 0xa4506cebde82bde9, 0xbef9a3f7b2c67915, 0xc67178f2e372532b, 0xca273eceea26619c,
    0xd186b8c721c0c207, 0xeada7dd6cde0eb1e, 0xf57d4f7fee6ed178, 0x06f067aa72176fba, 0x0a637dc5a2c898a6,
    0x113f9804bef90dae, 0x1b710b35131c471b, 0x28db77f523047d84, 0x32caab7b40c72493, 0x3c9ebe0a15c9bebc,
    0x431d67c49c100d4c, 0x4cc5d4becb3e42b6, 0x597f299cfc657e2a, 0x5fcb6fab3ad6faec, 0x6c44198c4a475817,
};

// FIPS 180-4 5.3.5: the fractional parts of the square roots of the first eight primes.
inline constexpr std::array<std::uint64_t, 8> kInitial512{
    0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1,
    0x510e527fade682d1, 0x9b05688c2b3e6c1f, 0x1f83d9abfb41bd6b, 0x5be0cd19137e2179,
};

// FIPS 180-4 5.3.4: those of the ninth to the sixteenth prime.
inline constexpr std::array<std::uint64_t, 8> kInitial384{
    0xcbbb9d5dc1059ed8, 0x629a292a367cd507, 0x9159015a3070dd17, 0x152fecd8f70e5939,
    0x67332667ffc00b31, 0x8eb44a8768581511, 0xdb0c2e0d64f98fa7, 0x47b5481dbefa4fa4,
};

// FIPS 180-4 4.2.2, 5.3.3: SHA-256 has the same roots, their first 32 bits.
template <std::size_t kSize>
constexpr std::array<std::uint32_t, kSize> first_halves(const auto& words) {
  std::array<std::uint32_t, kSize> halves{};
  for (std::size_t i = 0; i < kSize; ++i) halves[i] = static_cast<std::uint32_t>(words[i] >> 32);
  return halves;
}
alignas(64) inline constexpr std::array<std::uint32_t, 64> kRoundConstants32 = first_halves<64>(kRoundConstants64);

// The parameters of the three algorithms (FIPS 180-4 figure 1).
struct Sha256 {
  using Word = std::uint32_t;
  static constexpr HashAlgorithm kAlgorithm = HashAlgorithm::sha256;
  static constexpr const char* kName = "SHA-256";
  static constexpr std::size_t kDigestSize = 32;
  static constexpr std::array<Word, 8> kInitial = first_halves<8>(kInitial512);
};
struct Sha384 {
  using Word = std::uint64_t;
  static constexpr HashAlgorithm kAlgorithm = HashAlgorithm::sha384;
  static constexpr const char* kName = "SHA-384";
  static constexpr std::size_t kDigestSize = 48;
  static constexpr std::array<Word, 8> kInitial = kInitial384;
};
struct Sha512 {
  using Word = std::uint64_t;
  static constexpr HashAlgorithm kAlgorithm = HashAlgorithm::sha512;
  static constexpr const char* kName = "SHA-512";
  static constexpr std::size_t kDigestSize = 64;
  static constexpr std::array<Word, 8> kInitial = kInitial512;
};

// Of HMAC alone.
struct Sha1 {
  using Word = std::uint32_t;
  static constexpr std::size_t kDigestSize = 20;
  // FIPS 180-4 5.3.1.
  static constexpr std::array<Word, 5> kInitial{0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
};

// Words are big-endian (FIPS 180-4 3.1).
template <class Word>
inline Word load_word(const std::uint8_t* from) noexcept {
  if constexpr (sizeof(Word) == 4) {
    return load_be32(from);
  } else {
    return load_be64(from);
  }
}

template <class Word>
inline void store_word(std::uint8_t* to, Word word) noexcept {
  if constexpr (sizeof(Word) == 4) {
    store_be32(to, word);
  } else {
    store_be64(to, word);
  }
}

}  // namespace lockstep::kernels
