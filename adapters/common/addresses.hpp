#pragma once
// Addresses as system calls take them. Not installed.

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include <sys/socket.h>

#include <lockstep/export.hpp>
#include <lockstep/io.hpp>

namespace lockstep::sockets {

/// IPv4, IPv6 with its zone, or Unix.
class LOCKSTEP_API SocketAddress {
 public:
  SocketAddress(const sockaddr* address, socklen_t size) noexcept;
  /// Nothing when the host is neither numeric nor a Unix socket's, its zone is none of this system's, or its path is
  /// too long for the system.
  [[nodiscard]] static std::optional<SocketAddress> of(const Address& address);

  [[nodiscard]] const sockaddr* data() const noexcept { return reinterpret_cast<const sockaddr*>(&storage_); }
  [[nodiscard]] socklen_t size() const noexcept { return size_; }
  [[nodiscard]] int family() const noexcept { return storage_.ss_family; }
  /// Empty when it cannot be told.
  [[nodiscard]] Address address() const;
  /// Of an IPv4 or IPv6 address.
  void set_port(std::uint16_t port) noexcept;
  /// "127.0.0.0/8", "::1", "0.0.0.0" and "::": those that every system has which has their family at all.
  [[nodiscard]] bool is_everywhere() const noexcept;

  bool operator==(const SocketAddress& other) const noexcept;

 private:
  sockaddr_storage storage_{};
  socklen_t size_ = 0;
};

/// The addresses of a name, by `resolver` or, when that is empty, the system: at least one, none of them twice.
[[nodiscard]] LOCKSTEP_API IoResult<std::vector<SocketAddress>> addresses_of(std::string_view host, std::uint16_t port,
                                                                             const Resolve& resolver);
/// "192.0.2.1" without brackets and "fe80::1" without brackets and zone: what a certificate may say (RFC 4007 11: a
/// zone means something to its own node alone).
[[nodiscard]] LOCKSTEP_API std::string_view without_zone(std::string_view host) noexcept;

}  // namespace lockstep::sockets
