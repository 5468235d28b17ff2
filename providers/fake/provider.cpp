#include <lockstep/fake.hpp>

#include "descriptors.hpp"
#include "mixer.hpp"

namespace lockstep::fake {

Provider provider() {
  return {.name = kImplementation,
          .aeads = aeads(),
          .hashes = hashes(),
          .groups = groups(),
          .verifiers = verifiers(),
          .key_loaders = key_loaders(),
          .key_encryptors = key_encryptors(),
          .cbc_ciphers = cbc_ciphers(),
          .record_macs = record_macs(),
          .masks = masks()};
}

bool FakeRandom::fill(MutableBytes out) noexcept {
  std::uint64_t word = 0;
  for (std::size_t at = 0; at < out.size(); ++at) {
    if (at % 8 == 0) word = Mixer::mixed(state_ += 0x9e3779b97f4a7c15U);
    out[at] = static_cast<std::uint8_t>(word >> (8 * (at % 8)));
  }
  return true;
}

}  // namespace lockstep::fake
