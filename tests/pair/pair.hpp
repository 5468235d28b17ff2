#pragma once
// Two engines that talk in memory: fixed randomness, a fixed clock, and every decision answered by the test.

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <gtest/gtest.h>

#include <lockstep/client_hello.hpp>
#include <lockstep/connection.hpp>
#include <lockstep/key_cache.hpp>
#include <lockstep/x509.hpp>
#ifdef LOCKSTEP_PAIR_PROVIDER  // whoever includes this brings a provider
#elif __has_include(<lockstep/botan.hpp>)
#include <lockstep/botan.hpp>
#define LOCKSTEP_PAIR_PROVIDER lockstep::botan::provider()
#else
#include <lockstep/fake.hpp>
#define LOCKSTEP_PAIR_PROVIDER lockstep::fake::provider()
#endif

#include "pair/tapes.hpp"

namespace lockstep::testing {

inline constexpr std::int64_t kNowSeconds = 1'780'272'000;  // 2026-06-01
inline constexpr std::int64_t kDay = 86'400;
inline constexpr Time kNow{std::chrono::seconds(kNowSeconds)};

/// Reproducible bytes (SplitMix64).
class FixedRandom final : public RandomSource {
 public:
  explicit FixedRandom(std::uint64_t seed) noexcept : state_(seed) {}
  bool fill(MutableBytes out) noexcept override {
    if (fails || draws == 0) return false;
    if (draws > 0) --draws;
    for (std::uint8_t& byte : out) {
      state_ += 0x9e3779b97f4a7c15U;
      std::uint64_t mixed = (state_ ^ (state_ >> 30U)) * 0xbf58476d1ce4e5b9U;
      mixed = (mixed ^ (mixed >> 27U)) * 0x94d049bb133111ebU;
      byte = static_cast<std::uint8_t>(mixed >> 56U);
    }
    return true;
  }
  bool fails = false;
  int draws = -1;  ///< after which it fails; negative: never

 private:
  std::uint64_t state_;
};

inline const Provider& provider() {
  static const Provider value = LOCKSTEP_PAIR_PROVIDER;
  return value;
}

/// A key of this type; made once per test program.
inline std::shared_ptr<const SigningKey> key_of(KeyType type) {
  static std::vector<std::pair<KeyType, std::shared_ptr<const SigningKey>>> keys;
  for (const auto& [known, key] : keys) {
    if (known == type) return key;
  }
  FixedRandom random(0x6b6579 + static_cast<std::uint64_t>(type));
  const KeyLoader* loader = provider().key_loader(type);
  auto key = loader->load(loader->generate(type, 0, random).value()).value();
  keys.emplace_back(type, key);
  return key;
}

/// A self-signed certificate for example.com: what the engine needs; the tests decide about trust.
inline std::shared_ptr<const Credential> credential_of(KeyType type, std::string_view name = "example.com",
                                                       std::initializer_list<x509::KeyUsage> usages = {}) {
  FixedRandom random(7);
  const auto key = key_of(type);
  x509::CertificateBuilder builder("CN=test");
  builder.dns(name).server().client().validity(kNowSeconds - kDay, kNowSeconds + kDay);
  if (usages.size() != 0) builder.key_usage(usages);
  auto der = builder.self_signed(provider(), *key, random).value();
  Credential credential;
  credential.chain.push_back(std::move(der));
  credential.schemes.assign(key->schemes().begin(), key->schemes().end());
  credential.key = key;
  return std::make_shared<const Credential>(std::move(credential));
}

template <Role kRole>
std::shared_ptr<const ConfigOf<kRole>> built(const BasicConfigBuilder<kRole>& builder) {
  auto config = builder.build();
  if (config) return *config;
  std::string text;
  for (const ConfigProblem& problem : config.error()) text += problem.setting + ": " + problem.text + "\n";
  ADD_FAILURE() << text;
  return nullptr;
}
template <Role kRole>
BasicConfigBuilder<kRole> allowed(BasicConfigBuilder<kRole> builder) {
  return provider().insecure() ? builder.dangerous().allow_insecure_provider() : builder;
}
inline std::expected<TicketKeys, TicketError> allowed_ticket_keys(TicketKey key) {
  return provider().insecure() ? TicketKeys::dangerous().allow_insecure_provider(provider(), std::move(key))
                               : TicketKeys::create(provider(), std::move(key));
}
/// Null where the provider seals no tickets.
inline std::shared_ptr<TicketKeys> ticket_keys(std::uint64_t seed = 11) {
  FixedRandom random(seed);
  auto keys = allowed_ticket_keys(TicketKey::generate(random).value());
  return keys ? std::make_shared<TicketKeys>(std::move(*keys)) : nullptr;
}
inline ClientConfigBuilder client_builder() { return allowed(ConfigBuilder::client(provider())); }
inline ServerConfigBuilder server_builder() { return allowed(ConfigBuilder::server(provider())); }
/// What servers here have when a test does not say: P-256, or what a smaller provider has.
inline KeyType usual_key() {
  return provider().key_loader(KeyType::ec_p256) != nullptr ? KeyType::ec_p256 : KeyType::ed25519;
}

/// What stands beside a certificate.
struct Staples {
  std::vector<std::uint8_t> ocsp_response;
  std::vector<std::uint8_t> sct_list;

