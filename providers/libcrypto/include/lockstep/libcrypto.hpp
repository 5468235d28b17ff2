#pragma once
// The provider on OpenSSL's libcrypto (https://openssl-library.org), version 3.0 or later: everything that TLS and
// X.509 here need and that version has, ML-KEM with every one; ML-DSA came with 3.5.
//
//     lockstep::Provider provider = lockstep::libcrypto::provider();
//     lockstep::RandomSource& random = lockstep::libcrypto::system_random();
//
// It works in a library context of its own, so that nothing an application does to OpenSSL's default one changes it,
// and leaves nothing in OpenSSL's error queue. What it takes from a RandomSource appears in keys, shares and
// signatures, so that equal random bytes give equal results.
//
// Limits: RSA keys within rsa_limits.hpp; elliptic curve keys on named curves; ML-DSA private keys that hold their
// seed.

#include <algorithm>
#include <array>
#include <type_traits>

#include <lockstep/capabilities.hpp>
#include <lockstep/export.hpp>
#include <lockstep/provider.hpp>

struct ossl_lib_ctx_st;  ///< OpenSSL's OSSL_LIB_CTX

namespace lockstep::libcrypto {

namespace detail {
// What came with OpenSSL 3.5: FIPS 204. It brought FIPS 203 as well, which our kernels have too.
constexpr bool is_new(KeyType id) { return id == KeyType::mldsa44 || id == KeyType::mldsa65 || id == KeyType::mldsa87; }
constexpr bool is_new(Verification id) { return is_new(id.key); }

template <const auto& all>
inline constexpr auto kOld = [] {
  constexpr auto kCount = std::ranges::count_if(all, [](auto id) { return !is_new(id); });
  std::array<std::remove_cvref_t<decltype(all[0])>, static_cast<std::size_t>(kCount)> old{};
  std::ranges::copy_if(all, old.begin(), [](auto id) { return !is_new(id); });
  return old;
}();
}  // namespace detail

/// What OpenSSL 3.5 and later have.
inline constexpr Capabilities kCapabilitiesOf35{
    .provider = "libcrypto",
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
/// What every version has that this builds with.
inline constexpr Capabilities kCapabilities{
    .provider = "libcrypto",
    .aeads = every::kAeads,
    .hashes = every::kHashes,
    .groups = every::kGroups,
    .verifications = detail::kOld<every::kVerifications>,
    .private_keys = detail::kOld<every::kKeys>,
    .cbc_ciphers = every::kCbcCiphers,
    .record_macs = every::kRecordMacs,
    .masks = every::kMasks,
    .decrypts_keys = true,
    .finite_fields = true,
};
/// That of the version that runs, in a library context with OpenSSL's default provider.
[[nodiscard]] LOCKSTEP_API const Capabilities& capabilities() noexcept;

/// Which implementations come first.
enum class Choice : std::uint8_t {
  best,  ///< Lockstep's kernels where this processor has the instructions for them, then libcrypto's
  own,   ///< libcrypto's alone
};

struct Options {
  Choice aeads = Choice::best;
  Choice hashes = Choice::best;  ///< with HMAC and HKDF
  Choice groups = Choice::best;  ///< ML-KEM is what kernels have
};

/// The provider's descriptors, the preferred ones first. Descriptors live as long as the program.
[[nodiscard]] LOCKSTEP_API Provider provider(Options options = {});

/// How many different pairs of arguments `provider_in` takes in one program.
inline constexpr std::size_t kMaxLibraries = 2;

/// The same in a library context of the application's (null for OpenSSL's default one), with a property query for
/// everything that is fetched there, "fips=yes" for one. Only libcrypto's algorithms, and of them what the context has.
/// Randomness is the context's own: a RandomSource is not asked, and a recording cannot be replayed. The context must
/// live as long as the program. Without descriptors when kMaxLibraries others were asked for before, or when the
/// context has nothing.
[[nodiscard]] LOCKSTEP_API Provider provider_in(ossl_lib_ctx_st* context, std::string_view properties);

/// The version of OpenSSL that runs, "3.5.4"; it may be newer than the one that this was built with.
[[nodiscard]] LOCKSTEP_API std::string_view library_version() noexcept;

/// The operating system's random source. May be shared by all threads; lives as long as the program.
[[nodiscard]] LOCKSTEP_API RandomSource& system_random() noexcept;

}  // namespace lockstep::libcrypto
