#pragma once
// What a ClientHello says, in plain values: for servers that decide by it (`SelectConfig`), for logs and for tools.

#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <vector>

#include <lockstep/bytes.hpp>
#include <lockstep/error.hpp>
#include <lockstep/export.hpp>
#include <lockstep/provider.hpp>
#include <lockstep/types.hpp>

namespace lockstep {

/// The contents of a ClientHello (RFC 9846 4.2.2, RFC 5246 7.4.1.2). Lists are as they were sent, in their order, with
/// code points that nobody knows and with GREASE (RFC 8701); an extension that was not sent leaves its list empty.
///
///     const auto hello = ClientHelloInfo::read(question.client_hello).value();
///     log(hello.server_name, ja4(hello, provider));
struct LOCKSTEP_API ClientHelloInfo {
  /// Reads a whole message with its header, as `SelectConfig` has it. The error is the one with which an engine would
  /// refuse the message for its form.
  [[nodiscard]] static std::expected<ClientHelloInfo, Error> read(Bytes message);

  ProtocolVersion legacy_version{};
  std::array<std::uint8_t, 32> random{};
  std::vector<std::uint8_t> legacy_session_id;
  std::vector<CipherSuite> cipher_suites;  ///< signalling suites included
  std::vector<std::uint8_t> compression_methods;
  std::vector<ExtensionType> extensions;  ///< every type that was sent, in order

  std::string server_name;                    ///< empty: none
  std::vector<ProtocolVersion> versions;      ///< supported_versions; without that extension legacy_version alone
  std::vector<NamedGroup> groups;             ///< supported_groups
  std::vector<NamedGroup> key_shares;         ///< the groups that shares were sent of
  std::vector<SignatureScheme> schemes;       ///< signature_algorithms
  std::vector<SignatureScheme> schemes_cert;  ///< signature_algorithms_cert
  std::vector<std::string> alpn;
  std::vector<std::uint8_t> ec_point_formats;
  std::size_t psk_identities = 0;  ///< how many
  bool early_data = false;
  bool ocsp_requested = false;
  bool scts_requested = false;
  bool extended_main_secret = false;
  bool post_handshake_auth = false;
};

/// The JA4 fingerprint of a client over TCP (FoxIO's specification, JA4 proper): version, whether there is a server
/// name, how many suites and extensions, the first protocol, and digests of both lists. Empty where the provider has no
/// SHA-256. It tells programs apart and proves nothing: any client can send what another one sends.
[[nodiscard]] LOCKSTEP_API std::string ja4(const ClientHelloInfo& hello, const Provider& provider);
/// The text that JA3 takes the MD5 digest of: version, suites, extensions, groups and point formats, in decimal.
[[nodiscard]] LOCKSTEP_API std::string ja3_text(const ClientHelloInfo& hello);

}  // namespace lockstep
