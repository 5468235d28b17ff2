// lockstep completion: what shells complete, made from the same tree of commands and options that reads the command
// line. The scripts stand alone: that of bash does not need the package bash-completion.

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <CLI/CLI.hpp>

#include "command_line.hpp"
#include "commands.hpp"
#include "files.hpp"
#include "terminal.hpp"

namespace lockstep::tool {
namespace {

enum class Shell { bash, zsh, fish };

constexpr const char* kMadeBy = "made by `lockstep completion`.\n";

/// A word of a shell that means itself: 'it'\''s'.
std::string shell_word(std::string_view text) {
  std::string result = "'";
  for (const char character : text) result += character == '\'' ? std::string("'\\''") : std::string(1, character);
  return result + "'";
}

std::vector<std::string> names_of_commands(const CLI::App& program) {
  std::vector<std::string> names;
  for (const CLI::App* command : visible_commands(program)) names.push_back(command->get_name());
  return names;
}

std::vector<std::string> option_names(const CLI::App& command) {
  std::vector<std::string> names;
  for (const CLI::Option* option : visible_options(command)) {
    for (const std::string& name : names_of(*option)) names.push_back(name);
  }
  return names;
}

// --- bash ------------------------------------------------------------------------------------------------------------

/// What bash is to offer for a value: words, files, or nothing.
std::string bash_value(const std::vector<std::string>& choices, bool path) {
  if (!choices.empty()) return "values=" + shell_word(joined(choices, " "));
  return path ? "files=1" : "return";
}

std::string bash_command(const CLI::App& command) {
  std::string text = "    " + command.get_name() + ")\n      case $prev in\n";
  for (const CLI::Option* option : visible_options(command)) {
    if (value_of(*option).empty()) continue;
    text += "        " + joined(names_of(*option), "|") + ") " + bash_value(choices_of(*option), takes_path(*option)) +
            " ;;\n";
  }
  text += "        *)\n          options=" + shell_word(joined(option_names(command), " ")) + "\n";
  for (const CLI::Option* option : positionals(command)) {
    const std::string offer = bash_value(choices_of(*option), takes_path(*option));
    if (offer != "return") text += "          " + offer + "\n";
  }
  return text + "          ;;\n      esac\n      ;;\n";
}

std::string bash(const CLI::App& program) {
  const std::string commands = joined(names_of_commands(program), " ");
  std::string text =
      "# bash completion for lockstep, " + std::string(kMadeBy) +
      "_lockstep() {\n"
      "  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} command='' options='' values='' "
      "files='' word\n"
      "  COMPREPLY=()\n"
      "  for word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n"
      "    if [[ $word != -* ]]; then command=$word; break; fi\n"
      "  done\n"
      "  case $command in\n"
      "    '') options=" +
      shell_word(joined(option_names(program), " ") + " --json --quiet") + " values=" + shell_word(commands) + " ;;\n" +
      "    help) values=" + shell_word(commands) + " ;;\n";
  for (const CLI::App* command : visible_commands(program)) {
    if (command->get_name() != "help") text += bash_command(*command);
  }
  return text +
         "  esac\n"
         "  if [[ $cur == -* ]]; then\n"
         "    mapfile -t COMPREPLY < <(compgen -W \"$options\" -- \"$cur\")\n"
         "  elif [[ $files ]]; then\n"
         "    compopt -o filenames 2>/dev/null\n"
         "    mapfile -t COMPREPLY < <(compgen -f -- \"$cur\")\n"
         "  else\n"
         "    mapfile -t COMPREPLY < <(compgen -W \"$values\" -- \"$cur\")\n"
         "  fi\n"
         "}\n"
         "complete -F _lockstep lockstep\n";
}

// --- zsh -------------------------------------------------------------------------------------------------------------

/// In a specification of _arguments colons and brackets have their own meaning.
std::string zsh_escaped(std::string_view text) {
  std::string result;
  for (const char character : text) {
    if (character == ':' || character == '[' || character == ']' || character == '\\') result += '\\';
    result += character;
  }
  return result;
}

std::string zsh_action(const std::vector<std::string>& choices, bool path) {
  if (!choices.empty()) return "(" + joined(choices, " ") + ")";
  return path ? "_files" : " ";
}

std::string zsh_command(const CLI::App& command) {
  std::string text = "        " + command.get_name() + ")\n          _arguments";
  for (const CLI::Option* option : visible_options(command)) {
    const std::string value = value_of(*option);
    for (const std::string& name : names_of(*option)) {
      std::string specification =
          (option->get_expected_max() > 1 ? "*" : "") + name + "[" + zsh_escaped(option->get_description()) + "]";
      if (!value.empty())
        specification += ":" + zsh_escaped(value) + ":" + zsh_action(choices_of(*option), takes_path(*option));
      text += " \\\n            " + shell_word(specification);
    }
  }
  for (const CLI::Option* option : positionals(command)) {
    text += " \\\n            " + shell_word(":" + zsh_escaped(option->get_name(true)) + ":" +
                                             zsh_action(choices_of(*option), takes_path(*option)));
  }
  return text + "\n          ;;\n";
}

std::string zsh(const CLI::App& program) {
  std::string text =
      "#compdef lockstep\n# zsh completion for lockstep, " + std::string(kMadeBy) +
      "_lockstep() {\n  local curcontext=\"$curcontext\" state line\n  local -a commands\n  commands=(\n";
  for (const CLI::App* command : visible_commands(program))
    text +=
        "    " + shell_word(zsh_escaped(command->get_name()) + ":" + zsh_escaped(command->get_description())) + "\n";
  text +=
      "  )\n"
      "  _arguments -C '1: :->command' '*:: :->rest'\n"
      "  case $state in\n"
      "    command) _describe -t commands command commands ;;\n"
      "    rest)\n"
      "      case $words[1] in\n"
      "        help) _describe -t commands command commands ;;\n";
  for (const CLI::App* command : visible_commands(program)) {
    if (command->get_name() != "help") text += zsh_command(*command);
  }
  return text +
         "      esac\n"
         "      ;;\n"
         "  esac\n"
         "}\n"
         "_lockstep \"$@\"\n";
}

// --- fish ------------------------------------------------------------------------------------------------------------

std::string fish_word(std::string_view text) {
  std::string result = "'";
  for (const char character : text) {
    if (character == '\'' || character == '\\') result += '\\';
    result += character;
  }
  return result + "'";
}

/// The value that follows: one of these, a file, or what fish knows nothing of.
std::string fish_value(const std::vector<std::string>& choices, bool path) {
  if (!choices.empty()) return " -x -a " + fish_word(joined(choices, " "));
  return path ? " -r -F" : " -x";
}

std::string fish_option(const CLI::Option& option) {
  std::string text;
  for (const std::string& name : option.get_snames()) text += " -s " + name;
  for (const std::string& name : option.get_lnames()) text += " -l " + name;
  if (!value_of(option).empty()) text += fish_value(choices_of(option), takes_path(option));
  return text + " -d " + fish_word(option.get_description()) + "\n";
}

std::string fish(const CLI::App& program) {
  const std::string commands = joined(names_of_commands(program), " ");
  const std::string none = "complete -c lockstep -n 'not __fish_seen_subcommand_from " + commands + "'";
  std::string text = "# fish completion for lockstep, " + std::string(kMadeBy) + "complete -c lockstep -f\n";
  for (const CLI::Option* option : visible_options(program)) text += none + fish_option(*option);
  for (const CLI::App* command : visible_commands(program)) {
    const std::string& name = command->get_name();
    text += none + " -a " + name + " -d " + fish_word(command->get_description()) + "\n";
    const std::string chosen = "complete -c lockstep -n '__fish_seen_subcommand_from " + name + "'";
    if (name == "help") text += chosen + " -a " + fish_word(commands) + "\n";
    for (const CLI::Option* option : visible_options(*command)) text += chosen + fish_option(*option);
    for (const CLI::Option* option : positionals(*command)) {
      if (const auto choices = choices_of(*option); !choices.empty())
        text += chosen + " -a " + fish_word(joined(choices, " ")) + "\n";
      if (takes_path(*option)) text += chosen + " -F\n";
    }
  }
  return text;
}

struct Options {
  Shell shell{};
  std::string file;
};

std::string script(const CLI::App& program, Shell shell) {
  switch (shell) {
    case Shell::bash: return bash(program);
    case Shell::zsh: return zsh(program);
    case Shell::fish: return fish(program);
  }
  return {};
}

int run(const CLI::App& program, const Options& options) {
  const std::string text = script(program, options.shell);
  if (options.file.empty()) {
    out().print(text);
  } else {
    write_file(options.file, as_bytes(text));
  }
  return kSuccess;
}

}  // namespace

Command completion_command(CLI::App& program) {
  CLI::App* app = program.add_subcommand("completion", "Print the completion of a shell");
  app->group("");  // for whoever packages it
  const auto options = std::make_shared<Options>();
  const std::map<std::string, Shell> shells = {{"bash", Shell::bash}, {"zsh", Shell::zsh}, {"fish", Shell::fish}};
  app->add_option("SHELL", options->shell, "Which one")
      ->required()
      ->transform(CLI::CheckedTransformer(shells).description(""))
      ->option_text("bash|zsh|fish");
  app->add_option("-o,--out", options->file, "Write it there")->option_text("FILE");
  app->footer("Example:\n  source <(lockstep completion bash)");
  return {app, [&program, options] { return run(program, *options); }};
}

}  // namespace lockstep::tool
