// Encryption of a secret to an RSA key.

#include <array>

#include <botan/pubkey.h>

#include "common/key_info.hpp"
#include "descriptors.hpp"
#include "public_key.hpp"
#include "random.hpp"

namespace lockstep::botan {
namespace {

std::size_t encrypt(Bytes subject_public_key_info, Bytes secret, RandomSource& random, MutableBytes out) noexcept {
  const auto info = key_info::read_public(subject_public_key_info);
  const auto stated = info ? key_info::read_algorithm(info->algorithm_identifier) : std::nullopt;
  if (!stated || stated->type != KeyType::rsa) return 0;
  try {
    const auto key = make_public_key(KeyType::rsa, info->bits);
    if (!key) return 0;
    SourceRng rng(random);
    const Botan::PK_Encryptor_EME encryptor(*key, rng, "PKCS1v15");
    const std::vector<std::uint8_t> encrypted = encryptor.encrypt(secret.data(), secret.size(), rng);
    if (encrypted.size() > out.size()) return 0;
    std::ranges::copy(encrypted, out.begin());
    return encrypted.size();
  } catch (...) {
    return 0;
  }
}

constexpr std::array kEncryptors{KeyEncryptor{KeyType::rsa, kImplementation, encrypt}};

}  // namespace

std::vector<const KeyEncryptor*> key_encryptors() { return pointers(kEncryptors); }

}  // namespace lockstep::botan
