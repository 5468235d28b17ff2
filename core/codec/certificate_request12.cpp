#include "codec/certificate_request12.hpp"

namespace lockstep::codec {

Decoded<CertificateRequest12> CertificateRequest12::decode(Bytes body, const DecodeContext& /*context*/) noexcept {
  Reader reader(body);
  CertificateRequest12 message;
  // RFC 5246 7.4.4: "ClientCertificateType certificate_types<1..2^8-1>;"
  message.certificate_types = read_code_points8<ClientCertificateType>(reader);
  // RFC 5246 7.4.1.4.1: "SignatureAndHashAlgorithm supported_signature_algorithms<2..2^16-2>;"
  message.supported_signature_algorithms = read_code_points16<SignatureScheme>(reader);
  // RFC 5246 7.4.4: "DistinguishedName certificate_authorities<0..2^16-1>;"
  message.certificate_authorities = read_list<DistinguishedName>(reader, reader.vector16());
  if (const Reason reason = reader.finish(); reason != Reason::none) return failure(reason, place);
  return message;
}

Bytes encode_certificate_request12(Writer& writer, const CertificateRequest12Parameters& parameters) noexcept {
  return write_handshake_message(writer, HandshakeType::certificate_request, [&] {
    write_code_points8(writer, parameters.certificate_types);
    write_code_points16(writer, parameters.supported_signature_algorithms);
    write_certificate_authorities(writer, parameters.certificate_authorities);
  });
}

}  // namespace lockstep::codec
