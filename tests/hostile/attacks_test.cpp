// Attacks on TLS that have a name, each as its authors played it: what it needs is not there, or is noticed.
// docs/attacks.md says why.

#include <array>
#include <fstream>
#include <iterator>
#include <ranges>
#include <regex>
#include <set>
#include <tuple>

#include <lockstep/lists.hpp>

#include "hostile/old_duel.hpp"
#include "hostile/oracles.hpp"
#include "pair/dh_groups.hpp"

namespace lockstep::testing {
namespace {

constexpr auto kOld = ProtocolVersion::tls_1_2;
constexpr auto kNew = ProtocolVersion::tls_1_3;

/// The records that lie on the wire, which is empty then.
std::vector<Octets> take_records(Octets& wire) {
  std::vector<Octets> records;
  for (Bytes rest = wire; rest.size() >= record::kHeaderSize;) {
    const Bytes one = rest.first(record::kHeaderSize + (std::size_t{rest[3]} << 8U | rest[4]));
    records.emplace_back(one.begin(), one.end());
    rest = rest.subspan(one.size());
  }
  wire.clear();
  return records;
}

/// Somebody on the way changes the hello with which the first record begins.
template <class Hello, class Edit>
void tamper(Octets& wire, Edit edit) {
  std::vector<Octets> records = take_records(wire);
  ASSERT_FALSE(records.empty());
  const Bytes first = Bytes(records.front()).subspan(record::kHeaderSize);
  const std::size_t size = 4 + (std::size_t{first[1]} << 16U | std::size_t{first[2]} << 8U | first[3]);
  Hello hello = Hello::split(first.first(size));
  edit(hello);
  Octets content = hello.join();
  append(content, first.subspan(size));
  append(wire, plain_record(22, content, static_cast<std::uint16_t>(records.front()[1] << 8U | records.front()[2])));
  for (std::size_t i = 1; i < records.size(); ++i) append(wire, records[i]);
}

void expect_nobody_is_done(Duel& duel) {
  EXPECT_FALSE(duel.client().complete);
  EXPECT_FALSE(duel.server().complete);
  EXPECT_TRUE(duel.client().error || duel.server().error);
}

/// What an end shows of itself, to its peer and to its application.
struct Behaviour {
  std::vector<Octets> said;  ///< after each record that came
  std::vector<std::string> events;
  std::optional<Error> error;

