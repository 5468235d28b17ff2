#include "codec/new_session_ticket.hpp"

#include "codec/extension_codecs.hpp"

namespace lockstep::codec {
namespace {

using enum ExtensionType;
using In = NewSessionTicket;
using Out = NewSessionTicketParameters;
using Row = ExtensionCodec<ExtensionBlock::new_session_ticket, In, Out>;

constexpr auto kExtensions = std::to_array<Row>({
    {early_data, reads<&In::max_early_data_size, &Reader::u32>, writes<&Out::max_early_data_size, &Writer::u32>},
});
static_assert(complete(kExtensions));

}  // namespace

Decoded<NewSessionTicket> NewSessionTicket::decode(Bytes body, const DecodeContext& /*context*/) noexcept {
  Reader reader(body);
  NewSessionTicket message;
  message.ticket_lifetime = reader.u32();
  message.ticket_age_add = reader.u32();
  message.ticket_nonce = reader.vector8();
  message.ticket = reader.vector16(1);
  message.extensions = read_extensions(reader);
  if (const Reason reason = reader.finish(); reason != Reason::none) return failure(reason, place);
  if (const auto decoded = decode_extensions<kExtensions>(message); !decoded) return std::unexpected(decoded.error());
  return message;
}

Bytes encode_new_session_ticket(Writer& writer, const NewSessionTicketParameters& parameters) noexcept {
  return write_handshake_message(writer, HandshakeType::new_session_ticket, [&] {
    writer.u32(parameters.ticket_lifetime);
    writer.u32(parameters.ticket_age_add);
    writer.opaque8(parameters.ticket_nonce);
    writer.opaque16(parameters.ticket);
    encode_extensions(writer, kExtensions, parameters, parameters.grease_extension);
  });
}

}  // namespace lockstep::codec
