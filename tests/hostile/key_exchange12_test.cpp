// What either side refuses of the key exchanges of TLS 1.2: ECDHE, DHE, and those with pre-shared keys.

#include <array>

#include "hostile/old_duel.hpp"
#include "key_schedule/tls12.hpp"
#include "pair/dh_groups.hpp"

namespace lockstep::testing {
namespace {

// --- ECDHE ----------------------------------------------------------------------------------------------------------

struct RawServerKeyExchange : RawSignedParams {
  std::uint8_t curve_type = 0;
  std::uint16_t group = 0;
  Octets point;

  static RawServerKeyExchange split(Bytes message) {
    Cursor cursor(message.subspan(4));
    RawServerKeyExchange exchange;
    exchange.curve_type = static_cast<std::uint8_t>(cursor.number(1));
    exchange.group = static_cast<std::uint16_t>(cursor.number(2));
    exchange.point = cursor.vector(1);
    exchange.read_signature(cursor);
    return exchange;
  }
  [[nodiscard]] Octets params() const {
    Octets out{curve_type};
    put(out, group, 2);
    put_vector(out, point, 1);
    return out;
  }
  [[nodiscard]] Octets join() const { return join_behind(params()); }
  /// Signs what it says by now.
  void sign(const Duel& duel) { sign_params(duel, params(), usual_key()); }
};

template <class Edit>
void expect_key_exchange_refused(Edit edit, Reason reason, Alert alert = Alert::illegal_parameter) {
  OldDuel duel;
  duel.server_forger.change_parts<RawServerKeyExchange>(HandshakeType::server_key_exchange,
                                                        [&](RawServerKeyExchange& exchange) {
                                                          edit(exchange);
                                                          if (reason == Reason::key_share_invalid) exchange.sign(duel);
                                                        });
  duel.expect_client_refuses(reason, alert, Place::server_key_exchange);
}

TEST(HostileTls12ServerKeyExchange, NamesAGroupThatWasOffered) {
  expect_key_exchange_refused([](RawServerKeyExchange& exchange) { exchange.curve_type = 1; }, Reason::curve_not_named);
  expect_key_exchange_refused([](RawServerKeyExchange& exchange) { exchange.curve_type = 2; }, Reason::curve_not_named);
  for (const std::uint16_t group : std::to_array<std::uint16_t>({24, 30, 4588, 256, 0, 0x0a0a})) {
    expect_key_exchange_refused([group](RawServerKeyExchange& exchange) { exchange.group = group; },
                                Reason::group_not_offered);
  }
}

TEST(HostileTls12ServerKeyExchange, HasAPointOfTheGroup) {
  expect_key_exchange_refused([](RawServerKeyExchange& exchange) { exchange.group = 23; }, Reason::key_share_size);
  expect_key_exchange_refused([](RawServerKeyExchange& exchange) { exchange.point.pop_back(); },
                              Reason::key_share_size);
  expect_key_exchange_refused([](RawServerKeyExchange& exchange) { exchange.point.push_back(0); },
                              Reason::key_share_size);
  expect_key_exchange_refused([](RawServerKeyExchange& exchange) { exchange.point.clear(); }, Reason::vector_length,
                              Alert::decode_error);
  // Signed by the server's own key, so that nothing else is wrong: of small order, and not on the curve.
  expect_key_exchange_refused([](RawServerKeyExchange& exchange) { exchange.point.assign(32, 0); },
                              Reason::key_share_invalid);
  const auto of_p256 = [](Octets point) {
    expect_key_exchange_refused(
        [&](RawServerKeyExchange& exchange) {
          exchange.group = 23;
          exchange.point = point;
        },
        Reason::key_share_invalid);
  };
  Octets point(65, 5);
  point[0] = 4;
  of_p256(point);
  point.assign(65, 0);
  of_p256(point);  // infinity, and not as it is written
  point.assign(65, 0xff);
  point[0] = 4;
  of_p256(point);  // coordinates that are not reduced
  point.assign(65, 9);
  point[0] = 6;
  of_p256(point);  // a form that is not the uncompressed one
}

TEST(HostileTls12ServerKeyExchange, IsSignedByTheServersKey) {
  expect_key_exchange_refused([](RawServerKeyExchange& exchange) { exchange.signature.back() ^= 1U; },
                              Reason::signature_invalid, Alert::decrypt_error);
  expect_key_exchange_refused([](RawServerKeyExchange& exchange) { exchange.signature.clear(); },
                              Reason::signature_invalid, Alert::decrypt_error);
  expect_key_exchange_refused([](RawServerKeyExchange& exchange) { exchange.point[3] ^= 1U; },
                              Reason::signature_invalid, Alert::decrypt_error);
  for (const std::uint16_t algorithm : std::to_array<std::uint16_t>({0x0203, 0x0401, 0x0804, 0x0503})) {
    expect_key_exchange_refused([algorithm](RawServerKeyExchange& exchange) { exchange.algorithm = algorithm; },
                                Reason::scheme_not_offered);
  }
  expect_key_exchange_refused([](RawServerKeyExchange& exchange) { exchange.algorithm = 0x0807; },
                              Reason::scheme_wrong_key);
}

// SLOTH (Bhargavan and Leurent, 2016): a peer that offers weak hashes to nobody is not made to take one, and none gets
// weaker ones than it names.
TEST(HostileTls12ServerKeyExchange, HasNoWeakerHashThanWasAskedFor) {
  // MD5, SHA-1 and SHA-224 with ECDSA and RSA.
  for (const std::uint16_t algorithm : std::to_array<std::uint16_t>({0x0101, 0x0103, 0x0201, 0x0203, 0x0301, 0x0303})) {
    expect_key_exchange_refused([algorithm](RawServerKeyExchange& exchange) { exchange.algorithm = algorithm; },
                                Reason::scheme_not_offered);
    if (algorithm == 0x0203 || !provider().supports(SignatureScheme::ecdsa_sha1)) continue;
    OldDuel duel;
    duel.client_config.schemes({SignatureScheme::ecdsa_secp256r1_sha256, SignatureScheme::ecdsa_sha1});
    duel.server_forger.change_parts<RawServerKeyExchange>(
        HandshakeType::server_key_exchange, [&](RawServerKeyExchange& exchange) { exchange.algorithm = algorithm; });
    duel.expect_client_refuses(Reason::scheme_not_offered, Alert::illegal_parameter, Place::server_key_exchange);
  }
}

// RFC 5246 7.4.1.4.1.
TEST(HostileTls12ServerKeyExchange, IsSignedWithSha1ForAClientThatNamesNothing) {
  if (!provider().supports(SignatureScheme::ecdsa_sha1)) GTEST_SKIP();
  OldDuel duel;
  const std::vector both{SignatureScheme::ecdsa_secp256r1_sha256, SignatureScheme::ecdsa_sha1};
  duel.client_config.schemes(both);
  duel.server_config.schemes(both);
  duel.client_forger.change_parts<RawClientHello>(HandshakeType::client_hello, [](RawClientHello& hello) {
    hello.extensions.remove(ExtensionType::signature_algorithms);
  });
  duel.expect_connected();
  EXPECT_EQ(duel.server().connection.own_scheme(), SignatureScheme::ecdsa_sha1);
}

// Both randoms are part of what is signed: what was signed for another connection is worth nothing here.
TEST(HostileTls12ServerKeyExchange, IsOfThisConnection) {
  OldDuel first;
  first.expect_connected();
  const Octets old = first.server_forger.honest[2];
  OldDuel duel;
  duel.server_forger.change_parts<RawServerHello>(HandshakeType::server_hello,
                                                  [](RawServerHello& hello) { hello.random[0] ^= 1U; });
  duel.server_forger.replace(HandshakeType::server_key_exchange, old);
  duel.expect_client_refuses(Reason::signature_invalid, Alert::decrypt_error, Place::server_key_exchange);
}

TEST(HostileTls12ServerKeyExchange, EndsWithItsSignature) {
  const auto refuse = [](auto edit, Reason reason) {
    OldDuel duel;
    duel.server_forger.change(HandshakeType::server_key_exchange, [edit](const Octets& message) {
      Octets body(message.begin() + 4, message.end());
      edit(body);
      return message_of(HandshakeType::server_key_exchange, body);
    });
    duel.expect_client_refuses(reason, Alert::decode_error, Place::server_key_exchange);
  };
  refuse([](Octets& body) { body.push_back(0); }, Reason::message_trailing_data);
  refuse([](Octets& body) { body.pop_back(); }, Reason::message_truncated);
  refuse([](Octets& body) { body.resize(10); }, Reason::message_truncated);
  refuse([](Octets& body) { body.clear(); }, Reason::message_truncated);
}

// --- DHE ------------------------------------------------------------------------------------------------------------

constexpr auto kDhe = CipherSuite::tls_dhe_rsa_with_aes_128_gcm_sha256;

/// A duel with DHE alone, whose client takes groups that it does not know.
struct DheDuel : OldDuel {
  DheDuel() {
    const std::vector schemes{SignatureScheme::rsa_pss_rsae_sha256};
    client_config.suites({kDhe}).groups({NamedGroup::ffdhe2048}).schemes(schemes).allow_unknown_dh_groups(true);
    server_config.suites({kDhe}).groups({NamedGroup::ffdhe2048}).schemes(schemes);
  }
  /// The engines, with the key that the suite needs.
  DheDuel& with_rsa() {
    server().credential = credential_of(KeyType::rsa);
    return *this;
  }
  void replace_client_share(const Octets& body) {
    client_forger.replace(HandshakeType::client_key_exchange, message_of(HandshakeType::client_key_exchange, body));
  }
};

class HostileDhe : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!provider().supports(kDhe)) GTEST_SKIP() << "no finite fields";
  }

  /// The server's numbers are changed, and signed again, so that nothing else is wrong.
  template <class Edit>
  static void expect_refused(Edit edit, Reason reason, Alert alert) {
    DheDuel duel;
    duel.server_forger.change_parts<RawDheExchange>(HandshakeType::server_key_exchange, [&](RawDheExchange& exchange) {
      edit(exchange);
      exchange.sign(duel);
    });
    duel.with_rsa().expect_client_refuses(reason, alert, Place::server_key_exchange);
  }
  /// p itself, with something added in the last byte.
  static Octets prime(int added = 0) {
    const Bytes p = field_parameters(NamedGroup::ffdhe2048)->p;
    Octets number(p.begin(), p.end());
    number.back() = static_cast<std::uint8_t>(number.back() + added);
    return number;
  }
  /// Numbers that are no public values of the group.
  static std::vector<Octets> bad_shares() {
    Octets longer = prime();
    longer.push_back(0);
    return {{0}, {1}, {0, 0, 1}, Octets(256, 0), prime(-1), prime(), Octets(256, 0xff), longer, Octets(60'000, 5)};
  }
};

TEST_F(HostileDhe, WorksWhenNobodyIsHostile) {
  DheDuel duel;
  duel.with_rsa().expect_connected();
  duel.expect_alive();
  // Zeros before a number change nothing, nor does leaving them out.
  DheDuel padded;
  padded.server_forger.change_parts<RawDheExchange>(HandshakeType::server_key_exchange, [&](RawDheExchange& exchange) {
    for (Octets* number : {&exchange.p, &exchange.g, &exchange.ys}) number->insert(number->begin(), 3, 0);
    exchange.sign(padded);
  });
  padded.client_forger.change(HandshakeType::client_key_exchange, [](const Octets& message) {
    Octets yc = Cursor(Bytes(message).subspan(4)).vector(2);
    yc.insert(yc.begin(), 3, 0);
    return message_of(HandshakeType::client_key_exchange, vector_of(yc, 2));
  });
  padded.with_rsa().expect_connected();
  padded.expect_alive();
}

// CVE-2015-4000, Logjam: groups of 512 and 1024 bits.
TEST_F(HostileDhe, GroupIsLongEnough) {
  for (const std::string_view pem : {kDh512, kDh1024}) {
    const DhParameters weak = dh_parameters(pem);
    expect_refused(
        [&](RawDheExchange& exchange) {
          exchange.p = weak.p;
          exchange.g = weak.g;
          exchange.ys = Octets(60, 5);
        },
        Reason::dh_group_weak, Alert::insufficient_security);
  }
  for (const Octets& tiny : {Octets{0}, Octets{1}, Octets{5}, Octets(255, 0xff), Octets(300, 0)})
    expect_refused([&](RawDheExchange& exchange) { exchange.p = tiny; }, Reason::dh_group_weak,
                   Alert::insufficient_security);
  // A client that asks for little gets no less than that.
  DheDuel duel;
  duel.client_config.min_dh_bits(1024);
  duel.server_forger.change_parts<RawDheExchange>(HandshakeType::server_key_exchange,
                                                  [&](RawDheExchange& exchange) { exchange.p = Octets(127, 0xff); });
  duel.with_rsa().expect_client_refuses(Reason::dh_group_weak, Alert::insufficient_security,
                                        Place::server_key_exchange);
}

TEST_F(HostileDhe, GroupIsNoLongerThanItIsWorth) {
  for (const std::size_t size : std::to_array<std::size_t>({1025, 5000, 65'535}))
    expect_refused([&](RawDheExchange& exchange) { exchange.p = Octets(size, 0xff); }, Reason::dh_group_too_large,
                   Alert::handshake_failure);
}

TEST_F(HostileDhe, GroupIsOne) {
  expect_refused([](RawDheExchange& exchange) { exchange.p = prime(-1); }, Reason::dh_group_invalid,
                 Alert::illegal_parameter);
  for (const Octets& g : {Octets{0}, Octets{1}, Octets(3, 0), prime(-1), prime(), Octets(300, 9)})
    expect_refused([&](RawDheExchange& exchange) { exchange.g = g; }, Reason::dh_group_invalid,
                   Alert::illegal_parameter);
}

TEST_F(HostileDhe, GroupIsKnownUnlessOthersAreTaken) {
  const auto own = dh_parameters(kDh2048);
  const auto [p, g] = *field_parameters(NamedGroup::ffdhe3072);
  for (const DhParameters& unknown :
       {own, DhParameters{{p.begin(), p.end()}, {g.begin(), g.end()}}, DhParameters{prime(), {3}}}) {
    DheDuel duel;
    duel.client_config.allow_unknown_dh_groups(false);
    duel.server_forger.change_parts<RawDheExchange>(HandshakeType::server_key_exchange, [&](RawDheExchange& exchange) {
      exchange.p = unknown.p;
      exchange.g = unknown.g;
    });
    duel.with_rsa().expect_client_refuses(Reason::dh_group_unknown, Alert::insufficient_security,
                                          Place::server_key_exchange);
  }
}

// RFC 7919 3 and 4.
TEST_F(HostileDhe, SharesAreWithinTheGroup) {
  for (const Octets& share : bad_shares()) {
    expect_refused([&](RawDheExchange& exchange) { exchange.ys = share; }, Reason::dh_share_invalid,
                   Alert::handshake_failure);
    DheDuel duel;
    duel.replace_client_share(vector_of(share, 2));
    duel.with_rsa().expect_server_refuses(Reason::dh_share_invalid, Alert::handshake_failure,
                                          Place::client_key_exchange);
  }
  // In a group that is known by its numbers alone, too.
  for (const Octets& share : {Octets{1}, prime(-1), prime()}) {
    DheDuel duel;
    duel.client_config.groups({NamedGroup::secp256r1});
    duel.server_forger.change_parts<RawDheExchange>(HandshakeType::server_key_exchange, [&](RawDheExchange& exchange) {
      exchange.ys = share;
      exchange.sign(duel);
    });
    duel.with_rsa().expect_client_refuses(Reason::dh_share_invalid, Alert::handshake_failure,
                                          Place::server_key_exchange);
  }
}

// A p that is no prime may have a square that is nothing.
TEST_F(HostileDhe, SecretIsWithinTheGroup) {
  DheDuel duel;
  duel.server_forger.change_parts<RawDheExchange>(HandshakeType::server_key_exchange, [&](RawDheExchange& exchange) {
    // (2^1032 + 1)^2, whose root has no power but 0.
    exchange.p.assign(259, 0);
    exchange.p[0] = 1;
    exchange.p[129] = 2;
    exchange.p[258] = 1;
    exchange.ys.assign(130, 0);
    exchange.ys[0] = exchange.ys[129] = 1;
    exchange.sign(duel);
  });
  duel.with_rsa().expect_client_refuses(Reason::dh_share_invalid, Alert::handshake_failure, Place::server_key_exchange);
}

TEST_F(HostileDhe, MessagesAreWellFormed) {
  const auto refuse_server = [](auto edit, Reason reason) {
    DheDuel duel;
    duel.server_forger.change(HandshakeType::server_key_exchange, [edit](const Octets& message) {
      Octets body(message.begin() + 4, message.end());
      edit(body);
      return message_of(HandshakeType::server_key_exchange, body);
    });
    duel.with_rsa().expect_client_refuses(reason, Alert::decode_error, Place::server_key_exchange);
  };
  refuse_server([](Octets& body) { body.push_back(0); }, Reason::message_trailing_data);
  refuse_server([](Octets& body) { body.pop_back(); }, Reason::message_truncated);
  refuse_server([](Octets& body) { body.resize(100); }, Reason::message_truncated);
  refuse_server([](Octets& body) { body.clear(); }, Reason::message_truncated);
  refuse_server([](Octets& body) { body[0] = body[1] = 0; }, Reason::vector_length);
  const auto refuse_client = [](const Octets& body, Reason reason) {
    DheDuel duel;
    duel.replace_client_share(body);
    duel.with_rsa().expect_server_refuses(reason, Alert::decode_error, Place::client_key_exchange);
  };
  refuse_client({0, 0}, Reason::vector_length);
  refuse_client({}, Reason::message_truncated);
  refuse_client({1, 0, 5}, Reason::message_truncated);
  Octets longer = vector_of(Octets(256, 5), 2);
  longer.push_back(0);
  refuse_client(longer, Reason::message_trailing_data);
}

TEST_F(HostileDhe, NumbersAreSigned) {
  DheDuel duel;
  duel.server_forger.change_parts<RawDheExchange>(HandshakeType::server_key_exchange,
                                                  [](RawDheExchange& exchange) { exchange.ys[9] ^= 1U; });
  duel.with_rsa().expect_client_refuses(Reason::signature_invalid, Alert::decrypt_error, Place::server_key_exchange);
}

/// A key pair whose secret with `theirs` begins with a zero byte: one of 256.
struct UnluckyPair {
  Octets share = Octets(256);
  Octets secret = Octets(256);

  explicit UnluckyPair(const Octets& theirs) {
    const Group& group = *provider().group(NamedGroup::ffdhe2048);
    FixedRandom random(17);
    do {
      alignas(64) std::array<std::byte, kMaxGroupContextSize> key{};
      EXPECT_EQ(group.generate(key.data(), random, share), GroupResult::ok);
      EXPECT_EQ(group.decapsulate(key.data(), theirs, secret), GroupResult::ok);
      group.destroy(key.data());
    } while (secret.front() != 0);
  }
  /// RFC 5246 8.1.2: "Leading bytes of Z that contain all zero bits are stripped before it is used as the
  /// pre_master_secret."
  [[nodiscard]] Octets master_secret(const Duel& duel) const {
    const auto master =
        key_schedule::tls12::master_secret(*provider().hash(HashAlgorithm::sha256), without_leading_zeros(secret),
                                           RawClientHello::split(duel.client_forger.honest.front()).random,
                                           RawServerHello::split(duel.server_forger.honest.front()).random);
    return {master->view().begin(), master->view().end()};
  }
};

/// Without extended master secret, so that the randoms and the premaster secret are all that counts.
struct ShortSecretDuel : DheDuel {
  ShortSecretDuel() {
    client_config.allow_no_extended_main_secret(true).key_log(true);
    server_config.allow_no_extended_main_secret(true).key_log(true);
    client_forger.change_parts<RawClientHello>(HandshakeType::client_hello, [](RawClientHello& hello) {
      hello.extensions.remove(ExtensionType::extended_main_secret);
    });
  }
};

// What Raccoon measures has to be done all the same, or some 4 in 1000 handshakes with others fail.
TEST_F(HostileDhe, SecretIsStrippedOfLeadingZerosByTheServer) {
  ShortSecretDuel duel;
  std::optional<UnluckyPair> own;
  duel.client_forger.change(HandshakeType::client_key_exchange, [&](const Octets&) {
    own.emplace(RawDheExchange::split(duel.server_forger.honest[2]).ys);
    return message_of(HandshakeType::client_key_exchange, vector_of(own->share, 2));
  });
  duel.with_rsa().run();
  ASSERT_TRUE(own);
  ASSERT_EQ(duel.server().secrets.size(), 1U);
  EXPECT_EQ(duel.server().secrets.front(), own->master_secret(duel));
}

TEST_F(HostileDhe, SecretIsStrippedOfLeadingZerosByTheClient) {
  // The client's key does not depend on what the server says: the first run shows its share.
  Octets theirs;
  std::optional<UnluckyPair> own;
  for (const bool known : {false, true}) {
    ShortSecretDuel duel;
    if (known) own.emplace(theirs);
    duel.server_forger.change_parts<RawDheExchange>(HandshakeType::server_key_exchange, [&](RawDheExchange& exchange) {
      if (own) exchange.ys = own->share;
      exchange.sign(duel);
    });
    duel.with_rsa().run();
    const Octets share = Cursor(Bytes(duel.client_forger.honest[1]).subspan(4)).vector(2);
    if (known) {
      EXPECT_EQ(share, theirs);
      ASSERT_EQ(duel.client().secrets.size(), 1U);
      EXPECT_EQ(duel.client().secrets.front(), own->master_secret(duel));
    }
    theirs = share;
  }
}

// RFC 5246 F.1.1.3.
TEST_F(HostileDhe, KeysAreNeverUsedAgain) {
  std::vector<Octets> seen;
  for (int i = 0; i < 2; ++i) {
    Pair pair(built(DheDuel().client_config), built(DheDuel().server_config),
              {x509::PeerName::dns("example.com").value(), {}}, {}, static_cast<std::uint64_t>(7 * i));
    pair.server.credential = credential_of(KeyType::rsa);
    while (pair.step(pair.client, pair.to_server(), pair.to_client())) {
    }
    while (pair.step(pair.server, pair.to_client(), pair.to_server())) {
    }
    seen.push_back(pair.to_client());
  }
  // The share follows p and g in the flight.
  const auto share = [](const Octets& flight) {
    const auto p = std::ranges::search(flight, field_parameters(NamedGroup::ffdhe2048)->p);
    return Octets(p.end() + 5, p.end() + 5 + 256);
  };
  EXPECT_NE(share(seen[0]), share(seen[1]));
}

// --- pre-shared keys -------------------------------------------------------------------------------------------------

constexpr auto kPlainPsk = CipherSuite::tls_psk_with_chacha20_poly1305_sha256;
constexpr auto kEcdhePsk = CipherSuite::tls_ecdhe_psk_with_chacha20_poly1305_sha256;
constexpr auto kDhePsk = CipherSuite::tls_dhe_psk_with_chacha20_poly1305_sha256;
constexpr auto kRsaPsk = CipherSuite::tls_rsa_psk_with_chacha20_poly1305_sha256;

/// A duel over one suite with a pre-shared key, of which both know the same one.
struct PskDuel : OldDuel {
  explicit PskDuel(CipherSuite suite, std::string_view hint = "") {
    client_config.suites({suite});
    server_config.suites({suite}).psk_identity_hint(hint);
    if (suite == kDhePsk) {
      client_config.groups({NamedGroup::x25519, NamedGroup::ffdhe2048});
      server_config.groups({NamedGroup::x25519, NamedGroup::ffdhe2048});
    }
    if (suite == kRsaPsk) {
      const std::vector schemes{SignatureScheme::ecdsa_secp256r1_sha256, SignatureScheme::rsa_pss_rsae_sha256};
      client_config.schemes(schemes);
      server_config.schemes(schemes);
      server().credential = credential_of(KeyType::rsa);
    }
    client().psks = server().psks = {{"sensor 7", "not to be guessed"}};
  }
};

const Octets kCertificateRequest =
    message_of(HandshakeType::certificate_request, Octets{2, 1, 64, 0, 4, 4, 3, 8, 7, 0, 0});

TEST(HostileTls12Psk, WorksWhenNobodyIsHostile) {
  for (const CipherSuite suite : {kPlainPsk, kEcdhePsk, kDhePsk, kRsaPsk}) {
    if (!provider().supports(suite)) continue;
    PskDuel duel(suite, "hint");
    duel.expect_connected();
    duel.expect_alive();
  }
}

TEST(HostileTls12Psk, SuiteWasOffered) {
  for (const std::uint16_t suite : std::to_array<std::uint16_t>({0x00a8, 0xccab, 0xccac, 0xccad, 0xccae}))
    expect_server_hello_refused([suite](RawServerHello& hello) { hello.cipher_suite = suite; },
                                Reason::suite_not_offered);
}

// RFC 4279 2: "The Certificate and CertificateRequest payloads are omitted from the response."
TEST(HostileTls12Psk, NobodyShowsOrAsksForACertificate) {
  for (const CipherSuite suite : {kPlainPsk, kEcdhePsk}) {
    PskDuel certified(suite, "hint");
    certified.server_forger.precede(HandshakeType::server_key_exchange,
                                    message_of(HandshakeType::certificate, Octets{0, 0, 0}));
    certified.expect_client_refuses(Reason::message_unexpected, Alert::unexpected_message, Place::certificate);
    for (const std::string_view hint : {"", "hint"}) {
      PskDuel asked(suite, hint);
      asked.server_forger.precede(HandshakeType::server_hello_done, kCertificateRequest);
      asked.expect_client_refuses(Reason::message_unexpected, Alert::unexpected_message, Place::certificate_request);
    }
  }
}

// With RSA_PSK a server may: RFC 4279 4 leaves it open. The client answers once it has shown its identity's key.
TEST(HostileTls12Psk, AServerWithACertificateMayAskForOne) {
  if (!provider().supports(kRsaPsk)) GTEST_SKIP() << "no RSA";
  for (const std::string_view hint : {"", "hint"}) {
    PskDuel duel(kRsaPsk, hint);
    duel.server_forger.precede(HandshakeType::server_hello_done, kCertificateRequest);
    duel.run();
    EXPECT_EQ(duel.client().events,
              (std::vector<std::string>{"verify_peer", "select_psk", "select_credential", "sign", "failed"}));
    // Our server has not asked.
    Duel::expect_refusal(duel.server(), Reason::message_unexpected, Alert::unexpected_message);
  }
}

TEST(HostileTls12Psk, ServerKeyExchangeIsThereWhereItHasMoreThanAHint) {
  PskDuel duel(kEcdhePsk, "hint");
  duel.server_forger.omit(HandshakeType::server_key_exchange);
  duel.expect_client_refuses(Reason::message_unexpected, Alert::unexpected_message, Place::server_hello_done);
  PskDuel twice(kPlainPsk, "hint");
  twice.server_forger.change(HandshakeType::server_key_exchange, [](Octets message) {
    const Octets copy = message;
    append(message, copy);
    return message;
  });
  twice.expect_client_refuses(Reason::message_unexpected, Alert::unexpected_message, Place::server_key_exchange);
}

TEST(HostileTls12Psk, ServerKeyExchangeIsWellFormed) {
  const auto refuse = [](CipherSuite suite, const Octets& body, Reason reason, Alert alert) {
    PskDuel duel(suite, "hint");
    duel.server_forger.replace(HandshakeType::server_key_exchange,
                               message_of(HandshakeType::server_key_exchange, body));
    duel.expect_client_refuses(reason, alert, Place::server_key_exchange);
  };
  for (const CipherSuite suite : {kPlainPsk, kRsaPsk}) {
    if (!provider().supports(suite)) continue;
    refuse(suite, {}, Reason::message_truncated, Alert::decode_error);
    refuse(suite, {0, 2, 1}, Reason::message_truncated, Alert::decode_error);
    refuse(suite, {0, 1, 1, 0}, Reason::message_trailing_data, Alert::decode_error);
  }
  Octets point{0, 0, 3, 0, 29};
  put_vector(point, Octets(32, 9), 1);
  Octets longer = point;
  longer.push_back(0);
  refuse(kEcdhePsk, longer, Reason::message_trailing_data, Alert::decode_error);
  Octets shorter{0, 0, 3, 0, 29};
  put_vector(shorter, Octets(31, 9), 1);
  refuse(kEcdhePsk, shorter, Reason::key_share_size, Alert::illegal_parameter);
  Octets other = point;
  other[4] = 25;
  refuse(kEcdhePsk, other, Reason::group_not_offered, Alert::illegal_parameter);
  other[2] = 1;
  refuse(kEcdhePsk, other, Reason::curve_not_named, Alert::illegal_parameter);
  Octets small{0, 0, 3, 0, 29};
  put_vector(small, Octets(32, 0), 1);
  refuse(kEcdhePsk, small, Reason::key_share_invalid, Alert::illegal_parameter);
}

TEST(HostileTls12Psk, ClientKeyExchangeIsWellFormed) {
  const auto refuse = [](CipherSuite suite, const Octets& body, Reason reason, Alert alert) {
    PskDuel duel(suite);
    duel.client_forger.replace(HandshakeType::client_key_exchange,
                               message_of(HandshakeType::client_key_exchange, body));
    duel.expect_server_refuses(reason, alert, Place::client_key_exchange);
  };
  const Octets identity = vector_of(Octets{'s', 'e', 'n', 's', 'o', 'r', ' ', '7'}, 2);
  for (const CipherSuite suite : {kPlainPsk, kEcdhePsk, kRsaPsk}) {
    if (!provider().supports(suite)) continue;
    refuse(suite, {}, Reason::message_truncated, Alert::decode_error);
    refuse(suite, {0, 9, 1}, Reason::message_truncated, Alert::decode_error);
  }
  Octets longer = identity;
  longer.push_back(0);
  refuse(kPlainPsk, longer, Reason::message_trailing_data, Alert::decode_error);
  refuse(kPlainPsk, vector_of(Octets(kMaxPskIdentity + 1, 'i'), 2), Reason::psk_identity_too_long,
         Alert::illegal_parameter);
  refuse(kEcdhePsk, identity, Reason::message_truncated, Alert::decode_error);
  const auto with_point = [&](const Octets& point) {
    Octets body = identity;
    put_vector(body, point, 1);
    return body;
  };
  if (provider().supports(kDhePsk)) {
    refuse(kDhePsk, identity, Reason::message_truncated, Alert::decode_error);
    Octets body = identity;
    put_vector(body, Octets(256, 0), 2);
    refuse(kDhePsk, body, Reason::dh_share_invalid, Alert::handshake_failure);
  }
  refuse(kEcdhePsk, with_point(Octets(31, 9)), Reason::key_share_size, Alert::illegal_parameter);
  refuse(kEcdhePsk, with_point(Octets(32, 0)), Reason::key_share_invalid, Alert::illegal_parameter);
}

// What the server's key cannot read is no different from another pre-shared key (Bleichenbacher).
TEST(HostileTls12Psk, ASecretThatCannotBeReadIsAnotherOne) {
  if (!provider().supports(kRsaPsk)) GTEST_SKIP() << "no RSA";
  const auto play = [](std::function<void(PskDuel&)> spoil) {
    PskDuel duel(kRsaPsk);
    spoil(duel);
    duel.expect_server_refuses(Reason::psk_mismatch, Alert::decrypt_error, Place::finished);
    return duel.server().events;
  };
  const auto wrong_key = play([](PskDuel& duel) { duel.client().psks = {{"sensor 7", "another"}}; });
  const auto unknown = play([](PskDuel& duel) { duel.client().psks = {{"sensor 8", "another"}}; });
  const auto unreadable = play([](PskDuel& duel) {
    duel.client_forger.change(HandshakeType::client_key_exchange, [](Octets message) {
      message.back() ^= 1U;
      return message;
    });
  });
  const auto of_other_size = play([](PskDuel& duel) {
    Octets body = vector_of(Octets{'s', 'e', 'n', 's', 'o', 'r', ' ', '7'}, 2);
    put_vector(body, Octets(7, 1), 2);
    duel.client_forger.replace(HandshakeType::client_key_exchange,
                               message_of(HandshakeType::client_key_exchange, body));
  });
  EXPECT_EQ(wrong_key, unknown);
  EXPECT_EQ(wrong_key, unreadable);
  EXPECT_EQ(wrong_key, of_other_size);
}

}  // namespace
}  // namespace lockstep::testing
