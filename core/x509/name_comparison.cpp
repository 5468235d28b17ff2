// Whether two distinguished names are one (RFC 5280 7.1).
//
// RFC 5280 7.1 has values prepared by RFC 4518 first: characters count, not the type of string that they stand in, nor
// case, nor how many spaces stand in a row. What is not done is to bring characters that Unicode can spell in several
// ways into one; names in certificates are spelled in the shortest.

#include <algorithm>
#include <array>

#include "x509/der.hpp"
#include "x509/parser.hpp"

namespace lockstep::x509 {

namespace {

struct Rdn;

bool is_text(std::uint8_t string_type) noexcept;
Rdn read_rdn(DistinguishedName::Iterator& attributes) noexcept;
Match compare(const Rdn& a, const Rdn& b) noexcept;
std::uint64_t hash_of(const NameAttribute& attribute) noexcept;

/// The attributes of a RelativeDistinguishedName. More than kMost, which nobody has, are counted only.
struct Rdn {
  static constexpr std::size_t kMost = 8;
  std::array<NameAttribute, kMost> attributes{};
  std::size_t count = 0;
};

}  // namespace

bool DistinguishedName::matches(const DistinguishedName& other) const noexcept {
  if (equal(der_, other.der_)) return true;
  auto a = begin();
  auto b = other.begin();
  while (!(a == end()) && !(b == end())) {
    if (compare(read_rdn(a), read_rdn(b)) != Match::yes) return false;
  }
  return a == end() && b == end();
}

Match lies_within(const DistinguishedName& name, const DistinguishedName& prefix) noexcept {
  Match result = Match::yes;
  auto a = name.begin();
  for (auto b = prefix.begin(); !(b == prefix.end());) {
    const Match each = a == name.end() ? Match::no : compare(read_rdn(a), read_rdn(b));
    if (each == Match::no) return Match::no;
    result = std::min(result, each);
  }
  return result;
}

std::uint64_t DistinguishedName::hash() const noexcept {
  std::uint64_t hash = 0;
  std::uint64_t rdn = 0;
  const auto mix = [&hash, &rdn] { hash = (hash ^ rdn) * 0x9e3779b97f4a7c15; };
  for (const NameAttribute& attribute : *this) {
    if (attribute.first_of_rdn) {
      mix();
      rdn = 0;
    }
    rdn += hash_of(attribute);  // a sum, because the order within a set means nothing
  }
  mix();
  return hash;
}

namespace {

/// The characters of a value, whatever type of string it is.
class Characters {
 public:
  static constexpr char32_t kEnd = 0xffff'ffff;
  static constexpr char32_t kInvalid = 0xffff'fffe;  // bytes that are no character
  explicit Characters(const NameAttribute& attribute) noexcept
      : string_type_(attribute.string_type), rest_(attribute.value) {}

  char32_t next() noexcept {
    if (rest_.empty()) return kEnd;
    switch (string_type_) {
      case der::kUtf8String: return utf8();
      case der::kBmpString: return big_endian(2);
      case der::kUniversalString: return big_endian(4);
      // T.61 changes between sets of characters by escape sequences. Certificates mean ISO 8859-1 by this type, and
      // OpenSSL reads it so.
      default: return big_endian(1);
    }
  }

 private:
  char32_t big_endian(std::size_t width) noexcept {
    char32_t c = 0;
    for (const std::uint8_t byte : take(width)) c = c << 8U | byte;
    return c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff) ? kInvalid : c;
  }
  char32_t utf8() noexcept {  // well-formed, as the parser saw to
    const std::uint8_t first = rest_.front();
    if (first < 0x80U) return take(1).front();
    const std::size_t size = first >= 0xf0U ? 4 : first >= 0xe0U ? 3 : 2;
    const Bytes bytes = take(size);
    char32_t c = first & (0x7fU >> size);
    for (const std::uint8_t byte : bytes.subspan(1)) c = c << 6U | (byte & 0x3fU);
    return c;
  }
  Bytes take(std::size_t size) noexcept {
    const Bytes bytes = rest_.first(std::min(size, rest_.size()));
    rest_ = rest_.subspan(bytes.size());
    return bytes;
  }
  std::uint8_t string_type_;
  Bytes rest_;
};

/// Capital letters of the Latin, Greek and Cyrillic alphabets, and how far their small ones are from them (Unicode's
/// CaseFolding.txt).
struct Capitals {
  char32_t first;
  char32_t last;
  char32_t step;
  char32_t distance;
};
constexpr std::array kCapitals = std::to_array<Capitals>({
    {U'A', U'Z', 1, 32},
    {0xc0, 0xd6, 1, 32},
    {0xd8, 0xde, 1, 32},
    {0x100, 0x12e, 2, 1},
    {0x132, 0x136, 2, 1},
    {0x139, 0x147, 2, 1},
    {0x14a, 0x176, 2, 1},
    {0x179, 0x17d, 2, 1},
    {0x386, 0x386, 1, 38},
    {0x388, 0x38a, 1, 37},
    {0x38c, 0x38c, 1, 64},
    {0x38e, 0x38f, 1, 63},
    {0x391, 0x3a1, 1, 32},
    {0x3a3, 0x3ab, 1, 32},
    {0x400, 0x40f, 1, 80},
    {0x410, 0x42f, 1, 32},
    {0x1e00, 0x1e94, 2, 1},
    {0x1ea0, 0x1efe, 2, 1},
});

char32_t small_letter(char32_t c) noexcept {
  for (const Capitals& capitals : kCapitals) {
    if (c < capitals.first) return c;
    if (c <= capitals.last) return (c - capitals.first) % capitals.step == 0 ? c + capitals.distance : c;
  }
  return c;
}

/// The characters of a value as they are compared: small letters, without outer spaces, inner ones single.
class PreparedText {
 public:
  explicit PreparedText(const NameAttribute& attribute) noexcept : characters_(attribute) { skip_spaces(); }

