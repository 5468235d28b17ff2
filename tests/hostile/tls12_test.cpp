// What either side refuses in TLS 1.2, and what it bears.

#include "key_schedule/tls12.hpp"

#include <array>

#include "hostile/old_duel.hpp"
#include "pair/dh_groups.hpp"

namespace lockstep::testing {
namespace {

constexpr auto kExtendedMainSecret = ExtensionType::extended_main_secret;
constexpr auto kRenegotiationInfo = ExtensionType::renegotiation_info;
constexpr auto kChaCha20 = CipherSuite::tls_ecdhe_ecdsa_with_chacha20_poly1305_sha256;

// --- hellos --------------------------------------------------------------------------------------------------------

template <class Edit>
void expect_client_hello_refused(Edit edit, Reason reason, Alert alert = Alert::illegal_parameter) {
  OldDuel duel;
  duel.client_forger.change_parts<RawClientHello>(HandshakeType::client_hello, edit);
  duel.expect_server_refuses(reason, alert, Place::client_hello);
}

TEST(HostileTls12Hello, WorksWhenNobodyIsHostile) {
  OldDuel duel;
  duel.expect_connected();
  EXPECT_EQ(duel.client().connection.version(), kTls12);
  duel.expect_alive();
}

TEST(HostileTls12Hello, SuiteWasOffered) {
  for (const std::uint16_t suite :
       std::to_array<std::uint16_t>({0xc02f, 0xc02c, 0x1301, 0x002f, 0x00ff, 0x5600, 0x0a0a})) {
    expect_server_hello_refused([suite](RawServerHello& hello) { hello.cipher_suite = suite; },
                                Reason::suite_not_offered);
  }
  // One of TLS 1.3 that was offered for TLS 1.3.
  Duel both;
  speak_tls12(both);
  both.client_config.versions(kTls12, ProtocolVersion::tls_1_3)
      .suites({CipherSuite::tls_aes_128_gcm_sha256, CipherSuite::tls_ecdhe_ecdsa_with_aes_128_gcm_sha256});
  both.server_forger.change_parts<RawServerHello>(HandshakeType::server_hello,
                                                  [](RawServerHello& hello) { hello.cipher_suite = 0x1301; });
  both.expect_client_refuses(Reason::suite_not_offered, Alert::illegal_parameter);
}

TEST(HostileTls12Hello, VersionIsNoOlder) {
  const auto refuse = [](std::uint16_t version, Reason reason) {
    expect_server_hello_refused([version](RawServerHello& hello) { hello.legacy_version = version; }, reason,
                                Alert::protocol_version);
    expect_client_hello_refused([version](RawClientHello& hello) { hello.legacy_version = version; }, reason,
                                Alert::protocol_version);
  };
  refuse(0x0302, Reason::version_unsupported);
  refuse(0x0301, Reason::version_unsupported);
  refuse(0x0300, Reason::version_ssl3);
}

TEST(HostileTls12Hello, NothingIsCompressed) {
  expect_server_hello_refused([](RawServerHello& hello) { hello.legacy_compression_method = 1; },
                              Reason::compression_method);
}

TEST(HostileTls12Hello, SessionIdIsNotEchoedWithoutSession) {
  Duel duel;
  speak_tls12(duel);
  duel.client_config.versions(kTls12, ProtocolVersion::tls_1_3)
      .suites({CipherSuite::tls_aes_128_gcm_sha256, CipherSuite::tls_ecdhe_ecdsa_with_aes_128_gcm_sha256});
  duel.server_forger.change_parts<RawServerHello>(HandshakeType::server_hello, [&duel](RawServerHello& hello) {
    hello.legacy_session_id_echo = RawClientHello::split(duel.client_forger.honest.front()).legacy_session_id;
    EXPECT_EQ(hello.legacy_session_id_echo.size(), 32U);
  });
  duel.expect_client_refuses(Reason::session_id_echo, Alert::illegal_parameter);
  // Another id is that of a new session.
  OldDuel other;
  other.server_forger.change_parts<RawServerHello>(
      HandshakeType::server_hello, [](RawServerHello& hello) { hello.legacy_session_id_echo = Octets(32, 7); });
  other.expect_connected();
  ASSERT_EQ(other.client().sessions.size(), 1U);
  EXPECT_EQ(other.client().sessions.front().session_id, Octets(32, 7));
}

// RFC 7627 5.2, for either side.
TEST(HostileTls12Hello, ExtendedMainSecretIsThere) {
  expect_server_hello_refused([](RawServerHello& hello) { hello.extensions.remove(kExtendedMainSecret); },
                              Reason::extended_main_secret_missing, Alert::handshake_failure);
  expect_client_hello_refused([](RawClientHello& hello) { hello.extensions.remove(kExtendedMainSecret); },
                              Reason::extended_main_secret_missing, Alert::handshake_failure);
  for (const bool client_allows : {false, true}) {
    OldDuel duel;
    duel.client_config.allow_no_extended_main_secret(client_allows);
    duel.server_config.allow_no_extended_main_secret(true);
    duel.client_forger.change_parts<RawClientHello>(
        HandshakeType::client_hello, [](RawClientHello& hello) { hello.extensions.remove(kExtendedMainSecret); });
    if (client_allows) {
      duel.expect_connected();
      duel.expect_alive();
    } else {
      duel.expect_client_refuses(Reason::extended_main_secret_missing, Alert::handshake_failure, Place::server_hello);
    }
  }
}

// RFC 5746 3.4 and 3.6.
TEST(HostileTls12Hello, RenegotiationInfoIsEmptyAndThere) {
  expect_server_hello_refused([](RawServerHello& hello) { hello.extensions.remove(kRenegotiationInfo); },
                              Reason::renegotiation_info_missing, Alert::handshake_failure);
  expect_server_hello_refused([](RawServerHello& hello) { hello.extensions[kRenegotiationInfo] = {2, 1, 2}; },
                              Reason::renegotiation_info_mismatch, Alert::handshake_failure);
  expect_client_hello_refused([](RawClientHello& hello) { hello.extensions[kRenegotiationInfo] = {2, 1, 2}; },
                              Reason::renegotiation_info_mismatch, Alert::handshake_failure);
  for (const Octets& malformed : {Octets{}, Octets{1}, Octets{0, 0}}) {
    expect_server_hello_refused([&](RawServerHello& hello) { hello.extensions[kRenegotiationInfo] = malformed; },
                                Reason::extension_malformed, Alert::decode_error);
  }
  OldDuel allowed;
  allowed.client_config.allow_no_renegotiation_info(true);
  allowed.server_forger.change_parts<RawServerHello>(
      HandshakeType::server_hello, [](RawServerHello& hello) { hello.extensions.remove(kRenegotiationInfo); });
  allowed.expect_connected();
  // A server answers the signalling suite just as the extension, and gives a client without either no answer.
  for (const bool signals : {true, false}) {
    OldDuel duel;
    duel.client_config.allow_no_renegotiation_info(true);
    duel.client_forger.change_parts<RawClientHello>(HandshakeType::client_hello, [signals](RawClientHello& hello) {
      hello.extensions.remove(kRenegotiationInfo);
      if (signals) append(hello.cipher_suites, Octets{0x00, 0xff});
    });
    duel.run();
    const auto answered = RawServerHello::split(duel.server_forger.honest.front()).extensions;
    EXPECT_EQ(std::ranges::contains(answered, kRenegotiationInfo, &RawExtension::type), signals);
  }
}

TEST(HostileTls12Hello, ExtensionsWereOffered) {
  expect_server_hello_refused(
      [](RawServerHello& hello) {
        hello.extensions.add(ExtensionType::application_layer_protocol_negotiation, {0, 3, 2, 'h', '2'});
      },
      Reason::extension_unsolicited, Alert::unsupported_extension);
  expect_server_hello_refused([](RawServerHello& hello) { hello.extensions.add(kRenegotiationInfo, {0}); },
                              Reason::extension_duplicate);
  expect_server_hello_refused([](RawServerHello& hello) { hello.extensions.add(ExtensionType::session_ticket, {1}); },
                              Reason::extension_malformed, Alert::decode_error);
}

// RFC 8422 5.1.2 and 5.2.
TEST(HostileTls12Hello, PointsAreUncompressed) {
  expect_server_hello_refused(
      [](RawServerHello& hello) {
        hello.extensions.remove(ExtensionType::ec_point_formats);
        hello.extensions.add(ExtensionType::ec_point_formats, {1, 1});
      },
      Reason::point_format);
  expect_client_hello_refused(
      [](RawClientHello& hello) { hello.extensions[ExtensionType::ec_point_formats] = {2, 1, 2}; },
      Reason::point_format);
}

// RFC 9846 4.2.3.
TEST(HostileTls12Hello, IsNoDowngrade) {
  const auto mark = [](RawServerHello& hello, std::uint8_t last) {
    const Octets sentinel{0x44, 0x4f, 0x57, 0x4e, 0x47, 0x52, 0x44, last};
    std::ranges::copy(sentinel, hello.random.end() - 8);
  };
  for (const std::uint8_t last : Octets{0, 1}) {
    Duel duel;
    speak_tls12(duel);
    duel.client_config.versions(kTls12, ProtocolVersion::tls_1_3)
        .suites({CipherSuite::tls_aes_128_gcm_sha256, CipherSuite::tls_ecdhe_ecdsa_with_aes_128_gcm_sha256});
    duel.server_forger.change_parts<RawServerHello>(HandshakeType::server_hello,
                                                    [&](RawServerHello& hello) { mark(hello, last); });
    duel.expect_client_refuses(Reason::version_downgrade, Alert::illegal_parameter);
  }
  expect_server_hello_refused(
      [&](RawServerHello& hello) {
        hello.legacy_version = 0x0302;
        mark(hello, 0);
      },
      Reason::version_downgrade);
}

// RFC 7507 3.
TEST(HostileTls12Hello, IsNoFallback) {
  for (const bool newer : {true, false}) {
    OldDuel duel;
    if (newer)
      duel.server_config.versions(kTls12, ProtocolVersion::tls_1_3)
          .suites({CipherSuite::tls_aes_128_gcm_sha256, CipherSuite::tls_ecdhe_ecdsa_with_aes_128_gcm_sha256});
    duel.client_forger.change_parts<RawClientHello>(
        HandshakeType::client_hello, [](RawClientHello& hello) { append(hello.cipher_suites, Octets{0x56, 0x00}); });
    if (newer) {
      duel.expect_server_refuses(Reason::inappropriate_fallback, Alert::inappropriate_fallback, Place::client_hello);
    } else {
      duel.expect_connected();
    }
  }
}

TEST(HostileTls12Hello, ClientsHaveSomethingInCommon) {
  expect_client_hello_refused([](RawClientHello& hello) { hello.cipher_suites = {0xc0, 0x2f}; },
                              Reason::suite_unsupported, Alert::handshake_failure);
  expect_client_hello_refused(
      [](RawClientHello& hello) { hello.extensions[ExtensionType::supported_groups] = {0, 2, 0, 30}; },
      Reason::group_unsupported, Alert::handshake_failure);
  expect_client_hello_refused(
      [](RawClientHello& hello) { hello.extensions.remove(ExtensionType::signature_algorithms); },
      Reason::scheme_unsupported, Alert::handshake_failure);
}

// --- the server's flight -------------------------------------------------------------------------------------------

TEST(HostileTls12Certificate, IsThere) {
  OldDuel duel;
  duel.server_forger.replace(HandshakeType::certificate, message_of(HandshakeType::certificate, Octets{0, 0, 0}));
  duel.expect_client_refuses(Reason::certificate_missing, Alert::decode_error, Place::certificate);
}

TEST(HostileTls12Certificate, IsWellFormed) {
  const auto refuse = [](Octets body, Reason reason, Alert alert) {
    OldDuel duel;
    duel.server_forger.replace(HandshakeType::certificate, message_of(HandshakeType::certificate, body));
    duel.expect_client_refuses(reason, alert, Place::certificate);
  };
  refuse({}, Reason::message_truncated, Alert::decode_error);
  refuse({0, 0, 5, 0, 0, 9, 1, 2}, Reason::message_truncated, Alert::decode_error);
  refuse({0, 0, 0, 0}, Reason::message_trailing_data, Alert::decode_error);
  refuse({0, 0, 3, 0, 0, 0}, Reason::vector_length, Alert::decode_error);
  refuse({0, 0, 4, 0, 0, 1, 9}, Reason::certificate_malformed, Alert::bad_certificate);
}

// A key of RSASSA-PSS signs and does not decrypt (RFC 5246 7.4.2).
TEST(HostileTls12Certificate, IsForEncryptionWhereTheSecretTravelsToItsKey) {
  if (provider().key_loader(KeyType::rsa_pss) == nullptr) GTEST_SKIP() << "no RSA";
  OldDuel duel;
  duel.client_config.suites(
      {CipherSuite::tls_rsa_with_aes_128_gcm_sha256, CipherSuite::tls_ecdhe_rsa_with_aes_128_gcm_sha256});
  duel.client_config.schemes({SignatureScheme::rsa_pss_pss_sha256});
  duel.server_config.schemes({SignatureScheme::rsa_pss_pss_sha256});
  duel.server_config.suites({CipherSuite::tls_ecdhe_rsa_with_aes_128_gcm_sha256});
  duel.server().credential = credential_of(KeyType::rsa_pss);
  duel.server_forger.change_parts<RawServerHello>(HandshakeType::server_hello,
                                                  [](RawServerHello& hello) { hello.cipher_suite = 0x009c; });
  duel.expect_client_refuses(Reason::suite_wrong_key, Alert::illegal_parameter, Place::certificate);
}

// The certificate itself may forbid it.
TEST(HostileTls12Certificate, AllowsEncryptionWhereTheSecretTravelsToItsKey) {
  constexpr auto kTransports = CipherSuite::tls_rsa_with_aes_128_gcm_sha256;
  constexpr auto kSigns = CipherSuite::tls_ecdhe_rsa_with_aes_128_gcm_sha256;
  if (!provider().supports(kTransports)) GTEST_SKIP() << "no RSA";
  const auto prepare = [](OldDuel& duel, CipherSuite suite, x509::KeyUsage usage) {
    duel.client_config.suites({suite}).schemes({SignatureScheme::rsa_pss_rsae_sha256});
    duel.server_config.suites({suite}).schemes({SignatureScheme::rsa_pss_rsae_sha256});
    duel.server().credential = credential_of(KeyType::rsa, "example.com", {usage});
  };
  OldDuel forbids;
  prepare(forbids, kTransports, x509::KeyUsage::digital_signature);
  forbids.expect_client_refuses(Reason::certificate_wrong_usage, Alert::unsupported_certificate, Place::certificate);
  OldDuel allows;
  prepare(allows, kTransports, x509::KeyUsage::key_encipherment);
  allows.expect_connected();
  // A key that signs is the application's to judge.
  OldDuel signs;
  prepare(signs, kSigns, x509::KeyUsage::digital_signature);
  signs.expect_connected();
}

TEST(HostileTls12Certificate, FitsTheSuite) {
  OldDuel duel;
  duel.client_config.suites(
      {CipherSuite::tls_ecdhe_ecdsa_with_aes_128_gcm_sha256, CipherSuite::tls_ecdhe_rsa_with_aes_128_gcm_sha256});
  duel.server_forger.change_parts<RawServerHello>(HandshakeType::server_hello,
                                                  [](RawServerHello& hello) { hello.cipher_suite = 0xc02f; });
  duel.expect_client_refuses(Reason::suite_wrong_key, Alert::illegal_parameter, Place::certificate);
}

// RFC 8422 5.3.
TEST(HostileTls12Certificate, IsOnACurveThatWasOffered) {
  if (!provider().supports(NamedGroup::brainpoolP256r1)) GTEST_SKIP() << "no brainpool";
  OldDuel duel;
  duel.server_config.groups({NamedGroup::x25519, NamedGroup::brainpoolP256r1});
  duel.client_forger.change_parts<RawClientHello>(HandshakeType::client_hello, [](RawClientHello& hello) {
    hello.extensions[ExtensionType::supported_groups] = {0, 6, 0, 29, 0, 23, 0, 26};
  });
  duel.server().credential = credential_of(KeyType::ec_brainpoolP256r1);
  duel.expect_client_refuses(Reason::group_not_offered, Alert::illegal_parameter, Place::certificate);
}

TEST(HostileTls12ServerHelloDone, IsEmpty) {
  OldDuel duel;
  duel.server_forger.replace(HandshakeType::server_hello_done, message_of(HandshakeType::server_hello_done, Octets{0}));
  duel.expect_client_refuses(Reason::message_trailing_data, Alert::decode_error, Place::server_hello_done);
}

TEST(HostileTls12Flight, LeavesNothingOut) {
  const auto refuse = [](HandshakeType left_out, Place next) {
    OldDuel duel;
    duel.server_forger.omit(left_out);
    duel.expect_client_refuses(Reason::message_unexpected, Alert::unexpected_message, next);
  };
  refuse(HandshakeType::certificate, Place::server_key_exchange);
  refuse(HandshakeType::server_key_exchange, Place::server_hello_done);
  // A second ServerHello, or what only TLS 1.3 has.
  OldDuel twice;
  twice.server_forger.change(HandshakeType::certificate,
                             [&twice](const Octets&) { return twice.server_forger.honest.front(); });
  twice.expect_client_refuses(Reason::message_unexpected, Alert::unexpected_message, Place::server_hello);
  OldDuel newer;
  newer.server_forger.replace(HandshakeType::certificate,
                              message_of(HandshakeType::encrypted_extensions, Octets{0, 0}));
  newer.expect_client_refuses(Reason::message_unexpected, Alert::unexpected_message, Place::encrypted_extensions);
}

// --- the client's flight -------------------------------------------------------------------------------------------

TEST(HostileTls12Client, KeyExchangeIsAPointOfTheGroup) {
  const auto refuse = [](Octets body, Reason reason, Alert alert) {
    OldDuel duel;
    duel.client_forger.replace(HandshakeType::client_key_exchange,
                               message_of(HandshakeType::client_key_exchange, body));
    // The client has changed its keys by then and waits for the server's; the alert comes before them.
    duel.expect_server_refuses(reason, alert, Place::client_key_exchange);
  };
  refuse(vector_of(Octets(32, 0), 1), Reason::key_share_invalid, Alert::illegal_parameter);
  refuse(vector_of(Octets(31, 9), 1), Reason::key_share_size, Alert::illegal_parameter);
  refuse(vector_of(Octets(65, 4), 1), Reason::key_share_size, Alert::illegal_parameter);
  refuse({0}, Reason::vector_length, Alert::decode_error);
  refuse({}, Reason::message_truncated, Alert::decode_error);
  refuse({33, 1, 2}, Reason::message_truncated, Alert::decode_error);
  Octets longer = vector_of(Octets(32, 9), 1);
  longer.push_back(0);
  refuse(longer, Reason::message_trailing_data, Alert::decode_error);
}

TEST(HostileTls12Client, PointIsOnTheCurve) {
  for (const std::uint8_t form : Octets{4, 0, 6}) {
    OldDuel duel;
    duel.server_config.groups({NamedGroup::secp256r1});
    Octets point(65, 5);
    point[0] = form;
    duel.client_forger.replace(HandshakeType::client_key_exchange,
                               message_of(HandshakeType::client_key_exchange, vector_of(point, 1)));
    duel.expect_server_refuses(Reason::key_share_invalid, Alert::illegal_parameter, Place::client_key_exchange);
  }
}

TEST(HostileTls12Client, CertificateIsThereWhereItIsRequired) {
  OldDuel duel;
  duel.server_config.client_auth(ClientAuth::require);
  duel.client_forger.replace(HandshakeType::certificate, message_of(HandshakeType::certificate, Octets{0, 0, 0}));
  // RFC 5246 7.4.6: "respond with a fatal handshake_failure alert": TLS 1.3 has an alert of its own for it.
  duel.expect_server_refuses(Reason::certificate_required, Alert::handshake_failure, Place::certificate);

  OldDuel omitted;
  omitted.server_config.client_auth(ClientAuth::request);
  omitted.client_forger.omit(HandshakeType::certificate);
  omitted.expect_server_refuses(Reason::message_unexpected, Alert::unexpected_message, Place::client_key_exchange);

  OldDuel uninvited;
  uninvited.client_forger.precede(HandshakeType::client_key_exchange,
                                  message_of(HandshakeType::certificate, Octets{0, 0, 0}));
  uninvited.expect_server_refuses(Reason::message_unexpected, Alert::unexpected_message, Place::certificate);
}

TEST(HostileTls12Client, ProvesThatItHasItsKey) {
  const auto refuse = [](auto edit, Reason reason, Alert alert) {
    OldDuel duel;
    duel.server_config.client_auth(ClientAuth::require);
    duel.client_forger.change_parts<RawCertificateVerify>(HandshakeType::certificate_verify, edit);
    duel.expect_server_refuses(reason, alert, Place::certificate_verify);
  };
  refuse([](RawCertificateVerify& verify) { verify.signature.back() ^= 1U; }, Reason::signature_invalid,
         Alert::decrypt_error);
  refuse([](RawCertificateVerify& verify) { verify.algorithm = SignatureScheme::ecdsa_sha1; },
         Reason::scheme_not_offered, Alert::illegal_parameter);
  refuse([](RawCertificateVerify& verify) { verify.algorithm = SignatureScheme::ed25519; }, Reason::scheme_wrong_key,
         Alert::illegal_parameter);

  OldDuel omitted;
  omitted.server_config.client_auth(ClientAuth::require);
  omitted.client_forger.omit(HandshakeType::certificate_verify);
  omitted.expect_server_refuses(Reason::change_cipher_spec_unexpected, Alert::unexpected_message,
                                Place::change_cipher_spec);
}

// --- Finished and change_cipher_spec -------------------------------------------------------------------------------

TEST(HostileTls12Finished, IsThePeers) {
  for (const std::size_t place : {4U, 10U, 15U}) {
    const auto change = [place](Octets message) {
      message.at(place) ^= 1U;
      return message;
    };
    OldDuel of_client;
    of_client.client_forger.change(HandshakeType::finished, change);
    of_client.expect_server_refuses(Reason::finished_mismatch, Alert::decrypt_error, Place::finished);
    OldDuel of_server;
    of_server.server_forger.change(HandshakeType::finished, change);
    of_server.expect_client_refuses(Reason::finished_mismatch, Alert::decrypt_error, Place::finished);
  }
}

TEST(HostileTls12Finished, HasTwelveBytes) {
  const auto refuse = [](std::size_t size, Reason reason) {
    OldDuel duel;
    duel.client_forger.replace(HandshakeType::finished, message_of(HandshakeType::finished, Octets(size, 1)));
    duel.expect_server_refuses(reason, Alert::decode_error, Place::finished);
  };
  refuse(0, Reason::message_truncated);
  refuse(11, Reason::message_truncated);
  refuse(13, Reason::message_trailing_data);
  refuse(32, Reason::message_trailing_data);
}

// Nobody reflects what the other has said.
TEST(HostileTls12Finished, IsNotTheOwnOne) {
  OldDuel duel;
  duel.server_forger.change(HandshakeType::finished,
                            [&duel](const Octets&) { return duel.client_forger.honest.back(); });
  duel.expect_client_refuses(Reason::finished_mismatch, Alert::decrypt_error, Place::finished);
}

TEST(HostileTls12Finished, IsProtected) {
  OldDuel duel;
  duel.exchange_hellos();
  const std::size_t at = change_cipher_spec_in(duel.to_server());
  duel.to_server().resize(at + kChangeCipherSpec.size());
  append(duel.to_server(), plain_record(22, duel.client_forger.honest.back()));
  duel.server_speaks();
  OldDuel::expect_refusal(duel.server(), Reason::record_mac, Alert::bad_record_mac, Place::record);
}

TEST(HostileTls12ChangeCipherSpec, ComesOnce) {
  OldDuel duel;
  duel.exchange_hellos();
  const auto at = static_cast<std::ptrdiff_t>(change_cipher_spec_in(duel.to_server()));
  duel.to_server().insert(duel.to_server().begin() + at, kChangeCipherSpec.begin(), kChangeCipherSpec.end());
  duel.server_speaks();
  OldDuel::expect_refusal(duel.server(), Reason::change_cipher_spec_unexpected, Alert::unexpected_message,
                          Place::change_cipher_spec);

  OldDuel of_server;
  of_server.exchange_hellos();
  of_server.server_speaks();
  const auto there = static_cast<std::ptrdiff_t>(change_cipher_spec_in(of_server.to_client()));
  of_server.to_client().insert(of_server.to_client().begin() + there, kChangeCipherSpec.begin(),
                               kChangeCipherSpec.end());
  of_server.client_speaks();
  OldDuel::expect_refusal(of_server.client(), Reason::change_cipher_spec_unexpected, Alert::unexpected_message,
                          Place::change_cipher_spec);

  OldDuel connected;
  connected.expect_connected();
  append(connected.to_server(), kChangeCipherSpec);
  connected.server_speaks();
  OldDuel::expect_refusal(connected.server(), Reason::change_cipher_spec_unexpected, Alert::unexpected_message,
                          Place::change_cipher_spec);
}

TEST(HostileTls12ChangeCipherSpec, IsThere) {
  const auto cut = [](Octets& records) {
    const auto at = static_cast<std::ptrdiff_t>(change_cipher_spec_in(records));
    records.erase(records.begin() + at, records.begin() + at + static_cast<std::ptrdiff_t>(kChangeCipherSpec.size()));
  };
  // The explicit nonce of what is protected reads as a HelloRequest then.
  OldDuel of_client;
  of_client.exchange_hellos();
  cut(of_client.to_server());
  of_client.server_speaks();
  OldDuel::expect_refusal(of_client.server(), Reason::message_unexpected, Alert::unexpected_message,
                          Place::hello_request);
  OldDuel of_server;
  of_server.exchange_hellos();
  of_server.server_speaks();
  cut(of_server.to_client());
  of_server.client_speaks();
  OldDuel::expect_refusal(of_server.client(), Reason::message_unexpected, Alert::unexpected_message,
                          Place::hello_request);
  // Nor does a Finished in the open do.
  OldDuel open;
  open.exchange_hellos();
  open.to_server().resize(change_cipher_spec_in(open.to_server()));
  append(open.to_server(), plain_record(22, open.client_forger.honest.back()));
  open.server_speaks();
  OldDuel::expect_refusal(open.server(), Reason::message_unexpected, Alert::unexpected_message, Place::finished);
}

TEST(HostileTls12ChangeCipherSpec, IsASingleByte) {
  for (const Octets& content : {Octets{0}, Octets{2}, Octets{1, 1}}) {
    OldDuel duel;
    duel.exchange_hellos();
    duel.to_server().resize(change_cipher_spec_in(duel.to_server()));
    append(duel.to_server(), plain_record(20, content));
    duel.server_speaks();
    OldDuel::expect_refusal(duel.server(), Reason::change_cipher_spec_malformed, Alert::unexpected_message,
                            Place::change_cipher_spec);
  }
  // RFC 5246 6.2.1: no message is spread around it.
  OldDuel duel;
  duel.exchange_hellos();
  duel.to_server().resize(change_cipher_spec_in(duel.to_server()));
  append(duel.to_server(), plain_record(22, Octets{20, 0}));
  append(duel.to_server(), kChangeCipherSpec);
  duel.server_speaks();
  OldDuel::expect_refusal(duel.server(), Reason::record_interleaved, Alert::unexpected_message,
                          Place::change_cipher_spec);
}

TEST(HostileTls12Data, ComesAfterFinished) {
  OldDuel open;
  open.client_speaks();
  append(open.to_server(), plain_record(23, as_bytes("data")));
  open.expect_server_refuses(Reason::message_unexpected, Alert::unexpected_message, Place::record);

  OldDuel of_client;
  of_client.client_forger.omit(HandshakeType::finished);
  of_client.exchange_hellos();
  append(of_client.to_server(),
         seal_record(of_client.client().connection, ContentType::application_data, as_bytes("data")));
  of_client.server_speaks();
  OldDuel::expect_refusal(of_client.server(), Reason::message_unexpected, Alert::unexpected_message, Place::record);
  EXPECT_TRUE(of_client.server().data.empty());

  OldDuel of_server;
  of_server.server_forger.omit(HandshakeType::finished);
  of_server.exchange_hellos();
  of_server.server_speaks();
  append(of_server.to_client(),
         seal_record(of_server.server().connection, ContentType::application_data, as_bytes("data")));
  of_server.client_speaks();
  OldDuel::expect_refusal(of_server.client(), Reason::message_unexpected, Alert::unexpected_message, Place::record);
  EXPECT_TRUE(of_server.client().data.empty());
}

// --- sessions ------------------------------------------------------------------------------------------------------

class HostileTls12Resumption : public ::testing::Test {
 protected:
  void SetUp() override {
    FixedRandom random(11);
    keys = std::make_shared<TicketKeys>(allowed_ticket_keys(TicketKey::generate(random).value()).value());
  }
  void prepare(OldDuel& duel) const {
    duel.client_config.suites({CipherSuite::tls_ecdhe_ecdsa_with_aes_128_gcm_sha256, kChaCha20})
        .allow_no_extended_main_secret(lenient);
    duel.server_config.suites({CipherSuite::tls_ecdhe_ecdsa_with_aes_128_gcm_sha256, kChaCha20})
        .allow_no_extended_main_secret(lenient)
        .tickets(1);
    duel.server().ticket_keys = keys;
  }
  /// A session, made with or without extended master secret.
  [[nodiscard]] Session session(bool extended = true) const {
    OldDuel duel;
    if (!extended) forget_extended_main_secret(duel);
    prepare(duel);
    duel.expect_connected();
    EXPECT_EQ(duel.client().sessions.size(), 1U);
    EXPECT_EQ(duel.client().sessions.at(0).extended_master_secret, extended);
    return duel.client().sessions.at(0).clone();
  }
  static void forget_extended_main_secret(Duel& duel) {
    duel.client_forger.change_parts<RawClientHello>(
        HandshakeType::client_hello, [](RawClientHello& hello) { hello.extensions.remove(kExtendedMainSecret); });
  }

