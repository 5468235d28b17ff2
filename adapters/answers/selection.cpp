// Which credential to show.

#include <algorithm>
#include <tuple>
#include <utility>

#include <lockstep/answers.hpp>

#include "answers/verification.hpp"

namespace lockstep {

namespace {

bool can_sign(const Credential& credential, std::span<const SignatureScheme> wanted) {
  return std::ranges::any_of(credential.schemes,
                             [&](SignatureScheme scheme) { return std::ranges::find(wanted, scheme) != wanted.end(); });
}

/// RFC 9846 4.5.1.2: "All certificates provided by the sender MUST be signed by a signature algorithm advertised by the
/// peer, if it is able to provide such a chain". Certificates that are signed by themselves do not count.
bool chain_is_signed_with(std::span<const x509::Certificate> chain, std::span<const SignatureScheme> wanted) {
  return std::ranges::all_of(chain, [&](const x509::Certificate& certificate) {
    if (certificate.is_self_issued()) return true;
    const auto algorithm = certificate.signature_algorithm().algorithm;
    return algorithm && std::ranges::any_of(wanted, [&](SignatureScheme scheme) {
             const auto scheme_parts = parts(scheme);
             return scheme_parts && scheme_parts->algorithm == *algorithm;
           });
  });
}

/// RFC 9846 4.5.1.2: "If the peer sent a "certificate_authorities" extension, at least one of the certificates in the
/// certificate chain SHOULD be issued by one of the listed CAs."
bool issued_by_any(std::span<const x509::Certificate> chain, std::span<const Bytes> authorities) {
  return std::ranges::any_of(authorities, [&](Bytes authority) {
    const auto name = x509::DistinguishedName::parse(authority);
    return name && std::ranges::any_of(chain, [&](const x509::Certificate& certificate) {
             return certificate.issuer().matches(*name);
           });
  });
}

enum class NameFit : std::uint8_t { none, wildcard, exact };

NameFit name_fit(const x509::Certificate& leaf, const std::optional<x509::PeerName>& name) {
  if (!name || !x509::matches(leaf, *name)) return NameFit::none;
  const auto lower = [](std::uint8_t c) { return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c + 0; };
  for (const x509::GeneralName& alternative : leaf.alternative_names()) {
    if (alternative.kind == x509::GeneralName::Kind::dns &&
        std::ranges::equal(alternative.value, as_bytes(name->host_name()), {}, lower)) {
      return NameFit::exact;
    }
  }
  return NameFit::wildcard;
}

}  // namespace

std::shared_ptr<const Credential> AnswerSetup::select(const SelectCredential& wishes) const {
  std::optional<x509::PeerName> name;
  if (!wishes.server_name.empty()) {
    if (auto parsed = x509::PeerName::dns(wishes.server_name)) name = std::move(*parsed);
  }
  const auto schemes_cert = wishes.schemes_cert.empty() ? wishes.schemes : wishes.schemes_cert;

  const std::shared_ptr<const Credential>* best = nullptr;
  std::tuple<NameFit, bool, bool> best_merit;
  for (std::size_t i = 0; i < options_.credentials.size(); ++i) {
    const Credential& credential = *options_.credentials[i];
    if (!can_sign(credential, wishes.schemes)) continue;
    const bool fits_authorities =
        wishes.certificate_authorities.empty() || issued_by_any(chains_[i], wishes.certificate_authorities);
    if (wishes.role == Role::client && !fits_authorities) continue;
    const std::tuple merit(name_fit(chains_[i].front(), name), fits_authorities,
                           chain_is_signed_with(chains_[i], schemes_cert));
    if (best == nullptr || merit > best_merit) {
      best = &options_.credentials[i];
      best_merit = merit;
    }
  }
  return best == nullptr ? nullptr : *best;
}

std::expected<std::shared_ptr<const AnswerSetup>, std::vector<ConfigProblem>> AnswerSetup::create(
    AnswerOptions options) {
  std::vector<ConfigProblem> problems;
  for (std::size_t i = 0; i < options.credentials.size(); ++i) {
    const std::string which = "credential " + std::to_string(i + 1);
    const auto problem = [&](std::string_view text) {
      problems.push_back({.setting = "credentials", .text = which + std::string(text)});
    };
    const Credential* credential = options.credentials[i].get();
    if (credential == nullptr) {
      problem(" is null; leave it out");
      continue;
    }
    if (credential->schemes.empty()) problem(" has no signature schemes; state what its key can sign with");
    if (credential->chain.empty()) {
      problem(" has no certificates; give its chain, leaf first");
      continue;
    }
    if (!staples_well_formed(*credential)) {
      problem(
          " has staples that cannot be sent; an sct_list is a list of SCTs with its length in front, none of them "
          "empty, and with the OCSP response it has less than 65,500 bytes");
    }
    for (std::size_t j = 0; j < credential->chain.size(); ++j) {
      const auto certificate = x509::Certificate::parse(credential->chain[j]);
      if (!certificate) {
        problem(": certificate " + std::to_string(j + 1) + " of the chain is malformed: " + certificate.error().text());
        continue;
      }
      // RFC 9846 4.3.3: "TLS 1.3 servers MUST NOT offer a SHA-1 signed certificate unless no valid certificate chain
      // can be produced without it". RFC 9846 4.5.1.2: "This fallback chain MUST NOT use the deprecated SHA-1 hash,
      // unless the client specifically advertises that it is willing to accept SHA-1." Such a chain is none here.
      if (certificate->signature_algorithm().weak && !certificate->is_self_issued()) {
        problem(": certificate " + std::to_string(j + 1) +
                " of the chain is signed with SHA-1 or an older hash, which can be forged; have it issued again");
      }
    }
    if (credential->key != nullptr && !x509::belongs_to(credential->chain.front(), *credential->key)) {
      problem(": its first certificate is for another key; put the leaf first, and its own key beside it");
    }
  }
  const auto verification = digest_of(options);
  if (!verification) {
    problems.push_back(
        {.setting = "provider", .text = "has no SHA-256, by which sessions are bound to the anchors; choose another"});
  }
  if (!problems.empty()) return std::unexpected(std::move(problems));
  return std::shared_ptr<const AnswerSetup>(new AnswerSetup(std::move(options), *verification));
}

AnswerSetup::AnswerSetup(AnswerOptions options, const SessionContext& verification)
    : options_(std::move(options)), verification_(verification) {
  chains_.reserve(options_.credentials.size());
  for (const auto& credential : options_.credentials) {
    auto& chain = chains_.emplace_back();
    for (const auto& der : credential->chain) chain.push_back(x509::Certificate::parse(der).value());
  }
}

std::shared_ptr<const Credential> make_credential(std::vector<std::vector<std::uint8_t>> chain,
                                                  std::shared_ptr<const SigningKey> key) {
  std::vector<SignatureScheme> schemes;
  for (const SignatureScheme scheme : key->schemes()) {
    const auto scheme_parts = parts(scheme);
    if (scheme_parts && !scheme_parts->certificates_only) schemes.push_back(scheme);
  }
  return std::make_shared<const Credential>(Credential{std::move(chain), std::move(schemes), std::move(key)});
}

}  // namespace lockstep
