// The answers, alone and in handshakes in memory.

#include <array>
#include <atomic>
#include <string>
#include <thread>

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
                                  verification({&one}, {.handled_extensions = extensions})};
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

// --- ticket keys -----------------------------------------------------------------------------------------------------

Session some_session() {
  Session session;
  session.suite = CipherSuite::tls_aes_128_gcm_sha256;
  session.secret = DigestSecret(std::size_t{32});
  for (std::uint8_t& byte : session.secret.writable()) byte = 7;
  session.issued_at = fixed_clock();
  session.lifetime = std::chrono::hours(1);
  session.authenticated_at = fixed_clock();
  session.name = dns("example.com");
  return session;
}

TEST(TicketKeyring, OpensWhatItSealedAlsoAfterRotation) {
  const auto keyring = TicketKeyring::create(provider(), random());
  ASSERT_NE(keyring, nullptr);
  const auto ticket = keyring->seal(some_session(), random());
  ASSERT_TRUE(ticket);
  ASSERT_TRUE(keyring->rotate(TicketKey::generate(random()).value()));
  const auto session = keyring->open(*ticket);
  ASSERT_TRUE(session);
  EXPECT_EQ(session->name, dns("example.com"));
  EXPECT_TRUE(equal(session->secret.view(), some_session().secret.view()));
}

TEST(TicketKeyring, TakesNoKeysWithoutASecret) {
  const auto keyring = TicketKeyring::create(provider(), random());
  const auto ticket = keyring->seal(some_session(), random()).value();
  TicketKey given = TicketKey::generate(random()).value();
  ASSERT_TRUE(keyring->rotate(std::move(given)));
  EXPECT_EQ(keyring->rotate(std::move(given)).error(), TicketError::no_secret);
  EXPECT_EQ(keyring->add_previous(std::move(given)).error(), TicketError::no_secret);
  TicketKeys keys = TicketKeys::create(provider(), TicketKey::generate(random()).value()).value();
  const TicketKeyring own(std::move(keys));
  EXPECT_EQ(keyring->replace(std::move(keys)).error(), TicketError::no_secret);
  EXPECT_TRUE(keyring->open(ticket)) << "what was there stays";
  EXPECT_EQ(TicketKeyring(std::move(keys)).seal(some_session(), random()).error(), TicketError::no_secret);
}

TEST(TicketKeyring, RefusesForgedAndForeignTickets) {
  const auto keyring = TicketKeyring::create(provider(), random());
  auto ticket = keyring->seal(some_session(), random()).value();
  ticket.back() ^= 1U;
  EXPECT_EQ(keyring->open(ticket).error(), TicketError::invalid);
  ticket.back() ^= 1U;
  EXPECT_EQ(TicketKeyring::create(provider(), random())->open(ticket).error(), TicketError::unknown_key);
  EXPECT_EQ(keyring->open(Bytes(ticket).first(5)).error(), TicketError::malformed);
  EXPECT_FALSE(keyring->open({}));
}

TEST(TicketKeyring, RotatesUnderTheHandsOfOthers) {
  const auto keyring = TicketKeyring::create(provider(), random());
  std::atomic<bool> done{false};
  std::atomic<int> opened{0};
  std::atomic<int> refused{0};
  std::thread user([&] {
    while (!done || opened == 0) {
      const auto ticket = keyring->seal(some_session(), random());
      if (!ticket) continue;
      ++(keyring->open(*ticket) ? opened : refused);
    }
  });
  // At most kMaxKeys - 1 rotations fit between one sealing and its opening without the key being forgotten.
  for (int i = 0; i < 50; ++i) {
    EXPECT_TRUE(keyring->rotate(TicketKey::generate(random()).value()));
    std::this_thread::yield();
  }
  done = true;
  user.join();
  EXPECT_GT(opened, 0);
  RecordProperty("refused", refused);
}

// --- sessions under ids ----------------------------------------------------------------------------------------------

Session session_with_id(std::uint8_t id) {
  Session session = some_session();
  session.session_id.assign(32, id);
  return session;
}

std::optional<PreSharedKey> found_in(const PskTable& psks, std::string_view identity) {
  FindPsk question;
  question.identity = as_bytes(identity);
  return psks.find(question);
}

TEST(PskTable, FindsWhatWasAdded) {
  PskTable psks;
  EXPECT_FALSE(psks.select({}));
  EXPECT_TRUE(psks.add("b", as_bytes("key of b")));
  EXPECT_TRUE(psks.add("a", as_bytes("key of a")));
  EXPECT_FALSE(psks.add("a", as_bytes("another"))) << "it is there";
  EXPECT_FALSE(psks.add("c", {})) << "no key";
  EXPECT_FALSE(psks.add("c", std::vector<std::uint8_t>(kMaxPskSize + 1)));
  EXPECT_FALSE(psks.add(std::string(kMaxPskIdentity + 1, 'c'), as_bytes("key")));
  EXPECT_TRUE(psks.add(std::string(kMaxPskIdentity, 'c'), std::vector<std::uint8_t>(kMaxPskSize)));
  EXPECT_EQ(psks.size(), 3U);
  const auto found = found_in(psks, "a");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->identity, "a");
  EXPECT_EQ(as_text(found->key.view()), "key of a");
  ASSERT_TRUE(psks.select({}));
  EXPECT_EQ(psks.select({})->identity, "b") << "the first that was added";
  EXPECT_TRUE(psks.remove("b"));
  EXPECT_FALSE(psks.remove("b"));
  EXPECT_FALSE(found_in(psks, "b"));
  EXPECT_EQ(psks.select({})->identity, "a");
}

