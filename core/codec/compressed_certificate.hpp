#pragma once
// CompressedCertificate (RFC 8879 4).

#include <cstddef>
#include <cstdint>

#include <lockstep/bytes.hpp>
#include <lockstep/types.hpp>

#include "codec/handshake_message.hpp"

namespace lockstep::codec {

/// Views into the body that was decoded.
struct CompressedCertificate {
  static constexpr HandshakeType type = HandshakeType::compressed_certificate;
  static constexpr Place place = Place::compressed_certificate;
  static constexpr std::size_t max_size = kMaxCompressedCertificate;
  [[nodiscard]] static Decoded<CompressedCertificate> decode(Bytes body, const DecodeContext& context = {}) noexcept;

  CertificateCompressionAlgorithm algorithm{};
  std::uint32_t uncompressed_length = 0;  ///< of the body of the Certificate message
  Bytes compressed_certificate_message;
};

/// What the body adds to what it carries: algorithm, uncompressed_length and a length.
inline constexpr std::size_t kCompressedCertificateAdds = 2 + 3 + 3;

/// Writes a whole message; an empty view when it did not fit.
[[nodiscard]] Bytes encode_compressed_certificate(Writer& writer, const CompressedCertificate& message) noexcept;

}  // namespace lockstep::codec
