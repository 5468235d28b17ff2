#include "codec/server_hello_done.hpp"

namespace lockstep::codec {

Decoded<ServerHelloDone> ServerHelloDone::decode(Bytes body, const DecodeContext& /*context*/) noexcept {
  if (!body.empty()) return failure(Reason::message_trailing_data, place);
  return ServerHelloDone{};
}

Bytes encode_server_hello_done(Writer& writer) noexcept {
  return write_handshake_message(writer, HandshakeType::server_hello_done, [] {});
}

}  // namespace lockstep::codec
