// lockstep server: accepts connections and shows, serves or echoes.

#include "server.hpp"

#include <map>
#include <mutex>
#include <utility>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <lockstep/lists.hpp>
#include <lockstep/session.hpp>
#include <lockstep/x509.hpp>

#include "arguments.hpp"
#include "commands.hpp"
#include "event_loops.hpp"
#include "files.hpp"
#include "provider.hpp"
#include "signals.hpp"

namespace lockstep::tool {
namespace {

std::unique_ptr<const Service> service_of(const ServerOptions& options) {
  if ((options.page ? 1 : 0) + (options.echo ? 1 : 0) + (options.directory.empty() ? 0 : 1) > 1) {
    throw UsageError("choose one of --page, --dir and --echo");
  }
  if (options.echo) return nullptr;
  return options.directory.empty() ? make_page() : make_directory(options.directory);
}

std::shared_ptr<TicketKeyring> ticket_keys_of(const ServerOptions& options) {
  if (options.ticket_key.empty()) {
    auto rotating = TicketKeyring::create(provider(), random_source());
    if (rotating == nullptr) throw Failure("neither provider nor system has what tickets take", "Say --tickets 0.");
    return rotating;
  }
  auto key = TicketKey::from_bytes(read_secret(options.ticket_key, 4096).view());
  if (!key) {
    throw Failure(options.ticket_key + " is no ticket key: it must hold exactly 48 bytes",
                  "Make one with `head -c 48 /dev/urandom >FILE`, readable by its owner alone.");
  }
  auto keys = TicketKeys::create(provider(), std::move(*key));
  if (!keys) throw Failure("the provider lacks what tickets are sealed with", "Say --tickets 0.");
  return std::make_shared<TicketKeyring>(std::move(*keys));
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

}  // namespace

ServerPlan plan_of(const ServerOptions& options) {
  const auto psks = psks_of(options.tls);
  if (options.certificates.empty() && psks == nullptr) {
    throw UsageError("a server needs a certificate: --cert FILE --key FILE (`lockstep cert self-signed` makes one)");
  }
  if (options.certificates.size() != options.keys.size()) {
    throw UsageError("every --cert needs its --key, in the same order");
  }
  const auto staple = [&options](const std::vector<std::string>& files, std::size_t index, const char* option) {
    if (files.size() > options.certificates.size())
      throw UsageError(std::string("every ") + option + " needs its --cert, in the same order");
    return index < files.size() ? files[index] : std::string();
  };
  ServerConfigBuilder builder = ConfigBuilder::server(provider());
  // Browsers and curl offer h2 as well; what answers here speaks HTTP/1.1.
  if (options.tls.alpn.empty() && !options.echo) builder.alpn({"http/1.1"});
  // Clients with and without a pre-shared key are welcome to a server that has a certificate, too.
  apply(options.tls, builder, !options.certificates.empty());
  if (options.client_auth == ClientAuth::require) builder.external_psks(ExternalPsks::none);
  // Where it is to be asked for in a renegotiation, that is not done before.
  const bool asks_later = options.tls.renegotiate == Renegotiate::begin;
  if (asks_later && options.client_auth == ClientAuth::require)
    throw UsageError("--renegotiate begin goes on with clients that do not; say --client-auth request");
  builder.client_auth(asks_later ? ClientAuth::none : options.client_auth);
  builder.cookie(options.cookie).server_preference(!options.client_preference);
  if (options.client_preference_of_groups) builder.server_preference_of_groups(false);
  builder.tickets(static_cast<std::uint8_t>(options.tickets)).resumption(options.tickets != 0 || options.session_ids);
  builder.session_ids(options.session_ids).select_config(options.strict_names);
  builder.early_data(options.early_data);
  builder.hand_out_computations(computes_together());

  ServerPlan plan;
  plan.patience = std::chrono::milliseconds(static_cast<std::int64_t>(options.timeout * 1000));
  plan.service = service_of(options);
  if (!options.time.empty()) plan.moment = parse_time(options.time);
  plan.policy = policy_of(options.tls.policy);
  AnswerOptions answers{.provider = provider(), .policy = plan.policy};
  answers.psks = psks;
  answers.refuse_unknown_names = options.strict_names;
  if (options.tls.max_message != 0) answers.max_certificate_message = options.tls.max_message;
  for (std::size_t i = 0; i < options.certificates.size(); ++i) {
    answers.credentials.push_back(
        with_staples(read_credential(options.certificates[i], options.keys[i], options.passphrase_file),
                     staple(options.ocsp_responses, i, "--ocsp-response"), staple(options.sct_lists, i, "--sct-list")));
  }
  if (options.client_auth != ClientAuth::none) {
    if (options.client_ca.empty() && !options.accept_unverified) {
      throw UsageError(
          "--client-auth needs the authority that clients' certificates come from: --client-ca FILE; or "
          "--accept-unverified");
    }
    if (!options.client_ca.empty()) {
      plan.client_anchors = read_anchors(options.client_ca);
      // One who takes any certificate does not ask for some.
      if (!options.accept_unverified) builder.certificate_authorities(names_of(*plan.client_anchors));
      answers.anchors = plan.client_anchors;
    }
    answers.dangerous.accept_unverified_peers = plan.accept_unverified = options.accept_unverified;
  } else if (!options.client_ca.empty() || options.accept_unverified) {
    throw UsageError("--client-ca and --accept-unverified need --client-auth request or require");
  }
  if (options.tickets != 0) answers.ticket_keys = ticket_keys_of(options);
  if (options.session_ids) answers.session_store = std::make_shared<SessionStore>();
  if (options.early_data != 0) {
    if (options.tickets == 0) throw UsageError("--early-data comes with tickets; --tickets 0 gives none");
    auto guard = ReplayGuard::create(provider(), random_source(), system_time());
    if (!guard) throw Failure(guard.error().front().setting + ": " + guard.error().front().text);
    answers.replay_guard = std::move(*guard);
  }
  auto setup = AnswerSetup::create(std::move(answers));
  if (!setup) throw Failure(setup.error().front().setting + ": " + setup.error().front().text);

  plan.config = built(builder);
  plan.answers = *setup;
  plan.key_log = key_log_of(options.tls);
  plan.ask_clients = options.client_auth != ClientAuth::none;
  if (asks_later) plan.renegotiate = options.client_auth;
  return plan;
}

namespace {

// --- reports -------------------------------------------------------------------------------------------------------

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
  if (outcome.traffic.requests > 1) report["requests"] = outcome.traffic.requests;
  report["peer_key_updates"] = outcome.peer_key_updates;
  report["renegotiations"] = outcome.renegotiations;
  report["early_bytes"] = outcome.early_bytes;
  report["bytes_received"] = outcome.traffic.received;
  report["bytes_sent"] = outcome.traffic.sent;
  report["total_ms"] = outcome.total.count();
  if (outcome.trouble) report["error"] = json_of(*outcome.trouble);
  if (outcome.explained) report["explanation"] = explanation_json(*outcome.explained);
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
    add(group_of(facts));
    add(facts.own_scheme);
    add(facts.server_name.empty() ? "" : "for " + printable(facts.server_name));
    add(facts.alpn.empty() ? "" : "ALPN " + printable(facts.alpn));
    add(facts.resumed ? "resumed" : "");
    add(facts.extended_master_secret.value_or(true) ? "" : "no extended master secret");
    add(facts.encrypt_then_mac.value_or(true) ? "" : "MAC-then-encrypt");
    add(facts.early_data == "none" ? "" : "early data " + facts.early_data);
    add(outcome.traffic.request.empty() ? "" : "\"" + printable(outcome.traffic.request) + "\"");
    add(outcome.traffic.requests > 1 ? "and " + with_separators(outcome.traffic.requests - 1) + " before it" : "");
    add(outcome.traffic.status == 0 ? "" : std::to_string(outcome.traffic.status));
    add(with_separators(outcome.traffic.received) + " in, " + with_separators(outcome.traffic.sent) + " out");
  }
  if (outcome.trouble) add(out().styled(Style::bad, on_command_line(outcome.trouble->text)));
  return line;
}

std::vector<std::string> loop_names() {
  std::vector<std::string> names = event_loop_names();
  names.insert(names.begin(), "blocking");
  return names;
}

int run(const ServerOptions& options) {
  check(options.watch, options.tls);
  const bool watched = options.watch.log.has_value() || options.watch.explain || !options.watch.tape.empty() ||
                       options.tls.key_log_failed;
  if (watched && options.loop != "blocking") {
    throw UsageError("--tape, --trace, --log-level, --explain and --keylog-failed need --loop blocking");
  }
  const Descriptor signals = blocked_signals();
  const ServerPlan plan = plan_of(options);
  return options.loop == "blocking" ? serve_blocking(options, plan, signals) : serve_in_loops(options, plan, signals);
}

}  // namespace

