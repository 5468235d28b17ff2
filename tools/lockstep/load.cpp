// lockstep load: opens and drives many connections to a TLS server, from event loops.

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>
#include <poll.h>
#include <sys/resource.h>
#include <unistd.h>

#include <lockstep/loop.hpp>

#include "arguments.hpp"
#include "commands.hpp"
#include "event_loops.hpp"
#include "facts.hpp"
#include "family.hpp"
#include "files.hpp"
#include "http.hpp"
#include "provider.hpp"
#include "server.hpp"
#include "signals.hpp"
#include "terminal.hpp"
#include "tls_options.hpp"
#include "url.hpp"

namespace lockstep::tool {
namespace {

using loop::Clock;

struct LoadOptions {
  OutputOptions output;
  TlsOptions tls;
  std::string target;
  std::string path;
  std::string name;
  std::vector<std::string> anchors;
  bool insecure = false;
  Family family = Family::any;
  std::size_t connections = 10;
  std::size_t opening = 100;
  double rate = 0;
  double seconds = 10;
  std::uint64_t requests = 0;
  bool reuse = true;
  bool resume = false;
  bool early_data = false;
  double hold = 0;
  std::string pid;
  std::string loop = "epoll";
  unsigned threads = 1;
};

/// Counts durations in buckets that are a thirty-second of their size apart: any quantile to 3 %, in fixed space.
class Histogram {
 public:
  void add(Clock::duration duration) noexcept {
    const auto ns = static_cast<std::uint64_t>(std::max<Clock::rep>(1, duration.count()));
    ++buckets_[index(ns)];
    ++count_;
    sum_ += ns;
    most_ = std::max(most_, ns);
  }
  void add(const Histogram& other) noexcept {
    for (std::size_t i = 0; i < buckets_.size(); ++i) buckets_[i] += other.buckets_[i];
    count_ += other.count_;
    sum_ += other.sum_;
    most_ = std::max(most_, other.most_);
  }
  [[nodiscard]] std::uint64_t count() const noexcept { return count_; }
  [[nodiscard]] double mean() const noexcept {
    return count_ == 0 ? 0 : static_cast<double>(sum_) / static_cast<double>(count_) / 1e6;
  }
  [[nodiscard]] double most() const noexcept { return static_cast<double>(most_) / 1e6; }
  /// Milliseconds that the share of all is within.
  [[nodiscard]] double quantile(double share) const noexcept {
    const auto wanted = static_cast<std::uint64_t>(std::ceil(share * static_cast<double>(count_)));
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < buckets_.size(); ++i) {
      seen += buckets_[i];
      if (seen >= wanted && seen != 0) return std::min(static_cast<double>(upper(i)), static_cast<double>(most_)) / 1e6;
    }
    return most();
  }
  /// How many took between the two, in nanoseconds.
  [[nodiscard]] std::uint64_t between(std::uint64_t low, std::uint64_t high) const noexcept {
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < buckets_.size(); ++i) {
      if (upper(i) > low && upper(i) <= high) sum += buckets_[i];
    }
    return sum;
  }

 private:
  static constexpr unsigned kFraction = 5;
  static std::size_t index(std::uint64_t ns) noexcept {
    if (ns < (1U << kFraction)) return ns;
    const auto exponent = static_cast<unsigned>(std::bit_width(ns)) - kFraction - 1;
    return (exponent + 1) * (std::size_t{1} << kFraction) + ((ns >> exponent) - (1U << kFraction));
  }
  static std::uint64_t upper(std::size_t index) noexcept {
    if (index < (1U << kFraction)) return index;
    const std::size_t exponent = index / (1U << kFraction) - 1;
    return ((index % (1U << kFraction)) + (1U << kFraction) + 1) << exponent;
  }
  std::array<std::uint64_t, 64 << kFraction> buckets_{};
  std::uint64_t count_ = 0;
  std::uint64_t sum_ = 0;
  std::uint64_t most_ = 0;
};

