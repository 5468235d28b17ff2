// An adapter of one's own: many TLS connections in one thread over poll(2). poll_server PORT CA_FILE [CONNECTIONS]
//
// Everything that is about TLS is in Peer. It makes itself an authority for localhost and writes it to CA_FILE.

#include <algorithm>
#include <array>
#include <cstdlib>
#include <iostream>
#include <list>
#include <string>
#include <string_view>
#include <vector>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <lockstep/answers.hpp>
#include <lockstep/botan.hpp>
#include <lockstep/connection.hpp>
#include <lockstep/io.hpp>
#include <lockstep/standard_descriptors.hpp>

#include "localhost.hpp"

using namespace lockstep;

namespace {

constexpr std::size_t kMostRequest = 8192;
constexpr std::size_t kMostOutput = 65536;

/// A connection between its socket and the application.
class Peer {
 public:
  Peer(Descriptor socket, std::shared_ptr<const ServerConfig> config, std::shared_ptr<const AnswerSetup> setup)
      : socket_(std::move(socket)),
        engine_(Connection::server(std::move(config), botan::system_random())),
        answers_(std::move(setup), botan::system_random()),
        inbound_(2 * Connection::kMaxRecord) {}

  /// What to wait for: nothing is received while the peer does not take what it was sent.
  [[nodiscard]] pollfd wanted() const {
    const short in = outbound_.size() < kMostOutput && !ended_ ? POLLIN : 0;
    const short out = outbound_.empty() ? 0 : POLLOUT;
    return {.fd = socket_.number(), .events = static_cast<short>(in | out), .revents = 0};
  }
  /// Nothing more will happen: both sides have ended, or it has failed and the peer knows why.
  [[nodiscard]] bool over() const { return outbound_.empty() && (ended_ || engine_.error() != nullptr); }

  void ready(short events) {
    if ((events & (POLLIN | POLLHUP | POLLERR)) != 0 && !ended_) receive();
    work();
    send();
  }

 private:
  /// Bytes from the socket, behind those that the engine could not use yet.
  void receive() {
    const ssize_t size = ::recv(socket_.number(), inbound_.data() + filled_, inbound_.size() - filled_, MSG_DONTWAIT);
    if (size > 0) {
      filled_ += static_cast<std::size_t>(size);
    } else if (size == 0 || (errno != EAGAIN && errno != EINTR)) {
      ended_ = true;
    }
  }

  /// Lets the engine use what there is, event by event.
  void work() {
    for (std::size_t used = 0;;) {
      auto [consumed, event] = engine_.receive(MutableBytes(inbound_).subspan(used, filled_ - used), system_time());
      used += consumed;
      if (answers_.answer(engine_, event)) continue;  // it was a decision, and is made
      if (const auto* data = std::get_if<ApplicationData>(&event)) {
        for (const Bytes piece : data->segments()) application(as_text(piece));
      } else if (const auto* failed = std::get_if<Failed>(&event)) {
        std::cerr << to_text(failed->error) << '\n';
      } else if (std::holds_alternative<Nothing>(event)) {
        // What is left is the beginning of a record, at most Connection::kMaxRecord bytes: to the front with it.
        std::copy(inbound_.data() + used, inbound_.data() + filled_, inbound_.data());
        filled_ -= used;
        break;
      }
    }
    if (ended_) (void)engine_.receive_end();  // an end without close_notify is an error
    transmit();
  }

  /// What the engine itself has to say: flights of the handshake, alerts, answers to key updates.
  void transmit() {
    std::array<std::uint8_t, 4096> chunk;
    while (const std::size_t size = engine_.transmit(chunk, system_time())) {
      outbound_.insert(outbound_.end(), chunk.data(), chunk.data() + size);
    }
  }

  void write(std::string_view text) {
    std::vector<std::uint8_t> chunk(Connection::kMaxRecord);
    for (Bytes left = as_bytes(text); !left.empty();) {
      const auto sealed = engine_.seal({&left, 1}, chunk, system_time());
      if (!sealed) return;  // the connection has failed or was closed
      outbound_.insert(outbound_.end(), chunk.data(), chunk.data() + sealed->written);
      left = left.subspan(sealed->consumed);
    }
  }

  void send() {
    const ssize_t size = ::send(socket_.number(), outbound_.data(), outbound_.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (size > 0) {
      outbound_.erase(outbound_.begin(), outbound_.begin() + size);
    } else if (size < 0 && errno != EAGAIN && errno != EINTR) {
      ended_ = true;
      outbound_.clear();
    }
    // Behind close_notify the socket ends too, and is kept until the peer has read all of it.
    if (outbound_.empty() && engine_.closed()) (void)::shutdown(socket_.number(), SHUT_WR);
  }

  /// The application: one page for one request.
  void application(std::string_view text) {
    request_ += text;
    if (request_.find("\r\n\r\n") == std::string::npos && request_.size() < kMostRequest) return;
    const std::string page = "Hello over " + to_text(*engine_.suite()) + ", from poll\n";
    write("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: " + std::to_string(page.size()) +
          "\r\nConnection: close\r\n\r\n" + page);
    engine_.close();
  }

  Descriptor socket_;
  Connection engine_;
  Answers answers_;
  std::vector<std::uint8_t> inbound_;
  std::size_t filled_ = 0;
  std::vector<std::uint8_t> outbound_;
  std::string request_;
  bool ended_ = false;  // the transport
};

Descriptor listen_on(std::uint16_t port) {
  Descriptor listener(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const int on = 1;
  (void)::setsockopt(listener.number(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::bind(listener.number(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(listener.number(), 128) != 0) {
    listener.reset();
  }
  return listener;
}

}  // namespace

int main(int argc, char** argv) {
  if (!open_standard_descriptors()) return 1;  // no socket may pass for one of them
  if (argc < 3) {
    std::cerr << "usage: poll_server PORT CA_FILE [CONNECTIONS]\n";
    return 2;
  }
  const Provider provider = botan::provider();
  const auto config = ConfigBuilder::server(provider).alpn({"http/1.1"}).build().value();
  const auto setup =
      AnswerSetup::create({.provider = provider, .credentials = {localhost::new_credential(provider, argv[2])}})
          .value();
  const Descriptor listener = listen_on(static_cast<std::uint16_t>(std::atoi(argv[1])));
  if (!listener) {
    std::cerr << "cannot listen\n";
    return 1;
  }
  std::cout << "listening on " << local_address(listener.number()).text() << std::endl;

  int left = argc > 3 ? std::atoi(argv[3]) : -1;
  std::list<Peer> peers;
  while (left != 0 || !peers.empty()) {
    std::vector<pollfd> watched{{.fd = left != 0 ? listener.number() : -1, .events = POLLIN, .revents = 0}};
    for (const Peer& peer : peers) watched.push_back(peer.wanted());
    if (::poll(watched.data(), watched.size(), -1) < 0) continue;
    auto at = watched.begin() + 1;
    for (auto peer = peers.begin(); peer != peers.end(); ++at) {
      if (at->revents != 0) peer->ready(at->revents);
      peer = peer->over() ? peers.erase(peer) : std::next(peer);
    }
    if (watched[0].revents != 0) {
      Descriptor socket(::accept4(listener.number(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
      if (!socket) continue;
      peers.emplace_back(std::move(socket), config, setup);
      --left;
    }
  }
}
