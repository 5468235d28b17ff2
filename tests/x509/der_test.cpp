// The DER reader: what it takes and, one by one, what it refuses.

#include "x509/der.hpp"

#include <functional>
#include <set>

#include <gtest/gtest.h>

#include <lockstep/x509_certificate.hpp>

#include "x509/calendar.hpp"
#include "x509/der_writer.hpp"
#include "x509/oid.hpp"
#include "x509/text.hpp"

namespace lockstep::x509 {
namespace {

using der::Reader;
using Der = std::vector<std::uint8_t>;

struct Fault {
  ParseCode code;
  std::uint32_t offset;
  std::string_view what;
  Der bytes;
  std::function<void(Reader&)> read;
};

void any(Reader& reader) { reader.any(); }

Der times(std::uint8_t tag, std::string_view text) {
  der::Writer out;
  out.element(tag, as_bytes(text));
  return std::move(out).take();
}

const std::vector<Fault>& faults() {
  const auto integer = [](Reader& reader) { reader.integer(); };
  const auto small = [](Reader& reader) { reader.small_integer(); };
  const auto boolean = [](Reader& reader) { reader.boolean(); };
  const auto bits = [](Reader& reader) { reader.bit_string(); };
  const auto oid = [](Reader& reader) { reader.object_identifier(); };
  const auto time = [](Reader& reader) { reader.time(); };
  static const std::vector<Fault> all = {
      {ParseCode::truncated, 0, "a tag alone", {0x30}, any},
      {ParseCode::truncated, 0, "contents cut short", {0x04, 3, 1, 2}, any},
      {ParseCode::truncated, 0, "a length cut short", {0x04, 0x82, 1}, any},
      {ParseCode::truncated,
       0,
       "nothing where something must be",
       {},
       [](Reader& reader) { reader.element(der::kNull); }},
      {ParseCode::trailing_data,
       2,
       "a byte too many",
       {0x05, 0, 0},
       [](Reader& reader) { reader.any(), reader.end(); }},
      {ParseCode::indefinite_length, 0, "BER", {0x30, 0x80, 0, 0}, any},
      {ParseCode::length_not_minimal, 0, "81 for a short length", {0x04, 0x81, 1, 0}, any},
      {ParseCode::length_not_minimal, 0, "a leading zero in the length", {0x04, 0x82, 0, 0x80}, any},
      {ParseCode::length_too_large, 0, "five bytes of length", {0x04, 0x85, 1, 0, 0, 0, 0}, any},
      {ParseCode::length_too_large, 0, "127 bytes of length", {0x04, 0xff}, any},
      {ParseCode::high_tag_number, 0, "a tag of two bytes", {0x1f, 0x81, 0}, any},
      {ParseCode::unexpected_tag, 0, "another type", {0x04, 0}, [](Reader& reader) { reader.element(der::kSequence); }},
      {ParseCode::unexpected_tag,
       2,
       "another type, inside",
       {0x30, 2, 0x05, 0},
       [](Reader& reader) { reader.enter().integer(); }},
      {ParseCode::boolean_not_canonical, 0, "01 for TRUE", {0x01, 1, 1}, boolean},
      {ParseCode::boolean_not_canonical, 0, "two bytes", {0x01, 2, 0xff, 0xff}, boolean},
      {ParseCode::integer_empty, 0, "no byte", {0x02, 0}, integer},
      {ParseCode::integer_not_minimal, 0, "a leading 00", {0x02, 2, 0, 0x7f}, integer},
      {ParseCode::integer_not_minimal, 0, "a leading ff", {0x02, 2, 0xff, 0x80}, integer},
      {ParseCode::integer_out_of_range, 0, "negative", {0x02, 1, 0x80}, small},
      {ParseCode::integer_out_of_range, 0, "five bytes", {0x02, 5, 1, 0, 0, 0, 0}, small},
      {ParseCode::bit_string_malformed, 0, "no count", {0x03, 0}, bits},
      {ParseCode::bit_string_malformed, 0, "eight unused bits", {0x03, 2, 8, 0}, bits},
      {ParseCode::bit_string_malformed, 0, "unused bits of nothing", {0x03, 1, 1}, bits},
      {ParseCode::bit_string_malformed, 0, "unused bits that are set", {0x03, 2, 1, 1}, bits},
      {ParseCode::object_identifier_malformed, 0, "empty", {0x06, 0}, oid},
      {ParseCode::object_identifier_malformed, 0, "an arc with a leading 80", {0x06, 3, 0x2a, 0x80, 1}, oid},
      {ParseCode::object_identifier_malformed, 0, "an arc cut short", {0x06, 2, 0x2a, 0x86}, oid},
      {ParseCode::time_malformed, 0, "without seconds", times(der::kUtcTime, "2601010000Z"), time},
      {ParseCode::time_malformed, 0, "with an offset", times(der::kUtcTime, "260101000000+0100"), time},
      {ParseCode::time_malformed, 0, "without Z", times(der::kUtcTime, "2601010000000"), time},
      {ParseCode::time_malformed, 0, "month 13", times(der::kUtcTime, "261301000000Z"), time},
      {ParseCode::time_malformed, 0, "30 February", times(der::kUtcTime, "240230000000Z"), time},
      {ParseCode::time_malformed, 0, "29 February in a common year", times(der::kGeneralizedTime, "21000229000000Z"),
       time},
      {ParseCode::time_malformed, 0, "hour 24", times(der::kUtcTime, "260101240000Z"), time},
      {ParseCode::time_malformed, 0, "second 60", times(der::kUtcTime, "260101000060Z"), time},
      {ParseCode::time_malformed, 0, "a letter", times(der::kUtcTime, "26010100000xZ"), time},
      {ParseCode::time_malformed, 0, "a fraction", times(der::kGeneralizedTime, "20260101000000.5Z"), time},
  };
  return all;
}

TEST(Der, RefusesEachFault) {
  for (const Fault& fault : faults()) {
    der::ParseState state{fault.bytes.data()};
    Reader reader(state, fault.bytes);
    fault.read(reader);
    ASSERT_TRUE(state.error) << fault.what;
    EXPECT_EQ(state.error->code, fault.code) << fault.what << ": " << state.error->text();
    EXPECT_EQ(state.error->offset, fault.offset) << fault.what;
    EXPECT_FALSE(reader.more()) << fault.what;
  }
}

TEST(Der, TheFirstErrorStays) {
  const Der bytes = {0x02, 0, 0x05, 0};
  der::ParseState state{bytes.data()};
  Reader reader(state, bytes);
  reader.integer();
  reader.boolean();
  EXPECT_EQ(reader.any().whole.size(), 0U);
  EXPECT_EQ(reader.small_integer(), 0U);
  EXPECT_EQ(state.error, (ParseError{ParseCode::integer_empty, 0}));
  EXPECT_EQ(state.error->text(), "integer_empty at byte 0: an INTEGER without a byte");
}

TEST(Der, ReadsWhatIsWritten) {
  der::Writer out;
  const Der large(70'000, 0x5a);
  out.nest(der::kSequence, [&] {
    out.integer(0);
    out.integer(127);
    out.integer(128);
    out.integer(0xffffffffU);
    out.boolean_true();
    out.null();
    out.object_identifier(Oid("1.2.840.113549.1.1.11"));
    out.bit_string(Der{0x80}, 7);
    out.octet_string(large);
    out.octet_string(Bytes(large).first(200));
    out.time(-631'152'000);     // 1950-01-01, the first UTCTime
    out.time(2'524'607'999);    // 2049-12-31 23:59:59, the last
    out.time(2'524'608'000);    // 2050-01-01
    out.time(253'402'300'799);  // 9999-12-31 23:59:59
  });
  der::ParseState state{out.view().data()};
  Reader input(state, out.view());
  Reader reader = input.enter();
  EXPECT_EQ(reader.small_integer(), 0U);
  EXPECT_EQ(reader.small_integer(), 127U);
  EXPECT_EQ(reader.small_integer(), 128U);
  EXPECT_TRUE(equal(reader.integer(), Der{0, 0xff, 0xff, 0xff, 0xff}));
  EXPECT_TRUE(reader.boolean());
  EXPECT_TRUE(reader.optional(der::kNull));
  EXPECT_FALSE(reader.optional(der::kNull));
  EXPECT_EQ(oid_text(reader.object_identifier()), "1.2.840.113549.1.1.11");
  const der::BitString bits = reader.bit_string();
  EXPECT_EQ(bits.unused_bits, 7U);
  EXPECT_TRUE(equal(bits.bytes, Der{0x80}));
  EXPECT_TRUE(equal(reader.element(der::kOctetString).contents, large));
  EXPECT_EQ(reader.element(der::kOctetString).contents.size(), 200U);
  EXPECT_TRUE(reader.next_is(der::kUtcTime));
  EXPECT_EQ(reader.time(), -631'152'000);
  EXPECT_TRUE(reader.next_is(der::kUtcTime));
  EXPECT_EQ(reader.time(), 2'524'607'999);
  EXPECT_TRUE(reader.next_is(der::kGeneralizedTime));
  EXPECT_EQ(reader.time(), 2'524'608'000);
  EXPECT_EQ(reader.time(), 253'402'300'799);
  reader.end();
  input.end();
  EXPECT_FALSE(state.error) << state.error->text();
}

TEST(Der, EmptyBitStringsAreFine) {
  const Der bytes = {0x03, 1, 0};
  der::ParseState state{bytes.data()};
  EXPECT_TRUE(Reader(state, bytes).bit_string().bytes.empty());
  EXPECT_FALSE(state.error);
}

TEST(Der, ObjectIdentifiersToAndFromText) {
  for (const std::string_view text :
       {"2.5.29.17", "0.9.2342.19200300.100.1.25", "1.3.6.1.4.1.11129.2.4.2", "2.999.1", "1.2.0", "2.47.5"}) {
    const auto encoded = oid_from_text(text);
    ASSERT_TRUE(encoded) << text;
    EXPECT_EQ(oid_text(*encoded), text);
  }
  for (const std::string_view text :
       {"", "1", "1.", ".1", "3.1", "1.40", "1.02", "1.2.x", "1.2.", "1..2", "1.2.9999999999999999999"}) {
    EXPECT_FALSE(oid_from_text(text)) << text;
  }
  EXPECT_EQ(oid_name(Oid("2.5.29.17").view()), "subjectAltName");
  EXPECT_EQ(oid_name(Der{1, 2, 3}), "");
  EXPECT_EQ(oid_text(Der{0x86}), "");
}

TEST(Der, ObjectIdentifiersWithLongArcs) {
  // The example of X.667 7: UUID f81d4fae-7dec-11d0-a765-00a0c91e6bf6 under 2.25.
  EXPECT_EQ(oid_text(Der{0x69, 0x83, 0xf0, 0x9d, 0xa7, 0xeb, 0xcf, 0xde, 0xe0, 0xc7,
                         0xa1, 0xa7, 0xb2, 0xc0, 0x94, 0x8c, 0xc8, 0xf9, 0xd7, 0x76}),
            "2.25.329800735698586629295641978511506172918");
  EXPECT_EQ(oid_text(Der{0x69, 0x81, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f}),
            "2.25.18446744073709551615");
  EXPECT_EQ(oid_text(Der{0x69, 0x83, 0xdc, 0xeb, 0x94, 0x00}), "2.25.1000000000");  // zeros inside are kept
  // The first two arcs share a number.
  EXPECT_EQ(oid_text(Der{0x88, 0x37}), "2.999");
  EXPECT_EQ(oid_text(Der{0x84, 0x80, 0x80, 0x80, 0x00}), "2.1073741744");
  EXPECT_EQ(oid_text(Der{0x50}), "2.0");
  // Longer than any UUID.
  Der longest{0x69};
  longest.resize(20, 0x81);
  longest.push_back(0);
  EXPECT_EQ(oid_text(longest), "2.25.[8181818181818181818181818181818181818100]");
}

TEST(Der, Utf8) {
  for (const std::string_view good :
       {"", "plain", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x9c", "\xf4\x8f\xbf\xbf"}) {
    EXPECT_TRUE(der::is_utf8(as_bytes(good))) << good;
  }
  for (const std::string_view bad :
       {"\x80", "\xc0\x80", "\xc1\xbf", "\xc3", "\xe0\x80\x80", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xf0\x80\x80\x80",
        "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xc3("}) {
    EXPECT_FALSE(der::is_utf8(as_bytes(bad)));
  }
}

TEST(Calendar, ThereAndBack) {
  // Every 37 days and a bit, over all the years that certificates can name.
  for (std::int64_t time = seconds_since_1970({0, 1, 1, 0, 0, 0}); time < seconds_since_1970({9999, 12, 31, 0, 0, 0});
       time += 3'210'987) {
    ASSERT_EQ(seconds_since_1970(calendar_time(time)), time);
  }
  EXPECT_EQ(time_text(0), "1970-01-01 00:00:00 UTC");
  EXPECT_EQ(time_text(1'795'293'096), "2026-11-21 20:31:36 UTC");
  EXPECT_EQ(time_text(951'782'400), "2000-02-29 00:00:00 UTC");
  EXPECT_EQ(time_text(-1), "1969-12-31 23:59:59 UTC");
  EXPECT_EQ(time_text(INT64_MIN), "0000-01-01 00:00:00 UTC");
  EXPECT_EQ(time_text(INT64_MAX), "9999-12-31 23:59:59 UTC");
}

TEST(Text, AddressesInCanonicalForm) {
  const auto text = [](std::initializer_list<int> values) {
    Der bytes;
    for (const int value : values) bytes.push_back(static_cast<std::uint8_t>(value));
    return address_text(bytes);
  };
  EXPECT_EQ(text({192, 0, 2, 1}), "192.0.2.1");
  // RFC 5952 4
  EXPECT_EQ(text({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}), "::");
  EXPECT_EQ(text({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}), "::1");
  EXPECT_EQ(text({0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 1}), "2001:db8::2:1");
  EXPECT_EQ(text({0x20, 1, 0x0d, 0xb8, 0, 0, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1}), "2001:db8:0:1:1:1:1:1");
  EXPECT_EQ(text({0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1}), "2001:db8::1:0:0:1");
  EXPECT_EQ(text({0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}), "fe80::");
}

TEST(Text, EscapesWhatATerminalShouldNotSee) {
  const auto escaped = [](std::string_view text) {
    std::string out;
    append_escaped(out, as_bytes(text), ",");
    return out;
  };
  EXPECT_EQ(escaped("a,b"), "a\\,b");
  EXPECT_EQ(escaped(std::string_view("a\0b\n\x1b[31m", 9)), "a\\00b\\0a\\1b[31m");
  EXPECT_EQ(escaped("\xc3\xa9\xff"), "\xc3\xa9\\ff");
  EXPECT_EQ(escaped("\xe2\x80\xae"
                    "exe"),
            "\\e2\\80\\aeexe");
  EXPECT_EQ(escaped("\xe2\x82"), "\\e2\\82");
}

}  // namespace
}  // namespace lockstep::x509
