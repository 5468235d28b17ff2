// Kernel TLS with a kernel of our own: the system calls that a loop makes for it are defined here and protect records
// as the kernel would. Where the real one has TLS, a test uses that too.

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <format>
#include <map>
#include <memory>

#include <dlfcn.h>
#include <gmock/gmock.h>
#include <linux/tls.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>

#include "loop_support.hpp"
#include "pair/record_protection.hpp"

namespace lockstep::testing {
namespace {

constexpr int kSolTls = 282;

/// What the kernel knows of a socket with TLS.
struct KernelSocket {
  RecordProtection send;
  RecordProtection receive;
  bool key_expired = false;          // a KeyUpdate was delivered, and no new key has come
  std::vector<std::uint8_t> opened;  // rest of a record's content
  std::size_t control_records_sent = 0;
  std::size_t control_records_received = 0;
  std::size_t keys_installed = 0;
};
/// The calls for TLS in which something can go wrong.
enum class TlsCall : std::uint8_t { enable, install, send, receive };
constexpr std::array<std::string_view, 4> kCallNames{"enable", "install", "send", "receive"};
constexpr int kShort = 0;  // instead of an errno: one byte is taken or given

struct Kernel {
  bool has_tls = false;
  bool takes_keys = true;
  std::map<int, std::unique_ptr<KernelSocket>> sockets;
  // The call that fails, counted from 0 among those of its kind.
  std::optional<TlsCall> failing;
  std::size_t failing_at = 0;
  int failing_number = 0;
  std::array<std::size_t, kCallNames.size()> calls{};

  /// What this call is to suffer: an errno, kShort, or nothing.
  std::optional<int> fault(TlsCall call) {
    const std::size_t number = calls[static_cast<std::size_t>(call)]++;
    return failing == call && number == failing_at ? std::optional(failing_number) : std::nullopt;
  }