void Reports::add(const Outcome& outcome) {
  const std::scoped_lock lock(mutex_);
  if (output_.json) {
    out().line(report_of(outcome).dump());
  } else if (!output_.quiet || outcome.trouble) {
    out().line(line_of(outcome));
    if (outcome.explained) out().print(explanation(*outcome.explained));
  }
}

void announce(const ServerOptions& options, const ServerPlan& plan, const Address& address) {
  if (!options.port_file.empty()) {
    write_file(options.port_file, as_bytes(std::to_string(address.port) + "\n"));
  }
  if (options.output.json) {
    out().line(Json{{"listening", address.text()}, {"port", address.port}}.dump());
    return;
  }
  if (options.output.quiet) return;
  const char* what = options.echo ? "echoes" : options.directory.empty() ? "shows each connection" : "serves files";
  out().line("listening on " + out().styled(Style::bold, address.text()) + ", " + what + "; stop with Ctrl-C");
  for (const auto& credential : plan.answers->options().credentials) {
    const auto leaf = x509::Certificate::parse(credential->chain.front());
    if (!leaf) continue;
    std::vector<std::string> names;
    for (const auto& name : leaf->alternative_names()) names.push_back(name.text());
    out().line("  " + to_text(credential->key->type()) + " for " + joined(names) + ", until " +
               x509::time_text(leaf->not_after()));
  }
}

