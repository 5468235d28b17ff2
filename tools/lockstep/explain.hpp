#pragma once
// What `lockstep explain` says, for commands that say it when a handshake fails.

#include <expected>
#include <string>

#include <lockstep/explain.hpp>

#include "terminal.hpp"

namespace lockstep::tool {

/// In the command line's own words, safe to print.
[[nodiscard]] std::string explanation(const std::expected<Explained, Error>& explained);
[[nodiscard]] Json explanation_json(const std::expected<Explained, Error>& explained);

}  // namespace lockstep::tool
