#include "common/lingering.hpp"

#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

namespace lockstep::sockets {

std::size_t unacknowledged(int descriptor) noexcept {
  int domain = 0;
  socklen_t size = sizeof domain;
  int bytes = 0;
  if (::getsockopt(descriptor, SOL_SOCKET, SO_DOMAIN, &domain, &size) != 0 || domain == AF_UNIX) return 0;
  if (::ioctl(descriptor, SIOCOUTQ, &bytes) != 0 || bytes < 0) return 0;
  return static_cast<std::size_t>(bytes);
}

}  // namespace lockstep::sockets
