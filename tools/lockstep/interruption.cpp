#include "interruption.hpp"

#include <atomic>
#include <cerrno>
#include <csignal>
#include <initializer_list>
#include <optional>
#include <utility>

namespace lockstep::tool {
namespace {

// A handler can be given nothing but what is global.
std::optional<blocking::Canceller> canceled_by_signal;
std::atomic<int> signal_that_came = 0;
static_assert(std::atomic<int>::is_always_lock_free);

/// What is to be done on either signal, where it is not ignored.
void dispose(void (*how)(int)) {
  for (const int number : {SIGINT, SIGTERM}) {
    struct sigaction before{};
    if (::sigaction(number, nullptr, &before) != 0) continue;
    if (before.sa_handler == SIG_IGN) continue;
    struct sigaction action{};
    action.sa_handler = how;  // and no SA_RESTART: a write to a full pipe is interrupted, too
    ::sigemptyset(&action.sa_mask);
    // The second of two that come at once finds what the first has left, and kills.
    ::sigaddset(&action.sa_mask, SIGINT);
    ::sigaddset(&action.sa_mask, SIGTERM);
    (void)::sigaction(number, &action, nullptr);
  }
}

// Calls only what is safe in a handler: sigaction, and of `cancel` an atomic exchange and write(2).
void interrupt(int number) {
  const int before = errno;
  signal_that_came = number;
  dispose(SIG_DFL);
  canceled_by_signal->cancel();
  errno = before;
}

}  // namespace

Interruption::Interruption(blocking::Canceller canceller) {
  canceled_by_signal = std::move(canceller);
  dispose(interrupt);
}

Interruption::~Interruption() { dispose(SIG_DFL); }

int Interruption::signal() noexcept { return signal_that_came; }

const char* signal_name(int number) noexcept { return number == SIGINT ? "SIGINT" : "SIGTERM"; }

}  // namespace lockstep::tool
