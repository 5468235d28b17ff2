// Key exchange.
//
// A key is made by whoever makes it faster, alone or with others, and used by whoever can: the last byte of a context
// says whose it is. Those of the libcrypto provider it uses itself.

#include <algorithm>
#include <cstring>

#include <crypto_mb/x25519.h>

#include "descriptors.hpp"
#include "weierstrass.hpp"

namespace lockstep::multibuffer {
namespace {

enum class Holder : std::uint8_t { single, lanes };

/// What a group is to the code below: how a private key is drawn, and what crypto_mb computes with eight of them.
struct X25519 {
  static constexpr NamedGroup kGroup = NamedGroup::x25519;
  static constexpr std::size_t kSize = 32;  ///< of a private key and of a secret
  static constexpr std::size_t kShareSize = 32;
  /// How few cost less together than one by one, as in every kLeast here: measured, `tools/bench --only batches`.
  static constexpr std::size_t kLeast = 2;

  /// RFC 7748 5: any bytes will do, and crypto_mb sets the bits that are fixed.
  static bool draw(RandomSource& random, MutableBytes key) noexcept { return random.fill(key); }

  static mbx_status make_shares(const Lanes<const std::uint8_t>& keys, const Lanes<std::uint8_t>& shares) noexcept {
    return mbx_x25519_public_key_mb8(shares.data(), keys.data());
  }

  /// A share with its size, so that it can be computed with.
  static bool is_share(Bytes share) noexcept { return share.size() == kShareSize; }

  /// crypto_mb 1.0.14 loses a carry where a number is just below p or a fraction of it: p - 1, of order 2, and
  /// (p + 1) / 2 lead to wrong secrets. Such numbers are long runs of ones, which nobody has by chance and which it
  /// does not see. Whoever constructs others, to be such in the course of the computation, gets a wrong secret for a
  /// key that is used once.
  static bool is_for_lanes(Bytes share) noexcept {
    constexpr std::size_t kRun = 16;
    return std::ranges::search_n(share, kRun, std::uint8_t{0xff}).empty();
  }

  /// RFC 9846 7.4.2: "Implementations MUST check whether the computed Diffie-Hellman shared secret is the all-zero
  /// value and abort if so". crypto_mb says so of a lane; the check here does not rely on it.
  static mbx_status agree(const Lanes<const std::uint8_t>& keys, const Lanes<const std::uint8_t>& shares,
                          const Lanes<std::uint8_t>& secrets) noexcept {
    mbx_status status = mbx_x25519_mb8(secrets.data(), keys.data(), shares.data());
    for (std::size_t i = 0; i < kLanes; ++i) {
      if (secrets[i] != nullptr && is_zero({secrets[i], kSize}))
        status = MBX_SET_STS(status, static_cast<int>(i), MBX_STATUS_LOW_ORDER_ERR);
    }
    return status;
  }
};

template <class Curve>
struct Weierstrass {
  static constexpr NamedGroup kGroup = Curve::kGroup;
  static constexpr std::size_t kSize = Curve::kSize;
  static constexpr std::size_t kShareSize = 1 + 2 * kSize;
  static constexpr std::size_t kLeast = kSize == P384::kSize ? 1 : 2;

  static bool draw(RandomSource& random, MutableBytes key) noexcept { return draw_scalar<Curve>(random, key); }

  struct Keys {
    std::array<Scalar<Curve>, kLanes> scalars;
    Lanes<const int64u> pointers{};

    explicit Keys(const Lanes<const std::uint8_t>& keys) noexcept {
      for (std::size_t i = 0; i < kLanes; ++i) {
        if (keys[i] == nullptr) continue;
        to_limbs({keys[i], kSize}, scalars[i]);
        pointers[i] = scalars[i].data();
      }
    }
  };

  static mbx_status make_shares(const Lanes<const std::uint8_t>& keys, const Lanes<std::uint8_t>& shares) noexcept {
    const Keys scalars(keys);
    std::array<Point<Curve>, kLanes> points;
    Lanes<int64u> x{}, y{};
    for (std::size_t i = 0; i < kLanes; ++i) {
      if (keys[i] == nullptr) continue;
      x[i] = points[i].x.data();
      y[i] = points[i].y.data();
    }
    const mbx_status status = Curve::kMultiplyBase(x.data(), y.data(), nullptr, scalars.pointers.data(), nullptr);
    for (std::size_t i = 0; i < kLanes; ++i) {
      if (is_done(status, i)) write_share<Curve>(points[i], {shares[i], kShareSize});
    }
    return status;
  }

  static bool is_share(Bytes share) noexcept {
    Point<Curve> point;
    return read_share<Curve>(share, point);
  }

