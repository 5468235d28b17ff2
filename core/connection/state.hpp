#pragma once
// What a connection holds: inline, and as little as possible once the handshake is over.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <lockstep/connection.hpp>

#include "connection/record_transport.hpp"
#include "handshake/handshake.hpp"
#include "handshake/session_ticket13.hpp"
#include "record/framing.hpp"
#include "record/opener.hpp"
#include "record/sealer.hpp"
#include "record/sizer.hpp"
#include "trace/tap.hpp"

namespace lockstep {

namespace connection {

/// A handshake with its memory and transport, in one block.
class Run {
 public:
  /// In `memory` if it suffices, else on the heap. Null when there is no memory.
  static Run* create(const Config& config, RandomSource& random, MutableBytes memory) noexcept;
  struct Destroy {
    /// Wipes everything.
    void operator()(Run* run) const noexcept;
  };
  using Owner = std::unique_ptr<Run, Destroy>;

  handshake::Arena arena;
  RecordTransport transport;
  handshake::Handshake handshake;

 private:
  Run(const Config& config, RandomSource& random, MutableBytes rest, bool on_heap) noexcept
      : arena(rest, config.settings().handshake_memory),
        transport(config.settings(), arena),
        handshake({config, random, transport, arena}),
        on_heap_(on_heap) {
    transport.attach(handshake);
  }
  ~Run() = default;
  bool on_heap_;
};

/// Control records that wait for `transmit`.
struct Control {
  enum class KeyUpdate : std::uint8_t { none, not_requested, requested };
  KeyUpdate key_update = KeyUpdate::none;
  bool user_canceled = false;
  bool alert_due = false;
  Alert alert{};

  [[nodiscard]] bool empty() const noexcept { return key_update == KeyUpdate::none && !user_canceled && !alert_due; }
};

/// Whether something else protects the records of a direction.
struct Offload {
  bool on = false;
  bool keys_due = false;  ///< to be told
};

}  // namespace connection

struct Connection::State {
  // --- receive.cpp
  [[nodiscard]] Received receive(MutableBytes inbound, Time now) noexcept;
  [[nodiscard]] Event receive_end() noexcept;
  // --- transmit.cpp
  [[nodiscard]] std::size_t transmit(MutableBytes outbound) noexcept;
  [[nodiscard]] bool transmit_pending() const noexcept;
  [[nodiscard]] std::expected<Sealed, Misuse> seal(std::span<const Bytes> plaintext, MutableBytes outbound,
                                                   Time now) noexcept;
  [[nodiscard]] std::expected<MutableBytes, Misuse> seal_in_place(RecordSlot slot, Time now) noexcept;
  [[nodiscard]] std::expected<Sealed, Misuse> seal_early(std::span<const Bytes> plaintext,
                                                         MutableBytes outbound) noexcept;
  // --- post_handshake.cpp
  [[nodiscard]] handshake::Status receive_post_handshake(Bytes content, Time now) noexcept;
  [[nodiscard]] std::size_t write_key_update(MutableBytes outbound) noexcept;
  // --- connection.cpp
  void start(Time now, ClientOptions options, handshake::Rewriter* rewriter = nullptr,
             trace::Tap* tap = nullptr) noexcept;
  /// Ends the connection with an error of ours; its alert is to be sent.
  void fail(const Error& error) noexcept;
  void fail(Reason reason, Place place) noexcept { fail(make_error(reason, place)); }
  /// Hands the handshake's memory back once nothing needs it.
  void retire() noexcept;
  /// Takes over what outlives the handshake.
  void adopt() noexcept;
  template <class Operation, class Input>
  [[nodiscard]] std::expected<void, Misuse> answer(Token<Operation>& token, const Input& input, Place place) noexcept;
  /// What is agreed so far.
  [[nodiscard]] const handshake::Agreed& agreed_now() const noexcept {
    return complete || !run ? agreed : run->handshake.context().agreed;
  }
  [[nodiscard]] bool sendable() const noexcept { return complete && !failed && !closed; }
  /// Whether application data may be sealed: also by a server that took early data, once its flight is out.
  [[nodiscard]] bool may_seal() const noexcept { return complete || answers_early_data(); }
  [[nodiscard]] bool answers_early_data() const noexcept {
    return !complete && !failed && run && run->handshake.answers_early_data();
  }
  [[nodiscard]] const handshake::ConnectionSecrets& secrets_now() const noexcept {
    return complete || !run ? secrets : run->handshake.context().secrets;
  }
  /// Early data that we may still send, or the peer; nothing outside of its time.
  [[nodiscard]] std::optional<std::size_t> early_data_left() const noexcept {
    if (failed || !run) return std::nullopt;
    return run->transport.early_data_left();
  }
  void close() noexcept;
  void cancel(Alert why) noexcept;
  [[nodiscard]] std::expected<void, Misuse> update_keys(bool request_peer) noexcept;
  // --- offload.cpp
  [[nodiscard]] std::expected<void, Misuse> offload(Direction direction) noexcept;
  /// The event that hands out keys which are due; nothing when none are.
  [[nodiscard]] std::optional<Event> keys_due() noexcept;

