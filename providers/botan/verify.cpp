// Verification of signatures, one function per algorithm and type of key.

#include <array>
#include <mutex>
#include <new>
#include <optional>
#include <utility>

#include <botan/pubkey.h>

#include "common/edwards.hpp"
#include "common/key_info.hpp"
#include "common/signing.hpp"
#include "descriptors.hpp"
#include "public_key.hpp"

namespace lockstep::botan {
namespace {

bool is_rsa(KeyType type) noexcept { return type == KeyType::rsa || type == KeyType::rsa_pss; }

/// The key, if it is one for the algorithm; else null.
std::unique_ptr<Botan::Public_Key> read_key(SignatureAlgorithm algorithm, KeyType type, Bytes subject_public_key_info) {
  const auto info = key_info::read_public(subject_public_key_info);
  const auto stated = info ? key_info::read_algorithm(info->algorithm_identifier) : std::nullopt;
  if (!stated || stated->type != type) return nullptr;
  if (stated->only_hash && stated->only_hash != hash_of(algorithm)) return nullptr;
  return make_public_key(type, info->bits);
}

Botan::PK_Verifier make_verifier(const Botan::Public_Key& key, SignatureAlgorithm algorithm) {
  const SignatureMethod method = signature_method(algorithm);
  return {key, method.verifying, method.der ? Botan::Signature_Format::DerSequence : Botan::Signature_Format::Standard};
}

/// Whether a signature need not be looked at.
bool has_wrong_form(const Botan::Public_Key& key, KeyType type, Bytes signature) {
  // RFC 8017 8.1.2 and 8.2.2: "If the length of the signature S is not k octets, output "invalid signature" and stop."
  if (is_rsa(type) && signature.size() != (key.key_length() + 7) / 8) return true;
  return !edwards::has_acceptable_r(type, signature);
}

VerifyResult caught(auto verify) noexcept {
  try {
    return verify();
  } catch (const std::bad_alloc&) {
    return VerifyResult::failed;
  } catch (...) {
    return VerifyResult::invalid;
  }
}

VerifyResult result_of(bool valid) noexcept { return valid ? VerifyResult::valid : VerifyResult::invalid; }

template <SignatureAlgorithm algorithm, KeyType type>
VerifyResult verify(Bytes subject_public_key_info, Bytes message, Bytes signature) noexcept {
  return caught([&] {
    const auto key = read_key(algorithm, type, subject_public_key_info);
    if (!key) return VerifyResult::bad_key;
    if (has_wrong_form(*key, type, signature)) return VerifyResult::invalid;
    return result_of(make_verifier(*key, algorithm).verify_message(message, signature));
  });
}

/// Botan computes multiples of a point beforehand, once for each of its verifiers, which serve one thread at a time:
/// who finds ours taken makes one of his own.
class Prepared final : public PreparedKey {
 public:
  Prepared(SignatureAlgorithm algorithm, KeyType type, std::unique_ptr<const Botan::Public_Key> key)
      : algorithm_(algorithm), type_(type), key_(std::move(key)), verifier_(make_verifier(*key_, algorithm_)) {}

  [[nodiscard]] VerifyResult verify(Bytes message, Bytes signature) const noexcept override {
    return caught([&] {
      if (has_wrong_form(*key_, type_, signature)) return VerifyResult::invalid;
      const std::unique_lock lock(taken_, std::try_to_lock);
      if (!lock || !verifier_) return result_of(make_verifier(*key_, algorithm_).verify_message(message, signature));
      // One that refused is not relied on again to be as it was before.
      std::optional<Botan::PK_Verifier> used = std::exchange(verifier_, std::nullopt);
      if (!used->verify_message(message, signature)) {
        verifier_.emplace(make_verifier(*key_, algorithm_));
        return VerifyResult::invalid;
      }
      verifier_ = std::move(used);
      return VerifyResult::valid;
    });
  }

