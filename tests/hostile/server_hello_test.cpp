// What a client refuses in ServerHello and HelloRetryRequest.

#include "hostile/hostile.hpp"

namespace lockstep::testing {
namespace {

class HostileServerHello : public ::testing::Test {
 protected:
  template <class Edit>
  static void expect_refused(Edit edit, Reason reason, Alert alert) {
    Duel duel;
    duel.server_forger.change_parts<RawServerHello>(HandshakeType::server_hello, edit);
    duel.expect_client_refuses(reason, alert);
    ASSERT_TRUE(duel.client().error);
    EXPECT_EQ(duel.client().error->place, Place::server_hello);
  }
};

TEST_F(HostileServerHello, SessionIdIsEchoed) {
  expect_refused([](RawServerHello& hello) { hello.legacy_session_id_echo[0] ^= 1U; }, Reason::session_id_echo,
                 Alert::illegal_parameter);
  expect_refused([](RawServerHello& hello) { hello.legacy_session_id_echo.clear(); }, Reason::session_id_echo,
                 Alert::illegal_parameter);
  expect_refused([](RawServerHello& hello) { hello.legacy_session_id_echo.push_back(0); }, Reason::vector_length,
                 Alert::decode_error);
}

TEST_F(HostileServerHello, SuiteWasOffered) {
  for (const std::uint16_t suite : std::vector<std::uint16_t>{0x1302, 0x1303, 0x1399, 0xc02f, 0x0000, 0x0a0a}) {
    expect_refused([suite](RawServerHello& hello) { hello.cipher_suite = suite; }, Reason::suite_not_offered,
                   Alert::illegal_parameter);
  }
}

TEST_F(HostileServerHello, CompressionIsNull) {
  expect_refused([](RawServerHello& hello) { hello.legacy_compression_method = 1; }, Reason::compression_method,
                 Alert::illegal_parameter);
}

TEST_F(HostileServerHello, NoExtensionStandsTwice) {
  for (const ExtensionType type : {ExtensionType::key_share, ExtensionType::supported_versions}) {
    expect_refused([type](RawServerHello& hello) { hello.extensions.add(type, hello.extensions[type]); },
                   Reason::extension_duplicate, Alert::illegal_parameter);
  }
}

TEST_F(HostileServerHello, ExtensionsOfOtherMessagesAreForbidden) {
  // Offered, and recognised, but not for this message.
  for (const ExtensionType type :
       {ExtensionType::server_name, ExtensionType::supported_groups, ExtensionType::signature_algorithms,
        ExtensionType::cookie, ExtensionType::early_data, ExtensionType::psk_key_exchange_modes}) {
    expect_refused([type](RawServerHello& hello) { hello.extensions.add(type); }, Reason::extension_forbidden,
                   Alert::illegal_parameter);
  }
}

TEST_F(HostileServerHello, NothingComesUnasked) {
  expect_refused([](RawServerHello& hello) { hello.extensions.add(ExtensionType::pre_shared_key, {0, 0}); },
                 Reason::extension_unsolicited, Alert::unsupported_extension);
  expect_refused([](RawServerHello& hello) { hello.extensions.add(static_cast<ExtensionType>(0x4242)); },
                 Reason::extension_unsolicited, Alert::unsupported_extension);
}

TEST_F(HostileServerHello, GreaseIsNotAnswered) {
  Duel duel;
  duel.client_config.grease(true);
  duel.server_forger.change_parts<RawServerHello>(HandshakeType::server_hello, [](RawServerHello& hello) {
    hello.extensions.add(static_cast<ExtensionType>(0x0a0a));
  });
  duel.expect_client_refuses(Reason::extension_unsolicited, Alert::unsupported_extension);
}

TEST_F(HostileServerHello, ContentsOfExtensionsAreWhole) {
  for (const ExtensionType type : {ExtensionType::key_share, ExtensionType::supported_versions}) {
    expect_refused([type](RawServerHello& hello) { hello.extensions[type].clear(); }, Reason::extension_malformed,
                   Alert::decode_error);
    expect_refused([type](RawServerHello& hello) { hello.extensions[type].pop_back(); }, Reason::extension_malformed,
                   Alert::decode_error);
    expect_refused([type](RawServerHello& hello) { hello.extensions[type].push_back(0); }, Reason::extension_malformed,
                   Alert::decode_error);
  }
}

// --- key share -----------------------------------------------------------------------------------------------------

TEST_F(HostileServerHello, KeyShareIsThere) {
  expect_refused([](RawServerHello& hello) { hello.extensions.remove(ExtensionType::key_share); },
                 Reason::key_share_missing, Alert::missing_extension);
}

TEST_F(HostileServerHello, KeyShareIsOfAGroupWhoseShareWasSent) {
  // P-256 is in supported_groups, but no share of it was sent; the others are not offered at all.
  for (const NamedGroup group : {NamedGroup::secp256r1, NamedGroup::x448, static_cast<NamedGroup>(0x4242)}) {
    expect_refused(
        [group](RawServerHello& hello) {
          hello.extensions[ExtensionType::key_share] = key_share_entry(group, Octets(65, 4));
        },
        Reason::key_share_group, Alert::illegal_parameter);
  }
}

TEST_F(HostileServerHello, KeyShareHasTheSizeOfItsGroup) {
  for (const std::size_t size : {1U, 31U, 33U}) {
    expect_refused(
        [size](RawServerHello& hello) {
          hello.extensions[ExtensionType::key_share] = key_share_entry(NamedGroup::x25519, Octets(size, 9));
        },
        Reason::key_share_size, Alert::illegal_parameter);
  }
}

TEST_F(HostileServerHello, KeyShareIsAPointThatMakesASecret) {
  Octets one(32, 0);
  one[0] = 1;
  for (const Octets& share : {Octets(32, 0), one}) {
    expect_refused(
        [&](RawServerHello& hello) {
          hello.extensions[ExtensionType::key_share] = key_share_entry(NamedGroup::x25519, share);
        },
        Reason::key_share_invalid, Alert::illegal_parameter);
  }
  Octets off_the_curve(65, 1);
  off_the_curve[0] = 4;
  for (const Octets& share : {off_the_curve, Octets(65, 0)}) {
    Duel duel;
    duel.client_config.key_shares({NamedGroup::secp256r1});
    duel.server_forger.change_parts<RawServerHello>(HandshakeType::server_hello, [&](RawServerHello& hello) {
      hello.extensions[ExtensionType::key_share] = key_share_entry(NamedGroup::secp256r1, share);
    });
    duel.expect_client_refuses(Reason::key_share_invalid, Alert::illegal_parameter);
  }
}

TEST_F(HostileServerHello, OtherKeyShareLeadsToOtherKeys) {
  Duel duel;
  duel.server_forger.change_parts<RawServerHello>(HandshakeType::server_hello, [](RawServerHello& hello) {
    hello.extensions[ExtensionType::key_share].back() ^= 2U;
  });
  duel.run();
  Duel::expect_refusal(duel.client(), Reason::record_mac, Alert::bad_record_mac);
}

// --- HelloRetryRequest ---------------------------------------------------------------------------------------------

/// A server that has only P-256 asks a client that sent X25519.
class HostileHelloRetryRequest : public ::testing::Test {
 protected:
  /// `earlier` messages of the type before it: 0 for HelloRetryRequest, 1 for the ServerHello after it.
  template <class Edit>
  static void expect_refused(Edit edit, Reason reason, Alert alert, int earlier = 0) {
    Duel duel;
    duel.server_config.groups({NamedGroup::secp256r1});
    duel.client_config.suites({CipherSuite::tls_aes_128_gcm_sha256, CipherSuite::tls_aes_256_gcm_sha384});
    duel.server_forger.change_parts<RawServerHello>(HandshakeType::server_hello, edit, earlier);
    duel.expect_client_refuses(reason, alert);
    ASSERT_TRUE(duel.client().error);
    EXPECT_EQ(duel.client().error->place, earlier == 0 ? Place::hello_retry_request : Place::server_hello);
  }
};

TEST_F(HostileHelloRetryRequest, ChangesSomething) {
  expect_refused([](RawServerHello& hello) { hello.extensions.remove(ExtensionType::key_share); },
                 Reason::group_unchanged, Alert::illegal_parameter);
  expect_refused([](RawServerHello& hello) { hello.extensions[ExtensionType::key_share] = {0x00, 0x1d}; },
                 Reason::group_unchanged, Alert::illegal_parameter);
}

TEST_F(HostileHelloRetryRequest, GroupWasOffered) {
  for (const Octets& group : {Octets{0x00, 0x18}, Octets{0x00, 0x1e}, Octets{0x42, 0x42}, Octets{0x0a, 0x0a}}) {
    expect_refused([&](RawServerHello& hello) { hello.extensions[ExtensionType::key_share] = group; },
                   Reason::group_not_offered, Alert::illegal_parameter);
  }
}

TEST_F(HostileHelloRetryRequest, ComesOnce) {
  // A second one in place of ServerHello.
  Duel duel;
  duel.server_config.groups({NamedGroup::secp256r1});
  Octets first;
  duel.server_forger.change(HandshakeType::server_hello, [&](Octets hello) { return first = std::move(hello); });
  duel.server_forger.change(HandshakeType::server_hello, [&](const Octets&) { return first; }, 1);
  duel.expect_client_refuses(Reason::second_hello_retry_request, Alert::unexpected_message);
  EXPECT_EQ(duel.client().error->place, Place::hello_retry_request);
}

TEST_F(HostileHelloRetryRequest, IsAnAnswer) {
  expect_refused([](RawServerHello& hello) { hello.legacy_session_id_echo[0] ^= 1U; }, Reason::session_id_echo,
                 Alert::illegal_parameter);
  expect_refused([](RawServerHello& hello) { hello.cipher_suite = 0x1303; }, Reason::suite_not_offered,
                 Alert::illegal_parameter);
  expect_refused([](RawServerHello& hello) { hello.legacy_compression_method = 1; }, Reason::compression_method,
                 Alert::illegal_parameter);
  expect_refused([](RawServerHello& hello) { hello.legacy_version = 0x0301; }, Reason::version_legacy,
                 Alert::protocol_version);
  expect_refused([](RawServerHello& hello) { hello.extensions[ExtensionType::supported_versions] = {0x03, 0x03}; },
                 Reason::version_not_offered, Alert::illegal_parameter);
  expect_refused([](RawServerHello& hello) { hello.extensions.remove(ExtensionType::supported_versions); },
                 Reason::extension_missing, Alert::missing_extension);
}

TEST_F(HostileHelloRetryRequest, ExtensionsAreItsOwn) {
  expect_refused([](RawServerHello& hello) { hello.extensions.add(ExtensionType::server_name); },
                 Reason::extension_forbidden, Alert::illegal_parameter);
  expect_refused([](RawServerHello& hello) { hello.extensions.add(ExtensionType::pre_shared_key, {0, 0}); },
                 Reason::extension_forbidden, Alert::illegal_parameter);
  expect_refused([](RawServerHello& hello) { hello.extensions.add(static_cast<ExtensionType>(0x4242)); },
                 Reason::extension_unsolicited, Alert::unsupported_extension);
  expect_refused([](RawServerHello& hello) { hello.extensions.add(ExtensionType::key_share, {0x00, 0x17}); },
                 Reason::extension_duplicate, Alert::illegal_parameter);
  expect_refused([](RawServerHello& hello) { hello.extensions.add(ExtensionType::cookie, {0, 0}); },
                 Reason::extension_malformed, Alert::decode_error);
  expect_refused([](RawServerHello& hello) { hello.extensions[ExtensionType::key_share].push_back(0); },
                 Reason::extension_malformed, Alert::decode_error);
}

TEST_F(HostileHelloRetryRequest, SuiteStays) {
  expect_refused([](RawServerHello& hello) { hello.cipher_suite = 0x1302; }, Reason::suite_changed,
                 Alert::illegal_parameter, 1);
}

TEST_F(HostileHelloRetryRequest, ShareIsOfTheGroupAskedFor) {
  expect_refused(
      [](RawServerHello& hello) {
        hello.extensions[ExtensionType::key_share] = key_share_entry(NamedGroup::x25519, Octets(32, 9));
      },
      Reason::key_share_group, Alert::illegal_parameter, 1);
}

TEST_F(HostileHelloRetryRequest, VersionStays) {
  expect_refused([](RawServerHello& hello) { hello.extensions[ExtensionType::supported_versions] = {0x03, 0x03}; },
                 Reason::version_changed, Alert::illegal_parameter, 1);
  expect_refused(
      [](RawServerHello& hello) {
        hello.extensions.clear();
        hello.cipher_suite = 0xc02f;
      },
      Reason::version_changed, Alert::illegal_parameter, 1);
}

TEST_F(HostileHelloRetryRequest, CookieOfAnyLengthComesBack) {
  for (const std::size_t size : {1U, 32U, 1000U, 20'000U}) {
    Duel duel;
    duel.server_config.groups({NamedGroup::secp256r1});
    const Octets cookie(size, 0x77);
    duel.server_forger.change_parts<RawServerHello>(HandshakeType::server_hello, [&](RawServerHello& hello) {
      hello.extensions.add(ExtensionType::cookie, vector_of(cookie, 2));
    });
    duel.expect_connected();
    ASSERT_EQ(duel.client_forger.honest.size(), 3U);
    RawClientHello second = RawClientHello::split(duel.client_forger.honest[1]);
    EXPECT_EQ(second.extensions[ExtensionType::cookie], vector_of(cookie, 2));
  }
}

}  // namespace
}  // namespace lockstep::testing
