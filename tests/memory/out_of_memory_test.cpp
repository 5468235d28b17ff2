// Memory runs out at every single place: the n-th allocation fails, and the n-th with all that follow, for every n, in
// every kind of handshake and after it, on both sides. It costs the connection, for the reason that is true, or
// nothing.

#include <array>
#include <cstdio>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "counted_memory.hpp"
#if __has_include(<lockstep/botan.hpp>)
#include <lockstep/botan.hpp>
// Botan's own AEADs and hashes as well: they allocate, and the kernels do not.
#define LOCKSTEP_PAIR_PROVIDER \
  lockstep::botan::provider({.aeads = lockstep::botan::Choice::own, .hashes = lockstep::botan::Choice::own})
#endif
#include "pair/pair.hpp"

// Botan's vectors for secrets come from here, once BOTAN_MLOCK_POOL_SIZE=0 takes their pool away. Sanitizers have a
// calloc of their own.
#if defined(__GLIBC__) && !defined(LOCKSTEP_SANITIZED)
extern "C" void* __libc_calloc(std::size_t count, std::size_t size);
extern "C" void* calloc(std::size_t count, std::size_t size) noexcept {
  return lockstep::testing::memory.refuses() ? nullptr : __libc_calloc(count, size);
}
#endif

namespace lockstep::testing {
namespace {

// Not Botan's ML-KEM and points of curves, which keep to themselves that memory ran out
// (docs/adr/0007-out-of-memory.md).
constexpr KeyType kKey = KeyType::ed25519;
constexpr std::uint32_t kEarlyData = 1000;
const std::string kToServer(3000, 'c');
const std::string kToClient(3000, 's');

/// One end. What the engine allocates for it counts if it is the one that is watched; what its application allocates
/// never does.
class Side {
  template <class Call>
  auto engine(Call call) {
    const Watching watching(watched_);
    return call();
  }

 public:
  Side(bool watched, std::uint64_t seed) : random_(seed), engine_random_(seed), watched_(watched) {}
  Side(const Side&) = delete;
  Side& operator=(const Side&) = delete;

  template <class Make>
  void start(bool recorded, Make make) {
    if (recorded) {
      recorder_.emplace(engine_random_);
      engine([&] { connection_.emplace(make(*recorder_)); });
    } else {
      engine([&] { connection_.emplace(make(engine_random_)); });
    }
  }

  /// Sends what is to be sent, and treats what has arrived. Whether anything happened.
  bool step(Side& peer) {
    bool progress = false;
    std::array<std::uint8_t, 512> buffer{};
    while (const std::size_t size = engine([&] { return connection_->transmit(buffer, kNow); })) {
      peer.inbound_.insert(peer.inbound_.end(), buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(size));
      progress = true;
    }
    for (;;) {
      auto [consumed, event] = engine([&] { return connection_->receive(inbound_, kNow); });
      const bool told = !error && std::visit([this](auto& value) { return on(value); }, event);
      inbound_.erase(inbound_.begin(), inbound_.begin() + static_cast<std::ptrdiff_t>(consumed));
      if (!told && consumed == 0) return progress;
      progress = true;
    }
  }

  void send(Side& peer, std::string_view text) {
    std::vector<std::uint8_t> buffer(4096);
    for (Bytes rest = as_bytes(text); !rest.empty();) {
      const auto sealed = engine([&] { return connection_->seal(std::span(&rest, 1), buffer, kNow); });
      if (!sealed || sealed->written == 0) return;
      peer.inbound_.insert(peer.inbound_.end(), buffer.begin(),
                           buffer.begin() + static_cast<std::ptrdiff_t>(sealed->written));
      rest = rest.subspan(sealed->consumed);
    }
  }
  void send_early(Side& peer, std::string_view text) {
    std::vector<std::uint8_t> buffer(4096);
    const Bytes bytes = as_bytes(text);
    const auto sealed = engine([&] { return connection_->seal_early(std::span(&bytes, 1), buffer, kNow); });
    if (!sealed) return;
    peer.inbound_.insert(peer.inbound_.end(), buffer.begin(),
                         buffer.begin() + static_cast<std::ptrdiff_t>(sealed->written));
  }
  void update_keys() {
    (void)engine([&] { return connection_->update_keys(true); });
  }
  void renegotiate() {
    (void)engine([&] { return connection_->renegotiate(kNow); });
  }
  void offload() {
    for (const Direction direction : {Direction::send, Direction::receive})
      (void)engine([&] { return connection_->offload(direction); });
  }
  void close() {
    engine([&] { connection_->close(); });
  }
  /// Ends; what it counts is given back.
  void end() {
    connection_.reset();
    recorder_.reset();
    sessions.clear();
  }

