// The libcrypto provider in a library context that has OpenSSL's FIPS module and nothing else.

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <string>

#include <gtest/gtest.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/provider.h>

#include <lockstep/config.hpp>
#include <lockstep/libcrypto.hpp>

#include "subject.hpp"

namespace lockstep::tests {

namespace {

OSSL_LIB_CTX* fips_context() {
  // OpenSSL reads the module's checksum from a configuration, and where the module is from another place.
  const std::string path = ::testing::TempDir() + "lockstep-fips.cnf";
  std::ofstream(path) << "openssl_conf = start\n[start]\nproviders = providers\n"
                      << "[providers]\nfips = fips_sect\nbase = base_sect\n[base_sect]\nactivate = 1\n"
                      << std::ifstream(LOCKSTEP_FIPS_CONFIG).rdbuf();
  OSSL_LIB_CTX* const context = OSSL_LIB_CTX_new();
  if (OSSL_PROVIDER_set_default_search_path(context, LOCKSTEP_FIPS_MODULES) <= 0 ||
      OSSL_LIB_CTX_load_config(context, path.c_str()) <= 0) {
    ERR_print_errors_fp(stderr);
    std::abort();
  }
  return context;
}

}  // namespace

const Provider& subject() {
  static const Provider provider = libcrypto::provider_in(fips_context(), "fips=yes");
  return provider;
}

RandomSource& system_random() { return libcrypto::system_random(); }

const Traits traits{.fips_module = true, .injectable_keys = false};

namespace {

// FIPS 140-3 IG and SP 800-186: no ChaCha20-Poly1305, no X25519 and X448 for key agreement.
TEST(Fips, HasWhatIsApproved) {
  EXPECT_NE(subject().aead(AeadAlgorithm::aes_128_gcm), nullptr);
  EXPECT_NE(subject().aead(AeadAlgorithm::aes_256_gcm), nullptr);
  EXPECT_EQ(subject().aead(AeadAlgorithm::chacha20_poly1305), nullptr);
  for (const NamedGroup group : {NamedGroup::secp256r1, NamedGroup::secp384r1, NamedGroup::secp521r1,
                                 NamedGroup::ffdhe2048, NamedGroup::mlkem768})
    EXPECT_NE(subject().group(group), nullptr) << name(group);
  for (const NamedGroup group : {NamedGroup::x25519, NamedGroup::x448, NamedGroup::brainpoolP256r1tls13})
    EXPECT_EQ(subject().group(group), nullptr) << name(group);
  EXPECT_NE(subject().mask(MaskAlgorithm::aes_128), nullptr);
  EXPECT_NE(subject().mask(MaskAlgorithm::aes_256), nullptr);
  EXPECT_EQ(subject().mask(MaskAlgorithm::chacha20), nullptr);
  for (const Mask* mask : subject().masks) EXPECT_EQ(mask->implementation, "libcrypto");
  for (const Aead* aead : subject().aeads) EXPECT_EQ(aead->implementation, "libcrypto");
  for (const Hash* hash : subject().hashes) EXPECT_EQ(hash->implementation, "libcrypto");
  for (const Group* group : subject().groups) EXPECT_EQ(group->implementation, "libcrypto");
  EXPECT_TRUE(ConfigBuilder::client(subject()).build());
  EXPECT_TRUE(ConfigBuilder::server(subject()).build());
}

// What we call approved is what OpenSSL's module does.
TEST(Fips, IsWhatTheProfileAdmits) {
  for (const CipherSuite suite : known_suites()) {
    // The module has AES-CBC, and decrypts with RSA.
    const SuiteParts made_of = *parts(suite);
    if (made_of.cbc || made_of.key_exchange == KeyExchangeMethod::rsa ||
        made_of.key_exchange == KeyExchangeMethod::rsa_psk)
      continue;
    EXPECT_EQ(subject().supports(suite), is_approved(suite)) << name(suite);
  }
  for (const NamedGroup group : known_groups()) {
    // ML-KEM's secret comes first, so that what the module lacks may follow.
    const bool beyond = group == NamedGroup::x25519mlkem768;
    EXPECT_EQ(subject().supports(group), is_approved(group) && !beyond) << name(group);
  }
  for (const SignatureScheme scheme : known_schemes()) {
    if (is_insecure(scheme)) continue;  // the module verifies what is old
    EXPECT_EQ(subject().supports(scheme), is_approved(scheme)) << name(scheme);
  }
  const auto config = ConfigBuilder::client(subject()).profile(Profile::fips).build();
  ASSERT_TRUE(config);
  EXPECT_EQ((*config)->settings().groups.front().id, NamedGroup::secp256r1mlkem768);
  EXPECT_TRUE((*config)->settings().speaks(ProtocolVersion::tls_1_2));
  EXPECT_TRUE(ConfigBuilder::server(subject()).profile(Profile::fips).build());
}

}  // namespace
}  // namespace lockstep::tests
