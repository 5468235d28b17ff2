#pragma once
// P-256 and P-384 (FIPS 186-5, SEC 2): their numbers, crypto_mb's functions, points and scalars.

#include <algorithm>

#include <crypto_mb/ec_nistp256.h>
#include <crypto_mb/ec_nistp384.h>
#include <openssl/ec.h>
#include <openssl/obj_mac.h>

#include "lanes.hpp"
#include "libcrypto/library.hpp"

namespace lockstep::multibuffer {

struct P256 {
  static constexpr NamedGroup kGroup = NamedGroup::secp256r1;
  static constexpr KeyType kKey = KeyType::ec_p256;
  static constexpr HashAlgorithm kHash = HashAlgorithm::sha256;  ///< as long as the order
  static constexpr const char* kName = "P-256";
  static constexpr std::size_t kSize = 32;  ///< of a coordinate and of a scalar
  static constexpr std::array<std::uint8_t, kSize> kPrime{
      0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
      0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
  static constexpr std::array<std::uint8_t, kSize> kOrder{
      0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
      0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51};
  static constexpr auto* kMultiplyBase = mbx_nistp256_ecpublic_key_mb8;
  static constexpr auto* kAgree = mbx_nistp256_ecdh_mb8;
  static constexpr auto* kSign = mbx_nistp256_ecdsa_sign_mb8;
  static constexpr auto* kVerify = mbx_nistp256_ecdsa_verify_mb8;
};

struct P384 {
  static constexpr NamedGroup kGroup = NamedGroup::secp384r1;
  static constexpr KeyType kKey = KeyType::ec_p384;
  static constexpr HashAlgorithm kHash = HashAlgorithm::sha384;
  static constexpr const char* kName = "P-384";
  static constexpr std::size_t kSize = 48;
  static constexpr std::array<std::uint8_t, kSize> kPrime{
      0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
      0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe,
      0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff};
  static constexpr std::array<std::uint8_t, kSize> kOrder{
      0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
      0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xc7, 0x63, 0x4d, 0x81, 0xf4, 0x37, 0x2d, 0xdf,
      0x58, 0x1a, 0x0d, 0xb2, 0x48, 0xb0, 0xa7, 0x7a, 0xec, 0xec, 0x19, 0x6a, 0xcc, 0xc5, 0x29, 0x73};
  static constexpr auto* kMultiplyBase = mbx_nistp384_ecpublic_key_mb8;
  static constexpr auto* kAgree = mbx_nistp384_ecdh_mb8;
  static constexpr auto* kSign = mbx_nistp384_ecdsa_sign_mb8;
  static constexpr auto* kVerify = mbx_nistp384_ecdsa_verify_mb8;
};

template <class Curve>
using Scalar = SecretLimbs<Curve::kSize / 8>;

template <class Curve>
struct Point {
  std::array<int64u, Curve::kSize / 8> x;
  std::array<int64u, Curve::kSize / 8> y;
};

namespace detail {

inline constexpr std::uint8_t kUncompressed = 4;
/// A source of which so many in a row are no scalars is none: for P-256, each is not with a probability of 2^-32.
inline constexpr std::uint8_t kMostDraws = 16;

template <class Curve>
bool is_scalar(Bytes number) noexcept {
  return is_less(number, Curve::kOrder) && !is_zero(number);
}

/// For reading points.
template <class Curve>
const EC_GROUP* group() noexcept {
  static const EC_GROUP* const made = EC_GROUP_new_by_curve_name_ex(nullptr, nullptr, EC_curve_nist2nid(Curve::kName));
  return made;
}

}  // namespace detail

/// A random scalar, big-endian: the first of what the source yields that is one. What is thrown away says nothing of
/// what is kept.
template <class Curve>
[[nodiscard]] bool draw_scalar(RandomSource& random, MutableBytes scalar) noexcept {
  for (std::uint8_t draw = 0; draw < detail::kMostDraws; ++draw) {
    if (!random.fill(scalar)) break;
    if (detail::is_scalar<Curve>(scalar)) return true;
  }
  wipe(scalar);
  return false;
}

/// The nonce of a signature (FIPS 186-5 A.3.2, with another generator): HMAC under the private key of fresh random
/// bytes, the digest and a counter, until it is a scalar. Where random bytes repeat, equal digests alone have equal
/// nonces; where they are known, the key still hides the nonce.
template <class Curve>
[[nodiscard]] bool draw_nonce(Bytes private_key, Bytes digest, RandomSource& random, MutableBytes nonce) noexcept {
  static const Hash& hash = *singles().hash(Curve::kHash);
  Secret<Curve::kSize> fresh(Curve::kSize);
  if (!random.fill(fresh.writable())) return false;
  for (std::uint8_t counter = 0; counter < detail::kMostDraws; ++counter) {
    const std::array<Bytes, 3> parts{fresh.view(), digest, Bytes(&counter, 1)};
    if (!hash.hmac(private_key, parts, nonce)) break;
    if (detail::is_scalar<Curve>(nonce)) return true;
  }
  wipe(nonce);
  return false;
}

/// The leftmost bits of a digest, as many as the order has, reduced modulo the order: FIPS 186-5 6.4.1 leaves that to
/// what computes with it, and crypto_mb wants it done.
template <class Curve>
[[nodiscard]] std::array<std::uint8_t, Curve::kSize> to_number(Bytes digest) noexcept {
  std::array<std::uint8_t, Curve::kSize> number{};
  const Bytes leftmost = digest.first(std::min(digest.size(), number.size()));
  std::ranges::copy_backward(leftmost, number.end());
  if (is_less(number, Curve::kOrder)) return number;
  // Twice the order is longer than the number.
  std::uint32_t borrow = 0;
  for (std::size_t i = number.size(); i > 0; --i) {
    const std::uint32_t difference = std::uint32_t{number[i - 1]} - Curve::kOrder[i - 1] - borrow;
    number[i - 1] = static_cast<std::uint8_t>(difference);
    borrow = difference >> 31U;
  }
  return number;
}

/// A point of SEC 1 2.3.3 without compression. Whether it is on the curve is not looked at.
template <class Curve>
[[nodiscard]] bool read_share(Bytes share, Point<Curve>& point) noexcept {
  if (share.size() != 1 + 2 * Curve::kSize || share.front() != detail::kUncompressed) return false;
  const Bytes x = share.subspan(1, Curve::kSize);
  const Bytes y = share.subspan(1 + Curve::kSize);
  // SEC 1 2.3.4: a coordinate is less than p. crypto_mb would reduce it.
  if (!is_less(x, Curve::kPrime) || !is_less(y, Curve::kPrime)) return false;
  to_limbs(x, point.x);
  to_limbs(y, point.y);
  return true;
}

template <class Curve>
void write_share(const Point<Curve>& point, MutableBytes share) noexcept {
  share.front() = detail::kUncompressed;
  from_limbs(point.x, share.subspan(1, Curve::kSize));
  from_limbs(point.y, share.subspan(1 + Curve::kSize));
}

/// A point on the curve, compressed or not, as SubjectPublicKeyInfo has it (RFC 5480 2.2).
template <class Curve>
[[nodiscard]] bool read_public_key(Bytes bits, Point<Curve>& point) noexcept {
  const bool compressed = bits.size() == 1 + Curve::kSize && (bits.front() == 2 || bits.front() == 3);
  const bool uncompressed = bits.size() == 1 + 2 * Curve::kSize && bits.front() == detail::kUncompressed;
  const EC_GROUP* const curve = detail::group<Curve>();
  if ((!compressed && !uncompressed) || curve == nullptr) return false;
  const libcrypto::Quiet quiet;
  const libcrypto::Owned<EC_POINT, EC_POINT_free> read(EC_POINT_new(curve));
  const libcrypto::Owned<BN_CTX, BN_CTX_free> context(BN_CTX_new());
  // It reads no point that is not on the curve.
  if (!read || !context || EC_POINT_oct2point(curve, read.get(), bits.data(), bits.size(), context.get()) <= 0)
    return false;
  if (uncompressed) return read_share<Curve>(bits, point);
  std::array<std::uint8_t, 1 + 2 * Curve::kSize> whole;
  return EC_POINT_point2oct(curve, read.get(), POINT_CONVERSION_UNCOMPRESSED, whole.data(), whole.size(),
                            context.get()) == whole.size() &&
         read_share<Curve>(whole, point);
}

}  // namespace lockstep::multibuffer
