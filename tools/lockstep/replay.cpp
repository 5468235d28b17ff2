// lockstep replay: runs a tape again, says whether every output is the same, and draws it.

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <lockstep/io.hpp>
#include <lockstep/replay.hpp>
#include <lockstep/tape.hpp>

#include "commands.hpp"
#include "files.hpp"
#include "ladder.hpp"
#include "provider.hpp"
#include "terminal.hpp"
#include "watch.hpp"

namespace lockstep::tool {
namespace {

constexpr std::size_t kLongestTape = std::size_t{1} << 30U;

struct Options {
  OutputOptions output;
  std::string tape;
  std::optional<std::uint64_t> until;
  bool trace = false;
  std::string svg;
  std::string key_log;
};

/// What can be read of a tape without running it.
struct Contents {
  bool redacted = false;
  std::uint64_t entries = 0;
  std::uint64_t operations = 0;
  std::optional<trace::Configuration> configuration;
  std::optional<trace::Completed> completed;
  std::optional<trace::FailureTold> failure;
  std::optional<trace::TapeProblem> problem;
};

Contents contents_of(Bytes tape) {
  Contents contents;
  trace::Reader reader(tape);
  for (;;) {
    auto entry = reader.next();
    if (!entry) {
      contents.problem = entry.error();
      break;
    }
    if (!*entry) break;
    ++contents.entries;
    if (const auto* configuration = std::get_if<trace::Configuration>(&**entry))
      contents.configuration = *configuration;
    if (const auto* completed = std::get_if<trace::Completed>(&**entry)) contents.completed = *completed;
    if (const auto* failure = std::get_if<trace::FailureTold>(&**entry); failure != nullptr && !contents.failure)
      contents.failure = *failure;
  }
  contents.redacted = reader.redacted();
  contents.operations = contents.configuration ? reader.operation() + 1 : 0;
  return contents;
}

void print_trace(Bytes tape, std::optional<std::uint64_t> until) {
  trace::Reader reader(tape);
  std::optional<Time> begin;
  Time now{};
  for (;;) {
    const auto entry = reader.next();
    if (!entry || !*entry || reader.operation() > until.value_or(UINT64_MAX)) return;
    if (const auto time = trace::time_of(**entry)) {
      now = *time;
      if (!begin) begin = now;
    }
    const std::string line = trace_line(**entry, begin, now);
    if (line.empty()) continue;
    const std::string number = std::to_string(reader.operation());
    out().line(out().styled(Style::dim, std::string(number.size() < 5 ? 5 - number.size() : 0, ' ') + number) + "  " +
               line);
  }
}

std::string text_of(const trace::Difference& difference) {
  return "operation " + std::to_string(difference.operation) + " (" + difference.call + ") differs at byte " +
         std::to_string(difference.offset) + " of the tape";
}

Json report_of(const Contents& contents, const std::optional<trace::ReplayRun>& run, std::size_t size) {
  Json report = {{"ok", run ? run->identical() : !contents.problem},
                 {"bytes", size},
                 {"redacted", contents.redacted},
                 {"recorded_operations", contents.operations}};
  if (contents.configuration) {
    report["role"] = contents.configuration->settings.role == Role::client ? "client" : "server";
    report["provider"] = printable(contents.configuration->provider);
  }
  if (contents.completed) {
    report["version"] = to_text(contents.completed->version);
    report["suite"] = to_text(contents.completed->suite);
    if (contents.completed->group != NamedGroup{}) report["group"] = to_text(contents.completed->group);
    if (contents.completed->dh_bits != 0) report["dh_bits"] = contents.completed->dh_bits;
    report["resumed"] = contents.completed->resumed;
    report["hello_retry_request"] = contents.completed->retried;
  }
  if (contents.failure) {
    const Error& error = contents.failure->error;
    report["failure"] = {{"reason", name(error.reason)}, {"alert", name(error.alert)}, {"origin", name(error.origin)}};
  }
  if (!run) return report;
  report["identical"] = run->identical();
  report["operations"] = run->operations;
  report["unfinished"] = run->unfinished;
  report["stopped"] = run->stopped.has_value();
  if (run->difference) {
    report["difference"] = {{"operation", run->difference->operation},
                            {"offset", run->difference->offset},
                            {"call", run->difference->call},
                            {"expected", run->difference->expected},
                            {"found", run->difference->found}};
  }
  if (run->problem) {
    report["problem"] = {
        {"error", name(run->problem->error)}, {"offset", run->problem->offset}, {"text", run->problem->text()}};
  }
  return report;
}

void print_result(const Options& options, const Contents& contents, const trace::ReplayRun& run) {
  if (run.problem) print_failure("replay", options.tape + ": " + run.problem->text(), "");
  if (run.difference) {
    print_failure("replay", text_of(*run.difference), "");
    err().line("  on the tape   " + run.difference->expected);
    err().line("  in this run   " + run.difference->found);
    if (contents.configuration->provider != provider().name) {
      err().line("  The tape was made with provider '" + printable(contents.configuration->provider) +
                 "'; this run used '" + std::string(provider().name) +
                 "', which may draw other portions of randomness.");
    }
  }
  if (options.output.quiet) return;
  std::vector<Row> rows = {{"role", contents.configuration->settings.role == Role::client ? "client" : "server"},
                           {"provider", printable(contents.configuration->provider)}};
  if (contents.completed)
    rows.push_back({"agreed", without_hash(trace::to_text(*contents.completed)).substr(sizeof "complete")});
  if (contents.failure) rows.push_back({"failure", to_text(contents.failure->error), Style::warning});
  rows.push_back(
      {"operations", std::to_string(run.operations) + " run, " + std::to_string(contents.operations) + " on the tape"});
  if (run.unfinished) rows.push_back({"end", "the tape ends inside its last operation", Style::warning});
  if (run.stopped) rows.push_back({"end", trace::to_text(*run.stopped), Style::warning});
  rows.push_back({"replay", run.identical() ? "identical" : "DIFFERENT", run.identical() ? Style::good : Style::bad});
  print_rows(out(), rows);
}

void write_key_log(const std::string& path, std::span<const trace::SecretTold> secrets) {
  std::string lines;
  for (const trace::SecretTold& secret : secrets) {
    lines += key_log_line(
                 {.label = secret.label, .client_random = secret.client_random.bytes, .secret = secret.secret.bytes}) +
             "\n";
  }
  print_warning("secrets go to " + path + ": whoever reads that file can read the recorded connection");
  write_secret(path, as_bytes(lines));
  wipe({reinterpret_cast<std::uint8_t*>(lines.data()), lines.size()});
}

int run(const Options& options) {
  const x509::SecretBytes file = read_file(options.tape, kLongestTape);
  const Bytes tape = file.view();
  const Contents contents = contents_of(tape);
  if (!contents.configuration) throw Failure(options.tape + ": " + contents.problem->text());

  if (options.trace) print_trace(tape, options.until);
  if (!options.svg.empty()) {
    const std::string drawing = draw_ladder(tape, options.until.value_or(UINT64_MAX));
    write_file(options.svg, as_bytes(drawing));
  }
  if (contents.redacted) {
    if (!options.key_log.empty() || (!options.trace && options.svg.empty())) {
      throw Failure(options.tape + ": " + trace::TapeProblem{trace::TapeError::redacted}.text(),
                    "Say --svg FILE or --trace.");
    }
    if (options.output.json) out().line(report_of(contents, std::nullopt, tape.size()).dump());
    return contents.problem ? kFailed : kSuccess;
  }

  prefer_provider(contents.configuration->provider);
  auto replay = trace::Replay::open(tape, provider(), certificate_codecs());
  if (!replay) throw Failure(options.tape + ": " + replay.error().text());
  const trace::ReplayRun result = replay->run(options.until.value_or(UINT64_MAX));
  if (!options.key_log.empty()) write_key_log(options.key_log, replay->secrets());
  if (options.output.json) {
    out().line(report_of(contents, result, tape.size()).dump());
  } else {
    print_result(options, contents, result);
  }
  return result.identical() ? kSuccess : kFailed;
}

}  // namespace

Command replay_command(CLI::App& program) {
  CLI::App* app = program.add_subcommand("replay", "Run a recorded connection again, and draw it");
  const auto options = std::make_shared<Options>();
  app->add_option("FILE", options->tape, "A tape, as client and server make with --tape")->required()->option_text(" ");
  app->add_option("--until", options->until, "Stop behind this operation [the last]")->option_text("N");
  app->add_flag("--trace", options->trace, "Print what is on the tape, by operation");
  app->add_option("--svg", options->svg, "Draw the ladder diagram of it")->option_text("FILE");
  app->add_option("--keylog", options->key_log, "Write the secrets that the run derives, for Wireshark")
      ->option_text("FILE");
  add_output_options(*app, options->output);
  app->footer(
      "Status 0 when every output is identical; otherwise the first difference is told.\n"
      "The provider is the one that the tape names, unless --provider says another.\n"
      "Example:\n"
      "  lockstep client example.com --get / --tape example.tape\n"
      "  lockstep replay example.tape --svg example.svg");
  return {app, [options] { return run(*options); }};
}

}  // namespace lockstep::tool
