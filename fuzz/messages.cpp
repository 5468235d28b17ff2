// The body of every handshake message, the sessions that clients store, and tickets: decoded, encoded, decoded. What
// the encoder can say at all comes back the same, and a second time not a byte differs.

#include <lockstep/fuzzing.hpp>

#include "codec/certificate.hpp"
#include "codec/certificate12.hpp"
#include "codec/certificate_request.hpp"
#include "codec/certificate_request12.hpp"
#include "codec/certificate_status.hpp"
#include "codec/certificate_verify.hpp"
#include "codec/client_hello.hpp"
#include "codec/client_key_exchange.hpp"
#include "codec/compressed_certificate.hpp"
#include "codec/encrypted_extensions.hpp"
#include "codec/end_of_early_data.hpp"
#include "codec/finished.hpp"
#include "codec/hello_request.hpp"
#include "codec/key_update.hpp"
#include "codec/new_session_ticket.hpp"
#include "codec/new_session_ticket12.hpp"
#include "codec/server_hello.hpp"
#include "codec/server_hello_done.hpp"
#include "codec/server_key_exchange.hpp"

using namespace lockstep;
using namespace lockstep::codec;
using fuzzing::require;

namespace {

template <class List>
auto all(const List& list) {
  std::vector<std::remove_cvref_t<decltype(*list.begin())>> out;
  for (auto it = list.begin(); it != list.end(); ++it) out.push_back(*it);
  return out;
}
template <class List>
auto all(const std::optional<List>& list) {
  return list ? all(*list) : decltype(all(*list)){};
}

/// What is absent, what is there, and what its bytes are.
template <class List>
bool same(const std::optional<List>& a, const std::optional<List>& b) {
  return a.has_value() == b.has_value() && (!a || equal(a->raw(), b->raw()));
}
bool same(const std::optional<Bytes>& a, const std::optional<Bytes>& b) {
  return a.has_value() == b.has_value() && (!a || equal(*a, *b));
}
bool same(const std::optional<KeyShareEntry>& a, const std::optional<KeyShareEntry>& b) {
  return a.has_value() == b.has_value() && (!a || (a->group == b->group && equal(a->key_exchange, b->key_exchange)));
}
bool same(const std::optional<OfferedPsks>& a, const std::optional<OfferedPsks>& b) {
  return a.has_value() == b.has_value() &&
         (!a || (equal(a->identities.raw(), b->identities.raw()) && equal(a->binders.raw(), b->binders.raw())));
}

// --- one pair for each message: what is written, and whether it came back ---

Bytes encode(Writer& writer, const ClientHello& hello) {
  const auto suites = all(hello.cipher_suites);
  const auto versions = all(hello.supported_versions);
  const auto groups = all(hello.supported_groups);
  const auto shares = all(hello.key_share);
  const auto schemes = all(hello.signature_algorithms);
  const auto schemes_cert = all(hello.signature_algorithms_cert);
  std::vector<std::string> protocols;
  for (const Bytes name : all(hello.application_layer_protocol_negotiation)) protocols.emplace_back(as_text(name));
  const auto authorities = all(hello.certificate_authorities);
  const auto modes = all(hello.psk_key_exchange_modes);
  const auto compression = all(hello.compress_certificate);
  std::vector<PskOffer> psks;
  std::vector<Bytes> binders;
  if (hello.pre_shared_key) {
    binders = all(hello.pre_shared_key->binders);
    for (const PskIdentity& psk : all(hello.pre_shared_key->identities)) {
      psks.push_back({psk.identity, psk.obfuscated_ticket_age, binders[psks.size()].size()});
    }
  }
  const EncodedClientHello encoded =
      encode_client_hello(writer, {.legacy_version = hello.legacy_version,
                                   .random = hello.random,
                                   .legacy_session_id = hello.legacy_session_id,
                                   .cipher_suites = suites,
                                   .server_name = hello.server_name.value_or(""),
                                   .supported_versions = versions,
                                   .supported_groups = groups,
                                   .key_shares = shares,
                                   .signature_algorithms = schemes,
                                   .signature_algorithms_cert = schemes_cert,
                                   .application_layer_protocol_negotiation = protocols,
                                   .certificate_authorities = authorities,
                                   .psk_key_exchange_modes = modes,
                                   .pre_shared_keys = psks,
                                   .cookie = hello.cookie.value_or(Bytes{}),
                                   .status_request = hello.status_request,
                                   .signed_certificate_timestamp = hello.signed_certificate_timestamp,
                                   .early_data = hello.early_data,
                                   .post_handshake_auth = hello.post_handshake_auth,
                                   .record_size_limit = hello.record_size_limit,
                                   .ticket_request = hello.ticket_request,
                                   .extended_main_secret = hello.extended_main_secret,
                                   .ec_point_formats = hello.ec_point_formats && hello.ec_point_formats->contains(0),
                                   .renegotiation_info = hello.renegotiation_info,
                                   .session_ticket = hello.session_ticket,
                                   .encrypt_then_mac = hello.encrypt_then_mac,
                                   .compress_certificate = compression,
                                   .max_fragment_length = hello.max_fragment_length});
  if (encoded.message.empty()) return {};
  for (std::size_t i = 0; i < binders.size(); ++i)
    require(fill_binder(encoded, i, binders[i]), "a binder has its room");
  require(!fill_binder(encoded, binders.size(), {}), "there is no room for a binder of no PSK");
  return encoded.message;
}
bool same(const std::optional<TicketRequest>& a, const std::optional<TicketRequest>& b) {
  if (!a || !b) return a.has_value() == b.has_value();
  return a->new_session_count == b->new_session_count && a->resumption_count == b->resumption_count;
}
bool same(const ClientHello& a, const ClientHello& b) {
  // supported_versions and key_share go with TLS 1.3 alone; point formats are written as the one that everybody has.
  const bool tls13 = a.supported_versions && a.supported_versions->contains(ProtocolVersion::tls_1_3);
  return a.legacy_version == b.legacy_version && equal(a.random, b.random) &&
         equal(a.legacy_session_id, b.legacy_session_id) && equal(a.cipher_suites.raw(), b.cipher_suites.raw()) &&
         a.server_name == b.server_name && (!tls13 || same(a.supported_versions, b.supported_versions)) &&
         same(a.supported_groups, b.supported_groups) && (!tls13 || !a.key_share || same(a.key_share, b.key_share)) &&
         same(a.signature_algorithms, b.signature_algorithms) &&
         same(a.signature_algorithms_cert, b.signature_algorithms_cert) &&
         same(a.application_layer_protocol_negotiation, b.application_layer_protocol_negotiation) &&
         same(a.certificate_authorities, b.certificate_authorities) &&
         same(a.psk_key_exchange_modes, b.psk_key_exchange_modes) && same(a.pre_shared_key, b.pre_shared_key) &&
         same(a.cookie, b.cookie) && a.status_request == b.status_request &&
         a.signed_certificate_timestamp == b.signed_certificate_timestamp && a.early_data == b.early_data &&
         a.post_handshake_auth == b.post_handshake_auth && a.record_size_limit == b.record_size_limit &&
         a.extended_main_secret == b.extended_main_secret && same(a.renegotiation_info, b.renegotiation_info) &&
         same(a.session_ticket, b.session_ticket) && a.encrypt_then_mac == b.encrypt_then_mac &&
         a.max_fragment_length == b.max_fragment_length && same(a.ticket_request, b.ticket_request);
}

Bytes encode(Writer& writer, const ServerHello& hello) {
  if (!hello.supported_versions) {
    return encode_server_hello12(
        writer,
        {.random = hello.random,
         .session_id = hello.legacy_session_id_echo,
         .cipher_suite = hello.cipher_suite,
         .version = hello.legacy_version,
         .server_name = hello.server_name,
         .extended_main_secret = hello.extended_main_secret,
         .encrypt_then_mac = hello.encrypt_then_mac,
         .session_ticket = hello.session_ticket,
         .status_request = hello.status_request,
         .ec_point_formats = hello.ec_point_formats && hello.ec_point_formats->contains(0),
         .renegotiation_info = hello.renegotiation_info,
         .application_layer_protocol_negotiation = hello.application_layer_protocol_negotiation.value_or(Bytes{}),
         .signed_certificate_timestamps = hello.signed_certificate_timestamps.value_or(Bytes{}),
         .max_fragment_length = hello.max_fragment_length,
         .record_size_limit = hello.record_size_limit});
  }
  return encode_server_hello(writer, {.random = hello.random,
                                      .legacy_session_id_echo = hello.legacy_session_id_echo,
                                      .cipher_suite = hello.cipher_suite,
                                      .selected_version = hello.version(),
                                      .key_share = hello.key_share,
                                      .selected_identity = hello.pre_shared_key});
}
bool same(const ServerHello& a, const ServerHello& b) {
  return equal(a.random, b.random) && equal(a.legacy_session_id_echo, b.legacy_session_id_echo) &&
         a.cipher_suite == b.cipher_suite && a.version() == b.version() && same(a.key_share, b.key_share) &&
         a.pre_shared_key == b.pre_shared_key && a.server_name == b.server_name &&
         a.extended_main_secret == b.extended_main_secret && a.encrypt_then_mac == b.encrypt_then_mac &&
         a.session_ticket == b.session_ticket && a.status_request == b.status_request &&
         same(a.renegotiation_info, b.renegotiation_info) &&
         same(a.application_layer_protocol_negotiation, b.application_layer_protocol_negotiation) &&
         same(a.signed_certificate_timestamps, b.signed_certificate_timestamps) &&
         a.max_fragment_length == b.max_fragment_length && a.record_size_limit == b.record_size_limit;
}

Bytes encode(Writer& writer, const HelloRetryRequest& hello) {
  return encode_hello_retry_request(writer, {.legacy_session_id_echo = hello.legacy_session_id_echo,
                                             .cipher_suite = hello.cipher_suite,
                                             .selected_version = hello.supported_versions,
                                             .selected_group = hello.key_share,
                                             .cookie = hello.cookie.value_or(Bytes{})});
}
bool same(const HelloRetryRequest& a, const HelloRetryRequest& b) {
  return equal(a.legacy_session_id_echo, b.legacy_session_id_echo) && a.cipher_suite == b.cipher_suite &&
         a.supported_versions == b.supported_versions && a.key_share == b.key_share && same(a.cookie, b.cookie);
}

Bytes encode(Writer& writer, const EncryptedExtensions& message) {
  const auto groups = all(message.supported_groups);
  return encode_encrypted_extensions(writer, {.server_name = message.server_name,
                                              .supported_groups = groups,
                                              .application_layer_protocol_negotiation =
                                                  message.application_layer_protocol_negotiation.value_or(Bytes{}),
                                              .record_size_limit = message.record_size_limit,
                                              .max_fragment_length = message.max_fragment_length,
                                              .early_data = message.early_data,
                                              .expected_count = message.expected_count});
}
bool same(const EncryptedExtensions& a, const EncryptedExtensions& b) {
  return a.server_name == b.server_name && same(a.supported_groups, b.supported_groups) &&
         same(a.application_layer_protocol_negotiation, b.application_layer_protocol_negotiation) &&
         a.record_size_limit == b.record_size_limit && a.max_fragment_length == b.max_fragment_length &&
         a.early_data == b.early_data && a.expected_count == b.expected_count;
}

Bytes encode(Writer& writer, const CertificateRequest& message) {
  const auto schemes = all(message.signature_algorithms);
  const auto schemes_cert = all(message.signature_algorithms_cert);
  const auto authorities = all(message.certificate_authorities);
  const auto compression = all(message.compress_certificate);
  return encode_certificate_request(writer, {.certificate_request_context = message.certificate_request_context,
                                             .signature_algorithms = schemes,
                                             .signature_algorithms_cert = schemes_cert,
                                             .certificate_authorities = authorities,
                                             .status_request = message.status_request,
                                             .signed_certificate_timestamp = message.signed_certificate_timestamp,
                                             .compress_certificate = compression});
}
bool same(const CertificateRequest& a, const CertificateRequest& b) {
  return equal(a.certificate_request_context, b.certificate_request_context) &&
         equal(a.signature_algorithms.raw(), b.signature_algorithms.raw()) &&
         same(a.signature_algorithms_cert, b.signature_algorithms_cert) &&
         same(a.certificate_authorities, b.certificate_authorities) && a.status_request == b.status_request &&
         a.signed_certificate_timestamp == b.signed_certificate_timestamp &&
         same(a.compress_certificate, b.compress_certificate);
}

Bytes encode(Writer& writer, const Certificate& message) {
  std::vector<Bytes> chain;
  for (const CertificateEntry& entry : all(message.certificate_list)) chain.push_back(entry.cert_data);
  CertificateParameters parameters{.certificate_request_context = message.certificate_request_context, .chain = chain};
  if (!chain.empty()) {
    parameters.ocsp_response = message.certificate_list.begin()->ocsp_response().value_or(Bytes{});
    parameters.signed_certificate_timestamps =
        message.certificate_list.begin()->signed_certificate_timestamps().value_or(Bytes{});
  }
  const Bytes written = encode_certificate(writer, parameters);
  require(written.empty() || written.size() == certificate_message_size(parameters),
          "a Certificate is as long as foretold");
  return written;
}
bool same(const Certificate& a, const Certificate& b) {
  const auto ours = all(a.certificate_list);
  const auto theirs = all(b.certificate_list);
  return equal(a.certificate_request_context, b.certificate_request_context) &&
         std::ranges::equal(ours, theirs,
                            [](const CertificateEntry& one, const CertificateEntry& other) {
                              return equal(one.cert_data, other.cert_data);
                            }) &&
         (ours.empty() || (same(ours[0].ocsp_response(), theirs[0].ocsp_response()) &&
                           same(ours[0].signed_certificate_timestamps(), theirs[0].signed_certificate_timestamps())));
}

Bytes encode(Writer& writer, const CompressedCertificate& message) {
  return encode_compressed_certificate(writer, message);
}
bool same(const CompressedCertificate& a, const CompressedCertificate& b) {
  return a.algorithm == b.algorithm && a.uncompressed_length == b.uncompressed_length &&
         equal(a.compressed_certificate_message, b.compressed_certificate_message);
}

Bytes encode(Writer& writer, const CertificateVerify& message) { return encode_certificate_verify(writer, message); }
bool same(const CertificateVerify& a, const CertificateVerify& b) {
  return a.algorithm == b.algorithm && equal(a.signature, b.signature);
}

Bytes encode(Writer& writer, const Finished& message) { return encode_finished(writer, message); }
bool same(const Finished& a, const Finished& b) { return equal(a.verify_data, b.verify_data); }

Bytes encode(Writer& writer, const NewSessionTicket& message) {
  return encode_new_session_ticket(writer, {.ticket_lifetime = message.ticket_lifetime,
                                            .ticket_age_add = message.ticket_age_add,
                                            .ticket_nonce = message.ticket_nonce,
                                            .ticket = message.ticket,
                                            .max_early_data_size = message.max_early_data_size});
}
bool same(const NewSessionTicket& a, const NewSessionTicket& b) {
  return a.ticket_lifetime == b.ticket_lifetime && a.ticket_age_add == b.ticket_age_add &&
         equal(a.ticket_nonce, b.ticket_nonce) && equal(a.ticket, b.ticket) &&
         a.max_early_data_size == b.max_early_data_size;
}

Bytes encode(Writer& writer, const Certificate12& message) {
  const auto chain = all(message.certificate_list);
  const Bytes written = encode_certificate12(writer, {chain});
  require(written.empty() || written.size() == certificate12_message_size({chain}),
          "a Certificate of TLS 1.2 is as long as foretold");
  return written;
}
bool same(const Certificate12& a, const Certificate12& b) {
  return equal(a.certificate_list.raw(), b.certificate_list.raw());
}

Bytes encode(Writer& writer, const CertificateStatus& message) { return encode_certificate_status(writer, message); }
bool same(const CertificateStatus& a, const CertificateStatus& b) { return equal(a.ocsp_response, b.ocsp_response); }

Bytes encode(Writer& writer, const CertificateRequest12& message) {
  const auto types = all(message.certificate_types);
  const auto schemes = all(message.supported_signature_algorithms);
  const auto authorities = all(message.certificate_authorities);
  return encode_certificate_request12(writer, {types, schemes, authorities});
}
bool same(const CertificateRequest12& a, const CertificateRequest12& b) {
  return equal(a.certificate_types.raw(), b.certificate_types.raw()) &&
         equal(a.supported_signature_algorithms.raw(), b.supported_signature_algorithms.raw()) &&
         equal(a.certificate_authorities.raw(), b.certificate_authorities.raw());
}

Bytes encode(Writer& writer, const NewSessionTicket12& message) {
  return encode_new_session_ticket12(writer, {message.ticket_lifetime_hint, message.ticket});
}
bool same(const NewSessionTicket12& a, const NewSessionTicket12& b) {
  return a.ticket_lifetime_hint == b.ticket_lifetime_hint && equal(a.ticket, b.ticket);
}

void write(Writer& writer, const ServerEcdhParams& params) { write_ecdh_params(writer, params.group, params.point); }
void write(Writer& writer, const ServerDhParams& params) {
  write_dh_params(writer, params.dh_p, params.dh_g, params.dh_Ys);
}

/// Parameters are written as they were read; so whoever signs what was read signs what is sent.
template <class Params>
Bytes encode(Writer& writer, const std::optional<Bytes>& hint, const Params& params,
             const std::optional<DigitallySigned>& signature) {
  static std::array<std::uint8_t, std::size_t{1} << 18U> buffer;
  Writer own{MutableBytes(buffer)};
  write(own, params);
  require(own.ok() && equal(own.written(), params.raw), "parameters are written as they were read");
  return encode_server_key_exchange(writer, hint, params.raw, signature);
}
bool same(const DigitallySigned& a, const DigitallySigned& b) {
  return a.algorithm == b.algorithm && equal(a.signature, b.signature);
}

Bytes encode(Writer& writer, const SignedEcdhe& m) { return encode(writer, std::nullopt, m.params, m.signature); }
bool same(const SignedEcdhe& a, const SignedEcdhe& b) {
  return equal(a.params.raw, b.params.raw) && same(a.signature, b.signature);
}
Bytes encode(Writer& writer, const SignedDhe& m) { return encode(writer, std::nullopt, m.params, m.signature); }
bool same(const SignedDhe& a, const SignedDhe& b) {
  return equal(a.params.raw, b.params.raw) && same(a.signature, b.signature);
}
Bytes encode(Writer& writer, const PskDhe& m) { return encode(writer, m.psk_identity_hint, m.params, std::nullopt); }
bool same(const PskDhe& a, const PskDhe& b) {
  return equal(a.psk_identity_hint, b.psk_identity_hint) && equal(a.params.raw, b.params.raw);
}
Bytes encode(Writer& writer, const PskEcdhe& m) { return encode(writer, m.psk_identity_hint, m.params, std::nullopt); }
bool same(const PskEcdhe& a, const PskEcdhe& b) {
  return equal(a.psk_identity_hint, b.psk_identity_hint) && equal(a.params.raw, b.params.raw);
}

/// The forms of ClientKeyExchange, and the hint of a ServerKeyExchange.
struct Field {
  Bytes contents;
  std::optional<Bytes> identity;
};
template <auto decode>
Decoded<Field> field(Bytes body) {
  return decode(body).transform([](const auto& decoded) {
    if constexpr (std::is_same_v<std::remove_cvref_t<decltype(decoded)>, Bytes>) {
      return Field{decoded, std::nullopt};
    } else {
      return Field{decoded.exchange, decoded.psk_identity};
    }
  });
}
bool same(const Field& a, const Field& b) { return equal(a.contents, b.contents) && same(a.identity, b.identity); }

Bytes encode(Writer& writer, const KeyUpdate& message) { return encode_key_update(writer, message); }
bool same(const KeyUpdate& a, const KeyUpdate& b) { return a.request_update == b.request_update; }

template <class Message>
Decoded<Message> decoder(Bytes body) {
  return Message::decode(body);
}

/// Decodes, encodes with `write` and decodes with `decode`, twice over.
template <class Decode, class Write>
void round_trip(Bytes body, Decode decode, Write write) {
  const auto first = decode(body);
  if (!first) {
    require(first.error().reason != Reason::none && !to_text(first.error()).empty(), "a refusal has its reason");
    return;
  }
  static std::array<std::uint8_t, std::size_t{1} << 20U> buffer;
  static std::array<std::uint8_t, std::size_t{1} << 20U> again;
  Writer writer{MutableBytes(buffer)};
  const Bytes message = write(writer, *first);
  require(!message.empty(), "what came in a message fits one");
  const auto second = decode(message.subspan(kHandshakeHeaderSize));
  require(second.has_value(), "what is encoded can be decoded");
  require(same(*first, *second), "what is encoded says what was decoded");

  Writer rewriter{MutableBytes(again)};
  require(equal(write(rewriter, *second), message), "what is encoded twice is the same");
  // A buffer that is too small is seen, wherever it ends.
  for (const std::size_t size : {std::size_t{0}, message.size() / 2, message.size() - 1}) {
    Writer small{MutableBytes(again).first(size)};
    require(write(small, *second).empty(), "what does not fit is not half written");
  }
}
template <class Decode>
void round_trip(Bytes body, Decode decode) {
  round_trip(body, decode, [](Writer& writer, const auto& message) { return encode(writer, message); });
}

void server_key_exchange(std::size_t form, Bytes body) {
  require(ServerKeyExchange::decode(body).has_value(), "a ServerKeyExchange is not looked into");
  switch (form) {
    case 0: round_trip(body, decode_signed_ecdhe); break;
    case 1: round_trip(body, decode_signed_dhe); break;
    case 2: round_trip(body, decode_psk_dhe); break;
    case 3: round_trip(body, decode_psk_ecdhe); break;
    default:
      round_trip(body, field<decode_psk_hint>, [](Writer& writer, const Field& hint) {
        return encode_server_key_exchange(writer, hint.contents, {}, std::nullopt);
      });
      break;
  }
}

void client_key_exchange(std::size_t form, Bytes body) {
  using Form = ClientKeyExchangeParameters::Form;
  require(ClientKeyExchange::decode(body).has_value(), "a ClientKeyExchange is not looked into");
  const auto round_trip_as = [body](auto decode, Form written) {
    round_trip(body, decode, [written](Writer& writer, const Field& message) {
      return encode_client_key_exchange(
          writer, {.psk_identity = message.identity, .exchange = message.contents, .form = written});
    });
  };
  switch (form) {
    case 0: round_trip_as(field<decode_ecdh_public>, Form::vector8); break;
    case 1: round_trip_as(field<decode_dh_public>, Form::vector16); break;
    case 2: round_trip_as(field<decode_encrypted_premaster>, Form::vector16); break;
    case 3: round_trip_as(field<decode_psk_ecdh>, Form::vector8); break;
    case 4: round_trip_as(field<decode_psk_dh>, Form::vector16); break;
    case 5: round_trip_as(field<decode_psk_rsa>, Form::vector16); break;
    default:
      round_trip(body, field<decode_psk_identity>, [](Writer& writer, const Field& identity) {
        return encode_client_key_exchange(writer, {.psk_identity = identity.contents});
      });
      break;
  }
}

void session(Bytes bytes) {
  const auto session = Session::parse(bytes);
  if (!session) {
    require(!name(session.error()).empty(), "a refusal has its reason");
    return;
  }
  require(equal(session->serialize(), bytes), "whatever parses serializes to the same bytes");
  require(session->clone().serialize() == session->serialize(), "a copy is a copy");
  require(!session->usable(session->issued_at - kMaxClockSkew - std::chrono::seconds(1)),
          "no session comes from the future");
}

void ticket(Bytes bytes) {
  static const Provider provider = fake::provider();
  fake::FakeRandom random(3);
  const auto keys = TicketKeys::dangerous().allow_insecure_provider(provider, TicketKey::generate(random).value());
  std::vector<std::uint8_t> opened(TicketKeys::opened_size(bytes.size()));
  require(!keys->open(bytes, opened), "nobody else makes tickets");
  // Ours opens, and not when a bit of it is another.
  std::vector<std::uint8_t> sealed(TicketKeys::sealed_size(bytes.size()));
  require(keys->seal(bytes, random, sealed) == sealed.size(), "a session can be sealed");
  std::vector<std::uint8_t> back(bytes.size());
  const auto whole = keys->open(sealed, back);
  require(whole && whole->size == bytes.size() && !whole->renew && equal(back, bytes), "what was sealed opens");
  sealed[bytes.size() % sealed.size()] ^= 1;
  require(!keys->open(sealed, back), "what was altered does not open");
}

// Numbers of the messages, below: this one and the next have forms, at most so many.
constexpr std::size_t kKeyExchanges = 19;
constexpr std::size_t kForms = 7;

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzzing::Choices choices({data, size});
  const std::size_t which = choices.below(22);
  // What we offered decides which extensions an answer may have.
  ExtensionSet offered;
  if (choices.flag()) {
    for (const ExtensionRow& row : kExtensionTable) offered.insert(row.type);
  }
  // Of a key exchange the suite says the form.
  const std::size_t form = which == kKeyExchanges || which == kKeyExchanges + 1 ? choices.below(kForms) : 0;
  const Bytes body = choices.rest();
  switch (which) {
    case 0:
      if (const auto hello = ClientHello::decode(body)) (void)check_tls13(*hello);
      round_trip(body, decoder<ClientHello>);
      break;
    case 1: round_trip(body, [&](Bytes bytes) { return ServerHello::decode(bytes, {.offered = offered}); }); break;
    case 2:
      round_trip(body, [&](Bytes bytes) { return HelloRetryRequest::decode(bytes, {.offered = offered}); });
      break;
    case 3:
      round_trip(body, [&](Bytes bytes) { return EncryptedExtensions::decode(bytes, {.offered = offered}); });
      break;
    case 4: round_trip(body, decoder<CertificateRequest>); break;
    case 5: round_trip(body, [&](Bytes bytes) { return Certificate::decode(bytes, {.offered = offered}); }); break;
    case 6: round_trip(body, decoder<CertificateVerify>); break;
    case 7: round_trip(body, [](Bytes bytes) { return Finished::decode(bytes, {.verify_data_length = 32}); }); break;
    case 8: round_trip(body, decoder<NewSessionTicket>); break;
    case 9: round_trip(body, decoder<KeyUpdate>); break;
    case 10:
      require(EndOfEarlyData::decode(body).has_value() == body.empty(), "EndOfEarlyData is empty, and nothing else");
      break;
    case 11: session(body); break;
    case 12: ticket(body); break;
    // TLS 1.2
    case 13: round_trip(body, decoder<Certificate12>); break;
    case 14: round_trip(body, decoder<CertificateStatus>); break;
    case 15: round_trip(body, decoder<CertificateRequest12>); break;
    case 16: round_trip(body, decoder<NewSessionTicket12>); break;
    case 17: round_trip(body, [](Bytes bytes) { return Finished::decode(bytes, {.verify_data_length = 12}); }); break;
    case 18:
      require(ServerHelloDone::decode(body).has_value() == body.empty(), "ServerHelloDone is empty, and nothing else");
      require(HelloRequest::decode(body).has_value() == body.empty(), "HelloRequest is empty, and nothing else");
      break;
    case 19: server_key_exchange(form, body); break;
    case 20: client_key_exchange(form, body); break;
    default: round_trip(body, decoder<CompressedCertificate>); break;
  }
  return 0;
}
