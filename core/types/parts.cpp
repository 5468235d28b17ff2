// What suites, groups and schemes are made of. The tables are in the default order of preference, from which `known_*`
// are taken.

#include <algorithm>
#include <array>

#include <lockstep/types.hpp>

namespace lockstep {
namespace {

using enum AeadAlgorithm;
using enum CbcAlgorithm;
using enum MacAlgorithm;
using enum HashAlgorithm;

struct Exchange {
  KeyExchangeMethod method;
  SuiteAuthentication authentication;
};

constexpr Exchange kEcdheEcdsa{KeyExchangeMethod::ecdhe, SuiteAuthentication::ecdsa};
constexpr Exchange kEcdheRsa{KeyExchangeMethod::ecdhe, SuiteAuthentication::rsa};
constexpr Exchange kDheRsa{KeyExchangeMethod::dhe, SuiteAuthentication::rsa};
constexpr Exchange kEcdhePsk{KeyExchangeMethod::ecdhe_psk, SuiteAuthentication::psk};
constexpr Exchange kDhePsk{KeyExchangeMethod::dhe_psk, SuiteAuthentication::psk};
constexpr Exchange kRsa{KeyExchangeMethod::rsa, SuiteAuthentication::rsa};
constexpr Exchange kRsaPsk{KeyExchangeMethod::rsa_psk, SuiteAuthentication::rsa};
constexpr Exchange kPsk{KeyExchangeMethod::psk, SuiteAuthentication::psk};

constexpr SuiteParts of_tls13(CipherSuite suite, AeadAlgorithm aead, HashAlgorithm hash) noexcept {
  return {suite, ProtocolVersion::tls_1_3, KeyExchangeMethod::any, SuiteAuthentication::any, aead, {}, hash};
}

constexpr SuiteParts with_aead(CipherSuite suite, Exchange exchange, AeadAlgorithm aead, HashAlgorithm hash) noexcept {
  return {suite, ProtocolVersion::tls_1_2, exchange.method, exchange.authentication, aead, {}, hash};
}

constexpr SuiteParts with_cbc(CipherSuite suite, Exchange exchange, CbcParts cbc, HashAlgorithm hash) noexcept {
  return {suite, ProtocolVersion::tls_1_2, exchange.method, exchange.authentication, {}, cbc, hash};
}

// RFC 9846 B.4. AES-128-GCM leads: as strong as any key exchange here needs and the fastest where AES is in hardware.
// CCM is for constrained peers, and its short tag is the last resort. TLS 1.2 has the same order within each key
// exchange: forward secrecy before the cipher, and an AEAD before CBC.
constexpr std::array kSuites{
    of_tls13(CipherSuite::tls_aes_128_gcm_sha256, aes_128_gcm, sha256),
    of_tls13(CipherSuite::tls_aes_256_gcm_sha384, aes_256_gcm, sha384),
    of_tls13(CipherSuite::tls_chacha20_poly1305_sha256, chacha20_poly1305, sha256),
    of_tls13(CipherSuite::tls_aes_128_ccm_sha256, aes_128_ccm, sha256),
    of_tls13(CipherSuite::tls_aes_128_ccm_8_sha256, aes_128_ccm_8, sha256),
    // TLS 1.2 with forward secrecy and an AEAD: RFC 5289 (AES-GCM), 7905 (ChaCha20), 7251 and 6655 (CCM), 8442, 5487.
    with_aead(CipherSuite::tls_ecdhe_ecdsa_with_aes_128_gcm_sha256, kEcdheEcdsa, aes_128_gcm, sha256),
    with_aead(CipherSuite::tls_ecdhe_rsa_with_aes_128_gcm_sha256, kEcdheRsa, aes_128_gcm, sha256),
    with_aead(CipherSuite::tls_ecdhe_ecdsa_with_aes_256_gcm_sha384, kEcdheEcdsa, aes_256_gcm, sha384),
    with_aead(CipherSuite::tls_ecdhe_rsa_with_aes_256_gcm_sha384, kEcdheRsa, aes_256_gcm, sha384),
    with_aead(CipherSuite::tls_ecdhe_ecdsa_with_chacha20_poly1305_sha256, kEcdheEcdsa, chacha20_poly1305, sha256),
    with_aead(CipherSuite::tls_ecdhe_rsa_with_chacha20_poly1305_sha256, kEcdheRsa, chacha20_poly1305, sha256),
    with_aead(CipherSuite::tls_ecdhe_ecdsa_with_aes_128_ccm, kEcdheEcdsa, aes_128_ccm, sha256),
    with_aead(CipherSuite::tls_ecdhe_ecdsa_with_aes_256_ccm, kEcdheEcdsa, aes_256_ccm, sha256),
    with_aead(CipherSuite::tls_dhe_rsa_with_aes_128_gcm_sha256, kDheRsa, aes_128_gcm, sha256),
    with_aead(CipherSuite::tls_dhe_rsa_with_aes_256_gcm_sha384, kDheRsa, aes_256_gcm, sha384),
    with_aead(CipherSuite::tls_dhe_rsa_with_chacha20_poly1305_sha256, kDheRsa, chacha20_poly1305, sha256),
    with_aead(CipherSuite::tls_dhe_rsa_with_aes_128_ccm, kDheRsa, aes_128_ccm, sha256),
    with_aead(CipherSuite::tls_dhe_rsa_with_aes_256_ccm, kDheRsa, aes_256_ccm, sha256),
    with_aead(CipherSuite::tls_ecdhe_psk_with_aes_128_gcm_sha256, kEcdhePsk, aes_128_gcm, sha256),
    with_aead(CipherSuite::tls_ecdhe_psk_with_aes_256_gcm_sha384, kEcdhePsk, aes_256_gcm, sha384),
    with_aead(CipherSuite::tls_ecdhe_psk_with_chacha20_poly1305_sha256, kEcdhePsk, chacha20_poly1305, sha256),
    with_aead(CipherSuite::tls_ecdhe_psk_with_aes_128_ccm_sha256, kEcdhePsk, aes_128_ccm, sha256),
    with_aead(CipherSuite::tls_dhe_psk_with_aes_128_gcm_sha256, kDhePsk, aes_128_gcm, sha256),
    with_aead(CipherSuite::tls_dhe_psk_with_aes_256_gcm_sha384, kDhePsk, aes_256_gcm, sha384),
    with_aead(CipherSuite::tls_dhe_psk_with_chacha20_poly1305_sha256, kDhePsk, chacha20_poly1305, sha256),
    with_aead(CipherSuite::tls_dhe_psk_with_aes_128_ccm, kDhePsk, aes_128_ccm, sha256),
    with_aead(CipherSuite::tls_dhe_psk_with_aes_256_ccm, kDhePsk, aes_256_ccm, sha256),
    // With a tag of 8 bytes.
    with_aead(CipherSuite::tls_ecdhe_ecdsa_with_aes_128_ccm_8, kEcdheEcdsa, aes_128_ccm_8, sha256),
    with_aead(CipherSuite::tls_ecdhe_ecdsa_with_aes_256_ccm_8, kEcdheEcdsa, aes_256_ccm_8, sha256),
    with_aead(CipherSuite::tls_dhe_rsa_with_aes_128_ccm_8, kDheRsa, aes_128_ccm_8, sha256),
    with_aead(CipherSuite::tls_dhe_rsa_with_aes_256_ccm_8, kDheRsa, aes_256_ccm_8, sha256),
    with_aead(CipherSuite::tls_ecdhe_psk_with_aes_128_ccm_8_sha256, kEcdhePsk, aes_128_ccm_8, sha256),
    with_aead(CipherSuite::tls_psk_dhe_with_aes_128_ccm_8, kDhePsk, aes_128_ccm_8, sha256),
    with_aead(CipherSuite::tls_psk_dhe_with_aes_256_ccm_8, kDhePsk, aes_256_ccm_8, sha256),
    // With CBC: RFC 5289, 5246, 8422, 5489, 5487, 4279.
    with_cbc(CipherSuite::tls_ecdhe_ecdsa_with_aes_128_cbc_sha256, kEcdheEcdsa, {aes_128_cbc, hmac_sha256}, sha256),
    with_cbc(CipherSuite::tls_ecdhe_rsa_with_aes_128_cbc_sha256, kEcdheRsa, {aes_128_cbc, hmac_sha256}, sha256),
    with_cbc(CipherSuite::tls_ecdhe_ecdsa_with_aes_256_cbc_sha384, kEcdheEcdsa, {aes_256_cbc, hmac_sha384}, sha384),
    with_cbc(CipherSuite::tls_ecdhe_rsa_with_aes_256_cbc_sha384, kEcdheRsa, {aes_256_cbc, hmac_sha384}, sha384),
    with_cbc(CipherSuite::tls_ecdhe_ecdsa_with_aes_128_cbc_sha, kEcdheEcdsa, {aes_128_cbc, hmac_sha1}, sha256),
    with_cbc(CipherSuite::tls_ecdhe_rsa_with_aes_128_cbc_sha, kEcdheRsa, {aes_128_cbc, hmac_sha1}, sha256),
    with_cbc(CipherSuite::tls_ecdhe_ecdsa_with_aes_256_cbc_sha, kEcdheEcdsa, {aes_256_cbc, hmac_sha1}, sha256),
    with_cbc(CipherSuite::tls_ecdhe_rsa_with_aes_256_cbc_sha, kEcdheRsa, {aes_256_cbc, hmac_sha1}, sha256),
    with_cbc(CipherSuite::tls_dhe_rsa_with_aes_128_cbc_sha256, kDheRsa, {aes_128_cbc, hmac_sha256}, sha256),
    with_cbc(CipherSuite::tls_dhe_rsa_with_aes_256_cbc_sha256, kDheRsa, {aes_256_cbc, hmac_sha256}, sha256),
    with_cbc(CipherSuite::tls_dhe_rsa_with_aes_128_cbc_sha, kDheRsa, {aes_128_cbc, hmac_sha1}, sha256),
    with_cbc(CipherSuite::tls_dhe_rsa_with_aes_256_cbc_sha, kDheRsa, {aes_256_cbc, hmac_sha1}, sha256),
    with_cbc(CipherSuite::tls_ecdhe_psk_with_aes_128_cbc_sha256, kEcdhePsk, {aes_128_cbc, hmac_sha256}, sha256),
    with_cbc(CipherSuite::tls_ecdhe_psk_with_aes_256_cbc_sha384, kEcdhePsk, {aes_256_cbc, hmac_sha384}, sha384),
    with_cbc(CipherSuite::tls_ecdhe_psk_with_aes_128_cbc_sha, kEcdhePsk, {aes_128_cbc, hmac_sha1}, sha256),
    with_cbc(CipherSuite::tls_ecdhe_psk_with_aes_256_cbc_sha, kEcdhePsk, {aes_256_cbc, hmac_sha1}, sha256),
    with_cbc(CipherSuite::tls_dhe_psk_with_aes_128_cbc_sha256, kDhePsk, {aes_128_cbc, hmac_sha256}, sha256),
    with_cbc(CipherSuite::tls_dhe_psk_with_aes_256_cbc_sha384, kDhePsk, {aes_256_cbc, hmac_sha384}, sha384),
    with_cbc(CipherSuite::tls_dhe_psk_with_aes_128_cbc_sha, kDhePsk, {aes_128_cbc, hmac_sha1}, sha256),
    with_cbc(CipherSuite::tls_dhe_psk_with_aes_256_cbc_sha, kDhePsk, {aes_256_cbc, hmac_sha1}, sha256),
    // Without forward secrecy.
    with_aead(CipherSuite::tls_rsa_with_aes_128_gcm_sha256, kRsa, aes_128_gcm, sha256),
    with_aead(CipherSuite::tls_rsa_with_aes_256_gcm_sha384, kRsa, aes_256_gcm, sha384),
    with_aead(CipherSuite::tls_rsa_with_aes_128_ccm, kRsa, aes_128_ccm, sha256),
    with_aead(CipherSuite::tls_rsa_with_aes_256_ccm, kRsa, aes_256_ccm, sha256),
    with_aead(CipherSuite::tls_rsa_psk_with_aes_128_gcm_sha256, kRsaPsk, aes_128_gcm, sha256),
    with_aead(CipherSuite::tls_rsa_psk_with_aes_256_gcm_sha384, kRsaPsk, aes_256_gcm, sha384),
    with_aead(CipherSuite::tls_rsa_psk_with_chacha20_poly1305_sha256, kRsaPsk, chacha20_poly1305, sha256),
    with_aead(CipherSuite::tls_psk_with_aes_128_gcm_sha256, kPsk, aes_128_gcm, sha256),
    with_aead(CipherSuite::tls_psk_with_aes_256_gcm_sha384, kPsk, aes_256_gcm, sha384),
    with_aead(CipherSuite::tls_psk_with_chacha20_poly1305_sha256, kPsk, chacha20_poly1305, sha256),
    with_aead(CipherSuite::tls_psk_with_aes_128_ccm, kPsk, aes_128_ccm, sha256),
    with_aead(CipherSuite::tls_psk_with_aes_256_ccm, kPsk, aes_256_ccm, sha256),
    with_aead(CipherSuite::tls_rsa_with_aes_128_ccm_8, kRsa, aes_128_ccm_8, sha256),
    with_aead(CipherSuite::tls_rsa_with_aes_256_ccm_8, kRsa, aes_256_ccm_8, sha256),
    with_aead(CipherSuite::tls_psk_with_aes_128_ccm_8, kPsk, aes_128_ccm_8, sha256),
    with_aead(CipherSuite::tls_psk_with_aes_256_ccm_8, kPsk, aes_256_ccm_8, sha256),
    with_cbc(CipherSuite::tls_rsa_with_aes_128_cbc_sha256, kRsa, {aes_128_cbc, hmac_sha256}, sha256),
    with_cbc(CipherSuite::tls_rsa_with_aes_256_cbc_sha256, kRsa, {aes_256_cbc, hmac_sha256}, sha256),
    with_cbc(CipherSuite::tls_rsa_with_aes_128_cbc_sha, kRsa, {aes_128_cbc, hmac_sha1}, sha256),
    with_cbc(CipherSuite::tls_rsa_with_aes_256_cbc_sha, kRsa, {aes_256_cbc, hmac_sha1}, sha256),
    with_cbc(CipherSuite::tls_rsa_psk_with_aes_128_cbc_sha256, kRsaPsk, {aes_128_cbc, hmac_sha256}, sha256),
    with_cbc(CipherSuite::tls_rsa_psk_with_aes_256_cbc_sha384, kRsaPsk, {aes_256_cbc, hmac_sha384}, sha384),
    with_cbc(CipherSuite::tls_rsa_psk_with_aes_128_cbc_sha, kRsaPsk, {aes_128_cbc, hmac_sha1}, sha256),
    with_cbc(CipherSuite::tls_rsa_psk_with_aes_256_cbc_sha, kRsaPsk, {aes_256_cbc, hmac_sha1}, sha256),
    with_cbc(CipherSuite::tls_psk_with_aes_128_cbc_sha256, kPsk, {aes_128_cbc, hmac_sha256}, sha256),
    with_cbc(CipherSuite::tls_psk_with_aes_256_cbc_sha384, kPsk, {aes_256_cbc, hmac_sha384}, sha384),
    with_cbc(CipherSuite::tls_psk_with_aes_128_cbc_sha, kPsk, {aes_128_cbc, hmac_sha1}, sha256),
    with_cbc(CipherSuite::tls_psk_with_aes_256_cbc_sha, kPsk, {aes_256_cbc, hmac_sha1}, sha256),
};

// Hybrids first, because recorded traffic waits for a quantum computer; then curves by speed; then what is here for
// those who must.
constexpr std::array kGroups{
    NamedGroup::x25519mlkem768,
    NamedGroup::secp256r1mlkem768,
    NamedGroup::secp384r1mlkem1024,
    NamedGroup::x25519,
    NamedGroup::secp256r1,
    NamedGroup::secp384r1,
    NamedGroup::x448,
    NamedGroup::secp521r1,
    NamedGroup::mlkem768,
    NamedGroup::mlkem1024,
    NamedGroup::mlkem512,
    NamedGroup::brainpoolP256r1tls13,
    NamedGroup::brainpoolP384r1tls13,
    NamedGroup::brainpoolP512r1tls13,
    NamedGroup::brainpoolP256r1,
    NamedGroup::brainpoolP384r1,
    NamedGroup::brainpoolP512r1,
    NamedGroup::ffdhe2048,
    NamedGroup::ffdhe3072,
    NamedGroup::ffdhe4096,
    NamedGroup::ffdhe6144,
    NamedGroup::ffdhe8192,
};

constexpr bool kCertificatesOnly = true;
constexpr bool kEverywhere = false;

// RFC 9846 4.3.3: "These values refer solely to signatures which appear in certificates" of the rsa_pkcs1_* values, so
// they come last.
// RFC 9846 4.3.3: "They MUST NOT be offered or negotiated by any implementation. In particular, MD5 [SLOTH], SHA-224,
// and DSA MUST NOT be used."
// RFC 9846 4.5.2: "The SHA-1 algorithm MUST NOT be used in any signatures of CertificateVerify messages."
constexpr std::array kSchemes{
    SchemeParts{SignatureScheme::ecdsa_secp256r1_sha256, KeyType::ec_p256, SignatureAlgorithm::ecdsa_sha256,
                kEverywhere},
    SchemeParts{SignatureScheme::ed25519, KeyType::ed25519, SignatureAlgorithm::ed25519, kEverywhere},
    SchemeParts{SignatureScheme::ecdsa_secp384r1_sha384, KeyType::ec_p384, SignatureAlgorithm::ecdsa_sha384,
                kEverywhere},
    SchemeParts{SignatureScheme::ecdsa_secp521r1_sha512, KeyType::ec_p521, SignatureAlgorithm::ecdsa_sha512,
                kEverywhere},
    SchemeParts{SignatureScheme::ed448, KeyType::ed448, SignatureAlgorithm::ed448, kEverywhere},
    SchemeParts{SignatureScheme::mldsa65, KeyType::mldsa65, SignatureAlgorithm::mldsa65, kEverywhere},
    SchemeParts{SignatureScheme::mldsa87, KeyType::mldsa87, SignatureAlgorithm::mldsa87, kEverywhere},
    SchemeParts{SignatureScheme::mldsa44, KeyType::mldsa44, SignatureAlgorithm::mldsa44, kEverywhere},
    SchemeParts{SignatureScheme::ecdsa_brainpoolP256r1tls13_sha256, KeyType::ec_brainpoolP256r1,
                SignatureAlgorithm::ecdsa_sha256, kEverywhere},
    SchemeParts{SignatureScheme::ecdsa_brainpoolP384r1tls13_sha384, KeyType::ec_brainpoolP384r1,
                SignatureAlgorithm::ecdsa_sha384, kEverywhere},
    SchemeParts{SignatureScheme::ecdsa_brainpoolP512r1tls13_sha512, KeyType::ec_brainpoolP512r1,
                SignatureAlgorithm::ecdsa_sha512, kEverywhere},
    SchemeParts{SignatureScheme::rsa_pss_rsae_sha256, KeyType::rsa, SignatureAlgorithm::rsa_pss_sha256, kEverywhere},
    SchemeParts{SignatureScheme::rsa_pss_rsae_sha384, KeyType::rsa, SignatureAlgorithm::rsa_pss_sha384, kEverywhere},
    SchemeParts{SignatureScheme::rsa_pss_rsae_sha512, KeyType::rsa, SignatureAlgorithm::rsa_pss_sha512, kEverywhere},
    SchemeParts{SignatureScheme::rsa_pss_pss_sha256, KeyType::rsa_pss, SignatureAlgorithm::rsa_pss_sha256, kEverywhere},
    SchemeParts{SignatureScheme::rsa_pss_pss_sha384, KeyType::rsa_pss, SignatureAlgorithm::rsa_pss_sha384, kEverywhere},
    SchemeParts{SignatureScheme::rsa_pss_pss_sha512, KeyType::rsa_pss, SignatureAlgorithm::rsa_pss_sha512, kEverywhere},
    SchemeParts{SignatureScheme::rsa_pkcs1_sha256, KeyType::rsa, SignatureAlgorithm::rsa_pkcs1_sha256,
                kCertificatesOnly},
    SchemeParts{SignatureScheme::rsa_pkcs1_sha384, KeyType::rsa, SignatureAlgorithm::rsa_pkcs1_sha384,
                kCertificatesOnly},
    SchemeParts{SignatureScheme::rsa_pkcs1_sha512, KeyType::rsa, SignatureAlgorithm::rsa_pkcs1_sha512,
                kCertificatesOnly},
    // For peers of TLS 1.2 that know nothing else, where they are named.
    SchemeParts{SignatureScheme::ecdsa_sha1, KeyType::ec_p256, SignatureAlgorithm::ecdsa_sha1, kCertificatesOnly},
    SchemeParts{SignatureScheme::rsa_pkcs1_sha1, KeyType::rsa, SignatureAlgorithm::rsa_pkcs1_sha1, kCertificatesOnly},
};

template <auto field, class Row, std::size_t size>
constexpr auto column(const std::array<Row, size>& table) {
  std::array<std::remove_cvref_t<decltype(table[0].*field)>, size> values{};
  std::ranges::transform(table, values.begin(), field);
  return values;
}

constexpr auto kSuiteIds = column<&SuiteParts::suite>(kSuites);
constexpr bool has_sha1(SignatureScheme scheme) noexcept {
  return scheme == SignatureScheme::rsa_pkcs1_sha1 || scheme == SignatureScheme::ecdsa_sha1;
}

constexpr auto kSchemeIds = column<&SchemeParts::scheme>(kSchemes);

template <auto field, class Table, class Id>
auto find(const Table& table, Id id) noexcept -> std::optional<typename Table::value_type> {
  const auto found = std::ranges::find(table, id, field);
  if (found == table.end()) return std::nullopt;
  return *found;
}

}  // namespace

std::optional<SuiteParts> parts(CipherSuite suite) noexcept { return find<&SuiteParts::suite>(kSuites, suite); }

bool is_insecure(CipherSuite suite) noexcept {
  const std::optional<SuiteParts> made_of = parts(suite);
  if (!made_of) return false;
  if (!made_of->aead) return true;
  switch (made_of->key_exchange) {
    case KeyExchangeMethod::rsa:
    case KeyExchangeMethod::rsa_psk:
    case KeyExchangeMethod::psk: return true;
    default: return made_of->aead == aes_128_ccm_8 || made_of->aead == aes_256_ccm_8;
  }
}

std::optional<ProtocolVersion> oldest_version(CipherSuite suite) noexcept {
  const std::optional<SuiteParts> made_of = parts(suite);
  if (!made_of) return std::nullopt;
  if (!made_of->cbc) return made_of->version;  // RFC 5246 6.2.3.3: AEAD ciphers came with TLS 1.2
  // RFC 5289 and RFC 5246 A.5 keep their SHA-2 suites to TLS 1.2; RFC 5487 and RFC 5489 leave theirs to every version.
  switch (made_of->key_exchange) {
    case KeyExchangeMethod::psk:
    case KeyExchangeMethod::dhe_psk:
    case KeyExchangeMethod::ecdhe_psk:
    case KeyExchangeMethod::rsa_psk: return ProtocolVersion::tls_1_0;
    default: return made_of->cbc->mac == MacAlgorithm::hmac_sha1 ? ProtocolVersion::tls_1_0 : ProtocolVersion::tls_1_2;
  }
}

std::optional<SchemeParts> parts(SignatureScheme scheme) noexcept {
  return find<&SchemeParts::scheme>(kSchemes, scheme);
}

bool is_insecure(SignatureScheme scheme) noexcept { return has_sha1(scheme); }

bool is_approved(CipherSuite suite) noexcept {
  const std::optional<SuiteParts> made_of = parts(suite);
  if (!made_of || !made_of->aead || made_of->aead == AeadAlgorithm::chacha20_poly1305) return false;
  return made_of->key_exchange != KeyExchangeMethod::rsa && made_of->key_exchange != KeyExchangeMethod::rsa_psk;
}

bool is_approved(NamedGroup group) noexcept {
  switch (group) {
    case NamedGroup::x25519:
    case NamedGroup::x448:
    case NamedGroup::brainpoolP256r1:
    case NamedGroup::brainpoolP384r1:
    case NamedGroup::brainpoolP512r1:
    case NamedGroup::brainpoolP256r1tls13:
    case NamedGroup::brainpoolP384r1tls13:
    case NamedGroup::brainpoolP512r1tls13: return false;
    default: break;
  }
  const std::optional<HybridParts> hybrid = parts(group);
  return hybrid ? is_approved(hybrid->first) : std::ranges::find(kGroups, group) != kGroups.end();
}

bool is_approved(SignatureScheme scheme) noexcept {
  const std::optional<SchemeParts> made_of = parts(scheme);
  return made_of && !has_sha1(scheme) && is_approved(made_of->key);
}

bool is_approved(KeyType key) noexcept {
  switch (key) {
    case KeyType::ec_brainpoolP256r1:
    case KeyType::ec_brainpoolP384r1:
    case KeyType::ec_brainpoolP512r1: return false;
    default: return true;
  }
}

NamedGroup as_listed(NamedGroup group) noexcept {
  switch (group) {
    case NamedGroup::brainpoolP256r1: return NamedGroup::brainpoolP256r1tls13;
    case NamedGroup::brainpoolP384r1: return NamedGroup::brainpoolP384r1tls13;
    case NamedGroup::brainpoolP512r1: return NamedGroup::brainpoolP512r1tls13;
    default: return group;
  }
}

std::optional<HybridParts> parts(NamedGroup group) noexcept {
  // draft-ietf-tls-ecdhe-mlkem 4: the NIST curve leads its hybrids, ML-KEM leads X25519MLKEM768, so that an approved
  // algorithm is first.
  switch (group) {
    case NamedGroup::x25519mlkem768: return HybridParts{NamedGroup::mlkem768, NamedGroup::x25519};
    case NamedGroup::secp256r1mlkem768: return HybridParts{NamedGroup::secp256r1, NamedGroup::mlkem768};
    case NamedGroup::secp384r1mlkem1024: return HybridParts{NamedGroup::secp384r1, NamedGroup::mlkem1024};
    default: return std::nullopt;
  }
}

std::span<const CipherSuite> known_suites() noexcept { return kSuiteIds; }
std::span<const NamedGroup> known_groups() noexcept { return kGroups; }
std::span<const SignatureScheme> known_schemes() noexcept { return kSchemeIds; }
std::span<const SignatureScheme> secure_schemes() noexcept {
  // Those that are not come last.
  constexpr auto kSecure = static_cast<std::size_t>(std::ranges::find_if(kSchemeIds, has_sha1) - kSchemeIds.begin());
  static_assert(std::ranges::all_of(std::span(kSchemeIds).subspan(kSecure), has_sha1));
  return std::span(kSchemeIds).first(kSecure);
}

}  // namespace lockstep
