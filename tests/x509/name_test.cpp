// Names to expect of a peer, and how they compare (RFC 9525, RFC 5280 7.1).

#include <algorithm>

#include "pki.hpp"
#include "x509/parser.hpp"
#include "x509/peer_name.hpp"

namespace lockstep::x509::test {
namespace {

TEST(PeerName, HostNames) {
  for (const auto& [given, kept] : {std::pair{"example.com", "example.com"},
                                    {"EXAMPLE.Com.", "example.com"},
                                    {"localhost", "localhost"},
                                    {"foo_bar.example.com", "foo_bar.example.com"},
                                    {"xn--628h.example.com", "xn--628h.example.com"},
                                    {"1.2.3.4.in-addr.arpa", "1.2.3.4.in-addr.arpa"},
                                    {"a-b.c3", "a-b.c3"}}) {
    const auto name = PeerName::dns(given);
    ASSERT_TRUE(name) << given;
    EXPECT_EQ(name->kind(), PeerName::Kind::dns);
    EXPECT_EQ(name->host_name(), kept);
    EXPECT_EQ(name->text(), kept);
    EXPECT_TRUE(name->address().empty());
  }
}

TEST(PeerName, RefusesEachFaultForItsOwnReason) {
  const std::string label(64, 'a');
  const std::string longest =
      std::string(62, 'a') + "." + std::string(62, 'b') + "." + std::string(62, 'c') + "." + std::string(62, 'd');
  ASSERT_TRUE(PeerName::dns(longest));
  struct Case {
    std::string given;
    NameError error;
  };
  const std::vector<Case> cases = {
      {"", NameError::empty},
      {".", NameError::empty},
      {longest + ".ee", NameError::too_long},
      {"a..b", NameError::label_empty},
      {".a", NameError::label_empty},
      {"a..", NameError::label_empty},
      {label + ".com", NameError::label_too_long},
      {"b\xc3\xbc"
       "cher.example",
       NameError::character_forbidden},
      {"a b", NameError::character_forbidden},
      {"*.example.com", NameError::character_forbidden},
      {std::string("a\0.com", 6), NameError::character_forbidden},
      {"-a.com", NameError::hyphen_at_edge},
      {"a-.com", NameError::hyphen_at_edge},
      {"192.168.1", NameError::looks_like_address},
      {"256.1.1.1", NameError::looks_like_address},
      {"192.0.2.1", NameError::looks_like_address},
  };
  for (const Case& test : cases) {
    const auto name = PeerName::dns(test.given);
    ASSERT_FALSE(name) << test.given;
    EXPECT_EQ(name.error(), test.error) << test.given << ": " << x509::name(name.error());
    EXPECT_FALSE(explanation(name.error()).empty());
  }
}

TEST(PeerName, Addresses) {
  for (const auto& [given, kept] : {std::pair{"192.0.2.1", "192.0.2.1"},
                                    {"0.0.0.0", "0.0.0.0"},
                                    {"::", "::"},
                                    {"::1", "::1"},
                                    {"1::", "1::"},
                                    {"[2001:DB8::1]", "2001:db8::1"},
                                    {"2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},
                                    {"1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"},
                                    {"1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"},
                                    {"::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"},
                                    {"::ffff:192.0.2.1", "::ffff:c000:201"},
                                    {"1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304"}}) {
    const auto name = PeerName::parse(given);
    ASSERT_TRUE(name) << given;
    EXPECT_EQ(name->text(), kept);
    EXPECT_TRUE(name->host_name().empty());
    EXPECT_EQ(*PeerName::ip(name->address()), *name);
  }
  for (const std::string_view given : {"1.2.3",
                                       "1.2.3.4.5",
                                       "01.2.3.4",
                                       "1.2.3.256",
                                       "1.2.3.4 ",
                                       "0x1.2.3.4",
                                       ":",
                                       ":::",
                                       "1:2",
                                       "1::2::3",
                                       "1:2:3:4:5:6:7:8:9",
                                       "12345::",
                                       "g::",
                                       "fe80::1%eth0",
                                       "[::1",
                                       "::1]",
                                       "[1.2.3.4]",
                                       "1:2:3:4:5:6:7:",
                                       "::1.2.3",
                                       "1:2:3:4:5:6:7:1.2.3.4",
                                       "::1:2:3:4:5:6:7:8",
                                       "[example.com]",
                                       "::1/128"}) {
    const auto name = PeerName::ip(given);
    ASSERT_FALSE(name) << given;
    EXPECT_EQ(name.error(), NameError::not_an_address);
  }
  EXPECT_EQ(PeerName::ip("").error(), NameError::empty);
  EXPECT_EQ(PeerName::ip(Bytes(std::array<std::uint8_t, 5>{})).error(), NameError::not_an_address);
}

TEST(PeerName, ParseTellsAddressesFromNames) {
  EXPECT_EQ(PeerName::parse("example.com")->kind(), PeerName::Kind::dns);
  EXPECT_EQ(PeerName::parse("192.0.2.1")->kind(), PeerName::Kind::ipv4);
  EXPECT_EQ(PeerName::parse("::1")->kind(), PeerName::Kind::ipv6);
  EXPECT_EQ(PeerName::parse("::g").error(), NameError::not_an_address);
  EXPECT_EQ(PeerName::parse("example.com:443").error(), NameError::not_an_address);
  EXPECT_EQ(PeerName::parse("1.2.3.444").error(), NameError::looks_like_address);
  EXPECT_EQ(PeerName::parse("").error(), NameError::empty);
  const PeerName any = NoNameCheck{};
  EXPECT_EQ(any.kind(), PeerName::Kind::any);
  EXPECT_EQ(any.text(), "");
}

TEST(PeerName, Patterns) {
  for (const auto& [pattern, host] : {std::pair{"example.com", "example.com"},
                                      {"EXAMPLE.com", "example.com"},
                                      {"*.example.com", "foo.example.com"},
                                      {"*.example.com", "foo_bar.example.com"},
                                      {"*.xn--628h.com", "a.xn--628h.com"},
                                      {"foo_bar.example.com", "foo_bar.example.com"},
                                      {"my_service", "MY_service"},
                                      {"*.foo_bar.example.com", "a.foo_bar.example.com"},
                                      {"localhost", "localhost"}}) {
    EXPECT_TRUE(matches_pattern(pattern, host)) << pattern << " " << host;
  }
  for (const auto& [pattern, host] : {std::pair{"example.com", "example.org"},
                                      {"example.com", "www.example.com"},
                                      {"www.example.com", "example.com"},
                                      {"*.example.com", "example.com"},
                                      {"*.example.com", "a.b.example.com"},
                                      {"*.com", "example.com"},
                                      {"*", "localhost"},
                                      {"*.", "localhost"},
                                      {"*.*.com", "a.b.com"},
                                      {"f*.example.com", "foo.example.com"},
                                      {"*o.example.com", "foo.example.com"},
                                      {"foo.*.com", "foo.bar.com"},
                                      {"xn--*.example.com", "xn--a.example.com"},
                                      {"example.com.", "example.com"},
                                      {"foo_bar.example.com", "foo-bar.example.com"},
                                      {"", "localhost"}}) {
    EXPECT_FALSE(matches_pattern(pattern, host)) << pattern << " " << host;
  }
  EXPECT_FALSE(matches_pattern("foo_bar.example.com", "foo_bar.example.com", Alphabet::preferred));
  EXPECT_TRUE(matches_pattern("*.example.com", "foo_bar.example.com", Alphabet::preferred));
  // A NUL does not end a name.
  EXPECT_FALSE(matches_pattern(std::string_view("example.com\0.evil.org", 21), "example.com"));
}

TEST(PeerName, MatchesCanBeCalledOnItsOwn) {
  const Key own = key("leaf");
  const Der der = built(make("CN=common.example.com")
                            .dns("example.com")
                            .dns("*.example.org")
                            .ip(std::array<std::uint8_t, 4>{192, 0, 2, 1})
                            .email("a@example.net")
                            .self_signed(provider(), *own, random_source()));
  const Certificate certificate = Certificate::parse(der).value();
  for (const std::string_view yes : {"example.com", "www.example.org", "192.0.2.1"}) {
    EXPECT_TRUE(matches(certificate, PeerName::parse(yes).value())) << yes;
  }
  for (const std::string_view no :
       {"common.example.com", "example.org", "192.0.2.2", "::ffff:192.0.2.1", "example.net"}) {
    EXPECT_FALSE(matches(certificate, PeerName::parse(no).value())) << no;
  }
  EXPECT_TRUE(matches(certificate, NoNameCheck{}));
}

// --- distinguished names ---------------------------------------------------------------------------------------------

struct Attribute {
  Oid type;
  std::uint8_t tag;
  std::string_view value;
};

Der distinguished_name(std::initializer_list<Attribute> attributes) {
  der::Writer out;
  out.nest(der::kSequence, [&] {
    for (const Attribute& attribute : attributes) {
      out.nest(der::kSet, [&] {
        out.nest(der::kSequence, [&] {
          out.object_identifier(attribute.type);
          out.element(attribute.tag, as_bytes(attribute.value));
        });
      });
    }
  });
  return std::move(out).take();
}

/// ASCII in characters of so many bytes.
std::string wide(std::string_view text, std::size_t width) {
  std::string out;
  for (const char c : text) out += std::string(width - 1, '\0') + c;
  return out;
}

TEST(DistinguishedName, CompareAsRfc5280Says) {
  const auto common_name = [](std::uint8_t tag, std::string_view value) {
    return distinguished_name({{oid::kCommonName, tag, value}});
  };
  const Der plain = common_name(der::kUtf8String, "Example Root");
  const DistinguishedName name = DistinguishedName::parse(plain).value();
  for (const Der& same :
       {common_name(der::kPrintableString, "Example Root"), common_name(der::kUtf8String, "example ROOT"),
        common_name(der::kUtf8String, "  Example    Root "), common_name(der::kTeletexString, "EXAMPLE root"),
        common_name(der::kBmpString, wide("Example Root", 2)),
        common_name(der::kUniversalString, wide(" example  ROOT", 4))}) {
    const DistinguishedName other = DistinguishedName::parse(same).value();
    EXPECT_TRUE(name.matches(other)) << other.text();
    EXPECT_EQ(name.hash(), other.hash()) << other.text();
  }
  for (const Der& different :
       {common_name(der::kUtf8String, "ExampleRoot"), common_name(der::kUtf8String, "Example Root 2"),
        common_name(der::kBmpString, wide("Example Root 2", 2)),
        distinguished_name({{oid::kOrganization, der::kUtf8String, "Example Root"}}),
        distinguished_name(
            {{oid::kCommonName, der::kUtf8String, "Example Root"}, {oid::kCountry, der::kPrintableString, "DE"}}),
        distinguished_name({})}) {
    const DistinguishedName other = DistinguishedName::parse(different).value();
    EXPECT_FALSE(name.matches(other)) << other.text();
    EXPECT_FALSE(other.matches(name)) << other.text();
  }
}

TEST(DistinguishedName, LiesWithinAPrefix) {
  const Der whole = distinguished_name(
      {{oid::kCountry, der::kPrintableString, "DE"}, {oid::kOrganization, der::kUtf8String, "Example"}});
  const Der prefix = distinguished_name({{oid::kCountry, der::kPrintableString, "DE"}});
  const Der other = distinguished_name({{oid::kCountry, der::kPrintableString, "FR"}});
  const Der none = distinguished_name({});
  const auto within = [](const Der& a, const Der& b) {
    return lies_within(DistinguishedName::parse(a).value(), DistinguishedName::parse(b).value());
  };
  EXPECT_EQ(within(whole, prefix), Match::yes);
  EXPECT_EQ(within(whole, whole), Match::yes);
  EXPECT_EQ(within(whole, none), Match::yes);
  EXPECT_EQ(within(prefix, whole), Match::no);
  EXPECT_EQ(within(whole, other), Match::no);
}

TEST(DistinguishedName, CharactersCountAndNotTheirEncoding) {
  const auto name = [](std::uint8_t tag, std::string_view value) {
    return distinguished_name({{oid::kOrganization, tag, value}});
  };
  struct Pair {
    Der one;
    Der other;
    Match match;
  };
  const std::vector<Pair> pairs = {
      {name(der::kUtf8String, "M\xc3\xbcller"), name(der::kUtf8String, "M\xc3\x9cLLER"), Match::yes},
      {name(der::kUtf8String, "M\xc3\xbcller"), name(der::kTeletexString, "M\xfcller"), Match::yes},
      {name(der::kUtf8String, "M\xc3\xbcller"), name(der::kBmpString, {"\0M\0\xdc\0l\0l\0e\0r", 12}), Match::yes},
      {name(der::kUtf8String, "M\xc3\xbcller"), name(der::kUtf8String, "M\xc3\xb6ller"), Match::no},
      {name(der::kUtf8String, "\xd0\x9c\xd0\xb8\xd1\x80"), name(der::kUtf8String, "\xd0\xbc\xd0\x98\xd0\xa0"),
       Match::yes},
      {name(der::kUtf8String, "\xc5\x81\xc3\xb3\xc4\x91\xc5\xba"),
       name(der::kUtf8String, "\xc5\x82\xc3\x93\xc4\x90\xc5\xb9"), Match::yes},
      {name(der::kUniversalString, {"\0\1\xf6\x1c", 4}), name(der::kUtf8String, "\xf0\x9f\x98\x9c"), Match::yes},
      // The multiplication sign stands between capital letters and is none.
      {name(der::kUtf8String, "\xc3\x97"), name(der::kUtf8String, "\xc3\xb7"), Match::no},
      // Half a surrogate pair is no character, and neither is what lies beyond Unicode.
      {name(der::kBmpString, "\xd8\x3d"), name(der::kUtf8String, "x"), Match::perhaps},
      {name(der::kUniversalString, {"\x7f\0\0\0", 4}), name(der::kUtf8String, "x"), Match::perhaps},
      // An OCTET STRING is no string that has characters.
      {name(der::kOctetString, "x"), name(der::kUtf8String, "x"), Match::perhaps},
      {name(der::kOctetString, "x"), name(der::kOctetString, "X"), Match::no},
  };
  for (const Pair& pair : pairs) {
    const DistinguishedName one = DistinguishedName::parse(pair.one).value();
    const DistinguishedName other = DistinguishedName::parse(pair.other).value();
    EXPECT_EQ(lies_within(one, other), pair.match) << one.text() << " " << other.text();
    EXPECT_EQ(lies_within(other, one), pair.match) << one.text() << " " << other.text();
    EXPECT_EQ(one.matches(other), pair.match == Match::yes) << one.text() << " " << other.text();
    EXPECT_TRUE(one.hash() == other.hash() || pair.match != Match::yes) << one.text() << " " << other.text();
  }
}

/// A name of one RelativeDistinguishedName with several attributes, in the order of their encodings.
Der name_of_set(std::initializer_list<Attribute> attributes) {
  std::vector<Der> parts;
  for (const Attribute& attribute : attributes) {
    der::Writer part;
    part.nest(der::kSequence, [&] {
      part.object_identifier(attribute.type);
      part.element(attribute.tag, as_bytes(attribute.value));
    });
    parts.push_back(std::move(part).take());
  }
  std::ranges::sort(parts);
  der::Writer out;
  out.nest(der::kSequence, [&] {
    out.nest(der::kSet, [&] {
      for (const Der& part : parts) out.raw(part);
    });
  });
  return std::move(out).take();
}

TEST(DistinguishedName, TheOrderWithinASetSaysNothing) {
  // The longer encoding of the one attribute puts it behind the other.
  const Der narrow =
      name_of_set({{oid::kCommonName, der::kUtf8String, "ab"}, {oid::kCountry, der::kUtf8String, "DE1"}});
  const Der broad =
      name_of_set({{oid::kCommonName, der::kUniversalString, wide("AB", 4)}, {oid::kCountry, der::kUtf8String, "DE1"}});
  const Der other = name_of_set({{oid::kCommonName, der::kUtf8String, "ab"}, {oid::kCountry, der::kUtf8String, "DE2"}});
  const DistinguishedName one = DistinguishedName::parse(narrow).value();
  const DistinguishedName two = DistinguishedName::parse(broad).value();
  ASSERT_FALSE(equal(one.begin()->type, two.begin()->type));
  EXPECT_TRUE(one.matches(two) && two.matches(one));
  EXPECT_EQ(one.hash(), two.hash());
  EXPECT_FALSE(one.matches(DistinguishedName::parse(other).value()));
  // Twice the one is not the one and the other.
  const Der twice =
      name_of_set({{oid::kCommonName, der::kUtf8String, "ab"}, {oid::kCommonName, der::kUtf8String, "AB"}});
  EXPECT_EQ(lies_within(DistinguishedName::parse(twice).value(), one), Match::no);
  EXPECT_EQ(lies_within(one, DistinguishedName::parse(twice).value()), Match::no);
  // More attributes than are compared.
  const auto many = [](std::string_view last) {
    const Oid cn = oid::kCommonName;
    const std::uint8_t tag = der::kUtf8String;
    return name_of_set({{cn, tag, "1"},
                        {cn, tag, "2"},
                        {cn, tag, "3"},
                        {cn, tag, "4"},
                        {cn, tag, "5"},
                        {cn, tag, "6"},
                        {cn, tag, "7"},
                        {cn, tag, "8"},
                        {cn, tag, last}});
  };
  const Der nine = many("9");
  const Der ten = many("x");
  EXPECT_EQ(lies_within(DistinguishedName::parse(nine).value(), DistinguishedName::parse(ten).value()), Match::perhaps);
}

TEST(DistinguishedName, TextIsReadableAndSafe) {
  const Der der = distinguished_name({{oid::kCountry, der::kPrintableString, "DE"},
                                      {oid::kOrganization, der::kUtf8String, "A, B + C\\D\n"},
                                      {oid::kLocality, der::kTeletexString, "M\xfcnchen"},
                                      {oid::kState, der::kBmpString, std::string_view("\0B\x20\xac", 4)},
                                      {Oid("1.2.3.4"), der::kUtf8String, "x"},
                                      {oid::kCommonName, der::kUtf8String, "\xd0\xb6"}});
  const DistinguishedName name = DistinguishedName::parse(der).value();
  EXPECT_EQ(name.text(), "C=DE, O=A\\, B \\+ C\\\\D\\0a, L=M\\fcnchen, ST=B\xe2\x82\xac, 1.2.3.4=x, CN=\xd0\xb6");
  EXPECT_EQ(name.common_name(), "\xd0\xb6");
  EXPECT_EQ(DistinguishedName().text(), "");
  EXPECT_TRUE(DistinguishedName::parse(distinguished_name({})).value().empty());
}

TEST(DistinguishedName, RefusesMalformedOnes) {
  const auto error = [](Bytes der) { return DistinguishedName::parse(der).error().code; };
  EXPECT_EQ(error(Der{0x30, 2, 0x31, 0}), ParseCode::set_malformed);
  EXPECT_EQ(error(distinguished_name({{oid::kCommonName, der::kUtf8String, "\xff"}})), ParseCode::string_malformed);
  EXPECT_EQ(error(distinguished_name({{oid::kCommonName, der::kPrintableString, "\n"}})), ParseCode::string_malformed);
  EXPECT_EQ(error(distinguished_name({{oid::kCommonName, der::kBmpString, "odd"}})), ParseCode::string_malformed);
  EXPECT_EQ(error(distinguished_name({{oid::kCommonName, der::kUniversalString, "odd"}})), ParseCode::string_malformed);
  EXPECT_EQ(error(distinguished_name({{oid::kCommonName, der::kNumericString, "x"}})), ParseCode::string_malformed);
  EXPECT_EQ(error(distinguished_name({{oid::kCommonName, der::kIa5String, "\x80"}})), ParseCode::string_malformed);
  Der trailing = distinguished_name({});
  trailing.push_back(0);
  EXPECT_EQ(error(trailing), ParseCode::trailing_data);

  // Two attributes in one SET, in the wrong order and in the right one.
  const auto pair = [](bool ordered) {
    der::Writer out;
    const auto attribute = [&](const Oid& type) {
      out.nest(der::kSequence, [&] {
        out.object_identifier(type);
        out.element(der::kUtf8String, as_bytes("x"));
      });
    };
    out.nest(der::kSequence, [&] {
      out.nest(der::kSet, [&] {
        attribute(ordered ? oid::kCommonName : oid::kCountry);
        attribute(ordered ? oid::kCountry : oid::kCommonName);
      });
    });
    return std::move(out).take();
  };
  EXPECT_EQ(error(pair(false)), ParseCode::set_malformed);
  const Der ordered = pair(true);
  EXPECT_EQ(DistinguishedName::parse(ordered).value().text(), "CN=x + C=x");
}

}  // namespace
}  // namespace lockstep::x509::test
