// The answers in handshakes in memory.
#include <array>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <lockstep/answers.hpp>
#include <lockstep/collector.hpp>
#include <lockstep/connection.hpp>

#include "support.hpp"
namespace lockstep::testing {
namespace {
using ::testing::HasSubstr;
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
      auto* const peer = std::get_if<VerifyPeer>(&event);
      const bool decided = decide && peer != nullptr;
      if (decided) {
        const PeerDecision by_verdict = answers.judge(*peer);
        EXPECT_TRUE(connection.answer(std::move(peer->token), decide(answers, by_verdict)));
      }
      const bool taken =
          !decided && collector != nullptr && collector->take(this, connection, event, random(), &answers);
      const bool answered = decided || taken || answers.answer(connection, event);
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
  Collector* collector = nullptr;
  PeerDecision (*decide)(const Answers&, PeerDecision) = nullptr;  ///< after the verdict
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
  enum class Runs : std::uint8_t { at_once, later };

  Pair(std::shared_ptr<const ClientConfig> client_side, std::shared_ptr<const AnswerSetup> client_setup,
       std::shared_ptr<const ServerConfig> server_side, std::shared_ptr<const AnswerSetup> server_setup,
       std::string_view name = "example.com", std::span<Session> sessions = {}, std::string_view early = {},
       Runs runs = Runs::at_once)
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
    if (runs == Runs::at_once) run();
  }
  void run() {
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
  /// A setup that every ClientHello leads away from.
  static std::shared_ptr<const AnswerSetup> leading_to(ConfigChoice choice,
                                                       std::shared_ptr<const TicketKeyring> keys = {}) {
    struct Always final : ConfigSource {
      [[nodiscard]] ConfigChoice select(const SelectConfig&) const override { return choice; }
      ConfigChoice choice;
    };
    auto source = std::make_shared<Always>();
    source->choice = std::move(choice);
    return setup_of({.provider = provider(), .configs = std::move(source), .ticket_keys = std::move(keys)});
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

  void resumes_where_it_was_made(const std::shared_ptr<TicketKeyring>& keyring,
                                 const std::shared_ptr<SessionStore>& store) const;

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

/// The usual provider, as if it verified several signatures by P-256 for less.
struct Batching {
  static inline std::vector<std::size_t> calls;
  Batching() : verifier(*provider().verifier(SignatureAlgorithm::ecdsa_sha256, KeyType::ec_p256)), all(provider()) {
    calls.clear();
    verifier.width = 8;
    verifier.verify_many = [](std::span<VerifyJob> jobs) noexcept {
      calls.push_back(jobs.size());
      const auto& one = *provider().verifier(SignatureAlgorithm::ecdsa_sha256, KeyType::ec_p256);
      for (VerifyJob& job : jobs) lockstep::verify(one, job);
    };
    all.verifiers.insert(all.verifiers.begin(), &verifier);
  }
  SignatureVerifier verifier;
  Provider all;
};

TEST_F(Handshake, JudgesManyPeersAndTheirProofsInOneCall) {
  const Batching batching;
  Credential spoilt = *root_.issue({});
  spoilt.chain.front().back() ^= 1U;
  const std::array shown{root_.issue({}),
                         root_.issue({.dns = {"example.org"}}),
                         Authority().issue({}),  // of the same name as ours
                         std::make_shared<const Credential>(std::move(spoilt)),
                         root_.issue({.not_after = kNowSeconds - kDay}),
                         root_.issue({})};
  for (const auto version : {ProtocolVersion::tls_1_3, ProtocolVersion::tls_1_2}) {
    Batching::calls.clear();
    const auto setup = setup_of({.provider = batching.all, .anchors = root_.anchors(), .verified_links = nullptr});
    const auto client = built(ConfigBuilder::client(batching.all).versions(version, version).hand_out_computations());
    const auto server = built(server_config().versions(version, version));
    const ClientOptions options{.name = dns("example.com"), .sessions = {}, .verification = setup->verification()};
    Collector collector;
    std::vector<std::unique_ptr<End>> clients;
    std::vector<std::unique_ptr<End>> servers;
    for (const auto& credential : shown) {
      auto& end = *clients.emplace_back(
          std::make_unique<End>(Connection::client(client, options, random(), fixed_clock()), setup));
      end.collector = &collector;
      servers.push_back(std::make_unique<End>(Connection::server(server, random()), showing(credential)));
      end.work();
    }
    for (bool moved = true; moved;) {
      while (!collector.empty()) collector.flush([](void* owner) { static_cast<End*>(owner)->work(); });
      moved = false;
      for (std::size_t i = 0; i < shown.size(); ++i) {
        moved |= clients[i]->transmit_to(*servers[i]);
        moved |= servers[i]->transmit_to(*clients[i]);
      }
    }
    // One certificate each, and the proof.
    EXPECT_EQ(Batching::calls, std::vector{2 * shown.size()});
    for (std::size_t i = 0; i < shown.size(); ++i) {
      SCOPED_TRACE(i);
      const Pair usual(built(client_config().versions(version, version)), trusting(), server, showing(shown[i]));
      const Error* const error = usual.client.connection.error();
      EXPECT_EQ(clients[i]->connection.connected(), error == nullptr);
      EXPECT_EQ(error == nullptr, i == 0 || i + 1 == shown.size());
      ASSERT_TRUE(clients[i]->answers.verdict());
      EXPECT_EQ(clients[i]->answers.verdict()->text(), usual.client.answers.verdict()->text());
      if (error == nullptr) continue;
      ASSERT_NE(clients[i]->connection.error(), nullptr);
      EXPECT_EQ(to_text(*clients[i]->connection.error(), clients[i]->answers), to_text(*error, usual.client.answers));
    }
  }
}

/// X25519 of the usual provider, as if it made eight key pairs for less.
struct PairsTogether {
  static inline std::size_t calls = 0;
  PairsTogether() : group(*provider().group(NamedGroup::x25519)), all(provider()) {
    calls = 0;
    group.width = 8;
    group.generate_many = [](std::span<GenerateJob> jobs) noexcept {
      ++calls;
      const Group& one = *provider().group(NamedGroup::x25519);
      for (GenerateJob& job : jobs) job.result = one.generate(job.context, *job.random, job.share);
    };
    all.groups.insert(all.groups.begin(), &group);
  }
  Group group;
  Provider all;
};

TEST(CollectorWithPairsAhead, MakesNewOnesInAProcessThatIsForked) {
  const PairsTogether together;
  const auto config = built(ConfigBuilder::client(together.all).groups({NamedGroup::x25519}).hand_out_computations());
  Collector collector(random());
  const auto begin = [&] {
    Connection connection =
        Connection::client(config, {.name = dns("example.com"), .sessions = {}}, random(), fixed_clock());
    auto [consumed, event] = connection.receive({}, fixed_clock());
    const bool taken = collector.take(&connection, connection, event, random());
    collector.flush([](void*) {});
    return taken && connection.transmit_pending();
  };
  ASSERT_TRUE(begin());
  ASSERT_TRUE(begin());
  ASSERT_EQ(PairsTogether::calls, 1U) << "the second takes a pair of the first call";
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) ::_exit(begin() && PairsTogether::calls == 2 ? 0 : 1);
  int status = 1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0) << "a pair that the parent has, too, was used";
  EXPECT_TRUE(begin());
  EXPECT_EQ(PairsTogether::calls, 1U);
}

TEST_F(Handshake, ForgetsTheChainWhenToldTo) {
  const auto setup = setup_of({.provider = provider(), .anchors = root_.anchors(), .keep_peer_chain = false});
  const Pair pair(built(client_config()), setup, built(server_config()), showing(root_.issue({})));
  ASSERT_TRUE(pair.client.connection.connected());
  EXPECT_TRUE(pair.client.answers.verdict()->ok());
  EXPECT_TRUE(pair.client.answers.peer_chain().empty());
  EXPECT_TRUE(pair.client.answers.verdict()->chain.empty());
}

TEST_F(Handshake, SignaturesOfCertificatesAreVerifiedOnce) {
  const auto credential = root_.issue({});
  const auto signatures = [&](const std::shared_ptr<const AnswerSetup>& setup) {
    const Pair pair(built(client_config()), setup, built(server_config()), showing(credential));
    EXPECT_TRUE(pair.client.connection.connected());
    return pair.client.answers.verdict()->work.signatures;
  };
  const auto setup = trusting();
  EXPECT_EQ(signatures(setup), 1U);
  EXPECT_EQ(signatures(setup), 0U);
  EXPECT_EQ(signatures(trusting()), 1U) << "another setup has another memo";
  const auto shared =
      setup_of({.provider = provider(), .anchors = root_.anchors(), .verified_links = setup->options().verified_links});
  EXPECT_EQ(signatures(shared), 0U);
  const auto without = setup_of({.provider = provider(), .anchors = root_.anchors(), .verified_links = nullptr});
  EXPECT_EQ(signatures(without), 1U);
  EXPECT_EQ(signatures(without), 1U);
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

// --- one step after the other ----------------------------------------------------------------------------------------

// [80, 76] The verdict is there, with its chains, and the application has the last word.
TEST_F(Handshake, JudgesAndLetsTheApplicationAnswer) {
  const auto server_side = built(server_config());
  const auto server_setup = showing(root_.issue({.dns = {"example.org"}}));
  struct Say {
    std::string_view what;
    PeerDecision (*decide)(const Answers&, PeerDecision);
    Reason refused = Reason::none;
    Alert alert{};
    Unverified unverified{};
  };
  const std::array says{
      Say{.what = "what the verdict says",
          .decide = [](const Answers&, PeerDecision by_verdict) { return by_verdict; },
          .refused = Reason::certificate_name_mismatch,
          .alert = Alert::bad_certificate},
      Say{.what = "another name will do",
          .decide = [](const Answers& answers, PeerDecision by_verdict) -> PeerDecision {
            EXPECT_EQ(answers.verdict()->code, x509::Code::hostname_mismatch);
            const auto& chain = answers.verdict()->chain;
            if (chain.size() == 2 && x509::matches(chain.front(), dns("example.org"))) return answers.accepted();
            return by_verdict;
          }},
      Say{.what = "with a reserve",
          .decide = [](const Answers& answers, PeerDecision) -> PeerDecision { return answers.accepted_unverified(); },
          .unverified = {.reason = Reason::certificate_name_mismatch,
                         .detail = static_cast<std::uint16_t>(x509::Code::hostname_mismatch)}},
      Say{.what = "not at all",
          .decide = [](const Answers&, PeerDecision) -> PeerDecision {
            return PeerRejected{.reason = Reason::certificate_revoked, .alert = Alert::access_denied};
          },
          .refused = Reason::certificate_revoked,
          .alert = Alert::access_denied}};
  for (const Say& say : says) {
    SCOPED_TRACE(say.what);
    Pair pair(built(client_config()), trusting(), server_side, server_setup, "example.com", {}, {}, Pair::Runs::later);
    pair.client.decide = say.decide;
    pair.run();
    if (say.refused != Reason::none) {
      ASSERT_NE(pair.client.connection.error(), nullptr);
      EXPECT_EQ(pair.client.connection.error()->reason, say.refused);
      EXPECT_EQ(pair.server.connection.error()->alert, say.alert);
      continue;
    }
    ASSERT_TRUE(pair.client.connection.connected());
    EXPECT_EQ(pair.client.connection.unverified(), say.unverified);
    EXPECT_EQ(pair.client.connection.peer_verified(), !say.unverified);
    EXPECT_EQ(pair.client.answers.peer_chain().size(), 1U);
  }
}

// [101, 104] Go's RequireAnyClientCert; and Node's rejectUnauthorized: false with authorized and authorizationError.
TEST_F(Handshake, AcceptsWhoeverComesOnlyBySayingSo) {
  const Authority stranger("CN=Stranger");
  for (const bool with_anchors : {false, true}) {
    const auto server_setup = setup_of({.provider = provider(),
                                        .credentials = {root_.issue({})},
                                        .anchors = with_anchors ? root_.anchors() : nullptr,
                                        .ticket_keys = TicketKeyring::create(provider(), random()),
                                        .keep_peer_chain = false,
                                        .dangerous = {.accept_unverified_peers = true}});
    const auto server_side = built(server_config().client_auth(ClientAuth::require));
    const auto client_setup = [&](std::shared_ptr<const Credential> credential) {
      return setup_of({.provider = provider(), .credentials = {std::move(credential)}, .anchors = root_.anchors()});
    };
    const auto credential = stranger.issue({.client = true});
    const Unverified unknown{.reason = Reason::certificate_unknown_ca,
                             .detail = static_cast<std::uint16_t>(x509::Code::unable_to_get_issuer_cert_locally)};
    Pair first(built(client_config()), client_setup(credential), server_side, server_setup);
    ASSERT_TRUE(first.server.connection.connected());
    EXPECT_FALSE(first.server.connection.peer_verified());
    EXPECT_EQ(first.server.connection.unverified(), unknown);
    EXPECT_EQ(first.server.peer_identity, credential->chain[0]);
    ASSERT_TRUE(first.server.answers.verdict());
    EXPECT_THAT(first.server.answers.verdict()->text(), HasSubstr("UNABLE_TO_GET_ISSUER_CERT_LOCALLY"));
    EXPECT_EQ(first.server.answers.peer_chain().size(), 1U) << "the verdict refers to it";
    EXPECT_TRUE(first.client.connection.peer_verified());

    // It is no better when it comes again.
    ASSERT_EQ(first.client.sessions.size(), 2U);
    const Pair second(built(client_config()), client_setup(credential), server_side, server_setup, "example.com",
                      std::span(first.client.sessions).first(1));
    EXPECT_TRUE(second.server.connection.resumed());
    EXPECT_EQ(second.server.connection.unverified(), unknown);
    EXPECT_EQ(second.server.peer_identity, credential->chain[0]);

    // None at all is still refused, and one that is good is good.
    const Pair none(built(client_config()), trusting(), server_side, server_setup);
    EXPECT_EQ(none.server.connection.error()->reason, Reason::certificate_required);
    const Pair good(built(client_config()), client_setup(root_.issue({.client = true})), server_side, server_setup);
    ASSERT_TRUE(good.server.connection.connected());
    EXPECT_EQ(good.server.connection.peer_verified(), with_anchors);
    EXPECT_EQ(good.server.answers.peer_chain().empty(), with_anchors);
  }
}

TEST_F(Handshake, ResumesNobodyWhoWasTakenWithAReserveWhereNoneIsTaken) {
  const Authority stranger("CN=Stranger");
  const auto keyring = TicketKeyring::create(provider(), random());
  const auto setup = [&](bool any_peer) {
    return setup_of({.provider = provider(),
                     .credentials = {root_.issue({})},
                     .anchors = root_.anchors(),
                     .ticket_keys = keyring,
                     .dangerous = {.accept_unverified_peers = any_peer}});
  };
  const auto client_setup =
      setup_of({.provider = provider(), .credentials = {stranger.issue({.client = true})}, .anchors = root_.anchors()});
  const auto server_side = built(server_config().client_auth(ClientAuth::require));
  Pair first(built(client_config()), client_setup, server_side, setup(true));
  ASSERT_TRUE(first.server.connection.connected());
  const Pair second(built(client_config()), client_setup, server_side, setup(false), "example.com",
                    first.client.sessions);
  EXPECT_FALSE(second.server.connection.resumed());
  ASSERT_NE(second.server.connection.error(), nullptr);
  EXPECT_EQ(second.server.connection.error()->reason, Reason::certificate_unknown_ca);
}

// [77, 83] LDAP's way with names might be another, say; and somebody's extension is known to somebody.
TEST_F(Handshake, AppliesTheRulesOfTheApplication) {
  struct Rules final : PeerRules {
    [[nodiscard]] bool matches(const x509::Certificate& leaf, const x509::PeerName& name) const override {
      const std::string service = "_service." + std::string(name.host_name());
      return x509::matches(leaf, dns(service));
    }
    [[nodiscard]] bool accepts(const x509::Certificate&, const x509::Extension& extension) const override {
      return x509::oid_text(extension.oid) == "1.2.3.4" && extension.value.size() == 3;
    }
    [[nodiscard]] std::string_view id() const override { return "service names"; }
  };
  struct Case {
    std::string_view name;
    std::size_t extension = 0;  // bytes of a critical one
    Reason reason = Reason::none;
    x509::Code code{};
  };
  const Batching batching;
  for (const Case& test :
       {Case{.name = "_service.example.com"}, Case{.name = "_service.example.com", .extension = 3},
        Case{.name = "_service.example.com",
             .extension = 4,
             .reason = Reason::certificate_invalid,
             .code = x509::Code::unhandled_critical_extension},
        Case{.name = "example.com", .reason = Reason::certificate_name_mismatch, .code = x509::Code::hostname_mismatch},
        Case{.name = "example.com",
             .extension = 3,
             .reason = Reason::certificate_name_mismatch,
             .code = x509::Code::hostname_mismatch}}) {
    for (const bool together : {false, true}) {
      SCOPED_TRACE(std::string(test.name) + ", " + std::to_string(test.extension));
      // Host names have no underscores elsewhere.
      const auto setup = setup_of({.provider = batching.all,
                                   .anchors = root_.anchors(),
                                   .policy = x509::Policy::private_pki(),
                                   .peer_rules = std::make_shared<Rules>()});
      Pair pair(built(client_config()), setup, built(server_config()),
                showing(root_.issue({.dns = {test.name}, .filler = test.extension, .critical = true})), "example.com",
                {}, {}, Pair::Runs::later);
      Collector collector;
      if (together) pair.client.collector = &collector;
      pair.run();
      if (together) {
        collector.flush([](void* owner) { static_cast<End*>(owner)->work(); });
        pair.run();
      }
      ASSERT_TRUE(pair.client.answers.verdict());
      EXPECT_EQ(pair.client.answers.verdict()->code, test.code) << pair.client.answers.verdict()->text();
      EXPECT_EQ(pair.client.answers.verdict()->name, dns("example.com"));
      if (test.reason == Reason::none) {
        EXPECT_TRUE(pair.client.connection.connected());
        EXPECT_TRUE(pair.client.connection.peer_verified());
      } else {
        expect_refused(pair, test.reason, test.code, alert_of(test.reason));
      }
    }
  }
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
  const auto sealed = keyring->open(first.client.sessions[0].ticket, fixed_clock());
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

TEST_F(Handshake, ResumesByTicketsThatNameStoredSessions) {
  const auto store = std::make_shared<SessionStore>();
  const auto server_setup =
      setup_of({.provider = provider(), .credentials = {root_.issue({})}, .session_store = store});
  for (const auto version : {ProtocolVersion::tls_1_3, ProtocolVersion::tls_1_2}) {
    const auto client_side = built(client_config().versions(version, version));
    const auto server_side = built(server_config().tickets(1));
    const std::size_t before = store->size();
    Pair first(client_side, trusting(), server_side, server_setup);
    ASSERT_EQ(first.client.sessions.size(), 1U);
    EXPECT_EQ(first.client.sessions.front().ticket.size(), 32U) << "nothing but a name";
    EXPECT_EQ(store->size(), before + 1);
    const auto resumes = [&] {
      std::array<Session, 1> offered{first.client.sessions.front().clone()};
      const Pair pair(client_side, trusting(), server_side, server_setup, "example.com", offered);
      EXPECT_TRUE(pair.server.connection.connected());
      EXPECT_EQ(pair.client.connection.resumed(), pair.server.connection.resumed());
      return pair.server.connection.resumed();
    };
    EXPECT_TRUE(resumes());
    EXPECT_EQ(resumes(), version == ProtocolVersion::tls_1_2) << "a ticket of TLS 1.3 is used once";
    // Whoever has seen a ticket and does not hold its secret takes it from nobody.
    if (version == ProtocolVersion::tls_1_2) continue;
    Pair another(client_side, trusting(), server_side, server_setup);
    const std::size_t stored = store->size();
    std::array<Session, 1> forged{another.client.sessions.front().clone()};
    forged[0].secret.writable()[0] ^= 1U;
    const Pair refused(client_side, trusting(), server_side, server_setup, "example.com", forged);
    ASSERT_NE(refused.server.connection.error(), nullptr);
    EXPECT_EQ(refused.server.connection.error()->reason, Reason::psk_binder);
    EXPECT_EQ(store->size(), stored);
  }
}

TEST_F(Handshake, ResumesOneOfSeveralThatOfferAStoredTicketAtOnce) {
  const auto store = std::make_shared<SessionStore>();
  const auto server_setup =
      setup_of({.provider = provider(), .credentials = {root_.issue({})}, .session_store = store});
  const auto client_side = built(client_config());
  const auto server_side = built(server_config().tickets(1));
  const Pair made(client_side, trusting(), server_side, server_setup);
  // All are past the server's flight before any is complete.
  std::vector<std::unique_ptr<Pair>> pairs;
  for (int i = 0; i < 8; ++i) {
    std::array<Session, 1> offered{made.client.sessions.front().clone()};
    pairs.push_back(std::make_unique<Pair>(client_side, trusting(), server_side, server_setup, "example.com", offered,
                                           "", Pair::Runs::later));
    pairs.back()->client.transmit_to(pairs.back()->server);
    pairs.back()->server.transmit_to(pairs.back()->client);
  }
  std::size_t resumed = 0;
  for (const auto& pair : pairs) {
    pair->run();
    ASSERT_TRUE(pair->server.connection.connected());
    ASSERT_TRUE(pair->client.connection.connected());
    resumed += pair->server.connection.resumed() ? 1U : 0U;
  }
  EXPECT_EQ(resumed, 1U);
}

TEST_F(Handshake, TakesEarlyDataOnceByTicketsThatNameStoredSessions) {
  const auto store = std::make_shared<SessionStore>();
  const auto server_setup =
      setup_of({.provider = provider(), .credentials = {root_.issue({})}, .session_store = store});
  const auto client_side = built(client_config().early_data(100));
  const auto server_side = built(server_config().early_data(100));
  Pair first(client_side, trusting(), server_side, server_setup);
  ASSERT_FALSE(first.client.sessions.empty());
  const auto replayed = [&] {
    std::array<Session, 1> offered{first.client.sessions.front().clone()};
    const Pair pair(client_side, trusting(), server_side, server_setup, "example.com", offered, "once");
    EXPECT_TRUE(pair.server.connection.connected());
    return pair.server.early;
  };
  EXPECT_EQ(replayed(), "once");
  for (int i = 0; i < 20; ++i) EXPECT_EQ(replayed(), "");
}

// Servers that share ticket keys, or a store, each with each of their clients.
TEST_F(Handshake, ResumesNoSessionWhereItWasNotMade) {
  resumes_where_it_was_made(TicketKeyring::create(provider(), random()), nullptr);
}
TEST_F(Handshake, ResumesNoStoredSessionWhereItWasNotMade) {
  resumes_where_it_was_made(nullptr, std::make_shared<SessionStore>());
}

void Handshake::resumes_where_it_was_made(const std::shared_ptr<TicketKeyring>& keyring,
                                          const std::shared_ptr<SessionStore>& store) const {
  const Authority other("CN=Other Root");
  const auto shown = root_.issue({.dns = {"example.com", "example.org"}});
  const auto server = [&](const Authority& clients) {
    return setup_of({.provider = provider(),
                     .credentials = {shown},
                     .anchors = clients.anchors(),
                     .ticket_keys = keyring,
                     .session_store = store});
  };
  const auto client = [&](std::shared_ptr<const Credential> credential) {
    return setup_of({.provider = provider(), .credentials = {std::move(credential)}, .anchors = root_.anchors()});
  };
  const auto usual = trusting();
  const auto ours = client(root_.issue({.client = true}));
  const auto theirs = client(other.issue({.client = true}));
  const auto only = [](ProtocolVersion version) { return built(client_config().versions(version, version)); };
  struct Kind {
    std::string_view what;
    std::shared_ptr<const AnswerSetup> client_setup;
    std::shared_ptr<const ServerConfig> server_side;
    std::shared_ptr<const AnswerSetup> server_setup;
    std::string_view name = "example.com";
    std::shared_ptr<const ClientConfig> client_side = built(client_config());
  };
  const std::vector<Kind> kinds{
      {"usual", usual, built(server_config()), server(root_)},
      {"another name", usual, built(server_config()), server(root_), "example.org"},
      {"another context", usual, built(server_config().session_context({'a'})), server(root_)},
      {"clients asked", ours, built(server_config().client_auth(ClientAuth::request)), server(root_)},
      {"clients of ours", ours, built(server_config().client_auth(ClientAuth::require)), server(root_)},
      {"clients of theirs", theirs, built(server_config().client_auth(ClientAuth::require)), server(other)},
      {"TLS 1.2", usual, built(server_config()), server(root_), "example.com", only(ProtocolVersion::tls_1_2)},
      {"TLS 1.3", usual, built(server_config().session_context({'3'})), server(root_), "example.com",
       only(ProtocolVersion::tls_1_3)},
  };
  // The same whether a server is so from the beginning or from the ClientHello on.
  const auto front = built(server_config().select_config());
  const auto choice_of = [](const Kind& kind) {
    ConfigChoice choice;
    choice.selected.config = kind.server_side;
    choice.setup = kind.server_setup;
    return choice;
  };
  const auto pair = [&](const Kind& kind, std::span<Session> sessions, bool from_the_hello_on) {
    return from_the_hello_on ? std::make_unique<Pair>(kind.client_side, kind.client_setup, front,
                                                      leading_to(choice_of(kind)), kind.name, sessions)
                             : std::make_unique<Pair>(kind.client_side, kind.client_setup, kind.server_side,
                                                      kind.server_setup, kind.name, sessions);
  };
  for (const Kind& made : kinds) {
    const bool first_so = &made - kinds.data() < 3;
    const auto first = pair(made, {}, first_so);
    ASSERT_FALSE(first->client.sessions.empty()) << made.what;
    // Where it may not be used comes first: a stored one is used once, and comes back until then.
    std::vector<std::reference_wrapper<const Kind>> uses(kinds.begin(), kinds.end());
    std::ranges::stable_partition(uses, [&](const Kind& used) { return &used != &made; });
    for (const Kind& used : uses) {
      std::array<Session, 1> offered{first->client.sessions.front().clone()};
      const auto second = pair(used, offered, !first_so);
      ASSERT_TRUE(second->server.connection.connected()) << made.what << " / " << used.what;
      EXPECT_EQ(second->server.connection.resumed(), &used == &made) << made.what << " / " << used.what;
      EXPECT_EQ(second->client.connection.resumed(), &used == &made);
    }
  }
}

TEST_F(Handshake, GoesOnByTheClientHello) {
  const auto shown = root_.issue({.dns = {"example.org"}});
  ConfigChoice other;
  other.selected.config = built(server_config().alpn({"one", "two"}));
  other.selected.alpn = "two";
  other.setup = showing(shown);
  const auto front = built(server_config().select_config());
  const auto client_side = built(client_config().alpn({"one", "two"}));
  const Pair pair(client_side, trusting(), front, leading_to(other), "example.org");
  ASSERT_TRUE(pair.client.connection.connected());
  EXPECT_EQ(pair.client.connection.alpn(), "two");
  EXPECT_TRUE(equal(pair.client.answers.peer_chain()[0], shown->chain[0]));
  EXPECT_EQ(&pair.server.answers.setup(), other.setup.get());

  // Without a source all goes on as it was.
  const Pair usual(client_side, trusting(), front, showing(root_.issue({})));
  EXPECT_TRUE(usual.client.connection.connected());
  EXPECT_EQ(usual.client.connection.alpn(), "");

  const auto fails = [&](const ConfigChoice& choice, Alert alert) {
    const Pair refused(client_side, trusting(), front, leading_to(choice));
    ASSERT_NE(refused.server.connection.error(), nullptr);
    EXPECT_EQ(refused.server.connection.error()->reason, Reason::client_hello_refused);
    ASSERT_NE(refused.client.connection.error(), nullptr);
    EXPECT_EQ(refused.client.connection.error()->alert, alert);
  };
  ConfigChoice none;
  none.refused = ClientHelloRefused{Alert::access_denied};
  fails(none, Alert::access_denied);
  const auto strict =
      setup_of({.provider = provider(), .credentials = {root_.issue({})}, .refuse_unknown_names = true});
  EXPECT_TRUE(Pair(client_side, trusting(), front, strict, "example.com").client.connection.connected());
  const Pair unknown(client_side, trusting(), front, strict, "example.net");
  ASSERT_NE(unknown.client.connection.error(), nullptr);
  EXPECT_EQ(unknown.client.connection.error()->alert, Alert::unrecognized_name);
  other.selected.alpn = "three";
  fails(other, Alert::internal_error);
}

// A setup that a ClientHello leads to has the keys of the one before where it has none.
TEST_F(Handshake, SealsTicketsByTheKeysOfTheSetupThatWasChosen) {
  const auto credential = root_.issue({});
  const auto client_side = built(client_config());
  const auto front = built(server_config().select_config());
  const auto first_keys = TicketKeyring::create(provider(), random());
  const auto own_keys = TicketKeyring::create(provider(), random());
  for (const auto& own : {std::shared_ptr<const TicketKeyring>(), std::shared_ptr<const TicketKeyring>(own_keys)}) {
    const auto chosen = setup_of({.provider = provider(), .credentials = {credential}, .ticket_keys = own});
    ConfigChoice choice;
    choice.setup = chosen;
    const auto server_setup = leading_to(std::move(choice), first_keys);
    Pair first(client_side, trusting(), front, server_setup);
    ASSERT_FALSE(first.client.sessions.empty());
    EXPECT_EQ(first_keys->open(first.client.sessions.front().ticket, fixed_clock()).has_value(), own == nullptr);
    EXPECT_EQ(own_keys->open(first.client.sessions.front().ticket, fixed_clock()).has_value(), own != nullptr);
    const Pair second(client_side, trusting(), front, server_setup, "example.com", first.client.sessions);
    EXPECT_TRUE(second.server.connection.resumed());
  }
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
