// The fake provider: all of the suite but the published vectors, and that nobody gets it by accident.

#include <array>

#include <gtest/gtest.h>

#include <lockstep/config.hpp>
#include <lockstep/fake.hpp>

#include "subject.hpp"

namespace lockstep::tests {

const Provider& subject() {
  static const Provider provider = fake::provider();
  return provider;
}

RandomSource& system_random() {
  static fake::FakeRandom random(1);
  return random;
}

bool private_keys_are_random_bytes() { return false; }

bool is_real() { return false; }

bool is_lean() { return true; }

namespace {

TEST(Fake, HasWhatItsTableSays) { expect_exactly(fake::kCapabilities); }

TEST(Fake, IsRefusedUnlessAllowed) {
  const auto expect_refused = [](auto builder) {
    const auto refused = builder.build();
    ASSERT_FALSE(refused);
    ASSERT_EQ(refused.error().size(), 1U);
    EXPECT_EQ(refused.error().front().setting, "dangerous().allow_insecure_provider");
    EXPECT_NE(refused.error().front().text.find("provider 'fake' protects nothing"), std::string::npos);
    const auto allowed = builder.dangerous().allow_insecure_provider().build();
    ASSERT_TRUE(allowed);
    EXPECT_TRUE(ConfigBuilder::from(**allowed).build()) << "a variant of what was allowed";
  };
  expect_refused(ConfigBuilder::client(subject()));
  expect_refused(ConfigBuilder::server(subject()));
}

TEST(Fake, MakesWhatItIsPartOfInsecure) {
  const Provider composed = compose("with a fake", {Provider{.name = "nothing"}, subject()});
  EXPECT_TRUE(composed.insecure);
  EXPECT_FALSE(ConfigBuilder::client(composed).build());
}

TEST(Fake, RandomFollowsFromItsSeed) {
  const auto bytes = [](std::uint64_t seed) {
    std::array<std::uint8_t, 20> out{};
    EXPECT_TRUE(fake::FakeRandom(seed).fill(out));
    return out;
  };
  EXPECT_EQ(bytes(1), bytes(1));
  EXPECT_NE(bytes(1), bytes(2));
}

}  // namespace
}  // namespace lockstep::tests
