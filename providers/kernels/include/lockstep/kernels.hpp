#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include <lockstep/jobs.hpp>

/// Vectorised AEAD kernels: AES-128-GCM and AES-256-GCM (NIST SP 800-38D) and ChaCha20-Poly1305 (RFC 8439), all with a
/// 12-byte nonce and a 16-byte tag. The library stands alone: it links neither the TLS engine nor another crypto
/// library, allocates nothing, throws nothing and holds no mutable state. Its jobs are those of providers
/// (lockstep/jobs.hpp).
///
/// Each algorithm exists in several implementations, one per instruction set. `best()` names the fastest one that this
/// processor can run; `available()` lists them all, so that tests can run each against the others.
///
///     using namespace lockstep::kernels;
///     const Aead& aead = best(Algorithm::aes_128_gcm);
///     alignas(64) std::byte context[kMaxContextSize];
///     aead.init(context, key);
///     const std::span<const std::uint8_t> segments[] = {plaintext};
///     const lockstep::SealJob job{
///         .nonce = nonce, .aad = header, .source = segments, .tail = content_type, .destination = record};
///     aead.seal(context, {&job, 1});
///     ...
///     aead.destroy(context);
namespace lockstep::kernels {

inline constexpr std::size_t kNonceSize = 12;
inline constexpr std::size_t kTagSize = 16;
inline constexpr std::size_t kMaxKeySize = 32;
inline constexpr std::size_t kMaskSize = 16;  ///< of a sample and of the longest mask

/// Every context fits in this many bytes.
inline constexpr std::size_t kMaxContextSize = 768;

enum class Algorithm : std::uint8_t { aes_128_gcm, aes_256_gcm, chacha20_poly1305 };

enum class InstructionSet : std::uint8_t {
  portable,   ///< C++ alone, constant-time
  aes_ni,     ///< AES-NI, PCLMULQDQ and SSE4.1: 128-bit vectors
  vaes_256,   ///< VAES and VPCLMULQDQ with AVX2: 256-bit vectors
  vaes_512,   ///< VAES and VPCLMULQDQ with AVX-512 F, BW, DQ and VL: 512-bit vectors
  ssse3,      ///< SSSE3: 128-bit vectors
  avx2,       ///< AVX2 and BMI2: 256-bit vectors
  avx512,     ///< AVX-512 F, BW, DQ and VL, with IFMA for AEADs and VBMI2 for the rest: 512-bit vectors
  sha_ni,     ///< SHA-NI with SSE4.1
  aes_pmull,  ///< AArch64: NEON with AES and PMULL
  neon,       ///< AArch64: NEON
  arm_sha2,   ///< AArch64: NEON with the SHA-256 instructions
};

/// The name of an instruction set, as in "VAES-256"; a string with static lifetime.
const char* name(InstructionSet set) noexcept;

/// One algorithm on one instruction set. The descriptors are constants with static lifetime.
///
/// A context is `context_size` bytes of the caller's storage, of any alignment (64 is fastest). It holds the prepared
/// key and no pointer: it may be moved with memcpy, and used by several threads at once. It is a secret: `destroy`
/// wipes it. A context belongs to the descriptor that initialised it.
///
/// A message is at most 2^36 - 32 bytes with AES-GCM (SP 800-38D 5.2.1.1), 2^38 - 64 with ChaCha20-Poly1305 (RFC
/// 8439 2.8); the caller keeps to this, and to the number of messages that one key may protect (RFC 9846 5.5).
struct Aead {
  Algorithm algorithm;
  InstructionSet instruction_set;
  const char* name;          ///< as in "AES-128-GCM"
  std::size_t key_size;      ///< in bytes: 16 or 32
  std::size_t context_size;  ///< in bytes, at most kMaxContextSize

  /// Prepares `context` from `key_size` bytes at `key`.
  void (*init)(void* context, const std::uint8_t* key) noexcept;
  /// Seals every job, in order. More than one source segment may be in place: each that overlaps the destination stands
  /// exactly where its ciphertext will.
  void (*seal)(const void* context, std::span<const SealJob> jobs) noexcept;
  /// Opens every job, whether or not another one fails; returns how many were right, which equals `jobs.size()` when
  /// all were. Tags are compared in constant time.
  std::size_t (*open)(const void* context, std::span<OpenJob> jobs) noexcept;
  /// Wipes `context`.
  void (*destroy)(void* context) noexcept;
};

enum class MaskAlgorithm : std::uint8_t { aes_128, aes_256, chacha20 };

/// What hides record numbers (RFC 9147 4.2.3) and packet headers (RFC 9001 5.4), on one instruction set: one block of
/// AES, or the beginning of one of ChaCha20. A context is as an AEAD's, and needs no more than 240 bytes.
struct Mask {
  MaskAlgorithm algorithm;
  InstructionSet instruction_set;
  const char* name;
  std::size_t key_size;
  std::size_t context_size;

  void (*init)(void* context, const std::uint8_t* key) noexcept;
  /// A mask for every job, of at most kMaskSize bytes each; several side by side.
  void (*compute)(const void* context, std::span<const MaskJob> jobs) noexcept;
  void (*destroy)(void* context) noexcept;
};

/// All implementations that are compiled in and that this processor can run, for each algorithm the fastest first. The
/// list is made at the first call and never changes.
std::span<const Aead> available() noexcept;
std::span<const Mask> available_masks() noexcept;

/// The fastest implementation of an algorithm on this processor. There always is one.
const Aead& best(Algorithm algorithm) noexcept;
const Mask& best(MaskAlgorithm algorithm) noexcept;

/// The implementation of an algorithm on one instruction set, or null when it is not compiled in or this processor
/// lacks it.
const Aead* find(Algorithm algorithm, InstructionSet set) noexcept;
const Mask* find(MaskAlgorithm algorithm, InstructionSet set) noexcept;

}  // namespace lockstep::kernels
