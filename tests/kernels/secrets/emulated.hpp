#pragma once
// The kernels' vectorised texts on the emulated vector layer, by the number of lanes: 1 stands for the 128-bit
// instruction sets, 2 for the 256-bit and 4 for the 512-bit ones.

#include <lockstep/kernels.hpp>
#include <lockstep/kernels_hash.hpp>
#include <lockstep/kernels_kem.hpp>
#include <lockstep/kernels_mac.hpp>

namespace lockstep::kernels {

#define LOCKSTEP_EMULATED(lanes)         \
  namespace emulated_gcm_##lanes {       \
    extern const Aead kAes128Gcm;        \
    extern const Aead kAes256Gcm;        \
    extern const Mask kAes128Mask;       \
    extern const Mask kAes256Mask;       \
  }                                      \
  namespace emulated_chacha_##lanes {    \
    extern const Aead kChaCha20Poly1305; \
    extern const Mask kChaCha20Mask;     \
  }
LOCKSTEP_EMULATED(1)
LOCKSTEP_EMULATED(2)
LOCKSTEP_EMULATED(4)
#undef LOCKSTEP_EMULATED
namespace emulated_sha_1 {
extern const Hash kSha256;
extern const Mac kHmacSha1;
extern const Mac kHmacSha256;
}  // namespace emulated_sha_1
namespace emulated_sha_2 {
extern const Hash kSha384;
extern const Hash kSha512;
extern const Mac kHmacSha384;
}  // namespace emulated_sha_2
namespace emulated_kem_16 {
extern const Kem kMlKem512;
extern const Kem kMlKem768;
extern const Kem kMlKem1024;
}  // namespace emulated_kem_16
namespace emulated_kem_32 {
extern const Kem kMlKem512;
extern const Kem kMlKem768;
extern const Kem kMlKem1024;
}  // namespace emulated_kem_32

}  // namespace lockstep::kernels
