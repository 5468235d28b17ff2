// Fetches a page over TLS: fetch HOST PORT ANCHORS.pem

#include <charconv>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>
#include <string_view>

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

}  // namespace

int main(int argc, char** argv) {
  if (!open_standard_descriptors()) return EXIT_FAILURE;  // no socket may pass for one of them
  if (argc != 4) return fail("usage: fetch HOST PORT ANCHORS.pem");
  const std::string host = argv[1];
  const std::string_view digits = argv[2];
  std::uint16_t port = 0;
  const auto [end, wrong] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (wrong != std::errc() || end != digits.data() + digits.size()) return fail("the port is a number up to 65535");

  auto anchors = std::make_shared<x509::TrustAnchors>();
  if (const auto added = files::add_anchors(*anchors, argv[3]); !added) return fail(added.error().text());

  const auto answers = AnswerSetup::create({.provider = botan::provider(), .anchors = anchors}).value();
  const auto config = ConfigBuilder::client(botan::provider()).alpn({"http/1.1"}).build().value();

  auto stream = blocking::dial(host, port, {.config = config, .answers = answers});
  if (!stream) return fail(stream.error().text);
  const std::string request = "GET / HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n\r\n";
  if (const auto sent = stream->write(as_bytes(request)); !sent) return fail(sent.error().text);
  for (;;) {
    const auto view = stream->read_view();  // decrypted bytes, not copied, until the next read
    if (!view) return fail(view.error().text);
    if (view->empty()) return EXIT_SUCCESS;  // the server has said that this was all
    std::cout << as_text(*view);
  }
}
