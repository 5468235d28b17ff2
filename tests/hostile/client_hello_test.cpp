// What a server refuses in a ClientHello, the first and the second.

#include <algorithm>

#include "hostile/hostile.hpp"

namespace lockstep::testing {
namespace {

class HostileClientHello : public ::testing::Test {
 protected:
  template <class Edit>
  static void expect_refused(Edit edit, Reason reason, Alert alert, int earlier = 0) {
    Duel duel;
    if (earlier != 0) duel.server_config.groups({NamedGroup::secp256r1});
    duel.client_forger.change_parts<RawClientHello>(HandshakeType::client_hello, edit, earlier);
    duel.expect_server_refuses(reason, alert);
    ASSERT_TRUE(duel.server().error);
    EXPECT_EQ(duel.server().error->place, Place::client_hello);
  }
  template <class Edit>
  static void expect_accepted(Edit edit) {
    Duel duel;
    duel.client_forger.change_parts<RawClientHello>(HandshakeType::client_hello, edit);
    duel.expect_connected();
  }
};

// --- fields --------------------------------------------------------------------------------------------------------

TEST_F(HostileClientHello, SessionIdIsAtMost32Bytes) {
  expect_refused([](RawClientHello& hello) { hello.legacy_session_id.assign(33, 1); }, Reason::vector_length,
                 Alert::decode_error);
  for (const std::size_t size : {0U, 1U, 31U}) {
    // What the client finds echoed is not what it believes to have sent.
    Duel duel;
    duel.client_forger.change_parts<RawClientHello>(
        HandshakeType::client_hello, [size](RawClientHello& hello) { hello.legacy_session_id.assign(size, 1); });
    duel.expect_client_refuses(Reason::session_id_echo, Alert::illegal_parameter);
  }
}

TEST_F(HostileClientHello, SuitesAreWholeAndNotNone) {
  expect_refused([](RawClientHello& hello) { hello.cipher_suites.push_back(0x13); }, Reason::vector_length,
                 Alert::decode_error);
  expect_refused([](RawClientHello& hello) { hello.cipher_suites.clear(); }, Reason::vector_length,
                 Alert::decode_error);
}

TEST_F(HostileClientHello, NothingInCommon) {
  expect_refused([](RawClientHello& hello) { hello.cipher_suites = {0x13, 0x04, 0xc0, 0x2f}; },
                 Reason::suite_unsupported, Alert::handshake_failure);
  expect_refused(
      [](RawClientHello& hello) {
        hello.extensions[ExtensionType::supported_groups] = {0, 2, 0, 0x18};
        hello.extensions[ExtensionType::key_share] = {0, 0};
      },
      Reason::group_unsupported, Alert::handshake_failure);
  expect_refused(
      [](RawClientHello& hello) { hello.extensions[ExtensionType::signature_algorithms] = {0, 2, 0x08, 0x08}; },
      Reason::scheme_unsupported, Alert::handshake_failure);
}

TEST_F(HostileClientHello, CompressionIsNull) {
  for (const Octets& methods : {Octets{1}, Octets{0, 1}, Octets{1, 0}}) {
    expect_refused([&](RawClientHello& hello) { hello.legacy_compression_methods = methods; },
                   Reason::compression_method, Alert::illegal_parameter);
  }
  expect_refused([](RawClientHello& hello) { hello.legacy_compression_methods.clear(); }, Reason::vector_length,
                 Alert::decode_error);
}

// --- extensions ----------------------------------------------------------------------------------------------------

TEST_F(HostileClientHello, NoExtensionStandsTwice) {
  Octets shown;
  {
    Duel duel;
    duel.client_config.alpn({"h2"});
    duel.run();
    shown = duel.client_forger.honest.front();
  }
  for (const RawExtension& extension : RawClientHello::split(shown).extensions) {
    Duel duel;
    duel.client_config.alpn({"h2"});
    duel.client_forger.change_parts<RawClientHello>(HandshakeType::client_hello, [&](RawClientHello& hello) {
      hello.extensions.insert(hello.extensions.begin(), extension);
    });
    duel.expect_server_refuses(Reason::extension_duplicate, Alert::illegal_parameter);
    EXPECT_EQ(duel.server().error->detail, static_cast<std::uint16_t>(extension.type));
  }
  expect_refused(
      [](RawClientHello& hello) {
        hello.extensions.add(static_cast<ExtensionType>(0x4242));
        hello.extensions.add(static_cast<ExtensionType>(0x4242));
      },
      Reason::extension_duplicate, Alert::illegal_parameter);
}

TEST_F(HostileClientHello, ManyUnknownExtensionsAreIgnored) {
  expect_accepted([](RawClientHello& hello) {
    for (int type = 0x5000; type < 0x5000 + 2000; ++type)
      hello.extensions.add(static_cast<ExtensionType>(type), {1, 2});
  });
}

TEST_F(HostileClientHello, ExtensionsOfOtherMessagesAreForbidden) {
  expect_refused([](RawClientHello& hello) { hello.extensions.add(ExtensionType::oid_filters, {0, 0}); },
                 Reason::extension_forbidden, Alert::illegal_parameter);
}

TEST_F(HostileClientHello, MandatoryExtensionsAreThere) {
  for (const ExtensionType type :
       {ExtensionType::supported_groups, ExtensionType::key_share, ExtensionType::signature_algorithms}) {
    Duel duel;
    duel.client_forger.change_parts<RawClientHello>(HandshakeType::client_hello,
                                                    [type](RawClientHello& hello) { hello.extensions.remove(type); });
    duel.expect_server_refuses(Reason::extension_missing, Alert::missing_extension);
    EXPECT_EQ(duel.server().error->detail, static_cast<std::uint16_t>(type));
  }
}

TEST_F(HostileClientHello, ContentsOfExtensionsAreWhole) {
  // Empty where something must be, cut, and with something behind.
  for (const ExtensionType type :
       {ExtensionType::supported_groups, ExtensionType::key_share, ExtensionType::signature_algorithms,
        ExtensionType::supported_versions, ExtensionType::psk_key_exchange_modes}) {
    expect_refused([type](RawClientHello& hello) { hello.extensions[type].clear(); }, Reason::extension_malformed,
                   Alert::decode_error);
    expect_refused([type](RawClientHello& hello) { hello.extensions[type].pop_back(); }, Reason::extension_malformed,
                   Alert::decode_error);
    expect_refused([type](RawClientHello& hello) { hello.extensions[type].push_back(0); }, Reason::extension_malformed,
                   Alert::decode_error);
  }
}

TEST_F(HostileClientHello, ServerNameIsOneHostName) {
  const auto with = [](Octets data) {
    return [data](RawClientHello& hello) { hello.extensions[ExtensionType::server_name] = data; };
  };
  const Octets none{};
  const Octets empty_list{0, 0};
  const Octets empty_name{0, 3, 0, 0, 0};
  const Octets two_names{0, 8, 0, 0, 1, 'a', 0, 0, 1, 'b'};
  const Octets other_type{0, 4, 1, 0, 1, 'a'};
  const Octets nul{0, 6, 0, 0, 3, 'a', 0, 'b'};
  const Octets cut{0, 9, 0, 0, 6, 'a'};
  const Octets trailing{0, 4, 0, 0, 1, 'a', 0};
  for (const Octets& data : {none, empty_list, empty_name, two_names, other_type, nul, cut, trailing})
    expect_refused(with(data), Reason::server_name_malformed, Alert::decode_error);
}

TEST_F(HostileClientHello, AlpnIsAListOfNames) {
  const Octets none{};
  const Octets empty_list{0, 0};
  const Octets empty_name{0, 1, 0};
  const Octets cut{0, 3, 5, 'h', '2'};
  const Octets trailing{0, 3, 2, 'h', '2', 0};
  for (const Octets& data : {none, empty_list, empty_name, cut, trailing}) {
    expect_refused(
        [&](RawClientHello& hello) {
          hello.extensions.insert(hello.extensions.begin(),
                                  {ExtensionType::application_layer_protocol_negotiation, data});
        },
        Reason::alpn_malformed, Alert::decode_error);
  }
}

TEST_F(HostileClientHello, RecordSizesHaveBounds) {
  expect_refused([](RawClientHello& hello) { hello.extensions.add(ExtensionType::record_size_limit, {0, 63}); },
                 Reason::record_size_limit, Alert::illegal_parameter);
  expect_refused([](RawClientHello& hello) { hello.extensions.add(ExtensionType::max_fragment_length, {5}); },
                 Reason::enum_value, Alert::illegal_parameter);
}

// --- key shares ----------------------------------------------------------------------------------------------------

const Octets kPointOffTheCurve = [] {
  Octets point(65, 1);
  point[0] = 4;
  return point;
}();

TEST_F(HostileClientHello, KeySharesAreOfOfferedGroups) {
  expect_refused(
      [](RawClientHello& hello) {
        hello.extensions[ExtensionType::key_share] = key_shares({key_share_entry(NamedGroup::x448, Octets(56, 9))});
      },
      Reason::key_share_not_in_groups, Alert::illegal_parameter);
}

TEST_F(HostileClientHello, NoGroupHasTwoKeyShares) {
  expect_refused(
      [](RawClientHello& hello) {
        const Octets share = key_share_entry(NamedGroup::x25519, Octets(32, 9));
        hello.extensions[ExtensionType::key_share] = key_shares({share, share});
      },
      Reason::key_share_duplicate, Alert::illegal_parameter);
}

TEST_F(HostileClientHello, KeyShareHasTheSizeOfItsGroup) {
  for (const std::size_t size : {1U, 31U, 33U, 65U}) {
    expect_refused(
        [size](RawClientHello& hello) {
          hello.extensions[ExtensionType::key_share] =
              key_shares({key_share_entry(NamedGroup::x25519, Octets(size, 9))});
        },
        Reason::key_share_size, Alert::illegal_parameter);
  }
  expect_refused(
      [](RawClientHello& hello) {
        hello.extensions[ExtensionType::key_share] = key_shares({key_share_entry(NamedGroup::x25519, {})});
      },
      Reason::extension_malformed, Alert::decode_error);
}

TEST_F(HostileClientHello, KeyShareIsAPointThatMakesASecret) {
  // RFC 7748 6.1: points of small order lead to the all-zero secret.
  Octets one(32, 0);
  one[0] = 1;
  for (const Octets& share : {Octets(32, 0), one}) {
    expect_refused(
        [&](RawClientHello& hello) {
          hello.extensions[ExtensionType::key_share] = key_shares({key_share_entry(NamedGroup::x25519, share)});
        },
        Reason::key_share_invalid, Alert::illegal_parameter);
  }
  Octets compressed = kPointOffTheCurve;
  compressed[0] = 2;
  for (const Octets& share : {kPointOffTheCurve, Octets(65, 0), compressed}) {
    expect_refused(
        [&](RawClientHello& hello) {
          hello.extensions[ExtensionType::key_share] = key_shares({key_share_entry(NamedGroup::secp256r1, share)});
        },
        Reason::key_share_invalid, Alert::illegal_parameter);
  }
}

TEST_F(HostileClientHello, HybridKeyShareIsWholeAndValid) {
  const auto refuse = [](auto edit, Reason reason) {
    Duel duel;
    duel.client_config.groups({NamedGroup::x25519mlkem768, NamedGroup::x25519})
        .key_shares({NamedGroup::x25519mlkem768});
    duel.server_config.groups({NamedGroup::x25519mlkem768, NamedGroup::x25519});
    duel.client_forger.change_parts<RawClientHello>(HandshakeType::client_hello, [&](RawClientHello& hello) {
      Octets share = hello.extensions[ExtensionType::key_share];
      share.erase(share.begin(), share.begin() + 6);
      edit(share);
      hello.extensions[ExtensionType::key_share] = key_shares({key_share_entry(NamedGroup::x25519mlkem768, share)});
    });
    duel.expect_server_refuses(reason, Alert::illegal_parameter);
  };
  refuse([](Octets& share) { share.pop_back(); }, Reason::key_share_size);
  refuse([](Octets& share) { share.push_back(0); }, Reason::key_share_size);
  // FIPS 203 7.2: coefficients are below q.
  refuse([](Octets& share) { std::fill_n(share.begin(), 1152, std::uint8_t{0xff}); }, Reason::key_share_invalid);
  // The X25519 half, which comes second, may not be of small order.
  refuse([](Octets& share) { std::fill_n(share.end() - 32, 32, std::uint8_t{0}); }, Reason::key_share_invalid);
}

// --- the second ClientHello ----------------------------------------------------------------------------------------

/// A server that asks for P-256.
TEST_F(HostileClientHello, SecondIsTheFirstButForTheRetry) {
  const auto refuse = [](auto edit) {
    expect_refused(edit, Reason::client_hello_changed, Alert::illegal_parameter, 1);
  };
  refuse([](RawClientHello& hello) { hello.random[0] ^= 1U; });
  refuse([](RawClientHello& hello) { hello.legacy_session_id[5] ^= 1U; });
  refuse([](RawClientHello& hello) { append(hello.cipher_suites, Octets{0x13, 0x02}); });
  refuse([](RawClientHello& hello) { hello.extensions[ExtensionType::server_name].back() ^= 1U; });
  refuse([](RawClientHello& hello) { hello.extensions.remove(ExtensionType::server_name); });
  refuse([](RawClientHello& hello) { hello.extensions.add(static_cast<ExtensionType>(0x4242)); });
  refuse([](RawClientHello& hello) { hello.extensions[ExtensionType::signature_algorithms].back() ^= 1U; });
  refuse([](RawClientHello& hello) { hello.extensions[ExtensionType::supported_versions] = {4, 3, 4, 3, 3}; });
  refuse([](RawClientHello& hello) {
    hello.extensions.insert(hello.extensions.begin(),
                            {ExtensionType::application_layer_protocol_negotiation, {0, 3, 2, 'h', '2'}});
  });
}

TEST_F(HostileClientHello, SecondMayChangeItsPadding) {
  Duel duel;
  duel.server_config.groups({NamedGroup::secp256r1});
  duel.client_forger.change_parts<RawClientHello>(
      HandshakeType::client_hello,
      [](RawClientHello& hello) { hello.extensions.add(ExtensionType::padding, Octets(50, 0)); }, 1);
  duel.expect_connected();
  EXPECT_TRUE(duel.server().connection.retried());
}

TEST_F(HostileClientHello, SecondIsStillATls13ClientHello) {
  expect_refused([](RawClientHello& hello) { hello.legacy_version = 0x0302; }, Reason::version_legacy,
                 Alert::protocol_version, 1);
  expect_refused([](RawClientHello& hello) { hello.extensions.remove(ExtensionType::supported_versions); },
                 Reason::client_hello_changed, Alert::illegal_parameter, 1);
  expect_refused([](RawClientHello& hello) { hello.extensions.remove(ExtensionType::key_share); },
                 Reason::extension_missing, Alert::missing_extension, 1);
}

TEST_F(HostileClientHello, SecondHasTheOneShareAskedFor) {
  expect_refused(
      [](RawClientHello& hello) {
        hello.extensions[ExtensionType::key_share] = key_shares({key_share_entry(NamedGroup::x25519, Octets(32, 9))});
      },
      Reason::key_share_missing, Alert::missing_extension, 1);
  expect_refused([](RawClientHello& hello) { hello.extensions[ExtensionType::key_share] = {0, 0}; },
                 Reason::key_share_missing, Alert::missing_extension, 1);
  expect_refused(
      [](RawClientHello& hello) {
        Octets share = hello.extensions[ExtensionType::key_share];
        share.erase(share.begin(), share.begin() + 2);
        hello.extensions[ExtensionType::key_share] =
            key_shares({share, key_share_entry(NamedGroup::x25519, Octets(32, 9))});
      },
      Reason::key_share_missing, Alert::missing_extension, 1);
  expect_refused(
      [](RawClientHello& hello) {
        hello.extensions[ExtensionType::key_share] =
            key_shares({key_share_entry(NamedGroup::secp256r1, kPointOffTheCurve)});
      },
      Reason::key_share_invalid, Alert::illegal_parameter, 1);
  expect_refused(
      [](RawClientHello& hello) {
        hello.extensions[ExtensionType::key_share] =
            key_shares({key_share_entry(NamedGroup::secp256r1, Octets(64, 4))});
      },
      Reason::key_share_size, Alert::illegal_parameter, 1);
}

TEST_F(HostileClientHello, SecondOffersNoEarlyData) {
  expect_refused([](RawClientHello& hello) { hello.extensions.add(ExtensionType::early_data); },
                 Reason::early_data_unexpected, Alert::unexpected_message, 1);
}

TEST_F(HostileClientHello, CookieComesBackAsItWas) {
  const auto refuse = [](auto edit, Reason reason, Alert alert) {
    Duel duel;
    duel.server_config.cookie(true);
    duel.client_forger.change_parts<RawClientHello>(HandshakeType::client_hello, edit, 1);
    duel.expect_server_refuses(reason, alert);
  };
  refuse([](RawClientHello& hello) { hello.extensions.remove(ExtensionType::cookie); }, Reason::cookie_missing,
         Alert::missing_extension);
  refuse([](RawClientHello& hello) { hello.extensions[ExtensionType::cookie].back() ^= 1U; }, Reason::cookie_mismatch,
         Alert::illegal_parameter);
  refuse(
      [](RawClientHello& hello) {
        Octets& cookie = hello.extensions[ExtensionType::cookie];
        cookie.pop_back();
        --cookie[1];
      },
      Reason::cookie_mismatch, Alert::illegal_parameter);
  refuse([](RawClientHello& hello) { hello.extensions[ExtensionType::cookie] = {0, 0}; }, Reason::extension_malformed,
         Alert::decode_error);
}

TEST_F(HostileClientHello, ThirdIsUnexpected) {
  Duel duel;
  duel.server_config.groups({NamedGroup::secp256r1});
  duel.client_forger.change(
      HandshakeType::client_hello,
      [](Octets hello) {
        const Octets twice = hello;
        append(hello, twice);
        return hello;
      },
      1);
  duel.run();
  Duel::expect_refusal(duel.server(), Reason::record_after_key_change, Alert::unexpected_message);
}

// --- early data that nobody accepts --------------------------------------------------------------------------------

class HostileEarlyData : public ::testing::Test {
 protected:
  Duel duel;
  /// A client that offers early data and sends `records` of it, of `size` bytes each, behind its ClientHello.
  void send(std::size_t records, std::size_t size) {
    duel.client_forger.change_parts<RawClientHello>(
        HandshakeType::client_hello, [](RawClientHello& hello) { hello.extensions.add(ExtensionType::early_data); });
    Octets buffer(4000);
    buffer.resize(duel.client().connection.transmit(buffer, kNow));
    append(duel.to_server(), buffer);
    for (std::size_t i = 0; i < records; ++i) append(duel.to_server(), plain_record(23, Octets(size, 0x5a)));
  }
};

TEST_F(HostileEarlyData, IsSkipped) {
  send(3, 1000);
  duel.expect_connected();
  EXPECT_TRUE(duel.server().data.empty());
}

TEST_F(HostileEarlyData, IsSkippedAcrossARetry) {
  duel.server_config.groups({NamedGroup::secp256r1});
  // The second ClientHello, as it must, does not offer it any more.
  send(3, 1000);
  duel.expect_connected();
  EXPECT_TRUE(duel.server().connection.retried());
}

TEST_F(HostileEarlyData, IsSkippedWithinABound) {
  send(5, 10'000);
  duel.run();
  Duel::expect_refusal(duel.server(), Reason::record_mac, Alert::bad_record_mac);
}

TEST_F(HostileEarlyData, IsSkippedOnlyWhenOffered) {
  Octets buffer(4000);
  buffer.resize(duel.client().connection.transmit(buffer, kNow));
  append(duel.to_server(), buffer);
  append(duel.to_server(), plain_record(23, Octets(100, 0x5a)));
  duel.run();
  Duel::expect_refusal(duel.server(), Reason::record_mac, Alert::bad_record_mac);
}

TEST_F(HostileEarlyData, EndsWithTheFirstRecordThatOpens) {
  send(1, 100);
  duel.expect_connected();
  append(duel.to_server(), plain_record(23, Octets(100, 0x5a)));
  duel.expect_server_refuses(Reason::record_mac, Alert::bad_record_mac);
}

}  // namespace
}  // namespace lockstep::testing
