#pragma once
// What a setup verifies by, and shows, as digests.

#include <optional>

#include <lockstep/answers.hpp>

namespace lockstep {

/// Of the anchors, in whatever order, and the policy; zero without anchors, by whom nobody is accepted. Nothing when
/// the provider has no SHA-256, or fails.
[[nodiscard]] std::optional<SessionContext> digest_of(const AnswerOptions& options);
/// Of the certificates that a client may show, in their order; zero without any. Nothing when the provider has no
/// SHA-256, or fails.
[[nodiscard]] std::optional<SessionContext> digest_of_credentials(const AnswerOptions& options);

}  // namespace lockstep
