// False start (RFC 7918).

#include "tls12_pair.hpp"

namespace lockstep::testing {
namespace {

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
  expect_tls12(*pair);
  EXPECT_FALSE(pair->client.connection.false_start());
  EXPECT_EQ(as_text(pair->server.data), "early");
  pair->server.data.clear();
  expect_echo(*pair);
}

TEST(FalseStart, NeedsNoApplicationProtocolWhereThatIsAllowed) {
  const auto pair = half_done(old_client().false_start(true).allow_false_start_without_alpn(true), old_server());
  ASSERT_TRUE(pair->client.connection.false_start()) << error_text(pair->client);
  pair->send(pair->client, "early");
  pair->run();
  expect_connected(*pair);
  EXPECT_EQ(as_text(pair->server.data), "early");
}

TEST(FalseStart, IsForWhatIsAsGoodAsTheRestOfTheHandshakeMakesIt) {
  const auto refused = [](const ClientConfigBuilder& client, const ServerConfigBuilder& server) {
    const auto pair = half_done(client, server);
    EXPECT_FALSE(pair->client.connection.false_start());
    const Bytes data = as_bytes("early");
    std::vector<std::uint8_t> out(1000);
    EXPECT_EQ(pair->client.connection.seal({&data, 1}, out, kNow).error(), Misuse::not_connected);
    pair->run();
    expect_tls12(*pair);
  };
  refused(old_client().alpn({"a"}), old_server().alpn({"a"}));        // it was not asked for
  refused(old_client().false_start(true), old_server().alpn({"a"}));  // no protocol
  constexpr auto kCbc = CipherSuite::tls_ecdhe_ecdsa_with_aes_128_cbc_sha256;
  if (!provider().supports(kCbc)) return;
  refused(client_builder().suites({kCbc}).false_start(true).alpn({"a"}), server_builder().suites({kCbc}).alpn({"a"}));
}

}  // namespace
}  // namespace lockstep::testing
