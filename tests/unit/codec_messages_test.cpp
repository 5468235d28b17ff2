// The messages after the hellos, read and written.

#include <array>

#include "codec/certificate.hpp"
#include "codec/certificate_request.hpp"
#include "codec/certificate_verify.hpp"
#include "codec/encrypted_extensions.hpp"
#include "codec/end_of_early_data.hpp"
#include "codec/finished.hpp"
#include "codec/key_update.hpp"
#include "codec/new_session_ticket.hpp"
#include "unit/codec_fixture.hpp"

namespace lockstep::codec {
namespace {

using enum ExtensionType;

std::uint16_t number(ExtensionType type) { return std::to_underlying(type); }

// --- EncryptedExtensions ---

const ExtensionSet kOffered{server_name,        supported_groups, application_layer_protocol_negotiation,
                            record_size_limit,  early_data,       key_share,
                            max_fragment_length};

Decoded<EncryptedExtensions> decode_ee(Bytes body) { return EncryptedExtensions::decode(body, {.offered = kOffered}); }

TEST(EncryptedExtensions, OfRfc8448IsRead) {
  const auto message = decode_ee(body_of(kRfc8448EncryptedExtensions, HandshakeType::encrypted_extensions));
  ASSERT_TRUE(message.has_value()) << to_text(message.error());
  EXPECT_TRUE(message->server_name);
  EXPECT_EQ(message->supported_groups->size(), 9U);
  EXPECT_EQ(message->record_size_limit, 0x4001);
  EXPECT_FALSE(message->early_data);
  EXPECT_FALSE(message->application_layer_protocol_negotiation.has_value());

  const auto groups = all_of(*message->supported_groups);
  Buffer room(64);
  Writer writer(room);
  EXPECT_TRUE(equal(encode_encrypted_extensions(
                        writer, {.server_name = true, .supported_groups = groups, .record_size_limit = 0x4001}),
                    kRfc8448EncryptedExtensions));
}

TEST(EncryptedExtensions, IsReadBack) {
  const std::array groups{NamedGroup::x25519mlkem768, NamedGroup::x25519};
  Buffer room(256);
  Writer writer(room);
  const Bytes message = encode_encrypted_extensions(writer, {.server_name = true,
                                                             .supported_groups = groups,
                                                             .application_layer_protocol_negotiation = as_bytes("h2"),
                                                             .record_size_limit = 0x4001,
                                                             .early_data = true});
  const Bytes body = body_of(message, HandshakeType::encrypted_extensions);
  const auto decoded = decode_ee(body);
  ASSERT_TRUE(decoded.has_value()) << to_text(decoded.error());
  EXPECT_TRUE(decoded->server_name);
  EXPECT_TRUE(std::ranges::equal(all_of(*decoded->supported_groups), groups));
  EXPECT_EQ(as_text(*decoded->application_layer_protocol_negotiation), "h2");
  EXPECT_EQ(decoded->record_size_limit, 0x4001);
  EXPECT_TRUE(decoded->early_data);
  expect_exact_length(body, decode_ee);
  expect_survives_changes(body, decode_ee,
                          [](const EncryptedExtensions& changed) { EXPECT_LE(changed.extensions.size(), 6U); });

  Writer plain(room);
  const Bytes empty = encode_encrypted_extensions(plain, {});
  EXPECT_TRUE(equal(empty, hex("08 000002 0000")));
  EXPECT_TRUE(decode_ee(body_of(empty, HandshakeType::encrypted_extensions)).has_value());
  Buffer small(5);
  Writer tight(small);
  EXPECT_TRUE(encode_encrypted_extensions(tight, {}).empty());
}

TEST(EncryptedExtensions, RefusesBadExtensions) {
  const auto refuse = [](const Buffer& extensions, Reason reason, Alert alert, ExtensionType type) {
    expect_error(decode_ee(vector16(extensions)), reason, alert, Place::encrypted_extensions, number(type));
  };
  refuse(extension(server_name, hex("00")), Reason::server_name_malformed, Alert::decode_error, server_name);
  refuse(extension(early_data, hex("00")), Reason::extension_malformed, Alert::decode_error, early_data);
  refuse(extension(supported_groups, hex("0000")), Reason::extension_malformed, Alert::decode_error, supported_groups);
  refuse(extension(max_fragment_length, hex("00")), Reason::enum_value, Alert::illegal_parameter, max_fragment_length);
  refuse(extension(record_size_limit, hex("0001")), Reason::record_size_limit, Alert::illegal_parameter,
         record_size_limit);
  refuse(extension(key_share, hex("001d 0001 aa")), Reason::extension_forbidden, Alert::illegal_parameter, key_share);
  refuse(extension(use_srtp), Reason::extension_unsolicited, Alert::unsupported_extension, use_srtp);
  refuse(join({extension(server_name), extension(server_name)}), Reason::extension_duplicate, Alert::illegal_parameter,
         server_name);
  for (const Buffer& bad :
       {Buffer{}, vector16({}), vector16(hex("00")), vector16(join({vector8(text("h2")), vector8(text("h3"))}))}) {
    refuse(extension(application_layer_protocol_negotiation, bad), Reason::alpn_malformed, Alert::decode_error,
           application_layer_protocol_negotiation);
  }
}

// --- CertificateRequest ---

TEST(CertificateRequest, IsReadBack) {
  const std::array schemes{SignatureScheme::ed25519, SignatureScheme::ecdsa_secp256r1_sha256};
  const std::array schemes_cert{SignatureScheme::rsa_pkcs1_sha256};
  const Buffer first = hex("3000");
  const Buffer second = hex("30023000");
  const std::array<Bytes, 2> authorities{first, second};
  const Buffer context = text("context");
  Buffer room(256);
  Writer writer(room);
  const Bytes message = encode_certificate_request(writer, {.certificate_request_context = context,
                                                            .signature_algorithms = schemes,
                                                            .signature_algorithms_cert = schemes_cert,
                                                            .certificate_authorities = authorities,
                                                            .status_request = true,
                                                            .signed_certificate_timestamp = true});
  const Bytes body = body_of(message, HandshakeType::certificate_request);
  const auto decoded = CertificateRequest::decode(body);
  ASSERT_TRUE(decoded.has_value()) << to_text(decoded.error());
  EXPECT_TRUE(equal(decoded->certificate_request_context, context));
  EXPECT_TRUE(std::ranges::equal(all_of(decoded->signature_algorithms), schemes));
  EXPECT_TRUE(std::ranges::equal(all_of(*decoded->signature_algorithms_cert), schemes_cert));
  ASSERT_EQ(decoded->certificate_authorities->size(), 2U);
  EXPECT_TRUE(equal(*decoded->certificate_authorities->begin(), first));
  EXPECT_EQ(decoded->offered(), (ExtensionSet{signature_algorithms, signature_algorithms_cert, certificate_authorities,
                                              status_request, signed_certificate_timestamp}));
  EXPECT_TRUE(decoded->status_request);
  EXPECT_TRUE(decoded->signed_certificate_timestamp);
  expect_exact_length(body, decoder<CertificateRequest>);
  expect_survives_changes(body, decoder<CertificateRequest>, [](const CertificateRequest& changed) {
    if (changed.certificate_authorities) {
      EXPECT_LE(changed.certificate_authorities->size(), 4U);
    }
  });
}

Buffer request_with(const Buffer& extensions) {
  return join({hex("00"), vector16(join({extension(signature_algorithms, hex("0002 0807")), extensions}))});
}

TEST(CertificateRequest, KnowsItsOtherExtensions) {
  const Buffer body = request_with(
      join({extension(status_request), extension(signed_certificate_timestamp),
            extension(compress_certificate, hex("02 0002")),
            extension(oid_filters, vector16(hex("02 5504 0001 aa 01 06 0000"))), extension(0x0a0a, hex("00"))}));
  const auto decoded = CertificateRequest::decode(body);
  ASSERT_TRUE(decoded.has_value()) << to_text(decoded.error());
  EXPECT_TRUE(decoded->status_request);
  EXPECT_TRUE(decoded->signed_certificate_timestamp);
  EXPECT_TRUE(decoded->compress_certificate->contains(2));
  const auto filters = all_of(*decoded->oid_filters);
  ASSERT_EQ(filters.size(), 2U);
  EXPECT_TRUE(equal(filters[0].certificate_extension_oid, hex("5504")));
  EXPECT_TRUE(equal(filters[0].certificate_extension_values, hex("aa")));
  EXPECT_TRUE(equal(filters[1].certificate_extension_oid, hex("06")));
  EXPECT_TRUE(filters[1].certificate_extension_values.empty());
}

TEST(CertificateRequest, RefusesBadExtensions) {
  constexpr Place kPlace = Place::certificate_request;
  expect_error(CertificateRequest::decode(hex("00 0000")), Reason::extension_missing, Alert::missing_extension, kPlace,
               number(signature_algorithms));
  expect_error(CertificateRequest::decode(request_with(extension(key_share))), Reason::extension_forbidden,
               Alert::illegal_parameter, kPlace, number(key_share));
  expect_error(CertificateRequest::decode(request_with(extension(signature_algorithms, hex("0002 0807")))),
               Reason::extension_duplicate, Alert::illegal_parameter, kPlace, number(signature_algorithms));
  for (const Buffer& bad : {Buffer{}, vector16(hex("00 0000")), vector16(hex("02 5504 0001"))}) {
    expect_error(CertificateRequest::decode(request_with(extension(oid_filters, bad))), Reason::extension_malformed,
                 Alert::decode_error, kPlace, number(oid_filters));
  }
  expect_error(CertificateRequest::decode(request_with(extension(certificate_authorities, hex("0000")))),
               Reason::extension_malformed, Alert::decode_error, kPlace, number(certificate_authorities));
}

TEST(CertificateRequest, HasABoundedListOfAuthorities) {
  const auto request_of = [](std::size_t count) {
    Buffer names;
    for (std::size_t i = 0; i < count; ++i) names = join({names, vector16(hex("30"))});
    return request_with(extension(certificate_authorities, vector16(names)));
  };
  const Buffer most = request_of(kMaxAuthorities);
  EXPECT_TRUE(CertificateRequest::decode(most).has_value());
  expect_error(CertificateRequest::decode(request_of(kMaxAuthorities + 1)), Reason::too_many_entries,
               Alert::illegal_parameter, Place::certificate_request, std::to_underlying(certificate_authorities));
}

TEST(CertificateRequest, HasABoundedListOfFilters) {
  const auto request_of = [](std::size_t count) {
    Buffer filters;
    for (std::size_t i = 0; i < count; ++i) filters = join({filters, hex("01 06 0000")});
    return request_with(extension(oid_filters, vector16(filters)));
  };
  const Buffer most = request_of(kMaxOidFilters);
  ASSERT_TRUE(CertificateRequest::decode(most).has_value());
  EXPECT_EQ(CertificateRequest::decode(most)->oid_filters->size(), kMaxOidFilters);
  EXPECT_TRUE(CertificateRequest::decode(request_of(0)).has_value());
  expect_error(CertificateRequest::decode(request_of(kMaxOidFilters + 1)), Reason::too_many_entries,
               Alert::illegal_parameter, Place::certificate_request, number(oid_filters));
}

// --- Certificate ---

const ExtensionSet kStapling{status_request, signed_certificate_timestamp};

Decoded<Certificate> decode_chain(Bytes body) { return Certificate::decode(body, {.offered = kStapling}); }

TEST(Certificate, IsReadBack) {
  const Buffer leaf(300, 0x30);
  const Buffer issuer(200, 0x31);
  const std::array<Bytes, 2> chain{leaf, issuer};
  const Buffer ocsp = text("response");
  const Buffer timestamps = vector16(vector16(text("sct")));
  const CertificateParameters parameters{.certificate_request_context = as_bytes("c"),
                                         .chain = chain,
                                         .ocsp_response = ocsp,
                                         .signed_certificate_timestamps = timestamps};
  Buffer room(1024);
  Writer writer(room);
  const Bytes message = encode_certificate(writer, parameters);
  EXPECT_EQ(message.size(), certificate_message_size(parameters));
  const Bytes body = body_of(message, HandshakeType::certificate);
  const auto decoded = decode_chain(body);
  ASSERT_TRUE(decoded.has_value()) << to_text(decoded.error());
  EXPECT_EQ(as_text(decoded->certificate_request_context), "c");
  const auto entries = all_of(decoded->certificate_list);
  ASSERT_EQ(entries.size(), 2U);
  EXPECT_TRUE(equal(entries[0].cert_data, leaf));
  EXPECT_TRUE(equal(*entries[0].ocsp_response(), ocsp));
  EXPECT_TRUE(equal(*entries[0].signed_certificate_timestamps(), timestamps));
  EXPECT_TRUE(equal(entries[1].cert_data, issuer));
  EXPECT_FALSE(entries[1].ocsp_response().has_value());
  EXPECT_FALSE(entries[1].signed_certificate_timestamps().has_value());
  expect_exact_length(body, decode_chain);
  expect_survives_changes(body, decode_chain, [](const Certificate& changed) {
    for (const CertificateEntry& entry : changed.certificate_list) EXPECT_FALSE(entry.cert_data.empty());
  });

  Buffer small(message.size() - 1);
  Writer tight(small);
  EXPECT_TRUE(encode_certificate(tight, parameters).empty());
}

TEST(Certificate, HasABoundedChain) {
  const auto chain_of = [](std::size_t count) {
    Buffer list;
    for (std::size_t i = 0; i < count; ++i) list = join({list, vector24(hex("30")), vector16({})});
    return join({hex("00"), vector24(list)});
  };
  EXPECT_TRUE(decode_chain(chain_of(kMaxCertificates)).has_value());
  expect_error(decode_chain(chain_of(kMaxCertificates + 1)), Reason::too_many_entries, Alert::illegal_parameter,
               Place::certificate);
}

TEST(Certificate, MayBeEmpty) {
  Buffer room(16);
  Writer writer(room);
  const Bytes message = encode_certificate(writer, {});
  EXPECT_TRUE(equal(message, hex("0b 000004 00 000000")));
  EXPECT_EQ(message.size(), certificate_message_size({}));
  const auto decoded = Certificate::decode(body_of(message, HandshakeType::certificate));
  ASSERT_TRUE(decoded.has_value());
  EXPECT_TRUE(decoded->certificate_list.empty());
}

Buffer chain_with(const Buffer& extensions) {
  return join({hex("00"), vector24(join({vector24(hex("3000")), vector16(extensions)}))});
}

TEST(Certificate, RefusesBadEntries) {
  constexpr Place kPlace = Place::certificate;
  const auto refuse = [](const Buffer& extensions, Reason reason, Alert alert, std::uint16_t detail) {
    expect_error(decode_chain(chain_with(extensions)), reason, alert, kPlace, detail);
  };
  ASSERT_TRUE(decode_chain(chain_with({})).has_value());
  expect_error(decode_chain(join({hex("00"), vector24(join({vector24({}), vector16({})}))})), Reason::vector_length,
               Alert::decode_error, kPlace);
  refuse(extension(server_name), Reason::extension_forbidden, Alert::illegal_parameter, number(server_name));
  refuse(extension(0x0a0a, {}), Reason::extension_unsolicited, Alert::unsupported_extension, 0x0a0a);
  refuse(extension(delegated_credential), Reason::extension_unsolicited, Alert::unsupported_extension,
         number(delegated_credential));
  const Buffer status = extension(status_request, hex("01 000001 aa"));
  EXPECT_TRUE(decode_chain(chain_with(status)).has_value());
  refuse(join({status, status}), Reason::extension_duplicate, Alert::illegal_parameter, number(status_request));
  refuse(extension(status_request, hex("02 000001 aa")), Reason::enum_value, Alert::illegal_parameter,
         number(status_request));
  for (const Buffer& bad : {Buffer{}, hex("01 000000"), hex("01 000002 aa"), hex("01 000001 aa 00")}) {
    refuse(extension(status_request, bad), Reason::extension_malformed, Alert::decode_error, number(status_request));
  }
  for (const Buffer& bad : {Buffer{}, hex("0000"), hex("0002 0000"), hex("0003 0002 aa")}) {
    refuse(extension(signed_certificate_timestamp, bad), Reason::extension_malformed, Alert::decode_error,
           number(signed_certificate_timestamp));
  }
}

// --- CertificateVerify, Finished ---

TEST(CertificateVerify, IsReadBack) {
  const Buffer signature(64, 0x66);
  Buffer room(128);
  Writer writer(room);
  const Bytes body = body_of(encode_certificate_verify(writer, {SignatureScheme::ed25519, signature}),
                             HandshakeType::certificate_verify);
  const auto decoded = CertificateVerify::decode(body);
  ASSERT_TRUE(decoded.has_value());
  EXPECT_EQ(decoded->algorithm, SignatureScheme::ed25519);
  EXPECT_TRUE(equal(decoded->signature, signature));
  expect_exact_length(body, decoder<CertificateVerify>);
  expect_error(CertificateVerify::decode(hex("0807 0002 aa")), Reason::message_truncated, Alert::decode_error,
               Place::certificate_verify);
}

TEST(Finished, IsReadBack) {
  const Buffer verify_data(48, 0x77);
  Buffer room(128);
  Writer writer(room);
  const Bytes body = body_of(encode_finished(writer, {verify_data}), HandshakeType::finished);
  const auto decode = [](Bytes bytes) { return Finished::decode(bytes, {.verify_data_length = 48}); };
  const auto decoded = decode(body);
  ASSERT_TRUE(decoded.has_value());
  EXPECT_TRUE(equal(decoded->verify_data, verify_data));
  expect_exact_length(body, decode);
  expect_error(Finished::decode(body, {.verify_data_length = 32}), Reason::message_trailing_data, Alert::decode_error,
               Place::finished);
  expect_error(Finished::decode(body, {.verify_data_length = 64}), Reason::message_truncated, Alert::decode_error,
               Place::finished);
}

// --- after the handshake ---

TEST(NewSessionTicket, IsReadBack) {
  const Buffer nonce = hex("0001");
  const Buffer ticket(100, 0x88);
  Buffer room(256);
  Writer writer(room);
  const Bytes message = encode_new_session_ticket(writer, {.ticket_lifetime = 604'800,
                                                           .ticket_age_add = 0x01020304,
                                                           .ticket_nonce = nonce,
                                                           .ticket = ticket,
                                                           .max_early_data_size = 16384});
  const Bytes body = body_of(message, HandshakeType::new_session_ticket);
  const auto decoded = NewSessionTicket::decode(body);
  ASSERT_TRUE(decoded.has_value()) << to_text(decoded.error());
  EXPECT_EQ(decoded->ticket_lifetime, 604800U);
  EXPECT_EQ(decoded->ticket_age_add, 0x01020304U);
  EXPECT_TRUE(equal(decoded->ticket_nonce, nonce));
  EXPECT_TRUE(equal(decoded->ticket, ticket));
  EXPECT_EQ(decoded->max_early_data_size, 16384U);
  expect_exact_length(body, decoder<NewSessionTicket>);
  expect_survives_changes(body, decoder<NewSessionTicket>,
                          [](const NewSessionTicket& changed) { EXPECT_FALSE(changed.ticket.empty()); });
}

TEST(NewSessionTicket, RefusesBadFields) {
  constexpr Place kPlace = Place::new_session_ticket;
  const auto with = [](const Buffer& ticket, const Buffer& extensions) {
    return join({hex("00000001 00000002 00"), vector16(ticket), vector16(extensions)});
  };
  const Buffer good = with(text("t"), extension(0x0a0a, {}));
  ASSERT_TRUE(NewSessionTicket::decode(good).has_value());
  expect_error(NewSessionTicket::decode(with({}, {})), Reason::vector_length, Alert::decode_error, kPlace);
  expect_error(NewSessionTicket::decode(with(text("t"), extension(early_data))), Reason::extension_malformed,
               Alert::decode_error, kPlace, number(early_data));
  expect_error(NewSessionTicket::decode(with(text("t"), extension(server_name))), Reason::extension_forbidden,
               Alert::illegal_parameter, kPlace, number(server_name));
  const Buffer early = extension(early_data, hex("00000000"));
  expect_error(NewSessionTicket::decode(with(text("t"), join({early, early}))), Reason::extension_duplicate,
               Alert::illegal_parameter, kPlace, number(early_data));
}

TEST(KeyUpdate, IsReadBack) {
  for (const auto request : {KeyUpdateRequest::update_not_requested, KeyUpdateRequest::update_requested}) {
    std::array<std::uint8_t, kKeyUpdateSize> room{};
    Writer writer(room);
    const Bytes body = body_of(encode_key_update(writer, {request}), HandshakeType::key_update);
    const auto decoded = KeyUpdate::decode(body);
    ASSERT_TRUE(decoded.has_value());
    EXPECT_EQ(decoded->request_update, request);
    expect_exact_length(body, decoder<KeyUpdate>);
  }
  expect_error(KeyUpdate::decode(hex("02")), Reason::key_update_malformed, Alert::illegal_parameter, Place::key_update);
  expect_error(KeyUpdate::decode(hex("")), Reason::message_truncated, Alert::decode_error, Place::key_update);
}

TEST(EndOfEarlyData, IsEmpty) {
  std::array<std::uint8_t, kHandshakeHeaderSize> room{};
  Writer writer(room);
  const Bytes message = encode_end_of_early_data(writer);
  EXPECT_TRUE(equal(message, hex("05 000000")));
  EXPECT_TRUE(EndOfEarlyData::decode({}).has_value());
  expect_error(EndOfEarlyData::decode(hex("00")), Reason::message_trailing_data, Alert::decode_error,
               Place::end_of_early_data);
}

}  // namespace
}  // namespace lockstep::codec
