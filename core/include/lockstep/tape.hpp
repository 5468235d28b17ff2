#pragma once
// Recording a connection, and running the recording again.
//
//     trace::Recorder recorder(random);
//     auto connection = Connection::server(config, recorder, memory);   // in place of `random`
//     ... use the connection as ever; now and then, and at its end:
//     file.write(recorder.recorded());
//     recorder.taken();
//
//     auto replay = trace::Replay::open(tape, botan::provider());
//     if (!replay) return fail(replay.error().text());
//     const auto run = replay->run();
//     if (run.difference) std::cout << run.difference->text() << '\n';
//
// A TAPE IS SECRET. It holds every random draw, so that whoever reads it can compute every key of the connection, and
// what was sent before it was sealed. It does not hold the private key, which only answers. Recording with
// `Contents::shapes` keeps sizes, types and times, and no contents: such a tape draws but does not replay.

#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>

#include <lockstep/bytes.hpp>
#include <lockstep/connection.hpp>
#include <lockstep/export.hpp>
#include <lockstep/provider.hpp>
#include <lockstep/trace.hpp>

namespace lockstep {
struct ConnectionAccess;
}

namespace lockstep::trace {

class Tap;

enum class Contents : std::uint8_t {
  all,     ///< can be replayed; SECRET
  shapes,  ///< sizes, types and times
};

struct RecorderOptions {
  Contents contents = Contents::all;
  /// Where the recording ends, in bytes; the connection goes on.
  std::uint64_t limit = std::uint64_t{1} << 30U;
};

/// Records one connection into memory, from which the caller takes it. A connection that is recorded keeps the memory
/// of its handshake (`reclaim` gives nothing back); one that is not pays nothing for all this.
class LOCKSTEP_API Recorder {
 public:
  /// `random` is what the connection draws from; it and the recorder must outlive the connection.
  explicit Recorder(RandomSource& random, RecorderOptions options = {});
  Recorder(Recorder&&) noexcept;
  Recorder& operator=(Recorder&&) noexcept;
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;
  ~Recorder();

  /// What was recorded since `taken`, in whole entries. Lives until the next call of the recorder or its connection.
  [[nodiscard]] Bytes recorded() const noexcept;
  /// Wipes and forgets what `recorded` gave.
  void taken() noexcept;
  /// Whether the limit, memory or a call that is too large has ended the recording.
  [[nodiscard]] bool stopped() const noexcept;

 private:
  friend class lockstep::Connection;
  friend struct lockstep::ConnectionAccess;
  friend class Replay;
  std::unique_ptr<Tap> tap_;
};

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
  /// Reads the configuration and builds it. `tape` must outlive the replay.
  [[nodiscard]] static std::expected<Replay, TapeProblem> open(Bytes tape, const Provider& provider);
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
