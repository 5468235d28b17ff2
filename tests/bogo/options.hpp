#pragma once
// The flags that BoringSSL's test runner gives its shim, as far as this shim knows them.

#include <expected>
#include <optional>
#include <string>
#include <vector>

namespace bogo {

/// The flags of one of our credentials.
struct CredentialOptions {
  std::string cert_file;
  std::string key_file;
  std::vector<int> signing_prefs;
  std::string ocsp_response;           ///< base64
  std::string signed_cert_timestamps;  ///< base64
  bool must_match_issuer = false;      ///< for peers alone that name the issuer of one of its certificates
};

/// One connection's flags; the names are the runner's.
struct Options {
  // the whole run
  int port = 0;
  std::string shim_id;
  bool ipv6 = false;
  int resume_count = 0;
  bool is_handshaker_supported = false;
  bool wait_for_debugger = false;

  // who we are
  bool server = false;
  CredentialOptions credential;                ///< what no -new-x509-credential precedes; comes last
  std::vector<CredentialOptions> credentials;  ///< one for each -new-x509-credential, in order of preference
  std::string trust_cert;                      ///< of no use: the flags say how the peer is to be judged
  std::string host_name;

  // what we offer and accept
  int min_version = 0;
  int max_version = 0;
  bool no_tls13 = false;
  bool no_tls12 = false;
  bool no_tls11 = false;
  bool no_tls1 = false;
  std::string cipher;  ///< suites of TLS 1.2 in OpenSSL's grammar
  std::string psk;
  std::string psk_identity;
  std::vector<int> curves;
  std::vector<int> key_shares;
  bool no_key_shares = false;
  std::vector<int> verify_prefs;
  bool server_preference = false;
  bool enable_grease = false;
  bool permute_extensions = false;  ///< which belongs to GREASE here
  bool fallback_scsv = false;
  std::string advertise_alpn;
  std::string select_alpn;
  bool decline_alpn = false;
  bool reject_alpn = false;
  std::string advertise_npn;      ///< a server's
  std::string select_next_proto;  ///< a client's
  bool verify_peer = false;
  bool require_any_client_certificate = false;
  std::string use_client_ca_list;
  bool no_ticket = false;
  int max_send_fragment = 0;
  int max_cert_list = 0;
  bool install_cert_compression_algs = false;
  int install_one_cert_compression_alg = 0;
  bool fips_202205 = false;
  bool wpa_202304 = false;
  bool cnsa_202407 = false;
  bool cnsa1_202603 = false;
  bool cnsa2_202603 = false;

  // what stands beside certificates
  bool enable_ocsp_stapling = false;
  bool enable_signed_cert_timestamps = false;
  bool use_ocsp_callback = false;
  bool set_ocsp_in_callback = false;  ///< the credential is the answer to a question, staples and all
  bool decline_ocsp_callback = false;
  bool fail_ocsp_callback = false;

  // how we decide
  bool async = false;
  bool use_custom_verify_callback = false;  ///< this and the other callbacks: every decision is an event here
  bool verify_fail = false;
  bool ignore_rsa_key_usage = false;  ///< in TLS 1.2
  bool reverify_on_resume = false;
  bool use_early_callback = false;
  bool fail_early_callback = false;
  bool use_old_client_cert_callback = false;
  bool fail_cert_callback = false;
  bool use_ticket_callback = false;
  bool renew_ticket = false;
  std::string ticket_key;  ///< base64: tickets are BoringSSL's, so that the runner can change them
  bool install_ddos_callback = false;
  bool fail_ddos_callback = false;
  int resumption_delay = 0;

  // what we do
  bool implicit_handshake = false;  ///< the engine has no other
  bool no_op_extra_handshake = false;
  bool enable_early_data = false;
  int early_write_after_message = 0;  ///< the message's type
  bool handshake_twice = false;
  bool shim_writes_first = false;
  bool shim_shuts_down = false;
  bool send_alert = false;
  bool check_close_notify = false;
  bool key_update = false;
  bool write_different_record_sizes = false;
  bool partial_write = false;  ///< the engine always says how much it took
  bool read_with_unfinished_write = false;
  bool false_start = false;
  bool allow_false_start_without_alpn = false;
  int read_size = 0;
  bool peek_then_read = false;  ///< data that was told can be looked at as often as one likes
  int export_keying_material = 0;
  std::string export_label;
  std::string export_context;
  bool use_export_context = false;
  bool use_exporter_between_reads = false;
  bool tls_unique = false;
  bool export_traffic_secrets = false;

  // permissions and demands that every connection meets
  bool allow_hint_mismatch = false;  ///< there are no hints: each handshake is computed by itself
  std::string srtp_profiles;         ///< of DTLS (RFC 5764); over TLS nobody is to speak of them
  bool renegotiate_once = false;
  bool renegotiate_freely = false;
  bool renegotiate_explicit = false;  ///< BoringSSL's own: whoever wants a renegotiation has to say so each time
  bool renegotiate_ignore = false;
  int expect_total_renegotiations = 0;
  bool expect_secure_renegotiation = false;  ///< of TLS 1.2: then it is required
  bool expect_no_secure_renegotiation = false;
  bool expect_extended_master_secret = false;  ///< of TLS 1.2: then it is required

  // what must come of it
  int expect_version = 0;
  int expect_cipher = 0;
  int expect_cipher_aes = 0;
  int expect_cipher_no_aes = 0;
  int expect_curve_id = 0;
  int expect_peer_signature_algorithm = 0;
  std::vector<int> expect_peer_verify_pref;
  std::optional<int> expect_selected_credential;  ///< which of `credentials`, from 0; -1 is `credential`
  std::string expect_server_name;
  std::string expect_alpn;
  std::string expect_advertised_alpn;
  std::string expect_next_proto;
  std::string expect_client_ca_list;
  std::string expect_peer_cert_file;
  std::string expect_ocsp_response;           ///< base64
  std::string expect_signed_cert_timestamps;  ///< base64
  bool expect_verify_result = false;
  bool handshake_never_done = false;
  std::string expect_certificate_types;  ///< base64
  std::string expect_msg_callback;
  bool expect_session_miss = false;
  bool expect_no_session = false;
  bool expect_ticket_renewal = false;  ///< in TLS 1.2, where a session may be resumed without
  bool expect_ticket_supports_early_data = false;
  bool expect_session_id = false;
  bool expect_no_session_id = false;
  bool expect_accept_early_data = false;
  bool expect_reject_early_data = false;
  bool expect_no_offer_early_data = false;
  std::string expect_early_data_reason;
  int expect_ticket_age_skew = 0;  ///< seconds, of a resumed session
  bool expect_key_usage_invalid = false;
  bool expect_hrr = false;
  bool expect_no_hrr = false;
};

struct Flags {
  Options initial;
  Options resumed;
  Options retried;  ///< of a resumed one, once early data was rejected
};

/// The flags of both kinds of connection; or the first flag that this shim does not know.
[[nodiscard]] std::expected<Flags, std::string> parse_flags(int count, const char* const* arguments);

}  // namespace bogo
