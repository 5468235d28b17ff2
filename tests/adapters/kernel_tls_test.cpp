// Kernel TLS with a kernel of our own: the system calls that a loop makes for it are defined here and protect records
// as the kernel would. Where the real one has TLS, a test uses that too.

#include <array>
#include <cerrno>
#include <cstring>
#include <map>
#include <memory>
#include <mutex>

#include <dlfcn.h>
#include <linux/tls.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>

#include "../record_protection.hpp"
#include "loop_support.hpp"

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
struct Kernel {
  bool has_tls = false;
  bool takes_keys = true;
  std::map<int, std::unique_ptr<KernelSocket>> sockets;

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
  const MutableBytes out(static_cast<std::uint8_t*>(message.msg_iov[0].iov_base), message.msg_iov[0].iov_len);
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
    kernel().sockets.clear();
    kernel().has_tls = false;
    kernel().takes_keys = true;
  }
  loop::Options kernel_options(std::vector<CipherSuite> suites = {}) const {
    loop::Options options = server_options();
    if (!suites.empty()) options.config = built(server_config().suites(std::move(suites)));
    options.kernel_tls = true;
    return options;
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
  client.handler->on_handshake_do = [](loop::Stream& stream) { EXPECT_EQ(stream.write(as_bytes("a")), 1U); };
  const auto log = client.log;
  const auto server_log = server.log;
  connect(client, server, client_options(), kernel_options());
  turn_until([&] { return log->received == "a" && server_log->stream->kernel_tls().sending; });
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
  client.handler->on_handshake_do = [](loop::Stream& stream) { EXPECT_EQ(stream.write(as_bytes("a")), 1U); };
  const auto log = client.log;
  const auto server_log = server.log;
  connect(client, server, client_options(), kernel_options());
  turn_until([&] { return log->received == "a" && server_log->stream->kernel_tls().receiving; });
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
    client.handler->on_handshake_do = [](loop::Stream& stream) { EXPECT_EQ(stream.write(as_bytes("a")), 1U); };
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
  client.handler->on_handshake_do = [](loop::Stream& stream) { EXPECT_EQ(stream.write(as_bytes("a")), 1U); };
  const auto server_log = server.log;
  connect(client, server, client_options(), kernel_options());
  turn_until([&] { return server_log->closed; });
  ASSERT_TRUE(server_log->error);
  EXPECT_THAT(server_log->error->text, HasSubstr("kernel_tls"));
}

TEST_P(KernelTlsTest, CannotBeDowngraded) {
  End client;
  End server = echo_end();
  client.handler->on_handshake_do = [](loop::Stream& stream) { EXPECT_EQ(stream.write(as_bytes("a")), 1U); };
  const auto log = client.log;
  const auto server_log = server.log;
  connect(client, server, client_options(), kernel_options());
  turn_until([&] { return log->received == "a" && server_log->stream->kernel_tls().receiving; });
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
