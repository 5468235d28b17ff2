#pragma once
// CertificateVerify (RFC 9846 4.5.2).

#include <lockstep/bytes.hpp>
#include <lockstep/types.hpp>

#include "codec/handshake_message.hpp"

namespace lockstep::codec {

struct CertificateVerify {
  static constexpr HandshakeType type = HandshakeType::certificate_verify;
  static constexpr Place place = Place::certificate_verify;
  static constexpr std::size_t max_size = kMaxCertificateVerify;
  [[nodiscard]] static Decoded<CertificateVerify> decode(Bytes body, const DecodeContext& context = {}) noexcept;

  SignatureScheme algorithm{};
  Bytes signature;  ///< a view into the body that was decoded
};

/// Writes a whole message; an empty view when it did not fit.
[[nodiscard]] Bytes encode_certificate_verify(Writer& writer, const CertificateVerify& message) noexcept;

}  // namespace lockstep::codec
