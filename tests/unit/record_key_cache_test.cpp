// Expanded keys: where they are, how long, and that none is left behind or taken for another.

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <random>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <lockstep/key_cache.hpp>

#include "record/framing.hpp"
#include "record/opener.hpp"
#include "record/sealer.hpp"

namespace lockstep::record {
namespace {

using Octets = std::vector<std::uint8_t>;

constexpr std::size_t kKeySize = 16;
constexpr std::size_t kTagSize = 16;
constexpr std::array<std::uint8_t, kAeadNonceSize> kIv = {1, 2, 3};

// What was asked of the AEAD below.
int made = 0;
int destroyed = 0;
bool broken = false;

// Puts the key into every byte of its context, and protects with the last of them.
template <std::size_t context_size>
struct Toy {
  static bool init(void* context, Bytes key) noexcept {
    if (broken) return false;
    ++made;
    std::memset(context, key[0], context_size);
    return true;
  }
  static std::uint8_t key_of(const void* context) noexcept {
    const auto* const bytes = static_cast<const std::uint8_t*>(context);
    EXPECT_NE(bytes[0], 0) << "this context is dead";
    EXPECT_TRUE(std::all_of(bytes, bytes + context_size, [&](std::uint8_t byte) { return byte == bytes[0]; }));
    return bytes[context_size - 1];
  }
  static bool seal(void* context, std::span<const SealJob> jobs) noexcept {
    const std::uint8_t key = key_of(context);
    for (const SealJob& job : jobs) {
      std::uint8_t* to = job.destination;
      for (const Bytes piece : job.source) to = std::copy(piece.begin(), piece.end(), to);
      to = std::copy(job.tail.begin(), job.tail.end(), to);
      std::fill_n(to, kTagSize, key);
    }
    return true;
  }
  static bool open(void* context, std::span<OpenJob> jobs) noexcept {
    const std::uint8_t key = key_of(context);
    for (OpenJob& job : jobs) {
      job.ok = std::ranges::all_of(job.source.last(kTagSize), [&](std::uint8_t byte) { return byte == key; });
      if (!job.ok) return false;
      std::memmove(job.destination, job.source.data(), job.source.size() - kTagSize);
    }
    return true;
  }
  static void destroy(void* context) noexcept {
    EXPECT_NE(key_of(context), 0);
    ++destroyed;
    std::memset(context, 0, context_size);
  }
  static constexpr Aead kAead{
      AeadAlgorithm::aes_128_gcm, "toy", kKeySize, kTagSize, context_size, init, seal, open, destroy};
};
constexpr const Aead& kLarge = Toy<kMaxAeadContextSize>::kAead;
constexpr const Aead& kSmall = Toy<kKeptAeadContextSize>::kAead;

Octets key(int number) { return Octets(kKeySize, static_cast<std::uint8_t>(number)); }

class KeyCacheTest : public testing::Test {
 protected:
  KeyCacheTest() {
    made = destroyed = 0;
    broken = false;
    for (ContextSlot& slot : slots_) slot.context.fill({});
  }

  static Protection protection(int number, ContextCache* cache, const Aead& aead = kLarge) {
    Protection made_now;
    made_now.use(cache);
    EXPECT_TRUE(made_now.install(aead, key(number), kIv));
    return made_now;
  }
  /// The key that the context was made of; 0 when there is none.
  static int key_in(void* context) { return context == nullptr ? 0 : Toy<kMaxAeadContextSize>::key_of(context); }
  /// Whether any slot has a byte of this key.
  [[nodiscard]] bool lies_about(int number) const {
    return std::ranges::any_of(slots_, [&](const ContextSlot& slot) {
      return std::ranges::find(slot.context, static_cast<std::byte>(number)) != slot.context.end();
    });
  }

