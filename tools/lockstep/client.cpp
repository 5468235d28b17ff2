// lockstep client: connects, says what was agreed and whom it met, and pipes standard input and output.

#include "client.hpp"

#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "commands.hpp"
#include "files.hpp"
#include "interruption.hpp"

namespace lockstep::tool {
namespace {

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

/// The options, with the key log that the environment names where they name none, as in browsers and curl.
ClientOptions with_environment(ClientOptions options) {
  const char* key_log = std::getenv("SSLKEYLOGFILE");
  if (key_log == nullptr || *key_log == '\0' || !options.tls.key_log.empty()) return options;
  options.tls.key_log = key_log;
  print_warning("SSLKEYLOGFILE is set: this connection is logged as with --keylog");
  return options;
}

int run(const ClientOptions& given) {
  const ClientOptions options = with_environment(given);
  check(options.watch, options.tls);
  if (!options.session_out.empty()) check_secret_path(options.session_out);
  ClientPlan plan = plan_of(options);
  if (options.insecure) {
    print_warning("--insecure: the peer is NOT verified; anybody on the way can read and change this connection");
  }
  std::vector<Session> sessions;
  if (!options.session_in.empty()) sessions.push_back(read_session(options.session_in));

  const blocking::Canceller canceller;
  plan.connection.canceller = canceller;
  const Interruption interruption(canceller);
  bool ok = true;
  for (unsigned i = 0; i <= options.resume && ok; ++i) {
    const bool last = i == options.resume;
    ClientOutcome outcome = connect_once(plan, options, sessions, i);
    ok = outcome.ok;
    if (ok || outcome.signal != 0) print_end(outcome, options);
    print_trouble(outcome, options);
    if (options.output.json && !(ok && options.output.quiet)) {
      // A file name or a word of the command line that is no UTF-8 must not be what keeps the report back.
      err().line(report_of(outcome, plan, options).dump(-1, ' ', false, Json::error_handler_t::replace));
    }
    // As a shell has it for a program that the signal has ended.
    if (outcome.signal != 0) return 128 + outcome.signal;

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
  const auto options = std::make_shared<ClientOptions>();
  app->add_option("HOST", options->target,
                  "HOST[:PORT], a name or an address [443]; or a URL, https://HOST/PATH, to get")
      ->required()
      ->option_text(" ");
  app->add_option("-o,--output", options->output_file, "Write what is received to this file, not to standard output")
      ->option_text("FILE");
  app->add_flag("--crlf", options->crlf, "Send line ends of standard input as CRLF");
  auto* keep_open = app->add_flag("--keep-open", options->keep_open,
                                  "When standard input ends, leave the end of the connection to the peer");
  app->add_flag("--send-only", options->send_only, "No answer is due: none is no failure")->excludes(keep_open);
  app->add_option("--address", options->address, "Connect to this address; HOST still says who is expected")
      ->option_text("ADDRESS");
  add_family_options(*app, options->family);
  app->add_option("--proxy", options->proxy, "Connect through this HTTP proxy; 'env': the one that HTTPS_PROXY names")
      ->option_text("http://HOST:PORT|env");
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

  constexpr const char* kHttp = "HTTP";
  app->add_option("--get", options->get, "Send an HTTP GET for this path instead of standard input")
      ->option_text("PATH")
      ->group(kHttp);
  app->add_option("-H,--header", options->headers, "Send this field, too; may be repeated. Without a value: none of it")
      ->option_text("'NAME: VALUE'")
      ->group(kHttp);
  app->add_flag("-i,--include", options->include, "Write the answer's head in front of its body")->group(kHttp);
  app->add_flag("--fail", options->fail, "End with status 1, and write nothing, when the answer's is 400 or above")
      ->group(kHttp);
  app->add_flag("-O,--remote-name", options->output_by_name, "Write to a file that is called as the path's last part")
      ->excludes("--output")
      ->group(kHttp);

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
  app->add_flag("--insecure,--no-verify", options->insecure, "Accept anybody. DANGEROUS: there is no protection then")
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

  app->add_flag("--showcerts", options->show_certificates,
                "Write the certificates that the peer shows to standard output, as PEM")
      ->group(kTrust);

  add_tls_options(*app, options->tls, Role::client);
  constexpr const char* kProtocol = "Protocol";
  app->add_option("--key-share", options->key_shares, "Groups whose key shares are sent at once")
      ->option_text("LIST")
      ->group(kProtocol);
  app->add_flag("--early-data", options->early_data,
                "Send the request along with the ClientHello when resuming. It can be replayed (RFC 9846 8)")
      ->group(kProtocol);
  app->add_flag("--key-update", options->key_update, "Change both sides' keys before the first byte is sent")
      ->group(kProtocol);
  app->add_flag("--false-start", options->tls.false_start,
                "Send the request of --get a round trip before the handshake of TLS 1.2 is complete (RFC 7918)")
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
      "The connection's bytes, of an answer over HTTP its body, go to standard output, everything else to standard "
      "error;\n"
      "with --json one line of JSON for each connection. When standard input ends, close_notify is sent (but see\n"
      "--keep-open), and what the peer still sends is read. SIGINT and SIGTERM end the connection in good order.\n"
      "Examples:\n"
      "  lockstep client https://example.com/ -o page.html\n"
      "  lockstep client mail.example.com:587 --starttls smtp --json </dev/null\n"
      "  lockstep client localhost:8443 --ca ca.pem --resume 1 --get /");
  return {app, [options] { return run(*options); }};
}

}  // namespace lockstep::tool
