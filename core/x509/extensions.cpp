// The contents of the extensions of RFC 5280 4.2. All of them are checked for their structure, so that a certificate
// that parses holds no surprises; what verify() needs is kept.

#include <algorithm>
#include <array>

#include "x509/algorithms.hpp"
#include "x509/der.hpp"
#include "x509/oid.hpp"
#include "x509/parser.hpp"

namespace lockstep::x509 {

namespace {

using der::Reader;

std::optional<KeyUsages> read_key_usage(Reader& value) noexcept;
BasicConstraints read_basic_constraints(Reader& value, bool critical) noexcept;
AuthorityKeyIdentifier read_authority_key_identifier(Reader& value, bool critical) noexcept;
NameConstraints read_name_constraints(Reader& value, bool critical) noexcept;
Bytes read_purposes(Reader& value) noexcept;
void read_access_descriptions(Reader& value) noexcept;
struct Policies {
  bool unknown_qualifier;
  bool duplicate;
};
Policies read_policies(Reader& value) noexcept;
bool read_policy_mappings(Reader& value) noexcept;
bool read_policy_constraints(Reader& value) noexcept;
void read_distribution_points(Reader& value) noexcept;

}  // namespace

void CertificateParser::read_extension(const Extension& extension, Reader value, Certificate& out) noexcept {
  const auto is = [&](const Oid& known) { return known == extension.oid; };
  if (extension.critical && (is(oid::kAuthorityInfoAccess) || is(oid::kSubjectInfoAccess) || is(oid::kSctList)))
    out.wrongly_critical_ = true;
  if (is(oid::kBasicConstraints)) {
    out.basic_constraints_ = read_basic_constraints(value, extension.critical);
  } else if (is(oid::kKeyUsage)) {
    out.key_usage_ = read_key_usage(value);
  } else if (is(oid::kExtendedKeyUsage)) {
    out.extended_key_usage_ = ExtendedKeyUsage{extension.critical, read_purposes(value)};
  } else if (is(oid::kSubjectAltName)) {
    out.subject_alt_name_ = SubjectAltName{extension.critical, read_general_names(value)};
  } else if (is(oid::kNameConstraints)) {
    out.name_constraints_ = read_name_constraints(value, extension.critical);
  } else if (is(oid::kAuthorityKeyIdentifier)) {
    out.authority_key_identifier_ = read_authority_key_identifier(value, extension.critical);
  } else if (is(oid::kSubjectKeyIdentifier)) {
    out.subject_key_identifier_ = SubjectKeyIdentifier{extension.critical, value.element(der::kOctetString).contents};
  } else if (is(oid::kIssuerAltName)) {
    read_general_names(value);
  } else if (is(oid::kAuthorityInfoAccess) || is(oid::kSubjectInfoAccess)) {
    read_access_descriptions(value);
  } else if (is(oid::kCertificatePolicies)) {
    const Policies policies = read_policies(value);
    out.unknown_qualifier_ = policies.unknown_qualifier;
    out.duplicate_policy_ = policies.duplicate;
  } else if (is(oid::kPolicyMappings)) {
    out.maps_any_policy_ = read_policy_mappings(value);
  } else if (is(oid::kPolicyConstraints)) {
    out.requires_explicit_policy_ = read_policy_constraints(value);
    out.policy_constraints_ = extension;
  } else if (is(oid::kInhibitAnyPolicy)) {
    value.small_integer();
  } else if (is(oid::kCrlDistributionPoints) || is(oid::kFreshestCrl)) {
    read_distribution_points(value);
  } else {
    value = value.within({});  // not known, not looked into
  }
  value.end();
  if (extension.critical && !out.processes(extension)) out.unknown_critical_ = true;
}

bool ExtendedKeyUsage::has(Purpose purpose) const noexcept {
  der::ParseState state{contents.data()};
  for (Reader reader(state, contents); reader.more();) {
    if (purpose_oid(purpose) == reader.object_identifier()) return true;
  }
  return false;
}

bool Certificate::passes(Bytes oid, Bytes values) const noexcept {
  der::ParseState of_oid{oid.data()};
  Reader name(of_oid, oid);
  const Bytes demanded = name.object_identifier();
  name.end();
  if (of_oid.error) return false;
  // RFC 9846 4.3.5: "the client MUST ignore and skip any unrecognized certificate extension OIDs."
  const bool usage = oid::kKeyUsage == demanded;
  if (!usage && !(oid::kExtendedKeyUsage == demanded)) return true;
  // RFC 9846 4.3.5: "the client certificate included in the response MUST contain all of the specified extension OIDs
  // that the client recognizes. For each extension OID recognized by the client, all of the specified values MUST be
  // present in the client certificate".
  if (usage ? !key_usage_ : !extended_key_usage_) return false;
  if (values.empty()) return true;
  der::ParseState of_values{values.data()};
  Reader value(of_values, values);
  if (usage) {
    const Bytes bits = value.bit_string().bytes;
    value.end();
    if (of_values.error) return false;
    for (std::size_t bit = 0; bit < 8 * bits.size(); ++bit) {
      const bool asserted = (bits[bit / 8] >> (7 - bit % 8) & 1U) != 0;
      if (asserted && (bit > 8 || !key_usage_->has(static_cast<KeyUsage>(bit)))) return false;
    }
    return true;
  }
  for (Reader purposes = value.enter(); purposes.more();) {
    const Bytes purpose = purposes.object_identifier();
    der::ParseState of_own{extended_key_usage_->contents.data()};
    bool found = false;
    for (Reader own(of_own, extended_key_usage_->contents); own.more() && !found;)
      found = equal(own.object_identifier(), purpose);
    if (!found) return false;
  }
  value.end();
  return !of_values.error;
}

const Oid& purpose_oid(Purpose purpose) noexcept {
  static constexpr std::array<const Oid*, 7> kOids = {&oid::kServerAuth,      &oid::kClientAuth,   &oid::kCodeSigning,
                                                      &oid::kEmailProtection, &oid::kTimeStamping, &oid::kOcspSigning,
                                                      &oid::kAnyPurpose};
  return *kOids[static_cast<std::size_t>(purpose)];
}

namespace {

/// Enters a SEQUENCE SIZE (1..MAX).
Reader enter_non_empty(Reader& reader, std::uint8_t tag = der::kSequence) noexcept {
  const std::uint8_t* const at = reader.position();
  Reader inside = reader.enter(tag);
  if (!inside.failed() && inside.rest().empty()) inside.fail(ParseCode::sequence_empty, at);
  return inside;
}

std::optional<KeyUsages> read_key_usage(Reader& value) noexcept {
  const der::BitString bits = value.bit_string();
  if (value.failed()) return std::nullopt;
  // X.690 11.2.2 wants the zero bits at the end of a named bit list removed. Roots in the stores of today have them,
  // and the meaning is the same.
  KeyUsages out;
  for (unsigned bit = 0; bit < 9 && bit / 8 < bits.bytes.size(); ++bit) {
    if ((bits.bytes[bit / 8] >> (7 - bit % 8) & 1U) != 0) out.bits = static_cast<std::uint16_t>(out.bits | 1U << bit);
  }
  return out;
}

/// SEQUENCE { cA BOOLEAN DEFAULT FALSE, pathLenConstraint INTEGER (0..MAX) OPTIONAL }
BasicConstraints read_basic_constraints(Reader& value, bool critical) noexcept {
  BasicConstraints out{critical, false, std::nullopt};
  Reader fields = value.enter();
  // FALSE written out, against X.690 11.5, stands even in the example of RFC 8410 10.2.
  if (fields.next_is(der::kBoolean)) out.ca = fields.boolean();
  if (fields.more()) out.path_length = fields.small_integer();
  fields.end();
  return out;
}

/// SEQUENCE { keyIdentifier [0] OPTIONAL, authorityCertIssuer [1] GeneralNames OPTIONAL, authorityCertSerialNumber [2]
/// OPTIONAL }
AuthorityKeyIdentifier read_authority_key_identifier(Reader& value, bool critical) noexcept {
  AuthorityKeyIdentifier out{critical, std::nullopt, std::nullopt, std::nullopt};
  Reader fields = value.enter();
  if (const auto key = fields.optional(der::context(0))) out.key_identifier = key->contents;
  if (fields.next_is(der::context_constructed(1))) {
    Reader names = fields.within(fields.rest());
    CertificateParser::read_general_names(names, der::context_constructed(1));
    out.issuer = fields.element(der::context_constructed(1)).contents;
  }
  if (fields.next_is(der::context(2))) out.serial_number = fields.integer(der::context(2));
  fields.end();
  return out;
}

/// SEQUENCE { permittedSubtrees [0] GeneralSubtrees OPTIONAL, excludedSubtrees [1] GeneralSubtrees OPTIONAL }
NameConstraints read_name_constraints(Reader& value, bool critical) noexcept {
  NameConstraints out{critical, std::nullopt, std::nullopt};
  // RFC 5280 4.2.1.10: "Conforming CAs MUST NOT issue certificates where name constraints is an empty sequence."
  Reader fields = enter_non_empty(value);
  const auto read_subtrees = [&fields](unsigned number) noexcept -> std::optional<Bytes> {
    if (!fields.next_is(der::context_constructed(number))) return std::nullopt;
    Reader subtrees = enter_non_empty(fields, der::context_constructed(number));
    const Bytes contents = subtrees.rest();
    while (subtrees.more()) {
      // GeneralSubtree ::= SEQUENCE { base GeneralName, minimum [0] BaseDistance DEFAULT 0, maximum [1] BaseDistance
      // OPTIONAL }
      Reader subtree = subtrees.enter();
      read_general_name(subtree);
      for (const unsigned distance : {0U, 1U}) {
        if (subtree.next_is(der::context(distance))) subtree.small_integer(der::context(distance));
      }
      subtree.end();
    }
    return contents;
  };
  out.permitted = read_subtrees(0);
  out.excluded = read_subtrees(1);
  fields.end();
  return out;
}

Bytes read_purposes(Reader& value) noexcept {
  Reader purposes = enter_non_empty(value);
  const Bytes contents = purposes.rest();
  while (purposes.more()) purposes.object_identifier();
  return contents;
}

/// SEQUENCE SIZE (1..MAX) OF SEQUENCE { accessMethod OBJECT IDENTIFIER, accessLocation GeneralName }
void read_access_descriptions(Reader& value) noexcept {
  for (Reader descriptions = enter_non_empty(value); descriptions.more();) {
    Reader description = descriptions.enter();
    description.object_identifier();
    read_general_name(description);
    description.end();
  }
}

/// SEQUENCE SIZE (1..MAX) OF SEQUENCE { policyIdentifier OBJECT IDENTIFIER, policyQualifiers SEQUENCE SIZE (1..MAX) OF
/// SEQUENCE { policyQualifierId OBJECT IDENTIFIER, qualifier ANY } OPTIONAL }
Policies read_policies(Reader& value) noexcept {
  Policies out{};
  std::array<Bytes, kMaxPolicies> seen;
  std::size_t count = 0;
  for (Reader policies = enter_non_empty(value); policies.more();) {
    const std::uint8_t* const at = policies.position();
    Reader policy = policies.enter();
    const Bytes identifier = policy.object_identifier();
    if (policy.more()) {
      for (Reader qualifiers = enter_non_empty(policy); qualifiers.more();) {
        Reader qualifier = qualifiers.enter();
        const Bytes kind = qualifier.object_identifier();
        qualifier.any();
        qualifier.end();
        if (!(oid::kCpsQualifier == kind) && !(oid::kUserNoticeQualifier == kind)) out.unknown_qualifier = true;
      }
    }
    policy.end();
    if (policies.failed()) break;
    if (count == seen.size()) {
      policies.fail(ParseCode::too_many_policies, at);
      break;
    }
    out.duplicate = out.duplicate || std::ranges::any_of(seen.begin(), seen.begin() + count,
                                                         [&](Bytes before) { return equal(before, identifier); });
    seen[count++] = identifier;
  }
  return out;
}

/// SEQUENCE SIZE (1..MAX) OF SEQUENCE { issuerDomainPolicy OBJECT IDENTIFIER, subjectDomainPolicy OBJECT IDENTIFIER }.
/// Whether one of them is anyPolicy.
bool read_policy_mappings(Reader& value) noexcept {
  bool any = false;
  for (Reader mappings = enter_non_empty(value); mappings.more();) {
    Reader mapping = mappings.enter();
    for (int side = 0; side < 2; ++side) any = (oid::kAnyPolicy == mapping.object_identifier()) || any;
    mapping.end();
  }
  return any;
}

/// SEQUENCE { requireExplicitPolicy [0] INTEGER OPTIONAL, inhibitPolicyMapping [1] INTEGER OPTIONAL }, one of them at
/// least. Whether an explicit policy is demanded.
bool read_policy_constraints(Reader& value) noexcept {
  Reader fields = enter_non_empty(value);
  const bool explicit_policy = fields.next_is(der::context(0));
  if (explicit_policy) fields.small_integer(der::context(0));
  if (fields.next_is(der::context(1))) fields.small_integer(der::context(1));
  fields.end();
  return explicit_policy;
}

/// SEQUENCE SIZE (1..MAX) OF DistributionPoint; a point's fields are read where revocation is checked.
void read_distribution_points(Reader& value) noexcept {
  for (Reader points = enter_non_empty(value); points.more();) points.element(der::kSequence);
}

}  // namespace

}  // namespace lockstep::x509
