// Record protection elsewhere: keys go out, records come and go without protection.

#include <algorithm>
#include <utility>

#include "connection/state.hpp"
#include "key_schedule/tls13.hpp"

namespace lockstep {

TrafficKeys::~TrafficKeys() {
  wipe(key_storage);
  wipe(iv);
}

std::expected<void, Misuse> Connection::State::offload(Direction direction) noexcept {
  if (!complete || failed) return std::unexpected(Misuse::not_connected);
  connection::Offload& half = direction == Direction::send ? sending : receiving;
  if (half.on) return std::unexpected(Misuse::offloaded);
  // A ticket that is still being sealed has yet to go out under our own keys.
  if (run && !run->handshake.connected()) return std::unexpected(Misuse::transmit_first);
  if (direction == Direction::send) {
    if (closed && !control.alert_due) return std::unexpected(Misuse::closed);
    if (transmit_pending()) return std::unexpected(Misuse::transmit_first);
  }
  half = {.on = true, .keys_due = true};
  return {};
}

std::optional<Event> Connection::State::keys_due() noexcept {
  const auto hand_out = [this](Direction direction, connection::Offload& half, const DigestSecret& secret, auto& ours) {
    half.keys_due = false;
    TrafficKeys keys;
    const auto key = key_schedule::traffic_key(*agreed.suite->hash, secret, agreed.suite->aead->key_size);
    if (!key || key->key.view().size() > keys.key_storage.size() || key->iv.view().size() != keys.iv.size()) {
      fail(Reason::provider_failed, Place::key_update);
      return std::optional<Event>(Failed{error});
    }
    keys.direction = direction;
    keys.suite = agreed.suite->suite;
    keys.key_size = key->key.view().size();
    std::ranges::copy(key->key.view(), keys.key_storage.begin());
    std::ranges::copy(key->iv.view(), keys.iv.begin());
    keys.sequence = ours.installed() ? ours.records() : 0;
    ours.clear();
    return std::optional<Event>(std::move(keys));
  };
  if (sending.keys_due) return hand_out(Direction::send, sending, secrets.write_traffic, sealer);
  if (receiving.keys_due) return hand_out(Direction::receive, receiving, secrets.read_traffic, opener);
  return std::nullopt;
}

}  // namespace lockstep
