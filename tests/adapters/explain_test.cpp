// What is explained is what the engine does.
#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <lockstep/answers.hpp>
#include <lockstep/connection.hpp>
#include <lockstep/explain.hpp>
#include <lockstep/lists.hpp>

#include "support.hpp"
namespace lockstep::testing {
namespace {
using ::testing::HasSubstr;

/// A whole handshake between two engines, and the ClientHello that it began with.
struct Whole {
  Whole(std::shared_ptr<const ClientConfig> ours, std::shared_ptr<const AnswerSetup> our_setup,
        std::shared_ptr<const ServerConfig> theirs, std::shared_ptr<const AnswerSetup> their_setup,
        std::span<Session> offered = {})
      : client(Connection::client(std::move(ours),
                                  {.name = x509::PeerName::dns("example.com").value(),
                                   .sessions = offered,
                                   .verification = our_setup->verification()},
                                  random(), fixed_clock())),
        server(Connection::server(std::move(theirs), random(), {}, {.verification = their_setup->verification()})),
        client_answers(std::move(our_setup), random()),
        server_answers(std::move(their_setup), random()) {
    for (int round = 0; round < 12; ++round) {
      move(client, server, server_answers, at_server);
      move(server, client, client_answers, at_client);
    }
  }

  void move(Connection& from, Connection& to, Answers& answers, std::vector<std::uint8_t>& inbound) {
    std::vector<std::uint8_t> buffer(20000);
    while (const std::size_t size = from.transmit(buffer, fixed_clock())) {
      if (hello.empty())
        hello.assign(buffer.begin() + Connection::kRecordHeader, buffer.begin() + static_cast<std::ptrdiff_t>(size));
      inbound.insert(inbound.end(), buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(size));
    }
    for (;;) {
      auto [consumed, event] = to.receive(inbound, fixed_clock());
      const bool answered = answers.answer(to, event);
      inbound.erase(inbound.begin(), inbound.begin() + static_cast<std::ptrdiff_t>(consumed));
      if (auto* session = std::get_if<SessionReceived>(&event)) sessions.push_back(std::move(session->session));
      if ((std::holds_alternative<Nothing>(event) && !answered) || std::holds_alternative<Failed>(event)) return;
    }
  }

  Connection client;
  Connection server;
  Answers client_answers;
  Answers server_answers;
  std::vector<std::uint8_t> at_client;
  std::vector<std::uint8_t> at_server;
  std::vector<std::uint8_t> hello;
  std::vector<Session> sessions;
};

std::size_t chosen_in(const std::vector<Weighed>& list) {
  return static_cast<std::size_t>(std::ranges::count_if(list, &Weighed::chosen));
}
const Weighed& named(const std::vector<Weighed>& list, std::string_view name) {
  static const Weighed kNone{.name = "none", .why = {}};
  const auto found = std::ranges::find(list, name, &Weighed::name);
  EXPECT_NE(found, list.end()) << name;
  return found == list.end() ? kNone : *found;
}

/// Lists and switches by chance, the same in every run.
class Chance {
 public:
  explicit Chance(unsigned seed) : engine_(seed) {}
  bool once_in(unsigned n) { return engine_() % n == 0; }
  template <class Each>
  std::vector<Each> some(std::vector<Each> of) {
    std::ranges::shuffle(of, engine_);
    of.resize(1 + engine_() % of.size());
    return of;
  }

  template <class Builder>
  void settle(Builder& builder) {
    const std::vector<CipherSuite> suites = {CipherSuite::tls_aes_128_gcm_sha256,
                                             CipherSuite::tls_aes_256_gcm_sha384,
                                             CipherSuite::tls_chacha20_poly1305_sha256,
                                             CipherSuite::tls_ecdhe_ecdsa_with_aes_128_gcm_sha256,
                                             CipherSuite::tls_ecdhe_rsa_with_aes_128_gcm_sha256,
                                             CipherSuite::tls_ecdhe_rsa_with_chacha20_poly1305_sha256,
                                             CipherSuite::tls_ecdhe_ecdsa_with_aes_256_gcm_sha384,
                                             CipherSuite::tls_rsa_with_aes_128_gcm_sha256,
                                             CipherSuite::tls_dhe_rsa_with_aes_128_gcm_sha256};
    const std::vector<NamedGroup> groups = {NamedGroup::x25519, NamedGroup::secp256r1, NamedGroup::secp384r1,
                                            NamedGroup::x25519mlkem768, NamedGroup::ffdhe2048};
    const std::vector<SignatureScheme> schemes = {SignatureScheme::ecdsa_secp256r1_sha256,
                                                  SignatureScheme::ecdsa_secp384r1_sha384,
                                                  SignatureScheme::ed25519,
                                                  SignatureScheme::rsa_pss_rsae_sha256,
                                                  SignatureScheme::rsa_pss_rsae_sha512,
                                                  SignatureScheme::rsa_pkcs1_sha256};
    if (!once_in(4)) builder.suites(some(suites));
    if (!once_in(4)) builder.groups(some(groups));
    if (!once_in(3)) builder.schemes(some(schemes));
    if (once_in(2)) builder.alpn(some(std::vector<std::string>{"h2", "http/1.1", "x"}));
  }

