#pragma once
// Versions as OpenSSL's methods say them, which Node calls secureProtocol: for settings that come from there.
//
//     const auto method = lockstep::method_from_name("TLSv1_2_method");
//     if (!method) return std::cerr << method.error() << '\n', 1;
//     builder.versions(method->min, method->max);

#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include <lockstep/export.hpp>
#include <lockstep/types.hpp>

namespace lockstep {

/// What a method comes to in this build, which speaks TLS 1.2 and TLS 1.3.
struct VersionMethod {
  ProtocolVersion min{};
  ProtocolVersion max{};
  std::optional<Role> role;  ///< of a client's or a server's method; nothing: either
};

/// "TLS_method": both versions; "TLSv1_2_method": TLS 1.2 alone; "SSLv23_method": up to TLS 1.2, as in Node. The same
/// with "client_method" and "server_method". The error says what is wrong: a version that nobody here speaks
/// ("SSLv3_method", "TLSv1_method"), or no method at all.
[[nodiscard]] LOCKSTEP_API std::expected<VersionMethod, std::string> method_from_name(std::string_view name);

}  // namespace lockstep
