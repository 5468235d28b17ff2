// lockstep version: what this build is, whose cryptography it has, and what it takes of it on this processor.

#include "version.hpp"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <lockstep/kernels.hpp>
#include <lockstep/kernels_hash.hpp>
#include <lockstep/lists.hpp>
#include <lockstep/types.hpp>
#include <lockstep/version.hpp>

#include "commands.hpp"
#include "event_loops.hpp"
#include "provider.hpp"
#include "terminal.hpp"

namespace lockstep::tool {
namespace {

std::vector<std::string> protocols() {
  std::vector<std::string> names;
  for (const ProtocolVersion version : versions()) names.push_back(to_text(version));
  return names;
}

#ifdef __clang__
constexpr const char* kCompiler = "clang " __clang_version__;
#else
constexpr const char* kCompiler = "g++ " __VERSION__;
#endif

/// An algorithm of our own kernels, and the instruction sets that this processor has for it, the chosen one first.
struct Kernel {
  std::string algorithm;
  std::vector<std::string> sets;
};

std::vector<Kernel> kernels_here() {
  std::vector<Kernel> found;
  const auto add = [&found](const char* algorithm, kernels::InstructionSet set) {
    auto known = std::ranges::find(found, algorithm, &Kernel::algorithm);
    if (known == found.end()) known = found.insert(known, Kernel{algorithm, {}});
    known->sets.emplace_back(kernels::name(set));
  };
  for (const kernels::Aead& aead : kernels::available()) add(aead.name, aead.instruction_set);
  for (const kernels::Hash& hash : kernels::available_hashes()) add(hash.name, hash.instruction_set);
  return found;
}

std::vector<std::string> loop_names() {
  std::vector<std::string> names = event_loop_names();
  names.insert(names.begin(), "blocking");
  return names;
}

std::string provider_in_use() {
  const std::string first = provider_names().front();
  return first == "best" ? first + ", the fastest of these for each algorithm" : first;
}

}  // namespace

int print_version(bool json) {
  if (json) {
    Json providers = Json::array();
    for (const ProviderLibrary& each : provider_libraries())
      providers.push_back({{"name", each.provider}, {"library", each.library}, {"version", each.version}});
    Json kernels = Json::array();
    for (const Kernel& each : kernels_here())
      kernels.push_back({{"algorithm", each.algorithm}, {"chosen", each.sets.front()}, {"available", each.sets}});
    out().line(Json{{"ok", true},
                    {"version", LOCKSTEP_VERSION},
                    {"compiler", kCompiler},
                    {"protocols", protocols()},
                    {"provider", provider_names().front()},
                    {"providers", providers},
                    {"kernels", kernels},
                    {"loops", loop_names()}}
                   .dump(2));
    return kSuccess;
  }
  out().line("lockstep " LOCKSTEP_VERSION);
  std::vector<std::string> providers;
  for (const ProviderLibrary& each : provider_libraries())
    providers.push_back(std::string(each.provider) + " (" + std::string(each.library) + " " +
                        std::string(each.version) + ")");
  std::vector<Row> rows = {{"protocols", joined(protocols())},
                           {"providers", joined(providers)},
                           {"provider in use", provider_in_use()},
                           {"event loops", joined(loop_names())},
                           {"compiler", kCompiler}};
  for (const Kernel& each : kernels_here()) {
    std::vector<std::string> others(each.sets.begin() + 1, each.sets.end());
    rows.push_back({each.algorithm, each.sets.front() + (others.empty() ? "" : "; standing by: " + joined(others))});
  }
  print_rows(out(), rows);
  return kSuccess;
}

Command version_command(CLI::App& program) {
  CLI::App* app = program.add_subcommand("version", "Tell what this build is: providers, kernels, compiler");
  const auto output = std::make_shared<OutputOptions>();
  add_output_options(*app, *output);
  app->footer(
      "Kernels are Lockstep's own code; for each algorithm the instruction set that this processor uses comes first.");
  return {app, [output] { return print_version(output->json); }};
}

}  // namespace lockstep::tool
