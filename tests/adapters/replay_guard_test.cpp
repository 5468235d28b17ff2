// Early data is accepted once.

#include <atomic>
#include <chrono>
#include <cmath>
#include <map>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <lockstep/replay_guard.hpp>

#include "support.hpp"

namespace lockstep::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;

constexpr auto kWindow = 20s;

std::shared_ptr<ReplayGuard> guard_of(ReplayGuardOptions options = {}) {
  return ReplayGuard::create(provider(), random(), fixed_clock(), options).value();
}
/// When a guard that was started at fixed_clock() first accepts.
Time awake() { return fixed_clock() + kWindow; }

bool first_time(ReplayGuard& guard, std::string_view ticket, Time now) {
  return guard.first_time(as_bytes(ticket), now);
}

TEST(ReplayGuard, AcceptsATicketOnce) {
  const auto guard = guard_of();
  EXPECT_TRUE(first_time(*guard, "one", awake()));
  EXPECT_FALSE(first_time(*guard, "one", awake()));
  EXPECT_TRUE(first_time(*guard, "two", awake()));
  EXPECT_FALSE(first_time(*guard, "one", awake() + 1s));
  EXPECT_FALSE(first_time(*guard, "two", awake() + 1s));
}

TEST(ReplayGuard, AcceptsNothingInTheFirstWindow) {
  const auto guard = guard_of();
  EXPECT_FALSE(first_time(*guard, "one", fixed_clock()));
  EXPECT_FALSE(first_time(*guard, "two", awake() - 1ms));
  EXPECT_TRUE(first_time(*guard, "three", awake()));
  EXPECT_FALSE(first_time(*guard, "two", awake())) << "its client has sent it again as usual data";
}

TEST(ReplayGuard, RemembersForAtLeastAWindowWhereverItsFiltersTurn) {
  for (auto offset = 0s; offset <= 3 * kWindow; offset += 1s) {
    const auto guard = guard_of();
    const Time first = awake() + offset;
    EXPECT_TRUE(first_time(*guard, "one", first));
    for (auto age = 1s; age <= kWindow; age += 1s) {
      const std::string other = "other " + std::to_string(age.count());
      EXPECT_TRUE(first_time(*guard, other, first + age)) << "which keeps the filters turning";
    }
    EXPECT_FALSE(first_time(*guard, "one", first + kWindow)) << offset.count();
  }
}

TEST(ReplayGuard, ForgetsSoThatMemoryIsBounded) {
  constexpr auto kTurn = kWindow + 1s;  // threads look at the clock one after the other
  const auto guard = guard_of();
  EXPECT_TRUE(first_time(*guard, "one", awake()));
  EXPECT_TRUE(first_time(*guard, "one", awake() + 2 * kTurn)) << "both filters are cleared after silence";
  EXPECT_TRUE(first_time(*guard, "two", awake() + 3 * kTurn));
  EXPECT_TRUE(first_time(*guard, "one", awake() + 4 * kTurn)) << "and one after the other otherwise";
}

TEST(ReplayGuard, AcceptsNothingUntilAClockThatWasSetBackIsAWindowBeyondWhereItWas) {
  const auto guard = guard_of();
  const Time late = awake() + 1h;
  EXPECT_TRUE(first_time(*guard, "one", late));
  EXPECT_TRUE(first_time(*guard, "two", late - 1s)) << "threads look at the clock one after the other";
  const Time back = late - 30min;
  EXPECT_FALSE(first_time(*guard, "three", back));
  EXPECT_FALSE(first_time(*guard, "four", back + 2 * kWindow));
  EXPECT_FALSE(first_time(*guard, "one", late)) << "it is as young again as it was";
  EXPECT_FALSE(first_time(*guard, "five", late + kWindow - 1ms));
  EXPECT_TRUE(first_time(*guard, "six", late + kWindow));
}

