// Sessions and tickets that are not what they claim to be.

#include "hostile/hostile.hpp"

namespace lockstep::testing {
namespace {

/// A client with a session of this server.
class HostileResumption : public ::testing::Test {
 protected:
  void SetUp() override {
    FixedRandom random(11);
    keys = std::make_shared<TicketKeys>(allowed_ticket_keys(TicketKey::generate(random).value()).value());
    Duel first;
    first.server_config.tickets(2);
    first.server().ticket_keys = keys;
    first.expect_connected();
    ASSERT_EQ(first.client().sessions.size(), 2U);
    for (const Session& session : first.client().sessions) sessions.push_back(session.clone());
  }
  /// Forgeries come before: this makes the client, whose ClientHello is ready at once.
  void prepare(Duel& duel, std::size_t count = 1) {
    for (std::size_t i = 0; i < count; ++i) duel.sessions.push_back(sessions[i].clone());
    duel.server().ticket_keys = keys;
  }
  /// The ClientHello's pre_shared_key, changed.
  template <class Edit>
  void expect_refused(Edit edit, Reason reason, Alert alert, std::size_t count = 1) {
    Duel duel;
    duel.client_forger.change_parts<RawClientHello>(HandshakeType::client_hello, edit);
    prepare(duel, count);
    duel.expect_server_refuses(reason, alert);
    EXPECT_FALSE(duel.server().complete);
  }

