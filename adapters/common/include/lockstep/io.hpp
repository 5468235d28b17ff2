#pragma once
// What adapters that do I/O share: errors of system calls, descriptors, addresses, the system's randomness and clock.

#include <chrono>
#include <cstdint>
#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <lockstep/error.hpp>
#include <lockstep/event.hpp>
#include <lockstep/export.hpp>
#include <lockstep/provider.hpp>
#include <lockstep/time.hpp>

namespace lockstep {

/// What was being done.
enum class Operation : std::uint8_t { resolve, connect, listen, accept, handshake, read, write, close, downgrade };

/// What kind of failure it was.
enum class IoCondition : std::uint8_t {
  system,    ///< a system call failed; `number` is its errno
  resolver,  ///< getaddrinfo failed; `number` is its EAI code
  timeout,   ///< the deadline passed
  canceled,  ///< the caller canceled
  tls,       ///< the engine failed or the peer sent an alert; `tls` has the error
  ended,     ///< the stream was closed, by us, before
  misuse,    ///< the call makes no sense here
};

/// Why an operation on a connection failed.
struct IoError {
  Operation operation{};
  IoCondition condition{};
  int number = 0;
  std::optional<Error> tls{};
  /// One line: what was being done, with whom, what happened, what to do.
  std::string text{};
  /// For `write`: plaintext bytes that were taken and are sent, or will be sent first by the next write.
  std::size_t transferred = 0;
};

template <class T>
using IoResult = std::expected<T, IoError>;

[[nodiscard]] LOCKSTEP_API std::string_view name(Operation) noexcept;
[[nodiscard]] LOCKSTEP_API std::string_view name(IoCondition) noexcept;

/// An open file descriptor that closes itself.
class LOCKSTEP_API Descriptor {
 public:
  Descriptor() noexcept = default;
  /// Takes ownership.
  explicit Descriptor(int number) noexcept : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(other.release()) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    if (this != &other) reset(other.release());
    return *this;
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() { reset(); }

  [[nodiscard]] int number() const noexcept { return number_; }
  explicit operator bool() const noexcept { return number_ >= 0; }
  /// Gives up ownership.
  [[nodiscard]] int release() noexcept { return std::exchange(number_, -1); }
  void reset(int number = -1) noexcept;

 private:
  int number_ = -1;
};

/// One end of a connection.
struct Address {
  /// Numeric, with its zone where it has one ("fe80::1%eth0", RFC 4007 11). Of a Unix socket the path, which has a
  /// slash in it, or '@' and its abstract name; empty when it has none, or one with control characters.
  std::string host;
  std::uint16_t port = 0;

  /// "192.0.2.1:443", "[fe80::1%eth0]:443", "/run/app.sock" or "@app".
  [[nodiscard]] LOCKSTEP_API std::string text() const;
  /// What `text` writes; nothing for anything else, names and addresses without a port included.
  [[nodiscard]] LOCKSTEP_API static std::optional<Address> parse(std::string_view text);
  /// Whether it is a Unix socket's.
  [[nodiscard]] LOCKSTEP_API bool is_unix() const noexcept;

