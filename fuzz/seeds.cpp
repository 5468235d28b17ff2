// Writes what a corpus starts from: the flights, messages and certificates of handshakes that go well, the ways to
// break them, and what other implementations were heard to say (fuzz/peers).
//
//     fuzz_seeds DIRECTORY [PEERS]    # DIRECTORY/client/..., DIRECTORY/server/... and so on

#include <array>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>

#include <lockstep/fuzzing.hpp>
#include <lockstep/x509.hpp>

#include "codec/certificate12.hpp"
#include "codec/certificate_request12.hpp"
#include "codec/certificate_status.hpp"
#include "codec/client_key_exchange.hpp"
#include "codec/finished.hpp"
#include "codec/new_session_ticket12.hpp"
#include "codec/server_hello.hpp"
#include "codec/server_key_exchange.hpp"
#include "library/schedule.hpp"

using namespace lockstep;
using namespace lockstep::fuzzing;

namespace {

constexpr std::array kTypes{
    HandshakeType::client_hello,
    HandshakeType::server_hello,
    HandshakeType::encrypted_extensions,
    HandshakeType::certificate_request,
    HandshakeType::certificate,
    HandshakeType::certificate_verify,
    HandshakeType::finished,
    HandshakeType::new_session_ticket,
    HandshakeType::key_update,
    HandshakeType::end_of_early_data,
    HandshakeType::certificate_status,
    HandshakeType::server_key_exchange,
    HandshakeType::server_hello_done,
    HandshakeType::client_key_exchange,
    HandshakeType::compressed_certificate,
};

/// Casts that renegotiate.
constexpr auto kRenegotiating = std::to_array<std::uint8_t>({0x25, 0x27, 0x3d, 0x3f});
/// Casts of TLS 1.2 alone: by default, with a certificate of the client's, RSA, CBC in both orders, and everything.
constexpr auto kOldCasts = std::to_array<std::uint8_t>({0x25, 0x26, 0x2d, 0x2e, 0x2f, 0x35, 0x37, 0x3e});
/// The same with a session: by a ticket, and by an id.
constexpr auto kOldResumptions = std::to_array<std::uint8_t>({0xa5, 0xae, 0xb5, 0xbe});

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
  void write(const std::string& target, std::initializer_list<std::uint8_t> front, std::string_view text) {
    write(target, front, as_bytes(text));
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

/// The number by which the target `messages` knows a message, and whether it answers an offer.
std::optional<std::uint8_t> number_of(const Octets& message) {
  switch (static_cast<HandshakeType>(message.front())) {
    case HandshakeType::client_hello: return std::uint8_t{0};
    case HandshakeType::server_hello: return static_cast<std::uint8_t>(message[6] == 0xcf ? 2 : 1);  // by the random
    case HandshakeType::encrypted_extensions: return std::uint8_t{3};
    case HandshakeType::certificate_request: return std::uint8_t{4};
    case HandshakeType::certificate: return std::uint8_t{5};
    case HandshakeType::certificate_verify: return std::uint8_t{6};
    case HandshakeType::finished: return std::uint8_t{7};
    case HandshakeType::new_session_ticket: return std::uint8_t{8};
    case HandshakeType::compressed_certificate: return std::uint8_t{21};
    default: return std::nullopt;
  }
}

/// A script that changes nothing and writes down every message.
Script listening(Seeds& seeds) {
  Script script;
  for (const HandshakeType type : kTypes) {
    for (int earlier = 0; earlier < 2; ++earlier) {
      script.change(
          type,
          [&seeds](const Octets& message) {
            if (const auto number = number_of(message))
              seeds.write("messages", {*number, 1}, Bytes(message).subspan(4));
            return message;
          },
          earlier);
    }
  }
  return script;
}

void handshake(Seeds& seeds, std::uint8_t number) {
  const Cast cast(number);
  End client = cast.client(listening(seeds));
  End server = cast.server(listening(seeds));
  Recorder recorder;
  server.receive(recorder.pass(client.seal_early(as_bytes("early"))));
  client.receive(recorder.pass(server.send()));
  talk(client, server, recorder);
  if (!client.connection().connected() || !server.connection().connected()) {
    throw std::runtime_error("the handshake of cast " + std::to_string(number) + " has failed");
  }
  recorder.from_client = true;
  (void)recorder.pass(client.seal(as_bytes("hello")));
  (void)recorder.pass(server.seal(as_bytes("hello")));
  for (const std::uint8_t piece : {std::uint8_t{0}, std::uint8_t{17}}) {
    seeds.write("client", {number, piece}, recorder.server);
    seeds.write("server", {number, piece}, recorder.client);
  }
}

/// Tapes of both ends, whole and redacted.
void tapes(Seeds& seeds) {
  for (const auto contents : {trace::Contents::all, trace::Contents::shapes}) {
    fake::FakeRandom random(3);
    trace::Recorder client_recorder(random, {.contents = contents});
    trace::Recorder server_recorder(random, {.contents = contents});
    End client(Scene::get().clients[0], client_recorder);
    End server(Scene::get().servers[0], server_recorder);
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

/// How many records pass until the two of a cast have nothing more to say, which is how many choices a middle makes.
std::size_t records_before_rest(std::uint8_t number) {
  struct Counter {
    Octets pass(Bytes bytes) {
      for (Bytes rest = bytes; rest.size() >= 5; ++count)
        rest = rest.subspan(std::min(rest.size(), 5U + (std::size_t{rest[3]} << 8U | rest[4])));
      return {bytes.begin(), bytes.end()};
    }
    std::size_t count = 0;
  } counter;
  const Cast cast(number);
  End client = cast.client();
  End server = cast.server();
  talk(client, server, counter);
  return counter.count;
}

void middles(Seeds& seeds) {
  // Something happens to one record, the more honest ones before it the deeper.
  for (std::uint8_t way = 0; way <= 12; ++way) {
    for (std::uint8_t before = 0; before < 8; ++before) {
      Octets changes(before, 0);
      changes.insert(changes.end(), {way, 40, 3, 1});
      seeds.write("middle", {static_cast<std::uint8_t>(before & 1U), 0}, changes);
      seeds.write("middle", {kOldCasts[before % kOldCasts.size()], 0}, changes);
    }
  }
  // The same in a second handshake, behind the flights of the first.
  for (std::uint8_t way = 0; way <= 12; ++way) {
    for (const std::uint8_t number : kRenegotiating) {
      for (std::uint8_t before = 0; before < 4; ++before) {
        Octets changes(records_before_rest(number), 0);
        changes.push_back(static_cast<std::uint8_t>(1 + way % 2));
        changes.insert(changes.end(), before, 0);
        changes.insert(changes.end(), {way, 40, 3, 1});
        seeds.write("middle", {number, 0}, changes);
      }
    }
  }
}

void scripts(Seeds& seeds) {
  // One message of one side is wrong in one way; then a few records of every type.
  const Octets after{0, 5, 7, 24, 0, 0, 1, 0, 1, 0, 3, 'a', 'b', 'c', 2, 0, 2, 1, 0};
  for (std::uint8_t hostile = 0; hostile < 2; ++hostile) {
    for (std::uint8_t type = 0; type < kTypes.size(); ++type) {
      for (std::uint8_t way = 0; way < 10; ++way) {
        std::vector<std::uint8_t> numbers(kOldCasts.begin(), kOldCasts.end());
        numbers.insert(numbers.end(), {0, 1, 0x80});
        for (const std::uint8_t number : numbers) {
          Octets script{hostile, number, 0, type, way, 0, 40, 3, 2, 1, 2};
          script.insert(script.end(), after.begin(), after.end());
          seeds.write("hostile", {}, script);
        }
        // In the second handshake that either side begins.
        for (const std::uint8_t number : kRenegotiating) {
          for (const std::uint8_t begun : {std::uint8_t{2}, std::uint8_t{6}}) {
            Octets script{static_cast<std::uint8_t>(hostile | begun),
                          number,
                          0,
                          type,
                          static_cast<std::uint8_t>(0x80U | way),
                          0,
                          40,
                          3,
                          2,
                          1,
                          2};
            script.insert(script.end(), after.begin(), after.end());
            seeds.write("hostile", {}, script);
          }
        }
      }
    }
  }
}

void certificates(Seeds& seeds) {
  const Octets& der = Scene::get().credential->chain.front();
  const auto certificate = x509::Certificate::parse(der).value();
  seeds.write("certificate", {}, der);
  const Octets size{static_cast<std::uint8_t>(der.size() >> 8U), static_cast<std::uint8_t>(der.size())};
  Octets twice = size;
  twice.insert(twice.end(), der.begin(), der.end());
  seeds.write("path", {0}, twice);
  twice.insert(twice.end(), twice.begin(), twice.begin() + static_cast<std::ptrdiff_t>(twice.size()));
  seeds.write("path", {1}, twice);

  seeds.write("der", {0}, der);
  seeds.write("der", {1}, certificate.subject().der());
  for (const x509::Extension& extension : certificate.extensions()) {
    for (std::uint8_t known = 0; known < 20; ++known) seeds.write("der", {2, known, 15}, extension.value);
  }
  seeds.write("der", {3}, certificate.subject_public_key_info());
  fake::FakeRandom random(9);
  const Provider provider = fake::provider();
  for (const KeyType type : {KeyType::rsa, KeyType::ec_p256, KeyType::ed25519}) {
    const KeyLoader* const loader = provider.key_loader(type);
    if (loader == nullptr) continue;
    if (const auto key = loader->generate(type, 0, random)) {
      const Octets& bytes = *key;
      seeds.write("der", {4}, bytes);
      seeds.write("text", {6}, x509::pem("PRIVATE KEY", bytes));
    }
  }
  seeds.write("text", {5}, x509::pem("CERTIFICATE", der) + "between\n" + x509::pem("X", as_bytes("1")));
  seeds.write("text", {6}, x509::pem("CERTIFICATE", der));
}

void texts(Seeds& seeds) {
  seeds.write("text", {0}, "DEFAULT:-TLS_AES_128_GCM_SHA256");
  seeds.write("text", {1}, "X25519MLKEM768, x25519 secp256r1");
  seeds.write("text", {2}, "ALL:-ed25519");
  seeds.write("text", {3}, "www.example.com");
  for (const std::string_view name : {"www.example.com.", "192.0.2.1", "[2001:db8::1]", "::ffff:192.0.2.1"}) {
    seeds.write("text", {4}, name);
  }
  seeds.write("text", {5}, "-----BEGIN X-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: A\n\nAAAA\n-----END X-----\n");
  seeds.write("text", {7}, "CN=example.com, O=Example\\, Inc, C=DE, emailAddress=a@example.com");
  seeds.write("text", {8}, "TLS_AES_128_GCM_SHA256,TLS_CHACHA20_POLY1305_SHA256");
  seeds.write("text", {9}, "h2,http/1.1");
  seeds.write("text", {10}, "p256");
  seeds.write("text", {11}, "2026-11-21T20:31:36Z");
  for (const std::string_view place : {"example.com:8443", "[2001:db8::1]:443", "2001:db8::1"}) {
    seeds.write("text", {12}, place);
  }
}

/// The messages of TLS 1.2, by the numbers that the target `messages` has for them and for their forms.
void tls12_messages(Seeds& seeds) {
  using namespace codec;
  Octets buffer(2048);
  const auto write = [&](std::initializer_list<std::uint8_t> front, auto encode) {
    Writer writer(buffer);
    const Bytes message = encode(writer);
    seeds.write("messages", front, message.subspan(kHandshakeHeaderSize));
  };
  const Octets random(kRandomSize, 0x22);
  const Octets point(32, 0x44);
  const Octets prime{0xff, 0xff, 0xff, 0x61};
  const Octets two{2};
  const Octets name{0x30, 0x00};
  const std::array<Bytes, 2> list{name, point};
  const Octets timestamps{0, 3, 0, 1, 's'};
  write({1, 1}, [&](Writer& writer) {
    return encode_server_hello12(writer, {.random = random,
                                          .session_id = point,
                                          .cipher_suite = CipherSuite{0xc02f},
                                          .server_name = true,
                                          .extended_main_secret = true,
                                          .encrypt_then_mac = true,
                                          .session_ticket = true,
                                          .status_request = true,
                                          .ec_point_formats = true,
                                          .renegotiation_info = Bytes(),
                                          .application_layer_protocol_negotiation = as_bytes("h2"),
                                          .signed_certificate_timestamps = timestamps,
                                          .record_size_limit = 0x4000});
  });
  write({1, 1}, [&](Writer& writer) {
    return encode_server_hello12(
        writer, {.random = random, .renegotiation_info = Bytes(point).first(24), .max_fragment_length = 1});
  });
  write({1, 0}, [&](Writer& writer) { return encode_server_hello12(writer, {.random = random}); });
  write({13, 0}, [&](Writer& writer) { return encode_certificate12(writer, {list}); });
  write({14, 0}, [&](Writer& writer) { return encode_certificate_status(writer, {point}); });
  write({15, 0}, [&](Writer& writer) {
    return encode_certificate_request12(
        writer, {std::array{ClientCertificateType::rsa_sign, ClientCertificateType::ecdsa_sign},
                 std::array{SignatureScheme::rsa_pkcs1_sha256, SignatureScheme::ed25519}, list});
  });
  write({16, 0}, [&](Writer& writer) { return encode_new_session_ticket12(writer, {7200, point}); });
  write({17, 0}, [&](Writer& writer) { return encode_finished(writer, {Bytes(point).first(12)}); });
  seeds.write("messages", {18, 0}, Bytes());

  // Parameters of both kinds, signed and behind a hint; a hint alone.
  Octets curve_room(64);
  Writer curve{MutableBytes(curve_room)};
  write_ecdh_params(curve, NamedGroup::x25519, point);
  Octets field_room(64);
  Writer field{MutableBytes(field_room)};
  write_dh_params(field, prime, two, point);
  const DigitallySigned signature{SignatureScheme::ed25519, point};
  const Bytes hint = as_bytes("hint");
  write({19, 0, 0}, [&](Writer& to) { return encode_server_key_exchange(to, {}, curve.written(), signature); });
  write({19, 0, 1}, [&](Writer& to) { return encode_server_key_exchange(to, {}, field.written(), signature); });
  write({19, 0, 2}, [&](Writer& to) { return encode_server_key_exchange(to, hint, field.written(), {}); });
  write({19, 0, 3}, [&](Writer& to) { return encode_server_key_exchange(to, hint, curve.written(), {}); });
  write({19, 0, 4}, [&](Writer& to) { return encode_server_key_exchange(to, hint, {}, {}); });

  using enum ClientKeyExchangeParameters::Form;
  const std::array exchanges{vector8, vector16, vector16, vector8, vector16, vector16, none};
  for (std::uint8_t i = 0; i < exchanges.size(); ++i) {
    write({20, 0, i}, [&](Writer& writer) {
      const auto identity = i < 3 ? std::nullopt : std::optional<Bytes>(as_bytes("identity"));
      return encode_client_key_exchange(writer, {.psk_identity = identity, .exchange = point, .form = exchanges[i]});
    });
  }
}

/// What real clients and servers sent: NAME-client.bin and NAME-server.bin.
void peers(Seeds& seeds, const std::filesystem::path& directory) {
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    if (entry.path().extension() != ".bin") continue;
    std::ifstream in(entry.path(), std::ios::binary);
    const std::vector<char> read{std::istreambuf_iterator<char>(in), {}};
    const Octets flight(read.begin(), read.end());
    const bool from_client = entry.path().stem().string().ends_with("-client");
    seeds.write(from_client ? "server" : "client", {0, 0}, flight);
    // The first record holds the hello.
    const std::size_t length = flight.size() < 9 ? 0 : std::size_t{flight[3]} << 8U | flight[4];
    if (length < 4 || flight.size() < 5 + length) continue;
    const Octets hello(flight.begin() + 5, flight.begin() + 5 + static_cast<std::ptrdiff_t>(length));
    if (const auto number = number_of(hello)) seeds.write("messages", {*number, 1}, Bytes(hello).subspan(4));
  }
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 2 && count != 3) {
    std::cerr << "usage: fuzz_seeds DIRECTORY [PEERS]\n";
    return 2;
  }
  Seeds seeds{arguments[1]};
  for (const int number : {0x00, 0x01, 0x02, 0x03, 0x04, 0x09, 0x10, 0x18, 0x1a, 0x1c, 0x40, 0x80, 0xc0}) {
    handshake(seeds, static_cast<std::uint8_t>(number));
  }
  for (const std::uint8_t number : kOldCasts) handshake(seeds, number);
  for (const std::uint8_t number : kOldResumptions) handshake(seeds, number);
  tapes(seeds);
  middles(seeds);
  scripts(seeds);
  certificates(seeds);
  texts(seeds);
  tls12_messages(seeds);
  if (count == 3) peers(seeds, arguments[2]);

  for (std::uint64_t seed = 0; seed < 200; ++seed) seeds.write("api", {}, schedule(seed));
  Octets calls;
  for (int i = 0; i < 40; ++i) calls.insert(calls.end(), {0x9f, 1, 0, 0, 1, 0x1f, 1, 0, 0, 1});
  calls.insert(calls.end(), {0x89, 5, 'h', 'e', 'l', 'l', 'o', 0x0b, 1, 0x8c, 0x9f, 1, 0x1f, 1});
  for (std::uint8_t form = 0; form < 5; ++form)
    seeds.write("record", {form},
                std::string_view("\x05"
                                 "12345\x10\x83\x02"
                                 "ab\x01\x07\x03",
                                 13));
  seeds.write("kernels", {0}, calls);
  seeds.write("kernels", {2}, calls);
  const auto session = Scene::session().serialize();
  seeds.write("messages", {11, 0}, session);
  seeds.write("messages", {12, 0}, session);
}
