// The multibuffer provider before libcrypto's, with everything that comes alone done in lanes among good and bad jobs;
// and lanes beside libcrypto, on random inputs and at the edges. LOCKSTEP_LANES=100 does a hundred times as many.

#include <algorithm>
#include <cstdlib>

#include <gtest/gtest.h>

#include <lockstep/config.hpp>
#include <lockstep/libcrypto.hpp>
#include <lockstep/multibuffer.hpp>

#include "batching.hpp"
#include "subject.hpp"
#ifdef LOCKSTEP_TESTS_SEE_INSIDE
#include "common/key_info.hpp"
#include "multibuffer/rsa.hpp"
#endif

namespace lockstep::tests {
namespace {

struct Composition {
  static const Provider& provider() {
    static const Provider made =
        compose("crypto_mb before libcrypto", {multibuffer::provider(), libcrypto::provider()});
    return made;
  }
};

/// Where crypto_mb does not run, nothing here is about it.
class NeedsCryptoMb : public testing::EmptyTestEventListener {
 public:
  void OnTestStart(const testing::TestInfo& /*test*/) override {
    if (!multibuffer::available()) GTEST_SKIP() << "this processor has no AVX-512 IFMA";
  }
};
[[maybe_unused]] const bool listens = [] {
  testing::UnitTest::GetInstance()->listeners().Append(new NeedsCryptoMb);
  return true;
}();

}  // namespace

const Provider& subject() {
  static const Provider provider = crowded<Composition>("in company");
  return provider;
}

RandomSource& system_random() { return libcrypto::system_random(); }

const Traits traits = kTraitsOfLibcrypto;

namespace {

std::size_t rounds(std::size_t few) {
  const char* const factor = std::getenv("LOCKSTEP_LANES");
  return factor == nullptr ? few : few * static_cast<std::size_t>(std::strtoul(factor, nullptr, 10));
}

TEST(Multibuffer, HasWhatItsTableSays) {
  const Provider own = multibuffer::provider();
  const Capabilities& table = multibuffer::kCapabilities;
  EXPECT_EQ(own.name, table.provider);
  EXPECT_EQ(own.groups.size(), table.groups.size());
  EXPECT_EQ(own.verifiers.size(), table.verifications.size());
  for (const Group* group : own.groups) {
    EXPECT_TRUE(table.has(group->id)) << name(group->id);
    EXPECT_EQ(group->width, 8U);
    EXPECT_TRUE(group->generate_many != nullptr && group->encapsulate_many != nullptr &&
                group->decapsulate_many != nullptr);
  }
  for (const SignatureVerifier* verifier : own.verifiers) {
    EXPECT_TRUE(table.has(Verification{verifier->algorithm, verifier->key})) << name(verifier->algorithm);
    EXPECT_TRUE(verifier->width == 8 && verifier->verify_many != nullptr);
  }
  ASSERT_EQ(own.key_loaders.size(), 1U);
  EXPECT_TRUE(std::ranges::equal(own.key_loaders.front()->types, table.private_keys));
  EXPECT_TRUE(own.aeads.empty() && own.hashes.empty() && !own.insecure());
  EXPECT_FALSE(multibuffer::library_version().empty());
  EXPECT_TRUE(ConfigBuilder::client(Composition::provider()).build());
}

// --- key exchange ----------------------------------------------------------------------------------------------------

constexpr NamedGroup kGroups[] = {NamedGroup::x25519, NamedGroup::secp256r1, NamedGroup::secp384r1};

class LanesOfAGroup : public testing::TestWithParam<NamedGroup> {
 protected:
  const Group& lanes_ = *Composition::provider().group(GetParam());
  const Group& single_ = *libcrypto::provider().group(GetParam());

  /// Keys made together, each from bytes of its own.
  struct Keys {
    const Group& group;
    std::vector<Storage<kMaxGroupContextSize>> contexts;
    std::vector<Buffer> shares;

