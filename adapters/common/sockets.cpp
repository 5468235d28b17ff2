#include "common/sockets.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
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

std::string host_and_port(std::string_view host, std::uint16_t port) {
  return Address{.host = std::string(host), .port = port}.text();
}

bool is_readable(int descriptor) noexcept {
  pollfd entry{.fd = descriptor, .events = POLLIN, .revents = 0};
  return ::poll(&entry, 1, 0) == 1;
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

int set_options(int descriptor, std::span<const SocketOption> options) noexcept {
  for (const SocketOption& each : options) {
    const auto size = static_cast<socklen_t>(each.value.size());
    if (::setsockopt(descriptor, each.level, each.name, each.value.data(), size) != 0) return errno;
  }
  return 0;
}

void send_at_once(int descriptor) {
  const int on = 1;
  (void)::setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

bool is_of_one_connection(int number) {
  constexpr std::array passing{ECONNABORTED, EINTR,        EPROTO,      ENETDOWN,   ENOPROTOOPT,
                               EHOSTDOWN,    EHOSTUNREACH, ENETUNREACH, EOPNOTSUPP, ENONET};
  return std::ranges::find(passing, number) != passing.end();
}

}  // namespace lockstep::sockets
