#include "bound.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>

#ifdef __x86_64__
#include <immintrin.h>
#endif

namespace lockstep::bench {
namespace {

double now() noexcept {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// How often a loop runs; the best time counts, because whatever else the machine does only adds.
constexpr int kAttempts = 40;

#ifdef __x86_64__

using kernels::Algorithm;
using kernels::InstructionSet;

[[maybe_unused]] constexpr int kTurns = 400;
volatile std::uint8_t sink;  // NOLINT: what the loops compute must seem to matter

// Each vector width has its own instructions, but the loops are the same text. Eight vectors hide every latency.
// NOLINTBEGIN(cppcoreguidelines-macro-usage)
#define LOCKSTEP_AES_GCM_BOUND(NAME, TARGET, VECTOR, AESENC, CLMUL, XOR, ZERO) \
  template <int rounds>                                                        \
  __attribute__((target(TARGET), noinline)) double NAME() noexcept {           \
    VECTOR state[8];                                                           \
    VECTOR hash[8];                                                            \
    for (int i = 0; i < 8; ++i) state[i] = hash[i] = ZERO();                   \
    const VECTOR key = ZERO();                                                 \
    double best = 1;                                                           \
    for (int attempt = 0; attempt < kAttempts; ++attempt) {                    \
      const double start = now();                                              \
      for (int turn = 0; turn < kTurns; ++turn) {                              \
        for (int round = 0; round < rounds; ++round) {                         \
          for (int i = 0; i < 8; ++i) state[i] = AESENC(state[i], key);        \
        }                                                                      \
        for (int i = 0; i < 8; ++i) {                                          \
          const VECTOR low = CLMUL(hash[i], key, 0x00);                        \
          const VECTOR middle = CLMUL(hash[i], key, 0x01);                     \
          hash[i] = XOR(XOR(low, middle), CLMUL(hash[i], key, 0x11));          \
        }                                                                      \
      }                                                                        \
      best = std::min(best, now() - start);                                    \
    }                                                                          \
    for (int i = 0; i < 8; ++i) {                                              \
      sink = reinterpret_cast<const std::uint8_t*>(&state[i])[0];              \
      sink = reinterpret_cast<const std::uint8_t*>(&hash[i])[0];               \
    }                                                                          \
    return best / (kTurns * 8.0 * sizeof(VECTOR));                             \
  }

LOCKSTEP_AES_GCM_BOUND(aes_gcm_128_bits, "aes,pclmul,sse4.1", __m128i, _mm_aesenc_si128, _mm_clmulepi64_si128,
                       _mm_xor_si128, _mm_setzero_si128)
LOCKSTEP_AES_GCM_BOUND(aes_gcm_256_bits, "vaes,vpclmulqdq,avx2", __m256i, _mm256_aesenc_epi128,
                       _mm256_clmulepi64_epi128, _mm256_xor_si256, _mm256_setzero_si256)
LOCKSTEP_AES_GCM_BOUND(aes_gcm_512_bits, "vaes,vpclmulqdq,avx512f", __m512i, _mm512_aesenc_epi128,
                       _mm512_clmulepi64_epi128, _mm512_xor_si512, _mm512_setzero_si512)

// A quarter round is four additions, four exclusive ors and four rotations of whole vectors; four of them make a round.
// Where there is no rotation, two are a byte shuffle and two are shifts and an or. What comes out does not matter here,
// so one shuffle serves for both.
#define LOCKSTEP_CHACHA_BOUND(NAME, TARGET, VECTOR, ADD, XOR, ROTATE_BYTES, ROTATE_BITS, SET) \
  __attribute__((target(TARGET), noinline)) double NAME() noexcept {                          \
    VECTOR a[4];                                                                              \
    VECTOR b[4];                                                                              \
    VECTOR c[4];                                                                              \
    VECTOR d[4];                                                                              \
    for (int i = 0; i < 4; ++i) a[i] = b[i] = c[i] = d[i] = SET(i + 1);                       \
    double best = 1;                                                                          \
    for (int attempt = 0; attempt < kAttempts; ++attempt) {                                   \
      const double start = now();                                                             \
      for (int round = 0; round < kTurns * 20; ++round) {                                     \
        for (int i = 0; i < 4; ++i) {                                                         \
          a[i] = ADD(a[i], b[i]);                                                             \
          d[i] = ROTATE_BYTES(XOR(d[i], a[i]), 16);                                           \
          c[i] = ADD(c[i], d[i]);                                                             \
          b[i] = ROTATE_BITS(XOR(b[i], c[i]), 12);                                            \
          a[i] = ADD(a[i], b[i]);                                                             \
          d[i] = ROTATE_BYTES(XOR(d[i], a[i]), 8);                                            \
          c[i] = ADD(c[i], d[i]);                                                             \
          b[i] = ROTATE_BITS(XOR(b[i], c[i]), 7);                                             \
        }                                                                                     \
      }                                                                                       \
      best = std::min(best, now() - start);                                                   \
    }                                                                                         \
    for (int i = 0; i < 4; ++i) {                                                             \
      sink = reinterpret_cast<const std::uint8_t*>(&a[i])[0];                                 \
      sink = reinterpret_cast<const std::uint8_t*>(&b[i])[0];                                 \
    }                                                                                         \
    return best / (kTurns * 16.0 * sizeof(VECTOR));                                           \
  }

#define LOCKSTEP_ROTATE_128(v, n) _mm_or_si128(_mm_slli_epi32(v, n), _mm_srli_epi32(v, 32 - (n)))
#define LOCKSTEP_SHUFFLE_128(v, n) _mm_shuffle_epi8(v, _mm_set1_epi32(0x02010003))
#define LOCKSTEP_ROTATE_256(v, n) _mm256_or_si256(_mm256_slli_epi32(v, n), _mm256_srli_epi32(v, 32 - (n)))
#define LOCKSTEP_SHUFFLE_256(v, n) _mm256_shuffle_epi8(v, _mm256_set1_epi32(0x02010003))

LOCKSTEP_CHACHA_BOUND(chacha20_128_bits, "ssse3", __m128i, _mm_add_epi32, _mm_xor_si128, LOCKSTEP_SHUFFLE_128,
                      LOCKSTEP_ROTATE_128, _mm_set1_epi32)
LOCKSTEP_CHACHA_BOUND(chacha20_256_bits, "avx2", __m256i, _mm256_add_epi32, _mm256_xor_si256, LOCKSTEP_SHUFFLE_256,
                      LOCKSTEP_ROTATE_256, _mm256_set1_epi32)
LOCKSTEP_CHACHA_BOUND(chacha20_512_bits, "avx512f", __m512i, _mm512_add_epi32, _mm512_xor_si512, _mm512_rol_epi32,
                      _mm512_rol_epi32, _mm512_set1_epi32)
// NOLINTEND(cppcoreguidelines-macro-usage)

template <int rounds>
double aes_gcm(InstructionSet set) noexcept {
  switch (set) {
    case InstructionSet::aes_ni: return aes_gcm_128_bits<rounds>();
    case InstructionSet::vaes_256: return aes_gcm_256_bits<rounds>();
    case InstructionSet::vaes_512: return aes_gcm_512_bits<rounds>();
    default: return 0;
  }
}

double chacha20(InstructionSet set) noexcept {
  switch (set) {
    case InstructionSet::ssse3: return chacha20_128_bits();
    case InstructionSet::avx2: return chacha20_256_bits();
    case InstructionSet::avx512: return chacha20_512_bits();
    default: return 0;
  }
}

#endif

}  // namespace

double bound(kernels::Algorithm algorithm, kernels::InstructionSet set) noexcept {
#ifdef __x86_64__
  switch (algorithm) {
    case Algorithm::aes_128_gcm: return aes_gcm<10>(set);
    case Algorithm::aes_256_gcm: return aes_gcm<14>(set);
    case Algorithm::chacha20_poly1305: return chacha20(set);
  }
#endif
  return 0;
}

double cycles_per_second() noexcept {
#ifdef __x86_64__
  constexpr int kAdditions = 4000 * 64;
  std::uint64_t sum = 1;
  double best = 1;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    const double start = now();
    for (std::uint64_t turn = 0; turn < 4000; ++turn)
      asm volatile(".rept 64\n add %1, %0\n .endr" : "+r"(sum) : "r"(turn) : "cc");
    best = std::min(best, now() - start);
  }
  return kAdditions / best;
#else
  return 0;
#endif
}

}  // namespace lockstep::bench
