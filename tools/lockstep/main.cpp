// lockstep: a client, a server, certificates and what this build can do, on the command line.

#include <csignal>
#include <exception>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include <lockstep/version.hpp>

#include "commands.hpp"
#include "provider.hpp"
#include "terminal.hpp"

int main(int argc, char** argv) {
  using namespace lockstep::tool;
  // A reader of our output that goes away must not end the program before it has closed its connections.
  std::signal(SIGPIPE, SIG_IGN);

  CLI::App program("TLS 1.3 on the command line: connect, serve, make and check certificates.");
  program.name("lockstep");
  program.set_version_flag("--version", "lockstep " LOCKSTEP_VERSION);
  program.require_subcommand(1);
  program.failure_message([](const CLI::App* app, const CLI::Error& error) {
    std::string command = app->get_name();
    for (const CLI::App* sub : app->get_subcommands()) command += " " + sub->get_name();
    return err().styled(Style::bad, "error:") + " " + error.what() + "\n       Run `" + command +
           " --help` for the options.\n";
  });
  program.footer(
      "Exit status: 0 all well, 1 the connection, chain or file was not good, 2 wrong command line.\n"
      "Example: lockstep client example.com --get /");

  const std::vector<Command> commands = {
      client_command(program), server_command(program),  load_command(program),   cert_command(program),
      verify_command(program), ciphers_command(program), replay_command(program), bench_command(program),
  };
  for (const Command& command : commands) {
    command.app->add_option_function<std::string>("--provider", choose_provider, "Whose cryptography to use")
        ->check(CLI::IsMember(provider_names()))
        ->option_text(joined(provider_names(), "|") + " [" + provider_names().front() + "]")
        ->group("Protocol");
  }
  try {
    program.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return program.exit(error) == 0 ? kSuccess : kUsage;
  }
  for (const Command& command : commands) {
    if (!command.app->parsed()) continue;
    const std::string name = command.app->get_name();
    try {
      return command.run();
    } catch (const UsageError& error) {
      print_failure(name, error.what(), "Run `lockstep " + name + " --help` for the options.");
      return kUsage;
    } catch (const Failure& failure) {
      print_failure(name, failure.what(), failure.advice());
    } catch (const std::exception& error) {
      print_failure(name, error.what(), "");
    }
    return kFailed;
  }
  return kUsage;
}
