#pragma once
// What a certificate must be by itself, whatever path it stands in (RFC 5280 4 and 6.1, CA/Browser Forum Baseline
// Requirements 7.1). The rules stand in one table, see checks.cpp.

#include <lockstep/x509_verify.hpp>

namespace lockstep::x509 {

/// Where in a path a certificate stands.
enum class Position : std::uint8_t {
  leaf = 1,
  anchored_leaf = 2,  ///< a leaf that is itself an anchor: nobody else vouches for it
  intermediate = 4,
  anchor = 8,
};

/// One rule: says what is wrong, or ok.
struct Rule {
  std::uint8_t positions;
  Code (*check)(const Certificate& certificate, Position position, const VerifyRequest& request);
};

/// All of them, the gravest first.
[[nodiscard]] std::span<const Rule> rules() noexcept;

/// Calls `report(code)` for every rule that the certificate breaks, until it returns false.
template <class Report>
void check_rules(const Certificate& certificate, Position position, const VerifyRequest& request, Report report) {
  for (const Rule& rule : rules()) {
    if ((rule.positions & static_cast<unsigned>(position)) == 0) continue;
    const Code code = rule.check(certificate, position, request);
    if (code != Code::ok && !report(code)) return;
  }
}

/// Whether an extension is critical and neither known here nor to the caller.
[[nodiscard]] bool is_unhandled(const Certificate& certificate, const Extension& extension, const Policy& policy);

/// Whether the child's signature is by an algorithm that the policy allows, the provider has, and the issuer's key can
/// make.
[[nodiscard]] Code check_signature_algorithm(const Certificate& child, const Certificate& issuer,
                                             const VerifyRequest& request) noexcept;

// Algorithms having been checked:

/// What verifies the child's signature by the issuer's key.
[[nodiscard]] const SignatureVerifier& verifier_of(const Certificate& child, const Certificate& issuer,
                                                   const Provider& provider) noexcept;
/// What a verifier's result says of the child.
[[nodiscard]] Code code_of(VerifyResult result) noexcept;
/// Whether the child's signature is by the issuer's key.
[[nodiscard]] Code check_signature(const Certificate& child, const Certificate& issuer,
                                   const Provider& provider) noexcept;

}  // namespace lockstep::x509
