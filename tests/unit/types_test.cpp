// Values that everything shares: bytes, secrets, code points, their names and parts, and the look-ups of a provider.

#include <cctype>
#include <new>
#include <set>

#include <gtest/gtest.h>

#include <lockstep/provider.hpp>

namespace lockstep {
namespace {

TEST(Bytes, AreComparedByLengthAndContents) {
  EXPECT_TRUE(constant_time_equal(as_bytes("secret"), as_bytes("secret")));
  EXPECT_TRUE(constant_time_equal({}, {}));
  EXPECT_FALSE(constant_time_equal(as_bytes("secret"), as_bytes("secre")));
  for (std::size_t i = 0; i < 6; ++i) {
    for (unsigned bit = 0; bit < 8; ++bit) {
      std::array<std::uint8_t, 6> other{'s', 'e', 'c', 'r', 'e', 't'};
      other.at(i) = static_cast<std::uint8_t>(other.at(i) ^ (1U << bit));
      EXPECT_FALSE(constant_time_equal(as_bytes("secret"), other));
      EXPECT_FALSE(equal(as_bytes("secret"), other));
    }
  }
  EXPECT_TRUE(equal(as_bytes("a"), as_bytes("a")));
}

TEST(Secret, WipesItselfWhenDestroyed) {
  using Key = Secret<16>;
  alignas(Key) std::array<std::uint8_t, sizeof(Key)> place{};
  auto* key = new (place.data()) Key(as_bytes("0123456789abcdef"));
  EXPECT_FALSE(std::ranges::search(place, as_bytes("0123456789abcdef")).empty());
  key->~Key();
  // To the compiler the bytes of a dead object are undefined. It must not know that these are the same ones.
  const std::uint8_t* memory = place.data();
  __asm__ volatile("" : "+r"(memory) : : "memory");
  const Bytes left(memory, place.size());
  EXPECT_EQ(as_text(left).find_first_of("0123456789abcdef"), std::string_view::npos);
}

TEST(Secret, WipesWhatItGivesUp) {
  Secret<8> first(as_bytes("password"));
  Secret<8> second(std::move(first));
  EXPECT_TRUE(first.empty());  // NOLINT(bugprone-use-after-move): the moved-from state is what is tested
  first.resize(8);
  EXPECT_TRUE(std::ranges::all_of(first.view(), [](std::uint8_t byte) { return byte == 0; }));
  EXPECT_TRUE(equal(second.view(), as_bytes("password")));

  second.resize(4);
  second.resize(8);
  EXPECT_TRUE(equal(second.view(), as_bytes({"pass\0\0\0\0", 8})));
  Secret<8> third = second.clone();
  EXPECT_TRUE(equal(third.view(), second.view()));
  first = std::move(third);
  EXPECT_EQ(first.size(), 8U);
  EXPECT_TRUE(third.empty());  // NOLINT(bugprone-use-after-move)
}

TEST(Wipe, Zeroes) {
  std::array<std::uint8_t, 5> secret{1, 2, 3, 4, 5};
  wipe(MutableBytes(secret).first(4));
  EXPECT_EQ(secret, (std::array<std::uint8_t, 5>{0, 0, 0, 0, 5}));
  wipe({});
}

// --- code points -----------------------------------------------------------------------------------------------------

TEST(CodePoints, HaveTheirRegisteredNames) {
  EXPECT_EQ(name(ProtocolVersion::tls_1_3), "TLSv1.3");
  EXPECT_EQ(name(ContentType::application_data), "application_data");
  EXPECT_EQ(name(HandshakeType::encrypted_extensions), "encrypted_extensions");
  EXPECT_EQ(name(ExtensionType::application_layer_protocol_negotiation), "application_layer_protocol_negotiation");
  EXPECT_EQ(name(CipherSuite::tls_chacha20_poly1305_sha256), "TLS_CHACHA20_POLY1305_SHA256");
  EXPECT_EQ(openssl_name(CipherSuite::tls_aes_128_ccm_8_sha256), "TLS_AES_128_CCM_8_SHA256");
  EXPECT_EQ(name(NamedGroup::x25519mlkem768), "X25519MLKEM768");
  EXPECT_EQ(name(SignatureScheme::rsa_pss_rsae_sha256), "rsa_pss_rsae_sha256");
  EXPECT_EQ(name(AeadAlgorithm::aes_128_ccm_8), "AES-128-CCM-8");
  EXPECT_EQ(openssl_name(CipherSuite::tls_ecdhe_psk_with_aes_128_gcm_sha256), "TLS_ECDHE_PSK_WITH_AES_128_GCM_SHA256");
  EXPECT_EQ(name(AeadAlgorithm::aes_256_ccm), "AES-256-CCM");
  EXPECT_EQ(name(CbcAlgorithm::aes_256_cbc), "AES-256-CBC");
  EXPECT_EQ(name(MacAlgorithm::hmac_sha1), "HMAC-SHA-1");
  EXPECT_EQ(name(KeyExchangeMethod::ecdhe_psk), "ECDHE_PSK");
  EXPECT_EQ(name(SuiteAuthentication::ecdsa), "ECDSA");
  EXPECT_EQ(name(HashAlgorithm::sha384), "SHA-384");
  EXPECT_EQ(name(KeyType::ec_brainpoolP512r1), "EC brainpoolP512r1");
  EXPECT_EQ(name(SignatureAlgorithm::rsa_pss_sha512), "rsa_pss_sha512");
}

TEST(CodePoints, WithoutANameAreReadable) {
  EXPECT_TRUE(name(CipherSuite{0x1a2b}).empty());
  EXPECT_EQ(to_text(CipherSuite{0x1a2b}), "unknown 0x1a2b");
  EXPECT_EQ(to_text(NamedGroup{0x0a0a}), "unknown 0x0a0a");
  EXPECT_EQ(to_text(ContentType{0x19}), "unknown 0x19");
  EXPECT_EQ(unknown_code_point(0x01234567), "unknown 0x01234567");
  EXPECT_EQ(to_text(CipherSuite::tls_aes_128_gcm_sha256), "TLS_AES_128_GCM_SHA256");
}

template <class CodePoint, class FromName>
void expect_every_name_leads_back(std::span<const CodePoint> known, FromName from_name) {
  ASSERT_FALSE(known.empty());
  std::set<std::string_view> names;
  for (const CodePoint value : known) {
    const std::string_view text = name(value);
    EXPECT_TRUE(names.insert(text).second) << text;
    EXPECT_EQ(from_name(text), value) << text;
    std::string shouted(text);
    std::ranges::transform(shouted, shouted.begin(),
                           [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    EXPECT_EQ(from_name(shouted), value) << text;
    EXPECT_EQ(from_name(shouted + "x"), std::nullopt);
  }
  EXPECT_EQ(from_name(""), std::nullopt);
}

TEST(CodePoints, AreFoundByName) {
  expect_every_name_leads_back(known_suites(), suite_from_name);
  expect_every_name_leads_back(known_groups(), group_from_name);
  expect_every_name_leads_back(known_schemes(), scheme_from_name);
  EXPECT_EQ(known_suites().size(), 82U);
  EXPECT_EQ(known_groups().size(), 22U);
  EXPECT_EQ(known_schemes().size(), 22U);
  EXPECT_EQ(secure_schemes().size(), 20U);
}

TEST(CodePoints, AreFoundByTheNamesOfOthers) {
  EXPECT_EQ(suite_from_name("ecdhe-rsa-aes128-gcm-sha256"), CipherSuite::tls_ecdhe_rsa_with_aes_128_gcm_sha256);
  EXPECT_EQ(suite_from_name("AES256-SHA"), CipherSuite::tls_rsa_with_aes_256_cbc_sha);
  EXPECT_EQ(suite_from_name("DHE-PSK-AES128-CCM8"), CipherSuite::tls_psk_dhe_with_aes_128_ccm_8);
  std::set<std::string_view> names;
  for (const CipherSuite suite : known_suites()) {
    EXPECT_EQ(suite_from_name(openssl_name(suite)), suite) << name(suite);
    EXPECT_TRUE(names.insert(openssl_name(suite)).second) << name(suite);
  }
  EXPECT_EQ(group_from_name("p-256"), NamedGroup::secp256r1);
  EXPECT_EQ(group_from_name("prime256v1"), NamedGroup::secp256r1);
  EXPECT_EQ(group_from_name("ML-KEM-768"), NamedGroup::mlkem768);
  EXPECT_EQ(scheme_from_name("RSA-PSS+SHA256"), SignatureScheme::rsa_pss_rsae_sha256);
  EXPECT_EQ(scheme_from_name("ECDSA+SHA384"), SignatureScheme::ecdsa_secp384r1_sha384);
  EXPECT_EQ(scheme_from_name("rsa_pkcs1_sha1"), SignatureScheme::rsa_pkcs1_sha1);
}

TEST(Versions, HaveTheirRankByAge) {
  using enum ProtocolVersion;
  constexpr std::array kFromOldToNew{ProtocolVersion{0x0002}, ssl_3_0, tls_1_0, tls_1_1, tls_1_2, tls_1_3,
                                     ProtocolVersion{0x0305}};
  for (std::size_t i = 0; i < kFromOldToNew.size(); ++i)
    EXPECT_EQ(rank(kFromOldToNew[i]), static_cast<int>(i) - 1) << to_text(kFromOldToNew[i]);
  EXPECT_EQ(rank(ProtocolVersion{0x02ff}), -1);
  EXPECT_EQ(rank(ProtocolVersion{0xffff}), rank(ProtocolVersion{0x0305}));
}

TEST(CodePoints, OfGreaseAreTheSixteenOfRfc8701) {
  int count = 0;
  for (std::uint32_t value = 0; value <= 0xffff; ++value) count += is_grease(static_cast<std::uint16_t>(value)) ? 1 : 0;
  EXPECT_EQ(count, 16);
  EXPECT_TRUE(is_grease(0x0a0a));
  EXPECT_TRUE(is_grease(0xfafa));
  EXPECT_FALSE(is_grease(0x0a1a));
}

// --- parts -----------------------------------------------------------------------------------------------------------

TEST(Parts, OfSuites) {
  for (const CipherSuite suite : known_suites()) {
    const auto made_of = parts(suite);
    ASSERT_TRUE(made_of) << name(suite);
    EXPECT_EQ(made_of->suite, suite);
    // The name spells the parts: "TLS_AES_256_GCM_SHA384" holds both "AES_256_GCM" and "SHA384".
    EXPECT_EQ(made_of->hash == HashAlgorithm::sha384, name(suite).ends_with("_SHA384"));
    const auto spells = [&](std::string_view text) { return name(suite).find(text) != std::string_view::npos; };
    EXPECT_EQ(made_of->aead == AeadAlgorithm::aes_256_gcm, spells("_AES_256_GCM_")) << name(suite);
    EXPECT_EQ(made_of->aead == AeadAlgorithm::aes_128_ccm_8, spells("_AES_128_CCM_8")) << name(suite);
    EXPECT_EQ(made_of->aead == AeadAlgorithm::aes_256_ccm_8, spells("_AES_256_CCM_8")) << name(suite);
    EXPECT_EQ(made_of->aead == AeadAlgorithm::chacha20_poly1305, spells("_CHACHA20_POLY1305_")) << name(suite);
    EXPECT_NE(made_of->aead.has_value(), made_of->cbc.has_value()) << name(suite);
    EXPECT_EQ(made_of->cbc.has_value(), spells("_CBC_")) << name(suite);
    if (made_of->cbc) {
      EXPECT_EQ(made_of->cbc->cipher == CbcAlgorithm::aes_256_cbc, spells("_AES_256_CBC_")) << name(suite);
      EXPECT_EQ(made_of->cbc->mac == MacAlgorithm::hmac_sha1, name(suite).ends_with("_SHA")) << name(suite);
      EXPECT_EQ(made_of->cbc->mac == MacAlgorithm::hmac_sha384, name(suite).ends_with("_SHA384")) << name(suite);
    }
    EXPECT_EQ(made_of->version == ProtocolVersion::tls_1_2, spells("_WITH_")) << name(suite);
    EXPECT_EQ(made_of->key_exchange == KeyExchangeMethod::any, !spells("_WITH_")) << name(suite);
    EXPECT_EQ(made_of->authentication == SuiteAuthentication::any, !spells("_WITH_")) << name(suite);
  }
  const auto proves = [](CipherSuite suite) {
    return std::string(name(parts(suite)->key_exchange)) + " " + std::string(name(parts(suite)->authentication));
  };
  EXPECT_EQ(proves(CipherSuite::tls_aes_128_gcm_sha256), "any any");
  EXPECT_EQ(proves(CipherSuite::tls_ecdhe_ecdsa_with_aes_128_ccm), "ECDHE ECDSA");
  EXPECT_EQ(proves(CipherSuite::tls_ecdhe_rsa_with_aes_128_gcm_sha256), "ECDHE RSA");
  EXPECT_EQ(proves(CipherSuite::tls_dhe_rsa_with_aes_128_gcm_sha256), "DHE RSA");
  EXPECT_EQ(proves(CipherSuite::tls_rsa_with_aes_128_cbc_sha), "RSA RSA");
  EXPECT_EQ(proves(CipherSuite::tls_psk_with_aes_128_gcm_sha256), "PSK PSK");
  EXPECT_EQ(proves(CipherSuite::tls_psk_dhe_with_aes_256_ccm_8), "DHE_PSK PSK");
  EXPECT_EQ(proves(CipherSuite::tls_ecdhe_psk_with_aes_128_ccm_8_sha256), "ECDHE_PSK PSK");
  EXPECT_EQ(proves(CipherSuite::tls_rsa_psk_with_aes_256_cbc_sha384), "RSA_PSK RSA");
  EXPECT_FALSE(parts(CipherSuite::fallback_scsv));
  EXPECT_FALSE(parts(CipherSuite{0x1306}));
}

TEST(Parts, SayWhichSuitesAreInsecure) {
  for (const CipherSuite suite : {CipherSuite::tls_aes_128_ccm_sha256, CipherSuite::tls_dhe_rsa_with_aes_128_ccm,
                                  CipherSuite::tls_ecdhe_psk_with_aes_128_gcm_sha256, CipherSuite::fallback_scsv})
    EXPECT_FALSE(is_insecure(suite)) << name(suite);
  for (const CipherSuite suite :
       {CipherSuite::tls_aes_128_ccm_8_sha256, CipherSuite::tls_ecdhe_ecdsa_with_aes_256_ccm_8,
        CipherSuite::tls_ecdhe_rsa_with_aes_128_cbc_sha256, CipherSuite::tls_rsa_with_aes_128_gcm_sha256,
        CipherSuite::tls_psk_with_chacha20_poly1305_sha256, CipherSuite::tls_rsa_psk_with_aes_256_gcm_sha384})
    EXPECT_TRUE(is_insecure(suite)) << name(suite);
}

TEST(Parts, SayWhichVersionASuiteIsOf) {
  EXPECT_EQ(oldest_version(CipherSuite::tls_aes_128_gcm_sha256), ProtocolVersion::tls_1_3);
  EXPECT_EQ(oldest_version(CipherSuite::tls_rsa_with_aes_128_gcm_sha256), ProtocolVersion::tls_1_2);
  EXPECT_EQ(oldest_version(CipherSuite::tls_ecdhe_rsa_with_aes_128_cbc_sha256), ProtocolVersion::tls_1_2);
  EXPECT_EQ(oldest_version(CipherSuite::tls_ecdhe_rsa_with_aes_128_cbc_sha), ProtocolVersion::tls_1_0);
  EXPECT_EQ(oldest_version(CipherSuite::tls_psk_with_aes_256_cbc_sha384), ProtocolVersion::tls_1_0);
  EXPECT_EQ(oldest_version(CipherSuite::empty_renegotiation_info_scsv), std::nullopt);
}

TEST(Parts, OfSchemes) {
  for (const SignatureScheme scheme : known_schemes()) {
    const auto made_of = parts(scheme);
    ASSERT_TRUE(made_of) << name(scheme);
    EXPECT_EQ(made_of->scheme, scheme);
    EXPECT_EQ(made_of->certificates_only, name(scheme).starts_with("rsa_pkcs1_") || is_insecure(scheme))
        << name(scheme);
    EXPECT_EQ(is_insecure(scheme), name(scheme).ends_with("_sha1")) << name(scheme);
    EXPECT_EQ(made_of->key == KeyType::rsa_pss, name(scheme).starts_with("rsa_pss_pss_")) << name(scheme);
  }
  EXPECT_EQ(parts(SignatureScheme::ecdsa_secp521r1_sha512)->key, KeyType::ec_p521);
  EXPECT_EQ(parts(SignatureScheme::ecdsa_secp521r1_sha512)->algorithm, SignatureAlgorithm::ecdsa_sha512);
  EXPECT_FALSE(parts(static_cast<SignatureScheme>(0x0101))) << "MD5";
}

TEST(Parts, OfHybridGroupsInOrderOfConcatenation) {
  // draft-ietf-tls-ecdhe-mlkem: X25519MLKEM768 puts ML-KEM first, the NIST hybrids the curve.
  EXPECT_EQ(parts(NamedGroup::x25519mlkem768)->first, NamedGroup::mlkem768);
  EXPECT_EQ(parts(NamedGroup::x25519mlkem768)->second, NamedGroup::x25519);
  EXPECT_EQ(parts(NamedGroup::secp256r1mlkem768)->first, NamedGroup::secp256r1);
  EXPECT_EQ(parts(NamedGroup::secp384r1mlkem1024)->second, NamedGroup::mlkem1024);
  EXPECT_FALSE(parts(NamedGroup::x25519));
}

// --- finite fields ---------------------------------------------------------------------------------------------------

TEST(FiniteField, KnowsTheGroupsOfRfc7919ByTheirNumbers) {
  struct Row {
    NamedGroup group;
    std::size_t bits;
    std::array<std::uint8_t, 4> before_the_ones;
  };
  // RFC 7919 A.1 to A.5: the last word before the 64 bits that are set.
  constexpr std::array kRows{Row{NamedGroup::ffdhe2048, 2048, {0x61, 0x28, 0x5c, 0x97}},
                             Row{NamedGroup::ffdhe3072, 3072, {0x66, 0xc6, 0x2e, 0x37}},
                             Row{NamedGroup::ffdhe4096, 4096, {0x5e, 0x65, 0x5f, 0x6a}},
                             Row{NamedGroup::ffdhe6144, 6144, {0xd0, 0xe4, 0x0e, 0x65}},
                             Row{NamedGroup::ffdhe8192, 8192, {0xc5, 0xc6, 0x42, 0x4c}}};
  constexpr std::array<std::uint8_t, 12> kBegin{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xad, 0xf8, 0x54, 0x58};
  for (const Row& row : kRows) {
    EXPECT_TRUE(is_finite_field(row.group));
    const auto [p, g] = field_parameters(row.group).value();
    EXPECT_EQ(bit_size(p), row.bits);
    EXPECT_TRUE(equal(p.first(12), kBegin));
    EXPECT_TRUE(equal(p.last(12).first(4), row.before_the_ones)) << name(row.group);
    EXPECT_TRUE(std::ranges::all_of(p.last(8), [](std::uint8_t byte) { return byte == 0xff; }));
    EXPECT_TRUE(equal(g, std::array<std::uint8_t, 1>{2}));
    EXPECT_EQ(named_field({p, g}), row.group);
    EXPECT_FALSE(named_field({p, std::array<std::uint8_t, 1>{3}}));
    EXPECT_FALSE(named_field({p.first(p.size() - 1), g}));
  }
  EXPECT_FALSE(field_parameters(NamedGroup::x25519));
  EXPECT_FALSE(field_parameters(static_cast<NamedGroup>(511)));
  EXPECT_TRUE(is_finite_field(static_cast<NamedGroup>(511)));
  EXPECT_FALSE(is_finite_field(static_cast<NamedGroup>(512)));
  EXPECT_FALSE(is_finite_field(NamedGroup::secp256r1));
}

TEST(FiniteField, KnowsWhatIsWithin) {
  using Number = std::vector<std::uint8_t>;
  const Number p{0, 1, 0, 7};
  for (const Number& within : {Number{2}, Number{0, 0, 0, 0, 2}, Number{0xff, 0xff}, Number{1, 0, 5}})
    EXPECT_TRUE(within_field(within, p));
  for (const Number& outside : {Number{}, Number{0}, Number{1}, Number{0, 1}, Number{1, 0, 6}, Number{1, 0, 7},
                                Number{1, 0, 8}, Number{1, 1, 0}, Number{1, 0, 0, 0}})
    EXPECT_FALSE(within_field(outside, p));
  EXPECT_FALSE(within_field(Number{2}, Number{3}));
  EXPECT_FALSE(within_field(Number{2}, Number{}));
  EXPECT_EQ(bit_size(Number{}), 0U);
  EXPECT_EQ(bit_size(Number{0, 0}), 0U);
  EXPECT_EQ(bit_size(Number{0, 1, 0}), 9U);
  EXPECT_EQ(without_leading_zeros(Number{0, 0}).size(), 0U);
}

// --- provider --------------------------------------------------------------------------------------------------------

TEST(Provider, FindsTheFirstDescriptorAndKnowsWhatItSupports) {
  Aead quick{};
  quick.id = AeadAlgorithm::aes_128_gcm;
  Aead slow = quick;
  Hash sha256{};
  sha256.id = HashAlgorithm::sha256;
  Group x25519{};
  x25519.id = NamedGroup::x25519;
  Group mlkem{};
  mlkem.id = NamedGroup::mlkem768;
  SignatureVerifier rsa{SignatureAlgorithm::rsa_pss_sha256, KeyType::rsa, "none", nullptr};
  constexpr std::array types{KeyType::ed25519, KeyType::rsa};
  KeyLoader loader{"none", types, nullptr, nullptr, nullptr};

  Provider provider;
  EXPECT_FALSE(provider.supports(CipherSuite::tls_aes_128_gcm_sha256));
  provider.aeads = {&quick, &slow};
  EXPECT_EQ(provider.aead(AeadAlgorithm::aes_128_gcm), &quick);
  EXPECT_EQ(provider.aead(AeadAlgorithm::aes_128_ccm), nullptr);
  EXPECT_FALSE(provider.supports(CipherSuite::tls_aes_128_gcm_sha256));
  provider.hashes = {&sha256};
  EXPECT_EQ(provider.hash(HashAlgorithm::sha256), &sha256);
  EXPECT_TRUE(provider.supports(CipherSuite::tls_aes_128_gcm_sha256));
  EXPECT_FALSE(provider.supports(CipherSuite::tls_aes_256_gcm_sha384));
  EXPECT_FALSE(provider.supports(CipherSuite::fallback_scsv));
  EXPECT_TRUE(provider.supports(CipherSuite::tls_ecdhe_rsa_with_aes_128_gcm_sha256));
  EXPECT_FALSE(provider.supports(CipherSuite::tls_ecdhe_rsa_with_aes_128_cbc_sha256));
  // DHE needs a finite field: a group of RFC 7919, or what takes any.
  constexpr auto kDhe = CipherSuite::tls_dhe_rsa_with_aes_128_gcm_sha256;
  EXPECT_FALSE(provider.supports(kDhe));
  const FiniteField field{};
  provider.finite_fields = {&field};
  EXPECT_EQ(provider.finite_field(), &field);
  EXPECT_TRUE(provider.supports(kDhe));
  provider.finite_fields.clear();
  Group ffdhe{};
  ffdhe.id = NamedGroup::ffdhe2048;
  provider.groups = {&ffdhe};
  EXPECT_TRUE(provider.supports(kDhe));

  provider.groups = {&x25519};
  EXPECT_TRUE(provider.supports(NamedGroup::x25519));
  EXPECT_FALSE(provider.supports(NamedGroup::x25519mlkem768));
  provider.groups.push_back(&mlkem);
  EXPECT_TRUE(provider.supports(NamedGroup::x25519mlkem768));
  EXPECT_EQ(provider.group(NamedGroup::mlkem768), &mlkem);
  EXPECT_EQ(provider.group(NamedGroup::x25519mlkem768), nullptr);

  provider.verifiers = {&rsa};
  EXPECT_EQ(provider.verifier(SignatureAlgorithm::rsa_pss_sha256, KeyType::rsa), &rsa);
  EXPECT_EQ(provider.verifier(SignatureAlgorithm::rsa_pss_sha256, KeyType::rsa_pss), nullptr);
  EXPECT_TRUE(provider.supports(SignatureScheme::rsa_pss_rsae_sha256));
  EXPECT_FALSE(provider.supports(SignatureScheme::rsa_pss_pss_sha256));
  EXPECT_FALSE(provider.supports(SignatureScheme::rsa_pkcs1_sha1));

  provider.key_loaders = {&loader};
  EXPECT_EQ(provider.key_loader(KeyType::rsa), &loader);
  EXPECT_EQ(provider.key_loader(KeyType::ed448), nullptr);
}

}  // namespace
}  // namespace lockstep
