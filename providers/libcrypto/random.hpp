#pragma once
// The caller's random source as libcrypto wants to see it: a generator of our own in our library context.

#include <openssl/types.h>

#include <lockstep/provider.hpp>

namespace lockstep::libcrypto {

/// Whatever our library context draws in this thread, while this lives, comes from the source, and fails when the
/// source does. Without one it comes from the operating system: blinding of private operations, which changes no
/// result.
class Drawing {
 public:
  explicit Drawing(RandomSource& source) noexcept;
  Drawing(const Drawing&) = delete;
  Drawing& operator=(const Drawing&) = delete;
  ~Drawing();

 private:
  RandomSource* before_;
};

/// Makes a new library context draw so. False when memory runs out.
[[nodiscard]] bool draw_from_source(OSSL_LIB_CTX* context) noexcept;

}  // namespace lockstep::libcrypto
