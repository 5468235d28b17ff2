// Record protection elsewhere: keys go out, records come and go without protection.

#include <algorithm>
#include <utility>

#include "connection/state.hpp"
#include "key_schedule/tls12.hpp"
#include "key_schedule/tls13.hpp"

namespace lockstep {

using connection::Receiving;
using connection::Sending;

TrafficKeys::~TrafficKeys() {
  wipe(key_storage);
  wipe(iv);
}

std::expected<void, Misuse> Connection::State::offload(Direction direction) noexcept {
  if (!usable()) return std::unexpected(Misuse::unusable);
  if (established() == nullptr) return std::unexpected(Misuse::not_connected);
  if (agreed().suite->aead == nullptr) return std::unexpected(Misuse::no_aead);
  const auto* const secrets12 = std::get_if<handshake::Secrets12>(&established()->secrets);
  if (secrets12 != nullptr && secrets12->master.empty()) return std::unexpected(Misuse::forgotten);
  const bool sends = direction == Direction::send;
  if (sends ? sending.offloaded() : receiving.offloaded()) return std::unexpected(Misuse::offloaded);
  // A ticket of the handshake would go out behind keys that are not ours any more.
  if (run() != nullptr && !run()->handshake.over()) return std::unexpected(Misuse::handshake_not_over);
  if (!sends) {
    receiving.protection = Receiving::Protection::keys_due;
    return {};
  }
  if (sending.closed && !sending.alert) return std::unexpected(Misuse::closed);
  if (output_due()) return std::unexpected(Misuse::transmit_first);
  sending.offload();
  return {};
}

std::expected<void, Misuse> Connection::State::forget_exporter() noexcept {
  if (!usable()) return std::unexpected(Misuse::unusable);
  if (renegotiating()) return std::unexpected(Misuse::handshake_not_over);
  auto* const stands = established();
  if (stands == nullptr) return std::unexpected(Misuse::not_connected);
  if (auto* const secrets12 = std::get_if<handshake::Secrets12>(&stands->secrets)) {
    // Keys that are asked for are made of it.
    if (sending.protection() == Sending::Protection::keys_due ||
        receiving.protection == Receiving::Protection::keys_due)
      return std::unexpected(Misuse::offloaded);
    secrets12->master.clear();
  } else {
    std::get<handshake::Secrets13>(stands->secrets).exporter.clear();
  }
  return {};
}

namespace {

struct DirectionKey {
  Secret<kMaxAeadKeySize> key;
  Secret<kAeadNonceSize> iv;
};

// What protects one direction from its next record on.
std::optional<DirectionKey> key_of(const connection::Established& stands, Role role, Direction direction,
                                   std::uint64_t sequence) noexcept {
  const BoundSuite& suite = *stands.agreed.suite;
  if (const auto* const secrets = std::get_if<handshake::Secrets13>(&stands.secrets)) {
    const DigestSecret& traffic = direction == Direction::send ? secrets->write_traffic : secrets->read_traffic;
    const auto key = key_schedule::traffic_key(*suite.hash, traffic, suite.aead->key_size);
    if (!key) return std::nullopt;
    return DirectionKey{key->key.clone(), key->iv.clone()};
  }
  const auto& secrets = std::get<handshake::Secrets12>(stands.secrets);
  const auto master = key_schedule::tls12::MasterSecret::of_session(secrets.master.view());
  if (!master) return std::nullopt;
  const auto block = key_schedule::tls12::key_block(*suite.hash, *master, secrets.client_random, secrets.server_random,
                                                    key_schedule::tls12::key_sizes(suite));
  if (!block) return std::nullopt;
  const bool clients = (role == Role::client) == (direction == Direction::send);
  DirectionKey made{Secret<kMaxAeadKeySize>((clients ? block->client_key : block->server_key).view()),
                    Secret<kAeadNonceSize>((clients ? block->client_iv : block->server_iv).view())};
  // RFC 5288 3: the salt is followed by the explicit nonce, which is the sequence number here.
  const std::size_t salt = made.iv.size();
  made.iv.resize(kAeadNonceSize);
  for (std::size_t at = kAeadNonceSize; at > salt; --at) {
    made.iv.writable()[at - 1] = static_cast<std::uint8_t>(sequence);
    sequence >>= 8U;
  }
  return made;
}

}  // namespace

std::optional<Event> Connection::State::keys_due() noexcept {
  const auto* const stands = established();
  if (stands == nullptr) return std::nullopt;
  const auto hand_out = [&](Direction direction, const auto& half) -> Event {
    const BoundSuite& suite = *stands->agreed.suite;
    TrafficKeys keys;
    keys.direction = direction;
    keys.suite = suite.suite;
    keys.version = stands->agreed.version;
    keys.aead = suite.aead->id;
    keys.sequence = half.installed() ? half.records() : 0;
    const auto key = key_of(*stands, role, direction, keys.sequence);
    if (!key || key->key.view().size() > keys.key_storage.size() || key->iv.view().size() != keys.iv.size()) {
      fail(Reason::provider_failed, Place::key_update);
      return Failed{*error()};
    }
    keys.key_size = key->key.view().size();
    std::ranges::copy(key->key.view(), keys.key_storage.begin());
    std::ranges::copy(key->iv.view(), keys.iv.begin());
    return keys;
  };
  if (sending.protection() == Sending::Protection::keys_due) {
    Event event = hand_out(Direction::send, sending.sealer);
    if (error() == nullptr) sending.handed_out();
    return event;
  }
  if (receiving.protection == Receiving::Protection::keys_due) {
    Event event = hand_out(Direction::receive, receiving.opener);
    if (error() == nullptr) {
      receiving.opener.clear();
      receiving.protection = Receiving::Protection::elsewhere;
    }
    return event;
  }
  return std::nullopt;
}

}  // namespace lockstep
