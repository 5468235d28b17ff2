// The hash kernels as a provider's descriptors.

#include <algorithm>
#include <array>

#include <lockstep/kernels_hash.hpp>

#include "parts.hpp"

namespace lockstep::kernel_provider_parts {
namespace {

using kernels::InstructionSet;

constexpr HashAlgorithm id_of(kernels::HashAlgorithm algorithm) noexcept {
  switch (algorithm) {
    case kernels::HashAlgorithm::sha256: return HashAlgorithm::sha256;
    case kernels::HashAlgorithm::sha384: return HashAlgorithm::sha384;
    case kernels::HashAlgorithm::sha512: return HashAlgorithm::sha512;
  }
  return {};
}

static_assert(kernels::kMaxHashContextSize <= kMaxHashContextSize);

/// A kernel's functions as a descriptor's, which name their kernel by type because a context holds the message alone.
template <kernels::HashAlgorithm algorithm, InstructionSet set>
struct Kernel {
  static const kernels::Hash& kernel() noexcept {
    static const kernels::Hash& found = *kernels::find(algorithm, set);
    return found;
  }

  static bool init(void* context) noexcept {
    kernel().init(context);
    return true;
  }

  static bool digest(const void* context, MutableBytes out) noexcept {
    if (out.size() != kernel().digest_size) return false;
    kernel().digest(context, out.data());
    return true;
  }

  static bool hmac(Bytes key, std::span<const Bytes> segments, MutableBytes out) noexcept {
    if (out.size() != kernel().digest_size) return false;
    std::array<std::uint8_t, kernels::kMaxHmacKeySize> prepared;
    kernel().prepare_hmac_key(prepared.data(), key);
    kernel().hmac(prepared.data(), segments, out.data());
    kernel().destroy_hmac_key(prepared.data());
    return true;
  }

  static bool expand(std::span<const ExpandJob> jobs) noexcept { return kernel().expand(jobs); }
};

struct Row {
  kernels::HashAlgorithm algorithm;
  InstructionSet set;
  std::string_view implementation;
  bool (*init)(void*) noexcept;
  bool (*digest)(const void*, MutableBytes) noexcept;
  bool (*hmac)(Bytes, std::span<const Bytes>, MutableBytes) noexcept;
  bool (*expand)(std::span<const ExpandJob>) noexcept;
};

template <kernels::HashAlgorithm algorithm, InstructionSet set>
constexpr Row row(std::string_view implementation) {
  using Functions = Kernel<algorithm, set>;
  return {algorithm, set, implementation, Functions::init, Functions::digest, Functions::hmac, Functions::expand};
}

constexpr std::array kRows{
    row<kernels::HashAlgorithm::sha256, InstructionSet::sha_ni>("kernels SHA-NI"),
    row<kernels::HashAlgorithm::sha256, InstructionSet::arm_sha2>("kernels SHA2"),
    row<kernels::HashAlgorithm::sha256, InstructionSet::portable>("kernels portable"),
    row<kernels::HashAlgorithm::sha384, InstructionSet::avx2>("kernels AVX2"),
    row<kernels::HashAlgorithm::sha384, InstructionSet::portable>("kernels portable"),
    row<kernels::HashAlgorithm::sha512, InstructionSet::avx2>("kernels AVX2"),
    row<kernels::HashAlgorithm::sha512, InstructionSet::portable>("kernels portable"),
};

/// The rows that this processor can run, in the kernels' own order of preference.
std::vector<Hash> make_descriptors() {
  std::vector<Hash> all;
  for (const kernels::Hash& kernel : kernels::available_hashes()) {
    const auto found = std::ranges::find_if(
        kRows, [&](const Row& row) { return row.algorithm == kernel.algorithm && row.set == kernel.instruction_set; });
    if (found == kRows.end()) continue;
    all.push_back({id_of(kernel.algorithm), found->implementation, kernel.digest_size, kernel.context_size, found->init,
                   kernel.update, found->digest, kernel.destroy, found->hmac, found->expand});
  }
  return all;
}

}  // namespace

std::span<const Hash> hashes() {
  static const std::vector<Hash> descriptors = make_descriptors();
  return descriptors;
}

}  // namespace lockstep::kernel_provider_parts
