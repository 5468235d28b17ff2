// What suites, groups and schemes are made of. The tables are in the default order of preference, from which `known_*`
// are taken.

#include <algorithm>
#include <array>

#include <lockstep/types.hpp>

namespace lockstep {
namespace {

using enum AeadAlgorithm;
using enum HashAlgorithm;

// RFC 9846 B.4. AES-128-GCM leads: as strong as any key exchange here needs and the fastest where AES is in hardware.
// CCM is for constrained peers, and its short tag is the last resort.
constexpr std::array kSuites{
    SuiteParts{CipherSuite::tls_aes_128_gcm_sha256, aes_128_gcm, sha256},
    SuiteParts{CipherSuite::tls_aes_256_gcm_sha384, aes_256_gcm, sha384},
    SuiteParts{CipherSuite::tls_chacha20_poly1305_sha256, chacha20_poly1305, sha256},
    SuiteParts{CipherSuite::tls_aes_128_ccm_sha256, aes_128_ccm, sha256},
    SuiteParts{CipherSuite::tls_aes_128_ccm_8_sha256, aes_128_ccm_8, sha256},
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
};

template <auto field, class Row, std::size_t size>
constexpr auto column(const std::array<Row, size>& table) {
  std::array<std::remove_cvref_t<decltype(table[0].*field)>, size> values{};
  std::ranges::transform(table, values.begin(), field);
  return values;
}

constexpr auto kSuiteIds = column<&SuiteParts::suite>(kSuites);
constexpr auto kSchemeIds = column<&SchemeParts::scheme>(kSchemes);

template <auto field, class Table, class Id>
auto find(const Table& table, Id id) noexcept -> std::optional<typename Table::value_type> {
  const auto found = std::ranges::find(table, id, field);
  if (found == table.end()) return std::nullopt;
  return *found;
}

}  // namespace

std::optional<SuiteParts> parts(CipherSuite suite) noexcept { return find<&SuiteParts::suite>(kSuites, suite); }

std::optional<SchemeParts> parts(SignatureScheme scheme) noexcept {
  return find<&SchemeParts::scheme>(kSchemes, scheme);
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

}  // namespace lockstep
