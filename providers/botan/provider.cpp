#include <algorithm>

#include <lockstep/botan.hpp>
#include <lockstep/kernel_provider.hpp>

#include "descriptors.hpp"

namespace lockstep::botan {
namespace {

/// A portable kernel is slower than Botan's own implementations, and stands behind them.
bool is_portable(const Aead* aead) noexcept { return aead->implementation.ends_with("portable"); }

std::vector<const Aead*> preferred_aeads(AeadChoice choice) {
  std::vector<const Aead*> own = aeads();
  if (choice == AeadChoice::own) return own;
  std::vector<const Aead*> all = kernel_provider().aeads;
  const auto portable = std::ranges::stable_partition(all, [](const Aead* aead) { return !is_portable(aead); });
  all.insert(portable.begin(), own.begin(), own.end());
  return all;
}

}  // namespace

Provider provider(Options options) {
  return {kImplementation, preferred_aeads(options.aeads), hashes(), groups(), verifiers(), key_loaders()};
}

}  // namespace lockstep::botan
