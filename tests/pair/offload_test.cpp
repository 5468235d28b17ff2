// Record protection outside the engine (kernel TLS): keys and sequence numbers go out, control records come back.

#include "pair.hpp"
#include "pair/record_protection.hpp"

namespace lockstep::testing {
namespace {

/// An end whose records are protected elsewhere in one direction or both, opposite an ordinary one.
class Offloaded : public ::testing::TestWithParam<CipherSuite> {
 protected:
  void SetUp() override {
    config_ = built(server_builder().suites({GetParam()}).tickets(0));
    pair_ = std::make_unique<Pair>(built(client_builder().suites({GetParam()})), config_);
    pair_->run();
    ASSERT_TRUE(server().connected());
    ASSERT_TRUE(pair_->client.connection.connected());
  }
  Connection& server() { return pair_->server.connection; }
  Pair& pair() { return *pair_; }

  /// Puts handed out keys where they belong.
  void install() {
    for (const TrafficKeys& keys : std::exchange(pair().server.traffic_keys, {})) {
      const Aead& aead = *config_->suite(keys.suite)->aead;
      (keys.direction == Direction::send ? send_ : receive_).install(aead, keys.key(), keys.iv, keys.sequence);
    }
  }
  void treat_events() {
    while (pair().server.treat(server().receive({}, kNow).event)) {
    }
    install();
  }
  /// What the engine says itself, sealed outside.
  void transmit() {
    std::array<std::uint8_t, 512> buffer{};
    while (const std::size_t size = server().transmit(buffer, kNow)) {
      for (Bytes records = Bytes(buffer).first(size); !records.empty();) {
        const std::size_t length = static_cast<std::size_t>(records[3] << 8U | records[4]);
        const auto sealed = send_.seal(records[0], records.subspan(5, length));
        pair().to_client().insert(pair().to_client().end(), sealed.begin(), sealed.end());
        records = records.subspan(5 + length);
      }
      treat_events();
    }
  }
  void send(std::string_view text) {
    const auto sealed = send_.seal(23, as_bytes(text));
    pair().to_client().insert(pair().to_client().end(), sealed.begin(), sealed.end());
  }
  /// Opens outside what the client has sent, and hands it to the engine.
  void receive() {
    std::vector<std::uint8_t>& in = pair().to_server();
    while (in.size() >= 5) {
      const std::size_t size = 5 + static_cast<std::size_t>(in[3] << 8U | in[4]);
      auto opened = receive_.open(Bytes(in).first(size));
      in.erase(in.begin(), in.begin() + static_cast<std::ptrdiff_t>(size));
      ASSERT_TRUE(opened);
      auto& [type, content] = *opened;
      std::vector<std::uint8_t> record{type, 3, 3, static_cast<std::uint8_t>(content.size() >> 8U),
                                       static_cast<std::uint8_t>(content.size())};
      record.insert(record.end(), content.begin(), content.end());
      for (MutableBytes rest = record;;) {
        auto [consumed, event] = server().receive(rest, kNow);
        rest = rest.subspan(consumed);
        if (!pair().server.treat(std::move(event)) && consumed == 0) break;
        install();
      }
    }
  }
  void client_step() { pair().step(pair().client, pair().to_server(), pair().to_client()); }

