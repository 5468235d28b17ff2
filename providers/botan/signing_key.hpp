#pragma once
// A private key held by Botan.

#include <memory>
#include <mutex>
#include <vector>

#include <botan/pk_keys.h>
#include <botan/pubkey.h>

#include <lockstep/provider.hpp>

#include "common/key_info.hpp"
#include "public_key.hpp"

namespace lockstep::botan {

/// Signs with any number of threads at once. What Botan prepares for signing costs more than signing itself, so it is
/// kept: for each scheme as many signers as ever signed at the same time.
class HeldKey final : public SigningKey {
 public:
  /// `algorithm_identifier` is the contents that its SubjectPublicKeyInfo states. Throws when memory runs out.
  HeldKey(std::unique_ptr<const Botan::Private_Key> key, const key_info::Algorithm& algorithm,
          Bytes algorithm_identifier);
  ~HeldKey() override;

  [[nodiscard]] KeyType type() const noexcept override { return type_; }
  [[nodiscard]] Bytes subject_public_key_info() const noexcept override { return subject_public_key_info_; }
  [[nodiscard]] std::span<const SignatureScheme> schemes() const noexcept override;
  [[nodiscard]] std::size_t sign(SignatureScheme scheme, Bytes message, RandomSource& random,
                                 MutableBytes out) const noexcept override;
  [[nodiscard]] bool decrypt(Bytes ciphertext, RandomSource& random, MutableBytes out) const noexcept override;

 private:
  /// The idle signers of one scheme.
  class Signers {
   public:
    std::unique_ptr<Botan::PK_Signer> take() noexcept;
    void give_back(std::unique_ptr<Botan::PK_Signer> signer);

   private:
    std::mutex mutex_;
    std::vector<std::unique_ptr<Botan::PK_Signer>> idle_;
  };

  std::unique_ptr<const Botan::Private_Key> key_;
  KeyType type_;
  std::vector<std::uint8_t> subject_public_key_info_;
  std::vector<SignatureScheme> schemes_;
  std::unique_ptr<Signers[]> signers_;  ///< by position in schemes_
};

}  // namespace lockstep::botan
