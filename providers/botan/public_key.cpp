#include "public_key.hpp"

#include <algorithm>
#include <array>

#include <botan/bigint.h>
#include <botan/ecdsa.h>
#include <botan/ed25519.h>
#include <botan/ed448.h>
#include <botan/exceptn.h>
#include <botan/rsa.h>

#include "common/edwards.hpp"
#include "common/key_info.hpp"
#include "curves.hpp"
#include "der.hpp"

namespace lockstep::botan {
namespace {

using std::string_view_literals::operator""sv;

struct HashIdentifier {
  HashAlgorithm hash;
  std::size_t digest_size;
  std::string_view identifier;
};

// RFC 4055 2.1; the NULL may also be absent, and must then be accepted.
constexpr std::array kHashIdentifiers{
    HashIdentifier{HashAlgorithm::sha256, 32, "\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01"sv},
    HashIdentifier{HashAlgorithm::sha384, 48, "\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x02"sv},
    HashIdentifier{HashAlgorithm::sha512, 64, "\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x03"sv},
};
constexpr std::string_view kMgf1 = "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x08"sv;

const HashIdentifier* read_hash(Bytes identifier) noexcept {
  const auto found = std::ranges::find_if(kHashIdentifiers, [&](const HashIdentifier& row) {
    const Bytes bare = as_bytes(row.identifier);
    if (identifier.size() < bare.size() || !equal(identifier.first(bare.size()), bare)) return false;
    const Bytes parameters = identifier.subspan(bare.size());
    return parameters.empty() || equal(parameters, as_bytes("\x05\x00"sv));
  });
  return found == kHashIdentifiers.end() ? nullptr : &*found;
}

/// RSASSA-PSS-params (RFC 4055 3.1). Defaults are SHA-1, which no scheme of TLS has, so hash and MGF1 hash must be
/// there and agree. "the value of the saltLength field in the key is a lower bound": TLS salts are as long as the
/// digest.
std::optional<HashAlgorithm> read_pss_parameters(Bytes sequence) noexcept {
  der::Reader reader(sequence);
  const auto hash_field = reader.read(der::constructed(0));
  const auto mask_field = reader.read(der::constructed(1));
  if (!hash_field || !mask_field) return std::nullopt;

  const auto hash_identifier = der::read_whole(*hash_field, der::kSequence);
  const HashIdentifier* const hash = hash_identifier ? read_hash(*hash_identifier) : nullptr;
  const auto mask_identifier = der::read_whole(*mask_field, der::kSequence);
  if (hash == nullptr || !mask_identifier) return std::nullopt;
  der::Reader mask(*mask_identifier);
  const auto function = mask.read(der::kObjectIdentifier);
  const auto mask_hash = mask.read(der::kSequence);
  if (!function || !equal(*function, as_bytes(kMgf1)) || !mask_hash || read_hash(*mask_hash) != hash || !mask.at_end())
    return std::nullopt;

  std::uint32_t salt_size = 20;
  if (const auto field = reader.read(der::constructed(2))) {
    der::Reader salt(*field);
    const auto size = salt.read_small();
    if (!size || !salt.at_end()) return std::nullopt;
    salt_size = *size;
  }
  if (const auto field = reader.read(der::constructed(3))) {
    der::Reader trailer(*field);
    if (trailer.read_small() != 1U || !trailer.at_end()) return std::nullopt;
  }
  if (!reader.at_end() || salt_size > hash->digest_size) return std::nullopt;
  return hash->hash;
}

constexpr std::size_t kMaxRsaBits = 8192;
constexpr std::size_t kMinRsaBits = 1024;
constexpr std::size_t kMaxRsaExponentBits = 33;

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

template <const Curve& curve>
std::unique_ptr<Botan::Public_Key> make_ec(Bytes bits) {
  const auto point = read_point(domain<curve>(), bits);
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

std::optional<KeyAlgorithm> read_key_algorithm(Bytes identifier) noexcept {
  if (const auto type = key_info::type_of(identifier)) return KeyAlgorithm{*type, std::nullopt};

  const Bytes pss = key_info::identifier_of(KeyType::rsa_pss);
  if (identifier.size() <= pss.size() || !equal(identifier.first(pss.size()), pss)) return std::nullopt;
  const auto parameters = der::read_whole(identifier.subspan(pss.size()), der::kSequence);
  const auto hash = parameters ? read_pss_parameters(*parameters) : std::nullopt;
  if (!hash) return std::nullopt;
  return KeyAlgorithm{KeyType::rsa_pss, hash};
}

std::optional<PublicKeyInfo> read_public_key_info(Bytes der) noexcept {
  const auto info = key_info::read_public(der);
  const auto algorithm = info ? read_key_algorithm(info->algorithm_identifier) : std::nullopt;
  if (!algorithm) return std::nullopt;
  return PublicKeyInfo{*algorithm, info->bits};
}

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

std::optional<HashAlgorithm> hash_of(SignatureAlgorithm algorithm) noexcept {
  switch (algorithm) {
    case SignatureAlgorithm::rsa_pkcs1_sha256:
    case SignatureAlgorithm::rsa_pss_sha256:
    case SignatureAlgorithm::ecdsa_sha256: return HashAlgorithm::sha256;
    case SignatureAlgorithm::rsa_pkcs1_sha384:
    case SignatureAlgorithm::rsa_pss_sha384:
    case SignatureAlgorithm::ecdsa_sha384: return HashAlgorithm::sha384;
    case SignatureAlgorithm::rsa_pkcs1_sha512:
    case SignatureAlgorithm::rsa_pss_sha512:
    case SignatureAlgorithm::ecdsa_sha512: return HashAlgorithm::sha512;
    default: return std::nullopt;
  }
}

}  // namespace lockstep::botan
