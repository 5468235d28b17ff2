// TLS in event loops: every test runs over every kind of loop that is built. Here: bytes, buffers, half-close,
// backpressure, statistics. Numbers in brackets are rows of the feature list.

#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include "loop_support.hpp"

namespace lockstep::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

INSTANTIATE_TEST_SUITE_P(Loops, LoopTest, ::testing::ValuesIn(loop_kinds()), kind_name);

// --- dial, listen, wrap [176], custom transports [177], addresses and statistics [189] -------------------------------

TEST_P(LoopTest, EchoesOverLoopback) {
  auto server_log = std::make_shared<Log>();
  const auto listener = must(loop_->listen("127.0.0.1", 0, server_options(),
                                           [&](loop::Stream&) { return std::make_unique<EchoScribe>(server_log); }));
  End client;
  client.handler->on_handshake_do = [](loop::Stream& stream) { EXPECT_EQ(stream.write(as_bytes("hello")), 5U); };
  auto log = client.log;
  must(loop_->dial("127.0.0.1", listener.address().port, client_options(), std::move(client.handler),
                   {.name = dns("example.com")}));
  turn_until([&] { return log->received == "hello"; });
  EXPECT_EQ(log->stream->connection().version(), ProtocolVersion::tls_1_3);
  EXPECT_EQ(server_log->stream->server_name(), "example.com");

  const loop::Stream& a = *log->stream;
  const loop::Stream& b = *server_log->stream;
  EXPECT_EQ(a.peer_address().text(), listener.address().text());
  EXPECT_EQ(a.peer_address().text(), b.local_address().text());
  EXPECT_EQ(a.local_address().text(), b.peer_address().text());
  EXPECT_THAT(a.local_address().text(), StartsWith("127.0.0.1:"));
  const auto tcp = tcp_statistics(a.descriptor());
  ASSERT_TRUE(tcp);
  EXPECT_GT(tcp->round_trip_time.count(), 0);
  EXPECT_GT(tcp->send_segment_size, 0U);
  EXPECT_GT(tcp->congestion_window, 0U);
  EXPECT_EQ(tcp->retransmits, 0U) << "on loopback nothing is lost";

  EXPECT_EQ(a.traffic().plaintext_sent, 5U);
  EXPECT_EQ(a.traffic().plaintext_received, 5U);
  EXPECT_EQ(b.traffic().plaintext_sent, 5U);
  EXPECT_EQ(b.traffic().plaintext_received, 5U);
  EXPECT_EQ(a.traffic().bytes_sent, b.traffic().bytes_received);
  EXPECT_EQ(a.traffic().bytes_received, b.traffic().bytes_sent);
  EXPECT_GT(a.traffic().bytes_sent, 200U) << "the handshake counts";

  log->stream->close();
  turn_until([&] { return log->closed && server_log->closed; });
  EXPECT_FALSE(log->error);
  EXPECT_FALSE(server_log->error);
  EXPECT_THAT(log->calls, ElementsAre("open", "handshake", "closed"));
  EXPECT_THAT(server_log->calls, ElementsAre("open", "handshake", "end", "closed"));
  turn_until([&] { return loop_->statistics().streams == 0; });
  const auto statistics = loop_->statistics();
  EXPECT_EQ(statistics.handshakes, 2U);
  EXPECT_EQ(statistics.accepted, 1U);
  EXPECT_EQ(statistics.connected, 1U);
  EXPECT_EQ(statistics.failures, 0U);
  EXPECT_EQ(statistics.handshaking, 0U);
}

TEST_P(LoopTest, SaysWhatIsNotTcp) {
  const auto [a, b] = socket_pair();
  EXPECT_FALSE(tcp_statistics(a.number()));
}

TEST_P(LoopTest, RefusesWhatMakesNoSense) {
  const auto make = [](loop::Stream&) { return std::unique_ptr<loop::Handler>(); };
  const auto misuse = [](const auto& result, std::string_view text) {
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().condition, IoCondition::misuse);
    EXPECT_THAT(result.error().text, HasSubstr(text));
  };
  const auto scribe = [] { return std::make_unique<Scribe>(std::make_shared<Log>()); };
  misuse(loop_->listen("127.0.0.1", 0, client_options(), make), "a client's");
  misuse(loop_->dial("127.0.0.1", 1, server_options(), scribe()), "a server's");
  misuse(loop_->dial("not a name", 1, client_options(), scribe()), "Target::name");
  misuse(loop_->wrap({}, server_options(), scribe()), "no socket");
  auto [a, b] = socket_pair();
  misuse(loop_->wrap(std::move(a), client_options(), scribe()), "Target::name");
  EXPECT_EQ(loop_->statistics().streams, 0U);
}

