#include <fcntl.h>
#include <unistd.h>

#include <lockstep/standard_descriptors.hpp>

namespace lockstep {

bool open_standard_descriptors() noexcept {
  for (int number = STDIN_FILENO; number <= STDERR_FILENO; ++number) {
    if (::fcntl(number, F_GETFD) >= 0) continue;
    // The lowest free number is this one: those below it are open by now. Programs that are started inherit it.
    if (::open("/dev/null", O_RDWR) != number) return false;
  }
  return true;
}

}  // namespace lockstep
