#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include <lockstep/kernels.hpp>

/// ML-KEM (FIPS 203), by its internal functions, which draw nothing: whoever calls brings the random bytes. The rules
/// of kernels.hpp hold: no allocation, no exception, no mutable state, one descriptor for each instruction set. Stacks
/// that held secrets are wiped.
///
///     using namespace lockstep::kernels;
///     const Kem& kem = best(KemAlgorithm::ml_kem_768);
///     alignas(kKemAlignment) std::byte key[kMaxKemKeySize];
///     kem.generate(key, random_64_bytes, encapsulation_key);
///     if (!kem.encapsulate(encapsulation_key, random_32_bytes, ciphertext, their_secret)) return;  // not a key
///     kem.decapsulate(key, ciphertext, our_secret);
///     kem.destroy(key);
namespace lockstep::kernels {

inline constexpr std::size_t kKemSecretSize = 32;
/// d and z, from which a key pair follows.
inline constexpr std::size_t kKemSeedSize = 64;
/// m, from which an encapsulation follows.
inline constexpr std::size_t kKemCoinsSize = 32;

/// Every expanded key fits in this many bytes, and begins at a multiple of this many.
inline constexpr std::size_t kMaxKemKeySize = 12416;
inline constexpr std::size_t kKemAlignment = 64;

enum class KemAlgorithm : std::uint8_t { ml_kem_512, ml_kem_768, ml_kem_1024 };

/// One parameter set on one instruction set. The descriptors are constants with static lifetime.
///
/// An expanded key is `key_size` bytes of the caller's storage, aligned to kKemAlignment: the decapsulation key with
/// the matrix of its encapsulation key, so that decapsulation need not sample that again. It holds no pointer, may be
/// used by several threads at once and belongs to the descriptor that made it. It is a secret: `destroy` wipes it.
struct Kem {
  KemAlgorithm algorithm;
  InstructionSet instruction_set;
  const char* name;                    ///< as in "ML-KEM-768"
  std::size_t encapsulation_key_size;  ///< in bytes, as all sizes
  std::size_t decapsulation_key_size;  ///< of the encoded one
  std::size_t ciphertext_size;
  std::size_t key_size;  ///< of the expanded one, at most kMaxKemKeySize

  /// ML-KEM.KeyGen_internal (FIPS 203, algorithm 16), from kKemSeedSize bytes: d, then z.
  void (*generate)(void* key, const std::uint8_t* seed, std::uint8_t* encapsulation_key) noexcept;
  /// ML-KEM.Encaps_internal (algorithm 17), from kKemCoinsSize bytes: m. False, with nothing of use written, when the
  /// encapsulation key fails the modulus check of FIPS 203 7.2.
  bool (*encapsulate)(const std::uint8_t* encapsulation_key, const std::uint8_t* coins, std::uint8_t* ciphertext,
                      std::uint8_t* secret) noexcept;
  /// ML-KEM.Decaps_internal (algorithm 18). A ciphertext that no encapsulation made yields a secret that nobody knows,
  /// in the same time.
  void (*decapsulate)(const void* key, const std::uint8_t* ciphertext, std::uint8_t* secret) noexcept;
  /// Expands an encoded decapsulation key. False, with the key wiped, when it fails the hash check of FIPS 203 7.3, or
  /// when it holds an integer that is not below q.
  bool (*load)(void* key, const std::uint8_t* decapsulation_key) noexcept;
  /// Encodes it.
  void (*store)(const void* key, std::uint8_t* decapsulation_key) noexcept;
  /// Wipes `key`.
  void (*destroy)(void* key) noexcept;
};

/// All implementations that are compiled in and that this processor can run, for each parameter set the fastest first.
/// The list is made at the first call and never changes.
std::span<const Kem> available_kems() noexcept;

/// The fastest implementation of a parameter set on this processor. There always is one.
const Kem& best(KemAlgorithm algorithm) noexcept;

/// The implementation of a parameter set on one instruction set, or null when it is not compiled in or this processor
/// lacks it.
const Kem* find(KemAlgorithm algorithm, InstructionSet set) noexcept;

}  // namespace lockstep::kernels
