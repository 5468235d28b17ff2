// What each side draws for a connection belongs to that connection alone, though configuration and source of randomness
// are the same: what one connection gives away helps nobody against another.

#include <algorithm>
#include <set>

#include "hostile.hpp"

namespace lockstep::testing {
namespace {

struct Hello {
  RawClientHello parts;
  Octets record;
};

Hello hello_of(const auto& config, RandomSource& random) {
  Forger forger;
  Connection client =
      ConnectionAccess::client(config, {x509::PeerName::dns("example.com").value(), {}}, random, kNow, forger);
  Octets record(20'000);
  record.resize(client.transmit(record, kNow));
  return {RawClientHello::split(forger.honest.front()), record};
}

RawServerHello answer_to(Octets record, const auto& config, RandomSource& random) {
  Forger forger;
  End server(ConnectionAccess::server(config, random, forger), 1);
  server.credential = credential_of(KeyType::ec_p256);
  MutableBytes rest(record);
  for (bool more = true; more;) {
    auto received = server.connection.receive(rest, kNow);
    rest = rest.subspan(received.consumed);
    more = server.treat(std::move(received.event));
  }
  return RawServerHello::split(forger.honest.front());
}

std::vector<Octets> shares_of(RawClientHello hello) {
  std::vector<Octets> shares;
  const Octets list = Cursor(hello.extensions[ExtensionType::key_share]).vector(2);
  for (Cursor cursor(list); !cursor.empty();) {
    cursor.number(2);
    shares.push_back(cursor.vector(2));
  }
  return shares;
}

// RFC 9846 4.3.8: "The key_exchange values for each KeyShareEntry MUST be generated independently. ... Clients and
// Servers MUST NOT reuse a key share for multiple connections."
TEST(KeyShares, OfClientsAreMadeAnewForEveryConnectionAndGroup) {
  const std::vector both{NamedGroup::x25519, NamedGroup::secp256r1, NamedGroup::secp384r1};
  const auto config = built(plain_client().groups(both).key_shares(both));
  FixedRandom random(7);
  std::set<Octets> shares;
  std::set<Octets> randoms;
  std::set<Octets> session_ids;
  for (int i = 0; i < 3; ++i) {
    const RawClientHello hello = hello_of(config, random).parts;
    for (const Octets& share : shares_of(hello)) shares.insert(share);
    randoms.insert(hello.random);
    session_ids.insert(hello.legacy_session_id);
  }
  EXPECT_EQ(shares.size(), 3 * both.size());
  EXPECT_EQ(randoms.size(), 3U);
  EXPECT_EQ(session_ids.size(), 3U);
}

// RFC 9846 4.2.3: ServerHello.random "MUST be generated independently of the ClientHello.random": the same ClientHello
// has another answer each time.
TEST(KeyShares, OfServersAreMadeAnewForEveryConnection) {
  FixedRandom client_random(8);
  const Hello hello = hello_of(built(plain_client()), client_random);
  const auto config = built(plain_server());
  FixedRandom random(9);
  std::set<Octets> shares;
  std::set<Octets> randoms{hello.parts.random};
  for (int i = 0; i < 3; ++i) {
    RawServerHello answer = answer_to(hello.record, config, random);
    shares.insert(answer.extensions[ExtensionType::key_share]);
    randoms.insert(answer.random);
  }
  EXPECT_EQ(shares.size(), 3U);
  EXPECT_EQ(randoms.size(), 1 + 3U);
}

}  // namespace
}  // namespace lockstep::testing
