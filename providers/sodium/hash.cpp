// SHA-2 by libsodium, HMAC and HKDF on it. Contexts hold libsodium's states, which are plain values.

#include <array>
#include <cstring>

#include <sodium.h>

#include "common/hkdf.hpp"
#include "descriptors.hpp"

namespace lockstep::sodium {
namespace {

struct Sha256 {
  static constexpr HashAlgorithm kId = HashAlgorithm::sha256;
  static constexpr std::size_t kDigestSize = 32;
  static constexpr std::size_t kBlockSize = 64;
  using State = crypto_hash_sha256_state;

  static void init(State& state) noexcept { crypto_hash_sha256_init(&state); }
  static void update(State& state, Bytes data) noexcept { crypto_hash_sha256_update(&state, data.data(), data.size()); }
  static void final(State& state, MutableBytes out) noexcept { crypto_hash_sha256_final(&state, out.data()); }
};

struct Sha512 {
  static constexpr HashAlgorithm kId = HashAlgorithm::sha512;
  static constexpr std::size_t kDigestSize = 64;
  static constexpr std::size_t kBlockSize = 128;
  using State = crypto_hash_sha512_state;

  static void init(State& state) noexcept { crypto_hash_sha512_init(&state); }
  static void update(State& state, Bytes data) noexcept { crypto_hash_sha512_update(&state, data.data(), data.size()); }
  static void final(State& state, MutableBytes out) noexcept { crypto_hash_sha512_final(&state, out.data()); }
};

/// FIPS 180-4 6.5: SHA-384 is SHA-512 from another initial value, cut to 384 bits. libsodium has no SHA-384, but its
/// state is a public structure.
struct Sha384 : Sha512 {
  static constexpr HashAlgorithm kId = HashAlgorithm::sha384;
  static constexpr std::size_t kDigestSize = 48;

  static void init(State& state) noexcept {
    // FIPS 180-4 5.3.4.
    constexpr std::array<std::uint64_t, 8> kInitial{0xcbbb9d5dc1059ed8U, 0x629a292a367cd507U, 0x9159015a3070dd17U,
                                                    0x152fecd8f70e5939U, 0x67332667ffc00b31U, 0x8eb44a8768581511U,
                                                    0xdb0c2e0d64f98fa7U, 0x47b5481dbefa4fa4U};
    crypto_hash_sha512_init(&state);
    std::ranges::copy(kInitial, state.state);
  }
  static void final(State& state, MutableBytes out) noexcept {
    Secret<64> whole(64);
    crypto_hash_sha512_final(&state, whole.writable().data());
    std::ranges::copy(whole.view().first(kDigestSize), out.begin());
  }
};

/// RFC 2104, with both pads absorbed once.
template <class Sha>
class Hmac {
 public:
  explicit Hmac(Bytes key) noexcept {
    Secret<Sha::kBlockSize> block(Sha::kBlockSize);
    if (key.size() > Sha::kBlockSize) {
      Sha::init(inner_);
      Sha::update(inner_, key);
      Sha::final(inner_, block.writable().first(Sha::kDigestSize));
    } else {
      std::ranges::copy(key, block.writable().begin());
    }
    absorb_pad(inner_, block.writable(), 0x36);
    absorb_pad(outer_, block.writable(), 0x36 ^ 0x5c);
  }
  ~Hmac() {
    sodium_memzero(&inner_, sizeof inner_);
    sodium_memzero(&outer_, sizeof outer_);
  }
  Hmac(const Hmac&) = delete;
  Hmac& operator=(const Hmac&) = delete;

  void compute(std::span<const Bytes> segments, MutableBytes out) const noexcept {
    auto state = inner_;
    for (const Bytes segment : segments) Sha::update(state, segment);
    Secret<Sha::kDigestSize> digest(Sha::kDigestSize);
    Sha::final(state, digest.writable());
    state = outer_;
    Sha::update(state, digest.view());
    Sha::final(state, out);
    sodium_memzero(&state, sizeof state);
  }

 private:
  static void absorb_pad(typename Sha::State& state, MutableBytes block, std::uint8_t pad) noexcept {
    for (std::uint8_t& byte : block) byte ^= pad;
    Sha::init(state);
    Sha::update(state, block);
  }

  typename Sha::State inner_;
  typename Sha::State outer_;
};

template <class Sha>
struct Functions {
  using State = typename Sha::State;
  static_assert(sizeof(State) <= kMaxHashContextSize);

  static bool init(void* context) noexcept {
    State state;
    Sha::init(state);
    std::memcpy(context, &state, sizeof state);
    return true;
  }
  static void update(void* context, Bytes data) noexcept {
    if (!data.empty()) Sha::update(*static_cast<State*>(context), data);
  }
  static bool digest(const void* context, MutableBytes out) noexcept {
    if (out.size() != Sha::kDigestSize) return false;
    State state;
    std::memcpy(&state, context, sizeof state);
    Sha::final(state, out);
    sodium_memzero(&state, sizeof state);
    return true;
  }
  static void destroy(void* context) noexcept { sodium_memzero(context, sizeof(State)); }

  static bool hmac(Bytes key, std::span<const Bytes> segments, MutableBytes out) noexcept {
    if (out.size() != Sha::kDigestSize) return false;
    Hmac<Sha>(key).compute(segments, out);
    return true;
  }
  static bool expand(std::span<const ExpandJob> jobs) noexcept {
    return std::ranges::all_of(jobs, [](const ExpandJob& job) {
      const Hmac<Sha> hmac(job.secret);
      return hkdf_expand(Sha::kDigestSize, job.info, job.out,
                         [&](std::span<const Bytes> segments, MutableBytes out) { hmac.compute(segments, out); });
    });
  }

  static constexpr Hash kDescriptor{Sha::kId, kImplementation, Sha::kDigestSize, sizeof(State), init,
                                    update,   digest,          destroy,          hmac,          expand};
};

constexpr std::array kHashes{Functions<Sha256>::kDescriptor, Functions<Sha384>::kDescriptor,
                             Functions<Sha512>::kDescriptor};

}  // namespace

std::vector<const Hash*> hashes() { return pointers(kHashes); }

}  // namespace lockstep::sodium
