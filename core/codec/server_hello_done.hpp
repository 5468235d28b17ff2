#pragma once
// ServerHelloDone of TLS 1.2 (RFC 5246 7.4.5): an empty message.

#include "codec/handshake_message.hpp"

namespace lockstep::codec {

struct ServerHelloDone {
  static constexpr HandshakeType type = HandshakeType::server_hello_done;
  static constexpr Place place = Place::server_hello_done;
  static constexpr std::size_t max_size = kMaxServerHelloDone;
  [[nodiscard]] static Decoded<ServerHelloDone> decode(Bytes body, const DecodeContext& context = {}) noexcept;
};

/// Writes a whole message; an empty view when it did not fit.
[[nodiscard]] Bytes encode_server_hello_done(Writer& writer) noexcept;

}  // namespace lockstep::codec
