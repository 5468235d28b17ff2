// Public-key work that is handed out: alone, not at all, late, and with that of other connections in one call.

#include <algorithm>
#include <cstring>
#include <deque>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "handshake/key_pairs.hpp"
#include "pair/pair.hpp"

namespace lockstep::testing {
namespace {

constexpr auto kTls12 = ProtocolVersion::tls_1_2;

struct Configs {
  std::shared_ptr<const ClientConfig> client;
  std::shared_ptr<const ServerConfig> server;
};

Configs handed_out(const Provider& from, bool old = false, ClientAuth client_auth = ClientAuth::require) {
  auto client = ConfigBuilder::client(from).hand_out_computations();
  auto server = ConfigBuilder::server(from).hand_out_computations().client_auth(client_auth);
  if (from.insecure()) {
    client.dangerous().allow_insecure_provider();
    server.dangerous().allow_insecure_provider();
  }
  if (old) {
    client.versions(kTls12, kTls12);
    server.versions(kTls12, kTls12);
  }
  return {built(client), built(server)};
}

std::vector<std::string> computed(const End& end) {
  std::vector<std::string> jobs;
  for (const std::string& event : end.events) {
    if (event.starts_with("compute ")) jobs.push_back(event.substr(8));
  }
  return jobs;
}

/// A provider whose first group and whose verifiers count how many jobs come in a call. Job number `failing`, counted
/// from 0 over all calls, fails.
struct Counted {
  static inline std::vector<std::size_t> generated, encapsulated, decapsulated, verified;
  static inline std::size_t failing = SIZE_MAX;

  static void forget() {
    for (auto* counts : {&generated, &encapsulated, &decapsulated, &verified}) counts->clear();
    failing = SIZE_MAX;
  }
  static bool fails() { return failing != SIZE_MAX && failing-- == 0; }

  static const Group& group() {
    static const Group* const inner = testing::provider().group(NamedGroup::x25519);
    static const Group counted = [] {
      Group made = *inner;
      made.width = 8;
      made.generate_many = [](std::span<GenerateJob> jobs) noexcept {
        generated.push_back(jobs.size());
        for (GenerateJob& job : jobs) job.result = inner->generate(job.context, *job.random, job.share);
      };
      made.encapsulate_many = [](std::span<EncapsulateJob> jobs) noexcept {
        encapsulated.push_back(jobs.size());
        for (EncapsulateJob& job : jobs) {
          if (fails()) continue;
          job.result = inner->encapsulate(job.client_share, *job.random, job.server_share, job.secret);
        }
      };
      made.decapsulate_many = [](std::span<DecapsulateJob> jobs) noexcept {
        decapsulated.push_back(jobs.size());
        for (DecapsulateJob& job : jobs) job.result = inner->decapsulate(job.context, job.server_share, job.secret);
      };
      return made;
    }();
    return counted;
  }
  static const SignatureVerifier& verifier(const SignatureVerifier& of) {
    static std::deque<std::pair<const SignatureVerifier*, SignatureVerifier>> all;
    for (const auto& [inner, made] : all) {
      if (inner == &of) return made;
    }
    auto& [inner, made] = all.emplace_back(&of, of);
    made.verify_many = [](std::span<VerifyJob> jobs) noexcept {
      verified.push_back(jobs.size());
      for (VerifyJob& job : jobs) job.result = usual->verify(job.subject_public_key_info, job.message, job.signature);
    };
    return made;
  }
  /// The one that the usual certificate's signatures are checked by.
  static inline const SignatureVerifier* usual = nullptr;

