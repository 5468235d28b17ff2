// The AEAD kernels as a provider's descriptors.

#include <algorithm>
#include <array>

#include <lockstep/kernels.hpp>

#include "parts.hpp"

namespace lockstep::kernel_provider_parts {
namespace {

using kernels::Algorithm;
using kernels::InstructionSet;

constexpr AeadAlgorithm id_of(Algorithm algorithm) noexcept {
  switch (algorithm) {
    case Algorithm::aes_128_gcm: return AeadAlgorithm::aes_128_gcm;
    case Algorithm::aes_256_gcm: return AeadAlgorithm::aes_256_gcm;
    case Algorithm::chacha20_poly1305: return AeadAlgorithm::chacha20_poly1305;
  }
  return {};
}

/// A kernel's functions as a descriptor's, which name their kernel by type because a context holds the prepared key
/// alone.
template <Algorithm algorithm, InstructionSet set>
struct Kernel {
  static const kernels::Aead& kernel() noexcept {
    static const kernels::Aead& found = *kernels::find(algorithm, set);
    return found;
  }

  static bool init(void* context, Bytes key) noexcept {
    if (key.size() != kernel().key_size) return false;
    kernel().init(context, key.data());
    return true;
  }

  static bool seal(void* context, std::span<const SealJob> jobs) noexcept {
    kernel().seal(context, jobs);
    return true;
  }

  static bool open(void* context, std::span<OpenJob> jobs) noexcept {
    return kernel().open(context, jobs) == jobs.size();
  }

  static void destroy(void* context) noexcept { kernel().destroy(context); }
};

struct Row {
  Algorithm algorithm;
  InstructionSet set;
  std::string_view implementation;
  bool (*init)(void*, Bytes) noexcept;
  bool (*seal)(void*, std::span<const SealJob>) noexcept;
  bool (*open)(void*, std::span<OpenJob>) noexcept;
  void (*destroy)(void*) noexcept;
};

template <Algorithm algorithm, InstructionSet set>
constexpr Row row(std::string_view implementation) {
  using Functions = Kernel<algorithm, set>;
  return {algorithm, set, implementation, Functions::init, Functions::seal, Functions::open, Functions::destroy};
}

constexpr std::array kRows{
    row<Algorithm::aes_128_gcm, InstructionSet::vaes_512>("kernels VAES-512"),
    row<Algorithm::aes_128_gcm, InstructionSet::vaes_256>("kernels VAES-256"),
    row<Algorithm::aes_128_gcm, InstructionSet::aes_ni>("kernels AES-NI"),
    row<Algorithm::aes_128_gcm, InstructionSet::aes_pmull>("kernels AES-PMULL"),
    row<Algorithm::aes_128_gcm, InstructionSet::portable>("kernels portable"),
    row<Algorithm::aes_256_gcm, InstructionSet::vaes_512>("kernels VAES-512"),
    row<Algorithm::aes_256_gcm, InstructionSet::vaes_256>("kernels VAES-256"),
    row<Algorithm::aes_256_gcm, InstructionSet::aes_ni>("kernels AES-NI"),
    row<Algorithm::aes_256_gcm, InstructionSet::aes_pmull>("kernels AES-PMULL"),
    row<Algorithm::aes_256_gcm, InstructionSet::portable>("kernels portable"),
    row<Algorithm::chacha20_poly1305, InstructionSet::avx512>("kernels AVX-512"),
    row<Algorithm::chacha20_poly1305, InstructionSet::avx2>("kernels AVX2"),
    row<Algorithm::chacha20_poly1305, InstructionSet::ssse3>("kernels SSSE3"),
    row<Algorithm::chacha20_poly1305, InstructionSet::neon>("kernels NEON"),
    row<Algorithm::chacha20_poly1305, InstructionSet::portable>("kernels portable"),
};

/// The rows that this processor can run, in the kernels' own order of preference.
std::vector<Aead> make_descriptors() {
  std::vector<Aead> all;
  for (const kernels::Aead& kernel : kernels::available()) {
    const auto found = std::ranges::find_if(
        kRows, [&](const Row& row) { return row.algorithm == kernel.algorithm && row.set == kernel.instruction_set; });
    if (found == kRows.end()) continue;
    all.push_back({id_of(kernel.algorithm), found->implementation, kernel.key_size, kernels::kTagSize,
                   kernel.context_size, found->init, found->seal, found->open, found->destroy});
  }
  return all;
}

}  // namespace

std::span<const Aead> aeads() {
  static const std::vector<Aead> descriptors = make_descriptors();
  return descriptors;
}

}  // namespace lockstep::kernel_provider_parts
