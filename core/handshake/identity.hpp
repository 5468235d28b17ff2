#pragma once
// Who the peer is and who we are, in every version: chains, schemes, verdicts, and the proofs that connecting demands.

#include <memory>
#include <optional>
#include <span>
#include <variant>

#include <lockstep/event.hpp>
#include <lockstep/types.hpp>

#include "codec/certificate.hpp"
#include "codec/certificate_verify.hpp"
#include "codec/finished.hpp"
#include "codec/lists.hpp"
#include "codec/server_hello.hpp"
#include "codec/server_key_exchange.hpp"
#include "handshake/context.hpp"
#include "handshake/inputs.hpp"

namespace lockstep::handshake {

class VerifiedPsk;
class VerifiedExternalPsk;
struct ExternalPsk;
struct Offer;
namespace client13 {
/// What a server has taken of what was offered; nothing for a full handshake.
using ChosenPsk = std::variant<std::monostate, VerifiedPsk, VerifiedExternalPsk>;
[[nodiscard]] std::expected<ChosenPsk, Error> chosen_psk(Context& context, const Offer& offer,
                                                         const codec::ServerHello& hello) noexcept;
}  // namespace client13
namespace server13 {
struct Negotiated;
[[nodiscard]] std::expected<VerifiedPsk, Error> verify_binder(Context& context, const Negotiated& negotiated,
                                                              std::uint16_t identity) noexcept;
[[nodiscard]] std::expected<VerifiedExternalPsk, Error> verify_binder(Context& context, const Negotiated& negotiated,
                                                                      const ExternalPsk& psk) noexcept;
}  // namespace server13
struct Derived12;
namespace client12 {
[[nodiscard]] std::optional<VerifiedPsk> resumed_session(Context& context, const Offer& offer,
                                                         const codec::ServerHello& hello) noexcept;
}
namespace server12 {
[[nodiscard]] VerifiedPsk resumed_session(Context& context) noexcept;
}

/// Of our Certificate: the message, its records with half as much again behind them, and for the smallest records what
/// protects each.
inline constexpr std::size_t kCopiesOfOurCertificate = 4;

/// The key in the peer's end-entity certificate.
struct PeerKey {
  Bytes subject_public_key_info;  ///< lives as long as the handshake
  KeyType type{};
  std::optional<SignatureAlgorithm> only_algorithm;  ///< of an id-RSASSA-PSS key with parameters
  bool may_encipher = true;                          ///< its certificate's key usage does not forbid it
};

/// Whether ECDSA signs with keys of this type in TLS 1.2, whatever the curve.
[[nodiscard]] constexpr bool is_nist_curve(KeyType type) noexcept {
  return type == KeyType::ec_p256 || type == KeyType::ec_p384 || type == KeyType::ec_p521;
}

/// The curve of a key for ECDSA, as TLS 1.2 names it.
[[nodiscard]] constexpr std::optional<NamedGroup> curve_of(KeyType type) noexcept {
  switch (type) {
    case KeyType::ec_p256: return NamedGroup::secp256r1;
    case KeyType::ec_p384: return NamedGroup::secp384r1;
    case KeyType::ec_p521: return NamedGroup::secp521r1;
    case KeyType::ec_brainpoolP256r1: return NamedGroup::brainpoolP256r1;
    case KeyType::ec_brainpoolP384r1: return NamedGroup::brainpoolP384r1;
    case KeyType::ec_brainpoolP512r1: return NamedGroup::brainpoolP512r1;
    default: return std::nullopt;
  }
}

/// Whether TLS 1.2 signs by this scheme.
[[nodiscard]] bool usable_scheme_in_tls12(SignatureScheme scheme) noexcept;

/// A signature of the peer's, by a scheme and a key that fit. Views that live as long as the handshake.
struct SignatureToCheck {
  SignatureScheme scheme{};
  const SignatureVerifier* verifier = nullptr;
  VerifyJob job;
  std::shared_ptr<const PreparedKey> prepared{};  ///< owns what `job` points to
};
[[nodiscard]] SignatureChecked check_in_place(const SignatureToCheck& signature) noexcept;

/// Where computations are handed out, the message that proves the peer's key is looked at before its turn, so that its
/// signature is checked while the peer's certificates are judged: in one call with theirs, for whoever does both. It
/// stays unread meanwhile. What is wrong with it, and what was found, is said in its turn.
struct LookAhead {
  bool done = false;  ///< the message is here, or something else
  std::optional<SignatureChecked> checked{};
};

/// What was found ahead; what was not checked yet is checked now.
[[nodiscard]] inline SignatureChecked found(const LookAhead& ahead, const SignatureToCheck& signature) noexcept {
  return ahead.checked ? *ahead.checked : check_in_place(signature);
}

/// Proof that the peer holds the key of a certificate that was accepted.
class VerifiedSignature {
 private:
  friend std::expected<VerifiedSignature, Error> conclude(Context&, const PeerVerified&, SignatureScheme,
                                                          const SignatureChecked&) noexcept;
  VerifiedSignature() noexcept = default;
};

/// Proof that the peer's Finished was verified: nobody has changed the handshake, and the peer has its keys.
class VerifiedFinished {
 private:
  friend std::expected<VerifiedFinished, Error> verify_finished(Context&, const DigestSecret&,
                                                                const codec::Finished&) noexcept;
  friend std::expected<VerifiedFinished, Error> verify_finished12(Context&, const Derived12&,
                                                                  const codec::Finished&) noexcept;
  VerifiedFinished() noexcept = default;
};

/// Proof that the peer holds the PSK of a session, as whoever its handshake authenticated: the server chose a PSK that
/// we offered, or the client's binder was verified. In TLS 1.2, that it goes on from a session is all there is before
/// its Finished, which nobody can make without the session's secret.
class VerifiedPsk {
 public:
  [[nodiscard]] const Session& session() const noexcept { return *session_; }