void add_configuration_options(CLI::App& app, ServerOptions& options) {
  app.add_option("--cert", options.certificates, "Certificate chain; repeat it for several, chosen by name and scheme")
      ->option_text("FILE");
  app.add_option("--key", options.keys, "The private key of each --cert, in the same order")->option_text("FILE");
  app.add_option("--passphrase-file", options.passphrase_file, "The keys' passphrase, on the first line")
      ->option_text("FILE");
  app.add_option("--ocsp-response", options.ocsp_responses,
                 "An OCSP response (DER) to staple to each --cert, in the same order, for clients that ask")
      ->option_text("FILE");
  app.add_option("--sct-list", options.sct_lists,
                 "Signed Certificate Timestamps (RFC 6962 3.3) for each --cert, in the same order")
      ->option_text("FILE");

  constexpr const char* kTrust = "Clients";
  const std::map<std::string, ClientAuth> modes = {
      {"none", ClientAuth::none}, {"request", ClientAuth::request}, {"require", ClientAuth::require}};
  app.add_option("--client-auth", options.client_auth, "Whether clients are asked for certificates [none]")
      ->transform(CLI::CheckedTransformer(modes).description(""))
      ->option_text("none|request|require")
      ->group(kTrust);
  app.add_option("--client-ca", options.client_ca, "File or directory of the authorities that they come from")
      ->option_text("PATH")
      ->group(kTrust);
  app.add_flag("--accept-unverified", options.accept_unverified,
               "Go on with clients whatever their certificates are worth, and say so. DANGEROUS: anybody can make one")
      ->group(kTrust);
  app.add_option("--time", options.time, "Judge clients' certificates as of this moment [now]")
      ->option_text("TIME")
      ->group(kTrust);

  add_tls_options(app, options.tls, Role::server);
  constexpr const char* kProtocol = "Protocol";
  app.add_flag("--cookie", options.cookie, "Send a cookie with HelloRetryRequest")->group(kProtocol);
  app.add_flag("--client-preference", options.client_preference, "Let the client's order of suites and groups decide")
      ->group(kProtocol);
  app.add_flag("--client-preference-of-groups", options.client_preference_of_groups,
               "Let the client's order of groups decide, and the server's of suites")
      ->group(kProtocol);
  app.add_flag("--strict-names", options.strict_names,
               "Refuse clients that ask for a name (SNI) which no --cert has, with unrecognized_name")
      ->group(kProtocol);
  app.add_option("--tickets", options.tickets,
                 "Tickets for each handshake, of which TLS 1.2 has one [2]; 0: none, and no resumption by them")
      ->check(CLI::Range(0, 16))
      ->option_text("N")
      ->group(kProtocol);
  app.add_option("--ticket-key", options.ticket_key, "48 secret bytes that several servers may share [made anew]")
      ->option_text("FILE")
      ->group(kProtocol);
  app.add_flag("--session-ids", options.session_ids,
               "TLS 1.2: keep sessions for clients that take no tickets, the newest 20,480 in memory")
      ->group(kProtocol);
  app.add_option("--early-data", options.early_data, "Most bytes of early data that are accepted, once [0]")
      ->check(CLI::Range(0, 1 << 20))
      ->option_text("BYTES")
      ->group(kProtocol);
}

Command server_command(CLI::App& program) {
  CLI::App* app = program.add_subcommand("server", "Accept connections: show them, serve files, or echo");
  const auto options = std::make_shared<ServerOptions>();
  app->add_option("--listen", options->address, "Address to listen on [every address]")->option_text("ADDRESS");
  app->add_option("--port", options->port, "Port [8443]; 0 takes a free one and says which")->option_text("PORT");
  app->add_option("--port-file", options->port_file, "Write the port to this file")->option_text("FILE");
  add_configuration_options(*app, *options);
  app->add_option("--loop", options->loop,
                  "A thread for each connection, or many connections in each thread [blocking]")
      ->check(CLI::IsMember(loop_names()))
      ->option_text(joined(loop_names(), "|"));
  app->add_option("--threads", options->threads, "Blocking: most connections at once [64]; otherwise: loops [1]")
      ->check(CLI::Range(1, 4096))
      ->option_text("N");
  app->add_flag("--once", options->once, "End after one connection; status 1 when it failed");
  app->add_option("--count", options->count, "End after so many; status 1 when one of them failed")
      ->check(CLI::PositiveNumber)
      ->option_text("N");
  app->add_option("--timeout", options->timeout, "For a handshake, and again for each request [30]")
      ->check(CLI::Range(0.001, 86400.0))
      ->option_text("SECONDS");

  constexpr const char* kService = "What it does";
  app->add_flag("--page", options->page, "Show each connection its own details (the default)")->group(kService);
  app->add_option("--dir", options->directory, "Serve the files below this folder")
      ->option_text("FOLDER")
      ->group(kService);
  app->add_flag("--echo", options->echo, "Send back what comes")->group(kService);

  add_watch_options(*app, options->watch);
  app->add_flag("--explain", options->watch.explain, "When a handshake fails, tell why, as `lockstep explain` does")
      ->group("Watching");
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
