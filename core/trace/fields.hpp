#pragma once
// The entries of a tape, field by field: one list for each, which is written, measured, read and counted by the
// archives below, so that they cannot disagree. Kinds and fields are the format: docs/tape.md.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <lockstep/trace.hpp>

namespace lockstep::trace {

/// The number of an entry on the tape.
template <class E>
inline constexpr std::uint8_t kKind = 0;
template <>
inline constexpr std::uint8_t kKind<Configuration> = 0x01;
template <>
inline constexpr std::uint8_t kKind<StartClient> = 0x02;
template <>
inline constexpr std::uint8_t kKind<StartServer> = 0x03;
template <>
inline constexpr std::uint8_t kKind<Receive> = 0x10;
template <>
inline constexpr std::uint8_t kKind<ReceiveEnd> = 0x11;
template <>
inline constexpr std::uint8_t kKind<Transmit> = 0x12;
template <>
inline constexpr std::uint8_t kKind<Seal> = 0x13;
template <>
inline constexpr std::uint8_t kKind<SealInPlace> = 0x14;
template <>
inline constexpr std::uint8_t kKind<SealEarly> = 0x15;
template <>
inline constexpr std::uint8_t kKind<AnswerCredential> = 0x18;
template <>
inline constexpr std::uint8_t kKind<AnswerSignature> = 0x19;
template <>
inline constexpr std::uint8_t kKind<AnswerDecryption> = 0x1e;
template <>
inline constexpr std::uint8_t kKind<AnswerComputation> = 0x1f;
template <>
inline constexpr std::uint8_t kKind<AnswerPsk> = 0x28;
template <>
inline constexpr std::uint8_t kKind<AnswerPskLookup> = 0x29;
template <>
inline constexpr std::uint8_t kKind<AnswerConfig> = 0x2a;
template <>
inline constexpr std::uint8_t kKind<ConfigAsked> = 0x4b;
template <>
inline constexpr std::uint8_t kKind<AnswerVerdict> = 0x1a;
template <>
inline constexpr std::uint8_t kKind<AnswerTicketOpened> = 0x1b;
template <>
inline constexpr std::uint8_t kKind<AnswerTicketSealed> = 0x1c;
template <>
inline constexpr std::uint8_t kKind<AnswerEarlyData> = 0x1d;
template <>
inline constexpr std::uint8_t kKind<Close> = 0x20;
template <>
inline constexpr std::uint8_t kKind<Cancel> = 0x21;
template <>
inline constexpr std::uint8_t kKind<UpdateKeys> = 0x22;
template <>
inline constexpr std::uint8_t kKind<Offload> = 0x23;
template <>
inline constexpr std::uint8_t kKind<Renegotiate> = 0x24;
template <>
inline constexpr std::uint8_t kKind<ForgetExporter> = 0x2f;
template <>
inline constexpr std::uint8_t kKind<SetMaxSendFragment> = 0x25;
template <>
inline constexpr std::uint8_t kKind<Draw> = 0x30;
template <>
inline constexpr std::uint8_t kKind<TokenDropped> = 0x31;
template <>
inline constexpr std::uint8_t kKind<Message> = 0x40;
template <>
inline constexpr std::uint8_t kKind<ChangeCipherSpec> = 0x41;
template <>
inline constexpr std::uint8_t kKind<AlertRecord> = 0x42;
template <>
inline constexpr std::uint8_t kKind<StateEntered> = 0x43;
template <>
inline constexpr std::uint8_t kKind<KeysInstalled> = 0x44;
template <>
inline constexpr std::uint8_t kKind<Secret> = 0x45;
template <>
inline constexpr std::uint8_t kKind<DataTold> = 0x50;
template <>
inline constexpr std::uint8_t kKind<CredentialAsked> = 0x51;
template <>
inline constexpr std::uint8_t kKind<SignatureAsked> = 0x52;
template <>
inline constexpr std::uint8_t kKind<DecryptionAsked> = 0x5f;
template <>
inline constexpr std::uint8_t kKind<ComputationAsked> = 0x4c;
template <>
inline constexpr std::uint8_t kKind<PskAsked> = 0x4e;
template <>
inline constexpr std::uint8_t kKind<PskLookupAsked> = 0x4f;
template <>
inline constexpr std::uint8_t kKind<VerdictAsked> = 0x53;
template <>
inline constexpr std::uint8_t kKind<TicketOpeningAsked> = 0x54;
template <>
inline constexpr std::uint8_t kKind<TicketSealingAsked> = 0x55;
template <>
inline constexpr std::uint8_t kKind<Completed> = 0x56;
template <>
inline constexpr std::uint8_t kKind<SessionTold> = 0x57;
template <>
inline constexpr std::uint8_t kKind<PeerClosedTold> = 0x58;
template <>
inline constexpr std::uint8_t kKind<PeerKeysTold> = 0x59;
template <>
inline constexpr std::uint8_t kKind<SecretTold> = 0x5a;
template <>
inline constexpr std::uint8_t kKind<FailureTold> = 0x5b;
template <>
inline constexpr std::uint8_t kKind<TrafficKeysTold> = 0x5c;
template <>
inline constexpr std::uint8_t kKind<EarlyDataTold> = 0x5d;
template <>
inline constexpr std::uint8_t kKind<EarlyDataAsked> = 0x5e;
template <>
inline constexpr std::uint8_t kKind<RefusalTold> = 0x4d;
template <>
inline constexpr std::uint8_t kKind<Started> = 0x60;
template <>
inline constexpr std::uint8_t kKind<Consumed> = 0x61;
template <>
inline constexpr std::uint8_t kKind<Transmitted> = 0x62;
template <>
inline constexpr std::uint8_t kKind<SealDone> = 0x63;
template <>
inline constexpr std::uint8_t kKind<Done> = 0x64;
template <>
inline constexpr std::uint8_t kKind<Stopped> = 0x7f;

// `fields(archive, entry)`: every field in the order in which it is written. `entry` is const for those that write.

template <class E, class Of>
concept Is = std::same_as<std::remove_const_t<E>, Of>;

template <class A>
void fields(A& a, Is<Settings> auto& s) {
  a.choice(s.role, 1);
  a.code(s.min_version);
  a.code(s.max_version);
  a.list(s.suites, [&a](auto& suite) { a.code(suite.suite); });
  a.list(s.groups, [&a](auto& group) { a.code(group.id); });
  a.list(s.key_shares, [&a](auto& group) { a.code(group); });
  a.list(s.schemes, [&a](auto& scheme) { a.code(scheme); });
  a.list(s.schemes_cert, [&a](auto& scheme) { a.code(scheme); });
  a.choice(s.client_auth, 2);
  a.boolean(s.hardware_aware);
  a.boolean(s.server_preference);
  a.boolean(s.middlebox_compatibility);
  a.boolean(s.grease);
  a.boolean(s.cookie);
  a.boolean(s.send_tickets);
  a.boolean(s.resumption);
  a.boolean(s.key_log);
  a.boolean(s.skip_verification);
  a.boolean(s.dynamic_record_sizing);
  a.number(s.ticket_count);
  a.number(s.ticket_lifetime);
  a.padding(s.padding);
  a.number(s.max_send_fragment);
  a.number(s.key_update_bytes);
  a.number(s.max_handshake_message, kMaxHandshakeMemory);
  a.number(s.handshake_memory, kMaxHandshakeMemory);
  a.boolean(s.ocsp_stapling);
  a.boolean(s.signed_certificate_timestamps);
  a.boolean(s.verify_on_resumption);
  a.number(s.early_data);
  a.number(s.early_data_tolerance);
  a.list(s.signing_schemes, [&a](auto& scheme) { a.code(scheme); });
  a.list(s.session_context, [&a](auto& byte) { a.number(byte); });
  a.number(s.max_authentication_age);
  a.boolean(s.retry_for_group);
  a.boolean(s.tickets_without_modes);
  a.boolean(s.session_ids);
  a.boolean(s.encrypt_then_mac);
  a.boolean(s.extended_main_secret_required);
  a.boolean(s.renegotiation_info_required);
}

template <class A>
void fields(A& a, Is<Configuration> auto& e) {
  fields(a, e.settings);
  a.contents(e.alpn);
  a.contents(e.certificate_authorities);
  a.text(e.provider);
  a.list(e.implementations, [&a](auto& implementation) { a.text(implementation); });
  // Settings that are younger than the tapes that are kept: a tape whose entry ends here is of a connection that had
  // their defaults. One line for each, `if (a.more()) a.boolean(e.settings.x);`, the newest last.
  if (a.more()) a.number(e.settings.min_dh_bits, kMaxDhBits);
  if (a.more()) a.boolean(e.settings.unknown_dh_groups);
  if (a.more()) a.list(e.settings.dh_parameters.p, [&a](auto& byte) { a.number(byte); });
  if (a.more()) a.list(e.settings.dh_parameters.g, [&a](auto& byte) { a.number(byte); });
  if (a.more()) a.choice(e.settings.renegotiation, 2);
  if (a.more()) a.number(e.settings.renegotiation_limit);
  if (a.more()) a.number(e.settings.renegotiation_window);
  if (a.more()) a.number(e.settings.record_size_limit);
  if (a.more()) a.number(e.settings.max_fragment_length);
  if (a.more()) a.boolean(e.settings.accept_max_fragment_length);
  if (a.more()) a.boolean(e.settings.expose_master_secret);
  if (a.more()) a.contents(e.next_protocols);
  if (a.more()) a.boolean(e.settings.false_start);
  if (a.more()) a.list(e.settings.psk_identity_hint, [&a](auto& byte) { a.number(byte); });
  if (a.more()) a.boolean(e.settings.tell_unknown_psk);
  if (a.more()) a.list(e.settings.equal_suites, [&a](auto& suite) { a.code(suite); });
  if (a.more()) a.boolean(e.settings.renegotiation_ends);
  if (a.more()) a.boolean(e.settings.false_start_without_alpn);
  if (a.more()) a.boolean(e.settings.fallback_scsv);
  if (a.more()) a.boolean(e.settings.hand_out_computations);
  if (a.more()) a.choice(e.settings.profile, 1);
  if (a.more()) a.boolean(e.settings.select_config);
  if (a.more())
    a.boolean(e.settings.server_preference_of_groups);
  else if constexpr (!std::is_const_v<std::remove_reference_t<decltype(e)>>)
    e.settings.server_preference_of_groups = e.settings.server_preference;  // one switch was for both
  if (a.more()) a.choice(e.settings.external_psks, 2);
  if (a.more()) a.choice(e.settings.psk_without_dhe, 2);
  if (a.more()) a.boolean(e.settings.ticket_request);
  if (a.more()) a.number(e.settings.new_session_count);
  if (a.more()) a.number(e.settings.resumption_count);
  if (a.more()) a.number(e.settings.max_requested_tickets);
  if (a.more()) a.list(e.settings.certificate_codecs, [&a](auto& codec) { a.code(codec.algorithm); });
  if (a.more()) a.boolean(e.settings.server_grease);
}
template <class A>
void fields(A& a, Is<StartClient> auto& e) {
  a.time(e.now);
  a.choice(e.kind, 3);
  a.content(e.name);
  a.contents(e.sessions);
  a.content(e.verification);
  a.content(e.server_name);
}
template <class A>
void fields(A& a, Is<StartServer> auto& e) {
  a.content(e.verification);
}
template <class A>
void fields(A& a, Is<Receive> auto& e) {
  a.time(e.now);
  a.number(e.size, kMaxRoom);
  a.number(e.kept, kMaxRoom);
  a.content(e.added);
}
template <class A>
void fields(A& a, Is<Transmit> auto& e) {
  a.time(e.now);
  a.number(e.room, kMaxRoom);
}
template <class A, class E>
  requires(Is<E, Seal> || Is<E, SealEarly>)
void fields(A& a, E& e) {
  a.time(e.now);
  a.number(e.room, kMaxRoom);
  a.contents(e.plaintext);
}
template <class A>
void fields(A& a, Is<SealInPlace> auto& e) {
  a.time(e.now);
  a.number(e.room, kMaxRoom);
  a.number(e.headroom, kMaxRoom);
  a.number(e.size, kMaxRoom);
  a.content(e.payload);
}
template <class A>
void fields(A& a, Is<AnswerCredential> auto& e) {
  a.number(e.token);
  a.boolean(e.present);
  a.contents(e.chain);
  a.list(e.schemes, [&a](auto& scheme) { a.code(scheme); });
  a.content(e.ocsp_response);
  a.content(e.sct_list);
}
template <class A>
void fields(A& a, Is<AnswerSignature> auto& e) {
  a.number(e.token);
  a.boolean(e.made);
  a.content(e.signature);
}
template <class A>
void fields(A& a, Is<AnswerDecryption> auto& e) {
  a.number(e.token);
  a.boolean(e.made);
  a.content(e.premaster);
}
template <class A>
void fields(A& a, Is<DecryptionAsked> auto& e) {
  a.number(e.token);
  a.number(e.size);
  a.number(e.hash);
}
template <class A>
void fields(A& a, Is<AnswerComputation> auto& e) {
  a.number(e.token);
  a.boolean(e.own);
}
template <class A>
void fields(A& a, Is<ComputationAsked> auto& e) {
  a.number(e.token);
  a.choice(e.what, 3);
}
template <class A>
void fields(A& a, Is<AnswerConfig> auto& e) {
  a.number(e.token);
  a.boolean(e.selected);
  a.code(e.alert);
  a.boolean(e.by_application);
  a.content(e.alpn);
  a.boolean(e.warn_unrecognized_name);
  a.boolean(e.verifies_otherwise);
  a.content(e.verification);
  a.boolean(e.another);
  if (e.another) fields(a, e.configuration);  // last, because it grows
}
template <class A>
void fields(A& a, Is<ConfigAsked> auto& e) {
  a.number(e.token);
  a.content(e.server_name);
  a.number(e.alpn);
}
template <class A>
void fields(A& a, Is<AnswerPsk> auto& e) {
  a.number(e.token);
  a.boolean(e.chosen);
  a.content(e.identity);
  a.content(e.key);
  // Tapes that are kept end here.
  if (a.more()) a.choice(e.hash, 2);
  if (a.more()) a.boolean(e.import);
  if (a.more()) a.content(e.context);
  if (a.more()) {
    a.list(e.others, [&a](auto& psk) {
      a.content(psk.identity);
      a.content(psk.key);
      a.choice(psk.hash, 2);
      a.boolean(psk.import);
      a.content(psk.context);
    });
  }
}
template <class A>
void fields(A& a, Is<AnswerPskLookup> auto& e) {
  a.number(e.token);
  a.boolean(e.found);
  a.content(e.peer_identity);
  a.content(e.key);
  if (a.more()) a.choice(e.hash, 2);
}
template <class A>
void fields(A& a, Is<PskAsked> auto& e) {
  a.number(e.token);
  a.code(e.version);
  a.content(e.server_name);
  a.content(e.identity_hint);
}
template <class A>
void fields(A& a, Is<PskLookupAsked> auto& e) {
  a.number(e.token);
  a.code(e.version);
  a.content(e.server_name);
  a.content(e.identity);
  if (a.more(e.imported)) a.boolean(e.imported);
  if (a.more(e.imported)) a.content(e.context);
}
template <class A>
void fields(A& a, Is<AnswerVerdict> auto& e) {
  a.number(e.token);
  a.boolean(e.accepted);
  a.code(e.reason);
  a.number(e.detail);
  a.content(e.identity);
  a.moment(e.expires);
  // Tapes that are kept end before these.
  const bool unverified = static_cast<bool>(e.unverified);
  if (a.more(unverified || e.alert != Alert::close_notify)) a.code(e.alert);
  if (a.more(unverified)) a.code(e.unverified.reason);
  if (a.more(unverified)) a.number(e.unverified.detail);
}
template <class A>
void fields(A& a, Is<AnswerTicketOpened> auto& e) {
  a.number(e.token);
  a.boolean(e.opened);
  a.content(e.session);
}
template <class A>
void fields(A& a, Is<AnswerEarlyData> auto& e) {
  a.number(e.token);
  a.boolean(e.accepted);
}
template <class A>
void fields(A& a, Is<AnswerTicketSealed> auto& e) {
  a.number(e.token);
  a.boolean(e.sealed);
  a.content(e.ticket);
}
template <class A>
void fields(A& a, Is<Cancel> auto& e) {
  a.code(e.why);
}
template <class A>
void fields(A& a, Is<UpdateKeys> auto& e) {
  a.boolean(e.request_peer);
}
template <class A>
void fields(A& a, Is<SetMaxSendFragment> auto& e) {
  a.number(e.bytes);
}
template <class A>
void fields(A& a, Is<Renegotiate> auto& e) {
  a.time(e.now);
  a.boolean(e.asks);
  a.choice(e.client_auth, 2);
}
template <class A>
void fields(A& a, Is<Offload> auto& e) {
  a.choice(e.direction, 1);
}
template <class A>
void fields(A& a, Is<TrafficKeysTold> auto& e) {
  a.choice(e.direction, 1);
  a.number(e.sequence);
}
template <class A>
void fields(A& a, Is<Draw> auto& e) {
  a.boolean(e.ok);
  a.content(e.bytes);
}
template <class A>
void fields(A& a, Is<Message> auto& e) {
  a.choice(e.direction, 1);
  a.code(e.type);
  a.boolean(e.retry);
  a.number(e.size);
}
template <class A>
void fields(A& a, Is<ChangeCipherSpec> auto& e) {
  a.choice(e.direction, 1);
}
template <class A>
void fields(A& a, Is<AlertRecord> auto& e) {
  a.choice(e.direction, 1);
  a.code(e.alert);
}
template <class A>
void fields(A& a, Is<StateEntered> auto& e) {
  a.text(e.name);
}
template <class A>
void fields(A& a, Is<KeysInstalled> auto& e) {
  a.choice(e.direction, 1);
  a.choice(e.protection, 3);
  a.code(e.suite);
}
template <class A, class E>
  requires(Is<E, Secret> || Is<E, SecretTold>)
void fields(A& a, E& e) {
  a.text(e.label);
  a.content(e.client_random);
  a.content(e.secret);
}
template <class A, class E>
  requires(Is<E, DataTold> || Is<E, EarlyDataTold>)
void fields(A& a, E& e) {
  a.list(e.segments, [&a](auto& size) { a.number(size); });
  a.hash(e.hash);
}
template <class A>
void fields(A& a, Is<CredentialAsked> auto& e) {
  a.number(e.token);
  a.content(e.server_name);
  a.list(e.schemes, [&a](auto& scheme) { a.code(scheme); });
  a.list(e.schemes_cert, [&a](auto& scheme) { a.code(scheme); });
  a.number(e.authorities);
  a.content(e.alpn);
  a.hash(e.hash);
  a.boolean(e.ocsp_requested);
  a.boolean(e.scts_requested);
  a.number(e.oid_filters);
}
template <class A>
void fields(A& a, Is<SignatureAsked> auto& e) {
  a.number(e.token);
  a.code(e.scheme);
  a.number(e.size);
  a.hash(e.hash);
}
template <class A>
void fields(A& a, Is<VerdictAsked> auto& e) {
  a.number(e.token);
  a.choice(e.peer, 1);
  a.list(e.chain, [&a](auto& size) { a.number(size); });
  a.content(e.name);
  a.time(e.now);
  a.hash(e.hash);
  a.number(e.ocsp_response);
  a.number(e.sct_list);
  a.boolean(e.resumed);
}
template <class A>
void fields(A& a, Is<TicketOpeningAsked> auto& e) {
  a.number(e.token);
  a.number(e.size);
  a.hash(e.hash);
}
template <class A>
void fields(A& a, Is<EarlyDataAsked> auto& e) {
  a.number(e.token);
  a.number(e.size);
  a.hash(e.hash);
}
template <class A>
void fields(A& a, Is<TicketSealingAsked> auto& e) {
  a.number(e.token);
  a.number(e.size);
  a.hash(e.hash);
}
template <class A>
void fields(A& a, Is<Completed> auto& e) {
  a.boolean(e.resumed);
  a.boolean(e.retried);
  a.content(e.server_name);
  a.list(e.chain, [&a](auto& size) { a.number(size); });
  a.code(e.version);
  a.code(e.suite);
  a.code(e.group);
  a.code(e.own_scheme);
  a.code(e.peer_scheme);
  a.content(e.alpn);
  a.hash(e.hash);
  a.number(e.ocsp_response);
  a.number(e.sct_list);
  a.choice(e.early_data, 8);
  a.content(e.peer_identity);
  a.content(e.application_data);
  // Only where it is so: what is told is compared, and tapes that are kept end before it.
  const bool unverified = static_cast<bool>(e.unverified);
  if (a.more(e.renegotiation || e.dh_bits != 0 || unverified)) a.boolean(e.renegotiation);
  if (a.more(e.dh_bits != 0 || unverified)) a.number(e.dh_bits);
  if (a.more(unverified)) a.code(e.unverified.reason);
  if (a.more(unverified)) a.number(e.unverified.detail);
}
template <class A>
void fields(A& a, Is<SessionTold> auto& e) {
  a.number(e.size);
  a.hash(e.hash);
}
template <class A>
void fields(A& a, Is<Error> auto& e) {
  a.code(e.alert);
  a.code(e.reason);
  a.code(e.place);
  a.choice(e.origin, 2);
  a.number(e.detail);
  a.evidence(e);
}
template <class A>
void fields(A& a, Is<FailureTold> auto& e) {
  fields(a, e.error);
}
template <class A>
void fields(A& a, Is<Started> auto& e) {
  a.boolean(e.failed);
  if (e.failed) fields(a, e.error);
}
template <class A>
void fields(A& a, Is<Consumed> auto& e) {
  a.number(e.size, kMaxRoom);
}
template <class A>
void fields(A& a, Is<Transmitted> auto& e) {
  a.content(e.bytes);
}
template <class A>
void fields(A& a, Is<SealDone> auto& e) {
  a.misuse(e.misuse);
  a.number(e.consumed);
  a.number(e.written);
  a.hash(e.hash);
}
template <class A>
void fields(A& a, Is<Done> auto& e) {
  a.misuse(e.misuse);
}
template <class A>
void fields(A& a, Is<Stopped> auto& e) {
  a.choice(e.cause, 2);
}
template <class A, class E>
  requires std::is_empty_v<E>
void fields(A& /*archive*/, E& /*nothing*/) {}

// --- archives that write ---------------------------------------------------------------------------------------------

/// FNV-1a. Not for anything that an attacker may choose against us.
class Hash64 {
 public:
  Hash64& add(Bytes bytes) noexcept {
    for (const std::uint8_t byte : bytes) value_ = (value_ ^ byte) * 0x100000001b3U;
    return *this;
  }
  [[nodiscard]] std::uint64_t value() const noexcept { return value_; }

