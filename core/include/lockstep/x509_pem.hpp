#pragma once
// PEM texts (RFC 7468), and private keys and parameters from PEM or DER in any of the usual wrappings.

#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <lockstep/bytes.hpp>
#include <lockstep/export.hpp>
#include <lockstep/finite_field.hpp>
#include <lockstep/provider.hpp>

namespace lockstep::x509 {

/// Bytes that are wiped when they die. For private keys, whose size is not known beforehand.
class SecretBytes {
 public:
  SecretBytes() noexcept = default;
  explicit SecretBytes(std::vector<std::uint8_t>&& bytes) noexcept : bytes_(std::move(bytes)) {}
  SecretBytes(SecretBytes&& other) noexcept : bytes_(std::move(other.bytes_)) {}
  SecretBytes& operator=(SecretBytes&& other) noexcept {
    wipe(bytes_);
    bytes_ = std::move(other.bytes_);
    return *this;
  }
  SecretBytes(const SecretBytes&) = delete;
  SecretBytes& operator=(const SecretBytes&) = delete;
  ~SecretBytes() { wipe(bytes_); }
  [[nodiscard]] Bytes view() const noexcept { return bytes_; }
  [[nodiscard]] bool empty() const noexcept { return bytes_.empty(); }

 private:
  std::vector<std::uint8_t> bytes_;
};

// --- PEM -------------------------------------------------------------------------------------------------------------

enum class PemCode : std::uint8_t {
  line_malformed,     ///< a BEGIN or END line that is not one
  end_missing,        ///< the text ends inside an object
  end_mismatch,       ///< END says another label than BEGIN
  base64_malformed,   ///< a character that base64 does not have, or padding in the wrong place
  headers_malformed,  ///< "Name: value" lines without the empty line after them
  empty,              ///< nothing between BEGIN and END
  too_large,          ///< more than kMaxPemObject
};

struct PemError {
  PemCode code;
  std::size_t line;        ///< from 1
  std::string label = {};  ///< that of the faulty object; empty when its BEGIN line does not say
  /// "line 12: end_missing: ..."
  [[nodiscard]] LOCKSTEP_API std::string text() const;
};

[[nodiscard]] LOCKSTEP_API std::string_view name(PemCode code) noexcept;
[[nodiscard]] LOCKSTEP_API std::string_view explanation(PemCode code) noexcept;

inline constexpr std::size_t kMaxPemObject = std::size_t{16} << 20U;

struct PemObject {
  std::string label;  ///< "CERTIFICATE"
  SecretBytes der;
  std::size_t line;  ///< of the BEGIN line, from 1
  bool encrypted;    ///< has the header "Proc-Type: 4,ENCRYPTED" (RFC 1421): `der` is not DER
};

/// Reads the objects of a text one after the other. What stands between them is skipped, as RFC 7468 2 allows. After an
/// error it goes on behind the faulty object.
///
/// What texts suffer on their way here does no harm: line ends of any system, written out as \n, made spaces or lost
/// between two files that were joined; lines that are indented; UTF-16.
///
///   PemReader reader(text);
///   while (auto object = reader.next()) {            // std::optional<std::expected<PemObject, PemError>>
///       if (!*object) report((*object).error());
///       else if ((*object)->label == "CERTIFICATE") use((*object)->der.view());
///   }
class PemReader {
 public:
  /// `text` must outlive the reader.
  LOCKSTEP_API explicit PemReader(std::string_view text);
  /// The next object or fault; nothing at the end.
  [[nodiscard]] LOCKSTEP_API std::optional<std::expected<PemObject, PemError>> next();

 private:
  struct Place {
    std::optional<std::string_view> line = {};  ///< what is left of the line that was begun
    std::string_view rest;                      ///< what follows that line
    std::size_t number = 1;                     ///< of that line
    bool end_is_counted = false;                ///< its end is one for whoever counts lines
  };
  struct Line {
    std::string_view text;  ///< without blanks around it
    std::size_t number;
    bool indented;
  };
  std::optional<Line> next_line(bool in_object) noexcept;
  SecretBytes decoded_;  ///< a text that came as UTF-16
  Place at_;
};

/// "-----BEGIN label-----", base64 in lines of 64, "-----END label-----".
[[nodiscard]] LOCKSTEP_API std::string pem(std::string_view label, Bytes der);

// --- chains and keys -------------------------------------------------------------------------------------------------

/// Why a chain or key could not be had. The text says what was found, where, and what to do.
enum class LoadCode : std::uint8_t {
  pem_malformed,
  der_malformed,
  not_found,  ///< a PEM text without an object of the kind
  certificate_malformed,
  trusted_certificate,  ///< OpenSSL's TRUSTED CERTIFICATE, which carries settings that would be ignored
  container,            ///< PKCS#12 or PKCS#7, which are not read
  key_format_unknown,   ///< neither PKCS#8, PKCS#1 nor SEC1
  key_unsupported,      ///< a type, curve or encryption that the provider lacks
  key_invalid,
  legacy_encryption,  ///< "Proc-Type: 4,ENCRYPTED", a key derived with one round of MD5; or a scheme before PBES2
  passphrase_needed,
  passphrase_wrong,
  provider_failed,
};

struct LoadError {
  LoadCode code;
  std::string text;
};

/// A certificate chain from PEM or DER (one certificate), in the order of the text. Other objects are passed over,
/// broken ones too.
[[nodiscard]] LOCKSTEP_API std::expected<std::vector<std::vector<std::uint8_t>>, LoadError> load_chain(
    Bytes pem_or_der);

/// A private key from PEM (the first key in the text) or DER: PKCS#8 (RFC 5958), encrypted PKCS#8 (RFC 8018), PKCS#1
/// RSA (RFC 8017 A.1.2) or SEC1 EC (RFC 5915).
[[nodiscard]] LOCKSTEP_API std::expected<std::shared_ptr<const SigningKey>, LoadError> load_private_key(
    const Provider& provider, Bytes pem_or_der, std::string_view passphrase = {});

/// The PKCS#8 PrivateKeyInfo of the same, as DER, for keeping or writing.
[[nodiscard]] LOCKSTEP_API std::expected<SecretBytes, LoadError> load_pkcs8(const Provider& provider, Bytes pem_or_der,
                                                                            std::string_view passphrase = {});

/// Parameters of Diffie-Hellman for `ConfigBuilder::dh_parameters`, from PEM (the first in the text) or DER:
/// DHParameter of PKCS#3 or DomainParameters of ANSI X9.42. Whether the numbers are any good `build` says.
[[nodiscard]] LOCKSTEP_API std::expected<DhParameters, LoadError> load_dh_parameters(Bytes pem_or_der);

/// Whether a certificate is for a key: by the key's value, not by its encoding (a point may be compressed).
[[nodiscard]] LOCKSTEP_API bool belongs_to(Bytes certificate, const SigningKey& key) noexcept;

}  // namespace lockstep::x509
