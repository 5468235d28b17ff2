#pragma once
// What the kernels are compared with: libcrypto (reference_libcrypto.cpp); and where the tests are built for a
// processor for which there is none, the portable kernels (reference_portable.cpp), which libcrypto has checked
// elsewhere.

#include <lockstep/kernels_hash.hpp>

#include "support.hpp"

namespace lockstep::kernels::test::reference {

Bytes seal(Algorithm algorithm, const Bytes& key, const Bytes& nonce, const Bytes& aad, const Bytes& text);
Bytes digest(HashAlgorithm algorithm, std::span<const std::uint8_t> message);
Bytes hmac(HashAlgorithm algorithm, std::span<const std::uint8_t> key, std::span<const std::uint8_t> message);

}  // namespace lockstep::kernels::test::reference
