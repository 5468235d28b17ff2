// Masks of record and packet numbers on EVP: a block of AES, or the key stream of ChaCha20 from the block and with the
// nonce that a sample is. For a library context of the application's, which gets nothing of ours.

#include <array>
#include <new>

#include "descriptors.hpp"

namespace lockstep::libcrypto {
namespace {

struct Mode {
  MaskAlgorithm id;
  const char* name;
  std::size_t key_size;
  bool from_sample;  ///< the sample is the initial value, not the text
};
constexpr std::array kModes{
    Mode{MaskAlgorithm::aes_128, "AES-128-ECB", 16, false},
    Mode{MaskAlgorithm::aes_256, "AES-256-ECB", 32, false},
    Mode{MaskAlgorithm::chacha20, "ChaCha20", 32, true},
};

template <std::size_t number>
Owned<EVP_CIPHER, EVP_CIPHER_free> fetched(const Mode& mode) noexcept {
  const Library& in = library<number>();
  return Owned<EVP_CIPHER, EVP_CIPHER_free>(EVP_CIPHER_fetch(in.context, mode.name, in.query()));
}

template <std::size_t number, std::size_t mode>
bool init(void* context, Bytes key) noexcept {
  const Quiet quiet;
  if (key.size() != kModes[mode].key_size) return false;
  const auto cipher = fetched<number>(kModes[mode]);
  CipherContext made(EVP_CIPHER_CTX_new());
  if (!cipher || !made || EVP_EncryptInit_ex2(made.get(), cipher.get(), key.data(), nullptr, nullptr) <= 0 ||
      EVP_CIPHER_CTX_set_padding(made.get(), 0) <= 0)
    return false;
  hold(context, made.release());
  return true;
}

bool compute_one(EVP_CIPHER_CTX* context, bool from_sample, const MaskJob& job) noexcept {
  constexpr std::array<std::uint8_t, kMaxMaskSize> kZeros{};
  std::array<std::uint8_t, kMaxMaskSize> block;
  if (job.mask.size() > block.size()) return false;
  if (from_sample && EVP_EncryptInit_ex2(context, nullptr, nullptr, job.sample, nullptr) <= 0) return false;
  int written = 0;
  const bool done = EVP_EncryptUpdate(context, block.data(), &written, from_sample ? kZeros.data() : job.sample,
                                      static_cast<int>(block.size())) > 0;
  std::ranges::copy(Bytes(block).first(job.mask.size()), job.mask.begin());
  wipe(block);
  return done;
}

template <std::size_t mode>
bool compute(void* context, std::span<const MaskJob> jobs) noexcept {
  const Quiet quiet;
  EVP_CIPHER_CTX* const key = held<EVP_CIPHER_CTX>(context);
  return std::ranges::all_of(jobs, [&](const MaskJob& job) { return compute_one(key, kModes[mode].from_sample, job); });
}

void destroy(void* context) noexcept {
  EVP_CIPHER_CTX_free(held<EVP_CIPHER_CTX>(context));
  std::memset(context, 0, sizeof(EVP_CIPHER_CTX*));
}

template <std::size_t number>
std::span<const Mask> table() {
  static constexpr auto kMasks = []<std::size_t... mode>(std::index_sequence<mode...>) {
    return std::array{Mask{kModes[mode].id, kImplementation, kModes[mode].key_size, sizeof(EVP_CIPHER_CTX*),
                           init<number, mode>, compute<mode>, destroy}...};
  }(std::make_index_sequence<kModes.size()>());
  return kMasks;
}

}  // namespace

std::vector<const Mask*> masks(std::size_t library) {
  const Quiet quiet;
  return of_library(library, []<std::size_t number>() {
    return pointers(table<number>(), [](const Mask& mask) {
      return fetched<number>(*std::ranges::find(kModes, mask.id, &Mode::id)) != nullptr;
    });
  });
}

}  // namespace lockstep::libcrypto
