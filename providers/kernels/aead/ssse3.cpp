#if defined(__x86_64__)
#include <new>

#include <immintrin.h>

#include "aead/aead.hpp"
#include "target.hpp"

LOCKSTEP_TARGET_BEGIN("ssse3")
namespace lockstep::kernels::ssse3 {

inline constexpr InstructionSet kInstructionSet = InstructionSet::ssse3;

// Each text uses those before it.
// clang-format off
#include "vectors/x86_128.inl"
#include "vectors/x86_words_128.inl"
#include "vectors/one_lane.inl"
#include "vectors/order.inl"
#include "aead/wide.inl"
#include "aead/poly1305.inl"
#include "aead/poly1305_shares.inl"
#include "aead/chacha20_poly1305.inl"
#include "aead/chacha20_mask.inl"
// clang-format on

}  // namespace lockstep::kernels::ssse3
LOCKSTEP_TARGET_END
#endif
