#pragma once
// Certificates made in memory: for tests, for development, for a small authority of one's own.

#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <lockstep/bytes.hpp>
#include <lockstep/export.hpp>
#include <lockstep/provider.hpp>
#include <lockstep/types.hpp>
#include <lockstep/x509_certificate.hpp>

namespace lockstep::x509 {

enum class BuildError : std::uint8_t {
  subject_malformed,  ///< not "CN=name, O=organisation, ..." with known attributes, or not UTF-8
  name_malformed,     ///< an alternative name or constraint that is not what it should be
  oid_malformed,
  validity_malformed,  ///< ends before it begins, or outside the years 1950 to 9999
  issuer_malformed,    ///< the issuer's certificate does not parse or is for another key
  scheme_unsupported,  ///< the key has no scheme for certificates, or not the one asked for
  random_failed,
  sign_failed,
  no_hash,  ///< the provider lacks SHA-256, which key identifiers are made with
};
[[nodiscard]] LOCKSTEP_API std::string_view name(BuildError error) noexcept;
[[nodiscard]] LOCKSTEP_API std::string_view explanation(BuildError error) noexcept;

/// Builds one certificate. Every setter returns the builder; problems are reported by the final call.
///
///   auto ca = CertificateBuilder("CN=Example Root").ca(0).validity(now, now + 86400)
///                 .self_signed(provider, *ca_key, random);
///   auto leaf = CertificateBuilder("CN=example.com").dns("example.com").server().validity(now, now + 86400)
///                   .issued_by(provider, *ca, *ca_key, leaf_key->subject_public_key_info(), random);
class LOCKSTEP_API CertificateBuilder {
 public:
  /// "CN=example.com, O=Example, C=DE": attributes C, ST, L, O, OU, CN, DC, serialNumber, emailAddress; a backslash
  /// quotes a comma.
  explicit CertificateBuilder(std::string_view subject);

  CertificateBuilder& validity(std::int64_t not_before, std::int64_t not_after);
  /// Big-endian; without it 16 random bytes.
  CertificateBuilder& serial_number(Bytes big_endian);

  CertificateBuilder& dns(std::string_view name);  ///< also "*.example.com"
  CertificateBuilder& ip(Bytes address);           ///< 4 or 16 bytes
  CertificateBuilder& email(std::string_view mailbox);
  CertificateBuilder& uri(std::string_view uri);

  /// A CA: basic constraints, keyCertSign and cRLSign.
  CertificateBuilder& ca(std::optional<std::uint32_t> path_length = {});
  /// A TLS server or client: digitalSignature and the purpose; both may be called. A server's RSA key gets
  /// keyEncipherment as well, for the RSA key exchange of TLS 1.2 (RFC 5246 7.4.2).
  CertificateBuilder& server();
  CertificateBuilder& client();
  /// Instead of what ca(), server() and client() choose.
  CertificateBuilder& key_usage(std::initializer_list<KeyUsage> usages);
  CertificateBuilder& purposes(std::initializer_list<Purpose> purposes);

  /// Subtrees of names that a CA may, or must not, issue for.
  CertificateBuilder& permit_dns(std::string_view subtree);
  CertificateBuilder& exclude_dns(std::string_view subtree);
  CertificateBuilder& permit_ip(Bytes address_and_mask);
  CertificateBuilder& exclude_ip(Bytes address_and_mask);

  /// Leaves out the key identifiers, which are otherwise there (RFC 5280 4.2.1.1 and 4.2.1.2; RFC 7093 2 method 1).
  CertificateBuilder& without_key_identifiers();
  /// Any other extension, or another value for one of the above. `oid` is "1.2.3"; `value` goes into the OCTET STRING
  /// as it is.
  CertificateBuilder& extension(std::string_view oid, bool critical, Bytes value);
  /// The scheme to sign with; without it PKCS#1 with SHA-256 for RSA keys, which everybody can verify, else the key's
  /// first.
  CertificateBuilder& scheme(SignatureScheme scheme);

  using Result = std::expected<std::vector<std::uint8_t>, BuildError>;
  /// Signed by the key that it is for.
  [[nodiscard]] Result self_signed(const Provider& provider, const SigningKey& key, RandomSource& random) const;
  /// Signed by an issuer. `issuer` is its certificate in DER.
  [[nodiscard]] Result issued_by(const Provider& provider, Bytes issuer, const SigningKey& issuer_key,
                                 Bytes subject_public_key_info, RandomSource& random) const;

 private:
  struct RawExtension {
    std::vector<std::uint8_t> oid;
    bool critical;
    std::vector<std::uint8_t> value;
  };
  struct Signer;
  [[nodiscard]] std::uint16_t usage_of(Bytes subject_public_key_info) const noexcept;
  [[nodiscard]] Result build(const Signer& signer, Bytes subject_public_key_info, RandomSource& random) const;
  [[nodiscard]] std::vector<std::uint8_t> write_extensions(
      std::uint16_t key_usage, Bytes issuer_identifier,
      std::optional<std::array<std::uint8_t, 20>> subject_identifier) const;
  void fail(BuildError error) noexcept;

  std::optional<BuildError> error_;
  std::vector<std::uint8_t> subject_;
  std::int64_t not_before_ = 0;
  std::int64_t not_after_ = -1;
  std::vector<std::uint8_t> serial_;
  std::vector<std::uint8_t> alternative_names_;
  std::vector<std::uint8_t> permitted_;
  std::vector<std::uint8_t> excluded_;
  bool ca_ = false;
  std::optional<std::uint32_t> path_length_;
  std::uint16_t key_usage_ = 0;
  bool encipherment_for_rsa_ = false;
  std::vector<Purpose> purposes_;
  bool key_identifiers_ = true;
  std::vector<RawExtension> extra_;
  std::optional<SignatureScheme> scheme_;
};

}  // namespace lockstep::x509
