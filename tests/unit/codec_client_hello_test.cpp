// ClientHello, read and written.

#include <algorithm>
#include <array>
#include <set>

#include "codec/client_hello.hpp"
#include "unit/codec_fixture.hpp"

namespace lockstep::codec {
namespace {

constexpr Place kPlace = Place::client_hello;
const Buffer kRandom(kRandomSize, 0x11);

/// A body with these extensions; nothing: without an extension block.
Buffer body_with(std::optional<Buffer> extensions, const Buffer& suites = hex("1301"),
                 const Buffer& compression = hex("00"), const Buffer& session_id = {}) {
  return join({hex("0303"), kRandom, vector8(session_id), vector16(suites), vector8(compression),
               extensions ? vector16(*extensions) : Buffer{}});
}

/// The decoded hello is read after its body is gone otherwise.
struct Decoding {
  explicit Decoding(Buffer bytes) : body(std::move(bytes)), hello(ClientHello::decode(body)) {}
  Buffer body;
  Decoded<ClientHello> hello;
};

Decoding decode_with(ExtensionType type, const Buffer& data) { return Decoding(body_with(extension(type, data))); }

void expect_malformed(ExtensionType type, const Buffer& data, Reason reason = Reason::extension_malformed,
                      Alert alert = Alert::decode_error) {
  SCOPED_TRACE(to_text(type));
  expect_error(decode_with(type, data).hello, reason, alert, kPlace, std::to_underlying(type));
}

TEST(ClientHello, OfRfc8448IsRead) {
  const auto hello = ClientHello::decode(body_of(kRfc8448ClientHello, HandshakeType::client_hello));
  ASSERT_TRUE(hello.has_value()) << to_text(hello.error());
  EXPECT_EQ(hello->legacy_version, ProtocolVersion::tls_1_2);
  EXPECT_TRUE(equal(hello->random, hex("cb34ecb1e78163ba1c38c6dacb196a6dffa21a8d9912ec18a2ef6283024dece7")));
  EXPECT_TRUE(hello->legacy_session_id.empty());
  EXPECT_EQ(all_of(hello->cipher_suites),
            (std::vector{CipherSuite::tls_aes_128_gcm_sha256, CipherSuite::tls_chacha20_poly1305_sha256,
                         CipherSuite::tls_aes_256_gcm_sha384}));
  EXPECT_EQ(hello->server_name, "server");
  EXPECT_EQ(hello->renegotiation_info->size(), 0U);
  EXPECT_EQ(hello->supported_groups->size(), 9U);
  EXPECT_EQ(*hello->supported_groups->begin(), NamedGroup::x25519);
  EXPECT_EQ(hello->session_ticket->size(), 0U);
  ASSERT_EQ(hello->key_share->size(), 1U);
  EXPECT_EQ(hello->key_share->begin()->group, NamedGroup::x25519);
  EXPECT_TRUE(equal(hello->key_share->begin()->key_exchange,
                    hex("99381de560e4bd43d23d8e435a7dbafeb3c06e51c13cae4d5413691e529aaf2c")));
  EXPECT_EQ(all_of(*hello->supported_versions), std::vector{ProtocolVersion::tls_1_3});
  EXPECT_EQ(hello->signature_algorithms->size(), 15U);
  EXPECT_EQ(all_of(*hello->psk_key_exchange_modes), std::vector{PskKeyExchangeMode::psk_dhe_ke});
  EXPECT_EQ(hello->record_size_limit, 0x4001);
  EXPECT_FALSE(hello->pre_shared_key.has_value());
  EXPECT_FALSE(hello->application_layer_protocol_negotiation.has_value());
  EXPECT_EQ(hello->extensions.size(), 9U);
  EXPECT_TRUE(check_tls13(*hello).has_value());
}

TEST(ClientHello, IsReadToItsExactLength) {
  const Bytes body = body_of(kRfc8448ClientHello, HandshakeType::client_hello);
  // Without its extensions it is one of an older version.
  expect_exact_length(body, decoder<ClientHello>, {2 + 32 + 1 + 2 + 6 + 2});
}

TEST(ClientHello, SurvivesChanges) {
  const Bytes body = body_of(kRfc8448ClientHello, HandshakeType::client_hello);
  expect_survives_changes(body, decoder<ClientHello>, [](const ClientHello& hello) {
    if (hello.key_share) {
      EXPECT_LE(hello.key_share->size(), 10U);
    }
    if (hello.supported_groups) {
      EXPECT_FALSE(all_of(*hello.supported_groups).empty());
    }
    EXPECT_LE(hello.extensions.size(), 40U);
    static_cast<void>(check_tls13(hello));
  });
}

TEST(ClientHello, WithoutExtensionsIsOfAnOlderVersion) {
  const Decoding old(body_with(std::nullopt, hex("c02f 00ff 5600"), hex("01 00")));
  ASSERT_TRUE(old.hello.has_value());
  EXPECT_TRUE(old.hello->offers(ProtocolVersion::tls_1_2));
  EXPECT_TRUE(old.hello->offers(ProtocolVersion::tls_1_0));
  EXPECT_FALSE(old.hello->offers(ProtocolVersion::tls_1_3));
  EXPECT_TRUE(old.hello->offers(CipherSuite::fallback_scsv));
  EXPECT_TRUE(old.hello->offers(CipherSuite::empty_renegotiation_info_scsv));
  EXPECT_TRUE(old.hello->extensions.empty());
  EXPECT_TRUE(Decoding(body_with(Buffer{})).hello.has_value());
}

TEST(ClientHello, OffersVersionsUpToTheOneThatItStates) {
  using enum ProtocolVersion;
  const auto offers = [](ProtocolVersion stated) {
    Buffer body = body_with(std::nullopt);
    const Buffer number = u16(std::to_underlying(stated));
    std::ranges::copy(number, body.begin());
    const Decoding decoding(body);
    EXPECT_TRUE(decoding.hello.has_value());
    std::vector<ProtocolVersion> offered;
    for (const ProtocolVersion version : {ssl_3_0, tls_1_0, tls_1_1, tls_1_2, tls_1_3}) {
      if (decoding.hello->offers(version)) offered.push_back(version);
    }
    return offered;
  };
  EXPECT_EQ(offers(ProtocolVersion{0x0200}), (std::vector<ProtocolVersion>{}));
  EXPECT_EQ(offers(ssl_3_0), (std::vector{ssl_3_0}));
  EXPECT_EQ(offers(tls_1_1), (std::vector{ssl_3_0, tls_1_0, tls_1_1}));
  // TLS 1.3 is offered by its extension alone, and a version of a later day is none that is known here.
  for (const ProtocolVersion newer : {tls_1_2, tls_1_3, ProtocolVersion{0x0305}, ProtocolVersion{0x03ff}}) {
    EXPECT_EQ(offers(newer), (std::vector{ssl_3_0, tls_1_0, tls_1_1, tls_1_2}));
  }
}

TEST(ClientHello, HasBoundedLists) {
  const auto repeated = [](std::size_t count, const auto& entry) {
    Buffer list;
    for (std::size_t i = 0; i < count; ++i) list = join({list, entry(i)});
    return list;
  };
  const auto expect_bound = [&](ExtensionType type, std::size_t most, const auto& entry, const auto& enclose) {
    SCOPED_TRACE(to_text(type));
    EXPECT_TRUE(decode_with(type, enclose(repeated(most, entry))).hello.has_value());
    expect_error(decode_with(type, enclose(repeated(most + 1, entry))).hello, Reason::too_many_entries,
                 Alert::illegal_parameter, kPlace, std::to_underlying(type));
  };
  const auto code = [](std::size_t i) { return u16(static_cast<std::uint16_t>(i)); };
  using enum ExtensionType;
  expect_bound(supported_groups, kMaxCodePoints, code, vector16);
  expect_bound(signature_algorithms, kMaxCodePoints, code, vector16);
  expect_bound(signature_algorithms_cert, kMaxCodePoints, code, vector16);
  expect_bound(key_share, kMaxKeyShares, [&](std::size_t i) { return join({code(i), vector16(hex("aa"))}); }, vector16);
  expect_bound(
      application_layer_protocol_negotiation, kMaxProtocolNames, [](std::size_t) { return vector8(text("a")); },
      vector16);
  expect_bound(certificate_authorities, kMaxAuthorities, [](std::size_t) { return vector16(hex("30")); }, vector16);
  const auto binders = [&](std::size_t count) {
    return vector16(repeated(count, [](std::size_t) { return vector8(Buffer(32)); }));
  };
  const auto identity = [](std::size_t) { return join({vector16(hex("01")), Buffer(4)}); };
  EXPECT_TRUE(
      decode_with(pre_shared_key, join({vector16(repeated(kMaxPskIdentities, identity)), binders(kMaxPskIdentities)}))
          .hello.has_value());
  expect_malformed(pre_shared_key,
                   join({vector16(repeated(kMaxPskIdentities + 1, identity)), binders(kMaxPskIdentities + 1)}),
                   Reason::too_many_entries, Alert::illegal_parameter);

  const auto suites = [&](std::size_t count) {
    return body_with(Buffer{}, repeated(count, code), hex("00"), Buffer(32));
  };
  const Buffer most = suites(kMaxCodePoints);
  EXPECT_TRUE(ClientHello::decode(most).has_value());
  expect_error(ClientHello::decode(suites(kMaxCodePoints + 1)), Reason::too_many_entries, Alert::illegal_parameter,
               kPlace);
  const auto extensions = [&](std::size_t count) {
    return body_with(
        repeated(count, [](std::size_t i) { return extension(static_cast<std::uint16_t>(0x4200 + i), {}); }));
  };
  const Buffer longest = extensions(kMaxExtensions);
  EXPECT_TRUE(ClientHello::decode(longest).has_value());
  expect_error(ClientHello::decode(extensions(kMaxExtensions + 1)), Reason::too_many_entries, Alert::illegal_parameter,
               kPlace);
}

TEST(ClientHello, SupportedVersionsOverridesLegacyVersion) {
  const Decoding only13 = decode_with(ExtensionType::supported_versions, vector8(hex("1a1a 0304")));
  ASSERT_TRUE(only13.hello.has_value());
  EXPECT_TRUE(only13.hello->offers(ProtocolVersion::tls_1_3));
  EXPECT_FALSE(only13.hello->offers(ProtocolVersion::tls_1_2));

  // A legacy_version beyond TLS 1.2 offers no more than TLS 1.2.
  Buffer body = body_with(std::nullopt);
  body[1] = 0x05;
  const Decoding future(std::move(body));
  ASSERT_TRUE(future.hello.has_value());
  EXPECT_TRUE(future.hello->offers(ProtocolVersion::tls_1_2));
  EXPECT_FALSE(future.hello->offers(ProtocolVersion::tls_1_3));
}

TEST(ClientHello, ChecksItsVectors) {
  const auto refuse = [](Buffer body) {
    expect_error(ClientHello::decode(body), Reason::vector_length, Alert::decode_error, kPlace);
  };
  refuse(body_with(Buffer{}, {}));                                  // no suite
  refuse(body_with(Buffer{}, hex("130113")));                       // half a suite
  refuse(body_with(Buffer{}, hex("1301"), {}));                     // no compression method
  refuse(body_with(Buffer{}, hex("1301"), hex("00"), Buffer(33)));  // session id too long
  EXPECT_TRUE(ClientHello::decode(body_with(Buffer{}, hex("1301"), hex("00"), Buffer(32))).has_value());
}

TEST(ClientHello, MustOfferNullCompression) {
  expect_error(ClientHello::decode(body_with(Buffer{}, hex("1301"), hex("01"))), Reason::compression_method,
               Alert::illegal_parameter, kPlace);
}

TEST(ClientHello, RefusesDuplicatesAndForbiddenExtensions) {
  const Buffer twice = join({extension(0x0a0a, {}), extension(0x0a0a, {})});
  expect_error(ClientHello::decode(body_with(twice)), Reason::extension_duplicate, Alert::illegal_parameter, kPlace,
               0x0a0a);
  expect_error(decode_with(ExtensionType::oid_filters, vector16({})).hello, Reason::extension_forbidden,
               Alert::illegal_parameter, kPlace, std::to_underlying(ExtensionType::oid_filters));
}

TEST(ClientHello, IgnoresUnknownExtensionsAndGrease) {
  Buffer extensions;
  for (std::uint16_t i = 0; i < 16; ++i) {
    const Buffer one = extension(static_cast<std::uint16_t>(0x0a0a + 0x1010 * i), hex("00"));
    extensions.insert(extensions.end(), one.begin(), one.end());
  }
  const Decoding decoding(body_with(extensions, hex("2a2a 1301")));
  ASSERT_TRUE(decoding.hello.has_value());
  EXPECT_EQ(decoding.hello->extensions.size(), 16U);
}

TEST(ClientHello, ServerNameIsExactlyOneHostName) {
  const auto host = [](const Buffer& name, std::uint8_t type = 0) { return join({Buffer{type}, vector16(name)}); };
  const Decoding good = decode_with(ExtensionType::server_name, vector16(host(text("example.com"))));
  ASSERT_TRUE(good.hello.has_value());
  EXPECT_EQ(good.hello->server_name, "example.com");
  EXPECT_TRUE(decode_with(ExtensionType::server_name, vector16(host(Buffer(255, 'a')))).hello.has_value());

  for (const Buffer& bad :
       {Buffer{}, vector16({}), vector16(host({})), vector16(host(text("a"), 1)),
        vector16(join({host(text("a")), host(text("b"))})), vector16(host(hex("610062"))), vector16(host(text("a b"))),
        vector16(host(hex("c3a4"))), vector16(host(Buffer(256, 'a'))), join({vector16(host(text("a"))), hex("00")})}) {
    expect_malformed(ExtensionType::server_name, bad, Reason::server_name_malformed);
  }
}

TEST(ClientHello, ApplicationProtocolsAreNotEmpty) {
  const Decoding good = decode_with(ExtensionType::application_layer_protocol_negotiation,
                                    vector16(join({vector8(text("h2")), vector8(text("http/1.1"))})));
  ASSERT_TRUE(good.hello.has_value());
  EXPECT_EQ(good.hello->application_layer_protocol_negotiation->size(), 2U);
  for (const Buffer& bad :
       {Buffer{}, vector16({}), vector16(hex("00")), vector16(hex("016800")), vector16(hex("0568"))}) {
    expect_malformed(ExtensionType::application_layer_protocol_negotiation, bad, Reason::alpn_malformed);
  }
}

TEST(ClientHello, EveryExtensionChecksItsForm) {
  using enum ExtensionType;
  // A good one, and what must not pass for one.
  struct Case {
    ExtensionType type;
    Buffer good;
    std::vector<Buffer> bad;
  };
  const std::vector<Case> cases{
      {max_fragment_length, hex("01"), {{}, hex("0101")}},
      {status_request, hex("01 0000 0000"), {{}, hex("01 0000"), hex("01 0000 0000 00")}},
      {supported_groups, hex("0002 001d"), {{}, hex("0000"), hex("0003 001d00"), hex("0002 001d 00")}},
      {ec_point_formats, hex("01 00"), {{}, hex("00"), hex("01 00 00")}},
      {signature_algorithms, hex("0002 0804"), {{}, hex("0000"), hex("0001 08"), hex("0004 0804")}},
      {signature_algorithms_cert, hex("0002 0804"), {{}, hex("0000"), hex("0003 080408")}},
      {signed_certificate_timestamp, {}, {hex("00")}},
      {encrypt_then_mac, {}, {hex("00")}},
      {extended_main_secret, {}, {hex("00")}},
      {compress_certificate, hex("02 0002"), {{}, hex("00"), hex("01 00"), hex("02 0002 00")}},
      {record_size_limit, hex("4000"), {{}, hex("40"), hex("400000")}},
      {renegotiation_info, hex("00"), {{}, hex("01"), hex("0000")}},
      {supported_versions, hex("02 0304"), {{}, hex("00"), hex("01 03"), hex("03 030403")}},
      {cookie, hex("0001 aa"), {{}, hex("0000"), hex("0002 aa")}},
      {key_share, hex("0005 001d 0001 aa"), {{}, hex("0004 001d 0000"), hex("0005 001d 0002 aa"), hex("0000 00")}},
      {psk_key_exchange_modes, hex("01 01"), {{}, hex("00"), hex("02 01")}},
      {ticket_request, hex("02 01"), {{}, hex("02"), hex("02 01 00")}},
      {early_data, {}, {hex("00000000")}},
      {next_protocol_negotiation, {}, {hex("00")}},
      {post_handshake_auth, {}, {hex("00")}},
      {certificate_authorities, hex("0003 0001 30"), {{}, hex("0000"), hex("0002 0000"), hex("0003 0002 30")}},
      {pre_shared_key, {}, {{}}},
  };
  for (const Case& test : cases) {
    SCOPED_TRACE(to_text(test.type));
    if (test.type != pre_shared_key) {
      EXPECT_TRUE(decode_with(test.type, test.good).hello.has_value());
    }
    for (const Buffer& bad : test.bad) expect_malformed(test.type, bad);
  }
  expect_malformed(record_size_limit, hex("003f"), Reason::record_size_limit, Alert::illegal_parameter);
  expect_malformed(max_fragment_length, hex("05"), Reason::enum_value, Alert::illegal_parameter);
  // An empty list of shares asks for a HelloRetryRequest; a certificate status type of a later day is passed over.
  EXPECT_TRUE(decode_with(key_share, hex("0000")).hello.has_value());
  const Decoding later = decode_with(status_request, hex("02 abcdef"));
  ASSERT_TRUE(later.hello.has_value());
  EXPECT_FALSE(later.hello->status_request);
}

TEST(ClientHello, RefusesTwoKeySharesForOneGroup) {
  expect_malformed(ExtensionType::key_share, vector16(hex("001d 0001 aa 0017 0001 bb 001d 0001 cc")),
                   Reason::key_share_duplicate, Alert::illegal_parameter);
}

Buffer psk_extension(std::size_t identities, std::size_t binders, std::size_t binder_size = 32) {
  Buffer identity_list;
  Buffer binder_list;
  for (std::size_t i = 0; i < identities; ++i)
    identity_list = join({identity_list, vector16(text("id")), hex("01020304")});
  for (std::size_t i = 0; i < binders; ++i) binder_list = join({binder_list, vector8(Buffer(binder_size, 0xbb))});
  return extension(ExtensionType::pre_shared_key, join({vector16(identity_list), vector16(binder_list)}));
}

TEST(ClientHello, ReadsPreSharedKeys) {
  const Decoding decoding(body_with(psk_extension(2, 2)));
  ASSERT_TRUE(decoding.hello.has_value());
  const OfferedPsks& psks = *decoding.hello->pre_shared_key;
  ASSERT_EQ(psks.identities.size(), 2U);
  EXPECT_EQ(as_text(psks.identities.begin()->identity), "id");
  EXPECT_EQ(psks.identities.begin()->obfuscated_ticket_age, 0x01020304U);
  ASSERT_EQ(psks.binders.size(), 2U);
  EXPECT_EQ(psks.binders.begin()->size(), 32U);
  // RFC 9846 4.3.11.2: all but the list of binders, whose length of 2 bytes is followed by two of 33 bytes.
  EXPECT_EQ(psks.binders_offset, kHandshakeHeaderSize + decoding.body.size() - 2 - 66);
}

TEST(ClientHello, RefusesMalformedPreSharedKeys) {
  const auto type = std::to_underlying(ExtensionType::pre_shared_key);
  expect_error(Decoding(body_with(join({psk_extension(1, 1), extension(0x7777, {})}))).hello, Reason::psk_not_last,
               Alert::illegal_parameter, kPlace, 0x7777);
  for (const auto& [identities, binders] : {std::pair{1U, 2U}, std::pair{2U, 1U}}) {
    expect_error(Decoding(body_with(psk_extension(identities, binders))).hello, Reason::psk_binder_count,
                 Alert::illegal_parameter, kPlace, type);
  }
  for (const Buffer& bad : {psk_extension(0, 1), psk_extension(1, 0), psk_extension(1, 1, 31)}) {
    expect_error(Decoding(body_with(bad)).hello, Reason::extension_malformed, Alert::decode_error, kPlace, type);
  }
}

// --- what TLS 1.3 demands besides ---

TEST(CheckTls13, DemandsWhatTheRfcDemands) {
  using enum ExtensionType;
  const Buffer groups = extension(supported_groups, hex("0002 001d"));
  const Buffer schemes = extension(signature_algorithms, hex("0002 0804"));
  const Buffer shares = extension(key_share, hex("0005 001d 0001 aa"));
  const Buffer modes = extension(psk_key_exchange_modes, hex("01 01"));
  const Buffer psk = psk_extension(1, 1);
  const auto check = [](const Buffer& extensions, const Buffer& compression = hex("00")) {
    const Decoding decoding(body_with(extensions, hex("1301"), compression));
    EXPECT_TRUE(decoding.hello.has_value());
    return check_tls13(*decoding.hello);
  };
  const auto missing = [&](const Buffer& extensions, ExtensionType type) {
    expect_error(check(extensions), Reason::extension_missing, Alert::missing_extension, kPlace,
                 std::to_underlying(type));
  };

  EXPECT_TRUE(check(join({groups, schemes, shares})).has_value());
  EXPECT_TRUE(check(join({modes, psk})).has_value());
  EXPECT_TRUE(check(join({groups, shares, modes, psk})).has_value());
  EXPECT_TRUE(check(join({groups, schemes, extension(key_share, hex("0000"))})).has_value());
  missing(join({groups, shares}), signature_algorithms);
  missing(join({schemes, shares}), supported_groups);
  missing(join({groups, schemes}), key_share);
  missing(join({shares, modes, psk}), supported_groups);
  missing(join({groups, modes, psk}), key_share);
  expect_error(check(psk), Reason::psk_mode_missing, Alert::missing_extension, kPlace,
               std::to_underlying(psk_key_exchange_modes));
  expect_error(check(join({groups, schemes, shares}), hex("0001")), Reason::compression_method,
               Alert::illegal_parameter, kPlace);
  expect_error(check(join({groups, schemes, extension(key_share, hex("0005 0017 0001 aa"))})),
               Reason::key_share_not_in_groups, Alert::illegal_parameter, kPlace, 0x0017);
}

// --- writing ---

struct Offer {
  std::array<CipherSuite, 2> suites{CipherSuite::tls_aes_128_gcm_sha256, CipherSuite::tls_chacha20_poly1305_sha256};
  std::array<ProtocolVersion, 1> versions{ProtocolVersion::tls_1_3};
  std::array<NamedGroup, 2> groups{NamedGroup::x25519mlkem768, NamedGroup::x25519};
  Buffer public_key = Buffer(32, 0x44);
  std::array<KeyShareEntry, 1> shares{KeyShareEntry{NamedGroup::x25519, public_key}};
  std::array<SignatureScheme, 2> schemes{SignatureScheme::ed25519, SignatureScheme::rsa_pss_rsae_sha256};
  std::array<std::string, 2> protocols{"h2", "http/1.1"};
  std::array<PskKeyExchangeMode, 1> modes{PskKeyExchangeMode::psk_dhe_ke};
  Buffer identity = text("ticket");
  Buffer other_identity = text("other ticket");
  std::array<PskOffer, 2> psks{PskOffer{identity, 7, 32}, PskOffer{other_identity, 9, 48}};
  Buffer session_id = Buffer(32, 0x55);
  Buffer cookie = text("cookie");
  std::array<CertificateCompressionAlgorithm, 2> compression{CertificateCompressionAlgorithm::brotli,
                                                             CertificateCompressionAlgorithm::zlib};
  Buffer authority = hex("3000");
  std::array<Bytes, 1> authorities{authority};

