// Sessions whose peer is judged again when they are resumed; and peers that are accepted with a reserve, whose sessions
// always are.

#include "pair/tls12_pair.hpp"

namespace lockstep::testing {
namespace {

const std::vector<std::uint8_t> kResponse{0x30, 0x03, 0x0a, 0x01, 0x00};
const std::vector<std::uint8_t> kSctList{0x00, 0x03, 0x00, 0x01, 0xaa};

std::shared_ptr<const Credential> stapling_credential() {
  Credential credential = *credential_of(usual_key());
  credential.ocsp_response = kResponse;
  credential.sct_list = kSctList;
  return std::make_shared<const Credential>(std::move(credential));
}

ClientConfigBuilder careful_client() {
  return client_builder().ocsp_stapling(true).signed_certificate_timestamps(true).verify_on_resumption(true);
}
/// With client certificates.
ServerConfigBuilder careful_server() {
  return server_builder()
      .tickets(1)
      .client_auth(ClientAuth::require)
      .ocsp_stapling(true)
      .signed_certificate_timestamps(true)
      .verify_on_resumption(true);
}

class VerifyOnResumption : public ::testing::Test {
 protected:
  void SetUp() override {
    if (keys_ == nullptr) GTEST_SKIP() << "this provider seals no tickets";
  }
  /// A connection that offers `offered`; its tickets are those of all others here.
  std::unique_ptr<Pair> meet(const ClientConfigBuilder& client, const ServerConfigBuilder& server,
                             std::vector<Session>& offered) {
    auto pair = std::make_unique<Pair>(built(client), built(server),
                                       ClientOptions{x509::PeerName::dns("example.com").value(), offered});
    pair->client.credential = stapling_credential();
    pair->server.credential = stapling_credential();
    pair->server.ticket_keys = keys_;
    return pair;
  }
  std::unique_ptr<Pair> meet(const ClientConfigBuilder& client, const ServerConfigBuilder& server) {
    std::vector<Session> none;
    return meet(client, server, none);
  }
  std::vector<Session> sessions_of(const ClientConfigBuilder& client, const ServerConfigBuilder& server) {
    const auto pair = meet(client, server);
    pair->run();
    expect_connected(*pair, false);
    EXPECT_FALSE(pair->client.sessions.empty());
    return std::move(pair->client.sessions);
  }
  static void expect_connected(const Pair& pair, bool resumed) {
    EXPECT_TRUE(pair.client.complete) << error_text(pair.client);
    EXPECT_TRUE(pair.server.complete) << error_text(pair.server);
    EXPECT_EQ(pair.client.connection.resumed(), resumed);
    EXPECT_EQ(pair.server.connection.resumed(), resumed);
  }
  /// It judged once, what was shown when the session was made.
  static void expect_judged_again(const End& end, std::string_view name) {
    ASSERT_EQ(end.judged_chains.size(), 1U);
    EXPECT_EQ(end.judged_chains[0], stapling_credential()->chain);
    EXPECT_EQ(end.judged_staples, (std::vector{Staples{kResponse, kSctList}}));
    EXPECT_EQ(end.judged_resumed, std::vector{true});
    EXPECT_EQ(end.judged_name, name);
    EXPECT_TRUE(end.peer_chain.empty());
  }

