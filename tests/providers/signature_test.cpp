// Signature verification of the provider under test: published vectors, and keys that are not what they should be.

#include <gtest/gtest.h>

#include "subject.hpp"

namespace lockstep::tests {
namespace {

struct Vector {
  std::string_view source;
  SignatureAlgorithm algorithm;
  KeyType key;
  std::string_view subject_public_key_info;
  std::string_view message;
  std::string_view signature;
};

// Vectors of RFCs are facts, under the IETF Trust's code licence (Revised BSD). Keys are wrapped into
// SubjectPublicKeyInfo, and r and s of ECDSA into a sequence.
constexpr std::string_view kP256Key =
    "3059301306072a8648ce3d020106082a8648ce3d03010703420004"
    "60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb67903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177"
    "a3c294d4462299";
constexpr std::string_view kEd25519Key =
    "302a300506032b6570032100d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
constexpr Vector kVectors[] = {
    {"RFC 6979 A.2.5, SHA-256, \"sample\"", SignatureAlgorithm::ecdsa_sha256, KeyType::ec_p256, kP256Key,
     "73616d706c65",
     "3046022100efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716"
     "022100f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8"},
    {"RFC 6979 A.2.5, SHA-384, \"sample\"", SignatureAlgorithm::ecdsa_sha384, KeyType::ec_p256, kP256Key,
     "73616d706c65",
     "304402200eafea039b20e9b42309fb1d89e213057cbf973dc0cfc8f129edddc800ef7719"
     "02204861f0491e6998b9455193e34e7b0d284ddd7149a74b95b9261f13abde940954"},
    {"RFC 8032 7.1, test 1", SignatureAlgorithm::ed25519, KeyType::ed25519, kEd25519Key, "",
     "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe246"
     "55141438e7a100b"},
    {"RFC 8032 7.1, test 2", SignatureAlgorithm::ed25519, KeyType::ed25519,
     "302a300506032b65700321003d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
     "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb"
     "00d291612bb0c00"},
    {"RFC 8032 7.4, blank", SignatureAlgorithm::ed448, KeyType::ed448,
     "3043300506032b6571033a00"
     "5fd7449b59b461fd2ce787ec616ad46a1da1342485a70e1f8a0ea75d80e96778edf124769b46c7061bd6783df1e50f6cd1fa1abeafe825618"
     "0",
     "",
     "533a37f6bbe457251f023c0d88f976ae2dfb504a843e34d2074fd823d41a591f2b233f034f628281f2fd7a22ddd47d7828c59bd0a21bfd398"
     "0ff0d2028d4b18a"
     "9df63e006c5d1c2d345b925d8dc00b4104852db99ac5c7cdda8530a113a0f4dbb61149f05a7363268c71d95808ff2e652600"},
};

VerifyResult verify(SignatureAlgorithm algorithm, KeyType key, Bytes info, Bytes message, Bytes signature) {
  return verify_both_ways(*subject().verifier(algorithm, key), info, message, signature);
}

bool listed(SignatureAlgorithm algorithm, KeyType key) { return subject().verifier(algorithm, key) != nullptr; }

TEST(Signatures, OfThePublishedVectorsAreValid) {
  if (!traits.real) GTEST_SKIP() << "the algorithms are fakes";
  int seen = 0;
  for (const Vector& vector : kVectors) {
    if (!listed(vector.algorithm, vector.key)) continue;
    ++seen;
    SCOPED_TRACE(vector.source);
    const Buffer info = hex(vector.subject_public_key_info), message = hex(vector.message),
                 signature = hex(vector.signature);
    EXPECT_EQ(verify(vector.algorithm, vector.key, info, message, signature), VerifyResult::valid);
    Buffer other = message;
    other.push_back(0);
    EXPECT_EQ(verify(vector.algorithm, vector.key, info, other, signature), VerifyResult::invalid);
    for (std::size_t size = 0; size < signature.size(); ++size)
      EXPECT_EQ(verify(vector.algorithm, vector.key, info, message, Bytes(signature).first(size)),
                VerifyResult::invalid)
          << size;
    for (std::size_t i = 0; i < signature.size(); ++i) {
      Buffer changed = signature;
      changed[i] ^= 1U;
      EXPECT_EQ(verify(vector.algorithm, vector.key, info, message, changed), VerifyResult::invalid) << i;
    }
  }
  EXPECT_GT(seen, 0);
}

TEST(Signatures, WithABrokenKeyAreOfABadKey) {
  if (!traits.real) GTEST_SKIP() << "the algorithms are fakes";
  for (const Vector& vector : kVectors) {
    if (!listed(vector.algorithm, vector.key)) continue;
    SCOPED_TRACE(vector.source);
    const Buffer info = hex(vector.subject_public_key_info), message = hex(vector.message),
                 signature = hex(vector.signature);
    for (std::size_t size = 0; size < info.size(); ++size)
      ASSERT_EQ(verify(vector.algorithm, vector.key, Bytes(info).first(size), message, signature),
                VerifyResult::bad_key)
          << size;
    Buffer longer = info;
    longer.push_back(0);
    EXPECT_EQ(verify(vector.algorithm, vector.key, longer, message, signature), VerifyResult::bad_key)
        << "a byte too many";
    // Everything before the key itself: tags, lengths and identifiers.
    const std::size_t header = vector.key == KeyType::ec_p256 ? 27 : 12;
    for (std::size_t bit = 0; bit < header * 8; ++bit) {
      Buffer changed = info;
      changed[bit / 8] = static_cast<std::uint8_t>(changed[bit / 8] ^ (1U << (bit % 8)));
      ASSERT_EQ(verify(vector.algorithm, vector.key, changed, message, signature), VerifyResult::bad_key) << bit;
    }
  }
}

TEST(Signatures, WithAPointOffTheCurveAreOfABadKey) {
  if (!traits.real) GTEST_SKIP() << "the algorithms are fakes";
  if (!listed(SignatureAlgorithm::ecdsa_sha256, KeyType::ec_p256)) GTEST_SKIP();
  Buffer info = hex(kP256Key);
  const Buffer message = hex(kVectors[0].message), signature = hex(kVectors[0].signature);
  info.back() ^= 1U;
  EXPECT_EQ(verify(SignatureAlgorithm::ecdsa_sha256, KeyType::ec_p256, info, message, signature),
            VerifyResult::bad_key);
}

TEST(Signatures, OfEcdsaAreStrictDer) {
  if (!listed(SignatureAlgorithm::ecdsa_sha256, KeyType::ec_p256)) GTEST_SKIP();
  constexpr std::string_view r = "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716";
  constexpr std::string_view s = "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8";
  const std::string rs(r), ss(s);
  const std::pair<std::string, std::string_view> bad[] = {
      {"308146022100" + rs + "022100" + ss, "a length in the long form"},
      {"3080022100" + rs + "022100" + ss + "0000", "an indefinite length"},
      {"30470222"
       "0000" +
           rs + "022100" + ss,
       "a superfluous zero"},
      {"30440220" + rs + "0220" + ss, "negative numbers"},
      {"3046022100" + rs + "022100" + ss + "00", "a byte after the sequence"},
      {"3048022100" + rs + "022100" + ss + "0500", "a third member"},
      {"3023022100" + rs, "no second member"},
      {rs + ss, "no sequence at all"},
      {"3006020100020100", "zeros"},
      {"3026022100" + rs + "020100", "a zero s"},
  };
  for (const auto& [signature, why] : bad)
    EXPECT_EQ(
        verify(SignatureAlgorithm::ecdsa_sha256, KeyType::ec_p256, hex(kP256Key), hex("73616d706c65"), hex(signature)),
        VerifyResult::invalid)
        << why;
}

TEST(Signatures, OfEd25519HaveAReducedScalar) {
  if (!listed(SignatureAlgorithm::ed25519, KeyType::ed25519)) GTEST_SKIP();
  // RFC 8032 5.1.7: "decode the second half as an integer S, in the range 0 <= s < L". This is S + L of test 1.
  const Buffer signature =
      hex("e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901554c8c7872aa064e049dbb3013fbf29380d25bf5f0595b"
          "be24655141438e7a101b");
  EXPECT_EQ(verify(SignatureAlgorithm::ed25519, KeyType::ed25519, hex(kEd25519Key), {}, signature),
            VerifyResult::invalid);
}

/// Every encoding of a point of small order, and what else is not a canonical encoding: y >= p, x = 0 with a sign.
const std::pair<KeyType, std::string_view> kNoPublicKeys[] = {
    {KeyType::ed25519, "0100000000000000000000000000000000000000000000000000000000000000"},
    {KeyType::ed25519, "0100000000000000000000000000000000000000000000000000000000000080"},
    {KeyType::ed25519, "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"},
    {KeyType::ed25519, "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"},
    {KeyType::ed25519, "0000000000000000000000000000000000000000000000000000000000000000"},
    {KeyType::ed25519, "0000000000000000000000000000000000000000000000000000000000000080"},
    {KeyType::ed25519, "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"},
    {KeyType::ed25519, "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85"},
    {KeyType::ed25519, "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"},
    {KeyType::ed25519, "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa"},
    {KeyType::ed25519, "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"},
    {KeyType::ed25519, "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"},
    {KeyType::ed25519, "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"},
    {KeyType::ed25519, "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"},
    {KeyType::ed25519, "f0ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"},
    {KeyType::ed25519, "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"},
    {KeyType::ed448,
     "01000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
     "0"},
    {KeyType::ed448,
     "01000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000008"
     "0"},
    {KeyType::ed448,
     "fefffffffffffffffffffffffffffffffffffffffffffffffffffffffeffffffffffffffffffffffffffffffffffffffffffffffffffffff0"
     "0"},
    {KeyType::ed448,
     "fefffffffffffffffffffffffffffffffffffffffffffffffffffffffeffffffffffffffffffffffffffffffffffffffffffffffffffffff8"
     "0"},
    {KeyType::ed448,
     "00000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
     "0"},
    {KeyType::ed448,
     "00000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000008"
     "0"},
    {KeyType::ed448,
     "fffffffffffffffffffffffffffffffffffffffffffffffffffffffffeffffffffffffffffffffffffffffffffffffffffffffffffffffff0"
     "0"},
    {KeyType::ed448,
     "fffffffffffffffffffffffffffffffffffffffffffffffffffffffffeffffffffffffffffffffffffffffffffffffffffffffffffffffff8"
     "0"},
    {KeyType::ed448,
     "00000000000000000000000000000000000000000000000000000000ffffffffffffffffffffffffffffffffffffffffffffffffffffffff0"
     "0"},
    {KeyType::ed448,
     "01000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
     "1"},
};

// Everybody can sign for such a key: R = the neutral element and S = 0 are a signature of one message in eight, and
// under the neutral element of every message.
TEST(Signatures, WithAPointOfSmallOrderAreOfABadKey) {
  for (const auto& [type, point] : kNoPublicKeys) {
    const auto algorithm = type == KeyType::ed25519 ? SignatureAlgorithm::ed25519 : SignatureAlgorithm::ed448;
    if (!listed(algorithm, type)) continue;
    Buffer info = hex(type == KeyType::ed25519 ? "302a300506032b6570032100" : "3043300506032b6571033a00");
    const Buffer bits = hex(point);
    info.insert(info.end(), bits.begin(), bits.end());
    Buffer signature(2 * bits.size());
    signature[0] = 1;
    for (std::uint8_t message = 0; message < 16; ++message)
      ASSERT_EQ(verify(algorithm, type, info, {&message, 1}, signature), VerifyResult::bad_key) << point;
  }
}

// R of small order with S = k a is a signature that only the key's owner can make, and never does; libraries differ.
TEST(Signatures, WithAnRThatNobodyDrawsAreInvalid) {
  if (!traits.real) GTEST_SKIP() << "the algorithms are fakes";
  if (!listed(SignatureAlgorithm::ed25519, KeyType::ed25519)) GTEST_SKIP();
  const Buffer signature =
      hex("0100000000000000000000000000000000000000000000000000000000000000"
          "756cf9b1d6f0d7a979b9d2af3dc2bc1294ec7cb6daa20eaff534c024fc57920f");
  EXPECT_EQ(verify(SignatureAlgorithm::ed25519, KeyType::ed25519, hex(kEd25519Key), {}, signature),
            VerifyResult::invalid);
}

TEST(Signatures, AreRefusedByEveryVerifierOfAnotherKeyType) {
  for (const Vector& vector : kVectors) {
    const Buffer info = hex(vector.subject_public_key_info), message = hex(vector.message),
                 signature = hex(vector.signature);
    for (const SignatureVerifier* verifier : subject().verifiers)
      if (verifier->key != vector.key) {
        EXPECT_EQ(verifier->verify(info, message, signature), VerifyResult::bad_key)
            << vector.source << " by " << name(verifier->algorithm) << " with " << name(verifier->key);
      }
  }
}

TEST(Signatures, WithRsaKeysOutsideTheLimitsAreOfABadKey) {
  if (!traits.real) GTEST_SKIP() << "the algorithms are fakes";
  if (!listed(SignatureAlgorithm::rsa_pkcs1_sha256, KeyType::rsa)) GTEST_SKIP();
  const auto rsa = [](std::string_view modulus, std::string_view exponent) {
    const auto value = [](std::uint8_t tag, const Buffer& contents) {
      Buffer out{tag};
      const std::size_t size = contents.size();
      if (size >= 0x80) out.push_back(0x82), out.push_back(static_cast<std::uint8_t>(size >> 8U));
      out.push_back(static_cast<std::uint8_t>(size));
      out.insert(out.end(), contents.begin(), contents.end());
      return out;
    };
    const auto joined = [](Buffer a, const Buffer& b) {
      a.insert(a.end(), b.begin(), b.end());
      return a;
    };
    const Buffer numbers = value(0x30, joined(value(2, hex(modulus)), value(2, hex(exponent))));
    return value(0x30, joined(hex("300d06092a864886f70d0101010500"), value(3, joined(Buffer{0}, numbers))));
  };
  const auto ones = [](std::size_t bytes) { return "00" + std::string(bytes * 2, 'f'); };
  const auto result = [&](const std::string& modulus, std::string_view exponent) {
    return verify(SignatureAlgorithm::rsa_pkcs1_sha256, KeyType::rsa, rsa(modulus, exponent), {},
                  Buffer(modulus.size() / 2 - 1, 1));
  };
  EXPECT_EQ(result(ones(256), "010001"), VerifyResult::invalid) << "this key is well formed";
  EXPECT_EQ(result(ones(64), "010001"), VerifyResult::bad_key) << "512 bits";
  EXPECT_EQ(result(ones(2048), "010001"), VerifyResult::bad_key) << "16384 bits";
  EXPECT_EQ(result(ones(256), "010000"), VerifyResult::bad_key) << "an even exponent";
  EXPECT_EQ(result(ones(256), "01"), VerifyResult::bad_key) << "the exponent 1";
  EXPECT_EQ(result(ones(256), "00ffffffffffffffff"), VerifyResult::bad_key) << "an exponent of 64 bits";
  EXPECT_EQ(result("00" + std::string(511, 'f') + "e", "010001"), VerifyResult::bad_key) << "an even modulus";
  EXPECT_EQ(result(std::string(512, 'f'), "010001"), VerifyResult::bad_key) << "a negative modulus";
  EXPECT_EQ(result("0000" + std::string(512, 'f'), "010001"), VerifyResult::bad_key)
      << "a modulus with a superfluous zero";
}

}  // namespace
}  // namespace lockstep::tests
