#pragma once
// The named curves that key exchange and ECDSA share.

#include <optional>

#include <botan/ec_group.h>

#include <lockstep/bytes.hpp>
#include <lockstep/types.hpp>

namespace lockstep::botan {

struct Curve {
  NamedGroup group;
  KeyType key;
  std::size_t field_size;
  std::string_view name;  ///< Botan's
};

inline constexpr Curve kP256{NamedGroup::secp256r1, KeyType::ec_p256, 32, "secp256r1"};
inline constexpr Curve kP384{NamedGroup::secp384r1, KeyType::ec_p384, 48, "secp384r1"};
inline constexpr Curve kP521{NamedGroup::secp521r1, KeyType::ec_p521, 66, "secp521r1"};
inline constexpr Curve kBrainpoolP256r1{NamedGroup::brainpoolP256r1tls13, KeyType::ec_brainpoolP256r1, 32,
                                        "brainpool256r1"};
inline constexpr Curve kBrainpoolP384r1{NamedGroup::brainpoolP384r1tls13, KeyType::ec_brainpoolP384r1, 48,
                                        "brainpool384r1"};
inline constexpr Curve kBrainpoolP512r1{NamedGroup::brainpoolP512r1tls13, KeyType::ec_brainpoolP512r1, 64,
                                        "brainpool512r1"};

/// The curve's arithmetic, made at its first use. Throws when this build of Botan lacks the curve.
template <const Curve& curve>
const Botan::EC_Group& domain() {
  static const Botan::EC_Group made = Botan::EC_Group::from_name(curve.name);
  return made;
}

/// The same for a curve that a key names; null when the key is not an elliptic curve key.
const Botan::EC_Group* domain(KeyType key);

/// A point from its uncompressed encoding (SEC 1, 2.3.4), on the curve and not at infinity; otherwise nothing.
/// RFC 9846 4.3.8.2: "peers MUST validate each other's public value Q by ensuring that the point is a valid point on
/// the elliptic curve."
inline std::optional<Botan::EC_AffinePoint> read_point(const Botan::EC_Group& group, Bytes encoded) {
  constexpr std::uint8_t kUncompressed = 4;
  if (encoded.size() != 1 + 2 * group.get_p_bytes() || encoded.front() != kUncompressed) return std::nullopt;
  return Botan::EC_AffinePoint::deserialize(group, encoded);
}

}  // namespace lockstep::botan
