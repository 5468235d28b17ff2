// The backend over epoll: level-triggered, one descriptor per stream, output tried at once and waited for only when the
// socket is full.

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <limits>
#include <span>
#include <utility>

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <lockstep/epoll.hpp>

#include "common/kernel_tls.hpp"
#include "common/sockets.hpp"
#include "loop/backend.hpp"
#include "loop/loop_core.hpp"
#include "loop/stream_core.hpp"

namespace lockstep::epoll {
namespace {

using loop::ListenerCore;
using loop::LoopCore;
using loop::StreamCore;

/// What a stream is registered for lives in its backend_flags: EPOLLIN, EPOLLOUT, and these.
constexpr std::uint32_t kRegistered = 1U << 20U;
constexpr std::uint32_t kBlocked = 1U << 21U;  // the socket took less than there was

/// How much one stream may take or give before the others have their turn.
constexpr int kReceivesPerTurn = 2;
constexpr std::size_t kMostContent = 16384;  // of a record
constexpr int kAcceptsPerTurn = 64;

bool would_block(int error) {
  return error == EAGAIN || error == EWOULDBLOCK;  // NOLINT(misc-redundant-expression): equal on Linux only
}

class EpollBackend final : public loop::Backend {
 public:
  EpollBackend(Descriptor epoll, Descriptor wakeup) noexcept : epoll_(std::move(epoll)), wakeup_(std::move(wakeup)) {}

  [[nodiscard]] std::string_view name() const noexcept override { return "epoll"; }
  [[nodiscard]] bool receives_records() const noexcept override { return true; }
  void attach(LoopCore& core) noexcept override { loop_ = &core; }

  [[nodiscard]] int open(StreamCore& stream) noexcept override {
    stream.backend_flags &= kRegistered;
    if (accepting_with_bytes_ && with_bytes_count_ < with_bytes_.size()) with_bytes_[with_bytes_count_++] = &stream;
    return watch(stream, EPOLLIN);
  }

  void connect(StreamCore& stream, const sockaddr* address, socklen_t size) noexcept override {
    stream.backend_flags = 0;
    if (::connect(stream.socket(), address, size) == 0) {
      stream.connected(0);
    } else if (errno != EINPROGRESS && errno != EINTR) {
      stream.connected(errno);
    } else if (const int error = watch(stream, EPOLLOUT); error != 0) {
      stream.connected(error);
    }
  }

  void abandon(StreamCore& stream) noexcept override { forget(stream); }

  void update(StreamCore& stream) noexcept override {
    if (stream.wants_send() && (stream.backend_flags & kBlocked) == 0) send(stream);
    if (stream.let_go()) return;
    const std::uint32_t wanted =
        (stream.wants_receive() ? EPOLLIN : 0U) | ((stream.backend_flags & kBlocked) != 0 ? EPOLLOUT : 0U);
    if (const int error = watch(stream, wanted); error != 0) stream.receive_failed(error);
  }

  void release(StreamCore& stream) noexcept override {
    forget(stream);
    stream.released();
  }

  [[nodiscard]] int listen(ListenerCore& listener) noexcept override {
    epoll_event event{.events = EPOLLIN, .data = {.ptr = tagged(listener)}};
    return ::epoll_ctl(epoll_.number(), EPOLL_CTL_ADD, listener.socket.number(), &event) == 0 ? 0 : errno;
  }

  void unlisten(ListenerCore& listener) noexcept override {
    (void)::epoll_ctl(epoll_.number(), EPOLL_CTL_DEL, listener.socket.number(), nullptr);
    listener.released();
  }

  [[nodiscard]] bool wait(int milliseconds) noexcept override {
    // A failure, EINTR above all, counts as nothing having happened.
    const int count = ::epoll_wait(epoll_.number(), events_.data(), static_cast<int>(events_.size()), milliseconds);
    loop_->refresh_now();
    // A stream or listener that ends in this turn is destroyed after it, so that all pointers here are good.
    for (int i = 0; i < count; ++i) dispatch(events_[static_cast<std::size_t>(i)]);
    return true;
  }

