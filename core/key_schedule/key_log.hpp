#pragma once
// The labels of the key log format (RFC 9850, known as SSLKEYLOGFILE): "LABEL client_random secret", both in hex.

#include <string_view>

namespace lockstep::key_schedule::key_log {

inline constexpr std::string_view kClientEarlyTrafficSecret = "CLIENT_EARLY_TRAFFIC_SECRET";
inline constexpr std::string_view kEarlyExporterSecret = "EARLY_EXPORTER_SECRET";
inline constexpr std::string_view kClientHandshakeTrafficSecret = "CLIENT_HANDSHAKE_TRAFFIC_SECRET";
inline constexpr std::string_view kServerHandshakeTrafficSecret = "SERVER_HANDSHAKE_TRAFFIC_SECRET";
inline constexpr std::string_view kClientTrafficSecret0 = "CLIENT_TRAFFIC_SECRET_0";
inline constexpr std::string_view kServerTrafficSecret0 = "SERVER_TRAFFIC_SECRET_0";
inline constexpr std::string_view kExporterSecret = "EXPORTER_SECRET";
/// TLS 1.2: the main secret, "master" before RFC 9846 D.
inline constexpr std::string_view kClientRandom = "CLIENT_RANDOM";

}  // namespace lockstep::key_schedule::key_log
