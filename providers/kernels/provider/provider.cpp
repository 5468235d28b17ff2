#include <algorithm>

#include <lockstep/kernel_provider.hpp>
#include <lockstep/kernels.hpp>

#include "parts.hpp"

namespace lockstep {
namespace {

bool fast_aes() noexcept {
  return kernels::best(kernels::Algorithm::aes_128_gcm).instruction_set != kernels::InstructionSet::portable;
}

/// A kernel in plain C++ is slower than a library's own implementation, and stands behind it.
template <class Descriptor>
std::vector<const Descriptor*> around(std::vector<const Descriptor*> kernels,
                                      const std::vector<const Descriptor*>& own) {
  const auto portable = std::ranges::stable_partition(
      kernels, [](const Descriptor* descriptor) { return !descriptor->implementation.ends_with("portable"); });
  kernels.insert(portable.begin(), own.begin(), own.end());
  return kernels;
}

}  // namespace

Provider kernel_provider() {
  Provider provider{.name = "kernels"};
  for (const Aead& aead : kernel_provider_parts::aeads()) provider.aeads.push_back(&aead);
  for (const Hash& hash : kernel_provider_parts::hashes()) provider.hashes.push_back(&hash);
  for (const Group& group : kernel_provider_parts::groups()) provider.groups.push_back(&group);
  for (const RecordMac& mac : kernel_provider_parts::record_macs()) provider.record_macs.push_back(&mac);
  for (const Mask& mask : kernel_provider_parts::masks()) provider.masks.push_back(&mask);
  provider.fast_aes = fast_aes();
  return provider;
}

Provider behind_kernels(const Provider& own) {
  const Provider kernels = kernel_provider();
  Provider all = own;
  all.aeads = around(kernels.aeads, own.aeads);
  all.hashes = around(kernels.hashes, own.hashes);
  all.groups = around(kernels.groups, own.groups);
  all.record_macs.insert(all.record_macs.begin(), kernels.record_macs.begin(), kernels.record_macs.end());
  all.masks = around(kernels.masks, own.masks);
  if (own.aead(AeadAlgorithm::aes_128_gcm) == nullptr) all.fast_aes = kernels.fast_aes;
  return all;
}

}  // namespace lockstep
