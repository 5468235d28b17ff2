#pragma once
// URLs, as much of them as a client needs (RFC 3986). Every function throws `UsageError` for what it does not take.

#include <optional>
#include <string>

#include "arguments.hpp"

namespace lockstep::tool {

struct Url {
  HostAndPort host;
  std::string target;  ///< path and query, at least "/"
};
/// "https://example.com:8443/a?b#c", whose fragment stays here; nothing when the text is no URL but, say, a host.
[[nodiscard]] std::optional<Url> parse_https_url(const std::string& text);

/// A proxy's "http://proxy.example:3128", or that without the scheme.
[[nodiscard]] HostAndPort parse_proxy_url(const std::string& text);

/// That this may stand in a request as it is: a path that begins with a slash, and no blank or control character.
void check_request_target(const std::string& target);

/// What the last segment of a target's path would be called as a file; nothing when there is no such name.
[[nodiscard]] std::optional<std::string> file_name_of(const std::string& target);

}  // namespace lockstep::tool
