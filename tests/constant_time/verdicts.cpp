// Where the product says that a secret comparison's outcome is public, and where it gets a signature from Botan. The
// linker puts these in the way (--wrap), and the kernels are compiled with LOCKSTEP_CHECK_HANDSHAKES: nothing of this
// is in the product.

#include <algorithm>
#include <vector>

#include <botan/secmem.h>
#include <gtest/gtest.h>

#include <lockstep/bytes.hpp>
#include <lockstep/types.hpp>

#include "constant_time/secrets.hpp"

namespace Botan {
class PK_Decryptor;
class PK_Signer;
class RandomNumberGenerator;
}  // namespace Botan

namespace lockstep {

bool real_constant_time_equal(Bytes a, Bytes b) noexcept
    __asm__("__real__ZN8lockstep19constant_time_equalESt4spanIKhLm18446744073709551615EES2_");
bool watched_constant_time_equal(Bytes a, Bytes b) noexcept
    __asm__("__wrap__ZN8lockstep19constant_time_equalESt4spanIKhLm18446744073709551615EES2_");

bool watched_constant_time_equal(Bytes a, Bytes b) noexcept {
  const bool verdict = real_constant_time_equal(a, b);
  testing::declassify(testing::Public::comparison_verdict,
                      {reinterpret_cast<const std::uint8_t*>(&verdict), sizeof verdict});
  return verdict;
}

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

namespace record {

void watched_padding(Bytes additional_data, Bytes text, std::uint64_t& good, std::size_t& content_size) noexcept;
void watched_padding(Bytes additional_data, Bytes text, std::uint64_t& good, std::size_t& content_size) noexcept {
  const auto reveal = [](auto& value) {
    testing::declassify(testing::Public::record_length, {reinterpret_cast<const std::uint8_t*>(&value), sizeof value});
  };
  reveal(good);
  reveal(content_size);
  if (static_cast<ContentType>(additional_data[8]) != ContentType::application_data)
    testing::declassify(testing::Public::handshake_content, text);
}

}  // namespace record

namespace kernels {

bool watched_verdict(bool verdict) noexcept;
bool watched_verdict(bool verdict) noexcept {
  testing::declassify(testing::Public::tag_verdict, {reinterpret_cast<const std::uint8_t*>(&verdict), sizeof verdict});
  return verdict;
}

}  // namespace kernels
}  // namespace lockstep
