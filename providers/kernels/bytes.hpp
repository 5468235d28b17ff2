#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#if defined(LOCKSTEP_CHECK_SECRETS)
#include <sanitizer/msan_interface.h>
#endif

// Bytes, words and the wiping of both. Nothing here is specific to an instruction set.
namespace lockstep::kernels {
/// Overwrites memory in a way that the compiler may not leave out.
inline void wipe(void* memory, std::size_t size) noexcept {
  if (size == 0) return;  // memset wants a place even for nothing
  std::memset(memory, 0, size);
  asm volatile("" : : "r"(memory) : "memory");
}

/// memcpy of some bytes, seldom more than 63, without a call: sizes of messages are public.
[[gnu::always_inline]] inline void copy_short(std::uint8_t* to, const std::uint8_t* from, std::size_t size) noexcept {
  while (size >= 16) {
    std::memcpy(to, from, 16);
    to += 16;
    from += 16;
    size -= 16;
  }
  if (size >= 8) {
    std::uint64_t head;
    std::uint64_t end;
    std::memcpy(&head, from, 8);
    std::memcpy(&end, from + size - 8, 8);
    std::memcpy(to, &head, 8);
    std::memcpy(to + size - 8, &end, 8);
  } else if (size >= 4) {
    std::uint32_t head;
    std::uint32_t end;
    std::memcpy(&head, from, 4);
    std::memcpy(&end, from + size - 4, 4);
    std::memcpy(to, &head, 4);
    std::memcpy(to + size - 4, &end, 4);
  } else if (size != 0) {
    // The first, the middle and the last byte are all there is of 1, 2 or 3.
    const std::uint8_t head = from[0];
    const std::uint8_t middle = from[size / 2];
    const std::uint8_t end = from[size - 1];
    to[0] = head;
    to[size / 2] = middle;
    to[size - 1] = end;
  }
}

inline std::uint64_t load_le64(const std::uint8_t* from) noexcept {
  std::uint64_t value;
  std::memcpy(&value, from, 8);
  if constexpr (std::endian::native == std::endian::big) value = __builtin_bswap64(value);
  return value;
}

inline void store_le64(std::uint8_t* to, std::uint64_t value) noexcept {
  if constexpr (std::endian::native == std::endian::big) value = __builtin_bswap64(value);
  std::memcpy(to, &value, 8);
}

inline std::uint32_t load_le32(const std::uint8_t* from) noexcept {
  std::uint32_t value;
  std::memcpy(&value, from, 4);
  if constexpr (std::endian::native == std::endian::big) value = __builtin_bswap32(value);
  return value;
}

inline void store_le32(std::uint8_t* to, std::uint32_t value) noexcept {
  if constexpr (std::endian::native == std::endian::big) value = __builtin_bswap32(value);
  std::memcpy(to, &value, 4);
}

struct Halves {
  std::uint64_t low;
  std::uint64_t high;
};

/// The bytes of a short block, 1 to 15 of them, zero padded to 16. Goes through no memory.
[[gnu::always_inline]] inline Halves load_short(const std::uint8_t* from, std::size_t size) noexcept {
  if (size >= 8) {
    // Shifted in two steps, because a shift by 64 is none.
    return {load_le64(from), load_le64(from + size - 8) >> 1 >> (8 * (16 - size) - 1)};
  }
  if (size >= 4) {
    const std::uint64_t end = load_le32(from + size - 4);
    return {load_le32(from) | end << (8 * (size - 4)), 0};
  }
  const std::uint64_t middle = from[size / 2];
  const std::uint64_t end = from[size - 1];
  return {from[0] | middle << (8 * (size / 2)) | end << (8 * (size - 1)), 0};
}

/// The same of bytes that have just been written: a load that spans two stores would wait for both, so that the
/// additional data of TLS, a header of 5 bytes alone or behind a number of 8, is read in the words that it is written
/// in.
[[gnu::always_inline]] inline Halves load_written(const std::uint8_t* from, std::size_t size) noexcept {
  const auto header = [](const std::uint8_t* at) { return load_le32(at) | static_cast<std::uint64_t>(at[4]) << 32; };
  if (size == 5) return {header(from), 0};
  if (size == 13) return {load_le64(from), header(from + 8)};
  return load_short(from, size);
}

/// Stores the first 1 to 15 bytes.
[[gnu::always_inline]] inline void store_short(std::uint8_t* to, Halves halves, std::size_t size) noexcept {
  if (size >= 8) {
    store_le64(to, halves.low);
    to += 8;
    halves.low = halves.high;
    size -= 8;
  }
  if (size >= 4) {
    store_le32(to, static_cast<std::uint32_t>(halves.low));
    to += 4;
    halves.low >>= 32;
    size -= 4;
  }
  for (; size != 0; --size, halves.low >>= 8) *to++ = static_cast<std::uint8_t>(halves.low);
}

inline std::uint64_t load_be64(const std::uint8_t* from) noexcept { return __builtin_bswap64(load_le64(from)); }

inline void store_be64(std::uint8_t* to, std::uint64_t value) noexcept { store_le64(to, __builtin_bswap64(value)); }

inline std::uint32_t load_be32(const std::uint8_t* from) noexcept { return __builtin_bswap32(load_le32(from)); }

inline void store_be32(std::uint8_t* to, std::uint32_t value) noexcept { store_le32(to, __builtin_bswap32(value)); }

#if defined(LOCKSTEP_CHECK_HANDSHAKES)
bool watched_verdict(bool result) noexcept;  // the checking program's
void watched_release(void* memory, std::size_t size) noexcept;
#endif

/// A result that everybody may learn, such as whether a tag was right. The builds that check for branches on secrets
/// (docs/constant-time.md) follow it no further.
inline bool made_public(bool result) noexcept {
#if defined(LOCKSTEP_CHECK_SECRETS)
  __msan_unpoison(&result, sizeof result);
#elif defined(LOCKSTEP_CHECK_HANDSHAKES)
  result = watched_verdict(result);
#endif
  return result;
}

/// Bytes that everybody may learn although they were made from a secret, as a part of a public key.
inline void make_public([[maybe_unused]] void* memory, [[maybe_unused]] std::size_t size) noexcept {
#if defined(LOCKSTEP_CHECK_SECRETS)
  __msan_unpoison(memory, size);
#elif defined(LOCKSTEP_CHECK_HANDSHAKES)
  watched_release(memory, size);
#endif
}

/// The value, of which the compiler knows nothing any more: it can make no branch of what is computed with it.
template <class Integer>
[[gnu::always_inline]] inline Integer hidden(Integer value) noexcept {
#if !defined(LOCKSTEP_CHECK_SECRETS)
  asm("" : "+r"(value));
#endif
  return value;
}

}  // namespace lockstep::kernels
