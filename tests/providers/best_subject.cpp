// The fastest of what was built: the suite, which its parts have stood by themselves, and the table.

#include <algorithm>
#include <set>

#include <gtest/gtest.h>

#include <lockstep/best.hpp>
#ifdef LOCKSTEP_HAS_BOTAN
#include <lockstep/botan.hpp>
#endif
#ifdef LOCKSTEP_HAS_LIBCRYPTO
#include <lockstep/libcrypto.hpp>
#endif
#ifdef LOCKSTEP_HAS_MULTIBUFFER
#include <lockstep/multibuffer.hpp>
#endif
#ifdef LOCKSTEP_HAS_SODIUM
#include <lockstep/sodium.hpp>
#endif

#include "best/ranking.hpp"
#include "subject.hpp"

namespace lockstep::tests {

const Provider& subject() {
  static const Provider provider = best::provider();
  return provider;
}

RandomSource& system_random() { return best::system_random(); }

const Traits traits = kTraitsOfLibcrypto;

namespace {

std::vector<Provider> built() {
  return {
#ifdef LOCKSTEP_HAS_BOTAN
      botan::provider(),
#endif
#ifdef LOCKSTEP_HAS_LIBCRYPTO
      libcrypto::provider(),
#endif
#ifdef LOCKSTEP_HAS_MULTIBUFFER
      multibuffer::provider(),
#endif
#ifdef LOCKSTEP_HAS_SODIUM
      sodium::provider(),
#endif
  };
}

template <class Table, class Ids>
void expect_all_of(const Table& table, const Ids& ids) {
  std::set<std::uint32_t> ranked;
  for (const auto& rank : table) {
    EXPECT_NE(std::ranges::find(ids, rank.id), std::end(ids)) << static_cast<unsigned>(rank.id) << " does not exist";
    EXPECT_TRUE(ranked.insert(static_cast<std::uint32_t>(rank.id)).second) << name(rank.id) << " twice";
    const std::set<best::ranking::Part> parts(rank.order.begin(), rank.order.end());
    EXPECT_EQ(parts.size(), best::ranking::kParts) << name(rank.id);
  }
  EXPECT_EQ(ranked.size(), std::size(ids));
}

TEST(Best, RanksEveryAlgorithmAndNoneThatDoesNotExist) {
  expect_all_of(best::ranking::kAeads, every::kAeads);
  expect_all_of(best::ranking::kHashes, every::kHashes);
  expect_all_of(best::ranking::kGroups, every::kGroups);
  expect_all_of(best::ranking::kVerifications, every::kKeys);
  expect_all_of(best::ranking::kKeys, every::kKeys);
  expect_all_of(best::ranking::kCbcCiphers, every::kCbcCiphers);
}

TEST(Best, HasWhatAnyProviderOfTheBuildHasAndHasItOnce) {
  for (const Provider& part : built()) {
    for (const Aead* each : part.aeads) EXPECT_NE(subject().aead(each->id), nullptr) << name(each->id);
    for (const Hash* each : part.hashes) EXPECT_NE(subject().hash(each->id), nullptr) << name(each->id);
    for (const Group* each : part.groups) EXPECT_NE(subject().group(each->id), nullptr) << name(each->id);
    for (const SignatureVerifier* each : part.verifiers)
      EXPECT_NE(subject().verifier(each->algorithm, each->key), nullptr) << name(each->algorithm);
    for (const KeyLoader* each : part.key_loaders) {
      for (const KeyType type : each->types) EXPECT_NE(subject().key_loader(type), nullptr) << name(type);
    }
    for (const KeyEncryptor* each : part.key_encryptors) EXPECT_NE(subject().key_encryptor(each->key), nullptr);
    for (const CbcCipher* each : part.cbc_ciphers) EXPECT_NE(subject().cbc_cipher(each->id), nullptr);
    for (const RecordMac* each : part.record_macs) EXPECT_NE(subject().record_mac(each->id), nullptr);
    for (const Mask* each : part.masks) EXPECT_NE(subject().mask(each->id), nullptr) << name(each->id);
    EXPECT_TRUE(part.finite_fields.empty() || subject().finite_field() != nullptr);
  }
  for (const Group* each : subject().groups) EXPECT_EQ(subject().group(each->id), each) << name(each->id);
  for (const Aead* each : subject().aeads) EXPECT_EQ(subject().aead(each->id), each) << name(each->id);
  for (const KeyLoader* each : subject().key_loaders) EXPECT_EQ(each->types.size(), 1U);
  EXPECT_EQ(best::provider().groups, subject().groups) << "made once";
  EXPECT_FALSE(subject().insecure());
}

// A loader that took what another does faster would be asked first and take it.
TEST(Best, LoadsEachTypeOfKeyByItsOwnLoaderAlone) {
  for (const KeyLoader* maker : subject().key_loaders) {
    const auto pkcs8 = maker->generate(maker->types.front(), 0, system_random());
    ASSERT_TRUE(pkcs8) << name(maker->types.front());
    for (const KeyLoader* loader : subject().key_loaders) {
      const auto key = loader->load(*pkcs8);
      if (loader == maker) {
        ASSERT_TRUE(key) << name(maker->types.front());
        EXPECT_EQ((*key)->type(), maker->types.front());
      } else {
        ASSERT_FALSE(key) << name(loader->types.front());
        EXPECT_EQ(key.error(), KeyError::unsupported);
      }
    }
  }
}

TEST(Best, DoesSeveralAtOnceWhereTheBuildCan) {
#ifdef LOCKSTEP_HAS_MULTIBUFFER
  const Provider together = multibuffer::provider();
  if (together.groups.empty()) GTEST_SKIP() << "crypto_mb does not run here";
  for (const Group* each : together.groups) {
    EXPECT_EQ(subject().group(each->id)->encapsulate_many, each->encapsulate_many) << name(each->id);
    EXPECT_EQ(subject().group(each->id)->width, each->width);
  }
  for (const SignatureVerifier* each : together.verifiers)
    EXPECT_EQ(subject().verifier(each->algorithm, each->key)->verify_many, each->verify_many) << name(each->algorithm);
  for (const KeyType type : multibuffer::kCapabilities.private_keys) {
    const KeyLoader& loader = *subject().key_loader(type);
    const auto key = loader.load(*loader.generate(type, 0, system_random()));
    ASSERT_TRUE(key);
    EXPECT_EQ((*key)->width(), 8U) << name(type);
    // Three, so that no part is left out: alone, and in company.
    std::array<std::array<std::uint8_t, kMaxSignatureSize>, 3> out{};
    std::array<SignJob, 3> jobs{};
    constexpr std::array<std::uint8_t, 4> kMessage{1, 2, 3, 4};
    for (std::size_t i = 0; i < jobs.size(); ++i)
      jobs[i] = {.scheme = (*key)->schemes().front(), .message = kMessage, .random = &system_random(), .out = out[i]};
    (*key)->sign_many(std::span(jobs).first(1));
    (*key)->sign_many(std::span(jobs).subspan(1));
    (*key)->sign_many(jobs);
    const SchemeParts made_of = *parts((*key)->schemes().front());
    for (const SignJob& job : jobs) {
      EXPECT_EQ(subject()
                    .verifier(made_of.algorithm, made_of.key)
                    ->verify((*key)->subject_public_key_info(), kMessage, job.out.first(job.size)),
                VerifyResult::valid)
          << name(type);
    }
  }
#else
  GTEST_SKIP() << "no provider of this build does";
#endif
}

}  // namespace
}  // namespace lockstep::tests
