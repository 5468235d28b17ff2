#pragma once
// Private keys that sign several messages at once.

#include <memory>

#include "lanes.hpp"
#include "rsa.hpp"
#include "weierstrass.hpp"

namespace lockstep::multibuffer {

/// The libcrypto provider's key, which does what comes alone.
class BatchingKey : public SigningKey {
 public:
  BatchingKey(std::shared_ptr<const SigningKey> single, std::size_t least) noexcept
      : single_(std::move(single)), least_(least) {}

  [[nodiscard]] KeyType type() const noexcept final { return single_->type(); }
  [[nodiscard]] Bytes subject_public_key_info() const noexcept final { return single_->subject_public_key_info(); }
  [[nodiscard]] std::span<const SignatureScheme> schemes() const noexcept final { return single_->schemes(); }
  [[nodiscard]] std::size_t sign(SignatureScheme scheme, Bytes message, RandomSource& random,
                                 MutableBytes out) const noexcept final {
    return single_->sign(scheme, message, random, out);
  }
  [[nodiscard]] bool decrypt(Bytes ciphertext, RandomSource& random, MutableBytes out) const noexcept final {
    return single_->decrypt(ciphertext, random, out);
  }
  [[nodiscard]] std::size_t width() const noexcept final { return kLanes; }
  void sign_many(std::span<SignJob> jobs) const noexcept final;

 protected:
  /// What can be signed together; null for what cannot, whose size is set.
  [[nodiscard]] Lanes<SignJob> sort_out(std::span<SignJob> jobs) const noexcept;
  virtual void sign_together(const Lanes<SignJob>& jobs) const noexcept = 0;

 private:
  void sign_alone(SignJob& job) const noexcept;

  std::shared_ptr<const SigningKey> single_;
  std::size_t least_;  ///< how few cost less together than one by one
};

template <class Curve>
class EcdsaKey final : public BatchingKey {
 public:
  EcdsaKey(std::shared_ptr<const SigningKey> single, Bytes scalar) noexcept;

 private:
  void sign_together(const Lanes<SignJob>& jobs) const noexcept override;

  Secret<Curve::kSize> scalar_;
};

class RsaKey final : public BatchingKey {
 public:
  RsaKey(std::shared_ptr<const SigningKey> single, std::unique_ptr<const RsaPrivateKey> key) noexcept;

 private:
  void sign_together(const Lanes<SignJob>& jobs) const noexcept override;

  std::unique_ptr<const RsaPrivateKey> key_;
};

}  // namespace lockstep::multibuffer
