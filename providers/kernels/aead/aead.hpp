#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include <lockstep/kernels.hpp>

#include "bytes.hpp"

// What all implementations share: their descriptors, and the walk over a job's bytes. Nothing here is specific to an
// instruction set.
namespace lockstep::kernels {

namespace portable {
extern const Aead kAes128Gcm;
extern const Aead kAes256Gcm;
extern const Mask kAes128Mask;
extern const Mask kAes256Mask;
extern const Aead kChaCha20Poly1305;
extern const Mask kChaCha20Mask;
}  // namespace portable

#if defined(__x86_64__)
namespace aes_ni {
extern const Aead kAes128Gcm;
extern const Aead kAes256Gcm;
extern const Mask kAes128Mask;
extern const Mask kAes256Mask;
}  // namespace aes_ni
namespace vaes_256 {
extern const Aead kAes128Gcm;
extern const Aead kAes256Gcm;
extern const Mask kAes128Mask;
extern const Mask kAes256Mask;
}  // namespace vaes_256
namespace vaes_512 {
extern const Aead kAes128Gcm;
extern const Aead kAes256Gcm;
extern const Mask kAes128Mask;
extern const Mask kAes256Mask;
}  // namespace vaes_512
namespace ssse3 {
extern const Aead kChaCha20Poly1305;
extern const Mask kChaCha20Mask;
}  // namespace ssse3
namespace avx2 {
extern const Aead kChaCha20Poly1305;
extern const Mask kChaCha20Mask;
}  // namespace avx2
namespace avx512 {
extern const Aead kChaCha20Poly1305;
extern const Mask kChaCha20Mask;
}  // namespace avx512
#elif defined(__aarch64__)
namespace aes_pmull {
extern const Aead kAes128Gcm;
extern const Aead kAes256Gcm;
extern const Mask kAes128Mask;
extern const Mask kAes256Mask;
}  // namespace aes_pmull
namespace neon {
extern const Aead kChaCha20Poly1305;
extern const Mask kChaCha20Mask;
}  // namespace neon
#endif

/// The plaintext of a job, source segments and tail, as one stream of bytes.
class Gather {
 public:
  explicit Gather(const SealJob& job) noexcept : source_(job.source), run_(job.tail), size_(job.tail.size()) {
    for (const auto& segment : source_) size_ += segment.size();
    if (!source_.empty()) {
      tail_ = job.tail;
      run_ = source_[0];
    }
  }

  /// All that is left, in bytes.
  [[nodiscard]] std::size_t size() const noexcept { return size_; }

  /// What is left of it in one piece: not zero unless all is taken.
  [[nodiscard]] std::size_t run() noexcept {
    while (run_.empty() && !source_.empty()) next_segment();
    return run_.size();
  }

  /// Takes `size` bytes from the present run.
  const std::uint8_t* take(std::size_t size) noexcept {
    const std::uint8_t* bytes = run_.data();
    run_ = run_.subspan(size);
    size_ -= size;
    return bytes;
  }

  /// The last byte of all, not taken yet.
  [[nodiscard]] const std::uint8_t* last_byte() noexcept {
    (void)run();
    return run_.data();
  }

  /// Takes `size` bytes, copying them.
  void copy(std::uint8_t* to, std::size_t size) noexcept {
    while (size != 0) {
      std::size_t part = run();
      part = part < size ? part : size;
      const std::uint8_t* from = take(part);
      if (part < 64) {
        copy_short(to, from, part);
      } else {
        std::memcpy(to, from, part);
      }
      to += part;
      size -= part;
    }
  }

 private:
  void next_segment() noexcept {
    source_ = source_.subspan(1);
    run_ = source_.empty() ? tail_ : source_[0];
  }

  std::span<const std::span<const std::uint8_t>> source_;  // the present run's segment and those after it
  std::span<const std::uint8_t> tail_;
  std::span<const std::uint8_t> run_;
  std::size_t size_;
};

}  // namespace lockstep::kernels
