// AEADs: eight bytes that follow from key and nonce, over and over, as key stream, and a tag that follows from
// everything.

#include <array>
#include <cstring>
#include <new>

#include "descriptors.hpp"
#include "mixer.hpp"

namespace lockstep::fake {
namespace {

constexpr std::size_t kStreamSize = 8;

/// Of one record.
struct Keyed {
  Keyed(const void* context, const std::uint8_t* nonce) noexcept : mixer(0) {
    std::memcpy(&mixer, context, sizeof mixer);
    mixer.absorb({nonce, kAeadNonceSize});
    mixer.squeeze(stream);
  }
  void apply(MutableBytes text) const noexcept {
    for (std::size_t at = 0; at < text.size(); ++at) text[at] ^= stream[at % kStreamSize];
  }
  void tag(Bytes aad, Bytes ciphertext, MutableBytes out) noexcept {
    mixer.absorb_whole(aad);
    mixer.absorb(ciphertext);
    mixer.squeeze(out);
  }

  Mixer mixer;
  std::array<std::uint8_t, kStreamSize> stream{};
};

template <AeadAlgorithm id, std::size_t key_size, std::size_t tag_size>
struct Fake {
  static bool init(void* context, Bytes key) noexcept {
    if (key.size() != key_size) return false;
    Mixer mixer(static_cast<std::uint64_t>(id));
    mixer.absorb(key);
    std::memcpy(context, &mixer, sizeof mixer);
    return true;
  }

  static bool seal(void* context, std::span<const SealJob> jobs) noexcept {
    for (const SealJob& job : jobs) {
      std::size_t size = 0;
      const auto append = [&](Bytes text) {
        if (!text.empty()) std::memmove(job.destination + size, text.data(), text.size());
        size += text.size();
      };
      for (const Bytes segment : job.source) append(segment);
      append(job.tail);
      Keyed keyed(context, job.nonce);
      keyed.apply({job.destination, size});
      keyed.tag(job.aad, {job.destination, size}, {job.destination + size, tag_size});
    }
    return true;
  }

  static bool open(void* context, std::span<OpenJob> jobs) noexcept {
    bool all = true;
    for (OpenJob& job : jobs) {
      job.ok = open_one(context, job);
      all = all && job.ok;
    }
    return all;
  }

  static bool open_one(const void* context, const OpenJob& job) noexcept {
    if (job.source.size() < tag_size) return false;
    const Bytes ciphertext = job.source.first(job.source.size() - tag_size);
    Keyed keyed(context, job.nonce);
    std::array<std::uint8_t, tag_size> expected;
    keyed.tag(job.aad, ciphertext, expected);
    const MutableBytes destination{job.destination, ciphertext.size()};
    if (!constant_time_equal(expected, job.source.last(tag_size))) {
      wipe(destination);
      return false;
    }
    if (!ciphertext.empty()) std::memmove(destination.data(), ciphertext.data(), ciphertext.size());
    keyed.apply(destination);
    return true;
  }

  static void destroy(void* context) noexcept { wipe({static_cast<std::uint8_t*>(context), sizeof(Mixer)}); }

  static constexpr Aead kDescriptor{id,   kImplementation, key_size, tag_size, sizeof(Mixer), init, seal,
                                    open, destroy,         kInsecure};
};

constexpr std::array kAeads{
    Fake<AeadAlgorithm::aes_128_gcm, 16, 16>::kDescriptor,       Fake<AeadAlgorithm::aes_256_gcm, 32, 16>::kDescriptor,
    Fake<AeadAlgorithm::chacha20_poly1305, 32, 16>::kDescriptor, Fake<AeadAlgorithm::aes_128_ccm, 16, 16>::kDescriptor,
    Fake<AeadAlgorithm::aes_128_ccm_8, 16, 8>::kDescriptor,      Fake<AeadAlgorithm::aes_256_ccm, 32, 16>::kDescriptor,
    Fake<AeadAlgorithm::aes_256_ccm_8, 32, 8>::kDescriptor,
};

}  // namespace

std::vector<const Aead*> aeads() { return pointers(kAeads); }

}  // namespace lockstep::fake
