// The Botan provider, and what it must list.

#include <algorithm>

#include <gtest/gtest.h>

#include <lockstep/botan.hpp>
#include <lockstep/kernels.hpp>
#include <lockstep/kernels_hash.hpp>
#include <lockstep/kernels_kem.hpp>

#include "subject.hpp"

namespace lockstep::tests {

const Provider& subject() {
  static const Provider provider = botan::provider();
  return provider;
}

RandomSource& system_random() { return botan::system_random(); }

const Traits traits{.deterministic_ecdsa = true};

namespace {

TEST(Botan, HasWhatItsTableSays) { expect_exactly(botan::kCapabilities); }

TEST(Botan, ListsEverythingThatTls13AndTls12Have) {
  for (const CipherSuite suite : known_suites()) EXPECT_TRUE(subject().supports(suite)) << name(suite);
  for (const NamedGroup group : known_groups()) EXPECT_TRUE(subject().supports(group)) << name(group);
  for (const SignatureScheme scheme : known_schemes()) {
    EXPECT_TRUE(subject().supports(scheme)) << name(scheme);
    EXPECT_NE(subject().key_loader(parts(scheme)->key), nullptr) << name(scheme);
  }
  EXPECT_NE(subject().hash(HashAlgorithm::sha512), nullptr);
}

TEST(Botan, VerifiesEveryHashWithEveryCurve) {
  for (const KeyType key : {KeyType::ec_p256, KeyType::ec_p384, KeyType::ec_p521, KeyType::ec_brainpoolP256r1,
                            KeyType::ec_brainpoolP384r1, KeyType::ec_brainpoolP512r1})
    for (const SignatureAlgorithm algorithm :
         {SignatureAlgorithm::ecdsa_sha256, SignatureAlgorithm::ecdsa_sha384, SignatureAlgorithm::ecdsa_sha512})
      EXPECT_NE(subject().verifier(algorithm, key), nullptr) << name(algorithm) << " " << name(key);
}

TEST(Botan, PrefersKernelsAndKeepsItsOwnSelectable) {
  const Provider own =
      botan::provider({.aeads = botan::Choice::own, .hashes = botan::Choice::own, .groups = botan::Choice::own});
  EXPECT_TRUE(std::ranges::all_of(own.aeads, [](const Aead* aead) { return aead->implementation == "botan"; }));
  for (const Aead* aead : own.aeads) {
    EXPECT_NE(std::ranges::find(subject().aeads, aead), subject().aeads.end()) << name(aead->id);
    EXPECT_EQ(own.aead(aead->id), aead);
  }
  EXPECT_TRUE(std::ranges::all_of(own.hashes, [](const Hash* hash) { return hash->implementation == "botan"; }));
  for (const Hash* hash : own.hashes) {
    EXPECT_NE(std::ranges::find(subject().hashes, hash), subject().hashes.end()) << name(hash->id);
    EXPECT_EQ(own.hash(hash->id), hash);
  }
  EXPECT_TRUE(std::ranges::all_of(own.groups, [](const Group* group) { return group->implementation == "botan"; }));
  for (const kernels::Kem& kem : kernels::available_kems()) {
    if (kem.algorithm != kernels::KemAlgorithm::ml_kem_768) continue;
    EXPECT_EQ(subject().group(NamedGroup::mlkem768)->implementation.starts_with("kernels "),
              kem.instruction_set != kernels::InstructionSet::portable);
    break;
  }
  EXPECT_EQ(subject().groups.size(), own.groups.size() + kernels::available_kems().size());
  for (const kernels::HashAlgorithm algorithm :
       {kernels::HashAlgorithm::sha256, kernels::HashAlgorithm::sha384, kernels::HashAlgorithm::sha512}) {
    const kernels::Hash& best = kernels::best(algorithm);
    const HashAlgorithm id = best.digest_size == 32   ? HashAlgorithm::sha256
                             : best.digest_size == 48 ? HashAlgorithm::sha384
                                                      : HashAlgorithm::sha512;
    EXPECT_EQ(subject().hash(id)->implementation.starts_with("kernels "),
              best.instruction_set != kernels::InstructionSet::portable)
        << name(id);
  }
  EXPECT_EQ(subject().hashes.size(), own.hashes.size() + kernels::available_hashes().size())
      << "every kernel has its descriptor";
#if defined(__x86_64__)
  if (__builtin_cpu_supports("aes") && __builtin_cpu_supports("pclmul")) {
    EXPECT_TRUE(subject().aead(AeadAlgorithm::aes_128_gcm)->implementation.starts_with("kernels "));
    EXPECT_TRUE(subject().aead(AeadAlgorithm::aes_256_gcm)->implementation.starts_with("kernels "));
  }
  if (__builtin_cpu_supports("ssse3")) {
    EXPECT_TRUE(subject().aead(AeadAlgorithm::chacha20_poly1305)->implementation.starts_with("kernels "));
  }
#endif
  EXPECT_EQ(subject().aead(AeadAlgorithm::aes_128_ccm)->implementation, "botan");
  EXPECT_EQ(subject().aeads.size(), own.aeads.size() + kernels::available().size())
      << "every kernel has its descriptor";
}

TEST(Botan, SystemRandomYieldsFreshBytes) {
  std::array<std::uint8_t, 32> one{}, two{};
  ASSERT_TRUE(botan::system_random().fill(one));
  ASSERT_TRUE(botan::system_random().fill(two));
  EXPECT_NE(one, two);
  EXPECT_TRUE(botan::system_random().fill({}));
}

}  // namespace
}  // namespace lockstep::tests
