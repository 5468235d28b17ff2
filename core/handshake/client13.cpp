#include "handshake/client13.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "handshake/computation.hpp"
#include "handshake/negotiation.hpp"
#include "handshake/record_limits.hpp"
#include "handshake/sessions.hpp"

namespace lockstep::handshake::client13 {
namespace {

// RFC 9846 4.2.3: "A client which receives a legacy_session_id_echo field that does not match what it sent in the
// ClientHello MUST abort the handshake with an "illegal_parameter" alert."
Status check_echo(Context& context, const Offer& offer, Bytes legacy_session_id_echo) noexcept {
  if (!equal(legacy_session_id_echo, offer.legacy_session_id)) return context.fail(Reason::session_id_echo);
  return {};
}

// RFC 9846 4.2.3: "A client which receives a cipher suite that was not offered MUST abort the handshake with an
// "illegal_parameter" alert."
std::expected<const BoundSuite*, Error> check_suite(Context& context, CipherSuite suite) noexcept {
  // RFC 9846 4.2.4: "A client which receives a cipher suite that was not offered MUST abort the handshake."
  const BoundSuite* bound = context.config().suite(suite);
  if (bound == nullptr || bound->version != ProtocolVersion::tls_1_3)
    return context.fail(Reason::suite_not_offered, static_cast<std::uint16_t>(suite));
  return bound;
}

}  // namespace

std::expected<ChosenPsk, Error> chosen_psk(Context& context, const Offer& offer,
                                           const codec::ServerHello& hello) noexcept {
  if (!hello.pre_shared_key) return ChosenPsk();
  // RFC 9846 4.3.11: "Clients MUST verify that the server's selected_identity is within the range supplied by the
  // client, that the server selected a cipher suite indicating a Hash associated with the PSK ... If these values are
  // not consistent, the client MUST abort the handshake with an "illegal_parameter" alert."
  const std::size_t place = *hello.pre_shared_key;
  if (place >= offer.sessions.size() + offer.psks.size()) return context.fail(Reason::psk_not_offered);
  const bool external = place >= offer.sessions.size();
  const Hash& hash = external ? *offer.psks[place - offer.sessions.size()].hash : *offer.sessions[place].hash;
  if (hash.id != context.agreed.suite->hash->id) return context.fail(Reason::psk_hash);
  if (external) return VerifiedExternalPsk(offer.psks[place - offer.sessions.size()]);
  return VerifiedPsk(*offer.sessions[place].session);
}

namespace {

// Our key pair for the server's share.
std::expected<KeyExchange*, Error> key_pair_for(Context& context, Offer& offer,
                                                const codec::ServerHello& hello) noexcept {
  // RFC 9846 4.3.11: "that a server "key_share" extension is present if required by the ClientHello
  // "psk_key_exchange_modes" extension": as it is by psk_dhe_ke.
  if (!hello.key_share && hello.pre_shared_key) return context.fail(Reason::psk_without_key_share);
  if (!hello.key_share)
    return context.fail(Reason::key_share_missing, static_cast<std::uint16_t>(ExtensionType::key_share));
  const auto detail = static_cast<std::uint16_t>(hello.key_share->group);
  // RFC 9846 4.3.8: "This value MUST be in the same group as the KeyShareEntry value offered by the client that the
  // server has selected".
  KeyExchange* exchange = offer.shares.find(hello.key_share->group);
  // RFC 9846 4.3.8: "If using asymmetric key establishment and a HelloRetryRequest containing a "key_share" extension
  // was received by the client, the client MUST verify that the selected NamedGroup in the ServerHello is the same as
  // that in the HelloRetryRequest. If this check fails, the client MUST abort the handshake with an "illegal_parameter"
  // alert." No other share is left then.
  if (exchange == nullptr) return context.fail(Reason::key_share_group, detail);
  if (hello.key_share->key_exchange.size() != exchange->group()->server_share_size())
    return context.fail(Reason::key_share_size, detail);
  return exchange;
}

// ServerHello, whichever ClientHello it answers: the transcript has started and holds that ClientHello.
Next<WaitSecret, WaitEncryptedExtensions> answer(Offer&& offer, const codec::ServerHello& hello, Context& context) {
  std::ranges::copy(hello.random, context.server_random.begin());
  const auto psk = chosen_psk(context, offer, hello);
  if (!psk) return std::unexpected(psk.error());
  const bool in_full = std::holds_alternative<std::monostate>(*psk);
  if (in_full && context.settings().external_psks == ExternalPsks::require) return context.fail(Reason::psk_declined);
  // RFC 9846 4.3.9: "psk_ke: PSK-only key establishment. In this mode, the server MUST NOT supply a "key_share" value."
  if (!in_full && !hello.key_share && context.settings().psk_without_dhe != PskWithoutDhe::never)
    return on(WaitSecret{std::move(offer), *psk, {}}, SecretMade{.result = GroupResult::ok}, context);
  const auto exchange = key_pair_for(context, offer, hello);
  if (!exchange) return std::unexpected(exchange.error());
  const auto [group, share] = *hello.key_share;
  return decapsulate(WaitSecret{std::move(offer), *psk, group}, **exchange, share, context);
}

// Whether the early data that we offered was taken.
Status settle_early_data(Context& context, WaitEncryptedExtensions& state,
                         const codec::EncryptedExtensions& message) noexcept {
  if (!state.early_data_offered) return {};
  if (!message.early_data) {
    context.agreed.early_data =
        std::holds_alternative<VerifiedPsk>(state.psk) ? EarlyDataStatus::declined : EarlyDataStatus::not_resumed;
    context.end_early_data();
    return {};
  }
  // RFC 9846 4.3.11: "If the server supplies an "early_data" extension, the client MUST verify that the server's
  // selected_identity is 0. If any other value is returned, the client MUST abort the handshake with an
  // "illegal_parameter" alert." The suite and the protocol are those of the session, too (4.3.10).
  if (state.first_resumed == nullptr || state.first_resumed->suite != context.agreed.suite->suite ||
      state.first_resumed->alpn != context.agreed.protocol())
    return context.fail(Reason::early_data_mismatch);
  context.agreed.early_data = EarlyDataStatus::accepted;
  state.keys.early_data = true;
  return {};
}

Status take_alpn(Context& context, const codec::EncryptedExtensions& message) noexcept {
  if (!message.application_layer_protocol_negotiation) return {};
  const auto& offered = context.settings().alpn;
  const auto found = std::ranges::find(offered, as_text(*message.application_layer_protocol_negotiation));
  // RFC 7301 3.1: the server chooses among the protocols that the client advertised.
  if (found == offered.end()) return context.fail(Reason::alpn_not_offered);
  context.agreed.alpn = &*found;
  return {};
}

Next<WaitPeerVerified, WaitCertificateVerify> judge(Keys&& keys, std::optional<Requested>&& requested,
                                                    const codec::Certificate& message, Context& context) {
  // RFC 9846 4.5.1: "Otherwise (in the case of server authentication), this field SHALL be zero length."
  if (!message.certificate_request_context.empty()) return context.fail(Reason::certificate_context);
  // RFC 9846 4.5.1.3: "If the server supplies an empty Certificate message, the client MUST abort the handshake with a
  // "decode_error" alert."
  if (message.certificate_list.empty()) return context.fail(Reason::certificate_missing);
  const auto key = read_chain(context, message);
  if (!key) return std::unexpected(key.error());
  context.hash_message();
  if (const auto accepted = verification_skipped(context.settings()))
    return WaitCertificateVerify{std::move(keys), std::move(requested), *key, *accepted};
  ask_about_peer(context, Role::server);
  return WaitPeerVerified{std::move(keys), std::move(requested), *key};
}

// RFC 9846 4.6: "If the server sent an "early_data" extension in EncryptedExtensions, the client MUST send an
// EndOfEarlyData message after receiving the server Finished." It goes under the key that it ends.
void send_end_of_early_data(Context& context) noexcept {
  context.send(Level::early_data, codec::kHandshakeHeaderSize,
               [](codec::Writer& writer) { return codec::encode_end_of_early_data(writer); });
  context.end_early_data();
}

// Our last message is out: the connection stands.
Next<Connected> finish(Keys&& keys, DigestSecret&& write_traffic, Connected proven, Context& context) {
  send_finished(context, keys.handshake_traffic.client);
  const auto transcript = context.transcript_hash();
  if (!transcript) return std::unexpected(transcript.error());
  auto resumption = keys.main.resumption_secret(*transcript);
  if (!resumption) return context.fail(Reason::provider_failed);
  context.secrets13().resumption = std::move(*resumption);
  context.end_flight();
  context.install(Level::application, Direction::send, write_traffic);
  context.secrets13().write_traffic = std::move(write_traffic);
  context.tell_complete();
  return proven;
}

Next<WaitSecondServerHello> send_again(WaitSecondShare&& state, Context& context) {
  if (auto sent = send_client_hello(context, state.offer); !sent) return std::unexpected(sent.error());
  return WaitSecondServerHello{std::move(state.offer), state.suite, state.group};
}

}  // namespace

Next<WaitSecret, WaitEncryptedExtensions> begin(Offer&& offer, const codec::ServerHello& hello, Context& context) {
  if (auto echoed = check_echo(context, offer, hello.legacy_session_id_echo); !echoed)
    return std::unexpected(echoed.error());
  const auto suite = check_suite(context, hello.cipher_suite);
  if (!suite) return std::unexpected(suite.error());
  context.agreed.suite = *suite;
  if (!context.transcript.start(*(*suite)->hash)) return context.fail(Reason::provider_failed);
  context.transcript.update(offer.client_hello);
  return answer(std::move(offer), hello, context);
}

Next<WaitSecondShare, WaitSecondServerHello> begin(Offer&& offer, const codec::HelloRetryRequest& retry,
                                                   Context& context) {
  if (auto echoed = check_echo(context, offer, retry.legacy_session_id_echo); !echoed)
    return std::unexpected(echoed.error());
  const auto suite = check_suite(context, retry.cipher_suite);
  if (!suite) return std::unexpected(suite.error());

  // RFC 9846 4.3.8: "Upon receipt of this extension in a HelloRetryRequest, the client MUST verify that (1) the
  // selected_group field corresponds to a group which was provided in the "supported_groups" extension in the original
  // ClientHello and (2) the selected_group field does not correspond to a group which was provided in the "key_share"
  // extension in the original ClientHello. If either of these checks fails, then the client MUST abort the handshake
  // with an "illegal_parameter" alert."
  if (retry.key_share) {
    const auto detail = static_cast<std::uint16_t>(*retry.key_share);
    if (context.config().group(*retry.key_share) == nullptr || !usable_in_tls13(*retry.key_share))
      return context.fail(Reason::group_not_offered, detail);
    if (offer.shares.find(*retry.key_share) != nullptr) return context.fail(Reason::group_unchanged, detail);
  }
  // RFC 9846 4.2.4: "Clients MUST abort the handshake with an "illegal_parameter" alert if the HelloRetryRequest would
  // not result in any change in the ClientHello."
  if (!retry.key_share && !retry.cookie) return context.fail(Reason::group_unchanged);

  const Hash& hash = *(*suite)->hash;
  if (!context.transcript.start(hash)) return context.fail(Reason::provider_failed);
  context.transcript.update(offer.client_hello);
  if (!context.transcript.replace_with_message_hash()) return context.fail(Reason::provider_failed);
  context.hash_message();

  context.agreed.retried = true;
  // RFC 9846 4.2.2: the second ClientHello is the first one but for "Removing the "early_data" extension ... if one was
  // present. Early data is not permitted after a HelloRetryRequest."
  if (std::exchange(offer.early_data, false)) {
    context.agreed.early_data = EarlyDataStatus::retried;
    context.end_early_data();
  }
  // RFC 9846 4.2.4: "the client MUST process all extensions in the HelloRetryRequest and send a second updated
  // ClientHello."
  if (retry.cookie) offer.cookie = *retry.cookie;
  if (auto prepared = prepare_second_offer(context, offer, **suite, retry.key_share); !prepared)
    return std::unexpected(prepared.error());
  WaitSecondShare next{std::move(offer), retry.cipher_suite, retry.key_share};
  if (!next.group) return send_again(std::move(next), context);
  // RFC 9846 4.2.2: the second ClientHello replaces "the list of shares with a list containing a single KeyShareEntry
  // from the indicated group." Without one it repeats the shares it had.
  // RFC 9846 4.3.8: "the client MUST replace the original "key_share" extension with one containing only a new
  // KeyShareEntry for the group indicated in the selected_group field of the triggering HelloRetryRequest."
  const std::array groups{*next.group};
  if (context.settings().hand_out_computations) {
    ask_to_generate(context, groups);
    return next;
  }
  if (auto made = make_shares(context, next.offer, groups); !made) return std::unexpected(made.error());
  return send_again(std::move(next), context);
}

Next<WaitSecondServerHello> on(WaitSecondShare&& state, const SharesMade& made, Context& context) {
  if (auto taken = take_shares(context, state.offer, made); !taken) return std::unexpected(taken.error());
  return send_again(std::move(state), context);
}

Next<WaitSecret, WaitEncryptedExtensions> on(WaitSecondServerHello&& state, const codec::ServerHello& hello,
                                             Context& context) {
  // RFC 9846 4.2.4: "The value of selected_version in the HelloRetryRequest "supported_versions" extension MUST be
  // retained in the ServerHello, and a client MUST abort the handshake with an "illegal_parameter" alert if the value
  // changes."
  const ProtocolVersion version = hello.supported_versions.value_or(hello.legacy_version);
  if (version != context.agreed.version)
    return context.fail(Reason::version_changed, static_cast<std::uint16_t>(version));
  if (auto echoed = check_echo(context, state.offer, hello.legacy_session_id_echo); !echoed)
    return std::unexpected(echoed.error());
  const auto suite = check_suite(context, hello.cipher_suite);
  if (!suite) return std::unexpected(suite.error());
  // RFC 9846 4.2.4: "clients MUST check that the cipher suite supplied in the ServerHello is the same as that in the
  // HelloRetryRequest and otherwise abort the handshake with an "illegal_parameter" alert."
  if (hello.cipher_suite != state.suite)
    return context.fail(Reason::suite_changed, static_cast<std::uint16_t>(hello.cipher_suite));
  context.agreed.suite = *suite;
  return answer(std::move(state.offer), hello, context);
}

Next<WaitEncryptedExtensions> on(WaitSecret&& state, const SecretMade& made, Context& context) {
  if (auto checked = check(context, made, state.group); !checked) return std::unexpected(checked.error());
  context.agreed.group = state.group;
  const Offer& offer = state.offer;
  const auto* const resumed = std::get_if<VerifiedPsk>(&state.psk);
  const auto* const external = std::get_if<VerifiedExternalPsk>(&state.psk);
  const bool first = resumed != nullptr && &resumed->session() == offer.sessions.front().session;
  const bool judged = first && offer.judged.has_value();
  if (judged) {
    context.note(*offer.judged);
  }
  if (resumed != nullptr) inherit(context, resumed->session());
  if (external != nullptr) context.take(external->psk());
  context.hash_message();

  std::optional<key_schedule::EarlySecret> early;
  if (resumed != nullptr || external != nullptr) {
    const Bytes key = resumed != nullptr ? resumed->session().secret.view() : external->psk().key;
    early = key_schedule::EarlySecret::from_psk(*context.agreed.suite->hash, key);
    if (!early) return context.fail(Reason::provider_failed);
  }
  auto secrets = derive_handshake_secrets(context, std::move(early), made.secret);
  if (!secrets) return std::unexpected(secrets.error());
  context.install(Level::handshake, Direction::receive, secrets->traffic.server);
  context.install(Level::handshake, Direction::send, secrets->traffic.client);
  return WaitEncryptedExtensions{{std::move(secrets->main), std::move(secrets->traffic)},
                                 state.psk,
                                 offer.early_data,
                                 first ? &resumed->session() : nullptr,
                                 judged};
}

Next<WaitSessionVerified, WaitCertificateRequest, WaitFinished> on(WaitEncryptedExtensions&& state,
                                                                   const codec::EncryptedExtensions& message,
                                                                   Context& context) {
  if (auto taken = take_alpn(context, message); !taken) return std::unexpected(taken.error());
  if (auto taken = take_record_limits(context, message.record_size_limit, message.max_fragment_length, nullptr); !taken)
    return std::unexpected(taken.error());
  if (auto settled = settle_early_data(context, state, message); !settled) return std::unexpected(settled.error());
  context.hash_message();
  if (const auto* const external = std::get_if<VerifiedExternalPsk>(&state.psk))
    return WaitFinished{std::move(state.keys), std::nullopt, Authenticated::by_psk(*external)};
  const auto* const resumed = std::get_if<VerifiedPsk>(&state.psk);
  if (resumed == nullptr) return WaitCertificateRequest{std::move(state.keys)};
  // The verdict before early data was about that; where it was not taken, the peer is judged as ever.
  const bool judged = state.judged && context.agreed.early_data == EarlyDataStatus::accepted;
  if (!judged && verifies_on_resumption(context.settings(), resumed->session())) {
    ask_about_session(context, resumed->session(), Role::server);
    return WaitSessionVerified{std::move(state.keys), *resumed};
  }
  return WaitFinished{std::move(state.keys), std::nullopt, Authenticated::by_psk(*resumed)};
}

Next<WaitFinished> on(WaitSessionVerified&& state, const PeerVerified& accepted, Context& context) {
  context.note(accepted.answer());
  return WaitFinished{std::move(state.keys), std::nullopt, Authenticated::by_psk(state.psk)};
}

Next<> on(WaitSessionVerified&& /*state*/, const PeerRefused& refused, Context& context) {
  return context.fail(refused.rejection);
}

Next<WaitCertificate> on(WaitCertificateRequest&& state, const codec::CertificateRequest& message, Context& context) {
  // RFC 9846 4.4.2: "This field SHALL be zero length unless used for the post-handshake authentication exchanges".
  if (!message.certificate_request_context.empty()) return context.fail(Reason::certificate_context);
  Requested requested{.schemes = message.signature_algorithms,
                      .schemes_cert = message.signature_algorithms_cert,
                      .wanted = {.ocsp_response = message.status_request,
                                 .sct_list = message.signed_certificate_timestamp,
                                 .compression = message.compress_certificate}};
  if (message.certificate_authorities) {
    const auto names = context.arena.array<Bytes>(message.certificate_authorities->size());
    if (names.empty()) return context.fail(Reason::handshake_too_large);
    std::size_t count = 0;
    for (const Bytes name : *message.certificate_authorities) names[count++] = name;
    requested.certificate_authorities = names;
  }
  if (message.oid_filters && !message.oid_filters->empty()) {
    const auto filters = context.arena.array<OidFilter>(message.oid_filters->size());
    if (filters.empty()) return context.fail(Reason::handshake_too_large);
    std::ranges::transform(*message.oid_filters, filters.begin(), [](const codec::OidFilter& filter) {
      return OidFilter{filter.certificate_extension_oid, filter.certificate_extension_values};
    });
    requested.oid_filters = filters;
  }
  context.hash_message();
  return WaitCertificate{std::move(state.keys), std::move(requested)};
}

Next<WaitPeerVerified, WaitCertificateVerify> on(WaitCertificateRequest&& state, const codec::Certificate& message,
                                                 Context& context) {
  return judge(std::move(state.keys), std::nullopt, message, context);
}

Next<WaitPeerVerified, WaitCertificateVerify> on(WaitCertificate&& state, const codec::Certificate& message,
                                                 Context& context) {
  return judge(std::move(state.keys), std::move(state.requested), message, context);
}

Next<WaitPeerVerified, WaitCertificateVerify> on(WaitCertificateRequest&& state,
                                                 const codec::CompressedCertificate& message, Context& context) {
  const auto certificate = decompress(context, message);
  if (!certificate) return std::unexpected(certificate.error());
  return on(std::move(state), *certificate, context);
}

Next<WaitPeerVerified, WaitCertificateVerify> on(WaitCertificate&& state, const codec::CompressedCertificate& message,
                                                 Context& context) {
  const auto certificate = decompress(context, message);
  if (!certificate) return std::unexpected(certificate.error());
  return on(std::move(state), *certificate, context);
}

Next<WaitCertificateVerify> on(WaitPeerVerified&& state, const PeerVerified& accepted, Context& context) {
  context.note(accepted.answer());
  return WaitCertificateVerify{std::move(state.keys), std::move(state.requested), state.key, accepted, state.ahead};
}

Next<WaitPeerVerified> on(WaitPeerVerified&& state, const SignatureChecked& checked, Context& /*context*/) {
  state.ahead.checked = checked;
  return std::move(state);
}

Next<> on(WaitPeerVerified&& /*state*/, const PeerRefused& refused, Context& context) {
  return context.fail(refused.rejection);
}

Next<WaitCertificateVerify> on(WaitCertificateVerify&& state, const SignatureChecked& checked, Context& /*context*/) {
  state.ahead.checked = checked;
  return std::move(state);
}

Next<WaitFinished> on(WaitCertificateVerify&& state, const codec::CertificateVerify& message, Context& context) {
  const auto signature = read_signature(context, state.key, Role::server, message);
  if (!signature) return std::unexpected(signature.error());
  const auto proof = conclude(context, state.accepted, signature->scheme, found(state.ahead, *signature));
  if (!proof) return std::unexpected(proof.error());
  context.hash_message();
  return WaitFinished{std::move(state.keys), std::move(state.requested), Authenticated::by_signature(*proof)};
}

Next<WaitCredential, Connected> on(WaitFinished&& state, const codec::Finished& message, Context& context) {
  const auto verified = verify_finished(context, state.keys.handshake_traffic.server, message);
  if (!verified) return std::unexpected(verified.error());
  const Connected proven{state.authenticated, *verified};
  context.hash_message();
  const auto transcript = context.transcript_hash();
  if (!transcript) return std::unexpected(transcript.error());
  auto secrets = state.keys.main.application_secrets(*transcript);
  if (!secrets) return context.fail(Reason::provider_failed);
  context.log_application_secrets(*secrets);
  context.install(Level::application, Direction::receive, secrets->traffic.server);
  context.secrets13().read_traffic = std::move(secrets->traffic.server);
  context.secrets13().exporter = std::move(secrets->exporter);

  // RFC 9846 4.6: "If the server does not send an "early_data" extension in EncryptedExtensions, then the client MUST
  // NOT send an EndOfEarlyData message."
  if (state.keys.early_data) {
    send_end_of_early_data(context);
  }
  // RFC 9846 4.5.1: "The client MUST send a Certificate message if and only if the server has requested
  // certificate-based client authentication via a CertificateRequest message"
  if (!state.requested) return finish(std::move(state.keys), std::move(secrets->traffic.client), proven, context);

  const auto schemes = keep_for_handshake(context, state.requested->schemes);
  const auto schemes_cert = keep(context, state.requested->schemes_cert.value_or(state.requested->schemes));
  if (!schemes || !schemes_cert) return context.fail(Reason::handshake_too_large);
  if (auto shared = share_schemes(context, *schemes); !shared) return std::unexpected(shared.error());
  SelectCredential question;
  question.role = Role::client;
  question.server_name = context.server_name;
  question.schemes = *schemes;
  question.schemes_cert = *schemes_cert;
  question.certificate_authorities = state.requested->certificate_authorities;
  question.oid_filters = state.requested->oid_filters;
  question.alpn = context.agreed.protocol();
  question.ocsp_requested = state.requested->wanted.ocsp_response;
  question.scts_requested = state.requested->wanted.sct_list;
  context.ask(std::move(question));
  return WaitCredential{std::move(state.keys), std::move(*state.requested), std::move(secrets->traffic.client), proven};
}

Next<WaitSignature, Connected> on(WaitCredential&& state, const CredentialSelected& selected, Context& context) {
  // A credential without a chain shows nothing that a signature could prove.
  const auto scheme = selected.credential == nullptr || selected.credential->chain.empty()
                          ? std::nullopt
                          : choose_scheme(context, *selected.credential);
  // RFC 9846 4.5.1: "If the server requests certificate-based client authentication but no suitable certificate is
  // available, the client MUST send a Certificate message containing no certificates".
  send_certificate(context, scheme ? selected.credential.get() : nullptr, state.requested.wanted);
  // RFC 9846 4.5.1: "A Finished message MUST be sent regardless of whether the Certificate message is empty."
  // RFC 9846 4.5.2: "Clients MUST send this message whenever authenticating via a certificate (i.e., when the
  // Certificate message is non-empty)."
  if (!scheme) return finish(std::move(state.keys), std::move(state.write_traffic), state.proven, context);
  ask_signature(context, selected.credential, *scheme, Role::client);
  return WaitSignature{std::move(state.keys), std::move(state.write_traffic), state.proven};
}

Next<Connected> on(WaitSignature&& state, const Signed& answer, Context& context) {
  if (answer.signature.empty()) return context.fail(Reason::signing_failed);
  send_certificate_verify(context, context.agreed.own_scheme, answer.signature);
  return finish(std::move(state.keys), std::move(state.write_traffic), state.proven, context);
}

}  // namespace lockstep::handshake::client13