/// What one thread has seen. Only that thread writes; the counters that progress is shown from may be read by others.
struct Tally {
  std::atomic<std::uint64_t> opened{0};
  std::atomic<std::uint64_t> answered{0};
  std::atomic<std::uint64_t> failed{0};
  std::atomic<std::uint64_t> bytes{0};
  std::atomic<std::uint64_t> resumed{0};
  std::atomic<std::uint64_t> early{0};  ///< whose request, or the beginning of it, went early and arrived
  Histogram handshakes;
  Histogram answers;
  std::map<int, std::uint64_t> statuses;  ///< how many answers had which
  std::vector<std::pair<std::string, std::uint64_t>> errors;

  void add_error(const std::string& text) {
    ++failed;
    const auto known = std::ranges::find(errors, text, &std::pair<std::string, std::uint64_t>::first);
    if (known != errors.end()) {
      ++known->second;
    } else if (errors.size() < 16) {
      errors.emplace_back(text, 1);
    }
  }
};

/// How far a response has been read: its head, then so many bytes.
class ResponseReader {
 public:
  /// Takes bytes; true when they end a response, which is always at their end for one request at a time.
  bool take(std::string_view bytes) {
    if (!in_body_) {
      head_ += bytes;
      const std::size_t end = head_.find("\r\n\r\n");
      if (end == std::string::npos) return false;
      status_ = status_of(head_);
      left_ = content_length(std::string_view(head_).substr(0, end));
      in_body_ = true;
      bytes = std::string_view(head_).substr(end + 4);
      const std::uint64_t here = std::min<std::uint64_t>(left_, bytes.size());
      left_ -= here;
    } else {
      left_ -= std::min<std::uint64_t>(left_, bytes.size());
    }
    if (left_ != 0) return false;
    in_body_ = false;
    head_.clear();
    return true;
  }
  /// Of the response that was read last; 0 when it had none.
  [[nodiscard]] int status() const noexcept { return status_; }

 private:
  /// RFC 9112 4: "HTTP/1.1 404 Not Found".
  static int status_of(std::string_view head) {
    constexpr std::string_view kVersion = "HTTP/1.1 ";
    int status = 0;
    if (head.size() < kVersion.size() + 3 || !head.starts_with("HTTP/1.")) return 0;
    const char* const digits = head.data() + kVersion.size();
    return std::from_chars(digits, digits + 3, status).ptr == digits + 3 ? status : 0;
  }
  static std::uint64_t content_length(std::string_view head) {
    std::string lower(head);
    std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    constexpr std::string_view kField = "\r\ncontent-length:";
    const std::size_t at = lower.find(kField);
    return at == std::string::npos ? 0 : std::strtoull(lower.c_str() + at + kField.size(), nullptr, 10);
  }
  std::string head_;
  std::uint64_t left_ = 0;
  bool in_body_ = false;
  int status_ = 0;
};

/// One thread's connections.
class Driver {
 public:
  Driver(const LoadOptions& options, const loop::Options& connection, const HostAndPort& host, x509::PeerName name,
         std::unique_ptr<loop::Loop> event_loop, std::size_t share)
      : options_(options),
        connection_(connection),
        host_(host),
        name_(std::move(name)),
        loop_(std::move(event_loop)),
        share_(share),
        request_("GET " + options.path + " HTTP/1.1\r\nHost: " + http_host(host.host) +
                 "\r\nUser-Agent: lockstep\r\nConnection: " + (options.reuse ? "keep-alive" : "close") + "\r\n\r\n") {}

  void run() {
    start_ = Clock::now();
    if (!holding()) {
      loop_->after(std::chrono::milliseconds(static_cast<std::int64_t>(options_.seconds * 1000)),
                   [this](loop::Loop&) { finish(); });
    }
    open_more();
    loop_->run();
  }
  /// From any thread: what is in progress ends soon.
  void stop() {
    loop_->post([this](loop::Loop&) { finish(std::chrono::seconds(1)); });
  }
  [[nodiscard]] const Tally& tally() const noexcept { return tally_; }

 private:
  class Client;
  friend class Client;

  [[nodiscard]] bool holding() const noexcept { return options_.hold > 0; }

