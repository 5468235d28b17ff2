// ML-KEM and SHA-3: published vectors, libcrypto, and every kernel against the others.

#include <cstdlib>
#ifdef LOCKSTEP_ML_KEM_VECTORS
#include <fstream>
#include <map>

#include <nlohmann/json.hpp>
#endif

#include "reference.hpp"
#include "support.hpp"

namespace lockstep::kernels::test {
namespace {

std::vector<InstructionSet> kem_sets() {
#if defined(__x86_64__)
  return {InstructionSet::avx512, InstructionSet::avx2, InstructionSet::portable};
#elif defined(__aarch64__)
  return {InstructionSet::neon, InstructionSet::portable};
#else
  return {InstructionSet::portable};
#endif
}

std::string set_name(InstructionSet set) {
  std::string text = name(set);
  std::ranges::replace(text, '-', '_');
  return text;
}

// --- SHA-3 -----------------------------------------------------------------------------------------------------------

constexpr Sha3Algorithm kSha3Algorithms[] = {Sha3Algorithm::sha3_256, Sha3Algorithm::sha3_512, Sha3Algorithm::shake128,
                                             Sha3Algorithm::shake256};
/// FIPS 202, table 3 and what follows from it.
constexpr std::size_t kSha3Rates[] = {136, 72, 168, 136};
constexpr std::size_t kDigestSizes[] = {32, 64, 0, 0};

class Sha3Test : public testing::TestWithParam<InstructionSet> {
 protected:
  void SetUp() override {
    sha3_ = find_sha3(GetParam());
    if (sha3_ == nullptr) GTEST_SKIP() << "this processor cannot run " << name(GetParam()) << ": SHA-3";
  }
  Bytes run(Sha3Algorithm algorithm, std::span<const std::uint8_t> message, std::size_t size) const {
    Bytes digest(size);
    const Sha3Job job{algorithm, message, digest};
    sha3_->run({&job, 1});
    return digest;
  }

  const Sha3* sha3_ = nullptr;
};

// NIST's examples for FIPS 202, in the public domain (17 U.S.C. 105): the empty message.
TEST_P(Sha3Test, Fips202) {
  const auto expect = [&](Sha3Algorithm algorithm, std::string_view digest) {
    EXPECT_EQ(run(algorithm, {}, digest.size() / 2), from_hex(digest));
  };
  expect(Sha3Algorithm::sha3_256, "a7ffc6f8bf1ed76651c14756a061d662f580ff4de43b49fa82d80a4b80f8434a");
  expect(
      Sha3Algorithm::sha3_512,
      "a69f73cca23a9ac5c8b567dc185a756e97c982164fe25859e0d1dcc1475c80a615b2123af1f5f94c11e3e9402c3ac558f500199d95b6d3"
      "e301758586281dcd26");
  expect(Sha3Algorithm::shake128, "7f9c2ba4e88f827d616045507605853ed73b8093f6efbc88eb1a6eacfa66ef26");
  expect(Sha3Algorithm::shake256, "46b9dd2b0ba88d13233b3feb743eeb243fcd52ea62b81b82b50c27646ed5762f");
}

TEST_P(Sha3Test, EveryLengthAroundTheRates) {
  const Bytes message = random_bytes(400, 1);
  for (std::size_t i = 0; i < std::size(kSha3Algorithms); ++i) {
    for (std::size_t length = 0; length <= 2 * kSha3Rates[i] + 2; ++length) {
      const std::size_t size = kDigestSizes[i] != 0 ? kDigestSizes[i] : 1 + length;
      const std::span<const std::uint8_t> part(message.data(), length);
      ASSERT_EQ(run(kSha3Algorithms[i], part, size), reference::sha3(kSha3Algorithms[i], part, size))
          << i << ", " << length << " bytes";
    }
  }
}

TEST_P(Sha3Test, JobsOfAnyKindSideBySide) {
  for (std::size_t count = 0; count < 24; ++count) {
    std::vector<Bytes> messages, digests;
    std::vector<Sha3Job> jobs;
    const Bytes choices = random_bytes(4 * count, count);
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t which = choices[4 * i] % 4;
      messages.push_back(random_bytes(choices[4 * i + 1] * 5U, i));
      digests.emplace_back(kDigestSizes[which] != 0 ? kDigestSizes[which] : 1 + choices[4 * i + 2] * 3U);
    }
    for (std::size_t i = 0; i < count; ++i)
      jobs.push_back({kSha3Algorithms[choices[4 * i] % 4], messages[i], digests[i]});
    sha3_->run(jobs);
    for (const Sha3Job& job : jobs)
      EXPECT_EQ(Bytes(job.digest.begin(), job.digest.end()),
                reference::sha3(job.algorithm, job.message, job.digest.size()))
          << count;
  }
}

INSTANTIATE_TEST_SUITE_P(Kernels, Sha3Test, testing::ValuesIn(kem_sets()),
                         [](const auto& instance) { return set_name(instance.param); });

// --- ML-KEM ----------------------------------------------------------------------------------------------------------

struct KemImplementation {
  KemAlgorithm algorithm;
  InstructionSet set;
};

std::vector<KemImplementation> kem_implementations() {
  std::vector<KemImplementation> all;
  for (const KemAlgorithm algorithm : {KemAlgorithm::ml_kem_512, KemAlgorithm::ml_kem_768, KemAlgorithm::ml_kem_1024})
    for (const InstructionSet set : kem_sets()) all.push_back({algorithm, set});
  return all;
}

std::string algorithm_name(KemAlgorithm algorithm) {
  std::string text = find(algorithm, InstructionSet::portable)->name;
  std::ranges::replace(text, '-', '_');
  return text;
}

class KemTest : public testing::TestWithParam<KemImplementation> {
 protected:
  void SetUp() override {
    kem_ = find(GetParam().algorithm, GetParam().set);
    if (kem_ == nullptr) GTEST_SKIP() << "this processor cannot run " << name(GetParam().set) << ": ML-KEM";
  }
  const Kem& kem() const { return *kem_; }
  const Kem& portable() const { return *find(GetParam().algorithm, InstructionSet::portable); }

