#pragma once
// Finished (RFC 9846 4.5.3).

#include <cstddef>

#include <lockstep/bytes.hpp>

#include "codec/handshake_message.hpp"

namespace lockstep::codec {

struct Finished {
  Bytes verify_data;  ///< a view into the body that was decoded
};

/// `verify_data_length` is the length of the suite's hash (12 in TLS 1.2).
[[nodiscard]] Decoded<Finished> decode_finished(Bytes body, std::size_t verify_data_length) noexcept;

/// Writes a whole message; an empty view when it did not fit.
[[nodiscard]] Bytes encode_finished(Writer& writer, const Finished& message) noexcept;

}  // namespace lockstep::codec