  static Staples of(Bytes ocsp_response, Bytes sct_list) {
    return {{ocsp_response.begin(), ocsp_response.end()}, {sct_list.begin(), sct_list.end()}};
  }
  friend bool operator==(const Staples&, const Staples&) = default;
};

/// A pre-shared key for TLS 1.3.
struct ExternalKey {
  std::string identity;
  std::string key;
  HashAlgorithm hash = HashAlgorithm::sha256;
  bool import = false;
  std::string context{};
};

/// How an end answers, and what it was told.
struct End {
  explicit End(Connection made, std::uint64_t seed) : connection(std::move(made)), random(seed) {}

  Connection connection;
  FixedRandom random;  // for signatures and tickets

  // answers
  std::shared_ptr<const Credential> credential;
  std::optional<PeerRejected> rejection;
  std::shared_ptr<TicketKeys> ticket_keys;
  std::map<std::vector<std::uint8_t>, std::vector<std::uint8_t>>* store = nullptr;  ///< sessions by their ids
  std::map<std::string, std::string> psks;  ///< keys by their identities; a client uses the first
  std::vector<ExternalKey> external_psks;   ///< a client offers all
  bool sign_fails = false;
  bool runs_jobs = true;                     ///< else the answer does
  std::vector<Compute>* jobs = nullptr;      ///< keeps them for later
  std::vector<VerifyPeer>* peers = nullptr;  ///< keeps the questions about them for later
  bool drop_tokens = false;
  std::function<void(Session&)> change_opened;  ///< what a ticket held
  bool accept_early_data = false;

