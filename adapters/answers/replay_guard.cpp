#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <numbers>
#include <utility>

#include <lockstep/replay_guard.hpp>

namespace lockstep {

namespace {

constexpr std::chrono::seconds kShortestWindow{20};
constexpr std::chrono::seconds kLongestWindow{604'800};  // no ticket lives longer
constexpr std::size_t kMostExpected = 100'000'000;
constexpr double kLeastFalsePositives = 1e-9;
constexpr double kMostFalsePositives = 0.5;
// Threads that ask at the same time may have looked at the clock one after the other.
constexpr std::chrono::seconds kClockTolerance{1};

}  // namespace

/// Where a ticket's bits are: at first, first + step, first + 2 * step and so on.
struct ReplayGuard::Place {
  std::uint64_t first;
  std::uint64_t step;
};

std::expected<std::shared_ptr<ReplayGuard>, std::vector<ConfigProblem>> ReplayGuard::create(
    const Provider& provider, RandomSource& random, Time now, ReplayGuardOptions options) {
  std::vector<ConfigProblem> problems;
  const auto problem = [&](std::string_view setting, std::string text) {
    problems.push_back({.setting = std::string(setting), .text = std::move(text)});
  };
  if (options.window < kShortestWindow || options.window > kLongestWindow) {
    problem("window", "is out of bounds; choose 20 seconds, for which a ClientHello is good by default, to 7 days");
  }
  if (options.expected < 1 || options.expected > kMostExpected) {
    problem("expected", "is out of bounds; choose 1 to 100000000");
  }
  // Written so that it holds for NaN.
  if (!(options.false_positives >= kLeastFalsePositives && options.false_positives <= kMostFalsePositives)) {
    problem("false_positives", "is out of bounds; choose 1e-9 to 0.5");
  }
  const Hash* hash = provider.hash(HashAlgorithm::sha256);
  if (hash == nullptr)
    problem("provider", "has no SHA-256, which tickets are remembered by; compose it with one that has");
  if (!problems.empty()) return std::unexpected(std::move(problems));

  // Of a Bloom filter for n entries and a rate p of false positives: n * -ln p / (ln 2)^2 bits, of which -log2 p stand
  // for an entry. Two are asked, so each has half of the rate.
  const double doublings = -std::log2(options.false_positives / 2);
  const auto bits =
      static_cast<std::size_t>(std::ceil(static_cast<double>(options.expected) * doublings / std::numbers::ln2));
  const auto probes = static_cast<unsigned>(std::max(1L, std::lround(doublings)));
  std::shared_ptr<ReplayGuard> guard(new ReplayGuard(*hash, now, options.window, bits, probes));
  if (!random.fill(guard->key_.writable())) {
    problem("random", "gave no randomness");
    return std::unexpected(std::move(problems));
  }
  return guard;
}

ReplayGuard::ReplayGuard(const Hash& hash, Time now, std::chrono::seconds window, std::size_t bits, unsigned probes)
    : hash_(&hash),
      key_(std::size_t{32}),
      window_(window),
      bits_((bits + Block::kBits - 1) / Block::kBits * Block::kBits),
      probes_(probes),
      current_{std::vector<Block>(bits_ / Block::kBits), next_generation()},
      previous_{std::vector<Block>(bits_ / Block::kBits), next_generation()},
      current_since_(now),
      // RFC 9846 8.2: "When implementations are freshly started, they SHOULD reject 0-RTT as long as any portion of
      // their recording window overlaps the startup time."
      silent_until_(now + window),
      latest_(now) {}

bool ReplayGuard::first_time(Bytes ticket, Time now) noexcept {
  std::array<std::uint8_t, 32> digest;
  if (!hash_->hmac(key_.view(), {&ticket, 1}, digest)) return false;
  Place place{};
  std::memcpy(&place.first, digest.data(), sizeof place.first);
  std::memcpy(&place.step, digest.data() + sizeof place.first, sizeof place.step);

  const std::scoped_lock lock(mutex_);
  turn(now);
  const bool known = contains(current_, place) || contains(previous_, place);
  // Also what is refused is recorded: its client sends it again as usual data, and then early data must not follow.
  record(place);
  // RFC 9846 8: "The server MUST ensure that any instance of it ... would accept 0-RTT for the same 0-RTT handshake at
  // most once"
  // RFC 9846 8.2: "they MUST respond to apparent replay by rejecting 0-RTT but MUST NOT abort the handshake."
  return !known && now >= silent_until_;
}

std::size_t ReplayGuard::memory() const noexcept {
  return (current_.blocks.size() + previous_.blocks.size()) * sizeof(Block);
}

/// Brings the filters to this moment.
void ReplayGuard::turn(Time now) noexcept {
  if (now + kClockTolerance < latest_) {
    // The clock was set back: what has been forgotten is as young again as it was, until the clock is beyond it.
    silent_until_ = std::max(silent_until_, latest_ + window_);
  }
  latest_ = std::max(latest_, now);
  // A filter outlives the window by the tolerance: another thread's look at the clock may be that much older.
  const auto turn_after = window_ + kClockTolerance;
  if (now < current_since_ + turn_after) return;
  std::swap(current_, previous_);
  current_.generation = next_generation();
  if (now >= current_since_ + 2 * turn_after) previous_.generation = next_generation();
  current_since_ = now;
}

bool ReplayGuard::contains(const Filter& filter, const Place& place) const noexcept {
  std::uint64_t at = place.first;
  for (unsigned i = 0; i < probes_; ++i, at += place.step) {
    const std::uint64_t bit = at % bits_;
    const Block& block = filter.blocks[bit / Block::kBits];
    if (block.generation != filter.generation) return false;
    const std::uint64_t in_block = bit % Block::kBits;
    if ((block.words[in_block / 32] >> in_block % 32 & 1U) == 0) return false;
  }
  return true;
}

void ReplayGuard::record(const Place& place) noexcept {
  std::uint64_t at = place.first;
  for (unsigned i = 0; i < probes_; ++i, at += place.step) {
    const std::uint64_t bit = at % bits_;
    Block& block = current_.blocks[bit / Block::kBits];
    if (block.generation != current_.generation) block = {.generation = current_.generation, .words = {}};
    const std::uint64_t in_block = bit % Block::kBits;
    block.words[in_block / 32] |= std::uint32_t{1} << in_block % 32;
  }
}

}  // namespace lockstep
