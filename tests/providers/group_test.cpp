// Key exchange of the provider under test.

#include <array>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <ranges>

#include <gtest/gtest.h>

#include "subject.hpp"

namespace lockstep::tests {
namespace {

struct Sizes {
  NamedGroup id;
  std::size_t client_share, server_share, secret;
};

// RFC 9846 4.3.8 and 7.4.2; RFC 7748; RFC 7919; FIPS 203 8, table 3.
constexpr Sizes kSizes[] = {
    {NamedGroup::x25519, 32, 32, 32},
    {NamedGroup::x448, 56, 56, 56},
    {NamedGroup::secp256r1, 65, 65, 32},
    {NamedGroup::secp384r1, 97, 97, 48},
    {NamedGroup::secp521r1, 133, 133, 66},
    {NamedGroup::brainpoolP256r1tls13, 65, 65, 32},
    {NamedGroup::brainpoolP384r1tls13, 97, 97, 48},
    {NamedGroup::brainpoolP512r1tls13, 129, 129, 64},
    {NamedGroup::ffdhe2048, 256, 256, 256},
    {NamedGroup::ffdhe3072, 384, 384, 384},
    {NamedGroup::ffdhe4096, 512, 512, 512},
    {NamedGroup::ffdhe6144, 768, 768, 768},
    {NamedGroup::ffdhe8192, 1024, 1024, 1024},
    {NamedGroup::mlkem512, 800, 768, 32},
    {NamedGroup::mlkem768, 1184, 1088, 32},
    {NamedGroup::mlkem1024, 1568, 1568, 32},
};

bool is_any(NamedGroup) { return true; }
bool is_montgomery(NamedGroup id) { return id == NamedGroup::x25519 || id == NamedGroup::x448; }
bool is_ml_kem(NamedGroup id) { return id >= NamedGroup::mlkem512 && id <= NamedGroup::mlkem1024; }
bool is_curve(NamedGroup id) { return !is_montgomery(id) && !is_finite_field(id) && !is_ml_kem(id); }

class EveryGroup : public testing::TestWithParam<const Group*> {
 protected:
  const Group& group_ = *GetParam();

  /// A client's key and share.
  struct Client {
    const Group& group;
    Storage<kMaxGroupContextSize> storage;
    Buffer share;

    Client(const Group& its_group, RandomSource& random) : group(its_group), share(its_group.client_share_size) {
      EXPECT_EQ(group.generate(storage.get(), random, share), GroupResult::ok);
    }
    ~Client() { group.destroy(storage.get()); }
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;

    GroupResult decapsulate(Bytes server_share, Buffer& secret) {
      secret.assign(group.secret_size, 0xee);
      return group.decapsulate(storage.get(), server_share, secret);
    }
  };