  // what happened
  std::vector<std::string> events;                 ///< names, in order
  std::vector<std::shared_ptr<void>> attachments;  ///< of every question
  std::vector<std::uint8_t> data;                  ///< application data
  std::vector<std::uint8_t> early_data;
  EarlyDataStatus early_data_status{};
  bool early_data_offered = false;            ///< AcceptEarlyData was asked
  std::vector<std::uint8_t> identity{};       ///< of the peer, when it is accepted
  Time expires = Time::max();                 ///< the same
  Unverified unverified{};                    ///< the same
  std::vector<std::uint8_t> to_seal{};        ///< application data of tickets, unless empty
  std::vector<std::uint8_t> peer_identity{};  ///< in HandshakeComplete
  std::vector<std::uint8_t> application_data{};
  std::vector<Session> sessions;
  std::vector<TrafficKeys> traffic_keys;
  std::vector<std::string> secrets_logged;
  std::vector<std::vector<std::uint8_t>> secrets;  ///< the same, their values
  std::vector<std::vector<std::uint8_t>> peer_chain;
  std::vector<std::uint8_t> own_finished;
  std::vector<std::vector<std::uint8_t>> randoms;  ///< the client's and the server's, of every handshake
  std::vector<std::uint8_t> peer_finished;
  std::vector<SignatureScheme> shared_schemes;
  std::vector<Staples> judged_staples;  ///< in VerifyPeer, one for each
  std::vector<std::vector<std::vector<std::uint8_t>>> judged_chains;
  std::vector<bool> judged_resumed;
  std::string judged_name;  ///< the last
  Staples peer_staples;     ///< in HandshakeComplete
  bool ocsp_requested = false;
  bool scts_requested = false;
  std::optional<CertificateCompressionAlgorithm> peer_compression;  ///< in HandshakeComplete
  std::optional<CertificateCompressionAlgorithm> own_compression;
  std::vector<std::string> alpn_offered;
  std::vector<std::pair<std::vector<std::uint8_t>, std::vector<std::uint8_t>>> oid_filters;  ///< OIDs and values
  std::vector<std::uint8_t> certificate_types;                                               ///< in SelectCredential
  std::string server_name;
  ConfigSelected selected;                          ///< the answer to SelectConfig
  std::optional<ClientHelloRefused> refused_hello;  ///< in place of that
  ClientHelloInfo client_hello;                     ///< in SelectConfig
  std::string psk_server_name;                      ///< in SelectPsk and FindPsk
  std::string identity_hint;
  std::vector<std::string> psks_asked;  ///< identities in FindPsk
  bool external_psk = false;            ///< in HandshakeComplete
  ClientHelloInfo ticket_hello;         ///< in OpenTicket
  std::optional<Error> error;
  bool complete = false;
  bool peer_closed = false;
  bool key_updated = false;

  /// Treats one event; false when there was nothing.
  bool treat(Event event) {
    return std::visit(
        [this](auto& value) {
          if constexpr (requires { value.attachment; }) attachments.push_back(value.attachment);
          return on(value);
        },
        event);
  }

