// Event loops: what a handler may do in the middle of things. An event belongs to its stream until it is delivered.

#include <stdexcept>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "loop_support.hpp"

namespace lockstep::testing {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

class LoopCallersTest : public LoopTest {
 protected:
  /// Both loops in this thread, until it is so.
  void turn_both_until(loop::Loop& other, const std::function<bool()>& done) {
    const auto limit = std::chrono::steady_clock::now() + 10s;
    while (!done()) {
      loop_->run_once(1ms);
      other.run_once(1ms);
      if (std::chrono::steady_clock::now() > limit) throw std::runtime_error("it did not come to pass in ten seconds");
    }
  }
  /// A connection to a listener whose maker of handlers is this.
  void connect_to(loop::MakeHandler make, loop::Options options = {}) {
    const auto listener = must(loop_->listen("127.0.0.1", 0, std::move(options), std::move(make)));
    peer_ = tcp_connect(listener.address().port);
    turn_until([&] { return loop_->statistics().accepted == 1; });
    turn_for(30ms);
  }
  /// What the peer of `connect_to` reads: 0 for the end, -1 for a reset.
  ssize_t peer_reads() {
    char byte = 0;
    return ::recv(peer_.number(), &byte, 1, 0);
  }

  Descriptor peer_;
};
INSTANTIATE_TEST_SUITE_P(Loops, LoopCallersTest, ::testing::ValuesIn(loop_kinds()), kind_name);

// --- whoever makes a handler -----------------------------------------------------------------------------------------

TEST_P(LoopCallersTest, AConnectionMayBeClosedAndRefused) {
  connect_to([](loop::Stream& stream) -> std::unique_ptr<loop::Handler> {
    stream.close();
    return nullptr;
  });
  EXPECT_EQ(peer_reads(), 0);
  EXPECT_EQ(loop_->statistics().streams, 0U);
}

TEST_P(LoopCallersTest, AConnectionMayBeCanceledAndRefused) {
  connect_to([](loop::Stream& stream) -> std::unique_ptr<loop::Handler> {
    stream.cancel();
    stream.close();
    return nullptr;
  });
  EXPECT_EQ(peer_reads(), 0);
  EXPECT_EQ(loop_->statistics().streams, 0U);
}

TEST_P(LoopCallersTest, WhoMakesAHandlerMayThrow) {
  connect_to([](loop::Stream&) -> std::unique_ptr<loop::Handler> { throw std::runtime_error("no"); });
  EXPECT_EQ(peer_reads(), 0);
  EXPECT_EQ(loop_->statistics().streams, 0U);
}

TEST_P(LoopCallersTest, AStreamThatIsClosedBeforeItOpensHasAnEnd) {
  for (const bool canceled : {false, true}) {
    End end;
    connect_to([&](loop::Stream& stream) {
      canceled ? stream.cancel() : stream.close();
      return std::move(end.handler);
    });
    EXPECT_EQ(end.log->calls, std::vector<std::string>{"closed"});
    EXPECT_EQ(end.log->error.has_value(), canceled);
    loop_ = make_loop();
  }
}

TEST_P(LoopCallersTest, AStreamMayMoveBeforeItOpens) {
  for (const LoopKind& kind : loop_kinds()) {
    auto other = must(kind.make({}));
    End end;
    const auto listener = must(loop_->listen("127.0.0.1", 0, {}, [&](loop::Stream& stream) {
      stream.move_to(*other);
      return std::move(end.handler);
    }));
    end.handler->on_open_do = [&](loop::Stream& stream) { EXPECT_EQ(&stream.loop(), other.get()); };
    const Descriptor peer = tcp_connect(listener.address().port);
    turn_both_until(*other, [&] { return end.log->open; });
    EXPECT_EQ(end.log->calls, (std::vector<std::string>{"moved", "open"}));
    end.log->stream->close();
    turn_both_until(*other, [&] { return end.log->closed; });
  }
}

TEST_P(LoopCallersTest, RefusesToDoWithoutHandlers) {
  auto [a, b] = socket_pair();
  const auto wrapped = loop_->wrap(std::move(a), {}, nullptr);
  ASSERT_FALSE(wrapped);
  EXPECT_EQ(wrapped.error().condition, IoCondition::misuse);
  const auto dialed = loop_->dial("127.0.0.1", 1, {}, nullptr);
  ASSERT_FALSE(dialed);
  EXPECT_EQ(dialed.error().condition, IoCondition::misuse);
  const auto listening = loop_->listen("127.0.0.1", 0, {}, nullptr);
  ASSERT_FALSE(listening);
  EXPECT_EQ(listening.error().condition, IoCondition::misuse);
}

// --- moving in the middle of an event --------------------------------------------------------------------------------

/// Moves in the first event of that kind.
template <class Kind>
std::function<bool(loop::Stream&, Event&)> moves_in(loop::Loop& other) {
  return [&other, moved = false](loop::Stream& stream, Event& event) mutable {
    if (std::holds_alternative<Kind>(event) && !std::exchange(moved, true)) stream.move_to(other);
    return false;
  };
}

TEST_P(LoopCallersTest, TheHandshakeIsToldBeforeBytesAlthoughTheStreamMoves) {
  for (const LoopKind& kind : loop_kinds()) {
    auto other = must(kind.make({}));
    End client;
    End server;
    client.handler->on_handshake_do = Writer("hello");
    server.handler->on_event_do = moves_in<HandshakeComplete>(*other);
    connect(client, server);
    turn_both_until(*other, [&] { return server.log->received == "hello"; });
    EXPECT_EQ(server.log->calls, (std::vector<std::string>{"open", "handshake", "moved"}));
    EXPECT_EQ(&server.log->stream->loop(), other.get());
    client.log->stream->close();
    turn_both_until(*other, [&] { return server.log->closed && client.log->closed; });
    EXPECT_FALSE(server.log->error);
  }
}

TEST_P(LoopCallersTest, WhatOptionsAnswerIsAnsweredAlthoughTheStreamMoves) {
  for (const LoopKind& kind : loop_kinds()) {
    auto other = must(kind.make({}));
    End client;
    End server;
    client.handler->on_handshake_do = Writer("hello");
    server.handler->on_event_do = moves_in<Sign>(*other);
    connect(client, server);
    turn_both_until(*other, [&] { return server.log->received == "hello" || client.log->closed; });
    EXPECT_FALSE(client.log->error) << client.log->error->text;
    EXPECT_TRUE(server.log->moved);
    client.log->stream->close();
    turn_both_until(*other, [&] { return server.log->closed && client.log->closed; });
  }
}

TEST_P(LoopCallersTest, BytesAreNotLostAlthoughTheStreamMoves) {
  for (const LoopKind& kind : loop_kinds()) {
    auto other = must(kind.make({}));
    End client;
    End server;
    client.handler->on_handshake_do = Writer("hello");
    server.handler->on_event_do = moves_in<ApplicationData>(*other);
    connect(client, server);
    turn_both_until(*other, [&] { return server.log->received == "hello"; });
    EXPECT_TRUE(server.log->moved);
    client.log->stream->close();
    turn_both_until(*other, [&] { return server.log->closed && client.log->closed; });
    EXPECT_FALSE(server.log->error);
  }
}

TEST_P(LoopCallersTest, TheEndAndSessionsAreNotLostAlthoughTheStreamMoves) {
  for (const LoopKind& kind : loop_kinds()) {
    auto other = must(kind.make({}));
    auto third = must(kind.make({}));
    End client;
    End server;
    std::size_t sessions = 0;
    client.handler->on_event_do = moves_in<SessionReceived>(*other);
    client.handler->on_moved_do = [&](loop::Stream& stream) {
      sessions = stream.sessions().size();
      stream.close();
    };
    server.handler->on_event_do = moves_in<PeerClosed>(*third);
    connect(client, server);
    turn_both_until(*other, [&] {
      third->run_once(0ms);
      return server.log->closed && client.log->closed;
    });
    EXPECT_GE(sessions, 1U);
    EXPECT_THAT(server.log->calls, Contains("end"));
    EXPECT_TRUE(server.log->moved);
    EXPECT_FALSE(server.log->error);
  }
}

TEST_P(LoopCallersTest, AClientThatMovesWhenItOpensBeginsItsHandshake) {
  for (const LoopKind& kind : loop_kinds()) {
    auto other = must(kind.make({}));
    End client;
    End server;
    client.handler->on_open_do = [&](loop::Stream& stream) { stream.move_to(*other); };
    connect(client, server);
    turn_both_until(*other, [&] { return client.log->handshake && server.log->handshake; });
    EXPECT_EQ(&client.log->stream->loop(), other.get());
    client.log->stream->close();
    turn_both_until(*other, [&] { return server.log->closed && client.log->closed; });
  }
}

TEST_P(LoopCallersTest, CloseWriteBeforeTheHandshakeSurvivesAMove) {
  for (const LoopKind& kind : loop_kinds()) {
    auto other = must(kind.make({}));
    End client;
    End server;
    server.handler->on_open_do = [](loop::Stream& stream) { stream.close_write(); };
    server.handler->on_handshake_do = [&](loop::Stream& stream) { stream.move_to(*other); };
    connect(client, server);
    turn_both_until(*other, [&] { return client.log->ended; });
    turn_both_until(*other, [&] { return server.log->closed && client.log->closed; });
    EXPECT_TRUE(server.log->moved);
  }
}

TEST_P(LoopCallersTest, WhatIsAskedBehindMoveToCounts) {
  for (const LoopKind& kind : loop_kinds()) {
    auto other = must(kind.make({}));
    for (const std::string what : {"write", "close", "cancel", "expire"}) {
      SCOPED_TRACE(what);
      End client;
      End server;
      server.handler->on_handshake_do = [&](loop::Stream& stream) {
        stream.move_to(*other);
        if (what == "write") {
          EXPECT_EQ(stream.write(as_bytes("hello")).value(), 5U);
        }
        if (what == "close") stream.close();
        if (what == "cancel") stream.cancel();
        if (what == "expire") stream.expire(Operation::read);
      };
      client.handler->on_readable_do = [&](loop::Stream& stream) {
        static_cast<Scribe&>(stream.handler()).take(stream);
        stream.close();
      };
      connect(client, server);
      turn_both_until(*other, [&] { return server.log->closed && client.log->closed; });
      EXPECT_EQ(server.log->moved, what == "write");
      EXPECT_EQ(client.log->received, what == "write" ? "hello" : "");
      turn_both_until(*other, [&] { return loop_->statistics().streams + other->statistics().streams == 0; });
    }
  }
}

// --- closing ---------------------------------------------------------------------------------------------------------

/// The peer takes nothing: megabytes wait.
TEST_P(LoopCallersTest, AClosingStreamCanBeGivenUp) {
  for (const bool expires : {false, true}) {
    auto [a, b] = socket_pair();
    End end;
    loop::Options options;
    options.write_timeout = 0ms;
    options.linger_most = 0ms;
    const std::string text = pattern(4'000'000);
    end.handler->on_open_do = [&](loop::Stream& stream) {
      (void)stream.write(as_bytes(text));
      stream.close();
    };
    loop::Stream& stream = wrap_server(std::move(b), end, options);
    turn_for(40ms);
    ASSERT_FALSE(end.log->closed);
    expires ? stream.expire(Operation::write) : stream.cancel();
    EXPECT_TRUE(end.log->closed);
    ASSERT_TRUE(end.log->error);
    EXPECT_EQ(end.log->error->condition, expires ? IoCondition::timeout : IoCondition::canceled);
    turn_until([&] { return loop_->statistics().streams == 0; });
  }
}

/// A peer that says something while it reads slowly gets all the same everything.
TEST_P(LoopCallersTest, WhoReadsSlowlyGetsAllBeforeTheEnd) {
  End end;
  loop::Options options;
  options.linger = 100ms;
  const std::string text = pattern(3'000'000);
  Writer writer(text);
  const auto write = [&](loop::Stream& stream) {
    writer(stream);
    if (writer.done()) stream.close();
  };
  end.handler->on_open_do = end.handler->on_writable_do = write;
  connect_to([&](loop::Stream&) { return std::move(end.handler); }, options);
  std::string got;
  bool spoke = false;
  std::vector<char> buffer(20'000);
  const auto limit = std::chrono::steady_clock::now() + 20s;
  while (got.size() < text.size() && std::chrono::steady_clock::now() < limit) {
    turn_for(2ms);
    const ssize_t size = ::recv(peer_.number(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (size == 0 || (size < 0 && errno != EAGAIN)) break;
    if (size > 0) got.append(buffer.data(), static_cast<std::size_t>(size));
    if (got.size() >= 20'000 && !std::exchange(spoke, true)) {
      ASSERT_EQ(::send(peer_.number(), "x", 1, 0), 1);
    }
  }
  EXPECT_EQ(got.size(), text.size());
  EXPECT_EQ(got, text);
  turn_until([&] { return end.log->closed; });
  EXPECT_FALSE(end.log->error) << end.log->error->text;
}

TEST_P(LoopCallersTest, ClosingAsAWholeHasABound) {
  End end;
  auto [a, b] = socket_pair();
  loop::Options options;
  options.linger = 10s;
  options.linger_most = 120ms;
  options.write_timeout = 0ms;
  const std::string text = pattern(4'000'000);
  end.handler->on_open_do = [&](loop::Stream& stream) {
    (void)stream.write(as_bytes(text));
    stream.close();
  };
  wrap_server(std::move(b), end, options);
  std::vector<char> buffer(100);
  const auto start = std::chrono::steady_clock::now();
  while (!end.log->closed && std::chrono::steady_clock::now() < start + 5s) {
    turn_for(5ms);
    (void)::recv(a.number(), buffer.data(), buffer.size(), MSG_DONTWAIT);  // always a little
  }
  ASSERT_TRUE(end.log->error);
  EXPECT_EQ(end.log->error->operation, Operation::close);
  EXPECT_THAT(end.log->error->text, HasSubstr("linger_most"));
  EXPECT_GE(std::chrono::steady_clock::now() - start, 110ms);
  EXPECT_LT(std::chrono::steady_clock::now() - start, 2s);
}

TEST_P(LoopCallersTest, APeerMayHaveToTakeEnough) {
  End end;
  auto [a, b] = socket_pair();
  loop::Options options;
  options.write_timeout = 1000ms;
  options.lowest_rate = 1'000'000'000;  // more than is read, however fast the machine
  Writer writer(pattern(50'000'000));
  end.handler->on_open_do = end.handler->on_writable_do = std::ref(writer);
  wrap_server(std::move(b), end, options);
  std::vector<char> buffer(65'536);  // enough that something is taken in every turn, however slow it is
  const auto start = std::chrono::steady_clock::now();
  while (!end.log->closed && std::chrono::steady_clock::now() < start + 20s) {
    turn_for(5ms);
    (void)::recv(a.number(), buffer.data(), buffer.size(), MSG_DONTWAIT);
  }
  ASSERT_TRUE(end.log->error);
  EXPECT_THAT(end.log->error->text, HasSubstr("lowest_rate"));
  options.write_timeout = 0ms;
  End none;
  auto [c, d] = socket_pair();
  const auto refused = loop_->wrap(std::move(d), options, std::move(none.handler));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().condition, IoCondition::misuse);
}

/// What the application does before it writes is not time that the peer takes.
TEST_P(LoopCallersTest, WritingHasItsTimeFromItsBeginning) {
  const auto lives_for = [&](std::chrono::milliseconds before_wrapping, std::chrono::milliseconds before_writing) {
    End end;
    auto [a, b] = socket_pair();
    loop::Options options;
    options.write_timeout = 400ms;
    options.idle_timeout = 400ms;
    Writer writer(pattern(2'000'000));
    end.handler->on_open_do = [&](loop::Stream& stream) {
      std::this_thread::sleep_for(before_writing);
      writer(stream);
    };
    std::this_thread::sleep_for(before_wrapping);
    wrap_server(std::move(b), end, options);
    turn_for(1ms);
    const auto start = std::chrono::steady_clock::now();
    while (!end.log->closed) turn_for(5ms);
    return std::chrono::steady_clock::now() - start;
  };
  EXPECT_GE(lives_for(500ms, 0ms), 300ms);
  EXPECT_GE(lives_for(0ms, 500ms), 300ms);
}

TEST_P(LoopCallersTest, ADowngradeHasADeadline) {
  End client;
  End server;
  loop::Options options = client_options();
  options.handshake_timeout = 150ms;
  client.handler->on_handshake_do = [](loop::Stream& stream) { stream.downgrade(); };
  server.handler->on_end_do = [](loop::Stream&) {};  // never answers it
  connect(client, server, options, server_options());
  turn_until([&] { return client.log->closed; });
  ASSERT_TRUE(client.log->error);
  EXPECT_EQ(client.log->error->operation, Operation::downgrade);
  EXPECT_EQ(client.log->error->condition, IoCondition::timeout);
}

// --- handlers that do what they must not -----------------------------------------------------------------------------

TEST_P(LoopCallersTest, AHandlerThatThrowsLosesItsStreamAlone) {
  for (const std::string where : {"open", "handshake", "readable", "event", "post"}) {
    SCOPED_TRACE(where);
    End client;
    End server;
    End bystander = echo_end();
    End other;
    other.handler->on_handshake_do = Writer("I am here");
    const auto thrower = [](loop::Stream&) { throw std::runtime_error("something went wrong in here"); };
    client.handler->on_handshake_do = Writer("hello");
    if (where == "open") server.handler->on_open_do = thrower;
    if (where == "handshake") server.handler->on_handshake_do = thrower;
    if (where == "readable") server.handler->on_readable_do = thrower;
    if (where == "event") {
      server.handler->on_event_do = [&](loop::Stream& stream, Event&) -> bool {
        thrower(stream);
        return false;
      };
    }
    if (where == "post") server.handler->on_handshake_do = [&](loop::Stream& stream) { stream.ref().post(thrower); };
    connect(client, server);
    connect(other, bystander);
    turn_until([&] { return server.log->closed && client.log->closed && other.log->received == "I am here"; });
    ASSERT_TRUE(server.log->error);
    EXPECT_EQ(server.log->error->condition, IoCondition::misuse);
    EXPECT_THAT(server.log->error->text, HasSubstr("something went wrong in here"));
    other.log->stream->close();
    turn_until([&] { return loop_->statistics().streams == 0; });
  }
}

TEST_P(LoopCallersTest, WhatAPostThrowsIsTheCallersAndTheOthersRunNext) {
  int ran = 0;
  loop_->post([&](loop::Loop&) { ++ran; });
  loop_->post([](loop::Loop&) { throw std::runtime_error("mine"); });
  loop_->post([&](loop::Loop&) { ++ran; });
  EXPECT_THROW(loop_->run_once(0ms), std::runtime_error);
  EXPECT_EQ(ran, 1);
  loop_->run_once(0ms);
  EXPECT_EQ(ran, 2);
}

TEST_P(LoopCallersTest, ALoopDoesNotRunInsideAHandler) {
  End client;
  End server;
  bool tried = false;
  server.handler->on_handshake_do = [&](loop::Stream& stream) {
    stream.close();
    EXPECT_FALSE(loop_->run_once(10ms));
    loop_->run();
    tried = true;
  };
  connect(client, server);
  turn_until([&] { return server.log->closed && client.log->closed; });
  EXPECT_TRUE(tried);
}

// --- time ------------------------------------------------------------------------------------------------------------

TEST_P(LoopCallersTest, ForEverIsForEver) {
  constexpr auto kEver = std::chrono::milliseconds::max();
  End client;
  End server;
  for (const bool client_side : {true, false}) {
    loop::Options options = client_side ? client_options() : server_options();
    options.connect_timeout = options.handshake_timeout = options.idle_timeout = kEver;
    options.write_timeout = options.linger_most = kEver;
    auto [a, b] = socket_pair();
    if (client_side) {
      peer_ = std::move(b);
      wrap_client(std::move(a), client, options);
    } else {
      wrap_server(std::move(a), server, options);
      peer_ = std::move(b);
    }
    turn_for(50ms);
    EXPECT_FALSE((client_side ? client : server).log->closed);
    if (!client_side) server.log->stream->set_read_deadline(loop::Clock::time_point::max());
  }
  bool fired = false;
  loop_->after(kEver, [&](loop::Loop&) { fired = true; });
  turn_for(50ms);
  EXPECT_FALSE(fired);
  EXPECT_FALSE(server.log->closed);
  loop_->drain(kEver);
  turn_for(20ms);
}

TEST_P(LoopCallersTest, AFunctionWithATimeCanBeForgotten) {
  int ran = 0;
  const auto first = loop_->after(10ms, [&](loop::Loop&) { ++ran; });
  const auto second = loop_->after(10ms, [&](loop::Loop&) { ran += 10; });
  EXPECT_TRUE(loop_->cancel(first));
  EXPECT_FALSE(loop_->cancel(first));
  turn_for(60ms);
  EXPECT_EQ(ran, 10);
  EXPECT_FALSE(loop_->cancel(second));
}

TEST_P(LoopCallersTest, NoByteClearsADeadlineForAWholeMessage) {
  for (const auto until : {loop::Until::next_bytes, loop::Until::cleared}) {
    auto [a, b] = socket_pair();
    End end;
    end.handler->on_open_do = [&](loop::Stream& stream) { stream.set_read_deadline(loop::Clock::now() + 60ms, until); };
    wrap_server(std::move(b), end, {});
    for (int i = 0; i < 12; ++i) {
      turn_for(10ms);
      if (!end.log->closed) {
        ASSERT_EQ(::send(a.number(), "x", 1, MSG_NOSIGNAL), 1);
      }
    }
    EXPECT_EQ(end.log->closed, until == loop::Until::cleared);
    if (!end.log->closed) end.log->stream->cancel();
  }
}

// --- many ------------------------------------------------------------------------------------------------------------

TEST_P(LoopCallersTest, APausedStreamHoldsLittleWhateverItsPeerSends) {
  constexpr std::size_t kStreams = 30;
  std::vector<Descriptor> peers;
  std::vector<End> ends(kStreams);
  for (End& end : ends) {
    auto [a, b] = socket_pair();
    end.handler->on_readable_do = [](loop::Stream&) {};
    wrap_server(std::move(b), end, {});
    peers.push_back(std::move(a));
  }
  const std::string text = pattern(100'000);
  for (int turn = 0; turn < 60; ++turn) {
    for (const Descriptor& peer : peers) {
      while (::send(peer.number(), text.data(), text.size(), MSG_DONTWAIT | MSG_NOSIGNAL) > 0) {
      }
    }
    loop_->run_once(0ms);
  }
  // A block that is full, and one that was on its way.
  EXPECT_LE(loop_->statistics().buffers, kept_buffers() + 2 * kStreams);
}

/// Nobody gets more of a turn than a fixed share.
TEST_P(LoopCallersTest, AFloodDoesNotTakeATurnForItself) {
  auto [a, b] = socket_pair();
  End end;
  std::uint64_t before = 0;
  std::uint64_t most = 0;
  wrap_server(std::move(b), end, {});
  std::atomic<bool> over{false};
  std::thread flood([&, socket = a.number()] {
    const std::string text = pattern(1'000'000);
    while (!over) (void)::send(socket, text.data(), text.size(), MSG_NOSIGNAL);
  });
  for (int turn = 0; turn < 300; ++turn) {
    loop_->run_once(5ms);
    const std::uint64_t now = end.log->stream->traffic().plaintext_received;
    most = std::max(most, now - before);
    before = now;
  }
  over = true;
  end.log->stream->cancel();
  turn_for(20ms);
  loop_.reset();  // which ends the flood's last send
  flood.join();
  EXPECT_GT(before, 1'000'000U);
  EXPECT_LE(most, 3 * 66'000U);
}

TEST_P(LoopCallersTest, MemoryHasABoundThatHoldsAndGivesWay) {
  constexpr std::size_t kMost = 12'000'000;
  constexpr std::size_t kStreams = 60;
  loop_ = make_loop({.max_memory = kMost});
  const std::string text = pattern(2'000'000);
  std::vector<Descriptor> peers;
  std::vector<End> ends(kStreams);
  std::vector<std::unique_ptr<Writer>> writers;
  for (End& end : ends) {
    auto [a, b] = socket_pair();
    loop::Options options;
    options.write_high = 1'000'000;
    writers.push_back(std::make_unique<Writer>(text));
    Writer& writer = *writers.back();
    end.handler->on_open_do = end.handler->on_writable_do = [&writer](loop::Stream& stream) {
      writer(stream);
      if (writer.done()) stream.close();
    };
    wrap_server(std::move(b), end, options);
    peers.push_back(std::move(a));
  }
  turn_for(50ms);
  EXPECT_LE(loop_->statistics().memory, kMost + kStreams * 2 * 70'000);
  EXPECT_GE(loop_->statistics().memory_shortages, 1U);
  std::vector<std::string> got(kStreams);
  std::vector<char> buffer(200'000);
  turn_until([&] {
    bool all = true;
    for (std::size_t i = 0; i < kStreams; ++i) {
      const ssize_t size = ::recv(peers[i].number(), buffer.data(), buffer.size(), MSG_DONTWAIT);
      if (size > 0) got[i].append(buffer.data(), static_cast<std::size_t>(size));
      all &= got[i].size() == text.size();
    }
    return all;
  });
  for (const std::string& each : got) EXPECT_EQ(each, text);
}

/// A loop that has as much as it may accepts nobody until some of it is free.
TEST_P(LoopCallersTest, ALoopWithoutMemoryAcceptsNobody) {
  loop_ = make_loop({.max_memory = 6'000'000, .spare_buffers = 0});
  End greedy;
  auto [a, b] = socket_pair();
  loop::Options options;
  options.write_high = 4'000'000;
  const std::string text = pattern(4'000'000);
  greedy.handler->on_open_do = [&](loop::Stream& stream) { (void)stream.write(as_bytes(text)); };
  wrap_server(std::move(b), greedy, options);
  for (int i = 0; loop_->statistics().memory < 6'000'000 && i < 10; ++i)
    (void)greedy.log->stream->write(as_bytes(text));
  loop_->run_once(0ms);
  int made = 0;
  const auto listener = must(loop_->listen("127.0.0.1", 0, {}, [&](loop::Stream&) {
    ++made;
    return std::make_unique<Scribe>(std::make_shared<Log>());
  }));
  const Descriptor peer = tcp_connect(listener.address().port);
  turn_for(50ms);
  if (GetParam().name == "epoll" && loop_->statistics().memory < 6'000'000) GTEST_SKIP() << "the kernel took it all";
  EXPECT_EQ(made, 0);
  greedy.log->stream->cancel();
  turn_until([&] { return made == 1; });
}

/// With no descriptor left, whoever says nothing makes room, and that is said once.
TEST_P(LoopCallersTest, WithoutDescriptorsTheOldestSilentHandshakeEnds) {
#ifdef LOCKSTEP_SANITIZED
  GTEST_SKIP() << "the undefined behaviour sanitizer needs descriptors of its own to look at a virtual table";
#endif
  int said = 0;
  std::vector<std::shared_ptr<Log>> logs;
  const auto listener = must(loop_->listen("127.0.0.1", 0, server_options(),
                                           [&](loop::Stream&) {
                                             logs.push_back(std::make_shared<Log>());
                                             return std::make_unique<Scribe>(logs.back());
                                           },
                                           {.on_error = [&](const IoError& error) {
                                             ++said;
                                             EXPECT_EQ(error.number, EMFILE);
                                           }}));
  std::vector<Descriptor> silent;
  for (int i = 0; i < 20; ++i) silent.push_back(tcp_connect(listener.address().port));
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const int used = ::dup(0);
  ASSERT_GE(used, 0);
  ::close(used);
  rlimit few = before;
  few.rlim_cur = static_cast<rlim_t>(used) + 6;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &few), 0);
  turn_for(400ms);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_EQ(logs.size(), 20U) << "all were accepted";
  // io_uring wants a descriptor before there is a connection.
  const auto ended = std::ranges::count_if(logs, [](const auto& log) { return log->closed; });
  EXPECT_EQ(ended, GetParam().name == "uring" ? 15 : 14);
  EXPECT_TRUE(logs.front()->closed);
  EXPECT_FALSE(logs.back()->closed);
  EXPECT_THAT(logs.front()->error->text, HasSubstr("no descriptor"));
  EXPECT_EQ(said, 1);
  EXPECT_EQ(loop_->statistics().handshakes_evicted, static_cast<std::uint64_t>(ended));
}

/// A silent address: the loop's end is told at once, also to a stream that was to move.
TEST_P(LoopCallersTest, WhatConnectsAndIsToMoveEndsWithItsLoop) {
  for (const LoopKind& kind : loop_kinds()) {
    auto other = must(kind.make({}));
    End end;
    loop::Options options;
    const auto full = must(other->listen("127.0.0.1", 0, {}, [](loop::Stream&) { return nullptr; }, {.backlog = 0}));
    std::vector<Descriptor> filling;
    for (int i = 0; i < 4; ++i) {  // nobody accepts: the queue is full
      Descriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
      sockaddr_in address{};
      address.sin_family = AF_INET;
      address.sin_port = htons(full.address().port);
      address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
      (void)::connect(socket.number(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
      filling.push_back(std::move(socket));
    }
    must(loop_->dial("127.0.0.1", full.address().port, options, std::move(end.handler)))->move_to(*other);
    turn_for(20ms);
    ASSERT_FALSE(end.log->closed);
    const auto start = std::chrono::steady_clock::now();
    loop_.reset();
    EXPECT_LT(std::chrono::steady_clock::now() - start, 1s);
    EXPECT_TRUE(end.log->closed);
    loop_ = make_loop();
  }
}

/// What came for a stream that was to move and then did not runs all the same.
TEST_P(LoopCallersTest, PostsAreNotLostWhenAMoveIsCalledOff) {
  auto other = must(loop_kinds().front().make({}));
  auto [a, b] = socket_pair();
  End end;
  bool ran = false;
  loop::Stream& stream = wrap_server(std::move(b), end, {});
  turn_for(5ms);
  const loop::StreamRef name = stream.ref();
  loop_->post([&](loop::Loop&) { stream.move_to(*other); });
  name.post([&](loop::Stream&) { ran = true; });
  loop_->post([&](loop::Loop&) { stream.close(); });
  turn_until([&] { return end.log->closed; });
  EXPECT_TRUE(ran);
  EXPECT_FALSE(end.log->moved);
}

/// Memory that is kept for those to come is no reason to refuse them.
TEST_P(LoopCallersTest, SpareMemoryGivesWay) {
  constexpr std::size_t kMost = 12'000'000;
  loop_ = make_loop({.max_memory = kMost, .spare_buffers = 1000});
  {
    std::vector<Descriptor> peers;
    std::vector<End> ends(200);
    const std::string text = pattern(60'000);
    for (End& end : ends) {
      auto [a, b] = socket_pair();
      end.handler->on_readable_do = [](loop::Stream&) {};
      wrap_server(std::move(b), end, {});
      (void)::send(a.number(), text.data(), text.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
      peers.push_back(std::move(a));
    }
    turn_for(50ms);
    for (End& end : ends) end.log->stream->cancel();
    turn_until([&] { return loop_->statistics().streams == 0; });
  }
  int made = 0;
  const auto listener = must(loop_->listen("127.0.0.1", 0, {}, [&](loop::Stream&) {
    ++made;
    return std::make_unique<Scribe>(std::make_shared<Log>());
  }));
  const Descriptor peer = tcp_connect(listener.address().port);
  turn_until([&] { return made == 1; });
}

/// It will never be answered: that is no reason to wait for the handshake's deadline.
TEST_P(LoopCallersTest, ATokenThatIsDroppedInAnotherThreadEndsItsHandshake) {
  End client;
  End server;
  std::thread other;
  server.handler->on_event_do = [&](loop::Stream&, Event& event) {
    auto* wishes = std::get_if<SelectCredential>(&event);
    if (wishes == nullptr) return false;
    auto kept = std::make_shared<Token<SelectCredential>>(std::move(wishes->token));
    other = std::thread([kept = std::move(kept)]() mutable {
      std::this_thread::sleep_for(30ms);
      kept.reset();
    });
    return true;
  };
  const auto start = std::chrono::steady_clock::now();
  connect(client, server);
  turn_until([&] { return server.log->closed && client.log->closed; });
  other.join();
  EXPECT_LT(std::chrono::steady_clock::now() - start, 5s);
  ASSERT_TRUE(server.log->error && server.log->error->tls);
}

// --- addresses -------------------------------------------------------------------------------------------------------

TEST_P(LoopCallersTest, ListensOnEveryAddressOrFails) {
  const auto make = [](loop::Stream&) { return std::make_unique<Scribe>(std::make_shared<Log>()); };
  const auto everywhere = must(loop_->listen("", 0, {}, make));
  ASSERT_GE(everywhere.addresses().size(), 1U);
  const std::uint16_t port = everywhere.address().port;
  for (const Address& each : everywhere.addresses()) EXPECT_EQ(each.port, port);
  const Descriptor peer = tcp_connect(port);
  turn_until([&] { return loop_->statistics().accepted == 1; });
  const auto again = loop_->listen("", port, {}, make);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().number, EADDRINUSE);
  loop_->unlisten(everywhere);
  turn_for(20ms);
  EXPECT_THROW(tcp_connect(port), std::runtime_error);
}

TEST_P(LoopCallersTest, GoesOverUnixSockets) {
  const Address address{.host = "@lockstep-" + std::to_string(::getpid()) + "-" + std::string(GetParam().name)};
  End client;
  End server = echo_end();
  client.handler->on_handshake_do = Writer("hello");
  const auto listener =
      must(loop_->listen(address, server_options(), [&](loop::Stream&) { return std::move(server.handler); }));
  EXPECT_EQ(listener.address(), address);
  must(loop_->dial(address, client_options(), std::move(client.handler), {.name = dns("example.com")}));
  turn_until([&] { return client.log->received == "hello"; });
  client.log->stream->close();
  turn_until([&] { return client.log->closed && server.log->closed; });
  End nameless;
  const auto dialed = loop_->dial(address, client_options(), std::move(nameless.handler));
  ASSERT_FALSE(dialed);
  EXPECT_EQ(dialed.error().condition, IoCondition::misuse);
}

TEST_P(LoopCallersTest, AsksTheResolverItIsGiven) {
  const auto listener = must(loop_->listen(
      "127.0.0.1", 0, {}, [](loop::Stream&) { return std::make_unique<Scribe>(std::make_shared<Log>()); }));
  loop::Options options;
  std::string asked;
  options.resolve = [&](std::string_view host, std::uint16_t port) -> IoResult<std::vector<Address>> {
    asked = host;
    return std::vector{Address{.host = "127.0.0.1", .port = port}};
  };
  End end;
  must(loop_->dial("nobody.invalid", listener.address().port, options, std::move(end.handler)));
  turn_until([&] { return end.log->open; });
  EXPECT_EQ(asked, "nobody.invalid");
}

// --- other processes and threads -------------------------------------------------------------------------------------

TEST_P(LoopCallersTest, AChildThatDestroysItsCopyTakesNothingFromTheParent) {
  End end;
  connect_to([&](loop::Stream&) { return std::move(end.handler); });
  const pid_t child = ::fork();
  if (child == 0) {
    loop_.reset();
    ::_exit(end.log->closed ? 1 : 0);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0) << "a child's handlers hear nothing";
  ASSERT_EQ(::send(peer_.number(), "hello", 5, 0), 5);
  turn_until([&] { return end.log->received == "hello"; });
  peer_.reset();
  turn_until([&] { return end.log->closed; });
}

TEST_P(LoopCallersTest, ALoopMayEndInAnotherThreadThanRanIt) {
  auto [a, b] = socket_pair();
  End end;
  const std::string text = pattern(1'000'000);
  end.handler->on_open_do = [&](loop::Stream& stream) { (void)stream.write(as_bytes(text)); };
  std::thread([&, socket = std::make_shared<Descriptor>(std::move(b))] {
    wrap_server(std::move(*socket), end, {});
    for (int i = 0; i < 5; ++i) loop_->run_once(1ms);
  }).join();
  loop_.reset();
  EXPECT_TRUE(end.log->closed);
  std::vector<char> buffer(100'000);
  std::string got;
  for (ssize_t size = 0; (size = ::recv(a.number(), buffer.data(), buffer.size(), 0)) > 0;)
    got.append(buffer.data(), static_cast<std::size_t>(size));
  EXPECT_TRUE(text.starts_with(got)) << "what came is what was written";
}

}  // namespace
}  // namespace lockstep::testing
