#pragma once
// Who does what in the least time. Written by `tools/bench ranking`, never by hand.
//
// Microseconds, one thing at a time and without our kernels, which go before all of these where they are fast, by
// OpenSSL 3.5.9, Botan 3.12.0 and libsodium 1.0.18, in this order, on
// AMD EPYC, family 26, model 2.

#include <array>

#include <lockstep/types.hpp>

#include "rank.hpp"

// clang-format off
namespace lockstep::best::ranking {

/// Sealing 16 KiB.
inline constexpr std::array<Rank<AeadAlgorithm>, 7> kAeads = {{
    {AeadAlgorithm(0), {Part::libcrypto, Part::botan, Part::sodium}},  // 0.762 2.02 - AES-128-GCM
    {AeadAlgorithm(1), {Part::libcrypto, Part::botan, Part::sodium}},  // 0.892 2.41 - AES-256-GCM
    {AeadAlgorithm(2), {Part::libcrypto, Part::botan, Part::sodium}},  // 3.61 4.66 - ChaCha20-Poly1305
    {AeadAlgorithm(3), {Part::libcrypto, Part::botan, Part::sodium}},  // 10.6 23.2 - AES-128-CCM
    {AeadAlgorithm(4), {Part::libcrypto, Part::botan, Part::sodium}},  // 10.6 23 - AES-128-CCM-8
    {AeadAlgorithm(5), {Part::libcrypto, Part::botan, Part::sodium}},  // 14.6 45.3 - AES-256-CCM
    {AeadAlgorithm(6), {Part::libcrypto, Part::botan, Part::sodium}},  // 14.7 45.5 - AES-256-CCM-8
}};

/// Hashing 16 KiB.
inline constexpr std::array<Rank<HashAlgorithm>, 3> kHashes = {{
    {HashAlgorithm(0), {Part::botan, Part::libcrypto, Part::sodium}},  // 8.25 8.24 35.6 SHA-256
    {HashAlgorithm(1), {Part::libcrypto, Part::sodium, Part::botan}},  // 14.3 28.9 23.2 SHA-384
    {HashAlgorithm(2), {Part::libcrypto, Part::sodium, Part::botan}},  // 14.3 28.8 23.1 SHA-512
}};

/// A key pair, an answer and its secret.
inline constexpr std::array<Rank<NamedGroup>, 16> kGroups = {{
    {NamedGroup(29), {Part::libcrypto, Part::sodium, Part::botan}},  // 96.9 127 108 x25519
    {NamedGroup(23), {Part::libcrypto, Part::botan, Part::sodium}},  // 102 306 - secp256r1
    {NamedGroup(24), {Part::botan, Part::libcrypto, Part::sodium}},  // 869 642 - secp384r1
    {NamedGroup(30), {Part::libcrypto, Part::botan, Part::sodium}},  // 559 715 - x448
    {NamedGroup(25), {Part::libcrypto, Part::botan, Part::sodium}},  // 634 1.3e+03 - secp521r1
    {NamedGroup(513), {Part::libcrypto, Part::botan, Part::sodium}},  // 105 184 - MLKEM768
    {NamedGroup(514), {Part::libcrypto, Part::botan, Part::sodium}},  // 150 297 - MLKEM1024
    {NamedGroup(512), {Part::libcrypto, Part::botan, Part::sodium}},  // 72.6 104 - MLKEM512
    {NamedGroup(31), {Part::botan, Part::libcrypto, Part::sodium}},  // 958 350 - brainpoolP256r1tls13
    {NamedGroup(32), {Part::botan, Part::libcrypto, Part::sodium}},  // 2.13e+03 842 - brainpoolP384r1tls13
    {NamedGroup(33), {Part::botan, Part::libcrypto, Part::sodium}},  // 3.29e+03 1.65e+03 - brainpoolP512r1tls13
    {NamedGroup(256), {Part::libcrypto, Part::botan, Part::sodium}},  // 881 1.04e+03 - ffdhe2048
    {NamedGroup(257), {Part::libcrypto, Part::botan, Part::sodium}},  // 2.27e+03 2.57e+03 - ffdhe3072
    {NamedGroup(258), {Part::libcrypto, Part::botan, Part::sodium}},  // 4.67e+03 5.01e+03 - ffdhe4096
    {NamedGroup(259), {Part::libcrypto, Part::botan, Part::sodium}},  // 1.03e+04 1.19e+04 - ffdhe6144
    {NamedGroup(260), {Part::libcrypto, Part::botan, Part::sodium}},  // 2.07e+04 2.11e+04 - ffdhe8192
}};

/// Verifying.
inline constexpr std::array<Rank<KeyType>, 13> kVerifications = {{
    {KeyType(0), {Part::libcrypto, Part::botan, Part::sodium}},  // 23.8 33.7 - RSA
    {KeyType(1), {Part::libcrypto, Part::botan, Part::sodium}},  // 24.3 33.8 - RSA-PSS
    {KeyType(2), {Part::libcrypto, Part::botan, Part::sodium}},  // 47.2 141 - EC P-256
    {KeyType(3), {Part::botan, Part::libcrypto, Part::sodium}},  // 387 280 - EC P-384
    {KeyType(4), {Part::libcrypto, Part::botan, Part::sodium}},  // 336 543 - EC P-521
    {KeyType(5), {Part::botan, Part::libcrypto, Part::sodium}},  // 249 156 - EC brainpoolP256r1
    {KeyType(6), {Part::botan, Part::libcrypto, Part::sodium}},  // 494 355 - EC brainpoolP384r1
    {KeyType(7), {Part::botan, Part::libcrypto, Part::sodium}},  // 725 671 - EC brainpoolP512r1
    {KeyType(8), {Part::sodium, Part::libcrypto, Part::botan}},  // 65.7 84.2 38.6 Ed25519
    {KeyType(9), {Part::libcrypto, Part::botan, Part::sodium}},  // 145 248 - Ed448
    {KeyType(10), {Part::botan, Part::libcrypto, Part::sodium}},  // 92.8 92.6 - ML-DSA-44
    {KeyType(11), {Part::libcrypto, Part::botan, Part::sodium}},  // 141 154 - ML-DSA-65
    {KeyType(12), {Part::libcrypto, Part::botan, Part::sodium}},  // 219 262 - ML-DSA-87
}};

/// Signing.
inline constexpr std::array<Rank<KeyType>, 13> kKeys = {{
    {KeyType(0), {Part::libcrypto, Part::botan, Part::sodium}},  // 210 758 - RSA
    {KeyType(1), {Part::libcrypto, Part::botan, Part::sodium}},  // 209 765 - RSA-PSS
    {KeyType(2), {Part::libcrypto, Part::botan, Part::sodium}},  // 15.8 41.5 - EC P-256
    {KeyType(3), {Part::botan, Part::libcrypto, Part::sodium}},  // 169 92.6 - EC P-384
    {KeyType(4), {Part::libcrypto, Part::botan, Part::sodium}},  // 180 194 - EC P-521
    {KeyType(5), {Part::botan, Part::libcrypto, Part::sodium}},  // 241 46.8 - EC brainpoolP256r1
    {KeyType(6), {Part::botan, Part::libcrypto, Part::sodium}},  // 543 115 - EC brainpoolP384r1
    {KeyType(7), {Part::botan, Part::libcrypto, Part::sodium}},  // 840 214 - EC brainpoolP512r1
    {KeyType(8), {Part::sodium, Part::botan, Part::libcrypto}},  // 23.3 21.5 13 Ed25519
    {KeyType(9), {Part::botan, Part::libcrypto, Part::sodium}},  // 126 92.1 - Ed448
    {KeyType(10), {Part::botan, Part::libcrypto, Part::sodium}},  // 340 161 - ML-DSA-44
    {KeyType(11), {Part::botan, Part::libcrypto, Part::sodium}},  // 479 301 - ML-DSA-65
    {KeyType(12), {Part::botan, Part::libcrypto, Part::sodium}},  // 848 360 - ML-DSA-87
}};

/// Encrypting 48 bytes.
inline constexpr std::array<Rank<KeyType>, 1> kKeyEncryptors = {{
    {KeyType(0), {Part::libcrypto, Part::botan, Part::sodium}},  // 22.9 35.7 - RSA
}};

/// Encrypting 16 KiB.
inline constexpr std::array<Rank<CbcAlgorithm>, 2> kCbcCiphers = {{
    {CbcAlgorithm(0), {Part::libcrypto, Part::botan, Part::sodium}},  // 10.6 17.8 - AES-128-CBC
    {CbcAlgorithm(1), {Part::libcrypto, Part::botan, Part::sodium}},  // 14.6 22 - AES-256-CBC
}};

/// A key pair and a secret of ffdhe2048, by its parameters.
inline constexpr Order kFiniteFields = {Part::libcrypto, Part::botan, Part::sodium};  // 444 4.59e+03 -

}  // namespace lockstep::best::ranking
