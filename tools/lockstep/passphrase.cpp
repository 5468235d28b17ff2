#include "passphrase.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include <lockstep/files.hpp>
#include <lockstep/io.hpp>

#include "files.hpp"
#include "provider.hpp"
#include "terminal.hpp"

namespace lockstep::tool {
namespace {

constexpr std::size_t kLongestPassphrase = 1024;  ///< that is typed
constexpr std::size_t kLargestFile = 65536;

void say(const Descriptor& terminal, std::string_view text) {
  (void)!::write(terminal.number(), text.data(), text.size());
}

/// While it lives the terminal does not show what is typed, and signals that would end or stop the program wait, so
/// that none leaves it so.
class Unseen {
 public:
  explicit Unseen(const Descriptor& terminal) : terminal_(terminal) {
    sigset_t signals;
    sigemptyset(&signals);
    for (const int each : {SIGINT, SIGTERM, SIGQUIT, SIGHUP, SIGTSTP}) sigaddset(&signals, each);
    pthread_sigmask(SIG_BLOCK, &signals, &before_);
    signals_ = Descriptor(::signalfd(-1, &signals, SFD_CLOEXEC));
    shown_ = ::tcgetattr(terminal.number(), &modes_) == 0;
    termios unseen = modes_;
    unseen.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    if (shown_) ::tcsetattr(terminal.number(), TCSAFLUSH, &unseen);
  }
  Unseen(const Unseen&) = delete;
  Unseen& operator=(const Unseen&) = delete;
  ~Unseen() {
    if (shown_) ::tcsetattr(terminal_.number(), TCSAFLUSH, &modes_);
    say(terminal_, "\n");
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);  // one that waited acts now
  }
  /// Until there is a line; false when a signal comes first.
  [[nodiscard]] bool wait() const {
    std::array<pollfd, 2> waiting{{{terminal_.number(), POLLIN, 0}, {signals_.number(), POLLIN, 0}}};
    while (::poll(waiting.data(), waiting.size(), -1) < 0) {
      if (errno != EINTR) return false;
    }
    return waiting[1].revents == 0;
  }

 private:
  const Descriptor& terminal_;
  termios modes_{};
  bool shown_ = false;
  sigset_t before_{};
  Descriptor signals_;
};

/// The first line of these bytes, without its end.
x509::SecretBytes first_line(Bytes bytes) {
  const Bytes line = bytes.first(std::min(as_text(bytes).find_first_of("\r\n"), bytes.size()));
  return x509::SecretBytes(std::vector<std::uint8_t>(line.begin(), line.end()));
}

x509::SecretBytes asked_for(const std::string& key) {
  const Descriptor terminal(::open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC));
  if (!terminal) return {};
  const Unseen unseen(terminal);
  say(terminal, "Passphrase of " + printable(key) + ": ");
  std::vector<std::uint8_t> typed(kLongestPassphrase + 1);  // and the end of the line
  const ssize_t size = unseen.wait() ? ::read(terminal.number(), typed.data(), typed.size()) : -1;
  if (size < 0) throw Failure("no passphrase was given for " + key, "Type it, or give --passphrase-file FILE.");
  typed.resize(static_cast<std::size_t>(size));
  const x509::SecretBytes wiped(std::move(typed));
  x509::SecretBytes line = first_line(wiped.view());
  if (line.view().size() > kLongestPassphrase) {
    throw Failure("what was typed for " + key + " is longer than " + std::to_string(kLongestPassphrase) + " bytes",
                  "Give so long a passphrase with --passphrase-file FILE.");
  }
  return line;
}

/// A file, which can be read again: a pipe gives its bytes once.
bool is_locked_file(const std::string& key) {
  struct stat status{};
  if (::stat(key.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) return false;
  const auto bytes = files::read_file(key);
  if (!bytes) return false;
  const auto opened = x509::load_private_key(provider(), bytes->view(), {});
  return !opened && opened.error().code == x509::LoadCode::passphrase_needed;
}

x509::SecretBytes passphrase_of(const std::string& key, const std::string& passphrase_file) {
  if (!passphrase_file.empty()) return first_line(read_secret(passphrase_file, kLargestFile).view());
  if (is_locked_file(key)) return asked_for(key);
  return {};
}

}  // namespace

Passphrase::Passphrase(const std::string& key, const std::string& passphrase_file)
    : text_(passphrase_of(key, passphrase_file)) {}

}  // namespace lockstep::tool
