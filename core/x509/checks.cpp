#include "x509/checks.hpp"

#include <algorithm>
#include <array>

#include <lockstep/rsa_limits.hpp>

#include "x509/algorithms.hpp"
#include "x509/der.hpp"
#include "x509/oid.hpp"
#include "x509/peer_name.hpp"
#include "x509/text.hpp"

namespace lockstep::x509 {

namespace {

constexpr std::uint8_t kLeaf = static_cast<std::uint8_t>(Position::leaf);
constexpr std::uint8_t kAnchoredLeaf = static_cast<std::uint8_t>(Position::anchored_leaf);
constexpr std::uint8_t kIntermediate = static_cast<std::uint8_t>(Position::intermediate);
constexpr std::uint8_t kAnchor = static_cast<std::uint8_t>(Position::anchor);
constexpr std::uint8_t kLeaves = kLeaf | kAnchoredLeaf;
constexpr std::uint8_t kIssuers = kIntermediate | kAnchor;
constexpr std::uint8_t kEvery = kLeaves | kIssuers;

bool is_leaf(Position position) noexcept { return (static_cast<std::uint8_t>(position) & kLeaves) != 0; }

// --- the structure ---------------------------------------------------------------------------------------------------

Code check_version(const Certificate& certificate, Position, const VerifyRequest& request) noexcept {
  if (certificate.version() == 3) return Code::ok;
  // RFC 5280 4.1.2.9: extensions "MUST only appear if the version is 3".
  if (!certificate.extensions().empty()) return Code::extensions_require_version_3;
  // RFC 9846 4.5.1.2: "The certificate type MUST be X.509v3 [RFC5280], unless explicitly negotiated otherwise".
  return request.policy.require_version_3 ? Code::version_not_3 : Code::ok;
}

Code check_algorithm_fields(const Certificate& certificate, Position, const VerifyRequest&) noexcept {
  // RFC 5280 4.1.1.2: "This field MUST contain the same algorithm identifier as the signature field in the sequence
  // tbsCertificate".
  return equal(certificate.signature_algorithm().der, certificate.signed_signature_algorithm())
             ? Code::ok
             : Code::signature_algorithm_mismatch;
}

Code check_critical_extensions(const Certificate& certificate, Position, const VerifyRequest& request) {
  // The caller hears of those that are offered once everything else holds.
  if (!certificate.has_unknown_critical_extension() || request.policy.offer_unknown_extensions) return Code::ok;
  // RFC 5280 4.2: "A certificate-using system MUST reject the certificate if it encounters a critical extension it does
  // not recognize".
  return std::ranges::any_of(
             certificate.extensions(),
             [&](const Extension& extension) { return is_unhandled(certificate, extension, request.policy); })
             ? Code::unhandled_critical_extension
             : Code::ok;
}

Code check_policies(const Certificate& certificate, Position position, const VerifyRequest&) noexcept {
  // RFC 5280 4.2.1.4: "A certificate policy OID MUST NOT appear more than once in a certificate policies extension."
  if (certificate.has_duplicate_policy()) return Code::invalid_policy_extension;
  // RFC 5280 6.1.4 (a): "If a policy mappings extension is present, verify that the special value anyPolicy does not
  // appear as an issuerDomainPolicy or a subjectDomainPolicy."
  return position == Position::intermediate && certificate.maps_any_policy() ? Code::invalid_policy_extension
                                                                             : Code::ok;
}

Code check_policy_constraints_critical(const Certificate& certificate, Position,
                                       const VerifyRequest& request) noexcept {
  // RFC 5280 4.2.1.11: "Conforming CAs MUST mark this extension as critical."
  const auto& constraints = certificate.policy_constraints();
  return request.policy.require_critical_policy_constraints && constraints && !constraints->critical
             ? Code::extension_must_be_critical
             : Code::ok;
}

Code check_extensions_never_critical(const Certificate& certificate, Position, const VerifyRequest&) noexcept {
  // RFC 5280 4.2.1.1, 4.2.1.2, 4.2.2.1, 4.2.2.2: "Conforming CAs MUST mark this extension as non-critical."
  if (certificate.authority_key_identifier() && certificate.authority_key_identifier()->critical)
    return Code::authority_key_identifier_critical;
  if (certificate.subject_key_identifier() && certificate.subject_key_identifier()->critical)
    return Code::subject_key_identifier_critical;
  return certificate.has_wrongly_critical_extension() ? Code::extension_must_not_be_critical : Code::ok;
}

Code check_serial_number(const Certificate& certificate, Position, const VerifyRequest& request) noexcept {
  if (!request.policy.refuse_bad_serial_number) return Code::ok;
  // RFC 5280 4.1.2.2: "The serial number MUST be a positive integer [...] Conforming CAs MUST NOT use serialNumber
  // values longer than 20 octets."
  const Bytes serial = certificate.serial_number();
  const bool negative = serial[0] >= 0x80U;
  const bool zero = serial.size() == 1 && serial[0] == 0;
  return negative || zero || serial.size() > 20 ? Code::serial_number_invalid : Code::ok;
}

// --- validity --------------------------------------------------------------------------------------------------------

Code check_validity(const Certificate& certificate, Position, const VerifyRequest& request) noexcept {
  // RFC 5280 4.1.2.5: "the period of time from notBefore through notAfter, inclusive".
  if (request.time < certificate.not_before()) return Code::cert_not_yet_valid;
  if (request.time > certificate.not_after()) return Code::cert_has_expired;
  return Code::ok;
}

// --- names -----------------------------------------------------------------------------------------------------------

Code check_names(const Certificate& certificate, Position position, const VerifyRequest& request) noexcept {
  // RFC 5280 4.1.2.4: "The issuer field MUST contain a non-empty distinguished name". That of a leaf which is its own
  // anchor leads nowhere.
  if (position != Position::anchored_leaf && certificate.issuer().empty()) return Code::issuer_name_empty;
  if (!certificate.subject().empty()) return Code::ok;
  // RFC 5280 4.1.2.6: "If the subject is a CA [...], then the subject field MUST be populated with a non-empty
  // distinguished name".
  if (!is_leaf(position)) return Code::subject_name_empty;
  // RFC 5280 4.2.1.6: "If the subject field contains an empty sequence, then the issuing CA MUST include a
  // subjectAltName extension that is marked as critical."
  if (!certificate.subject_alt_name()) return Code::empty_subject_alt_name;
  return certificate.subject_alt_name()->critical || !request.policy.require_critical_alt_name
             ? Code::ok
             : Code::empty_subject_san_not_critical;
}

Code check_critical_alt_name(const Certificate& certificate, Position, const VerifyRequest& request) noexcept {
  if (!request.policy.refuse_critical_alt_name || certificate.subject().empty()) return Code::ok;
  // Baseline Requirements 7.1.2.7.12: "If the subject field [...] is an empty SEQUENCE, this extension MUST be marked
  // critical [...]. Otherwise, this extension MUST NOT be marked critical."
  return certificate.subject_alt_name() && certificate.subject_alt_name()->critical ? Code::subject_alt_name_critical
                                                                                    : Code::ok;
}

Code check_peer_name(const Certificate& certificate, Position, const VerifyRequest& request) noexcept {
  if (matches(certificate, request.name, Alphabet::preferred)) return Code::ok;
  if (matches(certificate, request.name, Alphabet::with_underscore))
    return request.policy.refuse_underscores ? Code::name_with_underscore : Code::ok;
  return request.name.kind() == PeerName::Kind::dns ? Code::hostname_mismatch : Code::ip_address_mismatch;
}

Code check_common_name(const Certificate& certificate, Position, const VerifyRequest& request) {
  if (!request.policy.require_common_name_in_alt_names) return Code::ok;
  // Baseline Requirements 7.1.4.3: a common name "MUST contain exactly one entry that is one of the values contained in
  // the Certificate's subjectAltName extension", "encoded as a character-for-character copy".
  for (const NameAttribute& attribute : certificate.subject()) {
    if (!(oid::kCommonName == attribute.type)) continue;
    bool found = false;
    for (const GeneralName& alternative : certificate.alternative_names()) {
      if (alternative.kind == GeneralName::Kind::dns) found = found || equal(alternative.value, attribute.value);
      if (alternative.kind == GeneralName::Kind::ip_address)
        found = found || address_text(alternative.value) == as_text(attribute.value);
    }
    if (!found) return Code::common_name_not_in_alt_names;
  }
  return Code::ok;
}

// --- keys ------------------------------------------------------------------------------------------------------------

Code check_public_key(const Certificate& certificate, Position position, const VerifyRequest& request) noexcept {
  const Policy& policy = request.policy;
  const PublicKey& key = certificate.public_key();
  if (key.explicit_curve) return Code::ec_key_explicit_params;
  if (!key.type) return Code::key_type_not_allowed;
  if (!policy.key_types.empty() && std::ranges::find(policy.key_types, *key.type) == policy.key_types.end())
    return Code::key_type_not_allowed;
  if (policy.profile == Profile::fips && !is_approved(*key.type)) return Code::key_type_not_allowed;
  const Code size = judge_key_size(key, policy);
  return size == Code::ee_key_too_small && !is_leaf(position) ? Code::ca_key_too_small : size;
}

Code check_key_identifiers(const Certificate& certificate, Position position, const VerifyRequest& request) noexcept {
  const Policy& policy = request.policy;
  if (!policy.require_key_identifiers || (position == Position::anchor && !policy.require_anchor_form)) return Code::ok;
  // RFC 5280 4.2.1.1: "The keyIdentifier field of the authorityKeyIdentifier extension MUST be included in all
  // certificates [...]. There is one exception; where a CA distributes its public key in the form of a 'self-signed'
  // certificate, the authority key identifier MAY be omitted."
  const auto& authority = certificate.authority_key_identifier();
  const bool excepted = certificate.is_self_issued();
  if (!excepted && !(authority && authority->key_identifier)) return Code::missing_authority_key_identifier;
  // RFC 5280 4.2.1.2: "this extension MUST appear in all conforming CA certificates".
  if (!is_leaf(position) && !certificate.subject_key_identifier()) return Code::missing_subject_key_identifier;
  return Code::ok;
}

Code check_root_key_identifier(const Certificate& certificate, Position, const VerifyRequest& request) noexcept {
  const auto& authority = certificate.authority_key_identifier();
  if (!request.policy.require_anchor_form || !authority || !certificate.is_self_issued()) return Code::ok;
  // Baseline Requirements 7.1.2.1.3: keyIdentifier "MUST be present. MUST be identical to the subjectKeyIdentifier
  // field.", authorityCertIssuer and authorityCertSerialNumber "MUST NOT be present".
  const auto& subject = certificate.subject_key_identifier();
  const bool identical =
      authority->key_identifier && subject && equal(*authority->key_identifier, subject->key_identifier);
  return identical && !authority->issuer && !authority->serial_number ? Code::ok
                                                                      : Code::authority_key_identifier_invalid;
}

// --- purposes --------------------------------------------------------------------------------------------------------

Code check_authority(const Certificate& certificate, Position position, const VerifyRequest& request) noexcept {
  // RFC 5280 6.1.4 (k): of a CA of version 1 or 2 it must be known "through out-of-band means" that it is one, as of an
  // anchor it is.
  if (position == Position::anchor && certificate.version() != 3) return Code::ok;
  const auto& constraints = certificate.basic_constraints();
  // RFC 5280 4.2.1.9: "If the basic constraints extension is not present in a version 3 certificate, or the extension
  // is present but the cA boolean is not asserted, then the certified public key MUST NOT be used to verify certificate
  // signatures."
  if (!constraints || !constraints->ca) return Code::invalid_ca;
  // "Conforming CAs MUST [...] mark the extension as critical in such certificates."
  const bool form_matters = position != Position::anchor || request.policy.require_anchor_form;
  if (form_matters && request.policy.require_critical_basic_constraints && !constraints->critical)
    return Code::ca_bcons_not_critical;
  // RFC 5280 6.1.4 (n): "If a key usage extension is present, verify that the keyCertSign bit is set."
  const auto& usage = certificate.key_usage();
  if (!usage || usage->has(KeyUsage::key_cert_sign)) return Code::ok;
  // RFC 5280 4.2.1.9: "CAs MUST NOT include the pathLenConstraint field unless the cA boolean is asserted and the key
  // usage extension asserts the keyCertSign bit."
  return constraints->path_length ? Code::pathlen_without_ku_key_cert_sign : Code::keyusage_no_certsign;
}

Code check_leaf_is_no_ca(const Certificate& certificate, Position, const VerifyRequest& request) noexcept {
  return request.policy.refuse_ca_as_leaf && certificate.is_ca() ? Code::invalid_non_ca : Code::ok;
}

Code check_leaf_has_no_ca_fields(const Certificate& certificate, Position, const VerifyRequest& request) noexcept {
  const auto& constraints = certificate.basic_constraints();
  const auto& usage = certificate.key_usage();
  if (!request.policy.refuse_ca_fields_in_leaf || certificate.is_ca()) return Code::ok;
  // RFC 5280 4.2.1.9: "If the cA boolean is not asserted, then the keyCertSign bit in the key usage extension MUST NOT
  // be asserted."
  if (usage && usage->has(KeyUsage::key_cert_sign)) return Code::ku_key_cert_sign_invalid_for_non_ca;
  if (constraints && constraints->path_length) return Code::pathlen_invalid_for_non_ca;
  // RFC 5280 4.2.1.10: "The name constraints extension, which MUST be used only in a CA certificate".
  return certificate.name_constraints() ? Code::name_constraints_in_leaf : Code::ok;
}

Code check_key_usage(const Certificate& certificate, Position, const VerifyRequest& request) noexcept {
  // RFC 9846 4.5.1.2: "the digitalSignature bit MUST be set if the Key Usage extension is present".
  // RFC 5246 7.4.2, of RSA key exchange: the "keyEncipherment bit MUST be set if the key usage extension is present".
  const auto& usage = certificate.key_usage();
  if (!request.policy.require_key_usage || !usage || usage->has(request.use)) return Code::ok;
  return request.use == KeyUsage::key_encipherment ? Code::keyusage_no_key_encipherment
                                                   : Code::keyusage_no_digital_signature;
}

Code check_purpose(const Certificate& certificate, Position position, const VerifyRequest& request) noexcept {
  const Policy& policy = request.policy;
  const auto& purposes = certificate.extended_key_usage();
  if (!purposes) return is_leaf(position) && policy.require_purpose ? Code::purpose_missing : Code::ok;
  if (is_leaf(position) && policy.require_purpose) {
    // Baseline Requirements 7.1.2.7.6 and 7.1.2.7.10: not critical, and without anyExtendedKeyUsage.
    if (purposes->critical) return Code::purpose_critical;
    if (purposes->has(Purpose::any)) return Code::invalid_purpose;
  }
  if (position == Position::anchor && policy.refuse_purpose_on_root) return Code::purpose_on_root;
  // RFC 5280 4.2.1.12: "If the extension is present, then the certificate MUST only be used for one of the purposes
  // indicated." In a CA it says the same of what the CA issues (Baseline Requirements 7.1.2.10.6).
  const Purpose wanted = request.peer == Role::server ? Purpose::server_auth : Purpose::client_auth;
  const bool any_counts = is_leaf(position) ? policy.any_purpose_on_leaf : policy.any_purpose_on_ca;
  return purposes->has(wanted) || (any_counts && purposes->has(Purpose::any)) ? Code::ok : Code::invalid_purpose;
}

Code check_name_constraints_critical(const Certificate& certificate, Position, const VerifyRequest& request) noexcept {
  // RFC 5280 4.2.1.10: "Conforming CAs MUST mark this extension as critical".
  const auto& constraints = certificate.name_constraints();
  return request.policy.require_critical_name_constraints && constraints && !constraints->critical
             ? Code::name_constraints_not_critical
             : Code::ok;
}

constexpr std::array kRules = std::to_array<Rule>({
    {kEvery, check_version},
    {kEvery, check_algorithm_fields},
    {kEvery, check_critical_extensions},
    {kEvery, check_validity},
    {kLeaves, check_peer_name},
    {kEvery, check_public_key},
    {kIssuers, check_authority},
    {kLeaf, check_leaf_is_no_ca},
    {kLeaves, check_leaf_has_no_ca_fields},
    {kLeaves, check_key_usage},
    {kEvery, check_purpose},
    {kEvery, check_names},
    {kLeaf | kIntermediate, check_serial_number},
    {kEvery, check_extensions_never_critical},
    {kLeaf | kIssuers, check_key_identifiers},
    {kAnchor, check_root_key_identifier},
    {kLeaf, check_critical_alt_name},
    {kLeaf, check_common_name},
    {kIssuers, check_name_constraints_critical},
    {kEvery, check_policy_constraints_critical},
    {kLeaf | kIntermediate, check_policies},
});

}  // namespace

bool is_unhandled(const Certificate& certificate, const Extension& extension, const Policy& policy) {
  return extension.critical && !certificate.processes(extension) &&
         std::ranges::find(policy.handled_extensions, oid_text(extension.oid)) == policy.handled_extensions.end();
}

std::span<const Rule> rules() noexcept { return kRules; }

Code check_signature_algorithm(const Certificate& child, const Certificate& issuer,
                               const VerifyRequest& request) noexcept {
  const SignatureIdentifier& identifier = child.signature_algorithm();
  // RFC 9846 4.5.1.3: "Any endpoint receiving any certificate which it would need to validate using any signature
  // algorithm using an MD5 hash MUST abort the handshake with a "bad_certificate" alert."
  if (!identifier.algorithm) return identifier.weak ? Code::ca_md_too_weak : Code::unsupported_signature_algorithm;
  const auto allowed = request.policy.signature_algorithms;
  if (!allowed.empty() && std::ranges::find(allowed, *identifier.algorithm) == allowed.end())
    return Code::unsupported_signature_algorithm;
  // RFC 9846 4.3.3: "The keys found in certificates MUST also be of appropriate type for the signature algorithms they
  // are used with."
  if (!issuer.key_type() || !fits(*identifier.algorithm, *issuer.key_type()))
    return Code::signature_algorithm_inconsistency;
  // RFC 4055 3.3: with parameters in the key, those of the signature must agree with them.
  const auto& only = issuer.public_key().only_algorithm;
  if (only && *only != *identifier.algorithm) return Code::signature_algorithm_inconsistency;
  if (request.provider.verifier(*identifier.algorithm, *issuer.key_type()) == nullptr)
    return Code::unsupported_signature_algorithm;
  return Code::ok;
}

const SignatureVerifier& verifier_of(const Certificate& child, const Certificate& issuer,
                                     const Provider& provider) noexcept {
  return *provider.verifier(*child.signature_algorithm().algorithm, *issuer.key_type());
}

Code code_of(VerifyResult result) noexcept {
  switch (result) {
    case VerifyResult::valid: return Code::ok;
    case VerifyResult::invalid: return Code::cert_signature_failure;
    case VerifyResult::bad_key: return Code::unable_to_decode_issuer_public_key;
    case VerifyResult::failed: return Code::out_of_mem;
  }
  return Code::unspecified;
}

Code check_signature(const Certificate& child, const Certificate& issuer, const Provider& provider) noexcept {
  return code_of(verifier_of(child, issuer, provider)
                     .verify(issuer.subject_public_key_info(), child.to_be_signed(), child.signature()));
}

Code judge_key_size(const PublicKey& key, const Policy& policy) noexcept {
  if (key.type != KeyType::rsa && key.type != KeyType::rsa_pss) return Code::ok;
  // Baseline Requirements 6.1.5: "the modulus size, when encoded, is at least 2048 bits, and [...] is evenly divisible
  // by 8".
  const std::size_t least = policy.profile == Profile::fips ? kApprovedRsaBits : kMinRsaBits;
  if (key.bits < std::max<std::size_t>(policy.min_rsa_bits, least)) return Code::ee_key_too_small;
  if (key.bits > kMaxRsaBits || (policy.refuse_odd_rsa_size && key.bits % 8 != 0)) return Code::key_size_not_allowed;
  return Code::ok;
}

Policy Policy::web_pki() noexcept {
  Policy policy;
  policy.require_anchor_form = true;
  policy.require_purpose = true;
  policy.refuse_purpose_on_root = true;
  policy.require_common_name_in_alt_names = true;
  return policy;
}

Policy Policy::private_pki() noexcept {
  Policy policy;
  policy.require_key_identifiers = false;
  policy.refuse_ca_as_leaf = false;
  policy.refuse_bad_serial_number = false;
  policy.refuse_odd_rsa_size = false;
  policy.require_critical_basic_constraints = false;
  policy.refuse_critical_alt_name = false;
  policy.require_version_3 = false;
  policy.require_critical_alt_name = false;
  policy.refuse_underscores = false;
  policy.refuse_leading_dot = false;
  policy.refuse_ca_fields_in_leaf = false;
  policy.require_critical_policy_constraints = false;
  policy.max_intermediates = 16;
  return policy;
}

}  // namespace lockstep::x509
