#include "parts.hpp"

#include <lockstep/best.hpp>

#ifdef LOCKSTEP_HAS_BOTAN
#include <lockstep/botan.hpp>
#endif
#ifdef LOCKSTEP_HAS_LIBCRYPTO
#include <lockstep/libcrypto.hpp>
#endif
#ifdef LOCKSTEP_HAS_MULTIBUFFER
#include <lockstep/multibuffer.hpp>
#endif
#ifdef LOCKSTEP_HAS_SODIUM
#include <lockstep/sodium.hpp>
#endif

namespace lockstep::best {

using ranking::Part;

const Parts& parts() {
  static const Parts made = [] {
    Parts all;
    [[maybe_unused]] const auto at = [&all](Part part) -> Provider& {
      return all.singles[static_cast<std::size_t>(part)];
    };
#ifdef LOCKSTEP_HAS_BOTAN
    at(Part::botan) = botan::provider();
#endif
#ifdef LOCKSTEP_HAS_LIBCRYPTO
    at(Part::libcrypto) = libcrypto::provider();
#endif
#ifdef LOCKSTEP_HAS_SODIUM
    at(Part::sodium) = sodium::provider();
#endif
#ifdef LOCKSTEP_HAS_MULTIBUFFER
    all.together = multibuffer::provider();
#endif
    return all;
  }();
  return made;
}

RandomSource& system_random() noexcept {
#if defined(LOCKSTEP_HAS_BOTAN)
  return botan::system_random();
#elif defined(LOCKSTEP_HAS_LIBCRYPTO)
  return libcrypto::system_random();
#else
  return sodium::system_random();
#endif
}

}  // namespace lockstep::best
