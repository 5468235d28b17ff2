#include "codec/next_protocol.hpp"

namespace lockstep::codec {
namespace {

// Both vectors with their lengths fill a multiple of this, so that the record does not show how long the name is.
constexpr std::size_t kPaddedTo = 32;

}  // namespace

Decoded<NextProtocol> NextProtocol::decode(Bytes body, const DecodeContext& /*context*/) noexcept {
  Reader reader(body);
  NextProtocol message;
  message.selected_protocol = reader.vector8();
  reader.vector8();  // padding
  if (const Reason reason = reader.finish(); reason != Reason::none) return failure(reason, place);
  return message;
}

Bytes encode_next_protocol(Writer& writer, const NextProtocol& message) noexcept {
  return write_handshake_message(writer, HandshakeType::next_protocol, [&] {
    writer.opaque8(message.selected_protocol);
    const auto padding = writer.vector8();
    writer.zeros(kPaddedTo - (message.selected_protocol.size() + 2) % kPaddedTo);
  });
}

}  // namespace lockstep::codec
