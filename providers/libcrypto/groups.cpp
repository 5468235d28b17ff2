// Key exchange. A group says how its keys are made and its shares are read; all the rest is alike for all of them.

#include <array>

#include <openssl/dh.h>

#include "common/stack.hpp"
#include "descriptors.hpp"
#include "random.hpp"

namespace lockstep::libcrypto {
namespace {

enum class Family : std::uint8_t { montgomery, weierstrass, finite_field, kem };

struct Known {
  NamedGroup id;
  Family family;
  const char* type;    ///< OpenSSL's name of the algorithm
  std::size_t index;   ///< in kCurves or kFields
  std::size_t client;  ///< the size of the client's share
  std::size_t server;  ///< and of the server's
  std::size_t secret;
};

constexpr Known montgomery(NamedGroup id, const char* type, std::size_t size) {
  return {id, Family::montgomery, type, 0, size, size, size};
}
constexpr Known weierstrass(std::size_t index) {
  const Curve& curve = kCurves[index];
  return {curve.group,     Family::weierstrass, "EC", index, 1 + 2 * curve.field_size, 1 + 2 * curve.field_size,
          curve.field_size};
}
constexpr Known finite_field(std::size_t index) {
  const Field& field = kFields[index];
  return {field.group, Family::finite_field, "DH", index, field.size, field.size, field.size};
}
// FIPS 203 8, table 3.
constexpr Known kem(NamedGroup id, const char* type, std::size_t client, std::size_t server) {
  return {id, Family::kem, type, 0, client, server, 32};
}

// RFC 7748, SEC 2 and RFC 5639, RFC 7919, FIPS 203.
constexpr std::array kKnown{
    montgomery(NamedGroup::x25519, "X25519", 32),
    weierstrass(0),
    kem(NamedGroup::mlkem768, "ML-KEM-768", 1184, 1088),
    weierstrass(1),
    montgomery(NamedGroup::x448, "X448", 56),
    weierstrass(2),
    kem(NamedGroup::mlkem1024, "ML-KEM-1024", 1568, 1568),
    kem(NamedGroup::mlkem512, "ML-KEM-512", 800, 768),
    weierstrass(3),
    weierstrass(4),
    weierstrass(5),
    finite_field(0),
    finite_field(1),
    finite_field(2),
    finite_field(3),
    finite_field(4),
};

const char* name_of(const Known& known) noexcept {
  return known.family == Family::weierstrass ? kCurves[known.index].name : kFields[known.index].name;
}

Key make_key(const Library& library, const Known& known) noexcept {
  const KeyContext context = library.named(known.type);
  if (!context || EVP_PKEY_keygen_init(context.get()) <= 0) return nullptr;
  if (known.family == Family::weierstrass || known.family == Family::finite_field) {
    if (EVP_PKEY_CTX_set_group_name(context.get(), name_of(known)) <= 0) return nullptr;
  }
  EVP_PKEY* made = nullptr;
  return EVP_PKEY_generate(context.get(), &made) > 0 ? Key(made) : nullptr;
}

/// RFC 9846 4.3.8.1: "Peers MUST validate each other's public key Y by ensuring that 1 < Y < p-1."
bool in_range(NamedGroup group, Bytes share) noexcept {
  return within_field(without_leading_zeros(share), field_parameters(group)->p);
}

/// The peer's key; null when the share is none.
/// RFC 9846 4.3.8.2: "peers MUST validate each other's public value Q by ensuring that the point is a valid point on
/// the elliptic curve." OpenSSL reads no others.
Key read_share(const Library& library, const Known& known, Bytes share) noexcept {
  constexpr std::uint8_t kUncompressed = 4;
  if (known.family == Family::montgomery || known.family == Family::kem)
    return Key(
        EVP_PKEY_new_raw_public_key_ex(library.context, known.type, library.query(), share.data(), share.size()));
  const bool curve = known.family == Family::weierstrass;
  EVP_PKEY* const group = (curve ? library.curves[known.index] : library.fields[known.index]).get();
  if (curve ? share.front() != kUncompressed : !in_range(known.id, share)) return nullptr;
  Key key(EVP_PKEY_dup(group));
  if (!key || EVP_PKEY_set1_encoded_public_key(key.get(), share.data(), share.size()) <= 0) return nullptr;
  return key;
}

bool write_share(const EVP_PKEY* key, const Known& known, MutableBytes share) noexcept {
  std::size_t size = share.size();
  if (known.family == Family::montgomery || known.family == Family::kem)
    return EVP_PKEY_get_raw_public_key(key, share.data(), &size) > 0 && size == share.size();
  // RFC 9846 4.3.8.1: "padded to the left with zeros to the size of p in bytes"
  return read_octets(key, OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, share);
}

GroupResult agree(const Library& library, const Known& known, EVP_PKEY* own, EVP_PKEY* peer,
                  MutableBytes secret) noexcept {
  if (secret.size() != known.secret) return GroupResult::failed;
  const KeyContext context = library.with(own);
  if (!context || EVP_PKEY_derive_init(context.get()) <= 0) return GroupResult::failed;
  // RFC 9846 7.4.1: the secret is made "by encoding in big-endian form and left-padded with zeros up to the size of
  // the prime".
  if (known.family == Family::finite_field && EVP_PKEY_CTX_set_dh_pad(context.get(), 1) <= 0)
    return GroupResult::failed;
  // It was checked as it was read.
  if (EVP_PKEY_derive_set_peer_ex(context.get(), peer, 0) <= 0) return GroupResult::failed;
  const WipedStack wiped;  // OpenSSL's X25519 leaves the secret there
  std::size_t size = secret.size();
  const bool derived = EVP_PKEY_derive(context.get(), secret.data(), &size) > 0 && size == secret.size();
  if (derived && known.family != Family::montgomery) return GroupResult::ok;
  if (!derived && known.family != Family::montgomery) {
    wipe(secret);
    return GroupResult::failed;
  }
  // RFC 9846 7.4.2: "Implementations MUST check whether the computed Diffie-Hellman shared secret is the all-zero value
  // and abort if so". OpenSSL refuses; the check here does not rely on it.
  constexpr std::array<std::uint8_t, 56> kZeros{};
  if (derived && !constant_time_equal(secret, Bytes(kZeros).first(secret.size()))) return GroupResult::ok;
  wipe(secret);
  return GroupResult::bad_share;
}

// --- descriptors -----------------------------------------------------------------------------------------------------

template <std::size_t number, std::size_t group>
GroupResult generate(void* context, RandomSource& random, MutableBytes share) noexcept {
  constexpr const Known& kGroup = kKnown[group];
  if (share.size() != kGroup.client) return GroupResult::failed;
  const Quiet quiet;
  const Drawing drawing(random);
  Key key = make_key(library<number>(), kGroup);
  if (!key || !write_share(key.get(), kGroup, share)) return GroupResult::failed;
  hold(context, key.release());
  return GroupResult::ok;
}

template <std::size_t number, std::size_t group>
GroupResult encapsulate(Bytes client_share, RandomSource& random, MutableBytes server_share,
                        MutableBytes secret) noexcept {
  constexpr const Known& kGroup = kKnown[group];
  if (client_share.size() != kGroup.client) return GroupResult::bad_share;
  if (server_share.size() != kGroup.server || secret.size() != kGroup.secret) return GroupResult::failed;
  const Quiet quiet;
  const Drawing drawing(random);
  const Key peer = read_share(library<number>(), kGroup, client_share);
  if (!peer) return GroupResult::bad_share;
  if constexpr (kGroup.family == Family::kem) {
    const KeyContext context = library<number>().with(peer.get());
    std::size_t share_size = server_share.size();
    std::size_t secret_size = secret.size();
    if (context && EVP_PKEY_encapsulate_init(context.get(), nullptr) > 0 &&
        EVP_PKEY_encapsulate(context.get(), server_share.data(), &share_size, secret.data(), &secret_size) > 0 &&
        share_size == server_share.size() && secret_size == secret.size())
      return GroupResult::ok;
    wipe(secret);
    return GroupResult::failed;
  } else {
    const Key own = make_key(library<number>(), kGroup);
    if (!own || !write_share(own.get(), kGroup, server_share)) return GroupResult::failed;
    return agree(library<number>(), kGroup, own.get(), peer.get(), secret);
  }
}

template <std::size_t number, std::size_t group>
GroupResult decapsulate(void* context, Bytes server_share, MutableBytes secret) noexcept {
  constexpr const Known& kGroup = kKnown[group];
  // FIPS 203 7.3, "ciphertext type check". What else is wrong with a ciphertext yields a secret that nobody knows.
  if (server_share.size() != kGroup.server) return GroupResult::bad_share;
  if (secret.size() != kGroup.secret) return GroupResult::failed;
  const Quiet quiet;
  EVP_PKEY* const own = held<EVP_PKEY>(context);
  if constexpr (kGroup.family == Family::kem) {
    const KeyContext with = library<number>().with(own);
    std::size_t size = secret.size();
    if (with && EVP_PKEY_decapsulate_init(with.get(), nullptr) > 0 &&
        EVP_PKEY_decapsulate(with.get(), secret.data(), &size, server_share.data(), server_share.size()) > 0 &&
        size == secret.size())
      return GroupResult::ok;
    wipe(secret);
    return GroupResult::failed;
  } else {
    const Key peer = read_share(library<number>(), kGroup, server_share);
    if (!peer) return GroupResult::bad_share;
    return agree(library<number>(), kGroup, own, peer.get(), secret);
  }
}

void drop(void* context) noexcept {
  EVP_PKEY_free(held<EVP_PKEY>(context));
  std::memset(context, 0, sizeof(EVP_PKEY*));
}

template <std::size_t number, std::size_t group>
constexpr Group descriptor() {
  constexpr const Known& kGroup = kKnown[group];
  return {kGroup.id,
          kImplementation,
          kGroup.client,
          kGroup.server,
          kGroup.secret,
          sizeof(EVP_PKEY*),
          generate<number, group>,
          encapsulate<number, group>,
          decapsulate<number, group>,
          drop};
}

template <std::size_t number>
std::span<const Group> table() {
  static constexpr auto kGroups = []<std::size_t... group>(std::index_sequence<group...>) {
    return std::array{descriptor<number, group>()...};
  }(std::make_index_sequence<kKnown.size()>());
  return kGroups;
}

bool has(const Library& library, const Group& group) noexcept {
  const Known& known = *std::ranges::find(kKnown, group.id, &Known::id);
  switch (known.family) {
    case Family::weierstrass: return library.curves[known.index] != nullptr;
    case Family::finite_field: return library.fields[known.index] != nullptr;
    default: return library.named(known.type) != nullptr;
  }
}

}  // namespace

std::vector<const Group*> groups(std::size_t library) {
  const Quiet quiet;
  return of_library(library, [&]<std::size_t number>() {
    return pointers(table<number>(), [](const Group& group) { return has(libcrypto::library<number>(), group); });
  });
}

}  // namespace lockstep::libcrypto
