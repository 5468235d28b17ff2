#include "http_response.hpp"

#include <algorithm>
#include <charconv>
#include <limits>
#include <utility>
#include <vector>

#include "http_words.hpp"
#include "words.hpp"

namespace lockstep::tool {
namespace {

using namespace http_words;

// More than any server's, and little to hold.
constexpr std::size_t kLongestHead = 65536;
// RFC 9112 7.1.1: "A recipient MUST ignore unrecognized chunk extensions. A server ought to limit the total length of
// chunk extensions received in a request to an amount reasonable for the services provided"; and so does a client.
constexpr std::size_t kLongestChunkSize = 4096;
constexpr std::size_t kLongestTrailers = 16384;

std::unexpected<std::string> faulty(std::string text) { return std::unexpected(std::move(text)); }

std::string_view without_end(std::string_view line) {
  // RFC 9112 2.2: "Although the line terminator for the start-line and fields is the sequence CRLF, a recipient MAY
  // recognize a single LF as a line terminator and ignore any preceding CR."
  if (line.ends_with('\n')) line.remove_suffix(1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

bool is_empty_line(std::string_view line) { return without_end(line).empty(); }

template <class Number>
std::optional<Number> number(std::string_view digits, int base) {
  Number value{};
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, base);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return value;
}

/// Whether these can be the first bytes of a response.
bool may_be_http(std::string_view bytes) {
  constexpr std::string_view kBegin = "HTTP/1.";
  const std::size_t size = std::min(bytes.size(), kBegin.size());
  return bytes.substr(0, size) == kBegin.substr(0, size);
}

/// What the fields of a head say about its body.
struct Framing {
  bool http10 = false;
  std::optional<std::uint64_t> content_length;
  bool bad_length = false;
  std::vector<std::string> codings;
};

void take_field(std::string_view field, Framing& framing) {
  const std::string_view name = field.substr(0, field.find(':'));
  if (name.size() == field.size()) return;  // no field, and nothing that a body depends on
  const std::string_view value = field.substr(name.size() + 1);
  if (same_letters(name, "content-length")) {
    // RFC 9112 6.3 of an invalid Content-Length: "the recipient MUST treat it as an unrecoverable error, unless the
    // field value can be successfully parsed as a comma-separated list (Section 5.6.1 of [HTTP]), all values in the
    // list are valid, and all values in the list are the same".
    bool any = false;
    for_each_member(value, [&](std::string_view member) {
      any = true;
      const auto length = number<std::uint64_t>(member, 10);
      framing.bad_length |= !length || (framing.content_length && framing.content_length != length);
      framing.content_length = length;
    });
    framing.bad_length |= !any;
  } else if (same_letters(name, "transfer-encoding")) {
    for_each_member(value, [&framing](std::string_view coding) { framing.codings.emplace_back(coding); });
  }
}

/// The fields between the status line and the empty line.
Framing framing_of(std::string_view fields, bool http10) {
  Framing framing{.http10 = http10, .content_length = {}, .codings = {}};
  std::string field;
  while (!fields.empty()) {
    const std::string_view line = without_end(take(fields, "\n"));
    // RFC 9112 5.2: "A user agent that receives an obs-fold in a response message that is not within a "message/http"
    // container MUST replace each received obs-fold with one or more SP octets prior to interpreting the field value."
    if (line.starts_with(' ') || line.starts_with('\t')) {
      field += " " + std::string(trimmed(line));
      continue;
    }
    take_field(field, framing);
    field = line;
  }
  take_field(field, framing);
  return framing;
}

}  // namespace

std::expected<ResponsePart, std::string> HttpResponse::next(std::string_view& bytes) {
  for (;;) {
    Step step = std::visit([&](auto& state) { return on(state, bytes); }, state_);
    if (!step) return std::unexpected(std::move(step.error()));
    if (*step) return std::move(**step);
  }
}

std::expected<void, std::string> HttpResponse::end() const {
  if (std::holds_alternative<ToTheEnd>(state_) || std::holds_alternative<Complete>(state_)) return {};
  if (const auto* head = std::get_if<InHead>(&state_)) {
    const bool nothing = head->text.empty() && line_.empty();
    return faulty(nothing ? "the peer ended without an answer" : "the answer ends within its head");
  }
  const std::string came = "the body is short: " + std::to_string(body_size_);
  if (const auto* length = std::get_if<InLength>(&state_))
    return faulty(came + " of " + std::to_string(length->whole) + " bytes came");
  return faulty(came + " bytes came, and no last chunk");
}

HttpResponse::Step HttpResponse::on(InHead& state, std::string_view& bytes) {
  if (state.text.empty() && !may_be_http(line_ + std::string(bytes.substr(0, 8)))) {
    return faulty("the answer is no HTTP/1.1: '" + printable((line_ + std::string(bytes)).substr(0, 60)) + "'");
  }
  auto next = line(bytes, kLongestHead - state.interim - state.text.size());
  if (!next) return faulty("the answer's head is longer than " + std::to_string(kLongestHead) + " bytes");
  if (!*next) return ResponseNeedsMore{};
  state.text += **next;
  if (!is_empty_line(**next)) return std::nullopt;
  return head_ended(state);
}

HttpResponse::Step HttpResponse::head_ended(InHead& state) {
  std::string_view fields = state.text;
  const std::string_view status_line = without_end(take(fields, "\n"));
  // RFC 9112 4: HTTP-version SP status-code SP [ reason-phrase ].
  const auto code = number<int>(status_line.substr(std::min<std::size_t>(9, status_line.size()), 3), 10);
  const bool well_formed = status_line.size() >= 12 && is_digit(status_line[7]) && status_line[8] == ' ' && code &&
                           *code >= 100 && (status_line.size() == 12 || status_line[12] == ' ');
  if (!well_formed) return faulty("the answer has no status: '" + printable(status_line.substr(0, 60)) + "'");
  // RFC 9110 15.2: "A client MUST be able to parse one or more 1xx responses received prior to a final response, even
  // if the client does not expect one."
  if (*code == 101) return faulty("the peer switches to another protocol, which nobody asked for");
  if (*code < 200) {
    const std::size_t interim = state.interim + state.text.size();
    state_ = InHead{.text = {}, .interim = interim};
    return std::nullopt;
  }
  const Framing framing = framing_of(fields, status_line[7] == '0');
  ResponseHead head{.status = *code,
                    .reason = std::string(status_line.substr(std::min<std::size_t>(13, status_line.size()))),
                    .text = std::move(state.text),
                    .content_length = {}};

  // RFC 9112 6.3: "any response with a 1xx (Informational), 204 (No Content), or 304 (Not Modified) status code is
  // always terminated by the first empty line after the header fields".
  if (*code == 204 || *code == 304) {
    state_ = Complete{};
  } else if (!framing.codings.empty()) {
    // RFC 9112 6.1: "A server or client that receives an HTTP/1.0 message containing a Transfer-Encoding header field
    // MUST treat the message as if the framing is faulty, even if a Content-Length is present"
    if (framing.http10) return faulty("an answer of HTTP/1.0 has no Transfer-Encoding");
    if (framing.codings.size() > 1 || !same_letters(framing.codings.front(), "chunked"))
      return faulty("the answer has a transfer coding that nobody asked for: " + printable(joined(framing.codings)));
    // RFC 9112 6.3: "If a message is received with both a Transfer-Encoding and a Content-Length header field, the
    // Transfer-Encoding overrides the Content-Length."
    state_ = InChunkSize{};
  } else if (framing.bad_length) {
    return faulty("the answer's Content-Length is no number, or several");
  } else if (framing.content_length) {
    head.content_length = framing.content_length;
    state_ = InLength{.left = *framing.content_length, .whole = *framing.content_length};
  } else {
    state_ = ToTheEnd{};
  }
  return head;
}

HttpResponse::Step HttpResponse::on(InLength& state, std::string_view& bytes) {
  if (state.left == 0) {
    state_ = Complete{};
    return std::nullopt;
  }
  if (bytes.empty()) return ResponseNeedsMore{};
  const std::uint64_t here = std::min<std::uint64_t>(state.left, bytes.size());
  state.left -= here;
  return body(bytes, here);
}

HttpResponse::Step HttpResponse::on(InChunkSize&, std::string_view& bytes) {
  auto next = line(bytes, kLongestChunkSize);
  if (!next) return faulty("a chunk's size is longer than " + std::to_string(kLongestChunkSize) + " bytes");
  if (!*next) return ResponseNeedsMore{};
  // RFC 9112 7.1: chunk-size [ chunk-ext ] CRLF, where the extension begins with a semicolon. Some servers have blanks
  // behind the size.
  const std::string_view text = **next;
  const std::size_t digits = std::min(text.find_first_not_of("0123456789abcdefABCDEF"), text.size());
  const std::string_view extension = trimmed(without_end(text.substr(digits)));
  const bool well_formed = digits != 0 && text.ends_with("\r\n") && (extension.empty() || extension.starts_with(';'));
  if (!well_formed) return faulty("a chunk's size is no number: '" + printable(text.substr(0, 60)) + "'");
  // RFC 9112 7.1: "recipients MUST anticipate potentially large hexadecimal numerals and prevent parsing errors due to
  // integer conversion overflows or precision loss due to integer representation."
  const auto size = number<std::uint64_t>(text.substr(0, digits), 16);
  if (!size || *size > std::numeric_limits<std::uint64_t>::max() / 2) return faulty("a chunk's size is out of range");
  if (*size == 0) {
    state_ = InTrailers{};
  } else {
    state_ = InChunk{.left = *size};
  }
  return std::nullopt;
}

HttpResponse::Step HttpResponse::on(InChunk& state, std::string_view& bytes) {
  if (bytes.empty()) return ResponseNeedsMore{};
  const std::uint64_t here = std::min<std::uint64_t>(state.left, bytes.size());
  state.left -= here;
  if (state.left == 0) state_ = BehindChunk{};
  return body(bytes, here);
}

HttpResponse::Step HttpResponse::on(BehindChunk&, std::string_view& bytes) {
  auto next = line(bytes, 2);
  if (!next || (*next && **next != "\r\n")) return faulty("a chunk is longer than its size says");
  if (!*next) return ResponseNeedsMore{};
  state_ = InChunkSize{};
  return std::nullopt;
}

HttpResponse::Step HttpResponse::on(InTrailers& state, std::string_view& bytes) {
  auto next = line(bytes, kLongestTrailers - state.size);
  if (!next) return faulty("the answer's trailers are longer than " + std::to_string(kLongestTrailers) + " bytes");
  if (!*next) return ResponseNeedsMore{};
  state.size += (*next)->size();
  if (is_empty_line(**next)) state_ = Complete{};
  return std::nullopt;
}

HttpResponse::Step HttpResponse::on(ToTheEnd&, std::string_view& bytes) {
  if (bytes.empty()) return ResponseNeedsMore{};
  return body(bytes, bytes.size());
}

HttpResponse::Step HttpResponse::on(Complete&, std::string_view&) { return ResponseEnd{}; }

HttpResponse::Line HttpResponse::line(std::string_view& bytes, std::size_t longest) {
  const std::size_t end = bytes.find('\n');
  const bool whole = end != bytes.npos;
  const std::string_view part = bytes.substr(0, whole ? end + 1 : bytes.npos);
  if (part.size() > longest - std::min(line_.size(), longest)) return faulty({});
  line_ += part;
  bytes.remove_prefix(part.size());
  if (!whole) return std::nullopt;
  return std::exchange(line_, {});
}

ResponsePart HttpResponse::body(std::string_view& bytes, std::uint64_t most) {
  const std::string_view part = bytes.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(most, bytes.size())));
  bytes.remove_prefix(part.size());
  body_size_ += part.size();
  return ResponseBody{part};
}

}  // namespace lockstep::tool
