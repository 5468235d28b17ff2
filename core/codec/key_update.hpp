#pragma once
// KeyUpdate (RFC 9846 4.7.3).

#include <lockstep/types.hpp>

#include "codec/handshake_message.hpp"

namespace lockstep::codec {

struct KeyUpdate {
  static constexpr HandshakeType type = HandshakeType::key_update;
  static constexpr Place place = Place::key_update;
  static constexpr std::size_t max_size = kMaxKeyUpdate;
  [[nodiscard]] static Decoded<KeyUpdate> decode(Bytes body, const DecodeContext& context = {}) noexcept;

  KeyUpdateRequest request_update{};
};

/// Writes a whole message (kKeyUpdateSize bytes); an empty view when it did not fit.
[[nodiscard]] Bytes encode_key_update(Writer& writer, const KeyUpdate& message) noexcept;

inline constexpr std::size_t kKeyUpdateSize = kHandshakeHeaderSize + 1;

}  // namespace lockstep::codec
