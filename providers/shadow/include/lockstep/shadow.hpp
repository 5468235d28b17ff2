#pragma once
// Two providers in lock-step: every operation runs in both and the results are compared. For tests, and to try a new
// provider under real traffic. It costs more than both together, and allocates.
//
//     struct Both {
//       static Provider leader() { return botan::provider(); }
//       static Provider follower() { return sodium::provider(); }
//       static void differ(std::string_view operation, std::string_view algorithm) noexcept { /* count, log */ }
//     };
//     Provider shadowed = shadow<Both>("botan, shadowed by sodium");
//
// The result lists what both have, in the leader's order. Bytes that leave are the leader's. Randomness is drawn once,
// by the leader, and played again to the follower, so keys and shares can be compared as well: a pair of providers
// that turn equal random bytes into different keys differs. Where the two differ, `differ` is called, from any thread,
// and the operation fails: a record does not open, a signature is not valid, a share is not made.

#include <algorithm>
#include <array>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include <lockstep/capabilities.hpp>
#include <lockstep/provider.hpp>

namespace lockstep {

/// `name` must live as long as the result.
template <class Both>
[[nodiscard]] Provider shadow(std::string_view name);

namespace shadowing {

using Buffer = std::vector<std::uint8_t>;

template <class Both>
const Provider& leader() {
  static const Provider provider = Both::leader();
  return provider;
}
template <class Both>
const Provider& follower() {
  static const Provider provider = Both::follower();
  return provider;
}

/// Keeps what is drawn, for the follower.
class Recorder final : public RandomSource {
 public:
  explicit Recorder(RandomSource& source) noexcept : source_(source) {}
  ~Recorder() override { wipe(tape_); }
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;
  [[nodiscard]] bool fill(MutableBytes out) noexcept override {
    if (!source_.fill(out)) return false;
    try {
      // Growing would leave a copy behind.
      if (tape_.size() + out.size() > tape_.capacity()) {
        Buffer larger;
        larger.reserve(2 * (tape_.size() + out.size()));
        larger.assign(tape_.begin(), tape_.end());
        wipe(tape_);
        tape_.swap(larger);
      }
      tape_.insert(tape_.end(), out.begin(), out.end());
      return true;
    } catch (...) {
      return false;
    }
  }
  [[nodiscard]] Bytes tape() const noexcept { return tape_; }

 private:
  RandomSource& source_;
  Buffer tape_;
};

/// Yields what was kept, and nothing more.
class Player final : public RandomSource {
 public:
  explicit Player(Bytes tape) noexcept : rest_(tape) {}
  [[nodiscard]] bool fill(MutableBytes out) noexcept override {
    if (out.size() > rest_.size()) return false;
    std::ranges::copy(rest_.first(out.size()), out.begin());
    rest_ = rest_.subspan(out.size());
    return true;
  }

 private:
  Bytes rest_;
};

/// A secret that is compared and then forgotten.
struct Scratch {
  explicit Scratch(std::size_t size) : bytes(size) {}
  explicit Scratch(Bytes copied) : bytes(copied.begin(), copied.end()) {}
  ~Scratch() { wipe(bytes); }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  Buffer bytes;
};

/// Both contexts, on the heap, because they do not fit into one.
template <std::size_t size>
struct alignas(64) Contexts {
  std::array<std::uint8_t, size> leader{};
  std::array<std::uint8_t, size> follower{};

  static Contexts* of(const void* context) noexcept {
    Contexts* contexts = nullptr;
    std::memcpy(&contexts, context, sizeof contexts);
    return contexts;
  }
  /// Into the caller's storage.
  static void keep(void* context, std::unique_ptr<Contexts> contexts) noexcept {
    Contexts* const raw = contexts.release();
    std::memcpy(context, &raw, sizeof raw);
  }
  static void drop(void* context) noexcept {
    const std::unique_ptr<Contexts> contexts(of(context));
    std::memset(context, 0, sizeof(Contexts*));
  }
};

/// Runs what may throw for want of memory; `otherwise` when it did.
template <class Result, class Function>
Result guarded(Result otherwise, Function function) noexcept {
  try {
    return function();
  } catch (...) {
    return otherwise;
  }
}

// --- AEAD ------------------------------------------------------------------------------------------------------------

template <class Both, AeadAlgorithm id>
struct ShadowAead {
  using Pair = Contexts<kMaxAeadContextSize>;
  static const Aead& first() noexcept { return *leader<Both>().aead(id); }
  static const Aead& second() noexcept { return *follower<Both>().aead(id); }
  static bool differ(std::string_view operation) noexcept {
    Both::differ(operation, name(id));
    return false;
  }

