#include <algorithm>
#include <bit>
#include <iterator>
#include <new>
#include <utility>

#include "hash/sha3.hpp"
#include "kem/kem.hpp"
#include "target.hpp"

namespace lockstep::kernels::portable {

inline constexpr InstructionSet kInstructionSet = InstructionSet::portable;

// Each text uses those before it.
// clang-format off
#include "vectors/one_state.inl"
#define LOCKSTEP_WORDS16 8
#include "vectors/words16.inl"
#include "hash/keccak.inl"
#include "hash/sha3.inl"
#include "kem/ntt.inl"
#include "kem/encoding.inl"
#include "kem/ml_kem.inl"
// clang-format on

}  // namespace lockstep::kernels::portable
