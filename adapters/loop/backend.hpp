#pragma once
// What an adapter to a kernel interface does for the loop: it moves bytes between sockets and blocks and says when. It
// knows nothing of TLS, timers or handlers.

#include <cstdint>
#include <optional>
#include <string_view>

#include <sys/socket.h>

#include <lockstep/loop.hpp>

namespace lockstep::loop {

struct ListenerCore;

class Backend {
 public:
  virtual ~Backend() = default;
  [[nodiscard]] virtual std::string_view name() const noexcept = 0;

  /// Whether it can receive from a kernel that opens records, and tell their types.
  [[nodiscard]] virtual bool receives_records() const noexcept { return false; }

  /// Called once, before anything else.
  virtual void attach(LoopCore& loop) noexcept = 0;
  /// A connected socket is the backend's from now on; 0 or an errno.
  [[nodiscard]] virtual int open(StreamCore& stream) noexcept = 0;
  /// Connects the stream's socket; `StreamCore::connected` tells the result, also when that is known at once.
  virtual void connect(StreamCore& stream, const sockaddr* address, socklen_t size) noexcept = 0;
  /// Gives up a connection attempt's socket, before another one.
  virtual void abandon(StreamCore& stream) noexcept = 0;
  /// The stream may want something else than before: more bytes or none (`wants_receive`), to send (`has_output`).
  virtual void update(StreamCore& stream) noexcept = 0;
  /// Lets go of the socket: `StreamCore::released` is called once nothing is in flight, perhaps at once.
  virtual void release(StreamCore& stream) noexcept = 0;

  /// Begins to accept; 0 or an errno. What comes goes to `ListenerCore::accepted`.
  [[nodiscard]] virtual int listen(ListenerCore& listener) noexcept = 0;
  /// Accepts no more; `ListenerCore::released` follows.
  virtual void unlisten(ListenerCore& listener) noexcept = 0;

  /// Handles what has happened, or waits for something to happen: no longer than so many milliseconds. False when this
  /// thread cannot.
  [[nodiscard]] virtual bool wait(int milliseconds) noexcept = 0;
  /// Ends a `wait`, the present or the next, from any thread.
  virtual void wake() noexcept = 0;
};

}  // namespace lockstep::loop