  static bool init(void* context, Bytes key) noexcept {
    return guarded(false, [&] {
      auto pair = std::make_unique<Pair>();
      const bool one = first().init(pair->leader.data(), key);
      const bool two = second().init(pair->follower.data(), key);
      if (one && two) {
        Pair::keep(context, std::move(pair));
        return true;
      }
      if (one) first().destroy(pair->leader.data());
      if (two) second().destroy(pair->follower.data());
      return one == two ? false : differ("init");
    });
  }

  static bool seal(void* context, std::span<const SealJob> jobs) noexcept {
    return guarded(false, [&] {
      bool all = true;
      for (const SealJob& job : jobs) all = seal_one(*Pair::of(context), job) && all;
      return all;
    });
  }
  static bool seal_one(Pair& pair, const SealJob& job) {
    // Sealing in place destroys the source, so the follower goes first, into a place of its own.
    std::size_t size = job.tail.size() + second().tag_size;
    for (const Bytes segment : job.source) size += segment.size();
    Buffer other(size);
    SealJob copy = job;
    copy.destination = other.data();
    const bool two = second().seal(pair.follower.data(), {&copy, 1});
    const bool one = first().seal(pair.leader.data(), {&job, 1});
    const MutableBytes sealed(job.destination, size);
    if (one == two && (!one || equal(sealed, other))) return one;
    wipe(sealed);
    return differ("seal");
  }

  static bool open(void* context, std::span<OpenJob> jobs) noexcept {
    bool all = true;
    for (OpenJob& job : jobs) {
      job.ok = guarded(false, [&] { return open_one(*Pair::of(context), job); });
      all = all && job.ok;
    }
    return all;
  }
  static bool open_one(Pair& pair, OpenJob& job) {
    Scratch other(job.source);
    OpenJob copy = job;
    copy.source = other.bytes;
    copy.destination = other.bytes.data();
    const bool one = first().open(pair.leader.data(), {&job, 1});
    const bool two = second().open(pair.follower.data(), {&copy, 1});
    if (one == two && !one) return false;
    const MutableBytes opened(job.destination, job.source.size() - first().tag_size);
    if (one == two && constant_time_equal(opened, Bytes(other.bytes).first(opened.size()))) return true;
    wipe(opened);
    return differ("open");
  }

  static void destroy(void* context) noexcept {
    Pair* const pair = Pair::of(context);
    first().destroy(pair->leader.data());
    second().destroy(pair->follower.data());
    Pair::drop(context);
  }

  static Aead descriptor(std::string_view implementation) noexcept {
    return {id,
            implementation,
            first().key_size,
            first().tag_size,
            sizeof(Pair*),
            init,
            seal,
            open,
            destroy,
            first().insecure || second().insecure};
  }
};

// --- masks -----------------------------------------------------------------------------------------------------------

template <class Both, MaskAlgorithm id>
struct ShadowMask {
  using Pair = Contexts<kMaxMaskContextSize>;
  static const Mask& first() noexcept { return *leader<Both>().mask(id); }
  static const Mask& second() noexcept { return *follower<Both>().mask(id); }

  static bool init(void* context, Bytes key) noexcept {
    return guarded(false, [&] {
      auto pair = std::make_unique<Pair>();
      if (!first().init(pair->leader.data(), key)) return false;
      if (!second().init(pair->follower.data(), key)) {
        first().destroy(pair->leader.data());
        return false;
      }
      Pair::keep(context, std::move(pair));
      return true;
    });
  }

