#pragma once
// The key of one direction, held inline: what Opener and Sealer share.

#include <array>
#include <cstddef>
#include <cstdint>

#include <lockstep/bytes.hpp>
#include <lockstep/provider.hpp>

#include "record/limits.hpp"

namespace lockstep::record {

using Nonce = std::array<std::uint8_t, kAeadNonceSize>;

/// An AEAD context with its static iv and the sequence number of the next record. Moves with memcpy, as descriptors
/// allow; wiped when replaced, moved from or destroyed.
class Protection {
 public:
  Protection() noexcept = default;
  Protection(Protection&& other) noexcept { take(other); }
  Protection& operator=(Protection&& other) noexcept;
  Protection(const Protection&) = delete;
  Protection& operator=(const Protection&) = delete;
  ~Protection() { clear(); }

  /// Replaces the key; the sequence starts at 0 (RFC 9846 5.3). `key` has aead.key_size bytes, `iv` kAeadNonceSize.
  /// False when the provider failed: then no key is installed.
  [[nodiscard]] bool install(const Aead& aead, Bytes key, Bytes iv) noexcept;
  void clear() noexcept;

  [[nodiscard]] bool installed() const noexcept { return aead_ != nullptr; }
  /// Only while installed.
  [[nodiscard]] const Aead& aead() const noexcept { return *aead_; }
  [[nodiscard]] void* context() noexcept { return context_.data(); }

  [[nodiscard]] std::uint64_t sequence() const noexcept { return sequence_; }
  void advance(std::uint64_t records) noexcept { sequence_ += records; }

  /// RFC 9846 5.3: the nonce of the record that is `ahead` records after the next one.
  [[nodiscard]] Nonce nonce(std::uint64_t ahead = 0) const noexcept;

 private:
  void take(Protection& other) noexcept;

  alignas(16) std::array<std::byte, kMaxAeadContextSize> context_;  // initialised by install
  const Aead* aead_ = nullptr;
  std::uint64_t sequence_ = 0;
  Nonce iv_{};
};

}  // namespace lockstep::record
