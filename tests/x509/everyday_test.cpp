// Certificates as people make them with openssl, step-ca, cert-manager and their own hands. OpenSSL, Go and GnuTLS take
// all of these. We do by private_pki(); by default where RFC 5280 does.

#include "pki.hpp"

namespace lockstep::x509::test {
namespace {

struct Recipe {
  std::string_view what;
  std::function<Question()> ask;
  Code by_default = Code::ok;
};

const Authority& root() {
  static const Authority authority("Root");
  return authority;
}

Question issued(const CertificateBuilder& builder) {
  Question out;
  out.trust(root().certificate).chain = {root().issue(builder)};
  return out;
}

/// A certificate that is its own anchor, as `openssl req -x509` makes it.
Question alone(const CertificateBuilder& builder) {
  const Der self = built(builder.self_signed(provider(), *key("leaf"), random_source()));
  Question out;
  out.trust(self).chain = {self};
  return out;
}

Question below(const CertificateBuilder& ca, const CertificateBuilder& builder) {
  const Authority issuer(root(), key("CA"), ca);
  Question out;
  out.trust(root().certificate).chain = {issuer.issue(builder), issuer.certificate};
  return out;
}

/// Issued by the root, with fields that the builder does not make.
Question raw(const std::function<void(RawCertificate&)>& change, const CertificateBuilder& builder = leaf()) {
  RawCertificate certificate(root().issue(builder));
  change(certificate);
  Question out;
  out.trust(root().certificate).chain = {certificate.sign(*root().own_key)};
  return out;
}

Question asked(Question question, std::string_view name) {
  question.name = PeerName::parse(name).value();
  return question;
}

/// Name constraints that permit one subtree.
Der permitted(std::uint8_t tag, std::string_view base) {
  der::Writer out;
  out.nest(der::kSequence, [&] {
    out.nest(der::context_constructed(0), [&] { out.nest(der::kSequence, [&] { out.element(tag, as_bytes(base)); }); });
  });
  return std::move(out).take();
}

Der alternative_names() {
  der::Writer out;
  out.nest(der::kSequence, [&] { out.element(der::context(2), as_bytes("example.com")); });
  return std::move(out).take();
}

CertificateBuilder ca() { return make("CN=CA").ca(); }
CertificateBuilder ca_permits(unsigned kind, std::string_view base) {
  return ca().extension("2.5.29.30", true, permitted(der::context(kind), base));
}

Der distribution_point() {
  der::Writer out;
  out.nest(der::kSequence, [&] {
    out.nest(der::kSequence, [&] {
      out.nest(der::context_constructed(0), [&] {
        out.nest(der::context_constructed(0),
                 [&] { out.element(der::context(6), as_bytes("http://example.com/crl")); });
      });
    });
  });
  return std::move(out).take();
}

Question version_1_client() {
  // `openssl x509 -req` without -extfile.
  Question out = raw([](RawCertificate& certificate) {
    certificate.version.reset();
    certificate.extensions.clear();
  });
  out.peer = Role::client;
  out.name = NoNameCheck{};
  return out;
}

Question version_1_root() {
  RawCertificate certificate(root().certificate);
  certificate.version.reset();
  certificate.extensions.clear();
  Question out;
  out.trust(certificate.sign(*root().own_key)).chain = {root().issue(leaf())};
  return out;
}

const std::vector<Recipe>& recipes() {
  static const Der kCaFalse = {0x30, 3, 1, 1, 0};
  static const Der kPathLength = {0x30, 3, 2, 1, 0};
  static const Der kInhibitMapping = {0x30, 3, 0x81, 1, 0};
  const auto marked = [] { return leaf().key_usage({KeyUsage::key_cert_sign, KeyUsage::digital_signature}); };
  static const std::vector<Recipe> all = {
      {"a server", [] { return issued(leaf()); }},
      {"below an intermediate", [] { return below(ca(), leaf()); }},
      {"below a CA of path length 0", [] { return below(make("CN=CA").ca(0), leaf()); }},
      {"a wildcard", [] { return asked(issued(leaf("*.example.com")), "www.example.com"); }},
      {"an IPv4 address", [] { return asked(issued(make("CN=a").ip(Der{192, 0, 2, 1}).server()), "192.0.2.1"); }},
      {"an IPv6 address",
       [] { return asked(issued(make("CN=a").ip(Der(16, 1)).server()), "101:101:101:101:101:101:101:101"); }},
      {"localhost", [] { return asked(issued(leaf("localhost")), "localhost"); }},
      {"no extended key usage", [] { return issued(make("CN=leaf").dns("example.com")); }},
      {"server and client at once", [] { return issued(leaf().client()); }},
      {"a common name that is no alternative name",
       [] { return issued(make("CN=Web server 7").dns("example.com").server()); }},
      {"names of other kinds beside", [] { return issued(leaf().uri("https://example.com/").email("a@example.com")); }},
      {"a SPIFFE identity", [] { return issued(leaf().uri("spiffe://example.org/ns/prod/sa/db")); }},
      {"self-signed, an end entity's", [] { return alone(leaf()); }},
      {"self-signed, as `openssl req -x509` makes it",
       [] { return alone(make("CN=leaf").dns("example.com").ca().key_usage({})); }},
      {"self-signed without a name, `openssl req -x509 -subj /`",
       [] { return alone(make("").extension("2.5.29.17", true, alternative_names())); }},
      {"cA FALSE written out", [] { return issued(leaf().extension("2.5.29.19", false, kCaFalse)); }},
      {"critical FALSE written out",
       [] {
         return raw([](RawCertificate& certificate) {
           const Der written_out = {0x30, 10, 6, 3, 0x2a, 3, 4, 1, 1, 0, 4, 0};
           certificate.extensions.insert(certificate.extensions.end(), written_out.begin(), written_out.end());
         });
       }},
      {"critical distribution points",
       [] { return issued(leaf().extension("2.5.29.31", true, distribution_point())); }},
      {"URI constraints and a SPIFFE identity",
       [] { return below(ca_permits(6, "example.org"), leaf().uri("spiffe://example.org/ns/prod/sa/db")); }},
      {"an underscore beside the name, below a CA with DNS constraints",
       [] { return below(ca().permit_dns("example.com"), leaf().dns("my_service.example.com")); }},
      {"an underscore", [] { return asked(issued(leaf("my_service")), "my_service"); }, Code::name_with_underscore},
      {"DNS constraints with a leading dot",
       [] { return asked(below(ca_permits(2, ".example.com"), leaf("www.example.com")), "www.example.com"); },
       Code::constraint_with_leading_dot},
      {"no subject, and alternative names that are not critical",
       [] { return raw([](RawCertificate& certificate) { certificate.subject = {0x30, 0}; }); },
       Code::empty_subject_san_not_critical},
      {"CA:FALSE with keyCertSign", [marked] { return issued(marked().extension("2.5.29.19", true, kCaFalse)); },
       Code::ku_key_cert_sign_invalid_for_non_ca},
      {"self-signed, CA:FALSE with keyCertSign",
       [marked] { return alone(marked().extension("2.5.29.19", true, kCaFalse)); },
       Code::ku_key_cert_sign_invalid_for_non_ca},
      {"a path length but no CA", [] { return issued(leaf().extension("2.5.29.19", true, kPathLength)); },
       Code::pathlen_invalid_for_non_ca},
      {"name constraints in a leaf", [] { return issued(leaf().permit_dns("example.com")); },
       Code::name_constraints_in_leaf},
      {"policy constraints that are not critical",
       [] { return below(ca().extension("2.5.29.36", false, kInhibitMapping), leaf()); },
       Code::extension_must_be_critical},
      {"no key identifiers", [] { return issued(leaf().without_key_identifiers()); },
       Code::missing_authority_key_identifier},
      {"a CA as the leaf",
       [] { return issued(leaf().ca().key_usage({KeyUsage::key_cert_sign, KeyUsage::digital_signature})); },
       Code::invalid_non_ca},
      {"serial number 0", [] { return raw([](RawCertificate& certificate) { certificate.serial = {0}; }); },
       Code::serial_number_invalid},
      {"critical alternative names",
       [] { return issued(make("CN=leaf").server().extension("2.5.29.17", true, alternative_names())); },
       Code::subject_alt_name_critical},
      {"a client of version 1", version_1_client, Code::version_not_3},
      {"a root of version 1", version_1_root, Code::version_not_3},
  };
  return all;
}

TEST(Everyday, IsTakenByPrivatePki) {
  for (const Recipe& recipe : recipes()) {
    Question ask = recipe.ask();
    EXPECT_EQ(ask.ask().code, recipe.by_default) << recipe.what << ": " << ask.ask().text();
    // The text of a refusal names what would take it.
    if (recipe.by_default != Code::ok) {
      EXPECT_NE(ask.ask().text().find("Policy::"), std::string::npos) << ask.ask().text();
    }
    ask.policy = Policy::private_pki();
    EXPECT_TRUE(ask.ask().ok()) << recipe.what << ": " << ask.ask().text();
  }
  EXPECT_EQ(recipes().size(), 34U);
}

}  // namespace
}  // namespace lockstep::x509::test
