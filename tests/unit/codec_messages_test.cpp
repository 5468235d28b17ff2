// The messages after the hellos, read and written.

#include <array>

#include "codec/certificate.hpp"
#include "codec/certificate12.hpp"
#include "codec/certificate_request.hpp"
#include "codec/certificate_request12.hpp"
#include "codec/certificate_status.hpp"
#include "codec/certificate_verify.hpp"
#include "codec/client_key_exchange.hpp"
#include "codec/compressed_certificate.hpp"
#include "codec/encrypted_extensions.hpp"
#include "codec/end_of_early_data.hpp"
#include "codec/finished.hpp"
#include "codec/hello_request.hpp"
#include "codec/key_update.hpp"
#include "codec/new_session_ticket.hpp"
#include "codec/new_session_ticket12.hpp"
#include "codec/server_hello_done.hpp"
#include "codec/server_key_exchange.hpp"
#include "unit/codec_fixture.hpp"

namespace lockstep::codec {
namespace {

using enum ExtensionType;

std::uint16_t number(ExtensionType type) { return std::to_underlying(type); }

// --- EncryptedExtensions ---

const ExtensionSet kOffered{server_name,         supported_groups, application_layer_protocol_negotiation,
                            record_size_limit,   early_data,       key_share,
                            max_fragment_length, ticket_request};

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
                                                             .early_data = true,
                                                             .expected_count = 4});
  const Bytes body = body_of(message, HandshakeType::encrypted_extensions);
  const auto decoded = decode_ee(body);
  ASSERT_TRUE(decoded.has_value()) << to_text(decoded.error());
  EXPECT_TRUE(decoded->server_name);
  EXPECT_TRUE(std::ranges::equal(all_of(*decoded->supported_groups), groups));
  EXPECT_EQ(as_text(*decoded->application_layer_protocol_negotiation), "h2");
  EXPECT_EQ(decoded->record_size_limit, 0x4001);
  EXPECT_TRUE(decoded->early_data);
  EXPECT_EQ(decoded->expected_count, 4);
  expect_exact_length(body, decode_ee);
  expect_survives_changes(body, decode_ee,
                          [](const EncryptedExtensions& changed) { EXPECT_LE(changed.extensions.size(), 7U); });

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
  for (const Buffer& bad : {Buffer{}, hex("0201")})
    refuse(extension(ticket_request, bad), Reason::extension_malformed, Alert::decode_error, ticket_request);
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

TEST(CertificateRequest, TellsWhatDecompressesAndMayGrease) {
  const std::array schemes{SignatureScheme::ed25519};
  const std::array algorithms{CertificateCompressionAlgorithm::brotli, CertificateCompressionAlgorithm::zlib};
  Buffer room(64);
  Writer writer(room);
  const Bytes message = encode_certificate_request(
      writer, {.signature_algorithms = schemes, .compress_certificate = algorithms, .grease_extension = 0x3a3a});
  EXPECT_TRUE(equal(message, hex("0d 000018 00 0015 3a3a 0000 000d 0004 0002 0807 001b 0005 04 0002 0001")));
  const auto decoded = CertificateRequest::decode(body_of(message, HandshakeType::certificate_request));
  ASSERT_TRUE(decoded.has_value());
  EXPECT_TRUE(std::ranges::equal(all_of(*decoded->compress_certificate), algorithms));
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
  EXPECT_TRUE(decoded->compress_certificate->contains(CertificateCompressionAlgorithm::brotli));
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

// --- CompressedCertificate ---

TEST(CompressedCertificate, IsReadBack) {
  const Buffer compressed(300, 0x78);
  Buffer room(400);
  Writer writer(room);
  const Bytes message = encode_compressed_certificate(writer, {.algorithm = CertificateCompressionAlgorithm::zstd,
                                                               .uncompressed_length = 0x012345,
                                                               .compressed_certificate_message = compressed});
  EXPECT_EQ(message.size(), kHandshakeHeaderSize + kCompressedCertificateAdds + compressed.size());
  EXPECT_TRUE(equal(message.first(12), hex("19 000134 0003 012345 00012c")));
  const Bytes body = body_of(message, HandshakeType::compressed_certificate);
  const auto decoded = CompressedCertificate::decode(body);
  ASSERT_TRUE(decoded.has_value()) << to_text(decoded.error());
  EXPECT_EQ(decoded->algorithm, CertificateCompressionAlgorithm::zstd);
  EXPECT_EQ(decoded->uncompressed_length, 0x012345U);
  EXPECT_TRUE(equal(decoded->compressed_certificate_message, compressed));
  expect_exact_length(body, decoder<CompressedCertificate>);
  expect_error(CompressedCertificate::decode(hex("0001 000001 000000")), Reason::vector_length, Alert::decode_error,
               Place::compressed_certificate);
  Buffer small(message.size() - 1);
  Writer tight(small);
  EXPECT_TRUE(encode_compressed_certificate(tight, *decoded).empty());
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
                                                           .max_early_data_size = 16384,
                                                           .grease_extension = 0x6a6a});
  const Bytes body = body_of(message, HandshakeType::new_session_ticket);
  const auto decoded = NewSessionTicket::decode(body);
  ASSERT_TRUE(decoded.has_value()) << to_text(decoded.error());
  EXPECT_EQ(decoded->ticket_lifetime, 604800U);
  EXPECT_EQ(decoded->ticket_age_add, 0x01020304U);
  EXPECT_TRUE(equal(decoded->ticket_nonce, nonce));
  EXPECT_TRUE(equal(decoded->ticket, ticket));
  EXPECT_EQ(decoded->max_early_data_size, 16384U);
  EXPECT_TRUE(decoded->extensions.contains(static_cast<ExtensionType>(0x6a6a)));
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

