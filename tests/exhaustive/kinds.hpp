#pragma once
// Every kind of handshake with what is said after it, played between two engines on the fake provider, flight by
// flight, so that a test can put something else in a flight's place. `fuzzing::End` watches the invariants at every
// step.

#include <csignal>
#include <cstddef>
#include <cstdio>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include <lockstep/fuzzing.hpp>

#include "pair/codecs.hpp"

namespace lockstep::testing {

using fuzzing::Octets;

/// What an end does once connected.
enum class Act : std::uint8_t {
  client_sends,
  server_sends,
  client_updates_key,
  server_asks_for_update,
  client_closes,
  server_closes,
};

struct Kind {
  std::string name;
  std::shared_ptr<const ClientConfig> client;
  std::shared_ptr<const ServerConfig> server;
  bool resumes = false;  ///< the client offers the session of an earlier handshake
  bool retries = false;  ///< a HelloRetryRequest comes first
  bool early = false;    ///< early data goes with the ClientHello
  bool refuses = false;  ///< the client refuses the server's certificate
  bool tls12 = false;    ///< neither end has TLS 1.3
  bool fails = false;    ///< one end has cause to end it: the last flight is its alert
  std::vector<Act> acts{Act::client_closes, Act::server_closes};

  friend void PrintTo(const Kind& kind, std::ostream* out) { *out << kind.name; }
};

/// All that an end has to say at once.
struct Flight {
  Role sender{};
  Octets bytes;
};

/// Where a test is, for the message when an invariant breaks and the program is aborted.
class Where {
 public:
  static void say(const Kind& kind, std::size_t flight, const char* what, std::size_t at) {
    static const auto set = std::signal(SIGABRT, [](int) { std::fprintf(stderr, "in: %s\n", text_); });
    static_cast<void>(set);
    static_cast<void>(
        std::snprintf(text_, sizeof text_, "%s: flight %zu, %s %zu", kind.name.c_str(), flight, what, at));
  }
  [[nodiscard]] static const char* text() noexcept { return text_; }

 private:
  static inline char text_[200] = "";
};

/// One connection from its first byte to the end of its transport.
class Play {
 public:
  explicit Play(const Kind& kind)
      : kind_(kind), sessions_(offered(kind)), client(kind.client, 1, sessions_), server(kind.server, 2) {
    client.rejects_peer = kind.refuses;
    if (const Resumable* const first = first_of(kind)) {
      for (const Session& session : first->stored) server.stored.push_back(session.clone());
    }
  }
  Play(const Play&) = delete;
  Play& operator=(const Play&) = delete;

  /// Plays all of it. `deliver(Play&, End& receiver, index, bytes)` gives a flight to its receiver, or something else.
  template <class Deliver>
  void run(Deliver deliver) {
    if (kind_.early) client.seal_early(as_bytes("what cannot wait"));
    talk(deliver);
    for (const Act act : kind_.acts) {
      perform(act);
      talk(deliver);
    }
    end_transport();
  }
  void run() {
    run([](Play&, fuzzing::End& receiver, std::size_t, const Octets& bytes) { receiver.receive(bytes); });
  }
  /// The transport ends for both, now.
  void end_transport() {
    for (fuzzing::End* end : {&server, &client}) {
      if (!end->over()) end->receive_end();
      note_failure(*end);
    }
    ended_ = true;
  }

  [[nodiscard]] bool both_succeeded() const noexcept { return !client.over() && !server.over(); }
  [[nodiscard]] fuzzing::End& peer_of(const fuzzing::End& end) noexcept { return &end == &client ? server : client; }

 private:
  /// What both ends have kept of an earlier handshake.
  struct Resumable {
    Session session;
    std::vector<Session> stored;  // by the server
  };
  static const Resumable* first_of(const Kind& kind);
  static std::vector<Session> offered(const Kind& kind);

