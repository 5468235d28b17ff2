// The presentation language: Reader, Writer, and the lists that read lazily.

#include <array>

#include "codec/lists.hpp"
#include "codec/reader.hpp"
#include "codec/writer.hpp"
#include "unit/codec_fixture.hpp"

namespace lockstep::codec {
namespace {

TEST(Reader, ReadsBigEndian) {
  const Buffer bytes = hex("01 0203 040506 0708090a 0b0c");
  Reader reader(bytes);
  EXPECT_EQ(reader.u8(), 0x01U);
  EXPECT_EQ(reader.u16(), 0x0203U);
  EXPECT_EQ(reader.u24(), 0x040506U);
  EXPECT_EQ(reader.u32(), 0x0708090aU);
  EXPECT_EQ(reader.offset(), 10U);
  EXPECT_TRUE(equal(reader.bytes(2), hex("0b0c")));
  EXPECT_EQ(reader.finish(), Reason::none);
}

TEST(Reader, KeepsTheFirstFailure) {
  const Buffer bytes = hex("0001 05");
  Reader reader(bytes);
  EXPECT_TRUE(reader.vector16(2).empty());
  EXPECT_FALSE(reader.ok());
  EXPECT_EQ(reader.failure(), Reason::vector_length);
  EXPECT_EQ(reader.u32(), 0U);
  EXPECT_EQ(reader.finish(), Reason::vector_length);

  Reader cut(bytes);
  cut.u16();
  EXPECT_EQ(cut.u16(), 0U);
  EXPECT_EQ(cut.failure(), Reason::message_truncated);
  EXPECT_TRUE(cut.vector8().empty());
  EXPECT_EQ(cut.finish(), Reason::message_truncated);
}

TEST(Reader, RefusesWhatIsLeft) {
  const Buffer bytes = hex("0102");
  Reader reader(bytes);
  reader.u8();
  EXPECT_EQ(reader.finish(), Reason::message_trailing_data);
}

TEST(Reader, ChecksVectorBounds) {
  const Buffer bytes = hex("03 aabbcc");
  EXPECT_TRUE(equal(Reader(bytes).vector8(3, 3), hex("aabbcc")));
  Reader small(bytes);
  small.vector8(4);
  EXPECT_EQ(small.failure(), Reason::vector_length);
  Reader large(bytes);
  large.vector8(0, 2);
  EXPECT_EQ(large.failure(), Reason::vector_length);
  const Buffer cut = hex("000004 aabbcc");
  Reader beyond(cut);
  beyond.vector24();
  EXPECT_EQ(beyond.failure(), Reason::message_truncated);
}

TEST(Writer, WritesWhatTheReaderReads) {
  std::array<std::uint8_t, 64> room{};
  Writer writer(room);
  writer.u8(1);
  writer.u16(0x0203);
  writer.u24(0x040506);
  writer.u32(0x0708090a);
  {
    const auto outer = writer.vector24();
    writer.opaque8(hex("aa"));
    writer.opaque16(hex("bbcc"));
  }
  writer.code_point(NamedGroup::x25519);
  ASSERT_TRUE(writer.ok());
  EXPECT_TRUE(equal(writer.written(), hex("01 0203 040506 0708090a 000006 01aa 0002bbcc 001d")));
}

TEST(Writer, StopsAtTheEndForGood) {
  std::array<std::uint8_t, 4> room{0xee, 0xee, 0xee, 0xee};
  Writer writer(MutableBytes(room).first(3));
  writer.u16(0x0102);
  writer.u16(0x0304);
  EXPECT_FALSE(writer.ok());
  writer.u8(0x05);  // would fit, but comes after what did not
  EXPECT_FALSE(writer.ok());
  EXPECT_TRUE(equal(room, hex("0102eeee")));
}

TEST(Writer, RefusesAVectorThatItsPrefixCannotSay) {
  Buffer room(1024);
  {
    Writer writer(room);
    writer.opaque8(Buffer(255));
    EXPECT_TRUE(writer.ok());
  }
  Writer writer(room);
  writer.opaque8(Buffer(256));
  EXPECT_FALSE(writer.ok());
}

TEST(CodePoints, AreARange) {
  const Buffer bytes = vector16(hex("001d 0a0a 0017"));
  Reader reader(bytes);
  const auto groups = read_code_points<NamedGroup>(reader, reader.vector16(2));
  ASSERT_EQ(reader.finish(), Reason::none);
  EXPECT_EQ(groups.size(), 3U);
  EXPECT_TRUE(groups.contains(NamedGroup::secp256r1));
  EXPECT_FALSE(groups.contains(NamedGroup::x448));
  EXPECT_EQ(all_of(groups), (std::vector{NamedGroup::x25519, static_cast<NamedGroup>(0x0a0a), NamedGroup::secp256r1}));
  EXPECT_TRUE(CodePoints<NamedGroup>().empty());
  EXPECT_TRUE(all_of(CodePoints<NamedGroup>()).empty());
}

TEST(CodePoints, AreWhole) {
  const Buffer bytes = vector16(hex("001d00"));
  Reader reader(bytes);
  EXPECT_TRUE(read_code_points<NamedGroup>(reader, reader.vector16(2)).empty());
  EXPECT_EQ(reader.finish(), Reason::vector_length);
}

TEST(List, ReadsElementsLazily) {
  const Buffer bytes = vector16(join({vector8(text("h2")), vector8(text("http/1.1"))}));
  Reader reader(bytes);
  const auto names = read_list<ProtocolName>(reader, reader.vector16());
  ASSERT_EQ(reader.finish(), Reason::none);
  ASSERT_EQ(names.size(), 2U);
  std::vector<std::string_view> seen;
  for (const Bytes protocol : names) seen.push_back(as_text(protocol));
  EXPECT_EQ(seen, (std::vector<std::string_view>{"h2", "http/1.1"}));
  EXPECT_EQ(ProtocolNames().size(), 0U);
}

TEST(List, RefusesAMalformedElement) {
  for (const auto& [contents, reason] :
       {std::pair{hex("0268"), Reason::message_truncated}, std::pair{hex("00"), Reason::vector_length}}) {
    Reader reader(contents);
    EXPECT_TRUE(read_list<ProtocolName>(reader, reader.remaining()).empty());
    EXPECT_EQ(reader.finish(), reason);
  }
}

TEST(FindDuplicate, FindsItAmongFewAndMany) {
  const auto find = [](const std::vector<std::uint16_t>& codes) {
    return find_duplicate(codes, [](std::uint16_t code) { return code; });
  };
  EXPECT_EQ(find({}), std::nullopt);
  EXPECT_EQ(find({1, 2, 3}), std::nullopt);
  EXPECT_EQ(find({1, 2, 1}), 1);
  for (const std::size_t count : {31U, 32U, 33U, 34U, 5000U, 65536U}) {
    std::vector<std::uint16_t> codes;
    for (std::size_t i = 0; i < count; ++i) codes.push_back(static_cast<std::uint16_t>(i * 7919));
    EXPECT_EQ(find(codes), std::nullopt) << count;
    codes.back() = codes.front();
    EXPECT_EQ(find(codes), codes.front()) << count;
  }
}

TEST(HandshakeHeader, NeedsFourBytes) {
  const Buffer bytes = hex("0b 010203 00");
  EXPECT_FALSE(handshake_header(Bytes(bytes).first(3)).has_value());
  const auto header = handshake_header(bytes);
  ASSERT_TRUE(header.has_value());
  EXPECT_EQ(header->type, HandshakeType::certificate);
  EXPECT_EQ(header->length, 0x010203U);
}

}  // namespace
}  // namespace lockstep::codec
