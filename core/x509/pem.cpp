// PEM (RFC 7468, and as much of RFC 1421 as old private keys need).

#include <algorithm>
#include <array>

#include <lockstep/x509_pem.hpp>

namespace lockstep::x509 {

namespace {

constexpr std::string_view kBegin = "-----BEGIN ";
constexpr std::string_view kEnd = "-----END ";
constexpr std::string_view kDashes = "-----";
constexpr std::string_view kBlanks = " \t";
constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
constexpr std::size_t kLineLength = 64;  // RFC 7468 2: "generators MUST wrap [...] exactly 64 characters"

/// "X" of "-----BEGIN X-----"; nothing when the line is not so.
std::optional<std::string_view> label_of(std::string_view line, std::string_view prefix) noexcept;

/// How much of a line is the boundary that it begins with, whatever follows behind its last dashes: 0 when it begins
/// with none, all of it when the dashes are missing.
std::size_t boundary_size(std::string_view line) noexcept;

/// Where the text's first line ends, and where the next one begins.
struct LineEnd {
  std::size_t at;
  std::size_t next;
  bool is_counted;  ///< by an editor
};
LineEnd first_line_end(std::string_view text) noexcept;

/// The text as ASCII when it is UTF-16, as some editors and shells write it; else nothing.
SecretBytes from_utf16(std::string_view text);

/// Turns base64 into bytes. What it decodes may be a private key: there is no branch and no index on its characters.
/// Where white space stands says how a text is laid out, and nothing of the key.
class Base64Decoder {
 public:
  explicit Base64Decoder(std::size_t capacity) { out_.reserve(capacity); }
  Base64Decoder(const Base64Decoder&) = delete;
  Base64Decoder& operator=(const Base64Decoder&) = delete;
  ~Base64Decoder() { wipe(out_); }

  void line(std::string_view text);
  [[nodiscard]] bool ok() const noexcept { return bad_ == 0 && !misplaced_; }
  /// The bytes, if all of it was base64 to the end.
  std::optional<std::vector<std::uint8_t>> finish() &&;

