// The MAC kernels as a provider's descriptors.

#include <algorithm>
#include <array>

#include <lockstep/kernels_mac.hpp>

#include "parts.hpp"

namespace lockstep::kernel_provider_parts {
namespace {

using kernels::InstructionSet;

constexpr MacAlgorithm id_of(kernels::MacAlgorithm algorithm) noexcept {
  switch (algorithm) {
    case kernels::MacAlgorithm::hmac_sha1: return MacAlgorithm::hmac_sha1;
    case kernels::MacAlgorithm::hmac_sha256: return MacAlgorithm::hmac_sha256;
    case kernels::MacAlgorithm::hmac_sha384: return MacAlgorithm::hmac_sha384;
  }
  return {};
}

static_assert(kernels::kMaxMacSize <= kMaxRecordMacSize);

/// A kernel's functions as a descriptor's, which name their kernel by type because there is no context.
template <kernels::MacAlgorithm algorithm, InstructionSet set>
struct Kernel {
  static const kernels::Mac& kernel() noexcept {
    static const kernels::Mac& found = *kernels::find(algorithm, set);
    return found;
  }

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

struct Row {
  kernels::MacAlgorithm algorithm;
  InstructionSet set;
  std::string_view implementation;
  bool (*mac)(Bytes, std::span<const Bytes>, MutableBytes) noexcept;
  bool (*mac_of_secret_length)(Bytes, Bytes, Bytes, std::size_t, MutableBytes) noexcept;
};

template <kernels::MacAlgorithm algorithm, InstructionSet set>
constexpr Row row(std::string_view implementation) {
  using Functions = Kernel<algorithm, set>;
  return {algorithm, set, implementation, Functions::mac, Functions::mac_of_secret_length};
}

constexpr std::array kRows{
    row<kernels::MacAlgorithm::hmac_sha1, InstructionSet::sha_ni>("kernels SHA-NI"),
    row<kernels::MacAlgorithm::hmac_sha1, InstructionSet::portable>("kernels portable"),
    row<kernels::MacAlgorithm::hmac_sha256, InstructionSet::sha_ni>("kernels SHA-NI"),
    row<kernels::MacAlgorithm::hmac_sha256, InstructionSet::arm_sha2>("kernels SHA2"),
    row<kernels::MacAlgorithm::hmac_sha256, InstructionSet::portable>("kernels portable"),
    row<kernels::MacAlgorithm::hmac_sha384, InstructionSet::avx2>("kernels AVX2"),
    row<kernels::MacAlgorithm::hmac_sha384, InstructionSet::portable>("kernels portable"),
};

/// The rows that this processor can run, in the kernels' own order of preference.
std::vector<RecordMac> make_descriptors() {
  std::vector<RecordMac> all;
  for (const kernels::Mac& kernel : kernels::available_macs()) {
    const auto found = std::ranges::find_if(
        kRows, [&](const Row& row) { return row.algorithm == kernel.algorithm && row.set == kernel.instruction_set; });
    if (found == kRows.end()) continue;
    all.push_back({id_of(kernel.algorithm), found->implementation, kernel.size, kernel.size, found->mac,
                   found->mac_of_secret_length});
  }
  return all;
}

}  // namespace

std::span<const RecordMac> record_macs() {
  static const std::vector<RecordMac> descriptors = make_descriptors();
  return descriptors;
}

}  // namespace lockstep::kernel_provider_parts
