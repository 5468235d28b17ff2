// Verification of signatures, one function per algorithm and type of key.

#include <array>
#include <new>

#include <botan/pubkey.h>

#include "common/edwards.hpp"
#include "common/key_info.hpp"
#include "common/signing.hpp"
#include "descriptors.hpp"
#include "public_key.hpp"

namespace lockstep::botan {
namespace {

bool is_rsa(KeyType type) noexcept { return type == KeyType::rsa || type == KeyType::rsa_pss; }

template <SignatureAlgorithm algorithm, KeyType type>
VerifyResult verify(Bytes subject_public_key_info, Bytes message, Bytes signature) noexcept {
  const auto info = key_info::read_public(subject_public_key_info);
  const auto stated = info ? key_info::read_algorithm(info->algorithm_identifier) : std::nullopt;
  if (!stated || stated->type != type) return VerifyResult::bad_key;
  if (stated->only_hash && stated->only_hash != hash_of(algorithm)) return VerifyResult::bad_key;
  try {
    const auto key = make_public_key(type, info->bits);
    if (!key) return VerifyResult::bad_key;
    // RFC 8017 8.1.2 and 8.2.2: "If the length of the signature S is not k octets, output "invalid signature" and
    // stop."
    if (is_rsa(type) && signature.size() != (key->key_length() + 7) / 8) return VerifyResult::invalid;
    if (!edwards::has_acceptable_r(type, signature)) return VerifyResult::invalid;
    const SignatureMethod method = signature_method(algorithm);
    const auto format = method.der ? Botan::Signature_Format::DerSequence : Botan::Signature_Format::Standard;
    Botan::PK_Verifier verifier(*key, method.verifying, format);
    return verifier.verify_message(message, signature) ? VerifyResult::valid : VerifyResult::invalid;
  } catch (const std::bad_alloc&) {
    return VerifyResult::failed;
  } catch (...) {
    return VerifyResult::invalid;
  }
}

template <SignatureAlgorithm algorithm, KeyType type>
constexpr SignatureVerifier row() {
  return {algorithm, type, kImplementation, verify<algorithm, type>};
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
