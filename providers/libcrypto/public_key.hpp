#pragma once
// Public keys as SubjectPublicKeyInfo states them, turned into libcrypto's, and how it signs and verifies.

#include <optional>

#include <lockstep/provider.hpp>

#include "library.hpp"

namespace lockstep::libcrypto {

/// The key of the bits; null when they do not make one.
[[nodiscard]] Key make_public_key(const Library& library, KeyType type, Bytes bits) noexcept;

/// The bits of SubjectPublicKeyInfo; empty when memory runs out.
[[nodiscard]] std::vector<std::uint8_t> public_bits(const EVP_PKEY* key, KeyType type);

/// Whether RSA numbers are within the limits (rsa_limits.hpp).
[[nodiscard]] bool acceptable_rsa(const BIGNUM* modulus, const BIGNUM* exponent) noexcept;

/// Prepares a context to sign or verify a message by an algorithm. False when libcrypto cannot.
[[nodiscard]] bool begin_signing(const Library& library, EVP_MD_CTX* context, SignatureAlgorithm algorithm,
                                 EVP_PKEY* key) noexcept;
[[nodiscard]] bool begin_verifying(const Library& library, EVP_MD_CTX* context, SignatureAlgorithm algorithm,
                                   EVP_PKEY* key) noexcept;

/// OpenSSL's name of a key type.
[[nodiscard]] const char* type_name(KeyType type) noexcept;

[[nodiscard]] constexpr bool is_rsa(KeyType type) noexcept { return type == KeyType::rsa || type == KeyType::rsa_pss; }
[[nodiscard]] constexpr bool is_ml_dsa(KeyType type) noexcept {
  return type == KeyType::mldsa44 || type == KeyType::mldsa65 || type == KeyType::mldsa87;
}

}  // namespace lockstep::libcrypto
