#include "blocking/wait.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <limits>
#include <string>
#include <utility>

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

namespace lockstep::blocking {

// --- canceller -------------------------------------------------------------------------------------------------------

struct Canceller::Signal {
  Descriptor event{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
  int error = event ? 0 : errno;
  std::atomic<bool> canceled{false};
};

Canceller::Canceller() : signal_(std::make_shared<Signal>()) {}

void Canceller::cancel() const noexcept {
  if (signal_->canceled.exchange(true, std::memory_order_acq_rel)) return;
  // The counter stays up, so that every wait from now on ends at once. Writing 1 to it can neither block nor fail.
  const std::uint64_t one = 1;
  if (signal_->event) (void)!::write(signal_->event.number(), &one, sizeof one);
}

bool Canceller::canceled() const noexcept { return signal_->canceled.load(std::memory_order_acquire); }

int Canceller::descriptor() const noexcept { return signal_->event.number(); }

// --- waiting ---------------------------------------------------------------------------------------------------------

namespace {

/// Milliseconds for poll, rounded up so that it does not wake early and spin; -1 for ever.
int poll_timeout(Deadline deadline) {
  if (!deadline) return -1;
  if (*deadline <= Clock::now()) return 0;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(*deadline - Clock::now()).count();
  if (left <= 0) return 0;
  constexpr auto most = std::chrono::milliseconds::rep{std::numeric_limits<int>::max()};
  return static_cast<int>(left < most ? left : most);
}

bool would_block(int number) {
  return number == EAGAIN || number == EWOULDBLOCK;  // NOLINT(misc-redundant-expression): equal on Linux only
}

/// Repeats a call that never blocks until it does something, waiting in between.
template <class Call>
IoResult<std::size_t> repeat(int descriptor, short events, Operation operation, Deadline deadline,
                             const Canceller& canceller, Call call) {
  for (;;) {
    if (auto go_on = check(operation, deadline, canceller); !go_on) return std::unexpected(std::move(go_on.error()));
    const ssize_t n = call();
    if (n >= 0) return static_cast<std::size_t>(n);
    if (errno == EINTR) continue;
    // ENOBUFS: the interface's queue is full for a moment; poll would return at once, but the kernel drains it.
    if (!would_block(errno) && errno != ENOBUFS) return std::unexpected(system_error(operation, errno));
    if (auto ready = wait_for(descriptor, events, operation, deadline, canceller); !ready) {
      return std::unexpected(std::move(ready.error()));
    }
  }
}

}  // namespace

IoResult<void> check(Operation operation, Deadline deadline, const Canceller& canceller) {
  if (canceller.canceled()) return std::unexpected(canceled_error(operation, "canceled by the application"));
  if (deadline && Clock::now() >= *deadline) {
    return std::unexpected(
        timeout_error(operation, "the deadline passed; allow more time, or find out why the peer is silent"));
  }
  return {};
}

IoResult<void> wait_for(std::span<pollfd> watched, Operation operation, Deadline deadline, const Canceller& canceller) {
  if (canceller.descriptor() < 0) return std::unexpected(system_error(operation, EMFILE));
  const auto closed = [&](std::string_view whose) {
    IoError error = system_error(operation, EBADF);
    error.text += ": something in this process has closed the descriptor of the " + std::string(whose);
    return std::unexpected(std::move(error));
  };
  watched.back() = {.fd = canceller.descriptor(), .events = POLLIN, .revents = 0};
  const auto descriptors = watched.first(watched.size() - 1);
  for (;;) {
    if (auto go_on = check(operation, deadline, canceller); !go_on) return go_on;
    const int n = ::poll(watched.data(), watched.size(), poll_timeout(deadline));
    if (n < 0 && errno != EINTR) return std::unexpected(system_error(operation, errno));
    if (n <= 0) continue;
    // It becomes readable when canceled, and by nothing else: otherwise it is closed, or somebody else's by now.
    if (watched.back().revents != 0 && !canceller.canceled()) return closed("canceller");
    if (watched.back().revents != 0) continue;
    if (std::ranges::any_of(descriptors, [](const pollfd& each) { return (each.revents & POLLNVAL) != 0; })) {
      return closed("socket");
    }
    return {};
  }
}

IoResult<void> wait_for(int descriptor, short events, Operation operation, Deadline deadline,
                        const Canceller& canceller) {
  std::array<pollfd, 2> watched{{{.fd = descriptor, .events = events, .revents = 0}, {}}};
  return wait_for(watched, operation, deadline, canceller);
}

IoResult<std::size_t> receive_some(int descriptor, MutableBytes out, Operation operation, Deadline deadline,
                                   const Canceller& canceller) {
  return repeat(descriptor, POLLIN, operation, deadline, canceller,
                [&] { return ::recv(descriptor, out.data(), out.size(), MSG_DONTWAIT); });
}

IoResult<std::size_t> send_some(int descriptor, Bytes bytes, Operation operation, Deadline deadline,
                                const Canceller& canceller) {
  return repeat(descriptor, POLLOUT, operation, deadline, canceller,
                [&] { return ::send(descriptor, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL); });
}

std::size_t send_now(int descriptor, Bytes bytes) noexcept {
  std::size_t sent = 0;
  while (sent < bytes.size()) {
    const Bytes rest = bytes.subspan(sent);
    const ssize_t n = ::send(descriptor, rest.data(), rest.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    sent += static_cast<std::size_t>(n);
  }
  return sent;
}

std::size_t receive_now(int descriptor, MutableBytes out) noexcept {
  for (;;) {
    const ssize_t n = ::recv(descriptor, out.data(), out.size(), MSG_DONTWAIT);
    if (n >= 0) return static_cast<std::size_t>(n);
    if (errno != EINTR) return 0;
  }
}

void end_orderly(int descriptor, sockets::Lingering lingering, const Canceller& canceller) noexcept {
  ::shutdown(descriptor, SHUT_WR);
  std::array<std::uint8_t, 4096> discarded;
  for (;;) {
    const auto now = Clock::now();
    const auto look_again = lingering.look(now, sockets::unacknowledged(descriptor));
    if (look_again <= now) break;
    const auto n = receive_some(descriptor, discarded, Operation::close, look_again, canceller);
    if (n && *n == 0) break;
    if (n) {
      lingering.heard();
    } else if (n.error().condition != IoCondition::timeout) {
      break;
    }
  }
  ::shutdown(descriptor, SHUT_RD);
}

}  // namespace lockstep::blocking
