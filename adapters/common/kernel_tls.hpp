#pragma once
// The kernel's record protection for TCP sockets (Linux: CONFIG_TLS, "kTLS"). Not installed.

#include <cstdint>

#include <sys/socket.h>

#include <lockstep/event.hpp>
#include <lockstep/export.hpp>
#include <lockstep/io.hpp>

namespace lockstep::kernel_tls {

/// Puts the kernel's TLS layer on a connected TCP socket, where it stays. Fails with ENOENT or ENOPROTOOPT where the
/// kernel has none; nothing has changed then.
[[nodiscard]] LOCKSTEP_API IoResult<void> enable(int descriptor);

/// Gives the layer the keys of a direction, the first or new ones (Linux 6.14). Everything behind this call is under
/// them.
[[nodiscard]] LOCKSTEP_API IoResult<void> install(int descriptor, const TrafficKeys& keys);

/// Room for the record type beside a message.
struct Control {
  alignas(cmsghdr) char space[CMSG_SPACE(sizeof(std::uint8_t))];
};
/// The message is one record of this type; without, it is application data.
LOCKSTEP_API void set_record_type(msghdr& message, Control& control, std::uint8_t type) noexcept;
/// Makes room for the type of what is received, and tells it: application data (23) when the kernel says nothing.
LOCKSTEP_API void expect_record_type(msghdr& message, Control& control) noexcept;
[[nodiscard]] LOCKSTEP_API std::uint8_t record_type(msghdr& message) noexcept;

}  // namespace lockstep::kernel_tls
