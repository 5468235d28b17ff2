// TLS 1.3 with the provider under test, both roles, from the first byte to the last.

#include <lockstep/lists.hpp>

#include "subject.hpp"

#define LOCKSTEP_PAIR_PROVIDER lockstep::tests::subject()
#include "pair/pair.hpp"

namespace lockstep::testing {
namespace {

/// Both ends connect with the one suite, group and key, and talk.
void expect_handshake(CipherSuite suite, NamedGroup group, KeyType key) {
  SCOPED_TRACE(std::string(name(suite)) + ", " + std::string(name(group)) + ", " + std::string(name(key)));
  const auto client = built(client_builder().suites({suite}).groups({group}));
  const auto server = built(server_builder().suites({suite}).groups({group}).client_auth(ClientAuth::require));
  ASSERT_TRUE(client && server);
  Pair pair(client, server);
  pair.server.credential = credential_of(key);
  pair.client.credential = credential_of(key);
  pair.run();
  ASSERT_TRUE(pair.client.complete) << error_text(pair.client);
  ASSERT_TRUE(pair.server.complete) << error_text(pair.server);
  EXPECT_EQ(pair.client.connection.suite(), suite);
  EXPECT_EQ(pair.server.connection.group(), group);
  EXPECT_EQ(pair.client.connection.peer_scheme(), pair.server.connection.own_scheme());
  EXPECT_EQ(pair.server.connection.peer_scheme(), pair.client.connection.own_scheme());

  const std::string text(40'000, 'x');
  for (const auto& [from, to] : {std::pair(&pair.client, &pair.server), std::pair(&pair.server, &pair.client)}) {
    pair.send(*from, text);
    pair.run();
    EXPECT_EQ(as_text(to->data), text);
  }
}

template <class Id>
std::vector<Id> supported(std::span<const Id> known) {
  return filter(std::vector<Id>(known.begin(), known.end()), [](Id id) { return provider().supports(id); });
}

std::vector<KeyType> keys() {
  return filter(std::vector<KeyType>(std::begin(every::kKeys), std::end(every::kKeys)),
                [](KeyType type) { return provider().key_loader(type) != nullptr; });
}

NamedGroup usual_group() { return supported(known_groups()).front(); }

TEST(ProviderHandshake, WithEverySuite) {
  const std::vector<CipherSuite> suites = supported<CipherSuite>(lockstep::suites(ProtocolVersion::tls_1_3));
  ASSERT_FALSE(suites.empty());
  for (const CipherSuite suite : suites) expect_handshake(suite, usual_group(), usual_key());
}

TEST(ProviderHandshake, WithEveryGroup) {
  for (const NamedGroup group : supported<NamedGroup>(groups(ProtocolVersion::tls_1_3)))
    expect_handshake(CipherSuite::tls_aes_128_gcm_sha256, group, usual_key());
}

TEST(ProviderHandshake, WithEveryKeyType) {
  ASSERT_FALSE(keys().empty());
  for (const KeyType key : keys()) {
    const auto scheme = std::ranges::find_if(known_schemes(), [&](SignatureScheme each) {
      return parts(each)->key == key && !parts(each)->certificates_only;
    });
    ASSERT_NE(scheme, known_schemes().end()) << name(key);
    expect_handshake(CipherSuite::tls_aes_256_gcm_sha384, usual_group(), key);
  }
}

TEST(ProviderHandshake, WithNothingButWhatIsApproved) {
  std::size_t connected = 0;
  for (const ProtocolVersion version : versions()) {
    const auto client = client_builder().profile(Profile::fips).versions(version, version);
    const auto server = server_builder().profile(Profile::fips).versions(version, version);
    // libsodium has no group of TLS 1.2 that is approved.
    if (!client.build() || !server.build()) continue;
    Pair pair(built(client), built(server));
    pair.run();
    EXPECT_TRUE(pair.client.complete && pair.server.complete) << error_text(pair.client) << error_text(pair.server);
    EXPECT_TRUE(is_approved(*pair.client.connection.suite()) && is_approved(*pair.client.connection.group()));
    ++connected;
  }
  EXPECT_EQ(connected, provider().supports(NamedGroup::secp256r1) ? 2U : 1U);
}

TEST(ProviderHandshake, ByATicket) {
  FixedRandom random(5);
  const auto ticket_keys =
      std::make_shared<TicketKeys>(allowed_ticket_keys(TicketKey::generate(random).value()).value());
  const auto client = built(client_builder());
  const auto server = built(server_builder());
  Pair first(client, server);
  first.server.ticket_keys = ticket_keys;
  first.run();
  ASSERT_FALSE(first.client.sessions.empty()) << error_text(first.client);

  Pair second(client, server, {x509::PeerName::dns("example.com").value(), first.client.sessions}, {}, 20);
  second.server.ticket_keys = ticket_keys;
  second.run();
  ASSERT_TRUE(second.server.complete) << error_text(second.server);
  EXPECT_TRUE(second.client.connection.resumed());
  EXPECT_TRUE(second.server.connection.resumed());
}

TEST(ProviderHandshake, FailsWhenARecordChanges) {
  Pair pair(built(client_builder()), built(server_builder()));
  pair.run();
  ASSERT_TRUE(pair.server.complete) << error_text(pair.server);
  pair.send(pair.client, "to be changed");
  pair.to_server().back() ^= 1U;
  pair.run();
  ASSERT_TRUE(pair.server.error);
  EXPECT_EQ(pair.server.error->alert, Alert::bad_record_mac) << error_text(pair.server);
  EXPECT_TRUE(pair.server.data.empty());
}

}  // namespace
}  // namespace lockstep::testing
