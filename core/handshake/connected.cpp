#include "handshake/connected.hpp"

#include <utility>

#include "key_schedule/tls13.hpp"

namespace lockstep::handshake {
namespace {

Status update_read_key(const codec::KeyUpdate& message, LiveContext& context) noexcept {
  // RFC 9846 5.1: "Handshake messages MUST NOT span key changes."
  const auto aligned = context.inbox.aligned();
  if (!aligned) return context.fail(Reason::record_after_key_change);
  if (auto counted = context.transport.peer_updated_key(message.request_update); !counted) return counted;
  // RFC 9846 4.7.3: "Upon receiving a KeyUpdate, the receiver MUST update its receiving keys." "both sides MUST enforce
  // that a KeyUpdate with the old key is received before accepting any messages encrypted with the new key."
  auto next = key_schedule::next_traffic_secret(*context.agreed.suite->hash, context.secrets13().read_traffic);
  if (!next) return context.fail(Reason::provider_failed);
  if (auto done = context.transport.install_read({*context.agreed.suite, *next}, *aligned); !done) return done;
  context.secrets13().read_traffic = std::move(*next);
  return {};
}

}  // namespace

namespace client13 {

Next<Connected> on(Connected&& state, const codec::NewSessionTicket& message, LiveContext& context) {
  // RFC 9846 4.7.1: "Clients which receive a NewSessionTicket message but do not support resumption MUST silently
  // ignore this message."
  // RFC 9846 4.7.1: "The value of zero indicates that the ticket should be discarded immediately." Tickets are an
  // offer: more than anybody needs are left.
  if (message.ticket_lifetime == 0 || !context.transport.wants_session()) return std::move(state);
  auto psk =
      key_schedule::ticket_psk(*context.agreed.suite->hash, context.secrets13().resumption, message.ticket_nonce);
  if (!psk) return context.fail(Reason::provider_failed);
  if (auto kept = context.transport.session_received(message, std::move(*psk)); !kept)
    return std::unexpected(kept.error());
  return std::move(state);
}

Next<Connected> on(Connected&& state, const codec::KeyUpdate& message, LiveContext& context) {
  if (auto updated = update_read_key(message, context); !updated) return std::unexpected(updated.error());
  return std::move(state);
}

}  // namespace client13

namespace server13 {

Next<Connected> on(Connected&& state, const codec::KeyUpdate& message, LiveContext& context) {
  if (auto updated = update_read_key(message, context); !updated) return std::unexpected(updated.error());
  return std::move(state);
}

}  // namespace server13

namespace client12 {

Next<Connected, Renegotiating> on(Connected&& state, const codec::HelloRequest& /*message*/, LiveContext& context) {
  if (context.former != nullptr && context.former->admit(context.settings, context.now)) return Renegotiating{state};
  // RFC 5246 7.4.1.1: "This message MAY be ignored by the client if it does not wish to renegotiate a session, or the
  // client may, if it wishes, respond with a no_renegotiation alert."
  if (auto refused = context.transport.refuse_renegotiation(); !refused) return std::unexpected(refused.error());
  return std::move(state);
}

Next<Renegotiating> on(Connected&& state, const Renegotiate& /*wish*/, LiveContext& /*context*/) {
  return Renegotiating{state};
}

Next<Connected> on(Renegotiating&& state, const RenegotiationRefused& /*alert*/, LiveContext& /*context*/) {
  return std::move(state.before);
}

}  // namespace client12

namespace server12 {

namespace {

// RFC 5246 7.2.2: no_renegotiation is what the server answers "in response to a client hello after initial
// handshaking", where it does not want to renegotiate.
Next<Connected> refuse(const Connected& state, LiveContext& context) {
  if (auto refused = context.transport.refuse_renegotiation(); !refused) return std::unexpected(refused.error());
  return state;
}

}  // namespace

Next<Connected, Renegotiating> on(Connected&& state, const codec::ClientHello& /*message*/, LiveContext& context) {
  if (context.former != nullptr && context.former->admit(context.settings, context.now)) return Renegotiating{state};
  return refuse(state, context);
}

Next<HelloRequested> on(Connected&& state, const Renegotiate& wish, LiveContext& context) {
  if (wish.client_auth) context.former->client_auth = *wish.client_auth;
  context.transport.request_hello();
  return HelloRequested{state};
}

// What we have asked for is no burden, unless the connection has come to its end, or its keys elsewhere, meanwhile.
Next<Connected, Renegotiating> on(HelloRequested&& state, const codec::ClientHello& /*message*/, LiveContext& context) {
  if (context.former != nullptr) return Renegotiating{state.before};
  return refuse(state.before, context);
}

Next<Connected> on(HelloRequested&& state, const RenegotiationRefused& /*alert*/, LiveContext& /*context*/) {
  return std::move(state.before);
}

}  // namespace server12
}  // namespace lockstep::handshake
