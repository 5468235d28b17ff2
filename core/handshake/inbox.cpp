#include "handshake/inbox.hpp"

#include <algorithm>
#include <new>

#include "codec/handshake_message.hpp"

namespace lockstep::handshake {
namespace {

// The first block on the heap, enough for most messages. In an arena what has arrived is enough: messages come whole,
// and every byte that is handed out is wiped.
constexpr std::size_t kLeastBlock = 4096;
// Blocks grow by this factor, so that a long message is copied a few times at most, and its memory is at most so many
// times what has arrived.
constexpr std::size_t kGrowth = 4;

}  // namespace

Inbox::Inbox(Inbox&& other) noexcept
    : arena_(other.arena_),
      block_(std::move(other.block_)),
      block_size_(std::exchange(other.block_size_, 0)),
      unread_(std::exchange(other.unread_, {})),
      room_(std::exchange(other.room_, 0)),
      borrowed_(std::exchange(other.borrowed_, false)) {}

Inbox& Inbox::operator=(Inbox&& other) noexcept {
  if (this != &other) {
    release();
    std::destroy_at(this);
    std::construct_at(this, std::move(other));
  }
  return *this;
}

bool Inbox::append(Bytes content) noexcept {
  if (arena_ == nullptr && empty()) {
    unread_ = content;
    borrowed_ = true;
    return true;
  }
  if (!reserve(content.size())) return false;
  std::ranges::copy(content, const_cast<std::uint8_t*>(unread_.data()) + unread_.size());
  unread_ = {unread_.data(), unread_.size() + content.size()};
  room_ -= content.size();
  return true;
}

bool Inbox::settle() noexcept {
  if (empty()) {
    release();
    return true;
  }
  if (!borrowed_) return true;
  const Bytes rest = std::exchange(unread_, {});
  borrowed_ = false;
  if (!reserve(rest.size())) return false;
  std::ranges::copy(rest, block_.get());
  unread_ = {block_.get(), rest.size()};
  room_ -= rest.size();
  return true;
}

bool Inbox::reserve(std::size_t size) noexcept {
  if (size <= room_) return true;
  const std::size_t needed = unread_.size() + size;
  const std::size_t least = std::max(needed, arena_ == nullptr ? kLeastBlock : 0);
  std::size_t roomy = std::max(least, kGrowth * unread_.size());
  // No more than the message that has begun will need, with what stands behind its end in a record like this one.
  if (const auto begun = codec::handshake_header(unread_))
    roomy = std::min(roomy, std::max(least, codec::kHandshakeHeaderSize + begun->length + size));
  std::uint8_t* place = nullptr;
  std::size_t given = roomy;
  std::unique_ptr<std::uint8_t[]> block;
  if (arena_ != nullptr) {
    MutableBytes memory = arena_->allocate(roomy, 1);
    if (memory.empty()) memory = arena_->allocate(given = needed, 1);
    place = memory.data();
  } else {
    block.reset(new (std::nothrow) std::uint8_t[roomy]);
    place = block.get();
  }
  if (place == nullptr) return false;
  std::ranges::copy(unread_, place);
  if (arena_ == nullptr) {
    wipe({block_.get(), block_size_});
    block_ = std::move(block);
    block_size_ = given;
  }
  unread_ = {place, unread_.size()};
  room_ = given - unread_.size();
  return true;
}

void Inbox::release() noexcept {
  if (block_ != nullptr) wipe({block_.get(), block_size_});
  block_.reset();
  block_size_ = 0;
  unread_ = {};
  room_ = 0;
  borrowed_ = false;
}

}  // namespace lockstep::handshake
