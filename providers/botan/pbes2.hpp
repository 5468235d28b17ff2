#pragma once

#include <expected>
#include <string_view>
#include <vector>

#include <lockstep/provider.hpp>

namespace lockstep::botan {

/// Opens EncryptedPrivateKeyInfo (RFC 5958 3) that was encrypted with PBES2 (RFC 8018 6.2): PBKDF2 or scrypt (RFC
/// 7914), and AES or triple DES in CBC mode. The caller wipes the result.
std::expected<std::vector<std::uint8_t>, KeyError> decrypt_pbes2(Bytes encrypted_pkcs8,
                                                                 std::string_view passphrase) noexcept;

}  // namespace lockstep::botan
