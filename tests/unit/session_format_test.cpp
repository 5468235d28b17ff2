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
constexpr Time kAuthenticated = kIssued - seconds(1000);
constexpr Time kVerifiedUntil = kIssued + std::chrono::days(90);

std::shared_ptr<const PeerCertificates> shown(PeerCertificates peer) {
  return std::make_shared<const PeerCertificates>(std::move(peer));
}

Session sample() {
  Session session;
  session.suite = CipherSuite::tls_aes_256_gcm_sha384;
  session.secret = DigestSecret(Octets(48, 0x5a));
  session.ticket = Octets(300, 7);
  session.ticket_age_add = 0xfedcba98;
  session.issued_at = kIssued;
  session.lifetime = seconds(7200);
  session.authenticated_at = kAuthenticated;
  session.verified_until = kVerifiedUntil;
  session.max_early_data = 0x01020304;
  session.peer_verified = true;
  session.context.fill(0xc0);
  session.name = x509::PeerName::dns("example.com").value();
  session.alpn = "h2";
  session.identity = Octets(40, 0x1d);
  session.application_data = Octets(5, 0xad);
  session.peer = shown({.chain = {Octets(70'000, 0x30), Octets(3, 0x31)},
                        .ocsp_response = Octets(500, 0x32),
                        .sct_list = Octets(120, 0x33)});
  return session;
}

/// Of TLS 1.2.
Session older() {
  Session session = sample();
  session.version = ProtocolVersion::tls_1_2;
  session.suite = static_cast<CipherSuite>(0xc02f);  // TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256
  session.session_id = Octets(32, 0x1d);
  session.extended_master_secret = true;
  return session;
}

void expect_equal(const Session& a, const Session& b) {
  EXPECT_EQ(a.version, b.version);
  EXPECT_EQ(a.suite, b.suite);
  EXPECT_TRUE(equal(a.secret.view(), b.secret.view()));
  EXPECT_EQ(a.ticket, b.ticket);
  EXPECT_EQ(a.ticket_age_add, b.ticket_age_add);
  EXPECT_EQ(a.issued_at, b.issued_at);
  EXPECT_EQ(a.lifetime, b.lifetime);
  EXPECT_EQ(a.max_early_data, b.max_early_data);
  EXPECT_EQ(a.session_id, b.session_id);
  EXPECT_EQ(a.extended_master_secret, b.extended_master_secret);
  EXPECT_EQ(a.authenticated_at, b.authenticated_at);
  EXPECT_EQ(a.verified_until, b.verified_until);
  EXPECT_EQ(a.peer_verified, b.peer_verified);
  EXPECT_EQ(a.unverified, b.unverified);
  EXPECT_EQ(a.context, b.context);
  EXPECT_EQ(a.name, b.name);
  EXPECT_EQ(a.alpn, b.alpn);
  EXPECT_EQ(a.identity, b.identity);
  EXPECT_EQ(a.application_data, b.application_data);
  ASSERT_EQ(a.peer == nullptr, b.peer == nullptr);
  if (a.peer != nullptr) {
    EXPECT_EQ(*a.peer, *b.peer);
  }
}

/// A session with short fields, so that every byte can be tried.
Octets small() {
  Session session = sample();
  session.suite = CipherSuite::tls_aes_128_gcm_sha256;
  session.secret = DigestSecret(Octets(32, 0x5a));
  session.ticket = Octets(3, 7);
  session.identity = {0x1d};
  session.peer = shown({.chain = {{0x30, 0x00}, {0x31}}, .ocsp_response = {0x32}, .sct_list = {0x33, 0x34}});
  return session.serialize();
}

void expect_round_trip(const Session& session) {
  const Octets bytes = session.serialize();
  ASSERT_FALSE(bytes.empty());
  EXPECT_EQ(bytes.size(), session.serialized_size());
  const auto parsed = Session::parse(bytes);
  ASSERT_TRUE(parsed);
  expect_equal(*parsed, session);
  EXPECT_EQ(parsed->serialize(), bytes);
  expect_equal(session.clone(), session);
}

TEST(SessionFormat, GivesBackWhatItTook) {
  expect_round_trip(sample());
  expect_round_trip(older());
  Session bare = sample();
  bare.name = x509::NoNameCheck{};
  bare.peer = nullptr;
  bare.verified_until = Time::max();
  expect_round_trip(bare);
  for (const char* address : {"192.0.2.1", "2001:db8::1"}) {
    bare.name = x509::PeerName::ip(address).value();
    expect_round_trip(bare);
  }
}

TEST(SessionFormat, HasAReserveWhereThereIsOne) {
  for (Session (*make)() : {&sample, &older}) {
    Session session = make();
    const std::size_t without = session.serialized_size();
    session.unverified = {.reason = Reason::certificate_unknown_ca, .detail = 20};
    EXPECT_TRUE(session.serialize().empty()) << "a peer is verified, or it is not";
    session.peer_verified = false;
    EXPECT_EQ(session.serialized_size(), without + 3);
    expect_round_trip(session);
    Octets bytes = session.serialize();
    bytes[bytes.size() - 3] = 0;  // the reason
    EXPECT_EQ(Session::parse(bytes).error(), SessionError::malformed);
  }
}

TEST(SessionFormat, CopiesShareWhatThePeerShowed) {
  const Session session = sample();
  EXPECT_EQ(session.clone().peer, session.peer);
}

TEST(SessionFormat, IsTheDocumentedOne) {
  Session session;
  session.suite = CipherSuite::tls_aes_128_gcm_sha256;
  session.secret = DigestSecret(Octets(32, 0xaa));
  session.issued_at = Time(milliseconds(0x0102030405060708));
  session.lifetime = seconds(0x00010203);
  session.authenticated_at = Time(milliseconds(0x21));
  session.ticket_age_add = 0x11223344;
  session.context.fill(0xcc);
  session.name = x509::PeerName::ip("192.0.2.7").value();
  session.alpn = "x";
  session.identity = {3};
  session.application_data = {4, 4};
  session.peer = shown({.chain = {{7, 7}, {8}}, .ocsp_response = {5}, .sct_list = {6, 6}});
  session.ticket = {9};
  Octets expected = {3, 0x03, 0x04, 0x13, 0x01, 0};
  const auto append = [&](const Octets& more) { expected.insert(expected.end(), more.begin(), more.end()); };
  append({1, 2, 3, 4, 5, 6, 7, 8});
  append({0, 1, 2, 3});
  append({0, 0, 0, 0, 0, 0, 0, 0x21});
  append({0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff});
  append({0x11, 0x22, 0x33, 0x44});
  append({0, 0, 0, 0});
  append(Octets(32, 0xcc));
  append({2, 4, 192, 0, 2, 7});
  append({32});
  append(Octets(32, 0xaa));
  append({0, 1, 'x', 0, 1, 3, 0, 2, 4, 4});
  append({0, 0, 9, 0, 0, 2, 7, 7, 0, 0, 1, 8, 0, 1, 5, 0, 2, 6, 6, 0, 1, 9});
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
  for (const std::uint8_t other : Octets{0, 1, 2, 4, 255}) {
    bytes[0] = other;
    EXPECT_EQ(Session::parse(bytes).error(), SessionError::unsupported_version);
  }
  EXPECT_EQ(Session::parse(Octets{0}).error(), SessionError::unsupported_version);
}

TEST(SessionFormat, RefusesValuesThatCannotBe) {
  const auto error_with = [](std::size_t at, std::uint8_t value) {
    Octets bytes = small();
    bytes[at] = value;
    const auto parsed = Session::parse(bytes);
    return parsed ? std::string("none") : std::string(name(parsed.error()));
  };
  EXPECT_EQ(error_with(2, 0x02), "malformed");   // TLS 1.1
  EXPECT_EQ(error_with(2, 0x03), "malformed");   // TLS 1.2 with a suite of TLS 1.3
  EXPECT_EQ(error_with(4, 0x77), "malformed");   // no such suite
  EXPECT_EQ(error_with(4, 0x02), "malformed");   // a suite whose hash is longer than the PSK
  EXPECT_EQ(error_with(5, 0x03), "malformed");   // extended_master_secret in TLS 1.3
  EXPECT_EQ(error_with(5, 0x04), "malformed");   // an unknown flag
  EXPECT_EQ(error_with(6, 0x80), "malformed");   // issued beyond 2^63 milliseconds
  EXPECT_EQ(error_with(15, 0x0a), "malformed");  // more than seven days
  EXPECT_EQ(error_with(18, 0x80), "malformed");  // authenticated beyond 2^63 milliseconds
  EXPECT_EQ(error_with(26, 0x80), "malformed");  // verified until then
  EXPECT_EQ(error_with(74, 0), "malformed");     // a name of no kind
  EXPECT_EQ(error_with(74, 2), "malformed");     // an address of eleven bytes
  EXPECT_EQ(error_with(74, 9), "malformed");     // no such kind
  EXPECT_EQ(error_with(76, 'E'), "malformed");   // a name in capitals is written otherwise
  EXPECT_EQ(error_with(76, '.'), "malformed");   // no name
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
  const auto writes_older = [](auto change) {
    Session session = older();
    change(session);
    return !session.serialize().empty();
  };
  const auto writes_peer = [&](auto change) {
    return writes([&](Session& s) {
      PeerCertificates peer = *s.peer;
      change(peer);
      s.peer = shown(std::move(peer));
    });
  };
  EXPECT_TRUE(writes([](Session&) {}));
  EXPECT_FALSE(writes([](Session& s) { s.secret.resize(32); }));
  EXPECT_FALSE(writes([](Session& s) { s.secret.clear(); }));
  EXPECT_FALSE(writes([](Session& s) { s.suite = CipherSuite{}; }));
  EXPECT_FALSE(writes([](Session& s) { s.version = ProtocolVersion::tls_1_2; }));
  EXPECT_FALSE(writes([](Session& s) { s.version = ProtocolVersion::tls_1_1; }));
  EXPECT_FALSE(writes([](Session& s) { s.session_id = {1}; }));
  EXPECT_FALSE(writes([](Session& s) { s.extended_master_secret = true; }));
  EXPECT_TRUE(writes_older([](Session&) {}));
  EXPECT_TRUE(writes_older([](Session& s) { s.extended_master_secret = false; }));
  EXPECT_FALSE(writes_older([](Session& s) { s.secret.resize(32); }));
  EXPECT_FALSE(writes_older([](Session& s) { s.suite = CipherSuite::tls_aes_256_gcm_sha384; }));
  EXPECT_FALSE(writes_older([](Session& s) { s.suite = CipherSuite{}; }));
  EXPECT_FALSE(writes_older([](Session& s) { s.session_id.push_back(1); }));
  EXPECT_FALSE(writes([](Session& s) { s.lifetime = kMaxTicketLifetime + seconds(1); }));
  EXPECT_FALSE(writes([](Session& s) { s.lifetime = seconds(-1); }));
  EXPECT_FALSE(writes([](Session& s) { s.issued_at = Time(milliseconds(-1)); }));
  EXPECT_FALSE(writes([](Session& s) { s.authenticated_at = Time(milliseconds(-1)); }));
  EXPECT_FALSE(writes([](Session& s) { s.verified_until = Time(milliseconds(-1)); }));
  EXPECT_FALSE(writes([](Session& s) { s.alpn.assign(256, 'a'); }));
  EXPECT_FALSE(writes([](Session& s) { s.identity.resize(65'536); }));
  EXPECT_FALSE(writes([](Session& s) { s.application_data.resize(65'536); }));
  EXPECT_FALSE(writes([](Session& s) { s.ticket.resize(65'536); }));
  EXPECT_FALSE(writes([](Session& s) { s.peer = shown({}); }));
  EXPECT_FALSE(writes_peer([](PeerCertificates& p) { p.chain.emplace_back(); }));
  EXPECT_FALSE(writes_peer([](PeerCertificates& p) { p.chain.emplace_back(std::size_t{1} << 24U); }));
  EXPECT_FALSE(writes_peer([](PeerCertificates& p) { p.ocsp_response.resize(65'536); }));
  EXPECT_FALSE(writes_peer([](PeerCertificates& p) { p.sct_list.resize(65'536); }));
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
  EXPECT_TRUE(session.usable(kIssued));
  EXPECT_TRUE(session.usable(kIssued + seconds(7200) - milliseconds(1)));
  EXPECT_FALSE(session.usable(kIssued + seconds(7200)));
  session.lifetime = seconds(0);
  EXPECT_FALSE(session.usable(kIssued));
  session.authenticated_at = kIssued;
  session.lifetime = kMaxTicketLifetime * 2;
  EXPECT_TRUE(session.usable(kIssued + kMaxTicketLifetime - milliseconds(1)));
  EXPECT_FALSE(session.usable(kIssued + kMaxTicketLifetime));
}

// The clocks of several servers, or one that was set back, differ a little.
TEST(Session, MayBeDatedALittleAhead) {
  Session session = sample();
  EXPECT_TRUE(session.usable(kIssued - milliseconds(1)));
  EXPECT_TRUE(session.usable(kIssued - kMaxClockSkew));
  EXPECT_FALSE(session.usable(kIssued - kMaxClockSkew - milliseconds(1)));
  EXPECT_EQ(session.obfuscated_ticket_age(kIssued - milliseconds(1)), session.ticket_age_add);
  session.authenticated_at = kIssued + kMaxClockSkew;
  EXPECT_TRUE(session.usable(kIssued));
  session.authenticated_at += milliseconds(1);
  EXPECT_FALSE(session.usable(kIssued));
  EXPECT_FALSE(session.usable(Time(milliseconds(-1))));
}

TEST(Session, EndsWithItsAuthentication) {
  Session session = sample();
  session.authenticated_at = kIssued - kMaxAuthenticationAge + seconds(60);
  EXPECT_TRUE(session.usable(kIssued + seconds(60) - milliseconds(1)));
  EXPECT_FALSE(session.usable(kIssued + seconds(60)));
  session.authenticated_at = kIssued - seconds(50);
  EXPECT_TRUE(session.usable(kIssued + seconds(9), seconds(60)));
  EXPECT_FALSE(session.usable(kIssued + seconds(10), seconds(60)));
  // Nothing allows more than seven days.
  EXPECT_EQ(session.authentication_ends(seconds(kMaxAuthenticationAge) * 2),
            session.authenticated_at + kMaxAuthenticationAge);
  session.verified_until = kIssued + seconds(3);
  EXPECT_TRUE(session.usable(kIssued + seconds(3) - milliseconds(1)));
  EXPECT_FALSE(session.usable(kIssued + seconds(3)));
  session.verified_until = Time::max();
  session.authenticated_at = Time::max();
  EXPECT_EQ(session.authentication_ends(), Time::max());
}

TEST(Session, HidesItsAge) {
  const Session session = sample();
  EXPECT_EQ(session.obfuscated_ticket_age(kIssued), 0xfedcba98U);
  EXPECT_EQ(session.obfuscated_ticket_age(kIssued + milliseconds(0x1234569)), 0U);  // modulo 2^32
  EXPECT_EQ(session.stated_age(session.obfuscated_ticket_age(kIssued)).count(), 0);
  for (const std::int64_t age : {1, 5000, 604'800'000}) {
    // What was issued at 0.9 ms and is offered at 1.0 ms is no millisecond old.
    EXPECT_EQ(session.stated_age(session.obfuscated_ticket_age(kIssued + milliseconds(age))).count(), age - 1);
  }
}

}  // namespace
}  // namespace lockstep
