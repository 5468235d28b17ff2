// The ML-KEM kernels as a provider's descriptors.

#include <algorithm>
#include <array>
#include <cstring>
#include <new>

#include <lockstep/bytes.hpp>
#include <lockstep/kernels_kem.hpp>

#include "parts.hpp"

namespace lockstep::kernel_provider_parts {
namespace {

using kernels::InstructionSet;
using kernels::KemAlgorithm;

constexpr NamedGroup id_of(KemAlgorithm algorithm) noexcept {
  switch (algorithm) {
    case KemAlgorithm::ml_kem_512: return NamedGroup::mlkem512;
    case KemAlgorithm::ml_kem_768: return NamedGroup::mlkem768;
    case KemAlgorithm::ml_kem_1024: return NamedGroup::mlkem1024;
  }
  return {};
}

/// A kernel's functions as a descriptor's, which name their kernel by type because a context holds the key alone: a
/// pointer to it, because an expanded key is too large for a context.
template <KemAlgorithm algorithm, InstructionSet set>
struct Kernel {
  static const kernels::Kem& kernel() noexcept {
    static const kernels::Kem& found = *kernels::find(algorithm, set);
    return found;
  }

  static constexpr std::align_val_t kAlignment{kernels::kKemAlignment};

  static void* held(const void* context) noexcept {
    void* key = nullptr;
    std::memcpy(&key, context, sizeof key);
    return key;
  }

  static GroupResult generate(void* context, RandomSource& random, MutableBytes share) noexcept {
    Secret<kernels::kKemSeedSize> seed(kernels::kKemSeedSize);
    // FIPS 203, algorithm 19: d and z are drawn one after the other.
    constexpr std::size_t kHalf = kernels::kKemSeedSize / 2;
    if (share.size() != kernel().encapsulation_key_size || !random.fill(seed.writable().first(kHalf)) ||
        !random.fill(seed.writable().last(kHalf)))
      return GroupResult::failed;
    void* const key = ::operator new(kernel().key_size, kAlignment, std::nothrow);
    if (key == nullptr) return GroupResult::failed;
    kernel().generate(key, seed.view().data(), share.data());
    std::memcpy(context, &key, sizeof key);
    return GroupResult::ok;
  }

  static GroupResult encapsulate(Bytes client_share, RandomSource& random, MutableBytes server_share,
                                 MutableBytes secret) noexcept {
    if (client_share.size() != kernel().encapsulation_key_size) return GroupResult::bad_share;
    Secret<kernels::kKemCoinsSize> coins(kernels::kKemCoinsSize);
    if (server_share.size() != kernel().ciphertext_size || secret.size() != kernels::kKemSecretSize ||
        !random.fill(coins.writable()))
      return GroupResult::failed;
    // FIPS 203 7.2, "modulus check"
    return kernel().encapsulate(client_share.data(), coins.view().data(), server_share.data(), secret.data())
               ? GroupResult::ok
               : GroupResult::bad_share;
  }

  static GroupResult decapsulate(void* context, Bytes server_share, MutableBytes secret) noexcept {
    // FIPS 203 7.3, "ciphertext type check". What else is wrong with a ciphertext yields a secret that nobody knows.
    if (server_share.size() != kernel().ciphertext_size) return GroupResult::bad_share;
    if (secret.size() != kernels::kKemSecretSize) return GroupResult::failed;
    kernel().decapsulate(held(context), server_share.data(), secret.data());
    return GroupResult::ok;
  }

  static void destroy(void* context) noexcept {
    void* const key = held(context);
    kernel().destroy(key);
    ::operator delete(key, kAlignment);
    std::memset(context, 0, sizeof key);
  }
};

struct Row {
  KemAlgorithm algorithm;
  InstructionSet set;
  std::string_view implementation;
  GroupResult (*generate)(void*, RandomSource&, MutableBytes) noexcept;
  GroupResult (*encapsulate)(Bytes, RandomSource&, MutableBytes, MutableBytes) noexcept;
  GroupResult (*decapsulate)(void*, Bytes, MutableBytes) noexcept;
  void (*destroy)(void*) noexcept;
};

template <KemAlgorithm algorithm, InstructionSet set>
constexpr Row row(std::string_view implementation) {
  using Functions = Kernel<algorithm, set>;
  return {algorithm,         set, implementation, Functions::generate, Functions::encapsulate, Functions::decapsulate,
          Functions::destroy};
}

constexpr std::array kRows{
    row<KemAlgorithm::ml_kem_512, InstructionSet::avx512>("kernels AVX-512"),
    row<KemAlgorithm::ml_kem_512, InstructionSet::avx2>("kernels AVX2"),
    row<KemAlgorithm::ml_kem_512, InstructionSet::neon>("kernels NEON"),
    row<KemAlgorithm::ml_kem_512, InstructionSet::portable>("kernels portable"),
    row<KemAlgorithm::ml_kem_768, InstructionSet::avx512>("kernels AVX-512"),
    row<KemAlgorithm::ml_kem_768, InstructionSet::avx2>("kernels AVX2"),
    row<KemAlgorithm::ml_kem_768, InstructionSet::neon>("kernels NEON"),
    row<KemAlgorithm::ml_kem_768, InstructionSet::portable>("kernels portable"),
    row<KemAlgorithm::ml_kem_1024, InstructionSet::avx512>("kernels AVX-512"),
    row<KemAlgorithm::ml_kem_1024, InstructionSet::avx2>("kernels AVX2"),
    row<KemAlgorithm::ml_kem_1024, InstructionSet::neon>("kernels NEON"),
    row<KemAlgorithm::ml_kem_1024, InstructionSet::portable>("kernels portable"),
};

/// The rows that this processor can run, in the kernels' own order of preference.
std::vector<Group> make_descriptors() {
  std::vector<Group> all;
  for (const kernels::Kem& kernel : kernels::available_kems()) {
    const auto found = std::ranges::find_if(
        kRows, [&](const Row& row) { return row.algorithm == kernel.algorithm && row.set == kernel.instruction_set; });
    if (found == kRows.end()) continue;
    all.push_back({id_of(kernel.algorithm), found->implementation, kernel.encapsulation_key_size,
                   kernel.ciphertext_size, kernels::kKemSecretSize, sizeof(void*), found->generate, found->encapsulate,
                   found->decapsulate, found->destroy});
  }
  return all;
}

}  // namespace

std::span<const Group> groups() {
  static const std::vector<Group> descriptors = make_descriptors();
  return descriptors;
}

}  // namespace lockstep::kernel_provider_parts
