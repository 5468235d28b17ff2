// Once two connections are over, the second of which resumed the first, no secret of theirs is left in memory: nothing
// of the key schedule, no record key, iv or nonce, no private key, no shared secret, no PSK, no ticket key, and no
// pre-shared key that an application has given. Whoever
// finds the process in a core dump or a swap file from then on finds none.
//
// The secrets are collected by a provider that watches: what is drawn for private keys, what hashes and AEADs are keyed
// with, and what they derive.

#include <array>
#include <memory>
#include <vector>

#include <gtest/gtest.h>

#include <lockstep/answers.hpp>
#include <lockstep/connection.hpp>
#include <lockstep/key_cache.hpp>
#include <lockstep/psk_table.hpp>
#include <lockstep/x509.hpp>
#include LOCKSTEP_LEFTOVERS_HEADER
#if __has_include(<lockstep/multibuffer.hpp>)
#include <lockstep/multibuffer.hpp>
#endif

#include "common/key_info.hpp"
#include "vault.hpp"

namespace lockstep::testing {
namespace {

namespace library = LOCKSTEP_LEFTOVERS_OF;  // whose randomness it is

using Octets = std::vector<std::uint8_t>;

constexpr std::int64_t kNowSeconds = 1'780'272'000;
constexpr std::int64_t kDay = 86'400;
constexpr Time kNow{std::chrono::seconds(kNowSeconds)};

// --- the provider that watches ---------------------------------------------------------------------------------------

const Provider& real() {
  static const Provider provider = LOCKSTEP_LEFTOVERS_PROVIDER;
  return provider;
}

class SecretRandom final : public RandomSource {
 public:
  SecretRandom(std::string_view what, RandomSource& source) noexcept : what_(what), source_(source) {}
  [[nodiscard]] bool fill(MutableBytes out) noexcept override {
    const bool filled = source_.fill(out);
    vault::keep(what_, out);
    return filled;
  }

