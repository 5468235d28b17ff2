#pragma once
// Writing DER (X.690). What is nested is written by a callable inside, so that lengths come out right by themselves.

#include <algorithm>
#include <cstdint>
#include <vector>

#include <lockstep/bytes.hpp>

#include "x509/calendar.hpp"
#include "x509/der.hpp"
#include "x509/oid.hpp"

namespace lockstep::x509::der {

class Writer {
 public:
  /// For secrets `capacity` must suffice for all that is written, so that no copy is left behind.
  explicit Writer(std::size_t capacity = 256) { out_.reserve(capacity); }

  /// Not by insert(): inlined into every caller it makes g++ 12 warn of an overflow that cannot be.
  void raw(Bytes bytes) {
    const std::size_t start = out_.size();
    out_.resize(start + bytes.size());
    std::copy(bytes.begin(), bytes.end(), out_.begin() + static_cast<std::ptrdiff_t>(start));
  }
  void element(std::uint8_t tag, Bytes contents) {
    nest(tag, [&] { raw(contents); });
  }
  template <class Body>
  void nest(std::uint8_t tag, Body body) {
    const std::size_t start = out_.size();
    body();
    const std::size_t size = out_.size() - start;
    std::array<std::uint8_t, 6> header{tag};
    std::size_t used = 1;
    if (size < 0x80U) {
      header[used++] = static_cast<std::uint8_t>(size);
    } else {
      std::size_t count = 1;
      while (count < 4 && size >> (8 * count) != 0) ++count;
      header[used++] = static_cast<std::uint8_t>(0x80U | count);
      while (count-- > 0) header[used++] = static_cast<std::uint8_t>(size >> (8 * count));
    }
    out_.insert(out_.begin() + static_cast<std::ptrdiff_t>(start), header.begin(),
                header.begin() + static_cast<std::ptrdiff_t>(used));
  }

  void boolean_true() { element(kBoolean, std::array<std::uint8_t, 1>{0xff}); }
  void null() { element(kNull, {}); }
  void object_identifier(Bytes contents) { element(kObjectIdentifier, contents); }
  void object_identifier(const Oid& oid) { element(kObjectIdentifier, oid.view()); }
  void octet_string(Bytes contents) { element(kOctetString, contents); }
  void bit_string(Bytes contents, std::uint8_t unused_bits = 0) {
    nest(kBitString, [&] {
      out_.push_back(unused_bits);
      raw(contents);
    });
  }
  /// A non-negative number, big-endian.
  void integer(Bytes number) {
    while (number.size() > 1 && number[0] == 0) number = number.subspan(1);
    nest(kInteger, [&] {
      if (number.empty() || number[0] >= 0x80U) out_.push_back(0);
      raw(number);
    });
  }
  void integer(std::uint32_t number) {
    integer(Bytes(
        std::array<std::uint8_t, 4>{static_cast<std::uint8_t>(number >> 24U), static_cast<std::uint8_t>(number >> 16U),
                                    static_cast<std::uint8_t>(number >> 8U), static_cast<std::uint8_t>(number)}));
  }
  /// RFC 5280 4.1.2.5: UTCTime through the year 2049, GeneralizedTime from 2050 on.
  void time(std::int64_t seconds) {
    const CalendarTime time = calendar_time(seconds);
    const bool is_utc = time.year >= 1950 && time.year < 2050;
    nest(is_utc ? kUtcTime : kGeneralizedTime, [&] {
      if (!is_utc) digits(time.year / 100);
      digits(time.year % 100);
      digits(time.month);
      digits(time.day);
      digits(time.hour);
      digits(time.minute);
      digits(time.second);
      out_.push_back('Z');
    });
  }

  [[nodiscard]] bool empty() const noexcept { return out_.empty(); }
  [[nodiscard]] Bytes view() const noexcept { return out_; }
  [[nodiscard]] std::vector<std::uint8_t> take() && { return std::move(out_); }

 private:
  void digits(int two) {
    out_.push_back(static_cast<std::uint8_t>('0' + two / 10));
    out_.push_back(static_cast<std::uint8_t>('0' + two % 10));
  }
  std::vector<std::uint8_t> out_;
};

}  // namespace lockstep::x509::der
