#include "pbes2.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <optional>

#include <botan/cipher_mode.h>
#include <botan/exceptn.h>
#include <botan/pwdhash.h>

#include "der.hpp"

namespace lockstep::botan {
namespace {

using std::string_view_literals::operator""sv;

// RFC 8018 A and C.
constexpr std::string_view kPbes2 = "\x2a\x86\x48\x86\xf7\x0d\x01\x05\x0d"sv;
constexpr std::string_view kPbkdf2 = "\x2a\x86\x48\x86\xf7\x0d\x01\x05\x0c"sv;
constexpr std::string_view kScrypt = "\x2b\x06\x01\x04\x01\xda\x47\x04\x0b"sv;  // RFC 7914 7

// The work that a file may ask for. OpenSSL writes 2048 iterations, and scrypt with 16 MiB; others go to a few million.
constexpr std::uint32_t kMaxIterations = 10'000'000;
constexpr std::uint64_t kMaxScryptMemory = 512ULL << 20U;
constexpr std::uint32_t kMaxScryptParallelism = 16;

struct Prf {
  std::string_view oid;
  std::string_view botan_name;
};

// RFC 8018 B.1.
constexpr Prf kDefaultPrf{"\x2a\x86\x48\x86\xf7\x0d\x02\x07"sv, "PBKDF2(HMAC(SHA-1))"};
constexpr std::array kPrfs{
    kDefaultPrf,
    Prf{"\x2a\x86\x48\x86\xf7\x0d\x02\x08"sv, "PBKDF2(HMAC(SHA-224))"},
    Prf{"\x2a\x86\x48\x86\xf7\x0d\x02\x09"sv, "PBKDF2(HMAC(SHA-256))"},
    Prf{"\x2a\x86\x48\x86\xf7\x0d\x02\x0a"sv, "PBKDF2(HMAC(SHA-384))"},
    Prf{"\x2a\x86\x48\x86\xf7\x0d\x02\x0b"sv, "PBKDF2(HMAC(SHA-512))"},
};

struct Cipher {
  std::string_view oid;
  std::string_view botan_name;
  std::size_t key_size;
  std::size_t block_size;
};

// RFC 8018 B.2 and C.
constexpr std::array kCiphers{
    Cipher{"\x60\x86\x48\x01\x65\x03\x04\x01\x2a"sv, "AES-256/CBC/PKCS7", 32, 16},
    Cipher{"\x60\x86\x48\x01\x65\x03\x04\x01\x16"sv, "AES-192/CBC/PKCS7", 24, 16},
    Cipher{"\x60\x86\x48\x01\x65\x03\x04\x01\x02"sv, "AES-128/CBC/PKCS7", 16, 16},
    Cipher{"\x2a\x86\x48\x86\xf7\x0d\x03\x07"sv, "TripleDES/CBC/PKCS7", 24, 8},
};

template <class Table>
const typename Table::value_type* find(const Table& table, Bytes oid) noexcept {
  const auto found = std::ranges::find_if(table, [&](const auto& row) { return equal(as_bytes(row.oid), oid); });
  return found == table.end() ? nullptr : &*found;
}

struct Algorithm {
  Bytes oid;
  der::Reader parameters;
};

std::optional<Algorithm> read_algorithm(der::Reader& reader) noexcept {
  const auto sequence = reader.read(der::kSequence);
  if (!sequence) return std::nullopt;
  der::Reader contents(*sequence);
  const auto oid = contents.read(der::kObjectIdentifier);
  if (!oid) return std::nullopt;
  return Algorithm{*oid, contents};
}

/// A key derivation that is ready to take the passphrase.
struct Derivation {
  std::unique_ptr<Botan::PasswordHash> function;
  Bytes salt;
};

/// PBKDF2 and scrypt may repeat the size of the cipher's key, and must then be right.
bool key_size_is(der::Reader& parameters, std::size_t key_size) noexcept {
  if (!parameters.next_is(der::kInteger)) return true;
  return parameters.read_small() == key_size;
}

/// PBKDF2-params (RFC 8018 A.2).
std::expected<Derivation, KeyError> read_pbkdf2(der::Reader parameters, std::size_t key_size) {
  const auto salt = parameters.read(der::kOctetString);
  const auto iterations = parameters.read_small();
  if (!salt || !iterations || *iterations == 0 || !key_size_is(parameters, key_size))
    return std::unexpected(KeyError::malformed);
  const Prf* prf = &kDefaultPrf;
  if (!parameters.at_end()) {
    auto stated = read_algorithm(parameters);
    if (!stated || !parameters.at_end()) return std::unexpected(KeyError::malformed);
    // RFC 8018 B.1.1: "The parameters field associated with this OID [...] shall have type NULL."
    const auto null = stated->parameters.read(der::kNull);
    if (!null || !null->empty() || !stated->parameters.at_end()) return std::unexpected(KeyError::malformed);
    prf = find(kPrfs, stated->oid);
  }
  if (prf == nullptr || *iterations > kMaxIterations) return std::unexpected(KeyError::unsupported);
  return Derivation{Botan::PasswordHashFamily::create_or_throw(prf->botan_name)->from_iterations(*iterations), *salt};
}

/// scrypt-params (RFC 7914 7.1).
std::expected<Derivation, KeyError> read_scrypt(der::Reader parameters, std::size_t key_size) {
  const auto salt = parameters.read(der::kOctetString);
  const auto cost = parameters.read_small();
  const auto block_size = parameters.read_small();
  const auto parallelism = parameters.read_small();
  if (!salt || !cost || !block_size || !parallelism || !key_size_is(parameters, key_size) || !parameters.at_end())
    return std::unexpected(KeyError::malformed);
  // RFC 7914 6: N "MUST be larger than 1, a power of 2"; r and p are positive.
  if (*cost < 2 || (*cost & (*cost - 1)) != 0 || *block_size == 0 || *parallelism == 0)
    return std::unexpected(KeyError::malformed);
  if (*parallelism > kMaxScryptParallelism || *block_size > kMaxScryptMemory / 128 ||
      std::uint64_t{*cost} * 128 * *block_size > kMaxScryptMemory)
    return std::unexpected(KeyError::unsupported);
  return Derivation{Botan::PasswordHashFamily::create_or_throw("Scrypt")->from_params(*cost, *block_size, *parallelism),
                    *salt};
}

std::expected<std::vector<std::uint8_t>, KeyError> decrypt(Bytes encrypted_pkcs8, std::string_view passphrase) {
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

  const Cipher* const cipher = find(kCiphers, encryption->oid);
  if (cipher == nullptr) return std::unexpected(KeyError::unsupported);
  const auto iv = encryption->parameters.read(der::kOctetString);
  if (!iv || iv->size() != cipher->block_size || !encryption->parameters.at_end()) return malformed;
  if (ciphertext->empty() || ciphertext->size() % cipher->block_size != 0) return malformed;

  const bool scrypt = equal(kdf->oid, as_bytes(kScrypt));
  if (!scrypt && !equal(kdf->oid, as_bytes(kPbkdf2))) return std::unexpected(KeyError::unsupported);
  const auto kdf_parameters = kdf->parameters.read(der::kSequence);
  if (!kdf_parameters || !kdf->parameters.at_end()) return malformed;
  const der::Reader parameters(*kdf_parameters);
  const auto derivation =
      scrypt ? read_scrypt(parameters, cipher->key_size) : read_pbkdf2(parameters, cipher->key_size);
  if (!derivation) return std::unexpected(derivation.error());

  der::Buffer key(cipher->key_size);
  derivation->function->hash(key, passphrase, derivation->salt);
  const auto mode = Botan::Cipher_Mode::create_or_throw(cipher->botan_name, Botan::Cipher_Dir::Decryption);
  mode->set_key(key);
  mode->start(*iv);
  der::Buffer plaintext(ciphertext->begin(), ciphertext->end());
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
  try {
    return decrypt(encrypted_pkcs8, passphrase);
  } catch (const Botan::Lookup_Error&) {
    return std::unexpected(KeyError::unsupported);
  } catch (...) {
    return std::unexpected(KeyError::failed);
  }
}

}  // namespace lockstep::botan
