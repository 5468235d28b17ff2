// lockstep man: manual pages, made from the same tree of commands and options that reads the command line.

#include <algorithm>
#include <cctype>
#include <memory>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include <CLI/CLI.hpp>

#include <lockstep/version.hpp>

#include "command_line.hpp"
#include "commands.hpp"
#include "files.hpp"
#include "terminal.hpp"

namespace lockstep::tool {
namespace {

struct Options {
  std::string command;
  std::string folder;
};

/// Text as roff takes it for what it says: no escape, no request, hyphens that may be copied into a shell.
std::string roff(std::string_view text) {
  std::string result;
  bool line_begins = true;
  for (const char character : text) {
    if (line_begins && (character == '.' || character == '\'')) result += "\\&";
    if (character == '\\') {
      result += "\\e";
    } else if (character == '-') {
      result += "\\-";
    } else {
      result += character;
    }
    line_begins = character == '\n';
  }
  return result;
}

/// The title of a page.
std::string in_capitals(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return text;
}

std::string bold(std::string_view text) { return "\\fB" + roff(text) + "\\fR"; }
std::string italic(std::string_view text) { return "\\fI" + roff(text) + "\\fR"; }

std::string heading(const std::string& page, std::string_view brief) {
  return ".\\\" Made by `lockstep man`.\n.TH " + page +
         " 1 \"\" \"lockstep " LOCKSTEP_VERSION "\" \"User Commands\"\n.SH NAME\n" + roff(brief) + "\n";
}

std::string sentence(std::string text) {
  if (!text.empty() && !text.ends_with('.')) text += '.';
  return text;
}

/// A paragraph under a tag.
std::string tagged(const std::string& tag, std::string_view text) { return ".TP\n" + tag + "\n" + roff(text) + "\n"; }

std::string option_entry(const CLI::Option& option) {
  std::string tag;
  for (const std::string& name : names_of(option)) tag += (tag.empty() ? "" : ", ") + bold(name);
  if (const std::string value = value_of(option); !value.empty()) tag += " " + italic(value);
  std::string text = sentence(option.get_description());
  const std::string& told = option.get_option_text();
  if (const std::size_t bracket = told.find('['); bracket != std::string::npos)
    text += " Default: " + told.substr(bracket);
  return tagged(tag, text);
}

std::string option_entries(const CLI::App& command) {
  std::string text;
  for (const std::string& group : command.get_groups()) {
    std::string entries;
    for (const CLI::Option* option : visible_options(command)) {
      if (option->get_group() == group) entries += option_entry(*option);
    }
    if (!entries.empty()) text += ".SS " + roff(group) + "\n" + entries;
  }
  return text.empty() ? text : ".SH OPTIONS\n" + text;
}

/// What stands below the options in the help: text, and examples, which are indented or stand behind their word.
std::string notes(const CLI::App& command) {
  std::string prose;
  std::string examples;
  std::istringstream lines(command.get_footer());
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("  ")) {
      examples += roff(line.substr(2)) + "\n";
    } else if (line.starts_with("Example: ")) {
      examples += roff(line.substr(std::string_view("Example: ").size())) + "\n";
    } else if (!line.starts_with("Example")) {
      prose += roff(line) + "\n";
    }
  }
  if (!prose.empty()) prose = ".SH NOTES\n" + prose;
  if (!examples.empty()) prose += ".SH EXAMPLES\n.nf\n" + examples + ".fi\n";
  return prose;
}

constexpr const char* kStatus =
    ".SH EXIT STATUS\n.TP\n.B 0\nAll well.\n.TP\n.B 1\nThe connection, the chain or the file was not good.\n.TP\n.B "
    "2\nThe "
    "command line was wrong.\n";

std::string page_of_command(const CLI::App& command) {
  const std::string& name = command.get_name();
  std::string text = heading("LOCKSTEP-" + in_capitals(name), "lockstep-" + name + " - " + command.get_description());
  text += ".SH SYNOPSIS\n" + bold("lockstep " + name) + " [\\fIOPTIONS\\fR]";
  std::string arguments;
  for (const CLI::Option* option : positionals(command)) {
    const std::string argument = option->get_name(true);
    text += option->get_required() ? " " + italic(argument) : " [" + italic(argument) + "]";
    arguments += tagged(italic(argument), sentence(option->get_description()));
  }
  text += "\n";
  if (!arguments.empty()) text += ".SH ARGUMENTS\n" + arguments;
  return text + option_entries(command) + notes(command) + kStatus + ".SH SEE ALSO\n" + bold("lockstep") + "(1)\n";
}

/// The commands that have pages: not one whose words are for another program.
std::vector<const CLI::App*> commands_with_pages(const CLI::App& program) {
  std::vector<const CLI::App*> commands = visible_commands(program);
  std::erase_if(commands, [](const CLI::App* command) { return command->get_prefix_command(); });
  return commands;
}

/// What the environment may say in place of the command line.
std::string preset_entries() {
  std::string text;
  for (const auto& [variable, option] : presets())
    text += tagged(bold(std::string(variable)), "As " + bold(std::string(option)) + ", where that is not said.");
  return text;
}

std::string page_of_program(const CLI::App& program) {
  std::string text = heading("LOCKSTEP", "lockstep - " + program.get_description());
  text += ".SH SYNOPSIS\n" + bold("lockstep") + " \\fICOMMAND\\fR [\\fIOPTIONS\\fR]\n.SH COMMANDS\n";
  std::string others;
  for (const CLI::App* command : commands_with_pages(program)) {
    text += tagged(bold(command->get_name()), sentence(command->get_description()));
    others += (others.empty() ? "" : ",\n") + bold("lockstep-" + command->get_name()) + "(1)";
  }
  text += option_entries(program);
  std::string notes_without_status;
  std::istringstream lines(notes(program));
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("Exit status: ")) notes_without_status += line + "\n";
  }
  return text + notes_without_status + kStatus +
         ".SH ENVIRONMENT\n.TP\n.B NO_COLOR\nNo colour, when it is set and not empty.\n.TP\n.BR SSL_CERT_FILE \", \" "
         "SSL_CERT_DIR\n"
         "Where the system's authorities are.\n" +
         preset_entries() + ".SH SEE ALSO\n" + others + "\n";
}

int run(const CLI::App& program, const Options& options) {
  const auto commands = commands_with_pages(program);
  if (!options.folder.empty()) {
    const auto write = [&options](const std::string& page, const std::string& text) {
      write_file(options.folder + "/" + page + ".1", as_bytes(text));
    };
    write("lockstep", page_of_program(program));
    for (const CLI::App* command : commands) write("lockstep-" + command->get_name(), page_of_command(*command));
    return kSuccess;
  }
  if (options.command.empty()) {
    out().print(page_of_program(program));
    return kSuccess;
  }
  for (const CLI::App* command : commands) {
    if (command->get_name() != options.command) continue;
    out().print(page_of_command(*command));
    return kSuccess;
  }
  throw UsageError("there is no page of '" + printable(options.command) + "'");
}

}  // namespace

Command man_command(CLI::App& program) {
  CLI::App* app = program.add_subcommand("man", "Print the manual page of lockstep, or of a command");
  app->group("");  // for whoever packages it
  const auto options = std::make_shared<Options>();
  app->add_option("COMMAND", options->command, "Which one; without, that of lockstep itself")->option_text(" ");
  app->add_option("--folder", options->folder, "Write all pages there")->option_text("FOLDER");
  app->footer("Example:\n  lockstep man client | man -l -");
  return {app, [&program, options] { return run(program, *options); }};
}

}  // namespace lockstep::tool
