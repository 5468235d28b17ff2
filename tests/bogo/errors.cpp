#include "errors.hpp"

#include <string_view>

namespace bogo {

using lockstep::Alert;
using lockstep::Error;
using lockstep::Place;
using lockstep::Reason;

namespace {

/// BoringSSL tells some things apart that we do not, and the other way round: a reason may have several names.
struct Row {
  Reason reason;
  std::string_view names;
};

constexpr Row kNames[] = {
    {Reason::record_mac, ":DECRYPTION_FAILED_OR_BAD_RECORD_MAC:"},
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
    for (const AlertRow& row : kAlerts) {
      if (row.alert == error.alert) return std::string(row.name);
    }
    return {};
  }
  for (const Row& row : kNames) {
    if (row.reason == error.reason) return std::string(row.names);
  }
  return {};
}

}  // namespace bogo
