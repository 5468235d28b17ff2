// Results for people at a terminal and for programs.

#include <cmath>
#include <cstdio>

#include <nlohmann/json.hpp>

#include "../lockstep/terminal.hpp"
#include "results.hpp"

namespace lockstep::bench {
namespace {

using tool::out;
using tool::Style;

std::string number(double value) {
  const int decimals = value >= 100 || value == std::floor(value) ? 0 : value >= 10 ? 1 : value >= 1 ? 2 : 3;
  char text[32];
  std::snprintf(text, sizeof text, "%.*f", decimals, value);
  return text;
}

std::string ratio_text(double ratio) {
  if (ratio == 0) return "";
  char text[32];
  std::snprintf(text, sizeof text, "%.2fx", ratio);
  return text;
}

std::string padded(const std::string& text, std::size_t width) {
  return text.size() < width ? std::string(width - text.size(), ' ') + text : text;
}

/// Numbers stand to the right: every cell but those of the first columns is padded to its column's width.
void align_right(std::vector<std::string>& heading, std::vector<std::vector<std::string>>& lines, std::size_t from) {
  for (std::size_t column = from; column < heading.size(); ++column) {
    std::size_t width = heading[column].size();
    for (const auto& line : lines) width = std::max(width, line[column].size());
    heading[column] = padded(heading[column], width);
    for (auto& line : lines) line[column] = padded(line[column], width);
  }
}

void print_group(const Results& results, const std::string& group) {
  std::vector<const Row*> rows;
  for (const Row& row : results.rows) {
    if (row.group == group) rows.push_back(&row);
  }
  std::vector<Subject> subjects;
  for (const Subject& subject : results.subjects) {
    const auto has = [&](const Row* row) { return row->find(subject.key) != nullptr; };
    if (std::ranges::any_of(rows, has)) subjects.push_back(subject);
  }
  const bool sized = std::ranges::any_of(rows, [](const Row* row) { return row->size != 0; });
  const bool compared = std::ranges::any_of(rows, [](const Row* row) {
    const Figure* ours = row->find(Results::kOurs);
    return ours != nullptr && ours->ratio != 0;
  });

  std::vector<std::string> heading{"", ""};
  if (sized) heading.emplace_back("bytes");
  for (const Subject& subject : subjects) heading.push_back(subject.title);
  if (compared) heading.emplace_back("to OpenSSL");
  heading.emplace_back("unit");

  std::vector<std::vector<std::string>> lines;
  for (const Row* row : rows) {
    std::vector<std::string> line{row->label, row->measure};
    if (sized) line.push_back(row->size == 0 ? "" : std::to_string(row->size));
    for (const Subject& subject : subjects) {
      const Figure* figure = row->find(subject.key);
      line.push_back(figure == nullptr ? "-" : number(figure->value));
    }
    if (compared) {
      const Figure* ours = row->find(Results::kOurs);
      line.push_back(ours == nullptr ? "" : ratio_text(ours->ratio));
    }
    line.push_back(row->unit);
    lines.push_back(std::move(line));
  }
  align_right(heading, lines, 2);
  out().line("\n" + out().styled(Style::bold, group_title(group)));
  tool::print_table(out(), heading, lines);
}

tool::Json as_json(const Row& row) {
  tool::Json figures = tool::Json::object();
  for (const Figure& figure : row.figures) {
    tool::Json each = {{"median", figure.value}, {"lower_quartile", figure.low}, {"upper_quartile", figure.high}};
    if (figure.ratio != 0) each["ratio_to_openssl"] = figure.ratio;
    figures[figure.subject] = std::move(each);
  }
  tool::Json json = {{"name", row.name}, {"group", row.group}, {"label", row.label}};
  if (row.size != 0) json["bytes"] = row.size;
  json["measure"] = row.measure;
  json["unit"] = row.unit;
  json["more_is_better"] = row.more_is_better;
  json["figures"] = std::move(figures);
  return json;
}

}  // namespace

std::string group_title(const std::string& group) {
  if (group == "records") return "Application data, one record a call, in memory";
  if (group == "handshakes") return "Full TLS 1.3 handshakes, leaf and intermediate, in memory";
  if (group == "together") return "The same with 16 in flight: all clients have their turn, then all servers";
  if (group == "latency") return "From the beginning of so many handshakes to the end of each";
  if (group == "own-cost") return "Our own cost of a handshake, without public-key operations";
  if (group == "parts") return "Where the time of a handshake goes (X25519, P-256)";
  if (group == "key-schedule") return "The key schedule of one connection";
  if (group == "waking") return "What the first record on an idle connection costs more: its key is expanded";
  if (group == "operations") return "Public-key operations of each provider, alone";
  if (group == "chains") return "A server's chain of three certificates, from DER to the verdict";
  if (group == "batches") return "Public-key operations, several in one call: each of them";
  if (group == "memory") return "Heap";
  if (group == "kernels") return "AEADs alone, with a prepared key";
  return group;
}

void print_table(const Results& results) {
  const Machine& machine = results.machine;
  char text[256];
  std::snprintf(text, sizeof text, "%s, %zu processors, %.2f GHz measured, load %.1f; %zu rounds of %.0f ms",
                machine.processor.c_str(), machine.processors, machine.gigahertz, machine.load, results.rounds,
                results.slice_seconds * 1e3);
  out().line(text);
  out().line(machine.compiler + "; " + machine.aeads);
  std::vector<std::string> groups;
  for (const Row& row : results.rows) {
    if (std::ranges::find(groups, row.group) == groups.end()) groups.push_back(row.group);
  }
  for (const std::string& group : groups) print_group(results, group);
  if (!results.left_out.empty()) out().line();
  for (const std::string& sentence : results.left_out)
    out().line(out().styled(Style::warning, "left out: ") + sentence);
}

std::string to_json(const Results& results) {
  tool::Json subjects = tool::Json::array();
  for (const Subject& subject : results.subjects) subjects.push_back({{"key", subject.key}, {"title", subject.title}});
  tool::Json rows = tool::Json::array();
  for (const Row& row : results.rows) rows.push_back(as_json(row));
  const Machine& machine = results.machine;
  const tool::Json json = {{"version", results.version},
                           {"date", results.date},
                           {"machine",
                            {{"processor", machine.processor},
                             {"processors", machine.processors},
                             {"gigahertz", machine.gigahertz},
                             {"load", machine.load},
                             {"compiler", machine.compiler},
                             {"aeads", machine.aeads}}},
                           {"rounds", results.rounds},
                           {"slice_milliseconds", results.slice_seconds * 1e3},
                           {"subjects", std::move(subjects)},
                           {"rows", std::move(rows)},
                           {"left_out", results.left_out}};
  return json.dump(2);
}

}  // namespace lockstep::bench