 private:
  bool on(Nothing& /*event*/) { return false; }
  bool on(ApplicationData& event) {
    events.emplace_back("data");
    for (const MutableBytes segment : event.segments()) data.insert(data.end(), segment.begin(), segment.end());
    return true;
  }
  bool on(EarlyData& event) {
    events.emplace_back("early_data");
    EXPECT_FALSE(complete);
    for (const MutableBytes segment : event.segments())
      early_data.insert(early_data.end(), segment.begin(), segment.end());
    return true;
  }
  bool on(SelectCredential& event) {
    events.emplace_back("select_credential");
    ocsp_requested = event.ocsp_requested;
    scts_requested = event.scts_requested;
    alpn_offered.assign(event.alpn_offered.begin(), event.alpn_offered.end());
    certificate_types.assign(event.certificate_types.begin(), event.certificate_types.end());
    oid_filters.clear();
    for (const OidFilter& filter : event.oid_filters) {
      oid_filters.emplace_back(std::vector<std::uint8_t>(filter.oid.begin(), filter.oid.end()),
                               std::vector<std::uint8_t>(filter.values.begin(), filter.values.end()));
    }
    if (drop_tokens) return true;
    if (credential) {
      EXPECT_TRUE(connection.answer(std::move(event.token), credential));
    } else {
      EXPECT_TRUE(connection.answer(std::move(event.token), NoCredential{}));
    }
    return true;
  }
  bool on(Sign& event) {
    events.emplace_back("sign");
    std::vector<std::uint8_t> signature(kMaxSignatureSize);
    signature.resize(event.credential->key->sign(event.scheme, event.message, random, signature));
    if (sign_fails) {
      EXPECT_TRUE(connection.answer(std::move(event.token), SigningFailed{}));
    } else {
      EXPECT_TRUE(connection.answer(std::move(event.token), Bytes(signature)));
    }
    return true;
  }
  bool on(Decrypt& event) {
    events.emplace_back("decrypt");
    std::array<std::uint8_t, 48> premaster{};
    if (event.credential->key->decrypt(event.ciphertext, random, premaster)) {
      EXPECT_TRUE(connection.answer(std::move(event.token), Bytes(premaster)));
    } else {
      EXPECT_TRUE(connection.answer(std::move(event.token), DecryptionFailed{}));
    }
    return true;
  }
  bool on(Compute& event) {
    events.emplace_back("compute " + std::string(name(event.job.what())));
    if (jobs != nullptr) {
      jobs->push_back(std::move(event));
      return true;
    }
    if (runs_jobs) event.job.run();
    EXPECT_TRUE(connection.answer(std::move(event)));
    return true;
  }
  bool on(SelectConfig& event) {
    events.emplace_back("select_config");
    const auto info = ClientHelloInfo::read(event.client_hello);
    EXPECT_TRUE(info);
    if (info) client_hello = *info;
    EXPECT_EQ(event.server_name, client_hello.server_name);
    EXPECT_EQ(std::vector<std::string>(event.alpn.begin(), event.alpn.end()), client_hello.alpn);
    if (drop_tokens) return true;
    if (refused_hello) {
      EXPECT_TRUE(connection.answer(std::move(event.token), *refused_hello));
    } else {
      EXPECT_TRUE(connection.answer(std::move(event.token), selected));
    }
    return true;
  }
  bool on(SelectPsk& event) {
    events.emplace_back("select_psk");
    psk_server_name = event.server_name;
    identity_hint = as_text(event.identity_hint);
    if (event.version == ProtocolVersion::tls_1_3) {
      offer(event);
    } else if (psks.empty()) {
      EXPECT_TRUE(connection.answer(std::move(event.token), NoPsk{}));
    } else {
      const auto& [own_identity, key] = *psks.begin();
      EXPECT_TRUE(connection.answer(std::move(event.token), PskChosen{as_bytes(own_identity), as_bytes(key)}));
    }
    return true;
  }
  bool on(FindPsk& event) {
    events.emplace_back("find_psk");
    psk_server_name = event.server_name;
    psks_asked.emplace_back(as_text(event.identity));
    if (event.version == ProtocolVersion::tls_1_3) {
      find(event);
      return true;
    }
    const auto found = psks.find(std::string(as_text(event.identity)));
    if (found == psks.end()) {
      EXPECT_TRUE(connection.answer(std::move(event.token), PskUnknown{}));
    } else {
      EXPECT_TRUE(connection.answer(std::move(event.token), PskFound{as_bytes(found->second), identity}));
    }
    return true;
  }
  void offer(SelectPsk& event) {
    std::vector<PskChosen> chosen;
    for (const ExternalKey& psk : external_psks)
      chosen.push_back({as_bytes(psk.identity), as_bytes(psk.key), psk.hash, psk.import, as_bytes(psk.context)});
    if (drop_tokens) return;
    if (chosen.empty()) {
      EXPECT_TRUE(connection.answer(std::move(event.token), NoPsk{}));
    } else {
      EXPECT_TRUE(connection.answer(std::move(event.token), chosen));
    }
  }
  void find(FindPsk& event) {
    if (drop_tokens) return;
    const auto known = std::ranges::find_if(external_psks, [&](const ExternalKey& psk) {
      return psk.identity == as_text(event.identity) && psk.import == event.imported &&
             psk.context == as_text(event.context);
    });
    if (known == external_psks.end()) {
      EXPECT_TRUE(connection.answer(std::move(event.token), PskUnknown{}));
    } else {
      EXPECT_TRUE(
          connection.answer(std::move(event.token),
                            PskFound{.key = as_bytes(known->key), .peer_identity = identity, .hash = known->hash}));
    }
  }
  bool on(VerifyPeer& event) {
    events.emplace_back("verify_peer");
    judged_staples.push_back(Staples::of(event.shown->ocsp_response, event.shown->sct_list));
    judged_chains.push_back(event.shown->chain);
    judged_resumed.push_back(event.resumed);
    judged_name = event.name.text();
    if (peers != nullptr) {
      peers->push_back(std::move(event));
    } else if (rejection) {
      EXPECT_TRUE(connection.answer(std::move(event.token), *rejection));
    } else {
      EXPECT_TRUE(connection.answer(std::move(event.token),
                                    PeerAccepted{.identity = identity, .expires = expires, .unverified = unverified}));
    }
    return true;
  }
  bool on(OpenTicket& event) {
    events.emplace_back("open_ticket");
    if (const auto info = ClientHelloInfo::read(event.client_hello)) {
      ticket_hello = *info;
    } else {
      ADD_FAILURE() << "no ClientHello";
    }
    if (event.session_id) {
      const auto found = store->find({event.ticket.begin(), event.ticket.end()});
      if (found == store->end()) {
        EXPECT_TRUE(connection.answer(std::move(event.token), TicketDeclined{}));
      } else {
        EXPECT_TRUE(connection.answer(std::move(event.token), Session::parse(found->second).value()));
      }
      return true;
    }
    if (ticket_keys == nullptr) {  // what is offered is no ticket of ours: an external identity, say
      EXPECT_TRUE(connection.answer(std::move(event.token), TicketDeclined{}));
      return true;
    }
    std::vector<std::uint8_t> bytes(TicketKeys::opened_size(event.ticket.size()));
    const auto opened = ticket_keys->open(event.ticket, bytes);
    if (!opened) {
      EXPECT_TRUE(connection.answer(std::move(event.token), TicketDeclined{}));
      return true;
    }
    auto session = Session::parse(Bytes(bytes).first(opened->size));
    EXPECT_TRUE(session);
    if (change_opened) change_opened(*session);
    EXPECT_TRUE(connection.answer(std::move(event.token), std::move(*session)));
    return true;
  }
  bool on(AcceptEarlyData& event) {
    events.emplace_back("accept_early_data");
    early_data_offered = true;
    if (accept_early_data) {
      EXPECT_TRUE(connection.answer(std::move(event.token), EarlyDataAccepted{}));
    } else {
      EXPECT_TRUE(connection.answer(std::move(event.token), EarlyDataDeclined{}));
    }
    return true;
  }
  bool on(SealTicket& event) {
    events.emplace_back("seal_ticket");
    if (store != nullptr && !event.session.session_id.empty()) {
      store->emplace(event.session.session_id, event.session.serialize());
      EXPECT_TRUE(connection.answer(std::move(event.token), Bytes(event.session.session_id)));
      return true;
    }
    if (!ticket_keys) {
      EXPECT_TRUE(connection.answer(std::move(event.token), TicketDeclined{}));
      return true;
    }
    if (!to_seal.empty()) event.session.application_data = to_seal;
    const auto session = event.session.serialize();
    std::vector<std::uint8_t> ticket(TicketKeys::sealed_size(session.size()));
    EXPECT_TRUE(ticket_keys->seal(session, random, ticket));
    EXPECT_TRUE(connection.answer(std::move(event.token), Bytes(ticket)));
    return true;
  }
  bool on(HandshakeComplete& event) {
    events.emplace_back(event.renegotiation ? "renegotiated" : "complete");
    complete = true;
    if (event.renegotiation) peer_chain.clear();
    server_name = event.server_name;
    early_data_status = event.early_data;
    external_psk = event.external_psk;
    EXPECT_EQ(connection.early_data(), event.early_data);
    EXPECT_EQ(connection.peer_verified(), event.peer_verified);
    EXPECT_EQ(connection.unverified(), event.unverified);
    own_finished.assign(event.own_finished.begin(), event.own_finished.end());
    peer_finished.assign(event.peer_finished.begin(), event.peer_finished.end());
    shared_schemes.assign(event.shared_schemes.begin(), event.shared_schemes.end());
    for (const Bytes der : event.peer_chain) peer_chain.emplace_back(der.begin(), der.end());
    peer_staples = Staples::of(event.ocsp_response, event.sct_list);
    peer_compression = event.peer_compression;
    own_compression = event.own_compression;
    peer_identity.assign(event.peer_identity.begin(), event.peer_identity.end());
    application_data.assign(event.application_data.begin(), event.application_data.end());
    for (const Bytes each : {event.client_random, event.server_random}) randoms.emplace_back(each.begin(), each.end());
    return true;
  }
  bool on(SessionReceived& event) {
    events.emplace_back("session");
    sessions.push_back(std::move(event.session));
    return true;
  }
  bool on(PeerClosed& /*event*/) {
    events.emplace_back("peer_closed");
    peer_closed = true;
    return true;
  }
  bool on(PeerKeyUpdated& /*event*/) {
    events.emplace_back("key_updated");
    key_updated = true;
    return true;
  }
  bool on(RenegotiationRefused& /*event*/) {
    events.emplace_back("renegotiation_refused");
    return true;
  }
  bool on(TrafficKeys& event) {
    events.emplace_back(event.direction == Direction::send ? "keys_to_send" : "keys_to_receive");
    traffic_keys.push_back(event);
    return true;
  }
  bool on(SecretLogged& event) {
    secrets_logged.emplace_back(event.label);
    secrets.emplace_back(event.secret.begin(), event.secret.end());
    return true;
  }
  bool on(Failed& event) {
    const bool first = !error;
    if (first) events.emplace_back("failed");
    error = event.error;
    return first;
  }
};

/// Where the keys of all pairs are expanded: there is room for half of one pair's, so that they come and go all the
/// time.
inline KeyCache& crowded_keys() {
  thread_local KeyCache keys(2);
  return keys;
}

/// How bytes travel between the ends.
struct Wire {
  std::size_t outbound = 65536;  ///< size of the buffer for transmit
  std::size_t chunk = 0;         ///< bytes that arrive at a time; 0: all
};

class Pair {
 public:
  Pair(std::shared_ptr<const ClientConfig> client_config, std::shared_ptr<const ServerConfig> server_config,
       ClientOptions options = {x509::PeerName::dns("example.com").value(), {}}, Wire wire = {}, std::uint64_t seed = 1,
       ServerOptions server_options = {}, Time start = kNow)
      : client_random_(seed),
        server_random_(seed + 1),
        wire_(wire),
        client(client_tape.connection([&](auto& random) {
          return Connection::client(std::move(client_config), std::move(options), random, start);
        }),
               seed + 2),
        server(server_tape.connection([&](auto& random) {
          return Connection::server(std::move(server_config), random, {}, server_options);
        }),
               seed + 3) {
    server.credential = credential_of(usual_key());
    client.connection.use(&crowded_keys());
    server.connection.use(&crowded_keys());
    now = start;
  }
  Pair(const Pair&) = delete;
  Pair& operator=(const Pair&) = delete;
  ~Pair() {
    client_tape.finish(&provider());
    server_tape.finish(&provider());
  }

