// Names against the subtrees that a CA is confined to (RFC 5280 4.2.1.10), each kind by itself.

#include "x509/name_constraints.hpp"

#include <string>
#include <vector>

#include "x509/pki.hpp"

namespace lockstep::x509::test {
namespace {

using Kind = GeneralName::Kind;

/// A GeneralSubtree of one base.
Der subtree(Kind kind, Bytes base) {
  der::Writer out;
  const auto number = static_cast<unsigned>(kind);
  const bool constructed = kind == Kind::directory_name;
  out.nest(der::kSequence,
           [&] { out.element(constructed ? der::context_constructed(number) : der::context(number), base); });
  return std::move(out).take();
}
Der subtree(Kind kind, std::string_view base) { return subtree(kind, as_bytes(base)); }
Der subtree_of_name(std::string_view subject) {
  const Der certificate = built(make(subject).self_signed(provider(), *key("leaf"), random_source()));
  return subtree(Kind::directory_name, Certificate::parse(certificate)->subject().der());
}

Code permits(const Der& subtrees, const CertificateBuilder& builder) {
  const Der der = built(builder.self_signed(provider(), *key("leaf"), random_source()));
  ComparisonBudget budget{0, 1000};
  return check_name_constraints({true, subtrees, std::nullopt}, *Certificate::parse(der), budget);
}
Code excludes(const Der& subtrees, const CertificateBuilder& builder) {
  const Der der = built(builder.self_signed(provider(), *key("leaf"), random_source()));
  ComparisonBudget budget{0, 1000};
  return check_name_constraints({true, std::nullopt, subtrees}, *Certificate::parse(der), budget);
}
Code syntax(const Der& subtrees, const Policy& policy = {}) {
  ComparisonBudget budget{0, 1000};
  const Code permitted = check_constraint_syntax({true, subtrees, std::nullopt}, policy, budget);
  EXPECT_EQ(check_constraint_syntax({true, std::nullopt, subtrees}, policy, budget), permitted);
  return permitted;
}
Der name_of(const Oid& type, std::uint8_t string_type, std::string_view value) {
  der::Writer out;
  out.nest(der::kSequence, [&] {
    out.nest(der::kSet, [&] {
      out.nest(der::kSequence, [&] {
        out.object_identifier(type);
        out.element(string_type, as_bytes(value));
      });
    });
  });
  return std::move(out).take();
}
Der with_subject(const Der& subject) {
  RawCertificate raw(built(make("CN=leaf").self_signed(provider(), *key("leaf"), random_source())));
  raw.subject = subject;
  return raw.sign(*key("leaf"));
}

TEST(NameConstraints, Mailboxes) {
  const auto mail = [](std::string_view address) { return make("CN=leaf").email(address); };
  const Der host = subtree(Kind::email, "example.com");
  EXPECT_EQ(permits(host, mail("a@example.com")), Code::ok);
  EXPECT_EQ(permits(host, mail("a@EXAMPLE.com")), Code::ok);
  EXPECT_EQ(permits(host, mail("a@mail.example.com")), Code::permitted_violation);
  EXPECT_EQ(permits(host, mail("a@notexample.com")), Code::permitted_violation);
  const Der domain = subtree(Kind::email, ".example.com");
  EXPECT_EQ(permits(domain, mail("a@mail.example.com")), Code::ok);
  EXPECT_EQ(permits(domain, mail("a@example.com")), Code::permitted_violation);
  const Der mailbox = subtree(Kind::email, "a@example.com");
  EXPECT_EQ(permits(mailbox, mail("a@Example.Com")), Code::ok);
  EXPECT_EQ(permits(mailbox, mail("A@example.com")), Code::permitted_violation);  // RFC 5321 2.4: case counts there
  EXPECT_EQ(permits(mailbox, mail("b@example.com")), Code::permitted_violation);

  EXPECT_EQ(excludes(host, mail("a@example.com")), Code::excluded_violation);
  EXPECT_EQ(excludes(host, mail("a@mail.example.com")), Code::ok);
  EXPECT_EQ(permits(host, mail("@example.com")), Code::unsupported_name_syntax);
  EXPECT_EQ(permits(host, mail("a@*.example.com")), Code::unsupported_name_syntax);
}

TEST(NameConstraints, MailboxesOfTheSubjectWhenThereAreNoOthers) {
  const Der host = subtree(Kind::email, "example.com");
  EXPECT_EQ(permits(host, make("CN=leaf, emailAddress=a@example.com")), Code::ok);
  EXPECT_EQ(permits(host, make("CN=leaf, emailAddress=a@example.org")), Code::permitted_violation);
  EXPECT_EQ(excludes(host, make("emailAddress=a@example.com")), Code::excluded_violation);
  // With one among the alternative names, the subject's is looked at all the same.
  EXPECT_EQ(permits(host, make("CN=leaf, emailAddress=a@example.org").email("a@example.com")),
            Code::permitted_violation);
  // RFC 5280 4.1.2.6: an address in a subject "is not case-sensitive".
  const Der mailbox = subtree(Kind::email, "a@example.com");
  EXPECT_EQ(excludes(mailbox, make("emailAddress=A@example.com")), Code::excluded_violation);
  EXPECT_EQ(permits(mailbox, make("emailAddress=A@example.com")), Code::ok);
}

TEST(NameConstraints, QuotedMailboxesAreTheSameMailboxes) {
  // The builder makes no quoted ones.
  const auto mail = [](std::string_view address) {
    der::Writer names;
    names.nest(der::kSequence, [&] { names.element(der::context(1), as_bytes(address)); });
    return make("CN=leaf").extension("2.5.29.17", false, names.view());
  };
  const Der mailbox = subtree(Kind::email, "foo@example.com");
  for (const std::string_view same : {R"("foo"@example.com)", R"("f\oo"@EXAMPLE.com)", R"("\f\o\o"@example.com)"}) {
    EXPECT_EQ(excludes(mailbox, mail(same)), Code::excluded_violation) << same;
    EXPECT_EQ(permits(mailbox, mail(same)), Code::ok) << same;
    EXPECT_EQ(excludes(subtree(Kind::email, same), mail("foo@example.com")), Code::excluded_violation) << same;
  }
  const Der at = subtree(Kind::email, R"("a@b"@example.com)");
  EXPECT_EQ(syntax(at), Code::ok);
  EXPECT_EQ(permits(at, mail(R"("a\@b"@example.com)")), Code::ok);
  EXPECT_EQ(permits(subtree(Kind::email, "example.com"), mail(R"("x@y.test"@example.com)")), Code::ok);
  EXPECT_EQ(excludes(mailbox, mail(R"("fo\"o"@example.com)")), Code::ok);
  EXPECT_EQ(excludes(mailbox, mail(R"("food"@example.com)")), Code::ok);
  for (const std::string_view bad : {R"("foo@example.com)", R"("foo"x@example.com)", R"(fo"o"@example.com)",
                                     R"(f\oo@example.com)", R"("foo\")", R"("foo")"}) {
    EXPECT_EQ(excludes(mailbox, mail(bad)), Code::unsupported_name_syntax) << bad;
  }
}

TEST(NameConstraints, Addresses) {
  const Der four = {192, 0, 2, 17};
  const Der other = {192, 0, 3, 17};
  const Der network = subtree(Kind::ip_address, Der{192, 0, 2, 0, 255, 255, 255, 0});
  EXPECT_EQ(permits(network, make("CN=leaf").ip(four)), Code::ok);
  EXPECT_EQ(permits(network, make("CN=leaf").ip(other)), Code::permitted_violation);
  EXPECT_EQ(excludes(network, make("CN=leaf").ip(four)), Code::excluded_violation);
  EXPECT_EQ(excludes(network, make("CN=leaf").ip(other)), Code::ok);
  // An address of the other family is within no network of this one.
  Der six(16, 0);
  EXPECT_EQ(permits(network, make("CN=leaf").ip(six)), Code::permitted_violation);
  EXPECT_EQ(excludes(network, make("CN=leaf").ip(six)), Code::ok);
  Der all_of_six(32, 0);
  EXPECT_EQ(permits(subtree(Kind::ip_address, all_of_six), make("CN=leaf").ip(six)), Code::ok);
  EXPECT_EQ(permits(network, make("CN=leaf").dns("example.com")), Code::ok);  // another kind of name
}

TEST(NameConstraints, DirectoryNames) {
  const Der organisation = subtree_of_name("C=DE, O=Example");
  EXPECT_EQ(permits(organisation, make("C=DE, O=Example, CN=leaf")), Code::ok);
  EXPECT_EQ(permits(organisation, make("C=DE, O=EXAMPLE, CN=leaf")), Code::ok);
  EXPECT_EQ(permits(organisation, make("C=DE, O=Other, CN=leaf")), Code::permitted_violation);
  EXPECT_EQ(permits(organisation, make("C=DE")), Code::permitted_violation);
  EXPECT_EQ(excludes(organisation, make("C=DE, O=Example, CN=leaf")), Code::excluded_violation);
  EXPECT_EQ(excludes(organisation, make("CN=leaf")), Code::ok);
}

TEST(NameConstraints, AnExcludedNameIsExcludedInEveryTypeOfString) {
  const auto excluded = [](const Der& base, const Der& subject) {
    const Der der = with_subject(subject);
    ComparisonBudget budget{0, 1000};
    const Der subtrees = subtree(Kind::directory_name, base);
    return check_name_constraints({true, std::nullopt, subtrees}, *Certificate::parse(der), budget);
  };
  const Der evil = name_of(oid::kOrganization, der::kUtf8String, "Evil");
  for (const Der& same : {name_of(oid::kOrganization, der::kPrintableString, "EVIL"),
                          name_of(oid::kOrganization, der::kBmpString, {"\0E\0v\0i\0l", 8}),
                          name_of(oid::kOrganization, der::kTeletexString, "Evil"),
                          name_of(oid::kOrganization, der::kUniversalString, {"\0\0\0E\0\0\0v\0\0\0i\0\0\0l", 16})}) {
    EXPECT_EQ(excluded(evil, same), Code::excluded_violation);
    EXPECT_EQ(excluded(same, evil), Code::excluded_violation);
  }
  // What cannot be compared may be it, and is not known to be within what is permitted.
  for (const Der& strange : {name_of(oid::kOrganization, der::kOctetString, "Evil"),
                             name_of(oid::kOrganization, der::kBmpString, "\xd8\x3d\xd8\x3d")}) {
    EXPECT_EQ(excluded(evil, strange), Code::excluded_violation);
    const Der der = with_subject(strange);
    const Der subtrees = subtree(Kind::directory_name, evil);
    ComparisonBudget budget{0, 1000};
    EXPECT_EQ(check_name_constraints({true, subtrees, std::nullopt}, *Certificate::parse(der), budget),
              Code::permitted_violation);
  }
  EXPECT_EQ(excluded(evil, name_of(oid::kOrganization, der::kBmpString, {"\0G\0o\0o\0d", 8})), Code::ok);
  EXPECT_EQ(excluded(evil, name_of(oid::kOrganizationalUnit, der::kOctetString, "Evil")), Code::ok);
}

TEST(NameConstraints, HostsWithUnderscores) {
  const Der domain = subtree(Kind::dns, "example.com");
  EXPECT_EQ(permits(domain, make("CN=leaf").dns("my_service.example.com")), Code::ok);
  EXPECT_EQ(permits(domain, make("CN=leaf").dns("my_service")), Code::permitted_violation);
  EXPECT_EQ(excludes(subtree(Kind::dns, "my_service.test"), make("CN=leaf").dns("a.my_service.test")),
            Code::excluded_violation);
}

TEST(NameConstraints, ALeadingDotIsOneLabelOrMore) {
  const Der below = subtree(Kind::dns, ".example.com");
  EXPECT_EQ(permits(below, make("CN=leaf").dns("www.example.com")), Code::ok);
  EXPECT_EQ(permits(below, make("CN=leaf").dns("a.b.EXAMPLE.com")), Code::ok);
  EXPECT_EQ(permits(below, make("CN=leaf").dns("*.example.com")), Code::ok);
  EXPECT_EQ(permits(below, make("CN=leaf").dns("example.com")), Code::permitted_violation);
  EXPECT_EQ(permits(below, make("CN=leaf").dns("notexample.com")), Code::permitted_violation);
  EXPECT_EQ(excludes(below, make("CN=leaf").dns("www.example.com")), Code::excluded_violation);
  EXPECT_EQ(excludes(below, make("CN=leaf").dns("*.example.com")), Code::excluded_violation);
  EXPECT_EQ(excludes(below, make("CN=leaf").dns("example.com")), Code::ok);
  EXPECT_EQ(syntax(below), Code::constraint_with_leading_dot);
  EXPECT_EQ(syntax(below, Policy::private_pki()), Code::ok);
  EXPECT_EQ(syntax(subtree(Kind::dns, "..example.com"), Policy::private_pki()), Code::unsupported_constraint_syntax);
  EXPECT_EQ(syntax(subtree(Kind::dns, "."), Policy::private_pki()), Code::unsupported_constraint_syntax);
}

TEST(NameConstraints, HostsOfUris) {
  const auto uri = [](std::string_view text) { return make("CN=leaf").uri(text); };
  const Der host = subtree(Kind::uri, "example.com");
  for (const std::string_view within :
       {"https://example.com/", "https://EXAMPLE.com", "spiffe://example.com/ns/prod/sa/db",
        "https://example.com:443?q", "ftp://user@example.com/", "https://example.com:#x",
        "https://user:pass@example.com/@evil.test/"}) {
    EXPECT_EQ(permits(host, uri(within)), Code::ok) << within;
    EXPECT_EQ(excludes(host, uri(within)), Code::excluded_violation) << within;
  }
  for (const std::string_view outside : {"https://www.example.com/", "https://example.com@evil.test/",
                                         "https://evil.test/example.com", "https://notexample.com"}) {
    EXPECT_EQ(permits(host, uri(outside)), Code::permitted_violation) << outside;
    EXPECT_EQ(excludes(host, uri(outside)), Code::ok) << outside;
  }
  // RFC 5280 4.2.1.10: without a host that is a name they must be rejected.
  for (const std::string_view without :
       {"urn:example.com", "mailto:a@example.com", "https://192.0.2.1/", "https://[2001:db8::1]/", "https:///path",
        "https:example.com", "https://example.com:port/", R"(https://evil.test\@example.com/)",
        "https://a@b@example.com", "https://*.example.com/", "://example.com"}) {
    EXPECT_EQ(permits(host, uri(without)), Code::unsupported_name_syntax) << without;
    EXPECT_EQ(excludes(host, uri(without)), Code::unsupported_name_syntax) << without;
  }
  const Der domain = subtree(Kind::uri, ".example.com");
  EXPECT_EQ(permits(domain, uri("https://a.b.example.com/")), Code::ok);
  EXPECT_EQ(permits(domain, uri("https://example.com/")), Code::permitted_violation);
  EXPECT_EQ(excludes(domain, uri("https://a.example.com/")), Code::excluded_violation);
  EXPECT_EQ(syntax(domain), Code::ok);
  // A constraint that is no host permits nothing and excludes everything.
  const Der odd = subtree(Kind::uri, "https://example.com/");
  EXPECT_EQ(permits(odd, uri("https://example.com/")), Code::permitted_violation);
  EXPECT_EQ(excludes(odd, uri("https://example.org/")), Code::excluded_violation);
  EXPECT_EQ(permits(host, make("CN=leaf").dns("example.com")), Code::ok);  // another kind of name
}

TEST(NameConstraints, WildcardsTouchWhatTheyCanStandFor) {
  const Der inner = subtree(Kind::dns, "bar.example.com");
  EXPECT_EQ(excludes(inner, make("CN=leaf").dns("*.example.com")), Code::excluded_violation);
  EXPECT_EQ(excludes(inner, make("CN=leaf").dns("*.example.org")), Code::ok);
  EXPECT_EQ(excludes(inner, make("CN=leaf").dns("*.bar.example.com")), Code::excluded_violation);
  EXPECT_EQ(excludes(inner, make("CN=leaf").dns("foo.example.com")), Code::ok);
  EXPECT_EQ(permits(subtree(Kind::dns, "example.com"), make("CN=leaf").dns("*.example.com")), Code::ok);
  EXPECT_EQ(permits(inner, make("CN=leaf").dns("*.example.com")), Code::permitted_violation);
}

TEST(NameConstraints, OfAKindThatIsNotProcessedRefuseSuchNames) {
  der::Writer names;
  names.nest(der::kSequence, [&] { names.element(der::context(8), Der{0x2a, 3}); });
  const CertificateBuilder with_identifier = make("CN=leaf").extension("2.5.29.17", false, names.view());
  const Der identifiers = subtree(Kind::registered_id, Der{0x2a, 3});
  EXPECT_EQ(permits(identifiers, with_identifier), Code::unsupported_constraint_type);
  EXPECT_EQ(excludes(identifiers, with_identifier), Code::unsupported_constraint_type);
  EXPECT_EQ(permits(identifiers, make("CN=leaf").dns("example.com")), Code::ok);
}

TEST(NameConstraints, TheirOwnSyntax) {
  for (const std::string_view good : {"example.com", ".example.com", "a@example.com"}) {
    EXPECT_EQ(syntax(subtree(Kind::email, good)), Code::ok) << good;
  }
  for (const std::string_view bad : {"@example.com", "a@", "a@*.example.com", "exa mple"}) {
    EXPECT_EQ(syntax(subtree(Kind::email, bad)), Code::unsupported_constraint_syntax) << bad;
  }
  EXPECT_EQ(syntax(subtree(Kind::dns, "")), Code::ok);
  EXPECT_EQ(syntax(subtree(Kind::dns, "*.example.com")), Code::unsupported_constraint_syntax);
  EXPECT_EQ(syntax(subtree(Kind::ip_address, Der{10, 0, 0, 0, 255, 240, 0, 0})), Code::ok);
  for (const Der& bad : {Der{10, 0, 0, 0}, Der{10, 0, 0, 0, 255, 0, 255, 0}, Der{10, 0, 0, 0, 255, 253, 0, 0}}) {
    EXPECT_EQ(syntax(subtree(Kind::ip_address, bad)), Code::unsupported_constraint_syntax);
  }
  EXPECT_EQ(syntax(subtree(Kind::uri, "anything")), Code::ok);  // counts only when such a name turns up
}

TEST(NameConstraints, StopWhenTheBudgetIsSpent) {
  const Der der = built(make("CN=leaf").email("a@example.com").self_signed(provider(), *key("leaf"), random_source()));
  const Der subtrees = subtree(Kind::email, "example.com");
  const Certificate certificate = Certificate::parse(der).value();
  ComparisonBudget none{0, 0};
  EXPECT_EQ(check_name_constraints({true, subtrees, std::nullopt}, certificate, none), Code::work_limit_exceeded);
  ComparisonBudget nor_here{0, 0};
  EXPECT_EQ(check_name_constraints({true, std::nullopt, subtrees}, certificate, nor_here), Code::work_limit_exceeded);
  ComparisonBudget nor_there{0, 0};
  EXPECT_EQ(check_constraint_syntax({true, subtrees, std::nullopt}, {}, nor_there), Code::work_limit_exceeded);
}

TEST(NameConstraints, LongNamesCostMore) {
  const std::string longest = "O=" + std::string(1000, 'x');
  const Der subtrees = subtree_of_name(longest);
  const Der der = built(make(longest).self_signed(provider(), *key("leaf"), random_source()));
  ComparisonBudget budget{0, 1000};
  EXPECT_EQ(check_name_constraints({true, subtrees, std::nullopt}, *Certificate::parse(der), budget), Code::ok);
  EXPECT_GE(budget.used, 2000 / kComparisonBytes);
  EXPECT_LE(budget.used, 2 + 2200 / kComparisonBytes);
  ComparisonBudget spent{0, 20};
  EXPECT_EQ(check_name_constraints({true, subtrees, std::nullopt}, *Certificate::parse(der), spent),
            Code::work_limit_exceeded);
}

TEST(GeneralNames, OfEveryKindAreReadable) {
  const auto text = [](Kind kind, Bytes value) { return GeneralName{kind, value}.text(); };
  EXPECT_EQ(text(Kind::other_name, Der{1, 0xab}), "othername:01ab");
  EXPECT_EQ(text(Kind::email, as_bytes("a@example.com")), "email:a@example.com");
  EXPECT_EQ(text(Kind::dns, as_bytes("example.com\n")), "DNS:example.com\\0a");
  EXPECT_EQ(text(Kind::x400_address, Der{2}), "X400Name:02");
  EXPECT_EQ(text(Kind::edi_party_name, Der{3}), "EdiPartyName:03");
  EXPECT_EQ(text(Kind::uri, as_bytes("https://example.com/")), "URI:https://example.com/");
  EXPECT_EQ(text(Kind::ip_address, Der{192, 0, 2, 1}), "IP:192.0.2.1");
  EXPECT_EQ(text(Kind::ip_address, Der{192, 0, 2, 0, 255, 255, 255, 0}), "IP:192.0.2.0/255.255.255.0");
  EXPECT_EQ(text(Kind::ip_address, Der{1, 2, 3}), "IP:#010203");
  EXPECT_EQ(text(Kind::registered_id, Der{0x55, 0x1d, 0x11}), "Registered ID:2.5.29.17");
  const Der certificate = built(make("CN=inner").self_signed(provider(), *key("leaf"), random_source()));
  EXPECT_EQ(text(Kind::directory_name, Certificate::parse(certificate)->subject().der()), "DirName:CN=inner");
}

TEST(DistinguishedNames, InWideStringsAreReadable) {
  // BMPString and UniversalString: two and four bytes a character (X.690 8.21.7, 8.21.9).
  const auto name = [](std::uint8_t string_type, Bytes value) {
    der::Writer out;
    out.nest(der::kSequence, [&] {
      out.nest(der::kSet, [&] {
        out.nest(der::kSequence, [&] {
          out.object_identifier(oid::kCommonName);
          out.element(string_type, value);
        });
      });
    });
    return std::move(out).take();
  };
  const Der bmp = name(der::kBmpString, Der{0, 'e', 0, 0xe9, 0x20, 0xac});
  EXPECT_EQ(DistinguishedName::parse(bmp)->text(), "CN=e\xc3\xa9\xe2\x82\xac");
  const Der universal = name(der::kUniversalString, Der{0, 0, 0, 'x', 0, 1, 0xf6, 0x1c});
  EXPECT_EQ(DistinguishedName::parse(universal)->text(), "CN=x\xf0\x9f\x98\x9c");
}

}  // namespace
}  // namespace lockstep::x509::test
