#pragma once
// The verdict on a chain of certificates, and the policy behind it (RFC 5280 6, RFC 9525, CA/Browser Forum Baseline
// Requirements).
//
// verify() is a function of its arguments: it does no I/O, reads no clock and calls nobody back but the provider's
// signature verifiers. It does a bounded amount of work whatever a peer sends.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <lockstep/bytes.hpp>
#include <lockstep/export.hpp>
#include <lockstep/provider.hpp>
#include <lockstep/types.hpp>
#include <lockstep/x509_anchors.hpp>
#include <lockstep/x509_certificate.hpp>
#include <lockstep/x509_name.hpp>
#include <lockstep/x509_verified_links.hpp>

namespace lockstep::x509 {

// --- the policy ------------------------------------------------------------------------------------------------------

/// As many bytes of names are compared in one comparison of Policy::max_name_comparisons.
inline constexpr std::size_t kComparisonBytes = 64;

/// What is accepted. The defaults are the rules of RFC 5280 with those of the CA/Browser Forum that every certificate
/// of the public web keeps; web_pki() adds the rest, private_pki() takes away what home-made certificates break.
struct Policy {
  /// Intermediates between leaf and anchor, those not counted that are self-issued (RFC 5280 6.1.4 (l)). Public chains
  /// have at most three.
  std::size_t max_intermediates = 8;
  /// RSA keys of fewer bits are refused (Baseline Requirements 6.1.5), and below 1024 in any case (rsa_limits.hpp).
  std::uint32_t min_rsa_bits = 2048;
  /// When not empty: the only signature algorithms and key types accepted. SHA-1 and MD5 never are. The spans must
  /// outlive the call.
  std::span<const SignatureAlgorithm> signature_algorithms = {};
  std::span<const KeyType> key_types = {};
  /// `Profile::fips`: besides, keys are of approved types (`is_approved`), and RSA keys not below kApprovedRsaBits.
  Profile profile = Profile::none;
  /// Critical extensions that the caller processes itself, as "1.2.3" texts.
  std::span<const std::string_view> handled_extensions = {};
  /// Critical extensions of which this library knows nothing are left for the caller to judge by their values: they
  /// refuse no path, and what is otherwise verified is refused at the end with Code::unhandled_critical_extension and
  /// all of them in Verdict::unhandled.
  bool offer_unknown_extensions = false;

  /// The leaf's key usage, when present, must allow VerifyRequest::use.
  bool require_key_usage = true;
  /// anyExtendedKeyUsage counts as the role's purpose in CA certificates; in leaves.
  bool any_purpose_on_ca = false;
  bool any_purpose_on_leaf = false;
  /// A leaf that is itself an anchor is accepted when it is self-signed. This accepts it even when somebody else issued
  /// it.
  bool accept_partial_chain = false;

  // Rules of the profile; each names its source.
  bool require_version_3 = true;  ///< RFC 9846 4.5.1.2; without it leaves and anchors may be of version 1 or 2
  bool require_key_identifiers =
      true;  ///< RFC 5280 4.2.1.1, 4.2.1.2: authority's (but for self-signed), and subject's in CAs
  bool refuse_ca_as_leaf = true;                   ///< Baseline Requirements 7.1.2.7.8
  bool refuse_bad_serial_number = true;            ///< RFC 5280 4.1.2.2: positive, at most 20 bytes
  bool refuse_odd_rsa_size = true;                 ///< Baseline Requirements 6.1.5: bits divisible by 8
  bool require_critical_basic_constraints = true;  ///< RFC 5280 4.2.1.9
  bool refuse_critical_alt_name = true;            ///< Baseline Requirements 7.1.2.7.12: not critical beside a subject
  bool require_critical_alt_name = true;           ///< RFC 5280 4.2.1.6: critical where there is no subject
  bool refuse_underscores = true;                  ///< RFC 5280 4.2.1.6: host names have letters, digits and hyphens
  bool refuse_leading_dot = true;                  ///< RFC 5280 4.2.1.10: in constraints on DNS names
  bool refuse_ca_fields_in_leaf = true;  ///< RFC 5280 4.2.1.9, 4.2.1.10: keyCertSign, path length, constraints
  bool require_critical_policy_constraints = true;  ///< RFC 5280 4.2.1.11
  bool require_critical_name_constraints = false;  ///< RFC 5280 4.2.1.10; the Baseline Requirements 7.1.2.5.2 except it
  bool require_purpose = false;  ///< Baseline Requirements 7.1.2.7.6: a leaf has extended key usage, not critical
  bool refuse_purpose_on_root = false;            ///< Baseline Requirements 7.1.2.1.2
  bool require_common_name_in_alt_names = false;  ///< Baseline Requirements 7.1.4.3
  /// Anchors too keep the rules of form for CA certificates: key identifiers (RFC 5280 4.2.1.1 and 4.2.1.2, Baseline
  /// Requirements 7.1.2.1.3) and critical basic constraints (RFC 5280 4.2.1.9). They are trusted for themselves, and
  /// roots that every system trusts break these rules; that they are CAs, their keys, validity and constraints are
  /// always checked.
  bool require_anchor_form = false;

