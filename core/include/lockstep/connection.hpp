#pragma once
// A TLS connection that does no I/O: bytes, time and answers go in; bytes and events come out; nothing else happens.
//
//     auto connection = Connection::client(config, {.name = x509::PeerName::dns("example.com").value()}, random, now);
//     for (;;) {
//       while (std::size_t n = connection.transmit(outbound, now)) send(outbound.first(n));
//       auto [consumed, event] = connection.receive(inbound, now);
//       drop_from_the_front_of(inbound, consumed);
//       ... handle the event; when it is `Nothing` and nothing was consumed, read more bytes ...
//     }

#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include <lockstep/bytes.hpp>
#include <lockstep/config.hpp>
#include <lockstep/error.hpp>
#include <lockstep/event.hpp>
#include <lockstep/export.hpp>
#include <lockstep/misuse.hpp>
#include <lockstep/session.hpp>
#include <lockstep/time.hpp>
#include <lockstep/types.hpp>
#include <lockstep/x509_name.hpp>

namespace lockstep {

class KeyCache;
namespace trace {
class Recorder;
}

/// What `receive` did.
struct Received {
  std::size_t consumed = 0;  ///< bytes at the front of the inbound buffer that are done with
  Event event;               ///< at most one; ask again until it is `Nothing`
};

/// What `seal` did.
struct Sealed {
  std::size_t consumed = 0;  ///< plaintext bytes taken, counted over all segments
  std::size_t written = 0;   ///< bytes of records in the outbound buffer
};

/// A buffer with room around its payload, for sealing without a copy.
struct RecordSlot {
  MutableBytes buffer;       ///< headroom | payload | tailroom
  std::size_t headroom = 0;  ///< at least `headroom()`; `Connection::kMaxHeadroom` always suffices
  std::size_t payload = 0;   ///< 1 byte to the largest fragment; behind it at least `tailroom(payload)`
};

struct ClientOptions {
  /// Whom the peer must be.
  x509::PeerName name;
  /// Sessions to offer, best first, of which 64 are; each should be offered only once. Consumed by the call.
  std::span<Session> sessions{};
  /// A digest of what `VerifyPeer` will be answered by, such as `AnswerSetup::verification`: a session is offered only
  /// where it is the same as when the session was made (`ConfigBuilder::session_context`).
  SessionContext verification{};
  /// Whom to ask for in server_name (RFC 6066 3): a host name; nobody for an address or NoNameCheck. Default: `name`.
  /// Not the same where a proxy or a test is reached by another name than the one that its certificate must have: under
  /// another name no session is offered (RFC 9846 4.7.1), under none as ever.
  std::optional<x509::PeerName> server_name{};
};

struct ServerOptions {
  /// The same for clients and their tickets.
  SessionContext verification{};
};

/// One piece of keying material, for `Connection::export_keying_material`.
struct KeyingMaterial {
  std::string_view label;
  std::optional<Bytes> context;
  MutableBytes out;
};

class LOCKSTEP_API Connection {
 public:
  /// The header of every record: type, version and length of what follows.
  static constexpr std::size_t kRecordHeader = 5;
  /// Bytes in front of a payload that suffice for a sealed record of any version: `headroom()` says how many it takes.
  static constexpr std::size_t kMaxHeadroom = 32;
  /// A block of this size for `memory` lets usual handshakes do without any allocation by the engine.
  static constexpr std::size_t kHandshakeMemory = 32768;
  /// Buffers below this size cannot hold every single record of any version: `max_record()` says how long one may be
  /// now. That is TLS 1.2's limit (RFC 5246 6.2.3); TLS 1.3's is 5 + 2^14 + 256 (RFC 9846 5.2).
  static constexpr std::size_t kMaxRecord = 5 + 16384 + 2048;

  /// Starts a handshake. `random` must outlive the connection. `memory` is used until the handshake ends; it is wiped
  /// before `reclaim` hands it back. Without it, or when it is too small, the engine allocates within the bound of the
  /// configuration.
  static Connection client(std::shared_ptr<const ClientConfig> config, ClientOptions options, RandomSource& random,
                           Time now, MutableBytes memory = {});
  /// The same for a server.
  static Connection server(std::shared_ptr<const ServerConfig> config, RandomSource& random, MutableBytes memory = {},
                           ServerOptions options = {});
  /// The same, recorded (lockstep/tape.hpp): the recorder passes on the randomness that it was made with. It serves one
  /// connection and must outlive it.
  static Connection client(std::shared_ptr<const ClientConfig> config, ClientOptions options, trace::Recorder& recorder,
                           Time now, MutableBytes memory = {});
  static Connection server(std::shared_ptr<const ServerConfig> config, trace::Recorder& recorder,
                           MutableBytes memory = {}, ServerOptions options = {});

