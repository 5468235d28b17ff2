// AES in CBC mode on Botan's, for TLS 1.2. What a context holds is made for the direction of its first record.

#include <array>
#include <new>

#include <botan/cipher_mode.h>

#include "context.hpp"
#include "descriptors.hpp"

namespace lockstep::botan {
namespace {

struct Mode {
  CbcAlgorithm id;
  std::string_view name;
  std::size_t key_size;
};

constexpr std::array kModes{
    Mode{CbcAlgorithm::aes_128_cbc, "AES-128/CBC/NoPadding", 16},
    Mode{CbcAlgorithm::aes_256_cbc, "AES-256/CBC/NoPadding", 32},
};

class CbcKey {
 public:
  CbcKey(const Mode& mode, Bytes key) : mode_(mode), key_(key.begin(), key.end()) {}

  void process(Botan::Cipher_Dir direction, Bytes iv, MutableBytes blocks) {
    std::unique_ptr<Botan::Cipher_Mode>& cipher =
        direction == Botan::Cipher_Dir::Encryption ? encrypting_ : decrypting_;
    if (!cipher) {
      auto made = Botan::Cipher_Mode::create_or_throw(mode_.name, direction);
      made->set_key(key_);
      cipher = std::move(made);
    }
    cipher->start(iv.data(), iv.size());
    cipher->process(blocks);
  }

 private:
  const Mode& mode_;
  Botan::secure_vector<std::uint8_t> key_;
  std::unique_ptr<Botan::Cipher_Mode> encrypting_;
  std::unique_ptr<Botan::Cipher_Mode> decrypting_;
};

template <std::size_t mode>
bool init(void* context, Bytes key) noexcept {
  try {
    if (key.size() != kModes[mode].key_size) return false;
    hold(context, std::make_unique<CbcKey>(kModes[mode], key));
    return true;
  } catch (...) {
    return false;
  }
}

template <Botan::Cipher_Dir direction>
bool process(void* context, Bytes iv, MutableBytes blocks) noexcept {
  try {
    if (iv.size() != kCbcBlockSize || blocks.size() % kCbcBlockSize != 0) return false;
    held<CbcKey>(context)->process(direction, iv, blocks);
    return true;
  } catch (...) {
    return false;
  }
}

template <std::size_t mode>
constexpr CbcCipher descriptor() {
  return {kModes[mode].id,
          kImplementation,
          kModes[mode].key_size,
          kCbcBlockSize,
          sizeof(CbcKey*),
          init<mode>,
          process<Botan::Cipher_Dir::Encryption>,
          process<Botan::Cipher_Dir::Decryption>,
          drop<CbcKey>};
}

constexpr std::array kCiphers{descriptor<0>(), descriptor<1>()};

}  // namespace

std::vector<const CbcCipher*> cbc_ciphers() { return pointers(kCiphers); }

}  // namespace lockstep::botan
