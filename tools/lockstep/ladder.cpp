#include "ladder.hpp"
namespace lockstep::tool {
std::string draw_ladder(Bytes, std::uint64_t) { return {}; }
}  // namespace lockstep::tool
