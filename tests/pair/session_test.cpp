// A session stays what it was: it belongs to the name and the verification that it was made with, and it ends.

#include "pair/pair.hpp"

namespace lockstep::testing {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::seconds;

using Octets = std::vector<std::uint8_t>;

const Octets kIdentity{'m', 'e'};

SessionContext digest(std::uint8_t number) {
  SessionContext context{};
  context.fill(number);
  return context;
}

/// One end of a connection.
struct ClientSide {
  ClientConfigBuilder config = client_builder();
  x509::PeerName name = x509::PeerName::dns("example.com").value();
  SessionContext verification{};
};
struct ServerSide {
  ServerConfigBuilder config = server_builder().tickets(2, 604'800);
  SessionContext verification{};
};

class Sessions : public ::testing::Test {
 protected:
  void SetUp() override {
    FixedRandom random(11);
    auto made = allowed_ticket_keys(TicketKey::generate(random).value());
    if (!made) GTEST_SKIP() << "this provider seals no tickets";
    keys_ = std::make_shared<TicketKeys>(std::move(*made));
  }
  /// A connection that offers `offered`; its tickets are those of all others here.
  std::unique_ptr<Pair> meet(const ClientSide& client, const ServerSide& server, std::vector<Session>& offered,
                             Time now = kNow) {
    auto pair = std::make_unique<Pair>(
        built(client.config), built(server.config),
        ClientOptions{.name = client.name, .sessions = offered, .verification = client.verification}, Wire{}, 1,
        ServerOptions{.verification = server.verification}, now);
    pair->client.credential = credential_of(usual_key());
    pair->server.identity = kIdentity;
    pair->server.ticket_keys = keys_;
    return pair;
  }
  /// The whole of it.
  std::unique_ptr<Pair> met(const ClientSide& client, const ServerSide& server, std::vector<Session>& offered,
                            Time now = kNow) {
    auto pair = meet(client, server, offered, now);
    pair->run();
    EXPECT_TRUE(pair->client.complete) << error_text(pair->client);
    EXPECT_TRUE(pair->server.complete) << error_text(pair->server);
    EXPECT_EQ(pair->client.connection.resumed(), pair->server.connection.resumed());
    return pair;
  }
  std::vector<Session> sessions_of(const ClientSide& client, const ServerSide& server, Time now = kNow) {
    std::vector<Session> none;
    auto pair = met(client, server, none, now);
    EXPECT_FALSE(pair->client.connection.resumed());
    EXPECT_EQ(pair->client.sessions.size(), 2U);
    return std::move(pair->client.sessions);
  }
  static std::ptrdiff_t count(const End& end, std::string_view event) { return std::ranges::count(end.events, event); }

