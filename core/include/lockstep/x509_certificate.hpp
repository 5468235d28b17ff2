#pragma once
// A certificate as a view over its DER bytes (RFC 5280 4), and what stands in it: names, extensions, keys.
//
// Everything here is a view: it owns nothing, allocates nothing unless it returns a text, and lives as long as the DER
// bytes. Parsing checks the whole of DER (X.690) and the structure of every extension of RFC 5280; what the values mean
// is checked by verify() in x509_verify.hpp.

#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>

#include <lockstep/bytes.hpp>
#include <lockstep/export.hpp>
#include <lockstep/provider.hpp>
#include <lockstep/types.hpp>

namespace lockstep::x509 {

/// Why bytes are not a certificate.
enum class ParseCode : std::uint8_t {
  // X.690: the encoding itself
  truncated,              ///< the bytes end inside a value
  trailing_data,          ///< bytes follow the value
  indefinite_length,      ///< BER, not DER
  length_not_minimal,     ///< a length in more bytes than it needs
  length_too_large,       ///< a length of more than four bytes
  high_tag_number,        ///< a tag of several bytes; X.509 has none
  unexpected_tag,         ///< another type than the structure demands
  boolean_not_canonical,  ///< neither 00 nor ff
  default_encoded,        ///< a DEFAULT value written out
  integer_empty,
  integer_not_minimal,
  integer_out_of_range,
  bit_string_malformed,  ///< no or impossible count of unused bits, or unused bits that are set
  null_not_empty,
  object_identifier_malformed,
  time_malformed,    ///< not YYMMDDHHMMSSZ or YYYYMMDDHHMMSSZ, or no such moment
  string_malformed,  ///< characters that the string type does not have
  set_malformed,     ///< an empty SET, or one out of order
  // RFC 5280: the structure
  version_unknown,
  public_key_malformed,
  extensions_empty,
  extension_duplicate,
  general_name_malformed,
  sequence_empty,       ///< a SEQUENCE that must have elements has none
  too_many_extensions,  ///< more than kMaxExtensions
  too_many_policies,    ///< more than kMaxPolicies
  too_large,            ///< more than kMaxCertificateSize
};

/// Where and why parsing stopped.
struct ParseError {
  ParseCode code;
  std::uint32_t offset;  ///< of the offending value, from the start of the certificate

  /// "length_not_minimal at byte 17: a length in more bytes than it needs"
  [[nodiscard]] LOCKSTEP_API std::string text() const;
  friend bool operator==(const ParseError&, const ParseError&) = default;
};

[[nodiscard]] LOCKSTEP_API std::string_view name(ParseCode code) noexcept;
[[nodiscard]] LOCKSTEP_API std::string_view explanation(ParseCode code) noexcept;

/// No certificate in use comes near; a TLS message could carry 16 MiB (RFC 9846 4.5.1).
inline constexpr std::size_t kMaxCertificateSize = std::size_t{1} << 20U;
/// RFC 5280 defines 17; certificates in use have about ten.
inline constexpr std::size_t kMaxExtensions = 64;
/// Certificates in use have a handful of policies.
inline constexpr std::size_t kMaxPolicies = 128;

// --- object identifiers ----------------------------------------------------------------------------------------------

/// "2.5.29.17" from the contents of an OBJECT IDENTIFIER; empty when they are malformed. An arc that is longer than a
/// UUID (X.667), which nobody has, is shown by its bytes: "2.25.[8181...]".
[[nodiscard]] LOCKSTEP_API std::string oid_text(Bytes contents);
/// "subjectAltName", "CN", "sha256WithRSAEncryption"; empty when unknown here.
[[nodiscard]] LOCKSTEP_API std::string_view oid_name(Bytes contents) noexcept;

// --- names -----------------------------------------------------------------------------------------------------------

/// One attribute of a distinguished name, such as CN=example.com.
struct NameAttribute {
  Bytes type;                ///< contents of the OBJECT IDENTIFIER
  std::uint8_t string_type;  ///< the DER tag of the value (0x0c UTF8String, 0x13 PrintableString, ...)
  Bytes value;               ///< contents of the string
  bool first_of_rdn;         ///< begins a new RelativeDistinguishedName
};

/// A distinguished name (RFC 5280 4.1.2.4), already checked.
class DistinguishedName {
 public:
  class Iterator {
   public:
    using value_type = NameAttribute;
    using difference_type = std::ptrdiff_t;
    Iterator() noexcept = default;
    [[nodiscard]] const NameAttribute& operator*() const noexcept { return attribute_; }
    [[nodiscard]] const NameAttribute* operator->() const noexcept { return &attribute_; }
    LOCKSTEP_API Iterator& operator++() noexcept;
    void operator++(int) noexcept { ++*this; }
    friend bool operator==(const Iterator& it, std::default_sentinel_t) noexcept { return it.done_; }