  /// As many connections as are missing, within the bounds of how many may be opening at once and of the rate.
  void open_more() {
    if (finishing_) return;
    std::size_t may = share_ - std::min(share_, open_ + opening_);
    may = std::min(may, options_.opening - std::min(options_.opening, opening_));
    if (options_.rate > 0) {
      const double elapsed = std::chrono::duration<double>(Clock::now() - start_).count();
      const double due = elapsed * options_.rate / options_.threads + 1;
      may = std::min(may, static_cast<std::size_t>(std::max(0.0, due - static_cast<double>(begun_))));
      if (!ticking_ && open_ + opening_ + may < share_) {
        ticking_ = true;
        loop_->after(std::chrono::milliseconds(10), [this](loop::Loop&) {
          ticking_ = false;
          open_more();
        });
      }
    }
    for (; may != 0 && !finishing_; --may) open_one();
  }
  void open_one();
  void end_of(const IoError* error, bool was_open);
  void all_are_open();
  void wake_all();
  void finish(std::chrono::seconds patience = std::chrono::seconds(10)) {
    if (finishing_ && patience >= patience_) return;
    finishing_ = true;
    patience_ = patience;
    loop_->drain(patience);
  }
  void one_answered() {
    ++tally_.answered;
    if (options_.requests != 0 && tally_.answered >= options_.requests / options_.threads) finish();
  }

  const LoadOptions& options_;
  loop::Options connection_;
  const HostAndPort& host_;
  x509::PeerName name_;
  std::unique_ptr<loop::Loop> loop_;
  std::size_t share_;
  std::string request_;
  Tally tally_;
  Clock::time_point start_{};
  std::size_t open_ = 0;
  std::size_t opening_ = 0;
  std::size_t begun_ = 0;
  std::size_t unanswered_ = 0;
  bool ticking_ = false;
  bool finishing_ = false;
  std::chrono::seconds patience_{};  ///< of the end, once it has come
  bool held_ = false;
  std::vector<Client*> held_clients_;
};

class Driver::Client final : public loop::Handler {
 public:
  explicit Client(Driver& driver) noexcept : driver_(driver), began_(Clock::now()) {}

  void on_open(loop::Stream& stream) override {
    stream_ = &stream;
    if (driver_.options_.early_data) early_ = stream.write_early(as_bytes(driver_.request_)).value_or(0);
  }
  void on_handshake(loop::Stream& stream, const HandshakeComplete& complete) override {
    open_ = true;
    --driver_.opening_;
    ++driver_.open_;
    ++driver_.tally_.opened;
    if (complete.resumed) ++driver_.tally_.resumed;
    const bool arrived = early_ != 0 && complete.early_data == EarlyDataStatus::accepted;
    if (arrived) ++driver_.tally_.early;
    driver_.tally_.handshakes.add(Clock::now() - began_);
    if (driver_.holding()) {
      index_ = driver_.held_clients_.size();
      driver_.held_clients_.push_back(this);
      if (driver_.open_ == driver_.share_) driver_.all_are_open();
    } else {
      ask(stream, arrived ? early_ : 0);
    }
    driver_.open_more();
  }
  void on_readable(loop::Stream& stream) override {
    while (!stream.readable().empty()) {
      const Bytes view = stream.readable();
      const std::size_t size = view.size();
      driver_.tally_.bytes += size;
      const bool complete = response_.take(as_text(view));
      stream.consume(size);
      if (complete) answered(stream);
    }
  }
  void on_closed(loop::Stream& /*stream*/, const IoError* error) override {
    if (driver_.holding() && open_) {
      driver_.held_clients_.back()->index_ = index_;
      std::swap(driver_.held_clients_[index_], driver_.held_clients_.back());
      driver_.held_clients_.pop_back();
    }
    const bool over = driver_.finishing_ || !awaiting_;
    if (error != nullptr && open_ && over && is_end_of_transport(*error)) error = nullptr;
    // Nor is it the server's fault that we are through.
    if (error != nullptr && driver_.finishing_ && error->condition == IoCondition::canceled) error = nullptr;
    driver_.end_of(error, open_);
  }
  /// But for what has been asked already.
  void ask(loop::Stream& stream, std::size_t asked = 0) {
    asked_ = Clock::now();
    awaiting_ = true;
    (void)stream.write(as_bytes(driver_.request_).subspan(asked));
  }
  void wake() { ask(*stream_); }

