#include "handshake/server12.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "codec/certificate_request12.hpp"
#include "codec/certificate_status.hpp"
#include "codec/new_session_ticket12.hpp"
#include "codec/server_hello.hpp"
#include "codec/server_hello_done.hpp"
#include "codec/server_key_exchange.hpp"
#include "handshake/computation.hpp"
#include "handshake/negotiation.hpp"
#include "handshake/record_limits.hpp"
#include "handshake/renegotiation.hpp"
#include "handshake/sessions.hpp"

namespace lockstep::handshake::server12 {
namespace {

Status check_hello(Context& context, const codec::ClientHello& hello) noexcept {
  if (auto checked = check_renegotiation_info(context, hello); !checked) return checked;
  if (auto checked = check_extended_main_secret(context, hello.extended_main_secret); !checked) return checked;
  // RFC 8422 5.1.2: "If the client sends the extension and the extension does not contain the uncompressed point
  // format, and the client has used the Supported Groups extension to indicate support for any of the curves defined in
  // this specification, then the server MUST abort the handshake and return an illegal_parameter alert."
  if (hello.ec_point_formats && !hello.ec_point_formats->contains(0)) return context.fail(Reason::point_format);
  return {};
}

// Those of a client that names none.
std::expected<std::span<const SignatureScheme>, Error> schemes_of_old(Context& context, const BoundSuite* with_rsa,
                                                                      bool ecdsa) noexcept {
  const auto& ours = context.settings().own_schemes();
  // Where nothing is signed, it is no matter.
  if (with_rsa != nullptr && !has_server_key_exchange(*with_rsa)) return ours;
  // RFC 5246 7.4.1.4.1: "If the negotiated key exchange algorithm is one of (RSA, DHE_RSA, DH_RSA, RSA_PSK, ECDH_RSA,
  // ECDHE_RSA), behave as if client had sent the value {sha1,rsa}." "If the negotiated key exchange algorithm is one of
  // (ECDH_ECDSA, ECDHE_ECDSA), behave as if the client had sent value {sha1,ecdsa}." That counts where it was named.
  const auto kept = context.arena.array<SignatureScheme>(2);
  if (kept.empty()) return context.fail(Reason::handshake_too_large);
  std::size_t count = 0;
  const auto keep = [&](bool suits, SignatureScheme scheme) {
    if (suits && std::ranges::find(ours, scheme) != ours.end()) kept[count++] = scheme;
  };
  keep(ecdsa, SignatureScheme::ecdsa_sha1);
  keep(with_rsa != nullptr, SignatureScheme::rsa_pkcs1_sha1);
  if (count == 0) return context.fail(Reason::scheme_unsupported);
  return kept.first(count);
}

// The suite for a certificate's key, unless one without a certificate is preferred to it.
const BoundSuite* certified_suite(const Context& context, const codec::ClientHello& hello, KeyType key) noexcept {
  const BoundSuite* const suite = choose_suite12(context, hello, key);
  return suite != nullptr && !authenticates_by_psk(*suite) ? suite : nullptr;
}

// The suite where no certificate is asked for: whichever key there might be, a pre-shared one is preferred.
const BoundSuite* preferred_psk_suite(const Context& context, const codec::ClientHello& hello) noexcept {
  const BoundSuite* const suite = choose_suite12(context, hello, std::nullopt);
  if (suite == nullptr) return nullptr;
  constexpr std::array kKeys{KeyType::ec_p256, KeyType::rsa, KeyType::rsa_pss};
  const bool certificate_preferred =
      std::ranges::any_of(kKeys, [&](KeyType key) { return certified_suite(context, hello, key) != nullptr; });
  return certificate_preferred ? nullptr : suite;
}

// The schemes by which a credential could serve this client: those that it verifies, on curves that it knows, and for
// which there is a suite.
std::expected<std::span<const SignatureScheme>, Error> usable_schemes(Context& context,
                                                                      const codec::ClientHello& hello) noexcept {
  const bool ecdsa = certified_suite(context, hello, KeyType::ec_p256) != nullptr;
  const bool rsa_pss = certified_suite(context, hello, KeyType::rsa_pss) != nullptr;
  const BoundSuite* const with_rsa = certified_suite(context, hello, KeyType::rsa);
  if (!ecdsa && with_rsa == nullptr) {
    // Is it the group alone that is lacking?
    const auto in_common = [&](KeyExchangeMethod method) {
      return std::ranges::any_of(hello.cipher_suites, [&](CipherSuite id) {
        const BoundSuite* const suite = context.config().suite(id);
        return suite != nullptr && suite->key_exchange == method;
      });
    };
    const bool ecdhe = in_common(KeyExchangeMethod::ecdhe) || in_common(KeyExchangeMethod::ecdhe_psk);
    if (ecdhe && choose_group12(context, hello) == nullptr) return context.fail(Reason::group_unsupported);
    // RFC 7919 4: "If the extension is present with FFDHE groups, none of the client's offered groups are acceptable by
    // the server, and none of the client's proposed non-FFDHE cipher suites are acceptable to the server, the server
    // MUST end the connection with a fatal TLS alert of type insufficient_security(71)."
    const bool dhe = in_common(KeyExchangeMethod::dhe) || in_common(KeyExchangeMethod::dhe_psk);
    return context.fail(dhe && !choose_field_group(context, hello) ? Reason::dh_group_unsupported
                                                                   : Reason::suite_unsupported);
  }
  if (!hello.signature_algorithms) return schemes_of_old(context, with_rsa, ecdsa);
  const auto usable = [&](SignatureScheme scheme) {
    const auto known = parts(scheme);
    if (!known) return true;  // what we do not know is no credential's
    if (known->key == KeyType::rsa) return with_rsa != nullptr;
    if (known->key == KeyType::rsa_pss) return rsa_pss;
    if (!usable_scheme_in_tls12(scheme)) return false;
    const auto curve = curve_of(known->key);
    // RFC 8422 5.1: a server with an ECDSA key must not use it unless its curve is among the client's.
    return ecdsa && (!curve || !hello.supported_groups || hello.supported_groups->contains(*curve));
  };
  const auto kept = context.arena.array<SignatureScheme>(hello.signature_algorithms->size() + kBrainpoolSchemes.size());
  if (kept.empty()) return context.fail(Reason::handshake_too_large);
  std::size_t count = 0;
  for (const SignatureScheme scheme : *hello.signature_algorithms) {
    if (usable(scheme)) kept[count++] = scheme;
  }
  for (const BrainpoolScheme& scheme : kBrainpoolSchemes) {
    if (ecdsa && hello.signature_algorithms->contains(scheme.named) && hello.supported_groups &&
        hello.supported_groups->contains(scheme.curve) && context.config().group(scheme.curve) != nullptr)
      kept[count++] = scheme.of_key;
  }
  return kept.first(count);
}

Next<WaitCredential> ask_credential(Asked&& asked, Context& context) {
  const codec::ClientHello& hello = asked.hello;
  const auto schemes = usable_schemes(context, hello);
  if (!schemes) return std::unexpected(schemes.error());
  auto schemes_cert = *schemes;
  if (hello.signature_algorithms) {
    const auto listed = keep(context, hello.signature_algorithms_cert.value_or(*hello.signature_algorithms));
    if (!listed) return std::unexpected(listed.error());
    schemes_cert = *listed;
  }
  if (auto shared = share_schemes12(context, *schemes); !shared) return std::unexpected(shared.error());
  ask_server_credential(context, hello, *schemes, schemes_cert);
  return WaitCredential{std::move(asked)};
}

// RFC 5246 7.4.1.3.
Status draw_random(Context& context) noexcept {
  if (!context.random.fill(context.server_random)) return context.fail(Reason::random_failed);
  // RFC 9846 4.2.3: "TLS 1.3 servers which negotiate TLS 1.2 or below in response to a ClientHello MUST set the last 8
  // bytes of their Random value specially in their ServerHello." "If negotiating TLS 1.2, TLS 1.3 servers MUST set the
  // last 8 bytes of their Random value to the bytes:" those of the constant.
  if (context.settings().max_version == ProtocolVersion::tls_1_3)
    std::ranges::copy(codec::kDowngradeToTls12, context.server_random.end() - codec::kDowngradeToTls12.size());
  return {};
}

codec::ServerHello12Parameters hello_parameters(const Context& context, const codec::ClientHello& hello) noexcept {
  codec::ServerHello12Parameters parameters;
  parameters.random = context.server_random;
  parameters.cipher_suite = context.agreed.suite->suite;
  parameters.server_name = !context.server_name.empty() && !context.agreed.resumed;
  parameters.extended_main_secret = context.agreed.extended_main_secret;
  parameters.encrypt_then_mac = context.agreed.encrypt_then_mac;
  parameters.ec_point_formats = hello.ec_point_formats.has_value();
  // RFC 5746 3.6: "the server MUST include an empty "renegotiation_info" extension in the ServerHello message", for a
  // client that has sent the extension or the signalling suite.
  // RFC 5746 3.7: "The server MUST include a "renegotiation_info" extension containing the saved client_verify_data and
  // server_verify_data in the ServerHello."
  if (context.agreed.secure_renegotiation)
    parameters.renegotiation_info = context.former == nullptr ? Bytes() : context.former->verify_data();
  if (context.agreed.record_size_limit != 0) parameters.record_size_limit = context.agreed.record_size_limit;
  // RFC 6066 1.1, of resumption: "a server hello containing none of the extension types".
  if (context.agreed.max_fragment_length != 0 && !context.agreed.resumed)
    parameters.max_fragment_length = context.agreed.max_fragment_length;
  if (context.agreed.next_protocol) parameters.next_protocol_negotiation = context.settings().next_protocols;
  // The protocol that the connection speaks is settled by its first handshake.
  if (context.agreed.alpn != nullptr && context.former == nullptr)
    parameters.application_layer_protocol_negotiation = as_bytes(*context.agreed.alpn);
  return parameters;
}

void send_server_hello(Context& context, MessageLog& messages,
                       const codec::ServerHello12Parameters& parameters) noexcept {
  std::size_t most =
      256 + parameters.application_layer_protocol_negotiation.size() + parameters.signed_certificate_timestamps.size();
  for (const std::string& protocol : parameters.next_protocol_negotiation) most += 1 + protocol.size();
  send_noted(context, messages, most,
             [&](codec::Writer& writer) { return codec::encode_server_hello12(writer, parameters); });
}

// Suite and transcript are settled.
Status start(Context& context, const Asked& asked, const BoundSuite& suite, MessageLog& messages) noexcept {
  context.agreed.suite = &suite;
  context.agreed.encrypt_then_mac =
      suite.cbc != nullptr && asked.hello.encrypt_then_mac && context.settings().encrypt_then_mac;
  if (auto drawn = draw_random(context); !drawn) return drawn;
  if (!context.transcript.start(*suite.hash)) return context.fail(Reason::provider_failed);
  context.transcript.update(asked.message);
  messages.add(asked.message);
  return {};
}

void send_certificate_request(Context& context, MessageLog& messages) noexcept {
  const Settings& settings = context.settings();
  constexpr std::array kTypes{codec::ClientCertificateType::rsa_sign, codec::ClientCertificateType::ecdsa_sign};
  const auto authorities = context.arena.array<Bytes>(settings.certificate_authorities.size());
  const auto schemes = context.arena.array<SignatureScheme>(settings.schemes.size());
  if (authorities.size() != settings.certificate_authorities.size() || schemes.empty())
    return context.stop(Reason::handshake_too_large);
  std::ranges::transform(settings.certificate_authorities, authorities.begin(),
                         [](const auto& name) { return Bytes(name); });
  const auto end = std::ranges::copy_if(settings.schemes, schemes.begin(), usable_scheme_in_tls12).out;
  std::size_t size = 64 + 2 * settings.schemes.size();
  for (const Bytes name : authorities) size += 2 + name.size();
  const codec::CertificateRequest12Parameters message{
      .certificate_types = kTypes,
      .supported_signature_algorithms = schemes.first(static_cast<std::size_t>(end - schemes.begin())),
      .certificate_authorities = authorities};
  send_noted(context, messages, size,
             [&](codec::Writer& writer) { return codec::encode_certificate_request12(writer, message); });
}

// A session that is resumed: our hello, our keys and our Finished come first (RFC 5246 7.3).
Next<WaitChangeCipherSpec> resume(const Asked& asked, VerifiedPsk psk, Context& context) {
  const Session& session = psk.session();
  inherit(context, session);
  context.client_verified = session.peer_verified || session.unverified;
  MessageLog messages;
  if (auto started = start(context, asked, *context.config().suite(session.suite), messages); !started)
    return std::unexpected(started.error());
  context.agreed.extended_main_secret = session.extended_master_secret;
  agree_on_record_limits(context, asked.hello, &session);
  auto parameters = hello_parameters(context, asked.hello);
  // RFC 5077 3.4: "If the server accepts the ticket and the Session ID is not empty, then it MUST respond with the same
  // Session ID present in the ClientHello."
  parameters.session_id = asked.hello.legacy_session_id;
  send_server_hello(context, messages, parameters);
  auto master = MasterSecret::of_session(session.secret.view());
  if (!master) return context.fail(Reason::provider_failed);
  auto derived = derive_keys(context, std::move(*master));
  if (!derived) return std::unexpected(derived.error());
  change_write_key(context, *derived);
  send_finished12(context, *derived);
  context.end_flight();
  return WaitChangeCipherSpec{Established{std::move(*derived), false}, Authenticated::by_psk(psk)};
}

// ChangeCipherSpec and Finished end our last flight.
Next<Connected> finish(Established&& established, Connected proven, Context& context) {
  if (!context.agreed.resumed) {
    change_write_key(context, established.derived);
    send_finished12(context, established.derived);
    context.end_flight();
  }
  context.tell_complete();
  keep_secrets(context, std::move(established.derived));
  return proven;
}

void send_hello_done(Context& context, Offered& offered) noexcept {
  send_noted(context, offered.messages, codec::kHandshakeHeaderSize,
             [](codec::Writer& writer) { return codec::encode_server_hello_done(writer); });
  context.end_flight();
}

// What ends our flight where a pre-shared key is used. RFC 4279 2: "The Certificate and CertificateRequest payloads are
// omitted from the response." With RSA_PSK the key says who the client is, as well.
Next<WaitPskKeyExchange> end_psk_flight(Offered&& offered, Bytes parameters, Context& context) {
  send_psk_server_exchange(context, offered.messages, parameters);
  send_hello_done(context, offered);
  const auto nothing_due = Authenticated::not_required(context.client_auth);
  if (!nothing_due) return context.fail(Reason::certificate_required);
  return WaitPskKeyExchange{std::move(offered), *nothing_due};
}

// What ends our flight, behind the certificate and what is signed.
Next<WaitCertificate, WaitClientKeyExchange> end_flight(Offered&& offered, Context& context) {
  const bool asks = context.client_auth != ClientAuth::none;
  if (asks) send_certificate_request(context, offered.messages);
  send_hello_done(context, offered);
  if (asks) return WaitCertificate{std::move(offered)};
  const auto nothing_due = Authenticated::not_required(context.client_auth);
  if (!nothing_due) return context.fail(Reason::certificate_required);
  return WaitClientKeyExchange{std::move(offered), *nothing_due};
}

// Whether there will be a ticket or a stored session, in the ServerHello of a full handshake.
Status announce_session(Context& context, const codec::ClientHello& hello, Offered& offered,
                        codec::ServerHello12Parameters& parameters) noexcept {
  const Settings& settings = context.settings();
  // RFC 5077 3.2: "The server uses a zero-length SessionTicket extension to indicate to the client that it will send a
  // new session ticket using the NewSessionTicket handshake message".
  offered.ticket_follows = settings.send_tickets && settings.resumption && hello.session_ticket.has_value();
  parameters.session_ticket = offered.ticket_follows;
  if (offered.ticket_follows || !settings.session_ids) return {};
  const auto id = context.draw(codec::kMaxSessionIdSize);
  if (!id) return std::unexpected(id.error());
  offered.session_id = parameters.session_id = *id;
  return {};
}

// A full handshake begins: what its ServerHello says, but for what comes with a certificate.
std::expected<codec::ServerHello12Parameters, Error> begin_flight(Context& context, const Asked& asked,
                                                                  const BoundSuite& suite, Offered& offered) noexcept {
  if (auto started = start(context, asked, suite, offered.messages); !started) return std::unexpected(started.error());
  agree_on_record_limits(context, asked.hello, nullptr);
  auto parameters = hello_parameters(context, asked.hello);
  if (auto session = announce_session(context, asked.hello, offered, parameters); !session)
    return std::unexpected(session.error());
  return parameters;
}

// A full handshake without a certificate.
Next<WaitPskKeyExchange> offer_psk(const Asked& asked, const BoundSuite& suite, Context& context) {
  Offered offered;
  const auto parameters = begin_flight(context, asked, suite, offered);
  if (!parameters) return std::unexpected(parameters.error());
  send_server_hello(context, offered.messages, *parameters);
  auto made = offer_exchange(context, asked.hello, nullptr, choose_group12(context, asked.hello));
  if (!made) return std::unexpected(made.error());
  offered.exchange = std::move(made->own);
  return end_psk_flight(std::move(offered), made->parameters, context);
}

Next<WaitCredential, WaitPskKeyExchange> begin_in_full(Asked&& asked, Context& context) {
  if (const BoundSuite* const suite = preferred_psk_suite(context, asked.hello))
    return offer_psk(asked, *suite, context);
  return ask_credential(std::move(asked), context);
}

// The client's share or secret is there.
Established establish(Offered& offered, Derived12&& derived) noexcept {
  return Established{std::move(derived), offered.ticket_follows, offered.session_id};
}
// And it has to prove that it has a key.
WaitCertificateVerify await_proof(Offered& offered, Derived12&& derived, const PeerKey& key,
                                  const PeerVerified& accepted) noexcept {
  return WaitCertificateVerify{establish(offered, std::move(derived)), offered.messages, key, accepted};
}

// Whether a client that resumes asks for what its session has (RFC 7627 5.3); an error where it must not go on.
std::expected<bool, Error> same_extended_main_secret(Context& context, const Asked& asked,
                                                     const Session& session) noexcept {
  const bool now = asked.hello.extended_main_secret;
  // RFC 7627 5.3: "If the original session used the "extended_master_secret" extension but the new ClientHello does not
  // contain it, the server MUST abort the abbreviated handshake."
  if (session.extended_master_secret && !now) return context.fail(Reason::session_changed);
  // RFC 7627 5.3: "If the original session did not use the "extended_master_secret" extension but the new ClientHello
  // contains the extension, then the server MUST NOT perform the abbreviated handshake."
  return session.extended_master_secret == now;
}

Next<WaitSignature> sign_parameters(Offered&& offered, OfferedExchange&& made,
                                    std::shared_ptr<const Credential> credential, SignatureScheme scheme,
                                    Context& context) {
  offered.exchange = std::move(made.own);
  const auto content = signed_parameters(context, made.parameters);
  if (!content) return std::unexpected(content.error());
  ask_signature12(context, std::move(credential), scheme, *content);
  return WaitSignature{std::move(offered), made.parameters};
}

// A full handshake with a certificate.
Next<WaitShare, WaitSignature, WaitCertificate, WaitPskKeyExchange, WaitClientKeyExchange> offer_certificate(
    const Asked& asked, const std::shared_ptr<const Credential>& credential, SignatureScheme scheme,
    const BoundSuite& suite, Context& context) {
  const codec::ClientHello& hello = asked.hello;
  Offered offered;
  auto parameters = begin_flight(context, asked, suite, offered);
  if (!parameters) return std::unexpected(parameters.error());
  parameters->status_request = hello.status_request && !credential->ocsp_response.empty();
  if (hello.signed_certificate_timestamp) parameters->signed_certificate_timestamps = credential->sct_list;
  send_server_hello(context, offered.messages, *parameters);
  send_certificate12(context, offered.messages, credential.get());
  // RFC 6066 8: "Servers return a certificate response along with their certificate by sending a "CertificateStatus"
  // message immediately after the "Certificate" message".
  if (parameters->status_request)
    send_noted(context, offered.messages, 16 + credential->ocsp_response.size(), [&](codec::Writer& writer) {
      return codec::encode_certificate_status(writer, {.ocsp_response = credential->ocsp_response});
    });
  const BoundGroup* const group = choose_group12(context, hello);
  if (offers_group(suite) && context.settings().hand_out_computations) {
    ask_to_generate(context, std::array{group->id});
    return WaitShare{std::move(offered), credential, scheme};
  }
  auto made = offer_exchange(context, hello, credential, group);
  if (!made) return std::unexpected(made.error());
  if (has_server_key_exchange(suite) && !uses_psk(suite))
    return sign_parameters(std::move(offered), std::move(*made), credential, scheme, context);
  offered.exchange = std::move(made->own);
  if (uses_psk(suite)) return end_psk_flight(std::move(offered), made->parameters, context);
  return end_flight(std::move(offered), context);
}

}  // namespace

VerifiedPsk resumed_session(Context& context) noexcept { return VerifiedPsk(*context.resumed_session); }

Next<WaitTicketOpened, WaitCredential, WaitPskKeyExchange> begin(const codec::ClientHello& hello, Context& context) {
  context.transport.middlebox_compatibility(false);
  if (auto checked = check_hello(context, hello); !checked) return std::unexpected(checked.error());
  if (auto chosen = choose_alpn(context, hello); !chosen) return std::unexpected(chosen.error());
  context.agreed.next_protocol = context.former == nullptr && context.agreed.alpn == nullptr &&
                                 hello.next_protocol_negotiation && !context.settings().next_protocols.empty();
  Asked asked{hello, context.message};
  const Settings& settings = context.settings();
  const bool by_ticket = settings.resumption && hello.session_ticket && !hello.session_ticket->empty();
  const bool by_id = !by_ticket && settings.session_ids && !hello.legacy_session_id.empty();
  if (!by_ticket && !by_id) return begin_in_full(std::move(asked), context);
  context.ask(OpenTicket{.token = {},
                         .ticket = by_id ? hello.legacy_session_id : *hello.session_ticket,
                         .obfuscated_ticket_age = 0,
                         .now = context.now,
                         .session_id = by_id,
                         .client_hello = context.message});
  return WaitTicketOpened{std::move(asked)};
}

Next<WaitCredential> on(WaitClientHello&& /*state*/, const codec::ClientHello& hello, Context& context) {
  // RFC 9846 4.2.2: "If a server established a TLS connection with a previous version of TLS and receives a TLS 1.3
  // ClientHello in a renegotiation, it MUST retain the previous protocol version. In particular, it MUST NOT negotiate
  // TLS 1.3."
  if (!hello.offers(context.agreed.version)) return version_changed(context, hello.legacy_version);
  std::ranges::copy(hello.random, context.client_random.begin());
  context.server_name = hello.server_name.value_or(std::string_view());
  if (auto checked = check_hello(context, hello); !checked) return std::unexpected(checked.error());
  return ask_credential(Asked{hello, context.message}, context);
}

Next<WaitSessionVerified, WaitCredential, WaitPskKeyExchange, WaitChangeCipherSpec> on(WaitTicketOpened&& state,
                                                                                       const TicketOpened& answer,
                                                                                       Context& context) {
  if (answer.session == nullptr || !resumable12(context, state.asked.hello, *answer.session))
    return begin_in_full(std::move(state.asked), context);
  const auto same = same_extended_main_secret(context, state.asked, *answer.session);
  if (!same) return std::unexpected(same.error());
  if (!*same) return begin_in_full(std::move(state.asked), context);
  context.keep_session(std::move(*answer.session));
  const VerifiedPsk session = resumed_session(context);
  if (!verifies_on_resumption(context.settings(), session.session())) return resume(state.asked, session, context);
  ask_about_session(context, session.session(), Role::client);
  return WaitSessionVerified{std::move(state.asked), session};
}

Next<WaitChangeCipherSpec> on(WaitSessionVerified&& state, const PeerVerified& accepted, Context& context) {
  context.note(accepted.answer());
  return resume(state.asked, state.session, context);
}

Next<> on(WaitSessionVerified&& /*state*/, const PeerRefused& refused, Context& context) {
  return context.fail(refused.rejection);
}

Next<WaitShare, WaitSignature, WaitCertificate, WaitPskKeyExchange, WaitClientKeyExchange> on(
    WaitCredential&& state, const CredentialSelected& selected, Context& context) {
  const codec::ClientHello& hello = state.asked.hello;
  const bool shows = selected.credential != nullptr && !selected.credential->chain.empty();
  // No scheme has the number 0. (g++ 12 takes an optional for one that may not be set below.)
  constexpr SignatureScheme kNone{};
  SignatureScheme scheme = kNone;
  if (shows) scheme = choose_scheme12(context, *selected.credential).value_or(kNone);
  const BoundSuite* const suite =
      choose_suite12(context, hello, scheme != kNone ? std::optional(parts(scheme)->key) : std::nullopt);
  // Without a certificate that serves this client, a pre-shared key may still do.
  if (suite != nullptr && authenticates_by_psk(*suite)) return offer_psk(state.asked, *suite, context);
  if (!shows) return context.fail(Reason::no_credential);
  if (scheme == kNone) return Context::fail_at(Place::client_hello, Reason::scheme_unsupported);
  if (suite == nullptr) return Context::fail_at(Place::client_hello, Reason::suite_unsupported);
  return offer_certificate(state.asked, selected.credential, scheme, *suite, context);
}

Next<WaitSignature> on(WaitShare&& state, const SharesMade& made, Context& context) {
  auto offered = offer_key_pair(context, made);
  if (!offered) return std::unexpected(offered.error());
  return sign_parameters(std::move(state.offered), std::move(*offered), std::move(state.credential), state.scheme,
                         context);
}

Next<WaitCertificate, WaitClientKeyExchange> on(WaitSignature&& state, const Signed& answer, Context& context) {
  if (answer.signature.empty()) return context.fail(Reason::signing_failed);
  send_noted(context, state.offered.messages, 16 + state.parameters.size() + answer.signature.size(),
             [&](codec::Writer& writer) {
               return codec::encode_server_key_exchange(
                   writer, std::nullopt, state.parameters,
                   codec::DigitallySigned{.algorithm = context.agreed.own_scheme, .signature = answer.signature});
             });
  return end_flight(std::move(state.offered), context);
}

Next<WaitPeerVerified, WaitClientKeyExchange> on(WaitCertificate&& state, const codec::Certificate12& message,
                                                 Context& context) {
  if (message.certificate_list.empty()) {
    // RFC 5246 7.4.6: "If the client does not send any certificates, the server MAY at its discretion either continue
    // the handshake without client authentication, or respond with a fatal handshake_failure alert." The reason's own
    // alert came with TLS 1.3.
    if (auto same = check_same_peer(context, {}); !same) return std::unexpected(same.error());
    const auto nothing_due = Authenticated::not_required(context.client_auth);
    if (!nothing_due) {
      Error error = make_error(Reason::certificate_required, context.place);
      error.alert = Alert::handshake_failure;
      return std::unexpected(error);
    }
    note_message(context, state.offered.messages);
    return WaitClientKeyExchange{std::move(state.offered), *nothing_due};
  }
  const auto key = read_chain12(context, message);
  if (!key) return std::unexpected(key.error());
  if (auto same = check_same_peer(context, context.peer_chain.front()); !same) return std::unexpected(same.error());
  note_message(context, state.offered.messages);
  ask_about_peer(context, Role::client);
  return WaitPeerVerified{std::move(state.offered), *key};
}

Next<WaitCertifiedKeyExchange> on(WaitPeerVerified&& state, const PeerVerified& accepted, Context& context) {
  context.note(accepted.answer());
  return WaitCertifiedKeyExchange{std::move(state.offered), state.key, accepted};
}

Next<> on(WaitPeerVerified&& /*state*/, const PeerRefused& refused, Context& context) {
  return context.fail(refused.rejection);
}

namespace {

// Hands out what the client's share leads to; nothing where it is computed in place, or is no share.
std::expected<std::optional<NamedGroup>, Error> hand_out_secret(Context& context, OwnExchange& own,
                                                                const codec::ClientKeyExchange& message) {
  if (!context.settings().hand_out_computations) return std::nullopt;
  const auto point = read_point(context, own, message);
  if (!point) return std::unexpected(point.error());
  if (!*point) return std::nullopt;
  const NamedGroup group = (*point)->key->group()->id;
  ask_to_decapsulate(context, std::move(*(*point)->key), (*point)->point);
  return group;
}

}  // namespace

Next<WaitSecret, WaitDecrypted, WaitChangeCipherSpec> on(WaitClientKeyExchange&& state,
                                                         const codec::ClientKeyExchange& message, Context& context) {
  const auto group = hand_out_secret(context, state.offered.exchange, message);
  if (!group) return std::unexpected(group.error());
  if (*group) return WaitSecret{std::move(state.offered), state.authenticated, **group};
  auto derived = take_exchange(context, state.offered.messages, state.offered.exchange, message);
  if (!derived) return std::unexpected(derived.error());
  if (!*derived) return WaitDecrypted{std::move(state.offered), state.authenticated};
  return WaitChangeCipherSpec{establish(state.offered, std::move(**derived)), state.authenticated};
}

Next<WaitChangeCipherSpec> on(WaitSecret&& state, const SecretMade& made, Context& context) {
  auto derived = take_secret(context, state.offered.messages, state.group, made);
  if (!derived) return std::unexpected(derived.error());
  return WaitChangeCipherSpec{establish(state.offered, std::move(*derived)), state.authenticated};
}

Next<WaitCertifiedSecret, WaitCertifiedDecrypted, WaitCertificateVerify> on(WaitCertifiedKeyExchange&& state,
                                                                            const codec::ClientKeyExchange& message,
                                                                            Context& context) {
  const auto group = hand_out_secret(context, state.offered.exchange, message);
  if (!group) return std::unexpected(group.error());
  if (*group) return WaitCertifiedSecret{std::move(state.offered), state.key, state.accepted, **group};
  auto derived = take_exchange(context, state.offered.messages, state.offered.exchange, message);
  if (!derived) return std::unexpected(derived.error());
  if (!*derived) return WaitCertifiedDecrypted{std::move(state.offered), state.key, state.accepted};
  return await_proof(state.offered, std::move(**derived), state.key, state.accepted);
}

Next<WaitCertificateVerify> on(WaitCertifiedSecret&& state, const SecretMade& made, Context& context) {
  auto derived = take_secret(context, state.offered.messages, state.group, made);
  if (!derived) return std::unexpected(derived.error());
  return WaitCertificateVerify{establish(state.offered, std::move(*derived)), state.offered.messages, state.key,
                               state.accepted};
}

Next<WaitChangeCipherSpec> on(WaitDecrypted&& state, const Decrypted& answer, Context& context) {
  auto derived = take_decrypted(context, state.offered.exchange, answer.premaster);
  if (!derived) return std::unexpected(derived.error());
  return WaitChangeCipherSpec{establish(state.offered, std::move(*derived)), state.authenticated};
}

Next<WaitCertificateVerify> on(WaitCertifiedDecrypted&& state, const Decrypted& answer, Context& context) {
  auto derived = take_decrypted(context, state.offered.exchange, answer.premaster);
  if (!derived) return std::unexpected(derived.error());
  return await_proof(state.offered, std::move(*derived), state.key, state.accepted);
}

Next<WaitPsk> on(WaitPskKeyExchange&& state, const codec::ClientKeyExchange& message, Context& context) {
  const auto said = read_psk_exchange(context, message);
  if (!said) return std::unexpected(said.error());
  note_message(context, state.offered.messages);
  Secret<kStandInPskSize> stand_in(kStandInPskSize);
  if (!context.random.fill(stand_in.writable())) return context.fail(Reason::random_failed);
  FindPsk question;
  question.version = ProtocolVersion::tls_1_2;
  question.server_name = context.server_name;
  question.identity = said->psk_identity;
  context.ask(std::move(question));
  return WaitPsk{std::move(state.offered), state.authenticated, *said, std::move(stand_in)};
}

namespace {

Next<WaitPskDecrypted, WaitChangeCipherSpec> use_psk(WaitPsk&& state, Bytes psk, Context& context) {
  auto derived = take_psk_exchange(context, state.offered.exchange, state.said.exchange, psk);
  if (!derived) return std::unexpected(derived.error());
  if (*derived) return WaitChangeCipherSpec{establish(state.offered, std::move(**derived)), state.authenticated};
  const auto kept = context.scratch(psk.size());
  if (!kept) return std::unexpected(kept.error());
  std::ranges::copy(psk, kept->begin());
  return WaitPskDecrypted{std::move(state.offered), state.authenticated, *kept};
}

}  // namespace

Next<WaitPskDecrypted, WaitChangeCipherSpec> on(WaitPsk&& state, const PskGiven& found, Context& context) {
  if (auto checked = check_strength(context, found); !checked) return std::unexpected(checked.error());
  context.note(PeerAccepted{.identity = found.identity().empty() ? state.said.psk_identity : found.identity()});
  return use_psk(std::move(state), found.key(), context);
}

Next<WaitPskDecrypted, WaitChangeCipherSpec> on(WaitPsk&& state, const PskWithheld& /*answer*/, Context& context) {
  // RFC 4279 2: "If the server does not recognize the PSK identity, it MAY respond with an "unknown_psk_identity" alert
  // message. Alternatively, if the server wishes to hide the fact that the PSK identity was not known, it MAY continue
  // the protocol as if the PSK identity existed but the key was incorrect".
  if (context.settings().tell_unknown_psk) return context.fail(Reason::psk_identity_unknown);
  const auto stand_in = std::move(state.stand_in);
  return use_psk(std::move(state), stand_in.view(), context);
}

Next<WaitChangeCipherSpec> on(WaitPskDecrypted&& state, const Decrypted& answer, Context& context) {
  auto derived = take_psk_decrypted(context, state.offered.exchange, answer.premaster, state.psk);
  wipe(state.psk);
  if (!derived) return std::unexpected(derived.error());
  return WaitChangeCipherSpec{establish(state.offered, std::move(*derived)), state.authenticated};
}

Next<WaitSignatureChecked, WaitChangeCipherSpec> on(WaitCertificateVerify&& state,
                                                    const codec::CertificateVerify& message, Context& context) {
  // RFC 5246 7.4.8: "handshake_messages refers to all handshake messages sent or received, starting at client hello and
  // up to, but not including, this message".
  const auto content = state.messages.joined(context);
  if (!content) return std::unexpected(content.error());
  const auto signature = read_signature12(context, state.key, {message.algorithm, message.signature}, *content);
  if (!signature) return std::unexpected(signature.error());
  return check_signature(WaitSignatureChecked{std::move(state.established), state.accepted, signature->scheme},
                         *signature, context);
}

Next<WaitChangeCipherSpec> on(WaitSignatureChecked&& state, const SignatureChecked& checked, Context& context) {
  const auto proof = conclude(context, state.accepted, state.scheme, checked);
  if (!proof) return std::unexpected(proof.error());
  context.hash_message();
  context.client_verified = true;
  return WaitChangeCipherSpec{std::move(state.established), Authenticated::by_signature(*proof)};
}

Next<WaitNextProtocol, WaitFinished> on(WaitChangeCipherSpec&& state, const ChangeCipherSpec& /*record*/,
                                        Context& context) {
  change_read_key(context, state.established.derived);
  if (context.agreed.next_protocol) return WaitNextProtocol{std::move(state.established), state.authenticated};
  return WaitFinished{std::move(state.established), state.authenticated};
}

Next<WaitFinished> on(WaitNextProtocol&& state, const codec::NextProtocol& message, Context& context) {
  // The client may choose what was not in our list; nothing here speaks it.
  const auto& ours = context.settings().next_protocols;
  const auto found = std::ranges::find(ours, as_text(message.selected_protocol));
  if (found == ours.end()) return context.fail(Reason::alpn_mismatch);
  context.agreed.alpn = &*found;
  context.hash_message();
  return WaitFinished{std::move(state.established), state.authenticated};
}

Next<WaitTicketSealed, Connected> on(WaitFinished&& state, const codec::Finished& message, Context& context) {
  const auto verified = verify_finished12(context, state.established.derived, message);
  if (!verified) return std::unexpected(verified.error());
  context.hash_message();
  const Connected proven{state.authenticated, *verified};
  const bool stored = !state.established.session_id.empty();
  if (!state.established.ticket_follows && !stored) return finish(std::move(state.established), proven, context);
  auto session = session_for_ticket12(context, state.established.derived.master, state.established.session_id);
  // RFC 5077 3.3: "If the server determines that it does not want to include a ticket after it has included the
  // SessionTicket extension in the ServerHello, then it sends a zero-length ticket in the NewSessionTicket handshake
  // message." Without a session there is nobody to ask.
  const auto lifetime = session ? static_cast<std::uint32_t>(session->lifetime.count()) : 0;
  WaitTicketSealed next{std::move(state.established), lifetime, proven};
  if (!session) return on(std::move(next), TicketSealed{}, context);
  context.ask(SealTicket{.token = {}, .session = std::move(*session)});
  return next;
}

Next<Connected> on(WaitTicketSealed&& state, const TicketSealed& answer, Context& context) {
  if (state.established.ticket_follows) {
    context.send(Level::initial, 16 + answer.ticket.size(), [&](codec::Writer& writer) {
      return codec::encode_new_session_ticket12(
          writer, {.ticket_lifetime_hint = answer.ticket.empty() ? 0 : state.lifetime, .ticket = answer.ticket});
    });
  }
  return finish(std::move(state.established), state.proven, context);
}

}  // namespace lockstep::handshake::server12
