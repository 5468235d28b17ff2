#pragma once
// Opening protected records in place (RFC 9846 5.2, RFC 5246 6.2.3).

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <expected>

#include <lockstep/bytes.hpp>
#include <lockstep/error.hpp>
#include <lockstep/provider.hpp>
#include <lockstep/types.hpp>

#include "record/limits.hpp"
#include "record/protection.hpp"

namespace lockstep::record {

/// What a protected record held: a view into the record.
struct Content {
  ContentType type;
  MutableBytes content;
};

/// The read half of a connection's protection.
class Opener {
 public:
  /// Replaces the read key. False when the provider failed: then no key is installed. `iv` has 4 bytes (the salt) for
  /// explicit nonces, else kAeadNonceSize.
  [[nodiscard]] bool install(const Aead& aead, Bytes key, Bytes iv,
                             RecordFormat format = RecordFormat::tls13) noexcept {
    return protection_.install(aead, key, iv, format);
  }
  /// The same for CBC with HMAC of TLS 1.2. It allocates.
  [[nodiscard]] bool install(const CbcCipher& cipher, const RecordMac& mac, Bytes key, Bytes mac_key,
                             bool encrypt_then_mac) noexcept {
    return protection_.install(cipher, mac, key, mac_key, encrypt_then_mac);
  }
  [[nodiscard]] bool installed() const noexcept { return protection_.installed(); }
  void clear() noexcept { protection_.clear(); }
  /// Where to expand keys; see Protection.
  void use(ContextCache* cache) noexcept { protection_.use(cache); }
  /// How much a record may hold from here on, whatever its key: as RFC 8449 4 counts it, which is all plaintext, in
  /// TLS 1.3 with the type and the padding. More is record_too_long. 2^14 + 1 (in TLS 1.2 2^14) when nobody says less.
  void limit(std::size_t plaintext) noexcept {
    limit_ = static_cast<std::uint16_t>(std::min(plaintext, kMaxInnerPlaintext));
  }
  /// Whether `limit` has said less than the standards do.
  [[nodiscard]] bool limited() const noexcept { return limit_ < kMaxPlaintext; }
  /// The longest record, header included, that keeps to what `limit` has said.
  [[nodiscard]] std::size_t limited_record() const noexcept { return kHeaderSize + limit_ + format().most_added; }
  /// While it lives, all records are opened with one expansion of their key, cache or none.
  [[nodiscard]] StackSlot burst() noexcept { return StackSlot(protection_); }

  /// Opens one whole record, header included, as parse_header found it. In place: the record's bytes are overwritten,
  /// and wiped when it is refused. Only while a key is installed.
  ///
  /// Reasons: record_unprotected (TLS 1.3: its outer type is not application_data; change_cipher_spec is the caller's
  /// to drop first), record_mac, record_too_long, record_all_padding (TLS 1.3), record_type,
  /// change_cipher_spec_unexpected (TLS 1.3), record_empty (a handshake or alert record without content), record_limit,
  /// and provider_failed.
  [[nodiscard]] std::expected<Content, Reason> open(MutableBytes record) noexcept {
    return protection_.format().open(*this, record);
  }
  /// What the records are like; TLS 1.3's without a key.
  [[nodiscard]] const Format& format() const noexcept { return protection_.format(); }

  /// Records opened with this key.
  [[nodiscard]] std::uint64_t records() const noexcept { return protection_.sequence(); }

  /// How the formats open.
  template <class Records>
  [[nodiscard]] static std::expected<Content, Reason> open_as(Opener& self, MutableBytes record) noexcept;
  [[nodiscard]] static std::expected<Content, Reason> open_cbc(Opener& self, MutableBytes record) noexcept;

 private:
  Protection protection_;
  std::uint16_t limit_ = kMaxInnerPlaintext;
};

/// Why protected content of this type and size is refused; none when it is not.
[[nodiscard]] inline Reason judge_content(ContentType type, std::size_t content_size) noexcept {
  if (type == ContentType::application_data) [[likely]]
    return Reason::none;
  switch (type) {
    case ContentType::application_data:
    case ContentType::handshake:
    case ContentType::alert:
      // RFC 9846 5.4: "Implementations MUST NOT send Handshake and Alert records that have a zero-length
      // TLSInnerPlaintext.content; if such a message is received, the receiving implementation MUST terminate the
      // connection with an "unexpected_message" alert."
      return content_size == 0 ? Reason::record_empty : Reason::none;
    case ContentType::change_cipher_spec:
      // RFC 9846 5: "An implementation which receives [...] a protected change_cipher_spec record MUST abort the
      // handshake with an "unexpected_message" alert."
      return Reason::change_cipher_spec_unexpected;
    case ContentType::invalid: break;
  }
  return Reason::record_type;
}

/// The reason, once the plaintext is wiped.
[[nodiscard]] inline std::unexpected<Reason> refuse(MutableBytes plaintext, Reason reason) noexcept {
  wipe(plaintext);
  return std::unexpected(reason);
}

}  // namespace lockstep::record
