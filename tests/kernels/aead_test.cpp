#include <algorithm>
#include <numeric>

#include "reference.hpp"
#include "support.hpp"

namespace lockstep::kernels::test {
namespace {

// Every length to 1100, then those around the blocks, vectors and batches of larger messages up to a TLS record and
// beyond.
std::vector<std::size_t> lengths() {
  std::vector<std::size_t> all(1101);
  std::iota(all.begin(), all.end(), std::size_t{0});
  for (const std::size_t middle : std::initializer_list<std::size_t>{1216, 1280, 1344, 1536, 1984, 2048, 2112, 2240,
                                                                     3008, 3264, 4096, 8192, 16384, 16640, 65536}) {
    for (std::size_t size = middle - 18; size <= middle + 18; ++size) all.push_back(size);
  }
  return all;
}

class AeadTest : public EveryImplementation {
 protected:
  Bytes key() const { return random_bytes(aead().key_size, 1); }
  const Bytes nonce_ = random_bytes(kNonceSize, 2);
};

TEST_P(AeadTest, DescribesItself) {
  EXPECT_EQ(aead().algorithm, GetParam().algorithm);
  EXPECT_EQ(aead().instruction_set, GetParam().set);
  EXPECT_EQ(aead().key_size, GetParam().algorithm == Algorithm::aes_128_gcm ? 16U : 32U);
  EXPECT_GT(aead().context_size, 0U);
  EXPECT_LE(aead().context_size, kMaxContextSize);
}

TEST_P(AeadTest, AgreesWithTheReferenceAtEveryLength) {
  Key prepared(aead(), key());
  for (const std::size_t size : lengths()) {
    const Bytes text = random_bytes(size, 3);
    const Bytes aad = random_bytes(size % 40, 4);
    const Bytes expected = reference::seal(aead().algorithm, key(), nonce_, aad, text);

    ASSERT_EQ(prepared.seal(nonce_, aad, text), expected) << "sealing " << size << " bytes";
    Bytes opened;
    ASSERT_TRUE(prepared.open(nonce_, aad, expected, opened)) << "opening " << size << " bytes";
    ASSERT_EQ(opened, text) << "opening " << size << " bytes";
  }
}

// Ciphertexts of ones alone make every carry of what hashes them as large as it can be.
TEST_P(AeadTest, HashesTheLargestBlocks) {
  for (const std::uint32_t seed : std::initializer_list<std::uint32_t>{21, 22, 23, 24}) {
    const Bytes key = random_bytes(aead().key_size, seed);
    Key prepared(aead(), key);
    for (const std::size_t size :
         std::initializer_list<std::size_t>{15, 64, 383, 384, 511, 512, 959, 1024, 4095, 16384}) {
      const Bytes stream = reference::seal(aead().algorithm, key, nonce_, {}, Bytes(size, 0));
      Bytes text(size);
      for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<std::uint8_t>(~stream[i]);
      const Bytes expected = reference::seal(aead().algorithm, key, nonce_, {}, text);
      ASSERT_EQ(expected.front(), 0xff);
      ASSERT_EQ(prepared.seal(nonce_, {}, text), expected) << size;
      Bytes opened;
      ASSERT_TRUE(prepared.open(nonce_, {}, expected, opened)) << size;
      ASSERT_EQ(opened, text) << size;
    }
  }
}

TEST_P(AeadTest, SealsAndOpensInPlaceAtEveryLengthAndTouchesNothingElse) {
  Key prepared(aead(), key());
  for (const std::size_t size : lengths()) {
    const Bytes text = random_bytes(size, 5);
    const Bytes aad = random_bytes(5, 6);
    const Bytes expected = reference::seal(aead().algorithm, key(), nonce_, aad, text);
    constexpr std::size_t kMargin = 64;
    Bytes buffer(kMargin + size + kTagSize + kMargin, 0xa5);
    std::uint8_t* const place = buffer.data() + kMargin;
    const auto margins_are_whole = [&](std::size_t used) {
      const auto untouched = [](std::uint8_t byte) { return byte == 0xa5; };
      return std::all_of(buffer.begin(), buffer.begin() + kMargin, untouched) &&
             std::all_of(place + used, buffer.data() + buffer.size(), untouched);
    };

    std::copy(text.begin(), text.end(), place);
    const std::array<std::span<const std::uint8_t>, 1> segments{std::span(place, size)};
    const SealJob seal{nonce_.data(), aad, segments, {}, place};
    aead().seal(prepared.context(), {&seal, 1});
    ASSERT_TRUE(std::equal(expected.begin(), expected.end(), place)) << size;
    ASSERT_TRUE(margins_are_whole(size + kTagSize)) << size;

    OpenJob open{nonce_.data(), aad, std::span<const std::uint8_t>(place, size + kTagSize), place};
    ASSERT_EQ(aead().open(prepared.context(), {&open, 1}), 1U) << size;
    ASSERT_TRUE(std::equal(text.begin(), text.end(), place)) << size;
    ASSERT_TRUE(std::equal(expected.end() - kTagSize, expected.end(), place + size))
        << "the tag was overwritten: " << size;

    // Disjoint: exactly the plaintext's bytes are written, right or wrong.
    Bytes sealed = expected;
    for (const bool right : {true, false}) {
      std::fill(buffer.begin(), buffer.end(), std::uint8_t{0xa5});
      sealed.back() = static_cast<std::uint8_t>(expected.back() ^ (right ? 0 : 1));
      OpenJob disjoint{nonce_.data(), aad, sealed, place};
      ASSERT_EQ(aead().open(prepared.context(), {&disjoint, 1}), right ? 1U : 0U) << size;
      ASSERT_TRUE(margins_are_whole(size)) << size;
      ASSERT_TRUE(right ? std::equal(text.begin(), text.end(), place)
                        : std::all_of(place, place + size, [](std::uint8_t byte) { return byte == 0; }))
          << size;
    }
  }
}

TEST_P(AeadTest, WorksAtEveryAlignment) {
  for (const std::size_t size : std::initializer_list<std::size_t>{0, 1, 15, 16, 17, 63, 100, 256, 300, 1350}) {
    const Bytes text = random_bytes(size, 7);
    const Bytes aad = random_bytes(13, 8);
    const Bytes expected = reference::seal(aead().algorithm, key(), nonce_, aad, text);
    for (std::size_t alignment = 0; alignment < 64; ++alignment) {
      Key prepared(aead(), key(), alignment);
      alignas(64) std::array<std::uint8_t, 64 + 1350 + kTagSize> source{};
      alignas(64) std::array<std::uint8_t, 64 + 1350 + kTagSize> destination{};
      std::array<std::uint8_t, 64 + 13 + kNonceSize> rest{};
      std::uint8_t* const from = source.data() + alignment;
      std::uint8_t* const to = destination.data() + (alignment * 7 + 3) % 64;
      std::uint8_t* const additional = rest.data() + alignment;
      std::copy(text.begin(), text.end(), from);
      std::copy(aad.begin(), aad.end(), additional);
      std::copy(nonce_.begin(), nonce_.end(), additional + aad.size());

      const std::array<std::span<const std::uint8_t>, 1> segments{std::span(from, size)};
      const SealJob seal{additional + aad.size(), std::span(additional, aad.size()), segments, {}, to};
      aead().seal(prepared.context(), {&seal, 1});
      ASSERT_TRUE(std::equal(expected.begin(), expected.end(), to)) << size << " bytes at " << alignment;
      OpenJob open{additional + aad.size(), std::span(additional, aad.size()), std::span(to, size + kTagSize), from};
      std::fill_n(from, size, std::uint8_t{0});
      ASSERT_EQ(aead().open(prepared.context(), {&open, 1}), 1U) << size << " bytes at " << alignment;
      ASSERT_TRUE(std::equal(text.begin(), text.end(), from)) << size << " bytes at " << alignment;
    }
  }
}

TEST_P(AeadTest, GathersSegmentsAndTail) {
  Key prepared(aead(), key());
  std::mt19937 generator(9);
  for (int repetition = 0; repetition < 3000; ++repetition) {
    const std::size_t size = generator() % (repetition % 10 == 0 ? 20000 : 1500);
    const std::size_t tail =
        generator() % 4 == 0 ? generator() % (size + 1) : generator() % std::min<std::size_t>(size + 1, 2);
    const Bytes text = random_bytes(size, static_cast<std::uint64_t>(repetition));
    const Bytes aad = random_bytes(generator() % 300, 10);
    const std::span<const std::uint8_t> whole(text);
    std::vector<std::span<const std::uint8_t>> segments;
    for (std::size_t at = 0; at < size - tail;) {
      const std::size_t largest = generator() % 3 == 0 ? 40 : 2000;
      const std::size_t part = std::min<std::size_t>(generator() % largest, size - tail - at);
      segments.push_back(whole.subspan(at, part));
      at += part;
    }
    if (generator() % 3 == 0) segments.emplace_back();
    Bytes sealed(size + kTagSize);
    const SealJob job{nonce_.data(), aad, segments, whole.subspan(size - tail), sealed.data()};
    aead().seal(prepared.context(), {&job, 1});
    ASSERT_EQ(sealed, reference::seal(aead().algorithm, key(), nonce_, aad, text))
        << size << " bytes in " << segments.size() << " segments, tail " << tail;

    // In place: the segment stands where its ciphertext will, the tail elsewhere.
    Bytes buffer(text.begin(), text.end() - static_cast<std::ptrdiff_t>(tail));
    buffer.resize(size + kTagSize);
    const std::array<std::span<const std::uint8_t>, 2> halves{
        std::span(buffer).first((size - tail) / 3), std::span(buffer).first(size - tail).subspan((size - tail) / 3)};
    const SealJob in_place{nonce_.data(), aad, halves, whole.subspan(size - tail), buffer.data()};
    aead().seal(prepared.context(), {&in_place, 1});
    ASSERT_EQ(buffer, sealed) << size << " bytes in place, tail " << tail;
  }
}

TEST_P(AeadTest, HashesEveryLengthOfAdditionalData) {
  Key prepared(aead(), key());
  const Bytes text = random_bytes(33, 11);
  for (std::size_t size = 0; size <= 600; ++size) {
    const Bytes aad = random_bytes(size, 12);
    ASSERT_EQ(prepared.seal(nonce_, aad, text), reference::seal(aead().algorithm, key(), nonce_, aad, text)) << size;
  }
}

TEST_P(AeadTest, SealsAndOpensManyJobsAtOnce) {
  Key prepared(aead(), key());
  std::mt19937 generator(13);
  for (const std::size_t count : std::initializer_list<std::size_t>{0, 1, 2, 3, 4, 5, 7, 8, 9, 16, 17, 40}) {
    std::vector<Bytes> nonces, aads, texts, sealed;
    std::vector<std::array<std::span<const std::uint8_t>, 1>> segments(count);
    std::vector<SealJob> seals;
    for (std::size_t i = 0; i < count; ++i) {
      nonces.push_back(random_bytes(kNonceSize, 100 + i));
      aads.push_back(random_bytes(generator() % 20, 200 + i));
      texts.push_back(random_bytes(generator() % (i % 5 == 0 ? 3000 : 150), 300 + i));
      sealed.emplace_back(texts[i].size() + kTagSize);
    }
    for (std::size_t i = 0; i < count; ++i) {
      segments[i][0] = texts[i];
      seals.push_back({nonces[i].data(), aads[i], segments[i], {}, sealed[i].data()});
    }
    aead().seal(prepared.context(), seals);
    for (std::size_t i = 0; i < count; ++i) {
      ASSERT_EQ(sealed[i], reference::seal(aead().algorithm, key(), nonces[i], aads[i], texts[i]))
          << i << " of " << count;
    }

    std::vector<OpenJob> opens;
    std::vector<Bytes> opened;
    for (std::size_t i = 0; i < count; ++i) {
      opened.emplace_back(texts[i].size(), std::uint8_t{0xa5});
      if (i % 3 == 1) sealed[i][generator() % sealed[i].size()] ^= 0x10;
    }
    for (std::size_t i = 0; i < count; ++i) opens.push_back({nonces[i].data(), aads[i], sealed[i], opened[i].data()});
    EXPECT_EQ(aead().open(prepared.context(), opens), count - (count + 1) / 3);
    for (std::size_t i = 0; i < count; ++i) {
      ASSERT_EQ(opens[i].ok, i % 3 != 1) << i << " of " << count;
      ASSERT_EQ(opened[i], i % 3 != 1 ? texts[i] : Bytes(texts[i].size())) << i << " of " << count;
    }
  }
}

TEST_P(AeadTest, RefusesWhatWasTamperedWithAndWipesItsOutput) {
  Key prepared(aead(), key());
  for (const std::size_t size :
       std::initializer_list<std::size_t>{0, 1, 16, 31, 100, 255, 256, 257, 448, 449, 512, 1024, 1400}) {
    const Bytes text = random_bytes(size, 14);
    const Bytes aad = random_bytes(13, 15);
    const Bytes sealed = prepared.seal(nonce_, aad, text);
    Bytes opened;
    const auto refused = [&](const Bytes& nonce, const Bytes& data, const Bytes& message) {
      const bool ok = prepared.open(nonce, data, message, opened);
      return !ok && opened.size() + kTagSize == message.size() &&
             std::ranges::all_of(opened, [](std::uint8_t byte) { return byte == 0; });
    };
    ASSERT_TRUE(prepared.open(nonce_, aad, sealed, opened));
    for (std::size_t bit = 0; bit < 8 * sealed.size(); bit += bit >= 8 * size ? 1 : 37) {
      Bytes wrong = sealed;
      wrong[bit / 8] = static_cast<std::uint8_t>(wrong[bit / 8] ^ (1U << bit % 8));
      ASSERT_TRUE(refused(nonce_, aad, wrong)) << "bit " << bit << " of " << size << " bytes";
    }
    for (std::size_t bit = 0; bit < 8 * aad.size(); ++bit) {
      Bytes wrong = aad;
      wrong[bit / 8] = static_cast<std::uint8_t>(wrong[bit / 8] ^ (1U << bit % 8));
      ASSERT_TRUE(refused(nonce_, wrong, sealed)) << "bit " << bit << " of the additional data";
    }
    Bytes wrong = nonce_;
    wrong[11] ^= 1;
    ASSERT_TRUE(refused(wrong, aad, sealed));
    ASSERT_TRUE(refused(nonce_, Bytes(aad.begin(), aad.end() - 1), sealed));
    if (size != 0) {
      ASSERT_TRUE(refused(nonce_, aad, Bytes(sealed.begin() + 1, sealed.end())));
    }

    // In place as well: nothing of the ciphertext or of the plaintext is left.
    wrong = sealed;
    wrong.back() ^= 0x80;
    OpenJob job{nonce_.data(), aad, wrong, wrong.data()};
    ASSERT_EQ(aead().open(prepared.context(), {&job, 1}), 0U);
    ASSERT_TRUE(std::all_of(wrong.begin(), wrong.end() - kTagSize, [](std::uint8_t byte) { return byte == 0; }));
  }
}

TEST_P(AeadTest, RefusesWhatIsShorterThanATag) {
  Key prepared(aead(), key());
  for (std::size_t size = 0; size < kTagSize; ++size) {
    const Bytes sealed(size, 0);
    Bytes opened;
    EXPECT_FALSE(prepared.open(nonce_, {}, sealed, opened)) << size;
  }
}

TEST_P(AeadTest, KeepsItsContextWithinBoundsMovesItAndWipesIt) {
  const std::size_t size = aead().context_size;
  Bytes storage(size + 128, 0xa5);
  std::uint8_t* const context = storage.data() + 64;
  aead().init(context, key().data());
  const auto untouched = [](std::uint8_t byte) { return byte == 0xa5; };
  EXPECT_TRUE(std::all_of(storage.begin(), storage.begin() + 64, untouched));
  EXPECT_TRUE(std::all_of(storage.end() - 64, storage.end(), untouched));

  Bytes moved(storage.begin() + 64, storage.begin() + 64 + static_cast<std::ptrdiff_t>(size));
  const Bytes text = random_bytes(1000, 16);
  Bytes sealed(text.size() + kTagSize);
  const std::array<std::span<const std::uint8_t>, 1> segments{text};
  const SealJob job{nonce_.data(), {}, segments, {}, sealed.data()};
  aead().seal(moved.data(), {&job, 1});
  EXPECT_EQ(sealed, reference::seal(aead().algorithm, key(), nonce_, {}, text));

  aead().destroy(context);
  EXPECT_TRUE(std::all_of(context, context + size, [](std::uint8_t byte) { return byte == 0; }));
  EXPECT_TRUE(std::all_of(storage.begin(), storage.begin() + 64, untouched));
  EXPECT_TRUE(std::all_of(storage.end() - 64, storage.end(), untouched));
}

// Keys, nonces and texts at random: all implementations of an algorithm say the same.
TEST_P(AeadTest, AgreesWithThePortableOneOnRandomMessages) {
  const Aead* const portable = find(aead().algorithm, InstructionSet::portable);
  ASSERT_NE(portable, nullptr);
  std::mt19937 generator(17);
  for (std::uint64_t repetition = 0; repetition < 400; ++repetition) {
    const Bytes bytes = random_bytes(aead().key_size, 1000 + repetition);
    Key mine(aead(), bytes);
    Key other(*portable, bytes);
    const Bytes nonce = random_bytes(kNonceSize, 2000 + repetition);
    const Bytes aad = random_bytes(generator() % 70, 3000 + repetition);
    const Bytes text = random_bytes(generator() % 2500, 4000 + repetition);
    const Bytes sealed = mine.seal(nonce, aad, text);
    ASSERT_EQ(sealed, other.seal(nonce, aad, text)) << repetition;
    Bytes opened;
    ASSERT_TRUE(other.open(nonce, aad, sealed, opened)) << repetition;
    ASSERT_EQ(opened, text) << repetition;
  }
}

INSTANTIATE_TEST_SUITE_P(Kernels, AeadTest, testing::ValuesIn(implementations()),
                         [](const auto& instance) { return test_name(instance.param); });

class MaskTest : public EveryMask {
 protected:
  // Each in a context at an odd address.
  static Bytes compute(const Mask& mask, const Bytes& key, const Bytes& samples, std::size_t at_once) {
    Bytes storage(mask.context_size + 1);
    void* const context = storage.data() + 1;
    mask.init(context, key.data());
    Bytes masks(samples.size(), 0xa5);
    std::vector<MaskJob> jobs;
    for (std::size_t at = 0; at < samples.size(); at += kMaskSize)
      jobs.push_back({samples.data() + at, std::span(masks).subspan(at, kMaskSize)});
    for (std::span<const MaskJob> left(jobs); !left.empty(); left = left.subspan(std::min(at_once, left.size())))
      mask.compute(context, left.first(std::min(at_once, left.size())));
    mask.destroy(context);
    EXPECT_TRUE(std::ranges::all_of(storage, [](std::uint8_t byte) { return byte == 0; }));
    return masks;
  }
};

TEST_P(MaskTest, AgreesWithThePortableOneOnRandomSamplesHoweverManyAtOnce) {
  const Mask& portable = *find(mask().algorithm, InstructionSet::portable);
  for (std::uint64_t repetition = 0; repetition < 100; ++repetition) {
    const Bytes key = random_bytes(mask().key_size, repetition);
    const Bytes samples = random_bytes(33 * kMaskSize, repetition + 1000);
    const Bytes expected = compute(portable, key, samples, 1);
    for (const std::size_t at_once : {std::size_t{1}, std::size_t{2}, std::size_t{4}, std::size_t{5}, std::size_t{8},
                                      std::size_t{16}, std::size_t{33}})
      ASSERT_EQ(compute(mask(), key, samples, at_once), expected) << at_once << " at once";
  }
}

// ChaCha20's keystream from the block and with the nonce of a sample begins with its mask.
TEST_P(MaskTest, IsTheCipher) {
  if (mask().algorithm != MaskAlgorithm::chacha20) GTEST_SKIP() << "AES is compared with published blocks";
  const Bytes key = random_bytes(kMaxKeySize, 1);
  const Bytes nonce = random_bytes(kNonceSize, 2);
  Bytes sample{1, 0, 0, 0};  // the text's first block (RFC 8439 2.8)
  sample.insert(sample.end(), nonce.begin(), nonce.end());
  const Bytes sealed = reference::seal(Algorithm::chacha20_poly1305, key, nonce, {}, Bytes(kMaskSize, 0));
  EXPECT_EQ(compute(mask(), key, sample, 1), Bytes(sealed.begin(), sealed.begin() + kMaskSize));
}

struct MaskVector {
  MaskAlgorithm algorithm;
  std::string_view key, sample, mask;
};

// RFC 9001 A.2, A.3; FIPS 197 C.1, C.3; RFC 9001 A.5, RFC 8439 2.3.2.
constexpr MaskVector kMaskVectors[] = {
    {MaskAlgorithm::aes_128, "9f50449e04a0e810283a1e9933adedd2", "d1b1c98dd7689fb8ec11d242b123dc9b", "437b9aec36"},
    {MaskAlgorithm::aes_128, "c206b8d9b9f0f37644430b490eeaa314", "2cd0991cd25b0aac406a5816b6394100", "2ec0d8356a"},
    {MaskAlgorithm::aes_128, "000102030405060708090a0b0c0d0e0f", "00112233445566778899aabbccddeeff",
     "69c4e0d86a7b0430d8cdb78070b4c55a"},
    {MaskAlgorithm::aes_256, "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
     "00112233445566778899aabbccddeeff", "8ea2b7ca516745bfeafc49904b496089"},
    {MaskAlgorithm::chacha20, "25a282b9e82f06f21f488917a4fc8f1b73573685608597d0efcb076b0ab7a7a4",
     "5e5cd55c41f69080575d7999c25a5bfb", "aefefe7d03"},
    {MaskAlgorithm::chacha20, "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
     "01000000000000090000004a00000000", "10f1e7e4d13b5915500fdd1fa32071c4"},
};

TEST_P(MaskTest, YieldsThePublishedVectors) {
  for (const MaskVector& vector : kMaskVectors) {
    if (vector.algorithm != mask().algorithm) continue;
    const Bytes expected = from_hex(vector.mask);
    Bytes masks = compute(mask(), from_hex(vector.key), from_hex(vector.sample), 1);
    masks.resize(expected.size());
    EXPECT_EQ(masks, expected) << vector.sample;
  }
}

INSTANTIATE_TEST_SUITE_P(Kernels, MaskTest, testing::ValuesIn(mask_implementations()),
                         [](const auto& instance) { return test_name(instance.param); });

TEST(Choice, ListsEachAlgorithmFastestFirstAndAlwaysThePortableOne) {
  for (const Algorithm algorithm : {Algorithm::aes_128_gcm, Algorithm::aes_256_gcm, Algorithm::chacha20_poly1305}) {
    std::vector<InstructionSet> sets;
    for (const Aead& aead : available()) {
      if (aead.algorithm != algorithm) continue;
      sets.push_back(aead.instruction_set);
      EXPECT_EQ(find(algorithm, aead.instruction_set), &aead);
    }
    ASSERT_FALSE(sets.empty());
    EXPECT_EQ(sets.back(), InstructionSet::portable);
    EXPECT_EQ(best(algorithm).algorithm, algorithm);
    EXPECT_EQ(best(algorithm).instruction_set, sets.front());
    std::ranges::sort(sets);
    EXPECT_EQ(std::ranges::adjacent_find(sets), sets.end()) << "listed twice";
  }
}

TEST(Choice, ListsNothingThatTheTestsDoNotKnow) {
  for (const Aead& aead : available()) {
    EXPECT_TRUE(std::ranges::any_of(implementations(),
                                    [&](const Implementation& known) {
                                      return known.algorithm == aead.algorithm && known.set == aead.instruction_set;
                                    }))
        << aead.name << " on " << name(aead.instruction_set);
  }
}

#if defined(__x86_64__)
TEST(Choice, FollowsTheProcessor) {
  EXPECT_EQ(find(Algorithm::chacha20_poly1305, InstructionSet::avx2) != nullptr,
            __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2"));
  EXPECT_EQ(find(Algorithm::chacha20_poly1305, InstructionSet::ssse3) != nullptr, __builtin_cpu_supports("ssse3") != 0);
  EXPECT_EQ(find(Algorithm::aes_128_gcm, InstructionSet::aes_ni) != nullptr,
            __builtin_cpu_supports("aes") && __builtin_cpu_supports("pclmul"));
  EXPECT_EQ(find(Algorithm::aes_128_gcm, InstructionSet::vaes_256) != nullptr,
            __builtin_cpu_supports("vaes") && __builtin_cpu_supports("vpclmulqdq") && __builtin_cpu_supports("avx2"));
  EXPECT_EQ(
      find(Algorithm::aes_128_gcm, InstructionSet::vaes_512) != nullptr,
      __builtin_cpu_supports("vaes") && __builtin_cpu_supports("vpclmulqdq") && __builtin_cpu_supports("avx512bw"));
}
#endif

}  // namespace
}  // namespace lockstep::kernels::test
