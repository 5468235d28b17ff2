#pragma once
// Certificate of TLS 1.2 (RFC 5246 7.4.2), the server's and the client's: certificates alone, without extensions.

#include <cstddef>
#include <span>

#include <lockstep/bytes.hpp>

#include "codec/handshake_message.hpp"
#include "codec/lists.hpp"

namespace lockstep::codec {

/// ASN.1Cert (RFC 5246 7.4.2). Elements are Bytes: one DER certificate each, not looked into.
struct Asn1Certificate {
  static constexpr std::size_t max_count = kMaxCertificates;
  static Bytes read(Reader& reader) noexcept { return reader.vector24(1); }
};
using CertificateList12 = List<Asn1Certificate>;

/// A view into the body that was decoded.
struct Certificate12 {
  static constexpr HandshakeType type = HandshakeType::certificate;
  static constexpr Place place = Place::certificate;
  static constexpr std::size_t max_size = kMaxCertificate;
  [[nodiscard]] static Decoded<Certificate12> decode(Bytes body, const DecodeContext& context = {}) noexcept;

  CertificateList12 certificate_list;  ///< the end entity first; empty when a client has none
};

/// What to write.
struct Certificate12Parameters {
  std::span<const Bytes> chain{};  ///< DER, the end entity first; empty says that a client has no certificate
};

/// Writes a whole message; an empty view when it did not fit.
[[nodiscard]] Bytes encode_certificate12(Writer& writer, const Certificate12Parameters& parameters) noexcept;

/// The size of the message that encode_certificate12 writes.
[[nodiscard]] std::size_t certificate12_message_size(const Certificate12Parameters& parameters) noexcept;

}  // namespace lockstep::codec
