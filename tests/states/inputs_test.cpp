// Every state against every input, with real engines: what the chart accepts goes on, everything else is refused as
// unexpected and the connection stays failed.

#include <array>
#include <cstdio>
#include <functional>
#include <map>
#include <set>

#include "hostile/hostile.hpp"
#include "states/chart.hpp"

namespace lockstep::testing {
namespace {

/// How to bring a handshake to a state. Messages travel under the keys of the moment, so the peer's forger sends what
/// is to be tried in place of `next`, and nothing after it.
struct Way {
  std::string_view state;
  Role role;                    ///< whose state it is
  HandshakeType next{};         ///< the message that would come next; for states that wait for one
  std::string_view question{};  ///< the event whose answer is awaited; for states that wait for one
  ClientAuth client_auth = ClientAuth::none;
  bool retry = false;       ///< with a HelloRetryRequest
  bool tickets = false;     ///< the server sends tickets
  bool resume = false;      ///< the client offers one
  bool verify = false;      ///< and this side verifies its peer again
  bool early = false;       ///< and the client sends early data, which is taken
  bool record = false;      ///< a change_cipher_spec record would come next
  bool staple = false;      ///< the server staples what an OCSP responder said
  bool rsa = false;         ///< the client's secret travels to the server's RSA key
  bool npn = false;         ///< the client names a protocol behind its change_cipher_spec
  bool cbc = false;         ///< records are those of CBC
  bool ids = false;         ///< the server keeps sessions under ids
  bool compress = false;    ///< certificates travel compressed
  std::string_view note{};  ///< what tells it from another way to the same state
  CipherSuite psk{};        ///< a suite with a pre-shared key
  bool external = false;    ///< an external PSK of TLS 1.3