  static bool is_for_lanes(Bytes /*share*/) noexcept { return true; }

  /// RFC 9846 4.3.8.2: "peers MUST validate each other's public value Q by ensuring that the point is a valid point on
  /// the elliptic curve." crypto_mb says of a lane whether it is.
  static mbx_status agree(const Lanes<const std::uint8_t>& keys, const Lanes<const std::uint8_t>& shares,
                          Lanes<std::uint8_t> secrets) noexcept {
    const Keys scalars(keys);
    std::array<Point<Curve>, kLanes> points;
    Lanes<const int64u> x{}, y{};
    for (std::size_t i = 0; i < kLanes; ++i) {
      if (shares[i] == nullptr || !read_share<Curve>({shares[i], kShareSize}, points[i])) continue;
      x[i] = points[i].x.data();
      y[i] = points[i].y.data();
    }
    return Curve::kAgree(secrets.data(), scalars.pointers.data(), x.data(), y.data(), nullptr, nullptr);
  }
};

// --- what descriptors point at ---------------------------------------------------------------------------------------

template <class G>
const Group& single() noexcept {
  static const Group& group = *singles().group(G::kGroup);
  return group;
}

/// A private key, or what the libcrypto provider keeps of one, and whose it is.
template <class G>
constexpr std::size_t kContextSize = G::kSize + 1;

template <class G>
Holder holder(const void* context) noexcept {
  return static_cast<Holder>(static_cast<const std::uint8_t*>(context)[G::kSize]);
}
template <class G>
void set_holder(void* context, Holder holder) noexcept {
  static_cast<std::uint8_t*>(context)[G::kSize] = static_cast<std::uint8_t>(holder);
}

template <class G>
GroupResult generate(void* context, RandomSource& random, MutableBytes share) noexcept {
  const GroupResult result = single<G>().generate(context, random, share);
  if (result == GroupResult::ok) set_holder<G>(context, Holder::single);
  return result;
}

template <class G>
void generate_together(std::span<GenerateJob> jobs) noexcept {
  const Forgotten forgotten;
  Lanes<const std::uint8_t> keys{};
  Lanes<std::uint8_t> shares{};
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    GenerateJob& job = jobs[i];
    job.result = GroupResult::failed;
    const auto key = static_cast<std::uint8_t*>(job.context);
    if (job.share.size() != G::kShareSize || !G::draw(*job.random, {key, G::kSize})) continue;
    keys[i] = key;
    shares[i] = job.share.data();
  }
  const mbx_status status = G::make_shares(keys, shares);
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    if (keys[i] == nullptr) continue;
    if (is_done(status, i)) {
      set_holder<G>(jobs[i].context, Holder::lanes);
      jobs[i].result = GroupResult::ok;
    } else {
      wipe(MutableBytes(static_cast<std::uint8_t*>(jobs[i].context), G::kSize));
    }
  }
}

template <class G>
void generate_many(std::span<GenerateJob> jobs) noexcept {
  in_lanes(jobs, G::kLeast, generate_together<G>,
           [](GenerateJob& job) { job.result = generate<G>(job.context, *job.random, job.share); });
}

template <class G>
void encapsulate_alone(EncapsulateJob& job) noexcept {
  job.result = single<G>().encapsulate(job.client_share, *job.random, job.server_share, job.secret);
}

template <class G>
void encapsulate_together(std::span<EncapsulateJob> jobs) noexcept {
  const Forgotten forgotten;
  std::array<Secret<G::kSize>, kLanes> drawn;
  Lanes<const std::uint8_t> keys{}, client_shares{};
  Lanes<std::uint8_t> server_shares{}, secrets{};
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    EncapsulateJob& job = jobs[i];
    job.result = GroupResult::bad_share;
    if (!G::is_share(job.client_share)) continue;
    if (!G::is_for_lanes(job.client_share)) {
      encapsulate_alone<G>(job);
      continue;
    }
    job.result = GroupResult::failed;
    if (job.server_share.size() != G::kShareSize || job.secret.size() != G::kSize) continue;
    drawn[i].resize(G::kSize);
    if (!G::draw(*job.random, drawn[i].writable())) continue;
    keys[i] = drawn[i].view().data();
    client_shares[i] = job.client_share.data();
    server_shares[i] = job.server_share.data();
    secrets[i] = job.secret.data();
  }
  const mbx_status agreed = G::agree(keys, client_shares, secrets);
  const mbx_status made = G::make_shares(keys, server_shares);
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    if (keys[i] == nullptr) continue;
    jobs[i].result = !is_done(agreed, i) ? GroupResult::bad_share
                     : is_done(made, i)  ? GroupResult::ok
                                         : GroupResult::failed;
    if (jobs[i].result != GroupResult::ok) wipe(jobs[i].secret);
  }
}

