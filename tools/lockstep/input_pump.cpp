#include "input_pump.hpp"

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <utility>

#include <poll.h>
#include <unistd.h>

namespace lockstep::tool {

std::string CrlfLines::of(std::string_view bytes) {
  std::string lines;
  lines.reserve(bytes.size() + bytes.size() / 16);
  for (const char c : bytes) {
    if (c == '\n' && !behind_cr_) lines += '\r';
    behind_cr_ = c == '\r';
    lines += c;
  }
  return lines;
}

InputPump::InputPump(blocking::Stream& stream, InputOptions options, std::uint64_t& sent)
    : stream_(stream), options_(options), sent_(sent) {
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
  // Signals are for the thread that made this one, whose waiting they have to end.
  sigset_t all;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
  std::array<std::uint8_t, 65536> buffer;
  for (;;) {
    std::array<pollfd, 2> waiting{{{STDIN_FILENO, POLLIN, 0}, {stopping_.descriptor(), POLLIN, 0}}};
    if (::poll(waiting.data(), waiting.size(), -1) < 0 && errno != EINTR) break;
    if (stopping_.canceled()) return;
    if (waiting[0].revents == 0) continue;
    const ssize_t count = ::read(STDIN_FILENO, buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) break;
    const Bytes bytes = Bytes(buffer).first(static_cast<std::size_t>(count));
    if (!(options_.crlf ? send(as_bytes(lines_.of(as_text(bytes)))) : send(bytes))) return;
  }
  if (options_.keep_open) return;
  half_closed_ = true;
  if (const auto closed = stream_.close_write(); !closed) error_ = closed.error();
}

bool InputPump::send(Bytes bytes) {
  const auto written = stream_.write(bytes);
  sent_ += written ? *written : written.error().transferred;
  if (!written) error_ = written.error();
  return written.has_value();
}

}  // namespace lockstep::tool
