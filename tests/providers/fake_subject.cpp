// The fake provider: all of the suite but the published vectors, and that nobody gets it by accident.

#include <array>

#include <gtest/gtest.h>

#include <lockstep/config.hpp>
#include <lockstep/fake.hpp>

#include "subject.hpp"

namespace lockstep::tests {

const Provider& subject() {
  static const Provider provider = fake::provider();
  return provider;
}

RandomSource& system_random() {
  static fake::FakeRandom random(1);
  return random;
}

bool private_keys_are_random_bytes(NamedGroup /*group*/) { return false; }

bool is_fips_module() { return false; }

bool ecdsa_is_deterministic() { return false; }

bool is_real() { return false; }

bool is_lean() { return true; }

namespace {

TEST(Fake, HasWhatItsTableSays) { expect_exactly(fake::kCapabilities); }

TEST(Fake, IsRefusedUnlessAllowed) {
  const auto expect_refused = [](auto builder) {
    const auto refused = builder.build();
    ASSERT_FALSE(refused);
    ASSERT_EQ(refused.error().size(), 1U);
    EXPECT_EQ(refused.error().front().setting, "dangerous().allow_insecure_provider");
    EXPECT_NE(refused.error().front().text.find("provider 'fake' protects nothing"), std::string::npos);
    const auto allowed = builder.dangerous().allow_insecure_provider().build();
    ASSERT_TRUE(allowed);
    EXPECT_TRUE(ConfigBuilder::from(**allowed).build()) << "a variant of what was allowed";
  };
  expect_refused(ConfigBuilder::client(subject()));
  expect_refused(ConfigBuilder::server(subject()));
}

TEST(Fake, MakesWhatItIsPartOfInsecure) {
  const Provider composed = compose("with a fake", {Provider{.name = "nothing"}, subject()});
  EXPECT_TRUE(composed.insecure());
  EXPECT_FALSE(ConfigBuilder::client(composed).build());
}

/// A provider that has what the subject has and claims to protect: what the descriptors of a real one look like.
template <class Descriptor>
std::vector<const Descriptor*> claimed_secure(const std::vector<const Descriptor*>& descriptors) {
  static std::vector<Descriptor> copies;
  copies.clear();
  for (const Descriptor* descriptor : descriptors) copies.emplace_back(*descriptor).insecure = false;
  std::vector<const Descriptor*> all;
  for (const Descriptor& copy : copies) all.push_back(&copy);
  return all;
}

TEST(Fake, IsKnownForWhatItIsInEveryPartOfIt) {
  const Provider& fake = subject();
  const Provider secure{.name = "secure",
                        .aeads = claimed_secure(fake.aeads),
                        .hashes = claimed_secure(fake.hashes),
                        .groups = claimed_secure(fake.groups),
                        .verifiers = claimed_secure(fake.verifiers),
                        .key_loaders = claimed_secure(fake.key_loaders)};
  EXPECT_FALSE(secure.insecure());
  EXPECT_TRUE(ConfigBuilder::client(secure).build());
  const auto expect_named = [&](const Provider& part, const std::string& all, const std::string& first) {
    EXPECT_TRUE(part.insecure());
    EXPECT_EQ(part.insecure_parts(), std::vector<std::string>{all});
    for (const Provider& composed : {compose("x", {part, secure}), compose("x", {secure, part})}) {
      ASSERT_TRUE(composed.insecure()) << all;
      EXPECT_EQ(composed.insecure_parts().front(), first);
      const auto refused = ConfigBuilder::server(composed).build();
      ASSERT_FALSE(refused) << all;
      EXPECT_EQ(refused.error().front().setting, "dangerous().allow_insecure_provider");
      EXPECT_NE(refused.error().front().text.find("protects nothing with " + first), std::string::npos)
          << refused.error().front().text;
      EXPECT_TRUE(ConfigBuilder::server(composed).dangerous().allow_insecure_provider().build());
    }
  };
  expect_named({.name = "part", .aeads = fake.aeads}, "every AEAD", "AES-128-GCM (fake)");
  expect_named({.name = "part", .hashes = fake.hashes}, "every hash", "SHA-256 (fake)");
  expect_named({.name = "part", .groups = fake.groups}, "every group", "x25519 (fake)");
  expect_named({.name = "part", .verifiers = fake.verifiers}, "every signature verifier",
               "ecdsa_sha256 with EC P-256 (fake)");
  expect_named({.name = "part", .key_loaders = fake.key_loaders}, "every private key", "private keys (fake)");
}

TEST(Fake, RandomFollowsFromItsSeed) {
  const auto bytes = [](std::uint64_t seed) {
    std::array<std::uint8_t, 20> out{};
    EXPECT_TRUE(fake::FakeRandom(seed).fill(out));
    return out;
  };
  EXPECT_EQ(bytes(1), bytes(1));
  EXPECT_NE(bytes(1), bytes(2));
}

}  // namespace
}  // namespace lockstep::tests
