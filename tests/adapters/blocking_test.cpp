// TLS over blocking sockets: both ends are ours, in two threads, with an impolite peer where one is needed.

#include <algorithm>
#include <atomic>
#include <csignal>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pthread.h>

#include "blocking_support.hpp"

namespace lockstep::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

/// Bytes whose every position can be told from the next.
std::vector<std::uint8_t> pattern(std::size_t size) {
  std::vector<std::uint8_t> bytes(size);
  std::uint32_t state = 1;
  for (std::uint8_t& byte : bytes)
    byte = static_cast<std::uint8_t>((state = state * 1'664'525U + 1'013'904'223U) >> 24U);
  return bytes;
}

// --- both roles ------------------------------------------------------------------------------------------------------

TEST_F(BlockingTest, EchoesOverASocketPairWithALazyHandshake) {
  auto [a, b] = socket_pair();
  auto server = in_background([&, end = std::move(b)]() mutable {
    Stream stream = server_over(std::move(end));
    must(stream.write(as_bytes(read_exactly(stream, 5))));
    EXPECT_EQ(read_once(stream), "") << "close_notify";
    must(stream.close());
  });
  Stream client = client_over(std::move(a));
  EXPECT_FALSE(client.connection().connected());
  EXPECT_EQ(must(client.write(as_bytes("hello"))), 5U);
  EXPECT_EQ(read_exactly(client, 5), "hello");
  EXPECT_TRUE(client.connection().connected());
  EXPECT_EQ(client.connection().version(), ProtocolVersion::tls_1_3);
  must(client.close());
  server.get();
}

TEST_F(BlockingTest, WorksOverDescriptorsThatDoNotBlock) {
  auto [a, b] = socket_pair();
  for (const Descriptor* end : {&a, &b}) ASSERT_EQ(::fcntl(end->number(), F_SETFL, O_NONBLOCK), 0);
  Stream server = server_over(std::move(b));
  auto echo = in_background([&] { must(server.write(as_bytes(read_exactly(server, 5)))); });
  Stream client = client_over(std::move(a));
  must(client.write(as_bytes("hello")));
  EXPECT_EQ(read_exactly(client, 5), "hello");
  echo.get();
}

TEST_F(BlockingTest, TellsWhatWasAgreed) {
  auto listener = must(blocking::Listener::listen("127.0.0.1", 0));
  Options server_side = server_options();
  server_side.config = built(server_config().alpn({"echo", "other"}));
  Options client_side = client_options();
  client_side.config = built(client_config().alpn({"other"}));
  auto server = in_background([&] {
    Stream stream = must(listener.accept(server_side, after(10s)));
    must(stream.handshake());
    return stream;
  });
  Stream client = must(blocking::dial("127.0.0.1", listener.address().port, client_side, {.name = dns("example.com")}));
  must(client.handshake());
  Stream accepted = server.get();

  EXPECT_EQ(client.server_name(), "example.com");
  EXPECT_EQ(accepted.server_name(), "example.com");
  EXPECT_EQ(client.connection().alpn(), "other");
  EXPECT_EQ(accepted.connection().alpn(), "other");
  EXPECT_EQ(client.peer_address().text(), listener.address().text());
  EXPECT_EQ(client.local_address().text(), accepted.peer_address().text());
  ASSERT_TRUE(client.answers().verdict());
  EXPECT_TRUE(client.answers().verdict()->ok());
  ASSERT_EQ(client.answers().peer_chain().size(), 1U);
  EXPECT_TRUE(equal(client.answers().peer_chain()[0], leaf_->chain[0]));
  EXPECT_GT(client.bytes_sent(), 200U);
  EXPECT_EQ(client.bytes_sent(), accepted.bytes_received());
}

TEST_F(BlockingTest, ResumesWithTheSessionsItGave) {
  std::vector<Session> sessions;
  {
    auto [client, server] = connected();
    must(server.write(as_bytes("x")));
    EXPECT_EQ(read_exactly(client, 1), "x");
    sessions = client.sessions();
    EXPECT_TRUE(client.sessions().empty()) << "each is given once";
  }
  ASSERT_EQ(sessions.size(), 2U);

  auto [a, b] = socket_pair();
  Stream server = server_over(std::move(b));
  auto accepted = in_background([&] { must(server.handshake()); });
  Stream client = must(blocking::wrap(Socket(std::move(a)), client_options(),
                                      {.name = dns("example.com"), .sessions = std::span(sessions).first(1)}));
  must(client.handshake());
  accepted.get();
  EXPECT_TRUE(client.connection().resumed());
  EXPECT_TRUE(server.connection().resumed());
}

TEST_F(BlockingTest, KeepsNoSessionWhosePeerTheApplicationJudged) {
  const Options plain = client_options();
  Options judging = plain;
  judging.intercept = [](Connection& connection, Event& event) {
    auto* const peer = std::get_if<VerifyPeer>(&event);
    return peer != nullptr && connection.answer(std::move(peer->token), PeerAccepted{}).has_value();
  };
  const auto resumes = [&](const Options& client_side) {
    auto [client, server] = connected(client_side, server_options());
    must(server.write(as_bytes("x")));
    EXPECT_EQ(read_exactly(client, 1), "x");
    return client.connection().resumed();
  };
  EXPECT_FALSE(resumes(judging));
  EXPECT_FALSE(resumes(plain));
  EXPECT_TRUE(resumes(plain));
}

TEST_F(BlockingTest, ForgetsTheSessionsOfAConnectionThatFailed) {
  const Options client_side = client_options();
  const auto cache = std::make_shared<LruClientSessionCache>();
  Options caching = client_side;
  caching.answers = setup_of({.provider = provider(), .anchors = root_.anchors(), .client_sessions = cache});
  auto [client, server] = connected(caching, server_options());
  must(server.write(as_bytes("x")));
  EXPECT_EQ(read_exactly(client, 1), "x");
  EXPECT_EQ(cache->size(), 1U);
  must(server.close(Alert::internal_error));
  std::array<std::uint8_t, 1> byte{};
  EXPECT_FALSE(client.read(byte));
  EXPECT_EQ(cache->size(), 0U);
}

TEST_F(BlockingTest, AuthenticatesClients) {
  Options server_side = server_options();
  server_side.config = built(server_config().client_auth(ClientAuth::require));
  Options client_side = client_options();
  const auto credential = root_.issue({.client = true});
  client_side.answers = setup_of({.provider = provider(), .credentials = {credential}, .anchors = root_.anchors()});
  {
    auto [client, server] = connected(client_side, server_side);
    ASSERT_EQ(server.answers().peer_chain().size(), 1U);
    EXPECT_TRUE(equal(server.answers().peer_chain()[0], credential->chain[0]));
  }
  // Without a certificate the client's handshake ends well before the server has refused it.
  auto [a, b] = socket_pair();
  Stream server = server_over(std::move(b), server_side);
  auto refused = in_background([&] { return error_of(server.handshake()); });
  Stream client = client_over(std::move(a));
  std::array<std::uint8_t, 16> bytes{};
  const IoError error = error_of(client.read(bytes));
  ASSERT_TRUE(error.tls);
  EXPECT_EQ(error.tls->origin, Origin::peer);
  EXPECT_EQ(error.tls->alert, Alert::certificate_required);
  EXPECT_EQ(refused.get().tls->reason, Reason::certificate_required);
}

TEST_F(BlockingTest, ChoosesTheCredentialByName) {
  const auto other = root_.issue({.dns = {"*.example.org"}});
  Options server_side = server_options();
  server_side.answers = setup_of({.provider = provider(), .credentials = {leaf_, other}});
  for (const auto& [name, expected] : {std::pair{"example.com", leaf_}, std::pair{"www.example.org", other}}) {
    auto [a, b] = socket_pair();
    Stream server = server_over(std::move(b), server_side);
    auto accepted = in_background([&] { must(server.handshake()); });
    Stream client = must(blocking::wrap(Socket(std::move(a)), client_options(), {.name = dns(name)}));
    must(client.handshake());
    accepted.get();
    EXPECT_TRUE(equal(client.answers().peer_chain()[0], expected->chain[0])) << name;
  }
}

TEST_F(BlockingTest, AsksForAnotherNameWhereThatIsSaid) {
  auto [a, b] = socket_pair();
  std::string asked_for;
  Options server_side = server_options();
  server_side.intercept = [&](Connection&, Event& event) {
    if (const auto* wishes = std::get_if<SelectCredential>(&event)) asked_for = wishes->server_name;
    return false;
  };
  Stream client = must(blocking::wrap(Socket(std::move(a)), client_options(),
                                      {.name = dns("example.com"), .server_name = dns("front.example")}));
  Stream server = server_over(std::move(b), server_side);
  auto done = in_background([&] { must(server.handshake()); });
  must(client.handshake());
  done.get();
  EXPECT_EQ(asked_for, "front.example");
}

TEST_F(BlockingTest, LetsTheCallerDecide) {
  Options client_side = client_options();
  client_side.answers = nullptr;  // by itself this trusts nobody
  int asked = 0;
  int completed = 0;
  client_side.intercept = [&](Connection& connection, Event& event) {
    if (std::holds_alternative<HandshakeComplete>(event)) {
      ++completed;
      return true;  // means nothing
    }
    auto* peer = std::get_if<VerifyPeer>(&event);
    if (peer == nullptr) return false;
    ++asked;
    EXPECT_EQ(peer->shown->chain.size(), 1U);
    return connection.answer(std::move(peer->token), PeerAccepted{}).has_value();
  };
  auto [client, server] = connected(client_side, server_options());
  EXPECT_EQ(asked, 1);
  EXPECT_EQ(completed, 1);

  client_side.intercept = nullptr;
  auto [a, b] = socket_pair();
  Stream refusing = client_over(std::move(a), client_side);
  Stream other = server_over(std::move(b));
  auto refused = in_background([&] { return error_of(other.handshake()); });
  EXPECT_EQ(error_of(refusing.handshake()).tls->reason, Reason::certificate_unknown_ca);
  EXPECT_EQ(refused.get().tls->alert, Alert::unknown_ca);
}

// [80, 104, 241, 248] Whoever decides has the verdict, the transport, and what belongs to this connection.
TEST_F(BlockingTest, ShowsTheCallerWhatItDecidesBy) {
  struct Attempt {
    bool go_on = false;
    int descriptor = -1;
    std::string verdict{};
  };
  Options client_side = client_options();
  client_side.answers = setup_of({.provider = provider()});  // trusts nobody
  client_side.intercept = [](const blocking::Interception& where, Event& event) {
    auto* const peer = std::get_if<VerifyPeer>(&event);
    if (peer == nullptr) return false;
    auto* const attempt = static_cast<Attempt*>(peer->attachment.get());
    attempt->descriptor = where.transport.descriptor();
    const PeerDecision decision = where.answers.judge(*peer);
    attempt->verdict = where.answers.verdict()->text();
    return attempt->go_on &&
           where.connection.answer(std::move(peer->token), where.answers.accepted_unverified()).has_value() &&
           std::holds_alternative<PeerRejected>(decision);
  };
  for (const bool go_on : {true, false}) {
    auto [a, b] = socket_pair();
    Stream server = server_over(std::move(b));
    auto done = in_background([&] { return server.handshake().has_value(); });
    Stream client = client_over(std::move(a), client_side);
    const auto attempt = std::make_shared<Attempt>(Attempt{.go_on = go_on});
    client.attach(attempt);
    EXPECT_EQ(client.handshake().has_value(), go_on);
    EXPECT_EQ(done.get(), go_on);
    EXPECT_GE(attempt->descriptor, 0);
    EXPECT_THAT(attempt->verdict, HasSubstr("UNABLE_TO_GET_ISSUER_CERT_LOCALLY"));
    EXPECT_EQ(attempt.use_count(), 1) << "it went with the handshake";
    EXPECT_FALSE(client.connection().peer_verified());
    EXPECT_EQ(client.connection().unverified().reason, go_on ? Reason::certificate_unknown_ca : Reason::none);
  }
}

TEST_F(BlockingTest, SaysSoWhenATokenIsKept) {
  Options client_side = client_options();
  Token<VerifyPeer> kept;
  client_side.intercept = [&](Connection&, Event& event) {
    auto* peer = std::get_if<VerifyPeer>(&event);
    if (peer == nullptr) return false;
    kept = std::move(peer->token);
    return true;
  };
  auto [a, b] = socket_pair();
  Stream server = server_over(std::move(b));
  auto ended = in_background([&] { return error_of(server.handshake()); });
  Stream client = client_over(std::move(a), client_side);
  const IoError error = error_of(client.handshake());
  EXPECT_EQ(error.condition, IoCondition::misuse);
  EXPECT_THAT(error.text, HasSubstr("`intercept` kept a token"));
  EXPECT_EQ(ended.get().tls->reason, Reason::peer_closed) << "RFC 9846 6.1: user_canceled, then close_notify";
}

TEST_F(BlockingTest, HandsOverKeyLogLines) {
  Options client_side = client_options();
  client_side.config = built(client_config().key_log(true));
  std::vector<std::string> lines;
  client_side.key_log = [&](std::string_view line) { lines.emplace_back(line); };
  auto [client, server] = connected(client_side, server_options());
  ASSERT_GE(lines.size(), 4U);
  for (const std::string label : {"CLIENT_HANDSHAKE_TRAFFIC_SECRET ", "SERVER_HANDSHAKE_TRAFFIC_SECRET ",
                                  "CLIENT_TRAFFIC_SECRET_0 ", "SERVER_TRAFFIC_SECRET_0 "}) {
    EXPECT_TRUE(std::ranges::any_of(lines, [&](const std::string& line) {
      // the label, 32 bytes of client random and a secret of 32 or 48 bytes
      return line.starts_with(label) &&
             (line.size() == label.size() + 64 + 1 + 64 || line.size() == label.size() + 64 + 1 + 96);
    })) << label;
  }
}

TEST_F(BlockingTest, LogsKeysOfFailedHandshakesAlone) {
  Options client_side = client_options();
  client_side.config = built(client_config().key_log(true));
  client_side.key_log_of = KeyLogOf::failed_handshakes;
  std::vector<std::string> lines;
  client_side.key_log = [&](std::string_view line) { lines.emplace_back(line); };
  connected(client_side, server_options());
  EXPECT_TRUE(lines.empty());
  client_side.answers = setup_of({.provider = provider()});
  EXPECT_THROW(connected(client_side, server_options()), std::runtime_error);
  EXPECT_TRUE(std::ranges::any_of(
      lines, [](const std::string& line) { return line.starts_with("SERVER_HANDSHAKE_TRAFFIC_SECRET "); }));
}

// --- transfers -------------------------------------------------------------------------------------------------------

TEST_F(BlockingTest, MovesTenMegabytesBothWaysAtOnceInOddSizes) {
  const auto data = pattern(10'000'019);
  auto [client, server] = connected();
  const auto send = [&](Stream& stream, std::size_t step) {
    for (std::size_t done = 0; done < data.size();) {
      const std::size_t n = std::min(step, data.size() - done);
      EXPECT_EQ(must(stream.write(Bytes(data).subspan(done, n))), n);
      done += n;
      step = step % 70'001 + 977;
    }
    must(stream.close_write());
  };
  const auto receive = [&](Stream& stream, std::size_t step) {
    std::vector<std::uint8_t> buffer(40'000);
    std::size_t total = 0;
    for (;;) {
      const std::size_t n = must(stream.read(MutableBytes(buffer).first(step)));
      if (n == 0) break;
      if (total + n > data.size() || !equal(Bytes(buffer).first(n), Bytes(data).subspan(total, n))) {
        throw std::runtime_error("other bytes than were sent, at " + std::to_string(total));
      }
      total += n;
      step = step % 39'000 + 331;
    }
    return total;
  };
  auto client_sends = in_background([&] { send(client, 1); });
  auto server_sends = in_background([&] { send(server, 50'000); });
  auto server_receives = in_background([&] { return receive(server, 1); });
  EXPECT_EQ(receive(client, 17'000), data.size());
  EXPECT_EQ(server_receives.get(), data.size());
  client_sends.get();
  server_sends.get();
}

TEST_F(BlockingTest, GathersPieces) {
  std::vector<std::string> texts;
  std::string expected;
  for (std::size_t i = 0; i < 60; ++i) {
    texts.emplace_back(i % 7 == 0 ? 0 : i * 97, static_cast<char>('a' + i % 26));
    expected += texts.back();
  }
  std::vector<Bytes> pieces;
  for (const std::string& text : texts) pieces.push_back(as_bytes(text));

  auto [client, server] = connected();
  auto received = in_background([&] { return read_exactly(server, expected.size()); });
  EXPECT_EQ(must(client.writev(pieces)), expected.size());
  EXPECT_EQ(received.get(), expected);
  EXPECT_EQ(must(client.writev({})), 0U);
  EXPECT_EQ(must(client.write({})), 0U);
}

TEST_F(BlockingTest, MovesLittleByLittle) {
  auto [client, server] = connected();
  must(client.write(as_bytes("abcdef")));
  std::array<std::uint8_t, 1> one{};
  std::string text;
  for (int i = 0; i < 6; ++i) {
    ASSERT_EQ(must(server.read(one)), 1U);
    text += static_cast<char>(one[0]);
  }
  EXPECT_EQ(text, "abcdef");
  EXPECT_EQ(must(server.read({})), 0U) << "asking for nothing gives nothing and does not wait";
}

TEST_F(BlockingTest, ChangesKeysWhileItTransfers) {
  auto [client, server] = connected();
  auto echo = in_background([&] {
    for (int i = 0; i < 20; ++i) must(server.write(as_bytes(read_exactly(server, 3))));
  });
  for (int i = 0; i < 20; ++i) {
    must(client.update_keys(i % 2 == 0));
    must(client.write(as_bytes("abc")));
    EXPECT_EQ(read_exactly(client, 3), "abc");
  }
  echo.get();
}

TEST_F(BlockingTest, ChangesTheSizeOfItsRecords) {
  auto [client, server] = connected();
  for (const std::size_t bytes : {std::size_t{100}, std::size_t{16384}}) {
    must(client.set_max_send_fragment(bytes));
    EXPECT_EQ(client.connection().max_fragment(), bytes);
    must(client.write(as_bytes(std::string(1000, 'x'))));
    EXPECT_EQ(read_exactly(server, 1000), std::string(1000, 'x'));
  }
  EXPECT_FALSE(client.set_max_send_fragment(63));
}

/// The same options for TLS 1.2 whose connections may be renegotiated.
template <class Builder>
Options renegotiating(Options options, Builder builder) {
  options.config = built(builder.versions(ProtocolVersion::tls_1_2, ProtocolVersion::tls_1_2)
                             .renegotiation(Renegotiation::freely)
                             .renegotiation_limit(100));
  return options;
}

TEST_F(BlockingTest, IsRenegotiatedWhileItTransfers) {
  auto [client, server] =
      connected(renegotiating(client_options(), client_config()), renegotiating(server_options(), server_config()));
  auto echo = in_background([&] {
    for (int i = 0; i < 10; ++i) {
      must(server.write(as_bytes(read_exactly(server, 3))));
      if (i % 3 == 1) must(server.renegotiate());
    }
  });
  for (int i = 0; i < 10; ++i) {
    if (i % 2 == 0) must(client.renegotiate());
    must(client.write(as_bytes("abc")));
    EXPECT_EQ(read_exactly(client, 3), "abc");
  }
  echo.get();
  EXPECT_TRUE(client.connection().connected());
}

TEST_F(BlockingTest, IsRenegotiatedByAReaderForAWriter) {
  auto [client, server] =
      connected(renegotiating(client_options(), client_config()), renegotiating(server_options(), server_config()));
  constexpr int kTimes = 300;
  auto received = in_background([&] { return read_exactly(client, kTimes); });
  auto echo = in_background([&] {
    for (int i = 0; i < kTimes; ++i) {
      must(server.write(as_bytes(read_exactly(server, 1))));
      if (i % 30 == 7) must(server.renegotiate());
    }
  });
  for (int i = 0; i < kTimes; ++i) must(client.write(as_bytes("x")));
  EXPECT_EQ(received.get(), std::string(kTimes, 'x'));
  echo.get();
}

TEST_F(BlockingTest, KeepsWhatAWriterReadsAheadToRenegotiate) {
  auto [client, server] =
      connected(renegotiating(client_options(), client_config()), renegotiating(server_options(), server_config()));
  must(server.write(as_bytes("before ")));
  std::array<std::uint8_t, 3> first{};
  ASSERT_EQ(must(client.read(first)), 3U);
  must(server.write(as_bytes("and more")));
  must(client.renegotiate());
  auto peer = in_background([&] { return read_exactly(server, 4); });
  must(client.write(as_bytes("ping")));
  EXPECT_EQ(peer.get(), "ping");
  EXPECT_EQ(read_exactly(client, 12), "ore and more");
  must(server.write(as_bytes("behind")));
  EXPECT_EQ(read_exactly(client, 6), "behind");
}

TEST_F(BlockingTest, IsNotRenegotiatedUnlessThatIsAllowed) {
  auto [client, server] = connected();
  EXPECT_EQ(client.renegotiate().error().condition, IoCondition::misuse);
  EXPECT_EQ(server.renegotiate(ClientAuth::require).error().condition, IoCondition::misuse);
}

TEST_F(BlockingTest, SurvivesSignals) {
  struct sigaction action{};
  struct sigaction before{};
  action.sa_handler = [](int) {};  // without SA_RESTART: system calls end with EINTR
  ASSERT_EQ(::sigaction(SIGUSR1, &action, &before), 0);
  auto [client, server] = connected();
  std::atomic<pthread_t> reader{};
  std::atomic<bool> started{false};
  auto received = in_background([&] {
    reader = ::pthread_self();
    started = true;
    return read_exactly(server, 5);
  });
  while (!started) std::this_thread::yield();
  for (int i = 0; i < 20; ++i) {
    ::pthread_kill(reader, SIGUSR1);
    std::this_thread::sleep_for(2ms);
  }
  must(client.write(as_bytes("hello")));
  EXPECT_EQ(received.get(), "hello");
  ::sigaction(SIGUSR1, &before, nullptr);
}

// --- ending ----------------------------------------------------------------------------------------------------------

TEST_F(BlockingTest, ClosesOneDirection) {
  auto [client, server] = connected();
  must(client.write(as_bytes("question")));
  must(client.close_write());
  EXPECT_EQ(read_all(server), "question");
  must(server.write(as_bytes("answer")));
  EXPECT_EQ(read_exactly(client, 6), "answer");
  const IoError error = error_of(client.write(as_bytes("more")));
  EXPECT_EQ(error.condition, IoCondition::ended);
  EXPECT_EQ(error.operation, Operation::write);
  must(server.close_write());
  EXPECT_EQ(read_all(client), "");
  EXPECT_EQ(must(client.read_view()).size(), 0U) << "the end stays the end";
}

TEST_F(BlockingTest, LosesNothingWhenItClosesWithUnreadBytes) {
  auto listener = must(blocking::Listener::listen("127.0.0.1", 0));
  const std::string answer(100'000, 'a');
  auto served = in_background([&] {
    Stream stream = must(listener.accept(server_options(), after(10s)));
    must(stream.write(as_bytes(answer)));
    must(stream.close());  // with a request in the socket that nobody read
  });
  Stream client =
      must(blocking::dial("127.0.0.1", listener.address().port, client_options(), {.name = dns("example.com")}));
  must(client.write(as_bytes(std::string(50'000, 'q'))));
  std::this_thread::sleep_for(100ms);
  EXPECT_EQ(read_all(client), answer);
  must(client.close());
  served.get();
}

TEST_F(BlockingTest, ClosesWithTheAlertThatSaysWhy) {
  auto [client, server] = connected();
  must(server.write(as_bytes("no")));
  auto closed = in_background([&] { must(server.close(Alert::access_denied)); });
  EXPECT_EQ(read_exactly(client, 2), "no");
  const IoError error = error_of(client.read_view());
  must(client.close());
  closed.get();
  EXPECT_EQ(error.condition, IoCondition::tls);
  ASSERT_TRUE(error.tls);
  EXPECT_EQ(error.tls->reason, Reason::peer_alert);
  EXPECT_EQ(error.tls->alert, Alert::access_denied);
  EXPECT_EQ(error_of(server.write(as_bytes("more"))).condition, IoCondition::ended);
}

TEST_F(BlockingTest, TellsATruncationFromAnEnd) {
  auto [client, server] = connected();
  must(client.write(as_bytes("half a mess")));
  ASSERT_EQ(::shutdown(client.descriptor(), SHUT_WR), 0);
  EXPECT_EQ(read_exactly(server, 11), "half a mess");
  const IoError error = error_of(server.read_view());
  EXPECT_EQ(error.condition, IoCondition::tls);
  EXPECT_EQ(error.tls->reason, Reason::truncated);
  EXPECT_EQ(error.operation, Operation::read);
  EXPECT_EQ(error_of(server.read_view()).tls->reason, Reason::truncated) << "it stays so";
}

TEST_F(BlockingTest, RaisesNoSignalWhenThePeerIsGone) {
  struct sigaction now{};
  ASSERT_EQ(::sigaction(SIGPIPE, nullptr, &now), 0);
  ASSERT_EQ(now.sa_handler, SIG_DFL) << "otherwise this test would show nothing";
  auto [a, b] = socket_pair();
  {
    Stream client = client_over(std::move(a));
    Stream server = server_over(std::move(b));
    auto accepted = in_background([&] { must(server.handshake()); });
    must(client.handshake());
    accepted.get();
    const Descriptor gone(::dup(server.descriptor()));
    ::shutdown(server.descriptor(), SHUT_RDWR);
    const IoError error = error_of([&]() -> IoResult<std::size_t> {
      const std::vector<std::uint8_t> data(100'000);
      for (int i = 0; i < 100; ++i) {
        if (auto n = client.write(data); !n) return n;
      }
      return 0;
    }());
    EXPECT_EQ(error.operation, Operation::write);
    EXPECT_EQ(error.number, EPIPE);
    EXPECT_THAT(error.text, StartsWith("write with example.com"));
    must(client.close());  // nothing to say and nobody to hear it
  }
}

TEST_F(BlockingTest, ReportsTheAlertBehindAFailedWrite) {
  // The server refuses the client and closes; the client learns why although it only writes.
  Options server_side = server_options();
  server_side.config = built(server_config().client_auth(ClientAuth::require));
  server_side.linger = 0ms;
  auto [a, b] = socket_pair();
  {
    Stream server = server_over(std::move(b), server_side);
    auto refused = in_background([&] { return error_of(server.handshake()); });
    Stream client = client_over(std::move(a));
    must(client.handshake());
    refused.get();
    const IoError error = error_of([&]() -> IoResult<std::size_t> {
      for (int i = 0; i < 100; ++i) {
        if (auto n = client.write(as_bytes("hello?")); !n) return n;
      }
      return 0;
    }());
    ASSERT_EQ(error.condition, IoCondition::tls) << error.text;
    EXPECT_EQ(error.tls->alert, Alert::certificate_required);
  }
}

// --- STARTTLS and back -----------------------------------------------------------------------------------------------

TEST_F(BlockingTest, UpgradesWithBytesThatWereReadAlready) {
  auto [a, b] = socket_pair();
  auto server = in_background([&, end = std::move(b)]() mutable {
    Socket plain(std::move(end));
    std::this_thread::sleep_for(50ms);  // so that the command and the first TLS bytes arrive as one
    std::vector<std::uint8_t> bytes(100'000);
    bytes.resize(must(plain.read(bytes, after(10s))));
    const std::string_view command = "STARTTLS\r\n";
    EXPECT_THAT(std::string(as_text(bytes)), StartsWith(std::string(command)));
    EXPECT_GT(bytes.size(), command.size()) << "the client does not wait, so that TLS bytes come along";
    Stream stream = must(
        blocking::wrap(std::move(plain), server_options(), {.already_read = Bytes(bytes).subspan(command.size())}));
    must(stream.write(as_bytes(read_exactly(stream, 5))));
    return stream;
  });
  Socket plain(std::move(a));
  EXPECT_EQ(must(plain.write(as_bytes("STARTTLS\r\n"))), 10U);
  Stream client = must(blocking::wrap(std::move(plain), client_options(), {.name = dns("example.com")}));
  must(client.write(as_bytes("hello")));
  EXPECT_EQ(read_exactly(client, 5), "hello");
  Stream kept = server.get();
}

TEST_F(BlockingTest, GoesBackToPlainTextWithTheBytesThatFollow) {
  auto [client, server] = connected();
  must(client.write(as_bytes("over TLS")));
  must(client.close_write());
  ASSERT_EQ(::send(client.descriptor(), "plain at once", 13, MSG_NOSIGNAL), 13);
  EXPECT_EQ(read_all(server), "over TLS");

  auto plain_server = must(server.downgrade());
  EXPECT_EQ(as_text(plain_server.leftover), "plain at once");
  auto plain_client = must(client.downgrade());
  EXPECT_TRUE(plain_client.leftover.empty());

  must(plain_server.socket.write(as_bytes("so be it")));
  std::array<std::uint8_t, 100> bytes{};
  const std::size_t n = must(plain_client.socket.read(bytes, after(10s)));
  EXPECT_EQ(as_text(Bytes(bytes).first(n)), "so be it");
  EXPECT_EQ(error_of(client.write(as_bytes("x"))).condition, IoCondition::ended);
  EXPECT_EQ(error_of(client.read(bytes)).condition, IoCondition::ended);
}

TEST_F(BlockingTest, DoesNotGoBackOverUnreadData) {
  auto [client, server] = connected();
  must(client.write(as_bytes("unread")));
  must(client.close_write());
  const IoError error = error_of(server.downgrade());
  EXPECT_EQ(error.operation, Operation::downgrade);
  EXPECT_EQ(error.condition, IoCondition::misuse);
  EXPECT_EQ(read_all(server), "unread");
  EXPECT_TRUE(must(server.downgrade()).leftover.empty());
}

// --- deadlines and cancelling ----------------------------------------------------------------------------------------

TEST_F(BlockingTest, HandshakeTimesOut) {
  auto [a, b] = socket_pair();
  Options options = client_options();
  options.handshake_timeout = 50ms;
  Stream client = client_over(std::move(a), options);
  const auto start = blocking::Clock::now();
  const IoError error = error_of(client.handshake());
  EXPECT_GE(blocking::Clock::now() - start, 50ms);
  EXPECT_LT(blocking::Clock::now() - start, 5s);
  EXPECT_EQ(error.operation, Operation::handshake);
  EXPECT_EQ(error.condition, IoCondition::timeout);
  EXPECT_EQ(error.number, ETIMEDOUT);
  EXPECT_THAT(error.text, AllOf(StartsWith("handshake with example.com"), HasSubstr("deadline")));
  EXPECT_EQ(error_of(client.write(as_bytes("x"))).condition, IoCondition::timeout) << "the stream is over";
}

TEST_F(BlockingTest, HandshakeTimesOutAlthoughThePeerDripsBytes) {
  auto [a, b] = socket_pair();
  Options options = server_options();
  options.handshake_timeout = 100ms;
  std::atomic<bool> done{false};
  auto dripping = in_background([&, end = std::move(a)] {
    // A ClientHello of 512 bytes that takes its time.
    const std::array<std::uint8_t, 9> header{22, 3, 1, 2, 0, 1, 0, 1, 0xfc};
    for (std::size_t i = 0; !done; ++i) {
      const std::uint8_t byte = i < header.size() ? header[i] : std::uint8_t{3};
      if (::send(end.number(), &byte, 1, MSG_NOSIGNAL) != 1) break;
      std::this_thread::sleep_for(1ms);
    }
  });
  Stream server = server_over(std::move(b), options);
  const auto start = blocking::Clock::now();
  const IoError error = error_of(server.handshake());
  EXPECT_LT(blocking::Clock::now() - start, 5s);
  EXPECT_EQ(error.condition, IoCondition::timeout);
  done = true;
  dripping.get();
}

TEST_F(BlockingTest, OneTimeoutCoversDiallingAndTheHandshake) {
  auto silent = must(blocking::Listener::listen("127.0.0.1", 0));
  Options options = client_options();
  options.dial_timeout = 300ms;
  const auto start = blocking::Clock::now();
  Stream client = must(blocking::dial(silent.address(), options, {.name = dns("example.com")}));
  std::this_thread::sleep_for(200ms);
  const IoError error = error_of(client.handshake());
  EXPECT_EQ(error.condition, IoCondition::timeout);
  EXPECT_EQ(error.operation, Operation::handshake);
  EXPECT_GE(blocking::Clock::now() - start, 300ms);
  EXPECT_LT(blocking::Clock::now() - start, 5s);
  const BlackHole nobody;
  const auto refused = blocking::dial(nobody.address(), options, {.name = dns("example.com")});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().condition, IoCondition::timeout);
  EXPECT_EQ(refused.error().operation, Operation::connect);
}

TEST_F(BlockingTest, SetsSocketOptions) {
  const std::array keep_alive{SocketOption::of(SOL_SOCKET, SO_KEEPALIVE, 1)};
  const std::array unknown{SocketOption::of(SOL_SOCKET, 9999, 1)};
  auto listener = must(blocking::Listener::listen("127.0.0.1", 0, {}, keep_alive));
  Options options = client_options();
  options.socket_options = {keep_alive.begin(), keep_alive.end()};
  const Stream client = must(blocking::dial(listener.address(), options, {.name = dns("example.com")}));
  const Stream server = must(listener.accept(server_options(), after(10s)));
  EXPECT_EQ(get_option(client.descriptor(), SOL_SOCKET, SO_KEEPALIVE), 1);
  EXPECT_EQ(get_option(server.descriptor(), SOL_SOCKET, SO_KEEPALIVE), 1);
  options.socket_options = {unknown.begin(), unknown.end()};
  EXPECT_EQ(error_of(blocking::dial(listener.address(), options, {.name = dns("example.com")})).number, ENOPROTOOPT);
  EXPECT_EQ(error_of(blocking::Listener::listen("127.0.0.1", 0, {}, unknown)).number, ENOPROTOOPT);
}

TEST_F(BlockingTest, ReadsExactly) {
  auto [client, server] = connected();
  must(client.write(as_bytes("abc")));
  must(client.write(as_bytes("defgh")));
  std::array<std::uint8_t, 6> six{};
  must(server.read_exactly(six));
  EXPECT_EQ(as_text(six), "abcdef");
  server.set_read_deadline(after(30ms));
  IoError error = error_of(server.read_exactly(six));
  EXPECT_EQ(error.condition, IoCondition::timeout);
  EXPECT_EQ(error.transferred, 2U);
  server.set_read_deadline({});
  must(client.write(as_bytes("i")));
  must(client.close_write());
  error = error_of(server.read_exactly(MutableBytes(six).subspan(error.transferred)));
  EXPECT_EQ(error.condition, IoCondition::ended);
  EXPECT_EQ(error.transferred, 1U);
  EXPECT_EQ(as_text(Bytes(six).first(3)), "ghi");
}

TEST_F(BlockingTest, ReadTimesOutAndGoesOn) {
  auto [client, server] = connected();
  client.set_read_deadline(after(50ms));
  std::array<std::uint8_t, 16> bytes{};
  const IoError error = error_of(client.read(bytes));
  EXPECT_EQ(error.operation, Operation::read);
  EXPECT_EQ(error.condition, IoCondition::timeout);
  EXPECT_THAT(error.text, StartsWith("read with example.com"));
  must(client.write(as_bytes("still")));
  EXPECT_EQ(read_exactly(server, 5), "still");
  must(server.write(as_bytes("here")));
  EXPECT_EQ(error_of(client.read(bytes)).condition, IoCondition::timeout) << "the deadline is still in the past";
  client.set_read_deadline({});
  EXPECT_EQ(read_exactly(client, 4), "here");
}

TEST_F(BlockingTest, WriteTimesOutAndGoesOnWithoutLosingOrDoublingAByte) {
  const auto data = pattern(4'000'000);
  auto [client, server] = connected();
  client.set_write_deadline(after(100ms));
  const IoError error = error_of(client.write(data));
  EXPECT_EQ(error.operation, Operation::write);
  EXPECT_EQ(error.condition, IoCondition::timeout);
  EXPECT_THAT(error.text, StartsWith("write with example.com"));
  EXPECT_GT(error.transferred, 0U);
  ASSERT_LT(error.transferred, data.size());

  client.set_write_deadline({});
  auto received = in_background([&] { return read_exactly(server, data.size()); });
  const Bytes rest = Bytes(data).subspan(error.transferred);
  EXPECT_EQ(must(client.write(rest)), rest.size());
  EXPECT_EQ(received.get(), as_text(data));
}

TEST_F(BlockingTest, AnotherThreadCancelsAReader) {
  auto [client, server] = connected();
  auto reading = in_background([&] {
    std::array<std::uint8_t, 16> bytes{};
    return error_of(client.read(bytes));
  });
  std::this_thread::sleep_for(30ms);
  client.cancel();
  const IoError error = reading.get();
  EXPECT_EQ(error.operation, Operation::read);
  EXPECT_EQ(error.condition, IoCondition::canceled);
  EXPECT_EQ(error.number, ECANCELED);
  const IoError write = error_of(client.write(as_bytes("x")));
  EXPECT_EQ(write.condition, IoCondition::canceled) << "for good";
  EXPECT_EQ(write.transferred, 0U);
  must(client.close());
  EXPECT_EQ(read_all(server), "") << "close_notify still went out";
}

TEST_F(BlockingTest, AnotherThreadCancelsAWriter) {
  auto [client, server] = connected();
  auto writing = in_background([&] { return error_of(client.write(std::vector<std::uint8_t>(4'000'000))); });
  std::this_thread::sleep_for(30ms);
  client.cancel();
  EXPECT_EQ(writing.get().condition, IoCondition::canceled);
}

TEST_F(BlockingTest, AnotherThreadCancelsAHandshake) {
  auto [a, b] = socket_pair();
  Stream client = client_over(std::move(a));
  auto handshake = in_background([&] { return error_of(client.handshake()); });
  std::this_thread::sleep_for(30ms);
  client.cancel();
  const IoError error = handshake.get();
  EXPECT_EQ(error.operation, Operation::handshake);
  EXPECT_EQ(error.condition, IoCondition::canceled);
  Stream server = server_over(std::move(b));
  const IoError told = error_of(server.handshake());
  ASSERT_TRUE(told.tls) << told.text;
  EXPECT_EQ(told.tls->origin, Origin::peer);
  EXPECT_EQ(told.tls->reason, Reason::peer_closed) << "RFC 9846 6.1: user_canceled, then close_notify";
}

TEST_F(BlockingTest, OneCancellerStopsAll) {
  auto listener = must(blocking::Listener::listen("127.0.0.1", 0));
  Options server_side = server_options();
  server_side.canceller.emplace();
  auto serving = in_background([&] {
    Stream stream = must(listener.accept(server_side, after(10s)));
    return error_of(stream.handshake());
  });
  auto silent = must(Socket::connect("127.0.0.1", listener.address().port, after(10s)));
  std::this_thread::sleep_for(30ms);
  server_side.canceller->cancel();
  EXPECT_EQ(serving.get().condition, IoCondition::canceled);
}

// --- refusals --------------------------------------------------------------------------------------------------------

TEST_F(BlockingTest, RecognisesPlainHttpAndSaysSoOnBothSides) {
  auto listener = must(blocking::Listener::listen("127.0.0.1", 0));
  auto serving = in_background([&] {
    Stream stream = must(listener.accept(server_options(), after(10s)));
    return error_of(stream.handshake());
  });
  Socket browser = must(Socket::connect("127.0.0.1", listener.address().port, after(10s)));
  must(browser.write(as_bytes("GET /index.html HTTP/1.1\r\nHost: example.com\r\n\r\n" + std::string(10'000, 'x'))));
  std::string answer;
  std::array<std::uint8_t, 100> bytes{};
  for (;;) {
    const auto n = browser.read(bytes, after(10s));
    ASSERT_TRUE(n) << "a reset instead of an orderly end: " << n.error().text;
    if (*n == 0) break;
    answer += as_text(Bytes(bytes).first(*n));
  }
  ASSERT_EQ(answer.size(), 7U) << "one alert record";
  EXPECT_EQ(answer[0], 21);
  EXPECT_EQ(answer[5], 2) << "fatal";
  const IoError error = serving.get();
  ASSERT_TRUE(error.tls);
  EXPECT_EQ(error.tls->reason, Reason::plain_http);
  EXPECT_EQ(as_text(Bytes(error.tls->evidence).first(error.tls->evidence_size)), "GET /index.html ");
  EXPECT_EQ(static_cast<std::uint8_t>(answer[6]), static_cast<std::uint8_t>(error.tls->alert));
  EXPECT_THAT(error.text, HasSubstr("GET /index.html"));
}

TEST_F(BlockingTest, HandsBackAPeerThatSpeaksNoTls) {
  const std::string request = "GET / HTTP/1.0\r\n\r\n";
  auto [a, b] = socket_pair();
  Socket browser(std::move(a));
  Options options = server_options();
  options.keep_strangers = true;
  Stream server = server_over(std::move(b), options);
  EXPECT_EQ(error_of(server.hand_back()).condition, IoCondition::misuse) << "nothing has failed";
  must(browser.write(as_bytes(request)));
  EXPECT_EQ(error_of(server.handshake()).tls->reason, Reason::plain_http);
  EXPECT_EQ(error_of(server.write(as_bytes("x"))).condition, IoCondition::tls);
  blocking::Plain plain = must(server.hand_back());
  EXPECT_EQ(as_text(plain.leftover), request);
  must(plain.socket.write(as_bytes("HTTP/1.0 400 Bad Request\r\n\r\n")));
  std::array<std::uint8_t, 100> answer{};
  EXPECT_EQ(must(browser.read(answer, after(10s))), 28U) << "and no alert";
  EXPECT_EQ(error_of(server.hand_back()).condition, IoCondition::misuse) << "once";

  // Other failures, and without the option, as ever.
  auto [c, d] = socket_pair();
  Socket other(std::move(c));
  Stream strict = server_over(std::move(d));
  must(other.write(as_bytes(request)));
  EXPECT_EQ(error_of(strict.handshake()).tls->reason, Reason::plain_http);
  EXPECT_EQ(error_of(strict.hand_back()).condition, IoCondition::misuse);
  EXPECT_EQ(must(other.read(answer, after(10s))), 7U) << "an alert";
}

TEST_F(BlockingTest, ErrorsNameTheCheckThatFailed) {
  struct Case {
    std::shared_ptr<const Credential> credential;
    std::string_view name;
    Reason reason;
    x509::Code code;
    Alert alert;
  };
  const Authority stranger("CN=Stranger");
  const std::vector<Case> cases{
      {leaf_, "example.org", Reason::certificate_name_mismatch, x509::Code::hostname_mismatch, Alert::bad_certificate},
      {root_.issue({.not_after = kNowSeconds - 1}), "example.com", Reason::certificate_expired,
       x509::Code::cert_has_expired, Alert::certificate_expired},
      {stranger.issue({}), "example.com", Reason::certificate_unknown_ca, x509::Code::unable_to_get_issuer_cert_locally,
       Alert::unknown_ca},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(name(c.reason));
    Options server_side = server_options();
    server_side.answers = setup_of({.provider = provider(), .credentials = {c.credential}});
    auto [a, b] = socket_pair();
    Stream server = server_over(std::move(b), server_side);
    auto told = in_background([&] { return error_of(server.handshake()); });
    Stream client = must(blocking::wrap(Socket(std::move(a)), client_options(), {.name = dns(c.name)}));
    const IoError error = error_of(client.handshake());
    ASSERT_TRUE(error.tls) << error.text;
    EXPECT_EQ(error.tls->reason, c.reason);
    EXPECT_EQ(error.tls->detail, static_cast<std::uint16_t>(c.code));
    EXPECT_EQ(client.answers().verdict()->code, c.code);
    EXPECT_EQ(client.answers().peer_chain().size(), 1U) << "what was refused can be shown";
    EXPECT_THAT(error.text,
                AllOf(StartsWith("handshake with " + std::string(c.name)), HasSubstr(std::string(x509::name(c.code)))));
    const IoError at_server = told.get();
    ASSERT_TRUE(at_server.tls) << at_server.text;
    EXPECT_EQ(at_server.tls->origin, Origin::peer);
    EXPECT_EQ(at_server.tls->alert, c.alert);
  }
}

TEST_F(BlockingTest, RefusesCallsThatMakeNoSense) {
  auto [a, b] = socket_pair();
  EXPECT_EQ(error_of(blocking::wrap(Socket(std::move(a)), client_options())).condition, IoCondition::misuse);
  EXPECT_THAT(error_of(blocking::wrap(Socket(std::move(b)), Options{})).text, HasSubstr("config"));
  auto [c, d] = socket_pair();
  const std::vector<std::uint8_t> much(100'000);
  EXPECT_THAT(error_of(blocking::wrap(Socket(std::move(c)), server_options(), {.already_read = much})).text,
              HasSubstr("already_read"));
  EXPECT_EQ(error_of(blocking::dial("no such name!", 443, client_options())).condition, IoCondition::misuse);
}

TEST_F(BlockingTest, LeavesNothingOpen) {
  const auto open_descriptors = [] {
    std::size_t count = 0;
    for (int i = 0; i < 256; ++i) count += ::fcntl(i, F_GETFD) != -1;
    return count;
  };
  const std::size_t before = open_descriptors();
  {
    auto [client, server] = connected();
    must(client.close());
    EXPECT_EQ(client.descriptor(), -1);
  }
  {
    auto [a, b] = socket_pair();
    Options options = client_options();
    options.handshake_timeout = 1ms;
    Stream client = client_over(std::move(a), options);
    EXPECT_FALSE(client.handshake());
  }
  EXPECT_EQ(open_descriptors(), before);
}

}  // namespace
}  // namespace lockstep::testing
