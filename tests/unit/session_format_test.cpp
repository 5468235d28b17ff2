#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <lockstep/session.hpp>

namespace lockstep {
namespace {

using Octets = std::vector<std::uint8_t>;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Time kIssued{milliseconds(1'700'000'000'123)};

Session sample() {
  Session session;
  session.suite = CipherSuite::tls_aes_256_gcm_sha384;
  session.psk = DigestSecret(Octets(48, 0x5a));
  session.ticket = Octets(300, 7);
  session.ticket_age_add = 0xfedcba98;
  session.issued_at = kIssued;
  session.lifetime = seconds(7200);
  session.max_early_data = 0x01020304;
  session.peer_verified = true;
  session.alpn = "h2";
  session.server_name = "example.com";
  session.peer.chain = {Octets(70'000, 0x30), Octets(3, 0x31)};
  session.peer.ocsp_response = Octets(500, 0x32);
  session.peer.sct_list = Octets(120, 0x33);
  return session;
}

void expect_equal(const Session& a, const Session& b) {
  EXPECT_EQ(a.version, b.version);
  EXPECT_EQ(a.suite, b.suite);
  EXPECT_TRUE(equal(a.psk.view(), b.psk.view()));
  EXPECT_EQ(a.ticket, b.ticket);
  EXPECT_EQ(a.ticket_age_add, b.ticket_age_add);
  EXPECT_EQ(a.issued_at, b.issued_at);
  EXPECT_EQ(a.lifetime, b.lifetime);
  EXPECT_EQ(a.max_early_data, b.max_early_data);
  EXPECT_EQ(a.peer_verified, b.peer_verified);
  EXPECT_EQ(a.alpn, b.alpn);
  EXPECT_EQ(a.server_name, b.server_name);
  EXPECT_EQ(a.peer, b.peer);
}

/// A session with short fields, so that every byte can be tried.
Octets small() {
  Session session = sample();
  session.suite = CipherSuite::tls_aes_128_gcm_sha256;
  session.psk = DigestSecret(Octets(32, 0x5a));
  session.ticket = Octets(3, 7);
  session.peer.chain = {{0x30, 0x00}, {0x31}};
  session.peer.ocsp_response = {0x32};
  session.peer.sct_list = {0x33, 0x34};
  return session.serialize();
}

TEST(SessionFormat, GivesBackWhatItTook) {
  const Session session = sample();
  const Octets bytes = session.serialize();
  EXPECT_EQ(bytes.size(), session.serialized_size());
  const auto parsed = Session::parse(bytes);
  ASSERT_TRUE(parsed);
  expect_equal(*parsed, session);
  EXPECT_EQ(parsed->serialize(), bytes);
  expect_equal(session.clone(), session);
}

TEST(SessionFormat, IsTheDocumentedOne) {
  Session session;
  session.suite = CipherSuite::tls_aes_128_gcm_sha256;
  session.psk = DigestSecret(Octets(32, 0xaa));
  session.issued_at = Time(milliseconds(0x0102030405060708));
  session.lifetime = seconds(0x00010203);
  session.ticket_age_add = 0x11223344;
  session.alpn = "x";
  session.server_name = "yz";
  session.peer.chain = {{7, 7}, {8}};
  session.peer.ocsp_response = {5};
  session.peer.sct_list = {6, 6};
  session.ticket = {9};
  Octets expected = {2, 0x03, 0x04, 0x13, 0x01, 0,    1,    2,    3,    4, 5, 6, 7,
                     8, 0,    1,    2,    3,    0x11, 0x22, 0x33, 0x44, 0, 0, 0, 0};
  expected.push_back(32);
  expected.insert(expected.end(), 32, 0xaa);
  expected.insert(expected.end(),
                  {1, 'x', 0, 2, 'y', 'z', 0, 0, 9, 0, 0, 2, 7, 7, 0, 0, 1, 8, 0, 1, 5, 0, 2, 6, 6, 0, 1, 9});
  EXPECT_EQ(session.serialize(), expected);
}

TEST(SessionFormat, RefusesEveryTruncation) {
  const Octets bytes = small();
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const auto parsed = Session::parse(Bytes(bytes).first(size));
    ASSERT_FALSE(parsed) << size;
    EXPECT_EQ(parsed.error(), SessionError::truncated) << size;
  }
}

TEST(SessionFormat, RefusesWhatFollows) {
  Octets bytes = small();
  bytes.push_back(0);
  EXPECT_EQ(Session::parse(bytes).error(), SessionError::trailing_data);
}

TEST(SessionFormat, RefusesOtherFormats) {
  Octets bytes = small();
  bytes[0] = 1;
  EXPECT_EQ(Session::parse(bytes).error(), SessionError::unsupported_version);
  EXPECT_EQ(Session::parse(Octets{0}).error(), SessionError::unsupported_version);
}

TEST(SessionFormat, RefusesValuesThatCannotBe) {
  const auto error_with = [](std::size_t at, std::uint8_t value) {
    Octets bytes = small();
    bytes[at] = value;
    const auto parsed = Session::parse(bytes);
    return parsed ? std::string("none") : std::string(name(parsed.error()));
  };
  EXPECT_EQ(error_with(2, 0x03), "malformed");   // TLS 1.2
  EXPECT_EQ(error_with(4, 0x77), "malformed");   // no such suite
  EXPECT_EQ(error_with(4, 0x02), "malformed");   // a suite whose hash is longer than the PSK
  EXPECT_EQ(error_with(5, 0x02), "malformed");   // an unknown flag
  EXPECT_EQ(error_with(6, 0x80), "malformed");   // beyond 2^63 milliseconds
  EXPECT_EQ(error_with(14, 0x01), "malformed");  // more than seven days
}

TEST(SessionFormat, RefusesChainsThatAreNone) {
  const Octets bytes = small();
  const Octets chain{0, 0, 2, 0x30, 0x00, 0, 0, 1, 0x31};
  const auto found = std::ranges::search(bytes, chain);
  ASSERT_FALSE(found.empty());
  for (const Octets& wrong : {Octets{0, 0, 0, 0, 0, 3, 1, 1, 1},        // an empty certificate
                              Octets{0, 0, 2, 0x30, 0x00, 0, 0, 2, 1},  // one that is cut
                              Octets{0, 0, 7, 1, 1, 1, 1, 1, 1},        // the same
                              Octets{0, 0, 4, 1, 1, 1, 1, 0, 0}}) {     // a length that is cut
    Octets changed = bytes;
    std::ranges::copy(wrong, changed.begin() + (found.begin() - bytes.begin()));
    const auto parsed = Session::parse(changed);
    ASSERT_FALSE(parsed);
    EXPECT_EQ(parsed.error(), SessionError::malformed);
  }
}

TEST(SessionFormat, ReadsOrRefusesWhateverOneByteBecomes) {
  const Octets bytes = small();
  std::size_t read = 0;
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    for (unsigned bit = 0; bit < 8; ++bit) {
      Octets changed = bytes;
      changed[at] = static_cast<std::uint8_t>(changed[at] ^ (1U << bit));
      const auto parsed = Session::parse(changed);
      if (!parsed) continue;
      ++read;
      EXPECT_EQ(parsed->serialize(), changed) << at;
    }
  }
  EXPECT_GT(read, 32U * 8);  // every other PSK is as good, at least
}

TEST(SessionFormat, WritesNothingThatCannotBeRead) {
  const auto writes = [](auto change) {
    Session session = sample();
    change(session);
    return !session.serialize().empty();
  };
  EXPECT_TRUE(writes([](Session&) {}));
  EXPECT_FALSE(writes([](Session& s) { s.psk.resize(32); }));
  EXPECT_FALSE(writes([](Session& s) { s.psk.clear(); }));
  EXPECT_FALSE(writes([](Session& s) { s.suite = CipherSuite{}; }));
  EXPECT_FALSE(writes([](Session& s) { s.version = ProtocolVersion::tls_1_2; }));
  EXPECT_FALSE(writes([](Session& s) { s.lifetime = kMaxTicketLifetime + seconds(1); }));
  EXPECT_FALSE(writes([](Session& s) { s.lifetime = seconds(-1); }));
  EXPECT_FALSE(writes([](Session& s) { s.issued_at = Time(milliseconds(-1)); }));
  EXPECT_FALSE(writes([](Session& s) { s.alpn.assign(256, 'a'); }));
  EXPECT_FALSE(writes([](Session& s) { s.server_name.assign(65'536, 'a'); }));
  EXPECT_FALSE(writes([](Session& s) { s.ticket.resize(65'536); }));
  EXPECT_FALSE(writes([](Session& s) { s.peer.chain.emplace_back(); }));
  EXPECT_FALSE(writes([](Session& s) { s.peer.chain.emplace_back(std::size_t{1} << 24U); }));
  EXPECT_FALSE(writes([](Session& s) { s.peer.ocsp_response.resize(65'536); }));
  EXPECT_FALSE(writes([](Session& s) { s.peer.sct_list.resize(65'536); }));
}

TEST(SessionFormat, ChecksTheRoom) {
  const Session session = sample();
  Octets out(session.serialized_size());
  EXPECT_EQ(session.serialize(MutableBytes(out)), out.size());
  EXPECT_EQ(out, session.serialize());
  EXPECT_EQ(session.serialize(MutableBytes(out).first(out.size() - 1)), 0U);
  // What was written before the room ended is gone.
  EXPECT_EQ(Octets(out.begin(), out.end() - 1), Octets(out.size() - 1));
}

TEST(Session, LivesAsLongAsItsTicket) {
  Session session = sample();
  EXPECT_FALSE(session.usable(kIssued - milliseconds(1)));
  EXPECT_TRUE(session.usable(kIssued));
  EXPECT_TRUE(session.usable(kIssued + seconds(7200) - milliseconds(1)));
  EXPECT_FALSE(session.usable(kIssued + seconds(7200)));
  session.lifetime = seconds(0);
  EXPECT_FALSE(session.usable(kIssued));
  session.lifetime = kMaxTicketLifetime * 2;
  EXPECT_TRUE(session.usable(kIssued + kMaxTicketLifetime - milliseconds(1)));
  EXPECT_FALSE(session.usable(kIssued + kMaxTicketLifetime));
}

TEST(Session, HidesItsAge) {
  const Session session = sample();
  EXPECT_EQ(session.obfuscated_ticket_age(kIssued), 0xfedcba98U);
  EXPECT_EQ(session.obfuscated_ticket_age(kIssued + milliseconds(0x1234568)), 0U);  // modulo 2^32
  for (const std::int64_t age : {0, 1, 5000, 604'800'000}) {
    EXPECT_EQ(session.stated_age(session.obfuscated_ticket_age(kIssued + milliseconds(age))).count(), age);
  }
}

}  // namespace
}  // namespace lockstep
