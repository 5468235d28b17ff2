#pragma once
// Standard input on its way into a connection.

#include <cstdint>
#include <future>
#include <optional>
#include <thread>

#include <lockstep/blocking.hpp>

namespace lockstep::tool {

/// Pipes standard input into a stream from a thread of its own, until it ends or `stop` is called. Its end is that of
/// our side of the connection, unless that is kept open.
class InputPump {
 public:
  InputPump(blocking::Stream& stream, bool keep_open, std::uint64_t& sent);
  InputPump(const InputPump&) = delete;
  InputPump& operator=(const InputPump&) = delete;
  ~InputPump() { stop(); }

  /// After this the thread is gone, and `error` may be read. A write that the peer does not take is given up.
  void stop();
  [[nodiscard]] const std::optional<IoError>& error() const noexcept { return error_; }
  [[nodiscard]] bool half_closed() const noexcept { return half_closed_; }

 private:
  void run();

  blocking::Stream& stream_;
  bool keep_open_;
  bool half_closed_ = false;
  std::uint64_t& sent_;
  std::optional<IoError> error_;
  blocking::Canceller stopping_;
  std::future<void> done_;
  std::thread thread_;
};

}  // namespace lockstep::tool
