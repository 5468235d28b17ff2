#include "http.hpp"

#include <algorithm>
#include <cctype>

namespace lockstep::tool {
namespace {

constexpr std::size_t kLongestRequest = 16384;

bool is_token(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](unsigned char c) { return std::isalpha(c) != 0 || c == '-'; });
}

/// RFC 9112 3: method SP request-target SP HTTP-version.
std::optional<HttpRequest> parse(std::string_view head) {
  const std::string_view line = head.substr(0, head.find("\r\n"));
  const std::size_t first = line.find(' ');
  const std::size_t last = line.rfind(' ');
  if (first == std::string_view::npos || last <= first + 1 || !line.substr(last + 1).starts_with("HTTP/1.")) return {};
  HttpRequest request{std::string(line.substr(0, first)), std::string(line.substr(first + 1, last - first - 1)), {}};
  if (!is_token(request.method) || !request.target.starts_with('/')) return {};
  for (std::size_t at = line.size(); at < head.size();) {
    at += 2;
    const std::size_t end = std::min(head.find("\r\n", at), head.size());
    const std::string_view field = head.substr(at, end - at);
    constexpr std::string_view kAccept = "accept:";
    const auto same = [](char a, char b) { return std::tolower(static_cast<unsigned char>(a)) == b; };
    if (field.size() > kAccept.size() &&
        std::equal(kAccept.begin(), kAccept.end(), field.begin(), [&same](char b, char a) { return same(a, b); })) {
      request.accept = field.substr(kAccept.size());
    }
    at = end;
  }
  return request;
}

}  // namespace

IoResult<HttpResult> read_http_request(blocking::Stream& stream, std::uint64_t& received) {
  std::string head;
  for (;;) {
    const auto view = stream.read_view();
    if (!view) return std::unexpected(view.error());
    if (view->empty()) {
      if (head.empty()) return HttpResult(std::nullopt);
      return HttpResult(std::unexpected(kBadRequest));
    }
    received += view->size();
    const std::size_t searched = head.size() < 3 ? 0 : head.size() - 3;
    head += as_text(*view);
    const std::size_t end = head.find("\r\n\r\n", searched);
    if (end == std::string::npos) {
      if (head.size() > kLongestRequest) return HttpResult(std::unexpected(kTooLarge));
      continue;
    }
    if (auto request = parse(std::string_view(head).substr(0, end))) return HttpResult(std::move(request));
    return HttpResult(std::unexpected(kBadRequest));
  }
}

std::string http_head(HttpStatus status, std::string_view content_type, std::uint64_t content_length) {
  return "HTTP/1.1 " + std::to_string(status.number) + " " + std::string(status.text) +
         "\r\nContent-Type: " + std::string(content_type) + "\r\nContent-Length: " + std::to_string(content_length) +
         "\r\nX-Content-Type-Options: nosniff\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n";
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
