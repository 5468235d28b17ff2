#pragma once
// Connecting to whichever of a name's addresses answers first: Happy Eyeballs, RFC 8305. Which address to try and when;
// sockets and waiting are for whoever drives it. Not installed.
//
//     Race race(addresses, now);
//     for (;;) {
//       while (const auto entrant = race.start(now)) begin to connect to race.address(*entrant)
//       if (race.lost()) return race.failure(what)
//       wait until one of them has connected (which has won; close the others), until one has failed
//         (race.failed(entrant, errno)), or until race.due()
//     }

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include <lockstep/export.hpp>
#include <lockstep/io.hpp>

#include "common/addresses.hpp"

namespace lockstep::sockets {

class LOCKSTEP_API Race {
 public:
  using Moment = std::chrono::steady_clock::time_point;
  /// RFC 8305 8: the Connection Attempt Delay that is recommended.
  static constexpr std::chrono::milliseconds kConnectionAttemptDelay{250};

  /// Families take turns, beginning with that of the first address (RFC 8305 4); within one the order stays.
  Race(std::vector<SocketAddress> addresses, Moment now);

  /// Who is to start now, if anyone: the first at once, and each of the others when the one before it has had its
  /// delay, or when one has failed.
  [[nodiscard]] std::optional<std::size_t> start(Moment now) noexcept;
  /// When the next is to start; nothing when there is none.
  [[nodiscard]] std::optional<Moment> due() const noexcept;
  [[nodiscard]] const SocketAddress& address(std::size_t entrant) const noexcept { return entrants_[entrant].address; }
  /// One that started cannot connect.
  void failed(std::size_t entrant, int number) noexcept;
  /// Whether all have failed.
  [[nodiscard]] bool lost() const noexcept { return running_ == 0 && started_ == entrants_.size(); }

  /// Why nobody has won, with every address that was tried: "connect to example.com:443: [2001:db8::1]:443: Connection
  /// refused; 192.0.2.1:443: timeout". Those that still run have met `condition`.
  [[nodiscard]] IoError failure(std::string_view what, IoCondition condition = IoCondition::system) const;

 private:
  struct Entrant {
    SocketAddress address;
    int error = 0;  // once it has failed
  };
  std::vector<Entrant> entrants_;
  std::size_t started_ = 0;
  std::size_t running_ = 0;
  int last_error_ = 0;
  Moment due_;
};

}  // namespace lockstep::sockets
