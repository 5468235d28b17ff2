// Verification of signatures, one function per algorithm and type of key.

#include <array>

#include "common/edwards.hpp"
#include "common/key_info.hpp"
#include "common/signing.hpp"
#include "descriptors.hpp"
#include "public_key.hpp"

namespace lockstep::libcrypto {
namespace {

/// The key, if it is one for the algorithm; else null.
Key read_key(const Library& library, Verification row, Bytes subject_public_key_info) noexcept {
  const auto info = key_info::read_public(subject_public_key_info);
  const auto stated = info ? key_info::read_algorithm(info->algorithm_identifier) : std::nullopt;
  if (!stated || stated->type != row.key) return nullptr;
  if (stated->only_hash && stated->only_hash != hash_of(row.algorithm)) return nullptr;
  return make_public_key(library, row.key, info->bits);
}

VerifyResult verify(const Library& library, Verification row, EVP_PKEY* key, Bytes message, Bytes signature) noexcept {
  // RFC 8017 8.1.2 and 8.2.2: "If the length of the signature S is not k octets, output "invalid signature" and stop."
  if (is_rsa(row.key) && signature.size() != static_cast<std::size_t>(EVP_PKEY_get_size(key)))
    return VerifyResult::invalid;
  if (!edwards::has_acceptable_r(row.key, signature)) return VerifyResult::invalid;
  const DigestContext context(EVP_MD_CTX_new());
  if (!context || !begin_verifying(library, context.get(), row.algorithm, key)) return VerifyResult::failed;
  return EVP_DigestVerify(context.get(), signature.data(), signature.size(), message.data(), message.size()) > 0
             ? VerifyResult::valid
             : VerifyResult::invalid;
}

template <std::size_t number, std::size_t row>
VerifyResult verify_by(Bytes subject_public_key_info, Bytes message, Bytes signature) noexcept {
  const Quiet quiet;
  const Key key = read_key(library<number>(), every::kVerifications[row], subject_public_key_info);
  return key ? verify(library<number>(), every::kVerifications[row], key.get(), message, signature)
             : VerifyResult::bad_key;
}

class Prepared final : public PreparedKey {
 public:
  Prepared(const Library& library, Verification row, Key key) noexcept
      : library_(library), row_(row), key_(std::move(key)) {}
  [[nodiscard]] VerifyResult verify(Bytes message, Bytes signature) const noexcept override {
    const Quiet quiet;
    return libcrypto::verify(library_, row_, key_.get(), message, signature);
  }

 private:
  const Library& library_;
  Verification row_;
  Key key_;
};

template <std::size_t number, std::size_t row>
std::shared_ptr<const PreparedKey> prepare_by(Bytes subject_public_key_info) noexcept {
  const Quiet quiet;
  Key key = read_key(library<number>(), every::kVerifications[row], subject_public_key_info);
  if (!key) return nullptr;
  try {
    return std::make_shared<const Prepared>(library<number>(), every::kVerifications[row], std::move(key));
  } catch (...) {
    return nullptr;
  }
}

/// A third of a verification with RSA is spent on the key, a fourteenth of one with P-256; with others next to nothing.
constexpr bool is_worth_preparing(KeyType key) noexcept { return is_rsa(key) || key == KeyType::ec_p256; }

template <std::size_t number>
std::span<const SignatureVerifier> table() {
  static constexpr auto kVerifiers = []<std::size_t... row>(std::index_sequence<row...>) {
    return std::array{SignatureVerifier{
        .algorithm = every::kVerifications[row].algorithm,
        .key = every::kVerifications[row].key,
        .implementation = kImplementation,
        .verify = verify_by<number, row>,
        .prepare = is_worth_preparing(every::kVerifications[row].key) ? prepare_by<number, row> : nullptr}...};
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
