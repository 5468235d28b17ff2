// lockstep client: connects, says what was agreed and whom it met, and pipes standard input and output.

#include <array>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <cstring>
#include <future>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <CLI/CLI.hpp>
#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <poll.h>
#include <unistd.h>

#include <lockstep/blocking.hpp>
#include <lockstep/session.hpp>
#include <lockstep/x509.hpp>

#include "arguments.hpp"
#include "commands.hpp"
#include "facts.hpp"
#include "files.hpp"
#include "http.hpp"
#include "provider.hpp"
#include "starttls.hpp"
#include "terminal.hpp"
#include "tls_options.hpp"
#include "watch.hpp"

namespace lockstep::tool {
namespace {

struct Options {
  OutputOptions output;
  TlsOptions tls;
  WatchOptions watch;
  std::string target;
  std::string address;
  std::string name;
  std::string server_name;
  std::vector<std::string> ca;
  bool no_verify = false;
  std::string time;
  std::string certificate;
  std::string key;
  std::string passphrase_file;
  bool ocsp = false;
  bool scts = false;
  bool verify_again = false;
  std::string key_shares;
  Starttls starttls = Starttls::none;
  std::string session_in;
  std::string session_out;
  unsigned resume = 0;
  std::string get;
  bool keep_open = false;
  bool early_data = false;
  bool key_update = false;
  bool no_grease = false;
  bool no_middlebox = false;
  double connect_timeout = 30;
  double timeout = 0;
};

/// What stays the same for every connection of one run.
struct Plan {
  HostAndPort target;
  x509::PeerName name;
  std::optional<x509::PeerName> server_name;
  std::shared_ptr<const x509::TrustAnchors> anchors;
  std::optional<Time> moment;
  blocking::Options connection;
};

/// What one connection came to.
struct Outcome {
  bool ok = false;
  Facts facts;
  std::optional<Judgement> judgement;
  std::vector<std::vector<std::uint8_t>> chain;
  StaplesShown staples;
  std::string withheld;  ///< why the server did not get our certificate, which it asked for
  unsigned peer_key_updates = 0;
  std::size_t early = 0;       ///< application bytes that went early; they may have been refused
  std::uint64_t sent = 0;      ///< application bytes
  std::uint64_t received = 0;  ///< application bytes
  std::chrono::duration<double, std::milli> handshake{};
  std::chrono::duration<double, std::milli> total{};
  std::vector<Session> sessions;
  std::optional<IoError> trouble;
};

std::chrono::milliseconds milliseconds(double seconds) {
  return std::chrono::milliseconds(static_cast<std::int64_t>(seconds * 1000));
}

x509::PeerName expected_name(const Options& options, const std::string& host) {
  const std::string& text = options.name.empty() ? host : options.name;
  const auto name = x509::PeerName::parse(text);
  if (name) return *name;
  throw UsageError("'" + printable(text) + "' is no name that a certificate could be for: " +
                   std::string(explanation(name.error())) + "; say --name NAME");
}

std::optional<x509::PeerName> asked_name(const Options& options) {
  if (options.server_name.empty()) return std::nullopt;
  if (options.server_name == "none") return x509::NoNameCheck{};
  auto name = x509::PeerName::dns(options.server_name);
  if (name) return std::move(*name);
  throw UsageError("--sni '" + printable(options.server_name) + "': " + std::string(explanation(name.error())) +
                   "; say a host name, or 'none'");
}

// A server's ticket sets the bound.
constexpr std::uint32_t kMostEarlyData = 1U << 20U;

Plan plan_of(const Options& options) {
  const HostAndPort target = parse_host_and_port(options.target, default_port(options.starttls));
  ClientConfigBuilder builder = ConfigBuilder::client(provider());
  apply(options.tls, builder);
  if (!options.key_shares.empty()) builder.key_shares(parse_groups(options.key_shares));
  builder.grease(!options.no_grease).middlebox_compatibility(!options.no_middlebox);
  builder.ocsp_stapling(options.ocsp).signed_certificate_timestamps(options.scts);
  builder.verify_on_resumption(options.verify_again);
  if (options.no_verify) builder.dangerous().skip_verification();
  if (options.early_data) {
    if (options.get.empty()) throw UsageError("--early-data sends the request of --get early; say --get PATH");
    if (options.session_in.empty() && options.resume == 0) {
      throw UsageError("--early-data needs a session to resume: --session-in FILE, or --resume N");
    }
    builder.early_data(kMostEarlyData);
  }

  if (options.certificate.empty() != options.key.empty()) throw UsageError("--cert and --key go together");
  AnswerOptions answers{.provider = provider(), .policy = policy_of(options.tls.policy)};
  if (options.tls.max_message != 0) answers.max_certificate_message = options.tls.max_message;
  answers.ignore_stapled_responses = options.ocsp;  // --ocsp says whether one came, and that nobody has judged it
  if (!options.certificate.empty()) {
    answers.credentials.push_back(read_credential(options.certificate, options.key, options.passphrase_file));
  }
  Plan plan{.target = target,
            .name = expected_name(options, target.host),
            .server_name = asked_name(options),
            .anchors = read_anchors(options.ca),
            .moment = options.time.empty() ? std::optional<Time>() : parse_time(options.time),
            .connection = {}};
  answers.anchors = plan.anchors;
  auto setup = AnswerSetup::create(std::move(answers));
  if (!setup) throw Failure(setup.error().front().setting + ": " + setup.error().front().text);

  plan.connection.config = built(builder);
  plan.connection.answers = *setup;
  plan.connection.random = &random_source();
  plan.connection.connect_timeout = milliseconds(options.connect_timeout);
  plan.connection.handshake_timeout = milliseconds(options.connect_timeout);
  plan.connection.key_log = key_log_of(options.tls);
  return plan;
}

// --- moving bytes ----------------------------------------------------------------------------------------------------

/// Pipes standard input into a stream from a thread of its own, until it ends or `stop` is called. Its end is that of
/// our side of the connection, unless that is kept open.
class InputPump {
 public:
  InputPump(blocking::Stream& stream, bool keep_open, std::uint64_t& sent)
      : stream_(stream), keep_open_(keep_open), sent_(sent) {
    std::packaged_task<void()> task([this] { run(); });
    done_ = task.get_future();
    thread_ = std::thread(std::move(task));
  }
  InputPump(const InputPump&) = delete;
  InputPump& operator=(const InputPump&) = delete;
  ~InputPump() { stop(); }

