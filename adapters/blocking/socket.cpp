// Plain sockets: connecting, listening, reading and writing.

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <memory>
#include <string>
#include <utility>

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <lockstep/blocking.hpp>

#include "blocking/wait.hpp"

namespace lockstep::blocking {

namespace {

IoResult<Descriptor> connect_to(const addrinfo& address, Deadline deadline, const Canceller& canceller) {
  Descriptor descriptor = sockets::open_socket(address);
  if (!descriptor) return std::unexpected(system_error(Operation::connect, errno));
  if (::connect(descriptor.number(), address.ai_addr, address.ai_addrlen) != 0) {
    if (errno != EINPROGRESS && errno != EINTR) return std::unexpected(system_error(Operation::connect, errno));
    if (auto ready = wait_for(descriptor.number(), POLLOUT, Operation::connect, deadline, canceller); !ready) {
      return std::unexpected(std::move(ready.error()));
    }
    int result = 0;
    socklen_t size = sizeof result;
    if (::getsockopt(descriptor.number(), SOL_SOCKET, SO_ERROR, &result, &size) != 0) result = errno;
    if (result != 0) return std::unexpected(system_error(Operation::connect, result));
  }
  sockets::send_at_once(descriptor.number());
  return descriptor;
}

}  // namespace

// --- Socket ----------------------------------------------------------------------------------------------------------

Socket::Socket(Descriptor descriptor, Canceller canceller)
    : descriptor_(std::move(descriptor)), canceller_(std::move(canceller)) {}

IoResult<Socket> Socket::connect(std::string_view host, std::uint16_t port, Deadline deadline, Canceller canceller) {
  const std::string what = sockets::host_and_port(host, port);
  const auto list = sockets::resolve(host, port, 0, what);
  if (!list) return std::unexpected(list.error());

  int left = 0;
  for (const addrinfo* address = list->get(); address != nullptr; address = address->ai_next) ++left;
  IoError last = plain_error(Operation::connect, IoCondition::resolver, "the name has no address");
  std::string attempts;
  for (const addrinfo* address = list->get(); address != nullptr; address = address->ai_next, --left) {
    Deadline share = deadline;
    if (deadline) share = Clock::now() + (*deadline - Clock::now()) / left;
    auto descriptor = connect_to(*address, share, canceller);
    if (descriptor) return Socket(std::move(*descriptor), std::move(canceller));
    last = std::move(descriptor.error());
    attempts += (attempts.empty() ? "" : "; ") + sockets::numeric_text(*address) + ": " +
                (last.condition == IoCondition::system ? last.text.substr(last.text.find(' ') + 1)
                                                       : std::string(name(last.condition)));
    if (last.condition == IoCondition::canceled) break;
  }
  last.text = "connect to " + what + ": " + attempts;
  return std::unexpected(std::move(last));
}

IoResult<std::size_t> Socket::read(MutableBytes out, Deadline deadline) {
  if (out.empty()) return 0;
  return receive_some(descriptor(), out, Operation::read, deadline, canceller_);
}

IoResult<std::size_t> Socket::write(Bytes bytes, Deadline deadline) {
  std::size_t sent = 0;
  while (sent < bytes.size()) {
    auto n = send_some(descriptor(), bytes.subspan(sent), Operation::write, deadline, canceller_);
    if (!n) {
      n.error().transferred = sent;
      return n;
    }
    sent += *n;
  }
  return sent;
}

// --- Listener --------------------------------------------------------------------------------------------------------

IoResult<Listener> Listener::listen(std::string_view host, std::uint16_t port, Canceller canceller) {
  auto descriptor = sockets::listen(host, port);
  if (!descriptor) return std::unexpected(std::move(descriptor.error()));
  return Listener(std::move(*descriptor), std::move(canceller));
}

IoResult<Socket> Listener::accept_plain(Deadline deadline, std::optional<Canceller> canceller) {
  for (;;) {
    if (auto ready = wait_for(descriptor(), POLLIN, Operation::accept, deadline, canceller_); !ready) {
      return std::unexpected(std::move(ready.error()));
    }
    Descriptor accepted(::accept4(descriptor(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (accepted) {
      sockets::send_at_once(accepted.number());
      return Socket(std::move(accepted), canceller ? std::move(*canceller) : Canceller());
    }
    if (errno != EAGAIN && !sockets::is_of_one_connection(errno)) {
      return std::unexpected(system_error(Operation::accept, errno));
    }
  }
}

IoResult<Stream> Listener::accept(const Options& options, Deadline deadline) {
  auto socket = accept_plain(deadline, options.canceller);
  if (!socket) return std::unexpected(std::move(socket.error()));
  return wrap(std::move(*socket), options);
}

Address Listener::address() const { return local_address(descriptor()); }

}  // namespace lockstep::blocking