template <class G>
void encapsulate_many(std::span<EncapsulateJob> jobs) noexcept {
  in_lanes(jobs, G::kLeast, encapsulate_together<G>, encapsulate_alone<G>);
}

template <class G>
void decapsulate_alone(DecapsulateJob& job) noexcept {
  job.result = single<G>().decapsulate(job.context, job.server_share, job.secret);
}

/// Yields a private key, for the libcrypto provider to draw.
class Known final : public RandomSource {
 public:
  explicit Known(Bytes key) noexcept : key_(key) {}
  [[nodiscard]] bool fill(MutableBytes out) noexcept override {
    if (out.size() != key_.size()) return false;
    std::ranges::copy(key_, out.begin());
    return true;
  }

 private:
  Bytes key_;
};

/// With a key that was made with others.
template <class G>
void decapsulate_known(DecapsulateJob& job) noexcept {
  Known key({static_cast<const std::uint8_t*>(job.context), G::kSize});
  std::array<std::uint8_t, G::kSize> context;
  std::array<std::uint8_t, G::kShareSize> share;
  job.result = single<G>().generate(context.data(), key, share);
  if (job.result != GroupResult::ok) return;
  job.result = single<G>().decapsulate(context.data(), job.server_share, job.secret);
  single<G>().destroy(context.data());
}

template <class G>
void decapsulate_together(std::span<DecapsulateJob> jobs) noexcept {
  const Forgotten forgotten;
  Lanes<const std::uint8_t> keys{}, shares{};
  Lanes<std::uint8_t> secrets{};
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    DecapsulateJob& job = jobs[i];
    if (holder<G>(job.context) == Holder::single) {
      decapsulate_alone<G>(job);
      continue;
    }
    job.result = GroupResult::bad_share;
    if (!G::is_share(job.server_share)) continue;
    if (!G::is_for_lanes(job.server_share)) {
      decapsulate_known<G>(job);
      continue;
    }
    job.result = GroupResult::failed;
    if (job.secret.size() != G::kSize) continue;
    keys[i] = static_cast<const std::uint8_t*>(job.context);
    shares[i] = job.server_share.data();
    secrets[i] = job.secret.data();
  }
  if (std::ranges::all_of(keys, [](const std::uint8_t* key) { return key == nullptr; })) return;
  const mbx_status agreed = G::agree(keys, shares, secrets);
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    if (keys[i] == nullptr) continue;
    jobs[i].result = is_done(agreed, i) ? GroupResult::ok : GroupResult::bad_share;
    if (jobs[i].result != GroupResult::ok) wipe(jobs[i].secret);
  }
}

/// A key that was made with others has no other way.
template <class G>
void decapsulate_many(std::span<DecapsulateJob> jobs) noexcept {
  in_lanes(jobs, 1, decapsulate_together<G>, decapsulate_alone<G>);
}

template <class G>
GroupResult encapsulate(Bytes client_share, RandomSource& random, MutableBytes server_share,
                        MutableBytes secret) noexcept {
  return single<G>().encapsulate(client_share, random, server_share, secret);
}

template <class G>
GroupResult decapsulate(void* context, Bytes server_share, MutableBytes secret) noexcept {
  DecapsulateJob job{.context = context, .server_share = server_share, .secret = secret};
  decapsulate_many<G>({&job, 1});
  return job.result;
}

template <class G>
void destroy(void* context) noexcept {
  if (holder<G>(context) == Holder::single) single<G>().destroy(context);
  wipe(MutableBytes(static_cast<std::uint8_t*>(context), kContextSize<G>));
}

template <class G>
constexpr Group kDescriptor{
    .id = G::kGroup,
    .implementation = kImplementation,
    .client_share_size = G::kShareSize,
    .server_share_size = G::kShareSize,
    .secret_size = G::kSize,
    .context_size = kContextSize<G>,
    .generate = generate<G>,
    .encapsulate = encapsulate<G>,
    .decapsulate = decapsulate<G>,
    .destroy = destroy<G>,
    .width = kLanes,
    .generate_many = generate_many<G>,
    .encapsulate_many = encapsulate_many<G>,
    .decapsulate_many = decapsulate_many<G>,
};

template <class G>
void add(std::vector<const Group*>& all) {
  const Group* const alone = singles().group(G::kGroup);
  if (alone != nullptr && alone->context_size <= G::kSize) all.push_back(&kDescriptor<G>);
}

}  // namespace

std::vector<const Group*> groups() {
  std::vector<const Group*> all;
  add<X25519>(all);
  add<Weierstrass<P256>>(all);
  add<Weierstrass<P384>>(all);
  return all;
}

}  // namespace lockstep::multibuffer
