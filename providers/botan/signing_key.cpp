#include "signing_key.hpp"

#include <algorithm>

#include <botan/system_rng.h>

#include "common/signing.hpp"
#include "der.hpp"
#include "random.hpp"

namespace lockstep::botan {
namespace {

std::vector<std::uint8_t> make_public_key_info(const Botan::Private_Key& key, Bytes algorithm_identifier) {
  constexpr std::array<std::uint8_t, 1> kNoUnusedBits{0};
  const auto info = der::value(der::kSequence, {der::value(der::kSequence, {algorithm_identifier}),
                                                der::value(der::kBitString, {kNoUnusedBits, key.public_key_bits()})});
  return {info.begin(), info.end()};
}

}  // namespace

HeldKey::HeldKey(std::unique_ptr<const Botan::Private_Key> key, const key_info::Algorithm& algorithm,
                 Bytes algorithm_identifier)
    : key_(std::move(key)),
      type_(algorithm.type),
      subject_public_key_info_(make_public_key_info(*key_, algorithm_identifier)),
      schemes_(schemes_of(algorithm, key_->key_length())),
      signers_(std::make_unique<Signers[]>(schemes_.size())) {}

HeldKey::~HeldKey() = default;

std::span<const SignatureScheme> HeldKey::schemes() const noexcept { return schemes_; }

std::size_t HeldKey::sign(SignatureScheme scheme, Bytes message, RandomSource& random,
                          MutableBytes out) const noexcept {
  const auto found = std::ranges::find(schemes_, scheme);
  if (found == schemes_.end()) return 0;
  Signers& signers = signers_[static_cast<std::size_t>(found - schemes_.begin())];
  try {
    auto signer = signers.take();
    if (!signer) {
      const SignatureMethod method = signature_method(parts(scheme)->algorithm);
      const auto format = method.der ? Botan::Signature_Format::DerSequence : Botan::Signature_Format::Standard;
      // A signer keeps the generator it is made with, for blinding, so it must be one that outlives it.
      signer = std::make_unique<Botan::PK_Signer>(*key_, Botan::system_rng(), method.signing, format);
    }
    SourceRng rng(random);
    const std::vector<std::uint8_t> signature = signer->sign_message(message, rng);
    signers.give_back(std::move(signer));
    if (signature.size() > out.size()) return 0;
    std::ranges::copy(signature, out.begin());
    return signature.size();
  } catch (...) {
    return 0;
  }
}

std::unique_ptr<Botan::PK_Signer> HeldKey::Signers::take() noexcept {
  const std::lock_guard lock(mutex_);
  if (idle_.empty()) return nullptr;
  auto signer = std::move(idle_.back());
  idle_.pop_back();
  return signer;
}

void HeldKey::Signers::give_back(std::unique_ptr<Botan::PK_Signer> signer) {
  const std::lock_guard lock(mutex_);
  idle_.push_back(std::move(signer));
}

bool HeldKey::decrypt(Bytes ciphertext, RandomSource& random, MutableBytes out) const noexcept {
  if (type_ != KeyType::rsa) return false;
  try {
    SourceRng rng(random);
    const Botan::PK_Decryptor_EME decryptor(*key_, rng, "PKCS1v15");
    // Random bytes where the padding or the length is wrong, chosen without a branch.
    const auto plain = decryptor.decrypt_or_random(ciphertext.data(), ciphertext.size(), out.size(), rng);
    if (plain.size() != out.size()) return false;
    std::ranges::copy(plain, out.begin());
    return true;
  } catch (...) {
    return false;
  }
}

}  // namespace lockstep::botan
