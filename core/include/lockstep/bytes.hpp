#pragma once
// Views of bytes, and the types that secrets live in.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <type_traits>

#include <lockstep/export.hpp>

namespace lockstep {

/// A view of bytes that somebody else owns. Every function that returns one says how long it lives.
using Bytes = std::span<const std::uint8_t>;

/// A view of bytes that the callee may overwrite.
using MutableBytes = std::span<std::uint8_t>;

/// The bytes of a text, without a terminator. Lives as long as the text.
[[nodiscard]] inline Bytes as_bytes(std::string_view text) noexcept {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

/// The text that bytes spell, unchecked. Lives as long as the bytes.
[[nodiscard]] inline std::string_view as_text(Bytes bytes) noexcept {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Whether two byte strings are equal; takes time that depends on their contents. Never for secrets.
[[nodiscard]] inline bool equal(Bytes a, Bytes b) noexcept { return std::ranges::equal(a, b); }

/// Whether two byte strings are equal, in time that depends on their lengths only.
[[nodiscard]] LOCKSTEP_API bool constant_time_equal(Bytes a, Bytes b) noexcept;

/// Overwrites with zeros in a way that the compiler must not remove.
LOCKSTEP_API void wipe(MutableBytes secret) noexcept;
/// The same for a few bytes, of which a handshake has hundreds: stores in place instead of a call.
template <std::size_t size>
inline void wipe(std::array<std::uint8_t, size>& secret) noexcept {
  if constexpr (size > 256) {
    wipe(MutableBytes(secret));
  } else {
    secret.fill(0);
    __asm__ volatile("" : : "r"(secret.data()) : "memory");  // somebody may read the zeros, so they are written
  }
}
/// Wipes so many bytes of the stack below the caller's frame: what functions left there that were called before and do
/// not wipe what they worked with, or whose compiler put a register aside; and the registers that this code may use,
/// which whoever comes next may put aside in turn (the dynamic linker does when it binds a function that is called for
/// the first time).
template <std::size_t kDepth = 16384>
[[gnu::noinline, gnu::zero_call_used_regs("all")]] void wipe_stack() noexcept {
  std::array<std::uint8_t, kDepth> frames;
  wipe(frames);
}

/// A secret of at most `Capacity` bytes, held inline. It wipes itself when destroyed, moved from or shortened, cannot
/// be copied by accident (`clone` says so aloud), compared with `==`, or printed.
template <std::size_t Capacity>
class Secret {
 public:
  Secret() noexcept = default;
  explicit Secret(std::size_t size) noexcept : size_(static_cast<Size>(size)) {}
  explicit Secret(Bytes bytes) noexcept : size_(static_cast<Size>(bytes.size())) {
    std::ranges::copy(bytes, bytes_.begin());
  }
  Secret(Secret&& other) noexcept : bytes_(other.bytes_), size_(other.size_) { other.clear(); }
  Secret& operator=(Secret&& other) noexcept {
    if (this != &other) {
      bytes_ = other.bytes_;
      size_ = other.size_;
      other.clear();
    }
    return *this;
  }
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  ~Secret() { clear(); }

  [[nodiscard]] Secret clone() const noexcept { return Secret(view()); }
  [[nodiscard]] Bytes view() const noexcept { return {bytes_.data(), size_}; }
  [[nodiscard]] MutableBytes writable() noexcept { return {bytes_.data(), size_}; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  static constexpr std::size_t capacity() noexcept { return Capacity; }

  /// Sets the size; bytes beyond the old size are zero. `size` must not exceed the capacity.
  void resize(std::size_t size) noexcept {
    if (size < size_) wipe(MutableBytes(bytes_).subspan(size));
    size_ = static_cast<Size>(size);
  }
  void clear() noexcept {
    wipe(bytes_);
    size_ = 0;
  }

 private:
  using Size = std::conditional_t<Capacity <= 255, std::uint8_t, std::uint32_t>;
  std::array<std::uint8_t, Capacity> bytes_{};
  Size size_ = 0;
};

/// The longest output of any hash (SHA-512).
inline constexpr std::size_t kMaxDigestSize = 64;

/// The longest secret of the key schedule: suites use SHA-256 and SHA-384.
inline constexpr std::size_t kMaxSuiteDigestSize = 48;

/// A secret of the key schedule (RFC 9846 7.1): as long as the suite's hash.
using DigestSecret = Secret<kMaxSuiteDigestSize>;

}  // namespace lockstep
