#pragma once
// The stack that a library leaves behind.

#include <array>
#include <cstddef>

#include <lockstep/bytes.hpp>

namespace lockstep {

/// Wipes the stack below the function that it is in when that ends: the frames of a library that was called there and
/// does not wipe what it worked with.
class WipedStack {
 public:
  WipedStack() noexcept = default;
  WipedStack(const WipedStack&) = delete;
  WipedStack& operator=(const WipedStack&) = delete;
  ~WipedStack() { wipe_below(); }

 private:
  static constexpr std::size_t kDepth = 16384;
  [[gnu::noinline]] static void wipe_below() noexcept {
    std::array<std::uint8_t, kDepth> frames;
    wipe(MutableBytes(frames));
  }
};

}  // namespace lockstep