  /// Lets both talk until neither has anything to say.
  void run() {
    for (bool progress = true; progress;) {
      progress = step(client, to_server_, to_client_);
      progress = step(server, to_client_, to_server_) || progress;
    }
  }

  /// One side: sends what it has, then treats what has arrived. Whether anything happened.
  bool step(End& end, std::vector<std::uint8_t>& out, std::vector<std::uint8_t>& in) {
    bool progress = false;
    // Once connected, a control record must fit whole.
    std::vector<std::uint8_t> buffer(end.complete ? std::max<std::size_t>(wire_.outbound, 64) : wire_.outbound);
    while (const std::size_t size = end.connection.transmit(buffer, now)) {
      out.insert(out.end(), buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(size));
      progress = true;
    }
    std::size_t visible = wire_.chunk == 0 ? in.size() : std::min(wire_.chunk, in.size());
    for (;;) {
      auto [consumed, event] = end.connection.receive(MutableBytes(in).first(visible), now);
      progress |= consumed != 0;
      const bool told = end.treat(std::move(event));
      in.erase(in.begin(), in.begin() + static_cast<std::ptrdiff_t>(consumed));
      visible -= consumed;
      progress |= told;
      if (told || consumed != 0) continue;
      if (end.error || visible == in.size()) break;
      visible += std::min(wire_.chunk, in.size() - visible);
    }
    return progress;
  }

