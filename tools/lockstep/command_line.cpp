#include "command_line.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdlib>
#include <numeric>
#include <optional>
#include <utility>

#include <CLI/CLI.hpp>

#include "words.hpp"

namespace lockstep::tool {
namespace {

bool is_option(std::string_view word) { return word.size() > 1 && word.starts_with('-'); }
bool is_for_every_command(std::string_view word) { return word == "--json" || word == "-q" || word == "--quiet"; }

/// How many letters must be put in, left out, changed or swapped with their neighbour to make one of the other.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before_last;
  std::vector<std::size_t> last(b.size() + 1);
  std::iota(last.begin(), last.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::vector<std::size_t> row(b.size() + 1, i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] == b[j - 1] ? 0U : 1U)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        row[j] = std::min(row[j], before_last[j - 2] + 1);
    }
    before_last = std::exchange(last, std::move(row));
  }
  return last.back();
}

std::string_view without_dashes(std::string_view word) {
  word.remove_prefix(std::min(word.find_first_not_of('-'), word.size()));
  return word;
}

std::string perhaps(const std::vector<std::string>& words) {
  return words.empty() ? std::string() : "Perhaps you mean " + joined(words, " or ") + ". ";
}

std::string help_of(const std::string& command) {
  return "Run `lockstep " + (command.empty() ? "" : command + " ") + "--help` for the options.";
}

std::vector<std::string> long_names(const CLI::App& command) {
  std::vector<std::string> names;
  for (const CLI::Option* option : visible_options(command)) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  }
  return names;
}

/// What curl, openssl and step call options of ours, for whoever comes from there; by the first name that a command
/// has.
constexpr auto kForeignNames = std::to_array<std::pair<std::string_view, std::string_view>>({
    {"cacert", "--ca"},
    {"cacert", "--client-ca"},
    {"CAfile", "--ca"},
    {"CAfile", "--client-ca"},
    {"capath", "--ca"},
    {"CApath", "--ca"},
    {"root", "--ca"},
    {"ciphers", "--suite"},
    {"ciphersuites", "--suite"},
    {"tls13-ciphers", "--suite"},
    {"curves", "--group"},
    {"nextprotoneg", "--npn"},
    {"tlsv1.2", "--min-version"},
    {"tlsv1.3", "--min-version"},
    {"min_protocol", "--min-version"},
    {"max_protocol", "--max-version"},
    {"tls-max", "--max-version"},
    {"secureProtocol", "--method"},
    {"tls1_2", "--tls1.2"},
    {"tls1_3", "--tls1.3"},
    {"no_tls1_3", "--tls1.2"},
    {"no_tls1_2", "--tls1.3"},
    {"no_etm", "--no-encrypt-then-mac"},
    {"dhparam", "--dh-params"},
    {"sigalgs", "--scheme"},
    {"servername", "--sni"},
    {"verify_hostname", "--name"},
    {"resolve", "--address"},
    {"connect-to", "--address"},
    {"accept", "--port"},
    {"max-time", "--timeout"},
    {"sess_in", "--session-in"},
    {"sess_out", "--session-out"},
    {"reconnect", "--resume"},
    {"pass", "--passphrase-file"},
    {"status", "--ocsp"},
    {"cert-status", "--ocsp"},
    {"keylogfile", "--keylog"},
    {"san", "--name"},
    {"kty", "--key-type"},
    {"not-after", "--days"},
});

/// The options that were perhaps meant.
std::vector<std::string> meant_by(const CLI::App& command, const std::string& name) {
  const std::vector<std::string> known = long_names(command);
  for (const auto& [theirs, ours] : kForeignNames) {
    if (theirs == without_dashes(name) && std::ranges::contains(known, ours)) return {std::string(ours)};
  }
  if (name == "-connect" && !positionals(command).empty()) return {"HOST:PORT"};  // openssl s_client
  return similar(name, known);
}

Refusal unknown_option(const CLI::App& program, const CLI::App& command, const std::string& word) {
  const std::string name = word.substr(0, word.find('='));
  std::vector<std::string> others;
  for (const CLI::App* other : visible_commands(program)) {
    if (other != &command && std::ranges::contains(long_names(*other), name))
      others.push_back("`" + other->get_name() + "`");
  }
  const std::string where = &command == &program ? std::string() : command.get_name();
  const std::string elsewhere = others.empty() ? std::string() : "It is an option of " + joined(others) + ". ";
  return {where, "there is no option " + printable(name),
          perhaps(meant_by(command, name)) + elsewhere + help_of(where)};
}

