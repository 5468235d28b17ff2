#pragma once
// When a connection that has said its last may be closed. Not installed.

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <optional>

#include <lockstep/export.hpp>
#include <lockstep/io.hpp>

namespace lockstep::sockets {

/// Bytes that were given to a TCP socket and that its peer has not acknowledged, those that were not sent yet and our
/// end (FIN) included: SIOCOUTQ, tcp(7). 0 for Unix sockets, where that counts the memory of what the peer has not
/// read: such bytes are with the peer already, and it reads them also when this end is closed. 0 when the system does
/// not tell.
[[nodiscard]] LOCKSTEP_API std::size_t unacknowledged(int descriptor) noexcept;

/// RFC 9112 9.6: to close at once loses the end of an answer, because bytes of the peer's that then meet a closed
/// socket make the system say "reset", and forget what the peer has not acknowledged. So our direction ends first, and
/// what still comes is discarded until the peer ends its own, or this says that it is enough:
///
/// While anything is unacknowledged there is no hurry but that of the whole. A peer that reads on after a pause gets
/// the rest, and how long an acknowledgement takes is the network's business: one that is lost takes longer than
/// `linger` to come again. Once all is acknowledged, `linger` without another sign of the peer's.
class Lingering {
 public:
  using Moment = std::chrono::steady_clock::time_point;

  Lingering(Moment now, std::chrono::milliseconds linger, std::chrono::milliseconds most) noexcept
      : linger_(linger), last_(later(now, most)) {}

  /// `unacknowledged` bytes are left. When to look again, unless the peer ends or says something before that: at `now`
  /// or earlier when it is time to close.
  [[nodiscard]] Moment look(Moment now, std::size_t unacknowledged) noexcept {
    if (unacknowledged != 0) {
      quiet_since_.reset();
      const auto interval = interval_;
      interval_ = std::min(2 * interval_, kLongest);
      return std::min(last_, later(now, interval));
    }
    interval_ = kShortest;
    if (!quiet_since_) quiet_since_ = now;
    return std::min(last_, later(*quiet_since_, linger_));
  }
  /// The peer has said something since the last look.
  void heard() noexcept {
    quiet_since_.reset();
    interval_ = kShortest;
  }
  /// When closing has to be over.
  [[nodiscard]] Moment last() const noexcept { return last_; }

 private:
  /// No event tells of acknowledgements: they are asked about, ever less often where they do not come.
  static constexpr std::chrono::milliseconds kShortest{50};
  static constexpr std::chrono::milliseconds kLongest{1000};

  std::chrono::milliseconds linger_;
  Moment last_;
  std::chrono::milliseconds interval_ = kShortest;
  std::optional<Moment> quiet_since_;  // all is acknowledged
};

}  // namespace lockstep::sockets
