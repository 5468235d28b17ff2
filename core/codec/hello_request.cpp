#include "codec/hello_request.hpp"

namespace lockstep::codec {

Decoded<HelloRequest> HelloRequest::decode(Bytes body, const DecodeContext& /*context*/) noexcept {
  if (!body.empty()) return failure(Reason::message_trailing_data, place);
  return HelloRequest{};
}

Bytes encode_hello_request(Writer& writer) noexcept {
  return write_handshake_message(writer, HandshakeType::hello_request, [] {});
}

}  // namespace lockstep::codec
