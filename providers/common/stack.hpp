#pragma once
// The stack that a library leaves behind.

#include <lockstep/bytes.hpp>

namespace lockstep {

/// Wipes the stack below the function that it is in when that ends: the frames of a library that was called there and
/// does not wipe what it worked with.
class WipedStack {
 public:
  WipedStack() noexcept = default;
  WipedStack(const WipedStack&) = delete;
  WipedStack& operator=(const WipedStack&) = delete;
  ~WipedStack() { wipe_stack(); }
};

}  // namespace lockstep
