#include <initializer_list>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "record/framing.hpp"
#include "record/limits.hpp"

namespace lockstep::record {
namespace {

using Octets = std::vector<std::uint8_t>;

Octets header(std::uint8_t type, std::uint16_t version, std::size_t length) {
  return {type, static_cast<std::uint8_t>(version >> 8U), static_cast<std::uint8_t>(version),
          static_cast<std::uint8_t>(length >> 8U), static_cast<std::uint8_t>(length)};
}

Reason reason(Bytes inbound, Stream stream = Stream::first_record) {
  const auto parsed = parse_header(inbound, stream);
  return parsed ? Reason::none : parsed.error().reason;
}

TEST(Framing, ReadsAHeaderOnceItsFiveBytesAreThere) {
  const Octets record = header(22, 0x0301, 0x01fc);
  for (std::size_t size = 0; size < record.size(); ++size) {
    const auto parsed = parse_header(Bytes(record).first(size), Stream::first_record);
    ASSERT_TRUE(parsed) << size;
    EXPECT_FALSE(*parsed) << size;
  }
  const auto parsed = parse_header(record, Stream::first_record);
  ASSERT_TRUE(parsed && *parsed);
  EXPECT_EQ((*parsed)->type, ContentType::handshake);
  EXPECT_EQ((*parsed)->length, 0x01fc);
  EXPECT_EQ((*parsed)->record_size(), 5 + 0x01fcU);
}

TEST(Framing, LimitsPlaintextAndCiphertextLengths) {
  for (const std::uint8_t type : std::initializer_list<std::uint8_t>{20, 21, 22}) {
    EXPECT_EQ(reason(header(type, 0x0303, kMaxPlaintext)), Reason::none);
    EXPECT_EQ(reason(header(type, 0x0303, kMaxPlaintext + 1)), Reason::record_too_long);
    EXPECT_EQ(reason(header(type, 0x0303, 0)), Reason::record_empty);
    EXPECT_EQ(reason(header(type, 0x0303, 0), Stream::protected_), Reason::record_empty);
  }
  EXPECT_EQ(reason(header(23, 0x0303, kMaxCiphertext), Stream::protected_), Reason::none);
  EXPECT_EQ(reason(header(23, 0x0303, kMaxCiphertext + 1), Stream::protected_), Reason::record_too_long);
  EXPECT_EQ(reason(header(23, 0x0303, kMaxCiphertext), Stream::plaintext), Reason::none);
  for (const std::uint8_t type : std::initializer_list<std::uint8_t>{20, 21, 22, 23}) {
    EXPECT_EQ(reason(header(type, 0x0303, kMaxCiphertextTls12), Stream::protected_tls12), Reason::none);
    EXPECT_EQ(reason(header(type, 0x0303, kMaxCiphertextTls12 + 1), Stream::protected_tls12), Reason::record_too_long);
  }
  EXPECT_EQ(alert_of(Reason::record_too_long), Alert::record_overflow);
}

TEST(Framing, IgnoresTheVersionButForTheMajorNumberOfTheFirstRecord) {
  EXPECT_EQ(reason(header(22, 0x03ff, 10)), Reason::none);
  EXPECT_EQ(reason(header(22, 0x0203, 10)), Reason::record_version);
  EXPECT_EQ(reason(Octets{22, 2}), Reason::record_version);  // as early as it shows
  EXPECT_EQ(reason(header(22, 0x0203, 10), Stream::plaintext), Reason::none);
  EXPECT_EQ(reason(header(23, 0xffff, 100), Stream::protected_), Reason::none);
}

TEST(Framing, RefusesAnUnknownTypeInTheMiddleOfAStream) {
  for (const Stream stream : {Stream::plaintext, Stream::protected_}) {
    EXPECT_EQ(reason(Octets{24}, stream), Reason::record_type);
    EXPECT_EQ(reason(Octets{19}, stream), Reason::record_type);
    EXPECT_EQ(reason(as_bytes("GET / HTTP/1.1\r\n"), stream), Reason::record_type);
  }
  EXPECT_EQ(alert_of(Reason::record_type), Alert::unexpected_message);
}

TEST(Framing, RecognisesPlainHttpAndShowsIt) {
  for (const std::string_view text : {"GET / HTTP/1.1\r\nHost: a\r\n", "HEAD / HTTP/1.1\r\n", "POST /x HTTP/1.0\r\n",
                                      "PUT /", "DELETE /x", "CONNECT a:443 HTTP/1.1", "OPTIONS * HTTP/1.1", "TRACE /",
                                      "PATCH /x", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "HTTP/1.1 400 Bad Request"}) {
    const auto parsed = parse_header(as_bytes(text), Stream::first_record);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().reason, Reason::plain_http) << text;
    EXPECT_EQ(parsed.error().place, Place::record);
    const std::size_t shown = std::min<std::size_t>(text.size(), 16);
    ASSERT_EQ(parsed.error().evidence_size, shown);
    EXPECT_EQ(as_text(Bytes(parsed.error().evidence).first(shown)), text.substr(0, shown));
    // Until the bytes tell, it waits; the fifth byte tells at the latest.
    for (std::size_t size = 1; size < 4; ++size) EXPECT_EQ(reason(as_bytes(text.substr(0, size))), Reason::none);
    EXPECT_EQ(reason(as_bytes(text.substr(0, 5))), Reason::plain_http) << text;
  }
}

TEST(Framing, RecognisesSsl2) {
  const Octets client_hello = {0x80, 0x2e, 0x01, 0x00, 0x02, 0x00, 0x15};
  const auto parsed = parse_header(client_hello, Stream::first_record);
  ASSERT_FALSE(parsed);
  EXPECT_EQ(parsed.error().reason, Reason::ssl2_or_older);
  EXPECT_EQ(parsed.error().evidence_size, client_hello.size());
  EXPECT_EQ(reason(Bytes(client_hello).first(2)), Reason::none);
  EXPECT_EQ(reason(Octets{0x80, 0x2e, 0x01, 0x03, 0x01}), Reason::ssl2_or_older);  // an SSL 2 hello that offers TLS
  EXPECT_EQ(reason(Octets{0x80, 0x2e, 0x04}), Reason::ssl2_or_older);
  EXPECT_EQ(reason(Octets{0x80, 0x2e, 0x07}), Reason::not_tls);
}

TEST(Framing, ShowsWhatIsNotTls) {
  for (const std::string_view text : {"SSH-2.0-OpenSSH_9.2", "220 mail ESMTP", "GEX /", "PUX"}) {
    const auto parsed = parse_header(as_bytes(text), Stream::first_record);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().reason, Reason::not_tls) << text;
    EXPECT_GT(parsed.error().evidence_size, 0);
  }
  EXPECT_EQ(reason(Octets{0}), Reason::not_tls);
}

