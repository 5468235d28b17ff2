// Fetches a page over TLS: fetch HOST PORT ANCHORS.pem

#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <string>

#include <lockstep/blocking.hpp>
#include <lockstep/botan.hpp>

using namespace lockstep;

namespace {

int fail(const IoError& error) {
  std::cerr << error.text << '\n';
  return EXIT_FAILURE;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) return EXIT_FAILURE;
  const std::string host = argv[1];

  std::ifstream file(argv[3]);
  auto anchors = std::make_shared<x509::TrustAnchors>();
  anchors->add_pem(std::string(std::istreambuf_iterator<char>(file), {}));

  const auto answers = AnswerSetup::create({.provider = botan::provider(), .anchors = anchors}).value();
  const auto config = ConfigBuilder::client(botan::provider()).alpn({"http/1.1"}).build().value();

  const auto port = static_cast<std::uint16_t>(std::stoi(argv[2]));
  auto stream = blocking::dial(host, port, {.config = config, .answers = answers});
  if (!stream) return fail(stream.error());
  const std::string request = "GET / HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n\r\n";
  if (const auto sent = stream->write(as_bytes(request)); !sent) return fail(sent.error());
  for (;;) {
    const auto view = stream->read_view();  // decrypted bytes, not copied, until the next read
    if (!view) return fail(view.error());
    if (view->empty()) return EXIT_SUCCESS;  // the server has said that this was all
    std::cout << as_text(*view);
  }
}