// --- TLS 1.2: certificates ---

TEST(Certificate12, IsReadBack) {
  const Buffer leaf(300, 0x30);
  const Buffer issuer(200, 0x31);
  const std::array<Bytes, 2> chain{leaf, issuer};
  Buffer room(1024);
  Writer writer(room);
  const Bytes message = encode_certificate12(writer, {chain});
  EXPECT_EQ(message.size(), certificate12_message_size({chain}));
  const Bytes body = body_of(message, HandshakeType::certificate);
  const auto decoded = Certificate12::decode(body);
  ASSERT_TRUE(decoded.has_value()) << to_text(decoded.error());
  const auto certificates = all_of(decoded->certificate_list);
  ASSERT_EQ(certificates.size(), 2U);
  EXPECT_TRUE(equal(certificates[0], leaf));
  EXPECT_TRUE(equal(certificates[1], issuer));
  expect_exact_length(body, decoder<Certificate12>);
  expect_survives_changes(body, decoder<Certificate12>, [](const Certificate12& changed) {
    for (const Bytes certificate : changed.certificate_list) EXPECT_FALSE(certificate.empty());
  });

  Buffer small(message.size() - 1);
  Writer tight(small);
  EXPECT_TRUE(encode_certificate12(tight, {chain}).empty());
}

TEST(Certificate12, MayBeEmpty) {
  Buffer room(16);
  Writer writer(room);
  const Bytes message = encode_certificate12(writer, {});
  EXPECT_TRUE(equal(message, hex("0b 000003 000000")));
  EXPECT_EQ(message.size(), certificate12_message_size({}));
  const auto decoded = Certificate12::decode(body_of(message, HandshakeType::certificate));
  ASSERT_TRUE(decoded.has_value());
  EXPECT_TRUE(decoded->certificate_list.empty());
}

TEST(Certificate12, RefusesBadLists) {
  constexpr Place kPlace = Place::certificate;
  const auto chain_of = [](std::size_t count) {
    Buffer list;
    for (std::size_t i = 0; i < count; ++i) list = join({list, vector24(hex("30"))});
    return vector24(list);
  };
  const Buffer most = chain_of(kMaxCertificates);
  EXPECT_TRUE(Certificate12::decode(most).has_value());
  expect_error(Certificate12::decode(chain_of(kMaxCertificates + 1)), Reason::too_many_entries,
               Alert::illegal_parameter, kPlace);
  expect_error(Certificate12::decode(vector24(vector24({}))), Reason::vector_length, Alert::decode_error, kPlace);
  expect_error(Certificate12::decode(vector24(hex("000002 30"))), Reason::message_truncated, Alert::decode_error,
               kPlace);
  // TLS 1.3's has a context in front.
  expect_error(Certificate12::decode(hex("00 000006 000001 30 0000")), Reason::message_trailing_data,
               Alert::decode_error, kPlace);
}

