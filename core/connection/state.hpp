#pragma once
// What a connection holds: inline, and as little as possible once the handshake is over.

#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <lockstep/connection.hpp>

#include "connection/handshake_run.hpp"
#include "connection/receiving.hpp"
#include "connection/sending.hpp"
#include "handshake/connected.hpp"
#include "handshake/inbox.hpp"
#include "handshake/sessions.hpp"
#include "record/framing.hpp"
#include "record/sizer.hpp"
#include "trace/tap.hpp"

namespace lockstep {
namespace connection {

/// Moved from, or made without what it takes: every call is refused.
struct Unusable {};

/// Who we are to each other is being settled. A server has no run before the first record has come.
struct Handshaking {
  HandshakeRun::Owner run;
  SessionContext verification{};       ///< what the application verifies the peer by
  std::shared_ptr<void> attachment{};  ///< the application's, until there is a run
};

/// Application data may flow. The run stays until its last flight is sent and its events are reported, and with a
/// server until no ticket is left to be sealed. While the connection is renegotiated it is that handshake's.
struct Established {
  HandshakeRun::Owner run;
  handshake::LiveMachine machine;
  handshake::Agreed agreed;
  handshake::ConnectionSecrets secrets;
  handshake::Inbox inbox;
  record::RecordSizer sizer;
  std::unique_ptr<const handshake::SessionOrigin> origin;  ///< client: of the sessions to come
  std::unique_ptr<std::vector<Session>> sessions;          ///< received and not yet reported
  std::unique_ptr<handshake::Former> former;               ///< TLS 1.2: where there may be another handshake
  std::uint8_t tickets_taken = 0;
};

/// It has failed, or was canceled: an alert may be due, nothing else.
struct Ended {
  HandshakeRun::Owner run;
  handshake::Agreed agreed;
  Error error;
};

using Phase = std::variant<Unusable, Handshaking, Established, Ended>;

}  // namespace connection

struct Connection::State {
  /// A connection that is no connection, for the error of every call.
  State() noexcept = default;
  State(State&& other) noexcept;
  State& operator=(State&&) = delete;

  // --- connection.cpp
  /// What `Connection::client` and `server` give. `tap` and `rewriter` may be null.
  [[nodiscard]] static State make(Role role, std::shared_ptr<const Config> config, RandomSource* random,
                                  MutableBytes memory) noexcept;
  void start_client(ClientOptions&& options, Time now, trace::Tap* tap = nullptr,
                    handshake::Rewriter* rewriter = nullptr) noexcept;
  void start_server(ServerOptions options, trace::Tap* tap = nullptr, handshake::Rewriter* rewriter = nullptr) noexcept;
  /// Ends the connection with an error of ours; its alert is to be sent.
  void fail(const Error& error) noexcept;
  void fail(Reason reason, Place place) noexcept { fail(make_error(reason, place)); }
  /// Goes on to application data once the handshake is complete.
  void establish() noexcept;
  /// Hands the handshake's memory back once nothing needs it.
  void retire() noexcept;
  /// Takes note of tokens that were dropped elsewhere.
  void notice_dropped_tokens() noexcept;
  template <class Operation, class Input>
  [[nodiscard]] std::expected<void, Misuse> answer(Token<Operation>& token, const Input& input, Place place) noexcept;
  [[nodiscard]] std::expected<void, Misuse> answer(Token<SelectConfig>& token, ConfigSelected&& selected) noexcept;
  [[nodiscard]] std::expected<void, Misuse> answer(Compute& done) noexcept;
  [[nodiscard]] std::expected<void, Misuse> answer(Token<SealTicket>& token,
                                                   const handshake::TicketSealed& input) noexcept;
  void close() noexcept;
  void cancel(Alert why) noexcept;
  [[nodiscard]] std::expected<void, Misuse> update_keys(bool request_peer) noexcept;
  /// Where a pre-shared key belongs: TLS 1.3 asks before there is an answer to the ClientHello.
  [[nodiscard]] Place psk_place() const noexcept {
    return agreed().version == ProtocolVersion::tls_1_2 ? Place::client_key_exchange : Place::client_hello;
  }
  [[nodiscard]] std::expected<void, Misuse> renegotiate(const handshake::Renegotiate& wish, Time now) noexcept;