  [[nodiscard]] bool tls12() const { return state.starts_with("client12") || state.starts_with("server12"); }
};

constexpr std::string_view kKey = "a key of 20 bytes...";
constexpr auto kAuth = ClientAuth::require;
constexpr auto kPsk = CipherSuite::tls_psk_with_aes_128_gcm_sha256;
constexpr auto kEcdhePsk = CipherSuite::tls_ecdhe_psk_with_aes_128_gcm_sha256;
constexpr auto kRsaPsk = CipherSuite::tls_rsa_psk_with_aes_128_gcm_sha256;

const std::array kWays{
    Way{"hello::WaitOfferVerified", Role::client, {}, "VerifyPeer", ClientAuth::none, false, true, true, true, true},
    Way{.state = "hello::WaitPsks", .role = Role::client, .question = "SelectPsk", .external = true},
    Way{"hello::WaitServerHello", Role::client, HandshakeType::server_hello},
    Way{"client13::WaitSecondServerHello", Role::client, HandshakeType::server_hello, {}, ClientAuth::none, true},
    Way{"client13::WaitEncryptedExtensions", Role::client, HandshakeType::encrypted_extensions},
    Way{"client13::WaitSessionVerified", Role::client, {}, "VerifyPeer", ClientAuth::none, false, true, true, true},
    Way{"client13::WaitCertificateRequest", Role::client, HandshakeType::certificate},
    Way{"client13::WaitCertificate", Role::client, HandshakeType::certificate, {}, kAuth},
    Way{.state = "client13::WaitCertificateRequest",
        .role = Role::client,
        .next = HandshakeType::compressed_certificate,
        .compress = true,
        .note = "Compressed"},
    Way{.state = "client13::WaitCertificate",
        .role = Role::client,
        .next = HandshakeType::compressed_certificate,
        .client_auth = kAuth,
        .compress = true,
        .note = "Compressed"},
    Way{"client13::WaitPeerVerified", Role::client, {}, "VerifyPeer"},
    Way{"client13::WaitCertificateVerify", Role::client, HandshakeType::certificate_verify},
    Way{"client13::WaitFinished", Role::client, HandshakeType::finished},
    Way{"client13::WaitCredential", Role::client, {}, "SelectCredential", kAuth},
    Way{"client13::WaitSignature", Role::client, {}, "Sign", kAuth},
    Way{"hello::WaitClientHello", Role::server, HandshakeType::client_hello},
    Way{.state = "hello::WaitConfig", .role = Role::server, .question = "SelectConfig"},
    Way{.state = "server13::WaitPsk", .role = Role::server, .question = "FindPsk", .external = true},
    Way{.state = "server13::WaitPskSecret", .role = Role::server, .question = "Compute", .external = true},
    Way{"server13::WaitSecondClientHello", Role::server, HandshakeType::client_hello, {}, ClientAuth::none, true},
    Way{"server13::WaitTicketOpened", Role::server, {}, "OpenTicket", ClientAuth::none, false, true, true},
    Way{"server13::WaitSessionVerified", Role::server, {}, "VerifyPeer", ClientAuth::none, false, true, true, true},
    Way{"server13::WaitEarlyDataJudged",
        Role::server,
        {},
        "AcceptEarlyData",
        ClientAuth::none,
        false,
        true,
        true,
        false,
        true},
    Way{"server13::WaitCredential", Role::server, {}, "SelectCredential"},
    Way{"server13::WaitSignature", Role::server, {}, "Sign"},
    Way{"server13::WaitEndOfEarlyData",
        Role::server,
        HandshakeType::end_of_early_data,
        {},
        ClientAuth::none,
        false,
        true,
        true,
        false,
        true},
    Way{"server13::WaitCertificate", Role::server, HandshakeType::certificate, {}, kAuth},
    Way{.state = "server13::WaitCertificate",
        .role = Role::server,
        .next = HandshakeType::compressed_certificate,
        .client_auth = kAuth,
        .compress = true,
        .note = "Compressed"},
    Way{"server13::WaitPeerVerified", Role::server, {}, "VerifyPeer", kAuth},
    Way{"server13::WaitCertificateVerify", Role::server, HandshakeType::certificate_verify, {}, kAuth},
    Way{"server13::WaitFinished", Role::server, HandshakeType::finished},
    Way{"client13::Connected", Role::client},
    Way{"server13::Connected", Role::server},
    // TLS 1.2
    Way{.state = "client12::WaitCertificate", .role = Role::client, .next = HandshakeType::certificate},
    Way{.state = "client12::WaitCertificateStatus",
        .role = Role::client,
        .next = HandshakeType::certificate_status,
        .staple = true},
    Way{.state = "client12::WaitServerKeyExchange", .role = Role::client, .next = HandshakeType::server_key_exchange},
    Way{.state = "client12::WaitCertificateRequest", .role = Role::client, .next = HandshakeType::server_hello_done},
    Way{.state = "client12::WaitServerHelloDone",
        .role = Role::client,
        .next = HandshakeType::server_hello_done,
        .client_auth = kAuth},
    Way{.state = "client12::WaitPeerVerified", .role = Role::client, .question = "VerifyPeer"},
    Way{.state = "client12::WaitCredential",
        .role = Role::client,
        .question = "SelectCredential",
        .client_auth = kAuth},
    Way{.state = "client12::WaitSignature", .role = Role::client, .question = "Sign", .client_auth = kAuth},
    Way{.state = "client12::WaitSessionVerified",
        .role = Role::client,
        .question = "VerifyPeer",
        .tickets = true,
        .resume = true,
        .verify = true},
    Way{.state = "client12::WaitNewSessionTicket",
        .role = Role::client,
        .next = HandshakeType::new_session_ticket,
        .tickets = true},
    Way{.state = "client12::WaitChangeCipherSpec", .role = Role::client, .record = true},
    Way{.state = "client12::WaitFinished", .role = Role::client, .next = HandshakeType::finished},
    Way{.state = "server12::WaitTicketOpened",
        .role = Role::server,
        .question = "OpenTicket",
        .tickets = true,
        .resume = true},
    Way{.state = "server12::WaitSessionVerified",
        .role = Role::server,
        .question = "VerifyPeer",
        .tickets = true,
        .resume = true,
        .verify = true},
    Way{.state = "server12::WaitCredential", .role = Role::server, .question = "SelectCredential"},
    Way{.state = "server12::WaitSignature", .role = Role::server, .question = "Sign"},
    Way{.state = "server12::WaitDecrypted", .role = Role::server, .question = "Decrypt", .rsa = true},
    Way{.state = "server12::WaitCertifiedDecrypted",
        .role = Role::server,
        .question = "Decrypt",
        .client_auth = kAuth,
        .rsa = true},
    Way{.state = "server12::WaitCertificate",
        .role = Role::server,
        .next = HandshakeType::certificate,
        .client_auth = kAuth},
    Way{.state = "server12::WaitPeerVerified", .role = Role::server, .question = "VerifyPeer", .client_auth = kAuth},
    Way{.state = "server12::WaitClientKeyExchange", .role = Role::server, .next = HandshakeType::client_key_exchange},
    Way{.state = "server12::WaitCertifiedKeyExchange",
        .role = Role::server,
        .next = HandshakeType::client_key_exchange,
        .client_auth = kAuth},
    Way{.state = "server12::WaitCertificateVerify",
        .role = Role::server,
        .next = HandshakeType::certificate_verify,
        .client_auth = kAuth},
    Way{.state = "server12::WaitChangeCipherSpec", .role = Role::server, .record = true},
    Way{.state = "server12::WaitNextProtocol", .role = Role::server, .next = HandshakeType::next_protocol, .npn = true},
    Way{.state = "server12::WaitFinished", .role = Role::server, .next = HandshakeType::finished},
    Way{.state = "server12::WaitTicketSealed", .role = Role::server, .question = "SealTicket", .tickets = true},
    Way{.state = "client12::WaitPskKeyExchange",
        .role = Role::client,
        .next = HandshakeType::server_key_exchange,
        .psk = kEcdhePsk},
    Way{.state = "client12::WaitPskHint", .role = Role::client, .next = HandshakeType::server_hello_done, .psk = kPsk},
    Way{.state = "client12::WaitPskHelloDone",
        .role = Role::client,
        .next = HandshakeType::server_hello_done,
        .psk = kEcdhePsk},
    Way{.state = "client12::WaitPsk", .role = Role::client, .question = "SelectPsk", .psk = kPsk},
    Way{.state = "client12::WaitCertifiedHint",
        .role = Role::client,
        .next = HandshakeType::server_hello_done,
        .psk = kRsaPsk},
    Way{.state = "client12::WaitCertifiedPsk", .role = Role::client, .question = "SelectPsk", .psk = kRsaPsk},
    Way{.state = "server12::WaitPskKeyExchange",
        .role = Role::server,
        .next = HandshakeType::client_key_exchange,
        .psk = kPsk},
    Way{.state = "server12::WaitPsk", .role = Role::server, .question = "FindPsk", .psk = kEcdhePsk},
    Way{.state = "server12::WaitPskDecrypted", .role = Role::server, .question = "Decrypt", .psk = kRsaPsk},
    Way{.state = "client12::Connected", .role = Role::client},
    Way{.state = "server12::Connected", .role = Role::server},
    // What is computed elsewhere.
    Way{.state = "hello::WaitShares", .role = Role::client, .question = "Compute"},
    Way{.state = "client13::WaitSecondShare", .role = Role::client, .question = "Compute", .retry = true},
    Way{.state = "client13::WaitSecret", .role = Role::client, .question = "Compute"},
    Way{.state = "client13::WaitCertificateVerify", .role = Role::client, .question = "Compute", .note = "LooksAhead"},
    Way{.state = "server13::WaitSecret", .role = Role::server, .question = "Compute"},
    Way{.state = "server13::WaitResumedSecret",
        .role = Role::server,
        .question = "Compute",
        .tickets = true,
        .resume = true},
    Way{.state = "server13::WaitCertificateVerify",
        .role = Role::server,
        .question = "Compute",
        .client_auth = kAuth,
        .note = "LooksAhead"},
    Way{.state = "client12::WaitSignatureChecked", .role = Role::client, .question = "Compute"},
    Way{.state = "client12::WaitSecret", .role = Role::client, .question = "Compute"},
    Way{.state = "server12::WaitShare", .role = Role::server, .question = "Compute"},
    Way{.state = "server12::WaitSecret", .role = Role::server, .question = "Compute"},
    Way{.state = "server12::WaitCertifiedSecret", .role = Role::server, .question = "Compute", .client_auth = kAuth},
    Way{.state = "server12::WaitSignatureChecked", .role = Role::server, .question = "Compute", .client_auth = kAuth},
    // The same states by other suites, and with sessions under ids.
    Way{.state = "client12::WaitCertificate",
        .role = Role::client,
        .next = HandshakeType::certificate,
        .rsa = true,
        .note = "Rsa"},
    Way{.state = "client12::WaitCertificateRequest",
        .role = Role::client,
        .next = HandshakeType::server_hello_done,
        .rsa = true,
        .note = "Rsa"},
    Way{.state = "client12::WaitServerHelloDone",
        .role = Role::client,
        .next = HandshakeType::server_hello_done,
        .client_auth = kAuth,
        .rsa = true,
        .note = "Rsa"},
    Way{.state = "server12::WaitClientKeyExchange",
        .role = Role::server,
        .next = HandshakeType::client_key_exchange,
        .rsa = true,
        .note = "Rsa"},
    Way{.state = "server12::WaitCertifiedKeyExchange",
        .role = Role::server,
        .next = HandshakeType::client_key_exchange,
        .client_auth = kAuth,
        .rsa = true,
        .note = "Rsa"},
    Way{.state = "server12::WaitCertificateVerify",
        .role = Role::server,
        .next = HandshakeType::certificate_verify,
        .client_auth = kAuth,
        .rsa = true,
        .note = "Rsa"},
    Way{.state = "client12::WaitFinished",
        .role = Role::client,
        .next = HandshakeType::finished,
        .cbc = true,
        .note = "Cbc"},
    Way{.state = "server12::WaitFinished",
        .role = Role::server,
        .next = HandshakeType::finished,
        .cbc = true,
        .note = "Cbc"},
    Way{.state = "client12::Connected", .role = Role::client, .cbc = true, .note = "Cbc"},
    Way{.state = "server12::Connected", .role = Role::server, .cbc = true, .note = "Cbc"},
    Way{.state = "server12::WaitTicketOpened",
        .role = Role::server,
        .question = "OpenTicket",
        .resume = true,
        .ids = true,
        .note = "ById"},
    Way{.state = "server12::WaitTicketSealed",
        .role = Role::server,
        .question = "SealTicket",
        .ids = true,
        .note = "ById"},
};

/// The same, with a ticket that is being sealed beside the connection.
constexpr Way kWithTicket{"server13::Connected", Role::server, {}, "SealTicket", ClientAuth::none, false, true};

/// The order in which a flight's messages come.
constexpr std::array kFlight{
    HandshakeType::end_of_early_data, HandshakeType::encrypted_extensions,   HandshakeType::certificate_request,
    HandshakeType::certificate,       HandshakeType::compressed_certificate, HandshakeType::certificate_verify,
    HandshakeType::finished};
constexpr std::array kFlight12{HandshakeType::certificate,         HandshakeType::certificate_status,
                               HandshakeType::server_key_exchange, HandshakeType::certificate_request,
                               HandshakeType::server_hello_done,   HandshakeType::client_key_exchange,
                               HandshakeType::certificate_verify,  HandshakeType::new_session_ticket,
                               HandshakeType::next_protocol,       HandshakeType::finished};

std::span<const HandshakeType> flight_of(const Way& way) {
  if (way.tls12()) return kFlight12;
  return kFlight;
}

using Store = std::map<std::vector<std::uint8_t>, std::vector<std::uint8_t>>;
Store& store() {
  static Store sessions;
  return sessions;
}
const Session& session_with_id() {
  static const Session made = [] {
    Duel duel;
    speak_tls12(duel);
    duel.server_config.session_ids(true).session_context({1});
    duel.server().store = &store();
    duel.expect_connected();
    return duel.client().sessions.at(0).clone();
  }();
  return made;
}

const Session& session(bool tls12 = false) {
  const auto make = [](bool old) {
    Duel duel;
    if (old) speak_tls12(duel);
    duel.client_config.verify_on_resumption(true);
    // A context of its own, so that it is resumed whatever the server asks of its clients.
    duel.server_config.tickets(1).client_auth(kAuth).verify_on_resumption(true).early_data(1000).session_context({1});
    duel.server().ticket_keys = ticket_keys();
    duel.expect_connected();
    return duel.client().sessions.at(0).clone();
  };
  static const Session newer = make(false);
  static const Session older = make(true);
  return tls12 ? older : newer;
}

void configure(Duel& duel, const Way& way) {
  if (way.tls12()) speak_tls12(duel);
  if (way.rsa || way.psk != CipherSuite{}) {
    const std::vector suites{way.rsa ? CipherSuite::tls_rsa_with_aes_128_gcm_sha256 : way.psk};
    const std::vector schemes{SignatureScheme::ecdsa_secp256r1_sha256, SignatureScheme::rsa_pss_rsae_sha256};
    duel.client_config.suites(suites).schemes(schemes);
    duel.server_config.suites(suites).schemes(schemes);
  }
  if (way.external) {
    duel.client_config.external_psks(ExternalPsks::allow);
    duel.server_config.external_psks(ExternalPsks::allow);
  }
  if (way.cbc) {
    const std::vector suites{CipherSuite::tls_ecdhe_ecdsa_with_aes_128_cbc_sha};
    duel.client_config.suites(suites);
    duel.server_config.suites(suites).encrypt_then_mac(false);
  }
  duel.server_config.client_auth(way.client_auth).tickets(way.tickets ? 1 : 0).session_context({1});
  duel.server_config.session_ids(way.ids).hand_out_computations(way.role == Role::server && way.question == "Compute");
  duel.server_config.select_config(way.question == "SelectConfig");
  duel.client_config.hand_out_computations(way.role == Role::client && way.question == "Compute");
  if (way.compress) {
    duel.client_config.certificate_compression({kShortening});
    duel.server_config.certificate_compression({kShortening});
  }
  if (way.retry) duel.server_config.groups({NamedGroup::secp256r1});
  if (way.resume) duel.sessions.push_back((way.ids ? session_with_id() : session(way.tls12())).clone());
  if (way.staple) duel.client_config.ocsp_stapling(true);
  if (way.npn) {
    duel.client_config.next_protocols({"a"});
    duel.server_config.next_protocols({"a"});
  }
  if (way.early) {
    duel.client_config.early_data(1000);
    duel.server_config.early_data(1000);
  }
  if (way.verify) {
    if (way.role == Role::client) {
      duel.client_config.verify_on_resumption(true);
    } else {
      duel.server_config.verify_on_resumption(true);
    }
  }
}

/// Every kind of message, well formed; named as in the chart.
struct Message {
  std::string_view name;
  Octets bytes;
};

std::shared_ptr<const Credential> stapling_credential() {
  Credential credential = *credential_of(usual_key());
  credential.ocsp_response = {1, 2, 3};
  return std::make_shared<const Credential>(std::move(credential));
}

Octets compressed_certificate(const Octets& certificate) {
  const Bytes body = Bytes(certificate).subspan(4);
  Octets message;
  put(message, static_cast<std::size_t>(kShortening.algorithm), 2);
  put(message, body.size(), 3);
  put_vector(message, body.subspan(2), 3);
  return message_of(HandshakeType::compressed_certificate, message);
}

std::vector<Message> messages13() {
  Duel model;
  model.server_config.client_auth(kAuth).groups({NamedGroup::secp256r1});
  model.expect_connected();
  const auto& client = model.client_forger.honest;
  const auto& server = model.server_forger.honest;
  return {
      {"ClientHello", client[0]},
      {"ServerHello", server[1]},
      {"HelloRetryRequest", server[0]},
      {"NewSessionTicket",
       message_of(HandshakeType::new_session_ticket, Octets{0, 0, 0, 9, 1, 2, 3, 4, 1, 0, 0, 1, 7, 0, 0})},
      {"EndOfEarlyData", Octets{5, 0, 0, 0}},
      {"EncryptedExtensions", server[2]},
      {"CertificateRequest", server[3]},
      {"Certificate", server[4]},
      {"CompressedCertificate", compressed_certificate(server[4])},
      {"CertificateVerify", server[5]},
      {"Finished", server[6]},
      {"KeyUpdate", Octets{24, 0, 0, 1, 0}},
      {"message_hash", message_of(static_cast<HandshakeType>(254), Octets(32, 1))},
      {"unknown", Octets{99, 0, 0, 1, 0}},
  };
}

std::vector<Message> messages12() {
  Duel model;
  speak_tls12(model);
  model.client_config.ocsp_stapling(true).next_protocols({"a"});
  model.server_config.client_auth(kAuth).tickets(1).next_protocols({"a"});
  model.server().credential = stapling_credential();
  model.server().ticket_keys = ticket_keys();
  model.expect_connected();
  const auto& client = model.client_forger.honest;
  const auto& server = model.server_forger.honest;
  return {
      {"ClientHello", client[0]},          {"ServerHello", server[0]},       {"HelloRequest", {0, 0, 0, 0}},
      {"Certificate12", server[1]},        {"CertificateStatus", server[2]}, {"ServerKeyExchange", server[3]},
      {"CertificateRequest12", server[4]}, {"ServerHelloDone", server[5]},   {"NewSessionTicket12", server[6]},
      {"Certificate12", client[1]},        {"ClientKeyExchange", client[2]}, {"CertificateVerify", client[3]},
      {"NextProtocol", client[4]},         {"Finished", client[5]},
  };
}

const std::vector<Message>& messages() {
  static const std::vector<Message> all = [] {
    std::vector<Message> both = messages13();
    std::ranges::move(messages12(), std::back_inserter(both));
    return both;
  }();
  return all;
}

HandshakeType type_of(const Message& message) { return static_cast<HandshakeType>(message.bytes.front()); }

/// A handshake on its way to a state; it stops where the question is asked or the message is missing.
class Journey {
 public:
  explicit Journey(const Way& way) : way_(way) { configure(duel, way); }

