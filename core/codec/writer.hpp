#pragma once
// Writes the presentation language of TLS (RFC 9846 3) into a buffer of fixed size.

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include <lockstep/bytes.hpp>

namespace lockstep::codec {

/// Writes to the front of a buffer that somebody else owns. Running out of room sticks: nothing more is written, and
/// `ok()` says so.
///
///     Writer writer(buffer);
///     {
///         const auto names = writer.vector16();  // its length is filled in when the scope ends
///         writer.bytes(name);
///     }
class Writer {
 public:
  /// Holds the place of a vector's length and fills it in when destroyed. A vector longer than its prefix can say fails
  /// the writer.
  class [[nodiscard]] LengthPrefix {
   public:
    LengthPrefix(Writer& writer, std::size_t width) noexcept : writer_(writer), start_(writer.size_), width_(width) {
      writer.zeros(width);
    }
    LengthPrefix(const LengthPrefix&) = delete;
    LengthPrefix& operator=(const LengthPrefix&) = delete;
    ~LengthPrefix() { writer_.fill_length(start_, width_); }

   private:
    Writer& writer_;
    std::size_t start_;
    std::size_t width_;
  };

  explicit Writer(MutableBytes out) noexcept : out_(out) {}

  void u8(std::uint8_t value) noexcept { number(value, 1); }
  void u16(std::uint16_t value) noexcept { number(value, 2); }
  void u24(std::uint32_t value) noexcept { number(value, 3); }
  void u32(std::uint32_t value) noexcept { number(value, 4); }

  /// An enumerator as wide as its type.
  template <class CodePoint>
  void code_point(CodePoint value) noexcept {
    static_assert(sizeof(CodePoint) <= 2);
    number(static_cast<std::uint16_t>(value), sizeof(CodePoint));
  }

  void bytes(Bytes source) noexcept {
    const MutableBytes place = reserve(source.size());
    if (!place.empty()) std::ranges::copy(source, place.begin());
  }
  void zeros(std::size_t count) noexcept { std::ranges::fill(reserve(count), std::uint8_t{0}); }

  /// Opens a vector whose length takes 8, 16 or 24 bits; it ends with the guard's scope.
  LengthPrefix vector8() noexcept { return {*this, 1}; }
  LengthPrefix vector16() noexcept { return {*this, 2}; }
  LengthPrefix vector24() noexcept { return {*this, 3}; }

  /// A whole vector of bytes.
  void opaque8(Bytes contents) noexcept {
    const auto vector = vector8();
    bytes(contents);
  }
  void opaque16(Bytes contents) noexcept {
    const auto vector = vector16();
    bytes(contents);
  }
  void opaque24(Bytes contents) noexcept {
    const auto vector = vector24();
    bytes(contents);
  }

  /// False once something did not fit.
  [[nodiscard]] bool ok() const noexcept { return ok_; }
  /// Bytes written so far.
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  /// What has been written; lives in the caller's buffer.
  [[nodiscard]] MutableBytes written() const noexcept { return out_.first(size_); }
  void fail() noexcept { ok_ = false; }

 private:
  MutableBytes reserve(std::size_t count) noexcept {
    if (!ok_ || count > out_.size() - size_) {
      ok_ = false;
      return {};
    }
    size_ += count;
    return out_.subspan(size_ - count, count);
  }

  void number(std::uint32_t value, std::size_t width) noexcept { store(reserve(width), value); }

  void fill_length(std::size_t start, std::size_t width) noexcept {
    if (!ok_) return;
    const std::size_t length = size_ - start - width;
    if (length >> (8 * width) != 0) return fail();
    store(out_.subspan(start, width), length);
  }

  static void store(MutableBytes place, std::size_t value) noexcept {
    for (std::size_t i = place.size(); i-- > 0; value >>= 8U) place[i] = static_cast<std::uint8_t>(value);
  }

  MutableBytes out_;
  std::size_t size_ = 0;
  bool ok_ = true;
};

}  // namespace lockstep::codec
