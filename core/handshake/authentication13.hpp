#pragma once
// Certificate, CertificateVerify and Finished of TLS 1.3 (RFC 9846 4.5), the same for both sides.

#include <memory>

#include "codec/certificate.hpp"
#include "codec/certificate_verify.hpp"
#include "codec/compressed_certificate.hpp"
#include "codec/finished.hpp"
#include "handshake/identity.hpp"

namespace lockstep::handshake {

/// What both shares lead to; the transcript holds everything up to ServerHello. `early` is empty without a pre-shared
/// key.
[[nodiscard]] std::expected<key_schedule::HandshakeSecrets, Error> derive_handshake_secrets(
    Context& context, std::optional<key_schedule::EarlySecret>&& early, Bytes shared_secret) noexcept;

/// Reads a non-empty chain: fills context.peer_chain and the leaf's staples, and gives the leaf's key.
[[nodiscard]] std::expected<PeerKey, Error> read_chain(Context& context, const codec::Certificate& message) noexcept;

/// The Certificate that came compressed (RFC 8879 4): views that live as long as the handshake.
[[nodiscard]] std::expected<codec::Certificate, Error> decompress(Context& context,
                                                                  const codec::CompressedCertificate& message) noexcept;
/// By which algorithms the peer may compress its Certificate: compress_certificate of our message to it.
[[nodiscard]] std::expected<std::span<const CertificateCompressionAlgorithm>, Error> decompressed_here(
    Context& context) noexcept;

/// The signature of a CertificateVerify, over the transcript so far.
[[nodiscard]] std::expected<SignatureToCheck, Error> read_signature(Context& context, const PeerKey& key, Role signer,
                                                                    const codec::CertificateVerify& message) noexcept;
/// Asks for it to be checked, unless there is something wrong with it: `body` is the peer's message, whose turn comes.
void look_at_proof(Context& context, const PeerKey& key, Bytes body);

/// Checks verify_data against the transcript so far.
[[nodiscard]] std::expected<VerifiedFinished, Error> verify_finished(Context& context, const DigestSecret& base_key,
                                                                     const codec::Finished& message) noexcept;

/// How the peer wants our certificate: with which staples beside it (RFC 9846 4.5.1.1), and by what it may be
/// compressed (RFC 8879 3).
struct CertificateWanted {
  bool ocsp_response = false;
  bool sct_list = false;
  std::optional<codec::CodePoints<CertificateCompressionAlgorithm>> compression{};
};

/// Null: an empty Certificate.
void send_certificate(Context& context, const Credential* credential, const CertificateWanted& wanted);
/// Suspends for a signature over the transcript so far.
void ask_signature(Context& context, std::shared_ptr<const Credential> credential, SignatureScheme scheme, Role signer);
void send_certificate_verify(Context& context, SignatureScheme scheme, Bytes signature) noexcept;
void send_finished(Context& context, const DigestSecret& base_key) noexcept;

}  // namespace lockstep::handshake
