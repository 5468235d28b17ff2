#pragma once
// Tells early data that comes for the first time from a replay (RFC 9846 8.2).
//
//     auto guard = ReplayGuard::create(provider, random, system_time()).value();  // one for all connections
//     auto config = ConfigBuilder::server(provider).early_data(16'384).build().value();
//     auto setup = AnswerSetup::create({.provider = provider, .credentials = {credential}, .ticket_keys = keys,
//                                       .replay_guard = guard});
//
// or, in answer to `AcceptEarlyData`, with answers of one's own:
//
//     if (guard->first_time(question.ticket, question.now)) {
//       connection.answer(std::move(question.token), EarlyDataAccepted{});
//     }
//
// It guards one process. Several servers that share ticket keys have a guard each, so the same early data may be
// accepted once by each of them: give early data no keys that are shared, let it carry only what may be done twice, or
// let Redis guard it for all of them (lockstep/redis.hpp).

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <mutex>
#include <vector>

#include <lockstep/bytes.hpp>
#include <lockstep/config.hpp>
#include <lockstep/export.hpp>
#include <lockstep/provider.hpp>
#include <lockstep/time.hpp>

namespace lockstep {

struct ReplayGuardOptions {
  /// A ticket is remembered for at least this long, 20 s to 7 days. The age that the client states may be off by the
  /// configuration's tolerance (10 s unless it says otherwise) in either direction, so that one ClientHello is good for
  /// twice the tolerance: `Answers` accept no early data by a guard whose window is shorter.
  std::chrono::seconds window{20};
  /// Early data in one window, from 1 to 100 million. More of it makes refusals without reason more frequent.
  std::size_t expected = 100'000;
  /// How often early data is taken for a replay without reason, when as much comes as is expected; from 1e-9 to 0.5.
  double false_positives = 1e-4;
};

/// As much as Erlang's presets '10k' and '100k' of its ssl option anti_replay expect, which takes one in 33 for a
/// replay when it comes: 23 and 233 kB.
inline constexpr ReplayGuardOptions kReplayGuard10k{.expected = 10'000, .false_positives = 0.03};
inline constexpr ReplayGuardOptions kReplayGuard100k{.expected = 100'000, .false_positives = 0.03};

/// Two Bloom filters that take turns: one records, the one before it is still asked. They cannot take a replay for a
/// first time; what they take for a replay without reason is early data that the client sends again as usual data. The
/// memory is allocated once: 5.2 bits in each filter for each expected ticket and decimal of `false_positives`, and 1.6
/// bits on top (550 kB by default, both filters together). No call does more than look at a ticket's own places: a
/// filter's blocks are cleared one by one, when they are next written to.
///
/// Tickets are hashed under a random key, so that nobody can choose tickets that stand for others. May be called from
/// several threads at once.
class LOCKSTEP_API ReplayGuard {
 public:
  /// The guard, or every problem: an option out of its bounds, no SHA-256, no randomness. `now` is the moment that
  /// recording starts.
  [[nodiscard]] static std::expected<std::shared_ptr<ReplayGuard>, std::vector<ConfigProblem>> create(
      const Provider& provider, RandomSource& random, Time now, ReplayGuardOptions options = {});

  /// Whether this ticket comes for the first time, for all one can know; it is remembered from then on. False in the
  /// first window, and after the clock was set back (by more than a second) until it is a window beyond the latest
  /// moment that was ever told: what came until then may have been forgotten, and is as young again as it was.
  [[nodiscard]] bool first_time(Bytes ticket, Time now) noexcept;

  /// For how long a ticket is remembered at least.
  [[nodiscard]] std::chrono::seconds window() const noexcept { return window_; }
  /// Bytes of both filters.
  [[nodiscard]] std::size_t memory() const noexcept;

 private:
  struct Place;
  /// A part of a filter, one cache line. It is empty unless it was written in the filter's own generation, so that a
  /// filter is emptied by giving it another one.
  struct Block {
    static constexpr std::size_t kWords = 15;
    static constexpr std::uint64_t kBits = kWords * 32;
    std::uint32_t generation;
    std::array<std::uint32_t, kWords> words;
  };
  struct Filter {
    std::vector<Block> blocks;
    std::uint32_t generation;
  };
  ReplayGuard(const Hash& hash, Time now, std::chrono::seconds window, std::size_t bits, unsigned probes);
  void turn(Time now) noexcept;
  [[nodiscard]] std::uint32_t next_generation() noexcept { return ++generations_; }
  [[nodiscard]] bool contains(const Filter& filter, const Place& place) const noexcept;
  void record(const Place& place) noexcept;

  const Hash* hash_;
  Secret<32> key_;
  std::chrono::seconds window_;
  std::uint64_t bits_;  // of each filter
  unsigned probes_;     // bits that stand for one ticket

  std::mutex mutex_;
  std::uint32_t generations_ = 0;  // a block that was never written has 0
  Filter current_;
  Filter previous_;
  Time current_since_;
  Time silent_until_;  // nothing is a first time before this
  Time latest_;
};

}  // namespace lockstep
