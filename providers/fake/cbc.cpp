// CBC, whose key stream follows from the key and whose chaining is the real one, and MACs that follow from everything.

#include <array>
#include <cstring>

#include "descriptors.hpp"
#include "mixer.hpp"

namespace lockstep::fake {
namespace {

using Block = std::array<std::uint8_t, kCbcBlockSize>;

template <CbcAlgorithm id, std::size_t key_size>
struct FakeCipher {
  static bool init(void* context, Bytes key) noexcept {
    if (key.size() != key_size) return false;
    Mixer mixer(0xcbc0 + static_cast<std::uint64_t>(id));
    mixer.absorb(key);
    Block stream;
    mixer.squeeze(stream);
    std::ranges::copy(stream, static_cast<std::uint8_t*>(context));
    return true;
  }
  static bool encrypt(void* context, Bytes iv, MutableBytes blocks) noexcept {
    return each_block(iv, blocks, [&](Bytes previous, MutableBytes block) {
      apply(context, previous, block);
      return Bytes(block);
    });
  }
  static bool decrypt(void* context, Bytes iv, MutableBytes blocks) noexcept {
    Block ciphertext;
    Block kept;
    return each_block(iv, blocks, [&](Bytes previous, MutableBytes block) {
      std::ranges::copy(block, kept.begin());
      apply(context, previous, block);
      ciphertext = kept;
      return Bytes(ciphertext);
    });
  }
  static void destroy(void* context) noexcept { wipe({static_cast<std::uint8_t*>(context), kCbcBlockSize}); }

  /// `process` gives the ciphertext of its block.
  template <class Process>
  static bool each_block(Bytes iv, MutableBytes blocks, Process process) noexcept {
    if (iv.size() != kCbcBlockSize || blocks.size() % kCbcBlockSize != 0) return false;
    for (Bytes previous = iv; !blocks.empty(); blocks = blocks.subspan(kCbcBlockSize))
      previous = process(previous, blocks.first(kCbcBlockSize));
    return true;
  }
  static void apply(const void* context, Bytes previous, MutableBytes block) noexcept {
    const auto* const stream = static_cast<const std::uint8_t*>(context);
    for (std::size_t i = 0; i < kCbcBlockSize; ++i)
      block[i] = static_cast<std::uint8_t>(block[i] ^ stream[i] ^ previous[i]);
  }

  static constexpr CbcCipher kDescriptor{id,   kImplementation, key_size, kCbcBlockSize, kCbcBlockSize,
                                         init, encrypt,         decrypt,  destroy,       kInsecure};
};

constexpr std::array kCiphers{FakeCipher<CbcAlgorithm::aes_128_cbc, 16>::kDescriptor,
                              FakeCipher<CbcAlgorithm::aes_256_cbc, 32>::kDescriptor};

template <MacAlgorithm id, std::size_t mac_size>
struct FakeMac {
  static bool mac(Bytes key, std::span<const Bytes> segments, MutableBytes out) noexcept {
    if (key.size() != mac_size || out.size() != mac_size) return false;
    Mixer mixer(0x3ac0 + static_cast<std::uint64_t>(id));
    mixer.absorb(key);
    for (const Bytes segment : segments) mixer.absorb(segment);
    mixer.squeeze(out);
    return true;
  }
  static bool mac_of_secret_length(Bytes key, Bytes header, Bytes content_then_padding, std::size_t secret_length,
                                   MutableBytes out) noexcept {
    const std::array<Bytes, 2> segments{header, content_then_padding.first(secret_length)};
    return mac(key, segments, out);
  }

  static constexpr RecordMac kDescriptor{id, kImplementation, mac_size, mac_size, mac, mac_of_secret_length, kInsecure};
};

constexpr std::array kMacs{FakeMac<MacAlgorithm::hmac_sha1, 20>::kDescriptor,
                           FakeMac<MacAlgorithm::hmac_sha256, 32>::kDescriptor,
                           FakeMac<MacAlgorithm::hmac_sha384, 48>::kDescriptor};

}  // namespace

std::vector<const CbcCipher*> cbc_ciphers() { return pointers(kCiphers); }

std::vector<const RecordMac*> record_macs() { return pointers(kMacs); }

}  // namespace lockstep::fake
