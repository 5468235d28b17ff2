// A proxy between the ends that splits at every byte, delays, half-closes, resets and stalls: over every adapter.

#include <cerrno>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/tcp.h>
#include <poll.h>

#include "scene.hpp"

namespace lockstep::testing {
namespace {

struct Manners {
  std::size_t piece = 65536;  ///< bytes that are passed on at once
  std::chrono::microseconds delay{0};
  std::size_t limit = SIZE_MAX;  ///< bytes to the client, after which it does what is next
  enum class Then : std::uint8_t { reset, end, stall } then = Then::reset;
};

/// Passes one connection on.
class Proxy {
 public:
  Proxy(std::uint16_t target, Manners manners)
      : listener_(must(blocking::Listener::listen("127.0.0.1", 0))), thread_([this, target, manners] {
          auto client = listener_.accept_plain(blocking::after(10s), stop_);
          if (!client) return;
          client_ = client->release();
          try {
            server_ = tcp_connect(target);
          } catch (const std::runtime_error&) {
            return;
          }
          pass(manners);
        }) {}
  ~Proxy() {
    stop_.cancel();
    listener_.cancel();
    thread_.join();
  }
  [[nodiscard]] std::uint16_t port() const { return listener_.address().port; }

 private:
  void pass(const Manners& manners) {
    for (const int end : {client_.number(), server_.number()}) {
      const int on = 1;
      (void)::setsockopt(end, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    }
    std::size_t to_client = 0;
    std::array<bool, 2> over{};
    std::vector<std::uint8_t> bytes(manners.piece);
    while (!over[0] || !over[1]) {
      std::array<pollfd, 3> watched{{{over[0] ? -1 : client_.number(), POLLIN, 0},
                                     {over[1] ? -1 : server_.number(), POLLIN, 0},
                                     {stop_.descriptor(), POLLIN, 0}}};
      if (::poll(watched.data(), watched.size(), 10'000) <= 0 || watched[2].revents != 0) return;
      for (std::size_t i = 0; i < 2; ++i) {
        if (watched[i].revents == 0) continue;
        const int from = watched[i].fd;
        const int to = i == 0 ? server_.number() : client_.number();
        std::size_t most = bytes.size();
        if (i == 1) {
          if (to_client == manners.limit) return finish(manners.then);
          most = std::min(most, manners.limit - to_client);
        }
        const ssize_t size = ::read(from, bytes.data(), most);
        if (size <= 0) {
          over[i] = true;
          (void)::shutdown(to, SHUT_WR);
          continue;
        }
        if (manners.delay.count() != 0) std::this_thread::sleep_for(manners.delay);
        for (ssize_t done = 0; done < size;) {
          const ssize_t n = ::write(to, bytes.data() + done, static_cast<std::size_t>(size - done));
          if (n <= 0) return;
          done += n;
        }
        if (i == 1) to_client += static_cast<std::size_t>(size);
      }
    }
  }

  void finish(Manners::Then then) {
    switch (then) {
      case Manners::Then::reset: {
        const linger now{.l_onoff = 1, .l_linger = 0};
        for (Descriptor* end : {&client_, &server_}) {
          (void)::setsockopt(end->number(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
          end->reset();
        }
        break;
      }
      case Manners::Then::end:
        (void)::shutdown(client_.number(), SHUT_WR);
        (void)::shutdown(server_.number(), SHUT_WR);
        drain();
        break;
      case Manners::Then::stall: wait(); break;
    }
  }
  /// Reads what still comes, so that closing sends no reset, until both have ended.
  void drain() {
    std::array<std::uint8_t, 4096> bytes{};
    for (const Descriptor* end : {&client_, &server_}) {
      pollfd watched{end->number(), POLLIN, 0};
      while (::poll(&watched, 1, 1000) > 0 && ::read(end->number(), bytes.data(), bytes.size()) > 0) {
      }
    }
  }
  void wait() {
    pollfd watched{stop_.descriptor(), POLLIN, 0};
    (void)::poll(&watched, 1, 10'000);
  }

  blocking::Canceller stop_;
  blocking::Listener listener_;
  Descriptor client_;
  Descriptor server_;
  std::thread thread_;
};

class ThroughAProxy : public PartyTest, public ::testing::TestWithParam<Maker> {
 protected:
  ThroughAProxy() {
    client_side_ = client_options();
    server_side_ = server_options();
    client_side_.linger = server_side_.linger = 50ms;
  }
  SceneResult play_through(Manners manners) {
    std::unique_ptr<Proxy> proxy;
    return play(GetParam(), client_side_, server_side_, [&](std::uint16_t port) {
      proxy = std::make_unique<Proxy>(port, manners);
      return proxy->port();
    });
  }

  PartyOptions client_side_;
  PartyOptions server_side_;
};
INSTANTIATE_TEST_SUITE_P(Adapters, ThroughAProxy, ::testing::ValuesIn(makers()),
                         [](const auto& maker) { return std::string(maker.param.name); });

TEST_P(ThroughAProxy, ArrivesWholeByteByByte) {
  for (const std::size_t piece : {1U, 2U, 3U, 5U, 6U, 7U, 1000U}) {
    const SceneResult result = play_through({.piece = piece});
    EXPECT_TRUE(result.complete) << piece << ": " << result.text();
  }
}

TEST_P(ThroughAProxy, ArrivesWholeHoweverLate) {
  for (const std::size_t piece : {100U, 1400U}) {
    const SceneResult result = play_through({.piece = piece, .delay = 200us});
    EXPECT_TRUE(result.complete) << piece << ": " << result.text();
  }
}

/// Cut at many places, the first bytes of the handshake all of them: nobody hangs, nothing false arrives, both ends say
/// why.
TEST_P(ThroughAProxy, IsCutAnywhere) {
  int failures = 0;
  int scenes = 0;
  for (const auto then : {Manners::Then::reset, Manners::Then::end}) {
    for (std::size_t limit = 0; limit < 122'000; limit += limit < 20 ? 1 : limit < 2000 ? 61 : 5003) {
      SCOPED_TRACE(std::to_string(limit) + (then == Manners::Then::reset ? ", reset" : ", end"));
      const SceneResult result = play_through({.limit = limit, .then = then});
      ++scenes;
      expect_sound(result);
      EXPECT_TRUE(result.client) << "it cannot have got everything";
      failures += result.client.has_value() + result.server.has_value();
      if (then == Manners::Then::end && result.client) {
        // The end of a transport without close_notify is a truncation, never an end.
        EXPECT_TRUE(result.client->condition == IoCondition::tls || result.client->condition == IoCondition::ended ||
                    result.client->number == EPIPE || result.client->number == ECONNRESET)
            << result.client->text;
      }
      if (HasFailure()) return;
    }
  }
  std::printf("[ cuts    ] %s: %d scenes, %d ends said why\n", std::string(GetParam().name).c_str(), scenes, failures);
}

TEST_P(ThroughAProxy, StallsAndRunsIntoDeadlines) {
  client_side_.handshake_timeout = server_side_.handshake_timeout = 60ms;
  for (const std::size_t limit : {0U, 1U, 5U, 200U, 700U, 900U}) {
    SCOPED_TRACE(limit);
    std::promise<std::uint16_t> port;
    auto accepted = in_background([&] {
      auto server = GetParam().accept(server_side_, [&](std::uint16_t number) { port.set_value(number); });
      const auto shaken = server->handshake();
      ASSERT_FALSE(shaken);
      EXPECT_EQ(shaken.error().operation, Operation::handshake) << shaken.error().text;
    });
    Proxy proxy(port.get_future().get(), {.limit = limit, .then = Manners::Then::stall});
    auto client = must(GetParam().dial(proxy.port(), client_side_));
    const auto start = std::chrono::steady_clock::now();
    const auto shaken = client->handshake();
    ASSERT_FALSE(shaken);
    EXPECT_EQ(shaken.error().condition, IoCondition::timeout) << shaken.error().text;
    EXPECT_LT(std::chrono::steady_clock::now() - start, 3s);
    accepted.get();
  }
}

}  // namespace
}  // namespace lockstep::testing