 private:
  friend std::expected<client13::ChosenPsk, Error> client13::chosen_psk(Context&, const Offer&,
                                                                        const codec::ServerHello&) noexcept;
  friend std::expected<VerifiedPsk, Error> server13::verify_binder(Context&, const server13::Negotiated&,
                                                                   std::uint16_t) noexcept;
  friend std::optional<VerifiedPsk> client12::resumed_session(Context&, const Offer&,
                                                              const codec::ServerHello&) noexcept;
  friend VerifiedPsk server12::resumed_session(Context&) noexcept;
  explicit VerifiedPsk(const Session& session) noexcept : session_(&session) {}
  const Session* session_;
};

/// Proof that the peer holds an external PSK, which says who it is: the server chose one that we offered, or the
/// client's binder was verified. As with a session's, nobody without the key can make a Finished.
class VerifiedExternalPsk {
 public:
  [[nodiscard]] const ExternalPsk& psk() const noexcept { return *psk_; }

 private:
  friend std::expected<client13::ChosenPsk, Error> client13::chosen_psk(Context&, const Offer&,
                                                                        const codec::ServerHello&) noexcept;
  friend std::expected<VerifiedExternalPsk, Error> server13::verify_binder(Context&, const server13::Negotiated&,
                                                                           const ExternalPsk&) noexcept;
  explicit VerifiedExternalPsk(const ExternalPsk& psk) noexcept : psk_(&psk) {}
  const ExternalPsk* psk_;
};

/// Why the peer is who it should be. Connecting demands one.
class Authenticated {
 public:
  static Authenticated by_signature(VerifiedSignature /*proof*/) noexcept { return Authenticated(); }
  static Authenticated by_psk(VerifiedPsk /*proof*/) noexcept { return Authenticated(); }
  static Authenticated by_psk(VerifiedExternalPsk /*proof*/) noexcept { return Authenticated(); }
  /// Client, TLS 1.2 with RSA key exchange: whoever can make the server's Finished has read the secret that was
  /// encrypted to the accepted certificate's key.
  static Authenticated by_decryption(const PeerVerified& /*proof*/) noexcept { return Authenticated(); }
  /// Client, TLS 1.2: whoever can make the server's Finished holds the pre-shared key.
  static Authenticated by_shared_key(const PskGiven& /*proof*/) noexcept { return Authenticated(); }
  /// Server: nothing, where no certificate is demanded.
  static std::optional<Authenticated> not_required(ClientAuth client_auth) noexcept {
    if (client_auth == ClientAuth::require) return std::nullopt;
    return Authenticated();
  }

 private:
  Authenticated() noexcept = default;
};

/// The answer that a configuration gives instead of the application: dangerous().skip_verification().
[[nodiscard]] std::optional<PeerVerified> verification_skipped(const Settings& settings) noexcept;

/// Keeps what the peer showed: fills context.peer_chain and gives the leaf's key. `chain` is not empty and lives as
/// long as the handshake.
[[nodiscard]] std::expected<PeerKey, Error> read_leaf(Context& context, std::span<const Bytes> chain) noexcept;

/// Whether a session that is resumed is to be judged again, and whether it has what that takes.
[[nodiscard]] bool verifies_on_resumption(const Settings& settings, const Session& session) noexcept;
[[nodiscard]] bool can_be_verified(const Settings& settings, const Session& session) noexcept;
/// What of a peer's list signs handshakes in TLS 1.3, or is not known here; PKCS#1 is for its certificates.
[[nodiscard]] std::expected<std::span<const SignatureScheme>, Error> keep_for_handshake(
    Context& context, const codec::CodePoints<SignatureScheme>& list) noexcept;
/// Suspends for a verdict on what the peer showed in this handshake.
void ask_about_peer(Context& context, Role peer);
/// Suspends for a verdict on what the peer showed when the session was made.
void ask_about_session(Context& context, const Session& session, Role peer);
/// What a session to come keeps of the peer: what it showed now, or in the session that was resumed.
[[nodiscard]] std::shared_ptr<const PeerCertificates> peer_to_keep(const Context& context);

/// A signature of the peer's over `content`, if it is by a scheme that we offered; `fits`: the version lets a key of
/// this type be used with it.
[[nodiscard]] std::expected<SignatureToCheck, Error> signature_to_check(Context& context, const PeerKey& key, bool fits,
                                                                        SignatureScheme algorithm, Bytes content,
                                                                        Bytes signature) noexcept;
/// What it proves, once it is checked and the certificate was accepted.
[[nodiscard]] std::expected<VerifiedSignature, Error> conclude(Context& context, const PeerVerified& accepted,
                                                               SignatureScheme scheme,
                                                               const SignatureChecked& checked) noexcept;

/// The first scheme of the credential that TLS 1.3 allows and that is shared: share_schemes() comes before.
[[nodiscard]] std::optional<SignatureScheme> choose_scheme(const Context& context,
                                                           const Credential& credential) noexcept;

/// Notes which of our schemes the peer verifies too, to tell the application.
[[nodiscard]] Status share_schemes(Context& context, std::span<const SignatureScheme> peer_schemes) noexcept;

/// A copy of a list of code points that lives as long as the handshake.
template <class CodePoint>
[[nodiscard]] std::expected<std::span<const CodePoint>, Error> keep(Context& context,
                                                                    const codec::CodePoints<CodePoint>& list) noexcept {
  const std::span<CodePoint> copy = context.arena.array<CodePoint>(list.size());
  if (copy.size() != list.size()) return context.fail(Reason::handshake_too_large);
  std::ranges::copy(list, copy.begin());
  return copy;
}

}  // namespace lockstep::handshake
