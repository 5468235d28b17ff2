#include <array>
#include <cstdio>

#include <crypto_mb/cpu_features.h>
#include <crypto_mb/version.h>

#include <lockstep/multibuffer.hpp>

#include "descriptors.hpp"
#include "lanes.hpp"

namespace lockstep::multibuffer {

bool available() noexcept {
  // 0: it finds out what this processor has.
  static const bool applicable = mbx_is_crypto_mb_applicable(0) != 0;
  return applicable;
}

Provider provider() {
  if (!available()) return {.name = kImplementation};
  return {.name = kImplementation, .groups = groups(), .verifiers = verifiers(), .key_loaders = key_loaders()};
}

std::string_view library_version() noexcept {
  static const auto text = [] {
    std::array<char, 32> digits{};
    const mbxVersion* const version = mbx_getversion();
    std::snprintf(digits.data(), digits.size(), "%d.%d.%d", version->major, version->minor, version->revision);
    return digits;
  }();
  return text.data();
}

}  // namespace lockstep::multibuffer
