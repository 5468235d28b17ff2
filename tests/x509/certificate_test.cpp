// Certificates as views: what they hold, and that hostile bytes yield an error and nothing worse.

#include <set>

#include "pki.hpp"
#include "x509/parser.hpp"

namespace lockstep::x509::test {
namespace {

Der full_certificate() {
  der::Writer access;
  access.nest(der::kSequence, [&] {
    access.nest(der::kSequence, [&] {
      access.object_identifier(Oid("1.3.6.1.5.5.7.48.1"));
      access.element(der::context(6), as_bytes("http://ocsp.example.com"));
    });
  });
  const std::array<std::uint8_t, 3> serial = {0x12, 0x34, 0x56};
  const Authority root("Root");
  return root.issue(make("C=DE, O=Example\\, Inc, CN=example.com")
                        .serial_number(serial)
                        .dns("example.com")
                        .dns("*.example.com")
                        .ip(std::array<std::uint8_t, 4>{192, 0, 2, 1})
                        .ip(std::array<std::uint8_t, 16>{0x20, 1, 0x0d, 0xb8})
                        .email("a@example.com")
                        .uri("https://example.com/")
                        .server()
                        .client()
                        .extension("1.3.6.1.5.5.7.1.1", false, access.view())
                        .extension("1.2.3.4", false, serial));
}

TEST(Certificate, HoldsWhatWasWritten) {
  const Der der = full_certificate();
  const auto parsed = Certificate::parse(der);
  ASSERT_TRUE(parsed) << parsed.error().text();
  const Certificate& certificate = *parsed;
  EXPECT_TRUE(equal(certificate.der(), der));
  EXPECT_EQ(certificate.version(), 3);
  EXPECT_EQ(certificate.serial_number_text(), "12:34:56");
  EXPECT_EQ(certificate.issuer().text(), "CN=Root");
  EXPECT_EQ(certificate.subject().text(), "C=DE, O=Example\\, Inc, CN=example.com");
  EXPECT_EQ(certificate.not_before(), kNow - kDay);
  EXPECT_EQ(certificate.not_after(), kNow + kDay);
  EXPECT_EQ(certificate.key_type(), KeyType::ec_p256);
  EXPECT_EQ(certificate.public_key().bits, 256U);
  EXPECT_TRUE(equal(certificate.subject_public_key_info(), key("leaf")->subject_public_key_info()));
  EXPECT_EQ(certificate.signature_algorithm().algorithm, SignatureAlgorithm::ecdsa_sha256);
  EXPECT_FALSE(certificate.signature_algorithm().weak);
  EXPECT_FALSE(certificate.signature().empty());
  EXPECT_FALSE(certificate.is_self_issued());
  EXPECT_FALSE(certificate.is_ca());
  EXPECT_FALSE(certificate.basic_constraints());
  EXPECT_FALSE(certificate.name_constraints());
  ASSERT_TRUE(certificate.key_usage());
  EXPECT_TRUE(certificate.key_usage()->has(KeyUsage::digital_signature));
  EXPECT_FALSE(certificate.key_usage()->has(KeyUsage::key_cert_sign));
  ASSERT_TRUE(certificate.extended_key_usage());
  EXPECT_TRUE(certificate.extended_key_usage()->has(Purpose::server_auth));
  EXPECT_TRUE(certificate.extended_key_usage()->has(Purpose::client_auth));
  EXPECT_FALSE(certificate.extended_key_usage()->has(Purpose::any));
  ASSERT_TRUE(certificate.subject_key_identifier());
  EXPECT_EQ(certificate.subject_key_identifier()->key_identifier.size(), 20U);
  ASSERT_TRUE(certificate.authority_key_identifier() && certificate.authority_key_identifier()->key_identifier);
  EXPECT_TRUE(equal(*certificate.authority_key_identifier()->key_identifier,
                    Authority("Root").view().subject_key_identifier()->key_identifier));
  std::vector<std::string> names;
  for (const GeneralName& alternative : certificate.alternative_names()) names.push_back(alternative.text());
  EXPECT_EQ(names, (std::vector<std::string>{"DNS:example.com", "DNS:*.example.com", "IP:192.0.2.1",
                                             "IP:2001:db8::", "email:a@example.com", "URI:https://example.com/"}));
  std::size_t count = 0;
  for (const Extension& extension : certificate.extensions()) count += extension.oid.empty() ? 0U : 1U;
  EXPECT_EQ(count, 7U);
  ASSERT_TRUE(certificate.extension(Oid("1.2.3.4").view()));
  EXPECT_EQ(certificate.extension(Oid("1.2.3.4").view())->value.size(), 3U);
  EXPECT_FALSE(certificate.extension(Oid("1.2.3.5").view()));
  EXPECT_FALSE(certificate.has_unknown_critical_extension());

  const std::string text = certificate.text();
  for (const std::string_view part :
       {"subject: C=DE, O=Example\\, Inc, CN=example.com", "alternative name: IP:192.0.2.1",
        "public key: ", "key usage: digitalSignature", "extended key usage: serverAuth, clientAuth", "1.2.3.4"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << "\n" << text;
  }
}

TEST(Certificate, HoldsWhatACaIs) {
  const Authority root("Root");
  const Authority ca(root, key("CA"),
                     make("CN=CA")
                         .ca(3)
                         .permit_dns("example.com")
                         .exclude_dns("bad.example.com")
                         .permit_ip(std::array<std::uint8_t, 8>{192, 0, 2, 0, 255, 255, 255, 0}));
  const Certificate certificate = ca.view();
  ASSERT_TRUE(certificate.basic_constraints());
  EXPECT_TRUE(certificate.is_ca());
  EXPECT_TRUE(certificate.basic_constraints()->critical);
  EXPECT_EQ(certificate.basic_constraints()->path_length, 3U);
  ASSERT_TRUE(certificate.key_usage());
  EXPECT_TRUE(certificate.key_usage()->has(KeyUsage::key_cert_sign) &&
              certificate.key_usage()->has(KeyUsage::crl_sign));
  ASSERT_TRUE(certificate.name_constraints());
  EXPECT_TRUE(certificate.name_constraints()->permitted && certificate.name_constraints()->excluded);
  EXPECT_TRUE(root.view().is_self_issued());
}

TEST(Certificate, Fingerprint) {
  const Der der = Authority("Root").certificate;
  const Certificate certificate = Certificate::parse(der).value();
  const Hash* const hash = provider().hash(HashAlgorithm::sha256);
  ASSERT_NE(hash, nullptr);
  std::array<std::uint8_t, kMaxDigestSize> digest{};
  EXPECT_EQ(certificate.fingerprint(*hash, digest), 32U);
  const std::string text = certificate.fingerprint_text(provider());
  EXPECT_EQ(text.size(), 32U * 3 - 1);
  EXPECT_NE(text, Certificate::parse(full_certificate()).value().fingerprint_text(provider()));
  EXPECT_EQ(certificate.fingerprint(*hash, MutableBytes(digest).first(31)), 0U);
  EXPECT_EQ(certificate.fingerprint_text(Provider{}), "");
}

TEST(Certificate, UnknownCriticalExtensionsAreSeen) {
  const Der value = {5, 0};
  const Der der = Authority("Root").issue(leaf().extension("1.2.3.4", true, value));
  EXPECT_TRUE(Certificate::parse(der).value().has_unknown_critical_extension());
}

// --- malformed certificates ------------------------------------------------------------------------------------------

struct Fault {
  ParseCode code;
  std::string_view what;
  std::function<Der()> make;
};

Der with_extension(std::string_view oid, Bytes value) {
  return Authority("Root").issue(leaf().extension(oid, false, value));
}

Der raw(const std::function<void(RawCertificate&)>& spoil) {
  RawCertificate certificate(Authority("Root").issue(leaf()));
  spoil(certificate);
  return certificate.sign(*key("Root"));
}

Der key_info(const Oid& algorithm, bool null, Bytes key_bits) {
  der::Writer out;
  out.nest(der::kSequence, [&] {
    out.nest(der::kSequence, [&] {
      out.object_identifier(algorithm);
      if (null) out.null();
    });
    out.bit_string(key_bits);
  });
  return std::move(out).take();
}

Der rsa_key(Bytes modulus, Bytes exponent) {
  der::Writer numbers;
  numbers.nest(der::kSequence, [&] {
    numbers.element(der::kInteger, modulus);
    numbers.element(der::kInteger, exponent);
  });
  return key_info(oid::kRsaEncryption, true, numbers.view());
}

/// The certificate with its extensions [3] made an empty list.
Der with_empty_extensions() {
  const Der good = Authority("Root").issue(leaf());
  const RawCertificate fields(good);
  der::Writer tbs;
  tbs.nest(der::kSequence, [&] {
    tbs.nest(der::context_constructed(0), [&] { tbs.integer(2); });
    tbs.integer(1);
    for (const Der* field :
         {&fields.inner_algorithm, &fields.issuer, &fields.validity, &fields.subject, &fields.key_info})
      tbs.raw(*field);
    tbs.nest(der::context_constructed(3), [&] { tbs.element(der::kSequence, {}); });
  });
  der::Writer out;
  out.nest(der::kSequence, [&] {
    out.raw(tbs.view());
    out.raw(fields.outer_algorithm);
    out.bit_string(Der{1});
  });
  return std::move(out).take();
}

const std::vector<Fault>& faults() {
  static const std::vector<Fault> all = {
      {ParseCode::truncated, "nothing", [] { return Der(); }},
      {ParseCode::trailing_data, "a byte behind the certificate",
       [] {
         Der der = Authority("Root").issue(leaf());
         der.push_back(0);
         return der;
       }},
      {ParseCode::too_large, "more than a certificate can be", [] { return Der(kMaxCertificateSize + 1, 0x30); }},
      {ParseCode::version_unknown, "version 4", [] { return raw([](RawCertificate& c) { c.version = 3; }); }},
      {ParseCode::default_encoded, "version 1 written out",
       [] { return raw([](RawCertificate& c) { c.version = 0; }); }},
      {ParseCode::integer_empty, "a serial number without a byte",
       [] { return raw([](RawCertificate& c) { c.serial.clear(); }); }},
      {ParseCode::integer_not_minimal, "a serial number with a leading zero",
       [] { return raw([](RawCertificate& c) { c.serial = {0, 1}; }); }},
      {ParseCode::extension_duplicate, "an extension twice",
       [] {
         return raw([](RawCertificate& c) {
           const Der twice = c.extensions;
           c.extensions.insert(c.extensions.end(), twice.begin(), twice.end());
         });
       }},
      {ParseCode::too_many_extensions, "65 extensions",
       [] {
         return raw([](RawCertificate& c) {
           c.extensions.clear();
           for (int i = 0; i < 65; ++i) {
             const Der oid = {0x2a, static_cast<std::uint8_t>(i)};
             c.add_extension({oid, false, {}});
           }
         });
       }},
      {ParseCode::extensions_empty, "a list of no extensions", with_empty_extensions},
      {ParseCode::public_key_malformed, "unused bits in a key",
       [] {
         return raw([](RawCertificate& c) {
           der::Writer out;
           out.nest(der::kSequence, [&] {
             out.nest(der::kSequence, [&] { out.object_identifier(oid::kEd25519); });
             out.bit_string(Der(32, 0x80), 1);
           });
           c.key_info = std::move(out).take();
         });
       }},
      {ParseCode::public_key_malformed, "Ed25519 of 31 bytes",
       [] { return raw([](RawCertificate& c) { c.key_info = key_info(oid::kEd25519, false, Der(31, 1)); }); }},
      {ParseCode::public_key_malformed, "RSA with a negative modulus",
       [] { return raw([](RawCertificate& c) { c.key_info = rsa_key(Der(256, 0xff - 0x10), Der{3}); }); }},
      {ParseCode::public_key_malformed, "RSA with an even modulus",
       [] { return raw([](RawCertificate& c) { c.key_info = rsa_key(Der(256, 0x10), Der{3}); }); }},
      {ParseCode::public_key_malformed, "RSA with an exponent of 1",
       [] { return raw([](RawCertificate& c) { c.key_info = rsa_key(Der(256, 0x11), Der{1}); }); }},
      {ParseCode::public_key_malformed, "RSA with a huge exponent",
       [] { return raw([](RawCertificate& c) { c.key_info = rsa_key(Der(256, 0x11), Der(9, 0x11)); }); }},
      {ParseCode::public_key_malformed, "a point cut short",
       [] {
         return raw([](RawCertificate& c) {
           der::Writer out;
           out.nest(der::kSequence, [&] {
             out.nest(der::kSequence, [&] {
               out.object_identifier(oid::kEcPublicKey);
               out.object_identifier(oid::kP256);
             });
             out.bit_string(Der(64, 4));
           });
           c.key_info = std::move(out).take();
         });
       }},
      {ParseCode::null_not_empty, "a NULL with contents",
       [] {
         return raw([](RawCertificate& c) {
           der::Writer out;
           out.nest(der::kSequence, [&] {
             out.object_identifier(oid::kSha256WithRsa);
             out.element(der::kNull, Der{1});
           });
           c.inner_algorithm = c.outer_algorithm = std::move(out).take();
         });
       }},
      {ParseCode::bit_string_malformed, "key usage without a count",
       [] { return with_extension("2.5.29.15", Der{3, 0}); }},
      {ParseCode::integer_out_of_range, "a negative path length",
       [] { return with_extension("2.5.29.19", Der{0x30, 6, 1, 1, 0xff, 2, 1, 0x80}); }},
      {ParseCode::trailing_data, "basic constraints with more",
       [] { return with_extension("2.5.29.19", Der{0x30, 8, 1, 1, 0xff, 2, 1, 0, 5, 0}); }},
      {ParseCode::sequence_empty, "no purpose", [] { return with_extension("2.5.29.37", Der{0x30, 0}); }},
      {ParseCode::sequence_empty, "no alternative name", [] { return with_extension("2.5.29.17", Der{0x30, 0}); }},
      {ParseCode::general_name_malformed, "an address of three bytes",
       [] { return with_extension("2.5.29.17", Der{0x30, 5, 0x87, 3, 1, 2, 3}); }},
      {ParseCode::general_name_malformed, "a name of kind 9",
       [] { return with_extension("2.5.29.17", Der{0x30, 2, 0x89, 0}); }},
      {ParseCode::general_name_malformed, "a constructed DNS name",
       [] { return with_extension("2.5.29.17", Der{0x30, 2, 0xa2, 0}); }},
      {ParseCode::string_malformed, "a DNS name that is not ASCII",
       [] { return with_extension("2.5.29.17", Der{0x30, 3, 0x82, 1, 0xff}); }},
      {ParseCode::object_identifier_malformed, "a registered identifier that is none",
       [] { return with_extension("2.5.29.17", Der{0x30, 2, 0x88, 0}); }},
      {ParseCode::sequence_empty, "empty name constraints", [] { return with_extension("2.5.29.30", Der{0x30, 0}); }},
      {ParseCode::sequence_empty, "name constraints without a subtree",
       [] { return with_extension("2.5.29.30", Der{0x30, 2, 0xa0, 0}); }},
      {ParseCode::integer_out_of_range, "a negative minimum",
       [] { return with_extension("2.5.29.30", Der{0x30, 9, 0xa0, 7, 0x30, 5, 0x82, 0, 0x80, 1, 0x80}); }},
      {ParseCode::sequence_empty, "a policy with no qualifier in its list",
       [] { return with_extension("2.5.29.32", Der{0x30, 8, 0x30, 6, 6, 2, 0x2a, 3, 0x30, 0}); }},
      {ParseCode::truncated, "a qualifier without a value",
       [] {
         return with_extension("2.5.29.32", Der{0x30, 14, 0x30, 12, 6, 2, 0x2a, 3, 0x30, 6, 0x30, 4, 6, 2, 0x2a, 3});
       }},
      {ParseCode::too_many_policies, "129 policies",
       [] {
         der::Writer value;
         value.nest(der::kSequence, [&] {
           for (std::uint8_t i = 0; i < 129; ++i) {
             const Der oid = {0x2a, static_cast<std::uint8_t>(i / 16), static_cast<std::uint8_t>(i % 16)};
             value.nest(der::kSequence, [&] { value.object_identifier(Bytes(oid)); });
           }
         });
         return with_extension("2.5.29.32", value.view());
       }},
      {ParseCode::sequence_empty, "no policy", [] { return with_extension("2.5.29.32", Der{0x30, 0}); }},
      {ParseCode::sequence_empty, "empty policy constraints", [] { return with_extension("2.5.29.36", Der{0x30, 0}); }},
      {ParseCode::unexpected_tag, "policy mappings that are none",
       [] { return with_extension("2.5.29.33", Der{0x30, 2, 5, 0}); }},
      {ParseCode::unexpected_tag, "an inhibition that is not a number",
       [] { return with_extension("2.5.29.54", Der{5, 0}); }},
      {ParseCode::sequence_empty, "no distribution point", [] { return with_extension("2.5.29.31", Der{0x30, 0}); }},
      {ParseCode::sequence_empty, "no access description",
       [] { return with_extension("1.3.6.1.5.5.7.1.1", Der{0x30, 0}); }},
      {ParseCode::trailing_data, "a byte behind a key identifier",
       [] { return with_extension("2.5.29.14", Der{4, 0, 0}); }},
      {ParseCode::unexpected_tag, "an authority key identifier that is none",
       [] { return with_extension("2.5.29.35", Der{4, 0}); }},
  };
  return all;
}

TEST(Certificate, RefusesEachFaultForItsOwnReason) {
  for (const Fault& fault : faults()) {
    const Der der = fault.make();
    const auto parsed = Certificate::parse(der);
    ASSERT_FALSE(parsed) << fault.what;
    EXPECT_EQ(parsed.error().code, fault.code) << fault.what << ": " << parsed.error().text();
    EXPECT_FALSE(explanation(parsed.error().code).empty()) << name(parsed.error().code);
    EXPECT_LE(parsed.error().offset, der.size()) << fault.what;
  }
}

TEST(Certificate, DefaultsMayBeWrittenOut) {
  // cA FALSE, a minimum of 0, critical FALSE.
  const Der ca_false = with_extension("2.5.29.19", Der{0x30, 3, 1, 1, 0});
  const auto parsed = Certificate::parse(ca_false);
  ASSERT_TRUE(parsed) << parsed.error().text();
  ASSERT_TRUE(parsed->basic_constraints());
  EXPECT_FALSE(parsed->is_ca());
  const Der minimum = with_extension("2.5.29.30", Der{0x30, 9, 0xa0, 7, 0x30, 5, 0x82, 0, 0x80, 1, 0});
  EXPECT_TRUE(Certificate::parse(minimum));
  const Der critical = raw([](RawCertificate& c) { c.extensions = {0x30, 9, 6, 2, 0x2a, 3, 1, 1, 0, 4, 0}; });
  const auto not_critical = Certificate::parse(critical);
  ASSERT_TRUE(not_critical) << not_critical.error().text();
  EXPECT_FALSE((*not_critical->extensions().begin()).critical);
  EXPECT_FALSE(not_critical->has_unknown_critical_extension());
}

TEST(Certificate, KeysThatAreNotKnownHaveNoType) {
  for (const Der& info :
       {key_info(oid::kDsa, true, Der{2, 1, 1}), key_info(oid::kEd25519, true, Der(32, 1)),
        key_info(oid::kEcPublicKey, false, Der(65, 4)), key_info(oid::kEcPublicKey, true, Der(65, 4))}) {
    const auto parsed = PublicKey::parse(info);
    ASSERT_TRUE(parsed) << parsed.error().text();
    EXPECT_FALSE(parsed->type);
  }
}

TEST(Certificate, EveryTruncationIsAnError) {
  for (const Der& der :
       {full_certificate(),
        Authority(Authority("Root"), key("CA"), make("CN=CA").ca(3).permit_dns("example.com")).certificate}) {
    for (std::size_t size = 0; size < der.size(); ++size) {
      const Der cut(der.begin(), der.begin() + static_cast<std::ptrdiff_t>(
                                                   size));  // of its own, so that a sanitizer sees a byte too far
      const auto parsed = Certificate::parse(cut);
      ASSERT_FALSE(parsed) << size;
      EXPECT_EQ(parsed.error().code, ParseCode::truncated) << size;
    }
  }
}

/// Looks at everything that a certificate offers.
std::size_t exercise(const Certificate& certificate) {
  std::size_t sum =
      certificate.text().size() + certificate.subject().text().size() + certificate.issuer().common_name().size();
  for (const GeneralName& alternative : certificate.alternative_names()) sum += alternative.text().size();
  for (const Extension& extension : certificate.extensions())
    sum += extension.value.size() + oid_text(extension.oid).size();
  sum += matches(certificate, PeerName::dns("www.example.com").value()) ? 1U : 0U;
  sum += certificate.subject().hash() == 0 ? 1U : 0U;
  return sum;
}

TEST(Certificate, EverySingleByteChangeIsHandled) {
  const Authority root("Root");
  const Authority ca(root, key("CA"), make("CN=CA").ca(3).permit_dns("example.com"));
  const Der leaf_der = ca.issue(leaf());
  Question ask;
  ask.trust(root.certificate);
  std::size_t parsed_count = 0;
  // The signature's bytes at the end change nothing of the structure; a few of them suffice.
  for (const bool of_leaf : {true, false}) {
    const Der& original = of_leaf ? leaf_der : ca.certificate;
    for (std::size_t at = 0; at < original.size(); ++at) {
      Der changed = original;
      for (const int step : {1, 0x80, 0xff}) {
        changed[at] = static_cast<std::uint8_t>(original[at] + step);
        const auto parsed = Certificate::parse(changed);
        if (!parsed) continue;
        ++parsed_count;
        EXPECT_GT(exercise(*parsed), 0U);
        // What still parses must not verify: every byte of a certificate is signed, or is the signature.
        if (step != 1) continue;
        ask.chain = of_leaf ? std::vector{changed, ca.certificate} : std::vector{leaf_der, changed};
        const Verdict verdict = ask.ask();
        EXPECT_FALSE(verdict.ok()) << "byte " << at << " of " << (of_leaf ? "the leaf" : "the CA");
      }
    }
  }
  EXPECT_GT(parsed_count, 100U);
}

TEST(Certificate, EveryParseCodeIsProvoked) {
  // Those of the DER reader alone have their tests in der_test.cpp.
  std::set<ParseCode> provoked = {ParseCode::indefinite_length,     ParseCode::length_not_minimal,
                                  ParseCode::length_too_large,      ParseCode::high_tag_number,
                                  ParseCode::boolean_not_canonical, ParseCode::time_malformed,
                                  ParseCode::set_malformed};
  for (const Fault& fault : faults()) provoked.insert(fault.code);
  for (unsigned code = 0; code <= static_cast<unsigned>(ParseCode::too_large); ++code) {
    EXPECT_TRUE(provoked.contains(static_cast<ParseCode>(code))) << name(static_cast<ParseCode>(code));
    EXPECT_FALSE(name(static_cast<ParseCode>(code)).empty());
    EXPECT_FALSE(explanation(static_cast<ParseCode>(code)).empty());
  }
}

}  // namespace
}  // namespace lockstep::x509::test
