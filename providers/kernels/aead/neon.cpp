#if defined(__aarch64__)
#include <new>

#include <arm_neon.h>

#include "aead/aead.hpp"
#include "target.hpp"

// NEON is part of every AArch64 processor: no region of its own.
namespace lockstep::kernels::neon {

inline constexpr InstructionSet kInstructionSet = InstructionSet::neon;

// Each text uses those before it.
// clang-format off
#include "vectors/arm_128.inl"
#include "vectors/arm_words_128.inl"
#include "vectors/one_lane.inl"
#include "vectors/order.inl"
#include "aead/wide.inl"
#include "aead/poly1305.inl"
#include "aead/poly1305_shares.inl"
#include "aead/chacha20_poly1305.inl"
#include "aead/chacha20_mask.inl"
// clang-format on

}  // namespace lockstep::kernels::neon
#endif
