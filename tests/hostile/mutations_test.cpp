// Every message cut at every byte, with a byte too many, and with every single bit turned, on the wire and under the
// right keys: an error or the same outcome, never anything else.

#include <array>
#include <optional>
#include <set>

#include "hostile/hostile.hpp"

namespace lockstep::testing {
namespace {

/// What both ends agreed on, as each sees it.
std::optional<Octets> outcome(const End& end) {
  if (!end.connection.connected()) return std::nullopt;
  Octets exported(32);
  EXPECT_TRUE(end.connection.export_keying_material("EXPORTER-outcome", {}, exported));
  put(exported, static_cast<std::size_t>(*end.connection.suite()), 2);
  put(exported, static_cast<std::size_t>(end.connection.group().value_or(NamedGroup{})), 2);
  append(exported, as_bytes(end.connection.alpn()));
  return exported;
}

/// Handshakes in quick succession: what they have in common is made once.
class Arena {
 public:
  explicit Arena(ClientAuth client_auth = ClientAuth::none)
      : client_config_(built(plain_client().alpn({"h2"}))),
        server_config_(built(plain_server().alpn({"h2"}).client_auth(client_auth))),
        credential_(credential_of(KeyType::ec_p256)) {}
  /// TLS 1.2, where everything is sent that can be.
  explicit Arena(CipherSuite suite) {
    Duel duel;
    speak_tls12(duel);
    const std::vector schemes{SignatureScheme::ecdsa_secp256r1_sha256, SignatureScheme::rsa_pss_rsae_sha256};
    client_config_ = built(duel.client_config.suites({suite}).schemes(schemes).alpn({"h2"}).ocsp_stapling(true));
    server_config_ = built(
        duel.server_config.suites({suite}).schemes(schemes).alpn({"h2"}).client_auth(ClientAuth::require).tickets(1));
    const bool rsa = parts(suite)->key_exchange == KeyExchangeMethod::rsa;
    Credential credential = *credential_of(rsa ? KeyType::rsa : KeyType::ec_p256);
    credential.ocsp_response = {1, 2, 3};
    credential_ = std::make_shared<const Credential>(std::move(credential));
    ticket_keys_ = ticket_keys();
  }

  struct Bout {
    Bout(const Arena& arena, Forger client_forger, Forger server_forger)
        : from_client(std::move(client_forger)),
          from_server(std::move(server_forger)),
          client(ConnectionAccess::client(arena.client_config_, {x509::PeerName::dns("example.com").value(), {}},
                                          client_random, kNow, from_client),
                 3),
          server(ConnectionAccess::server(arena.server_config_, server_random, from_server), 4) {
      client.credential = arena.credential_;
      server.credential = arena.credential_;
      server.ticket_keys = arena.ticket_keys_;
    }
    Bout(const Bout&) = delete;
    Bout& operator=(const Bout&) = delete;

    /// Everything that an end has to say now.
    static Octets speak(End& end) {
      Octets out(16'384);
      std::size_t size = 0;
      while (const std::size_t more = end.connection.transmit(MutableBytes(out).subspan(size), kNow)) {
        size += more;
        if (out.size() - size < 1000) out.resize(2 * out.size());
      }
      out.resize(size);
      return out;
    }
    static void hear(End& end, Octets bytes) {
      for (std::size_t used = 0;;) {
        auto [consumed, event] = end.connection.receive(MutableBytes(bytes).subspan(used), kNow);
        used += consumed;
        const bool told = end.treat(std::move(event));
        if (end.error || (!told && consumed == 0)) return;
      }
    }
    /// Until both are silent.
    void run() {
      for (;;) {
        Octets to_server = speak(client);
        const bool client_spoke = !to_server.empty();
        hear(server, std::move(to_server));
        Octets to_client = speak(server);
        if (to_client.empty() && !client_spoke) return;
        hear(client, std::move(to_client));
      }
    }
    /// One end failed for a reason with a text, or both came to the same end.
    void expect_error_or_agreement() {
      for (const End* end : {&client, &server}) {
        if (!end->error) continue;
        EXPECT_FALSE(explain(end->error->reason).empty());
        EXPECT_FALSE(advise(end->error->reason).empty());
        // The alert that this one has came with TLS 1.3.
        const bool older =
            end->error->reason == Reason::certificate_required && end->connection.version() == ProtocolVersion::tls_1_2;
        if (end->error->origin == Origin::local && !older) {
          EXPECT_EQ(end->error->alert, alert_of(end->error->reason)) << error_text(*end);
        }
      }
      EXPECT_FALSE(client.error && client.connection.connected());
      EXPECT_FALSE(server.error && server.connection.connected());
      if (client.error || server.error) return;
      const auto of_client = outcome(client);
      const auto of_server = outcome(server);
      if (of_client && of_server) {
        EXPECT_EQ(*of_client, *of_server);
        return;
      }
      // A length that grew: somebody waits for the rest, until the transport ends.
      for (End* end : {&client, &server}) {
        const Event event = end->connection.receive_end();
        const auto* failed = std::get_if<Failed>(&event);
        ASSERT_NE(failed, nullptr);
        EXPECT_EQ(failed->error.reason, Reason::truncated);
      }
    }

    FixedRandom client_random{1};
    FixedRandom server_random{2};
    Forger from_client;
    Forger from_server;
    End client;
    End server;
  };