  ClientHelloParameters parameters() const {
    ClientHelloParameters p;
    p.random = kRandom;
    p.legacy_session_id = session_id;
    p.cipher_suites = suites;
    p.server_name = "example.com";
    p.supported_versions = versions;
    p.supported_groups = groups;
    p.key_shares = shares;
    p.signature_algorithms = schemes;
    p.application_layer_protocol_negotiation = protocols;
    p.psk_key_exchange_modes = modes;
    return p;
  }
  ClientHelloParameters everything() const {
    ClientHelloParameters p = parameters();
    p.signature_algorithms_cert = schemes;
    p.certificate_authorities = authorities;
    p.pre_shared_keys = psks;
    p.cookie = cookie;
    p.status_request = true;
    p.signed_certificate_timestamp = true;
    p.early_data = true;
    p.post_handshake_auth = true;
    p.record_size_limit = 0x4001;
    p.padding = 17;
    p.extended_main_secret = true;
    p.ec_point_formats = true;
    p.renegotiation_info = Bytes{};
    p.session_ticket = Bytes{};
    p.encrypt_then_mac = true;
    p.max_fragment_length = 3;
    p.compress_certificate = compression;
    p.ticket_request = TicketRequest{2, 1};
    return p;
  }
};

TEST(EncodeClientHello, OfRfc8448IsWritten) {
  const auto hello = ClientHello::decode(body_of(kRfc8448ClientHello, HandshakeType::client_hello));
  ASSERT_TRUE(hello.has_value());
  const auto suites = all_of(hello->cipher_suites);
  const auto versions = all_of(*hello->supported_versions);
  const auto groups = all_of(*hello->supported_groups);
  const auto shares = all_of(*hello->key_share);
  const auto schemes = all_of(*hello->signature_algorithms);
  const auto modes = all_of(*hello->psk_key_exchange_modes);
  Buffer room(512);
  Writer writer(room);
  const EncodedClientHello encoded = encode_client_hello(writer, {.random = hello->random,
                                                                  .cipher_suites = suites,
                                                                  .server_name = *hello->server_name,
                                                                  .supported_versions = versions,
                                                                  .supported_groups = groups,
                                                                  .key_shares = shares,
                                                                  .signature_algorithms = schemes,
                                                                  .psk_key_exchange_modes = modes,
                                                                  .record_size_limit = hello->record_size_limit,
                                                                  .renegotiation_info = hello->renegotiation_info,
                                                                  .session_ticket = hello->session_ticket});
  EXPECT_TRUE(equal(encoded.message, kRfc8448ClientHello));
}

TEST(EncodeClientHello, IsReadBack) {
  const Offer offer;
  Buffer room(2048);
  Writer writer(room);
  const EncodedClientHello encoded = encode_client_hello(writer, offer.everything());
  ASSERT_FALSE(encoded.message.empty());
  const auto hello = ClientHello::decode(body_of(encoded.message, HandshakeType::client_hello));
  ASSERT_TRUE(hello.has_value()) << to_text(hello.error());
  EXPECT_EQ(hello->legacy_version, ProtocolVersion::tls_1_2);
  EXPECT_TRUE(equal(hello->random, kRandom));
  EXPECT_TRUE(equal(hello->legacy_session_id, offer.session_id));
  EXPECT_TRUE(std::ranges::equal(all_of(hello->cipher_suites), offer.suites));
  EXPECT_TRUE(equal(hello->legacy_compression_methods, hex("00")));
  EXPECT_EQ(hello->server_name, "example.com");
  EXPECT_TRUE(std::ranges::equal(all_of(*hello->supported_versions), offer.versions));
  EXPECT_TRUE(std::ranges::equal(all_of(*hello->supported_groups), offer.groups));
  ASSERT_EQ(hello->key_share->size(), 1U);
  EXPECT_EQ(hello->key_share->begin()->group, NamedGroup::x25519);
  EXPECT_TRUE(equal(hello->key_share->begin()->key_exchange, offer.public_key));
  EXPECT_TRUE(std::ranges::equal(all_of(*hello->signature_algorithms), offer.schemes));
  EXPECT_TRUE(std::ranges::equal(all_of(*hello->signature_algorithms_cert), offer.schemes));
  EXPECT_EQ(as_text(*hello->application_layer_protocol_negotiation->begin()), "h2");
  EXPECT_EQ(hello->application_layer_protocol_negotiation->size(), 2U);
  EXPECT_TRUE(std::ranges::equal(all_of(*hello->psk_key_exchange_modes), offer.modes));
  EXPECT_TRUE(equal(*hello->cookie, offer.cookie));
  EXPECT_TRUE(equal(*hello->certificate_authorities->begin(), offer.authority));
  EXPECT_TRUE(hello->status_request);
  EXPECT_TRUE(hello->signed_certificate_timestamp);
  EXPECT_TRUE(hello->early_data);
  EXPECT_TRUE(hello->post_handshake_auth);
  EXPECT_TRUE(hello->extended_main_secret);
  EXPECT_EQ(hello->record_size_limit, 0x4001);
  EXPECT_TRUE(hello->ec_point_formats->contains(0));
  EXPECT_TRUE(hello->renegotiation_info->empty());
  EXPECT_TRUE(hello->session_ticket->empty());
  EXPECT_EQ(hello->pre_shared_key->identities.size(), 2U);
  EXPECT_EQ(hello->pre_shared_key->binders_offset, encoded.binders_offset);
  EXPECT_TRUE(check_tls13(*hello).has_value());
  for (const Extension& sent : hello->extensions)
    EXPECT_TRUE(encoded.offered.contains(sent.type)) << to_text(sent.type);
  EXPECT_TRUE(equal(*hello->extensions.find(ExtensionType::padding), Buffer(17)));
  EXPECT_TRUE(hello->encrypt_then_mac);
  EXPECT_EQ(hello->max_fragment_length, 3);
  EXPECT_TRUE(std::ranges::equal(all_of(*hello->compress_certificate), offer.compression));
  EXPECT_EQ(hello->ticket_request->new_session_count, 2);
  EXPECT_EQ(hello->ticket_request->resumption_count, 1);
}

TEST(EncodeClientHello, IsExactInLengthWithEveryExtension) {
  const Offer offer;
  Buffer room(2048);
  Writer writer(room);
  const EncodedClientHello encoded = encode_client_hello(writer, offer.everything());
  const Bytes body = body_of(encoded.message, HandshakeType::client_hello);
  expect_exact_length(body, decoder<ClientHello>, {2 + 32 + 33 + 2 + 4 + 2});
  expect_survives_changes(body, decoder<ClientHello>, [](const ClientHello& hello) {
    if (hello.pre_shared_key) {
      EXPECT_EQ(hello.pre_shared_key->identities.size(), hello.pre_shared_key->binders.size());
    }
    static_cast<void>(check_tls13(hello));
  });
}

TEST(EncodeClientHello, LeavesOutWhatIsNotAskedFor) {
  const Offer offer;
  ClientHelloParameters plain;
  plain.random = kRandom;
  plain.cipher_suites = offer.suites;
  Buffer room(512);
  Writer writer(room);
  const EncodedClientHello encoded = encode_client_hello(writer, plain);
  const auto hello = ClientHello::decode(body_of(encoded.message, HandshakeType::client_hello));
  ASSERT_TRUE(hello.has_value());
  EXPECT_TRUE(hello->extensions.empty());
  EXPECT_EQ(encoded.offered, ExtensionSet{});
  EXPECT_EQ(encoded.binders_offset, encoded.message.size());
}

TEST(EncodeClientHello, OfTls12HasNothingOfTls13) {
  const Offer offer;
  ClientHelloParameters parameters = offer.parameters();
  const std::array suites{CipherSuite{0xc02b}, CipherSuite{0xc02f}};
  const std::array versions{ProtocolVersion::tls_1_2};
  const std::array groups{NamedGroup::x25519};
  const Buffer ticket = text("a ticket of TLS 1.2");
  parameters.cipher_suites = suites;
  parameters.supported_versions = versions;
  parameters.supported_groups = groups;
  parameters.psk_key_exchange_modes = {};
  parameters.extended_main_secret = true;
  parameters.encrypt_then_mac = true;
  parameters.ec_point_formats = true;
  parameters.renegotiation_info = Bytes();
  parameters.session_ticket = ticket;
  for (const bool with_grease : {false, true}) {
    if (with_grease) parameters.grease = Grease{};
    Buffer room(1024);
    Writer writer(room);
    const EncodedClientHello encoded = encode_client_hello(writer, parameters);
    const Bytes body = body_of(encoded.message, HandshakeType::client_hello);
    const auto hello = ClientHello::decode(body);
    ASSERT_TRUE(hello.has_value()) << to_text(hello.error());
    EXPECT_FALSE(hello->supported_versions.has_value());
    EXPECT_FALSE(hello->key_share.has_value());
    EXPECT_EQ(encoded.offered, (ExtensionSet{ExtensionType::server_name, ExtensionType::extended_main_secret,
                                             ExtensionType::renegotiation_info, ExtensionType::supported_groups,
                                             ExtensionType::ec_point_formats, ExtensionType::session_ticket,
                                             ExtensionType::application_layer_protocol_negotiation,
                                             ExtensionType::signature_algorithms, ExtensionType::encrypt_then_mac}));
    EXPECT_TRUE(hello->offers(ProtocolVersion::tls_1_2));
    EXPECT_FALSE(hello->offers(ProtocolVersion::tls_1_3));
    EXPECT_TRUE(hello->extended_main_secret);
    EXPECT_TRUE(hello->encrypt_then_mac);
    EXPECT_TRUE(hello->renegotiation_info->empty());
    EXPECT_TRUE(equal(*hello->session_ticket, ticket));
    expect_exact_length(body, decoder<ClientHello>, {2 + kRandomSize + 1 + 32 + 2 + (with_grease ? 6U : 4U) + 2});
  }
}

TEST(EncodeClientHello, OfBothVersionsStatesThem) {
  const Offer offer;
  ClientHelloParameters parameters = offer.parameters();
  const std::array versions{ProtocolVersion::tls_1_3, ProtocolVersion::tls_1_2};
  parameters.supported_versions = versions;
  Buffer room(1024);
  Writer writer(room);
  const EncodedClientHello encoded = encode_client_hello(writer, parameters);
  const auto hello = ClientHello::decode(body_of(encoded.message, HandshakeType::client_hello));
  ASSERT_TRUE(hello.has_value()) << to_text(hello.error());
  EXPECT_TRUE(std::ranges::equal(all_of(*hello->supported_versions), versions));
  EXPECT_TRUE(hello->key_share.has_value());
  EXPECT_TRUE(hello->offers(ProtocolVersion::tls_1_3));
  EXPECT_TRUE(hello->offers(ProtocolVersion::tls_1_2));
  EXPECT_FALSE(hello->offers(ProtocolVersion::tls_1_1));
}

TEST(EncodeClientHello, OffersRenegotiationInfoByItsSuite) {
  const std::array suites{CipherSuite::tls_aes_128_gcm_sha256, CipherSuite::empty_renegotiation_info_scsv};
  ClientHelloParameters parameters;
  parameters.random = kRandom;
  parameters.cipher_suites = suites;
  Buffer room(512);
  Writer writer(room);
  EXPECT_EQ(encode_client_hello(writer, parameters).offered, ExtensionSet{ExtensionType::renegotiation_info});
}

TEST(EncodeClientHello, SaysWhenItDoesNotFit) {
  const Offer offer;
  Buffer room(2048);
  Writer measure(room);
  const std::size_t size = encode_client_hello(measure, offer.everything()).message.size();
  for (const std::size_t less : {std::size_t{0}, std::size_t{4}, size / 2, size - 1}) {
    Buffer small(less);
    Writer writer(small);
    EXPECT_TRUE(encode_client_hello(writer, offer.everything()).message.empty()) << less;
    EXPECT_FALSE(writer.ok());
  }
  Buffer exact(size);
  Writer writer(exact);
  EXPECT_EQ(encode_client_hello(writer, offer.everything()).message.size(), size);
}

TEST(EncodeClientHello, PutsGreaseWhereRfc8701Has) {
  const Offer offer;
  ClientHelloParameters parameters = offer.parameters();
  parameters.pre_shared_keys = offer.psks;
  parameters.grease = make_grease(std::array<std::uint8_t, 5>{0x10, 0x2f, 0x3f, 0x40, 0x4f});
  EXPECT_NE(parameters.grease->first_extension, parameters.grease->last_extension);
  Buffer room(2048);
  Writer writer(room);
  const EncodedClientHello encoded = encode_client_hello(writer, parameters);
  const auto hello = ClientHello::decode(body_of(encoded.message, HandshakeType::client_hello));
  ASSERT_TRUE(hello.has_value()) << to_text(hello.error());

  EXPECT_EQ(std::to_underlying(*hello->cipher_suites.begin()), 0x1a1a);
  EXPECT_EQ(std::to_underlying(*hello->supported_groups->begin()), 0x2a2a);
  EXPECT_EQ(std::to_underlying(*hello->supported_versions->begin()), 0x3a3a);
  EXPECT_EQ(std::to_underlying(hello->key_share->begin()->group), 0x2a2a);
  EXPECT_TRUE(equal(hello->key_share->begin()->key_exchange, hex("00")));
  EXPECT_EQ(hello->key_share->size(), 2U);
  const auto extensions = all_of(hello->extensions);
  EXPECT_TRUE(is_grease(std::to_underlying(extensions.front().type)));
  EXPECT_TRUE(extensions.front().data.empty());
  EXPECT_TRUE(is_grease(std::to_underlying(extensions[extensions.size() - 2].type)));
  EXPECT_TRUE(equal(extensions[extensions.size() - 2].data, hex("00")));
  EXPECT_EQ(extensions.back().type, ExtensionType::pre_shared_key);
  EXPECT_FALSE(encoded.offered.contains(extensions.front().type));
  EXPECT_TRUE(check_tls13(*hello).has_value());

  parameters.grease->key_share = false;  // after a HelloRetryRequest
  Writer again(room);
  const auto second =
      ClientHello::decode(body_of(encode_client_hello(again, parameters).message, HandshakeType::client_hello));
  ASSERT_TRUE(second.has_value());
  EXPECT_EQ(second->key_share->size(), 1U);
}

TEST(MakeGrease, GivesGreaseOnly) {
  for (unsigned byte = 0; byte < 256; ++byte) {
    const auto b = static_cast<std::uint8_t>(byte);
    const Grease grease = make_grease(std::array<std::uint8_t, 5>{b, b, b, b, b});
    EXPECT_TRUE(is_grease(grease.suite));
    EXPECT_TRUE(is_grease(grease.group));
    EXPECT_TRUE(is_grease(grease.version));
    EXPECT_TRUE(is_grease(grease.first_extension));
    EXPECT_TRUE(is_grease(grease.last_extension));
    EXPECT_NE(grease.first_extension, grease.last_extension);
  }
}

TEST(EncodeClientHello, PermutesTheExtensions) {
  const Offer offer;
  const auto order = [&](std::optional<std::uint64_t> seed, bool with_cookie = true) {
    ClientHelloParameters parameters = offer.everything();
    parameters.permutation_seed = seed;
    if (!with_cookie) parameters.cookie = {};
    Buffer room(2048);
    Writer writer(room);
    const auto hello =
        ClientHello::decode(body_of(encode_client_hello(writer, parameters).message, HandshakeType::client_hello));
    EXPECT_TRUE(hello.has_value());
    std::vector<ExtensionType> types;
    for (const Extension& one : hello->extensions) types.push_back(one.type);
    return types;
  };
  const auto fixed = order(std::nullopt);
  std::set<std::vector<ExtensionType>> orders{fixed};
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    const auto types = order(seed);
    EXPECT_TRUE(std::ranges::is_permutation(types, fixed));
    EXPECT_EQ(types.back(), ExtensionType::pre_shared_key);
    EXPECT_EQ(types, order(seed));
    orders.insert(types);
    // The second ClientHello has a cookie more, and else the same order.
    auto without = types;
    std::erase(without, ExtensionType::cookie);
    EXPECT_EQ(order(seed, false), without);
  }
  EXPECT_EQ(orders.size(), 101U);
}

TEST(FillBinder, PutsEachInItsPlace) {
  const Offer offer;
  Buffer room(2048);
  Writer writer(room);
  writer.u32(0xdeadbeef);  // something stands before the message
  const EncodedClientHello encoded = encode_client_hello(writer, offer.everything());
  EXPECT_TRUE(fill_binder(encoded, 0, Buffer(32, 0xa0)));
  EXPECT_TRUE(fill_binder(encoded, 1, Buffer(48, 0xa1)));
  EXPECT_FALSE(fill_binder(encoded, 0, Buffer(48, 0xa2)));
  EXPECT_FALSE(fill_binder(encoded, 2, Buffer(32, 0xa2)));
  EXPECT_EQ(encoded.message.size() - encoded.binders_offset, 2U + 33U + 49U);

  const auto hello = ClientHello::decode(body_of(encoded.message, HandshakeType::client_hello));
  ASSERT_TRUE(hello.has_value());
  EXPECT_EQ(hello->pre_shared_key->binders_offset, encoded.binders_offset);
  auto binder = hello->pre_shared_key->binders.begin();
  EXPECT_TRUE(equal(*binder, Buffer(32, 0xa0)));
  ++binder;
  EXPECT_TRUE(equal(*binder, Buffer(48, 0xa1)));
  EXPECT_FALSE(fill_binder(EncodedClientHello{}, 0, Buffer(32)));
}

}  // namespace
}  // namespace lockstep::codec
