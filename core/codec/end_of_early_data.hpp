#pragma once
// EndOfEarlyData (RFC 9846 4.6): an empty message.

#include "codec/handshake_message.hpp"

namespace lockstep::codec {

struct EndOfEarlyData {
  static constexpr HandshakeType type = HandshakeType::end_of_early_data;
  static constexpr Place place = Place::end_of_early_data;
  static constexpr std::size_t max_size = kMaxEndOfEarlyData;
  [[nodiscard]] static Decoded<EndOfEarlyData> decode(Bytes body, const DecodeContext& context = {}) noexcept;
};

/// Writes a whole message; an empty view when it did not fit.
[[nodiscard]] Bytes encode_end_of_early_data(Writer& writer) noexcept;

}  // namespace lockstep::codec
