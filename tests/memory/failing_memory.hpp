#pragma once
// An allocator that fails when it is told to. It replaces every operator new of the program that includes it, so one
// source file of a program does.

#include <cstddef>
#include <cstdlib>
#include <new>
#include <utility>

namespace lockstep::testing {

struct FailingMemory {
  bool watched = false;        ///< allocations count, and may fail
  std::size_t requests = 0;    ///< that counted
  std::size_t failing = 0;     ///< the number of the one that fails; 0: none
  bool and_following = false;  ///< and all behind it
  std::size_t failed = 0;
  std::ptrdiff_t blocks = 0;  ///< that counted and are still held

  /// Whether this request is to fail.
  bool refuses() noexcept {
    if (!watched) return false;
    ++requests;
    const bool fails = failing != 0 && (and_following ? requests >= failing : requests == failing);
    if (fails) ++failed;
    return fails;
  }
};
inline FailingMemory memory;  // NOLINT: these programs have one thread

/// Allocations count while it lives.
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
  bool counted;
};

inline void* take(std::size_t size) noexcept {
  if (memory.refuses()) return nullptr;
  constexpr std::size_t kLine = alignof(Header);
  auto* header = static_cast<Header*>(std::aligned_alloc(kLine, (sizeof(Header) + size + kLine - 1) / kLine * kLine));
  if (header == nullptr) std::abort();
  header->counted = memory.watched;
  if (memory.watched) ++memory.blocks;
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
  if (header->counted) --memory.blocks;
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

// Botan's vectors for secrets come from here, once BOTAN_MLOCK_POOL_SIZE=0 takes their pool away. Sanitizers have a
// calloc of their own.
#if defined(__GLIBC__) && !defined(LOCKSTEP_SANITIZED)
extern "C" void* __libc_calloc(std::size_t count, std::size_t size);
extern "C" void* calloc(std::size_t count, std::size_t size) noexcept {
  return lockstep::testing::memory.refuses() ? nullptr : __libc_calloc(count, size);
}
#endif
// NOLINTEND
