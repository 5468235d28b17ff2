#include "x509/der.hpp"

#include <algorithm>
#include <array>

#include "x509/calendar.hpp"

namespace lockstep::x509::der {

namespace {

std::optional<std::int64_t> utc_time(Bytes text) noexcept;
std::optional<std::int64_t> generalized_time(Bytes text) noexcept;

}  // namespace

void Reader::fail(ParseCode code, const std::uint8_t* at) noexcept {
  state_->fail(code, at);
  rest_ = {};
}

void Reader::end() noexcept {
  if (more()) fail(ParseCode::trailing_data);
}

Element Reader::any() noexcept {
  if (failed()) {
    rest_ = {};
    return {};
  }
  const auto refuse = [this](ParseCode code) noexcept {
    fail(code);
    return Element{};
  };
  if (rest_.size() < 2) return refuse(ParseCode::truncated);
  const std::uint8_t tag = rest_[0];
  // X.690 8.1.2.4: five one bits announce a tag of several bytes. No structure of X.509 has one.
  if ((tag & 0x1fU) == 0x1fU) return refuse(ParseCode::high_tag_number);

  std::size_t header = 2;
  std::size_t length = rest_[1];
  if (length == 0x80U) return refuse(ParseCode::indefinite_length);
  if (length > 0x80U) {
    const std::size_t length_size = length & 0x7fU;
    if (length_size > 4) return refuse(ParseCode::length_too_large);
    if (rest_.size() < header + length_size) return refuse(ParseCode::truncated);
    length = 0;
    for (std::size_t i = 0; i < length_size; ++i) length = length << 8U | rest_[header + i];
    // X.690 10.1: "The definite form of length encoding shall be used, encoded in the minimum number of octets."
    if (length < 0x80U || length >> (8U * (length_size - 1)) == 0) return refuse(ParseCode::length_not_minimal);
    header += length_size;
  }
  if (rest_.size() - header < length) return refuse(ParseCode::truncated);

  const Element element{tag, rest_.subspan(header, length), rest_.first(header + length)};
  rest_ = rest_.subspan(header + length);
  return element;
}

Element Reader::element(std::uint8_t tag) noexcept {
  if (failed()) return any();
  if (rest_.empty()) {
    fail(ParseCode::truncated);
    return {};
  }
  if (rest_.front() != tag) {
    fail(ParseCode::unexpected_tag);
    return {};
  }
  return any();
}

std::optional<Element> Reader::optional(std::uint8_t tag) noexcept {
  if (!next_is(tag)) return std::nullopt;
  const Element found = any();
  if (failed()) return std::nullopt;
  return found;
}

Reader Reader::enter(std::uint8_t tag) noexcept { return {*state_, element(tag).contents}; }

bool Reader::boolean() noexcept {
  const Element value = element(kBoolean);
  if (failed()) return false;
  // X.690 11.1: "If the encoding represents the boolean value TRUE, its single contents octet shall have all eight bits
  // set to one."
  if (value.contents.size() != 1 || (value.contents[0] != 0x00 && value.contents[0] != 0xff)) {
    fail(ParseCode::boolean_not_canonical, value.whole.data());
    return false;
  }
  return value.contents[0] == 0xff;
}

Bytes Reader::integer(std::uint8_t tag) noexcept {
  const Element value = element(tag);
  if (failed()) return {};
  const Bytes bytes = value.contents;
  if (bytes.empty()) {
    fail(ParseCode::integer_empty, value.whole.data());
    return {};
  }
  // X.690 8.3.2: the first nine bits "shall not all be ones; and shall not all be zero".
  if (bytes.size() > 1 && ((bytes[0] == 0x00 && bytes[1] < 0x80U) || (bytes[0] == 0xff && bytes[1] >= 0x80U))) {
    fail(ParseCode::integer_not_minimal, value.whole.data());
    return {};
  }
  return bytes;
}

std::uint32_t Reader::small_integer(std::uint8_t tag) noexcept {
  const std::uint8_t* const at = position();
  const Bytes bytes = integer(tag);
  if (failed()) return 0;
  if (bytes[0] >= 0x80U || bytes.size() > 4) {
    fail(ParseCode::integer_out_of_range, at);
    return 0;
  }
  std::uint32_t value = 0;
  for (const std::uint8_t byte : bytes) value = value << 8U | byte;
  return value;
}

BitString Reader::bit_string() noexcept {
  const Element value = element(kBitString);
  if (failed()) return {};
  const Bytes bytes = value.contents;
  const bool malformed =
      bytes.empty() || bytes[0] > 7 || (bytes.size() == 1 && bytes[0] != 0) ||
      // X.690 11.2.1: "Each unused bit in the final octet of the encoding of a bit string value shall be set to zero."
      (bytes.back() & ((1U << bytes[0]) - 1U)) != 0;
  if (malformed) {
    fail(ParseCode::bit_string_malformed, value.whole.data());
    return {};
  }
  return {bytes.subspan(1), bytes[0]};
}

Bytes Reader::object_identifier(std::uint8_t tag) noexcept {
  const Element value = element(tag);
  if (failed()) return {};
  if (!is_object_identifier(value.contents)) {
    fail(ParseCode::object_identifier_malformed, value.whole.data());
    return {};
  }
  return value.contents;
}

std::int64_t Reader::time() noexcept {
  const bool is_utc = next_is(kUtcTime);
  const Element value = element(is_utc ? kUtcTime : kGeneralizedTime);
  if (failed()) return 0;
  const auto moment = is_utc ? utc_time(value.contents) : generalized_time(value.contents);
  if (!moment) {
    fail(ParseCode::time_malformed, value.whole.data());
    return 0;
  }
  return *moment;
}

bool is_object_identifier(Bytes contents) noexcept {
  if (contents.empty() || contents.back() >= 0x80U) return false;
  bool at_start = true;
  for (const std::uint8_t byte : contents) {
    // X.690 8.19.2: "the leading octet of the subidentifier shall not have the value 80 (hexadecimal)".
    if (at_start && byte == 0x80U) return false;
    at_start = byte < 0x80U;
  }
  return true;
}

bool is_utf8(Bytes text) noexcept {
  for (std::size_t i = 0; i < text.size();) {
    const std::uint8_t first = text[i];
    std::size_t size = 1;
    if (first >= 0x80U) {
      size = first >= 0xf0U ? 4 : first >= 0xe0U ? 3 : 2;
      if (first < 0xc2U || first > 0xf4U || text.size() - i < size) return false;
      std::uint32_t value = first & (0x7fU >> size);
      for (std::size_t k = 1; k < size; ++k) {
        if ((text[i + k] & 0xc0U) != 0x80U) return false;
        value = value << 6U | (text[i + k] & 0x3fU);
      }
      constexpr std::array<std::uint32_t, 5> kSmallest = {0, 0, 0x80, 0x800, 0x10000};
      if (value < kSmallest[size] || value > 0x10ffffU || (value >= 0xd800U && value <= 0xdfffU)) return false;
    }
    i += size;
  }
  return true;
}

namespace {

std::optional<int> two_digits(Bytes text, std::size_t at) noexcept {
  const unsigned tens = text[at] - unsigned{'0'};
  const unsigned ones = text[at + 1] - unsigned{'0'};
  if (tens > 9 || ones > 9) return std::nullopt;
  return static_cast<int>(tens * 10 + ones);
}

/// MMDDHHMMSSZ from `at` to the end.
std::optional<std::int64_t> moment(int year, Bytes text, std::size_t at) noexcept {
  std::array<int, 5> parts{};
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const auto part = two_digits(text, at + 2 * i);
    if (!part) return std::nullopt;
    parts[i] = *part;
  }
  const auto [month, day, hour, minute, second] = parts;
  if (text.back() != 'Z' || month < 1 || month > 12 || day < 1 || day > days_in_month(year, month) || hour > 23 ||
      minute > 59 || second > 59) {
    return std::nullopt;
  }
  return seconds_since_1970({year, month, day, hour, minute, second});
}

std::optional<std::int64_t> utc_time(Bytes text) noexcept {
  // RFC 5280 4.1.2.5.1: "UTCTime values MUST be expressed in Greenwich Mean Time (Zulu) and MUST include seconds".
  if (text.size() != 13) return std::nullopt;
  const auto year = two_digits(text, 0);
  if (!year) return std::nullopt;
  // RFC 5280 4.1.2.5.1: "Where YY is greater than or equal to 50, the year SHALL be interpreted as 19YY".
  return moment(*year >= 50 ? 1900 + *year : 2000 + *year, text, 2);
}

std::optional<std::int64_t> generalized_time(Bytes text) noexcept {
  // RFC 5280 4.1.2.5.2: "GeneralizedTime values MUST NOT include fractional seconds."
  // Years before 2050, which should be UTCTime, are let through: only the writer gains from that rule.
  if (text.size() != 15) return std::nullopt;
  const auto century = two_digits(text, 0);
  const auto year = two_digits(text, 2);
  if (!century || !year) return std::nullopt;
  return moment(*century * 100 + *year, text, 4);
}

}  // namespace

}  // namespace lockstep::x509::der