  Duel duel;
  std::optional<Event> question;  ///< what is asked, when the state waits for an answer

  End& traveller() { return way_.role == Role::client ? duel.client() : duel.server(); }
  Forger& peer_forger() { return way_.role == Role::client ? duel.server_forger : duel.client_forger; }
  Octets& inbound() { return way_.role == Role::client ? duel.to_client() : duel.to_server(); }

  /// Puts `message` in the place of what would come next, and nothing behind it. Hellos come without protection, and so
  /// does what stands before change_cipher_spec.
  void arrive(const Octets& message) {
    if (way_.next != HandshakeType{} && !hello()) {
      bool behind = false;
      for (const HandshakeType type : flight_of(way_)) {
        if (behind) peer_forger().omit(type);
        if (type == way_.next) {
          peer_forger().replace(type, message);
          behind = true;
        }
      }
    }
    duel.server().ticket_keys = ticket_keys();
    if (way_.ids) duel.server().store = &store();
    duel.server().accept_early_data = way_.early;
    if (way_.staple) duel.server().credential = stapling_credential();
    if (way_.rsa || way_.psk == kRsaPsk) duel.server().credential = credential_of(KeyType::rsa);
    duel.client().psks = duel.server().psks = {{"identity", std::string(kKey)}};
    duel.client().external_psks = duel.server().external_psks = {{"identity", std::string(kKey)}};
    go();
    if (in_the_open() && !message.empty()) append(inbound(), plain_record(22, message));
    if (in_the_open() || way_.next != HandshakeType{}) go();
  }
  /// Puts a change_cipher_spec record behind what has come.
  void receive_change_cipher_spec() {
    append(inbound(), plain_record(20, Octets{1}));
    go();
  }
  [[nodiscard]] std::string_view state() {
    Connection& connection = traveller().connection;
    const handshake::Handshake* handshake = ConnectionAccess::handshake(connection);
    if (handshake != nullptr) return state_of(handshake->machine());
    const bool old = connection.version() == ProtocolVersion::tls_1_2;
    if (way_.role == Role::client)
      return old ? type_name<handshake::client12::Connected>() : type_name<handshake::client13::Connected>();
    return old ? type_name<handshake::server12::Connected>() : type_name<handshake::server13::Connected>();
  }
  /// The rest of the way, when the question has been answered.
  void finish() { duel.run(); }

