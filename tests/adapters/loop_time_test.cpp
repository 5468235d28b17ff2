// Event loops: deadlines, canceling, limits, draining, listeners in trouble.

#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/resource.h>

#include "loop_support.hpp"

namespace lockstep::testing {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class LoopTimeTest : public LoopTest {};
INSTANTIATE_TEST_SUITE_P(Loops, LoopTimeTest, ::testing::ValuesIn(loop_kinds()), kind_name);

std::chrono::milliseconds since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - start);
}

// --- the handshake [178, 179, 181] -----------------------------------------------------------------------------------

TEST_P(LoopTimeTest, HandshakeTimesOut) {
  for (const bool speaks : {false, true}) {
    auto [a, b] = socket_pair();
    End server;
    loop::Options options = server_options();
    options.handshake_timeout = 60ms;
    const auto start = std::chrono::steady_clock::now();
    wrap_server(std::move(b), server, options);
    // A part of a ClientHello, then nothing.
    if (speaks) {
      ASSERT_EQ(::send(a.number(), "\x16\x03\x01\x00\xff\x01", 6, 0), 6);
    }
    turn_until([&] { return server.log->closed; });
    EXPECT_GE(since(start), 60ms);
    EXPECT_LT(since(start), 2s);
    ASSERT_TRUE(server.log->error);
    EXPECT_EQ(server.log->error->operation, Operation::handshake);
    EXPECT_EQ(server.log->error->condition, IoCondition::timeout);
    EXPECT_THAT(server.log->error->text, HasSubstr("handshake_timeout"));
  }
  End client;
  auto [a, b] = socket_pair();
  loop::Options options = client_options();
  options.handshake_timeout = 60ms;
  wrap_client(std::move(a), client, options);
  turn_until([&] { return client.log->closed; });
  EXPECT_EQ(client.log->error->condition, IoCondition::timeout);
  EXPECT_THAT(client.log->error->text, HasSubstr("handshake with example.com"));
}

