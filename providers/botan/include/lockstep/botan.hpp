#pragma once
// The provider on Botan (https://botan.randombit.net), version 3.7 or later: everything that TLS 1.3 and X.509 need.
//
//     lockstep::Provider provider = lockstep::botan::provider();
//     lockstep::RandomSource& random = lockstep::botan::system_random();
//
// What it takes from a RandomSource appears in keys, shares and signatures, so that equal random bytes give equal
// results. Botan's blinding of private operations, which changes no result, draws from the operating system instead.
//
// Limits: RSA keys within rsa_limits.hpp; elliptic curve keys on named curves; ML-DSA private keys that hold their
// seed.

#include <lockstep/capabilities.hpp>
#include <lockstep/export.hpp>
#include <lockstep/provider.hpp>

namespace lockstep::botan {

inline constexpr Capabilities kCapabilities{
    .provider = "botan",
    .aeads = every::kAeads,
    .hashes = every::kHashes,
    .groups = every::kGroups,
    .verifications = every::kVerifications,
    .private_keys = every::kKeys,
    .cbc_ciphers = every::kCbcCiphers,
    .record_macs = every::kRecordMacs,
    .masks = every::kMasks,
    .decrypts_keys = true,
    .finite_fields = true,
};

/// Which implementations come first.
enum class Choice : std::uint8_t {
  best,  ///< Lockstep's kernels where this processor has the instructions for them, then Botan's
  own,   ///< Botan's alone
};

struct Options {
  Choice aeads = Choice::best;
  Choice hashes = Choice::best;  ///< with HMAC and HKDF
  Choice groups = Choice::best;  ///< ML-KEM is what kernels have
};

/// The provider's descriptors, the preferred ones first. Descriptors live as long as the program.
[[nodiscard]] LOCKSTEP_API Provider provider(Options options = {});

/// The version of Botan that runs, "3.7.1"; it may be newer than the one that this was built with.
[[nodiscard]] LOCKSTEP_API std::string_view library_version() noexcept;

/// The operating system's random source. May be shared by all threads; lives as long as the program.
[[nodiscard]] LOCKSTEP_API RandomSource& system_random() noexcept;

}  // namespace lockstep::botan
