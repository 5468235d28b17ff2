#pragma once
// The cryptography of the command line: all that this build has, the fastest first.

#include <lockstep/provider.hpp>

namespace lockstep::tool {

[[nodiscard]] const Provider& provider();
/// The system's randomness; may be used from several threads.
[[nodiscard]] RandomSource& random_source();

}  // namespace lockstep::tool
