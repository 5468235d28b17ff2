// Writes what a corpus starts from: the flights, messages and certificates of handshakes that go well.
//
//     fuzz_seeds DIRECTORY    # DIRECTORY/client/..., DIRECTORY/server/... and so on

#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>

#include <lockstep/fuzzing.hpp>

using namespace lockstep;
using namespace lockstep::fuzzing;

namespace {

class Seeds {
 public:
  explicit Seeds(std::filesystem::path root) : root_(std::move(root)) {}

  void write(const std::string& target, std::initializer_list<std::uint8_t> front, Bytes bytes) {
    const std::filesystem::path directory = root_ / target;
    std::filesystem::create_directories(directory);
    std::ofstream out(directory / ("seed-" + std::to_string(count_++)), std::ios::binary);
    const Octets first(front);
    for (const Bytes part : {Bytes(first), bytes}) {
      out.write(reinterpret_cast<const char*>(part.data()), static_cast<std::streamsize>(part.size()));
    }
    if (!out) throw std::runtime_error("cannot write below " + root_.string());
  }

 private:
  std::filesystem::path root_;
  int count_ = 0;
};

/// Keeps what passed, each way.
struct Recorder {
  Octets pass(Bytes bytes) {
    Octets& to = from_client ? client : server;
    to.insert(to.end(), bytes.begin(), bytes.end());
    from_client = !from_client;
    return {bytes.begin(), bytes.end()};
  }
  bool from_client = true;
  Octets client;
  Octets server;
};

void handshake(Seeds& seeds, bool asking) {
  const Octets choice{static_cast<std::uint8_t>(asking ? 1 : 0), 0};
  Choices choices{Bytes(choice)};
  Ends ends(choices);
  Recorder recorder;
  ends.run(recorder);
  if (!ends.client.connection().connected()) throw std::runtime_error("the handshake has failed");
  recorder.from_client = true;
  (void)recorder.pass(ends.client.seal(as_bytes("hello")));
  (void)recorder.pass(ends.server.seal(as_bytes("hello")));
  for (const std::uint8_t piece : {std::uint8_t{0}, std::uint8_t{1}, std::uint8_t{17}}) {
    seeds.write("client", {piece}, recorder.server);
    seeds.write("server", {static_cast<std::uint8_t>(asking ? 1 : 0), piece}, recorder.client);
  }
  // The hellos are in the clear: records of one message each.
  const auto message = [](Bytes flight) { return flight.subspan(9, std::size_t{flight[3]} * 256 + flight[4] - 4); };
  seeds.write("messages", {0, 0}, message(recorder.client));
  seeds.write("messages", {static_cast<std::uint8_t>(asking ? 2 : 1), 1}, message(recorder.server));
}

/// Tapes of both ends, whole and redacted.
void tapes(Seeds& seeds) {
  for (const auto contents : {trace::Contents::all, trace::Contents::shapes}) {
    fake::FakeRandom random(3);
    trace::Recorder client_recorder(random, {.contents = contents});
    trace::Recorder server_recorder(random, {.contents = contents});
    End client(Role::client, Scene::get().client, client_recorder);
    End server(Role::server, Scene::get().asking_server, server_recorder);
    for (int turns = 0; turns < 8; ++turns) {
      server.receive(client.send());
      client.receive(server.send());
    }
    if (!client.connection().connected()) throw std::runtime_error("the handshake has failed");
    server.receive(client.seal(as_bytes("hello")));
    client.connection().close();
    server.receive(client.send());
    server.receive_end();
    seeds.write("tape", {}, client_recorder.recorded());
    seeds.write("tape", {}, server_recorder.recorded());
  }
}

void middles(Seeds& seeds) {
  // Something happens to one record, the more honest ones before it the deeper.
  for (std::uint8_t way = 0; way <= 12; ++way) {
    for (std::uint8_t before = 0; before < 8; ++before) {
      Octets changes(before, 0);
      changes.insert(changes.end(), {way, 40, 3, 1});
      seeds.write("middle", {static_cast<std::uint8_t>(before & 1U), 0}, changes);
    }
  }
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 2) {
    std::cerr << "usage: fuzz_seeds DIRECTORY\n";
    return 2;
  }
  Seeds seeds{arguments[1]};
  handshake(seeds, false);
  handshake(seeds, true);
  tapes(seeds);
  middles(seeds);

  const Octets& der = Scene::get().credential->chain.front();
  seeds.write("certificate", {}, der);
  const Octets size{static_cast<std::uint8_t>(der.size() >> 8U), static_cast<std::uint8_t>(der.size())};
  Octets twice = size;
  twice.insert(twice.end(), der.begin(), der.end());
  seeds.write("path", {0}, twice);
  twice.insert(twice.end(), twice.begin(), twice.begin() + static_cast<std::ptrdiff_t>(twice.size()));
  seeds.write("path", {1}, twice);

  Octets calls;
  for (int i = 0; i < 40; ++i) calls.insert(calls.end(), {0x9f, 1, 0, 0, 1, 0x1f, 1, 0, 0, 1});
  seeds.write("api", {}, calls);
  calls.insert(calls.end(), {0x89, 5, 'h', 'e', 'l', 'l', 'o', 0x0b, 1, 0x8c, 0x9f, 1, 0x1f, 1});
  seeds.write("api", {}, calls);
  seeds.write("record", {},
              as_bytes(std::string_view("\x03\x05"
                                        "12345\x10\x83\x02"
                                        "ab\x01\x07\x03",
                                        14)));
  seeds.write("kernels", {0}, calls);
  seeds.write("kernels", {2}, calls);
  seeds.write("lists", {0}, as_bytes("DEFAULT:-TLS_AES_128_GCM_SHA256"));
  seeds.write("lists", {1}, as_bytes("X25519MLKEM768, x25519 secp256r1"));
  seeds.write("lists", {2}, as_bytes("ALL:-ed25519"));
  seeds.write("lists", {3}, as_bytes("www.example.com"));
}
