#pragma once
// As much DER (X.690) as the keys of providers need: reading without copies, strictly, and writing of nested values.

#include <initializer_list>
#include <optional>

#include <lockstep/bytes.hpp>

namespace lockstep::der {

enum Tag : std::uint8_t {
  kInteger = 0x02,
  kBitString = 0x03,
  kOctetString = 0x04,
  kNull = 0x05,
  kObjectIdentifier = 0x06,
  kSequence = 0x30,
};

/// The tag [number] of a constructed value.
constexpr std::uint8_t constructed(std::uint8_t number) noexcept { return static_cast<std::uint8_t>(0xa0U | number); }
/// The tag [number] of an implicitly tagged primitive value.
constexpr std::uint8_t primitive(std::uint8_t number) noexcept { return static_cast<std::uint8_t>(0x80U | number); }

/// Reads values one after the other. Views live as long as the bytes that are read.
class Reader {
 public:
  explicit Reader(Bytes der) noexcept : rest_(der) {}

  [[nodiscard]] bool at_end() const noexcept { return rest_.empty(); }
  [[nodiscard]] bool next_is(std::uint8_t tag) const noexcept { return !rest_.empty() && rest_.front() == tag; }

  /// The contents of the next value when it has the tag and a definite, minimal length (X.690 10.1); otherwise nothing
  /// is consumed.
  std::optional<Bytes> read(std::uint8_t tag) noexcept {
    if (!next_is(tag) || rest_.size() < 2) return std::nullopt;
    std::size_t header = 2;
    std::size_t length = rest_[1];
    if (length >= 0x80) {
      const std::size_t digits = length - 0x80;
      if (digits == 0 || digits > 3 || rest_.size() < 2 + digits || rest_[2] == 0) return std::nullopt;
      header += digits;
      length = 0;
      for (const std::uint8_t digit : rest_.subspan(2, digits)) length = length << 8U | digit;
      if (length < 0x80) return std::nullopt;
    }
    if (length > rest_.size() - header) return std::nullopt;
    const Bytes contents = rest_.subspan(header, length);
    rest_ = rest_.subspan(header + length);
    return contents;
  }

  /// A non-negative INTEGER's magnitude without leading zeros; empty for zero.
  std::optional<Bytes> read_unsigned() noexcept {
    const Reader before = *this;
    const auto contents = read(kInteger);
    if (contents && !contents->empty() && contents->front() < 0x80) {
      if (contents->front() != 0) return contents;
      // X.690 8.3.2: a leading zero stands only before a byte with the top bit set, or alone.
      if (contents->size() == 1 || (*contents)[1] >= 0x80) return contents->subspan(1);
    }
    *this = before;
    return std::nullopt;
  }

  /// A non-negative INTEGER of at most 32 bits.
  std::optional<std::uint32_t> read_small() noexcept {
    const Reader before = *this;
    const auto magnitude = read_unsigned();
    if (magnitude && magnitude->size() <= 4) {
      std::uint32_t value = 0;
      for (const std::uint8_t digit : *magnitude) value = value << 8U | digit;
      return value;
    }
    *this = before;
    return std::nullopt;
  }

  /// A BIT STRING of whole bytes.
  std::optional<Bytes> read_bits() noexcept {
    const Reader before = *this;
    const auto contents = read(kBitString);
    if (contents && !contents->empty() && contents->front() == 0) return contents->subspan(1);
    *this = before;
    return std::nullopt;
  }

 private:
  Bytes rest_;
};

/// The one value that `der` consists of: its contents, or nothing when there is another value or more.
inline std::optional<Bytes> read_whole(Bytes der, std::uint8_t tag) noexcept {
  Reader reader(der);
  const auto contents = reader.read(tag);
  return reader.at_end() ? contents : std::nullopt;
}

/// A value with the parts concatenated as its contents, in a vector of the caller's choice: one that wipes itself for
/// secrets.
template <class Buffer>
Buffer value(std::uint8_t tag, std::initializer_list<Bytes> parts) {
  std::size_t size = 0;
  for (const Bytes part : parts) size += part.size();
  Buffer out;
  out.reserve(size + 5);
  out.push_back(tag);
  if (size < 0x80) {
    out.push_back(static_cast<std::uint8_t>(size));
  } else {
    const unsigned digits = size > 0xffff ? 3 : size > 0xff ? 2 : 1;
    out.push_back(static_cast<std::uint8_t>(0x80U | digits));
    for (unsigned digit = digits; digit > 0; --digit)
      out.push_back(static_cast<std::uint8_t>(size >> (8 * (digit - 1))));
  }
  for (const Bytes part : parts) out.insert(out.end(), part.begin(), part.end());
  return out;
}

}  // namespace lockstep::der
