#pragma once
// How large records may be: record_size_limit (RFC 8449), and max_fragment_length before it (RFC 6066 4).

#include <cstdint>
#include <optional>

#include <lockstep/session.hpp>

#include "codec/client_hello.hpp"
#include "handshake/context.hpp"

namespace lockstep::handshake {

/// The code of a length that a client asks for (RFC 6066 4); 0 for none.
[[nodiscard]] std::uint8_t max_fragment_length_code(std::uint16_t bytes) noexcept;

/// Server: what is agreed with this client, from here on in force. `session`: the one that is resumed in TLS 1.2, or
/// null.
void agree_on_record_limits(Context& context, const codec::ClientHello& hello, const Session* session) noexcept;

/// Client: takes what the server has answered; never both.
[[nodiscard]] Status take_record_limits(Context& context, std::optional<std::uint16_t> record_size_limit,
                                        std::optional<std::uint8_t> max_fragment_length,
                                        const Session* session) noexcept;

/// Server, TLS 1.2: whether a session can be resumed as far as its records go.
[[nodiscard]] bool fits_record_limits(const Context& context, const codec::ClientHello& hello,
                                      const Session& session) noexcept;
/// Client, TLS 1.2: the same before it is offered.
[[nodiscard]] bool fits_record_limits(const Context& context, const Session& session) noexcept;

}  // namespace lockstep::handshake
