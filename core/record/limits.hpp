#pragma once
// Every limit of the record layer and of what it carries, each with its source.

#include <cstddef>
#include <cstdint>
#include <limits>

#include <lockstep/types.hpp>

namespace lockstep::record {

/// RFC 9846 5.1: type, legacy_record_version, length.
inline constexpr std::size_t kHeaderSize = 5;

/// RFC 9846 5.1: "The length MUST NOT exceed 2^14 bytes."
inline constexpr std::size_t kMaxPlaintext = std::size_t{1} << 14U;

/// RFC 9846 5.2: TLSInnerPlaintext is the content, its type and the padding: at most 2^14 + 1 bytes.
inline constexpr std::size_t kMaxInnerPlaintext = kMaxPlaintext + 1;

/// RFC 9846 5.2: "The length MUST NOT exceed 2^14 + 256 bytes."
inline constexpr std::size_t kMaxCiphertext = kMaxPlaintext + 256;

/// RFC 5246 6.2.3: "The length MUST NOT exceed 2^14 + 2048."
inline constexpr std::size_t kMaxCiphertextTls12 = kMaxPlaintext + 2048;

/// The longest record that may arrive in any version: that of TLS 1.2 (RFC 5246 6.2.3), as TLS 1.3 allows 2^14 + 256
/// (RFC 9846 5.2).
inline constexpr std::size_t kMaxRecordSize = kHeaderSize + kMaxCiphertextTls12;

/// RFC 9846 5.3, RFC 5246 6.1: sequence numbers have 64 bits.
inline constexpr std::size_t kSequenceSize = 8;

/// RFC 5246 6.2.3.2: "The padding MAY be any length up to 255 bytes", and there is one that says how many.
inline constexpr std::size_t kMaxCbcPadding = 256;

/// RFC 5288 3: "The salt length (SecurityParameters.fixed_iv_length) is 4 octets. ... The nonce_explicit length
/// (SecurityParameters.record_iv_length) is 8 octets."
inline constexpr std::size_t kSaltSize = 4;
inline constexpr std::size_t kExplicitNonceSize = 8;

/// The content type that follows the content of a protected record (RFC 9846 5.2).
inline constexpr std::size_t kInnerTypeSize = 1;

/// Records that bring nothing and may follow each other without data between them: without content, change_cipher_spec,
/// and KeyUpdates that were not asked for. RFC 9846 5.1 allows empty application data as a defence against traffic
/// analysis and 4.7.3 KeyUpdates at any time, both without a bound; without one a peer could keep us busy for nothing.
/// 32 as in OpenSSL and BoringSSL, which count each kind apart.
inline constexpr unsigned kMaxIdleRecords = 32;

/// Tickets that are taken from one record, and on one connection; further ones are ignored. Servers send one to four at
/// a time, and some send new ones every few hours.
inline constexpr std::size_t kMaxTicketsPerRecord = 16;
inline constexpr unsigned kMaxTicketsPerConnection = 255;

/// Warning alerts that a connection may bring (RFC 9846 6.1 leaves only user_canceled, which announces its end). 4 as
/// BoringSSL allows to follow each other.
inline constexpr unsigned kMaxWarningAlerts = 4;

/// RFC 9846 4.3.10: a server that rejects early data skips "up to the configured max_early_data_size". This much is
/// tolerated at least, from those who hold another server's tickets.
inline constexpr std::size_t kMaxEarlyDataSkipped = 32768;

/// RFC 9846 5.3: "If a TLS implementation would need to wrap a sequence number, it MUST either rekey (Section 4.7.3) or
/// terminate the connection." The last number is never used.
inline constexpr std::uint64_t kMaxSequence = std::numeric_limits<std::uint64_t>::max();

/// How many records one key may protect. RFC 9846 5.5: for AES-GCM 2^24.5 full-size records; for ChaCha20-Poly1305 "the
/// record sequence number would wrap before the safety limit is reached"; CCM by RFC 9147 4.5.3 (2^23).
[[nodiscard]] constexpr std::uint64_t confidentiality_limit(AeadAlgorithm aead) noexcept {
  switch (aead) {
    case AeadAlgorithm::aes_128_gcm:
    case AeadAlgorithm::aes_256_gcm: return 23'726'566;  // 2^24.5, rounded down
    case AeadAlgorithm::aes_128_ccm:
    case AeadAlgorithm::aes_128_ccm_8:
    case AeadAlgorithm::aes_256_ccm:
    case AeadAlgorithm::aes_256_ccm_8: return std::uint64_t{1} << 23U;
    case AeadAlgorithm::chacha20_poly1305: break;
  }
  return std::uint64_t{1} << 62U;
}

/// How many records one key of AES in CBC mode may protect: as RFC 9846 5.5 bounds AES-GCM, an advantage of 2^-57 by
/// colliding blocks, of which full-size records have 2^10, and 2^35.5 give s^2 / 2^128.
inline constexpr std::uint64_t kCbcConfidentialityLimit = 47'453'132;  // 2^25.5, rounded down

/// How many forgeries one key may meet (RFC 9147 4.5.3). Streams end at the first one; for datagrams.
[[nodiscard]] constexpr std::uint64_t integrity_limit(AeadAlgorithm aead) noexcept {
  switch (aead) {
    case AeadAlgorithm::aes_128_ccm:
    case AeadAlgorithm::aes_256_ccm: return 11'863'283;  // 2^23.5
    case AeadAlgorithm::aes_128_ccm_8:
    case AeadAlgorithm::aes_256_ccm_8: return std::uint64_t{1} << 7U;
    case AeadAlgorithm::aes_128_gcm:
    case AeadAlgorithm::aes_256_gcm:
    case AeadAlgorithm::chacha20_poly1305: break;
  }
  return std::uint64_t{1} << 36U;
}

}  // namespace lockstep::record
