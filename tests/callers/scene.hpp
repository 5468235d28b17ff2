#pragma once
// One scene: two loops, 40 streams in pairs, and handlers that call whatever the seed says.

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <lockstep/loop.hpp>

namespace lockstep::callers {

using Clock = loop::Clock;

/// Numbers that follow from a seed.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) noexcept : state_(seed * 0x9e3779b97f4a7c15U + 0x1234567) {}
  std::uint64_t roll() noexcept {
    state_ ^= state_ << 13U;
    state_ ^= state_ >> 7U;
    state_ ^= state_ << 17U;
    return state_;
  }
  /// Less than `sides`.
  std::size_t below(std::size_t sides) noexcept { return static_cast<std::size_t>(roll() >> 11U) % sides; }
  bool once_in(std::size_t times) noexcept { return below(times) == 0; }

 private:
  std::uint64_t state_;
};

class Scene;

/// What is known of one end. Only the thread of the loop that the stream is in touches it while the loops run.
struct End {
  std::size_t number = 0;
  bool client = false;
  End* peer = nullptr;
  loop::Stream* stream = nullptr;  ///< in a loop, and not told its end
  std::optional<loop::StreamRef> ref;

  std::uint64_t written = 0;   ///< taken by `write`
  std::uint64_t received = 0;  ///< and all of it was what the peer wrote
  std::uint64_t said = 0;      ///< `written` when the application said that nothing follows
  bool said_all = false;
  bool heard_end = false;
  bool made = false;        ///< a handler exists
  bool opened = false;      ///< on_open came
  bool shaken = false;      ///< on_handshake came, since TLS began last
  bool secure = false;      ///< TLS began, or will by itself
  bool upgrades = false;    ///< it begins in on_open
  bool downgraded = false;  ///< at some time, by either end
  bool over = false;        ///< the application has ended it
  bool moving = false;      ///< the application has asked for it, and no callback has returned since but those within
  bool move_begun = false;  ///< the callback that asked has returned
  Clock::time_point here_since{};  ///< when it came to the loop that it is in
  bool event_open = false;         ///< the last callback was on_event, whose event may have a call of its own to come
  bool gave_up = false;            ///< it ended with an error
  unsigned closed = 0;             ///< calls of on_closed
  unsigned depth = 0;              ///< callbacks that are running
  std::optional<Clock::time_point> deadline;  ///< for reading
  loop::Until until = loop::Until::next_bytes;
  std::optional<Token<SelectCredential>> kept;
};

struct Played {
  std::string broken;  ///< what does not hold; empty: everything does
  std::string log;
  std::uint64_t calls = 0;  ///< of handlers
  std::uint64_t bytes = 0;
  std::uint64_t handshakes = 0;
  std::uint64_t moves = 0;
  std::uint64_t ends = 0;  ///< heard, with every byte before them
};

/// Which backends the two loops have.
struct Pairing {
  std::string_view name;
  IoResult<std::unique_ptr<loop::Loop>> (*first)(const loop::LoopOptions&);
  IoResult<std::unique_ptr<loop::Loop>> (*second)(const loop::LoopOptions&);
};
[[nodiscard]] std::vector<Pairing> pairings();

/// Keys and configurations, made once.
class Stage {
 public:
  Stage();
  std::shared_ptr<const ClientConfig> client;
  std::shared_ptr<const ServerConfig> server;
  std::shared_ptr<const AnswerSetup> client_answers;
  std::shared_ptr<const AnswerSetup> server_answers;
  std::shared_ptr<const Credential> credential;
  Descriptor full;  ///< listens, and answers nobody any more
  std::vector<Descriptor> filling;
  std::uint16_t full_port = 0;
};

class Scene {
 public:
  Scene(const Stage& stage, std::uint64_t seed, bool threads, bool verbose);
  Played play();

  // For the handlers (caller.cpp).

  /// Something that does not hold. The first counts.
  void broken(const End& end, std::string_view what);
  void note(const End& end, std::string_view what);
  [[nodiscard]] loop::Loop& other_than(const loop::Loop& loop) noexcept;
  /// Another stream of the same loop, or null.
  [[nodiscard]] End* neighbour(const loop::Loop& loop, Dice& dice);
  void enter(End& end, loop::Stream& stream);
  void leave(End& end, const loop::Loop& loop);
  [[nodiscard]] loop::Options options(const End& end, Dice& dice) const;
  [[nodiscard]] const Stage& stage() const noexcept { return stage_; }
  [[nodiscard]] bool moves_allowed() const noexcept { return moves_allowed_; }
  [[nodiscard]] bool threads() const noexcept { return threads_; }
  [[nodiscard]] std::size_t wildness() const noexcept { return wildness_; }
  void count(std::uint64_t Played::* what, std::uint64_t times = 1);
  void began() noexcept { ++living_; }
  void ended() noexcept { --living_; }
  [[nodiscard]] static bool runs(const loop::Loop& loop) noexcept;

 private:
  static constexpr std::size_t kPairs = 20;

  /// How both ends of a pair come to be.
  enum class Kind : std::uint8_t { plain, tls, lazy, upgrade };

  void begin();
  void begin_pair(std::size_t number);
  void connect_by_tcp(End& client, End& server);
  [[nodiscard]] std::unique_ptr<loop::Handler> decide(End& end, loop::Stream& stream, std::uint64_t roll);
  void turn(std::size_t index);
  void turn_both(std::chrono::milliseconds least, const std::function<bool()>& done);
  void run_in_threads(std::chrono::milliseconds time);
  void cancel_all(std::size_t index);
  [[nodiscard]] loop::LoopOptions loop_options();
  void check_deadlines(std::size_t index, Clock::time_point before);
  [[nodiscard]] std::size_t index_of(const loop::Loop& loop) const noexcept;
  [[nodiscard]] bool all_over() const noexcept;
  void finish();
  void check_ends();

  const Stage& stage_;
  Dice dice_;
  bool threads_;
  bool verbose_;
  std::size_t wildness_;
  Pairing pairing_;
  std::array<std::unique_ptr<loop::Loop>, 2> loops_;
  std::vector<Kind> kinds_;
  std::deque<End> ends_;
  std::array<std::vector<End*>, 2> here_;
  std::atomic<bool> moves_allowed_{true};
  std::atomic<std::size_t> living_{0};  // handlers that have not been told the end
  std::mutex mutex_;                    // of what follows
  Played played_;
};

/// The handler of an end.
[[nodiscard]] std::unique_ptr<loop::Handler> make_caller(Scene& scene, End& end, std::uint64_t seed);

}  // namespace lockstep::callers
