// The fake provider: all of the suite but the published vectors, and that nobody gets it by accident.

#include <array>

#include <gtest/gtest.h>

#include <lockstep/config.hpp>
#include <lockstep/fake.hpp>

#include "batching.hpp"
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

const Traits traits{.real = false, .injectable_keys = false};

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

// --- the providers of batching.hpp -----------------------------------------------------------------------------------

struct Loops : Batching {
  static Provider provider() { return fake::provider(); }
};
struct Shuffled : Shuffling {
  static Provider provider() { return fake::provider(); }
};

/// Twenty key exchanges and signatures by the `*_many` of a provider; which of each kind were good.
struct Twenty {
  static constexpr std::size_t kCount = 20;
  std::array<std::vector<bool>, 5> good;

  explicit Twenty(const Provider& provider) {
    const Group& group = *provider.group(NamedGroup::x25519);
    const SignatureVerifier& verifier = *provider.verifier(SignatureAlgorithm::ed25519, KeyType::ed25519);
    const KeyLoader& loader = *provider.key_loader(KeyType::ed25519);
    const auto key = loader.load(*loader.generate(KeyType::ed25519, 0, random_)).value();
    EXPECT_TRUE(group.width == kWidth && verifier.width == kWidth && key->width() == kWidth);

    std::array<Storage<kMaxGroupContextSize>, kCount> contexts{};
    std::array<Buffer, kCount> shares, answers, secrets, again, signatures;
    std::vector<GenerateJob> generating;
    std::vector<EncapsulateJob> encapsulating;
    std::vector<DecapsulateJob> decapsulating;
    std::vector<SignJob> signing;
    std::vector<VerifyJob> verifying;
    for (std::size_t i = 0; i < kCount; ++i) {
      shares[i].resize(group.client_share_size);
      answers[i].resize(group.server_share_size);
      secrets[i].resize(group.secret_size);
      again[i].resize(group.secret_size);
      signatures[i].resize(kMaxSignatureSize);
      generating.push_back({contexts[i].get(), &random_, shares[i]});
      encapsulating.push_back({shares[i], &random_, answers[i], secrets[i]});
      decapsulating.push_back({contexts[i].get(), answers[i], again[i]});
      signing.push_back({SignatureScheme::ed25519, shares[i], &random_, signatures[i]});
    }
    generate(group, generating);
    for (std::size_t i = 0; i < kCount; ++i) {
      good[0].push_back(generating[i].result == GroupResult::ok);
      // One that failed has left nothing; it is made again for what follows.
      if (!good[0].back()) {
        EXPECT_EQ(group.generate(contexts[i].get(), random_, shares[i]), GroupResult::ok);
      }
    }
    encapsulate(group, encapsulating);
    decapsulate(group, decapsulating);
    key->sign_many(signing);
    for (std::size_t i = 0; i < kCount; ++i) {
      good[1].push_back(encapsulating[i].result == GroupResult::ok);
      good[2].push_back(decapsulating[i].result == GroupResult::ok && again[i] == secrets[i]);
      good[3].push_back(signing[i].size != 0);
      verifying.push_back({key->subject_public_key_info(), shares[i], Bytes(signatures[i]).first(signing[i].size)});
      group.destroy(contexts[i].get());
    }
    verify(verifier, verifying);
    for (const VerifyJob& job : verifying) good[4].push_back(job.result == VerifyResult::valid);
  }

 private:
  SeededRandom random_{1};
};

TEST(BatchingProvider, CountsCallsAndJobs) {
  const Provider batching = with_many<Loops>("fake, in loops");
  EXPECT_EQ(batching.groups.size(), subject().groups.size());
  EXPECT_EQ(batching.verifiers.size(), subject().verifiers.size());
  EXPECT_TRUE(batching.insecure());
  EXPECT_TRUE(batching.supports(NamedGroup::x25519mlkem768));
  Loops::reset();
  const Twenty twenty(batching);
  for (const auto& kind : twenty.good) EXPECT_EQ(kind, std::vector<bool>(Twenty::kCount, true));
  EXPECT_EQ(Loops::counted().calls, 5U);
  EXPECT_EQ(Loops::counted().jobs, 5U * Twenty::kCount);
  EXPECT_EQ(Loops::counted().widest, Twenty::kCount);
}

TEST(ShufflingProvider, FailsChosenJobsAndNoOthers) {
  const Provider shuffling = with_many<Shuffled>("fake, shuffled");
  EXPECT_EQ(Twenty(shuffling).good, Twenty(with_many<Loops>("fake, in loops")).good);
  Shuffled::fails() = [](std::size_t job) { return job == 0 || job == 7 || job == 13; };
  const Twenty twenty(shuffling);
  Shuffled::fails() = [](std::size_t) { return false; };
  std::vector<bool> expected(Twenty::kCount, true);
  expected[0] = expected[7] = expected[13] = false;
  for (const auto& kind : twenty.good) EXPECT_EQ(kind, expected);
}

}  // namespace
}  // namespace lockstep::tests
