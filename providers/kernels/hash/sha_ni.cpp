#if defined(__x86_64__)
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
// clang-format on

constinit const Hash kSha256 = make_hash<Sha256>();

}  // namespace lockstep::kernels::sha_ni
LOCKSTEP_TARGET_END
#endif