  std::shared_ptr<const ServerConfig> config_;
  std::unique_ptr<Pair> pair_;
  FixedRandom random_{9};
  RecordProtection send_;
  RecordProtection receive_;
};

TEST_P(Offloaded, SendsAndReceivesThroughOtherHands) {
  pair().send(pair().server, "before");
  pair().send(pair().client, "before");
  pair().run();
  ASSERT_TRUE(server().offload(Direction::send));
  ASSERT_TRUE(server().offload(Direction::receive));
  treat_events();
  EXPECT_EQ(send_.sequence(), 1U) << "one record was sent with this key before";
  EXPECT_EQ(receive_.sequence(), 1U);

  send(", behind");
  client_step();
  EXPECT_EQ(as_text(pair().client.data), "before, behind");
  pair().send(pair().client, ", behind");
  receive();
  EXPECT_EQ(as_text(pair().server.data), "before, behind");
}

TEST_P(Offloaded, ChangesKeysBothWays) {
  ASSERT_TRUE(server().offload(Direction::send));
  ASSERT_TRUE(server().offload(Direction::receive));
  treat_events();
  for (int turn = 0; turn < 3; ++turn) {
    pair().client.data.clear();
    pair().server.data.clear();
    ASSERT_TRUE(server().update_keys(true));
    transmit();
    EXPECT_EQ(send_.sequence(), 0U) << "a new key";
    send("with the new key");
    client_step();  // reads the KeyUpdate, and has one of its own to send
    client_step();
    pair().send(pair().client, "and back");
    receive();
    EXPECT_EQ(as_text(pair().client.data), "with the new key") << error_text(pair().client);
    EXPECT_EQ(as_text(pair().server.data), "and back") << error_text(pair().server);
  }
}

TEST_P(Offloaded, AnswersAPeerThatAsksForNewKeys) {
  ASSERT_TRUE(server().offload(Direction::send));
  ASSERT_TRUE(server().offload(Direction::receive));
  treat_events();
  ASSERT_TRUE(pair().client.connection.update_keys(true));
  client_step();
  receive();
  EXPECT_TRUE(pair().server.key_updated);
  transmit();
  send("hello");
  client_step();
  EXPECT_TRUE(pair().client.key_updated);
  EXPECT_EQ(as_text(pair().client.data), "hello");
}

TEST_P(Offloaded, SaysNothingBetweenAKeyUpdateAndItsKeys) {
  ASSERT_TRUE(server().offload(Direction::send));
  treat_events();
  ASSERT_TRUE(server().update_keys(false));
  std::array<std::uint8_t, 512> buffer{};
  EXPECT_EQ(server().transmit(buffer, kNow), 5U + 5U) << "a KeyUpdate with its record's header";
  server().close();
  EXPECT_EQ(server().transmit(buffer, kNow), 0U) << "close_notify is for the new key";
  treat_events();
  EXPECT_EQ(server().transmit(buffer, kNow), 5U + 2U);
}

TEST_P(Offloaded, ClosesAndHearsOfClosing) {
  ASSERT_TRUE(server().offload(Direction::send));
  ASSERT_TRUE(server().offload(Direction::receive));
  treat_events();
  server().close();
  transmit();
  client_step();
  EXPECT_TRUE(pair().client.peer_closed);
  pair().client.connection.close();
  client_step();
  receive();
  EXPECT_TRUE(pair().server.peer_closed);
}

TEST_P(Offloaded, AlertsGoOutUnderTheirType) {
  ASSERT_TRUE(server().offload(Direction::send));
  ASSERT_TRUE(server().offload(Direction::receive));
  treat_events();
  std::vector<std::uint8_t> record{22, 3, 3, 0, 4, 20, 0, 0, 0};  // a Finished that nobody expects any more
  const auto received = server().receive(record, kNow);
  ASSERT_TRUE(std::holds_alternative<Failed>(received.event) ||
              std::holds_alternative<Failed>(server().receive({}, kNow).event));
  EXPECT_EQ(server().error()->reason, Reason::message_unexpected);
  transmit();
  client_step();
  ASSERT_TRUE(pair().client.error);
  EXPECT_EQ(pair().client.error->alert, Alert::unexpected_message);
}

TEST_P(Offloaded, OneDirectionAlone) {
  ASSERT_TRUE(server().offload(Direction::send));
  treat_events();
  send("out");
  pair().send(pair().client, "in");
  pair().run();
  EXPECT_EQ(as_text(pair().client.data), "out");
  EXPECT_EQ(as_text(pair().server.data), "in");
}

TEST_P(Offloaded, RefusesWhatMakesNoSense) {
  Connection fresh = Connection::server(config_, random_);
  EXPECT_EQ(fresh.offload(Direction::send).error(), Misuse::not_connected);
  ASSERT_TRUE(server().update_keys(false));
  EXPECT_EQ(server().offload(Direction::send).error(), Misuse::transmit_first);
  pair().run();
  ASSERT_TRUE(server().offload(Direction::send));
  EXPECT_EQ(server().offload(Direction::send).error(), Misuse::offloaded);
  std::array<std::uint8_t, 512> buffer{};
  const Bytes text = as_bytes("x");
  EXPECT_EQ(server().seal({&text, 1}, buffer, kNow).error(), Misuse::offloaded);
  EXPECT_EQ(server().seal_in_place({.buffer = buffer, .headroom = 5, .payload = 1}, kNow).error(), Misuse::offloaded);
  treat_events();
  server().close();
  transmit();
  EXPECT_EQ(server().offload(Direction::receive).has_value(), true) << "the peer may go on";
}

std::vector<CipherSuite> suites() {
  std::vector<CipherSuite> found;
  for (const CipherSuite suite : {CipherSuite::tls_aes_128_gcm_sha256, CipherSuite::tls_aes_256_gcm_sha384,
                                  CipherSuite::tls_chacha20_poly1305_sha256}) {
    if (built(server_builder())->suite(suite) != nullptr) found.push_back(suite);
  }
  return found;
}
INSTANTIATE_TEST_SUITE_P(Suites, Offloaded, ::testing::ValuesIn(suites()),
                         [](const auto& suite) { return std::string(name(suite.param)); });

}  // namespace
}  // namespace lockstep::testing
