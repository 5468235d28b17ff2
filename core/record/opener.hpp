#pragma once
// Opening protected records in place (RFC 9846 5.2).

#include <cstdint>
#include <expected>

#include <lockstep/bytes.hpp>
#include <lockstep/error.hpp>
#include <lockstep/provider.hpp>
#include <lockstep/types.hpp>

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
  /// Replaces the read key. False when the provider failed: then no key is installed.
  [[nodiscard]] bool install(const Aead& aead, Bytes key, Bytes iv) noexcept {
    return protection_.install(aead, key, iv);
  }
  [[nodiscard]] bool installed() const noexcept { return protection_.installed(); }
  void clear() noexcept { protection_.clear(); }
  /// Where to expand keys; see Protection.
  void use(ContextCache* cache) noexcept { protection_.use(cache); }
  /// While it lives, all records are opened with one expansion of their key, cache or none.
  [[nodiscard]] StackSlot burst() noexcept { return StackSlot(protection_); }

  /// Opens one whole record, header included, as parse_header found it. In place: the record's bytes are overwritten,
  /// and wiped when it is refused. Only while a key is installed.
  ///
  /// Reasons: record_unprotected (its outer type is not application_data; change_cipher_spec is the caller's to drop
  /// first), record_mac, record_too_long, record_all_padding, record_type, change_cipher_spec_unexpected, record_empty
  /// (a handshake or alert record without content), record_limit, and provider_failed.
  [[nodiscard]] std::expected<Content, Reason> open(MutableBytes record) noexcept;

  /// Records opened with this key.
  [[nodiscard]] std::uint64_t records() const noexcept { return protection_.sequence(); }

 private:
  Protection protection_;
};

}  // namespace lockstep::record
