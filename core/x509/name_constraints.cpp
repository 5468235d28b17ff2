#include "x509/name_constraints.hpp"

#include <algorithm>
#include <bit>

#include "x509/der.hpp"
#include "x509/oid.hpp"
#include "x509/parser.hpp"
#include "x509/peer_name.hpp"

namespace lockstep::x509 {

namespace {

using Kind = GeneralName::Kind;

bool is_applicable(const GeneralName& base) noexcept;
Code check_name(const NameConstraints& constraints, const GeneralName& name, ComparisonBudget& budget) noexcept;
bool is_within(const GeneralName& name, const GeneralName& base) noexcept;
bool may_be_within(const GeneralName& name, const GeneralName& base) noexcept;
bool is_well_formed(const GeneralName& name) noexcept;
bool is_dns_within(std::string_view name, std::string_view base) noexcept;
bool is_mailbox(std::string_view text) noexcept;
bool is_email_within(std::string_view mailbox, std::string_view base) noexcept;
bool is_address_within(Bytes address, Bytes base) noexcept;

/// Calls `visit(base, has_distance)` for each subtree until it returns false.
template <class Visit>
void for_each_subtree(Bytes subtrees, Visit visit) noexcept {
  der::ParseState state{subtrees.data()};
  for (der::Reader reader(state, subtrees); reader.more();) {
    der::Reader subtree = reader.enter();
    const der::Element base = subtree.any();
    if (!visit(GeneralName{static_cast<Kind>(base.tag & 0x1fU), base.contents}, subtree.more())) return;
  }
}

}  // namespace

Code check_constraint_syntax(const NameConstraints& constraints, ComparisonBudget& budget) noexcept {
  Code code = Code::ok;
  const auto check = [&](const GeneralName& base, bool has_distance) noexcept {
    if (!budget.spend()) {
      code = Code::work_limit_exceeded;
    } else if (has_distance) {
      // RFC 5280 4.2.1.10: "the minimum MUST be zero, and maximum MUST be absent".
      code = Code::subtree_minmax;
    } else if (!is_applicable(base)) {
      code = Code::unsupported_constraint_syntax;
    }
    return code == Code::ok;
  };
  if (constraints.permitted) for_each_subtree(*constraints.permitted, check);
  if (constraints.excluded && code == Code::ok) for_each_subtree(*constraints.excluded, check);
  return code;
}

Code check_name_constraints(const NameConstraints& constraints, const Certificate& certificate,
                            ComparisonBudget& budget) noexcept {
  bool has_email = false;
  for (const GeneralName& name : certificate.alternative_names()) {
    has_email = has_email || name.kind == Kind::email;
    if (const Code code = check_name(constraints, name, budget); code != Code::ok) return code;
  }
  const DistinguishedName& subject = certificate.subject();
  if (subject.empty()) return Code::ok;
  // RFC 5280 4.2.1.10: "Restrictions of the form directoryName MUST be applied to the subject field in the certificate
  // (when the certificate includes a non-empty subject field)".
  if (const Code code = check_name(constraints, {Kind::directory_name, subject.der()}, budget); code != Code::ok)
    return code;
  if (has_email) return Code::ok;
  // RFC 5280 4.2.1.10: "When the subject alternative name extension is not present [with an e-mail address], but a
  // subject's distinguished name contains an attribute of type emailAddress, the rfc822Name constraint MUST be
  // applied".
  for (const NameAttribute& attribute : subject) {
    if (!(oid::kEmailAddress == attribute.type)) continue;
    if (const Code code = check_name(constraints, {Kind::email, attribute.value}, budget); code != Code::ok)
      return code;
  }
  return Code::ok;
}

namespace {

Code check_name(const NameConstraints& constraints, const GeneralName& name, ComparisonBudget& budget) noexcept {
  bool constrained = false;
  bool permitted = false;
  bool excluded = false;
  bool spent = false;
  if (constraints.permitted) {
    for_each_subtree(*constraints.permitted, [&](const GeneralName& base, bool) noexcept {
      spent = !budget.spend();
      if (base.kind == name.kind) {
        constrained = true;
        permitted = is_within(name, base);
      }
      return !spent && !permitted;
    });
  }
  const bool refused = constrained && !permitted;
  if (constraints.excluded && !spent) {
    for_each_subtree(*constraints.excluded, [&](const GeneralName& base, bool) noexcept {
      spent = !budget.spend();
      if (base.kind == name.kind) {
        constrained = true;
        excluded = may_be_within(name, base);
      }
      return !spent && !excluded;
    });
  }
  if (spent) return Code::work_limit_exceeded;
  if (!constrained) return Code::ok;
  switch (name.kind) {
    case Kind::dns:
    case Kind::email:
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

/// Whether a subtree's base is what RFC 5280 4.2.1.10 says it is.
bool is_applicable(const GeneralName& base) noexcept {
  const std::string_view text = as_text(base.value);
  switch (base.kind) {
    // A host name; unlike in URIs no leading dot, unlike in certificates no wildcard. Empty: every name.
    case Kind::dns: return text.empty() || (!text.starts_with('*') && is_presented_dns_name(text));
    // A mailbox, a host, or a domain with a leading dot.
    case Kind::email:
      return text.find('@') != std::string_view::npos
                 ? is_mailbox(text)
                 : is_presented_dns_name(text.starts_with('.') ? text.substr(1) : text);
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

/// Whether a name lies in a permitted subtree: all that it can stand for does.
bool is_within(const GeneralName& name, const GeneralName& base) noexcept {
  const std::string_view text = as_text(name.value);
  const std::string_view base_text = as_text(base.value);
  switch (name.kind) {
    case Kind::dns: return is_dns_within(text.starts_with("*.") ? text.substr(2) : text, base_text);
    case Kind::email: return is_email_within(text, base_text);
    case Kind::ip_address: return is_address_within(name.value, base.value);
    case Kind::directory_name:
      return lies_within(CertificateParser::checked_name(name.value), CertificateParser::checked_name(base.value));
    default: return false;
  }
}

/// Whether a name touches an excluded subtree: something that it can stand for lies in it.
bool may_be_within(const GeneralName& name, const GeneralName& base) noexcept {
  if (is_within(name, base)) return true;
  const std::string_view text = as_text(name.value);
  if (name.kind != Kind::dns || !text.starts_with("*.")) return false;
  // "*.example.com" stands for "bar.example.com", which an exclusion of "bar.example.com" is about.
  const std::string_view base_text = as_text(base.value);
  const std::size_t dot = base_text.find('.');
  return dot != std::string_view::npos && equal_ignoring_case(base_text.substr(dot + 1), text.substr(2));
}

bool is_well_formed(const GeneralName& name) noexcept {
  if (name.kind == Kind::dns) return is_presented_dns_name(as_text(name.value));
  if (name.kind == Kind::email) return is_mailbox(as_text(name.value));
  return true;
}

/// "Any DNS name that can be constructed by simply adding zero or more labels to the left-hand side of the name
/// satisfies the name constraint."
bool is_dns_within(std::string_view name, std::string_view base) noexcept {
  if (base.empty()) return true;
  if (name.size() < base.size() || !equal_ignoring_case(name.substr(name.size() - base.size()), base)) return false;
  return name.size() == base.size() || name[name.size() - base.size() - 1] == '.';
}

bool is_mailbox(std::string_view text) noexcept {
  const std::size_t at = text.find('@');
  if (at == 0 || at == std::string_view::npos) return false;
  const std::string_view host = text.substr(at + 1);
  return !host.starts_with('*') && is_presented_dns_name(host);
}

bool is_email_within(std::string_view mailbox, std::string_view base) noexcept {
  const std::size_t at = mailbox.find('@');
  if (at == std::string_view::npos) return false;
  const std::string_view host = mailbox.substr(at + 1);
  const std::size_t base_at = base.find('@');
  if (base_at != std::string_view::npos) {
    // The local part is compared as it is (RFC 5321 2.4), the host without regard to case.
    return mailbox.substr(0, at) == base.substr(0, base_at) && equal_ignoring_case(host, base.substr(base_at + 1));
  }
  if (base.starts_with('.'))
    return host.size() >= base.size() && equal_ignoring_case(host.substr(host.size() - base.size()), base);
  return equal_ignoring_case(host, base);
}

bool is_address_within(Bytes address, Bytes base) noexcept {
  if (base.size() != 2 * address.size()) return false;
  for (std::size_t i = 0; i < address.size(); ++i) {
    if (((address[i] ^ base[i]) & base[address.size() + i]) != 0) return false;
  }
  return true;
}

}  // namespace

}  // namespace lockstep::x509
