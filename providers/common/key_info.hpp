#pragma once
// What keys come in: SubjectPublicKeyInfo (RFC 5280 4.1.2.7) and PKCS#8 (RFC 5958), and how they name their type.

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

#include <lockstep/types.hpp>

#include "common/der.hpp"

namespace lockstep::key_info {

using std::string_view_literals::operator""sv;

struct Identifier {
  KeyType type;
  std::string_view contents;
};

// Object identifiers: RFC 8017 A (rsaEncryption, id-RSASSA-PSS), RFC 5480 2.1.1 and RFC 5639 4.1 (curves), RFC 8410 3
// (EdDSA), RFC 9881 2 (ML-DSA). RFC 3279 2.3.1: rsaEncryption's parameters "MUST have ASN.1 type NULL"; EdDSA's and
// ML-DSA's must be absent.
inline constexpr std::array kIdentifiers{
    Identifier{KeyType::rsa, "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00"sv},
    Identifier{KeyType::rsa_pss, "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a"sv},
    Identifier{KeyType::ec_p256, "\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07"sv},
    Identifier{KeyType::ec_p384, "\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x22"sv},
    Identifier{KeyType::ec_p521, "\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x23"sv},
    Identifier{KeyType::ec_brainpoolP256r1,
               "\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x09\x2b\x24\x03\x03\x02\x08\x01\x01\x07"sv},
    Identifier{KeyType::ec_brainpoolP384r1,
               "\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x09\x2b\x24\x03\x03\x02\x08\x01\x01\x0b"sv},
    Identifier{KeyType::ec_brainpoolP512r1,
               "\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x09\x2b\x24\x03\x03\x02\x08\x01\x01\x0d"sv},
    Identifier{KeyType::ed25519, "\x06\x03\x2b\x65\x70"sv},
    Identifier{KeyType::ed448, "\x06\x03\x2b\x65\x71"sv},
    Identifier{KeyType::mldsa44, "\x06\x09\x60\x86\x48\x01\x65\x03\x04\x03\x11"sv},
    Identifier{KeyType::mldsa65, "\x06\x09\x60\x86\x48\x01\x65\x03\x04\x03\x12"sv},
    Identifier{KeyType::mldsa87, "\x06\x09\x60\x86\x48\x01\x65\x03\x04\x03\x13"sv},
};

/// The type that the contents of an AlgorithmIdentifier name; rsa_pss only without parameters. RSA's NULL may be
/// missing, which X.509 takes too.
inline std::optional<KeyType> type_of(Bytes identifier) noexcept {
  const Bytes rsa = as_bytes(kIdentifiers.front().contents);
  if (equal(identifier, rsa.first(rsa.size() - 2))) return KeyType::rsa;
  const auto found = std::ranges::find_if(
      kIdentifiers, [&](const Identifier& row) { return equal(identifier, as_bytes(row.contents)); });
  return found == kIdentifiers.end() ? std::nullopt : std::optional(found->type);
}

/// What an AlgorithmIdentifier says of a key.
struct Algorithm {
  KeyType type;
  /// rsa_pss only (RFC 4055 3.1): the one hash that the key is for, when it is restricted.
  std::optional<HashAlgorithm> only_hash;
};

struct HashIdentifier {
  HashAlgorithm hash;
  std::size_t digest_size;
  std::string_view identifier;
};

// RFC 4055 2.1; the NULL may also be absent, and must then be accepted.
inline constexpr std::array kHashIdentifiers{
    HashIdentifier{HashAlgorithm::sha256, 32, "\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01"sv},
    HashIdentifier{HashAlgorithm::sha384, 48, "\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x02"sv},
    HashIdentifier{HashAlgorithm::sha512, 64, "\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x03"sv},
};

inline const HashIdentifier* read_hash(Bytes identifier) noexcept {
  const auto found = std::ranges::find_if(kHashIdentifiers, [&](const HashIdentifier& row) {
    const Bytes bare = as_bytes(row.identifier);
    if (identifier.size() < bare.size() || !equal(identifier.first(bare.size()), bare)) return false;
    const Bytes parameters = identifier.subspan(bare.size());
    return parameters.empty() || equal(parameters, as_bytes("\x05\x00"sv));
  });
  return found == kHashIdentifiers.end() ? nullptr : &*found;
}

/// RSASSA-PSS-params (RFC 4055 3.1). Defaults are SHA-1, which no scheme of TLS has, so hash and MGF1 hash must be
/// there and agree. RFC 4055 3.3: "The saltLength field in the signature parameters MUST be greater or equal to that in
/// the key parameters field": TLS salts are as long as the digest.
inline std::optional<HashAlgorithm> read_pss_parameters(Bytes sequence) noexcept {
  constexpr std::string_view kMgf1 = "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x08"sv;
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

/// From the contents of an AlgorithmIdentifier; nothing when no key type has it, or when its parameters allow no scheme
/// of TLS.
inline std::optional<Algorithm> read_algorithm(Bytes identifier) noexcept {
  if (const auto type = type_of(identifier)) return Algorithm{*type, std::nullopt};

  const Identifier& pss = *std::ranges::find(kIdentifiers, KeyType::rsa_pss, &Identifier::type);
  const std::size_t size = pss.contents.size();
  if (identifier.size() <= size || !equal(identifier.first(size), as_bytes(pss.contents))) return std::nullopt;
  const auto parameters = der::read_whole(identifier.subspan(size), der::kSequence);
  const auto hash = parameters ? read_pss_parameters(*parameters) : std::nullopt;
  if (!hash) return std::nullopt;
  return Algorithm{KeyType::rsa_pss, hash};
}

/// The contents of the AlgorithmIdentifier of a key type (rsa_pss: without parameters).
inline Bytes identifier_of(KeyType type) noexcept {
  return as_bytes(std::ranges::find(kIdentifiers, type, &Identifier::type)->contents);
}

/// The object identifier, in DER, of the curve that an EC key type's AlgorithmIdentifier names (RFC 5480 2.1.1).
inline Bytes curve_of(KeyType type) noexcept {
  const Bytes identifier = identifier_of(type);
  der::Reader reader(identifier);
  const auto id_ec_public_key = reader.read(der::kObjectIdentifier);
  return id_ec_public_key ? identifier.subspan(2 + id_ec_public_key->size()) : Bytes();
}

/// An AlgorithmIdentifier's contents and a public key. Views live as long as the DER.
struct PublicKeyInfo {
  Bytes algorithm_identifier;
  Bytes bits;
};

inline std::optional<PublicKeyInfo> read_public(Bytes der) noexcept {
  const auto sequence = der::read_whole(der, der::kSequence);
  if (!sequence) return std::nullopt;
  der::Reader reader(*sequence);
  const auto identifier = reader.read(der::kSequence);
  const auto bits = reader.read_bits();
  if (!identifier || !bits || !reader.at_end()) return std::nullopt;
  return PublicKeyInfo{*identifier, *bits};
}

/// OneAsymmetricKey (RFC 5958 2). Views live as long as the DER.
struct PrivateKeyInfo {
  Bytes algorithm_identifier;
  Bytes private_key;
  std::optional<Bytes> public_key;
};

inline std::optional<PrivateKeyInfo> read_private(Bytes pkcs8) noexcept {
  const auto sequence = der::read_whole(pkcs8, der::kSequence);
  if (!sequence) return std::nullopt;
  der::Reader reader(*sequence);
  const auto version = reader.read_small();
  const auto algorithm = reader.read(der::kSequence);
  const auto private_key = reader.read(der::kOctetString);
  if (!version || *version > 1 || !algorithm || !private_key) return std::nullopt;
  reader.read(der::constructed(0));  // attributes, which say nothing of the key
  std::optional<Bytes> public_key;
  if (const auto bits = reader.read(der::primitive(1))) {
    // RFC 5958 2: "publicKey [...] version is set to v2" and the bits are whole bytes.
    if (*version == 0 || bits->empty() || bits->front() != 0) return std::nullopt;
    public_key = bits->subspan(1);
  }
  if (!reader.at_end()) return std::nullopt;
  return PrivateKeyInfo{*algorithm, *private_key, public_key};
}

}  // namespace lockstep::key_info
