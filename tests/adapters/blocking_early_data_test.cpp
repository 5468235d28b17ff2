// Early data over blocking sockets.

#include <chrono>
#include <stop_token>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "blocking_support.hpp"

namespace lockstep::testing {
namespace {

using ::testing::HasSubstr;

class BlockingEarlyData : public BlockingTest {
 protected:
  static constexpr std::uint32_t kMost = 40'000;

  /// Sessions of a server that takes so much early data.
  std::vector<Session> sessions(std::uint32_t most = kMost) const {
    auto [client, server] = connected(early_client_options(most), early_server_options(most));
    must(server.write(as_bytes("x")));
    EXPECT_EQ(read_exactly(client, 1), "x");
    return client.sessions();
  }
  Streams resuming(std::span<Session> offered, const Options& client_side, const Options& server_side) const {
    auto [a, b] = socket_pair();
    return {must(blocking::wrap(Socket(std::move(a)), client_side, {.name = dns("example.com"), .sessions = offered})),
            server_over(std::move(b), server_side)};
  }
  Streams resuming(std::span<Session> offered) const {
    return resuming(offered, early_client_options(kMost), early_server_options(kMost));
  }
};

TEST_F(BlockingEarlyData, IsReadBeforeTheHandshakeIsComplete) {
  auto offered = sessions();
  ASSERT_FALSE(offered.empty());
  auto [client, server] = resuming(std::span(offered).first(1));
  EXPECT_EQ(must(client.write_early(as_bytes("first "))), 6U);
  EXPECT_EQ(must(client.write_early(as_bytes("second"))), 6U);

  std::string early;
  while (early.size() < 12) early += as_text(must(server.read_early_view()));
  EXPECT_EQ(early, "first second");
  EXPECT_FALSE(server.connection().connected()) << "the client has not said more";
  EXPECT_EQ(server.connection().early_data(), EarlyDataStatus::accepted);

  auto rest = in_background([&] {
    EXPECT_TRUE(must(server.read_early_view()).empty());
    EXPECT_TRUE(server.connection().connected());
    EXPECT_EQ(read_exactly(server, 5), "later") << "and nothing of what was early";
    must(server.write(as_bytes("answer")));
  });
  must(client.handshake());
  EXPECT_EQ(client.connection().early_data(), EarlyDataStatus::accepted);
  EXPECT_EQ(must(client.write_early(as_bytes("too late"))), 0U);
  must(client.write(as_bytes("later")));
  EXPECT_EQ(read_exactly(client, 6), "answer");
  rest.get();
}

TEST_F(BlockingEarlyData, IsReadInFrontOfAllElseByWhoeverDoesNotAskForIt) {
  for (const bool by_view : {false, true}) {
    auto offered = sessions();
    auto [client, server] = resuming(std::span(offered).first(1));
    const std::string text(30'000, 'e');
    EXPECT_EQ(must(client.write_early(as_bytes(text))), text.size());
    auto read = in_background([&] {
      must(server.handshake());
      if (by_view) {
        std::string all;
        while (all.size() < text.size() + 5) all += read_once(server);
        return all;
      }
      return read_exactly(server, text.size() + 5);
    });
    must(client.write(as_bytes("later")));
    EXPECT_EQ(read.get(), text + "later");
    EXPECT_TRUE(must(server.read_early_view()).empty());
  }
}

TEST_F(BlockingEarlyData, TakesWhatIsLeftEarlyAlsoAfterTheHandshake) {
  auto offered = sessions();
  auto [client, server] = resuming(std::span(offered).first(1));
  must(client.write_early(as_bytes("early")));
  auto shaken = in_background([&] { must(server.handshake()); });
  must(client.write(as_bytes("later")));
  shaken.get();
  EXPECT_EQ(as_text(must(server.read_early_view())), "early");
  EXPECT_EQ(read_once(server), "later");
}

TEST_F(BlockingEarlyData, SendsNoMoreThanIsAllowed) {
  auto offered = sessions(100);
  auto [client, server] = resuming(std::span(offered).first(1));
  const std::string text = std::string(100, 'e') + std::string(50, 'l');
  EXPECT_EQ(must(client.write_early(as_bytes(text))), 100U);
  auto read = in_background([&] {
    std::string early;
    for (Bytes view = must(server.read_early_view()); !view.empty(); view = must(server.read_early_view())) {
      early += as_text(view);
    }
    EXPECT_EQ(early, std::string(100, 'e'));
    return read_exactly(server, 50);
  });
  must(client.write(as_bytes(text).subspan(100)));
  EXPECT_EQ(read.get(), std::string(50, 'l'));
}

// RFC 7918: a write that comes first needs no more than our own Finished; reading completes the handshake.
TEST_F(BlockingEarlyData, IsSentBeforeTheServersFinishedByAFalseStart) {
  constexpr auto kTls12 = ProtocolVersion::tls_1_2;
  Options client_side = client_options();
  client_side.config = built(client_config().versions(kTls12, kTls12).alpn({"a"}).false_start(true));
  Options server_side = server_options();
  server_side.config = built(server_config().alpn({"a"}));
  auto [a, b] = socket_pair();
  Stream client = client_over(std::move(a), client_side);
  Stream server = server_over(std::move(b), server_side);
  auto answered = in_background([&] {
    const std::string question = read_exactly(server, 8);
    must(server.write(as_bytes("answer")));
    return question;
  });
  must(client.write(as_bytes("question")));
  EXPECT_TRUE(client.connection().false_start());
  EXPECT_FALSE(client.connection().connected());
  EXPECT_EQ(read_exactly(client, 6), "answer");
  EXPECT_TRUE(client.connection().connected());
  EXPECT_FALSE(client.connection().false_start());
  EXPECT_EQ(answered.get(), "question");
}

TEST_F(BlockingEarlyData, SendsNoneWithoutASession) {
  auto [client, server] = resuming({});
  EXPECT_EQ(must(client.write_early(as_bytes("early"))), 0U);
  auto read = in_background([&] {
    EXPECT_TRUE(must(server.read_early_view()).empty());
    return read_exactly(server, 5);
  });
  must(client.write(as_bytes("later")));
  EXPECT_EQ(read.get(), "later");
  EXPECT_EQ(client.connection().early_data(), EarlyDataStatus::none);
  EXPECT_EQ(must(client.read_early_view()).size(), 0U) << "clients get none";
}

TEST_F(BlockingEarlyData, IsDroppedWhenItIsAReplay) {
  auto offered = sessions();
  const auto attempt = [&](EarlyDataStatus expected) {
    std::vector<Session> again;
    again.push_back(offered.front().clone());
    auto [client, server] = resuming(again);
    EXPECT_EQ(must(client.write_early(as_bytes("early"))), 5U);
    auto read = in_background([&] { return read_once(server); });
    must(client.handshake());
    EXPECT_EQ(client.connection().early_data(), expected);
    if (expected != EarlyDataStatus::accepted) must(client.write(as_bytes("again")));
    return read.get();
  };
  EXPECT_EQ(attempt(EarlyDataStatus::accepted), "early");
  EXPECT_EQ(attempt(EarlyDataStatus::declined), "again");
}

TEST_F(BlockingEarlyData, HasOneDeadlineForTheHandshakeHoweverManyReadsItTakes) {
  auto offered = sessions();
  Options server_side = early_server_options(kMost);
  server_side.handshake_timeout = 200ms;
  auto [client, server] = resuming(std::span(offered).first(1), early_client_options(kMost), server_side);
  must(client.write_early(as_bytes("drop")));
  EXPECT_EQ(as_text(must(server.read_early_view())), "drop");
  std::jthread dripping([&](const std::stop_token& stop) {
    while (!stop.stop_requested() && client.write_early(as_bytes("x"))) std::this_thread::sleep_for(20ms);
  });
  const auto limit = std::chrono::steady_clock::now() + 5s;
  for (;;) {
    const auto view = server.read_early_view();
    if (!view) {
      EXPECT_EQ(view.error().condition, IoCondition::timeout);
      break;
    }
    ASSERT_LT(std::chrono::steady_clock::now(), limit);
  }
  EXPECT_EQ(error_of(server.handshake()).condition, IoCondition::timeout) << "that is how it ended";
}

TEST_F(BlockingEarlyData, IsNotLostByADowngrade) {
  auto offered = sessions();
  auto [client, server] = resuming(std::span(offered).first(1));
  must(client.write_early(as_bytes("early")));
  auto shaken = in_background([&] { must(server.handshake()); });
  must(client.handshake());
  shaken.get();
  must(client.close_write());
  EXPECT_THAT(error_of(server.downgrade()).text, HasSubstr("application data came before close_notify"));
  EXPECT_EQ(read_once(server), "early");
  EXPECT_EQ(read_once(server), "");
}

}  // namespace
}  // namespace lockstep::testing
