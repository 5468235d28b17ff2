#pragma once
// One handshake: handshake bytes and answers in, messages to the transport and events out. It knows no records, so that
// every transport can carry it.

#include <cstddef>
#include <expected>
#include <memory>
#include <optional>
#include <variant>
#include <vector>

#include <lockstep/connection.hpp>

#include "handshake/client13.hpp"
#include "handshake/server13.hpp"

namespace lockstep::handshake {

/// Every state of every machine.
using Machine = std::variant<std::monostate,  //
                             client13::WaitOfferVerified, client13::WaitServerHello, client13::WaitSecondServerHello,
                             client13::WaitEncryptedExtensions, client13::WaitSessionVerified,
                             client13::WaitCertificateRequest, client13::WaitCertificate, client13::WaitPeerVerified,
                             client13::WaitCertificateVerify, client13::WaitFinished, client13::WaitCredential,
                             client13::WaitSignature,  //
                             server13::WaitClientHello, server13::WaitSecondClientHello, server13::WaitTicketOpened,
                             server13::WaitSessionVerified, server13::WaitEarlyDataJudged, server13::WaitCredential,
                             server13::WaitSignature, server13::WaitEndOfEarlyData, server13::WaitCertificate,
                             server13::WaitPeerVerified, server13::WaitCertificateVerify, server13::WaitFinished,
                             server13::WaitTicketSealed,  //
                             Connected>;

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

  /// Client: sends the ClientHello.
  [[nodiscard]] Status start_client(x509::PeerName name, std::span<Session> sessions, Time now) noexcept;
  /// Server: waits for one.
  void start_server() noexcept;

  /// Takes handshake bytes, whole messages or not, and goes on as far as it can. Only while `ready`.
  [[nodiscard]] Status receive(Bytes content, Time now) noexcept;
  /// Goes on with what was received before, after an answer.
  [[nodiscard]] Status proceed(Time now) noexcept;

  /// Whether more handshake bytes can be taken: nothing received waits for an answer.
  [[nodiscard]] bool ready() const noexcept { return !context_.suspended(); }
  [[nodiscard]] bool suspended() const noexcept { return context_.suspended(); }
  /// Whether received bytes of an incomplete message (or of messages not yet treated) are kept.
  [[nodiscard]] bool holds_input() const noexcept { return !inbox_.empty(); }
  /// Application data may flow: the peer's Finished was verified and ours is on its way.
  [[nodiscard]] bool complete() const noexcept {
    return connected() || std::holds_alternative<server13::WaitTicketSealed>(machine_);
  }
  /// Nothing more is to be done.
  [[nodiscard]] bool connected() const noexcept { return std::holds_alternative<Connected>(machine_); }
  /// Server: early data was taken and our flight is out, so that data may follow it.
  [[nodiscard]] bool answers_early_data() const noexcept {
    return context_.agreed.early_data == EarlyDataStatus::accepted &&
           (std::holds_alternative<server13::WaitEndOfEarlyData>(machine_) ||
            std::holds_alternative<server13::WaitFinished>(machine_));
  }
  /// Nothing was received yet.
  [[nodiscard]] bool untouched() const noexcept { return untouched_; }

  [[nodiscard]] EventQueue& events() noexcept { return context_.events; }
  [[nodiscard]] Context& context() noexcept { return context_; }
  [[nodiscard]] const Context& context() const noexcept { return context_; }
  /// Whether this token's answer is the one awaited.
  template <class Operation>
  [[nodiscard]] bool awaits(const Token<Operation>& token) const noexcept {
    return context_.pending != 0 && TokenAccess::matches(token, context_.control, context_.pending);
  }
  /// Gives an answer to the current state.
  template <class Operation, class Input>
  [[nodiscard]] Status answer(Token<Operation>& token, const Input& input, Place place) noexcept {
    TokenAccess::redeem(token);
    context_.pending = 0;
    context_.place = place;
    auto went = dispatch(machine_, input, context_);
    if (went) tell_state();
    return went;
  }
  [[nodiscard]] static PeerVerified peer_verified(const PeerAccepted& answer) noexcept { return PeerVerified(answer); }
  /// Whether the awaited token was dropped.
  [[nodiscard]] bool token_dropped() const noexcept;

  /// The state's name, for messages and charts.
  [[nodiscard]] std::string_view state_name() const noexcept;
  [[nodiscard]] const Machine& machine() const noexcept { return machine_; }

 private:
  [[nodiscard]] Status append(Bytes content) noexcept;
  [[nodiscard]] Status treat_messages() noexcept;
  [[nodiscard]] Status treat(HandshakeType type, Bytes body) noexcept;
  [[nodiscard]] bool accepts_type(HandshakeType type) const noexcept;
  /// Puts the state on the tape.
  void tell_state() const noexcept;

  bool untouched_ = true;
  Context context_;
  std::optional<x509::PeerName> expected_name_;
  std::vector<Session> sessions_;
  Machine machine_;

  // Received and not yet treated: a window into a block of the arena. Blocks never move, so views into them live as
  // long as the handshake.
  MutableBytes inbox_;
  std::size_t inbox_room_ = 0;  // behind the window
};

}  // namespace lockstep::handshake
