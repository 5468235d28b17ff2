#pragma once
// Recording a connection; lockstep/replay.hpp reads and runs what was recorded.
//
//     trace::Recorder recorder(random);
//     auto connection = Connection::server(config, recorder, memory);   // in place of `random`
//     ... use the connection as ever; now and then, and at its end:
//     file.write(recorder.recorded());
//     recorder.taken();
//
// A TAPE IS SECRET. It holds every random draw, so that whoever reads it can compute every key of the connection, and
// what was sent before it was sealed. It does not hold the private key, which only answers. Recording with
// `Contents::shapes` keeps sizes, types and times, and no contents: such a tape draws but does not replay.

#include <cstddef>
#include <cstdint>
#include <memory>

#include <lockstep/bytes.hpp>
#include <lockstep/export.hpp>
#include <lockstep/provider.hpp>

namespace lockstep {
class Connection;
struct ConnectionAccess;
}  // namespace lockstep

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

}  // namespace lockstep::trace
