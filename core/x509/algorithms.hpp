#pragma once
// AlgorithmIdentifiers: of public keys and of signatures (RFC 3279, RFC 4055, RFC 5480, RFC 5758, RFC 8410, RFC 9881).

#include <lockstep/bytes.hpp>
#include <lockstep/types.hpp>
#include <lockstep/x509_certificate.hpp>

#include "x509/der.hpp"
#include "x509/oid.hpp"

namespace lockstep::x509 {

/// Reads a SubjectPublicKeyInfo.
PublicKey read_public_key(der::Reader& reader) noexcept;

/// Reads what follows the identifier `out.algorithm` in the AlgorithmIdentifier of a key, public or private.
void read_key_algorithm(der::Reader& parameters, PublicKey& out) noexcept;

/// Whether two are one key, however they are encoded: a point may be compressed, NULL and the size of RSASSA-PSS's salt
/// may be left out. Whether a point is on its curve is for the provider to find out.
[[nodiscard]] bool same_key(const PublicKey& one, const PublicKey& other) noexcept;

/// The bits of a non-negative INTEGER.
[[nodiscard]] std::size_t bit_size(Bytes integer) noexcept;

/// Reads the AlgorithmIdentifier of a signature. An unknown one is no error.
SignatureIdentifier read_signature_identifier(der::Reader& reader) noexcept;

/// Whether a key of this type can make signatures of this algorithm.
[[nodiscard]] bool fits(SignatureAlgorithm algorithm, KeyType key) noexcept;

/// What the AlgorithmIdentifier of a signature is made of: its identifier, whether NULL follows, and for RSASSA-PSS the
/// hash (null for others) and the size of the salt.
[[nodiscard]] const Oid& signature_oid(SignatureAlgorithm algorithm) noexcept;
[[nodiscard]] bool has_null_parameters(SignatureAlgorithm algorithm) noexcept;
[[nodiscard]] const Oid* pss_hash_oid(SignatureAlgorithm algorithm) noexcept;
[[nodiscard]] std::uint32_t pss_salt_size(SignatureAlgorithm algorithm) noexcept;

/// The curve's identifier, null for a key that is not on a named curve.
[[nodiscard]] const Oid* curve_oid(KeyType key) noexcept;

/// The identifier of a purpose (RFC 5280 4.2.1.12).
[[nodiscard]] const Oid& purpose_oid(Purpose purpose) noexcept;

}  // namespace lockstep::x509
