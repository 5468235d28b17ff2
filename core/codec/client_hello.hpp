#pragma once
// ClientHello (RFC 9846 4.2.2), as any client since SSL 3.0 sends it.

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

/// ClientTicketRequest (RFC 9149 3): how many tickets a client would have.
struct TicketRequest {
  std::uint8_t new_session_count = 0;
  std::uint8_t resumption_count = 0;
};

/// The contents of pre_shared_key in a ClientHello (RFC 9846 4.3.11).
struct OfferedPsks {
  PskIdentities identities;
  PskBinders binders;  ///< as many as identities
  /// Where the binders' list starts, its length included, counted from the start of the handshake message with its
  /// 4-byte header: the partial ClientHello that the binders cover (RFC 9846 4.3.11.2) is the message up to here.
  std::size_t binders_offset = 0;
};

/// Views into the body that was decoded. An extension that is absent is an empty optional; those without a field here
/// are in `extensions`.
struct ClientHello {
  static constexpr HandshakeType type = HandshakeType::client_hello;
  static constexpr Place place = Place::client_hello;
  static constexpr std::size_t max_size = kMaxClientHello;
  /// Decodes the body of a ClientHello. Checks form and what holds in every version: one null compression method at
  /// least, extensions once each and where they may stand, pre_shared_key last with one binder per identity, key shares
  /// of different groups.
  [[nodiscard]] static Decoded<ClientHello> decode(Bytes body, const DecodeContext& context = {}) noexcept;

  ProtocolVersion legacy_version{};
  Bytes random;  ///< kRandomSize bytes
  Bytes legacy_session_id;
  CodePoints<CipherSuite> cipher_suites;
  Bytes legacy_compression_methods;  ///< contains null
  Extensions extensions;

  std::optional<std::string_view> server_name;  ///< printable ASCII, 1 to 255 bytes, not looked into further
  std::optional<std::uint8_t> max_fragment_length;
  bool status_request = false;  ///< asks for an OCSP response
  std::optional<CodePoints<NamedGroup>> supported_groups;
  std::optional<CodePoints<std::uint8_t>> ec_point_formats;
  std::optional<CodePoints<SignatureScheme>> signature_algorithms;
  std::optional<CodePoints<SignatureScheme>> signature_algorithms_cert;
  std::optional<ProtocolNames> application_layer_protocol_negotiation;
  bool signed_certificate_timestamp = false;
  bool encrypt_then_mac = false;
  bool extended_main_secret = false;
  std::optional<CodePoints<CertificateCompressionAlgorithm>> compress_certificate;  ///< RFC 8879 3
  std::optional<std::uint16_t> record_size_limit;
  std::optional<Bytes> session_ticket;      ///< RFC 5077; empty asks for one
  bool next_protocol_negotiation = false;   ///< draft-agl-tls-nextprotoneg
  std::optional<Bytes> renegotiation_info;  ///< RFC 5746 renegotiated_connection
  std::optional<CodePoints<ProtocolVersion>> supported_versions;
  std::optional<Bytes> cookie;
  std::optional<KeyShares> key_share;  ///< may be empty: asks for a HelloRetryRequest
  std::optional<CodePoints<PskKeyExchangeMode>> psk_key_exchange_modes;
  std::optional<OfferedPsks> pre_shared_key;
  bool early_data = false;
  bool post_handshake_auth = false;
  std::optional<DistinguishedNames> certificate_authorities;
  std::optional<TicketRequest> ticket_request;

  /// What the version negotiation looks at beside supported_versions.
  [[nodiscard]] bool offers(CipherSuite suite) const noexcept { return cipher_suites.contains(suite); }
  /// RFC 9846 4.3.1: supported_versions when there is one, else all versions up to legacy_version.
  [[nodiscard]] bool offers(ProtocolVersion version) const noexcept;
};

/// What a ClientHello must satisfy once TLS 1.3 is chosen: null as the only compression method (compression_method),
/// the extensions that RFC 9846 9.2 demands (extension_missing, psk_mode_missing), key shares only of groups in
/// supported_groups (key_share_not_in_groups). Reason::none when all is well; the error's detail is the extension.
[[nodiscard]] Decoded<void> check_tls13(const ClientHello& hello) noexcept;

