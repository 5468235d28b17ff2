#include "faults.hpp"

#include <atomic>
#include <cerrno>

#include <dlfcn.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#if LOCKSTEP_HAS_URING
#include <liburing.h>
#endif

namespace lockstep::testing::faults {
namespace {

std::atomic<int> armed_call{-1};
std::atomic<int> armed_number{0};
std::atomic<int> countdown{0};
std::atomic<bool> fired{false};

/// Whether this very call is the one.
bool strikes(Call call) {
  if (armed_call.load() != static_cast<int>(call)) return false;
  if (countdown.fetch_sub(1) != 1) return false;
  fired = true;
  return true;
}

template <class Function>
Function* next(const char* symbol) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, symbol));
}

}  // namespace

std::string_view name(Call call) {
  switch (call) {
    case Call::recv: return "recv";
    case Call::send: return "send";
    case Call::sendmsg: return "sendmsg";
    case Call::accept4: return "accept4";
    case Call::connect: return "connect";
    case Call::poll: return "poll";
    case Call::epoll_wait: return "epoll_wait";
    case Call::epoll_ctl: return "epoll_ctl";
    case Call::uring_recv: return "uring_recv";
    case Call::uring_send: return "uring_send";
    case Call::uring_accept: return "uring_accept";
    case Call::uring_connect: return "uring_connect";
    case Call::uring_submit: return "uring_submit";
  }
  return {};
}

void arm(Call call, int number, int nth) {
  armed_call = -1;
  fired = false;
  armed_number = number;
  countdown = nth;
  armed_call = static_cast<int>(call);
}

bool disarm() {
  armed_call = -1;
  return fired;
}

namespace {

/// Fails, or lets a shorter call through.
template <class Fail, class Through>
auto strike(Fail fail, Through through) {
  const int number = armed_number;
  if (number == 0) return through();
  errno = number;
  return fail;
}

}  // namespace

// Seen by the libraries where those are shared, too.
#pragma GCC visibility push(default)
extern "C" {

ssize_t recv(int socket, void* buffer, size_t size, int flags) {
  static auto* const real = next<decltype(recv)>("recv");
  if (strikes(Call::recv)) return strike(ssize_t{-1}, [&] { return real(socket, buffer, 1, flags); });
  return real(socket, buffer, size, flags);
}

ssize_t send(int socket, const void* buffer, size_t size, int flags) {
  static auto* const real = next<decltype(send)>("send");
  if (strikes(Call::send)) return strike(ssize_t{-1}, [&] { return real(socket, buffer, 1, flags); });
  return real(socket, buffer, size, flags);
}

ssize_t sendmsg(int socket, const msghdr* message, int flags) {
  static auto* const real = next<decltype(sendmsg)>("sendmsg");
  if (strikes(Call::sendmsg)) {
    return strike(ssize_t{-1}, [&] {
      iovec first = message->msg_iov[0];
      first.iov_len = 1;
      msghdr little = *message;
      little.msg_iov = &first;
      little.msg_iovlen = 1;
      return real(socket, &little, flags);
    });
  }
  return real(socket, message, flags);
}

int accept4(int socket, sockaddr* address, socklen_t* size, int flags) {
  static auto* const real = next<decltype(accept4)>("accept4");
  if (strikes(Call::accept4)) return strike(-1, [&] { return real(socket, address, size, flags); });
  return real(socket, address, size, flags);
}

int connect(int socket, const sockaddr* address, socklen_t size) {
  static auto* const real = next<decltype(connect)>("connect");
  if (strikes(Call::connect)) {
    // A connect that is interrupted goes on by itself (connect(2)).
    if (armed_number == EINTR) (void)real(socket, address, size);
    return strike(-1, [&] { return real(socket, address, size); });
  }
  return real(socket, address, size);
}

int poll(pollfd* watched, nfds_t count, int milliseconds) {
  static auto* const real = next<decltype(poll)>("poll");
  if (strikes(Call::poll)) return strike(-1, [&] { return real(watched, count, milliseconds); });
  return real(watched, count, milliseconds);
}

int epoll_wait(int epoll, epoll_event* events, int most, int milliseconds) {
  static auto* const real = next<decltype(epoll_wait)>("epoll_wait");
  if (strikes(Call::epoll_wait)) return strike(-1, [&] { return real(epoll, events, 1, milliseconds); });
  return real(epoll, events, most, milliseconds);
}

int epoll_ctl(int epoll, int operation, int descriptor, epoll_event* event) {
  static auto* const real = next<decltype(epoll_ctl)>("epoll_ctl");
  // Not when a loop is made: that it could not be is told by its maker.
  const bool counts = operation != EPOLL_CTL_DEL && event->data.ptr != nullptr;
  if (counts && strikes(Call::epoll_ctl)) return strike(-1, [&] { return real(epoll, operation, descriptor, event); });
  return real(epoll, operation, descriptor, event);
}

}  // extern "C"
#pragma GCC visibility pop

