// What event loops are made of: the timer wheel against a naive model, blocks and their pools.

#include <algorithm>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "adapters/loop/blocks.hpp"
#include "adapters/loop/timer_wheel.hpp"

namespace lockstep::testing {
namespace {

using loop::Block;
using loop::Blocks;
using loop::MemoryPool;
using loop::Timer;
using loop::TimerWheel;

// --- timer wheel -----------------------------------------------------------------------------------------------------

struct Alarm : Timer {
  Alarm() {
    fire = [](Timer& timer) {
      auto& self = static_cast<Alarm&>(timer);
      ++self.fired;
      if (self.wheel != nullptr) self.at = self.wheel->now();
    };
  }
  TimerWheel* wheel = nullptr;
  int fired = 0;
  std::uint64_t at = 0;
};

/// Every distance up to and over the borders between the wheels, from every kind of starting point.
TEST(TimerWheelTest, FiresInTheVeryTick) {
  std::vector<std::uint64_t> distances;
  for (std::uint64_t i = 0; i <= 4200; ++i) distances.push_back(i);
  for (const std::uint64_t edge : {64ULL * 64 * 64, 2 * 64ULL * 64 * 64}) {
    for (std::uint64_t i = 0; i < 200; ++i) distances.push_back(edge - 100 + i);
  }
  for (const std::uint64_t start : {0ULL, 1ULL, 63ULL, 64ULL, 4095ULL, 262'143ULL}) {
    TimerWheel wheel(start);
    std::vector<std::unique_ptr<Alarm>> alarms;
    for (const std::uint64_t distance : distances) {
      auto alarm = std::make_unique<Alarm>();
      alarm->wheel = &wheel;
      wheel.arm(*alarm, start + distance);
      alarms.push_back(std::move(alarm));
    }
    wheel.advance(start + distances.back() + 1);
    for (std::size_t i = 0; i < distances.size(); ++i) {
      ASSERT_EQ(alarms[i]->fired, 1) << start << " + " << distances[i];
      ASSERT_EQ(alarms[i]->at, start + std::max<std::uint64_t>(distances[i], 1));
    }
    EXPECT_EQ(wheel.next_due(), TimerWheel::kNever);
  }
}

/// Against a sorted map: arming, moving, dropping, jumps of every size. `next_due` is never late.
TEST(TimerWheelTest, AgreesWithANaiveModel) {
  std::mt19937_64 generator(20);
  for (int round = 0; round < 60; ++round) {
    const std::uint64_t start = generator() % 10'000'000;
    TimerWheel wheel(start);
    constexpr std::size_t kAlarms = 50;
    std::vector<Alarm> alarms(kAlarms);
    std::vector<std::uint64_t> due(kAlarms, TimerWheel::kNever);
    std::vector<int> fired(kAlarms, 0);
    for (Alarm& alarm : alarms) alarm.wheel = &wheel;
    for (int step = 0; step < (round % 20 == 0 ? 100 : 2000); ++step) {
      const std::size_t i = generator() % kAlarms;
      const std::uint64_t reach = std::uint64_t{1} << (generator() % (round % 20 == 0 ? 25 : 15));
      switch (generator() % 4) {
        case 0:
        case 1: {
          const std::uint64_t moment = wheel.now() + generator() % reach;
          wheel.arm(alarms[i], moment);
          due[i] = std::max(moment, wheel.now() + 1);
          break;
        }
        case 2:
          wheel.disarm(alarms[i]);
          due[i] = TimerWheel::kNever;
          break;
        case 3: {
          const std::uint64_t earliest = *std::ranges::min_element(due);
          ASSERT_LE(wheel.next_due(), earliest) << "it may be early, never late";
          if (earliest != TimerWheel::kNever) {
            ASSERT_GT(wheel.next_due(), wheel.now());
          }
          const std::uint64_t until = wheel.now() + generator() % reach;
          wheel.advance(until);
          for (std::size_t j = 0; j < kAlarms; ++j) {
            if (due[j] > until) continue;
            ++fired[j];
            ASSERT_EQ(alarms[j].at, due[j]);
            due[j] = TimerWheel::kNever;
          }
          break;
        }
      }
      for (std::size_t j = 0; j < kAlarms; ++j) {
        ASSERT_EQ(alarms[j].fired, fired[j]);
        ASSERT_EQ(alarms[j].armed(), due[j] != TimerWheel::kNever);
      }
    }
    for (Alarm& alarm : alarms) wheel.disarm(alarm);
  }
}

/// Timers that set, move and drop themselves and others while they fire.
TEST(TimerWheelTest, MayBeChangedWhileItFires) {
  struct Busy : Timer {
    TimerWheel* wheel = nullptr;
    Busy* other = nullptr;
    int fired = 0;
  };
  TimerWheel wheel;
  Busy a;
  Busy b;
  Busy c;
  a.wheel = b.wheel = c.wheel = &wheel;
  a.other = &b;
  b.other = &a;
  a.fire = b.fire = [](Timer& timer) {
    auto& self = static_cast<Busy&>(timer);
    ++self.fired;
    self.wheel->disarm(*self.other);           // which was due in this very tick
    self.wheel->arm(self, self.wheel->now());  // passed already: the next tick
    self.wheel->arm(*self.other, self.wheel->now() + 100);
  };
  c.fire = [](Timer& timer) { ++static_cast<Busy&>(timer).fired; };
  wheel.arm(a, 10);
  wheel.arm(b, 10);
  wheel.arm(c, 10);
  wheel.advance(10);
  EXPECT_EQ(a.fired + b.fired, 1) << "one stopped the other";
  EXPECT_EQ(c.fired, 1);
  wheel.advance(12);
  EXPECT_EQ(a.fired + b.fired, 3);
  wheel.disarm(a);
  wheel.disarm(b);
}

TEST(TimerWheelTest, SleepsTillTheNextOne) {
  TimerWheel wheel(1000);
  EXPECT_EQ(wheel.next_due(), TimerWheel::kNever);
  Alarm alarm;
  wheel.arm(alarm, 1005);
  EXPECT_EQ(wheel.next_due(), 1005U);
  // Far ahead it is looked at a few times on the way, not every tick.
  wheel.arm(alarm, 1000 + 1'000'000);
  int looks = 0;
  while (alarm.fired == 0) {
    wheel.advance(wheel.next_due());
    ASSERT_LT(++looks, 12);
  }
  EXPECT_EQ(wheel.now(), 1'001'000U);
}

/// Further than the coarsest wheel reaches.
TEST(TimerWheelTest, ReachesBeyondItsWheels) {
  TimerWheel wheel(77);
  Alarm alarm;
  alarm.wheel = &wheel;
  const std::uint64_t due = 77 + 5 * 64ULL * 64 * 64 * 64 + 3;
  wheel.arm(alarm, due);
  while (alarm.fired == 0 && wheel.now() < due) wheel.advance(std::min(wheel.next_due(), due));
  EXPECT_EQ(alarm.fired, 1);
  EXPECT_EQ(alarm.at, due);
}

// --- blocks ----------------------------------------------------------------------------------------------------------

TEST(MemoryPoolTest, KeepsNoMoreThanItMay) {
  MemoryPool pool(8192, 2);
  std::vector<void*> pieces;
  for (int i = 0; i < 5; ++i) pieces.push_back(pool.take());
  EXPECT_EQ(std::set<void*>(pieces.begin(), pieces.end()).size(), 5U);
  EXPECT_EQ(pool.used(), 5U);
  for (void* piece : pieces) {
    std::memset(piece, 1, 8192);
    pool.give(piece);
  }
  EXPECT_EQ(pool.used(), 0U);
  EXPECT_EQ(pool.spare(), 2U);
  EXPECT_EQ(pool.take(), pieces[1]) << "the last that came back and was kept";
  pool.give(pieces[1]);
}

Block* filled(Blocks& blocks, std::string_view text, std::uint32_t front) {
  Block* block = blocks.take();
  block->begin = front;
  block->end = front + static_cast<std::uint32_t>(text.size());
  std::ranges::copy(as_bytes(text), block->bytes() + front);
  return block;
}

TEST(BlocksTest, ShrinksGrowsAndCompactsWithoutLosingAByte) {
  Blocks blocks(0);
  // "abcdefghij": a, b taken; "cde" and "g" decrypted in front of what is still encrypted, "hij"; "f" a record's tail.
  for (const bool in_part : {false, true}) {
    Block* block = filled(blocks, "abcdefghij", 1000);
    ApplicationData plaintext;
    plaintext.append({block->bytes() + 1000, 2});
    plaintext.append({block->bytes() + 1002, 3});
    plaintext.append({block->bytes() + 1006, 1});
    block->plaintext = plaintext;
    block->segment = 1;
    block->offset = in_part ? 1 : 0;
    block->begin = 1007;
    const auto expect_the_same = [&] {
      EXPECT_EQ(as_text(block->content()), "hij");
      EXPECT_EQ(as_text(block->next_plaintext()), in_part ? "de" : "cde");
      ++block->segment;
      const auto offset = std::exchange(block->offset, 0);
      EXPECT_EQ(as_text(block->next_plaintext()), "g");
      --block->segment;
      block->offset = offset;
      EXPECT_EQ(block->end - block->first(), in_part ? 7U : 8U);
    };
    expect_the_same();
    block = blocks.shrink(block);
    EXPECT_FALSE(block->pooled);
    EXPECT_EQ(block->capacity, in_part ? 7U : 8U);
    EXPECT_EQ(block->space().size(), 0U);
    EXPECT_EQ(blocks.pool().used(), 0U);
    EXPECT_EQ(blocks.small_bytes(), sizeof(Block) + block->capacity);
    expect_the_same();
    block = blocks.grow(block);
    EXPECT_TRUE(block->pooled);
    EXPECT_EQ(blocks.small_bytes(), 0U);
    EXPECT_EQ(blocks.pool().used(), 1U);
    expect_the_same();
    block->begin += 1;  // a byte more is done with
    block->begin -= 1;
    Blocks::compact(*block);
    expect_the_same();
    blocks.give(block);
  }
  EXPECT_EQ(blocks.pool().used(), 0U);
}

TEST(BlocksTest, CompactsToTheFront) {
  Blocks blocks(1);
  Block* block = filled(blocks, "wanted", 60'000);
  Blocks::compact(*block);
  EXPECT_EQ(block->begin, 0U);
  EXPECT_EQ(as_text(block->content()), "wanted");
  EXPECT_EQ(block->space().size(), Block::kCapacity - 6);
  blocks.give(block);
  EXPECT_EQ(blocks.pool().spare(), 1U);
}

TEST(BlocksTest, AccountsMove) {
  Blocks here(0);
  Blocks there(0);
  Block* whole = filled(here, "whole", 0);
  Block* small = here.shrink(filled(here, "small", 0));
  for (Block* block : {whole, small}) {
    here.disown(*block);
    there.adopt(*block);
  }
  EXPECT_EQ(here.pool().used(), 0U);
  EXPECT_EQ(here.small_bytes(), 0U);
  there.give(whole);
  there.give(small);
  EXPECT_EQ(there.pool().used(), 0U);
  EXPECT_EQ(there.small_bytes(), 0U);
}

}  // namespace
}  // namespace lockstep::testing
