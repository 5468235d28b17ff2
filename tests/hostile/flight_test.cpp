// EncryptedExtensions, CertificateRequest, Certificate, CertificateVerify and Finished that are not what they must be.

#include "hostile/hostile.hpp"
#include "x509/der_writer.hpp"

namespace lockstep::testing {
namespace {

template <class Parts, class Edit>
void expect_client_refuses(HandshakeType type, Edit edit, Reason reason, Alert alert, Place place,
                           ClientAuth client_auth = ClientAuth::none) {
  Duel duel;
  duel.client_config.alpn({"h2"});
  duel.server_config.alpn({"h2"}).client_auth(client_auth);
  duel.server_forger.change_parts<Parts>(type, edit);
  duel.expect_client_refuses(reason, alert);
  ASSERT_TRUE(duel.client().error);
  EXPECT_EQ(duel.client().error->place, place);
  EXPECT_FALSE(duel.client().complete);
  EXPECT_FALSE(duel.server().complete);
}

template <class Parts, class Edit>
void expect_server_refuses(HandshakeType type, Edit edit, Reason reason, Alert alert, Place place,
                           ClientAuth client_auth = ClientAuth::require) {
  Duel duel;
  duel.server_config.client_auth(client_auth);
  duel.client_forger.change_parts<Parts>(type, edit);
  duel.expect_server_refuses(reason, alert);
  ASSERT_TRUE(duel.server().error);
  EXPECT_EQ(duel.server().error->place, place);
  EXPECT_FALSE(duel.server().complete);
}

// --- EncryptedExtensions -------------------------------------------------------------------------------------------

template <class Edit>
void expect_refused_extensions(Edit edit, Reason reason, Alert alert) {
  expect_client_refuses<RawEncryptedExtensions>(
      HandshakeType::encrypted_extensions, [edit](RawEncryptedExtensions& message) { edit(message.extensions); },
      reason, alert, Place::encrypted_extensions);
}

constexpr auto kAlpn = ExtensionType::application_layer_protocol_negotiation;

TEST(HostileEncryptedExtensions, AlpnWasOffered) {
  expect_refused_extensions([](RawExtensions& list) { list[kAlpn] = {0, 3, 2, 'h', '3'}; }, Reason::alpn_not_offered,
                            Alert::illegal_parameter);
  expect_refused_extensions([](RawExtensions& list) { list[kAlpn] = {0, 2, 1, 'h'}; }, Reason::alpn_not_offered,
                            Alert::illegal_parameter);
}

TEST(HostileEncryptedExtensions, AlpnIsOneName) {
  for (const Octets& data : {Octets{}, Octets{0, 0}, Octets{0, 1, 0}, Octets{0, 6, 2, 'h', '2', 2, 'h', '2'},
                             Octets{0, 3, 9, 'h', '2'}, Octets{0, 3, 2, 'h', '2', 0}}) {
    expect_refused_extensions([&](RawExtensions& list) { list[kAlpn] = data; }, Reason::alpn_malformed,
                              Alert::decode_error);
  }
}

TEST(HostileEncryptedExtensions, AlpnComesOnlyWhenAskedFor) {
  Duel duel;
  duel.server_forger.change_parts<RawEncryptedExtensions>(
      HandshakeType::encrypted_extensions,
      [](RawEncryptedExtensions& message) { message.extensions.add(kAlpn, {0, 3, 2, 'h', '2'}); });
  duel.expect_client_refuses(Reason::extension_unsolicited, Alert::unsupported_extension);
}

TEST(HostileEncryptedExtensions, ServerNameIsEmpty) {
  expect_refused_extensions([](RawExtensions& list) { list[ExtensionType::server_name] = {0}; },
                            Reason::server_name_malformed, Alert::decode_error);
}

TEST(HostileEncryptedExtensions, NoExtensionStandsTwice) {
  expect_refused_extensions([](RawExtensions& list) { list.add(ExtensionType::server_name); },
                            Reason::extension_duplicate, Alert::illegal_parameter);
}

TEST(HostileEncryptedExtensions, ExtensionsOfOtherMessagesAreForbidden) {
  for (const ExtensionType type :
       {ExtensionType::key_share, ExtensionType::supported_versions, ExtensionType::signature_algorithms,
        ExtensionType::psk_key_exchange_modes, ExtensionType::cookie, ExtensionType::pre_shared_key,
        ExtensionType::status_request, ExtensionType::renegotiation_info, ExtensionType::extended_main_secret}) {
    expect_refused_extensions([type](RawExtensions& list) { list.add(type); }, Reason::extension_forbidden,
                              Alert::illegal_parameter);
  }
}

TEST(HostileEncryptedExtensions, NothingComesUnasked) {
  for (const ExtensionType type : {ExtensionType::early_data, ExtensionType::record_size_limit,
                                   ExtensionType::max_fragment_length, static_cast<ExtensionType>(0x4242)}) {
    expect_refused_extensions([type](RawExtensions& list) { list.add(type); }, Reason::extension_unsolicited,
                              Alert::unsupported_extension);
  }
}

TEST(HostileEncryptedExtensions, GroupsAreWholeAndIgnored) {
  expect_refused_extensions([](RawExtensions& list) { list.add(ExtensionType::supported_groups, {0, 3, 0, 0x1d, 0}); },
                            Reason::extension_malformed, Alert::decode_error);
  Duel duel;
  duel.server_forger.change_parts<RawEncryptedExtensions>(
      HandshakeType::encrypted_extensions, [](RawEncryptedExtensions& message) {
        message.extensions.add(ExtensionType::supported_groups, {0, 4, 0x42, 0x42, 0, 0x1d});
      });
  duel.expect_connected();
}

// --- CertificateRequest --------------------------------------------------------------------------------------------

template <class Edit>
void expect_refused_request(Edit edit, Reason reason, Alert alert) {
  expect_client_refuses<RawCertificateRequest>(HandshakeType::certificate_request, edit, reason, alert,
                                               Place::certificate_request, ClientAuth::require);
}

TEST(HostileCertificateRequest, ContextIsEmpty) {
  expect_refused_request([](RawCertificateRequest& request) { request.certificate_request_context = {1}; },
                         Reason::certificate_context, Alert::illegal_parameter);
}

TEST(HostileCertificateRequest, SchemesAreThere) {
  expect_refused_request(
      [](RawCertificateRequest& request) { request.extensions.remove(ExtensionType::signature_algorithms); },
      Reason::extension_missing, Alert::missing_extension);
  for (const Octets& data : {Octets{}, Octets{0, 0}, Octets{0, 1, 4}, Octets{0, 2, 4, 3, 0}}) {
    expect_refused_request(
        [&](RawCertificateRequest& request) { request.extensions[ExtensionType::signature_algorithms] = data; },
        Reason::extension_malformed, Alert::decode_error);
  }
}

TEST(HostileCertificateRequest, ExtensionsAreItsOwn) {
  expect_refused_request(
      [](RawCertificateRequest& request) { request.extensions.add(ExtensionType::signature_algorithms, {0, 2, 4, 3}); },
      Reason::extension_duplicate, Alert::illegal_parameter);
  expect_refused_request([](RawCertificateRequest& request) { request.extensions.add(ExtensionType::key_share); },
                         Reason::extension_forbidden, Alert::illegal_parameter);
}

TEST(HostileCertificateRequest, UnknownExtensionsAreIgnored) {
  Duel duel;
  duel.server_config.client_auth(ClientAuth::require);
  duel.server_forger.change_parts<RawCertificateRequest>(
      HandshakeType::certificate_request,
      [](RawCertificateRequest& request) { request.extensions.add(static_cast<ExtensionType>(0x4242), {1, 2, 3}); });
  duel.expect_connected();
}

// RFC 9846 4.3 lets server_name stand in a CertificateRequest (RFC 9261 sends it); it is nothing that a handshake uses.
TEST(HostileCertificateRequest, ServerNameIsIgnored) {
  Duel duel;
  duel.server_config.client_auth(ClientAuth::require);
  duel.server_forger.change_parts<RawCertificateRequest>(
      HandshakeType::certificate_request,
      [](RawCertificateRequest& request) { request.extensions.add(ExtensionType::server_name, {0, 4, 0, 0, 1, 'a'}); });
  duel.expect_connected();
}

// Our servers send no filters: a client has to tell them to whoever selects its certificate, in the server's order.
TEST(HostileCertificateRequest, FiltersAreTold) {
  const Octets key_usage{0x06, 0x03, 0x55, 0x1d, 0x0f};
  const Octets digital_signature{0x03, 0x02, 0x07, 0x80};
  const Octets extended_key_usage{0x06, 0x03, 0x55, 0x1d, 0x25};
  Octets filters = vector_of(key_usage, 1);
  put_vector(filters, digital_signature, 2);
  put_vector(filters, extended_key_usage, 1);
  put_vector(filters, {}, 2);
  const auto told = [](const Octets& list) {
    Duel duel;
    duel.server_config.client_auth(ClientAuth::require);
    duel.server_forger.change_parts<RawCertificateRequest>(
        HandshakeType::certificate_request, [&list](RawCertificateRequest& request) {
          request.extensions.add(ExtensionType::oid_filters, vector_of(list, 2));
        });
    duel.expect_connected();
    return duel.client().oid_filters;
  };
  EXPECT_EQ(told(filters), (decltype(told({})){{key_usage, digital_signature}, {extended_key_usage, {}}}));
  EXPECT_TRUE(told({}).empty());
}

TEST(HostileCertificateRequest, FiltersAreWellFormedAndFew) {
  const auto refused = [](const Octets& data, Reason reason, Alert alert) {
    expect_refused_request(
        [&data](RawCertificateRequest& request) { request.extensions.add(ExtensionType::oid_filters, data); }, reason,
        alert);
  };
  refused({}, Reason::extension_malformed, Alert::decode_error);
  refused({0, 3, 0, 0, 0}, Reason::extension_malformed, Alert::decode_error);        // an empty OID
  refused({0, 4, 1, 0x06, 0, 1}, Reason::extension_malformed, Alert::decode_error);  // values that are cut
  Octets many;
  for (std::size_t i = 0; i <= codec::kMaxOidFilters; ++i) many.insert(many.end(), {1, 0x06, 0, 0});
  refused(vector_of(many, 2), Reason::too_many_entries, Alert::illegal_parameter);
}

TEST(HostileCertificateRequest, ComesOnce) {
  Duel duel;
  duel.server_config.client_auth(ClientAuth::require);
  duel.server_forger.change(HandshakeType::certificate_request, [](Octets request) {
    const Octets twice = request;
    append(request, twice);
    return request;
  });
  duel.expect_client_refuses(Reason::message_unexpected, Alert::unexpected_message);
}

// --- Certificate ---------------------------------------------------------------------------------------------------

template <class Edit>
void expect_refused_certificate(Edit edit, Reason reason, Alert alert) {
  expect_client_refuses<RawCertificate>(HandshakeType::certificate, edit, reason, alert, Place::certificate);
  expect_server_refuses<RawCertificate>(HandshakeType::certificate, edit, reason, alert, Place::certificate);
}

TEST(HostileCertificate, ContextIsEmpty) {
  expect_refused_certificate([](RawCertificate& certificate) { certificate.certificate_request_context = {0}; },
                             Reason::certificate_context, Alert::illegal_parameter);
}

TEST(HostileCertificate, ServerHasOne) {
  expect_client_refuses<RawCertificate>(
      HandshakeType::certificate, [](RawCertificate& certificate) { certificate.certificate_list.clear(); },
      Reason::certificate_missing, Alert::decode_error, Place::certificate);
}

TEST(HostileCertificate, ClientHasOneWhenItMust) {
  expect_server_refuses<RawCertificate>(
      HandshakeType::certificate, [](RawCertificate& certificate) { certificate.certificate_list.clear(); },
      Reason::certificate_required, Alert::certificate_required, Place::certificate);
}

TEST(HostileCertificate, VerifyWithoutCertificateIsUnexpected) {
  // The list is empty, but CertificateVerify follows.
  expect_server_refuses<RawCertificate>(
      HandshakeType::certificate, [](RawCertificate& certificate) { certificate.certificate_list.clear(); },
      Reason::message_unexpected, Alert::unexpected_message, Place::certificate_verify, ClientAuth::request);
}

TEST(HostileCertificate, EntriesAreNotEmpty) {
  expect_refused_certificate(
      [](RawCertificate& certificate) { certificate.certificate_list.front().cert_data.clear(); },
      Reason::vector_length, Alert::decode_error);
  expect_refused_certificate([](RawCertificate& certificate) { certificate.certificate_list.push_back({}); },
                             Reason::vector_length, Alert::decode_error);
}

TEST(HostileCertificate, LeafIsACertificate) {
  const auto leaf = [](auto edit) {
    expect_refused_certificate(
        [edit](RawCertificate& certificate) { edit(certificate.certificate_list.front().cert_data); },
        Reason::certificate_malformed, Alert::bad_certificate);
  };
  leaf([](Octets& der) { der = {1, 2, 3}; });
  leaf([](Octets& der) { der.pop_back(); });
  leaf([](Octets& der) { der.push_back(0); });
  leaf([](Octets& der) { der[0] ^= 0x20U; });
  leaf([](Octets& der) { der.assign(5000, 0x30); });
}

TEST(HostileCertificate, KeyTypeIsKnown) {
  // id-ecPublicKey, 1.2.840.10045.2.1, becomes 1.2.840.10045.2.127.
  const Octets oid{0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01};
  expect_refused_certificate(
      [&](RawCertificate& certificate) {
        Octets& der = certificate.certificate_list.front().cert_data;
        const auto found = std::ranges::search(der, oid);
        ASSERT_FALSE(found.empty());
        found.back() = 0x7f;
      },
      Reason::certificate_type, Alert::unsupported_certificate);
}

TEST(HostileCertificate, ExtensionsWereAskedFor) {
  const auto entry = [](ExtensionType type) {
    return [type](RawCertificate& certificate) { certificate.certificate_list.front().extensions.add(type); };
  };
  expect_refused_certificate(entry(ExtensionType::status_request), Reason::extension_unsolicited,
                             Alert::unsupported_extension);
  expect_refused_certificate(entry(ExtensionType::signed_certificate_timestamp), Reason::extension_unsolicited,
                             Alert::unsupported_extension);
  expect_refused_certificate(entry(static_cast<ExtensionType>(0x4242)), Reason::extension_unsolicited,
                             Alert::unsupported_extension);
  expect_refused_certificate(entry(ExtensionType::server_name), Reason::extension_forbidden, Alert::illegal_parameter);
  expect_refused_certificate(
      [](RawCertificate& certificate) {
        certificate.certificate_list.front().extensions.add(ExtensionType::status_request);
        certificate.certificate_list.front().extensions.add(ExtensionType::status_request);
      },
      Reason::extension_duplicate, Alert::illegal_parameter);
}

// --- CertificateVerify ---------------------------------------------------------------------------------------------

template <class Edit>
void expect_refused_verify(Edit edit, Reason reason, Alert alert) {
  expect_client_refuses<RawCertificateVerify>(HandshakeType::certificate_verify, edit, reason, alert,
                                              Place::certificate_verify);
  expect_server_refuses<RawCertificateVerify>(HandshakeType::certificate_verify, edit, reason, alert,
                                              Place::certificate_verify);
  // Whoever looks at it before its turn says nothing before the certificates are judged, and then the same.
  for (const bool accepts : {true, false}) {
    Duel duel;
    duel.client_config.hand_out_computations();
    duel.server_forger.change_parts<RawCertificateVerify>(HandshakeType::certificate_verify, edit);
    if (!accepts) duel.client().rejection = PeerRejected{Reason::certificate_expired};
    duel.expect_client_refuses(accepts ? reason : Reason::certificate_expired,
                               accepts ? alert : Alert::certificate_expired);
  }
}

TEST(HostileCertificateVerify, SignatureIsTheKeys) {
  for (const std::size_t place : {0U, 4U, 10U, 40U}) {
    expect_refused_verify([place](RawCertificateVerify& verify) { verify.signature[place] ^= 1U; },
                          Reason::signature_invalid, Alert::decrypt_error);
  }
  expect_refused_verify([](RawCertificateVerify& verify) { verify.signature.clear(); }, Reason::signature_invalid,
                        Alert::decrypt_error);
  expect_refused_verify([](RawCertificateVerify& verify) { verify.signature.push_back(0); }, Reason::signature_invalid,
                        Alert::decrypt_error);
  // r and s of zero.
  expect_refused_verify([](RawCertificateVerify& verify) { verify.signature = {0x30, 6, 2, 1, 0, 2, 1, 0}; },
                        Reason::signature_invalid, Alert::decrypt_error);
  expect_refused_verify([](RawCertificateVerify& verify) { verify.signature.assign(20'000, 0x30); },
                        Reason::signature_invalid, Alert::decrypt_error);
}

TEST(HostileCertificateVerify, SchemeWasOffered) {
  for (const SignatureScheme scheme :
       {SignatureScheme::rsa_pkcs1_sha256, SignatureScheme::ecdsa_secp384r1_sha384, SignatureScheme::ed448,
        static_cast<SignatureScheme>(0x0203), static_cast<SignatureScheme>(0x4242), static_cast<SignatureScheme>(0)}) {
    expect_refused_verify([scheme](RawCertificateVerify& verify) { verify.algorithm = scheme; },
                          Reason::scheme_not_offered, Alert::illegal_parameter);
  }
}

TEST(HostileCertificateVerify, SchemeFitsTheKey) {
  expect_refused_verify([](RawCertificateVerify& verify) { verify.algorithm = SignatureScheme::ed25519; },
                        Reason::scheme_wrong_key, Alert::illegal_parameter);
}

/// A certificate with an id-RSASSA-PSS key that may be used with one hash only.
Octets restricted_to(SignatureScheme scheme, const SigningKey& key) {
  FixedRandom random(8);
  const auto builder =
      x509::CertificateBuilder("CN=test").dns("example.com").server().validity(kNowSeconds - kDay, kNowSeconds + kDay);
  const Octets free = x509::CertificateBuilder(builder).scheme(scheme).self_signed(provider(), key, random).value();
  const auto parsed = x509::Certificate::parse(free).value();
  x509::der::Writer info;
  info.nest(x509::der::kSequence, [&] {
    info.raw(parsed.signature_algorithm().der);  // id-RSASSA-PSS with the scheme's parameters
    info.bit_string(parsed.public_key().key);
  });
  return builder.issued_by(provider(), free, key, info.view(), random).value();
}

TEST(HostileCertificateVerify, PssKeysKeepToTheirParameters) {
  const auto key = key_of(KeyType::rsa_pss);
  const auto duel_with = [&](SignatureScheme used) {
    auto duel = std::make_unique<Duel>();
    const std::vector schemes{SignatureScheme::rsa_pss_pss_sha256, SignatureScheme::rsa_pss_pss_sha384};
    duel->client_config.schemes(schemes);
    duel->server_config.schemes(schemes);
    Credential credential;
    credential.chain.push_back(restricted_to(SignatureScheme::rsa_pss_pss_sha256, *key));
    credential.schemes = {used};
    credential.key = key;
    duel->server().credential = std::make_shared<const Credential>(std::move(credential));
    return duel;
  };
  duel_with(SignatureScheme::rsa_pss_pss_sha256)->expect_connected();
  const auto wrong = duel_with(SignatureScheme::rsa_pss_pss_sha384);
  wrong->expect_client_refuses(Reason::scheme_wrong_key, Alert::illegal_parameter);
  EXPECT_EQ(wrong->client().error->place, Place::certificate_verify);
}

TEST(HostileCertificateVerify, SignatureIsOfThisHandshake) {
  // Another handshake of the same server, whose signature is perfectly valid there.
  Duel other;
  other.server_config.cookie(true);
  other.expect_connected();
  const Octets foreign = other.server_forger.honest[4];
  ASSERT_EQ(static_cast<HandshakeType>(foreign[0]), HandshakeType::certificate_verify);
  Duel duel;
  duel.server_forger.replace(HandshakeType::certificate_verify, foreign);
  duel.expect_client_refuses(Reason::signature_invalid, Alert::decrypt_error);
}

TEST(HostileCertificateVerify, CannotBeLeftOut) {
  Duel duel;
  duel.server_forger.omit(HandshakeType::certificate_verify);
  duel.expect_client_refuses(Reason::message_unexpected, Alert::unexpected_message);
  EXPECT_EQ(duel.client().error->place, Place::finished);

  Duel client;
  client.server_config.client_auth(ClientAuth::request);
  client.client_forger.omit(HandshakeType::certificate_verify);
  client.expect_server_refuses(Reason::message_unexpected, Alert::unexpected_message);
  EXPECT_EQ(client.server().error->place, Place::finished);
}

TEST(HostileCertificate, CannotBeLeftOut) {
  Duel duel;
  duel.server_forger.omit(HandshakeType::certificate);
  duel.expect_client_refuses(Reason::message_unexpected, Alert::unexpected_message);

  Duel both;
  both.server_forger.omit(HandshakeType::certificate);
  both.server_forger.omit(HandshakeType::certificate_verify);
  both.expect_client_refuses(Reason::message_unexpected, Alert::unexpected_message);
  EXPECT_EQ(both.client().error->place, Place::finished);

  Duel client;
  client.server_config.client_auth(ClientAuth::request);
  client.client_forger.omit(HandshakeType::certificate);
  client.client_forger.omit(HandshakeType::certificate_verify);
  client.expect_server_refuses(Reason::message_unexpected, Alert::unexpected_message);
}

TEST(HostileEncryptedExtensions, CannotBeLeftOut) {
  Duel duel;
  duel.server_forger.omit(HandshakeType::encrypted_extensions);
  duel.expect_client_refuses(Reason::message_unexpected, Alert::unexpected_message);
}

TEST(HostileCertificate, IsNotSentUnasked) {
  // A client that authenticates itself to a server which does not want to know.
  Duel duel;
  duel.client_forger.precede(HandshakeType::finished, message_of(HandshakeType::certificate, Octets{0, 0, 0, 0}));
  duel.expect_server_refuses(Reason::message_unexpected, Alert::unexpected_message);
}

// --- Finished ------------------------------------------------------------------------------------------------------

TEST(HostileFinished, CoversTheHandshake) {
  for (const std::size_t place : {4U, 20U, 35U}) {
    const auto edit = [place](Octets finished) {
      finished[place] ^= 0x80U;
      return finished;
    };
    Duel duel;
    duel.server_forger.change(HandshakeType::finished, edit);
    duel.expect_client_refuses(Reason::finished_mismatch, Alert::decrypt_error);
    EXPECT_FALSE(duel.client().complete);

    Duel client;
    client.client_forger.change(HandshakeType::finished, edit);
    client.expect_server_refuses(Reason::finished_mismatch, Alert::decrypt_error);
    EXPECT_FALSE(client.server().complete);
  }
}

TEST(HostileFinished, HasTheSizeOfTheHash) {
  const auto of_size = [](std::size_t size) { return message_of(HandshakeType::finished, Octets(size, 1)); };
  for (const auto& [size, reason] : std::vector<std::pair<std::size_t, Reason>>{{0, Reason::message_truncated},
                                                                                {31, Reason::message_truncated},
                                                                                {33, Reason::message_trailing_data},
                                                                                {48, Reason::message_trailing_data}}) {
    Duel duel;
    duel.server_forger.replace(HandshakeType::finished, of_size(size));
    duel.expect_client_refuses(reason, Alert::decode_error);
    Duel client;
    client.client_forger.replace(HandshakeType::finished, of_size(size));
    client.expect_server_refuses(reason, Alert::decode_error);
  }
}

TEST(HostileFinished, IsNotTheOtherSides) {
  Duel duel;
  duel.client_forger.change(HandshakeType::finished, [&](const Octets&) { return duel.server_forger.honest.back(); });
  duel.expect_server_refuses(Reason::finished_mismatch, Alert::decrypt_error);
}

TEST(HostileFinished, SeesWhatChangedOnTheWay) {
  // Somebody between the two strips what the client offered; the ends see different ClientHellos.
  Duel duel;
  Octets buffer(4000);
  duel.client_config.suites({CipherSuite::tls_aes_256_gcm_sha384, CipherSuite::tls_aes_128_gcm_sha256});
  buffer.resize(duel.client().connection.transmit(buffer, kNow));
  RawClientHello hello = RawClientHello::split(Bytes(buffer).subspan(5));
  hello.cipher_suites = {0x13, 0x01};
  duel.to_server() = plain_record(22, hello.join());
  duel.run();
  // Keys depend on the transcript, so not even EncryptedExtensions can be read.
  Duel::expect_refusal(duel.client(), Reason::record_mac, Alert::bad_record_mac);
}

// --- order ---------------------------------------------------------------------------------------------------------

TEST(HostileOrder, OfTheServersFlightIsFixed) {
  const std::array<HandshakeType, 4> flight{HandshakeType::encrypted_extensions, HandshakeType::certificate,
                                            HandshakeType::certificate_verify, HandshakeType::finished};
  Duel model;
  model.expect_connected();
  const auto& honest = model.server_forger.honest;
  // Each message in the place of each other one.
  for (const HandshakeType place : flight) {
    for (const HandshakeType other : flight) {
      if (other == place) continue;
      const auto found = std::ranges::find_if(
          honest, [other](const Octets& message) { return static_cast<HandshakeType>(message[0]) == other; });
      ASSERT_NE(found, honest.end());
      Duel duel;
      duel.server_forger.replace(place, *found);
      duel.expect_client_refuses(Reason::message_unexpected, Alert::unexpected_message);
    }
  }
}

TEST(HostileOrder, MessagesOfOtherProtocolsAreUnexpected) {
  // HelloRequest, HelloVerifyRequest, ServerKeyExchange, ServerHelloDone, ClientKeyExchange, CertificateStatus,
  // CompressedCertificate, and numbers that nobody uses.
  for (const std::uint8_t type : Octets{0, 3, 12, 14, 16, 21, 22, 25, 67, 99, 254, 255}) {
    Duel duel;
    duel.server_forger.replace(HandshakeType::encrypted_extensions, Octets{type, 0, 0, 0});
    duel.expect_client_refuses(Reason::message_unexpected, Alert::unexpected_message);
    EXPECT_EQ(duel.client().error->detail, type);

    Duel client;
    client.client_forger.replace(HandshakeType::finished, Octets{type, 0, 0, 0});
    client.expect_server_refuses(Reason::message_unexpected, Alert::unexpected_message);
  }
}

}  // namespace
}  // namespace lockstep::testing
