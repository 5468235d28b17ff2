#pragma once
// What the codec's tests share: bytes from hex, messages put together by hand, and checks that fit every decoder.

#include <cstdint>
#include <initializer_list>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <lockstep/bytes.hpp>
#include <lockstep/error.hpp>
#include <lockstep/types.hpp>

#include "codec/extensions.hpp"
#include "codec/handshake_message.hpp"

namespace lockstep::codec {

using Buffer = std::vector<std::uint8_t>;

/// Bytes from hexadecimal digits; spaces are skipped.
inline Buffer hex(std::string_view digits) {
  Buffer bytes;
  int high = -1;
  for (const char c : digits) {
    if (c == ' ' || c == '\n') continue;
    const int value = c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
    if (high < 0) {
      high = value;
    } else {
      bytes.push_back(static_cast<std::uint8_t>(high * 16 + value));
      high = -1;
    }
  }
  return bytes;
}

inline Buffer text(std::string_view characters) { return {characters.begin(), characters.end()}; }

inline Buffer join(std::initializer_list<Buffer> parts) {
  Buffer whole;
  for (const Buffer& part : parts) whole.insert(whole.end(), part.begin(), part.end());
  return whole;
}

/// Contents behind their length in `width` bytes.
inline Buffer prefixed(std::size_t width, const Buffer& contents) {
  Buffer whole;
  for (std::size_t i = width; i-- > 0;) whole.push_back(static_cast<std::uint8_t>(contents.size() >> (8 * i)));
  whole.insert(whole.end(), contents.begin(), contents.end());
  return whole;
}
inline Buffer vector8(const Buffer& contents) { return prefixed(1, contents); }
inline Buffer vector16(const Buffer& contents) { return prefixed(2, contents); }
inline Buffer vector24(const Buffer& contents) { return prefixed(3, contents); }

inline Buffer u16(std::uint16_t value) {
  return {static_cast<std::uint8_t>(value >> 8U), static_cast<std::uint8_t>(value)};
}

inline Buffer extension(std::uint16_t type, const Buffer& data) { return join({u16(type), vector16(data)}); }
inline Buffer extension(ExtensionType type, const Buffer& data = {}) {
  return extension(std::to_underlying(type), data);
}

/// The body of a message that an encoder wrote, after a check of its header.
inline Bytes body_of(Bytes message, HandshakeType type) {
  const auto header = handshake_header(message);
  EXPECT_TRUE(header.has_value());
  EXPECT_EQ(header->type, type);
  EXPECT_EQ(header->length + kHandshakeHeaderSize, message.size());
  return message.subspan(kHandshakeHeaderSize);
}

/// A decoder that needs nothing but the body.
template <class Message>
Decoded<Message> decoder(Bytes body) {
  return Message::decode(body);
}

template <class Message>
void expect_error(const Decoded<Message>& decoded, Reason reason, Alert alert, Place place, std::uint16_t detail = 0) {
  ASSERT_FALSE(decoded.has_value());
  EXPECT_EQ(name(decoded.error().reason), name(reason));
  EXPECT_EQ(name(decoded.error().alert), name(alert));
  EXPECT_EQ(name(decoded.error().place), name(place));
  EXPECT_EQ(decoded.error().origin, Origin::local);
  EXPECT_EQ(decoded.error().detail, detail);
}

/// Every cut of the body is a decode_error, but at the lengths in `legal`, and so is every byte that follows. The
/// pieces live in memory of exactly their size, so that a sanitizer sees a read beyond.
template <class Decode>
void expect_exact_length(Bytes body, Decode decode, std::initializer_list<std::size_t> legal = {}) {
  ASSERT_TRUE(decode(body).has_value());
  for (std::size_t size = 0; size < body.size(); ++size) {
    const Buffer cut(body.begin(), body.begin() + static_cast<std::ptrdiff_t>(size));
    const auto decoded = decode(Bytes(cut));
    if (std::ranges::find(legal, size) != legal.end()) {
      EXPECT_TRUE(decoded.has_value()) << "cut to " << size;
      continue;
    }
    ASSERT_FALSE(decoded.has_value()) << "cut to " << size;
    EXPECT_EQ(decoded.error().alert, Alert::decode_error) << "cut to " << size;
  }
  Buffer longer(body.begin(), body.end());
  longer.push_back(0);
  const auto decoded = decode(Bytes(longer));
  ASSERT_FALSE(decoded.has_value());
  EXPECT_EQ(decoded.error().reason, Reason::message_trailing_data);
}

/// Changes every byte to several values: the decoder gives an error that the table knows, or a message that `walk` can
/// read through.
template <class Decode, class Walk>
void expect_survives_changes(Bytes body, Decode decode, Walk walk) {
  std::size_t errors = 0;
  for (std::size_t i = 0; i < body.size(); ++i) {
    for (const int change : {0x01, 0x02, 0x10, 0x80, 0xff}) {
      Buffer changed(body.begin(), body.end());
      changed[i] = static_cast<std::uint8_t>(changed[i] ^ change);
      const auto decoded = decode(Bytes(changed));
      if (decoded) {
        walk(*decoded);
      } else {
        EXPECT_FALSE(explain(decoded.error().reason).empty());
        EXPECT_NE(decoded.error().alert, Alert::internal_error);
        ++errors;
      }
    }
  }
  EXPECT_GT(errors, 0U);
}

/// The elements of a range in a vector, for comparison.
template <class Range>
auto all_of(const Range& range) {
  std::vector<typename std::remove_cvref_t<decltype(range.begin())>::value_type> values;
  for (const auto& value : range) values.push_back(value);
  return values;
}

/// RFC 8448 3, "Simple 1-RTT Handshake": the handshake messages in the clear.
inline const Buffer kRfc8448ClientHello = hex(
    "010000c00303cb34ecb1e78163ba1c38c6dacb196a6dffa21a8d9912ec18a2ef6283024dece7000006130113031302010000910000000b0009"
    "000006736572766572ff01000100000a00140012001d0017001800190100010101020103010400230000003300260024001d002099381de560"
    "e4bd43d23d8e435a7dbafeb3c06e51c13cae4d5413691e529aaf2c002b0003020304000d0020001e0403050306030203080408050806040105"
    "01060102010402050206020202002d00020101001c00024001");
inline const Buffer kRfc8448ServerHello = hex(
    "020000560303a6af06a4121860dc5e6e60249cd34c95930c8ac5cb1434dac155772ed3e2692800130100002e00330024001d0020c9828876"
    "112095fe66762bdbf7c672e156d6cc253b833df1dd69b1b04e751f0f002b00020304");
inline const Buffer kRfc8448EncryptedExtensions =
    hex("080000240022000a00140012001d00170018001901000101010201030104001c0002400100000000");

}  // namespace lockstep::codec