  KernelSocket* find(int descriptor) {
    const auto found = sockets.find(descriptor);
    return found == sockets.end() ? nullptr : found->second.get();
  }
};
Kernel& kernel() {
  static Kernel value;
  return value;
}

template <class Function>
Function* real(const char* name) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

const Aead& aead_of(AeadAlgorithm algorithm) {
  for (const Aead* aead : provider().aeads) {
    if (aead->id == algorithm) return *aead;
  }
  throw std::runtime_error("no such AEAD");
}

template <class Info>
void install(KernelSocket& socket, int direction, const void* value, AeadAlgorithm algorithm, std::size_t salt_size,
             const unsigned char* salt) {
  Info info{};
  std::memcpy(&info, value, sizeof info);
  std::vector<std::uint8_t> iv(salt, salt + salt_size);
  iv.insert(iv.end(), std::begin(info.iv), std::end(info.iv));
  std::uint64_t sequence = 0;
  for (const unsigned char byte : info.rec_seq) sequence = sequence << 8U | byte;
  (direction == TLS_TX ? socket.send : socket.receive).install(aead_of(algorithm), info.key, iv, sequence);
  if (direction == TLS_RX) socket.key_expired = false;
  ++socket.keys_installed;
}

/// 0, or -1 with errno.
int install(KernelSocket& socket, int direction, const void* value, socklen_t size) {
  if (const auto fault = kernel().fault(TlsCall::install)) {
    errno = *fault;
    return -1;
  }
  tls_crypto_info head{};
  std::memcpy(&head, value, sizeof head);
  if (!kernel().takes_keys || head.version != TLS_1_3_VERSION) {
    errno = EINVAL;
    return -1;
  }
  switch (head.cipher_type) {
    case TLS_CIPHER_AES_GCM_128: {
      EXPECT_EQ(size, sizeof(tls12_crypto_info_aes_gcm_128));
      tls12_crypto_info_aes_gcm_128 info{};
      std::memcpy(&info, value, sizeof info);
      install<tls12_crypto_info_aes_gcm_128>(socket, direction, value, AeadAlgorithm::aes_128_gcm, 4, info.salt);
      return 0;
    }
    case TLS_CIPHER_AES_GCM_256: {
      EXPECT_EQ(size, sizeof(tls12_crypto_info_aes_gcm_256));
      tls12_crypto_info_aes_gcm_256 info{};
      std::memcpy(&info, value, sizeof info);
      install<tls12_crypto_info_aes_gcm_256>(socket, direction, value, AeadAlgorithm::aes_256_gcm, 4, info.salt);
      return 0;
    }
    case TLS_CIPHER_CHACHA20_POLY1305:
      EXPECT_EQ(size, sizeof(tls12_crypto_info_chacha20_poly1305));
      install<tls12_crypto_info_chacha20_poly1305>(socket, direction, value, AeadAlgorithm::chacha20_poly1305, 0,
                                                   nullptr);
      return 0;
    default: errno = EINVAL; return -1;
  }
}

/// Seals one record and sends all of it.
ssize_t send_record(int descriptor, KernelSocket& socket, const msghdr& message) {
  const auto fault = kernel().fault(TlsCall::send);
  if (fault && *fault != kShort) {
    errno = *fault;
    return -1;
  }
  std::uint8_t type = 23;
  auto* mutable_message = const_cast<msghdr*>(&message);
  for (cmsghdr* header = CMSG_FIRSTHDR(mutable_message); header != nullptr;
       header = CMSG_NXTHDR(mutable_message, header)) {
    if (header->cmsg_level == kSolTls && header->cmsg_type == TLS_SET_RECORD_TYPE) type = *CMSG_DATA(header);
  }
  std::vector<std::uint8_t> content;
  for (std::size_t i = 0; i < message.msg_iovlen; ++i) {
    const auto* bytes = static_cast<const std::uint8_t*>(message.msg_iov[i].iov_base);
    content.insert(content.end(), bytes, bytes + message.msg_iov[i].iov_len);
  }
  if (content.size() > 16384) content.resize(16384);  // the rest another time
  if (fault && type == 23) content.resize(1);
  if (type != 23) ++socket.control_records_sent;
  const auto record = socket.send.seal(type, content);
  static auto* const real_send = real<ssize_t(int, const void*, size_t, int)>("send");
  for (std::size_t done = 0; done < record.size();) {
    const ssize_t size = real_send(descriptor, record.data() + done, record.size() - done, MSG_NOSIGNAL);
    if (size > 0) {
      done += static_cast<std::size_t>(size);
    } else {
      return -1;  // the tests' sockets have room
    }
  }
  return static_cast<ssize_t>(content.size());
}

/// One record's content, or what is left of it.
ssize_t receive_record(int descriptor, KernelSocket& socket, msghdr& message) {
  static auto* const real_recv = real<ssize_t(int, void*, size_t, int)>("recv");
  MutableBytes out(static_cast<std::uint8_t*>(message.msg_iov[0].iov_base), message.msg_iov[0].iov_len);
  if (const auto fault = kernel().fault(TlsCall::receive)) {
    if (*fault != kShort) {
      errno = *fault;
      return -1;
    }
    out = out.first(1);
  }
  std::uint8_t type = 23;
  if (socket.opened.empty()) {
    if (socket.key_expired) {
      errno = EKEYEXPIRED;
      return -1;
    }
    std::array<std::uint8_t, 5> header{};
    const ssize_t peeked = real_recv(descriptor, header.data(), header.size(), MSG_PEEK | MSG_DONTWAIT);
    if (peeked <= 0) return peeked;
    int available = 0;
    ::ioctl(descriptor, FIONREAD, &available);
    const std::size_t size = 5 + static_cast<std::size_t>(header[3] << 8U | header[4]);
    if (peeked < 5 || static_cast<std::size_t>(available) < size) {
      errno = EAGAIN;
      return -1;
    }
    std::vector<std::uint8_t> record(size);
    for (std::size_t done = 0; done < size;) {
      const ssize_t got = real_recv(descriptor, record.data() + done, size - done, MSG_DONTWAIT);
      if (got <= 0) return got;
      done += static_cast<std::size_t>(got);
    }
    auto opened = socket.receive.open(record);
    if (!opened) {
      errno = EBADMSG;
      return -1;
    }
    type = opened->first;
    socket.opened = std::move(opened->second);
    if (type != 23) ++socket.control_records_received;
    if (type == 22 && !socket.opened.empty() && socket.opened[0] == 24) socket.key_expired = true;
  }
  const std::size_t size = std::min(out.size(), socket.opened.size());
  std::copy_n(socket.opened.begin(), size, out.begin());
  socket.opened.erase(socket.opened.begin(), socket.opened.begin() + static_cast<std::ptrdiff_t>(size));
  cmsghdr* control = CMSG_FIRSTHDR(&message);
  control->cmsg_level = kSolTls;
  control->cmsg_type = TLS_GET_RECORD_TYPE;
  control->cmsg_len = CMSG_LEN(1);
  *CMSG_DATA(control) = type;
  return static_cast<ssize_t>(size);
}

}  // namespace
}  // namespace lockstep::testing

