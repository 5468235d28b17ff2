#include "handshake/server13.hpp"

#include <algorithm>
#include <array>
#include <new>
#include <utility>

#include "codec/certificate_request.hpp"
#include "codec/encrypted_extensions.hpp"
#include "codec/new_session_ticket.hpp"
#include "codec/server_hello.hpp"
#include "handshake/computation.hpp"
#include "handshake/hello.hpp"
#include "handshake/negotiation.hpp"
#include "handshake/record_limits.hpp"
#include "key_schedule/key_log.hpp"

namespace lockstep::handshake::server13 {
namespace {

namespace key_log = key_schedule::key_log;

constexpr std::size_t kCookieSize = 32;
// Identities beyond these are not looked at: each costs the application a look-up. Clients offer one or two. As many
// tickets, and as many external PSKs.
constexpr std::uint16_t kMaxIdentitiesTried = 4;

// How PSKs of this client establish keys; nothing: not at all.
// RFC 9846 4.3.9: "Servers MUST NOT select a key exchange mode that is not listed by the client."
// RFC 9846 4.2.1: "If the server selects a PSK, then it MUST also select a key establishment mode from the list
// indicated by the client's "psk_key_exchange_modes" extension"
std::optional<PskKeyExchangeMode> psk_mode(const Context& context, const codec::ClientHello& hello) noexcept {
  const auto& modes = hello.psk_key_exchange_modes;
  if (!modes) return std::nullopt;
  const PskWithoutDhe without = context.settings().psk_without_dhe;
  const bool dhe = modes->contains(PskKeyExchangeMode::psk_dhe_ke);
  const bool plain = without != PskWithoutDhe::never && modes->contains(PskKeyExchangeMode::psk_ke);
  if (plain && (!dhe || without == PskWithoutDhe::prefer)) return PskKeyExchangeMode::psk_ke;
  return dhe ? std::optional(PskKeyExchangeMode::psk_dhe_ke) : std::nullopt;
}

bool offers_psks(const Context& context, const codec::ClientHello& hello) noexcept {
  return hello.pre_shared_key && psk_mode(context, hello);
}

bool offers_resumption(const Context& context, const codec::ClientHello& hello) noexcept {
  return context.settings().resumption && offers_psks(context, hello);
}

codec::PskIdentity identity_at(const codec::ClientHello& hello, std::size_t place) noexcept {
  auto offered = hello.pre_shared_key->identities.begin();
  for (std::size_t skip = 0; skip < place; ++skip) ++offered;
  return *offered;
}

// How many of a client's identities may be tickets: those before the external PSK that was found, which it likes less.
std::size_t tickets_to_try(const Negotiated& negotiated) noexcept {
  const std::size_t offered =
      negotiated.psk == nullptr ? negotiated.hello.pre_shared_key->identities.size() : negotiated.psk_identity;
  return std::min<std::size_t>(offered, kMaxIdentitiesTried);
}

void ask_ticket(Context& context, const Negotiated& negotiated, std::uint16_t identity) noexcept {
  const codec::PskIdentity offered = identity_at(negotiated.hello, identity);
  context.ask(OpenTicket{.token = {},
                         .ticket = offered.identity,
                         .obfuscated_ticket_age = offered.obfuscated_ticket_age,
                         .now = context.now,
                         .client_hello = negotiated.message});
}

// Why there is no pre-shared key where the configuration insists on one.
Reason lacking_psk(const Context& context, const codec::ClientHello& hello) noexcept {
  if (!offers_psks(context, hello)) return Reason::psk_missing;
  // RFC 9846 6.2, of unknown_psk_identity: "Sending this alert is OPTIONAL; servers MAY instead choose to send a
  // "decrypt_error" alert to merely indicate an invalid PSK identity."
  return context.settings().tell_unknown_psk ? Reason::psk_identity_unknown : Reason::psk_unacceptable;
}

void ask_credential(Context& context, const Negotiated& negotiated) noexcept {
  const codec::ClientHello& hello = negotiated.hello;
  if (context.settings().external_psks == ExternalPsks::require) return context.stop(lacking_psk(context, hello));
  // Without groups there was only the way without (EC)DHE.
  if (negotiated.group == nullptr)
    return context.stop(Reason::extension_missing, static_cast<std::uint16_t>(ExtensionType::supported_groups));
  // RFC 9846 4.3.3: "Clients which desire the server to authenticate itself via a certificate MUST send the
  // "signature_algorithms" extension. If a server is authenticating via a certificate and the client has not sent a
  // "signature_algorithms" extension, then the server MUST abort the handshake with a "missing_extension" alert".
  if (!hello.signature_algorithms)
    return context.stop(Reason::extension_missing, static_cast<std::uint16_t>(ExtensionType::signature_algorithms));
  const auto schemes = keep_for_handshake(context, *hello.signature_algorithms);
  const auto schemes_cert = keep(context, hello.signature_algorithms_cert.value_or(*hello.signature_algorithms));
  if (!schemes || !schemes_cert) return context.stop(Reason::handshake_too_large);
  if (auto shared = share_schemes(context, *schemes); !shared) return context.stop(shared.error());
  ask_server_credential(context, hello, *schemes, *schemes_cert);
}

// A ClientHello with a usable share: resume if the client offers to, else authenticate.
Next<WaitTicketOpened, WaitCredential> proceed(Negotiated&& negotiated, Context& context) {
  if (auto chosen = choose_alpn(context, negotiated.hello); !chosen) return std::unexpected(chosen.error());
  if (offers_resumption(context, negotiated.hello)) {
    ask_ticket(context, negotiated, 0);
    return WaitTicketOpened{std::move(negotiated), 0};
  }
  ask_credential(context, negotiated);
  return WaitCredential{std::move(negotiated)};
}

// Why early data is not taken; nobody asks further where the configuration takes none.
EarlyDataStatus not_taken(const Context& context, EarlyDataStatus reason) noexcept {
  return context.settings().early_data == 0 ? EarlyDataStatus::disabled : reason;
}

std::expected<WaitSecondClientHello, Error> retry(Context& context, const codec::ClientHello& hello,
                                                  const BoundGroup* group, bool share_missing, const ExternalPsk* psk) {
  codec::HelloRetryRequestParameters request;
  request.legacy_session_id_echo = hello.legacy_session_id;
  request.cipher_suite = context.agreed.suite->suite;
  if (share_missing) request.selected_group = group->id;
  if (context.settings().cookie) {
    const auto cookie = context.draw(kCookieSize);
    if (!cookie) return std::unexpected(cookie.error());
    request.cookie = *cookie;
  }
  // What has arrived behind a ClientHello was not written in answer to ours.
  if (!context.inbox.empty()) return context.fail(Reason::message_unexpected);
  context.hash_message();
  if (!context.transcript.replace_with_message_hash()) return context.fail(Reason::provider_failed);
  context.send(Level::initial, 256,
               [&](codec::Writer& writer) { return codec::encode_hello_retry_request(writer, request); });
  context.end_flight();
  if (hello.early_data) {
    context.transport.skip_early_data();
    context.agreed.early_data = not_taken(context, EarlyDataStatus::retried);
  }
  context.agreed.retried = true;
  return WaitSecondClientHello{context.message.subspan(codec::kHandshakeHeaderSize), group, share_missing,
                               request.cookie, psk};
}

// RFC 9846 4.2.2: what a second ClientHello may change: key_share, early_data, cookie, pre_shared_key and padding.
bool may_change(ExtensionType type) noexcept {
  switch (type) {
    case ExtensionType::key_share:
    case ExtensionType::early_data:
    case ExtensionType::cookie:
    case ExtensionType::pre_shared_key:
    case ExtensionType::padding: return true;
    default: return false;
  }
}

bool same_but_for_the_retry(const codec::ClientHello& first, const codec::ClientHello& second) noexcept {
  if (!equal(first.random, second.random) || !equal(first.legacy_session_id, second.legacy_session_id) ||
      !equal(first.cipher_suites.raw(), second.cipher_suites.raw()) ||
      !equal(first.legacy_compression_methods, second.legacy_compression_methods) ||
      first.legacy_version != second.legacy_version)
    return false;
  auto before = first.extensions.begin();
  auto after = second.extensions.begin();
  const auto skip = [](auto& it) {
    while (it != std::default_sentinel && may_change(it->type)) ++it;
  };
  for (;; ++before, ++after) {
    skip(before);
    skip(after);
    if (before == std::default_sentinel || after == std::default_sentinel)
      return before == std::default_sentinel && after == std::default_sentinel;
    if (before->type != after->type || !equal(before->data, after->data)) return false;
  }
}

// The keys that early data comes under. The transcript holds ClientHello.
void accept_early_data(Context& context, const key_schedule::EarlySecret& early, std::uint32_t limit) noexcept {
  const auto transcript = context.transcript_hash();
  if (!transcript) return context.stop(transcript.error());
  const auto traffic = early.client_early_traffic_secret(*transcript);
  if (!traffic) return context.stop(Reason::provider_failed);
  context.log_secret(key_log::kClientEarlyTrafficSecret, *traffic);
  // RFC 9846 4.3.10: "If the server chooses to accept the "early_data" extension, then it MUST comply with the same
  // error-handling requirements specified for all records when processing early data records. Specifically, if the
  // server fails to decrypt a 0-RTT record following an accepted "early_data" extension, it MUST terminate the
  // connection with a "bad_record_mac" alert"
  context.transport.allow_early_data(limit);
  context.install(Level::early_data, Direction::receive, *traffic);
}

// What comes before ServerHello, whose share is still to be made.
Status prepare_server_hello(Context& context) noexcept {
  // A share that is no good came with ClientHello.
  context.place = Place::client_hello;
  // RFC 9846 4.2.3: "the remaining bytes MUST be random. This structure is generated by the server and MUST be
  // generated independently of the ClientHello.random."
  if (!context.random.fill(context.server_random)) return context.fail(Reason::random_failed);
  return {};
}

// ServerHello, and the keys that it leads to. `psk` is empty in a full handshake. `early_data_limit` counts when early
// data was accepted. Without a share of ours it is the PSK alone that they are made of.
std::expected<Keys, Error> send_server_hello(Context& context, const Negotiated& negotiated, const SecretMade& made,
                                             Bytes psk, std::optional<std::uint16_t> selected_identity,
                                             std::uint32_t early_data_limit = 0) noexcept {
  const NamedGroup group = made.share.empty() && made.result == GroupResult::ok ? NamedGroup{} : negotiated.group->id;
  if (auto checked = check(context, made, group); !checked) return std::unexpected(checked.error());
  context.agreed.group = group;
  std::optional<key_schedule::EarlySecret> early;
  if (!psk.empty()) {
    early = key_schedule::EarlySecret::from_psk(*context.agreed.suite->hash, psk);
    if (!early) return context.fail(Reason::provider_failed);
  }
  // RFC 9846 4.3.10: "A server which receives an "early_data" extension MUST behave in one of three ways": ignore it
  // and skip what comes, ask for another ClientHello, or take it.
  const bool early_data = context.agreed.early_data == EarlyDataStatus::accepted;
  if (early_data) {
    accept_early_data(context, *early, early_data_limit);
  } else if (negotiated.hello.early_data) {
    context.transport.skip_early_data();
  }

  codec::ServerHelloParameters hello;
  hello.random = context.server_random;
  hello.legacy_session_id_echo = negotiated.hello.legacy_session_id;
  hello.cipher_suite = context.agreed.suite->suite;
  // RFC 9846 4.3.8: "Servers MUST NOT send a KeyShareEntry for any group not indicated in the client's
  // "supported_groups" extension and MUST NOT send a KeyShareEntry when using the "psk_ke" PskKeyExchangeMode."
  // RFC 9846 4.3.9: "the client and server MUST supply "key_share" values as described in Section 4.3.8."
  if (!made.share.empty()) hello.key_share = codec::KeyShareEntry{group, made.share};
  hello.selected_identity = selected_identity;
  agree_on_record_limits(context, negotiated.hello, nullptr);
  context.send(Level::initial, 256 + made.share.size(),
               [&](codec::Writer& writer) { return codec::encode_server_hello(writer, hello); });

  auto secrets = derive_handshake_secrets(context, std::move(early), made.secret);
  if (!secrets) return std::unexpected(secrets.error());
  context.install(Level::handshake, Direction::send, secrets->traffic.server);
  context.install(Level::handshake, Direction::receive, secrets->traffic.client);

  const bool tickets = negotiated.hello.psk_key_exchange_modes ? psk_mode(context, negotiated.hello).has_value()
                                                               : context.settings().tickets_without_modes;
  return Keys{std::move(secrets->main), std::move(secrets->traffic), tickets};
}

// How many tickets a client gets that says how many it wants (RFC 9149); nothing: as many as any other.
std::optional<std::uint8_t> tickets_requested(const Context& context, const codec::ClientHello& hello) noexcept {
  const Settings& settings = context.settings();
  if (!hello.ticket_request || !settings.send_tickets || !settings.resumption || !psk_mode(context, hello))
    return std::nullopt;
  const std::uint8_t wanted =
      context.agreed.resumed ? hello.ticket_request->resumption_count : hello.ticket_request->new_session_count;
  const std::uint8_t most =
      settings.max_requested_tickets != 0 ? settings.max_requested_tickets : settings.ticket_count;
  return std::min(wanted, most);
}

void send_encrypted_extensions(Context& context, const codec::ClientHello& hello) noexcept {
  codec::EncryptedExtensionsParameters message;
  // RFC 6066 3: "A server that receives a client hello containing the "server_name" extension MAY use the information
  // ... In this event, the server SHALL include an extension of type "server_name" in the (extended) server hello." Not
  // when resuming (RFC 9846 leaves no need for it: the name was agreed then).
  message.server_name = !context.server_name.empty() && !context.agreed.resumed;
  // RFC 9846 4.3.10: "If any of these checks fail, the server MUST NOT respond with the extension"
  message.early_data = context.agreed.early_data == EarlyDataStatus::accepted;
  if (context.agreed.alpn != nullptr) message.application_layer_protocol_negotiation = as_bytes(*context.agreed.alpn);
  context.tickets_requested = tickets_requested(context, hello);
  message.expected_count = context.tickets_requested;
  if (context.agreed.record_size_limit != 0) message.record_size_limit = context.agreed.record_size_limit;
  if (context.agreed.max_fragment_length != 0) message.max_fragment_length = context.agreed.max_fragment_length;
  context.send(Level::handshake, 64 + message.application_layer_protocol_negotiation.size(),
               [&](codec::Writer& writer) { return codec::encode_encrypted_extensions(writer, message); });
}

void send_certificate_request(Context& context) noexcept {
  const Settings& settings = context.settings();
  const auto authorities = context.arena.array<Bytes>(settings.certificate_authorities.size());
  if (authorities.size() != settings.certificate_authorities.size()) return context.stop(Reason::handshake_too_large);
  std::ranges::transform(settings.certificate_authorities, authorities.begin(),
                         [](const auto& name) { return Bytes(name); });
  // RFC 9846 4.5.2: "The SHA-1 algorithm MUST NOT be used in any signatures of CertificateVerify messages."
  const auto schemes = context.arena.array<SignatureScheme>(settings.schemes.size() + 1);
  const auto compression = decompressed_here(context);
  if (schemes.empty() || !compression) return context.stop(Reason::handshake_too_large);
  auto end = schemes.begin();
  std::array<std::uint8_t, 2> grease{};
  if (settings.server_grease) {
    if (!context.random.fill(grease)) return context.stop(Reason::random_failed);
    // RFC 8701 4.1: "A server MAY select one or more GREASE signature algorithm values and advertise them in the
    // "signature_algorithms" or "signature_algorithms_cert" extensions, if present."
    *end++ = static_cast<SignatureScheme>(codec::grease_value(grease[0]));
  }
  end = std::ranges::remove_copy_if(settings.schemes, end, [](SignatureScheme scheme) {
          return is_insecure(scheme);
        }).out;
  std::size_t size = 256 + 2 * (settings.schemes.size() + settings.schemes_cert.size() + compression->size());
  for (const Bytes name : authorities) size += 2 + name.size();
  const codec::CertificateRequestParameters message{
      // RFC 9846 4.4.2: "The certificate_request_context MUST be unique within the scope of this connection": the only
      // one is empty.
      .certificate_request_context = {},
      .signature_algorithms = schemes.first(static_cast<std::size_t>(end - schemes.begin())),
      .signature_algorithms_cert = settings.schemes_cert,
      .certificate_authorities = authorities,
      .status_request = settings.ocsp_stapling,
      .signed_certificate_timestamp = settings.signed_certificate_timestamps,
      .compress_certificate = *compression,
      // RFC 8701 4.1: "A server MAY select one or more GREASE extension values and advertise them as extensions with
      // varying length and contents."
      .grease_extension = settings.server_grease ? std::optional(codec::grease_value(grease[1])) : std::nullopt};
  if (message.status_request) context.offered.insert(ExtensionType::status_request);
  if (message.signed_certificate_timestamp) context.offered.insert(ExtensionType::signed_certificate_timestamp);
  context.send(Level::handshake, size,
               [&](codec::Writer& writer) { return codec::encode_certificate_request(writer, message); });
}

// Our Finished ends our flight: application data may follow it, the client's is still to come.
std::expected<Established, Error> finish_flight(Keys&& keys, Context& context) noexcept {
  send_finished(context, keys.handshake_traffic.server);
  const auto transcript = context.transcript_hash();
  if (!transcript) return std::unexpected(transcript.error());
  auto secrets = keys.main.application_secrets(*transcript);
  if (!secrets) return context.fail(Reason::provider_failed);
  context.log_application_secrets(*secrets);
  context.end_flight();
  // RFC 9846 4.5.3: "Any records following a Finished message MUST be encrypted under the appropriate application
  // traffic key"
  context.install(Level::application, Direction::send, secrets->traffic.server);
  context.secrets13().write_traffic = std::move(secrets->traffic.server);
  context.secrets13().exporter = std::move(secrets->exporter);
  return Established{std::move(keys), std::move(secrets->traffic.client)};
}

// What becomes of early data that came with a session which is resumed: accepted, if the application does.
EarlyDataStatus judge_early_data(const Context& context, const Negotiated& negotiated, const Session& session,
                                 std::uint16_t identity) noexcept {
  if (context.agreed.retried) return context.agreed.early_data;
  if (!negotiated.hello.early_data) return EarlyDataStatus::none;
  if (identity != 0) return not_taken(context, EarlyDataStatus::not_resumed);
  if (context.settings().early_data == 0) return EarlyDataStatus::disabled;
  // RFC 9846 4.3.10: "In order to accept early data, the server MUST have selected ... the first key offered in the
  // client's "pre_shared_key" extension. In addition, it MUST verify that the following values are the same as those
  // associated with the selected PSK": the version, the cipher suite and the ALPN protocol, if any.
  if (session.max_early_data == 0 || session.suite != context.agreed.suite->suite)
    return EarlyDataStatus::not_for_session;
  if (session.alpn != context.agreed.protocol()) return EarlyDataStatus::other_alpn;
  // RFC 9846 4.3.10: "For PSKs provisioned via NewSessionTicket, a server MUST validate that the ticket age for the
  // selected PSK identity ... is within a small tolerance of the time since the ticket was issued".
  const auto stated = session.stated_age((*negotiated.hello.pre_shared_key->identities.begin()).obfuscated_ticket_age);
  const auto seen = context.now - session.issued_at;
  const std::chrono::seconds tolerance{context.settings().early_data_tolerance};
  if (stated > seen + tolerance || stated + tolerance < seen) return EarlyDataStatus::age_implausible;
  return EarlyDataStatus::accepted;
}

// RFC 9846 4.3.11: "Prior to accepting PSK key establishment, the server MUST validate the corresponding binder value
// ... If this value is not present or does not validate, the server MUST abort the handshake."
// RFC 9846 4.3.11: "Servers SHOULD NOT attempt to validate multiple binders; rather, they SHOULD select a single PSK
// and validate solely the binder that corresponds to that PSK."
Status check_binder(Context& context, const Negotiated& negotiated, std::uint16_t identity, key_schedule::PskKind kind,
                    Bytes key) noexcept {
  const codec::OfferedPsks& offered = *negotiated.hello.pre_shared_key;
  auto binder = offered.binders.begin();
  for (std::uint16_t skip = 0; skip < identity; ++skip) ++binder;

  const Hash& hash = *context.agreed.suite->hash;
  context.transcript.update(negotiated.message.first(offered.binders_offset));
  const auto transcript = context.transcript_hash();
  if (!transcript) return std::unexpected(transcript.error());
  context.transcript.update(negotiated.message.subspan(offered.binders_offset));

  const auto early = key_schedule::EarlySecret::from_psk(hash, key);
  if (!early) return context.fail(Reason::provider_failed);
  const auto expected = early->binder(kind, *transcript);
  if (!expected) return context.fail(Reason::provider_failed);
  if (!constant_time_equal(expected->view(), *binder)) return context.fail(Reason::psk_binder);
  return {};
}

}  // namespace

std::expected<VerifiedPsk, Error> verify_binder(Context& context, const Negotiated& negotiated,
                                                std::uint16_t identity) noexcept {
  const Session& session = *context.resumed_session;
  const auto checked =
      check_binder(context, negotiated, identity, key_schedule::PskKind::resumption, session.secret.view());
  if (!checked) return std::unexpected(checked.error());
  return VerifiedPsk(session);
}

std::expected<VerifiedExternalPsk, Error> verify_binder(Context& context, const Negotiated& negotiated,
                                                        const ExternalPsk& psk) noexcept {
  const auto checked = check_binder(context, negotiated, negotiated.psk_identity, psk.kind, psk.key);
  if (!checked) return std::unexpected(checked.error());
  return VerifiedExternalPsk(psk);
}

namespace {

// Our flight on a session whose binder was verified.
std::expected<Established, Error> resume(const Negotiated& negotiated, const SecretMade& made, std::uint16_t identity,
                                         VerifiedPsk psk, Context& context) noexcept {
  const Session& session = psk.session();
  inherit(context, session);
  context.client_verified = session.peer_verified || session.unverified;
  const std::uint32_t limit = std::min(session.max_early_data, context.settings().early_data);
  auto keys = send_server_hello(context, negotiated, made, session.secret.view(), identity, limit);
  if (!keys) return std::unexpected(keys.error());
  // RFC 9846 4.3.11.3: "when accepting "early_data", servers MUST process the client's ClientHello and then immediately
  // send their flight of messages, rather than waiting for the client's EndOfEarlyData message before sending its
  // ServerHello."
  // RFC 9846 4.4.2: "Servers which are authenticating with a resumption PSK MUST NOT send the CertificateRequest
  // message in the main handshake"
  send_encrypted_extensions(context, negotiated.hello);
  return finish_flight(std::move(*keys), context);
}

// The secret that a handshake by a PSK goes on from, once its binder was verified.
template <class State>
Awaiting<State, SecretMade> agree_by_psk(State&& state, Context& context) {
  if (auto prepared = prepare_server_hello(context); !prepared) return std::unexpected(prepared.error());
  const Negotiated& negotiated = state.negotiated;
  if (psk_mode(context, negotiated.hello) == PskKeyExchangeMode::psk_ke)
    return on(std::forward<State>(state), SecretMade{.result = GroupResult::ok}, context);
  // RFC 9846 4.3.8: "Clients and Servers MUST NOT reuse a key share for multiple connections."
  return encapsulate(std::forward<State>(state), *negotiated.group, negotiated.client_share, context);
}

Next<WaitResumedSecret, WaitEndOfEarlyData, WaitFinished> agree(WaitResumedSecret&& state, Context& context) {
  return agree_by_psk(std::move(state), context);
}

// The same on an external PSK.
Next<WaitPskSecret, WaitFinished> go_by(Negotiated&& negotiated, Context& context) {
  const auto verified = verify_binder(context, negotiated, *negotiated.psk);
  if (!verified) return std::unexpected(verified.error());
  // No early data goes with it.
  if (negotiated.hello.early_data) context.agreed.early_data = not_taken(context, EarlyDataStatus::not_resumed);
  return agree_by_psk(WaitPskSecret{std::move(negotiated), *verified}, context);
}

Next<WaitTicketOpened, WaitPskSecret, WaitFinished> proceed_by_psk(Negotiated&& negotiated, Context& context) {
  if (auto chosen = choose_alpn(context, negotiated.hello); !chosen) return std::unexpected(chosen.error());
  if (!offers_resumption(context, negotiated.hello) || tickets_to_try(negotiated) == 0)
    return go_by(std::move(negotiated), context);
  ask_ticket(context, negotiated, 0);
  return WaitTicketOpened{std::move(negotiated), 0};
}

// Asks about early data that everything else allows, else resumes at once.
Next<WaitEarlyDataJudged, WaitResumedSecret, WaitEndOfEarlyData, WaitFinished> resume_with_early_data(
    Negotiated&& negotiated, std::uint16_t identity, VerifiedPsk psk, Context& context) {
  const Session& session = psk.session();
  context.agreed.early_data = judge_early_data(context, negotiated, session, identity);
  if (context.agreed.early_data != EarlyDataStatus::accepted)
    return agree(WaitResumedSecret{std::move(negotiated), identity, psk}, context);
  // Declined until the answer says otherwise.
  context.agreed.early_data = EarlyDataStatus::declined;
  context.ask(AcceptEarlyData{.token = {},
                              .ticket = (*negotiated.hello.pre_shared_key->identities.begin()).identity,
                              .session = &session,
                              .now = context.now,
                              .age_tolerance = std::chrono::seconds(context.settings().early_data_tolerance)});
  return WaitEarlyDataJudged{std::move(negotiated), psk};
}

// How many tickets this handshake brings. A client that has spent one on it gets one in its place, so that it has as
// many as before.
std::uint8_t tickets_due(const Context& context) noexcept {
  if (context.tickets_requested) return *context.tickets_requested;
  const std::uint8_t count = context.settings().ticket_count;
  return context.agreed.resumed ? std::min<std::uint8_t>(count, 1) : count;
}

// The session that the next ticket will hold.
TicketStep offer_ticket(DigestSecret&& resumption, std::unique_ptr<const SessionOrigin> origin, std::uint8_t number,
                        Context& context) {
  const Settings& settings = context.settings();
  const auto end_flight = [&]() -> TicketStep {
    // All in one flight, so that small ones share a record.
    context.end_flight();
    return NoTickets{};
  };
  if (number == tickets_due(context) || origin == nullptr) return end_flight();
  auto made = session_for_ticket(*origin, context.agreed, settings, context.now);
  if (!made) return end_flight();
  // RFC 9846 4.7.1: "The server MUST generate a fresh value for each ticket it sends."
  std::array<std::uint8_t, 4> age_add{};
  if (!context.random.fill(age_add)) return context.fail(Reason::random_failed);
  made->ticket_age_add =
      static_cast<std::uint32_t>(age_add[0] << 24U | age_add[1] << 16U | age_add[2] << 8U | age_add[3]);
  // RFC 9846 4.7.1: "A per-ticket value that is unique across all tickets issued on this connection."
  const std::array<std::uint8_t, 1> nonce{number};
  auto psk = key_schedule::ticket_psk(*context.agreed.suite->hash, resumption, nonce);
  if (!psk) return context.fail(Reason::provider_failed);
  made->secret = std::move(*psk);
  WaitTicketSealed next{std::move(resumption), std::move(origin), static_cast<std::uint32_t>(made->lifetime.count()),
                        made->ticket_age_add, number};
  context.ask(SealTicket{.token = {}, .session = std::move(*made)}, Scope::background);
  return next;
}

// Suite and group, of the hash of the PSK that was found, if one was. What does not fit costs a HelloRetryRequest.
std::expected<std::variant<WaitSecondClientHello, Negotiated>, Error> negotiate(const codec::ClientHello& hello,
                                                                                const ExternalPsk* psk,
                                                                                std::uint16_t psk_identity,
                                                                                Context& context) {
  const auto suite = choose_suite(context, hello, psk == nullptr ? std::nullopt : std::optional(psk->hash->id));
  if (!suite) return std::unexpected(suite.error());
  context.agreed.suite = *suite;
  if (!context.transcript.start(*(*suite)->hash)) return context.fail(Reason::provider_failed);

  const bool plain = offers_psks(context, hello) && psk_mode(context, hello) == PskKeyExchangeMode::psk_ke;
  GroupChoice choice;
  if (!plain || hello.supported_groups) {
    const auto chosen = choose_group(context, hello);
    if (!chosen) return std::unexpected(chosen.error());
    choice = *chosen;
  }
  // RFC 9846 4.2.1: "If the server selects an asymmetric key exchange group and the client did not offer a compatible
  // "key_share" extension in the initial ClientHello, the server MUST respond with a HelloRetryRequest (Section 4.2.4)
  // message."
  const bool share_missing = choice.group != nullptr && choice.share.empty() && !(plain && psk != nullptr);
  if (share_missing || context.settings().cookie) return retry(context, hello, choice.group, share_missing, psk);
  if (!choice.share.empty() && choice.share.size() != choice.group->client_share_size())
    return context.fail(Reason::key_share_size, static_cast<std::uint16_t>(choice.group->id));
  return Negotiated{hello, context.message, choice.group, choice.share, psk, psk_identity};
}

// Without an external PSK.
Next<WaitSecondClientHello, WaitTicketOpened, WaitCredential> go_on(const codec::ClientHello& hello, Context& context) {
  auto negotiated = negotiate(hello, nullptr, 0, context);
  if (!negotiated) return std::unexpected(negotiated.error());
  if (auto* const again = std::get_if<WaitSecondClientHello>(&*negotiated)) return std::move(*again);
  return proceed(std::get<Negotiated>(std::move(*negotiated)), context);
}

// Asks about the first of the client's identities from `place` on that may be that of an external PSK. RFC 9846 4.3.11:
// "If backward compatibility is important, client-provided, externally established PSKs SHOULD influence cipher suite
// selection."
Next<WaitPsk, WaitSecondClientHello, WaitTicketOpened, WaitCredential> look_for_psk(const codec::ClientHello& hello,
                                                                                    std::uint16_t place,
                                                                                    std::uint16_t asked,
                                                                                    Context& context) {
  if (context.settings().external_psks == ExternalPsks::none || !offers_psks(context, hello))
    return go_on(hello, context);
  const std::size_t count = hello.pre_shared_key->identities.size();
  for (; place < count && asked < kMaxIdentitiesTried; ++place) {
    if (auto question = question_about(context, hello, identity_at(hello, place).identity)) {
      context.ask(std::move(*question));
      return WaitPsk{hello, place, static_cast<std::uint16_t>(asked + 1)};
    }
  }
  return go_on(hello, context);
}

}  // namespace

Next<WaitPsk, WaitSecondClientHello, WaitTicketOpened, WaitCredential> begin(const codec::ClientHello& hello,
                                                                             Context& context) {
  if (const auto checked = codec::check_tls13(hello); !checked) return std::unexpected(checked.error());
  // RFC 9846 E.4: a server that receives a non-empty legacy_session_id sends a dummy change_cipher_spec.
  context.transport.middlebox_compatibility(context.settings().middlebox_compatibility &&
                                            !hello.legacy_session_id.empty());
  return look_for_psk(hello, 0, 0, context);
}

Next<WaitPsk, WaitSecondClientHello, WaitTicketOpened, WaitCredential, WaitPskSecret, WaitFinished> on(
    WaitPsk&& state, const PskGiven& found, Context& context) {
  const auto psk = found_psk(context, state.hello, identity_at(state.hello, state.identity).identity, found);
  if (!psk) return std::unexpected(psk.error());
  if (*psk == nullptr) return on(std::move(state), PskWithheld{}, context);
  auto negotiated = negotiate(state.hello, *psk, state.identity, context);
  if (!negotiated) return std::unexpected(negotiated.error());
  if (auto* const again = std::get_if<WaitSecondClientHello>(&*negotiated)) return std::move(*again);
  return proceed_by_psk(std::get<Negotiated>(std::move(*negotiated)), context);
}

// RFC 9846 4.3.11: "Any unknown PSKs (e.g., ones not in the PSK database or encrypted with an unknown key) SHOULD
// simply be ignored."
Next<WaitPsk, WaitSecondClientHello, WaitTicketOpened, WaitCredential> on(WaitPsk&& state,
                                                                          const PskWithheld& /*answer*/,
                                                                          Context& context) {
  return look_for_psk(state.hello, static_cast<std::uint16_t>(state.identity + 1), state.asked, context);
}

namespace {

// The share that a second ClientHello brings for the group that was chosen; empty where none was needed.
std::expected<Bytes, Error> second_share(Context& context, const WaitSecondClientHello& state,
                                         const codec::ClientHello& hello) noexcept {
  if (state.group == nullptr) return Bytes();
  Bytes share;
  std::size_t count = 0;
  for (const codec::KeyShareEntry& entry : *hello.key_share) {
    ++count;
    if (entry.group == state.group->id) share = entry.key_exchange;
  }
  const auto detail = static_cast<std::uint16_t>(state.group->id);
  const bool needed = state.psk == nullptr || psk_mode(context, hello) != PskKeyExchangeMode::psk_ke;
  if (share.empty() && !needed) return share;
  // RFC 9846 4.2.2: "a list containing a single KeyShareEntry from the indicated group", if one was indicated.
  if (share.empty() || (state.share_requested && count != 1)) return context.fail(Reason::key_share_missing, detail);
  if (share.size() != state.group->client_share_size()) return context.fail(Reason::key_share_size, detail);
  return share;
}

std::optional<std::uint16_t> place_of(const codec::ClientHello& hello, Bytes identity) noexcept {
  if (!hello.pre_shared_key) return std::nullopt;
  std::uint16_t place = 0;
  for (const codec::PskIdentity& offered : hello.pre_shared_key->identities) {
    if (equal(offered.identity, identity)) return place;
    ++place;
  }
  return std::nullopt;
}

}  // namespace

Next<WaitTicketOpened, WaitCredential, WaitPskSecret, WaitFinished> on(WaitSecondClientHello&& state,
                                                                       const codec::ClientHello& hello,
                                                                       Context& context) {
  if (const auto checked = codec::check_tls13(hello); !checked) return std::unexpected(checked.error());
  const auto first = codec::ClientHello::decode(state.first_hello);
  // RFC 9846 4.2.2: a client that is answered by HelloRetryRequest "MUST send the same ClientHello without
  // modification, except as follows".
  // RFC 9846 4.2.4: "Servers MUST ensure that they negotiate the same cipher suite when receiving a conformant updated
  // ClientHello": the one of our HelloRetryRequest, whose place in the list has not changed.
  if (!first || !same_but_for_the_retry(*first, hello)) return context.fail(Reason::client_hello_changed);
  if (!state.cookie.empty()) {
    // RFC 9846 4.3.2: "the client MUST copy the contents of the extension received in the HelloRetryRequest into a
    // "cookie" extension in the new ClientHello."
    if (!hello.cookie) return context.fail(Reason::cookie_missing);
    if (!constant_time_equal(*hello.cookie, state.cookie)) return context.fail(Reason::cookie_mismatch);
  }
  context.end_early_data();  // what there was of it came before this message
  // RFC 9846 4.3.10: "A client MUST NOT include the "early_data" extension in its followup ClientHello."
  if (hello.early_data) return context.fail(Reason::early_data_unexpected);
  const auto share = second_share(context, state, hello);
  if (!share) return std::unexpected(share.error());
  Negotiated negotiated{hello, context.message, state.group, *share};
  if (state.psk == nullptr) return proceed(std::move(negotiated), context);
  // The key that was found stays found, wherever its identity stands now.
  const auto place = place_of(hello, state.psk->identity);
  if (!place) return context.fail(Reason::client_hello_changed);
  negotiated.psk = state.psk;
  negotiated.psk_identity = *place;
  return proceed_by_psk(std::move(negotiated), context);
}

Next<WaitTicketOpened, WaitSessionVerified, WaitEarlyDataJudged, WaitResumedSecret, WaitPskSecret, WaitCredential,
     WaitEndOfEarlyData, WaitFinished>
on(WaitTicketOpened&& state, const TicketOpened& answer, Context& context) {
  if (answer.session != nullptr && resumable(context, *answer.session)) {
    // Whatever comes behind this check is for whoever has the session's secret: a ticket alone can be copied.
    context.keep_session(std::move(*answer.session));
    const auto psk = verify_binder(context, state.negotiated, state.identity);
    if (!psk) return std::unexpected(psk.error());
    if (!verifies_on_resumption(context.settings(), psk->session()))
      return resume_with_early_data(std::move(state.negotiated), state.identity, *psk, context);
    ask_about_session(context, psk->session(), Role::client);
    return WaitSessionVerified{std::move(state.negotiated), state.identity, *psk};
  }

  const auto next = static_cast<std::uint16_t>(state.identity + 1);
  if (next < tickets_to_try(state.negotiated)) {
    ask_ticket(context, state.negotiated, next);
    return WaitTicketOpened{std::move(state.negotiated), next};
  }
  if (state.negotiated.psk != nullptr) return go_by(std::move(state.negotiated), context);
  ask_credential(context, state.negotiated);
  return WaitCredential{std::move(state.negotiated)};
}

Next<WaitEarlyDataJudged, WaitResumedSecret, WaitEndOfEarlyData, WaitFinished> on(WaitSessionVerified&& state,
                                                                                  const PeerVerified& accepted,
                                                                                  Context& context) {
  context.note(accepted.answer());
  return resume_with_early_data(std::move(state.negotiated), state.identity, state.psk, context);
}

Next<WaitResumedSecret, WaitEndOfEarlyData, WaitFinished> on(WaitEarlyDataJudged&& state, const EarlyDataJudged& answer,
                                                             Context& context) {
  if (answer.accepted) context.agreed.early_data = EarlyDataStatus::accepted;
  // Early data goes with the first identity.
  return agree(WaitResumedSecret{std::move(state.negotiated), 0, state.psk}, context);
}

Next<WaitEndOfEarlyData, WaitFinished> on(WaitResumedSecret&& state, const SecretMade& made, Context& context) {
  auto established = resume(state.negotiated, made, state.identity, state.psk, context);
  if (!established) return std::unexpected(established.error());
  if (context.agreed.early_data == EarlyDataStatus::accepted)
    return WaitEndOfEarlyData{std::move(*established), state.psk};
  return WaitFinished{std::move(*established), Authenticated::by_psk(state.psk)};
}

Next<WaitFinished> on(WaitPskSecret&& state, const SecretMade& made, Context& context) {
  const ExternalPsk& psk = state.psk.psk();
  context.take(psk);
  context.client_verified = true;
  auto keys = send_server_hello(context, state.negotiated, made, psk.key, state.negotiated.psk_identity);
  if (!keys) return std::unexpected(keys.error());
  // RFC 9846 4.4.2: "In the absence of some other specification to the contrary, servers which are authenticating with
  // an external PSK MUST NOT send the CertificateRequest message in the main handshake or request post-handshake
  // authentication."
  send_encrypted_extensions(context, state.negotiated.hello);
  auto established = finish_flight(std::move(*keys), context);
  if (!established) return std::unexpected(established.error());
  return WaitFinished{std::move(*established), Authenticated::by_psk(state.psk)};
}

Next<> on(WaitSessionVerified&& /*state*/, const PeerRefused& refused, Context& context) {
  return context.fail(refused.rejection);
}

Next<WaitSecret, WaitSignature> on(WaitCredential&& state, const CredentialSelected& selected, Context& context) {
  // RFC 9846 4.5.1: "The server MUST send a Certificate message whenever the agreed-upon key exchange method uses
  // certificates for authentication ... The server's certificate_list MUST always be non-empty."
  if (selected.credential == nullptr || selected.credential->chain.empty()) return context.fail(Reason::no_credential);
  const auto scheme = choose_scheme(context, *selected.credential);
  if (!scheme) return Context::fail_at(Place::client_hello, Reason::scheme_unsupported);

  context.transcript.update(state.negotiated.message);
  const bool early_data = state.negotiated.hello.early_data || context.agreed.early_data != EarlyDataStatus::none;
  if (early_data) context.agreed.early_data = not_taken(context, EarlyDataStatus::not_resumed);
  if (auto prepared = prepare_server_hello(context); !prepared) return std::unexpected(prepared.error());
  const Bytes share = state.negotiated.client_share;
  const BoundGroup& group = *state.negotiated.group;
  // RFC 9846 4.3.8: "Clients and Servers MUST NOT reuse a key share for multiple connections."
  return encapsulate(WaitSecret{std::move(state.negotiated), selected.credential, *scheme}, group, share, context);
}

Next<WaitSignature> on(WaitSecret&& state, const SecretMade& made, Context& context) {
  auto keys = send_server_hello(context, state.negotiated, made, {}, std::nullopt);
  if (!keys) return std::unexpected(keys.error());
  // RFC 9846 4.4.1: "In all handshakes, the server MUST send the EncryptedExtensions message immediately after the
  // ServerHello message."
  send_encrypted_extensions(context, state.negotiated.hello);
  // RFC 9846 4.4.2: "This message, if sent, MUST follow EncryptedExtensions."
  if (context.settings().client_auth != ClientAuth::none) {
    send_certificate_request(context);
  }
  const codec::ClientHello& hello = state.negotiated.hello;
  send_certificate(context, state.credential.get(),
                   {.ocsp_response = hello.status_request,
                    .sct_list = hello.signed_certificate_timestamp,
                    .compression = hello.compress_certificate});
  // RFC 9846 4.5.2: "Servers MUST send this message when authenticating via a certificate. ... When sent, this message
  // MUST appear immediately after the Certificate message and immediately prior to the Finished message."
  ask_signature(context, std::move(state.credential), state.scheme, Role::server);
  return WaitSignature{std::move(*keys)};
}

Next<WaitCertificate, WaitFinished> on(WaitSignature&& state, const Signed& answer, Context& context) {
  if (answer.signature.empty()) return context.fail(Reason::signing_failed);
  send_certificate_verify(context, context.agreed.own_scheme, answer.signature);
  auto established = finish_flight(std::move(state.keys), context);
  if (!established) return std::unexpected(established.error());
  if (context.settings().client_auth != ClientAuth::none) return WaitCertificate{std::move(*established)};
  const auto nothing_due = Authenticated::not_required(context.client_auth);
  if (!nothing_due) return context.fail(Reason::certificate_required);
  return WaitFinished{std::move(*established), *nothing_due};
}

Next<WaitFinished> on(WaitEndOfEarlyData&& state, const codec::EndOfEarlyData& /*message*/, Context& context) {
  context.hash_message();
  context.end_early_data();
  return WaitFinished{std::move(state.established), Authenticated::by_psk(state.psk)};
}

Next<WaitPeerVerified, WaitFinished> on(WaitCertificate&& state, const codec::Certificate& message, Context& context) {
  // RFC 9846 4.5.1: "If this message is in response to a CertificateRequest, the value of certificate_request_context
  // in that message": empty in the handshake.
  if (!message.certificate_request_context.empty()) return context.fail(Reason::certificate_context);
  if (message.certificate_list.empty()) {
    // RFC 9846 4.5.1.3: "If the client does not send any certificates (i.e., it sends an empty Certificate message),
    // the server MAY at its discretion either continue the handshake without client authentication, or abort the
    // handshake with a "certificate_required" alert."
    const auto nothing_due = Authenticated::not_required(context.client_auth);
    if (!nothing_due) return context.fail(Reason::certificate_required);
    context.hash_message();
    return WaitFinished{std::move(state.established), *nothing_due};
  }
  const auto key = read_chain(context, message);
  if (!key) return std::unexpected(key.error());
  context.hash_message();
  ask_about_peer(context, Role::client);
  return WaitPeerVerified{std::move(state.established), *key};
}

Next<WaitPeerVerified, WaitFinished> on(WaitCertificate&& state, const codec::CompressedCertificate& message,
                                        Context& context) {
  const auto certificate = decompress(context, message);
  if (!certificate) return std::unexpected(certificate.error());
  return on(std::move(state), *certificate, context);
}

Next<WaitCertificateVerify> on(WaitPeerVerified&& state, const PeerVerified& accepted, Context& context) {
  context.note(accepted.answer());
  return WaitCertificateVerify{std::move(state.established), state.key, accepted, state.ahead};
}

Next<WaitPeerVerified> on(WaitPeerVerified&& state, const SignatureChecked& checked, Context& /*context*/) {
  state.ahead.checked = checked;
  return std::move(state);
}

Next<> on(WaitPeerVerified&& /*state*/, const PeerRefused& refused, Context& context) {
  return context.fail(refused.rejection);
}

Next<WaitCertificateVerify> on(WaitCertificateVerify&& state, const SignatureChecked& checked, Context& /*context*/) {
  state.ahead.checked = checked;
  return std::move(state);
}

Next<WaitFinished> on(WaitCertificateVerify&& state, const codec::CertificateVerify& message, Context& context) {
  const auto signature = read_signature(context, state.key, Role::client, message);
  if (!signature) return std::unexpected(signature.error());
  const auto proof = conclude(context, state.accepted, signature->scheme, found(state.ahead, *signature));
  if (!proof) return std::unexpected(proof.error());
  context.hash_message();
  context.client_verified = true;
  return WaitFinished{std::move(state.established), Authenticated::by_signature(*proof)};
}

Next<Connected> on(WaitFinished&& state, const codec::Finished& message, Context& context) {
  Keys& keys = state.established.keys;
  const auto verified = verify_finished(context, keys.handshake_traffic.client, message);
  if (!verified) return std::unexpected(verified.error());
  context.hash_message();
  context.install(Level::application, Direction::receive, state.established.read_traffic);
  context.secrets13().read_traffic = std::move(state.established.read_traffic);
  context.tell_complete();

  const Settings& settings = context.settings();
  if (settings.send_tickets && settings.resumption && keys.tickets) {
    const auto transcript = context.transcript_hash();
    if (!transcript) return std::unexpected(transcript.error());
    auto resumption = keys.main.resumption_secret(*transcript);
    if (!resumption) return context.fail(Reason::provider_failed);
    context.secrets13().resumption = std::move(*resumption);
  }
  return Connected{state.authenticated, *verified};
}

TicketStep begin_tickets(Context& context) {
  return offer_ticket(std::move(context.secrets13().resumption), session_origin(context), 0, context);
}

TicketStep on(WaitTicketSealed&& state, const TicketSealed& answer, Context& context) {
  if (!answer.ticket.empty()) {
    const std::array<std::uint8_t, 1> nonce{state.number};
    const std::uint32_t early_data = context.settings().early_data;
    // RFC 8701 4.1: "When sending a NewSessionTicket message in TLS 1.3, a server MAY select one or more GREASE
    // extension values and advertise them as extensions with varying length and contents."
    const bool greases = context.settings().server_grease;
    std::array<std::uint8_t, 1> grease{};
    if (greases && !context.random.fill(grease)) return context.fail(Reason::random_failed);
    const codec::NewSessionTicketParameters message{
        .ticket_lifetime = state.lifetime,
        .ticket_age_add = state.age_add,
        .ticket_nonce = nonce,
        .ticket = answer.ticket,
        .max_early_data_size = early_data == 0 ? std::nullopt : std::optional(early_data),
        .grease_extension = greases ? std::optional(codec::grease_value(grease[0])) : std::nullopt};
    context.send(Level::application, 64 + answer.ticket.size(),
                 [&](codec::Writer& writer) { return codec::encode_new_session_ticket(writer, message); });
  }
  return offer_ticket(std::move(state.resumption), std::move(state.origin), static_cast<std::uint8_t>(state.number + 1),
                      context);
}

}  // namespace lockstep::handshake::server13
