// test_callers [--first SEED] [--count N] [--threads], or --seed SEED to see one.

#include <array>
#include <atomic>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <string_view>

#include <unistd.h>

#include "callers/scene.hpp"

namespace {

std::atomic<std::uint64_t> playing{0};

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

}  // namespace

int main(int count, char** arguments) {
  using namespace lockstep::callers;
  std::uint64_t first = 0;
  std::uint64_t scenes = 250;
  bool one = false;
  bool threads = false;
  for (int i = 1; i < count; ++i) {
    const std::string_view option = arguments[i];
    if (option == "--threads") {
      threads = true;
      continue;
    }
    const std::uint64_t value = i + 1 < count ? std::strtoull(arguments[i + 1], nullptr, 10) : 0;
    if (option == "--seed") one = true;
    if (option == "--seed" || option == "--first") first = value;
    if (option == "--count") scenes = value;
    ++i;
  }
  for (const int signal : {SIGABRT, SIGSEGV, SIGILL, SIGFPE, SIGBUS}) std::signal(signal, last_words);
  const Stage stage;
  if (one) {
    const Played played = Scene(stage, first, threads, true).play();
    std::printf("%s\n%s\n", played.log.c_str(), played.broken.empty() ? "all held" : played.broken.c_str());
    return played.broken.empty() ? 0 : 1;
  }
  Played all;
  std::map<std::string, std::size_t> broken;
  // On a machine with other work, scenes of a few milliseconds may all be cut short: then more of them are played.
  const auto seen_all = [&] { return all.calls && all.bytes && all.handshakes && all.moves && all.ends; };
  for (std::uint64_t seed = first; seed < first + scenes || (!seen_all() && seed < first + 20 * scenes); ++seed) {
    playing = seed;
    const Played played = Scene(stage, seed, threads, false).play();
    all.calls += played.calls;
    all.bytes += played.bytes;
    all.handshakes += played.handshakes;
    all.moves += played.moves;
    all.ends += played.ends;
    if (played.broken.empty()) continue;
    if (++broken[played.broken] <= 3)
      std::printf("seed %llu: does not hold: %s\n", static_cast<unsigned long long>(seed), played.broken.c_str());
  }
  const auto say = [&](const char* what, std::uint64_t number) {
    std::printf("%12llu %s\n", static_cast<unsigned long long>(number), what);
    return number == 0;
  };
  bool missing = say("calls of handlers", all.calls);
  missing |= say("bytes read", all.bytes);
  missing |= say("handshakes told", all.handshakes);
  missing |= say("moves", all.moves);
  missing |= say("ends told behind every byte", all.ends);
  for (const auto& [sentence, times] : broken) std::printf("broken %zu times: %s\n", times, sentence.c_str());
  if (missing) std::printf("some of it was never there\n");
  return broken.empty() && !missing ? 0 : 1;
}