 private:
  std::string_view what_;
  RandomSource& source_;
};

template <HashAlgorithm id>
const Hash* watched_hash() {
  static const Hash descriptor = [] {
    Hash hash = *real().hash(id);
    hash.hmac = [](Bytes key, std::span<const Bytes> segments, MutableBytes out) noexcept {
      vault::keep("key of HMAC", key);
      return real().hash(id)->hmac(key, segments, out);
    };
    hash.expand = [](std::span<const ExpandJob> jobs) noexcept {
      const bool done = real().hash(id)->expand(jobs);
      for (const ExpandJob& job : jobs) {
        vault::keep("secret", job.secret);
        vault::keep("what a secret was expanded to", job.out);
      }
      return done;
    };
    return hash;
  }();
  return &descriptor;
}

template <AeadAlgorithm id>
const Aead* watched_aead() {
  static const Aead descriptor = [] {
    Aead aead = *real().aead(id);
    aead.init = [](void* context, Bytes key) noexcept {
      vault::keep("record or ticket key", key);
      return real().aead(id)->init(context, key);
    };
    aead.seal = [](void* context, std::span<const SealJob> jobs) noexcept {
      for (const SealJob& job : jobs) vault::keep("nonce", {job.nonce, kAeadNonceSize});
      return real().aead(id)->seal(context, jobs);
    };
    aead.open = [](void* context, std::span<OpenJob> jobs) noexcept {
      for (const OpenJob& job : jobs) vault::keep("nonce", {job.nonce, kAeadNonceSize});
      return real().aead(id)->open(context, jobs);
    };
    return aead;
  }();
  return &descriptor;
}

template <class Job>
void call_watched(std::span<Job> jobs, std::string_view what, void (*call)(std::span<Job>) noexcept) {
  std::vector<SecretRandom> randoms;
  randoms.reserve(jobs.size());
  for (Job& job : jobs) job.random = &randoms.emplace_back(what, *job.random);
  call(jobs);
}

/// Those of a group that takes several at once.
template <NamedGroup id>
void watch_many(Group& group) {
  if (group.generate_many != nullptr)
    group.generate_many = [](std::span<GenerateJob> jobs) noexcept {
      call_watched(jobs, "private key of a key exchange, drawn in company", real().group(id)->generate_many);
    };
  if (group.encapsulate_many != nullptr)
    group.encapsulate_many = [](std::span<EncapsulateJob> jobs) noexcept {
      call_watched(jobs, "private key of a key exchange, drawn to answer in company",
                   real().group(id)->encapsulate_many);
      for (const EncapsulateJob& job : jobs) vault::keep("shared secret", job.secret);
    };
  if (group.decapsulate_many != nullptr)
    group.decapsulate_many = [](std::span<DecapsulateJob> jobs) noexcept {
      real().group(id)->decapsulate_many(jobs);
      for (const DecapsulateJob& job : jobs) vault::keep("shared secret", job.secret);
    };
}

template <NamedGroup id>
const Group* watched_group() {
  static const Group descriptor = [] {
    Group group = *real().group(id);
    group.generate = [](void* context, RandomSource& random, MutableBytes share) noexcept {
      SecretRandom secret("private key of a key exchange, drawn", random);
      return real().group(id)->generate(context, secret, share);
    };
    group.encapsulate = [](Bytes client_share, RandomSource& random, MutableBytes share, MutableBytes out) noexcept {
      SecretRandom secret("private key of a key exchange, drawn to answer", random);
      const GroupResult result = real().group(id)->encapsulate(client_share, secret, share, out);
      vault::keep("shared secret", out);
      return result;
    };
    group.decapsulate = [](void* context, Bytes share, MutableBytes out) noexcept {
      const GroupResult result = real().group(id)->decapsulate(context, share, out);
      vault::keep("shared secret", out);
      return result;
    };
    watch_many<id>(group);
    return group;
  }();
  return &descriptor;
}

template <auto... ids, class Real, class Watched>
auto watched(std::vector<const Real*> descriptors, Watched of) {
  std::vector<const Real*> all;
  const auto add = [&]<auto id>() {
    if (std::ranges::any_of(descriptors, [](const Real* each) { return each->id == id; }))
      all.push_back(of.template operator()<id>());
  };
  (add.template operator()<ids>(), ...);
  return all;
}

Provider watched_provider() {
  using enum AeadAlgorithm;
  using enum HashAlgorithm;
  using enum NamedGroup;
  Provider provider = real();
  provider.name = "watched";
  provider.hashes = watched<sha256, sha384, sha512>(real().hashes, []<HashAlgorithm id> { return watched_hash<id>(); });
  provider.aeads = watched<aes_128_gcm, aes_256_gcm, chacha20_poly1305, aes_128_ccm>(
      real().aeads, []<AeadAlgorithm id> { return watched_aead<id>(); });
  provider.groups = watched<x25519, mlkem768, secp256r1, secp384r1, x448, ffdhe2048>(
      real().groups, []<NamedGroup id> { return watched_group<id>(); });
  return provider;
}

const Provider& provider() {
  static const Provider value = watched_provider();
  return value;
}

/// What is drawn to sign is as secret as the key (RFC 6979 1).
class WatchedKey final : public SigningKey {
 public:
  explicit WatchedKey(std::shared_ptr<const SigningKey> key) : key_(std::move(key)) {}
  [[nodiscard]] KeyType type() const noexcept override { return key_->type(); }
  [[nodiscard]] Bytes subject_public_key_info() const noexcept override { return key_->subject_public_key_info(); }
  [[nodiscard]] std::span<const SignatureScheme> schemes() const noexcept override { return key_->schemes(); }
  [[nodiscard]] std::size_t sign(SignatureScheme scheme, Bytes message, RandomSource& random,
                                 MutableBytes out) const noexcept override {
    // Of RSA it is the salt, which every verifier sees.
    const bool is_salt = type() == KeyType::rsa || type() == KeyType::rsa_pss;
    SecretRandom secret("drawn to sign", random);
    return key_->sign(scheme, message, is_salt ? random : secret, out);
  }
  [[nodiscard]] bool decrypt(Bytes ciphertext, RandomSource& random, MutableBytes out) const noexcept override {
    const bool done = key_->decrypt(ciphertext, random, out);
    vault::keep("premaster secret", out);
    return done;
  }

