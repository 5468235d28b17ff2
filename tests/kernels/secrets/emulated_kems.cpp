#include <algorithm>
#include <bit>
#include <iterator>
#include <new>
#include <utility>

#include "emulated.hpp"
#include "hash/sha3.hpp"
#include "kem/kem.hpp"
#include "target.hpp"

namespace lockstep::kernels::emulated_kem_16 {

inline constexpr InstructionSet kInstructionSet = InstructionSet::portable;

// Each text uses those before it.
// clang-format off
#define LOCKSTEP_WORDS16 16
#include "vectors/emulated_states.inl"
#include "vectors/words16.inl"
#undef LOCKSTEP_WORDS16
#include "hash/keccak.inl"
#include "hash/sha3.inl"
#include "kem/ntt.inl"
#include "kem/encoding.inl"
#include "kem/ml_kem.inl"
// clang-format on

}  // namespace lockstep::kernels::emulated_kem_16

namespace lockstep::kernels::emulated_kem_32 {

inline constexpr InstructionSet kInstructionSet = InstructionSet::portable;

// Each text uses those before it.
// clang-format off
#define LOCKSTEP_WORDS16 32
#include "vectors/emulated_states.inl"
#include "vectors/words16.inl"
#undef LOCKSTEP_WORDS16
#include "hash/keccak.inl"
#include "hash/sha3.inl"
#include "kem/ntt.inl"
#include "kem/encoding.inl"
#include "kem/ml_kem.inl"
// clang-format on

}  // namespace lockstep::kernels::emulated_kem_32
