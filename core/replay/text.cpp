// Entries as lines for people.

#include <array>
#include <string>
#include <string_view>

#include <lockstep/replay.hpp>

namespace lockstep::trace {
namespace {

std::string printable(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string result;
  for (const char character : text) {
    const auto byte = static_cast<unsigned char>(character);
    if (byte >= 0x20 && byte < 0x7f) {
      result += character;
    } else {
      result += {'\\', 'x', kDigits[byte >> 4U], kDigits[byte & 15U]};
    }
  }
  return result;
}

std::string bytes(std::uint64_t count) { return std::to_string(count) + (count == 1 ? " byte" : " bytes"); }

std::string quoted(const Content& content) {
  if (content.bytes.size() != content.size) return "(" + bytes(content.size) + ")";
  return "'" + printable(as_text(content.bytes)) + "'";
}

template <class CodePoint>
std::string listed(const std::vector<CodePoint>& list) {
  std::string text;
  for (const CodePoint each : list) text += (text.empty() ? "" : " ") + to_text(each);
  return text.empty() ? "none" : text;
}

std::string total(const std::vector<std::uint64_t>& sizes, std::string_view noun) {
  std::uint64_t sum = 0;
  for (const std::uint64_t size : sizes) sum += size;
  return std::to_string(sizes.size()) + " " + std::string(noun) + (sizes.size() == 1 ? "" : "s") + ", " + bytes(sum);
}

/// What is stapled to a certificate, by size.
std::string staples(std::uint64_t ocsp_response, std::uint64_t sct_list) {
  return (ocsp_response == 0 ? std::string() : ", OCSP response of " + bytes(ocsp_response)) +
         (sct_list == 0 ? std::string() : ", SCTs of " + bytes(sct_list));
}

std::string hex(std::uint64_t value) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text(16, '0');
  for (std::size_t i = text.size(); i-- > 0; value >>= 4U) text[i] = kDigits[value & 15U];
  return text;
}

// Equal runs have equal lines, and different ones lines that differ: the hash is a part of it.
std::string marked(std::uint64_t hash) { return hash == 0 ? std::string() : " #" + hex(hash); }

std::string_view arrow(Direction direction) noexcept { return direction == Direction::send ? "->" : "<-"; }
std::string_view yes_no(bool yes) noexcept { return yes ? "yes" : "no"; }
std::string question(TokenNumber token) { return "question " + std::to_string(token); }

std::string_view protection_name(Protection protection) noexcept {
  switch (protection) {
    case Protection::none: return "no";
    case Protection::handshake: return "handshake";
    case Protection::application: return "application";
    case Protection::early_data: return "early data";
  }
  return {};
}

template <class Named>
std::string named(Named value) {
  const std::string_view known = lockstep::name(value);
  return known.empty() ? std::to_string(static_cast<unsigned>(value)) : std::string(known);
}

std::string reserve(const Unverified& unverified) {
  if (!unverified) return {};
  return ", not verified: " + named(unverified.reason) +
         (unverified.detail == 0 ? "" : ", detail " + std::to_string(unverified.detail));
}

std::string text_of(const Error& error) {
  return named(error.reason) + " at " + named(error.place) + ", alert " + named(error.alert) + ", by " +
         named(error.origin) + (error.detail == 0 ? "" : ", detail " + std::to_string(error.detail));
}

/// What stands behind the entry's name.
struct Details {
  std::string operator()(const Configuration& e) const {
    std::string text = std::string(named_role(e.settings.role)) + " with provider '" + printable(e.provider) + "'";
    for (const BoundSuite& suite : e.settings.suites) text += " " + to_text(suite.suite);
    for (const BoundGroup& group : e.settings.groups) text += " " + to_text(group.id);
    for (const Content& protocol : e.alpn) text += " ALPN " + quoted(protocol);
    for (const Content& protocol : e.next_protocols) text += " NPN " + quoted(protocol);
    return text;
  }
  std::string operator()(const StartClient& e) const {
    return "for " + (e.kind == x509::PeerName::Kind::any ? std::string("anybody") : quoted(e.name)) +
           (e.sessions.empty() ? "" : ", offers " + std::to_string(e.sessions.size()) + " sessions");
  }
  std::string operator()(const StartServer& /*entry*/) const { return {}; }
  std::string operator()(const Receive& e) const {
    return bytes(e.size) + (e.size == e.added.size ? "" : ", " + std::to_string(e.added.size) + " of them new");
  }
  std::string operator()(const Transmit& e) const { return "room for " + bytes(e.room); }
  std::string operator()(const Seal& e) const { return sealing(e); }
  std::string operator()(const SealEarly& e) const { return sealing(e); }
  template <class Sealing>
  static std::string sealing(const Sealing& e) {
    std::uint64_t sum = 0;
    for (const Content& segment : e.plaintext) sum += segment.size;
    return bytes(sum) + " in " + std::to_string(e.plaintext.size()) + " segments, room for " + bytes(e.room);
  }
  std::string operator()(const SealInPlace& e) const {
    return bytes(e.size) + " behind " + std::to_string(e.headroom) + " in " + std::to_string(e.room);
  }
  std::string operator()(const AnswerCredential& e) const {
    if (!e.present) return question(e.token) + ": none";
    return question(e.token) + ": " + std::to_string(e.chain.size()) + " certificates, signs " + listed(e.schemes) +
           staples(e.ocsp_response.size, e.sct_list.size);
  }
  std::string operator()(const AnswerDecryption& e) const {
    return question(e.token) + ": " + (e.made ? "decrypted" : "decryption failed");
  }
  std::string operator()(const DecryptionAsked& e) const {
    return question(e.token) + ": " + bytes(e.size) + marked(e.hash);
  }
  std::string operator()(const AnswerComputation& e) const {
    return question(e.token) + (e.own ? ": computed" : ": another question's job");
  }
  std::string operator()(const ComputationAsked& e) const {
    return question(e.token) + ": " + std::string(name(e.what));
  }
  std::string operator()(const AnswerPsk& e) const {
    if (!e.chosen) return question(e.token) + ": none";
    std::string text = question(e.token) + ": the key of " + quoted(e.identity);
    for (const OfferedPsk& psk : e.others) text += ", of " + quoted(psk.identity);
    return text;
  }
  std::string operator()(const AnswerPskLookup& e) const {
    if (!e.found) return question(e.token) + ": unknown";
    return question(e.token) + ": found" +
           (e.peer_identity.size == 0 ? "" : ", known by " + bytes(e.peer_identity.size));
  }
  std::string operator()(const AnswerConfig& e) const {
    if (!e.selected) return question(e.token) + ": refused, " + named(e.alert);
    return question(e.token) + ": " + (e.another ? "another configuration" : "goes on") +
           (e.by_application ? ", protocol " + quoted(e.alpn) : "") +
           (e.warn_unrecognized_name ? ", warns of the name" : "");
  }
  std::string operator()(const ConfigAsked& e) const {
    return question(e.token) + ": for " + quoted(e.server_name) + ", " + std::to_string(e.alpn) + " protocols";
  }
  std::string operator()(const PskAsked& e) const {
    return question(e.token) + ": " + to_text(e.version) + ", for " + quoted(e.server_name) +
           (e.identity_hint.size == 0 ? "" : ", hint " + quoted(e.identity_hint));
  }
  std::string operator()(const PskLookupAsked& e) const {
    return question(e.token) + ": " + to_text(e.version) + ", for " + quoted(e.server_name) + ", identity " +
           quoted(e.identity) + (e.imported ? ", imported for " + quoted(e.context) : "");
  }
  std::string operator()(const AnswerSignature& e) const {
    return question(e.token) + ": " + (e.made ? bytes(e.signature.size) : "signing failed");
  }
  std::string operator()(const AnswerVerdict& e) const {
    if (e.accepted)
      return question(e.token) + ": accepted" + (e.identity.size == 0 ? "" : ", known by " + bytes(e.identity.size)) +
             reserve(e.unverified);
    return question(e.token) + ": rejected, " + named(e.reason) +
           (e.detail == 0 ? "" : ", detail " + std::to_string(e.detail)) +
           (e.alert == Alert::close_notify ? "" : ", alert " + named(e.alert));
  }
  std::string operator()(const AnswerTicketOpened& e) const {
    return question(e.token) + ": " + (e.opened ? "a session of " + bytes(e.session.size) : "declined");
  }
  std::string operator()(const AnswerEarlyData& e) const {
    return question(e.token) + ": " + (e.accepted ? "accepted" : "declined");
  }
  std::string operator()(const AnswerTicketSealed& e) const {
    return question(e.token) + ": " + (e.sealed ? "a ticket of " + bytes(e.ticket.size) : "declined");
  }
  std::string operator()(const UpdateKeys& e) const {
    return std::string("ours") + (e.request_peer ? ", and the peer's" : "");
  }
  std::string operator()(const SetMaxSendFragment& e) const { return bytes(e.bytes); }
  std::string operator()(const Renegotiate& e) const {
    if (!e.asks) return {};
    constexpr std::array<std::string_view, 3> kAuth{"none", "request", "require"};
    return "client_auth: " + std::string(kAuth[static_cast<std::size_t>(e.client_auth)]);
  }
  std::string operator()(const Draw& e) const { return bytes(e.bytes.size) + (e.ok ? "" : ", which failed"); }
  std::string operator()(const Message& e) const {
    return std::string(arrow(e.direction)) + " " + (e.retry ? "hello_retry_request" : to_text(e.type)) + ", " +
           bytes(e.size);
  }
  std::string operator()(const ChangeCipherSpec& e) const { return std::string(arrow(e.direction)); }
  std::string operator()(const AlertRecord& e) const { return std::string(arrow(e.direction)) + " " + named(e.alert); }
  std::string operator()(const StateEntered& e) const { return printable(e.name); }
  std::string operator()(const Cancel& e) const {
    return e.why == Alert::close_notify ? std::string() : "with " + named(e.why);
  }
  std::string operator()(const Offload& e) const { return std::string(arrow(e.direction)); }
  std::string operator()(const TrafficKeysTold& e) const {
    return std::string(arrow(e.direction)) + " from record " + std::to_string(e.sequence);
  }
  std::string operator()(const KeysInstalled& e) const {
    return std::string(arrow(e.direction)) + " " + std::string(protection_name(e.protection)) + " keys, " +
           to_text(e.suite);
  }
  // Secrets are never printed.
  std::string operator()(const Secret& e) const { return printable(e.label); }
  std::string operator()(const SecretTold& e) const { return printable(e.label); }
  std::string operator()(const DataTold& e) const { return total(e.segments, "segment") + marked(e.hash); }
  std::string operator()(const EarlyDataTold& e) const { return total(e.segments, "segment") + marked(e.hash); }
  std::string operator()(const CredentialAsked& e) const {
    return question(e.token) + ": for " + quoted(e.server_name) + ", ALPN " + quoted(e.alpn) + ", peer verifies " +
           listed(e.schemes) + "; in certificates " + listed(e.schemes_cert) +
           (e.authorities == 0 ? "" : ", knows " + std::to_string(e.authorities) + " authorities") +
           (e.ocsp_requested ? ", asks for OCSP" : "") + (e.scts_requested ? ", asks for SCTs" : "") +
           (e.oid_filters == 0 ? "" : ", filters by " + std::to_string(e.oid_filters) + " OIDs") + marked(e.hash);
  }
  std::string operator()(const SignatureAsked& e) const {
    return question(e.token) + ": " + to_text(e.scheme) + " over " + bytes(e.size) + marked(e.hash);
  }
  std::string operator()(const VerdictAsked& e) const {
    return question(e.token) + ": on a " + std::string(named_role(e.peer)) + ", " + total(e.chain, "certificate") +
           (e.name.size == 0 ? "" : ", for " + quoted(e.name)) + (e.resumed ? ", resumed" : "") +
           staples(e.ocsp_response, e.sct_list) + marked(e.hash);
  }
  std::string operator()(const TicketOpeningAsked& e) const {
    return question(e.token) + ": " + bytes(e.size) + marked(e.hash);
  }
  std::string operator()(const EarlyDataAsked& e) const {
    return question(e.token) + ": with a ticket of " + bytes(e.size) + marked(e.hash);
  }
  std::string operator()(const TicketSealingAsked& e) const {
    return question(e.token) + ": a session of " + bytes(e.size) + marked(e.hash);
  }
  std::string operator()(const Completed& e) const {
    std::string text = to_text(e.version) + " " + to_text(e.suite);
    if (e.group != NamedGroup{}) text += " " + to_text(e.group);
    if (e.own_scheme != SignatureScheme{}) text += ", we sign " + to_text(e.own_scheme);
    if (e.peer_scheme != SignatureScheme{}) text += ", peer signs " + to_text(e.peer_scheme);
    if (e.server_name.size != 0) text += ", for " + quoted(e.server_name);
    if (e.alpn.size != 0) text += ", ALPN " + quoted(e.alpn);
    text += ", resumed " + std::string(yes_no(e.resumed)) + ", retried " + std::string(yes_no(e.retried)) + ", " +
            total(e.chain, "certificate") + staples(e.ocsp_response, e.sct_list);
    if (e.early_data != EarlyDataStatus::none) text += ", early data " + std::string(lockstep::name(e.early_data));
    if (e.peer_identity.size != 0) text += ", peer known by " + bytes(e.peer_identity.size);
    if (e.application_data.size != 0) text += ", application data of " + bytes(e.application_data.size);
    if (e.renegotiation) text += ", by renegotiation";
    text += reserve(e.unverified);
    return text + marked(e.hash);
  }
  std::string operator()(const SessionTold& e) const { return bytes(e.size) + marked(e.hash); }
  std::string operator()(const FailureTold& e) const { return text_of(e.error); }
  std::string operator()(const Started& e) const { return e.failed ? text_of(e.error) : "ok"; }
  std::string operator()(const Consumed& e) const { return bytes(e.size); }
  std::string operator()(const Transmitted& e) const { return bytes(e.bytes.size); }
  std::string operator()(const SealDone& e) const {
    if (e.misuse) return "misuse, " + std::string(lockstep::name(*e.misuse));
    return std::to_string(e.consumed) + " consumed, " + std::to_string(e.written) + " written" + marked(e.hash);
  }
  std::string operator()(const Done& e) const {
    return e.misuse ? "misuse, " + std::string(lockstep::name(*e.misuse)) : "ok";
  }
  std::string operator()(const Stopped& e) const {
    switch (e.cause) {
      case Stopped::Cause::limit: return "at the recorder's limit";
      case Stopped::Cause::memory: return "for want of memory";
      case Stopped::Cause::too_large: return "at a call that is too large for a tape";
    }
    return {};
  }
  template <class E>
    requires std::is_empty_v<E>
  std::string operator()(const E& /*nothing*/) const {
    return {};
  }

