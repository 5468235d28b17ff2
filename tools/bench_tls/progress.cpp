#include "progress.hpp"

#include <cstdio>

#include <unistd.h>

#include "spent.hpp"

namespace lockstep::bench {

Progress::Progress() : terminal_(isatty(STDERR_FILENO) == 1), start_(seconds_now()) {}

Progress::~Progress() {
  if (terminal_ && begun_ != 0) std::fputs("\r\033[K", stderr);
}

void Progress::begin(const std::string& group, const std::string& what) {
  ++begun_;
  if (terminal_) {
    std::fprintf(stderr, "\r\033[K[%zu/%zu, %.0f s] %s: %s", begun_, expected_, seconds_now() - start_, group.c_str(),
                 what.c_str());
  } else if (group != group_) {
    std::fprintf(stderr, "measuring %s\n", group.c_str());
  }
  group_ = group;
  std::fflush(stderr);
}

}  // namespace lockstep::bench