// --- the system calls ------------------------------------------------------------------------------------------------

extern "C" int setsockopt(int descriptor, int level, int option, const void* value, socklen_t size) noexcept {
  using namespace lockstep::testing;
  if (level == IPPROTO_TCP && option == TCP_ULP) {
    if (!kernel().has_tls) {
      errno = ENOENT;
      return -1;
    }
    if (const auto fault = kernel().fault(TlsCall::enable)) {
      errno = *fault;
      return -1;
    }
    kernel().sockets[descriptor] = std::make_unique<KernelSocket>();
    return 0;
  }
  if (KernelSocket* socket = kernel().find(descriptor); socket != nullptr && level == kSolTls) {
    return install(*socket, option, value, size);
  }
  static auto* const next = real<int(int, int, int, const void*, socklen_t)>("setsockopt");
  return next(descriptor, level, option, value, size);
}

extern "C" ssize_t sendmsg(int descriptor, const msghdr* message, int flags) {
  using namespace lockstep::testing;
  if (KernelSocket* socket = kernel().find(descriptor); socket != nullptr && socket->send.installed()) {
    return send_record(descriptor, *socket, *message);
  }
  static auto* const next = real<ssize_t(int, const msghdr*, int)>("sendmsg");
  return next(descriptor, message, flags);
}

extern "C" ssize_t recvmsg(int descriptor, msghdr* message, int flags) {
  using namespace lockstep::testing;
  if (KernelSocket* socket = kernel().find(descriptor); socket != nullptr && socket->receive.installed()) {
    return receive_record(descriptor, *socket, *message);
  }
  static auto* const next = real<ssize_t(int, msghdr*, int)>("recvmsg");
  return next(descriptor, message, flags);
}

// --- tests -----------------------------------------------------------------------------------------------------------