#if LOCKSTEP_HAS_URING

namespace {

constexpr unsigned kInjectResult = 1;  // IORING_NOP_INJECT_RESULT, which older headers lack

void turn_into(io_uring_sqe& entry, int result) {
  const auto data = entry.user_data;
  entry = {};
  entry.opcode = IORING_OP_NOP;
  entry.rw_flags = kInjectResult;
  entry.len = static_cast<unsigned>(result);
  entry.user_data = data;
}

void shorten(io_uring_sqe& entry) {
  if (entry.opcode == IORING_OP_SENDMSG) {
    // NOLINTNEXTLINE(performance-no-int-to-ptr): that is what the entry holds
    auto* message = reinterpret_cast<msghdr*>(static_cast<std::uintptr_t>(entry.addr));
    message->msg_iovlen = 1;
    message->msg_iov[0].iov_len = 1;
  } else {
    entry.len = 1;
  }
}

/// What is about to be submitted.
void look_at_entries(io_uring& ring) {
  for (unsigned i = ring.sq.sqe_head; i != ring.sq.sqe_tail; ++i) {
    io_uring_sqe& entry = ring.sq.sqes[i & ring.sq.ring_mask];
    bool struck = false;
    switch (entry.opcode) {
      case IORING_OP_RECV:
        // One result for each submission, so that every result can be a fault.
        if (armed_call.load() == static_cast<int>(Call::uring_recv)) {
          entry.ioprio &= static_cast<std::uint16_t>(~IORING_RECV_MULTISHOT);
        }
        struck = strikes(Call::uring_recv);
        break;
      case IORING_OP_SEND:
      case IORING_OP_SENDMSG: struck = strikes(Call::uring_send); break;
      case IORING_OP_ACCEPT: struck = strikes(Call::uring_accept); break;
      case IORING_OP_CONNECT: struck = strikes(Call::uring_connect); break;
      default: break;
    }
    if (!struck) continue;
    if (armed_number == 0) {
      shorten(entry);
    } else {
      turn_into(entry, -armed_number);
    }
  }
}

}  // namespace

bool uring_results_can_be_set() {
  io_uring ring{};
  if (::io_uring_queue_init(2, &ring, 0) != 0) return false;
  io_uring_sqe* entry = ::io_uring_get_sqe(&ring);
  turn_into(*entry, -ECONNRESET);
  io_uring_cqe* completion = nullptr;
  ::io_uring_submit(&ring);
  const bool can = ::io_uring_wait_cqe(&ring, &completion) == 0 && completion->res == -ECONNRESET;
  ::io_uring_queue_exit(&ring);
  return can;
}

#pragma GCC visibility push(default)
extern "C" {

int io_uring_submit(io_uring* ring) {
  static auto* const real = next<decltype(io_uring_submit)>("io_uring_submit");
  if (strikes(Call::uring_submit)) return -armed_number;
  look_at_entries(*ring);
  return real(ring);
}

int io_uring_submit_and_get_events(io_uring* ring) {
  static auto* const real = next<decltype(io_uring_submit_and_get_events)>("io_uring_submit_and_get_events");
  if (strikes(Call::uring_submit)) return -armed_number;
  look_at_entries(*ring);
  return real(ring);
}

int io_uring_submit_and_wait_timeout(io_uring* ring, io_uring_cqe** completion, unsigned count, __kernel_timespec* time,
                                     sigset_t* signals) {
  static auto* const real = next<decltype(io_uring_submit_and_wait_timeout)>("io_uring_submit_and_wait_timeout");
  if (strikes(Call::uring_submit)) return -armed_number;
  look_at_entries(*ring);
  return real(ring, completion, count, time, signals);
}

}  // extern "C"
#pragma GCC visibility pop

#else

bool uring_results_can_be_set() { return false; }

#endif

}  // namespace lockstep::testing::faults
