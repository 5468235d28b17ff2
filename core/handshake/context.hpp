#pragma once
// What the states of a handshake share: the transport below, the application above, and the transcript between.

#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <variant>

#include <lockstep/bytes.hpp>
#include <lockstep/config.hpp>
#include <lockstep/error.hpp>
#include <lockstep/event.hpp>
#include <lockstep/time.hpp>
#include <lockstep/types.hpp>

#include "codec/extensions.hpp"
#include "codec/handshake_message.hpp"
#include "codec/writer.hpp"
#include "handshake/arena.hpp"
#include "handshake/event_queue.hpp"
#include "handshake/inbox.hpp"
#include "handshake/pending.hpp"
#include "key_schedule/tls12.hpp"
#include "key_schedule/tls13.hpp"
#include "key_schedule/transcript.hpp"

namespace lockstep::trace {
class Tap;
}

namespace lockstep::handshake {

using Status = std::expected<void, Error>;
class Former;
struct ExternalPsk;

/// The keys under which messages travel, in the order in which they come.
enum class Level : std::uint8_t { initial, early_data, handshake, application };

/// What protects one direction in TLS 1.3: a traffic secret (RFC 9846 7.3).
struct Keys13 {
  const BoundSuite& suite;
  const DigestSecret& secret;
};
/// What does in TLS 1.2: its part of the key block (RFC 5246 6.3).
struct Keys12 {
  const BoundSuite& suite;
  Bytes key;
  Bytes iv;       ///< empty for CBC
  Bytes mac_key;  ///< empty for an AEAD
  bool encrypt_then_mac = false;
};
using Keys = std::variant<Keys13, Keys12>;

/// How large records may be (RFC 8449, RFC 6066 4).
struct RecordLimits {
  std::size_t send;     ///< content and padding of one of ours
  std::size_t receive;  ///< plaintext of one of the peer's, in TLS 1.3 with its type and padding
  bool unprotected;     ///< the peer's records without protection keep to it as well
};

/// What a handshake asks of its transport, whichever it is: TLS records, datagrams, QUIC.
class Transport {
 public:
  /// Sends one handshake message. The bytes are taken before the call returns.
  [[nodiscard]] virtual Status send(Level level, Bytes message) noexcept = 0;
  /// From here on, messages that we send travel under these keys. Levels may coexist: while early data goes under its
  /// own key, that of the handshake waits for `end_early_data`.
  [[nodiscard]] virtual Status install_write(Level level, const Keys& keys) noexcept = 0;
  /// From here on, messages that we receive do. RFC 9846 5.1: "Handshake messages MUST NOT span key changes."
  [[nodiscard]] virtual Status install_read(Level level, const Keys& keys, RecordAligned aligned) noexcept = 0;
  /// It is the peer's turn.
  [[nodiscard]] virtual Status end_flight() noexcept = 0;

  // What only TLS over a stream needs; others have nothing to do.

  /// From here on, for whatever keys, but for a client's early data.
  [[nodiscard]] virtual Status limit_records(const RecordLimits& /*limits*/) noexcept { return {}; }

  /// RFC 9846 E.4: whether dummy change_cipher_spec records are sent.
  virtual void middlebox_compatibility(bool /*on*/) noexcept {}
  /// RFC 9846 4.3.10: the client may be sending early data that nobody can read: skip a bounded amount of it.
  virtual void skip_early_data() noexcept {}
  /// How many bytes of early data may come or go under the keys of Level::early_data.
  virtual void allow_early_data(std::uint32_t /*bytes*/) noexcept {}
  /// No more early data comes, goes or is skipped: the keys of the handshake that have waited for that are used from
  /// here on; without any, a client's messages go unprotected. `aligned` where a read key may change.
  [[nodiscard]] virtual Status end_early_data(std::optional<RecordAligned> /*aligned*/) noexcept { return {}; }

 protected:
  ~Transport() = default;
};

/// What the two sides agreed on; outlives the handshake.
struct Agreed {
  ProtocolVersion version{};
  const BoundSuite* suite = nullptr;
  NamedGroup group{};
  std::uint16_t dh_bits = 0;  ///< TLS 1.2: of a finite field that has no name
  SignatureScheme own_scheme{};
  SignatureScheme peer_scheme{};
  const std::string* alpn = nullptr;  ///< in the configuration
  bool false_start = false;           ///< client: data may go before the server's Finished has come (RFC 7918)
  bool next_protocol = false;         ///< `alpn` is agreed on by a NextProtocol, TLS 1.2
  bool resumed = false;
  bool retried = false;
  bool extended_main_secret = false;     ///< TLS 1.2 (RFC 7627)
  bool encrypt_then_mac = false;         ///< TLS 1.2 (RFC 7366)
  std::uint8_t max_fragment_length = 0;  ///< RFC 6066 4: 1 to 4 for 2^9 to 2^12 bytes; 0: none
  std::uint16_t record_size_limit = 0;   ///< RFC 8449: what we take; 0: not agreed on
  bool secure_renegotiation = false;     ///< TLS 1.2 (RFC 5746)
  EarlyDataStatus early_data{};
  std::optional<CertificateCompressionAlgorithm> peer_compression{};  ///< of the Certificate that came (RFC 8879)
  std::optional<CertificateCompressionAlgorithm> own_compression{};   ///< of the one that went
  bool peer_verified = false;  ///< once the handshake is complete: as `Connection::peer_verified`
  Unverified unverified{};     ///< what the peer was accepted with

