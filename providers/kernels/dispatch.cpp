#include <array>

#include "aead/aead.hpp"
#include "hash/hash.hpp"
#include "hash/sha3.hpp"
#include "kem/kem.hpp"

#if defined(__x86_64__)
#include <cpuid.h>
#elif defined(__aarch64__) && defined(__linux__)
#include <sys/auxv.h>
#endif

// Which implementations this processor can run.
namespace lockstep::kernels {
namespace {

#if defined(__x86_64__)
struct Features {
  bool ssse3 = false;
  bool aes_ni = false;
  bool avx2 = false;
  bool vaes_256 = false;
  bool avx512 = false;
  bool vaes_512 = false;
  bool ifma = false;
  bool vbmi2 = false;
  bool sha_ni = false;
};

// Which registers the operating system saves: extended control register 0.
std::uint32_t saved_registers() noexcept {
  std::uint32_t low = 0;
  std::uint32_t high = 0;
  asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return low;
}

// Intel SDM volume 1, 14.3, and volume 2, CPUID.
Features detect() noexcept {
  unsigned a = 0;
  unsigned b = 0;
  unsigned c = 0;
  unsigned d = 0;
  const auto bit = [](unsigned word, int index) { return (word >> index & 1) != 0; };
  Features features;
  if (__get_cpuid(1, &a, &b, &c, &d) == 0) return features;
  const bool sse41 = bit(c, 19);
  const bool aes = bit(c, 25) && bit(c, 1);
  features.ssse3 = bit(c, 9);
  features.aes_ni = features.ssse3 && sse41 && aes;
  const bool popcnt = bit(c, 23);
  const bool os_saves = bit(c, 27);
  const bool avx = bit(c, 28);
  if (__get_cpuid_count(7, 0, &a, &b, &c, &d) == 0) return features;
  features.sha_ni = features.ssse3 && sse41 && bit(b, 29);
  if (!os_saves || !avx) return features;
  constexpr std::uint32_t kAvxState = 0x06;     // XMM and YMM
  constexpr std::uint32_t kAvx512State = 0xe6;  // and masks, the upper halves of ZMM0-15, ZMM16-31
  const std::uint32_t saved = saved_registers();
  const bool ymm = (saved & kAvxState) == kAvxState;
  const bool zmm = (saved & kAvx512State) == kAvx512State;
  const bool vaes = bit(c, 9) && bit(c, 10) && aes;
  features.avx2 = ymm && popcnt && bit(b, 5) && bit(b, 3) && bit(b, 8);  // AVX2, BMI1, BMI2, POPCNT
  features.avx512 = features.avx2 && zmm && bit(b, 16) && bit(b, 17) && bit(b, 30) && bit(b, 31);  // F, DQ, BW, VL
  features.ifma = features.avx512 && bit(b, 21);
  features.vbmi2 = features.avx512 && bit(c, 6);
  features.vaes_256 = features.avx2 && vaes;
  features.vaes_512 = features.avx512 && vaes;
  return features;
}
#elif defined(__aarch64__)
struct Features {
  bool aes_pmull = false;
  bool sha2 = false;
};

Features detect() noexcept {
  Features features;
#if defined(__linux__)
  // Linux Documentation/arch/arm64/elf_hwcaps.rst.
  constexpr unsigned long kAes = 1UL << 3;
  constexpr unsigned long kPmull = 1UL << 4;
  constexpr unsigned long kSha2 = 1UL << 6;
  const unsigned long capabilities = getauxval(AT_HWCAP);
  features.aes_pmull = (capabilities & kAes) != 0 && (capabilities & kPmull) != 0;
  features.sha2 = (capabilities & kSha2) != 0;
#elif defined(__APPLE__)
  // Every AArch64 processor of Apple's has them.
  features.aes_pmull = true;
  features.sha2 = true;
#endif
  return features;
}
#endif

template <class Descriptor>
struct List {
  std::array<Descriptor, 16> entries{};
  std::size_t size = 0;

