#pragma once
// What an engine tells its caller: one event per call, in causal order. Decisions that belong to the application are
// events too: each carries a token, and the handshake waits until the token comes back with an answer, at once or much
// later, from the same code path.

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <lockstep/bytes.hpp>
#include <lockstep/computation.hpp>
#include <lockstep/error.hpp>
#include <lockstep/export.hpp>
#include <lockstep/provider.hpp>
#include <lockstep/session.hpp>
#include <lockstep/time.hpp>
#include <lockstep/types.hpp>
#include <lockstep/x509_certificate.hpp>
#include <lockstep/x509_name.hpp>

namespace lockstep {

class Connection;
class ServerConfig;

/// Wakes whoever drives a connection when one of its tokens is dropped elsewhere: `Connection::wake_by`. `wake` is
/// called from the thread that drops the token, which may be any, and may do no more than post to a loop or write to an
/// eventfd: the loop then calls `receive`.
class LOCKSTEP_API TokenWaker {
 public:
  virtual ~TokenWaker() = default;
  virtual void wake() noexcept = 0;
};

namespace detail {

/// Shared by a handshake and its tokens, so that a token that is dropped in another place is noticed.
struct TokenControl {
  std::atomic<std::uint32_t> references{1};
  std::atomic<std::uint32_t> dropped{0};  ///< a bit for each dropped token: its serial modulo 32
  std::shared_ptr<TokenWaker> waker;      ///< may be null
};
LOCKSTEP_API void release(TokenControl* control) noexcept;
/// Marks a token as dropped, wakes and releases.
LOCKSTEP_API void drop(TokenControl* control, std::uint32_t serial) noexcept;

}  // namespace detail

/// The right to answer one suspended operation, once. Move-only. Dropping it fails the handshake with
/// `Reason::token_dropped`, so that no handshake waits for an answer that cannot come; the next `receive` or `transmit`
/// notices, and a `TokenWaker` says when to call it. Dropping the token of `SealTicket` costs the ticket alone. It may
/// be kept in any thread and may outlive its connection.
template <class Operation>
class Token {
 public:
  Token() noexcept = default;
  Token(Token&& other) noexcept
      : control_(std::exchange(other.control_, nullptr)), serial_(std::exchange(other.serial_, 0)) {}
  Token& operator=(Token&& other) noexcept {
    if (this != &other) {
      drop();
      control_ = std::exchange(other.control_, nullptr);
      serial_ = std::exchange(other.serial_, 0);
    }
    return *this;
  }
  Token(const Token&) = delete;
  Token& operator=(const Token&) = delete;
  ~Token() { drop(); }

  /// Whether an answer is still due.
  explicit operator bool() const noexcept { return control_ != nullptr; }

 private:
  friend class Connection;
  friend struct TokenAccess;
  Token(detail::TokenControl* control, std::uint32_t serial) noexcept : control_(control), serial_(serial) {
    control_->references.fetch_add(1, std::memory_order_relaxed);
  }
  void drop() noexcept {
    if (control_ != nullptr) detail::drop(std::exchange(control_, nullptr), serial_);
  }