  GroupResult encapsulate(Bytes client_share, RandomSource& random, Buffer& server_share, Buffer& secret) {
    server_share.assign(group_.server_share_size, 0);
    secret.assign(group_.secret_size, 0xee);
    return group_.encapsulate(client_share, random, server_share, secret);
  }
  /// What the client's half and the server's half say to a share that both must refuse.
  void expect_bad(Bytes client_share, Bytes server_share, std::string_view why) {
    Buffer share, secret;
    EXPECT_EQ(encapsulate(client_share, system_random(), share, secret), GroupResult::bad_share) << why;
    Client client(group_, system_random());
    EXPECT_EQ(client.decapsulate(server_share, secret), GroupResult::bad_share) << why;
  }
  void expect_bad(Bytes share, std::string_view why) { expect_bad(share, share, why); }
};

std::string title(const testing::TestParamInfo<const Group*>& info) {
  std::string text = std::string(name(info.param->id)) + "_" + std::string(info.param->implementation);
  std::ranges::replace_if(text, [](unsigned char c) { return std::isalnum(c) == 0; }, '_');
  return text;
}

std::vector<const Group*> groups(bool (*of_this_kind)(NamedGroup)) {
  std::vector<const Group*> chosen;
  std::ranges::copy_if(subject().groups, std::back_inserter(chosen),
                       [&](const Group* group) { return of_this_kind(group->id); });
  return chosen;
}
/// What the mathematics of a family forbids; a fake has none.
std::vector<const Group*> real_groups(bool (*of_this_kind)(NamedGroup)) {
  return traits.real ? groups(of_this_kind) : std::vector<const Group*>{};
}

class EveryCurve : public EveryGroup {};
class EveryMontgomeryCurve : public EveryGroup {};
class EveryFiniteField : public EveryGroup {};
class EveryMlKem : public EveryGroup {};
class EveryPublishedExchange : public EveryGroup {};

// A small provider lacks some families altogether, a fake has the family's name alone.
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(EveryMontgomeryCurve);
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(EveryPublishedExchange);
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(EveryCurve);
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(EveryFiniteField);
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(EveryMlKem);

INSTANTIATE_TEST_SUITE_P(Group, EveryGroup, testing::ValuesIn(groups(is_any)), title);
INSTANTIATE_TEST_SUITE_P(Group, EveryCurve, testing::ValuesIn(real_groups(is_curve)), title);
INSTANTIATE_TEST_SUITE_P(Group, EveryMontgomeryCurve, testing::ValuesIn(real_groups(is_montgomery)), title);
INSTANTIATE_TEST_SUITE_P(Group, EveryFiniteField, testing::ValuesIn(real_groups(is_finite_field)), title);
INSTANTIATE_TEST_SUITE_P(Group, EveryMlKem, testing::ValuesIn(real_groups(is_ml_kem)), title);

TEST_P(EveryGroup, HasTheSizesOfItsStandard) {
  const auto expected = std::ranges::find(kSizes, group_.id, &Sizes::id);
  ASSERT_NE(expected, std::end(kSizes)) << "a provider lists plain groups";
  EXPECT_EQ(group_.client_share_size, expected->client_share);
  EXPECT_EQ(group_.server_share_size, expected->server_share);
  EXPECT_EQ(group_.secret_size, expected->secret);
  EXPECT_LE(group_.context_size, kMaxGroupContextSize);
}

TEST_P(EveryGroup, BothHalvesAgree) {
  Buffer last;
  for (int i = 0; i < 3; ++i) {
    Client client(group_, system_random());
    Buffer server_share, server_secret, client_secret;
    ASSERT_EQ(encapsulate(client.share, system_random(), server_share, server_secret), GroupResult::ok);
    ASSERT_EQ(client.decapsulate(server_share, client_secret), GroupResult::ok);
    EXPECT_EQ(client_secret, server_secret);
    EXPECT_NE(client_secret, last);
    last = client_secret;
    if (is_curve(group_.id)) {
      EXPECT_EQ(client.share.front(), 4) << "uncompressed";
      EXPECT_EQ(server_share.front(), 4);
    }
  }
}

TEST_P(EveryGroup, EqualRandomBytesGiveEqualResults) {
  if (traits.fips_module) GTEST_SKIP() << "draws by itself";
  const auto run = [&](std::uint64_t seed) {
    SeededRandom random(seed);
    Client client(group_, random);
    Buffer server_share, secret;
    EXPECT_EQ(encapsulate(client.share, random, server_share, secret), GroupResult::ok);
    Buffer all = client.share;
    all.insert(all.end(), server_share.begin(), server_share.end());
    all.insert(all.end(), secret.begin(), secret.end());
    return all;
  };
  const Buffer first = run(7);
  EXPECT_EQ(run(7), first);
  EXPECT_NE(run(8), first);
}

TEST_P(EveryGroup, ContextMayBeMoved) {
  Storage<kMaxGroupContextSize> before, after;
  Buffer share(group_.client_share_size);
  ASSERT_EQ(group_.generate(before.get(), system_random(), share), GroupResult::ok);
  std::memcpy(after.get(), before.get(), group_.context_size);
  std::memset(before.get(), 0xa5, sizeof before);
  Buffer server_share, secret, again(group_.secret_size);
  ASSERT_EQ(encapsulate(share, system_random(), server_share, secret), GroupResult::ok);
  EXPECT_EQ(group_.decapsulate(after.get(), server_share, again), GroupResult::ok);
  EXPECT_EQ(again, secret);
  group_.destroy(after.get());
  EXPECT_TRUE(
      std::ranges::all_of(Bytes(after.bytes).first(group_.context_size), [](std::uint8_t byte) { return byte == 0; }));
}

TEST_P(EveryGroup, FailsWithoutRandomness) {
  if (traits.fips_module) GTEST_SKIP() << "draws by itself";
  ScriptedRandom none({});
  Storage<kMaxGroupContextSize> storage;
  Buffer share(group_.client_share_size), server_share, secret;
  EXPECT_EQ(group_.generate(storage.get(), none, share), GroupResult::failed);
  Client client(group_, system_random());
  EXPECT_EQ(encapsulate(client.share, none, server_share, secret), GroupResult::failed);
}

TEST_P(EveryGroup, RefusesSharesOfTheWrongSize) {
  Client client(group_, system_random());
  Buffer server_share, secret;
  ASSERT_EQ(encapsulate(client.share, system_random(), server_share, secret), GroupResult::ok);
  Buffer longer_client = client.share, longer_server = server_share;
  longer_client.push_back(0);
  longer_server.push_back(0);
  expect_bad({}, "empty");
  expect_bad(Bytes(client.share).first(client.share.size() - 1), Bytes(server_share).first(server_share.size() - 1),
             "short");
  expect_bad(longer_client, longer_server, "long");
}

TEST_P(EveryCurve, RefusesPointsOffTheCurve) {
  const Client peer(group_, system_random());
  Buffer share = peer.share;
  share.back() ^= 1U;
  expect_bad(share, "off the curve");
  for (const char form : {'\x00', '\x02', '\x03', '\x05', '\x06', '\x07'}) {
    share = peer.share;
    share.front() = static_cast<std::uint8_t>(form);
    expect_bad(share, "not the uncompressed form");
  }
  expect_bad(Buffer(group_.client_share_size, 0), "all zero");
  Buffer zero(group_.client_share_size, 0);
  zero.front() = 4;
  expect_bad(zero, "x = y = 0 is on none of these curves");
  expect_bad(Buffer(1, 0), "the point at infinity");
  Buffer large(group_.client_share_size, 0xff);
  large.front() = 4;
  expect_bad(large, "coordinates above the field's prime");
  Buffer compressed(peer.share.begin(),
                    peer.share.begin() + static_cast<std::ptrdiff_t>((group_.client_share_size + 1) / 2));
  compressed.front() = 2;
  expect_bad(compressed, "compressed");
}

TEST_P(EveryMontgomeryCurve, RefusesAZeroSecret) {
  const std::size_t size = group_.client_share_size;
  Buffer share(size, 0);
  expect_bad(share, "zero");
  share.front() = 1;
  expect_bad(share, "one, of order 4");
  if (group_.id == NamedGroup::x25519) {
    // The points of small order of curve25519: RFC 7748 7; listed by D. J. Bernstein at cr.yp.to/ecdh.html (public
    // domain).
    for (const std::string_view low : {"e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
                                       "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
                                       "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
                                       "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
                                       "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"})
      expect_bad(hex(low), low);
  }
}

TEST_P(EveryFiniteField, RefusesIntegersOutsideTheField) {
  const std::size_t size = group_.client_share_size;
  Buffer share(size, 0);
  expect_bad(share, "0");
  share.back() = 1;
  expect_bad(share, "1");
  expect_bad(Buffer(size, 0xff), "above p");
  // RFC 7919 A: the first and the last 64 bits of every p are ones, so with a zero among the first it is below p.
  Client client(group_, system_random());
  Buffer secret;
  Buffer below(size, 0xff);
  below.front() = 0xfe;
  EXPECT_EQ(client.decapsulate(below, secret), GroupResult::ok) << "below p";
  share.assign(size, 0);
  share.back() = 2;
  EXPECT_EQ(client.decapsulate(share, secret), GroupResult::ok) << "2 is the generator";
}

TEST_P(EveryMlKem, ChecksTheModulusOfEncapsulationKeys) {
  const Client client(group_, system_random());
  Buffer server_share, secret;
  // FIPS 203 7.2: every 12-bit coefficient must be below q = 3329. Make one of them 3329 and one 4095.
  Buffer share = client.share;
  share[0] = 0x01;
  share[1] = static_cast<std::uint8_t>((share[1] & 0xf0U) | 0x0dU);
  EXPECT_EQ(encapsulate(share, system_random(), server_share, secret), GroupResult::bad_share);
  share = client.share;
  const std::size_t last = share.size() - 32 - 1;
  share[last] = 0xff;
  share[last - 1] |= 0xf0U;
  EXPECT_EQ(encapsulate(share, system_random(), server_share, secret), GroupResult::bad_share);
  // The seed rho may be anything.
  share = client.share;
  share.back() ^= 1U;
  EXPECT_EQ(encapsulate(share, system_random(), server_share, secret), GroupResult::ok);
}

TEST_P(EveryMlKem, RejectsChangedCiphertextsImplicitly) {
  Client client(group_, system_random());
  Buffer server_share, secret, other;
  ASSERT_EQ(encapsulate(client.share, system_random(), server_share, secret), GroupResult::ok);
  server_share[3] ^= 1U;
  EXPECT_EQ(client.decapsulate(server_share, other), GroupResult::ok);
  EXPECT_NE(other, secret);
  Buffer again;
  EXPECT_EQ(client.decapsulate(server_share, again), GroupResult::ok);
  EXPECT_EQ(again, other) << "FIPS 203, algorithm 18: the same wrong secret for the same ciphertext";
}

// Every implementation that the provider lists, ours and its library's own, from the same random bytes: shares and
// secrets, also of ciphertexts that no encapsulation made. A FIPS module draws by itself.
TEST(MlKem, EveryImplementationGivesTheSame) {
  if (!traits.real || traits.fips_module) GTEST_SKIP() << "not of the same random bytes";
  const char* const asked = std::getenv("LOCKSTEP_KEM_INPUTS");
  const std::size_t inputs = asked != nullptr ? std::strtoul(asked, nullptr, 10) : 1000;
  for (const NamedGroup id : {NamedGroup::mlkem512, NamedGroup::mlkem768, NamedGroup::mlkem1024}) {
    std::vector<const Group*> all;
    std::ranges::copy_if(subject().groups, std::back_inserter(all),
                         [&](const Group* group) { return group->id == id; });
    for (std::size_t i = 0; i < inputs && all.size() > 1; ++i) {
      std::vector<std::array<Buffer, 5>> results;
      for (const Group* group : all) {
        SeededRandom random(i);
        Storage<kMaxGroupContextSize> storage;
        Buffer share(group->client_share_size), answer(group->server_share_size), secret(32), same(32), rejected(32);
        ASSERT_EQ(group->generate(storage.get(), random, share), GroupResult::ok);
        ASSERT_EQ(group->encapsulate(share, random, answer, secret), GroupResult::ok);
        ASSERT_EQ(group->decapsulate(storage.get(), answer, same), GroupResult::ok);
        EXPECT_EQ(secret, same) << group->implementation << ", input " << i;
        Buffer other = answer;
        if (i % 2 == 0) {
          other[i % other.size()] ^= static_cast<std::uint8_t>(1U << (i / 2 % 8));
        } else {
          EXPECT_TRUE(random.fill(other));
        }
        ASSERT_EQ(group->decapsulate(storage.get(), other, rejected), GroupResult::ok);
        group->destroy(storage.get());
        EXPECT_NE(rejected, secret);
        results.push_back({share, answer, secret, other, rejected});
      }
      for (std::size_t other = 1; other < all.size(); ++other)
        ASSERT_EQ(results[0], results[other])
            << name(id) << ": " << all[0]->implementation << " and " << all[other]->implementation << ", input " << i;
    }
  }
}

// --- published vectors -----------------------------------------------------------------------------------------------

struct Exchange {
  NamedGroup id;
  std::string_view source;
  std::string_view private_key, public_key, peer, secret;
};

// Vectors of RFCs are facts, under the IETF Trust's code licence (Revised BSD).
constexpr Exchange kExchanges[] = {
    {NamedGroup::x25519, "RFC 7748 6.1", "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a",
     "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a",
     "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f",
     "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742"},
    {NamedGroup::x448, "RFC 7748 6.2",
     "9a8f4925d1519f5775cf46b04b5800d4ee9ee8bae8bc5565d498c28dd9c9baf574a9419744897391006382a6f127ab1d9ac2d8c0a598726b",
     "9b08f7cc31b7e3e67d22d5aea121074a273bd2b83de09c63faa73d2c22c5d9bbc836647241d953d40c5b12da88120d53177f80e532c41fa0",
     "3eb7a829b0cd20f5bcfc0b599b6feccf6da4627107bdb0d4f345b43027d8b972fc3e34fb4232a13ca706dcb57aec3dae07bdc1c67bf33609",
     "07fff4181ac6cc95ec1c16a94a0f74d12da232ce40a77552281d282bb60c0b56fd2464c335543936521c24403085d59a449a5037514a879"
     "d"},
    {NamedGroup::secp256r1, "RFC 5903 8.1", "c88f01f510d9ac3f70a292daa2316de544e9aab8afe84049c62a9c57862d1433",
     "04dad0b65394221cf9b051e1feca5787d098dfe637fc90b9ef945d0c37725811805271a0461cdb8252d61f1c456fa3e59ab1f45b33accf5f5"
     "8389e0577b8990bb3",
     "04d12dfb5289c8d4f81208b70270398c342296970a0bccb74c736fc7554494bf6356fbf3ca366cc23e8157854c13c58d6aac23f046ada30f8"
     "353e74f33039872ab",
     "d6840f6b42f6edafd13116e0e12565202fef8e9ece7dce03812464d04b9442de"},
};

bool is_published(NamedGroup id) { return std::ranges::find(kExchanges, id, &Exchange::id) != std::end(kExchanges); }

INSTANTIATE_TEST_SUITE_P(Group, EveryPublishedExchange, testing::ValuesIn(real_groups(is_published)), title);

TEST_P(EveryPublishedExchange, YieldsThePublishedVectors) {
  if (!private_keys_are_random_bytes(group_.id)) GTEST_SKIP() << "private keys cannot be injected";
  const auto vector = std::ranges::find(kExchanges, group_.id, &Exchange::id);
  if (vector == std::end(kExchanges)) GTEST_SKIP() << "no vectors";
  const Buffer private_key = hex(vector->private_key);
  KeyThenSeeded for_client(private_key);
  Client client(group_, for_client);
  EXPECT_EQ(client.share, hex(vector->public_key)) << vector->source;
  Buffer secret, server_share;
  EXPECT_EQ(client.decapsulate(hex(vector->peer), secret), GroupResult::ok);
  EXPECT_EQ(secret, hex(vector->secret)) << vector->source;
  KeyThenSeeded for_server(private_key);
  EXPECT_EQ(encapsulate(hex(vector->peer), for_server, server_share, secret), GroupResult::ok);
  EXPECT_EQ(server_share, hex(vector->public_key));
  EXPECT_EQ(secret, hex(vector->secret)) << vector->source;
}

// --- finite fields by their parameters -------------------------------------------------------------------------------

class AnyFiniteField : public testing::Test {
 protected:
  void SetUp() override {
    if (field_ == nullptr) GTEST_SKIP() << "none";
  }
  const FiniteField* const field_ = subject().finite_field();

