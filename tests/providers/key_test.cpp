// Private keys of the provider under test: made, loaded, used and refused.

#include <iterator>
#include <map>
#include <thread>

#include <gtest/gtest.h>

#include "subject.hpp"

namespace lockstep::tests {
namespace {

constexpr std::array kKeyTypes{
    KeyType::rsa,
    KeyType::rsa_pss,
    KeyType::ec_p256,
    KeyType::ec_p384,
    KeyType::ec_p521,
    KeyType::ed25519,
    KeyType::ec_brainpoolP256r1,
    KeyType::ec_brainpoolP384r1,
    KeyType::ec_brainpoolP512r1,
    KeyType::ed448,
    KeyType::mldsa44,
    KeyType::mldsa65,
    KeyType::mldsa87,
};

const Bytes kMessage = as_bytes("a message to be signed");

/// One key of each type for all tests, because some take long to make.
const Buffer& pkcs8_of(KeyType type) {
  static std::map<KeyType, Buffer> made;
  const auto found = made.find(type);
  if (found != made.end()) return found->second;
  auto pkcs8 = subject().key_loader(type)->generate(type, 0, system_random());
  EXPECT_TRUE(pkcs8) << name(type);
  return made[type] = pkcs8 ? *pkcs8 : Buffer{};
}

std::shared_ptr<const SigningKey> key_of(KeyType type) {
  const auto key = subject().key_loader(type)->load(pkcs8_of(type));
  return key ? *key : nullptr;
}

class EveryKeyType : public testing::TestWithParam<KeyType> {
 protected:
  const KeyType type_ = GetParam();
  const KeyLoader* const loader_ = subject().key_loader(type_);
};

std::string title(const testing::TestParamInfo<KeyType>& info) {
  std::string text(name(info.param));
  std::ranges::replace_if(text, [](unsigned char c) { return std::isalnum(c) == 0; }, '_');
  return text;
}

/// What the provider does not load is nothing to test.
std::vector<KeyType> listed_keys() {
  std::vector<KeyType> listed;
  std::ranges::copy_if(kKeyTypes, std::back_inserter(listed),
                       [](KeyType type) { return subject().key_loader(type) != nullptr; });
  return listed;
}

INSTANTIATE_TEST_SUITE_P(Key, EveryKeyType, testing::ValuesIn(listed_keys()), title);

TEST_P(EveryKeyType, SignsWhatItsVerifierAccepts) {
  const auto key = key_of(type_);
  ASSERT_NE(key, nullptr);
  EXPECT_EQ(key->type(), type_);
  ASSERT_FALSE(key->schemes().empty());
  bool certificates_only = false;
  for (const SignatureScheme scheme : key->schemes()) {
    SCOPED_TRACE(name(scheme));
    const auto made_of = parts(scheme);
    ASSERT_TRUE(made_of);
    EXPECT_EQ(made_of->key, type_);
    EXPECT_TRUE(made_of->certificates_only || !certificates_only) << "schemes for certificates alone come last";
    certificates_only = made_of->certificates_only;

    std::array<std::uint8_t, kMaxSignatureSize> out{};
    const std::size_t size = key->sign(scheme, kMessage, system_random(), out);
    ASSERT_GT(size, 0U);
    const Buffer signature(out.begin(), out.begin() + static_cast<std::ptrdiff_t>(size));
    const auto verify = [&](Bytes key_info, Bytes message, Bytes of) {
      return verify_both_ways(*subject().verifier(made_of->algorithm, type_), key_info, message, of);
    };
    const Bytes info = key->subject_public_key_info();
    EXPECT_EQ(verify(info, kMessage, signature), VerifyResult::valid);
    EXPECT_EQ(verify(info, kMessage.first(5), signature), VerifyResult::invalid);
    EXPECT_EQ(verify(info, kMessage, {}), VerifyResult::invalid);
    Buffer changed = signature;
    for (const std::size_t at : {std::size_t{0}, size / 2, size - 1}) {
      changed[at] ^= 4U;
      EXPECT_EQ(verify(info, kMessage, changed), VerifyResult::invalid) << at;
      changed[at] ^= 4U;
    }
    changed.push_back(0);
    EXPECT_EQ(verify(info, kMessage, changed), VerifyResult::invalid);
    for (const SignatureVerifier* verifier : subject().verifiers) {
      if (verifier->key != type_) {
        EXPECT_EQ(verifier->verify(info, kMessage, signature), VerifyResult::bad_key) << name(verifier->key);
      } else if (verifier->algorithm != made_of->algorithm) {
        EXPECT_EQ(verifier->verify(info, kMessage, signature), VerifyResult::invalid) << name(verifier->algorithm);
      }
    }
  }
}

TEST_P(EveryKeyType, DoesNotSignWhatItCannot) {
  const auto key = key_of(type_);
  ASSERT_NE(key, nullptr);
  std::array<std::uint8_t, kMaxSignatureSize> out{};
  for (const SignatureScheme scheme : known_schemes())
    if (std::ranges::find(key->schemes(), scheme) == key->schemes().end()) {
      EXPECT_EQ(key->sign(scheme, kMessage, system_random(), out), 0U) << name(scheme);
    }
  constexpr auto kRsaMd5 = static_cast<SignatureScheme>(0x0101);
  EXPECT_EQ(key->sign(kRsaMd5, kMessage, system_random(), out), 0U);
  EXPECT_EQ(key->sign(key->schemes().front(), kMessage, system_random(), MutableBytes(out).first(8)), 0U) << "no room";
  EXPECT_GT(key->sign(key->schemes().front(), kMessage, system_random(), out), 0U) << "and still works";
}

TEST_P(EveryKeyType, IsMadeAndSignsTheSameFromEqualRandomBytes) {
  if (traits.fips_module) GTEST_SKIP() << "draws by itself";
  const bool rsa = type_ == KeyType::rsa || type_ == KeyType::rsa_pss;
  SeededRandom one(11), two(11);
  const auto first = loader_->generate(type_, 0, one);
  const auto second = loader_->generate(type_, 0, two);
  ASSERT_TRUE(first);
  EXPECT_EQ(first, second);
  if (!rsa) {
    SeededRandom other(12);
    EXPECT_NE(loader_->generate(type_, 0, other), first);
  }

  const auto key = loader_->load(*first);
  ASSERT_TRUE(key);
  for (const SignatureScheme scheme : (*key)->schemes()) {
    std::array<std::uint8_t, kMaxSignatureSize> a{}, b{};
    SeededRandom for_a(5), for_b(5);
    EXPECT_EQ((*key)->sign(scheme, kMessage, for_a, a), (*key)->sign(scheme, kMessage, for_b, b));
    EXPECT_EQ(a, b) << name(scheme);
  }
}

TEST_P(EveryKeyType, SignsFromSeveralThreadsAtOnce) {
  const auto key = key_of(type_);
  ASSERT_NE(key, nullptr);
  const SignatureScheme scheme = key->schemes().front();
  const auto* const verifier = subject().verifier(parts(scheme)->algorithm, type_);
  const auto prepared = verifier->prepare == nullptr ? nullptr : verifier->prepare(key->subject_public_key_info());
  std::array<bool, 4> valid{};
  std::vector<std::thread> threads;
  for (bool& result : valid)
    threads.emplace_back([&] {
      bool all = true;
      for (int i = 0; i < 8; ++i) {
        std::array<std::uint8_t, kMaxSignatureSize> out{};
        const std::size_t size = key->sign(scheme, kMessage, system_random(), out);
        const Bytes signature = Bytes(out).first(size);
        all = all && verifier->verify(key->subject_public_key_info(), kMessage, signature) == VerifyResult::valid;
        if (prepared == nullptr) continue;
        all = all && prepared->verify(kMessage.first(3), signature) == VerifyResult::invalid;
        all = all && prepared->verify(kMessage, signature) == VerifyResult::valid;
      }
      result = all;
    });
  for (std::thread& thread : threads) thread.join();
  for (const bool result : valid) EXPECT_TRUE(result);
}

TEST_P(EveryKeyType, RefusesPkcs8ThatIsCutOrContinued) {
  const Buffer& pkcs8 = pkcs8_of(type_);
  for (std::size_t size = 0; size < pkcs8.size(); size += size < 80 ? 1 : 61) {
    const auto key = loader_->load(Bytes(pkcs8).first(size));
    ASSERT_FALSE(key) << size;
    EXPECT_EQ(key.error(), KeyError::malformed) << size;
  }
  Buffer longer = pkcs8;
  longer.push_back(0);
  EXPECT_FALSE(loader_->load(longer));
}

TEST_P(EveryKeyType, SurvivesPkcs8WithAnyByteChanged) {
  const Buffer& pkcs8 = pkcs8_of(type_);
  const bool rsa = type_ == KeyType::rsa || type_ == KeyType::rsa_pss;
  for (std::size_t at = 0; at < pkcs8.size(); at += rsa && at > 40 ? 37 : 1) {
    Buffer changed = pkcs8;
    changed[at] ^= 0x21U;
    const auto key = loader_->load(changed);
    // A changed seed or scalar is another good key; it must then still be one that works.
    if (!key || rsa) {
      EXPECT_FALSE(key) << at << ": RSA has no byte that may change";
      continue;
    }
    std::array<std::uint8_t, kMaxSignatureSize> out{};
    EXPECT_GT((*key)->sign((*key)->schemes().front(), kMessage, system_random(), out), 0U) << at;
  }
}

TEST_P(EveryKeyType, IsNotMadeWithoutRandomness) {
  if (traits.fips_module) GTEST_SKIP() << "draws by itself";
  ScriptedRandom none({});
  const auto key = loader_->generate(type_, 0, none);
  ASSERT_FALSE(key);
  EXPECT_EQ(key.error(), KeyError::failed);
}

TEST(KeyLoader, MakesRsaKeysOfTheSizeAskedFor) {
  if (!traits.real) GTEST_SKIP() << "the algorithms are fakes";
  const KeyLoader* const loader = subject().key_loader(KeyType::rsa);
  if (loader == nullptr) GTEST_SKIP();
  const auto key = loader->load(*loader->generate(KeyType::rsa, 3072, system_random()));
  ASSERT_TRUE(key);
  std::array<std::uint8_t, kMaxSignatureSize> out{};
  EXPECT_EQ((*key)->sign(SignatureScheme::rsa_pss_rsae_sha256, kMessage, system_random(), out), 3072U / 8);
  EXPECT_EQ(loader->generate(KeyType::rsa, 1024, system_random()).error(), KeyError::unsupported);
  EXPECT_EQ(loader->generate(KeyType::rsa, 65536, system_random()).error(), KeyError::unsupported);
}

TEST(KeyLoader, RefusesWhatItDoesNotKnow) {
  for (const KeyLoader* loader : subject().key_loaders) {
    // X25519 (RFC 8410) is a key that cannot sign.
    const Buffer x25519 =
        hex("302e020100300506032b656e04220420"
            "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a");
    EXPECT_EQ(loader->load(x25519).error(), KeyError::unsupported);
    EXPECT_EQ(loader->load({}).error(), KeyError::malformed);
    EXPECT_EQ(loader->load(as_bytes("-----BEGIN PRIVATE KEY-----")).error(), KeyError::malformed);
    if (loader->decrypt != nullptr) {
      EXPECT_EQ(loader->decrypt({}, "secret").error(), KeyError::malformed);
      EXPECT_EQ(loader->decrypt(x25519, "secret").error(), KeyError::malformed);
    }
  }
}

struct Stated {
  std::string_view source;
  KeyType type;
  std::string_view pkcs8;
  std::string_view subject_public_key_info;
  SignatureScheme scheme;
  std::string_view message;
  std::string_view signature;
};

// Vectors of RFCs are facts, under the IETF Trust's code licence (Revised BSD). The keys are wrapped into PKCS#8.
constexpr Stated kStated[] = {
    {"RFC 6979 A.2.5", KeyType::ec_p256,
     "3041020100301306072a8648ce3d020106082a8648ce3d0301070427302502010104"
     "20c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721",
     "3059301306072a8648ce3d020106082a8648ce3d0301070342000460fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f"
     "29fb6"
     "7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299",
     SignatureScheme::ecdsa_secp256r1_sha256, "73616d706c65",
     "3046022100efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716"
     "022100f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8"},
    {"RFC 8032 7.1, test 2", KeyType::ed25519,
     "302e020100300506032b6570042204204ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
     "302a300506032b65700321003d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
     SignatureScheme::ed25519, "72",
     "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb"
     "00d291612bb0c00"},
    {"RFC 8032 7.4, blank", KeyType::ed448,
     "3047020100300506032b6571043b0439"
     "6c82a562cb808d10d632be89c8513ebf6c929f34ddfa8c9f63c9960ef6e348a3528c8a3fcc2f044e39a3fc5b94492f8f032e7549a20098f95"
     "b",
     "3043300506032b6571033a00"
     "5fd7449b59b461fd2ce787ec616ad46a1da1342485a70e1f8a0ea75d80e96778edf124769b46c7061bd6783df1e50f6cd1fa1abeafe825618"
     "0",
     SignatureScheme::ed448, "",
     "533a37f6bbe457251f023c0d88f976ae2dfb504a843e34d2074fd823d41a591f2b233f034f628281f2fd7a22ddd47d7828c59bd0a21bfd398"
     "0ff0d2028d4b18a"
     "9df63e006c5d1c2d345b925d8dc00b4104852db99ac5c7cdda8530a113a0f4dbb61149f05a7363268c71d95808ff2e652600"},
};

TEST(KeyLoader, SignsThePublishedVectors) {
  if (!traits.real) GTEST_SKIP() << "the algorithms are fakes";
  int seen = 0;
  for (const Stated& stated : kStated) {
    const KeyLoader* const loader = subject().key_loader(stated.type);
    if (loader == nullptr) continue;
    ++seen;
    SCOPED_TRACE(stated.source);
    const auto key = loader->load(hex(stated.pkcs8));
    ASSERT_TRUE(key);
    EXPECT_TRUE(equal((*key)->subject_public_key_info(), hex(stated.subject_public_key_info)));
    std::array<std::uint8_t, kMaxSignatureSize> out{};
    const std::size_t size = (*key)->sign(stated.scheme, hex(stated.message), system_random(), out);
    if (stated.type != KeyType::ec_p256 || traits.deterministic_ecdsa) {  // RFC 6979 is a provider's choice
      EXPECT_TRUE(equal(Bytes(out).first(size), hex(stated.signature)));
    }
  }
  EXPECT_GT(seen, 0);
}

TEST(KeyLoader, RefusesKeysThatContradictThemselves) {
  if (!traits.real) GTEST_SKIP() << "the algorithms are fakes";
  const KeyLoader* const loader = subject().key_loader(KeyType::ec_p256);
  if (loader == nullptr) GTEST_SKIP();
  const std::string version1 = "301306072a8648ce3d020106082a8648ce3d030107";
  const std::string scalar = "c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721";
  const std::string point =
      "0460fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb67903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f"
      "5177a3c294d4462299";
  const std::string with_point = "308187020100" + version1 + "046d306b0201010420" + scalar + "a144034200";
  EXPECT_TRUE(loader->load(hex(with_point + point)));
  std::string other = point;
  other.back() = '8';
  EXPECT_EQ(loader->load(hex(with_point + other)).error(), KeyError::invalid) << "the public key is another one";
  const std::string order = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
  const std::string bare = "3041020100" + version1 + "042730250201010420";
  EXPECT_TRUE(loader->load(hex(bare + scalar)));
  EXPECT_EQ(loader->load(hex(bare + order)).error(), KeyError::invalid) << "the order of the group";
  EXPECT_EQ(loader->load(hex(bare + std::string(64, '0'))).error(), KeyError::invalid) << "zero";
  const std::string with_curve = "304d020100" + version1 + "043330310201010420" + scalar + "a00a";
  EXPECT_TRUE(loader->load(hex(with_curve + "06082a8648ce3d030107")));
  EXPECT_EQ(loader->load(hex(with_curve + "06082a8648ce3d030106")).error(), KeyError::malformed)
      << "two different curves";
  for (const auto& [outer, middle, parameters] : {std::tuple{"44", "2a3028", "a00107"},
                                                  {"45", "2b3029", "a0020107"},
                                                  {"47", "2d302b", "a0043d030107"},
                                                  {"4b", "31302f", "a0082a8648ce3d030107"},
                                                  {"43", "293027", "a000"},
                                                  {"4f", "353033", "a00c06082a8648ce3d0301070500"}}) {
    const std::string der =
        "30" + std::string(outer) + "020100" + version1 + "04" + middle + "0201010420" + scalar + parameters;
    EXPECT_EQ(loader->load(hex(der)).error(), KeyError::malformed) << "a part of the curve's name, or more: " << der;
  }
}

TEST(KeyLoader, RefusesRsaKeysOfAnotherExponent) {
  if (!traits.real) GTEST_SKIP() << "the algorithms are fakes";
  const KeyLoader* const loader = subject().key_loader(KeyType::rsa);
  if (loader == nullptr) GTEST_SKIP();
  SeededRandom random(4);
  const Buffer key = loader->generate(KeyType::rsa, 2048, random).value();
  ASSERT_TRUE(loader->load(key));
  const Buffer exponent = hex("0203010001");
  const auto at = std::ranges::search(key, exponent).begin();
  ASSERT_NE(at, key.end());
  for (const std::string_view other : {"0203010003", "0203010005", "020300ffff"}) {
    Buffer changed = key;
    std::ranges::copy(hex(other), changed.begin() + (at - key.begin()));
    const auto loaded = loader->load(changed);
    ASSERT_FALSE(loaded) << other;
    EXPECT_EQ(loaded.error(), KeyError::invalid) << other;
  }
}

TEST(KeyEncryptor, EncryptsWhatTheKeyAloneDecrypts) {
  const KeyEncryptor* const encryptor = subject().key_encryptor(KeyType::rsa);
  if (encryptor == nullptr) GTEST_SKIP();
  const KeyLoader* const loader = subject().key_loader(KeyType::rsa);
  SeededRandom random(1);
  const auto made = [&] { return *loader->load(*loader->generate(KeyType::rsa, 2048, random)); };
  const auto key = made();
  const auto other = made();
  const Buffer secret(48, 7);
  Buffer ciphertext(kMaxEncryptedKeySize);
  ciphertext.resize(encryptor->encrypt(key->subject_public_key_info(), secret, random, ciphertext));
  EXPECT_EQ(ciphertext.size(), 256U);
  Buffer decrypted(48);
  ASSERT_TRUE(key->decrypt(ciphertext, random, decrypted));
  EXPECT_EQ(decrypted, secret);
  // What is not legible, or of another size, gives random bytes.
  const auto expect_random = [&](const SigningKey& by, Bytes what, std::size_t size) {
    Buffer first(size);
    Buffer second(size);
    ASSERT_TRUE(by.decrypt(what, random, first));
    ASSERT_TRUE(by.decrypt(what, random, second));
    EXPECT_NE(first, second);
    EXPECT_NE(first, Buffer(size, 7));
  };
  expect_random(*key, ciphertext, 47);
  expect_random(*key, ciphertext, 49);
  ciphertext[200] ^= 1U;
  expect_random(*key, ciphertext, 48);
  ciphertext[200] ^= 1U;
  ciphertext[0] = 0;  // below any modulus
  expect_random(*other, ciphertext, 48);
  EXPECT_EQ(encryptor->encrypt(hex("3000"), secret, random, ciphertext), 0U);
}

TEST(CbcCipher, DecryptsWhatItEncrypted) {
  for (const CbcCipher* cipher : subject().cbc_ciphers) {
    Storage<kMaxCbcContextSize> context;
    ASSERT_TRUE(cipher->init(context.get(), Buffer(cipher->key_size, 1)));
    const Buffer iv(kCbcBlockSize, 9);
    Buffer text(5 * kCbcBlockSize, 3);
    ASSERT_TRUE(cipher->encrypt(context.get(), iv, text));
    // No two blocks are alike, and a wrong bit is seen in the next block.
    EXPECT_FALSE(std::equal(text.begin(), text.begin() + 16, text.begin() + 16));
    text[0] ^= 1U;
    ASSERT_TRUE(cipher->decrypt(context.get(), iv, text));
    EXPECT_EQ(text[16], 3 ^ 1);
    EXPECT_TRUE(std::ranges::all_of(text.begin() + 32, text.end(), [](std::uint8_t byte) { return byte == 3; }));
    EXPECT_FALSE(cipher->decrypt(context.get(), iv, MutableBytes(text).first(17)));
    cipher->destroy(context.get());
  }
}

TEST(RecordMac, FollowsFromEverythingThatCounts) {
  for (const RecordMac* mac : subject().record_macs) {
    const auto made = [&](Bytes key, Bytes header, Bytes content, std::size_t size) {
      Buffer out(mac->size);
      EXPECT_TRUE(mac->mac_of_secret_length(key, header, content, size, out));
      Buffer same(mac->size);
      const std::array<Bytes, 2> segments{header, content.first(size)};
      EXPECT_TRUE(mac->mac(key, segments, same));
      EXPECT_EQ(out, same);
      return out;
    };
    const Buffer key(mac->key_size, 1);
    const Buffer header(13, 2);
    const Buffer content(300, 3);
    const Buffer usual = made(key, header, content, 100);
    EXPECT_NE(made(Buffer(mac->key_size, 2), header, content, 100), usual);
    EXPECT_NE(made(key, Buffer(13, 1), content, 100), usual);
    EXPECT_NE(made(key, header, Buffer(300, 2), 100), usual);
    EXPECT_NE(made(key, header, content, 101), usual);
  }
}

TEST(KeyLoader, ReadsScalarsWithoutTheirLeadingZeros) {
  if (!traits.real) GTEST_SKIP() << "the algorithms are fakes";
  const KeyLoader* const loader = subject().key_loader(KeyType::ec_p256);
  if (loader == nullptr) GTEST_SKIP();
  const std::string version1 = "301306072a8648ce3d020106082a8648ce3d030107";
  const std::string scalar = "a9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f67";
  const auto whole = loader->load(hex("3041020100" + version1 + "04273025020101042000" + scalar));
  const auto without = loader->load(hex("3040020100" + version1 + "04263024020101041f" + scalar));
  ASSERT_TRUE(whole);
  ASSERT_TRUE(without);
  EXPECT_TRUE(equal((*whole)->subject_public_key_info(), (*without)->subject_public_key_info()));
  EXPECT_EQ(loader->load(hex("3042020100" + version1 + "0428302602010104210000" + scalar)).error(), KeyError::malformed)
      << "a byte too many";
  EXPECT_EQ(loader->load(hex("3021020100" + version1 + "040730050201010400")).error(), KeyError::malformed) << "none";
}

}  // namespace
}  // namespace lockstep::tests