TEST(CertificateStatus, IsReadBack) {
  const Buffer response(100, 0x30);
  Buffer room(128);
  Writer writer(room);
  const Bytes message = encode_certificate_status(writer, {response});
  const Bytes body = body_of(message, HandshakeType::certificate_status);
  const auto decoded = CertificateStatus::decode(body);
  ASSERT_TRUE(decoded.has_value()) << to_text(decoded.error());
  EXPECT_TRUE(equal(decoded->ocsp_response, response));
  expect_exact_length(body, decoder<CertificateStatus>);
  expect_survives_changes(body, decoder<CertificateStatus>,
                          [](const CertificateStatus& changed) { EXPECT_FALSE(changed.ocsp_response.empty()); });
  Buffer small(message.size() - 1);
  Writer tight(small);
  EXPECT_TRUE(encode_certificate_status(tight, {response}).empty());
}

TEST(CertificateStatus, RefusesBadFields) {
  constexpr Place kPlace = Place::certificate_status;
  // ocsp_multi (RFC 6961) is never asked for.
  expect_error(CertificateStatus::decode(hex("02 000001 30")), Reason::enum_value, Alert::illegal_parameter, kPlace);
  expect_error(CertificateStatus::decode(hex("01 000000")), Reason::vector_length, Alert::decode_error, kPlace);
  expect_error(CertificateStatus::decode({}), Reason::message_truncated, Alert::decode_error, kPlace);
}

TEST(CertificateRequest12, IsReadBack) {
  const std::array types{ClientCertificateType::ecdsa_sign, ClientCertificateType::rsa_sign};
  const std::array schemes{SignatureScheme::ecdsa_secp256r1_sha256, SignatureScheme::rsa_pkcs1_sha256};
  const Buffer first = hex("3000");
  const Buffer second = hex("30023000");
  const std::array<Bytes, 2> authorities{first, second};
  Buffer room(256);
  Writer writer(room);
  const CertificateRequest12Parameters parameters{types, schemes, authorities};
  const Bytes message = encode_certificate_request12(writer, parameters);
  EXPECT_TRUE(equal(message, hex("0d 000015 02 40 01 0004 0403 0401 000a 0002 3000 0004 30023000")));
  const Bytes body = body_of(message, HandshakeType::certificate_request);
  const auto decoded = CertificateRequest12::decode(body);
  ASSERT_TRUE(decoded.has_value()) << to_text(decoded.error());
  EXPECT_TRUE(std::ranges::equal(all_of(decoded->certificate_types), types));
  EXPECT_TRUE(std::ranges::equal(all_of(decoded->supported_signature_algorithms), schemes));
  const auto names = all_of(decoded->certificate_authorities);
  ASSERT_EQ(names.size(), 2U);
  EXPECT_TRUE(equal(names[0], first));
  EXPECT_TRUE(equal(names[1], second));
  expect_exact_length(body, decoder<CertificateRequest12>);
  expect_survives_changes(body, decoder<CertificateRequest12>, [](const CertificateRequest12& changed) {
    EXPECT_FALSE(changed.certificate_types.empty());
    EXPECT_FALSE(changed.supported_signature_algorithms.empty());
    EXPECT_LE(changed.certificate_authorities.size(), 4U);
  });
  Buffer small(message.size() - 1);
  Writer tight(small);
  EXPECT_TRUE(encode_certificate_request12(tight, parameters).empty());

  // Of any authority.
  const Buffer any = hex("01 01 0002 0401 0000");
  ASSERT_TRUE(CertificateRequest12::decode(any).has_value());
  EXPECT_TRUE(CertificateRequest12::decode(any)->certificate_authorities.empty());
  Writer again(room);
  EXPECT_TRUE(equal(body_of(encode_certificate_request12(again, {std::array{ClientCertificateType::rsa_sign},
                                                                 std::array{SignatureScheme::rsa_pkcs1_sha256}}),
                            HandshakeType::certificate_request),
                    any));
}

