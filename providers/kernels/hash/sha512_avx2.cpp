#if defined(__x86_64__)
#include <algorithm>
#include <array>
#include <bit>
#include <new>

#include <immintrin.h>

#include "hash/hash.hpp"
#include "target.hpp"

LOCKSTEP_TARGET_BEGIN("avx2,bmi,bmi2")
namespace lockstep::kernels::avx2 {

inline constexpr InstructionSet kInstructionSet = InstructionSet::avx2;

// Each text uses those before it.
// clang-format off
#include "vectors/x86_128.inl"
#include "vectors/x86_256.inl"
#include "vectors/x86_words64.inl"
#include "hash/sha2_rounds.inl"
#include "hash/sha512_vectors.inl"
#include "hash/sha2.inl"
#include "hash/record_mac.inl"
// clang-format on

constinit const Hash kSha384 = make_hash<Sha384>();
constinit const Hash kSha512 = make_hash<Sha512>();
constinit const Mac kHmacSha384 = make_mac<Sha384>(MacAlgorithm::hmac_sha384, "HMAC-SHA-384");

}  // namespace lockstep::kernels::avx2
LOCKSTEP_TARGET_END
#endif
