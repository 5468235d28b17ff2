// The profile of what FIPS 140-3 approves: what it admits, what is set against it, and peers that have nothing else.

#include <lockstep/lists.hpp>

#include "dh_groups.hpp"
#include "tls12_pair.hpp"

namespace lockstep::testing {
namespace {

TEST(Approved, HasWhatIsApprovedAndNothingElse) {
  const auto expect_approved = [](const auto& config) {
    ASSERT_TRUE(config);
    const Settings& settings = config->settings();
    EXPECT_TRUE(settings.speaks(ProtocolVersion::tls_1_2) && settings.speaks(ProtocolVersion::tls_1_3));
    EXPECT_EQ(settings.suites.size(), 6U) << "AES-GCM";
    for (const BoundSuite& suite : settings.suites) EXPECT_TRUE(is_approved(suite.suite)) << name(suite.suite);
    EXPECT_EQ(settings.groups.front().id, NamedGroup::x25519mlkem768);
    EXPECT_GE(settings.groups.size(), 5U);
    for (const BoundGroup& group : settings.groups) EXPECT_TRUE(is_approved(group.id)) << name(group.id);
    for (const auto* const schemes : {&settings.schemes, &settings.schemes_cert}) {
      EXPECT_FALSE(schemes->empty());
      for (const SignatureScheme scheme : *schemes) EXPECT_TRUE(is_approved(scheme)) << name(scheme);
    }
  };
  const auto client = built(client_builder().profile(Profile::fips));
  expect_approved(client);
  EXPECT_EQ(client->settings().key_shares, (std::vector{NamedGroup::x25519mlkem768, NamedGroup::secp256r1}));
  expect_approved(built(server_builder().profile(Profile::fips)));
  expect_approved(built(ConfigBuilder::from(*client)));
  // By name, as ever: what is approved and no default.
  const auto named = built(client_builder()
                               .profile(Profile::fips)
                               .suites({CipherSuite::tls_aes_128_ccm_sha256})
                               .groups({NamedGroup::mlkem1024, NamedGroup::secp521r1}));
  ASSERT_TRUE(named);
  EXPECT_EQ(named->settings().suites.size(), 1U);
  EXPECT_EQ(built(client_builder().profile(Profile::fips).versions(ProtocolVersion::tls_1_2, ProtocolVersion::tls_1_2))
                ->settings()
                .groups.front()
                .id,
            NamedGroup::secp256r1);
}

TEST(Approved, ListsEverythingThatIsAgainstIt) {
  using enum CipherSuite;
  const auto client = client_builder()
                          .profile(Profile::fips)
                          .suites({tls_chacha20_poly1305_sha256, tls_aes_128_gcm_sha256,
                                   tls_rsa_with_aes_128_gcm_sha256, tls_ecdhe_rsa_with_aes_128_cbc_sha,
                                   tls_rsa_psk_with_aes_128_gcm_sha256, tls_dhe_rsa_with_aes_128_gcm_sha256})
                          .groups({NamedGroup::secp256r1, NamedGroup::x25519, NamedGroup::x448, NamedGroup::ffdhe2048})
                          .schemes({SignatureScheme::ecdsa_secp256r1_sha256, SignatureScheme::rsa_pkcs1_sha1})
                          .signing_schemes({SignatureScheme::ecdsa_sha1})
                          .schemes_cert({SignatureScheme::ecdsa_brainpoolP256r1tls13_sha256})
                          .prefer_chacha20()
                          .min_dh_bits(1024)
                          .allow_unknown_dh_groups(true)
                          .allow_no_extended_main_secret(true)
                          .build();
  ASSERT_FALSE(client);
  std::vector<std::string> against;
  for (const ConfigProblem& problem : client.error()) {
    if (problem.text.ends_with(", or the profile")) against.push_back(problem.setting);
  }
  EXPECT_EQ(against,
            (std::vector<std::string>{"suites", "suites", "suites", "suites", "groups", "groups", "schemes",
                                      "signing_schemes", "schemes_cert", "prefer_chacha20", "allow_unknown_dh_groups",
                                      "min_dh_bits", "allow_no_extended_main_secret"}));
  // A smaller provider lacks things as well.
  if (provider().finite_field() != nullptr) {
    EXPECT_EQ(client.error().size(), against.size());
  }
  const auto server = server_builder()
                          .profile(Profile::fips)
                          .suites({tls_dhe_rsa_with_aes_128_gcm_sha256})
                          .dh_parameters(dh_parameters(kDh2048))
                          .build();
  if (provider().finite_field() == nullptr) return;
  ASSERT_FALSE(server);
  ASSERT_EQ(server.error().size(), 1U);
  EXPECT_EQ(server.error().front().setting, "dh_parameters");
  // TLS 1.3 alone has no master secret to extend.
  EXPECT_TRUE(client_builder()
                  .profile(Profile::fips)
                  .versions(ProtocolVersion::tls_1_3, ProtocolVersion::tls_1_3)
                  .allow_no_extended_main_secret(true)
                  .build());
}

// --- peers -----------------------------------------------------------------------------------------------------------

constexpr std::array kRoles{Role::client, Role::server};

/// One end has the profile, the other what it is changed to.
std::unique_ptr<Pair> pair_with_profile(Role profiled, const std::function<void(ClientConfigBuilder&)>& client_change,
                                        const std::function<void(ServerConfigBuilder&)>& server_change) {
  auto client = client_builder();
  auto server = server_builder();
  if (profiled == Role::client) {
    client.profile(Profile::fips);
    server_change(server);
  } else {
    server.profile(Profile::fips);
    client_change(client);
  }
  return std::make_unique<Pair>(built(client), built(server));
}

template <class Change>
std::unique_ptr<Pair> pair_with_profile(Role profiled, Change change) {
  return pair_with_profile(
      profiled, [&](ClientConfigBuilder& builder) { change(builder); },
      [&](ServerConfigBuilder& builder) { change(builder); });
}

/// The server finds that there is nothing in common, whoever has the profile.
void expect_nothing_in_common(Pair& pair, std::string_view what) {
  pair.run();
  ASSERT_TRUE(pair.client.error && pair.server.error) << what;
  EXPECT_EQ(pair.server.error->alert, Alert::handshake_failure) << what << to_text(*pair.server.error);
  EXPECT_EQ(pair.client.error->alert, Alert::handshake_failure) << what;
  EXPECT_EQ(pair.client.error->origin, Origin::peer) << what;
}

TEST(Approved, EndsConnectEachOtherAndOthers) {
  for (const auto version : kBothVersions) {
    for (const Role profiled : kRoles) {
      const auto pair = pair_with_profile(profiled, [&](auto& other) { other.versions(version, version); });
      pair->run();
      expect_connected(*pair);
      EXPECT_TRUE(is_approved(*pair->client.connection.suite()));
      EXPECT_TRUE(is_approved(*pair->client.connection.group()));
    }
  }
}

TEST(Approved, SuitesAloneAreTaken) {
  for (const CipherSuite suite : known_suites()) {
    if (is_approved(suite) || !provider().supports(suite)) continue;
    for (const Role profiled : kRoles)
      expect_nothing_in_common(*pair_with_profile(profiled, [&](auto& other) { other.suites({suite}); }), name(suite));
  }
}

TEST(Approved, GroupsAloneAreTaken) {
  for (const NamedGroup group : known_groups()) {
    if (is_approved(group) || !provider().supports(group)) continue;
    for (const Role profiled : kRoles)
      expect_nothing_in_common(*pair_with_profile(profiled, [&](auto& other) { other.groups({group}); }), name(group));
  }
}

TEST(Approved, SchemesAloneAreTaken) {
  for (const SignatureScheme scheme : known_schemes()) {
    if (is_approved(scheme) || !provider().supports(scheme)) continue;
    for (const Role profiled : kRoles) {
      const auto pair = pair_with_profile(
          profiled, [&](auto& client) { client.schemes({scheme}); },
          [&](auto& server) {
            // It may verify others, and signs with this one.
            if (is_insecure(scheme)) server.versions(kTls12, kTls12);
            server.signing_schemes({scheme});
          });
      pair->server.credential = credential_of(parts(scheme)->key);
      expect_nothing_in_common(*pair, name(scheme));
    }
  }
}

/// An RSA key that is said to be shorter than it is: a certificate is read before its key has to sign.
class ShortRsaKey final : public SigningKey {
 public:
  [[nodiscard]] KeyType type() const noexcept override { return KeyType::rsa; }
  [[nodiscard]] Bytes subject_public_key_info() const noexcept override { return info_; }
  [[nodiscard]] std::span<const SignatureScheme> schemes() const noexcept override { return key_->schemes(); }
  [[nodiscard]] std::size_t sign(SignatureScheme scheme, Bytes message, RandomSource& random,
                                 MutableBytes out) const noexcept override {
    return key_->sign(scheme, message, random, out);
  }

