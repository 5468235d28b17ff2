#pragma once
// What `lockstep server` is told, and how it goes about it: with threads that block, or with event loops.

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <lockstep/answers.hpp>
#include <lockstep/config.hpp>
#include <lockstep/io.hpp>
#include <lockstep/x509.hpp>

#include "explain.hpp"
#include "facts.hpp"
#include "service.hpp"
#include "terminal.hpp"
#include "tls_options.hpp"
#include "watch.hpp"

namespace lockstep::tool {

struct ServerOptions {
  OutputOptions output;
  TlsOptions tls;
  WatchOptions watch;
  std::string address;
  std::uint16_t port = 8443;
  std::string port_file;
  std::vector<std::string> certificates;
  std::vector<std::string> keys;
  std::string passphrase_file;
  std::vector<std::string> ocsp_responses;
  std::vector<std::string> sct_lists;
  bool page = false;
  std::string directory;
  bool echo = false;
  ClientAuth client_auth = ClientAuth::none;
  std::vector<std::string> client_ca;
  bool accept_unverified = false;
  std::string time;
  unsigned tickets = 2;
  std::string ticket_key;
  bool session_ids = false;
  std::uint32_t early_data = 0;
  bool cookie = false;
  bool client_preference = false;
  bool client_preference_of_groups = false;
  bool strict_names = false;
  bool once = false;
  unsigned long count = 0;
  std::string loop = "blocking";
  unsigned threads = 0;
  double timeout = 30;
};

/// What every connection of one run shares.
struct ServerPlan {
  std::shared_ptr<const ServerConfig> config;
  std::shared_ptr<const AnswerSetup> answers;
  std::function<void(std::string_view)> key_log;
  std::chrono::milliseconds patience{};
  std::shared_ptr<const x509::TrustAnchors> client_anchors;
  bool ask_clients = false;
  bool accept_unverified = false;
  std::optional<ClientAuth> renegotiate;  ///< with every client, and what to ask of it then
  std::optional<Time> moment;
  x509::Policy policy;
  std::unique_ptr<const Service> service;  ///< null: echo
};

/// What decides over handshakes: certificates, clients, protocol.
void add_configuration_options(CLI::App& app, ServerOptions& options);
/// Throws `UsageError` and `Failure`.
[[nodiscard]] ServerPlan plan_of(const ServerOptions& options);

/// One connection, when it has ended.
struct Outcome {
  Facts facts;
  std::optional<Judgement> judgement;
  std::vector<std::vector<std::uint8_t>> chain;
  unsigned peer_key_updates = 0;
  unsigned renegotiations = 0;
  std::uint64_t early_bytes = 0;
  Traffic traffic;
  std::chrono::duration<double, std::milli> total{};
  bool connected = false;
  std::optional<IoError> trouble;
  std::optional<std::expected<Explained, Error>> explained;  ///< with --explain, of a handshake that failed
};

/// Prints outcomes, from any thread.
class Reports {
 public:
  explicit Reports(const OutputOptions& output) noexcept : output_(output) {}
  void add(const Outcome& outcome);
  /// Whether outcomes without trouble are wanted at all.
  [[nodiscard]] bool wants_all() const noexcept { return output_.json || !output_.quiet; }

 private:
  OutputOptions output_;
  std::mutex mutex_;
};

/// Says where it listens.
void announce(const ServerOptions& options, const ServerPlan& plan, const Address& address);

/// Serves until a signal comes (`signals` becomes readable) or enough connections have ended; the exit status.
int serve_blocking(const ServerOptions& options, const ServerPlan& plan, const Descriptor& signals);
int serve_in_loops(const ServerOptions& options, const ServerPlan& plan, const Descriptor& signals);

}  // namespace lockstep::tool
