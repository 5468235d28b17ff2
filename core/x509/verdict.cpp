// What verdicts say: one row for each code.

#include <algorithm>
#include <array>

#include <lockstep/x509_verify.hpp>

#include "x509/text.hpp"

namespace lockstep::x509 {

namespace {

struct Row {
  Code code;
  std::string_view name;
  CodeGroup group;
  std::string_view explanation;
  std::string_view advice;
  int nearest = 0;  ///< OpenSSL's number, for codes that it does not have
};

constexpr std::string_view kReissue = "Have the certificate issued again without this fault.";
constexpr std::string_view kReissueOrRelax =
    "Have the certificate issued again, or use Policy::private_pki() if it is of your own making.";

constexpr std::array kRows = std::to_array<Row>({
    {Code::ok, "OK", CodeGroup::ok, "the chain is valid", ""},
    {Code::unspecified, "UNSPECIFIED", CodeGroup::internal, "no verification took place", "Call verify()."},
    {Code::unable_to_decode_issuer_public_key, "UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY", CodeGroup::malformed,
     "the issuer's public key is not a valid key", kReissue},
    {Code::cert_signature_failure, "CERT_SIGNATURE_FAILURE", CodeGroup::signature,
     "the certificate was not signed by the key of the issuer that it names, or was changed afterwards",
     "Install the certificate as it was issued, and the issuer's certificate that belongs to it."},
    {Code::cert_not_yet_valid, "CERT_NOT_YET_VALID", CodeGroup::expired, "the certificate is not valid yet",
     "Wait, or correct the clock."},
    {Code::cert_has_expired, "CERT_HAS_EXPIRED", CodeGroup::expired, "the certificate is no longer valid",
     "Renew it, or correct the clock."},
    {Code::out_of_mem, "OUT_OF_MEM", CodeGroup::internal,
     "the cryptographic library failed, so that a signature could not be checked",
     "Check that the library is whole and has the memory that it needs."},
    {Code::depth_zero_self_signed_cert, "DEPTH_ZERO_SELF_SIGNED_CERT", CodeGroup::untrusted,
     "the certificate is self-signed and not among the anchors",
     "Add it to the anchors if you know it to be the peer's, or have the peer get one from an authority that you "
     "trust."},
    {Code::self_signed_cert_in_chain, "SELF_SIGNED_CERT_IN_CHAIN", CodeGroup::untrusted,
     "the chain ends in a self-signed certificate that is not among the anchors",
     "Add that certificate to the anchors if you trust it."},
    {Code::unable_to_get_issuer_cert_locally, "UNABLE_TO_GET_ISSUER_CERT_LOCALLY", CodeGroup::untrusted,
     "the issuer's certificate is neither in the chain nor among the anchors",
     "Have the peer send its intermediate certificates, or add its root to the anchors if you trust it."},
    {Code::cert_chain_too_long, "CERT_CHAIN_TOO_LONG", CodeGroup::limit,
     "the chain has more intermediate certificates than the policy allows",
     "Raise Policy::max_intermediates if such chains are expected."},
    {Code::cert_revoked, "CERT_REVOKED", CodeGroup::revoked, "the certificate was revoked by its issuer",
     "Have the peer get a new one."},
    {Code::path_length_exceeded, "PATH_LENGTH_EXCEEDED", CodeGroup::purpose,
     "more intermediate certificates follow than the CA's path length allows",
     "Have the certificate issued by a CA that may have CAs below it."},
    {Code::invalid_purpose, "INVALID_PURPOSE", CodeGroup::purpose,
     "the extended key usage does not include this role (serverAuth or clientAuth)",
     "Use a certificate for the right role."},
    {Code::keyusage_no_certsign, "KEYUSAGE_NO_CERTSIGN", CodeGroup::purpose,
     "the CA's key usage does not include keyCertSign", kReissue},
    {Code::unhandled_critical_extension, "UNHANDLED_CRITICAL_EXTENSION", CodeGroup::unsupported,
     "the certificate has a critical extension that is not processed here",
     "Name it in Policy::handled_extensions if the application processes it, or have its value offered to be judged."},
    {Code::invalid_non_ca, "INVALID_NON_CA", CodeGroup::purpose, "the peer's certificate is one of a CA",
     "Use a certificate that was issued for an end entity, or use Policy::private_pki() if it is of your own making."},
    {Code::keyusage_no_digital_signature, "KEYUSAGE_NO_DIGITAL_SIGNATURE", CodeGroup::purpose,
     "the key usage does not include digitalSignature, with which the peer proves possession", kReissue},
    {Code::invalid_policy_extension, "INVALID_POLICY_EXTENSION", CodeGroup::malformed,
     "the certificate maps a policy from or to anyPolicy, or has one policy twice", kReissue},
    {Code::permitted_violation, "PERMITTED_VIOLATION", CodeGroup::constraint,
     "the certificate has a name outside those that a CA above it may issue for",
     "Use a CA that may issue for this name."},
    {Code::excluded_violation, "EXCLUDED_VIOLATION", CodeGroup::constraint,
     "the certificate has a name that a CA above it must not issue for", "Use a CA that may issue for this name."},
    {Code::subtree_minmax, "SUBTREE_MINMAX", CodeGroup::malformed,
     "the CA's name constraints have a minimum or maximum, which RFC 5280 forbids", kReissue},
    {Code::application_verification, "APPLICATION_VERIFICATION", CodeGroup::internal,
     "the application refused the certificate", ""},
    {Code::unsupported_constraint_type, "UNSUPPORTED_CONSTRAINT_TYPE", CodeGroup::unsupported,
     "the certificate has a name of a kind for which a CA above it has constraints that are not processed here",
     "Use a certificate without such a name."},
    {Code::unsupported_constraint_syntax, "UNSUPPORTED_CONSTRAINT_SYNTAX", CodeGroup::malformed,
     "the CA's name constraints are malformed", kReissue},
    {Code::unsupported_name_syntax, "UNSUPPORTED_NAME_SYNTAX", CodeGroup::malformed,
     "the certificate has a malformed name, and a CA above it has constraints for such names", kReissue},
    {Code::hostname_mismatch, "HOSTNAME_MISMATCH", CodeGroup::wrong_name,
     "the certificate is not for the expected host name",
     "Connect by a name that the certificate is for, or have the peer get one for this name."},
    {Code::ip_address_mismatch, "IP_ADDRESS_MISMATCH", CodeGroup::wrong_name,
     "the certificate is not for the expected address",
     "Connect by a name that the certificate is for, or have the peer get one for this address."},
    {Code::ee_key_too_small, "EE_KEY_TOO_SMALL", CodeGroup::unsupported,
     "the peer's RSA key is shorter than the policy allows",
     "Have the peer make a new key of 2048 bits or more, or on an elliptic curve."},
    {Code::ca_key_too_small, "CA_KEY_TOO_SMALL", CodeGroup::unsupported,
     "the CA's RSA key is shorter than the policy allows", "Use a CA with a key of 2048 bits or more."},
    {Code::ca_md_too_weak, "CA_MD_TOO_WEAK", CodeGroup::unsupported,
     "the certificate is signed with SHA-1 or MD5, which can be forged",
     "Have it issued again with SHA-256 or better."},
    {Code::unsupported_signature_algorithm, "UNSUPPORTED_SIGNATURE_ALGORITHM", CodeGroup::unsupported,
     "the certificate is signed with an algorithm that the provider lacks or the policy does not allow",
     "Have it issued again with another algorithm, or use a provider that has this one."},
    {Code::signature_algorithm_mismatch, "SIGNATURE_ALGORITHM_MISMATCH", CodeGroup::malformed,
     "the certificate names two different signature algorithms", kReissue},
    {Code::signature_algorithm_inconsistency, "SIGNATURE_ALGORITHM_INCONSISTENCY", CodeGroup::signature,
     "the certificate is signed with an algorithm that the issuer's key cannot have",
     "Install the issuer's certificate that belongs to it."},
    {Code::invalid_ca, "INVALID_CA", CodeGroup::purpose, "the issuer's certificate is not one of a CA",
     "Use a CA whose basic constraints say CA:TRUE."},
    {Code::pathlen_invalid_for_non_ca, "PATHLEN_INVALID_FOR_NON_CA", CodeGroup::malformed,
     "a path length in a certificate that is not one of a CA", kReissueOrRelax},
    {Code::pathlen_without_ku_key_cert_sign, "PATHLEN_WITHOUT_KU_KEY_CERT_SIGN", CodeGroup::malformed,
     "a path length in a CA's certificate whose key usage does not include keyCertSign", kReissue},
    {Code::ku_key_cert_sign_invalid_for_non_ca, "KU_KEY_CERT_SIGN_INVALID_FOR_NON_CA", CodeGroup::malformed,
     "keyCertSign in a certificate that is not one of a CA", kReissueOrRelax},
    {Code::issuer_name_empty, "ISSUER_NAME_EMPTY", CodeGroup::malformed, "the issuer's name is empty", kReissue},
    {Code::subject_name_empty, "SUBJECT_NAME_EMPTY", CodeGroup::malformed, "the CA's name is empty", kReissue},
    {Code::missing_authority_key_identifier, "MISSING_AUTHORITY_KEY_IDENTIFIER", CodeGroup::malformed,
     "the certificate has no authority key identifier", kReissueOrRelax},
    {Code::missing_subject_key_identifier, "MISSING_SUBJECT_KEY_IDENTIFIER", CodeGroup::malformed,
     "the CA's certificate has no subject key identifier", kReissueOrRelax},
    {Code::empty_subject_alt_name, "EMPTY_SUBJECT_ALT_NAME", CodeGroup::malformed,
     "the certificate has neither a subject nor an alternative name", kReissue},
    {Code::empty_subject_san_not_critical, "EMPTY_SUBJECT_SAN_NOT_CRITICAL", CodeGroup::malformed,
     "the subject is empty and the alternative names are not critical", kReissueOrRelax},
    {Code::ca_bcons_not_critical, "CA_BCONS_NOT_CRITICAL", CodeGroup::malformed,
     "the CA's basic constraints are not critical", kReissueOrRelax},
    {Code::authority_key_identifier_critical, "AUTHORITY_KEY_IDENTIFIER_CRITICAL", CodeGroup::malformed,
     "the authority key identifier is critical", kReissue},
    {Code::subject_key_identifier_critical, "SUBJECT_KEY_IDENTIFIER_CRITICAL", CodeGroup::malformed,
     "the subject key identifier is critical", kReissue},
    {Code::extensions_require_version_3, "EXTENSIONS_REQUIRE_VERSION_3", CodeGroup::malformed,
     "the certificate has extensions but is not of version 3", kReissue},
    {Code::ec_key_explicit_params, "EC_KEY_EXPLICIT_PARAMS", CodeGroup::unsupported,
     "the key spells out its elliptic curve instead of naming it", "Make a new key on a named curve."},

    {Code::malformed_certificate, "MALFORMED_CERTIFICATE", CodeGroup::malformed,
     "the peer's certificate is not DER as RFC 5280 has it", kReissue, 1},
    {Code::no_certificate, "NO_CERTIFICATE", CodeGroup::internal, "there is no certificate to verify",
     "Have the peer send its certificate.", 69},
    {Code::version_not_3, "VERSION_NOT_3", CodeGroup::malformed, "the certificate is not of version 3", kReissueOrRelax,
     93},
    {Code::serial_number_invalid, "SERIAL_NUMBER_INVALID", CodeGroup::malformed,
     "the serial number is not positive or has more than 20 bytes", kReissueOrRelax, 1},
    {Code::key_type_not_allowed, "KEY_TYPE_NOT_ALLOWED", CodeGroup::unsupported,
     "the key is of a type that is not known or not allowed", "Make a new key: ECDSA on P-256, Ed25519, or RSA.", 6},
    {Code::key_size_not_allowed, "KEY_SIZE_NOT_ALLOWED", CodeGroup::unsupported,
     "the RSA key has a number of bits that is not divisible by 8, or more than 8192",
     "Make a new key of 2048, 3072 or 4096 bits.", 66},
    {Code::subject_alt_name_critical, "SUBJECT_ALT_NAME_CRITICAL", CodeGroup::malformed,
     "the alternative names are critical although there is a subject", kReissueOrRelax, 41},
    {Code::common_name_not_in_alt_names, "COMMON_NAME_NOT_IN_ALT_NAMES", CodeGroup::malformed,
     "the common name is not, letter by letter, one of the alternative names", kReissue, 41},
    {Code::purpose_missing, "PURPOSE_MISSING", CodeGroup::purpose,
     "the certificate has no extended key usage, and the policy demands one", kReissue, 26},
    {Code::purpose_critical, "PURPOSE_CRITICAL", CodeGroup::malformed,
     "the extended key usage is critical, and the policy forbids that", kReissue, 41},
    {Code::purpose_on_root, "PURPOSE_ON_ROOT", CodeGroup::malformed,
     "the root has an extended key usage, and the policy forbids that", "Use another root.", 41},
    {Code::name_constraints_in_leaf, "NAME_CONSTRAINTS_IN_LEAF", CodeGroup::malformed,
     "name constraints in a certificate that is not one of a CA", kReissueOrRelax, 41},
    {Code::name_constraints_not_critical, "NAME_CONSTRAINTS_NOT_CRITICAL", CodeGroup::malformed,
     "the CA's name constraints are not critical, and the policy demands that", kReissue, 41},
    {Code::authority_key_identifier_invalid, "AUTHORITY_KEY_IDENTIFIER_INVALID", CodeGroup::malformed,
     "the root's authority key identifier is not just its own key identifier", kReissueOrRelax, 30},
    {Code::extension_must_not_be_critical, "EXTENSION_MUST_NOT_BE_CRITICAL", CodeGroup::malformed,
     "an extension is critical that must not be (information access, certificate transparency)", kReissue, 41},
    {Code::extension_must_be_critical, "EXTENSION_MUST_BE_CRITICAL", CodeGroup::malformed,
     "the policy constraints are not critical", kReissueOrRelax, 41},
    {Code::work_limit_exceeded, "WORK_LIMIT_EXCEEDED", CodeGroup::limit,
     "no path was found within the work that the policy allows",
     "Have the peer send only the certificates of its chain.", 22},
    {Code::name_with_underscore, "NAME_WITH_UNDERSCORE", CodeGroup::malformed,
     "the certificate has the expected name, but host names in certificates have no underscores", kReissueOrRelax, 53},
    {Code::constraint_with_leading_dot, "CONSTRAINT_WITH_LEADING_DOT", CodeGroup::malformed,
     "the CA's constraints on DNS names begin with a dot, which RFC 5280 has for URIs alone", kReissueOrRelax, 52},
    {Code::keyusage_no_key_encipherment, "KEYUSAGE_NO_KEY_ENCIPHERMENT", CodeGroup::purpose,
     "the key usage does not include keyEncipherment, which RSA key exchange needs",
     "Use a suite with ECDHE, or get a certificate issued that may be used so.", 26},
});

const Row& row_of(Code code) noexcept {
  for (const Row& row : kRows) {
    if (row.code == code) return row;
  }
  return kRows[1];  // unspecified
}

constexpr auto kCodes = [] {
  std::array<Code, kRows.size()> codes{};
  for (std::size_t i = 0; i < codes.size(); ++i) codes[i] = kRows[i].code;
  return codes;
}();

/// A name that fits into a line.
std::string short_text(const DistinguishedName& name);

/// What is particular to this certificate, in brackets.
std::string detail(const Verdict& verdict, const Problem& problem);

}  // namespace

std::string_view name(Code code) noexcept { return row_of(code).name; }
std::string_view explanation(Code code) noexcept { return row_of(code).explanation; }
std::string_view advice(Code code) noexcept { return row_of(code).advice; }
CodeGroup group(Code code) noexcept { return row_of(code).group; }
std::span<const Code> all_codes() noexcept { return kCodes; }

int openssl_number(Code code) noexcept {
  const int number = static_cast<int>(code);
  return number < 1000 ? number : row_of(code).nearest;
}

std::optional<std::int64_t> Verdict::not_after() const noexcept {
  if (!ok() || chain.empty()) return std::nullopt;
  return std::ranges::min_element(chain, {}, &Certificate::not_after)->not_after();
}

void Verdict::accept_unhandled() noexcept {
  if (code != Code::unhandled_critical_extension || unhandled.empty()) return;
  code = Code::ok;
  depth = 0;
  culprit.reset();
  unhandled.clear();
}

std::string Verdict::text() const {
  if (ok()) return "OK: " + std::string(explanation(code));
  std::string out = text(Problem{code, depth, culprit});
  for (const Problem& problem : further) out += '\n' + text(problem);
  return out;
}

std::string Verdict::text(const Problem& problem) const {
  const Row& row = row_of(problem.code);
  std::string out(row.name);
  out += " at depth " + std::to_string(problem.depth);
  if (problem.certificate) out += " (" + short_text(problem.certificate->subject()) + ")";
  out += ": ";
  out += row.explanation;
  if (const std::string particular = detail(*this, problem); !particular.empty()) out += " (" + particular + ")";
  out += '.';
  if (!row.advice.empty()) {
    out += ' ';
    out += row.advice;
  }
  return out;
}

namespace {

/// No more names than a person reads.
constexpr std::size_t kMaxNamesShown = 8;

std::string short_text(const DistinguishedName& name) {
  constexpr std::size_t kMaxShown = 160;
  if (name.empty()) return "no subject";
  std::string out = name.text();
  if (out.size() <= kMaxShown) return out;
  std::size_t end = kMaxShown;
  while (end > 0 && (static_cast<unsigned char>(out[end]) & 0xc0U) == 0x80U) --end;  // not inside a character
  return out.substr(0, end) + "...";
}

std::string detail(const Verdict& verdict, const Problem& problem) {
  if (problem.code == Code::malformed_certificate && verdict.unreadable) return verdict.unreadable->error.text();
  if (!problem.certificate) return {};
  const Certificate& certificate = *problem.certificate;
  switch (problem.code) {
    case Code::cert_not_yet_valid:
      return "it will be from " + time_text(certificate.not_before()) + ", the time of the check is " +
             time_text(verdict.time);
    case Code::cert_has_expired:
      return "it was until " + time_text(certificate.not_after()) + ", the time of the check is " +
             time_text(verdict.time);
    case Code::hostname_mismatch:
    case Code::ip_address_mismatch: {
      std::string out = verdict.name.text() + " was expected, it is for";
      std::size_t shown = 0;
      for (const GeneralName& alternative : certificate.alternative_names()) {
        if (shown++ == kMaxNamesShown) {
          out += " and others";
          break;
        }
        out += (shown == 1 ? " " : ", ") + alternative.text();
      }
      return shown == 0 ? out + " no name at all: it lacks alternative names, and common names do not count" : out;
    }
    case Code::unable_to_get_issuer_cert_locally: {
      std::string out = "issuer: " + short_text(certificate.issuer());
      if (verdict.unreadable) {
        out += "; certificate " + std::to_string(verdict.unreadable->index) +
               " of the chain cannot be read: " + verdict.unreadable->error.text();
      }
      return out;
    }
    case Code::ee_key_too_small:
    case Code::ca_key_too_small:
    case Code::key_size_not_allowed: return std::to_string(certificate.public_key().bits) + " bits";
    case Code::key_type_not_allowed: return oid_text(certificate.public_key().algorithm);
    case Code::ca_md_too_weak:
    case Code::unsupported_signature_algorithm: {
      const Bytes oid = certificate.signature_algorithm().oid;
      return oid_name(oid).empty() ? oid_text(oid) : std::string(oid_name(oid));
    }
    case Code::unhandled_critical_extension: {
      std::string out;
      for (const Extension& extension : certificate.extensions()) {
        if (!extension.critical || certificate.processes(extension)) continue;
        out += out.empty() ? "" : ", ";
        out += oid_name(extension.oid).empty() ? oid_text(extension.oid) : std::string(oid_name(extension.oid));
      }
      return out;
    }
    case Code::work_limit_exceeded:
      if (const std::size_t left = verdict.work.certificates_left; left != 0)
        return "beyond Policy::max_certificates, " + std::to_string(left) + " certificates were not looked at";
      return {};
    default: return {};
  }
}

}  // namespace

}  // namespace lockstep::x509
