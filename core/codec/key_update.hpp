#pragma once
// KeyUpdate (RFC 9846 4.7.3).

#include <lockstep/types.hpp>

#include "codec/handshake_message.hpp"

namespace lockstep::codec {

struct KeyUpdate {
  KeyUpdateRequest request_update{};
};

[[nodiscard]] Decoded<KeyUpdate> decode_key_update(Bytes body) noexcept;

/// Writes a whole message (kKeyUpdateSize bytes); an empty view when it did not fit.
[[nodiscard]] Bytes encode_key_update(Writer& writer, const KeyUpdate& message) noexcept;

inline constexpr std::size_t kKeyUpdateSize = kHandshakeHeaderSize + 1;

}  // namespace lockstep::codec
