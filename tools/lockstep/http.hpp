#pragma once
// As much HTTP/1.1 as answering a GET takes: one request a connection, then it closes.

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include <lockstep/blocking.hpp>

namespace lockstep::tool {

struct HttpRequest {
  std::string method;
  std::string target;  ///< as sent: "/a%20b?c"
  std::string accept;

  /// Whether the client would rather have this type ("text/html") than plain text.
  [[nodiscard]] bool accepts(std::string_view type) const { return accept.find(type) != std::string::npos; }
};

struct HttpStatus {
  int number;
  std::string_view text;
};
inline constexpr HttpStatus kOk{200, "OK"};
inline constexpr HttpStatus kBadRequest{400, "Bad Request"};
inline constexpr HttpStatus kNotFound{404, "Not Found"};
inline constexpr HttpStatus kMethodNotAllowed{405, "Method Not Allowed"};
inline constexpr HttpStatus kTooLarge{431, "Request Header Fields Too Large"};

/// A request, or the status to refuse it with; nothing when the client said close_notify before it asked anything.
using HttpResult = std::expected<std::optional<HttpRequest>, HttpStatus>;

/// Reads one request, its body (if any) left alone.
[[nodiscard]] IoResult<HttpResult> read_http_request(blocking::Stream& stream, std::uint64_t& received);

/// The head of a response, empty line included.
[[nodiscard]] std::string http_head(HttpStatus status, std::string_view content_type, std::uint64_t content_length);

/// The path that a target names, percent-decoded, without query; nothing when it is malformed.
[[nodiscard]] std::optional<std::string> path_of(std::string_view target);

[[nodiscard]] std::string html_escaped(std::string_view text);

}  // namespace lockstep::tool
