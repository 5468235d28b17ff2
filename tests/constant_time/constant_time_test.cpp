// Whole handshakes and the record path with every secret marked as undefined, under valgrind's memcheck: private
// keys of certificates and key exchanges, shared secrets, everything that is derived from them, PSKs, ticket keys,
// application data. See docs/constant-time.md.

#include <fstream>
#include <iterator>

#include <lockstep/kernels.hpp>
#include <lockstep/kernels_hash.hpp>

#include "constant_time/watched_provider.hpp"

#define LOCKSTEP_PAIR_PROVIDER lockstep::testing::watched_provider()  // what tests/pair talks with
#include "hostile/oracles.hpp"

namespace lockstep::testing {
namespace {

Octets revealed(Bytes bytes) {
  Octets copy(bytes.begin(), bytes.end());
  reveal(copy);
  return copy;
}

constexpr std::size_t kMaxOffered = 2;  // sessions in a ClientHello here

/// What is on its way. Of a ClientHello the binders are public now; nothing else that is secret may be there.
void publish(Octets& wire) {
  for (Bytes rest = wire; rest.size() >= 9;) {
    const std::size_t size = 5U + (std::size_t{rest[3]} << 8U | rest[4]);
    const Bytes record = rest.first(std::min(size, rest.size()));
    const bool client_hello = record[0] == 22 && record[5] == 1;
    const auto first = std::ranges::find_if(record, is_secret);
    if (first != record.end()) {
      ASSERT_TRUE(client_hello) << "a secret goes out in the open";
      const Bytes binders(first, record.end());
      ASSERT_LE(binders.size(), kMaxOffered * (1 + kMaxSuiteDigestSize));
      declassify(Public::binder, binders);
    }
    rest = rest.subspan(record.size());
  }
  ASSERT_TRUE(std::ranges::none_of(wire, is_secret));
}

std::shared_ptr<TicketKeys> watched_ticket_keys() {
  FixedRandom random(11);
  TicketKey key = TicketKey::generate(random).value();
  hide(key.secret());
  return std::make_shared<TicketKeys>(TicketKeys::create(watched_provider(Use::tickets), std::move(key)).value());
}

/// Keys by their identities, for `End::psks`. How long they are is public.
std::map<std::string, std::string> secret_psks(std::string identity, char repeated) {
  std::map<std::string, std::string> keys;
  std::string& key = keys[std::move(identity)];
  key.assign(40, repeated);
  hide(as_bytes(key));
  return keys;
}

class ConstantTime : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_NE(RUNNING_ON_VALGRIND, 0U) << "run this program under valgrind";
    errors_ = VALGRIND_COUNT_ERRORS;
  }
  void TearDown() override {
    EXPECT_EQ(VALGRIND_COUNT_ERRORS - errors_, 0U) << "a branch or an address depends on a secret: valgrind says where";
  }

  /// The two talk until nobody has anything to say, and what passes becomes public.
  static void talk(Pair& pair) {
    for (bool progress = true; progress;) {
      progress = pair.step(pair.client, pair.to_server(), pair.to_client());
      publish(pair.to_server());
      progress = pair.step(pair.server, pair.to_client(), pair.to_server()) || progress;
      publish(pair.to_client());
      if (HasFatalFailure()) return;
    }
  }
  static void expect_connected(Pair& pair) {
    ASSERT_TRUE(pair.client.connection.connected()) << error_text(pair.client);
    ASSERT_TRUE(pair.server.connection.connected()) << error_text(pair.server);
  }

 private:
  std::size_t errors_ = 0;
};

// --- handshakes ------------------------------------------------------------------------------------------------------

struct Variant {
  std::string name;
  std::function<void(ClientConfigBuilder& client, ServerConfigBuilder& server)> configure;
  bool resumes = false;
  Wire wire = {};
  KeyType key = KeyType::ec_p256;

  friend void PrintTo(const Variant& variant, std::ostream* out) { *out << variant.name; }
};

