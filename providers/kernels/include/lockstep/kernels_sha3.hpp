#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include <lockstep/kernels.hpp>

/// SHA-3 and its extendable-output functions (FIPS 202), one message by itself or several side by side. They follow the
/// rules of kernels.hpp: no allocation, no exception, no mutable state, one descriptor for each instruction set.
///
///     using namespace lockstep::kernels;
///     std::uint8_t digest[32];
///     const Sha3Job job{Sha3Algorithm::sha3_256, message, digest};
///     best_sha3().run({&job, 1});
namespace lockstep::kernels {

enum class Sha3Algorithm : std::uint8_t { sha3_256, sha3_512, shake128, shake256 };

/// A message and the place for its digest: 32 bytes of SHA3-256 or 64 of SHA3-512, of the others any number. A digest
/// overlaps no message. Every length and address is public, and every byte that is hashed is a secret.
struct Sha3Job {
  Sha3Algorithm algorithm;
  std::span<const std::uint8_t> message;
  std::span<std::uint8_t> digest;
};

/// One implementation. The descriptors are constants with static lifetime.
struct Sha3 {
  InstructionSet instruction_set;
  std::size_t ways;  ///< how many messages are hashed side by side

  /// Hashes every message. Jobs may be of different algorithms and sizes; long ones belong before short ones, so that
  /// no way stands idle at the end.
  void (*run)(std::span<const Sha3Job> jobs) noexcept;
};

/// All implementations that are compiled in and that this processor can run, the fastest first. The list is made at the
/// first call and never changes.
std::span<const Sha3> available_sha3() noexcept;

/// The fastest implementation on this processor. There always is one.
const Sha3& best_sha3() noexcept;

/// The implementation on one instruction set, or null when it is not compiled in or this processor lacks it.
const Sha3* find_sha3(InstructionSet set) noexcept;

}  // namespace lockstep::kernels
