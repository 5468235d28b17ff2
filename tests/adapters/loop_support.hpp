#pragma once
// Loops of every kind, driven turn by turn, with handlers that write down what they hear.

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <lockstep/epoll.hpp>
#include <lockstep/loop.hpp>
#if LOCKSTEP_HAS_URING
#include <lockstep/uring.hpp>
#endif

#include "support.hpp"

namespace lockstep::testing {

using namespace std::chrono_literals;

struct LoopKind {
  std::string_view name;
  IoResult<std::unique_ptr<loop::Loop>> (*make)(const loop::LoopOptions&);
};
inline std::vector<LoopKind> loop_kinds() {
  return {
      {"epoll", epoll::make_loop},
#if LOCKSTEP_HAS_URING
      {"uring", uring::make_loop},
#endif
  };
}

inline std::string kind_name(const ::testing::TestParamInfo<LoopKind>& kind) { return std::string(kind.param.name); }

/// What one busy connection may hold, the blocks of io_uring's ring that came at once included.
inline constexpr std::size_t kMemoryOfOneTransfer = 70 * 69'632;

/// A failed result stops the test with the error's text.
template <class T>
T must(IoResult<T> result) {
  if (!result) throw std::runtime_error(result.error().text);
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

inline std::pair<Descriptor, Descriptor> socket_pair() {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()) != 0) throw std::runtime_error("socketpair");
  return {Descriptor(ends[0]), Descriptor(ends[1])};
}

