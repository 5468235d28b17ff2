#pragma once
// Timers of many connections: setting, moving and dropping one costs a few instructions, whatever their number.
//
// Four wheels of 64 slots; a slot of one is a whole turn of the next finer one, and its timers are spread over that
// when its time comes. A tick is 8 ms, so the wheels reach 1.5 days; what is due later is looked at again then.

#include <array>
#include <bit>
#include <cstdint>
#include <limits>

namespace lockstep::loop {

/// Derived from by what has a timer. Not in a wheel: `next` is null.
struct Timer {
  Timer* next = nullptr;
  Timer* previous = nullptr;
  std::uint64_t due = 0;  ///< tick
  void (*fire)(Timer&) = nullptr;
  [[nodiscard]] bool armed() const noexcept { return next != nullptr; }
};

class TimerWheel {
 public:
  static constexpr std::uint64_t kNever = std::numeric_limits<std::uint64_t>::max();

  explicit TimerWheel(std::uint64_t now = 0) noexcept : now_(now) {
    for (auto& wheel : slots_) {
      for (Timer& slot : wheel) slot.next = slot.previous = &slot;
    }
  }
  TimerWheel(const TimerWheel&) = delete;
  TimerWheel& operator=(const TimerWheel&) = delete;

  [[nodiscard]] std::uint64_t now() const noexcept { return now_; }

  /// Sets the timer, or moves it. A moment that has passed is the next tick.
  void arm(Timer& timer, std::uint64_t due) noexcept {
    disarm(timer);
    timer.due = due > now_ ? due : now_ + 1;
    place(timer);
  }

  void disarm(Timer& timer) noexcept {
    if (!timer.armed()) return;
    timer.next->previous = timer.previous;
    timer.previous->next = timer.next;
    timer.next = timer.previous = nullptr;
  }

  /// Fires what is due until that tick, in order of ticks, but no more than so many: false when some are left for the
  /// next call. Timers that are set meanwhile are due later.
  bool advance(std::uint64_t until, std::size_t most = SIZE_MAX) {
    for (;;) {
      Timer& slot = slots_[0][now_ & (kSlots - 1)];
      while (slot.next != &slot) {
        if (most-- == 0) return false;
        Timer& timer = *slot.next;
        disarm(timer);
        timer.fire(timer);
      }
      used_[0] &= ~(std::uint64_t{1} << (now_ & (kSlots - 1)));
      if (now_ >= until) return true;
      ++now_;
      for (std::size_t level = 1; level < kLevels && (now_ & mask_below(level)) == 0; ++level) spread(level);
    }
  }
  /// Whether `advance` left some.
  [[nodiscard]] bool behind() const noexcept {
    const Timer& slot = slots_[0][now_ & (kSlots - 1)];
    return slot.next != &slot;
  }

  /// A tick before which nothing is due; kNever when there is no timer. It may be early.
  [[nodiscard]] std::uint64_t next_due() const noexcept {
    std::uint64_t best = kNever;
    for (std::size_t level = 0; level < kLevels; ++level) {
      if (used_[level] == 0) continue;
      const std::uint64_t turn = now_ >> (kBits * level);
      const auto from = static_cast<int>((turn + 1) & (kSlots - 1));
      const auto distance = static_cast<std::uint64_t>(std::countr_zero(std::rotr(used_[level], from))) + 1;
      const std::uint64_t due = (turn + distance) << (kBits * level);
      if (due < best) best = due;
    }
    return best;
  }

 private:
  static constexpr std::size_t kLevels = 4;
  static constexpr std::size_t kBits = 6;
  static constexpr std::uint64_t kSlots = 64;
  static constexpr std::uint64_t mask_below(std::size_t level) noexcept {
    return (std::uint64_t{1} << (kBits * level)) - 1;
  }

  void place(Timer& timer) noexcept {
    const std::uint64_t ahead = timer.due - now_;
    std::size_t level = 0;
    while (level + 1 < kLevels && ahead > mask_below(level + 1)) ++level;
    // What is further than the coarsest wheel reaches goes to its last slot and is placed again from there.
    const std::uint64_t furthest = (now_ >> (kBits * level)) + kSlots - 1;
    std::uint64_t turn = timer.due >> (kBits * level);
    if (turn > furthest) turn = furthest;
    const std::uint64_t index = turn & (kSlots - 1);
    Timer& slot = slots_[level][index];
    timer.next = &slot;
    timer.previous = slot.previous;
    slot.previous->next = &timer;
    slot.previous = &timer;
    used_[level] |= std::uint64_t{1} << index;
  }

  void spread(std::size_t level) noexcept {
    const std::uint64_t index = (now_ >> (kBits * level)) & (kSlots - 1);
    Timer& slot = slots_[level][index];
    used_[level] &= ~(std::uint64_t{1} << index);
    // Taken out first: one that is placed again may come back to this very slot.
    Timer* timer = slot.next;
    slot.previous->next = nullptr;
    slot.next = slot.previous = &slot;
    if (timer == &slot) return;
    while (timer != nullptr) {
      Timer* following = timer->next;
      place(*timer);
      timer = following;
    }
  }

  std::array<std::array<Timer, kSlots>, kLevels> slots_{};
  std::array<std::uint64_t, kLevels> used_{};  // bit: the slot may have timers
  std::uint64_t now_;
};

}  // namespace lockstep::loop
