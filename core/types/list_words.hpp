#pragma once
// How lists are written as text: what is common to suites, groups and schemes.

#include <expected>
#include <span>
#include <string_view>
#include <vector>

#include <lockstep/lists.hpp>

namespace lockstep {

[[nodiscard]] std::vector<std::string_view> words_of(std::string_view text);

/// The same word, without regard to case.
[[nodiscard]] bool is_word(std::string_view text, std::string_view word) noexcept;

/// `suites_from_text` with other defaults.
[[nodiscard]] std::expected<std::vector<CipherSuite>, ListError> parse_suites(std::string_view text,
                                                                              std::span<const CipherSuite> defaults);

}  // namespace lockstep
