#pragma once
// The memory of connections that are doing something. It comes from pools and goes back when it is empty, so that an
// idle connection keeps none.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <vector>

#include <sys/mman.h>

#include <lockstep/bytes.hpp>
#include <lockstep/connection.hpp>
#include <lockstep/event.hpp>

namespace lockstep::loop {

/// Pieces of equal size that are taken from the system one by one and given back to it, so that a burst of connections
/// leaves nothing behind. The last ones that were given back come first: they are in the cache.
class MemoryPool {
 public:
  MemoryPool(std::size_t size, std::size_t spare) : size_(size), most_spare_(spare) { spare_.reserve(spare); }
  MemoryPool(const MemoryPool&) = delete;
  MemoryPool& operator=(const MemoryPool&) = delete;
  ~MemoryPool() {
    for (void* piece : spare_) ::munmap(piece, size_);
  }

  /// Null when the system has none.
  [[nodiscard]] void* take() noexcept {
    void* piece = nullptr;
    if (!spare_.empty()) {
      piece = spare_.back();
      spare_.pop_back();
    } else {
      piece = ::mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
      if (piece == MAP_FAILED) return nullptr;
    }
    ++used_;
    return piece;
  }
  void give(void* piece) noexcept {
    --used_;
    if (spare_.size() < most_spare_) {
      spare_.push_back(piece);
    } else {
      ::munmap(piece, size_);
    }
  }
  /// Gives the spare ones back to the system.
  void trim() noexcept {
    for (void* piece : spare_) ::munmap(piece, size_);
    spare_.clear();
  }
  /// A piece that another pool of the same size took.
  void adopt() noexcept { ++used_; }
  void disown() noexcept { --used_; }

  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] std::size_t used() const noexcept { return used_; }
  [[nodiscard]] std::size_t spare() const noexcept { return spare_.size(); }

 private:
  std::size_t size_;
  std::size_t most_spare_;
  std::size_t used_ = 0;
  std::vector<void*> spare_;
};

/// Received or sealed bytes: [begin, end) of `capacity` that follow this header.
struct Block {
  /// Four of the largest records of TLS 1.3; three of any version.
  static constexpr std::size_t kCapacity = 4 * (Connection::kRecordHeader + 16384 + 256);
  static_assert(kCapacity >= 3 * Connection::kMaxRecord);

  Block* next = nullptr;
  std::uint32_t capacity = 0;
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
  bool pooled = false;
  /// Outbound: the type of the one record that this is, for the kernel to protect; 0 for bytes that go as they are.
  std::uint8_t record_type = 0;
  // Inbound: decrypted bytes in front of `begin` that the application has not taken.
  std::uint32_t segment = 0;
  std::uint32_t offset = 0;  // in that segment
  ApplicationData plaintext;

  [[nodiscard]] std::uint8_t* bytes() noexcept { return reinterpret_cast<std::uint8_t*>(this + 1); }
  [[nodiscard]] MutableBytes content() noexcept { return {bytes() + begin, end - begin}; }
  [[nodiscard]] MutableBytes space() noexcept { return {bytes() + end, capacity - end}; }

  [[nodiscard]] bool has_plaintext() const noexcept { return segment < plaintext.segments().size(); }
  [[nodiscard]] Bytes next_plaintext() const noexcept {
    return has_plaintext() ? Bytes(plaintext.segments()[segment].subspan(offset)) : Bytes{};
  }
  [[nodiscard]] bool empty() const noexcept { return begin == end && !has_plaintext(); }
  /// The first byte that is still wanted.
  [[nodiscard]] std::uint32_t first() noexcept {
    return has_plaintext() ? static_cast<std::uint32_t>(next_plaintext().data() - bytes()) : begin;
  }
};

class Blocks {
 public:
  explicit Blocks(std::size_t spare) : pool_((sizeof(Block) + Block::kCapacity + 4095) / 4096 * 4096, spare) {}

  [[nodiscard]] Block* take() noexcept {
    void* piece = pool_.take();
    if (piece == nullptr) return nullptr;
    auto* block = new (piece) Block;
    block->capacity = Block::kCapacity;
    block->pooled = true;
    return block;
  }

  void give(Block* block) noexcept {
    if (block->pooled) {
      pool_.give(block);
    } else {
      small_bytes_ -= sizeof(Block) + block->capacity;
      ::operator delete(block);
    }
  }

  /// The same content in a block of just its size, for a connection that waits; the given one goes back. When there is
  /// no memory, it stays.
  [[nodiscard]] Block* shrink(Block* block) noexcept {
    const std::uint32_t first = block->first();
    const std::uint32_t size = block->end - first;
    void* memory = ::operator new(sizeof(Block) + size, std::nothrow);
    if (memory == nullptr) return block;
    auto* small = new (memory) Block;
    small->capacity = size;
    small_bytes_ += sizeof(Block) + size;
    copy(*block, *small);
    give(block);
    return small;
  }

  /// The same content at the front of a whole block.
  [[nodiscard]] Block* grow(Block* block) noexcept {
    Block* whole = take();
    if (whole == nullptr) return nullptr;
    copy(*block, *whole);
    give(block);
    return whole;
  }

  /// Moves the content to the front.
  static void compact(Block& block) noexcept {
    const std::uint32_t first = block.first();
    if (first == 0) return;
    std::memmove(block.bytes(), block.bytes() + first, block.end - first);
    shift(block, block, first);
  }

  void trim() noexcept { pool_.trim(); }
  void adopt(const Block& block) noexcept {
    block.pooled ? pool_.adopt() : void(small_bytes_ += sizeof(Block) + block.capacity);
  }
  void disown(const Block& block) noexcept {
    block.pooled ? pool_.disown() : void(small_bytes_ -= sizeof(Block) + block.capacity);
  }

  [[nodiscard]] const MemoryPool& pool() const noexcept { return pool_; }
  [[nodiscard]] std::size_t small_bytes() const noexcept { return small_bytes_; }

 private:
  static void copy(Block& from, Block& to) noexcept {
    const std::uint32_t first = from.first();
    std::memcpy(to.bytes(), from.bytes() + first, from.end - first);
    shift(from, to, first);
  }

  /// `to` has the bytes of `from` from `first` on at its front.
  static void shift(Block& from, Block& to, std::uint32_t first) noexcept {
    ApplicationData plaintext;
    for (std::size_t i = from.segment; i < from.plaintext.segments().size(); ++i) {
      MutableBytes segment = from.plaintext.segments()[i];
      if (i == from.segment) segment = segment.subspan(from.offset);
      plaintext.append({to.bytes() + (segment.data() - from.bytes()) - first, segment.size()});
    }
    to.begin = from.begin - first;
    to.end = from.end - first;
    to.plaintext = plaintext;
    to.segment = to.offset = 0;
  }

  MemoryPool pool_;
  std::size_t small_bytes_ = 0;
};

}  // namespace lockstep::loop
