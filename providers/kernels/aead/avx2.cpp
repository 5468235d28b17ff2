#if defined(__x86_64__)
#include <new>

#include <immintrin.h>

#include "aead/aead.hpp"
#include "target.hpp"

LOCKSTEP_TARGET_BEGIN("avx2,bmi,bmi2")
namespace lockstep::kernels::avx2 {

inline constexpr InstructionSet kInstructionSet = InstructionSet::avx2;

// Each text uses those before it.
// clang-format off
#include "vectors/x86_128.inl"
#include "vectors/x86_256.inl"
#include "vectors/x86_words_256.inl"
#include "vectors/order.inl"
#define LOCKSTEP_MULX
#include "aead/wide.inl"
#include "aead/poly1305.inl"
#include "aead/poly1305_shares.inl"
#include "aead/chacha20_poly1305.inl"
#include "aead/chacha20_mask.inl"
// clang-format on

}  // namespace lockstep::kernels::avx2
LOCKSTEP_TARGET_END
#endif