 private:
  std::shared_ptr<const SigningKey> key_;
};

// --- what they talk about --------------------------------------------------------------------------------------------

/// Everything in PKCS#8 that only the owner may know.
void keep_private_key(Bytes pkcs8) {
  const key_info::PrivateKeyInfo info = key_info::read_private(pkcs8).value();
  const KeyType type = key_info::type_of(info.algorithm_identifier).value();
  der::Reader reader(info.private_key);
  switch (type) {
    case KeyType::rsa: {
      der::Reader numbers(reader.read(der::kSequence).value());
      for (const std::string_view name :
           {"", "", "", "d of RSA", "p of RSA", "q of RSA", "dP of RSA", "dQ of RSA", "qInv of RSA"}) {
        const Bytes number = numbers.read(der::kInteger).value();
        if (!name.empty()) vault::keep(name, number);
      }
      return;
    }
    case KeyType::ed25519: {
      const Bytes seed = reader.read(der::kOctetString).value();
      vault::keep("seed of Ed25519", seed);
      // RFC 8032 5.1.5: the scalar, before its bits are set, and the prefix.
      const Hash& hash = *real().hash(HashAlgorithm::sha512);
      alignas(64) std::array<std::uint8_t, kMaxHashContextSize> context;
      std::array<std::uint8_t, 64> expanded;
      ASSERT_TRUE(hash.init(context.data()));
      hash.update(context.data(), seed);
      ASSERT_TRUE(hash.digest(context.data(), expanded));
      hash.destroy(context.data());
      vault::keep("expanded seed of Ed25519", expanded);
      wipe(expanded);
      return;
    }
    case KeyType::mldsa65: vault::keep("seed of ML-DSA", reader.read(der::primitive(0)).value()); return;
    default: {
      der::Reader parts(reader.read(der::kSequence).value());
      static_cast<void>(parts.read_small().value());
      vault::keep("scalar of ECDSA", parts.read(der::kOctetString).value());
    }
  }
}

std::shared_ptr<const Credential> credential_of(KeyType type) {
  RandomSource& random = library::system_random();
  const KeyLoader& loader = *real().key_loader(type);
  Octets pkcs8 = loader.generate(type, 0, random).value();
  keep_private_key(pkcs8);
  auto key = std::make_shared<const WatchedKey>(loader.load(pkcs8).value());
  wipe(pkcs8);
  auto certificate = x509::CertificateBuilder("CN=example.com")
                         .dns("example.com")
                         .server()
                         .client()
                         .validity(kNowSeconds - kDay, kNowSeconds + kDay)
                         .self_signed(real(), *key, random)
                         .value();
  return make_credential({std::move(certificate)}, std::move(key));
}

struct End {
  Connection connection;
  Answers answers;
  Octets inbound{};
  std::vector<Session> sessions{};

