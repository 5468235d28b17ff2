#pragma once
// How a premaster secret comes about in TLS 1.2, by the suite's key exchange (RFC 5246 7.4.3 and 7.4.7, RFC 8422 5.4
// and 5.7). The states know no more of it than what is here.

#include <expected>
#include <memory>
#include <optional>
#include <variant>

#include <lockstep/event.hpp>

#include "codec/client_hello.hpp"
#include "codec/client_key_exchange.hpp"
#include "codec/server_key_exchange.hpp"
#include "handshake/authentication12.hpp"
#include "handshake/finite_field.hpp"
#include "handshake/key_exchange.hpp"

namespace lockstep::handshake {

/// RSA: the client's secret travels to the server's key (RFC 5246 7.4.7.1). The server says nothing before.
struct KeyTransport {};

/// Whether a ServerKeyExchange belongs to the suite's handshake.
[[nodiscard]] bool has_server_key_exchange(const BoundSuite& suite) noexcept;

// --- the client's half ---

/// What the server has said.
struct ShownField {
  codec::SignedDhe message;
  FieldGroup group;  ///< that of its parameters
};
using ServerExchange = std::variant<KeyTransport, codec::SignedEcdhe, ShownField>;

/// Reads a ServerKeyExchange and checks that its parameters are among those that we offered.
[[nodiscard]] std::expected<ServerExchange, Error> read_server_exchange(
    Context& context, const codec::ServerKeyExchange& message) noexcept;
/// Who the server is: the signature over its parameters, or that it will show that it has read the secret.
[[nodiscard]] std::expected<Authenticated, Error> authenticate_server(Context& context, const PeerKey& key,
                                                                      const ServerExchange& exchange,
                                                                      const PeerVerified& accepted) noexcept;
/// Sends ClientKeyExchange and gives the keys that it leads to.
[[nodiscard]] std::expected<Derived12, Error> answer_exchange(Context& context, MessageLog& messages,
                                                              const PeerKey& key,
                                                              const ServerExchange& exchange) noexcept;

// --- the server's half ---

/// Our key pair, until the client's share comes.
struct EphemeralKey {
  KeyExchanges exchange;  ///< one
};
/// Whose key reads the client's secret.
struct OwnKey {
  std::shared_ptr<const Credential> credential;
  ProtocolVersion offered{};  ///< client_version of the ClientHello
};
using OwnExchange = std::variant<OwnKey, EphemeralKey, FieldKey>;

/// Our half for a suite, and the parameters that get signed; none for a suite without ServerKeyExchange.
struct OfferedExchange {
  OwnExchange own;
  Bytes parameters;
};
[[nodiscard]] std::expected<OfferedExchange, Error> offer_exchange(Context& context, const codec::ClientHello& hello,
                                                                   std::shared_ptr<const Credential> credential,
                                                                   const BoundGroup* group) noexcept;
/// The keys that a ClientKeyExchange leads to; nothing when the application is asked first.
[[nodiscard]] std::expected<std::optional<Derived12>, Error> take_exchange(
    Context& context, MessageLog& messages, OwnExchange& own, const codec::ClientKeyExchange& message) noexcept;
/// The same, once the application has read the secret. What it could not read is replaced by a random one, which leads
/// to other keys than the client's and to nothing else (RFC 5246 7.4.7.1).
[[nodiscard]] std::expected<Derived12, Error> take_decrypted(Context& context, const OwnExchange& own,
                                                             Bytes premaster) noexcept;

}  // namespace lockstep::handshake
