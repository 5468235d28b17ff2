#include "public_key.hpp"

#include <botan/bigint.h>
#include <botan/ecdsa.h>
#include <botan/ed25519.h>
#include <botan/ed448.h>
#include <botan/exceptn.h>
#include <botan/rsa.h>

#include <lockstep/rsa_limits.hpp>

#include "common/edwards.hpp"
#include "curves.hpp"
#include "der.hpp"

namespace lockstep::botan {
namespace {

/// RSAPublicKey (RFC 8017 A.1.1).
std::unique_ptr<Botan::Public_Key> make_rsa(Bytes bits) {
  const auto sequence = der::read_whole(bits, der::kSequence);
  if (!sequence) return nullptr;
  der::Reader reader(*sequence);
  const auto modulus = reader.read_unsigned();
  const auto exponent = reader.read_unsigned();
  if (!modulus || !exponent || !reader.at_end() || modulus->size() > kMaxRsaBits / 8) return nullptr;
  const auto n = Botan::BigInt::from_bytes(*modulus);
  const auto e = Botan::BigInt::from_bytes(*exponent);
  if (n.is_even() || !acceptable_rsa(n.bits(), e)) return nullptr;
  return std::make_unique<Botan::RSA_PublicKey>(n, e);
}

/// RFC 5480 2.2: an ECPoint, uncompressed (04) or compressed (02, 03), on the curve and not at infinity.
template <const Curve& curve>
std::unique_ptr<Botan::Public_Key> make_ec(Bytes bits) {
  const bool compressed = bits.size() == 1 + domain<curve>().get_p_bytes() && (bits.front() == 2 || bits.front() == 3);
  const auto point =
      compressed ? Botan::EC_AffinePoint::deserialize(domain<curve>(), bits) : read_point(domain<curve>(), bits);
  return point ? std::make_unique<Botan::ECDSA_PublicKey>(domain<curve>(), *point) : nullptr;
}

template <class Key, std::size_t size>
std::unique_ptr<Botan::Public_Key> make_eddsa(Bytes bits) {
  return bits.size() == size ? std::make_unique<Key>(bits) : nullptr;
}

/// FIPS 204 4, table 2: sizes of public keys.
std::unique_ptr<Botan::Public_Key> make_ml_dsa(KeyType type, Bytes bits) {
  const std::size_t size = type == KeyType::mldsa44 ? 1312 : type == KeyType::mldsa65 ? 1952 : 2592;
  return bits.size() == size ? std::make_unique<Botan::ML_DSA_PublicKey>(bits, ml_dsa_mode(type)) : nullptr;
}

std::unique_ptr<Botan::Public_Key> make_unchecked(KeyType type, Bytes bits) {
  switch (type) {
    case KeyType::rsa:
    case KeyType::rsa_pss: return make_rsa(bits);
    case KeyType::ec_p256: return make_ec<kP256>(bits);
    case KeyType::ec_p384: return make_ec<kP384>(bits);
    case KeyType::ec_p521: return make_ec<kP521>(bits);
    case KeyType::ec_brainpoolP256r1: return make_ec<kBrainpoolP256r1>(bits);
    case KeyType::ec_brainpoolP384r1: return make_ec<kBrainpoolP384r1>(bits);
    case KeyType::ec_brainpoolP512r1: return make_ec<kBrainpoolP512r1>(bits);
    case KeyType::ed25519: return make_eddsa<Botan::Ed25519_PublicKey, 32>(bits);
    case KeyType::ed448: return make_eddsa<Botan::Ed448_PublicKey, 57>(bits);
    case KeyType::mldsa44:
    case KeyType::mldsa65:
    case KeyType::mldsa87: return make_ml_dsa(type, bits);
  }
  return nullptr;
}

}  // namespace

std::unique_ptr<Botan::Public_Key> make_public_key(KeyType type, Bytes bits) {
  if (!edwards::is_acceptable(type, bits)) return nullptr;
  try {
    return make_unchecked(type, bits);
  } catch (const Botan::Decoding_Error&) {
    return nullptr;
  } catch (const Botan::Invalid_Argument&) {
    return nullptr;
  }
}

bool acceptable_rsa(std::size_t modulus_bits, const Botan::BigInt& exponent) {
  return modulus_bits >= kMinRsaBits && modulus_bits <= kMaxRsaBits && exponent.is_odd() && exponent > 1 &&
         exponent.bits() <= kMaxRsaExponentBits;
}

Botan::ML_DSA_Mode ml_dsa_mode(KeyType type) noexcept {
  switch (type) {
    case KeyType::mldsa44: return Botan::ML_DSA_Mode::ML_DSA_4x4;
    case KeyType::mldsa65: return Botan::ML_DSA_Mode::ML_DSA_6x5;
    default: return Botan::ML_DSA_Mode::ML_DSA_8x7;
  }
}

const Botan::EC_Group* domain(KeyType key) {
  switch (key) {
    case KeyType::ec_p256: return &domain<kP256>();
    case KeyType::ec_p384: return &domain<kP384>();
    case KeyType::ec_p521: return &domain<kP521>();
    case KeyType::ec_brainpoolP256r1: return &domain<kBrainpoolP256r1>();
    case KeyType::ec_brainpoolP384r1: return &domain<kBrainpoolP384r1>();
    case KeyType::ec_brainpoolP512r1: return &domain<kBrainpoolP512r1>();
    default: return nullptr;
  }
}

SignatureMethod signature_method(SignatureAlgorithm algorithm) noexcept {
  switch (algorithm) {
    case SignatureAlgorithm::rsa_pkcs1_sha1: return {"PKCS1v15(SHA-1)", "PKCS1v15(SHA-1)", false};
    case SignatureAlgorithm::ecdsa_sha1: return {"SHA-1", "SHA-1", true};
    case SignatureAlgorithm::rsa_pkcs1_sha256: return {"PKCS1v15(SHA-256)", "PKCS1v15(SHA-256)", false};
    case SignatureAlgorithm::rsa_pkcs1_sha384: return {"PKCS1v15(SHA-384)", "PKCS1v15(SHA-384)", false};
    case SignatureAlgorithm::rsa_pkcs1_sha512: return {"PKCS1v15(SHA-512)", "PKCS1v15(SHA-512)", false};
    case SignatureAlgorithm::rsa_pss_sha256: return {"PSS(SHA-256,MGF1,32)", "PSS(SHA-256,MGF1,32)", false};
    case SignatureAlgorithm::rsa_pss_sha384: return {"PSS(SHA-384,MGF1,48)", "PSS(SHA-384,MGF1,48)", false};
    case SignatureAlgorithm::rsa_pss_sha512: return {"PSS(SHA-512,MGF1,64)", "PSS(SHA-512,MGF1,64)", false};
    case SignatureAlgorithm::ecdsa_sha256: return {"SHA-256", "SHA-256", true};
    case SignatureAlgorithm::ecdsa_sha384: return {"SHA-384", "SHA-384", true};
    case SignatureAlgorithm::ecdsa_sha512: return {"SHA-512", "SHA-512", true};
    case SignatureAlgorithm::ed25519:
    case SignatureAlgorithm::ed448: return {"Pure", "Pure", false};
    case SignatureAlgorithm::mldsa44:
    case SignatureAlgorithm::mldsa65:
    case SignatureAlgorithm::mldsa87: return {"Randomized", "Pure", false};
  }
  return {};
}

}  // namespace lockstep::botan
