#pragma once
// Standard input on its way into a connection.

#include <cstdint>
#include <future>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include <lockstep/blocking.hpp>

namespace lockstep::tool {

/// Line ends as protocols in text have them: a LF becomes CRLF, and CRLF stays what it is, also where the bytes come in
/// pieces.
class CrlfLines {
 public:
  [[nodiscard]] std::string of(std::string_view bytes);

 private:
  bool behind_cr_ = false;
};

/// How standard input is sent.
struct InputOptions {
  bool keep_open = false;  ///< its end is not that of our side of the connection
  bool crlf = false;       ///< with line ends as `CrlfLines` makes them
};

/// Pipes standard input into a stream from a thread of its own, until it ends or `stop` is called.
class InputPump {
 public:
  InputPump(blocking::Stream& stream, InputOptions options, std::uint64_t& sent);
  InputPump(const InputPump&) = delete;
  InputPump& operator=(const InputPump&) = delete;
  ~InputPump() { stop(); }

  /// After this the thread is gone, and `error` may be read. A write that the peer does not take is given up.
  void stop();
  [[nodiscard]] const std::optional<IoError>& error() const noexcept { return error_; }
  [[nodiscard]] bool half_closed() const noexcept { return half_closed_; }

 private:
  void run();
  bool send(Bytes bytes);

  blocking::Stream& stream_;
  InputOptions options_;
  bool half_closed_ = false;
  std::uint64_t& sent_;
  CrlfLines lines_;
  std::optional<IoError> error_;
  blocking::Canceller stopping_;
  std::future<void> done_;
  std::thread thread_;
};

}  // namespace lockstep::tool