TEST_P(LoopTest, AcceptsWithTheFirstBytesWhereThatIsAskedFor) {
  auto log = std::make_shared<Log>();
  const auto listener = must(loop_->listen(
      "127.0.0.1", 0, {}, [&](loop::Stream&) { return std::make_unique<EchoScribe>(log); }, {.defer_accept = 10s}));
  auto client = std::make_shared<Log>();
  must(loop_->dial("127.0.0.1", listener.address().port, {}, std::make_unique<Scribe>(client)));
  turn_until([&] { return client->stream != nullptr && loop_->statistics().connected == 1; });
  turn_for(20ms);
  EXPECT_EQ(loop_->statistics().accepted, 0U);
  EXPECT_EQ(client->stream->write(as_bytes("first")), 5U);
  turn_until([&] { return client->received == "first"; });
  EXPECT_EQ(loop_->statistics().accepted, 1U);
  client->stream->close();
  turn_until([&] { return client->closed && log->closed; });
}

TEST_P(LoopTest, AcceptedSocketsSendAtOnceIfTheyAreTo) {
  for (const bool no_delay : {true, false}) {
    loop::Options options = server_options();
    options.no_delay = no_delay;
    auto log = std::make_shared<Log>();
    const auto listener =
        must(loop_->listen("127.0.0.1", 0, options, [&](loop::Stream&) { return std::make_unique<Scribe>(log); }));
    auto client = std::make_shared<Log>();
    must(loop_->dial("127.0.0.1", listener.address().port, {}, std::make_unique<Scribe>(client)));
    turn_until([&] { return log->stream != nullptr; });
    int on = -1;
    socklen_t size = sizeof on;
    ASSERT_EQ(::getsockopt(log->stream->descriptor(), IPPROTO_TCP, TCP_NODELAY, &on, &size), 0);
    EXPECT_EQ(on != 0, no_delay);
    loop_->unlisten(listener);
    client->stream->cancel();
    turn_until([&] { return log->closed; });
  }
}

TEST_P(LoopTest, TellsWhyItCouldNotConnect) {
  // A port on which nothing listens any more.
  std::uint16_t port = 0;
  {
    const auto listener =
        must(loop_->listen("127.0.0.1", 0, server_options(), [](loop::Stream&) { return std::unique_ptr<Scribe>(); }));
    port = listener.address().port;
    loop_->unlisten(listener);
    turn_for(30ms);
  }
  End client;
  auto log = client.log;
  must(loop_->dial("127.0.0.1", port, client_options(), std::move(client.handler), {.name = dns("example.com")}));
  EXPECT_FALSE(log->closed) << "what happens, happens in the loop's turn";
  turn_until([&] { return log->closed; });
  ASSERT_TRUE(log->error);
  EXPECT_EQ(log->error->operation, Operation::connect);
  EXPECT_EQ(log->error->number, ECONNREFUSED);
  EXPECT_THAT(log->error->text, StartsWith("connect to 127.0.0.1:" + std::to_string(port) + ": "));
  EXPECT_THAT(log->calls, ElementsAre("closed"));
}

TEST_P(LoopTest, ClosesWhileItConnects) {
  const auto listener =
      must(loop_->listen("127.0.0.1", 0, server_options(), [](loop::Stream&) { return std::unique_ptr<Scribe>(); }));
  for (const bool cancel : {false, true}) {
    End client;
    auto log = client.log;
    loop::Stream& stream = *must(loop_->dial("127.0.0.1", listener.address().port, client_options(),
                                             std::move(client.handler), {.name = dns("example.com")}));
    EXPECT_EQ(stream.write(as_bytes("too early")), 0U);
    cancel ? stream.cancel() : stream.close();
    EXPECT_TRUE(log->closed);
    EXPECT_EQ(log->error.has_value(), cancel);
    if (cancel) {
      EXPECT_EQ(log->error->condition, IoCondition::canceled);
      EXPECT_EQ(log->error->operation, Operation::connect);
    }
  }
  turn_until([&] { return loop_->statistics().streams == 0; });
}

TEST_P(LoopTest, WritesOnceItIsConnectedInPlainText) {
  auto server_log = std::make_shared<Log>();
  const auto listener =
      must(loop_->listen("127.0.0.1", 0, {}, [&](loop::Stream&) { return std::make_unique<EchoScribe>(server_log); }));
  End client;
  client.handler->on_writable_do = Writer("plain");
  auto log = client.log;
  loop::Stream& stream = *must(loop_->dial("127.0.0.1", listener.address().port, {}, std::move(client.handler)));
  EXPECT_EQ(stream.write(as_bytes("plain")), 0U) << "not connected yet";
  turn_until([&] { return log->received == "plain"; });
  EXPECT_FALSE(stream.secure());
}

