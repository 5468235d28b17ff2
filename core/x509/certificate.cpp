// A certificate, read (RFC 5280 4.1).

#include <algorithm>
#include <array>

#include "x509/algorithms.hpp"
#include "x509/calendar.hpp"
#include "x509/der.hpp"
#include "x509/oid.hpp"
#include "x509/parser.hpp"
#include "x509/text.hpp"

namespace lockstep::x509 {

namespace {

using der::ParseState;
using der::Reader;

Extension read_extension_fields(Reader& extensions) noexcept;
void read_extensions(Reader list, Certificate& out) noexcept;

}  // namespace

std::expected<Certificate, ParseError> Certificate::parse(Bytes der) noexcept { return CertificateParser::parse(der); }

std::expected<Certificate, ParseError> CertificateParser::parse(Bytes der) noexcept {
  if (der.size() > kMaxCertificateSize) return std::unexpected(ParseError{ParseCode::too_large, 0});
  ParseState state{der.data()};
  Reader input(state, der);
  Certificate out;
  out.der_ = der;

  Reader certificate = input.enter();
  input.end();
  const der::Element tbs_element = certificate.element(der::kSequence);
  out.tbs_ = tbs_element.whole;
  out.signature_algorithm_ = read_signature_identifier(certificate);
  const std::uint8_t* const signature_at = certificate.position();
  const der::BitString signature = certificate.bit_string();
  if (signature.unused_bits != 0) certificate.fail(ParseCode::bit_string_malformed, signature_at);
  out.signature_ = signature.bytes;
  certificate.end();

  Reader tbs = certificate.within(tbs_element.contents);
  out.version_ = 1;
  if (tbs.next_is(der::context_constructed(0))) {
    const std::uint8_t* const at = tbs.position();
    Reader version = tbs.enter(der::context_constructed(0));
    const std::uint32_t number = version.small_integer();
    version.end();
    // RFC 5280 4.1: Version ::= INTEGER { v1(0), v2(1), v3(2) } DEFAULT v1
    if (!tbs.failed() && number == 0) tbs.fail(ParseCode::default_encoded, at);
    if (!tbs.failed() && number > 2) tbs.fail(ParseCode::version_unknown, at);
    out.version_ = static_cast<std::uint8_t>(number + 1);
  }
  out.serial_ = tbs.integer();
  const std::uint8_t* const inner_at = tbs.position();
  read_signature_identifier(tbs);
  if (!tbs.failed()) out.inner_algorithm_ = {inner_at, tbs.position()};
  out.issuer_ = read_name(tbs);
  Reader validity = tbs.enter();
  out.not_before_ = validity.time();
  out.not_after_ = validity.time();
  validity.end();
  out.subject_ = read_name(tbs);
  out.key_ = read_public_key(tbs);
  // issuerUniqueID and subjectUniqueID: read and ignored, as RFC 5280 4.1.2.8 expects.
  tbs.optional(der::context(1));
  tbs.optional(der::context(2));
  if (tbs.next_is(der::context_constructed(3))) {
    const std::uint8_t* const at = tbs.position();
    Reader explicit_tag = tbs.enter(der::context_constructed(3));
    Reader list = explicit_tag.enter();
    explicit_tag.end();
    // RFC 5280 4.1: Extensions ::= SEQUENCE SIZE (1..MAX) OF Extension
    if (!tbs.failed() && list.rest().empty()) tbs.fail(ParseCode::extensions_empty, at);
    out.extensions_ = list.rest();
    read_extensions(list, out);
  }
  tbs.end();

  if (state.error) return std::unexpected(*state.error);
  out.self_issued_ = out.issuer_.matches(out.subject_);
  return out;
}

std::optional<Extension> Certificate::extension(Bytes oid) const noexcept {
  for (const Extension& extension : extensions()) {
    if (equal(extension.oid, oid)) return extension;
  }
  return std::nullopt;
}

bool Certificate::is_known_extension(Bytes oid) noexcept {
  // What verify() processes. Of the policy extensions only the demand for an explicit policy can refuse a chain when
  // any policy will do (RFC 5280 6.1.1 (c)), and that demand is not met here: see processes(). Distribution points say
  // where to look for revocation, which is the caller's.
  static constexpr std::array<const Oid*, 10> kProcessed = {&oid::kBasicConstraints,    &oid::kKeyUsage,
                                                            &oid::kExtendedKeyUsage,    &oid::kSubjectAltName,
                                                            &oid::kNameConstraints,     &oid::kPolicyMappings,
                                                            &oid::kPolicyConstraints,   &oid::kInhibitAnyPolicy,
                                                            &oid::kCertificatePolicies, &oid::kCrlDistributionPoints};
  // These must not be critical, and that is checked.
  static constexpr std::array<const Oid*, 5> kNeverCritical = {&oid::kAuthorityKeyIdentifier,
                                                               &oid::kSubjectKeyIdentifier, &oid::kAuthorityInfoAccess,
                                                               &oid::kSubjectInfoAccess, &oid::kSctList};
  const auto is = [&](const Oid* known) { return *known == oid; };
  return std::ranges::any_of(kProcessed, is) || std::ranges::any_of(kNeverCritical, is);
}

bool Certificate::processes(const Extension& extension) const noexcept {
  // RFC 5280 4.2.1.4: "If this extension is critical, the path validation software MUST be able to interpret this
  // extension (including the optional qualifier), or MUST reject the certificate."
  if (oid::kCertificatePolicies == extension.oid) return !unknown_qualifier_;
  // A demand for an explicit policy is one to process the policies of the path.
  if (oid::kPolicyConstraints == extension.oid) return !requires_explicit_policy_;
  return is_known_extension(extension.oid);
}

std::size_t Certificate::fingerprint(const Hash& hash, MutableBytes out) const noexcept {
  if (out.size() < hash.digest_size) return 0;
  alignas(64) std::array<std::uint8_t, kMaxHashContextSize> context;
  if (!hash.init(context.data())) return 0;
  hash.update(context.data(), der_);
  const bool done = hash.digest(context.data(), out.first(hash.digest_size));
  hash.destroy(context.data());
  return done ? hash.digest_size : 0;
}

std::string Certificate::fingerprint_text(const Provider& provider, HashAlgorithm algorithm) const {
  const Hash* const hash = provider.hash(algorithm);
  std::array<std::uint8_t, kMaxDigestSize> digest{};
  const std::size_t size = hash != nullptr ? fingerprint(*hash, digest) : 0;
  return hex(Bytes(digest).first(size), ":");
}

std::string Certificate::serial_number_text() const { return hex(serial_, ":"); }

std::string Certificate::text() const {
  std::string out;
  const auto line = [&out](std::string_view label, const std::string& value) {
    out += label;
    out += ": ";
    out += value;
    out += '\n';
  };
  const auto named = [](Bytes oid) {
    const std::string_view known = oid_name(oid);
    return known.empty() ? oid_text(oid) : std::string(known);
  };
  line("subject", subject_.text());
  line("issuer", issuer_.text());
  line("serial number", serial_number_text());
  line("version", std::to_string(version_));
  line("not before", time_text(not_before_));
  line("not after", time_text(not_after_));
  const std::string bits = key_.bits != 0 ? ", " + std::to_string(key_.bits) + " bits" : std::string();
  line("public key", (key_.type ? std::string(name(*key_.type)) : named(key_.algorithm)) + bits);
  line("signature", signature_algorithm_.algorithm ? std::string(name(*signature_algorithm_.algorithm))
                                                   : named(signature_algorithm_.oid));
  for (const GeneralName& alternative : alternative_names()) line("alternative name", alternative.text());
  if (basic_constraints_) {
    const auto& length = basic_constraints_->path_length;
    line("CA",
         basic_constraints_->ca ? "yes" + (length ? ", path length " + std::to_string(*length) : std::string()) : "no");
  }
  if (key_usage_) {
    static constexpr std::array<std::string_view, 9> kUsages = {
        "digitalSignature", "contentCommitment", "keyEncipherment", "dataEncipherment", "keyAgreement",
        "keyCertSign",      "cRLSign",           "encipherOnly",    "decipherOnly"};
    std::string usages;
    for (std::size_t i = 0; i < kUsages.size(); ++i) {
      if (!key_usage_->has(static_cast<KeyUsage>(i))) continue;
      usages += usages.empty() ? "" : ", ";
      usages += kUsages[i];
    }
    line("key usage", usages);
  }
  if (extended_key_usage_) {
    std::string purposes;
    ParseState state{extended_key_usage_->contents.data()};
    for (Reader reader(state, extended_key_usage_->contents); reader.more();) {
      purposes += purposes.empty() ? "" : ", ";
      purposes += named(reader.object_identifier());
    }
    line("extended key usage", purposes);
  }
  if (subject_key_identifier_) line("subject key identifier", hex(subject_key_identifier_->key_identifier, ":"));
  if (authority_key_identifier_ && authority_key_identifier_->key_identifier) {
    line("authority key identifier", hex(*authority_key_identifier_->key_identifier, ":"));
  }
  std::string all;
  for (const Extension& extension : extensions()) {
    all += all.empty() ? "" : ", ";
    all += named(extension.oid) + (extension.critical ? " (critical)" : "");
  }
  line("extensions", all.empty() ? "none" : all);
  return out;
}

Extensions::Iterator& Extensions::Iterator::operator++() noexcept {
  ParseState state{rest_.data()};
  Reader reader(state, rest_);
  if (!reader.more()) {
    done_ = true;
    return *this;
  }
  extension_ = read_extension_fields(reader);
  rest_ = reader.rest();
  done_ = state.error.has_value();
  return *this;
}

std::string time_text(std::int64_t unix_seconds) {
  const CalendarTime time = calendar_time(unix_seconds);
  const auto padded = [](int value, std::size_t width) {
    const std::string digits = std::to_string(value);
    return std::string(width - std::min(width, digits.size()), '0') + digits;
  };
  return padded(time.year, 4) + "-" + padded(time.month, 2) + "-" + padded(time.day, 2) + " " + padded(time.hour, 2) +
         ":" + padded(time.minute, 2) + ":" + padded(time.second, 2) + " UTC";
}

namespace {

/// Extension ::= SEQUENCE { extnID OBJECT IDENTIFIER, critical BOOLEAN DEFAULT FALSE, extnValue OCTET STRING }
Extension read_extension_fields(Reader& extensions) noexcept {
  Extension out{};
  Reader fields = extensions.enter();
  out.oid = fields.object_identifier();
  // X.690 11.5 forbids to write FALSE out, as it is the default. Many certificates have it, and it says the same.
  if (fields.next_is(der::kBoolean)) out.critical = fields.boolean();
  out.value = fields.element(der::kOctetString).contents;
  fields.end();
  return out;
}

void read_extensions(Reader list, Certificate& out) noexcept {
  std::array<Bytes, kMaxExtensions> seen;
  std::size_t count = 0;
  while (list.more()) {
    const std::uint8_t* const at = list.position();
    const Extension extension = read_extension_fields(list);
    if (list.failed()) return;
    // RFC 5280 4.2: "A certificate MUST NOT include more than one instance of a particular extension."
    if (std::ranges::any_of(seen.begin(), seen.begin() + count, [&](Bytes oid) { return equal(oid, extension.oid); })) {
      return list.fail(ParseCode::extension_duplicate, at);
    }
    if (count == seen.size()) return list.fail(ParseCode::too_many_extensions, at);
    seen[count++] = extension.oid;
    CertificateParser::read_extension(extension, list.within(extension.value), out);
  }
}

}  // namespace

}  // namespace lockstep::x509