TEST_P(LoopTimeTest, HandshakeTimesOutAlthoughThePeerDripsBytes) {
  auto [a, b] = socket_pair();
  End server;
  loop::Options options = server_options();
  options.handshake_timeout = 100ms;
  wrap_server(std::move(b), server, options);
  const auto start = std::chrono::steady_clock::now();
  const std::string hello = std::string("\x16\x03\x01\x40\x00", 5) + std::string(10'000, '\x01');
  for (std::size_t i = 0; !server.log->closed && since(start) < 5s; ++i) {
    (void)!::send(a.number(), &hello[i % hello.size()], 1, MSG_NOSIGNAL);
    turn_for(2ms);  // fewer bytes than the record has
  }
  ASSERT_TRUE(server.log->error);
  EXPECT_EQ(server.log->error->condition, IoCondition::timeout);
  EXPECT_LT(since(start), 1s);
}

TEST_P(LoopTimeTest, OneTimeoutCoversDiallingAndTheHandshake) {
  auto silent = must(loop_->listen("127.0.0.1", 0, {},
                                   [](loop::Stream&) { return std::make_unique<Scribe>(std::make_shared<Log>()); }));
  loop::Options options = client_options();
  options.dial_timeout = 100ms;
  End client;
  const auto start = std::chrono::steady_clock::now();
  must(loop_->dial(silent.address(), options, std::move(client.handler), {.name = dns("example.com")}));
  turn_until([&] { return client.log->closed; });
  EXPECT_GE(since(start), 99ms);
  EXPECT_LT(since(start), 5s);
  ASSERT_TRUE(client.log->error);
  EXPECT_EQ(client.log->error->operation, Operation::handshake);
  EXPECT_EQ(client.log->error->number, ETIMEDOUT);
}

TEST_P(LoopTimeTest, CancelsAHandshakeAndTellsThePeer) {
  End client;
  End server;
  connect(client, server);
  client.log->stream->cancel();
  EXPECT_TRUE(client.log->closed);
  EXPECT_EQ(client.log->error->condition, IoCondition::canceled);
  EXPECT_EQ(client.log->error->operation, Operation::handshake);
  turn_until([&] { return server.log->closed; });
  ASSERT_TRUE(server.log->error);
  EXPECT_EQ(server.log->error->condition, IoCondition::tls);
  EXPECT_EQ(server.log->error->tls->reason, Reason::peer_closed) << "RFC 9846 6.1: user_canceled, then close_notify";
}

TEST_P(LoopTimeTest, CancelsAConnection) {
  End client;
  End server;
  connect(client, server);
  turn_until([&] { return client.log->handshake && server.log->handshake; });
  client.log->stream->cancel();
  turn_until([&] { return client.log->closed && server.log->closed; });
  EXPECT_EQ(client.log->error->condition, IoCondition::canceled);
  EXPECT_EQ(client.log->error->operation, Operation::read);
  EXPECT_FALSE(server.log->error) << "it was told: close_notify";
}

TEST_P(LoopTimeTest, CancelsWithTheAlertThatSaysWhy) {
  End client;
  End server;
  connect(client, server);
  turn_until([&] { return client.log->handshake && server.log->handshake; });
  server.log->stream->cancel(Alert::access_denied);
  turn_until([&] { return client.log->closed && server.log->closed; });
  EXPECT_EQ(server.log->error->condition, IoCondition::canceled);
  ASSERT_TRUE(client.log->error);
  ASSERT_TRUE(client.log->error->tls);
  EXPECT_EQ(client.log->error->tls->reason, Reason::peer_alert);
  EXPECT_EQ(client.log->error->tls->alert, Alert::access_denied);
}

TEST_P(LoopTimeTest, BeginsALazyHandshakeWithTheFirstWrite) {
  End client;
  End server = echo_end();
  loop::Options client_side = client_options();
  client_side.lazy_handshake = true;
  client_side.handshake_timeout = 100ms;
  loop::Options server_side = server_options();
  server_side.lazy_handshake = true;
  server_side.handshake_timeout = 100ms;
  client.handler->on_writable_do = Writer("at last");
  connect(client, server, client_side, server_side);
  turn_for(250ms);
  EXPECT_FALSE(client.log->closed) << "time counts from the handshake's beginning";
  EXPECT_FALSE(server.log->closed);
  EXPECT_EQ(client.log->stream->traffic().bytes_sent, 0U);
  EXPECT_FALSE(client.log->stream->secure());
  EXPECT_EQ(loop_->statistics().handshaking, 0U);
  EXPECT_EQ(client.log->stream->write(as_bytes("at last")), 0U);
  turn_until([&] { return client.log->received == "at last"; });
  EXPECT_TRUE(client.log->stream->secure());

  End other;
  End silent;
  connect(other, silent, client_side, server_side);
  other.log->stream->handshake();
  turn_until([&] { return other.log->handshake && silent.log->handshake; });
}

TEST_P(LoopTimeTest, IdleCountsBeforeALazyHandshake) {
  End server;
  auto [a, b] = socket_pair();
  loop::Options options = server_options();
  options.lazy_handshake = true;
  options.idle_timeout = 60ms;
  wrap_server(std::move(b), server, options);
  turn_until([&] { return server.log->closed; });
  EXPECT_THAT(server.log->error->text, HasSubstr("idle"));
}

// --- deadlines [180], idling, writers nobody reads -------------------------------------------------------------------

TEST_P(LoopTimeTest, ReadDeadlinePassesAndTheStreamGoesOn) {
  End client;
  End server;
  std::vector<Operation> passed;
  client.handler->on_deadline_do = [&](loop::Stream&, Operation operation) { passed.push_back(operation); };
  connect(client, server);
  turn_until([&] { return client.log->handshake && server.log->handshake; });
  const auto start = std::chrono::steady_clock::now();
  client.log->stream->set_read_deadline(start + 50ms);
  turn_until([&] { return !passed.empty(); });
  EXPECT_GE(since(start), 50ms);
  EXPECT_LT(since(start), 1s);
  EXPECT_THAT(passed, ElementsAre(Operation::read));
  EXPECT_EQ(server.log->stream->write(as_bytes("late")), 4U);
  turn_until([&] { return client.log->received == "late"; });
  turn_for(60ms);
  EXPECT_EQ(passed.size(), 1U) << "it is cleared";

  // Bytes in time meet it; none is called off.
  client.log->stream->set_read_deadline(std::chrono::steady_clock::now() + 60ms);
  EXPECT_EQ(server.log->stream->write(as_bytes("soon")), 4U);
  turn_for(120ms);
  client.log->stream->set_read_deadline(std::chrono::steady_clock::now() + 40ms);
  client.log->stream->set_read_deadline({});
  turn_for(100ms);
  EXPECT_EQ(passed.size(), 1U);
  EXPECT_FALSE(client.log->closed);
}

TEST_P(LoopTimeTest, WriteDeadlinePassesAndNothingIsLost) {
  End client;
  End server;
  const std::string text = pattern(8'000'000);
  Writer writer(text);
  std::vector<Operation> passed;
  client.handler->on_deadline_do = [&](loop::Stream&, Operation operation) { passed.push_back(operation); };
  client.handler->on_handshake_do = client.handler->on_writable_do = std::ref(writer);
  server.handler->on_handshake_do = [](loop::Stream& stream) { stream.pause_reading(true); };
  connect(client, server);
  turn_until([&] { return client.log->handshake && server.log->handshake; });
  client.log->stream->set_write_deadline(std::chrono::steady_clock::now() + 50ms);
  turn_until([&] { return !passed.empty(); });
  EXPECT_THAT(passed, ElementsAre(Operation::write));
  server.log->stream->pause_reading(false);
  turn_until([&] { return server.log->received.size() == text.size(); });
  EXPECT_EQ(server.log->received, text);
  // With nothing to write there is nothing to be late.
  client.log->stream->set_write_deadline(std::chrono::steady_clock::now() + 20ms);
  turn_for(80ms);
  EXPECT_EQ(passed.size(), 1U);
}

TEST_P(LoopTimeTest, WriteDeadlineIsNotMetWhileTheWriterHasMore) {
  // Again and again all is sent that there is, and the writer has more at once, until the peer's buffers are full.
  End client;
  End server;
  Writer writer(pattern(8'000'000));
  std::vector<Operation> passed;
  client.handler->on_deadline_do = [&](loop::Stream&, Operation operation) { passed.push_back(operation); };
  client.handler->on_handshake_do = [&](loop::Stream& stream) {
    stream.set_write_deadline(std::chrono::steady_clock::now() + 100ms);
    writer(stream);
  };
  client.handler->on_writable_do = std::ref(writer);
  server.handler->on_handshake_do = [](loop::Stream& stream) { stream.pause_reading(true); };
  loop::Options options = client_options();
  options.write_high = 4096;
  options.write_low = 0;
  connect(client, server, options, server_options());
  turn_until([&] { return !passed.empty(); });
  EXPECT_THAT(passed, ElementsAre(Operation::write));
  EXPECT_FALSE(writer.done());
  EXPECT_FALSE(client.log->closed);
}

TEST_P(LoopTimeTest, WriteDeadlineThatHasPassedIsForTheNextWrite) {
  End client;
  End server;
  std::vector<Operation> passed;
  client.handler->on_deadline_do = [&](loop::Stream&, Operation operation) { passed.push_back(operation); };
  server.handler->on_handshake_do = [](loop::Stream& stream) { stream.pause_reading(true); };
  connect(client, server);
  turn_until([&] { return client.log->handshake && server.log->handshake; });
  client.log->stream->set_write_deadline(std::chrono::steady_clock::now() + 10ms);
  turn_for(60ms);
  EXPECT_TRUE(passed.empty());
  (void)client.log->stream->write(as_bytes(pattern(2'000'000)));
  turn_until([&] { return !passed.empty(); });
  EXPECT_THAT(passed, ElementsAre(Operation::write));
}

TEST_P(LoopTimeTest, DeadlineFailsTheStreamUnlessItIsOverridden) {
  End client;
  End server;
  connect(client, server);
  turn_until([&] { return client.log->handshake && server.log->handshake; });
  client.log->stream->set_read_deadline(std::chrono::steady_clock::now() + 10ms);
  turn_until([&] { return client.log->closed && server.log->closed; });
  EXPECT_EQ(client.log->error->condition, IoCondition::timeout);
  EXPECT_EQ(client.log->error->operation, Operation::read);
  EXPECT_THAT(client.log->calls, Contains("deadline read"));
  EXPECT_FALSE(server.log->error) << "it was told";
}

TEST_P(LoopTimeTest, EndsIdleStreams) {
  End client;
  End server = echo_end();
  loop::Options options = server_options();
  options.idle_timeout = 120ms;
  connect(client, server, client_options(), options);
  turn_until([&] { return client.log->handshake && server.log->handshake; });
  for (int i = 0; i < 5; ++i) {  // activity keeps it alive
    EXPECT_EQ(client.log->stream->write(as_bytes(".")), 1U);
    turn_for(60ms);
  }
  EXPECT_FALSE(server.log->closed);
  const auto start = std::chrono::steady_clock::now();
  turn_until([&] { return server.log->closed && client.log->closed; });
  EXPECT_GE(since(start), 30ms);
  EXPECT_EQ(server.log->error->condition, IoCondition::timeout);
  EXPECT_THAT(server.log->error->text, HasSubstr("idle"));
  EXPECT_FALSE(client.log->error) << "close_notify came first";
  EXPECT_TRUE(client.log->ended);
}

TEST_P(LoopTimeTest, GivesUpOnAPeerThatNeverReads) {
  auto [a, b] = socket_pair();
  End client;
  End server;
  loop::Options options = server_options();
  options.write_timeout = 80ms;
  server.handler->on_handshake_do = server.handler->on_writable_do = Writer(pattern(10'000'000));
  wrap_server(std::move(b), server, options);
  client.handler->on_handshake_do = [](loop::Stream& stream) { stream.pause_reading(true); };
  wrap_client(std::move(a), client);
  turn_until([&] { return server.log->closed; });
  EXPECT_EQ(server.log->error->condition, IoCondition::timeout);
  EXPECT_EQ(server.log->error->operation, Operation::write);
  EXPECT_THAT(server.log->error->text, HasSubstr("write_timeout"));
}

TEST_P(LoopTimeTest, ClosingDoesNotWaitForEverForAPeerThatNeverReads) {
  auto [a, b] = socket_pair();
  End server;
  End client;
  loop::Options options = server_options();
  options.write_timeout = 80ms;
  server.handler->on_handshake_do = [](loop::Stream& stream) {
    (void)stream.write(as_bytes(pattern(1'000'000)));
    stream.close();
  };
  wrap_server(std::move(b), server, options);
  client.handler->on_handshake_do = [](loop::Stream& stream) { stream.pause_reading(true); };
  wrap_client(std::move(a), client);
  turn_until([&] { return server.log->closed; });
  EXPECT_EQ(server.log->error->condition, IoCondition::timeout);
  client.log->stream->cancel();
  turn_until([&] { return loop_->statistics().streams == 0; });
  EXPECT_EQ(loop_->statistics().buffers, kept_buffers());
}

// --- limits ----------------------------------------------------------------------------------------------------------

TEST_P(LoopTimeTest, EvictsTheOldestHandshake) {
  loop_ = make_loop({.max_handshakes = 3});
  std::vector<Descriptor> peers;
  std::vector<End> servers(5);
  for (std::size_t i = 0; i < servers.size(); ++i) {
    auto [a, b] = socket_pair();
    wrap_server(std::move(b), servers[i]);
    // Some say a little, others nothing: both count.
    if (i % 2 == 0) {
      EXPECT_EQ(::send(a.number(), "\x16\x03\x01", 3, 0), 3);
    }
    peers.push_back(std::move(a));
    turn_for(10ms);
  }
  EXPECT_TRUE(servers[0].log->closed);
  EXPECT_TRUE(servers[1].log->closed);
  EXPECT_FALSE(servers[2].log->closed);
  EXPECT_FALSE(servers[4].log->closed);
  ASSERT_TRUE(servers[0].log->error);
  EXPECT_EQ(servers[0].log->error->operation, Operation::handshake);
  EXPECT_EQ(servers[0].log->error->condition, IoCondition::canceled);
  EXPECT_THAT(servers[0].log->error->text, HasSubstr("max_handshakes"));
  EXPECT_EQ(loop_->statistics().handshakes_evicted, 2U);
  EXPECT_EQ(loop_->statistics().handshaking, 3U);
  // Whoever speaks is served.
  End client;
  End server = echo_end();
  connect(client, server);
  turn_until([&] { return client.log->handshake; });
}

TEST_P(LoopTimeTest, AcceptsNoMoreThanMaxStreams) {
  loop_ = make_loop({.max_streams = 3});
  std::vector<std::shared_ptr<Log>> logs;
  const auto listener = must(loop_->listen("127.0.0.1", 0, {}, [&](loop::Stream&) {
    logs.push_back(std::make_shared<Log>());
    return std::make_unique<EchoScribe>(logs.back());
  }));
  std::vector<Descriptor> peers;
  for (int i = 0; i < 8; ++i) peers.push_back(tcp_connect(listener.address().port));
  turn_until([&] { return logs.size() == 3; });
  turn_for(50ms);
  EXPECT_EQ(logs.size(), 3U);
  EXPECT_EQ(loop_->statistics().streams, 3U);
  for (std::size_t ended = 1; ended <= 5; ++ended) {
    logs[ended - 1]->stream->close();
    turn_until([&] { return logs.size() == 3 + ended; });
    turn_for(20ms);
    EXPECT_LE(loop_->statistics().streams, 3U);
  }
  EXPECT_EQ(logs.size(), 8U) << "all had their turn";
  // Those that came late are as good as the others.
  ASSERT_EQ(::send(peers.back().number(), "late", 4, 0), 4);
  std::array<char, 8> echo{};
  turn_until([&] { return ::recv(peers.back().number(), echo.data(), echo.size(), MSG_DONTWAIT) == 4; });
  EXPECT_STREQ(echo.data(), "late");
}

TEST_P(LoopTimeTest, SurvivesHavingNoDescriptorsLeft) {
#ifdef LOCKSTEP_SANITIZED
  GTEST_SKIP()
      << "UndefinedBehaviorSanitizer opens a pipe to look at an object's type, and takes it for broken when it "
         "cannot. The tests of faults have accept fail with EMFILE.";
#endif
  // Room for the listener, a connection's two ends, and one end of another. (io_uring looks at the limit when it begins
  // to accept.)
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const int free = Descriptor(::dup(0)).number();
  rlimit limit = before;
  limit.rlim_cur = static_cast<rlim_t>(free) + 4;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
  std::vector<IoError> errors;
  std::vector<std::shared_ptr<Log>> logs;
  const auto listener = must(loop_->listen("127.0.0.1", 0, {},
                                           [&](loop::Stream&) {
                                             logs.push_back(std::make_shared<Log>());
                                             return std::make_unique<EchoScribe>(logs.back());
                                           },
                                           {.on_error = [&](const IoError& error) { errors.push_back(error); }}));
  const Descriptor first = tcp_connect(listener.address().port);
  turn_until([&] { return logs.size() == 1; });
  const Descriptor waiting = tcp_connect(listener.address().port);
  int turns = 0;
  const auto start = std::chrono::steady_clock::now();
  while (since(start) < 350ms) {
    loop_->run_once(350ms);
    ++turns;
  }
  EXPECT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_EQ(errors.size(), 1U) << "it is said once";
  EXPECT_GE(loop_->statistics().accept_failures, 2U);
  EXPECT_LE(loop_->statistics().accept_failures, 5U) << "it tries ten times a second";
  EXPECT_LE(turns, 20) << "and sleeps in between";
  ASSERT_FALSE(errors.empty());
  EXPECT_EQ(errors[0].operation, Operation::accept);
  EXPECT_EQ(errors[0].number, EMFILE);
  turn_until([&] { return logs.size() == 2; });
  EXPECT_FALSE(logs[0]->closed);
}

TEST_P(LoopTimeTest, StopsListening) {
  int accepted = 0;
  const auto listener = must(loop_->listen("127.0.0.1", 0, {}, [&](loop::Stream&) {
    ++accepted;
    return std::make_unique<Scribe>(std::make_shared<Log>());
  }));
  const Descriptor one = tcp_connect(listener.address().port);
  turn_until([&] { return accepted == 1; });
  loop_->unlisten(listener);
  turn_for(30ms);
  EXPECT_THROW(tcp_connect(listener.address().port), std::runtime_error);
  EXPECT_EQ(loop_->statistics().streams, 1U) << "who is there stays";
  loop_->unlisten(listener);  // nothing more to do
}

TEST_P(LoopTimeTest, RefusesAConnectionWithoutAHandler) {
  const auto listener =
      must(loop_->listen("127.0.0.1", 0, {}, [](loop::Stream&) { return std::unique_ptr<loop::Handler>(); }));
  const Descriptor peer = tcp_connect(listener.address().port);
  char byte = 0;
  turn_until([&] { return ::recv(peer.number(), &byte, 1, MSG_DONTWAIT) == 0; });
  EXPECT_EQ(loop_->statistics().streams, 0U);
  // And one that is closed by who should make it.
  auto log = std::make_shared<Log>();
  const auto other = must(loop_->listen("127.0.0.1", 0, {}, [&](loop::Stream& stream) {
    stream.close();
    return std::make_unique<Scribe>(log);
  }));
  const Descriptor second = tcp_connect(other.address().port);
  turn_until([&] { return ::recv(second.number(), &byte, 1, MSG_DONTWAIT) == 0; });
  EXPECT_THAT(log->calls, Not(Contains("open")));
}

// --- draining --------------------------------------------------------------------------------------------------------

TEST_P(LoopTimeTest, DrainsGracefully) {
  std::shared_ptr<Log> server_log = std::make_shared<Log>();
  const auto listener = must(loop_->listen("127.0.0.1", 0, server_options(), [&](loop::Stream&) {
    auto scribe = std::make_unique<Scribe>(server_log);
    scribe->on_drain_do = [&](loop::Stream& stream) {
      EXPECT_EQ(stream.write(as_bytes("goodbye")), 7U);
      stream.close();
    };
    return scribe;
  }));
  End client;
  auto log = client.log;
  must(loop_->dial("127.0.0.1", listener.address().port, client_options(), std::move(client.handler),
                   {.name = dns("example.com")}));
  turn_until([&] { return log->handshake && server_log->handshake; });
  static_cast<Scribe&>(log->stream->handler()).on_drain_do = [](loop::Stream&) {};  // ends when the server does
  loop_->drain(5s);
  const auto start = std::chrono::steady_clock::now();
  loop_->run();
  EXPECT_LT(since(start), 2s);
  EXPECT_EQ(log->received, "goodbye");
  EXPECT_FALSE(log->error);
  EXPECT_FALSE(server_log->error);
  EXPECT_THROW(tcp_connect(listener.address().port), std::runtime_error);
  EXPECT_EQ(loop_->statistics().streams, 0U);
}

TEST_P(LoopTimeTest, DrainEndsThoseThatDoNotListen) {
  End client;
  End server;
  client.handler->on_drain_do = server.handler->on_drain_do = [](loop::Stream&) {};
  connect(client, server);
  turn_until([&] { return client.log->handshake && server.log->handshake; });
  const auto start = std::chrono::steady_clock::now();
  loop_->drain(80ms);
  loop_->run();
  EXPECT_GE(since(start), 80ms);
  EXPECT_LT(since(start), 2s);
  ASSERT_TRUE(client.log->error);
  EXPECT_EQ(client.log->error->condition, IoCondition::canceled);
  EXPECT_THAT(client.log->error->text, HasSubstr("drained"));
  EXPECT_TRUE(server.log->closed);
}

TEST_P(LoopTimeTest, StopsFromAnotherThreadAndRunsAgain) {
  for (int i = 0; i < 2; ++i) {
    std::thread other([&] {
      std::this_thread::sleep_for(30ms);
      loop_->stop();
    });
    loop_->run();
    other.join();
  }
  int ran = 0;
  loop_->after(20ms, [&](loop::Loop& loop) {
    ++ran;
    loop.after(20ms, [&](loop::Loop& again) {
      ++ran;
      again.stop();
    });
  });
  const auto start = std::chrono::steady_clock::now();
  loop_->run();
  EXPECT_EQ(ran, 2);
  EXPECT_GE(since(start), 40ms);
}

TEST_P(LoopTimeTest, EndsItsStreamsWhenItIsDestroyed) {
  End client;
  End server;
  auto [a, b] = socket_pair();
  connect(client, server);
  turn_until([&] { return client.log->handshake && server.log->handshake; });
  End waiting;
  wrap_server(std::move(b), waiting);
  loop_.reset();
  for (const auto& log : {client.log, server.log, waiting.log}) {
    ASSERT_TRUE(log->closed);
    ASSERT_TRUE(log->error);
    EXPECT_EQ(log->error->condition, IoCondition::canceled);
  }
  char byte = 0;
  EXPECT_EQ(::recv(a.number(), &byte, 1, 0), 0) << "and closes their sockets";
}

TEST_P(LoopTimeTest, IsDestroyedByAnotherThreadThanRanIt) {
  End client;
  End server;
  connect(client, server);
  std::thread runner([&] {
    turn_until([&] { return client.log->handshake && server.log->handshake; });
    turn_for(20ms);
  });
  runner.join();
  const auto start = std::chrono::steady_clock::now();
  loop_.reset();
  EXPECT_LT(since(start), 2s);
  EXPECT_TRUE(client.log->closed);
  EXPECT_TRUE(server.log->closed);
}

}  // namespace
}  // namespace lockstep::testing
