#if defined(__aarch64__)
#include <new>

#include <arm_neon.h>

#include "aead/aead.hpp"
#include "target.hpp"

LOCKSTEP_TARGET_BEGIN("+aes")
namespace lockstep::kernels::aes_pmull {

inline constexpr InstructionSet kInstructionSet = InstructionSet::aes_pmull;

// Each text uses those before it.
// clang-format off
#include "vectors/arm_128.inl"
#include "vectors/arm_aes_128.inl"
#include "vectors/one_lane.inl"
#include "vectors/order.inl"
#include "aead/aes_gcm.inl"
#include "aead/aes_mask.inl"
// clang-format on

}  // namespace lockstep::kernels::aes_pmull
LOCKSTEP_TARGET_END
#endif
