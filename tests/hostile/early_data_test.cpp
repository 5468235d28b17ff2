// Early data that is too much, does not end, or was not taken.

#include "hostile/hostile.hpp"

namespace lockstep::testing {
namespace {

constexpr std::uint32_t kLimit = 1000;
constexpr auto kEarlyData = ExtensionType::early_data;

/// A client with two sessions that allow early data.
class TakenEarlyData : public ::testing::Test {
 protected:
  void SetUp() override {
    FixedRandom random(11);
    keys = std::make_shared<TicketKeys>(allowed_ticket_keys(TicketKey::generate(random).value()).value());
    Duel first;
    first.client_config.alpn({"a"});
    first.server_config.tickets(2).early_data(kLimit).alpn({"a"});
    first.server().ticket_keys = keys;
    first.expect_connected();
    ASSERT_EQ(first.client().sessions.size(), 2U);
    for (Session& session : first.client().sessions) sessions.push_back(std::move(session));
  }
  /// Everything is in place for early data to be taken; forgeries come before.
  template <class Change = decltype([](Duel&) {})>
  void prepare(Duel& duel, std::size_t count = 1, Change change = {}) {
    duel.client_config.alpn({"a"}).early_data(2 * kLimit);
    duel.server_config.tickets(1).early_data(kLimit).alpn({"a"});
    for (std::size_t i = 0; i < count; ++i) duel.sessions.push_back(sessions[i].clone());
    change(duel);
    duel.server().ticket_keys = keys;
    duel.server().accept_early_data = true;
  }
  /// Sends the ClientHello, then what is given as early data without asking our engine.
  static void send_early(Duel& duel, Bytes bytes) {
    Octets hello(4096);
    hello.resize(duel.client().connection.transmit(hello, kNow));
    append(duel.to_server(), hello);
    append(duel.to_server(), seal_record(duel.client().connection, ContentType::application_data, bytes));
  }