  /// Lets the client say hello, and no more: the server's question.
  Event ask_server() {
    step(client, to_server_, to_client_);
    auto [consumed, event] = server.connection.receive(to_server_, now);
    to_server_.erase(to_server_.begin(), to_server_.begin() + static_cast<std::ptrdiff_t>(consumed));
    return std::move(event);
  }
  SelectCredential ask_for_credential() { return std::get<SelectCredential>(ask_server()); }

  /// Sends application data, in as many calls as it takes.
  void send(End& end, Bytes bytes) {
    auto& out = &end == &client ? to_server_ : to_client_;
    std::vector<std::uint8_t> buffer(std::max<std::size_t>(wire_.outbound, 256));
    while (!bytes.empty()) {
      const auto sealed = end.connection.seal(std::span(&bytes, 1), buffer, now);
      ASSERT_TRUE(sealed) << name(sealed.error());
      ASSERT_NE(sealed->consumed + sealed->written, 0U);
      out.insert(out.end(), buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(sealed->written));
      bytes = bytes.subspan(sealed->consumed);
    }
  }
  void send(End& end, std::string_view text) { send(end, as_bytes(text)); }

  /// Sends as much as may go early; how much that was.
  std::size_t send_early(Bytes bytes) {
    std::vector<std::uint8_t> buffer(std::max<std::size_t>(wire_.outbound, 256));
    std::size_t sent = 0;
    for (;;) {
      const Bytes rest = bytes.subspan(sent);
      const auto sealed = client.connection.seal_early(std::span(&rest, 1), buffer, now);
      if (!sealed || sealed->consumed + sealed->written == 0) return sent;
      to_server_.insert(to_server_.end(), buffer.begin(),
                        buffer.begin() + static_cast<std::ptrdiff_t>(sealed->written));
      sent += sealed->consumed;
    }
  }
  std::size_t send_early(std::string_view text) { return send_early(as_bytes(text)); }