   private:
    friend class DistinguishedName;
    explicit Iterator(Bytes rdns) noexcept : rdns_(rdns) { ++*this; }
    Bytes rdns_;
    Bytes set_;
    NameAttribute attribute_{};
    bool done_ = false;
  };

  DistinguishedName() noexcept = default;
  /// From the DER of a Name, which must be whole and well formed.
  [[nodiscard]] LOCKSTEP_API static std::expected<DistinguishedName, ParseError> parse(Bytes der) noexcept;

  /// The whole SEQUENCE, tag and length included.
  [[nodiscard]] Bytes der() const noexcept { return der_; }
  [[nodiscard]] LOCKSTEP_API bool empty() const noexcept;
  [[nodiscard]] LOCKSTEP_API Iterator begin() const noexcept;
  [[nodiscard]] static std::default_sentinel_t end() noexcept { return {}; }

  /// "C=US, O=Let's Encrypt, CN=R3", in the order of the certificate. Special and unprintable characters are escaped as
  /// in RFC 4514 2.4, so that the text is safe to print and one line.
  [[nodiscard]] LOCKSTEP_API std::string text() const;
  /// The last common name as text, or empty.
  [[nodiscard]] LOCKSTEP_API std::string common_name() const;

  /// RFC 5280 7.1: equal without regard to case, string type, repeated spaces and the order within a
  /// RelativeDistinguishedName.
  [[nodiscard]] LOCKSTEP_API bool matches(const DistinguishedName& other) const noexcept;
  /// For tables of names: names that match have the same. Not stable between versions.
  [[nodiscard]] LOCKSTEP_API std::uint64_t hash() const noexcept;

 private:
  friend class CertificateParser;
  explicit DistinguishedName(Bytes der) noexcept : der_(der) {}
  Bytes der_;
};

/// One alternative name (RFC 5280 4.2.1.6). The enumerators are the context tags.
struct GeneralName {
  enum class Kind : std::uint8_t {
    other_name = 0,
    email = 1,
    dns = 2,
    x400_address = 3,
    directory_name = 4,
    edi_party_name = 5,
    uri = 6,
    ip_address = 7,
    registered_id = 8,
  };
  Kind kind;
  Bytes
      value;  ///< text, 4 or 16 address bytes (8 or 32 in name constraints), or for directory_name the DER of the Name

  /// "DNS:example.com", "IP:192.0.2.1", "email:a@example.com", "URI:...", "DirName:CN=...", always printable.
  [[nodiscard]] LOCKSTEP_API std::string text() const;
};

/// A list of general names, already checked.
class GeneralNames {
 public:
  class Iterator {
   public:
    using value_type = GeneralName;
    using difference_type = std::ptrdiff_t;
    Iterator() noexcept = default;
    [[nodiscard]] const GeneralName& operator*() const noexcept { return name_; }
    [[nodiscard]] const GeneralName* operator->() const noexcept { return &name_; }
    LOCKSTEP_API Iterator& operator++() noexcept;
    void operator++(int) noexcept { ++*this; }
    friend bool operator==(const Iterator& it, std::default_sentinel_t) noexcept { return it.done_; }

   private:
    friend class GeneralNames;
    explicit Iterator(Bytes rest) noexcept : rest_(rest) { ++*this; }
    Bytes rest_;
    GeneralName name_{};
    bool done_ = false;
  };

  GeneralNames() noexcept = default;
  [[nodiscard]] bool empty() const noexcept { return contents_.empty(); }
  [[nodiscard]] Iterator begin() const noexcept { return Iterator(contents_); }
  [[nodiscard]] static std::default_sentinel_t end() noexcept { return {}; }

