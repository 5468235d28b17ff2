#pragma once
// Reads the presentation language of TLS (RFC 9846 3): big-endian numbers and vectors with a length prefix.

#include <cstddef>
#include <cstdint>

#include <lockstep/bytes.hpp>
#include <lockstep/error.hpp>

namespace lockstep::codec {

/// Reads from the front of bytes that somebody else owns, and returns views of them. The first failure sticks: from
/// then on every read gives zero or an empty view, so that a decoder reads straight on and asks once, at the end:
///
///     Reader reader(body);
///     const Bytes context = reader.vector8();
///     const Bytes signature = reader.vector16(1);
///     if (const Reason reason = reader.finish(); reason != Reason::none) ...
class Reader {
 public:
  explicit Reader(Bytes bytes) noexcept : rest_(bytes), size_(bytes.size()) {}

  std::uint8_t u8() noexcept { return static_cast<std::uint8_t>(number(1)); }
  std::uint16_t u16() noexcept { return static_cast<std::uint16_t>(number(2)); }
  std::uint32_t u24() noexcept { return number(3); }
  std::uint32_t u32() noexcept { return number(4); }

  /// An enumerator as wide as its type. Open: the number need not be one that has a name.
  template <class CodePoint>
  CodePoint code_point() noexcept {
    return static_cast<CodePoint>(number(sizeof(CodePoint)));
  }

  /// The next `count` bytes. Fails with message_truncated.
  Bytes bytes(std::size_t count) noexcept {
    if (count > rest_.size()) {
      fail(Reason::message_truncated);
      return {};
    }
    const Bytes front = rest_.first(count);
    rest_ = rest_.subspan(count);
    return front;
  }

  /// The contents of a vector behind a prefix of 8, 16 or 24 bits. Fails with message_truncated when it reaches beyond
  /// the end, with vector_length when its size lies outside the bounds that the RFC gives it: opaque field<min..max>.
  Bytes vector8(std::size_t min = 0, std::size_t max = 0xff) noexcept { return vector(u8(), min, max); }
  Bytes vector16(std::size_t min = 0, std::size_t max = 0xffff) noexcept { return vector(u16(), min, max); }
  Bytes vector24(std::size_t min = 0, std::size_t max = 0xff'ffff) noexcept { return vector(u24(), min, max); }

  /// All that is left.
  Bytes remaining() noexcept { return bytes(rest_.size()); }

  [[nodiscard]] bool empty() const noexcept { return rest_.empty(); }
  /// Bytes read so far. Meaningless after a failure.
  [[nodiscard]] std::size_t offset() const noexcept { return size_ - rest_.size(); }

  [[nodiscard]] bool ok() const noexcept { return failure_ == Reason::none; }
  [[nodiscard]] Reason failure() const noexcept { return failure_; }

  /// Records a failure that the caller found. An earlier one stays.
  void fail(Reason reason) noexcept {
    if (ok()) failure_ = reason;
    rest_ = {};
  }

  /// The outcome. Anything left unread is message_trailing_data.
  [[nodiscard]] Reason finish() noexcept {
    if (!rest_.empty()) fail(Reason::message_trailing_data);
    return failure_;
  }

 private:
  std::uint32_t number(std::size_t width) noexcept {
    std::uint32_t value = 0;
    for (const std::uint8_t byte : bytes(width)) value = value << 8U | byte;
    return value;
  }

  Bytes vector(std::size_t size, std::size_t min, std::size_t max) noexcept {
    if (!ok()) return {};
    if (size > rest_.size()) {
      fail(Reason::message_truncated);
      return {};
    }
    if (size < min || size > max) {
      fail(Reason::vector_length);
      return {};
    }
    return bytes(size);
  }

  Bytes rest_;
  std::size_t size_;
  Reason failure_ = Reason::none;
};

}  // namespace lockstep::codec
