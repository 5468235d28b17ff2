#include "codec/end_of_early_data.hpp"

namespace lockstep::codec {

Decoded<EndOfEarlyData> EndOfEarlyData::decode(Bytes body, const DecodeContext& /*context*/) noexcept {
  if (!body.empty()) return failure(Reason::message_trailing_data, Place::end_of_early_data);
  return EndOfEarlyData{};
}

Bytes encode_end_of_early_data(Writer& writer) noexcept {
  return write_handshake_message(writer, HandshakeType::end_of_early_data, [] {});
}

}  // namespace lockstep::codec