    Keys(const Group& its_group, std::span<const Buffer> random)
        : group(its_group), contexts(random.size()), shares(random.size(), Buffer(its_group.client_share_size)) {
      std::vector<KeyThenSeeded> sources;
      for (const Buffer& bytes : random) sources.emplace_back(bytes);
      std::vector<GenerateJob> jobs;
      for (std::size_t i = 0; i < random.size(); ++i) jobs.push_back({contexts[i].get(), &sources[i], shares[i]});
      generate(group, jobs);
      for (const GenerateJob& job : jobs) EXPECT_EQ(job.result, GroupResult::ok);
    }
    ~Keys() {
      for (auto& context : contexts) group.destroy(context.get());
    }
    Keys(const Keys&) = delete;
    Keys& operator=(const Keys&) = delete;

    std::pair<std::vector<GroupResult>, std::vector<Buffer>> agree(std::span<const Buffer> with) {
      std::vector<Buffer> secrets(with.size(), Buffer(group.secret_size));
      std::vector<DecapsulateJob> jobs;
      for (std::size_t i = 0; i < with.size(); ++i) jobs.push_back({contexts[i].get(), with[i], secrets[i]});
      decapsulate(group, jobs);
      std::vector<GroupResult> results;
      for (const DecapsulateJob& job : jobs) results.push_back(job.result);
      return {results, secrets};
    }
  };

  /// The same keys and shares in lanes and one by one in the libcrypto provider.
  void expect_equal(std::span<const Buffer> random, std::span<const Buffer> shares) {
    Keys together(lanes_, random);
    Keys alone(single_, random);
    EXPECT_EQ(together.shares, alone.shares);
    EXPECT_EQ(together.agree(shares), alone.agree(shares));

    const auto answers = [&](const Group& group) {
      std::vector<Buffer> all(2 * shares.size());
      std::vector<KeyThenSeeded> sources;
      for (const Buffer& bytes : random) sources.emplace_back(bytes);
      std::vector<EncapsulateJob> jobs;
      for (std::size_t i = 0; i < shares.size(); ++i) {
        all[2 * i].resize(group.server_share_size);
        all[2 * i + 1].resize(group.secret_size);
        jobs.push_back({shares[i], &sources[i], all[2 * i], all[2 * i + 1]});
      }
      encapsulate(group, jobs);
      std::vector<GroupResult> results;
      for (std::size_t i = 0; i < shares.size(); ++i) {
        results.push_back(jobs[i].result);
        if (jobs[i].result != GroupResult::ok) all[2 * i].clear();  // nobody's business
      }
      return std::pair(results, all);
    };
    EXPECT_EQ(answers(lanes_), answers(single_));
  }

  Buffer random_bytes(std::size_t size) {
    Buffer bytes(size);
    EXPECT_TRUE(random_.fill(bytes));
    return bytes;
  }

