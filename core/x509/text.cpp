#include "x509/text.hpp"

#include <array>
#include <cstddef>

#include "x509/der.hpp"

namespace lockstep::x509 {

namespace {

constexpr std::string_view kDigits = "0123456789abcdef";

bool is_unprintable(char32_t c) noexcept {
  return c < 0x20 || (c >= 0x7f && c < 0xa0) ||  // controls
         (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) ||
         c == 0xfeff;  // invisible, bidirectional
}

std::string ipv6_text(Bytes address);

}  // namespace

std::string hex(Bytes bytes, std::string_view separator) {
  std::string out;
  out.reserve(bytes.size() * (2 + separator.size()));
  for (const std::uint8_t byte : bytes) {
    if (!out.empty()) out += separator;
    out += kDigits[byte >> 4U];
    out += kDigits[byte & 15U];
  }
  return out;
}

void append_escaped(std::string& out, Bytes utf8, std::string_view special) {
  while (!utf8.empty()) {
    const std::uint8_t first = utf8[0];
    std::size_t size = first < 0x80U ? 1 : first < 0xe0U ? 2 : first < 0xf0U ? 3 : 4;
    if (size > utf8.size()) size = utf8.size();
    bool escape = !der::is_utf8(utf8.first(size));
    if (escape) {
      size = 1;
    } else {
      char32_t c = size == 1 ? first : first & (0x7fU >> size);
      for (std::size_t i = 1; i < size; ++i) c = c << 6U | (utf8[i] & 0x3fU);
      escape = is_unprintable(c);
      if (size == 1 && special.find(static_cast<char>(first)) != std::string_view::npos) out += '\\';
    }
    for (const std::uint8_t byte : utf8.first(size)) {
      if (escape) {
        out += '\\';
        out += kDigits[byte >> 4U];
        out += kDigits[byte & 15U];
      } else {
        out += static_cast<char>(byte);
      }
    }
    utf8 = utf8.subspan(size);
  }
}

void append_utf8(std::string& out, char32_t c) {
  const auto put = [&out](char32_t byte) { out += static_cast<char>(static_cast<unsigned char>(byte)); };
  if (c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff)) c = 0xfffd;
  if (c < 0x80) {
    put(c);
  } else if (c < 0x800) {
    put(0xc0U | c >> 6U);
    put(0x80U | (c & 0x3fU));
  } else if (c < 0x10000) {
    put(0xe0U | c >> 12U);
    put(0x80U | (c >> 6U & 0x3fU));
    put(0x80U | (c & 0x3fU));
  } else {
    put(0xf0U | c >> 18U);
    put(0x80U | (c >> 12U & 0x3fU));
    put(0x80U | (c >> 6U & 0x3fU));
    put(0x80U | (c & 0x3fU));
  }
}

std::string address_text(Bytes address) {
  if (address.size() == 16) return ipv6_text(address);
  std::string out;
  for (const std::uint8_t byte : address) {
    if (!out.empty()) out += '.';
    out += std::to_string(byte);
  }
  return out;
}

namespace {

std::string ipv6_text(Bytes address) {
  std::array<unsigned, 8> groups{};
  for (std::size_t i = 0; i < groups.size(); ++i)
    groups[i] = static_cast<unsigned>(address[2 * i] << 8U | address[2 * i + 1]);
  // RFC 5952 4.2.3: the first of the longest runs of zeros, if longer than one, becomes "::".
  std::size_t best = groups.size();
  std::size_t best_length = 1;
  for (std::size_t i = 0; i < groups.size();) {
    std::size_t end = i;
    while (end < groups.size() && groups[end] == 0) ++end;
    if (end - i > best_length) {
      best = i;
      best_length = end - i;
    }
    i = end == i ? i + 1 : end;
  }
  std::string out;
  for (std::size_t i = 0; i < groups.size(); ++i) {
    if (i == best) {
      out += "::";
      i += best_length - 1;
      continue;
    }
    if (!out.empty() && out.back() != ':') out += ':';
    bool leading = true;
    for (unsigned shift = 16; shift != 0;) {
      shift -= 4;
      const unsigned digit = groups[i] >> shift & 15U;
      leading = leading && digit == 0 && shift != 0;
      if (!leading) out += kDigits[digit];
    }
  }
  return out;
}

}  // namespace

}  // namespace lockstep::x509
