#include "common/addresses.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstring>
#include <string>

#include <netdb.h>
#include <netinet/in.h>
#include <sys/un.h>

#include "common/sockets.hpp"

namespace lockstep {

using sockets::SocketAddress;

std::string Address::text() const {
  if (port == 0) return host;
  const bool v6 = host.contains(':');
  return (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

bool Address::is_unix() const noexcept { return host.contains('/') || host.starts_with('@'); }

std::optional<Address> Address::parse(std::string_view text) {
  Address address{.host = std::string(text)};
  if (!address.is_unix()) {
    const std::size_t colon = text.rfind(':');
    if (colon == std::string_view::npos) return {};
    const std::string_view port = text.substr(colon + 1);
    const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), address.port);
    if (error != std::errc() || end != port.data() + port.size() || address.port == 0) return {};
    address.host = text.substr(0, colon);
    const bool brackets = address.host.starts_with('[') && address.host.ends_with(']');
    if (brackets) address.host = address.host.substr(1, address.host.size() - 2);
    if (address.host.contains(':') != brackets) return {};
  }
  if (!SocketAddress::of(address)) return {};
  return address;
}

IoResult<std::vector<Address>> resolve(std::string_view host, std::uint16_t port) {
  auto list = sockets::resolve(host, port, 0, sockets::host_and_port(host, port));
  if (!list) return std::unexpected(std::move(list.error()));
  std::vector<Address> addresses;
  for (const addrinfo* each = list->get(); each != nullptr; each = each->ai_next) {
    addresses.push_back(SocketAddress(each->ai_addr, each->ai_addrlen).address());
  }
  return addresses;
}

namespace {

template <class Query>
Address query_address(Query query, int descriptor) {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  if (query(descriptor, reinterpret_cast<sockaddr*>(&storage), &size) != 0) return {};
  return SocketAddress(reinterpret_cast<const sockaddr*>(&storage), size).address();
}

}  // namespace

Address local_address(int descriptor) { return query_address(::getsockname, descriptor); }
Address peer_address(int descriptor) { return query_address(::getpeername, descriptor); }

namespace sockets {

namespace {

/// A system's address in the type of its family.
template <class T>
T as(const SocketAddress& address) noexcept {
  T value{};
  std::memcpy(&value, address.data(), std::min<std::size_t>(address.size(), sizeof value));
  return value;
}

constexpr std::size_t kPathAt = offsetof(sockaddr_un, sun_path);

Address unix_address(const SocketAddress& socket) {
  const auto address = as<sockaddr_un>(socket);
  if (socket.size() <= kPathAt) return {};
  std::string host(address.sun_path, std::min<std::size_t>(socket.size() - kPathAt, sizeof address.sun_path));
  if (host.front() == '\0') {
    host.front() = '@';
  } else {
    host.resize(::strnlen(host.data(), host.size()));
  }
  // A peer chooses its name, which is going to be printed.
  if (std::ranges::any_of(host, [](unsigned char c) { return c < 0x20 || c == 0x7f; })) return {};
  return {.host = std::move(host)};
}

std::optional<SocketAddress> of_unix(std::string_view host) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const bool abstract = host.front() == '@';
  const std::size_t size = host.size() + (abstract ? 0 : 1);  // a path ends with a zero
  if (size > sizeof address.sun_path || host.contains('\0')) return {};
  host.copy(address.sun_path, host.size());
  if (abstract) address.sun_path[0] = '\0';
  return SocketAddress(reinterpret_cast<const sockaddr*>(&address), static_cast<socklen_t>(kPathAt + size));
}

}  // namespace

SocketAddress::SocketAddress(const sockaddr* address, socklen_t size) noexcept
    : size_(std::min<socklen_t>(size, sizeof storage_)) {
  std::memcpy(&storage_, address, size_);
}

std::optional<SocketAddress> SocketAddress::of(const Address& address) {
  if (address.is_unix()) return of_unix(address.host);
  if (address.host.empty()) return {};
  const auto list = resolve(address.host, address.port, AI_NUMERICHOST, address.host);
  if (!list) return {};
  return SocketAddress((*list)->ai_addr, (*list)->ai_addrlen);
}

Address SocketAddress::address() const {
  if (family() == AF_UNIX) return unix_address(*this);
  std::array<char, NI_MAXHOST> host{};
  std::array<char, NI_MAXSERV> service{};
  if (::getnameinfo(data(), size_, host.data(), host.size(), service.data(), service.size(),
                    NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
    return {};
  }
  Address address{.host = host.data()};
  std::from_chars(service.data(), service.data() + std::strlen(service.data()), address.port);
  return address;
}

void SocketAddress::set_port(std::uint16_t port) noexcept {
  if (family() == AF_INET) {
    auto v4 = as<sockaddr_in>(*this);
    v4.sin_port = htons(port);
    std::memcpy(&storage_, &v4, sizeof v4);
  } else if (family() == AF_INET6) {
    auto v6 = as<sockaddr_in6>(*this);
    v6.sin6_port = htons(port);
    std::memcpy(&storage_, &v6, sizeof v6);
  }
}

bool SocketAddress::is_everywhere() const noexcept {
  if (family() == AF_INET) {
    const std::uint32_t number = ntohl(as<sockaddr_in>(*this).sin_addr.s_addr);
    return number == INADDR_ANY || number >> 24U == IN_LOOPBACKNET;
  }
  if (family() != AF_INET6) return false;
  const auto v6 = as<sockaddr_in6>(*this);
  return IN6_IS_ADDR_UNSPECIFIED(&v6.sin6_addr) || IN6_IS_ADDR_LOOPBACK(&v6.sin6_addr);
}

bool SocketAddress::operator==(const SocketAddress& other) const noexcept {
  return size_ == other.size_ && std::memcmp(&storage_, &other.storage_, size_) == 0;
}

IoResult<std::vector<SocketAddress>> addresses_of(std::string_view host, std::uint16_t port, const Resolve& resolver) {
  auto found = resolver ? resolver(host, port) : lockstep::resolve(host, port);
  if (!found) return std::unexpected(std::move(found.error()));
  const auto fail = [&](std::string_view text) {
    IoError error = plain_error(Operation::resolve, IoCondition::resolver, text);
    error.number = EAI_NONAME;
    error.text.insert(name(error.operation).size(), " " + host_and_port(host, port));
    return std::unexpected(std::move(error));
  };
  std::vector<SocketAddress> addresses;
  for (const Address& each : *found) {
    const auto address = SocketAddress::of(each);
    if (!address) return fail("\"" + each.text() + "\" is no address of this system");
    if (std::ranges::find(addresses, *address) == addresses.end()) addresses.push_back(*address);
  }
  if (addresses.empty()) return fail("the name has no address");
  return addresses;
}

std::string_view without_zone(std::string_view host) noexcept {
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  return host.contains(':') ? host.substr(0, host.find('%')) : host;
}

}  // namespace sockets
}  // namespace lockstep