/// The caller's own transport: an engine fed by hand at the other end of a socket pair.
TEST_P(LoopTest, TalksToAnEngineThatIsFedByHand) {
  auto [a, b] = socket_pair();
  End server = echo_end();
  wrap_server(std::move(b), server);
  Connection engine = Connection::client(built(client_config()), {.name = dns("example.com")}, random(), fixed_clock());
  Answers answers(setup_of({.provider = provider(), .anchors = root_.anchors()}), random());
  std::vector<std::uint8_t> inbound;
  std::vector<std::uint8_t> chunk(Connection::kMaxRecord);
  std::string received;
  bool asked = false;
  turn_until([&] {
    while (const std::size_t n = engine.transmit(chunk, fixed_clock())) {
      EXPECT_EQ(::send(a.number(), chunk.data(), n, MSG_NOSIGNAL), static_cast<ssize_t>(n));
    }
    const ssize_t n = ::recv(a.number(), chunk.data(), chunk.size(), MSG_DONTWAIT);
    if (n > 0) inbound.insert(inbound.end(), chunk.begin(), chunk.begin() + n);
    for (;;) {
      auto [consumed, event] = engine.receive(inbound, fixed_clock());
      if (const auto* data = std::get_if<ApplicationData>(&event)) {
        for (const Bytes segment : data->segments()) received += as_text(segment);
      }
      const bool nothing = std::holds_alternative<Nothing>(event);
      answers.answer(engine, event);
      inbound.erase(inbound.begin(), inbound.begin() + static_cast<std::ptrdiff_t>(consumed));
      if (nothing) break;
    }
    if (engine.connected() && !std::exchange(asked, true)) {
      const Bytes text = as_bytes("by hand");
      const auto sealed = engine.seal({&text, 1}, chunk, fixed_clock());
      EXPECT_EQ(::send(a.number(), chunk.data(), sealed->written, MSG_NOSIGNAL), static_cast<ssize_t>(sealed->written));
    }
    return received == "by hand";
  });
}

TEST_P(LoopTest, TakesBytesThatWereReadBefore) {
  // A whole ClientHello, and more than fits one block, were read from the socket by someone else.
  auto [a, b] = socket_pair();
  End client;
  wrap_client(std::move(a), client);
  turn_until([&] {
    int size = 0;
    return ::ioctl(b.number(), FIONREAD, &size) == 0 && size > 100;
  });
  std::vector<std::uint8_t> hello(4096);
  hello.resize(static_cast<std::size_t>(::recv(b.number(), hello.data(), hello.size(), 0)));
  End server = echo_end();
  must(loop_->wrap(std::move(b), server_options(), std::move(server.handler), {}, hello));
  turn_until([&] { return client.log->handshake && server.log->handshake; });
  EXPECT_EQ(server.log->stream->traffic().bytes_received > hello.size(), true);

  const std::string early = pattern(200'000);
  auto [c, d] = socket_pair();
  End plain;
  loop::Stream& stream = *must(loop_->wrap(std::move(c), {}, std::move(plain.handler), {}, as_bytes(early)));
  ASSERT_EQ(::send(d.number(), "more", 4, 0), 4);
  turn_until([&] { return plain.log->received.size() == early.size() + 4; });
  EXPECT_EQ(plain.log->received, early + "more");
  EXPECT_EQ(stream.traffic().plaintext_received, early.size() + 4);
}

// --- bytes -----------------------------------------------------------------------------------------------------------

TEST_P(LoopTest, CarriesMegabytesBothWays) {
  End client;
  End server = echo_end();
  const std::string text = pattern(5'000'000);
  Writer writer(text);
  client.handler->on_handshake_do = client.handler->on_writable_do = std::ref(writer);
  auto log = client.log;
  connect(client, server);
  turn_until([&] { return log->received.size() == text.size(); });
  EXPECT_EQ(log->received, text);
}

TEST_P(LoopTest, GathersPieces) {
  End client;
  End server;
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < 50; ++i) texts.push_back(pattern(i * 37));
  std::vector<Bytes> pieces;
  std::string all;
  for (const std::string& text : texts) {
    pieces.push_back(as_bytes(text));
    all += text;
  }
  client.handler->on_handshake_do = [&](loop::Stream& stream) { EXPECT_EQ(stream.writev(pieces), all.size()); };
  connect(client, server);
  turn_until([&] { return server.log->received.size() == all.size(); });
  EXPECT_EQ(server.log->received, all);
  EXPECT_LE(server.log->stream->traffic().bytes_received, all.size() + 2000) << "pieces share records";
}

