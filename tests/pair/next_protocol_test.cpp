// Next Protocol Negotiation (draft-agl-tls-nextprotoneg-04).

#include "tls12_pair.hpp"

namespace lockstep::testing {
namespace {

TEST(NextProtocol, IsTheServersFirstThatTheClientHas) {
  const auto keys = ticket_keys();
  const auto client = built(client_builder().next_protocols({"spdy/2", "http/1.1"}));
  const auto server = built(old_server().next_protocols({"spdy/3", "http/1.1", "spdy/2"}));
  Pair first(client, server);
  first.server.ticket_keys = keys;
  first.run();
  expect_tls12(first);
  for (const End* end : {&first.client, &first.server}) EXPECT_EQ(end->connection.alpn(), "http/1.1");
  expect_echo(first);
  // It is agreed on anew when a session is resumed.
  Session offered = first.client.sessions.at(0).clone();
  EXPECT_EQ(offered.alpn, "http/1.1");
  Pair second(client, built(old_server().next_protocols({"spdy/2"})),
              {x509::PeerName::dns("example.com").value(), {&offered, 1}}, {}, 5);
  second.server.ticket_keys = keys;
  second.run();
  expect_tls12(second);
  EXPECT_TRUE(second.client.connection.resumed());
  for (const End* end : {&second.client, &second.server}) EXPECT_EQ(end->connection.alpn(), "spdy/2");
  expect_echo(second);
}

TEST(NextProtocol, GivesWayToAlpnAndToTls13) {
  Pair alpn(built(old_client().next_protocols({"npn"}).alpn({"alpn"})),
            built(old_server().next_protocols({"npn"}).alpn({"alpn"})));
  alpn.run();
  expect_tls12(alpn);
  EXPECT_EQ(alpn.client.connection.alpn(), "alpn");
  EXPECT_EQ(alpn.server.connection.alpn(), "alpn");
  Pair without(built(old_client().next_protocols({"npn"}).alpn({"alpn"})), built(old_server().next_protocols({"npn"})));
  without.run();
  expect_tls12(without);
  EXPECT_EQ(without.server.connection.alpn(), "npn");
  Pair newer(built(client_builder().next_protocols({"npn"})), built(server_builder().next_protocols({"npn"})));
  newer.run();
  EXPECT_TRUE(newer.server.connection.connected()) << error_text(newer.server);
  EXPECT_EQ(newer.server.connection.alpn(), "");
  for (const bool asks : {true, false}) {
    Pair alone(built(asks ? old_client().next_protocols({"npn"}) : old_client()),
               built(asks ? old_server() : old_server().next_protocols({"npn"})));
    alone.run();
    expect_tls12(alone);
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

}  // namespace
}  // namespace lockstep::testing
