#pragma once
// Lockstep's own kernels as a provider: AES-GCM and ChaCha20-Poly1305. Not enough for a connection; other providers put
// it before what they have themselves.

#include <lockstep/export.hpp>
#include <lockstep/provider.hpp>

namespace lockstep {

/// The kernels that this processor can run, for each algorithm the fastest first, those in plain C++ last.
[[nodiscard]] LOCKSTEP_API Provider kernel_provider();

}  // namespace lockstep
