#pragma once
// The machine that figures come from.

#include "results.hpp"

namespace lockstep::bench {

[[nodiscard]] Machine describe_machine();

/// Cycles of the core in a nanosecond, now: by a chain of additions, each of which takes one cycle. 0 where the
/// compiler has no such chain for the processor.
[[nodiscard]] double measure_gigahertz() noexcept;

/// Keeps this process on one processor: `number`, or the last one that it may use when negative. Throws
/// std::runtime_error when the system refuses.
void pin(int number);

}  // namespace lockstep::bench
