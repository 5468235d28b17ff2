#pragma once
// Public keys as SubjectPublicKeyInfo states them, turned into Botan's.

#include <memory>

#include <botan/ml_dsa.h>
#include <botan/pk_keys.h>

#include <lockstep/provider.hpp>

namespace lockstep::botan {

/// The key of the bits; null when they do not make one. Throws only when memory runs out or Botan lacks the algorithm.
std::unique_ptr<Botan::Public_Key> make_public_key(KeyType type, Bytes bits);

/// Whether RSA numbers are within the limits (rsa_limits.hpp).
bool acceptable_rsa(std::size_t modulus_bits, const Botan::BigInt& exponent);

/// Botan's name of the ML-DSA parameter set of a key type.
Botan::ML_DSA_Mode ml_dsa_mode(KeyType type) noexcept;

/// How Botan signs and verifies an algorithm.
struct SignatureMethod {
  std::string_view signing;
  std::string_view verifying;
  bool der;  ///< ECDSA: a sequence of two integers (RFC 3279 2.2.3)
};
SignatureMethod signature_method(SignatureAlgorithm algorithm) noexcept;

}  // namespace lockstep::botan
