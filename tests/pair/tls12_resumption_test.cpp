// Sessions of TLS 1.2, by tickets and by ids.

#include "tls12_pair.hpp"

namespace lockstep::testing {
namespace {

TEST(Tls12, ResumesByTicket) {
  const auto keys = ticket_keys();
  // With TLS 1.3 in the offer too, as long as the server has none.
  for (const bool both : {false, true}) {
    SCOPED_TRACE(both);
    const auto config = built(both ? client_builder() : old_client());
    Pair first(config, built(old_server()));
    first.server.ticket_keys = keys;
    first.run();
    expect_tls12(first);
    ASSERT_EQ(first.client.sessions.size(), 1U);
    const Session& session = first.client.sessions.front();
    EXPECT_EQ(session.version, kTls12);
    EXPECT_TRUE(session.extended_master_secret);
    EXPECT_EQ(session.secret.size(), 48U);
    EXPECT_EQ(session.lifetime, std::chrono::seconds(7200));

    Session offered = session.clone();
    Pair second(config, built(old_server()), {x509::PeerName::dns("example.com").value(), {&offered, 1}}, {}, 5);
    second.server.ticket_keys = keys;
    second.run();
    expect_tls12(second);
    EXPECT_TRUE(second.client.connection.resumed());
    EXPECT_TRUE(second.server.connection.resumed());
    EXPECT_EQ(second.server.events, (std::vector<std::string>{"open_ticket", "complete"}));
    // The ticket may be used again.
    ASSERT_EQ(second.client.sessions.size(), 1U);
    EXPECT_EQ(second.client.sessions.front().ticket, session.ticket);
    expect_echo(second);
  }
}

TEST(Tls12, ResumesByTheIdOfAStoredSession) {
  const auto config = built(old_client());
  const auto server_config = built(old_server().tickets(0).session_ids(true));
  std::map<std::vector<std::uint8_t>, std::vector<std::uint8_t>> store;
  std::uint64_t seed = 5;
  const auto run = [&](std::span<Session> offered) {
    seed += 10;
    auto pair = std::make_unique<Pair>(
        config, server_config, ClientOptions{x509::PeerName::dns("example.com").value(), offered}, Wire{}, seed);
    pair->server.store = &store;
    pair->run();
    expect_tls12(*pair);
    expect_echo(*pair);
    return pair;
  };
  const auto first = run({});
  ASSERT_EQ(store.size(), 1U);
  ASSERT_EQ(first->client.sessions.size(), 1U);
  Session& session = first->client.sessions.front();
  EXPECT_TRUE(session.ticket.empty());
  EXPECT_EQ(session.session_id, store.begin()->first);
  Session offered = session.clone();
  const auto second = run({&offered, 1});
  EXPECT_TRUE(second->client.connection.resumed());
  EXPECT_TRUE(second->server.connection.resumed());
  // What the server has forgotten is not resumed.
  store.clear();
  offered = session.clone();
  EXPECT_FALSE(run({&offered, 1})->client.connection.resumed());
}

TEST(Tls12, GoesOnInFullWhereNothingIsResumed) {
  const auto keys = ticket_keys();
  Pair first(built(old_client()), built(old_server()));
  first.server.ticket_keys = keys;
  first.run();
  ASSERT_EQ(first.client.sessions.size(), 1U);

  // The server has lost its keys, or speaks TLS 1.3 by now.
  for (const bool newer : {false, true}) {
    Session offered = first.client.sessions.front().clone();
    Pair second(built(client_builder()), built(newer ? server_builder() : old_server()),
                {x509::PeerName::dns("example.com").value(), {&offered, 1}}, {}, 5);
    second.server.ticket_keys = ticket_keys();
    if (!newer) {
      FixedRandom random(123);
      second.server.ticket_keys = std::make_shared<TicketKeys>(*allowed_ticket_keys(*TicketKey::generate(random)));
    }
    second.run();
    EXPECT_TRUE(second.client.connection.connected()) << error_text(second.client);
    EXPECT_FALSE(second.client.connection.resumed());
    EXPECT_FALSE(second.server.connection.resumed());
    expect_echo(second);
  }
}

// Whoever keeps sessions may confuse them. RFC 5246 7.4.1.3: a resumed session has its own suite, which is not one of
// another version.
TEST(Tls12, ResumesNoSessionWithASuiteOfAnotherVersion) {
  constexpr auto kOlder = CipherSuite::tls_ecdhe_ecdsa_with_aes_128_gcm_sha256;
  constexpr auto kNewer = CipherSuite::tls_aes_128_gcm_sha256;
  for (const bool newer : {false, true}) {
    const auto server_config = built(newer ? server_builder() : old_server());
    const auto client_config = built(client_builder());
    Pair first(client_config, server_config);
    first.server.ticket_keys = ticket_keys();
    first.run();
    ASSERT_FALSE(first.client.sessions.empty());
    const Session& session = first.client.sessions.front();
    for (const Role mistaken : {Role::client, Role::server}) {
      Session offered = session.clone();
      const auto confuse = [newer](Session& one) { one.suite = newer ? kOlder : kNewer; };
      if (mistaken == Role::client) confuse(offered);
      Pair second(client_config, server_config, {x509::PeerName::dns("example.com").value(), {&offered, 1}}, {}, 5);
      // A session that nobody reads.
      (mistaken == Role::client ? second.client_tape : second.server_tape).happens_once();
      second.server.ticket_keys = ticket_keys();
      if (mistaken == Role::server) second.server.change_opened = confuse;
      second.run();
      EXPECT_TRUE(second.client.connection.connected()) << error_text(second.client);
      EXPECT_FALSE(second.client.connection.resumed());
      EXPECT_EQ(std::ranges::count(second.server.events, "open_ticket"), mistaken == Role::server);
    }
  }
}

TEST(Tls12, SaysThatThereIsNoTicketAfterAll) {
  Pair declined(built(old_client()), built(old_server()));  // without keys for tickets
  declined.run();
  expect_tls12(declined);
  EXPECT_TRUE(declined.client.sessions.empty());
  expect_echo(declined);
}

}  // namespace
}  // namespace lockstep::testing
