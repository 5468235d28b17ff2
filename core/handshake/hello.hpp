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
#include "handshake/external_psk.hpp"
#include "handshake/inputs.hpp"
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
  std::span<const ExternalPsk> psks{};         ///< behind them, the same
  Bytes cookie{};                              ///< of a HelloRetryRequest
  const Session* session12 = nullptr;          ///< of TLS 1.2, that is offered by its ticket or its id
  bool early_data = false;                     ///< it goes with the first session
  std::optional<PeerAccepted> judged{};        ///< the peer of the first session, before early data was sent

  [[nodiscard]] bool offers_psks() const noexcept { return !sessions.empty() || !psks.empty(); }
};

/// What a first ClientHello offers, but for key shares: draws what is random. Sessions that cannot be offered (expired,
/// of another server or of a suite that is not configured) are left out.
[[nodiscard]] std::expected<Offer, Error> prepare_offer(Context& context, std::span<const Session> sessions,
                                                        std::span<const ExternalPsk> psks) noexcept;

/// Makes a key pair for each group, whose shares replace those of the offer.
[[nodiscard]] Status make_shares(Context& context, Offer& offer, std::span<const NamedGroup> groups) noexcept;
/// The same with key pairs that were made elsewhere.
[[nodiscard]] Status take_shares(Context& context, Offer& offer, const SharesMade& made) noexcept;

[[nodiscard]] Status send_client_hello(Context& context, Offer& offer) noexcept;

/// From here on early data may be sealed, behind the ClientHello that offers it.
void start_early_data(Context& context, const Offer& offer) noexcept;

/// What the second ClientHello offers, but for its key share: what the first one did, with what HelloRetryRequest asks
/// for (RFC 9846 4.2.2). The transcript holds message_hash and HelloRetryRequest.
[[nodiscard]] Status prepare_second_offer(Context& context, Offer& offer, const BoundSuite& suite,
                                          std::optional<NamedGroup> group) noexcept;

/// Client: the version that a ServerHello chose.
[[nodiscard]] std::expected<ProtocolVersion, Error> settle_version(Context& context,
                                                                   const codec::ServerHello& hello) noexcept;

/// Server: settles the version for a ClientHello.
[[nodiscard]] std::expected<ProtocolVersion, Error> settle_version(Context& context,
                                                                   const codec::ClientHello& hello) noexcept;

}  // namespace lockstep::handshake
