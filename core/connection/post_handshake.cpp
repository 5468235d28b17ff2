// Messages after the handshake (RFC 9846 4.7): how they come over TLS records, and what they change in the connection.

#include <algorithm>
#include <array>
#include <new>
#include <utility>

#include "codec/hello_request.hpp"
#include "codec/key_update.hpp"
#include "codec/new_session_ticket.hpp"
#include "connection/state.hpp"
#include "handshake/messages.hpp"
#include "key_schedule/tls13.hpp"
#include "types/allocated.hpp"

namespace lockstep {

using connection::Receiving;
using connection::Sending;
using handshake::Status;

namespace {

std::unexpected<Error> failure(Reason reason, Place place) noexcept {
  return std::unexpected(make_error(reason, place));
}

}  // namespace

/// Lives as long as one record is handled, so that a connection that moves has nothing that points into it.
class Connection::State::Live final : public handshake::LiveTransport {
 public:
  Live(State& state, Time now) noexcept : state_(state), stands_(*state.established()), now_(now) {}

  [[nodiscard]] handshake::LiveContext context() noexcept {
    return {.agreed = stands_.agreed,
            .secrets = stands_.secrets,
            .transport = *this,
            .inbox = stands_.inbox,
            .settings = state_.config->settings(),
            .former = state_.may_renegotiate() ? stands_.former.get() : nullptr,
            .now = now_};
  }

  [[nodiscard]] Status install_read(const handshake::Keys13& keys,
                                    handshake::RecordAligned /*aligned*/) noexcept override {
    const auto& [suite, secret] = keys;
    if (trace::Tap* const tap = state_.tap())
      tap->write(trace::KeysInstalled{Direction::receive, trace::Protection::application, suite.suite});
    if (state_.receiving.offloaded()) {
      state_.receiving.protection = Receiving::Protection::keys_due;
      return {};
    }
    const auto key = key_schedule::traffic_key(*suite.hash, secret, suite.aead->key_size);
    if (!key || !state_.receiving.opener.install(*suite.aead, key->key.view(), key->iv.view()))
      return failure(Reason::provider_failed, Place::key_update);
    return {};
  }

  [[nodiscard]] Status peer_updated_key(KeyUpdateRequest request) noexcept override {
    Sending& half = state_.sending;
    // What we have asked for is no burden. Of what comes elsewhere, whoever opens it sees how much data is between.
    const bool asked_for = std::exchange(half.update_requested, false);
    if (!asked_for && !state_.receiving.offloaded() && !state_.receiving.count_idle())
      return failure(Reason::too_many_key_updates, Place::key_update);
    state_.receiving.key_updated = true;
    // RFC 9846 4.7.3: "If the request_update field is set to "update_requested", then the receiver MUST send a
    // KeyUpdate of its own with request_update set to "update_not_requested" prior to sending its next Application Data
    // record." One answers several.
    if (request == KeyUpdateRequest::update_requested && !half.closed && half.key_update == Sending::KeyUpdate::none)
      half.key_update = Sending::KeyUpdate::not_requested;
    return {};
  }

  [[nodiscard]] Status refuse_renegotiation() noexcept override {
    if (state_.config->settings().renegotiation_ends) return failure(Reason::renegotiation_unwanted, Place::handshake);
    if (!state_.receiving.count_idle()) return failure(Reason::too_many_warnings, Place::handshake);
    if (!state_.sending.closed && !state_.sending.warning) state_.sending.warning = Alert::no_renegotiation;
    return {};
  }

  void request_hello() noexcept override { state_.sending.hello_request = true; }

  [[nodiscard]] bool wants_session() const noexcept override {
    return stands_.origin != nullptr && stands_.tickets_taken < record::kMaxTicketsPerConnection &&
           (!stands_.sessions || stands_.sessions->size() < record::kMaxTicketsPerRecord);
  }

  [[nodiscard]] Status session_received(const codec::NewSessionTicket& ticket, DigestSecret&& psk) noexcept override {
    auto session = handshake::session_of(*stands_.origin, stands_.agreed, std::move(psk), ticket, now_);
    if (!session) return {};
    const bool kept = allocated([&] {
      if (!stands_.sessions) stands_.sessions = std::make_unique<std::vector<Session>>();
      stands_.sessions->push_back(std::move(*session));
    });
    if (!kept) return failure(Reason::memory, Place::new_session_ticket);
    ++stands_.tickets_taken;
    return {};
  }

