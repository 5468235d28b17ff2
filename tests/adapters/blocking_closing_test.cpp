// How blocking streams end, and when: closing, going back to plain text, deadlines under peers that are slow on
// purpose.

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include "adapters/common/lingering.hpp"
#include "blocking_support.hpp"

namespace lockstep::testing {
namespace {

using blocking::Clock;

/// Streams over loopback: bytes are on their way between the two, not with the peer at once.
class BlockingClosing : public BlockingTest {
 protected:
  Streams over_tcp(const Options& server_side) const {
    auto listener = must(blocking::Listener::listen("127.0.0.1", 0));
    Socket near = must(Socket::connect(listener.address(), after(10s)));
    Socket far = must(listener.accept_plain(after(10s)));
    Streams streams{client_over(near.release(), client_options()), server_over(far.release(), server_side)};
    auto server = in_background([&] { must(streams.server.handshake()); });
    must(streams.client.handshake());
    server.get();
    return streams;
  }
  /// A close with these bounds.
  Options closing(std::chrono::milliseconds linger, std::chrono::milliseconds most) const {
    Options options = server_options();
    options.linger = linger;
    options.linger_most = most;
    return options;
  }
  /// How long it took to close.
  static Clock::duration close(Stream& stream) {
    const auto start = Clock::now();
    (void)stream.close();
    return Clock::now() - start;
  }
  /// Writes what the two systems take of it while the peer does not read; how much that was.
  static std::size_t fill(Stream& stream) {
    std::size_t written = 0;
    pollfd room{.fd = stream.descriptor(), .events = POLLOUT, .revents = 0};
    while (::poll(&room, 1, 100) == 1) written += must(stream.write(std::vector<std::uint8_t>(4000)));
    EXPECT_GT(sockets::unacknowledged(stream.descriptor()), 0U) << "or the test shows nothing";
    return written;
  }
};

TEST_F(BlockingClosing, LetsAPeerReadAllThatPausesAndSpeaks) {
  // The peer does not read for longer than `linger`, and says something before it does: with the server's socket closed
  // by then the system would answer with a reset and forget the rest.
  auto streams = over_tcp(closing(50ms, 30s));
  const std::size_t written = fill(streams.server);
  auto closing = in_background([&] { must(streams.server.close()); });
  std::this_thread::sleep_for(600ms);
  must(streams.client.write(as_bytes("by the way")));
  std::this_thread::sleep_for(100ms);
  EXPECT_EQ(read_all(streams.client).size(), written);
  closing.get();
}

TEST_F(BlockingClosing, HasABoundWhenThePeerTakesNothing) {
  auto streams = over_tcp(closing(50ms, 400ms));
  (void)fill(streams.server);
  const auto took = close(streams.server);
  EXPECT_GE(took, 400ms) << "the peer may read yet";
  EXPECT_LT(took, 5s);
}

TEST_F(BlockingClosing, EndsSoonAfterAllIsAcknowledged) {
  auto streams = over_tcp(closing(100ms, 30s));
  must(streams.server.write(as_bytes("short")));
  const auto took = close(streams.server);
  EXPECT_GE(took, 100ms) << "the peer may have something to say";
  EXPECT_LT(took, 5s);
  EXPECT_EQ(read_all(streams.client), "short");
}

TEST_F(BlockingClosing, HearsAPeerOutThatIsStillSending) {
  auto streams = over_tcp(closing(1s, 30s));
  auto closing = in_background([&] { return close(streams.server); });
  for (int i = 0; i < 15; ++i) {
    std::this_thread::sleep_for(100ms);
    must(streams.client.write(as_bytes("a piece of what nobody wants")));
  }
  EXPECT_EQ(read_all(streams.client), "") << "no reset";
  must(streams.client.close());
  EXPECT_GE(closing.get(), 1400ms);
}

TEST_F(BlockingClosing, HasABoundWhenThePeerNeverStopsSending) {
  auto streams = over_tcp(closing(300ms, 700ms));
  std::atomic<bool> closed = false;
  auto flood = in_background([&] {
    while (!closed && streams.client.write(as_bytes("and another thing"))) std::this_thread::sleep_for(20ms);
  });
  const auto took = close(streams.server);
  closed = true;
  EXPECT_GE(took, 700ms);
  EXPECT_LT(took, 5s);
  flood.get();
}

TEST_F(BlockingClosing, GivesNoMoreTimeToAPeerThatLetAWriteTimeOut) {
  auto streams = over_tcp(closing(100ms, 30s));
  streams.server.set_write_deadline(after(300ms));
  const IoError error = error_of(streams.server.write(std::vector<std::uint8_t>(16'000'000)));
  EXPECT_EQ(error.condition, IoCondition::timeout);
  EXPECT_LT(close(streams.server), 5s);
}

TEST_F(BlockingClosing, DoesNotWaitForReadersOfUnixSockets) {
  // What was sent is with the peer, whatever becomes of this end.
  auto streams = connected(client_options(), closing(100ms, 30s));
  must(streams.server.write(as_bytes("the answer")));
  must(streams.client.write(as_bytes("by the way")));
  EXPECT_LT(close(streams.server), 5s);
  EXPECT_EQ(read_all(streams.client), "the answer");
}

TEST_F(BlockingClosing, CanBeCanceled) {
  auto streams = over_tcp(closing(30s, 30s));
  auto closing = in_background([&] { return close(streams.server); });
  std::this_thread::sleep_for(50ms);
  streams.server.cancel();
  EXPECT_LT(closing.get(), 5s);
}

// --- deadlines -------------------------------------------------------------------------------------------------------

TEST_F(BlockingTest, TimesWithoutAnEndHaveNone) {
  constexpr auto kEver = std::chrono::milliseconds::max();
  Options client_side = client_options();
  Options server_side = server_options();
  for (Options* options : {&client_side, &server_side}) {
    options->connect_timeout = options->handshake_timeout = options->linger = options->linger_most = kEver;
  }
  auto listener = must(blocking::Listener::listen("127.0.0.1", 0));
  auto served = in_background([&] {
    Stream stream = must(listener.accept(server_side, after(kEver)));
    stream.set_read_deadline(after(kEver));
    stream.set_write_deadline(Clock::time_point::max());
    must(stream.write(as_bytes(read_exactly(stream, 5))));
    must(stream.close());
  });
  Stream client = must(blocking::dial(listener.address(), client_side, {.name = dns("example.com")}));
  must(client.write(as_bytes("hello")));
  EXPECT_EQ(read_all(client), "hello");
  must(client.close());
  served.get();
}

TEST_F(BlockingTest, NegativeTimesHavePassed) {
  Options options = client_options();
  options.handshake_timeout = std::chrono::milliseconds::min();
  auto [a, b] = socket_pair();
  Stream client = client_over(std::move(a), options);
  EXPECT_EQ(error_of(client.handshake()).condition, IoCondition::timeout);
  options.connect_timeout = -1ms;
  const BlackHole hole;
  EXPECT_EQ(error_of(blocking::dial(hole.address(), options)).condition, IoCondition::timeout);
}

/// Sends a byte now and then, until it ends.
class Drip {
 public:
  Drip(int descriptor, std::string_view beginning) {
    EXPECT_EQ(::send(descriptor, beginning.data(), beginning.size(), MSG_NOSIGNAL), ssize(beginning));
    thread_ = std::jthread([descriptor](const std::stop_token& stop) {
      while (!stop.stop_requested()) {
        (void)::send(descriptor, "", 1, MSG_NOSIGNAL);
        std::this_thread::sleep_for(20ms);
      }
    });
  }

