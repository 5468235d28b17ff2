#include "codec/new_session_ticket12.hpp"

namespace lockstep::codec {

Decoded<NewSessionTicket12> NewSessionTicket12::decode(Bytes body, const DecodeContext& /*context*/) noexcept {
  Reader reader(body);
  NewSessionTicket12 message;
  message.ticket_lifetime_hint = reader.u32();
  // RFC 5077 3.3: "If the server determines that it does not want to include a ticket after it has included the
  // SessionTicket extension in the ServerHello, then it sends a zero-length ticket in the NewSessionTicket handshake
  // message."
  message.ticket = reader.vector16();
  if (const Reason reason = reader.finish(); reason != Reason::none) return failure(reason, place);
  return message;
}

Bytes encode_new_session_ticket12(Writer& writer, const NewSessionTicket12Parameters& parameters) noexcept {
  return write_handshake_message(writer, HandshakeType::new_session_ticket, [&] {
    writer.u32(parameters.ticket_lifetime_hint);
    writer.opaque16(parameters.ticket);
  });
}

}  // namespace lockstep::codec
