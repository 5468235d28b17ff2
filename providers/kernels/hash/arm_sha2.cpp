#if defined(__aarch64__)
#include <algorithm>
#include <array>
#include <new>

#include <arm_neon.h>

#include "hash/hash.hpp"
#include "target.hpp"

LOCKSTEP_TARGET_BEGIN("+sha2")
namespace lockstep::kernels::arm_sha2 {

inline constexpr InstructionSet kInstructionSet = InstructionSet::arm_sha2;

// Each text uses those before it.
// clang-format off
#include "vectors/arm_128.inl"
#include "vectors/arm_sha.inl"
#include "hash/sha256_lanes.inl"
#include "hash/sha2.inl"
#include "hash/record_mac.inl"
// clang-format on

constinit const Hash kSha256 = make_hash<Sha256>();
constinit const Mac kHmacSha256 = make_mac<Sha256>(MacAlgorithm::hmac_sha256, "HMAC-SHA-256");

}  // namespace lockstep::kernels::arm_sha2
LOCKSTEP_TARGET_END
#endif
