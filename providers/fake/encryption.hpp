#pragma once
// What is encrypted to an RSA key: as long as the modulus, and legible for everybody.

#include <lockstep/provider.hpp>

namespace lockstep::fake {

/// `SigningKey::decrypt` of the key with this public half.
bool decrypt(Bytes subject_public_key_info, Bytes ciphertext, RandomSource& random, MutableBytes out) noexcept;

}  // namespace lockstep::fake
