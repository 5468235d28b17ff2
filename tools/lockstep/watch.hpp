#pragma once
// Watching a connection: its tape, its trace on the terminal, and a key log that keeps only what failed. All three read
// what one recorder writes.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <lockstep/blocking.hpp>
#include <lockstep/replay.hpp>
#include <lockstep/tape.hpp>

#include "files.hpp"
#include "hello_source.hpp"
#include "tls_options.hpp"

namespace CLI {
class App;
}

namespace lockstep::tool {

struct WatchOptions {
  std::string tape;
  bool redact = false;
  std::optional<trace::Severity> log{};  ///< what is told of each connection; nothing: nothing
  bool explain = false;                  ///< a server's
};
void add_watch_options(CLI::App& app, WatchOptions& options);
/// Warns aloud about what is secret. Throws `UsageError` when options do not go together.
void check(const WatchOptions& watching, const TlsOptions& tls);

/// One for each connection; it must outlive the stream.
class Watch {
 public:
  /// `number` names a tape when there are several connections; nothing when there is one. Throws `Failure` when the
  /// tape cannot be made.
  Watch(const WatchOptions& options, const TlsOptions& tls, std::optional<std::uint64_t> number);
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;
  /// Writes what is left. The stream must be gone.
  ~Watch();

  /// Puts itself into the options of the connection, behind its `intercept`.
  void attach(blocking::Options& options);
  /// For `blocking::Target::recorder`; null when nobody watches.
  [[nodiscard]] trace::Recorder* recorder() noexcept { return recorder_ ? &*recorder_ : nullptr; }
  /// The handshake has failed: what was kept for that case is written.
  void failed();
  /// With `explain`, the ClientHello as far as it has come; else empty.
  [[nodiscard]] const std::vector<std::uint8_t>& client_hello();

 private:
  void drain();
  void write(Bytes bytes);
  void print(const trace::Entry& entry);

  const WatchOptions& options_;
  std::string prefix_;
  std::optional<trace::Recorder> recorder_;
  std::string path_;  ///< of the tape; empty when there is none, or no more
  std::optional<SecretFile> file_;
  trace::Reader reader_;
  TapedHello hello_;
  std::optional<Time> begin_;
  Time now_{};
  bool keep_keys_ = false;
  std::function<void(std::string_view)> key_log_;
  std::vector<std::string> kept_keys_;
};

/// "+1.234 s  message -> client_hello, 512 bytes"; empty for entries that only a replay needs.
[[nodiscard]] std::string trace_line(const trace::Entry& entry, std::optional<Time> begin, Time now);
/// An entry's text as people want it.
[[nodiscard]] std::string without_hash(std::string text);

}  // namespace lockstep::tool
