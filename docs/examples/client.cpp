// Fetches a page over TLS 1.3: client HOST [PORT [CA_FILE]]
//
// Without CA_FILE it trusts whom the system trusts.

#include <charconv>
#include <cstdint>
#include <iostream>
#include <string>
#include <string_view>

#include <lockstep/answers.hpp>
#include <lockstep/blocking.hpp>
#include <lockstep/botan.hpp>
#include <lockstep/files.hpp>

using namespace lockstep;

int fail(std::string_view text) {
  std::cerr << text << '\n';
  return 1;
}

int main(int argc, char** argv) {
  if (argc < 2) return fail("usage: client HOST [PORT [CA_FILE]]");
  const std::string host = argv[1];
  std::uint16_t port = 443;
  if (argc > 2) std::from_chars(argv[2], argv[2] + std::string_view(argv[2]).size(), port);

  // Whom to trust, and how to speak: made once, shared by all connections.
  auto anchors = argc > 3 ? files::load_anchors(argv[3]) : files::system_anchors();
  if (!anchors) return fail(anchors.error().text);
  const Provider provider = botan::provider();
  const blocking::Options options{
      .config = ConfigBuilder::client(provider).alpn({"http/1.0"}).build().value(),
      .answers = AnswerSetup::create({.provider = provider, .anchors = *anchors}).value(),
  };

  auto stream = blocking::dial(host, port, options);
  if (!stream) return fail(stream.error().text);
  const auto sent = stream->write(as_bytes("GET / HTTP/1.0\r\nHost: " + host + "\r\n\r\n"));
  if (!sent) return fail(sent.error().text);
  for (;;) {
    const auto view = stream->read_view();
    if (!view) return fail(view.error().text);
    if (view->empty()) break;  // the server said close_notify: this was all
    std::cout << as_text(*view);
  }
  std::cerr << "-- " << to_text(*stream->connection().version()) << ", " << to_text(*stream->connection().suite())
            << ", " << to_text(*stream->connection().group()) << '\n';
}
