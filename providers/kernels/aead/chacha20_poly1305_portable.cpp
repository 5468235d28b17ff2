#include <new>

#include "aead/aead.hpp"
#include "target.hpp"

namespace lockstep::kernels::portable {

inline constexpr InstructionSet kInstructionSet = InstructionSet::portable;

// Each text uses those before it.
// clang-format off
#include "vectors/portable.inl"
#include "vectors/one_lane.inl"
#include "vectors/order.inl"
#include "aead/wide.inl"
#include "aead/poly1305.inl"
#include "aead/poly1305_shares.inl"
#include "aead/chacha20_poly1305.inl"
#include "aead/chacha20_mask.inl"
// clang-format on

}  // namespace lockstep::kernels::portable
