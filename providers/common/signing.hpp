#pragma once
// What providers know of signature algorithms alike.

#include <optional>
#include <vector>

#include <lockstep/types.hpp>

#include "common/key_info.hpp"

namespace lockstep {

/// TLS 1.2's SHA-1, which is no HashAlgorithm: nothing else here has it.
[[nodiscard]] constexpr bool is_sha1(SignatureAlgorithm algorithm) noexcept {
  return algorithm == SignatureAlgorithm::rsa_pkcs1_sha1 || algorithm == SignatureAlgorithm::ecdsa_sha1;
}

[[nodiscard]] constexpr bool is_pss(SignatureAlgorithm algorithm) noexcept {
  return algorithm == SignatureAlgorithm::rsa_pss_sha256 || algorithm == SignatureAlgorithm::rsa_pss_sha384 ||
         algorithm == SignatureAlgorithm::rsa_pss_sha512;
}

/// The engine's order of preference, cut down to what a private key can do. `modulus_bits`: of RSA alone.
[[nodiscard]] inline std::vector<SignatureScheme> schemes_of(const key_info::Algorithm& key, std::size_t modulus_bits) {
  // RFC 8017 9.1.1: an encoded message of PSS holds a digest, a salt as long and two bytes more.
  const auto fits = [&](std::optional<HashAlgorithm> hash) {
    const std::size_t digest_size = hash == HashAlgorithm::sha512 ? 64 : hash == HashAlgorithm::sha384 ? 48 : 32;
    return (modulus_bits - 1 + 7) / 8 >= 2 * digest_size + 2;
  };
  const bool rsa = key.type == KeyType::rsa || key.type == KeyType::rsa_pss;
  std::vector<SignatureScheme> schemes;
  for (const SignatureScheme scheme : known_schemes()) {
    const SchemeParts made_of = *parts(scheme);
    const auto hash = hash_of(made_of.algorithm);
    if (made_of.key != key.type || (rsa && !fits(hash)) || (key.only_hash && key.only_hash != hash)) continue;
    schemes.push_back(scheme);
  }
  return schemes;
}

}  // namespace lockstep
