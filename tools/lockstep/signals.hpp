#pragma once
// SIGINT and SIGTERM, which end what is in progress instead of the program.

#include <lockstep/io.hpp>

namespace lockstep::tool {

/// The two as a descriptor that becomes readable. Made before any thread, so that all inherit the mask; loading an RSA
/// key may start those of Botan.
[[nodiscard]] Descriptor blocked_signals();

}  // namespace lockstep::tool
