#pragma once
// EncryptedPrivateKeyInfo (RFC 5958 3) under PBES2 (RFC 8018 6.2): how it was encrypted, read and bounded. Providers
// derive the key and decrypt.

#include <algorithm>
#include <array>
#include <cstdint>
#include <expected>
#include <optional>
#include <string_view>

#include <lockstep/provider.hpp>

#include "common/der.hpp"

namespace lockstep::pbes2 {

using std::string_view_literals::operator""sv;

// The work that a file may ask for. OpenSSL writes 2048 iterations, and scrypt with 16 MiB; others go to a few million.
inline constexpr std::uint32_t kMaxIterations = 10'000'000;
inline constexpr std::uint64_t kMaxScryptMemory = 512ULL << 20U;
inline constexpr std::uint32_t kMaxScryptParallelism = 16;

/// The pseudorandom function of PBKDF2 is HMAC.
struct Prf {
  std::string_view oid;
  std::string_view digest;
};

// RFC 8018 B.1.
inline constexpr Prf kDefaultPrf{"\x2a\x86\x48\x86\xf7\x0d\x02\x07"sv, "SHA-1"};
inline constexpr std::array kPrfs{
    kDefaultPrf,
    Prf{"\x2a\x86\x48\x86\xf7\x0d\x02\x08"sv, "SHA-224"},
    Prf{"\x2a\x86\x48\x86\xf7\x0d\x02\x09"sv, "SHA-256"},
    Prf{"\x2a\x86\x48\x86\xf7\x0d\x02\x0a"sv, "SHA-384"},
    Prf{"\x2a\x86\x48\x86\xf7\x0d\x02\x0b"sv, "SHA-512"},
};

inline constexpr std::size_t kMaxKeySize = 32;

struct Cipher {
  std::string_view oid;
  std::string_view name;  ///< in CBC mode, padded as PKCS #7 pads
  std::size_t key_size;
  std::size_t block_size;
};

// RFC 8018 B.2 and C.
inline constexpr std::array kCiphers{
    Cipher{"\x60\x86\x48\x01\x65\x03\x04\x01\x2a"sv, "AES-256-CBC", 32, 16},
    Cipher{"\x60\x86\x48\x01\x65\x03\x04\x01\x16"sv, "AES-192-CBC", 24, 16},
    Cipher{"\x60\x86\x48\x01\x65\x03\x04\x01\x02"sv, "AES-128-CBC", 16, 16},
    Cipher{"\x2a\x86\x48\x86\xf7\x0d\x03\x07"sv, "DES-EDE3-CBC", 24, 8},
};

/// RFC 7914 6.
struct Scrypt {
  std::uint32_t cost;
  std::uint32_t block_size;
  std::uint32_t parallelism;
};

/// Views live as long as the DER.
struct Encrypted {
  const Cipher* cipher;
  Bytes iv;
  Bytes ciphertext;
  Bytes salt;
  std::optional<Scrypt> scrypt;  ///< else PBKDF2, with the next two
  const Prf* prf = nullptr;
  std::uint32_t iterations = 0;
};

namespace detail {

// RFC 8018 A and C.
inline constexpr std::string_view kPbes2 = "\x2a\x86\x48\x86\xf7\x0d\x01\x05\x0d"sv;
inline constexpr std::string_view kPbkdf2 = "\x2a\x86\x48\x86\xf7\x0d\x01\x05\x0c"sv;
inline constexpr std::string_view kScrypt = "\x2b\x06\x01\x04\x01\xda\x47\x04\x0b"sv;  // RFC 7914 7

template <class Table>
const typename Table::value_type* find(const Table& table, Bytes oid) noexcept {
  const auto found = std::ranges::find_if(table, [&](const auto& row) { return equal(as_bytes(row.oid), oid); });
  return found == table.end() ? nullptr : &*found;
}

struct Algorithm {
  Bytes oid;
  der::Reader parameters;
};

inline std::optional<Algorithm> read_algorithm(der::Reader& reader) noexcept {
  const auto sequence = reader.read(der::kSequence);
  if (!sequence) return std::nullopt;
  der::Reader contents(*sequence);
  const auto oid = contents.read(der::kObjectIdentifier);
  if (!oid) return std::nullopt;
  return Algorithm{*oid, contents};
}

/// PBKDF2 and scrypt may repeat the size of the cipher's key, and must then be right.
inline bool key_size_is(der::Reader& parameters, std::size_t key_size) noexcept {
  if (!parameters.next_is(der::kInteger)) return true;
  return parameters.read_small() == key_size;
}

/// PBKDF2-params (RFC 8018 A.2).
inline std::optional<KeyError> read_pbkdf2(der::Reader parameters, Encrypted& out) noexcept {
  const auto salt = parameters.read(der::kOctetString);
  const auto iterations = parameters.read_small();
  if (!salt || !iterations || *iterations == 0 || !key_size_is(parameters, out.cipher->key_size))
    return KeyError::malformed;
  out.prf = &kDefaultPrf;
  if (!parameters.at_end()) {
    auto stated = read_algorithm(parameters);
    if (!stated || !parameters.at_end()) return KeyError::malformed;
    // RFC 8018 B.1.1: "The parameters field associated with this OID [...] shall have type NULL."
    const auto null = stated->parameters.read(der::kNull);
    if (!null || !null->empty() || !stated->parameters.at_end()) return KeyError::malformed;
    out.prf = find(kPrfs, stated->oid);
  }
  if (out.prf == nullptr || *iterations > kMaxIterations) return KeyError::unsupported;
  out.salt = *salt;
  out.iterations = *iterations;
  return std::nullopt;
}

/// scrypt-params (RFC 7914 7.1).
inline std::optional<KeyError> read_scrypt(der::Reader parameters, Encrypted& out) noexcept {
  const auto salt = parameters.read(der::kOctetString);
  const auto cost = parameters.read_small();
  const auto block_size = parameters.read_small();
  const auto parallelism = parameters.read_small();
  if (!salt || !cost || !block_size || !parallelism || !key_size_is(parameters, out.cipher->key_size) ||
      !parameters.at_end())
    return KeyError::malformed;
  // RFC 7914 6: N "MUST be larger than 1, a power of 2"; r and p are positive.
  if (*cost < 2 || (*cost & (*cost - 1)) != 0 || *block_size == 0 || *parallelism == 0) return KeyError::malformed;
  if (*parallelism > kMaxScryptParallelism || *block_size > kMaxScryptMemory / 128 ||
      std::uint64_t{*cost} * 128 * *block_size > kMaxScryptMemory)
    return KeyError::unsupported;
  out.salt = *salt;
  out.scrypt = Scrypt{*cost, *block_size, *parallelism};
  return std::nullopt;
}

}  // namespace detail

inline std::expected<Encrypted, KeyError> read(Bytes encrypted_pkcs8) noexcept {
  using namespace detail;
  const auto malformed = std::unexpected(KeyError::malformed);
  const auto sequence = der::read_whole(encrypted_pkcs8, der::kSequence);
  if (!sequence) return malformed;
  der::Reader reader(*sequence);
  auto scheme = read_algorithm(reader);
  const auto ciphertext = reader.read(der::kOctetString);
  if (!scheme || !ciphertext || !reader.at_end()) return malformed;
  if (!equal(scheme->oid, as_bytes(kPbes2))) return std::unexpected(KeyError::unsupported);

  const auto pbes2 = scheme->parameters.read(der::kSequence);
  if (!pbes2 || !scheme->parameters.at_end()) return malformed;
  der::Reader algorithms(*pbes2);
  auto kdf = read_algorithm(algorithms);
  auto encryption = read_algorithm(algorithms);
  if (!kdf || !encryption || !algorithms.at_end()) return malformed;

  Encrypted out{};
  out.cipher = find(kCiphers, encryption->oid);
  if (out.cipher == nullptr) return std::unexpected(KeyError::unsupported);
  const auto iv = encryption->parameters.read(der::kOctetString);
  if (!iv || iv->size() != out.cipher->block_size || !encryption->parameters.at_end()) return malformed;
  if (ciphertext->empty() || ciphertext->size() % out.cipher->block_size != 0) return malformed;
  out.iv = *iv;
  out.ciphertext = *ciphertext;

  const bool scrypt = equal(kdf->oid, as_bytes(kScrypt));
  if (!scrypt && !equal(kdf->oid, as_bytes(kPbkdf2))) return std::unexpected(KeyError::unsupported);
  const auto parameters = kdf->parameters.read(der::kSequence);
  if (!parameters || !kdf->parameters.at_end()) return malformed;
  const der::Reader contents(*parameters);
  if (const auto wrong = scrypt ? read_scrypt(contents, out) : read_pbkdf2(contents, out))
    return std::unexpected(*wrong);
  return out;
}

}  // namespace lockstep::pbes2