  std::shared_ptr<TicketKeys> keys;
  std::vector<Session> sessions;
};

TEST_F(TakenEarlyData, WorksWhenNobodyIsHostile) {
  Duel duel;
  prepare(duel);
  send_early(duel, Octets(kLimit, 1));
  duel.expect_connected();
  EXPECT_EQ(duel.server().early_data.size(), kLimit);
}

TEST_F(TakenEarlyData, IsBounded) {
  {
    Duel duel;
    prepare(duel);
    send_early(duel, Octets(kLimit + 1, 1));
    duel.expect_server_refuses(Reason::early_data_too_much, Alert::unexpected_message);
    EXPECT_TRUE(duel.server().early_data.empty());
  }
  {
    Duel duel;
    prepare(duel);
    send_early(duel, Octets(kLimit, 1));
    append(duel.to_server(), seal_record(duel.client().connection, ContentType::application_data, Octets{1}));
    duel.expect_server_refuses(Reason::early_data_too_much, Alert::unexpected_message);
    EXPECT_EQ(duel.server().early_data.size(), kLimit);
  }
}

TEST_F(TakenEarlyData, EmptyRecordsAreBounded) {
  Duel duel;
  prepare(duel);
  send_early(duel, {});
  for (int i = 0; i < 100; ++i)
    append(duel.to_server(), seal_record(duel.client().connection, ContentType::application_data, {}));
  duel.expect_server_refuses(Reason::too_many_empty_records, Alert::unexpected_message);
}

// What follows comes under the next key, which the server does not have yet.
TEST_F(TakenEarlyData, HasAnEnd) {
  Duel duel;
  duel.client_forger.omit(HandshakeType::end_of_early_data);
  prepare(duel);
  duel.expect_server_refuses(Reason::record_mac, Alert::bad_record_mac);
}

TEST_F(TakenEarlyData, EndIsEmpty) {
  Duel duel;
  duel.client_forger.replace(HandshakeType::end_of_early_data, Octets{5, 0, 0, 1, 0});
  prepare(duel);
  duel.expect_server_refuses(Reason::message_trailing_data, Alert::decode_error);
}

// RFC 9846 5.1: no message spans a key change.
TEST_F(TakenEarlyData, EndIsTheLastUnderItsKey) {
  Duel duel;
  duel.client_forger.change(HandshakeType::end_of_early_data, [](Octets message) {
    append(message, Octets{20, 0, 0, 32, 1, 2, 3});
    return message;
  });
  prepare(duel);
  duel.expect_server_refuses(Reason::record_after_key_change, Alert::unexpected_message);
}

TEST_F(TakenEarlyData, EndsOnlyWhereThereWasSome) {
  Duel duel;
  duel.client_forger.precede(HandshakeType::finished, Octets{5, 0, 0, 0});
  prepare(duel, 1, [](Duel& changed) { changed.client_config.early_data(0); });
  duel.expect_server_refuses(Reason::message_unexpected, Alert::unexpected_message);
}

// RFC 9846 4.3.10: early data is for the first PSK, its suite and its protocol.
TEST_F(TakenEarlyData, IsAcceptedForTheFirstSessionAlone) {
  const auto accept = [](RawEncryptedExtensions& message) { message.extensions.add(kEarlyData); };
  {
    Duel duel;  // a full handshake
    duel.server_forger.change_parts<RawEncryptedExtensions>(HandshakeType::encrypted_extensions, accept);
    prepare(duel);
    FixedRandom random(12);
    duel.server().ticket_keys =
        std::make_shared<TicketKeys>(allowed_ticket_keys(TicketKey::generate(random).value()).value());
    duel.run();
    Duel::expect_refusal(duel.client(), Reason::early_data_mismatch, Alert::illegal_parameter);
  }
  {
    Duel duel;  // the second session
    duel.server_forger.change_parts<RawEncryptedExtensions>(HandshakeType::encrypted_extensions, accept);
    sessions[0].ticket[0] ^= 1U;
    prepare(duel, 2);
    duel.run();
    Duel::expect_refusal(duel.client(), Reason::early_data_mismatch, Alert::illegal_parameter);
    sessions[0].ticket[0] ^= 1U;
  }
  {
    Duel duel;  // another protocol
    duel.server_forger.change_parts<RawEncryptedExtensions>(HandshakeType::encrypted_extensions, accept);
    prepare(duel, 1, [](Duel& changed) { changed.server_config.alpn({}); });
    duel.run();
    Duel::expect_refusal(duel.client(), Reason::early_data_mismatch, Alert::illegal_parameter);
  }
  {
    Duel duel;  // another suite
    duel.server_forger.change_parts<RawEncryptedExtensions>(HandshakeType::encrypted_extensions, accept);
    const std::vector suites = {CipherSuite::tls_chacha20_poly1305_sha256, CipherSuite::tls_aes_128_gcm_sha256};
    duel.client_config.suites(suites);
    duel.server_config.suites(suites);
    prepare(duel);
    duel.run();
    Duel::expect_refusal(duel.client(), Reason::early_data_mismatch, Alert::illegal_parameter);
  }
}

TEST_F(TakenEarlyData, IsAcceptedOnlyWhenOffered) {
  Duel duel;
  duel.server_forger.change_parts<RawEncryptedExtensions>(
      HandshakeType::encrypted_extensions, [](RawEncryptedExtensions& message) { message.extensions.add(kEarlyData); });
  prepare(duel, 1, [](Duel& changed) { changed.client_config.early_data(0); });
  duel.expect_client_refuses(Reason::extension_unsolicited, Alert::unsupported_extension);
}

// Early data that nobody takes is skipped, but not without end.
TEST_F(TakenEarlyData, IsSkippedWithinABound) {
  Duel duel;
  prepare(duel);
  duel.server().accept_early_data = false;
  send_early(duel, {});
  for (int i = 0; i < 4; ++i)
    append(duel.to_server(), seal_record(duel.client().connection, ContentType::application_data, Octets(16'000, 1)));
  duel.expect_server_refuses(Reason::record_mac, Alert::bad_record_mac);
}

// RFC 9846 4.3.10: what a server ignores after HelloRetryRequest comes before the second ClientHello.
TEST_F(TakenEarlyData, IsNotSkippedBehindTheSecondClientHello) {
  Duel duel;
  prepare(duel, 1, [](Duel& changed) { changed.server_config.cookie(true); });
  Pair& pair = duel.pair();
  // A step sends what there is, then reads.
  pair.step(pair.client, pair.to_server(), pair.to_client());
  pair.step(pair.server, pair.to_client(), pair.to_server());
  pair.step(pair.server, pair.to_client(), pair.to_server());
  pair.step(pair.client, pair.to_server(), pair.to_client());
  EXPECT_TRUE(pair.client.connection.retried());
  pair.step(pair.client, pair.to_server(), pair.to_client());
  append(pair.to_server(), plain_record(23, Octets(40, 1)));
  duel.expect_server_refuses(Reason::record_mac, Alert::bad_record_mac);
}

TEST_F(TakenEarlyData, ServersSendNone) {
  Duel duel;
  duel.server_forger.omit(HandshakeType::finished);  // data can only come before it
  prepare(duel);
  duel.run();
  ASSERT_FALSE(duel.client().complete);
  append(duel.to_client(), plain_record(23, Octets(40, 1)));
  duel.run();
  ASSERT_TRUE(duel.client().error);
  EXPECT_EQ(duel.client().error->reason, Reason::record_mac);
}

}  // namespace
}  // namespace lockstep::testing