 private:
  std::mt19937 engine_;
};

class Explaining : public ::testing::Test {
 protected:
  std::shared_ptr<const AnswerSetup> client_setup() const {
    return setup_of({.provider = provider(), .anchors = root_.anchors()});
  }

  Authority root_;
};

TEST_F(Explaining, SaysOfManyClientsAndServersWhatTheEngineDoes) {
  const std::vector<std::shared_ptr<const Credential>> all = {
      root_.issue({}), root_.issue({.key = KeyType::ec_p384}), root_.issue({.key = KeyType::ed25519}),
      root_.issue({.dns = {"other.example"}, .key = KeyType::rsa})};
  unsigned complete = 0;
  unsigned failed = 0;
  unsigned retried = 0;
  for (unsigned seed = 0; seed < 120; ++seed) {
    SCOPED_TRACE(seed);
    Chance chance(seed);
    ClientConfigBuilder ours = client_config();
    chance.settle(ours);
    ours.grease(chance.once_in(2));
    ServerConfigBuilder theirs = server_config();
    chance.settle(theirs);
    theirs.server_preference(!chance.once_in(3)).retry_for_group(chance.once_in(4)).cookie(chance.once_in(6));
    const auto client = ours.build();
    const auto server = theirs.build();
    if (!client || !server) continue;
    const auto setup = setup_of({.provider = provider(), .credentials = chance.some(all)});
    const Whole whole(*client, client_setup(), *server, setup);
    const auto explained =
        explain({.client_hello = whole.hello, .config = *server, .answers = setup, .now = fixed_clock()});
    ASSERT_TRUE(explained);
    const Error* const error = whole.server.error();
    if (error != nullptr && error->origin != Origin::peer) {
      ++failed;
      ASSERT_TRUE(explained->failure) << to_text(*error) << "\n" << explained->text();
      EXPECT_EQ(explained->failure->reason, error->reason) << explained->text();
      EXPECT_EQ(explained->failure->alert, error->alert);
      continue;
    }
    ++complete;
    EXPECT_FALSE(explained->failure) << explained->text();
    EXPECT_EQ(explained->version, whole.server.version());
    EXPECT_EQ(explained->suite, whole.server.suite());
    EXPECT_EQ(explained->group, whole.server.group());
    EXPECT_EQ(explained->scheme, whole.server.own_scheme());
    EXPECT_EQ(explained->alpn, whole.server.alpn());
    EXPECT_EQ(explained->retried, whole.server.retried());
    EXPECT_EQ(chosen_in(explained->versions), 1);
    EXPECT_EQ(chosen_in(explained->suites), 1) << explained->text();
    EXPECT_EQ(chosen_in(explained->certificates), explained->scheme ? 1 : 0) << explained->text();
    if (whole.server.retried()) ++retried;
  }
  EXPECT_GT(complete, 30);
  EXPECT_GT(failed, 10);
  EXPECT_GT(retried, 3);
}

TEST_F(Explaining, SaysOfGarbledHellosWhatTheEngineDoes) {
  const auto config = built(server_config().alpn({"h2"}));
  const auto setup =
      setup_of({.provider = provider(), .credentials = {root_.issue({}), root_.issue({.key = KeyType::rsa})}});
  const Whole whole(built(client_config().alpn({"h2", "x"}).grease(false)), client_setup(), config, setup);
  std::mt19937 chance(1);
  unsigned good = 0;
  for (unsigned round = 0; round < 250; ++round) {
    SCOPED_TRACE(round);
    std::vector<std::uint8_t> hello = whole.hello;
    // Most of it is a key share, in which nothing decides: elsewhere.
    for (unsigned change = 0; change <= round % 3; ++change)
      hello[4 + chance() % 200] ^= static_cast<std::uint8_t>(1U << chance() % 8);
    if (round % 10 == 9) hello.resize(4 + chance() % (hello.size() - 4));
    std::vector<std::uint8_t> record = {22, 3, 1, static_cast<std::uint8_t>(hello.size() >> 8U),
                                        static_cast<std::uint8_t>(hello.size())};
    record.insert(record.end(), hello.begin(), hello.end());
    Connection server = Connection::server(config, random(), {}, {.verification = setup->verification()});
    Answers answers(setup, random());
    for (;;) {
      auto [consumed, event] = server.receive(record, fixed_clock());
      record.erase(record.begin(), record.begin() + static_cast<std::ptrdiff_t>(consumed));
      if (!answers.answer(server, event)) break;
    }
    const auto explained = explain({.client_hello = hello, .config = config, .answers = setup, .now = fixed_clock()});
    const Error* const error = server.error();
    // What is cut short the engine waits for the rest of.
    if (error == nullptr && !explained) continue;
    if (!explained || explained->failure) {
      ASSERT_NE(error, nullptr);
      EXPECT_EQ(explained ? explained->failure->reason : explained.error().reason, error->reason);
      continue;
    }
    ++good;
    ASSERT_EQ(error, nullptr) << to_text(*error);
    EXPECT_EQ(explained->version, server.version());
    EXPECT_EQ(explained->suite, server.suite());
    EXPECT_EQ(explained->alpn, server.alpn());
  }
  EXPECT_GT(good, 10);
}

TEST_F(Explaining, SaysWhyForEverythingThatIsOffered) {
  const auto config = built(server_config()
                                .suites({CipherSuite::tls_aes_256_gcm_sha384, CipherSuite::tls_aes_128_gcm_sha256,
                                         CipherSuite::tls_ecdhe_rsa_with_aes_128_gcm_sha256})
                                .groups({NamedGroup::secp256r1, NamedGroup::x25519})
                                .alpn({"h2"}));
  const auto setup =
      setup_of({.provider = provider(),
                .credentials = {root_.issue({.dns = {"other.example"}}), root_.issue({.key = KeyType::ed25519})}});
  const Whole whole(built(client_config().key_shares({NamedGroup::x25519}).alpn({"http/1.1", "h2"})), client_setup(),
                    config, setup);
  const auto explained =
      explain({.client_hello = whole.hello, .config = config, .answers = setup, .now = fixed_clock()});
  ASSERT_TRUE(explained);
  EXPECT_TRUE(named(explained->versions, "TLSv1.3").chosen);
  EXPECT_THAT(named(explained->versions, "TLSv1.2").why, HasSubstr("no certificate"));
  EXPECT_TRUE(named(explained->suites, "TLS_AES_256_GCM_SHA384").chosen);
  EXPECT_THAT(named(explained->suites, "TLS_AES_128_GCM_SHA256").why, HasSubstr("TLS_AES_256_GCM_SHA384 is preferred"));
  EXPECT_THAT(named(explained->suites, "TLS_CHACHA20_POLY1305_SHA256").why,
              HasSubstr("configuration does not have it"));
  EXPECT_THAT(named(explained->suites, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256").why, HasSubstr("suite of TLSv1.2"));
  EXPECT_TRUE(named(explained->groups, "x25519").chosen);
  EXPECT_THAT(named(explained->groups, "secp256r1").why, HasSubstr("after a HelloRetryRequest"));
  EXPECT_TRUE(named(explained->schemes, "ed25519").chosen);
  EXPECT_THAT(named(explained->schemes, "ecdsa_secp256r1_sha256").why, HasSubstr("with another certificate"));
  EXPECT_THAT(named(explained->schemes, "rsa_pss_rsae_sha256").why, HasSubstr("no certificate"));
  ASSERT_EQ(explained->certificates.size(), 2);
  EXPECT_THAT(explained->certificates[0].why, HasSubstr("not for example.com"));
  EXPECT_TRUE(explained->certificates[1].chosen);
  EXPECT_THAT(named(explained->protocols, "http/1.1").why, HasSubstr("does not have it"));
  EXPECT_THAT(explained->text(), HasSubstr("* x25519"));
}

TEST_F(Explaining, SaysWhyNothingIsAgreedOn) {
  const auto config = built(server_config().groups({NamedGroup::secp384r1}));
  const auto setup = setup_of({.provider = provider(), .credentials = {root_.issue({})}});
  const Whole whole(built(client_config().groups({NamedGroup::x25519})), client_setup(), config, setup);
  const auto explained =
      explain({.client_hello = whole.hello, .config = config, .answers = setup, .now = fixed_clock()});
  ASSERT_TRUE(explained && explained->failure);
  EXPECT_EQ(explained->failure->reason, Reason::group_unsupported);
  EXPECT_THAT(named(explained->groups, "x25519").why, HasSubstr("configuration does not have it"));
  EXPECT_THAT(explained->text(), HasSubstr("fails: "));
  const auto garbled =
      explain({.client_hello = Bytes(whole.hello).first(50), .config = config, .answers = setup, .now = fixed_clock()});
  EXPECT_FALSE(garbled);
}

TEST_F(Explaining, GoesByTheConfigurationThatIsChosenByTheHello) {
  struct ByName final : ConfigSource {
    [[nodiscard]] ConfigChoice select(const SelectConfig& question) const override {
      if (question.server_name != "example.com") return {.refused = ClientHelloRefused{Alert::unrecognized_name}};
      return {.selected = {.config = config}, .setup = setup};
    }
    std::shared_ptr<const ServerConfig> config;
    std::shared_ptr<const AnswerSetup> setup;
  };
  const auto source = std::make_shared<ByName>();
  source->config = built(server_config().suites({CipherSuite::tls_chacha20_poly1305_sha256}));
  source->setup = setup_of({.provider = provider(), .credentials = {root_.issue({.key = KeyType::ed25519})}});
  const auto config = built(server_config().select_config());
  const auto setup = setup_of({.provider = provider(), .credentials = {root_.issue({})}, .configs = source});
  const Whole whole(built(client_config()), client_setup(), config, setup);
  ASSERT_TRUE(whole.server.connected());
  const auto explained =
      explain({.client_hello = whole.hello, .config = config, .answers = setup, .now = fixed_clock()});
  ASSERT_TRUE(explained && !explained->failure);
  EXPECT_EQ(explained->suite, whole.server.suite());
  EXPECT_EQ(explained->scheme, whole.server.own_scheme());
  EXPECT_THAT(named(explained->suites, "TLS_AES_128_GCM_SHA256").why, HasSubstr("configuration does not have it"));
  ASSERT_EQ(explained->certificates.size(), 1);
  EXPECT_TRUE(explained->certificates[0].chosen);
}

TEST_F(Explaining, SaysWhatBecomesOfTickets) {
  const auto config = built(server_config());
  const auto credential = root_.issue({});
  const auto keys = TicketKeyring::create(provider(), random());
  const auto setup = setup_of({.provider = provider(), .credentials = {credential}, .ticket_keys = keys});
  for (const ProtocolVersion version : {ProtocolVersion::tls_1_3, ProtocolVersion::tls_1_2}) {
    const auto client = built(client_config().versions(version, version));
    Whole first(client, client_setup(), config, setup);
    ASSERT_FALSE(first.sessions.empty());
    const Whole second(client, client_setup(), config, setup, {&first.sessions.back(), 1});
    ASSERT_TRUE(second.server.resumed());
    HelloQuestion question{.client_hello = second.hello, .config = config, .answers = setup, .now = fixed_clock()};
    const auto explained = explain(question);
    ASSERT_TRUE(explained && !explained->failure);
    EXPECT_TRUE(explained->resumed);
    ASSERT_EQ(explained->tickets.size(), 1);
    EXPECT_TRUE(explained->tickets[0].chosen);
    question.now = fixed_clock() + std::chrono::hours(24 * 8);
    const auto late = explain(question);
    ASSERT_TRUE(late && late->tickets.size() == 1);
    EXPECT_FALSE(late->resumed);
    question.now = fixed_clock();
    const auto other_setup = setup_of({.provider = provider(),
                                       .credentials = {credential},
                                       .ticket_keys = TicketKeyring::create(provider(), random())});
    question.answers = other_setup;
    const auto other = explain(question);
    ASSERT_TRUE(other && other->tickets.size() == 1);
    EXPECT_THAT(other->tickets[0].why, HasSubstr("no key here opens it"));
    question.answers = setup;
    const auto named_anew = built(server_config().session_context({1}));
    question.config = named_anew;
    const auto elsewhere = explain(question);
    ASSERT_TRUE(elsewhere && elsewhere->tickets.size() == 1);
    EXPECT_THAT(elsewhere->tickets[0].why, HasSubstr("other rules"));
  }
}

}  // namespace
}  // namespace lockstep::testing
