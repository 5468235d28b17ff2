#pragma once
// What a provider can do, known when a program is compiled: each provider's header has such a table, and tests hold the
// provider to it.
//
//     static_assert(lockstep::sodium::kCapabilities.has(lockstep::NamedGroup::x25519));
//
// At run time `Provider::supports` answers the same for suites, hybrid groups and schemes, and `ConfigBuilder::build`
// lists every need that the provider does not meet.

#include <algorithm>
#include <span>
#include <string_view>

#include <lockstep/types.hpp>

namespace lockstep {

/// One algorithm with one type of key.
struct Verification {
  SignatureAlgorithm algorithm;
  KeyType key;

  friend constexpr bool operator==(const Verification&, const Verification&) = default;
};

struct Capabilities {
  std::string_view provider;
  std::span<const AeadAlgorithm> aeads;
  std::span<const HashAlgorithm> hashes;  ///< with HMAC and HKDF
  std::span<const NamedGroup> groups;     ///< plain ones, of which hybrids are made
  std::span<const Verification> verifications;
  std::span<const KeyType> private_keys;        ///< loads, makes and signs with them
  std::span<const CbcAlgorithm> cbc_ciphers{};  ///< for TLS 1.2
  std::span<const MacAlgorithm> record_macs{};  ///< beside them
  std::span<const MaskAlgorithm> masks{};       ///< of record and packet numbers
  bool decrypts_keys = false;                   ///< opens PKCS#8 under a passphrase
  bool finite_fields = false;                   ///< Diffie-Hellman over any, by its parameters (TLS 1.2)
  bool insecure = false;                        ///< protects nothing

  [[nodiscard]] constexpr bool has(AeadAlgorithm id) const { return std::ranges::find(aeads, id) != aeads.end(); }
  [[nodiscard]] constexpr bool has(HashAlgorithm id) const { return std::ranges::find(hashes, id) != hashes.end(); }
  [[nodiscard]] constexpr bool has(NamedGroup id) const { return std::ranges::find(groups, id) != groups.end(); }
  [[nodiscard]] constexpr bool has(Verification id) const {
    return std::ranges::find(verifications, id) != verifications.end();
  }
  [[nodiscard]] constexpr bool has(CbcAlgorithm id) const {
    return std::ranges::find(cbc_ciphers, id) != cbc_ciphers.end();
  }
  [[nodiscard]] constexpr bool has(MacAlgorithm id) const {
    return std::ranges::find(record_macs, id) != record_macs.end();
  }
  [[nodiscard]] constexpr bool has(MaskAlgorithm id) const { return std::ranges::find(masks, id) != masks.end(); }
  [[nodiscard]] constexpr bool has(KeyType id) const {
    return std::ranges::find(private_keys, id) != private_keys.end();
  }
};

/// Every algorithm that Lockstep knows, for tables and for providers that have them all.
namespace every {

inline constexpr CbcAlgorithm kCbcCiphers[] = {CbcAlgorithm::aes_128_cbc, CbcAlgorithm::aes_256_cbc};
inline constexpr MacAlgorithm kRecordMacs[] = {MacAlgorithm::hmac_sha1, MacAlgorithm::hmac_sha256,
                                               MacAlgorithm::hmac_sha384};
inline constexpr MaskAlgorithm kMasks[] = {MaskAlgorithm::aes_128, MaskAlgorithm::aes_256, MaskAlgorithm::chacha20};
inline constexpr AeadAlgorithm kAeads[] = {
    AeadAlgorithm::aes_128_gcm,   AeadAlgorithm::aes_256_gcm,   AeadAlgorithm::chacha20_poly1305,
    AeadAlgorithm::aes_128_ccm,   AeadAlgorithm::aes_128_ccm_8, AeadAlgorithm::aes_256_ccm,
    AeadAlgorithm::aes_256_ccm_8,
};
inline constexpr HashAlgorithm kHashes[] = {HashAlgorithm::sha256, HashAlgorithm::sha384, HashAlgorithm::sha512};
inline constexpr NamedGroup kGroups[] = {
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
inline constexpr Verification kVerifications[] = {
    {SignatureAlgorithm::ecdsa_sha256, KeyType::ec_p256},
    {SignatureAlgorithm::ecdsa_sha384, KeyType::ec_p256},
    {SignatureAlgorithm::ecdsa_sha512, KeyType::ec_p256},
    {SignatureAlgorithm::ecdsa_sha256, KeyType::ec_p384},
    {SignatureAlgorithm::ecdsa_sha384, KeyType::ec_p384},
    {SignatureAlgorithm::ecdsa_sha512, KeyType::ec_p384},
    {SignatureAlgorithm::ecdsa_sha256, KeyType::ec_p521},
    {SignatureAlgorithm::ecdsa_sha384, KeyType::ec_p521},
    {SignatureAlgorithm::ecdsa_sha512, KeyType::ec_p521},
    {SignatureAlgorithm::ecdsa_sha256, KeyType::ec_brainpoolP256r1},
    {SignatureAlgorithm::ecdsa_sha384, KeyType::ec_brainpoolP256r1},
    {SignatureAlgorithm::ecdsa_sha512, KeyType::ec_brainpoolP256r1},
    {SignatureAlgorithm::ecdsa_sha256, KeyType::ec_brainpoolP384r1},
    {SignatureAlgorithm::ecdsa_sha384, KeyType::ec_brainpoolP384r1},
    {SignatureAlgorithm::ecdsa_sha512, KeyType::ec_brainpoolP384r1},
    {SignatureAlgorithm::ecdsa_sha256, KeyType::ec_brainpoolP512r1},
    {SignatureAlgorithm::ecdsa_sha384, KeyType::ec_brainpoolP512r1},
    {SignatureAlgorithm::ecdsa_sha512, KeyType::ec_brainpoolP512r1},
    {SignatureAlgorithm::rsa_pkcs1_sha256, KeyType::rsa},
    {SignatureAlgorithm::rsa_pkcs1_sha384, KeyType::rsa},
    {SignatureAlgorithm::rsa_pkcs1_sha512, KeyType::rsa},
    {SignatureAlgorithm::rsa_pss_sha256, KeyType::rsa},
    {SignatureAlgorithm::rsa_pss_sha384, KeyType::rsa},
    {SignatureAlgorithm::rsa_pss_sha512, KeyType::rsa},
    {SignatureAlgorithm::rsa_pss_sha256, KeyType::rsa_pss},
    {SignatureAlgorithm::rsa_pss_sha384, KeyType::rsa_pss},
    {SignatureAlgorithm::rsa_pss_sha512, KeyType::rsa_pss},
    {SignatureAlgorithm::ed25519, KeyType::ed25519},
    {SignatureAlgorithm::ed448, KeyType::ed448},
    {SignatureAlgorithm::mldsa44, KeyType::mldsa44},
    {SignatureAlgorithm::mldsa65, KeyType::mldsa65},
    {SignatureAlgorithm::mldsa87, KeyType::mldsa87},
    {SignatureAlgorithm::ecdsa_sha1, KeyType::ec_p256},
    {SignatureAlgorithm::ecdsa_sha1, KeyType::ec_p384},
    {SignatureAlgorithm::ecdsa_sha1, KeyType::ec_p521},
    {SignatureAlgorithm::rsa_pkcs1_sha1, KeyType::rsa},
};
inline constexpr KeyType kKeys[] = {
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

}  // namespace every

}  // namespace lockstep
