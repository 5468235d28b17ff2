#pragma once
// CertificateRequest (RFC 9846 4.4.2).

#include <cstdint>
#include <optional>
#include <span>

#include <lockstep/bytes.hpp>
#include <lockstep/types.hpp>

#include "codec/extensions.hpp"
#include "codec/handshake_message.hpp"
#include "codec/lists.hpp"

namespace lockstep::codec {

/// Views into the body that was decoded.
struct CertificateRequest {
  static constexpr HandshakeType type = HandshakeType::certificate_request;
  static constexpr Place place = Place::certificate_request;
  static constexpr std::size_t max_size = kMaxCertificateRequest;
  [[nodiscard]] static Decoded<CertificateRequest> decode(Bytes body, const DecodeContext& context = {}) noexcept;

  Bytes certificate_request_context;  ///< empty during the handshake
  Extensions extensions;

  CodePoints<SignatureScheme> signature_algorithms;
  std::optional<CodePoints<SignatureScheme>> signature_algorithms_cert;
  std::optional<DistinguishedNames> certificate_authorities;
  std::optional<OidFilters> oid_filters;
  std::optional<CodePoints<CertificateCompressionAlgorithm>> compress_certificate;
  bool status_request = false;
  bool signed_certificate_timestamp = false;

  /// The extensions to which the client's Certificate may answer.
  [[nodiscard]] ExtensionSet offered() const noexcept;
};

/// What to write. Empty fields are not written, but for signature_algorithms, which must not be empty.
struct CertificateRequestParameters {
  Bytes certificate_request_context{};
  std::span<const SignatureScheme> signature_algorithms{};
  std::span<const SignatureScheme> signature_algorithms_cert{};
  std::span<const Bytes> certificate_authorities{};  ///< DER names
  bool status_request = false;
  bool signed_certificate_timestamp = false;
  std::span<const CertificateCompressionAlgorithm> compress_certificate{};
  std::optional<std::uint16_t> grease_extension{};  ///< RFC 8701 4.1
};

/// Writes a whole message; an empty view when it did not fit.
[[nodiscard]] Bytes encode_certificate_request(Writer& writer, const CertificateRequestParameters& parameters) noexcept;

}  // namespace lockstep::codec