/// A PSK to offer. Its binder is written as zeros and filled in later.
struct PskOffer {
  Bytes identity{};
  std::uint32_t obfuscated_ticket_age = 0;
  std::size_t binder_length = 0;  ///< the length of the PSK's hash
};

/// The GREASE values of one ClientHello (RFC 8701 3.1). Keep them for the second one.
struct Grease {
  std::uint16_t suite = 0x0a0a;
  std::uint16_t group = 0x0a0a;
  std::uint16_t version = 0x0a0a;
  std::uint16_t first_extension = 0x0a0a;  ///< written first, empty
  std::uint16_t last_extension = 0x1a1a;   ///< written last (before pre_shared_key), one zero byte
  bool key_share = true;                   ///< a share of one zero byte for `group`; false after a HelloRetryRequest
};

/// GREASE values from five bytes of randomness; the two extensions differ.
[[nodiscard]] Grease make_grease(std::span<const std::uint8_t, 5> random) noexcept;

/// What to write. Every view is of the caller's memory. Fields that are empty are not written, unless said otherwise.
struct ClientHelloParameters {
  ProtocolVersion legacy_version = ProtocolVersion::tls_1_2;
  Bytes random{};  ///< kRandomSize bytes
  Bytes legacy_session_id{};
  std::span<const CipherSuite> cipher_suites{};  ///< signalling suites included

  std::string_view server_name{};
  std::span<const ProtocolVersion> supported_versions{};  ///< written when TLS 1.3 is among them
  std::span<const NamedGroup> supported_groups{};
  std::span<const KeyShareEntry>
      key_shares;  ///< key_share is written whenever TLS 1.3 is among supported_versions, empty or not
  std::span<const SignatureScheme> signature_algorithms{};
  std::span<const SignatureScheme> signature_algorithms_cert{};
  std::span<const std::string> application_layer_protocol_negotiation{};
  std::span<const Bytes> certificate_authorities{};  ///< DER names
  std::span<const PskKeyExchangeMode> psk_key_exchange_modes{};
  std::span<const PskOffer> pre_shared_keys{};
  Bytes cookie{};
  bool status_request = false;
  bool signed_certificate_timestamp = false;
  bool early_data = false;
  bool post_handshake_auth = false;
  std::optional<std::uint16_t> record_size_limit{};
  std::optional<TicketRequest> ticket_request{};
  std::optional<std::uint16_t> padding{};  ///< so many zeros (RFC 7685)
  // for a TLS 1.2 server
  bool extended_main_secret = false;
  bool ec_point_formats = false;              ///< uncompressed
  std::optional<Bytes> renegotiation_info{};  ///< empty in a first handshake
  std::optional<Bytes> session_ticket{};      ///< empty asks for one
  bool encrypt_then_mac = false;
  bool next_protocol_negotiation = false;  ///< draft-agl-tls-nextprotoneg
  std::span<const CertificateCompressionAlgorithm> compress_certificate{};
  std::optional<std::uint8_t> max_fragment_length{};  ///< 1 to 4 for 2^9 to 2^12 bytes (RFC 6066 4)

  std::optional<Grease> grease{};
  /// Shuffles the extensions, pre_shared_key staying last; the same seed gives the same order, whichever are present.
  /// Nothing: fixed order.
  std::optional<std::uint64_t> permutation_seed{};
};

struct EncodedClientHello {
  MutableBytes message;            ///< header and body, in the writer's buffer; empty when it did not fit
  std::size_t binders_offset = 0;  ///< where the binders' list starts in `message`; its size when no PSK is offered
  ExtensionSet offered;
};

/// Writes a whole ClientHello message.
[[nodiscard]] EncodedClientHello encode_client_hello(Writer& writer, const ClientHelloParameters& parameters) noexcept;

/// Puts the binder of the PSK with this index where encode_client_hello left room. False when there is no such PSK or
/// the length differs.
[[nodiscard]] bool fill_binder(const EncodedClientHello& hello, std::size_t index, Bytes binder) noexcept;

}  // namespace lockstep::codec