void usual(ClientConfigBuilder& /*client*/, ServerConfigBuilder& /*server*/) {}
auto with_suite(CipherSuite suite) {
  return [suite](ClientConfigBuilder& client, ServerConfigBuilder& server) {
    client.suites({suite});
    server.suites({suite});
  };
}
auto with_rsa(CipherSuite suite) {
  return [suite](ClientConfigBuilder& client, ServerConfigBuilder& server) {
    const std::vector schemes{SignatureScheme::ecdsa_secp256r1_sha256, SignatureScheme::rsa_pss_rsae_sha256};
    client.suites({suite}).schemes(schemes);
    server.suites({suite}).schemes(schemes);
  };
}
auto in_field(CipherSuite suite) {
  return [suite](ClientConfigBuilder& client, ServerConfigBuilder& server) {
    with_rsa(suite)(client, server);
    client.groups({NamedGroup::ffdhe2048});
    server.groups({NamedGroup::ffdhe2048});
  };
}
auto with_cbc(CipherSuite suite, bool encrypt_then_mac) {
  return [suite, encrypt_then_mac](ClientConfigBuilder& client, ServerConfigBuilder& server) {
    with_suite(suite)(client, server);
    server.encrypt_then_mac(encrypt_then_mac);
  };
}
void mutual_of_tls12(ClientConfigBuilder& client, ServerConfigBuilder& server) {
  with_suite(CipherSuite::tls_ecdhe_ecdsa_with_aes_128_gcm_sha256)(client, server);
  server.client_auth(ClientAuth::require);
}
void retry(ClientConfigBuilder& /*client*/, ServerConfigBuilder& server) {
  server.groups({NamedGroup::secp256r1}).cookie(true);
}
void mutual(ClientConfigBuilder& /*client*/, ServerConfigBuilder& server) { server.client_auth(ClientAuth::require); }
void hybrid(ClientConfigBuilder& client, ServerConfigBuilder& server) {
  client = client_builder();
  server = server_builder().tickets(1);
}
void early_data(ClientConfigBuilder& client, ServerConfigBuilder& server) {
  client.early_data(16'384);
  server.early_data(16'384);
}
void early_data_aes256(ClientConfigBuilder& client, ServerConfigBuilder& server) {
  with_suite(CipherSuite::tls_aes_256_gcm_sha384)(client, server);
  early_data(client, server);
}
void early_data_retried(ClientConfigBuilder& client, ServerConfigBuilder& server) {
  early_data(client, server);
  retry(client, server);
}
void padded(ClientConfigBuilder& client, ServerConfigBuilder& server) {
  client.padding(PaddingPolicy::to_multiple_of(256));
  server.padding(PaddingPolicy::full());
}

const Variant kVariants[] = {
    {"Full", usual},
    {"FullAes256", with_suite(CipherSuite::tls_aes_256_gcm_sha384)},
    {"FullChaCha20", with_suite(CipherSuite::tls_chacha20_poly1305_sha256)},
    {"FullEd25519", usual, false, {}, KeyType::ed25519},
    {"FullInPieces", usual, false, {.outbound = 64, .chunk = 7}},
    {"FullPadded", padded},
    {"HybridByDefault", hybrid},
    {"HelloRetryRequest", retry},
    {"Mutual", mutual},
    {"MutualEd25519", mutual, false, {}, KeyType::ed25519},
    {"Resumed", usual, true},
    {"ResumedAes256", with_suite(CipherSuite::tls_aes_256_gcm_sha384), true},
    {"ResumedHelloRetryRequest", retry, true},
    {"EarlyData", early_data, true},
    {"EarlyDataAes256", early_data_aes256, true},
    {"EarlyDataSkipped", early_data_retried, true},
    {"Tls12", with_suite(CipherSuite::tls_ecdhe_ecdsa_with_aes_128_gcm_sha256), true},
    {"Tls12Aes256", with_suite(CipherSuite::tls_ecdhe_ecdsa_with_aes_256_gcm_sha384)},
    {"Tls12ChaCha20", with_suite(CipherSuite::tls_ecdhe_ecdsa_with_chacha20_poly1305_sha256)},
    {"Tls12Mutual", mutual_of_tls12},
    {"Tls12Dhe", in_field(CipherSuite::tls_dhe_rsa_with_aes_128_gcm_sha256), false, {}, KeyType::rsa},
    {"Tls12Rsa", with_rsa(CipherSuite::tls_rsa_with_aes_128_gcm_sha256), true, {}, KeyType::rsa},
    {"Tls12RsaCbcSha1", with_rsa(CipherSuite::tls_rsa_with_aes_128_cbc_sha), false, {}, KeyType::rsa},
    {"Tls12Psk", with_suite(CipherSuite::tls_psk_with_aes_128_gcm_sha256), true},
    {"Tls12PskAes256", with_suite(CipherSuite::tls_psk_with_aes_256_gcm_sha384)},
    {"Tls12EcdhePsk", with_suite(CipherSuite::tls_ecdhe_psk_with_chacha20_poly1305_sha256)},
    {"Tls12DhePsk", in_field(CipherSuite::tls_dhe_psk_with_aes_128_gcm_sha256)},
    {"Tls12RsaPsk", with_rsa(CipherSuite::tls_rsa_psk_with_aes_128_gcm_sha256), false, {}, KeyType::rsa},
    {"Tls12Cbc128Sha1", with_cbc(CipherSuite::tls_ecdhe_ecdsa_with_aes_128_cbc_sha, false)},
    {"Tls12Cbc128Sha256", with_cbc(CipherSuite::tls_ecdhe_ecdsa_with_aes_128_cbc_sha256, false), true},
    {"Tls12Cbc256Sha384", with_cbc(CipherSuite::tls_ecdhe_ecdsa_with_aes_256_cbc_sha384, false)},
    {"Tls12Cbc128Sha1EncryptThenMac", with_cbc(CipherSuite::tls_ecdhe_ecdsa_with_aes_128_cbc_sha, true)},
    {"Tls12Cbc128Sha256EncryptThenMac", with_cbc(CipherSuite::tls_ecdhe_ecdsa_with_aes_128_cbc_sha256, true)},
    {"Tls12Cbc256Sha384EncryptThenMac", with_cbc(CipherSuite::tls_ecdhe_ecdsa_with_aes_256_cbc_sha384, true), true},
};

class Handshakes : public ConstantTime, public ::testing::WithParamInterface<Variant> {
 protected:
  static std::unique_ptr<Pair> connect(const Variant& variant, std::vector<Session> sessions = {}) {
    ClientConfigBuilder client = plain_client().alpn({"h2"});
    ServerConfigBuilder server = plain_server().alpn({"h2"}).tickets(2);
    variant.configure(client, server);
    auto pair =
        std::make_unique<Pair>(built(client), built(server),
                               ClientOptions{x509::PeerName::dns("example.com").value(), sessions}, variant.wire);
    static const auto ticket_keys = watched_ticket_keys();
    pair->server.ticket_keys = ticket_keys;
    pair->server.credential = credential_of(variant.key);
    pair->client.credential = credential_of(variant.key);
    pair->client.psks = pair->server.psks = secret_psks("sensor 7", 'k');
    pair->server.accept_early_data = true;
    if (pair->client.connection.early_data_left() != 0) send_early_data(*pair);
    talk(*pair);
    return pair;
  }

  /// Behind the ClientHello. It stays secret all the way, and is not delivered where it was not accepted.
  static void send_early_data(Pair& pair) {
    Octets text(1000);
    FixedRandom(1).fill(text);
    hide(text);
    Octets records(4096);
    const Bytes plaintext = text;
    const auto sealed = pair.client.connection.seal_early({&plaintext, 1}, records, kNow);
    ASSERT_TRUE(sealed);
    ASSERT_EQ(sealed->consumed, text.size());
    records.resize(sealed->written);
    append(pair.to_server(), records);
    publish(pair.to_server());
    talk(pair);
    if (pair.client.connection.retried()) {
      EXPECT_TRUE(pair.server.early_data.empty());
    } else {
      EXPECT_TRUE(all_secret(pair.server.early_data));
      EXPECT_EQ(revealed(pair.server.early_data), revealed(text));
    }
  }

  static void expect_same_exported(Pair& pair) {
    Octets ours(40);
    Octets theirs(40);
    ASSERT_TRUE(pair.client.connection.export_keying_material("EXPORTER-x", as_bytes("context"), ours));
    ASSERT_TRUE(pair.server.connection.export_keying_material("EXPORTER-x", as_bytes("context"), theirs));
    EXPECT_TRUE(all_secret(ours));
    EXPECT_TRUE(all_secret(theirs));
    EXPECT_EQ(revealed(ours), revealed(theirs));
  }

  /// Application data stays secret all the way.
  static void expect_delivery(Pair& pair, End& from, End& to, std::size_t size) {
    Octets text(size);
    FixedRandom(size).fill(text);
    hide(text);
    pair.send(from, text);
    talk(pair);
    EXPECT_TRUE(all_secret(to.data));
    EXPECT_EQ(revealed(to.data), revealed(text));
    to.data.clear();
  }

  static void expect_delivery_in_place(Pair& pair, End& from, End& to, std::size_t size) {
    const std::size_t tailroom = from.connection.tailroom(size);
    const std::size_t headroom = from.connection.headroom();
    Octets slot(headroom + size + tailroom);
    hide(MutableBytes(slot).subspan(headroom, size));
    const auto sealed = from.connection.seal_in_place({slot, headroom, size}, kNow);
    ASSERT_TRUE(sealed);
    append(&from == &pair.client ? pair.to_server() : pair.to_client(), *sealed);
    talk(pair);
    EXPECT_EQ(to.data.size(), size);
    EXPECT_TRUE(all_secret(to.data));
    to.data.clear();
  }
};
INSTANTIATE_TEST_SUITE_P(Variants, Handshakes, ::testing::ValuesIn(kVariants),
                         [](const auto& tested) { return tested.param.name; });

TEST_P(Handshakes, BranchOnNoSecret) {
  const Variant& variant = GetParam();
  auto pair = connect(variant);
  if (HasFatalFailure()) return;
  expect_connected(*pair);
  if (HasFatalFailure()) return;

  const bool tls12 = pair->client.connection.version() == ProtocolVersion::tls_1_2;
  if (variant.resumes) {
    std::vector<Session> sessions = std::move(pair->client.sessions);
    ASSERT_EQ(sessions.size(), tls12 ? 1U : 2U);
    // As an application keeps it.
    const Octets kept = sessions[0].serialize();
    EXPECT_TRUE(std::ranges::any_of(kept, is_secret));
    sessions[0] = Session::parse(kept).value();
    for (const Session& session : sessions) EXPECT_TRUE(all_secret(session.secret.view()));
    const bool sessions_allow_early_data = sessions[0].max_early_data != 0;
    pair = connect(variant, std::move(sessions));
    if (HasFatalFailure()) return;
    expect_connected(*pair);
    EXPECT_TRUE(pair->client.connection.resumed());
    const EarlyDataStatus expected =
        sessions_allow_early_data
            ? pair->client.connection.retried() ? EarlyDataStatus::retried : EarlyDataStatus::accepted
            : EarlyDataStatus::none;
    EXPECT_EQ(pair->client.connection.early_data(), expected);
  }

  expect_same_exported(*pair);
  for (const std::size_t size : {1UL, 15UL, 64UL, 1000UL, 20'000UL}) {
    expect_delivery(*pair, pair->client, pair->server, size);
    expect_delivery(*pair, pair->server, pair->client, size);
  }
  expect_delivery_in_place(*pair, pair->client, pair->server, 100);
  if (!tls12) {
    ASSERT_TRUE(pair->client.connection.update_keys(true));
    talk(*pair);
    EXPECT_TRUE(pair->server.key_updated && pair->client.key_updated);
  }
  expect_delivery(*pair, pair->client, pair->server, 100);
  expect_delivery(*pair, pair->server, pair->client, 100);
  pair->client.connection.close();
  pair->server.connection.close();
  talk(*pair);
  EXPECT_TRUE(pair->client.peer_closed && pair->server.peer_closed);
}

// --- where a secret comparison fails -------------------------------------------------------------------------------

class Failures : public ConstantTime {
 protected:
  static std::unique_ptr<Pair> plain_pair(std::vector<Session> sessions = {}) {
    auto pair = std::make_unique<Pair>(built(plain_client()), built(plain_server().tickets(1)),
                                       ClientOptions{x509::PeerName::dns("example.com").value(), sessions});
    pair->server.credential = credential_of(KeyType::ec_p256);
    return pair;
  }
};

TEST_F(Failures, OfARecord) {
  for (const std::size_t at : {5U, 12U}) {
    const auto made = plain_pair();
    Pair& again = *made;
    talk(again);
    again.send(again.client, "text");
    again.to_server()[at] ^= 1;
    talk(again);
    ASSERT_TRUE(again.server.error);
    EXPECT_EQ(again.server.error->reason, Reason::record_mac);
    ASSERT_TRUE(again.client.error);
    EXPECT_EQ(again.client.error->alert, Alert::bad_record_mac);
  }
}

TEST_F(Failures, OfFinished) {
  for (const Role forger : {Role::client, Role::server}) {
    Duel duel;
    (forger == Role::client ? duel.client_forger : duel.server_forger)
        .change(HandshakeType::finished, [](Octets message) {
          message.back() ^= 1;
          return message;
        });
    duel.server().credential = credential_of(KeyType::ec_p256);
    talk(duel.pair());
    const End& victim = forger == Role::client ? duel.server() : duel.client();
    ASSERT_TRUE(victim.error);
    EXPECT_EQ(victim.error->reason, Reason::finished_mismatch);
  }
}

// Whatever an encryption block holds, the handshake goes on, and the server's keys follow from what nobody knows.
TEST_F(Failures, OfAPremasterSecret) {
  for (const RsaShape& shape : std::span(kRsaShapes).subspan(1)) {
    SCOPED_TRACE(std::string(shape.name));
    OldDuel duel;
    with_rsa(CipherSuite::tls_rsa_with_aes_128_gcm_sha256)(duel.client_config, duel.server_config);
    duel.client_forger.replace(
        HandshakeType::client_key_exchange,
        message_of(
            HandshakeType::client_key_exchange,
            vector_of(encrypted_in_shape(shape, Octets(48, 3), key_of(KeyType::rsa)->subject_public_key_info()), 2)));
    duel.server().credential = credential_of(KeyType::rsa);
    talk(duel.pair());
    ASSERT_TRUE(duel.server().error);
    EXPECT_EQ(duel.server().error->reason, Reason::record_mac);
  }
}

// A key that is wrong, and one that the server does not know: neither is seen before the client's Finished.
TEST_F(Failures, OfAPreSharedKey) {
  using enum CipherSuite;
  for (const CipherSuite suite : {tls_psk_with_aes_128_gcm_sha256, tls_ecdhe_psk_with_chacha20_poly1305_sha256}) {
    for (const bool known : {true, false}) {
      // What stands in for an unknown key is drawn, and not marked; a secret of a group beside it is.
      if (!known && suite == tls_psk_with_aes_128_gcm_sha256) continue;
      ClientConfigBuilder client = plain_client();
      ServerConfigBuilder server = plain_server();
      with_suite(suite)(client, server);
      Pair pair(built(client), built(server));
      pair.client.psks = secret_psks("sensor 7", 'k');
      pair.server.psks = secret_psks(known ? "sensor 7" : "sensor 8", 'j');
      talk(pair);
      ASSERT_TRUE(pair.server.error);
      EXPECT_EQ(pair.server.error->reason, Reason::psk_mismatch);
    }
  }
}

// Records that are as secret as their keys until it is known that they are right.
TEST_F(Failures, OfACbcRecord) {
  using enum CipherSuite;
  for (const CipherSuite suite : {tls_ecdhe_ecdsa_with_aes_128_cbc_sha, tls_ecdhe_ecdsa_with_aes_128_cbc_sha256,
                                  tls_ecdhe_ecdsa_with_aes_256_cbc_sha384}) {
    for (const bool encrypt_then_mac : {true, false}) {
      const SuiteParts known = *parts(suite);
      // The test's own keys, of which the record layer does not know that others know them.
      const CbcSide side{.cipher = watched::real().cbc_cipher(known.cbc->cipher),
                         .mac = watched::real().record_mac(known.cbc->mac),
                         .key = Octets(known.cbc->cipher == CbcAlgorithm::aes_128_cbc ? 16 : 32, 5),
                         .mac_key = Octets(watched::real().record_mac(known.cbc->mac)->key_size, 6),
                         .encrypt_then_mac = encrypt_then_mac};
      Octets key = side.key;
      Octets mac_key = side.mac_key;
      hide(key);
      hide(mac_key);
      for (const CbcShape& shape : kCbcShapes) {
        for (const std::size_t text_size : {64U, 320U}) {
          SCOPED_TRACE(std::string(name(suite)) + ": " + std::string(shape.name));
          auto record = cbc_record(side, shape, 0, text_size);
          if (!record) continue;
          record::Opener opener;
          ASSERT_TRUE(opener.install(*provider().cbc_cipher(known.cbc->cipher), *provider().record_mac(known.cbc->mac),
                                     key, mac_key, encrypt_then_mac));
          const auto opened = opener.open(*record);
          EXPECT_EQ(opened.has_value(), &shape == &kCbcShapes.front());
          if (opened) {
            EXPECT_TRUE(all_secret(opened->content));
          } else {
            EXPECT_EQ(opened.error(), Reason::record_mac);
          }
        }
      }
    }
  }
}

TEST_F(Failures, OfABinder) {
  const auto ticket_keys = watched_ticket_keys();
  const auto made_first = plain_pair();
  Pair& first = *made_first;
  first.server.ticket_keys = ticket_keys;
  talk(first);
  const auto made = plain_pair(std::move(first.client.sessions));
  Pair& pair = *made;
  pair.server.ticket_keys = ticket_keys;
  Octets hello(4096);
  hello.resize(pair.client.connection.transmit(hello, kNow));
  publish(hello);
  hello.back() ^= 1;
  append(pair.to_server(), hello);
  talk(pair);
  ASSERT_TRUE(pair.server.error);
  EXPECT_EQ(pair.server.error->reason, Reason::psk_binder);
}

TEST_F(Failures, OfATicket) {
  const auto keys = watched_ticket_keys();
  FixedRandom random(5);
  Octets session(100, 1);
  hide(session);
  Octets ticket(TicketKeys::sealed_size(session.size()));
  ASSERT_TRUE(keys->seal(session, random, ticket));
  EXPECT_TRUE(std::ranges::none_of(ticket, is_secret));
  ticket.back() ^= 1;
  Octets opened(session.size());
  EXPECT_EQ(keys->open(ticket, opened).error(), TicketError::invalid);
}

// --- kernels -------------------------------------------------------------------------------------------------------

// Every implementation that runs here, as it was compiled. The engine's handshakes use the fastest.
class Kernels : public ConstantTime {};

TEST_F(Kernels, OfAeads) {
  std::size_t implementations = 0;
  for (const kernels::Aead& aead : kernels::available()) {
    SCOPED_TRACE(std::string(aead.name) + " " + kernels::name(aead.instruction_set));
    for (const std::size_t size : {0UL, 1UL, 16UL, 31UL, 64UL, 100UL, 255UL, 256UL, 600UL, 1100UL, 2100UL}) {
      Octets key(aead.key_size, 3);
      Octets text(size, 4);
      Octets sealed(size + kernels::kTagSize);
      Octets opened(size);
      hide(key);
      hide(text);
      const Octets nonce(kernels::kNonceSize, 5);
      const Octets aad(13, 6);
      alignas(64) std::array<std::uint8_t, kernels::kMaxContextSize> context;
      aead.init(context.data(), key.data());
      const std::array<Bytes, 2> source{Bytes(text).first(size / 3), Bytes(text).subspan(size / 3)};
      const SealJob seal{nonce.data(), aad, source, {}, sealed.data()};
      aead.seal(context.data(), {&seal, 1});
      EXPECT_TRUE(all_secret(sealed));
      declassify(Public::ciphertext, sealed);
      OpenJob open{nonce.data(), aad, sealed, opened.data()};
      EXPECT_EQ(aead.open(context.data(), {&open, 1}), 1U);
      EXPECT_TRUE(all_secret(opened));
      EXPECT_EQ(revealed(opened), revealed(text));
      sealed.back() ^= 1;
      EXPECT_EQ(aead.open(context.data(), {&open, 1}), 0U);
      aead.destroy(context.data());
    }
    ++implementations;
  }
  EXPECT_GE(implementations, 3U);
}

TEST_F(Kernels, OfMasks) {
  std::size_t implementations = 0;
  for (const kernels::Mask& mask : kernels::available_masks()) {
    SCOPED_TRACE(std::string(mask.name) + " " + kernels::name(mask.instruction_set));
    Octets key(mask.key_size, 3);
    hide(key);
    // A sample stands in the record; the mask of it is secret.
    const Octets sample(kernels::kMaskSize, 4);
    alignas(64) std::array<std::uint8_t, kMaxMaskContextSize> context;
    mask.init(context.data(), key.data());
    for (const std::size_t count : {1UL, 3UL, 11UL, 20UL}) {
      std::vector<Octets> masks(count, Octets(5));
      std::vector<MaskJob> jobs;
      for (Octets& each : masks) jobs.push_back({sample.data(), each});
      mask.compute(context.data(), jobs);
      for (const Octets& each : masks) EXPECT_TRUE(all_secret(each));
    }
    mask.destroy(context.data());
    ++implementations;
  }
  EXPECT_GE(implementations, 3U);
}

TEST_F(Kernels, OfHashes) {
  std::size_t implementations = 0;
  for (const kernels::Hash& hash : kernels::available_hashes()) {
    SCOPED_TRACE(std::string(hash.name) + " " + kernels::name(hash.instruction_set));
    for (std::size_t size = 1; size < 300; size += 17) {
      Octets secret(size, 3);
      hide(secret);
      Octets digest(hash.digest_size);
      Octets mac(hash.digest_size);
      alignas(64) std::array<std::uint8_t, kernels::kMaxHashContextSize> context;
      alignas(64) std::array<std::uint8_t, kernels::kMaxHmacKeySize> hmac_key;
      hash.init(context.data());
      hash.update(context.data(), secret);
      hash.digest(context.data(), digest.data());
      hash.destroy(context.data());
      hash.prepare_hmac_key(hmac_key.data(), secret);
      const std::array<Bytes, 2> segments{Bytes(secret).first(size / 3), Bytes(secret).subspan(size / 3)};
      hash.hmac(hmac_key.data(), segments, mac.data());
      hash.destroy_hmac_key(hmac_key.data());
      std::array<Octets, 2> outs{Octets(16), Octets(100)};
      const std::array jobs{ExpandJob{secret, as_bytes("key"), outs[0]}, ExpandJob{secret, secret, outs[1]}};
      EXPECT_TRUE(hash.expand(jobs));
      EXPECT_TRUE(all_secret(outs[0]) && all_secret(outs[1]));
      EXPECT_TRUE(all_secret(digest) && all_secret(mac));
    }
    ++implementations;
  }
  EXPECT_GE(implementations, 3U);
}

// --- the key schedule of TLS 1.2 -----------------------------------------------------------------------------------

class KeySchedule12 : public ConstantTime {};

TEST_F(KeySchedule12, FollowsItsSecretNowhere) {
  namespace schedule = key_schedule::tls12;
  const Octets random(32, 1);
  for (const HashAlgorithm algorithm : {HashAlgorithm::sha256, HashAlgorithm::sha384}) {
    const Hash& hash = *provider().hash(algorithm);
    for (const std::size_t size : {32U, 48U, 66U, 256U}) {
      Octets premaster(size, 3);
      hide(premaster);
      const auto master = schedule::master_secret(hash, premaster, random, random).value();
      EXPECT_TRUE(all_secret(master.view()));
      const auto block =
          schedule::key_block(hash, master, random, random, {.mac_key = 48, .key = 32, .iv = 16}).value();
      for (const Bytes part : {block.client_mac.view(), block.server_mac.view(), block.client_key.view(),
                               block.server_key.view(), block.client_iv.view(), block.server_iv.view()})
        EXPECT_TRUE(all_secret(part));
      key_schedule::Digest transcript(32);
      std::ranges::copy(random, transcript.writable().begin());
      EXPECT_TRUE(all_secret(schedule::extended_master_secret(hash, premaster, transcript)->view()));
      EXPECT_TRUE(all_secret(*schedule::verify_data(hash, master, Role::client, transcript)));
      Octets exported(100);
      ASSERT_TRUE(schedule::export_keying_material(hash, master, random, random, "EXPORTER-x", Bytes(), exported));
      EXPECT_TRUE(all_secret(exported));
    }
  }
}

// --- the check itself ------------------------------------------------------------------------------------------------

/// After a whole run: every declassified point was met, is documented, and is printed.
class List final : public ::testing::Environment {
 public:
  void TearDown() override {
    if (GTEST_FLAG_GET(filter) != "*") return;
    std::ifstream file(LOCKSTEP_SOURCE_DIR "/docs/constant-time.md");
    const std::string page{std::istreambuf_iterator<char>(file), {}};
    std::printf("declassified:\n");
    for (const Declassified& point : kDeclassified) {
      const std::size_t bytes = declassified_bytes[static_cast<std::size_t>(point.what)];
      const std::string name(point.name);
      const std::string reason(point.reason);
      std::printf("  %-20s %8zu bytes  %s\n", name.c_str(), bytes, reason.c_str());
      EXPECT_GT(bytes, 0U) << name;
      EXPECT_NE(page.find("| " + name + " | " + reason + " |"), std::string::npos)
          << name << " is not in docs/constant-time.md as it is here";
    }
  }
};
const auto* const kList = ::testing::AddGlobalTestEnvironment(new List);

// Each of these must be reported. Run one at a time, by name.
volatile std::uint8_t table[256];

TEST(Leak, DISABLED_Branch) {
  Secret<16> key(Bytes(Octets(16, 7)));
  hide(key.view());
  EXPECT_FALSE(key.view()[3] > 100);
}
TEST(Leak, DISABLED_Index) {
  Secret<16> key(Bytes(Octets(16, 7)));
  hide(key.view());
  EXPECT_EQ(table[key.view()[3]], 0);
}
// What is declassified is needed: without it a handshake is reported, so secrets are followed that far.
class Withheld : public ConstantTime {
 protected:
  static void shake(std::string_view name) { shake(name, KeyType::ed25519, usual); }
  template <class Configure>
  static void shake(std::string_view name, KeyType key, Configure configure) {
    withheld = name;
    ClientConfigBuilder client = plain_client();
    ServerConfigBuilder server = plain_server();
    configure(client, server);
    Pair pair(built(client), built(server));
    pair.server.credential = credential_of(key);
    talk(pair);
  }
};
TEST_F(Withheld, DISABLED_Comparison) { shake("comparison_verdict"); }
TEST_F(Withheld, DISABLED_Tag) { shake("tag_verdict"); }
TEST_F(Withheld, DISABLED_Padding) { shake("padding_and_type"); }
TEST_F(Withheld, DISABLED_Content) { shake("handshake_content"); }
TEST_F(Withheld, DISABLED_Signature) { shake("signature"); }
TEST_F(Withheld, DISABLED_Length) {
  shake("record_length", KeyType::ec_p256, with_cbc(CipherSuite::tls_ecdhe_ecdsa_with_aes_128_cbc_sha, false));
}

}  // namespace
}  // namespace lockstep::testing