  static bool compute(void* context, std::span<const MaskJob> jobs) noexcept {
    Pair& pair = *Pair::of(context);
    bool all = first().compute(pair.leader.data(), jobs);
    for (const MaskJob& job : jobs) {
      std::array<std::uint8_t, kMaxMaskSize> other{};
      if (!all || job.mask.size() > other.size()) return false;
      const MaskJob copy{job.sample, MutableBytes(other).first(job.mask.size())};
      if (second().compute(pair.follower.data(), {&copy, 1}) && equal(job.mask, copy.mask)) continue;
      wipe(job.mask);
      Both::differ("mask", name(id));
      all = false;
    }
    return all;
  }

  static void destroy(void* context) noexcept {
    Pair* const pair = Pair::of(context);
    first().destroy(pair->leader.data());
    second().destroy(pair->follower.data());
    Pair::drop(context);
  }

  static Mask descriptor(std::string_view implementation) noexcept {
    return {id,   implementation, first().key_size, sizeof(Pair*),
            init, compute,        destroy,          first().insecure || second().insecure};
  }
};

// --- hashes ----------------------------------------------------------------------------------------------------------

template <class Both, HashAlgorithm id>
struct ShadowHash {
  using Pair = Contexts<kMaxHashContextSize>;
  static const Hash& first() noexcept { return *leader<Both>().hash(id); }
  static const Hash& second() noexcept { return *follower<Both>().hash(id); }

  static bool init(void* context) noexcept {
    return guarded(false, [&] {
      auto pair = std::make_unique<Pair>();
      if (!first().init(pair->leader.data())) return false;
      if (!second().init(pair->follower.data())) {
        first().destroy(pair->leader.data());
        return false;
      }
      Pair::keep(context, std::move(pair));
      return true;
    });
  }
  static void update(void* context, Bytes data) noexcept {
    first().update(Pair::of(context)->leader.data(), data);
    second().update(Pair::of(context)->follower.data(), data);
  }
  static bool digest(const void* context, MutableBytes out) noexcept {
    const Pair& pair = *Pair::of(context);
    return both("digest", out, [&](const Hash& hash, bool leads, MutableBytes to) {
      return hash.digest(leads ? pair.leader.data() : pair.follower.data(), to);
    });
  }
  static void destroy(void* context) noexcept {
    Pair* const pair = Pair::of(context);
    first().destroy(pair->leader.data());
    second().destroy(pair->follower.data());
    Pair::drop(context);
  }
  static bool hmac(Bytes key, std::span<const Bytes> segments, MutableBytes out) noexcept {
    return both("hmac", out, [&](const Hash& hash, bool, MutableBytes to) { return hash.hmac(key, segments, to); });
  }
  static bool expand(std::span<const ExpandJob> jobs) noexcept {
    bool all = true;
    for (const ExpandJob& job : jobs) {
      all = both("expand", job.out,
                 [&](const Hash& hash, bool, MutableBytes to) {
                   const ExpandJob alone{job.secret, job.info, to};
                   return hash.expand({&alone, 1});
                 }) &&
            all;
    }
    return all;
  }

  template <class Compute>
  static bool both(std::string_view operation, MutableBytes out, Compute compute) noexcept {
    return guarded(false, [&] {
      Scratch other(out.size());
      const bool one = compute(first(), true, out);
      const bool two = compute(second(), false, other.bytes);
      if (one == two && (!one || constant_time_equal(out, other.bytes))) return one;
      wipe(out);
      Both::differ(operation, name(id));
      return false;
    });
  }

  static Hash descriptor(std::string_view implementation) noexcept {
    return {id,
            implementation,
            first().digest_size,
            sizeof(Pair*),
            init,
            update,
            digest,
            destroy,
            hmac,
            expand,
            first().insecure || second().insecure};
  }
};

// --- key exchange ----------------------------------------------------------------------------------------------------

template <class Both, NamedGroup id>
struct ShadowGroup {
  using Pair = Contexts<kMaxGroupContextSize>;
  static const Group& first() noexcept { return *leader<Both>().group(id); }
  static const Group& second() noexcept { return *follower<Both>().group(id); }
  static GroupResult differ(std::string_view operation) noexcept {
    Both::differ(operation, name(id));
    return GroupResult::failed;
  }

