#pragma once
// Bytes of TLS, one field after the other.

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include <lockstep/bytes.hpp>

namespace lockstep::tool {

/// What is not there reads as zero, and is remembered.
class Cursor {
 public:
  explicit Cursor(Bytes bytes) noexcept : rest_(bytes) {}

  [[nodiscard]] std::size_t number(std::size_t width) noexcept {
    std::size_t value = 0;
    for (const std::uint8_t byte : bytes(width)) value = value << 8U | byte;
    return value;
  }
  [[nodiscard]] Bytes bytes(std::size_t count) noexcept {
    ok_ = ok_ && count <= rest_.size();
    const Bytes taken = ok_ ? rest_.first(count) : Bytes();
    rest_ = ok_ ? rest_.subspan(count) : Bytes();
    return taken;
  }
  /// What stands behind its length in so many bytes.
  [[nodiscard]] Bytes prefixed(std::size_t width) noexcept { return bytes(number(width)); }
  void skip(std::size_t count) noexcept { (void)bytes(count); }

  [[nodiscard]] bool more() const noexcept { return !rest_.empty(); }
  /// Everything was there.
  [[nodiscard]] bool ok() const noexcept { return ok_; }
  /// And nothing is left.
  [[nodiscard]] bool done() const noexcept { return ok_ && rest_.empty(); }

 private:
  Bytes rest_;
  bool ok_ = true;
};

}  // namespace lockstep::tool
