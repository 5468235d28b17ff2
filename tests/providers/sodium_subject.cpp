// The libsodium provider, and what it must list.

#include <array>

#include <gtest/gtest.h>

#include <lockstep/config.hpp>
#include <lockstep/kernels.hpp>
#include <lockstep/kernels_hash.hpp>
#include <lockstep/kernels_kem.hpp>
#include <lockstep/sodium.hpp>

#include "subject.hpp"

namespace lockstep::tests {

const Provider& subject() {
  static const Provider provider = sodium::provider();
  return provider;
}

RandomSource& system_random() { return sodium::system_random(); }

const Traits traits{.deterministic_ecdsa = true};

namespace {

static_assert(sodium::kCapabilities.has(NamedGroup::x25519) && sodium::kCapabilities.has(NamedGroup::mlkem768));
static_assert(!sodium::kCapabilities.has(KeyType::rsa));

TEST(Sodium, HasWhatItsTableSays) { expect_exactly(sodium::kCapabilities); }

TEST(Sodium, SufficesForEverySuiteOfTheDefaults) {
  for (const CipherSuite suite : {CipherSuite::tls_aes_128_gcm_sha256, CipherSuite::tls_aes_256_gcm_sha384,
                                  CipherSuite::tls_chacha20_poly1305_sha256})
    EXPECT_TRUE(subject().supports(suite)) << name(suite);
  EXPECT_EQ(subject().aeads.size(), kernels::available().size()) << "every kernel has its descriptor";
  EXPECT_EQ(subject().hashes.size(), 3 + kernels::available_hashes().size());
  EXPECT_EQ(subject().groups.size(), 1 + kernels::available_kems().size());
  EXPECT_TRUE(subject().supports(NamedGroup::x25519mlkem768)) << "the hybrid of the defaults";
  EXPECT_EQ(subject().fast_aes,
            kernels::best(kernels::Algorithm::aes_128_gcm).instruction_set != kernels::InstructionSet::portable);
  EXPECT_TRUE(ConfigBuilder::client(subject()).build());
  EXPECT_TRUE(ConfigBuilder::server(subject()).build());
}

TEST(Sodium, MissesAreAllListedByTheBuilder) {
  const auto config = ConfigBuilder::client(subject())
                          .suites({CipherSuite::tls_aes_128_ccm_sha256, CipherSuite::tls_aes_128_gcm_sha256})
                          .groups({NamedGroup::secp256r1, NamedGroup::x448, NamedGroup::x25519})
                          .schemes({SignatureScheme::rsa_pss_rsae_sha256, SignatureScheme::ed25519})
                          .schemes_cert({SignatureScheme::ecdsa_secp256r1_sha256, SignatureScheme::ed25519})
                          .build();
  ASSERT_FALSE(config);
  std::string missing;
  for (const ConfigProblem& problem : config.error()) {
    EXPECT_NE(problem.text.find("provider 'sodium' does not have"), std::string::npos) << problem.text;
    missing += problem.setting + ";";
  }
  EXPECT_EQ(missing, "suites;groups;groups;schemes;schemes_cert;");
}

TEST(Sodium, SystemRandomYieldsFreshBytes) {
  std::array<std::uint8_t, 32> one{}, two{};
  ASSERT_TRUE(sodium::system_random().fill(one));
  ASSERT_TRUE(sodium::system_random().fill(two));
  EXPECT_NE(one, two);
  EXPECT_TRUE(sodium::system_random().fill({}));
}

}  // namespace
}  // namespace lockstep::tests