  std::array<ContextSlot, 4> slots_;
};

TEST_F(KeyCacheTest, ABusyKeyIsExpandedOnce) {
  ContextCache cache(slots_);
  Protection busy = protection(1, &cache);
  EXPECT_EQ(made, 0) << "not before a record comes";
  for (int record = 0; record < 10; ++record) EXPECT_EQ(key_in(busy.context()), 1);
  EXPECT_EQ(made, 1);
  EXPECT_EQ(cache.expanded(), 1U);
}

TEST_F(KeyCacheTest, ManyKeysTakeTurnsAndLeaveNothing) {
  ContextCache cache(slots_);
  std::vector<Protection> all;
  for (int number = 1; number <= 9; ++number) all.push_back(protection(number, &cache));
  for (int round = 0; round < 3; ++round) {
    for (int number = 1; number <= 9; ++number) {
      EXPECT_EQ(key_in(all[static_cast<std::size_t>(number - 1)].context()), number);
      EXPECT_EQ(made - destroyed, std::min(made, 4));
    }
  }
  EXPECT_EQ(made, 27) << "nine keys in turn find no room in four slots";
  EXPECT_FALSE(lies_about(5)) << "what was replaced is gone";
  EXPECT_TRUE(lies_about(6) && lies_about(9));
}

TEST_F(KeyCacheTest, ANewKeyOrNoneForgetsTheOldOne) {
  ContextCache cache(slots_);
  {
    Protection one = protection(1, &cache);
    Protection two = protection(2, &cache);
    Protection three = protection(3, &cache);
    for (Protection* each : {&one, &two, &three}) EXPECT_NE(each->context(), nullptr);
    EXPECT_TRUE(one.install(kLarge, key(4), kIv));
    EXPECT_FALSE(lies_about(1));
    EXPECT_EQ(key_in(one.context()), 4);
    two.clear();
    EXPECT_FALSE(lies_about(2));
    EXPECT_TRUE(lies_about(3));
    three = std::move(one);
    EXPECT_FALSE(lies_about(3));
    EXPECT_EQ(key_in(three.context()), 4);
  }
  EXPECT_FALSE(lies_about(4)) << "destroyed";
  EXPECT_EQ(made, 4);
  EXPECT_EQ(destroyed, made);
}

TEST_F(KeyCacheTest, AKeyThatLostItsSlotLeavesTheNextOwnersAlone) {
  ContextCache cache{std::span(slots_).first(1)};
  Protection first = protection(1, &cache);
  Protection second = protection(2, &cache);
  EXPECT_EQ(key_in(first.context()), 1);
  EXPECT_EQ(key_in(second.context()), 2);
  first.clear();
  EXPECT_EQ(key_in(second.context()), 2);
  EXPECT_EQ(made, 2);
}

TEST_F(KeyCacheTest, AMoveCostsNothing) {
  ContextCache cache(slots_);
  Protection here = protection(1, &cache);
  EXPECT_EQ(key_in(here.context()), 1);
  Protection there = std::move(here);
  EXPECT_EQ(key_in(there.context()), 1);
  here.clear();  // NOLINT(bugprone-use-after-move): that is what is tested
  EXPECT_EQ(key_in(there.context()), 1);
  EXPECT_EQ(made, 1);
  Protection unused;
  unused.use(&cache);
  Protection later = std::move(unused);
  EXPECT_TRUE(later.install(kLarge, key(2), kIv));
  EXPECT_EQ(key_in(later.context()), 2) << "the cache moves along, key or none";
}

TEST_F(KeyCacheTest, AnotherCacheIsAsGood) {
  Protection moving = protection(1, nullptr);
  {
    ContextCache first{std::span(slots_).first(2)};
    moving.use(&first);
    EXPECT_EQ(key_in(moving.context()), 1);
    moving.use(nullptr);
    EXPECT_FALSE(lies_about(1));
  }
  ContextCache second{std::span(slots_).last(2)};
  Protection other = protection(2, &second);
  EXPECT_EQ(key_in(other.context()), 2);  // the second cache's first expansion, as that in the first one was
  moving.use(&second);
  EXPECT_EQ(key_in(moving.context()), 1);
  EXPECT_EQ(key_in(other.context()), 2);
  moving.use(nullptr);
}

TEST_F(KeyCacheTest, WhatACacheHoldsEndsWithIt) {
  {
    ContextCache cache(slots_);
    Protection key = protection(1, &cache);
    EXPECT_EQ(key_in(key.context()), 1);
    Protection outlives = std::move(key);
    EXPECT_EQ(destroyed, 0);
    outlives.use(nullptr);
    Protection another = protection(2, &cache);
    EXPECT_EQ(key_in(another.context()), 2);
    EXPECT_EQ(destroyed, 1);
  }
  EXPECT_EQ(destroyed, 2);
  std::optional<ContextCache> cache(slots_);
  EXPECT_NE(cache->expand(kLarge, key(3)), ContextCache::kNone);
  cache.reset();
  EXPECT_FALSE(lies_about(3));
}

TEST_F(KeyCacheTest, AFailedExpansionIsNobodysKey) {
  ContextCache cache{std::span(slots_).first(1)};
  Protection first = protection(1, &cache);
  Protection second = protection(2, &cache);
  EXPECT_EQ(key_in(first.context()), 1);
  broken = true;
  EXPECT_EQ(second.context(), nullptr);
  EXPECT_EQ(first.context(), nullptr) << "its slot was taken, and does not hold it any more";
  broken = false;
  EXPECT_EQ(key_in(first.context()), 1);
  EXPECT_EQ(key_in(second.context()), 2);
}

TEST_F(KeyCacheTest, SmallContextsNeedNoRoom) {
  ContextCache cache(slots_);
  Protection small = protection(1, &cache, kSmall);
  EXPECT_EQ(made, 1) << "with its key";
  EXPECT_EQ(Toy<kKeptAeadContextSize>::key_of(small.context()), 1);
  EXPECT_EQ(cache.expanded(), 0U);
  small.use(nullptr);
  EXPECT_EQ(Toy<kKeptAeadContextSize>::key_of(small.context()), 1);
  Protection moved = std::move(small);
  EXPECT_EQ(Toy<kKeptAeadContextSize>::key_of(moved.context()), 1);
  EXPECT_EQ(made, 1);
  moved.clear();
  EXPECT_EQ(destroyed, 1);
}

// Whatever happens to keys and caches, a record is protected by its own key.
TEST_F(KeyCacheTest, NoKeyIsTakenForAnother) {
  std::array<ContextSlot, 6> room;
  std::array<ContextCache*, 4> caches{};
  ContextCache one{std::span(room).first(1)};
  ContextCache two{std::span(room).subspan(2, 2)};
  ContextCache also_two{std::span(room).subspan(4, 2)};
  caches = {&one, &two, &also_two, nullptr};
  std::mt19937 random(1);
  const auto below = [&](std::size_t end) { return static_cast<std::size_t>(random() % end); };
  {
    std::array<Protection, 5> keys;
    std::array<int, 5> numbers{};
    for (int step = 0; step < 100'000; ++step) {
      const std::size_t i = below(keys.size());
      const std::size_t other = below(keys.size());
      switch (below(12)) {
        case 0:
          numbers[i] = 1 + static_cast<int>(below(250));
          ASSERT_TRUE(keys[i].install(kLarge, key(numbers[i]), kIv));
          break;
        case 1:
          keys[i].clear();
          numbers[i] = 0;
          break;
        case 2:
          if (i == other) break;
          keys[i] = std::move(keys[other]);
          numbers[i] = std::exchange(numbers[other], 0);
          break;
        case 3: keys[i].use(caches[below(caches.size())]); break;
        case 4:
          std::swap(keys[i], keys[other]);
          std::swap(numbers[i], numbers[other]);
          break;
        default:
          if (!keys[i].installed()) break;
          const StackSlot slot(keys[i]);
          ASSERT_EQ(key_in(keys[i].context()), numbers[i]) << step;
      }
      ASSERT_LE(made - destroyed, 5);
    }
  }
  EXPECT_EQ(made, destroyed);
}

// --- without a cache ---------------------------------------------------------------------------------------------

struct Ends {
  Ends() {
    EXPECT_TRUE(sealer.install(kLarge, key(1), kIv));
    EXPECT_TRUE(opener.install(kLarge, key(1), kIv));
  }
  Octets seal(std::size_t size, std::size_t fragment) {
    const Octets content(size, 0x61);
    const Bytes segment = content;
    Octets out(2 * size + 1000);
    const auto sealed = sealer.seal(ContentType::application_data, {&segment, 1}, {.max_fragment = fragment}, out);
    EXPECT_TRUE(sealed && sealed->consumed == size);
    out.resize(sealed->written);
    return out;
  }
  std::size_t open(MutableBytes records) {
    std::size_t opened = 0;
    while (!records.empty()) {
      const auto header = parse_header(records, Stream::protected_);
      const auto content = opener.open(records.first((*header)->record_size()));
      EXPECT_TRUE(content);
      if (!content) break;
      opened += content->content.size();
      records = records.subspan((*header)->record_size());
    }
    return opened;
  }
  Sealer sealer;
  Opener opener;
};

TEST_F(KeyCacheTest, WithoutOneACallExpandsOnce) {
  Ends ends;
  Octets records = ends.seal(4000, 100);
  EXPECT_EQ(made, 1) << "40 records, in several batches";
  {
    const StackSlot burst = ends.opener.burst();
    EXPECT_EQ(ends.open(records), 4000U);
  }
  EXPECT_EQ(made, 2);
  EXPECT_EQ(destroyed, made) << "nothing stays";
  records = ends.seal(300, 100);
  EXPECT_EQ(ends.open(records), 300U) << "and outside of a burst each record for itself";
  EXPECT_EQ(made, 3 + 3);
  Octets slot(kHeaderSize + 10 + ends.sealer.trailer_size());
  EXPECT_TRUE(ends.sealer.seal_in_place(ContentType::application_data, slot, 10));
  EXPECT_EQ(ends.open(slot), 10U);
  EXPECT_EQ(made, 8);
  EXPECT_EQ(destroyed, made);
}

TEST_F(KeyCacheTest, AKeyMayChangeWithinABurst) {
  Ends ends;
  Octets records = ends.seal(10, 10);
  const StackSlot burst = ends.opener.burst();
  EXPECT_EQ(ends.open(records), 10U);
  ASSERT_TRUE(ends.opener.install(kLarge, key(2), kIv));
  ASSERT_TRUE(ends.sealer.install(kLarge, key(2), kIv));
  records = ends.seal(10, 10);
  EXPECT_EQ(ends.open(records), 10U);
  ASSERT_TRUE(ends.opener.install(kSmall, key(3), kIv));
  ASSERT_TRUE(ends.sealer.install(kSmall, key(3), kIv));
  records = ends.seal(10, 10);
  EXPECT_EQ(ends.open(records), 10U);
}

TEST_F(KeyCacheTest, AKeyThatDoesNotExpandEndsTheConnection) {
  Ends ends;
  Octets record = ends.seal(10, 10);
  broken = true;
  EXPECT_EQ(ends.opener.open(record).error(), Reason::provider_failed);
  const Octets content(5);
  const Bytes segment = content;
  Octets out(100);
  EXPECT_EQ(ends.sealer.seal(ContentType::alert, {&segment, 1}, {}, out).error(), Reason::provider_failed);
  EXPECT_EQ(ends.sealer.seal_in_place(ContentType::alert, out, 5).error(), Reason::provider_failed);
  Sealer small;
  EXPECT_FALSE(small.install(kSmall, key(1), kIv)) << "what is kept is made at once";
}

// --- the caller's ------------------------------------------------------------------------------------------------

TEST(KeyCache, HasRoomForAsManyAsWereAskedFor) {
  EXPECT_EQ(KeyCache(0).size(), 0U);
  EXPECT_EQ(KeyCache(1).size(), 1U);
  EXPECT_EQ(KeyCache(3).size(), 4U);
  EXPECT_EQ(KeyCache(64).size(), 64U);
  EXPECT_EQ(KeyCache(static_cast<std::size_t>(-1)).size(), 0U) << "no memory, no room";
  EXPECT_EQ(KeyCache(4).expanded(), 0U);
  KeyCache cache(8);
  const KeyCache moved = std::move(cache);
  EXPECT_EQ(moved.size(), 8U);
  EXPECT_EQ(cache.size(), 0U);  // NOLINT(bugprone-use-after-move): that is what is tested
}

}  // namespace
}  // namespace lockstep::record
