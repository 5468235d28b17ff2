// A reader takes any bytes: each rejection has its own reason.

#include <string>

#include <gmock/gmock.h>

#include "tape/scenes.hpp"

namespace lockstep::testing {
namespace {

using trace::Reader;
using trace::TapeError;

constexpr std::string_view kHeader = "LOCKSTEP TAPE 2 SECRET: whoever reads this file can read the connection\n";

/// A tape whose beginning is good.
Octets beginning() {
  RecordedPair pair;
  const Octets tape = pair.server_tape();
  return tape;
}
Octets header() { return RecordedPair::copy(as_bytes(kHeader)); }
Octets with(Octets tape, std::initializer_list<std::uint8_t> more) {
  tape.insert(tape.end(), more);
  return tape;
}

/// Reads to the end or the first problem, which then stays.
std::optional<TapeError> problem_of(Bytes tape) {
  Reader reader(tape);
  for (;;) {
    const auto entry = reader.next();
    if (!entry) {
      EXPECT_LE(entry.error().offset, tape.size());
      EXPECT_FALSE(entry.error().text().empty());
      EXPECT_EQ(reader.next().error().error, entry.error().error) << "problems are sticky";
      return entry.error().error;
    }
    if (!*entry) return std::nullopt;
    EXPECT_FALSE(trace::to_text(**entry).empty());
  }
}

TEST(Reader, RefusesWhatIsNoTape) {
  EXPECT_EQ(problem_of(as_bytes("GET / HTTP/1.0\r\n\r\n")), TapeError::not_a_tape);
  EXPECT_EQ(problem_of(as_bytes("LOCKSTEP TAPE x\n")), TapeError::not_a_tape);
  EXPECT_EQ(problem_of(as_bytes("LOCKSTEP TAPE 2 SECRET or not\n")), TapeError::not_a_tape);
  EXPECT_EQ(problem_of(as_bytes("LOCKSTEP TAPE 1 SECRET: whatever\n")), TapeError::version_unsupported);
  EXPECT_EQ(problem_of({}), TapeError::truncated);
  for (std::size_t size = 1; size < kHeader.size(); ++size)
    EXPECT_EQ(problem_of(as_bytes(kHeader.substr(0, size))), TapeError::truncated) << size;
}

TEST(Reader, RefusesDamagedEntries) {
  const Octets good = beginning();
  ASSERT_EQ(problem_of(good), std::nullopt);
  EXPECT_EQ(problem_of(with(good, {0x12})), TapeError::truncated) << "no length";
  EXPECT_EQ(problem_of(with(good, {0x12, 0x80})), TapeError::truncated) << "half a length";
  EXPECT_EQ(problem_of(with(good, {0x12, 0x02, 0x00})), TapeError::truncated) << "half an entry";
  EXPECT_EQ(problem_of(with(good, {0x7e, 0x00})), TapeError::entry_unknown);
  EXPECT_EQ(problem_of(with(good, {0x12, 0x81, 0x80, 0x80, 0x20})), TapeError::entry_too_long) << "64 MiB and one";
  EXPECT_EQ(problem_of(with(good, {0x12, 0x80, 0x00})), TapeError::number_too_long) << "not the shortest form";
  EXPECT_EQ(problem_of(with(good, {0x12, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02})),
            TapeError::number_too_long)
      << "65 bits";
  EXPECT_EQ(problem_of(with(good, {0x12, 0x01, 0x00})), TapeError::field_truncated) << "transmit without room";
  EXPECT_EQ(problem_of(with(good, {0x10, 0x04, 0x00, 0x09, 0x00, 0x09})), TapeError::field_truncated)
      << "content beyond its entry";
  EXPECT_EQ(problem_of(with(good, {0x13, 0x03, 0x00, 0x01, 0x7f})), TapeError::field_truncated)
      << "more segments than bytes";
  EXPECT_EQ(problem_of(with(good, {0x20, 0x01, 0x00})), TapeError::trailing_data) << "close with a field";
  EXPECT_EQ(problem_of(with(good, {0x18, 0x06, 0, 0, 0, 0, 0, 0})), std::nullopt) << "no credential";
  EXPECT_EQ(problem_of(with(good, {0x18, 0x05, 0, 0, 0, 0, 0})), TapeError::field_truncated) << "a field too few";
  EXPECT_EQ(problem_of(with(good, {0x18, 0x07, 0, 0, 0, 0, 0, 0, 0})), TapeError::trailing_data) << "one too many";
  EXPECT_EQ(problem_of(with(good, {0x22, 0x01, 0x02})), TapeError::value_out_of_range) << "neither true nor false";
  EXPECT_EQ(problem_of(with(good, {0x12, 0x05, 0x00, 0x81, 0x80, 0x80, 0x20})), TapeError::value_out_of_range)
      << "more room than kMaxRoom";
  EXPECT_EQ(problem_of(with(good, {0x20, 0x00, 0x64, 0x01, 0x7f})), TapeError::value_out_of_range)
      << "a misuse that there is not";
  EXPECT_EQ(problem_of(with(good, {0x20, 0x00, 0x43, 0x02, 0x01, 0x0a})), TapeError::value_out_of_range)
      << "a state's name that cannot be printed";
}

TEST(Reader, RefusesEntriesInTheWrongPlace) {
  const Octets good = beginning();
  EXPECT_EQ(problem_of(with(header(), {0x20, 0x00})), TapeError::configuration_missing);
  const Octets at_once = with(header(), {0x7f, 0x01, 0x00});
  EXPECT_EQ(problem_of(at_once), std::nullopt) << "a recording may end before anything";
  EXPECT_EQ(trace::Replay::open(at_once, provider()).error().error, TapeError::configuration_missing);
  const auto entries = entries_of(good);
  const Octets configured(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(entries.front().end));
  EXPECT_EQ(problem_of(configured), std::nullopt);
  EXPECT_EQ(problem_of(with(configured, {0x20, 0x00})), TapeError::start_missing);
  EXPECT_EQ(problem_of(with(good, {0x03, 0x01, 0x00})), TapeError::out_of_order) << "a second start";
  EXPECT_EQ(problem_of(with(good, {0x31, 0x00})), TapeError::out_of_order) << "a note outside";
  EXPECT_EQ(problem_of(with(good, {0x64, 0x01, 0x00})), TapeError::out_of_order) << "a result of nothing";
  EXPECT_EQ(problem_of(with(good, {0x20, 0x00, 0x20, 0x00})), TapeError::out_of_order) << "a call within a call";
  EXPECT_EQ(problem_of(with(good, {0x20, 0x00, 0x61, 0x01, 0x00})), TapeError::out_of_order)
      << "the result of another call";
  EXPECT_EQ(problem_of(with(good, {0x7f, 0x01, 0x00, 0x20, 0x00})), TapeError::out_of_order)
      << "behind the end of the recording";
  EXPECT_EQ(problem_of(with(good, {0x20, 0x00})), std::nullopt) << "a tape may end inside an operation";
}

TEST(Reader, EveryProblemHasANameAndAText) {
  for (int i = 0; i <= static_cast<int>(TapeError::configuration_refused); ++i) {
    const auto error = static_cast<TapeError>(i);
    EXPECT_FALSE(name(error).empty());
    EXPECT_THAT((trace::TapeProblem{error, 7, {}}.text()), ::testing::HasSubstr("at byte 7"));
  }
}

TEST(Replay, RefusesWhatNoRecorderWrites) {
  const Octets good = beginning();
  const auto refused = [&](std::initializer_list<std::uint8_t> more) {
    const Octets tape = with(good, more);
    auto replay = trace::Replay::open(tape, provider());
    if (!replay) return replay.error().error;
    const auto run = replay->run();
    EXPECT_TRUE(run.problem);
    return run.problem ? run.problem->error : TapeError::not_a_tape;
  };
  // receive: time, size, kept, added
  EXPECT_EQ(refused({0x10, 0x04, 0x00, 0x00, 0x05, 0x00}), TapeError::value_out_of_range)
      << "kept bytes that never came";
  EXPECT_EQ(refused({0x10, 0x05, 0x00, 0x05, 0x00, 0x01, 0x16}), TapeError::value_out_of_range)
      << "more presented than there is";
  // seal_in_place: time, room, headroom, size, payload
  EXPECT_EQ(refused({0x14, 0x07, 0x00, 0x05, 0x05, 0x01, 0x01, 0x00, 0x00}), TapeError::trailing_data);
  EXPECT_EQ(refused({0x14, 0x06, 0x00, 0x05, 0x05, 0x01, 0x01, 0x00}), TapeError::value_out_of_range)
      << "a payload outside its buffer";
  // a ticket that opens to something that is no session: token, opened, session
  EXPECT_EQ(refused({0x1b, 0x04, 0x01, 0x01, 0x01, 0x00}), TapeError::value_out_of_range);
}

TEST(Replay, AnswersToNothingAreWrongTokens) {
  const Octets tape = with(beginning(), {0x19, 0x04, 0x07, 0x01, 0x01, 0xaa, 0x64, 0x01, 0x03});
  EXPECT_EQ(replayed(tape), "") << "done: misuse, wrong_token";
}

}  // namespace
}  // namespace lockstep::testing
