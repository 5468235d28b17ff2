#pragma once
// A ClientHello in full, by the names that RFC 9846 4.2.2 has for its fields.

#include <optional>

#include <lockstep/bytes.hpp>

#include "terminal.hpp"

namespace lockstep::tool {

/// Of a message with its header of four bytes; nothing when its lengths do not fit each other.
[[nodiscard]] std::optional<Json> client_hello_fields(Bytes message);

}  // namespace lockstep::tool
