#include "signing_key.hpp"

#include <algorithm>
#include <array>
#include <new>

#include <openssl/rsa.h>

#include <lockstep/rsa_limits.hpp>

#include "common/der.hpp"
#include "common/signing.hpp"
#include "public_key.hpp"
#include "random.hpp"

namespace lockstep::libcrypto {
namespace {

std::vector<std::uint8_t> make_public_key_info(const EVP_PKEY* key, KeyType type, Bytes algorithm_identifier) {
  constexpr std::array<std::uint8_t, 1> kNoUnusedBits{0};
  const auto bits = public_bits(key, type);
  if (bits.empty()) throw std::bad_alloc();
  using Buffer = std::vector<std::uint8_t>;
  return der::value<Buffer>(der::kSequence, {der::value<Buffer>(der::kSequence, {algorithm_identifier}),
                                             der::value<Buffer>(der::kBitString, {kNoUnusedBits, bits})});
}

/// All bits set where a byte is zero, in constant time.
std::uint8_t mask_of_zero(std::uint8_t byte) noexcept {
  return static_cast<std::uint8_t>((std::uint32_t{byte} - 1U) >> 8U);
}

/// RFC 8017 7.2.2: EM = 0x00 || 0x02 || PS || 0x00 || M, of which it is known how long M has to be. `out` is M, or
/// stays what it is; which, nobody can see.
void take_padded(Bytes encoded, MutableBytes out) noexcept {
  const std::size_t separator = encoded.size() - out.size() - 1;
  auto good = static_cast<std::uint8_t>(mask_of_zero(encoded[0]) & mask_of_zero(encoded[1] ^ 2U) &
                                        mask_of_zero(encoded[separator]));
  for (std::size_t i = 2; i < separator; ++i) good = static_cast<std::uint8_t>(good & ~mask_of_zero(encoded[i]));
  for (std::size_t i = 0; i < out.size(); ++i)
    out[i] = static_cast<std::uint8_t>((encoded[separator + 1 + i] & good) | (out[i] & ~good));
}

}  // namespace

HeldKey::HeldKey(const Library& library, Key key, const key_info::Algorithm& algorithm, Bytes algorithm_identifier)
    : library_(library),
      key_(std::move(key)),
      type_(algorithm.type),
      subject_public_key_info_(make_public_key_info(key_.get(), type_, algorithm_identifier)),
      schemes_(schemes_of(algorithm, static_cast<std::size_t>(EVP_PKEY_get_bits(key_.get())))) {}

std::size_t HeldKey::sign(SignatureScheme scheme, Bytes message, RandomSource& random,
                          MutableBytes out) const noexcept {
  if (std::ranges::find(schemes_, scheme) == schemes_.end()) return 0;
  const Quiet quiet;
  const Drawing drawing(random);
  const DigestContext context(EVP_MD_CTX_new());
  if (!context || !begin_signing(library_, context.get(), parts(scheme)->algorithm, key_.get())) return 0;
  std::size_t size = out.size();
  if (static_cast<std::size_t>(EVP_PKEY_get_size(key_.get())) > size) return 0;
  return EVP_DigestSign(context.get(), out.data(), &size, message.data(), message.size()) > 0 ? size : 0;
}

bool HeldKey::decrypt(Bytes ciphertext, RandomSource& random, MutableBytes out) const noexcept {
  // RFC 8017 7.2.1: at least eight bytes of padding.
  constexpr std::size_t kLeastPadding = 11;
  const auto size = static_cast<std::size_t>(EVP_PKEY_get_size(key_.get()));
  if (type_ != KeyType::rsa || size > kMaxRsaBits / 8 || size < out.size() + kLeastPadding) return false;
  if (!random.fill(out)) return false;
  // RFC 8017 7.2.2: "Length checking: If the length of the ciphertext C is not k octets (or if k < 11), output
  // "decryption error" and stop." Here that gives random bytes, too.
  if (ciphertext.size() != size) return true;
  const Quiet quiet;
  const KeyContext context = library_.with(key_.get());
  if (!context || EVP_PKEY_decrypt_init(context.get()) <= 0 ||
      EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_NO_PADDING) <= 0)
    return false;
  Secret<kMaxRsaBits / 8> encoded(size);
  std::size_t written = size;
  // A number that is not below the modulus: everybody can see that.
  if (EVP_PKEY_decrypt(context.get(), encoded.writable().data(), &written, ciphertext.data(), ciphertext.size()) <= 0 ||
      written != size)
    return true;
  take_padded(encoded.view(), out);
  return true;
}

}  // namespace lockstep::libcrypto