TEST(CertificateRequest12, RefusesBadLists) {
  const auto refuse = [](const Buffer& body, Reason reason, Alert alert) {
    expect_error(CertificateRequest12::decode(body), reason, alert, Place::certificate_request);
  };
  refuse(hex("00 0002 0401 0000"), Reason::vector_length, Alert::decode_error);
  refuse(hex("01 01 0000 0000"), Reason::vector_length, Alert::decode_error);
  refuse(hex("01 01 0003 040104 0000"), Reason::vector_length, Alert::decode_error);
  refuse(hex("01 01 0002 0401 0002 0000"), Reason::vector_length, Alert::decode_error);
  refuse(hex("01 01 0002 0401 0003 0002 30"), Reason::message_truncated, Alert::decode_error);
  refuse(join({hex("01 01"), vector16(Buffer(2 * (kMaxCodePoints + 1))), hex("0000")}), Reason::too_many_entries,
         Alert::illegal_parameter);
  Buffer names;
  for (std::size_t i = 0; i < kMaxAuthorities; ++i) names = join({names, vector16(hex("30"))});
  const Buffer most = join({hex("01 01 0002 0401"), vector16(names)});
  EXPECT_TRUE(CertificateRequest12::decode(most).has_value());
  refuse(join({hex("01 01 0002 0401"), vector16(join({names, vector16(hex("30"))}))}), Reason::too_many_entries,
         Alert::illegal_parameter);
}

// --- TLS 1.2: key exchange ---

constexpr Place kServerKeyExchange = Place::server_key_exchange;
const Buffer kPoint(32, 0x44);
const Buffer kSignature(64, 0x66);
const Buffer kHint = text("hint");
const Buffer kPrime = hex("00ffffff61");
const Buffer kGenerator = hex("02");
const Buffer kPublicValue = hex("01020304");

Buffer ecdh_params() {
  Buffer room(64);
  Writer writer(room);
  write_ecdh_params(writer, NamedGroup::x25519, kPoint);
  room.resize(writer.size());
  return room;
}

Buffer dh_params() {
  Buffer room(64);
  Writer writer(room);
  write_dh_params(writer, kPrime, kGenerator, kPublicValue);
  room.resize(writer.size());
  return room;
}

/// The body of a ServerKeyExchange that was written, decoded as the raw message that it is first.
Buffer server_key_exchange(const std::optional<Bytes>& hint, const Buffer& params, bool with_signature) {
  std::optional<DigitallySigned> signature;
  if (with_signature) signature = DigitallySigned{SignatureScheme::ed25519, kSignature};
  Buffer room(256);
  Writer writer(room);
  const Bytes message = encode_server_key_exchange(writer, hint, params, signature);
  const auto decoded = ServerKeyExchange::decode(body_of(message, HandshakeType::server_key_exchange));
  EXPECT_TRUE(decoded.has_value());
  Buffer small(message.size() - 1);
  Writer tight(small);
  EXPECT_TRUE(encode_server_key_exchange(tight, hint, params, signature).empty());
  return {decoded->body.begin(), decoded->body.end()};
}

void expect_ecdh_params(const ServerEcdhParams& params) {
  EXPECT_EQ(params.group, NamedGroup::x25519);
  EXPECT_TRUE(equal(params.point, kPoint));
  EXPECT_TRUE(equal(params.raw, ecdh_params()));
}

void expect_dh_params(const ServerDhParams& params) {
  EXPECT_TRUE(equal(params.dh_p, kPrime));
  EXPECT_TRUE(equal(params.dh_g, kGenerator));
  EXPECT_TRUE(equal(params.dh_Ys, kPublicValue));
  EXPECT_TRUE(equal(params.raw, dh_params()));
}

void expect_signature(const DigitallySigned& signature) {
  EXPECT_EQ(signature.algorithm, SignatureScheme::ed25519);
  EXPECT_TRUE(equal(signature.signature, kSignature));
}

TEST(ServerKeyExchange, OfSignedEcdheIsReadBack) {
  const Buffer body = server_key_exchange(std::nullopt, ecdh_params(), true);
  EXPECT_TRUE(equal(body, join({hex("03 001d"), vector8(kPoint), hex("0807"), vector16(kSignature)})));
  const auto decoded = decode_signed_ecdhe(body);
  ASSERT_TRUE(decoded.has_value()) << to_text(decoded.error());
  expect_ecdh_params(decoded->params);
  expect_signature(decoded->signature);
  expect_exact_length(body, decode_signed_ecdhe);
  expect_survives_changes(body, decode_signed_ecdhe, [](const SignedEcdhe& changed) {
    EXPECT_EQ(changed.params.raw.size(), 1 + 2 + 1 + changed.params.point.size());
  });
}

