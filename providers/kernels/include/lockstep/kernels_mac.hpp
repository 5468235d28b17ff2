#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include <lockstep/kernels.hpp>

/// HMAC (RFC 2104) of messages whose length is a secret, as MAC-then-encrypt needs it: until the MAC was compared, how
/// long a message is depends on its padding, and whoever learns that from the time that the MAC took decrypts it (Lucky
/// Thirteen, AlFardan and Paterson 2013). The rules of kernels.hpp hold: no allocation, no exception, no mutable state.
namespace lockstep::kernels {

inline constexpr std::size_t kMaxMacSize = 48;

enum class MacAlgorithm : std::uint8_t { hmac_sha1, hmac_sha256, hmac_sha384 };

/// One algorithm on one instruction set. The descriptors are constants with static lifetime.
struct Mac {
  MacAlgorithm algorithm;
  InstructionSet instruction_set;
  const char* name;  ///< as in "HMAC-SHA-1"
  std::size_t size;  ///< of the MAC and of its key, in bytes

  /// Writes the MAC of the concatenated segments, `size` bytes. Their lengths are public.
  void (*mac)(std::span<const std::uint8_t> key, std::span<const std::span<const std::uint8_t>> segments,
              std::uint8_t* out) noexcept;
  /// Writes the MAC of the header and the first `secret_length` bytes of `content`, in a time and with addresses that
  /// depend on the sizes of the spans alone. At most 256 bytes of `content` lie behind that length.
  void (*mac_of_secret_length)(std::span<const std::uint8_t> key, std::span<const std::uint8_t> header,
                               std::span<const std::uint8_t> content, std::size_t secret_length,
                               std::uint8_t* out) noexcept;
};

/// As for AEADs: all that this processor can run, for each algorithm the fastest first; the fastest; a named one, or
/// null.
[[nodiscard]] std::span<const Mac> available_macs() noexcept;
[[nodiscard]] const Mac& best(MacAlgorithm algorithm) noexcept;
[[nodiscard]] const Mac* find(MacAlgorithm algorithm, InstructionSet set) noexcept;

}  // namespace lockstep::kernels
