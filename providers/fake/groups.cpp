// Key exchange: shares follow from random bytes, the secret from both shares, which everybody sees.

#include <array>
#include <utility>

#include "descriptors.hpp"
#include "mixer.hpp"

namespace lockstep::fake {
namespace {

constexpr std::size_t kSeedSize = 16;

/// Every key encapsulation has the form that its group's shares have on the wire (RFC 9846 4.3.8).
struct Sizes {
  NamedGroup id;
  std::size_t client_share;
  std::size_t server_share;
  std::size_t secret;
  bool is_point = false;  ///< X9.62 uncompressed: begins with 4
};

constexpr std::array kSizes{
    Sizes{NamedGroup::x25519, 32, 32, 32},
    Sizes{NamedGroup::secp256r1, 65, 65, 32, true},
    Sizes{NamedGroup::secp384r1, 97, 97, 48, true},
    Sizes{NamedGroup::x448, 56, 56, 56},
    Sizes{NamedGroup::secp521r1, 133, 133, 66, true},
    Sizes{NamedGroup::mlkem768, 1184, 1088, 32},
    Sizes{NamedGroup::mlkem1024, 1568, 1568, 32},
    Sizes{NamedGroup::mlkem512, 800, 768, 32},
    Sizes{NamedGroup::brainpoolP256r1tls13, 65, 65, 32, true},
    Sizes{NamedGroup::brainpoolP384r1tls13, 97, 97, 48, true},
    Sizes{NamedGroup::brainpoolP512r1tls13, 129, 129, 64, true},
    Sizes{NamedGroup::ffdhe2048, 256, 256, 256},
    Sizes{NamedGroup::ffdhe3072, 384, 384, 384},
    Sizes{NamedGroup::ffdhe4096, 512, 512, 512},
    Sizes{NamedGroup::ffdhe6144, 768, 768, 768},
    Sizes{NamedGroup::ffdhe8192, 1024, 1024, 1024},
};

template <std::size_t index>
struct Fake {
  static constexpr const Sizes& sizes = kSizes[index];
  using Seed = Secret<kSeedSize>;

  static GroupResult generate(void* context, RandomSource& random, MutableBytes share) noexcept {
    Seed seed(kSeedSize);
    if (share.size() != sizes.client_share || !random.fill(seed.writable())) return GroupResult::failed;
    make_share(seed.view(), share);
    std::ranges::copy(seed.view(), static_cast<std::uint8_t*>(context));
    return GroupResult::ok;
  }

  static GroupResult encapsulate(Bytes client_share, RandomSource& random, MutableBytes server_share,
                                 MutableBytes secret) noexcept {
    if (!well_formed(client_share, sizes.client_share)) return GroupResult::bad_share;
    Seed seed(kSeedSize);
    if (server_share.size() != sizes.server_share || secret.size() != sizes.secret || !random.fill(seed.writable()))
      return GroupResult::failed;
    make_share(seed.view(), server_share);
    agree(client_share, server_share, secret);
    return GroupResult::ok;
  }

  static GroupResult decapsulate(void* context, Bytes server_share, MutableBytes secret) noexcept {
    if (!well_formed(server_share, sizes.server_share)) return GroupResult::bad_share;
    if (secret.size() != sizes.secret) return GroupResult::failed;
    std::array<std::uint8_t, sizes.client_share> client_share;
    make_share({static_cast<const std::uint8_t*>(context), kSeedSize}, client_share);
    agree(client_share, server_share, secret);
    return GroupResult::ok;
  }

  static void destroy(void* context) noexcept { wipe({static_cast<std::uint8_t*>(context), kSeedSize}); }

  /// All zeros stands for everything that a real group refuses: points off the curve, secrets that are zero.
  static bool well_formed(Bytes share, std::size_t size) noexcept {
    if (share.size() != size || (sizes.is_point && share.front() != 4)) return false;
    return std::ranges::any_of(share.subspan(sizes.is_point ? 1 : 0), [](std::uint8_t byte) { return byte != 0; });
  }
  static void make_share(Bytes seed, MutableBytes share) noexcept {
    Mixer mixer(static_cast<std::uint64_t>(sizes.id));
    mixer.absorb(seed);
    mixer.squeeze(share);
    if (sizes.is_point) share.front() = 4;
  }
  static void agree(Bytes client_share, Bytes server_share, MutableBytes secret) noexcept {
    Mixer mixer(static_cast<std::uint64_t>(sizes.id));
    mixer.absorb(client_share);
    mixer.absorb(server_share);
    mixer.squeeze(secret);
  }

  static constexpr Group kDescriptor{sizes.id,     kImplementation, sizes.client_share, sizes.server_share,
                                     sizes.secret, kSeedSize,       generate,           encapsulate,
                                     decapsulate,  destroy,         kInsecure};
};

template <std::size_t... index>
constexpr std::array<Group, sizeof...(index)> descriptors(std::index_sequence<index...>) {
  return {Fake<index>::kDescriptor...};
}

constexpr auto kGroups = descriptors(std::make_index_sequence<kSizes.size()>());

}  // namespace

std::vector<const Group*> groups() { return pointers(kGroups); }

}  // namespace lockstep::fake
