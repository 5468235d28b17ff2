#pragma once
// How a premaster secret comes about in TLS 1.2, by the suite's key exchange (RFC 5246 7.4.3 and 7.4.7, RFC 8422 5.4
// and 5.7, RFC 4279, RFC 5489). The states know no more of it than what is here.

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

/// PSK: nothing but the pre-shared key goes into the secret (RFC 4279 2).
struct PskAlone {
  Bytes identity_hint;
};
/// RSA_PSK: what travels to the server's key, and a pre-shared key beside it (RFC 4279 4).
struct PskTransport {
  Bytes identity_hint;
  Bytes identity{};    ///< of the key that the application chose
  MutableBytes key{};  ///< in the handshake's memory; wiped once it is used
};

/// Whether the suite's handshake has no certificate of either side: a pre-shared key is all.
[[nodiscard]] bool authenticates_by_psk(const BoundSuite& suite) noexcept;
/// Whether a pre-shared key goes into the suite's secret.
[[nodiscard]] bool uses_psk(const BoundSuite& suite) noexcept;
/// Whether the suite's exchange is one over a group.
[[nodiscard]] bool uses_group(const BoundSuite& suite) noexcept;
/// Whether it is one over a finite field.
[[nodiscard]] bool uses_field(const BoundSuite& suite) noexcept;
/// Whether a ServerKeyExchange belongs to the suite's handshake. With PSK and RSA_PSK it is there for an identity hint
/// alone: "If no hint is provided, the ServerKeyExchange message is omitted." (RFC 4279 2)
[[nodiscard]] bool has_server_key_exchange(const BoundSuite& suite) noexcept;

// --- the client's half ---

struct ShownField {
  codec::SignedDhe message;
  FieldGroup group;  ///< that of its parameters
};
/// What a server with a certificate has said.
using ServerExchange = std::variant<KeyTransport, codec::SignedEcdhe, ShownField, PskTransport>;
/// What a server without one has said.
struct ShownPskField {
  codec::PskDhe message;
  FieldGroup group;
};
using PskServerExchange = std::variant<PskAlone, codec::PskEcdhe, ShownPskField>;

/// Reads a ServerKeyExchange and checks that its parameters are among those that we offered.
[[nodiscard]] std::expected<ServerExchange, Error> read_server_exchange(
    Context& context, const codec::ServerKeyExchange& message) noexcept;
[[nodiscard]] std::expected<PskServerExchange, Error> read_psk_server_exchange(
    Context& context, const codec::ServerKeyExchange& message) noexcept;
/// What the server says to help in choosing a key; empty: nothing.
[[nodiscard]] Bytes identity_hint(const PskServerExchange& exchange) noexcept;
/// Whether a key that the application has given is as long as the profile demands.
[[nodiscard]] Status check_strength(const Context& context, const PskGiven& given) noexcept;
/// Keeps the key that was chosen until the secret is made of it.
[[nodiscard]] Status keep_psk(Context& context, PskTransport& exchange, const PskGiven& chosen) noexcept;
/// The server's signature over its parameters; nothing with a key exchange in which it will show that it has read the
/// secret.
[[nodiscard]] std::expected<std::optional<SignatureToCheck>, Error> server_signature(
    Context& context, const PeerKey& key, const ServerExchange& exchange) noexcept;
/// The point of a server whose secret is made over a group; else null.
[[nodiscard]] const codec::ServerEcdhParams* group_exchange(const ServerExchange& exchange) noexcept;
/// Sends a ClientKeyExchange over a group, and gives the keys that it leads to.
[[nodiscard]] std::expected<Derived12, Error> answer_in_group(Context& context, MessageLog& messages, NamedGroup group,
                                                              const SecretMade& made) noexcept;
/// Sends any other ClientKeyExchange and gives the keys that it leads to.
[[nodiscard]] std::expected<Derived12, Error> answer_exchange(Context& context, MessageLog& messages,
                                                              const PeerKey& key,
                                                              const ServerExchange& exchange) noexcept;
[[nodiscard]] std::expected<Derived12, Error> answer_psk_exchange(Context& context, MessageLog& messages,
                                                                  const PskServerExchange& exchange,
                                                                  const PskGiven& chosen) noexcept;

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
/// PSK: a pre-shared key is all that the secret is made of.
struct NoKey {};
using OwnExchange = std::variant<OwnKey, EphemeralKey, FieldKey, NoKey>;

/// Our half for a suite, and the parameters that get signed; none for a suite without ServerKeyExchange.
struct OfferedExchange {
  OwnExchange own;
  Bytes parameters;
};
/// Whether that half is a key pair of a group beside a certificate, which may be made elsewhere.
[[nodiscard]] bool offers_group(const BoundSuite& suite) noexcept;
/// The half that a key pair of a group is.
[[nodiscard]] std::expected<OfferedExchange, Error> offer_key_pair(Context& context, const SharesMade& made) noexcept;
[[nodiscard]] std::expected<OfferedExchange, Error> offer_exchange(Context& context, const codec::ClientHello& hello,
                                                                   std::shared_ptr<const Credential> credential,
                                                                   const BoundGroup* group) noexcept;
/// The ServerKeyExchange of a suite without a certificate, or of RSA_PSK, where there is one to send.
void send_psk_server_exchange(Context& context, MessageLog& messages, Bytes parameters) noexcept;
/// Our key pair, and the client's point for it; nothing with any other exchange.
struct PointForKey {
  KeyExchange* key = nullptr;
  Bytes point;
};
[[nodiscard]] std::expected<std::optional<PointForKey>, Error> read_point(
    Context& context, OwnExchange& own, const codec::ClientKeyExchange& message) noexcept;
/// The keys that the secret leads to which was made of them.
[[nodiscard]] std::expected<Derived12, Error> take_secret(Context& context, MessageLog& messages, NamedGroup group,
                                                          const SecretMade& made) noexcept;
/// The keys that any other ClientKeyExchange leads to; nothing when the application is asked first.
[[nodiscard]] std::expected<std::optional<Derived12>, Error> take_exchange(
    Context& context, MessageLog& messages, OwnExchange& own, const codec::ClientKeyExchange& message) noexcept;
/// The same, once the application has read the secret. What it could not read is replaced by a random one, which leads
/// to other keys than the client's and to nothing else (RFC 5246 7.4.7.1).
[[nodiscard]] std::expected<Derived12, Error> take_decrypted(Context& context, const OwnExchange& own,
                                                             Bytes premaster) noexcept;

// The same with a pre-shared key in the secret.

[[nodiscard]] std::expected<codec::PskExchange, Error> read_psk_exchange(
    Context& context, const codec::ClientKeyExchange& message) noexcept;
/// `exchange` is what stood behind the identity.
[[nodiscard]] std::expected<std::optional<Derived12>, Error> take_psk_exchange(Context& context, OwnExchange& own,
                                                                               Bytes exchange, Bytes psk) noexcept;
[[nodiscard]] std::expected<Derived12, Error> take_psk_decrypted(Context& context, const OwnExchange& own,
                                                                 Bytes premaster, Bytes psk) noexcept;

}  // namespace lockstep::handshake
