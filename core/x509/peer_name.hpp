#pragma once
// Comparing host names (RFC 9525 6.3, RFC 4343).

#include <cstdint>
#include <string_view>

#include <lockstep/x509_certificate.hpp>
#include <lockstep/x509_name.hpp>

namespace lockstep::x509 {

constexpr char to_lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

[[nodiscard]] bool equal_ignoring_case(std::string_view a, std::string_view b) noexcept;

/// What the names in a certificate are spelled with. RFC 5280 4.2.1.6: "The name MUST be in the 'preferred name
/// syntax'", that is letters, digits and hyphens; the names of services and containers have underscores too.
enum class Alphabet : std::uint8_t { preferred, with_underscore };

/// Whether a certificate's dNSName is one that can match at all: a host name, perhaps with "*" as its whole first
/// label.
[[nodiscard]] bool is_presented_dns_name(std::string_view name, Alphabet alphabet = Alphabet::with_underscore) noexcept;

/// Whether a certificate's dNSName is for a host name.
[[nodiscard]] bool matches_pattern(std::string_view pattern, std::string_view host_name,
                                   Alphabet alphabet = Alphabet::with_underscore) noexcept;

/// Whether a certificate is for a name by one of its names that are spelled so.
[[nodiscard]] bool matches(const Certificate& certificate, const PeerName& name, Alphabet alphabet) noexcept;

}  // namespace lockstep::x509
