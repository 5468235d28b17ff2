#include "pbes2.hpp"

#include <array>
#include <memory>
#include <string>

#include <botan/cipher_mode.h>
#include <botan/exceptn.h>
#include <botan/pwdhash.h>

#include "common/pbes2.hpp"
#include "der.hpp"

namespace lockstep::botan {
namespace {

std::string botan_name(const pbes2::Cipher& cipher) {
  if (cipher.block_size == 8) return "TripleDES/CBC/PKCS7";
  return "AES-" + std::to_string(8 * cipher.key_size) + "/CBC/PKCS7";
}

std::unique_ptr<Botan::PasswordHash> derivation(const pbes2::Encrypted& encrypted) {
  if (const auto& scrypt = encrypted.scrypt)
    return Botan::PasswordHashFamily::create_or_throw("Scrypt")->from_params(scrypt->cost, scrypt->block_size,
                                                                             scrypt->parallelism);
  const std::string name = "PBKDF2(HMAC(" + std::string(encrypted.prf->digest) + "))";
  return Botan::PasswordHashFamily::create_or_throw(name)->from_iterations(encrypted.iterations);
}

std::expected<std::vector<std::uint8_t>, KeyError> decrypt(const pbes2::Encrypted& encrypted,
                                                           std::string_view passphrase) {
  der::Buffer key(encrypted.cipher->key_size);
  derivation(encrypted)->hash(key, passphrase, encrypted.salt);
  const auto mode = Botan::Cipher_Mode::create_or_throw(botan_name(*encrypted.cipher), Botan::Cipher_Dir::Decryption);
  mode->set_key(key);
  mode->start(encrypted.iv);
  der::Buffer plaintext(encrypted.ciphertext.begin(), encrypted.ciphertext.end());
  try {
    mode->finish(plaintext);
  } catch (const Botan::Exception&) {
    return std::unexpected(KeyError::wrong_passphrase);  // bad padding
  }
  // One wrong passphrase in 256 leaves padding that looks right; it does not leave a structure.
  if (!der::read_whole(plaintext, der::kSequence)) return std::unexpected(KeyError::wrong_passphrase);
  return std::vector<std::uint8_t>(plaintext.begin(), plaintext.end());
}

}  // namespace

std::expected<std::vector<std::uint8_t>, KeyError> decrypt_pbes2(Bytes encrypted_pkcs8,
                                                                 std::string_view passphrase) noexcept {
  const auto encrypted = pbes2::read(encrypted_pkcs8);
  if (!encrypted) return std::unexpected(encrypted.error());
  try {
    return decrypt(*encrypted, passphrase);
  } catch (const Botan::Lookup_Error&) {
    return std::unexpected(KeyError::unsupported);
  } catch (...) {
    return std::unexpected(KeyError::failed);
  }
}

}  // namespace lockstep::botan
