#pragma once
// Sockets as every adapter opens them. Not installed.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include <netdb.h>

#include <lockstep/export.hpp>
#include <lockstep/io.hpp>

namespace lockstep::sockets {

/// A failed system call: "read: Connection reset by peer".
[[nodiscard]] LOCKSTEP_API IoError system_error(Operation operation, int number);
[[nodiscard]] LOCKSTEP_API IoError plain_error(Operation operation, IoCondition condition, std::string_view text);
[[nodiscard]] LOCKSTEP_API IoError timeout_error(Operation operation, std::string_view text);
[[nodiscard]] LOCKSTEP_API IoError canceled_error(Operation operation, std::string_view text);

struct FreeAddresses {
  void operator()(addrinfo* list) const noexcept { ::freeaddrinfo(list); }
};
using AddressList = std::unique_ptr<addrinfo, FreeAddresses>;

/// The addresses of a name or address (brackets are allowed). `flags` are getaddrinfo's, `what` is for the error's
/// text.
[[nodiscard]] LOCKSTEP_API IoResult<AddressList> resolve(std::string_view host, std::uint16_t port, int flags,
                                                         std::string_view what);
/// "192.0.2.1:443"
[[nodiscard]] LOCKSTEP_API std::string numeric_text(const addrinfo& address);
/// "example.com:443"
[[nodiscard]] LOCKSTEP_API std::string host_and_port(std::string_view host, std::uint16_t port);

/// A stream socket that does not block, for that address.
[[nodiscard]] LOCKSTEP_API Descriptor open_socket(const addrinfo& address);
[[nodiscard]] LOCKSTEP_API IoResult<void> set_nonblocking(int descriptor);
/// TCP_NODELAY. TLS writes whole records: waiting for more to put into a segment only costs time. Fails on Unix
/// sockets, harmlessly.
LOCKSTEP_API void send_at_once(int descriptor);

struct ListenSettings {
  bool reuse_port = false;
  int backlog = 4096;
};
/// Listens on a name's addresses: an empty host means every address, of IPv4 too where the system has IPv6.
[[nodiscard]] LOCKSTEP_API IoResult<Descriptor> listen(std::string_view host, std::uint16_t port,
                                                       const ListenSettings& settings = {});
/// A connection that failed before it was accepted says nothing about the listener (accept(2), "Error handling").
[[nodiscard]] LOCKSTEP_API bool is_of_one_connection(int number);

}  // namespace lockstep::sockets