 private:
  std::shared_ptr<const ClientConfig> client_config_;
  std::shared_ptr<const ServerConfig> server_config_;
  std::shared_ptr<const Credential> credential_;
  std::shared_ptr<TicketKeys> ticket_keys_;
};

struct Target {
  const char* name;
  Role sender;
  HandshakeType type;
  std::optional<CipherSuite> tls12{};
};

constexpr auto kEcdhe = CipherSuite::tls_ecdhe_ecdsa_with_aes_128_gcm_sha256;
constexpr auto kCbc = CipherSuite::tls_ecdhe_ecdsa_with_aes_128_cbc_sha;
constexpr auto kRsa = CipherSuite::tls_rsa_with_aes_128_gcm_sha256;

constexpr std::array kTargets{
    Target{"ClientHello", Role::client, HandshakeType::client_hello},
    Target{"ServerHello", Role::server, HandshakeType::server_hello},
    Target{"EncryptedExtensions", Role::server, HandshakeType::encrypted_extensions},
    Target{"CertificateRequest", Role::server, HandshakeType::certificate_request},
    Target{"ServerCertificate", Role::server, HandshakeType::certificate},
    Target{"ServerCertificateVerify", Role::server, HandshakeType::certificate_verify},
    Target{"ServerFinished", Role::server, HandshakeType::finished},
    Target{"ClientCertificate", Role::client, HandshakeType::certificate},
    Target{"ClientCertificateVerify", Role::client, HandshakeType::certificate_verify},
    Target{"ClientFinished", Role::client, HandshakeType::finished},
    // TLS 1.2
    Target{"ClientHello12", Role::client, HandshakeType::client_hello, kEcdhe},
    Target{"ServerHello12", Role::server, HandshakeType::server_hello, kEcdhe},
    Target{"ServerCertificate12", Role::server, HandshakeType::certificate, kEcdhe},
    Target{"CertificateStatus", Role::server, HandshakeType::certificate_status, kEcdhe},
    Target{"ServerKeyExchange", Role::server, HandshakeType::server_key_exchange, kEcdhe},
    Target{"CertificateRequest12", Role::server, HandshakeType::certificate_request, kEcdhe},
    Target{"ServerHelloDone", Role::server, HandshakeType::server_hello_done, kEcdhe},
    Target{"ClientCertificate12", Role::client, HandshakeType::certificate, kEcdhe},
    Target{"ClientKeyExchange", Role::client, HandshakeType::client_key_exchange, kEcdhe},
    Target{"ClientCertificateVerify12", Role::client, HandshakeType::certificate_verify, kEcdhe},
    Target{"NewSessionTicket12", Role::server, HandshakeType::new_session_ticket, kEcdhe},
    Target{"ServerFinished12", Role::server, HandshakeType::finished, kEcdhe},
    Target{"ClientFinished12", Role::client, HandshakeType::finished, kEcdhe},
    Target{"ServerFinishedCbc", Role::server, HandshakeType::finished, kCbc},
    Target{"ClientFinishedCbc", Role::client, HandshakeType::finished, kCbc},
    Target{"EncryptedPremasterSecret", Role::client, HandshakeType::client_key_exchange, kRsa},
};

class HostileMutations : public ::testing::TestWithParam<Target> {
 protected:
  /// The message as it is when nobody changes it.
  Octets honest() const {
    Arena::Bout bout(arena_, {}, {});
    bout.run();
    EXPECT_TRUE(outcome(bout.client) && outcome(bout.server));
    const auto& said = GetParam().sender == Role::client ? bout.from_client.honest : bout.from_server.honest;
    for (const Octets& message : said) {
      if (static_cast<HandshakeType>(message[0]) == GetParam().type) return message;
    }
    ADD_FAILURE() << "no such message";
    return {};
  }
  /// Runs a handshake with this in its place.
  template <class Check>
  void with(const Octets& message, Check check) const {
    Forger forger;
    forger.replace(GetParam().type, message);
    const bool client = GetParam().sender == Role::client;
    Arena::Bout bout(arena_, client ? forger : Forger{}, client ? Forger{} : forger);
    bout.run();
    bout.expect_error_or_agreement();
    check(client ? bout.server : bout.client);
  }

