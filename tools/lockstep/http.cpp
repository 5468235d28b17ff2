#include "http.hpp"

#include <algorithm>
#include <utility>

#include "http_words.hpp"

namespace lockstep::tool {
namespace {

using namespace http_words;

// RFC 9112 3: "It is RECOMMENDED that all HTTP senders and recipients support, at a minimum, request-line lengths of
// 8000 octets."
constexpr std::size_t kLongestRequestLine = 8192;
constexpr std::size_t kLongestHead = 16384;
constexpr std::size_t kMostFields = 100;

// --- characters ------------------------------------------------------------------------------------------------------

bool is_name_character(char c) { return is_alphanumeric(c) || std::string_view("-._~%!$&'()*+,;=").contains(c); }

/// RFC 9110 7.2: uri-host [ ":" port ], both of which may be empty (RFC 3986 3.2.2 and 3.2.3).
bool is_host(std::string_view text) {
  if (text.starts_with('[')) {
    const std::size_t end = text.find_first_not_of("0123456789abcdefABCDEF:.", 1);
    if (end == text.npos || end == 1 || text[end] != ']') return false;
    text.remove_prefix(end + 1);
  } else {
    const std::string_view name = text.substr(0, text.find(':'));
    if (!std::ranges::all_of(name, is_name_character)) return false;
    text.remove_prefix(name.size());
  }
  return text.empty() || (text.starts_with(':') && std::ranges::all_of(text.substr(1), is_digit));
}

/// Whether these are lines of text, each with CRLF at its end and no CR or LF elsewhere. Those up to `searched` are.
///
/// RFC 9112 2.2: "A recipient of such a bare CR MUST consider that element to be invalid or replace each bare CR with
/// SP before processing the element or forwarding the message."
///
/// RFC 9110 5.5: "a recipient of CR, LF, or NUL within a field value MUST either reject the message or replace each of
/// those characters with SP before further processing or forwarding of that message."
bool are_lines(std::string_view bytes, std::size_t searched) {
  char before = searched == 0 ? ' ' : bytes[searched - 1];
  for (const char c : bytes.substr(searched)) {
    if ((before == '\r') != (c == '\n')) return false;
    const auto byte = static_cast<unsigned char>(c);
    if ((byte < ' ' && c != '\t' && c != '\r' && c != '\n') || byte == 0x7f) return false;
    before = c;
  }
  return true;
}

// --- a request -------------------------------------------------------------------------------------------------------

std::unexpected<HttpRefusal> refuse(HttpStatus status, std::string_view reason) {
  return std::unexpected(HttpRefusal{status, reason});
}

/// The path and query of a target in absolute-form; nothing when it is none.
std::optional<std::string> origin_form(std::string_view target) {
  const std::string_view scheme = take(target, "://");
  if (!same_letters(scheme, "https") && !same_letters(scheme, "http")) return std::nullopt;
  const std::string_view authority = target.substr(0, target.find_first_of("/?"));
  if (authority.empty() || !is_host(authority)) return std::nullopt;
  target.remove_prefix(authority.size());
  return (target.starts_with('/') ? "" : "/") + std::string(target);
}

struct RequestLine {
  HttpRequest request;
  bool http10 = false;
};

/// RFC 9112 3: method SP request-target SP HTTP-version.
std::expected<RequestLine, HttpRefusal> parse_request_line(std::string_view line) {
  const std::string_view method = take(line, " ");
  const std::string_view target = take(line, " ");
  const std::string_view version = line;
  if (!is_token(method)) return refuse(kBadRequest, "the method is no token");
  const bool has_version = version.size() == 8 && version.starts_with("HTTP/") && is_digit(version[5]) &&
                           version[6] == '.' && is_digit(version[7]);
  if (!has_version) return refuse(kBadRequest, "the request line is not of three words, the last of them HTTP/1.1");
  if (version[5] != '1') return refuse(kVersionNotSupported, "HTTP/1.1 is spoken here");

  if (target.contains('\t')) return refuse(kBadRequest, "there is a blank in the request target");
  RequestLine parsed{.request = {.method = std::string(method), .target = std::string(target), .accept = {}},
                     .http10 = version[7] == '0'};
  const bool names_path = target.starts_with('/') || (method == "OPTIONS" && target == "*") ||
                          (method == "CONNECT" && !target.empty() && is_host(target));
  if (names_path) return parsed;
  // RFC 9112 3.2.2: "a server MUST accept the absolute-form in requests"
  auto path = origin_form(target);
  if (!path) return refuse(kBadRequest, "the request target is neither a path nor a URL");
  parsed.request.target = std::move(*path);
  return parsed;
}

/// What the fields say about where a request ends, and whether another may follow.
struct Framing {
  unsigned hosts = 0;
  unsigned content_lengths = 0;
  unsigned transfer_encodings = 0;
  unsigned chunked = 0;        ///< transfer codings of that name
  unsigned other_codings = 0;  ///< those of any other
  bool ends_chunked = false;   ///< the last coding is chunked
  bool is_long = false;        ///< Content-Length is more than 0
  bool close = false;
  bool keep_alive = false;
};

std::expected<void, HttpRefusal> take_field(std::string_view field, HttpRequest& request, Framing& framing) {
  const std::string_view name = field.substr(0, field.find(':'));
  // RFC 9112 5.1: "A server MUST reject, with a response status code of 400 (Bad Request), any received request message
  // that contains whitespace between a header field name and colon."
  //
  // RFC 9112 5.2 of a server that receives a folded line, which begins with a blank: it "MUST either reject the message
  // by sending a 400 (Bad Request)", or unfold it.
  if (name.size() == field.size() || !is_token(name)) return refuse(kBadRequest, "a field's name is no token");
  const std::string_view value = trimmed(field.substr(name.size() + 1));

  if (same_letters(name, "host")) {
    ++framing.hosts;
    if (!is_host(value)) return refuse(kBadRequest, "Host holds no host");
  } else if (same_letters(name, "content-length")) {
    ++framing.content_lengths;
    // Its size is nowhere computed, so it cannot overflow.
    if (value.empty() || !std::ranges::all_of(value, is_digit))
      return refuse(kBadRequest, "Content-Length is no number");
    framing.is_long = value.find_first_not_of('0') != value.npos;
  } else if (same_letters(name, "transfer-encoding")) {
    ++framing.transfer_encodings;
    for_each_member(value, [&framing](std::string_view coding) {
      framing.ends_chunked = same_letters(coding, "chunked");
      ++(framing.ends_chunked ? framing.chunked : framing.other_codings);
    });
  } else if (same_letters(name, "connection")) {
    for_each_member(value, [&framing](std::string_view option) {
      framing.close |= same_letters(option, "close");
      framing.keep_alive |= same_letters(option, "keep-alive");
    });
  } else if (same_letters(name, "accept")) {
    request.accept = value;
  }
  return {};
}

/// Refuses what somebody else could read in another way.
std::expected<void, HttpRefusal> judge(const Framing& framing, bool http10) {
  // RFC 9112 3.2: "A server MUST respond with a 400 (Bad Request) status code to any HTTP/1.1 request message that
  // lacks a Host header field and to any request message that contains more than one Host header field line or a Host
  // header field with an invalid field value."
  if (framing.hosts == 0 && !http10) return refuse(kBadRequest, "Host is missing");
  if (framing.hosts > 1) return refuse(kBadRequest, "there is more than one Host");
  // RFC 9112 6.3: "If the unrecoverable error is in a request message, the server MUST respond with a 400 (Bad Request)
  // status code and then close the connection." Several lengths are one, equal or not.
  if (framing.content_lengths > 1) return refuse(kBadRequest, "there is more than one Content-Length");
  if (framing.transfer_encodings == 0) return {};
  // RFC 9112 6.1: "A server or client that receives an HTTP/1.0 message containing a Transfer-Encoding header field
  // MUST treat the message as if the framing is faulty, even if a Content-Length is present"
  if (http10) return refuse(kBadRequest, "HTTP/1.0 has no Transfer-Encoding");
  // RFC 9112 6.1: "A server MAY reject a request that contains both Content-Length and Transfer-Encoding"
  if (framing.content_lengths != 0) return refuse(kBadRequest, "there are both Content-Length and Transfer-Encoding");
  // RFC 9112 6.3: "If a Transfer-Encoding header field is present in a request and the chunked transfer coding is not
  // the final encoding, the message body length cannot be determined reliably; the server MUST respond with the 400
  // (Bad Request) status code and then close the connection."
  if (!framing.ends_chunked || framing.chunked > 1)
    return refuse(kBadRequest, "the last transfer coding, and only it, must be chunked");
  // RFC 9112 6.1: "A server that receives a request message with a transfer coding it does not understand SHOULD
  // respond with 501 (Not Implemented)."
  if (framing.other_codings != 0) return refuse(kNotImplemented, "no transfer coding but chunked is known");
  return {};
}

std::expected<HttpRequest, HttpRefusal> parse(std::string_view head) {
  auto line = parse_request_line(take(head, "\r\n"));
  if (!line) return std::unexpected(line.error());
  Framing framing;
  for (std::size_t fields = 0; !head.empty(); ++fields) {
    if (fields == kMostFields) return refuse(kTooLarge, "there are too many fields");
    if (auto taken = take_field(take(head, "\r\n"), line->request, framing); !taken)
      return std::unexpected(taken.error());
  }
  if (auto judged = judge(framing, line->http10); !judged) return std::unexpected(judged.error());
  // RFC 9112 9.3: "A server MUST read the entire request message body or close the connection after sending its
  // response".
  const bool has_body = framing.is_long || framing.transfer_encodings != 0;
  line->request.keep_alive = !has_body && !framing.close && (!line->http10 || framing.keep_alive);
  return std::move(line->request);
}

}  // namespace

std::expected<std::optional<HttpHead>, HttpRefusal> parse_http_request(std::string_view bytes, std::size_t searched) {
  // RFC 9112 2.2: "a server that is expecting to receive and parse a request-line SHOULD ignore at least one empty line
  // (CRLF) received prior to the request-line."
  const std::size_t begin = bytes.starts_with("\r\n") ? 2 : 0;
  const std::size_t end = bytes.find("\r\n\r\n", std::max(begin, searched - std::min<std::size_t>(searched, 3)));
  const bool whole = end != bytes.npos;
  const std::string_view head = bytes.substr(begin, whole ? end - begin : bytes.npos);

  const auto refused = [&head](HttpRefusal refusal) {
    refusal.to_head = head.starts_with("HEAD ");
    return std::unexpected(refusal);
  };
  if (!are_lines(whole ? bytes.substr(0, end + 4) : bytes, searched)) {
    return refused({kBadRequest, "a control character, or a line that does not end with CRLF"});
  }
  // RFC 9112 3: "A server that receives a request-target longer than any URI it wishes to parse MUST respond with a 414
  // (URI Too Long) status code".
  if (head.substr(0, head.find("\r\n")).size() > kLongestRequestLine) return refused({kUriTooLong});
  if (head.size() > kLongestHead) return refused({kTooLarge});
  if (!whole) return std::nullopt;
  auto request = parse(head);
  if (!request) return refused(request.error());
  return HttpHead{.request = std::move(*request), .size = end + 4};
}

bool has_begun(std::string_view bytes) { return !std::string_view("\r\n").starts_with(bytes); }

std::string http_host(std::string_view host) {
  if (!host.contains(':')) return std::string(host);
  return "[" + std::string(host.substr(0, host.find('%'))) + "]";
}

std::string http_head(HttpStatus status, std::string_view content_type, std::uint64_t content_length, bool keep_alive) {
  std::string head = "HTTP/1.1 ";
  head.reserve(256);
  head += std::to_string(status.number);
  head += ' ';
  head += status.text;
  head += "\r\nContent-Type: ";
  head += content_type;
  head += "\r\nContent-Length: ";
  head += std::to_string(content_length);
  // RFC 9110 15.5.6: "The origin server MUST generate an Allow header field in a 405 response".
  if (status.number == kMethodNotAllowed.number) head += "\r\nAllow: GET, HEAD";
  head += "\r\nX-Content-Type-Options: nosniff\r\nCache-Control: no-store\r\nConnection: ";
  head += keep_alive ? "keep-alive\r\n\r\n" : "close\r\n\r\n";
  return head;
}

std::optional<std::string> path_of(std::string_view target) {
  const auto hex = [](char c) -> int {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
  };
  target = target.substr(0, target.find_first_of("?#"));
  std::string path;
  for (std::size_t i = 0; i < target.size(); ++i) {
    char character = target[i];
    if (character == '%') {
      if (i + 2 >= target.size() || hex(target[i + 1]) < 0 || hex(target[i + 2]) < 0) return std::nullopt;
      character = static_cast<char>(hex(target[i + 1]) * 16 + hex(target[i + 2]));
      i += 2;
    }
    if (character == '\0') return std::nullopt;
    path += character;
  }
  return path;
}

std::string html_escaped(std::string_view text) {
  std::string escaped;
  for (const char character : text) {
    switch (character) {
      case '&': escaped += "&amp;"; break;
      case '<': escaped += "&lt;"; break;
      case '>': escaped += "&gt;"; break;
      case '"': escaped += "&quot;"; break;
      case '\'': escaped += "&#39;"; break;
      default: escaped += character;
    }
  }
  return escaped;
}

}  // namespace lockstep::tool
