#pragma once
// Certificate (RFC 9846 4.5.1).

#include <cstddef>
#include <optional>
#include <span>

#include <lockstep/bytes.hpp>

#include "codec/extensions.hpp"
#include "codec/handshake_message.hpp"
#include "codec/lists.hpp"

namespace lockstep::codec {

struct CertificateEntry {
  static constexpr std::size_t max_count = kMaxCertificates;
  static constexpr Place place = Place::certificate;
  Bytes cert_data;  ///< one DER certificate, not looked into
  Extensions extensions;

  /// The OCSPResponse of status_request (RFC 9846 4.5.1.1), or nothing.
  [[nodiscard]] std::optional<Bytes> ocsp_response() const noexcept;
  /// The SignedCertificateTimestampList (RFC 6962 3.3), or nothing.
  [[nodiscard]] std::optional<Bytes> signed_certificate_timestamps() const noexcept;

  static CertificateEntry read(Reader& reader) noexcept;
};
using CertificateEntries = List<CertificateEntry>;

/// Views into the body that was decoded.
struct Certificate {
  static constexpr HandshakeType type = HandshakeType::certificate;
  static constexpr Place place = Place::certificate;
  static constexpr std::size_t max_size = kMaxCertificate;
  /// Decodes the body; `offered` is what the ClientHello offered, or the CertificateRequest when a client's Certificate
  /// is read.
  [[nodiscard]] static Decoded<Certificate> decode(Bytes body, const DecodeContext& context = {}) noexcept;

  Bytes certificate_request_context;
  CertificateEntries certificate_list;  ///< the end entity first; may be empty
};

/// What to write.
struct CertificateParameters {
  Bytes certificate_request_context{};
  std::span<const Bytes> chain{};         ///< DER, the end entity first; empty says that there is no certificate
  Bytes ocsp_response{};                  ///< for the end entity; empty: none
  Bytes signed_certificate_timestamps{};  ///< a SignedCertificateTimestampList for the end entity; empty: none

  /// The size of the end entity's extensions, without the length of their block.
  [[nodiscard]] std::size_t extensions_size() const noexcept;
  /// Whether they fit into their block of 2^16 - 1 bytes (RFC 9846 4.5.1).
  [[nodiscard]] bool extensions_fit() const noexcept;
};

/// A body with an empty context and no certificate: the lengths of both.
inline constexpr std::size_t kMinCertificate = 1 + 3;
/// What a certificate's entry adds to it: its length and that of its extensions.
inline constexpr std::size_t kCertificateEntryAdds = 3 + 2;

/// Writes a whole message; an empty view when it did not fit.
[[nodiscard]] Bytes encode_certificate(Writer& writer, const CertificateParameters& parameters) noexcept;

/// Whether a list is well formed: not empty, and no SCT of it empty (RFC 6962 3.3).
[[nodiscard]] bool is_signed_certificate_timestamp_list(Bytes list) noexcept;

/// The size of the message that encode_certificate writes.
[[nodiscard]] std::size_t certificate_message_size(const CertificateParameters& parameters) noexcept;

}  // namespace lockstep::codec