  static GroupResult generate(void* context, RandomSource& random, MutableBytes share) noexcept {
    return guarded(GroupResult::failed, [&] {
      auto pair = std::make_unique<Pair>();
      Buffer other(share.size());
      Recorder recorder(random);
      const GroupResult one = first().generate(pair->leader.data(), recorder, share);
      if (one != GroupResult::ok) return one;  // the source failed; nothing is left to play
      Player player(recorder.tape());
      const GroupResult two = second().generate(pair->follower.data(), player, other);
      if (two == GroupResult::ok && equal(share, other)) {
        Pair::keep(context, std::move(pair));
        return GroupResult::ok;
      }
      first().destroy(pair->leader.data());
      if (two == GroupResult::ok) second().destroy(pair->follower.data());
      return differ("generate");
    });
  }

  static GroupResult encapsulate(Bytes client_share, RandomSource& random, MutableBytes server_share,
                                 MutableBytes secret) noexcept {
    return guarded(GroupResult::failed, [&] {
      Buffer other_share(server_share.size());
      Scratch other(secret.size());
      Recorder recorder(random);
      const GroupResult one = first().encapsulate(client_share, recorder, server_share, secret);
      if (one == GroupResult::failed) return one;
      Player player(recorder.tape());
      const GroupResult two = second().encapsulate(client_share, player, other_share, other.bytes);
      // One may refuse a share before it draws a key, the other after.
      if (one == GroupResult::bad_share && two != GroupResult::ok) return one;
      if (one == two && equal(server_share, other_share) && constant_time_equal(secret, other.bytes)) return one;
      wipe(secret);
      return differ("encapsulate");
    });
  }

  static GroupResult decapsulate(void* context, Bytes server_share, MutableBytes secret) noexcept {
    return guarded(GroupResult::failed, [&] {
      Pair& pair = *Pair::of(context);
      Scratch other(secret.size());
      const GroupResult one = first().decapsulate(pair.leader.data(), server_share, secret);
      const GroupResult two = second().decapsulate(pair.follower.data(), server_share, other.bytes);
      if (one == two && (one != GroupResult::ok || constant_time_equal(secret, other.bytes))) return one;
      wipe(secret);
      return differ("decapsulate");
    });
  }

  static void destroy(void* context) noexcept {
    Pair* const pair = Pair::of(context);
    first().destroy(pair->leader.data());
    second().destroy(pair->follower.data());
    Pair::drop(context);
  }

  static Group descriptor(std::string_view implementation) noexcept {
    return {id,
            implementation,
            first().client_share_size,
            first().server_share_size,
            first().secret_size,
            sizeof(Pair*),
            generate,
            encapsulate,
            decapsulate,
            destroy,
            first().insecure || second().insecure};
  }
};

// --- signatures ------------------------------------------------------------------------------------------------------

template <class Both, Verification id>
struct ShadowVerifier {
  static VerifyResult verify(Bytes subject_public_key_info, Bytes message, Bytes signature) noexcept {
    const auto one = leader<Both>().verifier(id.algorithm, id.key)->verify(subject_public_key_info, message, signature);
    const auto two =
        follower<Both>().verifier(id.algorithm, id.key)->verify(subject_public_key_info, message, signature);
    if (one == two) return one;
    Both::differ("verify", name(id.algorithm));
    return VerifyResult::invalid;
  }