  std::shared_ptr<TicketKeys> keys;
  bool lenient = false;
};

TEST_F(HostileTls12Resumption, WorksWhenNobodyIsHostile) {
  OldDuel duel;
  duel.sessions.push_back(session());
  prepare(duel);
  duel.expect_connected();
  EXPECT_TRUE(duel.client().connection.resumed());
  EXPECT_TRUE(duel.server().connection.resumed());
}

TEST_F(HostileTls12Resumption, KeepsTheSuite) {
  OldDuel duel;
  duel.sessions.push_back(session());
  duel.server_forger.change_parts<RawServerHello>(HandshakeType::server_hello, [](RawServerHello& hello) {
    hello.cipher_suite = static_cast<std::uint16_t>(kChaCha20);
  });
  prepare(duel);
  duel.run();
  OldDuel::expect_refusal(duel.client(), Reason::session_changed, Alert::illegal_parameter, Place::server_hello);
}

// RFC 7627 5.3.
TEST_F(HostileTls12Resumption, KeepsExtendedMainSecret) {
  lenient = true;
  OldDuel lost;
  lost.sessions.push_back(session());
  lost.server_forger.change_parts<RawServerHello>(
      HandshakeType::server_hello, [](RawServerHello& hello) { hello.extensions.remove(kExtendedMainSecret); });
  prepare(lost);
  lost.run();
  OldDuel::expect_refusal(lost.client(), Reason::session_changed, Alert::illegal_parameter, Place::server_hello);

  // The ticket says what the client's session does not.
  OldDuel gained;
  gained.sessions.push_back(session());
  gained.sessions.front().extended_master_secret = false;
  prepare(gained);
  gained.run();
  OldDuel::expect_refusal(gained.client(), Reason::session_changed, Alert::illegal_parameter, Place::server_hello);

  OldDuel client_lost;
  client_lost.sessions.push_back(session());
  forget_extended_main_secret(client_lost);
  prepare(client_lost);
  client_lost.expect_server_refuses(Reason::session_changed, Alert::illegal_parameter, Place::client_hello);

  // The other way round, all of the handshake is done.
  OldDuel client_gained;
  client_gained.sessions.push_back(session(false));
  prepare(client_gained);
  client_gained.expect_connected();
  EXPECT_FALSE(client_gained.client().connection.resumed());
}

// RFC 7627 5.4: two connections may have the same Finished then, and two full handshakes the same master secret.
TEST_F(HostileTls12Resumption, BindsNothingToWhatTwoConnectionsMayShare) {
  lenient = true;
  OldDuel first;
  first.client_config.dangerous().expose_master_secret();
  forget_extended_main_secret(first);
  prepare(first);
  first.expect_connected();
  EXPECT_TRUE(first.client().connection.tls_unique());
  Octets out(12);
  EXPECT_EQ(first.client().connection.tls_exporter().error(), Misuse::not_extended);
  EXPECT_EQ(first.client().connection.prf("label", {}, out).error(), Misuse::not_extended);
  OldDuel again;
  again.sessions.push_back(session(false));
  forget_extended_main_secret(again);
  prepare(again);
  again.expect_connected();
  ASSERT_TRUE(again.client().connection.resumed());
  for (const End* end : {&again.client(), &again.server()}) {
    EXPECT_EQ(end->connection.tls_unique().error(), Misuse::not_extended);
    EXPECT_TRUE(end->connection.finished(Role::server));
  }
}

TEST_F(HostileTls12Resumption, NeedsTheWholeTicket) {
  const auto with = [&](auto edit) {
    OldDuel duel;
    duel.sessions.push_back(session());
    duel.client_forger.change_parts<RawClientHello>(HandshakeType::client_hello, [edit](RawClientHello& hello) {
      edit(hello.extensions[ExtensionType::session_ticket]);
    });
    prepare(duel);
    duel.expect_connected();
    EXPECT_FALSE(duel.client().connection.resumed());
    EXPECT_FALSE(duel.server().connection.resumed());
  };
  with([](Octets& ticket) { ticket.pop_back(); });
  with([](Octets& ticket) { ticket.resize(1); });
  with([](Octets& ticket) { ticket.clear(); });
  with([](Octets& ticket) { ticket.back() ^= 1U; });
}

// Somebody who has seen a ticket has no keys.
TEST_F(HostileTls12Resumption, NeedsTheSecret) {
  OldDuel duel;
  Session stolen = session();
  stolen.secret = DigestSecret(Octets(48, 7));
  duel.sessions.push_back(std::move(stolen));
  prepare(duel);
  duel.run();
  OldDuel::expect_refusal(duel.client(), Reason::record_mac, Alert::bad_record_mac, Place::record);
  EXPECT_FALSE(duel.server().complete);
}

TEST_F(HostileTls12Resumption, TicketIsWellFormed) {
  const auto refuse = [&](Octets body, Reason reason) {
    OldDuel duel;
    duel.server_forger.replace(HandshakeType::new_session_ticket, message_of(HandshakeType::new_session_ticket, body));
    prepare(duel);
    duel.expect_client_refuses(reason, Alert::decode_error, Place::new_session_ticket);
  };
  refuse({}, Reason::message_truncated);
  refuse({0, 0, 0, 9, 0}, Reason::message_truncated);
  refuse({0, 0, 0, 9, 0, 3, 1, 2}, Reason::message_truncated);
  refuse({0, 0, 0, 9, 0, 1, 1, 2}, Reason::message_trailing_data);
}

TEST_F(HostileTls12Resumption, TicketIsSentWhereItIsAnnounced) {
  OldDuel omitted;
  omitted.server_forger.omit(HandshakeType::new_session_ticket);
  prepare(omitted);
  omitted.expect_client_refuses(Reason::change_cipher_spec_unexpected, Alert::unexpected_message,
                                Place::change_cipher_spec);
  OldDuel unannounced;
  unannounced.server_forger.change_parts<RawServerHello>(HandshakeType::server_hello, [](RawServerHello& hello) {
    hello.extensions.remove(ExtensionType::session_ticket);
  });
  prepare(unannounced);
  unannounced.expect_client_refuses(Reason::message_unexpected, Alert::unexpected_message, Place::new_session_ticket);
}

// --- after the handshake -------------------------------------------------------------------------------------------

/// What asks a peer of this role to begin again.
Octets wish_to_renegotiate(Duel& duel, Role asked) {
  return asked == Role::client ? Octets{0, 0, 0, 0} : duel.client_forger.honest.front();
}

TEST(HostileTls12Connected, NobodyRenegotiates) {
  for (const Role asked : {Role::client, Role::server}) {
    OldDuel duel;
    duel.expect_connected();
    End& end = asked == Role::client ? duel.client() : duel.server();
    End& peer = asked == Role::client ? duel.server() : duel.client();
    Octets& inbound = asked == Role::client ? duel.to_client() : duel.to_server();
    Octets& outbound = asked == Role::client ? duel.to_server() : duel.to_client();
    const auto ask = [&] {
      append(inbound, seal_record(peer.connection, ContentType::handshake, wish_to_renegotiate(duel, asked)));
      duel.pair().step(end, outbound, inbound);  // takes it
      duel.pair().step(end, outbound, inbound);  // and answers
    };
    ask();
    ASSERT_FALSE(end.error) << error_text(end);
    // One alert, which does not end the connection of who asked: a warning.
    ASSERT_EQ(outbound.size(), record::kHeaderSize + 8 + 2 + 16);
    EXPECT_EQ(outbound.front(), 21);
    duel.expect_alive();
    // Not for ever. What it says to each is lost here: the peer would not bear so many warnings.
    unsigned asked_again = 0;
    for (; asked_again < 2 * record::kMaxIdleRecords && !end.error; ++asked_again) ask();
    EXPECT_EQ(asked_again, record::kMaxIdleRecords + 1);
    OldDuel::expect_refusal(end, Reason::too_many_warnings, Alert::unexpected_message, Place::handshake);
  }
}

TEST(HostileTls12Connected, OtherMessagesAreRefused) {
  for (const std::uint8_t type : Octets{2, 4, 5, 8, 11, 12, 13, 14, 15, 16, 20, 22, 24, 99}) {
    SCOPED_TRACE(type);
    for (const Role receiver : {Role::client, Role::server}) {
      OldDuel duel;
      duel.expect_connected();
      End& end = receiver == Role::client ? duel.client() : duel.server();
      End& peer = receiver == Role::client ? duel.server() : duel.client();
      append(receiver == Role::client ? duel.to_client() : duel.to_server(),
             seal_record(peer.connection, ContentType::handshake, Octets{type, 0, 0, 0}));
      duel.run();
      Duel::expect_refusal(end, Reason::message_unexpected, Alert::unexpected_message);
      Duel::expect_heard(peer, Alert::unexpected_message);
    }
  }
}

TEST(HostileTls12Connected, RecordsAreProtectedAndWhole) {
  OldDuel open;
  open.expect_connected();
  append(open.to_server(), plain_record(23, as_bytes("data")));
  open.run();
  Duel::expect_refusal(open.server(), Reason::record_mac, Alert::bad_record_mac);

  OldDuel changed;
  changed.expect_connected();
  Octets sealed = seal_record(changed.client().connection, ContentType::application_data, as_bytes("data"));
  sealed.back() ^= 1U;
  append(changed.to_server(), sealed);
  changed.Duel::expect_server_refuses(Reason::record_mac, Alert::bad_record_mac);

  OldDuel again;
  again.expect_connected();
  const Octets once = seal_record(again.client().connection, ContentType::application_data, as_bytes("data"));
  append(again.to_server(), once);
  append(again.to_server(), once);
  again.run();
  Duel::expect_refusal(again.server(), Reason::record_mac, Alert::bad_record_mac);
}

// RFC 5246 7.2.2: warnings do not end a connection, but they are not taken without end.
TEST(HostileTls12Alerts, WarningsAreBorne) {
  const Octets warning{1, 112};  // unrecognized_name, which servers send beside their ServerHello
  for (const unsigned count : {1U, record::kMaxWarningAlerts, record::kMaxWarningAlerts + 1}) {
    OldDuel early;
    early.client_speaks();
    for (unsigned i = 0; i < count; ++i) append(early.to_client(), plain_record(21, warning));
    OldDuel late;
    late.expect_connected();
    for (unsigned i = 0; i < count; ++i)
      append(late.to_client(), seal_record(late.server().connection, ContentType::alert, warning));
    if (count <= record::kMaxWarningAlerts) {
      early.expect_connected();
      late.expect_alive();
    } else {
      early.expect_client_refuses(Reason::too_many_warnings, Alert::unexpected_message, Place::alert);
      late.run();
      OldDuel::expect_refusal(late.client(), Reason::too_many_warnings, Alert::unexpected_message, Place::alert);
    }
  }
  // A fatal one of the same kind, and a warning where there is no TLS 1.2.
  OldDuel fatal;
  fatal.expect_connected();
  append(fatal.to_client(), seal_record(fatal.server().connection, ContentType::alert, Octets{2, 112}));
  fatal.run();
  Duel::expect_heard(fatal.client(), Alert::unrecognized_name);
  Duel newer;
  newer.expect_connected();
  append(newer.to_client(), seal_record(newer.server().connection, ContentType::alert, warning));
  newer.run();
  Duel::expect_heard(newer.client(), Alert::unrecognized_name);
}

TEST(HostileTls12Alerts, AreNotPartOfAMessage) {
  OldDuel duel;
  duel.client_speaks();
  append(duel.to_client(), plain_record(22, Octets{2, 0}));
  append(duel.to_client(), plain_record(21, Octets{1, 112}));
  duel.expect_client_refuses(Reason::record_interleaved, Alert::unexpected_message, Place::alert);
}

// --- NPN -----------------------------------------------------------------------------------------------------------

TEST(HostileNextProtocol, ComesWhereItWasAgreedOnAlone) {
  const auto configure = [](OldDuel& duel) {
    duel.client_config.next_protocols({"a"});
    duel.server_config.next_protocols({"a"});
  };
  OldDuel omitted;
  configure(omitted);
  omitted.client_forger.omit(HandshakeType::next_protocol);
  omitted.expect_server_refuses(Reason::message_unexpected, Alert::unexpected_message, Place::finished);
  OldDuel uninvited;
  uninvited.client_forger.precede(HandshakeType::finished, message_of(HandshakeType::next_protocol, Octets{0, 0}));
  uninvited.expect_server_refuses(Reason::message_unexpected, Alert::unexpected_message, Place::next_protocol);
  OldDuel unsolicited;
  unsolicited.server_forger.change_parts<RawServerHello>(HandshakeType::server_hello, [](RawServerHello& hello) {
    hello.extensions.add(ExtensionType::next_protocol_negotiation, {1, 'a'});
  });
  unsolicited.expect_client_refuses(Reason::extension_unsolicited, Alert::unsupported_extension, Place::server_hello);
  OldDuel both;
  both.client_config.next_protocols({"a"}).alpn({"b"});
  both.server_config.alpn({"b"});
  both.server_forger.change_parts<RawServerHello>(HandshakeType::server_hello, [](RawServerHello& hello) {
    hello.extensions.add(ExtensionType::next_protocol_negotiation, {1, 'a'});
  });
  both.expect_client_refuses(Reason::extension_forbidden, Alert::illegal_parameter, Place::server_hello);
}

TEST(HostileNextProtocol, IsWellFormed) {
  const auto refuse = [](const Octets& body, Reason reason, Alert alert) {
    OldDuel duel;
    duel.client_config.next_protocols({"a"});
    duel.server_config.next_protocols({"a"});
    duel.client_forger.replace(HandshakeType::next_protocol, message_of(HandshakeType::next_protocol, body));
    duel.expect_server_refuses(reason, alert, Place::next_protocol);
  };
  refuse({}, Reason::message_truncated, Alert::decode_error);
  refuse({1, 'a'}, Reason::message_truncated, Alert::decode_error);
  refuse({1, 'a', 0, 0}, Reason::message_trailing_data, Alert::decode_error);
  refuse({1, 'b', 0}, Reason::alpn_mismatch, Alert::no_application_protocol);
  refuse({0, 0}, Reason::alpn_mismatch, Alert::no_application_protocol);
  OldDuel duel;
  duel.client_config.next_protocols({"a"});
  duel.server_config.next_protocols({"a"});
  duel.server_forger.change_parts<RawServerHello>(HandshakeType::server_hello, [](RawServerHello& hello) {
    hello.extensions[ExtensionType::next_protocol_negotiation] = {2, 'a'};
  });
  duel.expect_client_refuses(Reason::extension_malformed, Alert::decode_error, Place::server_hello);
}

// Data is out, and what follows is refused all the same.
TEST(HostileFalseStart, StillNeedsTheServersFinished) {
  OldDuel duel;
  duel.client_config.false_start(true).alpn({"a"});
  duel.server_config.alpn({"a"});
  duel.server_forger.change(HandshakeType::finished, [](Octets message) {
    message.back() ^= 1U;
    return message;
  });
  duel.exchange_hellos();
  ASSERT_TRUE(duel.client().connection.false_start());
  duel.pair().send(duel.client(), "early");
  duel.run();
  OldDuel::expect_refusal(duel.client(), Reason::finished_mismatch, Alert::decrypt_error, Place::finished);
  EXPECT_FALSE(duel.client().connection.false_start());

  // A server's data may not come before its Finished.
  OldDuel skips;
  skips.client_config.false_start(true).alpn({"a"});
  skips.server_config.alpn({"a"});
  skips.exchange_hellos();
  append(skips.to_client(), plain_record(23, Octets{1}));
  skips.client_speaks();
  ASSERT_TRUE(skips.client().error);
  EXPECT_EQ(skips.client().error->reason, Reason::message_unexpected);
}

}  // namespace
}  // namespace lockstep::testing
