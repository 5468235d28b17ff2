#include "verdict.hpp"

#include <algorithm>
#include <utility>

#include <nlohmann/json.hpp>

#include "provider.hpp"

namespace lockstep::tool {
namespace {

Problem problem_of(const x509::Verdict& verdict) {
  return {verdict.code, verdict.depth, verdict.text(), std::string(x509::advice(verdict.code))};
}

/// Changes the request so that it overlooks the problem; false when that is not possible.
bool overlook(x509::VerifyRequest& request, const x509::Verdict& verdict) {
  switch (x509::group(verdict.code)) {
    case x509::CodeGroup::wrong_name: {
      const bool named = request.name.kind() != x509::PeerName::Kind::any;
      request.name = x509::NoNameCheck{};
      return named;
    }
    case x509::CodeGroup::expired: {
      if (!verdict.culprit) return false;
      const std::int64_t before = request.time;
      request.time = std::clamp(before, verdict.culprit->not_before(), verdict.culprit->not_after());
      return request.time != before;
    }
    default: return false;
  }
}

std::vector<std::string> alternative_names(const x509::Certificate& certificate) {
  std::vector<std::string> names;
  for (const auto& name : certificate.alternative_names()) names.push_back(name.text());
  return names;
}

std::string key_text(const x509::Certificate& certificate) {
  const x509::PublicKey& key = certificate.public_key();
  std::string text = key.type ? to_text(*key.type) : "unknown algorithm " + x509::oid_text(key.algorithm);
  if (key.bits != 0) text += ", " + std::to_string(key.bits) + " bits";
  return text;
}

}  // namespace

Judgement judge(x509::VerifyRequest request) {
  Judgement judgement{x509::verify(request), {}};
  if (judgement.verdict.ok()) return judgement;
  judgement.problems.push_back(problem_of(judgement.verdict));
  x509::Verdict last = judgement.verdict;
  // Each certificate of a path can be out of its validity once; two that never overlap would go round for ever.
  constexpr std::size_t kMostProblems = 8;
  while (judgement.problems.size() < kMostProblems && overlook(request, last)) {
    last = x509::verify(request);
    if (last.ok()) break;
    const auto same = [&last](const Problem& known) { return known.code == last.code && known.depth == last.depth; };
    if (std::ranges::any_of(judgement.problems, same)) break;
    judgement.problems.push_back(problem_of(last));
  }
  return judgement;
}

std::vector<Row> certificate_rows(const x509::Certificate& certificate) {
  std::vector<Row> rows = {
      {"subject", certificate.subject().empty() ? "(empty)" : certificate.subject().text(), Style::bold},
      {"issuer", certificate.issuer().text()},
      {"valid", x509::time_text(certificate.not_before()) + " to " + x509::time_text(certificate.not_after())},
      {"key", key_text(certificate)},
  };
  const auto names = alternative_names(certificate);
  if (!names.empty()) rows.push_back({"names", joined(names)});
  return rows;
}

Json certificate_json(const x509::Certificate& certificate) {
  return {{"subject", certificate.subject().text()},
          {"issuer", certificate.issuer().text()},
          {"serial", certificate.serial_number_text()},
          {"not_before", x509::time_text(certificate.not_before())},
          {"not_after", x509::time_text(certificate.not_after())},
          {"key", key_text(certificate)},
          {"names", alternative_names(certificate)},
          {"sha256", certificate.fingerprint_text(provider())}};
}

Json problems_json(std::span<const Problem> problems) {
  Json array = Json::array();
  for (const Problem& problem : problems) {
    array.push_back({{"code", x509::name(problem.code)},
                     {"openssl_number", x509::openssl_number(problem.code)},
                     {"depth", problem.depth},
                     {"text", problem.text},
                     {"advice", problem.advice}});
  }
  return array;
}

std::string verdict_text(std::span<const Problem> problems) {
  if (problems.empty()) return "ok";
  std::vector<std::string> names;
  for (const Problem& problem : problems) names.emplace_back(x509::name(problem.code));
  return joined(names);
}

}  // namespace lockstep::tool
