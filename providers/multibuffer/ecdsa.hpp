#pragma once
// ECDSA (FIPS 186-5 6.4) on P-256 and P-384: signatures as DER (RFC 3279 2.2.3) and as two numbers.

#include "common/der.hpp"
#include "weierstrass.hpp"

namespace lockstep::multibuffer {

template <class Curve>
struct EcdsaSignature {
  std::array<std::uint8_t, Curve::kSize> r{};
  std::array<std::uint8_t, Curve::kSize> s{};
};

/// FIPS 186-5 6.4.2: both numbers are between 1 and n - 1.
template <class Curve>
[[nodiscard]] bool read_signature(Bytes der, EcdsaSignature<Curve>& signature) noexcept {
  const auto sequence = der::read_whole(der, der::kSequence);
  if (!sequence) return false;
  der::Reader reader(*sequence);
  for (auto* const number : {&signature.r, &signature.s}) {
    const auto magnitude = reader.read_unsigned();
    if (!magnitude || magnitude->empty() || magnitude->size() > number->size()) return false;
    std::ranges::copy_backward(*magnitude, number->end());
    if (!is_less(*number, Curve::kOrder)) return false;
  }
  return reader.at_end();
}

/// The size of what is written, 0 when there is no room.
template <class Curve>
[[nodiscard]] std::size_t write_signature(const EcdsaSignature<Curve>& signature, MutableBytes out) noexcept {
  // Two INTEGERs with a leading zero each, and three headers of two bytes.
  std::array<std::uint8_t, 2 * (Curve::kSize + 1) + 6> der;
  std::size_t size = 2;
  for (const auto* const number : {&signature.r, &signature.s}) {
    Bytes magnitude(*number);
    while (magnitude.size() > 1 && magnitude.front() == 0) magnitude = magnitude.subspan(1);
    const std::size_t zeros = magnitude.front() >= 0x80 ? 1 : 0;
    der[size++] = der::kInteger;
    der[size++] = static_cast<std::uint8_t>(zeros + magnitude.size());
    if (zeros != 0) der[size++] = 0;
    std::ranges::copy(magnitude, der.begin() + static_cast<std::ptrdiff_t>(size));
    size += magnitude.size();
  }
  der[0] = der::kSequence;
  der[1] = static_cast<std::uint8_t>(size - 2);
  if (size > out.size()) return 0;
  std::ranges::copy(Bytes(der).first(size), out.begin());
  return size;
}

}  // namespace lockstep::multibuffer
