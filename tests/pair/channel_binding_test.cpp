// Channel bindings, and what they are made of, in both versions.

#include <array>

#include <lockstep/channel_binding.hpp>

#include "key_schedule/transcript.hpp"
#include "tls12_pair.hpp"

namespace lockstep::testing {
namespace {

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
    expect_tls12(first);
    EXPECT_EQ(octets(first.client.connection.tls_unique()), first.client.own_finished);
    EXPECT_EQ(octets(first.server.connection.tls_unique()), first.client.own_finished);
    ASSERT_FALSE(first.client.sessions.empty());
    Session offered = first.client.sessions.front().clone();
    Pair second(built(old_client()), built(old_server()), {x509::PeerName::dns("example.com").value(), {&offered, 1}},
                {}, 5);
    second.server.ticket_keys = keys;
    second.run();
    expect_tls12(second);
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

TEST(ChannelBinding, ExporterIsForgottenForGood) {
  for (const ProtocolVersion version : kBothVersions) {
    Pair pair(built(client_builder().versions(version, version).dangerous().expose_master_secret()),
              built(server_builder().versions(version, version)));
    EXPECT_EQ(pair.client.connection.forget_exporter().error(), Misuse::not_connected);
    pair.run();
    std::array<std::uint8_t, 32> bound{};
    std::array<std::uint8_t, 32> first{};
    std::array<std::uint8_t, 16> second{};
    const std::array both{KeyingMaterial{"EXPORTER-Channel-Binding", Bytes(), bound},
                          KeyingMaterial{"first", {}, first}, KeyingMaterial{"second", as_bytes("context"), second}};
    ASSERT_TRUE(pair.client.connection.export_keying_material(both));
    EXPECT_EQ(pair.server.connection.tls_exporter(), bound);
    std::array<std::uint8_t, 16> alone{};
    ASSERT_TRUE(pair.server.connection.export_keying_material("second", as_bytes("context"), alone));
    EXPECT_EQ(second, alone);

    ASSERT_TRUE(pair.client.connection.forget_exporter());
    ASSERT_TRUE(pair.client.connection.forget_exporter());
    EXPECT_EQ(pair.client.connection.tls_exporter().error(), Misuse::forgotten);
    EXPECT_EQ(pair.client.connection.export_keying_material(both).error(), Misuse::forgotten);
    EXPECT_TRUE(pair.server.connection.tls_exporter());
    if (version == kTls12) {
      EXPECT_EQ(pair.client.connection.master_secret().error(), Misuse::forgotten);
      EXPECT_EQ(pair.client.connection.offload(Direction::send).error(), Misuse::forgotten);
      EXPECT_TRUE(pair.client.connection.client_random());
    } else {
      EXPECT_TRUE(pair.client.connection.update_keys(true));
      pair.run();
    }
    expect_echo(pair);
  }
}

TEST(ChannelBinding, MasterSecretIsToldWhereThatIsAskedFor) {
  Pair pair(built(old_client().dangerous().expose_master_secret()), built(old_server()));
  pair.run();
  expect_tls12(pair);
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

}  // namespace
}  // namespace lockstep::testing
