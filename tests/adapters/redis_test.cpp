// Server processes that share a Redis, which is Debian's own redis-server: on a Unix socket, in a directory of its own.

#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <lockstep/redis.hpp>
#include <lockstep/x509_pem.hpp>

#include "loop_support.hpp"

namespace lockstep::testing {
namespace {

using namespace std::chrono_literals;
using SteadyClock = std::chrono::steady_clock;

constexpr auto kTls12 = ProtocolVersion::tls_1_2;
constexpr auto kTls13 = ProtocolVersion::tls_1_3;

/// What all processes see.
struct Shared {
  std::atomic<std::int64_t> clock_step;    // of the servers, in milliseconds
  std::atomic<std::uint64_t> early;        // early data that was accepted
  std::atomic<std::uint64_t> connections;  // of servers to Redis, that came to answer
};
Shared& shared() {
  static Shared& value = *[] {
    void* memory = ::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return new (memory) Shared{};
  }();
  return value;
}
/// Redis tells the time that it is.
Time servers_clock() noexcept { return system_time() + std::chrono::milliseconds(shared().clock_step.load()); }
std::int64_t today() { return system_time().time_since_epoch() / 1s; }

bool installed() { return std::system("redis-server --version >/dev/null 2>&1") == 0; }

/// A socket connected to a path, once somebody listens there.
Descriptor connect_to(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  for (const auto end = SteadyClock::now() + 10s; SteadyClock::now() < end; std::this_thread::sleep_for(2ms)) {
    Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const timeval patience{.tv_sec = 10, .tv_usec = 0};
    (void)::setsockopt(socket.number(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (::connect(socket.number(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return socket;
  }
  throw std::runtime_error("nobody listens on " + path);
}

/// A process that ends with its owner.
class Process {
 public:
  Process() = default;
  explicit Process(const std::function<void()>& run) : id_(::fork()) {
    if (id_ != 0) return;
    try {
      run();
    } catch (const std::exception& thrown) {
      std::fprintf(stderr, "%s\n", thrown.what());
    }
    ::_exit(1);
  }
  Process(Process&& other) noexcept : id_(std::exchange(other.id_, 0)) {}
  Process& operator=(Process&& other) noexcept {
    end();
    id_ = std::exchange(other.id_, 0);
    return *this;
  }
  ~Process() { end(); }
  void signal(int number) const { ::kill(id_, number); }
  void end() {
    if (id_ == 0) return;
    ::kill(id_, SIGKILL);
    (void)::waitpid(std::exchange(id_, 0), nullptr, 0);
  }

 private:
  pid_t id_ = 0;
};

/// What became of a connection.
struct Visit {
  bool resumed = false;
  std::vector<Session> sessions;
  std::vector<std::uint8_t> sent;  // what went out before anything came
  std::chrono::milliseconds took{0};
};

/// Of a server.
struct Kind {
  ServerConfigBuilder config = server_config().tickets(1).early_data(16'384);
  redis::Options options{.durable = true};
  std::shared_ptr<const x509::TrustAnchors> anchors{};
};

class Redis : public ::testing::TestWithParam<LoopKind> {
 protected:
  void SetUp() override {
    if (!installed()) GTEST_SKIP() << "no redis-server here (Debian: redis-server)";
    std::string pattern = (std::filesystem::temp_directory_path() / "lockstep-redis-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    directory_ = pattern;
    shared().clock_step = 0;
    shared().early = 0;
    shared().connections = 0;
    start_redis();
  }
  void TearDown() override {
    servers_.clear();
    redis_.end();
    if (!directory_.empty()) std::filesystem::remove_all(directory_);
  }

  [[nodiscard]] std::string in_directory(std::string_view name) const { return directory_ + "/" + std::string(name); }
  /// With nothing in its memory.
  void start_redis(std::vector<std::string> more = {}) {
    std::filesystem::remove(in_directory("redis"));
    // All that takes memory comes before the fork: other threads may be running.
    std::vector<std::string> words{"redis-server",     "--port", "0",     "--unixsocket", in_directory("redis"),
                                   "--save",           "",       "--dir", directory_,     "--logfile",
                                   in_directory("log")};
    words.insert(words.end(), more.begin(), more.end());
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    redis_ = Process([&] { ::execvp(arguments.front(), arguments.data()); });
    (void)connect_to(in_directory("redis"));
  }
  /// What Redis says to a command in its inline form.
  std::string ask_redis(const std::string& command) const {
    const Descriptor socket = connect_to(in_directory("redis"));
    const std::string text = command + "\r\nQUIT\r\n";
    EXPECT_EQ(::send(socket.number(), text.data(), text.size(), 0), static_cast<ssize_t>(text.size()));
    std::string said;
    std::array<char, 4096> buffer;
    for (ssize_t size = 0; (size = ::recv(socket.number(), buffer.data(), buffer.size(), 0)) > 0;)
      said.append(buffer.data(), static_cast<std::size_t>(size));
    return said;
  }

  class Page final : public loop::Handler {
   public:
    explicit Page(const std::shared_ptr<redis::Store>& store) : sessions_(store) {}
    bool on_event(loop::Stream& stream, Event& event) override {
      if (std::holds_alternative<EarlyData>(event)) ++shared().early;
      return sessions_.take(stream, event);
    }
    void on_handshake(loop::Stream& stream, const HandshakeComplete&) override {
      (void)stream.write(as_bytes("served"));
    }
    void on_readable(loop::Stream& stream) override { stream.consume(stream.readable().size()); }

   private:
    redis::Sessions sessions_;
  };
  /// A process that serves on the path of that name, and has found Redis.
  void serve(const std::string& name, Kind kind = {}) {
    const std::uint64_t before = shared().connections;
    std::filesystem::remove(in_directory(name));
    if (kind.options.config == nullptr) kind.options.server = {.host = in_directory("redis")};
    servers_[name] = Process([&, kind] {
      const auto loop = must(GetParam().make({}));
      const auto config = built(kind.config);
      const auto setup =
          setup_of({.provider = provider(), .credentials = {leaf_}, .anchors = kind.anchors, .ticket_keys = keyring_});
      auto made = redis::Store::create(*loop, *config, setup, kind.options);
      if (!made) throw std::runtime_error(made.error().front().text);
      const auto store = std::move(*made);
      (void)must(loop->listen({.host = in_directory(name)},
                              {.config = config, .answers = setup, .clock = servers_clock},
                              [store](loop::Stream&) { return std::make_unique<Page>(store); }));
      std::uint64_t told = 0;
      while (loop->run_once(10ms)) {
        const std::uint64_t now = store->statistics().connections;
        shared().connections += now - std::exchange(told, now);
      }
    });
    (void)connect_to(in_directory(name));
    connected(before + 1);
  }
  static void connected(std::uint64_t connections) {
    for (const auto end = SteadyClock::now() + 10s; shared().connections < connections;) {
      ASSERT_LT(SteadyClock::now(), end) << "the server does not find Redis";
      std::this_thread::sleep_for(2ms);
    }
  }

  enum class Wants : std::uint8_t { a_session, an_answer, nothing };
  /// A client comes, and waits for what it wants; who wants nothing sends nothing.
  Visit visit(const std::string& name, const Session* session = nullptr, std::string_view early = {},
              Wants wants = Wants::a_session, ClientConfigBuilder config = client_config().versions(kTls13, kTls13),
              std::string_view expected = "example.com") {
    const auto start = SteadyClock::now();
    const Descriptor socket = wants == Wants::nothing ? Descriptor() : connect_to(in_directory(name));
    std::vector<Session> offered;
    if (session != nullptr) offered.push_back(session->clone());
    const auto setup = setup_of({.provider = provider(), .anchors = root_.anchors()});
    auto engine = Connection::client(
        built(config.early_data(16'384)),
        {.name = dns(expected), .sessions = offered, .verification = setup->verification()}, random(), system_time());
    Answers answers(setup, random());
    Visit visit;
    std::vector<std::uint8_t> buffer(Connection::kMaxRecord);
    const auto send = [&](Bytes bytes) {
      visit.sent.insert(visit.sent.end(), bytes.begin(), bytes.end());
      if (socket) (void)::send(socket.number(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    };
    const auto transmit = [&] {
      while (const std::size_t size = engine.transmit(buffer, system_time())) send(Bytes(buffer).first(size));
    };
    transmit();
    if (!early.empty()) {
      const Bytes plaintext = as_bytes(early);
      const auto sealed = engine.seal_early({&plaintext, 1}, buffer, system_time());
      EXPECT_TRUE(sealed && sealed->consumed == early.size());
      if (sealed) send(Bytes(buffer).first(sealed->written));
    }
    if (wants == Wants::nothing) return visit;
    const std::vector<std::uint8_t> first = visit.sent;
    std::vector<std::uint8_t> inbound;
    std::string received;
    while (received.empty() || (wants == Wants::a_session && visit.sessions.empty())) {
      std::array<std::uint8_t, 16384> space;
      const ssize_t size = ::recv(socket.number(), space.data(), space.size(), 0);
      if (size <= 0) {
        ADD_FAILURE() << "the connection ended, or hung";
        break;
      }
      inbound.insert(inbound.end(), space.begin(), space.begin() + size);
      for (;;) {
        auto [consumed, event] = engine.receive(inbound, system_time());
        const bool answered = answers.answer(engine, event);
        const bool nothing = std::holds_alternative<Nothing>(event);
        if (auto* given = std::get_if<SessionReceived>(&event)) visit.sessions.push_back(std::move(given->session));
        if (const auto* data = std::get_if<ApplicationData>(&event)) received += as_text(data->segments()[0]);
        if (const auto* failed = std::get_if<Failed>(&event)) {
          ADD_FAILURE() << to_text(failed->error);
          return visit;
        }
        inbound.erase(inbound.begin(), inbound.begin() + static_cast<std::ptrdiff_t>(consumed));
        if (nothing && !answered) break;
      }
      transmit();
    }
    visit.resumed = engine.resumed();
    engine.close();
    transmit();
    visit.sent = first;
    visit.took = std::chrono::duration_cast<std::chrono::milliseconds>(SteadyClock::now() - start);
    return visit;
  }
  bool resumes(const std::string& name, const Session& session, std::string_view expected = "example.com") {
    return visit(name, &session, {}, Wants::an_answer, client_config().versions(session.version, session.version),
                 expected)
        .resumed;
  }
  Session session_of(const std::string& name, ProtocolVersion version = kTls13) {
    auto made = visit(name, nullptr, {}, Wants::a_session, client_config().versions(version, version));
    if (made.sessions.empty()) throw std::runtime_error("no session");
    return std::move(made.sessions.front());
  }
  /// Until the server keeps sessions again: those of TLS 1.2, whose tickets come within the handshake.
  void recovered(const std::string& name) {
    const auto end = SteadyClock::now() + 10s;
    while (visit(name, nullptr, {}, Wants::an_answer, client_config().versions(kTls12, kTls12)).sessions.empty()) {
      ASSERT_LT(SteadyClock::now(), end) << name << " does not find Redis again";
      std::this_thread::sleep_for(5ms);
    }
  }
  /// The same bytes again, so many times, to one server after the other; each has answered when this returns.
  void replay(Bytes bytes, const std::vector<std::string>& names, int count) {
    for (int done = 0; done < count;) {
      std::vector<Descriptor> sockets;
      for (int i = 0; i < 20 && done < count; ++i, ++done) {
        sockets.push_back(connect_to(in_directory(names[static_cast<std::size_t>(done) % names.size()])));
        (void)::send(sockets.back().number(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      }
      std::array<std::uint8_t, 16384> answer;
      for (const Descriptor& socket : sockets) EXPECT_GT(::recv(socket.number(), answer.data(), answer.size(), 0), 0);
    }
  }

  Authority root_{"CN=Test Root", KeyType::ec_p256, today()};
  std::shared_ptr<const Credential> leaf_ =
      root_.issue({.dns = {"example.com", "example.org"}, .not_after = today() + 10 * kDay});
  std::shared_ptr<TicketKeyring> keyring_ = TicketKeyring::create(provider(), random());
  std::string directory_;
  Process redis_;
  std::map<std::string, Process> servers_;
};
INSTANTIATE_TEST_SUITE_P(Loops, Redis, ::testing::ValuesIn(loop_kinds()), kind_name);

TEST_P(Redis, LetsAServerResumeTheSessionsOfAnother) {
  serve("a");
  serve("b");
  const Session once = session_of("a", kTls13);
  EXPECT_EQ(once.ticket.size(), 33U) << "nothing but a name";
  EXPECT_TRUE(resumes("b", once));
  EXPECT_FALSE(resumes("a", once)) << "a ticket of TLS 1.3 is good once";
  EXPECT_FALSE(resumes("b", once));
  const Session often = session_of("a", kTls12);
  EXPECT_TRUE(resumes("b", often));
  EXPECT_TRUE(resumes("a", often));
}

TEST_P(Redis, KeepsSessionsByTheirIdsUntilAConnectionFails) {
  const Kind kind{.config = server_config().tickets(0).session_ids(true)};
  serve("a", kind);
  serve("b", kind);
  const Session session = session_of("a", kTls12);
  EXPECT_TRUE(session.ticket.empty());
  EXPECT_TRUE(resumes("b", session));
  EXPECT_TRUE(resumes("a", session));
  // RFC 5246 7.2.2: a fatal alert ends the session as well.
  {
    const Descriptor socket = connect_to(in_directory("b"));
    std::vector<Session> offered;
    offered.push_back(session.clone());
    const auto setup = setup_of({.provider = provider(), .anchors = root_.anchors()});
    auto engine =
        Connection::client(built(client_config().versions(kTls12, kTls12)),
                           {.name = dns("example.com"), .sessions = offered, .verification = setup->verification()},
                           random(), system_time());
    std::array<std::uint8_t, 16384> buffer;
    while (const std::size_t size = engine.transmit(buffer, system_time()))
      (void)::send(socket.number(), buffer.data(), size, MSG_NOSIGNAL);
    EXPECT_GT(::recv(socket.number(), buffer.data(), buffer.size(), 0), 0);
    (void)::send(socket.number(), "nonsense", 8, MSG_NOSIGNAL);
    while (::recv(socket.number(), buffer.data(), buffer.size(), 0) > 0) continue;
  }
  EXPECT_FALSE(resumes("a", session));
}

TEST_P(Redis, TakesASessionOutForOneOfManyAtOnce) {
  const std::vector<std::string> names{"a", "b", "c", "d"};
  for (const std::string& name : names) serve(name);
  for (int round = 0; round < 10; ++round) {
    const Session session = session_of("a");
    std::atomic<int> resumed = 0;
    std::vector<std::thread> clients;
    for (int i = 0; i < 8; ++i) {
      clients.emplace_back([&, i] { resumed += resumes(names[static_cast<std::size_t>(i) % names.size()], session); });
    }
    for (std::thread& client : clients) client.join();
    EXPECT_EQ(resumed, 1);
  }
}

TEST_P(Redis, GivesASessionBackThatWasNotResumed) {
  serve("a");
  serve("elsewhere", {.config = server_config().tickets(1).session_context({'x'})});
  const Session session = session_of("a");
  EXPECT_FALSE(resumes("elsewhere", session)) << "its keys are others";
  EXPECT_FALSE(resumes(
      "a",
      [&] {
        Session other = session.clone();
        other.name = dns("example.org");
        return other;
      }(),
      "example.org"))
      << "it belongs to a name";
  // Who holds no more than the ticket takes it from nobody.
  Session forged = session.clone();
  forged.secret.writable()[0] ^= 1U;
  {
    const Visit refused = visit("a", &forged, {}, Wants::nothing);
    const Descriptor socket = connect_to(in_directory("a"));
    (void)::send(socket.number(), refused.sent.data(), refused.sent.size(), MSG_NOSIGNAL);
    std::array<std::uint8_t, 64> alert;
    while (::recv(socket.number(), alert.data(), alert.size(), 0) > 0) continue;
  }
  EXPECT_TRUE(resumes("a", session));
}

TEST_P(Redis, HoldsNoSecret) {
  serve("a");
  const Session session = session_of("a");
  const std::string kept = ask_redis("KEYS *");
  const auto at = kept.find("lockstep:");
  ASSERT_NE(at, std::string::npos) << kept;
  const std::string value = ask_redis("GET " + kept.substr(at, kept.find('\r', at) - at));
  EXPECT_GT(value.size(), 100U);
  EXPECT_EQ(value.find(as_text(session.secret.view())), std::string::npos);
  EXPECT_THAT(value, ::testing::HasSubstr(std::string(as_text(keyring_->keys().front().name())))) << "it is sealed";
}

TEST_P(Redis, AcceptsEarlyDataOnceWhereverItIsReplayed) {
  const std::vector<std::string> names{"a", "b", "c", "d"};
  for (const bool sessions : {true, false}) {
    shared().early = 0;
    const Kind kind{.options = {.sessions = sessions, .durable = true}};
    for (const std::string& name : names) serve(name, kind);
    const Session session = session_of("a");
    const Visit first = visit("b", &session, "once", Wants::an_answer);
    EXPECT_TRUE(first.resumed);
    EXPECT_EQ(shared().early, 1U);
    const auto start = SteadyClock::now();
    replay(first.sent, names, 1000);
    std::printf("%s: 1000 replays to four processes in %d ms, %d accepted\n", sessions ? "sessions" : "sealed tickets",
                static_cast<int>((SteadyClock::now() - start) / 1ms), static_cast<int>(shared().early - 1));
    EXPECT_EQ(shared().early, 1U);
    // Whoever is new knows no less, whatever time it believes it is.
    serve("a", kind);
    for (const int step : {0, 5'000, -5'000, 3'600'000, 0, -3'600'000, 60'000, 0}) {
      shared().clock_step = step;
      replay(first.sent, names, 8);
    }
    EXPECT_EQ(shared().early, 1U);
    // A fresh one is accepted by those whose clocks agree with Redis's, once, of many at a time.
    const Session another = session_of("c");
    const Visit unsent = visit("a", &another, "twice", Wants::nothing);
    replay(unsent.sent, names, 12);
    EXPECT_EQ(shared().early, 2U);
  }
}

TEST_P(Redis, RefusesEarlyDataWhereItMayHaveForgotten) {
  serve("a", {.options = {.sessions = false}});
  const auto refused = [&] {
    const Session session = session_of("a");
    EXPECT_TRUE(visit("a", &session, "early", Wants::an_answer).resumed);
    EXPECT_EQ(shared().early, 0U);
  };
  refused();  // the server has just begun
  redis_.end();
  start_redis();
  connected(2);
  refused();  // so has Redis
}

TEST_P(Redis, RefusesEarlyDataThatItSaysNothingAbout) {
  serve("a", {.options = {.sessions = false, .durable = true}});
  const Session session = session_of("a");
  redis_.signal(SIGSTOP);
  const Visit first = visit("a", &session, "early", Wants::an_answer);
  EXPECT_TRUE(first.resumed);
  EXPECT_GE(first.took, 250ms);
  redis_.signal(SIGCONT);
  std::this_thread::sleep_for(50ms);
  replay(first.sent, {"a"}, 4);
  EXPECT_EQ(shared().early, 0U) << "and what it was asked it has remembered";
}

TEST_P(Redis, LetsHandshakesGoOnWhateverItDoes) {
  serve("a");
  std::vector<std::chrono::milliseconds> times;
  int resumed = 0;
  const auto handshakes = [&](std::string_view when, auto redis_does, int count) {
    times.clear();
    resumed = 0;
    std::vector<Session> sessions;
    for (int i = 0; i < count / 2; ++i) sessions.push_back(session_of("a"));
    redis_does();
    for (int i = 0; i < count; ++i) {
      const Session* session = i % 2 == 0 ? &sessions[static_cast<std::size_t>(i) / 2] : nullptr;
      const Visit visited = visit("a", session, session == nullptr ? "" : "early", Wants::an_answer);
      times.push_back(visited.took);
      resumed += visited.resumed ? 1 : 0;
    }
    std::ranges::sort(times);
    std::printf("%.*s: %d handshakes, %d resumed, none failed; median %d ms, longest %d ms\n",
                static_cast<int>(when.size()), when.data(), count, resumed,
                static_cast<int>(times[times.size() / 2].count()), static_cast<int>(times.back().count()));
  };
  handshakes("well", [] {}, 12);
  EXPECT_EQ(resumed, 6);
  for (int stall = 0; stall < 2; ++stall) {
    // Somebody waits for the first answer; nobody for those behind it.
    handshakes("stalled", [&] { redis_.signal(SIGSTOP); }, 12);
    EXPECT_EQ(resumed, 0);
    EXPECT_GE(times.back(), 250ms);
    EXPECT_LT(times.back(), 1500ms);
    EXPECT_LT(times[times.size() / 2], 200ms);
    redis_.signal(SIGCONT);
    recovered("a");
    handshakes("well again", [] {}, 12);
    EXPECT_EQ(resumed, 6);
  }
  handshakes("gone", [&] { redis_.end(); }, 12);
  EXPECT_EQ(resumed, 0);
  EXPECT_LT(times.back(), 1000ms);
  start_redis();
  recovered("a");
  handshakes("there again", [] {}, 12);
  EXPECT_EQ(resumed, 6);
}

// LOCKSTEP_REDIS_STALL says for how many milliseconds Redis stops in the middle; 5000 gives the figures of the pages.
TEST_P(Redis, LetsManyHandshakesGoOnInTheMeantime) {
  const char* said = std::getenv("LOCKSTEP_REDIS_STALL");
  const std::chrono::milliseconds stall(said == nullptr ? 300 : std::atoi(said));
  serve("a");
  serve("b");
  std::atomic<bool> over = false;
  struct Count {
    std::uint64_t made = 0;
    std::uint64_t resumed = 0;
    std::chrono::milliseconds longest{0};
  };
  std::array<Count, 4> counts{};
  std::vector<std::thread> clients;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    clients.emplace_back([&, i] {
      std::optional<Session> session;  // of TLS 1.2, whose tickets come within the handshake
      for (Count& count = counts[i]; !over; ++count.made) {
        Visit visited = visit(count.made % 2 == 0 ? "a" : "b", session ? &*session : nullptr, {}, Wants::an_answer,
                              client_config().versions(kTls12, kTls12));
        count.resumed += visited.resumed ? 1U : 0U;
        count.longest = std::max(count.longest, visited.took);
        session.reset();
        if (!visited.sessions.empty()) session = std::move(visited.sessions.back());
      }
    });
  }
  std::this_thread::sleep_for(100ms);
  redis_.signal(SIGSTOP);
  std::this_thread::sleep_for(stall);
  redis_.signal(SIGCONT);
  std::this_thread::sleep_for(100ms);
  redis_.end();
  std::this_thread::sleep_for(50ms);
  start_redis();
  std::this_thread::sleep_for(400ms);
  over = true;
  for (std::thread& client : clients) client.join();
  Count all;
  for (const Count& count : counts) {
    all.made += count.made;
    all.resumed += count.resumed;
    all.longest = std::max(all.longest, count.longest);
  }
  std::printf("stopped for %d ms, and restarted: %d handshakes, %d resumed, none failed; longest %d ms\n",
              static_cast<int>(stall.count()), static_cast<int>(all.made), static_cast<int>(all.resumed),
              static_cast<int>(all.longest.count()));
  EXPECT_GT(all.resumed, 10U);
  EXPECT_LT(all.longest, 3s);
  recovered("a");
  recovered("b");
  EXPECT_TRUE(resumes("b", session_of("a")));
}

// A loop ends though its store has a connection, whichever of the two goes first.
TEST_P(Redis, EndsWithItsLoop) {
  const auto config = built(server_config());
  const auto setup = setup_of({.provider = provider(), .credentials = {leaf_}, .ticket_keys = keyring_});
  const auto made = [&](loop::Loop& loop) {
    return redis::Store::create(loop, *config, setup, {.server = {.host = in_directory("redis")}}).value();
  };
  enum class Ends : std::uint8_t { drained, loop_first, store_first, before_it_is_connected };
  for (const Ends ends : {Ends::drained, Ends::loop_first, Ends::store_first, Ends::before_it_is_connected}) {
    auto loop = must(GetParam().make({}));
    auto store = made(*loop);
    for (int turn = 0; turn < 500 && !store->statistics().connected && ends != Ends::before_it_is_connected; ++turn)
      loop->run_once(10ms);
    EXPECT_EQ(store->statistics().connected, ends != Ends::before_it_is_connected);
    if (ends == Ends::drained) {
      loop->drain(10s);
      const auto start = SteadyClock::now();
      loop->run();
      EXPECT_LT(SteadyClock::now() - start, 5s);
      EXPECT_FALSE(store->statistics().connected);
    }
    if (ends == Ends::store_first) {
      store.reset();
      loop->run_once(10ms);
    }
    loop.reset();
  }
}

TEST_P(Redis, SaysWhoItIs) {
  EXPECT_THAT(ask_redis("ACL SETUSER tls on >word ~lockstep:* +@all"), ::testing::HasSubstr("OK"));
  EXPECT_THAT(ask_redis("CONFIG SET requirepass secret"), ::testing::HasSubstr("OK"));
  serve("a", {.options = {.password = "secret"}});
  serve("b", {.options = {.user = "tls", .password = "word"}});
  EXPECT_TRUE(resumes("b", session_of("a")));
}

TEST_P(Redis, IsReachedByTls) {
  if (ask_redis("CONFIG GET tls-port").find("tls-port") == std::string::npos)
    GTEST_SKIP() << "this redis-server was built without TLS";
  const KeyLoader* loader = provider().key_loader(KeyType::ec_p256);
  const auto der = loader->generate(KeyType::ec_p256, 0, random()).value();
  const auto credential =
      root_.certify(loader->load(der).value(), {.dns = {"redis.example"}, .not_after = today() + kDay});
  const auto write = [&](std::string_view name, std::string_view label, Bytes bytes) {
    std::ofstream(in_directory(name)) << x509::pem(label, bytes);
    return in_directory(name);
  };
  const std::string key = write("key", "PRIVATE KEY", der);
  const std::string leaf = write("leaf", "CERTIFICATE", credential->chain.front());
  const std::string root = write("root", "CERTIFICATE", root_.der());
  std::uint16_t port = 0;
  {
    const auto loop = must(GetParam().make({}));
    port = must(loop->listen("127.0.0.1", 0, {}, [](loop::Stream&) { return nullptr; })).address().port;
  }
  redis_.end();
  start_redis({"--bind", "127.0.0.1", "--tls-port", std::to_string(port), "--tls-cert-file", leaf, "--tls-key-file",
               key, "--tls-ca-cert-file", root, "--tls-auth-clients", "no"});
  const Kind kind{.options = {.server = {.host = "127.0.0.1", .port = port},
                              .config = built(client_config()),
                              .answers = setup_of({.provider = provider(), .anchors = root_.anchors()}),
                              .name = dns("redis.example")}};
  serve("a", kind);
  serve("b", kind);
  EXPECT_TRUE(resumes("b", session_of("a")));
}

TEST(RedisStore, SaysWhatIsWrongWithItsOptions) {
  const auto loop = must(epoll::make_loop({}));
  const auto problems = [&](const AnswerOptions& answers, redis::Options options) {
    std::vector<std::string> settings;
    const auto made = redis::Store::create(*loop, *built(server_config()), setup_of(answers), std::move(options));
    if (!made) {
      for (const ConfigProblem& problem : made.error()) settings.push_back(problem.setting);
    }
    return settings;
  };
  using ::testing::ElementsAre;
  const AnswerOptions keyless{.provider = provider()};
  AnswerOptions whole = keyless;
  whole.ticket_keys = TicketKeyring::create(provider(), random());
  EXPECT_THAT(problems(whole, {}), ElementsAre());
  EXPECT_THAT(problems(keyless, {.timeout = 0ms, .retry = 0ms, .max_pending = 0, .window = 39s}),
              ElementsAre("ticket_keys", "timeout", "retry", "max_pending", "window"));
  EXPECT_THAT(problems(whole, {.config = built(client_config())}), ElementsAre("config"));
}

}  // namespace
}  // namespace lockstep::testing
