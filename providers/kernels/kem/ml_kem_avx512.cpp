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

#if !defined(__clang__)
// g++ 12 takes the deliberately undefined operands inside its own intrinsics for a mistake of ours.
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

LOCKSTEP_TARGET_BEGIN("avx512f,avx512bw,avx512dq,avx512vl,avx512vbmi2,avx2,bmi,bmi2,popcnt")
namespace lockstep::kernels::avx512 {

inline constexpr InstructionSet kInstructionSet = InstructionSet::avx512;

// Each text uses those before it.
// clang-format off
#include "vectors/x86_states_256vl.inl"
#include "vectors/x86_words16_512.inl"
#include "hash/keccak.inl"
#include "hash/sha3.inl"
#include "kem/ntt.inl"
#include "kem/encoding.inl"
#include "kem/ml_kem.inl"
// clang-format on

}  // namespace lockstep::kernels::avx512
LOCKSTEP_TARGET_END
#endif
