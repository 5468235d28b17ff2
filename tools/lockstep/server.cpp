// lockstep server: accepts connections and shows, serves or echoes.

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>
#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <lockstep/blocking.hpp>
#include <lockstep/session.hpp>
#include <lockstep/x509.hpp>

#include "arguments.hpp"
#include "commands.hpp"
#include "facts.hpp"
#include "files.hpp"
#include "provider.hpp"
#include "service.hpp"
#include "terminal.hpp"
#include "tls_options.hpp"
#include "watch.hpp"

namespace lockstep::tool {
namespace {

struct Options {
  OutputOptions output;
  TlsOptions tls;
  WatchOptions watch;
  std::string address;
  std::uint16_t port = 8443;
  std::string port_file;
  std::vector<std::string> certificates;
  std::vector<std::string> keys;
  std::string passphrase_file;
  bool page = false;
  std::string directory;
  bool echo = false;
  ClientAuth client_auth = ClientAuth::none;
  std::vector<std::string> client_ca;
  std::string time;
  unsigned tickets = 2;
  std::string ticket_key;
  bool cookie = false;
  bool client_preference = false;
  bool once = false;
  unsigned long count = 0;
  unsigned threads = 64;
  double timeout = 30;
};

/// What every connection of one run shares.
struct Plan {
  blocking::Options connection;
  std::shared_ptr<const x509::TrustAnchors> client_anchors;
  std::optional<Time> moment;
  std::unique_ptr<const Service> service;
};

std::unique_ptr<const Service> service_of(const Options& options, std::chrono::milliseconds patience) {
  if ((options.page ? 1 : 0) + (options.echo ? 1 : 0) + (options.directory.empty() ? 0 : 1) > 1) {
    throw UsageError("choose one of --page, --dir and --echo");
  }
  if (options.echo) return make_echo(patience);
  return options.directory.empty() ? make_page(patience) : make_directory(patience, options.directory);
}

TicketKeys ticket_keys_of(const Options& options) {
  std::optional<TicketKey> key;
  if (options.ticket_key.empty()) {
    key = TicketKey::generate(random_source());
  } else {
    key = TicketKey::from_bytes(read_file(options.ticket_key, 4096).view());
    if (!key) {
      throw Failure(options.ticket_key + " is no ticket key: it must hold exactly 48 bytes",
                    "Make one with `head -c 48 /dev/urandom >FILE`, readable by its owner alone.");
    }
  }
  if (!key) throw Failure("the system gave no randomness for a ticket key");
  auto keys = TicketKeys::create(provider(), std::move(*key));
  if (!keys) throw Failure("the provider lacks what tickets are sealed with", "Say --tickets 0.");
  return std::move(*keys);
}

/// The names of the authorities, for clients that choose among certificates. A whole system store says nothing.
std::vector<std::vector<std::uint8_t>> names_of(const x509::TrustAnchors& anchors) {
  constexpr std::size_t kMostNames = 64;
  std::vector<std::vector<std::uint8_t>> names;
  if (anchors.size() > kMostNames) return names;
  for (std::size_t i = 0; i < anchors.size(); ++i) {
    const Bytes der = anchors[i].subject().der();
    names.emplace_back(der.begin(), der.end());
  }
  return names;
}

Plan plan_of(const Options& options) {
  if (options.certificates.empty()) {
    throw UsageError("a server needs a certificate: --cert FILE --key FILE (`lockstep cert self-signed` makes one)");
  }
  if (options.certificates.size() != options.keys.size()) {
    throw UsageError("every --cert needs its --key, in the same order");
  }
  ConfigBuilder builder = ConfigBuilder::server(provider());
  // Browsers and curl offer h2 as well; what answers here speaks HTTP/1.1.
  if (options.tls.alpn.empty() && !options.echo) builder.alpn({"http/1.1"});
  apply(options.tls, builder);
  builder.cookie(options.cookie).client_auth(options.client_auth).server_preference(!options.client_preference);
  builder.tickets(static_cast<std::uint8_t>(options.tickets)).resumption(options.tickets != 0);

  Plan plan;
  const std::chrono::milliseconds patience(static_cast<std::int64_t>(options.timeout * 1000));
  plan.service = service_of(options, patience);
  if (!options.time.empty()) plan.moment = parse_time(options.time);
  AnswerOptions answers{.provider = provider()};
  for (std::size_t i = 0; i < options.certificates.size(); ++i) {
    answers.credentials.push_back(read_credential(options.certificates[i], options.keys[i], options.passphrase_file));
  }
  if (options.client_auth != ClientAuth::none) {
    if (options.client_ca.empty()) {
      throw UsageError("--client-auth needs the authority that clients' certificates come from: --client-ca FILE");
    }
    plan.client_anchors = read_anchors(options.client_ca);
    builder.certificate_authorities(names_of(*plan.client_anchors));
    answers.anchors = plan.client_anchors;
  } else if (!options.client_ca.empty()) {
    throw UsageError("--client-ca needs --client-auth request or require");
  }
  if (options.tickets != 0) answers.ticket_keys = std::make_shared<TicketKeyring>(ticket_keys_of(options));
  auto setup = AnswerSetup::create(std::move(answers));
  if (!setup) throw Failure(setup.error().front().setting + ": " + setup.error().front().text);

  plan.connection.config = built(builder);
  plan.connection.answers = *setup;
  plan.connection.random = &random_source();
  plan.connection.handshake_timeout = patience;
  plan.connection.key_log = key_log_of(options.tls);
  return plan;
}

// --- one connection --------------------------------------------------------------------------------------------------

struct Outcome {
  Facts facts;
  std::optional<Judgement> judgement;
  std::vector<std::vector<std::uint8_t>> chain;
  unsigned peer_key_updates = 0;
  Traffic traffic;
  std::chrono::duration<double, std::milli> total{};
  bool connected = false;
  std::optional<IoError> trouble;
};

Outcome serve(blocking::Socket socket, const Plan& plan, const Options& options, std::uint64_t number) {
  const auto start = std::chrono::steady_clock::now();
  Outcome outcome;
  outcome.facts.peer = peer_address(socket.descriptor()).text();
  PeerCheck check(plan.client_anchors, x509::NoNameCheck{}, Role::client, plan.moment, false);
  blocking::Options connection = plan.connection;
  connection.intercept = [&check](Connection& engine, Event& event) { return check(engine, event); };
  Watch watch(options.watch, options.tls, options.once ? std::nullopt : std::optional(number));
  watch.attach(connection);

  auto stream = blocking::wrap(std::move(socket), connection, {.recorder = watch.recorder()});
  if (!stream) {
    outcome.trouble = stream.error();
    return outcome;
  }
  const auto shaken = stream->handshake();
  outcome.facts = facts_of(*stream);
  outcome.connected = shaken.has_value();
  if (!shaken) {
    outcome.trouble = check.explained(shaken.error());
    watch.failed();
  } else {
    const auto served = plan.service->serve(*stream, outcome.facts, check, outcome.traffic);
    if (!served)
      outcome.trouble = served.error();
    else if (const auto closed = stream->close(); !closed)
      outcome.trouble = closed.error();
  }
  outcome.judgement = check.judgement();
  outcome.chain = check.chain();
  outcome.peer_key_updates = check.peer_key_updates();
  outcome.total = std::chrono::steady_clock::now() - start;
  return outcome;
}

Json report_of(const Outcome& outcome) {
  Json report = {{"ok", !outcome.trouble}, {"connected", outcome.connected}};
  report.update(json_of(outcome.facts));
  if (outcome.judgement) {
    report["client_verdict"] = verdict_text(outcome.judgement->problems);
    report["problems"] = problems_json(outcome.judgement->problems);
  }
  if (!outcome.chain.empty()) {
    const auto leaf = x509::Certificate::parse(outcome.chain.front());
    report["client_certificate"] = leaf ? certificate_json(*leaf) : Json{{"error", leaf.error().text()}};
  }
  if (!outcome.traffic.request.empty()) report["request"] = printable(outcome.traffic.request);
  if (outcome.traffic.status != 0) report["status"] = outcome.traffic.status;
  report["peer_key_updates"] = outcome.peer_key_updates;
  report["bytes_received"] = outcome.traffic.received;
  report["bytes_sent"] = outcome.traffic.sent;
  report["total_ms"] = outcome.total.count();
  if (outcome.trouble) report["error"] = json_of(*outcome.trouble);
  return report;
}

std::string line_of(const Outcome& outcome) {
  const Facts& facts = outcome.facts;
  std::string line = out().styled(Style::bold, facts.peer);
  const auto add = [&line](const std::string& text) {
    if (!text.empty()) line += "  " + text;
  };
  if (outcome.connected) {
    add(facts.version);
    add(facts.suite);
    add(facts.group);
    add(facts.own_scheme);
    add(facts.server_name.empty() ? "" : "for " + printable(facts.server_name));
    add(facts.alpn.empty() ? "" : "ALPN " + printable(facts.alpn));
    add(facts.resumed ? "resumed" : "");
    add(outcome.traffic.request.empty() ? "" : "\"" + printable(outcome.traffic.request) + "\"");
    add(outcome.traffic.status == 0 ? "" : std::to_string(outcome.traffic.status));
    add(with_separators(outcome.traffic.received) + " in, " + with_separators(outcome.traffic.sent) + " out");
  }
  if (outcome.trouble) add(out().styled(Style::bad, outcome.trouble->text));
  return line;
}

// --- the run ---------------------------------------------------------------------------------------------------------

/// Threads that each accept a connection, serve it, and accept the next.
class Crew {
 public:
  Crew(const Plan& plan, const Options& options, blocking::Listener& listener, blocking::Canceller canceller)
      : plan_(plan), options_(options), listener_(listener), canceller_(std::move(canceller)) {
    left_ = options.once ? 1 : options.count;
    limited_ = left_ != 0;
  }

