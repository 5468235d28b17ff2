// Early data (0-RTT): taken whole and once, or not at all, and both ends know which.

#include "pair.hpp"

namespace lockstep::testing {
namespace {

constexpr std::uint32_t kLimit = 1000;

class EarlyDataTest : public ::testing::Test {
 protected:
  void SetUp() override {
    FixedRandom random(11);
    keys = std::make_shared<TicketKeys>(allowed_ticket_keys(TicketKey::generate(random).value()).value());
    client_config = client_builder().early_data(kLimit).alpn({"a", "b"});
    server_config = server_builder().early_data(kLimit).tickets(2).alpn({"a", "b"});
  }

  /// The session of a first connection.
  Session session() {
    Pair first(built(client_config), built(server_config));
    first.server.ticket_keys = keys;
    first.run();
    EXPECT_TRUE(first.client.connection.connected()) << error_text(first.client);
    EXPECT_EQ(first.client.early_data_status, EarlyDataStatus::none);
    EXPECT_EQ(first.client.connection.early_data_left(), 0U);
    return std::move(first.client.sessions.at(0));
  }
  /// A second connection, which offers `offered`.
  Pair& resume(Session offered, Wire wire = {}, Time now = kNow) {
    sessions.clear();
    sessions.push_back(std::move(offered));
    pair = std::make_unique<Pair>(built(client_config), built(server_config),
                                  ClientOptions{x509::PeerName::dns("example.com").value(), sessions}, wire, 77);
    pair->now = now;
    pair->server.ticket_keys = keys;
    pair->server.accept_early_data = true;
    return *pair;
  }
  /// Early data goes out and is not taken; the handshake is complete all the same, and usual data arrives.
  void expect_refused(EarlyDataStatus client, EarlyDataStatus server, bool resumed) {
    EXPECT_EQ(pair->send_early("early"), 5U);
    pair->run();
    ASSERT_TRUE(pair->client.connection.connected()) << error_text(pair->client);
    ASSERT_TRUE(pair->server.connection.connected()) << error_text(pair->server);
    EXPECT_EQ(pair->client.early_data_status, client) << name(pair->client.early_data_status);
    EXPECT_EQ(pair->server.early_data_status, server) << name(pair->server.early_data_status);
    EXPECT_EQ(pair->server.connection.resumed(), resumed);
    EXPECT_TRUE(pair->server.early_data.empty());
    EXPECT_EQ(pair->client.connection.early_data_left(), 0U);
    pair->send(pair->client, "again");
    pair->send(pair->server, "yes");
    pair->run();
    EXPECT_EQ(as_text(pair->server.data), "again");
    EXPECT_EQ(as_text(pair->client.data), "yes");
  }

