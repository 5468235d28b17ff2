#include <algorithm>
#include <numeric>

#include "reference.hpp"
#include "support.hpp"

namespace lockstep::kernels::test {
namespace {

class HashTest : public EveryHash {
 protected:
  // A context that stands `offset` bytes after a boundary of 64, wiped at the end.
  class Running {
   public:
    explicit Running(const Hash& hash, std::size_t offset = 0) : hash_(hash), context_(storage_.data() + offset) {
      hash_.init(context_);
    }
    ~Running() { hash_.destroy(context_); }
    Running(const Running& other) : hash_(other.hash_), context_(storage_.data()) {
      std::memcpy(context_, other.context_, hash_.context_size);
    }
    Running& operator=(const Running&) = delete;

    void update(std::span<const std::uint8_t> data) { hash_.update(context_, data); }
    Bytes digest() const {
      Bytes out(hash_.digest_size);
      hash_.digest(context_, out.data());
      return out;
    }

   private:
    const Hash& hash_;
    alignas(64) std::array<std::uint8_t, kMaxHashContextSize + 64> storage_{};
    std::uint8_t* context_;
  };

  Bytes expected(std::span<const std::uint8_t> message) const { return reference::digest(hash().algorithm, message); }

  Bytes hmac(std::span<const std::uint8_t> key, std::span<const std::span<const std::uint8_t>> segments) const {
    Bytes prepared(hash().hmac_key_size);
    Bytes out(hash().digest_size);
    hash().prepare_hmac_key(prepared.data(), key);
    hash().hmac(prepared.data(), segments, out.data());
    const Bytes again = out;
    hash().hmac(prepared.data(), segments, out.data());
    EXPECT_EQ(out, again) << "a prepared key serves many times";
    hash().destroy_hmac_key(prepared.data());
    EXPECT_EQ(prepared, Bytes(hash().hmac_key_size)) << "destroy wipes";
    return out;
  }

