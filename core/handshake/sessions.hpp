#pragma once
// Sessions: where they may be resumed, and what goes into those that a connection leaves (RFC 9846 2.2, 4.7.1; RFC 5246
// F.1.4, RFC 5077).

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include <lockstep/session.hpp>

#include "codec/client_hello.hpp"
#include "codec/new_session_ticket.hpp"
#include "handshake/context.hpp"
#include "handshake/external_psk.hpp"
#include "key_schedule/tls12.hpp"

namespace lockstep::handshake {

/// What all sessions of one connection have in common. It outlives the handshake, because tickets come late.
struct SessionOrigin {
  x509::PeerName name = x509::NoNameCheck{};
  SessionContext context{};
  Time authenticated_at{};
  Time verified_until = Time::max();
  bool peer_verified = false;
  Unverified unverified{};
  std::vector<std::uint8_t> identity;
  std::vector<std::uint8_t> application_data;
  std::shared_ptr<const PeerCertificates> peer;
};

/// Client: whether this session may be offered here and now, beside these external PSKs.
[[nodiscard]] bool offerable(const Context& context, const Session& session,
                             std::span<const ExternalPsk> psks) noexcept;
/// Server: whether this session may be resumed here and now, with the suite that was chosen.
[[nodiscard]] bool resumable(const Context& context, const Session& session) noexcept;
/// The handshake goes on as a resumption: who the peer is, and for how long, comes from the session.
void inherit(Context& context, const Session& session) noexcept;

// --- TLS 1.2 ---

/// Client: whether this session may be offered here and now, by its ticket or its id.
[[nodiscard]] bool offerable12(const Context& context, const Session& session) noexcept;
/// Server: whether this session may be resumed for this client, here and now.
[[nodiscard]] bool resumable12(const Context& context, const codec::ClientHello& hello,
                               const Session& session) noexcept;
/// Client: reports the session that this connection leaves, if it leaves any: a new one, or the one that was resumed,
/// which may be resumed again.
void tell_session12(Context& context, const key_schedule::tls12::MasterSecret& master, Bytes session_id, Bytes ticket,
                    std::uint32_t ticket_lifetime_hint) noexcept;
/// Server: the session that its ticket will hold, or that is stored under an id which is not empty. Nothing when it
/// would end at once, or memory runs out.
[[nodiscard]] std::optional<Session> session_for_ticket12(const Context& context,
                                                          const key_schedule::tls12::MasterSecret& master,
                                                          Bytes session_id) noexcept;

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