 private:
  State& state_;
  connection::Established& stands_;
  Time now_;
};

Status Connection::State::receive_post_handshake(Bytes content, Time now) noexcept {
  connection::Established& stands = *established();
  Live transport(*this, now);
  handshake::LiveContext context = transport.context();
  if (!stands.inbox.append(content)) return failure(Reason::memory, Place::handshake);
  for (;;) {
    const auto message = handshake::next_message(stands.inbox.unread(), config->settings().max_handshake_message,
                                                 stands.machine, context);
    if (!message) return std::unexpected(message.error());
    if (message->empty()) break;
    stands.inbox.consume(message->size());
    const bool hello = static_cast<HandshakeType>(message->front()) == HandshakeType::client_hello;
    if (trace::Tap* const tap = this->tap(); tap != nullptr && !hello) tap->message(Direction::receive, *message);
    if (auto handled = handshake::dispatch_message(*message, {}, stands.machine, context); !handled) return handled;
    const Bytes rest = stands.inbox.unread();
    // A HelloRequest is no part of the handshake that it leads to; a ClientHello is, and is noted there.
    if (renegotiating())
      return begin_renegotiation(hello ? Bytes(message->data(), message->size() + rest.size()) : rest, now);
    if (trace::Tap* const tap = this->tap(); tap != nullptr && hello) tap->message(Direction::receive, *message);
  }
  // Only a message that is cut by the end of its record is kept, and only until it is whole.
  if (!stands.inbox.settle()) return failure(Reason::memory, Place::handshake);
  return {};
}

// --- renegotiation (TLS 1.2) -----------------------------------------------------------------------------------------

bool Connection::State::renegotiating() const noexcept {
  const auto* const stands = established();
  return stands != nullptr && (std::holds_alternative<handshake::client12::Renegotiating>(stands->machine) ||
                               std::holds_alternative<handshake::server12::Renegotiating>(stands->machine));
}

bool Connection::State::may_renegotiate() const noexcept {
  const auto* const stands = established();
  const bool open = stands != nullptr && !renegotiating() && !sending.closed && !sending.offloaded() &&
                    !receiving.offloaded() && !receiving.closed();
  if (!open || run() == nullptr) return open;
  return run()->handshake.over() && !run()->transport.pending() && run()->handshake.events().empty() &&
         !run()->handshake.context().pending.any();
}

std::expected<void, Misuse> Connection::State::renegotiate(const handshake::Renegotiate& wish, Time now) noexcept {
  if (const auto refused = not_sendable()) return std::unexpected(*refused);
  retire();
  connection::Established& stands = *established();
  if (renegotiating() || std::holds_alternative<handshake::server12::HelloRequested>(stands.machine)) return {};
  if (sending.offloaded() || receiving.offloaded()) return std::unexpected(Misuse::offloaded);
  if (!stands.former || !stands.former->allows(config->settings()) || receiving.closed())
    return std::unexpected(Misuse::no_renegotiation);
  // A HelloRequest may follow a flight that is not out yet; a handshake begins where the one before has nothing to do.
  if (role == Role::client && !may_renegotiate()) return std::unexpected(Misuse::handshake_not_over);
  // The beginning of a message that belongs to no handshake is left.
  if (within_message()) return std::unexpected(Misuse::handshake_not_over);
  Live transport(*this, now);
  handshake::LiveContext context = transport.context();
  context.former = stands.former.get();
  if (auto went = handshake::dispatch(stands.machine, wish, context); !went) {
    fail(went.error());
  } else if (renegotiating()) {
    if (auto begun = begin_renegotiation({}, now); !begun) fail(begun.error());
  }
  return {};
}

Status Connection::State::begin_renegotiation(Bytes input, Time now) noexcept {
  connection::Established& stands = *established();
  trace::Tap* const tap = this->tap();
  handshake::Rewriter* const rewriter = run() != nullptr ? run()->handshake.context().rewriter : nullptr;
  stands.run.reset();  // which may have the memory that the next one takes
  stands.run.reset(connection::HandshakeRun::create(*config, *random, supplied));
  if (!stands.run) return failure(Reason::memory, Place::handshake);
  prepare(*stands.run);
  stands.run->record(tap);
  stands.run->handshake.context().rewriter = rewriter;
  sending.hello_request = false;
  handshake::Handshake& handshake = stands.run->handshake;
  if (auto begun = handshake.renegotiate(*stands.former, stands.agreed, now); !begun) return begun;
  if (!input.empty()) {
    if (auto went = handshake.receive(input, now); !went) return went;
  }
  stands.inbox.release();
  return {};
}

void Connection::State::adopt() noexcept {
  connection::Established& stands = *established();
  handshake::Context& context = stands.run->handshake.context();
  // Also where a key exchange has shown no certificate.
  const Bytes leaf = context.peer_chain.empty() ? Bytes() : context.peer_chain.front();
  if (auto same = handshake::check_same_peer(context, leaf); !same) return fail(same.error());
  stands.machine = *stands.run->handshake.live();
  stands.agreed = context.agreed;
  stands.secrets = std::move(context.secrets);
  if (!stands.former->renew(context)) return fail(Reason::provider_failed, Place::finished);
  const Bytes rest = stands.run->handshake.unread();
  if (rest.empty()) return;
  if (auto went = receive_post_handshake(rest, context.now); !went) fail(went.error());
}

std::size_t Connection::State::write_hello_request(MutableBytes outbound) noexcept {
  std::array<std::uint8_t, codec::kHandshakeHeaderSize> buffer{};
  codec::Writer writer(buffer);
  const Bytes message = codec::encode_hello_request(writer);
  const auto written = sending.write(ContentType::handshake, message, outbound);
  if (!written) {
    fail(written.error(), Place::hello_request);
    return 0;
  }
  if (*written == 0) return 0;
  sending.hello_request = false;
  if (trace::Tap* const tap = this->tap()) tap->message(Direction::send, message);
  return *written;
}

bool Connection::State::renegotiation_refused() noexcept {
  auto* const stands = established();
  if (stands == nullptr || sending.hello_request) return false;
  if (renegotiating() && (run()->transport.pending() || !run()->handshake.withdraw())) return false;
  Live transport(*this, {});
  handshake::LiveContext context = transport.context();
  if (!handshake::accepts<RenegotiationRefused, handshake::LiveContext>(stands->machine) ||
      !handshake::dispatch(stands->machine, RenegotiationRefused{}, context))
    return false;
  receiving.renegotiation_refused = true;
  return true;
}

std::size_t Connection::State::write_key_update(MutableBytes outbound) noexcept {
  if (outbound.size() < codec::kKeyUpdateSize + sending.overhead()) return 0;
  connection::Established& stands = *established();
  const BoundSuite& suite = *stands.agreed.suite;
  auto& secrets = std::get<handshake::Secrets13>(stands.secrets);  // no other version updates its keys
  const auto failed = [this](Reason reason) -> std::size_t {
    fail(reason, Place::key_update);
    return 0;
  };
  // First what comes next: behind a KeyUpdate nothing can be said without it.
  auto next = key_schedule::next_traffic_secret(*suite.hash, secrets.write_traffic);
  if (!next) return failed(Reason::provider_failed);
  const auto key = key_schedule::traffic_key(*suite.hash, *next, suite.aead->key_size);
  if (!key) return failed(Reason::provider_failed);

  using KeyUpdate = Sending::KeyUpdate;
  const bool requests = sending.key_update == KeyUpdate::requested;
  std::array<std::uint8_t, codec::kKeyUpdateSize> buffer{};
  codec::Writer writer(buffer);
  const Bytes message = codec::encode_key_update(
      writer,
      {.request_update = requests ? KeyUpdateRequest::update_requested : KeyUpdateRequest::update_not_requested});
  // RFC 9846 4.7.3: "Both sender and receiver MUST encrypt their KeyUpdate messages with the old keys."
  const auto written = sending.write(ContentType::handshake, message, outbound);
  if (!written) return failed(written.error());
  sending.key_update = KeyUpdate::none;
  sending.update_requested |= requests;
  // RFC 9846 4.7.3: "After sending a KeyUpdate message, the sender SHALL send all its traffic using the next generation
  // of keys"
  secrets.write_traffic = std::move(*next);
  if (trace::Tap* const tap = this->tap()) {
    tap->message(Direction::send, message);
    tap->write(trace::KeysInstalled{Direction::send, trace::Protection::application, suite.suite});
  }
  if (sending.offloaded()) {
    sending.offload();
  } else if (!sending.install(*suite.aead, key->key.view(), key->iv.view(), false)) {
    sending.finish();
    fail(Reason::provider_failed, Place::key_update);
  }
  return *written;
}

}  // namespace lockstep
