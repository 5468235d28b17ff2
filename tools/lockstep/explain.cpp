// lockstep explain: why a server would choose what it chooses from a ClientHello.

#include "explain.hpp"

#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <lockstep/explain.hpp>

#include "arguments.hpp"
#include "commands.hpp"
#include "hello_source.hpp"
#include "server.hpp"

namespace lockstep::tool {
namespace {

struct Options {
  ServerOptions server;
  std::string file;
};

Json list_json(const std::vector<Weighed>& list) {
  Json array = Json::array();
  for (const Weighed& each : list) {
    array.push_back({{"name", printable(each.name)},
                     {"chosen", each.chosen},
                     {"possible", each.possible},
                     {"why", on_command_line(each.why)}});
  }
  return array;
}

Json failure_fields(const Error& error) {
  return {{"reason", name(error.reason)},
          {"alert", name(error.alert)},
          {"place", name(error.place)},
          {"text", on_command_line(to_text(error))}};
}

int run(const Options& options) {
  const ServerPlan plan = plan_of(options.server);
  const OutputOptions& output = options.server.output;
  Json hellos = Json::array();
  bool ok = true;
  for (const FoundHello& hello : client_hellos_in(options.file)) {
    const auto explained = explain({.client_hello = hello.message,
                                    .config = plan.config,
                                    .answers = plan.answers,
                                    .now = plan.moment.value_or(time_now())});
    ok = ok && explained && !explained->failure;
    if (output.json) {
      Json json = explanation_json(explained);
      if (!hello.from.empty()) json["from"] = hello.from;
      hellos.push_back(std::move(json));
      continue;
    }
    if (!hello.from.empty() && !output.quiet) out().line(out().styled(Style::bold, hello.from));
    if (!explained) {
      print_failure("explain", on_command_line(to_text(explained.error())), "");
    } else if (!output.quiet) {
      out().print(explanation(explained));
    } else if (explained->failure) {
      print_failure("explain", on_command_line(to_text(*explained->failure)), "");
    }
  }
  if (output.json)
    out().line(Json{{"ok", ok}, {"hellos", std::move(hellos)}}.dump(2, ' ', false, Json::error_handler_t::replace));
  return ok ? kSuccess : kFailed;
}

}  // namespace

std::string explanation(const std::expected<Explained, Error>& explained) {
  return on_command_line(explained ? explained->text() : "fails: " + to_text(explained.error()) + "\n");
}

Json explanation_json(const std::expected<Explained, Error>& explained) {
  Json json = {{"ok", explained && !explained->failure}};
  if (!explained) {
    json["failure"] = failure_fields(explained.error());
    return json;
  }
  if (explained->failure) json["failure"] = failure_fields(*explained->failure);
  const auto add = [&json](const char* name, const auto& value) {
    if (value) json[name] = to_text(*value);
  };
  add("version", explained->version);
  add("suite", explained->suite);
  add("group", explained->group);
  add("scheme", explained->scheme);
  if (!explained->alpn.empty()) json["alpn"] = printable(explained->alpn);
  if (!explained->server_name.empty()) json["server_name"] = printable(explained->server_name);
  json["hello_retry_request"] = explained->retried;
  json["resumed"] = explained->resumed;
  json["versions"] = list_json(explained->versions);
  json["suites"] = list_json(explained->suites);
  json["groups"] = list_json(explained->groups);
  json["schemes"] = list_json(explained->schemes);
  json["certificates"] = list_json(explained->certificates);
  json["protocols"] = list_json(explained->protocols);
  json["tickets"] = list_json(explained->tickets);
  return json;
}

Command explain_command(CLI::App& program) {
  CLI::App* app =
      program.add_subcommand("explain", "Tell why a server would choose what it chooses from a ClientHello");
  const auto options = std::make_shared<Options>();
  app->add_option(
         "HELLO", options->file,
         "A ClientHello, as bytes or hexadecimal digits; a tape; a capture (pcap, pcapng); '-': standard input")
      ->required()
      ->option_text(" ");
  add_configuration_options(*app, options->server);
  add_output_options(*app, options->server.output);
  app->footer(
      "The other options say what the server has, as for `lockstep server`. Nothing is signed or sent.\n"
      "Exit status 1: the handshake would fail, which is told with the reason for everything that is on offer.\n"
      "Example: lockstep explain client.pcap --cert server.pem --key server.key.pem --group x25519");
  return {app, [options] { return run(*options); }};
}

}  // namespace lockstep::tool
