// Whole handshakes: what is agreed, in every way that bytes can be cut.

#include <lockstep/lists.hpp>
#include <lockstep/openssl_options.hpp>

#include "pair.hpp"

namespace lockstep::testing {
namespace {

// Both ends fail with this reason, the other one by the alert.
void expect_failure(const End& finder, const End& other, Reason reason, Alert alert) {
  ASSERT_TRUE(finder.error) << "nothing failed";
  EXPECT_EQ(finder.error->reason, reason) << error_text(finder);
  EXPECT_EQ(finder.error->alert, alert) << error_text(finder);
  ASSERT_TRUE(other.error) << "the alert did not arrive";
  EXPECT_EQ(other.error->reason, Reason::peer_alert) << error_text(other);
  EXPECT_EQ(other.error->alert, alert) << error_text(other);
  EXPECT_EQ(other.error->origin, Origin::peer);
}

std::string printable(std::string_view name) {
  std::string text(name);
  std::ranges::replace_if(text, [](char c) { return std::isalnum(static_cast<unsigned char>(c)) == 0; }, '_');
  return text;
}

TEST(Handshake, AgreesOnTheDefaults) {
  Pair pair(built(client_builder()), built(server_builder()));
  pair.run();
  expect_connected(pair);
  for (const End* end : {&pair.client, &pair.server}) {
    EXPECT_EQ(end->connection.version(), ProtocolVersion::tls_1_3);
    EXPECT_EQ(end->connection.suite(), CipherSuite::tls_aes_128_gcm_sha256);
    EXPECT_EQ(end->connection.group(), NamedGroup::x25519mlkem768);
    EXPECT_FALSE(end->connection.resumed());
    EXPECT_FALSE(end->connection.retried());
    EXPECT_EQ(end->connection.alpn(), "");
  }
  EXPECT_EQ(pair.client.connection.peer_scheme(), SignatureScheme::ecdsa_secp256r1_sha256);
  EXPECT_EQ(pair.server.connection.own_scheme(), SignatureScheme::ecdsa_secp256r1_sha256);
  EXPECT_FALSE(pair.server.connection.peer_scheme());
  EXPECT_EQ(pair.server.server_name, "example.com");
  ASSERT_EQ(pair.client.peer_chain.size(), 1U);
  EXPECT_EQ(pair.client.peer_chain.front(), pair.server.credential->chain.front());
  expect_echo(pair);
}

TEST(Handshake, ShowsFinishedMessagesAndSharedSchemes) {
  Pair pair(built(client_builder().schemes({SignatureScheme::ed25519, SignatureScheme::ecdsa_secp256r1_sha256})),
            built(server_builder()));
  pair.run();
  expect_connected(pair);
  EXPECT_EQ(pair.client.own_finished.size(), 32U);
  EXPECT_EQ(pair.client.own_finished, pair.server.peer_finished);
  EXPECT_EQ(pair.server.own_finished, pair.client.peer_finished);
  EXPECT_NE(pair.server.own_finished, pair.client.own_finished);
  EXPECT_EQ(pair.server.shared_schemes,
            (std::vector{SignatureScheme::ecdsa_secp256r1_sha256, SignatureScheme::ed25519}));
}

TEST(Handshake, FollowsAClientWhoseMachineIsSlowAtAes) {
  const std::vector chacha_first{CipherSuite::tls_chacha20_poly1305_sha256, CipherSuite::tls_aes_128_gcm_sha256};
  Pair follows(built(client_builder().suites(chacha_first)), built(server_builder()));
  follows.run();
  EXPECT_EQ(follows.client.connection.suite(), CipherSuite::tls_chacha20_poly1305_sha256);
  Pair insists(
      built(client_builder().suites(chacha_first)),
      built(server_builder().suites({CipherSuite::tls_aes_128_gcm_sha256, CipherSuite::tls_chacha20_poly1305_sha256})));
  insists.run();
  EXPECT_EQ(insists.client.connection.suite(), CipherSuite::tls_aes_128_gcm_sha256);
}

TEST(Handshake, LeadsWithChaCha20WhereAesIsSlow) {
  Provider slow = provider();
  slow.fast_aes = false;
  EXPECT_EQ(built(allowed(ConfigBuilder::client(slow)))->settings().suites.front().suite,
            CipherSuite::tls_chacha20_poly1305_sha256);
  EXPECT_EQ(built(allowed(ConfigBuilder::client(slow)).prefer_chacha20(false))->settings().suites.front().suite,
            CipherSuite::tls_aes_128_gcm_sha256);
}

TEST(Handshake, TellsEventsInCausalOrder) {
  Pair pair(built(client_builder()), built(server_builder().tickets(1)));
  pair.run();
  expect_connected(pair);
  EXPECT_EQ(pair.client.events, (std::vector<std::string>{"verify_peer", "complete"}));
  EXPECT_EQ(pair.server.events, (std::vector<std::string>{"select_credential", "sign", "complete", "seal_ticket"}));
}

class HandshakeSuite : public ::testing::TestWithParam<CipherSuite> {};
TEST_P(HandshakeSuite, Connects) {
  Pair pair(built(client_builder().suites({GetParam()})), built(server_builder().suites({GetParam()})));
  pair.run();
  expect_connected(pair);
  EXPECT_EQ(pair.client.connection.suite(), GetParam());
  expect_echo(pair);
}
INSTANTIATE_TEST_SUITE_P(Known, HandshakeSuite, ::testing::ValuesIn(suites(ProtocolVersion::tls_1_3)),
                         [](const auto& param_info) { return printable(name(param_info.param)); });

class HandshakeGroup : public ::testing::TestWithParam<NamedGroup> {};
TEST_P(HandshakeGroup, ConnectsWithItsShare) {
  Pair pair(built(client_builder().groups({GetParam()})), built(server_builder().groups({GetParam()})));
  pair.run();
  expect_connected(pair);
  EXPECT_EQ(pair.client.connection.group(), GetParam());
  EXPECT_EQ(pair.server.connection.group(), GetParam());
  EXPECT_FALSE(pair.client.connection.retried());
  expect_echo(pair);
}
TEST_P(HandshakeGroup, ConnectsAfterHelloRetryRequest) {
  const NamedGroup other = GetParam() == NamedGroup::secp256r1 ? NamedGroup::x25519 : NamedGroup::secp256r1;
  Pair pair(built(client_builder().groups({other, GetParam()}).key_shares({other})),
            built(server_builder().groups({GetParam()})));
  pair.run();
  expect_connected(pair);
  EXPECT_EQ(pair.client.connection.group(), GetParam());
  EXPECT_TRUE(pair.client.connection.retried());
  EXPECT_TRUE(pair.server.connection.retried());
  expect_echo(pair);
}
INSTANTIATE_TEST_SUITE_P(Known, HandshakeGroup, ::testing::ValuesIn(groups(ProtocolVersion::tls_1_3)),
                         [](const auto& param_info) { return printable(name(param_info.param)); });

std::vector<SignatureScheme> handshake_schemes() {
  std::vector<SignatureScheme> list;
  for (const SignatureScheme scheme : known_schemes()) {
    if (!parts(scheme)->certificates_only) list.push_back(scheme);
  }
  return list;
}
class HandshakeScheme : public ::testing::TestWithParam<SignatureScheme> {};
TEST_P(HandshakeScheme, AuthenticatesBothSides) {
  const KeyType key = parts(GetParam())->key;
  Pair pair(built(client_builder().schemes({GetParam()})),
            built(server_builder().schemes({GetParam()}).client_auth(ClientAuth::require)));
  pair.server.credential = credential_of(key);
  pair.client.credential = credential_of(key, "client.example");
  pair.run();
  expect_connected(pair);
  EXPECT_EQ(pair.client.connection.peer_scheme(), GetParam());
  EXPECT_EQ(pair.client.connection.own_scheme(), GetParam());
  EXPECT_EQ(pair.server.connection.peer_scheme(), GetParam());
  ASSERT_EQ(pair.server.peer_chain.size(), 1U);
  EXPECT_EQ(pair.server.peer_chain.front(), pair.client.credential->chain.front());
  expect_echo(pair);
}
INSTANTIATE_TEST_SUITE_P(Known, HandshakeScheme, ::testing::ValuesIn(handshake_schemes()),
                         [](const auto& param_info) { return printable(name(param_info.param)); });

TEST(Handshake, SignsWithLessThanItVerifies) {
  // Its ECDSA key signs with that alone; from its client it takes Ed25519 alone.
  Pair pair(built(client_builder()), built(server_builder()
                                               .schemes({SignatureScheme::ed25519})
                                               .signing_schemes({SignatureScheme::ecdsa_secp256r1_sha256})
                                               .client_auth(ClientAuth::require)));
  pair.server.credential = credential_of(KeyType::ec_p256);
  pair.client.credential = credential_of(KeyType::ed25519, "client.example");
  pair.run();
  expect_connected(pair);
  EXPECT_EQ(pair.server.connection.own_scheme(), SignatureScheme::ecdsa_secp256r1_sha256);
  EXPECT_EQ(pair.server.connection.peer_scheme(), SignatureScheme::ed25519);
  EXPECT_EQ(pair.server.shared_schemes, std::vector{SignatureScheme::ecdsa_secp256r1_sha256});
}

TEST(Handshake, FollowsTheClientInGroupsAlone) {
  for (const bool alone : {false, true}) {
    ServerConfigBuilder builder = server_builder().groups({NamedGroup::x25519, NamedGroup::secp256r1});
    builder.server_preference(true).server_preference_of_groups(!alone);
    const auto config = built(builder);
    // A configuration that is made of another keeps both.
    const auto again = built(ConfigBuilder::from(*config));
    Pair pair(built(client_builder()
                        .groups({NamedGroup::secp256r1, NamedGroup::x25519})
                        .key_shares({NamedGroup::secp256r1, NamedGroup::x25519})),
              again);
    pair.run();
    ASSERT_TRUE(pair.client.connection.connected()) << error_text(pair.client);
    EXPECT_EQ(pair.client.connection.group(), alone ? NamedGroup::secp256r1 : NamedGroup::x25519);
  }
}

TEST(Handshake, DoesNotSignWithWhatItOnlyVerifies) {
  Pair pair(built(client_builder()), built(server_builder().signing_schemes({SignatureScheme::ed25519})));
  pair.server.credential = credential_of(KeyType::ec_p256);
  pair.run();
  ASSERT_TRUE(pair.server.error);
  EXPECT_EQ(pair.server.error->reason, Reason::scheme_unsupported);
  EXPECT_EQ(pair.server.error->alert, Alert::handshake_failure);
}

// A group that comes first is worth a round trip to those who say so.
TEST(Handshake, RetriesForAPreferredGroup) {
  for (const bool wanted : {false, true}) {
    for (const bool ours : {true, false}) {
      const std::vector preferred{NamedGroup::secp256r1, NamedGroup::x25519};
      const std::vector others{NamedGroup::x25519, NamedGroup::secp256r1};
      Pair pair(
          built(client_builder().groups(ours ? others : preferred).key_shares({NamedGroup::x25519})),
          built(server_builder().groups(ours ? preferred : others).server_preference(ours).retry_for_group(wanted)));
      pair.run();
      ASSERT_TRUE(pair.client.connection.connected()) << error_text(pair.client);
      EXPECT_EQ(pair.client.connection.retried(), wanted);
      EXPECT_EQ(pair.client.connection.group(), wanted ? NamedGroup::secp256r1 : NamedGroup::x25519);
    }
  }
}

// The most tickets that may be set, with the longest names, in the memory that is the default.
TEST(Handshake, SendsAsManyTicketsAsMayBeSet) {
  const std::string protocol(255, 'p');
  const std::string name = std::string(60, 'a') + '.' + std::string(60, 'b') + '.' + std::string(60, 'c') + '.' +
                           std::string(60, 'd') + ".example";
  Pair pair(built(client_builder().alpn({protocol})), built(server_builder().alpn({protocol}).tickets(kMaxTickets)),
            {x509::PeerName::dns(name).value(), {}});
  FixedRandom random(11);
  pair.server.ticket_keys =
      std::make_shared<TicketKeys>(allowed_ticket_keys(TicketKey::generate(random).value()).value());
  pair.run();
  ASSERT_TRUE(pair.client.connection.connected()) << error_text(pair.client);
  ASSERT_TRUE(pair.server.connection.connected()) << error_text(pair.server);
  EXPECT_EQ(pair.client.sessions.size(), kMaxTickets);
}

// The same handshake whatever the sizes in which bytes arrive and leave: with HelloRetryRequest, client authentication
// and tickets, so that every message passes.
class HandshakeWire : public ::testing::TestWithParam<Wire> {};
TEST_P(HandshakeWire, ConnectsInAnyPieces) {
  auto server_config =
      built(server_builder().groups({NamedGroup::secp384r1}).client_auth(ClientAuth::require).cookie(true));
  Pair pair(built(client_builder()), server_config, {x509::PeerName::dns("example.com").value(), {}}, GetParam());
  pair.client.credential = credential_of(KeyType::ed25519);
  FixedRandom random(9);
  pair.server.ticket_keys =
      std::make_shared<TicketKeys>(allowed_ticket_keys(TicketKey::generate(random).value()).value());
  pair.run();
  expect_connected(pair);
  EXPECT_EQ(pair.client.sessions.size(), 2U);
  const std::vector<std::uint8_t> bulk(50'000, 0x5a);
  pair.send(pair.client, bulk);
  pair.run();
  EXPECT_EQ(pair.server.data, bulk);
  pair.client.connection.close();
  pair.run();
  EXPECT_TRUE(pair.server.peer_closed);
}
INSTANTIATE_TEST_SUITE_P(Sizes, HandshakeWire,
                         ::testing::Values(Wire{65536, 0}, Wire{65536, 1}, Wire{65536, 2}, Wire{65536, 3},
                                           Wire{65536, 7}, Wire{65536, 100}, Wire{65536, 1500}, Wire{1, 0}, Wire{1, 1},
                                           Wire{5, 13}, Wire{64, 0}, Wire{100, 0}, Wire{1400, 0}),
                         [](const auto& param_info) {
                           return "out" + std::to_string(param_info.param.outbound) + "_in" +
                                  std::to_string(param_info.param.chunk);
                         });

TEST(Handshake, WorksWithAndWithoutMiddleboxCompatibility) {
  for (const bool client_side : {false, true}) {
    for (const bool server_side : {false, true}) {
      Pair pair(built(client_builder().middlebox_compatibility(client_side)),
                built(server_builder().middlebox_compatibility(server_side)));
      pair.run();
      expect_connected(pair);
      expect_echo(pair);
    }
  }
}

TEST(Handshake, SendsChangeCipherSpecOnlyInCompatibilityMode) {
  for (const bool compatibility : {false, true}) {
    Pair pair(built(client_builder().middlebox_compatibility(compatibility)), built(server_builder()));
    pair.step(pair.client, pair.to_server(), pair.to_client());
    std::vector<std::uint8_t> sent;
    pair.step(pair.server, pair.to_client(), pair.to_server());
    pair.step(pair.server, pair.to_client(), pair.to_server());
    const std::vector<std::uint8_t> dummy{20, 3, 3, 0, 1, 1};
    const bool found = !std::ranges::search(pair.to_client(), dummy).empty();
    EXPECT_EQ(found, compatibility);
  }
}

// RFC 9846 E.4: an alert can be all of a client's second flight.
TEST(Handshake, SendsChangeCipherSpecBeforeAnEncryptedAlert) {
  for (const bool compatibility : {false, true}) {
    Pair pair(built(client_builder().middlebox_compatibility(compatibility)), built(server_builder()));
    pair.client.rejection = PeerRejected{};
    pair.step(pair.client, pair.to_server(), pair.to_client());
    for (int i = 0; i < 2; ++i) pair.step(pair.server, pair.to_client(), pair.to_server());
    ASSERT_TRUE(pair.to_server().empty());
    for (int i = 0; i < 2; ++i) pair.step(pair.client, pair.to_server(), pair.to_client());
    const std::vector<std::uint8_t> dummy{20, 3, 3, 0, 1, 1};
    const std::size_t before = compatibility ? dummy.size() : 0;
    EXPECT_EQ(std::ranges::search(pair.to_server(), dummy).empty(), !compatibility);
    // header, level and description, content type, tag
    EXPECT_EQ(pair.to_server().size(), before + 5 + 2 + 1 + 16);
    pair.run();
    ASSERT_NE(pair.client.connection.error(), nullptr);
    EXPECT_EQ(pair.client.connection.error()->reason, Reason::certificate_rejected);
    ASSERT_NE(pair.server.connection.error(), nullptr);
    EXPECT_EQ(pair.server.connection.error()->alert, Alert::certificate_unknown);
  }
}

// Where the transport has ended nobody reads an alert, nor the change_cipher_spec before it.
TEST(Handshake, SendsNothingWhenTheTransportEnds) {
  Pair pair(built(client_builder()), built(server_builder()));
  pair.step(pair.client, pair.to_server(), pair.to_client());
  for (int i = 0; i < 2; ++i) pair.step(pair.server, pair.to_client(), pair.to_server());
  // ServerHello alone, so that the client has a key to send with and has not sent with it.
  const std::size_t first = 5U + pair.to_client()[3] * 256U + pair.to_client()[4];
  pair.to_client().resize(first);
  std::vector<std::uint8_t> hello = pair.to_client();
  ASSERT_EQ(pair.client.connection.receive(hello, kNow).consumed, first);
  pair.client.treat(pair.client.connection.receive_end());
  ASSERT_TRUE(pair.client.error);
  EXPECT_EQ(pair.client.error->reason, Reason::truncated);
  EXPECT_FALSE(pair.client.connection.transmit_pending());
}

TEST(Handshake, SendsAllTicketsInOneRecord) {
  Pair pair(built(client_builder()), built(server_builder().tickets(2)));
  auto keys = allowed_ticket_keys(TicketKey::generate(pair.server.random).value());
  pair.server.ticket_keys = std::make_shared<TicketKeys>(std::move(*keys));
  pair.step(pair.client, pair.to_server(), pair.to_client());
  for (int i = 0; i < 2; ++i) pair.step(pair.server, pair.to_client(), pair.to_server());
  for (int i = 0; i < 2; ++i) pair.step(pair.client, pair.to_server(), pair.to_client());
  ASSERT_TRUE(pair.to_client().empty());
  for (int i = 0; i < 2; ++i) pair.step(pair.server, pair.to_client(), pair.to_server());
  ASSERT_GT(pair.to_client().size(), 5U);
  const std::size_t length = pair.to_client()[3] * 256U + pair.to_client()[4];
  EXPECT_EQ(pair.to_client().size(), 5 + length);
  pair.run();
  ASSERT_EQ(pair.client.sessions.size(), 2U);
  // RFC 9846 4.7.1, of ticket_age_add: "The server MUST generate a fresh value for each ticket it sends."
  EXPECT_NE(pair.client.sessions[0].ticket_age_add, pair.client.sessions[1].ticket_age_add);
}

// change_cipher_spec never stands inside a handshake message, however small the records are.
TEST(Handshake, KeepsMessagesWholeInSmallRecords) {
  for (const bool retry : {false, true}) {
    auto server = server_builder().max_send_fragment(64);
    if (retry) server.groups({NamedGroup::secp521r1});
    Pair pair(built(client_builder().max_send_fragment(64)), built(server));
    pair.run();
    expect_connected(pair);
    EXPECT_EQ(pair.client.connection.retried(), retry);
    expect_echo(pair);
  }
}

TEST(Handshake, WorksWithAndWithoutGrease) {
  for (const bool grease : {false, true}) {
    Pair pair(built(client_builder().grease(grease)), built(server_builder()));
    pair.run();
    expect_connected(pair);
  }
}

TEST(Handshake, SendsCookieAndChecksIt) {
  Pair pair(built(client_builder()), built(server_builder().cookie(true)));
  pair.run();
  expect_connected(pair);
  EXPECT_TRUE(pair.client.connection.retried());
  EXPECT_EQ(pair.client.connection.group(), NamedGroup::x25519mlkem768);
}

TEST(Handshake, FollowsPreferences) {
  const std::vector suites{CipherSuite::tls_chacha20_poly1305_sha256, CipherSuite::tls_aes_256_gcm_sha384};
  const std::vector reversed(suites.rbegin(), suites.rend());
  for (const bool server_decides : {true, false}) {
    Pair pair(built(client_builder().suites(suites)),
              built(server_builder().suites(reversed).server_preference(server_decides)));
    pair.run();
    expect_connected(pair);
    EXPECT_EQ(pair.client.connection.suite(), server_decides ? reversed.front() : suites.front());
  }
}

TEST(Handshake, FollowsTheClientWithinARank) {
  constexpr auto k128 = CipherSuite::tls_aes_128_gcm_sha256;
  constexpr auto k256 = CipherSuite::tls_aes_256_gcm_sha384;
  constexpr auto kChaCha20 = CipherSuite::tls_chacha20_poly1305_sha256;
  const auto chosen = [](const std::vector<CipherSuite>& offered, const RankedSuites& ranks) {
    Pair pair(built(client_builder().suites(offered)), built(server_builder().ranked_suites(ranks)));
    pair.run();
    expect_connected(pair);
    return pair.client.connection.suite();
  };
  EXPECT_EQ(chosen({k128, kChaCha20, k256}, {{k256, kChaCha20}, {k128}}), kChaCha20);
  EXPECT_EQ(chosen({k128, k256, kChaCha20}, {{k256, kChaCha20}, {k128}}), k256);
  EXPECT_EQ(chosen({k256, kChaCha20, k128}, {{k128}, {k256, kChaCha20}}), k128);
  EXPECT_EQ(chosen({k256, k128}, {{kChaCha20}, {k128, k256}}), k256);
}

TEST(Handshake, AgreesOnApplicationProtocol) {
  Pair pair(built(client_builder().alpn({"h2", "http/1.1"})), built(server_builder().alpn({"http/1.1", "h2"})));
  pair.run();
  expect_connected(pair);
  EXPECT_EQ(pair.client.connection.alpn(), "http/1.1");
  EXPECT_EQ(pair.server.connection.alpn(), "http/1.1");
  EXPECT_EQ(pair.server.alpn_offered, (std::vector<std::string>{"h2", "http/1.1"}));
  EXPECT_TRUE(pair.client.alpn_offered.empty());
}

TEST(Handshake, GoesOnWhenOnlyOneSideKnowsProtocols) {
  Pair one(built(client_builder().alpn({"h2"})), built(server_builder()));
  one.run();
  expect_connected(one);
  EXPECT_EQ(one.client.connection.alpn(), "");
  Pair other(built(client_builder()), built(server_builder().alpn({"h2"})));
  other.run();
  expect_connected(other);
}

TEST(Handshake, FailsWithoutCommonProtocol) {
  Pair pair(built(client_builder().alpn({"h2"})), built(server_builder().alpn({"smtp"})));
  pair.run();
  expect_failure(pair.server, pair.client, Reason::alpn_mismatch, Alert::no_application_protocol);
}

TEST(Handshake, FailsWithoutCommonSuite) {
  Pair pair(built(client_builder().suites({CipherSuite::tls_aes_128_gcm_sha256})),
            built(server_builder().suites({CipherSuite::tls_aes_256_gcm_sha384})));
  pair.run();
  expect_failure(pair.server, pair.client, Reason::suite_unsupported, Alert::handshake_failure);
}

TEST(Handshake, FailsWithoutCommonGroup) {
  Pair pair(built(client_builder().groups({NamedGroup::x25519})), built(server_builder().groups({NamedGroup::x448})));
  pair.run();
  expect_failure(pair.server, pair.client, Reason::group_unsupported, Alert::handshake_failure);
}

TEST(Handshake, FailsWithoutCommonScheme) {
  Pair pair(built(client_builder().schemes({SignatureScheme::ed25519})), built(server_builder()));
  pair.run();
  expect_failure(pair.server, pair.client, Reason::scheme_unsupported, Alert::handshake_failure);
}

TEST(Handshake, FailsWithoutCredential) {
  Pair pair(built(client_builder()), built(server_builder()));
  pair.server.credential = nullptr;
  pair.run();
  expect_failure(pair.server, pair.client, Reason::no_credential, Alert::handshake_failure);
}

TEST(Handshake, FailsWhenTheServerIsRejected) {
  Pair pair(built(client_builder()), built(server_builder()));
  pair.client.rejection = PeerRejected{Reason::certificate_expired, 10};
  pair.run();
  expect_failure(pair.client, pair.server, Reason::certificate_expired, Alert::certificate_expired);
  EXPECT_EQ(pair.client.error->detail, 10);
  EXPECT_EQ(pair.client.error->place, Place::certificate);
  EXPECT_FALSE(pair.client.connection.connected());
}

TEST(Handshake, FailsWhenSigningFails) {
  Pair pair(built(client_builder()), built(server_builder()));
  pair.server.sign_fails = true;
  pair.run();
  expect_failure(pair.server, pair.client, Reason::signing_failed, Alert::internal_error);
}

TEST(Handshake, FailsWhenATokenIsDropped) {
  Pair pair(built(client_builder()), built(server_builder()));
  pair.server.drop_tokens = true;
  pair.run();
  expect_failure(pair.server, pair.client, Reason::token_dropped, Alert::internal_error);
}

TEST(Handshake, SkipsVerificationOnlyWhenToldTo) {
  Pair pair(built(client_builder().dangerous().skip_verification()), built(server_builder()));
  pair.run();
  expect_connected(pair);
  EXPECT_EQ(pair.client.events, (std::vector<std::string>{"complete"}));
}

TEST(ClientAuthentication, IsOptionalWhenRequested) {
  Pair pair(built(client_builder()), built(server_builder().client_auth(ClientAuth::request)));
  pair.run();
  expect_connected(pair);
  EXPECT_TRUE(pair.server.peer_chain.empty());
  EXPECT_FALSE(pair.server.connection.peer_scheme());
}

TEST(ClientAuthentication, FailsWithoutCertificateWhenRequired) {
  Pair pair(built(client_builder()), built(server_builder().client_auth(ClientAuth::require)));
  pair.run();
  expect_failure(pair.server, pair.client, Reason::certificate_required, Alert::certificate_required);
}

TEST(ClientAuthentication, FailsWhenTheClientIsRejected) {
  Pair pair(built(client_builder()), built(server_builder().client_auth(ClientAuth::require)));
  pair.client.credential = credential_of(KeyType::ec_p256);
  pair.server.rejection = PeerRejected{Reason::certificate_unknown_ca, 20};
  pair.run();
  expect_failure(pair.server, pair.client, Reason::certificate_unknown_ca, Alert::unknown_ca);
}

TEST(ClientAuthentication, CredentialWithoutAChainIsNone) {
  Credential bare = *credential_of(usual_key());
  bare.chain.clear();
  for (const ClientAuth mode : {ClientAuth::request, ClientAuth::require}) {
    Pair pair(built(client_builder()), built(server_builder().client_auth(mode)));
    pair.client.credential = std::make_shared<const Credential>(bare);
    pair.run();
    EXPECT_EQ(std::ranges::count(pair.client.events, "sign"), 0);
    if (mode == ClientAuth::request) {
      EXPECT_TRUE(pair.server.connection.connected()) << error_text(pair.server);
    } else {
      expect_failure(pair.server, pair.client, Reason::certificate_required, Alert::certificate_required);
    }
  }
}

TEST(ClientAuthentication, NamesAuthorities) {
  const auto issuer = credential_of(KeyType::ec_p256);
  const auto authority = x509::Certificate::parse(issuer->chain.front())->subject().der();
  Pair pair(built(client_builder()), built(server_builder()
                                               .client_auth(ClientAuth::request)
                                               .certificate_authorities({{authority.begin(), authority.end()}})));
  std::vector<std::vector<std::uint8_t>> names;
  // The question is looked at by hand, then answered.
  pair.client.credential = nullptr;
  bool asked = false;
  for (int i = 0; i < 10 && !asked; ++i) {
    pair.step(pair.server, pair.to_client(), pair.to_server());
    std::vector<std::uint8_t> buffer(65536);
    while (const auto size = pair.client.connection.transmit(buffer, kNow))
      pair.to_server().insert(pair.to_server().end(), buffer.begin(),
                              buffer.begin() + static_cast<std::ptrdiff_t>(size));
    for (;;) {
      auto [consumed, event] = pair.client.connection.receive(pair.to_client(), kNow);
      pair.to_client().erase(pair.to_client().begin(),
                             pair.to_client().begin() + static_cast<std::ptrdiff_t>(consumed));
      if (auto* question = std::get_if<SelectCredential>(&event)) {
        asked = true;
        for (const Bytes name : question->certificate_authorities) names.emplace_back(name.begin(), name.end());
        EXPECT_EQ(question->role, Role::client);
        EXPECT_FALSE(question->schemes.empty());
        EXPECT_TRUE(std::ranges::find(question->schemes_cert, SignatureScheme::rsa_pkcs1_sha256) !=
                    question->schemes_cert.end());
        break;
      }
      if (!pair.client.treat(std::move(event)) && consumed == 0) break;
    }
  }
  ASSERT_TRUE(asked);
  ASSERT_EQ(names.size(), 1U);
  EXPECT_TRUE(equal(names.front(), authority));
}

// A suspended operation may be answered at any later moment: meanwhile nothing is consumed and transmit works.
TEST(SuspendedOperations, WaitForLateAnswers) {
  auto client_config = built(client_builder());
  auto server_config = built(server_builder());
  FixedRandom client_random(1);
  FixedRandom server_random(2);
  Connection client =
      Connection::client(client_config, {x509::PeerName::dns("example.com").value(), {}}, client_random, kNow);
  Connection server = Connection::server(server_config, server_random);
  std::vector<std::uint8_t> wire(65536);
  wire.resize(client.transmit(wire, kNow));

  auto first = server.receive(wire, kNow);
  ASSERT_TRUE(std::holds_alternative<SelectCredential>(first.event));
  EXPECT_EQ(first.consumed, wire.size());
  EXPECT_TRUE(server.awaiting_answer());
  auto question = std::move(std::get<SelectCredential>(first.event));
  for (int i = 0; i < 3; ++i) {
    std::vector<std::uint8_t> garbage(100, 0xff);
    const auto again = server.receive(garbage, kNow);
    EXPECT_EQ(again.consumed, 0U);
    EXPECT_TRUE(std::holds_alternative<Nothing>(again.event));
  }
  const auto credential = credential_of(KeyType::ec_p256);
  Connection moved = std::move(server);  // the token finds the connection wherever it is
  ASSERT_TRUE(moved.answer(std::move(question.token), credential));

  auto second = moved.receive({}, kNow);
  ASSERT_TRUE(std::holds_alternative<Sign>(second.event));
  auto sign = std::move(std::get<Sign>(second.event));
  // ServerHello may leave before the signature is there.
  std::vector<std::uint8_t> early(65536);
  early.resize(moved.transmit(early, kNow));
  EXPECT_GT(early.size(), 100U);
  std::vector<std::uint8_t> signature(kMaxSignatureSize);
  signature.resize(credential->key->sign(sign.scheme, sign.message, server_random, signature));
  ASSERT_TRUE(moved.answer(std::move(sign.token), Bytes(signature)));
  std::vector<std::uint8_t> rest(65536);
  rest.resize(moved.transmit(rest, kNow));
  early.insert(early.end(), rest.begin(), rest.end());

  std::size_t used = 0;
  bool complete = false;
  for (int i = 0; i < 20 && !complete; ++i) {
    auto [consumed, event] = client.receive(MutableBytes(early).subspan(used), kNow);
    used += consumed;
    if (auto* verify = std::get_if<VerifyPeer>(&event)) {
      EXPECT_EQ(verify->name.host_name(), "example.com");
      ASSERT_TRUE(client.answer(std::move(verify->token), PeerAccepted{}));
    }
    complete = std::holds_alternative<HandshakeComplete>(event);
  }
  EXPECT_TRUE(complete);
  EXPECT_EQ(used, early.size());
}

TEST(ServerName, IsAnotherThanTheOneExpectedWhereThatIsSaid) {
  const auto names = [](const char* name) { return x509::PeerName::parse(name).value(); };
  struct Case {
    x509::PeerName name;
    std::optional<x509::PeerName> server_name;
    std::string_view asked_for;
    std::string_view judged_by;
  };
  const Case cases[]{
      {names("example.com"), std::nullopt, "example.com", "example.com"},
      {names("example.com"), names("front.example"), "front.example", "example.com"},
      {names("example.com"), x509::NoNameCheck{}, "", "example.com"},
      {names("example.com"), names("192.0.2.1"), "", "example.com"},
      {names("192.0.2.1"), names("example.com"), "example.com", "192.0.2.1"},
      {x509::NoNameCheck{}, names("example.com"), "example.com", ""},
      {names("192.0.2.1"), std::nullopt, "", "192.0.2.1"},
  };
  FixedRandom random(11);
  auto keys = allowed_ticket_keys(TicketKey::generate(random).value());
  if (!keys) GTEST_SKIP() << "this provider seals no tickets";
  const auto shared_keys = std::make_shared<TicketKeys>(std::move(*keys));
  for (const Case& each : cases) {
    SCOPED_TRACE(std::string(each.asked_for) + " for " + std::string(each.judged_by));
    Pair pair(built(client_builder()), built(server_builder()),
              ClientOptions{.name = each.name, .server_name = each.server_name});
    pair.server.ticket_keys = shared_keys;
    pair.run();
    EXPECT_EQ(pair.server.server_name, each.asked_for);
    EXPECT_EQ(pair.client.judged_name, each.judged_by);
    ASSERT_FALSE(pair.client.sessions.empty());
    EXPECT_EQ(pair.client.sessions[0].name, each.name) << "a session is for whom the certificate was judged by";
    // It was not judged by the other name that is asked for.
    std::vector<Session> sessions = std::move(pair.client.sessions);
    Pair second(built(client_builder()), built(server_builder()),
                ClientOptions{.name = each.name, .sessions = sessions, .server_name = each.server_name});
    second.server.ticket_keys = shared_keys;
    second.run();
    EXPECT_TRUE(second.client.connection.connected());
    EXPECT_EQ(second.client.connection.resumed(), each.asked_for.empty() || each.asked_for == each.judged_by);
  }
}

TEST(SuspendedOperations, WhatIsJudgedOutlivesTheConnection) {
  std::optional<VerifyPeer> question;
  {
    Pair pair(built(client_builder()), built(server_builder()));
    pair.step(pair.client, pair.to_server(), pair.to_client());
    while (pair.step(pair.server, pair.to_client(), pair.to_server())) {
    }
    for (int i = 0; i < 20 && !question; ++i) {
      auto [consumed, event] = pair.client.connection.receive(pair.to_client(), kNow);
      pair.to_client().erase(pair.to_client().begin(),
                             pair.to_client().begin() + static_cast<std::ptrdiff_t>(consumed));
      if (auto* asked = std::get_if<VerifyPeer>(&event)) question.emplace(std::move(*asked));
    }
  }
  ASSERT_TRUE(question);
  EXPECT_EQ(question->shown->chain, credential_of(usual_key())->chain);
  EXPECT_EQ(question->name.host_name(), "example.com");
}

TEST(SuspendedOperations, RefuseTokensOfOthers) {
  const auto config = built(server_builder());
  Pair one(built(client_builder()), config);
  Pair two(built(client_builder()), config);
  SelectCredential first = one.ask_for_credential();
  SelectCredential second = two.ask_for_credential();
  EXPECT_EQ(two.server.connection.answer(std::move(first.token), one.server.credential).error(), Misuse::wrong_token);
  EXPECT_TRUE(two.server.connection.answer(std::move(second.token), one.server.credential));
  EXPECT_EQ(two.server.connection.answer(Token<SelectCredential>(), one.server.credential).error(),
            Misuse::wrong_token);
  // It is spent by an answer that is taken, and by nothing else: whose it is goes on.
  EXPECT_TRUE(one.server.connection.answer(std::move(first.token), one.server.credential));
  one.run();
  two.run();
  EXPECT_TRUE(one.client.connection.connected()) << error_text(one.client);
  EXPECT_TRUE(two.client.connection.connected()) << error_text(two.client);
}

// A token that is dropped elsewhere is told to whoever drives the connection.
TEST(SuspendedOperations, WakeWhenTheirTokenIsDropped) {
  class Waker final : public TokenWaker {
   public:
    void wake() noexcept override { ++times; }
    int times = 0;
  };
  const auto waker = std::make_shared<Waker>();
  Pair pair(built(client_builder()), built(server_builder()));
  pair.server.connection.wake_by(waker);
  SelectCredential question = pair.ask_for_credential();
  EXPECT_EQ(waker->times, 0);
  question.token = {};
  EXPECT_EQ(waker->times, 1);
  auto event = pair.server.connection.receive({}, kNow).event;
  ASSERT_TRUE(std::holds_alternative<Failed>(event));
  EXPECT_EQ(std::get<Failed>(event).error.reason, Reason::token_dropped);
  // One that is answered wakes nobody.
  Pair other(built(client_builder()), built(server_builder()));
  other.server.connection.wake_by(waker);
  other.run();
  EXPECT_EQ(waker->times, 1);
}

TEST(SuspendedOperations, ShowAServerThePointFormatsOfItsClient) {
  if (!provider().supports(CipherSuite::tls_ecdhe_ecdsa_with_aes_128_gcm_sha256)) GTEST_SKIP();
  Pair both(built(client_builder()), built(server_builder()));
  EXPECT_THAT(both.ask_for_credential().ec_point_formats, ::testing::ElementsAre(0)) << "uncompressed (RFC 8422 5.1.2)";
  constexpr auto kNewest = ProtocolVersion::tls_1_3;
  Pair one(built(client_builder().versions(kNewest, kNewest)), built(server_builder()));
  EXPECT_THAT(one.ask_for_credential().ec_point_formats, ::testing::IsEmpty());
}

// The numbers are those of OpenSSL 3.5, include/openssl/ssl.h.
TEST(OpensslOptions, BecomeSettings) {
  constexpr std::uint64_t kNoTicket = 1U << 14U;
  constexpr std::uint64_t kPreference = 1U << 22U;
  constexpr std::uint64_t kNoTls13 = 1U << 29U;
  auto server = server_builder();
  options_from_openssl(kNoTicket | kNoTls13 | (1U << 8U) | (1U << 13U) | (1U << 19U)).value().apply(server);
  const auto served = built(server);
  EXPECT_EQ(served->settings().max_version, ProtocolVersion::tls_1_2);
  EXPECT_FALSE(served->settings().server_preference);
  EXPECT_FALSE(served->settings().encrypt_then_mac);
  EXPECT_FALSE(served->settings().send_tickets);
  EXPECT_TRUE(served->settings().cookie);
  EXPECT_EQ(served->settings().renegotiation, Renegotiation::freely);
  auto client = client_builder();
  options_from_openssl((1U << 2U) | (1U << 27U)).value().apply(client);
  EXPECT_EQ(built(client)->settings().min_version, ProtocolVersion::tls_1_3);
  auto legacy = client_builder();
  options_from_openssl(1U << 2U).value().apply(legacy);
  EXPECT_FALSE(built(legacy)->settings().renegotiation_info_required);
  EXPECT_TRUE(options_from_openssl(kPreference)->server_preference);
  EXPECT_FALSE(options_from_openssl((1U << 8U) | (1U << 30U))->client_renegotiates);
  // SSL_OP_ALL, and what OpenSSL 3 has by default
  EXPECT_TRUE(options_from_openssl(0x8000'0050U | (1U << 17U) | (1U << 20U)));
}

TEST(OpensslOptions, AreRefusedByName) {
  const auto refused = [](std::uint64_t bits) { return options_from_openssl(bits).error(); };
  EXPECT_THAT(refused(1), ::testing::StartsWith("SSL_OP_NO_EXTENDED_MASTER_SECRET: "));
  for (const unsigned place : {7U, 10U, 18U, 23U, 24U, 35U})
    EXPECT_THAT(refused(std::uint64_t{1} << place), ::testing::StartsWith("SSL_OP_")) << place;
  EXPECT_THAT(refused((1U << 27U) | (1U << 29U)), ::testing::HasSubstr("leave no version"));
  for (const unsigned place : {5U, 36U, 63U})
    EXPECT_THAT(refused(std::uint64_t{1} << place), ::testing::HasSubstr("none of OpenSSL's")) << place;
}

TEST(SuspendedOperations, MayOutliveTheirConnection) {
  Token<SelectCredential> token;
  {
    Pair pair(built(client_builder()), built(server_builder()));
    token = pair.ask_for_credential().token;
  }
  EXPECT_TRUE(token);
}

TEST(Handshake, IsReproducible) {
  std::vector<std::uint8_t> first;
  for (int i = 0; i < 2; ++i) {
    Pair pair(built(client_builder()), built(server_builder()));
    pair.step(pair.client, pair.to_server(), pair.to_client());
    pair.step(pair.server, pair.to_client(), pair.to_server());
    pair.step(pair.server, pair.to_client(), pair.to_server());
    std::vector<std::uint8_t> bytes = pair.to_server();
    bytes.insert(bytes.end(), pair.to_client().begin(), pair.to_client().end());
    if (i == 0) {
      first = bytes;
    } else {
      EXPECT_EQ(bytes, first);
    }
  }
  EXPECT_GT(first.size(), 1000U);
}

TEST(Handshake, FailsWithoutRandomness) {
  FixedRandom random(1);
  random.fails = true;
  Connection client =
      Connection::client(built(client_builder()), {x509::PeerName::dns("example.com").value(), {}}, random, kNow);
  auto received = client.receive({}, kNow);
  ASSERT_TRUE(std::holds_alternative<Failed>(received.event));
  EXPECT_EQ(std::get<Failed>(received.event).error.reason, Reason::random_failed);
  EXPECT_EQ(client.error()->reason, Reason::random_failed);
}

// Whether the engine draws or a library does.
TEST(Handshake, OfAServerFailsWithoutRandomness) {
  for (int drawn = 0;; ++drawn) {
    ASSERT_LT(drawn, 100);
    FixedRandom random(1);
    random.draws = drawn;
    Pair pair(built(client_builder()), built(server_builder()));
    pair.server.connection = Connection::server(built(server_builder()), random);
    pair.server_tape.forget();
    pair.run();
    if (pair.server.complete) {
      EXPECT_GT(drawn, 1);
      break;
    }
    ASSERT_TRUE(pair.server.error) << drawn;
    EXPECT_EQ(pair.server.error->reason, Reason::random_failed) << drawn;
  }
}

TEST(KeyLog, ReportsSecretsOnlyWhenAsked) {
  Pair quiet(built(client_builder()), built(server_builder()));
  quiet.run();
  EXPECT_TRUE(quiet.client.secrets_logged.empty());
  Pair pair(built(client_builder().key_log(true)), built(server_builder().key_log(true)));
  pair.run();
  expect_connected(pair);
  const std::vector<std::string> labels{"CLIENT_HANDSHAKE_TRAFFIC_SECRET", "SERVER_HANDSHAKE_TRAFFIC_SECRET",
                                        "CLIENT_TRAFFIC_SECRET_0", "SERVER_TRAFFIC_SECRET_0", "EXPORTER_SECRET"};
  EXPECT_EQ(pair.client.secrets_logged, labels);
  EXPECT_EQ(pair.server.secrets_logged, labels);
}

TEST(Exporter, AgreesOnBothSides) {
  Pair pair(built(client_builder()), built(server_builder()));
  pair.run();
  std::array<std::uint8_t, 40> client{};
  std::array<std::uint8_t, 40> server{};
  ASSERT_TRUE(pair.client.connection.export_keying_material("EXPORTER-test", as_bytes("context"), client));
  ASSERT_TRUE(pair.server.connection.export_keying_material("EXPORTER-test", as_bytes("context"), server));
  EXPECT_EQ(client, server);
  ASSERT_TRUE(pair.server.connection.export_keying_material("EXPORTER-other", as_bytes("context"), server));
  EXPECT_NE(client, server);
}

TEST(Handshake, TellsTheServerWhichAuthoritiesItsClientTrusts) {
  const auto chain = credential_of(usual_key())->chain;
  const Bytes subject = x509::Certificate::parse(chain.front())->subject().der();
  const std::vector<std::uint8_t> name(subject.begin(), subject.end());
  FixedRandom client_random(1);
  auto client = Connection::client(built(client_builder().certificate_authorities({name})),
                                   {x509::PeerName::dns("example.com").value(), {}}, client_random, kNow);
  std::vector<std::uint8_t> flight(Connection::kMaxRecord);
  flight.resize(client.transmit(flight, kNow));

  FixedRandom server_random(2);
  auto server = Connection::server(built(server_builder()), server_random);
  const auto received = server.receive(flight, kNow);
  const auto* const question = std::get_if<SelectCredential>(&received.event);
  ASSERT_NE(question, nullptr);
  ASSERT_EQ(question->certificate_authorities.size(), 1U);
  EXPECT_TRUE(equal(question->certificate_authorities[0], name));
}

}  // namespace
}  // namespace lockstep::testing
