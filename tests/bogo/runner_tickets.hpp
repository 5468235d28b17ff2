#pragma once
// Tickets in the form that the runner opens, changes and seals again: BoringSSL's, sealed with AES-128-CBC and
// HMAC-SHA-256 under a key of 48 bytes, around the beginning of an SSL_SESSION in DER.

#include <optional>
#include <vector>

#include <lockstep/provider.hpp>
#include <lockstep/session.hpp>

namespace bogo {

[[nodiscard]] std::optional<std::vector<std::uint8_t>> seal_runner_ticket(lockstep::Bytes key,
                                                                          const lockstep::Session& session,
                                                                          lockstep::RandomSource& random);
/// The session with the version and the suite that the ticket says by now; nothing for what was not sealed so.
[[nodiscard]] std::optional<lockstep::Session> open_runner_ticket(lockstep::Bytes key, lockstep::Bytes ticket);

}  // namespace bogo
