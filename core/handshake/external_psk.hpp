#pragma once
// Pre-shared keys of TLS 1.3 that were agreed on elsewhere (RFC 9846 4.3.11): as they are, or imported (RFC 9258).

#include <cstdint>
#include <expected>
#include <optional>
#include <span>

#include <lockstep/bytes.hpp>
#include <lockstep/event.hpp>

#include "codec/client_hello.hpp"
#include "handshake/context.hpp"
#include "handshake/inputs.hpp"
#include "key_schedule/tls13.hpp"

namespace lockstep::handshake {

/// One that is offered, or was found. Views live as long as the handshake.
struct ExternalPsk {
  Bytes identity;              ///< on the wire; of an imported one the ImportedIdentity
  Bytes peer_identity;         ///< what the application knows it by
  const Hash* hash = nullptr;  ///< of the suites that it goes with
  key_schedule::PskKind kind{};
  Bytes key;
};

/// Client: what these keys are offered as: each for its hash, or imported for every hash of our suites. One without a
/// suite is left out.
[[nodiscard]] std::expected<std::span<const ExternalPsk>, Error> psks_to_offer(
    Context& context, std::span<const PskChosen> chosen) noexcept;

/// Server: the question about an identity of the client's; nothing for what cannot be one of a key that goes with a
/// suite in common.
[[nodiscard]] std::optional<FindPsk> question_about(const Context& context, const codec::ClientHello& hello,
                                                    Bytes identity) noexcept;
/// Server: the key that was found; null where it goes with no suite in common.
[[nodiscard]] std::expected<const ExternalPsk*, Error> found_psk(Context& context, const codec::ClientHello& hello,
                                                                 Bytes identity, const PskGiven& found) noexcept;

}  // namespace lockstep::handshake
