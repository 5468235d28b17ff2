#pragma once
// Handshake bytes that have arrived and are not handled yet. RFC 9846 5.1: "Handshake messages MAY be coalesced into a
// single TLSPlaintext record or fragmented across several records": whole messages are taken off the front, the
// beginning of one that is not whole waits here.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include <lockstep/bytes.hpp>

#include "handshake/arena.hpp"

namespace lockstep::handshake {

/// Proof that no handshake bytes have arrived behind the message that is being handled, so that a key may change.
class RecordAligned {
 private:
  friend class Inbox;
  RecordAligned() noexcept = default;
};

/// One for both phases. During the handshake it lives in the arena and never moves what was handled, so that views into
/// messages live as long as the handshake. After it, messages are handled where they arrived, and only what is left of
/// a record is kept, on the heap. Either way memory grows with what has arrived, never with what was announced.
class Inbox {
 public:
  /// For after the handshake.
  Inbox() noexcept = default;
  explicit Inbox(Arena& arena) noexcept : arena_(&arena) {}
  Inbox(Inbox&& other) noexcept;
  Inbox& operator=(Inbox&& other) noexcept;
  ~Inbox() { release(); }

  /// Adds the content of a record; false when there is no memory for it. Without an arena, `content` must live until
  /// `settle`.
  [[nodiscard]] bool append(Bytes content) noexcept;
  /// Keeps what was not handled of borrowed content; false when there is no memory for it.
  [[nodiscard]] bool settle() noexcept;

  /// What is not handled yet.
  [[nodiscard]] Bytes unread() const noexcept { return unread_; }
  [[nodiscard]] bool empty() const noexcept { return unread_.empty(); }
  void consume(std::size_t size) noexcept { unread_ = unread_.subspan(size); }
  [[nodiscard]] std::optional<RecordAligned> aligned() const noexcept {
    if (!empty()) return std::nullopt;
    return RecordAligned();
  }
  /// Forgets everything.
  void release() noexcept;

 private:
  /// Room for `size` bytes behind what is unread; false when there is no memory.
  [[nodiscard]] bool reserve(std::size_t size) noexcept;

  Arena* arena_ = nullptr;
  std::unique_ptr<std::uint8_t[]> block_;  // without an arena
  std::size_t block_size_ = 0;
  Bytes unread_;
  std::size_t room_ = 0;  // behind `unread_`, in a block of our own
  bool borrowed_ = false;
};

}  // namespace lockstep::handshake
