// Ed25519 (RFC 8032): verification, keys from PKCS#8 and new ones (RFC 8410).

#include <array>

#include <sodium.h>

#include "common/edwards.hpp"
#include "common/key_info.hpp"
#include "descriptors.hpp"

namespace lockstep::sodium {
namespace {

constexpr std::size_t kPublicSize = crypto_sign_ed25519_PUBLICKEYBYTES;
constexpr std::size_t kSeedSize = crypto_sign_ed25519_SEEDBYTES;
constexpr std::size_t kSignatureSize = crypto_sign_ed25519_BYTES;

// RFC 8410 10: the only form of each in DER, but for its last 32 bytes.
constexpr std::array<std::uint8_t, 12> kPublicPrefix{0x30, 0x2a, 0x30, 0x05, 0x06, 0x03,
                                                     0x2b, 0x65, 0x70, 0x03, 0x21, 0x00};
constexpr std::array<std::uint8_t, 16> kPrivatePrefix{0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06,
                                                      0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20};

VerifyResult verify(Bytes subject_public_key_info, Bytes message, Bytes signature) noexcept {
  if (subject_public_key_info.size() != kPublicPrefix.size() + kPublicSize ||
      !equal(subject_public_key_info.first(kPublicPrefix.size()), kPublicPrefix))
    return VerifyResult::bad_key;
  const Bytes key = subject_public_key_info.last(kPublicSize);
  if (!edwards::is_acceptable(KeyType::ed25519, key)) return VerifyResult::bad_key;
  return signature.size() == kSignatureSize && edwards::has_acceptable_r(KeyType::ed25519, signature) &&
                 crypto_sign_ed25519_verify_detached(signature.data(), message.data(), message.size(), key.data()) == 0
             ? VerifyResult::valid
             : VerifyResult::invalid;
}

class Key final : public SigningKey {
 public:
  explicit Key(Bytes seed) noexcept {
    std::ranges::copy(kPublicPrefix, subject_public_key_info_.begin());
    crypto_sign_ed25519_seed_keypair(subject_public_key_info_.data() + kPublicPrefix.size(), key_.writable().data(),
                                     seed.data());
  }
  [[nodiscard]] KeyType type() const noexcept override { return KeyType::ed25519; }
  [[nodiscard]] Bytes subject_public_key_info() const noexcept override { return subject_public_key_info_; }
  [[nodiscard]] std::span<const SignatureScheme> schemes() const noexcept override {
    static constexpr std::array kSchemes{SignatureScheme::ed25519};
    return kSchemes;
  }
  /// RFC 8032 5.1.6: the signature follows from key and message; no randomness is drawn.
  [[nodiscard]] std::size_t sign(SignatureScheme scheme, Bytes message, RandomSource& /*random*/,
                                 MutableBytes out) const noexcept override {
    if (scheme != SignatureScheme::ed25519 || out.size() < kSignatureSize ||
        crypto_sign_ed25519_detached(out.data(), nullptr, message.data(), message.size(), key_.view().data()) != 0)
      return 0;
    return kSignatureSize;
  }

 private:
  std::array<std::uint8_t, kPublicPrefix.size() + kPublicSize> subject_public_key_info_{};
  Secret<crypto_sign_ed25519_SECRETKEYBYTES> key_{std::size_t{crypto_sign_ed25519_SECRETKEYBYTES}};
};

std::expected<std::shared_ptr<const SigningKey>, KeyError> load(Bytes pkcs8) noexcept {
  const auto info = key_info::read_private(pkcs8);
  if (!info) return std::unexpected(KeyError::malformed);
  if (key_info::type_of(info->algorithm_identifier) != KeyType::ed25519) return std::unexpected(KeyError::unsupported);
  // RFC 8410 7: CurvePrivateKey is an OCTET STRING within the OCTET STRING.
  const auto seed = der::read_whole(info->private_key, der::kOctetString);
  if (!seed || seed->size() != kSeedSize) return std::unexpected(KeyError::malformed);
  try {
    auto key = std::make_shared<const Key>(*seed);
    if (info->public_key && !constant_time_equal(*info->public_key, key->subject_public_key_info().last(kPublicSize)))
      return std::unexpected(KeyError::invalid);
    return key;
  } catch (...) {
    return std::unexpected(KeyError::failed);
  }
}

std::expected<std::vector<std::uint8_t>, KeyError> generate(KeyType type, std::size_t bits,
                                                            RandomSource& random) noexcept {
  if (type != KeyType::ed25519 || bits != 0) return std::unexpected(KeyError::unsupported);
  try {
    std::vector<std::uint8_t> pkcs8(kPrivatePrefix.begin(), kPrivatePrefix.end());
    pkcs8.resize(kPrivatePrefix.size() + kSeedSize);
    if (!random.fill(MutableBytes(pkcs8).last(kSeedSize))) return std::unexpected(KeyError::failed);
    return pkcs8;
  } catch (...) {
    return std::unexpected(KeyError::failed);
  }
}

constexpr std::array kVerifiers{
    SignatureVerifier{SignatureAlgorithm::ed25519, KeyType::ed25519, kImplementation, verify}};
constexpr std::array kKeyTypes{KeyType::ed25519};
constexpr std::array kLoaders{KeyLoader{kImplementation, kKeyTypes, load, nullptr, generate}};

}  // namespace

std::vector<const SignatureVerifier*> verifiers() { return pointers(kVerifiers); }

std::vector<const KeyLoader*> key_loaders() { return pointers(kLoaders); }

}  // namespace lockstep::sodium
