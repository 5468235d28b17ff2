#include <algorithm>
#include <array>
#include <bit>
#include <new>

#include "emulated.hpp"
#include "hash/hash.hpp"
#include "target.hpp"

namespace lockstep::kernels::emulated_sha_1 {

inline constexpr InstructionSet kInstructionSet = InstructionSet::portable;

// Each text uses those before it.
// clang-format off
#define LOCKSTEP_EMULATED_LANES 1
#include "vectors/emulated.inl"
#undef LOCKSTEP_EMULATED_LANES
#include "hash/sha256_lanes.inl"
#include "hash/sha2.inl"
#include "hash/sha1_lanes.inl"
#include "hash/record_mac.inl"
// clang-format on

constinit const Hash kSha256 = make_hash<Sha256>();
constinit const Mac kHmacSha1 = make_mac<Sha1>(MacAlgorithm::hmac_sha1, "HMAC-SHA-1");
constinit const Mac kHmacSha256 = make_mac<Sha256>(MacAlgorithm::hmac_sha256, "HMAC-SHA-256");

}  // namespace lockstep::kernels::emulated_sha_1

namespace lockstep::kernels::emulated_sha_2 {

inline constexpr InstructionSet kInstructionSet = InstructionSet::portable;

// clang-format off
#define LOCKSTEP_EMULATED_LANES 2
#include "vectors/emulated.inl"
#include "hash/sha2_rounds.inl"
#include "hash/sha512_vectors.inl"
#include "hash/sha2.inl"
#include "hash/record_mac.inl"
// clang-format on

constinit const Hash kSha384 = make_hash<Sha384>();
constinit const Hash kSha512 = make_hash<Sha512>();
constinit const Mac kHmacSha384 = make_mac<Sha384>(MacAlgorithm::hmac_sha384, "HMAC-SHA-384");

}  // namespace lockstep::kernels::emulated_sha_2
