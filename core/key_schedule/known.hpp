#pragma once
// What the key schedule derives from constants alone. Every handshake needs them, so they are known beforehand: a test
// derives them again. Of the hashes that suites of TLS 1.3 have.

#include <lockstep/bytes.hpp>
#include <lockstep/types.hpp>

#include "key_schedule/tls13.hpp"

namespace lockstep::key_schedule {

/// RFC 9846 7.1: Transcript-Hash(""), the context of Derive-Secret where there are no messages.
[[nodiscard]] Bytes digest_of_nothing(HashAlgorithm hash) noexcept;

/// RFC 9846 7.1: Derive-Secret(HKDF-Extract(0, 0), "derived", ""), the salt of the handshake secret where there is no
/// pre-shared key.
[[nodiscard]] Bytes salt_without_psk(const Schedule& schedule) noexcept;

}  // namespace lockstep::key_schedule