  [[nodiscard]] Connection& connection() { return *connection_; }

  std::vector<Session> sessions;
  std::string data;
  std::string early_data;
  std::optional<Error> error;
  std::size_t key_updates = 0;
  std::size_t keys_told = 0;
  bool complete = false;
  bool peer_closed = false;

 private:
  template <class Operation, class... Answer>
  bool answer(Operation& question, Answer&&... with) {
    EXPECT_TRUE(engine([&] { return connection_->answer(std::move(question.token), std::forward<Answer>(with)...); }));
    return true;
  }

  bool on(Nothing& /*event*/) { return false; }
  bool on(SelectCredential& event) { return answer(event, credential_); }
  bool on(Sign& event) {
    std::array<std::uint8_t, kMaxSignatureSize> signature{};
    const std::size_t size = event.credential->key->sign(event.scheme, event.message, random_, signature);
    return answer(event, Bytes(signature).first(size));
  }
  bool on(Decrypt& event) { return answer(event, DecryptionFailed{}); }
  bool on(Compute& event) {
    EXPECT_TRUE(engine([&] { return connection_->answer(std::move(event)); }));
    return true;
  }
  bool on(SelectConfig& event) { return answer(event, ConfigSelected{}); }
  bool on(SelectPsk& event) {
    return answer(event, PskChosen{.identity = as_bytes("identity"), .key = as_bytes("key")});
  }
  bool on(FindPsk& event) { return answer(event, PskFound{.key = as_bytes("key")}); }
  bool on(VerifyPeer& event) { return answer(event, PeerAccepted{}); }
  bool on(OpenTicket& event) {
    auto session = Session::parse(event.ticket);
    return answer(event, std::move(session.value()));
  }
  bool on(AcceptEarlyData& event) { return answer(event, EarlyDataAccepted{}); }
  bool on(SealTicket& event) {
    const auto ticket = event.session.serialize();  // tickets in the clear: what seals them is not the engine's
    return answer(event, Bytes(ticket));
  }
  bool on(ApplicationData& event) {
    for (const MutableBytes segment : event.segments()) data += as_text(segment);
    return true;
  }
  bool on(EarlyData& event) {
    for (const MutableBytes segment : event.segments()) early_data += as_text(segment);
    return true;
  }
  bool on(HandshakeComplete& /*event*/) { return complete = true; }
  bool on(SessionReceived& event) {
    sessions.push_back(std::move(event.session));
    return true;
  }
  bool on(PeerClosed& /*event*/) { return peer_closed = true; }
  bool on(PeerKeyUpdated& /*event*/) { return ++key_updates != 0; }
  bool on(RenegotiationRefused& /*event*/) { return true; }
  bool on(TrafficKeys& /*event*/) { return ++keys_told != 0; }
  bool on(SecretLogged& /*event*/) { return true; }
  bool on(Failed& event) {
    error = event.error;
    return true;
  }

  FixedRandom random_;  // of the application
  FixedRandom engine_random_;
  std::optional<trace::Recorder> recorder_;
  std::optional<Connection> connection_;
  std::shared_ptr<const Credential> credential_ = credential_of(kKey);
  std::vector<std::uint8_t> inbound_;
  bool watched_;
};

struct Ends {
  explicit Ends(Role watched) : client(watched == Role::client, 1), server(watched == Role::server, 2) {}

  Side client;
  Side server;