  static SignatureVerifier descriptor(std::string_view implementation) noexcept {
    return {id.algorithm, id.key, implementation, verify, insecure(leader<Both>()) || insecure(follower<Both>())};
  }
  static bool insecure(const Provider& provider) noexcept { return provider.verifier(id.algorithm, id.key)->insecure; }
};

/// Signatures that follow from key and message alone: RFC 8032 5.1.6 and 5.2.6, RFC 8017 8.2.1.
constexpr bool is_deterministic(SignatureAlgorithm algorithm) noexcept {
  switch (algorithm) {
    case SignatureAlgorithm::ed25519:
    case SignatureAlgorithm::ed448:
    case SignatureAlgorithm::rsa_pkcs1_sha1:
    case SignatureAlgorithm::rsa_pkcs1_sha256:
    case SignatureAlgorithm::rsa_pkcs1_sha384:
    case SignatureAlgorithm::rsa_pkcs1_sha512: return true;
    default: return false;
  }
}

using KeyResult = std::expected<std::shared_ptr<const SigningKey>, KeyError>;

template <class Both>
class ShadowKey final : public SigningKey {
 public:
  ShadowKey(std::shared_ptr<const SigningKey> first, std::shared_ptr<const SigningKey> second)
      : first_(std::move(first)), second_(std::move(second)) {
    std::ranges::copy_if(first_->schemes(), std::back_inserter(schemes_), [&](SignatureScheme scheme) {
      return std::ranges::find(second_->schemes(), scheme) != second_->schemes().end();
    });
  }
  [[nodiscard]] KeyType type() const noexcept override { return first_->type(); }
  [[nodiscard]] Bytes subject_public_key_info() const noexcept override { return first_->subject_public_key_info(); }
  [[nodiscard]] std::span<const SignatureScheme> schemes() const noexcept override { return schemes_; }

  /// Each must accept the other's signature.
  [[nodiscard]] std::size_t sign(SignatureScheme scheme, Bytes message, RandomSource& random,
                                 MutableBytes out) const noexcept override {
    if (std::ranges::find(schemes_, scheme) == schemes_.end()) return 0;
    const std::size_t none = 0;
    return guarded(none, [&] {
      Recorder recorder(random);
      const std::size_t size = first_->sign(scheme, message, recorder, out);
      if (size == 0) return none;
      Buffer other(kMaxSignatureSize);
      Player player(recorder.tape());
      other.resize(second_->sign(scheme, message, player, other));
      const Bytes signature = out.first(size);
      const SignatureAlgorithm algorithm = parts(scheme)->algorithm;
      if (accepts(follower<Both>(), algorithm, message, signature) &&
          accepts(leader<Both>(), algorithm, message, other) &&
          (!is_deterministic(algorithm) || equal(signature, other)))
        return size;
      wipe(out.first(size));
      Both::differ("sign", name(scheme));
      return none;
    });
  }
  /// By the first alone: what cannot be read gives other random bytes in each, and nobody may know that it was so.
  [[nodiscard]] bool decrypt(Bytes ciphertext, RandomSource& random, MutableBytes out) const noexcept override {
    return first_->decrypt(ciphertext, random, out);
  }

 private:
  bool accepts(const Provider& provider, SignatureAlgorithm algorithm, Bytes message, Bytes signature) const noexcept {
    const SignatureVerifier* const verifier = provider.verifier(algorithm, type());
    return verifier == nullptr ||
           verifier->verify(subject_public_key_info(), message, signature) == VerifyResult::valid;
  }

  std::shared_ptr<const SigningKey> first_;
  std::shared_ptr<const SigningKey> second_;
  std::vector<SignatureScheme> schemes_;
};

template <class Both>
struct ShadowLoader {
  static KeyResult load(const Provider& provider, Bytes pkcs8) noexcept {
    KeyResult result = std::unexpected(KeyError::unsupported);
    for (const KeyLoader* loader : provider.key_loaders) {
      result = loader->load(pkcs8);
      if (result || result.error() != KeyError::unsupported) break;
    }
    return result;
  }

  static KeyResult load(Bytes pkcs8) noexcept {
    const KeyResult failed = std::unexpected(KeyError::failed);
    return guarded(failed, [&]() -> KeyResult {
      const KeyResult one = load(leader<Both>(), pkcs8);
      const KeyResult two = load(follower<Both>(), pkcs8);
      // What only one of them knows is not shadowed.
      if (!two && two.error() == KeyError::unsupported) return two;
      if (!one) {
        if (!two || one.error() == KeyError::unsupported) return one;
      } else if (two && equal((*one)->subject_public_key_info(), (*two)->subject_public_key_info())) {
        return std::make_shared<const ShadowKey<Both>>(*one, *two);
      }
      Both::differ("load", "");
      return failed;
    });
  }

