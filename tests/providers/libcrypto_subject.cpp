// The libcrypto provider, and what it must list.

#include <algorithm>

#include <gtest/gtest.h>
#include <openssl/crypto.h>
#include <openssl/err.h>

#include <lockstep/config.hpp>
#include <lockstep/libcrypto.hpp>

#include "subject.hpp"

namespace lockstep::tests {

const Provider& subject() {
  static const Provider provider = libcrypto::provider();
  return provider;
}

RandomSource& system_random() { return libcrypto::system_random(); }

const Traits traits = kTraitsOfLibcrypto;

namespace {

static_assert(libcrypto::kCapabilities.has(NamedGroup::x25519) && libcrypto::kCapabilities.has(NamedGroup::mlkem768));
static_assert(libcrypto::kCapabilitiesOf35.has(KeyType::mldsa44));
static_assert(!libcrypto::kCapabilities.has(KeyType::mldsa44) && libcrypto::kCapabilities.has(KeyType::ed448));

TEST(Libcrypto, HasWhatItsTableSays) { expect_exactly(libcrypto::capabilities()); }

TEST(Libcrypto, PrefersKernelsAndKeepsItsOwnSelectable) {
  const Provider own = libcrypto::provider(
      {.aeads = libcrypto::Choice::own, .hashes = libcrypto::Choice::own, .groups = libcrypto::Choice::own});
  for (const Aead* aead : own.aeads) EXPECT_EQ(aead->implementation, "libcrypto") << name(aead->id);
  for (const Hash* hash : own.hashes) EXPECT_EQ(hash->implementation, "libcrypto") << name(hash->id);
  for (const Group* group : own.groups) EXPECT_EQ(group->implementation, "libcrypto") << name(group->id);
  EXPECT_GT(subject().groups.size(), own.groups.size());
  EXPECT_GT(subject().aeads.size(), own.aeads.size());
  EXPECT_GT(subject().hashes.size(), own.hashes.size());
}

TEST(Libcrypto, LeavesNothingInTheErrorQueue) {
  ERR_clear_error();
  const Buffer nonsense(32, 0xff);
  EXPECT_FALSE(subject().key_loader(KeyType::rsa)->load(nonsense));
  for (const SignatureVerifier* verifier : subject().verifiers)
    EXPECT_NE(verifier->verify(nonsense, nonsense, nonsense), VerifyResult::valid);
  for (const Group* group : subject().groups) {
    const Buffer share(group->client_share_size, 0);
    Buffer answer(group->server_share_size), secret(group->secret_size);
    SeededRandom random(1);
    EXPECT_EQ(group->encapsulate(share, random, answer, secret),
              group->secret_size == 32 && group->client_share_size > 100 ? GroupResult::ok : GroupResult::bad_share)
        << name(group->id);
  }
  EXPECT_EQ(ERR_peek_error(), 0U);
}

TEST(Libcrypto, WorksInAnApplicationsLibraryContext) {
  OSSL_LIB_CTX* const context = OSSL_LIB_CTX_new();
  const Provider provider = libcrypto::provider_in(context, "");
  EXPECT_EQ(provider.aeads.size(), std::size(every::kAeads));
  EXPECT_TRUE(ConfigBuilder::client(provider).build());
  const Provider same = libcrypto::provider_in(context, "");
  EXPECT_EQ(same.groups, provider.groups) << "the same arguments give the same descriptors";
  const Provider nothing = libcrypto::provider_in(context, "provider=nobody");
  EXPECT_TRUE(nothing.aeads.empty() && nothing.groups.empty() && nothing.verifiers.empty() &&
              nothing.key_loaders.empty());
  EXPECT_TRUE(libcrypto::provider_in(nullptr, "provider=default").groups.empty()) << "there is no place for a third";
}

TEST(Libcrypto, SystemRandomYieldsFreshBytes) {
  std::array<std::uint8_t, 32> one{}, two{};
  ASSERT_TRUE(libcrypto::system_random().fill(one));
  ASSERT_TRUE(libcrypto::system_random().fill(two));
  EXPECT_NE(one, two);
  EXPECT_TRUE(libcrypto::system_random().fill({}));
}

}  // namespace
}  // namespace lockstep::tests
