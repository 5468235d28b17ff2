#pragma once
// Record headers (RFC 9846 5.1): finding the next record in a stream, telling TLS from what is not, writing plaintext.

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>

#include <lockstep/bytes.hpp>
#include <lockstep/error.hpp>
#include <lockstep/types.hpp>

#include "record/limits.hpp"

namespace lockstep::record {

struct Header {
  ContentType type;
  ProtocolVersion legacy_record_version;
  std::uint16_t length;  ///< of the fragment that follows

  /// Header and fragment.
  [[nodiscard]] std::size_t record_size() const noexcept { return kHeaderSize + length; }
};

/// What is known of the stream before a header is read.
enum class Stream : std::uint8_t {
  first_record,     ///< nothing was accepted yet: the peer may not speak TLS at all
  plaintext,        ///< no read key
  protected_,       ///< a read key is installed
  protected_tls12,  ///< one of TLS 1.2, where every type is protected
};

/// The header at the start of `inbound`, or nothing while bytes are missing. Refused as early as the bytes tell:
/// not_tls, plain_http, ssl2_or_older (with evidence) and record_version on the first record only; record_type,
/// record_too_long and record_empty on any. The fragment need not have arrived.
[[nodiscard]] std::expected<std::optional<Header>, Error> parse_header(Bytes inbound, Stream stream) noexcept;

/// RFC 9846 5: a change_cipher_spec record that may be dropped is the single byte 1.
[[nodiscard]] bool is_compatibility_change_cipher_spec(const Header& header, Bytes fragment) noexcept;

/// Writes a record header.
void write_header(ContentType type, ProtocolVersion legacy_record_version, std::size_t length,
                  std::span<std::uint8_t, kHeaderSize> out) noexcept;

/// Writes one unprotected record with the given content (1 to 2^14 bytes) and returns its size, or 0 when `out` lacks
/// the room for kHeaderSize + content bytes.
[[nodiscard]] std::size_t write_plaintext(ContentType type, ProtocolVersion legacy_record_version, Bytes content,
                                          MutableBytes out) noexcept;

}  // namespace lockstep::record