  void add(bool usable, const Descriptor& descriptor) noexcept {
    if (usable) entries[size++] = descriptor;
  }
};

List<Aead> list_aeads() noexcept {
  List<Aead> list;
#if defined(__x86_64__)
  const Features features = detect();
  list.add(features.vaes_512, vaes_512::kAes128Gcm);
  list.add(features.vaes_256, vaes_256::kAes128Gcm);
  list.add(features.aes_ni, aes_ni::kAes128Gcm);
  list.add(features.vaes_512, vaes_512::kAes256Gcm);
  list.add(features.vaes_256, vaes_256::kAes256Gcm);
  list.add(features.aes_ni, aes_ni::kAes256Gcm);
  list.add(features.ifma, avx512::kChaCha20Poly1305);
  list.add(features.avx2, avx2::kChaCha20Poly1305);
  list.add(features.ssse3, ssse3::kChaCha20Poly1305);
#elif defined(__aarch64__)
  const Features features = detect();
  list.add(features.aes_pmull, aes_pmull::kAes128Gcm);
  list.add(features.aes_pmull, aes_pmull::kAes256Gcm);
  list.add(true, neon::kChaCha20Poly1305);
#endif
  list.add(true, portable::kAes128Gcm);
  list.add(true, portable::kAes256Gcm);
  list.add(true, portable::kChaCha20Poly1305);
  return list;
}

List<Mask> list_masks() noexcept {
  List<Mask> list;
#if defined(__x86_64__)
  const Features features = detect();
  list.add(features.vaes_512, vaes_512::kAes128Mask);
  list.add(features.vaes_256, vaes_256::kAes128Mask);
  list.add(features.aes_ni, aes_ni::kAes128Mask);
  list.add(features.vaes_512, vaes_512::kAes256Mask);
  list.add(features.vaes_256, vaes_256::kAes256Mask);
  list.add(features.aes_ni, aes_ni::kAes256Mask);
  list.add(features.ifma, avx512::kChaCha20Mask);
  list.add(features.avx2, avx2::kChaCha20Mask);
  list.add(features.ssse3, ssse3::kChaCha20Mask);
#elif defined(__aarch64__)
  const Features features = detect();
  list.add(features.aes_pmull, aes_pmull::kAes128Mask);
  list.add(features.aes_pmull, aes_pmull::kAes256Mask);
  list.add(true, neon::kChaCha20Mask);
#endif
  list.add(true, portable::kAes128Mask);
  list.add(true, portable::kAes256Mask);
  list.add(true, portable::kChaCha20Mask);
  return list;
}

List<Hash> list_hashes() noexcept {
  List<Hash> list;
#if defined(__x86_64__)
  const Features features = detect();
  list.add(features.sha_ni, sha_ni::kSha256);
  list.add(features.avx2, avx2::kSha384);
  list.add(features.avx2, avx2::kSha512);
#elif defined(__aarch64__)
  list.add(detect().sha2, arm_sha2::kSha256);
#endif
  list.add(true, portable::kSha256);
  list.add(true, portable::kSha384);
  list.add(true, portable::kSha512);
  return list;
}

List<Mac> list_macs() noexcept {
  List<Mac> list;
#if defined(__x86_64__)
  const Features features = detect();
  list.add(features.sha_ni, sha_ni::kHmacSha1);
  list.add(features.sha_ni, sha_ni::kHmacSha256);
  list.add(features.avx2, avx2::kHmacSha384);
#elif defined(__aarch64__)
  list.add(detect().sha2, arm_sha2::kHmacSha256);
#endif
  list.add(true, portable::kHmacSha1);
  list.add(true, portable::kHmacSha256);
  list.add(true, portable::kHmacSha384);
  return list;
}

List<Sha3> list_sha3() noexcept {
  List<Sha3> list;
#if defined(__x86_64__)
  const Features features = detect();
  list.add(features.vbmi2, avx512::kSha3);
  list.add(features.avx2, avx2::kSha3);
#elif defined(__aarch64__)
  list.add(true, neon::kSha3);
#endif
  list.add(true, portable::kSha3);
  return list;
}

List<Kem> list_kems() noexcept {
  List<Kem> list;
#if defined(__x86_64__)
  const Features features = detect();
  list.add(features.vbmi2, avx512::kMlKem512);
  list.add(features.vbmi2, avx512::kMlKem768);
  list.add(features.vbmi2, avx512::kMlKem1024);
  list.add(features.avx2, avx2::kMlKem512);
  list.add(features.avx2, avx2::kMlKem768);
  list.add(features.avx2, avx2::kMlKem1024);
#elif defined(__aarch64__)
  list.add(true, neon::kMlKem512);
  list.add(true, neon::kMlKem768);
  list.add(true, neon::kMlKem1024);
#endif
  list.add(true, portable::kMlKem512);
  list.add(true, portable::kMlKem768);
  list.add(true, portable::kMlKem1024);
  return list;
}

template <class Descriptor>
const Descriptor& first_of(std::span<const Descriptor> all, decltype(Descriptor::algorithm) algorithm) noexcept {
  std::size_t index = 0;
  while (all[index].algorithm != algorithm) ++index;
  return all[index];
}

template <class Descriptor>
const Descriptor* find_in(std::span<const Descriptor> all, decltype(Descriptor::algorithm) algorithm,
                          InstructionSet set) noexcept {
  for (const Descriptor& descriptor : all) {
    if (descriptor.algorithm == algorithm && descriptor.instruction_set == set) return &descriptor;
  }
  return nullptr;
}

}  // namespace

std::span<const Aead> available() noexcept {
  static const List<Aead> kList = list_aeads();
  return {kList.entries.data(), kList.size};
}

std::span<const Mask> available_masks() noexcept {
  static const List<Mask> kList = list_masks();
  return {kList.entries.data(), kList.size};
}

std::span<const Hash> available_hashes() noexcept {
  static const List<Hash> kList = list_hashes();
  return {kList.entries.data(), kList.size};
}

std::span<const Mac> available_macs() noexcept {
  static const List<Mac> kList = list_macs();
  return {kList.entries.data(), kList.size};
}

std::span<const Sha3> available_sha3() noexcept {
  static const List<Sha3> kList = list_sha3();
  return {kList.entries.data(), kList.size};
}

std::span<const Kem> available_kems() noexcept {
  static const List<Kem> kList = list_kems();
  return {kList.entries.data(), kList.size};
}

const Aead& best(Algorithm algorithm) noexcept { return first_of(available(), algorithm); }

const Mask& best(MaskAlgorithm algorithm) noexcept { return first_of(available_masks(), algorithm); }

const Hash& best(HashAlgorithm algorithm) noexcept { return first_of(available_hashes(), algorithm); }

const Mac& best(MacAlgorithm algorithm) noexcept { return first_of(available_macs(), algorithm); }

const Kem& best(KemAlgorithm algorithm) noexcept { return first_of(available_kems(), algorithm); }

const Sha3& best_sha3() noexcept { return available_sha3().front(); }

const Aead* find(Algorithm algorithm, InstructionSet set) noexcept { return find_in(available(), algorithm, set); }

const Mask* find(MaskAlgorithm algorithm, InstructionSet set) noexcept {
  return find_in(available_masks(), algorithm, set);
}

const Hash* find(HashAlgorithm algorithm, InstructionSet set) noexcept {
  return find_in(available_hashes(), algorithm, set);
}

const Mac* find(MacAlgorithm algorithm, InstructionSet set) noexcept {
  return find_in(available_macs(), algorithm, set);
}

const Kem* find(KemAlgorithm algorithm, InstructionSet set) noexcept {
  return find_in(available_kems(), algorithm, set);
}

const Sha3* find_sha3(InstructionSet set) noexcept {
  for (const Sha3& sha3 : available_sha3()) {
    if (sha3.instruction_set == set) return &sha3;
  }
  return nullptr;
}

const char* name(InstructionSet set) noexcept {
  switch (set) {
    case InstructionSet::portable: return "portable";
    case InstructionSet::aes_ni: return "AES-NI";
    case InstructionSet::vaes_256: return "VAES-256";
    case InstructionSet::vaes_512: return "VAES-512";
    case InstructionSet::ssse3: return "SSSE3";
    case InstructionSet::avx2: return "AVX2";
    case InstructionSet::avx512: return "AVX-512";
    case InstructionSet::sha_ni: return "SHA-NI";
    case InstructionSet::aes_pmull: return "AES-PMULL";
    case InstructionSet::neon: return "NEON";
    case InstructionSet::arm_sha2: return "SHA2";
  }
  return "unknown";
}

}  // namespace lockstep::kernels