 private:
  void answered(loop::Stream& stream) {
    if (!awaiting_) return;
    awaiting_ = false;
    driver_.tally_.answers.add(Clock::now() - asked_);
    const int status = response_.status();
    ++driver_.tally_.statuses[status];
    if (status == 0) {
      driver_.tally_.add_error("the server's answer is not one of HTTP/1");
    } else if (status / 100 != 2) {
      driver_.tally_.add_error("the server answered with status " + std::to_string(status));
    }
    driver_.one_answered();
    if (driver_.finishing_) return;
    if (driver_.holding()) {
      if (--driver_.unanswered_ == 0) driver_.finish();
    } else if (driver_.options_.reuse) {
      ask(stream);
    } else {
      stream.close();
    }
  }

  Driver& driver_;
  loop::Stream* stream_ = nullptr;
  Clock::time_point began_;
  Clock::time_point asked_{};
  ResponseReader response_;
  std::size_t index_ = 0;
  std::size_t early_ = 0;  ///< of the request, as early data
  bool open_ = false;
  bool awaiting_ = false;
};

void Driver::open_one() {
  ++opening_;
  ++begun_;
  const auto stream =
      loop_->dial(host_.host, host_.port, connection_, std::make_unique<Client>(*this), {.name = name_});
  if (!stream) {
    --opening_;
    tally_.add_error(stream.error().text);
    finish();
  }
}

void Driver::end_of(const IoError* error, bool was_open) {
  was_open ? --open_ : --opening_;
  if (error != nullptr) {
    tally_.add_error(on_command_line(error->text));
    // A server that is not there will not be there for the next thousand either.
    if (tally_.opened == 0 && tally_.failed >= 10) return finish();
  }
  if (finishing_ || held_) return;
  loop_->post([this](loop::Loop&) { open_more(); });
}

void Driver::all_are_open() {
  held_ = true;
  loop_->after(std::chrono::milliseconds(static_cast<std::int64_t>(options_.hold * 1000)),
               [this](loop::Loop&) { wake_all(); });
}

void Driver::wake_all() {
  if (finishing_) return;
  unanswered_ = held_clients_.size();
  if (unanswered_ == 0) return finish();
  for (Client* client : held_clients_) client->wake();
  loop_->after(std::chrono::milliseconds(30'000), [this](loop::Loop&) { finish(); });
}

// --- the report ------------------------------------------------------------------------------------------------------

/// Kilobytes that a process has resident, of its own: shared pages of programs and libraries apart.
std::uint64_t resident_kilobytes(const std::string& pid) {
  std::uint64_t sum = 0;
  std::ifstream file("/proc/" + pid + "/smaps_rollup");
  const std::string rollup{std::istreambuf_iterator<char>(file), {}};
  if (rollup.empty()) throw Failure("the memory of process " + pid + " cannot be read", "Run as its owner.");
  for (const std::string_view field : {"\nPrivate_Clean:", "\nPrivate_Dirty:"}) {
    const std::size_t at = rollup.find(field);
    if (at != std::string::npos) sum += std::strtoull(rollup.data() + at + field.size(), nullptr, 10);
  }
  return sum;
}

Json json_of(const Histogram& histogram) {
  return {{"count", histogram.count()},         {"mean_ms", histogram.mean()},
          {"p50_ms", histogram.quantile(0.5)},  {"p90_ms", histogram.quantile(0.9)},
          {"p99_ms", histogram.quantile(0.99)}, {"p999_ms", histogram.quantile(0.999)},
          {"max_ms", histogram.most()}};
}

std::string milliseconds(double value) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), value < 10 ? "%.2f ms" : "%.0f ms", value);
  return text.data();
}

