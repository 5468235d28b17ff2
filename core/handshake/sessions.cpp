#include "handshake/sessions.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include "handshake/identity.hpp"
#include "types/allocated.hpp"

namespace lockstep::handshake {
namespace {

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
  return context.config.session_context(context.verification);
}

// Whether a session was made with the very peer and under the very verification of this handshake.
bool belongs_here(const Context& context, const Session& session) noexcept {
  return session.context == session_context(context) &&
         allocated([&] { return expected_name(context) == session.name; }).value_or(false);
}

}  // namespace

bool offerable(const Context& context, const Session& session) noexcept {
  const Settings& settings = context.settings();
  return settings.resumption && session.version == ProtocolVersion::tls_1_3 && !session.ticket.empty() &&
         context.config.suite(session.suite) != nullptr &&
         session.usable(context.now, std::chrono::seconds(settings.max_authentication_age)) &&
         (session.peer_verified || settings.skip_verification) && can_be_verified(settings, session) &&
         // RFC 9846 4.7.1: "Clients MUST only resume if the new SNI value is valid for the server certificate presented
         // in the original session": here, only the very name that was verified then, or none.
         (context.server_name.empty() || context.server_name == session.name.host_name()) &&
         belongs_here(context, session);
}

bool resumable(const Context& context, const Session& session) noexcept {
  const Settings& settings = context.settings();
  const BoundSuite* suite = context.config.suite(session.suite);
  return session.version == ProtocolVersion::tls_1_3 && suite != nullptr &&
         // RFC 9846 4.3.11: "The server MUST ensure that it selects a compatible PSK (if any) and cipher suite."
         // RFC 9846 4.7.1: "Any ticket MUST only be resumed with a cipher suite that has the same KDF hash algorithm as
         // that used to establish the original connection."
         suite->hash->id == context.agreed.suite->hash->id && session.secret.size() == suite->hash->digest_size &&
         session.usable(context.now, std::chrono::seconds(settings.max_authentication_age)) &&
         // A session without the client's identity does not replace one where that is demanded.
         (settings.client_auth != ClientAuth::require || session.peer_verified) && can_be_verified(settings, session) &&
         belongs_here(context, session);
}

void inherit(Context& context, const Session& session) noexcept {
  context.agreed.resumed = true;
  context.resumed_session = &session;
  context.verified_until = std::min(context.verified_until, session.verified_until);
  // Whoever judged the session's peer once more may know him by another name now.
  if (context.peer_identity.empty()) context.peer_identity = session.identity;
}

namespace {

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

std::unique_ptr<const SessionOrigin> make_origin(const Context& context) {
  const Session* const resumed = context.resumed_session;
  auto name = resumed != nullptr ? resumed->name : expected_name(context);
  if (!name) return nullptr;
  const Settings& settings = context.settings();
  auto origin = std::make_unique<SessionOrigin>();
  origin->name = std::move(*name);
  origin->context = session_context(context);
  // RFC 9846 4.7.1: "It is RECOMMENDED that implementations place limits on the total lifetime of such keying material;
  // these limits should take into account the lifetime of the peer's certificate, the likelihood of intervening
  // revocation, and the time since the peer's online CertificateVerify signature."
  origin->authenticated_at = resumed == nullptr ? context.now : resumed->authenticated_at;
  origin->verified_until = context.verified_until;
  origin->peer_verified = settings.role == Role::client ? !settings.skip_verification : context.client_verified;
  origin->identity.assign(context.peer_identity.begin(), context.peer_identity.end());
  if (resumed != nullptr) origin->application_data = resumed->application_data;
  origin->peer = peer_to_keep(context);
  return origin;
}

Session session_from(const SessionOrigin& origin, const Agreed& agreed, Time now) {
  Session session;
  session.version = agreed.version;
  session.suite = agreed.suite->suite;
  session.issued_at = now;
  session.authenticated_at = origin.authenticated_at;
  session.verified_until = origin.verified_until;
  session.peer_verified = origin.peer_verified;
  session.context = origin.context;
  session.name = origin.name;
  session.alpn = agreed.protocol();
  session.identity = origin.identity;
  session.application_data = origin.application_data;
  session.peer = origin.peer;
  return session;
}

}  // namespace

}  // namespace lockstep::handshake
