#pragma once
// How the runner writes lists on the command line.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace bogo {

/// Distinguished names in hexadecimal, separated by commas; "<NULL>" and "<EMPTY>" are no names.
[[nodiscard]] inline std::vector<std::vector<std::uint8_t>> names_from_hex(std::string_view text) {
  std::vector<std::vector<std::uint8_t>> names;
  if (text.empty() || text.front() == '<') return names;
  const auto digit = [](char c) { return static_cast<unsigned>(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10); };
  names.emplace_back();
  for (std::size_t i = 0; i < text.size(); i += 2) {
    if (text[i] == ',') {
      names.emplace_back();
      --i;
    } else {
      names.back().push_back(static_cast<std::uint8_t>(digit(text[i]) << 4U | digit(text[i + 1])));
    }
  }
  return names;
}

/// Bytes in base64 (RFC 4648 4).
[[nodiscard]] inline std::vector<std::uint8_t> from_base64(std::string_view text) {
  constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::vector<std::uint8_t> bytes;
  std::uint32_t bits = 0;
  int count = 0;
  for (const char letter : text.substr(0, text.find('='))) {
    bits = bits << 6U | static_cast<std::uint32_t>(kAlphabet.find(letter));
    count += 6;
    if (count < 8) continue;
    count -= 8;
    bytes.push_back(static_cast<std::uint8_t>(bits >> static_cast<unsigned>(count)));
  }
  return bytes;
}

/// Protocols with a length byte before each.
[[nodiscard]] inline std::vector<std::string> protocols(std::string_view list) {
  std::vector<std::string> out;
  while (!list.empty()) {
    const std::size_t size = static_cast<std::uint8_t>(list.front());
    out.emplace_back(list.substr(1, size));
    list.remove_prefix(std::min(list.size(), 1 + size));
  }
  return out;
}

}  // namespace bogo
