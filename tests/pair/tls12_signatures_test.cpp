// Signatures of TLS 1.2 that are opt-in: with SHA-1, and on curves of brainpool (RFC 7027).

#include <array>

#include "tls12_pair.hpp"

namespace lockstep::testing {
namespace {

// --- SHA-1 --------------------------------------------------------------------------------------------------------

struct OldSignature {
  SignatureScheme scheme;
  KeyType key;
};
constexpr std::array kOldSignatures{OldSignature{SignatureScheme::rsa_pkcs1_sha1, KeyType::rsa},
                                    OldSignature{SignatureScheme::ecdsa_sha1, KeyType::ec_p256}};

TEST(Sha1, SignsWhereBothSidesNameIt) {
  for (const auto [scheme, key] : kOldSignatures) {
    if (!provider().supports(scheme) || provider().key_loader(key) == nullptr) continue;
    SCOPED_TRACE(name(scheme));
    Pair pair(built(client_builder().schemes({scheme})),
              built(server_builder().schemes({scheme}).client_auth(ClientAuth::require)));
    pair.server.credential = credential_of(key);
    pair.client.credential = credential_of(key);
    pair.run();
    expect_tls12(pair);
    EXPECT_EQ(pair.client.connection.peer_scheme(), scheme);
    EXPECT_EQ(pair.server.connection.peer_scheme(), scheme);
    expect_echo(pair);

    // Something better comes first, whatever the order of the peer's list, and it alone is for TLS 1.3.
    for (const ProtocolVersion version : kBothVersions) {
      const SignatureScheme better =
          key == KeyType::rsa ? SignatureScheme::rsa_pss_rsae_sha256 : SignatureScheme::ecdsa_secp256r1_sha256;
      Pair newer(
          built(client_builder().schemes({scheme, better})),
          built(server_builder().versions(kTls12, version).schemes({scheme, better}).client_auth(ClientAuth::require)));
      newer.server.credential = credential_of(key);
      newer.client.credential = credential_of(key);
      newer.run();
      EXPECT_EQ(newer.client.connection.version(), version) << error_text(newer.client);
      EXPECT_EQ(newer.client.connection.peer_scheme(), better);
      EXPECT_EQ(newer.server.connection.peer_scheme(), better);
    }
  }
}

TEST(Sha1, IsNeverThereByItself) {
  for (const ProtocolVersion version : kBothVersions) {
    const auto config = built(client_builder().versions(kTls12, version));
    for (const auto* list : {&config->settings().schemes, &config->settings().schemes_cert}) {
      for (const SignatureScheme scheme : *list) EXPECT_FALSE(is_insecure(scheme)) << name(scheme);
    }
  }
  constexpr auto kTls13 = ProtocolVersion::tls_1_3;
  const auto refused = client_builder()
                           .versions(kTls13, kTls13)
                           .schemes({SignatureScheme::ed25519, SignatureScheme::ecdsa_sha1})
                           .build();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().front().setting, "schemes");
}

// --- brainpool ----------------------------------------------------------------------------------------------------

struct BrainpoolCurve {
  NamedGroup group;
  KeyType key;
  SignatureScheme named;
};
constexpr std::array kBrainpool{
    BrainpoolCurve{NamedGroup::brainpoolP256r1, KeyType::ec_brainpoolP256r1, SignatureScheme::ecdsa_secp256r1_sha256},
    BrainpoolCurve{NamedGroup::brainpoolP384r1, KeyType::ec_brainpoolP384r1, SignatureScheme::ecdsa_secp384r1_sha384},
    BrainpoolCurve{NamedGroup::brainpoolP512r1, KeyType::ec_brainpoolP512r1, SignatureScheme::ecdsa_secp521r1_sha512}};

TEST(Brainpool, AgreesAndSignsWhereTheCurveIsNamed) {
  for (const auto [group, key, named] : kBrainpool) {
    if (!provider().supports(group) || provider().key_loader(key) == nullptr) continue;
    SCOPED_TRACE(name(group));
    for (const bool both : {false, true}) {
      Pair pair(built((both ? client_builder() : old_client()).groups({group, NamedGroup::x25519})),
                built(old_server().groups({group}).client_auth(ClientAuth::require)));
      pair.server.credential = credential_of(key);
      pair.client.credential = credential_of(key);
      pair.run();
      expect_tls12(pair);
      EXPECT_EQ(pair.client.connection.group(), group);
      EXPECT_EQ(pair.client.connection.peer_scheme(), named);
      EXPECT_EQ(pair.server.connection.peer_scheme(), named);
      EXPECT_EQ(pair.client.connection.own_scheme(), named);
      expect_echo(pair);
    }
  }
}

TEST(Brainpool, KeysServeNobodyWhoNamesAnotherCurve) {
  for (const auto [group, key, named] : kBrainpool) {
    if (!provider().supports(group) || provider().key_loader(key) == nullptr) continue;
    SCOPED_TRACE(name(group));
    Pair pair(built(old_client()), built(old_server().groups({group, NamedGroup::x25519})));
    pair.server.credential = credential_of(key);
    pair.run();
    ASSERT_TRUE(pair.server.error);
    EXPECT_EQ(pair.server.error->reason, Reason::scheme_unsupported);
    // A server that does not name it takes no client's.
    Pair client(built(old_client().groups({group, NamedGroup::x25519, NamedGroup::secp256r1})),
                built(old_server().client_auth(ClientAuth::require)));
    client.client.credential = credential_of(key);
    client.run();
    ASSERT_TRUE(client.server.error);
    EXPECT_EQ(client.server.error->reason, Reason::scheme_wrong_key);
  }
}

// RFC 8734 has other code points for TLS 1.3, which have no place in TLS 1.2.
TEST(Brainpool, HasANameForEachVersion) {
  constexpr auto kOld = NamedGroup::brainpoolP256r1;
  constexpr auto kNew = NamedGroup::brainpoolP256r1tls13;
  if (!provider().supports(kOld)) GTEST_SKIP();
  Pair newer(built(client_builder().groups({kOld, kNew, NamedGroup::x25519})),
             built(server_builder().groups({kOld, kNew, NamedGroup::x25519})));
  newer.run();
  EXPECT_EQ(newer.client.connection.version(), ProtocolVersion::tls_1_3) << error_text(newer.client);
  EXPECT_EQ(newer.client.connection.group(), kNew);
  Pair older(built(client_builder().groups({kNew, NamedGroup::secp256r1})),
             built(old_server().groups({NamedGroup::secp256r1})));
  older.run();
  EXPECT_EQ(older.client.connection.group(), NamedGroup::secp256r1) << error_text(older.client);
  const auto refused = client_builder().groups({kOld, kNew}).key_shares({kOld}).build();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().front().setting, "key_shares");
}

}  // namespace
}  // namespace lockstep::testing
