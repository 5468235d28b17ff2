// lockstep help: what --help prints, by the name of the command.

#include <memory>
#include <string>

#include <CLI/CLI.hpp>

#include "command_line.hpp"
#include "commands.hpp"
#include "report.hpp"
#include "terminal.hpp"

namespace lockstep::tool {
namespace {

int run(const CLI::App& program, const std::string& name) {
  if (name.empty()) {
    out().print(program.get_formatter()->make_help(&program, program.get_name(), CLI::AppFormatMode::Normal));
    return kSuccess;
  }
  const auto commands = program.get_subcommands([&name](const CLI::App* each) { return each->get_name() == name; });
  if (commands.empty()) {
    const Refusal refusal = unknown_command(program, name);
    return report_failure(false, refusal.command, kUsage, refusal.what, refusal.advice);
  }
  out().print(commands.front()->help(program.get_name()));
  return kSuccess;
}

}  // namespace

Command help_command(CLI::App& program) {
  CLI::App* app = program.add_subcommand("help", "Tell what a command does, and its options");
  const auto name = std::make_shared<std::string>();
  app->add_option("COMMAND", *name, "Which one; without, all are listed")->option_text(" ");
  return {app, [&program, name] { return run(program, *name); }};
}

}  // namespace lockstep::tool
