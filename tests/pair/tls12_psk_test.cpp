// Pre-shared keys in TLS 1.2, whose suites are opt-in.

#include <lockstep/lists.hpp>

#include "tls12_pair.hpp"

namespace lockstep::testing {
namespace {

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
      expect_tls12(pair);
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
      expect_tls12(pair);
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
  expect_tls12(pair);
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
      expect_tls12(pair);
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
  expect_tls12(pair);
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
      expect_tls12(first);
      ASSERT_EQ(first.client.sessions.size(), 1U);
      Pair again(client_config, server_config, {x509::PeerName::dns("example.com").value(), first.client.sessions}, {},
                 5);
      again.server.ticket_keys = keys;
      again.server.store = &store;
      again.run();
      expect_tls12(again);
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
    expect_tls12(pair);
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
  expect_tls12(pair);
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

}  // namespace
}  // namespace lockstep::testing
