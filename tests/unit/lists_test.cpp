#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <lockstep/lists.hpp>

namespace lockstep {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr auto kTls13 = ProtocolVersion::tls_1_3;

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
}

TEST(Lists, LeadWithTheHybrid) {
  EXPECT_EQ(groups(kTls13, ListKind::by_default).front(), NamedGroup::x25519mlkem768);
  EXPECT_EQ(groups(kTls13).size(), known_groups().size());
}

TEST(Lists, KeepCertificateSchemesApart) {
  for (const SignatureScheme scheme : schemes(kTls13)) EXPECT_FALSE(parts(scheme)->certificates_only);
  EXPECT_LT(schemes(kTls13).size(), known_schemes().size());
}

TEST(Lists, AreReadFromText) {
  EXPECT_THAT(suites_from_text("TLS_AES_256_GCM_SHA384:tls_aes_128_gcm_sha256").value(),
              ElementsAre(CipherSuite::tls_aes_256_gcm_sha384, CipherSuite::tls_aes_128_gcm_sha256));
  EXPECT_THAT(suites_from_text("DEFAULT:-TLS_AES_128_GCM_SHA256, TLS_AES_128_CCM_SHA256").value(),
              ElementsAre(CipherSuite::tls_aes_256_gcm_sha384, CipherSuite::tls_chacha20_poly1305_sha256,
                          CipherSuite::tls_aes_128_ccm_sha256));
  EXPECT_EQ(suites_from_text("all").value(), suites(kTls13));
  EXPECT_THAT(suites_from_text(" : ").value(), IsEmpty());
  EXPECT_THAT(groups_from_text("X25519 P-256").value(), ElementsAre(NamedGroup::x25519, NamedGroup::secp256r1));
  EXPECT_THAT(schemes_from_text("ed25519").value(), ElementsAre(SignatureScheme::ed25519));
}

TEST(Lists, SayWhatIsNotUnderstood) {
  const auto error = groups_from_text("X25519:P-257").error();
  EXPECT_EQ(error.item, "P-257");
  EXPECT_THAT(error.text(), HasSubstr("'P-257'"));
  EXPECT_THAT(error.text(), HasSubstr("X25519MLKEM768"));
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
