#pragma once
// The memory of one handshake: the caller's block first, then blocks from the heap, never more than the configured
// bound and what our own certificate adds to it.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <span>
#include <type_traits>
#include <utility>

#include <lockstep/bytes.hpp>

namespace lockstep::handshake {

/// A bump allocator. Nothing is freed before the end; then everything that was handed out is wiped.
class Arena {
 public:
  Arena(MutableBytes block, std::size_t limit) noexcept : current_(block), supplied_(block), limit_(limit) {}
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;
  ~Arena();

  /// `size` bytes, or an empty span when the bound would be exceeded.
  [[nodiscard]] MutableBytes allocate(std::size_t size, std::size_t alignment = alignof(std::max_align_t)) noexcept;

  /// A copy of `bytes` that lives as long as the arena. Empty when there is no room (or nothing to copy).
  [[nodiscard]] Bytes copy(Bytes bytes) noexcept;

  /// An array of value-initialised elements.
  template <class T>
    requires std::is_trivially_destructible_v<T>
  [[nodiscard]] std::span<T> array(std::size_t count) noexcept {
    const MutableBytes memory = allocate(count * sizeof(T), alignof(T));
    if (memory.data() == nullptr) return {};
    T* first = reinterpret_cast<T*>(memory.data());
    std::uninitialized_value_construct_n(first, count);
    return {first, count};
  }

  /// Lets so much more be handed out: what is not the peer's doing is not held against it.
  void raise_limit(std::size_t size) noexcept { limit_ += size; }

  [[nodiscard]] std::size_t used() const noexcept { return used_; }
  /// What is left of the bound.
  [[nodiscard]] std::size_t room() const noexcept { return limit_ - used_; }

 private:
  struct Block {
    Block* next;
    std::size_t size;
  };

  MutableBytes current_;
  MutableBytes supplied_;
  Block* blocks_ = nullptr;
  std::size_t limit_;
  std::size_t used_ = 0;
};

}  // namespace lockstep::handshake
