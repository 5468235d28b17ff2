#pragma once
// One handshake: handshake bytes and answers in, messages to the transport and events out. It knows no records, so that
// every transport can carry it.

#include <array>
#include <concepts>
#include <cstddef>
#include <expected>
#include <memory>
#include <optional>
#include <variant>
#include <vector>

#include <lockstep/config.hpp>
#include <lockstep/event.hpp>

#include "handshake/client13.hpp"
#include "handshake/connected.hpp"
#include "handshake/hello_states.hpp"
#include "handshake/messages.hpp"
#include "handshake/server13.hpp"

namespace lockstep::handshake {

/// Every state of every machine.
using Machine = std::variant<
    std::monostate,  //
    hello::WaitPsks, hello::WaitShares, hello::WaitOfferVerified, hello::WaitServerHello, hello::WaitClientHello,
    hello::WaitConfig,  //
    client13::WaitSecondShare, client13::WaitSecondServerHello, client13::WaitSecret, client13::WaitEncryptedExtensions,
    client13::WaitSessionVerified, client13::WaitCertificateRequest, client13::WaitCertificate,
    client13::WaitPeerVerified, client13::WaitCertificateVerify, client13::WaitFinished, client13::WaitCredential,
    client13::WaitSignature,  //
    server13::WaitPsk, server13::WaitPskSecret, server13::WaitSecondClientHello, server13::WaitTicketOpened,
    server13::WaitSessionVerified, server13::WaitEarlyDataJudged, server13::WaitCredential, server13::WaitSecret,
    server13::WaitResumedSecret, server13::WaitSignature, server13::WaitEndOfEarlyData, server13::WaitCertificate,
    server13::WaitPeerVerified, server13::WaitCertificateVerify, server13::WaitFinished,  //
    client12::WaitServerHello, client12::WaitCertificate, client12::WaitCertificateStatus,
    client12::WaitServerKeyExchange, client12::WaitCertificateRequest, client12::WaitServerHelloDone,
    client12::WaitPeerVerified, client12::WaitSignatureChecked, client12::WaitCredential, client12::WaitSecret,
    client12::WaitSignature, client12::WaitPskKeyExchange, client12::WaitPskHint, client12::WaitPskHelloDone,
    client12::WaitPsk, client12::WaitCertifiedHint, client12::WaitCertifiedPsk, client12::WaitSessionVerified,
    client12::WaitNewSessionTicket, client12::WaitChangeCipherSpec,
    client12::WaitFinished,  //
    server12::WaitClientHello, server12::WaitTicketOpened, server12::WaitSessionVerified, server12::WaitCredential,
    server12::WaitShare, server12::WaitSignature, server12::WaitCertificate, server12::WaitPeerVerified,
    server12::WaitClientKeyExchange, server12::WaitCertifiedKeyExchange, server12::WaitSecret,
    server12::WaitCertifiedSecret, server12::WaitDecrypted, server12::WaitCertifiedDecrypted,
    server12::WaitPskKeyExchange, server12::WaitPsk, server12::WaitPskDecrypted, server12::WaitCertificateVerify,
    server12::WaitSignatureChecked, server12::WaitChangeCipherSpec, server12::WaitNextProtocol, server12::WaitFinished,
    server12::WaitTicketSealed,  //
    client13::Connected, server13::Connected, client12::Connected, server12::Connected>;

namespace detail {

/// Whether the connection stands in a state of the machine.
template <class Machine>
inline constexpr auto kStands = 0;
template <class... States>
inline constexpr std::array<bool, sizeof...(States)> kStands<std::variant<States...>>{
    std::constructible_from<LiveMachine, const States&>...};

}  // namespace detail

/// What a server still does beside the connection: tickets, one after the other.
using TicketMachine = std::variant<server13::NoTickets, server13::WaitTicketSealed>;

/// What a handshake is made with; all of it outlives the handshake.
struct Surroundings {
  const Config& config;
  RandomSource& random;
  Transport& transport;
  Arena& arena;
};

class Handshake {
 public:
  explicit Handshake(const Surroundings& surroundings) noexcept;
  ~Handshake();
  Handshake(const Handshake&) = delete;
  Handshake& operator=(const Handshake&) = delete;

  /// Client: sends the ClientHello, which asks for `name` unless another name is to be asked for.
  [[nodiscard]] Status start_client(x509::PeerName name, std::optional<x509::PeerName> server_name,
                                    std::span<Session> sessions, Time now) noexcept;
  /// Server: waits for one.
  void start_server() noexcept;
  /// TLS 1.2: begins another handshake of a connection, which has `agreed` on things before. `former` outlives it.
  [[nodiscard]] Status renegotiate(const Former& former, const Agreed& agreed, Time now) noexcept;

