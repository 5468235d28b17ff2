// AEADs of the provider under test: published vectors, round trips in every form of a job, and every way to be refused.
// Masks of record numbers beside them.

#include <cstring>
#include <numeric>

#include <gtest/gtest.h>

#include "subject.hpp"

namespace lockstep::tests {
namespace {

struct Vector {
  AeadAlgorithm id;
  std::string_view source;
  std::string_view key, nonce, aad, plaintext, ciphertext, tag;
};

// NIST's are in the public domain (17 U.S.C. 105); vectors of RFCs are facts, under the IETF Trust's code licence
// (Revised BSD).
constexpr Vector kVectors[] = {
    {AeadAlgorithm::aes_128_gcm, "The Galois/Counter Mode of Operation (McGrew, Viega), test case 1",
     "00000000000000000000000000000000", "000000000000000000000000", "", "", "", "58e2fccefa7e3061367f1d57a4e7455a"},
    {AeadAlgorithm::aes_128_gcm, "The Galois/Counter Mode of Operation, test case 4",
     "feffe9928665731c6d6a8f9467308308", "cafebabefacedbaddecaf888", "feedfacedeadbeeffeedfacedeadbeefabaddad2",
     "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657b"
     "a637b39",
     "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973"
     "d58e091",
     "5bc94fbc3221a5db94fae95ae7121a47"},
    {AeadAlgorithm::aes_256_gcm, "The Galois/Counter Mode of Operation, test case 16",
     "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308", "cafebabefacedbaddecaf888",
     "feedfacedeadbeeffeedfacedeadbeefabaddad2",
     "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657b"
     "a637b39",
     "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0ab"
     "cc9f662",
     "76fc6ece0f4e1768cddf8853bb2d551b"},
    {AeadAlgorithm::chacha20_poly1305, "RFC 8439 2.8.2",
     "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f", "070000004041424344454647",
     "50515253c0c1c2c3c4c5c6c7",
     "4c616469657320616e642047656e746c656d656e206f662074686520636c617373206f66202739393a204966204920636f756c64206f66666"
     "57220796f75206f"
     "6e6c79206f6e652074697020666f7220746865206675747572652c2073756e73637265656e20776f756c642062652069742e",
     "d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d63dbea45e8ca9671282fafb69da92728b1a71de0a9e060b290"
     "5d6a5b67ecd3b36"
     "92ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc3ff4def08e4b7a9de576d26586cec64b6116",
     "1ae10b594f09e26a7e902ecbd0600691"},
    {AeadAlgorithm::aes_128_ccm_8, "NIST SP 800-38C, example 3", "404142434445464748494a4b4c4d4e4f",
     "101112131415161718191a1b", "000102030405060708090a0b0c0d0e0f10111213",
     "202122232425262728292a2b2c2d2e2f3031323334353637", "e3b201a9f5b71a7a9b1ceaeccd97e70b6176aad9a4428aa5",
     "484392fbc1b09951"},
    {AeadAlgorithm::aes_128_ccm, "Wycheproof aes_ccm_test.json, tcId 51 (Google, Apache-2.0)",
     "2c9b9ff47d742c4ab224e9ca1ed57c4c", "917962caf3932441c259282f", "72175bdfdb4a23e97fdcbd263baf4316",
     "b542c2f3f81670ddf74f15184ab7de17e057cde9eef92babdb837500774c19",
     "320ae0c11e92d10d5bf5485c854b2d8f6318e33f16b520cffd35ada381c967", "a4866908e664ee140c6ae2b9d2ab8416"},
    {AeadAlgorithm::aes_256_ccm, "Wycheproof aes_ccm_test.json, tcId 207 (Google, Apache-2.0)",
     "f59abcbf4218bd5c7601f080b5fbd3ae088733702c8fbef0c5296a406f563827", "a5eb0e6fe669e68239ace550",
     "d603491fbf0950d36489abb40dd8d42b", "97dcbacd70a678cfaed13c942cf920e851ec3e6fb1f6c6eb95f1c965fb1a13",
     "c0b27edd6533cfba81323ac78d0aeb0371b1d7b89938e04c319148961513fb", "56aabbde47ab2c53db48703033f8ca68"},
    {AeadAlgorithm::aes_256_ccm_8, "Wycheproof aes_ccm_test.json, tcId 462 (Google, Apache-2.0)",
     "110480ea9c9f4c5e6b5be01a2aafc861d1370c243aff9faafd0a92a9d18e5845", "0e5cf683e13204cf91a2d4b6",
     "c490a5fa19b97c3e3adf20bc4df51140", "c92ec3d6a2c2fa19c45be7107a48a9ea0fe46a92978b5dabb3f94b457b5fbd",
     "bb5110dd12bd3d12144c8de55b3b2677fc7084d56afcc6a76a5228fff8dbd3", "e39b0d1174f7609b"},
};

/// A prepared context, wiped and destroyed at the end.
class Key {
 public:
  Key(const Aead& aead, Bytes key) : aead_(aead) { ready_ = aead.init(storage_.get(), key); }
  ~Key() {
    if (ready_) aead_.destroy(storage_.get());
  }
  Key(const Key&) = delete;
  Key& operator=(const Key&) = delete;

