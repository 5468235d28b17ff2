#include "http.hpp"

#include <algorithm>
#include <cctype>
#include <utility>

namespace lockstep::tool {
namespace {

constexpr std::size_t kLongestRequest = 16384;

bool is_token(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](unsigned char c) { return std::isalpha(c) != 0 || c == '-'; });
}

bool same_letters(std::string_view a, std::string_view lower) {
  return std::ranges::equal(a, lower, {}, [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

/// RFC 9112 3: method SP request-target SP HTTP-version.
std::optional<HttpRequest> parse(std::string_view head) {
  const std::string_view line = head.substr(0, head.find("\r\n"));
  const std::size_t first = line.find(' ');
  const std::size_t last = line.rfind(' ');
  if (first == std::string_view::npos || last <= first + 1 || !line.substr(last + 1).starts_with("HTTP/1.")) return {};
  HttpRequest request{.method = std::string(line.substr(0, first)),
                      .target = std::string(line.substr(first + 1, last - first - 1)),
                      .accept = {},
                      .keep_alive = line.substr(last + 1) != "HTTP/1.0"};
  if (!is_token(request.method) || !request.target.starts_with('/')) return {};
  bool has_body = false;
  for (std::size_t at = line.size(); at < head.size();) {
    at += 2;
    const std::size_t end = std::min(head.find("\r\n", at), head.size());
    const std::string_view field = head.substr(at, end - at);
    const std::size_t colon = std::min(field.find(':'), field.size());
    const std::string_view name = field.substr(0, colon);
    const std::string_view value = trimmed(field.substr(std::min(colon + 1, field.size())));
    if (same_letters(name, "accept")) {
      request.accept = value;
    } else if (same_letters(name, "connection")) {
      if (same_letters(value, "close")) request.keep_alive = false;
      if (same_letters(value, "keep-alive")) request.keep_alive = true;
    } else if (same_letters(name, "transfer-encoding") || (same_letters(name, "content-length") && value != "0")) {
      has_body = true;
    }
    at = end;
  }
  if (has_body) request.keep_alive = false;
  return request;
}

}  // namespace

std::expected<std::optional<HttpHead>, HttpStatus> parse_http_request(std::string_view bytes, std::size_t searched) {
  const std::size_t end = bytes.find("\r\n\r\n", searched < 3 ? 0 : searched - 3);
  if (std::min(end, bytes.size()) > kLongestRequest) return std::unexpected(kTooLarge);
  if (end == std::string_view::npos) return std::nullopt;
  auto request = parse(bytes.substr(0, end));
  if (!request) return std::unexpected(kBadRequest);
  return HttpHead{.request = std::move(*request), .size = end + 4};
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
