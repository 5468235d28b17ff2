#include "x509/name_constraints.hpp"

#include <algorithm>
#include <bit>
#include <optional>
#include <string_view>

#include "x509/der.hpp"
#include "x509/oid.hpp"
#include "x509/parser.hpp"
#include "x509/peer_name.hpp"

namespace lockstep::x509 {

namespace {

using Kind = GeneralName::Kind;

/// Where a name was found: RFC 5280 compares addresses in the subject otherwise than alternative names.
enum class Origin : std::uint8_t { alternative_name, subject };

/// The two parts of a mailbox (RFC 5321 4.1.2). A local part that is quoted keeps its quotes.
struct Mailbox {
  std::string_view local;
  std::string_view host;
};

bool is_applicable(const GeneralName& base) noexcept;
Code check_name(const NameConstraints& constraints, const GeneralName& name, Origin origin,
                ComparisonBudget& budget) noexcept;
bool is_well_formed(const GeneralName& name) noexcept;
Match is_within(const GeneralName& name, Origin origin, const GeneralName& base) noexcept;
Match is_dns_within(std::string_view name, std::string_view base) noexcept;
std::optional<Mailbox> parse_mailbox(std::string_view text) noexcept;
Match is_email_within(std::string_view text, Origin origin, std::string_view base) noexcept;
std::optional<std::string_view> host_of_uri(std::string_view uri) noexcept;
Match is_uri_within(std::string_view uri, std::string_view base) noexcept;
Match is_address_within(Bytes address, Bytes base) noexcept;

/// Calls `visit(base, has_distance)` for each subtree until it returns false.
template <class Visit>
void for_each_subtree(Bytes subtrees, Visit visit) noexcept {
  der::ParseState state{subtrees.data()};
  for (der::Reader reader(state, subtrees); reader.more();) {
    der::Reader subtree = reader.enter();
    const der::Element base = subtree.any();
    const bool has_minimum = subtree.next_is(der::context(0)) && subtree.small_integer(der::context(0)) != 0;
    if (!visit(GeneralName{static_cast<Kind>(base.tag & 0x1fU), base.contents}, has_minimum || subtree.more())) return;
  }
}

}  // namespace

Code check_constraint_syntax(const NameConstraints& constraints, const Policy& policy,
                             ComparisonBudget& budget) noexcept {
  Code code = Code::ok;
  const auto check = [&](const GeneralName& base, bool has_distance) noexcept {
    if (!budget.spend(base.value.size())) {
      code = Code::work_limit_exceeded;
    } else if (has_distance) {
      // RFC 5280 4.2.1.10: "the minimum MUST be zero, and maximum MUST be absent".
      code = Code::subtree_minmax;
    } else if (!is_applicable(base)) {
      code = Code::unsupported_constraint_syntax;
    } else if (policy.refuse_leading_dot && base.kind == Kind::dns && as_text(base.value).starts_with('.')) {
      code = Code::constraint_with_leading_dot;
    }
    return code == Code::ok;
  };
  if (constraints.permitted) for_each_subtree(*constraints.permitted, check);
  if (constraints.excluded && code == Code::ok) for_each_subtree(*constraints.excluded, check);
  return code;
}

Code check_name_constraints(const NameConstraints& constraints, const Certificate& certificate,
                            ComparisonBudget& budget) noexcept {
  for (const GeneralName& name : certificate.alternative_names()) {
    if (const Code code = check_name(constraints, name, Origin::alternative_name, budget); code != Code::ok)
      return code;
  }
  const DistinguishedName& subject = certificate.subject();
  if (subject.empty()) return Code::ok;
  // RFC 5280 4.2.1.10: "Restrictions of the form directoryName MUST be applied to the subject field in the certificate
  // (when the certificate includes a non-empty subject field)".
  const auto check = [&](const GeneralName& name) noexcept {
    return check_name(constraints, name, Origin::subject, budget);
  };
  if (const Code code = check({Kind::directory_name, subject.der()}); code != Code::ok) return code;
  // RFC 5280 4.2.1.10: "the rfc822Name constraint MUST be applied to the attribute of type emailAddress in the subject
  // distinguished name", there when no alternative name is an address. It is applied always: whoever reads the subject
  // does not look whether there are others.
  for (const NameAttribute& attribute : subject) {
    if (!(oid::kEmailAddress == attribute.type)) continue;
    if (const Code code = check({Kind::email, attribute.value}); code != Code::ok) return code;
  }
  return Code::ok;
}

namespace {

Code check_name(const NameConstraints& constraints, const GeneralName& name, Origin origin,
                ComparisonBudget& budget) noexcept {
  bool constrained = false;
  bool permitted = false;
  bool excluded = false;
  bool spent = false;
  const auto compare = [&](const GeneralName& base) noexcept {
    const bool same_kind = base.kind == name.kind;
    spent = !budget.spend(same_kind ? name.value.size() + base.value.size() : 0);
    constrained = constrained || same_kind;
    return same_kind && !spent ? is_within(name, origin, base) : Match::no;
  };
  if (constraints.permitted) {
    for_each_subtree(*constraints.permitted, [&](const GeneralName& base, bool) noexcept {
      permitted = compare(base) == Match::yes;
      return !spent && !permitted;
    });
  }
  const bool refused = constrained && !permitted;
  if (constraints.excluded && !spent) {
    // A name is outside only when that is certain.
    for_each_subtree(*constraints.excluded, [&](const GeneralName& base, bool) noexcept {
      excluded = compare(base) != Match::no;
      return !spent && !excluded;
    });
  }
  if (spent) return Code::work_limit_exceeded;
  if (!constrained) return Code::ok;
  switch (name.kind) {
    case Kind::dns:
    case Kind::email:
    case Kind::uri:
    case Kind::ip_address:
    case Kind::directory_name: break;
    default:
      // RFC 5280 4.2.1.10: "if a name constraints extension [...] imposes constraints on a particular name form, and an
      // instance of that name form appears [...], then the application MUST either process the constraint or reject the
      // certificate."
      return Code::unsupported_constraint_type;
  }
  if (!is_well_formed(name)) return Code::unsupported_name_syntax;
  if (excluded) return Code::excluded_violation;
  return refused ? Code::permitted_violation : Code::ok;
}

/// A host name, or a domain with a leading dot. Unlike in certificates there are no wildcards.
bool is_host_or_domain(std::string_view text) noexcept {
  if (text.starts_with('.')) text.remove_prefix(1);
  return !text.starts_with('*') && is_presented_dns_name(text);
}

/// Whether a subtree's base is what RFC 5280 4.2.1.10 says it is.
bool is_applicable(const GeneralName& base) noexcept {
  const std::string_view text = as_text(base.value);
  switch (base.kind) {
    // A host name, or empty: every name.
    case Kind::dns: return text.empty() || is_host_or_domain(text);
    // A mailbox, a host, or a domain with a leading dot.
    case Kind::email:
      return text.find('@') != std::string_view::npos ? parse_mailbox(text).has_value() : is_host_or_domain(text);
    case Kind::ip_address: {
      // "encoded in the style of RFC 4632 (CIDR)": address and mask, and the mask is a prefix.
      if (base.value.size() != 8 && base.value.size() != 32) return false;
      bool ended = false;
      for (const std::uint8_t byte : base.value.last(base.value.size() / 2)) {
        const int ones = std::countl_one(byte);
        if ((ended && byte != 0) || static_cast<std::uint8_t>(byte << static_cast<unsigned>(ones)) != 0) return false;
        ended = ended || ones != 8;
      }
      return true;
    }
    default: return true;  // others count only when such a name turns up
  }
}

bool is_well_formed(const GeneralName& name) noexcept {
  const std::string_view text = as_text(name.value);
  switch (name.kind) {
    case Kind::dns: return is_presented_dns_name(text);
    case Kind::email: return parse_mailbox(text).has_value();
    // RFC 5280 4.2.1.10: a URI "that does not include an authority component with a host name specified as a fully
    // qualified domain name" MUST be rejected.
    case Kind::uri: return host_of_uri(text).has_value();
    default: return true;
  }
}

Match is_within(const GeneralName& name, Origin origin, const GeneralName& base) noexcept {
  const std::string_view text = as_text(name.value);
  const std::string_view base_text = as_text(base.value);
  switch (name.kind) {
    case Kind::dns: return is_dns_within(text, base_text);
    case Kind::email: return is_email_within(text, origin, base_text);
    case Kind::uri: return is_uri_within(text, base_text);
    case Kind::ip_address: return is_address_within(name.value, base.value);
    case Kind::directory_name:
      return lies_within(CertificateParser::checked_name(name.value), CertificateParser::checked_name(base.value));
    default: return Match::perhaps;
  }
}

bool ends_with(std::string_view text, std::string_view end) noexcept {
  return text.size() >= end.size() && equal_ignoring_case(text.substr(text.size() - end.size()), end);
}

/// "Any DNS name that can be constructed by simply adding zero or more labels to the left-hand side of the name
/// satisfies the name constraint." With a leading dot, which RFC 5280 has for URIs alone, it is one label or more, as
/// everybody has it who takes them.
Match is_dns_within(std::string_view name, std::string_view base) noexcept {
  if (base.empty()) return Match::yes;
  if (ends_with(name, base)) {
    const bool at_label =
        name.size() == base.size() || base.front() == '.' || name[name.size() - base.size() - 1] == '.';
    return at_label ? Match::yes : Match::no;
  }
  // "*.example.com" stands for "bar.example.com" among others.
  const std::size_t dot = base.find('.');
  const bool stands_for_base = name.starts_with("*.") && dot != std::string_view::npos &&
                               equal_ignoring_case(base.substr(dot + 1), name.substr(2));
  return stands_for_base ? Match::perhaps : Match::no;
}

std::optional<Mailbox> parse_mailbox(std::string_view text) noexcept {
  std::size_t at = text.find_first_of("@\"\\");
  if (text.starts_with('"')) {
    at = 1;
    while (at < text.size() && text[at] != '"') at += text[at] == '\\' ? 2U : 1U;
    ++at;
  }
  if (at == 0 || at >= text.size() || text[at] != '@') return std::nullopt;
  const Mailbox out{text.substr(0, at), text.substr(at + 1)};
  if (out.host.starts_with('*') || !is_presented_dns_name(out.host)) return std::nullopt;
  return out;
}

bool is_same_local_part(std::string_view a, std::string_view b, Origin origin) noexcept {
  // RFC 5321 4.1.2: "all quoted forms MUST be treated as equivalent".
  const auto unquoted = [](std::string_view text) noexcept {
    return text.starts_with('"') ? text.substr(1, text.size() - 2) : text;
  };
  const auto next = [](std::string_view& rest) noexcept {
    if (rest.starts_with('\\')) rest.remove_prefix(1);
    const char c = rest.front();
    rest.remove_prefix(1);
    return c;
  };
  a = unquoted(a);
  b = unquoted(b);
  while (!a.empty() && !b.empty()) {
    const char c = next(a);
    const char d = next(b);
    // RFC 5280 7.5 has the local part of an alternative name compared as it is; 4.1.2.6 says of the subject's: "The
    // attribute value for emailAddress is not case-sensitive".
    if (origin == Origin::subject ? to_lower(c) != to_lower(d) : c != d) return false;
  }
  return a.empty() && b.empty();
}

/// The host of a mailbox or URI: itself, or with a leading dot something below.
bool is_host_within(std::string_view host, std::string_view base) noexcept {
  return base.starts_with('.') ? ends_with(host, base) : equal_ignoring_case(host, base);
}

Match is_email_within(std::string_view text, Origin origin, std::string_view base) noexcept {
  const auto mailbox = parse_mailbox(text);
  if (!mailbox) return Match::perhaps;
  const auto one = parse_mailbox(base);
  const bool within =
      one ? equal_ignoring_case(mailbox->host, one->host) && is_same_local_part(mailbox->local, one->local, origin)
          : is_host_within(mailbox->host, base);
  return within ? Match::yes : Match::no;
}

/// The host of a URI (RFC 3986 3) when it is a name.
std::optional<std::string_view> host_of_uri(std::string_view uri) noexcept {
  const std::size_t scheme_size = uri.find(':');
  if (scheme_size == 0 || scheme_size == std::string_view::npos) return std::nullopt;
  std::string_view rest = uri.substr(scheme_size + 1);
  if (!rest.starts_with("//")) return std::nullopt;
  rest.remove_prefix(2);
  std::string_view host = rest.substr(0, rest.find_first_of("/?#"));
  // Some readers take '\\' for '/' and so another host.
  if (host.find('\\') != std::string_view::npos) return std::nullopt;
  if (const std::size_t at = host.find('@'); at != std::string_view::npos) host.remove_prefix(at + 1);
  if (const std::size_t colon = host.find(':'); colon != std::string_view::npos) {
    const std::string_view port = host.substr(colon + 1);
    if (!std::ranges::all_of(port, [](char c) { return c >= '0' && c <= '9'; })) return std::nullopt;
    host = host.substr(0, colon);
  }
  if (host.starts_with('*') || !is_presented_dns_name(host)) return std::nullopt;
  return host;
}

/// RFC 5280 4.2.1.10: "For URIs, the constraint applies to the host part of the name."
Match is_uri_within(std::string_view uri, std::string_view base) noexcept {
  const auto host = host_of_uri(uri);
  if (!host || !is_host_or_domain(base)) return Match::perhaps;
  return is_host_within(*host, base) ? Match::yes : Match::no;
}

Match is_address_within(Bytes address, Bytes base) noexcept {
  if (base.size() != 2 * address.size()) return Match::no;
  for (std::size_t i = 0; i < address.size(); ++i) {
    if (((address[i] ^ base[i]) & base[address.size() + i]) != 0) return Match::no;
  }
  return Match::yes;
}

}  // namespace

}  // namespace lockstep::x509