  /// The application protocol; empty for none.
  [[nodiscard]] std::string_view protocol() const noexcept {
    return alpn != nullptr ? std::string_view(*alpn) : std::string_view();
  }
};

/// The secrets of TLS 1.3 that outlive the handshake. They have at most the 48 bytes of SHA-384.
struct Secrets13 {
  DigestSecret read_traffic;
  DigestSecret write_traffic;
  DigestSecret exporter;
  DigestSecret resumption;  ///< client: for tickets to come
};
/// Those of TLS 1.2: what its exporter and its keys are made of (RFC 5705 4, RFC 5246 6.3), and both Finished.
struct Secrets12 {
  DigestSecret master;
  std::array<std::uint8_t, codec::kRandomSize> client_random{};
  std::array<std::uint8_t, codec::kRandomSize> server_random{};
  key_schedule::tls12::VerifyData client_finished{};
  key_schedule::tls12::VerifyData server_finished{};
};
using ConnectionSecrets = std::variant<Secrets13, Secrets12>;

/// A replacement for messages that we send, under the right keys and in the transcript: for replaying published traces
/// and for playing a hostile peer. Never there in production.
class Rewriter {
 public:
  /// The message to send instead; it must live until the call after the next.
  virtual Bytes rewrite(Level level, Bytes message) = 0;

 protected:
  ~Rewriter() = default;
};

struct Context {
  std::reference_wrapper<const Config> chosen;  ///< a server's application may choose another by the ClientHello
  RandomSource& random;
  Transport& transport;
  Arena& arena;

  Agreed agreed{};
  ConnectionSecrets secrets{};
  EventQueue events{};
  key_schedule::Transcript transcript{};
  Time now{};
  Rewriter* rewriter = nullptr;
  trace::Tap* tap = nullptr;           ///< of a recorded connection
  std::shared_ptr<void> attachment{};  ///< the application's, for every question

  // The current message: whole, with its header. It lives until the handshake ends.
  Bytes message{};
  Place place = Place::handshake;

  std::array<std::uint8_t, codec::kRandomSize> client_random{};
  std::array<std::uint8_t, codec::kRandomSize> server_random{};
  const Former* former = nullptr;                            ///< what came before, where this is a renegotiation
  ClientAuth client_auth = config().settings().client_auth;  ///< server: what it asks of its client
  codec::ExtensionSet offered{};   ///< what we offered, to see through answers that nobody asked for
  std::string_view server_name{};  ///< what the client asks for
  std::optional<std::span<const std::string>> alpn_choice{};  ///< server: what the application leaves of ours
  std::optional<std::uint8_t> tickets_requested{};            ///< server: and granted (RFC 9149)
  bool client_verified = false;  ///< server: the client proved an identity that was accepted, with a reserve or without
  const Session* resumed_session = nullptr;       ///< that a PSK was chosen of; lives as long as the handshake
  const ExternalPsk* external_psk = nullptr;      ///< TLS 1.3: that both hold; lives as long as the handshake
  const x509::PeerName* expected_name = nullptr;  ///< client: whom the peer must be
  SessionContext verification{};                  ///< what the application verifies the peer by
  Bytes peer_identity{};                          ///< as whoever accepted the peer said, now or in an earlier handshake
  Time verified_until = Time::max();
  Bytes own_finished{};  ///< verify_data
  Bytes peer_finished{};
  std::span<const SignatureScheme> shared_schemes{};
  std::span<const Bytes> peer_chain{};                   ///< what the peer showed
  Bytes peer_ocsp_response{};                            ///< stapled to its leaf; empty: none
  Bytes peer_sct_list{};                                 ///< beside its leaf; empty: none
  std::shared_ptr<const PeerCertificates> peer_shown{};  ///< what the application judges, or judged

  [[nodiscard]] const Config& config() const noexcept { return chosen; }
  [[nodiscard]] const Settings& settings() const noexcept { return config().settings(); }
  /// Whether this handshake may come to a version. A renegotiation keeps the one that there is.
  [[nodiscard]] bool speaks(ProtocolVersion version) const noexcept {
    return former == nullptr ? settings().speaks(version) : version == agreed.version;
  }
  /// Only while TLS 1.3 is negotiated, or the version is not settled.
  [[nodiscard]] Secrets13& secrets13() noexcept { return *std::get_if<Secrets13>(&secrets); }

