#pragma once
// What a setup verifies by, as a digest.

#include <optional>

#include <lockstep/answers.hpp>

namespace lockstep {

/// Of the anchors, in whatever order, and the policy; zero without anchors, by whom nobody is accepted. Nothing when
/// the provider has no SHA-256, or fails.
[[nodiscard]] std::optional<SessionContext> digest_of(const AnswerOptions& options);

}  // namespace lockstep
