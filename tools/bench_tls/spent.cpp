#include "spent.hpp"

#include <stdexcept>
#include <utility>

namespace lockstep::bench {
namespace {

bool every_part = false;  // NOLINT: descriptors are plain functions, so what they count in is global; one thread
double attributed = 0;    // seconds in all parts together

// A descriptor's functions have no state but their context, so each wrapper is a template of the place of the one that
// it wraps.
constexpr std::size_t kMost = 48;

template <class Descriptor>
std::array<const Descriptor*, kMost> wrapped{};  // NOLINT: see above

template <std::size_t place>
Aead wrap(const Aead& from) {
  Aead aead = from;
  aead.init = [](void* context, Bytes key) noexcept {
    const Timed timer(Part::aead);
    return wrapped<Aead>[place] -> init(context, key);
  };
  aead.seal = [](void* context, std::span<const SealJob> jobs) noexcept {
    const Timed timer(Part::aead);
    return wrapped<Aead>[place] -> seal(context, jobs);
  };
  aead.open = [](void* context, std::span<OpenJob> jobs) noexcept {
    const Timed timer(Part::aead);
    return wrapped<Aead>[place] -> open(context, jobs);
  };
  return aead;
}

template <std::size_t place>
Hash wrap(const Hash& from) {
  Hash hash = from;
  hash.init = [](void* context) noexcept {
    const Timed timer(Part::hash);
    return wrapped<Hash>[place] -> init(context);
  };
  hash.update = [](void* context, Bytes data) noexcept {
    const Timed timer(Part::hash);
    wrapped<Hash>[place] -> update(context, data);
  };
  hash.digest = [](const void* context, MutableBytes out) noexcept {
    const Timed timer(Part::hash);
    return wrapped<Hash>[place] -> digest(context, out);
  };
  hash.hmac = [](Bytes key, std::span<const Bytes> segments, MutableBytes out) noexcept {
    const Timed timer(Part::hash);
    return wrapped<Hash>[place] -> hmac(key, segments, out);
  };
  hash.expand = [](std::span<const ExpandJob> jobs) noexcept {
    const Timed timer(Part::hash);
    return wrapped<Hash>[place] -> expand(jobs);
  };
  return hash;
}

template <std::size_t place>
Group wrap(const Group& from) {
  Group group = from;
  group.generate = [](void* context, RandomSource& random, MutableBytes share) noexcept {
    const Timed timer(Part::public_key);
    return wrapped<Group>[place] -> generate(context, random, share);
  };
  group.encapsulate = [](Bytes client_share, RandomSource& random, MutableBytes server_share,
                         MutableBytes secret) noexcept {
    const Timed timer(Part::public_key);
    return wrapped<Group>[place] -> encapsulate(client_share, random, server_share, secret);
  };
  group.decapsulate = [](void* context, Bytes server_share, MutableBytes secret) noexcept {
    const Timed timer(Part::public_key);
    return wrapped<Group>[place] -> decapsulate(context, server_share, secret);
  };
  return group;
}

template <std::size_t place>
SignatureVerifier wrap(const SignatureVerifier& from) {
  SignatureVerifier verifier = from;
  verifier.verify = [](Bytes key, Bytes message, Bytes signature) noexcept {
    const Timed timer(Part::public_key);
    return wrapped<SignatureVerifier>[place] -> verify(key, message, signature);
  };
  return verifier;
}

template <class Descriptor, std::size_t... places>
void wrap_all(std::vector<const Descriptor*>& list, std::index_sequence<places...> /*places*/) {
  static std::array<Descriptor, kMost> copies{};
  if (list.size() > kMost) throw std::runtime_error("the provider has more descriptors than the timer has room for");
  for (std::size_t i = 0; i < list.size(); ++i) wrapped<Descriptor>[i] = list[i];
  ((places < list.size() ? static_cast<void>(copies[places] = wrap<places>(*list[places])) : void()), ...);
  for (std::size_t i = 0; i < list.size(); ++i) list[i] = &copies[i];
}

class TimedKey final : public SigningKey {
 public:
  explicit TimedKey(std::shared_ptr<const SigningKey> key) noexcept : key_(std::move(key)) {}
  [[nodiscard]] KeyType type() const noexcept override { return key_->type(); }
  [[nodiscard]] Bytes subject_public_key_info() const noexcept override { return key_->subject_public_key_info(); }
  [[nodiscard]] std::span<const SignatureScheme> schemes() const noexcept override { return key_->schemes(); }
  [[nodiscard]] std::size_t sign(SignatureScheme scheme, Bytes message, RandomSource& random,
                                 MutableBytes out) const noexcept override {
    const Timed timer(Part::public_key);
    return key_->sign(scheme, message, random, out);
  }

 private:
  std::shared_ptr<const SigningKey> key_;
};

class TimedRandom final : public RandomSource {
 public:
  explicit TimedRandom(RandomSource& source) noexcept : source_(&source) {}
  bool fill(MutableBytes out) noexcept override {
    const Timed timer(Part::random);
    return source_->fill(out);
  }

 private:
  RandomSource* source_;
};

int depth_of_public_key = 0;  // NOLINT: what a public-key operation draws and hashes belongs to it

}  // namespace

std::string_view name(Part part) noexcept {
  switch (part) {
    case Part::public_key: return "public-key operations";
    case Part::hash: return "hashes and key schedule";
    case Part::aead: return "AEADs";
    case Part::random: return "random bytes";
    case Part::certificates: return "certificates";
  }
  return {};
}

Spent& spent() noexcept {
  static Spent counted;
  return counted;
}

void time_every_part(bool on) noexcept { every_part = on; }

Timed::Timed(Part part) noexcept
    : part_(part), on_(depth_of_public_key == 0 && (every_part || part == Part::public_key)) {
  if (part_ == Part::public_key) ++depth_of_public_key;
  if (on_) start_ = seconds_now() - attributed;
}

Timed::~Timed() {
  if (part_ == Part::public_key) --depth_of_public_key;
  if (!on_) return;
  const double taken = seconds_now() - attributed - start_;
  attributed += taken;
  spent().seconds[static_cast<std::size_t>(part_)] += taken;
  ++spent().calls[static_cast<std::size_t>(part_)];
}

const Provider& timed(const Provider& provider) {
  static const Provider made = [&provider] {
    Provider copy = provider;
    constexpr auto places = std::make_index_sequence<kMost>();
    wrap_all(copy.aeads, places);
    wrap_all(copy.hashes, places);
    wrap_all(copy.groups, places);
    wrap_all(copy.verifiers, places);
    return copy;
  }();
  return made;
}

std::shared_ptr<const SigningKey> timed(std::shared_ptr<const SigningKey> key) {
  return std::make_shared<TimedKey>(std::move(key));
}

std::unique_ptr<RandomSource> timed(RandomSource& source) { return std::make_unique<TimedRandom>(source); }

}  // namespace lockstep::bench
