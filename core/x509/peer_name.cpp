// Names to expect of a peer (RFC 9525) and how they compare with a certificate's.

#include "x509/peer_name.hpp"

#include <algorithm>
#include <array>

#include "x509/text.hpp"

namespace lockstep::x509 {

namespace {

bool is_alphanumeric(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}
std::optional<NameError> check_host_name(std::string_view host_name) noexcept;
std::optional<std::array<std::uint8_t, 4>> parse_ipv4(std::string_view text) noexcept;
std::optional<std::array<std::uint8_t, 16>> parse_ipv6(std::string_view text) noexcept;

}  // namespace

std::expected<PeerName, NameError> PeerName::dns(std::string_view host_name) {
  // RFC 9525 does not speak of the trailing dot of an absolute name; certificates never have it.
  if (host_name.ends_with('.')) host_name.remove_suffix(1);
  if (const auto error = check_host_name(host_name)) return std::unexpected(*error);
  PeerName out = NoNameCheck{};
  out.kind_ = Kind::dns;
  out.host_name_.reserve(host_name.size());
  for (const char c : host_name) out.host_name_ += to_lower(c);
  return out;
}

std::expected<PeerName, NameError> PeerName::ip(std::string_view text) {
  if (text.size() > 2 && text.front() == '[' && text.back() == ']') {
    const auto bracketed = parse_ipv6(text.substr(1, text.size() - 2));
    if (bracketed) return ip(Bytes(*bracketed));
  } else if (const auto v4 = parse_ipv4(text)) {
    return ip(Bytes(*v4));
  } else if (const auto v6 = parse_ipv6(text)) {
    return ip(Bytes(*v6));
  }
  return std::unexpected(text.empty() ? NameError::empty : NameError::not_an_address);
}

std::expected<PeerName, NameError> PeerName::ip(Bytes address) noexcept {
  if (address.size() != 4 && address.size() != 16) return std::unexpected(NameError::not_an_address);
  PeerName out = NoNameCheck{};
  out.kind_ = address.size() == 4 ? Kind::ipv4 : Kind::ipv6;
  std::ranges::copy(address, out.address_.begin());
  return out;
}

std::expected<PeerName, NameError> PeerName::parse(std::string_view text) {
  auto address = ip(text);
  // A colon is in no host name: what has one is meant as an address.
  if (address || text.find_first_of(":[]") != std::string_view::npos) return address;
  return dns(text);
}

std::string PeerName::text() const {
  switch (kind_) {
    case Kind::any: break;
    case Kind::dns: return host_name_;
    case Kind::ipv4:
    case Kind::ipv6: return address_text(address());
  }
  return {};
}

bool matches(const Certificate& certificate, const PeerName& name) noexcept {
  return matches(certificate, name, Alphabet::with_underscore);
}

bool matches(const Certificate& certificate, const PeerName& name, Alphabet alphabet) noexcept {
  if (name.kind() == PeerName::Kind::any) return true;
  // RFC 9525 6.3: only the alternative names count; "the client MUST NOT seek a match" in the common name.
  for (const GeneralName& presented : certificate.alternative_names()) {
    if (name.kind() == PeerName::Kind::dns) {
      if (presented.kind == GeneralName::Kind::dns &&
          matches_pattern(as_text(presented.value), name.host_name(), alphabet))
        return true;
    } else if (presented.kind == GeneralName::Kind::ip_address && equal(presented.value, name.address())) {
      // RFC 9525 6.5: "matches if and only if [...] octet-for-octet equal".
      return true;
    }
  }
  return false;
}

bool matches_pattern(std::string_view pattern, std::string_view host_name, Alphabet alphabet) noexcept {
  if (!is_presented_dns_name(pattern, alphabet)) return false;
  if (pattern.starts_with("*.")) {
    // RFC 9525 6.3: the wildcard is the complete leftmost label and stands for exactly one label.
    const std::size_t dot = host_name.find('.');
    if (dot == 0 || dot == std::string_view::npos) return false;
    return equal_ignoring_case(pattern.substr(2), host_name.substr(dot + 1));
  }
  return equal_ignoring_case(pattern, host_name);
}

bool is_presented_dns_name(std::string_view name, Alphabet alphabet) noexcept {
  const bool wildcard = name.starts_with("*.");
  if (wildcard) name.remove_prefix(2);
  // A wildcard below a single label ("*.com") would stand for names of everybody: the label is a public suffix.
  if (wildcard && name.find('.') == std::string_view::npos) return false;
  return !check_host_name(name) && (alphabet == Alphabet::with_underscore || name.find('_') == std::string_view::npos);
}

bool equal_ignoring_case(std::string_view a, std::string_view b) noexcept {
  return std::ranges::equal(a, b, [](char x, char y) { return to_lower(x) == to_lower(y); });
}

std::string_view name(NameError error) noexcept {
  switch (error) {
    case NameError::empty: return "empty";
    case NameError::too_long: return "too_long";
    case NameError::label_empty: return "label_empty";
    case NameError::label_too_long: return "label_too_long";
    case NameError::character_forbidden: return "character_forbidden";
    case NameError::hyphen_at_edge: return "hyphen_at_edge";
    case NameError::looks_like_address: return "looks_like_address";
    case NameError::not_an_address: return "not_an_address";
  }
  return {};
}

std::string_view explanation(NameError error) noexcept {
  switch (error) {
    case NameError::empty: return "the name is empty; give a host name or an address, or say NoNameCheck";
    case NameError::too_long: return "the name has more than the 253 characters that DNS allows";
    case NameError::label_empty: return "the name has nothing between two dots or before the first";
    case NameError::label_too_long: return "the name has more than 63 characters between two dots";
    case NameError::character_forbidden:
      return "the name has other characters than letters, digits, '-' and '_'; give an internationalised name as its "
             "A-labels (xn--...)";
    case NameError::hyphen_at_edge: return "a part of the name begins or ends with '-'";
    case NameError::looks_like_address:
      return "the name ends in a number but is no IPv4 address of four decimal numbers";
    case NameError::not_an_address:
      return "not an IPv4 or IPv6 address; leave out zone (%eth0), port and prefix length";
  }
  return {};
}

namespace {

std::optional<NameError> check_host_name(std::string_view host_name) noexcept {
  if (host_name.empty()) return NameError::empty;
  if (host_name.size() > 253) return NameError::too_long;
  std::string_view rest = host_name;
  std::string_view label;
  while (true) {
    const std::size_t dot = rest.find('.');
    label = rest.substr(0, dot);
    if (label.empty()) return NameError::label_empty;
    if (label.size() > 63) return NameError::label_too_long;
    if (!std::ranges::all_of(label, [](char c) { return is_alphanumeric(c) || c == '-' || c == '_'; })) {
      return NameError::character_forbidden;
    }
    if (label.front() == '-' || label.back() == '-') return NameError::hyphen_at_edge;
    if (dot == std::string_view::npos) break;
    rest.remove_prefix(dot + 1);
  }
  // No top-level domain is a number, and what ends in one is taken for an address elsewhere.
  if (std::ranges::all_of(label, [](char c) { return c >= '0' && c <= '9'; })) return NameError::looks_like_address;
  return std::nullopt;
}

/// RFC 3986 3.2.2: four decimal numbers without leading zeros.
std::optional<std::array<std::uint8_t, 4>> parse_ipv4(std::string_view text) noexcept {
  std::array<std::uint8_t, 4> out{};
  for (std::size_t i = 0; i < out.size(); ++i) {
    const std::size_t end = std::min(text.find('.'), text.size());
    const std::string_view digits = text.substr(0, end);
    if (digits.empty() || digits.size() > 3 || (digits.size() > 1 && digits[0] == '0')) return std::nullopt;
    unsigned value = 0;
    for (const char c : digits) {
      if (c < '0' || c > '9') return std::nullopt;
      value = value * 10 + static_cast<unsigned>(c - '0');
    }
    if (value > 255 || (end == text.size()) != (i == 3)) return std::nullopt;
    out[i] = static_cast<std::uint8_t>(value);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

/// RFC 4291 2.2: eight groups, of which "::" leaves out one run, or six and an IPv4 address.
std::optional<std::array<std::uint8_t, 16>> parse_ipv6(std::string_view text) noexcept {
  std::array<std::uint8_t, 16> out{};
  std::size_t size = 0;
  std::optional<std::size_t> gap;
  if (text.starts_with("::")) {
    gap = 0;
    text.remove_prefix(2);
  }
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(':'), text.size());
    const std::string_view group = text.substr(0, end);
    if (group.find('.') != std::string_view::npos) {
      const auto v4 = parse_ipv4(group);
      if (!v4 || end != text.size() || size > 12) return std::nullopt;
      std::ranges::copy(*v4, out.begin() + static_cast<std::ptrdiff_t>(size));
      size += 4;
      break;
    }
    if (group.empty() || group.size() > 4 || size == 16) return std::nullopt;
    unsigned value = 0;
    for (const char c : group) {
      const char lower = to_lower(c);
      const bool is_digit = c >= '0' && c <= '9';
      if (!is_digit && (lower < 'a' || lower > 'f')) return std::nullopt;
      value = value << 4U | static_cast<unsigned>(is_digit ? c - '0' : lower - 'a' + 10);
    }
    out[size++] = static_cast<std::uint8_t>(value >> 8U);
    out[size++] = static_cast<std::uint8_t>(value);
    text.remove_prefix(end);
    if (text.empty()) break;
    text.remove_prefix(1);
    if (text.empty()) return std::nullopt;  // ends in a single colon
    if (text.front() == ':') {
      if (gap) return std::nullopt;
      gap = size;
      text.remove_prefix(1);
    }
  }
  if (!gap) return size == 16 ? std::optional(out) : std::nullopt;
  if (size == 16) return std::nullopt;
  std::shift_right(out.begin() + static_cast<std::ptrdiff_t>(*gap), out.end(), static_cast<std::ptrdiff_t>(16 - size));
  std::fill_n(out.begin() + static_cast<std::ptrdiff_t>(*gap), 16 - size, std::uint8_t{0});
  return out;
}

}  // namespace

}  // namespace lockstep::x509
