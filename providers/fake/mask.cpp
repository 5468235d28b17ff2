// Masks that follow from key and sample.

#include <array>
#include <cstring>

#include "descriptors.hpp"
#include "mixer.hpp"

namespace lockstep::fake {
namespace {

template <MaskAlgorithm id, std::size_t key_size>
struct FakeMask {
  static bool init(void* context, Bytes key) noexcept {
    if (key.size() != key_size) return false;
    Mixer mixer(0x3a50 + static_cast<std::uint64_t>(id));
    mixer.absorb(key);
    std::memcpy(context, &mixer, sizeof mixer);
    return true;
  }

  static bool compute(void* context, std::span<const MaskJob> jobs) noexcept {
    if (std::ranges::any_of(jobs, [](const MaskJob& job) { return job.mask.size() > kMaxMaskSize; })) return false;
    for (const MaskJob& job : jobs) {
      Mixer mixer(0);
      std::memcpy(&mixer, context, sizeof mixer);
      mixer.absorb({job.sample, kMaskSampleSize});
      mixer.squeeze(job.mask);
    }
    return true;
  }

  static void destroy(void* context) noexcept { wipe({static_cast<std::uint8_t*>(context), sizeof(Mixer)}); }

  static constexpr Mask kDescriptor{id, kImplementation, key_size, sizeof(Mixer), init, compute, destroy, kInsecure};
};

constexpr std::array kMasks{FakeMask<MaskAlgorithm::aes_128, 16>::kDescriptor,
                            FakeMask<MaskAlgorithm::aes_256, 32>::kDescriptor,
                            FakeMask<MaskAlgorithm::chacha20, 32>::kDescriptor};

}  // namespace

std::vector<const Mask*> masks() { return pointers(kMasks); }

}  // namespace lockstep::fake
