#if defined(__x86_64__)
#include <algorithm>
#include <array>
#include <bit>
#include <new>

#include <immintrin.h>

#include "hash/hash.hpp"
#include "target.hpp"

LOCKSTEP_TARGET_BEGIN("sha,sse4.1,ssse3")
namespace lockstep::kernels::sha_ni {

inline constexpr InstructionSet kInstructionSet = InstructionSet::sha_ni;

// Each text uses those before it.
// clang-format off
#include "vectors/x86_128.inl"
#include "vectors/x86_sha.inl"
#include "hash/sha256_lanes.inl"
#include "hash/sha2.inl"
#include "hash/sha1_lanes.inl"
#include "hash/record_mac.inl"
// clang-format on

constinit const Hash kSha256 = make_hash<Sha256>();
constinit const Mac kHmacSha1 = make_mac<Sha1>(MacAlgorithm::hmac_sha1, "HMAC-SHA-1");
constinit const Mac kHmacSha256 = make_mac<Sha256>(MacAlgorithm::hmac_sha256, "HMAC-SHA-256");

}  // namespace lockstep::kernels::sha_ni
LOCKSTEP_TARGET_END
#endif
