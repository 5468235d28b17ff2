#include "public_key.hpp"

#include <array>

#include <openssl/rsa.h>

#include <lockstep/rsa_limits.hpp>

#include "common/der.hpp"
#include "common/edwards.hpp"
#include "common/signing.hpp"

namespace lockstep::libcrypto {
namespace {

/// RSAPublicKey (RFC 8017 A.1.1).
Key make_rsa(const Library& library, Bytes bits) noexcept {
  const auto sequence = der::read_whole(bits, der::kSequence);
  if (!sequence) return nullptr;
  der::Reader reader(*sequence);
  const auto modulus = reader.read_unsigned();
  const auto exponent = reader.read_unsigned();
  if (!modulus || !exponent || !reader.at_end() || modulus->size() > kMaxRsaBits / 8 || exponent->size() > 8)
    return nullptr;
  const Number n(BN_bin2bn(modulus->data(), static_cast<int>(modulus->size()), nullptr));
  const Number e(BN_bin2bn(exponent->data(), static_cast<int>(exponent->size()), nullptr));
  if (!n || !e || !acceptable_rsa(n.get(), e.get())) return nullptr;
  const ParameterBuilder builder(OSSL_PARAM_BLD_new());
  if (!builder || OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) <= 0 ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get()) <= 0)
    return nullptr;
  const Parameters parameters(OSSL_PARAM_BLD_to_param(builder.get()));
  const KeyContext context = library.named("RSA");
  EVP_PKEY* made = nullptr;
  if (!parameters || !context || EVP_PKEY_fromdata_init(context.get()) <= 0 ||
      EVP_PKEY_fromdata(context.get(), &made, EVP_PKEY_PUBLIC_KEY, parameters.get()) <= 0)
    return nullptr;
  return Key(made);
}

/// RFC 5480 2.2: an ECPoint, uncompressed (04) or compressed (02, 03), on the curve and not at infinity.
Key make_ec(const Library& library, std::size_t index, Bytes bits) noexcept {
  const std::size_t field = kCurves[index].field_size;
  if (bits.empty()) return nullptr;
  const bool uncompressed = bits.front() == 4 && bits.size() == 1 + 2 * field;
  const bool compressed = (bits.front() == 2 || bits.front() == 3) && bits.size() == 1 + field;
  if (!uncompressed && !compressed) return nullptr;
  Key key(EVP_PKEY_dup(library.curves[index].get()));
  if (!key || EVP_PKEY_set1_encoded_public_key(key.get(), bits.data(), bits.size()) <= 0) return nullptr;
  return key;
}

bool begin(const Library& library, EVP_MD_CTX* context, SignatureAlgorithm algorithm, EVP_PKEY* key,
           auto* initialise) noexcept {
  const auto hash = hash_of(algorithm);
  const char* const name = is_sha1(algorithm)               ? "SHA1"
                           : !hash                          ? nullptr
                           : *hash == HashAlgorithm::sha256 ? "SHA2-256"
                           : *hash == HashAlgorithm::sha384 ? "SHA2-384"
                                                            : "SHA2-512";
  EVP_PKEY_CTX* parameters = nullptr;
  if (initialise(context, &parameters, name, library.context, library.query(), key, nullptr) <= 0) return false;
  // RFC 8017 8.1: the salt is as long as the digest, and MGF1 has the same hash.
  return !is_pss(algorithm) || (EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING) > 0 &&
                                EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, RSA_PSS_SALTLEN_DIGEST) > 0);
}

}  // namespace

const char* type_name(KeyType type) noexcept {
  switch (type) {
    case KeyType::rsa: return "RSA";
    case KeyType::rsa_pss: return "RSA-PSS";
    case KeyType::ed25519: return "ED25519";
    case KeyType::ed448: return "ED448";
    case KeyType::mldsa44: return "ML-DSA-44";
    case KeyType::mldsa65: return "ML-DSA-65";
    case KeyType::mldsa87: return "ML-DSA-87";
    default: return "EC";
  }
}

Key make_public_key(const Library& library, KeyType type, Bytes bits) noexcept {
  if (!edwards::is_acceptable(type, bits)) return nullptr;
  if (is_rsa(type)) return make_rsa(library, bits);
  const std::size_t curve = curve_index(type);
  if (curve < kCurves.size()) return make_ec(library, curve, bits);
  return Key(
      EVP_PKEY_new_raw_public_key_ex(library.context, type_name(type), library.query(), bits.data(), bits.size()));
}

std::vector<std::uint8_t> public_bits(const EVP_PKEY* key, KeyType type) {
  const std::size_t curve = curve_index(type);
  if (curve < kCurves.size()) {
    std::vector<std::uint8_t> point(1 + 2 * kCurves[curve].field_size);
    if (!read_octets(key, OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, point)) return {};
    return point;
  }
  if (is_rsa(type)) {
    BIGNUM* n = nullptr;
    BIGNUM* e = nullptr;
    EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_N, &n);
    EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &e);
    const Number modulus(n);
    const Number exponent(e);
    if (!modulus || !exponent) return {};
    const auto integer = [](const BIGNUM* number) {
      // X.690 8.3.2: a leading zero where the top bit is set.
      std::vector<std::uint8_t> bytes(static_cast<std::size_t>(BN_num_bits(number)) / 8 + 1);
      BN_bn2binpad(number, bytes.data(), static_cast<int>(bytes.size()));
      return der::value<std::vector<std::uint8_t>>(der::kInteger, {bytes});
    };
    return der::value<std::vector<std::uint8_t>>(der::kSequence, {integer(modulus.get()), integer(exponent.get())});
  }
  std::size_t size = 0;
  if (EVP_PKEY_get_raw_public_key(key, nullptr, &size) <= 0) return {};
  std::vector<std::uint8_t> bits(size);
  if (EVP_PKEY_get_raw_public_key(key, bits.data(), &size) <= 0) return {};
  return bits;
}

bool acceptable_rsa(const BIGNUM* modulus, const BIGNUM* exponent) noexcept {
  const auto bits = static_cast<std::size_t>(BN_num_bits(modulus));
  return BN_is_odd(modulus) && bits >= kMinRsaBits && bits <= kMaxRsaBits && BN_is_odd(exponent) &&
         !BN_is_one(exponent) && static_cast<std::size_t>(BN_num_bits(exponent)) <= kMaxRsaExponentBits;
}

bool begin_signing(const Library& library, EVP_MD_CTX* context, SignatureAlgorithm algorithm, EVP_PKEY* key) noexcept {
  return begin(library, context, algorithm, key, &EVP_DigestSignInit_ex);
}
bool begin_verifying(const Library& library, EVP_MD_CTX* context, SignatureAlgorithm algorithm,
                     EVP_PKEY* key) noexcept {
  return begin(library, context, algorithm, key, &EVP_DigestVerifyInit_ex);
}

}  // namespace lockstep::libcrypto