 private:
  std::uint64_t value_ = 0xcbf29ce484222325U;
};

/// Zigzag: small differences are small numbers, whichever way they go.
[[nodiscard]] inline std::uint64_t folded(std::int64_t value) noexcept {
  return (static_cast<std::uint64_t>(value) << 1U) ^ static_cast<std::uint64_t>(value >> 63U);
}
[[nodiscard]] inline std::int64_t unfolded(std::uint64_t value) noexcept {
  return static_cast<std::int64_t>(value >> 1U) ^ -static_cast<std::int64_t>(value & 1U);
}

/// What writing and measuring have in common: `put(Bytes)` is Sink's.
template <class Sink>
class Outward {
 public:
  Outward(Time time, bool shapes) noexcept : time_(time), shapes_(shapes) {}

  void number(std::uint64_t value, std::uint64_t /*largest*/ = 0) {
    std::uint8_t buffer[10];
    std::size_t size = 0;
    for (; value >= 0x80; value >>= 7U) buffer[size++] = static_cast<std::uint8_t>(value | 0x80U);
    buffer[size++] = static_cast<std::uint8_t>(value);
    sink().put({buffer, size});
  }
  /// Whether the entry goes on: with what there is to say.
  [[nodiscard]] bool more(bool worth_it = true) const noexcept { return worth_it; }
  void boolean(bool value) { number(value ? 1 : 0); }
  template <class Enumeration>
  void choice(Enumeration value, std::uint64_t /*largest*/) {
    number(static_cast<std::uint64_t>(value));
  }
  template <class CodePoint>
  void code(CodePoint value) {
    number(static_cast<std::uint64_t>(value));
  }
  void padding(PaddingPolicy policy) { number(policy.block()); }
  /// A time that is none of a call's.
  void moment(Time time) { number(folded(time.time_since_epoch().count())); }
  void time(Time now) {
    // Modulo 2^64, so that no two times are too far apart.
    const auto ticks = [](Time time) { return static_cast<std::uint64_t>(time.time_since_epoch().count()); };
    number(folded(static_cast<std::int64_t>(ticks(now) - ticks(time_))));
    time_ = now;
  }
  void content(const Content& content) {
    number(content.size);
    if (!shapes_) sink().put(content.bytes);
  }
  void contents(const std::vector<Content>& list) {
    this->list(list, [this](const Content& each) { content(each); });
  }
  template <class Element, class Each>
  void list(const std::vector<Element>& elements, Each each) {
    number(elements.size());
    for (const Element& element : elements) each(element);
  }
  void text(std::string_view text) {
    number(text.size());
    sink().put(as_bytes(text));
  }
  void hash(std::uint64_t value) {
    if (shapes_) return;
    std::uint8_t bytes[8];
    for (std::uint8_t& byte : bytes) {
      byte = static_cast<std::uint8_t>(value);
      value >>= 8U;
    }
    sink().put(bytes);
  }
  void misuse(const std::optional<Misuse>& misuse) { number(misuse ? 1 + static_cast<std::uint64_t>(*misuse) : 0); }
  void evidence(const Error& error) { content(Bytes(error.evidence).first(error.evidence_size)); }

  [[nodiscard]] Time last_time() const noexcept { return time_; }

 private:
  [[nodiscard]] Sink& sink() noexcept { return static_cast<Sink&>(*this); }
  Time time_;
  bool shapes_;
};

class Measure : public Outward<Measure> {
 public:
  using Outward::Outward;
  void put(Bytes bytes) noexcept { size_ += bytes.size(); }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }

 private:
  std::size_t size_ = 0;
};

/// Into room that was measured.
class Write : public Outward<Write> {
 public:
  Write(Time time, bool shapes, MutableBytes out) noexcept : Outward(time, shapes), out_(out) {}
  void put(Bytes bytes) noexcept {
    std::ranges::copy(bytes, out_.begin());
    out_ = out_.subspan(bytes.size());
  }

 private:
  MutableBytes out_;
};

}  // namespace lockstep::trace
