#include "url.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include "http_words.hpp"
#include "words.hpp"

namespace lockstep::tool {
namespace {

struct Parts {
  std::optional<std::string> scheme;  ///< in lower case
  std::string authority;
  std::string rest;  ///< path, query and fragment
};

Parts parts_of(const std::string& text) {
  Parts parts{.scheme = {}, .authority = text, .rest = {}};
  if (const std::size_t colon = text.find("://"); colon != std::string::npos) {
    parts.scheme = text.substr(0, colon);
    // RFC 3986 3.1: "schemes are case-insensitive".
    std::ranges::transform(*parts.scheme, parts.scheme->begin(), http_words::lower);
    parts.authority.erase(0, colon + 3);
  }
  const std::size_t end = std::min(parts.authority.find_first_of("/?#"), parts.authority.size());
  parts.rest = parts.authority.substr(end);
  parts.authority.resize(end);
  if (parts.authority.contains('@')) {
    throw UsageError("a URL with a user or password in it is not taken; send them with --header 'Authorization: ...'");
  }
  return parts;
}

}  // namespace

Target parse_target(const std::string& text, std::uint16_t default_port) {
  const Parts parts = parts_of(text);
  if (parts.scheme && *parts.scheme != "https") {
    throw UsageError("'" + printable(*parts.scheme) +
                     "://' is not fetched over TLS; write https://HOST[:PORT]/PATH, or HOST[:PORT]");
  }
  Target target{.at = parse_host_and_port(parts.authority, parts.scheme ? 443 : default_port),
                .path = parts.rest.substr(0, parts.rest.find('#'))};
  if (!parts.scheme && target.path.empty()) return target;
  // RFC 9112 3.2.1: "If the target URI's path component is empty, the client MUST send "/" as the path within the
  // origin-form of request-target."
  if (!target.path.starts_with('/')) target.path.insert(0, "/");
  check_request_target(target.path);
  return target;
}

HostAndPort parse_proxy_url(const std::string& text) {
  const Parts parts = parts_of(text);
  const bool taken = parts.scheme.value_or("http") == "http" && (parts.rest.empty() || parts.rest == "/");
  if (!taken) throw UsageError("the proxy '" + printable(text) + "' is not of the form http://HOST:PORT");
  return parse_host_and_port(parts.authority, 80);
}

void check_request_target(const std::string& target) {
  if (!target.starts_with('/')) throw UsageError("the path '" + printable(target) + "' does not begin with '/'");
  const auto is_plain = [](char c) { return c > ' ' && c < '\x7f'; };
  if (std::ranges::all_of(target, is_plain)) return;
  throw UsageError("the path '" + printable(target) +
                   "' holds a blank, a control character or a letter beyond ASCII; write it as %XX");
}

std::optional<std::string> file_name_of(const std::string& target) {
  const std::string path = target.substr(0, target.find('?'));
  std::string name = path.substr(path.rfind('/') + 1);
  if (name.empty() || name == "." || name == "..") return std::nullopt;
  return name;
}

}  // namespace lockstep::tool
