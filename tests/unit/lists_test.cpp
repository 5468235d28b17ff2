#include <string>
#include <string_view>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <lockstep/lists.hpp>
#include <lockstep/method.hpp>
#include <lockstep/version.hpp>

namespace lockstep {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr auto kTls13 = ProtocolVersion::tls_1_3;
constexpr auto kTls12 = ProtocolVersion::tls_1_2;

/// OpenSSL's names of the suites of TLS 1.2 in the list, as "openssl ciphers" prints them.
std::string older(std::string_view text) {
  std::string names;
  const auto list = suites_from_text(text).value();
  for (const CipherSuite suite : list) {
    if (parts(suite)->version == kTls12) names += (names.empty() ? "" : ":") + std::string(openssl_name(suite));
  }
  return names;
}

TEST(Lists, HaveSuitesByKind) {
  EXPECT_EQ(suites(kTls13).size(), 5U);
  EXPECT_THAT(suites(kTls13, ListKind::by_default),
              ElementsAre(CipherSuite::tls_aes_128_gcm_sha256, CipherSuite::tls_aes_256_gcm_sha384,
                          CipherSuite::tls_chacha20_poly1305_sha256));
  EXPECT_THAT(suites(kTls13, ListKind::opt_in),
              ElementsAre(CipherSuite::tls_aes_128_ccm_sha256, CipherSuite::tls_aes_128_ccm_8_sha256));
  EXPECT_THAT(suites(kTls13, ListKind::insecure), ElementsAre(CipherSuite::tls_aes_128_ccm_8_sha256));
  EXPECT_THAT(suites(kTls13, ListKind::anonymous), IsEmpty());
  EXPECT_THAT(suites(ProtocolVersion::tls_1_1), IsEmpty());
  EXPECT_THAT(versions(), ElementsAre(kTls13, kTls12));
}

TEST(Lists, HaveSuitesOfTls12ByKind) {
  EXPECT_THAT(suites(kTls12, ListKind::by_default),
              ElementsAre(CipherSuite::tls_ecdhe_ecdsa_with_aes_128_gcm_sha256,
                          CipherSuite::tls_ecdhe_rsa_with_aes_128_gcm_sha256,
                          CipherSuite::tls_ecdhe_ecdsa_with_aes_256_gcm_sha384,
                          CipherSuite::tls_ecdhe_rsa_with_aes_256_gcm_sha384,
                          CipherSuite::tls_ecdhe_ecdsa_with_chacha20_poly1305_sha256,
                          CipherSuite::tls_ecdhe_rsa_with_chacha20_poly1305_sha256));
  const auto all = suites(kTls12);
  EXPECT_EQ(all.size(), 77U);
  EXPECT_EQ(suites(kTls12, ListKind::opt_in).size(), 71U);
  EXPECT_THAT(suites(kTls12, ListKind::anonymous), IsEmpty());
  const auto insecure = suites(kTls12, ListKind::insecure);
  EXPECT_EQ(insecure.size(), 55U);
  // They come last.
  EXPECT_TRUE(std::ranges::equal(insecure, std::span(all).last(insecure.size())));
  EXPECT_EQ(all.front(), suites(kTls12, ListKind::by_default).front());
}

TEST(Lists, HaveWhatTls12CanUse) {
  EXPECT_THAT(groups(kTls12),
              ElementsAre(NamedGroup::x25519, NamedGroup::secp256r1, NamedGroup::secp384r1, NamedGroup::x448,
                          NamedGroup::secp521r1, NamedGroup::brainpoolP256r1, NamedGroup::brainpoolP384r1,
                          NamedGroup::brainpoolP512r1, NamedGroup::ffdhe2048, NamedGroup::ffdhe3072,
                          NamedGroup::ffdhe4096, NamedGroup::ffdhe6144, NamedGroup::ffdhe8192));
  EXPECT_THAT(groups(kTls12, ListKind::by_default),
              ElementsAre(NamedGroup::x25519, NamedGroup::secp256r1, NamedGroup::secp384r1, NamedGroup::secp521r1,
                          NamedGroup::x448));
  EXPECT_THAT(
      schemes(kTls12),
      ElementsAre(SignatureScheme::ecdsa_secp256r1_sha256, SignatureScheme::ed25519,
                  SignatureScheme::ecdsa_secp384r1_sha384, SignatureScheme::ecdsa_secp521r1_sha512,
                  SignatureScheme::ed448, SignatureScheme::rsa_pss_rsae_sha256, SignatureScheme::rsa_pss_rsae_sha384,
                  SignatureScheme::rsa_pss_rsae_sha512, SignatureScheme::rsa_pss_pss_sha256,
                  SignatureScheme::rsa_pss_pss_sha384, SignatureScheme::rsa_pss_pss_sha512,
                  SignatureScheme::rsa_pkcs1_sha256, SignatureScheme::rsa_pkcs1_sha384,
                  SignatureScheme::rsa_pkcs1_sha512, SignatureScheme::ecdsa_sha1, SignatureScheme::rsa_pkcs1_sha1));
  EXPECT_THAT(schemes(kTls12, ListKind::insecure),
              ElementsAre(SignatureScheme::ecdsa_sha1, SignatureScheme::rsa_pkcs1_sha1));
  EXPECT_EQ(schemes(kTls12, ListKind::insecure), schemes(kTls12, ListKind::opt_in));
  EXPECT_THAT(schemes(kTls13, ListKind::insecure), IsEmpty());
  EXPECT_THAT(schemes_from_text("ALL").value(), ::testing::Not(::testing::Contains(SignatureScheme::ecdsa_sha1)));
  EXPECT_THAT(schemes_from_text("ECDSA+SHA1:rsa_pkcs1_sha1").value(),
              ElementsAre(SignatureScheme::ecdsa_sha1, SignatureScheme::rsa_pkcs1_sha1));
}

TEST(Lists, LeadWithTheHybrid) {
  EXPECT_EQ(groups(kTls13, ListKind::by_default).front(), NamedGroup::x25519mlkem768);
  EXPECT_EQ(groups(kTls13).size() + 3, known_groups().size()) << "brainpool's of TLS 1.2";
}

TEST(Lists, KeepCertificateSchemesApart) {
  for (const SignatureScheme scheme : schemes(kTls13)) EXPECT_FALSE(parts(scheme)->certificates_only);
  EXPECT_LT(schemes(kTls13).size(), known_schemes().size());
}

TEST(Versions, AreKnownAtRunTime) {
  EXPECT_EQ(library_version(), LOCKSTEP_VERSION);
  EXPECT_THAT(versions(), ElementsAre(kTls13, kTls12));
}

TEST(Methods, SayVersionsAsNodeDoes) {
  const auto versions_of = [](std::string_view name) {
    const auto method = method_from_name(name).value();
    return std::pair(method.min, method.max);
  };
  const auto alone = std::pair(ProtocolVersion::tls_1_2, ProtocolVersion::tls_1_2);
  EXPECT_EQ(versions_of("TLS_method"), std::pair(ProtocolVersion::tls_1_2, ProtocolVersion::tls_1_3));
  EXPECT_EQ(versions_of("TLSv1_2_method"), alone);
  EXPECT_EQ(versions_of("SSLv23_method"), alone);
  EXPECT_EQ(method_from_name("TLS_client_method")->role, Role::client);
  EXPECT_EQ(method_from_name("TLSv1_2_server_method")->role, Role::server);
  EXPECT_EQ(method_from_name("TLS_method")->role, std::nullopt);
  EXPECT_THAT(method_from_name("TLSv1_method").error(), HasSubstr("TLSv1.0 is not spoken"));
  EXPECT_THAT(method_from_name("SSLv3_client_method").error(), HasSubstr("SSLv3 is not spoken"));
  for (const std::string_view name : {"", "_method", "TLSv1_3_method", "tls_method", "TLS_method ", "TLS"})
    EXPECT_THAT(method_from_name(name).error(), HasSubstr("no method has this name")) << name;
}

TEST(Lists, AreReadFromText) {
  EXPECT_THAT(suites_from_text("TLS_AES_256_GCM_SHA384:tls_aes_128_gcm_sha256").value(),
              ElementsAre(CipherSuite::tls_aes_256_gcm_sha384, CipherSuite::tls_aes_128_gcm_sha256));
  EXPECT_THAT(suites_from_text("TLSv1.3:-TLS_AES_128_GCM_SHA256, TLS_AES_128_CCM_8_SHA256").value(),
              ElementsAre(CipherSuite::tls_aes_256_gcm_sha384, CipherSuite::tls_chacha20_poly1305_sha256,
                          CipherSuite::tls_aes_128_ccm_sha256, CipherSuite::tls_aes_128_ccm_8_sha256));
  EXPECT_EQ(suites_from_text("DEFAULT").value(),
            append<CipherSuite>(suites(kTls13, ListKind::by_default), suites(kTls12, ListKind::by_default)));
  EXPECT_EQ(suites_from_text("all").value(), append<CipherSuite>(suites(kTls13), suites(kTls12)));
  EXPECT_THAT(suites_from_text(" : ").value(), IsEmpty());
  EXPECT_THAT(groups_from_text("X25519 P-256").value(), ElementsAre(NamedGroup::x25519, NamedGroup::secp256r1));
  EXPECT_EQ(groups_from_text("auto").value(), groups(kTls13, ListKind::by_default));
  EXPECT_EQ(groups_from_text("P-256:DEFAULT").value().front(), NamedGroup::secp256r1) << "where it is first named";
  EXPECT_THAT(
      schemes_from_text("ed25519;RSA+SHA384 PSS+SHA256").value(),
      ElementsAre(SignatureScheme::ed25519, SignatureScheme::rsa_pkcs1_sha384, SignatureScheme::rsa_pss_rsae_sha256));
}

TEST(Lists, SayWhatIsNotUnderstood) {
  const auto error = groups_from_text("X25519:P-257").error();
  EXPECT_EQ(error.item, "P-257");
  EXPECT_THAT(error.text(), HasSubstr("'P-257'"));
  EXPECT_THAT(error.text(), HasSubstr("X25519MLKEM768"));
}

// The same suites as those of OpenSSL 3.5.9, of what both have; the order is ours.
TEST(Lists, ReadWhatOpensslReads) {
  EXPECT_EQ(older("ECDHE+AESGCM"),
            "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
            "ECDHE-RSA-AES256-GCM-SHA384");
  EXPECT_EQ(older("EECDH+AESGCM:EDH+AESGCM:AES256+EECDH:AES256+EDH"),
            "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
            "ECDHE-RSA-AES256-GCM-SHA384:DHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES256-GCM-SHA384:"
            "ECDHE-ECDSA-AES256-CCM:ECDHE-ECDSA-AES256-CCM8:ECDHE-ECDSA-AES256-SHA384:ECDHE-RSA-AES256-SHA384:"
            "ECDHE-ECDSA-AES256-SHA:ECDHE-RSA-AES256-SHA:DHE-RSA-AES256-CCM:DHE-RSA-AES256-CCM8:"
            "DHE-RSA-AES256-SHA256:DHE-RSA-AES256-SHA");
  EXPECT_EQ(older("HIGH:!aNULL:!kRSA:!PSK:!SRP:!MD5:!RC4:!CBC:!AESCCM"),
            "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
            "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:"
            "DHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES256-GCM-SHA384:DHE-RSA-CHACHA20-POLY1305");
  EXPECT_EQ(older("MEDIUM+aECDSA"), "ECDHE-ECDSA-AES128-CCM8:ECDHE-ECDSA-AES256-CCM8");
  EXPECT_EQ(older("kRSA+AES:-CBC"),
            "AES128-GCM-SHA256:AES256-GCM-SHA384:AES128-CCM:AES256-CCM:AES128-CCM8:AES256-CCM8");
  EXPECT_EQ(older("AESGCM+kRSA:+AES128"), "AES256-GCM-SHA384:AES128-GCM-SHA256");
  EXPECT_EQ(older("CHACHA20+aPSK:kRSA+AESGCM:-kDHEPSK:@STRENGTH"),
            "ECDHE-PSK-CHACHA20-POLY1305:PSK-CHACHA20-POLY1305:AES256-GCM-SHA384:AES128-GCM-SHA256");
  EXPECT_EQ(older("SHA384+aRSA"), "ECDHE-RSA-AES256-SHA384:RSA-PSK-AES256-CBC-SHA384");
  EXPECT_EQ(older("SHA256+DHE"), "DHE-RSA-AES128-SHA256:DHE-RSA-AES256-SHA256");
  EXPECT_EQ(older("SSLv3+kRSA"), "AES128-SHA:AES256-SHA");
  EXPECT_EQ(older("TLSv1+ECDSA"), "ECDHE-ECDSA-AES128-SHA:ECDHE-ECDSA-AES256-SHA");
  EXPECT_EQ(older("TLSv1.2+RSA+SHA1:TLSv1.2+RSA+SHA256"), "AES128-SHA256:AES256-SHA256");
  EXPECT_EQ(older("ECDHE+kRSA"), "") << "no suite has both";
}

TEST(Lists, TakeOutForGoodOrForNow) {
  EXPECT_EQ(older("kRSA+AESGCM:!AES128:AES128-GCM-SHA256"), "AES256-GCM-SHA384");
  EXPECT_EQ(older("kRSA+AESGCM:-AES128:AES128-GCM-SHA256"), "AES256-GCM-SHA384:AES128-GCM-SHA256");
  EXPECT_EQ(older("-AES128-SHA:AES128-SHA"), "AES128-SHA");
  EXPECT_EQ(older("AES128-SHA:AES256-SHA:AES128-SHA"), "AES128-SHA:AES256-SHA");
}

// "openssl ciphers -s -psk" gives the same.
TEST(Lists, RestrictSuitesToASecurityLevel) {
  constexpr std::string_view kOfEachKind =
      "ECDHE-ECDSA-AES128-CCM8:AES128-GCM-SHA256:PSK-AES256-GCM-SHA384:ECDHE-RSA-AES128-GCM-SHA256:"
      "DHE-PSK-AES256-CBC-SHA:ECDHE-RSA-AES256-GCM-SHA384";
  const auto at = [&](char level) { return older(std::string(kOfEachKind) + "@SECLEVEL=" + level); };
  EXPECT_EQ(at('0'), kOfEachKind);
  EXPECT_EQ(at('1'), kOfEachKind.substr(kOfEachKind.find(':') + 1));
  EXPECT_EQ(at('2'), at('1'));
  EXPECT_EQ(at('3'), "ECDHE-RSA-AES128-GCM-SHA256:DHE-PSK-AES256-CBC-SHA:ECDHE-RSA-AES256-GCM-SHA384");
  EXPECT_EQ(at('4'), "ECDHE-RSA-AES256-GCM-SHA384");
  EXPECT_EQ(at('5'), "ECDHE-RSA-AES256-GCM-SHA384");
  EXPECT_EQ(suites_from_text("@SECLEVEL=5 TLSv1.3").value(),
            (std::vector{CipherSuite::tls_aes_256_gcm_sha384, CipherSuite::tls_chacha20_poly1305_sha256}));
  for (const char* wrong : {"@SECLEVEL=6", "@SECLEVEL=", "@SECLEVEL=10", "@SECLEVEL", "@SALT", "ALL@"})
    EXPECT_FALSE(suites_from_text(wrong)) << wrong;
}

TEST(Lists, HaveTls13WhereNothingIsSaidOfIt) {
  const auto leading = suites(kTls13, ListKind::by_default);
  EXPECT_EQ(suites_from_text("AES128-SHA").value(),
            append<CipherSuite>(leading, std::vector{CipherSuite::tls_rsa_with_aes_128_cbc_sha}));
  EXPECT_EQ(suites_from_text("ECDHE+AESGCM:!AES").value(), leading) << "no word touches them";
  EXPECT_EQ(suites_from_text("AES128-SHA:TLS_AES_128_GCM_SHA256").value(),
            (std::vector{CipherSuite::tls_rsa_with_aes_128_cbc_sha, CipherSuite::tls_aes_128_gcm_sha256}));
  EXPECT_EQ(suites_from_text("AES128-SHA:!TLSv1.3").value(), std::vector{CipherSuite::tls_rsa_with_aes_128_cbc_sha});
  EXPECT_THAT(suites_from_text("!TLS_AES_128_GCM_SHA256").value(), IsEmpty()) << "nothing is added";
}

TEST(Lists, SayWhichWordIsNotUnderstood) {
  for (const std::string_view wrong : {"BLOWFISH", "ECDHE+BLOWFISH", "!ECDHE+", "+", "TLS_FALLBACK_SCSV"}) {
    const auto list = suites_from_text("ALL:" + std::string(wrong));
    ASSERT_FALSE(list) << wrong;
    EXPECT_EQ(list.error().item, wrong);
    EXPECT_THAT(list.error().text(), HasSubstr("AESGCM"));
    EXPECT_THAT(list.error().text(), HasSubstr("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"));
  }
}

// The grammar is BoringSSL's.
TEST(Lists, HaveRanksInBrackets) {
  constexpr auto k128 = CipherSuite::tls_ecdhe_rsa_with_aes_128_gcm_sha256;
  constexpr auto k256 = CipherSuite::tls_ecdhe_rsa_with_aes_256_gcm_sha384;
  constexpr auto kChaCha20 = CipherSuite::tls_ecdhe_rsa_with_chacha20_poly1305_sha256;
  const auto ranks = [](std::string_view text) {
    return ranked_suites_from_text("TLSv1.3:!TLSv1.3:" + std::string(text));
  };
  EXPECT_EQ(ranks("[ECDHE-RSA-AES256-GCM-SHA384|ECDHE-RSA-CHACHA20-POLY1305]:ECDHE-RSA-AES128-GCM-SHA256").value(),
            (RankedSuites{{k256, kChaCha20}, {k128}}));
  EXPECT_EQ(ranks("[AESGCM+ECDHE+aRSA|CHACHA20+ECDHE+aRSA]").value(), (RankedSuites{{k128, k256, kChaCha20}}));
  EXPECT_EQ(ranks("AESGCM+ECDHE+aRSA").value(), (RankedSuites{{k128}, {k256}})) << "without brackets none are equal";
  EXPECT_EQ(ranks("ECDHE-RSA-AES128-GCM-SHA256:[AESGCM+ECDHE+aRSA]").value(), (RankedSuites{{k128}, {k256}}))
      << "what is there already stays where it is";
  EXPECT_EQ(ranks("!AES256:[AESGCM+ECDHE+aRSA|CHACHA20+ECDHE+aRSA]").value(), (RankedSuites{{k128, kChaCha20}}));
  EXPECT_EQ(ranks("[ECDHE-RSA-AES128-SHA|AESGCM+ECDHE+aRSA]@SECLEVEL=4").value(), (RankedSuites{{k256}}));
  EXPECT_EQ(ranked_suites_from_text("[TLS_AES_128_GCM_SHA256|TLS_CHACHA20_POLY1305_SHA256]").value(),
            (RankedSuites{{CipherSuite::tls_aes_128_gcm_sha256, CipherSuite::tls_chacha20_poly1305_sha256}}));
  // Ranks are neither moved nor sorted, nor nested.
  for (const std::string_view wrong :
       {"-AES128", "!AES128", "+AES128", "@STRENGTH", "[", "[]", "[AES128", "AES128]", "[AES128|]", "[[AES128]]"}) {
    const auto list = ranks("[AESGCM|CHACHA20]:" + std::string(wrong));
    ASSERT_FALSE(list) << wrong;
    EXPECT_EQ(list.error().item, wrong);
    EXPECT_THAT(list.error().text(), HasSubstr("[ECDHE|DHE]"));
  }
  EXPECT_EQ(suites_from_text("AES128:[AESGCM|CHACHA20]").error().item, "[AESGCM|CHACHA20]") << "a list has no ranks";
}

TEST(Lists, CanBeFilteredAndExtended) {
  const auto with_sha384 =
      filter(suites(kTls13), [](CipherSuite suite) { return parts(suite)->hash == HashAlgorithm::sha384; });
  EXPECT_THAT(with_sha384, ElementsAre(CipherSuite::tls_aes_256_gcm_sha384));
  const std::vector<NamedGroup> list{NamedGroup::x25519, NamedGroup::secp256r1};
  EXPECT_THAT(prepend<NamedGroup>({NamedGroup::secp256r1}, list),
              ElementsAre(NamedGroup::secp256r1, NamedGroup::x25519));
  const std::vector last{NamedGroup::x25519};
  EXPECT_THAT(append<NamedGroup>(list, last), ElementsAre(NamedGroup::secp256r1, NamedGroup::x25519));
}

}  // namespace
}  // namespace lockstep