  static std::string_view named_role(Role role) noexcept { return role == Role::client ? "client" : "server"; }
};

struct Words {
  std::string_view operator()(const Configuration&) const { return "configuration"; }
  std::string_view operator()(const StartClient&) const { return "start_client"; }
  std::string_view operator()(const StartServer&) const { return "start_server"; }
  std::string_view operator()(const Receive&) const { return "receive"; }
  std::string_view operator()(const ReceiveEnd&) const { return "receive_end"; }
  std::string_view operator()(const Transmit&) const { return "transmit"; }
  std::string_view operator()(const Seal&) const { return "seal"; }
  std::string_view operator()(const SealEarly&) const { return "seal_early"; }
  std::string_view operator()(const SealInPlace&) const { return "seal_in_place"; }
  std::string_view operator()(const AnswerCredential&) const { return "answer_credential"; }
  std::string_view operator()(const AnswerSignature&) const { return "answer_signature"; }
  std::string_view operator()(const AnswerDecryption&) const { return "answer_decryption"; }
  std::string_view operator()(const AnswerComputation&) const { return "answer_computation"; }
  std::string_view operator()(const AnswerConfig&) const { return "answer_config"; }
  std::string_view operator()(const AnswerPsk&) const { return "answer_psk"; }
  std::string_view operator()(const AnswerPskLookup&) const { return "answer_psk_lookup"; }
  std::string_view operator()(const AnswerVerdict&) const { return "answer_verdict"; }
  std::string_view operator()(const AnswerTicketOpened&) const { return "answer_ticket_opened"; }
  std::string_view operator()(const AnswerEarlyData&) const { return "answer_early_data"; }
  std::string_view operator()(const AnswerTicketSealed&) const { return "answer_ticket_sealed"; }
  std::string_view operator()(const Close&) const { return "close"; }
  std::string_view operator()(const Cancel&) const { return "cancel"; }
  std::string_view operator()(const UpdateKeys&) const { return "update_keys"; }
  std::string_view operator()(const SetMaxSendFragment&) const { return "set_max_send_fragment"; }
  std::string_view operator()(const Renegotiate&) const { return "renegotiate"; }
  std::string_view operator()(const Draw&) const { return "draw"; }
  std::string_view operator()(const TokenDropped&) const { return "token_dropped"; }
  std::string_view operator()(const Message&) const { return "message"; }
  std::string_view operator()(const ChangeCipherSpec&) const { return "change_cipher_spec"; }
  std::string_view operator()(const AlertRecord&) const { return "alert"; }
  std::string_view operator()(const StateEntered&) const { return "state"; }
  std::string_view operator()(const Offload&) const { return "offload"; }
  std::string_view operator()(const ForgetExporter&) const { return "forget_exporter"; }
  std::string_view operator()(const TrafficKeysTold&) const { return "traffic_keys"; }
  std::string_view operator()(const KeysInstalled&) const { return "keys"; }
  std::string_view operator()(const Secret&) const { return "secret"; }
  std::string_view operator()(const DataTold&) const { return "data"; }
  std::string_view operator()(const EarlyDataTold&) const { return "early_data"; }
  std::string_view operator()(const CredentialAsked&) const { return "select_credential"; }
  std::string_view operator()(const SignatureAsked&) const { return "sign"; }
  std::string_view operator()(const DecryptionAsked&) const { return "decrypt"; }
  std::string_view operator()(const ComputationAsked&) const { return "compute"; }
  std::string_view operator()(const ConfigAsked&) const { return "select_config"; }
  std::string_view operator()(const PskAsked&) const { return "select_psk"; }
  std::string_view operator()(const PskLookupAsked&) const { return "find_psk"; }
  std::string_view operator()(const VerdictAsked&) const { return "verify_peer"; }
  std::string_view operator()(const TicketOpeningAsked&) const { return "open_ticket"; }
  std::string_view operator()(const EarlyDataAsked&) const { return "accept_early_data"; }
  std::string_view operator()(const TicketSealingAsked&) const { return "seal_ticket"; }
  std::string_view operator()(const Completed&) const { return "complete"; }
  std::string_view operator()(const SessionTold&) const { return "session"; }
  std::string_view operator()(const PeerClosedTold&) const { return "peer_closed"; }
  std::string_view operator()(const PeerKeysTold&) const { return "peer_key_updated"; }
  std::string_view operator()(const RefusalTold&) const { return "renegotiation_refused"; }
  std::string_view operator()(const SecretTold&) const { return "secret_logged"; }
  std::string_view operator()(const FailureTold&) const { return "failed"; }
  std::string_view operator()(const Started&) const { return "started"; }
  std::string_view operator()(const Consumed&) const { return "consumed"; }
  std::string_view operator()(const Transmitted&) const { return "transmitted"; }
  std::string_view operator()(const SealDone&) const { return "sealed"; }
  std::string_view operator()(const Done&) const { return "done"; }
  std::string_view operator()(const Stopped&) const { return "stopped"; }
};

}  // namespace

