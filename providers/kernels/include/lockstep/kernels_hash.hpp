#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include <lockstep/kernels.hpp>

/// Hash kernels: SHA-256, SHA-384 and SHA-512 (FIPS 180-4), each with HMAC (RFC 2104), HKDF-Extract and HKDF-Expand
/// (RFC 5869). They follow the rules of kernels.hpp: no allocation, no exception, no mutable state, one descriptor for
/// each instruction set.
///
///     using namespace lockstep::kernels;
///     const Hash& hash = best(HashAlgorithm::sha256);
///     alignas(64) std::byte transcript[kMaxHashContextSize];
///     hash.init(transcript);
///     hash.update(transcript, client_hello);
///     hash.update(transcript, server_hello);
///     std::uint8_t digest[kMaxDigestSize];
///     hash.digest(transcript, digest);  // more may follow
///     const lockstep::ExpandJob jobs[] = {{secret, client_info, client_secret}, {secret, server_info, server_secret}};
///     const bool ok = hash.expand(std::span(jobs));
///     ...
///     hash.destroy(transcript);
namespace lockstep::kernels {

inline constexpr std::size_t kMaxDigestSize = 64;

/// Every hash context fits in this many bytes.
inline constexpr std::size_t kMaxHashContextSize = 200;

/// Every prepared HMAC key fits in this many bytes.
inline constexpr std::size_t kMaxHmacKeySize = 128;

enum class HashAlgorithm : std::uint8_t { sha256, sha384, sha512 };

/// One algorithm on one instruction set. The descriptors are constants with static lifetime.
///
/// A context is `context_size` bytes of the caller's storage, of any alignment. It holds no pointer: a copy made with
/// memcpy is a context of its own, so that a transcript can be forked, and each copy is destroyed for itself. It
/// belongs to the algorithm: any instruction set may go on with it. Every length and address is public, and every byte
/// that is hashed is a secret.
///
/// A message is at most 2^61 - 1 bytes.
struct Hash {
  HashAlgorithm algorithm;
  InstructionSet instruction_set;
  const char* name;           ///< as in "SHA-256"
  std::size_t digest_size;    ///< in bytes, at most kMaxDigestSize
  std::size_t block_size;     ///< in bytes: 64 or 128
  std::size_t context_size;   ///< in bytes, at most kMaxHashContextSize
  std::size_t hmac_key_size;  ///< in bytes, at most kMaxHmacKeySize

  /// Starts an empty message.
  void (*init)(void* context) noexcept;
  /// Appends to the message.
  void (*update)(void* context, std::span<const std::uint8_t> data) noexcept;
  /// Writes the digest of the message so far, `digest_size` bytes, and leaves the context as it was.
  void (*digest)(const void* context, std::uint8_t* out) noexcept;
  /// Wipes `context`.
  void (*destroy)(void* context) noexcept;

  /// Prepares a key of any length for `hmac`: the states behind the inner and the outer pad, `hmac_key_size` bytes of
  /// the caller's storage, of any alignment, without pointers. It is a secret: wipe it with `destroy_hmac_key`.
  void (*prepare_hmac_key)(void* hmac_key, std::span<const std::uint8_t> key) noexcept;
  /// Writes HMAC of the concatenated segments, `digest_size` bytes. HKDF-Extract is HMAC with the salt as key and the
  /// input keying material as message (RFC 5869 2.2).
  void (*hmac)(const void* hmac_key, std::span<const std::span<const std::uint8_t>> segments,
               std::uint8_t* out) noexcept;
  /// Wipes a prepared key.
  void (*destroy_hmac_key)(void* hmac_key) noexcept;

  /// HKDF-Expand. Jobs are taken two by two, side by side where the instruction set gains by it: TLS 1.3 secrets come
  /// in pairs. Jobs in a row that give the same secret (the same address and size) share the work of preparing it.
  /// False when a job's `out` is too long; nothing has been written then.
  bool (*expand)(std::span<const ExpandJob> jobs) noexcept;
};

/// All implementations that are compiled in and that this processor can run, for each algorithm the fastest first. The
/// list is made at the first call and never changes.
std::span<const Hash> available_hashes() noexcept;

/// The fastest implementation of an algorithm on this processor. There always is one.
const Hash& best(HashAlgorithm algorithm) noexcept;

/// The implementation of an algorithm on one instruction set, or null when it is not compiled in or this processor
/// lacks it.
const Hash* find(HashAlgorithm algorithm, InstructionSet set) noexcept;

}  // namespace lockstep::kernels
