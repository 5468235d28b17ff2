// The traces of RFC 8448, replayed through whole engines in both roles: what the trace's implementation chose freely
// (random values, key shares, the shape of its messages, signatures, tickets) is put in; everything that follows from
// it must come out bit for bit: records, Finished, secrets, tickets, alerts.

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <variant>

#include <gtest/gtest.h>

#include <lockstep/botan.hpp>
#include <lockstep/connection.hpp>
#include <lockstep/x509_certificate.hpp>

#include "codec/client_hello.hpp"
#include "codec/handshake_message.hpp"
#include "connection/access.hpp"
#include "vectors/vectors.hpp"

namespace lockstep {
namespace {

using tests::Octets;
using tests::to_hex;
using tests::Vectors;

// Well within the validity of the trace's certificates; nothing here depends on it.
constexpr Time kNow{std::chrono::seconds(1'546'300'800)};  // 2019-01-01

/// Draws from a script; what the script does not foresee (blinding) is arbitrary.
class ScriptedRandom final : public RandomSource {
 public:
  explicit ScriptedRandom(std::deque<Octets> draws) : draws_(std::move(draws)) {}
  bool fill(MutableBytes out) noexcept override {
    if (!draws_.empty() && draws_.front().size() == out.size()) {
      std::ranges::copy(draws_.front(), out.begin());
      draws_.pop_front();
      return true;
    }
    for (std::uint8_t& byte : out) byte = ++counter_;
    return true;
  }
  [[nodiscard]] bool used_up() const noexcept { return draws_.empty(); }

 private:
  std::deque<Octets> draws_;
  std::uint8_t counter_ = 0;
};

/// Sends the trace's messages in place of ours, in this order; what has none stays. A message that must come out by
/// itself is listed as `derived`: it is compared, not replaced.
class Script final : public handshake::Rewriter {
 public:
  struct Line {
    const char* name;
    bool derived = false;
  };
  Script(const Vectors& trace, std::deque<Line> lines) : trace_(trace), lines_(std::move(lines)) {}
  Bytes rewrite(handshake::Level /*level*/, Bytes message) override {
    if (lines_.empty()) {
      ADD_FAILURE() << "a message too many: " << to_hex(message);
      return message;
    }
    const Line line = lines_.front();
    lines_.pop_front();
    const Octets& expected = trace_[line.name];
    EXPECT_EQ(message[0], expected[0]) << line.name;
    if (line.derived) {
      EXPECT_EQ(to_hex(message), to_hex(expected)) << line.name;
      return message;
    }
    return expected;
  }
  [[nodiscard]] bool played() const noexcept { return lines_.empty(); }

 private:
  const Vectors& trace_;
  std::deque<Line> lines_;
};

/// Answers with the signature of the trace.
class ScriptedKey final : public SigningKey {
 public:
  ScriptedKey(KeyType type, SignatureScheme scheme, Octets signature)
      : type_(type), scheme_(scheme), signature_(std::move(signature)) {}
  [[nodiscard]] KeyType type() const noexcept override { return type_; }
  [[nodiscard]] Bytes subject_public_key_info() const noexcept override { return {}; }
  [[nodiscard]] std::span<const SignatureScheme> schemes() const noexcept override { return {&scheme_, 1}; }
  [[nodiscard]] std::size_t sign(SignatureScheme scheme, Bytes /*message*/, RandomSource& /*random*/,
                                 MutableBytes out) const noexcept override {
    if (scheme != scheme_) return 0;
    std::ranges::copy(signature_, out.begin());
    return signature_.size();
  }

 private:
  KeyType type_;
  SignatureScheme scheme_;
  Octets signature_;
};

/// The certificate and the signature in a Certificate and a CertificateVerify message of the trace.
std::shared_ptr<const Credential> credential_of(const Vectors& trace, const std::string& side) {
  const Bytes certificate = trace["message_" + side + "_certificate"];
  const Bytes verify = trace["message_" + side + "_certificate_verify"];
  const std::size_t size = static_cast<std::size_t>(certificate[8] << 16U | certificate[9] << 8U | certificate[10]);
  const Bytes der = certificate.subspan(11, size);
  const auto scheme = static_cast<SignatureScheme>(verify[4] << 8U | verify[5]);
  const Bytes signature = verify.subspan(8);
  Credential credential;
  credential.chain.emplace_back(der.begin(), der.end());
  credential.schemes = {scheme};
  credential.key = std::make_shared<ScriptedKey>(x509::Certificate::parse(der)->key_type().value(), scheme,
                                                 Octets(signature.begin(), signature.end()));
  return std::make_shared<const Credential>(std::move(credential));
}

/// One engine, fed with the other side's records of the trace.
class Player {
 public:
  Player(const Vectors& trace, Connection made) : connection(std::move(made)), trace_(trace) {}

  Connection connection;
  std::shared_ptr<const Credential> credential;
  std::optional<Session> ticket_session;  ///< the answer to OpenTicket
  std::map<std::string, std::string> secrets;
  std::optional<Session> session;
  Octets data;
  Octets early_data;
  std::optional<Error> error;
  bool complete = false;
  bool peer_closed = false;

  void receive(const std::string& name) {
    Octets bytes = trace_[name];
    std::size_t used = 0;
    // Events may be due before anything is consumed, and after everything was.
    for (bool told = true; told || used < bytes.size();) {
      auto [consumed, event] = connection.receive(MutableBytes(bytes).subspan(used), kNow);
      used += consumed;
      told = treat(std::move(event));
      if (error) return;
      ASSERT_TRUE(told || consumed != 0 || used == bytes.size()) << name << " is not consumed";
    }
  }
  /// Everything that is to be sent now is exactly these records of the trace.
  void expect_sent(std::initializer_list<const char*> names) {
    Octets expected;
    for (const char* name : names) expected.insert(expected.end(), trace_[name].begin(), trace_[name].end());
    Octets sent(65536);
    std::size_t size = 0;
    while (const std::size_t more = connection.transmit(MutableBytes(sent).subspan(size), kNow)) size += more;
    sent.resize(size);
    EXPECT_EQ(to_hex(sent), to_hex(expected)) << *names.begin();
  }
  void expect_sealed(const std::string& content, const std::string& record) {
    const Bytes plaintext = trace_[content];
    Octets out(65536);
    const auto sealed = connection.seal({&plaintext, 1}, out, kNow);
    ASSERT_TRUE(sealed);
    EXPECT_EQ(sealed->consumed, plaintext.size());
    EXPECT_EQ(to_hex(Bytes(out).first(sealed->written)), to_hex(trace_[record]));
  }
  void expect_secrets() const {
    std::map<std::string, std::string> expected{
        {"CLIENT_HANDSHAKE_TRAFFIC_SECRET", to_hex(trace_["client_handshake_traffic_secret"])},
        {"SERVER_HANDSHAKE_TRAFFIC_SECRET", to_hex(trace_["server_handshake_traffic_secret"])},
        {"CLIENT_TRAFFIC_SECRET_0", to_hex(trace_["client_application_traffic_secret"])},
        {"SERVER_TRAFFIC_SECRET_0", to_hex(trace_["server_application_traffic_secret"])},
        {"EXPORTER_SECRET", to_hex(trace_["exporter_secret"])}};
    if (trace_.has("client_early_traffic_secret"))
      expected["CLIENT_EARLY_TRAFFIC_SECRET"] = to_hex(trace_["client_early_traffic_secret"]);
    EXPECT_EQ(secrets, expected);
  }

 private:
  bool treat(Event event) {
    return std::visit([this](auto& value) { return on(value); }, event);
  }
  bool on(Nothing& /*event*/) { return false; }
  bool on(ApplicationData& event) {
    for (const MutableBytes segment : event.segments()) data.insert(data.end(), segment.begin(), segment.end());
    return true;
  }
  bool on(EarlyData& event) {
    for (const MutableBytes segment : event.segments())
      early_data.insert(early_data.end(), segment.begin(), segment.end());
    return true;
  }
  bool on(SelectCredential& event) {
    EXPECT_TRUE(connection.answer(std::move(event.token), credential));
    return true;
  }
  bool on(Sign& event) {
    Octets signature(kMaxSignatureSize);
    ScriptedRandom random({});
    signature.resize(event.credential->key->sign(event.scheme, event.message, random, signature));
    EXPECT_TRUE(connection.answer(std::move(event.token), Bytes(signature)));
    return true;
  }
  bool on(VerifyPeer& event) {
    EXPECT_TRUE(connection.answer(std::move(event.token), PeerAccepted{}));
    return true;
  }
  bool on(Decrypt& /*event*/) { return false; }
  bool on(Compute& /*event*/) { return false; }
  bool on(SelectConfig& /*event*/) { return false; }
  bool on(SelectPsk& /*event*/) { return false; }
  bool on(FindPsk& /*event*/) { return false; }
  bool on(OpenTicket& event) {
    if (ticket_session) {
      EXPECT_TRUE(connection.answer(std::move(event.token), std::move(*ticket_session)));
    } else {
      EXPECT_TRUE(connection.answer(std::move(event.token), TicketDeclined{}));
    }
    return true;
  }
  bool on(AcceptEarlyData& event) {
    EXPECT_TRUE(connection.answer(std::move(event.token), EarlyDataAccepted{}));
    return true;
  }
  bool on(SealTicket& event) {
    EXPECT_EQ(event.session.secret.size(), 32U);
    if (trace_.has("ticket")) {
      EXPECT_TRUE(connection.answer(std::move(event.token), Bytes(trace_["ticket"])));
    } else {
      EXPECT_TRUE(connection.answer(std::move(event.token), TicketDeclined{}));
    }
    return true;
  }
  bool on(HandshakeComplete& /*event*/) { return complete = true; }
  bool on(SessionReceived& event) {
    session.emplace(std::move(event.session));
    return true;
  }
  bool on(PeerClosed& /*event*/) { return peer_closed = true; }
  bool on(PeerKeyUpdated& /*event*/) { return true; }
  bool on(RenegotiationRefused& /*event*/) { return true; }
  bool on(TrafficKeys& /*event*/) { return true; }
  bool on(SecretLogged& event) {
    EXPECT_EQ(to_hex(event.client_random), to_hex(Bytes(trace_["message_client_hello"]).subspan(6, 32)));
    secrets[std::string(event.label)] = to_hex(event.secret);
    return true;
  }
  bool on(Failed& event) {
    error = event.error;
    return false;
  }

  const Vectors& trace_;
};

class Rfc8448Replay : public testing::Test {
 protected:
  void load(const char* file) { trace_.emplace(std::string("rfc8448/") + file + ".txt"); }
  const Vectors& trace() const { return *trace_; }

  template <Role kRole>
  static std::shared_ptr<const ConfigOf<kRole>> built(const BasicConfigBuilder<kRole>& builder) {
    auto config = builder.build();
    if (!config) throw std::runtime_error(config.error().front().text);
    return *config;
  }

  ClientConfigBuilder client_builder() const {
    return ConfigBuilder::client(botan::provider())
        .suites({CipherSuite::tls_aes_128_gcm_sha256, CipherSuite::tls_chacha20_poly1305_sha256,
                 CipherSuite::tls_aes_256_gcm_sha384})
        .groups({NamedGroup::x25519, NamedGroup::secp256r1})
        .key_shares({NamedGroup::x25519})
        .grease(false)
        .record_size_limit(16385)  // as the hellos of the traces say
        .middlebox_compatibility(compatibility())
        .key_log(true);
  }
  ServerConfigBuilder server_builder() const {
    return ConfigBuilder::server(botan::provider())
        .suites({CipherSuite::tls_aes_128_gcm_sha256})
        .groups({NamedGroup::x25519, NamedGroup::secp256r1})
        .tickets(trace().has("ticket") ? 1 : 0)
        .key_log(true);
  }
  bool compatibility() const { return trace().has("record_client_change_cipher_spec"); }

  static Octets part(const Octets& message, std::size_t offset, std::size_t size) {
    return {message.begin() + static_cast<std::ptrdiff_t>(offset),
            message.begin() + static_cast<std::ptrdiff_t>(offset + size)};
  }
  /// What a client draws: random, legacy_session_id in compatibility mode, and its private keys.
  std::deque<Octets> client_draws() const {
    const Octets& hello = trace()["message_client_hello"];
    std::deque<Octets> draws{part(hello, 6, 32)};
    if (compatibility()) draws.push_back(part(hello, 39, 32));
    if (trace().has("client_private_key_1")) draws.push_back(trace()["client_private_key_1"]);
    draws.push_back(trace()["client_private_key"]);
    return draws;
  }
  /// What a server draws: random and its private key.
  std::deque<Octets> server_draws() const {
    return {part(trace()["message_server_hello"], 6, 32), trace()["server_private_key"]};
  }
  static ClientOptions to_server() { return {x509::PeerName::dns("server").value(), {}}; }

  bool with_data() const { return trace().has("client_application_data"); }

  /// The rest of every trace, once connected.
  void finish_client(Player& client) const {
    EXPECT_TRUE(client.complete);
    client.expect_secrets();
    EXPECT_EQ(to_hex(ConnectionAccess::secrets(client.connection).resumption.view()),
              to_hex(trace()["resumption_secret"]));
    if (trace().has("ticket")) {
      client.receive("record_new_session_ticket");
      ASSERT_TRUE(client.session);
      EXPECT_EQ(to_hex(client.session->secret.view()), to_hex(trace()["resumption_psk"]));
      EXPECT_EQ(to_hex(client.session->ticket), to_hex(trace()["ticket"]));
      EXPECT_EQ(client.session->lifetime, std::chrono::seconds(30));
      EXPECT_EQ(client.session->max_early_data, 1024U);
    }
    if (with_data()) {
      client.expect_sealed("client_application_data", "record_client_application_data");
      client.receive("record_server_application_data");
      EXPECT_EQ(to_hex(client.data), to_hex(trace()["server_application_data"]));
    }
    client.connection.close();
    client.expect_sent({"record_client_close_notify"});
    client.receive("record_server_close_notify");
    EXPECT_TRUE(client.peer_closed);
    EXPECT_FALSE(client.error) << to_text(*client.error);
  }
  void finish_server(Player& server) const {
    EXPECT_TRUE(server.complete);
    server.expect_secrets();
    if (trace().has("ticket")) server.expect_sent({"record_new_session_ticket"});
    if (with_data()) {
      server.receive("record_client_application_data");
      EXPECT_EQ(to_hex(server.data), to_hex(trace()["client_application_data"]));
      server.expect_sealed("server_application_data", "record_server_application_data");
    }
    server.receive("record_client_close_notify");
    EXPECT_TRUE(server.peer_closed);
    server.connection.close();
    server.expect_sent({"record_server_close_notify"});
    EXPECT_FALSE(server.error) << to_text(*server.error);
  }

 private:
  std::optional<Vectors> trace_;
};

// --- section 3 -----------------------------------------------------------------------------------------------------

TEST_F(Rfc8448Replay, Simple1RttClient) {
  load("3_simple_1rtt");
  ScriptedRandom random(client_draws());
  Script script(trace(), {{"message_client_hello"}, {"message_client_finished", true}});
  Player client(trace(), ConnectionAccess::client(built(client_builder()), to_server(), random, kNow, script));
  client.expect_sent({"record_client_hello"});
  client.receive("record_server_hello");
  client.receive("record_server_flight");
  client.expect_sent({"record_client_finished"});
  finish_client(client);
  EXPECT_TRUE(random.used_up());
  EXPECT_TRUE(script.played());
}

TEST_F(Rfc8448Replay, Simple1RttServer) {
  load("3_simple_1rtt");
  ScriptedRandom random(server_draws());
  Script script(trace(), {{"message_server_hello"},
                          {"message_encrypted_extensions"},
                          {"message_server_certificate", true},
                          {"message_server_certificate_verify", true},
                          {"message_server_finished", true},
                          {"message_new_session_ticket"}});
  Player server(trace(), ConnectionAccess::server(built(server_builder()), random, script));
  server.credential = credential_of(trace(), "server");
  server.receive("record_client_hello");
  server.expect_sent({"record_server_hello", "record_server_flight"});
  server.receive("record_client_finished");
  finish_server(server);
  EXPECT_TRUE(random.used_up());
  EXPECT_TRUE(script.played());
}

// --- section 4 -----------------------------------------------------------------------------------------------------

/// The session that the trace resumes. The ticket's own bytes are in its ClientHello.
Session session_of(const Vectors& trace) {
  const auto hello = codec::ClientHello::decode(Bytes(trace["message_client_hello"]).subspan(4)).value();
  Session session;
  session.suite = CipherSuite::tls_aes_128_gcm_sha256;
  session.secret = DigestSecret(Bytes(trace["psk"]));
  session.ticket = {1};
  session.issued_at = kNow;
  session.lifetime = std::chrono::seconds(30);
  session.max_early_data = 1024;
  session.authenticated_at = kNow;
  session.name = x509::PeerName::dns("server").value();
  session.peer_verified = true;
  // The age that the client states is none.
  session.ticket_age_add = (*hello.pre_shared_key->identities.begin()).obfuscated_ticket_age;
  return session;
}

/// As if it had been made under the settings of this connection.
void bind(Session& session, Connection& connection) {
  session.context = ConnectionAccess::handshake(connection)->context().config().session_context({});
}

TEST_F(Rfc8448Replay, ResumedClient) {
  load("4_resumed_0rtt");
  ScriptedRandom random(client_draws());
  Script script(trace(),
                {{"message_client_hello"}, {"message_end_of_early_data", true}, {"message_client_finished", true}});
  std::array<Session, 1> sessions{session_of(trace())};
  const auto config = built(client_builder().early_data(1024));
  Connection like_it = Connection::client(config, to_server(), botan::system_random(), kNow);
  bind(sessions[0], like_it);
  ClientOptions options = to_server();
  options.sessions = sessions;
  Player client(trace(), ConnectionAccess::client(config, std::move(options), random, kNow, script));
  client.expect_sent({"record_client_hello"});
  const Bytes early = trace()["early_application_data"];
  Octets out(1000);
  const auto sealed = client.connection.seal_early({&early, 1}, out, kNow);
  ASSERT_TRUE(sealed);
  EXPECT_EQ(to_hex(Bytes(out).first(sealed->written)), to_hex(trace()["record_client_early_data"]));
  client.receive("record_server_hello");
  client.receive("record_server_flight");
  EXPECT_TRUE(client.connection.resumed());
  EXPECT_EQ(client.connection.early_data(), EarlyDataStatus::accepted);
  client.expect_sent({"record_end_of_early_data", "record_client_finished"});
  finish_client(client);
  EXPECT_TRUE(random.used_up());
  EXPECT_TRUE(script.played());
}

TEST_F(Rfc8448Replay, ResumedServer) {
  load("4_resumed_0rtt");
  ScriptedRandom random(server_draws());
  Script script(trace(),
                {{"message_server_hello"}, {"message_encrypted_extensions"}, {"message_server_finished", true}});
  Player server(trace(), ConnectionAccess::server(built(server_builder().tickets(1).early_data(1024)), random, script));
  server.ticket_session = session_of(trace());
  bind(*server.ticket_session, server.connection);
  // The binder of the trace is verified on the way.
  server.receive("record_client_hello");
  server.expect_sent({"record_server_hello", "record_server_flight"});
  EXPECT_TRUE(server.connection.resumed());
  server.receive("record_client_early_data");
  EXPECT_EQ(to_hex(server.early_data), to_hex(trace()["early_application_data"]));
  server.receive("record_end_of_early_data");
  server.receive("record_client_finished");
  EXPECT_EQ(server.connection.early_data(), EarlyDataStatus::accepted);
  finish_server(server);
  EXPECT_TRUE(random.used_up());
  EXPECT_TRUE(script.played());
}

// --- section 5 -----------------------------------------------------------------------------------------------------

TEST_F(Rfc8448Replay, HelloRetryRequestClient) {
  load("5_hello_retry_request");
  ScriptedRandom random(client_draws());
  Script script(trace(), {{"message_client_hello"}, {"message_client_hello_2"}, {"message_client_finished", true}});
  Player client(trace(), ConnectionAccess::client(built(client_builder()), to_server(), random, kNow, script));
  client.expect_sent({"record_client_hello"});
  client.receive("record_hello_retry_request");
  client.expect_sent({"record_client_hello_2"});
  client.receive("record_server_hello");
  client.receive("record_server_flight");
  client.expect_sent({"record_client_finished"});
  EXPECT_TRUE(client.connection.retried());
  finish_client(client);
  EXPECT_TRUE(random.used_up());
  EXPECT_TRUE(script.played());
}

TEST_F(Rfc8448Replay, HelloRetryRequestServer) {
  load("5_hello_retry_request");
  ScriptedRandom random(server_draws());
  Script script(trace(), {{"message_hello_retry_request"},
                          {"message_server_hello"},
                          {"message_encrypted_extensions"},
                          {"message_server_certificate", true},
                          {"message_server_certificate_verify", true},
                          {"message_server_finished", true}});
  // The trace's cookie stands in its HelloRetryRequest; a server of ours checks only what it made itself.
  Player server(trace(),
                ConnectionAccess::server(built(server_builder().groups({NamedGroup::secp256r1})), random, script));
  server.credential = credential_of(trace(), "server");
  server.receive("record_client_hello");
  server.expect_sent({"record_hello_retry_request"});
  server.receive("record_client_hello_2");
  server.expect_sent({"record_server_hello", "record_server_flight"});
  server.receive("record_client_finished");
  EXPECT_TRUE(server.connection.retried());
  finish_server(server);
  EXPECT_TRUE(random.used_up());
  EXPECT_TRUE(script.played());
}

// --- section 6 -----------------------------------------------------------------------------------------------------

TEST_F(Rfc8448Replay, ClientAuthenticationClient) {
  load("6_client_authentication");
  ScriptedRandom random(client_draws());
  Script script(trace(), {{"message_client_hello"},
                          {"message_client_certificate", true},
                          {"message_client_certificate_verify", true},
                          {"message_client_finished", true}});
  Player client(trace(), ConnectionAccess::client(built(client_builder()), to_server(), random, kNow, script));
  client.credential = credential_of(trace(), "client");
  client.expect_sent({"record_client_hello"});
  client.receive("record_server_hello");
  client.receive("record_server_flight");
  client.expect_sent({"record_client_flight"});
  finish_client(client);
  EXPECT_TRUE(random.used_up());
  EXPECT_TRUE(script.played());
}

TEST_F(Rfc8448Replay, ClientAuthenticationServer) {
  load("6_client_authentication");
  ScriptedRandom random(server_draws());
  Script script(trace(), {{"message_server_hello"},
                          {"message_encrypted_extensions"},
                          {"message_certificate_request"},
                          {"message_server_certificate", true},
                          {"message_server_certificate_verify", true},
                          {"message_server_finished", true}});
  Player server(trace(),
                ConnectionAccess::server(built(server_builder().client_auth(ClientAuth::require)), random, script));
  server.credential = credential_of(trace(), "server");
  server.receive("record_client_hello");
  server.expect_sent({"record_server_hello", "record_server_flight"});
  server.receive("record_client_flight");
  finish_server(server);
  EXPECT_TRUE(random.used_up());
  EXPECT_TRUE(script.played());
}

// --- section 7 -----------------------------------------------------------------------------------------------------

TEST_F(Rfc8448Replay, CompatibilityModeClient) {
  load("7_compatibility_mode");
  ScriptedRandom random(client_draws());
  Script script(trace(), {{"message_client_hello"}, {"message_client_finished", true}});
  Player client(trace(), ConnectionAccess::client(built(client_builder()), to_server(), random, kNow, script));
  client.expect_sent({"record_client_hello"});
  client.receive("record_server_hello");
  client.receive("record_server_change_cipher_spec");
  client.receive("record_server_flight");
  client.expect_sent({"record_client_change_cipher_spec", "record_client_finished"});
  finish_client(client);
  EXPECT_TRUE(random.used_up());
  EXPECT_TRUE(script.played());
}

TEST_F(Rfc8448Replay, CompatibilityModeServer) {
  load("7_compatibility_mode");
  ScriptedRandom random(server_draws());
  Script script(trace(), {{"message_server_hello"},
                          {"message_encrypted_extensions"},
                          {"message_server_certificate", true},
                          {"message_server_certificate_verify", true},
                          {"message_server_finished", true}});
  Player server(trace(), ConnectionAccess::server(built(server_builder()), random, script));
  server.credential = credential_of(trace(), "server");
  server.receive("record_client_hello");
  server.expect_sent({"record_server_hello", "record_server_change_cipher_spec", "record_server_flight"});
  server.receive("record_client_change_cipher_spec");
  server.receive("record_client_finished");
  finish_server(server);
  EXPECT_TRUE(random.used_up());
  EXPECT_TRUE(script.played());
}

}  // namespace
}  // namespace lockstep