  detail::TokenControl* control_ = nullptr;
  std::uint32_t serial_ = 0;
};

/// A certificate chain with what its key can do. Shared and immutable; the engine never sees the key itself.
struct Credential {
  std::vector<std::vector<std::uint8_t>> chain;  ///< DER, leaf first; the anchor may be left out
  std::vector<SignatureScheme> schemes;          ///< what the key may sign with, in order of preference
  std::shared_ptr<const SigningKey> key;         ///< for whoever answers `Sign`; may be null when it knows better
  /// An OCSPResponse (RFC 6960 4.2.1, DER) about the leaf, stapled to it for a peer that asks for one (RFC 9846
  /// 4.5.1.1). Empty: none. It goes out as it is: that it is current is for whoever made the credential.
  std::vector<std::uint8_t> ocsp_response{};
  /// A SignedCertificateTimestampList (RFC 6962 3.3) for the leaf, with its length in front, as it stands in the
  /// extension; for a peer that asks for one. Empty: none.
  std::vector<std::uint8_t> sct_list{};
};

/// Whether a credential's staples can be sent: `sct_list` is well formed (not empty, no SCT of it empty), and both
/// together fit beside one certificate (about 65,500 bytes). An answer with a credential that fails this is
/// `Misuse::invalid_answer`.
[[nodiscard]] LOCKSTEP_API bool staples_well_formed(const Credential& credential) noexcept;

/// The bytes of the Certificate message (RFC 9846 4.5.1) that shows a credential with its staples: what peers hold
/// against their `max_handshake_message`. An answer with a credential that needs more than the 2^24 - 1 bytes of a
/// message (RFC 9846 4) is `Misuse::invalid_answer`.
[[nodiscard]] LOCKSTEP_API std::size_t certificate_message_size(const Credential& credential) noexcept;

// --- suspended operations --------------------------------------------------------------------------------------
// Each has what the application has attached to its connection (`Connection::attach`), or null.
//
// Views in these events live until their token is answered or the connection ends, which another thread cannot see:
// what goes there owns its bytes. `Sign`, `Compute`, `VerifyPeer` and `SealTicket` do, and may be moved anywhere.

/// An extension that a server wants in the certificate of its client (RFC 9846 4.3.5), in DER. The engine matches
/// nothing: that is for whoever selects the credential.
///
/// RFC 9846 4.3.5: "If the server has included a non-empty filters list, the client certificate included in the
/// response MUST contain all of the specified extension OIDs that the client recognizes. For each extension OID
/// recognized by the client, all of the specified values MUST be present in the client certificate (but the certificate
/// MAY have other values as well). However, the client MUST ignore and skip any unrecognized certificate extension
/// OIDs."
///
/// Key Usage matches "when all key usage bits asserted in the request are also asserted" in the certificate, Extended
/// Key Usage "when all key purpose OIDs present in the request are also found" there.
struct OidFilter {
  Bytes oid;     ///< certificate_extension_oid; not empty
  Bytes values;  ///< certificate_extension_values; may be empty
};

/// Which certificate to show. A server is asked once per full handshake, a client when the server requests one.
/// Answer with a credential, or with `NoCredential` (a server then fails, a client goes on without).
struct SelectCredential {
  Token<SelectCredential> token;
  Role role{};                                       ///< whose certificate: ours
  std::string_view server_name;                      ///< what the client asked for (SNI), empty when it did not
  std::span<const SignatureScheme> schemes;          ///< what the peer verifies in the handshake
  std::span<const SignatureScheme> schemes_cert;     ///< what it verifies in certificates
  std::span<const Bytes> certificate_authorities;    ///< distinguished names (DER) that the peer trusts; often empty
  std::string_view alpn;                             ///< the protocol agreed, empty for none
  Bytes ec_point_formats;                            ///< server: as the client sent them; often empty
  bool ocsp_requested = false;                       ///< the peer asks for `Credential::ocsp_response`
  bool scts_requested = false;                       ///< the peer asks for `Credential::sct_list`
  std::span<const std::string_view> alpn_offered{};  ///< server: all that the client offers, in its order
  std::span<const OidFilter> oid_filters{};          ///< client: what the server asks of the certificate; often empty
  Bytes certificate_types{};  ///< client, TLS 1.2: ClientCertificateType (RFC 5246 7.4.4), as the server sent them
  std::shared_ptr<void> attachment{};  ///< as `Connection::attach`
};
struct NoCredential {};

/// Server: a client says hello, and nothing is settled yet, the version included. Only where the configuration asks
/// (`ConfigBuilder::select_config`), once per connection: the second ClientHello behind a HelloRetryRequest, and that
/// of a renegotiation, go by the answer to the first. Answer with `ConfigSelected`, now or later, or with
/// `ClientHelloRefused`.
struct SelectConfig {
  Token<SelectConfig> token;
  /// The whole ClientHello message (RFC 9846 4.2.2), with its header. It is well formed: `ClientHelloInfo::read` says
  /// everything that is in it. Nobody has authenticated it.
  Bytes client_hello;
  std::string_view server_name;              ///< what the client asks for (SNI); empty: nothing
  std::span<const std::string_view> alpn{};  ///< the protocols that it offers, in its order
  Time now{};
  std::shared_ptr<void> attachment{};  ///< as `Connection::attach`
};
/// How the connection goes on.
struct ConfigSelected {
  /// The configuration from here on, in place of the one that the connection was made with, which may be let go. Null:
  /// that one. What was settled before any byte came stays: the memory of the handshake, and the random source.
  std::shared_ptr<const ServerConfig> config{};
  /// The application protocol (RFC 7301), which has to be one that the client offers and one of the configuration's
  /// `alpn`; empty: none is agreed on. Nothing: chosen by the configuration's order.
  std::optional<std::string_view> alpn{};
  /// What the application verifies clients by from here on, where that is something else than when the connection was
  /// made (`ServerOptions::verification`).
  std::optional<SessionContext> verification{};
  /// TLS 1.2: warns the client that its name is not known (unrecognized_name), and goes on. RFC 6066 3: "If the server
  /// understood the ClientHello extension but does not recognize the server name, the server SHOULD take one of two
  /// actions: either abort the handshake by sending a fatal-level unrecognized_name(112) alert or continue the
  /// handshake. It is NOT RECOMMENDED to send a warning-level unrecognized_name(112) alert, because the client's
  /// behavior in response to warning-level alerts is unpredictable." In TLS 1.3 nothing is sent.
  bool warn_unrecognized_name = false;
};
/// The handshake ends with this alert: unrecognized_name, no_application_protocol, access_denied.
struct ClientHelloRefused {
  Alert alert = Alert::handshake_failure;  ///< an error alert: not close_notify, user_canceled or no_renegotiation
};

/// Sign `message` with the credential's key.
struct Sign {
  Token<Sign> token;
  SignatureScheme scheme{};
  std::shared_ptr<const Credential> credential;
  std::vector<std::uint8_t> message;   ///< all of it, not a digest (RFC 9846 4.5.2)
  std::shared_ptr<void> attachment{};  ///< as `Connection::attach`
};
struct SigningFailed {};

/// Server, TLS 1.2 with RSA key exchange (opt-in): read the client's secret with the credential's key:
/// `SigningKey::decrypt`. Answer with what it gave, or `DecryptionFailed`; the handshake goes on alike either way, and
/// ends where the client's Finished is read, so that nobody learns which it was (Bleichenbacher; RFC 5246 7.4.7.1).
struct Decrypt {
  Token<Decrypt> token;
  std::shared_ptr<const Credential> credential;
  std::vector<std::uint8_t> ciphertext;
  std::shared_ptr<void> attachment{};  ///< as `Connection::attach`
};
struct DecryptionFailed {};

/// Run `job`, here and now or together with others (lockstep/computation.hpp), and answer with all of this; a job that
/// was not run is run by the answer. Only where the configuration hands out what the engine else does itself
/// (`ConfigBuilder::hand_out_computations`).
struct Compute {
  Token<Compute> token;
  ComputationJob job;
  std::shared_ptr<void> attachment{};  ///< as `Connection::attach`
};

// A pre-shared key is found by its identity, which is sent in the open. The client says which it uses, the server looks
// it up. In TLS 1.2 (RFC 4279, RFC 5489; opt-in, by suites that are named), the suite is settled before; in TLS 1.3
// (RFC 9846 4.3.11; opt-in, `ConfigBuilder::external_psks`), the key's hash settles the suite.
//
// Whoever records a handshake can try keys on it, for as long as he likes: a key has to come from a random source, and
// is no password. RFC 9257 6: "Each PSK SHOULD be derived from at least 128 bits of entropy, MUST be at least 128 bits
// long". One that two machines share proves no more than that the other is one of the two, so each needs one of its own
// for each role, or an identity or context that names the roles (the Selfie attack). None should serve both versions:
// it may be imported for TLS 1.3 alone.

/// The longest identity of a pre-shared key that is sent or read, in bytes. RFC 4279 5.3: "TLS implementations
/// supporting these ciphersuites MUST support arbitrary PSK identities up to 128 octets in length, and arbitrary PSKs
/// up to 64 octets in length. Supporting longer identities and keys is RECOMMENDED." As long as OpenSSL's.
inline constexpr std::size_t kMaxPskIdentity = 256;
/// The longest pre-shared key, in bytes. As long as OpenSSL's.
inline constexpr std::size_t kMaxPskSize = 512;
/// The shortest in TLS 1.3, in bytes (`psk_weak`): RFC 9257 6, above.
inline constexpr std::size_t kMinPskSize13 = 16;
/// The longest context of an imported pre-shared key, in bytes: room for both names and a channel binding.
inline constexpr std::size_t kMaxPskContext = 512;
/// The most pre-shared keys that a client offers at once. Servers try few.
inline constexpr std::size_t kMaxPsksOffered = 8;

/// Client: which pre-shared key to use. Answer with `PskChosen`, or `NoPsk`, which fails the handshake, in TLS 1.3 only
/// with `ExternalPsks::require`. In TLS 1.3 it comes before the ClientHello is sent, which it is answered for, so that
/// `receive` has to be called first; several keys may be the answer, best first, at most `kMaxPsksOffered`.
struct SelectPsk {
  Token<SelectPsk> token;
  ProtocolVersion version{};     ///< whose handshake asks
  std::string_view server_name;  ///< as it was asked for (SNI); empty: none
  /// What the server says to help, which nobody has authenticated; often empty. RFC 4279 5.2: "In the absence of an
  /// application profile specification specifying otherwise, servers SHOULD NOT provide an identity hint and clients
  /// MUST ignore the identity hint field."
  Bytes identity_hint;
  std::shared_ptr<void> attachment{};  ///< as `Connection::attach`
};
/// Copied.
struct PskChosen {
  Bytes identity;  ///< UTF-8 by RFC 4279 5.1; at most kMaxPskIdentity bytes, and in the open on the wire
  Bytes key;       ///< 1 to kMaxPskSize bytes; wipe it afterwards

