#pragma once
// What `lockstep explain` says, for commands that say it when a handshake fails.

#include <string>

#include <lockstep/explain.hpp>

namespace lockstep::tool {

/// In the command line's own words, safe to print.
[[nodiscard]] std::string explanation(const Explained& explained);

}  // namespace lockstep::tool
