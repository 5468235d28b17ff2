// What OpenSSL returns: signatures, which are public, and secrets that it has decrypted. The linker puts these in the
// way
// (--wrap).

#include <algorithm>

#include <gtest/gtest.h>
#include <openssl/types.h>

#include "constant_time/secrets.hpp"

extern "C" {

// NOLINTBEGIN(bugprone-reserved-identifier): the linker's names
int __real_EVP_DigestSign(EVP_MD_CTX* context, unsigned char* signature, std::size_t* size, const unsigned char* text,
                          std::size_t text_size);
int __wrap_EVP_DigestSign(EVP_MD_CTX* context, unsigned char* signature, std::size_t* size, const unsigned char* text,
                          std::size_t text_size);
int __real_EVP_PKEY_decrypt(EVP_PKEY_CTX* context, unsigned char* out, std::size_t* size,
                            const unsigned char* ciphertext, std::size_t ciphertext_size);
int __wrap_EVP_PKEY_decrypt(EVP_PKEY_CTX* context, unsigned char* out, std::size_t* size,
                            const unsigned char* ciphertext, std::size_t ciphertext_size);

/// ECDSA's has the length that its numbers happen to have.
int __wrap_EVP_DigestSign(EVP_MD_CTX* context, unsigned char* signature, std::size_t* size, const unsigned char* text,
                          std::size_t text_size) {
  using namespace lockstep::testing;
  const int made = __real_EVP_DigestSign(context, signature, size, text, text_size);
  declassify(Public::signature, {reinterpret_cast<const std::uint8_t*>(size), sizeof *size});
  if (made <= 0) return made;
  EXPECT_TRUE(uses_unmarked_key || std::ranges::any_of(signature, signature + *size, is_secret))
      << "not made with a secret key";
  declassify(Public::signature, {signature, *size});
  return made;
}

/// What was decrypted is secret; that it could be, without padding, is a matter of the number's size alone.
int __wrap_EVP_PKEY_decrypt(EVP_PKEY_CTX* context, unsigned char* out, std::size_t* size,
                            const unsigned char* ciphertext, std::size_t ciphertext_size) {
  const int done = __real_EVP_PKEY_decrypt(context, out, size, ciphertext, ciphertext_size);
  if (done > 0) lockstep::testing::hide({out, *size});
  return done;
}
// NOLINTEND(bugprone-reserved-identifier)

}  // extern "C"