TEST(PskTable, ReadsLines) {
  PskTable psks;
  EXPECT_TRUE(psks.add_lines("# keys\r\n\r\nsensor:7:00fF10\r\n:01\nlast:AB"));
  EXPECT_EQ(psks.size(), 3U);
  const std::vector<std::uint8_t> key{0x00, 0xff, 0x10};
  ASSERT_TRUE(found_in(psks, "sensor:7"));
  EXPECT_TRUE(equal(found_in(psks, "sensor:7")->key.view(), key));
  EXPECT_TRUE(found_in(psks, ""));
  EXPECT_TRUE(found_in(psks, "last"));
  struct Case {
    std::string_view line;
    std::string_view says;
  };
  for (const Case& wrong : {Case{"a", "no colon"}, Case{"a:", "hexadecimal"}, Case{"a:0", "hexadecimal"},
                            Case{"a:0g", "hexadecimal"}, Case{"last:01", "there already"}}) {
    const auto added = psks.add_lines("\n" + std::string(wrong.line));
    ASSERT_FALSE(added) << wrong.line;
    EXPECT_EQ(added.error().line, 2U);
    EXPECT_THAT(added.error().text, HasSubstr(std::string(wrong.says)));
  }
  EXPECT_FALSE(psks.add_lines("a:" + std::string(2 * kMaxPskSize + 2, '0')));
  EXPECT_FALSE(psks.add_lines(std::string(kMaxPskIdentity + 1, 'a') + ":00"));
  EXPECT_EQ(psks.size(), 3U);
}

TEST(SessionStore, LetsGoWhatWasUsedLongestAgo) {
  SessionStore store(2);
  const auto has = [&](std::uint8_t id) { return store.find(session_with_id(id).session_id).has_value(); };
  EXPECT_TRUE(store.put(session_with_id(1)));
  EXPECT_TRUE(store.put(session_with_id(2)));
  EXPECT_TRUE(has(1));
  EXPECT_TRUE(store.put(session_with_id(3)));
  EXPECT_EQ(store.size(), 2U);
  EXPECT_FALSE(has(2));
  EXPECT_TRUE(has(1));
  EXPECT_TRUE(has(3));

  Session again = session_with_id(1);
  again.alpn = "h2";
  EXPECT_TRUE(store.put(std::move(again)));
  EXPECT_EQ(store.size(), 2U);
  EXPECT_EQ(store.find(session_with_id(1).session_id)->alpn, "h2");
  EXPECT_TRUE(has(3));

  EXPECT_TRUE(store.forget(session_with_id(3).session_id));
  EXPECT_FALSE(store.forget(session_with_id(3).session_id));
  EXPECT_FALSE(has(3));
  EXPECT_EQ(store.size(), 1U);
}

TEST(SessionStore, KeepsNothingThatIsTooLongOrNameless) {
  SessionStore store;
  EXPECT_FALSE(store.put(some_session()));
  Session long_one = session_with_id(1);
  long_one.identity.resize(SessionStore::kMaxSession);
  EXPECT_FALSE(store.put(std::move(long_one)));
  EXPECT_EQ(store.size(), 0U);
  EXPECT_FALSE(SessionStore(0).put(session_with_id(1)));
}

// --- handshakes in memory --------------------------------------------------------------------------------------------

/// One end: an engine, its answers, and what the other end sent it.
struct End {
  End(Connection c, std::shared_ptr<const AnswerSetup> setup)
      : connection(std::move(c)), answers(std::move(setup), random()) {}

  /// Moves bytes to the peer and lets it work on them; false when nothing moved.
  bool transmit_to(End& peer) {
    std::vector<std::uint8_t> buffer(4096);
    bool moved = false;
    while (const std::size_t n = connection.transmit(buffer, fixed_clock())) {
      peer.inbound.insert(peer.inbound.end(), buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(n));
      moved = true;
    }
    peer.work();
    return moved;
  }
  void work() {
    for (;;) {
      auto [consumed, event] = connection.receive(inbound, fixed_clock());
      const bool answered = answers.answer(connection, event);
      if (answered) ++answered_count;
      const bool nothing = std::holds_alternative<Nothing>(event);
      if (auto* session = std::get_if<SessionReceived>(&event)) sessions.push_back(std::move(session->session));
      if (const auto* complete = std::get_if<HandshakeComplete>(&event)) {
        ocsp_response.assign(complete->ocsp_response.begin(), complete->ocsp_response.end());
        peer_identity.assign(complete->peer_identity.begin(), complete->peer_identity.end());
      }
      if (const auto* data = std::get_if<EarlyData>(&event)) {
        for (const Bytes segment : data->segments()) early += as_text(segment);
      }
      const bool failed = std::holds_alternative<Failed>(event);
      inbound.erase(inbound.begin(), inbound.begin() + static_cast<std::ptrdiff_t>(consumed));
      if ((nothing && !answered) || failed) return;
    }
  }

