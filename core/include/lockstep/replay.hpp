#pragma once
// Reading a tape, and running it again. A library of its own, lockstep::replay: an engine that is recorded does
// without.
//
//     trace::Reader reader;
//     reader.feed(recorder.recorded());
//     while (auto entry = reader.next()) {
//       if (!*entry) break;  // all of it has been read
//       std::cout << trace::to_text(**entry) << '\n';
//     }
//
//     auto replay = trace::Replay::open(tape, botan::provider());
//     if (!replay) return fail(replay.error().text());
//     const auto run = replay->run();
//     if (run.difference) std::cout << run.difference->text() << '\n';
//
// A reader takes any bytes: what is no tape is refused with a reason, and nothing is allocated that the bytes do not
// pay for.

#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <lockstep/bytes.hpp>
#include <lockstep/connection.hpp>
#include <lockstep/export.hpp>
#include <lockstep/provider.hpp>
#include <lockstep/time.hpp>
#include <lockstep/trace.hpp>

namespace lockstep::trace {

// --- entries ---------------------------------------------------------------------------------------------------------

/// What an entry is for.
enum class Part : std::uint8_t {
  configuration,
  start,   ///< begins operation 0
  call,    ///< begins an operation
  note,    ///< happens during one
  result,  ///< ends one
  stop,    ///< nothing comes behind it
};
[[nodiscard]] LOCKSTEP_API Part part(const Entry& entry) noexcept;
/// "receive", "message", ...: the word for an entry in every output.
[[nodiscard]] LOCKSTEP_API std::string_view name(const Entry& entry) noexcept;
/// One line for people: the word and what matters of the entry. Printable ASCII whatever the tape holds.
[[nodiscard]] LOCKSTEP_API std::string to_text(const Entry& entry);
/// How much an entry matters to a log, the most first: each level of a log tells its own and all before it.
enum class Severity : std::uint8_t {
  error,   ///< a failure, and the alerts that tell of one
  notice,  ///< other alerts, refusals, what was canceled, and tokens that were dropped
  info,    ///< the stages of a connection: start, handshake, sessions, new keys, end
  debug,   ///< every message, state, key and decision
};
[[nodiscard]] LOCKSTEP_API Severity severity(const Entry& entry) noexcept;
/// The time that a call states.
[[nodiscard]] LOCKSTEP_API std::optional<Time> time_of(const Entry& entry) noexcept;

// --- reading ---------------------------------------------------------------------------------------------------------

/// Why bytes are no tape, or a tape cannot be replayed.
enum class TapeError : std::uint8_t {
  not_a_tape,             ///< it does not begin as a tape does
  version_unsupported,    ///< written by a release with another format
  truncated,              ///< it ends inside its header or inside an entry
  entry_unknown,          ///< a kind of entry that this version does not have
  entry_too_long,         ///< an entry of more than kMaxEntry bytes
  number_too_long,        ///< a number of more than 64 bits, or not in its shortest form
  field_truncated,        ///< a field reaches beyond its entry
  trailing_data,          ///< an entry goes on behind its last field
  value_out_of_range,     ///< a field has a value that it cannot have
  configuration_missing,  ///< it does not begin with one configuration
  start_missing,          ///< no start follows the configuration
  out_of_order,           ///< an entry in a place where it cannot be
  redacted,               ///< a tape without contents draws but does not replay
  configuration_refused,  ///< the configuration cannot be built here: another provider, or no valid one
};
[[nodiscard]] LOCKSTEP_API std::string_view name(TapeError) noexcept;

struct TapeProblem {
  TapeError error{};
  std::uint64_t offset = 0;  ///< of the entry in the tape, in bytes
  std::string detail{};      ///< for configuration_refused: every problem of it

  /// What is wrong, where, and what to do.
  [[nodiscard]] LOCKSTEP_API std::string text() const;
};

/// Reads a tape, or one that is being recorded piece by piece. Problems are sticky.
class LOCKSTEP_API Reader {
 public:
  Reader() noexcept = default;
  explicit Reader(Bytes tape) noexcept { feed(tape); }