  [[nodiscard]] bool ready() const { return ready_; }
  void* get() { return storage_.get(); }

  Buffer seal(Bytes nonce, Bytes aad, Bytes plaintext) {
    Buffer out(plaintext.size() + aead_.tag_size, 0xee);
    const SealJob job{nonce.data(), aad, {&plaintext, 1}, {}, out.data()};
    EXPECT_TRUE(aead_.seal(get(), {&job, 1}));
    return out;
  }
  /// Empty when it does not open; the destination must then be wiped.
  bool open(Bytes nonce, Bytes aad, Bytes sealed, Buffer& plaintext) {
    plaintext.assign(sealed.size() < aead_.tag_size ? 0 : sealed.size() - aead_.tag_size, 0xee);
    OpenJob job{nonce.data(), aad, sealed, plaintext.data()};
    const bool all = aead_.open(get(), {&job, 1});
    EXPECT_EQ(all, job.ok);
    if (!job.ok) {
      EXPECT_TRUE(std::ranges::all_of(plaintext, [](std::uint8_t byte) { return byte == 0; }));
    }
    return job.ok;
  }

 private:
  const Aead& aead_;
  Storage<kMaxAeadContextSize> storage_;
  bool ready_ = false;
};

Buffer counted(std::size_t size, unsigned start) {
  Buffer bytes(size);
  std::iota(bytes.begin(), bytes.end(), static_cast<std::uint8_t>(start));
  return bytes;
}

class EveryAead : public testing::TestWithParam<const Aead*> {
 protected:
  const Aead& aead_ = *GetParam();
  Buffer key_ = counted(aead_.key_size, 1);
  Buffer nonce_ = counted(kAeadNonceSize, 100);
  Buffer aad_ = counted(5, 200);
};

std::string title(const testing::TestParamInfo<const Aead*>& info) {
  std::string text = std::string(name(info.param->id)) + "_" + std::string(info.param->implementation);
  std::ranges::replace_if(text, [](unsigned char c) { return std::isalnum(c) == 0; }, '_');
  return text;
}

INSTANTIATE_TEST_SUITE_P(Aead, EveryAead, testing::ValuesIn(subject().aeads), title);

TEST_P(EveryAead, HasTheSizesOfItsAlgorithm) {
  const bool key_of_16 = aead_.id == AeadAlgorithm::aes_128_gcm || aead_.id == AeadAlgorithm::aes_128_ccm ||
                         aead_.id == AeadAlgorithm::aes_128_ccm_8;
  EXPECT_EQ(aead_.key_size, key_of_16 ? 16U : 32U);
  const bool tag_of_8 = aead_.id == AeadAlgorithm::aes_128_ccm_8 || aead_.id == AeadAlgorithm::aes_256_ccm_8;
  EXPECT_EQ(aead_.tag_size, tag_of_8 ? 8U : 16U);
  EXPECT_LE(aead_.context_size, kMaxAeadContextSize);
  EXPECT_FALSE(aead_.implementation.empty());
}

TEST_P(EveryAead, YieldsThePublishedVectors) {
  if (!traits.real) GTEST_SKIP() << "the algorithms are fakes";
  int seen = 0;
  for (const Vector& vector : kVectors) {
    if (vector.id != aead_.id) continue;
    ++seen;
    SCOPED_TRACE(vector.source);
    Key key(aead_, hex(vector.key));
    ASSERT_TRUE(key.ready());
    Buffer expected = hex(vector.ciphertext);
    const Buffer tag = hex(vector.tag);
    expected.insert(expected.end(), tag.begin(), tag.end());
    EXPECT_EQ(key.seal(hex(vector.nonce), hex(vector.aad), hex(vector.plaintext)), expected);
    Buffer plaintext;
    EXPECT_TRUE(key.open(hex(vector.nonce), hex(vector.aad), expected, plaintext));
    EXPECT_EQ(plaintext, hex(vector.plaintext));
  }
  EXPECT_GT(seen, 0);
}

TEST_P(EveryAead, OpensWhatItSealsAtEverySize) {
  Key key(aead_, key_);
  ASSERT_TRUE(key.ready());
  for (std::size_t size = 0; size < 300; ++size) {
    const Buffer plaintext = counted(size, 7);
    const Buffer sealed = key.seal(nonce_, aad_, plaintext);
    Buffer opened;
    ASSERT_TRUE(key.open(nonce_, aad_, sealed, opened)) << size;
    ASSERT_EQ(opened, plaintext) << size;
  }
  // RFC 9846 5.2: the largest TLSInnerPlaintext, 2^14 + 1 bytes.
  const Buffer largest = counted((1U << 14U) + 1, 3);
  Buffer opened;
  ASSERT_TRUE(key.open(nonce_, aad_, key.seal(nonce_, aad_, largest), opened));
  EXPECT_EQ(opened, largest);
}

TEST_P(EveryAead, GathersSegmentsAndTail) {
  Key key(aead_, key_);
  const Buffer plaintext = counted(100, 9);
  const Buffer expected = key.seal(nonce_, aad_, plaintext);
  const Bytes all(plaintext);
  for (std::size_t first = 0; first <= 40; first += 8) {
    const Bytes segments[] = {all.first(first), {}, all.subspan(first, 50), all.subspan(first + 50, 99 - first - 50)};
    Buffer out(expected.size());
    const SealJob job{nonce_.data(), aad_, segments, all.last(1), out.data()};
    ASSERT_TRUE(aead_.seal(key.get(), {&job, 1}));
    EXPECT_EQ(out, expected);
  }
  Buffer out(expected.size());
  const SealJob only_tail{nonce_.data(), aad_, {}, all, out.data()};
  ASSERT_TRUE(aead_.seal(key.get(), {&only_tail, 1}));
  EXPECT_EQ(out, expected);
}

TEST_P(EveryAead, WorksInPlace) {
  Key key(aead_, key_);
  for (const std::size_t size : {1U, 15U, 16U, 17U, 255U, 1400U}) {
    const Buffer plaintext = counted(size, 1);
    const Buffer expected = key.seal(nonce_, aad_, plaintext);

    Buffer record = plaintext;
    record.resize(size + aead_.tag_size);
    const Bytes source = Bytes(record).first(size - 1);
    const SealJob seal{nonce_.data(), aad_, {&source, 1}, Bytes(plaintext).last(1), record.data()};
    ASSERT_TRUE(aead_.seal(key.get(), {&seal, 1}));
    EXPECT_EQ(record, expected);

    OpenJob open{nonce_.data(), aad_, record, record.data()};
    ASSERT_TRUE(aead_.open(key.get(), {&open, 1}));
    record.resize(size);
    EXPECT_EQ(record, plaintext);
  }
}

TEST_P(EveryAead, RefusesWhatWasChanged) {
  Key key(aead_, key_);
  const Buffer plaintext = counted(33, 5);
  const Buffer sealed = key.seal(nonce_, aad_, plaintext);
  Buffer opened;
  for (std::size_t bit = 0; bit < sealed.size() * 8; ++bit) {
    Buffer changed = sealed;
    changed[bit / 8] = static_cast<std::uint8_t>(changed[bit / 8] ^ (1U << (bit % 8)));
    ASSERT_FALSE(key.open(nonce_, aad_, changed, opened)) << bit;
  }
  for (std::size_t size = 0; size < sealed.size(); ++size)
    ASSERT_FALSE(key.open(nonce_, aad_, Bytes(sealed).first(size), opened)) << size;
  Buffer longer = sealed;
  longer.push_back(0);
  EXPECT_FALSE(key.open(nonce_, aad_, longer, opened));
  Buffer other_nonce = nonce_;
  other_nonce.back() ^= 1U;
  EXPECT_FALSE(key.open(other_nonce, aad_, sealed, opened));
  EXPECT_FALSE(key.open(nonce_, Bytes(aad_).first(4), sealed, opened));
  Buffer other_key = key_;
  other_key.front() ^= 1U;
  Key other(aead_, other_key);
  EXPECT_FALSE(other.open(nonce_, aad_, sealed, opened));
  // None of this spoils the key.
  EXPECT_TRUE(key.open(nonce_, aad_, sealed, opened));
  EXPECT_EQ(opened, plaintext);
}

TEST_P(EveryAead, TakesJobsInSpans) {
  Key key(aead_, key_);
  constexpr std::size_t kJobs = 37;
  std::vector<Buffer> nonces, plaintexts, records;
  for (std::size_t i = 0; i < kJobs; ++i) {
    nonces.push_back(counted(kAeadNonceSize, static_cast<unsigned>(i)));
    plaintexts.push_back(counted(i * 11, static_cast<unsigned>(i)));
    records.emplace_back(plaintexts[i].size() + aead_.tag_size);
  }
  std::vector<Bytes> sources(plaintexts.begin(), plaintexts.end());
  std::vector<SealJob> seals;
  for (std::size_t i = 0; i < kJobs; ++i)
    seals.push_back({nonces[i].data(), aad_, {&sources[i], 1}, {}, records[i].data()});
  ASSERT_TRUE(aead_.seal(key.get(), seals));
  for (std::size_t i = 0; i < kJobs; ++i) EXPECT_EQ(records[i], key.seal(nonces[i], aad_, plaintexts[i])) << i;

  records[5].back() ^= 1U;
  std::vector<Buffer> opened;
  for (const Buffer& plaintext : plaintexts) opened.emplace_back(plaintext.size());
  std::vector<OpenJob> opens;
  for (std::size_t i = 0; i < kJobs; ++i) opens.push_back({nonces[i].data(), aad_, records[i], opened[i].data()});
  EXPECT_FALSE(aead_.open(key.get(), opens));
  for (std::size_t i = 0; i < kJobs; ++i) {
    EXPECT_EQ(opens[i].ok, i != 5) << i;
    EXPECT_EQ(opened[i], i == 5 ? Buffer(plaintexts[i].size(), 0) : plaintexts[i]) << i;
  }
  EXPECT_TRUE(aead_.seal(key.get(), {}));
  EXPECT_TRUE(aead_.open(key.get(), {}));
}

TEST_P(EveryAead, ContextMayBeMoved) {
  Storage<kMaxAeadContextSize> before, after;
  ASSERT_TRUE(aead_.init(before.get(), key_));
  std::memcpy(after.get(), before.get(), aead_.context_size);
  std::memset(before.get(), 0xa5, sizeof before);

  const Buffer plaintext = counted(64, 1);
  const Bytes source(plaintext);
  Buffer moved(plaintext.size() + aead_.tag_size);
  const SealJob job{nonce_.data(), aad_, {&source, 1}, {}, moved.data()};
  EXPECT_TRUE(aead_.seal(after.get(), {&job, 1}));
  Key key(aead_, key_);
  EXPECT_EQ(moved, key.seal(nonce_, aad_, plaintext));
  aead_.destroy(after.get());
}

TEST_P(EveryAead, RefusesKeysOfTheWrongSize) {
  Storage<kMaxAeadContextSize> storage;
  EXPECT_FALSE(aead_.init(storage.get(), counted(aead_.key_size - 1, 1)));
  EXPECT_FALSE(aead_.init(storage.get(), counted(aead_.key_size + 1, 1)));
  EXPECT_FALSE(aead_.init(storage.get(), {}));
}

TEST_P(EveryAead, DestroyLeavesNothingInTheContext) {
  Storage<kMaxAeadContextSize> storage;
  ASSERT_TRUE(aead_.init(storage.get(), key_));
  aead_.destroy(storage.get());
  EXPECT_TRUE(
      std::ranges::all_of(Bytes(storage.bytes).first(aead_.context_size), [](std::uint8_t byte) { return byte == 0; }));
}

TEST_P(EveryAead, AllocatesNothingPerRecord) {
  if (!traits.lean) GTEST_SKIP() << "allocates by design";
  if (allocations() < 0) GTEST_SKIP() << "allocations cannot be counted in this build";
  Key key(aead_, key_);
  Buffer record(1400 + aead_.tag_size);
  const Bytes source = Bytes(record).first(1400);
  const auto round = [&] {
    const SealJob seal{nonce_.data(), aad_, {&source, 1}, {}, record.data()};
    OpenJob open{nonce_.data(), aad_, record, record.data()};
    return aead_.seal(key.get(), {&seal, 1}) && aead_.open(key.get(), {&open, 1});
  };
  ASSERT_TRUE(round());
  const long before = allocations();
  bool ok = true;
  for (int i = 0; i < 100; ++i) ok = round() && ok;
  const long made = allocations() - before;
  EXPECT_TRUE(ok);
  // Botan's CCM makes temporaries of its own: at most two for each record.
  const bool ccm_of_botan = aead_.implementation == "botan" && name(aead_.id).find("CCM") != std::string_view::npos;
  EXPECT_LE(made, ccm_of_botan ? 400 : 0);
}

// --- masks -----------------------------------------------------------------------------------------------------------

struct MaskVector {
  MaskAlgorithm id;
  std::string_view source;
  std::string_view key, sample, mask;
};

constexpr MaskVector kMaskVectors[] = {
    {MaskAlgorithm::aes_128, "RFC 9001 A.2", "9f50449e04a0e810283a1e9933adedd2", "d1b1c98dd7689fb8ec11d242b123dc9b",
     "437b9aec36"},
    {MaskAlgorithm::aes_128, "RFC 9001 A.3", "c206b8d9b9f0f37644430b490eeaa314", "2cd0991cd25b0aac406a5816b6394100",
     "2ec0d8356a"},
    {MaskAlgorithm::aes_128, "FIPS 197 C.1", "000102030405060708090a0b0c0d0e0f", "00112233445566778899aabbccddeeff",
     "69c4e0d86a7b0430d8cdb78070b4c55a"},
    {MaskAlgorithm::aes_256, "FIPS 197 C.3", "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
     "00112233445566778899aabbccddeeff", "8ea2b7ca516745bfeafc49904b496089"},
    {MaskAlgorithm::chacha20, "RFC 9001 A.5", "25a282b9e82f06f21f488917a4fc8f1b73573685608597d0efcb076b0ab7a7a4",
     "5e5cd55c41f69080575d7999c25a5bfb", "aefefe7d03"},
    {MaskAlgorithm::chacha20, "RFC 8439 2.3.2", "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
     "01000000000000090000004a00000000", "10f1e7e4d13b5915500fdd1fa32071c4"},
};

class MaskKey {
 public:
  MaskKey(const Mask& mask, Bytes key) : mask_(mask) { EXPECT_TRUE(mask.init(storage_.get(), key)); }
  ~MaskKey() { mask_.destroy(storage_.get()); }
  MaskKey(const MaskKey&) = delete;
  MaskKey& operator=(const MaskKey&) = delete;

