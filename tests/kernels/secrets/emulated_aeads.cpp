// Compiled once for each LOCKSTEP_EMULATED_LANES.
#include <new>

#include "aead/aead.hpp"
#include "emulated.hpp"
#include "target.hpp"

#define LOCKSTEP_JOIN(name, lanes) name##lanes
#define LOCKSTEP_WITH_LANES(name, lanes) LOCKSTEP_JOIN(name, lanes)
#define LOCKSTEP_GCM LOCKSTEP_WITH_LANES(emulated_gcm_, LOCKSTEP_EMULATED_LANES)
#define LOCKSTEP_CHACHA LOCKSTEP_WITH_LANES(emulated_chacha_, LOCKSTEP_EMULATED_LANES)

namespace lockstep::kernels::LOCKSTEP_GCM {

inline constexpr InstructionSet kInstructionSet = InstructionSet::portable;

// Each text uses those before it.
// clang-format off
#include "vectors/emulated.inl"
#include "vectors/order.inl"
#include "aead/aes_gcm.inl"
#include "aead/aes_mask.inl"
// clang-format on

}  // namespace lockstep::kernels::LOCKSTEP_GCM

namespace lockstep::kernels::LOCKSTEP_CHACHA {

inline constexpr InstructionSet kInstructionSet = InstructionSet::portable;

// clang-format off
#include "vectors/emulated.inl"
#include "vectors/order.inl"
#include "aead/wide.inl"
#include "aead/poly1305.inl"
#if LOCKSTEP_EMULATED_LANES == 4
#include "aead/poly1305_lanes.inl"
#else
#include "aead/poly1305_shares.inl"
#endif
#include "aead/chacha20_poly1305.inl"
#include "aead/chacha20_mask.inl"
// clang-format on

}  // namespace lockstep::kernels::LOCKSTEP_CHACHA