  /// Goes on with these bytes, once everything before them has been read. They must outlive the entries read from them.
  void feed(Bytes more) noexcept { rest_ = more; }
  /// The next entry; nothing when all has been read. Whether a tape ends inside an operation is for the caller to see.
  [[nodiscard]] std::expected<std::optional<Entry>, TapeProblem> next();
  /// Of the tape, once its header has been read: it has no contents.
  [[nodiscard]] bool redacted() const noexcept { return redacted_; }
  /// The last entry as it stands on the tape.
  [[nodiscard]] Bytes raw() const noexcept { return raw_; }
  /// Bytes read so far.
  [[nodiscard]] std::uint64_t offset() const noexcept { return offset_; }
  /// Which operation the last entry belongs to: 0 is the start.
  [[nodiscard]] std::uint64_t operation() const noexcept { return operation_; }
  /// Whether an operation has begun and not ended.
  [[nodiscard]] bool inside() const noexcept { return position_ == Position::inside; }

 private:
  enum class Position : std::uint8_t { header, configuration, start, between, inside, end };
  [[nodiscard]] std::unexpected<TapeProblem> refuse(TapeError error);
  [[nodiscard]] std::optional<TapeError> read_header() noexcept;
  [[nodiscard]] std::optional<TapeError> place(const Entry& entry) noexcept;

  Bytes rest_;
  Bytes raw_;
  std::uint64_t offset_ = 0;
  std::uint64_t operation_ = 0;
  Time time_{};
  std::size_t call_ = 0;  // which alternative of Entry the open operation is
  std::optional<TapeError> problem_;
  Position position_ = Position::header;
  bool redacted_ = false;
};

// --- running again ---------------------------------------------------------------------------------------------------

/// Where a run differs from its tape.
struct Difference {
  std::uint64_t operation = 0;  ///< 0 is the start
  std::uint64_t offset = 0;     ///< in the tape, in bytes
  std::string call;             ///< the operation
  std::string expected;         ///< on the tape
  std::string found;            ///< in this run

  /// All of it in a few lines.
  [[nodiscard]] LOCKSTEP_API std::string text() const;
};

/// What became of a run.
struct ReplayRun {
  std::uint64_t operations = 0;  ///< that were run, the start included
  std::optional<Difference> difference{};
  std::optional<TapeProblem> problem{};  ///< the tape breaks off or is damaged
  bool unfinished = false;               ///< the tape ends inside its last operation: the program did, or was cut off
  std::optional<Stopped> stopped{};      ///< the recording ended before the connection

  /// Every output was identical, to the end of the tape.
  [[nodiscard]] bool identical() const noexcept { return !difference && !problem; }
};

/// A tape, run again on the engine of this build. The provider should be the one that the tape names: another one draws
/// randomness in other portions, which is reported as a difference.
class LOCKSTEP_API Replay {
 public:
  /// Reads the configuration and builds it. `tape` must outlive the replay. `codecs`: for a tape of a connection that
  /// had some (`ConfigBuilder::certificate_compression`), which should be the same versions of the same libraries.
  [[nodiscard]] static std::expected<Replay, TapeProblem> open(Bytes tape, const Provider& provider,
                                                               std::span<const CertificateCodec> codecs = {});
  Replay(Replay&&) noexcept;
  Replay& operator=(Replay&&) noexcept;
  Replay(const Replay&) = delete;
  Replay& operator=(const Replay&) = delete;
  ~Replay();

  /// Runs operations up to number `until`, that one included, or to the first difference. Call it again to go on.
  [[nodiscard]] ReplayRun run(std::uint64_t until = UINT64_MAX);
  /// As it is after the last operation that was run; null before the start. To look at, not to call.
  [[nodiscard]] const Connection* connection() const noexcept;
  /// What the tape says about where it was made.
  [[nodiscard]] const Configuration& configuration() const noexcept;
  /// The key schedule's secrets as key log lines would have them, in order, as far as they were derived.
  [[nodiscard]] std::span<const SecretTold> secrets() const noexcept;

 private:
  class Player;
  explicit Replay(std::unique_ptr<Player> player) noexcept;
  std::unique_ptr<Player> player_;
};

}  // namespace lockstep::trace
