#pragma once
// HTTP proxies that pass bytes on (RFC 9110 9.3.6).

#include <lockstep/blocking.hpp>

#include "arguments.hpp"

namespace lockstep::tool {

/// Has the proxy at the other end of the socket connect to that host. Throws `Failure` when it does not.
void connect_through(const HostAndPort& host, blocking::Socket& proxy, blocking::Deadline deadline);

}  // namespace lockstep::tool