 private:
  friend class CertificateParser;
  friend class Certificate;
  explicit GeneralNames(Bytes contents) noexcept : contents_(contents) {}
  Bytes contents_;
};

// --- extensions ------------------------------------------------------------------------------------------------------

struct Extension {
  Bytes oid;  ///< contents of the OBJECT IDENTIFIER
  bool critical;
  Bytes value;  ///< contents of the OCTET STRING
};

/// The extensions of a certificate in their order, already checked.
class Extensions {
 public:
  class Iterator {
   public:
    using value_type = Extension;
    using difference_type = std::ptrdiff_t;
    Iterator() noexcept = default;
    [[nodiscard]] const Extension& operator*() const noexcept { return extension_; }
    [[nodiscard]] const Extension* operator->() const noexcept { return &extension_; }
    LOCKSTEP_API Iterator& operator++() noexcept;
    void operator++(int) noexcept { ++*this; }
    friend bool operator==(const Iterator& it, std::default_sentinel_t) noexcept { return it.done_; }

   private:
    friend class Extensions;
    explicit Iterator(Bytes rest) noexcept : rest_(rest) { ++*this; }
    Bytes rest_;
    Extension extension_{};
    bool done_ = false;
  };

  Extensions() noexcept = default;
  [[nodiscard]] bool empty() const noexcept { return contents_.empty(); }
  [[nodiscard]] Iterator begin() const noexcept { return Iterator(contents_); }
  [[nodiscard]] static std::default_sentinel_t end() noexcept { return {}; }

 private:
  friend class Certificate;
  explicit Extensions(Bytes contents) noexcept : contents_(contents) {}
  Bytes contents_;
};

/// RFC 5280 4.2.1.3. The enumerators are the bit numbers.
enum class KeyUsage : std::uint8_t {
  digital_signature = 0,
  content_commitment = 1,
  key_encipherment = 2,
  data_encipherment = 3,
  key_agreement = 4,
  key_cert_sign = 5,
  crl_sign = 6,
  encipher_only = 7,
  decipher_only = 8,
};

struct KeyUsages {
  std::uint16_t bits = 0;  ///< bit n set: enumerator n
  [[nodiscard]] bool has(KeyUsage usage) const noexcept { return (bits >> static_cast<unsigned>(usage) & 1U) != 0; }
};

struct BasicConstraints {
  bool critical;
  bool ca;
  std::optional<std::uint32_t> path_length;
};

/// RFC 5280 4.2.1.12; the purposes that RFC 5280 names.
enum class Purpose : std::uint8_t {
  server_auth,
  client_auth,
  code_signing,
  email_protection,
  time_stamping,
  ocsp_signing,
  any
};

/// The purposes of an extended key usage extension.
struct ExtendedKeyUsage {
  bool critical;
  Bytes contents;  ///< OBJECT IDENTIFIERs, one after the other
  [[nodiscard]] LOCKSTEP_API bool has(Purpose purpose) const noexcept;
};

struct AuthorityKeyIdentifier {
  bool critical;
  std::optional<Bytes> key_identifier;
  std::optional<Bytes> issuer;         ///< GeneralNames contents
  std::optional<Bytes> serial_number;  ///< INTEGER contents
};

struct SubjectKeyIdentifier {
  bool critical;
  Bytes key_identifier;
};

struct SubjectAltName {
  bool critical;
  GeneralNames names;
};

struct NameConstraints {
  bool critical;
  std::optional<Bytes> permitted;  ///< GeneralSubtree values, one after the other
  std::optional<Bytes> excluded;
};

// --- keys and signatures ---------------------------------------------------------------------------------------------

/// What a SubjectPublicKeyInfo (RFC 5280 4.1.2.7) holds.
struct PublicKey {
  Bytes der;        ///< the whole SubjectPublicKeyInfo
  Bytes algorithm;  ///< contents of the algorithm's OBJECT IDENTIFIER
  Bytes key;        ///< contents of the BIT STRING without the count of unused bits
  std::optional<KeyType>
      type;                ///< nothing when it is not a KeyType or its parameters are not the ones that it must have
  std::uint32_t bits = 0;  ///< RSA modulus, or the curve's; 0 when not known
  /// The only algorithm that an id-RSASSA-PSS key with parameters may be used with (RFC 4055 3.3).
  std::optional<SignatureAlgorithm> only_algorithm;
  bool explicit_curve = false;  ///< an EC key that spells out its curve (forbidden by RFC 5480 2.1.1)

