#pragma once
// What the tests of protected records share: a real provider, keys, and bytes.
#include <array>
#include <cstdint>
#include <numeric>
#include <string_view>
#include <vector>

#include <lockstep/botan.hpp>
namespace lockstep::record {
using Octets = std::vector<std::uint8_t>;

inline const Provider& provider() {
  static const Provider botan = botan::provider();
  return botan;
}

inline Octets ramp(std::size_t size) {
  Octets bytes(size);
  std::iota(bytes.begin(), bytes.end(), std::uint8_t{1});
  return bytes;
}

inline Octets octets(Bytes bytes) { return {bytes.begin(), bytes.end()}; }

/// Bytes from hexadecimal digits; spaces are skipped.
inline Octets hex(std::string_view digits) {
  Octets bytes;
  bool half = false;
  for (const char digit : digits) {
    if (digit == ' ') continue;
    const auto value = static_cast<std::uint8_t>(digit <= '9' ? digit - '0' : digit - 'a' + 10);
    if (!half) {
      bytes.push_back(static_cast<std::uint8_t>(value << 4U));
    } else {
      bytes.back() |= value;
    }
    half = !half;
  }
  return bytes;
}

inline constexpr std::array<std::uint8_t, 12> kIv = {9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 1, 2};
inline constexpr std::array<std::uint8_t, 32> kKey = {1, 2, 3, 4, 5, 6, 7, 8, 9};
}  // namespace lockstep::record
