// The making of a setup, and of credentials.

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include <lockstep/answers.hpp>

#include "answers/candidates.hpp"
#include "answers/verification.hpp"

namespace lockstep {

std::shared_ptr<const Credential> AnswerSetup::select(const SelectCredential& wishes) const {
  return candidates_->select(wishes);
}

std::optional<Withheld> AnswerSetup::withheld(const SelectCredential& wishes) const {
  if (wishes.role != Role::client || select(wishes) != nullptr) return std::nullopt;
  return candidates_->withheld(wishes);
}

bool AnswerSetup::has_name(std::string_view server_name) const { return candidates_->has_name(server_name); }

bool AnswerSetup::verifies_together() const noexcept {
  return std::ranges::any_of(options_.provider.verifiers,
                             [](const SignatureVerifier* verifier) { return verifier->width > 1; });
}

std::expected<std::shared_ptr<const AnswerSetup>, std::vector<ConfigProblem>> AnswerSetup::create(
    AnswerOptions options) {
  std::vector<ConfigProblem> problems;
  for (std::size_t i = 0; i < options.credentials.size(); ++i) {
    const std::string which = "credential " + std::to_string(i + 1);
    const auto problem = [&](const std::string& text) {
      problems.push_back({.setting = "credentials", .text = which + text});
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
    if (credential->chain.size() > kMaxChainLength) {
      problem(" has " + std::to_string(credential->chain.size()) + " certificates, and no peer reads more than " +
              std::to_string(kMaxChainLength) + "; give only those that lead to its authority");
    }
    if (const std::size_t size = certificate_message_size(*credential); size > options.max_certificate_message) {
      problem(" needs a Certificate message of " + std::to_string(size) + " bytes, and peers take at most " +
              std::to_string(options.max_certificate_message) +
              "; give only what leads to its authority, have it issued with fewer names, or raise "
              "max_certificate_message if every peer takes more");
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
    if (const auto leaf = x509::Certificate::parse(credential->chain.front()); leaf) {
      if (const x509::Code code = x509::judge_key_size(leaf->public_key(), options.policy); code != x509::Code::ok) {
        problem(": its RSA key has " + std::to_string(leaf->public_key().bits) +
                " bits, which peers that verify as this setup does refuse (" + std::string(x509::name(code)) +
                "); make one of 2048 bits or on P-256, or let the policy allow it");
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
  if (options.anchors != nullptr && options.provider.insecure() && !options.dangerous.allow_insecure_provider) {
    problems.push_back({.setting = "dangerous.allow_insecure_provider",
                        .text = "provider '" + std::string(options.provider.name) + "' protects nothing with " +
                                options.provider.insecure_parts().front() +
                                "; choose another, or for a test say that it may be used"});
  }
  if (!problems.empty()) return std::unexpected(std::move(problems));
  return std::shared_ptr<const AnswerSetup>(new AnswerSetup(std::move(options), *verification));
}

AnswerSetup::AnswerSetup(AnswerOptions options, const SessionContext& verification)
    : options_(std::move(options)),
      verification_(verification),
      client_identity_(digest_of_credentials(options_)),
      candidates_(std::make_shared<const Candidates>(options_.credentials, options_.anchors.get())) {}

std::shared_ptr<const Credential> make_credential(std::vector<std::vector<std::uint8_t>> chain,
                                                  std::shared_ptr<const SigningKey> key) {
  std::vector<SignatureScheme> schemes(key->schemes().begin(), key->schemes().end());
  return std::make_shared<const Credential>(Credential{std::move(chain), std::move(schemes), std::move(key)});
}

}  // namespace lockstep
