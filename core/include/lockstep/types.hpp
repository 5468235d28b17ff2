#pragma once
// The code points of TLS and their names. Values are those of the IANA TLS registries (RFC 9847).
//
// Enumerations are open: a peer may send any value, so a variable of these types can hold a number that has no
// enumerator. `name` gives the registered name or an empty view; `to_text` always gives something readable.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <lockstep/export.hpp>

namespace lockstep {

/// Which end of the connection an engine plays.
enum class Role : std::uint8_t { client, server };

/// RFC 9846 4.3.1.
enum class ProtocolVersion : std::uint16_t {
  ssl_3_0 = 0x0300,
  tls_1_0 = 0x0301,
  tls_1_1 = 0x0302,
  tls_1_2 = 0x0303,
  tls_1_3 = 0x0304,
};

/// The place of a version in the order of age, to compare by: newer versions have higher ranks. The numbers themselves
/// are no such order, because those of DTLS run the other way (0xfeff, 0xfefd, 0xfefc). What is no version of TLS that
/// is known ranks below SSL 3.0 (-1) when its number is smaller, and above TLS 1.3 when it is greater: a client may
/// state a version of a later day (RFC 5246 E.1).
[[nodiscard]] constexpr int rank(ProtocolVersion version) noexcept {
  switch (version) {
    case ProtocolVersion::ssl_3_0: return 0;
    case ProtocolVersion::tls_1_0: return 1;
    case ProtocolVersion::tls_1_1: return 2;
    case ProtocolVersion::tls_1_2: return 3;
    case ProtocolVersion::tls_1_3: return 4;
  }
  return version < ProtocolVersion::ssl_3_0 ? -1 : 5;
}

/// RFC 9846 5.1.
enum class ContentType : std::uint8_t {
  invalid = 0,
  change_cipher_spec = 20,
  alert = 21,
  handshake = 22,
  application_data = 23,
};

/// RFC 9846 4.
enum class HandshakeType : std::uint8_t {
  hello_request = 0,
  client_hello = 1,
  server_hello = 2,
  new_session_ticket = 4,
  end_of_early_data = 5,
  encrypted_extensions = 8,
  certificate = 11,
  server_key_exchange = 12,
  certificate_request = 13,
  server_hello_done = 14,
  certificate_verify = 15,
  client_key_exchange = 16,
  finished = 20,
  certificate_status = 22,
  key_update = 24,
  compressed_certificate = 25,
  next_protocol = 67,  ///< draft-agl-tls-nextprotoneg
  message_hash = 254,
};

/// RFC 9846 4.3 and the extensions that others registered.
enum class ExtensionType : std::uint16_t {
  server_name = 0,
  max_fragment_length = 1,
  status_request = 5,
  supported_groups = 10,
  ec_point_formats = 11,
  signature_algorithms = 13,
  use_srtp = 14,
  application_layer_protocol_negotiation = 16,
  signed_certificate_timestamp = 18,
  client_certificate_type = 19,
  server_certificate_type = 20,
  padding = 21,
  encrypt_then_mac = 22,
  extended_main_secret = 23,
  compress_certificate = 27,
  record_size_limit = 28,
  delegated_credential = 34,
  session_ticket = 35,
  pre_shared_key = 41,
  early_data = 42,
  supported_versions = 43,
  cookie = 44,
  psk_key_exchange_modes = 45,
  certificate_authorities = 47,
  oid_filters = 48,
  post_handshake_auth = 49,
  signature_algorithms_cert = 50,
  key_share = 51,
  ticket_request = 58,
  next_protocol_negotiation = 13172,
  renegotiation_info = 0xff01,
};

/// TLS 1.3 suites (RFC 9846 B.4), those of TLS 1.2 (RFC 4279, 5246, 5288, 5289, 5487, 5489, 6655, 7251, 7905, 8422,
/// 8442) and the signalling values.
enum class CipherSuite : std::uint16_t {
  tls_aes_128_gcm_sha256 = 0x1301,
  tls_aes_256_gcm_sha384 = 0x1302,
  tls_chacha20_poly1305_sha256 = 0x1303,
  tls_aes_128_ccm_sha256 = 0x1304,
  tls_aes_128_ccm_8_sha256 = 0x1305,
  tls_rsa_with_aes_128_cbc_sha = 0x002f,
  tls_dhe_rsa_with_aes_128_cbc_sha = 0x0033,
  tls_rsa_with_aes_256_cbc_sha = 0x0035,
  tls_dhe_rsa_with_aes_256_cbc_sha = 0x0039,
  tls_rsa_with_aes_128_cbc_sha256 = 0x003c,
  tls_rsa_with_aes_256_cbc_sha256 = 0x003d,
  tls_dhe_rsa_with_aes_128_cbc_sha256 = 0x0067,
  tls_dhe_rsa_with_aes_256_cbc_sha256 = 0x006b,
  tls_psk_with_aes_128_cbc_sha = 0x008c,
  tls_psk_with_aes_256_cbc_sha = 0x008d,
  tls_dhe_psk_with_aes_128_cbc_sha = 0x0090,
  tls_dhe_psk_with_aes_256_cbc_sha = 0x0091,
  tls_rsa_psk_with_aes_128_cbc_sha = 0x0094,
  tls_rsa_psk_with_aes_256_cbc_sha = 0x0095,
  tls_rsa_with_aes_128_gcm_sha256 = 0x009c,
  tls_rsa_with_aes_256_gcm_sha384 = 0x009d,
  tls_dhe_rsa_with_aes_128_gcm_sha256 = 0x009e,
  tls_dhe_rsa_with_aes_256_gcm_sha384 = 0x009f,
  tls_psk_with_aes_128_gcm_sha256 = 0x00a8,
  tls_psk_with_aes_256_gcm_sha384 = 0x00a9,
  tls_dhe_psk_with_aes_128_gcm_sha256 = 0x00aa,
  tls_dhe_psk_with_aes_256_gcm_sha384 = 0x00ab,
  tls_rsa_psk_with_aes_128_gcm_sha256 = 0x00ac,
  tls_rsa_psk_with_aes_256_gcm_sha384 = 0x00ad,
  tls_psk_with_aes_128_cbc_sha256 = 0x00ae,
  tls_psk_with_aes_256_cbc_sha384 = 0x00af,
  tls_dhe_psk_with_aes_128_cbc_sha256 = 0x00b2,
  tls_dhe_psk_with_aes_256_cbc_sha384 = 0x00b3,
  tls_rsa_psk_with_aes_128_cbc_sha256 = 0x00b6,
  tls_rsa_psk_with_aes_256_cbc_sha384 = 0x00b7,
  tls_ecdhe_ecdsa_with_aes_128_cbc_sha = 0xc009,
  tls_ecdhe_ecdsa_with_aes_256_cbc_sha = 0xc00a,
  tls_ecdhe_rsa_with_aes_128_cbc_sha = 0xc013,
  tls_ecdhe_rsa_with_aes_256_cbc_sha = 0xc014,
  tls_ecdhe_ecdsa_with_aes_128_cbc_sha256 = 0xc023,
  tls_ecdhe_ecdsa_with_aes_256_cbc_sha384 = 0xc024,
  tls_ecdhe_rsa_with_aes_128_cbc_sha256 = 0xc027,
  tls_ecdhe_rsa_with_aes_256_cbc_sha384 = 0xc028,
  tls_ecdhe_ecdsa_with_aes_128_gcm_sha256 = 0xc02b,
  tls_ecdhe_ecdsa_with_aes_256_gcm_sha384 = 0xc02c,
  tls_ecdhe_rsa_with_aes_128_gcm_sha256 = 0xc02f,
  tls_ecdhe_rsa_with_aes_256_gcm_sha384 = 0xc030,
  tls_ecdhe_psk_with_aes_128_cbc_sha = 0xc035,
  tls_ecdhe_psk_with_aes_256_cbc_sha = 0xc036,
  tls_ecdhe_psk_with_aes_128_cbc_sha256 = 0xc037,
  tls_ecdhe_psk_with_aes_256_cbc_sha384 = 0xc038,
  tls_rsa_with_aes_128_ccm = 0xc09c,
  tls_rsa_with_aes_256_ccm = 0xc09d,
  tls_dhe_rsa_with_aes_128_ccm = 0xc09e,
  tls_dhe_rsa_with_aes_256_ccm = 0xc09f,
  tls_rsa_with_aes_128_ccm_8 = 0xc0a0,
  tls_rsa_with_aes_256_ccm_8 = 0xc0a1,
  tls_dhe_rsa_with_aes_128_ccm_8 = 0xc0a2,
  tls_dhe_rsa_with_aes_256_ccm_8 = 0xc0a3,
  tls_psk_with_aes_128_ccm = 0xc0a4,
  tls_psk_with_aes_256_ccm = 0xc0a5,
  tls_dhe_psk_with_aes_128_ccm = 0xc0a6,
  tls_dhe_psk_with_aes_256_ccm = 0xc0a7,
  tls_psk_with_aes_128_ccm_8 = 0xc0a8,
  tls_psk_with_aes_256_ccm_8 = 0xc0a9,
  tls_psk_dhe_with_aes_128_ccm_8 = 0xc0aa,
  tls_psk_dhe_with_aes_256_ccm_8 = 0xc0ab,
  tls_ecdhe_ecdsa_with_aes_128_ccm = 0xc0ac,
  tls_ecdhe_ecdsa_with_aes_256_ccm = 0xc0ad,
  tls_ecdhe_ecdsa_with_aes_128_ccm_8 = 0xc0ae,
  tls_ecdhe_ecdsa_with_aes_256_ccm_8 = 0xc0af,
  tls_ecdhe_rsa_with_chacha20_poly1305_sha256 = 0xcca8,
  tls_ecdhe_ecdsa_with_chacha20_poly1305_sha256 = 0xcca9,
  tls_dhe_rsa_with_chacha20_poly1305_sha256 = 0xccaa,
  tls_psk_with_chacha20_poly1305_sha256 = 0xccab,
  tls_ecdhe_psk_with_chacha20_poly1305_sha256 = 0xccac,
  tls_dhe_psk_with_chacha20_poly1305_sha256 = 0xccad,
  tls_rsa_psk_with_chacha20_poly1305_sha256 = 0xccae,
  tls_ecdhe_psk_with_aes_128_gcm_sha256 = 0xd001,
  tls_ecdhe_psk_with_aes_256_gcm_sha384 = 0xd002,
  tls_ecdhe_psk_with_aes_128_ccm_8_sha256 = 0xd003,
  tls_ecdhe_psk_with_aes_128_ccm_sha256 = 0xd005,
  empty_renegotiation_info_scsv = 0x00ff,  ///< RFC 5746
  fallback_scsv = 0x5600,                  ///< RFC 7507
};

/// Key exchange groups (RFC 9846 4.3.7; brainpool RFC 8734; FFDHE RFC 7919; ML-KEM and the hybrids as registered).
enum class NamedGroup : std::uint16_t {
  secp256r1 = 23,
  secp384r1 = 24,
  secp521r1 = 25,
  brainpoolP256r1 = 26,  ///< of TLS 1.2 (RFC 7027), as 27 and 28; those of TLS 1.3 are 31 to 33 (RFC 8734)
  brainpoolP384r1 = 27,
  brainpoolP512r1 = 28,
  x25519 = 29,
  x448 = 30,
  brainpoolP256r1tls13 = 31,
  brainpoolP384r1tls13 = 32,
  brainpoolP512r1tls13 = 33,
  ffdhe2048 = 256,
  ffdhe3072 = 257,
  ffdhe4096 = 258,
  ffdhe6144 = 259,
  ffdhe8192 = 260,
  mlkem512 = 512,
  mlkem768 = 513,
  mlkem1024 = 514,
  secp256r1mlkem768 = 4587,
  x25519mlkem768 = 4588,
  secp384r1mlkem1024 = 4589,
};

/// RFC 9846 4.3.3; brainpool RFC 8734; ML-DSA as registered.
enum class SignatureScheme : std::uint16_t {
  rsa_pkcs1_sha1 = 0x0201,
  ecdsa_sha1 = 0x0203,
  rsa_pkcs1_sha256 = 0x0401,
  ecdsa_secp256r1_sha256 = 0x0403,
  rsa_pkcs1_sha384 = 0x0501,
  ecdsa_secp384r1_sha384 = 0x0503,
  rsa_pkcs1_sha512 = 0x0601,
  ecdsa_secp521r1_sha512 = 0x0603,
  rsa_pss_rsae_sha256 = 0x0804,
  rsa_pss_rsae_sha384 = 0x0805,
  rsa_pss_rsae_sha512 = 0x0806,
  ed25519 = 0x0807,
  ed448 = 0x0808,
  rsa_pss_pss_sha256 = 0x0809,
  rsa_pss_pss_sha384 = 0x080a,
  rsa_pss_pss_sha512 = 0x080b,
  ecdsa_brainpoolP256r1tls13_sha256 = 0x081a,
  ecdsa_brainpoolP384r1tls13_sha384 = 0x081b,
  ecdsa_brainpoolP512r1tls13_sha512 = 0x081c,
  mldsa44 = 0x0904,
  mldsa65 = 0x0905,
  mldsa87 = 0x0906,
};

/// RFC 9846 4.3.9.
enum class PskKeyExchangeMode : std::uint8_t { psk_ke = 0, psk_dhe_ke = 1 };

/// RFC 9846 4.7.3.
enum class KeyUpdateRequest : std::uint8_t { update_not_requested = 0, update_requested = 1 };

/// How a Certificate message is compressed (RFC 8879 7.3).
enum class CertificateCompressionAlgorithm : std::uint16_t { zlib = 1, brotli = 2, zstd = 3 };

/// Algorithms that a provider supplies and a suite is made of.
enum class AeadAlgorithm : std::uint8_t {
  aes_128_gcm,
  aes_256_gcm,
  chacha20_poly1305,
  aes_128_ccm,
  aes_128_ccm_8,
  aes_256_ccm,
  aes_256_ccm_8,
};
enum class CbcAlgorithm : std::uint8_t { aes_128_cbc, aes_256_cbc };
enum class MacAlgorithm : std::uint8_t { hmac_sha1, hmac_sha256, hmac_sha384 };
enum class MaskAlgorithm : std::uint8_t { aes_128, aes_256, chacha20 };
enum class HashAlgorithm : std::uint8_t { sha256, sha384, sha512 };

/// How a suite's premaster secret comes about. `any`: TLS 1.3, whose suites leave it to the groups and modes.
enum class KeyExchangeMethod : std::uint8_t { any, ecdhe, dhe, rsa, psk, dhe_psk, ecdhe_psk, rsa_psk };

/// What a suite's server proves itself with. `any`: TLS 1.3, whose suites leave it to the signature schemes. `ecdsa`:
/// ECDSA, Ed25519 and Ed448 keys (RFC 8422 2.1).
enum class SuiteAuthentication : std::uint8_t { any, ecdsa, rsa, psk };

/// The kind of a public key, as its SubjectPublicKeyInfo states it. `rsa_pss` is id-RSASSA-PSS (RFC 4055).
enum class KeyType : std::uint8_t {
  rsa,
  rsa_pss,
  ec_p256,
  ec_p384,
  ec_p521,
  ec_brainpoolP256r1,
  ec_brainpoolP384r1,
  ec_brainpoolP512r1,
  ed25519,
  ed448,
  mldsa44,
  mldsa65,
  mldsa87,
};

/// A signature algorithm as certificates state it: without the curve, which belongs to the key.
enum class SignatureAlgorithm : std::uint8_t {
  rsa_pkcs1_sha256,
  rsa_pkcs1_sha384,
  rsa_pkcs1_sha512,
  rsa_pss_sha256,  ///< MGF1 with the same hash, salt as long as the hash
  rsa_pss_sha384,
  rsa_pss_sha512,
  ecdsa_sha256,
  ecdsa_sha384,
  ecdsa_sha512,
  ed25519,
  ed448,
  mldsa44,
  mldsa65,
  mldsa87,
  rsa_pkcs1_sha1,  ///< of TLS 1.2's handshake, never of certificates
  ecdsa_sha1,      ///< the same
};

/// The hash of an RSA algorithm or of ECDSA; nothing for those that sign the message itself, and for SHA-1.
[[nodiscard]] constexpr std::optional<HashAlgorithm> hash_of(SignatureAlgorithm algorithm) noexcept {
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

/// What a CBC suite protects records with (RFC 5246 6.2.3.2).
struct CbcParts {
  CbcAlgorithm cipher;
  MacAlgorithm mac;
};

/// What a suite is made of. Exactly one of `aead` and `cbc` is there.
struct SuiteParts {
  CipherSuite suite;
  ProtocolVersion version;  ///< the one that negotiates it
  KeyExchangeMethod key_exchange;
  SuiteAuthentication authentication;
  std::optional<AeadAlgorithm> aead;
  std::optional<CbcParts> cbc;
  HashAlgorithm hash;  ///< of the PRF or HKDF: SHA-256 also for suites older than TLS 1.2 (RFC 5246 5)
};

/// What a scheme is made of: the key that it needs and the algorithm that verifies it.
struct SchemeParts {
  SignatureScheme scheme;
  KeyType key;
  SignatureAlgorithm algorithm;
  bool certificates_only;  ///< not for CertificateVerify in TLS 1.3 (PKCS#1, SHA-1)
};

/// The parts of a suite, or nothing when it is unknown here.
[[nodiscard]] LOCKSTEP_API std::optional<SuiteParts> parts(CipherSuite suite) noexcept;
/// Weaker than what a peer could be asked for instead: CBC or a MAC with SHA-1, a tag of 8 bytes, or no forward secrecy
/// (RSA key exchange, a PSK by itself). False for what is unknown.
[[nodiscard]] LOCKSTEP_API bool is_insecure(CipherSuite suite) noexcept;
/// The oldest version of the protocol that the suite was made for: TLS 1.0 for CBC with SHA-1 and with a PSK, whether
/// this build speaks it or not; `parts(suite)->version` is the one that negotiates it here. For what is unknown:
/// nothing.
[[nodiscard]] LOCKSTEP_API std::optional<ProtocolVersion> oldest_version(CipherSuite suite) noexcept;
/// The parts of a scheme, or nothing when it is unknown or too old to be verified (MD5).
[[nodiscard]] LOCKSTEP_API std::optional<SchemeParts> parts(SignatureScheme scheme) noexcept;
/// Whether two messages can be found that have the same signature: those with SHA-1 (RFC 9155).
[[nodiscard]] LOCKSTEP_API bool is_insecure(SignatureScheme scheme) noexcept;

/// Rules that a whole configuration keeps to (`ConfigBuilder::profile`), and all certificates
/// (`x509::Policy::profile`).
enum class Profile : std::uint8_t {
  none,
  fips,  ///< what FIPS 140-3 approves, as of 2026
};
/// Whether a module under FIPS 140-3 may use it. Suites: AES-GCM and AES-CCM (SP 800-52r2), without RSA key
/// transport (SP 800-131Ar2). Groups: NIST's curves, the safe primes of RFC 7919 (SP 800-56Ar3), ML-KEM (FIPS 203),
/// and hybrids that begin with one of these, for to its secret any other may be appended (SP 800-56Cr2; SP 800-227).
/// Schemes: RSA, NIST's curves and EdDSA (FIPS 186-5), ML-DSA (FIPS 204), none with SHA-1. False for what is unknown.
[[nodiscard]] LOCKSTEP_API bool is_approved(CipherSuite suite) noexcept;
[[nodiscard]] LOCKSTEP_API bool is_approved(NamedGroup group) noexcept;
[[nodiscard]] LOCKSTEP_API bool is_approved(SignatureScheme scheme) noexcept;
/// Of a key, its length is for others to judge.
[[nodiscard]] LOCKSTEP_API bool is_approved(KeyType key) noexcept;
/// The shortest RSA keys that are approved (SP 800-131Ar2), in bits.
inline constexpr std::size_t kApprovedRsaBits = 2048;
/// The shortest pre-shared keys that are, in bytes: 112 bits, as keys of HMAC (SP 800-131Ar2).
inline constexpr std::size_t kApprovedPskSize = 14;

/// The group as providers list it: brainpool's curves are one and the same under the code points of TLS 1.2 and
/// TLS 1.3.
[[nodiscard]] LOCKSTEP_API NamedGroup as_listed(NamedGroup group) noexcept;

/// The two groups of a hybrid in the order in which shares and secrets are concatenated; nothing for a plain group.
struct HybridParts {
  NamedGroup first;
  NamedGroup second;
};
[[nodiscard]] LOCKSTEP_API std::optional<HybridParts> parts(NamedGroup group) noexcept;

/// Every suite, group and scheme that Lockstep knows, in its default order of preference; the suites of TLS 1.3 first.
/// lists.hpp has them by version.
[[nodiscard]] LOCKSTEP_API std::span<const CipherSuite> known_suites() noexcept;
[[nodiscard]] LOCKSTEP_API std::span<const NamedGroup> known_groups() noexcept;
[[nodiscard]] LOCKSTEP_API std::span<const SignatureScheme> known_schemes() noexcept;
/// Those of them that are not `is_insecure`: what is had without being named.
[[nodiscard]] LOCKSTEP_API std::span<const SignatureScheme> secure_schemes() noexcept;

/// Registered names ("TLS_AES_128_GCM_SHA256", "X25519MLKEM768", "rsa_pss_rsae_sha256"); empty when unknown.
[[nodiscard]] LOCKSTEP_API std::string_view name(ProtocolVersion) noexcept;
[[nodiscard]] LOCKSTEP_API std::string_view name(ContentType) noexcept;
[[nodiscard]] LOCKSTEP_API std::string_view name(HandshakeType) noexcept;
[[nodiscard]] LOCKSTEP_API std::string_view name(ExtensionType) noexcept;
[[nodiscard]] LOCKSTEP_API std::string_view name(CipherSuite) noexcept;
[[nodiscard]] LOCKSTEP_API std::string_view name(NamedGroup) noexcept;
[[nodiscard]] LOCKSTEP_API std::string_view name(SignatureScheme) noexcept;
[[nodiscard]] LOCKSTEP_API std::string_view name(CertificateCompressionAlgorithm) noexcept;
[[nodiscard]] LOCKSTEP_API std::string_view name(AeadAlgorithm) noexcept;
[[nodiscard]] LOCKSTEP_API std::string_view name(CbcAlgorithm) noexcept;
[[nodiscard]] LOCKSTEP_API std::string_view name(MacAlgorithm) noexcept;
[[nodiscard]] LOCKSTEP_API std::string_view name(MaskAlgorithm) noexcept;
[[nodiscard]] LOCKSTEP_API std::string_view name(HashAlgorithm) noexcept;
[[nodiscard]] LOCKSTEP_API std::string_view name(KeyExchangeMethod) noexcept;
[[nodiscard]] LOCKSTEP_API std::string_view name(SuiteAuthentication) noexcept;
[[nodiscard]] LOCKSTEP_API std::string_view name(KeyType) noexcept;
[[nodiscard]] LOCKSTEP_API std::string_view name(SignatureAlgorithm) noexcept;

/// OpenSSL's name ("ECDHE-RSA-AES128-GCM-SHA256"); the registered one where OpenSSL has the same (TLS 1.3) or none.
[[nodiscard]] LOCKSTEP_API std::string_view openssl_name(CipherSuite) noexcept;

/// From a registered or OpenSSL name, without regard to case ("x25519", "P-256" and "secp256r1" are all understood).
[[nodiscard]] LOCKSTEP_API std::optional<CipherSuite> suite_from_name(std::string_view) noexcept;
[[nodiscard]] LOCKSTEP_API std::optional<NamedGroup> group_from_name(std::string_view) noexcept;
[[nodiscard]] LOCKSTEP_API std::optional<SignatureScheme> scheme_from_name(std::string_view) noexcept;

/// A name, or "unknown 0x1a2b" for a number without one.
template <class CodePoint>
[[nodiscard]] std::string to_text(CodePoint value);

/// RFC 8701: the values that a client sends so that servers stay tolerant (0x0a0a, 0x1a1a, ... 0xfafa).
[[nodiscard]] constexpr bool is_grease(std::uint16_t value) noexcept {
  return (value & 0x0f0fU) == 0x0a0aU && (value >> 8U) == (value & 0xffU);
}

LOCKSTEP_API std::string unknown_code_point(std::uint32_t value);

template <class CodePoint>
std::string to_text(CodePoint value) {
  const std::string_view known = name(value);
  return known.empty() ? unknown_code_point(static_cast<std::uint32_t>(value)) : std::string(known);
}

}  // namespace lockstep
