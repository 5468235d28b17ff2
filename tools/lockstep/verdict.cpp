#include "verdict.hpp"

#include <nlohmann/json.hpp>

#include "provider.hpp"

namespace lockstep::tool {
namespace {

Problem problem_of(const x509::Verdict& verdict, const x509::Problem& problem) {
  return {problem.code, problem.depth, on_command_line(verdict.text(problem)),
          on_command_line(std::string(x509::advice(problem.code)))};
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

Judgement judge(const x509::VerifyRequest& request) {
  Judgement judgement{x509::verify(request), {}};
  const x509::Verdict& verdict = judgement.verdict;
  if (verdict.ok()) return judgement;
  judgement.problems.push_back(problem_of(verdict, {verdict.code, verdict.depth, verdict.culprit}));
  for (const x509::Problem& problem : verdict.further) judgement.problems.push_back(problem_of(verdict, problem));
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
