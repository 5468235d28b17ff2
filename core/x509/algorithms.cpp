#include "x509/algorithms.hpp"

#include <algorithm>
#include <array>
#include <bit>

#include <lockstep/rsa_limits.hpp>

namespace lockstep::x509 {

namespace {

using der::Reader;

struct Curve {
  const Oid& oid;
  KeyType type;
  std::uint32_t bits;
};
constexpr std::array<Curve, 6> kCurves = {{
    {oid::kP256, KeyType::ec_p256, 256},
    {oid::kP384, KeyType::ec_p384, 384},
    {oid::kP521, KeyType::ec_p521, 521},
    {oid::kBrainpoolP256r1, KeyType::ec_brainpoolP256r1, 256},
    {oid::kBrainpoolP384r1, KeyType::ec_brainpoolP384r1, 384},
    {oid::kBrainpoolP512r1, KeyType::ec_brainpoolP512r1, 512},
}};

/// Keys whose identifier says everything: no parameters, and a key of one size.
struct PlainKey {
  const Oid& oid;
  KeyType type;
  std::uint32_t bits;
  std::size_t size;
};
constexpr std::array<PlainKey, 5> kPlainKeys = {{
    {oid::kEd25519, KeyType::ed25519, 256, 32},
    {oid::kEd448, KeyType::ed448, 456, 57},
    // FIPS 204, table 2
    {oid::kMlDsa44, KeyType::mldsa44, 0, 1312},
    {oid::kMlDsa65, KeyType::mldsa65, 0, 1952},
    {oid::kMlDsa87, KeyType::mldsa87, 0, 2592},
}};

enum class Parameters : std::uint8_t { absent, null_or_absent };
struct KnownSignature {
  const Oid& oid;
  SignatureAlgorithm algorithm;
  Parameters parameters;
};
constexpr std::array<KnownSignature, 11> kSignatures = {{
    // RFC 4055 5: "implementations MUST accept the parameters being absent as well as present" (NULL).
    {oid::kSha256WithRsa, SignatureAlgorithm::rsa_pkcs1_sha256, Parameters::null_or_absent},
    {oid::kSha384WithRsa, SignatureAlgorithm::rsa_pkcs1_sha384, Parameters::null_or_absent},
    {oid::kSha512WithRsa, SignatureAlgorithm::rsa_pkcs1_sha512, Parameters::null_or_absent},
    {oid::kEcdsaWithSha256, SignatureAlgorithm::ecdsa_sha256, Parameters::absent},
    {oid::kEcdsaWithSha384, SignatureAlgorithm::ecdsa_sha384, Parameters::absent},
    {oid::kEcdsaWithSha512, SignatureAlgorithm::ecdsa_sha512, Parameters::absent},
    {oid::kEd25519, SignatureAlgorithm::ed25519, Parameters::absent},
    {oid::kEd448, SignatureAlgorithm::ed448, Parameters::absent},
    {oid::kMlDsa44, SignatureAlgorithm::mldsa44, Parameters::absent},
    {oid::kMlDsa65, SignatureAlgorithm::mldsa65, Parameters::absent},
    {oid::kMlDsa87, SignatureAlgorithm::mldsa87, Parameters::absent},
}};
constexpr std::array<const Oid*, 7> kWeakSignatures = {&oid::kMd2WithRsa,   &oid::kMd4WithRsa,     &oid::kMd5WithRsa,
                                                       &oid::kSha1WithRsa,  &oid::kSha1WithRsaOiw, &oid::kDsaWithSha1,
                                                       &oid::kEcdsaWithSha1};

/// The hashes of RSASSA-PSS, and the size of a signature's salt, which is theirs.
struct PssHash {
  const Oid& oid;
  std::uint32_t size;
  SignatureAlgorithm algorithm;
};
// RFC 9846 4.3.3: "The length of the Salt MUST be equal to the length of the output of the digest algorithm. ... The
// length of the Salt MUST be equal to the length of the digest algorithm."
constexpr std::array<PssHash, 3> kPssHashes = {{
    {oid::kSha256, 32, SignatureAlgorithm::rsa_pss_sha256},
    {oid::kSha384, 48, SignatureAlgorithm::rsa_pss_sha384},
    {oid::kSha512, 64, SignatureAlgorithm::rsa_pss_sha512},
}};

/// RSASSA-PSS-params (RFC 4055 3.1), as far as TLS uses them: a hash, and MGF1 with the same hash.
struct PssParameters {
  const PssHash& hash;
  std::uint32_t salt_size;
};

void read_rsa_key(Reader key, PublicKey& out) noexcept;
void read_curve(Reader& parameters, PublicKey& out) noexcept;
std::optional<PssParameters> read_pss_parameters(Reader& algorithm) noexcept;
bool same_point(Bytes one, Bytes other) noexcept;
bool at_null_or_end(Reader& reader) noexcept;

}  // namespace

std::expected<PublicKey, ParseError> PublicKey::parse(Bytes subject_public_key_info) noexcept {
  der::ParseState state{subject_public_key_info.data()};
  Reader reader(state, subject_public_key_info);
  const PublicKey key = read_public_key(reader);
  reader.end();
  if (state.error) return std::unexpected(*state.error);
  return key;
}

PublicKey read_public_key(Reader& reader) noexcept {
  PublicKey out;
  const std::uint8_t* const start = reader.position();
  Reader info = reader.enter();
  if (info.failed()) return out;
  Reader algorithm = info.enter();
  out.algorithm = algorithm.object_identifier();
  const std::uint8_t* const key_at = info.position();
  const der::BitString bits = info.bit_string();
  info.end();
  if (info.failed()) return out;
  out.der = {start, reader.position()};
  out.key = bits.bytes;
  if (bits.unused_bits != 0) {
    reader.fail(ParseCode::public_key_malformed, key_at);
    return out;
  }

  read_key_algorithm(algorithm, out);
  if (oid::kRsaEncryption == out.algorithm || oid::kRsassaPss == out.algorithm) {
    read_rsa_key(info.within(bits.bytes), out);
  } else if (out.type && curve_oid(*out.type) != nullptr) {
    // RFC 5480 2.2: "The uncompressed form is indicated by 0x04 and the compressed form is indicated by either 0x02 or
    // 0x03 [...]. The public key MUST be rejected if any other value is included in the first octet."
    const std::size_t coordinate = (out.bits + 7) / 8;
    const std::uint8_t form = out.key.empty() ? 0 : out.key[0];
    const bool uncompressed = form == 4 && out.key.size() == 1 + 2 * coordinate;
    const bool compressed = (form == 2 || form == 3) && out.key.size() == 1 + coordinate;
    if (!uncompressed && !compressed) reader.fail(ParseCode::public_key_malformed, key_at);
  } else {
    for (const PlainKey& known : kPlainKeys) {
      if (known.oid == out.algorithm && out.key.size() != known.size)
        reader.fail(ParseCode::public_key_malformed, key_at);
    }
  }
  return out;
}

void read_key_algorithm(Reader& parameters, PublicKey& out) noexcept {
  if (oid::kRsaEncryption == out.algorithm) {
    // RFC 3279 2.3.1: "The parameters field MUST have ASN.1 type NULL for this algorithm identifier."
    if (at_null_or_end(parameters)) out.type = KeyType::rsa;
  } else if (oid::kRsassaPss == out.algorithm) {
    // RFC 4055 3.1: without parameters the key may be used with any.
    if (parameters.rest().empty()) {
      out.type = KeyType::rsa_pss;
      return;
    }
    // RFC 4055 3.3: "all parameters in the signature structure algorithm identifier MUST match the parameters in the
    // key structure algorithm identifier except the saltLength field. The saltLength field in the signature parameters
    // MUST be greater or equal to that in the key parameters field." RFC 9846 4.3.3 has the parameters "identical";
    // OpenSSL and GnuTLS take the salt for the minimum that it is with TLS as well, and so do we.
    const auto restriction = read_pss_parameters(parameters);
    if (!restriction || restriction->salt_size > restriction->hash.size) return;
    out.type = KeyType::rsa_pss;
    out.only_algorithm = restriction->hash.algorithm;
  } else if (oid::kEcPublicKey == out.algorithm) {
    read_curve(parameters, out);
  } else {
    for (const PlainKey& known : kPlainKeys) {
      if (!(known.oid == out.algorithm)) continue;
      out.bits = known.bits;
      if (parameters.rest().empty()) out.type = known.type;
    }
  }
}

bool same_key(const PublicKey& one, const PublicKey& other) noexcept {
  if (equal(one.der, other.der)) return true;
  if (!one.type || one.type != other.type || one.only_algorithm != other.only_algorithm) return false;
  // Of everything but points there is one encoding only.
  return equal(one.key, other.key) || (curve_oid(*one.type) != nullptr && same_point(one.key, other.key));
}

SignatureIdentifier read_signature_identifier(Reader& reader) noexcept {
  SignatureIdentifier out;
  const std::uint8_t* const start = reader.position();
  Reader algorithm = reader.enter();
  out.oid = algorithm.object_identifier();
  if (reader.failed()) return out;
  out.der = {start, reader.position()};

  if (oid::kRsassaPss == out.oid) {
    // RFC 9846 4.3.3: "When used in certificate signatures, the algorithm parameters MUST be DER encoded."
    const auto stated = read_pss_parameters(algorithm);
    if (stated && stated->salt_size == stated->hash.size) out.algorithm = stated->hash.algorithm;
    return out;
  }
  for (const KnownSignature& known : kSignatures) {
    if (!(known.oid == out.oid)) continue;
    const bool fit = known.parameters == Parameters::absent ? algorithm.rest().empty() : at_null_or_end(algorithm);
    if (fit) out.algorithm = known.algorithm;
  }
  out.weak = std::ranges::any_of(kWeakSignatures, [&](const Oid* weak) { return *weak == out.oid; });
  return out;
}

bool fits(SignatureAlgorithm algorithm, KeyType key) noexcept {
  switch (algorithm) {
    case SignatureAlgorithm::rsa_pkcs1_sha256:
    case SignatureAlgorithm::rsa_pkcs1_sha384:
    case SignatureAlgorithm::rsa_pkcs1_sha512: return key == KeyType::rsa;
    case SignatureAlgorithm::rsa_pss_sha256:
    case SignatureAlgorithm::rsa_pss_sha384:
    case SignatureAlgorithm::rsa_pss_sha512: return key == KeyType::rsa || key == KeyType::rsa_pss;
    case SignatureAlgorithm::ecdsa_sha256:
    case SignatureAlgorithm::ecdsa_sha384:
    case SignatureAlgorithm::ecdsa_sha512: return curve_oid(key) != nullptr;
    case SignatureAlgorithm::ed25519: return key == KeyType::ed25519;
    case SignatureAlgorithm::ed448: return key == KeyType::ed448;
    case SignatureAlgorithm::mldsa44: return key == KeyType::mldsa44;
    case SignatureAlgorithm::mldsa65: return key == KeyType::mldsa65;
    case SignatureAlgorithm::mldsa87: return key == KeyType::mldsa87;
    case SignatureAlgorithm::rsa_pkcs1_sha1:
    case SignatureAlgorithm::ecdsa_sha1: return false;
  }
  return false;
}

const Oid& signature_oid(SignatureAlgorithm algorithm) noexcept {
  for (const KnownSignature& known : kSignatures) {
    if (known.algorithm == algorithm) return known.oid;
  }
  return oid::kRsassaPss;
}

bool has_null_parameters(SignatureAlgorithm algorithm) noexcept {
  return std::ranges::any_of(kSignatures, [&](const KnownSignature& known) {
    return known.algorithm == algorithm && known.parameters == Parameters::null_or_absent;
  });
}

const Oid* pss_hash_oid(SignatureAlgorithm algorithm) noexcept {
  for (const PssHash& known : kPssHashes) {
    if (known.algorithm == algorithm) return &known.oid;
  }
  return nullptr;
}

std::uint32_t pss_salt_size(SignatureAlgorithm algorithm) noexcept {
  for (const PssHash& known : kPssHashes) {
    if (known.algorithm == algorithm) return known.size;
  }
  return 0;
}

std::size_t bit_size(Bytes integer) noexcept {
  const auto first = std::ranges::find_if(integer, [](std::uint8_t byte) { return byte != 0; });
  if (first == integer.end()) return 0;
  return static_cast<std::size_t>(integer.end() - first) * 8 - static_cast<std::size_t>(std::countl_zero(*first));
}

const Oid* curve_oid(KeyType key) noexcept {
  for (const Curve& curve : kCurves) {
    if (curve.type == key) return &curve.oid;
  }
  return nullptr;
}

namespace {

/// RFC 8017 A.1.1: RSAPublicKey ::= SEQUENCE { modulus INTEGER, publicExponent INTEGER }.
void read_rsa_key(Reader key, PublicKey& out) noexcept {
  const std::uint8_t* const at = key.position();
  Reader numbers = key.enter();
  const Bytes modulus = numbers.integer();
  const Bytes exponent = numbers.integer();
  numbers.end();
  key.end();
  if (key.failed()) return;
  // Both are positive and odd; that the modulus is composite nobody can say.
  const bool negative = modulus[0] >= 0x80U || exponent[0] >= 0x80U;
  const bool even = modulus.back() % 2 == 0 || exponent.back() % 2 == 0;
  const bool one = exponent.size() == 1 && exponent[0] == 1;
  if (negative || even || one || bit_size(exponent) > kMaxRsaExponentBits)
    return key.fail(ParseCode::public_key_malformed, at);
  out.bits = static_cast<std::uint32_t>(bit_size(modulus));
}

void read_curve(Reader& parameters, PublicKey& out) noexcept {
  // RFC 5480 2.1.1: "specifiedCurve, which is of type SpecifiedECDomain [...] MUST NOT be used".
  out.explicit_curve = parameters.next_is(der::kSequence);
  const auto named = parameters.optional(der::kObjectIdentifier);
  if (!named) return;
  for (const Curve& curve : kCurves) {
    if (!(curve.oid == named->contents) || parameters.more()) continue;
    out.type = curve.type;
    out.bits = curve.bits;
  }
}

std::optional<PssParameters> read_pss_parameters(Reader& algorithm) noexcept {
  if (!algorithm.next_is(der::kSequence)) return std::nullopt;
  Reader parameters = algorithm.enter();
  // What is left out is SHA-1, MGF1 with SHA-1: not supported.
  if (!parameters.next_is(der::context_constructed(0))) return std::nullopt;
  Reader hash = parameters.enter(der::context_constructed(0)).enter();
  const Bytes hash_oid = hash.object_identifier();
  if (hash.failed() || !at_null_or_end(hash)) return std::nullopt;
  if (!parameters.next_is(der::context_constructed(1))) return std::nullopt;
  Reader mask = parameters.enter(der::context_constructed(1)).enter();
  const Bytes mask_oid = mask.object_identifier();
  Reader mask_hash = mask.enter();
  const Bytes mask_hash_oid = mask_hash.object_identifier();
  if (mask_hash.failed() || !at_null_or_end(mask_hash) || !(oid::kMgf1 == mask_oid) || !equal(hash_oid, mask_hash_oid))
    return std::nullopt;
  const auto number = [&](unsigned field, std::uint32_t otherwise) {
    if (!parameters.next_is(der::context_constructed(field))) return otherwise;
    Reader value = parameters.enter(der::context_constructed(field));
    const std::uint32_t out = value.small_integer();
    value.end();
    return out;
  };
  // RFC 4055 3.1: "saltLength [2] INTEGER DEFAULT 20, trailerField [3] INTEGER DEFAULT 1".
  const std::uint32_t salt_size = number(2, 20);
  const std::uint32_t trailer_field = number(3, 1);
  if (parameters.failed() || parameters.more() || algorithm.more() || trailer_field != 1) return std::nullopt;
  for (const PssHash& known : kPssHashes) {
    if (known.oid == hash_oid) return PssParameters{known, salt_size};
  }
  return std::nullopt;
}

/// Points of one curve in different forms. SEC 1, 2.3.3: the compressed form is x and whether y is odd.
bool same_point(Bytes one, Bytes other) noexcept {
  const auto is_odd = [](Bytes point) { return (point[0] == 4 ? point.back() : point[0]) % 2 != 0; };
  const std::size_t x_size = std::min(one.size(), other.size()) - 1;
  return one.size() != other.size() && equal(one.subspan(1, x_size), other.subspan(1, x_size)) &&
         is_odd(one) == is_odd(other);
}

bool at_null_or_end(Reader& reader) noexcept {
  if (reader.rest().empty()) return !reader.failed();
  const auto null = reader.optional(der::kNull);
  if (null && !null->contents.empty()) reader.fail(ParseCode::null_not_empty, null->whole.data());
  return null && !reader.failed() && !reader.more();
}

}  // namespace

}  // namespace lockstep::x509