void print_histogram(const std::string& title, const Histogram& histogram) {
  if (histogram.count() == 0) return;
  out().line();
  out().line(out().styled(Style::bold, title) + "  median " + milliseconds(histogram.quantile(0.5)) + ", 90% " +
             milliseconds(histogram.quantile(0.9)) + ", 99% " + milliseconds(histogram.quantile(0.99)) + ", most " +
             milliseconds(histogram.most()));
  struct Bar {
    std::string label;
    std::uint64_t count;
  };
  std::vector<Bar> bars;
  std::uint64_t highest = 0;
  std::uint64_t low = 0;
  for (std::uint64_t high = 1000; low < static_cast<std::uint64_t>(histogram.most() * 1e6) + 1; high *= 2) {
    const std::uint64_t count = histogram.between(low, high);
    const double end = static_cast<double>(high) / 1e6;
    bars.push_back({"to " + milliseconds(end), count});
    highest = std::max(highest, count);
    low = high;
  }
  while (!bars.empty() && bars.front().count == 0) bars.erase(bars.begin());
  for (const Bar& bar : bars) {
    constexpr std::uint64_t kWidth = 50;
    std::string line = "  " + std::string(14 - std::min<std::size_t>(14, bar.label.size()), ' ') + bar.label + "  ";
    const std::string count = with_separators(bar.count);
    line += std::string(12 - std::min<std::size_t>(12, count.size()), ' ') + count + "  ";
    const std::uint64_t width = highest == 0 ? 0 : (bar.count * kWidth + highest - 1) / highest;
    for (std::uint64_t i = 0; i < width; ++i) line += "█";
    out().line(line);
  }
}

/// As many descriptors as the system lets us have.
void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  (void)::setrlimit(RLIMIT_NOFILE, &limit);
}