  void start() {
    const std::size_t size = limited_ ? std::min<std::size_t>(options_.threads, left_) : options_.threads;
    running_ = size;
    for (std::size_t i = 0; i < size; ++i) threads_.emplace_back([this] { work(); });
  }
  /// Becomes readable when every thread has come to its end by itself.
  [[nodiscard]] int finished_descriptor() const noexcept { return finished_.descriptor(); }
  /// Ends what is in progress.
  void stop() {
    canceller_.cancel();
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
  }
  [[nodiscard]] bool ok() const noexcept { return ok_; }

 private:
  void work() {
    while (auto socket = next()) {
      try {
        report(serve(std::move(*socket), plan_, options_, ++served_));
      } catch (const Failure& failure) {  // without its tape nothing is served
        print_failure("server", failure.what(), failure.advice());
        ok_ = false;
      }
    }
    if (--running_ == 0) finished_.cancel();
  }

  std::optional<blocking::Socket> next() {
    const std::scoped_lock lock(accepting_);
    for (;;) {
      if (canceller_.canceled() || (limited_ && left_ == 0)) return std::nullopt;
      auto socket = listener_.accept_plain({}, canceller_);
      if (socket) {
        if (limited_) --left_;
        return std::move(*socket);
      }
      if (canceller_.canceled()) return std::nullopt;
      // Out of descriptors, or a connection that ended before it was accepted: the next one may do.
      print_warning(socket.error().text);
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
  }

  void report(const Outcome& outcome) {
    const std::scoped_lock lock(reporting_);
    if (outcome.trouble && !canceller_.canceled()) ok_ = false;
    if (options_.output.json) {
      out().line(report_of(outcome).dump());
    } else if (!options_.output.quiet || outcome.trouble) {
      out().line(line_of(outcome));
    }
  }

  const Plan& plan_;
  const Options& options_;
  blocking::Listener& listener_;
  blocking::Canceller canceller_;
  blocking::Canceller finished_;
  std::mutex accepting_;
  std::mutex reporting_;
  unsigned long left_ = 0;  // guarded by accepting_
  bool limited_ = false;
  std::atomic<std::uint64_t> served_ = 0;
  std::atomic<bool> ok_ = true;
  std::atomic<std::size_t> running_ = 0;
  std::vector<std::thread> threads_;
};

/// SIGINT and SIGTERM as a descriptor. Made before any thread, so that all inherit the mask.
Descriptor blocked_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  return Descriptor(::signalfd(-1, &signals, SFD_CLOEXEC));
}

void announce(const Options& options, const Plan& plan, const Address& address) {
  if (!options.port_file.empty()) {
    write_file(options.port_file, as_bytes(std::to_string(address.port) + "\n"), Access::everybody);
  }
  if (options.output.json) {
    out().line(Json{{"listening", address.text()}, {"port", address.port}}.dump());
    return;
  }
  if (options.output.quiet) return;
  const char* what = options.echo ? "echoes" : options.directory.empty() ? "shows each connection" : "serves files";
  out().line("listening on " + out().styled(Style::bold, address.text()) + ", " + what + "; stop with Ctrl-C");
  for (const auto& credential : plan.connection.answers->options().credentials) {
    const auto leaf = x509::Certificate::parse(credential->chain.front());
    if (!leaf) continue;
    std::vector<std::string> names;
    for (const auto& name : leaf->alternative_names()) names.push_back(name.text());
    out().line("  " + to_text(credential->key->type()) + " for " + joined(names) + ", until " +
               x509::time_text(leaf->not_after()));
  }
}

int run(const Options& options) {
  check(options.watch, options.tls);
  const Plan plan = plan_of(options);
  const Descriptor signals = blocked_signals();
  const blocking::Canceller canceller;
  auto listener = blocking::Listener::listen(options.address, options.port, canceller);
  if (!listener) throw Failure(listener.error().text, "Choose another --port, or 0 for a free one.");
  announce(options, plan, listener->address());

  Crew crew(plan, options, *listener, canceller);
  crew.start();
  std::array<pollfd, 2> waiting{{{signals.number(), POLLIN, 0}, {crew.finished_descriptor(), POLLIN, 0}}};
  while (::poll(waiting.data(), waiting.size(), -1) < 0 && errno == EINTR) {
  }
  crew.stop();
  // A server that was told to stop has done its work; one that was to serve so many has done it when all went well.
  return waiting[0].revents != 0 || crew.ok() ? kSuccess : kFailed;
}

}  // namespace

Command server_command(CLI::App& program) {
  CLI::App* app = program.add_subcommand("server", "Accept connections: show them, serve files, or echo");
  const auto options = std::make_shared<Options>();
  app->add_option("--listen", options->address, "Address to listen on [every address]")->option_text("ADDRESS");
  app->add_option("--port", options->port, "Port [8443]; 0 takes a free one and says which")->option_text("PORT");
  app->add_option("--port-file", options->port_file, "Write the port to this file")->option_text("FILE");
  app->add_option("--cert", options->certificates,
                  "Certificate chain; repeat it for several, chosen by name and scheme")
      ->option_text("FILE");
  app->add_option("--key", options->keys, "The private key of each --cert, in the same order")->option_text("FILE");
  app->add_option("--passphrase-file", options->passphrase_file, "The keys' passphrase, on the first line")
      ->option_text("FILE");
  app->add_option("--threads", options->threads, "Most connections at once [64]")
      ->check(CLI::Range(1, 4096))
      ->option_text("N");
  app->add_flag("--once", options->once, "End after one connection; status 1 when it failed");
  app->add_option("--count", options->count, "End after so many; status 1 when one of them failed")
      ->check(CLI::PositiveNumber)
      ->option_text("N");
  app->add_option("--timeout", options->timeout, "For a handshake, and again for what follows [30]")
      ->check(CLI::Range(0.001, 86400.0))
      ->option_text("SECONDS");

  constexpr const char* kService = "What it does";
  app->add_flag("--page", options->page, "Show each connection its own details (the default)")->group(kService);
  app->add_option("--dir", options->directory, "Serve the files below this folder")
      ->option_text("FOLDER")
      ->group(kService);
  app->add_flag("--echo", options->echo, "Send back what comes")->group(kService);

  constexpr const char* kTrust = "Clients";
  const std::map<std::string, ClientAuth> modes = {
      {"none", ClientAuth::none}, {"request", ClientAuth::request}, {"require", ClientAuth::require}};
  app->add_option("--client-auth", options->client_auth, "Whether clients are asked for certificates [none]")
      ->transform(CLI::CheckedTransformer(modes).description(""))
      ->option_text("none|request|require")
      ->group(kTrust);
  app->add_option("--client-ca", options->client_ca, "File or directory of the authorities that they come from")
      ->option_text("PATH")
      ->group(kTrust);
  app->add_option("--time", options->time, "Judge clients' certificates as of this moment [now]")
      ->option_text("TIME")
      ->group(kTrust);

  add_tls_options(*app, options->tls);
  constexpr const char* kProtocol = "Protocol";
  app->add_flag("--cookie", options->cookie, "Send a cookie with HelloRetryRequest")->group(kProtocol);
  app->add_flag("--client-preference", options->client_preference, "Let the client's order of suites and groups decide")
      ->group(kProtocol);
  app->add_option("--tickets", options->tickets, "Tickets for each handshake [2]; 0: no resumption")
      ->check(CLI::Range(0, 16))
      ->option_text("N")
      ->group(kProtocol);
  app->add_option("--ticket-key", options->ticket_key, "48 secret bytes that several servers may share [made anew]")
      ->option_text("FILE")
      ->group(kProtocol);
  add_watch_options(*app, options->watch);
  add_output_options(*app, options->output);
  app->footer(
      "Reports go to standard output: a line for each connection when it ends, with --json as JSON.\n"
      "SIGINT and SIGTERM end what is in progress and stop with status 0.\n"
      "Example:\n"
      "  lockstep cert self-signed --name localhost --out server\n"
      "  lockstep server --cert server.pem --key server.key.pem --port 8443");
  return {app, [options] { return run(*options); }};
}

}  // namespace lockstep::tool
