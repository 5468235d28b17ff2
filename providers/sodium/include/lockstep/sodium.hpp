#pragma once
// The provider on libsodium (https://libsodium.org), version 1.0.18 or later: a small set that is enough for TLS 1.3
// with peers that use X25519 and Ed25519. AEADs, the faster hashes and ML-KEM are Lockstep's own kernels.
//
//     lockstep::Provider provider = lockstep::sodium::provider();
//     lockstep::RandomSource& random = lockstep::sodium::system_random();
//
// It cannot verify the RSA and ECDSA signatures that nearly all public certificates have; docs/providers.md lists what
// is missing. Private keys are PKCS#8 without a passphrase. What is taken from a RandomSource appears in keys and
// shares, so that equal random bytes give equal results.

#include <lockstep/capabilities.hpp>
#include <lockstep/export.hpp>
#include <lockstep/provider.hpp>

namespace lockstep::sodium {

namespace tables {
inline constexpr AeadAlgorithm kAeads[] = {AeadAlgorithm::aes_128_gcm, AeadAlgorithm::aes_256_gcm,
                                           AeadAlgorithm::chacha20_poly1305};
inline constexpr NamedGroup kGroups[] = {NamedGroup::x25519, NamedGroup::mlkem768, NamedGroup::mlkem1024,
                                         NamedGroup::mlkem512};
inline constexpr Verification kVerifications[] = {{SignatureAlgorithm::ed25519, KeyType::ed25519}};
inline constexpr KeyType kKeys[] = {KeyType::ed25519};
}  // namespace tables

/// What there is with every libsodium that will do. ML-KEM is our own.
inline constexpr Capabilities kCapabilities{
    .provider = "sodium",
    .aeads = tables::kAeads,
    .hashes = every::kHashes,
    .groups = tables::kGroups,
    .verifications = tables::kVerifications,
    .private_keys = tables::kKeys,
    .cbc_ciphers = {},  // libsodium has none
    .record_macs = every::kRecordMacs,
    .masks = every::kMasks,
};

/// The provider's descriptors. Empty lists when libsodium cannot start, which `ConfigBuilder::build` then reports.
[[nodiscard]] LOCKSTEP_API Provider provider();

/// The version of libsodium that runs, "1.0.18"; it may be newer than the one that this was built with.
[[nodiscard]] LOCKSTEP_API std::string_view library_version() noexcept;

/// The operating system's random source, by way of libsodium, which ends the program when the system has none. May be
/// shared by all threads; lives as long as the program.
[[nodiscard]] LOCKSTEP_API RandomSource& system_random() noexcept;

}  // namespace lockstep::sodium
