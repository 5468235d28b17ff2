#pragma once
// As much HTTP/1.1 as answering GET and HEAD takes, one request after the other on a connection.

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

namespace lockstep::tool {

struct HttpRequest {
  std::string method;
  std::string target;  ///< as sent: "/a%20b?c"
  std::string accept;
  /// Whether another request may follow on the connection (RFC 9112 9.3). Not behind one with a body, which is not
  /// read.
  bool keep_alive = false;

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

struct HttpHead {
  HttpRequest request;
  std::size_t size = 0;  ///< bytes that it took, the empty line included
};
/// A request's head at the front of the bytes; nothing when it is not all there; or the status to refuse it with.
/// `searched` bytes were looked at before.
[[nodiscard]] std::expected<std::optional<HttpHead>, HttpStatus> parse_http_request(std::string_view bytes,
                                                                                    std::size_t searched);

/// The head of a response, empty line included.
[[nodiscard]] std::string http_head(HttpStatus status, std::string_view content_type, std::uint64_t content_length,
                                    bool keep_alive);

/// The path that a target names, percent-decoded, without query; nothing when it is malformed.
[[nodiscard]] std::optional<std::string> path_of(std::string_view target);

[[nodiscard]] std::string html_escaped(std::string_view text);

}  // namespace lockstep::tool
