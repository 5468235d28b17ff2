// Where the product says that a secret comparison's outcome is public, and where it gets a signature from Botan. The
// linker puts these in the way (--wrap), and the kernels are compiled with LOCKSTEP_CHECK_HANDSHAKES: nothing of this
// is in the product.

#include <algorithm>
#include <vector>

#include <gtest/gtest.h>

#include <lockstep/bytes.hpp>

#include "constant_time/secrets.hpp"

namespace Botan {
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
  EXPECT_TRUE(std::ranges::any_of(signature, testing::is_secret)) << "not made with a secret key";
  testing::declassify(testing::Public::signature, signature);
  return signature;
}

namespace kernels {

bool watched_verdict(bool verdict) noexcept;
bool watched_verdict(bool verdict) noexcept {
  testing::declassify(testing::Public::tag_verdict, {reinterpret_cast<const std::uint8_t*>(&verdict), sizeof verdict});
  return verdict;
}

}  // namespace kernels
}  // namespace lockstep
