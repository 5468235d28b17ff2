#include "codec/certificate_verify.hpp"

namespace lockstep::codec {

Decoded<CertificateVerify> CertificateVerify::decode(Bytes body, const DecodeContext& /*context*/) noexcept {
  Reader reader(body);
  CertificateVerify message;
  message.algorithm = reader.code_point<SignatureScheme>();
  message.signature = reader.vector16();
  if (const Reason reason = reader.finish(); reason != Reason::none) return failure(reason, Place::certificate_verify);
  return message;
}

Bytes encode_certificate_verify(Writer& writer, const CertificateVerify& message) noexcept {
  return write_handshake_message(writer, HandshakeType::certificate_verify, [&] {
    writer.code_point(message.algorithm);
    writer.opaque16(message.signature);
  });
}

}  // namespace lockstep::codec
