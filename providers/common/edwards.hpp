#pragma once
// Which public keys of Ed25519 and Ed448 (RFC 8032) no provider takes, so that all of them say the same.

#include <algorithm>
#include <array>

#include <lockstep/bytes.hpp>
#include <lockstep/types.hpp>

namespace lockstep::edwards {

// A point of small order is a public key whose signatures everybody can make: where it is the neutral element, R = the
// neutral element and S = 0 are a signature of every message. RFC 8032 (5.1.7, 5.2.7) neither asks for its refusal nor
// forbids it, and libraries differ. No private key has such a public key, and no signer makes such an R.

/// A point is its y, little-endian, and the sign of its x in the top bit of the last byte. Both curves' points of small
/// order come in pairs that differ in the sign alone, or have x = 0 and no sign.
template <std::size_t size>
using Point = std::array<std::uint8_t, size>;

namespace detail {

constexpr std::uint8_t kSign = 0x80;

template <std::size_t size>
constexpr Point<size> small(std::uint8_t y) {
  Point<size> point{};
  point[0] = y;
  return point;
}

// RFC 8032 5.1: p = 2^255 - 19.
constexpr Point<32> prime_25519(std::uint8_t less) {
  Point<32> point;
  point.fill(0xff);
  point[0] = static_cast<std::uint8_t>(0xed - less);
  point[31] = 0x7f;
  return point;
}
// RFC 8032 5.2: p = 2^448 - 2^224 - 1, and one byte more for the sign.
constexpr Point<57> prime_448(std::uint8_t less) {
  Point<57> point;
  point.fill(0xff);
  point[0] = static_cast<std::uint8_t>(0xff - less);
  point[28] = 0xfe;
  point[56] = 0;
  return point;
}

template <std::size_t size, std::size_t count>
bool is_acceptable(Bytes encoded, const Point<size>& prime,
                   const std::array<Point<size>, count>& small_order) noexcept {
  if (encoded.size() != size) return false;
  Point<size> y;
  std::ranges::copy(encoded, y.begin());
  y.back() &= static_cast<std::uint8_t>(~kSign);
  // RFC 8032 5.1.3 and 5.2.3: "If the resulting value is >= p, decoding fails."
  if (!std::ranges::lexicographical_compare(y.rbegin(), y.rend(), prime.rbegin(), prime.rend())) return false;
  return std::ranges::find(small_order, y) == small_order.end();
}

}  // namespace detail

/// The y of orders 1, 2, 4 and 8 (two of these), reduced.
inline constexpr std::array<Point<32>, 5> kSmallOrder25519{
    detail::small<32>(1), detail::prime_25519(1), detail::small<32>(0),
    Point<32>{0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0,
              0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05},
    Point<32>{0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f,
              0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a}};
/// The y of orders 1, 2 and 4.
inline constexpr std::array<Point<57>, 3> kSmallOrder448{detail::small<57>(1), detail::prime_448(1),
                                                         detail::small<57>(0)};

/// Whether these bytes may be a public key, or the R of a signature: the canonical encoding of something that is no
/// point of small order. That it is a point at all is for the library to find out. True of keys of any other type.
inline bool is_acceptable(KeyType type, Bytes encoded) noexcept {
  switch (type) {
    case KeyType::ed25519: return detail::is_acceptable(encoded, detail::prime_25519(0), kSmallOrder25519);
    case KeyType::ed448: return detail::is_acceptable(encoded, detail::prime_448(0), kSmallOrder448);
    default: return true;
  }
}

/// The same of the R that a signature begins with: the first half.
inline bool has_acceptable_r(KeyType type, Bytes signature) noexcept {
  return is_acceptable(type, signature.first(signature.size() / 2));
}

}  // namespace lockstep::edwards
