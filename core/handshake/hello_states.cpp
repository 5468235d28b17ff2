#include "handshake/hello_states.hpp"

#include <algorithm>
#include <utility>

#include "handshake/computation.hpp"
#include "handshake/negotiation.hpp"

namespace lockstep::handshake::hello {

namespace {

Next<WaitOfferVerified, WaitServerHello> send(Offer&& offer, Context& context) {
  if (auto sent = send_client_hello(context, offer); !sent) return std::unexpected(sent.error());
  if (!offer.early_data) return WaitServerHello{std::move(offer)};
  if (const Session& session = *offer.sessions.front().session; verifies_on_resumption(context.settings(), session)) {
    ask_about_session(context, session, Role::server);
    return WaitOfferVerified{std::move(offer)};
  }
  start_early_data(context, offer);
  return WaitServerHello{std::move(offer)};
}

// The version is settled, and its machine goes on.
Next<server13::WaitPsk, server13::WaitSecondClientHello, server13::WaitTicketOpened, server13::WaitCredential,
     server12::WaitTicketOpened, server12::WaitCredential, server12::WaitPskKeyExchange>
begin(const codec::ClientHello& hello, Context& context) {
  const auto version = settle_version(context, hello);
  if (!version) return std::unexpected(version.error());
  context.agreed.version = *version;
  std::ranges::copy(hello.random, context.client_random.begin());
  // RFC 9846 4.7.1: "On resumption, if reporting an SNI value to the calling application, implementations MUST use the
  // value sent in the resumption ClientHello rather than the value sent in the previous session."
  context.server_name = hello.server_name.value_or(std::string_view());
  if (*version == ProtocolVersion::tls_1_2) return server12::begin(hello, context);
  return server13::begin(hello, context);
}

// Everything that is offered is known.
Next<WaitShares, WaitOfferVerified, WaitServerHello> offer(Context& context, std::span<const Session> sessions,
                                                           std::span<const ExternalPsk> psks) {
  auto offer = prepare_offer(context, sessions, psks);
  if (!offer) return std::unexpected(offer.error());
  if (!context.speaks(ProtocolVersion::tls_1_3)) return send(std::move(*offer), context);
  if (context.settings().hand_out_computations) {
    ask_to_generate(context, context.settings().key_shares);
    return WaitShares{std::move(*offer)};
  }
  if (auto made = make_shares(context, *offer, context.settings().key_shares); !made)
    return std::unexpected(made.error());
  return send(std::move(*offer), context);
}

}  // namespace

Next<WaitPsks, WaitShares, WaitOfferVerified, WaitServerHello> start(Context& context,
                                                                     std::span<const Session> sessions) {
  context.place = Place::client_hello;
  if (context.settings().external_psks == ExternalPsks::none) return offer(context, sessions, {});
  SelectPsk question;
  question.version = ProtocolVersion::tls_1_3;
  question.server_name = context.server_name;
  context.ask(std::move(question));
  return WaitPsks{sessions};
}

Next<WaitShares, WaitOfferVerified, WaitServerHello> on(WaitPsks&& state, const PskGiven& given, Context& context) {
  const auto psks = psks_to_offer(context, given.chosen());
  if (!psks) return std::unexpected(psks.error());
  // No suite goes with any of them.
  if (psks->empty() && context.settings().external_psks == ExternalPsks::require) return context.fail(Reason::no_psk);
  return offer(context, state.sessions, *psks);
}

Next<WaitShares, WaitOfferVerified, WaitServerHello> on(WaitPsks&& state, const PskWithheld& /*answer*/,
                                                        Context& context) {
  if (context.settings().external_psks == ExternalPsks::require) return context.fail(Reason::no_psk);
  return offer(context, state.sessions, {});
}

Next<WaitOfferVerified, WaitServerHello> on(WaitShares&& state, const SharesMade& made, Context& context) {
  if (auto taken = take_shares(context, state.offer, made); !taken) return std::unexpected(taken.error());
  return send(std::move(state.offer), context);
}

Next<WaitServerHello> on(WaitOfferVerified&& state, const PeerVerified& accepted, Context& context) {
  PeerAccepted& judged = state.offer.judged.emplace(accepted.answer());
  judged.identity = context.arena.copy(judged.identity);
  if (judged.identity.size() != accepted.answer().identity.size()) return context.fail(Reason::handshake_too_large);
  start_early_data(context, state.offer);
  return WaitServerHello{std::move(state.offer)};
}

Next<> on(WaitOfferVerified&& /*state*/, const PeerRefused& refused, Context& context) {
  return context.fail(refused.rejection);
}

Next<client13::WaitSecret, client13::WaitEncryptedExtensions, client12::WaitCertificate, client12::WaitPskKeyExchange,
     client12::WaitPskHint, client12::WaitSessionVerified, client12::WaitNewSessionTicket,
     client12::WaitChangeCipherSpec>
on(WaitServerHello&& state, const codec::ServerHello& hello, Context& context) {
  const auto version = settle_version(context, hello);
  if (!version) return std::unexpected(version.error());
  context.agreed.version = *version;
  if (*version == ProtocolVersion::tls_1_2) {
    // RFC 9846 E.3: "A client that attempts to send 0-RTT data MUST fail a connection if it receives a ServerHello with
    // TLS 1.2 or older."
    if (state.offer.early_data) return context.fail(Reason::early_data_mismatch, static_cast<std::uint16_t>(*version));
    return client12::begin(std::move(state.offer), hello, context);
  }
  return client13::begin(std::move(state.offer), hello, context);
}

Next<client13::WaitSecondShare, client13::WaitSecondServerHello> on(WaitServerHello&& state,
                                                                    const codec::HelloRetryRequest& retry,
                                                                    Context& context) {
  // RFC 9846 4.2.4: "Upon receipt of a HelloRetryRequest, the client MUST check the legacy_version,
  // legacy_session_id_echo, cipher_suite, and legacy_compression_method as specified in Section 4.2.3 and then process
  // the extensions, starting with determining the version using "supported_versions"."
  if (retry.supported_versions != ProtocolVersion::tls_1_3 || !context.settings().speaks(ProtocolVersion::tls_1_3))
    return context.fail(Reason::version_not_offered, static_cast<std::uint16_t>(retry.supported_versions));
  context.agreed.version = retry.supported_versions;
  return client13::begin(std::move(state.offer), retry, context);
}

Next<WaitConfig, server13::WaitPsk, server13::WaitSecondClientHello, server13::WaitTicketOpened,
     server13::WaitCredential, server12::WaitTicketOpened, server12::WaitCredential, server12::WaitPskKeyExchange>
on(WaitClientHello&& /*state*/, const codec::ClientHello& hello, Context& context) {
  if (!context.settings().select_config) return begin(hello, context);
  context.ask(SelectConfig{.token = {},
                           .client_hello = context.message,
                           .server_name = hello.server_name.value_or(std::string_view()),
                           .alpn = offered_protocols(context, hello),
                           .now = context.now});
  return WaitConfig{hello};
}

Next<server13::WaitPsk, server13::WaitSecondClientHello, server13::WaitTicketOpened, server13::WaitCredential,
     server12::WaitTicketOpened, server12::WaitCredential, server12::WaitPskKeyExchange>
on(WaitConfig&& state, const ConfigChosen& /*chosen*/, Context& context) {
  return begin(state.hello, context);
}

Next<> on(WaitConfig&& /*state*/, const HelloRefused& refused, Context& context) {
  Error error = make_error(Reason::client_hello_refused, context.place);
  error.alert = refused.alert;
  return std::unexpected(error);
}

}  // namespace lockstep::handshake::hello
