// AEADs on EVP. A context serves one direction: it is prepared at the first record and kept, so that records after it
// allocate nothing.

#include <array>
#include <new>

#include "descriptors.hpp"

namespace lockstep::libcrypto {
namespace {

struct Mode {
  AeadAlgorithm id;
  const char* name;
  std::size_t key_size;
  std::size_t tag_size;
  bool ccm;  ///< wants to know sizes first, and the whole message at once
};

constexpr std::array kModes{
    Mode{AeadAlgorithm::aes_128_gcm, "AES-128-GCM", 16, 16, false},
    Mode{AeadAlgorithm::aes_256_gcm, "AES-256-GCM", 32, 16, false},
    Mode{AeadAlgorithm::chacha20_poly1305, "ChaCha20-Poly1305", 32, 16, false},
    Mode{AeadAlgorithm::aes_128_ccm, "AES-128-CCM", 16, 16, true},
    Mode{AeadAlgorithm::aes_128_ccm_8, "AES-128-CCM", 16, 8, true},
    Mode{AeadAlgorithm::aes_256_ccm, "AES-256-CCM", 32, 16, true},
    Mode{AeadAlgorithm::aes_256_ccm_8, "AES-256-CCM", 32, 8, true},
};

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
  if (!job.tail.empty()) std::memcpy(to, job.tail.data(), job.tail.size());
}

class RecordKey {
 public:
  RecordKey(const Library& library, const Mode& mode) noexcept
      : mode_(mode), cipher_(EVP_CIPHER_fetch(library.context, mode.name, library.query())) {}
  ~RecordKey() { wipe(key_); }
  RecordKey(const RecordKey&) = delete;
  RecordKey& operator=(const RecordKey&) = delete;

  [[nodiscard]] bool take(Bytes key) noexcept {
    if (!cipher_ || key.size() != mode_.key_size) return false;
    std::ranges::copy(key, key_.begin());
    return true;
  }
  [[nodiscard]] std::size_t tag_size() const noexcept { return mode_.tag_size; }

  [[nodiscard]] bool seal(const SealJob& job) noexcept {
    gather(job);
    const std::size_t size = plaintext_size(job);
    EVP_CIPHER_CTX* const context = prepared(sealing_, true);
    return process(context, job.nonce, job.aad, job.destination, size, nullptr) &&
           EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, static_cast<int>(mode_.tag_size),
                               job.destination + size) > 0;
  }
  /// False when the tag is wrong, as on any other failure. `source` holds a tag at least.
  [[nodiscard]] bool open(const OpenJob& job) noexcept {
    const std::size_t size = job.source.size() - mode_.tag_size;
    if (size != 0 && job.source.data() != job.destination) std::memmove(job.destination, job.source.data(), size);
    return process(prepared(opening_, false), job.nonce, job.aad, job.destination, size, job.source.data() + size);
  }

 private:
  /// The context of a direction, with everything but what is a record's own.
  EVP_CIPHER_CTX* prepared(CipherContext& kept, bool seals) noexcept {
    if (kept) return kept.get();
    CipherContext made(EVP_CIPHER_CTX_new());
    const int encrypts = seals ? 1 : 0;
    // CCM wants to know the size of its tag before its key.
    if (!made || EVP_CipherInit_ex2(made.get(), cipher_.get(), nullptr, nullptr, encrypts, nullptr) <= 0 ||
        EVP_CIPHER_CTX_ctrl(made.get(), EVP_CTRL_AEAD_SET_IVLEN, kAeadNonceSize, nullptr) <= 0 ||
        (mode_.ccm &&
         EVP_CIPHER_CTX_ctrl(made.get(), EVP_CTRL_AEAD_SET_TAG, static_cast<int>(mode_.tag_size), nullptr) <= 0) ||
        EVP_CipherInit_ex2(made.get(), nullptr, key_.data(), nullptr, encrypts, nullptr) <= 0)
      return nullptr;
    kept = std::move(made);
    return kept.get();
  }

