// lockstep: a client, a server, certificates and what this build can do, on the command line.

#include <algorithm>
#include <csignal>
#include <exception>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include <lockstep/standard_descriptors.hpp>

#include "command_line.hpp"
#include "commands.hpp"
#include "provider.hpp"
#include "report.hpp"
#include "terminal.hpp"
#include "version.hpp"

namespace lockstep::tool {
namespace {

int run(const Command& command, bool json) {
  const std::string name = command.app->get_name();
  try {
    return command.run();
  } catch (const UsageError& error) {
    return report_failure(json, name, kUsage, error.what(), "Run `lockstep " + name + " --help` for the options.");
  } catch (const Failure& failure) {
    return report_failure(json, name, kFailed, failure.what(), failure.advice());
  } catch (const std::exception& error) {
    return report_failure(json, name, kFailed, error.what(), "");
  }
}

int run(int argc, char** argv) {
  CLI::App program("TLS 1.3 on the command line: connect, serve, make and check certificates.");
  program.name("lockstep");
  program.set_version_flag(
      "-V,--version", [] { return std::string(); }, "What this build is, as `lockstep version` tells");
  program.require_subcommand(1);
  program.footer(
      "Exit status: 0 all well, 1 the connection, chain or file was not good, 2 wrong command line.\n"
      "`lockstep help COMMAND` tells more; --json and --quiet may stand before the command.\n"
      "Example: lockstep client example.com --get /");

  const std::vector<Command> connected = {
      client_command(program),  server_command(program),  load_command(program),    cert_command(program),
      verify_command(program),  explain_command(program), inspect_command(program), scan_command(program),
      ciphers_command(program), replay_command(program),  bench_command(program),
  };
  for (const Command& command : connected) {
    command.app->add_option_function<std::string>("--provider", choose_provider, "Whose cryptography to use")
        ->check(CLI::IsMember(provider_names()))
        ->option_text(joined(provider_names(), "|") + " [" + provider_names().front() + "]")
        ->group("Protocol");
  }
  std::vector<Command> commands = {version_command(program), help_command(program), man_command(program),
                                   completion_command(program)};
  commands.insert(commands.begin(), connected.begin(), connected.end());
  take_one_value_each(program);

  std::vector<std::string> words = in_order(argc, argv);
  const bool json = wants_json(argc, argv);
  for (const std::string& preset : add_presets(program, words)) print_warning(preset);
  try {
    std::ranges::reverse(words);  // as CLI11 wants them
    program.parse(std::move(words));
  } catch (const CLI::ParseError& error) {
    const bool asked = error.get_exit_code() == 0;
    if (const std::string stray = stray_command(program); asked && !stray.empty()) {
      const Refusal refusal = unknown_command(program, stray);
      return report_failure(json, refusal.command, kUsage, refusal.what, refusal.advice);
    }
    if (dynamic_cast<const CLI::CallForVersion*>(&error) != nullptr) return print_version(json);
    if (asked) {
      out().print(program.help());
      return kSuccess;
    }
    if (program.remaining().empty() && program.get_subcommands().empty() && !json) {
      err().print(program.help());
      return kUsage;
    }
    const Refusal refusal = refusal_of(program, error);
    return report_failure(json, refusal.command, kUsage, refusal.what, refusal.advice);
  }
  const auto chosen = std::ranges::find_if(commands, [](const Command& each) { return each.app->parsed(); });
  return run(*chosen, json);
}

}  // namespace
}  // namespace lockstep::tool

int main(int argc, char** argv) {
  using namespace lockstep;
  if (!open_standard_descriptors()) return tool::kFailed;
  // A reader of our output that goes away must not end the program before it has closed its connections.
  std::signal(SIGPIPE, SIG_IGN);
  return tool::run(argc, argv);
}
