#pragma once
// Sealing protected records (RFC 9846 5.2, RFC 5246 6.2.3): gathered straight from the caller's segments, or in place.

#include <cstddef>
#include <cstdint>
#include <expected>
#include <span>

#include <lockstep/bytes.hpp>
#include <lockstep/error.hpp>
#include <lockstep/padding.hpp>
#include <lockstep/provider.hpp>
#include <lockstep/types.hpp>

#include "record/protection.hpp"

namespace lockstep::record {

/// Records that go to the AEAD in one call.
inline constexpr std::size_t kMaxSealBatch = 16;
/// Segments that one such call gathers; a record that would need more ends before them.
inline constexpr std::size_t kMaxSealSegments = 64;

/// How to cut content into records.
struct Cut {
  std::size_t max_fragment = kMaxPlaintext;  ///< content and padding of one record, 1 to kMaxPlaintext
  PaddingPolicy padding{};                   ///< without effect where the format has none
  std::size_t max_content = SIZE_MAX;        ///< of all records together
};

/// What `Sealer::seal` did.
struct SealedRecords {
  std::size_t consumed = 0;  ///< bytes of content
  std::size_t written = 0;   ///< bytes of records
};

/// The write half of a connection's protection.
class Sealer {
 public:
  /// Replaces the write key. False when the provider failed: then no key is installed. `iv` has 4 bytes (the salt) for
  /// explicit nonces, else kAeadNonceSize.
  [[nodiscard]] bool install(const Aead& aead, Bytes key, Bytes iv, RecordFormat format = RecordFormat::tls13) noexcept;
  /// The same for CBC with HMAC of TLS 1.2. It allocates.
  [[nodiscard]] bool install(const CbcCipher& cipher, const RecordMac& mac, Bytes key, Bytes mac_key,
                             bool encrypt_then_mac) noexcept;
  [[nodiscard]] bool installed() const noexcept { return protection_.installed(); }
  void clear() noexcept { protection_.clear(); }
  /// Where to expand keys; see Protection.
  void use(ContextCache* cache) noexcept { protection_.use(cache); }

  // Everything below is only for while a key is installed. Reasons: record_limit (no further record may be sealed with
  // this key) and provider_failed; either ends the connection.

  /// Seals content into as many whole records as `out` has room for. Stops without error when the room ends: whatever
  /// `consumed` does not cover is to be presented again. `out` must not overlap the segments. No content makes no
  /// record.
  [[nodiscard]] std::expected<SealedRecords, Reason> seal(ContentType type, std::span<const Bytes> segments,
                                                          const Cut& cut, MutableBytes out) noexcept {
    return protection_.format().seal(*this, type, segments, cut, out);
  }

  /// Seals one record in place. `slot` is headroom() bytes, `content_size` bytes of content (0 to kMaxPlaintext, with
  /// the padding) and trailer_size(padding) bytes of tailroom or more. Returns the record's size; it starts where the
  /// slot starts. 0 when the slot or the record's limit is too small: then nothing was written.
  [[nodiscard]] std::expected<std::size_t, Reason> seal_in_place(ContentType type, MutableBytes slot,
                                                                 std::size_t content_size,
                                                                 std::size_t padding = 0) noexcept {
    return protection_.format().seal_in_place(*this, type, slot, content_size, padding);
  }

  /// What stands before the content: the header, and an explicit nonce. The header's size without a key.
  [[nodiscard]] std::size_t headroom() const noexcept { return kHeaderSize + format().explicit_nonce_size; }
  /// What follows the content: in TLS 1.3 its type and the padding, and the tag. With CBC the most that may follow it.
  [[nodiscard]] std::size_t trailer_size(std::size_t padding = 0) const noexcept {
    const std::size_t type_size = format().inner_type_size;
    return type_size + (type_size == 0 ? 0 : padding) + protection_.aead().tag_size;
  }
  /// What a record without padding adds to its content.
  [[nodiscard]] std::size_t overhead() const noexcept { return headroom() + trailer_size(); }
  /// What the records are like; TLS 1.3's without a key.
  [[nodiscard]] const Format& format() const noexcept { return protection_.format(); }

  /// Records and bytes of content sealed with this key.
  [[nodiscard]] std::uint64_t records() const noexcept { return protection_.sequence(); }
  [[nodiscard]] std::uint64_t bytes() const noexcept { return bytes_; }
  /// Whether the key should be replaced soon: `byte_limit` bytes of content were sealed (0: no such limit), or seven
  /// eighths of the records that the AEAD allows (RFC 9846 5.5). Never in TLS 1.2, whose keys cannot be replaced: at
  /// the AEAD's limit the connection ends.
  [[nodiscard]] bool wants_key_update(std::uint64_t byte_limit) const noexcept;

  /// How the formats seal.
  template <class Records>
  [[nodiscard]] static std::expected<SealedRecords, Reason> seal_as(Sealer& self, ContentType type,
                                                                    std::span<const Bytes> segments, const Cut& cut,
                                                                    MutableBytes out) noexcept;
  template <class Records>
  [[nodiscard]] static std::expected<std::size_t, Reason> seal_in_place_as(Sealer& self, ContentType type,
                                                                           MutableBytes slot, std::size_t content_size,
                                                                           std::size_t padding) noexcept;

 private:
  Protection protection_;
  std::uint64_t record_limit_ = 0;
  std::uint64_t bytes_ = 0;
};

}  // namespace lockstep::record