 private:
  // Like Pair::run, but keeps the question and, for hellos, what the peer would say.
  void go() {
    End& peer = way_.role == Role::client ? duel.server() : duel.client();
    Octets& outbound = way_.role == Role::client ? duel.to_server() : duel.to_client();
    for (bool progress = true; progress;) {
      progress = false;
      Octets said(65'536);
      said.resize(traveller().connection.transmit(said, kNow));
      progress |= !said.empty();
      append(outbound, said);
      if (!hello() || hellos_due() > 0) {
        const std::size_t before = inbound().size();
        progress |= duel.pair().step(peer, inbound(), outbound);
        if (hello() && inbound().size() != before) --hellos_taken_;
        if (stops_before_keys()) cut(before);
      }
      for (;;) {
        auto [consumed, event] = traveller().connection.receive(inbound(), kNow);
        inbound().erase(inbound().begin(), inbound().begin() + static_cast<std::ptrdiff_t>(consumed));
        if (asks(event)) {
          question.emplace(std::move(event));
          return;
        }
        const bool told = traveller().treat(std::move(event));
        progress |= told || consumed != 0;
        if (!told && consumed == 0) break;
      }
      if (traveller().error) {
        // The alert goes out and is heard.
        Octets alert(1000);
        alert.resize(traveller().connection.transmit(alert, kNow));
        append(outbound, alert);
        duel.pair().step(peer, inbound(), outbound);
        return;
      }
    }
  }
  [[nodiscard]] bool hello() const {
    return way_.next == HandshakeType::client_hello || way_.next == HandshakeType::server_hello;
  }
  [[nodiscard]] bool in_the_open() const { return hello() || way_.record; }
  // Whether a TLS 1.2 peer that goes on by itself would change keys behind the state.
  [[nodiscard]] bool stops_before_keys() const {
    return way_.tls12() && (way_.record || (way_.next != HandshakeType{} && way_.next != HandshakeType::finished &&
                                            way_.next != HandshakeType::next_protocol));
  }
  // Loses what the peer has said from its change_cipher_spec on.
  void cut(std::size_t begin) {
    Octets& bytes = inbound();
    while (!cut_ && begin + record::kHeaderSize <= bytes.size()) {
      cut_ = bytes[begin] == 20;
      if (!cut_) begin += record::kHeaderSize + (std::size_t{bytes[begin + 3]} << 8U | bytes[begin + 4]);
    }
    if (cut_) bytes.resize(begin);
  }
  // The peer's hellos that lead to the state: one where a retry comes before, else none.
  [[nodiscard]] int hellos_due() const { return (way_.retry ? 1 : 0) + hellos_taken_; }
  [[nodiscard]] bool asks(const Event& event) {
    return (way_.question == "Compute" && std::holds_alternative<Compute>(event) && state() == way_.state) ||
           (way_.question == "VerifyPeer" && std::holds_alternative<VerifyPeer>(event)) ||
           (way_.question == "SelectCredential" && std::holds_alternative<SelectCredential>(event)) ||
           (way_.question == "Sign" && std::holds_alternative<Sign>(event)) ||
           (way_.question == "Decrypt" && std::holds_alternative<Decrypt>(event)) ||
           (way_.question == "SelectConfig" && std::holds_alternative<SelectConfig>(event)) ||
           (way_.question == "SelectPsk" && std::holds_alternative<SelectPsk>(event)) ||
           (way_.question == "FindPsk" && std::holds_alternative<FindPsk>(event)) ||
           (way_.question == "OpenTicket" && std::holds_alternative<OpenTicket>(event)) ||
           (way_.question == "AcceptEarlyData" && std::holds_alternative<AcceptEarlyData>(event)) ||
           (way_.question == "SealTicket" && std::holds_alternative<SealTicket>(event));
  }

  const Way& way_;
  int hellos_taken_ = 0;
  bool cut_ = false;
};

/// Every answer that the application can give, to the question in the event.
struct Answer {
  const char* name;
  std::string_view question;
  std::expected<void, Misuse> (*give)(Connection&, Event&);
};

std::expected<void, Misuse> give_job(Connection& connection, Event& event) {
  return connection.answer(std::move(std::get<Compute>(event)));
}

template <class Operation, class Given>
std::expected<void, Misuse> give(Connection& connection, Event& event) {
  auto& token = std::get<Operation>(event).token;
  if constexpr (std::is_same_v<Given, Session>) {
    return connection.answer(std::move(token), session().clone());
  } else if constexpr (std::is_same_v<Given, Bytes>) {
    return connection.answer(std::move(token), as_bytes("a signature or a ticket"));
  } else if constexpr (std::is_same_v<Given, Credential>) {
    return connection.answer(std::move(token), credential_of(usual_key()));
  } else if constexpr (std::is_same_v<Given, PskChosen>) {
    return connection.answer(std::move(token), PskChosen{.identity = as_bytes("identity"), .key = as_bytes(kKey)});
  } else if constexpr (std::is_same_v<Given, PskFound>) {
    return connection.answer(std::move(token), PskFound{.key = as_bytes(kKey)});
  } else {
    return connection.answer(std::move(token), Given{});
  }
}

constexpr Answer kAnswers[] = {
    {"credential", "SelectCredential", give<SelectCredential, Credential>},
    {"no credential", "SelectCredential", give<SelectCredential, NoCredential>},
    {"signature", "Sign", give<Sign, Bytes>},
    {"signing failed", "Sign", give<Sign, SigningFailed>},
    {"secret", "Decrypt", give<Decrypt, Bytes>},
    {"decryption failed", "Decrypt", give<Decrypt, DecryptionFailed>},
    {"job", "Compute", give_job},
    {"configuration", "SelectConfig", give<SelectConfig, ConfigSelected>},
    {"hello refused", "SelectConfig", give<SelectConfig, ClientHelloRefused>},
    {"PSK", "SelectPsk", give<SelectPsk, PskChosen>},
    {"no PSK", "SelectPsk", give<SelectPsk, NoPsk>},
    {"PSK found", "FindPsk", give<FindPsk, PskFound>},
    {"PSK unknown", "FindPsk", give<FindPsk, PskUnknown>},
    {"peer accepted", "VerifyPeer", give<VerifyPeer, PeerAccepted>},
    {"peer rejected", "VerifyPeer", give<VerifyPeer, PeerRejected>},
    {"session of a ticket", "OpenTicket", give<OpenTicket, Session>},
    {"ticket declined", "OpenTicket", give<OpenTicket, TicketDeclined>},
    {"early data accepted", "AcceptEarlyData", give<AcceptEarlyData, EarlyDataAccepted>},
    {"early data declined", "AcceptEarlyData", give<AcceptEarlyData, EarlyDataDeclined>},
    {"ticket", "SealTicket", give<SealTicket, Bytes>},
    {"no ticket", "SealTicket", give<SealTicket, TicketDeclined>},
};

bool reads(const Way& way) { return way.next != HandshakeType{} || way.record; }
bool asks(const Way& way) { return !way.question.empty(); }
bool handshakes(const Way& way) { return reads(way) || asks(way); }
bool connects(const Way& way) { return !handshakes(way); }

std::vector<Way> ways_that(bool (*condition)(const Way&)) {
  std::vector<Way> some;
  std::ranges::copy_if(kWays, std::back_inserter(some), condition);
  return some;
}

std::string way_name(const ::testing::TestParamInfo<Way>& tested) {
  std::string name(tested.param.state);
  std::erase(name, ':');
  return name + std::string(tested.param.note);
}

class EveryState : public ::testing::TestWithParam<Way> {};
class HandshakeState : public ::testing::TestWithParam<Way> {};
class ReadingState : public ::testing::TestWithParam<Way> {};
class AskingState : public ::testing::TestWithParam<Way> {};
class ConnectedState : public ::testing::TestWithParam<Way> {};
INSTANTIATE_TEST_SUITE_P(Inputs, EveryState, ::testing::ValuesIn(kWays), way_name);
INSTANTIATE_TEST_SUITE_P(Inputs, HandshakeState, ::testing::ValuesIn(ways_that(handshakes)), way_name);
INSTANTIATE_TEST_SUITE_P(Inputs, ReadingState, ::testing::ValuesIn(ways_that(reads)), way_name);
INSTANTIATE_TEST_SUITE_P(Inputs, AskingState, ::testing::ValuesIn(ways_that(asks)), way_name);
INSTANTIATE_TEST_SUITE_P(Inputs, ConnectedState, ::testing::ValuesIn(ways_that(connects)), way_name);

TEST(Ways, LeadToEveryState) {
  std::set<std::string_view> reached;
  for (const Way& way : kWays) reached.insert(way.state);
  std::set<std::string_view> all;
  for (const ChartState& state : chart()) {
    if (!renegotiates(state.type)) all.insert(state.type);  // which is played in tests/hostile
  }
  EXPECT_EQ(reached, all);
  std::printf(
      "%zu states: %zu x %zu messages on the wire, %zu x %zu foreign answers, %zu x every input of the machine\n",
      kWays.size(), kWays.size(), messages().size(), kWays.size(), std::size(kAnswers), ways_that(handshakes).size());
}

TEST_P(EveryState, IsReached) {
  Journey journey(GetParam());
  journey.arrive({});
  EXPECT_EQ(journey.state(), GetParam().state);
  EXPECT_FALSE(journey.traveller().error) << error_text(journey.traveller());
  EXPECT_EQ(journey.traveller().connection.awaiting_answer(), !GetParam().question.empty());
}

TEST_P(ReadingState, RefusesMessagesOutOfPlace) {
  const Way& way = GetParam();
  const ChartState& row = chart_of(way.state);
  for (const Message& message : messages()) {
    SCOPED_TRACE(std::string(message.name));
    Journey journey(way);
    journey.arrive(message.bytes);
    End& end = journey.traveller();
    // A second HelloRetryRequest has a reason of its own; the type of its message is ServerHello's.
    const bool second =
        message.name == "HelloRetryRequest" && row.on("ServerHello") != nullptr && row.on(message.name) == nullptr;
    // What nobody has asked for has no place either.
    const bool unasked = message.name == "CompressedCertificate" && !way.compress;
    if (row.takes(type_of(message)) && !second && !unasked) {
      // It may still be wrong here, being of another handshake or version; but not out of place.
      if (end.error) {
        EXPECT_NE(end.error->alert, Alert::unexpected_message) << error_text(end);
      } else {
        EXPECT_NE(row.on(message.name), nullptr);
        // One message may lead further than one state where the test answers what is asked.
        EXPECT_NE(journey.state(), way.state);
      }
      continue;
    }
    Duel::expect_refusal(end, second ? Reason::second_hello_retry_request : Reason::message_unexpected,
                         Alert::unexpected_message);
    Duel::expect_heard(way.role == Role::client ? journey.duel.server() : journey.duel.client(),
                       Alert::unexpected_message);
  }
}

// TLS 1.2 changes keys by it, once and in its place (RFC 5246 7.1); in TLS 1.3 it says nothing.
TEST_P(ReadingState, TakesChangeCipherSpecInItsPlaceAlone) {
  const Way& way = GetParam();
  Journey journey(way);
  journey.arrive({});
  journey.receive_change_cipher_spec();
  End& end = journey.traveller();
  if (chart_of(way.state).on("ChangeCipherSpec") != nullptr) {
    EXPECT_FALSE(end.error) << error_text(end);
    EXPECT_NE(journey.state(), way.state);
  } else if (way.tls12() || way.state == "hello::WaitClientHello") {
    Duel::expect_refusal(end, Reason::change_cipher_spec_unexpected, Alert::unexpected_message);
  } else {
    EXPECT_FALSE(end.error) << error_text(end);
    EXPECT_EQ(journey.state(), way.state);
  }
}

TEST_P(AskingState, ReadsNothingBeforeTheAnswer) {
  const Way& way = GetParam();
  Journey journey(way);
  journey.arrive({});
  ASSERT_TRUE(journey.question);
  Connection& connection = journey.traveller().connection;
  for (const Message& message : messages()) {
    Octets record = plain_record(22, message.bytes);
    const auto received = connection.receive(record, kNow);
    EXPECT_EQ(received.consumed, 0U);
    EXPECT_TRUE(std::holds_alternative<Nothing>(received.event));
  }
  Octets record = plain_record(20, Octets{1});
  EXPECT_EQ(connection.receive(record, kNow).consumed, 0U);
  EXPECT_EQ(journey.state(), way.state);
  // The answer leads on to the end.
  EXPECT_TRUE(journey.traveller().treat(std::move(*journey.question)));
  EXPECT_NE(journey.state(), way.state);
  journey.finish();
  EXPECT_TRUE(journey.duel.client().connection.connected()) << error_text(journey.duel.client());
  EXPECT_TRUE(journey.duel.server().connection.connected()) << error_text(journey.duel.server());
}

TEST_P(AskingState, FailsWithoutAnswer) {
  const Way& way = GetParam();
  Journey journey(way);
  journey.arrive({});
  ASSERT_TRUE(journey.question);
  journey.question.reset();
  journey.finish();
  if (way.state == "server12::WaitTicketSealed") {
    // The client hears that there is no ticket after all (RFC 5077 3.3).
    EXPECT_TRUE(journey.duel.client().connection.connected()) << error_text(journey.duel.client());
    EXPECT_TRUE(journey.traveller().connection.connected()) << error_text(journey.traveller());
    // Of an id nobody says that it was kept.
    EXPECT_EQ(journey.duel.client().sessions.empty(), !way.ids);
    journey.duel.pair().send(journey.duel.client(), "ping");
    journey.finish();
    EXPECT_EQ(as_text(journey.traveller().data), "ping") << error_text(journey.traveller());
    return;
  }
  Duel::expect_refusal(journey.traveller(), Reason::token_dropped, Alert::internal_error);
}

TEST_P(ConnectedState, TakesOnlyWhatFollowsAHandshake) {
  const Way& way = GetParam();
  const ChartState& row = chart_of(way.state);
  for (const Message& message : messages()) {
    SCOPED_TRACE(std::string(message.name));
    Journey journey(way);
    journey.arrive({});
    End& end = journey.traveller();
    End& peer = way.role == Role::client ? journey.duel.server() : journey.duel.client();
    ASSERT_TRUE(end.connection.connected());
    append(journey.inbound(), seal_record(peer.connection, ContentType::handshake, message.bytes));
    journey.finish();
    // RFC 9846 4.7: tickets and requests go from server to client alone; anybody may update keys. In TLS 1.2 either
    // side may ask for another handshake, which is declined.
    if (row.on(message.name) != nullptr) {
      EXPECT_TRUE(end.connection.connected()) << error_text(end);
      EXPECT_EQ(end.events.back(), message.name == "KeyUpdate"          ? "key_updated"
                                   : message.name == "NewSessionTicket" ? "session"
                                                                        : "complete");
      continue;
    }
    ASSERT_TRUE(end.error);
    if (row.takes(type_of(message))) {
      EXPECT_NE(end.error->alert, Alert::unexpected_message) << error_text(end);  // of another version
    } else {
      EXPECT_EQ(end.error->alert, Alert::unexpected_message) << error_text(end);
    }
    Duel::expect_over(end);
    Duel::expect_heard(peer, end.error->alert);
  }
}

TEST_P(ConnectedState, TakesNoChangeCipherSpec) {
  Journey journey(GetParam());
  journey.arrive({});
  ASSERT_TRUE(journey.traveller().connection.connected());
  journey.receive_change_cipher_spec();
  Duel::expect_refusal(journey.traveller(), Reason::change_cipher_spec_unexpected, Alert::unexpected_message);
}

// An answer belongs to its question: one to another connection's changes nothing, in no state.
TEST_P(EveryState, RefusesForeignAnswers) {
  const Way& way = GetParam();
  Journey journey(way);
  journey.arrive({});
  Connection& connection = journey.traveller().connection;
  for (const Answer& answer : kAnswers) {
    SCOPED_TRACE(answer.name);
    Journey foreign(answer.question == kWithTicket.question
                        ? kWithTicket
                        : *std::ranges::find(kWays, answer.question, &Way::question));
    foreign.arrive({});
    ASSERT_TRUE(foreign.question);
    const auto given = answer.give(connection, *foreign.question);
    ASSERT_FALSE(given);
    EXPECT_EQ(given.error(), Misuse::wrong_token);
    EXPECT_EQ(journey.state(), way.state);
    EXPECT_EQ(connection.error(), nullptr);
    EXPECT_EQ(connection.awaiting_answer(), !way.question.empty());
  }
  if (journey.question) {
    EXPECT_TRUE(journey.traveller().treat(std::move(*journey.question)));
    journey.finish();
    EXPECT_TRUE(connection.connected()) << error_text(journey.traveller());
  }
}

// Nothing waits for a ticket: data comes and goes while one is being sealed.
TEST(TicketBeingSealed, HoldsNothingUp) {
  Journey journey(kWithTicket);
  journey.arrive({});
  ASSERT_TRUE(journey.question);
  Duel& duel = journey.duel;
  EXPECT_FALSE(duel.server().connection.awaiting_answer());
  duel.run();
  duel.pair().send(duel.client(), "ping");
  duel.pair().send(duel.server(), "pong");
  duel.run();
  EXPECT_EQ(duel.server().data, Octets({0x70, 0x69, 0x6e, 0x67}));
  EXPECT_EQ(duel.client().data, Octets({0x70, 0x6f, 0x6e, 0x67}));
  EXPECT_TRUE(duel.client().sessions.empty());
  EXPECT_TRUE(duel.server().treat(std::move(*journey.question)));
  duel.run();
  EXPECT_EQ(duel.client().sessions.size(), 1U);
  EXPECT_FALSE(duel.server().error) << error_text(duel.server());
}

TEST(TicketBeingSealed, IsLostWithItsTokenAlone) {
  Journey journey(kWithTicket);
  journey.arrive({});
  ASSERT_TRUE(journey.question);
  journey.question.reset();
  Duel& duel = journey.duel;
  duel.run();
  duel.pair().send(duel.client(), "ping");
  duel.run();
  EXPECT_EQ(duel.server().data, Octets({0x70, 0x69, 0x6e, 0x67}));
  EXPECT_FALSE(duel.server().error) << error_text(duel.server());
  EXPECT_TRUE(duel.client().connection.connected()) << error_text(duel.client());
  EXPECT_TRUE(duel.client().sessions.empty());
}

TEST(TicketBeingSealed, IsNotSentBehindCloseNotify) {
  Journey journey(kWithTicket);
  journey.arrive({});
  ASSERT_TRUE(journey.question);
  Duel& duel = journey.duel;
  duel.server().connection.close();
  Octets last(1000);
  last.resize(duel.server().connection.transmit(last, kNow));
  // The flight and close_notify, all of it protected by now or sent before.
  duel.to_client().insert(duel.to_client().end(), last.begin(), last.end());
  static_cast<void>(duel.server().treat(std::move(*journey.question)));
  Octets after(1000);
  EXPECT_EQ(duel.server().connection.transmit(after, kNow), 0U);
  EXPECT_FALSE(duel.server().connection.transmit_pending());
  duel.run();
  EXPECT_TRUE(duel.client().sessions.empty());
  EXPECT_TRUE(duel.client().connection.peer_closed());
  EXPECT_FALSE(duel.client().error) << error_text(duel.client());
}

/// Gives the machine an input directly, as if a message or an answer of that kind had come.
template <class Input>
void expect_dispatch(handshake::Handshake& handshake, const ChartState& row, const Input& input) {
  // The handshake itself is not const; only the view of its machine is.
  auto& machine = const_cast<handshake::Machine&>(handshake.machine());
  const bool listed = row.on(type_name<Input>()) != nullptr;
  EXPECT_EQ(handshake::accepts<Input>(handshake.machine()), listed) << type_name<Input>();
  if (listed) return;
  const auto status = handshake::dispatch(machine, input, handshake.context());
  ASSERT_FALSE(status) << type_name<Input>();
  EXPECT_EQ(status.error().reason, Reason::message_unexpected);
  EXPECT_EQ(status.error().alert, Alert::unexpected_message);
  EXPECT_EQ(state_of(handshake.machine()), row.type);
}

TEST_P(HandshakeState, AcceptsWhatTheChartSays) {
  const Way& way = GetParam();
  Journey journey(way);
  journey.arrive({});
  handshake::Handshake* handshake = ConnectionAccess::handshake(journey.traveller().connection);
  ASSERT_NE(handshake, nullptr);
  const ChartState& row = chart_of(way.state);
  handshake::detail::for_each_kind(
      handshake::Messages{}, [&]<class Kind>(std::type_identity<Kind>) { expect_dispatch(*handshake, row, Kind{}); });
  expect_dispatch(*handshake, row, handshake::ChangeCipherSpec{});
  expect_dispatch(*handshake, row, handshake::ConfigChosen{});
  expect_dispatch(*handshake, row, handshake::HelloRefused{});
  expect_dispatch(*handshake, row, handshake::TicketOpened{});
  expect_dispatch(*handshake, row, handshake::EarlyDataJudged{});
  expect_dispatch(*handshake, row, handshake::CredentialSelected{});
  expect_dispatch(*handshake, row, handshake::Signed{});
  expect_dispatch(*handshake, row, handshake::Decrypted{});
  expect_dispatch(*handshake, row, handshake::SharesMade{});
  expect_dispatch(*handshake, row, handshake::SecretMade{});
  expect_dispatch(*handshake, row, handshake::Handshake::signature_checked(VerifyResult::valid));
  expect_dispatch(*handshake, row, handshake::Handshake::psk_given(PskFound{}));
  expect_dispatch(*handshake, row, handshake::PskWithheld{});
  expect_dispatch(*handshake, row, handshake::Handshake::peer_verified(PeerAccepted{}));
  expect_dispatch(*handshake, row, handshake::PeerRefused{});
  expect_dispatch(*handshake, row, handshake::TicketSealed{});
}

}  // namespace
}  // namespace lockstep::testing
