// Whole handshakes of TLS 1.2: what is agreed by default, and what a connection does then.

#include <lockstep/lists.hpp>

#include "record/sealer.hpp"
#include "tls12_pair.hpp"

namespace lockstep::testing {
namespace {

TEST(Tls12, IsAgreedWhereOneSideHasNothingNewer) {
  for (const bool old_is_client : {true, false}) {
    Pair pair(built(old_is_client ? old_client() : client_builder()),
              built(old_is_client ? server_builder() : old_server()));
    pair.run();
    expect_tls12(pair);
    for (const End* end : {&pair.client, &pair.server}) {
      EXPECT_FALSE(end->connection.resumed());
      EXPECT_FALSE(end->connection.retried());
      EXPECT_EQ(parts(*end->connection.suite())->version, kTls12);
    }
    EXPECT_EQ(pair.server.server_name, "example.com");
    EXPECT_EQ(pair.client.own_finished.size(), 12U);
    EXPECT_EQ(pair.client.own_finished, pair.server.peer_finished);
    EXPECT_EQ(pair.server.own_finished, pair.client.peer_finished);
    EXPECT_EQ(pair.client.peer_chain.front(), pair.server.credential->chain.front());
    expect_echo(pair);
  }
}

TEST(Tls12, DoesNotDependOnHowBytesAreCut) {
  for (const Cut cut : {Cut{65536, 1}, Cut{1, 0}, Cut{7, 3}, Cut{64, 100}}) {
    Pair pair(built(old_client()), built(old_server().client_auth(ClientAuth::require)),
              {x509::PeerName::dns("example.com").value(), {}}, {cut.outbound, cut.chunk});
    pair.client.credential = credential_of(usual_key());
    pair.run();
    expect_tls12(pair);
    expect_echo(pair);
  }
}

TEST(Tls12, HasEverySuiteByDefaultWithEveryKey) {
  for (const CipherSuite suite : suites(kTls12, ListKind::by_default)) {
    if (!provider().supports(suite)) continue;
    const bool rsa = parts(suite)->authentication == SuiteAuthentication::rsa;
    for (const KeyType key : {KeyType::rsa, KeyType::rsa_pss, KeyType::ec_p256, KeyType::ec_p384, KeyType::ec_p521,
                              KeyType::ed25519, KeyType::ed448}) {
      const bool fits = rsa == (key == KeyType::rsa || key == KeyType::rsa_pss);
      if (!fits || provider().key_loader(key) == nullptr) continue;
      SCOPED_TRACE(std::string(name(suite)) + " " + std::string(name(key)));
      Pair pair(built(client_builder().suites({suite})), built(server_builder()));
      pair.server.credential = credential_of(key);
      pair.run();
      expect_tls12(pair);
      EXPECT_EQ(pair.client.connection.suite(), suite);
      EXPECT_EQ(pair.client.connection.peer_scheme(), pair.server.connection.own_scheme());
      expect_echo(pair);
    }
  }
}

// Suites in CBC mode are opt-in; with encrypt-then-MAC and as RFC 5246 had them.
TEST(Tls12, HasCbcWhereItIsNamed) {
  for (const CipherSuite suite : suites(kTls12)) {
    const auto known = parts(suite);
    if (!known->cbc || known->key_exchange != KeyExchangeMethod::ecdhe || !provider().supports(suite)) continue;
    for (const bool encrypt_then_mac : {true, false}) {
      SCOPED_TRACE(std::string(name(suite)) + (encrypt_then_mac ? " EtM" : " MtE"));
      Pair pair(built(client_builder().suites({suite})),
                built(server_builder().suites({suite}).encrypt_then_mac(encrypt_then_mac)));
      if (known->authentication == SuiteAuthentication::rsa) pair.server.credential = credential_of(KeyType::rsa);
      pair.run();
      expect_tls12(pair);
      EXPECT_EQ(pair.client.connection.suite(), suite);
      expect_echo(pair);
      const std::vector<std::uint8_t> much(50'001, 7);
      pair.server.data.clear();
      pair.send(pair.client, much);
      pair.run();
      EXPECT_EQ(pair.server.data, much);
    }
  }
}

// A client that verifies nothing newer is served in TLS 1.2; in TLS 1.3 it is not asked for.
TEST(Tls12, SignsWithPkcs1WhereThereIsNothingElse) {
  if (provider().key_loader(KeyType::rsa) == nullptr) GTEST_SKIP();
  const std::vector<SignatureScheme> pkcs1{SignatureScheme::rsa_pkcs1_sha256};
  Pair pair(built(old_client().schemes(pkcs1)), built(server_builder()));
  pair.server.credential = credential_of(KeyType::rsa);
  pair.run();
  expect_tls12(pair);
  EXPECT_EQ(pair.client.connection.peer_scheme(), SignatureScheme::rsa_pkcs1_sha256);

  Pair newer(
      built(client_builder().schemes({SignatureScheme::rsa_pkcs1_sha256, SignatureScheme::ecdsa_secp256r1_sha256})),
      built(server_builder()));
  const SelectCredential question = newer.ask_for_credential();
  EXPECT_EQ(std::vector(question.schemes.begin(), question.schemes.end()),
            (std::vector{SignatureScheme::ecdsa_secp256r1_sha256}));
}

TEST(Tls12, AuthenticatesAClient) {
  for (const KeyType key : {KeyType::rsa, KeyType::ec_p256, KeyType::ed25519}) {
    if (provider().key_loader(key) == nullptr) continue;
    SCOPED_TRACE(name(key));
    Pair pair(built(old_client()), built(old_server().client_auth(ClientAuth::require)));
    pair.client.credential = credential_of(key);
    pair.run();
    expect_tls12(pair);
    ASSERT_EQ(pair.server.peer_chain.size(), 1U);
    EXPECT_EQ(pair.server.peer_chain.front(), pair.client.credential->chain.front());
    EXPECT_EQ(pair.server.connection.peer_scheme(), pair.client.connection.own_scheme());
    expect_echo(pair);
  }
}

TEST(Tls12, LetsAClientWithoutCertificateInOnlyWhereNoneIsRequired) {
  Pair welcome(built(old_client()), built(old_server().client_auth(ClientAuth::request)));
  welcome.run();
  expect_tls12(welcome);
  EXPECT_TRUE(welcome.server.peer_chain.empty());

  Pair refused(built(old_client()), built(old_server().client_auth(ClientAuth::require)));
  refused.run();
  ASSERT_TRUE(refused.server.error);
  EXPECT_EQ(refused.server.error->reason, Reason::certificate_required);
  ASSERT_TRUE(refused.client.error);
  EXPECT_EQ(refused.client.error->alert, Alert::handshake_failure);  // certificate_required is TLS 1.3's
}

TEST(Tls12, StaplesWhatIsAskedFor) {
  Pair pair(built(old_client().ocsp_stapling(true).signed_certificate_timestamps(true)), built(old_server()));
  Credential credential = *credential_of(usual_key());
  credential.ocsp_response = {1, 2, 3};
  credential.sct_list = {0, 3, 0, 1, 9};
  pair.server.credential = std::make_shared<const Credential>(credential);
  pair.run();
  expect_tls12(pair);
  EXPECT_EQ(pair.client.peer_staples, (Staples{credential.ocsp_response, credential.sct_list}));
  ASSERT_EQ(pair.client.judged_staples.size(), 1U);
  EXPECT_EQ(pair.client.judged_staples.front(), pair.client.peer_staples);
}

TEST(Tls12, TellsWhichCertificatesAServerTakes) {
  for (const bool older : {true, false}) {
    Pair pair(built(client_builder()),
              built((older ? old_server() : server_builder()).client_auth(ClientAuth::request)));
    pair.client.credential = credential_of(usual_key());
    pair.run();
    EXPECT_TRUE(pair.client.connection.connected()) << error_text(pair.client);
    // RFC 5246 7.4.4 and RFC 8422 5.5: ecdsa_sign is 64; TLS 1.3 has no such list.
    EXPECT_EQ(std::ranges::count(pair.client.certificate_types, 64), older);
    EXPECT_EQ(pair.client.certificate_types.empty(), !older);
    EXPECT_TRUE(pair.server.certificate_types.empty());
  }
}

// RFC 7507 3: a server that speaks a newer version than a second attempt offers refuses; TLS 1.3 is not behind any.
TEST(Tls12, SaysThatItFellBack) {
  Pair good(built(old_client().fallback_scsv(true)), built(old_server()));
  good.run();
  expect_connected(good);
  Pair newest(built(client_builder().fallback_scsv(true)), built(server_builder().cookie(true)));
  newest.run();
  EXPECT_TRUE(newest.client.connection.connected()) << error_text(newest.client);
  EXPECT_TRUE(newest.client.connection.retried()) << "the second hello says it, too";
  Pair refused(built(old_client().fallback_scsv(true)), built(server_builder()));
  refused.run();
  ASSERT_TRUE(refused.server.error);
  EXPECT_EQ(refused.server.error->reason, Reason::inappropriate_fallback);
}

TEST(Tls12, AgreesOnAnApplicationProtocol) {
  Pair pair(built(old_client().alpn({"h2", "http/1.1"})), built(old_server().alpn({"http/1.1"})));
  pair.run();
  expect_tls12(pair);
  EXPECT_EQ(pair.client.connection.alpn(), "http/1.1");
  EXPECT_EQ(pair.server.connection.alpn(), "http/1.1");

  Pair none(built(old_client().alpn({"h2"})), built(old_server().alpn({"http/1.1"})));
  none.run();
  ASSERT_TRUE(none.server.error);
  EXPECT_EQ(none.server.error->reason, Reason::alpn_mismatch);
}

TEST(Tls12, ExportsTheSameOnBothSides) {
  Pair pair(built(old_client().key_log(true)), built(old_server()));
  pair.run();
  expect_tls12(pair);
  const auto exported = [](End& end, std::optional<Bytes> context) {
    std::vector<std::uint8_t> out(40);
    EXPECT_TRUE(end.connection.export_keying_material("EXPORTER-test", context, out));
    return out;
  };
  EXPECT_EQ(exported(pair.client, std::nullopt), exported(pair.server, std::nullopt));
  EXPECT_EQ(exported(pair.client, Bytes()), exported(pair.server, Bytes()));
  // RFC 5705 4: no context is not an empty one.
  EXPECT_NE(exported(pair.client, std::nullopt), exported(pair.client, Bytes()));
  EXPECT_EQ(pair.client.secrets_logged, (std::vector<std::string>{"CLIENT_RANDOM"}));
}

TEST(Tls12, KeepsItsKeys) {
  Pair pair(built(old_client().key_update_after(16384)), built(old_server()));
  pair.run();
  expect_tls12(pair);
  EXPECT_EQ(pair.client.connection.update_keys(false).error(), Misuse::not_in_tls12);
  const std::vector<std::uint8_t> much(100'000, 7);
  pair.send(pair.client, much);
  pair.run();
  EXPECT_EQ(pair.server.data, much);
  EXPECT_FALSE(pair.server.key_updated);
}

// What protects records elsewhere gets the keys that the peer has: a record made with them is opened.
TEST(Tls12, HandsItsKeysOut) {
  for (const CipherSuite suite : {CipherSuite::tls_ecdhe_ecdsa_with_aes_128_gcm_sha256,
                                  CipherSuite::tls_ecdhe_ecdsa_with_chacha20_poly1305_sha256}) {
    if (!provider().supports(suite) || usual_key() != KeyType::ec_p256) continue;
    Pair pair(built(client_builder().suites({suite})), built(server_builder()));
    pair.run();
    expect_tls12(pair);
    expect_echo(pair);
    ASSERT_TRUE(pair.client.connection.offload(Direction::send));
    pair.run();
    ASSERT_EQ(pair.client.traffic_keys.size(), 1U);
    const TrafficKeys& keys = pair.client.traffic_keys.front();
    EXPECT_EQ(keys.version, kTls12);
    EXPECT_EQ(keys.sequence, 2U);  // Finished and "ping"
    const bool explicit_nonce = keys.aead != AeadAlgorithm::chacha20_poly1305;
    record::Sealer sealer;
    ASSERT_TRUE(sealer.install(
        *provider().aead(keys.aead), keys.key(), explicit_nonce ? Bytes(keys.iv).first(4) : Bytes(keys.iv),
        explicit_nonce ? record::RecordFormat::tls12_explicit_nonce : record::RecordFormat::tls12_implicit_nonce));
    std::vector<std::uint8_t> out(1000);
    for (std::uint64_t skipped = 0; skipped < keys.sequence; ++skipped) {
      const Bytes nothing = as_bytes("x");
      ASSERT_TRUE(sealer.seal(ContentType::application_data, {&nothing, 1}, {}, out));
    }
    const Bytes text = as_bytes("from elsewhere");
    const auto sealed = sealer.seal(ContentType::application_data, {&text, 1}, {}, out);
    ASSERT_TRUE(sealed);
    pair.server.data.clear();
    pair.to_server().assign(out.begin(), out.begin() + static_cast<std::ptrdiff_t>(sealed->written));
    pair.run();
    EXPECT_EQ(as_text(pair.server.data), "from elsewhere") << error_text(pair.server);
  }
  if (!provider().supports(CipherSuite::tls_ecdhe_ecdsa_with_aes_128_cbc_sha256)) return;
  Pair cbc(built(client_builder().suites({CipherSuite::tls_ecdhe_ecdsa_with_aes_128_cbc_sha256})),
           built(server_builder().suites({CipherSuite::tls_ecdhe_ecdsa_with_aes_128_cbc_sha256})));
  cbc.run();
  expect_tls12(cbc);
  EXPECT_EQ(cbc.client.connection.offload(Direction::send).error(), Misuse::no_aead);
}

TEST(Tls12, Closes) {
  Pair pair(built(old_client()), built(old_server()));
  pair.run();
  expect_tls12(pair);
  pair.client.connection.close();
  pair.run();
  EXPECT_TRUE(pair.server.peer_closed);
  pair.send(pair.server, "still");
  pair.run();
  EXPECT_EQ(as_text(pair.client.data), "still");
}

// RFC 9846 4.2.3: a client that speaks TLS 1.3 is not brought to TLS 1.2 by somebody in the middle.
TEST(Tls12, IsNotForcedOnThoseWhoHaveMore) {
  Pair pair(built(client_builder()), built(server_builder()));
  std::vector<std::uint8_t>& wire = pair.to_server();
  pair.step(pair.client, pair.to_server(), pair.to_client());
  // supported_versions (43) becomes an extension that nobody knows.
  const auto found = std::ranges::search(wire, std::array<std::uint8_t, 5>{0, 43, 0, 7, 6});
  ASSERT_FALSE(found.empty());
  found[1] = 200;
  pair.run();
  ASSERT_TRUE(pair.client.error);
  EXPECT_EQ(pair.client.error->reason, Reason::version_downgrade) << error_text(pair.client);
}

// RFC 9846 B.4: its suites are not for TLS 1.3, even where both versions were offered.
TEST(Tls12, KeepsItsSuitesToItself) {
  Pair pair(built(client_builder()), built(server_builder()));
  pair.step(pair.client, pair.to_server(), pair.to_client());
  for (int times = 0; times < 2; ++times) pair.step(pair.server, pair.to_client(), pair.to_server());
  std::vector<std::uint8_t>& wire = pair.to_client();
  constexpr std::size_t kSuite = 5 + 4 + 2 + 32 + 1 + 32;  // behind a session id of full length
  ASSERT_GT(wire.size(), kSuite + 2);
  ASSERT_EQ(wire[kSuite], 0x13);
  wire[kSuite] = 0xc0;
  wire[kSuite + 1] = 0x2b;
  pair.run();
  ASSERT_TRUE(pair.client.error);
  EXPECT_EQ(pair.client.error->reason, Reason::suite_not_offered) << error_text(pair.client);
}

// RFC 9846 E.3.
TEST(Tls12, IsRefusedAfterEarlyData) {
  const auto client = built(client_builder().early_data(100));
  Pair first(client, built(server_builder().early_data(100)));
  first.server.ticket_keys = ticket_keys();
  first.run();
  ASSERT_FALSE(first.client.sessions.empty()) << error_text(first.client);
  Session offered = first.client.sessions.front().clone();
  ASSERT_NE(offered.max_early_data, 0U);
  Pair second(client, built(old_server()), {x509::PeerName::dns("example.com").value(), {&offered, 1}}, {}, 5);
  second.step(second.client, second.to_server(), second.to_client());
  // No more than the ClientHello: what comes before early data would already stop this server.
  std::vector<std::uint8_t>& wire = second.to_server();
  ASSERT_GT(wire.size(), 5U);
  wire.resize(5U + wire[3] * 256U + wire[4]);
  second.run();
  ASSERT_TRUE(second.client.error);
  EXPECT_EQ(second.client.error->reason, Reason::early_data_mismatch) << error_text(second.client);
}

TEST(Tls12, NeedsACommonVersion) {
  constexpr auto kTls13 = ProtocolVersion::tls_1_3;
  Pair newer(built(client_builder().versions(kTls13, kTls13)), built(old_server()));
  newer.run();
  ASSERT_TRUE(newer.server.error);
  EXPECT_EQ(newer.server.error->reason, Reason::version_unsupported);
  Pair older(built(old_client()), built(server_builder().versions(kTls13, kTls13)));
  older.run();
  ASSERT_TRUE(older.server.error);
  EXPECT_EQ(older.server.error->reason, Reason::version_unsupported);
}

}  // namespace
}  // namespace lockstep::testing
