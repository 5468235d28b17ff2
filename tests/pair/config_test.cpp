// Building configurations: defaults, variants, and every problem at once.

#include <array>
#include <list>

#include <lockstep/lists.hpp>

#include "dh_groups.hpp"
#include "pair.hpp"

namespace lockstep::testing {
namespace {

std::vector<std::string> settings_of(const std::vector<ConfigProblem>& problems) {
  std::vector<std::string> names;
  for (const ConfigProblem& problem : problems) names.push_back(problem.setting);
  return names;
}

/// The tests' provider, with a group of which it is said that it protects nothing.
Provider with_a_harmless_group() {
  static const Group harmless = [] {
    Group group = *provider().group(NamedGroup::x25519);
    group.insecure = true;
    return group;
  }();
  return compose("harmless", {Provider{.name = "part", .groups = {&harmless}}, provider()});
}

TEST(Config, HasSafeDefaults) {
  const auto config = built(client_builder());
  const Settings& settings = config->settings();
  EXPECT_EQ(settings.groups.front().id, NamedGroup::x25519mlkem768);
  EXPECT_EQ(settings.key_shares, (std::vector{NamedGroup::x25519mlkem768, NamedGroup::x25519}));
  EXPECT_EQ(settings.suites.size(), 9U);
  EXPECT_TRUE(settings.speaks(ProtocolVersion::tls_1_2));
  EXPECT_TRUE(settings.extended_main_secret_required);
  EXPECT_TRUE(settings.renegotiation_info_required);
  EXPECT_FALSE(settings.skip_verification);
  EXPECT_FALSE(settings.key_log);
  EXPECT_TRUE(settings.grease);
  // PKCS#1 is for TLS 1.2.
  const auto newer = built(client_builder().versions(ProtocolVersion::tls_1_3, ProtocolVersion::tls_1_3));
  EXPECT_EQ(newer->settings().suites.size(), 3U);
  for (const SignatureScheme scheme : newer->settings().schemes) EXPECT_FALSE(parts(scheme)->certificates_only);
}

TEST(Config, KeepsTheSuitesOfItsVersions) {
  // A list of every version, as a text gives it.
  const auto all = filter(suites_from_text("ALL:!TLS_AES_128_CCM_8_SHA256").value(),
                          [](CipherSuite suite) { return provider().supports(suite); });
  const auto newer = built(client_builder().versions(ProtocolVersion::tls_1_3, ProtocolVersion::tls_1_3).suites(all));
  EXPECT_LE(newer->settings().suites.size(), 4U);
  for (const BoundSuite& suite : newer->settings().suites) {
    EXPECT_EQ(suite.version, ProtocolVersion::tls_1_3);
    EXPECT_EQ(suite.key_exchange, KeyExchangeMethod::any);
    EXPECT_EQ(suite.authentication, SuiteAuthentication::any);
  }
  const auto both = built(client_builder().suites(all));
  EXPECT_GT(both->settings().suites.size(), 10U);
  for (const BoundSuite& suite : both->settings().suites) EXPECT_TRUE(provider().supports(suite.suite));
  // Who names suites of one version alone has named that version.
  const auto older = built(client_builder().suites({CipherSuite::tls_ecdhe_rsa_with_aes_128_gcm_sha256}));
  EXPECT_EQ(older->settings().max_version, ProtocolVersion::tls_1_2);
}

TEST(Config, ListsEveryProblemAtOnce) {
  const auto config = client_builder()
                          .versions(ProtocolVersion::tls_1_1, ProtocolVersion::tls_1_3)
                          .suites({CipherSuite::fallback_scsv})
                          .groups({NamedGroup::x25519, NamedGroup::x25519})
                          .key_shares({NamedGroup::secp256r1})
                          .schemes({SignatureScheme::rsa_pkcs1_sha256})
                          .alpn({""})
                          .max_send_fragment(10)
                          .key_update_after(1)
                          .max_handshake_message(100)
                          .handshake_memory(1)
                          .build();
  ASSERT_FALSE(config);
  const auto names = settings_of(config.error());
  for (const std::string expected :
       {"versions", "suites", "groups", "key_shares", "schemes", "alpn", "max_send_fragment", "key_update_after",
        "max_handshake_message", "handshake_memory"}) {
    EXPECT_EQ(std::ranges::count(names, expected), 1) << expected;
  }
  for (const ConfigProblem& problem : config.error()) EXPECT_GT(problem.text.size(), 20U) << problem.setting;
  const auto server = server_builder().alpn({""}).ocsp_stapling(true).tickets(1, 700'000).build();
  ASSERT_FALSE(server);
  EXPECT_EQ(settings_of(server.error()), (std::vector<std::string>{"alpn", "ocsp_stapling", "tickets"}));
}

TEST(Config, SaysWhatIsWrongWithEachSetting) {
  const auto problem_of = [](const auto& builder) -> std::string {
    const auto config = builder.build();
    if (config || config.error().size() != 1) return "not one problem";
    return config.error().front().setting + ": " + config.error().front().text;
  };
  EXPECT_EQ(
      problem_of(client_builder().groups({NamedGroup::x25519}).key_shares({NamedGroup::x25519, NamedGroup::x25519})),
      "key_shares: '" + to_text(NamedGroup::x25519) + "' is listed twice; remove one");
  EXPECT_EQ(problem_of(client_builder().alpn({"h2", "h2"})), "alpn: 'h2' is listed twice; remove one");
  std::vector<std::string> many;
  for (int i = 0; i < 256; ++i) many.push_back("protocol-" + std::to_string(i));
  EXPECT_EQ(problem_of(client_builder().alpn(many)), "alpn: the list is too long; name at most 255 protocols");
  const Provider harmless = with_a_harmless_group();
  EXPECT_TRUE(problem_of(ConfigBuilder::client(harmless)).starts_with("dangerous().allow_insecure_provider: "));
}

TEST(Config, HasFiniteFieldsWhereSuitesWithDheAreNamed) {
  constexpr auto kNamed = CipherSuite::tls_dhe_rsa_with_aes_128_gcm_sha256;
  if (provider().finite_field() == nullptr) GTEST_SKIP() << "no finite fields";
  const auto fields = [](const auto& builder) {
    std::vector<NamedGroup> ids;
    const auto config = built(builder);
    for (const BoundGroup& group : config->settings().groups) {
      if (is_finite_field(group.id)) ids.push_back(group.id);
    }
    return ids;
  };
  EXPECT_EQ(fields(client_builder().suites({kNamed})),
            (std::vector{NamedGroup::ffdhe2048, NamedGroup::ffdhe3072, NamedGroup::ffdhe4096}));
  EXPECT_EQ(fields(server_builder().suites({kNamed}).min_dh_bits(4096)), std::vector{NamedGroup::ffdhe4096});
  EXPECT_EQ(fields(client_builder()), std::vector<NamedGroup>{});
  EXPECT_EQ(built(client_builder().suites({kNamed}))->settings().groups.front().id, NamedGroup::x25519);

  const auto refuses = [](const auto& builder, const char* setting, std::string_view text) {
    const auto config = builder.build();
    ASSERT_FALSE(config) << text;
    ASSERT_EQ(config.error().size(), 1U) << text;
    EXPECT_EQ(config.error().front().setting, setting);
    EXPECT_TRUE(config.error().front().text.contains(text)) << config.error().front().text;
  };
  const auto client = client_builder().suites({kNamed});
  const auto server = server_builder().suites({kNamed});
  refuses(ClientConfigBuilder(client).min_dh_bits(1023), "min_dh_bits", "1024 to 8192 bits");
  refuses(ClientConfigBuilder(client).min_dh_bits(8193), "min_dh_bits", "1024 to 8192 bits");
  refuses(ClientConfigBuilder(client).groups({NamedGroup::ffdhe2048}).min_dh_bits(3072), "groups", "fewer bits");
  refuses(ClientConfigBuilder(client).groups({NamedGroup::x25519}), "suites", "'ffdhe2048'");
  refuses(ServerConfigBuilder(server).groups({NamedGroup::x25519}), "suites", "'ffdhe2048'");
  refuses(client_builder().allow_unknown_dh_groups(true), "allow_unknown_dh_groups", "no suite with DHE");
  refuses(server_builder().dh_parameters(dh_parameters(kDh2048)), "dh_parameters", "no suite with DHE");

  const auto refuses_own = [&](DhParameters parameters, std::string_view text) {
    refuses(ServerConfigBuilder(server).dh_parameters(std::move(parameters)), "dh_parameters", text);
  };
  DhParameters own = dh_parameters(kDh2048);
  EXPECT_EQ(built(ServerConfigBuilder(server).dh_parameters(own))->settings().dh_parameters, own);
  refuses_own(dh_parameters(kDh512), "p has 512 bits");
  refuses_own(dh_parameters(kDh1024), "2048 to 8192 bits");
  refuses_own({{}, {2}}, "p has 0 bits");
  refuses_own({own.p, {}}, "g is not between");
  refuses_own({own.p, {0}}, "g is not between");
  refuses_own({own.p, {0, 1}}, "g is not between");
  refuses_own({own.p, own.p}, "g is not between");
  std::vector<std::uint8_t> order = own.p;
  order.back() ^= 1U;
  refuses_own({own.p, order}, "g is not between");
  refuses_own({order, {2}}, "not a prime");  // even
  order.back() ^= 5U;
  refuses_own({order, {2}}, "not a prime");
  own.p.insert(own.p.begin(), 7, 1);
  own.p.resize(1025, 1);
  refuses_own(own, "bits, and 2048 to 8192");
}

TEST(Config, PutsKeySharesInTheOrderOfTheGroups) {
  using enum NamedGroup;
  const auto shares = [](std::vector<NamedGroup> groups) {
    return built(client_builder().groups(std::move(groups)))->settings().key_shares;
  };
  EXPECT_EQ(shares({x25519, x25519mlkem768}), (std::vector{x25519, x25519mlkem768}));
  EXPECT_EQ(shares({x25519mlkem768, secp256r1, x25519}), (std::vector{x25519mlkem768, secp256r1}));
  EXPECT_EQ(shares({secp256r1, x25519}), (std::vector{secp256r1}));
  EXPECT_EQ(built(client_builder().groups({secp256r1, x25519, x25519mlkem768}).key_shares({x25519mlkem768, secp256r1}))
                ->settings()
                .key_shares,
            (std::vector{secp256r1, x25519mlkem768}));
  if (provider().supports(mlkem1024)) {  // without a classical group in it, but post-quantum as well
    EXPECT_EQ(shares({mlkem1024, x25519}), (std::vector{mlkem1024, x25519}));
    EXPECT_EQ(shares({mlkem1024, x25519mlkem768, x25519}), (std::vector{mlkem1024, x25519}));
  }
}

TEST(Config, RefusesWhatCannotWorkOrHasNoEffect) {
  const auto refused = [](const auto& builder, const std::string& setting) {
    const auto config = builder.build();
    ASSERT_FALSE(config) << setting;
    EXPECT_EQ(settings_of(config.error()), std::vector{setting});
  };
  using Names = std::vector<std::vector<std::uint8_t>>;
  const std::vector<std::uint8_t> name{0x30, 0x0d, 0x31, 0x0b, 0x30, 0x09, 0x06, 0x03,
                                       0x55, 0x04, 0x06, 0x13, 0x02, 'D',  'E'};
  const auto asking = [] { return server_builder().client_auth(ClientAuth::request); };
  const std::string authorities = "certificate_authorities";
  EXPECT_TRUE(asking().certificate_authorities({name}).build());
  EXPECT_TRUE(client_builder().certificate_authorities({name}).build());
  refused(server_builder().certificate_authorities({name}), authorities);
  refused(asking().certificate_authorities({{}}), authorities);
  refused(asking().certificate_authorities({name, {0x30}}), authorities);
  refused(client_builder().certificate_authorities({{0x31, 0x00}}), authorities);
  EXPECT_TRUE(asking().certificate_authorities(Names(1024, name)).build());
  refused(asking().certificate_authorities(Names(1025, name)), authorities);
  const auto issuer = credential_of(usual_key());
  const auto subject = x509::Certificate::parse(issuer->chain.front())->subject().der();
  std::vector<std::uint8_t> longest{0x30, 0x82, 0xea, 0x60};  // as if it went on: 60,000 bytes are no name
  longest.insert(longest.end(), subject.begin(), subject.end());
  refused(asking().certificate_authorities({longest}), authorities);

  refused(
      client_builder().versions(ProtocolVersion::tls_1_3, ProtocolVersion::tls_1_3).renegotiation(Renegotiation::once),
      "renegotiation");
  refused(client_builder().renegotiation_limit(0), "renegotiation_limit");
  refused(client_builder().renegotiation_limit(kMaxRenegotiations + 1), "renegotiation_limit");
  refused(server_builder().renegotiation_limit(3, std::chrono::seconds(0)), "renegotiation_limit");
  refused(server_builder().renegotiation_limit(3, std::chrono::seconds(86'401)), "renegotiation_limit");
  refused(client_builder().verify_on_resumption(true).resumption(false), "verify_on_resumption");
  refused(server_builder().verify_on_resumption(true).resumption(false), "verify_on_resumption");
  EXPECT_TRUE(server_builder().early_data(kMaxEarlyData).build());
  refused(server_builder().early_data(kMaxEarlyData + 1), "early_data");
  refused(client_builder().early_data(kMaxEarlyData + 1), "early_data");
  refused(server_builder().tickets(0).tickets_without_modes(true), "tickets_without_modes");
  EXPECT_TRUE(server_builder().tickets(kMaxTickets, 604'800).build());
  refused(server_builder().tickets(kMaxTickets + 1), "tickets");
  refused(server_builder().tickets(1, 604'801), "tickets");
  refused(server_builder().tickets(1, 0), "tickets");
}

TEST(Config, RefusesPermissionsForWhatIsOff) {
  const auto refused = [](const auto& builder, const std::string& setting) {
    const auto config = builder.build();
    ASSERT_FALSE(config) << setting;
    EXPECT_EQ(settings_of(config.error()), std::vector{setting});
  };
  refused(client_builder().allow_false_start_without_alpn(true), "allow_false_start_without_alpn");
  refused(
      server_builder().versions(ProtocolVersion::tls_1_3, ProtocolVersion::tls_1_3).renegotiation_ends_connection(true),
      "renegotiation_ends_connection");
}

TEST(Config, RanksSuites) {
  constexpr auto kAes = CipherSuite::tls_aes_128_gcm_sha256;
  constexpr auto kChaCha20 = CipherSuite::tls_chacha20_poly1305_sha256;
  constexpr auto kOlder = CipherSuite::tls_ecdhe_ecdsa_with_aes_128_gcm_sha256;
  constexpr auto kOlderChaCha20 = CipherSuite::tls_ecdhe_ecdsa_with_chacha20_poly1305_sha256;
  const auto ranks = [](const auto& builder) {
    std::vector<std::size_t> found;
    const auto config = built(builder);
    for (const BoundSuite& suite : config->settings().suites) found.push_back(suite.rank);
    return found;
  };
  using Ranks = std::vector<std::size_t>;
  const RankedSuites ranked{{kAes}, {kOlder, kChaCha20, kOlderChaCha20}};
  const auto server = server_builder().ranked_suites(ranked);
  EXPECT_EQ(ranks(server), (Ranks{0, 1, 1, 1}));
  EXPECT_EQ(ranks(ConfigBuilder::from(*built(server))), (Ranks{0, 1, 1, 1}));
  EXPECT_EQ(ranks(ServerConfigBuilder(server).suites({kAes, kOlder, kChaCha20})), (Ranks{0, 1, 2}));
  // What a version leaves of a rank is no more equal to the rank before than all of it was.
  const auto of_version = [&](ProtocolVersion version) {
    return ranks(ServerConfigBuilder(server).versions(version, version));
  };
  EXPECT_EQ(of_version(ProtocolVersion::tls_1_3), (Ranks{0, 1}));
  EXPECT_EQ(of_version(ProtocolVersion::tls_1_2), (Ranks{0, 0}));
}

TEST(Config, TakesSchemesForCertificatesByThemselves) {
  const std::vector schemes{SignatureScheme::rsa_pkcs1_sha256};
  EXPECT_EQ(built(client_builder().schemes_cert(schemes))->settings().schemes_cert, schemes);
}

TEST(Config, SignsWithWhatItVerifiesUnlessToldOtherwise) {
  const std::vector verified{SignatureScheme::ed25519, SignatureScheme::ecdsa_secp256r1_sha256};
  const std::vector signing{SignatureScheme::ed25519};
  EXPECT_EQ(built(client_builder().schemes(verified))->settings().own_schemes(), verified);
  const auto config = built(client_builder().schemes(verified).signing_schemes(signing));
  EXPECT_EQ(config->settings().own_schemes(), signing);
  EXPECT_EQ(config->settings().schemes, verified);
  EXPECT_EQ(built(ConfigBuilder::from(*config))->settings().own_schemes(), signing);
  for (const auto& wrong : {std::vector{SignatureScheme::rsa_pkcs1_sha256}, std::vector<SignatureScheme>(),
                            std::vector{SignatureScheme::ed25519, SignatureScheme::ed25519}}) {
    const auto refused =
        client_builder().versions(ProtocolVersion::tls_1_3, ProtocolVersion::tls_1_3).signing_schemes(wrong).build();
    ASSERT_FALSE(refused);
    EXPECT_EQ(settings_of(refused.error()), std::vector<std::string>{"signing_schemes"});
  }
}

TEST(Config, NamesWhatTheProviderLacks) {
  Provider poor = provider();
  std::erase_if(poor.groups, [](const Group* group) { return group->id == NamedGroup::mlkem768; });
  std::erase_if(poor.aeads, [](const Aead* aead) { return aead->id == AeadAlgorithm::aes_128_gcm; });
  const auto chosen = built(allowed(ConfigBuilder::client(poor)));
  EXPECT_EQ(chosen->settings().groups.front().id, NamedGroup::x25519);
  const auto demanded = allowed(ConfigBuilder::client(poor))
                            .groups({NamedGroup::x25519mlkem768})
                            .suites({CipherSuite::tls_aes_128_gcm_sha256})
                            .build();
  ASSERT_FALSE(demanded);
  EXPECT_EQ(settings_of(demanded.error()), (std::vector<std::string>{"suites", "groups"}));
}

/// The digest that sessions are bound to is made once, here.
TEST(Config, FailsWithAProviderThatCannotHash) {
  Provider broken = provider();
  std::list<Hash> failing;
  for (const Hash*& hash : broken.hashes) {
    failing.push_back(*hash);
    failing.back().init = [](void*) noexcept { return false; };
    hash = &failing.back();
  }
  const auto config = ConfigBuilder::client(broken).dangerous().allow_insecure_provider().build();
  ASSERT_FALSE(config);
  EXPECT_EQ(settings_of(config.error()), std::vector<std::string>{"provider"});
}

TEST(Config, BindsSessionsToItsSettingsAndToWhatVerifies) {
  const auto config = built(server_builder());
  const auto same = built(server_builder());
  const auto other = built(server_builder().client_auth(ClientAuth::request));
  const SessionContext first{1};
  const SessionContext second{2};
  EXPECT_EQ(config->session_context(first), same->session_context(first));
  EXPECT_NE(config->session_context(first), config->session_context(second));
  EXPECT_NE(config->session_context(first), other->session_context(first));
  const auto said = built(server_builder().session_context({7}));
  const auto said_too = built(server_builder().client_auth(ClientAuth::request).session_context({7}));
  EXPECT_EQ(said->session_context(first), said_too->session_context(second)) << "it stands alone";
  EXPECT_NE(said->session_context(first), config->session_context(first));
}

TEST(Config, FailsWithoutAnything) {
  Provider empty;
  empty.name = "empty";
  const auto config = ConfigBuilder::server(empty).build();
  ASSERT_FALSE(config);
  const auto names = settings_of(config.error());
  for (const std::string expected : {"suites", "groups", "schemes"}) EXPECT_EQ(std::ranges::count(names, expected), 1);
}

TEST(Config, TakesVersionsAsRangeOrList) {
  EXPECT_TRUE(client_builder().versions(ProtocolVersion::tls_1_3, ProtocolVersion::tls_1_3).build());
  EXPECT_TRUE(client_builder().versions(std::array{ProtocolVersion::tls_1_3}).build());
  EXPECT_FALSE(client_builder().versions(std::span<const ProtocolVersion>()).build());
  const auto gap = client_builder().versions(std::array{ProtocolVersion::tls_1_3, ProtocolVersion::tls_1_1}).build();
  ASSERT_FALSE(gap);
  EXPECT_NE(gap.error().front().text.find("missing from the middle"), std::string::npos);
}

TEST(Config, IsClonedByABuilder) {
  const auto original = built(server_builder().alpn({"h2"}).groups({NamedGroup::secp384r1}).tickets(3, 100));
  const auto variant = built(ConfigBuilder::from(*original).alpn({"http/1.1"}));
  EXPECT_EQ(original->settings().alpn, std::vector<std::string>{"h2"});
  EXPECT_EQ(variant->settings().alpn, std::vector<std::string>{"http/1.1"});
  EXPECT_EQ(variant->settings().groups.front().id, NamedGroup::secp384r1);
  EXPECT_EQ(variant->settings().ticket_count, 3);
  EXPECT_EQ(variant->role(), Role::server);
}

TEST(Config, IsWhatItsRoleIs) {
  const std::shared_ptr<const Config> client = built(client_builder());
  const std::shared_ptr<const Config> server = built(server_builder());
  EXPECT_EQ(as_client(client), client);
  EXPECT_EQ(as_server(client), nullptr);
  EXPECT_EQ(as_server(server), server);
  EXPECT_EQ(as_client(server), nullptr);
  EXPECT_EQ(as_client(nullptr), nullptr);
  EXPECT_EQ(as_server(nullptr), nullptr);
}

TEST(Config, OfOneRoleIsNotBuiltFromSettingsOfTheOther) {
  const auto refused = allowed(ServerConfigBuilder::from(built(client_builder())->settings(), provider())).build();
  ASSERT_FALSE(refused);
  EXPECT_EQ(settings_of(refused.error()), std::vector<std::string>{"from"});
}

TEST(Config, AllowsAnInsecureProviderOnlyBySayingSo) {
  const Provider harmless = with_a_harmless_group();
  const auto config = built(client_builder());
  const Settings& settings = config->settings();
  const auto refused = ClientConfigBuilder::from(settings, harmless).build();
  ASSERT_FALSE(refused);
  EXPECT_EQ(settings_of(refused.error()), std::vector<std::string>{"dangerous().allow_insecure_provider"});
  EXPECT_TRUE(ClientConfigBuilder::from(settings, harmless).dangerous().allow_insecure_provider().build());
}

/// Among the problems is one of this setting.
template <class Builder>
void expect_refusal_of(const Builder& builder, std::string_view setting, std::string_view text) {
  const auto config = builder.build();
  ASSERT_FALSE(config) << text;
  const auto found = std::ranges::find(config.error(), setting, &ConfigProblem::setting);
  ASSERT_NE(found, config.error().end()) << text;
  EXPECT_TRUE(found->text.contains(text)) << found->text;
}

TEST(Config, RefusesWhatMeansNothingHere) {
  constexpr auto kNew = ProtocolVersion::tls_1_3;
  constexpr auto kOld = ProtocolVersion::tls_1_2;
  expect_refusal_of(client_builder().versions(kNew, kOld), "versions", "newer than the newest");
  expect_refusal_of(client_builder().versions(kNew, kNew).next_protocols({"a"}), "next_protocols", "ALPN alone");
  expect_refusal_of(server_builder().session_context(std::vector<std::uint8_t>(256)), "session_context",
                    "1 to 255 bytes");
  expect_refusal_of(server_builder().max_authentication_age(std::chrono::seconds(0)), "max_authentication_age",
                    "604800");
  expect_refusal_of(server_builder().versions(kNew, kNew).session_ids(true), "session_ids", "by an id");
  expect_refusal_of(client_builder().versions(kNew, kNew).false_start(true), "false_start", "no earlier");
  expect_refusal_of(client_builder().record_size_limit(63), "record_size_limit", "64 to 16385 bytes");
  expect_refusal_of(client_builder().max_fragment_length(1000), "max_fragment_length", "512, 1024, 2048 and 4096");
}

TEST(Config, NeedsAFiniteFieldForOnesOwn) {
  if (!provider().supports(CipherSuite::tls_dhe_rsa_with_aes_128_gcm_sha256)) GTEST_SKIP() << "no DHE here";
  Provider named_alone = provider();
  named_alone.finite_fields.clear();
  const std::vector suites{CipherSuite::tls_dhe_rsa_with_aes_128_gcm_sha256};
  expect_refusal_of(ConfigBuilder::server(named_alone).suites(suites).dh_parameters(dh_parameters(kDh2048)),
                    "dh_parameters", "no finite fields but those that are named");
  expect_refusal_of(ConfigBuilder::client(named_alone).suites(suites).allow_unknown_dh_groups(true),
                    "allow_unknown_dh_groups", "no finite fields but those that are named");
}

}  // namespace
}  // namespace lockstep::testing