TEST(ReplayGuard, AcceptsNoReplayHoweverTheClockSteps) {
  std::minstd_rand draw(1);
  const auto up_to = [&](int most) { return std::chrono::milliseconds(draw() % static_cast<unsigned>(most)); };
  int accepted = 0;
  int replays = 0;
  for (int run = 0; run < 200; ++run) {
    const auto guard = guard_of({.expected = 10'000});
    std::map<std::string, std::vector<Time>> seen;  // when each ticket was accepted
    Time now = awake();
    for (int call = 0; call < 500; ++call) {
      switch (draw() % 40) {
        case 0: now += up_to(100'000); break;
        case 1: now -= up_to(100'000); break;
        case 2: now -= up_to(1'000); break;
        default: now += up_to(500); break;
      }
      const std::string ticket = std::to_string(draw() % 100);
      if (!first_time(*guard, ticket, now)) continue;
      ++accepted;
      for (const Time before : seen[ticket]) {
        if (std::chrono::abs(now - before) <= kWindow) ++replays;
      }
      seen[ticket].push_back(now);
    }
  }
  EXPECT_EQ(replays, 0);
  EXPECT_GT(accepted, 5'000);
}

TEST(ReplayGuard, ForgetsWithoutAPauseHoweverLargeItIs) {
  // 23 MB in each filter.
  const auto guard = guard_of({.expected = 10'000'000});
  constexpr int kCalls = 1'000;
  const auto duration = [&](Time from, std::chrono::seconds step) {
    const auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < kCalls; ++i) (void)first_time(*guard, std::to_string(i), from + i * step);
    return std::chrono::steady_clock::now() - start;
  };
  const auto usual = duration(awake(), 0s);
  const auto turning = duration(awake() + 1h, 3 * kWindow);
  EXPECT_LT(turning, 50 * usual) << "clearing what is full of zeros takes a hundred times as long, and more";
}

TEST(ReplayGuard, HasThePresetsOfErlang) {
  EXPECT_NEAR(static_cast<double>(guard_of(kReplayGuard10k)->memory()), 23'000, 1'000);
  EXPECT_NEAR(static_cast<double>(guard_of(kReplayGuard100k)->memory()), 233'000, 1'000);
  EXPECT_TRUE(first_time(*guard_of(kReplayGuard10k), "one", awake()));
}

TEST(ReplayGuard, KeepsItsRateOfFalsePositives) {
  for (const double rate : {0.1, 0.01, 0.001}) {
    constexpr std::size_t kExpected = 100'000;
    const auto guard = guard_of({.expected = kExpected, .false_positives = rate});
    // As much as is expected, in two windows: at the end both filters are as full as they may be.
    std::size_t wrong = 0;
    for (std::size_t i = 0; i < 2 * kExpected; ++i) {
      const bool second = i >= kExpected;
      const bool first = first_time(*guard, "ticket " + std::to_string(i), awake() + (second ? kWindow : 0s));
      if (!first) ++wrong;
    }
    // On average: filters that fill up are wrong less often than full ones.
    const double measured = static_cast<double>(wrong) / (2 * kExpected);
    EXPECT_LT(measured, rate) << "tuned to " << rate;
    EXPECT_GT(measured, rate / 8) << "tuned to " << rate << ": the filters are larger than they have to be";
  }
}

TEST(ReplayGuard, TakesTheMemoryThatItSaysAndNoMore) {
  const auto guard = guard_of();
  // 2 filters * 100,000 entries * log2(2 / 1e-4) / ln 2 / 8, of which every 480 bits have 32 for their generation
  const double expected = 2 * 100'000 * std::log2(2 / 1e-4) / std::log(2) / 8 * 16 / 15;
  EXPECT_NEAR(static_cast<double>(guard->memory()), expected, 128);
  EXPECT_LT(guard->memory(), 600'000U);
}

TEST(ReplayGuard, HashesUnderAKeyOfItsOwn) {
  // What one guard takes for a replay without reason is not what another does.
  const ReplayGuardOptions small{.expected = 1'000, .false_positives = 0.5};
  const auto one = guard_of(small);
  const auto other = guard_of(small);
  int differences = 0;
  for (int i = 0; i < 2'000; ++i) {
    const std::string ticket = "ticket " + std::to_string(i);
    if (first_time(*one, ticket, awake()) != first_time(*other, ticket, awake())) ++differences;
  }
  EXPECT_GT(differences, 100);
}

TEST(ReplayGuard, AcceptsOnceHoweverManyThreadsAsk) {
  constexpr int kTickets = 2'000;
  const auto guard = guard_of({.false_positives = 1e-9});
  std::vector<std::atomic<int>> accepted(kTickets);
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (std::size_t ticket = 0; ticket < kTickets; ++ticket) {
        if (first_time(*guard, std::to_string(ticket), awake())) ++accepted[ticket];
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const auto& times : accepted) EXPECT_EQ(times, 1);
}

TEST(ReplayGuard, ReportsEveryProblemAtOnce) {
  const auto settings_of = [](const Provider& from, const ReplayGuardOptions& options) {
    const auto guard = ReplayGuard::create(from, random(), fixed_clock(), options);
    std::vector<std::string> settings;
    if (!guard) {
      for (const ConfigProblem& problem : guard.error()) settings.push_back(problem.setting);
    }
    return settings;
  };
  EXPECT_THAT(settings_of({.name = "empty"}, {.window = 19s, .expected = 0, .false_positives = 0}),
              ElementsAre("window", "expected", "false_positives", "provider"));
  EXPECT_THAT(settings_of(provider(), {.window = 604'801s, .expected = 100'000'001, .false_positives = std::nan("")}),
              ElementsAre("window", "expected", "false_positives"));
  EXPECT_THAT(settings_of(provider(), {.window = 604'800s, .expected = 1, .false_positives = 0.5}), ElementsAre());

  struct Empty final : RandomSource {
    bool fill(MutableBytes) noexcept override { return false; }
  } empty;
  const auto guard = ReplayGuard::create(provider(), empty, fixed_clock());
  ASSERT_FALSE(guard);
  ASSERT_EQ(guard.error().size(), 1U);
  EXPECT_EQ(guard.error()[0].setting, "random");
}

}  // namespace
}  // namespace lockstep::testing
