// The program's own malloc, which counts and hands on to glibc's. Defined in the executable it serves every library,
// so that all peers are counted alike.

#include "heap.hpp"

#include <cerrno>
#include <cstddef>
#include <cstdlib>

#ifdef __GLIBC__

#include <malloc.h>

extern "C" {
// glibc's own, under the names that it exports for this purpose.
void* __libc_malloc(std::size_t size);                           // NOLINT(bugprone-reserved-identifier)
void* __libc_calloc(std::size_t count, std::size_t size);        // NOLINT(bugprone-reserved-identifier)
void* __libc_realloc(void* block, std::size_t size);             // NOLINT(bugprone-reserved-identifier)
void* __libc_memalign(std::size_t alignment, std::size_t size);  // NOLINT(bugprone-reserved-identifier)
void __libc_free(void* block);                                   // NOLINT(bugprone-reserved-identifier)
}

namespace {

// NOLINTNEXTLINE: malloc has no other place for its state; one thread counts
bool counting = false;
lockstep::bench::Heap counted;  // NOLINT

void* taken(void* block) noexcept {
  if (counting && block != nullptr) {
    ++counted.allocations;
    counted.live_bytes += static_cast<std::int64_t>(malloc_usable_size(block));
  }
  return block;
}

void given(void* block) noexcept {
  if (counting && block != nullptr) counted.live_bytes -= static_cast<std::int64_t>(malloc_usable_size(block));
}

}  // namespace

extern "C" {

[[gnu::visibility("default")]] void* malloc(std::size_t size) noexcept { return taken(__libc_malloc(size)); }

[[gnu::visibility("default")]] void* calloc(std::size_t count, std::size_t size) noexcept {
  return taken(__libc_calloc(count, size));
}

[[gnu::visibility("default")]] void* realloc(void* block, std::size_t size) noexcept {
  given(block);
  return taken(__libc_realloc(block, size));
}

[[gnu::visibility("default")]] void* memalign(std::size_t alignment, std::size_t size) noexcept {
  return taken(__libc_memalign(alignment, size));
}

[[gnu::visibility("default")]] void* aligned_alloc(std::size_t alignment, std::size_t size) noexcept {
  return taken(__libc_memalign(alignment, size));
}

[[gnu::visibility("default")]] int posix_memalign(void** block, std::size_t alignment, std::size_t size) noexcept {
  if (alignment % sizeof(void*) != 0 || (alignment & (alignment - 1)) != 0 || alignment == 0) return EINVAL;
  void* made = taken(__libc_memalign(alignment, size));
  if (made == nullptr) return ENOMEM;
  *block = made;
  return 0;
}

[[gnu::visibility("default")]] void free(void* block) noexcept {
  given(block);
  __libc_free(block);
}
}

namespace lockstep::bench {

Heap heap() noexcept { return counting ? counted : Heap{}; }

bool count_heap(bool on) noexcept {
  counting = on;
  counted = {};
  return true;
}

}  // namespace lockstep::bench

#else

namespace lockstep::bench {
Heap heap() noexcept { return {}; }
bool count_heap(bool) noexcept { return false; }
}  // namespace lockstep::bench

#endif
