// What Botan returns: signatures, which are public, and secrets that it has decrypted. The linker puts these in the way
// (--wrap).

#include <algorithm>
#include <vector>

#include <botan/secmem.h>
#include <gtest/gtest.h>

#include "constant_time/secrets.hpp"

namespace Botan {
class PK_Decryptor;
class PK_Signer;
class RandomNumberGenerator;
}  // namespace Botan

namespace lockstep {

std::vector<std::uint8_t> real_signature(Botan::PK_Signer& signer, Botan::RandomNumberGenerator& random) __asm__(
    "__real__ZN5Botan9PK_Signer9signatureERNS_21RandomNumberGeneratorE");
std::vector<std::uint8_t> watched_signature(Botan::PK_Signer& signer, Botan::RandomNumberGenerator& random) __asm__(
    "__wrap__ZN5Botan9PK_Signer9signatureERNS_21RandomNumberGeneratorE");

/// ECDSA's has the length that its numbers happen to have.
std::vector<std::uint8_t> watched_signature(Botan::PK_Signer& signer, Botan::RandomNumberGenerator& random) {
  std::vector<std::uint8_t> signature = real_signature(signer, random);
  testing::declassify(testing::Public::signature,
                      {reinterpret_cast<const std::uint8_t*>(&signature), sizeof signature});
  EXPECT_TRUE(testing::uses_unmarked_key || std::ranges::any_of(signature, testing::is_secret))
      << "not made with a secret key";
  testing::declassify(testing::Public::signature, signature);
  return signature;
}

using Decrypted = std::vector<std::uint8_t, Botan::secure_allocator<std::uint8_t>>;
Decrypted real_decryption(
    const Botan::PK_Decryptor& decryptor, const std::uint8_t* ciphertext, std::size_t size, std::size_t expected_size,
    Botan::RandomNumberGenerator&
        random) __asm__("__real__ZNK5Botan12PK_Decryptor17decrypt_or_randomEPKhmmRNS_21RandomNumberGeneratorE");
Decrypted watched_decryption(
    const Botan::PK_Decryptor& decryptor, const std::uint8_t* ciphertext, std::size_t size, std::size_t expected_size,
    Botan::RandomNumberGenerator&
        random) __asm__("__wrap__ZNK5Botan12PK_Decryptor17decrypt_or_randomEPKhmmRNS_21RandomNumberGeneratorE");

/// What was decrypted is secret, and so is whether that could be done.
Decrypted watched_decryption(const Botan::PK_Decryptor& decryptor, const std::uint8_t* ciphertext, std::size_t size,
                             std::size_t expected_size, Botan::RandomNumberGenerator& random) {
  Decrypted secret = real_decryption(decryptor, ciphertext, size, expected_size, random);
  testing::hide(secret);
  return secret;
}

}  // namespace lockstep
