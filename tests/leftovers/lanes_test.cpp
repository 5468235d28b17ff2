// What the multibuffer provider leaves in memory once several operations were done together: no private key and no
// nonce, no shared secret, no part of an RSA key.

#include <array>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <lockstep/libcrypto.hpp>
#include <lockstep/multibuffer.hpp>

#include "common/der.hpp"
#include "common/key_info.hpp"
#include "handshake/key_pairs.hpp"
#include "vault.hpp"

namespace lockstep::testing {
namespace {

constexpr std::size_t kJobs = 8;

/// Keeps what is drawn.
class WatchedRandom final : public RandomSource {
 public:
  [[nodiscard]] bool fill(MutableBytes out) noexcept override {
    const bool filled = libcrypto::system_random().fill(out);
    vault::keep("what was drawn", out);
    return filled;
  }
};

class LeftoversOfLanes : public ::testing::Test {
 protected:
  void SetUp() override {
#ifdef LOCKSTEP_SANITIZED
    GTEST_SKIP() << "a sanitizer keeps what is freed";
#endif
    if (!multibuffer::available()) GTEST_SKIP() << "this processor has no AVX-512 IFMA";
    vault::clear();
  }

  static void expect_nothing() {
    const auto found = vault::search();
    std::string all;
    for (const std::string& place : found) all += place + "\n";
    EXPECT_TRUE(found.empty()) << all;
    EXPECT_GT(vault::size(), 0U);
  }

  const Provider provider_ = multibuffer::provider();
};

void exchange(const Group& group) {
  WatchedRandom random;
  struct Each {
    alignas(64) std::array<std::uint8_t, kMaxGroupContextSize> context{};
    std::array<std::uint8_t, 97> share{}, answer{};
    std::array<std::uint8_t, 48> secret{}, same{};
  };
  std::array<Each, kJobs> all;
  std::vector<GenerateJob> generating;
  std::vector<EncapsulateJob> encapsulating;
  std::vector<DecapsulateJob> decapsulating;
  for (Each& each : all) {
    const MutableBytes share = MutableBytes(each.share).first(group.client_share_size);
    const MutableBytes answer = MutableBytes(each.answer).first(group.server_share_size);
    generating.push_back({each.context.data(), &random, share});
    encapsulating.push_back({share, &random, answer, MutableBytes(each.secret).first(group.secret_size)});
    decapsulating.push_back({each.context.data(), answer, MutableBytes(each.same).first(group.secret_size)});
  }
  generate(group, generating);
  encapsulate(group, encapsulating);
  decapsulate(group, decapsulating);
  for (std::size_t i = 0; i < kJobs; ++i) {
    EXPECT_EQ(decapsulating[i].result, GroupResult::ok);
    EXPECT_EQ(all[i].secret, all[i].same);
    vault::keep("shared secret", decapsulating[i].secret);
    wipe(all[i].secret);
    wipe(all[i].same);
    group.destroy(all[i].context.data());
  }
}

TEST_F(LeftoversOfLanes, OfKeyExchanges) {
  for (const Group* group : provider_.groups) {
    // Once before: what the dynamic linker puts aside when a function is called for the first time.
    vault::deep([&] { exchange(*group); });
    vault::clear();
    vault::deep([&] { exchange(*group); });
    SCOPED_TRACE(name(group->id));
    expect_nothing();
  }
}

void take_three(const Group& group) {
  WatchedRandom random;
  const auto stock = std::make_unique<detail::KeyPairStock>(random);
  for (int i = 0; i < 3; ++i) {
    alignas(64) std::array<std::byte, kMaxGroupContextSize> context;
    std::array<std::uint8_t, 32> share{}, secret{};
    ASSERT_TRUE(stock->take(group, context.data(), share));
    EXPECT_EQ(group.decapsulate(context.data(), share, secret), GroupResult::ok);
    vault::keep("shared secret", secret);
    wipe(secret);
    group.destroy(context.data());
  }
}

TEST_F(LeftoversOfLanes, OfKeyPairsMadeAhead) {
  const Group& group = *provider_.group(NamedGroup::x25519);
  vault::deep([&] { take_three(group); });
  vault::clear();
  vault::deep([&] { take_three(group); });
  expect_nothing();
}

/// The numbers of a private key, as they stand in PKCS#8.
std::vector<Bytes> secrets_of(KeyType type, Bytes pkcs8) {
  der::Reader reader(*der::read_whole(key_info::read_private(pkcs8)->private_key, der::kSequence));
  if (type != KeyType::rsa) {
    (void)reader.read_small();
    return {*reader.read(der::kOctetString)};
  }
  std::vector<Bytes> numbers;
  for (int i = 0; i < 9; ++i) numbers.push_back(*reader.read_unsigned());
  numbers.erase(numbers.begin(), numbers.begin() + 3);  // version, n, e
  return numbers;
}

void sign(const KeyLoader& loader, KeyType type, Bytes pkcs8) {
  WatchedRandom random;
  const auto key = loader.load(pkcs8).value();
  std::array<std::array<std::uint8_t, 512>, kJobs> signatures;
  std::vector<SignJob> jobs;
  for (auto& signature : signatures) jobs.push_back({key->schemes().front(), as_bytes("message"), &random, signature});
  key->sign_many(jobs);
  for (const SignJob& job : jobs) EXPECT_NE(job.size, 0U);
  for (const Bytes secret : secrets_of(type, pkcs8)) vault::keep("part of the private key", secret);
}

TEST_F(LeftoversOfLanes, OfSignatures) {
  const KeyLoader& loader = *provider_.key_loaders.front();
  for (const KeyType type : {KeyType::ec_p256, KeyType::ec_p384, KeyType::rsa}) {
    auto pkcs8 = loader.generate(type, 0, libcrypto::system_random()).value();
    vault::clear();
    vault::deep([&] { sign(loader, type, pkcs8); });
    wipe(pkcs8);
    SCOPED_TRACE(name(type));
    expect_nothing();
  }
}

}  // namespace
}  // namespace lockstep::testing
