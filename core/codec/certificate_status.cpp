#include "codec/certificate_status.hpp"

#include <cstdint>

namespace lockstep::codec {
namespace {

constexpr std::uint8_t kOcsp = 1;  // CertificateStatusType, RFC 6066 8

}  // namespace

Decoded<CertificateStatus> CertificateStatus::decode(Bytes body, const DecodeContext& /*context*/) noexcept {
  Reader reader(body);
  CertificateStatus message;
  message.ocsp_response = read_certificate_status(reader);
  if (const Reason reason = reader.finish(); reason != Reason::none) return failure(reason, place);
  return message;
}

Bytes encode_certificate_status(Writer& writer, const CertificateStatus& message) noexcept {
  return write_handshake_message(writer, HandshakeType::certificate_status,
                                 [&] { write_certificate_status(writer, message.ocsp_response); });
}

Bytes read_certificate_status(Reader& reader) noexcept {
  // RFC 9846 4.5.1.1: "the body of the "status_request" extension from the server MUST be a CertificateStatus structure
  // ... the body of its "status_request" extension MUST be a CertificateStatus structure"
  if (reader.u8() != kOcsp && reader.ok()) reader.fail(Reason::enum_value);
  // RFC 6066 8: "opaque OCSPResponse<1..2^24-1>;"
  return reader.vector24(1);
}

void write_certificate_status(Writer& writer, Bytes ocsp_response) noexcept {
  writer.u8(kOcsp);
  writer.opaque24(ocsp_response);
}

}  // namespace lockstep::codec
