// Connections whose expanded keys are in caches: one for many, moved to another, crowded, none.

#include <list>

#include <lockstep/key_cache.hpp>

#include "pair.hpp"

namespace lockstep::testing {
namespace {

class Caches : public ::testing::TestWithParam<CipherSuite> {
 protected:
  std::unique_ptr<Pair> pair(KeyCache* cache) {
    auto made = std::make_unique<Pair>(built(client_builder().suites({GetParam()})),
                                       built(server_builder().suites({GetParam()}).tickets(0)));
    use(*made, cache);
    made->run();
    EXPECT_TRUE(made->client.complete && made->server.complete);
    return made;
  }
  static void use(Pair& pair, KeyCache* cache) {
    pair.client.connection.use(cache);
    pair.server.connection.use(cache);
  }
  /// Data in both directions, each of its own.
  void exchange(Pair& pair) {
    const std::string text = "message " + std::to_string(++messages_);
    pair.send(pair.client, text);
    pair.send(pair.server, text + "!");
    pair.client.data.clear();
    pair.server.data.clear();
    pair.run();
    EXPECT_EQ(as_text(pair.server.data), text);
    EXPECT_EQ(as_text(pair.client.data), text + "!");
  }
  int messages_ = 0;
};
INSTANTIATE_TEST_SUITE_P(Pair, Caches,
                         ::testing::Values(CipherSuite::tls_aes_128_gcm_sha256, CipherSuite::tls_aes_256_gcm_sha384,
                                           CipherSuite::tls_chacha20_poly1305_sha256),
                         [](const auto& tested) {
                           std::string text = to_text(tested.param);
                           std::erase_if(text, [](char character) { return character == '-' || character == '_'; });
                           return text;
                         });

TEST_P(Caches, ABusyConnectionExpandsItsKeysOnce) {
  KeyCache cache(8);
  const auto busy = pair(&cache);
  exchange(*busy);
  const std::uint64_t before = cache.expanded();
  for (int i = 0; i < 50; ++i) exchange(*busy);
  EXPECT_EQ(cache.expanded(), before);
  // One end's new key is the other's; the answer changes the other direction's.
  ASSERT_TRUE(busy->client.connection.update_keys(true));
  busy->run();
  for (int i = 0; i < 50; ++i) exchange(*busy);
  EXPECT_LE(cache.expanded(), before + 4);
}

TEST_P(Caches, OneServesConnectionsThatHaveNoRoomTogether) {
  KeyCache cache(4);
  std::list<std::unique_ptr<Pair>> all;
  for (int i = 0; i < 4; ++i) all.push_back(pair(&cache));
  for (int round = 0; round < 3; ++round) {
    for (const auto& each : all) exchange(*each);
  }
  all.pop_front();  // some of its keys have long lost their place
  for (const auto& each : all) exchange(*each);
}

TEST_P(Caches, AConnectionMovesToAnotherOneAndIntoNone) {
  auto first = std::make_unique<KeyCache>(4);
  KeyCache second(4);
  const auto moving = pair(first.get());
  exchange(*moving);
  use(*moving, nullptr);
  first.reset();
  exchange(*moving);
  use(*moving, &second);
  exchange(*moving);
  Connection elsewhere = std::move(moving->client.connection);
  moving->client.connection = std::move(elsewhere);
  exchange(*moving);
  KeyCache third = std::move(second);
  exchange(*moving);
  use(*moving, nullptr);
}

TEST_P(Caches, ACacheMayComeInTheMiddleOfTheHandshake) {
  KeyCache cache(2);
  Pair late(built(client_builder().suites({GetParam()})), built(server_builder().suites({GetParam()})));
  late.step(late.client, late.to_server(), late.to_client());
  late.step(late.server, late.to_client(), late.to_server());
  use(late, &cache);
  late.run();
  ASSERT_TRUE(late.client.complete && late.server.complete);
  exchange(late);
  use(late, nullptr);
}

TEST_P(Caches, OneWithoutRoomIsAsGoodAsNone) {
  KeyCache none(0);
  const auto connected = pair(&none);
  for (int i = 0; i < 3; ++i) exchange(*connected);
  EXPECT_EQ(none.expanded(), 0U);
}

}  // namespace
}  // namespace lockstep::testing
