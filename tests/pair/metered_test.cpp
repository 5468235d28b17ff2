// What connections cost: a provider that counts, on the bill of whoever is served.

#include <gtest/gtest.h>

#include <lockstep/metered.hpp>

#include "pair.hpp"

namespace lockstep::testing {
namespace {

struct Ours {
  static Provider provider() { return testing::provider(); }
};

TEST(Metered, PutsWhatIsDoneOnTheBillOfTheMoment) {
  for (const ProtocolVersion version : {ProtocolVersion::tls_1_2, ProtocolVersion::tls_1_3}) {
    const Provider& counted = metered<Ours>();
    Cost handshake;
    std::optional<Pair> pair;
    {
      const Metering metering(handshake);
      pair.emplace(built(allowed(ConfigBuilder::client(counted))
                             .versions(version, version)
                             .groups({NamedGroup::x25519, NamedGroup::secp256r1})),
                   built(allowed(ConfigBuilder::server(counted)).versions(version, version).tickets(0)));
      pair->run();
    }
    expect_connected(*pair);
    EXPECT_EQ(handshake.key_pairs, 1U) << "encapsulating makes its own";
    EXPECT_EQ(handshake.agreements, 2U);
    EXPECT_EQ(handshake.verifications, 1U) << "nobody looks at the chain here";
    EXPECT_GT(handshake.record_keys, 3U);
    EXPECT_GT(handshake.bytes_hashed, 500U);
    EXPECT_GT(handshake.digests, 2U);
    EXPECT_GT(handshake.macs + handshake.derivations, 10U);
    EXPECT_EQ(handshake.signatures, 0U) << "the key was loaded by another";

    Cost sealing;
    Cost opening;
    const std::size_t type = version == ProtocolVersion::tls_1_3 ? 1 : 0;  // which TLS 1.3 protects as well
    {
      const Metering metering(sealing);
      pair->send(pair->client, "four");
      const Metering inner(opening);
      pair->run();
    }
    EXPECT_EQ(as_text(pair->server.data), "four");
    EXPECT_EQ(sealing.records_sealed, 1U);
    EXPECT_EQ(sealing.bytes_sealed, 4 + type);
    EXPECT_EQ(sealing.bytes_moved, 4 + type) << "from the caller's bytes into the record";
    EXPECT_EQ(opening.records_opened, 1U);
    EXPECT_EQ(opening.bytes_opened, 4 + type);
    EXPECT_EQ(opening.bytes_moved, 0U) << "in place";
    EXPECT_EQ(opening.records_sealed, 0U);

    const Cost before = sealing;
    pair->send(pair->client, "nobody pays");
    pair->run();
    EXPECT_EQ(sealing, before);
    EXPECT_EQ(Metering::current(), nullptr);

    Cost in_place;
    {
      const Metering metering(in_place);
      std::array<std::uint8_t, 200> slot{};
      ASSERT_TRUE(pair->client.connection.seal_in_place({slot, 50, 100}, kNow));
    }
    EXPECT_EQ(in_place.bytes_sealed, 100 + type);
    EXPECT_EQ(in_place.bytes_moved, 0U);
  }
}

TEST(Metered, CountsSignaturesOfKeysThatItLoads) {
  const Provider& counted = metered<Ours>();
  const KeyLoader* const loader = counted.key_loader(usual_key());
  ASSERT_NE(loader, nullptr);
  FixedRandom random(3);
  const auto made = loader->generate(usual_key(), 0, random);
  if (!made) GTEST_SKIP() << "this provider makes no keys";
  const auto key = loader->load(*made);
  ASSERT_TRUE(key);
  const SignatureScheme scheme = (*key)->schemes().front();
  const auto algorithm = parts(scheme)->algorithm;
  std::array<std::uint8_t, kMaxSignatureSize> signature{};
  Cost cost;
  const Metering metering(cost);
  const std::size_t size = (*key)->sign(scheme, as_bytes("message"), random, signature);
  EXPECT_EQ(counted.verifier(algorithm, usual_key())
                ->verify((*key)->subject_public_key_info(), as_bytes("message"), Bytes(signature).first(size)),
            VerifyResult::valid);
  Cost expected;
  expected.signatures = 1;
  expected.verifications = 1;
  EXPECT_EQ(cost, expected);
}

TEST(Metered, HandshakesTellHowMuchMemoryTheyUse) {
  Pair pair(built(client_builder()), built(server_builder()));
  const std::size_t before = pair.client.connection.handshake_memory();
  EXPECT_GT(before, 0U);
  pair.run();
  expect_connected(pair);
  EXPECT_LE(pair.client.connection.handshake_memory(), Connection::kHandshakeMemory);
  (void)pair.client.connection.reclaim();
  // One that is recorded keeps it.
  EXPECT_EQ(pair.client.connection.handshake_memory() == 0, taping() == Taping::none);
}

}  // namespace
}  // namespace lockstep::testing
