// The MAC kernels as a provider's descriptors.

#include <array>
#include <utility>

#include <lockstep/kernels_mac.hpp>

#include "parts.hpp"

namespace lockstep::kernel_provider_parts {
namespace {

constexpr std::size_t kMacs = 3;

constexpr MacAlgorithm id_of(kernels::MacAlgorithm algorithm) noexcept {
  switch (algorithm) {
    case kernels::MacAlgorithm::hmac_sha1: return MacAlgorithm::hmac_sha1;
    case kernels::MacAlgorithm::hmac_sha256: return MacAlgorithm::hmac_sha256;
    case kernels::MacAlgorithm::hmac_sha384: return MacAlgorithm::hmac_sha384;
  }
  return {};
}

static_assert(kernels::kMaxMacSize <= kMaxRecordMacSize);

/// A kernel's functions as a descriptor's, which name their kernel by its place.
template <std::size_t place>
struct Kernel {
  static const kernels::Mac& kernel() noexcept { return kernels::macs()[place]; }

  static bool mac(Bytes key, std::span<const Bytes> segments, MutableBytes out) noexcept {
    if (out.size() != kernel().size) return false;
    kernel().mac(key, segments, out.data());
    return true;
  }

  static bool mac_of_secret_length(Bytes key, Bytes header, Bytes content_then_padding, std::size_t secret_length,
                                   MutableBytes out) noexcept {
    if (out.size() != kernel().size) return false;
    kernel().mac_of_secret_length(key, header, content_then_padding, secret_length, out.data());
    return true;
  }
};

template <std::size_t... places>
std::array<RecordMac, kMacs> make_descriptors(std::index_sequence<places...> /*of the kernels*/) {
  return {RecordMac{id_of(kernels::macs()[places].algorithm), "kernels portable", kernels::macs()[places].size,
                    kernels::macs()[places].size, Kernel<places>::mac, Kernel<places>::mac_of_secret_length}...};
}

}  // namespace

std::span<const RecordMac> record_macs() {
  static const std::array<RecordMac, kMacs> descriptors = make_descriptors(std::make_index_sequence<kMacs>());
  return descriptors;
}

}  // namespace lockstep::kernel_provider_parts
