// Every flight of every kind of handshake cut at every byte: what is left out is noticed, and what comes in two pieces
// is the same as what comes at once.

#include <algorithm>
#include <cstdio>

#include "exhaustive/kinds.hpp"

namespace lockstep::testing {
namespace {

template <class Values>
bool begins_with(const Values& whole, const Values& start) {
  return start.size() <= whole.size() && std::equal(start.begin(), start.end(), whole.begin());
}

class Truncation : public EveryKind {};
INSTANTIATE_TEST_SUITE_P(Exhaustive, Truncation, ::testing::ValuesIn(kinds()), kind_name);
INSTANTIATE_TEST_SUITE_P(ExhaustiveEarlyData, Truncation, ::testing::ValuesIn(early_kinds()), kind_name);
INSTANTIATE_TEST_SUITE_P(ExhaustiveTls12, Truncation, ::testing::ValuesIn(tls12_kinds()), kind_name);

TEST_P(Truncation, NobodyDisturbsTheHonest) {
  const Honest honest(GetParam());
  EXPECT_EQ(honest.succeeded, !GetParam().fails);
  EXPECT_EQ(honest.result.client_exported, honest.result.server_exported);
  EXPECT_EQ(honest.result.client_exported.empty(), GetParam().fails);
  EXPECT_GE(honest.flights.size(), GetParam().fails ? 2U : 4U);
}

// RFC 9846 6.1: "If a transport-level close is received prior to a "close_notify", the receiver cannot know that all
// the data that was sent has been received."
TEST_P(Truncation, EndsInAnError) {
  const Kind& kind = GetParam();
  const Honest honest(kind);
  std::size_t cuts = 0;
  for (std::size_t cut_flight = 0; cut_flight < honest.flights.size(); ++cut_flight) {
    const Flight& flight = honest.flights[cut_flight];
    for (std::size_t size = 0; size < flight.bytes.size(); ++size, ++cuts) {
      Where::say(kind, cut_flight, "cut at byte", size);
      SCOPED_TRACE(Where::text());
      Play play(kind);
      Octets sent;
      play.run([&](Play& now, fuzzing::End& receiver, std::size_t index, const Octets& bytes) {
        if (index != cut_flight) return receiver.receive(bytes);
        receiver.receive(Bytes(bytes).first(size));
        EXPECT_FALSE(receiver.over()) << to_text(*receiver.outcome().error);
        receiver.send();
        sent = receiver.outcome().sent;
        now.end_transport();
      });
      const bool to_client = flight.sender == Role::server;
      fuzzing::End& receiver = to_client ? play.client : play.server;
      const fuzzing::End::Outcome& told = receiver.outcome();
      const auto& error = told.error;
      ASSERT_TRUE(error);
      EXPECT_EQ(error->reason, Reason::truncated) << to_text(*error);
      EXPECT_EQ(error->origin, Origin::local);
      // Nobody is there to hear an alert.
      EXPECT_EQ(told.sent, sent);
      // What was told is a beginning of what would have been.
      const auto& whole = to_client ? honest.result.client : honest.result.server;
      EXPECT_TRUE(begins_with(whole.data, told.data));
      EXPECT_TRUE(begins_with(whole.early_data, told.early_data));
      EXPECT_TRUE(begins_with(whole.events, told.events));
      // The other one notices as well, unless it had been told of the end before, or had ended it.
      fuzzing::End& sender = play.peer_of(receiver);
      if (!sender.over()) {
        EXPECT_TRUE(sender.connection().peer_closed());
      } else if (!kind.fails) {
        EXPECT_EQ(sender.outcome().error->reason, Reason::truncated);
      }
    }
  }
  std::printf("%s: %zu flights, %zu cuts: all truncated\n", kind.name.c_str(), honest.flights.size(), cuts);
}

TEST_P(Truncation, InTwoPiecesChangesNothing) {
  const Kind& kind = GetParam();
  const Honest honest(kind);
  std::size_t splits = 0;
  for (std::size_t split_flight = 0; split_flight < honest.flights.size(); ++split_flight) {
    for (std::size_t size = 1; size < honest.flights[split_flight].bytes.size(); ++size, ++splits) {
      Where::say(kind, split_flight, "split at byte", size);
      Play play(kind);
      play.run([&](Play&, fuzzing::End& receiver, std::size_t index, const Octets& bytes) {
        if (index != split_flight) return receiver.receive(bytes);
        receiver.receive(Bytes(bytes).first(size));
        receiver.send();
        receiver.receive(Bytes(bytes).subspan(size));
      });
      ASSERT_EQ(Result::of(play), honest.result) << Where::text();
    }
  }
  std::printf("%s: %zu flights, %zu splits: all equal\n", kind.name.c_str(), honest.flights.size(), splits);
}

}  // namespace
}  // namespace lockstep::testing
