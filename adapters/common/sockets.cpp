#include "common/sockets.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace lockstep::sockets {

IoError system_error(Operation operation, int number) {
  IoError error = plain_error(operation, IoCondition::system, std::system_category().message(number));
  error.number = number;
  return error;
}

IoError plain_error(Operation operation, IoCondition condition, std::string_view text) {
  return {
      .operation = operation, .condition = condition, .text = std::string(name(operation)) + ": " + std::string(text)};
}

IoError timeout_error(Operation operation, std::string_view text) {
  IoError error = plain_error(operation, IoCondition::timeout, text);
  error.number = ETIMEDOUT;
  return error;
}

IoError canceled_error(Operation operation, std::string_view text) {
  IoError error = plain_error(operation, IoCondition::canceled, text);
  error.number = ECANCELED;
  return error;
}

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

std::string host_and_port(std::string_view host, std::uint16_t port) {
  return Address{.host = std::string(host), .port = port}.text();
}

Descriptor open_socket(const addrinfo& address) {
  return Descriptor(
      ::socket(address.ai_family, address.ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, address.ai_protocol));
}

Descriptor open_socket(int family) {
  return Descriptor(::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
}

IoResult<void> set_nonblocking(int descriptor) {
  const int flags = ::fcntl(descriptor, F_GETFL);
  if (flags < 0 || ::fcntl(descriptor, F_SETFL, flags | O_NONBLOCK) != 0) {
    return std::unexpected(system_error(Operation::handshake, errno));
  }
  return {};
}

void send_at_once(int descriptor) {
  const int on = 1;
  (void)::setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

namespace {

IoResult<Descriptor> listen_on(const addrinfo& address, const ListenSettings& settings) {
  Descriptor descriptor = open_socket(address);
  if (!descriptor) return std::unexpected(system_error(Operation::listen, errno));
  const int on = 1;
  const int off = 0;
  (void)::setsockopt(descriptor.number(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (settings.reuse_port && ::setsockopt(descriptor.number(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) != 0) {
    return std::unexpected(system_error(Operation::listen, errno));
  }
  // "::" also takes IPv4.
  if (address.ai_family == AF_INET6) {
    (void)::setsockopt(descriptor.number(), IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
  }
  if (::bind(descriptor.number(), address.ai_addr, address.ai_addrlen) != 0 ||
      ::listen(descriptor.number(), settings.backlog) != 0) {
    return std::unexpected(system_error(Operation::listen, errno));
  }
  return descriptor;
}

}  // namespace

IoResult<Descriptor> listen(std::string_view host, std::uint16_t port, const ListenSettings& settings) {
  const std::string what = host_and_port(host.empty() ? "*" : host, port);
  const auto list = resolve(host, port, AI_PASSIVE, what);
  if (!list) return std::unexpected(list.error());

  // With no host there may be "::" and "0.0.0.0" in either order; the former serves both.
  IoError last = plain_error(Operation::listen, IoCondition::resolver, "the name has no address");
  for (const int family : {AF_INET6, AF_INET}) {
    for (const addrinfo* address = list->get(); address != nullptr; address = address->ai_next) {
      if (address->ai_family != family) continue;
      auto descriptor = listen_on(*address, settings);
      if (descriptor) return descriptor;
      last = std::move(descriptor.error());
    }
  }
  last.text = "listen on " + what + last.text.substr(std::min(last.text.find(':'), last.text.size()));
  return std::unexpected(std::move(last));
}

bool is_of_one_connection(int number) {
  constexpr std::array passing{ECONNABORTED, EINTR,        EPROTO,      ENETDOWN,   ENOPROTOOPT,
                               EHOSTDOWN,    EHOSTUNREACH, ENETUNREACH, EOPNOTSUPP, ENONET};
  return std::ranges::find(passing, number) != passing.end();
}

}  // namespace lockstep::sockets
