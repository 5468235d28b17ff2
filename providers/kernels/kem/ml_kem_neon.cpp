#if defined(__aarch64__)
#include <algorithm>
#include <bit>
#include <iterator>
#include <new>
#include <utility>

#include <arm_neon.h>

#include "hash/sha3.hpp"
#include "kem/kem.hpp"
#include "target.hpp"

// NEON is part of every AArch64 processor: no region of its own.
namespace lockstep::kernels::neon {

inline constexpr InstructionSet kInstructionSet = InstructionSet::neon;

// Each text uses those before it.
// clang-format off
#include "vectors/arm_states_128.inl"
#include "vectors/arm_words16_128.inl"
#include "hash/keccak.inl"
#include "hash/sha3.inl"
#include "kem/ntt.inl"
#include "kem/encoding.inl"
#include "kem/ml_kem.inl"
// clang-format on

}  // namespace lockstep::kernels::neon
#endif