  // TLS 1.3; what goes with the key at both ends. The identity is not empty there.

  /// The key's. One that is not imported is offered for suites of this hash.
  HashAlgorithm hash = HashAlgorithm::sha256;
  /// Import it (RFC 9258): what is offered is a key made of it for each hash of our suites.
  bool import = false;
  /// ImportedIdentity.context, in the open: who the two are, and in which role. At most kMaxPskContext bytes.
  Bytes context{};
};
struct NoPsk {};

/// Server: a client names a pre-shared key. Answer with `PskFound`, or `PskUnknown`. Nobody has proved yet that the
/// client holds the key: that is found out behind the answer. In TLS 1.3 the question comes for one identity after the
/// other, before the suite is chosen, until one is known; tickets may be among them, as far as they are as short as
/// identities are, and what the server does not have a suite for is not asked about.
struct FindPsk {
  Token<FindPsk> token;
  ProtocolVersion version{};           ///< whose handshake asks
  std::string_view server_name;        ///< what the client asked for (SNI); empty: nothing
  Bytes identity;                      ///< as the client sent it; it may be empty; of an imported key, the external one
  bool imported = false;               ///< TLS 1.3: what the client sent is an ImportedIdentity (RFC 9258 5.1)
  Bytes context{};                     ///< its context, which the application has to find right
  std::shared_ptr<void> attachment{};  ///< as `Connection::attach`
};
/// Copied.
struct PskFound {
  Bytes key;  ///< 1 to kMaxPskSize bytes; wipe it afterwards; of an imported one, that which was imported
  /// Who the client is, for `HandshakeComplete::peer_identity` and for the sessions of this connection, as long as
  /// `PeerAccepted::identity` may be. Empty: the identity that it sent.
  Bytes peer_identity{};
  HashAlgorithm hash = HashAlgorithm::sha256;  ///< TLS 1.3: the key's, as `PskChosen::hash`
};
/// TLS 1.2: the handshake fails with unknown_psk_identity, or at the client's Finished as with a wrong key:
/// `ConfigBuilder::tell_unknown_psk`. TLS 1.3: the next identity is asked about; without any, the server shows a
/// certificate, where `ExternalPsks` allows that.
struct PskUnknown {};

/// Judge the peer's certificates. Answer `PeerAccepted` only when the chain was validated for `name` (or when the
/// application has another way of knowing its peer); `PeerRejected` otherwise.
///
/// The engine has checked the form of what is stapled, and nothing else: an OCSP response's own signature, times and
/// status, and the signatures of SCTs, are for whoever answers. RFC 6066 8: "Clients requesting an OCSP response and
/// receiving an OCSP response [...] MUST check the OCSP response and abort the handshake if the response is not
/// satisfactory": `PeerRejected{Reason::certificate_status}`.
struct VerifyPeer {
  Token<VerifyPeer> token;
  Role peer{};                                    ///< the role of the one who is judged
  std::shared_ptr<const PeerCertificates> shown;  ///< its chain, never empty, and the staples that were asked for
  x509::PeerName name = x509::NoNameCheck{};      ///< whom the client expects; nobody in particular for a server
  Time now{};
  /// What it does with its key: it signs, but for a server with RSA key exchange (`x509::VerifyRequest::use`).
  x509::KeyUsage use = x509::KeyUsage::digital_signature;
  bool resumed = false;  ///< it was shown when the session was made that is resumed now (verify_on_resumption)
  std::shared_ptr<void> attachment{};  ///< as `Connection::attach`
};
/// Who the peer is, for `HandshakeComplete` and for the sessions of this connection; copied.
struct PeerAccepted {
  /// Whatever tells the application who it is, as long as a certificate may be: below 2^24 bytes; empty: nothing is
  /// told. A server's tickets grow by it, and there are none with more than 65535 bytes.
  Bytes identity{};
  /// The earliest end of a certificate on the path: no session of this connection is resumed after it.
  Time expires = Time::max();
  /// Why the peer is not verified, where it is accepted all the same: it holds the key of what it showed, and nobody
  /// says whose that is. The connection tells it (`Connection::unverified`), its sessions remember it, and wherever one
  /// is resumed `VerifyPeer` comes again. Another reason than a certificate_* one is no answer.
  Unverified unverified{};
};
struct PeerRejected {
  Reason reason = Reason::certificate_rejected;  ///< one of the certificate_* reasons; `none` is no answer
  std::uint16_t detail = 0;                      ///< e.g. the x509::Code, for the error's text
  /// What the peer is told, in place of the reason's own; an error alert: not close_notify, user_canceled or
  /// no_renegotiation.
  std::optional<Alert> alert{};
};
/// Either.
using PeerDecision = std::variant<PeerAccepted, PeerRejected>;

/// Server: a client offers a ticket, or in TLS 1.2 the id of a session that the server has stored. Answer with the
/// session that was sealed in the ticket or stored under the id, or `TicketDeclined`. Nobody has
/// proved yet that the client may use it: that is found out behind the answer.
struct OpenTicket {
  Token<OpenTicket> token;
  Bytes ticket;
  std::uint32_t obfuscated_ticket_age = 0;  ///< as the client sent it: `Session::stated_age` makes sense of it
  Time now{};                               ///< what the ages of tickets are judged by
  bool session_id = false;                  ///< `ticket` is a session's id: `ConfigBuilder::session_ids`
  /// The whole ClientHello message, with its header, as `SelectConfig` has it, for whoever resumes only what it fits:
  /// `ClientHelloInfo::read`.
  Bytes client_hello{};
  std::shared_ptr<void> attachment{};  ///< as `Connection::attach`
};
struct TicketDeclined {};

/// Server: a client that has proved to hold a ticket's session sends early data along, which everything else allows:
/// the session, the age that the client states and what was agreed. Answer `EarlyDataAccepted` only when the
/// application bears a replay, or has seen to it that this ticket comes for the first time (RFC 9846 8);
/// `EarlyDataDeclined` otherwise, and the session is resumed without.
struct AcceptEarlyData {
  Token<AcceptEarlyData> token;
  Bytes ticket;
  const Session* session = nullptr;
  Time now{};
  std::chrono::seconds age_tolerance{};  ///< how far off the stated age may be, either way
  std::shared_ptr<void> attachment{};    ///< as `Connection::attach`
};
struct EarlyDataAccepted {};
struct EarlyDataDeclined {};

/// Server: turn a session into a ticket (seal it, or store it and answer with its name). `TicketDeclined` sends none.
/// A session that has a `session_id` (TLS 1.2) gets no ticket: store it under that id, and answer with the id. It has
/// to be removed from there when a connection of this session fails (RFC 5246 7.2.2). The application may put bytes of
/// its own into `application_data` first. The connection stands, and goes on meanwhile; `close` ends the question.
struct SealTicket {
  Token<SealTicket> token;
  Session session;
  std::shared_ptr<void> attachment{};  ///< as `Connection::attach`
};

// --- facts -----------------------------------------------------------------------------------------------------

/// Nothing to tell: everything that could be done with the input has been done, or an answer is awaited.
struct Nothing {};

/// Decrypted application data: views into the inbound buffer of the call, alive until the next call.
class ApplicationData {
 public:
  static constexpr std::size_t kMaxSegments = 16;
  [[nodiscard]] std::span<const MutableBytes> segments() const noexcept { return {segments_.data(), count_}; }
  /// The sum of the segments' sizes.
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] bool full() const noexcept { return count_ == kMaxSegments; }
  void append(MutableBytes segment) noexcept {
    segments_[count_++] = segment;
    size_ += segment.size();
  }