int run(LoadOptions& options) {
  const Descriptor signals = blocked_signals();
  raise_descriptor_limit();
  const auto [host, path] = parse_target(options.target, 443);
  if (options.path.empty()) options.path = path.empty() ? "/" : path;
  ClientConfigBuilder builder = ConfigBuilder::client(provider());
  apply(options.tls, builder);
  // What is sent early is sent when a connection opens, and waits for nothing that is computed elsewhere.
  builder.hand_out_computations(computes_together() && !options.early_data);
  if (options.early_data) {
    if (!options.resume || options.hold > 0) throw UsageError("--early-data needs --resume, and goes not with --hold");
    builder.early_data(kMaxEarlyData);
  }
  AnswerOptions answers{.provider = provider(), .policy = policy_of(options.tls.policy)};
  answers.psks = psks_of(options.tls);
  // One server's, for all connections that are begun at once.
  constexpr std::size_t kSessions = 64;
  answers.client_sessions =
      options.resume ? std::make_shared<LruClientSessionCache>(1, kSessions * options.threads) : nullptr;
  if (options.tls.max_message != 0) answers.max_certificate_message = options.tls.max_message;
  if (options.insecure) {
    builder.dangerous().skip_verification();
  } else {
    answers.anchors = read_anchors(options.anchors);
  }
  answers.keep_peer_chain = false;
  const std::string named = options.name.empty() ? host.host : options.name;
  auto name = x509::PeerName::parse(named);
  if (!name) throw UsageError("\"" + named + "\": " + std::string(x509::explanation(name.error())) + "; give --name");
  auto setup = AnswerSetup::create(std::move(answers));
  if (!setup) throw Failure(setup.error().front().text);
  const loop::Options connection{.config = built(builder),
                                 .answers = *setup,
                                 .random = &random_source(),
                                 .resolve = resolve_of(options.family),
                                 .key_log = key_log_of(options.tls)};

  std::vector<std::unique_ptr<Driver>> drivers;
  for (unsigned i = 0; i < options.threads; ++i) {
    const std::size_t share =
        options.connections / options.threads + (i < options.connections % options.threads ? 1 : 0);
    drivers.push_back(std::make_unique<Driver>(options, connection, host, *name, make_event_loop(options.loop), share));
  }
  const std::uint64_t before = options.pid.empty() ? 0 : resident_kilobytes(options.pid);
  std::uint64_t held = 0;
  std::uint64_t held_with = 0;
  const auto start = Clock::now();
  std::atomic<std::size_t> running = drivers.size();
  std::vector<std::thread> threads;
  for (const auto& driver : drivers) {
    threads.emplace_back([&driver, &running] {
      driver->run();
      --running;
    });
  }
  const auto sum = [&](std::atomic<std::uint64_t> Tally::* counter) {
    std::uint64_t total = 0;
    for (const auto& driver : drivers) total += driver->tally().*counter;
    return total;
  };
  const bool progress = !options.output.quiet && !options.output.json && ::isatty(STDERR_FILENO) != 0;
  bool interrupted = false;
  for (unsigned turn = 1; running != 0; ++turn) {
    // A signal ends the measurement, not the program: what was measured is told.
    pollfd signal{signals.number(), POLLIN, 0};
    if (interrupted) {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    } else if (::poll(&signal, 1, 50) > 0) {
      interrupted = true;
      for (const auto& driver : drivers) driver->stop();
    }
    const std::uint64_t opened = sum(&Tally::opened);
    // The state in which they only wait is what is measured.
    if (options.hold > 0 && !options.pid.empty() && opened >= options.connections && sum(&Tally::answered) == 0) {
      held = resident_kilobytes(options.pid);
      held_with = opened;
    }
    if (progress && turn % 10 == 0) {
      err().print("\r  " + with_separators(opened) + " opened, " + with_separators(sum(&Tally::answered)) +
                  " answered, " + with_separators(sum(&Tally::failed)) + " failed   ");
    }
  }
  for (std::thread& thread : threads) thread.join();
  const double elapsed = std::chrono::duration<double>(Clock::now() - start).count();
  if (progress) err().print("\r\x1b[K");

  Histogram handshakes;
  Histogram responses;
  std::map<int, std::uint64_t> statuses;
  std::map<std::string, std::uint64_t> errors;
  for (const auto& driver : drivers) {
    handshakes.add(driver->tally().handshakes);
    responses.add(driver->tally().answers);
    for (const auto& [status, count] : driver->tally().statuses) statuses[status] += count;
    for (const auto& [text, count] : driver->tally().errors) errors[text] += count;
  }
  const std::uint64_t failed = sum(&Tally::failed);
  const std::uint64_t answered = sum(&Tally::answered);
  const std::uint64_t opened = sum(&Tally::opened);
  const bool ok = failed == 0 && opened != 0;
  const auto per_second = [elapsed](std::uint64_t count) { return static_cast<double>(count) / elapsed; };
  const double per_connection =
      held_with == 0 || held < before ? 0 : static_cast<double>(held - before) * 1024 / static_cast<double>(held_with);
  if (options.output.json) {
    Json report = {{"ok", ok},
                   {"interrupted", interrupted},
                   {"seconds", elapsed},
                   {"connections", opened},
                   {"connections_per_second", per_second(opened)},
                   {"resumed", sum(&Tally::resumed)},
                   {"early", sum(&Tally::early)},
                   {"responses", answered},
                   {"responses_per_second", per_second(answered)},
                   {"bytes", sum(&Tally::bytes)},
                   {"bytes_per_second", per_second(sum(&Tally::bytes))},
                   {"failed", failed},
                   {"handshake", json_of(handshakes)},
                   {"response", json_of(responses)}};
    if (held_with != 0) {
      report["idle"] = {{"connections", held_with},
                        {"server_kilobytes_before", before},
                        {"server_kilobytes", held},
                        {"server_bytes_per_connection", per_connection}};
    }
    report["statuses"] = Json::object();
    for (const auto& [status, count] : statuses) report["statuses"][std::to_string(status)] = count;
    report["errors"] = Json::array();
    for (const auto& [text, count] : errors) report["errors"].push_back({{"text", text}, {"count", count}});
    out().line(report.dump(2));
  } else if (!options.output.quiet || !ok) {
    const auto rate = [&per_second](std::uint64_t count) {
      return with_separators(count) + "  (" + with_separators(static_cast<std::uint64_t>(per_second(count))) +
             " a second)";
    };
    std::vector<Row> rows = {{"connections", rate(opened)},
                             {"responses", rate(answered)},
                             {"bytes", rate(sum(&Tally::bytes))},
                             {"failed", with_separators(failed), failed == 0 ? Style::good : Style::bad}};
    if (options.resume) rows.insert(rows.begin() + 1, {"resumed", with_separators(sum(&Tally::resumed))});
    if (options.early_data) rows.insert(rows.begin() + 2, {"early", with_separators(sum(&Tally::early))});
    if (held_with != 0) {
      rows.push_back({"server memory", with_separators(before) + " KiB before, " + with_separators(held) +
                                           " KiB with " + with_separators(held_with) + " idle connections: " +
                                           with_separators(static_cast<std::uint64_t>(per_connection)) +
                                           " bytes for each"});
    }
    print_rows(out(), rows);
    for (const auto& [text, count] : errors) {
      out().line("  " + out().styled(Style::bad, with_separators(count) + " times: ") + text);
    }
    print_histogram("handshakes", handshakes);
    print_histogram("responses", responses);
  }
  return ok ? kSuccess : kFailed;
}

}  // namespace

