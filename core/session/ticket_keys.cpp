#include <algorithm>
#include <string_view>
#include <utility>

#include <lockstep/session.hpp>

#include "record/protection.hpp"

namespace lockstep {

namespace {

constexpr std::size_t kSeedSize = 32;
constexpr std::size_t kTagSize = 16;
constexpr std::size_t kHeaderSize = TicketKey::kNameSize + kSeedSize;
static_assert(TicketKeys::kOverhead == kHeaderSize + kTagSize);

// Keep the uses of a secret apart from each other and from any other: none is the beginning of another.
constexpr std::string_view kSeedPurpose = "lockstep ticket seed 1";
constexpr std::string_view kPurpose = "lockstep ticket 1";

/// A seed that no other session gets, whatever the source of randomness does: a MAC of its bytes and the session, in
/// the manner of synthetic initialization vectors (RFC 5297 3). A counter would do the same within a process, but begin
/// again with every restart and in every process that shares the key.
bool make_seed(const Hash& hash, const TicketKey& key, Bytes session, RandomSource& random, MutableBytes seed) noexcept;

/// The key and nonce of the one ticket with this seed.
bool derive(const Aead& aead, const Hash& hash, const TicketKey& key, Bytes seed,
            record::Protection& protection) noexcept;

}  // namespace

std::optional<TicketKey> TicketKey::generate(RandomSource& random) noexcept {
  TicketKey key;
  key.secret_.resize(kSecretSize);
  if (!random.fill(key.name_) || !random.fill(key.secret_.writable())) return std::nullopt;
  return key;
}

std::optional<TicketKey> TicketKey::from_bytes(Bytes name_and_secret) noexcept {
  if (name_and_secret.size() != kNameSize + kSecretSize) return std::nullopt;
  TicketKey key;
  std::ranges::copy(name_and_secret.first(kNameSize), key.name_.begin());
  key.secret_ = Secret<kSecretSize>(name_and_secret.subspan(kNameSize));
  return key;
}

TicketKey TicketKey::clone() const noexcept {
  TicketKey copy;
  copy.name_ = name_;
  copy.secret_ = secret_.clone();
  return copy;
}

std::expected<TicketKeys, TicketError> TicketKeys::create(const Provider& provider, TicketKey current) {
  auto keys = dangerous().allow_insecure_provider(provider, std::move(current));
  if (keys && (keys->aead_->insecure || keys->hash_->insecure)) return std::unexpected(TicketError::insecure);
  return keys;
}

std::expected<TicketKeys, TicketError> TicketKeys::Dangerous::allow_insecure_provider(const Provider& provider,
                                                                                      TicketKey current) const {
  const Aead* aead = provider.aead(AeadAlgorithm::aes_256_gcm);
  if (aead == nullptr) aead = provider.aead(AeadAlgorithm::chacha20_poly1305);
  const Hash* hash = provider.hash(HashAlgorithm::sha256);
  if (aead == nullptr || hash == nullptr) return std::unexpected(TicketError::unsupported);
  TicketKeys keys(*aead, *hash);
  if (auto rotated = keys.rotate(std::move(current)); !rotated) return std::unexpected(rotated.error());
  return keys;
}

std::expected<void, TicketError> TicketKeys::rotate(TicketKey next) {
  if (next.secret().empty()) return std::unexpected(TicketError::no_secret);
  if (keys_.size() == kMaxKeys) keys_.pop_back();
  keys_.insert(keys_.begin(), std::move(next));
  return {};
}

std::expected<void, TicketError> TicketKeys::add_previous(TicketKey previous) {
  if (keys_.empty() || previous.secret().empty()) return std::unexpected(TicketError::no_secret);
  if (keys_.size() == kMaxKeys) keys_.pop_back();
  keys_.push_back(std::move(previous));
  return {};
}

std::expected<void, TicketError> TicketKeys::assign(std::vector<TicketKey> keys) {
  if (std::ranges::any_of(keys, [](const TicketKey& key) { return key.secret().empty(); }))
    return std::unexpected(TicketError::no_secret);
  keys_ = std::move(keys);
  while (keys_.size() > kMaxKeys) keys_.pop_back();
  return {};
}

std::expected<std::size_t, TicketError> TicketKeys::seal(Bytes session, RandomSource& random,
                                                         MutableBytes out) const noexcept {
  if (keys_.empty()) return std::unexpected(TicketError::no_secret);
  const std::size_t size = sealed_size(session.size());
  if (out.size() < size) return std::unexpected(TicketError::no_room);

  const TicketKey& key = keys_.front();
  std::ranges::copy(key.name(), out.begin());
  const MutableBytes seed = out.subspan(TicketKey::kNameSize, kSeedSize);
  if (!make_seed(*hash_, key, session, random, seed)) return std::unexpected(TicketError::failed);

  record::Protection protection;
  if (!derive(*aead_, *hash_, key, seed, protection)) return std::unexpected(TicketError::failed);
  const record::Nonce nonce = protection.nonce();
  const SealJob job{.nonce = nonce.view().data(),
                    .aad = out.first(kHeaderSize),
                    .source = {&session, 1},
                    .tail = {},
                    .destination = out.data() + kHeaderSize};
  const record::StackSlot slot(protection);
  void* const context = protection.context();
  if (context == nullptr || !aead_->seal(context, {&job, 1})) return std::unexpected(TicketError::failed);
  return size;
}

std::expected<TicketKeys::Opened, TicketError> TicketKeys::open(Bytes ticket, MutableBytes out) const noexcept {
  const auto found = key_of(ticket);
  if (!found) return std::unexpected(found.error());
  const TicketKey* const key = *found;
  const std::size_t size = opened_size(ticket.size());
  if (out.size() < size) return std::unexpected(TicketError::no_room);

  record::Protection protection;
  if (!derive(*aead_, *hash_, *key, ticket.subspan(TicketKey::kNameSize, kSeedSize), protection)) {
    return std::unexpected(TicketError::failed);
  }
  const record::Nonce nonce = protection.nonce();
  OpenJob job{.nonce = nonce.view().data(),
              .aad = ticket.first(kHeaderSize),
              .source = ticket.subspan(kHeaderSize),
              .destination = out.data()};
  const record::StackSlot slot(protection);
  void* const context = protection.context();
  if (context == nullptr) return std::unexpected(TicketError::failed);
  if (!aead_->open(context, {&job, 1})) return std::unexpected(TicketError::invalid);
  return Opened{.size = size, .renew = key != keys_.data()};
}

std::expected<void, TicketError> TicketKeys::recognize(Bytes ticket) const noexcept {
  if (const auto key = key_of(ticket); !key) return std::unexpected(key.error());
  return {};
}

std::expected<const TicketKey*, TicketError> TicketKeys::key_of(Bytes ticket) const noexcept {
  if (ticket.size() < kOverhead) return std::unexpected(TicketError::malformed);
  // Names are public: they stand in every ticket.
  const auto key = std::ranges::find_if(
      keys_, [&](const TicketKey& candidate) { return equal(candidate.name(), ticket.first(TicketKey::kNameSize)); });
  if (key == keys_.end()) return std::unexpected(TicketError::unknown_key);
  return &*key;
}

std::string_view name(TicketError error) noexcept {
  switch (error) {
    case TicketError::malformed: return "malformed";
    case TicketError::unknown_key: return "unknown_key";
    case TicketError::invalid: return "invalid";
    case TicketError::no_room: return "no_room";
    case TicketError::failed: return "failed";
    case TicketError::no_secret: return "no_secret";
    case TicketError::unsupported: return "unsupported";
    case TicketError::insecure: return "insecure";
  }
  return {};
}

namespace {

bool make_seed(const Hash& hash, const TicketKey& key, Bytes session, RandomSource& random,
               MutableBytes seed) noexcept {
  Secret<kSeedSize> fresh(kSeedSize);
  if (!random.fill(fresh.writable())) return false;
  const std::array<Bytes, 3> segments = {as_bytes(kSeedPurpose), fresh.view(), session};
  return hash.hmac(key.secret(), segments, seed);
}

bool derive(const Aead& aead, const Hash& hash, const TicketKey& key, Bytes seed,
            record::Protection& protection) noexcept {
  std::array<std::uint8_t, kPurpose.size() + 1 + kSeedSize> info;
  auto end = std::ranges::copy(as_bytes(kPurpose), info.begin()).out;
  *end++ = static_cast<std::uint8_t>(aead.id);
  std::ranges::copy(seed, end);

  Secret<kMaxAeadKeySize + kAeadNonceSize> material(aead.key_size + kAeadNonceSize);
  const ExpandJob job{.secret = key.secret(), .info = info, .out = material.writable()};
  if (!hash.expand({&job, 1})) return false;
  return protection.install(aead, material.view().first(aead.key_size), material.view().subspan(aead.key_size));
}

}  // namespace

}  // namespace lockstep