TEST(Framing, DecidesAtTheFifthByteAtTheLatest) {
  for (unsigned first = 0; first < 256; ++first) {
    for (unsigned second = 0; second < 256; ++second) {
      const Octets start = {static_cast<std::uint8_t>(first), static_cast<std::uint8_t>(second), 3, 0, 1};
      const auto parsed = parse_header(start, Stream::first_record);
      EXPECT_TRUE(!parsed || parsed->has_value());
      EXPECT_EQ(parsed.has_value(), first >= 20 && first <= 23 && second == 3);
    }
  }
}

TEST(Framing, KnowsTheChangeCipherSpecThatMayBeDropped) {
  EXPECT_TRUE(is_change_cipher_spec(Octets{1}));
  EXPECT_FALSE(is_change_cipher_spec(Octets{2}));
  EXPECT_FALSE(is_change_cipher_spec(Octets{1, 1}));
  EXPECT_FALSE(is_change_cipher_spec(Octets{}));
}

TEST(Framing, WritesPlaintextRecords) {
  Octets out(8);
  EXPECT_EQ(write_plaintext(ContentType::alert, ProtocolVersion::tls_1_2, Octets{2, 40}, out), 7U);
  EXPECT_EQ(out, (Octets{21, 3, 3, 0, 2, 2, 40, 0}));
  EXPECT_EQ(write_plaintext(ContentType::alert, ProtocolVersion::tls_1_2, Octets{1, 2, 3, 4}, out), 0U);
  Octets large(kMaxPlaintext + 6);
  EXPECT_EQ(write_plaintext(ContentType::handshake, ProtocolVersion::tls_1_0, Octets(kMaxPlaintext), large),
            kMaxPlaintext + 5);
  EXPECT_EQ(write_plaintext(ContentType::handshake, ProtocolVersion::tls_1_0, Octets(kMaxPlaintext + 1), large), 0U);
}

}  // namespace
}  // namespace lockstep::record
