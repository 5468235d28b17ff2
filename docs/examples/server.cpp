// Serves a page over TLS 1.3: server PORT CA_FILE [CONNECTIONS]
//
// It makes itself an authority and a certificate for localhost, and writes the authority to CA_FILE for clients to
// trust. PORT 0 takes a free one. With CONNECTIONS it stops after that many.

#include <charconv>
#include <cstdint>
#include <iostream>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <lockstep/answers.hpp>
#include <lockstep/blocking.hpp>
#include <lockstep/botan.hpp>
#include <lockstep/standard_descriptors.hpp>

#include "localhost.hpp"

namespace {

using namespace lockstep;

/// Reads a request up to its empty line, answers it, says goodbye.
void serve(blocking::Stream stream) {
  stream.set_read_deadline(blocking::after(std::chrono::seconds(10)));
  stream.set_write_deadline(blocking::after(std::chrono::seconds(10)));
  std::string request;
  while (request.find("\r\n\r\n") == std::string::npos && request.size() < 8192) {
    const auto view = stream.read_view();
    if (!view) {
      std::cerr << view.error().text << '\n';
      return;
    }
    if (view->empty()) break;
    request += as_text(*view);
  }
  const std::string page = "Hello over " + to_text(*stream.connection().suite()) + "\n";
  const std::string head =
      "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: " + std::to_string(page.size()) +
      "\r\nConnection: close\r\n\r\n";
  const Bytes pieces[] = {as_bytes(head), as_bytes(page)};
  if (const auto sent = stream.writev(pieces); !sent) std::cerr << sent.error().text << '\n';
  if (const auto closed = stream.close(); !closed) std::cerr << closed.error().text << '\n';
}

template <class Number>
Number number(std::string_view text) {
  Number value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

}  // namespace

int main(int argc, char** argv) {
  if (!open_standard_descriptors()) return 1;  // no socket may pass for one of them
  if (argc < 3) {
    std::cerr << "usage: server PORT CA_FILE [CONNECTIONS]\n";
    return 2;
  }
  const Provider provider = botan::provider();
  RandomSource& random = botan::system_random();
  const blocking::Options options{
      .config = ConfigBuilder::server(provider).alpn({"http/1.1"}).build().value(),
      .answers = AnswerSetup::create({.provider = provider,
                                      .credentials = {localhost::new_credential(provider, argv[2])},
                                      .ticket_keys = TicketKeyring::create(provider, random)})
                     .value(),
  };

  auto listener = blocking::Listener::listen("127.0.0.1", number<std::uint16_t>(argv[1]));
  if (!listener) {
    std::cerr << listener.error().text << '\n';
    return 1;
  }
  std::cout << "listening on " << listener->address().text() << std::endl;

  std::vector<std::jthread> threads;
  const auto connections = argc > 3 ? number<std::size_t>(argv[3]) : 0;
  for (std::size_t i = 0; connections == 0 || i < connections; ++i) {
    auto stream = listener->accept(options);
    if (!stream) {
      std::cerr << stream.error().text << '\n';
      return 1;
    }
    std::jthread thread(serve, std::move(*stream));
    if (connections == 0) {
      thread.detach();
    } else {
      threads.push_back(std::move(thread));
    }
  }
}