  /// Whether a change_cipher_spec record moves the handshake on (TLS 1.2).
  [[nodiscard]] bool accepts_change_cipher_spec() const noexcept { return accepts<ChangeCipherSpec>(machine_); }
  /// Takes one. Only where it is accepted.
  [[nodiscard]] Status receive_change_cipher_spec(Time now) noexcept;
  /// Whether the peer is to say that it has the keys under which it speaks.
  [[nodiscard]] bool awaits_finished() const noexcept { return accepts<codec::Finished>(machine_); }
  /// TLS 1.2: the server does not want what `renegotiate` has begun, so that it ends. False where it has gone further.
  [[nodiscard]] bool withdraw() noexcept {
    const bool begun = accepts<codec::ServerHello>(machine_);
    if (begun) machine_.emplace<std::monostate>();
    return begun;
  }
  /// Takes handshake bytes, whole messages or not, and goes on as far as it can. Only while not `suspended`.
  [[nodiscard]] Status receive(Bytes content, Time now) noexcept;

  /// Whether nothing more is read until an answer comes.
  [[nodiscard]] bool suspended() const noexcept { return context_.pending.blocks_reading() && !looks_ahead(); }
  /// Whether received bytes of an incomplete message (or of messages not yet handled) are kept.
  [[nodiscard]] bool holds_input() const noexcept { return !context_.inbox.empty(); }
  /// Those bytes.
  [[nodiscard]] Bytes unread() const noexcept { return context_.inbox.unread(); }
  /// Application data may flow: the peer's Finished was verified and ours is on its way.
  [[nodiscard]] bool connected() const noexcept { return detail::kStands<Machine>[machine_.index()]; }
  /// The state after the handshake, once it is reached.
  [[nodiscard]] std::optional<LiveMachine> live() const noexcept;
  /// Nothing more is to be done, tickets included.
  [[nodiscard]] bool over() const noexcept {
    return (connected() || std::holds_alternative<std::monostate>(machine_)) &&
           std::holds_alternative<server13::NoTickets>(tickets_);
  }
  /// Ends what is left to do: no more tickets.
  void stop_tickets() noexcept { tickets_ = server13::NoTickets{}; }
  /// Server: early data was taken and our flight is out, so that data may follow it.
  [[nodiscard]] bool answers_early_data() const noexcept;
  /// Nothing was received yet.
  [[nodiscard]] bool untouched() const noexcept { return untouched_; }

  [[nodiscard]] EventQueue& events() noexcept { return context_.events; }
  [[nodiscard]] Context& context() noexcept { return context_; }
  [[nodiscard]] const Context& context() const noexcept { return context_; }
  /// Whether this token's answer is due.
  template <class Operation>
  [[nodiscard]] bool awaits(const Token<Operation>& token) const noexcept {
    return context_.pending.awaits(token);
  }
  /// Server: the configuration from here on, and what else the application has selected. False for a protocol that is
  /// not to be had. Only while the application is asked for it.
  [[nodiscard]] bool select(const Config& config, const ConfigSelected& selected) noexcept;
  /// Gives an answer to the current state.
  template <class Operation, class Input>
  [[nodiscard]] Status answer(Token<Operation>& token, const Input& input, Place place) noexcept {
    context_.pending.redeem(token);
    context_.place = place;
    if (auto went = dispatch(machine_, input, context_); !went) return went;
    record_state();
    return process_messages();
  }
  /// What a computation has come to; one that was not run is run first.
  [[nodiscard]] Status answer(Compute& done) noexcept;
  /// The same for a ticket. In TLS 1.3 the connection does not depend on it: whatever goes wrong, it is not sent.
  [[nodiscard]] Status answer(Token<SealTicket>& token, const TicketSealed& input) noexcept {
    context_.pending.redeem(token);
    return ticket_sealed(input);
  }
  /// `chosen` is not empty.
  [[nodiscard]] static PskGiven psk_given(std::span<const PskChosen> chosen) noexcept { return PskGiven(chosen); }
  [[nodiscard]] static PskGiven psk_given(const PskFound& found) noexcept { return PskGiven(found); }
  [[nodiscard]] static SignatureChecked signature_checked(VerifyResult result) noexcept {
    return SignatureChecked(result);
  }
  [[nodiscard]] static PeerVerified peer_verified(const PeerAccepted& answer) noexcept { return PeerVerified(answer); }
  /// Takes note of a token that was dropped. False when the handshake cannot go on without its answer.
  [[nodiscard]] bool survives_dropped_token() noexcept;

  /// The state's name, for messages and charts.
  [[nodiscard]] std::string_view state_name() const noexcept;
  [[nodiscard]] const Machine& machine() const noexcept { return machine_; }

 private:
  [[nodiscard]] Status process_messages() noexcept;
  /// Whether the peer's proof is looked for, which stays unread (LookAhead).
  [[nodiscard]] bool looks_ahead() const noexcept;
  [[nodiscard]] Status look_ahead() noexcept;
  void begin_tickets() noexcept;
  [[nodiscard]] Status ticket_sealed(const TicketSealed& input) noexcept;
  template <class Step>
  void take_step(Step step) noexcept;
  /// Puts the state on the tape.
  void record_state() const noexcept;

  bool untouched_ = true;
  Context context_;
  std::optional<x509::PeerName> expected_name_;
  std::optional<x509::PeerName> server_name_;  // where another is asked for
  std::vector<Session> sessions_;
  Machine machine_;
  TicketMachine tickets_;
};

}  // namespace lockstep::handshake