  void wake() noexcept override {
    const std::uint64_t one = 1;
    (void)!::write(wakeup_.number(), &one, sizeof one);
  }

 private:
  /// Listeners are told from streams by the lowest bit, the wake-up by being null.
  static void* tagged(ListenerCore& listener) noexcept {
    return reinterpret_cast<void*>(reinterpret_cast<std::uintptr_t>(&listener) | 1U);
  }

  void dispatch(const epoll_event& event) noexcept {
    if (event.data.ptr == nullptr) {
      std::uint64_t count = 0;
      (void)!::read(wakeup_.number(), &count, sizeof count);
      return;
    }
    const auto pointer = reinterpret_cast<std::uintptr_t>(event.data.ptr);
    if ((pointer & 1U) != 0) {
      accept(*reinterpret_cast<ListenerCore*>(pointer & ~std::uintptr_t{1}));
      return;
    }
    auto& stream = *static_cast<StreamCore*>(event.data.ptr);
    if (stream.let_go()) return;
    if (stream.connecting()) {
      finish_connect(stream);
      return;
    }
    if ((event.events & EPOLLOUT) != 0) {
      stream.backend_flags &= ~kBlocked;
      update(stream);
      if (stream.let_go()) return;
    }
    if ((event.events & (EPOLLIN | EPOLLERR | EPOLLHUP)) == 0) return;
    if (stream.lingers() && (event.events & (EPOLLERR | EPOLLHUP)) != 0) return stream.receive_ended();
    if (stream.wants_receive()) {
      receive(stream);
    } else if ((event.events & (EPOLLERR | EPOLLHUP)) != 0) {
      // It would be reported over and over; when bytes are wanted again, or are to be sent, it will be noticed.
      forget(stream);
      if (stream.has_output()) stream.look_again();
    }
  }

  static void finish_connect(StreamCore& stream) noexcept {
    int error = 0;
    socklen_t size = sizeof error;
    if (::getsockopt(stream.socket(), SOL_SOCKET, SO_ERROR, &error, &size) != 0) error = errno;
    stream.connected(error);
  }

  static void receive(StreamCore& stream) noexcept {
    for (int i = 0; i < kReceivesPerTurn && !stream.let_go() && stream.wants_receive(); ++i) {
      const MutableBytes space = stream.receive_space();
      if (space.empty()) {
        stream.receive_failed(ENOMEM);
        return;
      }
      const bool by_kernel = stream.kernel_receives();
      const ssize_t size = by_kernel ? receive_record(stream.socket(), space)
                                     : ::recv(stream.socket(), space.data(), space.size(), MSG_DONTWAIT);
      if (size > 0) {
        stream.received(static_cast<std::size_t>(size));
        if (static_cast<std::size_t>(size) < space.size() && !by_kernel) return;  // no more for now
      } else if (size == 0) {
        stream.receive_ended();
        return;
      } else if (errno != EINTR) {
        if (would_block(errno) || errno == ENOBUFS) {
          stream.received_nothing();
        } else {
          stream.receive_failed(errno);
        }
        return;
      }
    }
  }

  /// From a kernel that opens records: one record's content, with a header in front that says what it is.
  static ssize_t receive_record(int socket, MutableBytes space) noexcept {
    constexpr std::size_t kHeader = Connection::kRecordHeader;
    iovec piece{space.data() + kHeader, std::min<std::size_t>(space.size() - kHeader, kMostContent)};
    msghdr message{};
    message.msg_iov = &piece;
    message.msg_iovlen = 1;
    kernel_tls::Control control;
    kernel_tls::expect_record_type(message, control);
    const ssize_t size = ::recvmsg(socket, &message, MSG_DONTWAIT);
    if (size <= 0) return size;
    const std::array<std::uint8_t, kHeader> header{
        kernel_tls::record_type(message), 3, 3, static_cast<std::uint8_t>(size >> 8U), static_cast<std::uint8_t>(size)};
    std::ranges::copy(header, space.begin());
    return size + static_cast<ssize_t>(kHeader);
  }