 private:
  std::array<MutableBytes, kMaxSegments> segments_{};
  std::size_t count_ = 0;
  std::size_t size_ = 0;
};

/// Server: early data (0-RTT). It comes before `HandshakeComplete`, and so before the client has proved that it is
/// there now: what was recorded of another connection can come again. Views as those of `ApplicationData`. Answers to
/// it may be sealed at once.
class EarlyData : public ApplicationData {};

/// What became of early data.
enum class EarlyDataStatus : std::uint8_t {
  none,             ///< the client offered none
  accepted,         ///< what was sent early has arrived
  disabled,         ///< server: the configuration takes none
  declined,         ///< server: the application did not take it; client: the server did not, and gave no reason
  not_resumed,      ///< the session that it was for was not resumed
  retried,          ///< the handshake took a HelloRetryRequest
  not_for_session,  ///< server: the session allows none, or was for another suite
  other_alpn,       ///< server: the session was for another application protocol
  age_implausible,  ///< server: the age that the client states for its ticket is not the one seen here
};
[[nodiscard]] LOCKSTEP_API std::string_view name(EarlyDataStatus) noexcept;

/// The handshake is complete: both sides are authenticated as the configuration demands. Views live until the next
/// call. It comes again whenever the connection was renegotiated (`ConfigBuilder::renegotiation`): from then on all
/// that `Connection` says of what was agreed, and what it exports, is of the new handshake.
struct HandshakeComplete {
  bool resumed = false;
  std::string_view server_name;       ///< server: what the client asked for
  std::span<const Bytes> peer_chain;  ///< what the peer showed in this handshake; empty when resumed or anonymous
  Bytes own_finished;                 ///< verify_data of the Finished messages (RFC 9846 4.5.3)
  Bytes peer_finished;
  /// What the peer verifies and we may sign with, in our order; empty where the peer did not say.
  std::span<const SignatureScheme> shared_schemes;
  Bytes ocsp_response{};  ///< stapled to the peer's leaf in this handshake; else empty
  Bytes sct_list{};       ///< beside the peer's leaf in this handshake; else empty
  /// Client: unless it was accepted, what was sent early is lost, and may be sent again as usual data.
  EarlyDataStatus early_data{};
  /// Who the peer is, as `PeerAccepted` or `PskFound` said in this handshake, or in the one that made the session which
  /// is resumed. A client with an external PSK of TLS 1.3: the identity of the one that the server has chosen.
  Bytes peer_identity{};
  Bytes application_data{};    ///< of the session that is resumed; else empty
  bool renegotiation = false;  ///< it was not the first one of this connection
  bool external_psk = false;   ///< TLS 1.3: a pre-shared key has proved who both are, in place of certificates
  Bytes client_random{};       ///< 32 bytes each
  Bytes server_random{};
  bool peer_verified = false;  ///< as `Connection::peer_verified`
  Unverified unverified{};     ///< as `Connection::unverified`
  /// How the peer's Certificate came in this handshake, and how ours went (RFC 8879); nothing: as it is, or none did.
  std::optional<CertificateCompressionAlgorithm> peer_compression{};
  std::optional<CertificateCompressionAlgorithm> own_compression{};
};

