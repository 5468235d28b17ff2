#pragma once
// Hellos: what a client offers, and how the version is settled before a version's machine starts (RFC 9846 4.2, 4.3.1).

#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <vector>

#include <lockstep/session.hpp>
#include <lockstep/types.hpp>

#include "codec/client_hello.hpp"
#include "codec/server_hello.hpp"
#include "handshake/context.hpp"
#include "handshake/key_exchange.hpp"

namespace lockstep::handshake {

/// A session that is offered, and the hash that its PSK belongs to.
struct OfferedSession {
  const Session* session = nullptr;
  const Hash* hash = nullptr;
};

/// Everything in a ClientHello that its answer is held against, and that a second one repeats.
struct Offer {
  Bytes client_hello{};  ///< the whole message as sent; in the arena
  KeyExchanges shares{};
  std::span<const codec::KeyShareEntry> share_entries{};
  Bytes legacy_session_id{};
  std::optional<codec::Grease> grease{};
  std::optional<std::uint64_t> permutation_seed{};
  std::span<const OfferedSession> sessions{};  ///< in the order of their identities
  Bytes cookie{};                              ///< of a HelloRetryRequest
  const Session* session12 = nullptr;          ///< of TLS 1.2, that is offered by its ticket or its id
  bool early_data = false;                     ///< it goes with the first session
  std::optional<PeerAccepted> judged{};        ///< the peer of the first session, before early data was sent
};

/// Draws what is random, makes key shares and sends the first ClientHello. Sessions that cannot be offered (expired, of
/// another server or of a suite that is not configured) are left out.
[[nodiscard]] std::expected<Offer, Error> send_client_hello(Context& context,
                                                            std::span<const Session> sessions) noexcept;

/// From here on early data may be sealed, behind the ClientHello that offers it.
void start_early_data(Context& context, const Offer& offer) noexcept;

/// Sends the second ClientHello: what the first one said, with what HelloRetryRequest asks for (RFC 9846 4.2.2). The
/// transcript holds message_hash and HelloRetryRequest.
[[nodiscard]] Status send_second_client_hello(Context& context, Offer& offer, const BoundSuite& suite,
                                              std::optional<NamedGroup> group) noexcept;

/// Client: the version that a ServerHello chose.
[[nodiscard]] std::expected<ProtocolVersion, Error> settle_version(Context& context,
                                                                   const codec::ServerHello& hello) noexcept;

/// Server: settles the version for a ClientHello.
[[nodiscard]] std::expected<ProtocolVersion, Error> settle_version(Context& context,
                                                                   const codec::ClientHello& hello) noexcept;

}  // namespace lockstep::handshake