  /// After this the thread is gone, and `error` may be read. A write that the peer does not take is given up.
  void stop() {
    if (!thread_.joinable()) return;
    stopping_.cancel();
    if (done_.wait_for(std::chrono::seconds(1)) != std::future_status::ready) stream_.cancel();
    thread_.join();
  }
  [[nodiscard]] const std::optional<IoError>& error() const noexcept { return error_; }
  [[nodiscard]] bool half_closed() const noexcept { return half_closed_; }

 private:
  void run() {
    std::array<std::uint8_t, 65536> buffer;
    for (;;) {
      std::array<pollfd, 2> waiting{{{STDIN_FILENO, POLLIN, 0}, {stopping_.descriptor(), POLLIN, 0}}};
      if (::poll(waiting.data(), waiting.size(), -1) < 0 && errno != EINTR) break;
      if (stopping_.canceled()) return;
      if (waiting[0].revents == 0) continue;
      const ssize_t count = ::read(STDIN_FILENO, buffer.data(), buffer.size());
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0) break;
      const auto written = stream_.write(Bytes(buffer).first(static_cast<std::size_t>(count)));
      sent_ += written ? *written : written.error().transferred;
      if (!written) {
        error_ = written.error();
        return;
      }
    }
    if (keep_open_) return;
    half_closed_ = true;
    if (const auto closed = stream_.close_write(); !closed) error_ = closed.error();
  }

