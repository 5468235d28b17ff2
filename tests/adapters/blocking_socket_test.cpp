// Plain sockets, listeners, cancellers, and what adapters share.

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <string>
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
  ASSERT_FALSE(listener.addresses().empty());
  EXPECT_EQ(listener.addresses().size(), listener.descriptors().size());
  EXPECT_EQ(listener.address(), listener.addresses().front());
  for (const Address& address : listener.addresses()) {
    const bool v6 = address.host.contains(':');
    EXPECT_EQ(address.port, listener.address().port);
    Socket client = must(Socket::connect(v6 ? "::1" : "127.0.0.1", address.port, after(10s)));
    const Socket server = must(listener.accept_plain(after(10s)));
    EXPECT_EQ(peer_address(server.descriptor()), local_address(client.descriptor()));
  }
}

TEST(BlockingSocket, ABusyAddressKeepsNoOtherWaiting) {
  auto listener = must(blocking::Listener::listen("", 0));
  if (listener.addresses().size() < 2) GTEST_SKIP() << "this system has one family";
  std::vector<Socket> clients;
  for (int i = 0; i < 8; ++i) clients.push_back(must(Socket::connect("127.0.0.1", listener.address().port)));
  clients.push_back(must(Socket::connect("::1", listener.address().port)));
  std::vector<Socket> servers;
  for (int i = 0; i < 2; ++i) servers.push_back(must(listener.accept_plain(after(10s))));
  EXPECT_TRUE(std::ranges::any_of(
      servers, [](const Socket& socket) { return peer_address(socket.descriptor()).host.contains(':'); }));
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
  ASSERT_EQ(::listen(listener.descriptors().front(), 0), 0);
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

// --- racing ----------------------------------------------------------------------------------------------------------

Resolve to(std::vector<Address> addresses) {
  return [addresses = std::move(addresses)](std::string_view, std::uint16_t) { return addresses; };
}

/// Nobody listens there.
Address refusing() { return must(blocking::Listener::listen("127.0.0.1", 0)).address(); }

std::size_t open_descriptors() {
  return static_cast<std::size_t>(std::ranges::distance(std::filesystem::directory_iterator("/proc/self/fd"),
                                                        std::filesystem::directory_iterator()));
}

TEST(BlockingRace, GoesRoundABlackHole) {
  const BlackHole hole;
  const BlackHole other_hole;
  auto listener = must(blocking::Listener::listen("127.0.0.1", 0));
  const std::size_t before = open_descriptors();
  const auto start = blocking::Clock::now();
  const Socket socket = must(
      Socket::connect("name", 443, {}, {}, to({hole.address(), other_hole.address(), refusing(), listener.address()})));
  EXPECT_LT(blocking::Clock::now() - start, 5s) << "the system gives up after minutes";
  EXPECT_EQ(peer_address(socket.descriptor()), listener.address());
  EXPECT_EQ(open_descriptors(), before + 2) << "the others are closed; there is one for the canceller";
}

TEST(BlockingRace, TakesTheSlowerWhenTheFasterFails) {
  auto listener = must(blocking::Listener::listen("127.0.0.1", 0));
  const Socket socket = must(Socket::connect("name", 443, after(10s), {}, to({refusing(), listener.address()})));
  EXPECT_EQ(peer_address(socket.descriptor()), listener.address());
}

TEST(BlockingRace, HasOneDeadlineAndTellsOfEveryAddress) {
  const BlackHole hole;
  const BlackHole other_hole;
  const Address refused = refusing();
  const auto start = blocking::Clock::now();
  const IoError error =
      error_of(Socket::connect("name", 443, after(700ms), {}, to({hole.address(), refused, other_hole.address()})));
  EXPECT_GE(blocking::Clock::now() - start, 700ms);
  EXPECT_LT(blocking::Clock::now() - start, 5s);
  EXPECT_EQ(error.condition, IoCondition::timeout);
  EXPECT_EQ(error.text, "connect to name:443: " + hole.address().text() + ": timeout; " + refused.text() +
                            ": Connection refused; " + other_hole.address().text() + ": timeout");
}

TEST(BlockingRace, CanBeCanceled) {
  const BlackHole hole;
  const Canceller canceller;
  auto connecting =
      in_background([&] { return error_of(Socket::connect("name", 443, {}, canceller, to({hole.address()}))); });
  std::this_thread::sleep_for(50ms);
  canceller.cancel();
  EXPECT_EQ(connecting.get().text, "connect to name:443: " + hole.address().text() + ": canceled");
}

TEST(BlockingRace, EndsAtOnceWhenAllHaveFailed) {
  const Address first = refusing();
  const Address second = refusing();
  const IoError error = error_of(Socket::connect("name", 443, {}, {}, to({first, second})));
  EXPECT_EQ(error.number, ECONNREFUSED);
  EXPECT_EQ(error.text,
            "connect to name:443: " + first.text() + ": Connection refused; " + second.text() + ": Connection refused");
}

// --- Unix ------------------------------------------------------------------------------------------------------------

Address unix_address() { return {.host = ::testing::TempDir() + "lockstep-" + std::to_string(::getpid()) + ".sock"}; }

TEST(BlockingUnix, ListensAndConnectsByPath) {
  const Address address = unix_address();
  {
    auto listener = must(blocking::Listener::listen(address));
    EXPECT_EQ(listener.address(), address);
    Socket client = must(Socket::connect(address, after(10s)));
    Socket server = must(listener.accept_plain(after(10s)));
    must(client.write(as_bytes("x")));
    std::array<std::uint8_t, 4> bytes{};
    EXPECT_EQ(must(server.read(bytes, after(10s))), 1U);
    EXPECT_EQ(peer_address(client.descriptor()), address);
    const auto moved = std::move(listener);
    EXPECT_TRUE(Socket::connect(address, after(10s)));
  }
  EXPECT_FALSE(std::filesystem::exists(address.host));
  const IoError error = error_of(Socket::connect(address, after(10s)));
  EXPECT_EQ(error.number, ENOENT);
  EXPECT_THAT(error.text, StartsWith("connect to " + address.host));
}

TEST(BlockingUnix, WaitsForRoomInTheListenersQueue) {
  auto listener = must(blocking::Listener::listen(unix_address()));
  ASSERT_EQ(::listen(listener.descriptors().front(), 0), 0);
  std::vector<Socket> queued;
  std::optional<IoError> error;
  for (int i = 0; i < 10 && !error; ++i) {
    auto socket = Socket::connect(listener.address(), after(50ms));
    if (socket) {
      queued.push_back(std::move(*socket));
    } else {
      error = socket.error();
    }
  }
  ASSERT_TRUE(error);
  EXPECT_EQ(error->condition, IoCondition::timeout);
  auto waiting = in_background([&] { return must(Socket::connect(listener.address(), after(10s))); });
  std::this_thread::sleep_for(50ms);
  const Socket first = must(listener.accept_plain(after(10s)));
  EXPECT_TRUE(waiting.get());
}

TEST(BlockingUnix, TakesNoHostForAPath) {
  const auto listener = must(blocking::Listener::listen(unix_address()));
  EXPECT_EQ(error_of(Socket::connect(listener.address().host, 443)).condition, IoCondition::resolver)
      << "a host may come from somebody else";
  EXPECT_EQ(error_of(blocking::Listener::listen(Address{.host = "example.com"})).condition, IoCondition::misuse);
  EXPECT_EQ(error_of(Socket::connect(Address{.host = "example.com", .port = 443})).condition, IoCondition::misuse);
}

TEST(BlockingSocket, ConnectsToAnAddressWithAZone) {
  std::ifstream interfaces("/proc/net/if_inet6");
  std::string hex;
  std::string device;
  for (std::string index, prefix, scope, flags; interfaces >> hex >> index >> prefix >> scope >> flags >> device;) {
    if (hex.starts_with("fe80")) break;
  }
  if (!hex.starts_with("fe80")) GTEST_SKIP() << "no interface has a link-local address";
  std::string host;
  for (std::size_t i = 0; i < hex.size(); i += 4) host += (i == 0 ? "" : ":") + hex.substr(i, 4);
  auto listener = must(blocking::Listener::listen(host + "%" + device, 0));
  EXPECT_TRUE(listener.address().host.ends_with("%" + device)) << listener.address().text();
  const auto address = Address::parse(listener.address().text());
  ASSERT_EQ(address, listener.address());
  const Socket client = must(Socket::connect(*address, after(10s)));
  const Socket server = must(listener.accept_plain(after(10s)));
  EXPECT_EQ(peer_address(server.descriptor()), local_address(client.descriptor()));
  EXPECT_EQ(peer_address(client.descriptor()), listener.address());
}

// --- deadlines and cancelling ----------------------------------------------------------------------------------------

TEST(BlockingSocket, ForEverIsForEver) {
  EXPECT_EQ(after(std::chrono::milliseconds::max()), std::nullopt);
  EXPECT_EQ(after(blocking::Clock::duration::max()), std::nullopt);
  EXPECT_LT(after(std::chrono::milliseconds::min()), blocking::Clock::now());

  auto [a, b] = socket_pair();
  Socket socket(std::move(a));
  std::array<std::uint8_t, 4> bytes{};
  for (const auto past : {blocking::Clock::time_point::min(), blocking::Clock::time_point()}) {
    EXPECT_EQ(error_of(socket.read(bytes, past)).condition, IoCondition::timeout);
  }
  EXPECT_EQ(error_of(socket.read(bytes, after(-1h))).condition, IoCondition::timeout);
  for (const blocking::Deadline& far : {blocking::Deadline(blocking::Clock::time_point::max()),
                                        after(std::chrono::milliseconds::max()), after(24h * 365 * 200)}) {
    auto reading = in_background([&] { return must(socket.read(bytes, far)); });
    EXPECT_EQ(reading.wait_for(50ms), std::future_status::timeout);
    ASSERT_EQ(::send(b.number(), "x", 1, 0), 1);
    EXPECT_EQ(reading.get(), 1U);
  }
}

/// Processor time of this thread.
std::chrono::nanoseconds busy_time() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

TEST(BlockingSocket, NoticesDescriptorsThatAreClosedBehindItsBack) {
  std::array<std::uint8_t, 4> bytes{};
  for (const bool taken_by_another : {false, true}) {
    auto [a, b] = socket_pair();
    Socket socket(std::move(a));
    const int number = socket.canceller().descriptor();
    ASSERT_EQ(::close(number), 0);
    Descriptor other;
    if (taken_by_another) {
      other = Descriptor(::dup2(::open("/dev/null", O_RDONLY | O_CLOEXEC), number));
      ASSERT_EQ(other.number(), number);
    }
    const auto before = busy_time();
    const IoError error = error_of(socket.read(bytes, after(2s)));
    EXPECT_EQ(error.number, EBADF);
    EXPECT_THAT(error.text, HasSubstr("canceller"));
    EXPECT_LT(busy_time() - before, 1s) << "it does not spin";
    // The canceller's destructor closes that number: another one must not be there by then.
    if (!other) other = Descriptor(::dup2(b.number(), number));
    (void)other.release();
  }
  auto listener = must(blocking::Listener::listen("127.0.0.1", 0));
  const int number = listener.descriptors().front();
  ASSERT_EQ(::close(number), 0);
  const IoError error = error_of(listener.accept_plain(after(2s)));
  EXPECT_EQ(error.number, EBADF);
  EXPECT_THAT(error.text, HasSubstr("closed the descriptor of the socket"));
  auto [a, b] = socket_pair();
  ASSERT_EQ(::dup2(a.number(), number), number);
}

TEST(BlockingSocket, AcceptsLaterWhatThereWasNoDescriptorFor) {
#ifdef LOCKSTEP_SANITIZED
  GTEST_SKIP() << "the undefined behaviour sanitizer needs descriptors of its own to look at a virtual table";
#endif
  auto listener = must(blocking::Listener::listen("127.0.0.1", 0));
  const Socket client = must(Socket::connect(listener.address(), after(10s)));
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  rlimit none = before;
  none.rlim_cur = static_cast<rlim_t>(listener.descriptors().front());
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  const auto refused = listener.accept_plain(after(10s));
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_EQ(error_of(refused).number, EMFILE);
  EXPECT_TRUE(listener.accept_plain(after(10s)));
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
