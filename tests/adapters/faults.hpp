#pragma once
// System calls of this program that fail when a test wants it: faults.cpp defines the functions in front of the C
// library's and liburing's. For io_uring, an operation that is submitted becomes one that does nothing and has the
// result that was asked for.

#include <cstdint>
#include <string_view>

namespace lockstep::testing::faults {

enum class Call : std::uint8_t {
  recv,
  send,
  sendmsg,
  accept4,
  connect,
  poll,
  epoll_wait,
  epoll_ctl,
  uring_recv,
  uring_send,
  uring_accept,
  uring_connect,
  uring_submit,
};
[[nodiscard]] std::string_view name(Call call);

/// The n-th such call from now on (the first is 1), in whatever thread, fails with that errno. 0: it does no more than
/// one byte of what it should.
void arm(Call call, int number, int nth);
/// Whether it came to that.
bool disarm();

/// Whether the kernel can be told the results of io_uring's operations (Linux 6.10).
[[nodiscard]] bool uring_results_can_be_set();

}  // namespace lockstep::testing::faults