  friend bool operator==(const Address&, const Address&) = default;
};

/// Finds the addresses of a name, or of an address in text (brackets are allowed): those to be tried first come first.
using Resolve = std::function<IoResult<std::vector<Address>>(std::string_view host, std::uint16_t port)>;
/// By the system, which may ask the network (getaddrinfo) and cannot be interrupted. What adapters use that are given
/// no other.
[[nodiscard]] LOCKSTEP_API IoResult<std::vector<Address>> resolve(std::string_view host, std::uint16_t port);

/// The moment so long after `now`. The clock's last one where it lies beyond, its first one where it lies before: then
/// `milliseconds::max()` is for ever, as it reads.
template <class Clock, class Duration, class Rep, class Period>
[[nodiscard]] constexpr std::chrono::time_point<Clock, Duration> later(std::chrono::time_point<Clock, Duration> now,
                                                                       std::chrono::duration<Rep, Period> delay) {
  using Moment = std::chrono::time_point<Clock, Duration>;
  const auto ticks = std::chrono::duration<long double, typename Duration::period>(delay).count();
  if (ticks >= static_cast<long double>(Duration::max().count())) return Moment::max();
  if (ticks <= static_cast<long double>(Duration::min().count())) return Moment::min();
  const auto exact = std::chrono::duration_cast<Duration>(delay);
  if (exact > Duration::zero() && now > Moment::max() - exact) return Moment::max();
  if (exact < Duration::zero() && now < Moment::min() - exact) return Moment::min();
  return now + exact;
}

/// The addresses of a connected or bound socket; empty when the system does not tell.
[[nodiscard]] LOCKSTEP_API Address local_address(int descriptor);
[[nodiscard]] LOCKSTEP_API Address peer_address(int descriptor);

/// What the system knows of a TCP connection (TCP_INFO), whatever adapter it belongs to.
struct TcpStatistics {
  std::chrono::microseconds round_trip_time{0};  ///< smoothed
  std::chrono::microseconds round_trip_variation{0};
  std::uint32_t retransmits = 0;           ///< segments that were sent again, since the beginning
  std::uint32_t lost = 0;                  ///< segments that are taken for lost now
  std::uint32_t unacknowledged = 0;        ///< segments on their way now
  std::uint32_t congestion_window = 0;     ///< segments
  std::uint32_t send_segment_size = 0;     ///< bytes
  std::uint32_t receive_segment_size = 0;  ///< bytes
};

/// Of a connected TCP socket, say `Stream::descriptor()`; nothing for others.
[[nodiscard]] LOCKSTEP_API std::optional<TcpStatistics> tcp_statistics(int descriptor) noexcept;

/// An option of a socket, as setsockopt(2) takes it.
struct SocketOption {
  int level = 0;                    ///< SOL_SOCKET, IPPROTO_TCP
  int name = 0;                     ///< SO_KEEPALIVE, TCP_USER_TIMEOUT
  std::vector<std::uint8_t> value;  ///< an int's bytes, most often: `of`

  [[nodiscard]] LOCKSTEP_API static SocketOption of(int level, int name, int value);
};
/// Sets an option of a socket, `Stream::descriptor()` say, at any time; what the system says, which is nothing when it
/// was set.
[[nodiscard]] LOCKSTEP_API std::error_code set_option(int descriptor, const SocketOption& option) noexcept;
/// What an option that is an int has now.
[[nodiscard]] LOCKSTEP_API std::expected<int, std::error_code> get_option(int descriptor, int level, int name) noexcept;

/// The operating system's random generator. Safe from several threads.
class LOCKSTEP_API SystemRandom final : public RandomSource {
 public:
  [[nodiscard]] bool fill(MutableBytes out) noexcept override;
};

/// The operating system's wall clock.
[[nodiscard]] LOCKSTEP_API Time system_time() noexcept;

/// A line in the format that Wireshark reads (SSLKEYLOGFILE), without a line end. Whoever reads it reads the
/// connection.
[[nodiscard]] LOCKSTEP_API std::string key_log_line(const SecretLogged& secret);

/// Which handshakes' secrets go into a key log.
enum class KeyLogOf : std::uint8_t {
  every_handshake,
  failed_handshakes,  ///< held until the handshake fails, and wiped when it is complete
};

/// The lines of one connection on their way to its key log.
class LOCKSTEP_API KeyLog {
 public:
  using Write = std::function<void(std::string_view line)>;
  /// `write` may be empty.
  KeyLog(Write write, KeyLogOf of) : write_(std::move(write)), of_(of) {}
  KeyLog(const KeyLog&) = delete;
  KeyLog& operator=(const KeyLog&) = delete;
  ~KeyLog() { complete(); }

  void add(const SecretLogged& secret);
  /// The handshake is complete.
  void complete() noexcept;
  /// The connection has failed: during a handshake that did not end, perhaps.
  void failed();

 private:
  Write write_;
  KeyLogOf of_;
  std::vector<std::string> held_;
};

}  // namespace lockstep