TEST(ServerKeyExchange, OfSignedDheIsReadBack) {
  const Buffer body = server_key_exchange(std::nullopt, dh_params(), true);
  EXPECT_TRUE(equal(
      body, join({vector16(kPrime), vector16(kGenerator), vector16(kPublicValue), hex("0807"), vector16(kSignature)})));
  const auto decoded = decode_signed_dhe(body);
  ASSERT_TRUE(decoded.has_value()) << to_text(decoded.error());
  expect_dh_params(decoded->params);
  expect_signature(decoded->signature);
  expect_exact_length(body, decode_signed_dhe);
  expect_survives_changes(body, decode_signed_dhe, [](const SignedDhe& changed) {
    EXPECT_EQ(changed.params.raw.size(),
              3 * 2 + changed.params.dh_p.size() + changed.params.dh_g.size() + changed.params.dh_Ys.size());
  });
}

TEST(ServerKeyExchange, OfPskIsReadBack) {
  const Buffer body = server_key_exchange(kHint, {}, false);
  EXPECT_TRUE(equal(body, vector16(kHint)));
  const auto decoded = decode_psk_hint(body);
  ASSERT_TRUE(decoded.has_value()) << to_text(decoded.error());
  EXPECT_TRUE(equal(*decoded, kHint));
  expect_exact_length(body, decode_psk_hint);
  const Buffer empty = server_key_exchange(Bytes(), {}, false);
  ASSERT_TRUE(decode_psk_hint(empty).has_value());
  EXPECT_TRUE(decode_psk_hint(empty)->empty());
}

TEST(ServerKeyExchange, OfPskDheIsReadBack) {
  const Buffer body = server_key_exchange(kHint, dh_params(), false);
  const auto decoded = decode_psk_dhe(body);
  ASSERT_TRUE(decoded.has_value()) << to_text(decoded.error());
  EXPECT_TRUE(equal(decoded->psk_identity_hint, kHint));
  expect_dh_params(decoded->params);
  expect_exact_length(body, decode_psk_dhe);
  expect_survives_changes(body, decode_psk_dhe, [&](const PskDhe& changed) {
    EXPECT_EQ(changed.params.raw.size() + 2 + changed.psk_identity_hint.size(), body.size());
  });
}

TEST(ServerKeyExchange, OfPskEcdheIsReadBack) {
  const Buffer body = server_key_exchange(kHint, ecdh_params(), false);
  const auto decoded = decode_psk_ecdhe(body);
  ASSERT_TRUE(decoded.has_value()) << to_text(decoded.error());
  EXPECT_TRUE(equal(decoded->psk_identity_hint, kHint));
  expect_ecdh_params(decoded->params);
  expect_exact_length(body, decode_psk_ecdhe);
  expect_survives_changes(body, decode_psk_ecdhe, [&](const PskEcdhe& changed) {
    EXPECT_EQ(changed.params.raw.size() + 2 + changed.psk_identity_hint.size(), body.size());
  });
}

TEST(ServerKeyExchange, RefusesCurvesThatHaveNoName) {
  for (const std::string_view curve_type : {"01", "02", "00", "04", "f8"}) {
    const Buffer params = join({hex(curve_type), hex("001d"), vector8(kPoint)});
    expect_error(decode_signed_ecdhe(join({params, hex("0807"), vector16(kSignature)})), Reason::curve_not_named,
                 Alert::illegal_parameter, kServerKeyExchange);
    expect_error(decode_psk_ecdhe(join({vector16(kHint), params})), Reason::curve_not_named, Alert::illegal_parameter,
                 kServerKeyExchange);
  }
}

TEST(ServerKeyExchange, RefusesEmptyParameters) {
  const Buffer signature = join({hex("0807"), vector16(kSignature)});
  const auto refuse = [](const auto& decoded) {
    expect_error(decoded, Reason::vector_length, Alert::decode_error, kServerKeyExchange);
  };
  refuse(decode_signed_ecdhe(join({hex("03 001d 00"), signature})));
  refuse(decode_psk_ecdhe(join({vector16(kHint), hex("03 001d 00")})));
  for (const std::string_view numbers : {"0000 0001 02 0001 03", "0001 07 0000 0001 03", "0001 07 0001 02 0000"}) {
    refuse(decode_signed_dhe(join({hex(numbers), signature})));
    refuse(decode_psk_dhe(join({vector16(kHint), hex(numbers)})));
  }
  // A signature may be of any length; that it is none is found out when it is verified.
  const Buffer without = join({ecdh_params(), hex("0807 0000")});
  ASSERT_TRUE(decode_signed_ecdhe(without).has_value());
  EXPECT_TRUE(decode_signed_ecdhe(without)->signature.signature.empty());
}