  // --- receive.cpp
  [[nodiscard]] Received receive(MutableBytes inbound, Time now) noexcept;
  [[nodiscard]] Event receive_end() noexcept;
  // --- transmit.cpp
  [[nodiscard]] std::size_t transmit(MutableBytes outbound, Time now) noexcept;
  /// Whether there is something to write, and whether it can be written now.
  [[nodiscard]] bool output_due() const noexcept;
  [[nodiscard]] bool transmit_pending() const noexcept {
    return output_due() && sending.protection() != connection::Sending::Protection::keys_due;
  }
  [[nodiscard]] std::expected<Sealed, Misuse> seal(std::span<const Bytes> plaintext, MutableBytes outbound,
                                                   Time now) noexcept;
  [[nodiscard]] std::expected<MutableBytes, Misuse> seal_in_place(RecordSlot slot, Time now) noexcept;
  [[nodiscard]] std::expected<Sealed, Misuse> seal_early(std::span<const Bytes> plaintext, MutableBytes outbound,
                                                         Time now) noexcept;
  /// The largest record that may come now. Before the handshake is over, those that are skipped as early data come from
  /// a client that has heard of no limit.
  [[nodiscard]] std::size_t max_record() const noexcept {
    const std::size_t most = receiving.max_record();
    const bool limited = receiving.opener.limited() && established() != nullptr && receiving.opener.installed();
    return limited ? std::min(most, receiving.opener.limited_record()) : most;
  }
  // --- post_handshake.cpp
  [[nodiscard]] handshake::Status receive_post_handshake(Bytes content, Time now) noexcept;
  [[nodiscard]] std::size_t write_key_update(MutableBytes outbound) noexcept;
  [[nodiscard]] std::size_t write_hello_request(MutableBytes outbound) noexcept;
  /// Whether another handshake goes on beside the connection.
  [[nodiscard]] bool renegotiating() const noexcept;
  // --- offload.cpp
  [[nodiscard]] std::expected<void, Misuse> offload(Direction direction) noexcept;
  [[nodiscard]] std::expected<void, Misuse> forget_exporter() noexcept;
  /// The event that hands out keys which are due; nothing when none are.
  [[nodiscard]] std::optional<Event> keys_due() noexcept;

  // --- phases
  [[nodiscard]] connection::Established* established() noexcept { return std::get_if<connection::Established>(&phase); }
  [[nodiscard]] const connection::Established* established() const noexcept {
    return std::get_if<connection::Established>(&phase);
  }
  [[nodiscard]] bool usable() const noexcept { return !std::holds_alternative<connection::Unusable>(phase); }
  [[nodiscard]] bool handshaking() const noexcept { return std::holds_alternative<connection::Handshaking>(phase); }
  [[nodiscard]] const Error* error() const noexcept;
  /// The handshake, as long as something needs it.
  [[nodiscard]] connection::HandshakeRun* run() const noexcept {
    if (const auto* const stands = established()) return stands->run.get();
    return std::visit(
        []<class Phase>(const Phase& current) -> connection::HandshakeRun* {
          if constexpr (requires { current.run; }) return current.run.get();
          return nullptr;
        },
        phase);
  }
  /// What is agreed so far.
  [[nodiscard]] const handshake::Agreed& agreed() const noexcept;
  [[nodiscard]] const handshake::ConnectionSecrets* secrets() const noexcept;
  /// Those of a connection of TLS 1.2 that stands.
  [[nodiscard]] std::expected<const handshake::Secrets12*, Misuse> secrets12() const noexcept;
  /// Whether a server that took early data may answer to it, its flight being out.
  [[nodiscard]] bool answers_early_data() const noexcept {
    return handshaking() && run() != nullptr && run()->handshake.answers_early_data();
  }
  /// Whether a client may send application data before the server's Finished has come (RFC 7918).
  [[nodiscard]] bool starts_falsely() const noexcept { return handshaking() && agreed().false_start; }
  /// Early data that we may still send, or the peer; nothing outside of its time.
  [[nodiscard]] std::optional<std::size_t> early_data_left() const noexcept {
    return handshaking() && run() != nullptr ? run()->transport.early_data_left() : std::nullopt;
  }
  /// Why a call that needs a connection which stands is refused; nothing when it stands.
  [[nodiscard]] std::optional<Misuse> not_sendable() const noexcept;

