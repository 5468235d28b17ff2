// The engine alone: a client and a server in one program, joined by two byte vectors. No socket, no thread, no clock.
// This is also how to test a protocol of one's own over TLS.

#include <cstdint>
#include <iostream>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include <lockstep/answers.hpp>
#include <lockstep/botan.hpp>
#include <lockstep/connection.hpp>
#include <lockstep/x509.hpp>

namespace {

using namespace lockstep;

/// 2026-06-01 12:00 UTC. Time is an argument.
constexpr std::int64_t kNow = 1'780'315'200;
const Time now{std::chrono::seconds(kNow)};

/// One end: the engine, who answers its questions, and what has arrived for it.
struct End {
  Connection connection;
  Answers answers;
  std::vector<std::uint8_t> inbound;
  std::string received;

  /// Lets the engine work on what has arrived. False when the connection has failed.
  bool receive() {
    for (;;) {
      auto [consumed, event] = connection.receive(inbound, now);
      const bool answered = answers.answer(connection, event);
      if (const auto* data = std::get_if<ApplicationData>(&event)) {
        for (const Bytes segment : data->segments()) received += as_text(segment);
      } else if (const auto* failed = std::get_if<Failed>(&event)) {
        std::cerr << to_text(failed->error, answers.verdict()) << '\n';
        return false;
      }
      const bool idle = std::holds_alternative<Nothing>(event) && !answered;
      // The data were views into `inbound`: it is cut only now.
      inbound.erase(inbound.begin(), inbound.begin() + static_cast<std::ptrdiff_t>(consumed));
      if (idle) return true;
    }
  }

  /// Carries what the engine wants to send to the other end. The number of bytes.
  std::size_t transmit_to(End& other) {
    std::vector<std::uint8_t> outbound(4096);
    std::size_t total = 0;
    while (const std::size_t n = connection.transmit(outbound, now)) {
      other.inbound.insert(other.inbound.end(), outbound.begin(), outbound.begin() + static_cast<std::ptrdiff_t>(n));
      total += n;
    }
    return total;
  }

  /// Seals a text for the other end.
  bool send_to(End& other, std::string_view text) {
    std::vector<std::uint8_t> outbound(Connection::kMaxRecord);
    const Bytes plaintext = as_bytes(text);
    const auto sealed = connection.seal({&plaintext, 1}, outbound, now);
    if (!sealed || sealed->consumed != text.size()) return false;
    other.inbound.insert(other.inbound.end(), outbound.begin(),
                         outbound.begin() + static_cast<std::ptrdiff_t>(sealed->written));
    return true;
  }
};

int fail(std::string_view text) {
  std::cerr << text << '\n';
  return 1;
}

}  // namespace

int main() {
  const Provider provider = botan::provider();
  RandomSource& random = botan::system_random();

  // A certificate for the server, signed by itself, and a client that trusts it.
  const KeyLoader* loader = provider.key_loader(KeyType::ec_p256);
  const auto pkcs8 = loader->generate(KeyType::ec_p256, 0, random);
  const auto key = loader->load(pkcs8.value()).value();
  const auto certificate = x509::CertificateBuilder("CN=example.com")
                               .dns("example.com")
                               .server()
                               .validity(kNow - 3600, kNow + 3600)
                               .self_signed(provider, *key, random)
                               .value();
  auto anchors = std::make_shared<x509::TrustAnchors>();
  if (!anchors->add(certificate)) return fail("the certificate cannot be an anchor");

  // What all connections share: a configuration and a setup of answers for each role.
  const auto client_config = ConfigBuilder::client(provider).build().value();
  const auto server_config = ConfigBuilder::server(provider).build().value();
  const auto client_setup = AnswerSetup::create({.provider = provider, .anchors = anchors}).value();
  const auto server_setup =
      AnswerSetup::create({.provider = provider, .credentials = {make_credential({certificate}, key)}}).value();

  End client{Connection::client(client_config, {.name = x509::PeerName::dns("example.com").value()}, random, now),
             Answers(client_setup, random),
             {},
             {}};
  End server{Connection::server(server_config, random), Answers(server_setup, random), {}, {}};

  // The handshake: bytes go to and fro until neither end has anything to say.
  for (;;) {
    const std::size_t there = client.transmit_to(server);
    if (!server.receive()) return 1;
    const std::size_t back = server.transmit_to(client);
    if (!client.receive()) return 1;
    std::cout << "client " << there << " bytes, server " << back << " bytes\n";
    if (there == 0 && back == 0) break;
  }
  if (!client.connection.connected() || !server.connection.connected()) return fail("the handshake did not finish");
  std::cout << to_text(*client.connection.version()) << ", " << to_text(*client.connection.suite()) << ", "
            << to_text(*client.connection.group()) << ", " << to_text(*client.connection.peer_scheme()) << '\n';

  // A question and an answer.
  if (!client.send_to(server, "ping") || !server.receive()) return fail("the question did not arrive");
  if (server.received != "ping") return fail("the server received something else");
  if (!server.send_to(client, "pong") || !client.receive()) return fail("the answer did not arrive");
  if (client.received != "pong") return fail("the client received something else");
  std::cout << "client sent ping, server sent pong\n";

  // The end, one direction after the other.
  client.connection.close();
  client.transmit_to(server);
  if (!server.receive() || !server.connection.peer_closed()) return fail("close_notify did not arrive");
  std::cout << "client said close_notify\n";
}