  static Provider provider() {
    Provider counted = testing::provider();
    counted.groups.insert(counted.groups.begin(), &group());
    const auto scheme = *parts(key_of(usual_key())->schemes().front());
    usual = counted.verifier(scheme.algorithm, scheme.key);
    counted.verifiers.insert(counted.verifiers.begin(), &verifier(*usual));
    return counted;
  }
};

/// For one of its connections, or many.
Configs of_counted(const Provider& counted, bool old) {
  // TLS 1.2 wants the certificate's curve among them.
  std::vector<NamedGroup> groups{NamedGroup::x25519};
  if (counted.supports(NamedGroup::secp256r1)) groups.push_back(NamedGroup::secp256r1);
  auto client = ConfigBuilder::client(counted).hand_out_computations().groups(groups).key_shares({NamedGroup::x25519});
  auto server = ConfigBuilder::server(counted).hand_out_computations().groups(groups);
  if (counted.insecure()) {
    client.dangerous().allow_insecure_provider();
    server.dangerous().allow_insecure_provider();
  }
  if (old) {
    client.versions(kTls12, kTls12);
    server.versions(kTls12, kTls12);
  }
  return {built(client), built(server)};
}

using Pairs = std::vector<std::unique_ptr<Pair>>;

Pairs pairs_of(const Configs& configs, std::size_t count, std::vector<Compute>& jobs) {
  Pairs pairs;
  for (std::size_t i = 0; i < count; ++i) {
    ClientOptions options{x509::PeerName::dns("example.com").value(), {}};
    auto& pair = *pairs.emplace_back(
        std::make_unique<Pair>(configs.client, configs.server, std::move(options), Wire{}, 10 * i + 1));
    pair.client.jobs = pair.server.jobs = &jobs;
  }
  return pairs;
}

/// To their end, the jobs of all in one call.
void run_with_jobs(const Pairs& pairs, std::vector<Compute>& jobs, KeyPairs* ahead = nullptr) {
  for (;;) {
    for (const auto& pair : pairs) pair->run();
    if (jobs.empty()) return;
    std::vector<ComputationJob*> together;
    for (Compute& asked : jobs) together.push_back(&asked.job);
    run_together(together, ahead);
    for (Compute& asked : jobs) {
      for (const auto& pair : pairs) {
        if (!asked.token) break;
        if (!pair->client.connection.answer(std::move(asked))) (void)pair->server.connection.answer(std::move(asked));
      }
      EXPECT_FALSE(asked.token);
    }
    jobs.clear();
  }
}

class HandedOut : public ::testing::TestWithParam<bool> {};
INSTANTIATE_TEST_SUITE_P(Versions, HandedOut, ::testing::Bool(),
                         [](const auto& tested) { return tested.param ? "Tls12" : "Tls13"; });

TEST_P(HandedOut, EndsAsWhatIsDoneInPlace) {
  const bool old = GetParam();
  for (const bool runs : {true, false}) {
    const auto [client, server] = handed_out(provider(), old);
    Pair pair(client, server);
    pair.client.credential = credential_of(usual_key());
    pair.client.runs_jobs = pair.server.runs_jobs = runs;
    pair.run();
    expect_connected(pair);
    pair.send(pair.client, "ping");
    pair.run();
    EXPECT_EQ(as_text(pair.server.data), "ping");
    using Jobs = std::vector<std::string>;
    EXPECT_EQ(computed(pair.client),
              old ? (Jobs{"verify", "encapsulate"}) : (Jobs{"generate", "decapsulate", "verify"}));
    EXPECT_EQ(computed(pair.server),
              old ? (Jobs{"generate", "decapsulate", "verify"}) : (Jobs{"encapsulate", "verify"}));
  }
}

TEST_P(HandedOut, WaitsForWhatIsComputedElsewhere) {
  const auto [client, server] = handed_out(provider(), GetParam());
  Pair pair(client, server);
  pair.client.credential = credential_of(usual_key());
  std::vector<Compute> of_client;
  std::vector<Compute> of_server;
  pair.client.jobs = &of_client;
  pair.server.jobs = &of_server;
  std::size_t rounds = 0;
  for (pair.run(); !of_client.empty() || !of_server.empty(); pair.run(), ++rounds) {
    for (auto* const jobs : {&of_client, &of_server}) {
      for (Compute& asked : *jobs) {
        EXPECT_TRUE((jobs == &of_client ? pair.client : pair.server).connection.awaiting_answer());
        std::jthread([&] { asked.job.run(); }).join();
        EXPECT_TRUE(asked.job.done());
        (void)(jobs == &of_client ? pair.client : pair.server).connection.answer(std::move(asked));
      }
      jobs->clear();
    }
  }
  EXPECT_EQ(rounds, 5U);
  expect_connected(pair);
}

TEST_P(HandedOut, RunsWithOthersInOneCall) {
  const Provider counted = Counted::provider();
  const bool old = GetParam();
  const Configs configs = of_counted(counted, old);
  constexpr std::size_t kPairs = 5;
  // With and without one job that fails: it harms nobody but its own connection.
  for (const std::size_t failing : {SIZE_MAX, std::size_t{2}}) {
    Counted::forget();
    Counted::failing = failing;
    std::vector<Compute> jobs;
    const Pairs pairs = pairs_of(configs, kPairs, jobs);
    if (failing != SIZE_MAX) {
      for (const auto& pair : pairs) {
        pair->client_tape.happens_once();
        pair->server_tape.happens_once();
      }
    }
    run_with_jobs(pairs, jobs);
    const std::vector<std::size_t> once{kPairs};
    EXPECT_EQ(Counted::generated, once);
    EXPECT_EQ(Counted::encapsulated, once);
    EXPECT_EQ(Counted::decapsulated, failing == SIZE_MAX ? once : std::vector{kPairs - 1});
    EXPECT_EQ(Counted::verified, (failing == SIZE_MAX || old) ? once : std::vector{kPairs - 1});
    std::size_t connected = 0;
    for (const auto& pair : pairs) {
      End& failed = old ? pair->client : pair->server;
      if (pair->client.connection.connected() && pair->server.connection.connected()) {
        ++connected;
      } else {
        ASSERT_TRUE(failed.error);
        EXPECT_EQ(failed.error->reason, Reason::provider_failed);
      }
    }
    EXPECT_EQ(connected, failing == SIZE_MAX ? kPairs : kPairs - 1);
  }
}

TEST_P(HandedOut, TakesKeyPairsThatWereMadeAhead) {
  const Provider counted = Counted::provider();
  if (counted.insecure()) GTEST_SKIP() << "its x25519 is no Diffie-Hellman, in which key pairs serve either side";
  constexpr std::size_t kPairs = 5;
  Counted::forget();
  FixedRandom random(7);
  KeyPairs ahead(random);
  std::vector<Compute> jobs;
  const Pairs pairs = pairs_of(of_counted(counted, GetParam()), kPairs, jobs);
  run_with_jobs(pairs, jobs, &ahead);
  for (const auto& pair : pairs) {
    expect_connected(*pair);
    pair->send(pair->client, "ping");
    pair->run();
    EXPECT_EQ(as_text(pair->server.data), "ping");
  }
  if (taping() != Taping::none) {  // a recorded connection takes none
    EXPECT_EQ(ahead.size(), 0U);
    return;
  }
  // Of two calls ten are used.
  EXPECT_EQ(Counted::generated, (std::vector<std::size_t>{8, 8}));
  EXPECT_TRUE(Counted::encapsulated.empty());
  EXPECT_EQ(Counted::decapsulated, (std::vector{kPairs, kPairs}));
  EXPECT_EQ(ahead.size(), 6U);
  ahead.clear();
  EXPECT_EQ(ahead.size(), 0U);
}

/// The usual verifier, as it would find every signature invalid.
Provider finds_all_invalid() {
  Provider invalid = provider();
  const auto scheme = *parts(key_of(usual_key())->schemes().front());
  static SignatureVerifier verifier;
  verifier = *invalid.verifier(scheme.algorithm, scheme.key);
  verifier.verify = [](Bytes, Bytes, Bytes) noexcept { return VerifyResult::invalid; };
  invalid.verifiers.insert(invalid.verifiers.begin(), &verifier);
  return invalid;
}

// The peer's proof is checked while its certificates are judged, however they arrive. What is wrong with these is said
// first, whatever was found first.
TEST_P(HandedOut, ChecksTheProofWhileThePeerIsJudged) {
  for (unsigned which = 0; which < 16; ++which) {
    SCOPED_TRACE(which);
    const bool proof_first = (which & 1U) != 0, accepts = (which & 2U) != 0, valid = (which & 4U) != 0;
    const bool small_records = (which & 8U) != 0;
    auto client = ConfigBuilder::client(valid ? provider() : finds_all_invalid()).hand_out_computations();
    auto server = ConfigBuilder::server(provider());
    if (provider().insecure()) {
      client.dangerous().allow_insecure_provider();
      server.dangerous().allow_insecure_provider();
    }
    if (GetParam()) {
      client.versions(kTls12, kTls12);
      server.versions(kTls12, kTls12);
    }
    if (small_records) {
      client.record_size_limit(64);
      server.record_size_limit(64);
    }
    Pair pair(built(client), built(server));
    std::vector<Compute> jobs;
    std::vector<VerifyPeer> peers;
    pair.client.jobs = &jobs;
    pair.client.peers = &peers;
    if (!valid) pair.client_tape.happens_once();  // a replay has the usual verifier
    Connection& connection = pair.client.connection;
    const auto compute = [&] {
      for (Compute& job : jobs) EXPECT_TRUE(connection.answer(std::move(job)) || !accepts);
      jobs.clear();
    };
    const auto judge = [&] {
      if (accepts) {
        EXPECT_TRUE(connection.answer(std::move(peers.front().token), PeerAccepted{}));
      } else {
        EXPECT_TRUE(connection.answer(std::move(peers.front().token), PeerRejected{Reason::certificate_expired}));
      }
    };
    for (pair.run(); !jobs.empty() && peers.empty(); pair.run()) compute();
    ASSERT_EQ(peers.size(), 1U);
    ASSERT_EQ(jobs.size(), 1U);
    EXPECT_EQ(jobs.front().job.what(), Computation::verify);
    EXPECT_TRUE(connection.awaiting_answer());
    proof_first ? compute() : judge();
    EXPECT_EQ(connection.awaiting_answer(), proof_first || accepts);
    proof_first ? judge() : compute();
    for (pair.run(); !jobs.empty(); pair.run()) compute();
    if (accepts && valid) {
      expect_connected(pair);
    } else {
      ASSERT_TRUE(pair.client.error);
      EXPECT_EQ(pair.client.error->reason, accepts ? Reason::signature_invalid : Reason::certificate_expired);
    }
  }
}

TEST_P(HandedOut, OutlivesItsConnection) {
  const auto [client, server] = handed_out(provider(), GetParam());
  std::vector<Compute> jobs;
  {
    auto pair = std::make_unique<Pair>(client, server);
    pair->client.credential = credential_of(usual_key());
    pair->client.jobs = pair->server.jobs = &jobs;
    pair->run();
  }
  ASSERT_EQ(jobs.size(), 1U);
  jobs.front().job.run();
  EXPECT_TRUE(jobs.front().job.done());
}

/// A provider whose verifier of the usual certificate prepares keys, and says that what they signed is `says`.
struct Preparing {
  struct Key final : PreparedKey {
    VerifyResult verify(Bytes /*message*/, Bytes /*signature*/) const noexcept override {
      ++asked;
      return says;
    }
  };
  static inline int asked = 0;
  static inline VerifyResult says = VerifyResult::valid;

