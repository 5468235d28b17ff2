#pragma once
// CertificateRequest of TLS 1.2 (RFC 5246 7.4.4): lists where TLS 1.3 has extensions.

#include <cstdint>
#include <span>

#include <lockstep/bytes.hpp>
#include <lockstep/types.hpp>

#include "codec/handshake_message.hpp"
#include "codec/lists.hpp"

namespace lockstep::codec {

/// RFC 5246 7.4.4, RFC 8422 5.5. Those of static Diffie-Hellman are left out.
enum class ClientCertificateType : std::uint8_t { rsa_sign = 1, dss_sign = 2, ecdsa_sign = 64 };

/// Views into the body that was decoded.
struct CertificateRequest12 {
  static constexpr HandshakeType type = HandshakeType::certificate_request;
  static constexpr Place place = Place::certificate_request;
  static constexpr std::size_t max_size = kMaxCertificateRequest12;
  [[nodiscard]] static Decoded<CertificateRequest12> decode(Bytes body, const DecodeContext& context = {}) noexcept;

  CodePoints<ClientCertificateType> certificate_types;
  CodePoints<SignatureScheme> supported_signature_algorithms;
  DistinguishedNames certificate_authorities;  ///< empty: of any authority
};

/// What to write. Neither types nor algorithms may be empty.
struct CertificateRequest12Parameters {
  std::span<const ClientCertificateType> certificate_types{};
  std::span<const SignatureScheme> supported_signature_algorithms{};
  std::span<const Bytes> certificate_authorities{};  ///< DER names
};

/// Writes a whole message; an empty view when it did not fit.
[[nodiscard]] Bytes encode_certificate_request12(Writer& writer,
                                                 const CertificateRequest12Parameters& parameters) noexcept;

}  // namespace lockstep::codec
