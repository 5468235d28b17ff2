#pragma once
// Key exchange over a bound group, plain or hybrid (RFC 9846 4.3.8).

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include <lockstep/bytes.hpp>
#include <lockstep/config.hpp>
#include <lockstep/provider.hpp>

#include "handshake/arena.hpp"

namespace lockstep::handshake {

/// The longest shared secret: FFDHE-8192.
inline constexpr std::size_t kMaxSharedSecret = 1024;
using SharedSecret = Secret<kMaxSharedSecret>;

/// Passes randomness on and remembers that there was none: a library that fails for want of it cannot say so.
class WatchedRandom final : public RandomSource {
 public:
  explicit WatchedRandom(RandomSource& random) noexcept : random_(random) {}
  bool fill(MutableBytes out) noexcept override {
    const bool filled = random_.fill(out);
    failed_ |= !filled;
    return filled;
  }
  [[nodiscard]] bool failed() const noexcept { return failed_; }

 private:
  RandomSource& random_;
  bool failed_ = false;
};

/// One job of a group's: a plain group has one, a hybrid two.
template <class Job>
struct Part {
  const Group* group;
  Job job;
};
template <class Job>
struct Parts {
  std::array<Part<Job>, 2> parts;
  std::size_t count;

  [[nodiscard]] std::span<Part<Job>> all() noexcept { return std::span(parts).first(count); }
};
/// What the jobs of a group come to together.
template <class Job>
[[nodiscard]] GroupResult together(std::span<const Part<Job>> parts) noexcept;

/// The client's half: a private key that waits for the server's share. Wiped by the provider when destroyed.
class KeyExchange {
 public:
  KeyExchange() noexcept = default;
  KeyExchange(KeyExchange&& other) noexcept { take_from(other); }
  KeyExchange& operator=(KeyExchange&& other) noexcept {
    if (this == &other) return *this;
    destroy();
    take_from(other);
    return *this;
  }
  KeyExchange(const KeyExchange&) = delete;
  KeyExchange& operator=(const KeyExchange&) = delete;
  ~KeyExchange() { destroy(); }

  /// Makes a key pair and writes its share (group.client_share_size() bytes).
  [[nodiscard]] GroupResult generate(const BoundGroup& group, RandomSource& random, MutableBytes share) noexcept;
  [[nodiscard]] GroupResult decapsulate(Bytes server_share, SharedSecret& secret) noexcept;
  /// Null before a key pair was made.
  [[nodiscard]] const BoundGroup* group() const noexcept { return group_.first == nullptr ? nullptr : &group_; }

  // The same in parts, which somebody else runs.

  [[nodiscard]] Parts<GenerateJob> generation(const BoundGroup& group, std::span<RandomSource* const, 2> random,
                                              MutableBytes share) noexcept;
  /// All or nothing: takes what was generated when every part is ok.
  GroupResult take(const BoundGroup& group, std::span<const Part<GenerateJob>> parts) noexcept;
  [[nodiscard]] Parts<DecapsulateJob> decapsulation(Bytes server_share, SharedSecret& secret) noexcept;

 private:
  void destroy() noexcept;
  /// Contexts may be moved as bytes; where they were is wiped.
  void take_from(KeyExchange& other) noexcept;

  using PrivateKey = std::array<std::byte, kMaxGroupContextSize>;
  BoundGroup group_{};
  alignas(64) PrivateKey first_;   // unset without a group
  alignas(64) PrivateKey second_;  // and without a second one
};

/// A key pair that was made elsewhere.
struct MadeKeyPair {
  BoundGroup group;
  KeyExchange exchange{};
  std::vector<std::uint8_t> share{};
  GroupResult result = GroupResult::failed;
};

/// The server's half: from the client's share to its own share (group.server_share_size() bytes) and the secret.
[[nodiscard]] GroupResult encapsulate(const BoundGroup& group, Bytes client_share, RandomSource& random,
                                      MutableBytes server_share, SharedSecret& secret) noexcept;
/// The same in parts.
[[nodiscard]] Parts<EncapsulateJob> encapsulation(const BoundGroup& group, Bytes client_share,
                                                  std::span<RandomSource* const, 2> random, MutableBytes server_share,
                                                  SharedSecret& secret) noexcept;

/// The key exchanges that a ClientHello offers; they live in the arena.
class KeyExchanges {
 public:
  KeyExchanges() noexcept = default;
  KeyExchanges(KeyExchanges&& other) noexcept : exchanges_(std::exchange(other.exchanges_, {})) {}
  KeyExchanges& operator=(KeyExchanges&& other) noexcept {
    std::swap(exchanges_, other.exchanges_);
    return *this;
  }
  KeyExchanges(const KeyExchanges&) = delete;
  KeyExchanges& operator=(const KeyExchanges&) = delete;
  ~KeyExchanges() { std::destroy(exchanges_.begin(), exchanges_.end()); }

  /// Room for `count`; false when the arena is full.
  [[nodiscard]] bool allocate(Arena& arena, std::size_t count) noexcept;
  [[nodiscard]] std::span<KeyExchange> all() noexcept { return exchanges_; }
  [[nodiscard]] KeyExchange* find(NamedGroup group) noexcept;

 private:
  std::span<KeyExchange> exchanges_;
};

}  // namespace lockstep::handshake
