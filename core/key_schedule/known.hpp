#pragma once
// What the key schedule derives from constants alone. Every handshake needs them, so they are known beforehand: a test
// derives them again. Of the hashes that suites of TLS 1.3 have.

#include <lockstep/bytes.hpp>
#include <lockstep/types.hpp>

#include "key_schedule/tls13.hpp"

namespace lockstep::key_schedule {

/// Transcript-Hash of no messages (RFC 9846 7.1), the context of Derive-Secret where there are none.
[[nodiscard]] Bytes digest_of_nothing(HashAlgorithm hash) noexcept;

/// The salt of the handshake secret (RFC 9846 7.1) where there is no pre-shared key.
[[nodiscard]] Bytes salt_without_psk(const Schedule& schedule) noexcept;

}  // namespace lockstep::key_schedule