  template <class Deliver>
  void talk(Deliver& deliver) {
    for (int turns = 0; !ended_; ++turns) {
      fuzzing::require(turns < 64, "two ends come to an end");
      const bool client_spoke = pass(client, deliver);
      const bool server_spoke = pass(server, deliver);
      if (!client_spoke && !server_spoke) return;
    }
  }
  template <class Deliver>
  bool pass(fuzzing::End& sender, Deliver& deliver) {
    sender.send();
    // An end that fails sends its alert by itself: what was sent is all that counts.
    const Octets& sent = sender.outcome().sent;
    std::size_t& passed = &sender == &client ? from_client_ : from_server_;
    if (passed == sent.size() || ended_) return false;
    Octets bytes(sent.begin() + static_cast<std::ptrdiff_t>(passed), sent.end());
    passed = sent.size();
    fuzzing::End& receiver = peer_of(sender);
    flights.push_back({&sender == &client ? Role::client : Role::server, std::move(bytes)});
    if (!receiver.over()) deliver(*this, receiver, flights.size() - 1, flights.back().bytes);
    note_failure(receiver);
    return true;
  }
  void perform(Act act) {
    const bool of_client = act == Act::client_sends || act == Act::client_updates_key || act == Act::client_closes;
    fuzzing::End& end = of_client ? client : server;
    Connection& connection = end.connection();
    if (ended_ || !connection.connected()) return;
    switch (act) {
      case Act::client_sends:
      case Act::server_sends: end.seal(as_bytes("what is said once connected")); break;
      case Act::client_updates_key: EXPECT_TRUE(connection.update_keys(false) || connection.closed()); break;
      case Act::server_asks_for_update: EXPECT_TRUE(connection.update_keys(true) || connection.closed()); break;
      case Act::client_closes:
      case Act::server_closes: connection.close(); break;
    }
  }
  void note_failure(const fuzzing::End& end) {
    if (first_failed == nullptr && end.over()) first_failed = &end;
  }

  const Kind& kind_;
  std::vector<Session> sessions_;
  std::size_t from_client_ = 0;
  std::size_t from_server_ = 0;
  bool ended_ = false;

 public:
  fuzzing::End client;
  fuzzing::End server;
  std::vector<Flight> flights;
  const fuzzing::End* first_failed = nullptr;
};

/// What both ends have from a connection.
struct Result {
  fuzzing::End::Outcome client;
  fuzzing::End::Outcome server;
  Octets client_exported;
  Octets server_exported;
  friend bool operator==(const Result&, const Result&) = default;

  static Result of(Play& play) {
    // The first bytes that came belong to an error's evidence as far as they were there.
    play.client.forget_evidence();
    play.server.forget_evidence();
    return {play.client.outcome(), play.server.outcome(), exported(play.client), exported(play.server)};
  }

