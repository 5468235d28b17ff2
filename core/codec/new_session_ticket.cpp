#include "codec/new_session_ticket.hpp"

#include <utility>

namespace lockstep::codec {

Decoded<NewSessionTicket> NewSessionTicket::decode(Bytes body, const DecodeContext& /*context*/) noexcept {
  constexpr Place kPlace = Place::new_session_ticket;
  Reader reader(body);
  NewSessionTicket message;
  message.ticket_lifetime = reader.u32();
  message.ticket_age_add = reader.u32();
  message.ticket_nonce = reader.vector8();
  message.ticket = reader.vector16(1);
  message.extensions = read_extensions(reader);
  if (const Reason reason = reader.finish(); reason != Reason::none) return failure(reason, kPlace);

  const ExtensionFault fault = check_extensions(message.extensions, ExtensionBlock::new_session_ticket);
  if (fault.reason != Reason::none) return failure(fault.reason, kPlace, std::to_underlying(fault.type));
  // RFC 9846 4.7.1: "Clients MUST ignore unrecognized extensions."
  if (const auto early_data = message.extensions.find(ExtensionType::early_data)) {
    Reader contents(*early_data);
    message.max_early_data_size = contents.u32();
    if (const Reason reason = contents.finish(); reason != Reason::none) {
      return failure(blame(ExtensionType::early_data, reason), kPlace, std::to_underlying(ExtensionType::early_data));
    }
  }
  return message;
}

Bytes encode_new_session_ticket(Writer& writer, const NewSessionTicketParameters& parameters) noexcept {
  return write_handshake_message(writer, HandshakeType::new_session_ticket, [&] {
    writer.u32(parameters.ticket_lifetime);
    writer.u32(parameters.ticket_age_add);
    writer.opaque8(parameters.ticket_nonce);
    writer.opaque16(parameters.ticket);
    const auto extensions = writer.vector16();
    if (parameters.max_early_data_size) {
      write_extension(writer, ExtensionType::early_data, [&] { writer.u32(*parameters.max_early_data_size); });
    }
  });
}

}  // namespace lockstep::codec
