#pragma once
// Groups of finite fields, over which TLS 1.2 exchanges keys with DHE (RFC 5246 7.4.3): a prime p and a generator g,
// which the server sends. Those of RFC 7919 have code points and are known by their numbers.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include <lockstep/bytes.hpp>
#include <lockstep/export.hpp>
#include <lockstep/types.hpp>

namespace lockstep {

/// The shortest primes that a setting can admit. RFC 7919 3.1: a client "SHOULD reject any group with |dh_p| < 1024
/// bits". Logarithms modulo 512 bits take minutes, and those modulo 1024 may be within the reach of states (Adrian et
/// al., 2015: Logjam, CVE-2015-4000).
inline constexpr std::size_t kMinDhBits = 1024;
/// The shortest that are taken unless a setting says otherwise: the smallest group of RFC 7919.
inline constexpr std::size_t kDefaultMinDhBits = 2048;
/// The longest: the largest group of RFC 7919. The work grows with the cube of the length, and the peer chooses it.
inline constexpr std::size_t kMaxDhBits = 8192;

/// Views of the numbers of a group, big-endian without leading zeros.
struct FieldParameters {
  Bytes p;
  Bytes g;
};

/// A group of one's own (DHParameter of PKCS#3), big-endian; leading zeros count for nothing.
struct DhParameters {
  std::vector<std::uint8_t> p;
  std::vector<std::uint8_t> g;

  [[nodiscard]] bool empty() const noexcept { return p.empty() && g.empty(); }
  friend bool operator==(const DhParameters&, const DhParameters&) = default;
};

/// Whether a code point is one of finite fields, known here or not. RFC 7919 2: "Codepoints in the "Supported Groups
/// Registry" with a high byte of 0x01 (that is, between 256 and 511, inclusive) are set aside for FFDHE groups".
[[nodiscard]] constexpr bool is_finite_field(NamedGroup group) noexcept {
  return static_cast<std::uint16_t>(group) >> 8U == 1;
}

/// p and g of a group of RFC 7919; nothing for others. They live as long as the program.
[[nodiscard]] LOCKSTEP_API std::optional<FieldParameters> field_parameters(NamedGroup group) noexcept;
/// The group of RFC 7919 that has these numbers.
[[nodiscard]] LOCKSTEP_API std::optional<NamedGroup> named_field(const FieldParameters& parameters) noexcept;

/// A number without the zeros before its first byte that is not zero.
[[nodiscard]] LOCKSTEP_API Bytes without_leading_zeros(Bytes number) noexcept;
/// How many bits a number has, from its first that is set.
[[nodiscard]] LOCKSTEP_API std::size_t bit_size(Bytes number) noexcept;
/// Whether 1 < number < p - 1, for a p that is odd. Takes time that depends on the numbers: never for secrets.
[[nodiscard]] LOCKSTEP_API bool within_field(Bytes number, Bytes p) noexcept;

/// The numbers of one's own parameters, without leading zeros. They live as long as `parameters`.
[[nodiscard]] inline FieldParameters view_of(const DhParameters& parameters) noexcept {
  return {without_leading_zeros(parameters.p), without_leading_zeros(parameters.g)};
}

}  // namespace lockstep