  // --- the tape
  /// Where a recorded connection writes; null for others. It lives with the handshake, which a recorded connection
  /// keeps for that: a connection that is not recorded has nothing to ask once its handshake is gone.
  [[nodiscard]] trace::Tap* tap() const noexcept { return run() != nullptr ? run()->handshake.context().tap : nullptr; }
  /// For the tape: the number of our own token, 0 for any other.
  template <class Operation>
  [[nodiscard]] trace::TokenNumber number_of(const Token<Operation>& token) const noexcept {
    return run() != nullptr ? run()->handshake.context().pending.number_of(token) : 0;
  }
  /// Makes a call between its entry on the tape and its result's, if there is a tape.
  template <class Before, class Call, class After>
  auto recorded(Before before, Call call, After after) {
    trace::Tap* const to = tap();
    if (to == nullptr) return call();
    before(*to);
    auto result = call();
    after(*to, result);
    return result;
  }
  /// The same for calls that give nothing but a misuse.
  template <class Before, class Call>
  std::expected<void, Misuse> recorded(Before before, Call call) {
    return recorded(before, call, [](trace::Tap& to, const std::expected<void, Misuse>& result) {
      to.write(trace::Done{result ? std::optional<Misuse>() : std::optional(result.error())});
    });
  }

  // What the phase points into comes before it.
  std::shared_ptr<const Config> config;
  RandomSource* random = nullptr;
  MutableBytes supplied;  // the caller's block, until it is reclaimed
  std::shared_ptr<TokenWaker> waker;
  Role role{};
  connection::Receiving receiving;
  connection::Sending sending;
  connection::Phase phase;

 private:
  class Live;  // what messages after the handshake ask of us
  enum class Step : std::uint8_t { go_on, stop };
  /// Server: has a handshake from the first record on.
  [[nodiscard]] bool ensure_run() noexcept;
  /// False when there is no memory.
  [[nodiscard]] bool create_run() noexcept;
  /// Whether the handshake before is done with, so that another one may begin.
  [[nodiscard]] bool may_renegotiate() const noexcept;
  /// Begins another handshake, which takes `input`.
  [[nodiscard]] handshake::Status begin_renegotiation(Bytes input, Time now) noexcept;
  /// The connection goes on with what a renegotiation has come to.
  void adopt() noexcept;
  /// Goes on without it: the peer does not want to renegotiate. False where that is not what we have asked for.
  [[nodiscard]] bool renegotiation_refused() noexcept;
  void attach() noexcept;
  /// Of a run that is new: to whom it belongs.
  void prepare(connection::HandshakeRun& made) noexcept;
  [[nodiscard]] std::expected<void, Misuse> check_seal() noexcept;
  [[nodiscard]] Step process_record(const record::Header& header, MutableBytes record, ApplicationData& data,
                                    Time now) noexcept;
  [[nodiscard]] Step process_content(ContentType type, MutableBytes content, ApplicationData& data, Time now) noexcept;
  [[nodiscard]] Step process_plaintext(ContentType type, MutableBytes content, std::size_t record_size,
                                       ApplicationData& data, Time now) noexcept;
  /// A record, the first under its key or not, that could not be opened.
  [[nodiscard]] Step process_unopened(Reason reason, bool first, std::size_t record_size) noexcept;
  [[nodiscard]] Step process_data(MutableBytes content, ApplicationData& data) noexcept;
  /// Why data may not come now; early data is counted.
  [[nodiscard]] Reason judge_data(std::size_t size) noexcept;
  [[nodiscard]] Step process_handshake(Bytes content, Time now) noexcept;
  [[nodiscard]] Step process_alert(Bytes content) noexcept;
  [[nodiscard]] Step process_change_cipher_spec(MutableBytes record, Time now) noexcept;
  [[nodiscard]] Step refuse(Reason reason, Place place = Place::record) noexcept;
  /// Whether part of a handshake message has come, so that nothing else may come before its rest.
  [[nodiscard]] bool within_message() const noexcept;
  [[nodiscard]] std::optional<Event> waiting_event() noexcept;
};

}  // namespace lockstep
