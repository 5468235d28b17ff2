#include "handshake/client12.hpp"

#include <algorithm>
#include <utility>

#include "codec/next_protocol.hpp"
#include "handshake/computation.hpp"
#include "handshake/negotiation.hpp"
#include "handshake/record_limits.hpp"
#include "handshake/renegotiation.hpp"
#include "handshake/sessions.hpp"

namespace lockstep::handshake::client12 {
namespace {

std::expected<const BoundSuite*, Error> check_suite(Context& context, CipherSuite suite) noexcept {
  const BoundSuite* const bound = context.config().suite(suite);
  // RFC 5246 7.4.1.3: the server selects one suite "from the list in ClientHello.cipher_suites". Those of TLS 1.3 are
  // for TLS 1.3 (RFC 9846 B.4).
  if (bound == nullptr || bound->version != ProtocolVersion::tls_1_2)
    return context.fail(Reason::suite_not_offered, static_cast<std::uint16_t>(suite));
  return bound;
}

// draft-agl-tls-nextprotoneg-04 4: "In the event that the client doesn't support any of server's protocols, or the
// server doesn't advertise any, it SHOULD select the first protocol that it supports."
void choose_next_protocol(Context& context, const codec::ProtocolNames& servers) noexcept {
  const auto& ours = context.settings().next_protocols;
  auto chosen = ours.begin();
  for (const Bytes protocol : servers) {
    const auto found = std::ranges::find(ours, as_text(protocol));
    if (found == ours.end()) continue;
    chosen = found;
    break;
  }
  context.agreed.alpn = &*chosen;
  context.agreed.next_protocol = true;
}

Status check_extensions(Context& context, const codec::ServerHello& hello) noexcept {
  if (auto checked = check_renegotiation_info(context, hello); !checked) return checked;
  if (auto checked = check_extended_main_secret(context, hello.extended_main_secret); !checked) return checked;
  // RFC 7366 3: "If a server receives an encrypt-then-MAC request extension from a client and then selects a stream or
  // Authenticated Encryption with Associated Data (AEAD) ciphersuite, it MUST NOT send an encrypt-then-MAC response
  // extension back to the client."
  if (hello.encrypt_then_mac && context.agreed.suite->cbc == nullptr)
    return context.fail(Reason::extension_forbidden, static_cast<std::uint16_t>(ExtensionType::encrypt_then_mac));
  context.agreed.encrypt_then_mac = hello.encrypt_then_mac;
  // RFC 8422 5.1.2: "Implementations of this document MUST support the uncompressed format for all of their supported
  // curves and MUST NOT support other formats for curves defined in this specification."
  if (hello.ec_point_formats && !hello.ec_point_formats->contains(0)) return context.fail(Reason::point_format);
  context.agreed.next_protocol = false;  // that of an earlier handshake stays as it is
  if (hello.next_protocol_negotiation) choose_next_protocol(context, *hello.next_protocol_negotiation);
  if (!hello.application_layer_protocol_negotiation) return {};
  const Settings& settings = context.settings();
  const auto found = std::ranges::find(settings.alpn, as_text(*hello.application_layer_protocol_negotiation));
  // RFC 7301 3.1: the server chooses among the protocols that the client advertised.
  if (found == settings.alpn.end()) return context.fail(Reason::alpn_not_offered);
  context.agreed.alpn = &*found;
  return {};
}

// What a session that is resumed has said already, and may not be said otherwise now.
Status check_resumption(Context& context, const Session& session, const codec::ServerHello& hello) noexcept {
  // RFC 5246 7.4.1.3: "For resumed sessions, this field is the value from the state of the session being resumed."
  if (hello.cipher_suite != session.suite)
    return context.fail(Reason::session_changed, static_cast<std::uint16_t>(hello.cipher_suite));
  // RFC 7627 5.3: "If the original session did not use the "extended_master_secret" extension but the new ServerHello
  // contains the extension, the client MUST abort the handshake."
  // RFC 7627 5.3: "If the original session used the extension but the new ServerHello does not contain the extension,
  // the client MUST abort the handshake."
  if (hello.extended_main_secret != session.extended_master_secret)
    return context.fail(Reason::session_changed, static_cast<std::uint16_t>(ExtensionType::extended_main_secret));
  return {};
}

// The keys of our last flight are derived: what comes next from the server.
Next<WaitNewSessionTicket, WaitChangeCipherSpec> await_server(const Hellos& hellos, Derived12&& derived,
                                                              Authenticated authenticated) {
  Established established{.derived = std::move(derived),
                          .session_id = hellos.session_id,
                          .ticket = {},
                          .ticket_lifetime_hint = 0,
                          .authenticated = authenticated};
  if (hellos.ticket_follows) return WaitNewSessionTicket{std::move(established)};
  return WaitChangeCipherSpec{std::move(established)};
}

// ChangeCipherSpec and Finished, which end our flight.
void finish_flight(Context& context, const Derived12& derived) noexcept {
  change_write_key(context, derived);
  // draft-agl-tls-nextprotoneg-04 3: between change_cipher_spec and Finished, in every handshake.
  if (context.agreed.next_protocol)
    context.send(Level::application, codec::kHandshakeHeaderSize + codec::kMaxNextProtocol, [&](codec::Writer& writer) {
      return codec::encode_next_protocol(writer, {.selected_protocol = as_bytes(*context.agreed.alpn)});
    });
  send_finished12(context, derived);
  context.end_flight();
}

// RFC 7918 4 asks for keys that are as good as those that honest peers would agree on, whatever was changed on the way:
// forward secrecy and an AEAD. Without an application protocol nobody has heard of the other's software (BoringSSL).
bool starts_falsely(const Context& context) noexcept {
  const BoundSuite& suite = *context.agreed.suite;
  return context.settings().false_start && context.former == nullptr &&
         suite.key_exchange == KeyExchangeMethod::ecdhe && suite.aead != nullptr &&
         (context.agreed.alpn != nullptr || context.settings().false_start_without_alpn);
}

Next<WaitNewSessionTicket, WaitChangeCipherSpec> finish(Hellos&& hellos, Derived12&& derived,
                                                        Authenticated authenticated, Context& context) {
  finish_flight(context, derived);
  context.agreed.false_start = starts_falsely(context);
  return await_server(hellos, std::move(derived), authenticated);
}

using Answered = Next<WaitSignature, WaitNewSessionTicket, WaitChangeCipherSpec>;
using Proven = Next<WaitCredential, WaitSecret, WaitSignature, WaitNewSessionTicket, WaitChangeCipherSpec>;

// ClientKeyExchange is out.
Answered conclude_exchange(Hellos&& hellos, std::expected<Derived12, Error>&& derived, Authenticated authenticated,
                           OwnProof&& proof, Context& context) {
  if (!derived) return std::unexpected(derived.error());
  if (proof.credential == nullptr) return finish(std::move(hellos), std::move(*derived), authenticated, context);
  const auto content = hellos.messages.joined(context);
  if (!content) return std::unexpected(content.error());
  ask_signature12(context, std::move(proof.credential), proof.scheme, *content);
  return WaitSignature{std::move(hellos), std::move(*derived), authenticated};
}

Next<WaitSecret, WaitSignature, WaitNewSessionTicket, WaitChangeCipherSpec> answer(Hellos&& hellos, const Shown& shown,
                                                                                   Authenticated authenticated,
                                                                                   OwnProof&& proof, Context& context) {
  const codec::ServerEcdhParams* const params = group_exchange(shown.exchange);
  if (params != nullptr && context.settings().hand_out_computations) {
    context.place = Place::server_key_exchange;
    ask_to_encapsulate(context, *context.config().group(params->group), params->point);
    return WaitSecret{std::move(hellos), authenticated, params->group, std::move(proof)};
  }
  auto derived = answer_exchange(context, hellos.messages, shown.key, shown.exchange);
  return conclude_exchange(std::move(hellos), std::move(derived), authenticated, std::move(proof), context);
}

Next<WaitCredential> ask_credential(Hellos&& hellos, const Shown& shown, const Requested& requested,
                                    Authenticated authenticated, Context& context) {
  const auto schemes = keep(context, requested.schemes);
  if (!schemes) return context.fail(Reason::handshake_too_large);
  // RFC 5246 7.4.6: "The end-entity certificate's public key (and associated restrictions) has to be compatible with
  // the certificate types listed in CertificateRequest": of what it can sign with, that is left.
  const auto type_of = [](SignatureScheme scheme) {
    return authentication_of(scheme) == SuiteAuthentication::rsa ? codec::ClientCertificateType::rsa_sign
                                                                 : codec::ClientCertificateType::ecdsa_sign;
  };
  const auto span = context.arena.array<SignatureScheme>(schemes->size() + kBrainpoolSchemes.size());
  if (span.empty()) return context.fail(Reason::handshake_too_large);
  auto end = std::ranges::copy_if(*schemes, span.begin(), [&](SignatureScheme scheme) {
               return usable_scheme_in_tls12(scheme) && requested.types.contains(type_of(scheme));
             }).out;
  for (const BrainpoolScheme& scheme : kBrainpoolSchemes) {
    if (requested.types.contains(codec::ClientCertificateType::ecdsa_sign) &&
        requested.schemes.contains(scheme.named) && context.config().group(scheme.curve) != nullptr)
      *end++ = scheme.of_key;
  }
  const auto usable = span.first(static_cast<std::size_t>(end - span.begin()));
  if (auto shared = share_schemes12(context, usable); !shared) return std::unexpected(shared.error());
  SelectCredential question;
  question.role = Role::client;
  question.server_name = context.server_name;
  question.schemes = usable;
  question.schemes_cert = *schemes;
  question.certificate_authorities = requested.certificate_authorities;
  question.alpn = context.agreed.protocol();
  question.certificate_types = requested.types.raw();
  context.ask(std::move(question));
  return WaitCredential{std::move(hellos), shown, authenticated};
}

// The server is known.
Proven go_on(Hellos&& hellos, const Shown& shown, const std::optional<Requested>& requested,
             Authenticated authenticated, Context& context) {
  if (requested) return ask_credential(std::move(hellos), shown, *requested, authenticated, context);
  return answer(std::move(hellos), shown, authenticated, {}, context);
}

// The server's certificate is accepted. What is left to be seen is that it has the key: by its signature, or by reading
// what is encrypted to it.
Next<WaitSignatureChecked, WaitCredential, WaitSecret, WaitSignature, WaitNewSessionTicket, WaitChangeCipherSpec>
demand_proof(Hellos&& hellos, const Shown& shown, const std::optional<Requested>& requested,
             const PeerVerified& accepted, Context& context) {
  const auto signature = server_signature(context, shown.key, shown.exchange);
  if (!signature) return std::unexpected(signature.error());
  if (!*signature) return go_on(std::move(hellos), shown, requested, Authenticated::by_decryption(accepted), context);
  return check_signature(WaitSignatureChecked{std::move(hellos), shown, requested, accepted, (*signature)->scheme},
                         **signature, context);
}

// The scheme of the server's signature, which is checked while its certificate is judged. What is wrong with it is said
// afterwards.
std::optional<SignatureScheme> check_meanwhile(Context& context, const Shown& shown) {
  if (!context.settings().hand_out_computations || uses_psk(*context.agreed.suite)) return std::nullopt;
  const auto signature = server_signature(context, shown.key, shown.exchange);
  if (!signature || !*signature) return std::nullopt;
  ask_to_verify(context, **signature);
  return (*signature)->scheme;
}

void ask_for_psk(Context& context, Bytes hint) {
  SelectPsk question;
  question.version = ProtocolVersion::tls_1_2;
  question.server_name = context.server_name;
  question.identity_hint = hint;
  context.ask(std::move(question));
}

// The server is accepted; its certificate is shown before any identity of ours is.
Next<WaitCertifiedPsk> ask_certified_psk(Hellos&& hellos, const Shown& shown, const std::optional<Requested>& requested,
                                         const PeerVerified& accepted, Context& context) {
  ask_for_psk(context, std::get<PskTransport>(shown.exchange).identity_hint);
  return WaitCertifiedPsk{std::move(hellos), shown, requested, accepted};
}

// A pre-shared key is all, and everything that the server says of it is there.
Next<WaitPsk> ask_psk(Hellos&& hellos, const PskServerExchange& exchange, Context& context) {
  note_message(context, hellos.messages);
  ask_for_psk(context, identity_hint(exchange));
  return WaitPsk{std::move(hellos), exchange};
}

Next<WaitPskHelloDone> take_psk_exchange(Hellos&& hellos, const codec::ServerKeyExchange& message, Context& context) {
  const auto exchange = read_psk_server_exchange(context, message);
  if (!exchange) return std::unexpected(exchange.error());
  note_message(context, hellos.messages);
  return WaitPskHelloDone{std::move(hellos), *exchange};
}

Next<WaitCertificateRequest> take_key_exchange(Hellos&& hellos, const PeerKey& key,
                                               const codec::ServerKeyExchange& message, Context& context) {
  // A suite whose secret travels to the server's key has no place for this message, unless there is an identity hint.
  if (context.agreed.suite->key_exchange == KeyExchangeMethod::rsa)
    return context.fail(Reason::message_unexpected, static_cast<std::uint16_t>(HandshakeType::server_key_exchange));
  const auto exchange = read_server_exchange(context, message);
  if (!exchange) return std::unexpected(exchange.error());
  note_message(context, hellos.messages);
  return WaitCertificateRequest{std::move(hellos), Shown{key, *exchange}};
}

// The certificate and its status are there.
Next<WaitServerKeyExchange, WaitCertifiedHint, WaitCertificateRequest> await_exchange(Hellos&& hellos,
                                                                                      const PeerKey& key,
                                                                                      Context& context) {
  if (uses_psk(*context.agreed.suite)) return WaitCertifiedHint{std::move(hellos), key};
  if (has_server_key_exchange(*context.agreed.suite)) return WaitServerKeyExchange{std::move(hellos), key};
  return WaitCertificateRequest{std::move(hellos), Shown{key, KeyTransport{}}};
}

}  // namespace

std::optional<VerifiedPsk> resumed_session(Context& /*context*/, const Offer& offer,
                                           const codec::ServerHello& hello) noexcept {
  // RFC 5246 7.4.1.3: "the server will respond with the same value as was supplied by the client. This indicates a
  // resumed session". RFC 5077 3.4 has a client that offers a ticket make an id of its own for that.
  if (offer.session12 == nullptr || hello.legacy_session_id_echo.empty() ||
      !equal(hello.legacy_session_id_echo, offer.legacy_session_id))
    return std::nullopt;
  return VerifiedPsk(*offer.session12);
}

Next<WaitCertificate, WaitPskKeyExchange, WaitPskHint, WaitSessionVerified, WaitNewSessionTicket, WaitChangeCipherSpec>
begin(Offer&& offer, const codec::ServerHello& hello, Context& context) {
  context.transport.middlebox_compatibility(false);
  const auto suite = check_suite(context, hello.cipher_suite);
  if (!suite) return std::unexpected(suite.error());
  context.agreed.suite = *suite;
  std::ranges::copy(hello.random, context.server_random.begin());
  if (auto checked = check_extensions(context, hello); !checked) return std::unexpected(checked.error());
  if (!context.transcript.start(*(*suite)->hash)) return context.fail(Reason::provider_failed);
  Hellos hellos{.messages = {}, .session_id = hello.legacy_session_id_echo, .ticket_follows = hello.session_ticket};
  context.transcript.update(offer.client_hello);
  hellos.messages.add(offer.client_hello);
  note_message(context, hellos.messages);

  const auto resumed = resumed_session(context, offer, hello);
  if (!resumed) {
    // The id that we made up is no session of the server's.
    if (!hello.legacy_session_id_echo.empty() && equal(hello.legacy_session_id_echo, offer.legacy_session_id))
      return context.fail(Reason::session_id_echo);
    // RFC 4279 2: "The Certificate and CertificateRequest payloads are omitted from the response."
    if (authenticates_by_psk(**suite)) {
      // Nothing would show that the server is the one that it was before.
      if (context.former != nullptr) return context.fail(Reason::renegotiation_peer_changed);
      if (has_server_key_exchange(**suite)) return WaitPskKeyExchange{std::move(hellos)};
      return WaitPskHint{std::move(hellos)};
    }
    if (hello.signed_certificate_timestamps) context.peer_sct_list = *hello.signed_certificate_timestamps;
    if (auto taken = take_record_limits(context, hello.record_size_limit, hello.max_fragment_length, nullptr); !taken)
      return std::unexpected(taken.error());
    return WaitCertificate{std::move(hellos), hello.status_request};
  }
  const Session& session = resumed->session();
  if (auto same = check_resumption(context, session, hello); !same) return std::unexpected(same.error());
  if (auto taken = take_record_limits(context, hello.record_size_limit, hello.max_fragment_length, &session); !taken)
    return std::unexpected(taken.error());
  inherit(context, session);
  auto master = MasterSecret::of_session(session.secret.view());
  if (!master) return context.fail(Reason::provider_failed);
  auto derived = derive_keys(context, std::move(*master));
  if (!derived) return std::unexpected(derived.error());
  if (verifies_on_resumption(context.settings(), session)) {
    ask_about_session(context, session, Role::server);
    return WaitSessionVerified{std::move(hellos), std::move(*derived), *resumed};
  }
  return await_server(hellos, std::move(*derived), Authenticated::by_psk(*resumed));
}

Next<WaitServerHello> renegotiate(Context& context) {
  context.place = Place::client_hello;
  // RFC 5746 3.5 would let a session be offered. This handshake is there to show who is who.
  auto offer = prepare_offer(context, {}, {});
  if (!offer) return std::unexpected(offer.error());
  if (auto sent = send_client_hello(context, *offer); !sent) return std::unexpected(sent.error());
  // A ServerHello of TLS 1.3 is refused for its version, and not for what comes with that.
  for (const ExtensionType type : {ExtensionType::supported_versions, ExtensionType::key_share})
    context.offered.insert(type);
  return WaitServerHello{std::move(*offer)};
}

Next<WaitCertificate, WaitPskKeyExchange, WaitPskHint, WaitSessionVerified, WaitNewSessionTicket, WaitChangeCipherSpec>
on(WaitServerHello&& state, const codec::ServerHello& hello, Context& context) {
  // RFC 9846 4.2.3: "A legacy TLS client performing renegotiation with TLS 1.2 or prior and which receives a TLS 1.3
  // ServerHello during renegotiation MUST abort the handshake with a "protocol_version" alert."
  const ProtocolVersion version = hello.supported_versions.value_or(hello.legacy_version);
  if (version != context.agreed.version) return version_changed(context, version);
  return begin(std::move(state.offer), hello, context);
}

// RFC 5246 7.4.1.1: "This message will be ignored by the client if the client is currently negotiating a session." One
// that has crossed our ClientHello; behind its ServerHello no server has a reason to send one.
Next<WaitServerHello> on(WaitServerHello&& state, const codec::HelloRequest& /*message*/, Context& /*context*/) {
  return std::move(state);
}

Next<WaitCertificateStatus, WaitServerKeyExchange, WaitCertifiedHint, WaitCertificateRequest> on(
    WaitCertificate&& state, const codec::Certificate12& message, Context& context) {
  // RFC 5246 7.4.2: the server sends one with every key exchange that authenticates by certificates.
  if (message.certificate_list.empty()) return context.fail(Reason::certificate_missing);
  const auto key = read_chain12(context, message);
  if (!key) return std::unexpected(key.error());
  if (auto same = check_same_peer(context, context.peer_chain.front()); !same) return std::unexpected(same.error());
  // RFC 5246 7.4.2: "The end entity certificate's public key (and associated restrictions) MUST be compatible with the
  // selected key exchange algorithm."
  if (!authenticates(*context.agreed.suite, key->type))
    return context.fail(Reason::suite_wrong_key, static_cast<std::uint16_t>(context.agreed.suite->suite));
  // RFC 5246 7.4.2, of RSA key exchange: "keyEncipherment bit MUST be set if the key usage extension is present".
  if (context.agreed.suite->key_exchange == KeyExchangeMethod::rsa && !key->may_encipher)
    return context.fail(Reason::certificate_wrong_usage);
  // RFC 8422 5.3: the certificate's curve is among those that we offered.
  if (const auto curve = curve_of(key->type); curve && context.config().group(*curve) == nullptr)
    return context.fail(Reason::group_not_offered, static_cast<std::uint16_t>(*curve));
  note_message(context, state.hellos.messages);
  if (state.status_follows) return WaitCertificateStatus{std::move(state.hellos), *key};
  return await_exchange(std::move(state.hellos), *key, context);
}

Next<WaitServerKeyExchange, WaitCertifiedHint, WaitCertificateRequest> on(WaitCertificateStatus&& state,
                                                                          const codec::CertificateStatus& message,
                                                                          Context& context) {
  context.peer_ocsp_response = message.ocsp_response;
  note_message(context, state.hellos.messages);
  return await_exchange(std::move(state.hellos), state.key, context);
}

// RFC 6066 8: "Note that a server MAY also choose not to send a "CertificateStatus" message, even if has received a
// "status_request" extension in the client hello message and has sent a "status_request" extension in the server hello
// message."
Next<WaitCertificateRequest> on(WaitCertificateStatus&& state, const codec::ServerKeyExchange& message,
                                Context& context) {
  return take_key_exchange(std::move(state.hellos), state.key, message, context);
}

Next<WaitCertificateRequest> on(WaitServerKeyExchange&& state, const codec::ServerKeyExchange& message,
                                Context& context) {
  return take_key_exchange(std::move(state.hellos), state.key, message, context);
}

Next<WaitServerHelloDone> on(WaitCertificateRequest&& state, const codec::CertificateRequest12& message,
                             Context& context) {
  Requested requested{.types = message.certificate_types, .schemes = message.supported_signature_algorithms};
  if (!message.certificate_authorities.empty()) {
    const auto names = context.arena.array<Bytes>(message.certificate_authorities.size());
    if (names.empty()) return context.fail(Reason::handshake_too_large);
    std::size_t count = 0;
    for (const Bytes name : message.certificate_authorities) names[count++] = name;
    requested.certificate_authorities = names;
  }
  note_message(context, state.hellos.messages);
  return WaitServerHelloDone{std::move(state.hellos), state.shown, requested};
}

namespace {

// The server has said all that it has to say.
Next<WaitPeerVerified, WaitCertifiedPsk, WaitSignatureChecked, WaitCredential, WaitSecret, WaitSignature,
     WaitNewSessionTicket, WaitChangeCipherSpec>
judge(Hellos&& hellos, const Shown& shown, const std::optional<Requested>& requested, Context& context) {
  note_message(context, hellos.messages);
  if (const auto accepted = verification_skipped(context.settings())) {
    if (uses_psk(*context.agreed.suite))
      return ask_certified_psk(std::move(hellos), shown, requested, *accepted, context);
    return demand_proof(std::move(hellos), shown, requested, *accepted, context);
  }
  ask_about_peer(context, Role::server);
  return WaitPeerVerified{std::move(hellos), shown, requested, check_meanwhile(context, shown)};
}

}  // namespace

Next<WaitPeerVerified, WaitCertifiedPsk, WaitSignatureChecked, WaitCredential, WaitSecret, WaitSignature,
     WaitNewSessionTicket, WaitChangeCipherSpec>
on(WaitCertificateRequest&& state, const codec::ServerHelloDone& /*message*/, Context& context) {
  return judge(std::move(state.hellos), state.shown, std::nullopt, context);
}

Next<WaitPeerVerified, WaitCertifiedPsk, WaitSignatureChecked, WaitCredential, WaitSecret, WaitSignature,
     WaitNewSessionTicket, WaitChangeCipherSpec>
on(WaitServerHelloDone&& state, const codec::ServerHelloDone& /*message*/, Context& context) {
  return judge(std::move(state.hellos), state.shown, state.requested, context);
}

Next<WaitCertifiedPsk, WaitSignatureChecked, WaitCredential, WaitSecret, WaitSignature, WaitNewSessionTicket,
     WaitChangeCipherSpec>
on(WaitPeerVerified&& state, const PeerVerified& accepted, Context& context) {
  context.note(accepted.answer());
  if (uses_psk(*context.agreed.suite))
    return ask_certified_psk(std::move(state.hellos), state.shown, state.requested, accepted, context);
  if (!state.scheme) return demand_proof(std::move(state.hellos), state.shown, state.requested, accepted, context);
  WaitSignatureChecked next{std::move(state.hellos), state.shown, state.requested, accepted, *state.scheme};
  if (state.checked) return on(std::move(next), *state.checked, context);
  return next;
}

Next<WaitPeerVerified> on(WaitPeerVerified&& state, const SignatureChecked& checked, Context& /*context*/) {
  state.checked = checked;
  return std::move(state);
}

Proven on(WaitSignatureChecked&& state, const SignatureChecked& checked, Context& context) {
  const auto proof = conclude(context, state.accepted, state.scheme, checked);
  if (!proof) return std::unexpected(proof.error());
  return go_on(std::move(state.hellos), state.shown, state.requested, Authenticated::by_signature(*proof), context);
}

Next<> on(WaitPeerVerified&& /*state*/, const PeerRefused& refused, Context& context) {
  return context.fail(refused.rejection);
}

Next<WaitSecret, WaitSignature, WaitNewSessionTicket, WaitChangeCipherSpec> on(WaitCredential&& state,
                                                                               const CredentialSelected& selected,
                                                                               Context& context) {
  // A credential without a chain shows nothing that a signature could prove.
  const auto scheme = selected.credential == nullptr || selected.credential->chain.empty()
                          ? std::nullopt
                          : choose_scheme12(context, *selected.credential);
  // RFC 5246 7.4.6: "If no suitable certificate is available, the client MUST send a certificate message containing no
  // certificates."
  send_certificate12(context, state.hellos.messages, scheme ? selected.credential.get() : nullptr);
  return answer(std::move(state.hellos), state.shown, state.authenticated,
                scheme ? OwnProof{selected.credential, *scheme} : OwnProof{}, context);
}

Answered on(WaitSecret&& state, const SecretMade& made, Context& context) {
  auto derived = answer_in_group(context, state.hellos.messages, state.group, made);
  return conclude_exchange(std::move(state.hellos), std::move(derived), state.authenticated, std::move(state.proof),
                           context);
}

Next<WaitNewSessionTicket, WaitChangeCipherSpec> on(WaitSignature&& state, const Signed& answer, Context& context) {
  if (answer.signature.empty()) return context.fail(Reason::signing_failed);
  context.send(Level::initial, codec::kHandshakeHeaderSize + 4 + answer.signature.size(), [&](codec::Writer& writer) {
    return codec::encode_certificate_verify(writer,
                                            {.algorithm = context.agreed.own_scheme, .signature = answer.signature});
  });
  return finish(std::move(state.hellos), std::move(state.derived), state.authenticated, context);
}

Next<WaitPskHelloDone> on(WaitPskKeyExchange&& state, const codec::ServerKeyExchange& message, Context& context) {
  return take_psk_exchange(std::move(state.hellos), message, context);
}

Next<WaitPskHelloDone> on(WaitPskHint&& state, const codec::ServerKeyExchange& message, Context& context) {
  return take_psk_exchange(std::move(state.hellos), message, context);
}

Next<WaitPsk> on(WaitPskHint&& state, const codec::ServerHelloDone& /*message*/, Context& context) {
  return ask_psk(std::move(state.hellos), PskAlone{}, context);
}

Next<WaitPsk> on(WaitPskHelloDone&& state, const codec::ServerHelloDone& /*message*/, Context& context) {
  return ask_psk(std::move(state.hellos), state.exchange, context);
}

Next<WaitNewSessionTicket, WaitChangeCipherSpec> on(WaitPsk&& state, const PskGiven& chosen, Context& context) {
  if (auto checked = check_strength(context, chosen); !checked) return std::unexpected(checked.error());
  auto derived = answer_psk_exchange(context, state.hellos.messages, state.exchange, chosen);
  if (!derived) return std::unexpected(derived.error());
  return finish(std::move(state.hellos), std::move(*derived), Authenticated::by_shared_key(chosen), context);
}

Next<> on(WaitPsk&& /*state*/, const PskWithheld& /*answer*/, Context& context) { return context.fail(Reason::no_psk); }

Next<WaitCertificateRequest> on(WaitCertifiedHint&& state, const codec::ServerKeyExchange& message, Context& context) {
  return take_key_exchange(std::move(state.hellos), state.key, message, context);
}

Next<WaitServerHelloDone> on(WaitCertifiedHint&& state, const codec::CertificateRequest12& message, Context& context) {
  return on(WaitCertificateRequest{std::move(state.hellos), Shown{state.key, PskTransport{}}}, message, context);
}

Next<WaitPeerVerified, WaitCertifiedPsk> on(WaitCertifiedHint&& state, const codec::ServerHelloDone& /*message*/,
                                            Context& context) {
  note_message(context, state.hellos.messages);
  const Shown shown{state.key, PskTransport{}};
  if (const auto accepted = verification_skipped(context.settings()))
    return ask_certified_psk(std::move(state.hellos), shown, std::nullopt, *accepted, context);
  ask_about_peer(context, Role::server);
  return WaitPeerVerified{std::move(state.hellos), shown, std::nullopt};
}

Next<WaitSignatureChecked, WaitCredential, WaitSecret, WaitSignature, WaitNewSessionTicket, WaitChangeCipherSpec> on(
    WaitCertifiedPsk&& state, const PskGiven& chosen, Context& context) {
  if (auto checked = check_strength(context, chosen); !checked) return std::unexpected(checked.error());
  if (auto kept = keep_psk(context, std::get<PskTransport>(state.shown.exchange), chosen); !kept)
    return std::unexpected(kept.error());
  return demand_proof(std::move(state.hellos), state.shown, state.requested, state.accepted, context);
}

Next<> on(WaitCertifiedPsk&& /*state*/, const PskWithheld& /*answer*/, Context& context) {
  return context.fail(Reason::no_psk);
}

Next<WaitNewSessionTicket, WaitChangeCipherSpec> on(WaitSessionVerified&& state, const PeerVerified& accepted,
                                                    Context& context) {
  context.note(accepted.answer());
  return await_server(state.hellos, std::move(state.derived), Authenticated::by_psk(state.session));
}

Next<> on(WaitSessionVerified&& /*state*/, const PeerRefused& refused, Context& context) {
  return context.fail(refused.rejection);
}

Next<WaitChangeCipherSpec> on(WaitNewSessionTicket&& state, const codec::NewSessionTicket12& message,
                              Context& context) {
  // RFC 5077 3.3: "This message is included in the hash used to create and verify the Finished message."
  context.hash_message();
  state.established.ticket = message.ticket;
  state.established.ticket_lifetime_hint = message.ticket_lifetime_hint;
  return WaitChangeCipherSpec{std::move(state.established)};
}

Next<WaitFinished> on(WaitChangeCipherSpec&& state, const ChangeCipherSpec& /*record*/, Context& context) {
  change_read_key(context, state.established.derived);
  return WaitFinished{std::move(state.established)};
}

Next<Connected> on(WaitFinished&& state, const codec::Finished& message, Context& context) {
  Established& established = state.established;
  const auto verified = verify_finished12(context, established.derived, message);
  if (!verified) return std::unexpected(verified.error());
  context.hash_message();
  // RFC 5246 7.3: in an abbreviated handshake the server's Finished comes first.
  if (context.agreed.resumed) finish_flight(context, established.derived);
  context.tell_complete();
  tell_session12(context, established.derived.master, established.session_id, established.ticket,
                 established.ticket_lifetime_hint);
  keep_secrets(context, std::move(established.derived));
  return Connected{established.authenticated, *verified};
}

}  // namespace lockstep::handshake::client12