  std::shared_ptr<TicketKeys> keys;
  ClientConfigBuilder client_config = client_builder();
  ServerConfigBuilder server_config = server_builder();
  std::vector<Session> sessions;
  std::unique_ptr<Pair> pair;
};

TEST_F(EarlyDataTest, ArrivesBeforeTheHandshakeIsComplete) {
  Pair& both = resume(session());
  EXPECT_EQ(both.client.connection.early_data_left(), kLimit);
  EXPECT_EQ(both.send_early("GET /"), 5U);
  EXPECT_EQ(both.client.connection.early_data_left(), kLimit - 5);
  both.run();
  ASSERT_TRUE(both.client.connection.connected()) << error_text(both.client);
  ASSERT_TRUE(both.server.connection.connected()) << error_text(both.server);
  EXPECT_TRUE(both.server.early_data_offered);
  EXPECT_EQ(as_text(both.server.early_data), "GET /");
  EXPECT_TRUE(both.server.data.empty());
  EXPECT_EQ(both.client.early_data_status, EarlyDataStatus::accepted);
  EXPECT_EQ(both.server.early_data_status, EarlyDataStatus::accepted);
  const auto& events = both.server.events;
  EXPECT_LT(std::ranges::find(events, "early_data"), std::ranges::find(events, "complete"));
  both.send(both.client, "more");
  both.send(both.server, "answer");
  both.run();
  EXPECT_EQ(as_text(both.server.data), "more");
  EXPECT_EQ(as_text(both.client.data), "answer");
}

TEST_F(EarlyDataTest, ArrivesHoweverTheWireIsCut) {
  for (const Wire wire :
       {Wire{.outbound = 256, .chunk = 1}, Wire{.outbound = 300, .chunk = 7}, Wire{.outbound = 65536, .chunk = 100}}) {
    Pair& both = resume(session(), wire);
    const std::vector<std::uint8_t> bytes(kLimit, 0x5a);
    EXPECT_EQ(both.send_early(bytes), kLimit);
    EXPECT_EQ(both.client.connection.early_data_left(), 0U);
    both.run();
    ASSERT_TRUE(both.server.connection.connected()) << error_text(both.server);
    EXPECT_EQ(both.server.early_data, bytes);
  }
}

TEST_F(EarlyDataTest, NothingIsSentAndItIsTakenAllTheSame) {
  Pair& both = resume(session());
  both.run();
  ASSERT_TRUE(both.server.connection.connected()) << error_text(both.server);
  EXPECT_EQ(both.client.early_data_status, EarlyDataStatus::accepted);
  EXPECT_TRUE(both.server.early_data.empty());
}

TEST_F(EarlyDataTest, EveryChanceIsOfferedAgain) {
  Session kept = session();
  for (int i = 0; i < 3; ++i) {
    Pair& both = resume(std::move(kept));
    EXPECT_EQ(both.send_early("x"), 1U);
    both.run();
    ASSERT_EQ(both.client.early_data_status, EarlyDataStatus::accepted);
    ASSERT_FALSE(both.client.sessions.empty());
    kept = std::move(both.client.sessions.back());
    EXPECT_EQ(kept.max_early_data, kLimit);
  }
}

TEST_F(EarlyDataTest, StaysWithinTheLimitOfTicketAndConfiguration) {
  Session kept = session();
  client_config.early_data(10);
  Pair& both = resume(std::move(kept));
  EXPECT_EQ(both.send_early("0123456789abcdef"), 10U);
  EXPECT_EQ(both.send_early("x"), 0U);
  both.run();
  EXPECT_EQ(as_text(both.server.early_data), "0123456789");
  EXPECT_EQ(both.server.early_data_status, EarlyDataStatus::accepted);
}

TEST_F(EarlyDataTest, PaddingIsNotCounted) {
  Session kept = session();
  client_config.padding(PaddingPolicy::to_multiple_of(256));
  Pair& both = resume(std::move(kept));
  EXPECT_EQ(both.send_early(std::vector<std::uint8_t>(kLimit, 1)), kLimit);
  both.run();
  EXPECT_EQ(both.server.early_data.size(), kLimit);
  EXPECT_TRUE(both.server.connection.connected()) << error_text(both.server);
}

// RFC 9846 4.3.10 lets a server answer early data at once; the client reads that behind the server's Finished.
TEST_F(EarlyDataTest, IsAnsweredAtOnce) {
  Pair& both = resume(session());
  EXPECT_EQ(both.server.connection.seal({}, {}, kNow).error(), Misuse::not_connected);
  both.send_early("ping");
  both.step(both.client, both.to_server(), both.to_client());
  both.step(both.server, both.to_client(), both.to_server());
  ASSERT_EQ(as_text(both.server.early_data), "ping");
  ASSERT_FALSE(both.server.complete);
  EXPECT_FALSE(both.server.connection.connected());
  std::vector<std::uint8_t> server_material(32);
  EXPECT_TRUE(both.server.connection.export_keying_material("EXPORTER-x", {}, server_material));
  both.send(both.server, "pong");
  both.step(both.client, both.to_server(), both.to_client());
  EXPECT_EQ(as_text(both.client.data), "pong");
  EXPECT_FALSE(both.server.complete);
  both.run();
  EXPECT_TRUE(both.server.complete) << error_text(both.server);
  std::vector<std::uint8_t> client_material(32);
  EXPECT_TRUE(both.client.connection.export_keying_material("EXPORTER-x", {}, client_material));
  EXPECT_EQ(client_material, server_material);
}

// Whoever is asked about the client again has not answered: nothing was sent, and nothing can be.
TEST_F(EarlyDataTest, WaitsForTheVerdictOnTheClient) {
  server_config.client_auth(ClientAuth::require).verify_on_resumption(true);
  const auto authenticated = [&] {
    Pair first(built(client_config), built(server_config));
    first.client.credential = credential_of(usual_key());
    first.server.ticket_keys = keys;
    first.run();
    EXPECT_TRUE(first.client.connection.connected()) << error_text(first.client);
    return std::move(first.client.sessions.at(0));
  };
  Pair& both = resume(authenticated());
  both.send_early("ping");
  both.step(both.client, both.to_server(), both.to_client());
  std::optional<VerifyPeer> question;
  while (!question) {
    auto [consumed, event] = both.server.connection.receive(both.to_server(), kNow);
    both.to_server().erase(both.to_server().begin(), both.to_server().begin() + static_cast<std::ptrdiff_t>(consumed));
    if (auto* asked = std::get_if<VerifyPeer>(&event)) {
      question.emplace(std::move(*asked));
    } else {
      ASSERT_TRUE(both.server.treat(std::move(event)) || consumed != 0);
    }
  }
  const Bytes data = as_bytes("x");
  std::vector<std::uint8_t> out(1000);
  EXPECT_EQ(both.server.connection.seal({&data, 1}, out, kNow).error(), Misuse::not_connected);
  EXPECT_EQ(both.server.connection.export_keying_material("EXPORTER-x", {}, out).error(), Misuse::not_connected);
  EXPECT_TRUE(both.server.connection.answer(std::move(question->token), PeerAccepted{}));
  // Now it is asked about the early data.
  both.step(both.server, both.to_client(), both.to_server());
  both.send(both.server, "pong");
  both.run();
  EXPECT_TRUE(both.server.complete) << error_text(both.server);
  EXPECT_EQ(as_text(both.server.early_data), "ping");
  EXPECT_EQ(as_text(both.client.data), "pong");
}

// A key is good for so much; a new one is for when the handshake is complete.
TEST_F(EarlyDataTest, AnswersStayWithinTheKeysLimit) {
  server_config.key_update_after(16384);
  Pair& both = resume(session());
  both.send_early("ping");
  both.step(both.client, both.to_server(), both.to_client());
  both.step(both.server, both.to_client(), both.to_server());
  const std::vector<std::uint8_t> bytes(40'000, 1);
  std::vector<std::uint8_t> out(100'000);
  std::size_t sent = 0;
  for (int calls = 0; calls < 4; ++calls) {
    const Bytes rest = Bytes(bytes).subspan(sent);
    const auto sealed = both.server.connection.seal({&rest, 1}, out, kNow);
    ASSERT_TRUE(sealed);
    both.to_client().insert(both.to_client().end(), out.begin(),
                            out.begin() + static_cast<std::ptrdiff_t>(sealed->written));
    sent += sealed->consumed;
  }
  EXPECT_EQ(sent, 16384U);
  both.run();
  ASSERT_TRUE(both.server.complete) << error_text(both.server);
  both.send(both.server, Bytes(bytes).subspan(sent));
  both.run();
  EXPECT_EQ(both.client.data, bytes);
}

TEST_F(EarlyDataTest, TheApplicationDecides) {
  resume(session());
  pair->server.accept_early_data = false;
  expect_refused(EarlyDataStatus::declined, EarlyDataStatus::declined, true);
  EXPECT_TRUE(pair->server.early_data_offered);
}

// All that a ticket allows can be skipped, with what its records add.
TEST_F(EarlyDataTest, AsMuchAsIsAllowedCanBeDeclined) {
  constexpr std::uint32_t kMuch = 200'000;
  client_config.early_data(kMuch);
  server_config.early_data(kMuch);
  Pair& both = resume(session());
  both.server.accept_early_data = false;
  EXPECT_EQ(both.send_early(std::vector<std::uint8_t>(kMuch, 1)), kMuch);
  both.run();
  ASSERT_TRUE(both.server.connection.connected()) << error_text(both.server);
  EXPECT_EQ(both.server.early_data_status, EarlyDataStatus::declined);
  EXPECT_TRUE(both.server.early_data.empty());
  both.send(both.client, "again");
  both.run();
  EXPECT_EQ(as_text(both.server.data), "again");
}

TEST_F(EarlyDataTest, AServerThatTakesNoneSkipsIt) {
  Session kept = session();
  server_config.early_data(0);
  resume(std::move(kept));
  expect_refused(EarlyDataStatus::declined, EarlyDataStatus::disabled, true);
  EXPECT_FALSE(pair->server.early_data_offered);
}

TEST_F(EarlyDataTest, AnUnknownTicketMakesAFullHandshake) {
  Session kept = session();
  FixedRandom random(12);
  keys = std::make_shared<TicketKeys>(allowed_ticket_keys(TicketKey::generate(random).value()).value());
  resume(std::move(kept));
  expect_refused(EarlyDataStatus::not_resumed, EarlyDataStatus::not_resumed, false);
}

TEST_F(EarlyDataTest, ARetryEndsIt) {
  Session kept = session();
  server_config.cookie(true);
  resume(std::move(kept));
  expect_refused(EarlyDataStatus::retried, EarlyDataStatus::retried, true);
}

TEST_F(EarlyDataTest, AnotherProtocolIsAnotherApplication) {
  Session kept = session();
  EXPECT_EQ(kept.alpn, "a");
  server_config.alpn({"b"});
  resume(std::move(kept));
  expect_refused(EarlyDataStatus::declined, EarlyDataStatus::other_alpn, true);
}

TEST_F(EarlyDataTest, AnotherSuiteIsAnotherKey) {
  client_config.suites({CipherSuite::tls_aes_128_gcm_sha256, CipherSuite::tls_chacha20_poly1305_sha256});
  server_config.suites({CipherSuite::tls_aes_128_gcm_sha256});
  Session kept = session();
  server_config.suites({CipherSuite::tls_chacha20_poly1305_sha256, CipherSuite::tls_aes_128_gcm_sha256});
  resume(std::move(kept));
  expect_refused(EarlyDataStatus::declined, EarlyDataStatus::not_for_session, true);
}

TEST_F(EarlyDataTest, TheStatedAgeIsTheOneSeen) {
  Session slow = session();
  // The client's clock says that no time has passed; the server's says eleven seconds.
  resume(std::move(slow), {}, kNow + std::chrono::seconds(11));
  expect_refused(EarlyDataStatus::declined, EarlyDataStatus::age_implausible, true);

  Session older = session();
  older.issued_at -= std::chrono::seconds(11);
  resume(std::move(older));
  expect_refused(EarlyDataStatus::declined, EarlyDataStatus::age_implausible, true);

  server_config.early_data(kLimit, std::chrono::seconds(11));
  Session tolerated = session();
  tolerated.issued_at -= std::chrono::seconds(11);
  resume(std::move(tolerated)).run();
  EXPECT_EQ(pair->server.early_data_status, EarlyDataStatus::accepted);

  server_config.early_data(kLimit);
  Session within = session();
  Pair& both = resume(std::move(within), {}, kNow + std::chrono::seconds(10));
  both.send_early("x");
  both.run();
  EXPECT_EQ(both.server.early_data_status, EarlyDataStatus::accepted);
}

TEST_F(EarlyDataTest, IsOfferedOnlyWhereItCanBe) {
  {
    Session kept = session();
    kept.max_early_data = 0;
    Pair& both = resume(std::move(kept));
    EXPECT_EQ(both.client.connection.early_data_left(), 0U);
    both.run();
    EXPECT_EQ(both.server.early_data_status, EarlyDataStatus::none);
    EXPECT_TRUE(both.server.connection.resumed());
  }
  {
    Session kept = session();
    client_config.alpn({"b"});
    Pair& both = resume(std::move(kept));
    EXPECT_EQ(both.client.connection.early_data_left(), 0U);
    client_config.alpn({"a", "b"});
  }
  {
    Session kept = session();
    client_config.early_data(0);
    Pair& both = resume(std::move(kept));
    EXPECT_EQ(both.client.connection.early_data_left(), 0U);
    both.run();
    EXPECT_EQ(both.client.early_data_status, EarlyDataStatus::none);
  }
}

TEST_F(EarlyDataTest, MisuseIsTold) {
  const Bytes bytes = as_bytes("x");
  std::vector<std::uint8_t> out(1000);
  Pair& both = resume(session());
  EXPECT_EQ(both.server.connection.seal_early({&bytes, 1}, out, kNow).error(), Misuse::no_early_data);
  EXPECT_EQ(both.client.connection.seal({&bytes, 1}, out, kNow).error(), Misuse::not_connected);
  both.run();
  EXPECT_EQ(both.client.connection.seal_early({&bytes, 1}, out, kNow).error(), Misuse::no_early_data);
  EXPECT_EQ(both.server.connection.seal_early({&bytes, 1}, out, kNow).error(), Misuse::no_early_data);

  Pair& canceled = resume(session());
  canceled.client.connection.cancel();
  EXPECT_EQ(canceled.client.connection.seal_early({&bytes, 1}, out, kNow).error(), Misuse::no_early_data);
}

TEST_F(EarlyDataTest, ClosingEarlyCancels) {
  Pair& both = resume(session());
  both.send_early("x");
  both.client.connection.close();
  both.run();
  ASSERT_TRUE(both.server.error);
  EXPECT_EQ(both.server.error->alert, Alert::close_notify) << error_text(both.server);
}

TEST_F(EarlyDataTest, ItsSecretIsLogged) {
  client_config.key_log(true);
  server_config.key_log(true);
  Pair& both = resume(session());
  both.run();
  for (const End* end : {&both.client, &both.server}) {
    EXPECT_EQ(std::ranges::count(end->secrets_logged, "CLIENT_EARLY_TRAFFIC_SECRET"), 1);
  }
}

TEST(EarlyDataConfig, NeedsTickets) {
  const auto complaints = [](const auto& builder) {
    const auto config = builder.build();
    EXPECT_FALSE(config);
    return config ? 0 : std::ranges::count(config.error(), "early_data", &ConfigProblem::setting);
  };
  EXPECT_EQ(complaints(client_builder().early_data(1).resumption(false)), 1);
  EXPECT_EQ(complaints(server_builder().early_data(1).resumption(false)), 1);
  EXPECT_EQ(complaints(server_builder().early_data(1).tickets(0)), 1);
  EXPECT_EQ(complaints(server_builder().early_data(1).tickets(0).resumption(false)), 2);
  EXPECT_EQ(complaints(server_builder().early_data(1, std::chrono::seconds(-1))), 1);
  EXPECT_EQ(complaints(server_builder().early_data(1, std::chrono::seconds(601))), 1);
}

}  // namespace
}  // namespace lockstep::testing