  /// In place. `tag`: that which is expected, or nothing.
  bool process(EVP_CIPHER_CTX* context, const std::uint8_t* nonce, Bytes aad, std::uint8_t* text, std::size_t size,
               const std::uint8_t* tag) noexcept {
    int written = 0;
    std::uint8_t nothing = 0;
    if (size == 0) text = &nothing;
    const auto whole = static_cast<int>(size);
    if (context == nullptr ||
        (tag != nullptr && EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, static_cast<int>(mode_.tag_size),
                                               const_cast<std::uint8_t*>(tag)) <= 0) ||
        EVP_CipherInit_ex2(context, nullptr, nullptr, nonce, -1, nullptr) <= 0 ||
        (mode_.ccm && EVP_CipherUpdate(context, nullptr, &written, nullptr, whole) <= 0) ||
        (!aad.empty() && EVP_CipherUpdate(context, nullptr, &written, aad.data(), static_cast<int>(aad.size())) <= 0))
      return false;
    // CCM makes or checks its tag here, and has no end.
    if (mode_.ccm) return EVP_CipherUpdate(context, text, &written, text, whole) > 0;
    return (size == 0 || EVP_CipherUpdate(context, text, &written, text, whole) > 0) &&
           EVP_CipherFinal_ex(context, &nothing, &written) > 0;
  }

  const Mode& mode_;
  Owned<EVP_CIPHER, EVP_CIPHER_free> cipher_;
  CipherContext sealing_;
  CipherContext opening_;
  std::array<std::uint8_t, kMaxAeadKeySize> key_{};
};

template <std::size_t number, std::size_t mode>
bool init(void* context, Bytes key) noexcept {
  const Quiet quiet;
  std::unique_ptr<RecordKey> made(new (std::nothrow) RecordKey(library<number>(), kModes[mode]));
  if (!made || !made->take(key)) return false;
  hold(context, made.release());
  return true;
}

bool seal(void* context, std::span<const SealJob> jobs) noexcept {
  const Quiet quiet;
  RecordKey& key = *held<RecordKey>(context);
  if (std::ranges::all_of(jobs, [&](const SealJob& job) { return key.seal(job); })) return true;
  for (const SealJob& job : jobs) wipe({job.destination, plaintext_size(job) + key.tag_size()});
  return false;
}

bool open(void* context, std::span<OpenJob> jobs) noexcept {
  const Quiet quiet;
  RecordKey& key = *held<RecordKey>(context);
  bool all = true;
  for (OpenJob& job : jobs) {
    job.failed = false;
    job.ok = job.source.size() >= key.tag_size() && key.open(job);
    if (!job.ok && job.source.size() >= key.tag_size()) wipe({job.destination, job.source.size() - key.tag_size()});
    all = all && job.ok;
  }
  return all;
}

void drop(void* context) noexcept {
  delete held<RecordKey>(context);
  std::memset(context, 0, sizeof(RecordKey*));
}

template <std::size_t number>
std::span<const Aead> table() {
  static constexpr auto kAeads = []<std::size_t... mode>(std::index_sequence<mode...>) {
    return std::array{Aead{kModes[mode].id, kImplementation, kModes[mode].key_size, kModes[mode].tag_size,
                           sizeof(RecordKey*), init<number, mode>, seal, open, drop}...};
  }(std::make_index_sequence<kModes.size()>());
  return kAeads;
}

}  // namespace

std::vector<const Aead*> aeads(std::size_t library) {
  const Quiet quiet;
  return of_library(library, []<std::size_t number>() {
    return pointers(table<number>(), [](const Aead& aead) {
      const Library& in = libcrypto::library<number>();
      const Mode& mode = *std::ranges::find(kModes, aead.id, &Mode::id);
      return Owned<EVP_CIPHER, EVP_CIPHER_free>(EVP_CIPHER_fetch(in.context, mode.name, in.query())) != nullptr;
    });
  });
}

}  // namespace lockstep::libcrypto
