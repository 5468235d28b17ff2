#pragma once
// The RSA keys that are taken: by X.509 and by every provider, of peers and one's own. Larger ones are slow to verify
// with, which a peer could make us pay for; smaller ones protect nothing. X.509's policy may ask for more bits.

#include <cstddef>

#include <lockstep/export.hpp>

namespace lockstep {

inline constexpr std::size_t kMinRsaBits = 1024;
inline constexpr std::size_t kMaxRsaBits = 8192;
/// Public exponents are odd, and at least 3.
inline constexpr std::size_t kMaxRsaExponentBits = 33;

}  // namespace lockstep
