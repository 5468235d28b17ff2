#include "terminal.hpp"

#include <algorithm>
#include <cstdlib>

#include <CLI/CLI.hpp>
#include <unistd.h>

namespace lockstep::tool {

void add_output_options(CLI::App& app, OutputOptions& options) {
  app.add_flag("--json", options.json, "Report as JSON")->group("Output");
  app.add_flag("-q,--quiet", options.quiet, "Report only failures")->group("Output");
}

Printer::Printer(std::FILE* stream) : stream_(stream) {
  const char* no_colour = std::getenv("NO_COLOR");  // https://no-color.org: "when present and not an empty string"
  const char* term = std::getenv("TERM");
  colour_ = isatty(fileno(stream)) != 0 && (no_colour == nullptr || *no_colour == '\0') &&
            (term == nullptr || std::string_view(term) != "dumb");
}

std::string Printer::styled(Style style, std::string_view text) const {
  if (!colour_ || style == Style::plain) return std::string(text);
  const auto code = [style]() -> std::string_view {
    switch (style) {
      case Style::bold: return "1";
      case Style::dim: return "2";
      case Style::good: return "32";
      case Style::bad: return "1;31";
      case Style::warning: return "33";
      case Style::plain: break;
    }
    return "0";
  }();
  return "\x1b[" + std::string(code) + "m" + std::string(text) + "\x1b[0m";
}

void Printer::print(std::string_view text) const {
  std::fwrite(text.data(), 1, text.size(), stream_);
  std::fflush(stream_);
}

void Printer::line(std::string_view text) const { print(std::string(text) + "\n"); }

const Printer& out() {
  static const Printer printer(stdout);
  return printer;
}

const Printer& err() {
  static const Printer printer(stderr);
  return printer;
}

void print_failure(std::string_view command, std::string_view what, std::string_view advice) {
  std::string text = err().styled(Style::bad, "error:") + " lockstep" + std::string(command.empty() ? "" : " ") +
                     std::string(command) + ": " + std::string(what) + "\n";
  if (!advice.empty()) text += "       " + std::string(advice) + "\n";
  err().print(text);
}

void print_warning(std::string_view text) {
  err().line(err().styled(Style::warning, "warning:") + " " + std::string(text));
}

void print_rows(const Printer& printer, std::span<const Row> rows) {
  std::size_t width = 0;
  for (const Row& row : rows) width = std::max(width, row.name.size());
  std::string text;
  for (const Row& row : rows) {
    const std::string name = row.name + std::string(width - row.name.size(), ' ');
    text += "  " + printer.styled(Style::dim, name) + "  " + printer.styled(row.style, row.value) + "\n";
  }
  printer.print(text);
}

void print_table(const Printer& printer, const std::vector<std::string>& heading,
                 const std::vector<std::vector<std::string>>& lines) {
  std::vector<std::size_t> widths(heading.size());
  const auto measure = [&widths](const std::vector<std::string>& cells) {
    for (std::size_t i = 0; i < cells.size(); ++i) widths[i] = std::max(widths[i], cells[i].size());
  };
  measure(heading);
  for (const auto& line : lines) measure(line);
  const auto laid_out = [&widths](const std::vector<std::string>& cells) {
    std::string text = " ";
    for (std::size_t i = 0; i < cells.size(); ++i) {
      text += " " + cells[i];
      if (i + 1 < cells.size()) text += std::string(widths[i] - cells[i].size() + 1, ' ');
    }
    return text;
  };
  printer.line(printer.styled(Style::bold, laid_out(heading)));
  for (const auto& line : lines) printer.line(laid_out(line));
}

}  // namespace lockstep::tool
