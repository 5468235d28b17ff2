// Plays random schedules, each from a seed of its own:
//
//     test_schedules [--botan] --first N --count N     # what ctest runs, in shards
//     test_schedules [--botan] --seed N                # one, with all that happened in it
//
// It fails with the seeds of those in which something did not hold, and when what schedules are there to reach was
// reached by none.

#include <array>
#include <atomic>
#include <charconv>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <string_view>

#include <unistd.h>

#include "counted_memory.hpp"
#include "fuzz/library/schedule.hpp"
#ifdef LOCKSTEP_SCHEDULES_BOTAN
#include <lockstep/botan.hpp>
#endif

// --- seeds -----------------------------------------------------------------------------------------------------------

namespace {

using namespace lockstep;
using namespace lockstep::fuzzing;

std::atomic<std::uint64_t> playing{0};  // for the last words

Played play_seed(const Stage& stage, std::uint64_t seed) {
  playing = seed;
  const Octets bytes = schedule(seed);
  Choices choices(bytes);
  return play(stage, choices);
}

/// Whoever dies says of what.
void last_words(int signal) {
  std::array<char, 64> text{"died of seed "};
  char* const from = text.data() + 13;
  char* end = std::to_chars(from, text.data() + text.size() - 1, playing.load()).ptr;
  *end++ = '\n';
  (void)!write(STDERR_FILENO, text.data(), static_cast<std::size_t>(end - text.data()));
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

const Provider& provider(bool botan) {
#ifdef LOCKSTEP_SCHEDULES_BOTAN
  static const Provider real = botan::provider();
  if (botan) return real;
#else
  if (botan) std::exit(2);
#endif
  static const Provider fake = fake::provider();
  return fake;
}

struct Tally {
  std::map<std::string_view, std::size_t> counts;

  void add(const Played& played) {
    const std::pair<std::string_view, bool> went[] = {{"connected", played.connected},
                                                      {"resumed", played.resumed},
                                                      {"retried", played.retried},
                                                      {"with early data", played.early_data},
                                                      {"client authenticated", played.client_authenticated},
                                                      {"offloaded", played.offloaded},
                                                      {"closed", played.closed},
                                                      {"failed", played.failed},
                                                      {"tampered with", played.tampered},
                                                      {"keys updated", played.key_updated},
                                                      {"renegotiated", played.renegotiated},
                                                      {"tickets answered late", played.late_tickets}};
    for (const auto& [name, there] : went) counts[name] += there ? 1 : 0;
  }
};

}  // namespace

int main(int count, char** arguments) {
  std::uint64_t first = 0;
  std::uint64_t schedules = 20'000;
  bool one = false;
  bool botan = false;
  for (int i = 1; i < count; ++i) {
    const std::string_view option = arguments[i];
    const std::uint64_t value = i + 1 < count ? std::strtoull(arguments[i + 1], nullptr, 10) : 0;
    if (option == "--botan") {
      botan = true;
      continue;
    }
    if (option == "--seed") one = true;
    if (option == "--seed" || option == "--first") first = value;
    if (option == "--count") schedules = value;
    ++i;
  }
  for (const int signal : {SIGABRT, SIGSEGV, SIGILL, SIGFPE, SIGBUS}) std::signal(signal, last_words);
  testing::memory.watched = true;  // for the bound of a handshake
  const Stage stage(provider(botan), [] { return static_cast<std::size_t>(testing::memory.bytes); });

  if (one) {
    const Played played = play_seed(stage, first);
    std::printf("%s\n%s\n", played.log.c_str(), played.broken.empty() ? "all held" : played.broken.c_str());
    return played.broken.empty() ? 0 : 1;
  }
  Tally tally;
  std::map<std::string, std::size_t> broken;
  for (std::uint64_t seed = first; seed < first + schedules; ++seed) {
    const Played played = play_seed(stage, seed);
    tally.add(played);
    if (played.broken.empty()) continue;
    if (++broken[played.broken] <= 3)
      std::printf("seed %llu: does not hold: %s\n", static_cast<unsigned long long>(seed), played.broken.c_str());
  }
  bool missing = false;
  for (const auto& [name, times] : tally.counts) {
    std::printf("%6zu of %llu %.*s\n", times, static_cast<unsigned long long>(schedules), static_cast<int>(name.size()),
                name.data());
    missing |= times == 0;
  }
  for (const auto& [sentence, times] : broken) std::printf("broken %zu times: %s\n", times, sentence.c_str());
  if (missing) std::printf("some of it was never there\n");
  return broken.empty() && !missing ? 0 : 1;
}
