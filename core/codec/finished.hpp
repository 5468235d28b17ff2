#pragma once
// Finished (RFC 9846 4.5.3).

#include <cstddef>

#include <lockstep/bytes.hpp>

#include "codec/handshake_message.hpp"

namespace lockstep::codec {

struct Finished {
  static constexpr HandshakeType type = HandshakeType::finished;
  static constexpr Place place = Place::finished;
  static constexpr std::size_t max_size = kMaxFinished;
  /// `verify_data_length` is the length of the suite's hash (12 in TLS 1.2).
  [[nodiscard]] static Decoded<Finished> decode(Bytes body, const DecodeContext& context = {}) noexcept;

  Bytes verify_data;  ///< a view into the body that was decoded
};

/// Writes a whole message; an empty view when it did not fit.
[[nodiscard]] Bytes encode_finished(Writer& writer, const Finished& message) noexcept;

}  // namespace lockstep::codec
