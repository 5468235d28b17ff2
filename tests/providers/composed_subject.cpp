// A composition: libsodium's key exchange and signatures, Botan for everything else.

#include <gtest/gtest.h>

#include <lockstep/botan.hpp>
#include <lockstep/sodium.hpp>

#include "subject.hpp"

namespace lockstep::tests {
namespace {

Provider make_composition() {
  const Provider small = sodium::provider();
  const Provider curves{
      .name = "curves", .groups = small.groups, .verifiers = small.verifiers, .key_loaders = small.key_loaders};
  return compose("sodium and botan", {curves, botan::provider()});
}

}  // namespace

const Provider& subject() {
  static const Provider provider = make_composition();
  return provider;
}

RandomSource& system_random() { return botan::system_random(); }

const Traits traits{.deterministic_ecdsa = true};

namespace {

TEST(Composition, TakesTheFirstOfEachId) {
  EXPECT_EQ(subject().name, "sodium and botan");
  EXPECT_EQ(subject().group(NamedGroup::x25519)->implementation, "sodium");
  EXPECT_EQ(subject().verifier(SignatureAlgorithm::ed25519, KeyType::ed25519)->implementation, "sodium");
  EXPECT_EQ(subject().key_loader(KeyType::ed25519)->implementation, "sodium");
  EXPECT_EQ(subject().group(NamedGroup::secp256r1)->implementation, "botan");
  EXPECT_EQ(subject().key_loader(KeyType::ec_p256)->implementation, "botan");
  EXPECT_EQ(subject().hash(HashAlgorithm::sha256), botan::provider().hash(HashAlgorithm::sha256));
  for (const CipherSuite suite : known_suites()) EXPECT_TRUE(subject().supports(suite)) << name(suite);
  for (const NamedGroup group : known_groups()) EXPECT_TRUE(subject().supports(group)) << name(group);
  for (const SignatureScheme scheme : known_schemes()) EXPECT_TRUE(subject().supports(scheme)) << name(scheme);
}

TEST(Composition, KeepsTheOthersStandingBy) {
  std::size_t x25519 = 0;
  for (const Group* group : subject().groups) x25519 += group->id == NamedGroup::x25519 ? 1U : 0U;
  EXPECT_EQ(x25519, 2U);
  EXPECT_EQ(compose("twice", {botan::provider(), botan::provider()}).groups, botan::provider().groups);
  EXPECT_TRUE(compose("nothing", {}).aeads.empty());
}

TEST(Composition, IsAsFastAndAsSecureAsItsParts) {
  Provider slow = botan::provider();
  slow.fast_aes = false;
  EXPECT_FALSE(compose("slow first", {slow, botan::provider()}).fast_aes);
  EXPECT_TRUE(compose("fast first", {botan::provider(), slow}).fast_aes);
  EXPECT_FALSE(subject().insecure());
  EXPECT_TRUE(subject().insecure_parts().empty());
}

}  // namespace
}  // namespace lockstep::tests
