// What the adapters share about sockets: moments, addresses, listening, racing and lingering.

#include "adapters/common/sockets.hpp"

#include <array>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "adapters/common/addresses.hpp"
#include "adapters/common/lingering.hpp"
#include "adapters/common/race.hpp"
#include "socket_support.hpp"

namespace lockstep::testing {
namespace {

using namespace std::chrono_literals;
using sockets::Lingering;
using sockets::Race;
using sockets::SocketAddress;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

using Moment = std::chrono::steady_clock::time_point;

// --- moments ---------------------------------------------------------------------------------------------------------

TEST(Later, IsExactWhereTheClockCanSay) {
  constexpr Moment now(1h);
  static_assert(later(now, 5ms) == now + 5ms);
  static_assert(later(now, -5ms) == now - 5ms);
  static_assert(later(now, 0s) == now);
  static_assert(later(now, std::chrono::duration<double>(0.5)) == now + 500ms);
  static_assert(later(now, Moment::max() - now) == Moment::max());
  static_assert(later(now, Moment::max() - now - 1ns) == Moment::max() - 1ns);
}

TEST(Later, IsForEverBeyond) {
  constexpr Moment now(1h);
  static_assert(later(now, std::chrono::milliseconds::max()) == Moment::max());
  static_assert(later(now, std::chrono::nanoseconds::max()) == Moment::max());
  static_assert(later(now, std::chrono::hours::max()) == Moment::max());
  static_assert(later(now, std::chrono::milliseconds::min()) == Moment::min());
  static_assert(later(Moment(-1h), std::chrono::nanoseconds::min()) == Moment::min());
  static_assert(later(Moment::min(), std::chrono::milliseconds::max()) == Moment::max());
  static_assert(later(Moment::max(), 1ns) == Moment::max());
  static_assert(later(Moment::min(), -1ns) == Moment::min());
  static_assert(later(now, std::chrono::duration<double>(std::numeric_limits<double>::infinity())) == Moment::max());
}

// --- addresses -------------------------------------------------------------------------------------------------------

TEST(Addresses, AreReadAsTheyAreWritten) {
  for (const Address& address : std::initializer_list<Address>{{.host = "192.0.2.1", .port = 443},
                                                               {.host = "2001:db8::1", .port = 1},
                                                               {.host = "fe80::1%lo", .port = 65535},
                                                               {.host = "/run/app.sock"},
                                                               {.host = "./app.sock"},
                                                               {.host = "@app"}}) {
    EXPECT_EQ(Address::parse(address.text()), address) << address.text();
  }
  EXPECT_EQ((Address{.host = "fe80::1%lo", .port = 443}.text()), "[fe80::1%lo]:443");
}

TEST(Addresses, AreNothingElse) {
  for (const std::string_view text :
       {"", ":", "443", "192.0.2.1", "192.0.2.1:", "192.0.2.1:0", "192.0.2.1:65536", "192.0.2.1:4x", "192.0.2.1:-4",
        "192.0.2.1: 4", "[192.0.2.1]:443", "2001:db8::1:443", "[2001:db8::1]", "[2001:db8::1]443", "example.com:443",
        "[fe80::1%no-such-interface]:443", "app.sock"}) {
    EXPECT_EQ(Address::parse(text), std::nullopt) << text;
  }
  EXPECT_EQ(Address::parse("/" + std::string(200, 'x')), std::nullopt) << "too long for the system";
  EXPECT_EQ(Address::parse(std::string("/a\0b", 4)), std::nullopt);
}

TEST(Addresses, KeepTheirZones) {
  const auto address = SocketAddress::of({.host = "fe80::1%lo", .port = 443});
  ASSERT_TRUE(address);
  EXPECT_EQ(address->address().text(), "[fe80::1%lo]:443");
  sockaddr_in6 v6{};
  std::memcpy(&v6, address->data(), sizeof v6);
  EXPECT_NE(v6.sin6_scope_id, 0U);
  const auto resolved = must(resolve("[fe80::1%lo]", 443));
  EXPECT_THAT(resolved, ElementsAre(Address{.host = "fe80::1%lo", .port = 443}));
}

TEST(Addresses, HaveNamesWithoutBracketsAndZones) {
  EXPECT_EQ(sockets::without_zone("[fe80::1%eth0]"), "fe80::1");
  EXPECT_EQ(sockets::without_zone("2001:db8::1"), "2001:db8::1");
  EXPECT_EQ(sockets::without_zone("example.com"), "example.com");
  EXPECT_EQ(sockets::without_zone("a%b"), "a%b") << "no address, so not its zone";
}

TEST(Addresses, OfUnixSocketsCannotDriveATerminal) {
  const Descriptor socket = sockets::open_socket(AF_UNIX);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string name = std::string("\0lockstep\x1b[2J", 13) + std::to_string(::getpid());
  name.copy(address.sun_path, sizeof address.sun_path);
  ASSERT_EQ(::bind(socket.number(), reinterpret_cast<const sockaddr*>(&address),
                   static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size())),
            0);
  EXPECT_EQ(local_address(socket.number()), Address());
}

TEST(AddressesOf, AreTheResolversOnce) {
  const Resolve resolver = [](std::string_view host, std::uint16_t port) -> IoResult<std::vector<Address>> {
    EXPECT_EQ(host, "example.com");
    return std::vector<Address>{
        {.host = "2001:db8::1", .port = port}, {.host = "192.0.2.1", .port = 1}, {.host = "2001:db8::1", .port = port}};
  };
  EXPECT_THAT(must(sockets::addresses_of("example.com", 443, resolver)),
              ElementsAre(*SocketAddress::of({.host = "2001:db8::1", .port = 443}),
                          *SocketAddress::of({.host = "192.0.2.1", .port = 1})));
}

TEST(AddressesOf, FailsAsTheResolverDoes) {
  const auto failure = [](IoResult<std::vector<Address>> result) {
    return error_of(sockets::addresses_of("example.com", 443, [&](std::string_view, std::uint16_t) { return result; }));
  };
  EXPECT_EQ(failure(std::unexpected(IoError{.operation = Operation::resolve, .text = "mine"})).text, "mine");
  EXPECT_EQ(failure(std::vector<Address>{}).text, "resolve example.com:443: the name has no address");
  const IoError error = failure(std::vector<Address>{{.host = "example.net", .port = 443}});
  EXPECT_EQ(error.text, "resolve example.com:443: \"example.net:443\" is no address of this system");
  EXPECT_EQ(error.condition, IoCondition::resolver);
}

// --- listening -------------------------------------------------------------------------------------------------------

std::uint16_t port_of(const Descriptor& socket) { return local_address(socket.number()).port; }

bool has_ipv6() { return sockets::listen_at({.host = "::1"}).has_value(); }

bool connects(const std::string& host, std::uint16_t port) {
  const auto address = SocketAddress::of({.host = host, .port = port});
  const Descriptor socket(::socket(address->family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
  return ::connect(socket.number(), address->data(), address->size()) == 0;
}

TEST(ListenAll, TakesEveryAddressOfBothFamilies) {
  if (!has_ipv6()) GTEST_SKIP() << "this system has no IPv6";
  const auto all = must(sockets::listen_all("", 0));
  ASSERT_THAT(all, SizeIs(2));
  EXPECT_NE(port_of(all[0]), 0);
  EXPECT_EQ(port_of(all[0]), port_of(all[1]));
  EXPECT_TRUE(connects("127.0.0.1", port_of(all[0])));
  EXPECT_TRUE(connects("::1", port_of(all[0])));
}

TEST(ListenAll, TakesEveryAddressOfAName) {
  std::vector<std::string> hosts;
  for (const Address& address : must(resolve("localhost", 1))) hosts.push_back(address.host);
  const auto all = must(sockets::listen_all("localhost", 0));
  for (const Descriptor& socket : all) {
    EXPECT_THAT(hosts, ::testing::Contains(local_address(socket.number()).host));
    EXPECT_EQ(port_of(socket), port_of(all[0]));
  }
  for (const std::string& host : hosts) {
    if (host.contains(':') && !has_ipv6()) continue;
    EXPECT_TRUE(connects(host, port_of(all[0]))) << host;
  }
}

TEST(ListenAll, NeverTakesHalf) {
  if (!has_ipv6()) GTEST_SKIP() << "this system has no IPv6";
  for (const std::string_view taken : {"0.0.0.0", "::"}) {
    Descriptor other = sockets::open_socket(taken == "::" ? AF_INET6 : AF_INET);
    const int on = 1;
    if (taken == "::") ::setsockopt(other.number(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    const auto address = SocketAddress::of({.host = std::string(taken)});
    ASSERT_EQ(::bind(other.number(), address->data(), address->size()), 0);
    ASSERT_EQ(::listen(other.number(), 1), 0);
    const IoError error = error_of(sockets::listen_all("", port_of(other)));
    EXPECT_EQ(error.operation, Operation::listen);
    EXPECT_EQ(error.number, EADDRINUSE);
    EXPECT_EQ(error.text, "listen on *:" + std::to_string(port_of(other)) + ": " +
                              local_address(other.number()).text() + ": Address already in use");
  }
}

TEST(ListenAll, TakesIpv4ForTheUnspecifiedAddressOfIpv6Alone) {
  if (!has_ipv6()) GTEST_SKIP() << "this system has no IPv6";
  const auto all = must(sockets::listen_all("::", 0));
  ASSERT_THAT(all, SizeIs(1));
  EXPECT_TRUE(connects("127.0.0.1", port_of(all[0])));
}

TEST(ListenAll, SaysWhichAddressIsNotHere) {
  const IoError error = error_of(sockets::listen_all("203.0.113.77", 4433));
  EXPECT_EQ(error.number, EADDRNOTAVAIL);
  EXPECT_THAT(error.text, HasSubstr("203.0.113.77:4433"));
}

// --- Unix ------------------------------------------------------------------------------------------------------------

class UnixSockets : public ::testing::Test {
 protected:
  UnixSockets() { std::filesystem::create_directory(folder_); }
  ~UnixSockets() override { std::filesystem::remove_all(folder_); }

  std::string folder_ = ::testing::TempDir() + "lockstep-" + std::to_string(::getpid());
  Address address_{.host = folder_ + "/socket"};
};

TEST_F(UnixSockets, ListenWhileTheyLiveAndTakeTheirFileAlong) {
  {
    const auto listening = must(sockets::listen_at(address_));
    EXPECT_EQ(local_address(listening.socket.number()), address_);
    EXPECT_TRUE(connects(address_.host, 0));
    EXPECT_EQ(error_of(sockets::listen_at(address_)).number, EADDRINUSE) << "somebody listens";
    EXPECT_TRUE(connects(address_.host, 0));
  }
  EXPECT_FALSE(std::filesystem::exists(address_.host));
}

TEST_F(UnixSockets, TakeThePlaceOfOneThatWasLeftBehind) {
  const auto address = SocketAddress::of(address_);
  {
    const Descriptor left = sockets::open_socket(AF_UNIX);
    ASSERT_EQ(::bind(left.number(), address->data(), address->size()), 0);
    ASSERT_EQ(::listen(left.number(), 1), 0);
  }
  ASSERT_TRUE(std::filesystem::exists(address_.host));
  const auto listening = must(sockets::listen_at(address_));
  EXPECT_TRUE(connects(address_.host, 0));
}

TEST_F(UnixSockets, LeaveFilesThatAreNotTheirs) {
  std::ofstream(address_.host) << "precious";
  const IoError error = error_of(sockets::listen_at(address_));
  EXPECT_EQ(error.number, EADDRINUSE);
  EXPECT_THAT(error.text, HasSubstr(address_.host));
  EXPECT_EQ(std::filesystem::file_size(address_.host), 8U);

  std::filesystem::remove(address_.host);
  {
    const auto listening = must(sockets::listen_at(address_));
    std::filesystem::remove(address_.host);
    std::ofstream(address_.host) << "another's";
  }
  EXPECT_TRUE(std::filesystem::exists(address_.host)) << "the listener removes its own file alone";
}

TEST_F(UnixSockets, KeepTheirFileWhenAChildOfTheProcessEnds) {
  auto listening = must(sockets::listen_at(address_));
  const pid_t child = ::fork();
  if (child == 0) {
    {
      const sockets::Listening copy = std::move(listening);
    }
    ::_exit(0);
  }
  ASSERT_EQ(::waitpid(child, nullptr, 0), child);
  EXPECT_TRUE(std::filesystem::exists(address_.host));
}

TEST_F(UnixSockets, HaveAbstractNames) {
  const Address name{.host = "@lockstep-test-" + std::to_string(::getpid())};
  const auto listening = must(sockets::listen_at(name));
  EXPECT_EQ(local_address(listening.socket.number()), name);
  EXPECT_TRUE(connects(name.host, 0));
}

// --- racing ----------------------------------------------------------------------------------------------------------

SocketAddress numbered(const std::string& host) { return *SocketAddress::of({.host = host, .port = 443}); }

std::vector<std::string> order_of(Race& race, Moment now) {
  std::vector<std::string> order;
  while (race.due()) {
    if (const auto entrant = race.start(now)) order.push_back(race.address(*entrant).address().host);
    now += Race::kConnectionAttemptDelay;
  }
  return order;
}

TEST(RaceTest, LetsFamiliesTakeTurns) {
  const Moment now(1h);
  Race race({numbered("2001:db8::1"), numbered("2001:db8::2"), numbered("2001:db8::3"), numbered("192.0.2.1"),
             numbered("192.0.2.2")},
            now);
  EXPECT_THAT(order_of(race, now), ElementsAre("2001:db8::1", "192.0.2.1", "2001:db8::2", "192.0.2.2", "2001:db8::3"));
  Race other({numbered("192.0.2.1"), numbered("192.0.2.2"), numbered("2001:db8::1")}, now);
  EXPECT_THAT(order_of(other, now), ElementsAre("192.0.2.1", "2001:db8::1", "192.0.2.2")) << "the resolver's choice";
}

TEST(RaceTest, StartsTheNextAfterADelayOrAFailure) {
  const Moment now(1h);
  Race race({numbered("192.0.2.1"), numbered("192.0.2.2"), numbered("192.0.2.3")}, now);
  EXPECT_EQ(race.due(), now);
  EXPECT_EQ(race.start(now), 0U);
  EXPECT_EQ(race.start(now), std::nullopt);
  EXPECT_EQ(race.due(), now + 250ms);
  EXPECT_EQ(race.start(now + 249ms), std::nullopt);
  EXPECT_EQ(race.start(now + 250ms), 1U);
  EXPECT_EQ(race.due(), now + 500ms);
  race.failed(1, ECONNREFUSED);
  EXPECT_LE(race.due(), now) << "at once";
  EXPECT_EQ(race.start(now + 260ms), 2U);
  EXPECT_EQ(race.due(), std::nullopt);
  EXPECT_FALSE(race.lost()) << "two are on their way";
  race.failed(0, EHOSTUNREACH);
  EXPECT_FALSE(race.lost());
  race.failed(2, ENETUNREACH);
  EXPECT_TRUE(race.lost());
}

TEST(RaceTest, TellsOfAllWhoStarted) {
  const Moment now(1h);
  Race race({numbered("2001:db8::1"), numbered("192.0.2.1"), numbered("192.0.2.2")}, now);
  ASSERT_EQ(race.start(now), 0U);
  race.failed(0, ECONNREFUSED);
  ASSERT_EQ(race.start(now), 1U);
  const IoError late = race.failure("example.com:443", IoCondition::timeout);
  EXPECT_EQ(late.text, "connect to example.com:443: [2001:db8::1]:443: Connection refused; 192.0.2.1:443: timeout");
  EXPECT_EQ(late.number, ETIMEDOUT);
  EXPECT_EQ(late.condition, IoCondition::timeout);
  race.failed(1, ENETUNREACH);
  ASSERT_EQ(race.start(now), 2U);
  race.failed(2, EHOSTUNREACH);
  EXPECT_EQ(race.failure("x").number, EHOSTUNREACH);
  EXPECT_EQ(race.failure("x").condition, IoCondition::system);
}

// --- lingering -------------------------------------------------------------------------------------------------------

TEST(LingeringTest, WaitsForAcknowledgementsThenForQuiet) {
  const Moment start(1h);
  Lingering lingering(start, 500ms, 30s);
  for (Moment now = start; now < start + 20s; now += 1s) {
    const Moment again = lingering.look(now, 10);
    EXPECT_GT(again, now) << "it does not matter how slowly they go";
    EXPECT_LE(again, now + 1s);
  }
  EXPECT_EQ(lingering.look(start + 20s, 0), start + 20s + 500ms);
  EXPECT_EQ(lingering.look(start + 20s + 499ms, 0), start + 20s + 500ms);
  lingering.heard();
  EXPECT_EQ(lingering.look(start + 21s, 0), start + 21s + 500ms);
  EXPECT_EQ(lingering.look(start + 29s + 600ms, 0), start + 21s + 500ms) << "over";
}

TEST(LingeringTest, AsksEverLessOften) {
  const Moment start(1h);
  Lingering lingering(start, 500ms, 1h);
  Moment now = start;
  int looks = 0;
  for (; now < start + 60s; now = lingering.look(now, 10)) ++looks;
  EXPECT_LE(looks, 70);
  lingering.heard();
  EXPECT_EQ(lingering.look(now, 10), now + 50ms) << "who says something is there again";
  EXPECT_EQ(lingering.look(now, 10), now + 100ms);
  EXPECT_EQ(lingering.look(now, 0), now + 500ms);
  EXPECT_EQ(lingering.look(now, 10), now + 50ms);
}

TEST(LingeringTest, HasABoundWhateverThePeerDoes) {
  const Moment start(1h);
  Lingering lingering(start, 500ms, 30s);
  EXPECT_EQ(lingering.last(), start + 30s);
  EXPECT_EQ(lingering.look(start + 29s + 999ms, 1), start + 30s);
  EXPECT_EQ(lingering.look(start + 30s, 1), start + 30s) << "over";
  lingering.heard();
  EXPECT_LE(lingering.look(start + 31s, 0), start + 31s) << "over";
}

TEST(LingeringTest, TakesEveryTime) {
  const Moment start(1h);
  constexpr auto kEver = std::chrono::milliseconds::max();
  EXPECT_EQ(Lingering(start, kEver, kEver).look(start, 0), Moment::max());
  EXPECT_EQ(Lingering(start, kEver, 1s).look(start, 0), start + 1s);
  EXPECT_LE(Lingering(start, 0ms, 30s).look(start, 0), start);
  EXPECT_LE(Lingering(start, -1ms, kEver).look(start, 0), start);
  EXPECT_LE(Lingering(start, 500ms, -1ms).look(start, 1), start);
}

TEST(Unacknowledged, CountsWhatIsOnItsWay) {
  const auto listening = must(sockets::listen_at({.host = "127.0.0.1"}));
  const auto address = *SocketAddress::of(local_address(listening.socket.number()));
  const Descriptor reader(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  ASSERT_EQ(::connect(reader.number(), address.data(), address.size()), 0);
  const Descriptor writer(::accept4(listening.socket.number(), nullptr, nullptr, SOCK_NONBLOCK));
  EXPECT_EQ(sockets::unacknowledged(writer.number()), 0U);
  const std::vector<char> much(1'000'000);
  while (::send(writer.number(), much.data(), much.size(), MSG_NOSIGNAL) > 0) {
  }
  EXPECT_GT(sockets::unacknowledged(writer.number()), 0U);
  ::shutdown(writer.number(), SHUT_WR);
  std::vector<char> bytes(1'000'000);
  while (::recv(reader.number(), bytes.data(), bytes.size(), 0) > 0) {
  }
  EXPECT_EQ(sockets::unacknowledged(writer.number()), 0U) << "our end included";
}

TEST(Unacknowledged, IsNothingOnUnixSockets) {
  const auto [a, b] = socket_pair();
  ASSERT_EQ(::send(a.number(), "hello", 5, 0), 5);
  int memory = 0;
  ASSERT_EQ(::ioctl(a.number(), TIOCOUTQ, &memory), 0);
  EXPECT_GT(memory, 0) << "or this test shows nothing";
  EXPECT_EQ(sockets::unacknowledged(a.number()), 0U);
  EXPECT_EQ(sockets::unacknowledged(-1), 0U);
}

}  // namespace
}  // namespace lockstep::testing