  Connection(Connection&&) noexcept;
  Connection& operator=(Connection&&) noexcept;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection();

  /// Where to keep expanded keys (lockstep/key_cache.hpp): of whoever runs the connection, so to be told again when
  /// that is another thread, with null first on the old one. Null for none, as it is at the beginning: then every call
  /// that opens or seals expands its key anew.
  void use(KeyCache* cache) noexcept;

  // --- bytes and time ---

  /// Processes bytes from the peer, decrypting in place. Call again, without the consumed bytes, until the event is
  /// `Nothing`; what was not consumed must be presented again, at any address, with more bytes behind it.
  [[nodiscard]] Received receive(MutableBytes inbound, Time now);
  /// Writes pending flights, alerts and key updates; the number of bytes written, 0 when nothing is pending. A buffer
  /// of any size makes progress during the handshake; afterwards 64 bytes do.
  [[nodiscard]] std::size_t transmit(MutableBytes outbound, Time now);
  /// Whether `transmit` would write something into a buffer that is large enough. After `offload`, keys that are due
  /// come first: `receive` tells them.
  [[nodiscard]] bool transmit_pending() const noexcept;
  /// Seals application data: as many whole records as fit `outbound`, gathered from the segments without a copy. What
  /// is pending for `transmit` goes first. An outbound buffer may not overlap the plaintext.
  [[nodiscard]] std::expected<Sealed, Misuse> seal(std::span<const Bytes> plaintext, MutableBytes outbound, Time now);
  /// Client: seals early data (0-RTT), from the start until the server's Finished has come, within `early_data_left`.
  /// It may be read, and acted upon, more than once: RFC 9846 8. `HandshakeComplete` says whether it has arrived; what
  /// was not accepted is lost. Otherwise like `seal`.
  [[nodiscard]] std::expected<Sealed, Misuse> seal_early(std::span<const Bytes> plaintext, MutableBytes outbound,
                                                         Time now);
  /// Client: bytes that `seal_early` would still take.
  [[nodiscard]] std::size_t early_data_left() const noexcept;
  /// Seals one record in place and returns it, header included: a view into the slot's buffer. Whatever is pending for
  /// `transmit` must have been sent before.
  [[nodiscard]] std::expected<MutableBytes, Misuse> seal_in_place(RecordSlot slot, Time now);
  /// Bytes that `seal_in_place` needs before a payload: the header, and what a version has behind it. Known, and then
  /// the same, once connected.
  [[nodiscard]] std::size_t headroom() const noexcept;
  /// Bytes that `seal_in_place` needs behind a payload.
  [[nodiscard]] std::size_t tailroom(std::size_t payload) const noexcept;
  /// The most content, padding included, that one record of ours holds: `max_send_fragment`, or less where the peer has
  /// asked for that (RFC 8449, RFC 6066 4). Known once connected.
  [[nodiscard]] std::size_t max_fragment() const noexcept;
  /// The largest record, header included, that the peer may send now; a longer one fails by its header. It grows when
  /// TLS 1.2 is agreed, up to `kMaxRecord`, and once the handshake is over it is less where we have asked for less
  /// (RFC 8449, RFC 6066 4).
  [[nodiscard]] std::size_t max_record() const noexcept;
  /// The transport has ended. Without close_notify before it, that is a truncation (RFC 9846 6.1) and fails.
  [[nodiscard]] Event receive_end();

  // --- answers ---

  // An answer spends the token when it is taken. A call that is refused leaves it as it is: `wrong_token` for one of
  // another connection, which still can be answered there.