  /// A key pair, as long as it lives.
  struct Key {
    const FiniteField& field;
    Storage<kMaxGroupContextSize> storage;
    Buffer share;

    Key(const FiniteField& its_field, const FieldParameters& parameters, RandomSource& random)
        : field(its_field), share(parameters.p.size()) {
      EXPECT_EQ(field.generate(storage.get(), parameters, random, share), GroupResult::ok);
    }
    ~Key() { field.destroy(storage.get()); }
    Key(const Key&) = delete;
    Key& operator=(const Key&) = delete;

    GroupResult agree(Bytes theirs, Buffer& secret) {
      secret.assign(share.size(), 0xee);
      return field.agree(storage.get(), theirs, secret);
    }
  };
};

TEST_F(AnyFiniteField, BothHalvesAgree) {
  EXPECT_LE(field_->context_size, kMaxGroupContextSize);
  for (const NamedGroup id : {NamedGroup::ffdhe2048, NamedGroup::ffdhe3072}) {
    const FieldParameters parameters = *field_parameters(id);
    Key one(*field_, parameters, system_random());
    Key other(*field_, parameters, system_random());
    Buffer secret, same;
    ASSERT_EQ(one.agree(other.share, secret), GroupResult::ok);
    ASSERT_EQ(other.agree(one.share, same), GroupResult::ok);
    EXPECT_EQ(secret, same);
    EXPECT_NE(one.share, other.share);
    // The same as the group of that name.
    const Group* const group = subject().group(id);
    if (group == nullptr) continue;
    Buffer share(parameters.p.size());
    ASSERT_EQ(group->encapsulate(one.share, system_random(), share, secret), GroupResult::ok);
    ASSERT_EQ(one.agree(share, same), GroupResult::ok);
    EXPECT_EQ(secret, same);
  }
}

TEST_F(AnyFiniteField, RefusesWhatIsNotWithin) {
  const FieldParameters parameters = *field_parameters(NamedGroup::ffdhe2048);
  Key key(*field_, parameters, system_random());
  Buffer secret;
  Buffer share(256);
  EXPECT_EQ(key.agree(share, secret), GroupResult::bad_share) << "0";
  share.back() = 1;
  EXPECT_EQ(key.agree(share, secret), GroupResult::bad_share) << "1";
  share.assign(parameters.p.begin(), parameters.p.end());
  EXPECT_EQ(key.agree(share, secret), GroupResult::bad_share) << "p";
  share.back() -= 1;
  EXPECT_EQ(key.agree(share, secret), GroupResult::bad_share) << "p - 1";
  share.back() -= 1;
  EXPECT_EQ(key.agree(share, secret), GroupResult::ok) << "p - 2";
  share.assign(256, 0xff);
  EXPECT_EQ(key.agree(share, secret), GroupResult::bad_share) << "larger than p";
  share.assign(255, 5);
  EXPECT_EQ(key.agree(share, secret), GroupResult::bad_share) << "shorter";
  // 3^646, which has 1024 bits: all higher powers of 3 are 0.
  Buffer power(128);
  power.back() = 1;
  for (int i = 0; i < 646; ++i) {
    unsigned carry = 0;
    for (std::uint8_t& byte : std::views::reverse(power)) {
      carry += 3U * byte;
      byte = static_cast<std::uint8_t>(carry);
      carry >>= 8U;
    }
  }
  const std::array<std::uint8_t, 1> two{2};
  Key another(*field_, {power, two}, system_random());
  share.assign(power.size(), 0);
  share.back() = 3;
  EXPECT_EQ(another.agree(share, secret), GroupResult::bad_share) << "a secret of 0";
}

TEST_F(AnyFiniteField, TellsPrimes) {
  for (const NamedGroup id : {NamedGroup::ffdhe2048, NamedGroup::ffdhe3072}) {
    const Bytes p = field_parameters(id)->p;
    EXPECT_TRUE(field_->is_prime(p));
    Buffer composite(p.begin(), p.end());
    composite.back() -= 2;
    EXPECT_FALSE(field_->is_prime(composite));
  }
}

TEST_F(AnyFiniteField, FailsWithoutRandomness) {
  ScriptedRandom none({});
  Storage<kMaxGroupContextSize> storage;
  Buffer share(256);
  EXPECT_EQ(field_->generate(storage.get(), *field_parameters(NamedGroup::ffdhe2048), none, share),
            GroupResult::failed);
}

}  // namespace
}  // namespace lockstep::tests