std::string_view name(const Entry& entry) noexcept { return std::visit(Words{}, entry); }

namespace {

struct Severities {
  Severity operator()(const FailureTold&) const { return Severity::error; }
  Severity operator()(const Started& e) const { return e.failed ? Severity::error : Severity::debug; }
  Severity operator()(const AlertRecord& e) const {
    // RFC 9846 6.2 calls these errors; RFC 9846 6.1 and RFC 5746 4.5 the others no more than a closure or a refusal.
    const bool closes = e.alert == Alert::close_notify || e.alert == Alert::user_canceled;
    return closes || e.alert == Alert::no_renegotiation ? Severity::notice : Severity::error;
  }
  Severity operator()(const Cancel&) const { return Severity::notice; }
  Severity operator()(const TokenDropped&) const { return Severity::notice; }
  Severity operator()(const RefusalTold&) const { return Severity::notice; }
  Severity operator()(const Stopped&) const { return Severity::notice; }
  Severity operator()(const StartClient&) const { return Severity::info; }
  Severity operator()(const StartServer&) const { return Severity::info; }
  Severity operator()(const Completed&) const { return Severity::info; }
  Severity operator()(const SessionTold&) const { return Severity::info; }
  Severity operator()(const PeerKeysTold&) const { return Severity::info; }
  Severity operator()(const UpdateKeys&) const { return Severity::info; }
  Severity operator()(const Renegotiate&) const { return Severity::info; }
  Severity operator()(const PeerClosedTold&) const { return Severity::info; }
  Severity operator()(const Close&) const { return Severity::info; }
  template <class E>
  Severity operator()(const E&) const {
    return Severity::debug;
  }
};

}  // namespace

Severity severity(const Entry& entry) noexcept { return std::visit(Severities{}, entry); }

std::string to_text(const Entry& entry) {
  const std::string details = std::visit(Details{}, entry);
  return details.empty() ? std::string(name(entry)) : std::string(name(entry)) + " " + details;
}

}  // namespace lockstep::trace