  void take(Octets&& bytes) {
    inbound.insert(inbound.end(), bytes.begin(), bytes.end());
    for (bool idle = false; !idle;) {
      auto [consumed, event] = connection.receive(inbound, kNow);
      idle = std::holds_alternative<Nothing>(event);
      ASSERT_FALSE(std::holds_alternative<Failed>(event)) << to_text(std::get<Failed>(event).error);
      if (!answers.answer(connection, event)) {
        if (auto* const received = std::get_if<SessionReceived>(&event))
          sessions.push_back(std::move(received->session));
      }
      inbound.erase(inbound.begin(), inbound.begin() + static_cast<std::ptrdiff_t>(consumed));
    }
  }
  Octets give() {
    Octets outbound(Connection::kMaxRecord);
    outbound.resize(connection.transmit(outbound, kNow));
    return outbound;
  }
  Octets seal(std::string_view text) {
    Octets outbound(Connection::kMaxRecord);
    const Bytes plaintext = as_bytes(text);
    outbound.resize(connection.seal({&plaintext, 1}, outbound, kNow).value().written);
    return outbound;
  }
  Octets seal_early(std::string_view text) {
    Octets outbound(Connection::kMaxRecord);
    const Bytes plaintext = as_bytes(text);
    outbound.resize(connection.seal_early({&plaintext, 1}, outbound, kNow).value().written);
    return outbound;
  }
};

void talk(End& client, End& server) {
  for (bool progress = true; progress && !::testing::Test::HasFatalFailure();) {
    progress = false;
    for (End* const from : {&client, &server}) {
      End& to = from == &client ? server : client;
      for (Octets bytes = from->give(); !bytes.empty(); bytes = from->give()) {
        progress = true;
        to.take(std::move(bytes));
      }
    }
  }
}

/// From the first byte to the last: application data, both keys renewed where the version has that, data again, and the
/// end of both directions.
void live(End& client, End& server) {
  talk(client, server);
  ASSERT_TRUE(client.connection.connected() && server.connection.connected());
  for (int i = 0; i < 2; ++i) {
    server.take(client.seal("a question"));
    client.take(server.seal("an answer"));
    const bool renews = client.connection.version() == ProtocolVersion::tls_1_3;
    ASSERT_EQ((i == 0 ? client : server).connection.update_keys(true).has_value(), renews);
    talk(client, server);
  }
  server.take(client.seal("a question"));
  client.take(server.seal("an answer"));
  Octets exported(32);
  ASSERT_TRUE(client.connection.export_keying_material("EXPORTER-test", {}, exported));
  vault::keep("what was exported", exported);
  wipe(exported);
  client.connection.close();
  server.connection.close();
  talk(client, server);
}

struct Variant {
  std::string name;
  CipherSuite suite;
  NamedGroup group;
  KeyType key;

