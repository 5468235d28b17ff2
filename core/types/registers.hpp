#pragma once
// Registers that code for any processor of an architecture does not know.

#include <lockstep/export.hpp>

namespace lockstep {

/// Clears the vector registers that `wipe_stack` cannot name: those of AVX and AVX-512, through which the C library
/// copies whatever it is given. Whoever comes next may put them aside on the stack, as the dynamic linker does when it
/// binds a function.
LOCKSTEP_API void wipe_registers() noexcept;

}  // namespace lockstep
