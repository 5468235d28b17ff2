#pragma once
// CertificateStatus (RFC 6066 8): the OCSP response of the server's certificate, a message of its own in TLS 1.2 and an
// extension of the certificate in TLS 1.3.

#include <lockstep/bytes.hpp>

#include "codec/handshake_message.hpp"

namespace lockstep::codec {

struct CertificateStatus {
  static constexpr HandshakeType type = HandshakeType::certificate_status;
  static constexpr Place place = Place::certificate_status;
  static constexpr std::size_t max_size = kMaxCertificateStatus;
  [[nodiscard]] static Decoded<CertificateStatus> decode(Bytes body, const DecodeContext& context = {}) noexcept;

  Bytes ocsp_response;  ///< DER, not empty, not looked into: a view into the body that was decoded
};

/// Writes a whole message; an empty view when it did not fit.
[[nodiscard]] Bytes encode_certificate_status(Writer& writer, const CertificateStatus& message) noexcept;

/// The structure, without a header: the body of the message, and the contents of status_request in TLS 1.3 (RFC 9846
/// 4.5.1.1). A type other than ocsp fails with enum_value.
[[nodiscard]] Bytes read_certificate_status(Reader& reader) noexcept;
void write_certificate_status(Writer& writer, Bytes ocsp_response) noexcept;

}  // namespace lockstep::codec