/// Of the words that a command did not take, the one to tell: an option, if any, for the word behind it may be its
/// value.
const std::string* telling(const std::vector<std::string>& words) {
  const auto option = std::ranges::find_if(words, is_option);
  if (option != words.end()) return &*option;
  return words.empty() ? nullptr : &words.front();
}

/// A word for which a command has a list of words, and which is none of them.
std::optional<Refusal> unknown_choice(const CLI::App& command) {
  for (const CLI::Option* option : command.get_options()) {
    const std::vector<std::string> choices = choices_of(*option);
    if (choices.empty()) continue;
    for (const std::string& word : option->results()) {
      if (std::ranges::contains(choices, word)) continue;
      return Refusal{command.get_name(),
                     option->get_name() + ": '" + printable(word) + "' is none of " + joined(choices),
                     perhaps(similar(word, choices)) + help_of(command.get_name())};
    }
  }
  return std::nullopt;
}

/// A word that is no number, or too large a one, out of what CLI11 says: "Could not convert: --port = x".
std::optional<Refusal> unfit_value(const CLI::App& command, std::string_view what) {
  const std::size_t name = what.find("--");
  if (name == std::string_view::npos) return std::nullopt;
  const std::string option_name(what.substr(name, what.find(' ', name) - name));
  const CLI::Option* option = command.get_option_no_throw(option_name);
  if (option == nullptr || option->results().empty()) return std::nullopt;
  return Refusal{
      command.get_name(), option_name + ": '" + printable(option->results().back()) + "' is not what it takes",
      option_name + " " + value_of(*option) + ": " + option->get_description() + ". " + help_of(command.get_name())};
}

constexpr auto kPresets = std::to_array<Preset>({
    {"LOCKSTEP_MIN_VERSION", "--min-version"},
    {"LOCKSTEP_MAX_VERSION", "--max-version"},
    {"LOCKSTEP_SUITE", "--suite"},
    {"LOCKSTEP_GROUP", "--group"},
    {"LOCKSTEP_SCHEME", "--scheme"},
    {"LOCKSTEP_MIN_RSA_BITS", "--min-rsa-bits"},
    {"LOCKSTEP_MIN_DH_BITS", "--min-dh-bits"},
    {"LOCKSTEP_PROVIDER", "--provider"},
});
constexpr auto kVersionOptions =
    std::to_array<std::string_view>({"--min-version", "--max-version", "--method", "--tls1.2", "--tls1.3"});

/// Whether the command line names the option, or for one of versions any of them.
bool is_said(const std::vector<std::string>& words, std::string_view option) {
  const bool of_versions = std::ranges::contains(kVersionOptions, option);
  return std::ranges::any_of(words, [&](const std::string& word) {
    const std::string_view name = std::string_view(word).substr(0, word.find('='));
    return of_versions ? std::ranges::contains(kVersionOptions, name) : name == option;
  });
}

}  // namespace

std::span<const Preset> presets() { return kPresets; }

std::vector<std::string> add_presets(const CLI::App& program, std::vector<std::string>& words) {
  const auto commands = program.get_subcommands(
      [&words](const CLI::App* each) { return !words.empty() && each->get_name() == words.front(); });
  if (commands.empty()) return {};
  std::vector<std::string> said;
  std::vector<std::string> added;
  for (const auto& [variable, option] : kPresets) {
    const char* const value = std::getenv(std::string(variable).c_str());
    if (value == nullptr || *value == '\0' || is_said(words, option)) continue;
    if (commands.front()->get_option_no_throw(std::string(option)) == nullptr) continue;
    added.push_back(std::string(option) + "=" + value);
    said.push_back(std::string(variable) + " is set: as with " + std::string(option) + " " + printable(value));
  }
  words.insert(words.end(), added.begin(), added.end());
  return said;
}

std::vector<std::string> in_order(int argc, char** argv) {
  std::vector<std::string> words(argv + std::min(argc, 1), argv + argc);
  const auto command = std::ranges::find_if_not(words, is_option);
  if (command == words.end()) {
    std::erase_if(words, is_for_every_command);
    return words;
  }
  const auto kept =
      std::stable_partition(words.begin(), command, [](const auto& word) { return !is_for_every_command(word); });
  std::rotate(kept, command, command + 1);
  return words;
}

bool wants_json(int argc, char** argv) {
  return std::any_of(argv, argv + argc, [](const char* word) { return std::string_view(word) == "--json"; });
}

