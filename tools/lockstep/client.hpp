#pragma once
// The parts of `lockstep client`: what the command line asks for, what stays the same for every connection of a run,
// and what one connection came to.

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <lockstep/blocking.hpp>
#include <lockstep/session.hpp>
#include <lockstep/x509.hpp>

#include "arguments.hpp"
#include "facts.hpp"
#include "family.hpp"
#include "starttls.hpp"
#include "terminal.hpp"
#include "tls_options.hpp"
#include "watch.hpp"

namespace lockstep::tool {

struct ClientOptions {
  OutputOptions output;
  TlsOptions tls;
  WatchOptions watch;
  std::string target;
  std::string address;
  std::string proxy;
  Family family = Family::any;
  std::string name;
  std::string server_name;
  std::vector<std::string> ca;
  bool insecure = false;
  std::string time;
  std::string certificate;
  std::string key;
  std::string passphrase_file;
  bool ocsp = false;
  bool scts = false;
  bool show_certificates = false;
  bool verify_again = false;
  std::string key_shares;
  Starttls starttls = Starttls::none;
  std::string session_in;
  std::string session_out;
  unsigned resume = 0;
  std::string get;
  std::vector<std::string> headers;
  bool include = false;
  bool fail = false;
  std::string output_file;
  bool output_by_name = false;
  bool keep_open = false;
  bool send_only = false;
  bool crlf = false;
  bool early_data = false;
  bool key_update = false;
  bool no_grease = false;
  bool no_middlebox = false;
  double connect_timeout = 30;
  double timeout = 0;
};

/// What stays the same for every connection of one run.
struct ClientPlan {
  HostAndPort target;
  std::optional<HostAndPort> proxy;
  std::string request;  ///< over HTTP; empty: standard input is sent
  std::string output;   ///< see `Output`
  x509::PeerName name;
  std::optional<x509::PeerName> server_name;
  std::shared_ptr<const x509::TrustAnchors> anchors;
  std::optional<Time> moment;
  blocking::Options connection;
};

/// What went wrong above TLS, or before it.
struct Complaint {
  std::string_view operation;
  std::string_view condition;
  std::string text;
  std::string advice;
};
using Trouble = std::variant<IoError, Complaint>;

/// What an HTTP server answered.
struct Answer {
  int status = 0;
  std::string reason;
  std::uint64_t body = 0;  ///< bytes
};

/// What one connection came to.
struct ClientOutcome {
  bool ok = false;
  bool connected = false;  ///< the handshake is complete
  int signal = 0;          ///< that ended it
  Facts facts;
  std::optional<Judgement> judgement;
  std::vector<std::vector<std::uint8_t>> chain;
  StaplesShown staples;
  std::string withheld;  ///< why the server did not get our certificate, which it asked for
  unsigned peer_key_updates = 0;
  unsigned renegotiations = 0;
  std::size_t early = 0;       ///< application bytes that went early; they may have been refused
  bool false_start = false;    ///< the request went before the handshake was complete
  std::uint64_t sent = 0;      ///< application bytes
  std::uint64_t received = 0;  ///< application bytes
  std::chrono::duration<double, std::milli> handshake{};
  std::chrono::duration<double, std::milli> total{};
  std::vector<Session> sessions;
  std::optional<Answer> answer;
  std::optional<Trouble> trouble;
};

[[nodiscard]] std::chrono::milliseconds milliseconds(double seconds);

/// Throws `UsageError` and `Failure`.
[[nodiscard]] ClientPlan plan_of(const ClientOptions& options);

/// One connection, from its first packet to its end; `number` counts those of the run.
[[nodiscard]] ClientOutcome connect_once(const ClientPlan& plan, const ClientOptions& options,
                                         std::span<Session> sessions, unsigned number);

/// What is said as soon as it is known, in text.
void print_agreement(const ClientOutcome& outcome, const ClientPlan& plan, const ClientOptions& options);
void print_end(const ClientOutcome& outcome, const ClientOptions& options);
void print_trouble(const ClientOutcome& outcome, const ClientOptions& options);
/// Everything about it, as JSON.
[[nodiscard]] Json report_of(const ClientOutcome& outcome, const ClientPlan& plan, const ClientOptions& options);

}  // namespace lockstep::tool
