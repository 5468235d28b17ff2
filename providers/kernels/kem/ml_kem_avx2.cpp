#if defined(__x86_64__)
#include <algorithm>
#include <bit>
#include <iterator>
#include <new>
#include <utility>

#include <immintrin.h>

#include "hash/sha3.hpp"
#include "kem/kem.hpp"
#include "target.hpp"

LOCKSTEP_TARGET_BEGIN("avx2,bmi,bmi2,popcnt")
namespace lockstep::kernels::avx2 {

inline constexpr InstructionSet kInstructionSet = InstructionSet::avx2;

// Each text uses those before it.
// clang-format off
#include "vectors/x86_states_256.inl"
#include "vectors/x86_words16_256.inl"
#include "hash/keccak.inl"
#include "hash/sha3.inl"
#include "kem/ntt.inl"
#include "kem/encoding.inl"
#include "kem/ml_kem.inl"
// clang-format on

}  // namespace lockstep::kernels::avx2
LOCKSTEP_TARGET_END
#endif
