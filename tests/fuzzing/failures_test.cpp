// A provider that fails at one call after the other: every handshake ends in the same reason, told once, and the other
// side hears of it.

#include <memory>
#include <vector>

#include <gtest/gtest.h>

#include <lockstep/fuzzing.hpp>

namespace lockstep::fuzzing {
namespace {

/// Calls that succeed before one fails; below zero none does.
int calls_left = -1;
bool fails() { return calls_left >= 0 && calls_left-- == 0; }

const Provider& base() {
  static const Provider provider = fake::provider();
  return provider;
}

const Hash& hash() { return *base().hash(HashAlgorithm::sha256); }
const Aead& aead() { return *base().aead(AeadAlgorithm::aes_128_gcm); }

const Hash* failing_hash() {
  static const Hash descriptor = [] {
    Hash own = hash();
    own.init = [](void* context) noexcept { return !fails() && hash().init(context); };
    own.digest = [](const void* context, MutableBytes out) noexcept { return !fails() && hash().digest(context, out); };
    own.hmac = [](Bytes key, std::span<const Bytes> segments, MutableBytes out) noexcept {
      return !fails() && hash().hmac(key, segments, out);
    };
    own.expand = [](std::span<const ExpandJob> jobs) noexcept { return !fails() && hash().expand(jobs); };
    return own;
  }();
  return &descriptor;
}

const Aead* failing_aead() {
  static const Aead descriptor = [] {
    Aead own = aead();
    own.init = [](void* context, Bytes key) noexcept { return !fails() && aead().init(context, key); };
    own.seal = [](void* context, std::span<const SealJob> jobs) noexcept {
      return !fails() && aead().seal(context, jobs);
    };
    return own;
  }();
  return &descriptor;
}

template <NamedGroup id>
const Group* failing_group() {
  static const auto group = []() -> const Group& {
    for (const Group* each : base().groups) {
      if (each->id == id) return *each;
    }
    std::abort();
  };
  static const Group descriptor = [] {
    Group own = group();
    own.generate = [](void* context, RandomSource& random, MutableBytes share) noexcept {
      return fails() ? GroupResult::failed : group().generate(context, random, share);
    };
    own.encapsulate = [](Bytes client_share, RandomSource& random, MutableBytes share, MutableBytes secret) noexcept {
      return fails() ? GroupResult::failed : group().encapsulate(client_share, random, share, secret);
    };
    own.decapsulate = [](void* context, Bytes server_share, MutableBytes secret) noexcept {
      return fails() ? GroupResult::failed : group().decapsulate(context, server_share, secret);
    };
    return own;
  }();
  return &descriptor;
}

Provider failing_provider() {
  Provider provider = base();
  provider.aeads = {failing_aead()};
  provider.hashes = {failing_hash()};
  provider.groups = {failing_group<NamedGroup::x25519>(), failing_group<NamedGroup::mlkem768>(),
                     failing_group<NamedGroup::secp384r1>()};
  return provider;
}

struct Case {
  const char* name;
  bool asks = false;     // for the client's certificate
  bool retries = false;  // with a HelloRetryRequest
  bool resumes = false;
  bool small = false;  // records, so that tickets are cut
};

void PrintTo(const Case& the_case, std::ostream* out) { *out << the_case.name; }

class Failures : public ::testing::TestWithParam<Case> {
 protected:
  void SetUp() override { calls_left = -1; }
  void TearDown() override { calls_left = -1; }
};

/// A handshake, data each way and a change of keys.
struct Connected {
  Connected(const std::shared_ptr<const ClientConfig>& client_config,
            const std::shared_ptr<const ServerConfig>& server_config, std::span<Session> sessions)
      : client(client_config, 1, sessions), server(server_config, 2) {
    Wire wire;
    talk(client, server, wire);
    for (End* const from : {&client, &server}) {
      End& to = from == &client ? server : client;
      if (!from->over() && !to.over()) to.receive(from->seal(as_bytes("data")));
      if (!from->over() && from->connection().connected()) (void)from->connection().update_keys(true);
      talk(client, server, wire);
    }
  }
  [[nodiscard]] bool well() {
    return client.connection().connected() && server.connection().connected() && client.outcome().data.size() == 4 &&
           server.outcome().data.size() == 4;
  }

  End client;
  End server;
};

TEST_P(Failures, OfTheProviderAreToldOnceAndForAll) {
  const Case& the_case = GetParam();
  const Provider provider = failing_provider();
  const auto client_config = ConfigBuilder::client(provider)
                                 .dangerous()
                                 .allow_insecure_provider()
                                 .groups({NamedGroup::x25519mlkem768, NamedGroup::x25519, NamedGroup::secp384r1})
                                 .build()
                                 .value();
  ServerConfigBuilder server = ConfigBuilder::server(provider).dangerous().allow_insecure_provider();
  if (the_case.asks) server.client_auth(ClientAuth::require);
  if (the_case.small) server.max_send_fragment(64);
  if (the_case.retries) server.groups({NamedGroup::secp384r1});
  const auto server_config = server.build().value();

  std::vector<Session> sessions;
  const auto offer = [&] {
    std::vector<Session> copies;
    if (the_case.resumes) copies.push_back(sessions.front().clone());
    return copies;
  };
  {
    Connected first(client_config, server_config, {});
    ASSERT_TRUE(first.well());
    sessions = std::move(first.client.sessions());
    ASSERT_FALSE(sessions.empty());
  }

  int failures = 0;
  for (int calls = 0;; ++calls) {
    ASSERT_LT(calls, 2000);
    SCOPED_TRACE(calls);
    calls_left = calls;
    auto offered = offer();
    Connected run(client_config, server_config, offered);
    const bool failed = calls_left < 0;
    calls_left = -1;
    if (!failed) {
      EXPECT_TRUE(run.well());
      EXPECT_EQ(run.client.connection().resumed(), the_case.resumes);
      break;
    }
    ++failures;
    // A ticket that cannot be made is no reason to fail; everything else is.
    if (run.well()) continue;
    const auto failure_of = [](End& end) {
      const Error* const error = end.connection().error();
      // A key pair cannot be made for want of randomness or of the library: a descriptor does not tell which.
      const bool by_provider =
          error != nullptr && (error->reason == Reason::provider_failed || error->reason == Reason::random_failed);
      return by_provider ? error : nullptr;
    };
    const Error* const of_client = failure_of(run.client);
    const Error* const of_server = failure_of(run.server);
    const auto text_of = [](End& end) {
      return end.connection().error() != nullptr ? to_text(*end.connection().error()) : std::string("well");
    };
    ASSERT_NE(of_client != nullptr, of_server != nullptr) << text_of(run.client) << "\n" << text_of(run.server);
    const Error& error = of_client != nullptr ? *of_client : *of_server;
    EXPECT_EQ(error.alert, Alert::internal_error);
    EXPECT_EQ(error.origin, Origin::local);
    EXPECT_FALSE((of_client != nullptr ? run.client : run.server).connection().connected());
  }
  EXPECT_GT(failures, 30);
}

INSTANTIATE_TEST_SUITE_P(Kinds, Failures,
                         ::testing::Values(Case{.name = "Plain"}, Case{.name = "ClientAuthentication", .asks = true},
                                           Case{.name = "Retry", .retries = true},
                                           Case{.name = "Resumption", .resumes = true},
                                           Case{.name = "SmallRecords", .small = true}),
                         [](const auto& kind) { return kind.param.name; });

}  // namespace
}  // namespace lockstep::fuzzing
