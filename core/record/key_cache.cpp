// The caller's cache: the slots and what looks after them in one block.

#include <bit>
#include <limits>
#include <memory>
#include <new>

#include <lockstep/key_cache.hpp>

#include "record/context_cache.hpp"

namespace lockstep {
namespace {

using record::ContextCache;
using record::ContextSlot;

static_assert(sizeof(ContextSlot) == KeyCache::kKeySize);

// In front of the slots.
constexpr std::size_t kHeader = alignof(ContextSlot);
static_assert(sizeof(ContextCache) <= kHeader && alignof(ContextCache) <= kHeader);
constexpr std::size_t kMostKeys =
    std::bit_floor((std::numeric_limits<std::size_t>::max() - kHeader) / sizeof(ContextSlot));

ContextCache* create(std::size_t keys) noexcept {
  if (keys == 0 || keys > kMostKeys) return nullptr;
  const std::size_t count = std::bit_ceil(keys);
  void* const block =
      ::operator new(kHeader + count * sizeof(ContextSlot), std::align_val_t(alignof(ContextSlot)), std::nothrow);
  if (block == nullptr) return nullptr;
  auto* const slots = reinterpret_cast<ContextSlot*>(static_cast<std::byte*>(block) + kHeader);
  std::uninitialized_default_construct_n(slots, count);
  return new (block) ContextCache({slots, count});
}

}  // namespace

void KeyCache::Destroy::operator()(ContextCache* cache) const noexcept {
  std::destroy_at(cache);
  ::operator delete(cache, std::align_val_t(alignof(ContextSlot)));
}

KeyCache::KeyCache(std::size_t keys) noexcept : cache_(create(keys)) {}
KeyCache::~KeyCache() = default;
KeyCache::KeyCache(KeyCache&& other) noexcept = default;
KeyCache& KeyCache::operator=(KeyCache&& other) noexcept = default;

std::size_t KeyCache::size() const noexcept { return cache_ ? cache_->size() : 0; }
std::uint64_t KeyCache::expanded() const noexcept { return cache_ ? cache_->expanded() : 0; }

}  // namespace lockstep
