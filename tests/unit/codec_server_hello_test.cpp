// ServerHello and HelloRetryRequest, read and written.

#include <array>

#include "codec/server_hello.hpp"
#include "unit/codec_fixture.hpp"

namespace lockstep::codec {
namespace {

const Buffer kRandom(kRandomSize, 0x22);
const Buffer kShare(32, 0x44);
const Buffer kSessionId(32, 0x55);
const ExtensionSet kOffered{ExtensionType::supported_versions, ExtensionType::key_share, ExtensionType::pre_shared_key,
                            ExtensionType::server_name, ExtensionType::application_layer_protocol_negotiation};
const Buffer kTls13 = extension(ExtensionType::supported_versions, hex("0304"));

Buffer body_with(const Buffer& extensions, Bytes random = kRandom, const Buffer& version = hex("0303"),
                 const Buffer& compression = hex("00")) {
  return join({version, Buffer(random.begin(), random.end()), vector8(kSessionId), hex("1301"), compression,
               vector16(extensions)});
}

Buffer retry_with(const Buffer& extensions, const Buffer& version = hex("0303")) {
  return body_with(extensions, kHelloRetryRequestRandom, version);
}

Decoded<ServerHello> decode(Bytes body) { return ServerHello::decode(body, {.offered = kOffered}); }
Decoded<HelloRetryRequest> decode_retry(Bytes body) { return HelloRetryRequest::decode(body, {.offered = kOffered}); }

TEST(ServerHello, OfRfc8448IsRead) {
  const Bytes body = body_of(kRfc8448ServerHello, HandshakeType::server_hello);
  EXPECT_FALSE(is_hello_retry_request(body));
  const auto hello = decode(body);
  ASSERT_TRUE(hello.has_value()) << to_text(hello.error());
  EXPECT_EQ(hello->legacy_version, ProtocolVersion::tls_1_2);
  EXPECT_EQ(hello->version(), ProtocolVersion::tls_1_3);
  EXPECT_TRUE(equal(hello->random, hex("a6af06a4121860dc5e6e60249cd34c95930c8ac5cb1434dac155772ed3e26928")));
  EXPECT_TRUE(hello->legacy_session_id_echo.empty());
  EXPECT_EQ(hello->cipher_suite, CipherSuite::tls_aes_128_gcm_sha256);
  EXPECT_EQ(hello->key_share->group, NamedGroup::x25519);
  EXPECT_TRUE(
      equal(hello->key_share->key_exchange, hex("c9828876112095fe66762bdbf7c672e156d6cc253b833df1dd69b1b04e751f0f")));
  EXPECT_FALSE(hello->pre_shared_key.has_value());
}

TEST(ServerHello, OfRfc8448IsWritten) {
  const auto hello = decode(body_of(kRfc8448ServerHello, HandshakeType::server_hello));
  ASSERT_TRUE(hello.has_value());
  Buffer room(256);
  Writer writer(room);
  const Bytes message = encode_server_hello(
      writer, {.random = hello->random, .cipher_suite = hello->cipher_suite, .key_share = hello->key_share});
  EXPECT_TRUE(equal(message, kRfc8448ServerHello));
}

TEST(ServerHello, IsReadToItsExactLength) {
  const Bytes body = body_of(kRfc8448ServerHello, HandshakeType::server_hello);
  expect_exact_length(body, decode, {2 + 32 + 1 + 2 + 1});
  expect_survives_changes(body, decode, [](const ServerHello& hello) { EXPECT_LE(hello.extensions.size(), 12U); });
}

TEST(ServerHello, IsReadBack) {
  Buffer room(256);
  Writer writer(room);
  const Bytes message = encode_server_hello(writer, {.random = kRandom,
                                                     .legacy_session_id_echo = kSessionId,
                                                     .cipher_suite = CipherSuite::tls_aes_256_gcm_sha384,
                                                     .key_share = KeyShareEntry{NamedGroup::x25519, kShare},
                                                     .selected_identity = 3});
  const auto hello = decode(body_of(message, HandshakeType::server_hello));
  ASSERT_TRUE(hello.has_value());
  EXPECT_TRUE(equal(hello->legacy_session_id_echo, kSessionId));
  EXPECT_EQ(hello->cipher_suite, CipherSuite::tls_aes_256_gcm_sha384);
  EXPECT_EQ(hello->supported_versions, ProtocolVersion::tls_1_3);
  EXPECT_EQ(hello->pre_shared_key, 3);

  Buffer small(message.size() - 1);
  Writer tight(small);
  EXPECT_TRUE(encode_server_hello(tight, {.random = kRandom,
                                          .legacy_session_id_echo = kSessionId,
                                          .key_share = KeyShareEntry{NamedGroup::x25519, kShare},
                                          .selected_identity = 3})
                  .empty());
}

TEST(ServerHello, OfTls12IsRead) {
  using enum ExtensionType;
  const ExtensionSet offered{
      server_name,    extended_main_secret, encrypt_then_mac,   session_ticket,
      status_request, ec_point_formats,     renegotiation_info, application_layer_protocol_negotiation};
  const Buffer body = body_with(join(
      {extension(server_name), extension(extended_main_secret), extension(encrypt_then_mac), extension(session_ticket),
       extension(status_request), extension(ec_point_formats, hex("0100")), extension(renegotiation_info, hex("00")),
       extension(application_layer_protocol_negotiation, vector16(vector8(text("h2"))))}));
  const auto hello = ServerHello::decode(body, {.offered = offered});
  ASSERT_TRUE(hello.has_value()) << to_text(hello.error());
  EXPECT_EQ(hello->version(), ProtocolVersion::tls_1_2);
  EXPECT_TRUE(hello->server_name);
  EXPECT_TRUE(hello->extended_main_secret);
  EXPECT_TRUE(hello->encrypt_then_mac);
  EXPECT_TRUE(hello->session_ticket);
  EXPECT_TRUE(hello->status_request);
  EXPECT_TRUE(hello->ec_point_formats->contains(0));
  EXPECT_TRUE(hello->renegotiation_info->empty());
  EXPECT_EQ(as_text(*hello->application_layer_protocol_negotiation), "h2");

  const Buffer old = join({hex("0301"), kRandom, hex("00"), hex("002f"), hex("00")});
  const auto tls10 = ServerHello::decode(old, {.offered = offered});
  ASSERT_TRUE(tls10.has_value());
  EXPECT_EQ(tls10->version(), ProtocolVersion::tls_1_0);
}

/// Everything that a ServerHello of TLS 1.2 can say.
struct Tls12 {
  Buffer timestamps = vector16(vector16(text("sct")));
  Buffer renegotiation = text("both verify_data");
  ExtensionSet offered = [] {
    using enum ExtensionType;
    return ExtensionSet{server_name,
                        extended_main_secret,
                        encrypt_then_mac,
                        session_ticket,
                        status_request,
                        ec_point_formats,
                        renegotiation_info,
                        application_layer_protocol_negotiation,
                        signed_certificate_timestamp,
                        max_fragment_length,
                        record_size_limit};
  }();