TEST(ServerKeyExchange, FitsItsLargestForms) {
  const Buffer longest(0xffff, 0xff);
  const Buffer numbers = join({vector16(longest), vector16(longest), vector16(longest)});
  const Buffer with_signature = join({numbers, hex("0807"), vector16(longest)});
  const Buffer with_hint = join({vector16(longest), numbers});
  EXPECT_TRUE(decode_signed_dhe(with_signature).has_value());
  EXPECT_TRUE(decode_psk_dhe(with_hint).has_value());
  EXPECT_LE(with_signature.size(), ServerKeyExchange::max_size);
  EXPECT_LE(with_hint.size(), ServerKeyExchange::max_size);
  const Buffer both = join({vector16(longest), vector16(longest)});
  EXPECT_TRUE(decode_psk_dh(both).has_value());
  EXPECT_EQ(both.size(), ClientKeyExchange::max_size);
}

using Form = ClientKeyExchangeParameters::Form;

/// The body of a ClientKeyExchange that was written, decoded as the raw message that it is first.
Buffer client_key_exchange(const ClientKeyExchangeParameters& parameters) {
  Buffer room(256);
  Writer writer(room);
  const Bytes message = encode_client_key_exchange(writer, parameters);
  const auto decoded = ClientKeyExchange::decode(body_of(message, HandshakeType::client_key_exchange));
  EXPECT_TRUE(decoded.has_value());
  Buffer small(message.size() - 1);
  Writer tight(small);
  EXPECT_TRUE(encode_client_key_exchange(tight, parameters).empty());
  return {decoded->body.begin(), decoded->body.end()};
}

TEST(ClientKeyExchange, IsReadBack) {
  struct Case {
    Form form;
    Decoded<Bytes> (&decode)(Bytes) noexcept;
    Buffer body;
  };
  for (const Case& test : {Case{Form::vector8, decode_ecdh_public, vector8(kPoint)},
                           Case{Form::vector16, decode_dh_public, vector16(kPoint)},
                           Case{Form::vector16, decode_encrypted_premaster, vector16(kPoint)}}) {
    const Buffer body = client_key_exchange({.exchange = kPoint, .form = test.form});
    EXPECT_TRUE(equal(body, test.body));
    const auto decoded = test.decode(body);
    ASSERT_TRUE(decoded.has_value()) << to_text(decoded.error());
    EXPECT_TRUE(equal(*decoded, kPoint));
    expect_exact_length(body, test.decode);
  }
}

TEST(ClientKeyExchange, OfPskIsReadBack) {
  const Buffer alone = client_key_exchange({.psk_identity = kHint});
  EXPECT_TRUE(equal(alone, vector16(kHint)));
  ASSERT_TRUE(decode_psk_identity(alone).has_value());
  EXPECT_TRUE(equal(*decode_psk_identity(alone), kHint));
  expect_exact_length(alone, decode_psk_identity);

  struct Case {
    Form form;
    Decoded<PskExchange> (&decode)(Bytes) noexcept;
    Buffer exchange;
  };
  for (const Case& test :
       {Case{Form::vector8, decode_psk_ecdh, vector8(kPoint)}, Case{Form::vector16, decode_psk_dh, vector16(kPoint)},
        Case{Form::vector16, decode_psk_rsa, vector16(kPoint)}}) {
    const Buffer body = client_key_exchange({.psk_identity = kHint, .exchange = kPoint, .form = test.form});
    EXPECT_TRUE(equal(body, join({vector16(kHint), test.exchange})));
    const auto decoded = test.decode(body);
    ASSERT_TRUE(decoded.has_value()) << to_text(decoded.error());
    EXPECT_TRUE(equal(decoded->psk_identity, kHint));
    EXPECT_TRUE(equal(decoded->exchange, kPoint));
    expect_exact_length(body, test.decode);
    expect_survives_changes(body, test.decode,
                            [&](const PskExchange& changed) { EXPECT_LE(changed.exchange.size(), body.size()); });
  }
}

