// The answers alone: what they are set up from, which credential they choose, and how they give reasons.
#include <array>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <lockstep/answers.hpp>
#include <lockstep/connection.hpp>

#include "support.hpp"
namespace lockstep::testing {
namespace {
using ::testing::ElementsAre;
using ::testing::HasSubstr;
// --- setup -----------------------------------------------------------------------------------------------------------

TEST(AnswerSetup, ReportsEveryProblemAtOnce) {
  const Authority authority;
  const auto good = authority.issue({});
  const auto other_key = std::make_shared<const Credential>(Credential{good->chain, good->schemes, make_key()});
  const auto no_chain = std::make_shared<const Credential>(Credential{{}, good->schemes, good->key});
  const auto no_schemes = std::make_shared<const Credential>(Credential{good->chain, {}, good->key});
  const auto broken = std::make_shared<const Credential>(Credential{{{0x30, 0x01}}, good->schemes, nullptr});
  const auto badly_stapled =
      std::make_shared<const Credential>(Credential{good->chain, good->schemes, good->key, {}, {0, 0}});

  const auto setup = AnswerSetup::create(
      {.provider = provider(), .credentials = {good, other_key, nullptr, no_chain, no_schemes, broken, badly_stapled}});
  ASSERT_FALSE(setup);
  std::vector<std::string> texts;
  for (const ConfigProblem& problem : setup.error()) texts.push_back(problem.text);
  EXPECT_THAT(texts, ElementsAre(HasSubstr("credential 2: its first certificate is for another key"),
                                 HasSubstr("credential 3 is null"), HasSubstr("credential 4 has no certificates"),
                                 HasSubstr("credential 5 has no signature schemes"),
                                 HasSubstr("credential 6: certificate 1 of the chain is malformed"),
                                 HasSubstr("credential 7 has staples that cannot be sent")));
}

TEST(AnswerSetup, RefusesAChainThatPeersDoNotTake) {
  const Authority authority;
  const auto created = [](std::shared_ptr<const Credential> credential, std::size_t limit) {
    return AnswerSetup::create(
        {.provider = provider(), .credentials = {std::move(credential)}, .max_certificate_message = limit});
  };
  const auto text = [](const auto& setup) {
    EXPECT_FALSE(setup);
    return setup || setup.error().size() != 1 ? std::string() : setup.error().front().text;
  };
  const auto large = authority.issue({.filler = 140'000});
  const std::size_t size = certificate_message_size(*large);
  ASSERT_GT(size, kDefaultMaxHandshakeMessage);
  EXPECT_THAT(text(created(large, kDefaultMaxHandshakeMessage)),
              HasSubstr("credential 1 needs a Certificate message of " + std::to_string(size) +
                        " bytes, and peers take at most 131072"));
  EXPECT_TRUE(created(large, size));
  EXPECT_THAT(text(created(large, size - 1)), HasSubstr("at most " + std::to_string(size - 1)));

  Credential many = *authority.issue({});
  many.chain.resize(kMaxChainLength, many.chain.front());
  EXPECT_TRUE(created(std::make_shared<const Credential>(many), kDefaultMaxHandshakeMessage));
  many.chain.push_back(many.chain.front());
  EXPECT_THAT(text(created(std::make_shared<const Credential>(many), kDefaultMaxHandshakeMessage)),
              HasSubstr("credential 1 has 101 certificates, and no peer reads more than 100"));
}

TEST(AnswerSetup, VerifiesByAnInsecureProviderOnlyBySayingSo) {
  SignatureVerifier harmless = *provider().verifier(SignatureAlgorithm::ecdsa_sha256, KeyType::ec_p256);
  harmless.insecure = true;
  const Provider composed = compose("composed", {Provider{.name = "part", .verifiers = {&harmless}}, provider()});
  const auto anchors = std::make_shared<const x509::TrustAnchors>();
  const auto setup = AnswerSetup::create({.provider = composed, .anchors = anchors});
  ASSERT_FALSE(setup);
  ASSERT_EQ(setup.error().size(), 1U);
  EXPECT_EQ(setup.error().front().setting, "dangerous.allow_insecure_provider");
  EXPECT_THAT(setup.error().front().text, HasSubstr("protects nothing with ecdsa_sha256 with EC P-256 (botan)"));
  EXPECT_TRUE(
      AnswerSetup::create({.provider = composed, .anchors = anchors, .dangerous = {.allow_insecure_provider = true}}));
  EXPECT_TRUE(AnswerSetup::create({.provider = composed})) << "without anchors nobody is accepted";
}

// RFC 9846 4.5.1.2: "This fallback chain MUST NOT use the deprecated SHA-1 hash".
TEST(AnswerSetup, RefusesChainsThatAreSignedWithSha1) {
  const Authority authority("CN=Test Root", KeyType::rsa);
  auto credential = *authority.issue({});
  credential.key = nullptr;
  const auto setup = [&] {
    return AnswerSetup::create(
        {.provider = provider(), .credentials = {std::make_shared<const Credential>(credential)}});
  };
  ASSERT_TRUE(setup());
  // sha256WithRSAEncryption becomes sha1WithRSAEncryption, in both places.
  constexpr std::array<std::uint8_t, 9> kSha256{0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b};
  int changed = 0;
  auto& leaf = credential.chain.front();
  for (auto rest = std::span(leaf); rest.size() >= kSha256.size(); rest = rest.subspan(1)) {
    if (!std::ranges::equal(rest.first<kSha256.size()>(), kSha256)) continue;
    rest[kSha256.size() - 1] = 0x05;
    ++changed;
  }
  ASSERT_EQ(changed, 2);
  const auto refused = setup();
  ASSERT_FALSE(refused);
  ASSERT_EQ(refused.error().size(), 1U);
  EXPECT_THAT(refused.error().front().text, HasSubstr("credential 1: certificate 1 of the chain is signed with SHA-1"));
}

TEST(AnswerSetup, RefusesKeysOfASizeThatItsOwnPolicyRefuses) {
  const auto credential = Authority().issue({.key = KeyType::rsa});
  const auto setup = [&](const x509::Policy& policy) {
    return AnswerSetup::create({.provider = provider(), .credentials = {credential}, .policy = policy});
  };
  EXPECT_TRUE(setup({}));
  const auto refused = setup({.min_rsa_bits = 3072});
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().front().text,
              HasSubstr("credential 1: its RSA key has 2048 bits, which peers that verify as this setup does refuse "
                        "(EE_KEY_TOO_SMALL)"));
}

TEST(AnswerSetup, TellsWhatItVerifiesBy) {
  const Authority one;
  const Authority two;
  const auto verification = [](std::initializer_list<const Authority*> roots, const x509::Policy& policy = {},
                               bool ignores_staples = false) {
    auto anchors = std::make_shared<x509::TrustAnchors>();
    for (const Authority* root : roots) EXPECT_TRUE(anchors->add((*root->anchors())[0].der()));
    return setup_of({.provider = provider(),
                     .anchors = std::move(anchors),
                     .policy = policy,
                     .ignore_stapled_responses = ignores_staples})
        ->verification();
  };
  const SessionContext both = verification({&one, &two});
  EXPECT_EQ(both, verification({&two, &one}));
  const std::array<KeyType, 1> types{KeyType::ed25519};
  const std::array<SignatureAlgorithm, 1> algorithms{SignatureAlgorithm::ed25519};
  const std::array<std::string_view, 1> extensions{"1.2.3"};
  std::vector<SessionContext> all{both,
                                  SessionContext{},
                                  verification({&one}),
                                  verification({&two}),
                                  verification({&one}, {}, true),
                                  verification({&one}, {.max_intermediates = 1}),
                                  verification({&one}, {.min_rsa_bits = 3072}),
                                  verification({&one}, {.signature_algorithms = algorithms}),
                                  verification({&one}, {.key_types = types}),
                                  verification({&one}, {.handled_extensions = extensions}),
                                  verification({&one}, {.offer_unknown_extensions = true})};
  struct Rules final : PeerRules {
    explicit Rules(std::string_view id) : id_(id) {}
    [[nodiscard]] std::string_view id() const override { return id_; }
    std::string_view id_;
  };
  const auto otherwise = [&](std::shared_ptr<const PeerRules> rules, bool any_peer, bool trusting = true) {
    all.push_back(setup_of({.provider = provider(),
                            .anchors = trusting ? one.anchors() : nullptr,
                            .peer_rules = std::move(rules),
                            .dangerous = {.accept_unverified_peers = any_peer}})
                      ->verification());
  };
  otherwise(std::make_shared<Rules>("one"), false);
  otherwise(std::make_shared<Rules>("two"), false);
  otherwise(std::make_shared<Rules>("one"), true);
  otherwise(nullptr, true);
  otherwise(nullptr, true, false);
  for (bool x509::Policy::* rule : {&x509::Policy::require_key_usage,
                                    &x509::Policy::any_purpose_on_ca,
                                    &x509::Policy::any_purpose_on_leaf,
                                    &x509::Policy::accept_partial_chain,
                                    &x509::Policy::require_key_identifiers,
                                    &x509::Policy::refuse_ca_as_leaf,
                                    &x509::Policy::refuse_bad_serial_number,
                                    &x509::Policy::refuse_odd_rsa_size,
                                    &x509::Policy::require_critical_basic_constraints,
                                    &x509::Policy::refuse_critical_alt_name,
                                    &x509::Policy::require_critical_name_constraints,
                                    &x509::Policy::require_purpose,
                                    &x509::Policy::refuse_purpose_on_root,
                                    &x509::Policy::require_common_name_in_alt_names,
                                    &x509::Policy::require_anchor_form,
                                    &x509::Policy::require_version_3,
                                    &x509::Policy::require_critical_alt_name,
                                    &x509::Policy::refuse_underscores,
                                    &x509::Policy::refuse_leading_dot,
                                    &x509::Policy::refuse_ca_fields_in_leaf,
                                    &x509::Policy::require_critical_policy_constraints}) {
    x509::Policy policy;
    policy.*rule = !(policy.*rule);
    all.push_back(verification({&one}, policy));
  }
  std::ranges::sort(all);
  EXPECT_EQ(std::ranges::adjacent_find(all), all.end());
  EXPECT_EQ(verification({}), SessionContext{});
}

// PKCS#1 is for TLS 1.2, and comes last there.
TEST(AnswerSetup, CredentialSignsWithAllThatItsKeyCan) {
  const Authority authority;
  const auto credential = authority.issue({.key = KeyType::rsa});
  EXPECT_EQ(credential->schemes,
            (std::vector{SignatureScheme::rsa_pss_rsae_sha256, SignatureScheme::rsa_pss_rsae_sha384,
                         SignatureScheme::rsa_pss_rsae_sha512, SignatureScheme::rsa_pkcs1_sha256,
                         SignatureScheme::rsa_pkcs1_sha384, SignatureScheme::rsa_pkcs1_sha512,
                         SignatureScheme::rsa_pkcs1_sha1}))
      << "what is signed with of these is the configuration's to say";
}

// --- selection -------------------------------------------------------------------------------------------------------

class Selection : public ::testing::Test {
 protected:
  std::shared_ptr<const Credential> select(std::string_view server_name, std::vector<SignatureScheme> schemes = kAll,
                                           std::vector<SignatureScheme> schemes_cert = {},
                                           std::vector<std::vector<std::uint8_t>> authorities = {},
                                           Role role = Role::server) {
    const std::vector<Bytes> views(authorities.begin(), authorities.end());
    SelectCredential wishes;
    wishes.role = role;
    wishes.server_name = server_name;
    wishes.schemes = schemes;
    wishes.schemes_cert = schemes_cert;
    wishes.certificate_authorities = views;
    return setup_->select(wishes);
  }

  static inline const std::vector<SignatureScheme> kAll{SignatureScheme::ecdsa_secp256r1_sha256,
                                                        SignatureScheme::ed25519, SignatureScheme::rsa_pss_rsae_sha256};
  Authority root_{"CN=Root One"};
  Authority other_root_{"CN=Root Two", KeyType::ed25519};
  std::shared_ptr<const Credential> default_ = root_.issue({.dns = {"default.example"}});
  std::shared_ptr<const Credential> wildcard_ = root_.issue({.dns = {"*.example.com"}});
  std::shared_ptr<const Credential> exact_ = root_.issue({.dns = {"www.example.com"}});
  std::shared_ptr<const Credential> exact_ed_ =
      other_root_.issue({.dns = {"WWW.example.com"}, .key = KeyType::ed25519});
  std::shared_ptr<const AnswerSetup> setup_ =
      setup_of({.provider = provider(), .credentials = {default_, wildcard_, exact_, exact_ed_}});
};

TEST_F(Selection, TakesTheFirstWithoutOrWithAForeignName) {
  EXPECT_EQ(select(""), default_);
  EXPECT_EQ(select("nowhere.example"), default_);
  EXPECT_EQ(select("not a name!"), default_);
}

TEST_F(Selection, PrefersTheNameItselfToAWildcard) {
  EXPECT_EQ(select("www.example.com"), exact_);
  EXPECT_EQ(select("WwW.eXample.com"), exact_);
  EXPECT_EQ(select("mail.example.com"), wildcard_);
  EXPECT_EQ(select("a.b.example.com"), default_) << "a wildcard stands for one label";
  EXPECT_EQ(select("example.com"), default_);
}

TEST_F(Selection, UsesOnlyWhatThePeerCanVerify) {
  EXPECT_EQ(select("www.example.com", {SignatureScheme::ed25519}), exact_ed_);
  EXPECT_EQ(select("", {SignatureScheme::ed25519}), exact_ed_);
  EXPECT_EQ(select("www.example.com", {SignatureScheme::rsa_pss_rsae_sha256}), nullptr);
}

TEST_F(Selection, HeedsTheSchemesForCertificates) {
  // The ECDSA leaf comes first, but the peer verifies certificates signed with Ed25519 only.
  EXPECT_EQ(select("www.example.com", kAll, {SignatureScheme::ed25519}), exact_ed_);
  // Nothing fits: "the server SHOULD continue the handshake by sending the client a certificate chain of its choice".
  EXPECT_EQ(select("www.example.com", kAll, {SignatureScheme::mldsa44}), exact_);
}

TEST_F(Selection, HeedsTheAuthoritiesOfThePeer) {
  EXPECT_EQ(select("www.example.com", kAll, {}, {other_root_.subject()}), exact_ed_);
  const std::vector<std::vector<std::uint8_t>> unknown{Authority("CN=Nobody").subject()};
  EXPECT_EQ(select("www.example.com", kAll, {}, unknown), exact_);
  EXPECT_EQ(select("", kAll, {}, unknown, Role::client), nullptr) << "a client shows nothing to strangers";
  EXPECT_EQ(select("", kAll, {}, {other_root_.subject()}, Role::client), exact_ed_);
  EXPECT_EQ(select("", kAll, {}, {}, Role::client), default_);
}

// A server may list its root alone, and a chain may end below it.
TEST(SelectionOfAClient, KnowsByItsAnchorsWhoStandsAboveItsChain) {
  const Authority root{"CN=Root"};
  const Authority top{"CN=Top"};
  const auto key = make_key();
  // Top has certified Root, and Root the intermediate.
  const auto intermediate = root.certify_authority(*key, "CN=Intermediate");
  const auto cross = top.certify_authority(root.signing_key(), "CN=Root");
  const auto leaf_key = make_key();
  const auto leaf = x509::CertificateBuilder("CN=client")
                        .dns("client.example")
                        .client()
                        .validity(kNowSeconds - kDay, kNowSeconds + kDay)
                        .issued_by(provider(), intermediate, *key, leaf_key->subject_public_key_info(), random())
                        .value();
  const auto alone = make_credential({leaf}, leaf_key);
  const auto led = root.issue({.dns = {"other.example"}, .client = true});
  const auto anchors_of = [](std::initializer_list<Bytes> list) {
    auto anchors = std::make_shared<x509::TrustAnchors>();
    for (const Bytes der : list) EXPECT_TRUE(anchors->add(der));
    return anchors;
  };
  const auto wishes_for = [](std::span<const Bytes> authorities) {
    static const std::vector<SignatureScheme> kSchemes{SignatureScheme::ecdsa_secp256r1_sha256};
    SelectCredential wishes;
    wishes.role = Role::client;
    wishes.schemes = kSchemes;
    wishes.certificate_authorities = authorities;
    return wishes;
  };
  const auto root_name = root.subject();
  const auto top_name = top.subject();
  const std::vector<Bytes> root_listed{root_name};
  const std::vector<Bytes> top_listed{top_name};

  const auto knowing = setup_of(
      {.provider = provider(), .credentials = {alone}, .anchors = anchors_of({root.der(), intermediate, cross})});
  EXPECT_EQ(knowing->select(wishes_for(root_listed)), alone);
  EXPECT_EQ(knowing->select(wishes_for(top_listed)), alone) << "two steps above";
  EXPECT_FALSE(knowing->withheld(wishes_for(root_listed)));

  const auto ignorant = setup_of({.provider = provider(), .credentials = {alone}, .anchors = root.anchors()});
  EXPECT_EQ(ignorant->select(wishes_for(root_listed)), nullptr);
  const auto withheld = ignorant->withheld(wishes_for(root_listed));
  ASSERT_TRUE(withheld);
  EXPECT_EQ(withheld->because, Withheld::Because::certificate_authorities);
  EXPECT_THAT(withheld->text, HasSubstr("the server takes those that lead to CN=Root, and ours leads to "
                                        "CN=Intermediate"));
  // What the chain itself says makes it fit without anchors.
  const auto whole = make_credential({leaf, intermediate}, leaf_key);
  EXPECT_EQ(setup_of({.provider = provider(), .credentials = {whole}})->select(wishes_for(root_listed)), whole);

  // Another whose own chain leads there is the better one, wherever it stands.
  const auto both = setup_of(
      {.provider = provider(), .credentials = {alone, led}, .anchors = anchors_of({root.der(), intermediate, cross})});
  EXPECT_EQ(both->select(wishes_for(root_listed)), led);
}

TEST(SelectionOfAClient, TellsWhatItLacks) {
  const Authority root{"CN=Root"};
  const auto setup = setup_of({.provider = provider(), .credentials = {root.issue({.client = true})}});
  const auto because = [&](SelectCredential& wishes, Role role = Role::client) {
    wishes.role = role;
    const auto withheld = setup->withheld(wishes);
    return withheld ? std::optional(withheld->because) : std::nullopt;
  };
  const std::vector<SignatureScheme> fitting{SignatureScheme::ecdsa_secp256r1_sha256};
  const std::vector<SignatureScheme> other{SignatureScheme::ed25519};
  const std::vector<std::uint8_t> key_usage{0x06, 0x03, 0x55, 0x1d, 0x0f};
  const std::vector<std::uint8_t> key_agreement{0x03, 0x02, 0x03, 0x08};
  const std::vector<OidFilter> filters{{key_usage, key_agreement}};
  const auto stranger = Authority("CN=Stranger").subject();
  const std::vector<Bytes> authorities{stranger};
  SelectCredential wishes;
  wishes.schemes = fitting;
  EXPECT_EQ(because(wishes), std::nullopt);
  wishes.oid_filters = filters;
  EXPECT_EQ(because(wishes), Withheld::Because::oid_filters);
  wishes.certificate_authorities = authorities;
  EXPECT_EQ(because(wishes), Withheld::Because::certificate_authorities);
  wishes.schemes = other;
  EXPECT_EQ(because(wishes), Withheld::Because::schemes);
  EXPECT_EQ(because(wishes, Role::server), std::nullopt) << "a server without a certificate fails";
  wishes.role = Role::client;
  EXPECT_FALSE(setup_of({.provider = provider()})->withheld(wishes)) << "there is none to withhold";
}

TEST_F(Selection, TellsWhatASingleCertificateLacks) {
  SelectCredential wishes;
  wishes.role = Role::server;
  wishes.server_name = "mail.example.com";
  wishes.schemes = kAll;
  const auto because = [&](const std::shared_ptr<const Credential>& credential) {
    const auto lack = unsuitable(credential, wishes);
    return lack ? std::optional(lack->because) : std::nullopt;
  };
  EXPECT_EQ(because(wildcard_), std::nullopt);
  EXPECT_EQ(because(exact_), Withheld::Because::server_name);
  EXPECT_THAT(unsuitable(exact_, wishes)->text, ::testing::HasSubstr("mail.example.com"));
  wishes.server_name = "www.example.com";
  EXPECT_EQ(because(exact_), std::nullopt);
  const std::vector<SignatureScheme> ecdsa{SignatureScheme::ecdsa_secp256r1_sha256};
  wishes.schemes = ecdsa;
  EXPECT_EQ(because(exact_ed_), Withheld::Because::schemes);
  const std::vector<SignatureScheme> rsa{SignatureScheme::rsa_pkcs1_sha256};
  wishes.schemes_cert = rsa;
  EXPECT_EQ(because(exact_), Withheld::Because::schemes_cert);
  wishes.server_name = {};
  wishes.schemes_cert = {};
  EXPECT_EQ(because(exact_), std::nullopt) << "any will do for a client without a name";
  EXPECT_EQ(because(nullptr), Withheld::Because::malformed);
  const auto stranger = Authority("CN=Stranger").subject();
  const std::vector<Bytes> authorities{stranger};
  wishes.role = Role::client;
  wishes.certificate_authorities = authorities;
  EXPECT_EQ(because(exact_), Withheld::Because::certificate_authorities);
}

TEST_F(Selection, KnowsTheNamesThatItHas) {
  for (const std::string_view name : {"", "default.example", "mail.example.com", "WWW.Example.com"})
    EXPECT_TRUE(setup_->has_name(name)) << name;
  for (const std::string_view name : {"nowhere.example", "a.b.example.com", "example.com", "not a name!"})
    EXPECT_FALSE(setup_->has_name(name)) << name;
}

TEST(SelectionOfAClient, HeedsTheFiltersOfTheServer) {
  const Authority root{"CN=Root"};
  const auto of_server = root.issue({.dns = {"a.example"}});
  const auto of_client = root.issue({.dns = {"b.example"}, .client = true});
  const auto setup = setup_of({.provider = provider(), .credentials = {of_server, of_client}});
  const auto select = [&](std::vector<OidFilter> filters) {
    const std::vector<SignatureScheme> schemes{SignatureScheme::ecdsa_secp256r1_sha256};
    SelectCredential wishes;
    wishes.role = Role::client;
    wishes.schemes = schemes;
    wishes.oid_filters = filters;
    return setup->select(wishes);
  };
  using Octets = std::vector<std::uint8_t>;
  const Octets key_usage{0x06, 0x03, 0x55, 0x1d, 0x0f};
  const Octets extended{0x06, 0x03, 0x55, 0x1d, 0x25};
  const Octets unknown{0x06, 0x03, 0x55, 0x1d, 0x63};
  const Octets no_oid{0x55, 0x1d, 0x0f};
  const Octets cut{0x03};
  const Octets digital_signature{0x03, 0x02, 0x07, 0x80};
  const Octets key_agreement{0x03, 0x02, 0x03, 0x08};
  const Octets unknown_usage{0x03, 0x03, 0x05, 0x80, 0x20};
  const Octets client_auth{0x30, 0x0a, 0x06, 0x08, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x02};
  const Octets both{0x30, 0x14, 0x06, 0x08, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03,
                    0x01, 0x06, 0x08, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x02};
  EXPECT_EQ(select({}), of_server);
  EXPECT_EQ(select({{extended, client_auth}}), of_client) << "beyond the first of its kind";
  EXPECT_EQ(select({{key_usage, digital_signature}, {extended, client_auth}}), of_client);
  EXPECT_EQ(select({{extended, {}}}), of_server) << "any purpose";
  EXPECT_EQ(select({{unknown, digital_signature}}), of_server) << "what nobody knows is skipped";
  EXPECT_EQ(select({{key_usage, key_agreement}}), nullptr);
  EXPECT_EQ(select({{key_usage, unknown_usage}}), nullptr) << "a usage that has no name is in no certificate";
  EXPECT_EQ(select({{extended, both}}), nullptr);
  EXPECT_EQ(select({{extended, digital_signature}}), nullptr) << "no purposes";
  EXPECT_EQ(select({{key_usage, cut}}), nullptr);
  EXPECT_EQ(select({{no_oid, {}}}), nullptr);
}

// --- reasons ---------------------------------------------------------------------------------------------------------

TEST(Reasons, EveryCodeHasACertificateReason) {
  EXPECT_EQ(reason_of(x509::Code::ok), Reason::none);
  for (const x509::Code code : x509::all_codes()) {
    if (code == x509::Code::ok) continue;
    if (code == x509::Code::out_of_mem) {  // which says nothing of the certificate
      EXPECT_EQ(reason_of(code), Reason::provider_failed);
      continue;
    }
    EXPECT_THAT(std::string(name(reason_of(code))), ::testing::StartsWith("certificate_")) << x509::name(code);
  }
}

TEST(Reasons, AreTheOnesThatAlertsExistFor) {
  using x509::Code;
  EXPECT_EQ(reason_of(Code::cert_has_expired), Reason::certificate_expired);
  EXPECT_EQ(reason_of(Code::cert_not_yet_valid), Reason::certificate_not_yet_valid);
  EXPECT_EQ(reason_of(Code::unable_to_get_issuer_cert_locally), Reason::certificate_unknown_ca);
  EXPECT_EQ(reason_of(Code::depth_zero_self_signed_cert), Reason::certificate_self_signed);
  EXPECT_EQ(reason_of(Code::hostname_mismatch), Reason::certificate_name_mismatch);
  EXPECT_EQ(reason_of(Code::ip_address_mismatch), Reason::certificate_name_mismatch);
  EXPECT_EQ(reason_of(Code::invalid_purpose), Reason::certificate_wrong_usage);
  EXPECT_EQ(reason_of(Code::cert_signature_failure), Reason::certificate_bad_signature);
  EXPECT_EQ(reason_of(Code::cert_revoked), Reason::certificate_revoked);
  EXPECT_EQ(reason_of(Code::ee_key_too_small), Reason::certificate_weak);
  EXPECT_EQ(reason_of(Code::permitted_violation), Reason::certificate_invalid);
  EXPECT_EQ(reason_of(Code::malformed_certificate), Reason::certificate_malformed);
  EXPECT_EQ(reason_of(Code::cert_chain_too_long), Reason::certificate_chain_too_long);
}
}  // namespace
}  // namespace lockstep::testing
