// Distinguished names and general names (RFC 5280 4.1.2.4, 4.2.1.6, 7.1).

#include <algorithm>
#include <array>

#include "x509/der.hpp"
#include "x509/oid.hpp"
#include "x509/parser.hpp"
#include "x509/text.hpp"

namespace lockstep::x509 {

namespace {

using der::Element;
using der::ParseState;
using der::Reader;

struct AttributeName {
  const Oid& oid;
  std::string_view name;
};

bool is_well_formed_string(const Element& value) noexcept;
std::string value_text(const NameAttribute& attribute, std::string_view special);
std::string arc_text(Bytes subidentifier, std::uint32_t offset);

}  // namespace

// --- distinguished names ---------------------------------------------------------------------------------------------

std::expected<DistinguishedName, ParseError> DistinguishedName::parse(Bytes der) noexcept {
  ParseState state{der.data()};
  Reader reader(state, der);
  const DistinguishedName name = CertificateParser::read_name(reader);
  reader.end();
  if (state.error) return std::unexpected(*state.error);
  return name;
}

DistinguishedName CertificateParser::read_name(Reader& reader) noexcept {
  const std::uint8_t* const start = reader.position();
  for (Reader rdns = reader.enter(); rdns.more();) {
    // RFC 5280 4.1.2.4: RelativeDistinguishedName ::= SET SIZE (1..MAX) OF AttributeTypeAndValue
    const std::uint8_t* const set_at = rdns.position();
    Reader set = rdns.enter(der::kSet);
    if (!set.failed() && !set.more()) rdns.fail(ParseCode::set_malformed, set_at);
    Bytes previous;
    while (set.more()) {
      const Element attribute = set.element(der::kSequence);
      // X.690 11.6: "The encodings of the component values of a set-of value shall appear in ascending order".
      if (std::ranges::lexicographical_compare(attribute.whole, previous))
        return set.fail(ParseCode::set_malformed, set_at), DistinguishedName();
      previous = attribute.whole;
      Reader parts = set.within(attribute.contents);
      parts.object_identifier();
      const Element value = parts.any();
      parts.end();
      if (!parts.failed() && !is_well_formed_string(value)) parts.fail(ParseCode::string_malformed, value.whole.data());
    }
  }
  if (reader.failed()) return {};
  return DistinguishedName({start, reader.position()});
}

bool DistinguishedName::empty() const noexcept { return der_.size() <= 2; }

DistinguishedName::Iterator DistinguishedName::begin() const noexcept {
  if (der_.empty()) return Iterator(Bytes());
  ParseState state{der_.data()};
  return Iterator(Reader(state, der_).element(der::kSequence).contents);
}

DistinguishedName::Iterator& DistinguishedName::Iterator::operator++() noexcept {
  ParseState state{rdns_.data()};
  bool first = false;
  if (set_.empty()) {
    Reader rdns(state, rdns_);
    if (!rdns.more()) {
      done_ = true;
      return *this;
    }
    set_ = rdns.element(der::kSet).contents;
    rdns_ = rdns.rest();
    first = true;
  }
  Reader set(state, set_);
  Reader attribute = set.enter();
  set_ = set.rest();
  attribute_.type = attribute.object_identifier();
  const Element value = attribute.any();
  attribute_.string_type = value.tag;
  attribute_.value = value.contents;
  attribute_.first_of_rdn = first;
  done_ = state.error.has_value();  // cannot be: the bytes were checked
  return *this;
}

std::string DistinguishedName::text() const {
  std::string out;
  for (const NameAttribute& attribute : *this) {
    if (!out.empty()) out += attribute.first_of_rdn ? ", " : " + ";
    const std::string_view known = oid_name(attribute.type);
    out += known.empty() ? oid_text(attribute.type) : std::string(known);
    out += '=';
    out += value_text(attribute, ",+\"\\<>;");
  }
  return out;
}

std::string DistinguishedName::common_name() const {
  std::string out;
  for (const NameAttribute& attribute : *this) {
    if (oid::kCommonName == attribute.type) out = value_text(attribute, "\\");
  }
  return out;
}

// --- general names ---------------------------------------------------------------------------------------------------

GeneralName read_general_name(Reader& reader) noexcept {
  GeneralName out{};
  const std::uint8_t* const at = reader.position();
  const Element element = reader.any();
  if (reader.failed()) return out;
  const unsigned number = element.tag & 0x1fU;
  if ((element.tag & 0xc0U) != 0x80U || number > 8) {
    reader.fail(ParseCode::general_name_malformed, at);
    return out;
  }
  const bool constructed = (element.tag & 0x20U) != 0;
  out.kind = static_cast<GeneralName::Kind>(number);
  out.value = element.contents;
  bool is_constructed_kind = true;
  switch (out.kind) {
    case GeneralName::Kind::email:
    case GeneralName::Kind::dns:
    case GeneralName::Kind::uri:
      is_constructed_kind = false;
      // IA5String
      if (std::ranges::any_of(out.value, [](std::uint8_t c) { return c >= 0x80U; }))
        reader.fail(ParseCode::string_malformed, at);
      break;
    case GeneralName::Kind::ip_address: is_constructed_kind = false; break;
    case GeneralName::Kind::registered_id:
      is_constructed_kind = false;
      if (!der::is_object_identifier(out.value)) reader.fail(ParseCode::object_identifier_malformed, at);
      break;
    case GeneralName::Kind::directory_name: {
      // A CHOICE makes the tag EXPLICIT (X.680 31.2.7).
      Reader inside = reader.within(out.value);
      CertificateParser::read_name(inside);
      inside.end();
      break;
    }
    case GeneralName::Kind::other_name: {
      // SEQUENCE { type-id OBJECT IDENTIFIER, value [0] EXPLICIT ANY }
      Reader inside = reader.within(out.value);
      inside.object_identifier();
      Reader value = inside.enter(der::context_constructed(0));
      value.any();
      value.end();
      inside.end();
      break;
    }
    case GeneralName::Kind::x400_address:
    case GeneralName::Kind::edi_party_name: break;
  }
  if (constructed != is_constructed_kind) reader.fail(ParseCode::general_name_malformed, at);
  return out;
}

GeneralNames CertificateParser::read_general_names(Reader& reader, std::uint8_t tag) noexcept {
  const std::uint8_t* const at = reader.position();
  Reader names = reader.enter(tag);
  const Bytes contents = names.rest();
  // RFC 5280 4.2.1.6: GeneralNames ::= SEQUENCE SIZE (1..MAX) OF GeneralName
  if (!names.failed() && contents.empty()) names.fail(ParseCode::sequence_empty, at);
  while (names.more()) {
    const std::uint8_t* const name_at = names.position();
    const GeneralName name = read_general_name(names);
    // RFC 5280 4.2.1.6: "For IP version 4 [...] exactly four octets. For IP version 6 [...] exactly sixteen octets."
    const bool bad_address =
        name.kind == GeneralName::Kind::ip_address && name.value.size() != 4 && name.value.size() != 16;
    if (bad_address && !names.failed()) names.fail(ParseCode::general_name_malformed, name_at);
  }
  return GeneralNames(contents);
}

GeneralNames::Iterator& GeneralNames::Iterator::operator++() noexcept {
  ParseState state{rest_.data()};
  Reader reader(state, rest_);
  if (!reader.more()) {
    done_ = true;
    return *this;
  }
  // Checked before; here only taken apart.
  const Element element = reader.any();
  name_ = {static_cast<GeneralName::Kind>(element.tag & 0x1fU), element.contents};
  rest_ = reader.rest();
  done_ = state.error.has_value();
  return *this;
}

std::string GeneralName::text() const {
  std::string out;
  const auto escaped = [&](std::string_view prefix) {
    out = prefix;
    append_escaped(out, value, "\\,");
    return out;
  };
  switch (kind) {
    case Kind::other_name: return "othername:" + hex(value);
    case Kind::email: return escaped("email:");
    case Kind::dns: return escaped("DNS:");
    case Kind::x400_address: return "X400Name:" + hex(value);
    case Kind::directory_name: return "DirName:" + CertificateParser::checked_name(value).text();
    case Kind::edi_party_name: return "EdiPartyName:" + hex(value);
    case Kind::uri: return escaped("URI:");
    case Kind::ip_address:
      if (value.size() == 8 || value.size() == 32) {
        return "IP:" + address_text(value.first(value.size() / 2)) + "/" + address_text(value.last(value.size() / 2));
      }
      return "IP:" + (value.size() == 4 || value.size() == 16 ? address_text(value) : "#" + hex(value));
    case Kind::registered_id: return "Registered ID:" + oid_text(value);
  }
  return out;
}

// --- object identifiers ----------------------------------------------------------------------------------------------

std::string oid_text(Bytes contents) {
  if (!der::is_object_identifier(contents)) return {};
  std::string out;
  while (!contents.empty()) {
    std::size_t size = 1;
    while (contents[size - 1] >= 0x80U) ++size;
    const Bytes arc = contents.first(size);
    contents = contents.subspan(size);
    if (!out.empty()) {
      out += '.' + arc_text(arc, 0);
    } else if (size == 1 && arc[0] < 80) {
      // X.690 8.19.4: the first subidentifier is the first arc times 40 plus the second.
      out = std::to_string(arc[0] / 40) + '.' + std::to_string(arc[0] % 40);
    } else {
      out = "2." + arc_text(arc, 80);
    }
  }
  return out;
}

namespace {

/// One arc (its subidentifier less `offset`) in decimal digits. Those of UUIDs under 2.25 (X.667) have 128 bits in 19
/// bytes of 7; longer ones are shown by their bytes, so that the work stays linear.
std::string arc_text(Bytes subidentifier, std::uint32_t offset) {
  constexpr std::size_t kLongest = 19;
  constexpr std::uint32_t kBase = 1'000'000'000;
  if (subidentifier.size() > kLongest) return "[" + hex(subidentifier) + "]";
  std::array<std::uint32_t, 5> limbs{};  // of nine digits each, the lowest first
  for (const std::uint8_t byte : subidentifier) {
    std::uint64_t carry = byte & 0x7fU;
    for (std::uint32_t& limb : limbs) {
      carry += std::uint64_t{limb} << 7U;
      limb = static_cast<std::uint32_t>(carry % kBase);
      carry /= kBase;
    }
  }
  for (std::uint32_t& limb : limbs) {
    const bool borrows = limb < offset;
    limb = limb + (borrows ? kBase : 0) - offset;
    offset = borrows ? 1 : 0;
  }
  std::string out;
  for (auto limb = limbs.rbegin(); limb != limbs.rend(); ++limb) {
    if (out.empty() && *limb == 0) continue;
    const std::string digits = std::to_string(*limb);
    if (!out.empty()) out.append(9 - digits.size(), '0');
    out += digits;
  }
  return out.empty() ? "0" : out;
}

}  // namespace

std::optional<std::vector<std::uint8_t>> oid_from_text(std::string_view text) {
  std::vector<std::uint64_t> arcs;
  while (true) {
    const std::size_t dot = text.find('.');
    const std::string_view digits = text.substr(0, dot);
    if (digits.empty() || digits.size() > 18 || (digits.size() > 1 && digits[0] == '0')) return std::nullopt;
    std::uint64_t value = 0;
    for (const char c : digits) {
      if (c < '0' || c > '9') return std::nullopt;
      value = value * 10 + static_cast<std::uint64_t>(c - '0');
    }
    arcs.push_back(value);
    if (dot == std::string_view::npos) break;
    text.remove_prefix(dot + 1);
  }
  // X.660: the first arc is 0, 1 or 2, and below 0 and 1 there are 40.
  if (arcs.size() < 2 || arcs[0] > 2 || (arcs[0] < 2 && arcs[1] > 39)) return std::nullopt;
  std::vector<std::uint8_t> out;
  for (std::size_t i = 1; i < arcs.size(); ++i) {
    const std::uint64_t value = i == 1 ? arcs[0] * 40 + arcs[1] : arcs[i];
    unsigned shift = 0;
    while (shift < 63 && value >> (shift + 7) != 0) shift += 7;
    for (;; shift -= 7) {
      out.push_back(static_cast<std::uint8_t>((value >> shift & 0x7fU) | (shift != 0 ? 0x80U : 0U)));
      if (shift == 0) break;
    }
  }
  return out;
}

namespace {

bool is_well_formed_string(const Element& value) noexcept {
  const Bytes text = value.contents;
  switch (value.tag) {
    case der::kUtf8String: return der::is_utf8(text);
    // Certificates in use have '*', '@', '&' and '_' in PrintableStrings, which X.680 41.4 does not; no harm comes of
    // them.
    case der::kPrintableString:
    case der::kVisibleString: return std::ranges::all_of(text, [](std::uint8_t c) { return c >= 0x20U && c <= 0x7eU; });
    case der::kIa5String: return std::ranges::all_of(text, [](std::uint8_t c) { return c < 0x80U; });
    case der::kNumericString:
      return std::ranges::all_of(text, [](std::uint8_t c) { return c == ' ' || (c >= '0' && c <= '9'); });
    case der::kBmpString: return text.size() % 2 == 0;
    case der::kUniversalString: return text.size() % 4 == 0;
    default: return true;  // other types are not looked into
  }
}

std::string value_text(const NameAttribute& attribute, std::string_view special) {
  std::string out;
  const Bytes value = attribute.value;
  switch (attribute.string_type) {
    case der::kBmpString:
    case der::kUniversalString: {
      const std::size_t width = attribute.string_type == der::kBmpString ? 2 : 4;
      std::string utf8;
      for (std::size_t i = 0; i + width <= value.size(); i += width) {
        char32_t c = 0;
        for (const std::uint8_t byte : value.subspan(i, width)) c = c << 8U | byte;
        append_utf8(utf8, c);
      }
      append_escaped(out, as_bytes(utf8), special);
      return out;
    }
    case der::kUtf8String:
    case der::kPrintableString:
    case der::kIa5String:
    case der::kVisibleString:
    case der::kNumericString:
    case der::kTeletexString: append_escaped(out, value, special); return out;
    default: return "#" + hex(value);
  }
}

constexpr std::array kNames = std::to_array<AttributeName>({
    {oid::kCommonName, "CN"},
    {oid::kSurname, "SN"},
    {oid::kSerialNumber, "serialNumber"},
    {oid::kCountry, "C"},
    {oid::kLocality, "L"},
    {oid::kState, "ST"},
    {oid::kStreet, "street"},
    {oid::kOrganization, "O"},
    {oid::kOrganizationalUnit, "OU"},
    {oid::kTitle, "title"},
    {oid::kPostalCode, "postalCode"},
    {oid::kGivenName, "GN"},
    {oid::kOrganizationIdentifier, "organizationIdentifier"},
    {oid::kUserId, "UID"},
    {oid::kDomainComponent, "DC"},
    {oid::kEmailAddress, "emailAddress"},
    {oid::kSubjectKeyIdentifier, "subjectKeyIdentifier"},
    {oid::kKeyUsage, "keyUsage"},
    {oid::kSubjectAltName, "subjectAltName"},
    {oid::kIssuerAltName, "issuerAltName"},
    {oid::kBasicConstraints, "basicConstraints"},
    {oid::kNameConstraints, "nameConstraints"},
    {oid::kCrlDistributionPoints, "cRLDistributionPoints"},
    {oid::kCertificatePolicies, "certificatePolicies"},
    {oid::kPolicyMappings, "policyMappings"},
    {oid::kAuthorityKeyIdentifier, "authorityKeyIdentifier"},
    {oid::kPolicyConstraints, "policyConstraints"},
    {oid::kExtendedKeyUsage, "extKeyUsage"},
    {oid::kFreshestCrl, "freshestCRL"},
    {oid::kInhibitAnyPolicy, "inhibitAnyPolicy"},
    {oid::kAuthorityInfoAccess, "authorityInfoAccess"},
    {oid::kSubjectInfoAccess, "subjectInfoAccess"},
    {oid::kTlsFeature, "tlsFeature"},
    {oid::kSctList, "signedCertificateTimestampList"},
    {oid::kAnyPurpose, "anyExtendedKeyUsage"},
    {oid::kServerAuth, "serverAuth"},
    {oid::kClientAuth, "clientAuth"},
    {oid::kCodeSigning, "codeSigning"},
    {oid::kEmailProtection, "emailProtection"},
    {oid::kTimeStamping, "timeStamping"},
    {oid::kOcspSigning, "OCSPSigning"},
    {oid::kRsaEncryption, "rsaEncryption"},
    {oid::kRsassaPss, "RSASSA-PSS"},
    {oid::kDsa, "dsa"},
    {oid::kEcPublicKey, "ecPublicKey"},
    {oid::kEd25519, "Ed25519"},
    {oid::kEd448, "Ed448"},
    {oid::kMlDsa44, "ML-DSA-44"},
    {oid::kMlDsa65, "ML-DSA-65"},
    {oid::kMlDsa87, "ML-DSA-87"},
    {oid::kSha256WithRsa, "sha256WithRSAEncryption"},
    {oid::kSha384WithRsa, "sha384WithRSAEncryption"},
    {oid::kSha512WithRsa, "sha512WithRSAEncryption"},
    {oid::kEcdsaWithSha256, "ecdsa-with-SHA256"},
    {oid::kEcdsaWithSha384, "ecdsa-with-SHA384"},
    {oid::kEcdsaWithSha512, "ecdsa-with-SHA512"},
    {oid::kMd2WithRsa, "md2WithRSAEncryption"},
    {oid::kMd4WithRsa, "md4WithRSAEncryption"},
    {oid::kMd5WithRsa, "md5WithRSAEncryption"},
    {oid::kSha1WithRsa, "sha1WithRSAEncryption"},
    {oid::kSha1WithRsaOiw, "sha1WithRSA"},
    {oid::kDsaWithSha1, "dsa-with-SHA1"},
    {oid::kDsaWithSha256, "dsa-with-SHA256"},
    {oid::kEcdsaWithSha1, "ecdsa-with-SHA1"},
});

}  // namespace

std::string_view oid_name(Bytes contents) noexcept {
  const auto* const known =
      std::ranges::find_if(kNames, [&](const AttributeName& entry) { return entry.oid == contents; });
  return known == kNames.end() ? std::string_view() : known->name;
}

}  // namespace lockstep::x509
