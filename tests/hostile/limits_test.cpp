// Whatever a peer sends, a handshake's memory is bounded, and it ends.

#include "hostile/hostile.hpp"

namespace lockstep::testing {
namespace {

TEST(HostileLimits, HeaderOfAMessageThatIsTooLongSuffices) {
  for (const Octets& header : {Octets{1, 0x02, 0x00, 0x01}, Octets{1, 0xff, 0xff, 0xff}}) {
    Duel duel;
    duel.pair();
    duel.to_server() = plain_record(22, header);
    duel.expect_server_refuses(Reason::message_too_long, Alert::decode_error);
    EXPECT_EQ(duel.server().error->place, Place::client_hello);
  }
  Duel duel;
  duel.server_forger.replace(HandshakeType::certificate, Octets{11, 0x02, 0x00, 0x01});
  duel.expect_client_refuses(Reason::message_too_long, Alert::decode_error);
}

/// A chain whose Certificate message has this size; what stands behind the leaf is for the verifier to look at.
auto lengthened_to(std::size_t size) {
  return [size](RawCertificate& certificate) {
    constexpr std::size_t kEntryAdds = 3 + 2;
    const std::size_t body = certificate.join().size() - 4;
    certificate.certificate_list.push_back({Octets(size - body - kEntryAdds, 0x30), {}});
  };
}

// With the memory that a handshake has by default, by either end and in records of whichever size. Who sends it needs
// more, because the chain is not its own.
TEST(HostileLimits, LongestMessageIsTaken) {
  for (const std::uint16_t fragment : std::initializer_list<std::uint16_t>{64, 1000, 16'384}) {
    for (const std::size_t excess : {0U, 1U}) {
      Duel duel;
      duel.server_config.max_send_fragment(fragment).handshake_memory(std::size_t{1} << 23U);
      duel.server_forger.change_parts<RawCertificate>(HandshakeType::certificate,
                                                      lengthened_to(kDefaultMaxHandshakeMessage + excess));
      Duel client;
      client.server_config.client_auth(ClientAuth::require);
      client.client_config.max_send_fragment(fragment).handshake_memory(std::size_t{1} << 23U);
      client.client_forger.change_parts<RawCertificate>(HandshakeType::certificate,
                                                        lengthened_to(kDefaultMaxHandshakeMessage + excess));
      if (excess == 0) {
        duel.expect_connected();
        client.expect_connected();
      } else {
        duel.expect_client_refuses(Reason::message_too_long, Alert::decode_error);
        client.expect_server_refuses(Reason::message_too_long, Alert::decode_error);
      }
    }
  }
}

TEST(HostileLimits, LongerMessagesAreTakenWhereThatIsSet) {
  for (const std::size_t limit : {std::size_t{200'000}, std::size_t{300'000}, std::size_t{1} << 20U}) {
    Duel duel;
    duel.client_config.max_handshake_message(limit);
    duel.server_config.handshake_memory(std::size_t{1} << 23U);
    duel.server_forger.change_parts<RawCertificate>(HandshakeType::certificate, lengthened_to(limit));
    duel.expect_connected();
  }
}

TEST(HostileLimits, MemoryOfAHandshakeIsBounded) {
  // The chain is within what one message may hold, but with what is kept of it not within what the handshake may.
  Duel duel;
  duel.client_config.max_handshake_message(65'536).handshake_memory(65'536 + 16'384);
  duel.server_forger.change_parts<RawCertificate>(HandshakeType::certificate, [](RawCertificate& certificate) {
    for (int i = 0; i < 12'000; ++i) certificate.certificate_list.push_back({{}, {}});
  });
  duel.expect_client_refuses(Reason::handshake_too_large, Alert::handshake_failure);
}

TEST(HostileLimits, FragmentsDoNotAddUp) {
  // A message in the smallest fragments takes no more memory than one in a piece.
  for (const std::size_t size : {1U, 7U}) {
    Duel duel;
    duel.server_config.max_handshake_message(16'384).handshake_memory(32'768);
    duel.client_forger.change_parts<RawClientHello>(HandshakeType::client_hello, [](RawClientHello& hello) {
      hello.extensions.add(ExtensionType::padding, Octets(8000, 0));
    });
    Octets buffer(20'000);
    buffer.resize(duel.client().connection.transmit(buffer, kNow));
    for (Bytes rest = Bytes(buffer).subspan(5); !rest.empty();) {
      const std::size_t taken = std::min(size, rest.size());
      append(duel.to_server(), plain_record(22, rest.first(taken)));
      rest = rest.subspan(taken);
    }
    duel.expect_connected();
  }
}

TEST(HostileLimits, ManyCertificatesAreNothingSpecial) {
  const auto duel_with = [](std::size_t count) {
    auto duel = std::make_unique<Duel>();
    duel->server_forger.change_parts<RawCertificate>(HandshakeType::certificate, [count](RawCertificate& certificate) {
      while (certificate.certificate_list.size() < count)
        certificate.certificate_list.push_back({Octets{0x30, 0x00}, {}});
    });
    return duel;
  };
  // The engine reads the leaf; whether the rest makes a path is the verifier's to say.
  const auto most = duel_with(codec::kMaxCertificates);
  most->expect_connected();
  EXPECT_EQ(most->client().peer_chain.size(), codec::kMaxCertificates);
  duel_with(codec::kMaxCertificates + 1)->expect_client_refuses(Reason::too_many_entries, Alert::illegal_parameter);
}

TEST(HostileLimits, ListsAtTheirLongestAreRead) {
  Duel duel;
  duel.client_forger.change_parts<RawClientHello>(HandshakeType::client_hello, [](RawClientHello& hello) {
    const auto fill = [](std::size_t count) {
      Octets codes;
      for (std::size_t i = 0; i < count; ++i) put(codes, 0x4000 + i, 2);
      return codes;
    };
    Octets suites = fill(codec::kMaxCodePoints - hello.cipher_suites.size() / 2);
    append(suites, hello.cipher_suites);
    hello.cipher_suites = suites;
    Octets groups = fill(codec::kMaxCodePoints - 1);
    append(groups, Octets{0x00, 0x1d});
    hello.extensions[ExtensionType::supported_groups] = vector_of(groups, 2);
    Octets shares;
    for (unsigned i = 0; i < codec::kMaxKeyShares - 1; ++i)
      append(shares, key_share_entry(static_cast<NamedGroup>(0x4000 + i), Octets{1}));
    const Octets& own = hello.extensions[ExtensionType::key_share];
    append(shares, Bytes(own).subspan(2));
    hello.extensions[ExtensionType::key_share] = vector_of(shares, 2);
  });
  duel.expect_connected();
}

TEST(HostileLimits, WithoutMemoryAHandshakeFailsInOrder) {
  // From far too little to enough: failure with a reason, or success.
  bool connected = false;
  for (std::size_t bound = 16'384; bound <= 131'072; bound += 512) {
    Duel duel;
    const auto config = duel.server_config.max_handshake_message(4096).handshake_memory(bound).build();
    if (!config) continue;  // the builder refuses what can never do
    duel.run();
    if (duel.server().connection.connected()) {
      connected = true;
      EXPECT_TRUE(duel.client().connection.connected());
    } else {
      EXPECT_FALSE(connected) << "less memory sufficed";
      Duel::expect_refusal(duel.server(), Reason::handshake_too_large, Alert::handshake_failure);
      Duel::expect_heard(duel.client(), Alert::handshake_failure);
    }
  }
  EXPECT_TRUE(connected);
}

}  // namespace
}  // namespace lockstep::testing
