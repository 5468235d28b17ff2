#pragma once
// CertificateVerify (RFC 9846 4.5.2).

#include <lockstep/bytes.hpp>
#include <lockstep/types.hpp>

#include "codec/handshake_message.hpp"

namespace lockstep::codec {

struct CertificateVerify {
  SignatureScheme algorithm{};
  Bytes signature;  ///< a view into the body that was decoded
};

[[nodiscard]] Decoded<CertificateVerify> decode_certificate_verify(Bytes body) noexcept;

/// Writes a whole message; an empty view when it did not fit.
[[nodiscard]] Bytes encode_certificate_verify(Writer& writer, const CertificateVerify& message) noexcept;

}  // namespace lockstep::codec