  // Limits of work, whatever a peer sends.
  std::size_t max_chains = 1;          ///< stop after so many verified chains
  std::size_t max_certificates = 128;  ///< presented certificates that are looked at
  // Anchors are the caller's own: as many of them as there are may be tried besides.
  std::size_t max_signatures = 100;            ///< signatures verified, as in Go's crypto/x509
  std::size_t max_candidates = 1'000;          ///< issuers tried
  std::size_t max_name_comparisons = 250'000;  ///< names held against constraints, as in Go's crypto/x509; those of
                                               ///< kComparisonBytes together count twice, and so on

  /// Everything that the Baseline Requirements say of certificates.
  [[nodiscard]] LOCKSTEP_API static Policy web_pki() noexcept;
  /// For certificates of one's own making: what OpenSSL, Go and GnuTLS all take. No key identifiers, CA certificates as
  /// leaves and leaves with fields of a CA, any serial number, version 1, names with underscores.
  [[nodiscard]] LOCKSTEP_API static Policy private_pki() noexcept;
};

// --- the verdict -----------------------------------------------------------------------------------------------------

/// Why a chain was refused. Values below 1000 are OpenSSL's X509_V_ERR numbers, names are its names; from 1000 on stand
/// reasons for which OpenSSL has none.
enum class Code : std::uint16_t {
  ok = 0,
  unspecified = 1,
  unable_to_decode_issuer_public_key = 6,
  cert_signature_failure = 7,
  cert_not_yet_valid = 9,
  cert_has_expired = 10,
  out_of_mem = 17,
  depth_zero_self_signed_cert = 18,
  self_signed_cert_in_chain = 19,
  unable_to_get_issuer_cert_locally = 20,
  cert_chain_too_long = 22,
  cert_revoked = 23,
  path_length_exceeded = 25,
  invalid_purpose = 26,
  keyusage_no_certsign = 32,
  unhandled_critical_extension = 34,
  invalid_non_ca = 37,
  keyusage_no_digital_signature = 39,
  invalid_policy_extension = 42,
  permitted_violation = 47,
  excluded_violation = 48,
  subtree_minmax = 49,
  application_verification = 50,
  unsupported_constraint_type = 51,
  unsupported_constraint_syntax = 52,
  unsupported_name_syntax = 53,
  hostname_mismatch = 62,
  ip_address_mismatch = 64,
  ee_key_too_small = 66,
  ca_key_too_small = 67,
  ca_md_too_weak = 68,
  unsupported_signature_algorithm = 76,
  signature_algorithm_mismatch = 77,
  signature_algorithm_inconsistency = 78,
  invalid_ca = 79,
  pathlen_invalid_for_non_ca = 80,
  pathlen_without_ku_key_cert_sign = 81,
  ku_key_cert_sign_invalid_for_non_ca = 82,
  issuer_name_empty = 83,
  subject_name_empty = 84,
  missing_authority_key_identifier = 85,
  missing_subject_key_identifier = 86,
  empty_subject_alt_name = 87,
  empty_subject_san_not_critical = 88,
  ca_bcons_not_critical = 89,
  authority_key_identifier_critical = 90,
  subject_key_identifier_critical = 91,
  extensions_require_version_3 = 93,
  ec_key_explicit_params = 94,

