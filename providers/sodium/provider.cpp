#include <sodium.h>

#include <lockstep/kernel_provider.hpp>
#include <lockstep/sodium.hpp>

#include "descriptors.hpp"

namespace lockstep::sodium {
namespace {

/// libsodium chooses its implementations once, at its first use.
bool started() noexcept {
  static const bool result = sodium_init() >= 0;
  return result;
}

class SystemRandom final : public RandomSource {
 public:
  [[nodiscard]] bool fill(MutableBytes out) noexcept override {
    if (!started()) return false;
    if (!out.empty()) randombytes_buf(out.data(), out.size());
    return true;
  }
};

}  // namespace

Provider provider() {
  if (!started()) return {.name = kImplementation};
  return behind_kernels({.name = kImplementation,
                         .hashes = hashes(),
                         .groups = groups(),
                         .verifiers = verifiers(),
                         .key_loaders = key_loaders()});
}

RandomSource& system_random() noexcept {
  static SystemRandom source;  // holds nothing
  return source;
}

std::string_view library_version() noexcept { return sodium_version_string(); }

}  // namespace lockstep::sodium
