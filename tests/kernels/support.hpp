#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include <lockstep/kernels.hpp>
#include <lockstep/kernels_hash.hpp>
#include <lockstep/kernels_kem.hpp>
#include <lockstep/kernels_mac.hpp>
#include <lockstep/kernels_sha3.hpp>

namespace lockstep::kernels::test {

using Bytes = std::vector<std::uint8_t>;

inline Bytes random_bytes(std::size_t size, std::uint64_t seed) {
  std::mt19937_64 generator(seed * 0x9e3779b97f4a7c15 + size);
  Bytes bytes(size);
  for (auto& byte : bytes) byte = static_cast<std::uint8_t>(generator());
  return bytes;
}

inline Bytes from_hex(std::string_view hex) {
  const auto digit = [](char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    ADD_FAILURE() << "not a hexadecimal digit: " << c;
    return 0;
  };
  Bytes bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes.push_back(static_cast<std::uint8_t>(digit(hex[i]) * 16 + digit(hex[i + 1])));
  }
  return bytes;
}

// What TLS 1.3 gives HKDF-Expand as info (RFC 9846 7.1):
// struct { uint16 length; opaque label<7..255>; opaque context<0..255>; } HkdfLabel;
inline Bytes hkdf_label(std::string_view label, std::span<const std::uint8_t> context, std::size_t length) {
  Bytes info{static_cast<std::uint8_t>(length >> 8), static_cast<std::uint8_t>(length),
             static_cast<std::uint8_t>(label.size())};
  info.insert(info.end(), label.begin(), label.end());
  info.push_back(static_cast<std::uint8_t>(context.size()));
  info.insert(info.end(), context.begin(), context.end());
  return info;
}

// One algorithm on one instruction set, whether or not this processor has it.
struct Implementation {
  Algorithm algorithm;
  InstructionSet set;
};

inline const std::vector<Implementation>& implementations() {
  static const std::vector<Implementation> all = {
      {Algorithm::aes_128_gcm, InstructionSet::portable},       {Algorithm::aes_256_gcm, InstructionSet::portable},
      {Algorithm::chacha20_poly1305, InstructionSet::portable},
#if defined(__x86_64__)
      {Algorithm::aes_128_gcm, InstructionSet::aes_ni},         {Algorithm::aes_256_gcm, InstructionSet::aes_ni},
      {Algorithm::aes_128_gcm, InstructionSet::vaes_256},       {Algorithm::aes_256_gcm, InstructionSet::vaes_256},
      {Algorithm::aes_128_gcm, InstructionSet::vaes_512},       {Algorithm::aes_256_gcm, InstructionSet::vaes_512},
      {Algorithm::chacha20_poly1305, InstructionSet::ssse3},    {Algorithm::chacha20_poly1305, InstructionSet::avx2},
      {Algorithm::chacha20_poly1305, InstructionSet::avx512},
#elif defined(__aarch64__)
      {Algorithm::aes_128_gcm, InstructionSet::aes_pmull},      {Algorithm::aes_256_gcm, InstructionSet::aes_pmull},
      {Algorithm::chacha20_poly1305, InstructionSet::neon},
#endif
  };
  return all;
}

// Likewise for the masks, which are where their AEADs are.
struct MaskImplementation {
  MaskAlgorithm algorithm;
  InstructionSet set;
};

inline const std::vector<MaskImplementation>& mask_implementations() {
  static const std::vector<MaskImplementation> all = [] {
    std::vector<MaskImplementation> masks;
    for (const Implementation& aead : implementations()) {
      masks.push_back({aead.algorithm == Algorithm::aes_128_gcm   ? MaskAlgorithm::aes_128
                       : aead.algorithm == Algorithm::aes_256_gcm ? MaskAlgorithm::aes_256
                                                                  : MaskAlgorithm::chacha20,
                       aead.set});
    }
    return masks;
  }();
  return all;
}

// Likewise for the hashes.
struct HashImplementation {
  HashAlgorithm algorithm;
  InstructionSet set;
};

inline const std::vector<HashImplementation>& hash_implementations() {
  static const std::vector<HashImplementation> all = {
      {HashAlgorithm::sha256, InstructionSet::portable}, {HashAlgorithm::sha384, InstructionSet::portable},
      {HashAlgorithm::sha512, InstructionSet::portable},
#if defined(__x86_64__)
      {HashAlgorithm::sha256, InstructionSet::sha_ni},   {HashAlgorithm::sha384, InstructionSet::avx2},
      {HashAlgorithm::sha512, InstructionSet::avx2},
#elif defined(__aarch64__)
      {HashAlgorithm::sha256, InstructionSet::arm_sha2},
#endif
  };
  return all;
}

inline std::string algorithm_name(Algorithm algorithm) {
  switch (algorithm) {
    case Algorithm::aes_128_gcm: return "aes_128_gcm";
    case Algorithm::aes_256_gcm: return "aes_256_gcm";
    case Algorithm::chacha20_poly1305: return "chacha20_poly1305";
  }
  return "unknown";
}

