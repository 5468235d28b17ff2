#include "input_pump.hpp"

#include <array>
#include <cerrno>
#include <chrono>
#include <utility>

#include <poll.h>
#include <unistd.h>

namespace lockstep::tool {

InputPump::InputPump(blocking::Stream& stream, bool keep_open, std::uint64_t& sent)
    : stream_(stream), keep_open_(keep_open), sent_(sent) {
  std::packaged_task<void()> task([this] { run(); });
  done_ = task.get_future();
  thread_ = std::thread(std::move(task));
}

void InputPump::stop() {
  if (!thread_.joinable()) return;
  stopping_.cancel();
  if (done_.wait_for(std::chrono::seconds(1)) != std::future_status::ready) stream_.cancel();
  thread_.join();
}

void InputPump::run() {
  std::array<std::uint8_t, 65536> buffer;
  for (;;) {
    std::array<pollfd, 2> waiting{{{STDIN_FILENO, POLLIN, 0}, {stopping_.descriptor(), POLLIN, 0}}};
    if (::poll(waiting.data(), waiting.size(), -1) < 0 && errno != EINTR) break;
    if (stopping_.canceled()) return;
    if (waiting[0].revents == 0) continue;
    const ssize_t count = ::read(STDIN_FILENO, buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) break;
    const auto written = stream_.write(Bytes(buffer).first(static_cast<std::size_t>(count)));
    sent_ += written ? *written : written.error().transferred;
    if (!written) {
      error_ = written.error();
      return;
    }
  }
  if (keep_open_) return;
  half_closed_ = true;
  if (const auto closed = stream_.close_write(); !closed) error_ = closed.error();
}

}  // namespace lockstep::tool
