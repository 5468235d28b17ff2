// Data before the end of the handshake in event loops: early data, of a client in a loop and of one that is no more
// than its engine, and the false start of TLS 1.2.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "loop_support.hpp"

namespace lockstep::testing {
namespace {

/// A client that is no more than its engine.
class EarlyClient {
 public:
  EarlyClient(Descriptor socket, std::shared_ptr<const ClientConfig> config, std::shared_ptr<const AnswerSetup> answers,
              std::span<Session> sessions)
      : socket_(std::move(socket)),
        engine_(Connection::client(
            std::move(config),
            {.name = dns("example.com"), .sessions = sessions, .verification = answers->verification()}, random(),
            fixed_clock())),
        answers_(std::move(answers), random()) {}

  void send_early(std::string_view text) {
    transmit();
    std::vector<std::uint8_t> buffer(Connection::kMaxRecord);
    const Bytes plaintext = as_bytes(text);
    const auto sealed = engine_.seal_early({&plaintext, 1}, buffer, fixed_clock());
    ASSERT_TRUE(sealed && sealed->consumed == text.size());
    send(Bytes(buffer).first(sealed->written));
  }
  /// Takes what has come.
  void work() {
    std::array<std::uint8_t, 16384> buffer;
    const ssize_t size = ::recv(socket_.number(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (size > 0) inbound_.insert(inbound_.end(), buffer.begin(), buffer.begin() + size);
    for (;;) {
      auto [consumed, event] = engine_.receive(inbound_, fixed_clock());
      const bool nothing = std::holds_alternative<Nothing>(event);
      const bool answered = answers_.answer(engine_, event);
      if (auto* session = std::get_if<SessionReceived>(&event)) sessions_.push_back(std::move(session->session));
      inbound_.erase(inbound_.begin(), inbound_.begin() + static_cast<std::ptrdiff_t>(consumed));
      if (std::holds_alternative<Failed>(event)) FAIL() << to_text(std::get<Failed>(event).error);
      if (nothing && !answered) break;
    }
    transmit();
  }
  void send_later(std::string_view text) {
    std::vector<std::uint8_t> buffer(Connection::kMaxRecord);
    const Bytes plaintext = as_bytes(text);
    const auto sealed = engine_.seal({&plaintext, 1}, buffer, fixed_clock());
    ASSERT_TRUE(sealed && sealed->consumed == text.size());
    send(Bytes(buffer).first(sealed->written));
  }
  [[nodiscard]] const Connection& engine() const { return engine_; }
  [[nodiscard]] std::vector<Session>& sessions() { return sessions_; }

 private:
  void transmit() {
    std::array<std::uint8_t, 4096> buffer;
    while (const std::size_t size = engine_.transmit(buffer, fixed_clock())) send(Bytes(buffer).first(size));
  }
  void send(Bytes bytes) const {
    ASSERT_EQ(::send(socket_.number(), bytes.data(), bytes.size(), MSG_NOSIGNAL), static_cast<ssize_t>(bytes.size()));
  }

  Descriptor socket_;
  Connection engine_;
  Answers answers_;
  std::vector<std::uint8_t> inbound_;
  std::vector<Session> sessions_;
};

class LoopEarlyData : public LoopTest {
 protected:
  loop::Options early_options() const {
    loop::Options options = server_options();
    options.config = built(server_config().early_data(16'384));
    options.answers = setup_of(
        {.provider = provider(), .credentials = {leaf_}, .ticket_keys = keyring_, .replay_guard = replay_guard_});
    return options;
  }
  EarlyClient client_over(Descriptor socket, std::span<Session> sessions) const {
    return {std::move(socket), built(client_config().early_data(16'384)), client_options().answers, sessions};
  }
  std::vector<Session> sessions() {
    auto [a, b] = socket_pair();
    End server;
    wrap_server(std::move(b), server, early_options());
    EarlyClient client = client_over(std::move(a), {});
    turn_until([&] {
      client.work();
      return client.sessions().size() == 2;
    });
    return std::move(client.sessions());
  }

  std::shared_ptr<ReplayGuard> replay_guard_ = ReplayGuard::create(provider(), random(), fixed_clock() - 1h).value();
};
INSTANTIATE_TEST_SUITE_P(Loops, LoopEarlyData, ::testing::ValuesIn(loop_kinds()), kind_name);

TEST_P(LoopEarlyData, IsReadableOnceTheHandshakeIsComplete) {
  auto offered = sessions();
  auto [a, b] = socket_pair();
  End server;
  bool came = false;
  server.handler->on_event_do = [&](loop::Stream&, Event& event) {
    came = came || std::holds_alternative<EarlyData>(event);
    return false;
  };
  server.handler->on_readable_do = [log = server.log](loop::Stream& stream) {
    // A little at a time, so that early and later bytes wait together.
    std::array<std::uint8_t, 7> piece;
    while (const std::size_t size = stream.read(piece)) log->received += as_text(Bytes(piece).first(size));
  };
  loop::Stream& stream = wrap_server(std::move(b), server, early_options());
  EarlyClient client = client_over(std::move(a), std::span(offered).first(1));
  const std::string text = pattern(10'000);
  client.send_early(text);
  turn_until([&] { return came; });
  EXPECT_FALSE(server.log->handshake);
  EXPECT_EQ(server.log->readable, 0U);
  EXPECT_TRUE(stream.readable().empty());

  turn_until([&] {
    client.work();
    return client.engine().connected();
  });
  client.send_later("later");
  turn_until([&] { return server.log->received.size() == text.size() + 5; });
  EXPECT_EQ(server.log->received, text + "later");
  EXPECT_EQ(stream.connection().early_data(), EarlyDataStatus::accepted);
  EXPECT_EQ(stream.traffic().plaintext_received, text.size() + 5);
}

TEST_P(LoopEarlyData, IsKeptWhileTheHandlerLeavesIt) {
  auto offered = sessions();
  auto [a, b] = socket_pair();
  End server;
  server.handler->on_readable_do = [](loop::Stream&) {};
  loop::Stream& stream = wrap_server(std::move(b), server, early_options());
  EarlyClient client = client_over(std::move(a), std::span(offered).first(1));
  client.send_early("early");
  turn_until([&] {
    client.work();
    return server.log->handshake;
  });
  client.send_later("later");
  turn_for(30ms);
  EXPECT_EQ(as_text(stream.readable()), "early");
  stream.consume(2);
  turn_for(10ms);
  EXPECT_EQ(as_text(stream.readable()), "rly");
  stream.consume(3);
  turn_for(10ms);
  EXPECT_EQ(as_text(stream.readable()), "later");
}

TEST_P(LoopEarlyData, IsTheHandlersWhenItTakesIt) {
  auto offered = sessions();
  auto [a, b] = socket_pair();
  End server;
  std::string early;
  server.handler->on_event_do = [&](loop::Stream&, Event& event) {
    const auto* data = std::get_if<EarlyData>(&event);
    if (data == nullptr) return false;
    for (const Bytes segment : data->segments()) early += as_text(segment);
    return true;
  };
  wrap_server(std::move(b), server, early_options());
  EarlyClient client = client_over(std::move(a), std::span(offered).first(1));
  client.send_early("early");
  turn_until([&] { return early == "early"; });
  EXPECT_FALSE(server.log->handshake);
  turn_until([&] {
    client.work();
    return client.engine().connected();
  });
  client.send_later("later");
  turn_until([&] { return !server.log->received.empty(); });
  EXPECT_EQ(server.log->received, "later") << "it is not given twice";
}

// As much as the session and the configuration allow, from the first moment on.
TEST_P(LoopEarlyData, IsSentByClientsAndSaidWhetherItArrived) {
  for (const bool takes : {true, false}) {
    auto offered = sessions();
    auto [a, b] = socket_pair();
    End client;
    End server;
    loop::Options server_side = early_options();
    if (!takes) server_side.config = built(server_config());
    bool early = false;
    server.handler->on_event_do = [&](loop::Stream&, Event& event) {
      early = early || std::holds_alternative<EarlyData>(event);
      return false;
    };
    wrap_server(std::move(b), server, server_side);
    loop::Options options = client_options();
    options.config = built(client_config().early_data(16'384));
    const std::string text = pattern(20'000);
    std::size_t sent = 0;
    client.handler->on_open_do = [&](loop::Stream& stream) {
      sent = must(stream.write_early(as_bytes(text)));
      EXPECT_EQ(must(stream.write_early(as_bytes(text))), 0U);
      EXPECT_EQ(must(stream.write(as_bytes(text))), 0U);
    };
    client.handler->on_handshake_do = [&](loop::Stream& stream) {
      const bool arrived = stream.connection().early_data() == EarlyDataStatus::accepted;
      EXPECT_EQ(arrived, takes);
      EXPECT_EQ(must(stream.write_early(as_bytes(text))), 0U) << "too late";
      must(stream.write(as_bytes(text).subspan(arrived ? sent : 0)));
    };
    must(loop_->wrap(std::move(a), options, std::move(client.handler),
                     {.name = dns("example.com"), .sessions = std::span(offered).first(1)}));
    turn_until([&] { return server.log->received.size() >= text.size(); });
    EXPECT_EQ(sent, 16'384U);
    EXPECT_EQ(server.log->received, text);
    EXPECT_EQ(early, takes);
    EXPECT_TRUE(client.log->resumed);
  }
}

TEST_P(LoopEarlyData, IsNotSentWithoutASessionThatAllowsIt) {
  auto [a, b] = socket_pair();
  End client;
  End server;
  wrap_server(std::move(b), server, early_options());
  loop::Options options = client_options();
  options.config = built(client_config().early_data(16'384));
  client.handler->on_open_do = [&](loop::Stream& stream) {
    EXPECT_EQ(must(stream.write_early(as_bytes("early"))), 0U);
  };
  client.handler->on_handshake_do = Writer("later");
  must(loop_->wrap(std::move(a), options, std::move(client.handler), {.name = dns("example.com")}));
  turn_until([&] { return server.log->received == "later"; });
}

// RFC 7918: a writer is told as soon as our Finished is out, and reads once the handshake is complete.
TEST_P(LoopEarlyData, IsWrittenBeforeTheServersFinishedByAFalseStart) {
  constexpr auto kTls12 = ProtocolVersion::tls_1_2;
  // As much as fits, and more than one key is good for before the handshake is complete.
  for (const std::uint64_t key : {kDefaultKeyUpdateBytes, std::uint64_t{20'000}}) {
    auto [a, b] = socket_pair();
    End client;
    End server;
    loop::Options server_side = server_options();
    server_side.config = built(server_config().alpn({"a"}));
    wrap_server(std::move(b), server, server_side);
    loop::Options options = client_options();
    options.config =
        built(client_config().versions(kTls12, kTls12).alpn({"a"}).false_start(true).key_update_after(key));
    const std::string question = pattern(50'000);
    std::size_t early = 0;
    std::size_t written = 0;
    client.handler->on_open_do = [&](loop::Stream& stream) { EXPECT_EQ(must(stream.write(as_bytes(question))), 0U); };
    client.handler->on_writable_do = [&](loop::Stream& stream) {
      written += must(stream.write(as_bytes(question).subspan(written)));
      if (stream.connection().false_start()) early = written;
      if (written == question.size()) stream.close_write();
    };
    wrap_client(std::move(a), client, options);
    turn_until([&] { return server.log->ended && client.log->closed; });
    EXPECT_EQ(server.log->received, question);
    EXPECT_GT(early, 0U);
    EXPECT_EQ(early == question.size(), key == kDefaultKeyUpdateBytes);
    EXPECT_LT(std::ranges::find(client.log->calls, "writable"), std::ranges::find(client.log->calls, "handshake"));
    EXPECT_FALSE(client.log->error) << client.log->error->text;
  }
}

}  // namespace
}  // namespace lockstep::testing
