// Key exchange in TLS 1.2: over groups, over finite fields, and to an RSA key.

#include <lockstep/lists.hpp>

#include "dh_groups.hpp"
#include "tls12_pair.hpp"

namespace lockstep::testing {
namespace {

TEST(Tls12, HasEveryGroup) {
  for (const NamedGroup group : groups(kTls12, ListKind::by_default)) {
    if (!provider().supports(group)) continue;
    SCOPED_TRACE(name(group));
    // The server's key is on P-256, which the client has to know as well.
    std::vector<NamedGroup> known{group};
    if (group != NamedGroup::secp256r1) known.push_back(NamedGroup::secp256r1);
    Pair pair(built(old_client().groups(known)), built(old_server().groups({group})));
    pair.run();
    expect_tls12(pair);
    EXPECT_EQ(pair.client.connection.group(), group);
    EXPECT_EQ(pair.server.connection.group(), group);
    expect_echo(pair);
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
      expect_tls12(pair);
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
  expect_tls12(pair);
  EXPECT_EQ(pair.server.connection.suite(), kSigns);

  const std::vector alone{both.front()};
  Pair other(built(client_builder().suites(alone)), built(server_builder().suites(alone)));
  other.server.credential = credential_of(KeyType::rsa_pss);
  other.run();
  ASSERT_TRUE(other.server.error);
  EXPECT_EQ(other.server.error->reason, Reason::scheme_unsupported);
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
    expect_tls12(pair);
    for (const End* end : {&pair.client, &pair.server}) {
      EXPECT_EQ(end->connection.group(), group);
      if (!group) continue;
      const auto field = field_parameters(*group);
      EXPECT_EQ(end->connection.dh_bits(), field ? std::optional(bit_size(field->p)) : std::nullopt);
    }
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
  const auto config = built(old_client());
  for (const BoundGroup& group : config->settings().groups) EXPECT_FALSE(is_finite_field(group.id));
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
  expect_tls12(second);
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
  for (const End* end : {&pair->client, &pair->server}) EXPECT_EQ(end->connection.dh_bits(), 2048U);
  expect_refused(run(unaware_client().groups({NamedGroup::secp256r1, NamedGroup::ffdhe2048}),
                     ServerConfigBuilder(own).groups({NamedGroup::secp256r1}))
                     ->server,
                 Reason::dh_group_unsupported, Alert::insufficient_security);
  // Short ones need both ends' word for it (CVE-2015-4000).
  const auto weak = server().dh_parameters(dh_parameters(kDh1024)).min_dh_bits(1024);
  expect_refused(run(unaware_client(), weak)->client, Reason::dh_group_weak, Alert::insufficient_security);
  const auto short_one = run(unaware_client().min_dh_bits(1024), weak);
  expect_group(*short_one, std::nullopt);
  EXPECT_EQ(short_one->client.connection.dh_bits(), 1024U);
  expect_refused(run(unaware_client().min_dh_bits(3072), server())->client, Reason::dh_group_weak,
                 Alert::insufficient_security);
}

}  // namespace
}  // namespace lockstep::testing
