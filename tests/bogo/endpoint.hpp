#pragma once
// One connection of the shim: a socket, the engine, and the answers to its questions, given at once or late.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include <lockstep/answers.hpp>
#include <lockstep/connection.hpp>
#include <lockstep/tape.hpp>

#include "options.hpp"

namespace bogo {

constexpr int kDefaultCredential = -1;

/// A credential that may be shown.
struct Candidate {
  std::shared_ptr<const lockstep::Credential> credential;
  int number = kDefaultCredential;  ///< as `expect_selected_credential` counts
  bool must_match_issuer = false;
};

/// What outlives a connection.
struct Shared {
  std::shared_ptr<const lockstep::Config> config;
  std::vector<Candidate> candidates;  ///< in order of preference
  std::shared_ptr<const lockstep::TicketKeyring> tickets;
  std::shared_ptr<std::map<std::string, std::vector<std::uint8_t>>> sessions;  ///< of a server, by id
  lockstep::RandomSource* random = nullptr;
  lockstep::Time now{};
};

/// Why a connection does not go on.
struct Stop {
  std::optional<lockstep::Error> error;  ///< the engine's
  std::string text;                      ///< or what the shim found wrong
  bool not_implemented = false;          ///< the peer wants what the product does not have
};

/// What became of the handshake.
struct Agreed {
  bool resumed = false;
  std::string server_name;
  std::vector<std::vector<std::uint8_t>> peer_chain;
  std::vector<std::uint8_t> own_finished;
  std::vector<std::uint8_t> peer_finished;
  std::vector<std::uint8_t> ocsp_response;
  std::vector<std::uint8_t> sct_list;
};

/// How many questions the engine put.
struct Asked {
  int credential = 0;
  int selected_credential = kDefaultCredential;  ///< which was shown; this one also when none was
  int open_ticket = 0;
  int seal_ticket = 0;
  bool session_id = false;                 ///< a session was stored under its id, or found by it
  std::chrono::seconds ticket_age_skew{};  ///< what the client states, less what was seen
};

struct Data {
  std::vector<std::uint8_t> bytes;
};
struct HandshakeDone {};
struct PeerEnded {};  ///< close_notify, or the end of the stream
struct Reached {};    ///< what `stop_when` waits for
using Step = std::variant<Stop, HandshakeDone, Data, PeerEnded, Reached>;

class Endpoint {
 public:
  /// `retried` holds from when early data was rejected.
  Endpoint(const Options& options, const Options& retried, const Shared& shared, int socket,
           std::optional<lockstep::Session> offered);
  Endpoint(const Endpoint&) = delete;
  Endpoint& operator=(const Endpoint&) = delete;
  /// Says that we are done, reads what is left so that the peer can read our alert, and closes.
  ~Endpoint();

  /// Blocks until there is something to tell.
  [[nodiscard]] Step next();
  /// Seals and sends all of it; a stop when that is not possible.
  [[nodiscard]] std::optional<Stop> write(lockstep::Bytes bytes);
  /// Seals one record and sends its first byte only; `next` sends the rest after data came, as does `write`.
  [[nodiscard]] std::optional<Stop> write_unfinished(lockstep::Bytes bytes);
  /// Seals and sends as much of it as may go early; it is removed from `bytes`.
  [[nodiscard]] std::optional<Stop> write_early(lockstep::Bytes& bytes);
  [[nodiscard]] std::optional<Stop> write_early_unfinished(lockstep::Bytes bytes);
  /// `next` returns `Reached` once this is so.
  void stop_when(std::function<bool(const lockstep::Connection&)> condition) { until_ = std::move(condition); }
  /// Client: early data was offered and not taken.
  [[nodiscard]] bool early_data_rejected() const;
  [[nodiscard]] const Options& options() const { return *options_; }  ///< those that hold now
  /// Sends what is pending.
  [[nodiscard]] bool flush();
  /// Asks the engine, with no new input, whether it has something to tell, and answers its questions; a stop when it
  /// tells something else.
  [[nodiscard]] std::optional<Stop> idle();
  /// Client: answers what is asked about the session that it offers, before anything is said to the peer of it.
  [[nodiscard]] std::optional<Stop> judge_offer();

