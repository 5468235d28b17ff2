// Plain sockets, listeners, cancellers, and what adapters share.

#include <cerrno>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/un.h>

#include "blocking_support.hpp"

namespace lockstep::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST(BlockingSocket, ConnectsByNameAndAddress) {
  auto listener = must(blocking::Listener::listen("127.0.0.1", 0));
  const std::uint16_t port = listener.address().port;
  for (const std::string_view host : {"127.0.0.1", "localhost"}) {
    auto accepted = in_background([&] { return must(listener.accept_plain(after(10s))); });
    Socket client = must(Socket::connect(host, port, after(10s)));
    Socket server = accepted.get();
    must(client.write(as_bytes("x")));
    std::array<std::uint8_t, 4> bytes{};
    EXPECT_EQ(must(server.read(bytes, after(10s))), 1U);
    EXPECT_EQ(peer_address(client.descriptor()).text(), listener.address().text());
  }
}

TEST(BlockingSocket, ListensOnEveryAddress) {
  auto listener = must(blocking::Listener::listen("", 0));
  Socket client = must(Socket::connect("127.0.0.1", listener.address().port, after(10s)));
  EXPECT_TRUE(listener.accept_plain(after(10s)));
}

TEST(BlockingSocket, SaysWhichAddressesRefused) {
  std::uint16_t port = 0;
  {
    port = must(blocking::Listener::listen("127.0.0.1", 0)).address().port;
  }
  const IoError error = error_of(Socket::connect("127.0.0.1", port, after(10s)));
  EXPECT_EQ(error.operation, Operation::connect);
  EXPECT_EQ(error.condition, IoCondition::system);
  EXPECT_EQ(error.number, ECONNREFUSED);
  const std::string address = "127.0.0.1:" + std::to_string(port);
  EXPECT_EQ(error.text, "connect to " + address + ": " + address + ": Connection refused");
}

TEST(BlockingSocket, SaysWhichNameDoesNotResolve) {
  const IoError error = error_of(Socket::connect("nowhere.invalid", 443, after(10s)));
  EXPECT_EQ(error.operation, Operation::resolve);
  EXPECT_EQ(error.condition, IoCondition::resolver);
  EXPECT_NE(error.number, 0);
  EXPECT_THAT(error.text, StartsWith("resolve nowhere.invalid:443: "));
}

TEST(BlockingSocket, SaysWhatCannotBeListenedOn) {
  auto listener = must(blocking::Listener::listen("127.0.0.1", 0));
  const IoError error = error_of(blocking::Listener::listen("127.0.0.1", listener.address().port));
  EXPECT_EQ(error.operation, Operation::listen);
  EXPECT_EQ(error.number, EADDRINUSE);
  EXPECT_THAT(error.text, StartsWith("listen on 127.0.0.1:" + std::to_string(listener.address().port) + ": "));
}

TEST(BlockingSocket, ConnectingTimesOut) {
  // A listener whose queue is full leaves further connections unanswered.
  auto listener = must(blocking::Listener::listen("127.0.0.1", 0));
  ASSERT_EQ(::listen(listener.descriptor(), 0), 0);
  std::vector<Socket> queued;
  std::optional<IoError> error;
  for (int i = 0; i < 10 && !error; ++i) {
    auto socket = Socket::connect("127.0.0.1", listener.address().port, after(200ms));
    if (socket) {
      queued.push_back(std::move(*socket));
    } else {
      error = socket.error();
    }
  }
  ASSERT_TRUE(error);
  EXPECT_EQ(error->operation, Operation::connect);
  EXPECT_EQ(error->condition, IoCondition::timeout);
  EXPECT_THAT(error->text, AllOf(StartsWith("connect to 127.0.0.1"), HasSubstr("timeout")));
}

