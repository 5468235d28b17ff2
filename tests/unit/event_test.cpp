// What an event says of itself.

#include <variant>

#include <gtest/gtest.h>

#include <lockstep/event.hpp>

namespace lockstep {
namespace {

TEST(EventTest, SuspendedOperationsAskForAnAnswer) {
  EXPECT_TRUE(asks(SelectCredential{}));
  EXPECT_TRUE(asks(Sign{}));
  EXPECT_TRUE(asks(VerifyPeer{}));
  EXPECT_TRUE(asks(Decrypt{}));
  EXPECT_TRUE(asks(Compute{}));
  EXPECT_TRUE(asks(SelectConfig{}));
  EXPECT_TRUE(asks(SelectPsk{}));
  EXPECT_TRUE(asks(FindPsk{}));
  EXPECT_TRUE(asks(OpenTicket{}));
  EXPECT_TRUE(asks(AcceptEarlyData{}));
  EXPECT_TRUE(asks(SealTicket{}));
}

TEST(EventTest, NewsAsksForNothing) {
  EXPECT_FALSE(asks(Nothing{}));
  EXPECT_FALSE(asks(ApplicationData{}));
  EXPECT_FALSE(asks(EarlyData{}));
  EXPECT_FALSE(asks(HandshakeComplete{}));
  EXPECT_FALSE(asks(SessionReceived{}));
  EXPECT_FALSE(asks(PeerClosed{}));
  EXPECT_FALSE(asks(PeerKeyUpdated{}));
  EXPECT_FALSE(asks(RenegotiationRefused{}));
  EXPECT_FALSE(asks(TrafficKeys{}));
  EXPECT_FALSE(asks(SecretLogged{}));
  EXPECT_FALSE(asks(Failed{}));
}

/// Each kind of event is in one of the lists above.
static_assert(std::variant_size_v<Event> == 11 + 11);

}  // namespace
}  // namespace lockstep
