// Botan's own implementations, shadowed by libsodium and our kernels: every test of the suite compares both.

#include <atomic>
#include <map>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include <lockstep/botan.hpp>
#include <lockstep/fake.hpp>
#include <lockstep/shadow.hpp>
#include <lockstep/sodium.hpp>

#include "subject.hpp"

namespace lockstep::tests {
namespace {

struct Both {
  static Provider leader() {
    return botan::provider({.aeads = botan::Choice::own, .hashes = botan::Choice::own, .groups = botan::Choice::own});
  }
  static Provider follower() { return sodium::provider(); }
  static void differ(std::string_view operation, std::string_view algorithm) noexcept {
    ADD_FAILURE() << "botan and sodium differ: " << operation << " " << algorithm;
  }
};

}  // namespace

const Provider& subject() {
  static const Provider provider = shadow<Both>("botan, shadowed by sodium");
  return provider;
}

RandomSource& system_random() { return botan::system_random(); }

const Traits traits{.lean = false, .deterministic_ecdsa = true};

namespace {

TEST(Shadow, ListsWhatBothHave) {
  // What libsodium lacks is left out.
  EXPECT_EQ(subject().aeads.size(), 3U);
  EXPECT_EQ(subject().hashes.size(), 3U);
  EXPECT_EQ(subject().groups.size(), sodium::kCapabilities.groups.size());
  ASSERT_EQ(subject().verifiers.size(), 1U);
  ASSERT_EQ(subject().key_loaders.size(), 1U);
  EXPECT_EQ(subject().key_loaders.front()->types.size(), 1U);
  EXPECT_EQ(subject()
                .key_loaders.front()
                ->load(hex("3041020100301306072a8648ce3d020106082a8648ce3d030107042730250201"
                           "010420c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b"
                           "120f6721"))
                .error(),
            KeyError::unsupported)
      << "a P-256 key, which libsodium does not know";
}

/// A pair that agrees on nothing.
struct Unlike {
  static Provider leader() { return sodium::provider(); }
  static Provider follower() { return fake::provider(); }
  static std::set<std::string>& seen() {
    static std::set<std::string> operations;
    return operations;
  }
  static void differ(std::string_view operation, std::string_view) noexcept { seen().insert(std::string(operation)); }
};

TEST(Shadow, ReportsEveryDifferenceAndFails) {
  const Provider provider = shadow<Unlike>("unlike");
  EXPECT_TRUE(provider.insecure());
  EXPECT_EQ(provider.insecure_parts().size(), 6U) << "what either says, the pair does";
  SeededRandom random(1);
  const Buffer text(40, 7);
  const Bytes source(text);
  const std::array<std::uint8_t, kAeadNonceSize> nonce{};

  const Aead& aead = *provider.aead(AeadAlgorithm::aes_128_gcm);
  Storage<kMaxAeadContextSize> key;
  ASSERT_TRUE(aead.init(key.get(), Buffer(16, 1)));
  Buffer record(text.size() + aead.tag_size, 0xee);
  const SealJob seal{nonce.data(), {}, {&source, 1}, {}, record.data()};
  EXPECT_FALSE(aead.seal(key.get(), {&seal, 1}));
  EXPECT_EQ(record, Buffer(record.size(), 0)) << "nothing leaves";
  const Aead& real = *sodium::provider().aead(AeadAlgorithm::aes_128_gcm);
  Storage<kMaxAeadContextSize> real_key;
  ASSERT_TRUE(real.init(real_key.get(), Buffer(16, 1)));
  ASSERT_TRUE(real.seal(real_key.get(), {&seal, 1}));
  OpenJob open{nonce.data(), {}, record, record.data()};
  EXPECT_FALSE(aead.open(key.get(), {&open, 1})) << "only one of them opens it";
  EXPECT_FALSE(open.ok);
  EXPECT_EQ(Buffer(record.begin(), record.begin() + 40), Buffer(40, 0));
  real.destroy(real_key.get());
  aead.destroy(key.get());

  const Hash& hash = *provider.hash(HashAlgorithm::sha256);
  Storage<kMaxHashContextSize> state;
  Buffer digest(32, 0xee);
  ASSERT_TRUE(hash.init(state.get()));
  hash.update(state.get(), text);
  EXPECT_FALSE(hash.digest(state.get(), digest));
  EXPECT_EQ(digest, Buffer(32, 0));
  hash.destroy(state.get());
  EXPECT_FALSE(hash.hmac(text, {&source, 1}, digest));
  const ExpandJob job{text, text, digest};
  EXPECT_FALSE(hash.expand({&job, 1}));

  const Group& group = *provider.group(NamedGroup::x25519);
  Storage<kMaxGroupContextSize> private_key;
  Buffer share(32), other_share(32), secret(32);
  EXPECT_EQ(group.generate(private_key.get(), random, share), GroupResult::failed);
  const Buffer nine = hex("0900000000000000000000000000000000000000000000000000000000000000");
  EXPECT_EQ(group.encapsulate(nine, random, other_share, secret), GroupResult::failed);
  EXPECT_EQ(secret, Buffer(32, 0));

  const KeyLoader& own = *sodium::provider().key_loader(KeyType::ed25519);
  const auto made = own.generate(KeyType::ed25519, 0, random);
  ASSERT_TRUE(made);
  EXPECT_EQ(provider.key_loader(KeyType::ed25519)->load(*made).error(), KeyError::failed);
  const auto signer = own.load(*made);
  ASSERT_TRUE(signer);
  Buffer signature(64);
  ASSERT_EQ((*signer)->sign(SignatureScheme::ed25519, text, random, signature), 64U);
  EXPECT_EQ(provider.verifier(SignatureAlgorithm::ed25519, KeyType::ed25519)
                ->verify((*signer)->subject_public_key_info(), text, signature),
            VerifyResult::invalid);

  const std::set<std::string> expected{"seal",     "open",        "digest", "hmac",  "expand",
                                       "generate", "encapsulate", "load",   "verify"};
  EXPECT_EQ(Unlike::seen(), expected);
}

}  // namespace
}  // namespace lockstep::tests