 private:
  const Kem* kem_ = nullptr;
};

/// How many random inputs there are to be; a hundred times as many take some minutes.
std::size_t kem_inputs(std::size_t usual) {
  const char* const asked = std::getenv("LOCKSTEP_KEM_INPUTS");
  return asked != nullptr ? std::strtoul(asked, nullptr, 10) : usual;
}

#if defined(__aarch64__)
constexpr std::size_t kUsualInputs = 20;  // under qemu
#else
constexpr std::size_t kUsualInputs = 3400;  // of each parameter set
#endif

TEST_P(KemTest, HasTheSizesOfFips203) {
  constexpr std::size_t kSizes[3][3] = {{800, 1632, 768}, {1184, 2400, 1088}, {1568, 3168, 1568}};
  const auto& [encapsulation_key, decapsulation_key, ciphertext] = kSizes[static_cast<std::size_t>(kem().algorithm)];
  EXPECT_EQ(kem().encapsulation_key_size, encapsulation_key);
  EXPECT_EQ(kem().decapsulation_key_size, decapsulation_key);
  EXPECT_EQ(kem().ciphertext_size, ciphertext);
  EXPECT_LE(kem().key_size, kMaxKemKeySize);
}

// The digest of many random exchanges, in which every edge that randomness reaches is reached: the procedure of C2SP's
// CCTV (CC0), its results for FIPS 203 as published in Go's crypto/mlkem (BSD-3-Clause).
TEST_P(KemTest, AccumulatedExchanges) {
  if (kem().algorithm != KemAlgorithm::ml_kem_768) GTEST_SKIP() << "published for ML-KEM-768 alone";
#if defined(__aarch64__)
  constexpr std::size_t kCount = 100;
  constexpr std::string_view kDigest = "1114b1b6699ed191734fa339376afa7e285c9e6acf6ff0177d346696ce564415";
#else
  constexpr std::size_t kCount = 10000;
  constexpr std::string_view kDigest = "8a518cc63da366322a8e7a818c7a0d63483cb3528d34a4cf42f35d5ad73f22fc";
#endif
  const std::size_t drawn = kKemSeedSize + kKemCoinsSize + kem().ciphertext_size;
  const Bytes stream = reference::sha3(Sha3Algorithm::shake128, {}, kCount * drawn);
  Bytes results;
  for (std::size_t i = 0; i < kCount; ++i) {
    const auto at = stream.begin() + static_cast<std::ptrdiff_t>(i * drawn);
    const Bytes seed(at, at + kKemSeedSize);
    const Bytes coins(at + kKemSeedSize, at + kKemSeedSize + kKemCoinsSize);
    const KemRun run(kem(), seed, coins);
    ASSERT_EQ(run.decapsulate(run.ciphertext), run.secret) << i;
    const Bytes rejected =
        run.decapsulate(Bytes(at + kKemSeedSize + kKemCoinsSize, at + static_cast<std::ptrdiff_t>(drawn)));
    for (const Bytes& part : {run.encapsulation_key, run.ciphertext, run.secret, rejected})
      results.insert(results.end(), part.begin(), part.end());
  }
  EXPECT_EQ(reference::sha3(Sha3Algorithm::shake128, results, 32), from_hex(kDigest));
}

// Each secret is what FIPS 203 makes of the ciphertext, also where it rejects: of random ones, of those with one byte
// changed, and of those whose coefficients are all least or greatest.
TEST_P(KemTest, RejectsAsThePortableOneDoes) {
  const KemRun run(kem(), random_bytes(kKemSeedSize, 1), random_bytes(kKemCoinsSize, 2));
  const KemRun expected(portable(), random_bytes(kKemSeedSize, 1), random_bytes(kKemCoinsSize, 2));
  ASSERT_EQ(run.ciphertext, expected.ciphertext);
  const auto expect_rejected = [&](const Bytes& ciphertext) {
    const Bytes secret = run.decapsulate(ciphertext);
    EXPECT_EQ(secret, expected.decapsulate(ciphertext));
    EXPECT_NE(secret, run.secret);
  };
  for (std::size_t i = 0; i < run.ciphertext.size(); ++i) {
    Bytes changed = run.ciphertext;
    changed[i] ^= static_cast<std::uint8_t>(1U << (i % 8));
    expect_rejected(changed);
  }
  expect_rejected(Bytes(run.ciphertext.size(), 0));
  expect_rejected(Bytes(run.ciphertext.size(), 0xff));
  EXPECT_EQ(run.decapsulate(run.ciphertext), run.secret);
}

/// Writes a coefficient of an encoded key.
void set_coefficient(Bytes& key, std::size_t index, unsigned value) {
  std::uint8_t* const at = key.data() + index / 2 * 3;
  if (index % 2 == 0) {
    at[0] = static_cast<std::uint8_t>(value);
    at[1] = static_cast<std::uint8_t>((at[1] & 0xf0U) | value >> 8);
  } else {
    at[1] = static_cast<std::uint8_t>((at[1] & 0x0fU) | value << 4);
    at[2] = static_cast<std::uint8_t>(value >> 4);
  }
}

// FIPS 203 7.2
TEST_P(KemTest, ChecksTheModulusOfEveryCoefficient) {
  const Bytes coins = random_bytes(kKemCoinsSize, 2);
  const KemRun run(kem(), random_bytes(kKemSeedSize, 1), coins);
  Bytes ciphertext(kem().ciphertext_size), secret(kKemSecretSize), same_ciphertext(kem().ciphertext_size),
      same_secret(kKemSecretSize);
  const std::size_t coefficients = (kem().encapsulation_key_size - 32) / 3 * 2;
  for (std::size_t i = 0; i < coefficients; ++i) {
    for (const unsigned value : {3328U, 3329U, 3330U, 4095U}) {
      Bytes key = run.encapsulation_key;
      set_coefficient(key, i, value);
      if (value == 3328 && i % 16 != 0) continue;
      EXPECT_EQ(kem().encapsulate(key.data(), coins.data(), ciphertext.data(), secret.data()), value < 3329)
          << i << " " << value;
    }
  }
  for (const unsigned value : {0U, 3328U}) {
    Bytes key = run.encapsulation_key;
    for (std::size_t i = 0; i < coefficients; ++i) set_coefficient(key, i, value);
    EXPECT_TRUE(kem().encapsulate(key.data(), coins.data(), ciphertext.data(), secret.data()));
    EXPECT_TRUE(portable().encapsulate(key.data(), coins.data(), same_ciphertext.data(), same_secret.data()));
    EXPECT_EQ(ciphertext, same_ciphertext);
    EXPECT_EQ(secret, same_secret);
  }
}

// FIPS 203 7.3
TEST_P(KemTest, LoadsWhatItStoredAndChecksItsHash) {
  const KemRun run(kem(), random_bytes(kKemSeedSize, 1), random_bytes(kKemCoinsSize, 2));
  const KemRun same(portable(), random_bytes(kKemSeedSize, 1), random_bytes(kKemCoinsSize, 2));
  const Bytes encoded = run.encoded();
  EXPECT_EQ(encoded, same.encoded());
  const auto key = std::make_unique<KemRun::ExpandedKey>();
  Bytes secret(kKemSecretSize);
  ASSERT_TRUE(kem().load(key->bytes, encoded.data()));
  kem().decapsulate(key->bytes, run.ciphertext.data(), secret.data());
  EXPECT_EQ(secret, run.secret);
  const auto expect_refused = [&](const Bytes& changed, const char* why) {
    EXPECT_FALSE(kem().load(key->bytes, changed.data())) << why;
    EXPECT_EQ(std::count(key->bytes, key->bytes + kem().key_size, 0), static_cast<std::ptrdiff_t>(kem().key_size))
        << why;
  };
  Bytes changed = encoded;
  changed[changed.size() - 33] ^= 1;
  expect_refused(changed, "another hash");
  changed = encoded;
  changed[kem().encapsulation_key_size - 32] ^= 1;
  expect_refused(changed, "another encapsulation key");
  changed = encoded;
  set_coefficient(changed, 0, 3329);
  expect_refused(changed, "a coefficient of s that is not below q");
  changed = encoded;
  set_coefficient(changed, (kem().encapsulation_key_size - 32) / 3 * 2, 4095);
  expect_refused(changed, "a coefficient of t that is not below q");
  ASSERT_TRUE(kem().load(key->bytes, encoded.data()));
  kem().destroy(key->bytes);
  EXPECT_EQ(std::count(key->bytes, key->bytes + kem().key_size, 0), static_cast<std::ptrdiff_t>(kem().key_size))
      << "wiped";
}

#ifdef LOCKSTEP_ML_KEM_VECTORS

/// Calls `check` for each of NIST's tests (ACVP) of this parameter set in a file.
template <class Check>
void each_of_nist(const Kem& kem, const std::string& file, Check check) {
  std::ifstream in(std::string(LOCKSTEP_ML_KEM_VECTORS) + "/nist_vectors/" + file + "/internalProjection.json");
  const auto all = nlohmann::json::parse(in, nullptr, false);
  ASSERT_FALSE(all.is_discarded()) << file;
  for (const auto& group : all.at("testGroups"))
    for (const auto& test : group.at("tests"))
      if (group.at("parameterSet") == kem.name) check(group, test);
}

Bytes bytes_of(const nlohmann::json& object, const char* field) {
  return from_hex(object.at(field).get<std::string>());
}

TEST_P(KemTest, MakesTheKeysOfNist) {
  each_of_nist(kem(), "ML-KEM-keyGen-FIPS203", [&](const auto& /*group*/, const auto& test) {
    Bytes seed = bytes_of(test, "d");
    const Bytes z = bytes_of(test, "z");
    seed.insert(seed.end(), z.begin(), z.end());
    const KemRun run(kem(), seed, Bytes(kKemCoinsSize));
    EXPECT_EQ(run.encapsulation_key, bytes_of(test, "ek")) << test.at("tcId");
    EXPECT_EQ(run.encoded(), bytes_of(test, "dk")) << test.at("tcId");
  });
}

// Changed ciphertexts among them, whose secrets are those of the implicit rejection.
TEST_P(KemTest, EncapsulatesAndDecapsulatesAsNistDoes) {
  int rejected = 0;
  Bytes ciphertext(kem().ciphertext_size), secret(kKemSecretSize);
  const auto key = std::make_unique<KemRun::ExpandedKey>();
  each_of_nist(kem(), "ML-KEM-encapDecap-FIPS203", [&](const auto& group, const auto& test) {
    const bool encapsulates = group.at("function") == "encapsulation";
    if (encapsulates) {
      EXPECT_TRUE(
          kem().encapsulate(bytes_of(test, "ek").data(), bytes_of(test, "m").data(), ciphertext.data(), secret.data()));
      EXPECT_EQ(ciphertext, bytes_of(test, "c")) << test.at("tcId");
      EXPECT_EQ(secret, bytes_of(test, "k")) << test.at("tcId");
    }
    ASSERT_TRUE(kem().load(key->bytes, bytes_of(encapsulates ? test : group, "dk").data())) << test.at("tcId");
    kem().decapsulate(key->bytes, bytes_of(test, "c").data(), secret.data());
    EXPECT_EQ(secret, bytes_of(test, "k")) << test.at("tcId");
    rejected += test.at("reason") == "modify ciphertext" ? 1 : 0;
  });
  EXPECT_GT(rejected, 0);
}

// C2SP's CCTV (CC0): ciphertexts that differ from the encapsulated one only behind a byte of zero.
TEST_P(KemTest, ComparesCiphertextsBehindZeros) {
  std::ifstream in(std::string(LOCKSTEP_ML_KEM_VECTORS) + "/cctv_vectors/ML-KEM/strcmp/" + kem().name + ".txt");
  std::map<std::string, Bytes> values;
  for (std::string name, equals, value; in >> name >> equals >> value;) values[name] = from_hex(value);
  const auto key = std::make_unique<KemRun::ExpandedKey>();
  Bytes secret(kKemSecretSize);
  ASSERT_TRUE(kem().load(key->bytes, values["dk"].data()));
  kem().decapsulate(key->bytes, values["c"].data(), secret.data());
  EXPECT_EQ(secret, values["K"]);
}

#endif

INSTANTIATE_TEST_SUITE_P(Kernels, KemTest, testing::ValuesIn(kem_implementations()), [](const auto& instance) {
  return algorithm_name(instance.param.algorithm) + "_" + set_name(instance.param.set);
});

class EveryKem : public testing::TestWithParam<KemAlgorithm> {};

TEST_P(EveryKem, EqualsTheReferenceOnRandomInputs) {
  const KemAlgorithm algorithm = GetParam();
  const std::size_t ciphertext_size = find(algorithm, InstructionSet::portable)->ciphertext_size;
  for (std::size_t i = 0; i < kem_inputs(kUsualInputs); ++i) {
    const Bytes seed = random_bytes(kKemSeedSize, i);
    const Bytes coins = random_bytes(kKemCoinsSize, i);
    const Bytes other = random_bytes(ciphertext_size, i);
    const auto expected = reference::encapsulation(algorithm, seed, coins, other);
    if (!expected) GTEST_SKIP() << "libcrypto is older than 3.5";
    for (const Kem& kem : available_kems()) {
      if (kem.algorithm != algorithm) continue;
      const KemRun run(kem, seed, coins);
      const reference::Encapsulation computed{run.encapsulation_key, run.ciphertext, run.secret,
                                              run.decapsulate(other)};
      ASSERT_EQ(computed, *expected) << name(kem.instruction_set) << ", input " << i;
      ASSERT_EQ(run.decapsulate(run.ciphertext), run.secret) << name(kem.instruction_set) << ", input " << i;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Kernels, EveryKem,
                         testing::Values(KemAlgorithm::ml_kem_512, KemAlgorithm::ml_kem_768, KemAlgorithm::ml_kem_1024),
                         [](const auto& instance) { return algorithm_name(instance.param); });

}  // namespace
}  // namespace lockstep::kernels::test
