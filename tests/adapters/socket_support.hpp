#pragma once
// Results and sockets for tests of adapters.

#include <array>
#include <stdexcept>
#include <type_traits>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <lockstep/io.hpp>

namespace lockstep::testing {

/// A failed result stops the test with the error's text.
template <class T>
T must(IoResult<T> result) {
  if (!result) throw std::runtime_error(result.error().text);
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

/// The error of a result that must have failed.
template <class T>
IoError error_of(const IoResult<T>& result) {
  if (result) throw std::runtime_error("it did not fail");
  return result.error();
}

inline std::pair<Descriptor, Descriptor> socket_pair() {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()) != 0) throw std::runtime_error("socketpair");
  return {Descriptor(ends[0]), Descriptor(ends[1])};
}

/// An address of this machine that answers nobody: a listener whose queue is full.
class BlackHole {
 public:
  BlackHole() {
    listener_ = Descriptor(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    socklen_t size = sizeof address;
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    if (::bind(listener_.number(), generic, size) != 0 || ::listen(listener_.number(), 0) != 0 ||
        ::getsockname(listener_.number(), generic, &size) != 0) {
      throw std::runtime_error("black hole");
    }
    for (int i = 0; i < 3; ++i) {
      queued_.emplace_back(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
      (void)::connect(queued_.back().number(), generic, size);
    }
  }
  [[nodiscard]] Address address() const { return local_address(listener_.number()); }

 private:
  Descriptor listener_;
  std::vector<Descriptor> queued_;
};

}  // namespace lockstep::testing
