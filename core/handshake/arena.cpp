#include "handshake/arena.hpp"

namespace lockstep::handshake {
namespace {

constexpr std::size_t kBlockSize = 16384;

}  // namespace

Arena::~Arena() {
  // What was never handed out holds nothing of ours; it is most of a usual block.
  const bool all = blocks_ != nullptr || supplied_.empty();
  wipe(all ? supplied_ : supplied_.first(static_cast<std::size_t>(current_.data() - supplied_.data())));
  while (blocks_ != nullptr) {
    Block* block = std::exchange(blocks_, blocks_->next);
    wipe({reinterpret_cast<std::uint8_t*>(block), sizeof(Block) + block->size});
    ::operator delete(block);
  }
}

MutableBytes Arena::allocate(std::size_t size, std::size_t alignment) noexcept {
  if (size > limit_ - used_) return {};
  void* place = current_.data();
  std::size_t room = current_.size();
  if (place == nullptr || std::align(alignment, size, place, room) == nullptr) {
    const std::size_t block_size = std::max(kBlockSize, size + alignment);
    void* memory = ::operator new(sizeof(Block) + block_size, std::nothrow);
    if (memory == nullptr) return {};
    blocks_ = new (memory) Block{blocks_, block_size};
    place = blocks_ + 1;
    room = block_size;
    std::align(alignment, size, place, room);
  }
  auto* first = static_cast<std::uint8_t*>(place);
  current_ = {first + size, room - size};
  used_ += size;
  return {first, size};
}

Bytes Arena::copy(Bytes bytes) noexcept {
  const MutableBytes memory = allocate(bytes.size(), 1);
  if (memory.data() != nullptr) std::ranges::copy(bytes, memory.begin());
  return memory;
}

}  // namespace lockstep::handshake
