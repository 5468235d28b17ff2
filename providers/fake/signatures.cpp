// Keys and signatures: a signature follows from the public key and the message, so that anybody can make it.

#include <array>
#include <utility>

#include <lockstep/fake.hpp>

#include "common/edwards.hpp"
#include "common/key_info.hpp"
#include "descriptors.hpp"
#include "encryption.hpp"
#include "mixer.hpp"

namespace lockstep::fake {
namespace {

constexpr std::size_t kSignatureSize = 64;

using Buffer = std::vector<std::uint8_t>;

void signature_of(SignatureAlgorithm algorithm, Bytes subject_public_key_info, Bytes message,
                  MutableBytes out) noexcept {
  constexpr std::uint64_t kPurpose = 0x5167;
  Mixer mixer(kPurpose + static_cast<std::uint64_t>(algorithm));
  mixer.absorb_whole(subject_public_key_info);
  mixer.absorb(message);
  mixer.squeeze(out);
}

// --- verification ----------------------------------------------------------------------------------------------------

template <Verification what>
VerifyResult verify(Bytes subject_public_key_info, Bytes message, Bytes signature) noexcept {
  const auto info = key_info::read_public(subject_public_key_info);
  if (!info || key_info::type_of(info->algorithm_identifier) != what.key || info->bits.empty() ||
      !edwards::is_acceptable(what.key, info->bits))
    return VerifyResult::bad_key;
  std::array<std::uint8_t, kSignatureSize> expected;
  signature_of(what.algorithm, subject_public_key_info, message, expected);
  return constant_time_equal(expected, signature) ? VerifyResult::valid : VerifyResult::invalid;
}

template <std::size_t... index>
constexpr std::array<SignatureVerifier, sizeof...(index)> make_verifiers(std::index_sequence<index...>) {
  return {SignatureVerifier{every::kVerifications[index].algorithm, every::kVerifications[index].key, kImplementation,
                            verify<every::kVerifications[index]>, kInsecure}...};
}

constexpr auto kVerifiers = make_verifiers(std::make_index_sequence<std::size(every::kVerifications)>());

// --- keys ------------------------------------------------------------------------------------------------------------

// PKCS#8's privateKey here is: a seed, the size of an RSA modulus in bytes (0 for the others), and a sum over both.
constexpr std::size_t kSeedSize = 32;
constexpr std::size_t kNumbersSize = kSeedSize + 2;
constexpr std::size_t kSumSize = 8;
constexpr std::size_t kMinRsaBits = 2048;
constexpr std::size_t kMaxRsaBits = 8192;

bool is_rsa(KeyType type) noexcept { return type == KeyType::rsa || type == KeyType::rsa_pss; }

std::size_t modulus_size(Bytes numbers) noexcept {
  return static_cast<std::size_t>(numbers[kSeedSize]) << 8U | numbers[kSeedSize + 1];
}

void sum_of(KeyType type, Bytes numbers, MutableBytes out) noexcept {
  Mixer mixer(0x50 + static_cast<std::uint64_t>(type));
  mixer.absorb(numbers);
  mixer.squeeze(out);
}

/// The size of a public key's bits as its standard has it; those of curves are points that begin with 4.
std::size_t public_size(KeyType type) noexcept {
  switch (type) {
    case KeyType::ec_p256:
    case KeyType::ec_brainpoolP256r1: return 65;
    case KeyType::ec_p384:
    case KeyType::ec_brainpoolP384r1: return 97;
    case KeyType::ec_p521: return 133;
    case KeyType::ec_brainpoolP512r1: return 129;
    case KeyType::ed25519: return 32;
    case KeyType::ed448: return 57;
    case KeyType::mldsa44: return 1312;
    case KeyType::mldsa65: return 1952;
    case KeyType::mldsa87: return 2592;
    case KeyType::rsa:
    case KeyType::rsa_pss: break;
  }
  return 0;
}

Buffer public_bits(KeyType type, Bytes numbers) {
  Buffer bits(is_rsa(type) ? modulus_size(numbers) + 1 : public_size(type));
  Mixer mixer(0x90 + static_cast<std::uint64_t>(type));
  mixer.absorb(numbers);
  mixer.squeeze(bits);
  if (is_rsa(type)) {
    constexpr std::uint8_t kExponent[] = {1, 0, 1};
    bits[0] = 0;
    bits[1] |= 0x80U;
    bits.back() |= 1U;
    return der::value<Buffer>(
        der::kSequence, {der::value<Buffer>(der::kInteger, {bits}), der::value<Buffer>(der::kInteger, {kExponent})});
  }
  const bool is_point = type != KeyType::ed25519 && type != KeyType::ed448 && bits.size() < 1000;
  if (is_point) bits.front() = 4;
  if (type == KeyType::ed448) bits.back() &= 0x80U;  // RFC 8032 5.2.2: nothing but the sign of x
  return bits;
}

Buffer make_public_key_info(KeyType type, Bytes numbers) {
  constexpr std::uint8_t kNoUnusedBits[] = {0};
  const Buffer bits = public_bits(type, numbers);
  return der::value<Buffer>(der::kSequence, {der::value<Buffer>(der::kSequence, {key_info::identifier_of(type)}),
                                             der::value<Buffer>(der::kBitString, {kNoUnusedBits, bits})});
}

class Key final : public SigningKey {
 public:
  Key(KeyType type, Bytes numbers) : type_(type), subject_public_key_info_(make_public_key_info(type, numbers)) {
    for (const SignatureScheme scheme : known_schemes())
      if (parts(scheme)->key == type) schemes_.push_back(scheme);
  }
  [[nodiscard]] KeyType type() const noexcept override { return type_; }
  [[nodiscard]] Bytes subject_public_key_info() const noexcept override { return subject_public_key_info_; }
  [[nodiscard]] std::span<const SignatureScheme> schemes() const noexcept override { return schemes_; }
  [[nodiscard]] std::size_t sign(SignatureScheme scheme, Bytes message, RandomSource& /*random*/,
                                 MutableBytes out) const noexcept override {
    if (std::ranges::find(schemes_, scheme) == schemes_.end() || out.size() < kSignatureSize) return 0;
    signature_of(parts(scheme)->algorithm, subject_public_key_info_, message, out.first(kSignatureSize));
    return kSignatureSize;
  }
  [[nodiscard]] bool decrypt(Bytes ciphertext, RandomSource& random, MutableBytes out) const noexcept override {
    return fake::decrypt(subject_public_key_info_, ciphertext, random, out);
  }