 private:
  static ssize_t ssize(std::string_view text) { return static_cast<ssize_t>(text.size()); }
  std::jthread thread_;
};

TEST_F(BlockingTest, ADripGainsAReaderNothing) {
  auto [client, server] = connected();
  const Drip drip(client.descriptor(), std::string_view("\x17\x03\x03\x40\x00", 5));  // the beginning of a long record
  server.set_read_deadline(after(300ms));
  const auto start = Clock::now();
  EXPECT_EQ(error_of(server.read_view()).condition, IoCondition::timeout);
  EXPECT_GE(Clock::now() - start, 300ms);
  EXPECT_LT(Clock::now() - start, 5s);
}

TEST_F(BlockingTest, ADripGainsAHandshakeNothing) {
  auto [a, b] = socket_pair();
  Options options = server_options();
  options.handshake_timeout = 300ms;
  Stream server = server_over(std::move(b), options);
  const Drip drip(a.number(), std::string_view("\x16\x03\x01\x10\x00\x01\x00\x0f\xfc", 9));
  const auto start = Clock::now();
  EXPECT_EQ(error_of(server.handshake()).condition, IoCondition::timeout);
  EXPECT_LT(Clock::now() - start, 5s);
}

TEST_F(BlockingTest, AReaderOfAByteNowAndThenGainsNothing) {
  auto [client, server] = connected();
  const std::jthread sipping([descriptor = client.descriptor()](const std::stop_token& stop) {
    std::array<char, 2000> bytes{};
    while (!stop.stop_requested()) {
      (void)::recv(descriptor, bytes.data(), bytes.size(), MSG_DONTWAIT);
      std::this_thread::sleep_for(20ms);
    }
  });
  server.set_write_deadline(after(300ms));
  const auto start = Clock::now();
  const IoError error = error_of(server.write(std::vector<std::uint8_t>(20'000'000)));
  EXPECT_EQ(error.condition, IoCondition::timeout);
  EXPECT_LT(Clock::now() - start, 5s);
}

// --- going back to plain text ----------------------------------------------------------------------------------------

TEST_F(BlockingTest, DoesNotWaitForEverToGoBackToPlainText) {
  Options options = server_options();
  options.handshake_timeout = 2s;
  auto [client, server] = connected(client_options(), options);
  auto start = Clock::now();
  const IoError error = error_of(server.downgrade());
  EXPECT_EQ(error.condition, IoCondition::timeout);
  EXPECT_EQ(error.operation, Operation::downgrade);
  EXPECT_GE(Clock::now() - start, 2s);
  EXPECT_LT(Clock::now() - start, 10s);

  server.set_read_deadline(after(100ms));
  start = Clock::now();
  EXPECT_EQ(error_of(server.downgrade()).condition, IoCondition::timeout);
  EXPECT_LT(Clock::now() - start, 2s) << "the stream's own deadline";
  server.set_read_deadline({});
  must(client.close_write());
  EXPECT_TRUE(must(server.downgrade()).leftover.empty()) << "it can be tried again";
}

// --- dialling --------------------------------------------------------------------------------------------------------

class BlockingDial : public BlockingTest {
 protected:
  /// Serves one connection.
  auto serve(blocking::Listener& listener) const {
    return in_background([this, &listener] {
      Stream stream = must(listener.accept(server_options(), after(10s)));
      must(stream.handshake());
      must(stream.write(as_bytes(stream.server_name())));
      must(stream.close());
    });
  }
};

TEST_F(BlockingDial, AsksTheResolverItIsGiven) {
  auto listener = must(blocking::Listener::listen("127.0.0.1", 0));
  auto served = serve(listener);
  const BlackHole hole;
  Options options = client_options();
  options.resolve = [&](std::string_view host, std::uint16_t port) -> IoResult<std::vector<Address>> {
    EXPECT_EQ(host, "example.com");
    EXPECT_EQ(port, 443);
    return std::vector<Address>{hole.address(), listener.address()};
  };
  Stream client = must(blocking::dial("example.com", 443, options));
  EXPECT_EQ(read_all(client), "example.com");
  must(client.close());
  served.get();
}

TEST_F(BlockingDial, GoesOverUnixSockets) {
  const Address address{.host = ::testing::TempDir() + "lockstep-tls-" + std::to_string(::getpid()) + ".sock"};
  auto listener = must(blocking::Listener::listen(address));
  auto served = serve(listener);
  const IoError error = error_of(blocking::dial(address, client_options()));
  EXPECT_EQ(error.condition, IoCondition::misuse);
  EXPECT_THAT(error.text, ::testing::HasSubstr("Target::name")) << "a path is nobody's name";
  Stream client = must(blocking::dial(address, client_options(), {.name = dns("example.com")}));
  EXPECT_EQ(client.peer_address(), address);
  EXPECT_EQ(read_all(client), "example.com");
  must(client.close());
  served.get();
}

TEST_F(BlockingDial, ExpectsAnAddressWithoutItsZone) {
  // Nobody is there; that it is tried is the question.
  Options options = client_options();
  options.connect_timeout = 100ms;
  const IoError error = error_of(blocking::dial("fe80::1%lo", 1, options));
  EXPECT_THAT(error.text, ::testing::StartsWith("connect to [fe80::1%lo]:1: [fe80::1%lo]:1: "));
}

}  // namespace
}  // namespace lockstep::testing
