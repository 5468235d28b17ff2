#pragma once
// Making texts that are safe to print out of bytes that a peer chose.

#include <string>
#include <string_view>

#include <lockstep/bytes.hpp>

namespace lockstep::x509 {

/// "1f2e", or "1f:2e" with a separator.
[[nodiscard]] std::string hex(Bytes bytes, std::string_view separator = {});

/// Appends UTF-8 text, with a backslash before each of `special` and with every byte of what is unprintable (controls,
/// characters that turn the writing direction, broken UTF-8) as \xx in hexadecimal digits.
void append_escaped(std::string& out, Bytes utf8, std::string_view special);

/// The UTF-8 form of a character.
void append_utf8(std::string& out, char32_t character);

/// The text of an address of 4 or 16 bytes (RFC 5952).
[[nodiscard]] std::string address_text(Bytes address);

}  // namespace lockstep::x509
