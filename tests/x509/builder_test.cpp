// Certificates made in memory; what they hold is checked in certificate_test.cpp, that they verify in verify_test.cpp.

#include <set>

#include "pki.hpp"

namespace lockstep::x509::test {
namespace {

class NoRandom final : public RandomSource {
 public:
  bool fill(MutableBytes) noexcept override { return false; }
};

/// A key that cannot sign, or has no scheme.
class BadKey final : public SigningKey {
 public:
  explicit BadKey(bool has_scheme) : has_scheme_(has_scheme) {}
  KeyType type() const noexcept override { return KeyType::ed25519; }
  Bytes subject_public_key_info() const noexcept override { return key("leaf")->subject_public_key_info(); }
  std::span<const SignatureScheme> schemes() const noexcept override {
    static constexpr std::array kSchemes = {SignatureScheme::ed25519};
    return has_scheme_ ? std::span<const SignatureScheme>(kSchemes) : std::span<const SignatureScheme>();
  }
  std::size_t sign(SignatureScheme, Bytes, RandomSource&, MutableBytes) const noexcept override { return 0; }

 private:
  bool has_scheme_;
};

CertificateBuilder::Result self_signed(const CertificateBuilder& builder) {
  return builder.self_signed(provider(), *key("leaf"), random_source());
}

TEST(Builder, ReportsEachFault) {
  const std::array<std::uint8_t, 5> five{};
  NoRandom no_random;
  const Authority root("Root");
  struct Fault {
    BuildError error;
    std::string_view what;
    CertificateBuilder::Result result;
  };
  const std::vector<Fault> faults = {
      {BuildError::subject_malformed, "no attribute", self_signed(make("example.com"))},
      {BuildError::subject_malformed, "an unknown attribute", self_signed(make("XY=example.com"))},
      {BuildError::subject_malformed, "not UTF-8", self_signed(make("CN=\xff"))},
      {BuildError::subject_malformed, "a country that is not printable", self_signed(make("C=\xc3\xa9"))},
      {BuildError::name_malformed, "a host name with a space", self_signed(make("CN=x").dns("a b"))},
      {BuildError::name_malformed, "a wildcard for a whole domain", self_signed(make("CN=x").dns("*.com"))},
      {BuildError::name_malformed, "an address of five bytes", self_signed(make("CN=x").ip(five))},
      {BuildError::name_malformed, "a mailbox without a host", self_signed(make("CN=x").email("me"))},
      {BuildError::name_malformed, "a URI without a scheme", self_signed(make("CN=x").uri("example"))},
      {BuildError::name_malformed, "a constraint with a wildcard", self_signed(make("CN=x").permit_dns("*"))},
      {BuildError::name_malformed, "a network of five bytes", self_signed(make("CN=x").exclude_ip(five))},
      {BuildError::oid_malformed, "an extension without an identifier",
       self_signed(make("CN=x").extension("x", false, {}))},
      {BuildError::validity_malformed, "no validity", self_signed(CertificateBuilder("CN=x"))},
      {BuildError::validity_malformed, "an end before the beginning", self_signed(make("CN=x").validity(2, 1))},
      {BuildError::validity_malformed, "the year 10000", self_signed(make("CN=x").validity(0, 253'402'300'800))},
      {BuildError::issuer_malformed, "an issuer that does not parse",
       make("CN=x").issued_by(provider(), five, *key("Root"), key("leaf")->subject_public_key_info(), random_source())},
      {BuildError::issuer_malformed, "an issuer of another key",
       make("CN=x").issued_by(provider(), root.certificate, *key("leaf"), key("leaf")->subject_public_key_info(),
                              random_source())},
      {BuildError::scheme_unsupported, "a scheme that the key has not",
       self_signed(make("CN=x").scheme(SignatureScheme::ed25519))},
      {BuildError::scheme_unsupported, "a key without schemes",
       make("CN=x").self_signed(provider(), BadKey(false), random_source())},
      {BuildError::sign_failed, "a key that does not sign",
       make("CN=x").self_signed(provider(), BadKey(true), random_source())},
      {BuildError::random_failed, "no randomness", make("CN=x").self_signed(provider(), *key("leaf"), no_random)},
      {BuildError::no_hash, "a provider without SHA-256",
       make("CN=x").self_signed(Provider{}, *key("leaf"), random_source())},
  };
  std::set<BuildError> seen;
  for (const Fault& fault : faults) {
    ASSERT_FALSE(fault.result) << fault.what;
    EXPECT_EQ(fault.result.error(), fault.error) << fault.what << ": " << name(fault.result.error());
    EXPECT_FALSE(explanation(fault.error).empty());
    seen.insert(fault.error);
  }
  EXPECT_EQ(seen.size(), 9U) << "every error is provoked";
}

TEST(Builder, SubjectsAreWrittenAsTold) {
  const auto subject = [](std::string_view text) {
    const Der der = built(self_signed(make(text).dns("example.com")));
    return Certificate::parse(der).value().subject().text();
  };
  EXPECT_EQ(subject("CN=example.com"), "CN=example.com");
  EXPECT_EQ(subject(" cn = example.com ,o=A\\, B"), "CN=example.com, O=A\\, B");
  EXPECT_EQ(subject("C=DE, ST=BY, L=M\xc3\xbcnchen, OU=x, DC=y, serialNumber=7, emailAddress=a@b.c"),
            "C=DE, ST=BY, L=M\xc3\xbcnchen, OU=x, DC=y, serialNumber=7, emailAddress=a@b.c");
  EXPECT_EQ(subject(""), "");
}

TEST(Builder, AnEmptySubjectMakesTheAlternativeNamesCritical) {
  const Der der = built(self_signed(make("").dns("example.com")));
  EXPECT_TRUE(Certificate::parse(der).value().subject_alt_name()->critical);
  const Der other = built(self_signed(make("CN=x").dns("example.com")));
  EXPECT_FALSE(Certificate::parse(other).value().subject_alt_name()->critical);
}

TEST(Builder, AnExtensionReplacesItsOwnKind) {
  const Der value = {0x03, 2, 0, 0xff};
  const Der der = built(self_signed(leaf().extension("2.5.29.15", false, value)));
  const Certificate certificate = Certificate::parse(der).value();
  EXPECT_EQ(certificate.key_usage()->bits, 0xffU);
}

TEST(Builder, EveryKeyUsageIsWritten) {
  for (unsigned bit = 0; bit < 9; ++bit) {
    const Der der = built(self_signed(make("CN=x").key_usage({static_cast<KeyUsage>(bit)})));
    EXPECT_EQ(Certificate::parse(der).value().key_usage()->bits, 1U << bit);
  }
}

TEST(Builder, AServersRsaKeyMayEncipher) {
  const KeyLoader* const loader = provider().key_loader(KeyType::rsa);
  if (loader == nullptr) GTEST_SKIP() << "no RSA";
  const auto rsa = loader->load(loader->generate(KeyType::rsa, 2048, random_source()).value()).value();
  const auto enciphers = [](const CertificateBuilder& builder, const SigningKey& signer) {
    const Der der = built(builder.self_signed(provider(), signer, random_source()));
    return Certificate::parse(der).value().key_usage()->has(KeyUsage::key_encipherment);
  };
  EXPECT_TRUE(enciphers(make("CN=x").server(), *rsa));
  EXPECT_TRUE(enciphers(make("CN=x").server().client(), *rsa));
  EXPECT_FALSE(enciphers(make("CN=x").client(), *rsa));
  EXPECT_FALSE(enciphers(make("CN=x").server(), *key("leaf")));
  EXPECT_FALSE(enciphers(make("CN=x").server().key_usage({KeyUsage::digital_signature}), *rsa));
}

TEST(Builder, SerialNumbersArePositiveAndDiffer) {
  std::set<std::string> seen;
  for (int i = 0; i < 50; ++i) {
    const Der der = built(self_signed(make("CN=x")));
    const Certificate certificate = Certificate::parse(der).value();
    EXPECT_EQ(certificate.serial_number().size(), 16U);
    EXPECT_LT(certificate.serial_number()[0], 0x80U);
    EXPECT_TRUE(seen.insert(certificate.serial_number_text()).second);
  }
}

}  // namespace
}  // namespace lockstep::x509::test