  /// `invalid_answer` for a protocol that the client does not offer or the configuration does not have.
  std::expected<void, Misuse> answer(Token<SelectConfig>&& token, ConfigSelected selected);
  /// `invalid_answer` for what is no error alert.
  std::expected<void, Misuse> answer(Token<SelectConfig>&& token, ClientHelloRefused refused);
  std::expected<void, Misuse> answer(Token<SelectCredential>&& token, std::shared_ptr<const Credential> credential);
  std::expected<void, Misuse> answer(Token<SelectCredential>&& token, NoCredential);
  /// The signature is copied.
  std::expected<void, Misuse> answer(Token<Sign>&& token, Bytes signature);
  std::expected<void, Misuse> answer(Token<Sign>&& token, SigningFailed);
  std::expected<void, Misuse> answer(Token<VerifyPeer>&& token, PeerAccepted accepted);
  std::expected<void, Misuse> answer(Token<VerifyPeer>&& token, PeerRejected rejection);
  std::expected<void, Misuse> answer(Token<VerifyPeer>&& token, const PeerDecision& decision);
  /// `premaster` has 48 bytes; wipe it afterwards.
  std::expected<void, Misuse> answer(Token<Decrypt>&& token, Bytes premaster);
  std::expected<void, Misuse> answer(Token<Decrypt>&& token, DecryptionFailed);
  /// `invalid_answer` for a job of another question.
  std::expected<void, Misuse> answer(Compute&& done);
  std::expected<void, Misuse> answer(Token<SelectPsk>&& token, PskChosen chosen);
  /// Several, in TLS 1.3; `invalid_answer` for none or too many.
  std::expected<void, Misuse> answer(Token<SelectPsk>&& token, std::span<const PskChosen> chosen);
  std::expected<void, Misuse> answer(Token<SelectPsk>&& token, NoPsk);
  std::expected<void, Misuse> answer(Token<FindPsk>&& token, PskFound found);
  std::expected<void, Misuse> answer(Token<FindPsk>&& token, PskUnknown);
  std::expected<void, Misuse> answer(Token<OpenTicket>&& token, Session session);
  std::expected<void, Misuse> answer(Token<OpenTicket>&& token, TicketDeclined);
  std::expected<void, Misuse> answer(Token<AcceptEarlyData>&& token, EarlyDataAccepted);
  std::expected<void, Misuse> answer(Token<AcceptEarlyData>&& token, EarlyDataDeclined);
  /// The ticket is copied.
  std::expected<void, Misuse> answer(Token<SealTicket>&& token, Bytes ticket);
  std::expected<void, Misuse> answer(Token<SealTicket>&& token, TicketDeclined);
  /// Whom to wake when a token is dropped in another thread. Before the first `receive` or `transmit`.
  void wake_by(std::shared_ptr<TokenWaker> waker) noexcept;
  /// What of the application's every question of the handshake that is told from now on brings along, wherever it is
  /// answered; null for nothing. The connection lets it go when the handshake is over and its last ticket is sealed, or
  /// when it fails. Renegotiations have none, nor has a connection whose handshake is over.
  void attach(std::shared_ptr<void> attachment) noexcept;

  // --- ending and renewing ---

  /// Queues close_notify: we send nothing more, the peer may. Before the handshake is complete it cancels it.
  void close() noexcept;
  /// Abandons the handshake or connection, with the alert that tells the peer why (RFC 9846 6.2), access_denied
  /// perhaps. By default nothing is wrong: user_canceled (during a handshake) and close_notify go out (RFC 9846 6.1).
  void cancel(Alert why = Alert::close_notify) noexcept;
  /// Changes our sending key, and asks the peer to change its own when `request_peer` (RFC 9846 4.7.3). One request is
  /// out at a time: until the peer has answered it, further ones change nothing.
  std::expected<void, Misuse> update_keys(bool request_peer);
  /// From here on, in place of `ConfigBuilder::max_send_fragment`: the largest plaintext of a record that we send, 64
  /// to 16384 bytes; `out_of_range` else. What the peer has asked for (RFC 8449, RFC 6066 4) remains a bound. In any
  /// state but after `offload`, which leaves records to others (`offloaded`).
  std::expected<void, Misuse> set_max_send_fragment(std::size_t bytes);
  /// TLS 1.2: makes another handshake on this connection, where `ConfigBuilder::renegotiation` allows it and the peer
  /// supports RFC 5746; else `no_renegotiation`. A server sends a HelloRequest, upon which its client may begin; with
  /// `client_auth` it asks for the client's certificate from now on. A client sends a ClientHello. `HandshakeComplete`
  /// tells that it is done, `RenegotiationRefused` that the peer does not want to; a peer that ignores a HelloRequest
  /// leaves everything as it is. Nothing happens while one is under way.
  ///
  /// From the ClientHello on until the new handshake is complete, whoever has begun it, `seal` takes nothing, and
  /// `seal_in_place` gives `handshake_not_over`. Data that comes from the peer meanwhile is told as ever. `close`
  /// cancels it, and the connection with it.
  std::expected<void, Misuse> renegotiate(Time now, std::optional<ClientAuth> client_auth = {});
  /// Hands the record protection of one direction over to something below the engine, such as the kernel (kTLS): the
  /// next event is `TrafficKeys`, and the engine forgets them. From then on
  ///
  /// - sending: application data goes to whoever has the keys, not to `seal`. `transmit` writes records that are not
  ///   protected, header and content; their content is to be sent under their type. After a KeyUpdate it writes nothing
  ///   until the event with the new keys was taken by `receive`: they are for everything behind it.
  /// - receiving: `receive` takes such records, header and content, for every record that was opened. Those with
  ///   application data may be left out. A KeyUpdate leads to an event with the new keys.
  ///
  /// Only when connected and with the last ticket sent (`handshake_not_over`), with nothing pending for `transmit`
  /// (sending), and with whole records consumed (receiving: what the engine was given and did not consume is still
  /// protected). `transmit` writes whole records then. `update_keys` is the caller's to call in time, because the
  /// engine no longer sees how much was sent; neither does it see how much was received, so that a bound on KeyUpdates
  /// without data between them is the caller's, too.
  std::expected<void, Misuse> offload(Direction direction);
  /// When the engine wants to be called next without input. TLS over a stream has no timers: nothing.
  [[nodiscard]] std::optional<Time> deadline() const noexcept;
  /// After the handshake: the memory that the caller supplied, wiped, to be used for another one; empty before.
  [[nodiscard]] MutableBytes reclaim() noexcept;