  static Provider provider() {
    Provider preparing = testing::provider();
    const auto scheme = *parts(key_of(usual_key())->schemes().front());
    static SignatureVerifier verifier;
    verifier = *preparing.verifier(scheme.algorithm, scheme.key);
    verifier.prepare = [](Bytes) noexcept -> std::shared_ptr<const PreparedKey> { return std::make_shared<Key>(); };
    preparing.verifiers.insert(preparing.verifiers.begin(), &verifier);
    asked = 0;
    says = VerifyResult::valid;
    return preparing;
  }
};

TEST_P(HandedOut, VerifiesKnownPeersByThePreparedKey) {
  for (const bool handed_out : {false, true}) {
    for (const VerifyResult says : {VerifyResult::valid, VerifyResult::invalid}) {
      const Provider preparing = Preparing::provider();
      Preparing::says = says;
      auto builder =
          allowed(ConfigBuilder::client(preparing))
              .hand_out_computations(handed_out)
              .known_peers({credential_of(KeyType::ed25519)->chain.front(), credential_of(usual_key())->chain.front()});
      auto server = server_builder();
      if (GetParam()) {
        builder.versions(kTls12, kTls12);
        server.versions(kTls12, kTls12);
      }
      Pair pair(built(builder), built(server));
      pair.client_tape.happens_once();  // a replay has the usual verifier
      pair.run();
      EXPECT_EQ(Preparing::asked, 1);
      if (says == VerifyResult::valid) {
        expect_connected(pair);
      } else {
        EXPECT_EQ(pair.client.connection.error()->reason, Reason::signature_invalid);
      }
    }
  }
}

TEST(KnownPeers, AreReadWhenTheConfigurationIsBuilt) {
  const auto config = client_builder().known_peers({credential_of(usual_key())->chain.front(), {0x30, 0x03}}).build();
  ASSERT_FALSE(config);
  ASSERT_EQ(config.error().size(), 1U);
  EXPECT_EQ(config.error()[0].setting, "known_peers");
  EXPECT_TRUE(config.error()[0].text.starts_with("certificate 2 cannot be read: ")) << config.error()[0].text;
}

TEST(Computation, IsNotHandedOutUnlessAskedFor) {
  Pair pair(built(client_builder()), built(server_builder()));
  pair.run();
  expect_connected(pair);
  EXPECT_TRUE(computed(pair.client).empty());
  EXPECT_TRUE(computed(pair.server).empty());
}

TEST(Computation, ComesBeforeTheClientHello) {
  const auto [client, server] = handed_out(provider());
  Pair pair(client, server);
  EXPECT_FALSE(pair.client.connection.transmit_pending());
  auto asked = std::get<Compute>(pair.client.connection.receive({}, kNow).event);
  EXPECT_EQ(asked.job.what(), Computation::generate);
  EXPECT_EQ(name(asked.job.what()), "generate");
  EXPECT_FALSE(pair.client.connection.transmit_pending());
  ASSERT_TRUE(pair.client.connection.answer(std::move(asked)));
  EXPECT_TRUE(pair.client.connection.transmit_pending());
}

TEST(Computation, IsTakenFromItsOwnQuestionAlone) {
  const auto [client, server] = handed_out(provider());
  Pair pair(client, server);
  Pair other(client, server);
  auto asked = std::get<Compute>(pair.client.connection.receive({}, kNow).event);
  auto foreign = std::get<Compute>(other.client.connection.receive({}, kNow).event);
  std::swap(asked.job, foreign.job);
  const auto refused = pair.client.connection.answer(std::move(asked));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error(), Misuse::invalid_answer);
  std::swap(asked.job, foreign.job);
  EXPECT_TRUE(pair.client.connection.answer(std::move(asked)));
  EXPECT_TRUE(other.client.connection.answer(std::move(foreign)));
  // A second time, and one that nobody asked for.
  EXPECT_EQ(pair.client.connection.answer(std::move(asked)).error(), Misuse::wrong_token);
  EXPECT_EQ(pair.client.connection.answer(Compute{}).error(), Misuse::wrong_token);
  pair.run();
  other.run();
}

TEST(Computation, DropsWithItsToken) {
  const auto [client, server] = handed_out(provider());
  Pair pair(client, server);
  {
    auto asked = std::get<Compute>(pair.client.connection.receive({}, kNow).event);
  }
  pair.run();
  ASSERT_TRUE(pair.client.error);
  EXPECT_EQ(pair.client.error->reason, Reason::token_dropped);
}

TEST(Computation, NeedsRandomnessWhenItIsIssued) {
  const auto [client, server] = handed_out(provider());
  FixedRandom random(1);
  for (random.draws = 0; random.draws < 20;) {
    const int draws = random.draws;
    Connection connection = Connection::client(client, {x509::PeerName::dns("example.com").value(), {}}, random, kNow);
    Event event = connection.receive({}, kNow).event;
    if (std::holds_alternative<Compute>(event)) {
      EXPECT_GT(draws, 0);
      return;
    }
    EXPECT_EQ(std::get<Failed>(event).error.reason, Reason::random_failed);
    random.draws = draws + 1;
  }
  ADD_FAILURE() << "no job is ever issued";
}

TEST(Computation, RunsTwiceAsOnce) {
  const auto [client, server] = handed_out(provider());
  Pair pair(client, server);
  auto asked = std::get<Compute>(pair.client.connection.receive({}, kNow).event);
  std::vector<ComputationJob*> twice{&asked.job, &asked.job};
  run_together(twice);
  asked.job.run();
  EXPECT_TRUE(pair.client.connection.answer(std::move(asked)));
  pair.client.credential = credential_of(usual_key());
  pair.run();
  expect_connected(pair);
  ComputationJob nothing;
  nothing.run();
  EXPECT_FALSE(nothing.done());
}

// --- key pairs made ahead --------------------------------------------------------------------------------------------

TEST(KeyPairsAhead, ServeHalfOfAHybridGroup) {
  const Provider counted = Counted::provider();
  if (counted.insecure() || !counted.supports(NamedGroup::x25519mlkem768)) GTEST_SKIP() << "no such group";
  const auto only = [](auto builder) {
    return built(builder.groups({NamedGroup::x25519mlkem768}).hand_out_computations());
  };
  const Configs configs{only(ConfigBuilder::client(counted)), only(ConfigBuilder::server(counted))};
  Counted::forget();
  FixedRandom random(7);
  KeyPairs ahead(random);
  std::vector<Compute> jobs;
  const Pairs pairs = pairs_of(configs, 1, jobs);
  run_with_jobs(pairs, jobs, &ahead);
  expect_connected(*pairs.front());
  EXPECT_EQ(ahead.size(), taping() == Taping::none ? 6U : 0U);
}

TEST(KeyPairsAhead, AreNotForRecordedConnections) {
  const Configs configs = of_counted(Counted::provider(), false);
  FixedRandom random(1), own(2);
  trace::Recorder recorder(random);
  const auto left = [&](Connection connection) {
    KeyPairs ahead(own);
    auto asked = std::get<Compute>(connection.receive({}, kNow).event);
    ComputationJob* const job = &asked.job;
    run_together({&job, 1}, &ahead);
    EXPECT_TRUE(connection.answer(std::move(asked)));
    EXPECT_TRUE(connection.transmit_pending());
    return ahead.size();
  };
  const auto target = [] { return ClientOptions{x509::PeerName::dns("example.com").value(), {}}; };
  EXPECT_EQ(left(Connection::client(configs.client, target(), recorder, kNow)), 0U);
  EXPECT_EQ(left(Connection::client(configs.client, target(), random, kNow)), 7U);
  // Without randomness of its own there are none, and jobs draw as they do without.
  own.draws = 0;
  EXPECT_EQ(left(Connection::client(configs.client, target(), random, kNow)), 0U);
}

/// A group whose private keys are the bytes that it draws, and whose shares have all their bits turned. The lane
/// `failing` yields none.
struct Plain {
  using Key = std::array<std::uint8_t, 32>;
  static inline std::vector<Key> made, destroyed;
  static inline std::size_t failing = SIZE_MAX;