 private:
  std::shared_ptr<TicketKeys> keys_;
};

// --- to whom it belongs ----------------------------------------------------------------------------------------------

// Among them an address whose session would be good for any other, and a session that was made without any name.
TEST_F(Sessions, AreOfferedToTheVeryNameAlone) {
  const x509::PeerName names[] = {x509::NoNameCheck{},
                                  x509::PeerName::dns("example.com").value(),
                                  x509::PeerName::dns("www.example.com").value(),
                                  x509::PeerName::ip("192.0.2.1").value(),
                                  x509::PeerName::ip("198.51.100.7").value(),
                                  x509::PeerName::ip("2001:db8::1").value()};
  for (const auto& made : names) {
    for (const auto& asked : names) {
      SCOPED_TRACE(made.text() + " -> " + asked.text());
      auto sessions = sessions_of({.name = made}, {});
      const auto pair = met({.name = asked}, {}, sessions);
      EXPECT_EQ(pair->client.connection.resumed(), made == asked);
      EXPECT_EQ(count(pair->server, "open_ticket"), made == asked ? 1 : 0);
      EXPECT_EQ(count(pair->client, "verify_peer"), made == asked ? 0 : 1);
    }
  }
}

TEST_F(Sessions, AreOfferedUnderTheVeryVerificationAlone) {
  std::vector<ClientSide> sides;
  for (const std::uint8_t number : Octets{0, 1, 2}) {
    sides.push_back({.verification = digest(number)});
    sides.push_back({.config = client_builder().session_context({7, number})});
  }
  sides.push_back({.config = client_builder().dangerous().skip_verification()});
  sides.push_back(
      {.config = client_builder().schemes({SignatureScheme::ed25519, SignatureScheme::ecdsa_secp256r1_sha256})});
  for (std::size_t made = 0; made < sides.size(); ++made) {
    for (std::size_t asked = 0; asked < sides.size(); ++asked) {
      SCOPED_TRACE(std::to_string(made) + " -> " + std::to_string(asked));
      auto sessions = sessions_of(sides[made], {});
      const auto pair = met(sides[asked], {}, sessions);
      EXPECT_EQ(pair->client.connection.resumed(), made == asked);
      EXPECT_EQ(count(pair->server, "open_ticket"), made == asked ? 1 : 0);
    }
  }
}

// Listeners that share the keys of their tickets: one for partners, one for administrators, one for everybody.
TEST_F(Sessions, AreResumedUnderTheVeryVerificationAlone) {
  const auto builder = [] { return server_builder().tickets(2); };
  std::vector<ServerSide> sides;
  for (const auto auth : {ClientAuth::none, ClientAuth::request, ClientAuth::require}) {
    for (const std::uint8_t anchors : Octets{1, 2})
      sides.push_back({.config = builder().client_auth(auth), .verification = digest(anchors)});
  }
  sides.push_back({.config = builder().client_auth(ClientAuth::require).session_context({1})});
  sides.push_back({.config = builder().client_auth(ClientAuth::require).session_context({2})});
  for (std::size_t made = 0; made < sides.size(); ++made) {
    for (std::size_t asked = 0; asked < sides.size(); ++asked) {
      SCOPED_TRACE(std::to_string(made) + " -> " + std::to_string(asked));
      auto sessions = sessions_of({}, sides[made]);
      const auto pair = met({}, sides[asked], sessions);
      EXPECT_EQ(count(pair->server, "open_ticket"), made == asked ? 1 : 2);  // the first is resumed, or none
      EXPECT_EQ(pair->server.connection.resumed(), made == asked);
    }
  }
}

TEST_F(Sessions, ContextThatIsSetGoesBeforeWhatDiffers) {
  const auto side = [](ClientAuth auth, std::uint8_t anchors) {
    return ServerSide{.config = server_builder().tickets(2).client_auth(auth).session_context({1}),
                      .verification = digest(anchors)};
  };
  auto sessions = sessions_of({}, side(ClientAuth::request, 1));
  EXPECT_TRUE(met({}, side(ClientAuth::require, 2), sessions)->server.connection.resumed());
  // But for a client that proved nothing where proof is demanded.
  auto unproved = sessions_of({}, side(ClientAuth::none, 1));
  EXPECT_FALSE(met({}, side(ClientAuth::require, 1), unproved)->server.connection.resumed());
}

TEST_F(Sessions, TellWhoTheClientIs) {
  const ServerSide server{.config = server_builder().tickets(2).client_auth(ClientAuth::require)};
  std::vector<Session> sessions;
  for (int times = 0; times < 3; ++times) {
    auto pair = meet({}, server, sessions);
    pair->server.to_seal = {1, 2, 3};
    // What is sealed once is there again, and goes on to the next ticket, until it is replaced.
    if (times == 1) pair->server.to_seal.clear();
    pair->run();
    ASSERT_TRUE(pair->server.complete) << error_text(pair->server);
    EXPECT_EQ(pair->server.connection.resumed(), times != 0);
    EXPECT_EQ(pair->server.peer_identity, kIdentity);
    EXPECT_EQ(pair->server.application_data, times == 0 ? Octets{} : (Octets{1, 2, 3}));
    EXPECT_EQ(count(pair->server, "verify_peer"), times == 0 ? 1 : 0);
    sessions = std::move(pair->client.sessions);
  }
}

TEST_F(Sessions, KeepWhatTheClientApplicationPutsIntoThem) {
  auto sessions = sessions_of({}, {});
  sessions[0].application_data = {9, 9};
  sessions.resize(1);
  const auto pair = met({}, {}, sessions);
  EXPECT_EQ(pair->client.application_data, (Octets{9, 9}));
  EXPECT_EQ(pair->client.sessions.at(0).application_data, (Octets{9, 9}));
  EXPECT_TRUE(pair->server.application_data.empty());
}

TEST_F(Sessions, ShareWhatThePeerShowed) {
  const auto sessions = sessions_of({.config = client_builder().verify_on_resumption(true)}, {});
  ASSERT_NE(sessions[0].peer, nullptr);
  EXPECT_EQ(sessions[0].peer, sessions[1].peer);
}

// --- when it ends ----------------------------------------------------------------------------------------------------

// Both ends prove who they are again within seven days, however often their sessions were renewed meanwhile.
TEST_F(Sessions, EndSevenDaysAfterTheAuthentication) {
  const ServerSide server{.config = server_builder().tickets(2, 604'800).client_auth(ClientAuth::require)};
  std::vector<Session> sessions;
  Time authenticated{};
  int judged = 0;
  for (Time now = kNow; now <= kNow + days(414); now += days(2)) {
    auto pair = met({}, server, sessions, now);
    if (pair->server.connection.resumed()) {
      EXPECT_LT(now - authenticated, days(7));
    } else {
      authenticated = now;
      ++judged;
      EXPECT_EQ(count(pair->client, "verify_peer"), 1);
      EXPECT_EQ(count(pair->server, "verify_peer"), 1);
    }
    for (const Session& session : pair->client.sessions) {
      EXPECT_EQ(session.authenticated_at, authenticated);
      // What the server says of its ticket is true.
      EXPECT_LE(session.issued_at + session.lifetime, authenticated + days(7));
    }
    sessions = std::move(pair->client.sessions);
  }
  EXPECT_EQ(judged, 52);  // every eighth day
}

// Each end sees to it by itself: here the other has no objection.
TEST_F(Sessions, EndSoonerWhereThatIsSet) {
  const ClientSide patient;
  const ClientSide strict{.config = client_builder().max_authentication_age(hours(1))};
  const ServerSide strict_server{.config = server_builder().tickets(2, 604'800).max_authentication_age(hours(1))};
  for (const bool client_is_strict : {true, false}) {
    const ClientSide& client = client_is_strict ? strict : patient;
    const ServerSide& server = client_is_strict ? ServerSide() : strict_server;
    auto first = sessions_of(client, server);
    EXPECT_EQ(first[0].lifetime, client_is_strict ? seconds(604'800) : seconds(3600));
    auto second = met(client, server, first, kNow + hours(1) - seconds(10));
    EXPECT_TRUE(second->client.connection.resumed());
    ASSERT_EQ(second->client.sessions.size(), 1U);
    if (!client_is_strict) {
      EXPECT_EQ(second->client.sessions[0].lifetime, seconds(10));
      // A client that does not believe it gets no further.
      for (Session& session : second->client.sessions) session.lifetime = seconds(7200);
    }
    const auto third = met(client, server, second->client.sessions, kNow + hours(1));
    EXPECT_FALSE(third->client.connection.resumed());
    EXPECT_EQ(count(third->server, "open_ticket"), client_is_strict ? 0 : 1);
  }
}

TEST_F(Sessions, EndWithThePeersPath) {
  const ServerSide asking{.config = server_builder().tickets(2, 604'800).client_auth(ClientAuth::require)};
  for (const bool of_server : {true, false}) {
    const auto meet_once = [&](std::vector<Session>& sessions, Time now) {
      auto pair = meet({}, asking, sessions, now);
      (of_server ? pair->client : pair->server).expires = kNow + hours(5);
      pair->run();
      EXPECT_TRUE(pair->client.complete && pair->server.complete) << error_text(pair->client);
      return pair;
    };
    std::vector<Session> sessions;
    sessions = std::move(meet_once(sessions, kNow)->client.sessions);
    ASSERT_FALSE(sessions.empty());
    auto second = meet_once(sessions, kNow + hours(5) - seconds(1));
    EXPECT_TRUE(second->client.connection.resumed());
    const auto third = meet_once(second->client.sessions, kNow + hours(5));
    EXPECT_FALSE(third->client.connection.resumed());
    // A path that has ended leaves no tickets at the server that judged it.
    EXPECT_EQ(third->client.sessions.empty(), !of_server);
  }
}

TEST_F(Sessions, AreGoodWhereTheClockIsALittleBehind) {
  for (const auto behind : {seconds(0), seconds(5), kMaxClockSkew, kMaxClockSkew + seconds(1)}) {
    auto sessions = sessions_of({}, {});
    const auto pair = met({}, {}, sessions, kNow - behind);
    EXPECT_EQ(pair->server.connection.resumed(), behind <= kMaxClockSkew);
  }
}

// --- early data ------------------------------------------------------------------------------------------------------

TEST_F(Sessions, EarlyDataIsAskedAboutOnlyWhereTheBinderHolds) {
  const ClientSide client{.config = client_builder().early_data(100)};
  const ServerSide server{.config = server_builder().tickets(2).early_data(100)};
  auto sessions = sessions_of(client, server);
  auto copied = std::vector<Session>();
  copied.push_back(sessions[0].clone());
  copied[0].secret.writable()[0] ^= 1U;  // who has the ticket alone
  const auto forged = meet(client, server, copied);
  forged->server.accept_early_data = true;
  EXPECT_EQ(forged->send_early("PAY 100"), 7U);
  forged->run();
  ASSERT_TRUE(forged->server.error);
  EXPECT_EQ(forged->server.error->reason, Reason::psk_binder);
  EXPECT_EQ(count(forged->server, "open_ticket"), 1);
  EXPECT_EQ(count(forged->server, "accept_early_data"), 0);

  const auto honest = meet(client, server, sessions);
  honest->server.accept_early_data = true;
  EXPECT_EQ(honest->send_early("PAY 100"), 7U);
  honest->run();
  EXPECT_EQ(count(honest->server, "accept_early_data"), 1);
  EXPECT_EQ(as_text(honest->server.early_data), "PAY 100");
}

TEST_F(Sessions, EarlyDataIsNotAskedAboutWhereItIsRefusedAnyway) {
  const ClientSide client{.config = client_builder().early_data(100)};
  const ServerSide server{.config = server_builder().tickets(2).early_data(100)};
  auto sessions = sessions_of(client, server);
  sessions[0].ticket_age_add += 60'000;  // an age that cannot be
  const auto pair = meet(client, server, sessions);
  pair->server.accept_early_data = true;
  EXPECT_EQ(pair->send_early("x"), 1U);
  pair->run();
  EXPECT_TRUE(pair->server.connection.resumed()) << error_text(pair->server);
  EXPECT_EQ(count(pair->server, "accept_early_data"), 0);
  EXPECT_EQ(pair->server.early_data_status, EarlyDataStatus::age_implausible);
}

TEST_F(Sessions, EarlyDataWaitsForTheVerdictOnItsServer) {
  const ClientSide client{.config = client_builder().early_data(100).verify_on_resumption(true)};
  const ServerSide server{.config = server_builder().tickets(2).early_data(100)};
  for (const bool accepted : {true, false}) {
    auto sessions = sessions_of(client, server);
    const auto pair = meet(client, server, sessions);
    pair->server.accept_early_data = true;
    EXPECT_EQ(pair->client.connection.early_data_left(), 0U);
    EXPECT_EQ(pair->send_early("secret"), 0U);
    if (!accepted) pair->client.rejection = PeerRejected{.reason = Reason::certificate_revoked};
    pair->step(pair->client, pair->to_server(), pair->to_client());  // the ClientHello, and the question
    EXPECT_EQ(count(pair->client, "verify_peer"), 1);
    EXPECT_EQ(pair->client.judged_resumed, std::vector{true});
    EXPECT_EQ(pair->send_early("secret"), accepted ? 6U : 0U);
    pair->run();
    EXPECT_EQ(pair->client.complete, accepted) << error_text(pair->client);
    EXPECT_EQ(as_text(pair->server.early_data), accepted ? "secret" : "");
    EXPECT_EQ(count(pair->client, "verify_peer"), 1);  // one question about one session
    if (!accepted) {
      EXPECT_EQ(pair->client.error->reason, Reason::certificate_revoked);
    }
  }
}

// That question is there when the connection is made, before anybody can say whom to wake.
TEST_F(Sessions, QuestionAboutAnOfferWakesWhenItsTokenIsDropped) {
  class Waker final : public TokenWaker {
   public:
    void wake() noexcept override { ++times; }
    int times = 0;
  };
  const ClientSide client{.config = client_builder().early_data(100).verify_on_resumption(true)};
  const ServerSide server{.config = server_builder().tickets(2).early_data(100)};
  auto sessions = sessions_of(client, server);
  const auto pair = meet(client, server, sessions);
  const auto waker = std::make_shared<Waker>();
  pair->client.connection.wake_by(waker);
  auto event = pair->client.connection.receive({}, kNow).event;
  ASSERT_TRUE(std::holds_alternative<VerifyPeer>(event));
  event = Nothing{};
  EXPECT_EQ(waker->times, 1);
  EXPECT_TRUE(std::holds_alternative<Failed>(pair->client.connection.receive({}, kNow).event));
}

// No more than a server reads.
TEST_F(Sessions, AreOfferedUpToABound) {
  std::vector<Session> sessions = sessions_of({}, {});
  while (sessions.size() < 100) sessions.push_back(Session::parse(sessions.front().serialize()).value());
  auto pair = met({}, {}, sessions);
  EXPECT_TRUE(pair->client.connection.resumed());
}

TEST_F(Sessions, VerdictOnAnOfferIsNoneOnAnotherServer) {
  const ClientSide client{.config = client_builder().early_data(100).verify_on_resumption(true)};
  const ServerSide server{.config = server_builder().tickets(2).early_data(100)};
  auto sessions = sessions_of(client, server);
  const auto pair = meet(client, {.config = server_builder().resumption(false)}, sessions);
  pair->client.expires = kNow + hours(1);
  pair->run();
  EXPECT_TRUE(pair->client.complete) << error_text(pair->client);
  EXPECT_FALSE(pair->client.connection.resumed());
  EXPECT_EQ(pair->client.judged_resumed, (std::vector{true, false}));
}

}  // namespace
}  // namespace lockstep::testing
