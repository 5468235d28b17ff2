// The memo of verified signatures by itself: what it keeps, what it lets go, and many threads at once.

#include <cstring>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include <lockstep/x509_verified_links.hpp>

namespace lockstep::x509::test {
namespace {

using Digest = VerifiedLinks::Digest;

/// One of a sequence that looks like digests.
Digest digest(std::uint64_t number) {
  Digest out;
  for (std::size_t i = 0; i < out.size(); i += sizeof(number)) {
    number += 0x9e3779b97f4a7c15U;  // splitmix64
    std::uint64_t word = number;
    word = (word ^ (word >> 30U)) * 0xbf58476d1ce4e5b9U;
    word = (word ^ (word >> 27U)) * 0x94d049bb133111ebU;
    word ^= word >> 31U;
    std::memcpy(out.data() + i, &word, sizeof(word));
  }
  return out;
}

TEST(VerifiedLinks, KnowsWhatWasAdded) {
  VerifiedLinks links;
  EXPECT_GE(links.capacity(), VerifiedLinks::kDefaultCapacity);
  EXPECT_FALSE(links.contains(digest(1)));
  links.add(digest(1));
  EXPECT_TRUE(links.contains(digest(1)));
  for (std::size_t i = 0; i < Digest().size(); ++i) {
    Digest other = digest(1);
    other[i] ^= 1U;
    EXPECT_FALSE(links.contains(other)) << i;
  }
}

TEST(VerifiedLinks, WhatCameFirstGoesFirst) {
  VerifiedLinks links(1);  // one set
  const std::size_t places = links.capacity();
  EXPECT_EQ(places, 7U);
  for (std::uint64_t i = 0; i < 100; ++i) {
    links.add(digest(i));
    links.add(digest(i));  // again takes no other place
    for (std::uint64_t k = 0; k <= i; ++k) EXPECT_EQ(links.contains(digest(k)), k + places > i) << k << " of " << i;
  }
}

TEST(VerifiedLinks, HoldsNearlyAsManyAsItSays) {
  VerifiedLinks links(10'000);
  EXPECT_LE(links.capacity(), 10'006U);
  for (std::uint64_t i = 0; i < 5'000; ++i) links.add(digest(i));
  std::size_t kept = 0;
  for (std::uint64_t i = 0; i < 5'000; ++i) kept += links.contains(digest(i)) ? 1U : 0U;
  EXPECT_GT(kept, 4'800U);
  // Ever so many more, and the memory is what it was.
  for (std::uint64_t i = 5'000; i < 100'000; ++i) links.add(digest(i));
  EXPECT_TRUE(links.contains(digest(99'999)));
  EXPECT_LE(VerifiedLinks(0).capacity(), 7U);
}

TEST(VerifiedLinks, ThreadsNeverSeeWhatNobodyAdded) {
  // All in few sets, so that readers meet writers. Words of one link never pass for those of another.
  VerifiedLinks links(14);
  constexpr std::uint64_t kEach = 20'000;
  std::vector<std::thread> threads;
  std::atomic<std::size_t> seen = 0;
  std::atomic<std::size_t> invented = 0;
  for (std::uint64_t thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&, thread] {
      for (std::uint64_t i = 0; i < kEach; ++i) {
        const std::uint64_t number = i % 64 * 4 + thread;
        links.add(digest(number));
        if (links.contains(digest(number))) ++seen;
        // Half of one and half of another.
        Digest mixed = digest(number);
        const Digest other = digest((i + 1) % 64 * 4 + thread);
        std::copy(other.begin() + 16, other.end(), mixed.begin() + 16);
        if (links.contains(mixed)) ++invented;
      }
    });
  }
  for (std::thread& each : threads) each.join();
  EXPECT_GT(seen, kEach);
  EXPECT_EQ(invented, 0U);
}

}  // namespace
}  // namespace lockstep::x509::test