 private:
  static std::vector<std::uint8_t> info_of(std::size_t bytes) {
    const auto length = [](std::size_t size) { return static_cast<std::uint8_t>(size); };
    std::vector<std::uint8_t> info{0x30,
                                   0x81,
                                   length(bytes + 31),
                                   0x30,
                                   13,
                                   6,
                                   9,
                                   0x2a,
                                   0x86,
                                   0x48,
                                   0x86,
                                   0xf7,
                                   0x0d,
                                   1,
                                   1,
                                   1,
                                   5,
                                   0,
                                   3,
                                   0x81,
                                   length(bytes + 13),
                                   0,
                                   0x30,
                                   0x81,
                                   length(bytes + 9),
                                   2,
                                   0x81,
                                   length(bytes + 1),
                                   0};
    info.insert(info.end(), bytes, 0xff);
    info.insert(info.end(), {2, 3, 1, 0, 1});
    return info;
  }

  std::shared_ptr<const SigningKey> key_ = key_of(KeyType::rsa);
  std::vector<std::uint8_t> info_ = info_of(128);
};

TEST(Approved, RsaKeysAreLongEnough) {
  if (provider().key_loader(KeyType::rsa) == nullptr) GTEST_SKIP() << "no RSA here";
  FixedRandom random(7);
  const auto key = std::make_shared<const ShortRsaKey>();
  auto der = x509::CertificateBuilder("CN=test")
                 .dns("example.com")
                 .server()
                 .client()
                 .validity(kNowSeconds - kDay, kNowSeconds + kDay)
                 .self_signed(provider(), *key, random);
  ASSERT_TRUE(der);
  const auto credential = std::make_shared<const Credential>(
      Credential{.chain = {*der}, .schemes = {key->schemes().begin(), key->schemes().end()}, .key = key});
  for (const auto version : kBothVersions) {
    for (const Role profiled : kRoles) {
      auto client = client_builder().versions(version, version);
      auto server = server_builder().versions(version, version);
      if (profiled == Role::client) client.profile(Profile::fips);
      if (profiled == Role::server) server.profile(Profile::fips).client_auth(ClientAuth::require);
      Pair pair(built(client), built(server));
      End& self = profiled == Role::client ? pair.client : pair.server;
      End& other = profiled == Role::client ? pair.server : pair.client;
      other.credential = credential;
      pair.run();
      ASSERT_TRUE(self.error && other.error);
      EXPECT_EQ(self.error->reason, Reason::certificate_weak) << to_text(*self.error);
      EXPECT_EQ(other.error->alert, Alert::bad_certificate);
      EXPECT_EQ(other.error->origin, Origin::peer);
    }
  }
}

TEST(Approved, PreSharedKeysAreLongEnough) {
  constexpr auto kSuite = CipherSuite::tls_ecdhe_psk_with_aes_128_gcm_sha256;
  if (!provider().supports(kSuite)) GTEST_SKIP() << "not listed";
  for (const std::string_view key : {"fourteen bytes", "thirteen byte"}) {
    for (const Role profiled : kRoles) {
      auto client = client_builder().suites({kSuite});
      auto server = server_builder().suites({kSuite});
      if (profiled == Role::client) client.profile(Profile::fips);
      if (profiled == Role::server) server.profile(Profile::fips);
      Pair pair(built(client), built(server));
      pair.client.psks = pair.server.psks = {{"sensor 7", std::string(key)}};
      pair.run();
      if (key.size() >= kApprovedPskSize) {
        expect_tls12(pair);
        continue;
      }
      End& self = profiled == Role::client ? pair.client : pair.server;
      End& other = profiled == Role::client ? pair.server : pair.client;
      ASSERT_TRUE(self.error && other.error);
      EXPECT_EQ(self.error->reason, Reason::psk_weak) << to_text(*self.error);
      EXPECT_EQ(self.error->origin, Origin::application);
      EXPECT_EQ(other.error->alert, Alert::insufficient_security);
    }
  }
}

}  // namespace
}  // namespace lockstep::testing