/// Client: the server sent a ticket. Store the session and offer it next time (once: RFC 9846 C.4).
struct SessionReceived {
  Session session;
};

/// The peer has finished sending (close_notify). What we send still reaches it.
struct PeerClosed {};

/// The peer changed its sending key (RFC 9846 4.7.3).
struct PeerKeyUpdated {};

/// The peer does not want what `Connection::renegotiate` has asked for (no_renegotiation, RFC 5246 7.2.2). The
/// connection goes on as it was.
struct RenegotiationRefused {};

/// One line of a key log, only when the configuration asks for it. Views live until the next call.
struct SecretLogged {
  std::string_view label;  ///< e.g. "CLIENT_TRAFFIC_SECRET_0"
  Bytes client_random;
  Bytes secret;
};

/// Which way bytes go, seen from us. The numbers are on tapes (docs/tape.md) and stay.
enum class Direction : std::uint8_t { send, receive };

/// The keys of one direction, for something else to protect its records with: after `Connection::offload`, and again
/// whenever they change. Wiped when it dies.
struct LOCKSTEP_API TrafficKeys {
  Direction direction{};
  CipherSuite suite{};
  ProtocolVersion version = ProtocolVersion::tls_1_3;  ///< whose records they protect
  AeadAlgorithm aead{};
  std::array<std::uint8_t, 32> key_storage{};
  std::size_t key_size = 0;
  /// The static one, to be XORed with the sequence number (RFC 9846 5.3, RFC 7905 2). TLS 1.2 with AES: the salt of 4
  /// bytes and the explicit nonce of the next record, which counts on from there (RFC 5288 3, RFC 6655 3).
  std::array<std::uint8_t, 12> iv{};
  std::uint64_t sequence = 0;  ///< of the next record

  [[nodiscard]] Bytes key() const noexcept { return Bytes(key_storage).first(key_size); }

  TrafficKeys() noexcept = default;
  TrafficKeys(const TrafficKeys&) noexcept = default;
  TrafficKeys& operator=(const TrafficKeys&) noexcept = default;
  ~TrafficKeys();
};

/// The connection is over. Call `transmit` once more: the alert, if one is due, goes out that way.
struct Failed {
  Error error;
};

using Event =
    std::variant<Nothing, ApplicationData, EarlyData, SelectConfig, SelectCredential, Sign, Decrypt, Compute, SelectPsk,
                 FindPsk, VerifyPeer, OpenTicket, AcceptEarlyData, SealTicket, HandshakeComplete, SessionReceived,
                 PeerClosed, PeerKeyUpdated, RenegotiationRefused, TrafficKeys, SecretLogged, Failed>;

/// Whether the event asks for an answer, by a token. Its type says so, also when the token has been taken out.
[[nodiscard]] constexpr bool asks(const Event& event) noexcept {
  return std::visit([]<class T>(const T&) { return requires(T told) { told.token; }; }, event);
}

}  // namespace lockstep
