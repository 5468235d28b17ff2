#include <array>
#include <bit>
#include <cerrno>
#include <chrono>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include <lockstep/io.hpp>

#include "common/sockets.hpp"

namespace lockstep {

std::string_view name(Operation operation) noexcept {
  switch (operation) {
    case Operation::resolve: return "resolve";
    case Operation::connect: return "connect";
    case Operation::listen: return "listen";
    case Operation::accept: return "accept";
    case Operation::handshake: return "handshake";
    case Operation::read: return "read";
    case Operation::write: return "write";
    case Operation::close: return "close";
    case Operation::downgrade: return "downgrade";
  }
  return {};
}

std::string_view name(IoCondition condition) noexcept {
  switch (condition) {
    case IoCondition::system: return "system";
    case IoCondition::resolver: return "resolver";
    case IoCondition::timeout: return "timeout";
    case IoCondition::canceled: return "canceled";
    case IoCondition::tls: return "tls";
    case IoCondition::ended: return "ended";
    case IoCondition::misuse: return "misuse";
  }
  return {};
}

void Descriptor::reset(int number) noexcept {
  // After EINTR the descriptor is closed on Linux; trying again could close another thread's.
  if (number_ >= 0) ::close(number_);
  number_ = number;
}

std::optional<TcpStatistics> tcp_statistics(int descriptor) noexcept {
  tcp_info info{};
  socklen_t size = sizeof info;
  if (::getsockopt(descriptor, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return {};
  return TcpStatistics{.round_trip_time = std::chrono::microseconds(info.tcpi_rtt),
                       .round_trip_variation = std::chrono::microseconds(info.tcpi_rttvar),
                       .retransmits = info.tcpi_total_retrans,
                       .lost = info.tcpi_lost,
                       .unacknowledged = info.tcpi_unacked,
                       .congestion_window = info.tcpi_snd_cwnd,
                       .send_segment_size = info.tcpi_snd_mss,
                       .receive_segment_size = info.tcpi_rcv_mss};
}

SocketOption SocketOption::of(int level, int name, int value) {
  const auto bytes = std::bit_cast<std::array<std::uint8_t, sizeof value>>(value);
  return {.level = level, .name = name, .value = {bytes.begin(), bytes.end()}};
}

std::error_code set_option(int descriptor, const SocketOption& option) noexcept {
  return {sockets::set_options(descriptor, {&option, 1}), std::system_category()};
}

std::expected<int, std::error_code> get_option(int descriptor, int level, int name) noexcept {
  int value = 0;
  socklen_t size = sizeof value;
  if (::getsockopt(descriptor, level, name, &value, &size) != 0)
    return std::unexpected(std::error_code(errno, std::system_category()));
  return value;
}

bool SystemRandom::fill(MutableBytes out) noexcept {
  while (!out.empty()) {
    const ssize_t n = ::getrandom(out.data(), out.size(), 0);
    if (n < 0) {
      if (errno == EINTR) continue;
      return false;
    }
    out = out.subspan(static_cast<std::size_t>(n));
  }
  return true;
}

Time system_time() noexcept { return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now()); }

std::string key_log_line(const SecretLogged& secret) {
  std::string line(secret.label);
  line.reserve(line.size() + 2 + 2 * (secret.client_random.size() + secret.secret.size()));
  const auto append_hex = [&](Bytes bytes) {
    constexpr std::string_view digits = "0123456789abcdef";
    line += ' ';
    for (const std::uint8_t byte : bytes) {
      line += digits[byte >> 4U];
      line += digits[byte & 15U];
    }
  };
  append_hex(secret.client_random);
  append_hex(secret.secret);
  return line;
}

void KeyLog::add(const SecretLogged& secret) {
  if (!write_) return;
  std::string line = key_log_line(secret);
  if (of_ == KeyLogOf::every_handshake) {
    write_(line);
    wipe({reinterpret_cast<std::uint8_t*>(line.data()), line.size()});
  } else {
    held_.push_back(std::move(line));
  }
}

void KeyLog::complete() noexcept {
  for (std::string& line : held_) wipe({reinterpret_cast<std::uint8_t*>(line.data()), line.size()});
  held_.clear();
}

void KeyLog::failed() {
  for (const std::string& line : held_) write_(line);
  complete();
}

}  // namespace lockstep
