#pragma once
// RSA (RFC 8017): the private operation with one key on up to eight messages, the public one with up to eight keys,
// and what is signed.

#include <memory>
#include <mutex>
#include <optional>

#include <openssl/bn.h>

#include "lanes.hpp"
#include "libcrypto/library.hpp"

namespace lockstep::multibuffer {

inline constexpr std::size_t kMaxModulusSize = 512;

/// Whether crypto_mb has the operations of this size.
[[nodiscard]] constexpr bool has_modulus(std::size_t bytes) noexcept {
  return bytes == 256 || bytes == 384 || bytes == 512;
}

/// A public key that crypto_mb can work with. Views live as long as the bits.
struct RsaPublicKey {
  Bytes modulus;
};
/// RSAPublicKey (RFC 8017 A.1.1) of such a key: 2048, 3072 or 4096 bits, and the exponent 65537.
[[nodiscard]] std::optional<RsaPublicKey> read_rsa_public_key(Bytes bits) noexcept;

/// RFC 8017 5.2.2 on all lanes with moduli of `size` bytes. Inputs are less than their moduli. False where memory ran
/// out or a lane was not computed.
[[nodiscard]] bool apply_public(std::size_t size, const Lanes<const std::uint8_t>& moduli,
                                const Lanes<const std::uint8_t>& in, const Lanes<std::uint8_t>& out) noexcept;

/// A private key, blinded: what crypto_mb computes with is random for whoever chose the message, and its result leaves
/// when the public operation leads back from it.
class RsaPrivateKey {
 public:
  /// RSAPrivateKey (RFC 8017 A.1.2) whose numbers are known to belong together. Null when crypto_mb cannot work with
  /// it, or memory ran out.
  [[nodiscard]] static std::unique_ptr<RsaPrivateKey> read(Bytes der) noexcept;

  RsaPrivateKey() noexcept = default;
  RsaPrivateKey(const RsaPrivateKey&) = delete;
  RsaPrivateKey& operator=(const RsaPrivateKey&) = delete;
  ~RsaPrivateKey() { wipe(modulus_); }

  /// Of the modulus, in bytes.
  [[nodiscard]] std::size_t size() const noexcept { return size_; }

  /// RFC 8017 5.2.1 on all lanes. Every input is less than the modulus and has its size, as every output. Which lanes
  /// were computed, a bit for each; in the others, outputs are zeros.
  [[nodiscard]] std::uint8_t apply(const Lanes<const std::uint8_t>& in, const Lanes<std::uint8_t>& out) const noexcept;

  /// For tests: what a fault does to one of the numbers.
  void flip_bit_of_p_exponent() noexcept { dp_[0] ^= 2U; }

 private:
  static constexpr std::size_t kFactorLimbs = kMaxModulusSize / 16;

  bool prepare_blinding() noexcept;
  [[nodiscard]] BN_BLINDING* new_blinding(BN_CTX* numbers) const noexcept;
  /// What is signed, blinded, and the number that takes it off again.
  [[nodiscard]] bool blind(BIGNUM* number, BIGNUM* unblind, BN_CTX* numbers) const noexcept;
  [[nodiscard]] bool take_off(BIGNUM* number, const BIGNUM* unblind, BN_CTX* numbers) const noexcept;

  std::size_t size_ = 0;
  std::array<std::uint8_t, kMaxModulusSize> modulus_{};
  SecretLimbs<kFactorLimbs> p_, q_, dp_, dq_, qi_;

  libcrypto::Number n_;
  libcrypto::Owned<BN_MONT_CTX, BN_MONT_CTX_free> montgomery_;
  mutable std::mutex blinding_mutex_;
  mutable libcrypto::Owned<BN_BLINDING, BN_BLINDING_free> blinding_;
  mutable std::size_t blinded_ = 0;  ///< how often, since it was made
};

// --- what is signed --------------------------------------------------------------------------------------------------

/// EMSA-PSS (RFC 8017 9.1) with a salt as long as the digest, of a modulus of encoded.size() bytes and no bit less;
/// EMSA-PKCS1-v1_5 (9.2). False when there is no room, or the library failed.
[[nodiscard]] bool encode_pss(const Hash& hash, Bytes digest, Bytes salt, MutableBytes encoded) noexcept;
[[nodiscard]] bool verify_pss(const Hash& hash, Bytes digest, MutableBytes encoded) noexcept;
[[nodiscard]] bool encode_pkcs1(const Hash& hash, Bytes digest, MutableBytes encoded) noexcept;

}  // namespace lockstep::multibuffer
