#pragma once
// A report as a tree of fields: what --json prints, for people.

#include <string>
#include <string_view>

#include <lockstep/bytes.hpp>

#include "terminal.hpp"

namespace lockstep::tool {

/// Names and values below each other; what is within a value is indented below its name. Every text is made safe to
/// print.
void print_fields(const Printer& printer, const Json& fields, std::size_t indent = 2);

/// "01:ab:...", or without the colons.
[[nodiscard]] std::string hex(Bytes bytes, std::string_view separator = ":");
/// The SHA-256 of some bytes in that form; empty where the provider has none.
[[nodiscard]] std::string sha256_text(Bytes bytes);

}  // namespace lockstep::tool
