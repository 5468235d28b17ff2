#pragma once
// URLs, as much of them as a client needs (RFC 3986). Every function throws `UsageError` for what it does not take.

#include <optional>
#include <string>

#include "arguments.hpp"

namespace lockstep::tool {

/// What a URL names, or a host in its place.
struct Target {
  HostAndPort at;
  std::string path;  ///< with its query, as a request names it; empty where nothing is asked for
};
/// "https://example.com:8443/a?b#c", which asks for "/" at least, or what `parse_host_and_port` takes with a path
/// behind it or not. A fragment is not part of what is asked for (RFC 9110 4.2.5) and stays here.
[[nodiscard]] Target parse_target(const std::string& text, std::uint16_t default_port);

/// A proxy's "http://proxy.example:3128", or that without the scheme.
[[nodiscard]] HostAndPort parse_proxy_url(const std::string& text);

/// That this may stand in a request as it is: a path that begins with a slash, and no blank or control character.
void check_request_target(const std::string& target);

/// What the last segment of a target's path would be called as a file; nothing when there is no such name.
[[nodiscard]] std::optional<std::string> file_name_of(const std::string& target);

}  // namespace lockstep::tool