  static void send(StreamCore& stream) noexcept {
    while (stream.has_output()) {
      std::array<iovec, 16> pieces;
      msghdr message{};
      message.msg_iov = pieces.data();
      message.msg_iovlen = stream.output(pieces);
      kernel_tls::Control control;
      if (const std::uint8_t type = stream.output_type(); type != 0) {
        kernel_tls::set_record_type(message, control, type);
      }
      const int more = stream.says_last() ? MSG_MORE : 0;
      const ssize_t size = ::sendmsg(stream.socket(), &message, MSG_DONTWAIT | MSG_NOSIGNAL | more);
      if (size >= 0) {
        std::size_t given = 0;
        for (std::size_t i = 0; i < message.msg_iovlen; ++i) given += pieces[i].iov_len;
        stream.sent(static_cast<std::size_t>(size));
        if (stream.let_go()) return;
        if (static_cast<std::size_t>(size) == given) {  // the rest, and what `sent` brought forth, has the next turn
          if (stream.has_output()) stream.look_again();
          return;
        }
      } else if (errno == EINTR) {
        continue;
      } else if (would_block(errno) || errno == ENOBUFS) {
        stream.backend_flags |= kBlocked;
        return;
      } else {
        stream.send_failed(errno);
        return;
      }
    }
  }

  void accept(ListenerCore& listener) noexcept {
    accepting_with_bytes_ = listener.with_bytes;
    accept_all(listener);
    accepting_with_bytes_ = false;
    for (StreamCore* stream : std::span(with_bytes_).first(std::exchange(with_bytes_count_, 0))) {
      if (!stream->let_go() && stream->wants_receive()) receive(*stream);
    }
  }

  void accept_all(ListenerCore& listener) noexcept {
    for (int i = 0; i < kAcceptsPerTurn && listener.listening; ++i) {
      Descriptor accepted(::accept4(listener.socket.number(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
      if (accepted) {
        listener.accepted(std::move(accepted));
      } else if (would_block(errno)) {
        return;
      } else if (!listener.failed_once(errno)) {
        return;
      }
    }
  }

  /// 0 or an errno.
  [[nodiscard]] int watch(StreamCore& stream, std::uint32_t wanted) noexcept {
    constexpr std::uint32_t kInterest = EPOLLIN | EPOLLOUT;
    const bool registered = (stream.backend_flags & kRegistered) != 0;
    if (registered && (stream.backend_flags & kInterest) == wanted) return 0;
    epoll_event event{.events = wanted, .data = {.ptr = &stream}};
    const int operation = registered ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
    if (::epoll_ctl(epoll_.number(), operation, stream.socket(), &event) != 0) return errno;
    stream.backend_flags = (stream.backend_flags & ~kInterest) | wanted | kRegistered;
    return 0;
  }

  void forget(StreamCore& stream) noexcept {
    if ((stream.backend_flags & kRegistered) != 0) {
      (void)::epoll_ctl(epoll_.number(), EPOLL_CTL_DEL, stream.socket(), nullptr);
    }
    stream.backend_flags = 0;
  }

  LoopCore* loop_ = nullptr;
  Descriptor epoll_;
  Descriptor wakeup_;
  std::array<epoll_event, 256> events_{};
  bool accepting_with_bytes_ = false;
  std::array<StreamCore*, kAcceptsPerTurn> with_bytes_{};
  std::size_t with_bytes_count_ = 0;
};

}  // namespace

IoResult<std::unique_ptr<loop::Loop>> make_loop(const loop::LoopOptions& options) {
  Descriptor epoll(::epoll_create1(EPOLL_CLOEXEC));
  if (!epoll) return std::unexpected(sockets::system_error(Operation::listen, errno));
  Descriptor wakeup(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!wakeup) return std::unexpected(sockets::system_error(Operation::listen, errno));
  epoll_event event{.events = EPOLLIN, .data = {.ptr = nullptr}};
  if (::epoll_ctl(epoll.number(), EPOLL_CTL_ADD, wakeup.number(), &event) != 0) {
    return std::unexpected(sockets::system_error(Operation::listen, errno));
  }
  return std::make_unique<loop::Loop>(
      std::make_unique<LoopCore>(std::make_unique<EpollBackend>(std::move(epoll), std::move(wakeup)), options));
}

}  // namespace lockstep::epoll
