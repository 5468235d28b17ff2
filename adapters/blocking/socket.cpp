// Plain sockets: connecting, listening, reading and writing.

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <poll.h>
#include <sys/socket.h>

#include <lockstep/blocking.hpp>

#include "blocking/wait.hpp"
#include "common/addresses.hpp"
#include "common/race.hpp"

namespace lockstep::blocking {

namespace {

/// Attempts to connect that go on at the same time. The first that succeeds is the one that is kept.
class Attempts {
 public:
  Attempts(std::vector<sockets::SocketAddress> addresses, const Canceller& canceller,
           std::span<const SocketOption> options)
      : race_(std::move(addresses), Clock::now()), canceller_(canceller), options_(options) {}

  IoResult<Descriptor> run(std::string_view what, Deadline deadline);

 private:
  struct Attempt {
    Descriptor socket;
    std::size_t entrant;
    bool refused_for_now = false;  // a Unix socket whose listener's queue is full: nothing will tell of room there
  };
  /// EINPROGRESS while it goes on.
  [[nodiscard]] int begin(Attempt& attempt) const;
  [[nodiscard]] int go_on(Attempt& attempt, short revents) const;
  /// What has become of one; whether it has won.
  bool settle(Attempt& attempt, int result);
  [[nodiscard]] Deadline look_again(Deadline deadline) const;

  sockets::Race race_;
  const Canceller& canceller_;
  std::span<const SocketOption> options_;
  std::vector<Attempt> attempts_;
  std::vector<pollfd> watched_;
};

IoResult<Descriptor> Attempts::run(std::string_view what, Deadline deadline) {
  for (;;) {
    while (const auto entrant = race_.start(Clock::now())) {
      Attempt attempt{.socket = sockets::open_socket(race_.address(*entrant).family()), .entrant = *entrant};
      const int failed = attempt.socket ? sockets::set_options(attempt.socket.number(), options_) : errno;
      if (settle(attempt, failed == 0 ? begin(attempt) : failed)) return std::move(attempt.socket);
      if (attempt.socket) attempts_.push_back(std::move(attempt));
    }
    if (race_.lost()) return std::unexpected(race_.failure(what));

    watched_.clear();
    for (const Attempt& attempt : attempts_) {
      watched_.push_back(
          {.fd = attempt.refused_for_now ? -1 : attempt.socket.number(), .events = POLLOUT, .revents = 0});
    }
    watched_.emplace_back();
    if (auto ready = wait_for(watched_, Operation::connect, look_again(deadline), canceller_); !ready) {
      const IoCondition condition = ready.error().condition;
      if (condition == IoCondition::system) {
        ready.error().text.insert(name(Operation::connect).size(), " to " + std::string(what));
        return std::unexpected(std::move(ready.error()));
      }
      const bool late = deadline && Clock::now() >= *deadline;
      if (condition == IoCondition::canceled || late) return std::unexpected(race_.failure(what, condition));
    }
    for (std::size_t i = 0; i < attempts_.size(); ++i) {
      Attempt& attempt = attempts_[i];
      if (settle(attempt, go_on(attempt, watched_[i].revents))) return std::move(attempt.socket);
    }
    std::erase_if(attempts_, [](const Attempt& attempt) { return !attempt.socket; });
  }
}

int Attempts::begin(Attempt& attempt) const {
  const sockets::SocketAddress& address = race_.address(attempt.entrant);
  if (::connect(attempt.socket.number(), address.data(), address.size()) == 0) return 0;
  // connect(2): a call that was interrupted goes on by itself.
  if (errno == EINTR) return EINPROGRESS;
  attempt.refused_for_now = errno == EAGAIN && address.family() == AF_UNIX;
  return attempt.refused_for_now ? EINPROGRESS : errno;
}

int Attempts::go_on(Attempt& attempt, short revents) const {
  if (attempt.refused_for_now) return begin(attempt);
  if (revents == 0) return EINPROGRESS;
  int result = 0;
  socklen_t size = sizeof result;
  if (::getsockopt(attempt.socket.number(), SOL_SOCKET, SO_ERROR, &result, &size) != 0) result = errno;
  return result;
}

bool Attempts::settle(Attempt& attempt, int result) {
  if (result == 0) return true;
  if (result == EINPROGRESS) return false;
  attempt.socket.reset();
  race_.failed(attempt.entrant, result);
  return false;
}

Deadline Attempts::look_again(Deadline deadline) const {
  constexpr std::chrono::milliseconds kRetry{10};
  Deadline earliest = deadline;
  const auto consider = [&](Deadline other) {
    if (other && (!earliest || *other < *earliest)) earliest = other;
  };
  consider(race_.due());
  if (std::ranges::any_of(attempts_, &Attempt::refused_for_now)) consider(after(kRetry));
  return earliest;
}

IoResult<Socket> connect_to(std::vector<sockets::SocketAddress> addresses, std::string_view what, Deadline deadline,
                            Canceller canceller, std::span<const SocketOption> options) {
  auto descriptor = Attempts(std::move(addresses), canceller, options).run(what, deadline);
  if (!descriptor) return std::unexpected(std::move(descriptor.error()));
  sockets::send_at_once(descriptor->number());
  return Socket(std::move(*descriptor), std::move(canceller));
}

}  // namespace

// --- Socket ----------------------------------------------------------------------------------------------------------

Socket::Socket(Descriptor descriptor, Canceller canceller)
    : descriptor_(std::move(descriptor)), canceller_(std::move(canceller)) {}

IoResult<Socket> Socket::connect(std::string_view host, std::uint16_t port, Deadline deadline, Canceller canceller,
                                 const Resolve& resolve, std::span<const SocketOption> options) {
  auto addresses = sockets::addresses_of(host, port, resolve);
  if (!addresses) return std::unexpected(std::move(addresses.error()));
  return connect_to(std::move(*addresses), sockets::host_and_port(host, port), deadline, std::move(canceller), options);
}

IoResult<Socket> Socket::connect(const Address& address, Deadline deadline, Canceller canceller,
                                 std::span<const SocketOption> options) {
  const auto one = sockets::SocketAddress::of(address);
  if (!one) {
    return std::unexpected(
        plain_error(Operation::connect, IoCondition::misuse, "\"" + address.text() + "\" is no address"));
  }
  return connect_to({*one}, address.text(), deadline, std::move(canceller), options);
}

IoResult<std::size_t> Socket::read(MutableBytes out, Deadline deadline) {
  if (out.empty()) return 0;
  return receive_some(descriptor(), out, Operation::read, deadline, canceller_);
}

IoResult<std::size_t> Socket::write(Bytes bytes, Deadline deadline) {
  std::size_t sent = 0;
  while (sent < bytes.size()) {
    auto n = send_some(descriptor(), bytes.subspan(sent), Operation::write, deadline, canceller_);
    if (!n) {
      n.error().transferred = sent;
      return n;
    }
    sent += *n;
  }
  return sent;
}

// --- Listener --------------------------------------------------------------------------------------------------------

class Listener::Implementation {
 public:
  Implementation(std::vector<Descriptor> sockets, sockets::SocketFile file, Canceller canceller)
      : sockets_(std::move(sockets)), file_(std::move(file)), canceller_(std::move(canceller)) {}

