#include "handshake/sessions.hpp"

#include <algorithm>
#include <functional>
#include <string_view>
#include <utility>

#include "handshake/identity.hpp"
#include "handshake/record_limits.hpp"
#include "types/allocated.hpp"

namespace lockstep::handshake {
namespace {

// RFC 5246 F.1.4: "An upper limit of 24 hours is suggested for session ID lifetimes".
constexpr std::chrono::seconds kUnspecifiedLifetime{86'400};

// Whom the peer must be, or asked for. A server's client may ask for what is no name: nothing then.
std::optional<x509::PeerName> expected_name(const Context& context) {
  if (context.expected_name != nullptr) return *context.expected_name;
  if (context.server_name.empty()) return x509::NoNameCheck{};
  auto name = x509::PeerName::parse(context.server_name);
  if (!name) return std::nullopt;
  return std::move(*name);
}

// What verifies the peer in this handshake.
SessionContext session_context(const Context& context) noexcept {
  return context.config().session_context(context.verification);
}

// What tells sessions that an external PSK has begun from those of certificates: neither proves what the other does.
// Any constant will do, as it is added to a digest: this one is SHA-256("lockstep: sessions of external PSKs").
constexpr SessionContext kOfExternalPsks{0xa7, 0xde, 0x57, 0x1e, 0x4d, 0x6d, 0x25, 0x9b, 0xb3, 0x8d, 0xc5,
                                         0x75, 0x5e, 0x46, 0x86, 0xe7, 0xf2, 0x73, 0xa3, 0xae, 0x48, 0xbf,
                                         0x1e, 0xa2, 0xbf, 0x2e, 0xd3, 0x9f, 0x4b, 0x4f, 0x2a, 0x5f};

SessionContext of_external_psks(SessionContext context) noexcept {
  std::ranges::transform(context, kOfExternalPsks, context.begin(), std::bit_xor());
  return context;
}

// A session's suite, which this configuration has; null where it is not, or none of the session's version.
const BoundSuite* suite_of(const Context& context, const Session& session) noexcept {
  const BoundSuite* const suite = context.config().suite(session.suite);
  return suite != nullptr && suite->version == session.version ? suite : nullptr;
}

// Whether the peer of a session has shown certificates that were accepted. Where that was with a reserve, it is asked
// about again.
bool is_somebodys(const Session& session) noexcept { return session.peer_verified || session.unverified; }

// Whether a session was made with the very peer and under the very verification of this handshake.
bool belongs_here(const Context& context, const Session& session) noexcept {
  return allocated([&] { return expected_name(context) == session.name; }).value_or(false);
}
bool of_certificates(const Context& context, const Session& session) noexcept {
  return session.context == session_context(context);
}
// In TLS 1.3: or by an external PSK, where such are had.
bool authenticated_as_here(const Context& context, const Session& session) noexcept {
  const ExternalPsks mode = context.settings().external_psks;
  if (of_certificates(context, session)) return mode != ExternalPsks::require;
  return mode != ExternalPsks::none && session.context == of_external_psks(session_context(context));
}

}  // namespace

namespace {

bool offerable_here(const Context& context, const Session& session) noexcept {
  const Settings& settings = context.settings();
  return settings.resumption && suite_of(context, session) != nullptr &&
         session.usable(context.now, std::chrono::seconds(settings.max_authentication_age)) &&
         (is_somebodys(session) || settings.skip_verification) && can_be_verified(settings, session) &&
         // RFC 9846 4.7.1: "Clients MUST only resume if the new SNI value is valid for the server certificate presented
         // in the original session": here, only the very name that was verified then, or none.
         (context.server_name.empty() || context.server_name == session.name.host_name()) &&
         belongs_here(context, session);
}

}  // namespace

bool offerable(const Context& context, const Session& session, std::span<const ExternalPsk> psks) noexcept {
  // Whoever selects no key, or another one, has no more to do with the one that has begun the session.
  const auto selected = [&](const ExternalPsk& psk) { return equal(psk.peer_identity, session.identity); };
  return session.version == ProtocolVersion::tls_1_3 && !session.ticket.empty() && offerable_here(context, session) &&
         authenticated_as_here(context, session) &&
         (of_certificates(context, session) || std::ranges::any_of(psks, selected));
}

bool offerable12(const Context& context, const Session& session) noexcept {
  return session.version == ProtocolVersion::tls_1_2 && (!session.ticket.empty() || !session.session_id.empty()) &&
         (session.extended_master_secret || !context.settings().extended_main_secret_required) &&
         fits_record_limits(context, session) && offerable_here(context, session) && of_certificates(context, session);
}

bool resumable(const Context& context, const Session& session) noexcept {
  const Settings& settings = context.settings();
  const BoundSuite* const suite = suite_of(context, session);
  return session.version == ProtocolVersion::tls_1_3 && suite != nullptr &&
         // RFC 9846 4.3.11: "The server MUST ensure that it selects a compatible PSK (if any) and cipher suite."
         // RFC 9846 4.7.1: "Any ticket MUST only be resumed with a cipher suite that has the same KDF hash algorithm as
         // that used to establish the original connection."
         suite->hash->id == context.agreed.suite->hash->id && session.secret.size() == suite->hash->digest_size &&
         session.usable(context.now, std::chrono::seconds(settings.max_authentication_age)) &&
         // A session without the client's identity does not replace one where that is demanded.
         (settings.client_auth != ClientAuth::require || is_somebodys(session)) && can_be_verified(settings, session) &&
         belongs_here(context, session) && authenticated_as_here(context, session);
}

bool resumable12(const Context& context, const codec::ClientHello& hello, const Session& session) noexcept {
  const Settings& settings = context.settings();
  return session.version == ProtocolVersion::tls_1_2 && suite_of(context, session) != nullptr &&
         // RFC 5246 7.4.1.2: a client that resumes lists the session's suite.
         hello.offers(session.suite) && fits_record_limits(context, hello, session) &&
         session.usable(context.now, std::chrono::seconds(settings.max_authentication_age)) &&
         (settings.client_auth != ClientAuth::require || is_somebodys(session)) && can_be_verified(settings, session) &&
         belongs_here(context, session) && of_certificates(context, session);
}

void inherit(Context& context, const Session& session) noexcept {
  context.agreed.resumed = true;
  context.resumed_session = &session;
  context.verified_until = std::min(context.verified_until, session.verified_until);
  // Whoever judged the session's peer once more may know him by another name now.
  if (context.peer_identity.empty()) context.peer_identity = session.identity;
}

namespace {

Session same_session(const Context& context);
std::unique_ptr<const SessionOrigin> make_origin(const Context& context);
Session session_from(const SessionOrigin& origin, const Agreed& agreed, Time now);

}  // namespace

std::unique_ptr<const SessionOrigin> session_origin(const Context& context) noexcept {
  return allocated([&] { return make_origin(context); }).value_or(nullptr);
}

std::optional<Session> session_of(const SessionOrigin& origin, const Agreed& agreed, DigestSecret&& psk,
                                  const codec::NewSessionTicket& ticket, Time now) noexcept {
  return allocated([&] {
    Session session = session_from(origin, agreed, now);
    session.ticket.assign(ticket.ticket.begin(), ticket.ticket.end());
    session.secret = std::move(psk);
    session.ticket_age_add = ticket.ticket_age_add;
    // RFC 9846 4.7.1: "Clients MUST NOT use tickets for longer than 7 days after issuance, regardless of the
    // ticket_lifetime".
    session.lifetime = std::min(std::chrono::seconds(ticket.ticket_lifetime), lockstep::kMaxTicketLifetime);
    session.max_early_data = ticket.max_early_data_size.value_or(0);
    return session;
  });
}

std::optional<Session> session_for_ticket(const SessionOrigin& origin, const Agreed& agreed, const Settings& settings,
                                          Time now) noexcept {
  auto session = allocated([&] { return session_from(origin, agreed, now); });
  if (!session) return std::nullopt;
  const Time end = session->authentication_ends(std::chrono::seconds(settings.max_authentication_age));
  if (end - now < std::chrono::seconds(1)) return std::nullopt;
  // RFC 9846 4.7.1: "Servers MUST NOT use any value greater than 604800 seconds (7 days)."
  session->lifetime =
      std::min(std::chrono::seconds(settings.ticket_lifetime), std::chrono::floor<std::chrono::seconds>(end - now));
  session->max_early_data = settings.early_data;
  return session;
}

namespace {

// The one that was resumed, which may be resumed again, with what was found of its peer this time.
Session same_session(const Context& context) {
  Session same = context.resumed_session->clone();
  if (!context.agreed.unverified) return same;
  same.peer_verified = false;
  same.unverified = context.agreed.unverified;
  return same;
}

std::unique_ptr<const SessionOrigin> make_origin(const Context& context) {
  const Session* const resumed = context.resumed_session;
  auto name = resumed != nullptr ? resumed->name : expected_name(context);
  if (!name) return nullptr;
  auto origin = std::make_unique<SessionOrigin>();
  origin->name = std::move(*name);
  if (resumed != nullptr) {
    origin->context = resumed->context;
  } else {
    origin->context =
        context.external_psk == nullptr ? session_context(context) : of_external_psks(session_context(context));
  }
  // RFC 9846 4.7.1: "It is RECOMMENDED that implementations place limits on the total lifetime of such keying material;
  // these limits should take into account the lifetime of the peer's certificate, the likelihood of intervening
  // revocation, and the time since the peer's online CertificateVerify signature."
  origin->authenticated_at = resumed == nullptr ? context.now : resumed->authenticated_at;
  origin->verified_until = context.verified_until;
  origin->peer_verified = context.peer_certified();
  origin->unverified = context.agreed.unverified;
  origin->identity.assign(context.peer_identity.begin(), context.peer_identity.end());
  if (resumed != nullptr) origin->application_data = resumed->application_data;
  origin->peer = peer_to_keep(context);
  return origin;
}

Session session_from(const SessionOrigin& origin, const Agreed& agreed, Time now) {
  Session session;
  session.version = agreed.version;
  session.suite = agreed.suite->suite;
  // TLS 1.3 agrees on it anew.
  if (agreed.version == ProtocolVersion::tls_1_2) session.max_fragment_length = agreed.max_fragment_length;
  session.issued_at = now;
  session.authenticated_at = origin.authenticated_at;
  session.verified_until = origin.verified_until;
  session.peer_verified = origin.peer_verified;
  session.unverified = origin.unverified;
  session.context = origin.context;
  session.name = origin.name;
  session.alpn = agreed.protocol();
  session.identity = origin.identity;
  session.application_data = origin.application_data;
  session.peer = origin.peer;
  return session;
}

}  // namespace

void tell_session12(Context& context, const key_schedule::tls12::MasterSecret& master, Bytes session_id, Bytes ticket,
                    std::uint32_t ticket_lifetime_hint) noexcept {
  if (context.failure || !context.settings().resumption) return;
  const bool again = ticket.empty() && context.resumed_session != nullptr;
  if (!again && ticket.empty() && session_id.empty()) return;
  const auto origin = session_origin(context);
  if (!origin) return;
  auto session = allocated([&] {
    if (again) return same_session(context);
    Session made = session_from(*origin, context.agreed, context.now);
    made.secret = DigestSecret(master.view());
    made.extended_master_secret = context.agreed.extended_main_secret;
    made.ticket.assign(ticket.begin(), ticket.end());
    if (ticket.empty()) made.session_id.assign(session_id.begin(), session_id.end());
    // RFC 5077 3.3: "A value of zero is reserved to indicate that the lifetime of the ticket is unspecified."
    made.lifetime = ticket_lifetime_hint == 0
                        ? kUnspecifiedLifetime
                        : std::min(std::chrono::seconds(ticket_lifetime_hint), kMaxTicketLifetime);
    return made;
  });
  if (!session) return;
  if (!context.events.push(SessionReceived{std::move(*session)}, context.arena))
    context.stop(Reason::handshake_too_large);
}

std::optional<Session> session_for_ticket12(const Context& context, const key_schedule::tls12::MasterSecret& master,
                                            Bytes session_id) noexcept {
  const auto origin = session_origin(context);
  if (!origin) return std::nullopt;
  auto session = session_for_ticket(*origin, context.agreed, context.settings(), context.now);
  if (!session) return std::nullopt;
  session->secret = DigestSecret(master.view());
  session->extended_master_secret = context.agreed.extended_main_secret;
  session->max_early_data = 0;
  if (!allocated([&] { session->session_id.assign(session_id.begin(), session_id.end()); })) return std::nullopt;
  return session;
}

}  // namespace lockstep::handshake
