#pragma once
// Calls that the engine refuses.

#include <cstdint>
#include <string_view>

#include <lockstep/export.hpp>

namespace lockstep {

/// A call that the connection's state does not allow: a bug in the caller, told apart from errors of the protocol.
enum class Misuse : std::uint8_t {
  not_connected,   ///< application data before the handshake is complete, or on a server before it took early data
  closed,          ///< sending after `close` or after a failure
  wrong_token,     ///< a token of another connection, of another operation, or answered before
  invalid_answer,  ///< e.g. a signature that is too long
  buffer_too_small,
  offloaded,           ///< the keys were handed out: application data goes to whoever has them
  transmit_first,      ///< `seal_in_place` while `transmit` has something to send
  no_early_data,       ///< `seal_early` when early data was not offered, was refused, or is over
  unusable,            ///< a connection that was moved from, or made without a configuration
  handshake_not_over,  ///< `offload` or `renegotiate` while tickets are still being sealed or sent: answer, transmit,
                       ///< and try again; `seal_in_place` and exporters while the connection is renegotiated
  not_extended,        ///< an exporter of TLS 1.2 without extended master secret (RFC 7627 5.4)
  no_aead,             ///< `offload` of a suite in CBC mode
  not_in_tls12,        ///< `update_keys`: TLS 1.2 keeps its keys
  no_renegotiation,    ///< `renegotiate`: the configuration, the version or the peer does not allow it
  not_in_tls13,        ///< TLS 1.3 has no such thing
  not_exposed,         ///< the configuration does not say `dangerous().expose_master_secret()`
  forgotten,           ///< what exporters are made of: after `forget_exporter`
  out_of_range,        ///< `set_max_send_fragment`
};
[[nodiscard]] LOCKSTEP_API std::string_view name(Misuse) noexcept;

}  // namespace lockstep
