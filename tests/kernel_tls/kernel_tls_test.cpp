// Kernel TLS under a kernel that has it. tests/kernel_tls/boot runs this program in a machine of its own; a developer
// whose kernel has the module can run it as it is. What a kernel must not be left to do by itself (altered keys,
// refusals) is tested with a fake one in tests/adapters/kernel_tls_test.cpp.

#include <array>
#include <cstdlib>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/tcp.h>
#include <sys/utsname.h>

#include "../adapters/loop_support.hpp"

namespace lockstep::testing {
namespace {

using ::testing::HasSubstr;

/// A kernel changes keys since 6.14.
bool changes_keys() {
  utsname names{};
  ::uname(&names);
  int major = 0;
  int minor = 0;
  return std::sscanf(names.release, "%d.%d", &major, &minor) == 2 && std::pair(major, minor) >= std::pair(6, 14);
}

std::pair<Descriptor, Descriptor> tcp_pair() {
  Descriptor listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (::bind(listener.number(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(listener.number(), 1) != 0 ||
      ::getsockname(listener.number(), reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    throw std::runtime_error("listen");
  }
  Descriptor one = tcp_connect(ntohs(address.sin_port));
  Descriptor other(::accept4(listener.number(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
  return {std::move(one), std::move(other)};
}

class RealKernelTlsTest : public LoopTest {
 protected:
  void SetUp() override {
    auto [one, other] = tcp_pair();
    if (::setsockopt(one.number(), IPPROTO_TCP, TCP_ULP, "tls", 4) == 0) return;
    ASSERT_EQ(std::getenv("LOCKSTEP_NEEDS_KERNEL_TLS"), nullptr) << "the machine was started for its kernel's TLS";
    GTEST_SKIP() << "this kernel has no TLS; tests/kernel_tls/boot starts one that has";
  }
  loop::Options in_kernel(loop::Options options) const {
    options.kernel_tls = true;
    return options;
  }
  loop::Options server_with(CipherSuite suite) const {
    loop::Options options = server_options();
    options.config = built(server_config().suites({suite}));
    return options;
  }
  void connect_tcp(End& client, End& server, loop::Options client_side, loop::Options server_side) {
    auto [a, b] = tcp_pair();
    wire_ = Descriptor(::dup(a.number()));
    wrap_server(std::move(b), server, std::move(server_side));
    wrap_client(std::move(a), client, std::move(client_side));
  }
  /// A connection that has echoed one byte; the server's records are in the kernel's hands, the client's in the
  /// engine's.
  void connect_half(End& client, End& server) {
    client.handler->on_handshake_do = Writer("a");
    const auto log = client.log;
    connect_tcp(client, server, client_options(), in_kernel(server_options()));
    turn_until([&] { return log->received == "a" && server.log->stream->kernel_tls().sending; });
  }
  [[nodiscard]] bool receives() const { return GetParam().name == "epoll"; }

  Descriptor wire_;  ///< the client's end, for who wants to spoil it
};
INSTANTIATE_TEST_SUITE_P(Loops, RealKernelTlsTest, ::testing::ValuesIn(loop_kinds()), kind_name);

TEST_P(RealKernelTlsTest, CarriesDataWithEverySuite) {
  for (const CipherSuite suite : {CipherSuite::tls_aes_128_gcm_sha256, CipherSuite::tls_aes_256_gcm_sha384,
                                  CipherSuite::tls_chacha20_poly1305_sha256, CipherSuite::tls_aes_128_ccm_sha256}) {
    for (const bool both : {false, true}) {
      SCOPED_TRACE(std::string(name(suite)) + (both ? ", both ends" : ", the server"));
      End client;
      End server = echo_end();
      const std::string text = pattern(1'000'000);
      Writer writer(text);
      client.handler->on_handshake_do = client.handler->on_writable_do = std::ref(writer);
      const auto log = client.log;
      const auto server_log = server.log;
      loop::Options client_side = client_options();
      client_side.config = built(client_config().suites({suite}));
      client_side.kernel_tls = both;
      connect_tcp(client, server, client_side, in_kernel(server_with(suite)));
      turn_until([&] { return log->closed || log->received.size() == text.size(); });
      ASSERT_FALSE(log->error) << log->error->text;
      EXPECT_TRUE(log->received == text);
      for (const auto* stream : {both ? log->stream : server_log->stream, server_log->stream}) {
        EXPECT_TRUE(stream->kernel_tls().sending) << stream->kernel_tls().why_not;
        EXPECT_EQ(stream->kernel_tls().receiving, receives());
        EXPECT_EQ(stream->kernel_tls().why_not, "");
      }
      log->stream->close();
      turn_until([&] { return log->closed && server_log->closed; });
      EXPECT_TRUE(server_log->ended) << "close_notify was understood";
      EXPECT_FALSE(log->error) << log->error->text;
      EXPECT_FALSE(server_log->error) << server_log->error->text;
    }
  }
}

TEST_P(RealKernelTlsTest, ResumesWithATicketThatTheKernelSaw) {
  // The tickets are on their way when the client's kernel takes over; the second connection resumes with one of them.
  std::vector<Session> sessions;
  for (const bool again : {false, true}) {
    End client;
    End server = echo_end();
    client.handler->on_handshake_do = Writer("a");
    const auto log = client.log;
    const auto server_log = server.log;
    auto [a, b] = tcp_pair();
    wrap_server(std::move(b), server, in_kernel(server_options()));
    must(loop_->wrap(std::move(a), in_kernel(client_options()), std::move(client.handler),
                     {.name = dns("example.com"), .sessions = sessions}));
    turn_until([&] { return log->received == "a" && log->stream->kernel_tls().sending; });
    EXPECT_EQ(log->resumed, again);
    sessions.clear();
    turn_until([&] {
      std::ranges::move(log->stream->sessions(), std::back_inserter(sessions));
      return !sessions.empty();
    });
    log->stream->close();
    turn_until([&] { return log->closed && server_log->closed; });
    EXPECT_FALSE(server_log->error) << server_log->error->text;
  }
}

TEST_P(RealKernelTlsTest, SendsAlertsUnderTheirType) {
  End client;
  End server = echo_end();
  const auto log = client.log;
  const auto server_log = server.log;
  connect_half(client, server);
  server_log->stream->close();
  turn_until([&] { return log->closed; });
  EXPECT_TRUE(log->ended) << "close_notify was understood";
  EXPECT_FALSE(log->error) << log->error->text;
}

TEST_P(RealKernelTlsTest, NoticesTruncation) {
  End client;
  End server = echo_end();
  const auto server_log = server.log;
  connect_half(client, server);
  ASSERT_EQ(::shutdown(wire_.number(), SHUT_WR), 0);
  turn_until([&] { return server_log->closed; });
  ASSERT_TRUE(server_log->error);
  ASSERT_TRUE(server_log->error->tls) << server_log->error->text;
  EXPECT_EQ(server_log->error->tls->reason, Reason::truncated);
}

TEST_P(RealKernelTlsTest, NoticesAnAlteredRecord) {
  End client;
  End server = echo_end();
  const auto server_log = server.log;
  connect_half(client, server);
  const std::array<std::uint8_t, 30> record{23, 3, 3, 0, 25};
  ASSERT_EQ(::send(wire_.number(), record.data(), record.size(), 0), 30);
  turn_until([&] { return server_log->closed; });
  ASSERT_TRUE(server_log->error);
  if (receives()) {
    EXPECT_EQ(server_log->error->number, EBADMSG);
  } else {
    ASSERT_TRUE(server_log->error->tls) << server_log->error->text;
    EXPECT_EQ(server_log->error->tls->reason, Reason::record_mac);
  }
}

TEST_P(RealKernelTlsTest, ChangesKeysWhereTheKernelDoes) {
  for (const bool peers : {false, true}) {
    SCOPED_TRACE(peers ? "the peer's" : "its own");
    End client;
    End server = echo_end();
    const auto log = client.log;
    const auto server_log = server.log;
    connect_half(client, server);
    ASSERT_TRUE((peers ? log : server_log)->stream->update_keys(false));
    EXPECT_EQ(log->stream->write(as_bytes("b")), 1U);
    turn_until([&] { return server_log->closed || log->received == "ab"; });
    if (changes_keys() || (peers && !receives())) {
      ASSERT_FALSE(server_log->error) << server_log->error->text;
      EXPECT_EQ(log->received, "ab");
    } else {
      ASSERT_TRUE(server_log->error);
      EXPECT_THAT(server_log->error->text, HasSubstr("the kernel's TLS did not take the keys"));
    }
  }
}

}  // namespace
}  // namespace lockstep::testing