  SeededRandom random_{static_cast<std::uint64_t>(GetParam())};
};

INSTANTIATE_TEST_SUITE_P(Group, LanesOfAGroup, testing::ValuesIn(kGroups),
                         [](const auto& group) { return std::string(name(group.param)); });

TEST_P(LanesOfAGroup, EqualLibcryptoOnRandomInputs) {
  const std::size_t most = rounds(GetParam() == NamedGroup::secp384r1 ? 1000 : 10000);
  for (std::size_t done = 0, width = 1; done < most && !HasFailure(); done += width, width = 1 + (width + 6) % 19) {
    std::vector<Buffer> keys, peers, shares;
    for (std::size_t i = 0; i < width; ++i) {
      keys.push_back(random_bytes(lanes_.secret_size));
      peers.push_back(random_bytes(lanes_.secret_size));
    }
    const Keys peer(single_, peers);
    shares = peer.shares;
    // Some of them are no shares; of X25519, every one is, of its curve or of its twist.
    if (width > 2) shares[done % width].back() ^= 1U;
    if (width > 5) shares[done % (width - 1)].resize(done % 100);
    expect_equal(keys, shares);
  }
}

TEST_P(LanesOfAGroup, EqualLibcryptoAtTheEdges) {
  const std::size_t size = lanes_.secret_size;
  // Big-endian scalars of the curves: 1, 2, n - 1, and what is thrown away before others are drawn: 0, n, all ones.
  std::vector<Buffer> keys{Buffer(size), Buffer(size), Buffer(size), Buffer(size, 0xff)};
  keys[0].back() = 1;
  keys[1].back() = 2;
  const Buffer order = hex(size == 48 ? "ffffffffffffffffffffffffffffffffffffffffffffffff"
                                        "c7634d81f4372ddf581a0db248b0a77aecec196accc52973"
                                      : "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551");
  keys.push_back(order);
  keys.push_back(order);
  keys.back().back() -= 1;
  keys.push_back(random_bytes(size));
  const Keys made(single_, keys);

  std::vector<Buffer> shares = made.shares;  // G, 2G, -G and others
  const Buffer prime =
      hex(size == 48                         ? "fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe"
                                               "ffffffff0000000000000000ffffffff"
          : GetParam() == NamedGroup::x25519 ? "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"
                                             : "ffffffff00000001000000000000000000000000ffffffffffffffffffffffff");
  if (GetParam() == NamedGroup::x25519) {
    for (std::uint8_t more = 0; more < 19; ++more) {
      shares.push_back(prime);  // p, p + 1 and so on to 2^255 - 1, then with the bit that does not count
      shares.back().front() = static_cast<std::uint8_t>(0xed + more);
      shares.push_back(shares.back());
      shares.back().back() |= 0x80U;
    }
    shares.push_back(prime);
    shares.back().front() -= 1;  // p - 1, and (p + 1) / 2
    shares.push_back(hex("f7ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff3f"));
    for (const unsigned less : {2U, 100U, 1000U, 1393U, 1394U, 5000U, 30000U, 65000U}) {
      const unsigned low = 0xffedU - less;
      shares.push_back(prime);
      shares.back()[0] = static_cast<std::uint8_t>(low);
      shares.back()[1] = static_cast<std::uint8_t>(low >> 8U);
    }
    shares.push_back(prime);
    shares.back()[2] = 0xfe;
    for (std::uint8_t u = 0; u < 16; ++u) {
      shares.emplace_back(32);
      shares.back().front() = u;
    }
    for (const std::string_view low : {"e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
                                       "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157"})
      shares.push_back(hex(low));
  } else {
    // The point with x = 0, by its y; and the same with x = p, which is no coordinate.
    const Buffer y = hex(size == 48 ? "3cf99ef04f51a5ea630ba3f9f960dd593a14c9be39fd2bd215d3b4b08aaaf86b"
                                      "bf927f2c46e52ab06fb742b8850e521e"
                                    : "66485c780e2f83d72433bd5d84a06bb6541c2af31dae871728bf856a174f93f4");
    const auto point = [&](const Buffer& x, const Buffer& its_y) {
      Buffer share{4};
      share.insert(share.end(), x.begin(), x.end());
      share.insert(share.end(), its_y.begin(), its_y.end());
      return share;
    };
    shares.push_back(point(Buffer(size), y));
    shares.push_back(point(prime, y));
    shares.push_back(point(Buffer(size), Buffer(size)));
    shares.push_back(point(Buffer(size, 0xff), y));
    shares.push_back(point(keys[0], prime));
  }
  shares.emplace_back();
  for (const Buffer& key : keys) expect_equal(std::vector<Buffer>(shares.size(), key), shares);
}

TEST_P(LanesOfAGroup, TakeAnyNumberOfJobs) {
  for (std::size_t count = 0; count <= 17; ++count) {
    std::vector<Buffer> keys;
    for (std::size_t i = 0; i < count; ++i) keys.push_back(random_bytes(lanes_.secret_size));
    expect_equal(keys, Keys(single_, keys).shares);
  }
}

TEST_P(LanesOfAGroup, WorkWithKeysThatWereMadeAlone) {
  Storage<kMaxGroupContextSize> alone;
  Buffer share(lanes_.client_share_size), one(lanes_.secret_size), other(lanes_.secret_size);
  ASSERT_EQ(lanes_.generate(alone.get(), random_, share), GroupResult::ok);
  const std::vector<Buffer> random(2, random_bytes(lanes_.secret_size));
  Keys together(lanes_, random);
  std::vector<DecapsulateJob> jobs{
      {alone.get(), together.shares[0], one}, {together.contexts[0].get(), share, other}, {alone.get(), {}, one}};
  decapsulate(lanes_, std::span(jobs).first(2));
  EXPECT_EQ(jobs[0].result, GroupResult::ok);
  EXPECT_EQ(jobs[1].result, GroupResult::ok);
  EXPECT_EQ(one, other);
  EXPECT_EQ(lanes_.decapsulate(together.contexts[1].get(), share, other), GroupResult::ok) << "and the other way round";
  EXPECT_EQ(one, other);
  decapsulate(lanes_, jobs);
  EXPECT_EQ(jobs[2].result, GroupResult::bad_share);
  lanes_.destroy(alone.get());
}

// --- signatures ------------------------------------------------------------------------------------------------------

struct Signed {
  Buffer message, signature;
};

/// So many messages, signed together.
std::vector<Signed> sign_together(const SigningKey& key, SignatureScheme scheme, std::size_t count,
                                  RandomSource& random) {
  std::vector<Signed> all(count);
  std::vector<SignJob> jobs;
  for (std::size_t i = 0; i < count; ++i) {
    all[i] = {Buffer(i * 7 % 200, static_cast<std::uint8_t>(i)), Buffer(kMaxSignatureSize)};
    jobs.push_back({scheme, all[i].message, &random, all[i].signature});
  }
  key.sign_many(jobs);
  for (std::size_t i = 0; i < count; ++i) {
    EXPECT_GT(jobs[i].size, 0U) << i;
    all[i].signature.resize(jobs[i].size);
  }
  return all;
}

std::shared_ptr<const SigningKey> new_key(KeyType type, std::size_t bits = 0) {
  const KeyLoader& loader = *multibuffer::provider().key_loader(type);
  return loader.load(*loader.generate(type, bits, system_random())).value();
}

/// Whether libcrypto finds all of them valid, and lanes do, among some that are not.
void expect_valid(const SigningKey& key, SignatureScheme scheme, const std::vector<Signed>& all) {
  const SchemeParts made_of = *parts(scheme);
  const SignatureVerifier& lanes = *multibuffer::provider().verifier(made_of.algorithm, made_of.key);
  const SignatureVerifier& single = *libcrypto::provider().verifier(made_of.algorithm, made_of.key);
  std::vector<VerifyJob> jobs;
  std::vector<Buffer> changed;
  changed.reserve(all.size());
  for (const Signed& each : all) {
    EXPECT_EQ(single.verify(key.subject_public_key_info(), each.message, each.signature), VerifyResult::valid);
    jobs.push_back({key.subject_public_key_info(), each.message, each.signature});
    if (jobs.size() % 3 != 0) continue;
    changed.push_back(each.signature);
    changed.back()[changed.back().size() - 1 - jobs.size() % 20] ^= 1U;
    jobs.push_back({key.subject_public_key_info(), each.message, changed.back()});
  }
  verify(lanes, jobs);
  for (const VerifyJob& job : jobs)
    EXPECT_EQ(job.result, single.verify(job.subject_public_key_info, job.message, job.signature));
}

TEST(LanesOfSignatures, AreValidForLibcrypto) {
  for (const auto& [type, scheme, few] : {std::tuple{KeyType::ec_p256, SignatureScheme::ecdsa_secp256r1_sha256, 10000},
                                          std::tuple{KeyType::ec_p384, SignatureScheme::ecdsa_secp384r1_sha384, 500}}) {
    const auto key = new_key(type);
    for (std::size_t done = 0; done < rounds(static_cast<std::size_t>(few)); done += 50)
      expect_valid(*key, scheme, sign_together(*key, scheme, 50, system_random()));
  }
}

TEST(LanesOfSignatures, HaveNoncesOfTheirOwn) {
  for (const auto& [type, scheme] : {std::pair{KeyType::ec_p256, SignatureScheme::ecdsa_secp256r1_sha256},
                                     std::pair{KeyType::ec_p384, SignatureScheme::ecdsa_secp384r1_sha384}}) {
    const auto key = new_key(type);
    const auto sign = [&](std::string_view message, std::uint64_t seed) {
      // So many that they go together.
      std::array<SeededRandom, 3> random{SeededRandom(seed), SeededRandom(seed), SeededRandom(seed)};
      Buffer one(kMaxSignatureSize), same(kMaxSignatureSize), third(kMaxSignatureSize);
      SignJob jobs[] = {{scheme, as_bytes(message), random.data(), one},
                        {scheme, as_bytes(message), &random[1], same},
                        {scheme, as_bytes(message), &random[2], third}};
      key->sign_many(jobs);
      one.resize(jobs[0].size);
      same.resize(jobs[1].size);
      EXPECT_EQ(one, same) << "equal random bytes, equal messages";
      return one;
    };
    const auto r = [](const Buffer& signature) {
      return Buffer(signature.begin() + 4, signature.begin() + 4 + signature.at(3));
    };
    EXPECT_EQ(sign("one", 1), sign("one", 1));
    EXPECT_NE(r(sign("one", 1)), r(sign("one", 2))) << "other random bytes";
    EXPECT_NE(r(sign("one", 1)), r(sign("two", 1))) << "a random source that repeats";
    ScriptedRandom none({});
    Buffer out(kMaxSignatureSize);
    SignJob job{scheme, as_bytes("one"), &none, out};
    SignJob without[] = {job, job, job};
    key->sign_many(without);
    EXPECT_EQ(without[0].size + without[1].size + without[2].size, 0U);
  }
}

/// r and s at every limit, in lanes and in libcrypto.
TEST(LanesOfVerifications, EqualLibcryptoAtTheEdges) {
  for (const auto& [type, algorithm, order_hex] :
       {std::tuple{KeyType::ec_p256, SignatureAlgorithm::ecdsa_sha256,
                   "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551"},
        std::tuple{
            KeyType::ec_p384, SignatureAlgorithm::ecdsa_sha384,
            "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973"}}) {
    const auto key = new_key(type);
    const Buffer order = hex(order_hex);
    std::vector<Buffer> numbers{{0}, {1}, {2}, Buffer(order.size(), 0xff), order, order, order};
    numbers[5].back() -= 1;
    numbers[6].back() += 1;
    numbers.push_back(order);
    numbers.back().insert(numbers.back().begin(), 1);
    const auto integer = [](const Buffer& number) {
      Buffer der{2, static_cast<std::uint8_t>(number.size())};
      if (number.front() >= 0x80) {
        ++der[1];
        der.push_back(0);
      }
      der.insert(der.end(), number.begin(), number.end());
      return der;
    };
    std::vector<Buffer> signatures;
    for (const Buffer& r : numbers)
      for (const Buffer& s : numbers) {
        Buffer der = integer(r);
        const Buffer second = integer(s);
        der.insert(der.end(), second.begin(), second.end());
        der.insert(der.begin(), {0x30, static_cast<std::uint8_t>(der.size())});
        signatures.push_back(der);
      }
    std::vector<VerifyJob> jobs;
    for (const Buffer& signature : signatures)
      jobs.push_back({key->subject_public_key_info(), as_bytes("message"), signature});
    verify(*multibuffer::provider().verifier(algorithm, type), jobs);
    const SignatureVerifier& single = *libcrypto::provider().verifier(algorithm, type);
    for (const VerifyJob& job : jobs)
      EXPECT_EQ(job.result, single.verify(job.subject_public_key_info, job.message, job.signature));
  }
}

// --- RSA -------------------------------------------------------------------------------------------------------------

TEST(LanesOfRsa, EqualLibcrypto) {
  for (const auto& [bits, few] : {std::pair{2048, 100}, std::pair{3072, 16}, std::pair{4096, 16}}) {
    const KeyLoader& loader = *multibuffer::provider().key_loader(KeyType::rsa);
    const auto pkcs8 = *loader.generate(KeyType::rsa, static_cast<std::size_t>(bits), system_random());
    const auto key = loader.load(pkcs8).value();
    ASSERT_EQ(key->width(), 8U) << bits;
    const auto single = libcrypto::provider().key_loader(KeyType::rsa)->load(pkcs8).value();
    const auto scheme = SignatureScheme::rsa_pkcs1_sha256;
    for (std::size_t done = 0; done < rounds(static_cast<std::size_t>(few)); done += 10)
      for (const Signed& each : sign_together(*key, scheme, 10, system_random())) {
        Buffer signature(kMaxSignatureSize);
        signature.resize(single->sign(scheme, each.message, system_random(), signature));
        EXPECT_EQ(signature, each.signature);
      }
    for (const SignatureScheme each : key->schemes()) {
      if (hash_of(parts(each)->algorithm)) expect_valid(*key, each, sign_together(*key, each, 11, system_random()));
    }
  }
}

TEST(LanesOfRsa, SignByAnySchemeOfTheKeyInOneCall) {
  const auto key = new_key(KeyType::rsa);
  const auto schemes = known_schemes();
  std::vector<Buffer> out(schemes.size(), Buffer(kMaxSignatureSize));
  std::vector<SignJob> jobs;
  for (std::size_t i = 0; i < schemes.size(); ++i)
    jobs.push_back({schemes[i], as_bytes("message"), &system_random(), out[i]});
  key->sign_many(jobs);
  for (const SignJob& job : jobs) {
    const bool possible = std::ranges::find(key->schemes(), job.scheme) != key->schemes().end();
    EXPECT_EQ(job.size != 0, possible) << name(job.scheme);
    if (!possible) continue;
    const SchemeParts made_of = *parts(job.scheme);
    EXPECT_EQ(libcrypto::provider()
                  .verifier(made_of.algorithm, made_of.key)
                  ->verify(key->subject_public_key_info(), job.message, job.out.first(job.size)),
              VerifyResult::valid)
        << name(job.scheme);
  }
}

TEST(LanesOfRsa, OfOtherSizesAreSingle) {
  const KeyLoader& loader = *multibuffer::provider().key_loader(KeyType::rsa);
  const auto key = loader.load(*loader.generate(KeyType::rsa, 2056, system_random())).value();
  EXPECT_EQ(key->width(), 1U);
  expect_valid(*key, SignatureScheme::rsa_pss_rsae_sha256,
               sign_together(*key, SignatureScheme::rsa_pss_rsae_sha256, 10, system_random()));
}

#ifdef LOCKSTEP_TESTS_SEE_INSIDE
TEST(LanesOfRsa, GiveNothingAwayAfterAFault) {
  const KeyLoader& loader = *multibuffer::provider().key_loader(KeyType::rsa);
  const auto pkcs8 = *loader.generate(KeyType::rsa, 2048, system_random());
  const auto key = multibuffer::RsaPrivateKey::read(key_info::read_private(pkcs8)->private_key);
  ASSERT_NE(key, nullptr);
  const Buffer message(key->size(), 0x1f);
  std::array<Buffer, 8> out;
  multibuffer::Lanes<const std::uint8_t> from{};
  multibuffer::Lanes<std::uint8_t> to{};
  for (const std::size_t lane : {0U, 3U, 7U}) {
    out[lane].resize(key->size());
    from[lane] = message.data();
    to[lane] = out[lane].data();
  }
  EXPECT_EQ(key->apply(from, to), 0b10001001);
  EXPECT_EQ(out[0], out[3]) << "blinded differently, and the same";
  EXPECT_NE(out[0], Buffer(key->size()));
  key->flip_bit_of_p_exponent();
  EXPECT_EQ(key->apply(from, to), 0);
  for (const std::size_t lane : {0U, 3U, 7U}) EXPECT_EQ(out[lane], Buffer(key->size()));
}
#endif

}  // namespace
}  // namespace lockstep::tests
