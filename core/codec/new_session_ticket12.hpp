#pragma once
// NewSessionTicket of TLS 1.2 (RFC 5077 3.3): a message of the handshake, before the server's change_cipher_spec.

#include <cstdint>

#include <lockstep/bytes.hpp>

#include "codec/handshake_message.hpp"

namespace lockstep::codec {

struct NewSessionTicket12 {
  static constexpr HandshakeType type = HandshakeType::new_session_ticket;
  static constexpr Place place = Place::new_session_ticket;
  static constexpr std::size_t max_size = kMaxNewSessionTicket12;
  [[nodiscard]] static Decoded<NewSessionTicket12> decode(Bytes body, const DecodeContext& context = {}) noexcept;

  std::uint32_t ticket_lifetime_hint = 0;  ///< in seconds; 0: unspecified
  Bytes ticket;  ///< a view into the body that was decoded; empty when the server has none after all
};

/// What to write.
struct NewSessionTicket12Parameters {
  std::uint32_t ticket_lifetime_hint = 0;  ///< in seconds; 0: unspecified
  Bytes ticket{};                          ///< at most 65535 bytes; empty: none after all
};

/// Writes a whole message; an empty view when it did not fit.
[[nodiscard]] Bytes encode_new_session_ticket12(Writer& writer,
                                                const NewSessionTicket12Parameters& parameters) noexcept;

}  // namespace lockstep::codec
