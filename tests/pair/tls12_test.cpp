// Whole handshakes of TLS 1.2: what is agreed, with every suite and key, resumed and not.

#include <array>

#include <lockstep/channel_binding.hpp>
#include <lockstep/lists.hpp>

#include "dh_groups.hpp"
#include "key_schedule/transcript.hpp"
#include "pair.hpp"
#include "record/sealer.hpp"

namespace lockstep::testing {
namespace {

constexpr auto kTls12 = ProtocolVersion::tls_1_2;
constexpr std::array kBothVersions{kTls12, ProtocolVersion::tls_1_3};

ClientConfigBuilder old_client() { return client_builder().versions(kTls12, kTls12); }
ServerConfigBuilder old_server() { return server_builder().versions(kTls12, kTls12); }

void expect_connected(Pair& pair) {
  EXPECT_TRUE(pair.client.connection.connected()) << error_text(pair.client);
  EXPECT_TRUE(pair.server.connection.connected()) << error_text(pair.server);
  EXPECT_TRUE(pair.client.complete);
  EXPECT_TRUE(pair.server.complete);
  for (const End* end : {&pair.client, &pair.server}) EXPECT_EQ(end->connection.version(), kTls12);
}

void expect_echo(Pair& pair) {
  pair.send(pair.client, "ping");
  pair.run();
  EXPECT_EQ(as_text(pair.server.data), "ping");
  pair.send(pair.server, "pong");
  pair.run();
  EXPECT_EQ(as_text(pair.client.data), "pong");
}

TEST(Tls12, IsAgreedWhereOneSideHasNothingNewer) {
  for (const bool old_is_client : {true, false}) {
    Pair pair(built(old_is_client ? old_client() : client_builder()),
              built(old_is_client ? server_builder() : old_server()));
    pair.run();
    expect_connected(pair);
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

struct Cut {
  std::size_t outbound;
  std::size_t chunk;
};

TEST(Tls12, DoesNotDependOnHowBytesAreCut) {
  for (const Cut cut : {Cut{65536, 1}, Cut{1, 0}, Cut{7, 3}, Cut{64, 100}}) {
    Pair pair(built(old_client()), built(old_server().client_auth(ClientAuth::require)),
              {x509::PeerName::dns("example.com").value(), {}}, {cut.outbound, cut.chunk});
    pair.client.credential = credential_of(usual_key());
    pair.run();
    expect_connected(pair);
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
      expect_connected(pair);
      EXPECT_EQ(pair.client.connection.suite(), suite);
      EXPECT_EQ(pair.client.connection.peer_scheme(), pair.server.connection.own_scheme());
      expect_echo(pair);
    }
  }
}

// RSA key exchange is opt-in.
TEST(Tls12, TakesASecretToAnRsaKeyWhereThatIsNamed) {
  for (const CipherSuite suite : suites(kTls12)) {
    if (parts(suite)->key_exchange != KeyExchangeMethod::rsa || !provider().supports(suite)) continue;
    for (const bool client_auth : {false, true}) {
      SCOPED_TRACE(name(suite));
      Pair pair(
          built(client_builder().suites({suite})),
          built(server_builder().suites({suite}).client_auth(client_auth ? ClientAuth::require : ClientAuth::none)));
      pair.server.credential = credential_of(KeyType::rsa);
      pair.client.credential = credential_of(usual_key());
      pair.run();
      expect_connected(pair);
      EXPECT_FALSE(pair.client.connection.group());
      EXPECT_EQ(std::ranges::count(pair.server.events, "decrypt"), 1);
      EXPECT_EQ(std::ranges::count(pair.server.events, "sign"), 0);
      expect_echo(pair);
    }
  }
}

TEST(Tls12, TakesNoSecretToAKeyThatSignsAlone) {
  if (!provider().supports(CipherSuite::tls_rsa_with_aes_128_gcm_sha256)) GTEST_SKIP() << "no RSA";
  constexpr auto kSigns = CipherSuite::tls_ecdhe_rsa_with_aes_128_gcm_sha256;
  const std::vector both{CipherSuite::tls_rsa_with_aes_128_gcm_sha256, kSigns};
  Pair pair(built(client_builder().suites(both)), built(server_builder().suites(both)));
  pair.server.credential = credential_of(KeyType::rsa_pss);
  pair.run();
  expect_connected(pair);
  EXPECT_EQ(pair.server.connection.suite(), kSigns);

  const std::vector alone{both.front()};
  Pair other(built(client_builder().suites(alone)), built(server_builder().suites(alone)));
  other.server.credential = credential_of(KeyType::rsa_pss);
  other.run();
  ASSERT_TRUE(other.server.error);
  EXPECT_EQ(other.server.error->reason, Reason::scheme_unsupported);
}

// Suites with pre-shared keys are opt-in.

bool has_psk(CipherSuite suite) {
  const auto known = parts(suite);
  return known->authentication == SuiteAuthentication::psk || known->key_exchange == KeyExchangeMethod::rsa_psk;
}

std::vector<CipherSuite> psk_suites() {
  return filter(suites(kTls12), [](CipherSuite suite) { return has_psk(suite) && provider().supports(suite); });
}

bool shows_certificate(CipherSuite suite) { return parts(suite)->authentication != SuiteAuthentication::psk; }

/// A suite of this key exchange; nothing where the provider has none.
std::optional<CipherSuite> psk_suite(KeyExchangeMethod method) {
  const auto found = filter(psk_suites(), [&](CipherSuite suite) { return parts(suite)->key_exchange == method; });
  return found.empty() ? std::nullopt : std::optional(found.front());
}

constexpr std::array kPskMethods{KeyExchangeMethod::psk, KeyExchangeMethod::ecdhe_psk, KeyExchangeMethod::dhe_psk,
                                 KeyExchangeMethod::rsa_psk};

void share_psk(Pair& pair) {
  pair.client.psks = {{"sensor 7", "not to be guessed"}};
  pair.server.psks = {{"sensor 6", "another"}, {"sensor 7", "not to be guessed"}};
  if (provider().key_loader(KeyType::rsa) != nullptr) pair.server.credential = credential_of(KeyType::rsa);
}

TEST(Tls12Psk, IsAgreedWithEverySuiteWithAndWithoutHint) {
  for (const CipherSuite suite : psk_suites()) {
    for (const std::string_view hint : {"", "factory floor"}) {
      SCOPED_TRACE(std::string(name(suite)) + " " + std::string(hint));
      Pair pair(built(client_builder().suites({suite})),
                built(server_builder().suites({suite}).psk_identity_hint(hint)));
      share_psk(pair);
      pair.run();
      expect_connected(pair);
      EXPECT_EQ(pair.client.connection.suite(), suite);
      EXPECT_EQ(pair.client.identity_hint, hint);
      EXPECT_EQ(pair.client.psk_server_name, "example.com");
      EXPECT_EQ(pair.server.psk_server_name, "example.com");
      EXPECT_EQ(as_text(pair.server.peer_identity), "sensor 7");
      EXPECT_EQ(std::ranges::count(pair.server.events, "select_credential"), shows_certificate(suite) ? 1 : 0);
      EXPECT_EQ(std::ranges::count(pair.client.events, "verify_peer"), shows_certificate(suite) ? 1 : 0);
      EXPECT_EQ(pair.client.peer_chain.size(), shows_certificate(suite) ? 1U : 0U);
      const KeyExchangeMethod method = parts(suite)->key_exchange;
      EXPECT_EQ(pair.client.connection.group().has_value(),
                method == KeyExchangeMethod::ecdhe_psk || method == KeyExchangeMethod::dhe_psk);
      EXPECT_FALSE(pair.client.connection.peer_scheme());
      expect_echo(pair);
    }
  }
}

TEST(Tls12Psk, DoesNotDependOnHowBytesAreCut) {
  for (const KeyExchangeMethod method : kPskMethods) {
    const auto suite = psk_suite(method);
    if (!suite) continue;
    for (const Cut cut : {Cut{65536, 1}, Cut{1, 0}, Cut{7, 3}}) {
      Pair pair(built(client_builder().suites({*suite})), built(server_builder().suites({*suite})),
                {x509::PeerName::dns("example.com").value(), {}}, {cut.outbound, cut.chunk});
      share_psk(pair);
      pair.run();
      expect_connected(pair);
      expect_echo(pair);
    }
  }
}

TEST(Tls12Psk, TheApplicationSaysWhoTheClientIs) {
  const auto suite = psk_suite(KeyExchangeMethod::psk);
  ASSERT_TRUE(suite);
  Pair pair(built(client_builder().suites({*suite})), built(server_builder().suites({*suite})));
  share_psk(pair);
  pair.server.identity = {1, 2, 3};
  pair.run();
  expect_connected(pair);
  EXPECT_EQ(pair.server.peer_identity, pair.server.identity);
  EXPECT_TRUE(pair.client.peer_identity.empty());
}

// An unknown identity is told, or no different from a wrong key.
TEST(Tls12Psk, AnUnknownIdentityIsHiddenUnlessItIsTold) {
  for (const KeyExchangeMethod method : kPskMethods) {
    const auto suite = psk_suite(method);
    if (!suite) continue;
    SCOPED_TRACE(name(*suite));
    std::vector<std::vector<std::string>> seen;
    for (const bool known : {true, false}) {
      Pair pair(built(client_builder().suites({*suite})), built(server_builder().suites({*suite})));
      share_psk(pair);
      pair.client.psks = {{known ? "sensor 6" : "sensor 8", "not to be guessed"}};
      pair.run();
      ASSERT_TRUE(pair.server.error && pair.client.error);
      EXPECT_EQ(pair.server.error->reason, Reason::psk_mismatch);
      EXPECT_EQ(pair.client.error->alert, Alert::decrypt_error);
      EXPECT_FALSE(pair.server.complete || pair.client.complete);
      seen.push_back(pair.server.events);
    }
    EXPECT_EQ(seen[0], seen[1]);

    Pair told(built(client_builder().suites({*suite})),
              built(server_builder().suites({*suite}).tell_unknown_psk(true)));
    share_psk(told);
    told.client.psks = {{"sensor 8", "not to be guessed"}};
    told.run();
    ASSERT_TRUE(told.server.error && told.client.error);
    EXPECT_EQ(told.server.error->reason, Reason::psk_identity_unknown);
    EXPECT_EQ(told.client.error->alert, Alert::unknown_psk_identity);
    EXPECT_EQ(std::ranges::count(told.server.events, "decrypt"), 0);
  }
}

TEST(Tls12Psk, AClientWithoutAKeyEndsTheHandshake) {
  for (const KeyExchangeMethod method : kPskMethods) {
    const auto suite = psk_suite(method);
    if (!suite) continue;
    Pair pair(built(client_builder().suites({*suite})), built(server_builder().suites({*suite})));
    share_psk(pair);
    pair.client.psks.clear();
    pair.run();
    ASSERT_TRUE(pair.client.error);
    EXPECT_EQ(pair.client.error->reason, Reason::no_psk);
    EXPECT_EQ(pair.server.error->alert, Alert::handshake_failure);
  }
}

TEST(Tls12Psk, TakesKeysAndIdentitiesOfEverySizeWithinTheBounds) {
  const auto suite = psk_suite(KeyExchangeMethod::ecdhe_psk);
  ASSERT_TRUE(suite);
  for (const std::size_t identity : {std::size_t{0}, std::size_t{1}, std::size_t{128}, kMaxPskIdentity}) {
    for (const std::size_t key : {std::size_t{1}, std::size_t{64}, kMaxPskSize}) {
      Pair pair(built(client_builder().suites({*suite})), built(server_builder().suites({*suite})));
      pair.client.psks = pair.server.psks = {{std::string(identity, 'i'), std::string(key, 'k')}};
      pair.run();
      expect_connected(pair);
    }
  }
}

/// Lets a pair run to a question of one end.
template <class Question>
std::optional<Question> question_of(Pair& pair, End& end) {
  const bool of_client = &end == &pair.client;
  std::vector<std::uint8_t>& in = of_client ? pair.to_client() : pair.to_server();
  std::vector<std::uint8_t>& out = of_client ? pair.to_server() : pair.to_client();
  for (int turn = 0; turn < 20; ++turn) {
    pair.step(of_client ? pair.server : pair.client, in, out);
    std::vector<std::uint8_t> said(65536);
    said.resize(end.connection.transmit(said, pair.now));
    out.insert(out.end(), said.begin(), said.end());
    auto [consumed, event] = end.connection.receive(in, pair.now);
    in.erase(in.begin(), in.begin() + static_cast<std::ptrdiff_t>(consumed));
    if (auto* const asked = std::get_if<Question>(&event)) return std::move(*asked);
    end.treat(std::move(event));
  }
  return std::nullopt;
}

TEST(Tls12Psk, RefusesAnswersBeyondTheBoundsAndTakesTheNext) {
  const auto suite = psk_suite(KeyExchangeMethod::psk);
  ASSERT_TRUE(suite);
  const std::string_view key = "not to be guessed";
  const std::string long_key(kMaxPskSize + 1, 'k');
  const std::string long_identity(kMaxPskIdentity + 1, 'i');
  Pair pair(built(client_builder().suites({*suite})), built(server_builder().suites({*suite})));
  share_psk(pair);
  auto asked = question_of<SelectPsk>(pair, pair.client);
  ASSERT_TRUE(asked);
  Connection& client = pair.client.connection;
  for (const auto& refused : {PskChosen{as_bytes("sensor 7"), {}}, PskChosen{as_bytes("sensor 7"), as_bytes(long_key)},
                              PskChosen{as_bytes(long_identity), as_bytes(key)}})
    EXPECT_EQ(client.answer(std::move(asked->token), refused).error(), Misuse::invalid_answer);
  EXPECT_TRUE(client.answer(std::move(asked->token), PskChosen{as_bytes("sensor 7"), as_bytes(key)}));
  auto looked_up = question_of<FindPsk>(pair, pair.server);
  ASSERT_TRUE(looked_up);
  EXPECT_EQ(as_text(looked_up->identity), "sensor 7");
  Connection& server = pair.server.connection;
  EXPECT_EQ(server.answer(std::move(looked_up->token), PskFound{{}, {}}).error(), Misuse::invalid_answer);
  EXPECT_EQ(server.answer(std::move(looked_up->token), PskFound{as_bytes(long_key), {}}).error(),
            Misuse::invalid_answer);
  EXPECT_TRUE(server.answer(std::move(looked_up->token), PskFound{as_bytes(key), {}}));
  pair.run();
  expect_connected(pair);
}

TEST(Tls12Psk, IsResumedByTicketAndById) {
  for (const KeyExchangeMethod method : kPskMethods) {
    const auto suite = psk_suite(method);
    if (!suite) continue;
    for (const bool by_ticket : {true, false}) {
      SCOPED_TRACE(std::string(name(*suite)) + (by_ticket ? " ticket" : " id"));
      const auto client_config = built(client_builder().suites({*suite}));
      const auto server_config =
          built(server_builder().suites({*suite}).tickets(by_ticket ? 1 : 0).session_ids(!by_ticket));
      std::map<std::vector<std::uint8_t>, std::vector<std::uint8_t>> store;
      const auto keys = ticket_keys();
      Pair first(client_config, server_config);
      share_psk(first);
      first.server.ticket_keys = keys;
      first.server.store = &store;
      first.run();
      expect_connected(first);
      ASSERT_EQ(first.client.sessions.size(), 1U);
      Pair again(client_config, server_config, {x509::PeerName::dns("example.com").value(), first.client.sessions}, {},
                 5);
      again.server.ticket_keys = keys;
      again.server.store = &store;
      again.run();
      expect_connected(again);
      EXPECT_TRUE(again.client.connection.resumed());
      EXPECT_EQ(std::ranges::count(again.client.events, "select_psk"), 0);
      EXPECT_EQ(std::ranges::count(again.server.events, "find_psk"), 0);
      EXPECT_EQ(as_text(again.server.peer_identity), "sensor 7");
      expect_echo(again);
    }
  }
}

// What is preferred decides whether a certificate is asked for; without one that serves, a key may still do.
TEST(Tls12Psk, StandsBesideCertificatesInTheOrderOfPreference) {
  const auto psk = psk_suite(KeyExchangeMethod::ecdhe_psk);
  ASSERT_TRUE(psk);
  const auto by_default = filter(suites(kTls12, ListKind::by_default), [](CipherSuite suite) {
    const bool rsa = parts(suite)->authentication == SuiteAuthentication::rsa;
    return !rsa && provider().supports(suite);
  });
  ASSERT_FALSE(by_default.empty());
  struct Case {
    std::vector<CipherSuite> suites;
    bool credential;
    bool asks;
    CipherSuite agreed;
  };
  const CipherSuite certified = by_default.front();
  for (const Case& tested : {Case{{*psk, certified}, true, false, *psk}, Case{{certified, *psk}, true, true, certified},
                             Case{{certified, *psk}, false, true, *psk}}) {
    Pair pair(built(client_builder().suites(tested.suites)), built(server_builder().suites(tested.suites)));
    pair.client.psks = pair.server.psks = {{"sensor 7", "not to be guessed"}};
    if (!tested.credential) pair.server.credential = nullptr;
    pair.run();
    expect_connected(pair);
    EXPECT_EQ(pair.client.connection.suite(), tested.agreed);
    EXPECT_EQ(std::ranges::count(pair.server.events, "select_credential"), tested.asks ? 1 : 0);
  }
}

TEST(Tls12Psk, AServerThatDemandsACertificateTakesNone) {
  const auto psk = psk_suite(KeyExchangeMethod::ecdhe_psk);
  ASSERT_TRUE(psk);
  const auto certified = usual_key() == KeyType::ed25519 || usual_key() == KeyType::ec_p256
                             ? CipherSuite::tls_ecdhe_ecdsa_with_chacha20_poly1305_sha256
                             : CipherSuite::tls_ecdhe_rsa_with_chacha20_poly1305_sha256;
  const std::vector both{*psk, certified};
  Pair pair(built(client_builder().suites(both)),
            built(server_builder().suites(both).client_auth(ClientAuth::require)));
  pair.client.credential = credential_of(usual_key());
  pair.client.psks = pair.server.psks = {{"sensor 7", "not to be guessed"}};
  pair.run();
  expect_connected(pair);
  EXPECT_EQ(pair.client.connection.suite(), certified);

  Pair alone(built(client_builder().suites({*psk})),
             built(server_builder().suites(both).client_auth(ClientAuth::require)));
  alone.run();
  ASSERT_TRUE(alone.server.error);
  EXPECT_EQ(alone.server.error->reason, Reason::suite_unsupported);
  for (const auto& built_alone : {server_builder().suites({*psk}).client_auth(ClientAuth::require).build()}) {
    ASSERT_FALSE(built_alone);
    EXPECT_EQ(built_alone.error().front().setting, "client_auth");
  }
  EXPECT_EQ(server_builder().psk_identity_hint("x").build().error().front().setting, "psk_identity_hint");
  EXPECT_EQ(server_builder().tell_unknown_psk(true).build().error().front().setting, "tell_unknown_psk");
  EXPECT_EQ(server_builder().suites({*psk}).psk_identity_hint(std::string(257, 'x')).build().error().front().setting,
            "psk_identity_hint");
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
      expect_connected(pair);
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

// --- DHE, which is opt-in -------------------------------------------------------------------------------------------

constexpr auto kDhe = CipherSuite::tls_dhe_rsa_with_aes_128_gcm_sha256;

class Dhe : public ::testing::Test {
 protected:
  void SetUp() override {
    if (provider().finite_field() == nullptr) GTEST_SKIP() << "no finite fields";
  }
  static ClientConfigBuilder client() { return client_builder().suites({kDhe}); }
  static ServerConfigBuilder server() { return server_builder().suites({kDhe}); }
  /// A client that names no group of RFC 7919, and takes what comes.
  static ClientConfigBuilder unaware_client() {
    return client().groups({NamedGroup::secp256r1}).allow_unknown_dh_groups(true);
  }
  static std::unique_ptr<Pair> run(const ClientConfigBuilder& client, const ServerConfigBuilder& server,
                                   std::shared_ptr<const Credential> credential = credential_of(KeyType::rsa)) {
    auto pair = std::make_unique<Pair>(built(client), built(server));
    pair->server.credential = std::move(credential);
    pair->run();
    return pair;
  }
  static void expect_group(Pair& pair, std::optional<NamedGroup> group) {
    expect_connected(pair);
    for (const End* end : {&pair.client, &pair.server}) EXPECT_EQ(end->connection.group(), group);
    expect_echo(pair);
  }
  static void expect_refused(const End& end, Reason reason, Alert alert) {
    ASSERT_TRUE(end.error) << "no failure";
    EXPECT_EQ(end.error->reason, reason) << error_text(end);
    EXPECT_EQ(end.error->alert, alert);
  }
};

TEST_F(Dhe, IsHadWhereASuiteIsNamed) {
  for (const CipherSuite suite : suites(kTls12)) {
    if (parts(suite)->key_exchange != KeyExchangeMethod::dhe || !provider().supports(suite)) continue;
    for (const bool client_auth : {false, true}) {
      SCOPED_TRACE(name(suite));
      Pair pair(
          built(client_builder().suites({suite})),
          built(server_builder().suites({suite}).client_auth(client_auth ? ClientAuth::require : ClientAuth::none)));
      pair.server.credential = credential_of(client_auth ? KeyType::rsa_pss : KeyType::rsa);
      pair.client.credential = credential_of(usual_key());
      pair.run();
      EXPECT_EQ(pair.client.connection.suite(), suite);
      expect_group(pair, NamedGroup::ffdhe2048);
    }
  }
}

TEST_F(Dhe, IsNowhereByDefault) {
  for (const CipherSuite suite : suites(kTls12, ListKind::by_default))
    EXPECT_NE(parts(suite)->key_exchange, KeyExchangeMethod::dhe);
  for (const BoundGroup& group : built(old_client())->settings().groups) EXPECT_FALSE(is_finite_field(group.id));
  expect_refused(run(client(), server_builder())->server, Reason::suite_unsupported, Alert::handshake_failure);
}

TEST_F(Dhe, HasEveryGroupOfRfc7919) {
  for (const NamedGroup group : known_groups()) {
    if (!is_finite_field(group)) continue;
    SCOPED_TRACE(name(group));
    expect_group(*run(client().groups({group}), server().groups({group})), group);
    // For a client that says nothing, too: it knows the group by its numbers.
    expect_group(*run(unaware_client(), server().groups({group})), group);
    // Two implementations, one for groups of RFC 7919 and one for all: they agree.
    const auto [p, g] = *field_parameters(group);
    if (group == NamedGroup::ffdhe2048 || group == NamedGroup::ffdhe3072)
      expect_group(
          *run(unaware_client(),
               server().groups({NamedGroup::secp256r1}).dh_parameters({{p.begin(), p.end()}, {g.begin(), g.end()}})),
          group);
  }
}

TEST_F(Dhe, DoesNotDependOnHowBytesAreCut) {
  for (const Cut cut : {Cut{65536, 1}, Cut{7, 3}}) {
    Pair pair(built(client()), built(server()), {x509::PeerName::dns("example.com").value(), {}},
              {cut.outbound, cut.chunk});
    pair.server.credential = credential_of(KeyType::rsa);
    pair.run();
    expect_group(pair, NamedGroup::ffdhe2048);
  }
}

TEST_F(Dhe, IsResumed) {
  const auto keys = ticket_keys();
  const auto first = std::make_unique<Pair>(built(client()), built(server()));
  first->server.credential = credential_of(KeyType::rsa);
  first->server.ticket_keys = keys;
  first->run();
  ASSERT_EQ(first->client.sessions.size(), 1U);
  Session offered = first->client.sessions.front().clone();
  Pair second(built(client()), built(server()), {x509::PeerName::dns("example.com").value(), {&offered, 1}}, {}, 5);
  second.server.ticket_keys = keys;
  second.run();
  expect_connected(second);
  EXPECT_TRUE(second.client.connection.resumed());
  EXPECT_EQ(second.client.connection.suite(), kDhe);
}

// RFC 7919 4.
TEST_F(Dhe, TakesAGroupThatTheClientLists) {
  const std::vector larger_first{NamedGroup::ffdhe4096, NamedGroup::ffdhe3072};
  const std::vector smaller_first{NamedGroup::ffdhe3072, NamedGroup::ffdhe4096};
  for (const bool ours : {true, false})
    expect_group(*run(client().groups(larger_first), server().groups(smaller_first).server_preference(ours)),
                 ours ? NamedGroup::ffdhe3072 : NamedGroup::ffdhe4096);
  // Not the server's own parameters, and no other group.
  expect_group(*run(client(), server().dh_parameters(dh_parameters(kDh2048))), NamedGroup::ffdhe2048);
  const auto nothing = run(client().groups({NamedGroup::ffdhe3072}), server().groups({NamedGroup::ffdhe2048}));
  expect_refused(nothing->server, Reason::dh_group_unsupported, Alert::insufficient_security);
  // Another key exchange is better than none.
  constexpr auto kEcdhe = CipherSuite::tls_ecdhe_rsa_with_aes_128_gcm_sha256;
  const auto other = run(client().suites({kDhe, kEcdhe}).groups({NamedGroup::ffdhe3072, NamedGroup::secp256r1}),
                         server().suites({kDhe, kEcdhe}).groups({NamedGroup::ffdhe2048, NamedGroup::secp256r1}));
  expect_group(*other, NamedGroup::secp256r1);
  EXPECT_EQ(other->client.connection.suite(), kEcdhe);
  // And no group of a finite field is taken for a curve.
  const auto no_curve = run(client().suites({kEcdhe}).groups({NamedGroup::ffdhe2048, NamedGroup::secp256r1}),
                            server().suites({kEcdhe, kDhe}).groups({NamedGroup::ffdhe2048}));
  expect_refused(no_curve->server, Reason::group_unsupported, Alert::handshake_failure);
}

// RFC 7919 4.
TEST_F(Dhe, IsAsStrongAsTheKeyThatSigns) {
  FixedRandom random(3);
  const KeyLoader& loader = *provider().key_loader(KeyType::rsa);
  const auto key = loader.load(loader.generate(KeyType::rsa, 2560, random).value()).value();
  auto credential = std::make_shared<Credential>(*credential_of(KeyType::rsa));
  credential->key = key;
  credential->chain = {x509::CertificateBuilder("CN=test")
                           .dns("example.com")
                           .server()
                           .validity(kNowSeconds - kDay, kNowSeconds + kDay)
                           .self_signed(provider(), *key, random)
                           .value()};
  expect_group(*run(client(), server(), credential), NamedGroup::ffdhe3072);
  expect_group(*run(unaware_client(), server(), credential), NamedGroup::ffdhe3072);
  expect_group(*run(client().groups({NamedGroup::ffdhe2048}), server(), credential), NamedGroup::ffdhe2048);
}

TEST_F(Dhe, HasParametersOfTheServersOwn) {
  const auto own = server().dh_parameters(dh_parameters(kDh2048));
  const auto pair = run(unaware_client(), own);
  expect_group(*pair, std::nullopt);
  expect_refused(run(unaware_client().groups({NamedGroup::secp256r1, NamedGroup::ffdhe2048}),
                     ServerConfigBuilder(own).groups({NamedGroup::secp256r1}))
                     ->server,
                 Reason::dh_group_unsupported, Alert::insufficient_security);
  // Short ones need both ends' word for it (CVE-2015-4000).
  const auto weak = server().dh_parameters(dh_parameters(kDh1024)).min_dh_bits(1024);
  expect_refused(run(unaware_client(), weak)->client, Reason::dh_group_weak, Alert::insufficient_security);
  expect_group(*run(unaware_client().min_dh_bits(1024), weak), std::nullopt);
  expect_refused(run(unaware_client().min_dh_bits(3072), server())->client, Reason::dh_group_weak,
                 Alert::insufficient_security);
}

// --- groups ---------------------------------------------------------------------------------------------------------

TEST(Tls12, HasEveryGroup) {
  for (const NamedGroup group : groups(kTls12, ListKind::by_default)) {
    if (!provider().supports(group)) continue;
    SCOPED_TRACE(name(group));
    // The server's key is on P-256, which the client has to know as well.
    std::vector<NamedGroup> known{group};
    if (group != NamedGroup::secp256r1) known.push_back(NamedGroup::secp256r1);
    Pair pair(built(old_client().groups(known)), built(old_server().groups({group})));
    pair.run();
    expect_connected(pair);
    EXPECT_EQ(pair.client.connection.group(), group);
    EXPECT_EQ(pair.server.connection.group(), group);
    expect_echo(pair);
  }
}

// A client that verifies nothing newer is served in TLS 1.2; in TLS 1.3 it is not asked for.
TEST(Tls12, SignsWithPkcs1WhereThereIsNothingElse) {
  if (provider().key_loader(KeyType::rsa) == nullptr) GTEST_SKIP();
  const std::vector<SignatureScheme> pkcs1{SignatureScheme::rsa_pkcs1_sha256};
  Pair pair(built(old_client().schemes(pkcs1)), built(server_builder()));
  pair.server.credential = credential_of(KeyType::rsa);
  pair.run();
  expect_connected(pair);
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
    expect_connected(pair);
    ASSERT_EQ(pair.server.peer_chain.size(), 1U);
    EXPECT_EQ(pair.server.peer_chain.front(), pair.client.credential->chain.front());
    EXPECT_EQ(pair.server.connection.peer_scheme(), pair.client.connection.own_scheme());
    expect_echo(pair);
  }
}

TEST(Tls12, LetsAClientWithoutCertificateInOnlyWhereNoneIsRequired) {
  Pair welcome(built(old_client()), built(old_server().client_auth(ClientAuth::request)));
  welcome.run();
  expect_connected(welcome);
  EXPECT_TRUE(welcome.server.peer_chain.empty());

  Pair refused(built(old_client()), built(old_server().client_auth(ClientAuth::require)));
  refused.run();
  ASSERT_TRUE(refused.server.error);
  EXPECT_EQ(refused.server.error->reason, Reason::certificate_required);
  ASSERT_TRUE(refused.client.error);
  EXPECT_EQ(refused.client.error->alert, Alert::handshake_failure);  // certificate_required is TLS 1.3's
}

TEST(Tls12, ResumesByTicket) {
  const auto keys = ticket_keys();
  // With TLS 1.3 in the offer too, as long as the server has none.
  for (const bool both : {false, true}) {
    SCOPED_TRACE(both);
    const auto config = built(both ? client_builder() : old_client());
    Pair first(config, built(old_server()));
    first.server.ticket_keys = keys;
    first.run();
    expect_connected(first);
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
    expect_connected(second);
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
    expect_connected(*pair);
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

TEST(Tls12, SaysThatThereIsNoTicketAfterAll) {
  Pair declined(built(old_client()), built(old_server()));  // without keys for tickets
  declined.run();
  expect_connected(declined);
  EXPECT_TRUE(declined.client.sessions.empty());
  expect_echo(declined);
}

TEST(Tls12, StaplesWhatIsAskedFor) {
  Pair pair(built(old_client().ocsp_stapling(true).signed_certificate_timestamps(true)), built(old_server()));
  Credential credential = *credential_of(usual_key());
  credential.ocsp_response = {1, 2, 3};
  credential.sct_list = {0, 3, 0, 1, 9};
  pair.server.credential = std::make_shared<const Credential>(credential);
  pair.run();
  expect_connected(pair);
  EXPECT_EQ(pair.client.peer_staples, (Staples{credential.ocsp_response, credential.sct_list}));
  ASSERT_EQ(pair.client.judged_staples.size(), 1U);
  EXPECT_EQ(pair.client.judged_staples.front(), pair.client.peer_staples);
}

TEST(Tls12, AgreesOnAnApplicationProtocol) {
  Pair pair(built(old_client().alpn({"h2", "http/1.1"})), built(old_server().alpn({"http/1.1"})));
  pair.run();
  expect_connected(pair);
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
  expect_connected(pair);
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
  expect_connected(pair);
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
    expect_connected(pair);
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
  expect_connected(cbc);
  EXPECT_EQ(cbc.client.connection.offload(Direction::send).error(), Misuse::no_aead);
}

TEST(Tls12, Closes) {
  Pair pair(built(old_client()), built(old_server()));
  pair.run();
  expect_connected(pair);
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

// --- SHA-1
// ---------------------------------------------------------------------------------------------------------------

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
    expect_connected(pair);
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

// --- brainpool (RFC 7027)
// ------------------------------------------------------------------------------------------------

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
      expect_connected(pair);
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

// --- NPN
// -----------------------------------------------------------------------------------------------------------------

TEST(NextProtocol, IsTheServersFirstThatTheClientHas) {
  const auto keys = ticket_keys();
  const auto client = built(client_builder().next_protocols({"spdy/2", "http/1.1"}));
  const auto server = built(old_server().next_protocols({"spdy/3", "http/1.1", "spdy/2"}));
  Pair first(client, server);
  first.server.ticket_keys = keys;
  first.run();
  expect_connected(first);
  for (const End* end : {&first.client, &first.server}) EXPECT_EQ(end->connection.alpn(), "http/1.1");
  expect_echo(first);
  // It is agreed on anew when a session is resumed.
  Session offered = first.client.sessions.at(0).clone();
  EXPECT_EQ(offered.alpn, "http/1.1");
  Pair second(client, built(old_server().next_protocols({"spdy/2"})),
              {x509::PeerName::dns("example.com").value(), {&offered, 1}}, {}, 5);
  second.server.ticket_keys = keys;
  second.run();
  expect_connected(second);
  EXPECT_TRUE(second.client.connection.resumed());
  for (const End* end : {&second.client, &second.server}) EXPECT_EQ(end->connection.alpn(), "spdy/2");
  expect_echo(second);
}

TEST(NextProtocol, GivesWayToAlpnAndToTls13) {
  Pair alpn(built(old_client().next_protocols({"npn"}).alpn({"alpn"})),
            built(old_server().next_protocols({"npn"}).alpn({"alpn"})));
  alpn.run();
  expect_connected(alpn);
  EXPECT_EQ(alpn.client.connection.alpn(), "alpn");
  EXPECT_EQ(alpn.server.connection.alpn(), "alpn");
  Pair without(built(old_client().next_protocols({"npn"}).alpn({"alpn"})), built(old_server().next_protocols({"npn"})));
  without.run();
  expect_connected(without);
  EXPECT_EQ(without.server.connection.alpn(), "npn");
  Pair newer(built(client_builder().next_protocols({"npn"})), built(server_builder().next_protocols({"npn"})));
  newer.run();
  EXPECT_TRUE(newer.server.connection.connected()) << error_text(newer.server);
  EXPECT_EQ(newer.server.connection.alpn(), "");
  for (const bool asks : {true, false}) {
    Pair alone(built(asks ? old_client().next_protocols({"npn"}) : old_client()),
               built(asks ? old_server() : old_server().next_protocols({"npn"})));
    alone.run();
    expect_connected(alone);
    EXPECT_EQ(alone.client.connection.alpn(), "");
  }
}

TEST(NextProtocol, HasToBeOneOfTheServers) {
  Pair pair(built(old_client().next_protocols({"other"})), built(old_server().next_protocols({"npn"})));
  pair.run();
  ASSERT_TRUE(pair.server.error);
  EXPECT_EQ(pair.server.error->reason, Reason::alpn_mismatch);
  EXPECT_EQ(pair.server.error->place, Place::next_protocol);
}

// --- false start (RFC 7918)
// ------------------------------------------------------------------------------------------------

/// A client that has sent its Finished, and whose server has not answered.
std::unique_ptr<Pair> half_done(const ClientConfigBuilder& client, const ServerConfigBuilder& server,
                                std::span<Session> offered = {}) {
  auto pair = std::make_unique<Pair>(built(client), built(server),
                                     ClientOptions{x509::PeerName::dns("example.com").value(), offered}, Wire{},
                                     offered.empty() ? 1 : 5);
  const auto speak = [&](End& end, auto& out, auto& in) {
    while (pair->step(end, out, in)) {
    }
  };
  speak(pair->client, pair->to_server(), pair->to_client());
  speak(pair->server, pair->to_client(), pair->to_server());
  speak(pair->client, pair->to_server(), pair->to_client());
  EXPECT_FALSE(pair->server.complete);
  return pair;
}

TEST(FalseStart, SendsARoundTripEarlier) {
  const auto pair = half_done(old_client().false_start(true).alpn({"a"}), old_server().alpn({"a"}));
  ASSERT_TRUE(pair->client.connection.false_start()) << error_text(pair->client);
  EXPECT_FALSE(pair->client.connection.connected());
  pair->send(pair->client, "early");
  pair->run();
  expect_connected(*pair);
  EXPECT_FALSE(pair->client.connection.false_start());
  EXPECT_EQ(as_text(pair->server.data), "early");
  pair->server.data.clear();
  expect_echo(*pair);
}

TEST(FalseStart, IsForWhatIsAsGoodAsTheRestOfTheHandshakeMakesIt) {
  const auto refused = [](const ClientConfigBuilder& client, const ServerConfigBuilder& server) {
    const auto pair = half_done(client, server);
    EXPECT_FALSE(pair->client.connection.false_start());
    const Bytes data = as_bytes("early");
    std::vector<std::uint8_t> out(1000);
    EXPECT_EQ(pair->client.connection.seal({&data, 1}, out, kNow).error(), Misuse::not_connected);
    pair->run();
    expect_connected(*pair);
  };
  refused(old_client().alpn({"a"}), old_server().alpn({"a"}));        // it was not asked for
  refused(old_client().false_start(true), old_server().alpn({"a"}));  // no protocol
  constexpr auto kCbc = CipherSuite::tls_ecdhe_ecdsa_with_aes_128_cbc_sha256;
  if (!provider().supports(kCbc)) return;
  refused(client_builder().suites({kCbc}).false_start(true).alpn({"a"}), server_builder().suites({kCbc}).alpn({"a"}));
}

// --- channel bindings, and what they are made of
// -----------------------------------------------------------------------

std::vector<std::uint8_t> octets(const std::expected<Bytes, Misuse>& bytes) {
  EXPECT_TRUE(bytes) << name(bytes.error());
  return bytes ? std::vector<std::uint8_t>(bytes->begin(), bytes->end()) : std::vector<std::uint8_t>();
}

// RFC 5929 3.1: the client's Finished, or when a session is resumed the server's.
TEST(ChannelBinding, UniqueIsTheFirstFinished) {
  const auto keys = ticket_keys();
  {
    Pair first(built(old_client()), built(old_server()));
    first.server.ticket_keys = keys;
    EXPECT_EQ(first.client.connection.tls_unique().error(), Misuse::not_connected);
    first.run();
    expect_connected(first);
    EXPECT_EQ(octets(first.client.connection.tls_unique()), first.client.own_finished);
    EXPECT_EQ(octets(first.server.connection.tls_unique()), first.client.own_finished);
    ASSERT_FALSE(first.client.sessions.empty());
    Session offered = first.client.sessions.front().clone();
    Pair second(built(old_client()), built(old_server()), {x509::PeerName::dns("example.com").value(), {&offered, 1}},
                {}, 5);
    second.server.ticket_keys = keys;
    second.run();
    expect_connected(second);
    ASSERT_TRUE(second.client.connection.resumed());
    EXPECT_EQ(octets(second.client.connection.tls_unique()), second.server.own_finished);
    EXPECT_EQ(octets(second.server.connection.tls_unique()), second.server.own_finished);
    for (const End* end : {&second.client, &second.server}) {
      EXPECT_EQ(octets(end->connection.finished(Role::client)), second.client.own_finished);
      EXPECT_EQ(octets(end->connection.finished(Role::server)), second.server.own_finished);
    }
  }
}

TEST(ChannelBinding, ExporterIsTheSameOnBothSides) {
  for (const ProtocolVersion version : kBothVersions) {
    Pair pair(built(client_builder().versions(version, version)), built(server_builder().versions(version, version)));
    EXPECT_EQ(pair.client.connection.tls_exporter().error(), Misuse::not_connected);
    pair.run();
    const auto bound = pair.client.connection.tls_exporter();
    ASSERT_TRUE(bound) << error_text(pair.client);
    EXPECT_EQ(bound, pair.server.connection.tls_exporter());
    std::array<std::uint8_t, 32> exported{};
    ASSERT_TRUE(pair.client.connection.export_keying_material("EXPORTER-Channel-Binding", Bytes(), exported));
    EXPECT_EQ(*bound, exported);
    EXPECT_EQ(pair.client.randoms, pair.server.randoms);
    ASSERT_EQ(pair.client.randoms.size(), 2U);
    EXPECT_NE(pair.client.randoms[0], pair.client.randoms[1]);
    const Connection& connection = pair.client.connection;
    if (version == kTls12) {
      EXPECT_EQ(octets(connection.client_random()), pair.client.randoms[0]);
      EXPECT_EQ(octets(connection.server_random()), pair.client.randoms[1]);
      continue;
    }
    std::array<std::uint8_t, 12> out{};
    EXPECT_EQ(connection.tls_unique().error(), Misuse::not_in_tls13);
    EXPECT_EQ(connection.client_random().error(), Misuse::not_in_tls13);
    EXPECT_EQ(connection.server_random().error(), Misuse::not_in_tls13);
    EXPECT_EQ(connection.finished(Role::client).error(), Misuse::not_in_tls13);
    EXPECT_EQ(connection.master_secret().error(), Misuse::not_in_tls13);
    EXPECT_EQ(connection.prf(as_bytes("secret"), "label", as_bytes("seed"), out).error(), Misuse::not_in_tls13);
  }
}

TEST(ChannelBinding, MasterSecretIsToldWhereThatIsAskedFor) {
  Pair pair(built(old_client().dangerous().expose_master_secret()), built(old_server()));
  pair.run();
  expect_connected(pair);
  const Connection& knows = pair.client.connection;
  const Connection& keeps = pair.server.connection;
  std::array<std::uint8_t, 12> out{};
  EXPECT_EQ(keeps.master_secret().error(), Misuse::not_exposed);
  EXPECT_EQ(keeps.prf("client EAP encryption", {}, out).error(), Misuse::not_exposed);
  // RFC 5246 7.4.9 with it gives what the client's Finished has: it is the very secret, and the PRF is the suite's.
  ASSERT_EQ(octets(knows.master_secret()).size(), 48U);
  std::array<std::uint8_t, 100> ours{};
  std::array<std::uint8_t, 100> by_hand{};
  ASSERT_TRUE(knows.prf("client EAP encryption", *knows.client_random(), ours));
  ASSERT_TRUE(keeps.prf(*knows.master_secret(), "client EAP encryption", *keeps.client_random(), by_hand));
  EXPECT_EQ(ours, by_hand);
}

// RFC 5929 4.1.
TEST(ChannelBinding, EndPointIsADigestOfTheCertificate) {
  std::array<std::uint8_t, kMaxServerEndPoint> out{};
  EXPECT_EQ(tls_server_end_point(provider(), as_bytes("no certificate"), out), 0U);
  struct Known {
    KeyType key;
    HashAlgorithm hash;
  };
  for (const Known known :
       {Known{KeyType::ec_p256, HashAlgorithm::sha256}, Known{KeyType::ec_p384, HashAlgorithm::sha384},
        Known{KeyType::ec_p521, HashAlgorithm::sha512}}) {
    if (provider().key_loader(known.key) == nullptr || provider().hash(known.hash) == nullptr) continue;
    const auto credential = credential_of(known.key);
    const auto& der = credential->chain.front();
    const auto digest = key_schedule::digest_of(*provider().hash(known.hash), {Bytes(der)});
    ASSERT_TRUE(digest);
    const std::size_t size = tls_server_end_point(provider(), der, out);
    EXPECT_TRUE(equal(Bytes(out).first(size), digest->view()));
    EXPECT_EQ(tls_server_end_point(provider(), der, MutableBytes(out).first(size - 1)), 0U);
  }
  if (provider().key_loader(KeyType::ed25519) == nullptr) return;
  EXPECT_EQ(tls_server_end_point(provider(), credential_of(KeyType::ed25519)->chain.front(), out), 0U);
}

// --- how large records may be, in both versions --------------------------------------------------------------------

/// The longest record on its way, without its header.
std::size_t longest_record(Bytes stream) {
  std::size_t longest = 0;
  while (!stream.empty()) {
    const std::size_t length = std::size_t{stream[3]} << 8U | stream[4];
    longest = std::max(longest, length);
    stream = stream.subspan(record::kHeaderSize + length);
  }
  return longest;
}

/// What a peer sends in bulk is in records of exactly this much plaintext, the type of TLS 1.3 included.
void expect_plaintext(Pair& pair, End& sender, std::vector<std::uint8_t>& wire, std::size_t plaintext) {
  const std::vector<std::uint8_t> much(40'001, 7);
  End& receiver = &sender == &pair.client ? pair.server : pair.client;
  receiver.data.clear();
  pair.send(sender, much);
  const std::size_t around = sender.connection.headroom() - record::kHeaderSize + sender.connection.tailroom(0) -
                             (sender.connection.version() == kTls12 ? 0 : record::kInnerTypeSize);
  EXPECT_EQ(longest_record(wire), plaintext + around);
  pair.run();
  EXPECT_EQ(receiver.data, much);
}

TEST(RecordLimits, EachSideKeepsToWhatTheOtherTakes) {
  for (const ProtocolVersion version : kBothVersions) {
    SCOPED_TRACE(name(version));
    const std::size_t type = version == kTls12 ? 0 : 1;
    Pair pair(built(client_builder().versions(version, version).record_size_limit(1000)),
              built(server_builder().versions(version, version).record_size_limit(2000)));
    pair.run();
    EXPECT_EQ(pair.client.connection.max_fragment(), 2000 - type) << error_text(pair.client);
    EXPECT_EQ(pair.server.connection.max_fragment(), 1000 - type) << error_text(pair.server);
    expect_plaintext(pair, pair.client, pair.to_server(), 2000);
    expect_plaintext(pair, pair.server, pair.to_client(), 1000);
    // What we send less of by ourselves stays so.
    Pair small(built(client_builder().versions(version, version).record_size_limit(16384)),
               built(server_builder().versions(version, version).record_size_limit(64).max_send_fragment(500)));
    small.run();
    EXPECT_EQ(small.server.connection.max_fragment(), 500U);
    EXPECT_EQ(small.client.connection.max_fragment(), 64 - type);
    expect_plaintext(small, small.client, small.to_server(), 64);
  }
}

TEST(RecordLimits, TakeTwoToBeAgreedOn) {
  for (const ProtocolVersion version : kBothVersions) {
    for (const bool client : {true, false}) {
      Pair pair(built(client_builder().versions(version, version).record_size_limit(client ? 100 : 0)),
                built(server_builder().versions(version, version).record_size_limit(client ? 0 : 100)));
      pair.run();
      EXPECT_EQ(pair.client.connection.max_fragment(), 16384U) << error_text(pair.client);
      EXPECT_EQ(pair.server.connection.max_fragment(), 16384U) << error_text(pair.server);
    }
    // A client's largest is a server's largest.
    Pair most(built(client_builder().record_size_limit(16385)),
              built(server_builder()
                        .versions(version, version)
                        .record_size_limit(static_cast<std::uint16_t>(version == kTls12 ? 16384 : 16385))));
    most.run();
    EXPECT_EQ(most.client.connection.max_fragment(), 16384U) << error_text(most.client);
    EXPECT_EQ(most.server.connection.max_fragment(), 16384U) << error_text(most.server);
  }
}

TEST(RecordLimits, FragmentLengthHoldsForBothAndForTheHandshake) {
  for (const ProtocolVersion version : kBothVersions) {
    SCOPED_TRACE(name(version));
    const std::size_t type = version == kTls12 ? 0 : 1;
    const auto client = built(client_builder().versions(version, version).max_fragment_length(512).ocsp_stapling(true));
    for (const bool accepts : {true, false}) {
      Pair pair(client, built(server_builder().versions(version, version).accept_max_fragment_length(accepts)));
      Credential credential = *credential_of(usual_key());
      credential.ocsp_response.assign(3000, 1);
      pair.server.credential = std::make_shared<const Credential>(credential);
      pair.step(pair.client, pair.to_server(), pair.to_client());
      while (pair.step(pair.server, pair.to_client(), pair.to_server())) {
      }
      const std::size_t longest = longest_record(pair.to_client());
      EXPECT_EQ(longest <= 512 + type + kMaxAeadTagSize, accepts) << longest;
      pair.run();
      EXPECT_EQ(pair.client.connection.max_fragment(), accepts ? 512U : 16384U) << error_text(pair.client);
      EXPECT_EQ(pair.server.connection.max_fragment(), accepts ? 512U : 16384U) << error_text(pair.server);
      expect_plaintext(pair, pair.client, pair.to_server(), accepts ? 512 + type : 16384 + type);
      expect_plaintext(pair, pair.server, pair.to_client(), accepts ? 512 + type : 16384 + type);
    }
  }
}

// RFC 8449 5.
TEST(RecordLimits, TheNewerExtensionIsTaken) {
  for (const ProtocolVersion version : kBothVersions) {
    Pair pair(
        built(client_builder().versions(version, version).max_fragment_length(512).record_size_limit(3000)),
        built(server_builder().versions(version, version).accept_max_fragment_length(true).record_size_limit(4000)));
    pair.run();
    EXPECT_GT(pair.client.connection.max_fragment(), 3900U) << error_text(pair.client);
    EXPECT_GT(pair.server.connection.max_fragment(), 2900U) << error_text(pair.server);
  }
}

// RFC 6066 1.1 and 4.
TEST(RecordLimits, FragmentLengthBelongsToTheSessionOfTls12) {
  const auto keys = ticket_keys();
  const auto connect = [&](std::uint16_t asked, bool accepts, std::span<Session> offered) {
    auto pair = std::make_unique<Pair>(
        built(old_client().max_fragment_length(asked)), built(old_server().accept_max_fragment_length(accepts)),
        ClientOptions{x509::PeerName::dns("example.com").value(), offered}, Wire{}, offered.empty() ? 1 : 5);
    pair->server.ticket_keys = keys;
    pair->run();
    expect_connected(*pair);
    return pair;
  };
  const auto first = connect(1024, true, {});
  ASSERT_EQ(first->client.sessions.size(), 1U);
  EXPECT_EQ(first->client.sessions.front().max_fragment_length, 2U);
  struct Again {
    std::uint16_t asked;
    bool accepts;
    bool resumed;
    std::size_t fragment;
  };
  for (const Again& again : {Again{1024, true, true, 1024}, Again{1024, false, true, 1024}, Again{0, true, true, 1024},
                             Again{512, true, false, 512}, Again{512, false, false, 16384}}) {
    SCOPED_TRACE(std::to_string(again.asked) + (again.accepts ? " accepted" : ""));
    Session offered = first->client.sessions.front().clone();
    const auto second = connect(again.asked, again.accepts, {&offered, 1});
    EXPECT_EQ(second->client.connection.resumed(), again.resumed);
    EXPECT_EQ(second->client.connection.max_fragment(), again.fragment);
    EXPECT_EQ(second->server.connection.max_fragment(), again.fragment);
    expect_echo(*second);
  }
}

// Early data is on its way before the client hears of a limit.
TEST(RecordLimits, EarlyDataCannotKnowThem) {
  const auto keys = ticket_keys();
  const auto client = built(client_builder().early_data(16384).record_size_limit(1000));
  const auto server = built(server_builder().early_data(16384).record_size_limit(64));
  Pair first(client, server);
  first.server.ticket_keys = keys;
  first.run();
  ASSERT_FALSE(first.client.sessions.empty()) << error_text(first.client);
  Session offered = first.client.sessions.front().clone();
  Pair second(client, server, {x509::PeerName::dns("example.com").value(), {&offered, 1}}, {}, 5);
  second.server.ticket_keys = keys;
  second.server.accept_early_data = true;
  const std::vector<std::uint8_t> early(10'000, 3);
  const Bytes view = early;
  std::vector<std::uint8_t> out(20'000);
  const auto sealed = second.client.connection.seal_early({&view, 1}, out, kNow);
  ASSERT_TRUE(sealed);
  EXPECT_EQ(sealed->consumed, early.size());
  second.to_server().assign(out.begin(), out.begin() + static_cast<std::ptrdiff_t>(sealed->written));
  second.run();
  EXPECT_EQ(second.client.early_data_status, EarlyDataStatus::accepted) << error_text(second.server);
  EXPECT_EQ(second.client.connection.max_fragment(), 63U);
  second.server.data.clear();
  expect_plaintext(second, second.client, second.to_server(), 64);
}

}  // namespace
}  // namespace lockstep::testing
