// Sessions whose peer is judged again when they are resumed.

#include "pair/pair.hpp"

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

}  // namespace
}  // namespace lockstep::testing