  // What is sent, installed, told or asked is not asked about call by call: the first failure stays, what comes behind
  // it is left out, and it ends the step that it is part of (machine.hpp), as a sticky reader does.

  /// The first failure.
  std::optional<Error> failure{};
  void stop(const Error& error) noexcept {
    if (!failure) failure = error;
  }
  void stop(Reason reason, std::uint16_t detail = 0) noexcept { stop(make_error(reason, place, detail)); }

  /// Makes `session` the one that is resumed.
  void keep_session(Session&& session) noexcept { resumed_session = &kept_session.emplace(std::move(session)); }
  /// Goes by this pre-shared key, which says who the peer is.
  void take(const ExternalPsk& psk) noexcept;
  /// Notes who the peer is and until when.
  void note(const PeerAccepted& accepted) noexcept;

  /// The error for what is wrong with the current message.
  [[nodiscard]] std::unexpected<Error> fail(Reason reason, std::uint16_t detail = 0) const noexcept {
    return std::unexpected(make_error(reason, place, detail));
  }
  /// For a peer that the application refuses.
  [[nodiscard]] std::unexpected<Error> fail(const PeerRejected& rejection) const noexcept {
    Error error = make_error(rejection.reason, place, rejection.detail);
    if (rejection.alert) error.alert = *rejection.alert;
    return std::unexpected(error);
  }
  /// For what was wrong in an earlier message than the current one.
  [[nodiscard]] static std::unexpected<Error> fail_at(Place where, Reason reason, std::uint16_t detail = 0) noexcept {
    return std::unexpected(make_error(reason, where, detail));
  }

  /// Adds the current message to the transcript.
  void hash_message() noexcept { transcript.update(message); }
  /// Transcript-Hash of everything so far.
  [[nodiscard]] std::expected<key_schedule::Digest, Error> transcript_hash() const noexcept;

  /// Room for `size` bytes that live as long as the handshake.
  [[nodiscard]] std::expected<MutableBytes, Error> scratch(std::size_t size) noexcept;
  /// Sends the message that `encode(codec::Writer&)` gives, of at most `most` bytes, and adds it to the transcript once
  /// that has started. The message as it was sent, which lives as long as the handshake; empty when it failed.
  template <class Encode>
  Bytes send(Level level, std::size_t most, Encode encode) noexcept;
  /// Sends a ClientHello and adds it to the transcript once that has started, but for its first `hashed` bytes, which
  /// are there already. With a rewriter, `hello` becomes what was sent instead, and `offered` what that offers.
  void send_client_hello(Bytes& hello, std::size_t hashed) noexcept;
  void install(Level level, Direction direction, const Keys& keys) noexcept;
  /// TLS 1.3: with the suite that was agreed.
  void install(Level level, Direction direction, const DigestSecret& secret) noexcept {
    install(level, direction, Keys13{*agreed.suite, secret});
  }
  /// See Transport.
  void limit_records(const RecordLimits& limits) noexcept;
  void end_flight() noexcept;
  void end_early_data() noexcept;

  /// Random bytes that live as long as the handshake.
  [[nodiscard]] std::expected<Bytes, Error> draw(std::size_t size) noexcept;

  /// Reports a secret, if the configuration asks for it.
  void log_secret(std::string_view label, const DigestSecret& secret) noexcept;
  void log_application_secrets(const key_schedule::ApplicationSecrets& derived) noexcept;
  /// Whether certificates say who the peer is, without a reserve.
  [[nodiscard]] bool peer_certified() const noexcept {
    return !agreed.unverified && (config().role() == Role::client ? !settings().skip_verification : client_verified);
  }
  /// Tells the application that the handshake is complete.
  void tell_complete() noexcept;

  /// Asks the application, which answers at once or later.
  template <class Operation>
  void ask(Operation operation, Scope scope = Scope::reading) noexcept;

  Inbox inbox{arena};
  Pending pending{};
  std::optional<const Session> kept_session{};

 private:
  Bytes send(Level level, Bytes encoded) noexcept;
  void stop_unless(const Status& done) noexcept {
    if (!done) stop(done.error());
  }
};

template <class Encode>
Bytes Context::send(Level level, std::size_t most, Encode encode) noexcept {
  const MutableBytes room = failure ? MutableBytes() : arena.allocate(most, 1);
  codec::Writer writer(room);
  const Bytes encoded = room.data() == nullptr ? Bytes() : encode(writer);
  if (encoded.empty()) stop(Reason::handshake_too_large);
  return send(level, encoded);
}

template <class Operation>
void Context::ask(Operation operation, Scope scope) noexcept {
  if (failure) return;
  auto token = pending.add<Operation>(scope);
  if (!token) return stop(Reason::memory);
  if constexpr (std::same_as<Operation, Compute>) ComputationAccess::bind(operation.job, token);
  operation.token = std::move(token);
  if (!events.push(std::move(operation), arena)) stop(Reason::handshake_too_large);
}

}  // namespace lockstep::handshake