  friend void PrintTo(const Variant& variant, std::ostream* out) { *out << variant.name; }
};

/// As from a store, which keeps bytes.
Session stored(Session&& session) {
  Octets bytes = session.serialize();
  Session back = Session::parse(bytes).value();
  wipe(bytes);
  return back;
}

bool has_psk(CipherSuite suite) {
  const SuiteParts known = *parts(suite);
  return known.authentication == SuiteAuthentication::psk || known.key_exchange == KeyExchangeMethod::rsa_psk;
}

std::shared_ptr<const PskTable> psk_table() {
  Secret<32> key(32);
  if (!library::system_random().fill(key.writable())) return nullptr;
  vault::keep("pre-shared key", key.view());
  auto table = std::make_shared<PskTable>();
  table->add("sensor 7", key.view());
  return table;
}

/// Two connections and everything they need, from nothing to the end.
void live_and_die(const Variant& variant) {
  RandomSource& random = library::system_random();
  const auto credential = credential_of(variant.key);
  auto anchors = std::make_shared<x509::TrustAnchors>();
  ASSERT_TRUE(anchors->add(credential->chain.front()));
  TicketKey ticket_key = TicketKey::generate(random).value();
  vault::keep("ticket key", ticket_key.secret());
  const auto keyring = std::make_shared<TicketKeyring>(TicketKeys::create(provider(), std::move(ticket_key)).value());
  const std::shared_ptr<ReplayGuard> guard =
      ReplayGuard::create(provider(), random, kNow - std::chrono::hours(1), {.expected = 100}).value();
  const auto psks = psk_table();
  const auto client_setup =
      AnswerSetup::create({.provider = provider(), .credentials = {credential}, .anchors = anchors, .psks = psks})
          .value();
  const auto server_setup = AnswerSetup::create({.provider = provider(),
                                                 .credentials = {credential},
                                                 .anchors = anchors,
                                                 .ticket_keys = keyring,
                                                 .psks = psks,
                                                 .replay_guard = guard})
                                .value();
  const auto client_config = ConfigBuilder::client(provider())
                                 .suites({variant.suite})
                                 .groups({variant.group})
                                 .early_data(1000)
                                 .build()
                                 .value();
  const auto server_config = ConfigBuilder::server(provider())
                                 .suites({variant.suite})
                                 .groups({variant.group})
                                 .client_auth(has_psk(variant.suite) ? ClientAuth::none : ClientAuth::require)
                                 .early_data(1000)
                                 .build()
                                 .value();
  const bool early = parts(variant.suite)->version == ProtocolVersion::tls_1_3;
  std::vector<Session> sessions;
  KeyCache cache(4);
  Octets memory(Connection::kHandshakeMemory);
  for (int connection = 0; connection < 2; ++connection) {
    const auto made = std::make_unique<std::pair<End, End>>(
        End{Connection::client(client_config,
                               {.name = x509::PeerName::dns("example.com").value(),
                                .sessions = sessions,
                                .verification = client_setup->verification()},
                               random, kNow, memory),
            Answers(client_setup, random)},
        End{Connection::server(server_config, random, {}, {.verification = server_setup->verification()}),
            Answers(server_setup, random)});
    auto& [client, server] = *made;
    server.connection.use(&cache);
    if (connection == 1 && early) server.take(client.seal_early("an early question"));
    live(client, server);
    if (::testing::Test::HasFatalFailure()) return;
    EXPECT_EQ(client.connection.resumed(), connection == 1);
    EXPECT_EQ(client.connection.early_data(),
              connection == 1 && early ? EarlyDataStatus::accepted : EarlyDataStatus::none);
    ASSERT_EQ(client.sessions.size(), early && connection == 0 ? 2U : 1U);
    sessions.clear();
    for (Session& session : client.sessions) sessions.push_back(stored(std::move(session)));
  }
}

// --- what is computed elsewhere
// ----------------------------------------------------------------------------------------

/// Of what connections draw: the seeds of their jobs, which are as long as the randoms that everybody can read.
class SeedRandom final : public RandomSource {
 public:
  [[nodiscard]] bool fill(MutableBytes out) noexcept override {
    const bool filled = library::system_random().fill(out);
    if (out.size() == kSize && count_ < drawn_.size()) std::ranges::copy(out, drawn_[count_++].begin());
    wipe_stack();  // where it comes from, and that it was copied here, is not what is looked at
    return filled;
  }
  /// Those that went over no wire.
  void keep(Bytes wire) noexcept {
    for (const auto& drawn : std::span(drawn_).first(count_)) {
      if (std::ranges::search(wire, drawn).empty()) vault::keep("seed of a job", drawn);
    }
  }
  void forget() noexcept {
    for (auto& drawn : drawn_) wipe(drawn);
  }

 private:
  static constexpr std::size_t kSize = 32;
  std::array<std::array<std::uint8_t, kSize>, 64> drawn_{};
  std::size_t count_ = 0;
};

/// Several pairs of connections with one question each that nobody has answered yet.
struct Unanswered {
  std::vector<std::unique_ptr<std::pair<End, End>>> pairs{};
  std::vector<Compute> asked{};
  Octets wire{};

  void run() {
    std::vector<ComputationJob*> jobs;
    for (Compute& compute : asked) jobs.push_back(&compute.job);
    run_together(jobs);
  }
  /// Goes on until `what` is asked of one of the ends.
  void talk_until(Computation what, std::pair<End, End>& ends) {
    for (int turn = 0; turn < 100; ++turn) {
      for (End* const to : {&ends.first, &ends.second}) {
        End& from = to == &ends.first ? ends.second : ends.first;
        const Octets bytes = from.give();
        wire.insert(wire.end(), bytes.begin(), bytes.end());
        to->inbound.insert(to->inbound.end(), bytes.begin(), bytes.end());
        if (answer_until(what, *to)) return;
      }
    }
    ADD_FAILURE() << "nobody is asked to " << name(what);
  }

