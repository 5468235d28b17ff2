// Key exchange: X25519 (RFC 7748). ML-KEM is our kernels', here as everywhere.

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

constexpr std::array kGroups{x25519::kDescriptor};

}  // namespace

std::vector<const Group*> groups() { return pointers(kGroups); }

}  // namespace lockstep::sodium
