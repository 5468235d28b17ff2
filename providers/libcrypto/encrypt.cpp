// Encryption of a secret to an RSA key.

#include <array>

#include <openssl/rsa.h>

#include "common/key_info.hpp"
#include "descriptors.hpp"
#include "public_key.hpp"
#include "random.hpp"

namespace lockstep::libcrypto {
namespace {

template <std::size_t number>
std::size_t encrypt(Bytes subject_public_key_info, Bytes secret, RandomSource& random, MutableBytes out) noexcept {
  const auto info = key_info::read_public(subject_public_key_info);
  const auto stated = info ? key_info::read_algorithm(info->algorithm_identifier) : std::nullopt;
  if (!stated || stated->type != KeyType::rsa) return 0;
  const Quiet quiet;
  const Drawing drawing(random);
  const Key key = make_public_key(library<number>(), KeyType::rsa, info->bits);
  const KeyContext context = key ? library<number>().with(key.get()) : nullptr;
  if (!context || EVP_PKEY_encrypt_init(context.get()) <= 0 ||
      EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_PADDING) <= 0)
    return 0;
  std::size_t size = out.size();
  return EVP_PKEY_encrypt(context.get(), out.data(), &size, secret.data(), secret.size()) > 0 ? size : 0;
}

template <std::size_t number>
constexpr std::array kEncryptors{KeyEncryptor{KeyType::rsa, kImplementation, encrypt<number>}};

}  // namespace

std::vector<const KeyEncryptor*> key_encryptors(std::size_t library) {
  const Quiet quiet;
  return of_library(library, []<std::size_t number>() {
    return pointers(std::span<const KeyEncryptor>(kEncryptors<number>),
                    [](const KeyEncryptor&) { return libcrypto::library<number>().named("RSA") != nullptr; });
  });
}

}  // namespace lockstep::libcrypto
