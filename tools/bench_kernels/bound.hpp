#pragma once
// What this machine's execution units allow at best: loops that do nothing but the work that an algorithm cannot avoid,
// in registers. A kernel also loads, stores, counts and reduces, so it stays above its bound; how far says how good it
// is, on any machine.

#include <lockstep/kernels.hpp>

namespace lockstep::bench {

/// Seconds for each byte of a long message:
/// - AES-GCM: the rounds of AES (NIST FIPS 197) and three carry-less multiplications for each block (GHASH by
/// Karatsuba);
/// - ChaCha20-Poly1305: the rounds of ChaCha20 (RFC 8439 2.3), without Poly1305, which uses other units.
/// 0 where there is no such loop.
[[nodiscard]] double bound(kernels::Algorithm algorithm, kernels::InstructionSet set) noexcept;

/// Cycles in a second, by a chain of additions, each of which takes one. 0 where the processor is not known.
[[nodiscard]] double cycles_per_second() noexcept;

}  // namespace lockstep::bench