  Connection connection;
  Answers answers;
  std::vector<std::uint8_t> inbound;
  std::vector<Session> sessions;
  std::vector<std::uint8_t> ocsp_response;
  std::vector<std::uint8_t> peer_identity;
  std::string early;  ///< data that came as such
  int answered_count = 0;
};

struct Pair {
  End client;
  End server;

  Pair(std::shared_ptr<const ClientConfig> client_side, std::shared_ptr<const AnswerSetup> client_setup,
       std::shared_ptr<const ServerConfig> server_side, std::shared_ptr<const AnswerSetup> server_setup,
       std::string_view name = "example.com", std::span<Session> sessions = {}, std::string_view early = {})
      : client(
            Connection::client(std::move(client_side),
                               {.name = dns(name), .sessions = sessions, .verification = client_setup->verification()},
                               random(), fixed_clock()),
            client_setup),
        server(Connection::server(std::move(server_side), random(), {}, {.verification = server_setup->verification()}),
               server_setup) {
    if (!early.empty()) {
      std::vector<std::uint8_t> buffer(Connection::kMaxRecord);
      const Bytes plaintext = as_bytes(early);
      const auto sealed = client.connection.seal_early({&plaintext, 1}, buffer, fixed_clock());
      EXPECT_TRUE(sealed && sealed->consumed == early.size());
      server.inbound.assign(buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(sealed->written));
    }
    for (int round = 0; round < 20; ++round) {
      const bool there = client.transmit_to(server);
      const bool back = server.transmit_to(client);
      if (!there && !back) return;
    }
    ADD_FAILURE() << "the handshake does not end";
  }
};

class Handshake : public ::testing::Test {
 protected:
  std::shared_ptr<const AnswerSetup> trusting() const {
    return setup_of({.provider = provider(), .anchors = root_.anchors()});
  }
  std::shared_ptr<const AnswerSetup> showing(std::shared_ptr<const Credential> credential) const {
    return setup_of({.provider = provider(), .credentials = {std::move(credential)}});
  }
  /// The client must refuse, and tell the server why.
  void expect_refused(const Pair& pair, Reason reason, x509::Code code, Alert alert) {
    const Error* error = pair.client.connection.error();
    ASSERT_NE(error, nullptr);
    EXPECT_EQ(error->reason, reason) << to_text(*error);
    EXPECT_EQ(error->detail, static_cast<std::uint16_t>(code));
    EXPECT_EQ(error->alert, alert);
    ASSERT_TRUE(pair.client.answers.verdict());
    EXPECT_EQ(pair.client.answers.verdict()->code, code);
    const std::string text = to_text(*error, pair.client.answers);
    EXPECT_EQ(text, to_text(*error, pair.client.answers.verdict()));
    EXPECT_THAT(text, HasSubstr(std::string(x509::name(code)))) << "the verdict's text, and its advice alone";
    EXPECT_THAT(text, HasSubstr(std::string(x509::advice(code))));
    EXPECT_THAT(text, ::testing::Not(HasSubstr(std::string(advise(reason)))));
    EXPECT_THAT(text, ::testing::Not(HasSubstr("X.509 code"))) << "it has its name";
    const Error* at_server = pair.server.connection.error();
    ASSERT_NE(at_server, nullptr);
    EXPECT_EQ(at_server->reason, Reason::peer_alert);
    EXPECT_EQ(at_server->alert, alert);
    EXPECT_EQ(at_server->origin, Origin::peer);
  }

  Authority root_;
};

TEST_F(Handshake, VerifiesAndKeepsTheChain) {
  const auto credential = root_.issue({});
  const Pair pair(built(client_config()), trusting(), built(server_config()), showing(credential));
  ASSERT_TRUE(pair.client.connection.connected());
  ASSERT_TRUE(pair.server.connection.connected());
  ASSERT_TRUE(pair.client.answers.verdict());
  EXPECT_TRUE(pair.client.answers.verdict()->ok());
  ASSERT_EQ(pair.client.answers.peer_chain().size(), 1U);
  EXPECT_TRUE(equal(pair.client.answers.peer_chain()[0], credential->chain[0]));
  ASSERT_EQ(pair.client.answers.verdict()->chain.size(), 2U);
  EXPECT_TRUE(equal(pair.client.answers.verdict()->chain[1].der(), root_.der()));
}

