#include "errors.hpp"

#include <string_view>

namespace bogo {

using lockstep::Alert;
using lockstep::Error;
using lockstep::Reason;

namespace {

/// BoringSSL tells some things apart that we do not, and the other way round: a reason may have several names.
struct Row {
  Reason reason;
  std::string_view names;
};

constexpr Row kNames[] = {
    // records
    {Reason::not_tls, ":WRONG_VERSION_NUMBER: :UNEXPECTED_RECORD:"},
    {Reason::plain_http, ":HTTP_REQUEST: :HTTPS_PROXY_REQUEST: :WRONG_VERSION_NUMBER:"},
    {Reason::ssl2_or_older, ":WRONG_VERSION_NUMBER: :UNSUPPORTED_PROTOCOL:"},
    {Reason::record_version, ":WRONG_VERSION_NUMBER:"},
    {Reason::record_type, ":UNEXPECTED_RECORD: :INVALID_OUTER_RECORD_TYPE:"},
    {Reason::record_too_long, ":DATA_LENGTH_TOO_LONG: :ENCRYPTED_LENGTH_TOO_LONG:"},
    {Reason::record_empty, ":UNEXPECTED_RECORD: :BAD_ALERT: :DECODE_ERROR: :WRONG_VERSION_NUMBER:"},
    {Reason::record_unprotected, ":INVALID_OUTER_RECORD_TYPE: :UNEXPECTED_RECORD:"},
    {Reason::record_mac, ":DECRYPTION_FAILED_OR_BAD_RECORD_MAC: :BAD_DECRYPT: :UNEXPECTED_RECORD:"},
    {Reason::record_all_padding, ":DECRYPTION_FAILED_OR_BAD_RECORD_MAC:"},
    {Reason::record_interleaved, ":UNEXPECTED_RECORD: :EXCESS_HANDSHAKE_DATA:"},
    {Reason::record_after_key_change, ":EXCESS_HANDSHAKE_DATA:"},
    {Reason::too_many_empty_records, ":TOO_MANY_EMPTY_FRAGMENTS:"},
    {Reason::too_many_key_updates, ":TOO_MANY_KEY_UPDATES:"},
    {Reason::too_many_warnings, ":TOO_MANY_WARNING_ALERTS:"},
    {Reason::change_cipher_spec_malformed, ":BAD_CHANGE_CIPHER_SPEC: :UNEXPECTED_RECORD:"},
    {Reason::change_cipher_spec_unexpected, ":UNEXPECTED_RECORD: :CCS_RECEIVED_EARLY:"},
    {Reason::alert_malformed, ":BAD_ALERT:"},
    {Reason::alert_fragmented, ":BAD_ALERT:"},

    // messages
    {Reason::message_too_long, ":EXCESSIVE_MESSAGE_SIZE: :UNCOMPRESSED_CERT_TOO_LARGE:"},
    {Reason::message_truncated, ":DECODE_ERROR: :PARSE_TLSEXT: :ERROR_PARSING_EXTENSION:"},
    {Reason::message_trailing_data, ":DECODE_ERROR: :DIGEST_CHECK_FAILED: :BAD_HELLO_REQUEST:"},
    {Reason::message_unexpected,
     ":UNEXPECTED_MESSAGE: :UNEXPECTED_RECORD: :APPLICATION_DATA_INSTEAD_OF_HANDSHAKE: :BAD_HELLO_REQUEST:"},
    {Reason::vector_length, ":DECODE_ERROR:"},
    {Reason::enum_value, ":DECODE_ERROR:"},
    {Reason::compression_method, ":INVALID_COMPRESSION_LIST: :UNSUPPORTED_COMPRESSION_ALGORITHM: :DECODE_ERROR:"},
    {Reason::extension_duplicate, ":DUPLICATE_EXTENSION:"},
    {Reason::extension_unsolicited, ":UNEXPECTED_EXTENSION: :OLD_SESSION_VERSION_NOT_RETURNED:"},
    {Reason::extension_forbidden,
     ":UNEXPECTED_EXTENSION: :ERROR_PARSING_EXTENSION: :SECOND_SERVERHELLO_VERSION_MISMATCH: "
     ":NEGOTIATED_BOTH_NPN_AND_ALPN:"},
    {Reason::extension_malformed, ":PARSE_TLSEXT: :ERROR_PARSING_EXTENSION: :DECODE_ERROR:"},
    {Reason::extension_missing,
     ":MISSING_EXTENSION: :MISSING_KEY_SHARE: :NO_SHARED_GROUP: :NO_COMMON_SIGNATURE_ALGORITHMS: :DECODE_ERROR:"},
    {Reason::server_name_malformed, ":PARSE_TLSEXT: :DECODE_ERROR:"},
    {Reason::alpn_malformed, ":PARSE_TLSEXT:"},
    {Reason::alpn_mismatch, ":NO_APPLICATION_PROTOCOL:"},
    {Reason::alpn_not_offered, ":INVALID_ALPN_PROTOCOL:"},

    // negotiation
    {Reason::version_unsupported, ":UNSUPPORTED_PROTOCOL:"},
    {Reason::version_ssl3, ":UNSUPPORTED_PROTOCOL:"},
    {Reason::version_downgrade, ":TLS13_DOWNGRADE:"},
    {Reason::version_not_offered, ":UNSUPPORTED_PROTOCOL:"},
    {Reason::version_changed, ":SECOND_SERVERHELLO_VERSION_MISMATCH:"},
    {Reason::version_legacy, ":DECODE_ERROR: :UNSUPPORTED_PROTOCOL:"},
    {Reason::inappropriate_fallback, ":INAPPROPRIATE_FALLBACK:"},
    {Reason::suite_unsupported, ":NO_SHARED_CIPHER:"},
    {Reason::suite_not_offered, ":WRONG_CIPHER_RETURNED: :UNKNOWN_CIPHER_RETURNED: :OLD_SESSION_VERSION_NOT_RETURNED:"},
    {Reason::suite_changed, ":WRONG_CIPHER_RETURNED:"},
    {Reason::group_unsupported, ":NO_SHARED_GROUP:"},
    {Reason::group_not_offered, ":WRONG_CURVE: :BAD_ECC_CERT:"},
    {Reason::group_unchanged, ":WRONG_CURVE: :EMPTY_HELLO_RETRY_REQUEST:"},
    {Reason::key_share_missing, ":MISSING_KEY_SHARE: :WRONG_CURVE:"},
    {Reason::key_share_duplicate, ":DUPLICATE_KEY_SHARE:"},
    {Reason::key_share_size, ":BAD_ECPOINT:"},
    {Reason::key_share_invalid, ":BAD_ECPOINT:"},
    {Reason::key_share_group, ":WRONG_CURVE:"},
    {Reason::session_changed,
     ":RESUMED_EMS_SESSION_WITHOUT_EMS_EXTENSION: :RESUMED_NON_EMS_SESSION_WITH_EMS_EXTENSION: "
     ":OLD_SESSION_CIPHER_NOT_RETURNED:"},
    {Reason::renegotiation_info_missing, ":RENEGOTIATION_MISMATCH:"},
    {Reason::renegotiation_info_mismatch, ":RENEGOTIATION_MISMATCH:"},
    {Reason::renegotiation_changed, ":RENEGOTIATION_EMS_MISMATCH: :WRONG_SSL_VERSION:"},
    {Reason::renegotiation_unwanted, ":NO_RENEGOTIATION:"},
    {Reason::renegotiation_peer_changed, ":SERVER_CERT_CHANGED:"},
    {Reason::point_format, ":ERROR_PARSING_EXTENSION: :PARSE_TLSEXT:"},
    {Reason::suite_wrong_key, ":WRONG_CERTIFICATE_TYPE:"},
    {Reason::session_id_echo, ":SERVER_ECHOED_INVALID_SESSION_ID: :OLD_SESSION_VERSION_NOT_RETURNED:"},
    {Reason::second_hello_retry_request, ":UNEXPECTED_MESSAGE:"},
    {Reason::scheme_unsupported, ":NO_COMMON_SIGNATURE_ALGORITHMS: :NO_SHARED_CIPHER:"},
    {Reason::scheme_not_offered, ":WRONG_SIGNATURE_TYPE:"},
    {Reason::scheme_wrong_key, ":WRONG_SIGNATURE_TYPE:"},
    {Reason::psk_not_offered, ":PSK_IDENTITY_NOT_FOUND: :UNEXPECTED_EXTENSION:"},
    {Reason::psk_mode_missing, ":MISSING_EXTENSION:"},
    {Reason::psk_without_key_share, ":MISSING_KEY_SHARE:"},
    {Reason::psk_not_last, ":PRE_SHARED_KEY_MUST_BE_LAST:"},
    {Reason::psk_binder_count, ":PSK_IDENTITY_BINDER_COUNT_MISMATCH:"},
    {Reason::psk_binder, ":DIGEST_CHECK_FAILED:"},
    {Reason::psk_hash, ":OLD_SESSION_PRF_HASH_MISMATCH:"},
    {Reason::early_data_unexpected, ":UNEXPECTED_EXTENSION_ON_EARLY_DATA: :UNEXPECTED_MESSAGE:"},
    {Reason::early_data_mismatch,
     ":ALPN_MISMATCH_ON_EARLY_DATA: :CIPHER_MISMATCH_ON_EARLY_DATA: :UNEXPECTED_EXTENSION: "
     ":WRONG_VERSION_ON_EARLY_DATA:"},
    {Reason::early_data_too_much, ":TOO_MUCH_READ_EARLY_DATA:"},

    // authentication
    {Reason::certificate_missing, ":PEER_DID_NOT_RETURN_A_CERTIFICATE: :DECODE_ERROR:"},
    {Reason::certificate_required, ":PEER_DID_NOT_RETURN_A_CERTIFICATE:"},
    {Reason::certificate_malformed, ":CANNOT_PARSE_LEAF_CERT:"},
    {Reason::certificate_context, ":DECODE_ERROR:"},
    {Reason::certificate_type, ":WRONG_SIGNATURE_TYPE: :UNKNOWN_CERTIFICATE_TYPE:"},
    {Reason::certificate_wrong_usage, ":KEY_USAGE_BIT_INCORRECT:"},
    {Reason::certificate_rejected, ":CERTIFICATE_VERIFY_FAILED:"},
    {Reason::certificate_status, ":OCSP_CB_ERROR:"},
    {Reason::compression_not_offered, ":UNKNOWN_CERT_COMPRESSION_ALG:"},
    {Reason::decompression_failed, ":CERT_DECOMPRESSION_FAILED:"},
    {Reason::signature_invalid, ":BAD_SIGNATURE:"},
    {Reason::finished_mismatch, ":DIGEST_CHECK_FAILED:"},
    {Reason::client_hello_refused, ":CONNECTION_REJECTED:"},
    {Reason::no_credential, ":CONNECTION_REJECTED: :NO_CERTIFICATE_SET: :NO_MATCHING_ISSUER:"},
    {Reason::token_dropped, ":CERT_CB_ERROR: :OCSP_CB_ERROR:"},

    // keys and tickets
    {Reason::key_update_malformed, ":INVALID_KEY_UPDATE: :DECODE_ERROR:"},
};

/// BoringSSL names an alert that the peer sent by the version that introduced it.
struct AlertRow {
  Alert alert;
  std::string_view name;
};

constexpr AlertRow kAlerts[] = {
    {Alert::unexpected_message, ":SSLV3_ALERT_UNEXPECTED_MESSAGE:"},
    {Alert::bad_record_mac, ":SSLV3_ALERT_BAD_RECORD_MAC:"},
    {Alert::record_overflow, ":TLSV1_ALERT_RECORD_OVERFLOW:"},
    {Alert::decompression_failure, ":SSLV3_ALERT_DECOMPRESSION_FAILURE:"},
    {Alert::handshake_failure, ":SSLV3_ALERT_HANDSHAKE_FAILURE:"},
    {Alert::bad_certificate, ":SSLV3_ALERT_BAD_CERTIFICATE:"},
    {Alert::certificate_unknown, ":SSLV3_ALERT_CERTIFICATE_UNKNOWN:"},
    {Alert::illegal_parameter, ":SSLV3_ALERT_ILLEGAL_PARAMETER:"},
    {Alert::unknown_ca, ":TLSV1_ALERT_UNKNOWN_CA:"},
    {Alert::access_denied, ":TLSV1_ALERT_ACCESS_DENIED:"},
    {Alert::decode_error, ":TLSV1_ALERT_DECODE_ERROR:"},
    {Alert::decrypt_error, ":TLSV1_ALERT_DECRYPT_ERROR:"},
    {Alert::protocol_version, ":TLSV1_ALERT_PROTOCOL_VERSION:"},
    {Alert::internal_error, ":TLSV1_ALERT_INTERNAL_ERROR:"},
    {Alert::unsupported_extension, ":TLSV1_ALERT_UNSUPPORTED_EXTENSION:"},
    {Alert::certificate_required, ":TLSV1_ALERT_CERTIFICATE_REQUIRED:"},
    {Alert::no_application_protocol, ":TLSV1_ALERT_NO_APPLICATION_PROTOCOL:"},
};

}  // namespace

std::string boring_names(const Error& error) {
  if (error.reason == Reason::peer_alert) {
    // A server that refuses the first hello, as opposed to what came later, has a name of its own.
    const std::string_view first =
        error.alert == Alert::handshake_failure ? ":HANDSHAKE_FAILURE_ON_CLIENT_HELLO: " : "";
    for (const AlertRow& row : kAlerts) {
      if (row.alert == error.alert) return std::string(first) + std::string(row.name);
    }
    return {};
  }
  for (const Row& row : kNames) {
    if (row.reason == error.reason) return std::string(row.names);
  }
  return {};
}

}  // namespace bogo
