#include <algorithm>

#include <lockstep/botan.hpp>

#include "descriptors.hpp"

namespace lockstep::botan {
namespace {

/// The kernels, then Botan's own. A portable kernel is slower than Botan's implementations, and stands behind them.
template <class Descriptor>
std::vector<const Descriptor*> preferred(Choice choice, const std::vector<const Descriptor*>& own,
                                         std::vector<const Descriptor*> kernels) {
  if (choice == Choice::own) return own;
  const auto portable = std::ranges::stable_partition(
      kernels, [](const Descriptor* descriptor) { return !descriptor->implementation.ends_with("portable"); });
  kernels.insert(portable.begin(), own.begin(), own.end());
  return kernels;
}

}  // namespace

Provider provider(Options options) {
  return {kImplementation,
          preferred(options.aeads, aeads(), kernel_aeads()),
          preferred(options.hashes, hashes(), kernel_hashes()),
          groups(),
          verifiers(),
          key_loaders()};
}

}  // namespace lockstep::botan
