// Key exchange. Each family of groups says how to make a key, read a share and agree; the descriptors' functions are
// made from that.

#include <array>
#include <optional>

#include <botan/bigint.h>
#include <botan/dl_group.h>
#include <botan/exceptn.h>
#include <botan/ml_kem.h>
#include <botan/pubkey.h>
#include <botan/system_rng.h>
#include <botan/x25519.h>
#include <botan/x448.h>

#include "common/stack.hpp"
#include "context.hpp"
#include "curves.hpp"
#include "descriptors.hpp"
#include "random.hpp"

namespace lockstep::botan {
namespace {

/// Sizes of a plain Diffie-Hellman group: both shares are alike.
struct DhGroup {
  NamedGroup id;
  std::size_t share_size;
  std::size_t secret_size;
};

/// RFC 7748. `kX25519` and `kX448`.
template <class PrivateKey, NamedGroup id, std::size_t size>
struct Montgomery {
  static constexpr DhGroup kGroup{id, size, size};
  using Key = PrivateKey;
  using Share = Bytes;

  static std::unique_ptr<Key> generate(Botan::RandomNumberGenerator& rng, MutableBytes share) {
    auto key = std::make_unique<Key>(rng);
    std::ranges::copy(key->public_value(), share.begin());
    return key;
  }
  static std::optional<Share> read(Bytes share) { return share; }

  /// RFC 9846 7.4.2: "Implementations MUST check whether the computed Diffie-Hellman shared secret is the all-zero
  /// value and abort if so". Botan refuses by throwing; the check here does not rely on it.
  static bool agree(const Key& key, Share share, MutableBytes secret) {
    const WipedStack wiped;  // Botan's X448 leaves the secret there
    try {
      const Botan::PK_Key_Agreement agreement(key, Botan::system_rng(), "Raw");
      const Botan::SymmetricKey agreed = agreement.derive_key(0, share);
      std::ranges::copy(agreed.bits_of(), secret.begin());
    } catch (const Botan::Invalid_Argument&) {
      return false;
    }
    constexpr std::array<std::uint8_t, size> kZeros{};
    return !constant_time_equal(secret, kZeros);
  }
};

/// Short Weierstrass curves: shares are uncompressed points, the secret is the x coordinate.
template <const Curve& curve>
struct Weierstrass {
  static constexpr DhGroup kGroup{curve.group, 1 + 2 * curve.field_size, curve.field_size};
  using Key = Botan::EC_Scalar;
  using Share = Botan::EC_AffinePoint;

  static std::unique_ptr<Key> generate(Botan::RandomNumberGenerator& rng, MutableBytes share) {
    auto key = std::make_unique<Key>(Key::random(domain<curve>(), rng));
    Share::g_mul(*key, Botan::system_rng()).serialize_uncompressed_to(share);
    return key;
  }
  static std::optional<Share> read(Bytes share) { return read_point(domain<curve>(), share); }
  static bool agree(const Key& key, const Share& share, MutableBytes secret) {
    // The curves have prime order and the scalar is not zero, so the result is never the point at infinity.
    // RFC 9846 7.4.2: "leading zeros found in this octet string MUST NOT be truncated."
    std::ranges::copy(share.mul_x_only(key, Botan::system_rng()), secret.begin());
    return true;
  }
};

/// RFC 7919: safe primes with the generator 2. `exponent_bits` is the least that its appendix A asks of a short
/// exponent.
template <NamedGroup id, std::size_t bits, std::size_t exponent_bits>
struct FiniteField {
  static constexpr DhGroup kGroup{id, bits / 8, bits / 8};
  using Key = Botan::BigInt;
  using Share = Botan::BigInt;

