#pragma once
// An allocator that counts, and fails when it is told to. It replaces every operator new of the program that includes
// it, so one source file of a program does.

#include <cstddef>
#include <cstdlib>
#include <new>
#include <utility>

namespace lockstep::testing {

struct CountedMemory {
  bool watched = false;        ///< requests count, and may fail
  std::size_t requests = 0;    ///< that counted
  std::size_t failing = 0;     ///< the number of the one that fails; 0: none
  bool and_following = false;  ///< and all behind it
  std::size_t failed = 0;
  std::ptrdiff_t blocks = 0;  ///< that counted and are still held
  std::ptrdiff_t bytes = 0;   ///< in those blocks, as requested

  /// Whether this request is to fail.
  bool refuses() noexcept {
    if (!watched) return false;
    ++requests;
    const bool fails = failing != 0 && (and_following ? requests >= failing : requests == failing);
    if (fails) ++failed;
    return fails;
  }
};
inline CountedMemory memory;  // NOLINT: these programs have one thread

/// Requests count while it lives, or do not.
class Watching {
 public:
  explicit Watching(bool on = true) noexcept : before_(std::exchange(memory.watched, on)) {}
  ~Watching() { memory.watched = before_; }
  Watching(const Watching&) = delete;
  Watching& operator=(const Watching&) = delete;

 private:
  bool before_;
};

namespace detail {

// Every block remembers whether it was counted.
struct alignas(64) Header {
  std::size_t size;
  bool counted;
};

inline void* take(std::size_t size) noexcept {
  if (memory.refuses()) return nullptr;
  // No byte more than is asked for, so that sanitizers see where a block ends.
  void* place = nullptr;
  if (::posix_memalign(&place, alignof(Header), sizeof(Header) + size) != 0) std::abort();
  auto* const header = new (place) Header{size, memory.watched};
  if (memory.watched) {
    ++memory.blocks;
    memory.bytes += static_cast<std::ptrdiff_t>(size);
  }
  return header + 1;
}

inline void* take_or_throw(std::size_t size) {
  void* const block = take(size);
  if (block == nullptr) throw std::bad_alloc();
  return block;
}

inline void give(void* block) noexcept {
  if (block == nullptr) return;
  Header* const header = static_cast<Header*>(block) - 1;
  if (header->counted) {
    --memory.blocks;
    memory.bytes -= static_cast<std::ptrdiff_t>(header->size);
  }
  std::free(header);
}

}  // namespace detail
}  // namespace lockstep::testing

// NOLINTBEGIN: replacements may not be inline
using lockstep::testing::detail::give;
using lockstep::testing::detail::take;
using lockstep::testing::detail::take_or_throw;

void* operator new(std::size_t size) { return take_or_throw(size); }
void* operator new[](std::size_t size) { return take_or_throw(size); }
void* operator new(std::size_t size, std::align_val_t /*at most 64*/) { return take_or_throw(size); }
void* operator new[](std::size_t size, std::align_val_t /*at most 64*/) { return take_or_throw(size); }
void* operator new(std::size_t size, const std::nothrow_t&) noexcept { return take(size); }
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept { return take(size); }
void* operator new(std::size_t size, std::align_val_t, const std::nothrow_t&) noexcept { return take(size); }
void* operator new[](std::size_t size, std::align_val_t, const std::nothrow_t&) noexcept { return take(size); }
void operator delete(void* block) noexcept { give(block); }
void operator delete[](void* block) noexcept { give(block); }
void operator delete(void* block, std::size_t) noexcept { give(block); }
void operator delete[](void* block, std::size_t) noexcept { give(block); }
void operator delete(void* block, std::align_val_t) noexcept { give(block); }
void operator delete[](void* block, std::align_val_t) noexcept { give(block); }
void operator delete(void* block, std::size_t, std::align_val_t) noexcept { give(block); }
void operator delete[](void* block, std::size_t, std::align_val_t) noexcept { give(block); }
// NOLINTEND