TEST(BlockingSocket, DeadlinesAndCancellersEndEveryOperation) {
  auto [a, b] = socket_pair();
  const Canceller canceller;
  Socket socket(std::move(a), canceller);
  std::array<std::uint8_t, 4> bytes{};
  EXPECT_EQ(error_of(socket.read(bytes, after(20ms))).condition, IoCondition::timeout);
  const std::vector<std::uint8_t> much(4'000'000);
  const IoError write = error_of(socket.write(much, after(20ms)));
  EXPECT_EQ(write.condition, IoCondition::timeout);
  EXPECT_GT(write.transferred, 0U);

  auto reading = in_background([&] { return error_of(socket.read(bytes)); });
  std::this_thread::sleep_for(20ms);
  canceller.cancel();
  canceller.cancel();  // once more changes nothing
  EXPECT_EQ(reading.get().condition, IoCondition::canceled);
  EXPECT_TRUE(canceller.canceled());

  auto listener = must(blocking::Listener::listen("127.0.0.1", 0));
  EXPECT_EQ(error_of(listener.accept_plain(after(20ms))).condition, IoCondition::timeout);
  auto accepting = in_background([&] { return error_of(listener.accept_plain()); });
  std::this_thread::sleep_for(20ms);
  listener.cancel();
  const IoError accept = accepting.get();
  EXPECT_EQ(accept.condition, IoCondition::canceled);
  EXPECT_EQ(accept.operation, Operation::accept);
  EXPECT_EQ(error_of(Socket::connect("127.0.0.1", listener.address().port, {}, canceller)).condition,
            IoCondition::canceled);
}

TEST(BlockingSocket, NeedsADescriptorForItsCanceller) {
  // Without one nothing could be canceled, so that waiting is refused.
#ifdef LOCKSTEP_SANITIZED
  GTEST_SKIP() << "the undefined behaviour sanitizer needs descriptors of its own to look at a virtual table";
#endif
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  auto [a, b] = socket_pair();
  rlimit none = before;
  none.rlim_cur = 0;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  Socket socket(std::move(a));
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  std::array<std::uint8_t, 4> bytes{};
  EXPECT_EQ(error_of(socket.read(bytes, after(10ms))).number, EMFILE);
}

TEST(Addresses, HaveTexts) {
  EXPECT_EQ((Address{.host = "192.0.2.1", .port = 443}.text()), "192.0.2.1:443");
  EXPECT_EQ((Address{.host = "2001:db8::1", .port = 443}.text()), "[2001:db8::1]:443");
  EXPECT_EQ((Address{.host = "/run/socket"}.text()), "/run/socket");
  auto [a, b] = socket_pair();
  EXPECT_EQ(peer_address(a.number()).text(), "");
  EXPECT_EQ(local_address(-1).text(), "");
}

TEST(Addresses, OfUnixSocketsArePaths) {
  const std::string path = "/tmp/lockstep-test-" + std::to_string(::getpid());
  Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  ASSERT_EQ(::bind(socket.number(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  EXPECT_EQ(local_address(socket.number()).text(), path);
  ::unlink(path.c_str());
}

TEST(SystemRandomTest, FillsWithSomethingElseEachTime) {
  SystemRandom source;
  std::array<std::uint8_t, 32> first{};
  std::array<std::uint8_t, 32> second{};
  ASSERT_TRUE(source.fill(first));
  ASSERT_TRUE(source.fill(second));
  EXPECT_NE(first, second);
  EXPECT_NE(first, (std::array<std::uint8_t, 32>{}));
}

TEST(SystemTime, IsOfThisCentury) { EXPECT_GT(system_time().time_since_epoch(), std::chrono::hours(24 * 365 * 55)); }

TEST(KeyLogLine, IsWhatWiresharkReads) {
  const std::array<std::uint8_t, 3> client_random{0x01, 0xab, 0xff};
  const std::array<std::uint8_t, 2> secret{0x00, 0x9c};
  EXPECT_EQ(key_log_line({.label = "CLIENT_TRAFFIC_SECRET_0", .client_random = client_random, .secret = secret}),
            "CLIENT_TRAFFIC_SECRET_0 01abff 009c");
}

TEST(Descriptors, CloseThemselvesOnce) {
  auto [a, b] = socket_pair();
  const int number = a.number();
  Descriptor moved(std::move(a));
  EXPECT_EQ(moved.number(), number);
  EXPECT_FALSE(a);  // NOLINT(bugprone-use-after-move): that is the question
  EXPECT_NE(::fcntl(number, F_GETFD), -1);
  moved.reset();
  EXPECT_EQ(::fcntl(number, F_GETFD), -1);
  const int kept = b.release();
  EXPECT_EQ(::close(kept), 0) << "release leaves it open";
}

}  // namespace
}  // namespace lockstep::testing