void take_one_value_each(CLI::App& program) {
  for (CLI::App* command : program.get_subcommands([](CLI::App*) { return true; })) {
    for (CLI::Option* option : command->get_options()) {
      if (option->nonpositional() && option->get_expected_max() > 1) option->allow_extra_args(false);
    }
  }
}

Refusal refusal_of(const CLI::App& program, const CLI::ParseError& error) {
  if (const std::vector<std::string> before = program.remaining(); !before.empty()) {
    const std::string& first = before.front();
    return is_option(first) ? unknown_option(program, program, first) : unknown_command(program, first);
  }
  for (const CLI::App* command : program.get_subcommands()) {
    const std::vector<std::string> words = command->remaining();
    const std::string* word = telling(words);
    if (word == nullptr) continue;
    if (is_option(*word)) return unknown_option(program, *command, *word);
    return {command->get_name(), "'" + printable(*word) + "' is one word too many", help_of(command->get_name())};
  }
  if (program.get_subcommands().empty()) return {"", error.what(), help_of("")};
  const CLI::App& command = *program.get_subcommands().back();
  if (dynamic_cast<const CLI::ValidationError*>(&error) != nullptr) {
    if (auto refusal = unknown_choice(command)) return std::move(*refusal);
  }
  const std::string& name = command.get_name();
  if (dynamic_cast<const CLI::ConversionError*>(&error) != nullptr) {
    if (auto refusal = unfit_value(command, error.what())) return std::move(*refusal);
  }
  return {name, error.what(), help_of(name)};
}

Refusal unknown_command(const CLI::App& program, const std::string& word) {
  std::vector<std::string> known;
  for (const CLI::App* command : visible_commands(program)) known.push_back(command->get_name());
  std::vector<std::string> meant = similar(word, known);
  for (std::string& each : meant) each = "`" + each + "`";
  return {"", "there is no command '" + printable(word) + "'", perhaps(meant) + "`lockstep help` lists the commands."};
}

std::string stray_command(const CLI::App& program) {
  const std::vector<std::string> words = program.remaining();
  const auto stray = std::ranges::find_if_not(words, is_option);
  return stray == words.end() ? std::string() : *stray;
}

std::vector<std::string> similar(std::string_view word, const std::vector<std::string>& known) {
  std::string lower(without_dashes(word));
  std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  constexpr std::size_t kMost = 3;
  const std::size_t far = std::max<std::size_t>(1, lower.size() / 3);
  std::size_t nearest = far;
  std::vector<std::string> found;
  for (const std::string& each : known) {
    const std::string_view name = without_dashes(each);
    // Whoever stops in the middle of a word has got none of it wrong.
    const std::size_t apart = lower.size() >= kMost && name.starts_with(lower) ? 1 : distance(lower, name);
    if (apart > nearest) continue;
    if (apart < nearest) found.clear();
    nearest = apart;
    if (found.size() < kMost) found.push_back(each);
  }
  return found;
}

std::vector<const CLI::App*> visible_commands(const CLI::App& program) {
  return program.get_subcommands(
      [](const CLI::App* command) { return !command->get_name().empty() && !command->get_group().empty(); });
}

std::vector<const CLI::Option*> visible_options(const CLI::App& command) {
  return command.get_options(
      [](const CLI::Option* option) { return option->nonpositional() && !option->get_group().empty(); });
}

std::vector<const CLI::Option*> positionals(const CLI::App& command) {
  return command.get_options([](const CLI::Option* option) { return option->get_positional(); });
}

std::vector<std::string> names_of(const CLI::Option& option) {
  std::vector<std::string> names;
  for (const std::string& name : option.get_snames()) names.push_back("-" + name);
  for (const std::string& name : option.get_lnames()) names.push_back("--" + name);
  return names;
}

std::string value_of(const CLI::Option& option) {
  if (option.get_items_expected_max() == 0) return {};
  const std::string& told = option.get_option_text();
  const std::string value = told.substr(0, told.find(' '));
  return value.empty() ? "VALUE" : value;
}

std::vector<std::string> choices_of(const CLI::Option& option) {
  std::vector<std::string> choices;
  const std::string value = value_of(option);
  if (!value.contains('|')) return choices;
  for (std::size_t start = 0; start <= value.size();) {
    const std::size_t end = std::min(value.find('|', start), value.size());
    choices.push_back(value.substr(start, end - start));
    start = end + 1;
  }
  return choices;
}

bool takes_path(const CLI::Option& option) {
  const std::string value = option.get_positional() ? option.get_name(true) : value_of(option);
  return value == "FILE" || value == "PATH" || value == "FOLDER" || value == "PREFIX" || value == "CHAIN";
}

}  // namespace lockstep::tool