  [[nodiscard]] std::vector<std::uint8_t>& to_server() { return to_server_; }
  [[nodiscard]] std::vector<std::uint8_t>& to_client() { return to_client_; }

  Time now = kNow;

 private:
  FixedRandom client_random_;
  FixedRandom server_random_;
  std::vector<std::uint8_t> to_server_;
  std::vector<std::uint8_t> to_client_;
  Wire wire_;

 public:
  Taped client_tape{client_random_, "client"};
  Taped server_tape{server_random_, "server"};
  End client;
  End server;
};

inline std::string error_text(const End& end) { return end.error ? to_text(*end.error) : "no error"; }
inline void expect_connected(const Pair& pair) {
  EXPECT_TRUE(pair.client.connection.connected()) << error_text(pair.client);
  EXPECT_TRUE(pair.server.connection.connected()) << error_text(pair.server);
  EXPECT_TRUE(pair.client.complete);
  EXPECT_TRUE(pair.server.complete);
}
inline void expect_echo(Pair& pair) {
  pair.send(pair.client, "ping");
  pair.run();
  EXPECT_EQ(as_text(pair.server.data), "ping");
  pair.send(pair.server, "pong");
  pair.run();
  EXPECT_EQ(as_text(pair.client.data), "pong");
}

}  // namespace lockstep::testing
