#pragma once
// What happens on a connection, as typed entries with one definition: what was called, what the handshake did, what
// came of it. A tape is a sequence of them; so are the text of `--trace`, the ladder diagram and the key log, which are
// readers of the same entries (lockstep/replay.hpp).
//
// The format is described byte by byte in docs/tape.md.

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <lockstep/bytes.hpp>
#include <lockstep/config.hpp>
#include <lockstep/error.hpp>
#include <lockstep/event.hpp>
#include <lockstep/misuse.hpp>
#include <lockstep/time.hpp>
#include <lockstep/types.hpp>
#include <lockstep/x509_name.hpp>

namespace lockstep::trace {

/// The version of the format that is written, and the only one that is read.
inline constexpr unsigned kTapeVersion = 1;
/// The longest entry, in bytes: what one call may bring in or out.
inline constexpr std::size_t kMaxEntry = std::size_t{1} << 26U;
/// The largest buffer of a call that can be recorded, in bytes.
inline constexpr std::size_t kMaxRoom = std::size_t{1} << 26U;
/// The largest `handshake_memory` of a configuration that can be replayed, in bytes.
inline constexpr std::size_t kMaxHandshakeMemory = std::size_t{1} << 26U;

/// Bytes on a tape. A redacted tape keeps their size alone. Lives as long as the tape.
struct Content {
  Content() noexcept = default;
  Content(Bytes of) noexcept : bytes(of), size(of.size()) {}  // NOLINT(google-explicit-constructor)
  Content(MutableBytes of) noexcept : Content(Bytes(of)) {}   // NOLINT(google-explicit-constructor)
  Bytes bytes;                                                ///< empty on a redacted tape
  std::uint64_t size = 0;                                     ///< of what was recorded
};

/// The keys that protect a direction (RFC 9846 7.1).
enum class Protection : std::uint8_t { none, handshake, application, early_data };

// --- how it begins ---------------------------------------------------------------------------------------------------

/// The configuration, in a form from which replay builds it again. Keys, anchors and credentials are no part of it:
/// they belong to whoever answers, and the answers are on the tape.
struct Configuration {
  Settings settings;  ///< without pointers to the provider, alpn, next_protocols and certificate_authorities
  std::vector<Content> alpn;
  std::vector<Content> certificate_authorities;
  std::string_view provider;                      ///< its name
  std::vector<std::string_view> implementations;  ///< of each suite's AEAD and each group, in order
  std::vector<Content> next_protocols;
};
/// `Connection::client`.
struct StartClient {
  Time now{};
  x509::PeerName::Kind kind{};
  Content name;                   ///< as text
  std::vector<Content> sessions;  ///< serialized: secrets
  Content verification;           ///< empty: none
  Content server_name;            ///< that is asked for; empty: none
};
/// `Connection::server`.
struct StartServer {
  Content verification;  ///< empty: none
};

// --- calls -----------------------------------------------------------------------------------------------------------

/// Bytes that were presented before and not consumed are not written again: the inbound buffer was the first `size`
/// bytes of the first `kept` that were left over, followed by `added`.
struct Receive {
  Time now{};
  std::uint64_t size = 0;
  std::uint64_t kept = 0;
  Content added;
};
struct ReceiveEnd {};
struct Transmit {
  Time now{};
  std::uint64_t room = 0;  ///< size of the outbound buffer
};
struct Seal {
  Time now{};
  std::uint64_t room = 0;
  std::vector<Content> plaintext;
};
/// `Connection::seal_early`.
struct SealEarly {
  Time now{};
  std::uint64_t room = 0;
  std::vector<Content> plaintext;
};
struct SealInPlace {
  Time now{};
  std::uint64_t room = 0;  ///< size of the slot's buffer
  std::uint64_t headroom = 0;
  std::uint64_t size = 0;  ///< of the payload, as stated
  Content payload;         ///< as far as it lay inside the buffer
};
/// The token that an answer came with: the number of the question, or 0 for one that belongs to no open question here.
using TokenNumber = std::uint32_t;
/// To `SelectConfig`.
struct AnswerConfig {
  TokenNumber token = 0;
  bool selected = false;        ///< false: ClientHelloRefused
  Alert alert{};                ///< of a refusal
  bool by_application = false;  ///< alpn
  Content alpn;                 ///< empty: none
  bool warn_unrecognized_name = false;
  bool verifies_otherwise = false;
  Content verification;
  bool another = false;  ///< than the connection was made with
  Configuration configuration{};
};
struct AnswerCredential {
  TokenNumber token = 0;
  bool present = false;  ///< false: NoCredential
  std::vector<Content> chain;
  std::vector<SignatureScheme> schemes;
  Content ocsp_response;
  Content sct_list;
};
struct AnswerSignature {
  TokenNumber token = 0;
  bool made = false;  ///< false: SigningFailed
  Content signature;
};
struct AnswerDecryption {
  TokenNumber token = 0;
  bool made = false;  ///< false: DecryptionFailed
  Content premaster;  ///< a secret
};
/// To `Compute`. What the job came to is not on the tape: a replay computes it again.
struct AnswerComputation {
  TokenNumber token = 0;
  bool own = true;  ///< with the job that was asked for
};
/// One of several keys.
struct OfferedPsk {
  Content identity{};
  Content key{};  ///< a secret
  HashAlgorithm hash{};
  bool import = false;
  Content context{};
};
/// To `SelectPsk`.
struct AnswerPsk {
  TokenNumber token = 0;
  bool chosen = false;  ///< false: NoPsk
  Content identity{};
  Content key{};  ///< a secret
  HashAlgorithm hash{};
  bool import = false;
  Content context{};
  std::vector<OfferedPsk> others{};  ///< behind the first
};
/// To `FindPsk`.
struct AnswerPskLookup {
  TokenNumber token = 0;
  bool found = false;  ///< false: PskUnknown
  Content peer_identity{};
  Content key{};  ///< a secret
  HashAlgorithm hash{};
};
struct AnswerVerdict {
  TokenNumber token = 0;
  bool accepted = false;
  Reason reason{};
  std::uint16_t detail = 0;
  Content identity;
  Time expires = Time::max();
  Alert alert{};  ///< of a refusal, in place of the reason's own; close_notify: none
  Unverified unverified{};
};
struct AnswerTicketOpened {
  TokenNumber token = 0;
  bool opened = false;  ///< false: TicketDeclined
  Content session;      ///< serialized: a secret
};
struct AnswerEarlyData {
  TokenNumber token = 0;
  bool accepted = false;
};
struct AnswerTicketSealed {
  TokenNumber token = 0;
  bool sealed = false;  ///< false: TicketDeclined
  Content ticket;
};
struct Close {};
struct Cancel {
  Alert why = Alert::close_notify;
};
struct UpdateKeys {
  bool request_peer = false;
};
struct SetMaxSendFragment {
  std::uint64_t bytes = 0;
};
struct Renegotiate {
  Time now{};
  bool asks = false;  ///< server: with `client_auth`
  ClientAuth client_auth{};
};
/// Record protection goes elsewhere.
struct Offload {
  Direction direction{};
};
struct ForgetExporter {};

// --- what happens during a call --------------------------------------------------------------------------------------

/// The engine drew from its RandomSource.
struct Draw {
  bool ok = false;
  Content bytes;
};
/// The engine noticed that the token it waits for was dropped.
struct TokenDropped {};
/// A handshake message, header included.
struct Message {
  Direction direction{};
  HandshakeType type{};
  bool retry = false;  ///< a ServerHello that is a HelloRetryRequest
  std::uint32_t size = 0;
};
/// RFC 9846 E.4: the dummy of middlebox compatibility.
struct ChangeCipherSpec {
  Direction direction{};
};
struct AlertRecord {
  Direction direction{};
  Alert alert{};
};
/// The handshake's state changed. Names are those of docs/states.md.
struct StateEntered {
  std::string_view name;
};
/// From here on a direction is protected by new keys.
struct KeysInstalled {
  Direction direction{};
  Protection protection{};
  CipherSuite suite{};
};
/// A secret of the key schedule. Recordings have none; a replay that is asked to derives them again.
struct Secret {
  std::string_view label;  ///< as in a key log
  Content client_random;
  Content secret;
};

// --- what the application was told (see event.hpp) -------------------------------------------------------------------
// What is too long to keep is compared by its hash: FNV-1a, 64 bits. Equality of runs, not authenticity, is its
// business.

struct DataTold {
  std::vector<std::uint64_t> segments;  ///< sizes
  std::uint64_t hash = 0;
};
/// `EarlyData`.
struct EarlyDataTold {
  std::vector<std::uint64_t> segments;
  std::uint64_t hash = 0;
};
struct CredentialAsked {
  TokenNumber token = 0;
  Content server_name;
  std::vector<SignatureScheme> schemes;
  std::vector<SignatureScheme> schemes_cert;
  std::uint64_t authorities = 0;
  Content alpn;
  std::uint64_t hash = 0;  ///< of the authorities, ec_point_formats and filters
  bool ocsp_requested = false;
  bool scts_requested = false;
  std::uint64_t oid_filters = 0;
};
struct SignatureAsked {
  TokenNumber token = 0;
  SignatureScheme scheme{};
  std::uint64_t size = 0;  ///< of the message
  std::uint64_t hash = 0;
};
struct DecryptionAsked {
  TokenNumber token = 0;
  std::uint64_t size = 0;  ///< of the ciphertext
  std::uint64_t hash = 0;
};
struct ComputationAsked {
  TokenNumber token = 0;
  Computation what{};
};
/// `SelectConfig`. The ClientHello is on the tape before.
struct ConfigAsked {
  TokenNumber token = 0;
  Content server_name;
  std::uint64_t alpn = 0;  ///< how many protocols
};
/// `SelectPsk`.
struct PskAsked {
  TokenNumber token = 0;
  ProtocolVersion version{};
  Content server_name;
  Content identity_hint;
};
/// `FindPsk`.
struct PskLookupAsked {
  TokenNumber token = 0;
  ProtocolVersion version{};
  Content server_name;
  Content identity;
  bool imported = false;
  Content context{};
};
struct VerdictAsked {
  TokenNumber token = 0;
  Role peer{};
  std::vector<std::uint64_t> chain;  ///< sizes of the certificates
  Content name;                      ///< whom the client expects
  Time now{};
  std::uint64_t hash = 0;           ///< of the chain and the staples
  std::uint64_t ocsp_response = 0;  ///< its size
  std::uint64_t sct_list = 0;       ///< its size
  bool resumed = false;
};
struct TicketOpeningAsked {
  TokenNumber token = 0;
  std::uint64_t size = 0;
  std::uint64_t hash = 0;
};
/// `AcceptEarlyData`.
struct EarlyDataAsked {
  TokenNumber token = 0;
  std::uint64_t size = 0;  ///< of the ticket
  std::uint64_t hash = 0;  ///< of the ticket
};
struct TicketSealingAsked {
  TokenNumber token = 0;
  std::uint64_t size = 0;  ///< of the serialized session
  std::uint64_t hash = 0;
};
struct Completed {
  bool resumed = false;
  bool retried = false;
  Content server_name;
  std::vector<std::uint64_t> chain;  ///< sizes of the peer's certificates
  ProtocolVersion version{};
  CipherSuite suite{};
  NamedGroup group{};
  SignatureScheme own_scheme{};
  SignatureScheme peer_scheme{};
  Content alpn;
  std::uint64_t hash = 0;           ///< of the chain, both verify_data, the shared schemes and the staples
  std::uint64_t ocsp_response = 0;  ///< its size
  std::uint64_t sct_list = 0;       ///< its size
  EarlyDataStatus early_data{};
  Content peer_identity;
  Content application_data;
  bool renegotiation = false;
  std::uint16_t dh_bits = 0;  ///< of a finite field that has no name; else 0
  Unverified unverified{};
};
struct SessionTold {
  std::uint64_t size = 0;
  std::uint64_t hash = 0;
};
struct PeerClosedTold {};
struct PeerKeysTold {};
/// The peer does not want to renegotiate.
struct RefusalTold {};
/// Keys were handed out. What they are follows from what is on the tape before.
struct TrafficKeysTold {
  Direction direction{};
  std::uint64_t sequence = 0;
};
struct SecretTold {
  std::string_view label;
  Content client_random;
  Content secret;
};
struct FailureTold {
  Error error;
};

// --- what a call came to ---------------------------------------------------------------------------------------------

/// Of a start: whether it failed already.
struct Started {
  bool failed = false;
  Error error;
};
/// Of `receive` and `receive_end`; what was told stands before it.
struct Consumed {
  std::uint64_t size = 0;
};
struct Transmitted {
  Content bytes;
};
/// Of `seal`, `seal_early` and `seal_in_place`.
struct SealDone {
  std::optional<Misuse> misuse;
  std::uint64_t consumed = 0;
  std::uint64_t written = 0;
  std::uint64_t hash = 0;  ///< of what was written
};
/// Of answers, `close`, `cancel` and `update_keys`.
struct Done {
  std::optional<Misuse> misuse;
};
/// The recording ended here, the connection did not.
struct Stopped {
  enum class Cause : std::uint8_t { limit, memory, too_large };
  Cause cause{};
};

using Entry =
    std::variant<Configuration, StartClient, StartServer, Receive, ReceiveEnd, Transmit, Seal, SealEarly, SealInPlace,
                 AnswerConfig, AnswerCredential, AnswerSignature, AnswerDecryption, AnswerComputation, AnswerPsk,
                 AnswerPskLookup, AnswerVerdict, AnswerTicketOpened, AnswerEarlyData, AnswerTicketSealed, Close, Cancel,
                 UpdateKeys, SetMaxSendFragment, Renegotiate, Offload, ForgetExporter, Draw, TokenDropped, Message,
                 ChangeCipherSpec, AlertRecord, StateEntered, KeysInstalled, Secret, DataTold, EarlyDataTold,
                 ConfigAsked, CredentialAsked, SignatureAsked, DecryptionAsked, ComputationAsked, PskAsked,
                 PskLookupAsked, VerdictAsked, TicketOpeningAsked, EarlyDataAsked, TicketSealingAsked, Completed,
                 SessionTold, PeerClosedTold, PeerKeysTold, RefusalTold, TrafficKeysTold, SecretTold, FailureTold,
                 Started, Consumed, Transmitted, SealDone, Done, Stopped>;

}  // namespace lockstep::trace
