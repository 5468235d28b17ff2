#pragma once
// What `provider()` is composed of.

#include <array>
#include <cstddef>
#include <vector>

#include <lockstep/provider.hpp>

#include "ranking.hpp"

namespace lockstep::best {

/// The providers of this build. A part that was not built, or does not run, lists nothing.
struct Parts {
  std::array<Provider, ranking::kParts> singles;
  Provider together{.name = "none"};  ///< does several at once, and what comes alone by libcrypto

  [[nodiscard]] const Provider& operator[](ranking::Part part) const noexcept {
    return singles[static_cast<std::size_t>(part)];
  }
};
const Parts& parts();

/// The part that is fastest among those that have something, and what it has; null: none does.
template <class Descriptor>
struct Found {
  ranking::Part part{};
  const Descriptor* descriptor = nullptr;
};

template <class Find>
auto fastest(const ranking::Order& order, Find find) {
  using Descriptor = std::remove_cvref_t<decltype(*find(parts()[order.front()]))>;
  for (const ranking::Part part : order) {
    if (const Descriptor* const found = find(parts()[part])) return Found<Descriptor>{part, found};
  }
  return Found<Descriptor>{};
}

std::vector<const KeyLoader*> key_loaders();

}  // namespace lockstep::best