  std::shared_ptr<TicketKeys> keys;
  std::vector<Session> sessions;
};

constexpr auto kPsk = ExtensionType::pre_shared_key;

TEST_F(HostileResumption, WorksWhenNobodyIsHostile) {
  Duel duel;
  prepare(duel);
  duel.expect_connected();
  EXPECT_TRUE(duel.server().connection.resumed());
  EXPECT_TRUE(duel.client().connection.resumed());
}

TEST_F(HostileResumption, BinderProvesThePsk) {
  for (const std::size_t place : {1U, 16U, 32U}) {
    expect_refused([place](RawClientHello& hello) { *(hello.extensions[kPsk].end() - static_cast<int>(place)) ^= 1U; },
                   Reason::psk_binder, Alert::decrypt_error);
  }
  // Anything else in the ClientHello is covered by it.
  expect_refused([](RawClientHello& hello) { hello.random[0] ^= 1U; }, Reason::psk_binder, Alert::decrypt_error);
  expect_refused(
      [](RawClientHello& hello) {
        hello.extensions.insert(hello.extensions.begin(), {static_cast<ExtensionType>(0x4242), {1}});
      },
      Reason::psk_binder, Alert::decrypt_error);
}

// Nobody learns what the application thinks of a client by showing that client's ticket.
TEST_F(HostileResumption, OnlyTheOwnerOfATicketIsJudged) {
  const auto careful = [&](Duel& duel) {
    duel.server_config.tickets(1).client_auth(ClientAuth::require).verify_on_resumption(true);
    prepare(duel, 0);
  };
  Duel first;
  careful(first);
  first.expect_connected();
  for (const bool forged : {false, true}) {
    Duel duel;
    duel.sessions.push_back(first.client().sessions.at(0).clone());
    if (forged)
      duel.client_forger.change_parts<RawClientHello>(
          HandshakeType::client_hello, [](RawClientHello& hello) { hello.extensions[kPsk].back() ^= 1U; });
    careful(duel);
    if (forged) {
      duel.expect_server_refuses(Reason::psk_binder, Alert::decrypt_error);
    } else {
      duel.expect_connected();
    }
    EXPECT_EQ(duel.server().judged_chains.size(), forged ? 0U : 1U);
  }
}

TEST_F(HostileResumption, BinderHasTheSizeOfTheHash) {
  const auto sized = [](std::size_t size) {
    return [size](RawClientHello& hello) {
      Octets& data = hello.extensions[kPsk];
      data.resize(data.size() - 35);
      put_vector(data, vector_of(Octets(size, 1), 1), 2);
    };
  };
  expect_refused(sized(31), Reason::extension_malformed, Alert::decode_error);
  expect_refused(sized(33), Reason::psk_binder, Alert::decrypt_error);
  expect_refused(sized(48), Reason::psk_binder, Alert::decrypt_error);
}

TEST_F(HostileResumption, PskComesLast) {
  expect_refused([](RawClientHello& hello) { hello.extensions.add(static_cast<ExtensionType>(0x4242)); },
                 Reason::psk_not_last, Alert::illegal_parameter);
  expect_refused([](RawClientHello& hello) { std::ranges::rotate(hello.extensions, hello.extensions.end() - 1); },
                 Reason::psk_not_last, Alert::illegal_parameter);
}

TEST_F(HostileResumption, EveryIdentityHasABinder) {
  expect_refused(
      [](RawClientHello& hello) {
        Octets& data = hello.extensions[kPsk];
        // Drops the second of two binders.
        data.resize(data.size() - 33);
        const std::size_t at = data.size() - 35;
        data[at] = 0;
        data[at + 1] = 33;
      },
      Reason::psk_binder_count, Alert::illegal_parameter, 2);
}

TEST_F(HostileResumption, ModesAreThere) {
  expect_refused([](RawClientHello& hello) { hello.extensions.remove(ExtensionType::psk_key_exchange_modes); },
                 Reason::psk_mode_missing, Alert::missing_extension);
}

// RFC 9846 9.2 allows a ClientHello that has neither, for psk_ke, which is not spoken here.
TEST_F(HostileResumption, NeedsGroupsAndShares) {
  expect_refused(
      [](RawClientHello& hello) {
        hello.extensions.remove(ExtensionType::supported_groups);
        hello.extensions.remove(ExtensionType::key_share);
      },
      Reason::extension_missing, Alert::missing_extension);
}

TEST_F(HostileResumption, ClientsWithoutModesGetTicketsWhereThatIsSet) {
  for (const bool wanted : {false, true}) {
    Duel duel;
    duel.client_forger.change_parts<RawClientHello>(HandshakeType::client_hello, [](RawClientHello& hello) {
      hello.extensions.remove(ExtensionType::psk_key_exchange_modes);
    });
    duel.server_config.tickets(1).tickets_without_modes(wanted);
    prepare(duel, 0);
    duel.expect_connected();
    EXPECT_EQ(duel.client().sessions.size(), wanted ? 1U : 0U);
  }
}

TEST_F(HostileResumption, NeedsNoSignatureAlgorithms) {
  // Nothing is signed; the binder then tells that the ClientHello is another one.
  expect_refused([](RawClientHello& hello) { hello.extensions.remove(ExtensionType::signature_algorithms); },
                 Reason::psk_binder, Alert::decrypt_error);
}

TEST_F(HostileResumption, FormIsWhole) {
  for (const Octets& data : {Octets{}, Octets{0, 0, 0, 0}, Octets(40, 0), Octets(7, 0xff)}) {
    expect_refused([&](RawClientHello& hello) { hello.extensions[kPsk] = data; }, Reason::extension_malformed,
                   Alert::decode_error);
  }
}

TEST_F(HostileResumption, UnknownTicketsLeadToAFullHandshake) {
  Duel duel;
  duel.client_forger.change_parts<RawClientHello>(HandshakeType::client_hello, [](RawClientHello& hello) {
    hello.extensions[kPsk][10] ^= 1U;  // inside the ticket
  });
  prepare(duel);
  duel.expect_connected();
  EXPECT_FALSE(duel.server().connection.resumed());
}

TEST_F(HostileResumption, ModeWithoutKeyExchangeLeadsToAFullHandshake) {
  Duel duel;
  duel.client_forger.change_parts<RawClientHello>(HandshakeType::client_hello, [](RawClientHello& hello) {
    hello.extensions[ExtensionType::psk_key_exchange_modes] = {1, 0};
  });
  prepare(duel);
  duel.expect_connected();
  EXPECT_FALSE(duel.server().connection.resumed());
}

TEST_F(HostileResumption, ManyIdentitiesCostLittle) {
  // The server looks at a few; each look is the application's work.
  Duel duel;
  duel.client_forger.change_parts<RawClientHello>(HandshakeType::client_hello, [](RawClientHello& hello) {
    Octets identities;
    Octets binders;
    for (std::size_t i = 0; i < codec::kMaxPskIdentities; ++i) {
      put_vector(identities, Octets(20, 7), 2);
      put(identities, 0, 4);
      put_vector(binders, Octets(32, 7), 1);
    }
    Octets data = vector_of(identities, 2);
    put_vector(data, binders, 2);
    hello.extensions[kPsk] = data;
  });
  prepare(duel);
  duel.expect_connected();
  EXPECT_LE(std::ranges::count(duel.server().events, "open_ticket"), 4);
}

// --- a server that answers what was not offered --------------------------------------------------------------------

TEST_F(HostileResumption, SelectedIdentityIsInRange) {
  for (const std::uint8_t index : Octets{1, 2, 255}) {
    Duel duel;
    duel.server_forger.change_parts<RawServerHello>(
        HandshakeType::server_hello, [index](RawServerHello& hello) { hello.extensions[kPsk] = {0, index}; });
    prepare(duel);
    duel.expect_client_refuses(Reason::psk_not_offered, Alert::illegal_parameter);
  }
}

TEST_F(HostileResumption, SuiteHasTheHashOfThePsk) {
  Duel duel;
  duel.client_config.suites({CipherSuite::tls_aes_128_gcm_sha256, CipherSuite::tls_aes_256_gcm_sha384});
  duel.server_forger.change_parts<RawServerHello>(HandshakeType::server_hello,
                                                  [](RawServerHello& hello) { hello.cipher_suite = 0x1302; });
  prepare(duel);
  duel.expect_client_refuses(Reason::psk_hash, Alert::illegal_parameter);
}

TEST_F(HostileResumption, KeyShareIsNeededBesideThePsk) {
  Duel duel;
  duel.server_forger.change_parts<RawServerHello>(
      HandshakeType::server_hello, [](RawServerHello& hello) { hello.extensions.remove(ExtensionType::key_share); });
  prepare(duel);
  duel.expect_client_refuses(Reason::psk_without_key_share, Alert::illegal_parameter);
}

TEST_F(HostileResumption, CertificateIsUnexpectedWhenResumed) {
  Duel duel;
  duel.server_forger.precede(HandshakeType::finished, message_of(HandshakeType::certificate, Octets{0, 0, 0, 0}));
  prepare(duel);
  duel.expect_client_refuses(Reason::message_unexpected, Alert::unexpected_message);
}

TEST_F(HostileResumption, CertificateRequestIsUnexpectedWhenResumed) {
  Duel duel;
  duel.server_forger.precede(HandshakeType::finished,
                             message_of(HandshakeType::certificate_request, Octets{0, 0, 8, 0, 13, 0, 4, 0, 2, 4, 3}));
  prepare(duel);
  duel.expect_client_refuses(Reason::message_unexpected, Alert::unexpected_message);
}

TEST_F(HostileResumption, SessionOfAnotherNameIsNotOffered) {
  Duel duel;
  Session session = sessions[0].clone();
  session.name = x509::PeerName::dns("other.example").value();
  duel.sessions.push_back(std::move(session));
  duel.server().ticket_keys = keys;
  duel.expect_connected();
  EXPECT_FALSE(duel.client().connection.resumed());
  EXPECT_EQ(std::ranges::count(duel.server().events, "open_ticket"), 0);
}

TEST_F(HostileResumption, UnverifiedSessionIsNotOffered) {
  Duel duel;
  Session session = sessions[0].clone();
  session.peer_verified = false;
  duel.sessions.push_back(std::move(session));
  duel.server().ticket_keys = keys;
  duel.expect_connected();
  EXPECT_FALSE(duel.client().connection.resumed());
}

TEST_F(HostileResumption, TicketDoesNotReplaceAnIdentityThatIsDemanded) {
  Duel duel;
  duel.server_config.client_auth(ClientAuth::require);
  prepare(duel);
  duel.expect_connected();
  EXPECT_FALSE(duel.server().connection.resumed());
  EXPECT_FALSE(duel.server().peer_chain.empty());
}

}  // namespace
}  // namespace lockstep::testing
