#include <array>
#include <cstring>

#include "common/hkdf.hpp"
#include "descriptors.hpp"
#include "mixer.hpp"

namespace lockstep::fake {
namespace {

template <HashAlgorithm id, std::size_t digest_size>
struct Fake {
  static bool init(void* context) noexcept {
    const Mixer mixer(static_cast<std::uint64_t>(id));
    std::memcpy(context, &mixer, sizeof mixer);
    return true;
  }
  static void update(void* context, Bytes data) noexcept {
    Mixer mixer(0);
    std::memcpy(&mixer, context, sizeof mixer);
    mixer.absorb(data);
    std::memcpy(context, &mixer, sizeof mixer);
  }
  static bool digest(const void* context, MutableBytes out) noexcept {
    if (out.size() != digest_size) return false;
    Mixer mixer(0);
    std::memcpy(&mixer, context, sizeof mixer);
    mixer.squeeze(out);
    return true;
  }
  static void destroy(void* context) noexcept { wipe({static_cast<std::uint8_t*>(context), sizeof(Mixer)}); }

  static bool hmac(Bytes key, std::span<const Bytes> segments, MutableBytes out) noexcept {
    if (out.size() != digest_size) return false;
    constexpr std::uint64_t kHmac = 0x10;
    Mixer mixer(kHmac + static_cast<std::uint64_t>(id));
    mixer.absorb_whole(key);
    for (const Bytes segment : segments) mixer.absorb(segment);
    mixer.squeeze(out);
    return true;
  }
  static bool expand(std::span<const ExpandJob> jobs) noexcept {
    return std::ranges::all_of(jobs, [](const ExpandJob& job) {
      return hkdf_expand(digest_size, job.info, job.out,
                         [&](std::span<const Bytes> segments, MutableBytes out) { hmac(job.secret, segments, out); });
    });
  }

  static constexpr Hash kDescriptor{id,     kImplementation, digest_size, sizeof(Mixer), init,     update,
                                    digest, destroy,         hmac,        expand,        kInsecure};
};

constexpr std::array kHashes{Fake<HashAlgorithm::sha256, 32>::kDescriptor, Fake<HashAlgorithm::sha384, 48>::kDescriptor,
                             Fake<HashAlgorithm::sha512, 64>::kDescriptor};

}  // namespace

std::vector<const Hash*> hashes() { return pointers(kHashes); }

}  // namespace lockstep::fake
