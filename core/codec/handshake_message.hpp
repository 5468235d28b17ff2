#pragma once
// The frame of every handshake message (RFC 9846 4): a type and the length of the body.

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>

#include <lockstep/bytes.hpp>
#include <lockstep/error.hpp>
#include <lockstep/types.hpp>

#include "codec/extensions.hpp"
#include "codec/limits.hpp"
#include "codec/reader.hpp"
#include "codec/writer.hpp"

namespace lockstep::codec {

/// What a decoder gives: a struct of views into the bytes that it was given, or the error that goes out as an alert.
template <class Message>
using Decoded = std::expected<Message, Error>;

/// What a decoder has to know beside the body. Every message has `type`, `place` (of errors in it), `max_size` (of
/// its body) and
///
///     static Decoded<Message> decode(Bytes body, const DecodeContext& context = {}) noexcept;
struct DecodeContext {
  ExtensionSet offered{};              ///< extensions that we sent, which messages of the peer may answer
  std::size_t verify_data_length = 0;  ///< of Finished: the length of the suite's hash (12 in TLS 1.2)
};

struct HandshakeHeader {
  HandshakeType type{};
  std::uint32_t length = 0;  ///< of the body, without these 4 bytes
};

/// The header at the front of `bytes`, or nothing while fewer than 4 bytes are there.
[[nodiscard]] inline std::optional<HandshakeHeader> handshake_header(Bytes bytes) noexcept {
  if (bytes.size() < kHandshakeHeaderSize) return std::nullopt;
  Reader reader(bytes.first(kHandshakeHeaderSize));
  const auto type = reader.code_point<HandshakeType>();
  return HandshakeHeader{type, reader.u24()};
}

/// Writes one whole message: the header, then what `body` writes. Gives the message as it stands in the writer's
/// buffer, or an empty view when it did not fit (no message is empty).
template <std::invocable Body>
MutableBytes write_handshake_message(Writer& writer, HandshakeType type, Body body) noexcept {
  const std::size_t start = writer.size();
  writer.code_point(type);
  {
    const auto length = writer.vector24();
    body();
  }
  return writer.ok() ? writer.written().subspan(start) : MutableBytes{};
}

/// An unexpected<Error> for a decoder to return.
[[nodiscard]] inline std::unexpected<Error> failure(Reason reason, Place place, std::uint16_t detail = 0) noexcept {
  return std::unexpected(make_error(reason, place, detail));
}

}  // namespace lockstep::codec
