#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/params.h>

#include "reference.hpp"

namespace lockstep::kernels::test::reference {
namespace {

const EVP_MD* message_digest(HashAlgorithm algorithm) {
  static const std::array all{EVP_sha256(), EVP_sha384(), EVP_sha512()};
  return all[static_cast<std::size_t>(algorithm)];
}

}  // namespace

Bytes seal(Algorithm algorithm, const Bytes& key, const Bytes& nonce, const Bytes& aad, const Bytes& text) {
  static const std::array ciphers{EVP_aes_128_gcm(), EVP_aes_256_gcm(), EVP_chacha20_poly1305()};
  const std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)> context(EVP_CIPHER_CTX_new(),
                                                                                EVP_CIPHER_CTX_free);
  Bytes sealed(text.size() + kTagSize + 16);
  int size = 0;
  EXPECT_EQ(EVP_EncryptInit_ex(context.get(), ciphers[static_cast<std::size_t>(algorithm)], nullptr, key.data(),
                               nonce.data()),
            1);
  if (!aad.empty()) {
    EXPECT_EQ(EVP_EncryptUpdate(context.get(), nullptr, &size, aad.data(), static_cast<int>(aad.size())), 1);
  }
  if (!text.empty()) {
    EXPECT_EQ(EVP_EncryptUpdate(context.get(), sealed.data(), &size, text.data(), static_cast<int>(text.size())), 1);
  }
  EXPECT_EQ(EVP_EncryptFinal_ex(context.get(), sealed.data() + text.size(), &size), 1);
  EXPECT_EQ(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, kTagSize, sealed.data() + text.size()), 1);
  sealed.resize(text.size() + kTagSize);
  return sealed;
}

Bytes digest(HashAlgorithm algorithm, std::span<const std::uint8_t> message) {
  Bytes out(EVP_MAX_MD_SIZE);
  unsigned size = 0;
  EXPECT_EQ(EVP_Digest(message.data(), message.size(), out.data(), &size, message_digest(algorithm), nullptr), 1);
  out.resize(size);
  return out;
}

Bytes hmac(HashAlgorithm algorithm, std::span<const std::uint8_t> key, std::span<const std::uint8_t> message) {
  Bytes out(EVP_MAX_MD_SIZE);
  unsigned size = 0;
  // libcrypto takes a null key for none at all.
  const std::uint8_t nothing = 0;
  EXPECT_NE(HMAC(message_digest(algorithm), key.empty() ? &nothing : key.data(), static_cast<int>(key.size()),
                 message.data(), message.size(), out.data(), &size),
            nullptr);
  out.resize(size);
  return out;
}

Bytes sha3(Sha3Algorithm algorithm, std::span<const std::uint8_t> message, std::size_t size) {
  static const std::array digests{EVP_sha3_256(), EVP_sha3_512(), EVP_shake128(), EVP_shake256()};
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  Bytes out(size);
  EXPECT_EQ(EVP_DigestInit_ex(context.get(), digests[static_cast<std::size_t>(algorithm)], nullptr), 1);
  EXPECT_EQ(EVP_DigestUpdate(context.get(), message.data(), message.size()), 1);
  const bool extendable = algorithm == Sha3Algorithm::shake128 || algorithm == Sha3Algorithm::shake256;
  EXPECT_EQ(extendable ? EVP_DigestFinalXOF(context.get(), out.data(), size)
                       : EVP_DigestFinal_ex(context.get(), out.data(), nullptr),
            1);
  return out;
}

namespace {

using Pkey = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using PkeyContext = std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)>;

// libcrypto's names of a seed and of m.
OSSL_PARAM octets(const char* name, const Bytes& value) {
  return OSSL_PARAM_construct_octet_string(name, const_cast<std::uint8_t*>(value.data()), value.size());
}

Bytes decapsulate(EVP_PKEY* key, const Bytes& ciphertext) {
  const PkeyContext context(EVP_PKEY_CTX_new(key, nullptr), EVP_PKEY_CTX_free);
  Bytes secret(kKemSecretSize);
  std::size_t size = secret.size();
  EXPECT_EQ(EVP_PKEY_decapsulate_init(context.get(), nullptr), 1);
  EXPECT_EQ(EVP_PKEY_decapsulate(context.get(), secret.data(), &size, ciphertext.data(), ciphertext.size()), 1);
  return secret;
}

}  // namespace

std::optional<Encapsulation> encapsulation(KemAlgorithm algorithm, const Bytes& seed, const Bytes& coins,
                                           const Bytes& other_ciphertext) {
  static constexpr std::array kNames{"ML-KEM-512", "ML-KEM-768", "ML-KEM-1024"};
  const PkeyContext generation(
      EVP_PKEY_CTX_new_from_name(nullptr, kNames[static_cast<std::size_t>(algorithm)], nullptr), EVP_PKEY_CTX_free);
  if (generation == nullptr) return std::nullopt;
  const std::array seeded{octets("seed", seed), OSSL_PARAM_construct_end()};
  EVP_PKEY* made = nullptr;
  EXPECT_EQ(EVP_PKEY_keygen_init(generation.get()), 1);
  EXPECT_EQ(EVP_PKEY_CTX_set_params(generation.get(), seeded.data()), 1);
  EXPECT_EQ(EVP_PKEY_generate(generation.get(), &made), 1);
  const Pkey key(made, EVP_PKEY_free);

  Encapsulation result;
  std::size_t size = 0;
  EXPECT_EQ(EVP_PKEY_get_raw_public_key(key.get(), nullptr, &size), 1);
  result.encapsulation_key.resize(size);
  EXPECT_EQ(EVP_PKEY_get_raw_public_key(key.get(), result.encapsulation_key.data(), &size), 1);

  const PkeyContext context(EVP_PKEY_CTX_new(key.get(), nullptr), EVP_PKEY_CTX_free);
  const std::array drawn{octets("ikme", coins), OSSL_PARAM_construct_end()};
  result.ciphertext.resize(other_ciphertext.size());
  result.secret.resize(kKemSecretSize);
  std::size_t secret_size = kKemSecretSize;
  size = result.ciphertext.size();
  EXPECT_EQ(EVP_PKEY_encapsulate_init(context.get(), drawn.data()), 1);
  EXPECT_EQ(EVP_PKEY_encapsulate(context.get(), result.ciphertext.data(), &size, result.secret.data(), &secret_size),
            1);
  EXPECT_EQ(decapsulate(key.get(), result.ciphertext), result.secret);
  result.other_secret = decapsulate(key.get(), other_ciphertext);
  return result;
}

}  // namespace lockstep::kernels::test::reference
