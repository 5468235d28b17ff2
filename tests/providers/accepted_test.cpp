// What one entry takes, all take: each key and each way to encode it goes through the loader, X.509 as leaf and as
// issuer, and handshakes of both roles.

#include <iterator>

#include <lockstep/rsa_limits.hpp>
#include <lockstep/x509.hpp>

#include "subject.hpp"

#define LOCKSTEP_PAIR_PROVIDER lockstep::tests::subject()
#include "pair/pair.hpp"

namespace lockstep::testing {
namespace {

using tests::Buffer;
using tests::hex;

constexpr std::uint8_t kInteger = 0x02;
constexpr std::uint8_t kBitString = 0x03;
constexpr std::uint8_t kSequence = 0x30;

/// A value in DER.
Buffer value(std::uint8_t tag, std::initializer_list<Buffer> parts) {
  Buffer contents;
  for (const Buffer& part : parts) contents.insert(contents.end(), part.begin(), part.end());
  const std::size_t size = contents.size();
  Buffer out{tag};
  if (size >= 0x80) out.push_back(size > 0xff ? 0x82 : 0x81);
  if (size > 0xff) out.push_back(static_cast<std::uint8_t>(size >> 8U));
  out.push_back(static_cast<std::uint8_t>(size));
  out.insert(out.end(), contents.begin(), contents.end());
  return out;
}

Buffer copy(Bytes bytes) { return {bytes.begin(), bytes.end()}; }

/// The contents of the first value and what follows it, of lengths below 2^16.
std::pair<Bytes, Bytes> split(Bytes der) {
  const std::size_t digits = der[1] < 0x80 ? 0 : der[1] - 0x80U;
  std::size_t size = digits == 0 ? der[1] : 0;
  for (const std::uint8_t digit : der.subspan(2, digits)) size = size << 8U | digit;
  return {der.subspan(2 + digits, size), der.subspan(2 + digits + size)};
}

/// A SubjectPublicKeyInfo with its point compressed (SEC 1, 2.3.3).
Buffer compressed(Bytes info) {
  const Bytes fields = split(info).first;
  const Bytes algorithm = fields.first(fields.size() - split(fields).second.size());
  const Bytes point = x509::PublicKey::parse(info).value().key;
  Buffer form = copy(point.first(1 + (point.size() - 1) / 2));
  form[0] = point.back() % 2 == 0 ? 2 : 3;
  return value(kSequence, {copy(algorithm), value(kBitString, {{0}, form})});
}

/// A PKCS#8 with another AlgorithmIdentifier.
Buffer with_algorithm(Bytes pkcs8, std::string_view identifier) {
  const Bytes fields = split(pkcs8).first;
  const Bytes after_version = split(fields).second;
  const Bytes after_algorithm = split(after_version).second;
  const Bytes version = fields.first(fields.size() - after_version.size());
  return value(kSequence, {copy(version), hex(identifier), copy(after_algorithm)});
}

/// A leaf and an intermediate authority, both of the key, are verified; both roles prove the key to each other.
void expect_accepted(const std::shared_ptr<const SigningKey>& key, const Buffer& info) {
  FixedRandom random(7);
  const auto root_key = key_of(usual_key());
  const auto made = [](std::string_view subject) {
    return x509::CertificateBuilder(subject).validity(kNowSeconds - kDay, kNowSeconds + kDay);
  };
  const auto root = made("CN=root").ca().self_signed(provider(), *root_key, random).value();
  const auto middle = made("CN=middle").ca().issued_by(provider(), root, *root_key, info, random).value();
  const auto leaf =
      made("CN=leaf").dns("example.com").server().client().issued_by(provider(), middle, *key, info, random);
  ASSERT_TRUE(leaf) << x509::explanation(leaf.error());
  EXPECT_TRUE(x509::belongs_to(*leaf, *key));

  x509::TrustAnchors anchors;
  ASSERT_TRUE(anchors.add(root));
  const std::array<Bytes, 2> chain{*leaf, middle};
  for (const Role role : {Role::server, Role::client}) {
    const x509::Verdict verdict =
        x509::verify({provider(), anchors, chain, role, x509::NoNameCheck{}, kNowSeconds, {}});
    EXPECT_TRUE(verdict.ok()) << verdict.text();
  }

  Credential credential;
  credential.chain = {*leaf, middle};
  credential.schemes.assign(key->schemes().begin(), key->schemes().end());
  credential.key = key;
  const auto shared = std::make_shared<const Credential>(std::move(credential));
  Pair pair(built(client_builder()), built(server_builder().client_auth(ClientAuth::require)));
  pair.server.credential = shared;
  pair.client.credential = shared;
  pair.run();
  EXPECT_TRUE(pair.client.complete) << error_text(pair.client);
  EXPECT_TRUE(pair.server.complete) << error_text(pair.server);
}

TEST(AcceptedKeys, OfEveryTypeInEveryEntry) {
  for (const KeyType type : every::kKeys) {
    if (provider().key_loader(type) == nullptr) continue;
    SCOPED_TRACE(name(type));
    const auto key = key_of(type);
    expect_accepted(key, copy(key->subject_public_key_info()));
  }
}

TEST(AcceptedKeys, WithCompressedPoints) {
  if (!tests::traits.real) GTEST_SKIP() << "a fake point has no y that follows from x";
  for (const KeyType type : {KeyType::ec_p256, KeyType::ec_p384, KeyType::ec_p521, KeyType::ec_brainpoolP256r1,
                             KeyType::ec_brainpoolP384r1, KeyType::ec_brainpoolP512r1}) {
    if (provider().key_loader(type) == nullptr) continue;
    SCOPED_TRACE(name(type));
    const auto key = key_of(type);
    const Buffer info = compressed(key->subject_public_key_info());
    expect_accepted(key, info);
    // The point of the other y is another key, and the hybrid form is none.
    for (const unsigned form : {1U, 4U}) {
      Buffer other = info;
      std::uint8_t& first = other[info.size() - x509::PublicKey::parse(info).value().key.size()];
      first = static_cast<std::uint8_t>(first ^ form);
      const auto* const verifier = provider().verifier(parts(key->schemes().front())->algorithm, type);
      std::array<std::uint8_t, kMaxSignatureSize> signature{};
      const std::size_t size =
          key->sign(key->schemes().front(), as_bytes("message"), tests::system_random(), signature);
      EXPECT_EQ(verifier->verify(info, as_bytes("message"), Bytes(signature).first(size)), VerifyResult::valid);
      EXPECT_EQ(verifier->verify(other, as_bytes("message"), Bytes(signature).first(size)),
                form == 1 ? VerifyResult::invalid : VerifyResult::bad_key);
      EXPECT_EQ(x509::PublicKey::parse(other).has_value(), form == 1);
    }
  }
}

TEST(AcceptedKeys, WithSaltsThatAreMinima) {
  const KeyLoader* const loader = provider().key_loader(KeyType::rsa_pss);
  if (!tests::traits.real || loader == nullptr) GTEST_SKIP() << "no RSASSA-PSS keys with parameters here";
  FixedRandom random(9);
  const Buffer pkcs8 = loader->generate(KeyType::rsa_pss, 0, random).value();
  // RSASSA-PSS, SHA-256, MGF1 with SHA-256; then no salt stated (20), 32, and 33, which no signature of TLS has.
  const std::string start = "06092a864886f70d01010a30";
  const std::string hashes =
      "a00f300d06096086480165030402010500a11c301a06092a864886f70d010108300d06096086480165030402010500";
  for (const auto& [identifier, loads] : {std::pair{"303c" + start + "2f" + hashes, true},
                                          {"3041" + start + "34" + hashes + "a203020120", true},
                                          {"3041" + start + "34" + hashes + "a203020121", false}}) {
    const auto key = loader->load(with_algorithm(pkcs8, identifier));
    ASSERT_EQ(key.has_value(), loads) << identifier;
    if (loads) expect_accepted(*key, copy((*key)->subject_public_key_info()));
  }
}

TEST(AcceptedKeys, RsaHasOneBoundForAll) {
  const SignatureVerifier* const verifier = provider().verifier(SignatureAlgorithm::rsa_pkcs1_sha256, KeyType::rsa);
  if (!tests::traits.real || verifier == nullptr) GTEST_SKIP() << "no RSA here";
  const auto info_of = [](std::size_t bits, std::string_view exponent) {
    Buffer modulus(bits / 8, 0xff);
    if (bits % 8 != 0) modulus.insert(modulus.begin(), static_cast<std::uint8_t>((1U << bits % 8) - 1));
    if (modulus[0] >= 0x80) modulus.insert(modulus.begin(), 0);
    const Buffer key = value(kSequence, {value(kInteger, {modulus}), value(kInteger, {hex(exponent)})});
    return value(kSequence, {hex("300d06092a864886f70d0101010500"), value(kBitString, {{0}, key})});
  };
  x509::Policy policy = x509::Policy::private_pki();
  policy.min_rsa_bits = 0;
  const auto expect = [&](std::size_t bits, std::string_view exponent, bool taken) {
    SCOPED_TRACE(std::to_string(bits) + " bits, exponent " + std::string(exponent));
    const Buffer info = info_of(bits, exponent);
    const auto key = x509::PublicKey::parse(info);
    EXPECT_EQ(key && x509::judge_key_size(*key, policy) == x509::Code::ok, taken);
    const Buffer signature((bits + 7) / 8, 0);
    EXPECT_EQ(verifier->verify(info, as_bytes("message"), signature) != VerifyResult::bad_key, taken);
  };
  expect(kMinRsaBits - 1, "010001", false);
  expect(kMinRsaBits, "010001", true);
  expect(2047, "010001", true);
  expect(kMaxRsaBits, "010001", true);
  expect(kMaxRsaBits + 1, "010001", false);
  expect(2048, "01", false);
  expect(2048, "02", false);
  expect(2048, "03", true);
  expect(2048, "01ffffffff", true);
  expect(2048, "03ffffffff", false);
}

}  // namespace
}  // namespace lockstep::testing
