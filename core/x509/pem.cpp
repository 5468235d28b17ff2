// PEM (RFC 7468, and as much of RFC 1421 as old private keys need).

#include <algorithm>
#include <array>

#include <lockstep/x509_pem.hpp>

namespace lockstep::x509 {

namespace {

constexpr std::string_view kBegin = "-----BEGIN ";
constexpr std::string_view kEnd = "-----END ";
constexpr std::string_view kDashes = "-----";
constexpr std::size_t kLineLength = 64;  // RFC 7468 2: "generators MUST wrap [...] exactly 64 characters"

/// "X" of "-----BEGIN X-----"; nothing when the line is not so.
std::optional<std::string_view> label_of(std::string_view line, std::string_view prefix) noexcept {
  if (!line.starts_with(prefix) || !line.ends_with(kDashes) || line.size() <= prefix.size() + kDashes.size())
    return std::nullopt;
  line.remove_prefix(prefix.size());
  line.remove_suffix(kDashes.size());
  const bool printable = std::ranges::all_of(line, [](char c) { return c >= 0x20 && c <= 0x7e; });
  return printable ? std::optional(line) : std::nullopt;
}

/// Turns base64 into bytes. What it decodes may be a private key: there is no branch and no index on its characters.
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

std::optional<std::string_view> PemReader::next_line() noexcept {
  if (rest_.empty()) return std::nullopt;
  const std::size_t end = std::min(rest_.find('\n'), rest_.size());
  std::string_view line = rest_.substr(0, end);
  rest_.remove_prefix(std::min(end + 1, rest_.size()));
  constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
  if (line_++ == 0 && line.starts_with(kByteOrderMark)) line.remove_prefix(kByteOrderMark.size());
  while (!line.empty() && (line.back() == '\r' || line.back() == ' ' || line.back() == '\t')) line.remove_suffix(1);
  return line;
}

std::optional<std::expected<PemObject, PemError>> PemReader::next() {
  // RFC 7468 2: "Data before the encapsulation boundaries are permitted, and parsers MUST NOT malfunction when
  // processing such data."
  std::optional<std::string_view> line = next_line();
  while (line && !line->starts_with(kBegin)) {
    if (line->starts_with(kEnd)) return std::unexpected(PemError{PemCode::line_malformed, line_});
    line = next_line();
  }
  if (!line) return std::nullopt;
  const std::size_t begin_line = line_;
  const auto label = label_of(*line, kBegin);
  if (!label) return std::unexpected(PemError{PemCode::line_malformed, begin_line});

  const std::size_t size = std::min(rest_.find(kEnd), rest_.size());
  Base64Decoder decoder(std::min(size, kMaxPemObject) / 4 * 3 + 3);
  std::optional<PemError> error;
  if (size > kMaxPemObject / 3 * 4) error = PemError{PemCode::too_large, begin_line};
  bool in_headers = false;
  bool encrypted = false;
  bool has_data = false;
  while (true) {
    const std::string_view before = rest_;
    line = next_line();
    if (!line) return std::unexpected(PemError{PemCode::end_missing, begin_line});
    if (line->starts_with(kBegin)) {
      // The object has no end. The line begins the next one.
      rest_ = before;
      --line_;
      return std::unexpected(PemError{PemCode::end_missing, begin_line});
    }
    if (line->starts_with(kEnd)) break;
    if (error) continue;
    if (!has_data && line->find(':') != std::string_view::npos) {
      in_headers = true;
      encrypted = encrypted || (line->starts_with("Proc-Type:") && line->ends_with("ENCRYPTED"));
    } else if (in_headers) {
      if (!line->empty() && before.front() != ' ' && before.front() != '\t')
        error = PemError{PemCode::headers_malformed, line_};
      in_headers = !line->empty();
    } else {
      has_data = has_data || !line->empty();
      decoder.line(*line);
      if (!decoder.ok()) error = PemError{PemCode::base64_malformed, line_};
    }
  }
  if (error) return std::unexpected(*error);
  const auto end_label = label_of(*line, kEnd);
  if (!end_label) return std::unexpected(PemError{PemCode::line_malformed, line_});
  if (*end_label != *label) return std::unexpected(PemError{PemCode::end_mismatch, line_});
  if (!has_data) return std::unexpected(PemError{PemCode::empty, begin_line});
  auto bytes = std::move(decoder).finish();
  if (!bytes) return std::unexpected(PemError{PemCode::base64_malformed, line_});
  return PemObject{*label, SecretBytes(std::move(*bytes)), begin_line, encrypted};
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

/// All ones when `low <= c <= high`, else zero; for values below 2^31.
constexpr std::uint32_t in_range(std::uint32_t c, std::uint32_t low, std::uint32_t high) noexcept {
  return ((c - low) >> 31U | (high - c) >> 31U) - 1U;
}
static_assert(in_range('A', 'A', 'Z') == 0xffffffffU && in_range('Z', 'A', 'Z') == 0xffffffffU &&
              in_range('[', 'A', 'Z') == 0);

void Base64Decoder::line(std::string_view text) {
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
