#if defined(__x86_64__)
#include <new>

#include <immintrin.h>

#include "aead/aead.hpp"
#include "target.hpp"

LOCKSTEP_TARGET_BEGIN("sse4.1,ssse3,aes,pclmul")
namespace lockstep::kernels::aes_ni {

inline constexpr InstructionSet kInstructionSet = InstructionSet::aes_ni;

// Each text uses those before it.
// clang-format off
#include "vectors/x86_128.inl"
#include "vectors/x86_aes_128.inl"
#include "vectors/one_lane.inl"
#include "vectors/order.inl"
#include "aead/aes_gcm.inl"
#include "aead/aes_mask.inl"
// clang-format on

}  // namespace lockstep::kernels::aes_ni
LOCKSTEP_TARGET_END
#endif