TEST(ClientKeyExchange, RefusesEmptyPublicValues) {
  const auto refuse = [](const auto& decoded) {
    expect_error(decoded, Reason::vector_length, Alert::decode_error, Place::client_key_exchange);
  };
  refuse(decode_ecdh_public(hex("00")));
  refuse(decode_dh_public(hex("0000")));
  refuse(decode_psk_ecdh(hex("0001 69 00")));
  refuse(decode_psk_dh(hex("0001 69 0000")));
  // Of the other two the RFCs bound nothing.
  EXPECT_TRUE(decode_encrypted_premaster(hex("0000")).has_value());
  EXPECT_TRUE(decode_psk_identity(hex("0000")).has_value());
  EXPECT_TRUE(decode_psk_rsa(hex("0000 0000")).has_value());
  expect_error(decode_encrypted_premaster(hex("0002 aa")), Reason::message_truncated, Alert::decode_error,
               Place::client_key_exchange);
}

// --- TLS 1.2: the rest ---

TEST(Finished, OfTls12IsReadBack) {
  const Buffer verify_data(12, 0x77);
  Buffer room(32);
  Writer writer(room);
  const Bytes body = body_of(encode_finished(writer, {verify_data}), HandshakeType::finished);
  const auto decode = [](Bytes bytes) { return Finished::decode(bytes, {.verify_data_length = 12}); };
  ASSERT_TRUE(decode(body).has_value());
  EXPECT_TRUE(equal(decode(body)->verify_data, verify_data));
  expect_exact_length(body, decode);
}

TEST(ServerHelloDone, IsEmpty) {
  std::array<std::uint8_t, kHandshakeHeaderSize> room{};
  Writer writer(room);
  EXPECT_TRUE(equal(encode_server_hello_done(writer), hex("0e 000000")));
  EXPECT_TRUE(encode_server_hello_done(writer).empty());
  EXPECT_TRUE(ServerHelloDone::decode({}).has_value());
  expect_error(ServerHelloDone::decode(hex("00")), Reason::message_trailing_data, Alert::decode_error,
               Place::server_hello_done);
}

TEST(HelloRequest, IsEmpty) {
  std::array<std::uint8_t, kHandshakeHeaderSize> room{};
  Writer writer(room);
  EXPECT_TRUE(equal(encode_hello_request(writer), hex("00 000000")));
  EXPECT_TRUE(encode_hello_request(writer).empty());
  EXPECT_TRUE(HelloRequest::decode({}).has_value());
  expect_error(HelloRequest::decode(hex("00")), Reason::message_trailing_data, Alert::decode_error,
               Place::hello_request);
}

TEST(NewSessionTicket12, IsReadBack) {
  const Buffer ticket(100, 0x88);
  Buffer room(256);
  Writer writer(room);
  const Bytes message = encode_new_session_ticket12(writer, {.ticket_lifetime_hint = 7200, .ticket = ticket});
  const Bytes body = body_of(message, HandshakeType::new_session_ticket);
  const auto decoded = NewSessionTicket12::decode(body);
  ASSERT_TRUE(decoded.has_value()) << to_text(decoded.error());
  EXPECT_EQ(decoded->ticket_lifetime_hint, 7200U);
  EXPECT_TRUE(equal(decoded->ticket, ticket));
  expect_exact_length(body, decoder<NewSessionTicket12>);
  Buffer small(message.size() - 1);
  Writer tight(small);
  EXPECT_TRUE(encode_new_session_ticket12(tight, {.ticket_lifetime_hint = 7200, .ticket = ticket}).empty());

  Writer none(room);
  const Bytes without = encode_new_session_ticket12(none, {});
  EXPECT_TRUE(equal(without, hex("04 000006 00000000 0000")));
  ASSERT_TRUE(NewSessionTicket12::decode(body_of(without, HandshakeType::new_session_ticket)).has_value());
  expect_error(NewSessionTicket12::decode(hex("00001c20 0002 aa")), Reason::message_truncated, Alert::decode_error,
               Place::new_session_ticket);
  // TLS 1.3's is longer.
  expect_error(NewSessionTicket12::decode(hex("00001c20 00000000 00 0001 aa 0000")), Reason::message_trailing_data,
               Alert::decode_error, Place::new_session_ticket);
}

}  // namespace
}  // namespace lockstep::codec
