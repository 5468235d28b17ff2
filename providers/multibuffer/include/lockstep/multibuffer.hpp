#pragma once
// The provider on Intel's crypto_mb (Debian: libcrypto-mb-dev), which does up to eight operations of one kind in one
// call, for processors with AVX-512 IFMA. It lists public-key algorithms alone and goes in front of others:
//
//     lockstep::Provider provider = lockstep::compose(
//         "crypto_mb before libcrypto", {lockstep::multibuffer::provider(), lockstep::libcrypto::provider()});
//
// Its descriptors and keys have the `*_many` of provider.hpp, with a width of eight. One operation by itself, and what
// is left over of several, is done by the libcrypto provider, where a call that is nearly empty costs more than that.
// Equal random bytes give equal keys and shares, alone or with others, here or in the libcrypto provider.
//
// ECDSA's nonces are HMACs, under the private key, of random bytes and the digest: unique and secret while either the
// random source or the key's secrecy holds. RSA is blinded, and no signature leaves that does not verify.
//
// What crypto_mb 1.0.14 gets wrong is not left to it: Ed25519, all of it (Debian's build makes no public key that is
// right), and X25519 with shares just below p. docs/providers.md tells what was found, and of its constant time.
//
// Limits: RSA keys of 2048, 3072 and 4096 bits with two primes of equal length and the exponent 65537 sign together;
// others are loaded, and sign one by one.

#include <lockstep/capabilities.hpp>
#include <lockstep/export.hpp>
#include <lockstep/provider.hpp>

namespace lockstep::multibuffer {

namespace detail {
inline constexpr NamedGroup kGroups[] = {NamedGroup::x25519, NamedGroup::secp256r1, NamedGroup::secp384r1};
inline constexpr Verification kVerifications[] = {
    {SignatureAlgorithm::ecdsa_sha256, KeyType::ec_p256},   {SignatureAlgorithm::ecdsa_sha384, KeyType::ec_p256},
    {SignatureAlgorithm::ecdsa_sha512, KeyType::ec_p256},   {SignatureAlgorithm::ecdsa_sha256, KeyType::ec_p384},
    {SignatureAlgorithm::ecdsa_sha384, KeyType::ec_p384},   {SignatureAlgorithm::ecdsa_sha512, KeyType::ec_p384},
    {SignatureAlgorithm::rsa_pkcs1_sha256, KeyType::rsa},   {SignatureAlgorithm::rsa_pkcs1_sha384, KeyType::rsa},
    {SignatureAlgorithm::rsa_pkcs1_sha512, KeyType::rsa},   {SignatureAlgorithm::rsa_pss_sha256, KeyType::rsa},
    {SignatureAlgorithm::rsa_pss_sha384, KeyType::rsa},     {SignatureAlgorithm::rsa_pss_sha512, KeyType::rsa},
    {SignatureAlgorithm::rsa_pss_sha256, KeyType::rsa_pss}, {SignatureAlgorithm::rsa_pss_sha384, KeyType::rsa_pss},
    {SignatureAlgorithm::rsa_pss_sha512, KeyType::rsa_pss},
};
inline constexpr KeyType kKeys[] = {KeyType::rsa, KeyType::rsa_pss, KeyType::ec_p256, KeyType::ec_p384};
}  // namespace detail

/// What it has where it runs.
inline constexpr Capabilities kCapabilities{
    .provider = "multibuffer",
    .aeads = {},
    .hashes = {},
    .groups = detail::kGroups,
    .verifications = detail::kVerifications,
    .private_keys = detail::kKeys,
    .decrypts_keys = true,
};

/// Whether this processor, and the system, have what crypto_mb needs.
[[nodiscard]] LOCKSTEP_API bool available() noexcept;

/// The provider's descriptors; none where it is not available. Descriptors live as long as the program.
[[nodiscard]] LOCKSTEP_API Provider provider();

/// The version of crypto_mb that runs, "1.0.14" (that of IPP Cryptography 2021.12.1).
[[nodiscard]] LOCKSTEP_API std::string_view library_version() noexcept;

}  // namespace lockstep::multibuffer
