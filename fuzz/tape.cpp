// Any bytes as a tape: read, printed, and run as far as they go.

#include <lockstep/fuzzing.hpp>
#include <lockstep/replay.hpp>
#include <lockstep/tape.hpp>

using namespace lockstep;
using fuzzing::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes tape(data, size);
  trace::Reader reader(tape);
  std::optional<trace::TapeProblem> problem;
  bool redacted = false;
  while (!problem) {
    const std::uint64_t before = reader.offset();
    const auto entry = reader.next();
    redacted = reader.redacted();
    if (!entry) {
      problem = entry.error();
      require(!problem->text().empty() && problem->offset <= size, "a problem says where it is");
      const auto again = reader.next();
      require(!again && again.error().error == problem->error, "problems are sticky");
      break;
    }
    if (!*entry) break;
    require(reader.offset() > before && reader.offset() <= size, "every entry takes bytes of the tape");
    for (const char letter : trace::to_text(**entry)) require(letter >= 0x20 && letter < 0x7f, "texts can be printed");
  }

  static const Provider provider = fake::provider();
  auto replay = trace::Replay::open(tape, provider);
  if (!replay) return 0;
  require(!redacted, "a redacted tape does not replay");
  trace::ReplayRun run = replay->run(5);
  const std::uint64_t first = run.operations;
  if (run.identical()) run = replay->run();
  require(run.operations >= first, "a run goes on");
  require(!run.identical() || !problem, "a damaged tape is not identical");
  return 0;
}
