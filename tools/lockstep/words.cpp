#include "words.hpp"

#include <utility>

namespace lockstep::tool {

std::string printable(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string result;
  for (const char character : text) {
    const auto byte = static_cast<unsigned char>(character);
    if (byte >= 0x20 && byte < 0x7f) {
      result += character;
    } else {
      result += "\\x";
      result += kDigits[byte >> 4U];
      result += kDigits[byte & 0xfU];
    }
  }
  return result;
}

std::string on_command_line(std::string text) {
  constexpr std::pair<std::string_view, std::string_view> kOptions[] = {
      {"Policy::private_pki()", "--private-pki"},
      {"Policy::web_pki()", "--web-pki"},
      {"Policy::max_intermediates", "--max-intermediates"},
      {"Policy::min_rsa_bits", "--min-rsa-bits"},
      {"Policy::accept_partial_chain", "--partial-chain"},
      {"allow_no_extended_main_secret", "--allow-no-ems"},
      {"allow_no_renegotiation_info", "--allow-no-renegotiation-info"},
      {"Compare what both ends allow; a peer that speaks TLS 1.2 may want a suite that has to be named here, or lack "
       "extended master secret (RFC 7627).",
       "Compare what both ends allow (--suite, --group, --scheme); a peer that speaks TLS 1.2 may want a suite that "
       "has to be named here, and --suite ALL names every one, or lack extended master secret, which --allow-no-ems "
       "allows."},
      {"Compare the suites that both ends allow.", "Compare the suites that both ends allow: --suite names ours."},
      {"allow_unknown_dh_groups", "--allow-unknown-dh-groups"},
      {"Name it in Policy::handled_extensions if the application processes it, or have its value offered to be judged.",
       "Have it issued again without; no command here processes it."},
  };
  for (const auto& [name, option] : kOptions) {
    for (std::size_t at = text.find(name); at != std::string::npos; at = text.find(name, at + option.size()))
      text.replace(at, name.size(), option);
  }
  return text;
}

std::string joined(std::span<const std::string> parts, std::string_view separator) {
  std::string text;
  for (const std::string& part : parts) {
    if (!text.empty()) text += separator;
    text += part;
  }
  return text;
}

}  // namespace lockstep::tool