namespace lockstep::testing {
namespace {

using ::testing::HasSubstr;

class KernelTlsTest : public LoopTest {
 protected:
  void SetUp() override { kernel().has_tls = true; }
  void TearDown() override {
    loop_.reset();
    kernel() = {};
  }
  loop::Options kernel_options(std::vector<CipherSuite> suites = {}) const {
    loop::Options options = server_options();
    if (!suites.empty()) options.config = built(server_config().suites(std::move(suites)));
    options.kernel_tls = true;
    return options;
  }
  /// A connection that has echoed one byte; the server's records are in the kernel's hands both ways.
  void connect_in_kernel(End& client, End& server) {
    client.handler->on_handshake_do = Writer("a");
    const auto log = client.log;
    connect(client, server, client_options(), kernel_options());
    turn_until([&] { return log->received == "a" && server.log->stream->kernel_tls().receiving; });
  }
  KernelSocket& socket_of(const Log& log) { return *kernel().find(log.stream->descriptor()); }
};
INSTANTIATE_TEST_SUITE_P(Epoll, KernelTlsTest, ::testing::Values(loop_kinds().front()),
                         [](const auto& kind) { return std::string(kind.param.name); });
/// The same where the kernel has none, which is so for every kind of loop.
using NoKernelTlsTest = LoopTest;
INSTANTIATE_TEST_SUITE_P(Loops, NoKernelTlsTest, ::testing::ValuesIn(loop_kinds()),
                         [](const auto& kind) { return std::string(kind.param.name); });

TEST_P(KernelTlsTest, CarriesDataWithEverySuite) {
  for (const CipherSuite suite : {CipherSuite::tls_aes_128_gcm_sha256, CipherSuite::tls_aes_256_gcm_sha384,
                                  CipherSuite::tls_chacha20_poly1305_sha256}) {
    End client;
    End server = echo_end();
    const std::string text = pattern(60'000);
    Writer writer(text);
    client.handler->on_handshake_do = client.handler->on_writable_do = std::ref(writer);
    const auto log = client.log;
    const auto server_log = server.log;
    connect(client, server, client_options(), kernel_options({suite}));
    turn_until([&] { return log->received.size() == text.size(); });
    EXPECT_EQ(log->received, text);
    const loop::KernelTls protection = server_log->stream->kernel_tls();
    EXPECT_TRUE(protection.sending);
    EXPECT_TRUE(protection.receiving);
    EXPECT_EQ(protection.why_not, "");
    log->stream->close();
    turn_until([&] { return log->closed && server_log->closed; });
    EXPECT_FALSE(log->error) << log->error->text;
    EXPECT_FALSE(server_log->error) << server_log->error->text;
    kernel().sockets.clear();
  }
}

TEST_P(KernelTlsTest, ChangesKeysBothWays) {
  End client;
  End server = echo_end();
  const auto log = client.log;
  const auto server_log = server.log;
  connect_in_kernel(client, server);
  std::string expected = "a";
  for (int turn = 0; turn < 3; ++turn) {
    ASSERT_TRUE(server_log->stream->update_keys(true));
    ASSERT_TRUE(log->stream->update_keys(true));
    EXPECT_EQ(log->stream->write(as_bytes("b")), 1U);
    expected += 'b';
    turn_until([&] { return log->received == expected; });
  }
  turn_for(50ms);
  EXPECT_GE(socket_of(*server_log).keys_installed, 2U + 6U);
  EXPECT_GE(socket_of(*server_log).control_records_sent, 3U);
  EXPECT_FALSE(server_log->closed);
}

TEST_P(KernelTlsTest, SendsAlertsUnderTheirType) {
  End client;
  End server = echo_end();
  const auto log = client.log;
  const auto server_log = server.log;
  connect_in_kernel(client, server);
  KernelSocket& socket = socket_of(*server_log);
  server_log->stream->close();
  turn_until([&] { return log->closed; });
  EXPECT_TRUE(log->ended) << "close_notify was understood";
  EXPECT_FALSE(log->error) << log->error->text;
  EXPECT_EQ(socket.control_records_sent, 1U);
}

TEST_P(KernelTlsTest, NoticesTruncationAndAlteredRecords) {
  for (const bool alter : {false, true}) {
    auto [a, b] = socket_pair();
    const int wire = ::dup(a.number());
    End client;
    End server = echo_end();
    client.handler->on_handshake_do = Writer("a");
    const auto log = client.log;
    const auto server_log = server.log;
    wrap_server(std::move(b), server, kernel_options());
    wrap_client(std::move(a), client);
    turn_until([&] { return log->received == "a" && server_log->stream->kernel_tls().receiving; });
    const Descriptor owned(wire);
    if (alter) {
      const std::array<std::uint8_t, 30> record{23, 3, 3, 0, 25};
      ASSERT_EQ(::send(wire, record.data(), record.size(), 0), 30);
    } else {
      ::shutdown(wire, SHUT_WR);
    }
    turn_until([&] { return server_log->closed; });
    ASSERT_TRUE(server_log->error);
    if (alter) {
      EXPECT_EQ(server_log->error->number, EBADMSG);
    } else {
      ASSERT_TRUE(server_log->error->tls);
      EXPECT_EQ(server_log->error->tls->reason, Reason::truncated);
    }
    turn_until([&] { return log->closed; });
    kernel().sockets.clear();
  }
}

TEST_P(KernelTlsTest, FailsWhenTheKernelRefusesTheKeys) {
  kernel().takes_keys = false;
  End client;
  End server = echo_end();
  client.handler->on_handshake_do = Writer("a");
  const auto server_log = server.log;
  connect(client, server, client_options(), kernel_options());
  turn_until([&] { return server_log->closed; });
  ASSERT_TRUE(server_log->error);
  EXPECT_THAT(server_log->error->text, HasSubstr("kernel_tls"));
}

TEST_P(KernelTlsTest, FailsWhenTheKernelRefusesNewKeys) {
  // As kernels before Linux 6.14 do. The loop goes on: other connections come after.
  for (const bool peers : {false, true, false, true}) {
    SCOPED_TRACE(peers ? "the peer's" : "its own");
    kernel().takes_keys = true;
    End client;
    End server = echo_end();
    const auto log = client.log;
    const auto server_log = server.log;
    connect_in_kernel(client, server);
    kernel().takes_keys = false;
    ASSERT_TRUE((peers ? log : server_log)->stream->update_keys(false));
    EXPECT_EQ(log->stream->write(as_bytes("b")), 1U);
    turn_until([&] { return server_log->closed && log->closed; });
    ASSERT_TRUE(server_log->error);
    EXPECT_THAT(server_log->error->text, HasSubstr("the kernel's TLS did not take the keys"));
    EXPECT_EQ(log->received, "a");
    kernel().sockets.clear();
  }
}

TEST_P(KernelTlsTest, LosesNothingWhenACallFails) {
  // Each call for TLS in turn fails once, with each error. What passes costs nothing; what does not ends the connection
  // with an error that names the operation, and what has arrived until then is a beginning of what was sent.
  std::size_t scenes = 0;
  std::size_t failures = 0;
  const std::string text = pattern(40'000);
  for (const TlsCall call : {TlsCall::enable, TlsCall::install, TlsCall::send, TlsCall::receive}) {
    const bool data = call == TlsCall::send || call == TlsCall::receive;
    for (const int number : {kShort, EINTR, EAGAIN, ENOBUFS, ENOMEM, ECONNRESET}) {
      if (number == kShort && !data) continue;
      for (std::size_t at = 0;; ++at) {
        SCOPED_TRACE(std::format("{} {} fails with {}", kCallNames[static_cast<std::size_t>(call)], at,
                                 number == kShort ? "one byte" : std::strerror(number)));
        kernel().sockets.clear();
        kernel().calls = {};
        kernel().failing = call;
        kernel().failing_at = at;
        kernel().failing_number = number;
        End client;
        End server = echo_end();
        // One byte, until the kernel has the keys or will not have them; then the rest.
        Writer writer(text.substr(1));
        client.handler->on_handshake_do = Writer(text.substr(0, 1));
        client.handler->on_writable_do = std::ref(writer);
        const auto log = client.log;
        const auto server_log = server.log;
        connect(client, server, client_options(), kernel_options());
        turn_until([&] {
          if (server_log->closed) return true;
          const loop::KernelTls protection = server_log->stream->kernel_tls();
          return log->received.size() == 1 && (protection.sending || !protection.why_not.empty());
        });
        if (log->stream != nullptr) writer(*log->stream);
        bool rekeyed = false;
        turn_until([&] {
          // Key updates make the calls for them, too.
          if (!rekeyed && log->received.size() > 20'000 && server_log->stream != nullptr)
            rekeyed = server_log->stream->update_keys(true).has_value();
          return log->closed || server_log->closed || log->received.size() == text.size();
        });
        const bool reached = kernel().calls[static_cast<std::size_t>(call)] > at;
        if (reached) ++scenes;
        EXPECT_TRUE(text.starts_with(log->received)) << "at " << log->received.size();
        const bool passes = data && (number == kShort || number == EINTR || number == EAGAIN || number == ENOBUFS);
        if (passes || call == TlsCall::enable || !reached) {
          EXPECT_EQ(log->received.size(), text.size());
          EXPECT_FALSE(server_log->error) << server_log->error->text;
          if (server_log->stream != nullptr) {
            EXPECT_EQ(server_log->stream->kernel_tls().why_not.empty(), call != TlsCall::enable || !reached);
          }
        } else {
          ++failures;
          turn_until([&] { return server_log->closed; });
          ASSERT_TRUE(server_log->error);
          EXPECT_EQ(server_log->error->number, number);
          const Operation operation = call == TlsCall::install ? Operation::handshake
                                      : call == TlsCall::send  ? Operation::write
                                                               : Operation::read;
          EXPECT_EQ(server_log->error->operation, operation) << server_log->error->text;
        }
        for (const auto& each : {log, server_log}) {
          if (each->stream != nullptr) each->stream->close();
        }
        turn_until([&] { return log->closed && server_log->closed; });
        if (!reached || HasFatalFailure()) break;
      }
    }
  }
  std::printf("kernel TLS: %zu scenes, %zu of them ended with an error that names the operation\n", scenes, failures);
  EXPECT_GT(scenes, 40U);
}

TEST_P(KernelTlsTest, CannotBeDowngraded) {
  End client;
  End server = echo_end();
  const auto log = client.log;
  const auto server_log = server.log;
  connect_in_kernel(client, server);
  server_log->stream->downgrade();
  ASSERT_TRUE(server_log->error);
  EXPECT_EQ(server_log->error->condition, IoCondition::misuse);
}

TEST_P(NoKernelTlsTest, GoesOnWithoutAndSaysWhy) {
  End client;
  End server = echo_end();
  client.handler->on_handshake_do = [](loop::Stream& stream) { EXPECT_EQ(stream.write(as_bytes("hello")), 5U); };
  const auto log = client.log;
  const auto server_log = server.log;
  loop::Options options = server_options();
  options.kernel_tls = true;
  connect(client, server, client_options(), options);
  turn_until([&] { return log->received == "hello"; });
  turn_until([&] { return !server_log->stream->kernel_tls().why_not.empty(); });
  EXPECT_FALSE(server_log->stream->kernel_tls().sending);
  EXPECT_THAT(server_log->stream->kernel_tls().why_not, HasSubstr("No such file or directory"));
}

}  // namespace
}  // namespace lockstep::testing
