#include "x509/algorithms.hpp"

#include <algorithm>
#include <array>
#include <bit>

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

/// The hashes of RSASSA-PSS, and the size of the salt, which is theirs.
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

/// An exponent of more bytes has no use but to make verification slow.
constexpr std::size_t kMaxRsaExponentSize = 8;

void read_rsa_key(Reader key, PublicKey& out) noexcept;
void read_curve(Reader& parameters, PublicKey& out) noexcept;
/// RFC 9846 4.3.3: "When used in certificate signatures, the algorithm parameters MUST be DER encoded."
std::optional<SignatureAlgorithm> read_pss_parameters(Reader& algorithm) noexcept;
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

  if (oid::kRsaEncryption == out.algorithm) {
    // RFC 3279 2.3.1: "The parameters field MUST have ASN.1 type NULL for this algorithm identifier."
    if (at_null_or_end(algorithm)) out.type = KeyType::rsa;
    read_rsa_key(info.within(bits.bytes), out);
  } else if (oid::kRsassaPss == out.algorithm) {
    // RFC 4055 3.1: without parameters the key may be used with any.
    const bool restricted = !algorithm.rest().empty();
    if (restricted) out.only_algorithm = read_pss_parameters(algorithm);
    if (!restricted || out.only_algorithm) out.type = KeyType::rsa_pss;
    read_rsa_key(info.within(bits.bytes), out);
  } else if (oid::kEcPublicKey == out.algorithm) {
    read_curve(algorithm, out);
    if (out.type) {
      // RFC 5480 2.2: an ECPoint, uncompressed (04) or compressed (02, 03).
      const std::size_t coordinate = (out.bits + 7) / 8;
      const std::uint8_t form = out.key.empty() ? 0 : out.key[0];
      const bool uncompressed = form == 4 && out.key.size() == 1 + 2 * coordinate;
      const bool compressed = (form == 2 || form == 3) && out.key.size() == 1 + coordinate;
      if (!uncompressed && !compressed) reader.fail(ParseCode::public_key_malformed, key_at);
    }
  } else {
    for (const PlainKey& known : kPlainKeys) {
      if (!(known.oid == out.algorithm)) continue;
      out.bits = known.bits;
      if (algorithm.rest().empty()) out.type = known.type;
      if (out.key.size() != known.size) reader.fail(ParseCode::public_key_malformed, key_at);
    }
  }
  return out;
}

SignatureIdentifier read_signature_identifier(Reader& reader) noexcept {
  SignatureIdentifier out;
  const std::uint8_t* const start = reader.position();
  Reader algorithm = reader.enter();
  out.oid = algorithm.object_identifier();
  if (reader.failed()) return out;
  out.der = {start, reader.position()};

  if (oid::kRsassaPss == out.oid) {
    out.algorithm = read_pss_parameters(algorithm);
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
  Bytes modulus = numbers.integer();
  const Bytes exponent = numbers.integer();
  numbers.end();
  key.end();
  if (key.failed()) return;
  // Both are positive and odd; that the modulus is composite nobody can say.
  const bool negative = modulus[0] >= 0x80U || exponent[0] >= 0x80U;
  const bool even = modulus.back() % 2 == 0 || exponent.back() % 2 == 0;
  const bool one = exponent.size() == 1 && exponent[0] == 1;
  if (negative || even || one || exponent.size() > kMaxRsaExponentSize)
    return key.fail(ParseCode::public_key_malformed, at);
  if (modulus[0] == 0) modulus = modulus.subspan(1);
  if (modulus.empty()) return key.fail(ParseCode::public_key_malformed, at);
  out.bits = static_cast<std::uint32_t>(modulus.size() * 8 - static_cast<std::size_t>(std::countl_zero(modulus[0])));
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

/// RFC 4055 3.1, as far as TLS uses it: the hash, MGF1 with the same hash, a salt as long as the hash.
std::optional<SignatureAlgorithm> read_pss_parameters(Reader& algorithm) noexcept {
  if (!algorithm.next_is(der::kSequence)) return std::nullopt;
  Reader parameters = algorithm.enter();
  // What is left out is SHA-1, MGF1 with SHA-1, a salt of 20 bytes: not supported.
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
  if (!parameters.next_is(der::context_constructed(2))) return std::nullopt;
  const std::uint32_t salt = parameters.enter(der::context_constructed(2)).small_integer();
  if (parameters.failed() || parameters.more() || algorithm.more()) return std::nullopt;  // another trailer field
  for (const PssHash& known : kPssHashes) {
    if (known.oid == hash_oid && known.size == salt) return known.algorithm;
  }
  return std::nullopt;
}

bool at_null_or_end(Reader& reader) noexcept {
  if (reader.rest().empty()) return !reader.failed();
  const auto null = reader.optional(der::kNull);
  if (null && !null->contents.empty()) reader.fail(ParseCode::null_not_empty, null->whole.data());
  return null && !reader.failed() && !reader.more();
}

}  // namespace

}  // namespace lockstep::x509
