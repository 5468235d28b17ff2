#pragma once
// How much padding protected records carry, so that their lengths tell less (RFC 9846 5.4).

#include <cstddef>
#include <cstdint>

#include <lockstep/export.hpp>

namespace lockstep {

/// A rule that gives every protected record its padding. A value; the default pads nothing.
///
///     constexpr auto policy = PaddingPolicy::to_multiple_of(256);
///     policy.padding_for(300, 16384);  // 212
class PaddingPolicy {
 public:
  constexpr PaddingPolicy() noexcept = default;

  /// No padding.
  [[nodiscard]] static constexpr PaddingPolicy none() noexcept { return {}; }

  /// Content and padding together come to a multiple of `block` bytes, or to the largest fragment if that is less.
  /// 0 and 1 pad nothing.
  [[nodiscard]] static constexpr PaddingPolicy to_multiple_of(std::uint16_t block) noexcept {
    return PaddingPolicy(block);
  }

  /// Every record is as long as the largest fragment.
  [[nodiscard]] static constexpr PaddingPolicy full() noexcept { return PaddingPolicy(kFull); }

  /// Bytes of padding for a record with `content_size` bytes of content, where content and padding together must not
  /// exceed `max_fragment`.
  [[nodiscard]] constexpr std::size_t padding_for(std::size_t content_size, std::size_t max_fragment) const noexcept {
    if (block_ <= 1 || content_size >= max_fragment) return 0;
    const std::size_t room = max_fragment - content_size;
    if (block_ == kFull) return room;
    const std::size_t beyond = content_size % block_;
    const std::size_t padding = beyond == 0 && content_size != 0 ? 0 : block_ - beyond;
    return padding < room ? padding : room;
  }

  /// The multiple that records are padded to: 0 for none, 65535 for `full`.
  [[nodiscard]] constexpr std::uint16_t block() const noexcept { return block_; }

  friend constexpr bool operator==(PaddingPolicy, PaddingPolicy) noexcept = default;

 private:
  static constexpr std::uint16_t kFull = 0xffff;
  explicit constexpr PaddingPolicy(std::uint16_t block) noexcept : block_(block) {}
  std::uint16_t block_ = 0;
};

}  // namespace lockstep