 private:
  std::shared_ptr<TicketKeys> keys_ = ticket_keys();
};

TEST_F(VerifyOnResumption, NobodyIsAskedByDefault) {
  auto sessions = sessions_of(client_builder(), server_builder().tickets(1).client_auth(ClientAuth::require));
  EXPECT_EQ(sessions[0].peer, nullptr);
  const auto pair = meet(client_builder(), server_builder().client_auth(ClientAuth::require), sessions);
  pair->run();
  expect_connected(*pair, true);
  EXPECT_TRUE(pair->client.judged_chains.empty());
  EXPECT_TRUE(pair->server.judged_chains.empty());
}

TEST_F(VerifyOnResumption, AClientJudgesItsServer) {
  auto sessions = sessions_of(careful_client(), server_builder().tickets(1));
  ASSERT_NE(sessions[0].peer, nullptr);
  EXPECT_EQ(*sessions[0].peer, (PeerCertificates{stapling_credential()->chain, kResponse, kSctList}));
  // What the session keeps goes from one to the next.
  for (int times = 0; times < 3; ++times) {
    const auto pair = meet(careful_client(), server_builder().tickets(1), sessions);
    pair->run();
    expect_connected(*pair, true);
    expect_judged_again(pair->client, "example.com");
    EXPECT_TRUE(pair->server.judged_chains.empty());
    ASSERT_EQ(pair->client.sessions.size(), 1U);
    sessions = std::move(pair->client.sessions);
  }
}

TEST_F(VerifyOnResumption, AClientRefusesItsServer) {
  auto sessions = sessions_of(careful_client(), server_builder().tickets(1));
  const auto pair = meet(careful_client(), server_builder(), sessions);
  pair->client.rejection = PeerRejected{.reason = Reason::certificate_revoked};
  pair->run();
  ASSERT_TRUE(pair->client.error && pair->server.error);
  EXPECT_EQ(pair->client.error->reason, Reason::certificate_revoked);
  EXPECT_EQ(pair->client.error->alert, Alert::certificate_revoked);
  EXPECT_EQ(pair->server.error->alert, Alert::certificate_revoked);
  EXPECT_EQ(pair->server.error->origin, Origin::peer);
  EXPECT_FALSE(pair->client.complete || pair->server.complete);
}

TEST_F(VerifyOnResumption, AServerJudgesItsClient) {
  auto sessions = sessions_of(client_builder(), careful_server());
  for (int times = 0; times < 3; ++times) {
    const auto pair = meet(client_builder(), careful_server(), sessions);
    pair->run();
    expect_connected(*pair, true);
    expect_judged_again(pair->server, "");
    EXPECT_TRUE(pair->client.judged_chains.empty());
    ASSERT_EQ(pair->client.sessions.size(), 1U);
    EXPECT_EQ(pair->client.sessions[0].peer, nullptr);
    sessions = std::move(pair->client.sessions);
  }
}

TEST_F(VerifyOnResumption, AServerRefusesItsClient) {
  auto sessions = sessions_of(client_builder(), careful_server());
  const auto pair = meet(client_builder(), careful_server(), sessions);
  pair->server.rejection = PeerRejected{.reason = Reason::certificate_expired};
  pair->run();
  ASSERT_TRUE(pair->client.error && pair->server.error);
  EXPECT_EQ(pair->server.error->reason, Reason::certificate_expired);
  EXPECT_EQ(pair->client.error->alert, Alert::certificate_expired);
  EXPECT_FALSE(pair->client.complete || pair->server.complete);
  // Nothing of a handshake was sent: no ServerHello, no keys.
  EXPECT_FALSE(pair->client.connection.suite());
}

TEST_F(VerifyOnResumption, BothJudge) {
  auto sessions = sessions_of(careful_client(), careful_server());
  const auto pair = meet(careful_client(), careful_server(), sessions);
  pair->run();
  expect_connected(*pair, true);
  expect_judged_again(pair->client, "example.com");
  expect_judged_again(pair->server, "");
}

TEST_F(VerifyOnResumption, AServerHasNoOpinionOfAClientThatShowedNothing) {
  const auto asking = careful_server().client_auth(ClientAuth::request);
  auto first = meet(client_builder(), asking);
  first->client.credential = nullptr;
  first->run();
  expect_connected(*first, false);
  auto sessions = std::move(first->client.sessions);
  const auto pair = meet(client_builder(), asking, sessions);
  pair->run();
  expect_connected(*pair, true);
  EXPECT_TRUE(pair->server.judged_chains.empty());
}

// Sessions that were made before the setting was.
TEST_F(VerifyOnResumption, WhatCannotBeJudgedIsNotResumed) {
  const auto plain_server = server_builder().tickets(1).client_auth(ClientAuth::require);
  auto of_client = sessions_of(client_builder(), plain_server);
  const auto client_cares = meet(careful_client(), plain_server, of_client);
  client_cares->run();
  expect_connected(*client_cares, false);
  EXPECT_EQ(client_cares->client.judged_resumed, std::vector{false});

  auto of_server = sessions_of(client_builder(), plain_server);
  const auto server_cares = meet(client_builder(), careful_server(), of_server);
  server_cares->run();
  expect_connected(*server_cares, false);
  EXPECT_EQ(server_cares->server.judged_resumed, std::vector{false});
}

TEST_F(VerifyOnResumption, WhoSkipsVerificationIsNotAsked) {
  const auto careless = careful_client().dangerous().skip_verification();
  auto sessions = sessions_of(careless, server_builder().tickets(1));
  const auto pair = meet(careless, server_builder(), sessions);
  pair->run();
  expect_connected(*pair, true);
  EXPECT_TRUE(pair->client.judged_chains.empty());

  // Nor does a session of that kind serve one who does verify.
  auto unverified = sessions_of(careless, server_builder().tickets(1));
  const auto careful = meet(careful_client(), server_builder(), unverified);
  careful->run();
  expect_connected(*careful, false);
}

TEST_F(VerifyOnResumption, NothingGoesOnBeforeTheAnswer) {
  auto sessions = sessions_of(client_builder(), careful_server());
  FixedRandom client_random(1);
  FixedRandom server_random(2);
  auto client = Connection::client(built(client_builder()), {x509::PeerName::dns("example.com").value(), sessions},
                                   client_random, kNow);
  End server(Connection::server(built(careful_server()), server_random), 3);
  server.ticket_keys = ticket_keys();
  std::vector<std::uint8_t> flight(4096);
  flight.resize(client.transmit(flight, kNow));
  auto opening = server.connection.receive(flight, kNow);
  ASSERT_TRUE(std::holds_alternative<OpenTicket>(opening.event));
  EXPECT_TRUE(server.treat(std::move(opening.event)));
  auto judging = server.connection.receive({}, kNow);
  ASSERT_TRUE(std::holds_alternative<VerifyPeer>(judging.event));
  EXPECT_TRUE(std::holds_alternative<Nothing>(server.connection.receive({}, kNow).event));
  EXPECT_TRUE(server.connection.awaiting_answer());
  EXPECT_FALSE(server.connection.transmit_pending());
  EXPECT_FALSE(server.connection.resumed());
  EXPECT_TRUE(server.treat(std::move(judging.event)));
  EXPECT_TRUE(server.connection.transmit_pending());
  EXPECT_TRUE(server.connection.resumed());
}

// --- a reserve -------------------------------------------------------------------------------------------------------

constexpr Unverified kUnknown{.reason = Reason::certificate_unknown_ca, .detail = 20};
constexpr Unverified kExpired{.reason = Reason::certificate_expired, .detail = 10};

TEST(Reserve, IsToldOfThePeerThatItIsAbout) {
  for (const auto version : kBothVersions) {
    for (const Role judged : {Role::server, Role::client}) {
      Pair pair(built(client_builder().versions(version, version)),
                built(server_builder().versions(version, version).client_auth(ClientAuth::require)));
      pair.client.credential = credential_of(usual_key());
      End& judge = judged == Role::server ? pair.client : pair.server;
      End& other = judged == Role::server ? pair.server : pair.client;
      judge.unverified = kUnknown;
      EXPECT_FALSE(judge.connection.peer_verified());
      pair.run();
      expect_connected(pair);
      EXPECT_FALSE(judge.connection.peer_verified());
      EXPECT_EQ(judge.connection.unverified(), kUnknown);
      EXPECT_TRUE(other.connection.peer_verified());
      EXPECT_FALSE(other.connection.unverified());
      expect_echo(pair);
    }
  }
}

TEST(Reserve, IsNoneOfWhomNobodyWasAskedAbout) {
  for (const auto version : kBothVersions) {
    Pair pair(built(client_builder().versions(version, version).dangerous().skip_verification()),
              built(server_builder().versions(version, version).client_auth(ClientAuth::request)));
    pair.run();
    expect_connected(pair);
    for (const End* end : {&pair.client, &pair.server}) {
      EXPECT_FALSE(end->connection.peer_verified());
      EXPECT_FALSE(end->connection.unverified());
    }
  }
}

TEST(Reserve, EndsWithTheConnection) {
  Pair pair(built(client_builder()), built(server_builder()));
  pair.client.unverified = kUnknown;
  pair.run();
  expect_connected(pair);
  pair.client.connection.cancel();
  EXPECT_FALSE(pair.client.connection.unverified());
}

// Whatever a session was made under, its next connection has a verdict of its own.
TEST_F(VerifyOnResumption, AReserveIsJudgedAgainByTheClient) {
  for (const auto version : kBothVersions) {
    const auto client = client_builder().versions(version, version);
    const auto server = server_builder().versions(version, version).tickets(1);
    const auto next = [&](std::vector<Session>& offered, Unverified reserve, std::optional<PeerRejected> rejection) {
      auto pair = meet(client, server, offered);
      pair->client.unverified = reserve;
      pair->client.rejection = rejection;
      pair->run();
      return pair;
    };
    std::vector<Session> sessions;
    auto pair = next(sessions, kUnknown, std::nullopt);
    expect_connected(*pair, false);
    sessions = std::move(pair->client.sessions);
    ASSERT_EQ(sessions.size(), 1U);
    EXPECT_FALSE(sessions[0].peer_verified);
    EXPECT_EQ(sessions[0].unverified, kUnknown);
    ASSERT_NE(sessions[0].peer, nullptr);
    EXPECT_EQ(sessions[0].peer->chain, stapling_credential()->chain);

    // The same verdict, or another: it is that of this connection.
    for (const Unverified reserve : {kUnknown, kExpired}) {
      sessions[0] = Session::parse(sessions[0].serialize()).value();
      pair = next(sessions, reserve, std::nullopt);
      expect_connected(*pair, true);
      EXPECT_EQ(pair->client.judged_resumed, std::vector{true});
      EXPECT_FALSE(pair->client.connection.peer_verified());
      EXPECT_EQ(pair->client.connection.unverified(), reserve);
      ASSERT_EQ(pair->client.sessions.size(), 1U);
      sessions = std::move(pair->client.sessions);
      EXPECT_EQ(sessions[0].unverified, reserve);
      EXPECT_FALSE(sessions[0].peer_verified);
    }

    // One who takes no reserves has none of it.
    std::vector<Session> copy;
    copy.push_back(sessions[0].clone());
    pair = next(copy, {}, PeerRejected{.reason = Reason::certificate_expired});
    EXPECT_FALSE(pair->client.complete);
    EXPECT_EQ(pair->client.error->reason, Reason::certificate_expired);

    // What was put right meanwhile is right.
    pair = next(sessions, {}, std::nullopt);
    expect_connected(*pair, true);
    EXPECT_TRUE(pair->client.connection.peer_verified());
    EXPECT_FALSE(pair->client.connection.unverified());
  }
}

TEST_F(VerifyOnResumption, AReserveIsJudgedAgainByTheServer) {
  for (const auto version : kBothVersions) {
    const auto client = client_builder().versions(version, version);
    const auto server = server_builder().versions(version, version).tickets(1).client_auth(ClientAuth::require);
    const auto next = [&](std::vector<Session>& offered, Unverified reserve, std::optional<PeerRejected> rejection) {
      auto pair = meet(client, server, offered);
      pair->server.unverified = reserve;
      pair->server.identity = {1, 2, 3};
      pair->server.rejection = rejection;
      pair->run();
      return pair;
    };
    std::vector<Session> sessions;
    auto pair = next(sessions, kUnknown, std::nullopt);
    expect_connected(*pair, false);
    sessions = std::move(pair->client.sessions);
    ASSERT_EQ(sessions.size(), 1U);
    EXPECT_FALSE(sessions[0].unverified) << "the client verified its server";
    std::vector<Session> copy;
    copy.push_back(sessions[0].clone());

    pair = next(sessions, kExpired, std::nullopt);
    expect_connected(*pair, true);
    EXPECT_EQ(pair->server.judged_resumed, std::vector{true});
    EXPECT_FALSE(pair->server.connection.peer_verified());
    EXPECT_EQ(pair->server.connection.unverified(), kExpired);
    EXPECT_EQ(pair->server.peer_identity, (std::vector<std::uint8_t>{1, 2, 3}));

    pair = next(copy, {}, PeerRejected{.reason = Reason::certificate_unknown_ca});
    EXPECT_FALSE(pair->server.complete);
    EXPECT_EQ(pair->server.error->reason, Reason::certificate_unknown_ca);
  }
}

// A verdict by verify_on_resumption may have a reserve where that of the first handshake had none.
TEST_F(VerifyOnResumption, AReserveStaysWithTheSessionThatIsResumed) {
  for (const auto version : kBothVersions) {
    const auto client = careful_client().versions(version, version);
    const auto server = server_builder().versions(version, version).tickets(1);
    auto sessions = sessions_of(client, server);
    ASSERT_TRUE(sessions[0].peer_verified);
    const auto pair = meet(client, server, sessions);
    pair->client.unverified = kExpired;
    pair->run();
    expect_connected(*pair, true);
    for (const Session& session : pair->client.sessions) {
      EXPECT_FALSE(session.peer_verified);
      EXPECT_EQ(session.unverified, kExpired);
    }
  }
}

TEST_F(VerifyOnResumption, AReserveThatCannotBeJudgedIsNotResumed) {
  const auto server = server_builder().tickets(1).client_auth(ClientAuth::require);
  const auto made = [&] {
    const auto pair = meet(client_builder(), server);
    pair->client.unverified = pair->server.unverified = kUnknown;
    pair->run();
    return std::move(pair->client.sessions);
  };
  auto of_client = made();
  of_client[0].peer = nullptr;
  const auto client_cannot = meet(client_builder(), server, of_client);
  client_cannot->run();
  expect_connected(*client_cannot, false);

  auto of_server = made();
  const auto server_cannot = meet(client_builder(), server, of_server);
  server_cannot->server.change_opened = [](Session& session) { session.peer = nullptr; };
  server_cannot->run();
  expect_connected(*server_cannot, false);
}

TEST_F(VerifyOnResumption, AReserveIsToldAlsoWhereEarlyDataWasSentOnIt) {
  const auto client = client_builder().early_data(100);
  const auto server = server_builder().early_data(100).tickets(1);
  auto first = meet(client, server);
  first->client.unverified = kUnknown;
  first->run();
  auto sessions = std::move(first->client.sessions);
  const auto pair = meet(client, server, sessions);
  pair->client.unverified = kExpired;
  pair->server.accept_early_data = true;
  EXPECT_EQ(pair->send_early("early"), 0U) << "nothing goes before the verdict";
  while (pair->client.treat(pair->client.connection.receive({}, kNow).event)) {
  }
  EXPECT_EQ(pair->send_early("early"), 5U);
  pair->run();
  expect_connected(*pair, true);
  EXPECT_EQ(as_text(pair->server.early_data), "early");
  EXPECT_EQ(pair->client.judged_resumed, std::vector{true});
  EXPECT_EQ(pair->client.connection.unverified(), kExpired);
}

TEST(Reserve, IsAboutCertificates) {
  Pair pair(built(client_builder()), built(server_builder()));
  std::vector<VerifyPeer> peers;
  pair.client.peers = &peers;
  pair.client_tape.happens_once();
  pair.server_tape.happens_once();
  pair.run();
  ASSERT_EQ(peers.size(), 1U);
  for (const Reason reason : {Reason::psk_binder, Reason::provider_failed, Reason::finished_mismatch}) {
    const auto answered =
        pair.client.connection.answer(std::move(peers[0].token), PeerAccepted{.unverified = {reason}});
    ASSERT_FALSE(answered);
    EXPECT_EQ(answered.error(), Misuse::invalid_answer);
  }
  EXPECT_TRUE(pair.client.connection.answer(std::move(peers[0].token), PeerDecision(PeerAccepted{})));
  pair.run();
  expect_connected(pair);
}

// --- a refusal with an alert of its own ------------------------------------------------------------------------------

TEST(Refusal, TellsThePeerWhatTheApplicationSays) {
  for (const auto version : kBothVersions) {
    for (const Role judged : {Role::server, Role::client}) {
      Pair pair(built(client_builder().versions(version, version)),
                built(server_builder().versions(version, version).client_auth(ClientAuth::require)));
      pair.client.credential = credential_of(usual_key());
      End& judge = judged == Role::server ? pair.client : pair.server;
      End& other = judged == Role::server ? pair.server : pair.client;
      judge.rejection = PeerRejected{.reason = Reason::certificate_rejected, .alert = Alert::access_denied};
      pair.run();
      ASSERT_TRUE(judge.error && other.error);
      EXPECT_EQ(judge.error->reason, Reason::certificate_rejected);
      EXPECT_EQ(judge.error->alert, Alert::access_denied);
      EXPECT_EQ(judge.error->origin, Origin::application);
      EXPECT_EQ(other.error->alert, Alert::access_denied);
      EXPECT_EQ(other.error->origin, Origin::peer);
    }
  }
}

TEST(Refusal, IsAnErrorAlert) {
  Pair pair(built(client_builder()), built(server_builder()));
  std::vector<VerifyPeer> peers;
  pair.client.peers = &peers;
  pair.client_tape.happens_once();
  pair.server_tape.happens_once();
  pair.run();
  ASSERT_EQ(peers.size(), 1U);
  for (const Alert alert : {Alert::close_notify, Alert::user_canceled, Alert::no_renegotiation}) {
    const auto answered = pair.client.connection.answer(std::move(peers[0].token), PeerRejected{.alert = alert});
    ASSERT_FALSE(answered);
    EXPECT_EQ(answered.error(), Misuse::invalid_answer);
  }
  EXPECT_TRUE(pair.client.connection.answer(std::move(peers[0].token),
                                            PeerDecision(PeerRejected{.alert = Alert::bad_certificate})));
}

// --- what the application attaches -----------------------------------------------------------------------------------

TEST_F(VerifyOnResumption, WhatIsAttachedComesWithEveryQuestionAndGoesWithTheHandshake) {
  for (const auto version : kBothVersions) {
    const auto client = client_builder().versions(version, version).hand_out_computations();
    const auto server =
        server_builder().versions(version, version).tickets(1).client_auth(ClientAuth::require).select_config(true);
    std::vector<Session> offered;
    for (const bool resumed : {false, true}) {
      const auto pair = meet(client, server, offered);
      const auto of_client = std::make_shared<int>(1);
      const auto of_server = std::make_shared<int>(2);
      pair->client.connection.attach(of_client);
      pair->server.connection.attach(of_server);
      pair->run();
      expect_connected(*pair, resumed);
      for (const auto& [end, attached] : {std::pair{&pair->client, of_client}, std::pair{&pair->server, of_server}}) {
        EXPECT_FALSE(end->attachments.empty() && !resumed);
        for (const auto& each : end->attachments) EXPECT_EQ(each, attached);
        end->attachments.clear();
        EXPECT_EQ(attached.use_count(), 2) << "the test's own, and that of the list here: the connection has let go";
        // Nothing is kept for questions that do not come.
        end->connection.attach(attached);
        EXPECT_EQ(attached.use_count(), 2);
      }
      offered = std::move(pair->client.sessions);
    }
  }
}

TEST(Attachment, GoesWithAHandshakeThatFails) {
  Pair pair(built(client_builder()), built(server_builder()));
  const auto attached = std::make_shared<int>(1);
  pair.client.connection.attach(attached);
  EXPECT_EQ(attached.use_count(), 2);
  pair.client.rejection = PeerRejected{};
  pair.run();
  ASSERT_TRUE(pair.client.error);
  pair.client.attachments.clear();
  EXPECT_EQ(attached.use_count(), 1);
  pair.client.connection.attach(attached);
  EXPECT_EQ(attached.use_count(), 1);
}

}  // namespace
}  // namespace lockstep::testing
