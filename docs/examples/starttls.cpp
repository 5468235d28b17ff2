// Begins in plain text, goes on in TLS, and goes back to plain text: starttls HOST PORT ANCHORS.pem
//
// The protocol is one for show: whoever says STARTTLS is answered by a line that begins with "220", and TLS begins.
// After close_notify of both sides the same connection goes on in plain text.

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <lockstep/blocking.hpp>
#include <lockstep/botan.hpp>
#include <lockstep/files.hpp>
#include <lockstep/standard_descriptors.hpp>

using namespace lockstep;

namespace {

int fail(std::string_view why) {
  std::cerr << why << '\n';
  return EXIT_FAILURE;
}

/// A line of plain text, and whatever has come behind it, which may be the peer's first TLS bytes already.
struct Line {
  std::string text;
  std::string rest;
};
IoResult<Line> read_line(blocking::Socket& socket, std::string read = {}) {
  constexpr std::size_t kLongest = 4096;  // nobody has proved yet who says it
  std::array<std::uint8_t, 1024> bytes{};
  while (read.find('\n') == std::string::npos && read.size() < kLongest) {
    const auto n = socket.read(bytes);
    if (!n) return std::unexpected(n.error());
    if (*n == 0) break;  // what is there is the last line
    read += as_text(Bytes(bytes).first(*n));
  }
  const std::size_t size = std::min(read.find('\n'), read.size() - 1) + 1;
  return Line{read.substr(0, size), read.substr(size)};
}

}  // namespace

int main(int argc, char** argv) {
  if (!open_standard_descriptors()) return EXIT_FAILURE;  // no socket may pass for one of them
  if (argc != 4) return fail("usage: starttls HOST PORT ANCHORS.pem");
  const std::string host = argv[1];
  const std::string_view digits = argv[2];
  std::uint16_t port = 0;
  const auto [end, wrong] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (wrong != std::errc() || end != digits.data() + digits.size()) return fail("the port is a number up to 65535");
  auto anchors = std::make_shared<x509::TrustAnchors>();
  if (const auto added = files::add_anchors(*anchors, argv[3]); !added) return fail(added.error().text());
  const auto answers = AnswerSetup::create({.provider = botan::provider(), .anchors = anchors}).value();
  const auto config = ConfigBuilder::client(botan::provider()).build().value();

  auto socket = blocking::Socket::connect(host, port);
  if (!socket) return fail(socket.error().text);
  if (const auto sent = socket->write(as_bytes("STARTTLS\n")); !sent) return fail(sent.error().text);
  const auto answer = read_line(*socket);
  if (!answer) return fail(answer.error().text);
  if (!answer->text.starts_with("220")) return fail("the server does not go on in TLS");

  // Nothing that came in plain text is ever taken for decrypted: what stands behind the line goes into the engine.
  auto stream = blocking::wrap(std::move(*socket), {.config = config, .answers = answers},
                               {.name = x509::PeerName::parse(host).value(), .already_read = as_bytes(answer->rest)});
  if (!stream) return fail(stream.error().text);
  if (const auto sent = stream->write(as_bytes("in secret\n")); !sent) return fail(sent.error().text);
  std::array<std::uint8_t, 10> echo{};
  if (const auto read = stream->read_exactly(echo); !read) return fail(read.error().text);
  std::cout << "TLS: " << as_text(echo);

  auto plain = stream->downgrade();  // says close_notify, and waits for the server's
  if (!plain) return fail(plain.error().text);
  if (const auto sent = plain->socket.write(as_bytes("in the open\n")); !sent) return fail(sent.error().text);
  const auto last = read_line(plain->socket, std::string(as_text(plain->leftover)));
  if (!last) return fail(last.error().text);
  std::cout << "plain: " << last->text;
  return EXIT_SUCCESS;
}
