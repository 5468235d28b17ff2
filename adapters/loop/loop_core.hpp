#pragma once
// A loop: its streams, listeners, timers and what other threads ask of it.

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include <lockstep/key_cache.hpp>
#include <lockstep/loop.hpp>

#include "loop/backend.hpp"
#include "loop/blocks.hpp"
#include "loop/stream_core.hpp"
#include "loop/timer_wheel.hpp"

namespace lockstep::loop {

/// A listening socket.
struct LOCKSTEP_API ListenerCore final : Timer {
  alignas(16) LoopCore* loop = nullptr;
  std::uint64_t id = 0;
  Descriptor socket;
  std::shared_ptr<const Options> options;
  MakeHandler make_handler;
  std::function<void(const IoError&)> on_error;
  bool listening = false;          ///< the backend accepts
  bool closed = false;             ///< by the application; destroyed once released
  bool in_flight = false;          ///< the backend's own
  bool held = false;               ///< the loop has as many streams as it may
  std::vector<Descriptor> parked;  ///< accepted while held

  void accepted(Descriptor connection);
  /// Accepting has failed, and the backend goes on with it.
  void failed_once(int error);
  /// Accepting has failed for a reason that lasts, say EMFILE: the backend is told to stop, and to begin again later.
  void failed(int error);
  void released();
  void begin();
  void end();

 private:
  void admit(Descriptor connection);
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
  /// Ticks that it takes for so much time to pass, rounded up.
  [[nodiscard]] static std::uint64_t ticks_in(std::chrono::milliseconds time) noexcept;
  [[nodiscard]] std::uint64_t now() const noexcept { return now_; }
  /// Time has passed: the backend has waited.
  void refresh_now() noexcept;
  /// That much later than now; kNever for 0.
  [[nodiscard]] std::uint64_t in(std::chrono::milliseconds time) const noexcept;

 private:
  friend class Loop;
  friend class Stream;
  friend class StreamCore;
  friend struct ListenerCore;
  struct Task;

  StreamCore& add(std::shared_ptr<const Options> options, Descriptor socket);
  void handshake_began(StreamCore& stream);
  void mark_dirty(StreamCore& stream) noexcept;
  void bury(StreamCore& stream);
  void hand_over(StreamCore& stream, Loop& other);
  void remove(StreamCore& stream) noexcept;
  [[nodiscard]] bool crowded() const noexcept {
    return options_.max_streams != 0 && streams_.size() >= options_.max_streams;
  }
  void hold_listeners(bool hold);
  [[nodiscard]] std::vector<ListenerCore*> listeners() const;
  void end_listeners();
  void post(std::move_only_function<void(Loop&)> function);
  bool run_once(std::chrono::milliseconds longest);
  void run_posted();
  void flush_dirty();
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
  std::uint64_t now_;

  List<AllStreams> streams_;
  List<Handshaking> handshaking_;
  List<Dirty> dirty_;
  std::vector<std::unique_ptr<StreamCore>> dead_;
  std::unordered_map<std::uint64_t, std::unique_ptr<ListenerCore>> listeners_;
  std::vector<std::unique_ptr<ListenerCore>> dead_listeners_;
  std::unordered_map<Task*, std::unique_ptr<Task>> tasks_;
  std::uint64_t next_id_ = 1;

  std::mutex posted_mutex_;
  std::vector<std::move_only_function<void(Loop&)>> posted_;
  std::atomic<bool> has_posted_{false};
  std::atomic<bool> stopping_{false};
  bool draining_ = false;
  bool holding_ = false;  // listeners, because there are max_streams
  std::uint64_t drain_until_ = TimerWheel::kNever;
  Statistics statistics_;
};

}  // namespace lockstep::loop
