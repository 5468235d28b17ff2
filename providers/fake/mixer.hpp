#pragma once
// What all fakes are made of.

#include <bit>
#include <cstdint>

#include <lockstep/bytes.hpp>

namespace lockstep::fake {

/// Turns bytes into other bytes that depend on all of them, eight at a time. A change of one byte always shows; whoever
/// wants to can make any result come out.
class Mixer {
 public:
  explicit Mixer(std::uint64_t purpose) noexcept : state_(purpose) {}

  /// However the bytes come, only their concatenation matters.
  void absorb(Bytes bytes) noexcept {
    while (!bytes.empty() && size_ % 8 != 0) take_first(bytes);
    while (bytes.size() >= 8) {
      step(load(bytes));
      size_ += 8;
      bytes = bytes.subspan(8);
    }
    while (!bytes.empty()) take_first(bytes);
  }
  /// Bytes whose end counts as well.
  void absorb_whole(Bytes bytes) noexcept {
    absorb_number(bytes.size());
    absorb(bytes);
  }
  void absorb_number(std::uint64_t number) noexcept {
    std::array<std::uint8_t, 8> bytes;
    for (std::size_t i = 0; i < 8; ++i) bytes[i] = static_cast<std::uint8_t>(number >> (8 * i));
    absorb(bytes);
  }

  /// Any number of bytes; a longer result begins with the shorter one.
  void squeeze(MutableBytes out) const noexcept {
    Mixer end = *this;
    end.step(pending_);
    end.step(size_);
    for (std::size_t at = 0; at < out.size(); ++at) {
      if (at % 8 == 0) end.step(at);
      out[at] = static_cast<std::uint8_t>(mixed(end.state_) >> (8 * (at % 8)));
    }
  }

  /// SplitMix64's finalizer (Guy Steele, Doug Lea, Christine Flood: "Fast splittable pseudorandom number generators").
  static constexpr std::uint64_t mixed(std::uint64_t word) noexcept {
    word = (word ^ (word >> 30U)) * 0xbf58476d1ce4e5b9U;
    word = (word ^ (word >> 27U)) * 0x94d049bb133111ebU;
    return word ^ (word >> 31U);
  }

 private:
  static std::uint64_t load(Bytes bytes) noexcept {
    std::uint64_t word = 0;
    for (std::size_t i = 0; i < 8; ++i) word |= static_cast<std::uint64_t>(bytes[i]) << (8 * i);
    return word;
  }
  void step(std::uint64_t word) noexcept { state_ = (std::rotl(state_, 23) ^ word) * 0x9e3779b97f4a7c15U; }
  void take_first(Bytes& bytes) noexcept {
    pending_ |= static_cast<std::uint64_t>(bytes.front()) << (8 * (size_ % 8));
    bytes = bytes.subspan(1);
    if (++size_ % 8 == 0) {
      step(pending_);
      pending_ = 0;
    }
  }

  std::uint64_t state_;
  std::uint64_t pending_ = 0;
  std::uint64_t size_ = 0;
};

}  // namespace lockstep::fake