TEST_F(Handshake, ForgetsTheChainWhenToldTo) {
  const auto setup = setup_of({.provider = provider(), .anchors = root_.anchors(), .keep_peer_chain = false});
  const Pair pair(built(client_config()), setup, built(server_config()), showing(root_.issue({})));
  ASSERT_TRUE(pair.client.connection.connected());
  EXPECT_TRUE(pair.client.answers.verdict()->ok());
  EXPECT_TRUE(pair.client.answers.peer_chain().empty());
  EXPECT_TRUE(pair.client.answers.verdict()->chain.empty());
}

TEST_F(Handshake, RefusesAnUnknownAuthority) {
  const Authority stranger("CN=Stranger");
  const Pair pair(built(client_config()), trusting(), built(server_config()), showing(stranger.issue({})));
  expect_refused(pair, Reason::certificate_unknown_ca, x509::Code::unable_to_get_issuer_cert_locally,
                 Alert::unknown_ca);
}

TEST_F(Handshake, RefusesEverybodyWithoutAnchors) {
  const Pair pair(built(client_config()), setup_of({.provider = provider()}), built(server_config()),
                  showing(root_.issue({})));
  expect_refused(pair, Reason::certificate_unknown_ca, x509::Code::unable_to_get_issuer_cert_locally,
                 Alert::unknown_ca);
}

TEST_F(Handshake, RefusesAnotherHost) {
  const Pair pair(built(client_config()), trusting(), built(server_config()), showing(root_.issue({})), "example.org");
  expect_refused(pair, Reason::certificate_name_mismatch, x509::Code::hostname_mismatch, Alert::bad_certificate);
}

TEST_F(Handshake, RefusesAnExpiredCertificate) {
  const Pair pair(built(client_config()), trusting(), built(server_config()),
                  showing(root_.issue({.not_after = kNowSeconds - 1})));
  expect_refused(pair, Reason::certificate_expired, x509::Code::cert_has_expired, Alert::certificate_expired);
}

TEST_F(Handshake, RefusesACertificateForAnotherUse) {
  const Pair pair(built(client_config()), trusting(), built(server_config()), showing(root_.issue({.client = true})));
  expect_refused(pair, Reason::certificate_wrong_usage, x509::Code::invalid_purpose, Alert::unsupported_certificate);
}

TEST_F(Handshake, AsksNobodyWhenVerificationIsSkipped) {
  auto builder = client_config();
  builder.dangerous().skip_verification();
  const Pair pair(built(builder), setup_of({.provider = provider()}), built(server_config()),
                  showing(Authority("CN=Stranger").issue({})));
  EXPECT_TRUE(pair.client.connection.connected());
  EXPECT_FALSE(pair.client.answers.verdict()) << "nothing was verified, so there is no verdict";
}

TEST_F(Handshake, TellsAClientWhyItsCertificateWasWithheld) {
  const Authority stranger("CN=Stranger");
  const auto server_setup =
      setup_of({.provider = provider(), .credentials = {root_.issue({})}, .anchors = root_.anchors()});
  const auto server_side =
      built(server_config().client_auth(ClientAuth::require).certificate_authorities({root_.subject()}));
  const auto with = [&](std::vector<std::shared_ptr<const Credential>> credentials) {
    return Pair(built(client_config()),
                setup_of({.provider = provider(), .credentials = std::move(credentials), .anchors = root_.anchors()}),
                server_side, server_setup);
  };
  {
    const Pair pair = with({stranger.issue({.client = true})});
    ASSERT_NE(pair.client.answers.withheld(), nullptr);
    EXPECT_EQ(pair.client.answers.withheld()->because, Withheld::Because::certificate_authorities);
    const Error* error = pair.client.connection.error();
    ASSERT_NE(error, nullptr);
    EXPECT_EQ(error->alert, Alert::certificate_required);
    const std::string text = to_text(*error, pair.client.answers);
    EXPECT_THAT(text, HasSubstr("No certificate of ours was sent: the server takes those that lead to CN=Test Root, "
                                "and ours leads to CN=Stranger."));
    EXPECT_THAT(text, ::testing::Not(HasSubstr(std::string(advise(*error))))) << "one advice";
  }
  {
    const Pair pair = with({});
    EXPECT_EQ(pair.client.answers.withheld(), nullptr);
    const Error* error = pair.client.connection.error();
    ASSERT_NE(error, nullptr);
    EXPECT_THAT(to_text(*error, pair.client.answers), HasSubstr("Configure a certificate that it accepts"));
  }
  {
    const Pair pair(
        built(client_config().signing_schemes({SignatureScheme::ed25519})),
        setup_of({.provider = provider(), .credentials = {root_.issue({.client = true})}, .anchors = root_.anchors()}),
        server_side, server_setup);
    ASSERT_NE(pair.client.answers.withheld(), nullptr);
    EXPECT_EQ(pair.client.answers.withheld()->because, Withheld::Because::own_schemes);
  }
  {
    const Pair pair = with({stranger.issue({.client = true}), root_.issue({.client = true})});
    EXPECT_EQ(pair.client.answers.withheld(), nullptr);
    EXPECT_TRUE(pair.server.connection.connected());
  }
}

