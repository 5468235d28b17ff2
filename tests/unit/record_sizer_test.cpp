#include <gtest/gtest.h>

#include <lockstep/padding.hpp>

#include "record/sizer.hpp"

namespace lockstep::record {
namespace {

constexpr Time kStart{std::chrono::milliseconds(1'700'000'000'000)};

TEST(RecordSizer, StartsSmallAndGrows) {
  RecordSizer sizer;
  std::size_t total = 0;
  while (total < RecordSizer::kGrowAfter) {
    EXPECT_EQ(sizer.fragment_size(kStart), RecordSizer::kSegment);
    sizer.sent(RecordSizer::kSegment, kStart);
    total += RecordSizer::kSegment;
  }
  EXPECT_EQ(sizer.fragment_size(kStart), kMaxPlaintext);
  EXPECT_EQ(sizer.fragment_size(kStart, 4096), 4096U);
}

TEST(RecordSizer, StartsAgainAfterSilence) {
  RecordSizer sizer;
  sizer.sent(std::size_t{1} << 30U, kStart);
  EXPECT_EQ(sizer.fragment_size(kStart + std::chrono::milliseconds(999)), kMaxPlaintext);
  EXPECT_EQ(sizer.fragment_size(kStart + std::chrono::milliseconds(1000)), RecordSizer::kSegment);
  sizer.sent(100, kStart + std::chrono::milliseconds(1000));
  EXPECT_EQ(sizer.fragment_size(kStart + std::chrono::milliseconds(1000)), RecordSizer::kSegment);
}

TEST(RecordSizer, KeepsToASmallerLimitAndBearsAClockThatGoesBack) {
  RecordSizer sizer;
  EXPECT_EQ(sizer.fragment_size(kStart, 512), 512U);
  sizer.sent(std::size_t{1} << 20U, kStart);
  EXPECT_EQ(sizer.fragment_size(kStart - std::chrono::hours(1)), kMaxPlaintext);
}

TEST(PaddingPolicy, GivesWhatItSays) {
  EXPECT_EQ(PaddingPolicy().padding_for(10, 100), 0U);
  EXPECT_EQ(PaddingPolicy::none(), PaddingPolicy());
  EXPECT_EQ(PaddingPolicy::to_multiple_of(0).padding_for(10, 100), 0U);
  EXPECT_EQ(PaddingPolicy::to_multiple_of(1).padding_for(10, 100), 0U);
  EXPECT_EQ(PaddingPolicy::to_multiple_of(256).padding_for(300, 16384), 212U);
  EXPECT_EQ(PaddingPolicy::to_multiple_of(256).padding_for(0, 16384), 256U);  // an empty record does not show
  EXPECT_EQ(PaddingPolicy::to_multiple_of(64).padding_for(99, 100), 1U);
  EXPECT_EQ(PaddingPolicy::to_multiple_of(64).padding_for(100, 100), 0U);
  EXPECT_EQ(PaddingPolicy::full().padding_for(1, 16384), 16383U);
  EXPECT_EQ(PaddingPolicy::full().padding_for(200, 100), 0U);
  // 65535 is a block size like others, not a word for something else.
  EXPECT_EQ(PaddingPolicy::to_multiple_of(0xffff).padding_for(1, 16384), 16383U);
}

}  // namespace
}  // namespace lockstep::record
