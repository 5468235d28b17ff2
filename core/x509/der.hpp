#pragma once
// A strict reader of DER (X.690). Nothing is allocated, nothing recurses: a caller descends as deep as the structure
// that it expects.
//
// Errors are sticky: the first one is kept in the state that all readers of a parse share, and from then on every
// reader is empty. So a structure is read in a straight line and the error looked at once, at the end.

#include <cstddef>
#include <cstdint>
#include <optional>

#include <lockstep/bytes.hpp>
#include <lockstep/x509_certificate.hpp>

namespace lockstep::x509::der {

enum Tag : std::uint8_t {
  kBoolean = 0x01,
  kInteger = 0x02,
  kBitString = 0x03,
  kOctetString = 0x04,
  kNull = 0x05,
  kObjectIdentifier = 0x06,
  kUtf8String = 0x0c,
  kNumericString = 0x12,
  kPrintableString = 0x13,
  kTeletexString = 0x14,
  kIa5String = 0x16,
  kUtcTime = 0x17,
  kGeneralizedTime = 0x18,
  kVisibleString = 0x1a,
  kUniversalString = 0x1c,
  kBmpString = 0x1e,
  kSequence = 0x30,
  kSet = 0x31,
};

/// The tag of [number], primitive or constructed.
constexpr std::uint8_t context(unsigned number) noexcept { return static_cast<std::uint8_t>(0x80U | number); }
constexpr std::uint8_t context_constructed(unsigned number) noexcept {
  return static_cast<std::uint8_t>(0xa0U | number);
}

/// What all readers of one parse share.
struct ParseState {
  const std::uint8_t* origin;
  std::optional<ParseError> error = {};

  void fail(ParseCode code, const std::uint8_t* at) noexcept {
    if (!error) error = ParseError{code, static_cast<std::uint32_t>(at - origin)};
  }
};

struct Element {
  std::uint8_t tag = 0;
  Bytes contents;
  Bytes whole;  ///< tag and length included
};

struct BitString {
  Bytes bytes;
  unsigned unused_bits = 0;
};

class Reader {
 public:
  /// Reads `bytes`, which lie within those that the state's origin begins.
  Reader(ParseState& state, Bytes bytes) noexcept : state_(&state), rest_(bytes) {}

  [[nodiscard]] bool failed() const noexcept { return state_->error.has_value(); }
  /// Whether there is another element to read; false after an error.
  [[nodiscard]] bool more() const noexcept { return !failed() && !rest_.empty(); }
  [[nodiscard]] bool next_is(std::uint8_t tag) const noexcept { return more() && rest_.front() == tag; }
  [[nodiscard]] Bytes rest() const noexcept { return rest_; }
  [[nodiscard]] const std::uint8_t* position() const noexcept { return rest_.data(); }
  /// Notes an error at the next element, or at a place.
  void fail(ParseCode code) noexcept { fail(code, rest_.data()); }
  void fail(ParseCode code, const std::uint8_t* at) noexcept;
  /// Demands that everything was read.
  void end() noexcept;

  /// The next element, whatever it is; or of one tag.
  Element any() noexcept;
  Element element(std::uint8_t tag) noexcept;
  std::optional<Element> optional(std::uint8_t tag) noexcept;
  /// A reader of other bytes of the same parse.
  [[nodiscard]] Reader within(Bytes bytes) const noexcept { return {*state_, bytes}; }
  /// A reader of the contents of the next element.
  Reader enter(std::uint8_t tag = kSequence) noexcept;

  bool boolean() noexcept;
  /// The contents of an INTEGER, in as few bytes as possible (X.690 8.3.2).
  Bytes integer(std::uint8_t tag = kInteger) noexcept;
  /// A non-negative INTEGER that fits.
  std::uint32_t small_integer(std::uint8_t tag = kInteger) noexcept;
  BitString bit_string() noexcept;
  Bytes object_identifier(std::uint8_t tag = kObjectIdentifier) noexcept;
  /// UTCTime or GeneralizedTime as RFC 5280 4.1.2.5 restricts them, in seconds since 1970.
  std::int64_t time() noexcept;

 private:
  ParseState* state_;
  Bytes rest_;
};

/// Whether bytes are the contents of a well-formed OBJECT IDENTIFIER.
[[nodiscard]] bool is_object_identifier(Bytes contents) noexcept;

/// Whether bytes are UTF-8 (RFC 3629: shortest form, no surrogates).
[[nodiscard]] bool is_utf8(Bytes text) noexcept;

}  // namespace lockstep::x509::der
