// lockstep-bench: what `lockstep bench` runs. A program of its own, because it links other TLS libraries and brings a
// malloc that counts.

#include <cstdio>
#include <exception>
#include <fstream>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include <lockstep/standard_descriptors.hpp>

#include "../lockstep/terminal.hpp"
#include "bench.hpp"
#include "machine.hpp"
#include "memory_process.hpp"
#include "peer_lines.hpp"
#include "ranking.hpp"
#include "results.hpp"

namespace {

using namespace lockstep;

struct Arguments {
  bench::Options options;
  bool json = false;
  bool list = false;
  bool ranking = false;
  std::string svg;
  int processor = -1;
  std::size_t rounds = 0;
  double milliseconds = 0;

  bool peer = false;
  bench::PeerLines lines;
  bool memory_rows = false;
};

void add_options(CLI::App& app, Arguments& arguments) {
  app.add_option("--only", arguments.options.only, "Only cases whose name begins so; see --list")->delimiter(',');
  app.add_flag("--list", arguments.list, "List the names of the cases");
  app.add_flag("--quick", arguments.options.quick, "A few seconds: fewer cases, short rounds, rough figures");
  app.add_flag("--json", arguments.json, "Print a report for programs");
  app.add_flag("--ranking", arguments.ranking, "Measure and print the table of providers/best/ranking.hpp");
  app.add_option("--svg", arguments.svg, "Write a chart")->type_name("FILE");
  app.add_option("--rounds", arguments.rounds, "Rounds in which all peers take turns (default 21)");
  app.add_option("--slice", arguments.milliseconds, "Milliseconds of each peer in a round (default 20)");
  app.add_option("--cpu", arguments.processor, "The processor to stay on (default: the last one)");
  app.add_flag(bench::kMemoryRows, arguments.memory_rows)->group("");

  app.add_flag("--peer", arguments.peer,
               "Print Lockstep alone, one line a scenario: NAME-VERSION SCENARIO UNIT TOTAL A B")
      ->group("As a driver");
  app.add_option("--certs", arguments.lines.certificates, "Where p256/ and rsa2048/ with their chains are")
      ->group("As a driver");
  app.add_option("--ms", arguments.lines.milliseconds, "Milliseconds a scenario (default 300)")->group("As a driver");
  app.add_flag("--mem", arguments.lines.memory, "The scenarios that count the heap")->group("As a driver");
  app.footer(
      "Peers: Lockstep with each provider of this build, OpenSSL's libssl, Botan's TLS. They take turns in every "
      "round,\n"
      "on one processor; figures are medians, ratios are medians of each round's ratio. docs/benchmarks.md says more.\n"
      "Example: lockstep bench --only records-aes128gcm,handshakes --svg chart.svg");
}

int run(Arguments& arguments, char** words) {
  if (arguments.list) {
    for (const std::string& name : bench::case_names(arguments.options.quick)) tool::out().line(name);
    return tool::kSuccess;
  }
  if (arguments.memory_rows) {
    bench::print_memory_rows();
    return tool::kSuccess;
  }
  if (arguments.peer) {
    if (arguments.lines.certificates.empty()) throw tool::UsageError("--peer needs --certs DIR");
    if (!arguments.options.only.empty()) arguments.lines.only = arguments.options.only.front();
    if (arguments.lines.memory) bench::restart_without_pool(words);
    bench::print_peer_lines(arguments.lines);
    return tool::kSuccess;
  }
  if (arguments.options.quick) arguments.options.effort = {.rounds = 3, .slice_seconds = 0.002};
  if (arguments.rounds != 0) arguments.options.effort.rounds = arguments.rounds;
  if (arguments.milliseconds != 0) arguments.options.effort.slice_seconds = arguments.milliseconds / 1000;
  bench::pin(arguments.processor);
  if (arguments.ranking) {
    tool::out().print(bench::measure_ranking(arguments.options.effort));
    return tool::kSuccess;
  }
  const bench::Results results = bench::run(arguments.options);
  if (results.rows.empty()) throw tool::UsageError("no case begins so; --list shows their names");
  if (arguments.json) {
    tool::out().line(bench::to_json(results));
  } else {
    bench::print_table(results);
  }
  if (!arguments.svg.empty()) {
    std::ofstream file(arguments.svg, std::ios::binary);
    if (!(file << bench::to_svg(results)).flush()) throw tool::Failure("cannot write " + arguments.svg);
  }
  return tool::kSuccess;
}

}  // namespace

int main(int argc, char** argv) {
  if (!open_standard_descriptors()) return tool::kFailed;
  CLI::App app("Measures Lockstep beside other TLS libraries, in memory, alternating in one run.");
  app.name("lockstep bench");
  Arguments arguments;
  add_options(app, arguments);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? tool::kSuccess : tool::kUsage;
  }
  try {
    return run(arguments, argv);
  } catch (const tool::UsageError& error) {
    tool::print_failure("bench", error.what(), "Run `lockstep bench --help` for the options.");
    return tool::kUsage;
  } catch (const tool::Failure& failure) {
    tool::print_failure("bench", failure.what(), failure.advice());
  } catch (const std::exception& error) {
    tool::print_failure("bench", error.what(), "");
  }
  return tool::kFailed;
}
