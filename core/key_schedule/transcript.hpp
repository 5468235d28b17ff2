#pragma once
// The running hash over the handshake messages (RFC 9846 4.1).

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>

#include <lockstep/bytes.hpp>
#include <lockstep/provider.hpp>

namespace lockstep::key_schedule {

/// What a provider's hash leaves on the stack is no deeper.
inline constexpr std::size_t kHashFrames = 2048;

/// The output of a hash over public data, held inline. Empty by default.
class Digest {
 public:
  Digest() noexcept = default;
  explicit Digest(std::size_t size) noexcept : size_(static_cast<std::uint8_t>(size)) {}
  [[nodiscard]] Bytes view() const noexcept { return {bytes_.data(), size_}; }
  [[nodiscard]] MutableBytes writable() noexcept { return {bytes_.data(), size_}; }

 private:
  std::array<std::uint8_t, kMaxDigestSize> bytes_{};
  std::uint8_t size_ = 0;
};

/// Transcript-Hash(M1, M2, ... MN). Messages are whole, with their four-byte header. A client does not know the hash
/// before ServerHello: it keeps its ClientHello and starts then.
///
/// The hash "up to the binders" (RFC 9846 4.3.11.2) needs no copy: update with the truncated ClientHello, take the
/// digest, update with the rest.
class Transcript {
 public:
  Transcript() noexcept = default;
  Transcript(Transcript&& other) noexcept { take(other); }
  Transcript& operator=(Transcript&& other) noexcept;
  Transcript(const Transcript&) = delete;
  Transcript& operator=(const Transcript&) = delete;
  ~Transcript() { clear(); }

  /// Starts an empty transcript. False when the provider failed.
  [[nodiscard]] bool start(const Hash& hash) noexcept;
  [[nodiscard]] bool started() const noexcept { return hash_ != nullptr; }
  void clear() noexcept;

  // The rest only once started.

  [[nodiscard]] const Hash& hash() const noexcept { return *hash_; }
  void update(Bytes message) noexcept;
  /// The hash of the messages so far; more may follow. Nothing when the provider failed.
  [[nodiscard]] std::optional<Digest> digest() const noexcept;

  /// RFC 9846 4.1: replaces the first ClientHello, all there is so far, by a message_hash message. Call it before the
  /// HelloRetryRequest is added. False when the provider failed.
  [[nodiscard]] bool replace_with_message_hash() noexcept;
  /// Starts with message_hash over a first ClientHello of which only the digest is left: what a server that keeps no
  /// state reads from its cookie. False when the provider failed.
  [[nodiscard]] bool start_with_message_hash(const Hash& hash, Bytes client_hello_digest) noexcept;

 private:
  void take(Transcript& other) noexcept;

  alignas(64) std::array<std::byte, kMaxHashContextSize> context_;  // initialised by start
  const Hash* hash_ = nullptr;
};

/// The hash over the concatenation of the segments. Nothing when the provider failed.
[[nodiscard]] std::optional<Digest> digest_of(const Hash& hash, std::initializer_list<Bytes> segments) noexcept;

}  // namespace lockstep::key_schedule
