// Pre-shared keys of TLS 1.3 that were agreed on elsewhere, as they are and imported (RFC 9258), and PSKs without
// (EC)DHE.

#include "pair.hpp"

namespace lockstep::testing {
namespace {

constexpr std::string_view kKey = "not to be guessed";
constexpr auto kTls13 = ProtocolVersion::tls_1_3;

ExternalKey sensor(HashAlgorithm hash = HashAlgorithm::sha256, bool import = false) {
  return {"sensor 7", std::string(kKey), hash, import, import ? "sensor 7 to hub" : ""};
}

ClientConfigBuilder psk_client(ExternalPsks mode = ExternalPsks::require) {
  return client_builder().versions(kTls13, kTls13).external_psks(mode);
}
ServerConfigBuilder psk_server(ExternalPsks mode = ExternalPsks::require) {
  return server_builder().versions(kTls13, kTls13).external_psks(mode);
}

void share(Pair& pair, const ExternalKey& key) {
  pair.client.external_psks = {key};
  pair.server.external_psks = {{"sensor 6", std::string(kKey), HashAlgorithm::sha256}, key};
}

HashAlgorithm hash_of(const Connection& connection) { return parts(*connection.suite())->hash; }

bool has_sha384() { return provider().supports(CipherSuite::tls_aes_256_gcm_sha384); }

void expect_by_psk(Pair& pair) {
  expect_connected(pair);
  EXPECT_EQ(pair.client.connection.version(), kTls13);
  EXPECT_TRUE(pair.client.external_psk && pair.server.external_psk);
  EXPECT_EQ(as_text(pair.client.peer_identity), "sensor 7");
  EXPECT_EQ(as_text(pair.server.peer_identity), "sensor 7");
  for (const End* const end : {&pair.client, &pair.server}) {
    EXPECT_EQ(std::ranges::count(end->events, "select_credential") + std::ranges::count(end->events, "verify_peer"), 0);
    EXPECT_FALSE(end->connection.resumed());
    EXPECT_TRUE(end->peer_chain.empty());
  }
  expect_echo(pair);
}
void expect_by_certificate(Pair& pair) {
  expect_connected(pair);
  EXPECT_FALSE(pair.client.external_psk || pair.server.external_psk);
  EXPECT_EQ(std::ranges::count(pair.client.events, "verify_peer"), 1);
}
void expect_failed(const Pair& pair, const End& end, Reason reason, Alert alert) {
  ASSERT_TRUE(end.error) << name(reason);
  EXPECT_EQ(name(end.error->reason), name(reason));
  const End& other = &end == &pair.client ? pair.server : pair.client;
  if (&end == &pair.client && !other.error) return;  // before its ClientHello
  ASSERT_TRUE(other.error);
  EXPECT_EQ(other.error->reason, Reason::peer_alert);
  EXPECT_EQ(other.error->alert, alert);
}

TEST(ExternalPsk, AuthenticatesBothSidesWithEveryHashAsItIsAndImported) {
  for (const HashAlgorithm hash : {HashAlgorithm::sha256, HashAlgorithm::sha384, HashAlgorithm::sha512}) {
    for (const bool import : {false, true}) {
      if (provider().hash(hash) == nullptr || (!import && hash == HashAlgorithm::sha512)) continue;
      if (!import && hash == HashAlgorithm::sha384 && !has_sha384()) continue;
      for (const ExternalPsks mode : {ExternalPsks::allow, ExternalPsks::require}) {
        SCOPED_TRACE(static_cast<int>(hash) * 10 + static_cast<int>(import));
        // Nobody shows a certificate, not even where one is asked for otherwise.
        Pair pair(built(psk_client(mode)), built(psk_server(mode).client_auth(ClientAuth::request)));
        share(pair, sensor(hash, import));
        pair.run();
        expect_by_psk(pair);
        EXPECT_TRUE(import || hash_of(pair.client.connection) == hash);
        EXPECT_EQ(pair.client.psk_server_name, "example.com");
        EXPECT_EQ(pair.server.psk_server_name, "example.com");
        EXPECT_EQ(pair.server.server_name, "example.com");
        EXPECT_TRUE(pair.client.connection.group());
      }
    }
  }
}

TEST(ExternalPsk, DoesNotDependOnHowBytesAreCut) {
  for (const Wire wire : {Wire{65536, 1}, Wire{1, 0}, Wire{7, 3}}) {
    Pair pair(built(psk_client()), built(psk_server()), {x509::PeerName::dns("example.com").value(), {}}, wire);
    share(pair, sensor());
    pair.run();
    expect_by_psk(pair);
  }
}

// RFC 9846 4.3.11: "client-provided, externally established PSKs SHOULD influence cipher suite selection."
TEST(ExternalPsk, ItsHashDecidesAboutTheSuite) {
  if (!has_sha384()) GTEST_SKIP();
  const std::vector<CipherSuite> suites{CipherSuite::tls_aes_256_gcm_sha384, CipherSuite::tls_aes_128_gcm_sha256};
  Pair pair(built(psk_client().suites(suites)), built(psk_server().suites(suites)));
  share(pair, sensor());
  pair.run();
  expect_by_psk(pair);
  EXPECT_EQ(pair.server.connection.suite(), suites[1]);

  // Imported, it goes with every hash that both have: the client's best.
  Pair imported(built(psk_client().suites(suites)), built(psk_server().suites(suites)));
  share(imported, sensor(HashAlgorithm::sha256, true));
  imported.run();
  expect_by_psk(imported);
  EXPECT_EQ(imported.server.connection.suite(), suites[0]);

  // Without a suite of its hash it is not asked about, or not used.
  for (const bool import : {false, true}) {
    Pair none(built(psk_client(ExternalPsks::allow).suites({suites[1]})),
              built(psk_server(ExternalPsks::allow).suites(suites)));
    share(none, sensor(HashAlgorithm::sha256, import));
    none.server.external_psks = {sensor(HashAlgorithm::sha384, import)};
    none.run();
    if (import) {
      EXPECT_EQ(none.server.error->reason, Reason::psk_binder);  // the hash of the importer is another
    } else {
      expect_by_certificate(none);
    }
  }
}

TEST(ExternalPsk, StandsARetryAndACookie) {
  const auto groups = std::vector{NamedGroup::secp256r1, NamedGroup::x25519};
  if (!provider().supports(groups[0]) || !provider().supports(groups[1])) GTEST_SKIP();
  for (const bool import : {false, true}) {
    for (const bool cookie : {false, true}) {
      Pair pair(built(psk_client().groups(groups).key_shares({groups[0]})),
                built(psk_server().groups({groups[1]}).cookie(cookie)));
      share(pair, sensor(HashAlgorithm::sha256, import));
      pair.client.external_psks.insert(pair.client.external_psks.begin(),
                                       {"another", std::string(kKey), HashAlgorithm::sha384, import});
      pair.run();
      expect_by_psk(pair);
      EXPECT_TRUE(pair.client.connection.retried());
      EXPECT_EQ(std::ranges::count(pair.server.psks_asked, "sensor 7"), 1);
    }
  }
}

TEST(ExternalPsk, WithoutDheOnlyWhereBothSidesSayso) {
  using enum PskWithoutDhe;
  for (const PskWithoutDhe client : {never, allow, prefer}) {
    for (const PskWithoutDhe server : {never, allow, prefer}) {
      SCOPED_TRACE(static_cast<int>(client) * 10 + static_cast<int>(server));
      const auto ticket_key = ticket_keys();
      const auto client_config = built(psk_client().psk_without_dhe(client));
      const auto server_config = built(psk_server().psk_without_dhe(server));
      Pair pair(client_config, server_config);
      pair.server.ticket_keys = ticket_key;
      share(pair, sensor());
      pair.run();
      expect_by_psk(pair);
      const bool plain = client != never && server == prefer;
      EXPECT_EQ(pair.client.connection.group().has_value(), !plain);
      EXPECT_EQ(pair.server.connection.group().has_value(), !plain);
      if (ticket_key == nullptr) continue;

      // A session the same.
      ASSERT_FALSE(pair.client.sessions.empty());
      Pair resumed(client_config, server_config,
                   {x509::PeerName::dns("example.com").value(), {&pair.client.sessions.front(), 1}}, {}, 9);
      resumed.server.ticket_keys = ticket_key;
      share(resumed, sensor());
      resumed.run();
      expect_connected(resumed);
      EXPECT_TRUE(resumed.server.connection.resumed());
      EXPECT_EQ(resumed.client.connection.group().has_value(), !plain);
      expect_echo(resumed);
    }
  }
}

TEST(ExternalPsk, WithoutOneInCommonCertificatesAuthenticateOrNothingDoes) {
  const auto unknown = [](Pair& pair) {
    share(pair, sensor());
    pair.client.external_psks.front().identity = "sensor 8";
  };
  Pair allowed(built(psk_client(ExternalPsks::allow)), built(psk_server(ExternalPsks::allow)));
  unknown(allowed);
  allowed.run();
  expect_by_certificate(allowed);

  // The client insists, and says so; it has seen no more than a ServerHello.
  Pair declined(built(psk_client()), built(psk_server(ExternalPsks::allow)));
  unknown(declined);
  declined.run();
  expect_failed(declined, declined.client, Reason::psk_declined, Alert::handshake_failure);

  // The server does: what it does not know looks like a wrong key, or is told.
  Pair hidden(built(psk_client(ExternalPsks::allow)), built(psk_server()));
  unknown(hidden);
  hidden.run();
  expect_failed(hidden, hidden.server, Reason::psk_unacceptable, Alert::decrypt_error);
  Pair told(built(psk_client(ExternalPsks::allow)), built(psk_server().tell_unknown_psk(true)));
  unknown(told);
  told.run();
  expect_failed(told, told.server, Reason::psk_identity_unknown, Alert::unknown_psk_identity);

  // Or the client offers none.
  Pair missing(built(client_builder()), built(psk_server()));
  missing.server.external_psks = {sensor()};
  missing.run();
  expect_failed(missing, missing.server, Reason::psk_missing, Alert::handshake_failure);
  // To a server that asks for none, the client's are nothing.
  Pair ignored(built(psk_client(ExternalPsks::allow)), built(server_builder()));
  share(ignored, sensor());
  ignored.run();
  expect_by_certificate(ignored);
  EXPECT_TRUE(ignored.server.psks_asked.empty());

  // The client has none.
  Pair no_key(built(psk_client()), built(psk_server()));
  no_key.run();
  expect_failed(no_key, no_key.client, Reason::no_psk, Alert::handshake_failure);
  Pair goes_on(built(psk_client(ExternalPsks::allow)), built(psk_server(ExternalPsks::allow)));
  goes_on.run();
  expect_by_certificate(goes_on);
}

TEST(ExternalPsk, AWrongKeyIsRefusedWhateverElseThereIs) {
  for (const bool import : {false, true}) {
    Pair pair(built(psk_client(ExternalPsks::allow)), built(psk_server(ExternalPsks::allow)));
    share(pair, sensor(HashAlgorithm::sha256, import));
    pair.client.external_psks.front().key = "nobody's key at all";
    pair.run();
    expect_failed(pair, pair.server, Reason::psk_binder, Alert::decrypt_error);
    EXPECT_EQ(std::ranges::count(pair.server.events, "select_credential"), 0);
  }
  // The same key is another one when it is imported, or for another context.
  Pair pair(built(psk_client()), built(psk_server()));
  share(pair, sensor(HashAlgorithm::sha256, true));
  pair.client.external_psks.front().context = "hub to sensor 7";
  pair.run();
  expect_failed(pair, pair.server, Reason::psk_unacceptable, Alert::decrypt_error);
}

TEST(ExternalPsk, SeveralAreTriedInTheClientsOrderAsFarAsTheyGo) {
  for (const std::size_t unknown : {1U, 3U, 4U}) {
    Pair pair(built(psk_client()), built(psk_server()));
    share(pair, sensor());
    for (std::size_t i = 0; i < unknown; ++i)
      pair.client.external_psks.insert(pair.client.external_psks.begin(),
                                       {"unknown " + std::to_string(i), std::string(kKey)});
    pair.run();
    EXPECT_EQ(pair.server.psks_asked.size(), std::min<std::size_t>(unknown + 1, 4));
    if (unknown < 4) {
      expect_by_psk(pair);
    } else {
      expect_failed(pair, pair.server, Reason::psk_unacceptable, Alert::decrypt_error);
    }
  }
}

// RFC 9257 6: "MUST be at least 128 bits long".
TEST(ExternalPsk, ShortKeysAreRefusedOnEitherSide) {
  for (const bool at_client : {true, false}) {
    Pair pair(built(psk_client()), built(psk_server()));
    share(pair, sensor());
    (at_client ? pair.client : pair.server).external_psks.back().key.resize(kMinPskSize13 - 1);
    pair.run();
    expect_failed(pair, at_client ? pair.client : pair.server, Reason::psk_weak, Alert::insufficient_security);
  }
  for (const std::size_t size : {kMinPskSize13, kMaxPskSize}) {
    Pair pair(built(psk_client()), built(psk_server()));
    share(pair, sensor());
    pair.client.external_psks.back().key = pair.server.external_psks.back().key = std::string(size, 'k');
    pair.run();
    expect_by_psk(pair);
  }
}

TEST(ExternalPsk, AnswersAreHeldToTheirBounds) {
  const auto config = built(psk_client());
  FixedRandom random(1);
  Connection client = Connection::client(config, {x509::PeerName::dns("example.com").value(), {}}, random, kNow);
  auto question = std::get<SelectPsk>(client.receive({}, kNow).event);
  EXPECT_EQ(question.version, kTls13);
  EXPECT_TRUE(client.awaiting_answer());
  EXPECT_FALSE(client.transmit_pending());
  const std::string long_text(kMaxPskContext + 1, 'x');
  const Bytes key = as_bytes(kKey);
  const Bytes too_long = as_bytes(long_text);
  for (const PskChosen& wrong : {PskChosen{{}, key}, PskChosen{too_long.first(kMaxPskIdentity + 1), key},
                                 PskChosen{key, {}}, PskChosen{key, key, HashAlgorithm::sha256, true, too_long}})
    EXPECT_EQ(client.answer(std::move(question.token), wrong).error(), Misuse::invalid_answer);
  const std::vector<PskChosen> many(kMaxPsksOffered + 1, PskChosen{key, key});
  EXPECT_EQ(client.answer(std::move(question.token), std::span<const PskChosen>()).error(), Misuse::invalid_answer);
  EXPECT_EQ(client.answer(std::move(question.token), many).error(), Misuse::invalid_answer);
  EXPECT_TRUE(client.answer(std::move(question.token), std::span(many).first(kMaxPsksOffered)));
  EXPECT_TRUE(client.transmit_pending());
}

TEST(ExternalPsk, ADroppedTokenEndsTheHandshake) {
  for (const bool at_client : {true, false}) {
    Pair pair(built(psk_client()), built(psk_server()));
    share(pair, sensor());
    (at_client ? pair.client : pair.server).drop_tokens = true;
    pair.run();
    const End& end = at_client ? pair.client : pair.server;
    ASSERT_TRUE(end.error);
    EXPECT_EQ(end.error->reason, Reason::token_dropped);
  }
}

// Where a session may be resumed that an external PSK has begun, and one that certificates have.
TEST(ExternalPsk, SessionsStayWithWhatHasBegunThem) {
  const auto keys = ticket_keys();
  if (keys == nullptr) GTEST_SKIP();
  using enum ExternalPsks;
  const ExternalKey other{"sensor 6", std::string(kKey), HashAlgorithm::sha256};
  for (const bool by_psk : {true, false}) {
    Pair first(built(psk_client(allow)), built(psk_server(allow)));
    first.server.ticket_keys = keys;
    share(first, sensor());
    if (!by_psk) first.client.external_psks.clear();
    first.run();
    expect_connected(first);
    ASSERT_FALSE(first.client.sessions.empty());
    const Session& session = first.client.sessions.front();
    EXPECT_EQ(as_text(session.identity), by_psk ? "sensor 7" : "");

    for (const ExternalPsks client : {none, allow, require}) {
      for (const ExternalPsks server : {none, allow, require}) {
        for (const std::string_view selected : {"sensor 7", "sensor 6", ""}) {
          SCOPED_TRACE(std::to_string(by_psk) + std::to_string(static_cast<int>(client)) +
                       std::to_string(static_cast<int>(server)) + std::string(selected));
          Session offered = session.clone();
          Pair pair(built(psk_client(client)), built(psk_server(server)),
                    {x509::PeerName::dns("example.com").value(), {&offered, 1}}, {}, 7);
          pair.server.ticket_keys = keys;
          pair.server.external_psks = {sensor(), other};
          if (!selected.empty()) pair.client.external_psks = {selected == "sensor 7" ? sensor() : other};
          pair.run();
          const bool may = by_psk ? client != none && server != none && selected == "sensor 7"
                                  : client != require && server != require;
          const bool resumes = may && !(client == require && selected.empty());
          EXPECT_EQ(pair.server.complete && pair.server.connection.resumed(), resumes);
          if (!resumes) continue;
          EXPECT_FALSE(pair.client.external_psk);
          EXPECT_EQ(as_text(pair.server.peer_identity), by_psk ? "sensor 7" : "");
          // And so on from there.
          ASSERT_FALSE(pair.client.sessions.empty());
          EXPECT_EQ(pair.client.sessions.front().context, session.context);
          EXPECT_EQ(pair.client.sessions.front().identity, session.identity);
        }
      }
    }
  }
}

// A session of a client's is worth more than a key behind it; and a key that is found decides where it is not resumed.
TEST(ExternalPsk, GoesBesideASession) {
  const auto keys = ticket_keys();
  if (keys == nullptr) GTEST_SKIP();
  Pair first(built(psk_client()), built(psk_server()));
  first.server.ticket_keys = keys;
  share(first, sensor());
  first.run();
  ASSERT_FALSE(first.client.sessions.empty());
  for (const bool opens : {true, false}) {
    Session offered = first.client.sessions.front().clone();
    Pair pair(built(psk_client()), built(psk_server()), {x509::PeerName::dns("example.com").value(), {&offered, 1}}, {},
              7);
    pair.server.ticket_keys = opens ? keys : ticket_keys(99);
    share(pair, sensor());
    pair.run();
    EXPECT_EQ(pair.server.ticket_hello.server_name, "example.com");
    EXPECT_EQ(pair.server.ticket_hello.psk_identities, 2U);
    if (opens) {
      expect_connected(pair);
      EXPECT_TRUE(pair.client.connection.resumed());
      EXPECT_FALSE(pair.server.external_psk);
    } else {
      expect_by_psk(pair);
    }
  }
}

TEST(ExternalPsk, NoEarlyDataGoesWithIt) {
  const auto keys = ticket_keys();
  if (keys == nullptr) GTEST_SKIP();
  Pair first(built(psk_client().early_data(1000)), built(psk_server().early_data(1000)));
  first.server.ticket_keys = keys;
  share(first, sensor());
  first.run();
  ASSERT_FALSE(first.client.sessions.empty());
  Pair pair(built(psk_client().early_data(1000)), built(psk_server().early_data(1000)),
            {x509::PeerName::dns("example.com").value(), {&first.client.sessions.front(), 1}}, {}, 7);
  pair.server.ticket_keys = ticket_keys(99);
  share(pair, sensor());
  pair.step(pair.client, pair.to_server(), pair.to_client());
  EXPECT_EQ(pair.send_early("GET /"), 5U);
  pair.run();
  expect_by_psk(pair);
  EXPECT_TRUE(pair.server.early_data.empty());
  EXPECT_EQ(pair.client.early_data_status, EarlyDataStatus::not_resumed);
  EXPECT_EQ(pair.server.early_data_status, EarlyDataStatus::not_resumed);
}

TEST(ExternalPsk, ServesTls12ByItsSuites) {
  const auto suite = CipherSuite::tls_ecdhe_psk_with_aes_128_gcm_sha256;
  if (!provider().supports(suite)) GTEST_SKIP();
  const std::vector<CipherSuite> suites{CipherSuite::tls_aes_128_gcm_sha256, suite};
  Pair pair(built(client_builder().suites(suites).external_psks(ExternalPsks::require)),
            built(server_builder().suites({suite})));
  share(pair, sensor());
  pair.client.psks = pair.server.psks = {{"sensor 7", std::string(kKey)}};
  pair.run();
  expect_connected(pair);
  EXPECT_EQ(pair.client.connection.suite(), suite);
  EXPECT_EQ(std::ranges::count(pair.client.events, "select_psk"), 2);
}

TEST(ExternalPsk, WrongConfigurationsAreNotBuilt) {
  const auto problem = [](const auto& builder) {
    const auto config = builder.build();
    return config ? std::string() : config.error().front().setting;
  };
  using enum ExternalPsks;
  EXPECT_EQ(problem(client_builder().versions(ProtocolVersion::tls_1_2, ProtocolVersion::tls_1_2).external_psks(allow)),
            "external_psks");
  EXPECT_EQ(problem(psk_server(allow).client_auth(ClientAuth::require)), "external_psks");
  EXPECT_EQ(problem(client_builder().external_psks(require)), "external_psks");
  EXPECT_EQ(problem(client_builder().resumption(false).psk_without_dhe(PskWithoutDhe::allow)), "psk_without_dhe");
  EXPECT_EQ(problem(client_builder().resumption(false).ticket_request(2, 1)), "ticket_request");
  EXPECT_EQ(problem(server_builder().max_requested_tickets(kMaxTickets + 1)), "max_requested_tickets");
  EXPECT_EQ(problem(server_builder().tickets(0).max_requested_tickets(2)), "max_requested_tickets");
  EXPECT_EQ(problem(server_builder().versions(kTls13, kTls13).tell_unknown_psk(true)), "tell_unknown_psk");
  EXPECT_EQ(problem(psk_server().tell_unknown_psk(true)), "");
}

// RFC 9149.
TEST(TicketRequest, AServerSendsAsManyAsAreWantedWithinItsBounds) {
  struct Case {
    std::optional<std::pair<std::uint8_t, std::uint8_t>> wanted;
    std::uint8_t most;
    std::size_t in_full;
    std::size_t resumed;
  };
  for (const Case& now : {Case{{}, 0, 2, 1}, Case{{{1, 0}}, 0, 1, 0}, Case{{{5, 1}}, 0, 2, 1}, Case{{{5, 3}}, 4, 4, 3},
                          Case{{{0, 2}}, 4, 0, 2}, Case{{{255, 255}}, kMaxTickets, kMaxTickets, kMaxTickets}}) {
    const auto keys = ticket_keys();
    if (keys == nullptr) GTEST_SKIP();
    auto client = client_builder().versions(kTls13, kTls13);
    if (now.wanted) client.ticket_request(now.wanted->first, now.wanted->second);
    auto server = server_builder().versions(kTls13, kTls13);
    if (now.most != 0) server.max_requested_tickets(now.most);
    Pair pair(built(client), built(server));
    pair.server.ticket_keys = keys;
    pair.run();
    expect_connected(pair);
    EXPECT_EQ(pair.client.sessions.size(), now.in_full);

    Pair plain(built(client_builder().versions(kTls13, kTls13)), built(server_builder().versions(kTls13, kTls13)));
    plain.server.ticket_keys = keys;
    plain.run();
    ASSERT_FALSE(plain.client.sessions.empty());
    Pair resumed(built(client), built(server),
                 {x509::PeerName::dns("example.com").value(), {&plain.client.sessions.front(), 1}}, {}, 7);
    resumed.server.ticket_keys = keys;
    resumed.run();
    expect_connected(resumed);
    EXPECT_TRUE(resumed.client.connection.resumed());
    EXPECT_EQ(resumed.client.sessions.size(), now.resumed);
  }
}

TEST(SendFragment, ChangesOnALiveConnectionWithinThePeersBounds) {
  for (const std::uint16_t limit : {std::uint16_t{0}, std::uint16_t{1001}}) {
    Pair pair(built(client_builder().versions(kTls13, kTls13).record_size_limit(1001)),
              built(server_builder().record_size_limit(limit)));
    pair.run();
    expect_connected(pair);
    Connection& server = pair.server.connection;
    EXPECT_EQ(server.set_max_send_fragment(63).error(), Misuse::out_of_range);
    EXPECT_EQ(server.set_max_send_fragment(16385).error(), Misuse::out_of_range);
    const std::size_t most = limit == 0 ? 16384 : 1000;
    EXPECT_EQ(server.max_fragment(), most);
    for (const std::size_t bytes : {std::size_t{64}, std::size_t{500}, std::size_t{16384}}) {
      ASSERT_TRUE(server.set_max_send_fragment(bytes));
      EXPECT_EQ(server.max_fragment(), std::min(bytes, most));
      pair.send(pair.server, std::string(5000, 'x'));
      std::size_t records = 0;
      for (std::size_t at = 0; at < pair.to_client().size(); ++records)
        at += 5 + (std::size_t{pair.to_client()[at + 3]} << 8U | pair.to_client()[at + 4]);
      EXPECT_EQ(records, (5000 + server.max_fragment() - 1) / server.max_fragment());
      pair.run();
    }
    EXPECT_EQ(pair.client.data.size(), 15000U);
  }
}

}  // namespace
}  // namespace lockstep::testing
