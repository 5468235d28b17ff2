#include "codec/compressed_certificate.hpp"

namespace lockstep::codec {

Decoded<CompressedCertificate> CompressedCertificate::decode(Bytes body, const DecodeContext& /*context*/) noexcept {
  Reader reader(body);
  CompressedCertificate message;
  message.algorithm = reader.code_point<CertificateCompressionAlgorithm>();
  message.uncompressed_length = reader.u24();
  // RFC 8879 4: "opaque compressed_certificate_message<1..2^24-1>;"
  message.compressed_certificate_message = reader.vector24(1);
  if (const Reason reason = reader.finish(); reason != Reason::none) return failure(reason, place);
  return message;
}

Bytes encode_compressed_certificate(Writer& writer, const CompressedCertificate& message) noexcept {
  return write_handshake_message(writer, HandshakeType::compressed_certificate, [&] {
    writer.code_point(message.algorithm);
    writer.u24(message.uncompressed_length);
    writer.opaque24(message.compressed_certificate_message);
  });
}

}  // namespace lockstep::codec
