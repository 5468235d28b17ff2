#include "output.hpp"

#include <cerrno>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include "terminal.hpp"

namespace lockstep::tool {

Output::Output(std::string path, blocking::Canceller canceller)
    : path_(path == "-" ? std::string() : std::move(path)), canceller_(std::move(canceller)) {}

void Output::open() {
  if (is_standard() || file_) return;
  file_.reset(::open(path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
  if (!file_) throw Failure(path_ + " cannot be written: " + std::strerror(errno), "Give --output another file.");
}

void Output::write(Bytes bytes) {
  open();
  const int descriptor = is_standard() ? STDOUT_FILENO : file_.number();
  while (!bytes.empty()) {
    const ssize_t count = ::write(descriptor, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) {
      if (canceller_.canceled()) return;
      continue;
    }
    if (count < 0) {
      throw Failure((is_standard() ? "standard output" : path_) + " cannot be written: " + std::strerror(errno),
                    "Whoever reads it has gone away, or the disk is full.");
    }
    bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
}

bool Output::is_terminal() const { return is_standard() && ::isatty(STDOUT_FILENO) != 0; }

}  // namespace lockstep::tool
