#include "memory_process.hpp"

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <string_view>

#include <nlohmann/json.hpp>
#include <unistd.h>

namespace lockstep::bench {
namespace {

using Json = nlohmann::ordered_json;

std::string own_path() {
  char path[4096];
  const ssize_t size = readlink("/proc/self/exe", path, sizeof path);
  if (size <= 0 || size == sizeof path) throw std::runtime_error("cannot tell where this program lies");
  return {path, static_cast<std::size_t>(size)};
}

std::string quoted(const std::string& text) {
  std::string result = "'";
  for (const char character : text) result += character == '\'' ? std::string("'\\''") : std::string(1, character);
  return result + "'";
}

}  // namespace

std::vector<Row> rows_of_memory_process(const Options& /*options*/) {
  const std::string command = std::string(kBotanPool) + "=0 " + quoted(own_path()) + " " + kMemoryRows;
  std::string text;
  std::FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) throw std::runtime_error("cannot start the process that counts the heap");
  char buffer[4096];
  while (const std::size_t size = std::fread(buffer, 1, sizeof buffer, pipe)) text.append(buffer, size);
  if (pclose(pipe) != 0) throw std::runtime_error("the process that counts the heap failed");

  std::vector<Row> rows;
  for (const Json& each : Json::parse(text)) {
    Row row{.name = "memory",
            .group = "memory",
            .label = each.at("label"),
            .size = 0,
            .measure = each.at("measure"),
            .unit = each.at("unit"),
            .more_is_better = false,
            .figures = {}};
    for (const auto& [subject, value] : each.at("figures").items()) {
      const double number = value.get<double>();
      row.figures.push_back({.subject = subject, .value = number, .low = number, .high = number, .ratio = 0});
    }
    if (const Figure* reference = row.find(Results::kReference); reference != nullptr && reference->value > 0) {
      const double theirs = reference->value;
      for (Figure& figure : row.figures) figure.ratio = figure.value > 0 ? theirs / figure.value : 0;
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

void print_memory_rows() {
  Json rows = Json::array();
  for (const Row& row : run_memory({})) {
    Json figures = Json::object();
    for (const Figure& figure : row.figures) figures[figure.subject] = figure.value;
    rows.push_back(
        {{"label", row.label}, {"measure", row.measure}, {"unit", row.unit}, {"figures", std::move(figures)}});
  }
  std::puts(rows.dump().c_str());
}

void restart_without_pool(char** arguments) {
  const char* pool = std::getenv(kBotanPool);
  if (pool != nullptr && std::string_view(pool) == "0") return;
  setenv(kBotanPool, "0", 1);
  execv(own_path().c_str(), arguments);
  throw std::runtime_error("cannot start this program again");
}

}  // namespace lockstep::bench
