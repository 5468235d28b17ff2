#if defined(__x86_64__)
#include <new>

#include <immintrin.h>

#include "aead/aead.hpp"
#include "target.hpp"

#if !defined(__clang__)
// g++ 12 takes the deliberately undefined operands inside its own intrinsics for a mistake of ours.
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

LOCKSTEP_TARGET_BEGIN("avx512f,avx512bw,avx512dq,avx512vl,avx512ifma,avx2,bmi,bmi2")
namespace lockstep::kernels::avx512 {

inline constexpr InstructionSet kInstructionSet = InstructionSet::avx512;

// Each text uses those before it.
// clang-format off
#include "vectors/x86_128.inl"
#include "vectors/x86_512.inl"
#include "vectors/x86_words_512.inl"
#include "vectors/x86_words64_512.inl"
#include "vectors/order.inl"
#define LOCKSTEP_MULX
#include "aead/wide.inl"
#include "aead/poly1305.inl"
#include "aead/poly1305_lanes.inl"
#include "aead/chacha20_poly1305.inl"
#include "aead/chacha20_mask.inl"
// clang-format on

}  // namespace lockstep::kernels::avx512
LOCKSTEP_TARGET_END
#endif