 private:
  Arena arena_{GetParam().tls12 ? Arena(*GetParam().tls12) : Arena(ClientAuth::require)};
};
INSTANTIATE_TEST_SUITE_P(Messages, HostileMutations, ::testing::ValuesIn(kTargets),
                         [](const auto& tested) { return std::string(tested.param.name); });

TEST_P(HostileMutations, CutAtEveryByte) {
  const Octets message = honest();
  std::set<Reason> reasons;
  for (std::size_t size = 4; size < message.size(); ++size) {
    const Octets cut = message_of(GetParam().type, Bytes(message).subspan(4, size - 4));
    with(cut, [&](const End& victim) {
      ASSERT_TRUE(victim.error) << "cut at " << size;
      EXPECT_EQ(victim.error->origin, Origin::local) << error_text(victim);
      reasons.insert(victim.error->reason);
      // A ClientHello may end before its extensions: that is one of an older version.
      const bool older = victim.error->reason == Reason::version_unsupported ||
                         victim.error->reason == Reason::extended_main_secret_missing ||
                         victim.error->reason == Reason::renegotiation_info_missing;
      EXPECT_TRUE(victim.error->alert == Alert::decode_error || older) << size << ": " << error_text(victim);
      EXPECT_TRUE(!older || GetParam().type == HandshakeType::client_hello ||
                  GetParam().type == HandshakeType::server_hello);
    });
  }
  EXPECT_TRUE(reasons.contains(Reason::message_truncated) || GetParam().type == HandshakeType::server_hello_done);
}

TEST_P(HostileMutations, FollowedByAByte) {
  Octets body = honest();
  body.erase(body.begin(), body.begin() + 4);
  for (const std::uint8_t extra : Octets{0, 1, 255}) {
    body.push_back(extra);
    with(message_of(GetParam().type, body), [](const End& victim) {
      ASSERT_TRUE(victim.error);
      EXPECT_EQ(victim.error->reason, Reason::message_trailing_data) << error_text(victim);
      EXPECT_EQ(victim.error->alert, Alert::decode_error);
    });
  }
}

TEST_P(HostileMutations, EveryBitUnderTheRightKeys) {
  const Octets message = honest();
  // RSA makes noise of any of them, and takes its time: one of each byte of a ciphertext.
  const std::size_t ciphertext = GetParam().tls12 == kRsa ? 6 : message.size();
  for (std::size_t bit = 0; bit < 8 * message.size(); ++bit) {
    if (bit / 8 >= ciphertext && bit % 8 != bit / 8 % 8) continue;
    Octets turned = message;
    turned[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
    with(turned, [&](const End& victim) {
      // Finished is a check by itself: nothing in it may turn.
      EXPECT_FALSE(GetParam().type == HandshakeType::finished && victim.connection.connected()) << "bit " << bit;
    });
    if (HasFatalFailure()) FAIL() << "bit " << bit;
  }
}

// --- on the wire ---------------------------------------------------------------------------------------------------

/// The three flights of an honest handshake.
class HostileBits : public ::testing::Test {
 protected:
  using Bout = Arena::Bout;

  void SetUp() override {
    Bout bout(arena_, {}, {});
    client_hello_ = Bout::speak(bout.client);
    Bout::hear(bout.server, client_hello_);
    server_flight_ = Bout::speak(bout.server);
    Bout::hear(bout.client, server_flight_);
    client_flight_ = Bout::speak(bout.client);
    Bout::hear(bout.server, client_flight_);
    honest_ = outcome(bout.server).value();
    ASSERT_EQ(outcome(bout.client), honest_);
  }
  template <class Play>
  void turn_every_bit(const Octets& flight, Play play) {
    for (std::size_t bit = 0; bit < 8 * flight.size(); ++bit) {
      Octets turned = flight;
      turned[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
      Bout bout(arena_, {}, {});
      play(bout, turned);
      // What was changed on the way is seen by somebody, or it was nothing that counts.
      const bool failed = bout.client.error || bout.server.error;
      const bool waits = !bout.client.connection.connected() || !bout.server.connection.connected();
      if (!failed && !waits) {
        EXPECT_EQ(outcome(bout.client), honest_) << "bit " << bit;
        EXPECT_EQ(outcome(bout.server), honest_) << "bit " << bit;
        ++harmless_;
      }
    }
  }

  Arena arena_;
  Octets client_hello_;
  Octets server_flight_;
  Octets client_flight_;
  Octets honest_;
  std::size_t harmless_ = 0;
};

// Of an unprotected record's header, legacy_record_version means nothing but that the first begins with 3.
TEST_F(HostileBits, OfClientHello) {
  turn_every_bit(client_hello_, [](Bout& bout, const Octets& turned) {
    Bout::speak(bout.client);
    Bout::hear(bout.server, turned);
    bout.run();
  });
  EXPECT_EQ(harmless_, 8U);
}

TEST_F(HostileBits, OfTheServersFlight) {
  turn_every_bit(server_flight_, [&](Bout& bout, const Octets& turned) {
    Bout::hear(bout.server, Bout::speak(bout.client));
    Bout::speak(bout.server);
    Bout::hear(bout.client, turned);
    bout.run();
  });
  // ServerHello's and change_cipher_spec's minor version; of the second also the major one.
  EXPECT_EQ(harmless_, 8U + 16U);
}

TEST_F(HostileBits, OfTheClientsFlight) {
  turn_every_bit(client_flight_, [&](Bout& bout, const Octets& turned) {
    Bout::hear(bout.server, Bout::speak(bout.client));
    Bout::hear(bout.client, Bout::speak(bout.server));
    Bout::speak(bout.client);
    Bout::hear(bout.server, turned);
    bout.run();
  });
  EXPECT_EQ(harmless_, 16U);
}

}  // namespace
}  // namespace lockstep::testing
