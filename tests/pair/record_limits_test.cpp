// How large records may be, in both versions (RFC 8449, RFC 6066 4).

#include "record/framing.hpp"
#include "record/limits.hpp"
#include "tls12_pair.hpp"

namespace lockstep::testing {
namespace {

/// The longest record on its way, without its header.
std::size_t longest_record(Bytes stream) {
  std::size_t longest = 0;
  while (!stream.empty()) {
    const std::size_t length = std::size_t{stream[3]} << 8U | stream[4];
    longest = std::max(longest, length);
    stream = stream.subspan(record::kHeaderSize + length);
  }
  return longest;
}

/// What a peer sends in bulk is in records of exactly this much plaintext, the type of TLS 1.3 included.
void expect_plaintext(Pair& pair, End& sender, std::vector<std::uint8_t>& wire, std::size_t plaintext) {
  const std::vector<std::uint8_t> much(40'001, 7);
  End& receiver = &sender == &pair.client ? pair.server : pair.client;
  receiver.data.clear();
  pair.send(sender, much);
  const std::size_t around = sender.connection.headroom() - record::kHeaderSize + sender.connection.tailroom(0) -
                             (sender.connection.version() == kTls12 ? 0 : record::kInnerTypeSize);
  EXPECT_EQ(longest_record(wire), plaintext + around);
  pair.run();
  EXPECT_EQ(receiver.data, much);
}

TEST(RecordLimits, EachSideKeepsToWhatTheOtherTakes) {
  for (const ProtocolVersion version : kBothVersions) {
    SCOPED_TRACE(name(version));
    const std::size_t type = version == kTls12 ? 0 : 1;
    Pair pair(built(client_builder().versions(version, version).record_size_limit(1000)),
              built(server_builder().versions(version, version).record_size_limit(2000)));
    pair.run();
    EXPECT_EQ(pair.client.connection.max_fragment(), 2000 - type) << error_text(pair.client);
    EXPECT_EQ(pair.server.connection.max_fragment(), 1000 - type) << error_text(pair.server);
    expect_plaintext(pair, pair.client, pair.to_server(), 2000);
    expect_plaintext(pair, pair.server, pair.to_client(), 1000);
    // What we send less of by ourselves stays so.
    Pair small(built(client_builder().versions(version, version).record_size_limit(16384)),
               built(server_builder().versions(version, version).record_size_limit(64).max_send_fragment(500)));
    small.run();
    EXPECT_EQ(small.server.connection.max_fragment(), 500U);
    EXPECT_EQ(small.client.connection.max_fragment(), 64 - type);
    expect_plaintext(small, small.client, small.to_server(), 64);
  }
}

/// The most that protection adds to a plaintext here, header included.
std::size_t added_by(const Connection& connection) {
  const SuiteParts known = *parts(*connection.suite());
  if (known.cbc) return record::kHeaderSize + 16 + kMaxRecordMacSize + record::kMaxCbcPadding;
  const bool explicit_nonce = connection.version() == kTls12 && *known.aead != AeadAlgorithm::chacha20_poly1305;
  return record::kHeaderSize + (explicit_nonce ? record::kExplicitNonceSize : 0) + kMaxAeadTagSize;
}

TEST(RecordLimits, SayHowLargeARecordMayBeThatComes) {
  using enum CipherSuite;
  for (const CipherSuite suite :
       {tls_aes_128_gcm_sha256, tls_ecdhe_ecdsa_with_aes_128_gcm_sha256, tls_ecdhe_ecdsa_with_chacha20_poly1305_sha256,
        tls_ecdhe_ecdsa_with_aes_128_cbc_sha256}) {
    if (!provider().supports(suite)) continue;
    SCOPED_TRACE(name(suite));
    const std::size_t type = parts(suite)->version == kTls12 ? 0 : 1;
    Pair pair(built(client_builder().suites({suite}).record_size_limit(1000)),
              built(server_builder().suites({suite}).record_size_limit(2000)));
    pair.run();
    expect_connected(pair);
    EXPECT_EQ(pair.client.connection.max_record(), 1000 + added_by(pair.client.connection));
    EXPECT_EQ(pair.server.connection.max_record(), 2000 + added_by(pair.server.connection));
    const std::vector<std::uint8_t> much(40'001, 7);
    pair.send(pair.client, much);
    pair.send(pair.server, much);
    EXPECT_LE(longest_record(pair.to_server()) + record::kHeaderSize, pair.server.connection.max_record());
    EXPECT_LE(longest_record(pair.to_client()) + record::kHeaderSize, pair.client.connection.max_record());
    pair.run();
    EXPECT_EQ(pair.server.data, much);
    EXPECT_EQ(pair.client.data, much);

    Pair fragments(built(client_builder().suites({suite}).max_fragment_length(512)),
                   built(server_builder().suites({suite}).accept_max_fragment_length(true)));
    fragments.run();
    expect_connected(fragments);
    for (const End* end : {&fragments.client, &fragments.server})
      EXPECT_EQ(end->connection.max_record(), 512 + type + added_by(end->connection));

    Pair unlimited(built(client_builder().suites({suite})), built(server_builder().suites({suite})));
    unlimited.run();
    EXPECT_EQ(unlimited.client.connection.max_record(),
              record::kHeaderSize + (type == 0 ? record::kMaxCiphertextTls12 : record::kMaxCiphertext));
  }
}

// Whoever has room for such a record alone hears of a larger one by its header.
TEST(RecordLimits, RefuseALongerRecordByItsHeader) {
  for (const ProtocolVersion version : kBothVersions) {
    SCOPED_TRACE(name(version));
    for (const std::size_t more : {0U, 1U}) {
      Pair pair(built(client_builder().versions(version, version).record_size_limit(1000)),
                built(server_builder().versions(version, version).record_size_limit(2000)));
      pair.run();
      const std::size_t length = pair.server.connection.max_record() - record::kHeaderSize + more;
      std::vector<std::uint8_t> header(record::kHeaderSize);
      record::write_header(ContentType::application_data, ProtocolVersion::tls_1_2, length,
                           MutableBytes(header).first<record::kHeaderSize>());
      pair.to_server() = header;
      pair.run();
      ASSERT_EQ(pair.server.error.has_value(), more != 0);
      if (more == 0) continue;
      EXPECT_EQ(pair.server.error->reason, Reason::record_too_long);
      ASSERT_TRUE(pair.client.error);
      EXPECT_EQ(pair.client.error->alert, Alert::record_overflow);
    }
  }
}

TEST(RecordLimits, TakeTwoToBeAgreedOn) {
  for (const ProtocolVersion version : kBothVersions) {
    for (const bool client : {true, false}) {
      Pair pair(built(client_builder().versions(version, version).record_size_limit(client ? 100 : 0)),
                built(server_builder().versions(version, version).record_size_limit(client ? 0 : 100)));
      pair.run();
      EXPECT_EQ(pair.client.connection.max_fragment(), 16384U) << error_text(pair.client);
      EXPECT_EQ(pair.server.connection.max_fragment(), 16384U) << error_text(pair.server);
    }
    // A client's largest is a server's largest.
    Pair most(built(client_builder().record_size_limit(16385)),
              built(server_builder()
                        .versions(version, version)
                        .record_size_limit(static_cast<std::uint16_t>(version == kTls12 ? 16384 : 16385))));
    most.run();
    EXPECT_EQ(most.client.connection.max_fragment(), 16384U) << error_text(most.client);
    EXPECT_EQ(most.server.connection.max_fragment(), 16384U) << error_text(most.server);
  }
}

TEST(RecordLimits, FragmentLengthHoldsForBothAndForTheHandshake) {
  for (const ProtocolVersion version : kBothVersions) {
    SCOPED_TRACE(name(version));
    const std::size_t type = version == kTls12 ? 0 : 1;
    const auto client = built(client_builder().versions(version, version).max_fragment_length(512).ocsp_stapling(true));
    for (const bool accepts : {true, false}) {
      Pair pair(client, built(server_builder().versions(version, version).accept_max_fragment_length(accepts)));
      Credential credential = *credential_of(usual_key());
      credential.ocsp_response.assign(3000, 1);
      pair.server.credential = std::make_shared<const Credential>(credential);
      pair.step(pair.client, pair.to_server(), pair.to_client());
      while (pair.step(pair.server, pair.to_client(), pair.to_server())) {
      }
      const std::size_t longest = longest_record(pair.to_client());
      EXPECT_EQ(longest <= 512 + type + kMaxAeadTagSize, accepts) << longest;
      pair.run();
      EXPECT_EQ(pair.client.connection.max_fragment(), accepts ? 512U : 16384U) << error_text(pair.client);
      EXPECT_EQ(pair.server.connection.max_fragment(), accepts ? 512U : 16384U) << error_text(pair.server);
      expect_plaintext(pair, pair.client, pair.to_server(), accepts ? 512 + type : 16384 + type);
      expect_plaintext(pair, pair.server, pair.to_client(), accepts ? 512 + type : 16384 + type);
    }
  }
}

// RFC 8449 5.
TEST(RecordLimits, TheNewerExtensionIsTaken) {
  for (const ProtocolVersion version : kBothVersions) {
    Pair pair(
        built(client_builder().versions(version, version).max_fragment_length(512).record_size_limit(3000)),
        built(server_builder().versions(version, version).accept_max_fragment_length(true).record_size_limit(4000)));
    pair.run();
    EXPECT_GT(pair.client.connection.max_fragment(), 3900U) << error_text(pair.client);
    EXPECT_GT(pair.server.connection.max_fragment(), 2900U) << error_text(pair.server);
  }
}

// RFC 6066 1.1 and 4.
TEST(RecordLimits, FragmentLengthBelongsToTheSessionOfTls12) {
  const auto keys = ticket_keys();
  const auto connect = [&](std::uint16_t asked, bool accepts, std::span<Session> offered) {
    auto pair = std::make_unique<Pair>(
        built(old_client().max_fragment_length(asked)), built(old_server().accept_max_fragment_length(accepts)),
        ClientOptions{x509::PeerName::dns("example.com").value(), offered}, Wire{}, offered.empty() ? 1 : 5);
    pair->server.ticket_keys = keys;
    pair->run();
    expect_tls12(*pair);
    return pair;
  };
  const auto first = connect(1024, true, {});
  ASSERT_EQ(first->client.sessions.size(), 1U);
  EXPECT_EQ(first->client.sessions.front().max_fragment_length, 2U);
  struct Again {
    std::uint16_t asked;
    bool accepts;
    bool resumed;
    std::size_t fragment;
  };
  for (const Again& again : {Again{1024, true, true, 1024}, Again{1024, false, true, 1024}, Again{0, true, true, 1024},
                             Again{512, true, false, 512}, Again{512, false, false, 16384}}) {
    SCOPED_TRACE(std::to_string(again.asked) + (again.accepts ? " accepted" : ""));
    Session offered = first->client.sessions.front().clone();
    const auto second = connect(again.asked, again.accepts, {&offered, 1});
    EXPECT_EQ(second->client.connection.resumed(), again.resumed);
    EXPECT_EQ(second->client.connection.max_fragment(), again.fragment);
    EXPECT_EQ(second->server.connection.max_fragment(), again.fragment);
    expect_echo(*second);
  }
}

// Early data is on its way before the client hears of a limit.
TEST(RecordLimits, EarlyDataCannotKnowThem) {
  const auto keys = ticket_keys();
  const auto client = built(client_builder().early_data(16384).record_size_limit(1000));
  const auto server = built(server_builder().early_data(16384).record_size_limit(64));
  Pair first(client, server);
  first.server.ticket_keys = keys;
  first.run();
  ASSERT_FALSE(first.client.sessions.empty()) << error_text(first.client);
  Session offered = first.client.sessions.front().clone();
  Pair second(client, server, {x509::PeerName::dns("example.com").value(), {&offered, 1}}, {}, 5);
  second.server.ticket_keys = keys;
  second.server.accept_early_data = true;
  const std::vector<std::uint8_t> early(10'000, 3);
  const Bytes view = early;
  std::vector<std::uint8_t> out(20'000);
  const auto sealed = second.client.connection.seal_early({&view, 1}, out, kNow);
  ASSERT_TRUE(sealed);
  EXPECT_EQ(sealed->consumed, early.size());
  second.to_server().assign(out.begin(), out.begin() + static_cast<std::ptrdiff_t>(sealed->written));
  second.run();
  EXPECT_EQ(second.client.early_data_status, EarlyDataStatus::accepted) << error_text(second.server);
  EXPECT_EQ(second.client.connection.max_fragment(), 63U);
  second.server.data.clear();
  expect_plaintext(second, second.client, second.to_server(), 64);
}

}  // namespace
}  // namespace lockstep::testing
