#pragma once
// The key of one direction, held inline: what Opener and Sealer share.

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

#include <lockstep/bytes.hpp>
#include <lockstep/provider.hpp>

#include "record/context_cache.hpp"
#include "record/format.hpp"
#include "record/limits.hpp"

namespace lockstep::record {

/// The nonce of the first record is the static iv itself, and from any other that follows: each is as secret.
using Nonce = Secret<kAeadNonceSize>;

/// A key with its static iv and the sequence number of the next record. What the AEAD makes of the key before it can be
/// used is held in its place when that is no larger (kKeptAeadContextSize), else in a slot of the cache that it is told
/// to use, or that a StackSlot lends it. Moves with memcpy, as descriptors allow; wiped when replaced, moved from or
/// destroyed.
class Protection {
 public:
  Protection() noexcept = default;
  Protection(Protection&& other) noexcept { take(other); }
  Protection& operator=(Protection&& other) noexcept;
  Protection(const Protection&) = delete;
  Protection& operator=(const Protection&) = delete;
  ~Protection() { clear(); }

  /// Replaces the key; the sequence starts at 0 (RFC 9846 5.3, RFC 5246 6.1). `key` has aead.key_size bytes, `iv` those
  /// of the format. False when the provider failed: then no key is installed. Where the key is not expanded yet,
  /// `context` may fail.
  [[nodiscard]] bool install(const Aead& aead, Bytes key, Bytes iv, RecordFormat format = RecordFormat::tls13) noexcept;
  /// The same for CBC with HMAC.
  [[nodiscard]] bool install(const CbcCipher& cipher, const RecordMac& mac, Bytes key, Bytes mac_key,
                             bool encrypt_then_mac) noexcept;
  void clear() noexcept;

  [[nodiscard]] bool installed() const noexcept { return aead_ != nullptr; }
  /// What the records are like; TLS 1.3's without a key.
  [[nodiscard]] const Format& format() const noexcept { return format_of(format_); }
  /// Where to expand keys: it must outlive that, or be replaced before. Null for none.
  void use(ContextCache* cache) noexcept;

  // Everything below is only for while a key is installed.

  [[nodiscard]] const Aead& aead() const noexcept { return *aead_; }
  /// The expanded key, until the key or the cache is replaced or another key is expanded there. Null when the provider
  /// failed. Only with a cache or within a StackSlot.
  [[nodiscard]] void* context() noexcept {
    if (keeps_context()) return kept_.data();
    if (!cache_->holds(stamp_) && !expand()) return nullptr;
    return cache_->context(stamp_);
  }

  [[nodiscard]] std::uint64_t sequence() const noexcept { return sequence_; }
  void advance(std::uint64_t records) noexcept { sequence_ += records; }

  /// The nonce of the record that is `ahead` records after the next one: the iv XOR the sequence number (RFC 9846 5.3).
  /// A salt has zeros where the sequence number goes, so that this is the explicit nonce that we choose, too.
  [[nodiscard]] Nonce nonce(std::uint64_t ahead = 0) const noexcept;
  /// The nonce with the explicit part that the peer has chosen (RFC 5288 3).
  [[nodiscard]] Nonce salted(std::span<const std::uint8_t, kExplicitNonceSize> explicit_part) const noexcept;

 private:
  friend class StackSlot;
  [[nodiscard]] bool keeps_context() const noexcept { return aead_->context_size <= kKeptAeadContextSize; }
  /// Without a key one may come, with whatever context.
  [[nodiscard]] bool wants_slot() const noexcept { return cache_ == nullptr && !(installed() && keeps_context()); }
  [[nodiscard]] bool expand() noexcept;
  void forget_context() noexcept;
  void take(Protection& other) noexcept;

  static_assert(kMaxAeadKeySize <= kKeptAeadContextSize);
  alignas(16) std::array<std::uint8_t, kKeptAeadContextSize> kept_;  // context or key; initialised by install
  const Aead* aead_ = nullptr;
  ContextCache* cache_ = nullptr;
  ContextCache::Stamp stamp_ = ContextCache::kNone;  // of the expanded key, in that cache
  std::uint64_t sequence_ = 0;
  std::array<std::uint8_t, kAeadNonceSize> iv_{};
  RecordFormat format_ = RecordFormat::tls13;
};

/// While it lives, a key without a cache has a slot on the stack: it is expanded once for all records of a call.
class StackSlot {
 public:
  explicit StackSlot(Protection& protection) noexcept : lent_to_(protection.wants_slot() ? &protection : nullptr) {
    if (lent_to_ == nullptr) [[likely]]
      return;
    std::construct_at(&room_);
    lent_to_->use(&room_.cache);
  }
  StackSlot(const StackSlot&) = delete;
  StackSlot& operator=(const StackSlot&) = delete;
  ~StackSlot() {
    if (lent_to_ == nullptr) [[likely]]
      return;
    lent_to_->use(nullptr);
    std::destroy_at(&room_);
  }

 private:
  struct Room {
    Room() noexcept {}  // NOLINT(modernize-use-equals-default): the context stays unmade
    ContextSlot slot;
    ContextCache cache{{&slot, 1}};
  };

  Protection* lent_to_;
  union {
    Room room_;  // only when it is needed
  };
};

}  // namespace lockstep::record
