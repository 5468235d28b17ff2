#pragma once
// Sessions of TLS 1.3: where they may be resumed, and what goes into those that a connection leaves (RFC
// 9846 2.2, 4.7.1).

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include <lockstep/session.hpp>

#include "codec/new_session_ticket.hpp"
#include "handshake/context.hpp"

namespace lockstep::handshake {

/// What all sessions of one connection have in common. It outlives the handshake, because tickets come late.
struct SessionOrigin {
  x509::PeerName name = x509::NoNameCheck{};
  SessionContext context{};
  Time authenticated_at{};
  Time verified_until = Time::max();
  bool peer_verified = false;
  std::vector<std::uint8_t> identity;
  std::vector<std::uint8_t> application_data;
  std::shared_ptr<const PeerCertificates> peer;
};

/// Client: whether this session may be offered here and now.
[[nodiscard]] bool offerable(const Context& context, const Session& session) noexcept;
/// Server: whether this session may be resumed here and now, with the suite that was chosen.
[[nodiscard]] bool resumable(const Context& context, const Session& session) noexcept;
/// The handshake goes on as a resumption: who the peer is, and for how long, comes from the session.
void inherit(Context& context, const Session& session) noexcept;

// What follows gives nothing when memory runs out: a connection goes on without sessions.

/// Of a handshake whose Finished were exchanged. Null also where the client asked for what is no name.
[[nodiscard]] std::unique_ptr<const SessionOrigin> session_origin(const Context& context) noexcept;

/// Client: the session of a ticket that has come.
[[nodiscard]] std::optional<Session> session_of(const SessionOrigin& origin, const Agreed& agreed, DigestSecret&& psk,
                                                const codec::NewSessionTicket& ticket, Time now) noexcept;

/// Server: the session that a ticket about to be sent will hold, without its PSK and ticket_age_add. Nothing also when
/// it would end at once.
[[nodiscard]] std::optional<Session> session_for_ticket(const SessionOrigin& origin, const Agreed& agreed,
                                                        const Settings& settings, Time now) noexcept;

}  // namespace lockstep::handshake
