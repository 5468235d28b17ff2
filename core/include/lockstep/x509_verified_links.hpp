#pragma once
// A memo of signatures in certificates that were found valid, so that the same need not be verified again.

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <lockstep/export.hpp>

namespace lockstep::x509 {

/// Remembers that one certificate was signed with the key of another: verifying a signature costs a hundred times what
/// it costs to ask here. Nothing else is remembered: validity, names, constraints and whatever else a path is judged by
/// are looked at each time.
///
/// Made for many connections and threads at once: memory is fixed when it is made, nobody waits for anybody, and what
/// is remembered makes place for what comes later. Only valid signatures of chains that were accepted come in, each
/// under a SHA-256 over certificate, key and the function that verified it: see docs/adr/0017-verified-links.md.
class LOCKSTEP_API VerifiedLinks {
 public:
  /// What a link is known by.
  using Digest = std::array<std::uint8_t, 32>;

  /// 34 KB.
  static constexpr std::size_t kDefaultCapacity = 1'024;

  /// `capacity` links are remembered at least, with 33.2 bytes for each. Throws std::bad_alloc.
  explicit VerifiedLinks(std::size_t capacity = kDefaultCapacity);

  [[nodiscard]] bool contains(const Digest& link) const noexcept;
  /// May be forgotten at once, when another thread is adding.
  void add(const Digest& link) noexcept;
  [[nodiscard]] std::size_t capacity() const noexcept { return sets_.size() * kWays; }

 private:
  static constexpr std::size_t kWays = 7;
  using Words = std::array<std::uint64_t, 4>;

  /// Where a link may stand. The version is odd while somebody writes, and says whose turn it is to be replaced.
  /// Zeroed: no link has a digest of zeros that anybody could find.
  struct Set {
    std::atomic<std::uint64_t> version{0};
    std::array<std::array<std::atomic<std::uint64_t>, std::tuple_size_v<Words>>, kWays> links{};

    [[nodiscard]] bool has(const Words& wanted) const noexcept;
  };
  [[nodiscard]] static Words words_of(const Digest& link) noexcept;

  std::vector<Set> sets_;
};

}  // namespace lockstep::x509