  void run() {
    for (int turns = 0; turns < 100; ++turns) {
      const bool spoke = client.step(server);
      if (!server.step(client) && !spoke) return;
    }
    ADD_FAILURE() << "they go on for ever";
  }
  [[nodiscard]] bool open() const { return !client.error && !server.error && client.complete && server.complete; }
};

ClientConfigBuilder usual_client() { return client_builder().groups({NamedGroup::x25519, NamedGroup::x448}); }

constexpr auto kTls12 = ProtocolVersion::tls_1_2;
ClientConfigBuilder old_client() { return usual_client().versions(kTls12, kTls12); }
ServerConfigBuilder old_server() { return server_builder().versions(kTls12, kTls12); }

/// A kind of connection: how it is made, and what happens once it is there.
struct Kind {
  const char* name;
  std::function<ClientConfigBuilder()> client = usual_client;
  std::function<ServerConfigBuilder()> server = server_builder;
  bool resumes = false;
  bool early = false;
  bool recorded = false;
  bool supplied = false;
  std::function<void(Ends&)> then = [](Ends&) {};
};

const std::vector<Kind>& kinds() {
  static const std::vector<Kind> all{
      {.name = "full"},
      {.name = "supplied", .supplied = true},
      {.name = "retry",
       .client =
           [] {
             return usual_client().groups({NamedGroup::x25519, NamedGroup::x448}).key_shares({NamedGroup::x25519});
           },
       .server = [] { return server_builder().groups({NamedGroup::x448}).cookie(true); }},
      {.name = "mutual", .server = [] { return server_builder().client_auth(ClientAuth::require); }},
      {.name = "tickets", .server = [] { return server_builder().tickets(4).max_send_fragment(100); }},
      {.name = "resumed", .resumes = true},
      {.name = "verified",
       .client = [] { return usual_client().verify_on_resumption(true); },
       .server = [] { return server_builder().client_auth(ClientAuth::require).verify_on_resumption(true); },
       .resumes = true},
      {.name = "early_data",
       .client = [] { return usual_client().early_data(kEarlyData).alpn({"a protocol with a name of some length"}); },
       .server = [] { return server_builder().early_data(kEarlyData).alpn({"a protocol with a name of some length"}); },
       .resumes = true,
       .early = true},
      {.name = "key_updates",
       .then =
           [](Ends& ends) {
             ends.client.update_keys();
             ends.run();
             ends.server.update_keys();
             ends.run();
           }},
      {.name = "closed",
       .then =
           [](Ends& ends) {
             ends.client.close();
             ends.run();
             ends.server.close();
             ends.run();
           }},
      {.name = "offloaded",
       .then =
           [](Ends& ends) {
             ends.server.offload();
             ends.run();
           }},
      {.name = "handed_out",
       .client = [] { return usual_client().hand_out_computations(); },
       .server =
           [] { return server_builder().client_auth(ClientAuth::require).hand_out_computations().select_config(); }},
      {.name = "tls12_handed_out",
       .client = [] { return old_client().hand_out_computations(); },
       .server = [] { return old_server().client_auth(ClientAuth::require).hand_out_computations(); }},
      {.name = "tls12", .client = old_client, .server = old_server},
      {.name = "tls12_mutual",
       .client = old_client,
       .server = [] { return old_server().client_auth(ClientAuth::require).max_send_fragment(100); }},
      {.name = "tls12_resumed",
       .client = [] { return old_client().verify_on_resumption(true); },
       .server = [] { return old_server().client_auth(ClientAuth::require).verify_on_resumption(true); },
       .resumes = true},
      {.name = "tls12_renegotiated",
       .client = [] { return old_client().renegotiation(Renegotiation::freely); },
       .server = [] { return old_server().renegotiation(Renegotiation::freely).client_auth(ClientAuth::request); },
       .then =
           [](Ends& ends) {
             ends.client.renegotiate();
             ends.run();
             ends.server.renegotiate();
             ends.run();
           }},
      {.name = "recorded",
       .client = [] { return usual_client().early_data(kEarlyData).verify_on_resumption(true).key_log(true); },
       .server =
           [] {
             return server_builder()
                 .early_data(kEarlyData)
                 .client_auth(ClientAuth::request)
                 .verify_on_resumption(true)
                 .key_log(true);
           },
       .resumes = true,
       .early = true,
       .recorded = true,
       .then = [](Ends& ends) { ends.client.update_keys(); }},
  };
  return all;
}

/// One kind with one side watched; every run is the same but for what is refused.
class Sweep {
 public:
  Sweep(const Kind& kind, Role watched)
      : kind_(kind), watched_(watched), client_(built(kind.client())), server_(built(kind.server())) {
    if (!kind.resumes) return;
    session_ = play(nullptr)->client.sessions.at(0).clone();
  }

  /// With request number `failing` refused, and all behind it. Whether there was such a request.
  bool run(std::size_t failing, bool and_following) {
    memory = {.failing = failing, .and_following = and_following};
    {
      std::vector<std::uint8_t> blocks(kind_.supplied ? 2 * Connection::kHandshakeMemory : 0);
      const auto ends = play(session_ ? &*session_ : nullptr, blocks);
      memory.failing = 0;
      judge(*ends);
      ends->client.end();
      ends->server.end();
    }
    // In the first run with memory enough, libraries make what they keep.
    if (failing != 0) {
      EXPECT_EQ(memory.blocks, 0) << "what was allocated was given back";
    }
    return memory.failed != 0;
  }

  [[nodiscard]] std::string outcomes() const {
    std::string text;
    for (const auto& [outcome, count] : outcomes_)
      text += (text.empty() ? "" : ", ") + std::to_string(count) + " " + outcome;
    return text;
  }

