#pragma once
// SIGINT and SIGTERM as an end in good order.

#include <lockstep/blocking.hpp>

namespace lockstep::tool {

/// While it lives, the first of these signals cancels what was given this canceller, and a second one kills as ever. A
/// signal that is ignored already, as in the background of a script, stays ignored. One at a time.
class Interruption {
 public:
  explicit Interruption(blocking::Canceller canceller);
  Interruption(const Interruption&) = delete;
  Interruption& operator=(const Interruption&) = delete;
  ~Interruption();

  /// The signal that came; 0 when none did.
  [[nodiscard]] static int signal() noexcept;
};

/// "SIGINT".
[[nodiscard]] const char* signal_name(int number) noexcept;

}  // namespace lockstep::tool
