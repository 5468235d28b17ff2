#if defined(__x86_64__)
#include <new>

#include <immintrin.h>

#include "aead/aead.hpp"
#include "target.hpp"

LOCKSTEP_TARGET_BEGIN("avx2,aes,pclmul,vaes,vpclmulqdq,bmi,bmi2")
namespace lockstep::kernels::vaes_256 {

inline constexpr InstructionSet kInstructionSet = InstructionSet::vaes_256;

// Each text uses those before it.
// clang-format off
#include "vectors/x86_128.inl"
#include "vectors/x86_aes_128.inl"
#include "vectors/x86_256.inl"
#include "vectors/x86_aes_256.inl"
#include "vectors/order.inl"
#include "aead/aes_gcm.inl"
#include "aead/aes_mask.inl"
// clang-format on

}  // namespace lockstep::kernels::vaes_256
LOCKSTEP_TARGET_END
#endif
