#pragma once
// What went wrong, as a value: which alert it means on the wire, why, where, and who found it.

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

#include <lockstep/bytes.hpp>
#include <lockstep/export.hpp>

namespace lockstep {

/// AlertDescription (RFC 9846 6), with those that TLS 1.2 peers still send.
enum class Alert : std::uint8_t {
  close_notify = 0,
  unexpected_message = 10,
  bad_record_mac = 20,
  decryption_failed = 21,
  record_overflow = 22,
  decompression_failure = 30,
  handshake_failure = 40,
  no_certificate = 41,
  bad_certificate = 42,
  unsupported_certificate = 43,
  certificate_revoked = 44,
  certificate_expired = 45,
  certificate_unknown = 46,
  illegal_parameter = 47,
  unknown_ca = 48,
  access_denied = 49,
  decode_error = 50,
  decrypt_error = 51,
  export_restriction = 60,
  protocol_version = 70,
  insufficient_security = 71,
  internal_error = 80,
  inappropriate_fallback = 86,
  user_canceled = 90,
  no_renegotiation = 100,
  missing_extension = 109,
  unsupported_extension = 110,
  certificate_unobtainable = 111,
  unrecognized_name = 112,
  bad_certificate_status_response = 113,
  bad_certificate_hash_value = 114,
  unknown_psk_identity = 115,
  certificate_required = 116,
  general_error = 117,
  no_application_protocol = 120,
  ech_required = 121,
};

/// Why a connection failed. Every rejection has a reason of its own; the table in core/types/error.cpp gives each its
/// alert, its text and what to do about it.
enum class Reason : std::uint8_t {
  none,
  // records
  not_tls,        ///< the first bytes are no TLS record; the error shows them
  plain_http,     ///< the first bytes are an HTTP request or response
  ssl2_or_older,  ///< an SSL 2 hello
  record_version,
  record_type,
  record_too_long,
  record_empty,
  record_unprotected,  ///< plaintext where protection is due
  record_mac,
  record_all_padding,       ///< no content type inside a protected record
  record_interleaved,       ///< another content type inside a fragmented handshake message
  record_after_key_change,  ///< a handshake message spans a key change
  record_limit,             ///< sequence number or AEAD limit reached
  too_many_empty_records,
  too_many_key_updates,
  too_many_warnings,
  change_cipher_spec_malformed,
  change_cipher_spec_unexpected,
  alert_malformed,
  alert_fragmented,
  truncated,  ///< the transport ended without close_notify
  // messages
  message_too_long,
  message_truncated,  ///< a field reaches beyond its message
  message_trailing_data,
  message_unexpected,  ///< not accepted in this state
  message_unknown,
  vector_length,  ///< a vector's length is outside the bounds that the RFC gives it
  enum_value,
  compression_method,
  extension_duplicate,
  extension_unsolicited,
  extension_forbidden,  ///< known, but not in this message
  extension_malformed,
  extension_missing,
  server_name_malformed,
  alpn_malformed,
  alpn_mismatch,
  alpn_not_offered,   ///< the server chose a protocol that was not offered
  record_size_limit,  ///< below the 64 bytes of RFC 8449
  // negotiation
  version_unsupported,
  version_ssl3,       ///< SSL 3.0, recognised and refused
  version_downgrade,  ///< RFC 9846 4.2.3: the sentinel in ServerHello.random
  version_not_offered,
  version_legacy,  ///< legacy_version is not TLS 1.2's in a TLS 1.3 ServerHello
  inappropriate_fallback,
  suite_unsupported,  ///< nothing in common
  suite_not_offered,
  suite_changed,  ///< differs between HelloRetryRequest and ServerHello
  group_unsupported,
  group_not_offered,
  group_unchanged,  ///< HelloRetryRequest asks for nothing new
  key_share_missing,
  key_share_duplicate,
  key_share_not_in_groups,
  key_share_size,
  key_share_invalid,
  key_share_group,  ///< ServerHello's share is of another group than agreed
  session_id_echo,
  second_hello_retry_request,
  client_hello_changed,  ///< the second ClientHello differs where it must not
  cookie_missing,
  cookie_mismatch,
  scheme_unsupported,
  scheme_not_offered,
  scheme_wrong_key,  ///< the scheme does not fit the certificate's key
  psk_not_offered,
  psk_mode_missing,
  psk_not_last,
  psk_binder_count,
  psk_binder,
  psk_hash,
  early_data_unexpected,
  // authentication
  certificate_missing,   ///< the server sent none
  certificate_required,  ///< the client sent none, and the server insists
  certificate_malformed,
  certificate_context,  ///< certificate_request_context is not what it must be
  certificate_type,
  certificate_expired,
  certificate_not_yet_valid,
  certificate_revoked,
  certificate_unknown_ca,
  certificate_self_signed,
  certificate_name_mismatch,
  certificate_wrong_usage,
  certificate_bad_signature,
  certificate_weak,
  certificate_invalid,  ///< any other check; the x509 code says which
  certificate_chain_too_long,
  certificate_rejected,  ///< the application said no
  signature_invalid,
  finished_mismatch,
  no_credential,  ///< the application has none to offer
  signing_failed,
  // keys and tickets
  key_update_malformed,
  ticket_malformed,
  // the peer and the application
  peer_alert,
  peer_closed,  ///< close_notify during the handshake
  canceled,
  token_dropped,
  answer_invalid,
  deadline,
  // limits and resources
  handshake_too_large,
  memory,
  random_failed,
  provider_failed,
  // A number is on tapes and stays: what came later follows here.
  certificate_status,   ///< the stapled OCSP response is not satisfactory
  early_data_mismatch,  ///< accepted, though what was agreed is not what its session had
  early_data_too_much,
  version_changed,  ///< between HelloRetryRequest and ServerHello
};

/// Where it happened: the record layer, a handshake message, or a call of the application.
enum class Place : std::uint8_t {
  record,
  alert,
  change_cipher_spec,
  client_hello,
  server_hello,
  hello_retry_request,
  encrypted_extensions,
  certificate_request,
  certificate,
  certificate_verify,
  finished,
  new_session_ticket,
  key_update,
  end_of_early_data,
  handshake,  ///< a message that has no name here
  application,
  transport,
};

/// Who ended it.
enum class Origin : std::uint8_t {
  local,        ///< this engine rejected what the peer sent; `alert` goes out
  peer,         ///< the peer sent `alert`
  application,  ///< the caller canceled, refused or could not
};

/// A failure. Trivially copyable, sticky: once a connection has failed it reports the same error for ever.
struct Error {
  Alert alert = Alert::internal_error;
  Reason reason = Reason::none;
  Place place = Place::record;
  Origin origin = Origin::local;
  std::uint16_t detail = 0;  ///< x509::Code for certificate_* reasons, the extension or message number for others
  std::uint8_t evidence_size = 0;
  std::array<std::uint8_t, 16> evidence{};  ///< the first bytes received, for not_tls, plain_http and ssl2_or_older

  friend bool operator==(const Error&, const Error&) = default;
};
static_assert(std::is_trivially_copyable_v<Error>);

/// The error for a reason, with the alert that the table gives it.
[[nodiscard]] LOCKSTEP_API Error make_error(Reason reason, Place place, std::uint16_t detail = 0) noexcept;

/// Enumerator names.
[[nodiscard]] LOCKSTEP_API std::string_view name(Alert) noexcept;
[[nodiscard]] LOCKSTEP_API std::string_view name(Reason) noexcept;
[[nodiscard]] LOCKSTEP_API std::string_view name(Place) noexcept;
[[nodiscard]] LOCKSTEP_API std::string_view name(Origin) noexcept;

/// The alert that a reason puts on the wire.
[[nodiscard]] LOCKSTEP_API Alert alert_of(Reason) noexcept;
/// One sentence: what happened.
[[nodiscard]] LOCKSTEP_API std::string_view explain(Reason) noexcept;
/// One sentence: what to do about it.
[[nodiscard]] LOCKSTEP_API std::string_view advise(Reason) noexcept;
/// What happened, where, who found it and what to do, in one line: for logs and terminals.
[[nodiscard]] LOCKSTEP_API std::string to_text(const Error& error);

}  // namespace lockstep