  char32_t next() noexcept {
    const char32_t c = ahead_;
    if (c == Characters::kEnd) return c;
    if (c != U' ') {
      ahead_ = characters_.next();
      return small_letter(c);
    }
    skip_spaces();
    return ahead_ == Characters::kEnd ? Characters::kEnd : c;
  }

 private:
  void skip_spaces() noexcept {
    do ahead_ = characters_.next();
    while (ahead_ == U' ');
  }
  Characters characters_;
  char32_t ahead_ = Characters::kEnd;
};

bool is_text(std::uint8_t string_type) noexcept {
  switch (string_type) {
    case der::kUtf8String:
    case der::kNumericString:
    case der::kPrintableString:
    case der::kTeletexString:
    case der::kIa5String:
    case der::kVisibleString:
    case der::kUniversalString:
    case der::kBmpString: return true;
    default: return false;
  }
}

Rdn read_rdn(DistinguishedName::Iterator& attributes) noexcept {
  Rdn out;
  do {
    if (out.count < Rdn::kMost) out.attributes[out.count] = *attributes;
    ++out.count;
    ++attributes;
  } while (!(attributes == std::default_sentinel) && !attributes->first_of_rdn);
  return out;
}

Match compare(const NameAttribute& a, const NameAttribute& b) noexcept {
  if (!equal(a.type, b.type)) return Match::no;
  if (a.string_type == b.string_type && equal(a.value, b.value)) return Match::yes;
  if (!is_text(a.string_type) || !is_text(b.string_type))
    return a.string_type == b.string_type ? Match::no : Match::perhaps;
  PreparedText x(a);
  PreparedText y(b);
  while (true) {
    const char32_t c = x.next();
    const char32_t d = y.next();
    if (c == Characters::kInvalid || d == Characters::kInvalid) return Match::perhaps;
    if (c != d) return Match::no;
    if (c == Characters::kEnd) return Match::yes;
  }
}

/// Whether each attribute of `a` is in `b`.
Match covers(const Rdn& b, const Rdn& a) noexcept {
  Match result = Match::yes;
  for (std::size_t i = 0; i < a.count; ++i) {
    Match best = Match::no;
    for (std::size_t k = 0; k < b.count; ++k) best = std::max(best, compare(a.attributes[i], b.attributes[k]));
    result = std::min(result, best);
  }
  return result;
}

/// RFC 5280 7.1: "Two relative distinguished names RDN1 and RDN2 match if they have the same number of naming
/// attributes and for each naming attribute in RDN1 there is a matching naming attribute in RDN2." Their order is that
/// of their encodings, and says nothing.
Match compare(const Rdn& a, const Rdn& b) noexcept {
  if (a.count != b.count) return Match::no;
  if (a.count == 1) return compare(a.attributes[0], b.attributes[0]);
  return a.count > Rdn::kMost ? Match::perhaps : std::min(covers(a, b), covers(b, a));
}

std::uint64_t hash_of(const NameAttribute& attribute) noexcept {
  std::uint64_t hash = 0xcbf29ce484222325;  // FNV-1a
  const auto mix = [&hash](std::uint64_t value) { hash = (hash ^ value) * 0x100000001b3; };
  for (const std::uint8_t byte : attribute.type) mix(byte);
  if (!is_text(attribute.string_type)) {
    for (const std::uint8_t byte : attribute.value) mix(byte);
    return hash;
  }
  PreparedText text(attribute);
  for (char32_t c = text.next(); c != Characters::kEnd; c = text.next()) mix(c);
  return hash;
}

}  // namespace

}  // namespace lockstep::x509
