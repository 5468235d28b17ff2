// Messages after the handshake: NewSessionTicket and KeyUpdate (RFC 9846 4.7).

#include <algorithm>
#include <array>
#include <new>
#include <utility>

#include "codec/handshake_message.hpp"
#include "codec/key_update.hpp"
#include "codec/new_session_ticket.hpp"
#include "connection/state.hpp"
#include "key_schedule/tls13.hpp"

namespace lockstep {

using handshake::Status;

namespace {

std::unexpected<Error> failure(Reason reason, Place place, HandshakeType type = {}) noexcept {
  return std::unexpected(make_error(reason, place, static_cast<std::uint16_t>(type)));
}

// Puts a new traffic secret's key into an opener or a sealer.
template <class Half>
bool install(Half& half, const BoundSuite& suite, const DigestSecret& secret) noexcept {
  const auto key = key_schedule::traffic_key(*suite.hash, secret, suite.aead->key_size);
  return key && half.install(*suite.aead, key->key.view(), key->iv.view());
}

}  // namespace

Status Connection::State::receive_post_handshake(Bytes content, Time now) noexcept {
  const bool fragmented = partial != nullptr;
  if (fragmented) {
    partial->insert(partial->end(), content.begin(), content.end());
    content = *partial;
  }
  while (const auto header = codec::handshake_header(content)) {
    const bool accepted = header->type == HandshakeType::key_update ||
                          (header->type == HandshakeType::new_session_ticket && config->role() == Role::client);
    // RFC 9846 4.7.2: "A client that receives a post-handshake CertificateRequest message without having sent the
    // "post_handshake_auth" extension MUST send an "unexpected_message" fatal alert."
    if (!accepted) return failure(Reason::message_unexpected, Place::handshake, header->type);
    if (header->length > config->settings().max_handshake_message)
      return failure(Reason::message_too_long, Place::handshake, header->type);
    const std::size_t size = codec::kHandshakeHeaderSize + header->length;
    if (content.size() < size) break;
    if (auto treated = treat_post_handshake(content.first(size), content.size() == size, now); !treated) return treated;
    content = content.subspan(size);
  }
  // Only a message that is cut by the end of its record is kept, and only until it is whole.
  if (content.empty()) {
    partial.reset();
  } else if (!fragmented) {
    partial.reset(new (std::nothrow) std::vector<std::uint8_t>(content.begin(), content.end()));
  } else {
    partial->erase(partial->begin(), partial->end() - static_cast<std::ptrdiff_t>(content.size()));
  }
  return {};
}

Status Connection::State::treat_post_handshake(Bytes message, bool last, Time now) noexcept {
  if (trace::Tap* const tap = this->tap()) tap->message(trace::Direction::received, message);
  const Bytes body = message.subspan(codec::kHandshakeHeaderSize);
  if (static_cast<HandshakeType>(message[0]) == HandshakeType::new_session_ticket) return take_ticket(body, now);
  // RFC 9846 5.1: "Handshake messages MUST NOT span key changes."
  if (!last) return failure(Reason::record_after_key_change, Place::key_update);
  return take_key_update(body);
}

Status Connection::State::take_key_update(Bytes body) noexcept {
  const auto message = codec::KeyUpdate::decode(body);
  if (!message) return std::unexpected(message.error());
  if (++key_updates > record::kMaxKeyUpdatesWithoutData)
    return failure(Reason::too_many_key_updates, Place::key_update);
  // RFC 9846 4.7.3: "Upon receiving a KeyUpdate, the receiver MUST update its receiving keys."
  auto next = key_schedule::next_traffic_secret(*agreed.suite->hash, secrets.read_traffic);
  if (!next || (!receiving.on && !install(opener, *agreed.suite, *next)))
    return failure(Reason::provider_failed, Place::key_update);
  // RFC 9846 4.7.3: "both sides MUST enforce that a KeyUpdate with the old key is received before accepting any
  // messages encrypted with the new key."
  receiving.keys_due = receiving.on;
  secrets.read_traffic = std::move(*next);
  if (trace::Tap* const tap = this->tap())
    tap->write(trace::KeysInstalled{trace::Direction::received, trace::Protection::application, agreed.suite->suite});
  tell_key_update = true;
  // RFC 9846 4.7.3: "If the request_update field is set to "update_requested", then the receiver MUST send a KeyUpdate
  // of its own with request_update set to "update_not_requested" prior to sending its next Application Data record."
  // One answers several.
  using KeyUpdate = connection::Control::KeyUpdate;
  if (message->request_update == KeyUpdateRequest::update_requested && !closed && control.key_update == KeyUpdate::none)
    control.key_update = KeyUpdate::not_requested;
  return {};
}

Status Connection::State::take_ticket(Bytes body, Time now) noexcept {
  const auto message = codec::NewSessionTicket::decode(body);
  if (!message) return std::unexpected(message.error());
  const Settings& settings = config->settings();
  // RFC 9846 4.7.1: "The value of zero indicates that the ticket should be discarded immediately."
  // RFC 9846 4.7.1: "Clients which receive a NewSessionTicket message but do not support resumption MUST silently
  // ignore this message."
  if (!settings.resumption || message->ticket_lifetime == 0 || origin == nullptr) return {};
  // Tickets are an offer: more than anybody needs from one record are left.
  if (sessions && sessions->size() == record::kMaxTicketsPerRecord) return {};
  auto psk = key_schedule::ticket_psk(*agreed.suite->hash, secrets.resumption, message->ticket_nonce);
  if (!psk) return failure(Reason::provider_failed, Place::new_session_ticket);
  auto session = handshake::session_of(*origin, agreed, std::move(*psk), *message, now);
  if (!session) return {};
  if (!sessions) sessions.reset(new (std::nothrow) std::vector<Session>);
  if (!sessions) return failure(Reason::memory, Place::new_session_ticket);
  sessions->push_back(std::move(*session));
  return {};
}

std::size_t Connection::State::write_key_update(MutableBytes outbound) noexcept {
  using KeyUpdate = connection::Control::KeyUpdate;
  const std::size_t around = sending.on ? record::kHeaderSize : sealer.overhead();
  if (outbound.size() < codec::kKeyUpdateSize + around) return 0;
  std::array<std::uint8_t, codec::kKeyUpdateSize> buffer{};
  codec::Writer writer(buffer);
  const Bytes message = codec::encode_key_update(
      writer, {.request_update = control.key_update == KeyUpdate::requested ? KeyUpdateRequest::update_requested
                                                                            : KeyUpdateRequest::update_not_requested});
  control.key_update = KeyUpdate::none;
  std::size_t written = 0;
  // RFC 9846 4.7.3: "Both sender and receiver MUST encrypt their KeyUpdate messages with the old keys."
  if (sending.on) {
    written = record::write_plaintext(ContentType::handshake, ProtocolVersion::tls_1_2, message, outbound);
  } else if (const auto sealed = sealer.seal(ContentType::handshake, std::span(&message, 1), {}, outbound)) {
    written = sealed->produced;
  }
  // RFC 9846 4.7.3: "After sending a KeyUpdate message, the sender SHALL send all its traffic using the next generation
  // of keys"
  auto next = key_schedule::next_traffic_secret(*agreed.suite->hash, secrets.write_traffic);
  if (written == 0 || !next || (!sending.on && !install(sealer, *agreed.suite, *next))) {
    fail(Reason::provider_failed, Place::key_update);
    return 0;
  }
  sending.keys_due = sending.on;
  secrets.write_traffic = std::move(*next);
  if (trace::Tap* const tap = this->tap()) {
    tap->message(trace::Direction::sent, message);
    tap->write(trace::KeysInstalled{trace::Direction::sent, trace::Protection::application, agreed.suite->suite});
  }
  return written;
}

}  // namespace lockstep
