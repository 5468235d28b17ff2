#pragma once
// What a server chooses from a ClientHello: suite, group, application protocol.

#include <optional>

#include <lockstep/types.hpp>

#include "codec/client_hello.hpp"
#include "handshake/context.hpp"
#include "handshake/finite_field.hpp"

namespace lockstep::handshake {

/// The suite of TLS 1.3: the server's first that the client offers, or the other way round; of those with one hash
/// where a PSK demands it. Null when there is none in common.
[[nodiscard]] const BoundSuite* suite_in_common(const Context& context, const codec::ClientHello& hello,
                                                std::optional<HashAlgorithm> hash = {}) noexcept;
[[nodiscard]] std::expected<const BoundSuite*, Error> choose_suite(Context& context, const codec::ClientHello& hello,
                                                                   std::optional<HashAlgorithm> hash = {}) noexcept;

struct GroupChoice {
  const BoundGroup* group = nullptr;
  Bytes share;  ///< the client's; empty: it must be asked for one
};

/// The group: among those of which the client sent shares if possible, so that no round trip is spent.
[[nodiscard]] std::expected<GroupChoice, Error> choose_group(Context& context,
                                                             const codec::ClientHello& hello) noexcept;

/// TLS 1.2: the suite and the group for a server with such a key, or without any; null when there is none in common.
[[nodiscard]] const BoundSuite* choose_suite12(const Context& context, const codec::ClientHello& hello,
                                               std::optional<KeyType> key) noexcept;
[[nodiscard]] const BoundGroup* choose_group12(const Context& context, const codec::ClientHello& hello) noexcept;

/// Whether a group is one for ECDHE: finite fields are not, nor hybrids and ML-KEM, whose client and server do not the
/// same.
[[nodiscard]] bool usable_for_ecdhe(const BoundGroup& group) noexcept;

/// The group for DHE; nothing when DHE is not to be had with this client. Where there is a choice, the group is as
/// strong as the key that signs, if that is an RSA key of `key_bits`.
[[nodiscard]] std::optional<FieldGroup> choose_field_group(const Context& context, const codec::ClientHello& hello,
                                                           std::size_t key_bits = 0) noexcept;
/// Whether a client lists groups of finite fields, known here or not.
[[nodiscard]] bool lists_finite_fields(const codec::ClientHello& hello) noexcept;

/// Whether a group is one of TLS 1.3, which has other names for brainpool's curves.
[[nodiscard]] bool usable_in_tls13(NamedGroup group) noexcept;

/// The application protocols that a client offers; they live as long as the handshake.
[[nodiscard]] std::span<const std::string_view> offered_protocols(Context& context,
                                                                  const codec::ClientHello& hello) noexcept;

/// Suspends for a server's credential. Lists live as long as the handshake.
void ask_server_credential(Context& context, const codec::ClientHello& hello, std::span<const SignatureScheme> schemes,
                           std::span<const SignatureScheme> schemes_cert) noexcept;

/// Sets context.agreed.alpn. Without a common protocol it fails (RFC 7301 3.2).
[[nodiscard]] Status choose_alpn(Context& context, const codec::ClientHello& hello) noexcept;

}  // namespace lockstep::handshake
