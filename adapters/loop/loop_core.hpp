#pragma once
// A loop: its streams, listeners, timers and what other threads ask of it.

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include <sys/types.h>

#include <lockstep/collector.hpp>
#include <lockstep/key_cache.hpp>
#include <lockstep/loop.hpp>

#include "common/addresses.hpp"
#include "common/sockets.hpp"
#include "loop/backend.hpp"
#include "loop/blocks.hpp"
#include "loop/stream_core.hpp"
#include "loop/timer_wheel.hpp"

namespace lockstep::loop {

/// What the sockets of one listener share.
struct ListenerShared {
  std::shared_ptr<const Options> options;
  MakeHandler make_handler;
  std::function<void(const IoError&)> on_error;
  int said = 0;               ///< the errno that `on_error` heard last
  std::uint64_t said_at = 0;  ///< and the tick when that came last
};

/// A listening socket.
struct LOCKSTEP_API ListenerCore final : Timer {
  alignas(16) LoopCore* loop = nullptr;
  std::uint64_t id = 0;
  Descriptor socket;
  sockets::SocketFile file;  // goes first
  std::shared_ptr<ListenerShared> shared;
  bool listening = false;          ///< the backend accepts
  bool closed = false;             ///< by the application; destroyed once released
  bool in_flight = false;          ///< the backend's own
  bool held = false;               ///< the loop has as much as it may
  bool with_bytes = false;         ///< what is accepted has sent something
  std::vector<Descriptor> parked;  ///< accepted while held

  void accepted(Descriptor connection);
  /// Accepting has failed, and the backend goes on with it: at once when this is true.
  [[nodiscard]] bool failed_once(int error);
  /// Accepting has failed for a reason that lasts, say EMFILE: the backend is told to stop, and to begin again later.
  void failed(int error);
  /// The backend is to stop, and to begin again a little later.
  void rest();
  void released();
  void begin();
  void end();

 private:
  void admit(Descriptor connection);
  void say(const IoError& error);
};

class LOCKSTEP_API LoopCore {
 public:
  LoopCore(std::unique_ptr<Backend> backend, const LoopOptions& options);
  ~LoopCore();

  [[nodiscard]] Backend& backend() noexcept { return *backend_; }
  [[nodiscard]] Blocks& blocks() noexcept { return blocks_; }
  [[nodiscard]] Loop& face() noexcept { return *face_; }
  void set_face(Loop& face) noexcept { face_ = &face; }
  [[nodiscard]] TimerWheel& wheel() noexcept { return wheel_; }

  /// The tick of a moment, the same in all loops; rounded up, so that no timer fires early.
  [[nodiscard]] static std::uint64_t tick_of(Clock::time_point moment) noexcept;
  /// Times from here on have no limit.
  static constexpr std::chrono::milliseconds kForever = std::chrono::years(100);
  /// Ticks that it takes for so much time to pass, rounded up.
  [[nodiscard]] static std::uint64_t ticks_in(std::chrono::milliseconds time) noexcept;
  [[nodiscard]] std::uint64_t now() const noexcept { return now_; }
  /// Time has passed: the backend has waited.
  void refresh_now() noexcept { now_ = this_tick(); }
  /// The tick that it is, however long this turn has lasted.
  [[nodiscard]] static std::uint64_t this_tick() noexcept;
  /// Whether the loop has as much memory as it may (LoopOptions::max_memory): then streams get what brings them to an
  /// end, and nobody new comes.
  [[nodiscard]] bool pressed() noexcept {
    // It lasts until `weigh_memory` says that there is room again, and tells those who were refused.
    if (!pressed_ && options_.max_memory != 0 && memory() >= options_.max_memory) {
      pressed_ = true;
      ++statistics_.memory_shortages;
    }
    return pressed_;
  }
  /// Receives have found no buffer.
  void count_buffer_shortage() noexcept { ++statistics_.buffer_shortages; }
  /// That much later than now; kNever for 0.
  [[nodiscard]] std::uint64_t in(std::chrono::milliseconds time) const noexcept;

 private:
  friend class Loop;
  friend class Stream;
  friend class StreamCore;
  friend struct ListenerCore;
  friend class Running;
  struct Task;

  Listener listen(std::vector<sockets::Listening> sockets, Options&& options, MakeHandler&& make_handler,
                  ListenOptions&& listen_options);
  IoResult<Stream*> dial(std::vector<sockets::SocketAddress> addresses, std::string what, Options&& options,
                         std::unique_ptr<Handler>&& handler, Target&& target);
  StreamCore& add(std::shared_ptr<const Options> options, Descriptor socket);
  void handshake_began(StreamCore& stream);
  void mark_dirty(StreamCore& stream) noexcept;
  void bury(StreamCore& stream);
  void hand_over(StreamCore& stream, Loop& other);
  void remove(StreamCore& stream) noexcept;
  [[nodiscard]] bool crowded() const noexcept {
    return pressed_ || (options_.max_streams != 0 && streams_.size() >= options_.max_streams);
  }
  [[nodiscard]] std::size_t memory() const noexcept;
  void weigh_memory();
  bool evict_silent();
  void hold_listeners(bool hold);
  [[nodiscard]] std::vector<ListenerCore*> listeners() const;
  void end_listeners();
  void end();
  void end_streams();
  void forsake() noexcept;
  void post(std::move_only_function<void(Loop&)> function);
  bool run_once(std::chrono::milliseconds longest);
  void run_posted();
  void flush_dirty();
  /// Answers what streams have asked for in this turn, and what they ask for then.
  void compute_collected();
  void destroy_dead() noexcept;
  void for_each(const std::function<void(StreamCore&)>& function);
  [[nodiscard]] int wait_time(std::chrono::milliseconds longest) const noexcept;

  Loop* face_ = nullptr;
  LoopOptions options_;
  std::unique_ptr<Backend> backend_;
  Blocks blocks_;
  MemoryPool handshakes_;
  KeyCache keys_;
  TimerWheel wheel_;
  Collector collector_;
  std::uint64_t now_;

  List<AllStreams> streams_;
  List<Handshaking> handshaking_;
  List<Dirty> dirty_;
  std::vector<std::unique_ptr<StreamCore>> dead_;
  std::unordered_multimap<std::uint64_t, std::unique_ptr<ListenerCore>> listeners_;  // the sockets of one share its id
  std::vector<std::unique_ptr<ListenerCore>> dead_listeners_;
  std::unordered_map<std::uint64_t, std::unique_ptr<Task>> tasks_;
  std::uint64_t next_id_ = 1;

  std::mutex posted_mutex_;
  std::vector<std::move_only_function<void(Loop&)>> posted_;
  std::atomic<bool> has_posted_{false};
  std::atomic<bool> stopping_{false};
  const pid_t process_;   // which made it
  unsigned running_ = 0;  // turns and handlers
  bool pressed_ = false;
  bool draining_ = false;
  bool holding_ = false;  // listeners, because the loop has as much as it may
  std::uint64_t drain_until_ = TimerWheel::kNever;
  Statistics statistics_;
};

}  // namespace lockstep::loop
