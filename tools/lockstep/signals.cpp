#include "signals.hpp"

#include <csignal>

#include <sys/signalfd.h>

namespace lockstep::tool {

Descriptor blocked_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  return Descriptor(::signalfd(-1, &signals, SFD_CLOEXEC));
}

}  // namespace lockstep::tool