 private:
  void word(std::string_view text);
  void put_group(std::size_t count);
  std::vector<std::uint8_t> out_;
  std::uint32_t group_ = 0;
  std::uint32_t bad_ = 0;  // not zero once a foreign character was seen
  std::size_t characters_ = 0;
  std::size_t padding_ = 0;
  bool misplaced_ = false;
};

char base64_character(std::uint32_t value) noexcept;

}  // namespace

PemReader::PemReader(std::string_view text)
    : decoded_(from_utf16(text)), at_{.rest = decoded_.empty() ? text : as_text(decoded_.view())} {}

std::optional<PemReader::Line> PemReader::next_line(bool in_object) noexcept {
  if (!at_.line) {
    if (at_.rest.empty()) return std::nullopt;
    const LineEnd end = first_line_end(at_.rest);
    at_.line = at_.rest.substr(0, end.at);
    at_.rest.remove_prefix(end.next);
    if (at_.end_is_counted) ++at_.number;
    at_.end_is_counted = end.is_counted;
  }
  const std::string_view whole = *at_.line;
  std::size_t start = whole.starts_with(kByteOrderMark) ? kByteOrderMark.size() : 0;
  start = std::min(whole.find_first_not_of(kBlanks, start), whole.size());

  // Boundaries have lines of their own here, even where the text has lost the line ends around them: where two files
  // were joined, or the text went through something that makes spaces of them.
  std::size_t size = start + boundary_size(whole.substr(start));
  if (in_object && size == start) {
    const std::size_t dashes = std::min(whole.find(kDashes, start), whole.size());
    if (boundary_size(whole.substr(dashes)) != 0) size = dashes;
  }
  if (size == start) size = whole.size();

  Line line{whole.substr(start, size - start), at_.number, start != 0};
  line.text = line.text.substr(0, line.text.find_last_not_of(kBlanks) + 1);
  if (size == whole.size()) {
    at_.line.reset();
  } else {
    at_.line->remove_prefix(size);
  }
  return line;
}

std::optional<std::expected<PemObject, PemError>> PemReader::next() {
  // RFC 7468 2: "Data before the encapsulation boundaries are permitted, and parsers MUST NOT malfunction when
  // processing such data."
  std::optional<Line> line = next_line(false);
  while (line && !line->text.starts_with(kBegin)) {
    if (line->text.starts_with(kEnd)) return std::unexpected(PemError{PemCode::line_malformed, line->number});
    line = next_line(false);
  }
  if (!line) return std::nullopt;
  const std::size_t begin_line = line->number;
  const auto label = label_of(line->text, kBegin);
  if (!label) return std::unexpected(PemError{PemCode::line_malformed, begin_line});
  const auto refuse = [&](PemCode code, std::size_t number) {
    return std::unexpected(PemError{code, number, std::string(*label)});
  };

  std::optional<Base64Decoder> decoder;
  std::optional<PemError> error;
  bool in_headers = false;
  bool encrypted = false;
  while (true) {
    const Place before = at_;
    line = next_line(true);
    if (!line) return refuse(PemCode::end_missing, begin_line);
    if (line->text.starts_with(kBegin)) {
      // The object has no end. The line begins the next one.
      at_ = before;
      return refuse(PemCode::end_missing, begin_line);
    }
    if (line->text.starts_with(kEnd)) break;
    if (error) continue;
    if (!decoder && line->text.contains(':')) {
      in_headers = true;
      encrypted = encrypted || (line->text.starts_with("Proc-Type:") && line->text.contains("ENCRYPTED"));
    } else if (in_headers) {
      if (!line->text.empty() && !line->indented) error = refuse(PemCode::headers_malformed, line->number).error();
      in_headers = !line->text.empty();
    } else if (!line->text.empty()) {
      if (!decoder) {
        // Base64 has no dashes, so that the next ones end it: the room suffices, and no copy stays behind.
        const std::string_view data(line->text.data(), at_.rest.data() + at_.rest.size());
        const std::size_t size = std::min(data.find(kDashes), data.size());
        decoder.emplace(std::min(size, kMaxPemObject) / 4 * 3 + 3);
        if (size > kMaxPemObject / 3 * 4) error = refuse(PemCode::too_large, begin_line).error();
      }
      if (!error) decoder->line(line->text);
      if (!decoder->ok()) error = refuse(PemCode::base64_malformed, line->number).error();
    }
  }
  if (error) return std::unexpected(std::move(*error));
  const auto end_label = label_of(line->text, kEnd);
  if (!end_label) return refuse(PemCode::line_malformed, line->number);
  if (*end_label != *label) return refuse(PemCode::end_mismatch, line->number);
  if (!decoder) return refuse(PemCode::empty, begin_line);
  auto bytes = std::move(*decoder).finish();
  if (!bytes) return refuse(PemCode::base64_malformed, line->number);
  return PemObject{std::string(*label), SecretBytes(std::move(*bytes)), begin_line, encrypted};
}

std::string pem(std::string_view label, Bytes der) {
  std::string out;
  out.reserve(2 * (kBegin.size() + label.size() + kDashes.size() + 1) + (der.size() + 2) / 3 * 4 + der.size() / 48 + 1);
  const auto boundary = [&](std::string_view prefix) {
    out += prefix;
    out += label;
    out += kDashes;
    out += '\n';
  };
  boundary(kBegin);
  for (std::size_t in_line = 0; !der.empty();) {
    const std::size_t taken = std::min<std::size_t>(der.size(), 3);
    std::uint32_t group = 0;
    for (std::size_t i = 0; i < 3; ++i) group = group << 8U | (i < taken ? der[i] : 0U);
    for (unsigned i = 0; i < 4; ++i) out += i <= taken ? base64_character(group >> (18 - 6 * i) & 63U) : '=';
    der = der.subspan(taken);
    in_line += 4;
    if (in_line == kLineLength || der.empty()) {
      out += '\n';
      in_line = 0;
    }
  }
  boundary(kEnd);
  return out;
}

std::string_view name(PemCode code) noexcept {
  switch (code) {
    case PemCode::line_malformed: return "line_malformed";
    case PemCode::end_missing: return "end_missing";
    case PemCode::end_mismatch: return "end_mismatch";
    case PemCode::base64_malformed: return "base64_malformed";
    case PemCode::headers_malformed: return "headers_malformed";
    case PemCode::empty: return "empty";
    case PemCode::too_large: return "too_large";
  }
  return {};
}

std::string_view explanation(PemCode code) noexcept {
  switch (code) {
    case PemCode::line_malformed:
      return "a BEGIN or END line that is cut short, has no label, or ends what never began";
    case PemCode::end_missing: return "the object that begins here has no END line; the text may be cut off";
    case PemCode::end_mismatch: return "the END line names another label than the BEGIN line";
    case PemCode::base64_malformed:
      return "not base64: a foreign character, padding in the wrong place, or a character missing";
    case PemCode::headers_malformed: return "header lines without the empty line that ends them";
    case PemCode::empty: return "nothing stands between BEGIN and END";
    case PemCode::too_large: return "more than 16 MiB between BEGIN and END";
  }
  return {};
}

std::string PemError::text() const {
  return "line " + std::to_string(line) + ": " + std::string(name(code)) + ": " + std::string(explanation(code));
}

namespace {

std::optional<std::string_view> label_of(std::string_view line, std::string_view prefix) noexcept {
  if (!line.starts_with(prefix) || !line.ends_with(kDashes) || line.size() <= prefix.size() + kDashes.size())
    return std::nullopt;
  line.remove_prefix(prefix.size());
  line.remove_suffix(kDashes.size());
  const bool printable = std::ranges::all_of(line, [](char c) { return c >= 0x20 && c <= 0x7e; });
  return printable ? std::optional(line) : std::nullopt;
}

std::size_t boundary_size(std::string_view line) noexcept {
  for (const std::string_view prefix : {kBegin, kEnd}) {
    if (!line.starts_with(prefix)) continue;
    const std::size_t dashes = line.find(kDashes, prefix.size());
    return dashes == std::string_view::npos ? line.size() : dashes + kDashes.size();
  }
  return 0;
}

LineEnd first_line_end(std::string_view text) noexcept {
  // RFC 7468 2: "parsers [...] MUST handle different newline conventions." The last three are what is left of a text
  // that was a string in JSON, in YAML or in an environment variable.
  constexpr std::array<std::string_view, 6> kLineEnds = {"\r\n", "\n", "\r", "\\r\\n", "\\n", "\\r"};
  constexpr std::string_view kFirst = "\r\n\\";
  for (std::size_t at = text.find_first_of(kFirst); at != std::string_view::npos;
       at = text.find_first_of(kFirst, at + 1)) {
    for (const std::string_view line_end : kLineEnds) {
      if (text.substr(at).starts_with(line_end)) return {at, at + line_end.size(), text[at] != '\\'};
    }
  }
  return {text.size(), text.size(), false};
}

SecretBytes from_utf16(std::string_view text) {
  using std::string_view_literals::operator""sv;
  const bool little_endian = text.starts_with("\xff\xfe"sv) || text.starts_with("-\0-\0"sv);
  const bool big_endian = text.starts_with("\xfe\xff"sv) || text.starts_with("\0-\0-"sv);
  if (!little_endian && !big_endian) return {};
  std::vector<std::uint8_t> out;
  out.reserve(text.size() / 2);
  for (std::size_t at = text[0] == '-' || text[1] == '-' ? 0 : 2; at + 1 < text.size(); at += 2) {
    const char low = text[little_endian ? at : at + 1];
    const char high = text[little_endian ? at + 1 : at];
    // PEM is ASCII; other characters stand between the objects, or where none may be.
    out.push_back(high == 0 ? static_cast<std::uint8_t>(low) : std::uint8_t{'?'});
  }
  return SecretBytes(std::move(out));
}

/// All ones when `low <= c <= high`, else zero; for values below 2^31.
constexpr std::uint32_t in_range(std::uint32_t c, std::uint32_t low, std::uint32_t high) noexcept {
  return ((c - low) >> 31U | (high - c) >> 31U) - 1U;
}
static_assert(in_range('A', 'A', 'Z') == 0xffffffffU && in_range('Z', 'A', 'Z') == 0xffffffffU &&
              in_range('[', 'A', 'Z') == 0);

void Base64Decoder::line(std::string_view text) {
  // RFC 7468 2: "parsers SHOULD ignore whitespace".
  while (!text.empty()) {
    const std::size_t end = std::min(text.find_first_of(kBlanks), text.size());
    word(text.substr(0, end));
    text.remove_prefix(std::min(text.find_first_not_of(kBlanks, end), text.size()));
  }
}

void Base64Decoder::word(std::string_view text) {
  // Where padding stands says only how long the data is.
  misplaced_ = misplaced_ || (padding_ != 0 && !text.empty());
  while (text.ends_with('=')) {
    text.remove_suffix(1);
    ++padding_;
  }
  for (const char character : text) {
    const auto c = static_cast<std::uint32_t>(static_cast<unsigned char>(character));
    const std::uint32_t upper = in_range(c, 'A', 'Z');
    const std::uint32_t lower = in_range(c, 'a', 'z');
    const std::uint32_t digit = in_range(c, '0', '9');
    const std::uint32_t plus = in_range(c, '+', '+');
    const std::uint32_t slash = in_range(c, '/', '/');
    bad_ |= ~(upper | lower | digit | plus | slash);
    group_ = group_ << 6U | (upper & (c - 'A')) | (lower & (c - 'a' + 26)) | (digit & (c - '0' + 52)) | (plus & 62U) |
             (slash & 63U);
    if (++characters_ % 4 == 0) put_group(3);
  }
}

std::optional<std::vector<std::uint8_t>> Base64Decoder::finish() && {
  const std::size_t left = characters_ % 4;
  if (!ok() || (left == 0 && padding_ != 0) || left == 1 || (left > 1 && left + padding_ != 4)) return std::nullopt;
  if (left != 0) {
    group_ <<= 6 * (4 - left);
    const std::uint32_t unused = group_ & (left == 2 ? 0xffffU : 0xffU);
    // RFC 4648 3.5: bits beyond the data "MUST be set to zero by conforming encoders".
    if (unused != 0) return std::nullopt;
    put_group(left - 1);
  }
  return std::move(out_);
}

void Base64Decoder::put_group(std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) out_.push_back(static_cast<std::uint8_t>(group_ >> (16 - 8 * i)));
  group_ = 0;
}

char base64_character(std::uint32_t value) noexcept {
  std::uint32_t c = in_range(value, 0, 25) & (value + 'A');
  c |= in_range(value, 26, 51) & (value - 26 + 'a');
  c |= in_range(value, 52, 61) & (value - 52 + '0');
  c |= (in_range(value, 62, 62) & '+') | (in_range(value, 63, 63) & '/');
  return static_cast<char>(c);
}

}  // namespace

}  // namespace lockstep::x509