 private:
  std::unique_ptr<Ends> play(const Session* session, MutableBytes blocks = {}) {
    auto both = std::make_unique<Ends>(watched_);
    Ends& ends = *both;
    std::vector<Session> sessions;
    if (session != nullptr) sessions.push_back(session->clone());
    ClientOptions options{x509::PeerName::dns("longer.than.a.string.holds.by.itself.example.com").value(), sessions};
    const MutableBytes half = blocks.first(blocks.size() / 2);
    const MutableBytes rest = blocks.subspan(half.size());
    ends.client.start(kind_.recorded, [&](auto& random) {
      return Connection::client(client_, std::move(options), random, kNow, half);
    });
    ends.server.start(kind_.recorded, [&](auto& random) { return Connection::server(server_, random, rest); });
    if (session != nullptr && kind_.early) {
      ends.client.step(ends.server);  // the peer of the session may have to be judged first
      ends.client.send_early(ends.server, "early");
    }
    ends.run();
    ends.client.send(ends.server, kToServer);
    ends.server.send(ends.client, kToClient);
    ends.run();
    if (ends.open()) kind_.then(ends);
    return both;
  }

  /// The fake does not.
  static bool provider_allocates() { return !provider().insecure(); }

  void judge(Ends& ends) {
    Side& self = watched_ == Role::client ? ends.client : ends.server;
    Side& peer = watched_ == Role::client ? ends.server : ends.client;
    if (self.error) {
      // What failed is said, and the peer is told or hears nothing.
      EXPECT_TRUE(self.error->reason == Reason::memory ||
                  (self.error->reason == Reason::provider_failed && provider_allocates()))
          << to_text(*self.error);
      EXPECT_EQ(self.error->alert, Alert::internal_error);
      // Where keys were handed out, nobody here protects the alert.
      if (peer.error && self.keys_told == 0) {
        EXPECT_EQ(peer.error->origin, Origin::peer) << to_text(*peer.error);
        EXPECT_EQ(peer.error->alert, Alert::internal_error) << to_text(*peer.error);
      }
      EXPECT_FALSE(self.connection().connected());
      count(name(self.error->reason));
      return;
    }
    EXPECT_FALSE(peer.error) << to_text(*peer.error);
    EXPECT_TRUE(ends.client.complete && ends.server.complete);
    EXPECT_EQ(ends.server.data, kToServer);
    EXPECT_EQ(ends.client.data, kToClient);
    // What there was no memory to find out about a session is no reason to resume it.
    if (memory.failed == 0) {
      EXPECT_EQ(ends.client.connection().resumed(), kind_.resumes && session_);
      EXPECT_EQ(ends.server.early_data, kind_.early && session_ ? "early" : "");
    }
    count("without effect");
  }
  void count(std::string_view outcome) {
    if (memory.failed != 0) ++outcomes_[std::string(outcome)];
  }

  const Kind& kind_;
  Role watched_;
  std::shared_ptr<const ClientConfig> client_;
  std::shared_ptr<const ServerConfig> server_;
  std::optional<Session> session_;
  std::map<std::string, std::size_t> outcomes_;
};

class OutOfMemory : public ::testing::TestWithParam<std::tuple<std::size_t, Role>> {};

TEST_P(OutOfMemory, CostsTheConnectionAtMost) {
  const auto [number, role] = GetParam();
  const Kind& kind = kinds()[number];
  for (const bool and_following : {false, true}) {
    Sweep sweep(kind, role);
    sweep.run(0, false);  // with memory enough; whatever is made once for all is there afterwards
    ASSERT_FALSE(HasFailure());
    std::size_t count = 0;
    while (sweep.run(count + 1, and_following)) {
      ++count;
      ASSERT_FALSE(HasFailure()) << "allocation " << count << (and_following ? " and all that follow" : "");
    }
    std::printf("%-12s %s: allocations failed %zu%s: %s\n", kind.name, role == Role::client ? "client" : "server",
                count, and_following ? ", with all that follow" : "", sweep.outcomes().c_str());
    EXPECT_NE(count, 0U);
  }
}

std::vector<std::size_t> numbers() {
  std::vector<std::size_t> all(kinds().size());
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = i;
  return all;
}

INSTANTIATE_TEST_SUITE_P(Kinds, OutOfMemory,
                         ::testing::Combine(::testing::ValuesIn(numbers()),
                                            ::testing::Values(Role::client, Role::server)),
                         [](const auto& tested) {
                           return std::string(kinds()[std::get<0>(tested.param)].name) +
                                  (std::get<1>(tested.param) == Role::client ? "_client" : "_server");
                         });

}  // namespace
}  // namespace lockstep::testing
