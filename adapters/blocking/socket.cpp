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

#include "wait.hpp"

namespace lockstep::blocking {

namespace {

using AddressList = std::unique_ptr<addrinfo, decltype([](addrinfo* list) { ::freeaddrinfo(list); })>;

IoResult<AddressList> resolve(std::string_view host, std::uint16_t port, int flags, std::string_view what) {
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  const std::string node(host);
  const std::string service = std::to_string(port);
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = flags | AI_NUMERICSERV;
  addrinfo* list = nullptr;
  const int result = ::getaddrinfo(node.empty() ? nullptr : node.c_str(), service.c_str(), &hints, &list);
  if (result == EAI_SYSTEM) return std::unexpected(system_error(Operation::resolve, errno));
  if (result != 0) {
    IoError error = plain_error(Operation::resolve, IoCondition::resolver, "");
    error.number = result;
    error.text = "resolve " + std::string(what) + ": " + ::gai_strerror(result);
    return std::unexpected(std::move(error));
  }
  return AddressList(list);
}

std::string numeric_text(const addrinfo& address) {
  std::array<char, NI_MAXHOST> host{};
  std::array<char, NI_MAXSERV> service{};
  if (::getnameinfo(address.ai_addr, address.ai_addrlen, host.data(), host.size(), service.data(), service.size(),
                    NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
    return "?";
  }
  return (address.ai_family == AF_INET6 ? "[" + std::string(host.data()) + "]" : std::string(host.data())) + ":" +
         service.data();
}

Descriptor open_socket(const addrinfo& address) {
  return Descriptor(
      ::socket(address.ai_family, address.ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, address.ai_protocol));
}

/// TLS writes whole records: waiting for more to put into a segment only costs time. Fails on Unix sockets, harmlessly.
void send_at_once(int descriptor) {
  const int on = 1;
  (void)::setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

IoResult<Descriptor> connect_to(const addrinfo& address, Deadline deadline, const Canceller& canceller) {
  Descriptor descriptor = open_socket(address);
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
  send_at_once(descriptor.number());
  return descriptor;
}

IoResult<Descriptor> listen_on(const addrinfo& address) {
  Descriptor descriptor = open_socket(address);
  if (!descriptor) return std::unexpected(system_error(Operation::listen, errno));
  const int on = 1;
  const int off = 0;
  (void)::setsockopt(descriptor.number(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  // "::" also takes IPv4.
  if (address.ai_family == AF_INET6) {
    (void)::setsockopt(descriptor.number(), IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
  }
  if (::bind(descriptor.number(), address.ai_addr, address.ai_addrlen) != 0 ||
      ::listen(descriptor.number(), SOMAXCONN) != 0) {
    return std::unexpected(system_error(Operation::listen, errno));
  }
  return descriptor;
}

/// A connection that failed before it was accepted says nothing about the listener (accept(2), "Error handling").
bool is_of_one_connection(int number) {
  constexpr std::array passing{ECONNABORTED, EINTR,        EPROTO,      ENETDOWN,   ENOPROTOOPT,
                               EHOSTDOWN,    EHOSTUNREACH, ENETUNREACH, EOPNOTSUPP, ENONET};
  return std::ranges::find(passing, number) != passing.end();
}

std::string host_and_port(std::string_view host, std::uint16_t port) {
  return Address{.host = std::string(host), .port = port}.text();
}

}  // namespace

// --- Socket ----------------------------------------------------------------------------------------------------------

Socket::Socket(Descriptor descriptor, Canceller canceller)
    : descriptor_(std::move(descriptor)), canceller_(std::move(canceller)) {}

IoResult<Socket> Socket::connect(std::string_view host, std::uint16_t port, Deadline deadline, Canceller canceller) {
  const std::string what = host_and_port(host, port);
  const auto list = resolve(host, port, 0, what);
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
    attempts += (attempts.empty() ? "" : "; ") + numeric_text(*address) + ": " +
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
  const std::string what = host_and_port(host.empty() ? "*" : host, port);
  const auto list = resolve(host, port, AI_PASSIVE, what);
  if (!list) return std::unexpected(list.error());

  // With no host there may be "::" and "0.0.0.0" in either order; the former serves both.
  IoError last = plain_error(Operation::listen, IoCondition::resolver, "the name has no address");
  for (const int family : {AF_INET6, AF_INET}) {
    for (const addrinfo* address = list->get(); address != nullptr; address = address->ai_next) {
      if (address->ai_family != family) continue;
      auto descriptor = listen_on(*address);
      if (descriptor) return Listener(std::move(*descriptor), std::move(canceller));
      last = std::move(descriptor.error());
    }
  }
  last.text = "listen on " + what + last.text.substr(std::min(last.text.find(':'), last.text.size()));
  return std::unexpected(std::move(last));
}

IoResult<Socket> Listener::accept_plain(Deadline deadline, std::optional<Canceller> canceller) {
  for (;;) {
    if (auto ready = wait_for(descriptor(), POLLIN, Operation::accept, deadline, canceller_); !ready) {
      return std::unexpected(std::move(ready.error()));
    }
    Descriptor accepted(::accept4(descriptor(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (accepted) {
      send_at_once(accepted.number());
      return Socket(std::move(accepted), canceller ? std::move(*canceller) : Canceller());
    }
    if (errno != EAGAIN && !is_of_one_connection(errno)) {
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