 private:
  static Octets exported(fuzzing::End& end) {
    Octets key(32);
    if (!end.connection().export_keying_material("EXPORTER-exhaustive", {}, key)) key.clear();
    return key;
  }
};

namespace detail {

inline ClientConfigBuilder small_client() {
  return ConfigBuilder::client(fake::provider())
      .dangerous()
      .allow_insecure_provider()
      .suites({CipherSuite::tls_aes_128_gcm_sha256})
      .groups({NamedGroup::x25519, NamedGroup::secp256r1})
      .key_shares({NamedGroup::x25519})
      .schemes({SignatureScheme::ecdsa_secp256r1_sha256, SignatureScheme::ed25519})
      .schemes_cert({SignatureScheme::ed25519})
      .grease(false);
}
inline ServerConfigBuilder small_server() {
  return ConfigBuilder::server(fake::provider())
      .dangerous()
      .allow_insecure_provider()
      .suites({CipherSuite::tls_aes_128_gcm_sha256})
      .groups({NamedGroup::x25519, NamedGroup::secp256r1})
      .schemes({SignatureScheme::ecdsa_secp256r1_sha256, SignatureScheme::ed25519})
      .tickets(0);
}

inline std::vector<Kind> make_kinds() {
  const auto client = small_client().build().value();
  const auto server = small_server().build().value();
  const auto retrying = small_server().groups({NamedGroup::secp256r1}).cookie(true).build().value();
  const auto with = [](CipherSuite suite, std::string name) {
    return Kind{.name = std::move(name),
                .client = small_client().suites({suite}).build().value(),
                .server = small_server().suites({suite}).build().value()};
  };
  std::vector<Kind> kinds;
  kinds.push_back({.name = "Full", .client = client, .server = server});
  kinds.push_back({.name = "HelloRetryRequest", .client = client, .server = retrying, .retries = true});
  kinds.push_back(
      {.name = "Mutual", .client = client, .server = small_server().client_auth(ClientAuth::require).build().value()});
  kinds.push_back({.name = "MutualCompressed",
                   .client = small_client().certificate_compression({kShortening}).build().value(),
                   .server = small_server()
                                 .certificate_compression({kShortening})
                                 .client_auth(ClientAuth::require)
                                 .grease(true)
                                 .build()
                                 .value()});
  kinds.push_back({.name = "MutualHelloRetryRequest",
                   .client = client,
                   .server = ConfigBuilder::from(*retrying).client_auth(ClientAuth::require).build().value(),
                   .retries = true});
  kinds.push_back({.name = "Resumed", .client = client, .server = server, .resumes = true});
  kinds.push_back(
      {.name = "ResumedHelloRetryRequest", .client = client, .server = retrying, .resumes = true, .retries = true});
  kinds.push_back({.name = "TicketDeclined",
                   .client = client,
                   .server = small_server().resumption(false).build().value(),
                   .resumes = true});
  kinds.push_back({.name = "Connected",
                   .client = small_client().alpn({"h2", "http/1.1"}).build().value(),
                   .server = small_server().alpn({"http/1.1"}).tickets(2).build().value(),
                   .acts = {Act::client_sends, Act::server_sends, Act::client_updates_key, Act::client_sends,
                            Act::server_asks_for_update, Act::server_sends, Act::client_sends, Act::server_closes,
                            Act::client_sends, Act::client_closes}});
  // As configurations are by default: GREASE, a hybrid group, all suites and schemes.
  kinds.push_back(
      {.name = "Defaults",
       .client = ConfigBuilder::client(fake::provider()).dangerous().allow_insecure_provider().build().value(),
       .server = ConfigBuilder::server(fake::provider()).dangerous().allow_insecure_provider().build().value()});
  kinds.push_back({.name = "WithoutChangeCipherSpec",
                   .client = small_client().middlebox_compatibility(false).build().value(),
                   .server = small_server().middlebox_compatibility(false).build().value()});
  kinds.push_back(with(CipherSuite::tls_aes_256_gcm_sha384, "Sha384"));
  kinds.push_back(with(CipherSuite::tls_aes_128_ccm_8_sha256, "ShortTags"));
  // An alert under protection, and one in the open.
  kinds.push_back({.name = "Refused", .client = client, .server = server, .refuses = true, .fails = true});
  kinds.push_back({.name = "NothingInCommon",
                   .client = client,
                   .server = small_server().suites({CipherSuite::tls_chacha20_poly1305_sha256}).build().value(),
                   .fails = true});
  return kinds;
}

inline std::vector<Kind> make_early_kinds() {
  const auto server = small_server().build().value();
  const auto retrying = small_server().groups({NamedGroup::secp256r1}).cookie(true).build().value();
  std::vector<Kind> kinds;
  const auto early_client = small_client().early_data(100).build().value();
  kinds.push_back({.name = "EarlyData",
                   .client = early_client,
                   .server = small_server().tickets(1).early_data(100).build().value(),
                   .resumes = true,
                   .early = true});
  kinds.push_back(
      {.name = "EarlyDataSkipped", .client = early_client, .server = server, .resumes = true, .early = true});
  kinds.push_back({.name = "EarlyDataHelloRetryRequest",
                   .client = early_client,
                   .server = retrying,
                   .resumes = true,
                   .retries = true,
                   .early = true});
  return kinds;
}

constexpr auto kTls12 = ProtocolVersion::tls_1_2;

inline ClientConfigBuilder old_client() {
  return small_client().versions(kTls12, kTls12).suites({CipherSuite::tls_ecdhe_ecdsa_with_aes_128_gcm_sha256});
}
inline ServerConfigBuilder old_server() {
  return small_server().versions(kTls12, kTls12).suites({CipherSuite::tls_ecdhe_ecdsa_with_aes_128_gcm_sha256});
}

inline std::vector<Kind> make_tls12_kinds() {
  const auto client = old_client().build().value();
  std::vector<Kind> kinds;
  kinds.push_back({.name = "Tls12", .client = client, .server = old_server().build().value(), .tls12 = true});
  kinds.push_back({.name = "Tls12Mutual",
                   .client = client,
                   .server = old_server().client_auth(ClientAuth::require).tickets(1).build().value(),
                   .tls12 = true,
                   .acts = {Act::client_sends, Act::server_sends, Act::client_closes, Act::server_closes}});
  kinds.push_back({.name = "Tls12Resumed",
                   .client = client,
                   .server = old_server().tickets(1).build().value(),
                   .resumes = true,
                   .tls12 = true});
  kinds.push_back({.name = "Tls12ResumedById",
                   .client = client,
                   .server = old_server().session_ids(true).build().value(),
                   .resumes = true,
                   .tls12 = true});
  const auto with = [](std::string name, CipherSuite suite, bool encrypt_then_mac, ClientAuth client_auth) {
    const std::vector schemes{SignatureScheme::ed25519, SignatureScheme::rsa_pss_rsae_sha256};
    const std::vector groups{NamedGroup::x25519, NamedGroup::ffdhe2048};
    return Kind{.name = std::move(name),
                .client = old_client().suites({suite}).groups(groups).schemes(schemes).build().value(),
                .server = old_server()
                              .suites({suite})
                              .groups(groups)
                              .schemes(schemes)
                              .encrypt_then_mac(encrypt_then_mac)
                              .client_auth(client_auth)
                              .build()
                              .value(),
                .tls12 = true,
                .acts = {Act::client_sends, Act::server_sends, Act::client_closes, Act::server_closes}};
  };
  using enum CipherSuite;
  kinds.push_back(with("Tls12Rsa", tls_rsa_with_aes_128_gcm_sha256, true, ClientAuth::none));
  kinds.push_back(with("Tls12RsaMutual", tls_rsa_with_aes_128_cbc_sha, false, ClientAuth::require));
  kinds.push_back(with("Tls12Dhe", tls_dhe_rsa_with_aes_128_gcm_sha256, true, ClientAuth::none));
  kinds.push_back(with("Tls12Cbc", tls_ecdhe_ecdsa_with_aes_128_cbc_sha, false, ClientAuth::none));
  kinds.push_back(with("Tls12CbcEncryptThenMac", tls_ecdhe_ecdsa_with_aes_128_cbc_sha256, true, ClientAuth::none));
  return kinds;
}

}  // namespace detail

inline const std::vector<Kind>& kinds() {
  static const std::vector<Kind> all = detail::make_kinds();
  return all;
}
/// Those with early data. A server that skips it cannot tell it from what follows, which has rules of its own.
inline const std::vector<Kind>& early_kinds() {
  static const std::vector<Kind> all = detail::make_early_kinds();
  return all;
}

/// Those of TLS 1.2, whose messages are in the clear until the last one of each side, and mean nothing by themselves:
/// Finished covers them all.
inline const std::vector<Kind>& tls12_kinds() {
  static const std::vector<Kind> all = detail::make_tls12_kinds();
  return all;
}

inline const Play::Resumable* Play::first_of(const Kind& kind) {
  if (!kind.resumes) return nullptr;
  const auto made = [](const ServerConfigBuilder& server, const ClientConfigBuilder& client, bool tls12) {
    const Kind first{
        .name = "First", .client = client.build().value(), .server = server.build().value(), .tls12 = tls12};
    Play play(first);
    play.run();
    return Resumable{play.client.sessions().at(0).clone(), std::move(play.server.stored)};
  };
  using namespace detail;
  static const Resumable newer = made(small_server().tickets(1).early_data(100), small_client(), false);
  static const Resumable older = made(old_server().tickets(1), old_client(), true);
  static const Resumable by_id = made(old_server().session_ids(true), old_client(), true);
  if (!kind.tls12) return &newer;
  return kind.server->settings().session_ids ? &by_id : &older;
}
inline std::vector<Session> Play::offered(const Kind& kind) {
  std::vector<Session> sessions;
  if (const Resumable* const first = first_of(kind)) sessions.push_back(first->session.clone());
  return sessions;
}

/// A kind as nobody disturbs it.
struct Honest {
  explicit Honest(const Kind& kind) {
    Play play(kind);
    play.run();
    flights = play.flights;
    result = Result::of(play);
    succeeded = play.both_succeeded();
  }
  std::vector<Flight> flights;
  Result result;
  bool succeeded = false;
};

/// Every kind, one test each.
class EveryKind : public ::testing::TestWithParam<Kind> {};

inline std::string kind_name(const ::testing::TestParamInfo<Kind>& tested) { return tested.param.name; }

}  // namespace lockstep::testing