  static Behaviour of(OldDuel& duel, const std::vector<Octets>& records) {
    Behaviour seen;
    for (const Octets& record : records) {
      append(duel.to_server(), record);
      duel.server_speaks();
      seen.said.push_back(std::exchange(duel.to_client(), {}));
    }
    seen.events = duel.server().events;
    seen.error = duel.server().error;
    if (seen.error) Duel::expect_over(duel.server());
    return seen;
  }
  friend bool operator==(const Behaviour&, const Behaviour&) = default;
};

// --- oracles -------------------------------------------------------------------------------------------------------

constexpr auto kRsaSuite = CipherSuite::tls_rsa_with_aes_128_gcm_sha256;

/// A server that reads secrets with its RSA key, and a client that sends them in a shape of its choice. The client goes
/// on under the keys that the secret leads to, or under none.
class Bleichenbacher {
 public:
  static Behaviour play(const RsaShape& shape, bool knows_the_keys, ClientAuth client_auth) {
    OldDuel duel;
    const std::vector schemes{SignatureScheme::ecdsa_secp256r1_sha256, SignatureScheme::rsa_pss_rsae_sha256};
    duel.client_config.suites({kRsaSuite}).schemes(schemes);
    duel.server_config.suites({kRsaSuite}).schemes(schemes).client_auth(client_auth);
    duel.client_forger.change(HandshakeType::client_key_exchange, [&](const Octets& honest) {
      const SigningKey& key = *key_of(KeyType::rsa);
      FixedRandom random(4);
      Octets secret(48);
      EXPECT_TRUE(key.decrypt(Bytes(honest).subspan(6), random, secret));
      return message_of(HandshakeType::client_key_exchange,
                        vector_of(encrypted_in_shape(shape, secret, key.subject_public_key_info()), 2));
    });
    duel.server().credential = credential_of(KeyType::rsa);
    duel.exchange_hellos();
    std::vector<Octets> records = take_records(duel.to_server());
    if (!knows_the_keys) std::ranges::fill(records.back().begin() + record::kHeaderSize, records.back().end(), 9);
    return Behaviour::of(duel, records);
  }
};

void expect_one_behaviour_for_any_secret() {
  for (const ClientAuth client_auth : {ClientAuth::none, ClientAuth::require}) {
    const Behaviour usual = Bleichenbacher::play(kRsaShapes.front(), false, client_auth);
    // The server reads the secret and changes its key without a word; only then it refuses.
    ASSERT_GE(usual.said.size(), 3U);
    EXPECT_TRUE(std::ranges::all_of(usual.said | std::views::take(usual.said.size() - 1), &Octets::empty));
    ASSERT_TRUE(usual.error);
    EXPECT_EQ(usual.error->reason, Reason::record_mac);
    EXPECT_EQ(usual.said.back(), plain_record(21, Octets{2, static_cast<std::uint8_t>(Alert::bad_record_mac)}));
    for (const RsaShape& shape : kRsaShapes) {
      SCOPED_TRACE(std::string(shape.name));
      EXPECT_EQ(Bleichenbacher::play(shape, false, client_auth), usual);
      // Nor is there a difference for who knows what is encrypted, as long as it is not right.
      const Behaviour knowing = Bleichenbacher::play(shape, true, client_auth);
      if (&shape == &kRsaShapes.front()) {
        EXPECT_FALSE(knowing.error);
      } else {
        EXPECT_EQ(knowing, usual);
      }
    }
  }
}

TEST(Attack, Bleichenbacher) { expect_one_behaviour_for_any_secret(); }

// Böck, Somorovsky and Young, 2017: whether more than one message is awaited, and a ciphertext that is no number or of
// another length than the modulus, tell as well.
TEST(Attack, ROBOT) {
  expect_one_behaviour_for_any_secret();
  const auto with = [](const Octets& ciphertext, bool whole_flight) {
    OldDuel duel;
    const std::vector schemes{SignatureScheme::rsa_pss_rsae_sha256};
    duel.client_config.suites({kRsaSuite}).schemes(schemes);
    duel.server_config.suites({kRsaSuite}).schemes(schemes);
    duel.client_forger.replace(HandshakeType::client_key_exchange,
                               message_of(HandshakeType::client_key_exchange, vector_of(ciphertext, 2)));
    duel.server().credential = credential_of(KeyType::rsa);
    duel.exchange_hellos();
    std::vector<Octets> records = take_records(duel.to_server());
    if (!whole_flight) records.resize(1);
    return Behaviour::of(duel, records);
  };
  const Bytes key = key_of(KeyType::rsa)->subject_public_key_info();
  const Octets usual = encrypted_in_shape(kRsaShapes.front(), Octets(48, 3), key);
  for (const bool whole_flight : {true, false}) {
    const Behaviour expected = with(usual, whole_flight);
    EXPECT_EQ(expected.error.has_value(), whole_flight);
    for (const Octets& other : {Octets(usual.size(), 0), Octets(usual.size(), 0xff), Octets(usual.size() - 1, 2),
                                Octets(usual.size() + 1, 2), Octets(1, 1), Octets()}) {
      EXPECT_EQ(with(other, whole_flight), expected) << other.size();
    }
  }
}

// The version within must be the one that ClientHello had, whatever was negotiated, and a wrong one is no oracle either
// (Klima, Pokorny and Rosa, 2003). Here all else is right.
TEST(Attack, KlimaPokornyRosa) {
  OldDuel duel;
  const std::vector schemes{SignatureScheme::rsa_pss_rsae_sha256};
  duel.client_config.suites({kRsaSuite}).schemes(schemes);
  duel.server_config.suites({kRsaSuite}).schemes(schemes);
  duel.client_forger.change_parts<RawClientHello>(HandshakeType::client_hello,
                                                  [](RawClientHello& hello) { hello.legacy_version = 0x0304; });
  duel.server().credential = credential_of(KeyType::rsa);
  duel.run();
  Duel::expect_refusal(duel.server(), Reason::record_mac, Alert::bad_record_mac);
}

/// A server that has received a record in this shape; nothing where it has no room.
std::optional<Behaviour> after(CipherSuite suite, bool encrypt_then_mac, const CbcShape& shape, std::size_t text_size) {
  const auto duel = connected_with_cbc(suite, encrypt_then_mac);
  const auto record = cbc_record(side_of_client(*duel, encrypt_then_mac), shape, kBehindFinished, text_size);
  if (!record) return std::nullopt;
  return Behaviour::of(*duel, {*record});
}

std::vector<CipherSuite> cbc_suites() {
  std::vector<CipherSuite> found;
  for (const CipherSuite suite : suites(kOld)) {
    const auto known = parts(suite);
    if (known->cbc && known->key_exchange == KeyExchangeMethod::ecdhe &&
        known->authentication == SuiteAuthentication::ecdsa && provider().supports(suite))
      found.push_back(suite);
  }
  return found;
}

/// Every record that is wrong is refused alike, in one size and in another, whatever is wrong with it.
void expect_one_behaviour_for_any_padding(std::initializer_list<std::size_t> text_sizes) {
  ASSERT_FALSE(cbc_suites().empty());
  for (const CipherSuite suite : cbc_suites()) {
    for (const bool encrypt_then_mac : {true, false}) {
      std::optional<Behaviour> usual;
      for (const std::size_t text_size : text_sizes) {
        for (const CbcShape& shape : kCbcShapes) {
          SCOPED_TRACE(std::string(name(suite)) + (encrypt_then_mac ? ", EtM, " : ", MtE, ") + std::string(shape.name) +
                       ", " + std::to_string(text_size));
          const auto seen = after(suite, encrypt_then_mac, shape, text_size);
          if (!seen) continue;
          if (&shape == &kCbcShapes.front()) {
            EXPECT_FALSE(seen->error);
            continue;
          }
          ASSERT_TRUE(seen->error);
          EXPECT_EQ(seen->error->reason, Reason::record_mac);
          EXPECT_EQ(seen->error->alert, Alert::bad_record_mac);
          if (!usual) usual = seen;
          EXPECT_EQ(*seen, *usual);
        }
      }
      EXPECT_TRUE(usual);
    }
  }
}

TEST(Attack, Vaudenay) { expect_one_behaviour_for_any_padding({48, 112}); }
// Sizes about the 13 bytes that are authenticated before the content: with padding and without, the MAC takes one
// compression more or less (tests/oracles measures the time).
TEST(Attack, LuckyThirteen) { expect_one_behaviour_for_any_padding({64, 80, 288, 320, 336}); }
TEST(Attack, POODLE) {
  const CbcShape& any_bytes = kCbcShapes[5];
  for (const CipherSuite suite : cbc_suites()) {
    for (const bool encrypt_then_mac : {true, false}) {
      const auto seen = after(suite, encrypt_then_mac, any_bytes, 112);
      ASSERT_TRUE(seen && seen->error) << any_bytes.name;
      EXPECT_EQ(seen->error->reason, Reason::record_mac);
    }
  }
}
TEST(Attack, CVE_2016_2107) { expect_one_behaviour_for_any_padding({48, 64, 96, 128, 256, 272}); }

// Duong and Rizzo, 2011: the IV of a record was the end of the one before, known when its content was chosen.
TEST(Attack, BEAST) {
  for (const CipherSuite suite : cbc_suites()) {
    OldDuel duel;
    duel.client_config.suites({suite});
    duel.server_config.suites({suite});
    duel.expect_connected();
    std::set<Octets> ivs;
    Octets end;
    for (int i = 0; i < 20; ++i) {
      duel.pair().send(duel.client(), "chosen");
      const std::vector<Octets> records = take_records(duel.to_server());
      ASSERT_EQ(records.size(), 1U);
      const Octets& record = records.front();
      const Octets iv(record.begin() + record::kHeaderSize, record.begin() + record::kHeaderSize + kCbcBlockSize);
      EXPECT_TRUE(ivs.insert(iv).second);
      EXPECT_NE(iv, end);
      end.assign(record.end() - kCbcBlockSize, record.end());
    }
  }
}

// --- the order of things -------------------------------------------------------------------------------------------

// An early change_cipher_spec: keys that nobody has agreed on are not changed to.
TEST(Attack, CVE_2014_0224) {
  OldDuel to_server;
  to_server.client_speaks();
  append(to_server.to_server(), kChangeCipherSpec);
  to_server.expect_server_refuses(Reason::change_cipher_spec_unexpected, Alert::unexpected_message,
                                  Place::change_cipher_spec);
  OldDuel before_hello;
  append(before_hello.to_server(), kChangeCipherSpec);
  before_hello.expect_server_refuses(Reason::change_cipher_spec_unexpected, Alert::unexpected_message,
                                     Place::change_cipher_spec);

  for (const HandshakeType last :
       {HandshakeType::certificate, HandshakeType::server_key_exchange, HandshakeType::server_hello_done}) {
    OldDuel to_client;
    bool behind = false;
    for (const HandshakeType type :
         {HandshakeType::certificate, HandshakeType::server_key_exchange, HandshakeType::server_hello_done}) {
      behind = behind || type == last;
      if (behind) to_client.server_forger.omit(type);
    }
    to_client.client_speaks();
    to_client.server_speaks();
    append(to_client.to_client(), kChangeCipherSpec);
    to_client.expect_client_refuses(Reason::change_cipher_spec_unexpected, Alert::unexpected_message,
                                    Place::change_cipher_spec);
  }
  // Nothing of TLS 1.3 is dropped where there is no TLS 1.3.
  OldDuel before_server_hello;
  before_server_hello.client_speaks();
  append(before_server_hello.to_client(), kChangeCipherSpec);
  before_server_hello.expect_client_refuses(Reason::change_cipher_spec_unexpected, Alert::unexpected_message,
                                            Place::change_cipher_spec);
}

TEST(Attack, CVE_2009_3555) {
  // An attacker's connection, on which the victim's handshake shall go on.
  OldDuel attacker;
  attacker.expect_connected();
  attacker.pair().send(attacker.client(), "GET /pizza?to=attacker HTTP/1.1\r\nX-Ignore: ");
  attacker.server_speaks();
  FixedRandom random(8);
  auto victim = Connection::client(built(OldDuel().client_config),
                                   ClientOptions{x509::PeerName::dns("example.com").value(), {}}, random, kNow);
  Octets hello(4096);
  hello.resize(victim.transmit(hello, kNow));
  append(attacker.to_server(),
         seal_record(attacker.client().connection, ContentType::handshake, Bytes(hello).subspan(record::kHeaderSize)));
  const auto events = attacker.server().events;
  attacker.server_speaks();
  EXPECT_EQ(attacker.server().events, events) << "nothing was asked of the application";
  EXPECT_FALSE(attacker.server().error) << error_text(attacker.server());
  // What it says to that is a warning, as long as an alert is and no ServerHello.
  const std::vector<Octets> said = take_records(attacker.to_client());
  ASSERT_EQ(said.size(), 1U);
  EXPECT_EQ(said.front().front(), 21);

  // A victim who is told that he continues somebody's connection, and one who is not told that he begins one.
  OldDuel continued;
  continued.server_forger.change_parts<RawServerHello>(HandshakeType::server_hello, [](RawServerHello& answer) {
    answer.extensions[ExtensionType::renegotiation_info] = vector_of(Octets(24, 5), 1);
  });
  continued.expect_client_refuses(Reason::renegotiation_info_mismatch, Alert::handshake_failure, Place::server_hello);
  OldDuel silent;
  silent.server_forger.change_parts<RawServerHello>(HandshakeType::server_hello, [](RawServerHello& answer) {
    answer.extensions.remove(ExtensionType::renegotiation_info);
  });
  silent.expect_client_refuses(Reason::renegotiation_info_missing, Alert::handshake_failure, Place::server_hello);
}

// Bhargavan and others, 2014: an attacker in the middle leads two handshakes to one master secret, and then resumes one
// as the other. Here the two differ in nothing but the certificate.
TEST(Attack, TripleHandshake) {
  const auto connect = [](std::string_view name, bool extended) {
    auto duel = std::make_unique<OldDuel>();
    duel->client_config.allow_no_extended_main_secret(!extended);
    duel->server_config.allow_no_extended_main_secret(!extended).tickets(1);
    if (!extended)
      duel->client_forger.change_parts<RawClientHello>(HandshakeType::client_hello, [](RawClientHello& hello) {
        hello.extensions.remove(ExtensionType::extended_main_secret);
      });
    duel->server().credential = credential_of(usual_key(), name);
    duel->server().ticket_keys = ticket_keys();
    duel->expect_connected();
    return duel;
  };
  const auto secret_of = [](Duel& duel) {
    const Bytes secret = duel.client().sessions.at(0).secret.view();
    return Octets(secret.begin(), secret.end());
  };
  for (const bool extended : {true, false}) {
    const auto server = connect("example.com", extended);
    const auto attacker = connect("attacker.example", extended);
    EXPECT_EQ(secret_of(*server) == secret_of(*attacker), !extended);
    // Without it there is nothing that could be taken for this connection's and is another's as well.
    Octets key(32);
    EXPECT_EQ(server->client().connection.export_keying_material("EXPORTER-attack", {}, key).has_value(), extended);
  }
  OldDuel by_default;
  by_default.server_forger.change_parts<RawServerHello>(HandshakeType::server_hello, [](RawServerHello& hello) {
    hello.extensions.remove(ExtensionType::extended_main_secret);
  });
  by_default.expect_client_refuses(Reason::extended_main_secret_missing, Alert::handshake_failure, Place::server_hello);
}

// --- what is weak is not there ---------------------------------------------------------------------------------------

// Bhargavan and Leurent, 2016: signatures over MD5, or SHA-1, of what two transcripts can be made to have in common.
TEST(Attack, SLOTH) {
  const auto expect_no_weak = [](Bytes list) {
    for (std::size_t i = 0; i + 1 < list.size(); i += 2) {
      EXPECT_NE(list[i], 1) << "MD5";
      EXPECT_NE(list[i], 2) << "SHA-1";
    }
  };
  for (const std::uint16_t scheme : std::to_array<std::uint16_t>({0x0101, 0x0103, 0x0201, 0x0203})) {
    OldDuel of_server;
    constexpr std::size_t kAlgorithm = 4 + 1 + 2 + 1 + 32;  // behind a share of X25519
    of_server.server_forger.change(HandshakeType::server_key_exchange, [scheme](Octets message) {
      message.at(kAlgorithm) = static_cast<std::uint8_t>(scheme >> 8U);
      message.at(kAlgorithm + 1) = static_cast<std::uint8_t>(scheme);
      return message;
    });
    of_server.expect_client_refuses(Reason::scheme_not_offered, Alert::illegal_parameter, Place::server_key_exchange);
    expect_no_weak(
        RawClientHello::split(of_server.client_forger.honest.front()).extensions[ExtensionType::signature_algorithms]);

    for (const bool old : {true, false}) {
      Duel of_client;
      if (old) speak_tls12(of_client);
      of_client.server_config.client_auth(ClientAuth::require);
      of_client.client_forger.change_parts<RawCertificateVerify>(
          HandshakeType::certificate_verify,
          [scheme](RawCertificateVerify& verify) { verify.algorithm = static_cast<SignatureScheme>(scheme); });
      of_client.expect_server_refuses(Reason::scheme_not_offered, Alert::illegal_parameter);
    }
  }
}

/// DHE alone, in a group of RFC 7919.
void ask_for_dhe(ClientConfigBuilder& client, ServerConfigBuilder& server) {
  const std::vector suites{CipherSuite::tls_dhe_rsa_with_aes_128_gcm_sha256};
  const std::vector schemes{SignatureScheme::rsa_pss_rsae_sha256};
  client.suites(suites).groups({NamedGroup::ffdhe2048}).schemes(schemes);
  server.suites(suites).groups({NamedGroup::ffdhe2048}).schemes(schemes);
}

/// What a client offers that nobody has configured.
std::vector<CipherSuite> offered_by_default() {
  FixedRandom random(8);
  auto client = Connection::client(built(client_builder().grease(false)),
                                   ClientOptions{x509::PeerName::dns("example.com").value(), {}}, random, kNow);
  Octets hello(4096);
  hello.resize(client.transmit(hello, kNow));
  const Octets list = RawClientHello::split(Bytes(hello).subspan(record::kHeaderSize)).cipher_suites;
  std::vector<CipherSuite> offered;
  for (Cursor cursor(list); !cursor.empty();) offered.push_back(static_cast<CipherSuite>(cursor.number(2)));
  return offered;
}

/// A server that chooses, or a client that offers, what this build does not have.
void expect_unknown(std::initializer_list<std::uint16_t> suites) {
  for (const std::uint16_t suite : suites) {
    EXPECT_FALSE(parts(static_cast<CipherSuite>(suite))) << suite;
    OldDuel of_server;
    of_server.server_forger.change_parts<RawServerHello>(
        HandshakeType::server_hello, [suite](RawServerHello& hello) { hello.cipher_suite = suite; });
    of_server.expect_client_refuses(Reason::suite_not_offered, Alert::illegal_parameter, Place::server_hello);
    OldDuel of_client;
    of_client.client_forger.change_parts<RawClientHello>(HandshakeType::client_hello, [suite](RawClientHello& hello) {
      hello.cipher_suites.clear();
      put(hello.cipher_suites, suite, 2);
    });
    of_client.expect_server_refuses(Reason::suite_unsupported, Alert::handshake_failure, Place::client_hello);
  }
}

// Beurdouche and others, 2015: RSA keys of 512 bits, made for export, and taken by clients that had not asked for them.
TEST(Attack, FREAK) {
  expect_unknown({0x0003, 0x0006, 0x0008, 0x0060, 0x0061, 0x0062, 0x0064});
  // A server's own RSA parameters, as export suites had them, where the suite has none.
  OldDuel duel;
  const std::vector schemes{SignatureScheme::rsa_pss_rsae_sha256};
  duel.client_config.suites({kRsaSuite}).schemes(schemes);
  duel.server_config.suites({kRsaSuite}).schemes(schemes);
  Octets weak = vector_of(Octets(64, 0xc1), 2);
  append(weak, vector_of(Octets{1, 0, 1}, 2));
  append(weak, vector_of(Octets(256, 1), 2));
  duel.server_forger.precede(HandshakeType::server_hello_done, message_of(HandshakeType::server_key_exchange, weak));
  duel.server().credential = credential_of(KeyType::rsa);
  duel.expect_client_refuses(Reason::message_unexpected, Alert::unexpected_message, Place::server_key_exchange);
}

// Adrian and others, 2015: the same with groups of 512 bits.
TEST(Attack, Logjam) {
  expect_unknown({0x000b, 0x000e, 0x0011, 0x0014, 0x0019, 0x0063, 0x0065});
  for (const CipherSuite suite : offered_by_default()) {
    const auto known = parts(suite);
    EXPECT_TRUE(!known || known->key_exchange != KeyExchangeMethod::dhe) << name(suite);
  }
  // Who asks for DHE takes no such group either, well signed as it may be.
  for (const std::string_view pem : {kDh512, kDh1024}) {
    OldDuel duel;
    ask_for_dhe(duel.client_config, duel.server_config);
    duel.client_config.allow_unknown_dh_groups(true);
    duel.server_forger.change_parts<RawDheExchange>(HandshakeType::server_key_exchange, [&](RawDheExchange& exchange) {
      const DhParameters weak = dh_parameters(pem);
      exchange.p = weak.p;
      exchange.g = weak.g;
      exchange.ys = Octets(60, 5);
      exchange.sign(duel);
    });
    duel.server().credential = credential_of(KeyType::rsa);
    duel.expect_client_refuses(Reason::dh_group_weak, Alert::insufficient_security, Place::server_key_exchange);
  }
}

// Merget and others, 2020: how long a secret without its leading zeros takes to be hashed tells how many it had, and
// where one key of the server's makes many secrets, that tells any of them. Here a key makes one.
TEST(Attack, Raccoon) {
  OldDuel model;
  ask_for_dhe(model.client_config, model.server_config);
  const auto client = built(model.client_config);
  const auto server = built(model.server_config);
  std::set<Octets> shares;
  for (const std::uint64_t seed : {10U, 20U, 30U}) {
    Pair pair(client, server, {x509::PeerName::dns("example.com").value(), {}}, {}, seed);
    pair.server.credential = credential_of(KeyType::rsa);
    pair.step(pair.client, pair.to_server(), pair.to_client());
    while (pair.step(pair.server, pair.to_client(), pair.to_server())) {
    }
    // ServerKeyExchange: p, g of one byte, and the share, each behind two bytes of length.
    const auto p = std::ranges::search(pair.to_client(), field_parameters(NamedGroup::ffdhe2048)->p);
    ASSERT_GT(pair.to_client().end() - p.end(), 5 + 256);
    EXPECT_TRUE(shares.insert(Octets(p.end() + 5, p.end() + 5 + 256)).second) << "a key is used again";
  }
  OldDuel twice;
  ask_for_dhe(twice.client_config, twice.server_config);
  twice.client_forger.change(HandshakeType::client_key_exchange, [](const Octets& message) {
    Octets both = message;
    append(both, message);
    return both;
  });
  twice.server().credential = credential_of(KeyType::rsa);
  twice.expect_server_refuses(Reason::message_unexpected, Alert::unexpected_message, Place::client_key_exchange);
}

// Aviram and others, 2016: a server that speaks SSL 2 with the same RSA key says whether a secret was well formed.
TEST(Attack, DROWN) {
  const Octets export_hello{0x80, 0x2e, 0x01, 0x00, 0x02, 0x00, 0x15, 0x00, 0x00, 0x00, 0x10, 0x02, 0x00, 0x80};
  OldDuel duel;
  duel.server_config.suites({kRsaSuite}).schemes({SignatureScheme::rsa_pss_rsae_sha256});
  duel.server().credential = credential_of(KeyType::rsa);
  append(duel.to_server(), export_hello);
  duel.server_speaks();
  duel.server_speaks();
  OldDuel::expect_refusal(duel.server(), Reason::ssl2_or_older, Alert::protocol_version, Place::record);
  EXPECT_EQ(duel.server().events, (std::vector<std::string>{"failed"})) << "nothing was decrypted";
}

// Bhargavan and Leurent, 2016; AlFardan and others, 2013: ciphers with blocks of 64 bits, and RC4.
TEST(Attack, Sweet32) { expect_unknown({0x0009, 0x000a, 0x0013, 0x0016, 0xc008, 0xc012}); }
TEST(Attack, RC4) { expect_unknown({0x0004, 0x0005, 0xc007, 0xc011}); }

// Rizzo and Duong, 2012.
TEST(Attack, CRIME) {
  OldDuel of_server;
  of_server.server_forger.change_parts<RawServerHello>(
      HandshakeType::server_hello, [](RawServerHello& hello) { hello.legacy_compression_method = 1; });
  of_server.expect_client_refuses(Reason::compression_method, Alert::illegal_parameter, Place::server_hello);
  OldDuel of_client;
  of_client.client_forger.change_parts<RawClientHello>(
      HandshakeType::client_hello, [](RawClientHello& hello) { hello.legacy_compression_methods = {1, 0}; });
  of_client.run();
  EXPECT_EQ(RawClientHello::split(of_client.client_forger.honest.front()).legacy_compression_methods, Octets{0});
  EXPECT_EQ(RawServerHello::split(of_client.server_forger.honest.front()).legacy_compression_method, 0);
}

// CVE-2014-0160: heartbeats are neither offered nor known.
TEST(Attack, Heartbleed) {
  for (const bool old : {true, false}) {
    Duel duel;
    if (old) speak_tls12(duel);
    duel.expect_connected();
    append(duel.to_server(),
           seal_record(duel.client().connection, static_cast<ContentType>(24), Octets{1, 0x40, 0, 'x'}));
    duel.expect_server_refuses(Reason::record_type, Alert::unexpected_message);
  }
}

// Brinkmann and others, 2021: a server of another protocol with the same certificate. RFC 7301 3.2: "In the event that
// the server supports no protocols that the client advertises, then the server SHALL respond with a fatal
// "no_application_protocol" alert."
TEST(Attack, ALPACA) {
  for (const bool old : {true, false}) {
    Duel other_protocol;
    if (old) speak_tls12(other_protocol);
    other_protocol.client_config.alpn({"http/1.1"});
    other_protocol.server_config.alpn({"ftp"});
    other_protocol.expect_server_refuses(Reason::alpn_mismatch, Alert::no_application_protocol);

    Duel not_offered;
    if (old) speak_tls12(not_offered);
    not_offered.client_config.alpn({"h2"});
    not_offered.server_config.alpn({"h2"});
    const Octets ftp{0, 4, 3, 'f', 't', 'p'};
    if (old) {
      not_offered.server_forger.change_parts<RawServerHello>(HandshakeType::server_hello, [&](RawServerHello& hello) {
        hello.extensions[ExtensionType::application_layer_protocol_negotiation] = ftp;
      });
    } else {
      not_offered.server_forger.change_parts<RawEncryptedExtensions>(
          HandshakeType::encrypted_extensions, [&](RawEncryptedExtensions& message) {
            message.extensions[ExtensionType::application_layer_protocol_negotiation] = ftp;
          });
    }
    not_offered.expect_client_refuses(Reason::alpn_not_offered, Alert::illegal_parameter);
  }
}

// --- downgrades ------------------------------------------------------------------------------------------------------

struct SpokenVersions {
  ProtocolVersion min;
  ProtocolVersion max;
  [[nodiscard]] bool has(ProtocolVersion version) const { return version == min || version == max; }
};
constexpr std::array kSpoken{SpokenVersions{kOld, kOld}, SpokenVersions{kNew, kNew}, SpokenVersions{kOld, kNew}};

std::unique_ptr<Duel> between(const SpokenVersions& client, const SpokenVersions& server) {
  auto duel = std::make_unique<Duel>();
  const auto suites_of = [](const SpokenVersions& versions) {
    std::vector<CipherSuite> list;
    if (versions.has(kNew)) list.push_back(CipherSuite::tls_aes_128_gcm_sha256);
    if (versions.has(kOld)) list.push_back(CipherSuite::tls_ecdhe_ecdsa_with_aes_128_gcm_sha256);
    return list;
  };
  duel->client_config.versions(client.min, client.max).suites(suites_of(client));
  duel->server_config.versions(server.min, server.max).suites(suites_of(server));
  return duel;
}

/// What somebody in the middle may do to have an older version.
struct Downgrade {
  const char* name;
  void (*of_client)(RawClientHello& hello);
  void (*of_server)(RawServerHello& hello);
};
constexpr auto kAsItIs = [](auto&) {};
const std::array kDowngrades{
    Downgrade{"without TLS 1.3",
              [](RawClientHello& hello) { hello.extensions.remove(ExtensionType::supported_versions); }, kAsItIs},
    Downgrade{"a list of TLS 1.2 alone",
              [](RawClientHello& hello) {
                hello.extensions.remove(ExtensionType::supported_versions);
                hello.extensions.add(ExtensionType::supported_versions, {2, 3, 3});
              },
              kAsItIs},
    Downgrade{"TLS 1.1", [](RawClientHello& hello) { make_older(hello, 0x0302); }, kAsItIs},
    Downgrade{"TLS 1.0", [](RawClientHello& hello) { make_older(hello, 0x0301); }, kAsItIs},
    Downgrade{"SSL 3.0", [](RawClientHello& hello) { make_older(hello, 0x0300); }, kAsItIs},
    Downgrade{"an answer of TLS 1.2", kAsItIs,
              [](RawServerHello& hello) {
                hello.cipher_suite = 0xc02b;
                hello.extensions.remove(ExtensionType::supported_versions);
                hello.extensions.remove(ExtensionType::key_share);
                hello.random[31] ^= 1U;
              }},
    Downgrade{"an answer of TLS 1.1", kAsItIs, [](RawServerHello& hello) { make_older(hello, 0x0302); }},
    Downgrade{"an answer of TLS 1.0", kAsItIs, [](RawServerHello& hello) { make_older(hello, 0x0301); }},
    Downgrade{"an answer of SSL 3.0", kAsItIs, [](RawServerHello& hello) { make_older(hello, 0x0300); }},
};

TEST(Attack, VersionDowngrade) {
  for (const SpokenVersions& client : kSpoken) {
    for (const SpokenVersions& server : kSpoken) {
      const bool in_common = client.has(server.min) || client.has(server.max);
      const auto honest = between(client, server);
      honest->run();
      EXPECT_EQ(honest->client().complete && honest->server().complete, in_common);
      if (in_common) {
        EXPECT_EQ(honest->client().connection.version(), std::min(client.max, server.max));
      }
      for (const Downgrade& downgrade : kDowngrades) {
        SCOPED_TRACE(std::string(name(client.max)) + ", " + std::string(name(server.max)) + ": " + downgrade.name);
        const auto duel = between(client, server);
        duel->pair().step(duel->client(), duel->to_server(), duel->to_client());
        const Octets sent = duel->to_server();
        tamper<RawClientHello>(duel->to_server(), downgrade.of_client);
        bool changed = duel->to_server() != sent;
        for (int turns = 0; turns < 8 && duel->to_client().empty(); ++turns)
          duel->pair().step(duel->server(), duel->to_client(), duel->to_server());
        if (!duel->to_client().empty() && duel->to_client().front() == 22) {
          const Octets answered = duel->to_client();
          tamper<RawServerHello>(duel->to_client(), downgrade.of_server);
          changed = changed || duel->to_client() != answered;
        }
        duel->run();
        if (changed) expect_nobody_is_done(*duel);
      }
    }
  }
}

/// Removes a suite, so that the other one is left, or puts the other one in its place.
TEST(Attack, SuiteDowngrade) {
  std::size_t pairs = 0;
  for (const ProtocolVersion version : {kOld, kNew}) {
    std::vector<CipherSuite> all;
    for (const CipherSuite suite : suites(version)) {
      const auto known = parts(suite);
      const bool fits = version == kNew || (known->key_exchange == KeyExchangeMethod::ecdhe &&
                                            known->authentication == SuiteAuthentication::ecdsa);
      if (fits && provider().supports(suite)) all.push_back(suite);
    }
    for (const CipherSuite better : all) {
      for (const CipherSuite worse : all) {
        if (better == worse) continue;
        ++pairs;
        SCOPED_TRACE(std::string(name(better)) + " to " + std::string(name(worse)));
        for (const bool in_the_offer : {true, false}) {
          Duel duel;
          const std::vector both{better, worse};
          duel.client_config.versions(version, version).suites(both);
          duel.server_config.versions(version, version).suites(both);
          duel.pair().step(duel.client(), duel.to_server(), duel.to_client());
          if (in_the_offer)
            tamper<RawClientHello>(duel.to_server(), [better](RawClientHello& hello) {
              const auto number = static_cast<std::uint16_t>(better);
              const Octets bytes{static_cast<std::uint8_t>(number >> 8U), static_cast<std::uint8_t>(number)};
              for (auto at = hello.cipher_suites.begin(); at != hello.cipher_suites.end(); at += 2) {
                if (!std::equal(bytes.begin(), bytes.end(), at)) continue;
                hello.cipher_suites.erase(at, at + 2);
                return;
              }
            });
          for (int turns = 0; turns < 8 && duel.to_client().empty(); ++turns)
            duel.pair().step(duel.server(), duel.to_client(), duel.to_server());
          ASSERT_FALSE(duel.to_client().empty());
          if (!in_the_offer)
            tamper<RawServerHello>(duel.to_client(), [worse](RawServerHello& hello) {
              hello.cipher_suite = static_cast<std::uint16_t>(worse);
            });
          duel.run();
          expect_nobody_is_done(duel);
        }
      }
    }
  }
  EXPECT_GE(pairs, 50U);
}

// Of the lists that may be cut, the groups and the signatures: the transcript has them as well.
TEST(Attack, GroupAndSignatureDowngrade) {
  for (const bool old : {true, false}) {
    for (const ExtensionType list : {ExtensionType::supported_groups, ExtensionType::signature_algorithms}) {
      Duel duel;
      if (old) speak_tls12(duel);
      const std::vector groups{NamedGroup::secp256r1, NamedGroup::x25519};
      duel.client_config.groups(groups).key_shares({NamedGroup::secp256r1});
      duel.server_config.groups(groups);
      duel.pair().step(duel.client(), duel.to_server(), duel.to_client());
      tamper<RawClientHello>(duel.to_server(), [list](RawClientHello& hello) {
        Octets& entries = hello.extensions[list];
        entries.erase(entries.begin() + 2, entries.begin() + 4);
        entries[1] = static_cast<std::uint8_t>(entries[1] - 2);
      });
      duel.run();
      expect_nobody_is_done(duel);
    }
  }
}

// --- sessions --------------------------------------------------------------------------------------------------------

TEST(Attack, CrossVersionResumption) {
  const auto keys = ticket_keys();
  const SpokenVersions both{kOld, kNew};
  const auto connect = [&](const SpokenVersions& client, const SpokenVersions& server, std::vector<Session> sessions) {
    auto duel = between(client, server);
    duel->server_config.tickets(1);
    duel->sessions = std::move(sessions);
    duel->server().ticket_keys = keys;
    duel->expect_connected();
    return duel;
  };
  const auto session_of = [&](const SpokenVersions& versions) {
    return std::move(connect(versions, versions, {})->client().sessions.at(0));
  };
  for (const ProtocolVersion made : {kOld, kNew}) {
    const ProtocolVersion other = made == kOld ? kNew : kOld;
    Session session = session_of({made, made});
    ASSERT_EQ(session.version, made);
    const auto with = [&](const SpokenVersions& server, bool relabelled) {
      Session offered = session.clone();
      if (relabelled) {
        // The ticket is the same; what the client holds it for, and its secret, are another version's.
        const Session model = session_of({other, other});
        offered.version = other;
        offered.suite = model.suite;
        offered.secret = model.secret.clone();
        offered.extended_master_secret = model.extended_master_secret;
      }
      std::vector<Session> sessions;
      sessions.push_back(std::move(offered));
      const auto duel = connect(both, server, std::move(sessions));
      return std::tuple(duel->client().connection.resumed(), duel->server().connection.resumed());
    };
    EXPECT_EQ(with({made, made}, false), std::tuple(true, true));
    EXPECT_EQ(with({other, other}, false), std::tuple(false, false));
    EXPECT_EQ(with({other, other}, true), std::tuple(false, false)) << "a ticket says itself what it is of";
  }
}

// --- the page --------------------------------------------------------------------------------------------------------

TEST(AttacksPage, NamesTheTestsThatThereAre) {
  std::ifstream file(LOCKSTEP_SOURCE_DIR "/docs/attacks.md");
  const std::string page{std::istreambuf_iterator<char>(file), {}};
  ASSERT_FALSE(page.empty());
  std::set<std::string> all;
  std::set<std::string> attacks;
  const ::testing::UnitTest& tests = *::testing::UnitTest::GetInstance();
  for (int i = 0; i < tests.total_test_suite_count(); ++i) {
    const ::testing::TestSuite& suite = *tests.GetTestSuite(i);
    for (int j = 0; j < suite.total_test_count(); ++j) {
      const std::string name = std::string(suite.name()) + "." + suite.GetTestInfo(j)->name();
      all.insert(name);
      if (suite.name() == std::string_view("Attack")) attacks.insert(name);
    }
  }
  const std::regex named("`(\\w+\\.\\w+)`");
  for (std::sregex_iterator found(page.begin(), page.end(), named), end; found != end; ++found) {
    const std::string name = (*found)[1];
    attacks.erase(name);
    EXPECT_TRUE(all.contains(name)) << name << " is no test of this program";
  }
  for (const std::string& missing : attacks) ADD_FAILURE() << missing << " is not in docs/attacks.md";
}

}  // namespace
}  // namespace lockstep::testing
