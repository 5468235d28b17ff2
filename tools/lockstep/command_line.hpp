#pragma once
// The command line as a tree of CLI11's: what its words mean where CLI11 leaves that open, and what was perhaps meant
// by those that mean nothing.

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace CLI {
class App;
class Option;
class ParseError;
}  // namespace CLI

namespace lockstep::tool {

/// The words of the command line, with --json and --quiet behind the command: they may stand before it. Without a
/// command they are left out.
[[nodiscard]] std::vector<std::string> in_order(int argc, char** argv);
/// Variables of the environment that stand for an option where the command line has none, in every command that has the
/// option; they are told of in the manual pages.
struct Preset {
  std::string_view variable;
  std::string_view option;
};
[[nodiscard]] std::span<const Preset> presets();
/// Puts them behind the words, and says what it put there: "LOCKSTEP_GROUP is set: as with --group x25519". What the
/// command line says about versions leaves no room for what the environment says about them.
[[nodiscard]] std::vector<std::string> add_presets(const CLI::App& program, std::vector<std::string>& words);
/// Whether --json is among them, however wrong the others are.
[[nodiscard]] bool wants_json(int argc, char** argv);

/// Options that may be repeated take one value each time, so that none takes the words behind it.
void take_one_value_each(CLI::App& program);

/// Why words are no command line.
struct Refusal {
  std::string command;  ///< empty when it is none of ours
  std::string what;
  std::string advice;
};
/// The word that nothing is known of, where there is one; otherwise what CLI11 says.
[[nodiscard]] Refusal refusal_of(const CLI::App& program, const CLI::ParseError& error);
/// No command has this name.
[[nodiscard]] Refusal unknown_command(const CLI::App& program, const std::string& word);
/// What stands in the place of a command and is none; empty when there is no such word.
[[nodiscard]] std::string stray_command(const CLI::App& program);

/// Of the known words those that this one was perhaps meant to be, the nearest ones alone, at most three.
[[nodiscard]] std::vector<std::string> similar(std::string_view word, const std::vector<std::string>& known);

/// The commands that people are told of, in the order of the help.
[[nodiscard]] std::vector<const CLI::App*> visible_commands(const CLI::App& program);
/// Its options that people are told of, without positional ones, in the order of the help.
[[nodiscard]] std::vector<const CLI::Option*> visible_options(const CLI::App& command);
[[nodiscard]] std::vector<const CLI::Option*> positionals(const CLI::App& command);
/// "-q", "--quiet".
[[nodiscard]] std::vector<std::string> names_of(const CLI::Option& option);
/// What the help says that the value is: "FILE", "smtp|imap", without the default in brackets. Empty for flags.
[[nodiscard]] std::string value_of(const CLI::Option& option);
/// The values that there are; empty when any will do.
[[nodiscard]] std::vector<std::string> choices_of(const CLI::Option& option);
/// Whether its value names a file or a folder.
[[nodiscard]] bool takes_path(const CLI::Option& option);

}  // namespace lockstep::tool