  /// What was sent and received, line by line as BoringSSL's message callback tells it; only with
  /// `expect_msg_callback`.
  [[nodiscard]] std::string messages() const;

  lockstep::Connection& engine() { return engine_; }
  const lockstep::Connection& engine() const { return engine_; }
  const Agreed& agreed() const { return agreed_; }
  const std::vector<std::uint8_t>& secret(bool of_client) const { return of_client ? client_secret_ : server_secret_; }
  const Asked& asked() const { return asked_; }
  bool peer_was_judged() const { return judged_; }
  bool key_usage_invalid() const { return key_usage_invalid_; }
  std::size_t sessions() const { return sessions_; }
  int renegotiations() const { return renegotiations_; }
  bool ticket_is_new() const { return session_ && session_->ticket != offered_ticket_; }
  const std::optional<lockstep::Session>& session() const { return session_; }  ///< the last that came
  std::optional<lockstep::Session> take_session() { return std::move(session_); }

 private:
  using Question =
      std::variant<std::monostate, lockstep::SelectConfig, lockstep::SelectCredential, lockstep::Sign,
                   lockstep::Decrypt, lockstep::Compute, lockstep::SelectPsk, lockstep::FindPsk, lockstep::VerifyPeer,
                   lockstep::OpenTicket, lockstep::AcceptEarlyData, lockstep::SealTicket>;

  std::optional<Step> handle(lockstep::Event& event);
  std::optional<Step> ask(Question question);
  std::optional<Step> answer_late();
  std::optional<Step> answer(Question& question);
  std::optional<Stop> reply(lockstep::SelectConfig& question);
  std::optional<Stop> reply(lockstep::SelectCredential& question);
  std::optional<Stop> reply(lockstep::Sign& question);
  std::optional<Stop> reply(lockstep::Decrypt& question);
  std::optional<Stop> reply(lockstep::Compute& question);
  std::optional<Stop> reply(lockstep::SelectPsk& question);
  std::optional<Stop> reply(lockstep::FindPsk& question);
  std::optional<Stop> reply(lockstep::VerifyPeer& question);
  std::optional<Stop> reply(lockstep::OpenTicket& question);
  std::optional<Stop> reply(lockstep::AcceptEarlyData& question);
  std::optional<Stop> reply(lockstep::SealTicket& question);
  std::optional<Stop> check_request(const lockstep::SelectCredential& question) const;
  const Candidate* choose(const lockstep::SelectCredential& question) const;
  /// Of one record that was sealed, to hold all of `size` bytes; the rest waits.
  std::optional<Stop> send_first_byte(lockstep::Bytes outbound, std::size_t size,
                                      const std::expected<lockstep::Sealed, lockstep::Misuse>& sealed);
  Stop stop(const lockstep::Error& error) const;
  bool peer_is_older(const lockstep::Error& error) const;
  bool waits_for_data() const;
  std::vector<std::uint8_t> ticket_key() const;
  bool exporter_fails() const;
  bool send_all(lockstep::Bytes bytes);
  bool receive_more();

  const Options* options_;
  const Options& retried_;
  std::function<bool(const lockstep::Connection&)> until_;
  const Shared& shared_;
  int socket_;
  std::vector<std::uint8_t> offered_ticket_;
  std::optional<lockstep::trace::Recorder> recorder_;
  lockstep::Connection engine_;

  std::vector<std::uint8_t> inbound_;
  std::size_t shown_ = 0;  ///< how many of `inbound_` the engine has seen: -async shows one more at a time
  std::vector<std::uint8_t> first_bytes_;  ///< enough to tell which version the peer speaks
  bool ended_ = false;
  std::vector<std::uint8_t> unsent_;
  bool key_updates_asked_ = false;

  Question late_;
  Agreed agreed_;
  Asked asked_;
  bool judged_ = false;
  bool key_usage_invalid_ = false;
  std::vector<std::uint8_t> client_secret_;
  std::vector<std::uint8_t> server_secret_;
  std::optional<lockstep::Session> session_;
  std::size_t sessions_ = 0;
  int renegotiations_ = 0;
};

}  // namespace bogo
