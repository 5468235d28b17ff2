#pragma once
// NextProtocol (draft-agl-tls-nextprotoneg-04 3): the application protocol that a client of TLS 1.2 has chosen from the
// server's list, under its new key, between change_cipher_spec and Finished. What ALPN (RFC 7301) replaced.

#include <lockstep/bytes.hpp>

#include "codec/handshake_message.hpp"

namespace lockstep::codec {

struct NextProtocol {
  static constexpr HandshakeType type = HandshakeType::next_protocol;
  static constexpr Place place = Place::next_protocol;
  static constexpr std::size_t max_size = kMaxNextProtocol;
  [[nodiscard]] static Decoded<NextProtocol> decode(Bytes body, const DecodeContext& context = {}) noexcept;

  Bytes selected_protocol;  ///< a view into the body that was decoded
};

/// Writes a whole message; an empty view when it did not fit.
[[nodiscard]] Bytes encode_next_protocol(Writer& writer, const NextProtocol& message) noexcept;

}  // namespace lockstep::codec
