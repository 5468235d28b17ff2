// Record protection elsewhere: keys go out, records come and go without protection.

#include <algorithm>
#include <utility>

#include "connection/state.hpp"
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

std::optional<Event> Connection::State::keys_due() noexcept {
  const auto* const stands = established();
  if (stands == nullptr) return std::nullopt;
  const auto* const secrets = std::get_if<handshake::Secrets13>(&stands->secrets);
  if (secrets == nullptr) return std::nullopt;
  const BoundSuite& suite = *stands->agreed.suite;
  const auto hand_out = [&](Direction direction, const DigestSecret& secret, const auto& half) -> Event {
    TrafficKeys keys;
    const auto key = key_schedule::traffic_key(*suite.hash, secret, suite.aead->key_size);
    if (!key || key->key.view().size() > keys.key_storage.size() || key->iv.view().size() != keys.iv.size()) {
      fail(Reason::provider_failed, Place::key_update);
      return Failed{*error()};
    }
    keys.direction = direction;
    keys.suite = suite.suite;
    keys.aead = suite.aead->id;
    keys.key_size = key->key.view().size();
    std::ranges::copy(key->key.view(), keys.key_storage.begin());
    std::ranges::copy(key->iv.view(), keys.iv.begin());
    keys.sequence = half.installed() ? half.records() : 0;
    return keys;
  };
  if (sending.protection() == Sending::Protection::keys_due) {
    Event event = hand_out(Direction::send, secrets->write_traffic, sending.sealer);
    if (error() == nullptr) sending.handed_out();
    return event;
  }
  if (receiving.protection == Receiving::Protection::keys_due) {
    Event event = hand_out(Direction::receive, secrets->read_traffic, receiving.opener);
    if (error() == nullptr) {
      receiving.opener.clear();
      receiving.protection = Receiving::Protection::elsewhere;
    }
    return event;
  }
  return std::nullopt;
}

}  // namespace lockstep