  /// How many bytes of its memory the handshake has used so far, which is all that it ever needs by the time of
  /// `HandshakeComplete`: what to supply to the next. 0 once they were given back.
  [[nodiscard]] std::size_t handshake_memory() const noexcept;

  // --- what was agreed ---

  [[nodiscard]] Role role() const noexcept;
  [[nodiscard]] bool connected() const noexcept;  ///< the handshake is complete and nothing has failed
  /// Whether `receive` takes nothing until a token is answered. A ticket that is being sealed does not count, nor does
  /// a verdict while the message that proves the peer's key is on its way (`ConfigBuilder::hand_out_computations`).
  [[nodiscard]] bool awaiting_answer() const noexcept;
  [[nodiscard]] const Error* error() const noexcept;  ///< the sticky failure, `Reason::unusable` included, or null
  [[nodiscard]] bool peer_closed() const noexcept;    ///< close_notify was received
  [[nodiscard]] bool closed() const noexcept;         ///< close_notify was queued or sent
  [[nodiscard]] std::optional<ProtocolVersion> version() const noexcept;
  [[nodiscard]] std::optional<CipherSuite> suite() const noexcept;
  [[nodiscard]] std::optional<NamedGroup> group() const noexcept;  ///< of this connection's key exchange
  /// The size of its prime, where that key exchange was over a finite field. One with parameters of the server's own
  /// (TLS 1.2) has a size and no `group()`.
  [[nodiscard]] std::optional<std::size_t> dh_bits() const noexcept;
  [[nodiscard]] std::optional<SignatureScheme> own_scheme() const noexcept;   ///< we signed with
  [[nodiscard]] std::optional<SignatureScheme> peer_scheme() const noexcept;  ///< the peer signed with
  /// Whether the peer is who it says: it has proved to hold the key of certificates that were accepted without
  /// reserve, in this handshake or in that of the session which is resumed, or a pre-shared key. False before
  /// the handshake is complete, for a client that showed nothing, and where nobody was asked (`skip_verification`).
  [[nodiscard]] bool peer_verified() const noexcept;
  /// Why the peer is not verified although it was accepted (`PeerAccepted::unverified`); nothing where there was no
  /// such reserve, or the handshake is not complete.
  [[nodiscard]] Unverified unverified() const noexcept;
  [[nodiscard]] std::string_view alpn() const noexcept;  ///< empty when none; lives as long as the config
  [[nodiscard]] bool resumed() const noexcept;
  [[nodiscard]] bool retried() const noexcept;  ///< a HelloRetryRequest was needed
  [[nodiscard]] EarlyDataStatus early_data() const noexcept;
  /// Client, TLS 1.2: whether `seal` takes application data although the handshake is not complete
  /// (`ConfigBuilder::false_start`). It ends with `HandshakeComplete`, or with the connection.
  [[nodiscard]] bool false_start() const noexcept;
  /// TLS 1.2: whether the master secret is bound to the whole handshake (RFC 7627). False in TLS 1.3, which has no
  /// other.
  [[nodiscard]] bool extended_main_secret() const noexcept;
  /// TLS 1.2 with a suite in CBC mode: whether what is authenticated is the ciphertext (RFC 7366).
  [[nodiscard]] bool encrypt_then_mac() const noexcept;
  /// TLS 1.2: the peer says to which handshake before its own belongs (RFC 5746). False in TLS 1.3, which has no need
  /// of it.
  [[nodiscard]] bool secure_renegotiation() const noexcept;
  /// Whether another handshake is under way on the connection, so that nothing may be sealed.
  [[nodiscard]] bool renegotiating() const noexcept;
  /// Keying material for the application (RFC 9846 7.5, RFC 5705). `out` has at most 255 times the hash's size. In TLS
  /// 1.2 no context gives other bytes than an empty one, and without extended master secret there are none
  /// (`not_extended`), nor while the connection is renegotiated (`handshake_not_over`).
  [[nodiscard]] std::expected<void, Misuse> export_keying_material(std::string_view label, std::optional<Bytes> context,
                                                                   MutableBytes out) const;
  /// The same for several labels: all of it, or nothing of it counts.
  [[nodiscard]] std::expected<void, Misuse> export_keying_material(std::span<const KeyingMaterial> all) const;
  /// Forgets what keying material is made of, so that nobody who comes later can have any: not by the functions above,
  /// and not by reading this memory (`forgotten`). In TLS 1.2 that is the master secret, so that `prf` and
  /// `master_secret` end with it, and `offload` as well. Traffic, sessions and tickets go on; a renegotiation makes
  /// new.
  std::expected<void, Misuse> forget_exporter() noexcept;

