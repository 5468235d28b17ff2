// What happens once connected: data, key updates, closing, resumption.

#include <lockstep/lists.hpp>

#include "pair.hpp"

namespace lockstep::testing {
namespace {

std::vector<std::uint8_t> pattern(std::size_t size) {
  std::vector<std::uint8_t> bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::uint8_t>(i * 31 + i / 251);
  return bytes;
}

struct Record {
  std::uint8_t type;
  std::size_t length;
};
std::vector<Record> records_of(Bytes wire) {
  std::vector<Record> records;
  while (wire.size() >= 5) {
    const std::size_t length = static_cast<std::size_t>(wire[3] << 8U | wire[4]);
    records.push_back({wire[0], length});
    wire = wire.subspan(5 + length);
  }
  return records;
}

class Connected : public ::testing::Test {
 protected:
  void connect(ClientConfigBuilder client, ServerConfigBuilder server) {
    pair_ = std::make_unique<Pair>(built(client), built(server));
    pair_->run();
    ASSERT_TRUE(pair_->client.connection.connected()) << error_text(pair_->client);
    ASSERT_TRUE(pair_->server.connection.connected()) << error_text(pair_->server);
  }
  Pair& pair() { return *pair_; }

 private:
  std::unique_ptr<Pair> pair_;
};

TEST_F(Connected, CarriesDataBothWays) {
  connect(client_builder(), server_builder());
  for (const std::size_t size : {1U, 2U, 100U, 1023U, 16383U, 16384U, 16385U, 100'000U}) {
    const auto bytes = pattern(size);
    pair().server.data.clear();
    pair().client.data.clear();
    pair().send(pair().client, bytes);
    pair().send(pair().server, bytes);
    pair().run();
    EXPECT_EQ(pair().server.data, bytes);
    EXPECT_EQ(pair().client.data, bytes);
  }
}

TEST_F(Connected, GathersSegments) {
  connect(client_builder(), server_builder());
  const auto bytes = pattern(40'000);
  std::vector<Bytes> segments;
  for (std::size_t start = 0, size = 1; start < bytes.size(); start += size, size = size * 3 % 1000 + 1) {
    size = std::min(size, bytes.size() - start);
    segments.push_back(Bytes(bytes).subspan(start, size));
  }
  std::vector<std::uint8_t> out(60'000);
  std::size_t consumed = 0;
  while (consumed < bytes.size()) {
    std::vector<Bytes> rest;
    std::size_t skip = consumed;
    for (const Bytes segment : segments) {
      if (skip >= segment.size()) {
        skip -= segment.size();
      } else {
        rest.push_back(segment.subspan(skip));
        skip = 0;
      }
    }
    const auto sealed = pair().client.connection.seal(rest, out, kNow);
    ASSERT_TRUE(sealed);
    ASSERT_NE(sealed->consumed, 0U);
    consumed += sealed->consumed;
    pair().to_server().insert(pair().to_server().end(), out.begin(),
                              out.begin() + static_cast<std::ptrdiff_t>(sealed->written));
  }
  pair().run();
  EXPECT_EQ(pair().server.data, bytes);
}

TEST_F(Connected, SealsInPlace) {
  connect(client_builder(), server_builder());
  ASSERT_FALSE(pair().client.connection.transmit_pending());
  const auto bytes = pattern(5000);
  std::vector<std::uint8_t> buffer(100 + bytes.size() + pair().client.connection.tailroom(bytes.size()));
  std::ranges::copy(bytes, buffer.begin() + 100);
  const auto record = pair().client.connection.seal_in_place({buffer, 100, bytes.size()}, kNow);
  ASSERT_TRUE(record) << name(record.error());
  EXPECT_EQ(record->data(), buffer.data() + 95);
  EXPECT_EQ(record->size(), 5 + bytes.size() + 17);
  pair().to_server().assign(record->begin(), record->end());
  pair().run();
  EXPECT_EQ(pair().server.data, bytes);
}

TEST_F(Connected, RefusesSlotsThatAreTooSmall) {
  connect(client_builder(), server_builder());
  std::vector<std::uint8_t> buffer(100);
  Connection& client = pair().client.connection;
  EXPECT_EQ(client.seal_in_place({buffer, 4, 10}, kNow).error(), Misuse::buffer_too_small);
  EXPECT_EQ(client.seal_in_place({buffer, 5, 95}, kNow).error(), Misuse::buffer_too_small);
  EXPECT_EQ(client.seal_in_place({buffer, 5, 79}, kNow).error(), Misuse::buffer_too_small);
  EXPECT_TRUE(client.seal_in_place({buffer, 5, 78}, kNow));
}

TEST_F(Connected, SealsOnlyWholeRecords) {
  connect(client_builder(), server_builder());
  const auto bytes = pattern(1000);
  const Bytes view = bytes;
  std::vector<std::uint8_t> small(21);
  auto sealed = pair().client.connection.seal(std::span(&view, 1), small, kNow);
  ASSERT_TRUE(sealed);
  EXPECT_EQ(sealed->written, 0U);
  EXPECT_EQ(sealed->consumed, 0U);
  std::vector<std::uint8_t> enough(122);
  sealed = pair().client.connection.seal(std::span(&view, 1), enough, kNow);
  ASSERT_TRUE(sealed);
  EXPECT_EQ(sealed->written, 122U);
  EXPECT_EQ(sealed->consumed, 100U);
}

TEST_F(Connected, KeepsToMaxSendFragment) {
  connect(client_builder().max_send_fragment(512), server_builder());
  pair().send(pair().client, pattern(2000));
  for (const Record& record : records_of(pair().to_server())) EXPECT_LE(record.length, 512U + 17U);
  EXPECT_EQ(records_of(pair().to_server()).size(), 4U);
}

TEST_F(Connected, PadsRecords) {
  connect(client_builder().padding(PaddingPolicy::to_multiple_of(256)), server_builder());
  pair().send(pair().client, "x");
  ASSERT_EQ(records_of(pair().to_server()).size(), 1U);
  EXPECT_EQ(records_of(pair().to_server()).front().length, 256U + 17U);
  pair().run();
  EXPECT_EQ(as_text(pair().server.data), "x");
}

TEST_F(Connected, SizesRecordsDynamically) {
  connect(client_builder().dynamic_record_sizing(true), server_builder());
  const auto bytes = pattern(400'000);
  pair().send(pair().client, bytes);
  const auto records = records_of(pair().to_server());
  EXPECT_LE(records.front().length, 1460U);
  EXPECT_EQ(std::ranges::max(records, {}, &Record::length).length, 16384U + 17U);
  pair().run();
  EXPECT_EQ(pair().server.data, bytes);
}

TEST_F(Connected, UpdatesKeysOnDemand) {
  connect(client_builder(), server_builder());
  for (const bool request : {false, true}) {
    pair().server.key_updated = pair().client.key_updated = false;
    ASSERT_TRUE(pair().client.connection.update_keys(request));
    pair().run();
    EXPECT_TRUE(pair().server.key_updated);
    EXPECT_EQ(pair().client.key_updated, request);
    pair().server.data.clear();
    pair().client.data.clear();
    pair().send(pair().client, "after");
    pair().send(pair().server, "update");
    pair().run();
    EXPECT_EQ(as_text(pair().server.data), "after");
    EXPECT_EQ(as_text(pair().client.data), "update");
  }
}

TEST_F(Connected, UpdatesKeysByItself) {
  connect(client_builder().key_update_after(32768), server_builder());
  const auto bytes = pattern(200'000);
  pair().send(pair().client, bytes);
  pair().run();
  EXPECT_EQ(pair().server.data, bytes);
  const auto updates = std::ranges::count(pair().server.events, "key_updated");
  EXPECT_GE(updates, 5);
  EXPECT_LE(updates, 7);
}

TEST_F(Connected, BoundsKeyUpdatesWithoutData) {
  connect(client_builder(), server_builder());
  for (int i = 0; i < 33; ++i) {
    ASSERT_TRUE(pair().client.connection.update_keys(false));
    pair().run();
  }
  ASSERT_TRUE(pair().server.error);
  EXPECT_EQ(pair().server.error->reason, Reason::too_many_key_updates);
  EXPECT_EQ(pair().client.error->reason, Reason::peer_alert);
}

TEST_F(Connected, ClosesOneDirectionAtATime) {
  connect(client_builder(), server_builder());
  pair().client.connection.close();
  pair().run();
  EXPECT_TRUE(pair().server.peer_closed);
  EXPECT_TRUE(pair().client.connection.closed());
  const Bytes late = as_bytes("late");
  std::vector<std::uint8_t> out(100);
  EXPECT_EQ(pair().client.connection.seal(std::span(&late, 1), out, kNow).error(), Misuse::closed);
  pair().send(pair().server, "still");
  pair().run();
  EXPECT_EQ(as_text(pair().client.data), "still");
  pair().server.connection.close();
  pair().run();
  EXPECT_TRUE(pair().client.peer_closed);
  EXPECT_FALSE(pair().client.error);
  EXPECT_FALSE(pair().server.error);
  EXPECT_TRUE(std::holds_alternative<Nothing>(pair().client.connection.receive_end()));
}

TEST_F(Connected, CallsMissingCloseNotifyATruncation) {
  connect(client_builder(), server_builder());
  const Event event = pair().client.connection.receive_end();
  ASSERT_TRUE(std::holds_alternative<Failed>(event));
  EXPECT_EQ(std::get<Failed>(event).error.reason, Reason::truncated);
  EXPECT_FALSE(pair().client.connection.transmit_pending());
}

TEST_F(Connected, IgnoresWhatFollowsCloseNotify) {
  connect(client_builder(), server_builder());
  pair().client.connection.close();
  pair().step(pair().client, pair().to_server(), pair().to_client());
  pair().to_server().insert(pair().to_server().end(), 50, 0xee);
  pair().run();
  EXPECT_TRUE(pair().server.peer_closed);
  EXPECT_FALSE(pair().server.error);
  EXPECT_TRUE(pair().to_server().empty());
}

TEST_F(Connected, RefusesTamperedRecords) {
  connect(client_builder(), server_builder());
  pair().send(pair().client, "payload");
  pair().to_server().back() ^= 1U;
  pair().run();
  ASSERT_TRUE(pair().server.error);
  EXPECT_EQ(pair().server.error->reason, Reason::record_mac);
  EXPECT_EQ(pair().server.error->alert, Alert::bad_record_mac);
  EXPECT_EQ(pair().client.error->alert, Alert::bad_record_mac);
  EXPECT_TRUE(pair().server.data.empty());
}

TEST_F(Connected, RefusesReplayedAndReorderedRecords) {
  connect(client_builder(), server_builder());
  pair().send(pair().client, "one");
  const auto record = pair().to_server();
  pair().to_server().insert(pair().to_server().end(), record.begin(), record.end());
  pair().run();
  EXPECT_EQ(as_text(pair().server.data), "one");
  ASSERT_TRUE(pair().server.error);
  EXPECT_EQ(pair().server.error->reason, Reason::record_mac);
}

TEST_F(Connected, RefusesChangeCipherSpecAndPlaintext) {
  for (const std::vector<std::uint8_t>& record :
       {std::vector<std::uint8_t>{20, 3, 3, 0, 1, 1}, std::vector<std::uint8_t>{21, 3, 3, 0, 2, 1, 0}}) {
    connect(client_builder(), server_builder());
    pair().to_server() = record;
    pair().run();
    ASSERT_TRUE(pair().server.error);
    EXPECT_EQ(pair().server.error->alert, Alert::unexpected_message) << error_text(pair().server);
  }
}

TEST_F(Connected, ErrorsAreSticky) {
  connect(client_builder(), server_builder());
  pair().client.connection.cancel();
  for (int i = 0; i < 3; ++i) {
    const auto received = pair().client.connection.receive({}, kNow);
    ASSERT_TRUE(std::holds_alternative<Failed>(received.event));
    EXPECT_EQ(std::get<Failed>(received.event).error.reason, Reason::canceled);
  }
  EXPECT_EQ(pair().client.connection.update_keys(false).error(), Misuse::closed);
}

TEST(Cancel, EndsTheHandshakeWithTwoAlerts) {
  Pair pair(built(client_builder()), built(server_builder()));
  pair.step(pair.client, pair.to_server(), pair.to_client());
  pair.client.connection.cancel();
  pair.run();
  ASSERT_TRUE(pair.client.error);
  EXPECT_EQ(pair.client.error->reason, Reason::canceled);
  EXPECT_EQ(pair.client.error->origin, Origin::application);
  ASSERT_TRUE(pair.server.error);
  EXPECT_EQ(pair.server.error->reason, Reason::peer_closed);
  EXPECT_EQ(pair.server.error->alert, Alert::close_notify);
}

TEST(Cancel, TellsThePeerWhy) {
  Pair pair(built(client_builder()), built(server_builder()));
  pair.step(pair.client, pair.to_server(), pair.to_client());
  pair.server.connection.cancel(Alert::access_denied);
  pair.run();
  ASSERT_TRUE(pair.server.error);
  EXPECT_EQ(pair.server.error->reason, Reason::canceled);
  EXPECT_EQ(pair.server.error->alert, Alert::access_denied);
  EXPECT_EQ(pair.server.error->origin, Origin::application);
  ASSERT_TRUE(pair.client.error);
  EXPECT_EQ(pair.client.error->reason, Reason::peer_alert);
  EXPECT_EQ(pair.client.error->alert, Alert::access_denied);
  EXPECT_EQ(pair.client.error->origin, Origin::peer);
}

TEST(Cancel, WithUserCanceledSaysCloseNotifyToo) {
  Pair pair(built(client_builder()), built(server_builder()));
  pair.step(pair.client, pair.to_server(), pair.to_client());
  pair.client.connection.cancel(Alert::user_canceled);
  pair.run();
  ASSERT_TRUE(pair.server.error);
  EXPECT_EQ(pair.server.error->reason, Reason::peer_closed);
  EXPECT_EQ(pair.server.error->alert, Alert::close_notify);
}

TEST_F(Connected, CancelTellsThePeerWhy) {
  connect(client_builder(), server_builder());
  pair().client.connection.cancel(Alert::internal_error);
  pair().run();
  ASSERT_TRUE(pair().server.error);
  EXPECT_EQ(pair().server.error->reason, Reason::peer_alert);
  EXPECT_EQ(pair().server.error->alert, Alert::internal_error);
}

TEST_F(Connected, CancelSaysNothingBehindCloseNotify) {
  connect(client_builder(), server_builder());
  pair().client.connection.close();
  pair().run();
  pair().client.connection.cancel(Alert::internal_error);
  EXPECT_FALSE(pair().client.connection.transmit_pending());
  pair().run();
  EXPECT_FALSE(pair().server.error) << error_text(pair().server);
}

TEST(Misuses, AreToldApartFromErrors) {
  Pair pair(built(client_builder()), built(server_builder()));
  const Bytes early = as_bytes("early");
  std::vector<std::uint8_t> out(100);
  EXPECT_EQ(pair.client.connection.seal(std::span(&early, 1), out, kNow).error(), Misuse::not_connected);
  EXPECT_EQ(pair.client.connection.update_keys(false).error(), Misuse::not_connected);
  EXPECT_EQ(pair.client.connection.export_keying_material("x", {}, out).error(), Misuse::not_connected);
  EXPECT_EQ(pair.client.connection.error(), nullptr);
}

// Everything is refused, and nothing crashes.
void expect_unusable(Connection& none) {
  ASSERT_NE(none.error(), nullptr);
  EXPECT_EQ(none.error()->reason, Reason::unusable);
  EXPECT_EQ(none.error()->origin, Origin::application);
  const Bytes data = as_bytes("data");
  std::vector<std::uint8_t> buffer(200, 0x16);
  const auto received = none.receive(buffer, kNow);
  EXPECT_EQ(received.consumed, 0U);
  ASSERT_TRUE(std::holds_alternative<Failed>(received.event));
  EXPECT_EQ(std::get<Failed>(received.event).error.reason, Reason::unusable);
  EXPECT_TRUE(std::holds_alternative<Failed>(none.receive_end()));
  EXPECT_EQ(none.transmit(buffer, kNow), 0U);
  EXPECT_FALSE(none.transmit_pending());
  EXPECT_EQ(none.seal({&data, 1}, buffer, kNow).error(), Misuse::unusable);
  EXPECT_EQ(none.seal_early({&data, 1}, buffer, kNow).error(), Misuse::unusable);
  EXPECT_EQ(none.seal_in_place({buffer, 5, 10}, kNow).error(), Misuse::unusable);
  EXPECT_EQ(none.update_keys(true).error(), Misuse::unusable);
  EXPECT_EQ(none.offload(Direction::send).error(), Misuse::unusable);
  EXPECT_EQ(none.set_max_send_fragment(1000).error(), Misuse::unusable);
  EXPECT_EQ(none.forget_exporter().error(), Misuse::unusable);
  EXPECT_EQ(none.export_keying_material("x", {}, buffer).error(), Misuse::unusable);
  EXPECT_EQ(none.answer(Token<Sign>(), SigningFailed{}).error(), Misuse::unusable);
  EXPECT_EQ(none.early_data_left(), 0U);
  EXPECT_EQ(none.tailroom(10), 0U);
  EXPECT_FALSE(none.connected());
  EXPECT_FALSE(none.awaiting_answer());
  EXPECT_FALSE(none.version());
  EXPECT_FALSE(none.suite());
  EXPECT_TRUE(none.alpn().empty());
  none.close();
  none.cancel();
  EXPECT_TRUE(none.reclaim().empty());
  EXPECT_EQ(none.error()->reason, Reason::unusable);
}

TEST(Misuses, WithoutAConfigurationThereIsNoConnection) {
  FixedRandom random(1);
  Connection client = Connection::client(nullptr, {.name = x509::NoNameCheck{}}, random, kNow);
  expect_unusable(client);
  Connection server = Connection::server(nullptr, random);
  expect_unusable(server);
}

// The memory of one that was moved belongs to where it went.
TEST(Misuses, AfterAMoveThereIsNoConnection) {
  FixedRandom random(1);
  std::vector<std::uint8_t> block(Connection::kHandshakeMemory);
  Connection first = Connection::client(built(client_builder()), {.name = x509::NoNameCheck{}}, random, kNow, block);
  Connection second = std::move(first);
  expect_unusable(first);  // NOLINT(bugprone-use-after-move): that is what is tested
  EXPECT_EQ(second.error(), nullptr);
  EXPECT_TRUE(second.transmit_pending());
  Connection third = std::move(first);
  expect_unusable(third);
  first = std::move(second);
  EXPECT_EQ(first.error(), nullptr);
  first.cancel();
  std::vector<std::uint8_t> out(4096);
  EXPECT_NE(first.transmit(out, kNow), 0U);
  EXPECT_EQ(first.reclaim().data(), block.data());
}

TEST(Memory, IsHandedBackWiped) {
  const auto config = built(server_builder().tickets(0));
  FixedRandom random(5);
  FixedRandom client_random(6);
  std::vector<std::uint8_t> block(Connection::kHandshakeMemory, 0xcc);
  Pair pair(built(client_builder()), config);
  pair.server.connection = Connection::server(config, random, block);
  EXPECT_TRUE(pair.server.connection.reclaim().empty());
  pair.run();
  ASSERT_TRUE(pair.server.connection.connected());
  const MutableBytes back = pair.server.connection.reclaim();
  ASSERT_EQ(back.size(), block.size());
  EXPECT_EQ(back.data(), block.data());
  // Wiped, but for what was never used at either end of the block.
  EXPECT_TRUE(std::ranges::all_of(block, [](std::uint8_t byte) { return byte == 0 || byte == 0xcc; }));
  pair.send(pair.client, "works without");
  pair.run();
  EXPECT_EQ(as_text(pair.server.data), "works without");
}

// --- resumption ---

class Resumption : public ::testing::Test {
 protected:
  Resumption() { keys_ = ticket_keys(); }

  std::vector<Session> sessions_of(ClientConfigBuilder client, ServerConfigBuilder server) {
    Pair pair(built(client), built(server));
    pair.server.ticket_keys = keys_;
    pair.client.credential = credential_of(KeyType::ec_p256);
    pair.run();
    EXPECT_TRUE(pair.client.connection.connected()) << error_text(pair.client);
    return std::move(pair.client.sessions);
  }
  std::unique_ptr<Pair> connect(ClientConfigBuilder client, ServerConfigBuilder server, std::vector<Session>& sessions,
                                std::string_view host = "example.com", std::chrono::milliseconds later = {}) {
    auto pair = std::make_unique<Pair>(built(client), built(server),
                                       ClientOptions{x509::PeerName::dns(host).value(), sessions}, Wire{}, 100);
    pair->now = kNow + later;
    pair->server.ticket_keys = keys_;
    pair->run();
    return pair;
  }

  std::shared_ptr<TicketKeys> keys_;
};

TEST_F(Resumption, ResumesWithEverySuite) {
  for (const CipherSuite suite : suites(ProtocolVersion::tls_1_3)) {
    auto sessions = sessions_of(client_builder().suites({suite}), server_builder().suites({suite}));
    ASSERT_EQ(sessions.size(), 2U);
    const auto pair = connect(client_builder().suites({suite}), server_builder().suites({suite}), sessions);
    ASSERT_TRUE(pair->client.connection.connected()) << error_text(pair->client);
    EXPECT_TRUE(pair->client.connection.resumed());
    EXPECT_TRUE(pair->server.connection.resumed());
    EXPECT_TRUE(pair->client.peer_chain.empty());
    EXPECT_EQ(pair->client.sessions.size(), 1U);
    EXPECT_EQ(pair->client.events.front(), "complete");
    pair->send(pair->client, "again");
    pair->run();
    EXPECT_EQ(as_text(pair->server.data), "again");
  }
}

TEST_F(Resumption, SurvivesSerialization) {
  auto sessions = sessions_of(client_builder(), server_builder());
  const auto bytes = sessions.front().serialize();
  std::vector<Session> stored;
  stored.push_back(Session::parse(bytes).value());
  const auto pair = connect(client_builder(), server_builder(), stored);
  EXPECT_TRUE(pair->client.connection.resumed());
}

TEST_F(Resumption, ResumesAfterHelloRetryRequest) {
  auto sessions = sessions_of(client_builder(), server_builder());
  const auto pair = connect(client_builder(), server_builder().groups({NamedGroup::secp384r1}), sessions);
  ASSERT_TRUE(pair->client.connection.connected()) << error_text(pair->client) << error_text(pair->server);
  EXPECT_TRUE(pair->client.connection.resumed());
  EXPECT_TRUE(pair->client.connection.retried());
}

TEST_F(Resumption, FallsBackToAFullHandshake) {
  auto sessions = sessions_of(client_builder(), server_builder());
  keys_ = ticket_keys(99);
  const auto pair = connect(client_builder(), server_builder(), sessions);
  ASSERT_TRUE(pair->client.connection.connected()) << error_text(pair->client);
  EXPECT_FALSE(pair->client.connection.resumed());
  EXPECT_FALSE(pair->client.peer_chain.empty());
}

TEST_F(Resumption, AcceptsTicketsOfPreviousKeys) {
  auto sessions = sessions_of(client_builder(), server_builder());
  FixedRandom random(77);
  ASSERT_TRUE(keys_->rotate(TicketKey::generate(random).value()));
  const auto pair = connect(client_builder(), server_builder(), sessions);
  EXPECT_TRUE(pair->client.connection.resumed());
}

TEST_F(Resumption, EndsWithTheLifetime) {
  auto sessions = sessions_of(client_builder(), server_builder().tickets(1, 60));
  ASSERT_EQ(sessions.size(), 1U);
  auto copy = sessions.front().clone();
  std::vector<Session> early;
  early.push_back(std::move(copy));
  EXPECT_TRUE(connect(client_builder(), server_builder(), sessions, "example.com", std::chrono::seconds(30))
                  ->client.connection.resumed());
  // Client::client is given kNow in Pair, so a session that is expired for the server only is offered and declined.
  early.front().lifetime = std::chrono::seconds(600);
  const auto late = connect(client_builder(), server_builder(), early, "example.com", std::chrono::seconds(90));
  ASSERT_TRUE(late->client.connection.connected());
  EXPECT_FALSE(late->client.connection.resumed());
}

TEST_F(Resumption, IsOnlyForTheSameName) {
  auto sessions = sessions_of(client_builder(), server_builder());
  const auto pair = connect(client_builder(), server_builder(), sessions, "other.example");
  ASSERT_TRUE(pair->client.connection.connected());
  EXPECT_FALSE(pair->client.connection.resumed());
}

TEST_F(Resumption, CanBeOff) {
  EXPECT_TRUE(sessions_of(client_builder(), server_builder().tickets(0)).empty());
  EXPECT_TRUE(sessions_of(client_builder(), server_builder().resumption(false)).empty());
  EXPECT_TRUE(sessions_of(client_builder().resumption(false), server_builder()).empty());
  auto sessions = sessions_of(client_builder(), server_builder());
  const auto pair = connect(client_builder(), server_builder().resumption(false), sessions);
  ASSERT_TRUE(pair->client.connection.connected());
  EXPECT_FALSE(pair->client.connection.resumed());
}

TEST_F(Resumption, FailsWhenTheBinderIsWrong) {
  auto sessions = sessions_of(client_builder(), server_builder());
  sessions.front().secret.writable()[0] ^= 1U;
  sessions.resize(1);
  const auto pair = connect(client_builder(), server_builder(), sessions);
  ASSERT_TRUE(pair->server.error);
  EXPECT_EQ(pair->server.error->reason, Reason::psk_binder);
  EXPECT_EQ(pair->server.error->alert, Alert::decrypt_error);
}

TEST_F(Resumption, KeepsTheClientsIdentity) {
  const auto server = [] { return server_builder().client_auth(ClientAuth::require); };
  auto anonymous = sessions_of(client_builder(), server_builder());
  auto known = sessions_of(client_builder(), server());
  EXPECT_TRUE(connect(client_builder(), server(), known)->client.connection.resumed());
  const auto pair = connect(client_builder(), server(), anonymous);
  EXPECT_FALSE(pair->client.connection.resumed());
  ASSERT_TRUE(pair->server.error);
  EXPECT_EQ(pair->server.error->reason, Reason::certificate_required);
}

/// A server whose tickets wait to be sealed, opposite a client that is connected.
class TicketsDue : public ::testing::Test {
 protected:
  void SetUp() override {
    while (pair_.step(pair_.client, pair_.to_server(), pair_.to_client()) || serve()) {
    }
    ASSERT_TRUE(token_);
    ASSERT_TRUE(server().connected());
  }
  Connection& server() { return pair_.server.connection; }
  /// Everything that the server has to say.
  std::vector<std::uint8_t> said() {
    std::vector<std::uint8_t> out(65'536);
    out.resize(server().transmit(out, kNow));
    return out;
  }

  Pair pair_{built(client_builder()), built(server_builder().tickets(2))};
  Token<SealTicket> token_;

 private:
  bool serve() {
    bool progress = false;
    const auto out = said();
    pair_.to_client().insert(pair_.to_client().end(), out.begin(), out.end());
    progress = !out.empty();
    for (;;) {
      auto [consumed, event] = server().receive(pair_.to_server(), kNow);
      pair_.to_server().erase(pair_.to_server().begin(),
                              pair_.to_server().begin() + static_cast<std::ptrdiff_t>(consumed));
      if (auto* seal = std::get_if<SealTicket>(&event)) {
        token_ = std::move(seal->token);
        return progress;
      }
      if (!pair_.server.treat(std::move(event)) && consumed == 0) return progress;
      progress = true;
    }
  }
};

TEST_F(TicketsDue, AreNotSentBehindCloseNotify) {
  server().close();
  const auto alert = said();
  ASSERT_EQ(alert.size(), 5U + 2 + 17);
  EXPECT_EQ(alert.front(), 23);
  ASSERT_TRUE(server().answer(std::move(token_), as_bytes("a ticket that comes too late")));
  EXPECT_TRUE(said().empty());
  EXPECT_EQ(server().error(), nullptr);
  EXPECT_FALSE(server().awaiting_answer());
}

TEST_F(TicketsDue, KeepTheKeysHere) {
  EXPECT_EQ(server().offload(Direction::send).error(), Misuse::handshake_not_over);
  EXPECT_EQ(server().offload(Direction::receive).error(), Misuse::handshake_not_over);
  ASSERT_TRUE(server().answer(std::move(token_), TicketDeclined{}));
  auto next = server().receive({}, kNow);
  auto* const seal = std::get_if<SealTicket>(&next.event);
  ASSERT_NE(seal, nullptr);
  ASSERT_TRUE(server().answer(std::move(seal->token), TicketDeclined{}));
  EXPECT_TRUE(server().offload(Direction::send));
  EXPECT_TRUE(server().offload(Direction::receive));
}

}  // namespace
}  // namespace lockstep::testing
