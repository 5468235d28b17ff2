#pragma once
// What every subcommand shares: where text goes, how it looks, and how a failure ends the program.

#include <cstdio>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "words.hpp"

namespace CLI {
class App;
}

namespace lockstep::tool {

using Json = nlohmann::ordered_json;

/// Exit statuses.
inline constexpr int kSuccess = 0;
inline constexpr int kFailed = 1;  ///< the connection, the chain or the file was not good
inline constexpr int kUsage = 2;   ///< the command line was not

/// Ends the program with `kFailed`: what happened and where, and what to do about it.
class Failure : public std::runtime_error {
 public:
  explicit Failure(const std::string& what, std::string advice = {})
      : std::runtime_error(what), advice_(std::move(advice)) {}
  [[nodiscard]] const std::string& advice() const noexcept { return advice_; }

 private:
  std::string advice_;
};

/// The options that every subcommand has.
struct OutputOptions {
  bool json = false;
  bool quiet = false;
};
void add_output_options(CLI::App& app, OutputOptions& options);

enum class Style { plain, bold, dim, good, bad, warning };

/// One stream for people: with colour when it is a terminal and NO_COLOR is not set.
class Printer {
 public:
  explicit Printer(std::FILE* stream);
  [[nodiscard]] std::string styled(Style style, std::string_view text) const;
  void print(std::string_view text) const;
  void line(std::string_view text = {}) const;

 private:
  std::FILE* stream_;
  bool colour_;
};

/// For results and for remarks.
[[nodiscard]] const Printer& out();
[[nodiscard]] const Printer& err();

/// "error: what happened", and below it what to do. For stderr.
void print_failure(std::string_view command, std::string_view what, std::string_view advice);
void print_warning(std::string_view text);

/// One line of a report: "  name    value".
struct Row {
  std::string name;
  std::string value;
  Style style = Style::plain;
};
void print_rows(const Printer& printer, std::span<const Row> rows);

/// Lines of columns under a heading; columns are as wide as their longest cell.
void print_table(const Printer& printer, const std::vector<std::string>& heading,
                 const std::vector<std::vector<std::string>>& lines);

}  // namespace lockstep::tool