  [[nodiscard]] LOCKSTEP_API static std::expected<PublicKey, ParseError> parse(Bytes subject_public_key_info) noexcept;
};

/// A signature's AlgorithmIdentifier (RFC 5280 4.1.1.2).
struct SignatureIdentifier {
  Bytes der;                                    ///< the whole AlgorithmIdentifier
  Bytes oid;                                    ///< contents of its OBJECT IDENTIFIER
  std::optional<SignatureAlgorithm> algorithm;  ///< nothing when it is unknown or too weak to be verified
  bool weak = false;                            ///< MD2, MD4, MD5 or SHA-1
};

// --- the certificate -------------------------------------------------------------------------------------------------

/// A certificate. Copying copies the view. A default-constructed one is empty and good for nothing but assignment.
class LOCKSTEP_API Certificate {
 public:
  Certificate() noexcept = default;

  /// `der` is exactly one certificate; it must outlive the result and everything taken from it. Allocates nothing; the
  /// time is linear in the size.
  [[nodiscard]] static std::expected<Certificate, ParseError> parse(Bytes der) noexcept;

  [[nodiscard]] Bytes der() const noexcept { return der_; }
  /// TBSCertificate, the signed part.
  [[nodiscard]] Bytes to_be_signed() const noexcept { return tbs_; }
  /// 1, 2 or 3.
  [[nodiscard]] int version() const noexcept { return version_; }
  /// Contents of the INTEGER: big-endian two's complement.
  [[nodiscard]] Bytes serial_number() const noexcept { return serial_; }
  /// "04:a1:...".
  [[nodiscard]] std::string serial_number_text() const;
  [[nodiscard]] const DistinguishedName& issuer() const noexcept { return issuer_; }
  [[nodiscard]] const DistinguishedName& subject() const noexcept { return subject_; }
  /// Seconds since 1970-01-01T00:00:00Z; both ends belong to the period (RFC 5280 4.1.2.5).
  [[nodiscard]] std::int64_t not_before() const noexcept { return not_before_; }
  [[nodiscard]] std::int64_t not_after() const noexcept { return not_after_; }

  [[nodiscard]] Bytes subject_public_key_info() const noexcept { return key_.der; }
  [[nodiscard]] const PublicKey& public_key() const noexcept { return key_; }
  [[nodiscard]] std::optional<KeyType> key_type() const noexcept { return key_.type; }

  /// The algorithm as the outer structure states it, and as the signed part does; RFC 5280 4.1.1.2 wants them equal.
  [[nodiscard]] const SignatureIdentifier& signature_algorithm() const noexcept { return signature_algorithm_; }
  [[nodiscard]] Bytes signed_signature_algorithm() const noexcept { return inner_algorithm_; }
  /// Contents of the BIT STRING.
  [[nodiscard]] Bytes signature() const noexcept { return signature_; }

  [[nodiscard]] Extensions extensions() const noexcept { return Extensions(extensions_); }
  /// By the contents of its OBJECT IDENTIFIER.
  [[nodiscard]] std::optional<Extension> extension(Bytes oid) const noexcept;

  [[nodiscard]] const std::optional<BasicConstraints>& basic_constraints() const noexcept { return basic_constraints_; }
  [[nodiscard]] const std::optional<KeyUsages>& key_usage() const noexcept { return key_usage_; }
  [[nodiscard]] const std::optional<ExtendedKeyUsage>& extended_key_usage() const noexcept {
    return extended_key_usage_;
  }
  [[nodiscard]] const std::optional<SubjectAltName>& subject_alt_name() const noexcept { return subject_alt_name_; }
  /// The alternative names, none when there is no such extension.
  [[nodiscard]] GeneralNames alternative_names() const noexcept {
    return subject_alt_name_ ? subject_alt_name_->names : GeneralNames();
  }
  [[nodiscard]] const std::optional<NameConstraints>& name_constraints() const noexcept { return name_constraints_; }
  [[nodiscard]] const std::optional<Extension>& policy_constraints() const noexcept { return policy_constraints_; }
  [[nodiscard]] const std::optional<AuthorityKeyIdentifier>& authority_key_identifier() const noexcept {
    return authority_key_identifier_;
  }
  [[nodiscard]] const std::optional<SubjectKeyIdentifier>& subject_key_identifier() const noexcept {
    return subject_key_identifier_;
  }

