// A client and a server in one process, without a socket: what the engine is to whoever moves the bytes.

#include <array>
#include <chrono>
#include <iostream>
#include <memory>
#include <string_view>
#include <variant>
#include <vector>

#include <lockstep/answers.hpp>
#include <lockstep/botan.hpp>
#include <lockstep/connection.hpp>

using namespace lockstep;

namespace {

/// One end of the connection, and the bytes that have arrived for it.
struct End {
  Connection connection;
  Answers answers;
  std::vector<std::uint8_t> inbound{};
};

/// Carries what one end has to send over to the other.
void deliver(End& from, End& to, Time now) {
  std::array<std::uint8_t, 4096> outbound{};
  while (const std::size_t size = from.connection.transmit(outbound, now)) {
    to.inbound.insert(to.inbound.end(), outbound.data(), outbound.data() + size);
  }
}

/// Lets one end work on what has arrived. False when the connection has failed.
bool work(End& end, Time now) {
  for (;;) {
    auto [consumed, event] = end.connection.receive(end.inbound, now);
    const bool idle = std::holds_alternative<Nothing>(event);
    if (end.answers.answer(end.connection, event)) {
      // It was a decision: which certificate, a signature, whether the peer is accepted.
    } else if (const auto* data = std::get_if<ApplicationData>(&event)) {
      for (const MutableBytes segment : data->segments()) std::cout << as_text(segment);
    } else if (const auto* failed = std::get_if<Failed>(&event)) {
      std::cerr << to_text(failed->error) << '\n';
      return false;
    }
    end.inbound.erase(end.inbound.begin(), end.inbound.begin() + static_cast<std::ptrdiff_t>(consumed));
    if (idle) return true;
  }
}

}  // namespace

int main() {
  const Provider provider = botan::provider();
  RandomSource& random = botan::system_random();
  const auto now = std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now());
  const auto seconds = std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count();

  // A key and a certificate for it, which the client trusts.
  const KeyLoader* keys = provider.key_loader(KeyType::ec_p256);
  const auto key = keys->load(keys->generate(KeyType::ec_p256, 0, random).value()).value();
  const auto certificate = x509::CertificateBuilder("CN=example.com")
                               .dns("example.com")
                               .server()
                               .validity(seconds - 3600, seconds + 3600)
                               .self_signed(provider, *key, random)
                               .value();
  auto anchors = std::make_shared<x509::TrustAnchors>();
  anchors->add(certificate).value();

  const auto client_answers = AnswerSetup::create({.provider = provider, .anchors = anchors}).value();
  const auto server_answers =
      AnswerSetup::create({.provider = provider, .credentials = {make_credential({certificate}, key)}}).value();
  const auto client_config = ConfigBuilder::client(provider).alpn({"greeting"}).build().value();
  const auto server_config = ConfigBuilder::server(provider).alpn({"greeting"}).build().value();

  const auto name = x509::PeerName::dns("example.com").value();
  End client{Connection::client(client_config, {.name = name}, random, now), Answers(client_answers, random)};
  End server{Connection::server(server_config, random), Answers(server_answers, random)};

  while (!client.connection.connected() || !server.connection.connected()) {
    deliver(client, server, now);
    if (!work(server, now)) return 1;
    deliver(server, client, now);
    if (!work(client, now)) return 1;
  }
  std::cout << to_text(*client.connection.suite()) << ", " << to_text(*client.connection.group()) << ", "
            << to_text(*client.connection.peer_scheme()) << ", " << client.connection.alpn() << '\n';

  // Application data: sealed into a buffer of ours, opened where it lies.
  const std::array text{as_bytes("hello, "), as_bytes("world\n")};
  server.inbound.resize(Connection::kMaxRecord);
  const auto sealed = client.connection.seal(text, server.inbound, now).value();
  server.inbound.resize(sealed.written);
  return work(server, now) ? 0 : 1;
}
