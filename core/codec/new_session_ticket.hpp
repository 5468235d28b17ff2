#pragma once
// NewSessionTicket (RFC 9846 4.7.1).

#include <cstdint>
#include <optional>

#include <lockstep/bytes.hpp>

#include "codec/extensions.hpp"
#include "codec/handshake_message.hpp"

namespace lockstep::codec {

/// Views into the body that was decoded.
struct NewSessionTicket {
  static constexpr HandshakeType type = HandshakeType::new_session_ticket;
  static constexpr Place place = Place::new_session_ticket;
  static constexpr std::size_t max_size = kMaxNewSessionTicket;
  [[nodiscard]] static Decoded<NewSessionTicket> decode(Bytes body, const DecodeContext& context = {}) noexcept;

  std::uint32_t ticket_lifetime = 0;  ///< in seconds; 0: discard the ticket. as sent, possibly above 7 days
  std::uint32_t ticket_age_add = 0;
  Bytes ticket_nonce;
  Bytes ticket;
  Extensions extensions;

  std::optional<std::uint32_t> max_early_data_size;
};

/// What to write.
struct NewSessionTicketParameters {
  std::uint32_t ticket_lifetime = 0;  ///< in seconds, at most 7 days
  std::uint32_t ticket_age_add = 0;
  Bytes ticket_nonce{};  ///< at most 255 bytes
  Bytes ticket{};        ///< 1 to 65535 bytes
  std::optional<std::uint32_t> max_early_data_size{};
  std::optional<std::uint16_t> grease_extension{};  ///< RFC 8701 4.1
};

/// Writes a whole message; an empty view when it did not fit.
[[nodiscard]] Bytes encode_new_session_ticket(Writer& writer, const NewSessionTicketParameters& parameters) noexcept;

}  // namespace lockstep::codec