/// A socket connected to a port of loopback.
inline Descriptor tcp_connect(std::uint16_t port) {
  Descriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(socket.number(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    throw std::runtime_error("connect");
  }
  return socket;
}

/// What happened to one stream. Outlives it.
struct Log {
  loop::Stream* stream = nullptr;  ///< null before it opens and after it closes
  std::string received;
  std::vector<std::string>
      calls;  ///< "open", "handshake", "end", "writable", "plain", "moved", "deadline read", "drain"
  bool open = false;
  bool handshake = false;
  bool resumed = false;
  bool ended = false;
  bool plain = false;
  bool moved = false;
  bool closed = false;
  std::optional<IoError> error;
  std::uint64_t writable = 0;
  std::uint64_t readable = 0;
};

/// Writes down what it hears, and does what its hooks say; without them, it reads everything and closes at the end.
class Scribe : public loop::Handler {
 public:
  using Hook = std::function<void(loop::Stream&)>;
  explicit Scribe(std::shared_ptr<Log> log) : log_(std::move(log)) {}

  Hook on_open_do, on_handshake_do, on_readable_do, on_writable_do, on_end_do, on_plain_do, on_moved_do, on_drain_do;
  std::function<void(loop::Stream&, Operation)> on_deadline_do;
  std::function<bool(loop::Stream&)> on_not_tls_do;
  std::function<bool(loop::Stream&, Event&)> on_event_do;

  void on_open(loop::Stream& stream) override {
    log_->stream = &stream;
    log_->open = true;
    note("open");
    if (on_open_do) on_open_do(stream);
  }
  void on_handshake(loop::Stream& stream, const HandshakeComplete& complete) override {
    log_->handshake = true;
    log_->resumed = complete.resumed;
    note("handshake");
    if (on_handshake_do) on_handshake_do(stream);
  }
  void on_readable(loop::Stream& stream) override {
    ++log_->readable;
    if (on_readable_do) return on_readable_do(stream);
    take(stream);
  }
  void on_writable(loop::Stream& stream) override {
    ++log_->writable;
    note("writable");
    if (on_writable_do) on_writable_do(stream);
  }
  void on_end(loop::Stream& stream) override {
    log_->ended = true;
    note("end");
    if (on_end_do) return on_end_do(stream);
    Handler::on_end(stream);
  }
  void on_plain(loop::Stream& stream) override {
    log_->plain = true;
    note("plain");
    if (on_plain_do) on_plain_do(stream);
  }
  bool on_not_tls(loop::Stream& stream) override {
    note("not_tls");
    return on_not_tls_do && on_not_tls_do(stream);
  }
  void on_moved(loop::Stream& stream) override {
    log_->moved = true;
    note("moved");
    if (on_moved_do) on_moved_do(stream);
  }
  void on_drain(loop::Stream& stream) override {
    note("drain");
    if (on_drain_do) return on_drain_do(stream);
    Handler::on_drain(stream);
  }
  void on_deadline(loop::Stream& stream, Operation operation) override {
    note("deadline " + std::string(name(operation)));
    if (on_deadline_do) return on_deadline_do(stream, operation);
    Handler::on_deadline(stream, operation);
  }
  bool on_event(loop::Stream& stream, Event& event) override {
    return on_event_do ? on_event_do(stream, event) : false;
  }
  void on_closed(loop::Stream&, const IoError* error) override {
    EXPECT_FALSE(log_->closed) << "on_closed is the last call";
    log_->closed = true;
    log_->stream = nullptr;
    if (error != nullptr) log_->error = *error;
    note("closed");
  }

  void take(loop::Stream& stream) {
    while (!stream.readable().empty()) {
      const Bytes view = stream.readable();
      log_->received += as_text(view);
      stream.consume(view.size());
    }
  }

  [[nodiscard]] Log& log() const { return *log_; }

 private:
  void note(std::string call) {
    EXPECT_TRUE(!log_->closed || call == "closed") << call << " after on_closed";
    log_->calls.push_back(std::move(call));
  }
  std::shared_ptr<Log> log_;
};

/// Sends back what comes, within the bounds of what the stream takes.
class EchoScribe final : public Scribe {
 public:
  explicit EchoScribe(std::shared_ptr<Log> log) : Scribe(std::move(log)) {
    on_readable_do = on_writable_do = [](loop::Stream& stream) {
      while (!stream.readable().empty()) {
        const auto taken = stream.write(stream.readable());
        if (!taken || *taken == 0) return;
        stream.consume(*taken);
      }
    };
  }
};

/// Bytes whose every position can be told from the next.
inline std::string pattern(std::size_t size) {
  std::string bytes(size, '\0');
  std::uint32_t state = 1;
  for (char& byte : bytes) byte = static_cast<char>((state = state * 1'664'525U + 1'013'904'223U) >> 24U);
  return bytes;
}

/// Writes all of a text, in as many calls as the stream wants.
class Writer {
 public:
  explicit Writer(std::string text) : text_(std::move(text)) {}
  /// To be called from on_handshake and on_writable.
  void operator()(loop::Stream& stream) {
    while (done_ < text_.size()) {
      const auto taken = stream.write(as_bytes(std::string_view(text_).substr(done_)));
      ASSERT_TRUE(taken) << taken.error().text;
      if (*taken == 0) return;
      done_ += *taken;
    }
  }
  [[nodiscard]] bool done() const { return done_ == text_.size(); }

 private:
  std::string text_;
  std::size_t done_ = 0;
};

class LoopTest : public ::testing::TestWithParam<LoopKind> {
 protected:
  loop::Options client_options() const {
    return {.config = built(client_config()),
            .answers = setup_of({.provider = provider(), .anchors = root_.anchors()}),
            .random = &random(),
            .clock = fixed_clock};
  }
  loop::Options server_options() const {
    return {.config = built(server_config()),
            .answers = setup_of(
                {.provider = provider(), .credentials = {leaf_}, .anchors = root_.anchors(), .ticket_keys = keyring_}),
            .random = &random(),
            .clock = fixed_clock};
  }

  std::unique_ptr<loop::Loop> make_loop(const loop::LoopOptions& options = {}) const {
    return must(GetParam().make(options));
  }

  /// Turns of the loop until it is so. Fails the test after ten seconds.
  void turn_until(const std::function<bool()>& done) {
    const auto limit = std::chrono::steady_clock::now() + 10s;
    while (!done()) {
      loop_->run_once(20ms);
      if (std::chrono::steady_clock::now() <= limit) continue;
      ADD_FAILURE() << "it did not come to pass in ten seconds";
      throw std::runtime_error("turn_until");
    }
  }
  /// So many milliseconds of turns.
  void turn_for(std::chrono::milliseconds time) {
    const auto limit = std::chrono::steady_clock::now() + time;
    while (std::chrono::steady_clock::now() < limit) loop_->run_once(5ms);
  }

  struct End {
    std::shared_ptr<Log> log = std::make_shared<Log>();
    std::unique_ptr<Scribe> handler = std::make_unique<Scribe>(log);
  };
  static End echo_end() {
    End end;
    end.handler = std::make_unique<EchoScribe>(end.log);
    return end;
  }

  loop::Stream& wrap_client(Descriptor socket, End& end, loop::Options options) {
    return *must(
        loop_->wrap(std::move(socket), std::move(options), std::move(end.handler), {.name = dns("example.com")}));
  }
  loop::Stream& wrap_client(Descriptor socket, End& end) {
    return wrap_client(std::move(socket), end, client_options());
  }
  loop::Stream& wrap_server(Descriptor socket, End& end, loop::Options options) {
    return *must(loop_->wrap(std::move(socket), std::move(options), std::move(end.handler)));
  }
  loop::Stream& wrap_server(Descriptor socket, End& end) {
    return wrap_server(std::move(socket), end, server_options());
  }

  /// Both ends over a socket pair, not yet shaken.
  void connect(End& client, End& server, loop::Options client_side, loop::Options server_side) {
    auto [a, b] = socket_pair();
    wrap_server(std::move(b), server, std::move(server_side));
    wrap_client(std::move(a), client, std::move(client_side));
  }
  void connect(End& client, End& server) { connect(client, server, client_options(), server_options()); }

  /// Those that io_uring's ring always has.
  [[nodiscard]] static std::size_t kept_buffers() { return GetParam().name == "uring" ? 64 : 0; }

  Authority root_;
  std::shared_ptr<const Credential> leaf_ = root_.issue({});
  std::shared_ptr<TicketKeyring> keyring_ = TicketKeyring::create(provider(), random());
  std::unique_ptr<loop::Loop> loop_ = make_loop();
};

}  // namespace lockstep::testing
