#include "options.hpp"

#include <charconv>
#include <span>
#include <string_view>
#include <variant>

namespace bogo {

namespace {

/// The flag that the flags of another credential follow.
struct NewCredential {};

using Member = std::variant<bool Options::*, int Options::*, std::optional<int> Options::*, std::string Options::*,
                            std::vector<int> Options::*, bool CredentialOptions::*, std::string CredentialOptions::*,
                            std::vector<int> CredentialOptions::*, NewCredential>;

struct Flag {
  std::string_view name;
  Member member;
};

const Flag kFlags[] = {
    {"port", &Options::port},
    {"shim-id", &Options::shim_id},
    {"ipv6", &Options::ipv6},
    {"resume-count", &Options::resume_count},
    {"is-handshaker-supported", &Options::is_handshaker_supported},
    {"wait-for-debugger", &Options::wait_for_debugger},
    {"server", &Options::server},
    {"new-x509-credential", NewCredential{}},
    {"key-file", &CredentialOptions::key_file},
    {"cert-file", &CredentialOptions::cert_file},
    {"signing-prefs", &CredentialOptions::signing_prefs},
    {"ocsp-response", &CredentialOptions::ocsp_response},
    {"signed-cert-timestamps", &CredentialOptions::signed_cert_timestamps},
    {"must-match-issuer", &CredentialOptions::must_match_issuer},
    {"trust-cert", &Options::trust_cert},
    {"host-name", &Options::host_name},
    {"min-version", &Options::min_version},
    {"max-version", &Options::max_version},
    {"no-tls13", &Options::no_tls13},
    {"no-tls12", &Options::no_tls12},
    {"no-tls11", &Options::no_tls11},
    {"no-tls1", &Options::no_tls1},
    {"cipher", &Options::cipher},
    {"psk", &Options::psk},
    {"psk-identity", &Options::psk_identity},
    {"curves", &Options::curves},
    {"key-shares", &Options::key_shares},
    {"no-key-shares", &Options::no_key_shares},
    {"verify-prefs", &Options::verify_prefs},
    {"server-preference", &Options::server_preference},
    {"enable-grease", &Options::enable_grease},
    {"permute-extensions", &Options::permute_extensions},
    {"fallback-scsv", &Options::fallback_scsv},
    {"advertise-alpn", &Options::advertise_alpn},
    {"select-alpn", &Options::select_alpn},
    {"decline-alpn", &Options::decline_alpn},
    {"reject-alpn", &Options::reject_alpn},
    {"advertise-npn", &Options::advertise_npn},
    {"select-next-proto", &Options::select_next_proto},
    {"verify-peer", &Options::verify_peer},
    {"require-any-client-certificate", &Options::require_any_client_certificate},
    {"use-client-ca-list", &Options::use_client_ca_list},
    {"no-ticket", &Options::no_ticket},
    {"max-send-fragment", &Options::max_send_fragment},
    {"max-cert-list", &Options::max_cert_list},
    {"install-cert-compression-algs", &Options::install_cert_compression_algs},
    {"install-one-cert-compression-alg", &Options::install_one_cert_compression_alg},
    {"fips-202205", &Options::fips_202205},
    {"wpa-202304", &Options::wpa_202304},
    {"cnsa-202407", &Options::cnsa_202407},
    {"cnsa1-202603", &Options::cnsa1_202603},
    {"cnsa2-202603", &Options::cnsa2_202603},
    {"enable-ocsp-stapling", &Options::enable_ocsp_stapling},
    {"enable-signed-cert-timestamps", &Options::enable_signed_cert_timestamps},
    {"use-ocsp-callback", &Options::use_ocsp_callback},
    {"set-ocsp-in-callback", &Options::set_ocsp_in_callback},
    {"decline-ocsp-callback", &Options::decline_ocsp_callback},
    {"fail-ocsp-callback", &Options::fail_ocsp_callback},
    {"async", &Options::async},
    {"use-custom-verify-callback", &Options::use_custom_verify_callback},
    {"verify-fail", &Options::verify_fail},
    {"reverify-on-resume", &Options::reverify_on_resume},
    {"use-early-callback", &Options::use_early_callback},
    {"fail-early-callback", &Options::fail_early_callback},
    {"use-old-client-cert-callback", &Options::use_old_client_cert_callback},
    {"fail-cert-callback", &Options::fail_cert_callback},
    {"use-ticket-callback", &Options::use_ticket_callback},
    {"renew-ticket", &Options::renew_ticket},
    {"ticket-key", &Options::ticket_key},
    {"install-ddos-callback", &Options::install_ddos_callback},
    {"fail-ddos-callback", &Options::fail_ddos_callback},
    {"resumption-delay", &Options::resumption_delay},
    {"enable-early-data", &Options::enable_early_data},
    {"early-write-after-message", &Options::early_write_after_message},
    {"implicit-handshake", &Options::implicit_handshake},
    {"no-op-extra-handshake", &Options::no_op_extra_handshake},
    {"handshake-twice", &Options::handshake_twice},
    {"shim-writes-first", &Options::shim_writes_first},
    {"shim-shuts-down", &Options::shim_shuts_down},
    {"send-alert", &Options::send_alert},
    {"check-close-notify", &Options::check_close_notify},
    {"key-update", &Options::key_update},
    {"write-different-record-sizes", &Options::write_different_record_sizes},
    {"false-start", &Options::false_start},
    {"allow-false-start-without-alpn", &Options::allow_false_start_without_alpn},
    {"partial-write", &Options::partial_write},
    {"read-with-unfinished-write", &Options::read_with_unfinished_write},
    {"peek-then-read", &Options::peek_then_read},
    {"read-size", &Options::read_size},
    {"export-keying-material", &Options::export_keying_material},
    {"export-label", &Options::export_label},
    {"export-context", &Options::export_context},
    {"use-export-context", &Options::use_export_context},
    {"use-exporter-between-reads", &Options::use_exporter_between_reads},
    {"tls-unique", &Options::tls_unique},
    {"export-traffic-secrets", &Options::export_traffic_secrets},
    {"allow-hint-mismatch", &Options::allow_hint_mismatch},
    {"srtp-profiles", &Options::srtp_profiles},
    {"renegotiate-once", &Options::renegotiate_once},
    {"renegotiate-freely", &Options::renegotiate_freely},
    {"renegotiate-explicit", &Options::renegotiate_explicit},
    {"renegotiate-ignore", &Options::renegotiate_ignore},
    {"ignore-rsa-key-usage", &Options::ignore_rsa_key_usage},
    {"expect-version", &Options::expect_version},
    {"expect-cipher", &Options::expect_cipher},
    {"expect-cipher-aes", &Options::expect_cipher_aes},
    {"expect-cipher-no-aes", &Options::expect_cipher_no_aes},
    {"expect-curve-id", &Options::expect_curve_id},
    {"expect-peer-signature-algorithm", &Options::expect_peer_signature_algorithm},
    {"expect-peer-verify-pref", &Options::expect_peer_verify_pref},
    {"expect-selected-credential", &Options::expect_selected_credential},
    {"expect-server-name", &Options::expect_server_name},
    {"expect-alpn", &Options::expect_alpn},
    {"expect-advertised-alpn", &Options::expect_advertised_alpn},
    {"expect-next-proto", &Options::expect_next_proto},
    {"expect-client-ca-list", &Options::expect_client_ca_list},
    {"expect-peer-cert-file", &Options::expect_peer_cert_file},
    {"expect-ocsp-response", &Options::expect_ocsp_response},
    {"expect-signed-cert-timestamps", &Options::expect_signed_cert_timestamps},
    {"expect-verify-result", &Options::expect_verify_result},
    {"handshake-never-done", &Options::handshake_never_done},
    {"expect-certificate-types", &Options::expect_certificate_types},
    {"expect-msg-callback", &Options::expect_msg_callback},
    {"expect-session-miss", &Options::expect_session_miss},
    {"expect-no-session", &Options::expect_no_session},
    {"expect-ticket-renewal", &Options::expect_ticket_renewal},
    {"expect-ticket-supports-early-data", &Options::expect_ticket_supports_early_data},
    {"expect-session-id", &Options::expect_session_id},
    {"expect-no-session-id", &Options::expect_no_session_id},
    {"expect-accept-early-data", &Options::expect_accept_early_data},
    {"expect-reject-early-data", &Options::expect_reject_early_data},
    {"expect-no-offer-early-data", &Options::expect_no_offer_early_data},
    {"expect-ticket-age-skew", &Options::expect_ticket_age_skew},
    {"expect-early-data-reason", &Options::expect_early_data_reason},
    {"expect-key-usage-invalid", &Options::expect_key_usage_invalid},
    {"expect-hrr", &Options::expect_hrr},
    {"expect-no-hrr", &Options::expect_no_hrr},
    {"expect-total-renegotiations", &Options::expect_total_renegotiations},
    {"expect-secure-renegotiation", &Options::expect_secure_renegotiation},
    {"expect-no-secure-renegotiation", &Options::expect_no_secure_renegotiation},
    {"expect-extended-master-secret", &Options::expect_extended_master_secret},
};

bool remove_prefix(std::string_view& name, std::string_view prefix) {
  if (!name.starts_with(prefix)) return false;
  name.remove_prefix(prefix.size());
  return true;
}

bool parse_number(std::string_view text, int& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc() && end == text.data() + text.size();
}

bool assign(bool& flag, std::string_view) { return flag = true; }
bool assign(int& number, std::string_view value) { return parse_number(value, number); }
bool assign(std::optional<int>& number, std::string_view value) { return parse_number(value, number.emplace()); }
bool assign(std::vector<int>& numbers, std::string_view value) { return parse_number(value, numbers.emplace_back()); }
bool assign(std::string& text, std::string_view value) {
  text = value;
  return true;
}

template <class T>
bool set(Options& options, T Options::* member, std::string_view value) {
  return assign(options.*member, value);
}

template <class T>
bool set(Options& options, T CredentialOptions::* member, std::string_view value) {
  CredentialOptions& latest = options.credentials.empty() ? options.credential : options.credentials.back();
  return assign(latest.*member, value);
}

bool set(Options& options, NewCredential, std::string_view) {
  options.credentials.emplace_back();
  return true;
}

bool takes_value(const Member& member) {
  return !std::holds_alternative<bool Options::*>(member) &&
         !std::holds_alternative<bool CredentialOptions::*>(member) && !std::holds_alternative<NewCredential>(member);
}

}  // namespace

std::expected<Flags, std::string> parse_flags(int count, const char* const* arguments) {
  Flags flags;
  const std::span all(arguments, static_cast<std::size_t>(count));
  for (std::size_t i = 1; i < all.size(); ++i) {
    const std::string_view argument = all[i];
    std::string_view name = argument;
    if (!remove_prefix(name, "-")) return std::unexpected(std::string(argument));
    (void)remove_prefix(name, "on-shim-");
    // What is for the program that would take handshakes over from the shim, if there were one.
    const bool for_another = remove_prefix(name, "on-handshaker-");
    std::vector<Options*> places = {&flags.initial, &flags.resumed, &flags.retried};
    if (remove_prefix(name, "on-initial-")) {
      places = {&flags.initial};
    } else if (remove_prefix(name, "on-resume-")) {
      places = {&flags.resumed};
    } else if (remove_prefix(name, "on-retry-")) {
      places = {&flags.retried};
    }

    const Flag* flag = nullptr;
    for (const Flag& known : kFlags) {
      if (known.name == name) flag = &known;
    }
    if (flag == nullptr) return std::unexpected(std::string(argument));
    std::string_view value;
    if (takes_value(flag->member)) {
      if (++i == all.size()) return std::unexpected(std::string(argument));
      value = all[i];
    }
    if (for_another) continue;
    for (Options* place : places) {
      const auto give = [&](auto member) { return set(*place, member, value); };
      if (!std::visit(give, flag->member)) return std::unexpected(std::string(argument));
    }
  }
  return flags;
}

}  // namespace bogo