 private:
  KeyType type_;
  Buffer subject_public_key_info_;
  std::vector<SignatureScheme> schemes_;
};

std::expected<std::shared_ptr<const SigningKey>, KeyError> load(Bytes pkcs8) noexcept {
  const auto info = key_info::read_private(pkcs8);
  if (!info) return std::unexpected(KeyError::malformed);
  const auto type = key_info::type_of(info->algorithm_identifier);
  if (!type) return std::unexpected(KeyError::unsupported);
  const Bytes key = info->private_key;
  if (key.size() != kNumbersSize + kSumSize) return std::unexpected(KeyError::malformed);
  std::array<std::uint8_t, kSumSize> sum;
  sum_of(*type, key.first(kNumbersSize), sum);
  const std::size_t size = modulus_size(key);
  if (!equal(sum, key.last(kSumSize)) || (is_rsa(*type) ? size < kMinRsaBits / 8 || size > kMaxRsaBits / 8 : size != 0))
    return std::unexpected(KeyError::invalid);
  try {
    return std::make_shared<const Key>(*type, key.first(kNumbersSize));
  } catch (...) {
    return std::unexpected(KeyError::failed);
  }
}

std::expected<Buffer, KeyError> generate(KeyType type, std::size_t bits, RandomSource& random) noexcept {
  if (bits != 0 && (!is_rsa(type) || bits < kMinRsaBits || bits > kMaxRsaBits))
    return std::unexpected(KeyError::unsupported);
  constexpr std::uint8_t kVersion1[] = {der::kInteger, 1, 0};
  std::array<std::uint8_t, kNumbersSize + kSumSize> key{};
  if (!random.fill(MutableBytes(key).first(kSeedSize))) return std::unexpected(KeyError::failed);
  if (is_rsa(type)) {
    const std::size_t size = (bits == 0 ? kMinRsaBits : bits) / 8;
    key[kSeedSize] = static_cast<std::uint8_t>(size >> 8U);
    key[kSeedSize + 1] = static_cast<std::uint8_t>(size);
  }
  sum_of(type, Bytes(key).first(kNumbersSize), MutableBytes(key).last(kSumSize));
  try {
    return der::value<Buffer>(der::kSequence,
                              {kVersion1, der::value<Buffer>(der::kSequence, {key_info::identifier_of(type)}),
                               der::value<Buffer>(der::kOctetString, {key})});
  } catch (...) {
    return std::unexpected(KeyError::failed);
  }
}

constexpr std::array kLoaders{KeyLoader{kImplementation, every::kKeys, load, nullptr, generate, kInsecure}};

}  // namespace

std::vector<const SignatureVerifier*> verifiers() { return pointers(kVerifiers); }

std::vector<const KeyLoader*> key_loaders() { return pointers(kLoaders); }

}  // namespace lockstep::fake
