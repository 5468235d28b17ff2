// Whole handshakes: what is agreed, in every way that bytes can be cut.

#include "pair.hpp"

namespace lockstep::testing {
namespace {

void expect_connected(Pair& pair) {
  EXPECT_TRUE(pair.client.connection.connected()) << error_text(pair.client);
  EXPECT_TRUE(pair.server.connection.connected()) << error_text(pair.server);
  EXPECT_TRUE(pair.client.complete);
  EXPECT_TRUE(pair.server.complete);
}

void expect_echo(Pair& pair) {
  pair.send(pair.client, "ping");
  pair.run();
  EXPECT_EQ(as_text(pair.server.data), "ping");
  pair.send(pair.server, "pong");
  pair.run();
  EXPECT_EQ(as_text(pair.client.data), "pong");
}

TEST(Handshake, AgreesOnTheDefaults) {
  Pair pair(built(client_builder()), built(server_builder()));
  pair.run();
  expect_connected(pair);
  for (const End* end : {&pair.client, &pair.server}) {
    EXPECT_EQ(end->connection.version(), ProtocolVersion::tls_1_3);
    EXPECT_EQ(end->connection.suite(), CipherSuite::tls_aes_128_gcm_sha256);
    EXPECT_EQ(end->connection.group(), NamedGroup::x25519mlkem768);
    EXPECT_FALSE(end->connection.resumed());
    EXPECT_FALSE(end->connection.retried());
  }
  EXPECT_EQ(pair.client.connection.peer_scheme(), SignatureScheme::ecdsa_secp256r1_sha256);
  EXPECT_EQ(pair.server.connection.own_scheme(), SignatureScheme::ecdsa_secp256r1_sha256);
  EXPECT_EQ(pair.server.server_name, "example.com");
  expect_echo(pair);
}

}  // namespace
}  // namespace lockstep::testing
