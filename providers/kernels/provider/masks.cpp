// The mask kernels as a provider's descriptors.

#include <algorithm>
#include <array>

#include <lockstep/kernels.hpp>

#include "parts.hpp"

namespace lockstep::kernel_provider_parts {
namespace {

using kernels::InstructionSet;

constexpr MaskAlgorithm id_of(kernels::MaskAlgorithm algorithm) noexcept {
  switch (algorithm) {
    case kernels::MaskAlgorithm::aes_128: return MaskAlgorithm::aes_128;
    case kernels::MaskAlgorithm::aes_256: return MaskAlgorithm::aes_256;
    case kernels::MaskAlgorithm::chacha20: return MaskAlgorithm::chacha20;
  }
  return {};
}

static_assert(kernels::kMaskSize == kMaskSampleSize && kernels::kMaskSize == kMaxMaskSize);

/// A kernel's functions as a descriptor's, which name their kernel by type because a context holds the prepared key
/// alone.
template <kernels::MaskAlgorithm algorithm, InstructionSet set>
struct Kernel {
  static const kernels::Mask& kernel() noexcept {
    static const kernels::Mask& found = *kernels::find(algorithm, set);
    return found;
  }

  static bool init(void* context, Bytes key) noexcept {
    if (key.size() != kernel().key_size) return false;
    kernel().init(context, key.data());
    return true;
  }

  static bool compute(void* context, std::span<const MaskJob> jobs) noexcept {
    if (std::ranges::any_of(jobs, [](const MaskJob& job) { return job.mask.size() > kMaxMaskSize; })) return false;
    kernel().compute(context, jobs);
    return true;
  }
};

struct Row {
  kernels::MaskAlgorithm algorithm;
  InstructionSet set;
  std::string_view implementation;
  bool (*init)(void*, Bytes) noexcept;
  bool (*compute)(void*, std::span<const MaskJob>) noexcept;
};

template <kernels::MaskAlgorithm algorithm, InstructionSet set>
constexpr Row row(std::string_view implementation) {
  using Functions = Kernel<algorithm, set>;
  return {algorithm, set, implementation, Functions::init, Functions::compute};
}

constexpr std::array kRows{
    row<kernels::MaskAlgorithm::aes_128, InstructionSet::vaes_512>("kernels VAES-512"),
    row<kernels::MaskAlgorithm::aes_128, InstructionSet::vaes_256>("kernels VAES-256"),
    row<kernels::MaskAlgorithm::aes_128, InstructionSet::aes_ni>("kernels AES-NI"),
    row<kernels::MaskAlgorithm::aes_128, InstructionSet::aes_pmull>("kernels AES-PMULL"),
    row<kernels::MaskAlgorithm::aes_128, InstructionSet::portable>("kernels portable"),
    row<kernels::MaskAlgorithm::aes_256, InstructionSet::vaes_512>("kernels VAES-512"),
    row<kernels::MaskAlgorithm::aes_256, InstructionSet::vaes_256>("kernels VAES-256"),
    row<kernels::MaskAlgorithm::aes_256, InstructionSet::aes_ni>("kernels AES-NI"),
    row<kernels::MaskAlgorithm::aes_256, InstructionSet::aes_pmull>("kernels AES-PMULL"),
    row<kernels::MaskAlgorithm::aes_256, InstructionSet::portable>("kernels portable"),
    row<kernels::MaskAlgorithm::chacha20, InstructionSet::avx512>("kernels AVX-512"),
    row<kernels::MaskAlgorithm::chacha20, InstructionSet::avx2>("kernels AVX2"),
    row<kernels::MaskAlgorithm::chacha20, InstructionSet::ssse3>("kernels SSSE3"),
    row<kernels::MaskAlgorithm::chacha20, InstructionSet::neon>("kernels NEON"),
    row<kernels::MaskAlgorithm::chacha20, InstructionSet::portable>("kernels portable"),
};

/// The rows that this processor can run, in the kernels' own order of preference.
std::vector<Mask> make_descriptors() {
  std::vector<Mask> all;
  for (const kernels::Mask& kernel : kernels::available_masks()) {
    const auto found = std::ranges::find_if(
        kRows, [&](const Row& row) { return row.algorithm == kernel.algorithm && row.set == kernel.instruction_set; });
    if (found == kRows.end()) continue;
    all.push_back({id_of(kernel.algorithm), found->implementation, kernel.key_size, kernel.context_size, found->init,
                   found->compute, kernel.destroy});
  }
  return all;
}

}  // namespace

std::span<const Mask> masks() {
  static const std::vector<Mask> descriptors = make_descriptors();
  return descriptors;
}

}  // namespace lockstep::kernel_provider_parts