  IoResult<Descriptor> accept(Deadline deadline);
  [[nodiscard]] std::span<const Descriptor> sockets() const noexcept { return sockets_; }
  void cancel() const noexcept { canceller_.cancel(); }

 private:
  std::vector<Descriptor> sockets_;
  sockets::SocketFile file_;  // goes before its socket
  Canceller canceller_;
  // Whose connections are taken first, so that a busy socket does not keep the others waiting.
  std::atomic<std::size_t> turn_ = 0;
};

IoResult<Descriptor> Listener::Implementation::accept(Deadline deadline) {
  std::vector<pollfd> watched;
  for (const Descriptor& socket : sockets_) watched.push_back({.fd = socket.number(), .events = POLLIN, .revents = 0});
  watched.emplace_back();
  for (;;) {
    if (auto ready = wait_for(watched, Operation::accept, deadline, canceller_); !ready) {
      return std::unexpected(std::move(ready.error()));
    }
    for (std::size_t i = 0; i < sockets_.size(); ++i) {
      const pollfd& socket = watched[turn_++ % sockets_.size()];
      if (socket.revents == 0) continue;
      Descriptor accepted(::accept4(socket.fd, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
      if (accepted) return accepted;
      if (errno != EAGAIN && !sockets::is_of_one_connection(errno)) {
        return std::unexpected(system_error(Operation::accept, errno));
      }
    }
  }
}

Listener::Listener(std::unique_ptr<Implementation> implementation) noexcept
    : implementation_(std::move(implementation)) {}
Listener::Listener(Listener&&) noexcept = default;
Listener& Listener::operator=(Listener&&) noexcept = default;
Listener::~Listener() = default;

IoResult<Listener> Listener::listen(std::string_view host, std::uint16_t port, Canceller canceller,
                                    std::span<const SocketOption> options) {
  auto sockets = sockets::listen_all(host, port, {.options = options});
  if (!sockets) return std::unexpected(std::move(sockets.error()));
  return Listener(std::make_unique<Implementation>(std::move(*sockets), sockets::SocketFile(), std::move(canceller)));
}

IoResult<Listener> Listener::listen(const Address& address, Canceller canceller,
                                    std::span<const SocketOption> options) {
  auto listening = sockets::listen_at(address, {.options = options});
  if (!listening) return std::unexpected(std::move(listening.error()));
  std::vector<Descriptor> sockets;
  sockets.push_back(std::move(listening->socket));
  return Listener(
      std::make_unique<Implementation>(std::move(sockets), std::move(listening->file), std::move(canceller)));
}

IoResult<Socket> Listener::accept_plain(Deadline deadline, std::optional<Canceller> canceller) {
  auto accepted = implementation_->accept(deadline);
  if (!accepted) return std::unexpected(std::move(accepted.error()));
  sockets::send_at_once(accepted->number());
  return Socket(std::move(*accepted), canceller ? std::move(*canceller) : Canceller());
}

IoResult<Stream> Listener::accept(const Options& options, Deadline deadline) {
  auto socket = accept_plain(deadline, options.canceller);
  if (!socket) return std::unexpected(std::move(socket.error()));
  return wrap(std::move(*socket), options);
}

Address Listener::address() const { return local_address(implementation_->sockets().front().number()); }

std::vector<Address> Listener::addresses() const {
  std::vector<Address> addresses;
  for (const Descriptor& socket : implementation_->sockets()) addresses.push_back(local_address(socket.number()));
  return addresses;
}

std::vector<int> Listener::descriptors() const {
  std::vector<int> numbers;
  for (const Descriptor& socket : implementation_->sockets()) numbers.push_back(socket.number());
  return numbers;
}

void Listener::cancel() const noexcept { implementation_->cancel(); }

}  // namespace lockstep::blocking
