#pragma once
// How the table of ranking.hpp is written.

#include <array>
#include <cstddef>
#include <cstdint>

namespace lockstep::best::ranking {

/// What is ranked by how fast it does one thing at a time.
enum class Part : std::uint8_t { libcrypto, botan, sodium };
inline constexpr std::size_t kParts = 3;

/// The fastest first; those without the algorithm come last.
using Order = std::array<Part, kParts>;

template <class Id>
struct Rank {
  Id id;
  Order order;
};

}  // namespace lockstep::best::ranking