inline std::string algorithm_name(MaskAlgorithm algorithm) {
  switch (algorithm) {
    case MaskAlgorithm::aes_128: return "aes_128";
    case MaskAlgorithm::aes_256: return "aes_256";
    case MaskAlgorithm::chacha20: return "chacha20";
  }
  return "unknown";
}

inline std::string algorithm_name(HashAlgorithm algorithm) {
  switch (algorithm) {
    case HashAlgorithm::sha256: return "sha256";
    case HashAlgorithm::sha384: return "sha384";
    case HashAlgorithm::sha512: return "sha512";
  }
  return "unknown";
}

template <class Any>
std::string test_name(const Any& implementation) {
  std::string set = name(implementation.set);
  std::ranges::replace(set, '-', '_');
  return algorithm_name(implementation.algorithm) + "_" + set;
}

// A prepared key. The context stands `offset` bytes after a boundary of 64.
class Key {
 public:
  Key(const Aead& aead, std::span<const std::uint8_t> key, std::size_t offset = 0)
      : aead_(aead), storage_(kMaxContextSize + 128), context_(align(storage_.data()) + offset) {
    EXPECT_EQ(key.size(), aead.key_size);
    aead_.init(context_, key.data());
  }
  ~Key() { aead_.destroy(context_); }
  Key(const Key&) = delete;
  Key& operator=(const Key&) = delete;

  void* context() { return context_; }

  Bytes seal(std::span<const std::uint8_t> nonce, std::span<const std::uint8_t> aad,
             std::span<const std::uint8_t> text) {
    const std::array segments{text};
    Bytes sealed(text.size() + kTagSize);
    const SealJob job{nonce.data(), aad, segments, {}, sealed.data()};
    aead_.seal(context_, {&job, 1});
    return sealed;
  }

  // The plaintext; what the destination holds goes to `*left` when opening fails.
  bool open(std::span<const std::uint8_t> nonce, std::span<const std::uint8_t> aad,
            std::span<const std::uint8_t> sealed, Bytes& text) {
    text.assign(sealed.size() < kTagSize ? 0 : sealed.size() - kTagSize, 0xa5);
    OpenJob job{nonce.data(), aad, sealed, text.data()};
    const std::size_t right = aead_.open(context_, {&job, 1});
    EXPECT_EQ(right, job.ok ? 1U : 0U);
    return job.ok;
  }

 private:
  static std::uint8_t* align(std::uint8_t* bytes) {
    void* aligned = bytes;
    std::size_t space = kMaxContextSize + 128;
    return static_cast<std::uint8_t*>(std::align(64, kMaxContextSize + 64, aligned, space));
  }

  const Aead& aead_;
  Bytes storage_;
  std::uint8_t* context_;
};

// Runs for each implementation; one that this processor lacks is skipped, and says so.
template <class Listed, class Descriptor>
class EveryOne : public testing::TestWithParam<Listed> {
 protected:
  void SetUp() override {
    const Listed& listed = this->GetParam();
    found_ = find(listed.algorithm, listed.set);
    if (found_ == nullptr) {
      GTEST_SKIP() << "this processor cannot run " << name(listed.set) << ": " << algorithm_name(listed.algorithm)
                   << " is not tested here";
    }
  }

  const Descriptor* found_ = nullptr;
};

class EveryImplementation : public EveryOne<Implementation, Aead> {
 protected:
  const Aead& aead() const { return *found_; }
};

/// A key pair and an encapsulation for it.
class KemRun {
 public:
  KemRun(const Kem& kem, const Bytes& seed, const Bytes& coins)
      : encapsulation_key(kem.encapsulation_key_size),
        ciphertext(kem.ciphertext_size),
        secret(kKemSecretSize),
        kem_(kem),
        key_(std::make_unique<ExpandedKey>()) {
    kem.generate(key_->bytes, seed.data(), encapsulation_key.data());
    EXPECT_TRUE(kem.encapsulate(encapsulation_key.data(), coins.data(), ciphertext.data(), secret.data()));
  }

  [[nodiscard]] Bytes decapsulate(const Bytes& other) const {
    Bytes result(kKemSecretSize);
    kem_.decapsulate(key_->bytes, other.data(), result.data());
    return result;
  }
  [[nodiscard]] Bytes encoded() const {
    Bytes result(kem_.decapsulation_key_size);
    kem_.store(key_->bytes, result.data());
    return result;
  }

  Bytes encapsulation_key;
  Bytes ciphertext;
  Bytes secret;

  struct alignas(kKemAlignment) ExpandedKey {
    std::uint8_t bytes[kMaxKemKeySize];
  };

 private:
  const Kem& kem_;
  std::unique_ptr<ExpandedKey> key_;
};

class EveryMask : public EveryOne<MaskImplementation, Mask> {
 protected:
  const Mask& mask() const { return *found_; }
};

class EveryHash : public EveryOne<HashImplementation, Hash> {
 protected:
  const Hash& hash() const { return *found_; }
};

}  // namespace lockstep::kernels::test
