#include <openssl/evp.h>
#include <openssl/hmac.h>

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

}  // namespace lockstep::kernels::test::reference
