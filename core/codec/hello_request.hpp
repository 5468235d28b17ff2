#pragma once
// HelloRequest of TLS 1.2 (RFC 5246 7.4.1.1): an empty message.

#include "codec/handshake_message.hpp"

namespace lockstep::codec {

struct HelloRequest {
  static constexpr HandshakeType type = HandshakeType::hello_request;
  static constexpr Place place = Place::hello_request;
  static constexpr std::size_t max_size = kMaxHelloRequest;
  [[nodiscard]] static Decoded<HelloRequest> decode(Bytes body, const DecodeContext& context = {}) noexcept;
};

/// Writes a whole message; an empty view when it did not fit.
[[nodiscard]] Bytes encode_hello_request(Writer& writer) noexcept;

}  // namespace lockstep::codec
