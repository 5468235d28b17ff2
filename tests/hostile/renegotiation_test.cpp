// Renegotiation in TLS 1.2: what it comes to between our own engines, what either side refuses, and the attacks on it
// by their names.

#include <array>

#include <lockstep/lists.hpp>

#include "hostile/hostile.hpp"

namespace lockstep::testing::renegotiation {
namespace {

using namespace std::chrono_literals;

constexpr auto kRenegotiationInfo = ExtensionType::renegotiation_info;
constexpr auto kExtendedMainSecret = ExtensionType::extended_main_secret;
constexpr auto kClientHello = HandshakeType::client_hello;
constexpr auto kServerHello = HandshakeType::server_hello;
const Octets kHelloRequest{0, 0, 0, 0};

/// A duel of TLS 1.2 alone, whose ends may renegotiate.
struct RenegotiatingDuel : Duel {
  explicit RenegotiatingDuel(Renegotiation mode = Renegotiation::freely) {
    speak_tls12(*this);
    client_config.renegotiation(mode);
    server_config.renegotiation(mode);
  }
  End& of(Role role) { return role == Role::client ? client() : server(); }
  std::expected<void, Misuse> ask(Role role, std::optional<ClientAuth> client_auth = {}) {
    return of(role).connection.renegotiate(pair().now, client_auth);
  }
  /// Both are connected, and one of them begins.
  void begin(Role role, std::optional<ClientAuth> client_auth = {}) {
    expect_connected();
    EXPECT_TRUE(ask(role, client_auth));
  }
  [[nodiscard]] long told(Role role, std::string_view event) { return std::ranges::count(of(role).events, event); }
  /// So many handshakes have been made behind the first one, and data flows both ways.
  void expect_renegotiated(long times) {
    run();
    for (const Role role : {Role::client, Role::server}) {
      EXPECT_EQ(told(role, "renegotiated"), times) << error_text(of(role));
      EXPECT_EQ(told(role, "complete"), 1);
      EXPECT_FALSE(of(role).connection.renegotiating());
      EXPECT_EQ(of(role).connection.version(), kTls12);
      EXPECT_TRUE(of(role).connection.secure_renegotiation());
      EXPECT_FALSE(of(role).connection.resumed());
    }
    EXPECT_EQ(client().own_finished, server().peer_finished);
    EXPECT_EQ(server().own_finished, client().peer_finished);
    expect_alive();
  }
  void expect_alive() {
    for (End* end : {&client(), &server()}) end->data.clear();
    pair().send(client(), "ping");
    pair().send(server(), "pong");
    run();
    EXPECT_EQ(as_text(server().data), "ping") << error_text(server());
    EXPECT_EQ(as_text(client().data), "pong") << error_text(client());
  }
  void client_speaks() {
    while (pair().step(client(), to_server(), to_client())) {
    }
  }
  void server_speaks() {
    while (pair().step(server(), to_client(), to_server())) {
    }
  }
  /// A message as a handshake record of this side.
  void say(Role role, Bytes message) {
    append(role == Role::client ? to_server() : to_client(),
           seal_record(of(role).connection, ContentType::handshake, message));
  }
};

bool has(const RawClientHello& hello, ExtensionType type) {
  return std::ranges::find(hello.extensions, type, &RawExtension::type) != hello.extensions.end();
}

Octets exported(const End& end) {
  Octets key(32);
  EXPECT_TRUE(end.connection.export_keying_material("EXPORTER-test", std::nullopt, key));
  return key;
}

// --- between those who want it ---------------------------------------------------------------------------------------

TEST(Renegotiation, IsBegunByEitherSide) {
  for (const Role role : {Role::client, Role::server}) {
    RenegotiatingDuel duel;
    duel.expect_connected();
    const auto key = exported(duel.client());
    const auto finished = duel.client().own_finished;
    EXPECT_TRUE(duel.ask(role));
    duel.expect_renegotiated(1);
    // From then on it is another connection to whoever binds to it.
    EXPECT_NE(exported(duel.client()), key);
    EXPECT_EQ(exported(duel.client()), exported(duel.server()));
    EXPECT_NE(duel.client().own_finished, finished);
    EXPECT_EQ(duel.client().judged_chains.size(), 2U);
    EXPECT_EQ(duel.client().judged_name, "example.com");
    EXPECT_TRUE(duel.ask(role));
    duel.expect_renegotiated(2);
  }
}

TEST(Renegotiation, WorksWithEverySuite) {
  for (const CipherSuite suite : suites(kTls12)) {
    const auto known = parts(suite);
    if (!provider().supports(suite) || known->key_exchange != KeyExchangeMethod::ecdhe) continue;
    SCOPED_TRACE(name(suite));
    RenegotiatingDuel duel;
    duel.client_config.suites({suite}).schemes(schemes(kTls12));
    duel.server_config.suites({suite}).schemes(schemes(kTls12));
    duel.pair().server.credential =
        credential_of(known->authentication == SuiteAuthentication::rsa ? KeyType::rsa : KeyType::ec_p256);
    duel.begin(Role::server);
    duel.expect_renegotiated(1);
    EXPECT_TRUE(duel.ask(Role::client));
    duel.expect_renegotiated(2);
  }
}

TEST(Renegotiation, AsksForAClientCertificate) {
  RenegotiatingDuel duel;
  duel.client().credential = credential_of(KeyType::ec_p256, "client.example");
  duel.begin(Role::server, ClientAuth::require);
  EXPECT_TRUE(duel.server().peer_chain.empty());
  duel.expect_renegotiated(1);
  ASSERT_EQ(duel.server().peer_chain.size(), 1U);
  EXPECT_EQ(duel.server().peer_chain.front(), duel.client().credential->chain.front());
  // It stays asked for, and the same.
  EXPECT_TRUE(duel.ask(Role::client));
  duel.expect_renegotiated(2);
  EXPECT_EQ(duel.server().peer_chain.front(), duel.client().credential->chain.front());
  duel.client().credential = credential_of(KeyType::ec_p256, "other.example");
  EXPECT_TRUE(duel.ask(Role::server));
  duel.expect_server_refuses(Reason::renegotiation_peer_changed, Alert::handshake_failure);
}

TEST(Renegotiation, DemandsTheClientCertificateThatItAsksFor) {
  RenegotiatingDuel duel;
  duel.client().credential = nullptr;
  duel.begin(Role::server, ClientAuth::require);
  duel.expect_server_refuses(Reason::certificate_required, Alert::handshake_failure);

  RenegotiatingDuel lenient;
  lenient.client().credential = nullptr;
  lenient.begin(Role::server, ClientAuth::request);
  lenient.expect_renegotiated(1);
  EXPECT_TRUE(lenient.server().peer_chain.empty());
}

TEST(Renegotiation, ComesAfterAResumptionToo) {
  FixedRandom random(99);
  RenegotiatingDuel first;
  const auto keys = std::make_shared<TicketKeys>(*allowed_ticket_keys(*TicketKey::generate(random)));
  first.server_config.tickets(1).client_auth(ClientAuth::request);
  first.client().credential = credential_of(KeyType::ec_p256);
  first.server().ticket_keys = keys;
  first.expect_connected();
  ASSERT_EQ(first.client().sessions.size(), 1U);
  for (const bool other_server : {false, true}) {
    RenegotiatingDuel second;
    second.server_config.tickets(1).client_auth(ClientAuth::request);
    second.sessions.push_back(first.client().sessions.front().clone());
    second.server().ticket_keys = keys;
    second.client().credential = credential_of(KeyType::ec_p256);
    second.run();
    ASSERT_TRUE(second.client().connection.resumed());
    EXPECT_TRUE(second.ask(Role::client));
    if (other_server) {
      second.server().credential = credential_of(KeyType::ec_p256, "other.example");
      second.expect_client_refuses(Reason::renegotiation_peer_changed, Alert::handshake_failure);
    } else {
      second.expect_renegotiated(1);
    }
  }
}

// RFC 5246 6.2.1: "Recipients MUST receive and process interleaved application layer traffic during handshakes
// subsequent to the first one on a connection."
TEST(Renegotiation, TakesDataMeanwhile) {
  RenegotiatingDuel duel;
  duel.expect_connected();
  // The server has sent data before it sees the ClientHello, which comes behind it.
  EXPECT_TRUE(duel.ask(Role::client));
  duel.pair().send(duel.server(), "late");
  duel.client_speaks();
  EXPECT_TRUE(duel.client().connection.renegotiating());
  EXPECT_EQ(as_text(duel.client().data), "late");
  // Ours waits until it is over.
  const Bytes data = as_bytes("held");
  Octets out(1000);
  const auto sealed = duel.client().connection.seal({&data, 1}, out, kNow);
  ASSERT_TRUE(sealed);
  EXPECT_EQ(sealed->consumed, 0U);
  EXPECT_EQ(sealed->written, 0U);
  EXPECT_EQ(duel.client().connection.seal_in_place({out, 100, 10}, kNow).error(), Misuse::handshake_not_over);
  EXPECT_EQ(duel.client().connection.offload(Direction::send).error(), Misuse::handshake_not_over);
  Octets key(16);
  EXPECT_EQ(duel.client().connection.export_keying_material("EXPORTER-test", std::nullopt, key).error(),
            Misuse::handshake_not_over);
  EXPECT_TRUE(duel.ask(Role::client));  // it is under way
  duel.expect_renegotiated(1);
}

TEST(Renegotiation, IsBegunByBothAtOnce) {
  RenegotiatingDuel duel;
  duel.expect_connected();
  EXPECT_TRUE(duel.ask(Role::client));
  EXPECT_TRUE(duel.ask(Role::server));
  EXPECT_TRUE(duel.ask(Role::server));  // one HelloRequest is out
  duel.expect_renegotiated(1);
}

TEST(Renegotiation, DoesNotDependOnHowBytesAreCut) {
  for (const Wire wire : {Wire{64, 1}, Wire{65536, 3}}) {
    const auto config = [](auto builder) {
      return built(builder.versions(kTls12, kTls12).renegotiation(Renegotiation::freely));
    };
    Pair pair(config(client_builder()), config(server_builder()), {x509::PeerName::dns("example.com").value(), {}},
              wire);
    pair.client.credential = credential_of(usual_key());
    pair.run();
    EXPECT_TRUE(pair.server.connection.renegotiate(pair.now, ClientAuth::require));
    pair.run();
    EXPECT_EQ(std::ranges::count(pair.server.events, "renegotiated"), 1) << error_text(pair.server);
    EXPECT_TRUE(pair.client.connection.renegotiate(pair.now));
    pair.run();
    EXPECT_EQ(std::ranges::count(pair.client.events, "renegotiated"), 2) << error_text(pair.client);
    pair.send(pair.client, "ping");
    pair.run();
    EXPECT_EQ(as_text(pair.server.data), "ping");
  }
}

// Whoever begins, and when, and however bytes are cut: data comes once and in order, and nothing fails.
TEST(Renegotiation, HoldsInRandomSchedules) {
  const auto config = [](auto builder) {
    return built(builder.versions(kTls12, kTls12).renegotiation(Renegotiation::freely).renegotiation_limit(100));
  };
  const auto client_config = config(client_builder());
  const auto server_config = config(server_builder());
  long renegotiated = 0;
  for (std::uint64_t seed = 1; seed <= 150; ++seed) {
    SCOPED_TRACE(seed);
    Pair pair(client_config, server_config);
    pair.client.credential = credential_of(usual_key());
    pair.run();
    FixedRandom random(0x5eed0000 + seed);
    std::array<Octets, 2> sent;
    for (int step = 0; step < 120; ++step) {
      std::array<std::uint8_t, 4> dice{};
      EXPECT_TRUE(random.fill(dice));
      const bool client = (dice[0] & 1U) != 0;
      End& end = client ? pair.client : pair.server;
      Octets& out = client ? pair.to_server() : pair.to_client();
      Octets& in = client ? pair.to_client() : pair.to_server();
      Octets buffer(100 + dice[2] * 8U);
      switch (dice[1] % 16) {
        case 0: (void)end.connection.renegotiate(pair.now); break;
        case 1: (void)end.connection.renegotiate(pair.now, ClientAuth::request); break;
        case 2:
        case 3:
        case 4:
        case 5:
        case 6: append(out, Bytes(buffer).first(end.connection.transmit(buffer, pair.now))); break;
        case 7:
        case 8:
        case 9: {
          const Octets data(1 + dice[3] % 100, dice[3]);
          const Bytes view = data;
          const auto sealed = end.connection.seal({&view, 1}, buffer, pair.now);
          ASSERT_TRUE(sealed) << name(sealed.error());
          append(out, Bytes(buffer).first(sealed->written));
          append(sent[client ? 0 : 1], view.first(sealed->consumed));
          break;
        }
        default: {
          auto [consumed, event] =
              end.connection.receive(MutableBytes(in).first(std::min<std::size_t>(in.size(), dice[2] * 16U)), pair.now);
          (void)end.treat(std::move(event));
          in.erase(in.begin(), in.begin() + static_cast<std::ptrdiff_t>(consumed));
        }
      }
    }
    pair.run();
    for (const End* end : {&pair.client, &pair.server}) {
      EXPECT_FALSE(end->error) << error_text(*end);
      EXPECT_FALSE(end->connection.renegotiating());
    }
    EXPECT_EQ(pair.server.data, sent[0]);
    EXPECT_EQ(pair.client.data, sent[1]);
    const long times = std::ranges::count(pair.client.events, "renegotiated");
    EXPECT_EQ(std::ranges::count(pair.server.events, "renegotiated"), times);
    renegotiated += times;
  }
  EXPECT_GT(renegotiated, 100);
}

TEST(Renegotiation, KeepsTheProtocolThatWasAgreed) {
  RenegotiatingDuel duel;
  duel.client_config.alpn({"h2", "http/1.1"});
  duel.server_config.alpn({"http/1.1"});
  duel.client_forger.change_parts<RawClientHello>(
      kClientHello,
      [](RawClientHello& hello) {
        EXPECT_FALSE(has(hello, ExtensionType::application_layer_protocol_negotiation));
        EXPECT_FALSE(has(hello, ExtensionType::supported_versions));
        EXPECT_TRUE(hello.legacy_session_id.empty());
      },
      1);
  duel.begin(Role::client);
  duel.expect_renegotiated(1);
  EXPECT_EQ(duel.client().connection.alpn(), "http/1.1");
  EXPECT_EQ(duel.server().connection.alpn(), "http/1.1");
}

TEST(Renegotiation, LogsTheSecretsOfEveryHandshake) {
  RenegotiatingDuel duel;
  duel.client_config.key_log(true);
  duel.begin(Role::client);
  duel.expect_renegotiated(1);
  EXPECT_EQ(duel.client().secrets_logged, (std::vector<std::string>{"CLIENT_RANDOM", "CLIENT_RANDOM"}));
}

TEST(Renegotiation, GivesMemoryBack) {
  RenegotiatingDuel duel;
  const auto client = built(duel.client_config);
  const auto server = built(duel.server_config);
  Pair pair(client, server);
  pair.run();
  FixedRandom random(1);
  Octets block(Connection::kHandshakeMemory);
  pair.client.connection =
      Connection::client(client, {x509::PeerName::dns("example.com").value(), {}}, random, kNow, block);
  pair.server.connection = Connection::server(server, random);
  pair.client_tape.forget();
  pair.server_tape.forget();
  pair.run();
  EXPECT_TRUE(pair.client.connection.renegotiate(kNow));
  EXPECT_TRUE(pair.client.connection.reclaim().empty());
  pair.run();
  EXPECT_EQ(pair.client.connection.reclaim().size(), block.size());
  // Another one has no block to live in, and finds its memory elsewhere.
  EXPECT_TRUE(pair.client.connection.renegotiate(kNow));
  pair.run();
  EXPECT_FALSE(pair.client.connection.renegotiating()) << error_text(pair.client);
  EXPECT_EQ(std::ranges::count(pair.client.events, "renegotiated"), 2);
}

TEST(Renegotiation, EndsWithTheConnection) {
  RenegotiatingDuel duel;
  duel.begin(Role::client);
  duel.client().connection.close();
  duel.run();
  ASSERT_TRUE(duel.client().error);
  EXPECT_EQ(duel.client().error->reason, Reason::canceled);
  EXPECT_TRUE(duel.server().peer_closed);

  RenegotiatingDuel other;
  other.begin(Role::client);
  other.server().connection.close();
  other.run();
  EXPECT_TRUE(other.client().peer_closed);
  const Bytes data = as_bytes("x");
  Octets out(1000);
  EXPECT_EQ(other.client().connection.seal({&data, 1}, out, kNow).error(), Misuse::closed);
}

// --- those who do not want it
// ------------------------------------------------------------------------------------------

// The alert is a warning where it refuses, and as fatal as any where the application ends the connection with it.
TEST(Renegotiation, IsNotWhatAnApplicationEndsWith) {
  RenegotiatingDuel duel;
  duel.run();
  duel.server().connection.cancel(Alert::no_renegotiation);
  duel.run();
  ASSERT_TRUE(duel.client().error);
  EXPECT_EQ(duel.client().error->reason, Reason::peer_alert);
  EXPECT_EQ(duel.told(Role::client, "renegotiation_refused"), 0);
}

TEST(Renegotiation, IsRefusedByDefaultAndTheConnectionGoesOn) {
  for (const Role role : {Role::client, Role::server}) {
    RenegotiatingDuel duel;
    role == Role::client ? static_cast<void>(duel.server_config.renegotiation(Renegotiation::never))
                         : static_cast<void>(duel.client_config.renegotiation(Renegotiation::never));
    duel.begin(role);
    duel.run();
    EXPECT_EQ(duel.told(role, "renegotiation_refused"), 1) << error_text(duel.of(role));
    EXPECT_FALSE(duel.of(role).connection.renegotiating());
    duel.expect_alive();
    EXPECT_TRUE(duel.ask(role));
    duel.run();
    EXPECT_EQ(duel.told(role, "renegotiation_refused"), 2);
    duel.expect_alive();
    const Role other = role == Role::client ? Role::server : Role::client;
    EXPECT_EQ(duel.ask(other).error(), Misuse::no_renegotiation);
  }
}

TEST(Renegotiation, EndsTheConnectionWhereThatIsWanted) {
  for (const Role role : {Role::client, Role::server}) {
    const Role other = role == Role::client ? Role::server : Role::client;
    const auto expect_ended = [&](RenegotiatingDuel& duel) {
      Duel::expect_refusal(duel.of(other), Reason::renegotiation_unwanted, Alert::no_renegotiation);
      ASSERT_TRUE(duel.of(role).error);
      EXPECT_EQ(duel.of(role).error->reason, Reason::peer_alert);
      EXPECT_EQ(duel.told(role, "renegotiation_refused"), 0);
    };
    const auto never = [&](auto& config) {
      config.renegotiation(Renegotiation::never).renegotiation_ends_connection(true);
    };
    RenegotiatingDuel duel;
    other == Role::client ? never(duel.client_config) : never(duel.server_config);
    duel.begin(role);
    duel.run();
    expect_ended(duel);

    // One more than there may be.
    const auto once = [&](auto& config) {
      config.renegotiation(Renegotiation::once).renegotiation_ends_connection(true);
    };
    RenegotiatingDuel second;
    other == Role::client ? once(second.client_config) : once(second.server_config);
    second.begin(role);
    second.expect_renegotiated(1);
    EXPECT_TRUE(second.ask(role));
    second.run();
    expect_ended(second);
  }
}

TEST(Renegotiation, IsNotForEveryConnection) {
  {
    Duel newer;
    newer.client_config.renegotiation(Renegotiation::freely)
        .versions(kTls12, ProtocolVersion::tls_1_3)
        .suites({CipherSuite::tls_aes_128_gcm_sha256, CipherSuite::tls_ecdhe_ecdsa_with_aes_128_gcm_sha256});
    newer.expect_connected();
    EXPECT_EQ(newer.client().connection.renegotiate(kNow).error(), Misuse::no_renegotiation);
    EXPECT_EQ(newer.server().connection.renegotiate(kNow).error(), Misuse::no_renegotiation);
  }
  RenegotiatingDuel early;
  EXPECT_EQ(early.ask(Role::client).error(), Misuse::not_connected);
  early.expect_connected();
  early.client().connection.close();
  EXPECT_EQ(early.ask(Role::client).error(), Misuse::closed);
  EXPECT_TRUE(early.ask(Role::server));
  early.run();

  RenegotiatingDuel offloaded;
  offloaded.expect_connected();
  EXPECT_TRUE(offloaded.client().connection.offload(Direction::receive));
  EXPECT_EQ(offloaded.ask(Role::client).error(), Misuse::offloaded);
}

// RFC 5746 4.2 and 4.4: without the extension nobody knows whose the handshake before was.
TEST(Renegotiation, NeedsTheExtension) {
  RenegotiatingDuel duel;
  duel.client_config.allow_no_renegotiation_info(true);
  duel.client_forger.change_parts<RawClientHello>(
      kClientHello, [](RawClientHello& hello) { hello.extensions.remove(kRenegotiationInfo); });
  duel.expect_connected();
  for (const Role role : {Role::client, Role::server}) {
    EXPECT_FALSE(duel.of(role).connection.secure_renegotiation());
    EXPECT_EQ(duel.ask(role).error(), Misuse::no_renegotiation);
  }
  duel.say(Role::server, kHelloRequest);
  duel.run();
  EXPECT_EQ(duel.told(Role::client, "renegotiated"), 0);
  duel.expect_alive();
}

TEST(Renegotiation, IsMadeOnceWhereOnceIsAllowed) {
  RenegotiatingDuel duel(Renegotiation::once);
  duel.begin(Role::server);
  duel.expect_renegotiated(1);
  for (const Role role : {Role::client, Role::server}) EXPECT_EQ(duel.ask(role).error(), Misuse::no_renegotiation);
  duel.say(Role::server, kHelloRequest);
  duel.run();
  EXPECT_EQ(duel.told(Role::client, "renegotiated"), 1);
  duel.expect_alive();
}

// A HelloRequest in the record of the server's Finished comes while the handshake has events to tell.
TEST(Renegotiation, DoesNotBeginBeforeTheHandshakeIsOver) {
  RenegotiatingDuel duel;
  duel.server_forger.change(HandshakeType::finished, [](Octets message) {
    append(message, kHelloRequest);
    return message;
  });
  duel.expect_connected();
  EXPECT_EQ(duel.told(Role::client, "renegotiated"), 0);
  duel.expect_alive();
}

// --- attacks
// -----------------------------------------------------------------------------------------------------------

// A storm of renegotiations, each of which costs a signature: beyond three in ten minutes they are refused.
TEST(RenegotiationAttack, StormIsBoundedByTheRate) {
  for (const Role attacker : {Role::client, Role::server}) {
    RenegotiatingDuel duel;
    duel.expect_connected();
    for (int i = 0; i < 20; ++i) {
      EXPECT_TRUE(duel.ask(attacker));
      duel.run();
      duel.expect_alive();
    }
    const Role victim = attacker == Role::client ? Role::server : Role::client;
    EXPECT_EQ(duel.told(victim, "renegotiated"), 3) << error_text(duel.of(victim));
    // Time brings the next ones.
    duel.pair().now += 10min;
    for (int i = 0; i < 5; ++i) {
      EXPECT_TRUE(duel.ask(attacker));
      duel.run();
    }
    EXPECT_EQ(duel.told(victim, "renegotiated"), 6);
    duel.expect_alive();
  }
}

TEST(RenegotiationAttack, StormIsBoundedAsTheConfigurationSays) {
  RenegotiatingDuel duel;
  duel.server_config.renegotiation_limit(1, 1s);
  duel.begin(Role::client);
  duel.expect_renegotiated(1);
  EXPECT_TRUE(duel.ask(Role::client));
  duel.run();
  EXPECT_EQ(duel.told(Role::client, "renegotiation_refused"), 1);
  // What we ask for ourselves is not the peer's.
  EXPECT_TRUE(duel.ask(Role::server));
  duel.expect_renegotiated(2);
  duel.pair().now += 1s;
  EXPECT_TRUE(duel.ask(Role::client));
  duel.expect_renegotiated(3);
}

// Requests that are refused cost a warning each, and end where nothing comes between them.
TEST(RenegotiationAttack, RequestsThatAreRefusedAreBounded) {
  RenegotiatingDuel duel(Renegotiation::never);
  duel.expect_connected();
  for (unsigned i = 0; i <= record::kMaxIdleRecords; ++i) duel.say(Role::server, kHelloRequest);
  duel.client_speaks();
  Duel::expect_refusal(duel.client(), Reason::too_many_warnings, Alert::unexpected_message);
}

// CVE-2009-3555: the attacker has a connection to the server, and splices a client's first handshake into it. The
// client's hello says that it is a first one.
TEST(RenegotiationAttack, Cve20093555SpliceIntoAServer) {
  const auto refuse = [](auto edit, Reason reason) {
    RenegotiatingDuel duel;
    duel.client_forger.change_parts<RawClientHello>(kClientHello, edit, 1);
    duel.begin(Role::client);
    duel.expect_server_refuses(reason, Alert::handshake_failure);
    EXPECT_EQ(duel.server().error->place, Place::client_hello);
  };
  refuse([](RawClientHello& hello) { hello.extensions[kRenegotiationInfo] = Octets{0}; },
         Reason::renegotiation_info_mismatch);
  refuse([](RawClientHello& hello) { hello.extensions.remove(kRenegotiationInfo); },
         Reason::renegotiation_info_missing);
  refuse(
      [](RawClientHello& hello) {
        hello.extensions.remove(kRenegotiationInfo);
        append(hello.cipher_suites, Octets{0x00, 0xff});
      },
      Reason::renegotiation_scsv);
  // RFC 5746 3.7: even with what belongs here beside it.
  refuse([](RawClientHello& hello) { append(hello.cipher_suites, Octets{0x00, 0xff}); }, Reason::renegotiation_scsv);
  for (std::size_t at = 0; at < 12; ++at) {
    refuse(
        [at](RawClientHello& hello) {
          Octets info = hello.extensions[kRenegotiationInfo];
          ASSERT_EQ(info.size(), 13U);
          info[1 + at] ^= 1U;
          hello.extensions[kRenegotiationInfo] = info;
        },
        Reason::renegotiation_info_mismatch);
  }
}

// The other way round: the client renegotiates, and is answered by a server for which that is a first handshake, or
// another connection's next one.
TEST(RenegotiationAttack, Cve20093555SpliceIntoAClient) {
  const auto refuse = [](auto edit, Reason reason) {
    RenegotiatingDuel duel;
    duel.server_forger.change_parts<RawServerHello>(kServerHello, edit, 1);
    duel.begin(Role::client);
    duel.expect_client_refuses(reason, Alert::handshake_failure);
    EXPECT_EQ(duel.client().error->place, Place::server_hello);
  };
  refuse([](RawServerHello& hello) { hello.extensions[kRenegotiationInfo] = Octets{0}; },
         Reason::renegotiation_info_mismatch);
  refuse([](RawServerHello& hello) { hello.extensions.remove(kRenegotiationInfo); },
         Reason::renegotiation_info_missing);
  for (std::size_t at = 0; at < 24; ++at) {
    refuse(
        [at](RawServerHello& hello) {
          Octets info = hello.extensions[kRenegotiationInfo];
          ASSERT_EQ(info.size(), 25U);
          info[1 + at] ^= 1U;
          hello.extensions[kRenegotiationInfo] = info;
        },
        Reason::renegotiation_info_mismatch);
  }
}

// And a renegotiation of the attacker's that is spliced in as somebody's first handshake.
TEST(RenegotiationAttack, Cve20093555SpliceAsAFirstHandshake) {
  Octets info(13, 7);
  info[0] = 12;
  RenegotiatingDuel duel;
  duel.client_forger.change_parts<RawClientHello>(
      kClientHello, [&](RawClientHello& hello) { hello.extensions[kRenegotiationInfo] = info; });
  duel.expect_server_refuses(Reason::renegotiation_info_mismatch, Alert::handshake_failure);
}

// The triple handshake: two connections of the attacker's have the same secrets, and a third handshake shows somebody
// else. Extended master secret forbids the first step, the pinned identity the third.
TEST(RenegotiationAttack, TripleHandshake) {
  RenegotiatingDuel server;
  server.begin(Role::client);
  server.server().credential = credential_of(KeyType::ec_p256, "other.example");
  server.expect_client_refuses(Reason::renegotiation_peer_changed, Alert::handshake_failure);
  EXPECT_EQ(server.client().error->place, Place::certificate);

  for (const bool none : {false, true}) {
    RenegotiatingDuel client;
    client.server_config.client_auth(ClientAuth::request);
    client.client().credential = credential_of(KeyType::ec_p256, "client.example");
    client.begin(Role::server);
    client.client().credential = none ? nullptr : credential_of(KeyType::ec_p256, "other.example");
    client.expect_server_refuses(Reason::renegotiation_peer_changed, Alert::handshake_failure);
  }

  // Extended master secret in both handshakes or in none.
  for (const Role role : {Role::client, Role::server}) {
    RenegotiatingDuel duel;
    duel.client_config.allow_no_extended_main_secret(true);
    duel.server_config.allow_no_extended_main_secret(true);
    if (role == Role::server) {
      duel.client_forger.change_parts<RawClientHello>(
          kClientHello, [](RawClientHello& hello) { hello.extensions.remove(kExtendedMainSecret); }, 1);
    } else {
      duel.server_forger.change_parts<RawServerHello>(
          kServerHello, [](RawServerHello& hello) { hello.extensions.remove(kExtendedMainSecret); }, 1);
    }
    duel.begin(Role::client);
    role == Role::server ? duel.expect_server_refuses(Reason::renegotiation_changed, Alert::handshake_failure)
                         : duel.expect_client_refuses(Reason::renegotiation_changed, Alert::handshake_failure);
  }
}

// CVE-2014-0224 within a renegotiation: a change_cipher_spec that comes before there is a key to change to, or without
// the protection that there is.
TEST(RenegotiationAttack, Cve20140224EarlyChangeCipherSpec) {
  for (const Role victim : {Role::client, Role::server}) {
    const Role attacker = victim == Role::client ? Role::server : Role::client;
    for (const bool sealed : {true, false}) {
      RenegotiatingDuel duel;
      duel.begin(Role::client);
      if (victim == Role::server) {
        duel.client_speaks();
        duel.server_speaks();
      }
      append(victim == Role::client ? duel.to_client() : duel.to_server(),
             sealed ? seal_record(duel.of(attacker).connection, ContentType::change_cipher_spec, Octets{1})
                    : plain_record(20, Octets{1}));
      victim == Role::client ? duel.client_speaks() : duel.server_speaks();
      Duel::expect_refusal(duel.of(victim), Reason::change_cipher_spec_unexpected, Alert::unexpected_message);
    }
  }
}

TEST(RenegotiationAttack, ChangeCipherSpecIsProtectedByTheKeyBefore) {
  for (const Octets& content : {Octets{1}, Octets{2}, Octets{1, 1}}) {
    for (const bool sealed : {true, false}) {
      if (sealed && content == Octets{1}) continue;
      RenegotiatingDuel duel;
      duel.begin(Role::client);
      duel.client_speaks();  // ClientHello
      duel.server_speaks();
      duel.client_speaks();  // the second flight, behind which the server's change_cipher_spec is due
      append(duel.to_client(), sealed ? seal_record(duel.server().connection, ContentType::change_cipher_spec, content)
                                      : plain_record(20, content));
      duel.client_speaks();
      Duel::expect_refusal(duel.client(), sealed ? Reason::change_cipher_spec_malformed : Reason::record_mac,
                           sealed ? Alert::unexpected_message : Alert::bad_record_mac);
    }
  }
}

// Under its next key a peer says nothing before its Finished: nobody knows yet whose key that is.
TEST(RenegotiationAttack, DataBeforeFinishedIsRefused) {
  RenegotiatingDuel duel;
  duel.client_forger.change(HandshakeType::finished, [](const Octets&) { return Octets(); }, 1);
  duel.begin(Role::client);
  duel.client_speaks();
  duel.server_speaks();
  duel.client_speaks();
  append(duel.to_server(), seal_record(duel.client().connection, ContentType::application_data, as_bytes("early")));
  duel.server_speaks();
  Duel::expect_refusal(duel.server(), Reason::message_unexpected, Alert::unexpected_message);
  EXPECT_TRUE(duel.server().data.empty());
}

TEST(RenegotiationAttack, VersionDoesNotChange) {
  // RFC 9846 4.2.3: "with a "protocol_version" alert."
  for (const std::uint16_t version : std::to_array<std::uint16_t>({0x0302, 0x0301, 0x0300})) {
    RenegotiatingDuel duel;
    duel.server_forger.change_parts<RawServerHello>(
        kServerHello, [version](RawServerHello& hello) { hello.legacy_version = version; }, 1);
    duel.begin(Role::client);
    duel.expect_client_refuses(Reason::renegotiation_changed, Alert::protocol_version);
  }
  RenegotiatingDuel newer;
  newer.server_forger.change_parts<RawServerHello>(
      kServerHello,
      [](RawServerHello& hello) {
        hello.extensions.clear();
        hello.extensions.add(ExtensionType::supported_versions, Octets{3, 4});
      },
      1);
  newer.begin(Role::client);
  newer.expect_client_refuses(Reason::renegotiation_changed, Alert::protocol_version);

  RenegotiatingDuel older;
  older.client_forger.change_parts<RawClientHello>(
      kClientHello, [](RawClientHello& hello) { hello.legacy_version = 0x0302; }, 1);
  older.begin(Role::client);
  older.expect_server_refuses(Reason::renegotiation_changed, Alert::protocol_version);

  // RFC 9846 4.2.2: whoever offers TLS 1.3 in a renegotiation gets what there was.
  RenegotiatingDuel both;
  both.server_config.versions(kTls12, ProtocolVersion::tls_1_3)
      .suites({CipherSuite::tls_aes_128_gcm_sha256, CipherSuite::tls_ecdhe_ecdsa_with_aes_128_gcm_sha256});
  both.client_forger.change_parts<RawClientHello>(
      kClientHello,
      [](RawClientHello& hello) { hello.extensions.add(ExtensionType::supported_versions, Octets{4, 3, 4, 3, 3}); }, 1);
  both.begin(Role::client);
  both.expect_renegotiated(1);
}

// In place of its ServerHello a server sends nothing but another HelloRequest, which has crossed our ClientHello.
TEST(RenegotiationAttack, NothingComesInPlaceOfTheServerHello) {
  for (const HandshakeType type :
       {HandshakeType::client_hello, HandshakeType::new_session_ticket, HandshakeType::certificate,
        HandshakeType::server_hello_done, HandshakeType::finished, HandshakeType::key_update}) {
    RenegotiatingDuel duel;
    duel.begin(Role::client);
    duel.say(Role::server, kHelloRequest);
    duel.say(Role::server, kHelloRequest);
    duel.client_speaks();
    EXPECT_TRUE(duel.client().connection.renegotiating()) << error_text(duel.client());
    duel.say(Role::server, message_of(type, Octets(12, 1)));
    duel.client_speaks();
    Duel::expect_refusal(duel.client(), Reason::message_unexpected, Alert::unexpected_message);
  }
}

// A handshake message that is cut is followed by its rest, and by nothing else.
TEST(RenegotiationAttack, NothingComesWithinAMessage) {
  RenegotiatingDuel duel;
  duel.expect_connected();
  duel.say(Role::client, Octets{1, 0, 0});
  append(duel.to_server(), seal_record(duel.client().connection, ContentType::application_data, Octets{1}));
  duel.server_speaks();
  Duel::expect_refusal(duel.server(), Reason::record_interleaved, Alert::unexpected_message);
}

// A refusal that nobody has asked for is a warning like any other, and one that comes too late as well.
TEST(RenegotiationAttack, RefusalsThatNobodyAskedForAreBounded) {
  for (const Role victim : {Role::client, Role::server}) {
    RenegotiatingDuel duel;
    duel.expect_connected();
    const Role attacker = victim == Role::client ? Role::server : Role::client;
    for (unsigned i = 0; i <= record::kMaxWarningAlerts; ++i)
      append(victim == Role::client ? duel.to_client() : duel.to_server(),
             seal_record(duel.of(attacker).connection, ContentType::alert, Octets{1, 100}));
    victim == Role::client ? duel.client_speaks() : duel.server_speaks();
    EXPECT_EQ(duel.told(victim, "renegotiation_refused"), 0);
    Duel::expect_refusal(duel.of(victim), Reason::too_many_warnings, Alert::unexpected_message);
  }
}

}  // namespace
}  // namespace lockstep::testing::renegotiation