  blocking::Stream& stream_;
  bool keep_open_;
  bool half_closed_ = false;
  std::uint64_t& sent_;
  std::optional<IoError> error_;
  blocking::Canceller stopping_;
  std::future<void> done_;
  std::thread thread_;
};

void write_to_stdout(Bytes bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(STDOUT_FILENO, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) {
      throw Failure(std::string("standard output cannot be written: ") + std::strerror(errno),
                    "Whoever reads it has gone away, or the disk is full.");
    }
    bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
}

/// Reads to the end of the connection. True when the peer said close_notify.
IoResult<void> drain(blocking::Stream& stream, const Options& options, bool to_stdout, std::uint64_t& received) {
  for (;;) {
    if (options.timeout > 0) stream.set_read_deadline(blocking::after(milliseconds(options.timeout)));
    const auto view = stream.read_view();
    if (!view) return std::unexpected(view.error());
    if (view->empty()) return {};
    received += view->size();
    if (to_stdout) write_to_stdout(*view);
  }
}

std::string http_request(const Plan& plan, const std::string& path) {
  const std::string_view name = plan.name.host_name();
  const std::string host = http_host(name.empty() ? plan.target.host : name);
  // HTTP/1.0: the answer then ends with the connection and is not sent in chunks.
  return "GET " + path + " HTTP/1.0\r\nHost: " + host + "\r\nUser-Agent: lockstep\r\nAccept: */*\r\n\r\n";
}

/// What can be sent early is, when that is wanted.
IoResult<void> shake_hands(blocking::Stream& stream, const Plan& plan, const Options& options, Outcome& outcome) {
  if (options.early_data) {
    const auto early = stream.write_early(as_bytes(http_request(plan, options.get)));
    if (!early) return std::unexpected(early.error());
    outcome.early = *early;
  }
  return stream.handshake();
}

IoResult<void> converse(blocking::Stream& stream, const Plan& plan, const Options& options, bool last,
                        Outcome& outcome) {
  if (options.key_update) {
    if (auto updated = stream.update_keys(true); !updated) return updated;
  }
  if (!options.get.empty()) {
    const std::string request = http_request(plan, options.get);
    const bool arrived = stream.connection().early_data() == EarlyDataStatus::accepted;
    outcome.sent = arrived ? outcome.early : 0;
    const auto written = stream.write(as_bytes(request).subspan(outcome.sent));
    if (!written) return std::unexpected(written.error());
    outcome.sent += *written;
    return drain(stream, options, last, outcome.received);
  }
  if (!last) {  // only the last connection has standard input
    if (auto closed = stream.close_write(); !closed) return closed;
    return drain(stream, options, false, outcome.received);
  }
  InputPump pump(stream, options.keep_open, outcome.sent);
  const auto drained = drain(stream, options, true, outcome.received);
  pump.stop();
  if (!drained) return drained;
  if (pump.half_closed() && outcome.sent != 0 && outcome.received == 0) {
    print_warning(
        "the peer ended without a byte of answer; some servers give none once our side has ended, which --keep-open "
        "leaves to them");
  }
  if (pump.error() && pump.error()->condition != IoCondition::ended) return std::unexpected(*pump.error());
  return {};
}

// --- one connection --------------------------------------------------------------------------------------------------

void print_agreement(const Outcome& outcome, const Plan& plan, const Options& options) {
  if (options.output.quiet || options.output.json) return;
  std::vector<Row> rows = {{"connected to", outcome.facts.peer, Style::bold}};
  for (Row& row : rows_of(outcome.facts)) rows.push_back(std::move(row));
  if (outcome.judgement) {
    const bool ok = outcome.judgement->ok();
    rows.push_back(
        {"verdict",
         ok ? "ok, the certificate is good for " + plan.name.text() : verdict_text(outcome.judgement->problems),
         ok ? Style::good : Style::bad});
  } else if (outcome.facts.resumed) {
    rows.push_back({"verdict", "resumed: the peer proved its identity in the connection before", Style::good});
  }
  if (!outcome.facts.resumed || outcome.judgement) {
    const auto& [ocsp_response, scts] = outcome.staples;
    if (options.ocsp)
      rows.push_back({"OCSP", ocsp_response == 0 ? "no response was stapled"
                                                 : "a response of " + with_separators(ocsp_response) +
                                                       " bytes is stapled; it is not looked into"});
    if (options.scts)
      rows.push_back({"SCTs", scts == 0 ? "none came" : std::to_string(scts) + "; their signatures are not verified"});
  }
  if (!outcome.withheld.empty()) rows.push_back({"withheld", outcome.withheld, Style::bad});
  print_rows(err(), rows);
  if (!outcome.chain.empty()) {
    if (const auto leaf = x509::Certificate::parse(outcome.chain.front())) print_rows(err(), certificate_rows(*leaf));
  }
}

void print_end(const Outcome& outcome, const Options& options) {
  if (options.output.quiet || options.output.json) return;
  const auto ms = [](auto duration) { return std::to_string(std::llround(duration.count())) + " ms"; };
  print_rows(err(),
             std::vector<Row>{
                 {"bytes", with_separators(outcome.sent) + " sent, " + with_separators(outcome.received) + " received"},
                 {"time", ms(outcome.handshake) + " to connect, " + ms(outcome.total) + " in all"}});
}

void print_trouble(const Outcome& outcome, const Options& options) {
  if (options.output.json || !outcome.trouble) return;
  print_failure("client", outcome.trouble->text, "");
  if (!outcome.judgement) return;
  const auto& problems = outcome.judgement->problems;
  for (std::size_t i = 1; i < problems.size(); ++i) print_failure("client", "besides, " + problems[i].text, "");
}

Json report_of(const Outcome& outcome, const Plan& plan, const Options& options) {
  Json report = {
      {"ok", outcome.ok}, {"host", plan.target.host}, {"port", plan.target.port}, {"name", plan.name.text()}};
  report.update(json_of(outcome.facts));
  report["verified"] = outcome.judgement ? outcome.judgement->ok() : outcome.facts.resumed && !options.no_verify;
  if (outcome.judgement) {
    report["verdict"] = verdict_text(outcome.judgement->problems);
    report["problems"] = problems_json(outcome.judgement->problems);
  } else {
    report["verdict"] = outcome.facts.resumed ? "resumed" : "none";
  }
  report["chain"] = Json::array();
  for (const auto& der : outcome.chain) {
    const auto parsed = x509::Certificate::parse(der);
    report["chain"].push_back(parsed ? certificate_json(*parsed) : Json{{"error", parsed.error().text()}});
  }
  if (options.ocsp) report["ocsp_response_bytes"] = outcome.staples.ocsp_response;
  if (options.scts) report["scts"] = outcome.staples.scts;
  if (!outcome.withheld.empty()) report["certificate_withheld"] = printable(outcome.withheld);
  report["peer_key_updates"] = outcome.peer_key_updates;
  report["tickets"] = outcome.sessions.size();
  report["early_bytes"] = outcome.early;
  report["bytes_sent"] = outcome.sent;
  report["bytes_received"] = outcome.received;
  report["handshake_ms"] = outcome.handshake.count();
  report["total_ms"] = outcome.total.count();
  if (outcome.trouble) report["error"] = json_of(*outcome.trouble);
  return report;
}

Outcome connect_once(const Plan& plan, const Options& options, std::span<Session> sessions, unsigned number) {
  using Steady = std::chrono::steady_clock;
  const auto start = Steady::now();
  Outcome outcome;
  const bool last = number == options.resume;

  PeerCheck check(plan.anchors, plan.name, Role::server, plan.moment, policy_of(options.tls.policy), options.no_verify);
  const auto fail = [&](const IoError& error) { outcome.trouble = check.explained(error); };
  blocking::Options connection = plan.connection;
  connection.intercept = [&check](Connection& engine, Event& event) { return check(engine, event); };
  Watch watch(options.watch, options.tls,
              options.resume == 0 ? std::nullopt : std::optional<std::uint64_t>(number + 1));
  watch.attach(connection);

  const blocking::Deadline deadline = blocking::after(connection.connect_timeout);
  const std::string& address = options.address.empty() ? plan.target.host : options.address;
  auto socket = blocking::Socket::connect(address, plan.target.port, deadline);
  if (!socket) {
    fail(socket.error());
    return outcome;
  }
  start_tls(options.starttls, *socket, deadline);
  auto stream = blocking::wrap(
      std::move(*socket), connection,
      {.name = plan.name, .sessions = sessions, .recorder = watch.recorder(), .server_name = plan.server_name});
  if (!stream) {
    fail(stream.error());
    return outcome;
  }

  const auto shaken = shake_hands(*stream, plan, options, outcome);
  outcome.handshake = Steady::now() - start;
  outcome.facts = facts_of(*stream);
  outcome.judgement = check.judgement();
  outcome.chain = check.chain();
  outcome.staples = check.staples();
  if (const Withheld* withheld = stream->answers().withheld()) outcome.withheld = withheld->text;
  if (shaken) {
    print_agreement(outcome, plan, options);
    const auto conversed = converse(*stream, plan, options, last, outcome);
    if (!conversed) fail(conversed.error());
    outcome.sessions = stream->sessions();
    if (conversed) (void)stream->close();
  } else {
    fail(shaken.error());
    watch.failed();
    print_agreement(outcome, plan, options);
  }
  outcome.peer_key_updates = check.peer_key_updates();
  outcome.total = Steady::now() - start;
  outcome.ok = !outcome.trouble;
  return outcome;
}

// --- sessions --------------------------------------------------------------------------------------------------------

Session read_session(const std::string& path) {
  constexpr std::size_t kLongestSession = std::size_t{1} << 25U;
  auto session = Session::parse(read_secret(path, kLongestSession).view());
  if (!session) {
    throw Failure(path + " holds no session: " + std::string(name(session.error())),
                  "Make one with --session-out; releases with another format cannot read it.");
  }
  return std::move(*session);
}

void write_session(const std::string& path, const Session& session) {
  std::vector<std::uint8_t> bytes = session.serialize();
  write_secret(path, bytes);
  wipe(bytes);
}

// --- the run ---------------------------------------------------------------------------------------------------------

int run(const Options& options) {
  check(options.watch, options.tls);
  if (!options.session_out.empty()) check_secret_path(options.session_out);
  const Plan plan = plan_of(options);
  if (options.no_verify) {
    print_warning("--no-verify: the peer is NOT verified; anybody on the way can read and change this connection");
  }
  std::vector<Session> sessions;
  if (!options.session_in.empty()) sessions.push_back(read_session(options.session_in));

  bool ok = true;
  for (unsigned i = 0; i <= options.resume && ok; ++i) {
    const bool last = i == options.resume;
    Outcome outcome = connect_once(plan, options, sessions, i);
    ok = outcome.ok;
    if (ok) print_end(outcome, options);
    print_trouble(outcome, options);
    if (options.output.json) err().line(report_of(outcome, plan, options).dump());

    // RFC 9846 C.4: "Clients SHOULD NOT reuse a ticket for multiple connections." What is left from before goes.
    sessions = std::move(outcome.sessions);
    if (ok && !last && sessions.empty()) {
      throw Failure("the server gave no ticket, so there is nothing to resume with",
                    "Ask its operator whether it sends tickets, and keep the connection open for long enough.");
    }
  }
  if (ok && !options.session_out.empty()) {
    if (sessions.empty()) throw Failure("the server gave no ticket, so " + options.session_out + " was not written");
    write_session(options.session_out, sessions.back());
  }
  return ok ? kSuccess : kFailed;
}

}  // namespace