  static Key key_at(const void* context) {
    Key key;
    std::memcpy(key.data(), context, key.size());
    return key;
  }
  static Key share_of(Key key) {
    for (std::uint8_t& byte : key) byte = static_cast<std::uint8_t>(~byte);
    return key;
  }
  static Group group() {
    Group plain = *testing::provider().group(NamedGroup::x25519);
    plain.context_size = sizeof(Key);
    plain.width = 8;
    plain.generate_many = [](std::span<GenerateJob> jobs) noexcept {
      for (std::size_t i = 0; i < jobs.size(); ++i) {
        if (i == failing || !jobs[i].random->fill({static_cast<std::uint8_t*>(jobs[i].context), sizeof(Key)})) continue;
        made.push_back(key_at(jobs[i].context));
        std::ranges::copy(share_of(made.back()), jobs[i].share.begin());
        jobs[i].result = GroupResult::ok;
      }
    };
    plain.destroy = [](void* context) noexcept {
      destroyed.push_back(key_at(context));
      wipe({static_cast<std::uint8_t*>(context), sizeof(Key)});
    };
    made.clear();
    destroyed.clear();
    failing = SIZE_MAX;
    return plain;
  }
};

TEST(KeyPairsAhead, AreUsedOnceAndWiped) {
  const Group group = Plain::group();
  const Group another = group;
  FixedRandom random(3);
  alignas(detail::KeyPairStock) std::array<std::uint8_t, sizeof(detail::KeyPairStock)> place{};
  auto* const stock = new (place.data()) detail::KeyPairStock(random);
  std::set<Plain::Key> taken;
  const auto take = [&](const Group& of) {
    alignas(64) std::array<std::byte, kMaxGroupContextSize> context;
    Plain::Key share{};
    if (!stock->take(of, context.data(), share)) return false;
    EXPECT_EQ(Plain::share_of(Plain::key_at(context.data())), share);
    taken.insert(Plain::key_at(context.data()));
    of.destroy(context.data());
    for (const Plain::Key& key : taken) EXPECT_TRUE(std::ranges::search(place, key).empty());
    return true;
  };
  for (int i = 0; i < 20; ++i) {
    EXPECT_TRUE(take(group));
    EXPECT_LT(stock->size(), 8U);
  }
  EXPECT_EQ(taken.size(), 20U);
  EXPECT_EQ(stock->size(), 4U);
  // A stock has those of one group.
  EXPECT_TRUE(take(another));
  EXPECT_EQ(stock->size(), 7U);
  EXPECT_EQ(Plain::destroyed.size(), 25U);
  // What failed is no pair.
  stock->clear();
  Plain::failing = 0;
  EXPECT_TRUE(take(group));
  EXPECT_EQ(stock->size(), 6U);
  EXPECT_EQ(taken.size(), 22U);
  std::destroy_at(stock);
  for (const Plain::Key& key : Plain::made) EXPECT_TRUE(std::ranges::search(place, key).empty());
  random.draws = 0;
  detail::KeyPairStock empty(random);
  std::array<std::byte, kMaxGroupContextSize> context;
  Plain::Key share;
  EXPECT_FALSE(empty.take(group, context.data(), share));
  EXPECT_EQ(std::set(Plain::made.begin(), Plain::made.end()),
            std::set(Plain::destroyed.begin(), Plain::destroyed.end()));
  EXPECT_EQ(Plain::made.size(), Plain::destroyed.size());
}

}  // namespace
}  // namespace lockstep::testing
