#pragma once
// A private key held by libcrypto.

#include <vector>

#include <lockstep/provider.hpp>

#include "common/key_info.hpp"
#include "library.hpp"

namespace lockstep::libcrypto {

/// Signs with any number of threads at once.
class HeldKey final : public SigningKey {
 public:
  /// `algorithm_identifier` is the contents that its SubjectPublicKeyInfo states. Throws when memory runs out.
  HeldKey(const Library& library, Key key, const key_info::Algorithm& algorithm, Bytes algorithm_identifier);

  [[nodiscard]] KeyType type() const noexcept override { return type_; }
  [[nodiscard]] Bytes subject_public_key_info() const noexcept override { return subject_public_key_info_; }
  [[nodiscard]] std::span<const SignatureScheme> schemes() const noexcept override { return schemes_; }
  [[nodiscard]] std::size_t sign(SignatureScheme scheme, Bytes message, RandomSource& random,
                                 MutableBytes out) const noexcept override;
  [[nodiscard]] bool decrypt(Bytes ciphertext, RandomSource& random, MutableBytes out) const noexcept override;

 private:
  const Library& library_;
  Key key_;
  KeyType type_;
  std::vector<std::uint8_t> subject_public_key_info_;
  std::vector<SignatureScheme> schemes_;
};

}  // namespace lockstep::libcrypto
