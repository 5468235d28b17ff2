#include "encryption.hpp"

#include <array>

#include "common/key_info.hpp"
#include "descriptors.hpp"
#include "mixer.hpp"

namespace lockstep::fake {
namespace {

// A ciphertext is: random bytes, the size of the secret, the secret under a stream that follows from them and the key,
// bytes that fill the modulus, and a sum over all of it.
constexpr std::size_t kRandomSize = 8;
constexpr std::size_t kSumSize = 8;
constexpr std::size_t kAround = kRandomSize + 1 + kSumSize;

/// 0 for what is no RSA key.
std::size_t modulus_size(Bytes subject_public_key_info) noexcept {
  const auto info = key_info::read_public(subject_public_key_info);
  if (!info || key_info::type_of(info->algorithm_identifier) != KeyType::rsa) return 0;
  const auto numbers = der::read_whole(info->bits, der::kSequence);
  if (!numbers) return 0;
  const auto modulus = der::Reader(*numbers).read_unsigned();
  return modulus ? modulus->size() : 0;
}

Mixer mixer_of(Bytes subject_public_key_info, Bytes rest) noexcept {
  Mixer mixer(0xe5);
  mixer.absorb_whole(subject_public_key_info);
  mixer.absorb(rest);
  return mixer;
}

/// Both ways.
void apply_stream(Bytes subject_public_key_info, Bytes ciphertext, MutableBytes secret) noexcept {
  const Mixer mixer = mixer_of(subject_public_key_info, ciphertext.first(kRandomSize));
  std::array<std::uint8_t, 256> stream{};
  mixer.squeeze(stream);
  for (std::size_t i = 0; i < secret.size(); ++i) secret[i] ^= stream[i];
}

std::size_t encrypt(Bytes subject_public_key_info, Bytes secret, RandomSource& random, MutableBytes out) noexcept {
  const std::size_t size = modulus_size(subject_public_key_info);
  if (size > out.size() || size < kAround + secret.size() || secret.size() > 255) return 0;
  const MutableBytes ciphertext = out.first(size);
  std::ranges::fill(ciphertext, std::uint8_t{0x5a});
  if (!random.fill(ciphertext.first(kRandomSize))) return 0;
  ciphertext[kRandomSize] = static_cast<std::uint8_t>(secret.size());
  const MutableBytes place = ciphertext.subspan(kRandomSize + 1, secret.size());
  std::ranges::copy(secret, place.begin());
  apply_stream(subject_public_key_info, ciphertext, place);
  mixer_of(subject_public_key_info, ciphertext.first(size - kSumSize)).squeeze(ciphertext.last(kSumSize));
  return size;
}

constexpr std::array kEncryptors{KeyEncryptor{KeyType::rsa, kImplementation, encrypt, kInsecure}};

}  // namespace

bool decrypt(Bytes subject_public_key_info, Bytes ciphertext, RandomSource& random, MutableBytes out) noexcept {
  const std::size_t size = modulus_size(subject_public_key_info);
  if (size < kAround + out.size()) return false;
  std::array<std::uint8_t, kSumSize> sum{};
  if (ciphertext.size() == size) mixer_of(subject_public_key_info, ciphertext.first(size - kSumSize)).squeeze(sum);
  if (ciphertext.size() != size || !equal(sum, ciphertext.last(kSumSize)) || ciphertext[kRandomSize] != out.size())
    return random.fill(out);
  std::ranges::copy(ciphertext.subspan(kRandomSize + 1, out.size()), out.begin());
  apply_stream(subject_public_key_info, ciphertext, out);
  return true;
}

std::vector<const KeyEncryptor*> key_encryptors() { return pointers(kEncryptors); }

}  // namespace lockstep::fake
