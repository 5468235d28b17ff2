#include "peer.hpp"

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <stdexcept>
#include <string_view>
#include <utility>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

namespace peer {
namespace {

std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> parts;
  for (std::size_t start = 0; start <= text.size();) {
    const std::size_t end = std::min(text.find(',', start), text.size());
    parts.emplace_back(text.substr(start, end - start));
    start = end + 1;
  }
  return parts;
}

std::string from_hexadecimal(const std::string& digits) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < digits.size(); i += 2)
    bytes += static_cast<char>(std::stoi(digits.substr(i, 2), nullptr, 16));
  return bytes;
}

Options options_of(const std::vector<std::string>& words) {
  Options options;
  options.server = words.front() == "server";
  for (std::size_t i = 1; i < words.size(); ++i) {
    const std::string& word = words[i];
    const auto value = [&] { return words.at(++i); };
    if (word == "--port") {
      options.port = value();
    } else if (word == "--tls1.3") {
      options.tls13 = true;
    } else if (word == "--suites") {
      options.suites = split(value());
    } else if (word == "--cert") {
      options.certificates.push_back(value());
    } else if (word == "--key") {
      options.keys.push_back(value());
    } else if (word == "--ca") {
      options.authorities = value();
    } else if (word == "--count") {
      options.count = std::stoi(value());
    } else if (word == "--no-tickets") {
      options.tickets = false;
    } else if (word == "--no-ems") {
      options.extended_master_secret = false;
    } else if (word == "--no-etm") {
      options.encrypt_then_mac = false;
    } else if (word == "--renegotiate") {
      options.renegotiate = true;
    } else if (word == "--dh") {
      options.dh_parameters = value();
    } else if (word == "--psk") {
      options.psk_identity = value();
      options.psk = from_hexadecimal(value());
    } else {
      throw std::runtime_error("unknown option " + word);
    }
  }
  return options;
}

class Socket {
 public:
  explicit Socket(int number) : number_(number) {
    if (number < 0) throw std::runtime_error("no socket");
    constexpr int kOn = 1;
    ::setsockopt(number, IPPROTO_TCP, TCP_NODELAY, &kOn, sizeof kOn);
  }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  ~Socket() { ::close(number_); }
  [[nodiscard]] int number() const { return number_; }

 private:
  int number_;
};

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}

void print(const Facts& facts) {
  const char* resumed = !facts.resumed ? "null" : *facts.resumed ? "true" : "false";
  std::printf(
      "{\"ok\": true, \"version\": \"%s\", \"suite\": \"%s\", "
      "\"peer\": \"%s\", \"resumed\": %s}\n",
      facts.version.c_str(), facts.suite.c_str(), facts.peer.c_str(), resumed);
}

void print(const std::exception& error) { std::printf("{\"ok\": false, \"error\": \"%s\"}\n", error.what()); }

void echo(Endpoint& endpoint, const Socket& socket, bool renegotiate) {
  const auto connection = endpoint.connection(socket.number());
  for (std::string data; !(data = connection->read()).empty();) {
    if (std::exchange(renegotiate, false)) connection->renegotiate();
    connection->write(data);
  }
  print(connection->facts());
  connection->close();
}

[[noreturn]] void serve(const Options& options) {
  const auto endpoint = make_endpoint(options);
  const Socket listener(::socket(AF_INET, SOCK_STREAM, 0));
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  if (::bind(listener.number(), reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      ::listen(listener.number(), 16) != 0 ||
      ::getsockname(listener.number(), reinterpret_cast<sockaddr*>(&address), &size) != 0)
    throw std::runtime_error("cannot listen");
  std::printf("port %d\n", ntohs(address.sin_port));
  for (;;) {
    const Socket socket(::accept(listener.number(), nullptr, nullptr));
    try {
      echo(*endpoint, socket, options.renegotiate);
    } catch (const std::exception& error) {
      print(error);
    }
  }
}

void send_line(Connection& connection) {
  const std::string line = "over the wire\n";
  connection.write(line);
  std::string back;
  while (back.size() < line.size()) {
    const std::string data = connection.read();
    if (data.empty()) throw std::runtime_error("closed before the line came back");
    back += data;
  }
  if (back != line) throw std::runtime_error("what came back is not what was sent");
}

void connect(Endpoint& endpoint, std::uint16_t port, bool renegotiate) {
  const Socket socket(::socket(AF_INET, SOCK_STREAM, 0));
  const sockaddr_in address = loopback(port);
  if (::connect(socket.number(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    throw std::runtime_error("cannot connect");
  const auto connection = endpoint.connection(socket.number());
  send_line(*connection);
  if (renegotiate) {
    connection->renegotiate();
    send_line(*connection);
  }
  print(connection->facts());
  connection->close();
  while (!connection->read().empty()) continue;
}

void connect_with_each(Options options) {
  const auto port = static_cast<std::uint16_t>(std::stoi(options.port));
  const std::vector<std::string> suites = options.suites;
  for (const std::string& suite : suites) {
    options.suites = {suite};
    const auto endpoint = make_endpoint(options);
    for (int i = 0; i < options.count; ++i) connect(*endpoint, port, options.renegotiate);
  }
}

}  // namespace
}  // namespace peer

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  try {
    const std::vector<std::string> words(argv + 1, argv + argc);
    if (words.at(0) == "suites") {
      for (const std::string& name : peer::known_suites()) std::puts(name.c_str());
      return 0;
    }
    const peer::Options options = peer::options_of(words);
    if (options.server) peer::serve(options);
    peer::connect_with_each(options);
  } catch (const std::exception& error) {
    peer::print(error);
    return 1;
  }
  return 0;
}
