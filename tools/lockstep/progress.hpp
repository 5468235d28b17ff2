#pragma once
// How far long work is, for whoever sits at a terminal.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

namespace lockstep::tool {

/// A line on standard error that is written again and again, and is gone with this.
class Progress {
 public:
  /// Shows nothing when not wanted, nor when standard error is no terminal.
  explicit Progress(bool wanted);
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  ~Progress();

  void show(std::uint64_t bytes, std::optional<std::uint64_t> of);
  void show(std::string_view text);

 private:
  using Clock = std::chrono::steady_clock;
  /// Whether a line is due again.
  bool is_due();
  bool wanted_;
  bool shown_ = false;
  Clock::time_point begin_ = Clock::now();
  Clock::time_point next_;
};

}  // namespace lockstep::tool
