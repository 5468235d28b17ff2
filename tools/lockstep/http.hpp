#pragma once
// As much HTTP/1.1 as answering GET and HEAD takes, one request after the other on a connection (RFC 9112). Where a
// request can be read in two ways it is read in none: whoever stands in front may have read it in the other.

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

namespace lockstep::tool {

struct HttpRequest {
  std::string method;
  std::string target;  ///< path and query as sent, "/a%20b?c"; "*" or an authority with methods that have those
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
inline constexpr HttpStatus kUriTooLong{414, "URI Too Long"};
inline constexpr HttpStatus kTooLarge{431, "Request Header Fields Too Large"};
inline constexpr HttpStatus kNotImplemented{501, "Not Implemented"};
inline constexpr HttpStatus kVersionNotSupported{505, "HTTP Version Not Supported"};

struct HttpRefusal {
  HttpStatus status;
  std::string_view reason{};  ///< for the client, "the field name is no token"
  bool to_head = false;       ///< the request was HEAD: the answer has no body
};

/// RFC 9112 8: to a request whose end never came.
inline constexpr HttpRefusal kHalfRequest{kBadRequest, "the request has no end"};

struct HttpHead {
  HttpRequest request;
  std::size_t size = 0;  ///< bytes that it took, the empty line included
};
/// A request's head at the front of the bytes; nothing when it is not all there; or why it is refused, behind which
/// nothing on the connection can be read. `searched` bytes were looked at before.
[[nodiscard]] std::expected<std::optional<HttpHead>, HttpRefusal> parse_http_request(std::string_view bytes,
                                                                                     std::size_t searched);

/// Whether bytes in which there is no whole head are the beginning of one, not of the empty line that may stand before.
[[nodiscard]] bool has_begun(std::string_view bytes);

/// A name or address as Host has it: brackets around what has colons, and no zone in it.
[[nodiscard]] std::string http_host(std::string_view host);

/// The head of a response, empty line included.
[[nodiscard]] std::string http_head(HttpStatus status, std::string_view content_type, std::uint64_t content_length,
                                    bool keep_alive);

/// The path that a target names, percent-decoded, without query; nothing when it is malformed.
[[nodiscard]] std::optional<std::string> path_of(std::string_view target);

[[nodiscard]] std::string html_escaped(std::string_view text);

}  // namespace lockstep::tool