  malformed_certificate = 1000,
  no_certificate = 1001,
  version_not_3 = 1002,
  serial_number_invalid = 1003,
  key_type_not_allowed = 1004,
  key_size_not_allowed = 1005,
  subject_alt_name_critical = 1006,
  common_name_not_in_alt_names = 1007,
  purpose_missing = 1008,
  purpose_critical = 1009,
  purpose_on_root = 1010,
  name_constraints_in_leaf = 1011,
  name_constraints_not_critical = 1012,
  authority_key_identifier_invalid = 1013,
  extension_must_not_be_critical = 1014,
  extension_must_be_critical = 1015,
  work_limit_exceeded = 1016,
  name_with_underscore = 1017,
  constraint_with_leading_dot = 1018,
  keyusage_no_key_encipherment = 1019,
};

/// What kind of failure a code is; stable, for mapping to alerts (RFC 9846 6.2) and for statistics.
enum class CodeGroup : std::uint8_t {
  ok,
  malformed,    ///< not a certificate, or not one that the profile allows
  unsupported,  ///< an algorithm, key or critical extension that is not known or not allowed
  untrusted,    ///< no path to an anchor
  expired,      ///< outside its validity
  revoked,
  signature,   ///< a signature does not verify
  purpose,     ///< not for this use: CA, key usage, extended key usage, path length
  constraint,  ///< a name outside the constraints of a CA
  wrong_name,  ///< a valid certificate, of somebody else
  limit,       ///< more work than the policy allows
  internal,    ///< the caller's own refusal, or a call that makes no sense
};

/// "CERT_HAS_EXPIRED": OpenSSL's name without X509_V_ERR_.
[[nodiscard]] LOCKSTEP_API std::string_view name(Code code) noexcept;
/// One sentence: what is wrong.
[[nodiscard]] LOCKSTEP_API std::string_view explanation(Code code) noexcept;
/// One sentence: what to do about it.
[[nodiscard]] LOCKSTEP_API std::string_view advice(Code code) noexcept;
[[nodiscard]] LOCKSTEP_API CodeGroup group(Code code) noexcept;
/// The X509_V_ERR number; for codes from 1000 on that of the nearest name OpenSSL has.
[[nodiscard]] LOCKSTEP_API int openssl_number(Code code) noexcept;
/// Every code, in order.
[[nodiscard]] LOCKSTEP_API std::span<const Code> all_codes() noexcept;

/// What verify() is asked. All of it must outlive the call; chain and anchors must outlive the verdict.
struct VerifyRequest {
  const Provider& provider;
  const TrustAnchors& anchors;
  /// DER certificates as the peer sent them: its own first, the others in any order.
  std::span<const Bytes> chain;
  /// What the peer is: a server's certificate must be for serverAuth, a client's for clientAuth.
  Role peer;
  PeerName name;
  /// Seconds since 1970-01-01T00:00:00Z.
  std::int64_t time;
  Policy policy = {};
  /// What the peer does with its key: it signs, or it reads what is encrypted to the key (keyEncipherment), which is
  /// RSA key exchange in TLS 1.2.
  KeyUsage use = KeyUsage::digital_signature;
  /// Signatures that need not be verified again, and where those of a chain that is accepted are remembered. Of a leaf
  /// that is refused for itself it is not asked, lest time tell a stranger whose certificates were seen here. Without a
  /// SHA-256 that protects in `provider` it is not used.
  VerifiedLinks* verified = nullptr;
};

/// How much was done.
struct Work {
  std::size_t signatures = 0;  ///< verified
  std::size_t remembered = 0;  ///< signatures that VerifyRequest::verified knew
  std::size_t candidates = 0;
  std::size_t name_comparisons = 0;
  std::size_t certificates_left = 0;  ///< presented beyond Policy::max_certificates, and not looked at
};

/// One thing that is wrong.
struct Problem {
  Code code = Code::unspecified;
  /// How far from the leaf (0) the certificate stands that it is about.
  std::size_t depth = 0;
  /// That certificate, unless it does not parse.
  std::optional<Certificate> certificate;
};

/// A critical extension that is the caller's to judge (Policy::offer_unknown_extensions).
struct UnhandledExtension {
  std::size_t depth;  ///< of its certificate in Verdict::chain
  Extension extension;
};

/// The answer. Its certificates are views into the chain and the anchors of the request.
struct Verdict {
  /// Code::ok, or what decides: the first problem.
  Code code = Code::unspecified;
  /// Where it is: how far from the leaf (0) the certificate stands that failed, and the certificate, unless it does not
  /// parse.
  std::size_t depth = 0;
  std::optional<Certificate> culprit;
  /// The first certificate of the request's chain that does not parse: its index there, and where and why. Only that of
  /// the leaf decides; others are as good as not sent.
  struct Unreadable {
    std::size_t index;
    ParseError error;
  };
  std::optional<Unreadable> unreadable;
  /// What else is wrong with the leaf, so that somebody who repairs it sees everything at once. Never the whole of what
  /// is wrong with others.
  std::vector<Problem> further;
  /// When ok: leaf first, anchor last. When refused: the path as far as it was built, the leaf at least if it parses.
  std::vector<Certificate> chain;
  /// Further verified chains, when the policy asks for them.
  std::vector<std::vector<Certificate>> other_chains;
  /// What the caller has to judge before anybody may rely on `chain`, which is verified but for that; else empty.
  std::vector<UnhandledExtension> unhandled;
  Work work;
  // What was asked, for the text.
  PeerName name = NoNameCheck{};
  std::int64_t time = 0;

