#pragma once
// Record headers (RFC 9846 5.1): finding the next record in a stream, telling TLS from what is not, writing plaintext.

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <expected>
#include <optional>
#include <span>

#include <lockstep/bytes.hpp>
#include <lockstep/error.hpp>
#include <lockstep/types.hpp>

#include "record/limits.hpp"

namespace lockstep::record {

/// The same number with its bytes in the order of the network, or from it.
template <class Word>
[[nodiscard]] constexpr Word network_order(Word word) noexcept {
  if constexpr (std::endian::native == std::endian::little) return std::byteswap(word);
  return word;
}

/// RFC 9846 5.1: legacy_record_version "MUST be ignored for all purposes".
struct Header {
  ContentType type;
  std::uint16_t length;  ///< of the fragment that follows

  /// Header and fragment.
  [[nodiscard]] std::size_t record_size() const noexcept { return kHeaderSize + length; }
};

[[nodiscard]] inline Header read_header(std::span<const std::uint8_t, kHeaderSize> header) noexcept {
  return {.type = static_cast<ContentType>(header[0]),
          .length = static_cast<std::uint16_t>(header[3] << 8U | header[4])};
}

/// What is known of the stream before a header is read.
enum class Stream : std::uint8_t {
  first_record,     ///< nothing was accepted yet: the peer may not speak TLS at all
  plaintext,        ///< no read key
  protected_,       ///< a read key is installed
  protected_tls12,  ///< one of TLS 1.2, where every type is protected
};

/// parse_header, whatever the record is.
[[nodiscard]] std::expected<std::optional<Header>, Error> parse_any_header(Bytes inbound, Stream stream) noexcept;

/// The header at the start of `inbound`, or nothing while bytes are missing. Refused as early as the bytes tell:
/// not_tls, plain_http, ssl2_or_older (with evidence) and record_version on the first record only; record_type,
/// record_too_long and record_empty on any. The fragment need not have arrived.
[[nodiscard]] inline std::expected<std::optional<Header>, Error> parse_header(Bytes inbound, Stream stream) noexcept {
  // Almost every record of a connection.
  if (stream != Stream::first_record && inbound.size() >= kHeaderSize &&
      inbound[0] == static_cast<std::uint8_t>(ContentType::application_data)) [[likely]] {
    const Header header = read_header(inbound.first<kHeaderSize>());
    if (header.length <= kMaxCiphertext) [[likely]]
      return header;
  }
  return parse_any_header(inbound, stream);
}

/// RFC 5246 7.1, RFC 9846 5: the content of a change_cipher_spec record is the single byte 1.
[[nodiscard]] bool is_change_cipher_spec(Bytes content) noexcept;

/// Writes a record header, in words: it is read again at once, as additional data.
inline void write_header(ContentType type, ProtocolVersion legacy_record_version, std::size_t length,
                         std::span<std::uint8_t, kHeaderSize> out) noexcept {
  const std::uint32_t front =
      network_order(static_cast<std::uint32_t>(type) << 24U | static_cast<std::uint32_t>(legacy_record_version) << 8U |
                    (static_cast<std::uint32_t>(length) >> 8U & 0xffU));
  std::memcpy(out.data(), &front, sizeof front);
  out[4] = static_cast<std::uint8_t>(length);
}

/// The same header with another length.
inline void rewrite_header(std::span<const std::uint8_t, kHeaderSize> header, std::size_t length,
                           std::span<std::uint8_t, kHeaderSize> out) noexcept {
  std::uint32_t front;
  std::memcpy(&front, header.data(), sizeof front);
  front = network_order((network_order(front) & 0xffffff00U) | static_cast<std::uint32_t>(length >> 8U & 0xffU));
  std::memcpy(out.data(), &front, sizeof front);
  out[4] = static_cast<std::uint8_t>(length);
}

/// Writes a sequence number.
inline void write_sequence(std::uint64_t sequence, std::span<std::uint8_t, kSequenceSize> out) noexcept {
  const std::uint64_t number = network_order(sequence);
  std::memcpy(out.data(), &number, sizeof number);
}

/// Writes one unprotected record with the given content (1 to 2^14 bytes) and returns its size, or 0 when `out` lacks
/// the room for kHeaderSize + content bytes.
[[nodiscard]] std::size_t write_plaintext(ContentType type, ProtocolVersion legacy_record_version, Bytes content,
                                          MutableBytes out) noexcept;

}  // namespace lockstep::record
