#if defined(__x86_64__)
#include <immintrin.h>
#if !defined(__clang__)
// g++ 12 takes the deliberately undefined operands inside its own intrinsics for a mistake of ours.
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

#include <new>

#include "aead/aead.hpp"
#include "target.hpp"

LOCKSTEP_TARGET_BEGIN("avx512f,avx512bw,avx512dq,avx512vl,avx2,aes,pclmul,vaes,vpclmulqdq,bmi,bmi2")
namespace lockstep::kernels::vaes_512 {

inline constexpr InstructionSet kInstructionSet = InstructionSet::vaes_512;

// Each text uses those before it.
// clang-format off
#include "vectors/x86_128.inl"
#include "vectors/x86_aes_128.inl"
#include "vectors/x86_512.inl"
#include "vectors/x86_aes_512.inl"
#include "vectors/order.inl"
#include "aead/aes_gcm.inl"
#include "aead/aes_mask.inl"
// clang-format on

}  // namespace lockstep::kernels::vaes_512
LOCKSTEP_TARGET_END
#endif
