// The table of reasons: the alert that each puts on the wire, who ends the connection by it, what happened and what to
// do. A text gives one advice: the most particular one that there is.

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

#include <lockstep/error.hpp>
#include <lockstep/types.hpp>

namespace lockstep {
namespace {

struct ReasonRow {
  Reason reason;
  std::string_view name;
  Alert alert;
  Origin origin;
  std::string_view explain;
  std::string_view advise;
};

constexpr auto kLocal = Origin::local;
constexpr auto kPeer = Origin::peer;
constexpr auto kApplication = Origin::application;

// Advice that several rows give.
constexpr std::string_view kPeerBroken =
    "The peer breaks the protocol: report it to its maker with a capture of the connection.";
constexpr std::string_view kTampered =
    "Either something on the path changes bytes or the peer is broken: compare captures from both ends.";
constexpr std::string_view kAbuse = "The peer behaves like an attacker; if it is not one, report it to its maker.";
constexpr std::string_view kCallerBroken = "Mend the calling program: its answer or call broke the interface's rules.";
// Whichever end reads it, and whichever end is the older.
constexpr std::string_view kNoCommonVersion =
    "Update the end that is older, or allow both versions where a configuration names one: this build speaks TLS 1.3 "
    "and "
    "TLS 1.2.";

/// RFC 9846 6: "Peers which receive a message which cannot be parsed according to the syntax ... MUST terminate the
/// connection with a "decode_error" alert. Peers which receive a message which is syntactically correct but
/// semantically invalid ... MUST terminate the connection with an "illegal_parameter" alert."
/// RFC 9846 6.2: "The phrases "terminate the connection with an X alert" and "abort the handshake with an X alert" mean
/// that the implementation MUST send alert X if it sends any alert."
/// RFC 9846 4.5.1.2: "If the receiver cannot construct an acceptable chain using the provided certificates and decides
/// to abort the handshake, then it MUST abort the handshake with an appropriate certificate-related alert"
constexpr std::array kReasons{
    ReasonRow{Reason::none, "none", Alert::close_notify, kLocal, "Nothing went wrong.", "There is nothing to do."},

    // records
    ReasonRow{
        Reason::not_tls, "not_tls", Alert::unexpected_message, kLocal, "The first bytes are not TLS.",
        "Check that the port speaks TLS from the start; mail, directory and database servers may need STARTTLS first."},
    ReasonRow{Reason::plain_http, "plain_http", Alert::unexpected_message, kLocal,
              "The peer speaks plain HTTP where TLS is due.",
              "Use https:// instead of http://, or the port that serves TLS."},
    ReasonRow{Reason::ssl2_or_older, "ssl2_or_older", Alert::protocol_version, kLocal,
              "The peer opens with an SSL 2 hello.", "Update the peer: SSL 2 was prohibited in 2011 (RFC 6176)."},
    ReasonRow{Reason::record_version, "record_version", Alert::protocol_version, kLocal,
              "A record's version is not of TLS.",
              "Check that the port speaks TLS, and nothing else shares the connection."},
    ReasonRow{Reason::record_type, "record_type", Alert::unexpected_message, kLocal,
              "A record is of a type that does not exist or is not due.", kPeerBroken},
    ReasonRow{Reason::record_too_long, "record_too_long", Alert::record_overflow, kLocal,
              "A record is longer than the protocol allows.", kPeerBroken},
    ReasonRow{Reason::record_empty, "record_empty", Alert::unexpected_message, kLocal,
              "A handshake or alert record is empty.", kPeerBroken},
    ReasonRow{Reason::record_unprotected, "record_unprotected", Alert::unexpected_message, kLocal,
              "A record came in plain text where encryption is due.", kTampered},
    ReasonRow{Reason::record_mac, "record_mac", Alert::bad_record_mac, kLocal,
              "A record does not decrypt: it was changed or the keys differ.", kTampered},
    ReasonRow{Reason::record_all_padding, "record_all_padding", Alert::unexpected_message, kLocal,
              "A protected record holds padding and no content type.", kPeerBroken},
    ReasonRow{Reason::record_interleaved, "record_interleaved", Alert::unexpected_message, kLocal,
              "Another kind of record came inside a fragmented handshake message.", kPeerBroken},
    ReasonRow{Reason::record_after_key_change, "record_after_key_change", Alert::unexpected_message, kLocal,
              "A handshake message spans a change of keys.", kPeerBroken},
    ReasonRow{Reason::record_limit, "record_limit", Alert::internal_error, kLocal,
              "The keys have protected as many records as they may.",
              "Let the engine update keys automatically, or open a new connection in time."},
    ReasonRow{Reason::too_many_empty_records, "too_many_empty_records", Alert::unexpected_message, kLocal,
              "The peer sent too many empty records in a row.", kAbuse},
    ReasonRow{Reason::too_many_key_updates, "too_many_key_updates", Alert::unexpected_message, kLocal,
              "The peer sent too many key updates without data in between.", kAbuse},
    ReasonRow{Reason::too_many_warnings, "too_many_warnings", Alert::unexpected_message, kLocal,
              "The peer sent too many warning alerts in a row.", kAbuse},
    ReasonRow{Reason::change_cipher_spec_malformed, "change_cipher_spec_malformed", Alert::unexpected_message, kLocal,
              "A change_cipher_spec record is not the single byte 1.", kPeerBroken},
    ReasonRow{Reason::change_cipher_spec_unexpected, "change_cipher_spec_unexpected", Alert::unexpected_message, kLocal,
              "A change_cipher_spec record came where none may be.", kPeerBroken},
    ReasonRow{Reason::alert_malformed, "alert_malformed", Alert::decode_error, kLocal,
              "An alert is not a level and a description.", kPeerBroken},
    ReasonRow{Reason::alert_fragmented, "alert_fragmented", Alert::decode_error, kLocal,
              "An alert is spread over records, or shares one.", kPeerBroken},
    ReasonRow{Reason::truncated, "truncated", Alert::decode_error, kLocal,
              "The transport ended before the peer said close_notify.",
              "Treat what was received as incomplete: an attacker may have cut it. If the peer always does so, have it "
              "send close_notify."},

    // messages
    ReasonRow{
        Reason::message_too_long, "message_too_long", Alert::decode_error, kLocal,
        "The peer's handshake message is longer than this end takes.",
        "Raise max_handshake_message if the peer has good cause (a long certificate chain), else report it to its "
        "maker."},
    ReasonRow{Reason::message_truncated, "message_truncated", Alert::decode_error, kLocal,
              "A field reaches beyond the end of its message.", kPeerBroken},
    ReasonRow{Reason::message_trailing_data, "message_trailing_data", Alert::decode_error, kLocal,
              "Bytes follow the last field of a message.", kPeerBroken},
    ReasonRow{Reason::message_unexpected, "message_unexpected", Alert::unexpected_message, kLocal,
              "A handshake message came that is not accepted at this point.", kPeerBroken},
    ReasonRow{Reason::vector_length, "vector_length", Alert::decode_error, kLocal,
              "A vector's length is outside the bounds that the protocol gives it.", kPeerBroken},
    ReasonRow{Reason::too_many_entries, "too_many_entries", Alert::illegal_parameter, kLocal,
              "A list has more entries than any honest peer sends, and than are read.", kPeerBroken},
    ReasonRow{Reason::enum_value, "enum_value", Alert::illegal_parameter, kLocal,
              "A field has a value that the protocol does not define.", kPeerBroken},
    ReasonRow{Reason::compression_method, "compression_method", Alert::illegal_parameter, kLocal,
              "The compression methods are not just null, as they must be.", kPeerBroken},
    ReasonRow{Reason::extension_duplicate, "extension_duplicate", Alert::illegal_parameter, kLocal,
              "An extension occurs twice in a message.", kPeerBroken},
    ReasonRow{Reason::extension_unsolicited, "extension_unsolicited", Alert::unsupported_extension, kLocal,
              "The peer answers an extension that was not offered.", kPeerBroken},
    ReasonRow{Reason::extension_forbidden, "extension_forbidden", Alert::illegal_parameter, kLocal,
              "An extension stands in a message where it may not.", kPeerBroken},
    ReasonRow{Reason::extension_malformed, "extension_malformed", Alert::decode_error, kLocal,
              "An extension's contents are malformed.", kPeerBroken},
    ReasonRow{Reason::extension_missing, "extension_missing", Alert::missing_extension, kLocal,
              "An extension that the protocol demands is missing.", kPeerBroken},
    ReasonRow{Reason::server_name_malformed, "server_name_malformed", Alert::decode_error, kLocal,
              "The server_name extension is not exactly one host name.",
              "Have the client send one DNS name in ASCII, without a zero byte."},
    ReasonRow{Reason::alpn_malformed, "alpn_malformed", Alert::decode_error, kLocal,
              "The ALPN extension is malformed: no protocol, an empty one, or several where one is due.", kPeerBroken},
    ReasonRow{Reason::alpn_mismatch, "alpn_mismatch", Alert::no_application_protocol, kLocal,
              "Both ends have no application protocol in common.", "Compare the ALPN lists of both ends."},
    ReasonRow{Reason::alpn_not_offered, "alpn_not_offered", Alert::illegal_parameter, kLocal,
              "The server chose an application protocol that was not offered.", kPeerBroken},
    ReasonRow{Reason::record_size_limit, "record_size_limit", Alert::illegal_parameter, kLocal,
              "The peer asks for records smaller than the 64 bytes that RFC 8449 allows.", kPeerBroken},
    ReasonRow{Reason::max_fragment_length, "max_fragment_length", Alert::illegal_parameter, kLocal,
              "The server's max_fragment_length is not the one that was asked for.", kPeerBroken},

    // negotiation
    ReasonRow{Reason::version_unsupported, "version_unsupported", Alert::protocol_version, kLocal,
              "Both ends have no protocol version in common.", kNoCommonVersion},
    ReasonRow{Reason::version_ssl3, "version_ssl3", Alert::protocol_version, kLocal,
              "The peer wants SSL 3.0, which is broken and refused.",
              "Update the peer: SSL 3.0 was prohibited in 2015 (RFC 7568)."},
    ReasonRow{Reason::version_downgrade, "version_downgrade", Alert::illegal_parameter, kLocal,
              "The server marked its answer as a downgrade: both ends can do better than what arrived.", kTampered},
    ReasonRow{Reason::version_not_offered, "version_not_offered", Alert::illegal_parameter, kLocal,
              "The server chose a protocol version that was not offered.", kPeerBroken},
    ReasonRow{Reason::version_legacy, "version_legacy", Alert::protocol_version, kLocal,
              "A TLS 1.3 hello does not carry TLS 1.2's number as its legacy version.", kPeerBroken},
    ReasonRow{Reason::version_changed, "version_changed", Alert::illegal_parameter, kLocal,
              "The protocol version differs between HelloRetryRequest and ServerHello.", kPeerBroken},
    ReasonRow{
        Reason::inappropriate_fallback, "inappropriate_fallback", Alert::inappropriate_fallback, kLocal,
        "The client fell back to an older version although the server has a newer one.",
        "Let the client offer all its versions at once; an earlier attempt may have failed for a passing reason."},
    ReasonRow{Reason::suite_unsupported, "suite_unsupported", Alert::handshake_failure, kLocal,
              "Both ends have no cipher suite in common.", "Compare the suites that both ends allow."},
    ReasonRow{Reason::suite_not_offered, "suite_not_offered", Alert::illegal_parameter, kLocal,
              "The server chose a cipher suite that was not offered.", kPeerBroken},
    ReasonRow{Reason::suite_changed, "suite_changed", Alert::illegal_parameter, kLocal,
              "The cipher suite differs between HelloRetryRequest and ServerHello.", kPeerBroken},
    ReasonRow{Reason::group_unsupported, "group_unsupported", Alert::handshake_failure, kLocal,
              "Both ends have no key exchange group in common.", "Compare the groups that both ends allow."},
    ReasonRow{Reason::group_not_offered, "group_not_offered", Alert::illegal_parameter, kLocal,
              "The server chose a group that was not offered.", kPeerBroken},
    ReasonRow{Reason::group_unchanged, "group_unchanged", Alert::illegal_parameter, kLocal,
              "HelloRetryRequest asks for what the ClientHello already had.", kPeerBroken},
    ReasonRow{Reason::key_share_missing, "key_share_missing", Alert::missing_extension, kLocal,
              "The key share that is due is missing.", kPeerBroken},
    ReasonRow{Reason::key_share_duplicate, "key_share_duplicate", Alert::illegal_parameter, kLocal,
              "The ClientHello has two key shares for one group.", kPeerBroken},
    ReasonRow{Reason::key_share_not_in_groups, "key_share_not_in_groups", Alert::illegal_parameter, kLocal,
              "A key share is of a group that the ClientHello does not list as supported.", kPeerBroken},
    ReasonRow{Reason::key_share_size, "key_share_size", Alert::illegal_parameter, kLocal,
              "A key share has the wrong size for its group.", kPeerBroken},
    ReasonRow{Reason::key_share_invalid, "key_share_invalid", Alert::illegal_parameter, kLocal,
              "A key share is no valid public key of its group.", kPeerBroken},
    ReasonRow{Reason::key_share_group, "key_share_group", Alert::illegal_parameter, kLocal,
              "The key share is of another group than the one agreed on.", kPeerBroken},
    ReasonRow{Reason::session_id_echo, "session_id_echo", Alert::illegal_parameter, kLocal,
              "The server's session id is another than the client's (TLS 1.3), or names no session (TLS 1.2).",
              kPeerBroken},
    ReasonRow{Reason::second_hello_retry_request, "second_hello_retry_request", Alert::unexpected_message, kLocal,
              "The server sent a second HelloRetryRequest.", kPeerBroken},
    ReasonRow{Reason::client_hello_changed, "client_hello_changed", Alert::illegal_parameter, kLocal,
              "The second ClientHello differs from the first where it must not.", kPeerBroken},
    ReasonRow{Reason::cookie_missing, "cookie_missing", Alert::missing_extension, kLocal,
              "The second ClientHello lacks the cookie that it was asked to return.", kPeerBroken},
    ReasonRow{Reason::cookie_mismatch, "cookie_mismatch", Alert::illegal_parameter, kLocal,
              "The cookie is not the one that was sent.", kPeerBroken},
    ReasonRow{Reason::scheme_unsupported, "scheme_unsupported", Alert::handshake_failure, kLocal,
              "Both ends have no signature scheme in common that fits the certificate.",
              "Compare the schemes that both ends allow with the certificate's key, or configure a certificate with "
              "another key."},
    ReasonRow{Reason::scheme_not_offered, "scheme_not_offered", Alert::illegal_parameter, kLocal,
              "The peer signed with a scheme that was not offered.", kPeerBroken},
    ReasonRow{Reason::scheme_wrong_key, "scheme_wrong_key", Alert::illegal_parameter, kLocal,
              "The peer signed with a scheme that does not fit its certificate's key.", kPeerBroken},
    ReasonRow{Reason::psk_not_offered, "psk_not_offered", Alert::illegal_parameter, kLocal,
              "The server chose a PSK that was not offered.", kPeerBroken},
    ReasonRow{Reason::psk_mode_missing, "psk_mode_missing", Alert::missing_extension, kLocal,
              "The ClientHello offers PSKs without saying in which key exchange modes.", kPeerBroken},
    ReasonRow{Reason::psk_not_last, "psk_not_last", Alert::illegal_parameter, kLocal,
              "An extension follows pre_shared_key, which must be the last.", kPeerBroken},
    ReasonRow{Reason::psk_binder_count, "psk_binder_count", Alert::illegal_parameter, kLocal,
              "The ClientHello has not one binder per PSK identity.", kPeerBroken},
    ReasonRow{Reason::psk_binder, "psk_binder", Alert::decrypt_error, kLocal,
              "A PSK's binder is wrong: both ends do not hold the same key.",
              "Compare the PSK at both ends; for a ticket, check that the keys which seal tickets are shared by all "
              "servers."},
    ReasonRow{Reason::psk_hash, "psk_hash", Alert::illegal_parameter, kLocal,
              "The server chose a PSK whose hash is not the cipher suite's.", kPeerBroken},
    ReasonRow{Reason::psk_without_key_share, "psk_without_key_share", Alert::illegal_parameter, kLocal,
              "The server resumed the session without the key share that the offered mode needs.", kPeerBroken},
    ReasonRow{Reason::early_data_unexpected, "early_data_unexpected", Alert::unexpected_message, kLocal,
              "Early data came where none is accepted.", kPeerBroken},
    ReasonRow{
        Reason::early_data_mismatch, "early_data_mismatch", Alert::illegal_parameter, kLocal,
        "The server chose a version below TLS 1.3 although early data came with the ClientHello, or accepted early "
        "data and chose another identity, cipher suite or application protocol than its session has.",
        "Connect again without early data; if that fails too, report it to whoever runs the peer."},
    ReasonRow{Reason::early_data_too_much, "early_data_too_much", Alert::unexpected_message, kLocal,
              "The client sent more early data than its ticket allows.", kPeerBroken},
    ReasonRow{Reason::extended_main_secret_missing, "extended_main_secret_missing", Alert::handshake_failure, kLocal,
              "The peer speaks TLS 1.2 without extended master secret (RFC 7627).",
              "Update the peer, or allow such peers by allow_no_extended_main_secret."},
    ReasonRow{Reason::renegotiation_info_missing, "renegotiation_info_missing", Alert::handshake_failure, kLocal,
              "The peer speaks TLS 1.2 without secure renegotiation (RFC 5746).",
              "Update the peer, or allow such servers by allow_no_renegotiation_info."},
    ReasonRow{Reason::renegotiation_scsv, "renegotiation_scsv", Alert::handshake_failure, kLocal,
              "The client says in a renegotiation that this is its first handshake.",
              "Somebody may sit between you and the peer: see CVE-2009-3555."},
    ReasonRow{Reason::renegotiation_changed, "renegotiation_changed", Alert::handshake_failure, kLocal,
              "The peer renegotiates another version, or extended master secret where there was none or the reverse.",
              kPeerBroken},
    ReasonRow{Reason::renegotiation_peer_changed, "renegotiation_peer_changed", Alert::handshake_failure, kLocal,
              "The peer shows another certificate in a renegotiation than before.",
              "Close the connection and make a new one: identities do not change within one."},
    ReasonRow{Reason::renegotiation_unwanted, "renegotiation_unwanted", Alert::no_renegotiation, kLocal,
              "The peer asks for a renegotiation, and this configuration ends connections for that.",
              "Allow renegotiation, or leave out renegotiation_ends_connection: then it is refused and nothing ends."},
    ReasonRow{Reason::renegotiation_info_mismatch, "renegotiation_info_mismatch", Alert::handshake_failure, kLocal,
              "The peer takes this handshake for the renegotiation of another.",
              "Somebody may sit between you and the peer: see CVE-2009-3555."},
    ReasonRow{Reason::point_format, "point_format", Alert::illegal_parameter, kLocal,
              "The peer does not take uncompressed points of elliptic curves.", kPeerBroken},
    ReasonRow{Reason::session_changed, "session_changed", Alert::illegal_parameter, kLocal,
              "What was resumed is not what its session had agreed.", kPeerBroken},
    ReasonRow{Reason::suite_wrong_key, "suite_wrong_key", Alert::illegal_parameter, kLocal,
              "The server's certificate has a key that the suite does not authenticate with.", kPeerBroken},
    ReasonRow{Reason::curve_not_named, "curve_not_named", Alert::illegal_parameter, kLocal,
              "The server describes an elliptic curve instead of naming one.", kPeerBroken},
    ReasonRow{Reason::dh_group_unsupported, "dh_group_unsupported", Alert::insufficient_security, kLocal,
              "Both ends have no group of a finite field in common, which the client's suites need.",
              "Compare the ffdhe groups that both ends allow, or allow suites with ECDHE."},
    ReasonRow{Reason::dh_group_unknown, "dh_group_unknown", Alert::insufficient_security, kLocal,
              "The server exchanges keys over a finite field that this client does not know.",
              "Have the server use a group of RFC 7919 or ECDHE, or allow its own by allow_unknown_dh_groups."},
    ReasonRow{Reason::dh_group_weak, "dh_group_weak", Alert::insufficient_security, kLocal,
              "The server exchanges keys modulo a prime that is too short.",
              "Have the server use at least 2048 bits or ECDHE: see CVE-2015-4000 (Logjam)."},
    ReasonRow{Reason::dh_group_too_large, "dh_group_too_large", Alert::handshake_failure, kLocal,
              "The server exchanges keys modulo a prime that is longer than this end takes.",
              "Have the server use a group of 2048 to 8192 bits or ECDHE."},
    ReasonRow{Reason::dh_group_invalid, "dh_group_invalid", Alert::illegal_parameter, kLocal,
              "The server's numbers do not make a group: p is even, or g is not between 1 and p - 1.", kPeerBroken},
    ReasonRow{Reason::dh_share_invalid, "dh_share_invalid", Alert::handshake_failure, kLocal,
              "A public value of Diffie-Hellman is not between 1 and p - 1.", kPeerBroken},
    ReasonRow{Reason::psk_identity_too_long, "psk_identity_too_long", Alert::illegal_parameter, kLocal,
              "The client's PSK identity is longer than the limit of 256 bytes.",
              "Have the client use a shorter identity."},

    // authentication
    ReasonRow{Reason::certificate_missing, "certificate_missing", Alert::decode_error, kLocal,
              "The server sent no certificate.", kPeerBroken},
    ReasonRow{Reason::certificate_required, "certificate_required", Alert::certificate_required, kLocal,
              "The client sent no certificate, and this server insists on one.",
              "Give the client a certificate and its key."},
    ReasonRow{Reason::certificate_malformed, "certificate_malformed", Alert::bad_certificate, kLocal,
              "A certificate is not valid DER or X.509.",
              "Have the peer's certificate issued again by software that follows RFC 5280."},
    ReasonRow{Reason::certificate_context, "certificate_context", Alert::illegal_parameter, kLocal,
              "A certificate request or its answer carries the wrong context.", kPeerBroken},
    ReasonRow{Reason::certificate_type, "certificate_type", Alert::unsupported_certificate, kLocal,
              "The certificate's key is of a kind that this end cannot verify.",
              "Have the peer use a key of a kind that both ends support."},
    ReasonRow{Reason::certificate_expired, "certificate_expired", Alert::certificate_expired, kLocal,
              "A certificate has expired.",
              "Renew the peer's certificate; if it is current, set this machine's clock right."},
    ReasonRow{Reason::certificate_not_yet_valid, "certificate_not_yet_valid", Alert::certificate_expired, kLocal,
              "A certificate is not valid yet.",
              "Set this machine's clock right, or wait until the certificate's time begins."},
    ReasonRow{Reason::certificate_revoked, "certificate_revoked", Alert::certificate_revoked, kLocal,
              "A certificate has been revoked.", "Do not trust the peer until it has a new certificate."},
    ReasonRow{Reason::certificate_unknown_ca, "certificate_unknown_ca", Alert::unknown_ca, kLocal,
              "No trusted authority stands behind the certificate.",
              "Have the peer send its intermediate certificates, or add its authority to the trusted ones if you do "
              "trust it."},
    ReasonRow{Reason::certificate_self_signed, "certificate_self_signed", Alert::unknown_ca, kLocal,
              "The certificate is signed by itself and not among the trusted ones.",
              "Add it to the trusted ones if you know it to be right, or have it issued by an authority."},
    ReasonRow{Reason::certificate_name_mismatch, "certificate_name_mismatch", Alert::bad_certificate, kLocal,
              "The certificate is for another name than the one expected.",
              "Connect by a name that the certificate lists, or have it issued for this one."},
    ReasonRow{Reason::certificate_wrong_usage, "certificate_wrong_usage", Alert::unsupported_certificate, kLocal,
              "A certificate may not be used for this purpose.",
              "Have it issued with the right key usage and extended key usage."},
    ReasonRow{Reason::certificate_bad_signature, "certificate_bad_signature", Alert::bad_certificate, kLocal,
              "A certificate's signature is wrong.",
              "Have the peer check its chain: a certificate is damaged, forged, or follows the wrong issuer."},
    ReasonRow{Reason::certificate_weak, "certificate_weak", Alert::bad_certificate, kLocal,
              "A certificate relies on a key or an algorithm that is too weak.",
              "Have it issued again with a stronger key and SHA-256 or better."},
    ReasonRow{Reason::certificate_invalid, "certificate_invalid", Alert::certificate_unknown, kLocal,
              "The certificate chain fails a check of its validation.",
              "See the validation code for the certificate and the check, and have it reissued."},
    ReasonRow{Reason::certificate_chain_too_long, "certificate_chain_too_long", Alert::bad_certificate, kLocal,
              "The certificate chain is longer than the limit.",
              "Have the peer send only what leads to its authority, or raise the limit."},
    ReasonRow{Reason::certificate_rejected, "certificate_rejected", Alert::certificate_unknown, kApplication,
              "The application does not accept the peer's certificate.",
              "Ask the application's owner which certificates it accepts."},
    ReasonRow{
        Reason::certificate_status, "certificate_status", Alert::bad_certificate_status_response, kLocal,
        "What the stapled OCSP response says of the certificate is not satisfactory, or none came where one must.",
        "Have the peer staple a current response of its authority's."},
    ReasonRow{Reason::compression_not_offered, "compression_not_offered", Alert::illegal_parameter, kLocal,
              "The peer's certificate is compressed by an algorithm that this end did not name.", kPeerBroken},
    ReasonRow{Reason::decompression_failed, "decompression_failed", Alert::bad_certificate, kLocal,
              "The peer's compressed certificate is damaged, or is not as long as it says.", kPeerBroken},
    ReasonRow{
        Reason::signature_invalid, "signature_invalid", Alert::decrypt_error, kLocal,
        "The signature over the handshake is wrong: the peer does not hold the certificate's key.",
        "Check that the peer's key belongs to its certificate; otherwise somebody interferes with the connection."},
    ReasonRow{Reason::finished_mismatch, "finished_mismatch", Alert::decrypt_error, kLocal,
              "Both ends did not see the same handshake: the Finished message is wrong.", kTampered},
    ReasonRow{Reason::client_hello_refused, "client_hello_refused", Alert::handshake_failure, kApplication,
              "The application refused what the client offers.",
              "Look at the ClientHello and at what the application decides by: name, protocols, suites, versions."},
    ReasonRow{Reason::no_credential, "no_credential", Alert::handshake_failure, kApplication,
              "The application has no certificate for this connection.",
              "Configure a certificate and key for the name that the client asks for."},
    ReasonRow{Reason::signing_failed, "signing_failed", Alert::internal_error, kApplication,
              "The private key could not sign.", "Check the key and what holds it (file, token or service)."},
    ReasonRow{Reason::no_psk, "no_psk", Alert::handshake_failure, kApplication,
              "The server chose a suite with a pre-shared key, and the application has none for it.",
              "Configure the identity and key for this server, or do not offer such suites."},
    ReasonRow{Reason::psk_identity_unknown, "psk_identity_unknown", Alert::unknown_psk_identity, kApplication,
              "The application knows no pre-shared key of the identity that the client named.",
              "Compare the identities at both ends."},
    ReasonRow{Reason::psk_weak, "psk_weak", Alert::insufficient_security, kApplication,
              "The application's pre-shared key is shorter than TLS 1.3 or the profile of this configuration demands.",
              "Share a longer one: TLS 1.3 wants 16 bytes at least (RFC 9257), FIPS 140-3 14."},
    ReasonRow{Reason::psk_mismatch, "psk_mismatch", Alert::decrypt_error, kLocal,
              "The peer's Finished cannot be read: both ends do not hold the same pre-shared key, or this server does "
              "not know the client's identity and hides that.",
              "Compare identity and key at both ends."},
    ReasonRow{Reason::psk_declined, "psk_declined", Alert::handshake_failure, kLocal,
              "The server has taken none of the pre-shared keys that were offered, and this client insists on one.",
              "Compare identity, hash and importer at both ends, or let ExternalPsks::allow go on with certificates."},
    ReasonRow{Reason::psk_missing, "psk_missing", Alert::handshake_failure, kLocal,
              "The client offers no pre-shared key that this server could take, and it insists on one.",
              "Give the client a key, or let ExternalPsks::allow go on with certificates."},
    ReasonRow{Reason::psk_unacceptable, "psk_unacceptable", Alert::decrypt_error, kLocal,
              "None of the pre-shared keys that the client offers is known here; it is told as a wrong key would be.",
              "Compare identities, hash and importer at both ends."},

    // keys and tickets
    ReasonRow{Reason::key_update_malformed, "key_update_malformed", Alert::illegal_parameter, kLocal,
              "A KeyUpdate asks for neither an update nor none.", kPeerBroken},

    // the peer and the application
    ReasonRow{Reason::peer_alert, "peer_alert", Alert::close_notify, kPeer,
              "The peer ended the connection with an alert.",
              "The alert says what the peer dislikes; its log may say more."},
    ReasonRow{Reason::peer_closed, "peer_closed", Alert::close_notify, kPeer,
              "The peer closed the connection during the handshake.", "See the peer's log for why it gave up."},
    ReasonRow{Reason::canceled, "canceled", Alert::user_canceled, kApplication,
              "The application canceled the handshake.",
              "Nothing needs mending unless the application did not mean to."},
    ReasonRow{Reason::token_dropped, "token_dropped", Alert::internal_error, kApplication,
              "The application dropped the token of a pending question without an answer.", kCallerBroken},

    // limits and resources
    ReasonRow{Reason::handshake_too_large, "handshake_too_large", Alert::handshake_failure, kLocal,
              "What the peer sent, and what it needs in answer, takes more memory than this end gives a handshake.",
              "Raise handshake_memory if the peer has good cause (a long certificate chain), else report it to its "
              "maker."},
    ReasonRow{Reason::memory, "memory", Alert::internal_error, kLocal, "There was no memory for the handshake.",
              "Give the engine more memory, or run fewer handshakes at a time."},
    ReasonRow{Reason::random_failed, "random_failed", Alert::internal_error, kLocal, "The source of randomness failed.",
              "Check the random source that the connection was given."},
    ReasonRow{Reason::provider_failed, "provider_failed", Alert::internal_error, kLocal,
              "The cryptographic library failed.", "Check that the library is whole and has the memory that it needs."},
    ReasonRow{Reason::unusable, "unusable", Alert::internal_error, kApplication,
              "The connection was moved from, or made without a configuration.",
              "Use the connection that it was moved to, and give every connection a configuration."},
};

/// From a reason's number to its row, counted from one. Two rows of one number do not compile.
constexpr auto kRowOf = [] {
  static_assert(kReasons.size() < 255);
  std::array<std::uint8_t, 256> row_of{};
  for (std::size_t i = 0; i < kReasons.size(); ++i) {
    std::uint8_t& place = row_of[static_cast<std::size_t>(kReasons[i].reason)];
    place = place == 0 ? static_cast<std::uint8_t>(i + 1) : throw "two reasons have one number";
  }
  return row_of;
}();

/// What a peer means that sends it, where a reader may wonder, and what to do about it where more can be said than
/// that its log may know.
struct AlertRow {
  Alert alert;
  std::string_view name;
  std::string_view peer_means;
  std::string_view advise{};
};

constexpr std::array kAlerts{
    AlertRow{Alert::close_notify, "close_notify", ""},
    AlertRow{Alert::unexpected_message, "unexpected_message", "it did not expect what it received"},
    AlertRow{Alert::bad_record_mac, "bad_record_mac", "it could not decrypt a record"},
    AlertRow{Alert::decryption_failed, "decryption_failed", "it could not decrypt a record"},
    AlertRow{Alert::record_overflow, "record_overflow", "it received a record that it finds too long"},
    AlertRow{Alert::decompression_failure, "decompression_failure", "it could not decompress what it received"},
    AlertRow{
        Alert::handshake_failure, "handshake_failure",
        "it accepts none of the suites, groups, schemes or certificates offered",
        "Compare what both ends allow; a peer that speaks TLS 1.2 may want a suite that has to be named here, or lack "
        "extended master secret (RFC 7627)."},
    AlertRow{Alert::no_certificate, "no_certificate", "it has no certificate"},
    AlertRow{Alert::bad_certificate, "bad_certificate",
             "it finds our certificate damaged or not fit for this connection"},
    AlertRow{Alert::unsupported_certificate, "unsupported_certificate", "it cannot use our kind of certificate"},
    AlertRow{Alert::certificate_revoked, "certificate_revoked", "it knows our certificate as revoked"},
    AlertRow{Alert::certificate_expired, "certificate_expired", "it finds our certificate expired or not yet valid"},
    AlertRow{Alert::certificate_unknown, "certificate_unknown", "it does not accept our certificate"},
    AlertRow{Alert::illegal_parameter, "illegal_parameter", "it finds a field of ours wrong"},
    AlertRow{Alert::unknown_ca, "unknown_ca", "it does not trust the issuer of our certificate"},
    AlertRow{Alert::access_denied, "access_denied", "it knows us and denies access"},
    AlertRow{Alert::decode_error, "decode_error", "it could not parse what it received"},
    AlertRow{Alert::decrypt_error, "decrypt_error", "a signature, Finished or PSK binder of ours is wrong for it"},
    AlertRow{Alert::export_restriction, "export_restriction", ""},
    AlertRow{Alert::protocol_version, "protocol_version", "it does not speak the protocol version that this end speaks",
             kNoCommonVersion},
    AlertRow{Alert::insufficient_security, "insufficient_security",
             "it demands stronger parameters than those offered"},
    AlertRow{Alert::internal_error, "internal_error", "it failed for a cause of its own"},
    AlertRow{Alert::inappropriate_fallback, "inappropriate_fallback",
             "it has a newer version than the one offered as a fallback"},
    AlertRow{Alert::user_canceled, "user_canceled", "its user or application gave up"},
    AlertRow{Alert::no_renegotiation, "no_renegotiation", "it refuses to renegotiate"},
    AlertRow{Alert::missing_extension, "missing_extension", "it misses an extension in our message"},
    AlertRow{Alert::unsupported_extension, "unsupported_extension", "it did not offer an extension that we sent"},
    AlertRow{Alert::certificate_unobtainable, "certificate_unobtainable", ""},
    AlertRow{Alert::unrecognized_name, "unrecognized_name", "it serves no host of the name that we asked for"},
    AlertRow{Alert::bad_certificate_status_response, "bad_certificate_status_response",
             "it does not accept our OCSP response"},
    AlertRow{Alert::bad_certificate_hash_value, "bad_certificate_hash_value", ""},
    AlertRow{Alert::unknown_psk_identity, "unknown_psk_identity", "it knows no PSK of this identity"},
    AlertRow{Alert::certificate_required, "certificate_required",
             "it insists on a client certificate, and none of ours was sent",
             "Configure a certificate that it accepts, with its key."},
    AlertRow{Alert::general_error, "general_error", "it failed for a cause that it does not name"},
    AlertRow{Alert::no_application_protocol, "no_application_protocol", "it speaks none of the ALPN protocols offered"},
    AlertRow{Alert::ech_required, "ech_required", "it could not decrypt our encrypted ClientHello"},
};

const AlertRow* row(Alert alert) noexcept {
  const auto* found = std::ranges::find(kAlerts, alert, &AlertRow::alert);
  return found == kAlerts.end() ? nullptr : found;
}

const ReasonRow* row(Reason reason) noexcept {
  const std::size_t found = kRowOf[static_cast<std::uint8_t>(reason)];
  return found == 0 ? nullptr : &kReasons[found - 1];
}

struct PlaceRow {
  Place place;
  std::string_view name;
};

constexpr std::array kPlaces{
    PlaceRow{Place::record, "record"},
    PlaceRow{Place::alert, "alert"},
    PlaceRow{Place::change_cipher_spec, "change_cipher_spec"},
    PlaceRow{Place::client_hello, "client_hello"},
    PlaceRow{Place::server_hello, "server_hello"},
    PlaceRow{Place::hello_retry_request, "hello_retry_request"},
    PlaceRow{Place::encrypted_extensions, "encrypted_extensions"},
    PlaceRow{Place::certificate_request, "certificate_request"},
    PlaceRow{Place::certificate, "certificate"},
    PlaceRow{Place::certificate_verify, "certificate_verify"},
    PlaceRow{Place::finished, "finished"},
    PlaceRow{Place::new_session_ticket, "new_session_ticket"},
    PlaceRow{Place::key_update, "key_update"},
    PlaceRow{Place::end_of_early_data, "end_of_early_data"},
    PlaceRow{Place::hello_request, "hello_request"},
    PlaceRow{Place::server_key_exchange, "server_key_exchange"},
    PlaceRow{Place::server_hello_done, "server_hello_done"},
    PlaceRow{Place::client_key_exchange, "client_key_exchange"},
    PlaceRow{Place::certificate_status, "certificate_status"},
    PlaceRow{Place::handshake, "handshake"},
    PlaceRow{Place::application, "application"},
    PlaceRow{Place::transport, "transport"},
    PlaceRow{Place::next_protocol, "next_protocol"},
    PlaceRow{Place::compressed_certificate, "compressed_certificate"},
};

std::string facts_of(const Error& error, bool names_x509_code);
std::string detail_text(const Error& error, bool names_x509_code);
bool is_about_certificates(Reason reason);
std::string printable(Bytes bytes);
std::string alert_text(Alert alert);

}  // namespace

Error make_error(Reason reason, Place place, std::uint16_t detail) noexcept {
  Error error;
  error.alert = alert_of(reason);
  error.reason = reason;
  error.place = place;
  error.origin = row(reason) != nullptr ? row(reason)->origin : Origin::local;
  error.detail = detail;
  return error;
}

std::string_view name(Alert alert) noexcept { return row(alert) != nullptr ? row(alert)->name : std::string_view{}; }

std::string_view name(Reason reason) noexcept {
  return row(reason) != nullptr ? row(reason)->name : std::string_view{};
}

std::string_view name(Place place) noexcept {
  const auto* found = std::ranges::find(kPlaces, place, &PlaceRow::place);
  return found == kPlaces.end() ? std::string_view{} : found->name;
}

std::string_view name(Origin origin) noexcept {
  switch (origin) {
    case Origin::local: return "local";
    case Origin::peer: return "peer";
    case Origin::application: return "application";
  }
  return {};
}

Alert alert_of(Reason reason) noexcept { return row(reason) != nullptr ? row(reason)->alert : Alert::internal_error; }

std::string_view explain(Reason reason) noexcept {
  return row(reason) != nullptr ? row(reason)->explain : std::string_view{};
}

std::string_view advise(Reason reason) noexcept {
  return row(reason) != nullptr ? row(reason)->advise : std::string_view{};
}

std::string_view advise(const Error& error) noexcept {
  if (error.reason == Reason::peer_alert) {
    if (const AlertRow* alert = row(error.alert); alert != nullptr && !alert->advise.empty()) return alert->advise;
  }
  return advise(error.reason);
}

std::string to_text(const Error& error) { return facts_of(error, true) + ' ' + std::string(advise(error)); }

std::string to_text(const Error& error, std::string_view particulars) {
  return facts_of(error, false) + ' ' + std::string(particulars);
}

namespace {

/// What happened, where and who ended it.
std::string facts_of(const Error& error, bool names_x509_code) {
  std::string text(explain(error.reason));
  text += " [";
  text += name(error.reason);
  text += " in ";
  text += name(error.place);
  text += detail_text(error, names_x509_code);
  if (error.evidence_size > 0) {
    text += "; first bytes \"";
    text += printable(Bytes(error.evidence).first(std::min<std::size_t>(error.evidence_size, error.evidence.size())));
    text += '"';
  }
  switch (error.origin) {
    case Origin::local:
      text += "; found here";
      // Where the transport has ended, nobody hears an alert.
      if (error.reason != Reason::truncated) text += ", alert " + alert_text(error.alert) + " sent";
      break;
    case Origin::peer: text += "; the peer sent alert " + alert_text(error.alert); break;
    case Origin::application: text += "; ended by the application, alert " + alert_text(error.alert) + " sent"; break;
  }
  if (const AlertRow* alert = row(error.alert);
      error.reason == Reason::peer_alert && alert != nullptr && !alert->peer_means.empty()) {
    text += ": ";
    text += alert->peer_means;
  }
  text += ']';
  return text;
}

/// The number that goes with some reasons, in words.
std::string detail_text(const Error& error, bool names_x509_code) {
  switch (error.reason) {
    case Reason::extension_duplicate:
    case Reason::extension_unsolicited:
    case Reason::extension_forbidden:
    case Reason::extension_malformed:
    case Reason::extension_missing: return ", extension " + to_text(static_cast<ExtensionType>(error.detail));
    case Reason::message_unexpected: return ", message " + to_text(static_cast<HandshakeType>(error.detail));
    case Reason::scheme_not_offered:
    case Reason::scheme_wrong_key:
    case Reason::signature_invalid: return ", scheme " + to_text(static_cast<SignatureScheme>(error.detail));
    case Reason::dh_group_unknown:
    case Reason::dh_group_weak:
    case Reason::dh_group_too_large:
    case Reason::dh_group_invalid:
    case Reason::dh_share_invalid: return ", " + std::to_string(error.detail) + " bits";
    // The place says which message; the alert has its own words.
    case Reason::message_too_long:
    case Reason::peer_alert:
    case Reason::peer_closed: return {};
    default: break;
  }
  if (error.detail == 0 || (is_about_certificates(error.reason) && !names_x509_code)) return {};
  return (is_about_certificates(error.reason) ? ", X.509 code " : ", detail ") + std::to_string(error.detail);
}

/// Whether the detail is an x509::Code.
bool is_about_certificates(Reason reason) { return name(reason).starts_with("certificate_"); }

std::string alert_text(Alert alert) {
  const std::string_view known = name(alert);
  return known.empty() ? std::to_string(static_cast<unsigned>(alert)) : std::string(known);
}

/// ASCII as it is, anything else escaped as in C, so that a hostile peer writes nothing to a terminal but text.
std::string printable(Bytes bytes) {
  static constexpr std::string_view kHex = "0123456789abcdef";
  std::string text;
  for (const std::uint8_t byte : bytes) {
    if (byte == '\r') {
      text += "\\r";
    } else if (byte == '\n') {
      text += "\\n";
    } else if (byte == '\\' || byte == '"') {
      text += '\\';
      text += static_cast<char>(byte);
    } else if (byte >= 0x20 && byte < 0x7f) {
      text += static_cast<char>(byte);
    } else {
      text += "\\x";
      text += kHex[byte >> 4U];
      text += kHex[byte & 0xfU];
    }
  }
  return text;
}

}  // namespace
}  // namespace lockstep