  /// Where a recorded connection writes; null for others. It lives with the handshake, which a recorded connection
  /// keeps for that: a connection that is not recorded has nothing to ask once its handshake is gone.
  [[nodiscard]] trace::Tap* tap() const noexcept { return run ? run->handshake.context().tap : nullptr; }
  /// For the tape: the number of our own token, 0 for any other.
  template <class Operation>
  [[nodiscard]] trace::TokenNumber number_of(const Token<Operation>& token) const noexcept {
    return run ? TokenAccess::number(token, run->handshake.context().control) : 0;
  }
  /// Puts the result of a call on the tape.
  std::expected<void, Misuse> done(std::expected<void, Misuse> result) const noexcept;

  record::Opener opener;
  record::Sealer sealer;
  handshake::ConnectionSecrets secrets;
  handshake::Agreed agreed;
  std::shared_ptr<const Config> config;
  RandomSource* random = nullptr;
  connection::Run::Owner run;
  MutableBytes supplied;                                   // the caller's block, until it is reclaimed
  std::unique_ptr<const handshake::SessionOrigin> origin;  // client: of the sessions to come
  std::unique_ptr<std::vector<Session>> sessions;          // received in one record, not yet told
  std::unique_ptr<std::vector<std::uint8_t>> partial;      // the beginning of a fragmented post-handshake message
  record::RecordSizer sizer;
  Error error;
  connection::Control control;
  std::uint8_t empty_records = 0;
  std::uint8_t key_updates = 0;
  std::uint8_t warnings = 0;
  bool any_record = false;  // a record was accepted: the peer speaks TLS
  bool complete = false;    // application data may flow
  bool failed = false;
  bool closed = false;       // close_notify is due or sent
  bool peer_closed = false;  // close_notify was received
  bool tell_peer_closed = false;
  bool tell_key_update = false;
  connection::Offload receiving;
  connection::Offload sending;

 private:
  enum class Step : std::uint8_t { go_on, stop };
  [[nodiscard]] std::expected<void, Misuse> check_seal() noexcept;
  [[nodiscard]] Step treat_record(const record::Header& header, MutableBytes record, ApplicationData& data,
                                  Time now) noexcept;
  [[nodiscard]] Step treat_content(ContentType type, MutableBytes content, ApplicationData& data, Time now) noexcept;
  [[nodiscard]] Step treat_plaintext(ContentType type, MutableBytes content, std::size_t record_size,
                                     ApplicationData& data, Time now) noexcept;
  [[nodiscard]] Step treat_handshake(Bytes content, Time now) noexcept;
  [[nodiscard]] Step treat_alert(Bytes content) noexcept;
  [[nodiscard]] Step treat_change_cipher_spec(const record::Header& header, Bytes fragment) noexcept;
  [[nodiscard]] Step refuse(Reason reason, Place place = Place::record) noexcept;
  [[nodiscard]] record::Stream stream() const noexcept;
  [[nodiscard]] std::optional<Event> waiting_event() noexcept;
  [[nodiscard]] handshake::Status treat_post_handshake(Bytes message, bool last, Time now) noexcept;
  [[nodiscard]] handshake::Status take_ticket(Bytes body, Time now);
  [[nodiscard]] handshake::Status take_key_update(Bytes body) noexcept;
};

}  // namespace lockstep
