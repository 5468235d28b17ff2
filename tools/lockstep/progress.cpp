#include "progress.hpp"

#include <string>

#include <unistd.h>

#include "facts.hpp"
#include "terminal.hpp"

namespace lockstep::tool {
namespace {

// What is done within a moment needs no line.
constexpr std::chrono::milliseconds kFirst{500};
constexpr std::chrono::milliseconds kInterval{200};

}  // namespace

Progress::Progress(bool wanted) : wanted_(wanted && ::isatty(STDERR_FILENO) != 0), next_(begin_ + kFirst) {}

Progress::~Progress() {
  if (shown_) err().print("\r\x1b[K");
}

bool Progress::is_due() {
  const auto now = Clock::now();
  if (!wanted_ || now < next_) return false;
  next_ = now + kInterval;
  shown_ = true;
  return true;
}

void Progress::show(std::string_view text) {
  if (is_due()) err().print("\r\x1b[K  " + std::string(text));
}

void Progress::show(std::uint64_t bytes, std::optional<std::uint64_t> of) {
  if (!is_due()) return;
  const double seconds = std::chrono::duration<double>(Clock::now() - begin_).count();
  std::string text = "\r\x1b[K  " + with_separators(bytes);
  if (of && *of != 0) {
    const auto share = static_cast<double>(bytes) / static_cast<double>(*of);
    text += " of " + with_separators(*of) + " bytes, " + std::to_string(static_cast<int>(share * 100)) + " %";
  } else {
    text += " bytes";
  }
  err().print(text + ", " + with_separators(static_cast<std::uint64_t>(static_cast<double>(bytes) / seconds)) +
              " a second");
}

}  // namespace lockstep::tool
