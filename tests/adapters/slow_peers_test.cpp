// Peers that are silent, slow or do not read, thousands of them: memory stays bounded and others are served meanwhile.

#include <csignal>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "loop_support.hpp"

namespace lockstep::testing {
namespace {

#ifdef LOCKSTEP_SANITIZED
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif

std::size_t resident() {
  std::size_t total = 0;
  std::size_t pages = 0;
  std::ifstream("/proc/self/statm") >> total >> pages;
  return pages * 4096;
}

/// Another process with so many connections, of which each says so much. It ends with this object.
class Crowd {
 public:
  Crowd(std::uint16_t port, std::size_t count, std::string_view says, std::chrono::milliseconds every = {}) {
    process_ = ::fork();
    if (process_ != 0) return;
    std::vector<int> peers;
    for (std::size_t i = 0; i < count; ++i) {
      const int peer = ::socket(AF_INET, SOCK_STREAM, 0);
      sockaddr_in address{};
      address.sin_family = AF_INET;
      address.sin_port = htons(port);
      address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
      if (peer < 0 || ::connect(peer, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) ::_exit(1);
      if (every.count() == 0) (void)!::send(peer, says.data(), says.size(), MSG_NOSIGNAL);
      peers.push_back(peer);
    }
    for (std::size_t at = 0; every.count() != 0 && at < says.size(); ++at) {
      for (const int peer : peers) (void)!::send(peer, &says[at], 1, MSG_NOSIGNAL);
      ::usleep(static_cast<useconds_t>(every.count() * 1000));
    }
    for (;;) ::pause();
  }
  Crowd(const Crowd&) = delete;
  Crowd& operator=(const Crowd&) = delete;
  ~Crowd() {
    ::kill(process_, SIGKILL);
    (void)::waitpid(process_, nullptr, 0);
  }

 private:
  pid_t process_ = 0;
};

/// The beginning of a ClientHello: the server has to keep it and wait.
std::string half_a_hello() {
  Connection client = Connection::client(built(client_config()), {.name = dns("example.com")}, random(), fixed_clock());
  std::string hello(4096, '\0');
  hello.resize(client.transmit({reinterpret_cast<std::uint8_t*>(hello.data()), hello.size()}, fixed_clock()));
  return hello.substr(0, hello.size() / 2);
}

class SlowPeers : public LoopTest {
 protected:
  std::uint16_t listen() {
    return must(loop_->listen("127.0.0.1", 0, server_options(),
                              [](loop::Stream&) { return std::make_unique<EchoScribe>(std::make_shared<Log>()); }))
        .address()
        .port;
  }
  /// A peer as it should be, and how long it had to wait.
  void expect_service(std::uint16_t port) {
    End client;
    client.handler->on_handshake_do = Writer("served?");
    auto log = client.log;
    const auto start = std::chrono::steady_clock::now();
    must(loop_->dial("127.0.0.1", port, client_options(), std::move(client.handler), {.name = dns("example.com")}));
    turn_until([&] { return log->received == "served?"; });
    const auto took = std::chrono::steady_clock::now() - start;
    std::printf("[ served  ] another connection in %.1f ms\n", std::chrono::duration<double, std::milli>(took).count());
    EXPECT_LT(took, 3s);
    log->stream->close();
    turn_until([&] { return log->closed; });
  }
  void print(const char* what, std::size_t count, std::size_t before) {
    const auto statistics = loop_->statistics();
    std::printf("[ memory  ] %s, %s: %zu connections, %.2f KiB resident each, Statistics::memory %.1f MiB\n",
                std::string(loop_->name()).c_str(), what, count,
                static_cast<double>(resident() - std::min(resident(), before)) / 1024 / static_cast<double>(count),
                static_cast<double>(statistics.memory) / 1024 / 1024);
  }
  /// As many as the system lets one process have.
  static std::size_t many() {
    rlimit limit{};
    EXPECT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = limit.rlim_max;
    EXPECT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
    return std::min<std::size_t>(limit.rlim_cur - 100, kSanitized ? 1000 : 10'000);
  }
};
INSTANTIATE_TEST_SUITE_P(Loops, SlowPeers, ::testing::ValuesIn(loop_kinds()), kind_name);

TEST_P(SlowPeers, ThousandsOfHalfOpenHandshakes) {
  const std::size_t count = many();
  for (const bool speak : {false, true}) {
    loop_ = make_loop({.max_handshakes = 2 * count});
    const std::uint16_t port = listen();
    const std::string hello = speak ? half_a_hello() : std::string();
    loop_->run_once(0ms);
    const std::size_t before = resident();
    const Crowd crowd(port, count, hello);
    turn_until([&] { return loop_->statistics().handshaking == count; });
    turn_for(200ms);
    print(speak ? "half a ClientHello" : "not a word", count, before);
    const std::size_t each = (resident() - std::min(resident(), before)) / count;
    if (!kSanitized) {
      EXPECT_LT(each, speak ? 24'000U : 4000U);
    }
    EXPECT_EQ(loop_->statistics().failures, 0U);
    expect_service(port);
  }
}

TEST_P(SlowPeers, KeepNobodyOut) {
  // More of them than there may be handshakes: the oldest go.
  loop_ = make_loop({.max_handshakes = 200});
  const std::uint16_t port = listen();
  const Crowd crowd(port, 1000, half_a_hello());
  turn_until([&] { return loop_->statistics().accepted == 1000; });
  EXPECT_EQ(loop_->statistics().handshaking, 200U);
  EXPECT_EQ(loop_->statistics().handshakes_evicted, 800U);
  expect_service(port);
  EXPECT_LE(loop_->statistics().memory, 300U * 40'000 + kMemoryOfOneTransfer);
}

TEST_P(SlowPeers, WhoSendByteByByte) {
  const std::uint16_t port = listen();
  loop_->run_once(0ms);
  const std::size_t before = loop_->statistics().memory;
  constexpr std::size_t kCount = 500;
  const Crowd crowd(port, kCount, half_a_hello().substr(0, 100), 10ms);
  turn_until([&] { return loop_->statistics().handshaking == kCount; });
  turn_for(1500ms);
  const std::size_t each = (loop_->statistics().memory - before) / kCount;
  std::printf("[ memory  ] %s, a byte now and then: %zu bytes each\n", std::string(loop_->name()).c_str(), each);
  EXPECT_LE(each, Connection::kHandshakeMemory + 2000) << "handshake memory and what there is of a record";
  expect_service(port);
}

TEST_P(SlowPeers, WhoNeverRead) {
  loop::Options options = server_options();
  options.write_high = 50'000;
  options.write_low = 10'000;
  constexpr std::size_t kCount = 100;
  std::vector<std::shared_ptr<Log>> logs;
  const std::string flood = pattern(1'000'000);
  const auto listener = must(loop_->listen("127.0.0.1", 0, options, [&](loop::Stream&) {
    logs.push_back(std::make_shared<Log>());
    auto scribe = std::make_unique<EchoScribe>(logs.back());
    scribe->on_writable_do = [&](loop::Stream& stream) { (void)stream.write(as_bytes(flood)); };
    scribe->on_readable_do = [&, echo = scribe->on_readable_do](loop::Stream& stream) {
      if (stream.readable().size() == 7) return echo(stream);  // "served?"
      stream.consume(stream.readable().size());
      while (stream.write(as_bytes(flood)).value_or(0) != 0) {
      }
    };
    return scribe;
  }));
  const std::size_t before = loop_->statistics().memory;
  auto others = make_loop();
  std::vector<End> clients(kCount);
  for (End& client : clients) {
    client.handler->on_handshake_do = [](loop::Stream& stream) {
      EXPECT_EQ(stream.write(as_bytes("more, more, more!")), 17U);
      stream.pause_reading(true);
    };
    must(others->dial("127.0.0.1", listener.address().port, client_options(), std::move(client.handler),
                      {.name = dns("example.com")}));
  }
  const auto limit = std::chrono::steady_clock::now() + 20s;
  while (std::ranges::count_if(logs, [](const auto& log) { return log->stream && log->stream->write_pending() > 0; }) <
             static_cast<std::ptrdiff_t>(kCount) &&
         std::chrono::steady_clock::now() < limit) {
    others->run_once(1ms);
    loop_->run_once(1ms);
  }
  turn_for(100ms);
  const std::size_t each = (loop_->statistics().memory - std::min(before, loop_->statistics().memory)) / kCount;
  std::printf("[ memory  ] %s, %zu peers that never read: %zu bytes each\n", std::string(loop_->name()).c_str(), kCount,
              each);
  EXPECT_GE(each, 30'000U) << "or they do read";
  EXPECT_LE(each, 50'000U + 2 * 69'632 + 30'000);
  expect_service(listener.address().port);
}

}  // namespace
}  // namespace lockstep::testing
