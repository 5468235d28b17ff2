// lockstep verify: judges a chain of certificates without a connection.

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <lockstep/x509.hpp>

#include "arguments.hpp"
#include "commands.hpp"
#include "files.hpp"
#include "provider.hpp"
#include "terminal.hpp"
#include "tls_options.hpp"
#include "verdict.hpp"

namespace lockstep::tool {
namespace {

struct Options {
  OutputOptions output;
  std::string chain_file;
  std::string host;
  std::vector<std::string> ca;
  std::string time;
  std::string purpose = "server";
  bool any_name = false;
  PolicyOptions policy;
};

x509::PeerName expected_name(const Options& options) {
  if (options.host.empty()) {
    if (options.purpose == "server" && !options.any_name) {
      throw UsageError("say which server the chain is to be good for: --host NAME (or --any-name)");
    }
    return x509::NoNameCheck{};
  }
  const auto name = x509::PeerName::parse(options.host);
  if (!name) {
    throw UsageError("--host '" + printable(options.host) + "': " + std::string(explanation(name.error())));
  }
  return *name;
}

void print_certificate(std::size_t depth, Bytes der, const Judgement& judgement) {
  const auto certificate = x509::Certificate::parse(der);
  if (!certificate) {
    out().line(std::to_string(depth) + "  " +
               out().styled(Style::bad, "does not parse: " + certificate.error().text()));
    return;
  }
  const bool culprit = judgement.verdict.culprit && *judgement.verdict.culprit == *certificate;
  out().line("certificate " + std::to_string(depth) + (culprit ? out().styled(Style::bad, "  <- fails") : ""));
  print_rows(out(), certificate_rows(*certificate));
}

int run(const Options& options) {
  const x509::PeerName name = expected_name(options);
  const auto chain = read_chain(options.chain_file);
  const auto anchors = read_anchors(options.ca);
  const std::vector<Bytes> presented(chain.begin(), chain.end());
  const Time moment = options.time.empty() ? time_now() : parse_time(options.time);
  const std::int64_t seconds = std::chrono::floor<std::chrono::seconds>(moment.time_since_epoch()).count();
  const Judgement judgement = judge({.provider = provider(),
                                     .anchors = *anchors,
                                     .chain = presented,
                                     .peer = options.purpose == "client" ? Role::client : Role::server,
                                     .name = name,
                                     .time = seconds,
                                     .policy = policy_of(options.policy)});

  if (options.output.json) {
    Json certificates = Json::array();
    for (const Bytes der : presented) {
      const auto parsed = x509::Certificate::parse(der);
      certificates.push_back(parsed ? certificate_json(*parsed) : Json{{"error", parsed.error().text()}});
    }
    Json path = Json::array();
    for (const auto& certificate : judgement.verdict.chain) path.push_back(certificate.subject().text());
    const Json report = {{"ok", judgement.ok()},
                         {"verdict", x509::name(judgement.verdict.code)},
                         {"host", name.text()},
                         {"purpose", options.purpose},
                         {"time", x509::time_text(seconds)},
                         {"problems", problems_json(judgement.problems)},
                         {"presented", certificates},
                         {"path", path}};
    out().line(report.dump(2));
    return judgement.ok() ? kSuccess : kFailed;
  }

  if (!options.output.quiet) {
    for (std::size_t depth = 0; depth < presented.size(); ++depth)
      print_certificate(depth, presented[depth], judgement);
    if (judgement.ok()) {
      std::vector<std::string> path;
      for (const auto& certificate : judgement.verdict.chain) path.push_back(certificate.subject().text());
      out().line("path: " + joined(path, " <- "));
    }
  }
  if (judgement.ok()) {
    if (!options.output.quiet) {
      out().line("verdict: " + out().styled(Style::good, "ok") + (options.host.empty() ? "" : " for " + name.text()) +
                 " as a " + options.purpose + " at " + x509::time_text(seconds));
    }
    return kSuccess;
  }
  if (!options.output.quiet) {
    out().line("verdict: " + out().styled(Style::bad, "refused") + " (" + verdict_text(judgement.problems) + ")");
  }
  for (const Problem& problem : judgement.problems) print_failure("verify", problem.text, "");
  return kFailed;
}

}  // namespace

Command verify_command(CLI::App& program) {
  CLI::App* app = program.add_subcommand("verify", "Judge a chain of certificates");
  const auto options = std::make_shared<Options>();
  app->add_option("CHAIN", options->chain_file,
                  "PEM or DER file: the certificate first, then intermediates in any order")
      ->required()
      ->option_text(" ");
  app->add_option("--host", options->host, "The host name or address that it is to be good for")->option_text("NAME");
  app->add_flag("--any-name", options->any_name, "Any name will do");
  app->add_option("--ca", options->ca, "File or directory of anchors; may be repeated [the system's]")
      ->option_text("PATH");
  app->add_option("--time", options->time, "Judge as of this moment [now]")->option_text("TIME");
  app->add_option("--purpose", options->purpose, "What the certificate is used as")
      ->check(CLI::IsMember({"server", "client"}))
      ->option_text("server|client [server]");
  add_policy_options(*app, options->policy);
  add_output_options(*app, options->output);
  app->footer(
      "Problems bear the names that OpenSSL gives them. A wrong name or validity does not hide what else is wrong.\n"
      "Example: lockstep verify server.pem --host localhost --ca ca.pem");
  return {app, [options] { return run(*options); }};
}

}  // namespace lockstep::tool
