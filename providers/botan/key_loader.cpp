// Private keys from PKCS#8 (RFC 5958) and new ones.

#include <algorithm>
#include <array>

#include <botan/bigint.h>
#include <botan/ecdsa.h>
#include <botan/ed25519.h>
#include <botan/ed448.h>
#include <botan/exceptn.h>
#include <botan/hash.h>
#include <botan/ml_dsa.h>
#include <botan/pubkey.h>
#include <botan/rsa.h>
#include <botan/system_rng.h>

#include <lockstep/rsa_limits.hpp>

#include "common/key_info.hpp"
#include "curves.hpp"
#include "der.hpp"
#include "descriptors.hpp"
#include "pbes2.hpp"
#include "public_key.hpp"
#include "random.hpp"
#include "signing_key.hpp"

namespace lockstep::botan {
namespace {

using PrivateKey = std::expected<std::unique_ptr<Botan::Private_Key>, KeyError>;

// --- loading ---------------------------------------------------------------------------------------------------------

bool belongs_to_its_public_key(const Botan::RSA_PrivateKey& key);

/// Whether a private key has the public key that is stated beside it, in whatever encoding.
bool is_public_key_of(const Botan::Private_Key& key, KeyType type, Bytes bits) {
  const auto stated = make_public_key(type, bits);
  return stated && constant_time_equal(stated->public_key_bits(), key.public_key_bits());
}

/// RSAPrivateKey (RFC 8017 A.1.2), which Botan reads.
PrivateKey read_rsa(Bytes encoded) {
  if (!der::read_whole(encoded, der::kSequence)) return std::unexpected(KeyError::malformed);
  auto key = std::make_unique<Botan::RSA_PrivateKey>(Botan::AlgorithmIdentifier(), encoded);
  if (!acceptable_rsa(key->key_length(), key->get_e())) return std::unexpected(KeyError::unsupported);
  if (!key->check_key(Botan::system_rng(), false) || !belongs_to_its_public_key(*key))
    return std::unexpected(KeyError::invalid);
  return key;
}

/// Whether the key signs what its public key verifies. Botan compares the private numbers of RSA with each other and
/// with the modulus, not with the public exponent, unless it is to prove the primes anew, which takes longer than
/// hundreds of signatures.
bool belongs_to_its_public_key(const Botan::RSA_PrivateKey& key) {
  constexpr std::string_view kMethod = "PKCS1v15(SHA-256)";
  constexpr std::array<std::uint8_t, 1> kMessage{0};
  try {
    Botan::PK_Signer signer(key, Botan::system_rng(), kMethod);
    Botan::PK_Verifier verifier(key, kMethod);
    return verifier.verify_message(kMessage, signer.sign_message(kMessage, Botan::system_rng()));
  } catch (const Botan::Internal_Error&) {
    return false;  // what Botan throws when a signature that it made is not valid
  }
}

/// ECPrivateKey (RFC 5915 3).
PrivateKey read_ec(const Botan::EC_Group& group, KeyType type, Bytes encoded) {
  const auto sequence = der::read_whole(encoded, der::kSequence);
  if (!sequence) return std::unexpected(KeyError::malformed);
  der::Reader reader(*sequence);
  const auto version = reader.read_small();
  const auto scalar = reader.read(der::kOctetString);
  const auto parameters = reader.read(der::constructed(0));
  const auto public_key = reader.read(der::constructed(1));
  if (version != 1U || !scalar || !reader.at_end()) return std::unexpected(KeyError::malformed);
  // The curve is named by PKCS#8; a second name must be the same.
  if (parameters && !equal(*parameters, key_info::curve_of(type))) return std::unexpected(KeyError::malformed);

  // RFC 5915 3: "privateKey is the private key. It is an octet string of length ceiling (log2(n)/8)". Some writers
  // leave out leading zeros, which half of all P-521 keys have, and other libraries read such keys.
  if (scalar->empty() || scalar->size() > group.get_order_bytes()) return std::unexpected(KeyError::malformed);
  Botan::secure_vector<std::uint8_t> whole(group.get_order_bytes());
  std::ranges::copy(*scalar, whole.end() - static_cast<std::ptrdiff_t>(scalar->size()));
  const auto number = Botan::EC_Scalar::deserialize(group, whole);
  if (!number || constant_time_equal(whole, der::Buffer(whole.size()))) return std::unexpected(KeyError::invalid);
  auto key = std::make_unique<Botan::ECDSA_PrivateKey>(group, *number);
  if (public_key) {
    der::Reader bits_reader(*public_key);
    const auto bits = bits_reader.read_bits();
    if (!bits || !bits_reader.at_end()) return std::unexpected(KeyError::malformed);
    if (!is_public_key_of(*key, type, *bits)) return std::unexpected(KeyError::invalid);
  }
  return key;
}

/// CurvePrivateKey (RFC 8410 7): an OCTET STRING within the OCTET STRING.
template <class Key, std::size_t size>
PrivateKey read_eddsa(Bytes encoded) {
  const auto seed = der::read_whole(encoded, der::kOctetString);
  if (!seed || seed->size() != size) return std::unexpected(KeyError::malformed);
  if constexpr (std::is_same_v<Key, Botan::Ed25519_PrivateKey>)
    return std::make_unique<Key>(Key::from_seed(*seed));
  else
    return std::make_unique<Key>(*seed);
}

constexpr std::size_t kMlDsaSeedSize = 32;

/// FIPS 204 4, table 1: rows and columns of the matrix.
struct MlDsaShape {
  std::uint8_t k;
  std::uint8_t l;
  std::size_t expanded_size;
};

MlDsaShape ml_dsa_shape(KeyType type) noexcept {
  return type == KeyType::mldsa44   ? MlDsaShape{4, 4, 2560}
         : type == KeyType::mldsa65 ? MlDsaShape{6, 5, 4032}
                                    : MlDsaShape{8, 7, 4896};
}

/// RFC 9881 8.2: whether an expanded key belongs to the seed, by what both state outright: rho, K and tr (FIPS 204,
/// algorithms 6 and 24). The rest of the expanded key is made from the seed again and never used.
bool belongs(Bytes expanded, Bytes seed, KeyType type, Bytes public_key) {
  const MlDsaShape shape = ml_dsa_shape(type);
  const auto xof = Botan::HashFunction::create_or_throw("SHAKE-256(1024)");
  xof->update(seed);
  xof->update(shape.k);
  xof->update(shape.l);
  const auto rho_rho_k = xof->final();
  const auto hash = Botan::HashFunction::create_or_throw("SHAKE-256(512)");
  hash->update(public_key);
  const auto tr = hash->final();
  const Bytes all(rho_rho_k);
  return constant_time_equal(expanded.first(32), all.first(32)) &&
         constant_time_equal(expanded.subspan(32, 32), all.last(32)) &&
         constant_time_equal(expanded.subspan(64, 64), tr);
}

/// ML-DSA-PrivateKey (RFC 9881 6): a seed, an expanded key or both. Botan signs from seeds only.
PrivateKey read_ml_dsa(KeyType type, Bytes encoded) {
  constexpr std::uint8_t kSeed = der::primitive(0);
  const std::size_t expanded_size = ml_dsa_shape(type).expanded_size;
  std::optional<Bytes> seed = der::read_whole(encoded, kSeed);
  std::optional<Bytes> expanded;
  if (const auto both = der::read_whole(encoded, der::kSequence)) {
    der::Reader reader(*both);
    seed = reader.read(der::kOctetString);
    expanded = reader.read(der::kOctetString);
    if (!expanded || expanded->size() != expanded_size || !reader.at_end()) return std::unexpected(KeyError::malformed);
  } else if (const auto alone = der::read_whole(encoded, der::kOctetString)) {
    return std::unexpected(alone->size() == expanded_size ? KeyError::unsupported : KeyError::malformed);
  }
  if (!seed || seed->size() != kMlDsaSeedSize) return std::unexpected(KeyError::malformed);
  auto key = std::make_unique<Botan::ML_DSA_PrivateKey>(*seed, ml_dsa_mode(type));
  if (expanded && !belongs(*expanded, *seed, type, key->public_key_bits())) return std::unexpected(KeyError::invalid);
  return key;
}

PrivateKey read_private_key(KeyType type, Bytes encoded) {
  switch (type) {
    case KeyType::rsa:
    case KeyType::rsa_pss: return read_rsa(encoded);
    case KeyType::ed25519: return read_eddsa<Botan::Ed25519_PrivateKey, 32>(encoded);
    case KeyType::ed448: return read_eddsa<Botan::Ed448_PrivateKey, 57>(encoded);
    case KeyType::mldsa44:
    case KeyType::mldsa65:
    case KeyType::mldsa87: return read_ml_dsa(type, encoded);
    default: return read_ec(*domain(type), type, encoded);
  }
}

std::expected<std::shared_ptr<const SigningKey>, KeyError> load(Bytes pkcs8) noexcept {
  const auto info = key_info::read_private(pkcs8);
  if (!info) return std::unexpected(KeyError::malformed);
  const auto algorithm = key_info::read_algorithm(info->algorithm_identifier);
  if (!algorithm) return std::unexpected(KeyError::unsupported);
  try {
    auto key = read_private_key(algorithm->type, info->private_key);
    if (!key) return std::unexpected(key.error());
    if (info->public_key && !is_public_key_of(**key, algorithm->type, *info->public_key))
      return std::unexpected(KeyError::invalid);
    return std::make_shared<const HeldKey>(std::move(*key), *algorithm, info->algorithm_identifier);
  } catch (const Botan::Decoding_Error&) {
    return std::unexpected(KeyError::malformed);
  } catch (const Botan::Invalid_Argument&) {
    return std::unexpected(KeyError::invalid);
  } catch (const Botan::Lookup_Error&) {
    return std::unexpected(KeyError::unsupported);
  } catch (...) {
    return std::unexpected(KeyError::failed);
  }
}

// --- generating ------------------------------------------------------------------------------------------------------

constexpr std::size_t kDefaultRsaBits = 2048;

std::unique_ptr<Botan::Private_Key> make_key(KeyType type, std::size_t bits, Botan::RandomNumberGenerator& rng) {
  switch (type) {
    case KeyType::rsa:
    case KeyType::rsa_pss: return std::make_unique<Botan::RSA_PrivateKey>(rng, bits == 0 ? kDefaultRsaBits : bits);
    case KeyType::ed25519: return std::make_unique<Botan::Ed25519_PrivateKey>(rng);
    case KeyType::ed448: return std::make_unique<Botan::Ed448_PrivateKey>(rng);
    case KeyType::mldsa44:
    case KeyType::mldsa65:
    case KeyType::mldsa87: return std::make_unique<Botan::ML_DSA_PrivateKey>(rng, ml_dsa_mode(type));
    default: return std::make_unique<Botan::ECDSA_PrivateKey>(rng, *domain(type));
  }
}

/// The contents of PKCS#8's privateKey. Botan's form is the standard's except for ML-DSA, where it is the bare seed.
der::Buffer encode_private_key(KeyType type, const Botan::Private_Key& key) {
  der::Buffer bits = key.private_key_bits();
  const bool ml_dsa = type == KeyType::mldsa44 || type == KeyType::mldsa65 || type == KeyType::mldsa87;
  return ml_dsa ? der::value(der::primitive(0), {bits}) : bits;
}

std::expected<std::vector<std::uint8_t>, KeyError> generate(KeyType type, std::size_t bits,
                                                            RandomSource& random) noexcept {
  if (bits != 0 && (bits < kDefaultRsaBits || bits > kMaxRsaBits)) return std::unexpected(KeyError::unsupported);
  try {
    constexpr std::array<std::uint8_t, 3> kVersion1{der::kInteger, 1, 0};
    SourceRng rng(random);
    const auto key = make_key(type, bits, rng);
    const der::Buffer pkcs8 =
        der::value(der::kSequence, {kVersion1, der::value(der::kSequence, {key_info::identifier_of(type)}),
                                    der::value(der::kOctetString, {encode_private_key(type, *key)})});
    return std::vector<std::uint8_t>(pkcs8.begin(), pkcs8.end());
  } catch (...) {
    return std::unexpected(KeyError::failed);
  }
}

constexpr std::array kTypes{
    KeyType::rsa,
    KeyType::rsa_pss,
    KeyType::ec_p256,
    KeyType::ec_p384,
    KeyType::ec_p521,
    KeyType::ec_brainpoolP256r1,
    KeyType::ec_brainpoolP384r1,
    KeyType::ec_brainpoolP512r1,
    KeyType::ed25519,
    KeyType::ed448,
    KeyType::mldsa44,
    KeyType::mldsa65,
    KeyType::mldsa87,
};

constexpr std::array kLoaders{KeyLoader{kImplementation, kTypes, load, decrypt_pbes2, generate}};

}  // namespace

std::vector<const KeyLoader*> key_loaders() { return pointers(kLoaders); }

}  // namespace lockstep::botan
