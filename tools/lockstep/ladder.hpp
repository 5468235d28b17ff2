#pragma once
// The picture of a tape: two lifelines, what passed between them, and what our side did meanwhile.

#include <cstdint>
#include <string>

#include <lockstep/bytes.hpp>

namespace lockstep::tool {

/// An SVG document for light and dark backgrounds. Of a tape that breaks off, what stands before; operations behind
/// `until` are left out.
[[nodiscard]] std::string draw_ladder(Bytes tape, std::uint64_t until);

}  // namespace lockstep::tool
