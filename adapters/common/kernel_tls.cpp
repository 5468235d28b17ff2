#include "common/kernel_tls.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <linux/tls.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include "common/sockets.hpp"

namespace lockstep::kernel_tls {

namespace {

constexpr int kSolTls = 282;
constexpr std::uint8_t kApplicationData = 23;

std::uint16_t version_of(const TrafficKeys& keys) noexcept {
  return keys.version == ProtocolVersion::tls_1_2 ? TLS_1_2_VERSION : TLS_1_3_VERSION;
}

/// The kernel splits the nonce's fixed part into a salt and an iv, whose sizes depend on the cipher.
template <class Info>
Info info_of(const TrafficKeys& keys, std::uint16_t cipher) {
  Info info{};
  info.info = {.version = version_of(keys), .cipher_type = cipher};
  constexpr std::size_t kSaltSize = sizeof info.salt;
  std::ranges::copy(keys.key(), info.key);
  if constexpr (kSaltSize != 0) std::copy_n(keys.iv.begin(), kSaltSize, info.salt);
  std::copy_n(keys.iv.begin() + kSaltSize, sizeof info.iv, info.iv);
  for (std::size_t i = 0; i < sizeof info.rec_seq; ++i) {
    info.rec_seq[i] = static_cast<std::uint8_t>(keys.sequence >> (8 * (sizeof info.rec_seq - 1 - i)));
  }
  return info;
}

/// ChaCha20-Poly1305 has no salt, which C writes as an array without elements.
template <>
tls12_crypto_info_chacha20_poly1305 info_of(const TrafficKeys& keys, std::uint16_t cipher) {
  tls12_crypto_info_chacha20_poly1305 info{};
  info.info = {.version = version_of(keys), .cipher_type = cipher};
  std::ranges::copy(keys.key(), info.key);
  std::ranges::copy(keys.iv, info.iv);
  for (std::size_t i = 0; i < sizeof info.rec_seq; ++i) {
    info.rec_seq[i] = static_cast<std::uint8_t>(keys.sequence >> (8 * (sizeof info.rec_seq - 1 - i)));
  }
  return info;
}

template <class Info>
IoResult<void> give(int descriptor, const TrafficKeys& keys, std::uint16_t cipher) {
  Info info = info_of<Info>(keys, cipher);
  const int direction = keys.direction == Direction::send ? TLS_TX : TLS_RX;
  const int result = ::setsockopt(descriptor, kSolTls, direction, &info, sizeof info);
  const int error = errno;
  wipe({reinterpret_cast<std::uint8_t*>(&info), sizeof info});
  if (result == 0) return {};
  IoError failure = sockets::system_error(Operation::handshake, error);
  failure.text += "; the kernel's TLS did not take the keys: switch Options::kernel_tls off, or choose another suite";
  return std::unexpected(std::move(failure));
}

}  // namespace

IoResult<void> enable(int descriptor) {
  constexpr char kName[] = "tls";
  if (::setsockopt(descriptor, IPPROTO_TCP, TCP_ULP, kName, sizeof kName) == 0) return {};
  IoError failure = sockets::system_error(Operation::handshake, errno);
  failure.text += "; the kernel has no TLS for this socket (it needs CONFIG_TLS, the module tls, and TCP)";
  return std::unexpected(std::move(failure));
}

IoResult<void> install(int descriptor, const TrafficKeys& keys) {
  switch (keys.aead) {
    case AeadAlgorithm::aes_128_gcm:
      return give<tls12_crypto_info_aes_gcm_128>(descriptor, keys, TLS_CIPHER_AES_GCM_128);
    case AeadAlgorithm::aes_256_gcm:
      return give<tls12_crypto_info_aes_gcm_256>(descriptor, keys, TLS_CIPHER_AES_GCM_256);
    case AeadAlgorithm::chacha20_poly1305:
      return give<tls12_crypto_info_chacha20_poly1305>(descriptor, keys, TLS_CIPHER_CHACHA20_POLY1305);
    case AeadAlgorithm::aes_128_ccm:
      return give<tls12_crypto_info_aes_ccm_128>(descriptor, keys, TLS_CIPHER_AES_CCM_128);
    case AeadAlgorithm::aes_128_ccm_8:
    case AeadAlgorithm::aes_256_ccm:
    case AeadAlgorithm::aes_256_ccm_8: break;
  }
  return std::unexpected(sockets::plain_error(Operation::handshake, IoCondition::misuse,
                                              "the kernel's TLS does not know this suite; choose another"));
}

void set_record_type(msghdr& message, Control& control, std::uint8_t type) noexcept {
  message.msg_control = control.space;
  message.msg_controllen = sizeof control.space;
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = kSolTls;
  header->cmsg_type = TLS_SET_RECORD_TYPE;
  header->cmsg_len = CMSG_LEN(sizeof type);
  std::memcpy(CMSG_DATA(header), &type, sizeof type);
}

void expect_record_type(msghdr& message, Control& control) noexcept {
  message.msg_control = control.space;
  message.msg_controllen = sizeof control.space;
}

std::uint8_t record_type(msghdr& message) noexcept {
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr; header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level == kSolTls && header->cmsg_type == TLS_GET_RECORD_TYPE) return *CMSG_DATA(header);
  }
  return kApplicationData;
}

}  // namespace lockstep::kernel_tls
