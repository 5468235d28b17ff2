#include "watch.hpp"

#include <map>
#include <utility>
#include <variant>

#include <CLI/CLI.hpp>

#include "provider.hpp"
#include "terminal.hpp"

namespace lockstep::tool {
namespace {

// A connection that is read slowly keeps its tape in memory meanwhile.
constexpr std::uint64_t kTapeLimit = std::uint64_t{64} << 20U;

/// "server.tape" and 3: "server-3.tape".
std::string numbered(const std::string& path, std::optional<std::uint64_t> number) {
  if (!number) return path;
  const std::size_t slash = path.rfind('/');
  const std::size_t dot = path.rfind('.');
  const bool ending = dot != std::string::npos && dot != 0 && (slash == std::string::npos || dot > slash + 1);
  const std::size_t at = ending ? dot : path.size();
  return path.substr(0, at) + "-" + std::to_string(*number) + path.substr(at);
}

const std::map<std::string, std::optional<trace::Severity>> kLevels{{"none", std::nullopt},
                                                                    {"error", trace::Severity::error},
                                                                    {"notice", trace::Severity::notice},
                                                                    {"info", trace::Severity::info},
                                                                    {"debug", trace::Severity::debug}};

void wipe_text(std::string& text) { wipe({reinterpret_cast<std::uint8_t*>(text.data()), text.size()}); }

}  // namespace

void add_watch_options(CLI::App& app, WatchOptions& options) {
  constexpr const char* kGroup = "Watching";
  app.add_option("--tape", options.tape,
                 "Record the connection for `lockstep replay`. SECRET: whoever reads it reads all")
      ->option_text("FILE")
      ->group(kGroup);
  app.add_flag("--redact", options.redact, "Put only sizes, types and times on the tape: it draws but does not replay")
      ->group(kGroup);
  app.add_flag_callback(
         "--trace", [&options] { options.log = trace::Severity::debug; },
         "Tell every message, state and key change on standard error")
      ->group(kGroup);
  app.add_option_function<std::string>(
         "--log-level", [&options](const std::string& level) { options.log = kLevels.at(level); },
         "Tell so much on standard error: error (failures and their alerts), notice (all alerts), info (stages "
         "of connections), debug (as --trace)")
      ->check(CLI::IsMember(kLevels))
      ->option_text("LEVEL")
      ->group(kGroup);
}

void check(const WatchOptions& watching, const TlsOptions& tls) {
  if (watching.redact && watching.tape.empty()) throw UsageError("--redact needs --tape");
  if (watching.redact && watching.explain) throw UsageError("--redact leaves nothing for --explain to look at");
  if (tls.key_log_failed && tls.key_log.empty()) throw UsageError("--keylog-failed needs --keylog");
  if (watching.tape.empty() || watching.redact) return;
  print_warning("connections are recorded in " + watching.tape +
                ": whoever reads such a tape can read them; --redact leaves the contents out");
}

Watch::Watch(const WatchOptions& options, const TlsOptions& tls, std::optional<std::uint64_t> number)
    : options_(options), prefix_(number ? "#" + std::to_string(*number) + " " : ""), keep_keys_(tls.key_log_failed) {
  if (options.tape.empty() && !options.log && !options.explain) return;
  recorder_.emplace(random_source(),
                    trace::RecorderOptions{.contents = options.redact ? trace::Contents::shapes : trace::Contents::all,
                                           .limit = kTapeLimit});
  if (options.tape.empty()) return;
  path_ = numbered(options.tape, number);
  check_secret_path(path_);
}

Watch::~Watch() {
  drain();
  if (recorder_ && recorder_->stopped()) {
    print_warning((path_.empty() ? std::string("the trace") : path_) +
                  " ends before its connection did: " + std::to_string(kTapeLimit >> 20U) + " MiB are the most");
  }
  for (std::string& line : kept_keys_) wipe_text(line);
}

void Watch::attach(blocking::Options& options) {
  if (keep_keys_ && options.key_log) {
    key_log_ = std::exchange(options.key_log, [this](std::string_view line) { kept_keys_.emplace_back(line); });
  }
  if (!recorder_ && !key_log_) return;
  options.intercept = [this, before = std::move(options.intercept)](const blocking::Interception& where, Event& event) {
    const bool answered = before && before(where, event);
    if (std::holds_alternative<HandshakeComplete>(event)) {
      for (std::string& line : kept_keys_) wipe_text(line);
      kept_keys_.clear();
    }
    drain();
    return answered;
  };
}

void Watch::failed() {
  for (const std::string& line : kept_keys_) key_log_(line);
}

const std::vector<std::uint8_t>& Watch::client_hello() {
  drain();
  return hello_.message();
}

void Watch::drain() {
  if (!recorder_) return;
  const Bytes recorded = recorder_->recorded();
  if (recorded.empty()) return;
  if (!path_.empty()) write(recorded);
  if (options_.log || options_.explain) {
    reader_.feed(recorded);
    while (auto entry = reader_.next()) {
      if (!*entry) break;
      if (options_.log) print(**entry);
      if (options_.explain) hello_.note(**entry);
    }
  }
  recorder_->taken();
}

void Watch::write(Bytes bytes) {
  try {
    if (!file_) file_.emplace(path_);
    file_->write(bytes);
    // From its first entries on, so that a program that is ended leaves its tape.
    file_->take_name();
  } catch (const Failure& failure) {
    print_warning(std::string("the tape is incomplete: ") + failure.what());
    file_.reset();
    path_.clear();
  }
}

void Watch::print(const trace::Entry& entry) {
  if (const auto time = trace::time_of(entry)) {
    now_ = *time;
    if (!begin_) begin_ = now_;
  }
  if (trace::severity(entry) > *options_.log) return;
  const std::string line = trace_line(entry, begin_, now_);
  if (!line.empty()) err().line(err().styled(Style::dim, prefix_) + line);
}

std::string trace_line(const trace::Entry& entry, std::optional<Time> begin, Time now) {
  const bool told = std::visit(
      []<class E>(const E& e) {
        if constexpr (std::same_as<E, trace::Receive>) return e.added.size != 0;
        if constexpr (std::same_as<E, trace::Transmitted>) return e.bytes.size != 0;
        if constexpr (std::same_as<E, trace::Done>) return e.misuse.has_value();
        if constexpr (std::same_as<E, trace::SealDone>) return true;
        if constexpr (std::same_as<E, trace::Started>) return e.failed;
        return !std::same_as<E, trace::Consumed> && !std::same_as<E, trace::Transmit> &&
               !std::same_as<E, trace::Seal> && !std::same_as<E, trace::SealEarly> && !std::same_as<E, trace::Draw> &&
               !std::same_as<E, trace::SealInPlace>;
      },
      entry);
  if (!told) return {};
  std::string stamp;
  if (begin) {
    const auto milliseconds = (now - *begin).count();
    stamp = std::to_string(milliseconds % 1000);
    stamp = "+" + std::to_string(milliseconds / 1000) + "." +
            std::string(3 - std::min<std::size_t>(stamp.size(), 3), '0') + stamp + " s  ";
  }
  return stamp + without_hash(trace::to_text(entry));
}

std::string without_hash(std::string text) {
  // " #" and 16 digits at the end: for comparing runs only.
  constexpr std::size_t kSize = 18;
  if (text.size() > kSize && text[text.size() - kSize] == ' ' && text[text.size() - kSize + 1] == '#')
    text.resize(text.size() - kSize);
  return text;
}

}  // namespace lockstep::tool