  static const Botan::DL_Group& group() {
    static const Botan::DL_Group made = Botan::DL_Group::from_name("ffdhe/ietf/" + std::to_string(bits));
    return made;
  }
  static std::unique_ptr<Key> generate(Botan::RandomNumberGenerator& rng, MutableBytes share) {
    auto key = std::make_unique<Key>(rng, exponent_bits);
    // RFC 9846 4.3.8.1: "padded to the left with zeros to the size of p in bytes"
    group().power_g_p(*key, exponent_bits).serialize_to(share);
    return key;
  }
  /// RFC 9846 4.3.8.1: "Peers MUST validate each other's public key Y by ensuring that 1 < Y < p-1."
  static std::optional<Share> read(Bytes share) {
    Share y = Share::from_bytes(share);
    if (y <= 1 || y >= group().get_p() - 1) return std::nullopt;
    return y;
  }
  /// RFC 9846 7.4.1: the secret is made "by encoding in big-endian form and left-padded with zeros up to the size of
  /// the prime".
  static bool agree(const Key& key, const Share& share, MutableBytes secret) {
    group().power_b_p(share, key, exponent_bits).serialize_to(secret);
    return true;
  }
};

template <class Dh>
GroupResult generate(void* context, RandomSource& random, MutableBytes share) noexcept {
  if (share.size() != Dh::kGroup.share_size) return GroupResult::failed;
  try {
    SourceRng rng(random);
    hold(context, Dh::generate(rng, share));
    return GroupResult::ok;
  } catch (...) {
    return GroupResult::failed;
  }
}

template <class Dh>
GroupResult agree(const typename Dh::Key& key, const typename Dh::Share& share, MutableBytes secret) {
  if (secret.size() != Dh::kGroup.secret_size) return GroupResult::failed;
  if (Dh::agree(key, share, secret)) return GroupResult::ok;
  wipe(secret);
  return GroupResult::bad_share;
}

template <class Dh>
GroupResult encapsulate(Bytes client_share, RandomSource& random, MutableBytes server_share,
                        MutableBytes secret) noexcept {
  if (client_share.size() != Dh::kGroup.share_size) return GroupResult::bad_share;
  if (server_share.size() != Dh::kGroup.share_size) return GroupResult::failed;
  try {
    const auto share = Dh::read(client_share);
    if (!share) return GroupResult::bad_share;
    SourceRng rng(random);
    const auto key = Dh::generate(rng, server_share);
    return agree<Dh>(*key, *share, secret);
  } catch (...) {
    return GroupResult::failed;
  }
}

template <class Dh>
GroupResult decapsulate(void* context, Bytes server_share, MutableBytes secret) noexcept {
  if (server_share.size() != Dh::kGroup.share_size) return GroupResult::bad_share;
  try {
    const auto share = Dh::read(server_share);
    if (!share) return GroupResult::bad_share;
    return agree<Dh>(*held<typename Dh::Key>(context), *share, secret);
  } catch (...) {
    return GroupResult::failed;
  }
}

template <class Dh>
constexpr Group diffie_hellman() {
  constexpr DhGroup group = Dh::kGroup;
  return {group.id,          kImplementation,           group.share_size, group.share_size,
          group.secret_size, sizeof(typename Dh::Key*), generate<Dh>,     encapsulate<Dh>,
          decapsulate<Dh>,   drop<typename Dh::Key>};
}

// --- ML-KEM (FIPS 203) -----------------------------------------------------------------------------------------------

struct MlKem {
  NamedGroup id;
  Botan::ML_KEM_Mode::Mode mode;
  std::size_t encapsulation_key_size;
  std::size_t ciphertext_size;
};

// FIPS 203 8, table 3.
constexpr MlKem kMlKem512{NamedGroup::mlkem512, Botan::ML_KEM_Mode::ML_KEM_512, 800, 768};
constexpr MlKem kMlKem768{NamedGroup::mlkem768, Botan::ML_KEM_Mode::ML_KEM_768, 1184, 1088};
constexpr MlKem kMlKem1024{NamedGroup::mlkem1024, Botan::ML_KEM_Mode::ML_KEM_1024, 1568, 1568};
constexpr std::size_t kMlKemSecretSize = 32;

template <const MlKem& kem>
GroupResult generate_kem(void* context, RandomSource& random, MutableBytes share) noexcept {
  if (share.size() != kem.encapsulation_key_size) return GroupResult::failed;
  try {
    SourceRng rng(random);
    auto key = std::make_unique<Botan::ML_KEM_PrivateKey>(rng, kem.mode);
    std::ranges::copy(key->public_key_bits(), share.begin());
    hold(context, std::move(key));
    return GroupResult::ok;
  } catch (...) {
    return GroupResult::failed;
  }
}

template <const MlKem& kem>
GroupResult encapsulate_kem(Bytes client_share, RandomSource& random, MutableBytes server_share,
                            MutableBytes secret) noexcept {
  if (client_share.size() != kem.encapsulation_key_size) return GroupResult::bad_share;
  if (server_share.size() != kem.ciphertext_size || secret.size() != kMlKemSecretSize) return GroupResult::failed;
  try {
    // FIPS 203 7.2, "modulus check": Botan throws when a coefficient is not below q.
    std::optional<Botan::ML_KEM_PublicKey> key;
    try {
      key.emplace(client_share, kem.mode);
    } catch (const Botan::Exception&) {
      return GroupResult::bad_share;
    }
    SourceRng rng(random);
    Botan::PK_KEM_Encryptor(*key, "Raw").encrypt(server_share, secret, rng, kMlKemSecretSize);
    return GroupResult::ok;
  } catch (...) {
    wipe(secret);
    return GroupResult::failed;
  }
}

template <const MlKem& kem>
GroupResult decapsulate_kem(void* context, Bytes server_share, MutableBytes secret) noexcept {
  // FIPS 203 7.3, "ciphertext type check". What else is wrong with a ciphertext yields a secret that nobody knows.
  if (server_share.size() != kem.ciphertext_size) return GroupResult::bad_share;
  if (secret.size() != kMlKemSecretSize) return GroupResult::failed;
  try {
    const auto& key = *held<Botan::ML_KEM_PrivateKey>(context);
    Botan::PK_KEM_Decryptor(key, Botan::system_rng(), "Raw").decrypt(secret, server_share, kMlKemSecretSize);
    return GroupResult::ok;
  } catch (...) {
    wipe(secret);
    return GroupResult::failed;
  }
}

template <const MlKem& kem>
constexpr Group encapsulation() {
  return {kem.id,
          kImplementation,
          kem.encapsulation_key_size,
          kem.ciphertext_size,
          kMlKemSecretSize,
          sizeof(Botan::ML_KEM_PrivateKey*),
          generate_kem<kem>,
          encapsulate_kem<kem>,
          decapsulate_kem<kem>,
          drop<Botan::ML_KEM_PrivateKey>};
}

constexpr std::array kGroups{
    diffie_hellman<Montgomery<Botan::X25519_PrivateKey, NamedGroup::x25519, 32>>(),
    diffie_hellman<Weierstrass<kP256>>(),
    encapsulation<kMlKem768>(),
    diffie_hellman<Weierstrass<kP384>>(),
    diffie_hellman<Montgomery<Botan::X448_PrivateKey, NamedGroup::x448, 56>>(),
    diffie_hellman<Weierstrass<kP521>>(),
    encapsulation<kMlKem1024>(),
    encapsulation<kMlKem512>(),
    diffie_hellman<Weierstrass<kBrainpoolP256r1>>(),
    diffie_hellman<Weierstrass<kBrainpoolP384r1>>(),
    diffie_hellman<Weierstrass<kBrainpoolP512r1>>(),
    diffie_hellman<FiniteField<NamedGroup::ffdhe2048, 2048, 225>>(),
    diffie_hellman<FiniteField<NamedGroup::ffdhe3072, 3072, 275>>(),
    diffie_hellman<FiniteField<NamedGroup::ffdhe4096, 4096, 325>>(),
    diffie_hellman<FiniteField<NamedGroup::ffdhe6144, 6144, 375>>(),
    diffie_hellman<FiniteField<NamedGroup::ffdhe8192, 8192, 400>>(),
};

}  // namespace

std::vector<const Group*> groups() { return pointers(kGroups); }

}  // namespace lockstep::botan
