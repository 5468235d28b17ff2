#pragma once
// The few words that protocols exchange in plain text before TLS begins.

#include <string>
#include <string_view>

#include <lockstep/blocking.hpp>

namespace lockstep::tool {

enum class Starttls { none, smtp, imap, ldap, postgres };

[[nodiscard]] std::uint16_t default_port(Starttls protocol) noexcept;

/// Asks for TLS. Throws `Failure` when the peer refuses, says something else, or sends bytes after its consent: those
/// could come from anybody on the way and must never be taken for protected ones.
void start_tls(Starttls protocol, blocking::Socket& socket, blocking::Deadline deadline);

}  // namespace lockstep::tool