Command load_command(CLI::App& program) {
  CLI::App* app = program.add_subcommand("load", "Open many connections to a server and drive requests through them");
  const auto options = std::make_shared<LoadOptions>();
  app->add_option("HOST", options->target, "HOST[:PORT] or https://HOST[:PORT]/PATH [port 443]")
      ->required()
      ->option_text(" ");
  app->add_option("--path", options->path, "What to GET [that of the URL, or /]")->option_text("PATH");
  app->add_option("--connections", options->connections, "Connections at once [10]")
      ->check(CLI::Range(1, 1'000'000))
      ->option_text("N");
  app->add_option("--opening", options->opening, "Of these, most that are being opened at once [100]")
      ->check(CLI::PositiveNumber)
      ->option_text("N");
  app->add_option("--rate", options->rate, "New connections a second [as many as can be]")
      ->check(CLI::PositiveNumber)
      ->option_text("N");
  app->add_option("--seconds", options->seconds, "How long [10]")->check(CLI::PositiveNumber)->option_text("SECONDS");
  app->add_option("--requests", options->requests, "End after so many answers [no bound]")->option_text("N");
  app->add_flag("--reuse,!--no-reuse", options->reuse, "One request after the other on a connection (the default)");
  app->add_flag("--resume", options->resume, "Resume sessions that the server has given");
  app->add_flag("--early-data", options->early_data,
                "Send the first request of a connection as early data, with --resume");
  app->add_option("--hold", options->hold, "Open all, leave them idle for so long, then ask once on each and end")
      ->check(CLI::PositiveNumber)
      ->option_text("SECONDS");
  app->add_option("--pid", options->pid, "With --hold: the server's process here, to tell its memory")
      ->option_text("PID");
  app->add_option("--loop", options->loop, "Which event loop [epoll]")
      ->check(CLI::IsMember(event_loop_names()))
      ->option_text(joined(event_loop_names(), "|"));
  add_family_options(*app, options->family);
  app->add_option("--threads", options->threads, "Loops [1]")->check(CLI::Range(1, 256))->option_text("N");

  constexpr const char* kTrust = "Trust";
  app->add_option("--name", options->name, "Name that the certificate must be for [HOST]")
      ->option_text("NAME")
      ->group(kTrust);
  app->add_option("--ca", options->anchors, "File or directory of authorities to trust [the system's]")
      ->option_text("PATH")
      ->group(kTrust);
  app->add_flag("--insecure,--no-verify", options->insecure,
                "Accept any certificate. DANGEROUS: there is no protection then")
      ->group(kTrust);
  add_tls_options(*app, options->tls, Role::client);
  add_output_options(*app, options->output);
  app->footer(
      "SIGINT and SIGTERM end the measurement: what was measured by then is told.\n"
      "Example:\n"
      "  lockstep load localhost:8443 --ca server.pem --connections 50 --seconds 5\n"
      "  lockstep load localhost:8443 --ca server.pem --connections 10000 --hold 5 --pid $(pidof lockstep)");
  return {app, [options] { return run(*options); }};
}

}  // namespace lockstep::tool