  static std::expected<Buffer, KeyError> decrypt(Bytes encrypted_pkcs8, std::string_view passphrase) noexcept {
    const auto found = std::ranges::find_if(leader<Both>().key_loaders,
                                            [](const KeyLoader* loader) { return loader->decrypt != nullptr; });
    if (found == leader<Both>().key_loaders.end()) return std::unexpected(KeyError::unsupported);
    return (*found)->decrypt(encrypted_pkcs8, passphrase);
  }

  static bool insecure() noexcept {
    const auto any = [](const Provider& provider) {
      return std::ranges::any_of(provider.key_loaders, [](const KeyLoader* loader) { return loader->insecure; });
    };
    return any(leader<Both>()) || any(follower<Both>());
  }

  /// The leader makes it, both must read it.
  static std::expected<Buffer, KeyError> generate(KeyType type, std::size_t bits, RandomSource& random) noexcept {
    const KeyLoader* const loader = leader<Both>().key_loader(type);
    if (loader == nullptr || loader->generate == nullptr || follower<Both>().key_loader(type) == nullptr)
      return std::unexpected(KeyError::unsupported);
    auto made = loader->generate(type, bits, random);
    if (made && !load(*made)) {
      wipe(*made);
      return std::unexpected(KeyError::failed);
    }
    return made;
  }
};

// --- tables ----------------------------------------------------------------------------------------------------------

/// For every algorithm of a table that both providers have: its descriptor, as long as the program lives.
template <class Both, class Descriptor, template <class, auto> class Shadow, const auto& table>
std::vector<const Descriptor*> shadows(std::string_view implementation, auto find) {
  using Made = std::array<Descriptor, std::size(table)>;
  constexpr auto kIndices = std::make_index_sequence<std::size(table)>();
  static const auto make = [=]<std::size_t... index>(std::index_sequence<index...>) {
    Made made{};
    ((find(leader<Both>(), table[index]) && find(follower<Both>(), table[index])
          ? void(made[index] = Shadow<Both, table[index]>::descriptor(implementation))
          : void()),
     ...);
    return made;
  };
  static const Made made = make(kIndices);
  std::vector<const Descriptor*> all;
  for (std::size_t i = 0; i < made.size(); ++i) {
    if (find(leader<Both>(), table[i]) && find(follower<Both>(), table[i])) all.push_back(&made[i]);
  }
  return all;
}

}  // namespace shadowing

template <class Both>
Provider shadow(std::string_view name) {
  using namespace shadowing;
  Provider provider{.name = name};
  provider.aeads = shadows<Both, Aead, ShadowAead, every::kAeads>(
      name, [](const Provider& of, AeadAlgorithm id) { return of.aead(id) != nullptr; });
  provider.masks = shadows<Both, Mask, ShadowMask, every::kMasks>(
      name, [](const Provider& of, MaskAlgorithm id) { return of.mask(id) != nullptr; });
  provider.hashes = shadows<Both, Hash, ShadowHash, every::kHashes>(
      name, [](const Provider& of, HashAlgorithm id) { return of.hash(id) != nullptr; });
  provider.groups = shadows<Both, Group, ShadowGroup, every::kGroups>(
      name, [](const Provider& of, NamedGroup id) { return of.group(id) != nullptr; });
  provider.verifiers = shadows<Both, SignatureVerifier, ShadowVerifier, every::kVerifications>(
      name, [](const Provider& of, Verification id) { return of.verifier(id.algorithm, id.key) != nullptr; });

  static const std::vector<KeyType> types = [] {
    std::vector<KeyType> both;
    std::ranges::copy_if(every::kKeys, std::back_inserter(both), [](KeyType type) {
      return leader<Both>().key_loader(type) != nullptr && follower<Both>().key_loader(type) != nullptr;
    });
    return both;
  }();
  static const KeyLoader loader{name,
                                types,
                                static_cast<KeyResult (*)(Bytes) noexcept>(ShadowLoader<Both>::load),
                                ShadowLoader<Both>::decrypt,
                                ShadowLoader<Both>::generate,
                                ShadowLoader<Both>::insecure()};
  if (!types.empty()) provider.key_loaders.push_back(&loader);
  provider.fast_aes = leader<Both>().fast_aes;
  return provider;
}

}  // namespace lockstep
