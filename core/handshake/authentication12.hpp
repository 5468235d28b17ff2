#pragma once
// What both sides of TLS 1.2 do alike: the messages so far, keys from the premaster secret, signatures and Finished
// (RFC 5246 7.4 and 8.1, RFC 7627).

#include <array>
#include <cstddef>
#include <expected>
#include <memory>
#include <optional>

#include <lockstep/event.hpp>
#include <lockstep/types.hpp>

#include "codec/certificate12.hpp"
#include "codec/certificate_verify.hpp"
#include "codec/finished.hpp"
#include "codec/server_key_exchange.hpp"
#include "handshake/identity.hpp"
#include "handshake/key_exchange.hpp"
#include "key_schedule/tls12.hpp"

namespace lockstep::handshake {

using key_schedule::tls12::MasterSecret;

/// The handshake messages so far, whole: TLS 1.2 signs them, and not a digest that every scheme shares (RFC 5246
/// 7.4.8). Views, which live as long as the handshake.
class MessageLog {
 public:
  void add(Bytes message) noexcept {
    if (count_ < messages_.size()) messages_[count_++] = message;
  }
  /// All of them, one after the other.
  [[nodiscard]] std::expected<Bytes, Error> joined(Context& context) const noexcept;

 private:
  // Both hellos, the server's certificate, its status, key exchange, request and ServerHelloDone, the client's
  // certificate and key exchange.
  std::array<Bytes, 9> messages_{};
  std::size_t count_ = 0;
};

/// Notes the current message in the transcript and in the log.
void note_message(Context& context, MessageLog& messages) noexcept;
/// Sends a message and notes it as well.
template <class Encode>
void send_noted(Context& context, MessageLog& messages, std::size_t most, Encode encode) noexcept {
  messages.add(context.send(Level::initial, most, encode));
}

/// The keys of both directions, wiped when they die.
struct Derived12 {
  MasterSecret master;
  key_schedule::tls12::KeyBlock block;
};

/// The master secret of a full handshake; the transcript holds everything up to ClientKeyExchange. RFC 5246 8.1: "The
/// pre_master_secret should be deleted from memory once the master_secret has been computed." Whoever has it does.
[[nodiscard]] std::expected<Derived12, Error> derive_keys(Context& context, Bytes premaster) noexcept;
/// The keys of a handshake that resumes a session.
[[nodiscard]] std::expected<Derived12, Error> derive_keys(Context& context, MasterSecret&& master) noexcept;
/// Reports the master secret to a key log and keeps what outlives the handshake.
void keep_secrets(Context& context, Derived12&& derived) noexcept;

/// From here on, what we send goes under the new key: the transport says so with change_cipher_spec.
void change_write_key(Context& context, const Derived12& derived) noexcept;
/// The peer has said so.
void change_read_key(Context& context, const Derived12& derived) noexcept;

void send_finished12(Context& context, const Derived12& derived) noexcept;
[[nodiscard]] std::expected<VerifiedFinished, Error> verify_finished12(Context& context, const Derived12& derived,
                                                                       const codec::Finished& message) noexcept;

/// Null: an empty Certificate.
void send_certificate12(Context& context, MessageLog& messages, const Credential* credential) noexcept;
/// Keeps a chain that is not empty, and gives the leaf's key.
[[nodiscard]] std::expected<PeerKey, Error> read_chain12(Context& context,
                                                         const codec::Certificate12& message) noexcept;

/// What a signature of ServerKeyExchange covers (RFC 5246 7.4.3): both randoms and the parameters.
[[nodiscard]] std::expected<Bytes, Error> signed_parameters(Context& context, Bytes parameters) noexcept;
/// The signature of a ServerKeyExchange, or of a client's CertificateVerify.
[[nodiscard]] std::expected<SignatureToCheck, Error> read_signature12(Context& context, const PeerKey& key,
                                                                      const codec::DigitallySigned& signature,
                                                                      Bytes content) noexcept;
/// Keys on brainpool's curves. TLS 1.2 says ECDSA and a hash, and names the curve as a group (RFC 7027 2, RFC 5246
/// 7.4.1.4.1); RFC 8734 has names for TLS 1.3, by which the keys are known here.
struct BrainpoolScheme {
  SignatureScheme of_key;
  SignatureScheme named;  ///< in messages of TLS 1.2
  NamedGroup curve;
};
inline constexpr std::array kBrainpoolSchemes{
    BrainpoolScheme{SignatureScheme::ecdsa_brainpoolP256r1tls13_sha256, SignatureScheme::ecdsa_secp256r1_sha256,
                    NamedGroup::brainpoolP256r1},
    BrainpoolScheme{SignatureScheme::ecdsa_brainpoolP384r1tls13_sha384, SignatureScheme::ecdsa_secp384r1_sha384,
                    NamedGroup::brainpoolP384r1},
    BrainpoolScheme{SignatureScheme::ecdsa_brainpoolP512r1tls13_sha512, SignatureScheme::ecdsa_secp521r1_sha512,
                    NamedGroup::brainpoolP512r1}};

/// share_schemes() in TLS 1.2, where `usable` may have brainpool's.
[[nodiscard]] Status share_schemes12(Context& context, std::span<const SignatureScheme> usable) noexcept;

/// Suspends for a signature; `scheme` is the key's.
void ask_signature12(Context& context, std::shared_ptr<const Credential> credential, SignatureScheme scheme,
                     Bytes content);

/// The first scheme of the credential that TLS 1.2 allows and that is shared.
[[nodiscard]] std::optional<SignatureScheme> choose_scheme12(const Context& context,
                                                             const Credential& credential) noexcept;
/// What a key that signs by this scheme authenticates (RFC 8422 2).
[[nodiscard]] SuiteAuthentication authentication_of(SignatureScheme scheme) noexcept;
[[nodiscard]] SuiteAuthentication authentication_of(KeyType key) noexcept;
/// Whether a server with this key can use the suite.
[[nodiscard]] bool authenticates(const BoundSuite& suite, KeyType key) noexcept;

}  // namespace lockstep::handshake