 private:
  SignatureAlgorithm algorithm_;
  KeyType type_;
  std::unique_ptr<const Botan::Public_Key> key_;
  mutable std::mutex taken_;
  mutable std::optional<Botan::PK_Verifier> verifier_;
};

template <SignatureAlgorithm algorithm, KeyType type>
std::shared_ptr<const PreparedKey> prepare(Bytes subject_public_key_info) noexcept {
  try {
    auto key = read_key(algorithm, type, subject_public_key_info);
    return key ? std::make_shared<const Prepared>(algorithm, type, std::move(key)) : nullptr;
  } catch (...) {
    return nullptr;
  }
}

/// Of what a verification takes, the key has a half with RSA and a quarter with curves; with Ed25519 it has nothing.
constexpr bool is_worth_preparing(KeyType type) noexcept {
  switch (type) {
    case KeyType::ed25519:
    case KeyType::ed448:
    case KeyType::mldsa44:
    case KeyType::mldsa65:
    case KeyType::mldsa87: return false;
    default: return true;
  }
}

template <SignatureAlgorithm algorithm, KeyType type>
constexpr SignatureVerifier row() {
  return {.algorithm = algorithm,
          .key = type,
          .implementation = kImplementation,
          .verify = verify<algorithm, type>,
          .prepare = is_worth_preparing(type) ? prepare<algorithm, type> : nullptr};
}

using enum SignatureAlgorithm;

constexpr std::array kVerifiers{
    row<ecdsa_sha256, KeyType::ec_p256>(),
    row<ecdsa_sha384, KeyType::ec_p256>(),
    row<ecdsa_sha512, KeyType::ec_p256>(),
    row<ecdsa_sha256, KeyType::ec_p384>(),
    row<ecdsa_sha384, KeyType::ec_p384>(),
    row<ecdsa_sha512, KeyType::ec_p384>(),
    row<ecdsa_sha256, KeyType::ec_p521>(),
    row<ecdsa_sha384, KeyType::ec_p521>(),
    row<ecdsa_sha512, KeyType::ec_p521>(),
    row<ecdsa_sha256, KeyType::ec_brainpoolP256r1>(),
    row<ecdsa_sha384, KeyType::ec_brainpoolP256r1>(),
    row<ecdsa_sha512, KeyType::ec_brainpoolP256r1>(),
    row<ecdsa_sha256, KeyType::ec_brainpoolP384r1>(),
    row<ecdsa_sha384, KeyType::ec_brainpoolP384r1>(),
    row<ecdsa_sha512, KeyType::ec_brainpoolP384r1>(),
    row<ecdsa_sha256, KeyType::ec_brainpoolP512r1>(),
    row<ecdsa_sha384, KeyType::ec_brainpoolP512r1>(),
    row<ecdsa_sha512, KeyType::ec_brainpoolP512r1>(),
    row<rsa_pkcs1_sha256, KeyType::rsa>(),
    row<rsa_pkcs1_sha384, KeyType::rsa>(),
    row<rsa_pkcs1_sha512, KeyType::rsa>(),
    row<rsa_pss_sha256, KeyType::rsa>(),
    row<rsa_pss_sha384, KeyType::rsa>(),
    row<rsa_pss_sha512, KeyType::rsa>(),
    row<rsa_pss_sha256, KeyType::rsa_pss>(),
    row<rsa_pss_sha384, KeyType::rsa_pss>(),
    row<rsa_pss_sha512, KeyType::rsa_pss>(),
    row<ed25519, KeyType::ed25519>(),
    row<ed448, KeyType::ed448>(),
    row<mldsa44, KeyType::mldsa44>(),
    row<mldsa65, KeyType::mldsa65>(),
    row<mldsa87, KeyType::mldsa87>(),
    row<ecdsa_sha1, KeyType::ec_p256>(),
    row<ecdsa_sha1, KeyType::ec_p384>(),
    row<ecdsa_sha1, KeyType::ec_p521>(),
    row<rsa_pkcs1_sha1, KeyType::rsa>(),
};

}  // namespace

std::vector<const SignatureVerifier*> verifiers() { return pointers(kVerifiers); }

}  // namespace lockstep::botan