 private:
  bool answer_until(Computation what, End& end) {
    for (bool idle = false; !idle;) {
      auto [consumed, event] = end.connection.receive(end.inbound, kNow);
      idle = std::holds_alternative<Nothing>(event);
      end.inbound.erase(end.inbound.begin(), end.inbound.begin() + static_cast<std::ptrdiff_t>(consumed));
      if (auto* const compute = std::get_if<Compute>(&event); compute != nullptr && compute->job.what() == what) {
        asked.push_back(std::move(*compute));
        return true;
      }
      end.answers.answer(end.connection, event);
    }
    return false;
  }
};

enum class Lost : std::uint8_t { unrun, canceled, orphaned };

struct LostJobs {
  ProtocolVersion version;
  NamedGroup group;
  KeyType key;
};

/// So many connections that what they compute goes together where the provider has that.
void lose(const LostJobs& of, Computation what, Lost how) {
  constexpr std::size_t kPairs = 3;
  SeedRandom random;
  const auto credential = credential_of(of.key);
  auto anchors = std::make_shared<x509::TrustAnchors>();
  ASSERT_TRUE(anchors->add(credential->chain.front()));
  const auto setup =
      AnswerSetup::create({.provider = provider(), .credentials = {credential}, .anchors = anchors}).value();
  const auto client = ConfigBuilder::client(provider())
                          .versions(of.version, of.version)
                          .groups({of.group})
                          .hand_out_computations()
                          .build()
                          .value();
  const auto server = ConfigBuilder::server(provider())
                          .versions(of.version, of.version)
                          .groups({of.group})
                          .hand_out_computations()
                          .build()
                          .value();
  Unanswered unanswered;
  for (std::size_t i = 0; i < kPairs; ++i) {
    auto& ends = *unanswered.pairs.emplace_back(std::make_unique<std::pair<End, End>>(
        End{Connection::client(client, {.name = x509::PeerName::dns("example.com").value()}, random, kNow),
            Answers(setup, library::system_random())},
        End{Connection::server(server, random), Answers(setup, library::system_random())}));
    unanswered.talk_until(what, ends);
  }
  ASSERT_EQ(unanswered.asked.size(), kPairs);
  switch (how) {
    case Lost::unrun: break;
    case Lost::canceled:
      unanswered.run();
      for (const auto& ends : unanswered.pairs) {
        ends->first.connection.cancel();
        ends->second.connection.cancel();
      }
      break;
    case Lost::orphaned:
      unanswered.pairs.clear();
      unanswered.run();
      break;
  }
  // Of a seed that nothing was made of, nothing follows.
  if (how != Lost::unrun) random.keep(unanswered.wire);
  random.forget();
}

// --- the tests -------------------------------------------------------------------------------------------------------

class Search : public ::testing::Test {
 protected:
  void SetUp() override {
#ifdef LOCKSTEP_SANITIZED
    GTEST_SKIP() << "a sanitizer keeps what is freed";
#endif
    vault::clear();
  }
};

class Leftovers : public Search, public ::testing::WithParamInterface<Variant> {};

TEST_P(Leftovers, HoldNoSecret) {
#ifndef __OPTIMIZE__
  GTEST_SKIP() << "without optimization every vector of the kernels has a place on the stack";
#endif
  vault::deep([] { live_and_die(GetParam()); });
  if (HasFatalFailure()) return;
  EXPECT_GT(vault::size(), 70U) << "who watches sees what there is";
  const auto found = vault::search();
  std::string all;
  for (const std::string& each : found) all += each + "\n";
  EXPECT_TRUE(found.empty()) << all;
}

std::vector<Variant> variants() {
  using enum CipherSuite;
  std::vector<Variant> all;
  for (const Variant& variant : {
           Variant{"Aes128", tls_aes_128_gcm_sha256, NamedGroup::x25519, KeyType::ed25519},
           Variant{"Aes256", tls_aes_256_gcm_sha384, NamedGroup::x25519, KeyType::ed25519},
           Variant{"ChaCha20", tls_chacha20_poly1305_sha256, NamedGroup::x25519, KeyType::ed25519},
           Variant{"Ccm", tls_aes_128_ccm_sha256, NamedGroup::x25519, KeyType::ed25519},
           Variant{"Hybrid", tls_aes_128_gcm_sha256, NamedGroup::x25519mlkem768, KeyType::ed25519},
           Variant{"P256", tls_aes_128_gcm_sha256, NamedGroup::secp256r1, KeyType::ec_p256},
           Variant{"P384", tls_aes_256_gcm_sha384, NamedGroup::secp384r1, KeyType::ec_p384},
           Variant{"X448", tls_aes_128_gcm_sha256, NamedGroup::x448, KeyType::ed25519},
           Variant{"Ffdhe", tls_aes_128_gcm_sha256, NamedGroup::ffdhe2048, KeyType::ed25519},
           Variant{"Rsa", tls_aes_128_gcm_sha256, NamedGroup::x25519, KeyType::rsa},
           Variant{"Tls12Aes128", tls_ecdhe_ecdsa_with_aes_128_gcm_sha256, NamedGroup::x25519, KeyType::ed25519},
           Variant{"Tls12Aes256", tls_ecdhe_rsa_with_aes_256_gcm_sha384, NamedGroup::secp256r1, KeyType::rsa},
           Variant{"Tls12ChaCha20", tls_ecdhe_ecdsa_with_chacha20_poly1305_sha256, NamedGroup::x25519,
                   KeyType::ed25519},
           Variant{"Tls12Dhe", tls_dhe_rsa_with_aes_128_gcm_sha256, NamedGroup::ffdhe2048, KeyType::rsa},
           Variant{"Tls12Psk", tls_psk_with_aes_128_gcm_sha256, NamedGroup::x25519, KeyType::ed25519},
           Variant{"Tls12EcdhePsk", tls_ecdhe_psk_with_chacha20_poly1305_sha256, NamedGroup::x25519, KeyType::ed25519},
           Variant{"Tls12DhePsk", tls_dhe_psk_with_aes_256_gcm_sha384, NamedGroup::ffdhe2048, KeyType::ed25519},
           Variant{"Tls12RsaPsk", tls_rsa_psk_with_aes_128_gcm_sha256, NamedGroup::x25519, KeyType::rsa},
           Variant{"MlDsa", tls_aes_128_gcm_sha256, NamedGroup::x25519, KeyType::mldsa65},
       }) {
    if (real().supports(variant.suite) && real().supports(variant.group) && real().key_loader(variant.key) != nullptr)
      all.push_back(variant);
  }
  return all;
}

INSTANTIATE_TEST_SUITE_P(Every, Leftovers, ::testing::ValuesIn(variants()),
                         [](const auto& variant) { return variant.param.name; });

// Records of every length that a kernel treats in its own way.
TEST_F(Search, FindsNothingOfWhatRecordsOfAnyLengthWereSealedWith) {
#ifndef __OPTIMIZE__
  GTEST_SKIP() << "without optimization every vector of the kernels has a place on the stack";
#endif
  Octets record(17'000);
  for (const AeadAlgorithm id : every::kAeads) {
    const Aead* const aead = real().aead(id);
    if (aead == nullptr) continue;
    for (const std::size_t size : {100U, 600U, 900U, 1000U, 1300U, 1600U, 2000U, 4200U, 16'384U}) {
      SCOPED_TRACE(std::string(name(id)) + " " + std::string(aead->implementation) + " " + std::to_string(size));
      vault::clear();
      vault::deep([&] {
        Secret<kMaxAeadKeySize> key(aead->key_size);
        ASSERT_TRUE(library::system_random().fill(key.writable()));
        vault::keep("record key", key.view());
        alignas(64) std::array<std::uint8_t, kMaxAeadContextSize> context;
        ASSERT_TRUE(aead->init(context.data(), key.view()));
        const std::array<std::uint8_t, kAeadNonceSize> nonce{1};
        const Bytes text(record.data(), size);
        const SealJob seal{nonce.data(), {}, {&text, 1}, {}, record.data()};
        EXPECT_TRUE(aead->seal(context.data(), {&seal, 1}));
        OpenJob open{nonce.data(), {}, {record.data(), size + aead->tag_size}, record.data()};
        EXPECT_TRUE(aead->open(context.data(), {&open, 1}));
        aead->destroy(context.data());
      });
      const auto found = vault::search();
      EXPECT_TRUE(found.empty()) << found.front();
    }
  }
}

TEST_F(Search, FindsNothingOfJobsWhoseResultsNobodyGot) {
#ifndef __OPTIMIZE__
  GTEST_SKIP() << "without optimization every vector of the kernels has a place on the stack";
#endif
  for (const LostJobs& of : {LostJobs{ProtocolVersion::tls_1_3, NamedGroup::x25519, KeyType::ed25519},
                             LostJobs{ProtocolVersion::tls_1_3, NamedGroup::x25519mlkem768, KeyType::ed25519},
                             LostJobs{ProtocolVersion::tls_1_3, NamedGroup::secp256r1, KeyType::ec_p256},
                             LostJobs{ProtocolVersion::tls_1_2, NamedGroup::x25519, KeyType::ed25519},
                             LostJobs{ProtocolVersion::tls_1_2, NamedGroup::secp384r1, KeyType::ec_p384}}) {
    if (!real().supports(of.group) || real().key_loader(of.key) == nullptr) continue;
    for (const Computation what : {Computation::generate, Computation::encapsulate, Computation::decapsulate}) {
      for (const Lost how : {Lost::unrun, Lost::canceled, Lost::orphaned}) {
        SCOPED_TRACE(std::string(name(of.group)) + " " + std::string(name(what)) + " " +
                     std::to_string(static_cast<int>(how)));
        vault::clear();
        vault::deep([&] { lose(of, what, how); });
        ASSERT_FALSE(HasFatalFailure());
        EXPECT_GT(vault::size(), 0U);
        std::string all;
        for (const std::string& each : vault::search()) all += each + "\n";
        EXPECT_TRUE(all.empty()) << all;
      }
    }
  }
}

// No connection masks numbers yet.
TEST_F(Search, FindsNothingOfWhatMasksWereMadeWith) {
#ifndef __OPTIMIZE__
  GTEST_SKIP() << "without optimization every vector of the kernels has a place on the stack";
#endif
  for (const Mask* mask : real().masks) {
    SCOPED_TRACE(std::string(name(mask->id)) + " " + std::string(mask->implementation));
    vault::clear();
    vault::deep([&] {
      Secret<kMaxMaskKeySize> key(mask->key_size);
      ASSERT_TRUE(library::system_random().fill(key.writable()));
      vault::keep("key of masks", key.view());
      alignas(64) std::array<std::uint8_t, kMaxMaskContextSize> context;
      ASSERT_TRUE(mask->init(context.data(), key.view()));
      const std::array<std::uint8_t, kMaskSampleSize> sample{1};
      std::array<std::array<std::uint8_t, 5>, 20> masks;
      std::vector<MaskJob> jobs;
      for (auto& each : masks) jobs.push_back({sample.data(), each});
      EXPECT_TRUE(mask->compute(context.data(), jobs));
      mask->destroy(context.data());
    });
    const auto found = vault::search();
    EXPECT_TRUE(found.empty()) << found.front();
  }
}

TEST_F(Search, FindsWhatLivesAndWhatWasLeft) {
  Octets secret(32);
  ASSERT_TRUE(library::system_random().fill(secret));
  vault::keep("left", secret);
  EXPECT_FALSE(vault::search().empty()) << "it is alive";
  Octets backwards(secret.rbegin(), secret.rend());
  wipe(secret);
  EXPECT_FALSE(vault::search().empty());
  wipe(backwards);
  EXPECT_TRUE(vault::search().empty());
  vault::deep([&] {
    std::array<std::uint8_t, 24> dead;
    ASSERT_TRUE(library::system_random().fill(dead));
    vault::keep("dead", dead);
  });
  const auto found = vault::search();
  ASSERT_EQ(found.size(), 2U) << "both halves of what is on the stack";
  EXPECT_TRUE(found.front().starts_with("dead, from its byte 0 at ")) << found.front();
  EXPECT_TRUE(found.front().ends_with("[stack]")) << found.front();
}

}  // namespace
}  // namespace lockstep::testing
