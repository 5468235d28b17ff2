#pragma once
// -4 and -6.

#include <cstdint>

#include <lockstep/io.hpp>

namespace CLI {
class App;
}

namespace lockstep::tool {

/// Which addresses of a name are tried.
enum class Family : std::uint8_t { any, ipv4, ipv6 };
/// -4 and -6.
void add_family_options(CLI::App& app, Family& family);
/// `lockstep::resolve` for those alone; nothing, which is the same, for any.
[[nodiscard]] Resolve resolve_of(Family family);

}  // namespace lockstep::tool
