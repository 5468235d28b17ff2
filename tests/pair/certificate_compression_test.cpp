// Certificates that travel compressed (RFC 8879): who compresses for whom, how often, and what is told.

#include <atomic>

#include "pair/pair.hpp"

namespace lockstep::testing {
namespace {

ClientConfigBuilder client_with(std::vector<CertificateCodec> codecs) {
  return client_builder().certificate_compression(std::move(codecs));
}
ServerConfigBuilder server_with(std::vector<CertificateCodec> codecs) {
  return server_builder().certificate_compression(std::move(codecs));
}

/// A chain that runs make short.
std::shared_ptr<const Credential> long_credential() {
  Credential credential = *credential_of(usual_key());
  credential.chain.emplace_back(20'000, std::uint8_t{0x30});
  return std::make_shared<const Credential>(std::move(credential));
}

std::atomic<int> compressed{0};
constexpr CertificateCodec kCounting{kRuns.algorithm, kRuns.decompress,
                                     [](Bytes certificate, MutableBytes out) noexcept {
                                       ++compressed;
                                       return kRuns.compress(certificate, out);
                                     }};

TEST(CertificateCompression, ShortensWhatBothEndsShow) {
  for (const bool retry : {false, true}) {
    for (const Wire wire : {Wire{}, Wire{.outbound = 64, .chunk = 1}}) {
      Pair pair(built(client_with({kRuns})), built(server_with({kRuns}).client_auth(ClientAuth::require).cookie(retry)),
                {x509::PeerName::dns("example.com").value(), {}}, wire);
      pair.server.credential = pair.client.credential = long_credential();
      pair.run();
      expect_connected(pair);
      EXPECT_EQ(pair.client.connection.retried(), retry);
      for (const End* end : {&pair.client, &pair.server}) {
        EXPECT_EQ(end->peer_compression, kRuns.algorithm);
        EXPECT_EQ(end->own_compression, kRuns.algorithm);
        ASSERT_EQ(end->peer_chain.size(), 2U);
        EXPECT_EQ(end->peer_chain, long_credential()->chain);
      }
    }
  }
}

TEST(CertificateCompression, SavesBytesOnTheWire) {
  const auto size_with = [](const std::vector<CertificateCodec>& codecs) {
    Pair pair(built(client_with(codecs)), built(server_with(codecs)));
    pair.server.credential = long_credential();
    pair.step(pair.client, pair.to_server(), pair.to_client());
    pair.step(pair.server, pair.to_client(), pair.to_server());
    pair.step(pair.server, pair.to_client(), pair.to_server());
    const std::size_t size = pair.to_client().size();
    pair.run();
    expect_connected(pair);
    return size;
  };
  EXPECT_LT(size_with({kRuns}) + 18'000, size_with({}));
}

// Each end says what it takes, and nothing of what it can do itself.
TEST(CertificateCompression, TakesOneThatTheOtherTakes) {
  struct Case {
    std::vector<CertificateCodec> client;
    std::vector<CertificateCodec> server;
    std::optional<CertificateCompressionAlgorithm> used;
  };
  const CertificateCodec only_reads{kRuns.algorithm, kRuns.decompress, nullptr};
  const CertificateCodec only_writes{kRuns.algorithm, nullptr, kRuns.compress};
  const std::vector<Case> cases = {
      {{}, {kRuns}, std::nullopt},
      {{kRuns}, {}, std::nullopt},
      {{kShortening}, {kRuns}, std::nullopt},
      {{kRuns, kShortening}, {kShortening, kRuns}, kShortening.algorithm},
      {{kShortening, kRuns}, {kRuns, kShortening}, kRuns.algorithm},
      {{kRuns}, {kShortening, kRuns}, kRuns.algorithm},
      {{only_reads}, {only_writes}, kRuns.algorithm},
      {{only_writes}, {kRuns}, std::nullopt},
      {{kRuns}, {only_reads}, std::nullopt},
  };
  for (std::size_t i = 0; i < cases.size(); ++i) {
    SCOPED_TRACE(i);
    const auto& [client, server, used] = cases[i];
    Pair pair(built(client_with(client)), built(server_with(server)));
    pair.client_tape.happens_once();  // halves of codecs are none that a tape is replayed with
    pair.server_tape.happens_once();
    pair.server.credential = long_credential();
    pair.run();
    expect_connected(pair);
    EXPECT_EQ(pair.client.peer_compression, used);
    EXPECT_EQ(pair.server.own_compression, used);
    EXPECT_FALSE(pair.client.own_compression || pair.server.peer_compression);
  }
}

TEST(CertificateCompression, LeavesWhatDoesNotBecomeSmaller) {
  // A usual certificate has no runs; the next codec makes it shorter.
  for (const bool another : {false, true}) {
    std::vector<CertificateCodec> codecs{kRuns};
    if (another) codecs.push_back(kShortening);
    Pair pair(built(client_with(codecs)), built(server_with(codecs)));
    pair.run();
    expect_connected(pair);
    EXPECT_EQ(pair.server.own_compression, another ? std::optional(kShortening.algorithm) : std::nullopt);
    EXPECT_EQ(pair.client.peer_compression, pair.server.own_compression);
  }
}

TEST(CertificateCompression, HappensOnceForAllConnections) {
  Credential another = *long_credential();
  another.ocsp_response = {0x30, 0x03, 0x0a, 0x01, 0x00};
  const auto config = built(server_with({kCounting}));
  const auto plain = built(client_with({kCounting}));
  const auto asks = built(client_with({kCounting}).ocsp_stapling(true));
  compressed = 0;
  const auto connect = [&](const auto& client, const std::shared_ptr<const ServerConfig>& server,
                           std::shared_ptr<const Credential> credential) {
    Pair pair(client, server);
    pair.client_tape.happens_once();
    pair.server_tape.happens_once();
    pair.server.credential = std::move(credential);
    pair.run();
    expect_connected(pair);
    EXPECT_EQ(pair.server.own_compression, kRuns.algorithm);
    EXPECT_EQ(pair.client.peer_staples.ocsp_response.empty(),
              client != asks || pair.server.credential->ocsp_response.empty());
  };
  for (int times = 0; times < 3; ++times) connect(plain, config, long_credential());
  EXPECT_EQ(compressed, 1);
  // With a staple it is another message, which is kept as well.
  const auto stapled = std::make_shared<const Credential>(another);
  for (int times = 0; times < 3; ++times) connect(asks, config, stapled);
  EXPECT_EQ(compressed, 2);
  connect(plain, config, stapled);
  EXPECT_EQ(compressed, 2);
  // A variant of a configuration keeps them with it; one of its own does not, unless it is told to.
  connect(plain, built(ConfigBuilder::from(*config).tickets(0)), stapled);
  EXPECT_EQ(compressed, 2);
  connect(plain, built(server_with({kCounting})), stapled);
  EXPECT_EQ(compressed, 3);
  connect(plain,
          built(server_builder().certificate_compression({kCounting}, config->settings().compressed_certificates)),
          stapled);
  EXPECT_EQ(compressed, 3);
}

TEST(CertificateCompression, KeepsWhatDoesNotBecomeSmallerInMind) {
  const auto client = built(client_with({kCounting}));
  const auto server = built(server_with({kCounting}));
  compressed = 0;
  for (int times = 0; times < 2; ++times) {
    Pair pair(client, server);
    pair.client_tape.happens_once();
    pair.server_tape.happens_once();
    pair.run();
    expect_connected(pair);
    EXPECT_FALSE(pair.server.own_compression);
  }
  EXPECT_EQ(compressed, 1);
}

TEST(CompressedCertificates, ForgetTheOldest) {
  using Message = CompressedCertificates::Message;
  CompressedCertificates kept(2);
  const auto add = [&](std::uint8_t byte, CertificateCompressionAlgorithm algorithm) {
    kept.add(std::make_shared<const Message>(Message{algorithm, {byte}, {byte, byte}}));
  };
  const auto known = [&](std::uint8_t byte, CertificateCompressionAlgorithm algorithm) {
    return kept.find(algorithm, Bytes(&byte, 1)) != nullptr;
  };
  using enum CertificateCompressionAlgorithm;
  EXPECT_FALSE(known(1, zlib));
  add(1, zlib);
  EXPECT_TRUE(known(1, zlib));
  EXPECT_FALSE(known(1, zstd));
  EXPECT_FALSE(known(2, zlib));
  add(1, zstd);
  EXPECT_TRUE(known(1, zlib) && known(1, zstd));
  add(2, zlib);
  EXPECT_FALSE(known(1, zlib));
  EXPECT_TRUE(known(1, zstd) && known(2, zlib));
  CompressedCertificates nothing(0);
  nothing.add(std::make_shared<const Message>(Message{zlib, {1}, {1}}));
  EXPECT_EQ(nothing.find(zlib, std::vector<std::uint8_t>{1}), nullptr);
}

TEST(CertificateCompression, CarriesStaples) {
  const Staples staples{{0x30, 0x03, 0x0a, 0x01, 0x00}, {0x00, 0x07, 0x00, 0x01, 0xaa, 0x00, 0x02, 0xbb, 0xcc}};
  Credential credential = *long_credential();
  credential.ocsp_response = staples.ocsp_response;
  credential.sct_list = staples.sct_list;
  Pair pair(built(client_with({kRuns}).ocsp_stapling(true).signed_certificate_timestamps(true)),
            built(server_with({kRuns})
                      .client_auth(ClientAuth::require)
                      .ocsp_stapling(true)
                      .signed_certificate_timestamps(true)));
  pair.server.credential = pair.client.credential = std::make_shared<const Credential>(credential);
  pair.run();
  expect_connected(pair);
  for (const End* end : {&pair.client, &pair.server}) {
    EXPECT_EQ(end->peer_compression, kRuns.algorithm);
    EXPECT_EQ(end->judged_staples, std::vector{staples});
  }
}

TEST(CertificateCompression, IsNotOfTls12) {
  for (const bool old_client : {false, true}) {
    const auto client = client_with({kRuns});
    const auto server = server_with({kRuns}).client_auth(ClientAuth::require);
    Pair pair(
        built(old_client ? client_builder().versions(ProtocolVersion::tls_1_2, ProtocolVersion::tls_1_2) : client),
        built(old_client ? server
                         : server_builder()
                               .client_auth(ClientAuth::require)
                               .versions(ProtocolVersion::tls_1_2, ProtocolVersion::tls_1_2)));
    pair.server.credential = pair.client.credential = long_credential();
    pair.run();
    expect_connected(pair);
    EXPECT_EQ(pair.client.connection.version(), ProtocolVersion::tls_1_2);
    for (const End* end : {&pair.client, &pair.server}) EXPECT_FALSE(end->peer_compression || end->own_compression);
  }
}

TEST(CertificateCompression, IsNotNeededForAClientThatHasNothingToShow) {
  Pair pair(built(client_with({kShortening})), built(server_with({kShortening}).client_auth(ClientAuth::request)));
  pair.run();
  expect_connected(pair);
  EXPECT_FALSE(pair.client.own_compression || pair.server.peer_compression);
  EXPECT_EQ(pair.client.peer_compression, kShortening.algorithm);
}

TEST(CertificateCompression, IsSaidWrongWithEveryProblem) {
  const auto config = client_with({kRuns, kRuns, {CertificateCompressionAlgorithm::brotli, nullptr, nullptr}})
                          .versions(ProtocolVersion::tls_1_2, ProtocolVersion::tls_1_2)
                          .build();
  ASSERT_FALSE(config);
  ASSERT_EQ(config.error().size(), 3U);
  for (const ConfigProblem& problem : config.error()) EXPECT_EQ(problem.setting, "certificate_compression");
  const auto too_many = server_with(std::vector<CertificateCodec>(128, kRuns)).build();
  ASSERT_FALSE(too_many);
  EXPECT_NE(too_many.error().back().text.find("127"), std::string::npos);
}

// Names of the tape alone do not decompress.
TEST(CertificateCompression, OnATapeNeedsTheCodecs) {
  FixedRandom random(3);
  trace::Recorder recorder(random);
  const auto connection = Connection::client(built(client_with({kRuns})), {x509::NoNameCheck{}, {}}, recorder, kNow);
  const auto tape = recorder.recorded();
  EXPECT_TRUE(trace::Replay::open(tape, provider(), test_codecs()));
  const auto refused = trace::Replay::open(tape, provider());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().error, trace::TapeError::configuration_refused);
  EXPECT_NE(refused.error().text().find("zstd"), std::string::npos) << refused.error().text();
}

// --- GREASE of a server (RFC 8701 4) ---------------------------------------------------------------------------------

TEST(ServerGrease, IsBorneByClients) {
  for (const bool on : {false, true}) {
    Pair pair(built(client_builder()), built(server_builder().grease(on).tickets(2).client_auth(ClientAuth::require)));
    pair.client.credential = credential_of(usual_key());
    pair.server.ticket_keys = ticket_keys();
    pair.run();
    expect_connected(pair);
    EXPECT_EQ(pair.client.sessions.size(), pair.server.ticket_keys == nullptr ? 0U : 2U);
    EXPECT_EQ(built(server_builder().grease(on))->settings().server_grease, on);
  }
  EXPECT_FALSE(built(server_builder())->settings().server_grease);
}

}  // namespace
}  // namespace lockstep::testing