  Buffer compute(Bytes sample, std::size_t size = kMaxMaskSize) {
    Buffer out(size);
    const MaskJob job{sample.data(), out};
    EXPECT_TRUE(mask_.compute(storage_.get(), {&job, 1}));
    return out;
  }
  bool compute(std::span<const MaskJob> jobs) { return mask_.compute(storage_.get(), jobs); }

 private:
  const Mask& mask_;
  Storage<kMaxMaskContextSize> storage_;
};

class EveryMask : public testing::TestWithParam<const Mask*> {
 protected:
  const Mask& mask_ = *GetParam();
  Buffer key_ = counted(mask_.key_size, 1);
};

std::string mask_title(const testing::TestParamInfo<const Mask*>& info) {
  std::string text = std::string(name(info.param->id)) + "_" + std::string(info.param->implementation);
  std::ranges::replace_if(text, [](unsigned char c) { return std::isalnum(c) == 0; }, '_');
  return text;
}

INSTANTIATE_TEST_SUITE_P(Masks, EveryMask, testing::ValuesIn(subject().masks), mask_title);
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(EveryMask);

TEST(Mask, GoesWithAnAeadOfTheSameCipher) {
  EXPECT_EQ(mask_of(AeadAlgorithm::aes_128_gcm), MaskAlgorithm::aes_128);
  EXPECT_EQ(mask_of(AeadAlgorithm::aes_128_ccm_8), MaskAlgorithm::aes_128);
  EXPECT_EQ(mask_of(AeadAlgorithm::aes_256_ccm), MaskAlgorithm::aes_256);
  EXPECT_EQ(mask_of(AeadAlgorithm::chacha20_poly1305), MaskAlgorithm::chacha20);
  for (const Aead* aead : subject().aeads) {
    const Mask* const mask = subject().mask(mask_of(aead->id));
    ASSERT_NE(mask, nullptr) << name(aead->id);
    // RFC 9147 4.2.3: sn_key is as long as the AEAD's key.
    EXPECT_EQ(mask->key_size, aead->key_size) << name(aead->id);
  }
}

TEST_P(EveryMask, YieldsThePublishedVectors) {
  EXPECT_LE(mask_.context_size, kMaxMaskContextSize);
  EXPECT_LE(mask_.key_size, kMaxMaskKeySize);
  EXPECT_FALSE(mask_.implementation.empty());
  if (!traits.real) GTEST_SKIP() << "the algorithms are fakes";
  int seen = 0;
  for (const MaskVector& vector : kMaskVectors) {
    if (vector.id != mask_.id) continue;
    ++seen;
    MaskKey key(mask_, hex(vector.key));
    EXPECT_EQ(key.compute(hex(vector.sample), vector.mask.size() / 2), hex(vector.mask)) << vector.source;
  }
  EXPECT_GE(seen, 1);
}

// Any number of samples in one call, masks of any length, under keys and of samples at random: as one by one, and as
// the last implementation of the list says.
TEST_P(EveryMask, YieldsTheSameTogetherAsOneByOne) {
  const Mask& other = **std::ranges::find_last(subject().masks, mask_.id, &Mask::id).begin();
  SeededRandom random(7);
  for (std::size_t count = 0; count <= 40; ++count) {
    Buffer bytes(mask_.key_size);
    ASSERT_TRUE(random.fill(bytes));
    MaskKey key(mask_, bytes);
    MaskKey same(other, bytes);
    Buffer samples(count * kMaskSampleSize);
    ASSERT_TRUE(random.fill(samples));
    std::vector<std::array<std::uint8_t, kMaxMaskSize + 1>> masks(count);
    std::vector<MaskJob> jobs;
    for (std::size_t i = 0; i < count; ++i) {
      masks[i].fill(0xee);
      jobs.push_back({samples.data() + i * kMaskSampleSize, MutableBytes(masks[i]).first((i + count) % 17)});
    }
    ASSERT_TRUE(key.compute(jobs));
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t size = jobs[i].mask.size();
      const Bytes sample(jobs[i].sample, kMaskSampleSize);
      ASSERT_EQ(Buffer(jobs[i].mask.begin(), jobs[i].mask.end()), key.compute(sample, size)) << i << " of " << count;
      ASSERT_EQ(key.compute(sample), same.compute(sample)) << other.implementation;
      ASSERT_TRUE(std::ranges::all_of(Bytes(masks[i]).subspan(size), [](std::uint8_t byte) { return byte == 0xee; }));
    }
  }
}

TEST_P(EveryMask, DependsOnTheWholeKeyAndTheWholeSample) {
  const Buffer sample = counted(kMaskSampleSize, 50);
  MaskKey key(mask_, key_);
  const Buffer mask = key.compute(sample, 5);
  for (std::size_t i = 0; i < sample.size(); ++i) {
    Buffer changed = sample;
    changed[i] ^= 1U;
    EXPECT_NE(key.compute(changed, 5), mask) << i;
  }
  for (std::size_t i = 0; i < key_.size(); ++i) {
    Buffer changed = key_;
    changed[i] ^= 1U;
    EXPECT_NE(MaskKey(mask_, changed).compute(sample, 5), mask) << i;
  }
}

TEST_P(EveryMask, RefusesKeysOfTheWrongSizeAndMasksThatAreTooLong) {
  Storage<kMaxMaskContextSize> storage;
  EXPECT_FALSE(mask_.init(storage.get(), counted(mask_.key_size - 1, 1)));
  EXPECT_FALSE(mask_.init(storage.get(), counted(mask_.key_size + 1, 1)));
  EXPECT_FALSE(mask_.init(storage.get(), {}));
  MaskKey key(mask_, key_);
  const Buffer sample(kMaskSampleSize, 1);
  Buffer out(kMaxMaskSize + 1);
  const MaskJob job{sample.data(), out};
  EXPECT_FALSE(key.compute(std::span(&job, 1)));
  EXPECT_TRUE(key.compute(std::span<const MaskJob>()));
}

TEST_P(EveryMask, ContextMayBeMovedAndIsWiped) {
  Storage<kMaxMaskContextSize> before, after;
  ASSERT_TRUE(mask_.init(before.get(), key_));
  std::memcpy(after.get(), before.get(), mask_.context_size);
  std::memset(before.get(), 0xa5, sizeof before);
  const Buffer sample = counted(kMaskSampleSize, 9);
  Buffer moved(kMaxMaskSize);
  const MaskJob job{sample.data(), moved};
  EXPECT_TRUE(mask_.compute(after.get(), {&job, 1}));
  const long made = allocations();
  EXPECT_TRUE(mask_.compute(after.get(), {&job, 1}));
  if (traits.lean) {
    EXPECT_EQ(allocations(), made);
  }
  EXPECT_EQ(moved, MaskKey(mask_, key_).compute(sample));
  mask_.destroy(after.get());
  EXPECT_TRUE(
      std::ranges::all_of(Bytes(after.bytes).first(mask_.context_size), [](std::uint8_t byte) { return byte == 0; }));
}

}  // namespace
}  // namespace lockstep::tests
