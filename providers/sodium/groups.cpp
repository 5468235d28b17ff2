// Key exchange: X25519 (RFC 7748), and ML-KEM-768 (FIPS 203) where libsodium has it.

#include <array>

#include <sodium.h>

#include "descriptors.hpp"

namespace lockstep::sodium {
namespace {

namespace x25519 {

constexpr std::size_t kSize = 32;

/// RFC 9846 7.4.2: "Implementations MUST check whether the computed Diffie-Hellman shared secret is the all-zero value
/// and abort if so". libsodium refuses; the check here does not rely on it.
GroupResult agree(const std::uint8_t* key, Bytes share, MutableBytes secret) noexcept {
  if (crypto_scalarmult_curve25519(secret.data(), key, share.data()) == 0 &&
      sodium_is_zero(secret.data(), secret.size()) == 0)
    return GroupResult::ok;
  wipe(secret);
  return GroupResult::bad_share;
}

GroupResult generate(void* context, RandomSource& random, MutableBytes share) noexcept {
  Secret<kSize> key(kSize);
  if (share.size() != kSize || !random.fill(key.writable()) ||
      crypto_scalarmult_curve25519_base(share.data(), key.view().data()) != 0)
    return GroupResult::failed;
  std::ranges::copy(key.view(), static_cast<std::uint8_t*>(context));
  return GroupResult::ok;
}

GroupResult encapsulate(Bytes client_share, RandomSource& random, MutableBytes server_share,
                        MutableBytes secret) noexcept {
  if (client_share.size() != kSize) return GroupResult::bad_share;
  Secret<kSize> key(kSize);
  if (secret.size() != kSize) return GroupResult::failed;
  if (const GroupResult made = generate(key.writable().data(), random, server_share); made != GroupResult::ok)
    return made;
  return agree(key.view().data(), client_share, secret);
}

GroupResult decapsulate(void* context, Bytes server_share, MutableBytes secret) noexcept {
  if (server_share.size() != kSize) return GroupResult::bad_share;
  if (secret.size() != kSize) return GroupResult::failed;
  return agree(static_cast<const std::uint8_t*>(context), server_share, secret);
}

void destroy(void* context) noexcept { sodium_memzero(context, kSize); }

constexpr Group kDescriptor{NamedGroup::x25519, kImplementation, kSize,       kSize,  kSize, kSize,
                            generate,           encapsulate,     decapsulate, destroy};

}  // namespace x25519

#ifdef LOCKSTEP_SODIUM_HAS_MLKEM768
namespace mlkem768 {

// FIPS 203 8, table 3.
constexpr std::size_t kPublicSize = crypto_kem_mlkem768_PUBLICKEYBYTES;
constexpr std::size_t kCiphertextSize = crypto_kem_mlkem768_CIPHERTEXTBYTES;
constexpr std::size_t kSecretSize = crypto_kem_mlkem768_SHAREDSECRETBYTES;
constexpr std::size_t kPrivateSize = crypto_kem_mlkem768_SECRETKEYBYTES;
/// d and z of FIPS 203, algorithm 19. A context holds them instead of the private key, which is too large for one.
constexpr std::size_t kSeedSize = crypto_kem_mlkem768_SEEDBYTES;
static_assert(kSeedSize <= kMaxGroupContextSize);

/// FIPS 203 7.2, modulus check: every coefficient, 12 bits each, is below q.
bool is_encapsulation_key(Bytes share) noexcept {
  constexpr unsigned kModulus = 3329;
  constexpr std::size_t kCoefficients = kPublicSize - 32;
  if (share.size() != kPublicSize) return false;
  for (std::size_t at = 0; at < kCoefficients; at += 3) {
    const unsigned first = share[at] | (share[at + 1] & 0xfU) << 8U;
    const unsigned second = static_cast<unsigned>(share[at + 1]) >> 4U | static_cast<unsigned>(share[at + 2]) << 4U;
    if (first >= kModulus || second >= kModulus) return false;
  }
  return true;
}

GroupResult generate(void* context, RandomSource& random, MutableBytes share) noexcept {
  Secret<kSeedSize> seed(kSeedSize);
  Secret<kPrivateSize> key(kPrivateSize);
  if (share.size() != kPublicSize || !random.fill(seed.writable()) ||
      crypto_kem_mlkem768_seed_keypair(share.data(), key.writable().data(), seed.view().data()) != 0)
    return GroupResult::failed;
  std::ranges::copy(seed.view(), static_cast<std::uint8_t*>(context));
  return GroupResult::ok;
}

GroupResult encapsulate(Bytes client_share, RandomSource& random, MutableBytes server_share,
                        MutableBytes secret) noexcept {
  if (!is_encapsulation_key(client_share)) return GroupResult::bad_share;
  Secret<32> coins(32);
  if (server_share.size() != kCiphertextSize || secret.size() != kSecretSize || !random.fill(coins.writable()) ||
      crypto_kem_mlkem768_enc_deterministic(server_share.data(), secret.data(), client_share.data(),
                                            coins.view().data()) != 0)
    return GroupResult::failed;
  return GroupResult::ok;
}

GroupResult decapsulate(void* context, Bytes server_share, MutableBytes secret) noexcept {
  if (server_share.size() != kCiphertextSize) return GroupResult::bad_share;
  std::array<std::uint8_t, kPublicSize> share;
  Secret<kPrivateSize> key(kPrivateSize);
  if (secret.size() != kSecretSize ||
      crypto_kem_mlkem768_seed_keypair(share.data(), key.writable().data(),
                                       static_cast<const std::uint8_t*>(context)) != 0 ||
      crypto_kem_mlkem768_dec(secret.data(), server_share.data(), key.view().data()) != 0)
    return GroupResult::failed;
  return GroupResult::ok;
}

void destroy(void* context) noexcept { sodium_memzero(context, kSeedSize); }

constexpr Group kDescriptor{NamedGroup::mlkem768, kImplementation, kPublicSize, kCiphertextSize,
                            kSecretSize,          kSeedSize,       generate,    encapsulate,
                            decapsulate,          destroy};

}  // namespace mlkem768

constexpr std::array kGroups{x25519::kDescriptor, mlkem768::kDescriptor};
#else
constexpr std::array kGroups{x25519::kDescriptor};
#endif

}  // namespace

std::vector<const Group*> groups() { return pointers(kGroups); }

}  // namespace lockstep::sodium