  // Channel bindings (RFC 5056), which an authentication inside the connection covers, so that it is good for this
  // connection alone; tls-server-end-point is lockstep/channel_binding.hpp's.

  /// tls-exporter (RFC 9266 2); the same misuses as for `export_keying_material`.
  [[nodiscard]] std::expected<std::array<std::uint8_t, 32>, Misuse> tls_exporter() const;
  /// tls-unique (RFC 5929 3): the first Finished of the handshake. TLS 1.2 alone (`not_in_tls13`: RFC 9846 C.5), and
  /// not where a session without extended master secret was resumed (`not_extended`). Lives as long as the connection
  /// stays where it is.
  [[nodiscard]] std::expected<Bytes, Misuse> tls_unique() const noexcept;

  // What TLS 1.2 was made of; in TLS 1.3 `not_in_tls13`: `HandshakeComplete` tells its randoms and Finished. Views live
  // as long as the connection stays where it is.

  [[nodiscard]] std::expected<Bytes, Misuse> client_random() const noexcept;        ///< 32 bytes
  [[nodiscard]] std::expected<Bytes, Misuse> server_random() const noexcept;        ///< 32 bytes
  [[nodiscard]] std::expected<Bytes, Misuse> finished(Role sender) const noexcept;  ///< verify_data, 12 bytes
  /// RFC 5246 5: PRF(master secret, label, seed) by the suite's hash, of any length, for protocols that are older than
  /// exporters (EAP-TLS: RFC 5216 2.3). Only with `dangerous().expose_master_secret()` (`not_exposed`): whoever chooses
  /// label and seed can choose those of the keys. Not without extended master secret (`not_extended`: RFC 7627 5.4).
  std::expected<void, Misuse> prf(std::string_view label, Bytes seed, MutableBytes out) const;
  /// The same with a secret of the caller's, which gives nothing away: no setting is needed.
  std::expected<void, Misuse> prf(Bytes secret, std::string_view label, Bytes seed, MutableBytes out) const;
  /// The master secret (RFC 5246 8.1), 48 bytes: whoever has it reads the connection and can resume it as either side.
  /// Only with `dangerous().expose_master_secret()` (`not_exposed`). Wiped when the connection goes.
  [[nodiscard]] std::expected<Bytes, Misuse> master_secret() const noexcept;

 private:
  struct State;
  friend struct ConnectionAccess;  // the engine's own tests
  explicit Connection(State&& state) noexcept;
  [[nodiscard]] State& state() noexcept;
  [[nodiscard]] const State& state() const noexcept;

  // The state is held inline, so that a connection is one value without heap; its definition is private to the engine,
  // which asserts that it fits.
  static constexpr std::size_t kStateSize = 704;
  alignas(16) std::byte storage_[kStateSize];
};

}  // namespace lockstep
