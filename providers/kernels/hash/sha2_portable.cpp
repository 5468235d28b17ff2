#include <bit>
#include <new>

#include "hash/hash.hpp"
#include "target.hpp"

namespace lockstep::kernels::portable {

inline constexpr InstructionSet kInstructionSet = InstructionSet::portable;

// Each text uses those before it.
// clang-format off
#include "hash/sha2_rounds.inl"
#include "hash/sha2_scalar.inl"
#include "hash/sha2.inl"
// clang-format on

constinit const Hash kSha256 = make_hash<Sha256>();
constinit const Hash kSha384 = make_hash<Sha384>();
constinit const Hash kSha512 = make_hash<Sha512>();

}  // namespace lockstep::kernels::portable