TEST_F(Handshake, ShowsAndTakesLargeCertificatesByDefault) {
  for (const std::size_t size : {77'000U, 102'400U, 130'000U}) {
    SCOPED_TRACE(size);
    const auto of_server = root_.issue({.filler = size});
    const auto of_client = root_.issue({.client = true, .filler = size});
    const Pair pair(built(client_config()),
                    setup_of({.provider = provider(), .credentials = {of_client}, .anchors = root_.anchors()}),
                    built(server_config().client_auth(ClientAuth::require)),
                    setup_of({.provider = provider(), .credentials = {of_server}, .anchors = root_.anchors()}));
    for (const Connection* connection : {&pair.client.connection, &pair.server.connection})
      EXPECT_EQ(connection->error(), nullptr) << to_text(*connection->error());
    EXPECT_TRUE(pair.server.connection.connected());
  }
}

TEST_F(Handshake, FailsWithoutACredential) {
  const Pair pair(built(client_config()), trusting(), built(server_config()), setup_of({.provider = provider()}));
  ASSERT_NE(pair.server.connection.error(), nullptr);
  EXPECT_EQ(pair.server.connection.error()->reason, Reason::no_credential);
}

TEST_F(Handshake, FailsWhenTheKeyIsMissing) {
  const auto credential = root_.issue({});
  const auto keyless = std::make_shared<const Credential>(Credential{credential->chain, credential->schemes, nullptr});
  const Pair pair(built(client_config()), trusting(), built(server_config()), showing(keyless));
  ASSERT_NE(pair.server.connection.error(), nullptr);
  EXPECT_EQ(pair.server.connection.error()->reason, Reason::signing_failed);
}

TEST_F(Handshake, VerifiesClients) {
  const auto server_side = built(server_config().client_auth(ClientAuth::require));
  const auto server_setup =
      setup_of({.provider = provider(), .credentials = {root_.issue({})}, .anchors = root_.anchors()});
  const auto client_setup = [&](std::shared_ptr<const Credential> credential) {
    return setup_of({.provider = provider(), .credentials = {std::move(credential)}, .anchors = root_.anchors()});
  };
  const auto credential = root_.issue({.client = true});
  const Pair good(built(client_config()), client_setup(credential), server_side, server_setup);
  ASSERT_TRUE(good.server.connection.connected());
  ASSERT_EQ(good.server.answers.peer_chain().size(), 1U);
  EXPECT_TRUE(equal(good.server.answers.peer_chain()[0], credential->chain[0]));
  EXPECT_EQ(good.server.answers.verdict()->name.kind(), x509::PeerName::Kind::any);

  const Pair wrong_use(built(client_config()), client_setup(root_.issue({})), server_side, server_setup);
  ASSERT_NE(wrong_use.server.connection.error(), nullptr);
  EXPECT_EQ(wrong_use.server.connection.error()->reason, Reason::certificate_wrong_usage);
  ASSERT_NE(wrong_use.client.connection.error(), nullptr);
  EXPECT_EQ(wrong_use.client.connection.error()->alert, Alert::unsupported_certificate);

  const Pair none(built(client_config()), trusting(), server_side, server_setup);
  ASSERT_NE(none.server.connection.error(), nullptr);
  EXPECT_EQ(none.server.connection.error()->reason, Reason::certificate_required);
}

// A listener for partners and one for administrators, which share the keys of their tickets.
TEST_F(Handshake, ResumesNoClientOfAnotherListener) {
  const auto keyring = TicketKeyring::create(provider(), random());
  const Authority administrators("CN=Administrators");
  const auto listener = [&](std::shared_ptr<const x509::TrustAnchors> anchors, const x509::Policy& policy = {}) {
    return setup_of({.provider = provider(),
                     .credentials = {root_.issue({})},
                     .anchors = std::move(anchors),
                     .policy = policy,
                     .ticket_keys = keyring});
  };
  const auto partner =
      setup_of({.provider = provider(), .credentials = {root_.issue({.client = true})}, .anchors = root_.anchors()});
  const auto client_side = built(client_config());
  const auto server_side = built(server_config().client_auth(ClientAuth::require));
  const auto sessions_of_partner = [&] {
    Pair first(client_side, partner, server_side, listener(root_.anchors()));
    EXPECT_TRUE(first.server.connection.connected());
    return std::move(first.client.sessions);
  };
  auto sessions = sessions_of_partner();
  const Pair again(client_side, partner, server_side, listener(root_.anchors()), "example.com", sessions);
  EXPECT_TRUE(again.server.connection.resumed());
  EXPECT_TRUE(again.server.connection.connected());

  sessions = sessions_of_partner();
  const Pair other(client_side, partner, server_side, listener(administrators.anchors()), "example.com", sessions);
  EXPECT_FALSE(other.server.connection.resumed());
  ASSERT_NE(other.server.connection.error(), nullptr);
  EXPECT_EQ(other.server.connection.error()->reason, Reason::certificate_unknown_ca);

  // The setup of one listener, exchanged for one that demands more of the same clients.
  sessions = sessions_of_partner();
  const Pair stricter(client_side, partner, server_side,
                      listener(root_.anchors(), {.require_common_name_in_alt_names = true}), "example.com", sessions);
  EXPECT_FALSE(stricter.server.connection.resumed());
}

TEST_F(Handshake, OffersNoSessionUnderOtherAnchors) {
  const auto keyring = TicketKeyring::create(provider(), random());
  const auto server_setup =
      setup_of({.provider = provider(), .credentials = {root_.issue({})}, .ticket_keys = keyring});
  Pair first(built(client_config()), trusting(), built(server_config()), server_setup);
  ASSERT_TRUE(first.client.connection.connected());
  const Authority other("CN=Other Root");
  const Pair second(built(client_config()), setup_of({.provider = provider(), .anchors = other.anchors()}),
                    built(server_config()), server_setup, "example.com", first.client.sessions);
  ASSERT_NE(second.client.connection.error(), nullptr);
  EXPECT_EQ(second.client.connection.error()->reason, Reason::certificate_unknown_ca);
}

TEST_F(Handshake, SaysWhoTheClientIsAndUntilWhen) {
  const auto keyring = TicketKeyring::create(provider(), random());
  const auto credential = root_.issue({.not_after = kNowSeconds + kDay, .client = true});
  const auto client_setup = setup_of({.provider = provider(), .credentials = {credential}, .anchors = root_.anchors()});
  const auto server_setup = setup_of({.provider = provider(),
                                      .credentials = {root_.issue({.not_after = kNowSeconds + 2 * kDay})},
                                      .anchors = root_.anchors(),
                                      .ticket_keys = keyring});
  const auto server_side = built(server_config().client_auth(ClientAuth::require));
  Pair first(built(client_config()), client_setup, server_side, server_setup);
  ASSERT_EQ(first.client.sessions.size(), 2U);
  const auto sealed = keyring->open(first.client.sessions[0].ticket);
  ASSERT_TRUE(sealed);
  EXPECT_EQ(sealed->identity, credential->chain[0]);
  // The last second in which a certificate is valid counts as a whole.
  EXPECT_EQ(sealed->verified_until, Time(std::chrono::seconds(kNowSeconds + kDay + 1)));
  EXPECT_EQ(first.client.sessions[0].verified_until, Time(std::chrono::seconds(kNowSeconds + 2 * kDay + 1)));
  EXPECT_TRUE(first.client.sessions[0].identity.empty());
  EXPECT_EQ(first.server.peer_identity, credential->chain[0]);
  const Pair second(built(client_config()), client_setup, server_side, server_setup, "example.com",
                    first.client.sessions);
  EXPECT_TRUE(second.server.connection.resumed());
  EXPECT_EQ(second.server.peer_identity, credential->chain[0]);
}

TEST_F(Handshake, ResumesByTicketUntilTheKeysAreGone) {
  const auto keyring = TicketKeyring::create(provider(), random());
  const auto server_setup =
      setup_of({.provider = provider(), .credentials = {root_.issue({})}, .ticket_keys = keyring});
  const auto client_side = built(client_config());
  const auto server_side = built(server_config());
  Pair first(client_side, trusting(), server_side, server_setup);
  ASSERT_TRUE(first.client.connection.connected());
  ASSERT_EQ(first.client.sessions.size(), 2U);

  ASSERT_TRUE(keyring->rotate(TicketKey::generate(random()).value()));
  Pair second(client_side, trusting(), server_side, server_setup, "example.com",
              std::span(first.client.sessions).first(1));
  ASSERT_TRUE(second.client.connection.connected());
  EXPECT_TRUE(second.client.connection.resumed());
  EXPECT_TRUE(second.server.connection.resumed());

  ASSERT_TRUE(keyring->replace(TicketKeys::create(provider(), TicketKey::generate(random()).value()).value()));
  const Pair third(client_side, trusting(), server_side, server_setup, "example.com",
                   std::span(first.client.sessions).subspan(1));
  ASSERT_TRUE(third.client.connection.connected());
  EXPECT_FALSE(third.client.connection.resumed());
}

TEST_F(Handshake, ResumesByIdUntilAConnectionFails) {
  const auto store = std::make_shared<SessionStore>();
  const auto server_setup =
      setup_of({.provider = provider(), .credentials = {root_.issue({})}, .session_store = store});
  const auto client_side = built(client_config().versions(ProtocolVersion::tls_1_2, ProtocolVersion::tls_1_2));
  const auto server_side = built(server_config().tickets(0).session_ids(true));
  Pair first(client_side, trusting(), server_side, server_setup);
  ASSERT_TRUE(first.client.connection.connected());
  ASSERT_EQ(first.client.sessions.size(), 1U);
  EXPECT_EQ(store->size(), 1U);

  const auto resumed = [&] {
    std::array<Session, 1> offered{first.client.sessions.front().clone()};
    return std::make_unique<Pair>(client_side, trusting(), server_side, server_setup, "example.com", offered);
  };
  auto second = resumed();
  ASSERT_TRUE(second->server.connection.connected());
  EXPECT_TRUE(second->server.connection.resumed());
  EXPECT_EQ(store->size(), 1U);

  // RFC 5246 7.2.2: a fatal alert ends the session as well.
  second->client.connection.cancel(Alert::internal_error);
  second->client.transmit_to(second->server);
  ASSERT_NE(second->server.connection.error(), nullptr);
  EXPECT_EQ(store->size(), 0U);
  auto third = resumed();
  ASSERT_TRUE(third->server.connection.connected());
  EXPECT_FALSE(third->server.connection.resumed());
  // The other end of a connection that was fully negotiated fails: it takes its own session along.
  EXPECT_EQ(store->size(), 1U);
  third->client.connection.cancel(Alert::internal_error);
  third->client.transmit_to(third->server);
  EXPECT_EQ(store->size(), 0U);
}

TEST_F(Handshake, KnowsItsPeerByAPreSharedKey) {
  const std::vector suites{CipherSuite::tls_ecdhe_psk_with_chacha20_poly1305_sha256};
  const auto client_side = built(client_config().suites(suites));
  const auto server_side = built(server_config().suites(suites));
  const auto setup_with = [](std::string_view lines) {
    auto psks = std::make_shared<PskTable>();
    EXPECT_TRUE(psks->add_lines(lines));
    return setup_of({.provider = provider(), .psks = psks});
  };
  const auto knowing = setup_with("sensor 6:0001\nsensor 7:0102030405060708\n");
  const Pair pair(client_side, setup_with("sensor 7:0102030405060708\nsensor 6:01\n"), server_side, knowing);
  ASSERT_TRUE(pair.client.connection.connected());
  ASSERT_TRUE(pair.server.connection.connected());
  EXPECT_EQ(as_text(pair.server.peer_identity), "sensor 7");

  const Pair unknown(client_side, setup_with("sensor 8:01"), server_side, knowing);
  ASSERT_NE(unknown.server.connection.error(), nullptr);
  EXPECT_EQ(unknown.server.connection.error()->reason, Reason::psk_mismatch);
  const Pair without(client_side, trusting(), server_side, knowing);
  ASSERT_NE(without.client.connection.error(), nullptr);
  EXPECT_EQ(without.client.connection.error()->reason, Reason::no_psk);
  const Pair nobody(client_side, setup_with("sensor 7:01"),
                    built(server_config().suites(suites).tell_unknown_psk(true)), trusting());
  ASSERT_NE(nobody.server.connection.error(), nullptr);
  EXPECT_EQ(nobody.server.connection.error()->reason, Reason::psk_identity_unknown);
}

TEST_F(Handshake, ShowsWhatIsStapled) {
  Credential stapled = *root_.issue({});
  stapled.ocsp_response = {0x30, 0x03, 0x0a, 0x01, 0x00};
  const auto asking = built(client_config().ocsp_stapling(true));
  const auto server_side = built(server_config());
  const auto server_setup = showing(std::make_shared<const Credential>(stapled));
  const auto reading = setup_of({.provider = provider(), .anchors = root_.anchors(), .ignore_stapled_responses = true});
  const Pair pair(asking, reading, server_side, server_setup);
  ASSERT_TRUE(pair.client.connection.connected());
  EXPECT_EQ(pair.client.ocsp_response, stapled.ocsp_response);
  // Where nobody says that, a response that nobody judges is not taken for a good one.
  const Pair careful(asking, trusting(), server_side, server_setup);
  ASSERT_NE(careful.client.connection.error(), nullptr);
  EXPECT_EQ(careful.client.connection.error()->reason, Reason::certificate_status);
  EXPECT_EQ(careful.client.connection.error()->alert, Alert::bad_certificate_status_response);
}

TEST_F(Handshake, VerifiesAgainWhenResuming) {
  const auto server_setup = setup_of({.provider = provider(),
                                      .credentials = {root_.issue({})},
                                      .ticket_keys = TicketKeyring::create(provider(), random())});
  const auto client_side = built(client_config().verify_on_resumption(true));
  const auto server_side = built(server_config());
  Pair first(client_side, trusting(), server_side, server_setup);
  ASSERT_EQ(first.client.sessions.size(), 2U);
  Pair second(client_side, trusting(), server_side, server_setup, "example.com",
              std::span(first.client.sessions).first(1));
  EXPECT_TRUE(second.client.connection.connected());
  EXPECT_TRUE(second.client.connection.resumed());
  ASSERT_TRUE(second.client.answers.verdict());
  EXPECT_TRUE(second.client.answers.verdict()->ok());
  // Whoever trusts nobody by then refuses.
  const Pair third(client_side, setup_of({.provider = provider()}), server_side, server_setup, "example.com",
                   std::span(first.client.sessions).subspan(1));
  ASSERT_NE(third.client.connection.error(), nullptr);
  EXPECT_EQ(third.client.connection.error()->alert, Alert::unknown_ca);
}

// Tickets are an offer: that one cannot be made or finds no room ends no connection.
TEST_F(Handshake, GivesOnlyTicketsThatFit) {
  const auto server_setup = setup_of({.provider = provider(),
                                      .credentials = {root_.issue({})},
                                      .anchors = root_.anchors(),
                                      .ticket_keys = TicketKeyring::create(provider(), random()),
                                      .ignore_stapled_responses = true});
  struct Case {
    std::size_t staple;
    std::size_t memory;
    std::size_t tickets;
  };
  constexpr std::size_t kPlenty = std::size_t{1} << 20U;
  // RFC 9846 4.7.1: "opaque ticket<1..2^16-1>"; the certificate is the rest of it.
  for (const auto [staple, memory, tickets] :
       {Case{10'000, kDefaultHandshakeMemory, 2}, Case{60'000, kDefaultHandshakeMemory, 1}, Case{60'000, kPlenty, 2},
        Case{65'400, kPlenty, 0}}) {
    SCOPED_TRACE(staple);
    Credential large = *root_.issue({.client = true});
    large.ocsp_response.assign(staple, 0x30);
    Pair pair(built(client_config().handshake_memory(kPlenty)),
              setup_of({.provider = provider(),
                        .credentials = {std::make_shared<const Credential>(large)},
                        .anchors = root_.anchors()}),
              built(server_config()
                        .client_auth(ClientAuth::require)
                        .ocsp_stapling(true)
                        .verify_on_resumption(true)
                        .max_handshake_message(70'000)
                        .handshake_memory(memory)),
              server_setup);
    EXPECT_EQ(pair.server.connection.error(), nullptr);
    EXPECT_TRUE(pair.client.connection.connected());
    EXPECT_TRUE(pair.server.connection.connected());
    EXPECT_EQ(pair.client.sessions.size(), tickets);
  }
}

TEST_F(Handshake, AcceptsEarlyDataOnlyWithAGuardAndOnce) {
  const auto keyring = TicketKeyring::create(provider(), random());
  const auto credential = root_.issue({});
  const auto server_with = [&](std::shared_ptr<ReplayGuard> guard) {
    return setup_of({.provider = provider(),
                     .credentials = {credential},
                     .ticket_keys = keyring,
                     .replay_guard = std::move(guard)});
  };
  const auto guard = ReplayGuard::create(provider(), random(), fixed_clock() - std::chrono::hours(1)).value();
  const auto fresh = ReplayGuard::create(provider(), random(), fixed_clock()).value();
  const auto client_side = built(client_config().early_data(1000));
  const auto server_side = built(server_config().early_data(1000));
  Pair first(client_side, trusting(), server_side, server_with(guard));
  ASSERT_EQ(first.client.sessions.size(), 2U);
  EXPECT_EQ(first.server.connection.early_data(), EarlyDataStatus::none);

  const Session& session = first.client.sessions.front();
  const auto attempt = [&](const std::shared_ptr<const AnswerSetup>& setup,
                           std::chrono::seconds tolerance = kDefaultEarlyDataTolerance) {
    std::vector<Session> sessions;
    sessions.push_back(session.clone());
    Pair pair(client_side, trusting(), built(server_config().early_data(1000, tolerance)), setup, "example.com",
              sessions, "sent early");
    EXPECT_TRUE(pair.server.connection.connected());
    EXPECT_TRUE(pair.server.connection.resumed());
    const bool accepted = pair.server.connection.early_data() == EarlyDataStatus::accepted;
    EXPECT_EQ(pair.client.connection.early_data(), pair.server.connection.early_data());
    EXPECT_EQ(pair.server.early, accepted ? "sent early" : "");
    return pair.server.connection.early_data();
  };
  EXPECT_EQ(attempt(server_with(nullptr)), EarlyDataStatus::declined) << "the default";
  EXPECT_EQ(attempt(server_with(fresh)), EarlyDataStatus::declined) << "it has just been started";
  EXPECT_EQ(attempt(server_with(guard), std::chrono::seconds(11)), EarlyDataStatus::declined)
      << "a ClientHello is good for longer than the guard remembers";
  EXPECT_EQ(attempt(server_with(guard)), EarlyDataStatus::accepted);
  EXPECT_EQ(attempt(server_with(guard)), EarlyDataStatus::declined) << "the same ticket again";
}

TEST_F(Handshake, SendsNoTicketsWithoutKeys) {
  const Pair pair(built(client_config()), trusting(), built(server_config()), showing(root_.issue({})));
  ASSERT_TRUE(pair.client.connection.connected());
  EXPECT_TRUE(pair.client.sessions.empty());
}

}  // namespace
}  // namespace lockstep::testing
