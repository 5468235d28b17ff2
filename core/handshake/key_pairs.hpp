#pragma once
// Key pairs made ahead of the handshakes that will use them.

#include <array>
#include <cstddef>
#include <cstdint>

#include <lockstep/bytes.hpp>
#include <lockstep/export.hpp>
#include <lockstep/provider.hpp>

namespace lockstep::detail {

/// Contexts may be moved as bytes; where they were is wiped.
void move_private_key(const Group& group, void* to, void* from) noexcept;

/// Those of one group. What is in it is wiped when it is taken, and when the stock is destroyed.
class LOCKSTEP_API KeyPairStock {
 public:
  explicit KeyPairStock(RandomSource& random) noexcept : random_(&random) {}
  KeyPairStock(const KeyPairStock&) = delete;
  KeyPairStock& operator=(const KeyPairStock&) = delete;
  ~KeyPairStock() { clear(); }

  /// Whether making them ahead pays. In Diffie-Hellman, whoever provides it, one serves a generation or an
  /// encapsulation: that is no part of the contract of groups, and so asked of X25519 alone. A key pair of X25519 costs
  /// as much as its secret; one of another curve, whose libraries have tables for that, a small part of it.
  [[nodiscard]] static bool serves(const Group& group) noexcept {
    return group.id == NamedGroup::x25519 && group.width > 1 && group.client_share_size == kShareSize;
  }

  /// Moves a private key to where `Group::generate` would make one, and its share, after making as many as go in one
  /// call where there is none. False when that failed, and there is nothing to destroy.
  [[nodiscard]] bool take(const Group& group, void* context, MutableBytes share) noexcept;
  void clear() noexcept;
  [[nodiscard]] std::size_t size() const noexcept { return size_; }

 private:
  static constexpr std::size_t kShareSize = 32;
  static constexpr std::size_t kMost = 8;

  struct alignas(64) Pair {
    std::array<std::byte, kMaxGroupContextSize> context;
    std::array<std::uint8_t, kShareSize> share;
  };
  void make(const Group& group) noexcept;

  RandomSource* random_;
  const Group* group_ = nullptr;  ///< of all that are here
  std::size_t size_ = 0;
  std::array<Pair, kMost> pairs_;
};

}  // namespace lockstep::detail
