#include "codec/finished.hpp"

namespace lockstep::codec {

Decoded<Finished> Finished::decode(Bytes body, const DecodeContext& context) noexcept {
  Reader reader(body);
  Finished message;
  message.verify_data = reader.bytes(context.verify_data_length);
  if (const Reason reason = reader.finish(); reason != Reason::none) return failure(reason, Place::finished);
  return message;
}

Bytes encode_finished(Writer& writer, const Finished& message) noexcept {
  return write_handshake_message(writer, HandshakeType::finished, [&] { writer.bytes(message.verify_data); });
}

}  // namespace lockstep::codec
