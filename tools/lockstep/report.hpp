#pragma once
// The JSON document of a command that comes to no report of its own, wherever it fails.

#include <string_view>

#include "terminal.hpp"

namespace lockstep::tool {

/// {"ok": false, "command": "verify", "status": 2, "error": {"text": ..., "advice": ...}}; no `command` where none is
/// known, no `advice` where there is none.
[[nodiscard]] Json failure_json(std::string_view command, int status, std::string_view what, std::string_view advice);

/// Says it to people on standard error, or with `json` as that document, where the command's documents go: those of the
/// client to standard error, for its standard output is the connection's. Gives back the status.
int report_failure(bool json, std::string_view command, int status, std::string_view what, std::string_view advice);

}  // namespace lockstep::tool