TEST_P(LoopTest, ReadsIntoTheCallersBufferInSmallPieces) {  // [175]
  End client;
  End server;
  const std::string text = pattern(100'000);
  Writer writer(text);
  client.handler->on_handshake_do = client.handler->on_writable_do = std::ref(writer);
  std::string received;
  std::size_t sizes = 0;
  server.handler->on_readable_do = [&](loop::Stream& stream) {
    std::array<std::uint8_t, 1000> buffer{};
    const std::size_t size = stream.read(std::span(buffer).first(1 + sizes++ % buffer.size()));
    EXPECT_GT(size, 0U);
    received += as_text(Bytes(buffer).first(size));
    stream.resume();
  };
  connect(client, server);
  turn_until([&] { return received.size() == text.size(); });
  EXPECT_EQ(received, text);
  EXPECT_EQ(server.log->stream->traffic().plaintext_received, text.size());
}

TEST_P(LoopTest, ChangesKeysWhileItTransfers) {
  End client;
  End server = echo_end();
  const std::string text = pattern(2'000'000);
  Writer writer(text);
  client.handler->on_handshake_do = client.handler->on_writable_do = [&](loop::Stream& stream) {
    must(stream.update_keys(true));
    writer(stream);
  };
  connect(client, server);
  turn_until([&] { return client.log->received.size() == text.size(); });
  EXPECT_EQ(client.log->received, text);
}

TEST_P(LoopTest, ChangesTheSizeOfItsRecordsWhileItTransfers) {
  End client;
  End server = echo_end();
  const std::string text = pattern(300'000);
  Writer writer(text);
  client.handler->on_handshake_do = client.handler->on_writable_do = [&](loop::Stream& stream) {
    must(stream.set_max_send_fragment(1000));
    EXPECT_EQ(stream.connection().max_fragment(), 1000U);
    EXPECT_FALSE(stream.set_max_send_fragment(63));
    writer(stream);
  };
  connect(client, server);
  turn_until([&] { return client.log->received.size() == text.size(); });
  EXPECT_EQ(client.log->received, text);
  EXPECT_GT(client.log->stream->traffic().bytes_sent, text.size() + 300 * 22);
}

TEST_P(LoopTest, IsRenegotiatedWhileItTransfers) {
  const auto renegotiating = [](loop::Options options, auto builder) {
    options.config = built(builder.versions(ProtocolVersion::tls_1_2, ProtocolVersion::tls_1_2)
                               .renegotiation(Renegotiation::freely)
                               .renegotiation_limit(100));
    return options;
  };
  End client;
  End server = echo_end();
  const std::string text = pattern(2'000'000);
  Writer writer(text);
  int begun = 0;
  int made = 0;
  server.handler->on_handshake_do = [&](loop::Stream& stream) {
    if (++begun <= 3) must(stream.renegotiate());
  };
  client.handler->on_handshake_do = [&](loop::Stream& stream) {
    ++made;
    writer(stream);
  };
  client.handler->on_writable_do = std::ref(writer);
  connect(client, server, renegotiating(client_options(), client_config()),
          renegotiating(server_options(), server_config()));
  turn_until([&] { return client.log->received.size() == text.size(); });
  EXPECT_EQ(client.log->received, text);
  EXPECT_GE(made, 4);
}

// --- backpressure [175, 187] -----------------------------------------------------------------------------------------

TEST_P(LoopTest, HoldsAWriterBackWhoseReaderPauses) {
  End client;
  End server;
  loop::Options writing = client_options();
  writing.write_high = 100'000;
  writing.write_low = 20'000;
  const std::string text = pattern(20'000'000);
  Writer writer(text);
  std::size_t most_pending = 0;
  client.handler->on_handshake_do = [&](loop::Stream& stream) {
    writer(stream);
    most_pending = std::max(most_pending, stream.write_pending());
  };
  client.handler->on_writable_do = [&](loop::Stream& stream) {
    EXPECT_LE(stream.write_pending(), 20'000U);
    writer(stream);
    most_pending = std::max(most_pending, stream.write_pending());
  };
  loop::Options reading = server_options();
  reading.read_high = 50'000;
  server.handler->on_readable_do = [](loop::Stream&) {};  // takes nothing
  const std::size_t idle = loop_->statistics().memory;
  connect(client, server, writing, reading);
  turn_until([&] { return server.log->readable > 0; });
  turn_for(200ms);
  EXPECT_FALSE(writer.done());
  EXPECT_LE(most_pending, 100'000U + loop::Options::kMaxReadHigh + 2000U) << "one block more than write_high at most";
  EXPECT_LE(loop_->statistics().memory, idle + kMemoryOfOneTransfer) << "twenty megabytes are not here";
  EXPECT_GE(server.log->stream->readable().size(), 10'000U);

  Scribe* reader = static_cast<Scribe*>(&server.log->stream->handler());
  reader->on_readable_do = nullptr;
  server.log->stream->resume();
  turn_until([&] { return server.log->received.size() == text.size(); });
  EXPECT_EQ(server.log->received, text);
  EXPECT_GT(client.log->writable, 10U);
}

TEST_P(LoopTest, PausesReading) {
  End client;
  End server;
  server.handler->on_handshake_do = [](loop::Stream& stream) { stream.pause_reading(true); };
  const std::string text = pattern(3'000'000);
  Writer writer(text);
  client.handler->on_handshake_do = client.handler->on_writable_do = std::ref(writer);
  connect(client, server);
  turn_until([&] { return client.log->handshake && server.log->handshake; });
  turn_for(100ms);
  EXPECT_FALSE(writer.done());
  const std::size_t before = server.log->received.size();
  turn_for(50ms);
  EXPECT_EQ(server.log->received.size(), before) << "nothing is received while it is paused";
  EXPECT_LT(before, kMemoryOfOneTransfer);
  server.log->stream->pause_reading(false);
  turn_until([&] { return server.log->received.size() == text.size(); });
  EXPECT_EQ(server.log->received, text);
}

/// A sender of single bytes to a reader who does not read: bytes are joined, not kept in a block each.
TEST_P(LoopTest, JoinsSmallPiecesThatWait) {
  auto [a, b] = socket_pair();
  End reader;
  reader.handler->on_readable_do = [](loop::Stream&) {};
  loop::Stream& stream = *must(loop_->wrap(std::move(b), {}, std::move(reader.handler)));
  const std::size_t before = loop_->statistics().memory;
  const std::string text = pattern(20'000);
  for (std::size_t i = 0; i < text.size(); ++i) {
    ASSERT_EQ(::send(a.number(), &text[i], 1, MSG_NOSIGNAL), 1);
    loop_->run_once(0ms);
  }
  turn_until([&] { return stream.traffic().bytes_received == text.size(); });
  EXPECT_LE(loop_->statistics().memory, before + 3 * 70'000);
  EXPECT_EQ(as_text(stream.readable()), text);
}

/// What comes behind the peer's close_notify is nobody's, and must not fill memory while we still write.
TEST_P(LoopTest, KeepsNoFloodBehindCloseNotify) {
  auto [a, b] = socket_pair();
  const int raw = a.number();
  End client;
  End server;
  server.handler->on_end_do = [](loop::Stream&) {};  // goes on
  wrap_server(std::move(b), server);
  wrap_client(std::move(a), client);
  turn_until([&] { return client.log->handshake && server.log->handshake; });
  const std::size_t before = loop_->statistics().memory;
  client.log->stream->close_write();
  turn_until([&] { return server.log->ended; });
  const std::vector<std::uint8_t> junk(65'536, 0x17);
  std::size_t sent = 0;
  for (int i = 0; i < 2000; ++i) {
    const ssize_t n = ::send(raw, junk.data(), junk.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n > 0) sent += static_cast<std::size_t>(n);
    loop_->run_once(0ms);
  }
  EXPECT_GT(sent, loop::Options::kMaxReadHigh);
  EXPECT_LE(loop_->statistics().memory, before + kMemoryOfOneTransfer);
  EXPECT_FALSE(server.log->closed);
  const auto written = server.log->stream->write(as_bytes("still here"));
  ASSERT_TRUE(written) << written.error().text;
  turn_until([&] { return client.log->received == "still here"; });
}

/// KeyUpdates that ask for an answer which is never read (RFC 9846 4.7.3).
TEST_P(LoopTest, AnswersManyKeyUpdatesWithFew) {
  End client;
  End server;
  loop::Options server_side = server_options();
  server_side.write_high = 2000;
  connect(client, server, client_options(), server_side);
  turn_until([&] { return client.log->handshake && server.log->handshake; });
  turn_for(20ms);
  client.log->stream->pause_reading(true);
  std::size_t most = 0;
  for (int i = 0; i < 20'000 && !client.log->closed && !server.log->closed; ++i) {
    if (client.log->stream->write_pending() < 10'000) (void)client.log->stream->update_keys(true);
    loop_->run_once(0ms);
    if (server.log->stream != nullptr) most = std::max(most, server.log->stream->write_pending());
  }
  EXPECT_LE(most, 3000U);
}

// --- half-close [183] ------------------------------------------------------------------------------------------------

TEST_P(LoopTest, ClosesOneDirection) {
  for (const bool secure : {true, false}) {
    End client;
    End server;
    const std::string answer = pattern(300'000);
    client.handler->on_handshake_do = [](loop::Stream& stream) {
      EXPECT_EQ(stream.write(as_bytes("question")), 8U);
      stream.close_write();
      const auto refused = stream.write(as_bytes("more"));
      ASSERT_FALSE(refused);
      EXPECT_EQ(refused.error().condition, IoCondition::ended);
      EXPECT_EQ(refused.error().operation, Operation::write);
    };
    if (!secure) client.handler->on_open_do = client.handler->on_handshake_do;
    Writer writer(answer);
    server.handler->on_end_do = server.handler->on_writable_do = [&](loop::Stream& stream) {
      writer(stream);
      if (writer.done()) stream.close();
    };
    connect(client, server, secure ? client_options() : loop::Options{}, secure ? server_options() : loop::Options{});
    turn_until([&] { return client.log->closed && server.log->closed; });
    EXPECT_EQ(server.log->received, "question");
    EXPECT_EQ(client.log->received, answer);
    EXPECT_FALSE(client.log->error);
    EXPECT_FALSE(server.log->error);
    EXPECT_THAT(server.log->calls, ::testing::Contains("end"));
  }
}

TEST_P(LoopTest, ClosesItsDirectionBeforeTheHandshakeIsComplete) {
  for (const bool lazy : {false, true}) {
    End client;
    End server = echo_end();
    server.handler->on_end_do = [](loop::Stream& stream) {
      EXPECT_EQ(stream.write(as_bytes("bye")), 3U);
      stream.close();
    };
    client.handler->on_open_do = [](loop::Stream& stream) { stream.close_write(); };
    loop::Options client_side = client_options();
    client_side.lazy_handshake = lazy;
    connect(client, server, client_side, server_options());
    turn_until([&] { return client.log->closed && server.log->closed; });
    EXPECT_TRUE(server.log->handshake);
    EXPECT_EQ(client.log->received, "bye");
    EXPECT_FALSE(client.log->error) << client.log->error->text;
    EXPECT_FALSE(server.log->error) << server.log->error->text;
  }
}

TEST_P(LoopTest, LosesNothingWhenItClosesWithUnreadBytes) {
  // The peer still sends when the stream closes: our last bytes must not be overtaken by a reset.
  auto server_log = std::make_shared<Log>();
  const std::string answer = pattern(100'000);
  const auto listener = must(loop_->listen("127.0.0.1", 0, server_options(), [&](loop::Stream&) {
    auto scribe = std::make_unique<Scribe>(server_log);
    scribe->on_readable_do = [&](loop::Stream& stream) {
      if (stream.write_pending() == 0) {
        EXPECT_EQ(stream.write(as_bytes(answer)), answer.size());
        stream.close();
      }
    };
    return scribe;
  }));
  End client;
  Writer writer(pattern(300'000));
  client.handler->on_handshake_do = client.handler->on_writable_do = [&](loop::Stream& stream) { writer(stream); };
  auto log = client.log;
  must(loop_->dial("127.0.0.1", listener.address().port, client_options(), std::move(client.handler),
                   {.name = dns("example.com")}));
  turn_until([&] { return log->closed && server_log->closed; });
  EXPECT_EQ(log->received, answer);
  EXPECT_FALSE(server_log->error);
}

// --- idle connections keep nothing [188], and the loop sleeps --------------------------------------------------------

TEST_P(LoopTest, KeepsNoBufferForIdleConnections) {
  loop_ = make_loop({.spare_buffers = 0});
  loop_->run_once(0ms);
  const loop::Statistics empty = loop_->statistics();
  constexpr std::size_t kPairs = 50;
  std::vector<End> clients(kPairs);
  std::vector<End> servers(kPairs);
  for (std::size_t i = 0; i < kPairs; ++i) {
    servers[i] = echo_end();
    clients[i].handler->on_handshake_do = [](loop::Stream& stream) { EXPECT_EQ(stream.write(as_bytes("wake")), 4U); };
    connect(clients[i], servers[i]);
  }
  turn_until(
      [&] { return std::ranges::all_of(clients, [](const End& client) { return client.log->received == "wake"; }); });
  turn_for(50ms);
  const loop::Statistics idle = loop_->statistics();
  EXPECT_EQ(idle.streams, 2 * kPairs);
  EXPECT_EQ(idle.handshaking, 0U);
  EXPECT_EQ(idle.buffers, empty.buffers);
  EXPECT_EQ(idle.memory, empty.memory) << "neither buffers nor handshake memory";
  // And they still work.
  for (const End& client : clients) EXPECT_EQ(client.log->stream->write(as_bytes("again")), 5U);
  turn_until([&] {
    return std::ranges::all_of(clients, [](const End& client) { return client.log->received == "wakeagain"; });
  });
}

TEST_P(LoopTest, KeepsAPartOfARecordInABlockOfItsSize) {
  auto [a, b] = socket_pair();
  const int raw = a.number();
  End client;
  End server;
  wrap_server(std::move(b), server);
  wrap_client(std::move(a), client);
  turn_until([&] { return client.log->handshake && server.log->handshake; });
  turn_for(20ms);
  const std::size_t before = loop_->statistics().memory;
  const std::array<std::uint8_t, 100> part{0x17, 3, 3, 0x40};
  ASSERT_EQ(::send(raw, part.data(), part.size(), 0), 100);
  turn_for(30ms);
  EXPECT_GT(loop_->statistics().memory, before);
  EXPECT_LE(loop_->statistics().memory, before + 1000);
}

TEST_P(LoopTest, SleepsWhileNothingHappens) {
  std::vector<End> clients(20);
  std::vector<End> servers(20);
  loop::Options client_side = client_options();
  client_side.idle_timeout = 60s;
  loop::Options server_side = server_options();
  server_side.idle_timeout = 61s;
  for (std::size_t i = 0; i < clients.size(); ++i) connect(clients[i], servers[i], client_side, server_side);
  turn_until([&] { return loop_->statistics().handshakes == 40; });
  // One reader is held back, one stream is paused, one peer has ended its direction.
  clients[0].log->stream->pause_reading(true);
  static_cast<Scribe&>(servers[1].log->stream->handler()).on_readable_do = [](loop::Stream&) {};
  EXPECT_EQ(clients[1].log->stream->write(as_bytes("unread")), 6U);
  static_cast<Scribe&>(servers[2].log->stream->handler()).on_end_do = [](loop::Stream&) {};
  clients[2].log->stream->close_write();
  EXPECT_EQ(::shutdown(clients[3].log->stream->descriptor(), SHUT_RDWR), 0);
  turn_for(700ms);  // deadlines of the handshake, lingering
  const auto until = std::chrono::steady_clock::now() + 1s;
  int turns = 0;
  for (; std::chrono::steady_clock::now() < until; ++turns) {
    loop_->run_once(std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now()));
  }
  std::printf("[ turns   ] %d in an idle second\n", turns);
  EXPECT_LE(turns, 8);
}

TEST_P(LoopTest, IsFairToTheQuiet) {
  // One pair of streams that never stops, and another that wants a word now and then.
  End busy_client;
  End busy_server = echo_end();
  End client;
  End server = echo_end();
  const std::string block = pattern(1'000'000);
  const auto flood = [&](loop::Stream& stream) { (void)stream.write(as_bytes(block)); };
  busy_client.handler->on_handshake_do = busy_client.handler->on_writable_do = flood;
  busy_client.handler->on_readable_do = [](loop::Stream& stream) {
    while (!stream.readable().empty()) stream.consume(stream.readable().size());
  };
  connect(busy_client, busy_server);
  connect(client, server);
  turn_until([&] { return client.log->handshake && busy_client.log->readable > 10; });
  for (int i = 0; i < 20; ++i) {
    const std::size_t size = client.log->received.size();
    EXPECT_EQ(client.log->stream->write(as_bytes("ping")), 4U);
    int turns = 0;
    for (; client.log->received.size() == size && turns < 100; ++turns) loop_->run_once(20ms);
    EXPECT_LT(turns, 12);
  }
}

// --- what sockets have ----------------------------------------------------------------------------------------------

TEST_P(LoopTest, ReadsExactly) {
  End client;
  End server;
  std::vector<std::string> messages;
  loop::Exactly exactly;
  std::size_t body = 0;  // 0: a length is awaited
  server.handler->on_readable_do = [&](loop::Stream& stream) {
    while (const auto piece = exactly.read(stream, body == 0 ? 3 : body)) {
      if (body != 0) messages.emplace_back(as_text(*piece));
      body = body != 0 ? 0 : std::stoul(std::string(as_text(*piece)));
    }
  };
  connect(client, server);
  turn_until([&] { return client.log->handshake && server.log->handshake; });
  const std::string text = "003abc700" + std::string(700, 'x') + "005hel";
  for (const char c : text) {
    EXPECT_EQ(client.log->stream->write(as_bytes(std::string_view(&c, 1))), 1U);  // a record each
    if (messages.empty()) loop_->run_once(0ms);
  }
  turn_until([&] { return exactly.partial().size() == 3; });
  EXPECT_THAT(messages, ElementsAre("abc", std::string(700, 'x')));
  EXPECT_EQ(as_text(exactly.partial()), "hel");
}

TEST_P(LoopTest, ThrowsAwayWhatComesOnceReadingHasEnded) {
  End client;
  End server;
  server.handler->on_end_do = [](loop::Stream&) {};
  connect(client, server);
  turn_until([&] { return client.log->handshake && server.log->handshake; });
  EXPECT_EQ(client.log->stream->write(as_bytes("heard")), 5U);
  turn_until([&] { return server.log->received == "heard"; });
  server.log->stream->close_read();
  server.log->stream->set_read_deadline(std::chrono::steady_clock::now() + 250ms);  // for the next bytes
  std::size_t sent = 0;                                                             // more than anybody would hold
  const std::string text = pattern(500'000);
  turn_until([&] {
    if (sent < 4'000'000) sent += must(client.log->stream->write(as_bytes(text)));
    return sent >= 4'000'000 && client.log->stream->write_pending() == 0;
  });
  client.log->stream->close_write();
  turn_until([&] { return server.log->ended; });
  EXPECT_EQ(server.log->received, "heard");
  EXPECT_EQ(server.log->stream->write(as_bytes("said")), 4U);
  turn_until([&] { return client.log->received == "said"; });
  turn_for(260ms);
  EXPECT_THAT(server.log->calls, ::testing::Not(::testing::Contains("deadline read"))) << "they came, for nobody";
}

TEST_P(LoopTest, EndsInPlainTextWhatWasToEndWithTheHandshake) {
  End server;
  server.handler->on_not_tls_do = [](loop::Stream&) { return true; };
  auto [a, b] = socket_pair();
  wrap_server(std::move(b), server);
  server.log->stream->close_write();
  ASSERT_EQ(::send(a.number(), "HELO me\r\n", 9, 0), 9);
  std::array<char, 10> answer{};
  ssize_t size = -1;
  turn_until([&] { return (size = ::recv(a.number(), answer.data(), answer.size(), MSG_DONTWAIT)) >= 0; });
  EXPECT_EQ(size, 0) << "our direction ends, and nothing was said";
  EXPECT_EQ(server.log->received, "HELO me\r\n");
}

TEST_P(LoopTest, GoesOnInPlainTextWithAPeerThatSpeaksNoTls) {
  for (const bool knows : {true, false}) {
    End server;
    server.handler->on_not_tls_do = [knows](loop::Stream&) { return knows; };
    auto [a, b] = socket_pair();
    wrap_server(std::move(b), server);
    const std::string_view request = "GET / HTTP/1.0\r\n\r\n";
    ASSERT_EQ(::send(a.number(), request.data(), request.size(), 0), static_cast<ssize_t>(request.size()));
    turn_until([&] { return server.log->closed || server.log->received == request; });
    EXPECT_EQ(server.log->closed, !knows);
    std::array<char, 100> answer{};
    if (knows) {
      EXPECT_FALSE(server.log->stream->secure());
      EXPECT_EQ(loop_->statistics().handshaking, 0U);
      EXPECT_EQ(server.log->stream->write(as_bytes("HTTP/1.0 400 Bad Request\r\n\r\n")), 28U);
      server.log->stream->close();
    } else {
      ASSERT_TRUE(server.log->error && server.log->error->tls);
      EXPECT_EQ(server.log->error->tls->reason, Reason::plain_http);
    }
    turn_for(20ms);
    const auto size = ::recv(a.number(), answer.data(), answer.size(), MSG_DONTWAIT);
    EXPECT_EQ(size, knows ? 28 : 7) << "no alert in front of what is said, or an alert alone";
  }
}

TEST_P(LoopTest, SetsSocketOptions) {
  const auto option = [](int value) { return SocketOption::of(SOL_SOCKET, SO_KEEPALIVE, value); };
  loop::Options server_side = server_options();
  server_side.socket_options = {option(1)};
  End server;
  auto log = server.log;
  const auto listener =
      must(loop_->listen("127.0.0.1", 0, server_side, [&](loop::Stream&) { return std::move(server.handler); }));
  for (const bool wanted : {true, false}) {
    End client;
    loop::Options client_side = client_options();
    if (wanted) client_side.socket_options = {option(1), SocketOption::of(IPPROTO_TCP, TCP_USER_TIMEOUT, 4000)};
    if (!wanted) client_side.socket_options = {SocketOption::of(SOL_SOCKET, 9999, 1)};
    auto client_log = client.log;
    must(loop_->dial(listener.address(), client_side, std::move(client.handler), {.name = dns("example.com")}));
    turn_until([&] { return client_log->handshake || client_log->closed; });
    if (!wanted) {
      EXPECT_EQ(client_log->error->number, ENOPROTOOPT);
      continue;
    }
    const int descriptor = client_log->stream->descriptor();
    EXPECT_EQ(get_option(descriptor, SOL_SOCKET, SO_KEEPALIVE), 1);
    EXPECT_EQ(get_option(descriptor, IPPROTO_TCP, TCP_USER_TIMEOUT), 4000);
    turn_until([&] { return log->handshake; });
    EXPECT_EQ(get_option(log->stream->descriptor(), SOL_SOCKET, SO_KEEPALIVE), 1) << "as the socket that listens";
    EXPECT_FALSE(set_option(descriptor, option(0)));
    EXPECT_EQ(get_option(descriptor, SOL_SOCKET, SO_KEEPALIVE), 0);
    EXPECT_EQ(set_option(descriptor, SocketOption::of(SOL_SOCKET, 9999, 1)).value(), ENOPROTOOPT);
    EXPECT_FALSE(get_option(descriptor, SOL_SOCKET, 9999));
  }
  const auto refused = loop_->listen("127.0.0.1", 0, {.socket_options = {SocketOption::of(SOL_SOCKET, 9999, 1)}},
                                     [](loop::Stream&) { return std::unique_ptr<loop::Handler>(); });
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().number, ENOPROTOOPT);
}

}  // namespace
}  // namespace lockstep::testing
