#pragma once
// ServerHello (RFC 9846 4.2.3) and HelloRetryRequest (4.2.4), which looks the same but for its random.

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <lockstep/bytes.hpp>
#include <lockstep/error.hpp>
#include <lockstep/types.hpp>

#include "codec/extensions.hpp"
#include "codec/handshake_message.hpp"
#include "codec/lists.hpp"

namespace lockstep::codec {

/// RFC 9846 4.2.3: the SHA-256 of "HelloRetryRequest", which stands in the place of ServerHello.random.
inline constexpr std::array<std::uint8_t, kRandomSize> kHelloRetryRequestRandom = {
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
    0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
};

/// RFC 9846 4.2.3: the last 8 bytes of ServerHello.random of a server that could have done better.
inline constexpr std::array<std::uint8_t, 8> kDowngradeToTls12 = {0x44, 0x4f, 0x57, 0x4e, 0x47, 0x52, 0x44, 0x01};
inline constexpr std::array<std::uint8_t, 8> kDowngradeToTls11 = {0x44, 0x4f, 0x57, 0x4e, 0x47, 0x52, 0x44, 0x00};

/// Whether the body of a server_hello message is a HelloRetryRequest, by its random.
[[nodiscard]] bool is_hello_retry_request(Bytes body) noexcept;

/// Views into the body that was decoded. Of TLS 1.3 when `supported_versions` is there, else of an older version.
struct ServerHello {
  static constexpr HandshakeType type = HandshakeType::server_hello;
  static constexpr Place place = Place::server_hello;
  static constexpr std::size_t max_size = kMaxServerHello;
  /// Decode the body of a server_hello message; `offered` is what the ClientHello offered.
  [[nodiscard]] static Decoded<ServerHello> decode(Bytes body, const DecodeContext& context = {}) noexcept;
  /// Two messages share the type; the random tells them apart.
  [[nodiscard]] static bool is(Bytes body) noexcept { return !is_hello_retry_request(body); }

  ProtocolVersion legacy_version{};
  Bytes random;  ///< kRandomSize bytes
  Bytes legacy_session_id_echo;
  CipherSuite cipher_suite{};
  Extensions extensions;

  std::optional<ProtocolVersion> supported_versions;  ///< selected_version
  std::optional<KeyShareEntry> key_share;
  std::optional<std::uint16_t> pre_shared_key;  ///< selected_identity
  // TLS 1.2
  bool server_name = false;
  bool extended_main_secret = false;
  bool encrypt_then_mac = false;
  bool session_ticket = false;
  bool status_request = false;
  std::optional<CodePoints<std::uint8_t>> ec_point_formats;
  std::optional<Bytes> renegotiation_info;
  std::optional<Bytes> application_layer_protocol_negotiation;
  std::optional<Bytes> signed_certificate_timestamps;  ///< a SignedCertificateTimestampList (RFC 6962 3.3)
  std::optional<std::uint8_t> max_fragment_length;
  std::optional<std::uint16_t> record_size_limit;
  std::optional<ProtocolNames> next_protocol_negotiation;  ///< may be empty

  /// selected_version, or legacy_version when there is none.
  [[nodiscard]] ProtocolVersion version() const noexcept { return supported_versions.value_or(legacy_version); }
};

struct HelloRetryRequest {
  static constexpr HandshakeType type = HandshakeType::server_hello;
  static constexpr Place place = Place::hello_retry_request;
  static constexpr std::size_t max_size = kMaxServerHello;
  [[nodiscard]] static Decoded<HelloRetryRequest> decode(Bytes body, const DecodeContext& context = {}) noexcept;
  /// Two messages share the type; the random tells them apart.
  [[nodiscard]] static bool is(Bytes body) noexcept { return is_hello_retry_request(body); }

  Bytes legacy_session_id_echo;
  CipherSuite cipher_suite{};
  Extensions extensions;

  ProtocolVersion supported_versions{};  ///< selected_version
  std::optional<NamedGroup> key_share;   ///< selected_group
  std::optional<Bytes> cookie;
};

/// What to write in TLS 1.3.
struct ServerHelloParameters {
  Bytes random{};  ///< kRandomSize bytes
  Bytes legacy_session_id_echo{};
  CipherSuite cipher_suite{};
  ProtocolVersion selected_version = ProtocolVersion::tls_1_3;
  std::optional<KeyShareEntry> key_share{};
  std::optional<std::uint16_t> selected_identity{};
};

struct HelloRetryRequestParameters {
  Bytes legacy_session_id_echo{};
  CipherSuite cipher_suite{};
  ProtocolVersion selected_version = ProtocolVersion::tls_1_3;
  std::optional<NamedGroup> selected_group{};
  Bytes cookie{};  ///< empty: none
};

/// What to write in TLS 1.2. Extensions that are false or empty are not written; without any the message ends before
/// them.
struct ServerHello12Parameters {
  Bytes random{};  ///< kRandomSize bytes
  Bytes session_id{};
  CipherSuite cipher_suite{};
  ProtocolVersion version = ProtocolVersion::tls_1_2;
  bool server_name = false;  ///< the server made use of the name
  bool extended_main_secret = false;
  bool encrypt_then_mac = false;
  bool session_ticket = false;                     ///< a NewSessionTicket follows
  bool status_request = false;                     ///< a CertificateStatus follows
  bool ec_point_formats = false;                   ///< uncompressed
  std::optional<Bytes> renegotiation_info{};       ///< empty in a first handshake
  Bytes application_layer_protocol_negotiation{};  ///< the protocol chosen
  Bytes signed_certificate_timestamps{};           ///< a SignedCertificateTimestampList (RFC 6962 3.3)
  std::optional<std::uint8_t> max_fragment_length{};
  std::optional<std::uint16_t> record_size_limit{};
  std::span<const std::string> next_protocol_negotiation{};
};

/// Write a whole message; an empty view when it did not fit.
[[nodiscard]] Bytes encode_server_hello(Writer& writer, const ServerHelloParameters& parameters) noexcept;
[[nodiscard]] Bytes encode_server_hello12(Writer& writer, const ServerHello12Parameters& parameters) noexcept;
[[nodiscard]] Bytes encode_hello_retry_request(Writer& writer, const HelloRetryRequestParameters& parameters) noexcept;

}  // namespace lockstep::codec