  /// Critical extensions that verify() does not process itself: the caller says with Policy::handled_extensions which
  /// it does.
  [[nodiscard]] bool has_unknown_critical_extension() const noexcept { return unknown_critical_; }
  [[nodiscard]] static bool is_known_extension(Bytes oid) noexcept;
  /// Whether verify() processes this extension of the certificate, with what stands in it: no demand for an explicit
  /// policy, no policy with an unknown qualifier.
  [[nodiscard]] bool processes(const Extension& extension) const noexcept;
  /// Has a policy twice, which RFC 5280 4.2.1.4 forbids.
  [[nodiscard]] bool has_duplicate_policy() const noexcept { return duplicate_policy_; }
  /// Maps a policy from or to anyPolicy, which RFC 5280 4.2.1.5 forbids.
  [[nodiscard]] bool maps_any_policy() const noexcept { return maps_any_policy_; }
  /// authorityInfoAccess, subjectInfoAccess or the SCT list is critical, which RFC 5280 4.2.2 and RFC 6962 3.3 forbid.
  [[nodiscard]] bool has_wrongly_critical_extension() const noexcept { return wrongly_critical_; }

  /// Issuer and subject are the same name (RFC 5280 6.1).
  [[nodiscard]] bool is_self_issued() const noexcept { return self_issued_; }
  /// Asserts basic constraints with cA.
  [[nodiscard]] bool is_ca() const noexcept { return basic_constraints_ && basic_constraints_->ca; }

  /// Whether it has what a filter of oid_filters demands (RFC 9846 4.3.5): the extension `oid`, a whole OBJECT
  /// IDENTIFIER in DER, with all `values` in DER; empty values: any. Key usage and extended key usage are known here;
  /// what is demanded of others is met.
  [[nodiscard]] bool passes(Bytes oid, Bytes values) const noexcept;

  /// The digest of the DER, usually SHA-256. The size written to `out` (64 bytes suffice), or 0 when the library
  /// failed.
  [[nodiscard]] std::size_t fingerprint(const Hash& hash, MutableBytes out) const noexcept;
  /// "1f:2e:...", or empty when the provider lacks the hash.
  [[nodiscard]] std::string fingerprint_text(const Provider& provider,
                                             HashAlgorithm hash = HashAlgorithm::sha256) const;

  /// Several lines that a person can read: names, validity, key, extensions.
  [[nodiscard]] std::string text() const;

  /// The same bytes.
  friend bool operator==(const Certificate& a, const Certificate& b) noexcept { return equal(a.der_, b.der_); }

 private:
  friend class CertificateParser;
  Bytes der_;
  Bytes tbs_;
  Bytes serial_;
  Bytes inner_algorithm_;
  Bytes signature_;
  Bytes extensions_;
  DistinguishedName issuer_;
  DistinguishedName subject_;
  PublicKey key_;
  SignatureIdentifier signature_algorithm_;
  std::int64_t not_before_ = 0;
  std::int64_t not_after_ = 0;
  std::optional<BasicConstraints> basic_constraints_;
  std::optional<KeyUsages> key_usage_;
  std::optional<ExtendedKeyUsage> extended_key_usage_;
  std::optional<SubjectAltName> subject_alt_name_;
  std::optional<NameConstraints> name_constraints_;
  std::optional<AuthorityKeyIdentifier> authority_key_identifier_;
  std::optional<SubjectKeyIdentifier> subject_key_identifier_;
  std::optional<Extension> policy_constraints_;
  std::uint8_t version_ = 0;
  bool unknown_critical_ = false;
  bool wrongly_critical_ = false;
  bool self_issued_ = false;
  bool requires_explicit_policy_ = false;
  bool unknown_qualifier_ = false;
  bool duplicate_policy_ = false;
  bool maps_any_policy_ = false;
};

/// Seconds since 1970 as "2026-11-21 20:31:36 UTC".
[[nodiscard]] LOCKSTEP_API std::string time_text(std::int64_t unix_seconds);

}  // namespace lockstep::x509
