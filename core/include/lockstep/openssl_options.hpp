#pragma once
// OpenSSL's option bits (SSL_OP_*), which Node calls secureOptions: for settings that come from there.
//
//     const auto options = lockstep::options_from_openssl(bits);
//     if (!options) return std::cerr << options.error() << '\n', 1;
//     options->apply(builder);

#include <cstdint>
#include <expected>
#include <string>

#include <lockstep/config.hpp>
#include <lockstep/export.hpp>
#include <lockstep/types.hpp>

namespace lockstep {

/// What option bits come to here.
struct OpensslOptions {
  ProtocolVersion min = ProtocolVersion::tls_1_2;
  ProtocolVersion max = ProtocolVersion::tls_1_3;
  bool server_preference = false;    ///< CIPHER_SERVER_PREFERENCE: without it a server follows its client's order
  bool tickets = true;               ///< NO_TICKET
  bool encrypt_then_mac = true;      ///< NO_ENCRYPT_THEN_MAC
  bool legacy_servers = false;       ///< LEGACY_SERVER_CONNECT: those without renegotiation_info
  bool client_renegotiates = false;  ///< ALLOW_CLIENT_RENEGOTIATION, unless NO_RENEGOTIATION says otherwise
  bool cookie = false;               ///< COOKIE_EXCHANGE

  template <Role kRole>
  void apply(BasicConfigBuilder<kRole>& builder) const {
    builder.versions(min, max).encrypt_then_mac(encrypt_then_mac);
    if constexpr (kRole == Role::server) {
      builder.server_preference(server_preference).cookie(cookie);
      if (!tickets) builder.tickets(0);
      if (client_renegotiates) builder.renegotiation(Renegotiation::freely);
    } else {
      builder.allow_no_renegotiation_info(legacy_servers);
    }
  }
};

/// Reads the bits of OpenSSL 3. Those that forbid what is not here anyway (NO_SSLv3, NO_COMPRESSION), that ask for what
/// is always so (PRIORITIZE_CHACHA, ENABLE_MIDDLEBOX_COMPAT) or that work around faults of programs long gone change
/// nothing. The error names a bit that nobody can have here, because it takes away what protects a connection
/// (NO_EXTENDED_MASTER_SECRET, NO_ANTI_REPLAY), a bit that OpenSSL does not have, or says that no version is left.
[[nodiscard]] LOCKSTEP_API std::expected<OpensslOptions, std::string> options_from_openssl(std::uint64_t bits);

}  // namespace lockstep
