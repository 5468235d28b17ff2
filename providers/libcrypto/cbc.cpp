// AES in CBC mode on EVP, for TLS 1.2.

#include <array>
#include <new>

#include "descriptors.hpp"

namespace lockstep::libcrypto {
namespace {

struct Mode {
  CbcAlgorithm id;
  const char* name;
  std::size_t key_size;
};
constexpr std::array kModes{
    Mode{CbcAlgorithm::aes_128_cbc, "AES-128-CBC", 16},
    Mode{CbcAlgorithm::aes_256_cbc, "AES-256-CBC", 32},
};

struct CbcKey {
  Owned<EVP_CIPHER, EVP_CIPHER_free> cipher;
  CipherContext context;
  std::array<std::uint8_t, kMaxCbcKeySize> key{};
  int direction = -1;  ///< that the key is prepared for

  CbcKey() noexcept = default;
  CbcKey(const CbcKey&) = delete;
  CbcKey& operator=(const CbcKey&) = delete;
  ~CbcKey() { wipe(key); }
};

template <std::size_t number, std::size_t mode>
bool init(void* context, Bytes key) noexcept {
  const Quiet quiet;
  const Library& in = library<number>();
  if (key.size() != kModes[mode].key_size) return false;
  std::unique_ptr<CbcKey> made(new (std::nothrow) CbcKey);
  if (!made) return false;
  made->cipher.reset(EVP_CIPHER_fetch(in.context, kModes[mode].name, in.query()));
  made->context.reset(EVP_CIPHER_CTX_new());
  if (!made->cipher || !made->context) return false;
  std::ranges::copy(key, made->key.begin());
  hold(context, made.release());
  return true;
}

template <int encrypts>
bool process(void* context, Bytes iv, MutableBytes blocks) noexcept {
  if (iv.size() != kCbcBlockSize || blocks.size() % kCbcBlockSize != 0) return false;
  const Quiet quiet;
  CbcKey& key = *held<CbcKey>(context);
  const bool fresh = key.direction != encrypts;
  key.direction = -1;
  int written = 0;
  if (EVP_CipherInit_ex2(key.context.get(), fresh ? key.cipher.get() : nullptr, fresh ? key.key.data() : nullptr,
                         iv.data(), encrypts, nullptr) <= 0 ||
      EVP_CIPHER_CTX_set_padding(key.context.get(), 0) <= 0 ||
      EVP_CipherUpdate(key.context.get(), blocks.data(), &written, blocks.data(), static_cast<int>(blocks.size())) <= 0)
    return false;
  key.direction = encrypts;
  return static_cast<std::size_t>(written) == blocks.size();
}

void drop(void* context) noexcept {
  delete held<CbcKey>(context);
  std::memset(context, 0, sizeof(CbcKey*));
}

template <std::size_t number>
std::span<const CbcCipher> table() {
  static constexpr auto kCiphers = []<std::size_t... mode>(std::index_sequence<mode...>) {
    return std::array{CbcCipher{kModes[mode].id, kImplementation, kModes[mode].key_size, kCbcBlockSize, sizeof(CbcKey*),
                                init<number, mode>, process<1>, process<0>, drop}...};
  }(std::make_index_sequence<kModes.size()>());
  return kCiphers;
}

}  // namespace

std::vector<const CbcCipher*> cbc_ciphers(std::size_t library) {
  const Quiet quiet;
  return of_library(library, []<std::size_t number>() {
    return pointers(table<number>(), [](const CbcCipher& cipher) {
      const Library& in = libcrypto::library<number>();
      const Mode& mode = *std::ranges::find(kModes, cipher.id, &Mode::id);
      return Owned<EVP_CIPHER, EVP_CIPHER_free>(EVP_CIPHER_fetch(in.context, mode.name, in.query())) != nullptr;
    });
  });
}

}  // namespace lockstep::libcrypto
