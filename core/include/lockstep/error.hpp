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
/// alert, its text and what to do about it. The numbers are on tapes and stay; a new reason stands where it belongs and
/// takes a number above all others.
enum class Reason : std::uint8_t {
  none = 0,
  // records
  not_tls = 1,        ///< the first bytes are no TLS record; the error shows them
  plain_http = 2,     ///< the first bytes are an HTTP request or response
  ssl2_or_older = 3,  ///< an SSL 2 hello
  record_version = 4,
  record_type = 5,
  record_too_long = 6,
  record_empty = 7,
  record_unprotected = 8,  ///< plaintext where protection is due
  record_mac = 9,
  record_all_padding = 10,       ///< no content type inside a protected record
  record_interleaved = 11,       ///< another content type inside a fragmented handshake message
  record_after_key_change = 12,  ///< a handshake message spans a key change
  record_limit = 13,             ///< sequence number or AEAD limit reached
  too_many_empty_records = 14,
  too_many_key_updates = 15,
  too_many_warnings = 16,
  change_cipher_spec_malformed = 17,
  change_cipher_spec_unexpected = 18,
  alert_malformed = 19,
  alert_fragmented = 20,
  truncated = 21,  ///< the transport ended without close_notify
  // messages
  message_too_long = 22,
  message_truncated = 23,  ///< a field reaches beyond its message
  message_trailing_data = 24,
  message_unexpected = 25,  ///< not accepted in this state
  vector_length = 27,       ///< a vector's length is outside the bounds that the RFC gives it
  too_many_entries = 113,   ///< a list has more entries than are read
  enum_value = 28,
  compression_method = 29,
  extension_duplicate = 30,
  extension_unsolicited = 31,
  extension_forbidden = 32,  ///< known, but not in this message
  extension_malformed = 33,
  extension_missing = 34,
  server_name_malformed = 35,
  alpn_malformed = 36,
  alpn_mismatch = 37,
  alpn_not_offered = 38,      ///< the server chose a protocol that was not offered
  record_size_limit = 39,     ///< below the 64 bytes of RFC 8449
  max_fragment_length = 150,  ///< not the one that was asked for
  // negotiation
  version_unsupported = 40,
  version_ssl3 = 41,       ///< SSL 3.0, recognised and refused
  version_downgrade = 42,  ///< RFC 9846 4.2.3: the sentinel in ServerHello.random
  version_not_offered = 43,
  version_legacy = 44,    ///< legacy_version is not TLS 1.2's in a TLS 1.3 hello
  version_changed = 109,  ///< between HelloRetryRequest and ServerHello
  inappropriate_fallback = 45,
  suite_unsupported = 46,  ///< nothing in common
  suite_not_offered = 47,
  suite_changed = 48,  ///< differs between HelloRetryRequest and ServerHello
  group_unsupported = 49,
  group_not_offered = 50,
  group_unchanged = 51,  ///< HelloRetryRequest asks for nothing new
  key_share_missing = 52,
  key_share_duplicate = 53,
  key_share_not_in_groups = 54,
  key_share_size = 55,
  key_share_invalid = 56,
  key_share_group = 57,  ///< ServerHello's share is of another group than agreed
  session_id_echo = 58,
  second_hello_retry_request = 59,
  client_hello_changed = 60,  ///< the second ClientHello differs where it must not
  cookie_missing = 61,
  cookie_mismatch = 62,
  scheme_unsupported = 63,
  scheme_not_offered = 64,
  scheme_wrong_key = 65,  ///< the scheme does not fit the certificate's key
  psk_not_offered = 66,
  psk_mode_missing = 67,
  psk_not_last = 68,
  psk_binder_count = 69,
  psk_binder = 70,
  psk_hash = 71,
  psk_without_key_share = 112,  ///< the server chose a PSK and left out the key share that goes with it
  early_data_unexpected = 72,
  early_data_mismatch = 107,  ///< accepted, though what was agreed is not what its session had
  early_data_too_much = 108,
  extended_main_secret_missing = 115,  ///< TLS 1.2: RFC 7627
  renegotiation_info_missing = 116,    ///< TLS 1.2: RFC 5746
  renegotiation_info_mismatch = 117,
  point_format = 118,          ///< the uncompressed format is not among those of the peer
  session_changed = 119,       ///< what is resumed has another suite or extended master secret than its session
  suite_wrong_key = 120,       ///< the certificate's key is not what the suite authenticates with
  curve_not_named = 114,       ///< ServerKeyExchange describes a curve of its own
  dh_group_unsupported = 121,  ///< no finite field in common
  dh_group_unknown = 122,      ///< the server's is not among those offered; from here on, the detail is p's length
  dh_group_weak = 123,
  dh_group_too_large = 124,
  dh_group_invalid = 125,  ///< p is even, or g is no generator
  dh_share_invalid = 126,  ///< dh_Ys or dh_Yc is not between 1 and p - 1
  psk_identity_too_long = 133,
  psk_weak = 152,  ///< shorter than the profile demands
  // a renegotiation (TLS 1.2)
  renegotiation_scsv = 130,          ///< the signalling suite of a first handshake (RFC 5746 3.7)
  renegotiation_changed = 131,       ///< another version or extended master secret than before
  renegotiation_peer_changed = 132,  ///< another end-entity certificate than before
  renegotiation_unwanted = 151,      ///< asked for where it ends the connection
  // authentication
  certificate_missing = 73,   ///< the server sent none
  certificate_required = 74,  ///< the client sent none, and the server insists
  certificate_malformed = 75,
  certificate_context = 76,  ///< certificate_request_context is not what it must be
  certificate_type = 77,
  certificate_expired = 78,
  certificate_not_yet_valid = 79,
  certificate_revoked = 80,
  certificate_unknown_ca = 81,
  certificate_self_signed = 82,
  certificate_name_mismatch = 83,
  certificate_wrong_usage = 84,
  certificate_bad_signature = 85,
  certificate_weak = 86,
  certificate_invalid = 87,  ///< any other check; the x509 code says which
  certificate_chain_too_long = 88,
  certificate_rejected = 89,      ///< the application said no
  certificate_status = 106,       ///< the stapled OCSP response is not satisfactory
  compression_not_offered = 163,  ///< the peer's Certificate is compressed in a way that it was not told of
  decompression_failed = 164,     ///< it is damaged, or does not come to the length that it states
  signature_invalid = 90,
  finished_mismatch = 91,
  client_hello_refused = 153,  ///< by the application, with an alert of its choice
  no_credential = 92,          ///< the application has none to offer
  signing_failed = 93,
  no_psk = 134,                ///< the application has no pre-shared key for this server
  psk_identity_unknown = 135,  ///< the application knows no pre-shared key of the client's identity
  psk_mismatch = 136,          ///< TLS 1.2: the peer's Finished was made with another pre-shared key
  psk_declined = 160,          ///< the server took none of the pre-shared keys, and the configuration insists
  psk_missing = 161,           ///< the client offers no pre-shared key, and the configuration insists
  psk_unacceptable = 162,      ///< none of the client's pre-shared keys is known here, which is not told
  // keys and tickets
  key_update_malformed = 94,
  // the peer and the application
  peer_alert = 96,
  peer_closed = 97,  ///< close_notify during the handshake
  canceled = 98,
  token_dropped = 99,
  // limits and resources
  handshake_too_large = 102,
  memory = 103,
  random_failed = 104,
  provider_failed = 105,
  unusable = 111,  ///< a connection that was moved from, or made without a configuration
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
  hello_request,
  server_key_exchange,
  server_hello_done,
  client_key_exchange,
  certificate_status,
  handshake,  ///< a message that has no name here
  application,
  transport,
  next_protocol,
  compressed_certificate,
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
/// The same for an error: where the peer has sent an alert, it depends on which.
[[nodiscard]] LOCKSTEP_API std::string_view advise(const Error& error) noexcept;
/// What happened, where, who found it and what to do, in one line: for logs and terminals.
[[nodiscard]] LOCKSTEP_API std::string to_text(const Error& error);
/// The same, for whoever knows more than the error: `particulars`, the advice among them, in place of its own advice.
[[nodiscard]] LOCKSTEP_API std::string to_text(const Error& error, std::string_view particulars);

}  // namespace lockstep
