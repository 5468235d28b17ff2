#include <array>
#include <string_view>

#include <lockstep/openssl_options.hpp>

namespace lockstep {
namespace {

constexpr std::uint64_t bit(unsigned place) { return std::uint64_t{1} << place; }

// OpenSSL 3.5, include/openssl/ssl.h: the numbers of SSL_OP_*.
constexpr std::uint64_t kLegacyServerConnect = bit(2);
constexpr std::uint64_t kAllowClientRenegotiation = bit(8);
constexpr std::uint64_t kCookieExchange = bit(13);
constexpr std::uint64_t kNoTicket = bit(14);
constexpr std::uint64_t kNoEncryptThenMac = bit(19);
constexpr std::uint64_t kCipherServerPreference = bit(22);
constexpr std::uint64_t kNoTls12 = bit(27);
constexpr std::uint64_t kNoTls13 = bit(29);
constexpr std::uint64_t kNoRenegotiation = bit(30);

// CLEANSE_PLAINTEXT, ENABLE_KTLS, TLSEXT_PADDING, SAFARI_ECDHE_ECDSA_BUG, DISABLE_TLSEXT_CA_NAMES,
// DONT_INSERT_EMPTY_FRAGMENTS, NO_QUERY_MTU, CISCO_ANYCONNECT, NO_SESSION_RESUMPTION_ON_RENEGOTIATION, NO_COMPRESSION,
// ENABLE_MIDDLEBOX_COMPAT, PRIORITIZE_CHACHA, NO_SSLv3, NO_TLSv1, NO_TLSv1_1, CRYPTOPRO_TLSEXT_BUG,
// NO_TX_CERTIFICATE_COMPRESSION, NO_RX_CERTIFICATE_COMPRESSION, ENABLE_KTLS_TX_ZEROCOPY_SENDFILE
constexpr std::uint64_t kNothingToDo = bit(1) | bit(3) | bit(4) | bit(6) | bit(9) | bit(11) | bit(12) | bit(15) |
                                       bit(16) | bit(17) | bit(20) | bit(21) | bit(25) | bit(26) | bit(28) | bit(31) |
                                       bit(32) | bit(33) | bit(34);

struct Refused {
  std::uint64_t bits;
  std::string_view name;
  std::string_view why;
};

constexpr std::array kRefused = {
    Refused{bit(0), "NO_EXTENDED_MASTER_SECRET", "the extended master secret is always asked for"},
    Refused{bit(7), "IGNORE_UNEXPECTED_EOF", "an end without close_notify is always told"},
    Refused{bit(10), "ALLOW_NO_DHE_KEX", "a key exchange is always made"},
    Refused{bit(18), "ALLOW_UNSAFE_LEGACY_RENEGOTIATION", "renegotiation is secure (RFC 5746), or there is none"},
    Refused{bit(23), "TLS_ROLLBACK_BUG", "the version in the premaster secret always counts"},
    Refused{bit(24), "NO_ANTI_REPLAY", "early data is taken once; AcceptEarlyData decides otherwise"},
    Refused{bit(35), "PREFER_NO_DHE_KEX", "a key exchange is always made"},
};

}  // namespace

std::expected<OpensslOptions, std::string> options_from_openssl(std::uint64_t bits) {
  for (const Refused& refused : kRefused) {
    if ((bits & refused.bits) != 0)
      return std::unexpected("SSL_OP_" + std::string(refused.name) + ": " + std::string(refused.why));
  }
  constexpr std::uint64_t kKnown = kLegacyServerConnect | kAllowClientRenegotiation | kCookieExchange | kNoTicket |
                                   kNoEncryptThenMac | kCipherServerPreference | kNoTls12 | kNoTls13 |
                                   kNoRenegotiation | kNothingToDo;
  if ((bits & ~kKnown) != 0) return std::unexpected("a bit of the options is none of OpenSSL's");
  const auto has = [bits](std::uint64_t option) { return (bits & option) != 0; };
  if (has(kNoTls12) && has(kNoTls13))
    return std::unexpected("the options leave no version: SSL_OP_NO_TLSv1_2 and SSL_OP_NO_TLSv1_3");
  return OpensslOptions{.min = has(kNoTls12) ? ProtocolVersion::tls_1_3 : ProtocolVersion::tls_1_2,
                        .max = has(kNoTls13) ? ProtocolVersion::tls_1_2 : ProtocolVersion::tls_1_3,
                        .server_preference = has(kCipherServerPreference),
                        .tickets = !has(kNoTicket),
                        .encrypt_then_mac = !has(kNoEncryptThenMac),
                        .legacy_servers = has(kLegacyServerConnect),
                        .client_renegotiates = has(kAllowClientRenegotiation) && !has(kNoRenegotiation),
                        .cookie = has(kCookieExchange)};
}

}  // namespace lockstep
