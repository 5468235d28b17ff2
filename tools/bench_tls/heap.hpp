#pragma once
// What this program takes from the heap, libraries included.

#include <cstdint>

namespace lockstep::bench {

struct Heap {
  std::uint64_t allocations = 0;
  std::int64_t live_bytes = 0;  ///< as malloc rounds them; only differences mean something
};

/// Since counting began. Reads zero while it is off.
[[nodiscard]] Heap heap() noexcept;
/// Off at first, because counting takes time. False when this C library does not allow it.
bool count_heap(bool on) noexcept;

}  // namespace lockstep::bench
