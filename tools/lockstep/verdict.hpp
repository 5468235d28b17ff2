#pragma once
// A chain judged and told: every problem that stands in its way, not only the first.

#include <span>
#include <string>
#include <vector>

#include <lockstep/x509.hpp>

#include "terminal.hpp"

namespace lockstep::tool {

struct Problem {
  x509::Code code;
  std::size_t depth;
  std::string text;    ///< what is wrong, in one line with its place
  std::string advice;  ///< what to do
};

/// The verdict of one judgement, and its problems: first the one that decides, then what else is wrong with the leaf.
struct Judgement {
  x509::Verdict verdict;  ///< of the request as it was asked
  std::vector<Problem> problems;

  [[nodiscard]] bool ok() const noexcept { return verdict.ok(); }
};

[[nodiscard]] Judgement judge(const x509::VerifyRequest& request);

/// "CN=example.com, issued by CN=R3, valid 2026-01-01 ... to 2026-04-01 ..., EC P-256, serial ..., DNS:example.com".
[[nodiscard]] std::vector<Row> certificate_rows(const x509::Certificate& certificate);
[[nodiscard]] Json certificate_json(const x509::Certificate& certificate);
[[nodiscard]] Json problems_json(std::span<const Problem> problems);

/// "ok", or the names of the problems.
[[nodiscard]] std::string verdict_text(std::span<const Problem> problems);

}  // namespace lockstep::tool
