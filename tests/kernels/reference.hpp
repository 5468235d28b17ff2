#pragma once
// What the kernels are compared with: libcrypto (reference_libcrypto.cpp); and where the tests are built for a
// processor for which there is none, the portable kernels (reference_portable.cpp), which libcrypto has checked
// elsewhere.

#include <optional>

#include <lockstep/kernels_hash.hpp>
#include <lockstep/kernels_kem.hpp>
#include <lockstep/kernels_sha3.hpp>

#include "support.hpp"

namespace lockstep::kernels::test::reference {

Bytes seal(Algorithm algorithm, const Bytes& key, const Bytes& nonce, const Bytes& aad, const Bytes& text);
Bytes digest(HashAlgorithm algorithm, std::span<const std::uint8_t> message);
Bytes hmac(HashAlgorithm algorithm, std::span<const std::uint8_t> key, std::span<const std::uint8_t> message);

Bytes sha3(Sha3Algorithm algorithm, std::span<const std::uint8_t> message, std::size_t size);

/// What a key pair, an encapsulation for it and the decapsulation of another ciphertext come to.
struct Encapsulation {
  Bytes encapsulation_key;
  Bytes ciphertext;
  Bytes secret;
  Bytes other_secret;

  friend bool operator==(const Encapsulation&, const Encapsulation&) = default;
};
/// Nothing where libcrypto is older than 3.5.
std::optional<Encapsulation> encapsulation(KemAlgorithm algorithm, const Bytes& seed, const Bytes& coins,
                                           const Bytes& other_ciphertext);

}  // namespace lockstep::kernels::test::reference
