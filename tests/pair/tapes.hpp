#pragma once
// Tapes of what tests do. A test runs unrecorded; when one has failed, the program runs it again with recorders and
// leaves the tapes in a folder test-tapes beside itself. With LOCKSTEP_TAPES=check every test is recorded and every
// tape is replayed: that is the tests of the tape.

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <gtest/gtest.h>

#include <lockstep/replay.hpp>
#include <lockstep/tape.hpp>

#include "pair/codecs.hpp"

namespace lockstep::testing {

enum class Taping { none, keep, check };

inline Taping taping() {
  static const Taping mode = [] {
    const char* word = std::getenv("LOCKSTEP_TAPES");
    if (word == nullptr) return Taping::none;
    return std::string_view(word) == "check" ? Taping::check : Taping::keep;
  }();
  return mode;
}

/// The recorder of one end, or none.
class Taped {
 public:
  Taped(RandomSource& random, std::string_view role) : random_(random), role_(role) {
    if (taping() != Taping::none) recorder_.emplace(random);
  }
  Taped(const Taped&) = delete;
  Taped& operator=(const Taped&) = delete;

  /// Makes a connection with the recorder, or with the randomness as it is. The last one that is made is recorded.
  template <class Make>
  auto connection(Make make) {
    if (!recorder_) return make(random_);
    recorder_.emplace(random_);
    return make(*recorder_);
  }

  /// At the test's end: keeps the tape of a test that has failed, or replays it with `provider`.
  void finish(const Provider* provider = nullptr) {
    if (!recorder_) return;
    const Bytes tape = recorder_->recorded();
    if (taping() == Taping::check) {
      if (provider == nullptr || happens_once_) return;
      auto replay = trace::Replay::open(tape, *provider, test_codecs());
      if (!replay) {
        ADD_FAILURE() << "the " << role_ << "'s tape: " << replay.error().text();
        return;
      }
      const trace::ReplayRun run = replay->run();
      EXPECT_TRUE(run.identical()) << "the " << role_
                                   << "'s tape: " << (run.difference ? run.difference->text() : run.problem->text());
      EXPECT_FALSE(run.unfinished);
      EXPECT_FALSE(run.stopped);
      ++checked();
      return;
    }
    if (!::testing::Test::HasFailure()) return;
    write(tape);
  }
  /// The connection that it was of is gone.
  void forget() { recorder_.reset(); }
  /// What has happened cannot happen again, or stands on no tape: it is not replayed.
  void happens_once() { happens_once_ = true; }
  /// Tapes that were replayed.
  static int& checked() {
    static int count = 0;
    return count;
  }

 private:
  void write(Bytes tape) {
    const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
    static int number = 0;
    // Beside the program, which no path of the build is compiled into: what several builds compile alike is compiled
    // once.
    std::error_code nowhere;
    const auto folder = std::filesystem::read_symlink("/proc/self/exe", nowhere).parent_path() / "test-tapes";
    std::string name =
        test == nullptr ? std::string("test") : std::string(test->test_suite_name()) + "." + test->name();
    for (char& character : name) {
      if (character == '/') character = '-';
    }
    std::filesystem::create_directories(folder);
    const auto path = folder / (name + "." + std::to_string(++number) + "." + std::string(role_) + ".tape");
    std::ofstream out(path, std::ios::binary);
    out.write(reinterpret_cast<const char*>(tape.data()), static_cast<std::streamsize>(tape.size()));
    out.close();
    if (out) {
      std::cerr << "tape of the " << role_ << ": " << path.string() << "\n  look at it with: lockstep replay "
                << path.string() << " --trace --svg tape.svg\n";
    }
  }

  RandomSource& random_;
  std::string_view role_;
  std::optional<trace::Recorder> recorder_;
  bool happens_once_ = false;
};

/// Runs what has failed again, recorded. Everything here is deterministic, so it fails in the same way.
class RunFailuresAgain : public ::testing::Environment {
 public:
  void TearDown() override {
    if (taping() == Taping::check) {
      std::cerr << Taped::checked() << " tapes were replayed\n";
      return;
    }
    if (taping() == Taping::keep) return;
    std::string failed;
    const auto& tests = *::testing::UnitTest::GetInstance();
    for (int i = 0; i < tests.total_test_suite_count(); ++i) {
      const auto& suite = *tests.GetTestSuite(i);
      for (int j = 0; j < suite.total_test_count(); ++j) {
        const auto& test = *suite.GetTestInfo(j);
        if (test.should_run() && test.result()->Failed()) {
          failed += (failed.empty() ? "" : ":") + std::string(suite.name()) + "." + test.name();
        }
      }
    }
    if (failed.empty()) return;
    std::error_code error;
    const std::string self = std::filesystem::read_symlink("/proc/self/exe", error).string();
    if (error) return;
    std::cerr << "Recording what has failed:\n";
    const std::string command =
        "LOCKSTEP_TAPES=keep '" + self + "' --gtest_also_run_disabled_tests '--gtest_filter=" + failed + "' >/dev/null";
    if (std::system(command.c_str()) == 0) std::cerr << "  (it did not fail again)\n";
  }
};
inline ::testing::Environment* const run_failures_again = ::testing::AddGlobalTestEnvironment(new RunFailuresAgain);

}  // namespace lockstep::testing
