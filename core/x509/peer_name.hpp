#pragma once
// Comparing host names (RFC 9525 6.3, RFC 4343).

#include <string_view>

namespace lockstep::x509 {

constexpr char to_lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

[[nodiscard]] bool equal_ignoring_case(std::string_view a, std::string_view b) noexcept;

/// Whether a certificate's dNSName is one that can match at all: a host name, perhaps with "*" as its whole first
/// label.
[[nodiscard]] bool is_presented_dns_name(std::string_view name) noexcept;

/// Whether a certificate's dNSName is for a host name.
[[nodiscard]] bool matches_pattern(std::string_view pattern, std::string_view host_name) noexcept;

}  // namespace lockstep::x509