  // HKDF-Expand as RFC 5869 2.3 writes it, on the reference's HMAC.
  Bytes expected_expansion(const Bytes& secret, const Bytes& info, std::size_t size) const {
    Bytes out;
    Bytes block;
    for (unsigned counter = 1; out.size() < size; ++counter) {
      block.insert(block.end(), info.begin(), info.end());
      block.push_back(static_cast<std::uint8_t>(counter));
      block = reference::hmac(hash().algorithm, secret, block);
      out.insert(out.end(), block.begin(), block.end());
    }
    out.resize(size);
    return out;
  }
};

TEST_P(HashTest, DescribesItself) {
  EXPECT_EQ(hash().algorithm, GetParam().algorithm);
  EXPECT_EQ(hash().instruction_set, GetParam().set);
  const bool narrow = GetParam().algorithm == HashAlgorithm::sha256;
  EXPECT_EQ(hash().block_size, narrow ? 64U : 128U);
  EXPECT_EQ(hash().digest_size, narrow ? 32U : GetParam().algorithm == HashAlgorithm::sha384 ? 48U : 64U);
  EXPECT_GT(hash().context_size, hash().block_size);
  EXPECT_LE(hash().context_size, kMaxHashContextSize);
  EXPECT_LE(hash().hmac_key_size, kMaxHmacKeySize);
}

TEST_P(HashTest, AgreesWithTheReferenceAtEveryLength) {
  const Bytes message = random_bytes(70000, 1);
  std::vector<std::size_t> sizes(1101);
  std::iota(sizes.begin(), sizes.end(), std::size_t{0});
  sizes.insert(sizes.end(), {4095, 4096, 4097, 16383, 16384, 16385, 65536, 70000});
  for (const std::size_t size : sizes) {
    const std::span<const std::uint8_t> part = std::span(message).first(size);
    Running running(hash());
    running.update(part);
    ASSERT_EQ(running.digest(), expected(part)) << size;
    ASSERT_EQ(running.digest(), expected(part)) << "a second time: " << size;
  }
}

TEST_P(HashTest, DoesNotMindHowTheMessageIsSplit) {
  const Bytes message = random_bytes(600, 2);
  const std::span<const std::uint8_t> all(message);
  const Bytes whole = expected(all);
  for (std::size_t first = 0; first <= all.size(); first += 7) {
    for (std::size_t second = first; second <= all.size(); second += second % 3 + 5) {
      Running running(hash());
      running.update(all.first(first));
      running.update(all.subspan(first, second - first));
      running.update({});
      running.update(all.subspan(second));
      ASSERT_EQ(running.digest(), whole) << first << " " << second;
    }
  }
  for (std::size_t step = 1; step <= 2 * hash().block_size + 1; ++step) {
    Running running(hash());
    for (std::size_t at = 0; at < all.size(); at += step) {
      running.update(all.subspan(at, std::min(step, all.size() - at)));
      ASSERT_EQ(running.digest(), expected(all.first(std::min(at + step, all.size())))) << step << " " << at;
    }
  }
}

TEST_P(HashTest, WorksAtEveryAlignmentAndTouchesNothingElse) {
  const Bytes message = random_bytes(500, 3);
  for (std::size_t alignment = 0; alignment < 64; ++alignment) {
    alignas(64) std::array<std::uint8_t, 64 + 500> source{};
    const std::size_t size = 300 + 3 * alignment;
    std::copy_n(message.begin(), size, source.begin() + static_cast<std::ptrdiff_t>(alignment));
    Running running(hash(), alignment);
    running.update(std::span(source).subspan(alignment, size));
    ASSERT_EQ(running.digest(), expected(std::span(message).first(size))) << alignment;

    Bytes storage(64 + hash().context_size + 64 + hash().digest_size + 64, 0xa5);
    std::uint8_t* const context = storage.data() + alignment;
    std::uint8_t* const out = context + hash().context_size + 7;
    hash().init(context);
    hash().update(context, std::span(message).first(size));
    hash().digest(context, out);
    ASSERT_TRUE(std::equal(out, out + hash().digest_size, expected(std::span(message).first(size)).begin()));
    hash().destroy(context);
    const auto untouched = [](std::uint8_t byte) { return byte == 0xa5; };
    ASSERT_TRUE(std::all_of(storage.data(), context, untouched));
    ASSERT_TRUE(std::all_of(context, context + hash().context_size, [](std::uint8_t byte) { return byte == 0; }));
    ASSERT_TRUE(std::all_of(context + hash().context_size, out, untouched));
    ASSERT_TRUE(std::all_of(out + hash().digest_size, storage.data() + storage.size(), untouched));
  }
}

TEST_P(HashTest, ForksByCopyingTheContext) {
  const Bytes message = random_bytes(400, 4);
  const std::span<const std::uint8_t> all(message);
  for (std::size_t fork = 0; fork <= 300; fork += 11) {
    Running trunk(hash());
    trunk.update(all.first(fork));
    Running branch(trunk);
    branch.update(all.subspan(200, 150));
    trunk.update(all.subspan(fork));
    Bytes joined(message.begin(), message.begin() + static_cast<std::ptrdiff_t>(fork));
    joined.insert(joined.end(), message.begin() + 200, message.begin() + 350);
    ASSERT_EQ(branch.digest(), expected(joined)) << fork;
    ASSERT_EQ(trunk.digest(), expected(all)) << fork;
  }
}

TEST_P(HashTest, GoesOnWithAContextOfAnotherInstructionSet) {
  const Hash* const portable = find(hash().algorithm, InstructionSet::portable);
  ASSERT_NE(portable, nullptr);
  ASSERT_EQ(portable->context_size, hash().context_size);
  const Bytes message = random_bytes(777, 5);
  const std::span<const std::uint8_t> all(message);
  for (std::size_t at = 0; at < all.size(); at += 13) {
    std::array<std::uint8_t, kMaxHashContextSize> context;
    Bytes out(hash().digest_size);
    portable->init(context.data());
    portable->update(context.data(), all.first(at));
    hash().update(context.data(), all.subspan(at));
    portable->digest(context.data(), out.data());
    ASSERT_EQ(out, expected(all)) << at;
    portable->destroy(context.data());
  }
}

TEST_P(HashTest, AuthenticatesLikeTheReference) {
  const Bytes bytes = random_bytes(1200, 6);
  const std::span<const std::uint8_t> all(bytes);
  for (std::size_t key_size = 0; key_size <= 300; ++key_size) {
    const auto key = all.first(key_size);
    for (const std::size_t size : {std::size_t{0}, std::size_t{32}, key_size, 3 * key_size + 1}) {
      const auto message = all.subspan(100, size);
      const std::array segments{message.first(size / 3), std::span<const std::uint8_t>{}, message.subspan(size / 3)};
      ASSERT_EQ(hmac(key, segments), reference::hmac(hash().algorithm, key, message)) << key_size << " " << size;
    }
  }
  const Bytes key = random_bytes(hash().digest_size, 7);
  for (std::size_t size = 0; size <= 1100; ++size) {
    const std::array segments{all.first(size)};
    ASSERT_EQ(hmac(key, segments), reference::hmac(hash().algorithm, key, all.first(size))) << size;
  }
}

// Every combination of short and long, of one secret and several, alone and in company.
TEST_P(HashTest, ExpandsLikeTheReference) {
  std::mt19937 generator(8);
  const std::size_t digest_size = hash().digest_size;
  for (int repetition = 0; repetition < 1500; ++repetition) {
    const std::size_t count = generator() % 7;
    std::vector<Bytes> secrets, infos, outs;
    for (std::size_t i = 0; i < 3; ++i) {
      secrets.push_back(random_bytes(generator() % 4 == 0 ? generator() % 200 : digest_size, generator()));
    }
    std::vector<ExpandJob> jobs;
    std::vector<std::size_t> used;
    for (std::size_t i = 0; i < count; ++i) {
      infos.push_back(random_bytes(generator() % (generator() % 4 == 0 ? 300 : 120), generator()));
      const std::size_t size = generator() % 5 == 0 ? generator() % 500 : generator() % (digest_size + 1);
      outs.emplace_back(size, std::uint8_t{0xa5});
      used.push_back(generator() % 3);
    }
    for (std::size_t i = 0; i < count; ++i) jobs.push_back({secrets[used[i]], infos[i], outs[i]});
    ASSERT_TRUE(hash().expand(jobs));
    for (std::size_t i = 0; i < count; ++i) {
      ASSERT_EQ(outs[i], expected_expansion(secrets[used[i]], infos[i], outs[i].size()))
          << "job " << i << " of " << count << ", info " << infos[i].size();
    }
  }
}

TEST_P(HashTest, ExpandsPairsAtEveryLengthOfInfo) {
  const Bytes secret = random_bytes(hash().digest_size, 9);
  const Bytes other = random_bytes(hash().digest_size, 10);
  for (std::size_t size = 0; size <= 300; ++size) {
    const Bytes info = random_bytes(size, 11);
    for (const Bytes* second : {&secret, &other}) {
      Bytes a(hash().digest_size), b(12);
      const std::array<ExpandJob, 2> jobs{{{secret, info, a}, {*second, info, b}}};
      ASSERT_TRUE(hash().expand(jobs));
      ASSERT_EQ(a, expected_expansion(secret, info, a.size())) << size;
      ASSERT_EQ(b, expected_expansion(*second, info, b.size())) << size;
    }
  }
}

TEST_P(HashTest, RefusesAnOutputLongerThan255Digests) {
  const Bytes secret = random_bytes(hash().digest_size, 12);
  Bytes most(255 * hash().digest_size), more(most.size() + 1, 0xa5), first(10, 0xa5);
  const std::array<ExpandJob, 1> longest{{{secret, {}, most}}};
  EXPECT_TRUE(hash().expand(longest));
  EXPECT_EQ(most, expected_expansion(secret, {}, most.size()));
  const std::array<ExpandJob, 2> too_long{{{secret, {}, first}, {secret, {}, more}}};
  EXPECT_FALSE(hash().expand(too_long));
  EXPECT_EQ(first, Bytes(10, 0xa5)) << "nothing is written";
  EXPECT_EQ(more, Bytes(more.size(), 0xa5));
}

// The secrets of TLS 1.3, as many at once as anybody may ask for.
TEST_P(HashTest, ExpandsLabels) {
  const Bytes secret = random_bytes(hash().digest_size, 13);
  const std::string longest(255, 'l');
  const std::array<std::string_view, 6> labels{"tls13 c hs traffic", "tls13 s hs traffic", "tls13 key",
                                               "tls13 iv",           "tls13 finished",     longest};
  for (std::size_t count = 0; count <= labels.size(); ++count) {
    std::vector<Bytes> infos, outs;
    std::vector<ExpandJob> jobs;
    for (std::size_t i = 0; i < count; ++i) {
      outs.emplace_back(i == 3 ? 12 : i == 2 ? 16 : i == 5 ? 700 : hash().digest_size);
      const Bytes context = random_bytes(i < 2 ? hash().digest_size : i == 5 ? 255 : 0, 14 + i);
      infos.push_back(hkdf_label(labels[i], context, outs[i].size()));
    }
    for (std::size_t i = 0; i < count; ++i) jobs.push_back({secret, infos[i], outs[i]});
    ASSERT_TRUE(hash().expand(jobs));
    for (std::size_t i = 0; i < count; ++i) {
      ASSERT_EQ(outs[i], expected_expansion(secret, infos[i], outs[i].size()))
          << labels[i] << ", job " << i << " of " << count;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Kernels, HashTest, testing::ValuesIn(hash_implementations()),
                         [](const auto& instance) { return test_name(instance.param); });

TEST(HashChoice, ListsEachAlgorithmFastestFirstAndAlwaysThePortableOne) {
  for (const HashAlgorithm algorithm : {HashAlgorithm::sha256, HashAlgorithm::sha384, HashAlgorithm::sha512}) {
    std::vector<InstructionSet> sets;
    for (const Hash& hash : available_hashes()) {
      if (hash.algorithm != algorithm) continue;
      sets.push_back(hash.instruction_set);
      EXPECT_EQ(find(algorithm, hash.instruction_set), &hash);
    }
    ASSERT_FALSE(sets.empty());
    EXPECT_EQ(sets.back(), InstructionSet::portable);
    EXPECT_EQ(best(algorithm).algorithm, algorithm);
    EXPECT_EQ(best(algorithm).instruction_set, sets.front());
    std::ranges::sort(sets);
    EXPECT_EQ(std::ranges::adjacent_find(sets), sets.end()) << "listed twice";
  }
}

TEST(HashChoice, ListsNothingThatTheTestsDoNotKnow) {
  for (const Hash& hash : available_hashes()) {
    EXPECT_TRUE(std::ranges::any_of(hash_implementations(),
                                    [&](const HashImplementation& known) {
                                      return known.algorithm == hash.algorithm && known.set == hash.instruction_set;
                                    }))
        << hash.name << " on " << name(hash.instruction_set);
  }
}

Bytes mac_of(const Mac& mac, const Bytes& key, std::span<const std::span<const std::uint8_t>> segments) {
  Bytes out(mac.size);
  mac.mac(key, segments, out.data());
  return out;
}

// The MAC of a record on every instruction set that this processor has: of any length, in pieces, and of a length that
// is a secret.
TEST(RecordMac, AgreesWithTheReferenceOnEveryInstructionSet) {
  for (const Mac& mac : available_macs()) {
    SCOPED_TRACE(std::string(mac.name) + " " + name(mac.instruction_set));
    EXPECT_EQ(find(mac.algorithm, mac.instruction_set), &mac);
    const Mac& portable = *find(mac.algorithm, InstructionSet::portable);
    const Bytes key = random_bytes(mac.size, 1);
    const Bytes header = random_bytes(13, 2);
    for (std::size_t size = 0; size < 1500; size += 1 + size / 60) {
      const Bytes text = random_bytes(size, 3);
      const std::span<const std::uint8_t> whole(text);
      const std::array<std::span<const std::uint8_t>, 3> segments{header, whole.first(size / 3),
                                                                  whole.subspan(size / 3)};
      const Bytes expected = mac_of(portable, key, segments);
      ASSERT_EQ(mac_of(mac, key, segments), expected) << size;
      if (mac.algorithm != MacAlgorithm::hmac_sha1) {
        Bytes message = header;
        message.insert(message.end(), text.begin(), text.end());
        const HashAlgorithm hash =
            mac.algorithm == MacAlgorithm::hmac_sha256 ? HashAlgorithm::sha256 : HashAlgorithm::sha384;
        ASSERT_EQ(expected, reference::hmac(hash, key, message)) << size;
      }
      for (const std::size_t hidden : {0U, 1U, 15U, 64U, 200U, 256U}) {
        Bytes padded = text;
        padded.resize(size + hidden, 0x5a);
        Bytes out(mac.size);
        mac.mac_of_secret_length(key, header, padded, size, out.data());
        ASSERT_EQ(out, expected) << size << " and " << hidden << " hidden";
      }
    }
  }
}

// RFC 2202 3, test cases 1 and 3.
TEST(RecordMac, IsHmacSha1AsPublished) {
  for (const Mac& mac : available_macs()) {
    if (mac.algorithm != MacAlgorithm::hmac_sha1) continue;
    const Bytes text = from_hex("4869205468657265");
    const std::array<std::span<const std::uint8_t>, 1> segments{text};
    EXPECT_EQ(mac_of(mac, Bytes(20, 0x0b), segments), from_hex("b617318655057264e28bc0b6fb378c8ef146be00"));
    const Bytes fifty(50, 0xdd);
    const std::array<std::span<const std::uint8_t>, 1> more{fifty};
    EXPECT_EQ(mac_of(mac, Bytes(20, 0xaa), more), from_hex("125d7342b9ac11cd91a39af48aa17b4f63f175d3"));
  }
}

}  // namespace
}  // namespace lockstep::kernels::test
