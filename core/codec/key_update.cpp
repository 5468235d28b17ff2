#include "codec/key_update.hpp"

namespace lockstep::codec {

Decoded<KeyUpdate> KeyUpdate::decode(Bytes body, const DecodeContext& /*context*/) noexcept {
  Reader reader(body);
  const auto request_update = reader.code_point<KeyUpdateRequest>();
  if (const Reason reason = reader.finish(); reason != Reason::none) return failure(reason, Place::key_update);
  // RFC 9846 4.7.3: "If an implementation receives any other value, it MUST terminate the connection with an
  // "illegal_parameter" alert."
  if (request_update != KeyUpdateRequest::update_not_requested &&
      request_update != KeyUpdateRequest::update_requested) {
    return failure(Reason::key_update_malformed, Place::key_update);
  }
  return KeyUpdate{request_update};
}

Bytes encode_key_update(Writer& writer, const KeyUpdate& message) noexcept {
  return write_handshake_message(writer, HandshakeType::key_update, [&] { writer.code_point(message.request_update); });
}

}  // namespace lockstep::codec
