#pragma once
// Lockstep's own kernels as a provider: AES-GCM, ChaCha20-Poly1305, SHA-2 and ML-KEM. Not enough for a connection; the
// providers on libraries put them before what they have themselves.

#include <lockstep/export.hpp>
#include <lockstep/provider.hpp>

namespace lockstep {

/// The kernels that this processor can run, for each algorithm the fastest first, those in plain C++ last.
[[nodiscard]] LOCKSTEP_API Provider kernel_provider();

/// `own` with the kernels that use this processor's instructions before what it has, and those in plain C++ behind.
[[nodiscard]] LOCKSTEP_API Provider behind_kernels(const Provider& own);

}  // namespace lockstep
