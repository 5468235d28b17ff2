#pragma once
// Expanded keys, and how long they live. A key that is idle is no more than itself (protection.hpp); before a record is
// opened or sealed the AEAD expands it into a slot that somebody lends: a cache of many, or the stack of one call.

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include <lockstep/bytes.hpp>
#include <lockstep/provider.hpp>

namespace lockstep::record {

/// A place for one AEAD context.
struct alignas(64) ContextSlot {
  std::array<std::byte, kMaxAeadContextSize> context;  // initialised while `aead` is not null
  const Aead* aead = nullptr;
};

/// Slots that are taken in turn. Every expansion has a number of its own, its stamp, which also says in which slot it
/// is: until as many more as there are slots were expanded. So whoever knows the stamp finds the context, or finds it
/// gone, by one comparison, and neither the slots nor the cache know whose they are: a key may move in memory, and ends
/// without being looked for.
class ContextCache {
 public:
  using Stamp = std::uint64_t;
  /// That of no expansion.
  static constexpr Stamp kNone = 0;

  /// `slots`: a power of two, which outlive the cache.
  explicit ContextCache(std::span<ContextSlot> slots) noexcept : slots_(slots.data()), size_(slots.size()) {}
  ContextCache(const ContextCache&) = delete;
  ContextCache& operator=(const ContextCache&) = delete;
  ~ContextCache();

  /// Whether the expansion with this stamp is still there.
  [[nodiscard]] bool holds(Stamp stamp) const noexcept { return next_ - stamp <= size_; }
  /// Only while it is held.
  [[nodiscard]] void* context(Stamp stamp) noexcept { return slot(stamp).context.data(); }

  /// Expands a key, which takes the oldest one's place. kNone when the provider failed.
  [[nodiscard]] Stamp expand(const Aead& aead, Bytes key) noexcept;
  /// Wipes an expansion if it is still there.
  void forget(Stamp stamp) noexcept {
    if (holds(stamp)) vacate(slot(stamp));
  }

  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] std::uint64_t expanded() const noexcept { return next_ - size_ - 1; }

 private:
  [[nodiscard]] ContextSlot& slot(Stamp stamp) noexcept { return slots_[stamp & (size_ - 1)]; }
  static void vacate(ContextSlot& slot) noexcept;

  ContextSlot* slots_;
  std::size_t size_;
  Stamp next_ = size_ + 1;  // the stamps of before the first one, kNone among them, are not held
};

}  // namespace lockstep::record