  [[nodiscard]] bool ok() const noexcept { return code == Code::ok; }
  /// The caller has judged all of `unhandled`, and each allows this use: the verdict is ok. Without any it stays.
  LOCKSTEP_API void accept_unhandled() noexcept;
  /// The last second in which all certificates of `chain` are valid, the anchor's included; nothing when refused.
  [[nodiscard]] LOCKSTEP_API std::optional<std::int64_t> not_after() const noexcept;
  /// "CERT_HAS_EXPIRED at depth 1 (CN=R3): the certificate is no longer valid (it was until 2025-09-15 16:00:00 UTC,
  /// the time of the check is 2026-11-21 20:31:36 UTC). Renew it, or correct the clock." One line for each problem.
  [[nodiscard]] LOCKSTEP_API std::string text() const;
  /// The line for one problem.
  [[nodiscard]] LOCKSTEP_API std::string text(const Problem& problem) const;
};

/// Whether a leaf's key is of a size that the policy allows: `ok`, `ee_key_too_small` or `key_size_not_allowed`.
[[nodiscard]] LOCKSTEP_API Code judge_key_size(const PublicKey& key, const Policy& policy) noexcept;

/// Builds paths from the leaf to an anchor and validates them. Deterministic; tries every path within the limits before
/// it refuses.
[[nodiscard]] LOCKSTEP_API Verdict verify(const VerifyRequest& request);

/// The same in two steps, for those who verify for many peers: the signatures of the first path that leads to an anchor
/// are run in between, with whatever else there is (`run_together` in lockstep/computation.hpp). The verdict is that of
/// `verify`; should one of them not be valid, the search goes on by itself.
///
///     x509::Verification first(request), second(other_request);
///     ... run what first.signatures() and second.signatures() hold ...
///     const x509::Verdict verdict = std::move(first).finish();
class LOCKSTEP_API Verification {
 public:
  /// The request outlives this object, as all that it refers to. Throws std::bad_alloc.
  explicit Verification(const VerifyRequest& request);
  Verification(Verification&&) noexcept;
  Verification& operator=(Verification&&) noexcept;
  Verification(const Verification&) = delete;
  Verification& operator=(const Verification&) = delete;
  ~Verification();

  /// What is to be run before `finish`; what was not has failed. They live as long as this object. None where there is
  /// no such path, or where all of them are known (`VerifyRequest::verified`).
  [[nodiscard]] std::span<SignatureJob> signatures() noexcept;
  [[nodiscard]] Verdict finish() &&;

 private:
  struct Search;
  std::unique_ptr<Search> search_;
};

/// Completes one's own chain: the leaf and the intermediates that lead from it towards a self-signed certificate, which
/// is left out (RFC 9846 4.5.1). Chooses by names and key identifiers and verifies the signatures with `provider`. The
/// views returned are those given. Empty when the leaf does not parse.
[[nodiscard]] LOCKSTEP_API std::vector<Bytes> build_chain(const Provider& provider, Bytes leaf,
                                                          std::span<const Bytes> candidates);

}  // namespace lockstep::x509
