// Certificates made in memory (RFC 5280 4).

#include <algorithm>
#include <array>

#include <lockstep/x509_builder.hpp>
#include <lockstep/x509_pem.hpp>

#include "x509/algorithms.hpp"
#include "x509/der_writer.hpp"
#include "x509/oid.hpp"
#include "x509/parser.hpp"
#include "x509/peer_name.hpp"

namespace lockstep::x509 {

namespace {

using Writer = der::Writer;

constexpr std::uint16_t bit_of(KeyUsage usage) noexcept {
  return static_cast<std::uint16_t>(1U << static_cast<unsigned>(usage));
}

std::optional<std::vector<std::uint8_t>> write_name(std::string_view text);
void write_signature_identifier(Writer& out, SignatureAlgorithm algorithm);
std::optional<SignatureScheme> choose_scheme(const SigningKey& key, std::optional<SignatureScheme> wanted) noexcept;
std::optional<std::array<std::uint8_t, 20>> key_identifier(const Provider& provider,
                                                           Bytes subject_public_key_info) noexcept;
void append_general_name(std::vector<std::uint8_t>& out, GeneralName::Kind kind, Bytes value, bool as_subtree);
void write_key_usage(Writer& out, std::uint16_t usages);

}  // namespace

/// Who signs, and what of it goes into the certificate.
struct CertificateBuilder::Signer {
  const Provider& provider;
  const SigningKey& key;
  Bytes name;  // DER of the issuer; the subject's own when empty
  std::vector<std::uint8_t> key_identifier;
};

CertificateBuilder::CertificateBuilder(std::string_view subject) {
  auto name = write_name(subject);
  if (name) {
    subject_ = std::move(*name);
  } else {
    fail(BuildError::subject_malformed);
  }
}

CertificateBuilder& CertificateBuilder::validity(std::int64_t not_before, std::int64_t not_after) {
  not_before_ = not_before;
  not_after_ = not_after;
  return *this;
}

CertificateBuilder& CertificateBuilder::serial_number(Bytes big_endian) {
  serial_.assign(big_endian.begin(), big_endian.end());
  return *this;
}

CertificateBuilder& CertificateBuilder::dns(std::string_view name) {
  if (!is_presented_dns_name(name)) fail(BuildError::name_malformed);
  append_general_name(alternative_names_, GeneralName::Kind::dns, as_bytes(name), false);
  return *this;
}

CertificateBuilder& CertificateBuilder::ip(Bytes address) {
  if (address.size() != 4 && address.size() != 16) fail(BuildError::name_malformed);
  append_general_name(alternative_names_, GeneralName::Kind::ip_address, address, false);
  return *this;
}

CertificateBuilder& CertificateBuilder::email(std::string_view mailbox) {
  const bool ascii = std::ranges::all_of(mailbox, [](char c) { return c > 0x20 && c < 0x7f; });
  if (!ascii || std::ranges::count(mailbox, '@') != 1) fail(BuildError::name_malformed);
  append_general_name(alternative_names_, GeneralName::Kind::email, as_bytes(mailbox), false);
  return *this;
}

CertificateBuilder& CertificateBuilder::uri(std::string_view uri) {
  const bool ascii = std::ranges::all_of(uri, [](char c) { return c > 0x20 && c < 0x7f; });
  if (!ascii || uri.find(':') == std::string_view::npos) fail(BuildError::name_malformed);
  append_general_name(alternative_names_, GeneralName::Kind::uri, as_bytes(uri), false);
  return *this;
}

CertificateBuilder& CertificateBuilder::ca(std::optional<std::uint32_t> path_length) {
  ca_ = true;
  path_length_ = path_length;
  return key_usage({KeyUsage::key_cert_sign, KeyUsage::crl_sign});
}

CertificateBuilder& CertificateBuilder::server() {
  if (std::ranges::find(purposes_, Purpose::server_auth) == purposes_.end()) purposes_.push_back(Purpose::server_auth);
  key_usage_ = bit_of(KeyUsage::digital_signature);
  encipherment_for_rsa_ = true;
  return *this;
}

CertificateBuilder& CertificateBuilder::client() {
  if (std::ranges::find(purposes_, Purpose::client_auth) == purposes_.end()) purposes_.push_back(Purpose::client_auth);
  key_usage_ = bit_of(KeyUsage::digital_signature);
  return *this;
}

CertificateBuilder& CertificateBuilder::key_usage(std::initializer_list<KeyUsage> usages) {
  key_usage_ = 0;
  for (const KeyUsage usage : usages) key_usage_ = static_cast<std::uint16_t>(key_usage_ | bit_of(usage));
  encipherment_for_rsa_ = false;
  return *this;
}

CertificateBuilder& CertificateBuilder::purposes(std::initializer_list<Purpose> purposes) {
  purposes_ = purposes;
  return *this;
}

CertificateBuilder& CertificateBuilder::permit_dns(std::string_view subtree) {
  if (!subtree.empty() && !is_presented_dns_name(subtree)) fail(BuildError::name_malformed);
  append_general_name(permitted_, GeneralName::Kind::dns, as_bytes(subtree), true);
  return *this;
}

CertificateBuilder& CertificateBuilder::exclude_dns(std::string_view subtree) {
  if (!subtree.empty() && !is_presented_dns_name(subtree)) fail(BuildError::name_malformed);
  append_general_name(excluded_, GeneralName::Kind::dns, as_bytes(subtree), true);
  return *this;
}

CertificateBuilder& CertificateBuilder::permit_ip(Bytes address_and_mask) {
  if (address_and_mask.size() != 8 && address_and_mask.size() != 32) fail(BuildError::name_malformed);
  append_general_name(permitted_, GeneralName::Kind::ip_address, address_and_mask, true);
  return *this;
}

CertificateBuilder& CertificateBuilder::exclude_ip(Bytes address_and_mask) {
  if (address_and_mask.size() != 8 && address_and_mask.size() != 32) fail(BuildError::name_malformed);
  append_general_name(excluded_, GeneralName::Kind::ip_address, address_and_mask, true);
  return *this;
}

CertificateBuilder& CertificateBuilder::without_key_identifiers() {
  key_identifiers_ = false;
  return *this;
}

CertificateBuilder& CertificateBuilder::extension(std::string_view oid, bool critical, Bytes value) {
  auto encoded = oid_from_text(oid);
  if (!encoded) {
    fail(BuildError::oid_malformed);
    return *this;
  }
  extra_.push_back({std::move(*encoded), critical, {value.begin(), value.end()}});
  return *this;
}

CertificateBuilder& CertificateBuilder::scheme(SignatureScheme scheme) {
  scheme_ = scheme;
  return *this;
}

CertificateBuilder::Result CertificateBuilder::self_signed(const Provider& provider, const SigningKey& key,
                                                           RandomSource& random) const {
  return build({provider, key, {}, {}}, key.subject_public_key_info(), random);
}

CertificateBuilder::Result CertificateBuilder::issued_by(const Provider& provider, Bytes issuer,
                                                         const SigningKey& issuer_key, Bytes subject_public_key_info,
                                                         RandomSource& random) const {
  const auto parsed = Certificate::parse(issuer);
  if (!parsed || !belongs_to(issuer, issuer_key)) return std::unexpected(BuildError::issuer_malformed);
  Signer signer{provider, issuer_key, parsed->subject().der(), {}};
  if (parsed->subject_key_identifier()) {
    const Bytes identifier = parsed->subject_key_identifier()->key_identifier;
    signer.key_identifier.assign(identifier.begin(), identifier.end());
  } else if (const auto identifier = key_identifier(provider, parsed->subject_public_key_info())) {
    signer.key_identifier.assign(identifier->begin(), identifier->end());
  }
  return build(signer, subject_public_key_info, random);
}

CertificateBuilder::Result CertificateBuilder::build(const Signer& signer, Bytes subject_public_key_info,
                                                     RandomSource& random) const {
  if (error_) return std::unexpected(*error_);
  constexpr std::int64_t kFirst = seconds_since_1970({1950, 1, 1, 0, 0, 0});
  constexpr std::int64_t kLast = seconds_since_1970({9999, 12, 31, 23, 59, 59});
  if (not_before_ < kFirst || not_after_ > kLast || not_after_ < not_before_)
    return std::unexpected(BuildError::validity_malformed);
  const auto scheme = choose_scheme(signer.key, scheme_);
  if (!scheme) return std::unexpected(BuildError::scheme_unsupported);
  const SignatureAlgorithm algorithm = parts(*scheme)->algorithm;
  const auto subject_identifier = key_identifier(signer.provider, subject_public_key_info);
  if (key_identifiers_ && !subject_identifier) return std::unexpected(BuildError::no_hash);

  std::vector<std::uint8_t> serial = serial_;
  if (serial.empty()) {
    serial.resize(16);
    if (!random.fill(serial)) return std::unexpected(BuildError::random_failed);
    serial[0] = static_cast<std::uint8_t>((serial[0] & 0x3fU) | 0x40U);  // positive, and always of 16 bytes
  }

  Writer tbs(1024);
  tbs.nest(der::kSequence, [&] {
    tbs.nest(der::context_constructed(0), [&] { tbs.integer(2); });  // version 3
    tbs.integer(Bytes(serial));
    write_signature_identifier(tbs, algorithm);
    tbs.raw(signer.name.empty() ? Bytes(subject_) : signer.name);
    tbs.nest(der::kSequence, [&] {
      tbs.time(not_before_);
      tbs.time(not_after_);
    });
    tbs.raw(subject_);
    tbs.raw(subject_public_key_info);
    const std::vector<std::uint8_t> extensions =
        write_extensions(usage_of(subject_public_key_info), signer.key_identifier, subject_identifier);
    if (!extensions.empty()) {
      tbs.nest(der::context_constructed(3), [&] { tbs.element(der::kSequence, extensions); });
    }
  });

  std::array<std::uint8_t, kMaxSignatureSize> signature{};
  const std::size_t size = signer.key.sign(*scheme, tbs.view(), random, signature);
  if (size == 0) return std::unexpected(BuildError::sign_failed);
  Writer certificate(tbs.view().size() + size + 64);
  certificate.nest(der::kSequence, [&] {
    certificate.raw(tbs.view());
    write_signature_identifier(certificate, algorithm);
    certificate.bit_string(Bytes(signature).first(size));
  });
  return std::move(certificate).take();
}

std::uint16_t CertificateBuilder::usage_of(Bytes subject_public_key_info) const noexcept {
  const auto key = PublicKey::parse(subject_public_key_info);
  const bool enciphers = encipherment_for_rsa_ && key && key->type == KeyType::rsa;
  return static_cast<std::uint16_t>(key_usage_ | (enciphers ? bit_of(KeyUsage::key_encipherment) : 0));
}

std::vector<std::uint8_t> CertificateBuilder::write_extensions(
    std::uint16_t key_usage, Bytes issuer_identifier,
    std::optional<std::array<std::uint8_t, 20>> subject_identifier) const {
  Writer out(512);
  const auto put = [&out](Bytes oid, bool critical, auto write_value) {
    out.nest(der::kSequence, [&] {
      out.object_identifier(oid);
      if (critical) out.boolean_true();
      out.nest(der::kOctetString, write_value);
    });
  };
  const auto wanted = [this](const Oid& oid) {
    return std::ranges::none_of(extra_, [&](const RawExtension& extension) { return oid == extension.oid; });
  };
  if (ca_ && wanted(oid::kBasicConstraints)) {
    put(oid::kBasicConstraints.view(), true, [&] {
      out.nest(der::kSequence, [&] {
        out.boolean_true();
        if (path_length_) out.integer(*path_length_);
      });
    });
  }
  if (key_usage != 0 && wanted(oid::kKeyUsage))
    put(oid::kKeyUsage.view(), true, [&] { write_key_usage(out, key_usage); });
  if (!purposes_.empty() && wanted(oid::kExtendedKeyUsage)) {
    put(oid::kExtendedKeyUsage.view(), false, [&] {
      out.nest(der::kSequence, [&] {
        for (const Purpose purpose : purposes_) out.object_identifier(purpose_oid(purpose));
      });
    });
  }
  if (!alternative_names_.empty() && wanted(oid::kSubjectAltName)) {
    // RFC 5280 4.2.1.6: critical when the subject is empty.
    put(oid::kSubjectAltName.view(), subject_.size() == 2, [&] { out.element(der::kSequence, alternative_names_); });
  }
  if ((!permitted_.empty() || !excluded_.empty()) && wanted(oid::kNameConstraints)) {
    put(oid::kNameConstraints.view(), true, [&] {
      out.nest(der::kSequence, [&] {
        if (!permitted_.empty()) out.element(der::context_constructed(0), permitted_);
        if (!excluded_.empty()) out.element(der::context_constructed(1), excluded_);
      });
    });
  }
  if (key_identifiers_ && wanted(oid::kSubjectKeyIdentifier)) {
    put(oid::kSubjectKeyIdentifier.view(), false, [&] { out.octet_string(*subject_identifier); });
  }
  if (key_identifiers_ && wanted(oid::kAuthorityKeyIdentifier)) {
    put(oid::kAuthorityKeyIdentifier.view(), false, [&] {
      out.nest(der::kSequence, [&] {
        out.element(der::context(0), issuer_identifier.empty() ? Bytes(*subject_identifier) : issuer_identifier);
      });
    });
  }
  for (const RawExtension& extension : extra_) {
    put(extension.oid, extension.critical, [&] { out.raw(extension.value); });
  }
  return std::move(out).take();
}

void CertificateBuilder::fail(BuildError error) noexcept {
  if (!error_) error_ = error;
}

std::string_view name(BuildError error) noexcept {
  switch (error) {
    case BuildError::subject_malformed: return "subject_malformed";
    case BuildError::name_malformed: return "name_malformed";
    case BuildError::oid_malformed: return "oid_malformed";
    case BuildError::validity_malformed: return "validity_malformed";
    case BuildError::issuer_malformed: return "issuer_malformed";
    case BuildError::scheme_unsupported: return "scheme_unsupported";
    case BuildError::random_failed: return "random_failed";
    case BuildError::sign_failed: return "sign_failed";
    case BuildError::no_hash: return "no_hash";
  }
  return {};
}

std::string_view explanation(BuildError error) noexcept {
  switch (error) {
    case BuildError::subject_malformed:
      return "the subject is not of the form \"CN=name, O=organisation\" with the attributes C, ST, L, O, OU, CN, DC, "
             "serialNumber and emailAddress in UTF-8";
    case BuildError::name_malformed:
      return "an alternative name or name constraint is not a host name, address, mailbox or URI";
    case BuildError::oid_malformed: return "an object identifier is not of the form \"1.2.3\"";
    case BuildError::validity_malformed:
      return "the validity was not set, ends before it begins, or leaves the years 1950 to 9999";
    case BuildError::issuer_malformed:
      return "the issuer's certificate does not parse, or is not for the key that is to sign";
    case BuildError::scheme_unsupported:
      return "the key cannot sign certificates, or not with the scheme that was asked for";
    case BuildError::random_failed: return "no randomness for the serial number";
    case BuildError::sign_failed: return "the key failed to sign";
    case BuildError::no_hash: return "the provider lacks SHA-256, with which key identifiers are made";
  }
  return {};
}

namespace {

struct AttributeType {
  std::string_view name;
  const Oid& oid;
  der::Tag string_type;
};
constexpr std::array kAttributeTypes = std::to_array<AttributeType>({
    {"CN", oid::kCommonName, der::kUtf8String},
    {"O", oid::kOrganization, der::kUtf8String},
    {"OU", oid::kOrganizationalUnit, der::kUtf8String},
    {"L", oid::kLocality, der::kUtf8String},
    {"ST", oid::kState, der::kUtf8String},
    // RFC 5280 A.1: these are PrintableString, those IA5String.
    {"C", oid::kCountry, der::kPrintableString},
    {"serialNumber", oid::kSerialNumber, der::kPrintableString},
    {"DC", oid::kDomainComponent, der::kIa5String},
    {"emailAddress", oid::kEmailAddress, der::kIa5String},
});

std::string_view trim(std::string_view text) noexcept {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

/// "CN=name, O=organisation" to a Name; each attribute becomes a RelativeDistinguishedName of its own.
std::optional<std::vector<std::uint8_t>> write_name(std::string_view text) {
  Writer out;
  bool ok = true;
  out.nest(der::kSequence, [&] {
    while (!(text = trim(text)).empty()) {
      const std::size_t equals = text.find('=');
      const std::string_view wanted = trim(text.substr(0, equals));
      const auto* const type = std::ranges::find_if(
          kAttributeTypes, [&](const AttributeType& known) { return equal_ignoring_case(known.name, wanted); });
      if (equals == std::string_view::npos || type == kAttributeTypes.end()) {
        ok = false;
        return;
      }
      std::string value;
      std::size_t i = equals + 1;
      for (; i < text.size() && text[i] != ','; ++i) {
        if (text[i] == '\\' && i + 1 < text.size()) ++i;
        value += text[i];
      }
      text.remove_prefix(std::min(i + 1, text.size()));
      out.nest(der::kSet, [&] {
        out.nest(der::kSequence, [&] {
          out.object_identifier(type->oid);
          out.element(type->string_type, as_bytes(trim(value)));
        });
      });
    }
  });
  // Reading it back checks the characters of each string type.
  if (!ok || !DistinguishedName::parse(out.view())) return std::nullopt;
  return std::move(out).take();
}

void write_signature_identifier(Writer& out, SignatureAlgorithm algorithm) {
  out.nest(der::kSequence, [&] {
    out.object_identifier(signature_oid(algorithm));
    const Oid* const pss_hash = pss_hash_oid(algorithm);
    if (pss_hash == nullptr) {
      // RFC 4055 5: "the parameters MUST be NULL"; the others have none.
      if (has_null_parameters(algorithm)) out.null();
      return;
    }
    const auto hash = [&] {
      out.nest(der::kSequence, [&] {
        out.object_identifier(*pss_hash);
        out.null();
      });
    };
    // RFC 4055 3.1: RSASSA-PSS-params
    out.nest(der::kSequence, [&] {
      out.nest(der::context_constructed(0), hash);
      out.nest(der::context_constructed(1), [&] {
        out.nest(der::kSequence, [&] {
          out.object_identifier(oid::kMgf1);
          hash();
        });
      });
      out.nest(der::context_constructed(2), [&] { out.integer(pss_salt_size(algorithm)); });
    });
  });
}

/// PKCS#1 for RSA keys, which everybody can verify; else the key's first.
std::optional<SignatureScheme> choose_scheme(const SigningKey& key, std::optional<SignatureScheme> wanted) noexcept {
  const auto schemes = key.schemes();
  const auto has = [&](SignatureScheme scheme) {
    return std::ranges::find(schemes, scheme) != schemes.end() && parts(scheme) && !is_insecure(scheme);
  };
  if (wanted) return has(*wanted) ? wanted : std::nullopt;
  if (has(SignatureScheme::rsa_pkcs1_sha256)) return SignatureScheme::rsa_pkcs1_sha256;
  const auto first = std::ranges::find_if(schemes, has);
  return first == schemes.end() ? std::nullopt : std::optional(*first);
}

/// RFC 7093 2 (1): the first 160 bits of the SHA-256 of the public key's BIT STRING.
std::optional<std::array<std::uint8_t, 20>> key_identifier(const Provider& provider,
                                                           Bytes subject_public_key_info) noexcept {
  const Hash* const hash = provider.hash(HashAlgorithm::sha256);
  const auto key = PublicKey::parse(subject_public_key_info);
  if (hash == nullptr || !key) return std::nullopt;
  alignas(64) std::array<std::uint8_t, kMaxHashContextSize> context;
  std::array<std::uint8_t, 32> digest{};
  if (!hash->init(context.data())) return std::nullopt;
  hash->update(context.data(), key->key);
  const bool done = hash->digest(context.data(), digest);
  hash->destroy(context.data());
  if (!done) return std::nullopt;
  std::array<std::uint8_t, 20> out{};
  std::ranges::copy(Bytes(digest).first(out.size()), out.begin());
  return out;
}

void append_general_name(std::vector<std::uint8_t>& out, GeneralName::Kind kind, Bytes value, bool as_subtree) {
  Writer name;
  const std::uint8_t tag = der::context(static_cast<unsigned>(kind));
  if (as_subtree) {
    name.nest(der::kSequence, [&] { name.element(tag, value); });
  } else {
    name.element(tag, value);
  }
  out.insert(out.end(), name.view().begin(), name.view().end());
}

/// A named bit list: no zero bits at the end (X.690 11.2.2).
void write_key_usage(Writer& out, std::uint16_t usages) {
  std::array<std::uint8_t, 2> bytes{};
  unsigned last = 0;
  for (unsigned bit = 0; bit < 16; ++bit) {
    if ((usages >> bit & 1U) == 0) continue;
    bytes[bit / 8] = static_cast<std::uint8_t>(bytes[bit / 8] | 0x80U >> bit % 8);
    last = bit;
  }
  out.bit_string(Bytes(bytes).first(last / 8 + 1), static_cast<std::uint8_t>(7 - last % 8));
}

}  // namespace

}  // namespace lockstep::x509
