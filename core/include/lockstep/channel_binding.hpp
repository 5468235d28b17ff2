#pragma once
// Channel bindings (RFC 5056): what ties an authentication inside a connection to the connection. Those of a connection
// are its own to tell (`Connection::tls_exporter`, `Connection::tls_unique`); this one is the server's certificate's.

#include <cstddef>

#include <lockstep/bytes.hpp>
#include <lockstep/export.hpp>
#include <lockstep/provider.hpp>

namespace lockstep {

/// The longest digest that a certificate's own hash gives.
inline constexpr std::size_t kMaxServerEndPoint = 64;

/// tls-server-end-point (RFC 5929 4): the digest of the server's end-entity certificate, DER, by the hash of its own
/// signature, or SHA-256 where that is MD5 or SHA-1. The size written to `out`, which has kMaxServerEndPoint bytes; 0
/// for what is no certificate, for a signature with no hash of its own (Ed25519, Ed448, ML-DSA), for which RFC 5929
/// says nothing, and where the provider lacks the hash.
///
/// It names the server's certificate and not the connection: whoever has that key can stand between.
[[nodiscard]] LOCKSTEP_API std::size_t tls_server_end_point(const Provider& provider, Bytes certificate,
                                                            MutableBytes out) noexcept;

}  // namespace lockstep