Command client_command(CLI::App& program) {
  CLI::App* app = program.add_subcommand("client", "Connect to a server; standard input and output are the connection");
  const auto options = std::make_shared<Options>();
  app->add_option("HOST", options->target, "HOST[:PORT]: a name or an address [443]")->required()->option_text(" ");
  app->add_option("--get", options->get, "Send an HTTP GET for this path instead of standard input")
      ->option_text("PATH");
  app->add_flag(
      "--keep-open", options->keep_open,
      "When standard input ends, say no close_notify before the peer does: some servers drop their answer then");
  app->add_option("--address", options->address, "Connect to this address; HOST still says who is expected")
      ->option_text("ADDRESS");
  app->add_option("--connect-timeout", options->connect_timeout, "For connecting, and again for the handshake [30]")
      ->check(CLI::Range(0.001, 86400.0))
      ->option_text("SECONDS");
  app->add_option("--timeout", options->timeout, "Give up when nothing arrives for so long [never]")
      ->check(CLI::Range(0.001, 86400.0))
      ->option_text("SECONDS");
  const std::map<std::string, Starttls> protocols = {
      {"smtp", Starttls::smtp}, {"imap", Starttls::imap}, {"ldap", Starttls::ldap}, {"postgres", Starttls::postgres}};
  app->add_option("--starttls", options->starttls, "Ask for TLS in this protocol first")
      ->transform(CLI::CheckedTransformer(protocols).description(""))
      ->option_text("smtp|imap|ldap|postgres");

  constexpr const char* kTrust = "Trust";
  app->add_option("--ca", options->ca, "File or directory of anchors; may be repeated [the system's]")
      ->option_text("PATH")
      ->group(kTrust);
  app->add_option("--name", options->name, "Expect this name, and ask for it by SNI [HOST]")
      ->group(kTrust)
      ->option_text("NAME");
  app->add_option("--sni", options->server_name, "Ask for this name instead, or 'none' for no name")
      ->group(kTrust)
      ->option_text("NAME");
  app->add_option("--time", options->time, "Judge certificates as of this moment [now]")
      ->group(kTrust)
      ->option_text("TIME");
  app->add_flag("--no-verify", options->no_verify, "Accept anybody. DANGEROUS: there is no protection then")
      ->group(kTrust);
  app->add_option("--cert", options->certificate, "Our own certificate chain, if the server asks")
      ->option_text("FILE")
      ->group(kTrust);
  app->add_option("--key", options->key, "Its private key")->option_text("FILE")->group(kTrust);
  app->add_option("--passphrase-file", options->passphrase_file, "The key's passphrase, on the first line")
      ->option_text("FILE")
      ->group(kTrust);

  app->add_flag("--ocsp", options->ocsp, "Ask for a stapled OCSP response, and say whether one came")->group(kTrust);
  app->add_flag("--scts", options->scts, "Ask for Signed Certificate Timestamps, and say how many came")->group(kTrust);

  add_tls_options(*app, options->tls);
  constexpr const char* kProtocol = "Protocol";
  app->add_option("--key-share", options->key_shares, "Groups whose key shares are sent at once")
      ->option_text("LIST")
      ->group(kProtocol);
  app->add_flag("--early-data", options->early_data,
                "Send the request along with the ClientHello when resuming. It can be replayed (RFC 9846 8)")
      ->group(kProtocol);
  app->add_flag("--key-update", options->key_update, "Change both sides' keys before the first byte is sent")
      ->group(kProtocol);
  app->add_flag("--no-grease", options->no_grease, "Do not send GREASE (RFC 8701)")->group(kProtocol);
  app->add_flag("--no-middlebox", options->no_middlebox, "No middlebox compatibility (RFC 9846 E.4)")->group(kProtocol);

  constexpr const char* kSessions = "Sessions";
  app->add_option("--session-out", options->session_out, "Write the newest session (secret; mode 0600)")
      ->option_text("FILE")
      ->group(kSessions);
  app->add_option("--session-in", options->session_in, "Resume the session in this file")
      ->option_text("FILE")
      ->group(kSessions);
  app->add_option("--resume", options->resume, "Then connect so many times again, resuming")
      ->check(CLI::Range(0, 10000))
      ->option_text("N")
      ->group(kSessions);
  app->add_flag("--verify-again", options->verify_again, "Judge the server's certificates again when resuming")
      ->group(kSessions);
  add_watch_options(*app, options->watch);
  add_output_options(*app, options->output);
  app->footer(
      "The connection's bytes go to standard output, everything else to standard error; with --json one line of JSON "
      "for\n"
      "each connection. When standard input ends, close_notify is sent (but see --keep-open), and what the peer still "
      "sends "
      "is read.\n"
      "Examples:\n"
      "  lockstep client example.com --get /\n"
      "  lockstep client mail.example.com:587 --starttls smtp --json </dev/null\n"
      "  lockstep client localhost:8443 --ca ca.pem --resume 1 --get /");
  return {app, [options] { return run(*options); }};
}

}  // namespace lockstep::tool
