// Hashes, HMAC and HKDF-Expand of the provider under test.

#include <cstring>

#include <gtest/gtest.h>

#include "subject.hpp"

namespace lockstep::tests {
namespace {

struct Vector {
  HashAlgorithm id;
  std::string_view source;
  std::string_view message;
  std::string_view digest;
};

// FIPS 180-4's examples as NIST publishes them; in the public domain (17 U.S.C. 105).
constexpr Vector kDigests[] = {
    {HashAlgorithm::sha256, "FIPS 180-4", "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
    {HashAlgorithm::sha256, "FIPS 180-4", "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    {HashAlgorithm::sha256, "FIPS 180-4", "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
     "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
    {HashAlgorithm::sha384, "FIPS 180-4", "abc",
     "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7"},
    {HashAlgorithm::sha512, "FIPS 180-4", "abc",
     "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2"
     "a9ac94fa54ca49f"},
};

struct HmacVector {
  HashAlgorithm id;
  std::string_view source;
  std::string_view key;
  std::string_view message;
  std::string_view mac;
};

// RFC 4231 4.3 (key "Jefe") and 4.7 (a key longer than a block). Vectors of RFCs are facts, under the IETF Trust's code
// licence.
constexpr std::string_view kJefe = "4a656665";
constexpr std::string_view kWant = "7768617420646f2079612077616e7420666f72206e6f7468696e673f";
constexpr std::string_view kAas =
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
    "aaaaaaaaaaaaaaaaaaaaaa"
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
    "aaaaaaaaaaaa";
constexpr std::string_view kLarger =
    "54657374205573696e67204c6172676572205468616e20426c6f636b2d53697a65204b6579202d2048617368204b6579204669727374";
constexpr HmacVector kHmacs[] = {
    {HashAlgorithm::sha256, "RFC 4231 4.3", kJefe, kWant,
     "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
    {HashAlgorithm::sha384, "RFC 4231 4.3", kJefe, kWant,
     "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e8e2240ca5e69e2c78b3239ecfab21649"},
    {HashAlgorithm::sha512, "RFC 4231 4.3", kJefe, kWant,
     "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b6"
     "36e070a38bce737"},
    {HashAlgorithm::sha256, "RFC 4231 4.7", kAas, kLarger,
     "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
};

// RFC 5869 appendix A, cases 1 and 3; code licence of the IETF Trust.
constexpr std::string_view kSalt = "000102030405060708090a0b0c";
constexpr std::string_view kPrk = "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5";
constexpr std::string_view kInfo = "f0f1f2f3f4f5f6f7f8f9";
constexpr std::string_view kOkm =
    "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865";
constexpr std::string_view kUnsaltedPrk = "19ef24a32c717b167f33a91d6f648bdf96596776afdb6377ac434c1c293ccb04";
constexpr std::string_view kUnsaltedOkm =
    "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8";

class EveryHash : public testing::TestWithParam<const Hash*> {
 protected:
  const Hash& hash_ = *GetParam();

  Buffer digest_of(std::span<const Bytes> pieces) {
    Storage<kMaxHashContextSize> storage;
    EXPECT_TRUE(hash_.init(storage.get()));
    for (const Bytes piece : pieces) hash_.update(storage.get(), piece);
    Buffer out(hash_.digest_size);
    EXPECT_TRUE(hash_.digest(storage.get(), out));
    hash_.destroy(storage.get());
    return out;
  }
  Buffer hmac_of(Bytes key, std::span<const Bytes> segments) {
    Buffer out(hash_.digest_size);
    EXPECT_TRUE(hash_.hmac(key, segments, out));
    return out;
  }
  Buffer expand_of(Bytes secret, Bytes info, std::size_t size) {
    Buffer out(size);
    const ExpandJob job{secret, info, out};
    EXPECT_TRUE(hash_.expand({&job, 1}));
    return out;
  }
};

std::string title(const testing::TestParamInfo<const Hash*>& info) {
  std::string text = std::string(name(info.param->id)) + "_" + std::string(info.param->implementation);
  std::ranges::replace_if(text, [](unsigned char c) { return std::isalnum(c) == 0; }, '_');
  return text;
}

INSTANTIATE_TEST_SUITE_P(Hash, EveryHash, testing::ValuesIn(subject().hashes), title);

TEST_P(EveryHash, HasTheSizesOfItsAlgorithm) {
  EXPECT_EQ(hash_.digest_size, hash_.id == HashAlgorithm::sha256 ? 32U : hash_.id == HashAlgorithm::sha384 ? 48U : 64U);
  EXPECT_LE(hash_.context_size, kMaxHashContextSize);
}

TEST_P(EveryHash, YieldsThePublishedDigests) {
  if (!traits.real) GTEST_SKIP() << "the algorithms are fakes";
  int seen = 0;
  for (const Vector& vector : kDigests) {
    if (vector.id != hash_.id) continue;
    ++seen;
    const Bytes message = as_bytes(vector.message);
    EXPECT_EQ(digest_of({&message, 1}), hex(vector.digest)) << vector.source << " " << vector.message;
  }
  EXPECT_GT(seen, 0);
}

TEST_P(EveryHash, DoesNotMindHowTheMessageComes) {
  Buffer message(700);
  ASSERT_TRUE(SeededRandom(1).fill(message));
  const Bytes all(message);
  const Buffer expected = digest_of({&all, 1});
  for (const std::size_t step : {1U, 3U, 63U, 64U, 65U, 127U, 128U, 129U}) {
    std::vector<Bytes> pieces{{}};
    for (std::size_t at = 0; at < all.size(); at += step)
      pieces.push_back(all.subspan(at, std::min(step, all.size() - at)));
    EXPECT_EQ(digest_of(pieces), expected) << step;
  }
}

TEST_P(EveryHash, DigestLeavesTheContextAsItWas) {
  Buffer message(300);
  ASSERT_TRUE(SeededRandom(2).fill(message));
  const Bytes all(message);
  Storage<kMaxHashContextSize> storage, moved;
  ASSERT_TRUE(hash_.init(storage.get()));
  Buffer out(hash_.digest_size);
  for (std::size_t size = 0; size < all.size(); ++size) {
    const Bytes so_far = all.first(size);
    ASSERT_TRUE(hash_.digest(storage.get(), out));
    ASSERT_EQ(out, digest_of({&so_far, 1})) << size;
    hash_.update(storage.get(), all.subspan(size, 1));
  }
  // A context may be moved with memcpy.
  std::memcpy(moved.get(), storage.get(), hash_.context_size);
  std::memset(storage.get(), 0x5a, sizeof storage);
  ASSERT_TRUE(hash_.digest(moved.get(), out));
  EXPECT_EQ(out, digest_of({&all, 1}));
  hash_.destroy(moved.get());
}

TEST_P(EveryHash, YieldsThePublishedHmacs) {
  if (!traits.real) GTEST_SKIP() << "the algorithms are fakes";
  int seen = 0;
  for (const HmacVector& vector : kHmacs) {
    if (vector.id != hash_.id) continue;
    ++seen;
    const Buffer message = hex(vector.message);
    const Bytes all(message);
    EXPECT_EQ(hmac_of(hex(vector.key), {&all, 1}), hex(vector.mac)) << vector.source;
    for (std::size_t cut = 0; cut <= all.size(); cut += 9) {
      const Bytes pieces[] = {all.first(cut), {}, all.subspan(cut)};
      EXPECT_EQ(hmac_of(hex(vector.key), pieces), hex(vector.mac)) << vector.source << " cut at " << cut;
    }
  }
  EXPECT_GT(seen, 0);
}

/// HKDF-Expand as RFC 5869 2.3 writes it, on HMAC alone.
TEST_P(EveryHash, ExpandIsIteratedHmac) {
  const Buffer secret(hash_.digest_size, 0x42);
  const Buffer info = hex("00112233445566778899");
  Buffer expected;
  Buffer block;
  const std::size_t most = 255 * hash_.digest_size;
  for (unsigned i = 1; i <= 255; ++i) {
    const std::uint8_t counter[] = {static_cast<std::uint8_t>(i)};
    const Bytes pieces[] = {block, info, counter};
    block = hmac_of(secret, pieces);
    expected.insert(expected.end(), block.begin(), block.end());
  }
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{1}, hash_.digest_size - 1, hash_.digest_size, hash_.digest_size + 1, most})
    EXPECT_EQ(expand_of(secret, info, size),
              Buffer(expected.begin(), expected.begin() + static_cast<std::ptrdiff_t>(size)))
        << size;

  Buffer too_long(most + 1);
  const ExpandJob job{secret, info, too_long};
  EXPECT_FALSE(hash_.expand({&job, 1}));
}

TEST_P(EveryHash, ExpandTakesJobsInSpans) {
  const Buffer one(hash_.digest_size, 1), two(hash_.digest_size, 2), info = hex("abcdef");
  for (const std::size_t count : {0U, 1U, 2U, 3U, 5U}) {
    std::vector<Buffer> outs(count, Buffer(40));
    std::vector<ExpandJob> jobs;
    for (std::size_t i = 0; i < count; ++i) jobs.push_back({i % 2 == 0 ? one : two, Bytes(info).first(i % 4), outs[i]});
    ASSERT_TRUE(hash_.expand(jobs));
    for (std::size_t i = 0; i < count; ++i) EXPECT_EQ(outs[i], expand_of(jobs[i].secret, jobs[i].info, 40));
  }
}

TEST(Hkdf, YieldsThePublishedVectors) {
  if (!traits.real) GTEST_SKIP() << "the algorithms are fakes";
  const Buffer ikm(22, 0x0b);
  const Bytes material(ikm);
  int seen = 0;
  for (const Hash* hash : subject().hashes) {
    if (hash->id != HashAlgorithm::sha256) continue;
    ++seen;
    Buffer prk(32), okm(42);
    const Buffer info = hex(kInfo);
    const ExpandJob salted{prk, info, okm}, unsalted{prk, {}, okm};
    EXPECT_TRUE(hash->hmac(hex(kSalt), {&material, 1}, prk));
    EXPECT_EQ(prk, hex(kPrk)) << hash->implementation;
    EXPECT_TRUE(hash->expand({&salted, 1}));
    EXPECT_EQ(okm, hex(kOkm)) << hash->implementation;
    EXPECT_TRUE(hash->hmac({}, {&material, 1}, prk));
    EXPECT_EQ(prk, hex(kUnsaltedPrk)) << hash->implementation;
    EXPECT_TRUE(hash->expand({&unsalted, 1}));
    EXPECT_EQ(okm, hex(kUnsaltedOkm)) << hash->implementation;
  }
  EXPECT_GT(seen, 0);
}

}  // namespace
}  // namespace lockstep::tests
