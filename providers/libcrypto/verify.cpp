// Verification of signatures, one function per algorithm and type of key.

#include <array>

#include "common/edwards.hpp"
#include "common/key_info.hpp"
#include "common/signing.hpp"
#include "descriptors.hpp"
#include "public_key.hpp"

namespace lockstep::libcrypto {
namespace {

VerifyResult verify(const Library& library, SignatureAlgorithm algorithm, KeyType type, Bytes subject_public_key_info,
                    Bytes message, Bytes signature) noexcept {
  const auto info = key_info::read_public(subject_public_key_info);
  const auto stated = info ? key_info::read_algorithm(info->algorithm_identifier) : std::nullopt;
  if (!stated || stated->type != type) return VerifyResult::bad_key;
  if (stated->only_hash && stated->only_hash != hash_of(algorithm)) return VerifyResult::bad_key;
  const Quiet quiet;
  const Key key = make_public_key(library, type, info->bits);
  if (!key) return VerifyResult::bad_key;
  // RFC 8017 8.1.2 and 8.2.2: "If the length of the signature S is not k octets, output "invalid signature" and stop."
  if (is_rsa(type) && signature.size() != static_cast<std::size_t>(EVP_PKEY_get_size(key.get())))
    return VerifyResult::invalid;
  if (!edwards::has_acceptable_r(type, signature)) return VerifyResult::invalid;
  const DigestContext context(EVP_MD_CTX_new());
  if (!context || !begin_verifying(library, context.get(), algorithm, key.get())) return VerifyResult::failed;
  return EVP_DigestVerify(context.get(), signature.data(), signature.size(), message.data(), message.size()) > 0
             ? VerifyResult::valid
             : VerifyResult::invalid;
}

template <std::size_t number, std::size_t row>
VerifyResult verify_by(Bytes subject_public_key_info, Bytes message, Bytes signature) noexcept {
  constexpr Verification kRow = every::kVerifications[row];
  return verify(library<number>(), kRow.algorithm, kRow.key, subject_public_key_info, message, signature);
}

template <std::size_t number>
std::span<const SignatureVerifier> table() {
  static constexpr auto kVerifiers = []<std::size_t... row>(std::index_sequence<row...>) {
    return std::array{SignatureVerifier{every::kVerifications[row].algorithm, every::kVerifications[row].key,
                                        kImplementation, verify_by<number, row>}...};
  }(std::make_index_sequence<std::size(every::kVerifications)>());
  return kVerifiers;
}

}  // namespace

std::vector<const SignatureVerifier*> verifiers(std::size_t library) {
  const Quiet quiet;
  return of_library(library, []<std::size_t number>() {
    return pointers(table<number>(), [](const SignatureVerifier& row) {
      const Library& in = libcrypto::library<number>();
      const std::size_t curve = curve_index(row.key);
      return curve < kCurves.size() ? in.curves[curve] != nullptr : in.named(type_name(row.key)) != nullptr;
    });
  });
}

}  // namespace lockstep::libcrypto
