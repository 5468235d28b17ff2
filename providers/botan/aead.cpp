// AEADs on Botan's modes. Botan binds a mode to a direction, and a record key serves one direction, so the mode is made
// at the first record and kept. Records after it allocate nothing, except what Botan's CCM allocates inside.

#include <algorithm>
#include <array>
#include <new>

#include <botan/aead.h>

#include "common/stack.hpp"
#include "context.hpp"
#include "descriptors.hpp"

namespace lockstep::botan {
namespace {

struct Mode {
  AeadAlgorithm id;
  std::string_view name;
  std::size_t key_size;
  std::size_t tag_size;
};

constexpr std::array kModes{
    Mode{AeadAlgorithm::aes_128_gcm, "AES-128/GCM", 16, 16},
    Mode{AeadAlgorithm::aes_256_gcm, "AES-256/GCM", 32, 16},
    Mode{AeadAlgorithm::chacha20_poly1305, "ChaCha20Poly1305", 32, 16},
    Mode{AeadAlgorithm::aes_128_ccm, "AES-128/CCM(16,3)", 16, 16},
    Mode{AeadAlgorithm::aes_128_ccm_8, "AES-128/CCM(8,3)", 16, 8},
    Mode{AeadAlgorithm::aes_256_ccm, "AES-256/CCM(16,3)", 32, 16},
    Mode{AeadAlgorithm::aes_256_ccm_8, "AES-256/CCM(8,3)", 32, 8},
};

/// The plaintext of a job.
std::size_t plaintext_size(const SealJob& job) noexcept {
  std::size_t size = job.tail.size();
  for (const Bytes segment : job.source) size += segment.size();
  return size;
}

/// Writes the plaintext to where the ciphertext will be.
void gather(const SealJob& job) noexcept {
  std::uint8_t* to = job.destination;
  for (const Bytes segment : job.source) {
    if (!segment.empty() && segment.data() != to) std::memmove(to, segment.data(), segment.size());
    to += segment.size();
  }
  std::ranges::copy(job.tail, to);
}

class RecordKey {
 public:
  RecordKey(const Mode& mode, Bytes key) : mode_(mode), key_(key.begin(), key.end()) {}

  void seal(const SealJob& job) {
    Botan::AEAD_Mode& mode = started(sealing_, Botan::Cipher_Dir::Encryption, job.nonce, job.aad);
    gather(job);
    const MutableBytes message(job.destination, plaintext_size(job));
    if (mode.requires_entire_message()) {
      const WipedStack wiped;  // Botan's CCM leaves the key there
      rest_.assign(message.begin(), message.end());
      mode.finish(rest_);
      std::ranges::copy(rest_, message.data());
    } else {
      mode.process(message);
      rest_.clear();
      mode.finish(rest_);
      std::ranges::copy(rest_, message.data() + message.size());
    }
  }

  /// Throws when the tag is wrong, as on any other failure. `source` holds a tag at least.
  void open(const OpenJob& job) {
    Botan::AEAD_Mode& mode = started(opening_, Botan::Cipher_Dir::Decryption, job.nonce, job.aad);
    const Bytes ciphertext = job.source.first(job.source.size() - mode_.tag_size);
    if (mode.requires_entire_message()) {
      const WipedStack wiped;  // Botan's CCM leaves the key there
      rest_.assign(job.source.begin(), job.source.end());
      mode.finish(rest_);
      std::ranges::copy(rest_, job.destination);
    } else {
      if (!ciphertext.empty() && ciphertext.data() != job.destination)
        std::memcpy(job.destination, ciphertext.data(), ciphertext.size());
      const Bytes tag = job.source.last(mode_.tag_size);
      mode.process(MutableBytes(job.destination, ciphertext.size()));
      rest_.assign(tag.begin(), tag.end());
      mode.finish(rest_);
    }
  }

  [[nodiscard]] std::size_t tag_size() const noexcept { return mode_.tag_size; }

 private:
  Botan::AEAD_Mode& started(std::unique_ptr<Botan::AEAD_Mode>& kept, Botan::Cipher_Dir direction,
                            const std::uint8_t* nonce, Bytes aad) {
    if (!kept) {
      auto made = Botan::AEAD_Mode::create_or_throw(mode_.name, direction);
      made->set_key(key_);
      kept = std::move(made);
    }
    kept->reset();  // of a record that failed
    kept->set_associated_data(aad);
    kept->start(nonce, kAeadNonceSize);
    return *kept;
  }

  const Mode& mode_;
  Botan::secure_vector<std::uint8_t> key_;
  std::unique_ptr<Botan::AEAD_Mode> sealing_;
  std::unique_ptr<Botan::AEAD_Mode> opening_;
  Botan::secure_vector<std::uint8_t> rest_;  ///< what `finish` takes and gives: the tag, or the whole message of CCM
};

template <std::size_t mode>
bool init(void* context, Bytes key) noexcept {
  try {
    if (key.size() != kModes[mode].key_size) return false;
    hold(context, std::make_unique<RecordKey>(kModes[mode], key));
    return true;
  } catch (...) {
    return false;
  }
}

bool seal(void* context, std::span<const SealJob> jobs) noexcept {
  RecordKey& key = *held<RecordKey>(context);
  try {
    for (const SealJob& job : jobs) key.seal(job);
    return true;
  } catch (...) {
    for (const SealJob& job : jobs) wipe({job.destination, plaintext_size(job) + key.tag_size()});
    return false;
  }
}

bool open(void* context, std::span<OpenJob> jobs) noexcept {
  RecordKey& key = *held<RecordKey>(context);
  bool all = true;
  for (OpenJob& job : jobs) {
    job.ok = job.failed = false;
    if (job.source.size() >= key.tag_size()) {
      try {
        key.open(job);
        job.ok = true;
      } catch (const std::bad_alloc&) {
        job.failed = true;
      } catch (...) {  // the tag is wrong
      }
      if (!job.ok) wipe({job.destination, job.source.size() - key.tag_size()});
    }
    all = all && job.ok;
  }
  return all;
}

template <std::size_t mode>
constexpr Aead descriptor() {
  const Mode& made_of = kModes[mode];
  return {made_of.id, kImplementation, made_of.key_size, made_of.tag_size, sizeof(RecordKey*), init<mode>, seal,
          open,       drop<RecordKey>};
}

constexpr std::array kAeads{descriptor<0>(), descriptor<1>(), descriptor<2>(), descriptor<3>(),
                            descriptor<4>(), descriptor<5>(), descriptor<6>()};
static_assert(kAeads.size() == kModes.size());

}  // namespace

std::vector<const Aead*> aeads() { return pointers(kAeads); }

}  // namespace lockstep::botan