  ServerHello12Parameters parameters() const {
    ServerHello12Parameters p;
    p.random = kRandom;
    p.session_id = kSessionId;
    p.cipher_suite = CipherSuite{0xc02f};
    p.server_name = true;
    p.extended_main_secret = true;
    p.encrypt_then_mac = true;
    p.session_ticket = true;
    p.status_request = true;
    p.ec_point_formats = true;
    p.renegotiation_info = renegotiation;
    p.application_layer_protocol_negotiation = as_bytes("h2");
    p.signed_certificate_timestamps = timestamps;
    p.record_size_limit = 0x4000;
    return p;
  }
};

TEST(ServerHello, OfTls12IsReadBack) {
  const Tls12 tls12;
  const auto decode = [&](Bytes bytes) { return ServerHello::decode(bytes, {.offered = tls12.offered}); };
  Buffer room(512);
  Writer writer(room);
  const Bytes message = encode_server_hello12(writer, tls12.parameters());
  const Bytes body = body_of(message, HandshakeType::server_hello);
  const auto hello = decode(body);
  ASSERT_TRUE(hello.has_value()) << to_text(hello.error());
  EXPECT_EQ(hello->version(), ProtocolVersion::tls_1_2);
  EXPECT_TRUE(equal(hello->random, kRandom));
  EXPECT_TRUE(equal(hello->legacy_session_id_echo, kSessionId));
  EXPECT_EQ(hello->cipher_suite, CipherSuite{0xc02f});
  EXPECT_EQ(hello->extensions.size(), 10U);
  EXPECT_TRUE(hello->server_name);
  EXPECT_TRUE(hello->extended_main_secret);
  EXPECT_TRUE(hello->encrypt_then_mac);
  EXPECT_TRUE(hello->session_ticket);
  EXPECT_TRUE(hello->status_request);
  EXPECT_EQ(all_of(*hello->ec_point_formats), std::vector<std::uint8_t>{0});
  EXPECT_TRUE(equal(*hello->renegotiation_info, tls12.renegotiation));
  EXPECT_EQ(as_text(*hello->application_layer_protocol_negotiation), "h2");
  EXPECT_TRUE(equal(*hello->signed_certificate_timestamps, tls12.timestamps));
  EXPECT_FALSE(hello->max_fragment_length.has_value());
  EXPECT_EQ(hello->record_size_limit, 0x4000);
  expect_exact_length(body, decode, {2 + 32 + 33 + 2 + 1});
  expect_survives_changes(body, decode, [](const ServerHello& changed) { EXPECT_LE(changed.extensions.size(), 40U); });

  for (const std::size_t less : {std::size_t{0}, std::size_t{43}, message.size() - 1}) {
    Buffer small(less);
    Writer tight(small);
    EXPECT_TRUE(encode_server_hello12(tight, tls12.parameters()).empty()) << less;
  }

  ServerHello12Parameters parameters = tls12.parameters();
  parameters.record_size_limit.reset();
  parameters.max_fragment_length = 2;
  parameters.renegotiation_info = Bytes();
  parameters.version = ProtocolVersion::tls_1_1;
  Writer again(room);
  const auto other = decode(body_of(encode_server_hello12(again, parameters), HandshakeType::server_hello));
  ASSERT_TRUE(other.has_value()) << to_text(other.error());
  EXPECT_EQ(other->version(), ProtocolVersion::tls_1_1);
  EXPECT_EQ(other->max_fragment_length, 2);
  EXPECT_FALSE(other->record_size_limit.has_value());
  EXPECT_TRUE(other->renegotiation_info->empty());
}

TEST(ServerHello, OfTls12EndsBeforeItsExtensionsWhenItHasNone) {
  Buffer room(128);
  Writer writer(room);
  const Bytes message = encode_server_hello12(writer, {.random = kRandom, .cipher_suite = CipherSuite{0x009c}});
  EXPECT_TRUE(equal(message, join({hex("02 000026 0303"), kRandom, hex("00 009c 00")})));
  const auto hello = ServerHello::decode(body_of(message, HandshakeType::server_hello));
  ASSERT_TRUE(hello.has_value());
  EXPECT_TRUE(hello->extensions.empty());

  // Each brings its block by itself.
  const std::array<ServerHello12Parameters, 3> each{
      {{.random = kRandom, .extended_main_secret = true},
       {.random = kRandom, .renegotiation_info = Bytes()},
       {.random = kRandom, .application_layer_protocol_negotiation = as_bytes("h2")}}};
  for (const ServerHello12Parameters& parameters : each) {
    Writer one(room);
    const Bytes body = body_of(encode_server_hello12(one, parameters), HandshakeType::server_hello);
    const auto decoded = ServerHello::decode(body, {.offered = Tls12().offered});
    ASSERT_TRUE(decoded.has_value());
    EXPECT_EQ(decoded->extensions.size(), 1U);
  }
}

TEST(ServerHello, OfTls12RefusesBadExtensions) {
  using enum ExtensionType;
  const Tls12 tls12;
  const auto refuse = [&](const Buffer& extensions, Reason reason, Alert alert, ExtensionType type) {
    SCOPED_TRACE(to_text(type));
    expect_error(ServerHello::decode(body_with(extensions), {.offered = tls12.offered}), reason, alert,
                 Place::server_hello, std::to_underlying(type));
  };
  const auto malformed = [&](ExtensionType type, const Buffer& data) {
    refuse(extension(type, data), Reason::extension_malformed, Alert::decode_error, type);
  };
  for (const ExtensionType empty : {extended_main_secret, encrypt_then_mac, session_ticket, status_request}) {
    malformed(empty, hex("00"));
  }
  refuse(extension(server_name, hex("00")), Reason::server_name_malformed, Alert::decode_error, server_name);
  for (const Buffer& bad : {Buffer{}, hex("00"), hex("01"), hex("010000")}) malformed(ec_point_formats, bad);
  for (const Buffer& bad : {Buffer{}, hex("01"), hex("0000")}) malformed(renegotiation_info, bad);
  for (const Buffer& bad : {Buffer{}, hex("0000"), hex("0002 0000"), hex("0003 0002 aa"), hex("0003 0001 aa 00")}) {
    malformed(signed_certificate_timestamp, bad);
  }
  for (const Buffer& bad : {Buffer{}, hex("0101")}) malformed(max_fragment_length, bad);
  for (const Buffer& bad : {Buffer{}, hex("40"), hex("400000")}) malformed(record_size_limit, bad);
  for (const Buffer& bad : {hex("00"), hex("05")}) {
    refuse(extension(max_fragment_length, bad), Reason::enum_value, Alert::illegal_parameter, max_fragment_length);
  }
  refuse(extension(record_size_limit, hex("003f")), Reason::record_size_limit, Alert::illegal_parameter,
         record_size_limit);
  refuse(join({extension(record_size_limit, hex("4000")), extension(max_fragment_length, hex("01"))}),
         Reason::extension_forbidden, Alert::illegal_parameter, max_fragment_length);
  Buffer scts;
  for (std::size_t i = 0; i <= kMaxScts; ++i) scts = join({scts, hex("0001 aa")});
  refuse(extension(signed_certificate_timestamp, vector16(scts)), Reason::too_many_entries, Alert::illegal_parameter,
         signed_certificate_timestamp);
  refuse(extension(supported_groups, hex("0002 001d")), Reason::extension_unsolicited, Alert::unsupported_extension,
         supported_groups);
}

template <class Decode>
void refuses_bad_fields(Decode decode_body, Place place, Bytes random) {
  const auto refuse = [&](const Buffer& body, Reason reason, Alert alert, std::uint16_t detail = 0) {
    expect_error(decode_body(body), reason, alert, place, detail);
  };
  refuse(body_with(kTls13, random, hex("0302")), Reason::version_legacy, Alert::protocol_version);
  refuse(body_with(kTls13, random, hex("0303"), hex("01")), Reason::compression_method, Alert::illegal_parameter);
  refuse(body_with(join({kTls13, kTls13}), random), Reason::extension_duplicate, Alert::illegal_parameter,
         std::to_underlying(ExtensionType::supported_versions));
  refuse(body_with(join({kTls13, extension(ExtensionType::server_name)}), random), Reason::extension_forbidden,
         Alert::illegal_parameter, std::to_underlying(ExtensionType::server_name));
  refuse(body_with(join({kTls13, extension(0x0a0a, {})}), random), Reason::extension_unsolicited,
         Alert::unsupported_extension, 0x0a0a);
  refuse(body_with(extension(ExtensionType::supported_versions, hex("030403")), random), Reason::extension_malformed,
         Alert::decode_error, std::to_underlying(ExtensionType::supported_versions));
  Buffer long_id = body_with(kTls13, random);
  long_id[2 + 32] = 33;
  refuse(long_id, Reason::vector_length, Alert::decode_error);
}

TEST(ServerHello, RefusesBadFields) {
  refuses_bad_fields(decode, Place::server_hello, kRandom);
  expect_error(ServerHello::decode(body_with(kTls13)), Reason::extension_unsolicited, Alert::unsupported_extension,
               Place::server_hello, std::to_underlying(ExtensionType::supported_versions));
  expect_error(decode(body_with(join({kTls13, extension(ExtensionType::key_share, hex("001d 0000"))}))),
               Reason::extension_malformed, Alert::decode_error, Place::server_hello,
               std::to_underlying(ExtensionType::key_share));
  expect_error(decode(body_with(join({kTls13, extension(ExtensionType::cookie, hex("0001aa"))}))),
               Reason::extension_forbidden, Alert::illegal_parameter, Place::server_hello,
               std::to_underlying(ExtensionType::cookie));
  // TLS 1.3's extensions do not belong into TLS 1.2's message.
  expect_error(decode(body_with(extension(ExtensionType::key_share, hex("001d 0001 aa")))), Reason::extension_forbidden,
               Alert::illegal_parameter, Place::server_hello, std::to_underlying(ExtensionType::key_share));
  expect_error(decode(body_with(extension(ExtensionType::application_layer_protocol_negotiation,
                                          vector16(join({vector8(text("h2")), vector8(text("h3"))}))))),
               Reason::alpn_malformed, Alert::decode_error, Place::server_hello,
               std::to_underlying(ExtensionType::application_layer_protocol_negotiation));
}

TEST(HelloRetryRequest, IsReadBack) {
  const Buffer cookie = text("cookie");
  Buffer room(256);
  Writer writer(room);
  const Bytes message = encode_hello_retry_request(writer, {.legacy_session_id_echo = kSessionId,
                                                            .cipher_suite = CipherSuite::tls_chacha20_poly1305_sha256,
                                                            .selected_group = NamedGroup::secp256r1,
                                                            .cookie = cookie});
  const Bytes body = body_of(message, HandshakeType::server_hello);
  EXPECT_TRUE(is_hello_retry_request(body));
  EXPECT_FALSE(is_hello_retry_request(body.first(33)));
  const auto request = decode_retry(body);
  ASSERT_TRUE(request.has_value()) << to_text(request.error());
  EXPECT_TRUE(equal(request->legacy_session_id_echo, kSessionId));
  EXPECT_EQ(request->cipher_suite, CipherSuite::tls_chacha20_poly1305_sha256);
  EXPECT_EQ(request->supported_versions, ProtocolVersion::tls_1_3);
  EXPECT_EQ(request->key_share, NamedGroup::secp256r1);
  EXPECT_TRUE(equal(*request->cookie, cookie));
  expect_exact_length(body, decode_retry);
  expect_survives_changes(body, decode_retry,
                          [](const HelloRetryRequest& changed) { EXPECT_LE(changed.extensions.size(), 12U); });

  Writer plain(room);
  const auto bare = decode_retry(body_of(encode_hello_retry_request(plain, {}), HandshakeType::server_hello));
  ASSERT_TRUE(bare.has_value());
  EXPECT_FALSE(bare->key_share.has_value());
  EXPECT_FALSE(bare->cookie.has_value());
}

TEST(HelloRetryRequest, RefusesBadFields) {
  refuses_bad_fields(decode_retry, Place::hello_retry_request, kHelloRetryRequestRandom);
  expect_error(decode_retry(retry_with({})), Reason::extension_missing, Alert::missing_extension,
               Place::hello_retry_request, std::to_underlying(ExtensionType::supported_versions));
  expect_error(decode_retry(retry_with(join({kTls13, extension(ExtensionType::key_share, hex("001d 0001 aa"))}))),
               Reason::extension_malformed, Alert::decode_error, Place::hello_retry_request,
               std::to_underlying(ExtensionType::key_share));
  expect_error(decode_retry(retry_with(join({kTls13, extension(ExtensionType::cookie, hex("0000"))}))),
               Reason::extension_malformed, Alert::decode_error, Place::hello_retry_request,
               std::to_underlying(ExtensionType::cookie));
  expect_error(decode_retry(retry_with(join({kTls13, extension(ExtensionType::pre_shared_key, hex("0000"))}))),
               Reason::extension_forbidden, Alert::illegal_parameter, Place::hello_retry_request,
               std::to_underlying(ExtensionType::pre_shared_key));
}

}  // namespace
}  // namespace lockstep::codec
