#pragma once

#include <lockstep/export.hpp>

namespace lockstep {

/// Opens /dev/null on those of the descriptors 0 to 2 that are closed. A socket that gets such a number takes what is
/// meant for standard output: decrypted bytes would go back over the network in clear. For the first line of main,
/// before anything is opened. False when it cannot be: a program without them had better end.
[[nodiscard]] LOCKSTEP_API bool open_standard_descriptors() noexcept;

}  // namespace lockstep
